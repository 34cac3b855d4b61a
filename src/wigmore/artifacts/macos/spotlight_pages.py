"""Pages and tables of a Spotlight store (version 2): map, property tables, the map files beside it, compressed pages.

Source: libyal/dtformats, "Apple Spotlight store database file format" (map, property tables, dbStr map files).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from wigmore.formats import lz4
from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Gap, ParseError

MAGIC = b"8tsd"
BLOCK = 4096
HEADER = struct.Struct("<36x8I")  # map offset and size, page size, blocks of five property tables
PAGE = struct.Struct("<4s4I")  # signature, size, bytes in use, type, bytes when decompressed
MAP_MARKS = (b"1mbd", b"2mbd", b"1mdb", b"2mdb")
RECORDS, TYPES, VALUES, LISTS = 0x09, 0x11, 0x21, 0x81
LARGEST_PAGE = 16 * 1024 * 1024
LARGEST_MAP = 256 * 1024 * 1024
LARGEST_PLAIN = 64 * 1024 * 1024
MOST_PAGES = 1_000_000
MOST_ENTRIES = 4_000_000
SEPARATOR = "\x16\x02"  # between a text and the language that it is in


class Broken(ValueError):
    """Bytes that cannot be what they should be."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What an attribute is: its name, how its value is stored, and whether it is a list."""

    name: str
    value: int
    shape: int


@dataclass(slots=True)
class Tables:
    """The property tables: kinds of attributes, texts, and lists of texts, each by its number."""

    kinds: dict[int, Kind] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)
    lists: dict[int, tuple[int, ...]] = field(default_factory=dict)
    localized: dict[int, tuple[int, ...]] = field(default_factory=dict)


def variable(raw: bytes, at: int) -> tuple[int, int]:
    """A number of variable size (its first byte's leading ones count the bytes behind it), and where the next begins."""
    try:
        first = raw[at]
    except IndexError as error:
        raise Broken("a number stands outside its record") from error
    more = 8 - (~first & 0xFF).bit_length() if first != 0xFF else 8
    if at + 1 + more > len(raw):
        raise Broken("a number is cut off")
    rest = int.from_bytes(raw[at + 1 : at + 1 + more], "big")
    high = 0 if more > 4 else first & (0x7F >> more)
    return high << 8 * more | rest, at + 1 + more


class SpotlightStore:
    """Random access to the pages of one store."""

    def __init__(self, file: EvidenceFile, stream: BinaryIO) -> None:
        self.file, self.stream = file, stream
        stream.seek(0)
        head = stream.read(720)
        if len(head) < 720 or head[:4] != MAGIC:
            raise ParseError(file.path, 0, "shorter than the header of a Spotlight store", "truncated")
        self.flags = int.from_bytes(head[4:8], "little")
        self.map_offset, self.map_size, self.page_size, *self.blocks = HEADER.unpack_from(head)
        self.path = shown(head[324:580].partition(b"\0")[0])
        if self.map_size > LARGEST_MAP:
            raise ParseError(file.path, 40, f"a map of {self.map_size} bytes cannot be")
        self.mapped = False  # whether the tables stand in files of their own

    def _bytes(self, offset: int, length: int) -> bytes:
        self.stream.seek(offset)
        return self.stream.read(length)

    def pages(self) -> Iterator[int | Gap]:
        """The offsets of the pages with records, as the map lists them."""
        at, end, count = self.map_offset, self.map_offset + self.map_size, 0
        while at + PAGE.size <= end:
            head = self._bytes(at, PAGE.size)
            if len(head) < PAGE.size or head[:4] not in MAP_MARKS:
                yield Gap(
                    "a page of the map is missing or damaged", at, "truncated" if len(head) < PAGE.size else "damaged"
                )
                return
            _, size, values, _, _ = PAGE.unpack(head)
            if not PAGE.size <= size <= LARGEST_PAGE or values > (size - PAGE.size) // 16:
                yield Gap(f"a page of the map states {size} bytes and {values} values", at)
                return
            raw = self._bytes(at + PAGE.size, 16 * values)
            for _, block, _ in struct.iter_unpack("<QII", raw[: len(raw) // 16 * 16]):
                count += 1
                if count > MOST_PAGES:
                    yield Gap(f"more than {MOST_PAGES} pages", at, "too_large")
                    return
                yield block * BLOCK
            at += size

    def page(self, offset: int) -> tuple[int, bytes]:
        """Type and plain content of the page at an offset; Broken where there is none or it does not decompress."""
        head = self._bytes(offset, PAGE.size)
        if len(head) < PAGE.size:
            raise Broken("it lies outside the file")
        mark, size, used, kind, plain = PAGE.unpack(head)
        if mark != b"2pbd":
            raise Broken(f"no page of this version begins there ({mark!r})")
        if not PAGE.size <= used <= size <= LARGEST_PAGE:
            raise Broken(f"it states {size} bytes, {used} in use")
        packed = plain > 0 and kind & 0xFF == RECORDS
        if packed and plain > LARGEST_PLAIN:
            raise Broken(f"it states {plain} bytes decompressed")
        wanted = (size if packed else used) - PAGE.size
        raw = self._bytes(offset + PAGE.size, wanted)
        if len(raw) < used - PAGE.size:
            raise Broken("it is cut off")
        return kind & 0xFF, _plain(raw) if packed else raw

    def tables(self) -> tuple[Tables, list[Gap]]:
        """The property tables, from their pages or (macOS 10.15 and later) from the map files beside the store."""
        found, gaps = Tables(), list[Gap]()
        self.mapped = self.file.sibling("dbStr-1.map.data") is not None
        if self.mapped:
            self._from_maps(found, gaps)
            return found, gaps
        kinds = (
            (0, TYPES, found.lists),
            (1, VALUES, found.lists),
            (3, LISTS, found.lists),
            (4, LISTS, found.localized),
        )
        for place, kind, lists in kinds:
            self._table(self.blocks[place], kind, found, lists, gaps)
        return found, gaps

    def _table(self, block: int, kind: int, found: Tables, lists: dict[int, tuple[int, ...]], gaps: list[Gap]) -> None:
        seen: set[int] = set()
        while block:
            offset = block * BLOCK
            try:
                if block in seen:
                    raise Broken("the chain of pages turns back")
                seen.add(block)
                given, raw = self.page(offset)
                if given != kind:
                    raise Broken(f"a page of type {given:#x} stands there, not {kind:#x}")
                block = int.from_bytes(raw[:4], "little")
                _entries(raw, kind, found, lists)
            except Broken as error:
                gaps.append(Gap(f"a property table is not read on: {error}", offset))
                return

    def _from_maps(self, found: Tables, gaps: list[Gap]) -> None:
        """`dbStr-N.map.*`: numbers are places in the list of offsets; each entry begins with its size."""
        for number, lists in ((1, None), (2, None), (4, found.lists), (5, found.localized)):
            parts = [self.file.sibling(f"dbStr-{number}.map.{name}") for name in ("header", "offsets", "data")]
            if any(part is None for part in parts):
                gaps.append(Gap(f"the table dbStr-{number}.map is not beside the store", None, "not_in_acquisition"))
                continue
            header, offsets, data = (part.read(LARGEST_MAP) for part in parts if part is not None)
            count = min(int.from_bytes(header[28:32], "little"), len(offsets) // 4, MOST_ENTRIES)
            for place, at in enumerate(struct.unpack_from(f"<{count}I", offsets)):
                if at <= 1 or at >= len(data):
                    continue  # the first entry is empty; removed ones point at it
                try:
                    self._mapped_entry(number, place, data, at, found, lists)
                except Broken as error:
                    gaps.append(Gap(f"entry {place} of dbStr-{number}.map: {error}", at))

    @staticmethod
    def _mapped_entry(
        number: int, place: int, data: bytes, at: int, found: Tables, lists: dict[int, tuple[int, ...]] | None
    ) -> None:
        size, at = variable(data, at)
        if number == 1:
            if at + 2 > len(data):
                raise Broken("it is cut off")
            found.kinds[place] = Kind(shown(data[at + 2 : at + size].partition(b"\0")[0]), data[at], data[at + 1])
        elif lists is None:
            found.texts[place] = shown(data[at : at + size].partition(b"\0")[0])
        else:
            lists[place] = _numbers(data, at)[0]


def _entries(raw: bytes, kind: int, found: Tables, lists: dict[int, tuple[int, ...]]) -> None:
    at = 12
    while at + 4 < len(raw):
        number = int.from_bytes(raw[at : at + 4], "little")
        at += 4
        if kind == LISTS:
            lists[number], at = _numbers(raw, at)
            continue
        end = raw.find(b"\0", at + 2 if kind == TYPES else at)
        if end < 0:
            raise Broken("a name without an end")
        if kind == TYPES:
            found.kinds[number] = Kind(shown(raw[at + 2 : end]), raw[at], raw[at + 1])
        else:
            found.texts[number] = shown(raw[at:end])
        at = end + 1


def _numbers(raw: bytes, at: int) -> tuple[tuple[int, ...], int]:
    """A list of numbers behind its size in bytes; what is no multiple of four stands before them."""
    size, at = variable(raw, at)
    if at + size > len(raw):
        raise Broken("a list reaches outside its table")
    at += size % 4
    return struct.unpack_from(f"<{size // 4}I", raw, at), at + size // 4 * 4


def _plain(raw: bytes) -> bytes:
    """A page's content decompressed: zlib, or LZ4 blocks that build on one another."""
    if raw[:1] == b"\x78":
        try:
            return zlib.decompressobj().decompress(raw, LARGEST_PLAIN)
        except zlib.error as error:
            raise Broken(f"it does not decompress: {error}") from error
    out, at = b"", 0
    while raw[at : at + 4] in (b"bv41", b"bv4-"):
        size = int.from_bytes(raw[at + 4 : at + 8], "little")
        if len(out) + size > LARGEST_PLAIN:
            raise Broken("it states too many bytes decompressed")
        if raw[at : at + 4] == b"bv4-":
            out += raw[at + 8 : at + 8 + size]
            at += 8 + size
            continue
        packed = int.from_bytes(raw[at + 8 : at + 12], "little")
        try:
            out += lz4.decompress(raw[at + 12 : at + 12 + packed], size, out[-65536:])
        except lz4.Broken as error:
            raise Broken(f"it does not decompress: {error}") from error
        at += 12 + packed
    if raw[at : at + 4] != b"bv4$":
        raise Broken("its compression is not known, or its end is missing")
    return out
