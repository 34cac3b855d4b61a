"""Internet Explorer index.dat: cache, cookie and history records up to IE 9, versions 4.7 and 5.2, deleted ones too."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from wigmore.artifacts.generic.sqlite_queries import settled
from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.model.times import EPOCH, Time, fat, filetime, local
from wigmore.registry import Claim, parser

MAGIC = b"Client UrlCache MMF Ver "
BLOCK = 128
FIRST = 0x4000  # blocks start behind the header and the bitmap of allocated blocks
BITMAP = 0x250
SIZE = 512 * 1024 * 1024
PERIOD = re.compile(r":(\d{4})(\d\d)(\d\d)(\d{4})(\d\d)(\d\d): ?(.*)", re.DOTALL)
ABOUT_LOCAL = "daily and weekly history keeps local time here"


def _string(record: bytes, at: int) -> str:
    if not 0 < at < len(record):
        return ""
    end = record.find(b"\0", at)
    return shown(record[at : end if end >= 0 else len(record)])


def _local(value: int) -> Time | None:
    time = filetime(value)
    if time is None:
        return None
    moment = datetime.fromtimestamp(time["instant"] / 1_000_000, EPOCH.tzinfo)
    return local(moment, value, source=ABOUT_LOCAL, precision=1e-7)


def _kind(location: str) -> tuple[str, dict[str, Any]]:
    """What container an entry belongs to, and what its location says: user, period, page."""
    period = PERIOD.match(location)
    if period:
        first = datetime(*(int(x) for x in period.groups()[:3]))  # type: ignore[arg-type]  # three numbers: year, month, day
        last = datetime(*(int(x) for x in period.groups()[3:6]))  # type: ignore[arg-type]  # likewise
        user, _, page = period[7].partition("@")
        kind = "history daily" if (last - first).days <= 1 else "history weekly"
        return kind, {
            "user": user,
            "url": page,
            "period_from": first.date().isoformat(),
            "period_to": last.date().isoformat(),
        }
    for prefix, kind in (
        ("Visited: ", "history"),
        ("Cookie:", "cookie"),
        ("iecompat:", "compatibility"),
        ("DOMStore:", "storage"),
    ):
        if location.startswith(prefix):
            user, _, page = location[len(prefix) :].partition("@")
            return kind, {"user": user, "url": page}
    return "cache", {"url": location}


def _entry(record: bytes, old: bool) -> tuple[dict[str, Any], dict[str, Time], str | None]:
    second, first = struct.unpack_from("<QQ", record, 8)
    # version 4.7 stores the expiry as a FILETIME, which moves what follows by four bytes
    size, at, directory, name_at, flags, data_at, data_size, checked, checked_clock, hits = struct.unpack_from(
        "<I16xIBxxxIIII4xHHI", record, 36 if old else 32
    )
    location = _string(record, at)
    try:
        kind, about = _kind(location)
    except ValueError:  # a period that is no date
        kind, about = "unknown", {"url": location}
    data: dict[str, Any] = {
        "location": location, "container": kind, **about, "number_of_hits": hits,
        "cached_file": _string(record, name_at), "cached_file_size": size, "cache_directory_index": directory,
        "cache_entry_flags": f"{flags:#010x}",
    }  # fmt: skip
    raw = record[data_at : data_at + data_size] if 0 < data_at < len(record) and data_size <= len(record) else b""
    if raw.startswith(b"HTTP/"):
        data["http_headers"] = shown(raw.rstrip(b"\0"))
    elif kind.startswith("history") and len(raw) > 4:
        data["title"] = _title(raw)
    times: dict[str, Time] = {}
    weekly = kind in ("history daily", "history weekly")
    names = (
        ("modified", "accessed")
        if not kind.startswith("history")
        else ("visited_local", "visited")
        if weekly
        else ("visited_secondary", "visited")
    )
    if kind == "history weekly":
        names = ("visited_local", "created")
    for name, value, is_local in ((names[0], second, weekly), (names[1], first, False)):
        time = _local(value) if is_local else filetime(value)
        if time:
            times[name] = time
    expires = filetime(*struct.unpack_from("<Q", record, 24)) if old else fat(*struct.unpack_from("<HH", record, 24))
    for name, time in (("expires", expires), ("last_checked", fat(checked, checked_clock))):
        if time:
            times[name] = time
    dated = next((n for n in ("visited", "visited_local", "accessed") if n in times), None)
    return data, times, dated


def _title(raw: bytes) -> str | None:
    """The page title in a history entry's property list: a UTF-16 string after the property with id 0x1f."""
    found = re.search(rb"\x1f\x10(.)\x00", raw, re.DOTALL) if b"\x1f" in raw else None
    if not found:
        return None
    text = raw[found.end() : found.end() + found[1][0] * 2].decode("utf-16-le", "replace")
    return text.split("\0", 1)[0] or None


def _allocated(raw: bytes, block: int) -> bool:
    at = BITMAP + block // 8
    return at < FIRST and at < len(raw) and bool(raw[at] >> (block % 8) & 1)


@parser(
    "browser.msie.index_dat",
    claims=Claim(magic=((0, MAGIC),)),
    reads="index.dat of Internet Explorer up to version 9, and of other programs that use WinINet",
    means="a WinINet program fetched or visited the URL; `file:` entries are local items opened through the shell",
    does_not_mean="a deliberate visit, or use of Internet Explorer itself; deleted entries may be partly overwritten",
    refs=(
        "https://github.com/libyal/libmsiecf/blob/main/documentation/MSIE%20Cache%20File%20(index.dat)%20format.asciidoc",
    ),
    artifacts=("browser.msie.entry", "browser.msie.redirect"),
)
def index_dat(file: EvidenceFile) -> Iterator[Yield]:
    """One record a URL, LEAK or REDR entry; what the bitmap calls free has the state unallocated."""
    raw = file.read(SIZE)
    version = shown(raw[24:27])
    if version not in ("4.7", "5.2"):
        raise ParseError(file.path, 24, f"unknown version {version!r}", "schema_unknown")
    if len(raw) < FIRST:
        raise ParseError(file.path, len(raw), "ends inside its header", "truncated")
    stated = int.from_bytes(raw[28:32], "little")
    if stated > len(raw):
        yield Gap(f"the header states {stated} bytes, there are {len(raw)}", len(raw), "truncated")
    at = FIRST
    while at + 32 <= len(raw):
        mark = raw[at : at + 4]
        if mark not in (b"URL ", b"LEAK", b"REDR"):
            at += BLOCK
            continue
        blocks = int.from_bytes(raw[at + 4 : at + 8], "little")
        record = raw[at : at + blocks * BLOCK]
        live = _allocated(raw, (at - FIRST) // BLOCK)
        if not 1 <= blocks <= 4096 or len(record) < BLOCK:
            if live:
                yield Gap(f"an entry of {blocks} blocks does not fit", at)
            at += BLOCK
            continue
        where = {"kind": "offset", "offset": at, "length": len(record)}
        state = "live" if live else "unallocated"
        if mark == b"REDR":
            data = {"location": _string(record, 16), "type": "redirected"}
            yield where, Record(settled(data), state=state, artifact="browser.msie.redirect")
        else:
            data, times, dated = _entry(record, version == "4.7")
            data["type"] = "leak" if mark == b"LEAK" else "url"
            yield where, Record(settled(data), times, dated, state, artifact="browser.msie.entry")
        at += BLOCK if not live else len(record)
