"""The objects of a systemd journal file: header, data, entries, and the chain of arrays that lists the entries.

Source: systemd, "Journal File Format" (systemd.io/JOURNAL_FILE_FORMAT), for regular and compact files. Nothing is
trusted: offsets are aligned and inside the file, sizes are bounded, chains end.
"""

from __future__ import annotations

import lzma
import struct
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import zstandard

from wigmore.formats import lz4
from wigmore.model.protocols import Gap, ParseError

MAGIC = b"LPKSHHRH"
DATA, FIELD, ENTRY, DATA_HASH, FIELD_HASH, ENTRY_ARRAY, TAG = range(1, 8)
OBJECT = struct.Struct("<BB6xQ")
FIXED_HEADER = struct.Struct("<8sIIB7x16s16s16s16s15Q")  # to tail_entry_monotonic; what follows depends on header_size
ENTRY_HEAD = struct.Struct("<QQQ16sQ")  # after the object's head: sequence number, times, boot, hash
XZ, LZ4, KEYED_HASH, ZSTD, COMPACT = 1, 2, 4, 8, 16  # incompatible flags of the file
SEALED = 1  # a compatible flag
STATES = ("offline", "online", "archived")
LARGEST_VALUE = 64 * 1024 * 1024  # bytes of one field's value after decompression (core dumps are larger)
MOST_ITEMS = 16_384  # fields of one entry; journald takes 1,024
MOST_OBJECTS = 100_000_000
PAGE = 256 * 1024
PAGES_KEPT = 256
VALUES_KEPT = 20_000
SMALL = 4096  # values up to this size are kept: host, unit, program stand in many entries


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of the file says."""

    compatible: int
    incompatible: int
    state: int
    file_id: str
    machine_id: str
    boot_id: str
    sequence_id: str
    header_size: int
    arena_size: int
    tail_object: int
    objects: int
    entries: int
    last_number: int
    first_number: int
    entry_array: int
    first_time: int
    last_time: int

    @property
    def compact(self) -> bool:
        """Whether offsets are 32-bit numbers."""
        return bool(self.incompatible & COMPACT)


@dataclass(frozen=True, slots=True)
class EntryObject:
    """An entry: its place and length, number, times in microseconds, boot, and (offset, hash) of its data objects."""

    offset: int
    length: int
    number: int
    realtime: int
    monotonic: int
    boot_id: str
    items: tuple[tuple[int, int | None], ...]


class Broken(ValueError):
    """An object that cannot be what it should be; the message says why."""


class Journal:
    """Random access to the objects of one journal file."""

    def __init__(self, stream: BinaryIO, size: int, path: str) -> None:
        self.stream, self.size, self.path = stream, size, path
        self._pages: OrderedDict[int, bytes] = OrderedDict()
        self._values: OrderedDict[int, tuple[bytes, int]] = OrderedDict()
        self.header = self._header()
        self.end = min(size, self.header.header_size + self.header.arena_size)

    def _header(self) -> Header:
        raw = self.bytes_at(0, FIXED_HEADER.size)
        if len(raw) < FIXED_HEADER.size or raw[:8] != MAGIC:
            raise ParseError(self.path, 0, "shorter than the header of a journal", "truncated")
        _, compatible, incompatible, state, file_id, machine, boot, numbers, *rest = FIXED_HEADER.unpack(raw)
        if incompatible & ~(XZ | LZ4 | KEYED_HASH | ZSTD | COMPACT):
            raise ParseError(self.path, 12, f"features that are not known: flags {incompatible:#x}", "schema_unknown")
        header_size, arena = rest[0], rest[1]
        if not 208 <= header_size <= 65536 or header_size % 8:
            raise ParseError(self.path, 88, f"a header of {header_size} bytes cannot be")
        return Header(
            compatible, incompatible, state, file_id.hex(), machine.hex(), boot.hex(), numbers.hex(), header_size, arena,
            rest[6], rest[7], rest[8], rest[9], rest[10], rest[11], rest[12], rest[13],
        )  # fmt: skip

    def bytes_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes at `offset`."""
        first, last = offset // PAGE, (offset + max(length, 1) - 1) // PAGE
        if last - first > 4:
            self.stream.seek(offset)
            return self.stream.read(length)
        found = b"".join(self._page(number) for number in range(first, last + 1))
        start = offset - first * PAGE
        return found[start : start + length]

    def _page(self, number: int) -> bytes:
        known = self._pages.get(number)
        if known is None:
            self.stream.seek(number * PAGE)
            known = self._pages[number] = self.stream.read(PAGE)
            if len(self._pages) > PAGES_KEPT:
                self._pages.popitem(last=False)
        else:
            self._pages.move_to_end(number)
        return known

    def head(self, offset: int) -> tuple[int, int, int]:
        """Type, flags and size of the object at an offset; Broken where there can be none."""
        if offset % 8 or not self.header.header_size <= offset <= self.end - OBJECT.size:
            raise Broken("its offset is not aligned or lies outside the file")
        kind, flags, length = OBJECT.unpack(self.bytes_at(offset, OBJECT.size))
        if length < OBJECT.size or offset + length > self.end:
            raise Broken(f"its size of {length} bytes cannot be")
        return kind, flags, length

    def objects(self) -> Iterator[tuple[int, int] | Gap]:
        """(type, offset) of every object, one after the other; a Gap where the row of objects breaks before its end."""
        offset = self.header.header_size
        for _ in range(MOST_OBJECTS):
            if offset > self.end - OBJECT.size:
                return
            try:
                kind, _, length = self.head(offset)
            except Broken as error:
                if offset <= self.header.tail_object:
                    yield Gap(f"the row of objects breaks off: {error}", offset)
                return  # behind the last object stands space that is not used yet
            yield kind, offset
            offset += -(-length // 8) * 8

    def chain(self) -> Iterator[int | Gap]:
        """The offsets that the chain of entry arrays lists; a Gap where the chain breaks."""
        width, code = (4, "I") if self.header.compact else (8, "Q")
        offset, seen = self.header.entry_array, 0
        while offset:
            try:
                kind, _, length = self.head(offset)
                if kind != ENTRY_ARRAY:
                    raise Broken(f"an object of type {kind} stands there")
                if offset <= seen:
                    raise Broken("it turns back")
            except Broken as error:
                yield Gap(f"the chain of entry arrays breaks off: {error}", offset)
                return
            seen = offset
            raw = self.bytes_at(offset + OBJECT.size, length - OBJECT.size)
            count = (len(raw) - 8) // width
            for at in struct.unpack_from(f"<{count}{code}", raw, 8) if count > 0 else ():
                if not at:
                    break  # the rest of the last array is not used yet
                yield at
            offset = int.from_bytes(raw[:8], "little")

    def entry(self, offset: int) -> EntryObject:
        """The entry at an offset; Broken where there is none."""
        kind, _, length = self.head(offset)
        if kind != ENTRY:
            raise Broken(f"an object of type {kind} stands there, not an entry")
        raw = self.bytes_at(offset + OBJECT.size, length - OBJECT.size)
        if len(raw) < ENTRY_HEAD.size:
            raise Broken("it is shorter than an entry")
        number, realtime, monotonic, boot, _ = ENTRY_HEAD.unpack_from(raw)
        rest = raw[ENTRY_HEAD.size :]
        width = 4 if self.header.compact else 16
        count = len(rest) // width
        if count > MOST_ITEMS:
            raise Broken(f"it names {count} fields")
        items: tuple[tuple[int, int | None], ...]
        if self.header.compact:
            items = tuple((at, None) for at in struct.unpack_from(f"<{count}I", rest) if at)
        else:
            numbers = struct.unpack_from(f"<{2 * count}Q", rest)
            items = tuple(zip(numbers[::2], numbers[1::2], strict=True))
        return EntryObject(offset, length, number, realtime, monotonic, boot.hex(), items)

    def value(self, offset: int, expected: int | None) -> bytes:
        """`NAME=value` of the data object at an offset; Broken where it is none, or another than the entry meant."""
        known = self._values.get(offset)
        if known is None:
            kind, flags, length = self.head(offset)
            if kind != DATA:
                raise Broken(f"an object of type {kind} stands there, not data")
            front = 72 if self.header.compact else 64
            if length < front:
                raise Broken("it is shorter than a data object")
            if length - front > LARGEST_VALUE:
                raise Broken(f"its {length - front} bytes are more than is read")
            raw = self.bytes_at(offset, length)
            known = _unpacked(raw[front:], flags), int.from_bytes(raw[16:24], "little")
            if len(known[0]) <= SMALL:
                self._values[offset] = known
                if len(self._values) > VALUES_KEPT:
                    self._values.popitem(last=False)
        if expected is not None and known[1] != expected:
            raise Broken("its hash is not the one that the entry names")
        return known[0]


def _unpacked(raw: bytes, flags: int) -> bytes:
    """The value of a data object, decompressed; Broken where it does not decompress or is too large."""
    try:
        if flags & 1:
            unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=256 * 1024 * 1024)
            found = unpacker.decompress(raw, LARGEST_VALUE + 1)
            whole = unpacker.eof
        elif flags & 2:
            size = int.from_bytes(raw[:8], "little")
            if size > min(LARGEST_VALUE, 256 * len(raw)):  # LZ4 gives at most 255 bytes for one
                raise Broken(f"a stated size of {size} bytes is more than is read, or than {len(raw)} bytes can give")
            return lz4.decompress(raw[8:], size)
        elif flags & 4:
            with zstandard.ZstdDecompressor(max_window_size=128 * 1024 * 1024).stream_reader(raw) as reader:
                found = reader.read(LARGEST_VALUE + 1)
            whole = True
        else:
            return raw
    except (lzma.LZMAError, zstandard.ZstdError, lz4.Broken) as error:
        raise Broken(f"it does not decompress: {error}") from error
    if len(found) > LARGEST_VALUE:
        raise Broken(f"it has more than {LARGEST_VALUE} bytes decompressed")
    if not whole:
        raise Broken("its compressed bytes end too early")
    return found
