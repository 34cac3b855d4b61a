"""Small structures that Windows formats share: GUIDs, UUID version 1 parts, texts, SYSTEMTIME.

Sources: MS-DTYP 2.3.4 (GUID), 2.3.13 (SYSTEMTIME); RFC 4122 4.1 (UUID version 1: time of 100 ns since 1582, node).
"""

from __future__ import annotations

import struct
from datetime import datetime, timedelta
from uuid import UUID

from wigmore.model.canonical import clean
from wigmore.model.times import Time, filetime, local

UUID_TO_FILETIME = 5_748_192_000_000_000  # 100 ns from 1582-10-15 to 1601-01-01


def utf16(raw: bytes) -> str:
    """UTF-16LE text up to the first NUL; lone surrogates and a cut-off last byte are written as escapes."""
    text = raw[: len(raw) & ~1].decode("utf-16-le", "surrogatepass")
    return clean(text.split("\0", 1)[0])


def ansi(raw: bytes) -> str:
    r"""Text of an unknown code page up to the first NUL: Windows-1252 is assumed, unmapped bytes are `\xNN`."""
    return raw.split(b"\0", 1)[0].decode("cp1252", "backslashreplace")


def wide_at(data: bytes, position: int, limit: int = 65536) -> str:
    """The NUL-terminated UTF-16 text at `position`, at most `limit` bytes."""
    end = position
    stop = min(len(data) - 1, position + limit)
    while end < stop and data[end : end + 2] != b"\0\0":
        end += 2
    return utf16(data[position:end])


def guid(raw: bytes) -> str:
    """A GUID as lower-case text without braces; empty for all zeros or a cut-off one."""
    if len(raw) < 16 or not raw[:16].strip(b"\0"):
        return ""
    return str(UUID(bytes_le=raw[:16]))


def uuid_parts(raw: bytes) -> tuple[str | None, Time | None]:
    """Node as a MAC address and time of a version 1 UUID; (None, None) for other versions.

    The lowest bit of the first time byte is cleared in NTFS object ids' volume part, not here. The node may be random
    or of a virtual card.
    """
    if len(raw) < 16:
        return None, None
    value = UUID(bytes_le=raw[:16])
    if value.version != 1:
        return None, None
    node = f"{value.node:012x}"
    moment = filetime(value.time - UUID_TO_FILETIME)
    if moment:
        moment = {**moment, "raw": str(value), "zone_source": "UUID version 1 time is UTC"}
    return ":".join(node[i : i + 2] for i in range(0, 12, 2)), moment


def systemtime(raw: bytes, source: str = "SYSTEMTIME without a zone") -> Time | None:
    """A SYSTEMTIME of 16 bytes as a local time with milliseconds; None for zeros and impossible dates."""
    if len(raw) < 16:
        return None
    year, month, _, day, hour, minute, second, milliseconds = struct.unpack("<8H", raw[:16])
    try:
        moment = datetime(year, month, day, hour, minute, second) + timedelta(milliseconds=milliseconds)
    except ValueError:
        return None
    found = local(moment, raw[:16].hex(), source=source, precision=0.001)
    return {**found, "text": moment.isoformat(timespec="milliseconds")}


def bits(value: int, names: dict[int, str]) -> list[str]:
    """Names of the set bits in order; unknown ones as hexadecimal."""
    found = [name for bit, name in names.items() if value & bit]
    rest = value & ~sum(names)
    return [*found, f"{rest:#x}"] if rest else found


FILE_ATTRIBUTES = {
    0x1: "READONLY", 0x2: "HIDDEN", 0x4: "SYSTEM", 0x10: "DIRECTORY", 0x20: "ARCHIVE", 0x80: "NORMAL",
    0x100: "TEMPORARY", 0x200: "SPARSE_FILE", 0x400: "REPARSE_POINT", 0x800: "COMPRESSED", 0x1000: "OFFLINE",
    0x2000: "NOT_CONTENT_INDEXED", 0x4000: "ENCRYPTED",
}  # fmt: skip
