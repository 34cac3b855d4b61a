"""What an EWF (E01) file says of its acquisition: case notes, dates, stored hashes, unreadable sectors.

Read from the sections themselves, since libewf writes the acquisition time in the zone of the reading machine.
Format: Expert Witness Compression Format (libewf documentation): sections header, header2, digest, hash, error2.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

from wigmore.model import times
from wigmore.model.times import Time

SECTION = struct.Struct("<16sQQ40xI")
MAX_SECTIONS = 200_000
MAX_HEADER = 4 * 1024 * 1024
FIELDS = {
    "a": "description", "c": "case_number", "n": "evidence_number", "e": "examiner_name", "t": "notes",
    "av": "software_version", "ov": "operating_system", "md": "model", "sn": "serial_number", "l": "device_label",
    "r": "compression", "p": "password_hash",
}  # fmt: skip


@dataclass
class Acquisition:
    """Header fields, times, stored hashes and ranges of unreadable sectors (first, count) of an E01 image."""

    fields: dict[str, str] = field(default_factory=dict)
    times: dict[str, Time] = field(default_factory=dict)
    md5: str = ""
    sha1: str = ""
    errors: list[tuple[int, int]] = field(default_factory=list)
    segment: int = 0
    finished: bool = False  # whether the last segment's `done` section was met
    problem: str = ""
    cut: bool = False  # the problem is that the file ends too early


def read_sections(stream: BinaryIO, found: Acquisition) -> Acquisition:
    """Add what one segment file says to `found`; its `problem` tells where the chain of sections breaks."""
    head = stream.read(13)
    if len(head) < 13 or head[:3] not in (b"EVF", b"LVF"):
        found.problem = "no EWF signature"
        return found
    found.segment = struct.unpack_from("<H", head, 9)[0]
    place, steps = 13, 0
    end = stream.seek(0, 2)
    while True:
        steps += 1
        stream.seek(min(place, end))
        raw = stream.read(76)
        if len(raw) < 76:
            where = f"its next section should begin at {place}, the file has {end} bytes"
            found.problem = f"segment {found.segment} ends too early: {where}"
            found.cut = True
            return found
        name, following, size, checksum = SECTION.unpack(raw)
        if zlib.adler32(raw[:72]) != checksum:
            found.problem = f"segment {found.segment}: the section at offset {place} is damaged (checksum)"
            return found
        kind = name.rstrip(b"\0").decode("ascii", "backslashreplace")
        _section(stream, kind, place + 76, min(max(size - 76, 0), MAX_HEADER), found)
        if kind in ("done", "next") or following <= place or steps > MAX_SECTIONS:
            found.finished = found.finished or kind == "done"
            return found
        place = following


def _section(stream: BinaryIO, kind: str, start: int, size: int, found: Acquisition) -> None:
    if kind in ("header", "header2") and size:
        stream.seek(start)
        _header(_inflate(stream.read(size)), kind, found)
    elif kind == "digest" and size >= 36:
        stream.seek(start)
        raw = stream.read(36)
        found.md5 = raw[:16].hex() if any(raw[:16]) else found.md5
        found.sha1 = raw[16:36].hex() if any(raw[16:36]) else found.sha1
    elif kind == "hash" and size >= 16:
        stream.seek(start)
        raw = stream.read(16)
        found.md5 = raw.hex() if any(raw) else found.md5
    elif kind == "error2" and size >= 520:
        stream.seek(start)
        raw = stream.read(size)
        count = min(struct.unpack_from("<I", raw)[0], (len(raw) - 520) // 8)
        found.errors += [struct.unpack_from("<II", raw, 520 + 8 * number) for number in range(count)]


def _inflate(raw: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(raw, MAX_HEADER)
    except zlib.error:
        return b""


def _header(raw: bytes, kind: str, found: Acquisition) -> None:
    """A table of tab-separated names and values below the line `main`."""
    text = raw.decode("utf-16" if kind == "header2" else "latin-1", "backslashreplace")
    lines = text.replace("\r", "").split("\n")
    if "main" not in lines:
        return
    at = lines.index("main")
    if at + 2 >= len(lines):
        return
    values: dict[str, Any] = dict(zip(lines[at + 1].split("\t"), lines[at + 2].split("\t"), strict=False))
    for code, name in FIELDS.items():
        value = values.get(code, "").strip()
        # header2 comes first and is Unicode: the ASCII copy does not replace it
        if value and value not in ("0",) and name not in found.fields and name not in ("compression", "password_hash"):
            found.fields[name] = value
    for code, name in (("m", "acquired_at"), ("u", "system_date")):
        if name not in found.times:
            time = _moment(values.get(code, "").strip())
            if time is not None:
                found.times[name] = time


def _moment(text: str) -> Time | None:
    """POSIX seconds (header2), or `year month day hour minute second` of the acquiring machine (header)."""
    if text.isdigit():
        return times.posix(int(text), owner="collector")
    parts = text.split(" ")
    if len(parts) != 6 or not all(part.isdigit() for part in parts):
        return None
    try:
        year, month, day, hour, minute, second = map(int, parts)
        return times.local(datetime(year, month, day, hour, minute, second), text, owner="collector")
    except ValueError:
        return None
