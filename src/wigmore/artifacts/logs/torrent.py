"""Bencoded files of BitTorrent programs: .torrent, Transmission's resume and uTorrent's resume.dat."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, ParseError, Record, Yield
from wigmore.model.times import Time, posix
from wigmore.registry import Claim, parser

LARGEST = 32 * 1024 * 1024
MOST_VALUES = 500_000
DEEPEST = 50
LONGEST_TEXT = 2_000
TIMES = {
    "added-date": "added_at",
    "done-date": "finished_at",
    "activity-date": "active_at",
    "added_on": "added_at",
    "completed_on": "finished_at",
    "last_active": "active_at",
    "creation date": "created_at",
    "last seen complete": "seen_complete_at",
    "created_torrent": "torrent_created_at",
}
NAMES = {"destination": "saved_to", "path": "saved_to", "caption": "caption", "name": "name"}


class Bencode:
    """A bounded, non-recursive reader of bencoded bytes (BEP 3); raises ValueError with the place of the damage."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.position, self.values = raw, 0, 0

    def value(self, depth: int = 0) -> Any:
        """The value at the current position: int, bytes, list or dict with bytes keys."""
        self.values += 1
        if depth > DEEPEST or self.values > MOST_VALUES:
            raise ValueError(f"deeper or larger than the limit at offset {self.position}")
        lead = self.raw[self.position : self.position + 1]
        if lead == b"i":
            end = self.raw.find(b"e", self.position, self.position + 30)
            digits = self.raw[self.position + 1 : end]
            if end == -1 or not digits.lstrip(b"-").isdigit():
                raise ValueError(f"no number at offset {self.position}")
            self.position = end + 1
            return int(digits)
        if lead.isdigit():
            colon = self.raw.find(b":", self.position, self.position + 12)
            digits = self.raw[self.position : colon]
            if colon == -1 or not digits.isdigit() or colon + 1 + int(digits) > len(self.raw):
                raise ValueError(f"no text at offset {self.position}")
            self.position = colon + 1 + int(digits)
            return self.raw[colon + 1 : self.position]
        if lead == b"l":
            self.position += 1
            listed = []
            while self.raw[self.position : self.position + 1] != b"e":
                listed.append(self.value(depth + 1))
            self.position += 1
            return listed
        if lead == b"d":
            self.position += 1
            found: dict[bytes, Any] = {}
            while self.raw[self.position : self.position + 1] != b"e":
                key = self.value(depth + 1)
                if not isinstance(key, bytes):
                    raise ValueError(f"a key that is no text before offset {self.position}")
                found[key] = self.value(depth + 1)
            self.position += 1
            return found
        raise ValueError(f"nothing bencoded at offset {self.position}")


def _plain(value: Any, depth: int = 0) -> Any:
    if isinstance(value, bytes):
        try:
            text = value.decode("utf-8")
            return text[:LONGEST_TEXT] if text.isprintable() else value[:64].hex()
        except UnicodeDecodeError:
            return value[:64].hex()
    if isinstance(value, dict):
        return {shown(key): _plain(inner, depth + 1) for key, inner in list(value.items())[:200]} if depth < 4 else "…"
    if isinstance(value, list):
        return [_plain(inner, depth + 1) for inner in value[:200]] if depth < 4 else "…"
    return value


def _look(head: bytes, path: str, size: int) -> bool:
    if head[:1] != b"d" or not head[1:2].isdigit():
        return False
    colon = head.find(b":", 1, 12)
    return colon > 0 and head[1:colon].isdigit() and size > 10 and int(head[1:colon]) < 300


def _record(entry: dict[bytes, Any], name: str) -> Record:
    data: dict[str, object] = {"entry": name} if name else {}
    times: dict[str, Time] = {}
    for key, value in list(entry.items())[:300]:
        native = shown(key)
        if native in TIMES and isinstance(value, int) and 0 < value < 1 << 40:
            time = posix(value)
            if time:
                times.setdefault(TIMES[native], time)
        if native == "info" and isinstance(value, dict):
            data["name"] = _plain(value.get(b"name", b""))
            data["length"] = value.get(b"length")
            data["files"] = [
                {"path": "/".join(str(_plain(part)) for part in item.get(b"path", [])), "length": item.get(b"length")}
                for item in value.get(b"files", [])[:2000]
                if isinstance(item, dict)
            ]
            continue
        data[native] = _plain(value)
        if native in NAMES and isinstance(value, bytes):
            data.setdefault(NAMES[native], _plain(value))
    first = next((key for key in ("finished_at", "added_at", "created_at", "active_at") if key in times), None)
    return Record({key: value for key, value in data.items() if value not in (None, [], "")}, times, first)


@parser(
    "torrent.state",
    claims=Claim(look=_look),
    reads=".torrent files, Transmission's *.resume, uTorrent's and BitTorrent's resume.dat",
    means="the program held this transfer with this name, place and state when it wrote the file; its times are the "
    "host's clock",
    does_not_mean="that the content is still there or was opened; who started it; that the data was complete unless a "
    "finish time says so",
    refs=(
        "BEP 3",
        "Transmission, libtransmission/resume.cc",
        "uTorrent resume.dat: keys as public research documents them",
    ),
)
def torrent(file: EvidenceFile) -> Iterator[Yield]:
    """One record for a torrent or Transmission file, one a transfer for resume.dat."""
    raw = file.read(LARGEST)
    reader = Bencode(raw)
    try:
        root = reader.value()
    except ValueError as error:
        raise ParseError(file.path, reader.position, f"bencode: {error}") from error
    if not isinstance(root, dict):
        raise ParseError(file.path, 0, "no dictionary at the top")
    transfers = {
        key: value
        for key, value in root.items()
        if isinstance(value, dict) and (b"path" in value or b"caption" in value)
    }
    if transfers and b"info" not in root:
        for key, entry in transfers.items():
            offset = raw.find(b"%d:%s" % (len(key), key))
            yield {"kind": "key", "key": shown(key), "offset": offset}, _record(entry, shown(key))
        return
    record = _record(root, "")
    if isinstance(root.get(b"info"), dict):
        start = raw.find(b"4:info") + 6
        inner = Bencode(raw)
        inner.position = start
        inner.value()
        record.data["info_hash"] = hashlib.sha1(raw[start : inner.position]).hexdigest()
    yield {"kind": "offset", "offset": 0, "length": len(raw)}, record
