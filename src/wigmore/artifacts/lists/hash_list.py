"""Hash sets: MD5, SHA-1 and SHA-256 as plain lines, in the form of md5sum and sha256sum, or CSV as the NSRL has it.

Known-bad hashes keep the name that stands beside them; known-good sets may hold millions and keep bytes only, sorted in
256 drawers by their first byte. NSRL: NIST, Reference Data Set file formats (`"SHA-1","MD5","CRC32","FileName",…`).
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, overload

from wigmore.artifacts.lists.entries import Reading
from wigmore.model.lists import ListFile

ALGORITHMS = {32: "md5", 40: "sha1", 64: "sha256"}
MOST_NAMED = 2_000_000  # hashes of known-bad lists
MOST_KNOWN = 60_000_000  # hashes of known-good lists
_SUM = re.compile(r"\\?([0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})(?:[ \t]+\*?(.*))?$")  # md5sum, sha256sum
_TAGGED = re.compile(r"(?:MD5|SHA1|SHA256) \((.*)\) = ([0-9A-Fa-f]{32,64})$")  # `--tag`, BSD
_NAMES = ("filename", "name", "file", "path", "label", "description", "signature", "malware")
_DIGEST = re.compile(r"(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})\Z")


class Listed(NamedTuple):
    """A known-bad hash: the list, its line, and what the list calls it."""

    file: ListFile
    line: int
    label: str


class _Slices(Sequence[bytes]):
    """Equally long values that lie end to end, for bisection."""

    def __init__(self, data: bytes, width: int) -> None:
        self.data, self.width = data, width

    def __len__(self) -> int:
        return len(self.data) // self.width

    @overload
    def __getitem__(self, at: int) -> bytes: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[bytes]: ...
    def __getitem__(self, at: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        return self.data[at * self.width : (at + 1) * self.width]


class Drawers:
    """Many digests of one length in little memory."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._open: list[bytearray] = [bytearray() for _ in range(256)]
        self._shut: list[_Slices] = []

    def add(self, digest: bytes) -> None:
        """Take in a digest; none may follow after `shut`."""
        self._open[digest[0]] += digest

    def shut(self) -> None:
        """Sort the drawers: they can be asked from now on."""
        width = self.width
        for number, drawer in enumerate(self._open):
            rows = sorted({bytes(drawer[at : at + width]) for at in range(0, len(drawer), width)})
            self._open[number] = bytearray()
            self._shut.append(_Slices(b"".join(rows), width))

    def __contains__(self, digest: bytes) -> bool:
        drawer = self._shut[digest[0]]
        at = bisect_left(drawer, digest)
        return at < len(drawer) and drawer[at] == digest


@dataclass
class KnownBad:
    """Named hashes by algorithm and hex digits."""

    hashes: dict[str, list[Listed]] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)


@dataclass
class KnownGood:
    """Unnamed hashes of each list by algorithm."""

    sets: list[tuple[ListFile, dict[str, Drawers]]] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)


def rows(file: ListFile, reading: Reading) -> Iterator[tuple[int, str, str]]:
    """(line, hash in lower case, label) of each hash of a list; a CSV row gives its longest one."""
    header: list[str] | None = None
    for line, raw in file.lines():
        text = raw.decode("utf-8-sig", "replace").strip()
        if not text or text.startswith("#"):
            continue
        if found := _SUM.match(text):
            reading.entries += 1
            yield line, found[1].lower(), (found[2] or "").strip()
            continue
        if (found := _TAGGED.match(text)) and len(found[2]) in ALGORITHMS:
            reading.entries += 1
            yield line, found[2].lower(), found[1]
            continue
        try:
            cells = next(csv.reader([text], delimiter=_delimiter(text)), [])
        except csv.Error as error:
            reading.refuse(f"line {line}", str(error))
            continue
        digests = [c.strip() for c in cells if _DIGEST.match(c.strip())]
        if digests:
            reading.entries += 1
            yield line, max(digests, key=len).lower(), _label(cells, header)
        elif header is None and len(cells) > 1 and re.search(r"(?i)sha|md5|hash", text):
            header = [c.strip().lower().replace("_", "").replace(" ", "") for c in cells]
        else:
            reading.refuse(f"line {line}", "no MD5, SHA-1 or SHA-256 stands in it")


def _delimiter(text: str) -> str:
    return max(",;\t|", key=text.count)


def _label(cells: list[str], header: list[str] | None) -> str:
    if header is not None:
        for name in _NAMES:
            if name in header and header.index(name) < len(cells):
                return cells[header.index(name)].strip()
    return next((c.strip() for c in cells if c.strip() and not re.fullmatch(r"[0-9A-Fa-f]+", c.strip())), "")


def read_known_bad(files: tuple[ListFile, ...]) -> KnownBad:
    """Read known-bad lists; raises ListError where one cannot be read."""
    out = KnownBad()
    for file in files:
        reading = Reading(file)
        for line, digest, label in rows(file, reading):
            if len(out.hashes) >= MOST_NAMED:
                reading.entries -= 1
                reading.refuse(f"line {line}", f"more than {MOST_NAMED} hashes")
                continue
            listed = out.hashes.setdefault(digest, [])
            if all(one.file != file for one in listed):
                listed.append(Listed(file, line, label[:200]))
        out.readings.append(reading)
    return out


def read_known_good(files: tuple[ListFile, ...]) -> KnownGood:
    """Read known-good lists; raises ListError where one cannot be read."""
    out = KnownGood()
    taken = 0
    for file in files:
        reading = Reading(file)
        drawers = {name: Drawers(digits // 2) for digits, name in ALGORITHMS.items()}
        for line, digest, _ in rows(file, reading):
            if taken >= MOST_KNOWN:
                reading.entries -= 1
                reading.refuse(f"line {line}", f"more than {MOST_KNOWN} hashes")
                continue
            taken += 1
            drawers[ALGORITHMS[len(digest)]].add(bytes.fromhex(digest))
        for drawer in drawers.values():
            drawer.shut()
        out.sets.append((file, drawers))
        out.readings.append(reading)
    return out
