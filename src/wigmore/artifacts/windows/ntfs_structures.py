"""NTFS structures that several remnants share: sector ends, attributes, $STANDARD_INFORMATION, $FILE_NAME, index entries.

Sources: Linux-NTFS documentation (FILE record, update sequence array, attribute headers, INDEX_ENTRY), MS-FSCC 2.1.10
(file ids) and 2.6 (file attributes), MS-DTYP 2.3.3 (FILETIME).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wigmore.artifacts.windows.structures import FILE_ATTRIBUTES, bits
from wigmore.model.canonical import clean
from wigmore.model.times import Time, filetime

RECORD_MASK = 0xFFFFFFFFFFFF  # the low 48 bits of a reference are the record, the high 16 its sequence
FIELDS = ("created", "modified", "changed", "accessed")  # the order on disk
NAMESPACES = {0: "POSIX", 1: "Win32", 2: "DOS", 3: "Win32 and DOS"}
ATTRIBUTE_TYPES = {
    0x10: "$STANDARD_INFORMATION", 0x20: "$ATTRIBUTE_LIST", 0x30: "$FILE_NAME", 0x40: "$OBJECT_ID",
    0x50: "$SECURITY_DESCRIPTOR", 0x60: "$VOLUME_NAME", 0x70: "$VOLUME_INFORMATION", 0x80: "$DATA", 0x90: "$INDEX_ROOT",
    0xA0: "$INDEX_ALLOCATION", 0xB0: "$BITMAP", 0xC0: "$REPARSE_POINT", 0xD0: "$EA_INFORMATION", 0xE0: "$EA",
    0x100: "$LOGGED_UTILITY_STREAM",
}  # fmt: skip
# DIRECTORY stands in bit 28 of the flags of a $FILE_NAME, an index view in bit 29
NAME_FLAGS = {**FILE_ATTRIBUTES, 0x10000000: "DIRECTORY", 0x20000000: "INDEX_VIEW"}
_NAME = struct.Struct("<Q4QQQII BB")
_ENTRY = struct.Struct("<QHHHH")
_HEADER = struct.Struct("<IIBBHHH")


def fix_up(block: bytearray, sector: int = 512) -> bool:
    """Put the sector ends of a FILE, index, RSTR or RCRD block back in place; False where a sector is torn."""
    if len(block) < 8:
        return False
    at, count = struct.unpack_from("<HH", block, 4)
    if count < 2 or at < 8 or at + 2 * count > len(block) or (count - 1) * sector > len(block):
        return False
    mark = block[at : at + 2]
    whole = True
    for number in range(1, count):
        end = number * sector
        if block[end - 2 : end] != mark:
            whole = False
            continue
        block[end - 2 : end] = block[at + 2 * number : at + 2 * number + 2]
    return whole


@dataclass(frozen=True, slots=True)
class FileName:
    """A $FILE_NAME value: the name, its folder by reference, four times, sizes and flags as they were when it was written."""

    parent: int
    parent_sequence: int
    stamps: tuple[int, int, int, int]
    allocated: int
    size: int
    flags: int
    namespace: int
    name: str

    @property
    def directory(self) -> bool:
        """Whether the flags say that it names a folder."""
        return bool(self.flags & 0x10000000)

    def data(self) -> dict[str, Any]:
        """The fields of a record on this name."""
        return {
            "name": self.name,
            "parent_record": self.parent,
            "parent_sequence": self.parent_sequence,
            "size": self.size,
            "allocated_size": self.allocated,
            "attributes": bits(self.flags, NAME_FLAGS),
            "directory": self.directory,
            "namespace": NAMESPACES.get(self.namespace, str(self.namespace)),
        }


def file_name(raw: bytes, at: int = 0) -> FileName | None:
    """The $FILE_NAME value at a place; None where it is cut off or no name can stand there."""
    if at < 0 or at + 66 > len(raw):
        return None
    parent, *rest = _NAME.unpack_from(raw, at)
    created, modified, changed, accessed, allocated, size, flags, _, length, namespace = rest
    end = at + 66 + 2 * length
    if not length or namespace > 3 or end > len(raw):
        return None
    name = clean(raw[at + 66 : end].decode("utf-16-le", "surrogatepass"))
    stamps = (created, modified, changed, accessed)
    return FileName(parent & RECORD_MASK, parent >> 48, stamps, allocated, size, flags, namespace, name)


def plausible(name: FileName) -> bool:
    """Whether times and letters of a name found in free space are such as a file system writes."""
    return (
        all(0x0100_0000_0000_0000 < stamp < 0x0280_0000_0000_0000 for stamp in name.stamps)  # 1829 to 2172
        and name.size < 1 << 48
        and name.allocated < 1 << 48
        and not any(letter < " " or letter in '"*/<>?|' for letter in name.name)
    )


def times_of(stamps: tuple[int, ...], prefix: str = "") -> dict[str, Time]:
    """Four FILETIMEs under the names that the file listing has too; unset ones are left out."""
    found = zip(FIELDS, stamps, strict=False)
    return {f"{prefix}{name}": time for name, value in found if (time := filetime(value)) is not None}


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """An entry of a folder's index: the file it leads to, where it stands and the name that is its key."""

    record: int
    sequence: int
    offset: int
    length: int
    key: FileName


def index_entry(raw: bytes, at: int = 0) -> IndexEntry | None:
    """The index entry at a place; None where its lengths do not fit one another or its key is no file name."""
    if at < 0 or at + 82 > len(raw):
        return None
    reference, length, key, flags, _ = _ENTRY.unpack_from(raw, at)
    if flags > 3 or key < 68 or length < 16 + key or length > 16 + key + 16 or length % 8 or at + 16 + key > len(raw):
        return None
    name = file_name(raw[: at + 16 + key], at + 16)
    if name is None or 66 + 2 * len(name.name.encode("utf-16-le", "replace")) // 2 > key + 8:
        return None
    return IndexEntry(reference & RECORD_MASK, reference >> 48, at, length, name)


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a FILE record: type, name, and its value where it is resident (else None)."""

    kind: int
    name: str
    flags: int
    value: bytes | None
    size: int
    allocated: int
    first_cluster: int  # VCN of the first cluster this piece describes

    @property
    def type_name(self) -> str:
        """`$DATA` and so on; hexadecimal for what is not documented."""
        return ATTRIBUTE_TYPES.get(self.kind, f"{self.kind:#x}")


def attribute(raw: bytes | bytearray, at: int, end: int) -> tuple[Attribute, int] | None:
    """The attribute at a place and the place after it; None at the end mark or where lengths do not fit."""
    if at + 24 > end:
        return None
    kind, length, foreign, letters, name_at, flags, _ = _HEADER.unpack_from(raw, at)
    if kind == 0xFFFFFFFF or kind == 0 or length < 24 or length % 8 or at + length > end:
        return None
    name = ""
    if letters and name_at + 2 * letters <= length:
        name = clean(bytes(raw[at + name_at : at + name_at + 2 * letters]).decode("utf-16-le", "surrogatepass"))
    if foreign:
        if length < 64:
            return None
        first = struct.unpack_from("<Q", raw, at + 16)[0]
        allocated, size = struct.unpack_from("<QQ", raw, at + 40)
        return Attribute(kind, name, flags, None, size, allocated, first), at + length
    size, value_at = struct.unpack_from("<IH", raw, at + 16)
    if value_at + size > length:
        return None
    value = bytes(raw[at + value_at : at + value_at + size])
    return Attribute(kind, name, flags, value, size, size, 0), at + length


def attributes(raw: bytes | bytearray) -> Iterator[Attribute]:
    """The attributes of a FILE record in order, up to the end mark or to the first that does not fit."""
    at, end = struct.unpack_from("<H", raw, 20)[0], len(raw)
    while (found := attribute(raw, at, end)) is not None:
        yield found[0]
        at = found[1]
