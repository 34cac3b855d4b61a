"""ShimCache (AppCompatCache): program files the compatibility layer saw, newest first, with the file's modified time.

The time is the file's own modified time, never that of a start. Layouts by their signature: XP 0xDEADBEEF, Server
2003 and Vista 0xBADC0FFE, 7 and 2008 R2 0xBADC0FEE, 8 and 8.1 (128 bytes, `00ts`/`10ts`), 10 and 11 (48/52 bytes,
`10ts`). Source: A. Davis (Mandiant), "Leveraging the Application Compatibility Cache"; J. Metz, winreg-kb, "Application
compatibility cache".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from wigmore.artifacts.windows.registry.hive import DamagedCell, Hive, Key
from wigmore.artifacts.windows.registry.semantics import Finding, finding, reads_keys
from wigmore.artifacts.windows.registry.values import filetime_at, until_nul, utf16
from wigmore.model.times import Time

INSERTED = 0x2  # 7 and 2008: set when the process was created, in most versions
LIMIT = 10_000


@dataclass(frozen=True)
class Entry:
    """One entry: position (0 is newest), place in the value, path, the file's times, what else the layout holds."""

    position: int
    offset: int
    path: str
    modified: Time | None
    updated: Time | None = None
    size: int | None = None
    flags: int | None = None
    shim_flags: int | None = None
    data: bytes = b""


def entries(raw: bytes) -> tuple[str, Iterator[Entry]]:
    """The layout's name and its entries; raises ValueError where the signature is unknown."""
    if len(raw) < 8:
        raise ValueError(f"{len(raw)} bytes are too few for an application compatibility cache")
    (mark,) = struct.unpack_from("<I", raw)
    if mark == 0xDEADBEEF:
        return "Windows XP", _xp(raw)
    if mark == 0xBADC0FFE:
        return "Windows Server 2003 or Vista", _early(raw, 8)
    if mark == 0xBADC0FEE:
        return "Windows 7 or Server 2008 R2", _seven(raw)
    if mark in (0x80, 0) and raw[128:132] in (b"00ts", b"10ts"):
        return ("Windows 8" if raw[128:132] == b"00ts" else "Windows 8.1"), _eight(raw)
    if mark in (0x30, 0x34) and raw[mark : mark + 4] == b"10ts":
        return "Windows 10 or 11", _ten(raw, mark)
    raise ValueError(f"unknown signature {mark:#010x} of an application compatibility cache")


def _xp(raw: bytes) -> Iterator[Entry]:
    (count,) = struct.unpack_from("<I", raw, 8)
    for number in range(min(count, 96)):
        at = 400 + number * 552
        if at + 552 > len(raw):
            return
        path = until_nul(raw[at : at + 528])
        if path:
            yield Entry(number, at, path, filetime_at(raw, at + 528), filetime_at(raw, at + 544),
                        struct.unpack_from("<q", raw, at + 536)[0])  # fmt: skip


def _wide(raw: bytes, at: int) -> bool:
    """Whether entries hold 64-bit pointers: length and maximum length are then followed by four zero bytes."""
    length, maximum, zero = struct.unpack_from("<HHI", raw, at)
    return bool(zero == 0 and length and maximum >= length)


def _string(raw: bytes, at: int, wide: bool) -> tuple[str, int]:
    length, _ = struct.unpack_from("<2H", raw, at)
    (offset,) = struct.unpack_from("<Q" if wide else "<I", raw, at + (8 if wide else 4))
    return (utf16(raw[offset : offset + length]) if offset + length <= len(raw) else ""), at + (16 if wide else 8)


def _early(raw: bytes, at: int) -> Iterator[Entry]:
    (count,) = struct.unpack_from("<I", raw, 4)
    if not count or at + 32 > len(raw):
        return
    wide = _wide(raw, at)
    step = 32 if wide else 24
    for number in range(min(count, LIMIT)):
        start = at + number * step
        if start + step > len(raw):
            return
        path, rest = _string(raw, start, wide)
        flags, high = struct.unpack_from("<2I", raw, rest + 8)
        # Server 2003 stores the file's size here, Vista flags: sizes above the flags' range tell them apart
        size = (high << 32 | flags) if flags > 0xFF or high > 0xFF else None
        yield Entry(number, start, path, filetime_at(raw, rest), None, size, None if size is not None else flags)


def _seven(raw: bytes) -> Iterator[Entry]:
    (count,) = struct.unpack_from("<I", raw, 4)
    if not count or len(raw) < 176:
        return
    wide = _wide(raw, 128)
    step = 48 if wide else 32
    for number in range(min(count, LIMIT)):
        start = 128 + number * step
        if start + step > len(raw):
            return
        path, rest = _string(raw, start, wide)
        flags, shim = struct.unpack_from("<2I", raw, rest + 8)
        size, offset = struct.unpack_from("<2Q" if wide else "<2I", raw, rest + 16)
        data = raw[offset : offset + size][:64] if size and offset + size <= len(raw) else b""
        yield Entry(number, start, path, filetime_at(raw, rest), None, None, flags, shim, data)


def _eight(raw: bytes) -> Iterator[Entry]:
    at, number = 128, 0
    while at + 14 <= len(raw) and raw[at : at + 4] in (b"00ts", b"10ts") and number < LIMIT:
        size, length = struct.unpack_from("<IH", raw, at + 8)
        body = at + 14 + length
        if body + 2 > len(raw):
            return
        path = utf16(raw[at + 14 : body])
        (package,) = struct.unpack_from("<H", raw, body)
        rest = body + 2 + package
        if rest + 20 > len(raw):
            return
        flags, shim = struct.unpack_from("<2I", raw, rest)
        (data,) = struct.unpack_from("<I", raw, rest + 16)
        yield Entry(
            number,
            at,
            path,
            filetime_at(raw, rest + 8),
            None,
            None,
            flags,
            shim,
            raw[rest + 20 : rest + 20 + data][:64],
        )
        at, number = at + 12 + size, number + 1


def _ten(raw: bytes, at: int) -> Iterator[Entry]:
    number = 0
    while at + 14 <= len(raw) and raw[at : at + 4] == b"10ts" and number < LIMIT:
        size, length = struct.unpack_from("<IH", raw, at + 8)
        rest = at + 14 + length
        if rest + 12 > len(raw):
            return
        (data,) = struct.unpack_from("<I", raw, rest + 8)
        yield Entry(
            number, at, utf16(raw[at + 14 : rest]), filetime_at(raw, rest), data=raw[rest + 12 : rest + 12 + data][-64:]
        )
        at, number = at + 12 + size, number + 1


def fields(layout: str, entry: Entry) -> dict[str, object]:
    """The fields of a record for an entry; flags are shown, what they mean is contested and stays out."""
    data: dict[str, object] = {"path": entry.path.removeprefix("\\??\\"), "position": entry.position, "layout": layout}
    if entry.path.startswith("\\??\\"):
        data["stored_path"] = entry.path
    if entry.size is not None:
        data["file_size"] = entry.size
    if entry.flags is not None:
        data["flags"] = entry.flags
        data["insert_flag"] = bool(entry.flags & INSERTED)
    if entry.shim_flags is not None:
        data["shim_flags"] = entry.shim_flags
    if entry.data and layout == "Windows 10 or 11":
        data["last_data_word"] = int.from_bytes(entry.data[-4:], "little")
    return data


@reads_keys(
    "windows.registry.shimcache",
    ("SYSTEM",),
    "ControlSet*\\Control\\Session Manager\\AppCompatCache",
    "ControlSet*\\Control\\Session Manager\\AppCompatibility",
)
def shimcache(hive: Hive, key: Key) -> Iterator[Finding]:
    """One record an entry, in each control set (copies of one another, not two witnesses)."""
    raw = key.raw("AppCompatCache")
    if not raw:
        return
    try:
        layout, found = entries(raw)
    except ValueError as error:
        hive.note(DamagedCell(key.offset, str(error)))
        return
    for entry in found:
        times = {"file_modified": entry.modified, "entry_updated": entry.updated}
        yield finding(key, fields(layout, entry), times, "entry_updated" if entry.updated else "file_modified",
                      "AppCompatCache", entry.offset)  # fmt: skip
