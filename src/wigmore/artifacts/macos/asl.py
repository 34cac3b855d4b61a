"""Apple System Log files (.asl), version 2: one record a message, its strings resolved."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Gap, Locator, ParseError, Record, Yield
from wigmore.model.times import posix
from wigmore.registry import Claim, parser

MAGIC = b"ASL DB\0\0\0\0\0\0"
LEVELS = ["Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Info", "Debug"]
FIXED = struct.Struct(">HIQQQIHHIIIIIIHH")  # after the 6 bytes of type and length: next offset … key count, flags
MOST_STRING = 1024 * 1024
MOST_RECORDS = 5_000_000


def _string(stream: BinaryIO, reference: bytes, size: int) -> str | None:
    """The text of an 8-byte reference: inline (first bit set) or at an offset; None where it cannot be read."""
    if reference[0] & 0x80:
        return shown(reference[1 : 1 + min(reference[0] & 0x7F, 7)])
    offset = int.from_bytes(reference, "big")
    if not offset:
        return ""
    if offset >= size:
        return None
    stream.seek(offset)
    head = stream.read(6)
    if len(head) < 6 or head[:2] != b"\0\1":
        return None
    length = int.from_bytes(head[2:], "big")
    if length > MOST_STRING:
        return None
    return shown(stream.read(length).rstrip(b"\0"))


@parser(
    "macos.asl",
    claims=Claim(magic=((0, MAGIC),)),
    reads="/private/var/log/asl/*.asl and DiagnosticMessages (macOS up to 10.15; also iOS)",
    means="the named process gave this message to the system log of the named host at this time",
    does_not_mean="messages that were dropped or expired; that the sender's name is true (programs choose it); who "
    "acted",
    refs=("Apple, syslog-349 asl_file.h: ASL file version 2", "asl.conf(5)"),
)
def asl(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message: sender, facility, host, message, pid, uid, gid, level and its own keys."""
    with file.open() as stream:
        head = stream.read(80)
        if len(head) < 42:
            raise ParseError(file.path, 0, "shorter than its header", "truncated")
        version, first, _created = struct.unpack(">IQQ", head[12:32])
        if version not in (1, 2):
            raise ParseError(file.path, 12, f"unknown ASL version {version}", "schema_unknown")
        offset, seen = first, set[int]()
        while offset:
            if offset in seen or len(seen) >= MOST_RECORDS or offset >= file.size:
                yield Gap("the chain of records turns back on itself or leads out of the file", offset)
                return
            seen.add(offset)
            stream.seek(offset)
            lead = stream.read(6)
            length = int.from_bytes(lead[2:6], "big")
            if len(lead) < 6 or not FIXED.size - 2 <= length <= MOST_STRING:
                yield Gap(
                    f"no record of a possible length ({length})", offset, "truncated" if len(lead) < 6 else "damaged"
                )
                return
            body = stream.read(length)
            if len(body) < FIXED.size - 2 + 32:
                yield Gap("a record is cut", offset, "truncated")
                return
            following, record = _record(stream, body, file.size)
            locator: Locator = {"kind": "offset", "offset": offset, "length": length + 6}
            yield locator, record
            offset = following


def _record(stream: BinaryIO, body: bytes, size: int) -> tuple[int, Record]:
    following, number, second, nanosecond, level, flags, pid, uid, gid, ruid, rgid, refpid, pairs = struct.unpack_from(
        ">QQQIHHIIIIIII", body
    )
    position = struct.calcsize(">QQQIHHIIIIIII")
    names = ("host", "sender", "facility", "message", "reference_process", "session")
    data: dict[str, object] = {"message_id": number}
    for name in names:
        text = _string(stream, body[position : position + 8], size) if position + 8 <= len(body) else None
        position += 8
        if text:
            data[name] = text
        elif text is None:
            data[f"{name}_unreadable"] = True
    data |= {"pid": pid, "uid": uid, "gid": gid, "read_uid": ruid, "read_gid": rgid, "level": level, "flags": flags}
    data["level_name"] = LEVELS[level] if level < len(LEVELS) else "unknown"
    if refpid:
        data["reference_pid"] = refpid
    for _ in range(min(pairs // 2 if pairs % 2 == 0 else pairs, 200)):
        if position + 16 > len(body):
            break
        key = _string(stream, body[position : position + 8], size)
        value = _string(stream, body[position + 8 : position + 16], size)
        position += 16
        if key:
            data.setdefault(key, value)
    time = posix(second * 1_000_000_000 + nanosecond, unit="ns") if nanosecond < 1_000_000_000 else posix(second)
    if time:
        time["raw"] = f"{second}.{nanosecond:09d}"
    return following, Record(
        data, {"logged_at": time} if time else {}, "logged_at" if time else None, host_id=str(data.get("host") or "")
    )
