"""Pages of an ESE database by themselves: whose checksum does not fit, and the rows of a table whose tree is broken.

Layout: libyal, "Extensible Storage Engine (ESE) Database File (EDB) format". Page n lies at (n + 1) page sizes. Where the
way from a table's root is broken, its leaves still carry the table's number, and are read one by one.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

ROOT, LEAF, SPACE, INDEX, LONG, NEW = 0x01, 0x02, 0x20, 0x40, 0x80, 0x2000  # page flags
DEFUNCT, COMMON = 0x02, 0x04  # tag flags: the row is deleted; the key shares its beginning with the page's first
SEPARATE, COMPRESSED, SEVERAL, TWO = 0x04, 0x02, 0x08, 0x10  # flags of a tagged value
PAGE_SIZES = (2048, 4096, 8192, 16384, 32768)
Plain = Callable[[bytes | None, int], Any]


@dataclass(frozen=True)
class Column:
    """A column: number (up to 127 fixed, up to 255 variable, else tagged), name, type, bytes where fixed (0: unknown)."""

    identifier: int
    name: str
    kind: int
    size: int


@dataclass(frozen=True)
class Pages:
    """The pages of a stream."""

    stream: BinaryIO
    page_size: int
    revision: int

    @property
    def large(self) -> bool:
        """Whether pages have the longer header and wider offsets."""
        return self.page_size > 8192 and self.revision >= 0x11

    def each(self) -> Iterator[tuple[int, bytes]]:
        """Number and bytes of every whole page that is not all zeros."""
        number = 1
        while True:
            self.stream.seek((number + 1) * self.page_size)
            page = self.stream.read(self.page_size)
            if len(page) < self.page_size:
                return
            if page.count(0) != len(page):
                yield number, page
            number += 1


def pages_of(stream: BinaryIO, first: bytes) -> Pages | None:
    """The pages as the header describes them; None where its page size is none."""
    if len(first) < 240:
        return None
    revision, size = struct.unpack_from("<II", first, 232)
    size = size or 4096
    return Pages(stream, size, revision) if size in PAGE_SIZES else None


def folded(data: bytes) -> int:
    """All 32-bit words of the data combined by exclusive or."""
    value, bits = int.from_bytes(data, "little"), len(data) * 8
    while bits > 32:
        half = (bits // 2 + 31) // 32 * 32
        value = (value >> half) ^ (value & ((1 << half) - 1))
        bits = half
    return value


def checksum_fits(page: bytes, number: int) -> bool:
    """Whether the exclusive-or checksum of a page of up to 8 KiB is that of its bytes; larger ones use another, not judged."""
    if len(page) > 8192:
        return True
    stored, flags = struct.unpack_from("<I32xI", page)
    if flags & NEW:
        return folded(page[8:]) ^ number == int(stored)
    return folded(page[4:]) ^ 0x89ABCDEF == int(stored)


def bad_pages(pages: Pages) -> list[int]:
    """Numbers of the pages whose checksum does not fit."""
    return [number for number, page in pages.each() if not checksum_fits(page, number)]


def leaf_rows(
    pages: Pages, table: int, columns: list[Column], plain: Plain
) -> Iterator[tuple[int, int, dict[str, Any], list[str]]]:
    """Page, tag, values and problems of the rows that the table's leaves hold, in order of page."""
    header = 80 if pages.large else 40
    for number, page in pages.each():
        (owner,) = struct.unpack_from("<I", page, 24)
        count, flags = struct.unpack_from("<HI", page, 34)
        if owner != table or not flags & LEAF or flags & (SPACE | INDEX | LONG):
            continue
        for tag in range(1, min(count, (pages.page_size - header) // 4)):
            raw = _tag(page, tag, header, pages.large)
            if raw is None:
                continue
            values, problems = row_values(raw, columns, plain, pages.large)
            if values or problems:
                yield number, tag, values, problems


def _tag(page: bytes, tag: int, header: int, large: bool) -> bytes | None:
    """The record behind a tag, its key taken off; None for deleted ones and such as do not fit."""
    size, offset = struct.unpack_from("<HH", page, len(page) - 4 * (tag + 1))
    mask = 0x7FFF if large else 0x1FFF
    flags = 0 if large else offset >> 13
    start = header + (offset & mask)
    raw = page[start : start + (size & mask)]
    if len(raw) < 6 or len(raw) != size & mask:
        return None
    if large:
        flags = raw[1] >> 5
    if flags & DEFUNCT:
        return None
    at = 2 if flags & COMMON else 0
    key = int.from_bytes(raw[at : at + 2], "little") & 0x1FFF
    return raw[at + 2 + key :]


def row_values(raw: bytes, columns: list[Column], plain: Plain, large: bool) -> tuple[dict[str, Any], list[str]]:
    """The values of a record by column name, and what of it could not be read."""
    if len(raw) < 4:
        return {}, ["too short for a record"]
    last_fixed, last_variable, offset = struct.unpack_from("<BBH", raw)
    if offset > len(raw) or offset < 4:
        return {}, ["its parts do not fit"]
    values: dict[str, Any] = {}
    problems: list[str] = []
    bitmap = raw[max(4, offset - (last_fixed + 7) // 8) : offset]
    at = 4
    for column in (c for c in columns if c.identifier <= min(last_fixed, 127)):
        if not column.size:
            problems.append(f"column {column.name} has no known size")
            break
        index = column.identifier - 1
        null = index // 8 < len(bitmap) and bitmap[index // 8] >> (index % 8) & 1
        if not null and at + column.size <= offset:
            _set(values, problems, column, raw[at : at + column.size], plain)
        at += column.size
    tagged = _variable(raw, offset, last_variable, columns, values, problems, plain)
    _tagged(raw[tagged:], columns, values, problems, plain, large)
    return values, problems


def _set(values: dict[str, Any], problems: list[str], column: Column, raw: bytes, plain: Plain) -> None:
    try:
        value = plain(raw, column.kind)
    except ValueError as error:
        problems.append(f"column {column.name}: {error}")
        return
    if value is not None:
        values[column.name] = value


def _variable(
    raw: bytes, offset: int, last: int, columns: list[Column], values: dict[str, Any], problems: list[str], plain: Plain
) -> int:
    count = max(0, last - 127)
    start = offset + 2 * count
    if start > len(raw):
        problems.append("variable columns do not fit")
        return len(raw)
    named = {column.identifier: column for column in columns if 128 <= column.identifier <= 255}
    before = 0
    for index in range(count):
        (end,) = struct.unpack_from("<H", raw, offset + 2 * index)
        empty, end = bool(end & 0x8000), end & 0x7FFF
        column = named.get(128 + index)
        if column and not empty and before <= end <= len(raw) - start:
            _set(values, problems, column, raw[start + before : start + end], plain)
        before = end
    return start + before


def _tagged(
    raw: bytes, columns: list[Column], values: dict[str, Any], problems: list[str], plain: Plain, large: bool
) -> None:
    if len(raw) < 4:
        return
    mask = 0x7FFF if large else 0x3FFF
    named = {column.identifier: column for column in columns if column.identifier >= 256}
    count = min((int.from_bytes(raw[2:4], "little") & mask) // 4, len(raw) // 4)
    entries = [struct.unpack_from("<HH", raw, 4 * i) for i in range(count)]
    for index, (identifier, offset) in enumerate(entries):
        start = offset & mask
        end = entries[index + 1][1] & mask if index + 1 < count else len(raw)
        column, data = named.get(identifier), raw[start:end]
        if column is None or not data:
            continue
        flags = 0
        if large or offset & 0x4000:
            flags, data = data[0], data[1:]
        if flags & COMPRESSED:
            text = seven_bits(data)
            if text is not None:
                values[column.name] = text.rstrip("\0")
                continue
        if flags & (SEPARATE | COMPRESSED | SEVERAL | TWO):
            problems.append(f"column {column.name} is stored elsewhere, compressed or of several values")
        elif data:
            _set(values, problems, column, data, plain)


def seven_bits(data: bytes) -> str | None:
    """A text packed to seven bits a character; None for other compression."""
    if len(data) < 2 or data[0] >> 3 not in (1, 2):
        return None
    value = int.from_bytes(data[1:], "little")
    count = ((len(data) - 1) * 8 - (7 - (data[0] & 7))) // 7
    return "".join(chr(value >> (7 * i) & 0x7F) for i in range(count))
