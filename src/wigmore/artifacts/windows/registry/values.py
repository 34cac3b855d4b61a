"""Data of registry values by type, and the small structures that many keys share: SID, GUID, FILETIME, ROT13.

Types: Microsoft, "Registry Value Types" (winnt.h); device property types: devpropdef.h (stored as 0xFFFF0000 + type);
SID: MS-DTYP 2.4.2.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from wigmore.model.canonical import clean
from wigmore.model.times import FILETIME_OFFSET, Time, filetime

Decoded = str | list[str] | int | bytes | None
TYPES = (
    "REG_NONE", "REG_SZ", "REG_EXPAND_SZ", "REG_BINARY", "REG_DWORD", "REG_DWORD_BIG_ENDIAN", "REG_LINK",
    "REG_MULTI_SZ",
    "REG_RESOURCE_LIST", "REG_FULL_RESOURCE_DESCRIPTOR", "REG_RESOURCE_REQUIREMENTS_LIST", "REG_QWORD",
)  # fmt: skip


def type_name(number: int) -> str:
    """`REG_SZ` and so on; device property types and unknown ones as hexadecimal number."""
    return TYPES[number] if number < len(TYPES) else f"{number:#010x}"


def utf16(raw: bytes) -> str:
    """UTF-16 text up to its end, trailing NULs removed; lone surrogates written out."""
    return clean(raw[: len(raw) & ~1].decode("utf-16-le", "surrogatepass").rstrip("\0"))


def until_nul(raw: bytes, at: int = 0) -> str:
    """UTF-16 text from `at` up to the first NUL character or the end."""
    end = at
    while end + 1 < len(raw) and raw[end : end + 2] != b"\0\0":
        end += 2
    return utf16(raw[at:end])


def _utf16(raw: bytes) -> Decoded:
    return utf16(raw)


def _multi(raw: bytes) -> Decoded:
    return utf16(raw).split("\0") if len(raw) > 1 and raw.strip(b"\0") else []


def _integer(raw: bytes) -> Decoded:
    return int.from_bytes(raw, "little") if len(raw) in (1, 2, 4, 8) else raw


def _big_endian(raw: bytes) -> Decoded:
    return int.from_bytes(raw, "big") if len(raw) == 4 else raw


def _guid(raw: bytes) -> Decoded:
    return guid(raw) if len(raw) == 16 else raw


def _bytes(raw: bytes) -> Decoded:
    return raw


_DECODERS: dict[int, Callable[[bytes], Decoded]] = {
    1: _utf16, 2: _utf16, 6: _utf16, 7: _multi, 4: _integer, 11: _integer, 5: _big_endian,
    0xFFFF0012: _utf16, 0xFFFF2012: _multi, 0xFFFF0019: _utf16, 0xFFFF0007: _integer, 0xFFFF0009: _integer,
    0xFFFF0010: _integer, 0xFFFF0011: _integer, 0xFFFF0017: _integer, 0xFFFF0018: _integer, 0xFFFF000D: _guid,
}  # fmt: skip


def decode(type_: int, raw: bytes) -> Decoded:
    """Text, list of texts, integer, or the bytes themselves where the type is binary or the length does not fit."""
    return _DECODERS.get(type_, _bytes)(raw)


def guid(raw: bytes, at: int = 0) -> str:
    """A GUID in braces, lower case; raises struct.error where bytes are missing."""
    first, second, third, *rest = struct.unpack_from("<IHH8B", raw, at)
    tail = "".join(f"{byte:02x}" for byte in rest)
    return f"{{{first:08x}-{second:04x}-{third:04x}-{tail[:4]}-{tail[4:]}}}"


def sid(raw: bytes, at: int = 0) -> str | None:
    """A SID as S-1-…, None where the bytes hold none."""
    if len(raw) < at + 8 or raw[at] != 1 or raw[at + 1] > 15 or len(raw) < at + 8 + 4 * raw[at + 1]:
        return None
    authority = int.from_bytes(raw[at + 2 : at + 8], "big")
    parts = struct.unpack_from(f"<{raw[at + 1]}I", raw, at + 8)
    return "-".join(("S-1", str(authority), *map(str, parts)))


def filetime_at(raw: bytes, at: int = 0) -> Time | None:
    """The FILETIME at an offset, None where bytes are missing or it holds no time."""
    return filetime(int.from_bytes(raw[at : at + 8], "little")) if len(raw) >= at + 8 else None


def plausible_filetime(raw: bytes, at: int = 0) -> bool:
    """Whether the eight bytes are a FILETIME from 1980 to 2107."""
    if len(raw) < at + 8:
        return False
    value = int.from_bytes(raw[at : at + 8], "little")
    return 119_600_064_000_000_000 <= value < FILETIME_OFFSET + 43_233_000_000_000_000


def rot13(text: str) -> str:
    """ROT13 of the ASCII letters."""
    return text.translate(_ROT13)


_ROT13 = {
    ord(letter): start + (ord(letter) - start + 13) % 26
    for start in (65, 97)
    for letter in map(chr, range(start, start + 26))
}
