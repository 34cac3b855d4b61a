"""The medium inside EWF (E01) files: chunk tables, checksums, and what can be saved where a segment is cut off.

Read by ourselves because libewf gives zeros for a damaged chunk without a word, and nothing at all of a file whose last
table is missing. Format: Expert Witness Compression Format (libewf documentation), sections volume, table, table2,
sectors: chunks of 32 KiB, each a zlib stream or plain bytes with their Adler-32.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from typing import BinaryIO

from wigmore.evidence.ewf import MAX_SECTIONS, SECTION
from wigmore.evidence.media import Media

COMPRESSED = 0x80000000
KEPT_BYTES = 4 * 1024 * 1024
TABLES_KEPT = 64
MAX_CHUNK = 64 * 1024 * 1024
MAX_ENTRIES = 4_000_000


@dataclass(frozen=True, slots=True)
class ChunkTable:
    """One table: number of its first chunk, how many, where its entries lie, what they count from, end of the data."""

    first: int
    count: int
    segment: int
    entries: int
    base: int
    end: int


class EwfMedia(Media):
    """The medium of all segments together; a damaged chunk raises OSError, whoever asks for it."""

    def __init__(self, segments: list[BinaryIO]) -> None:
        self._files = segments
        self._tables: list[ChunkTable] = []
        self._saved: dict[int, tuple[int, int, int]] = {}  # chunk -> segment, offset, bytes, where no table was left
        self.chunk_size = self.sectors = 0
        self.sector_size = 512
        self.chunks = 0
        for number, stream in enumerate(segments):
            self._walk(number, stream)
        if not self.chunk_size:
            raise OSError("no volume section: the size of the medium is not known")
        super().__init__(self.sectors * self.sector_size, "E01", None, tuple(segments))
        self._firsts = [table.first for table in self._tables]
        self._loaded: OrderedDict[int, array[int]] = OrderedDict()
        self._plain: OrderedDict[int, bytes] = OrderedDict()

    @property
    def known(self) -> int:
        """Bytes of the medium that the tables reach: less than `size` where segments are missing or cut off."""
        return min(self.size, (self.chunks + len(self._saved)) * self.chunk_size)

    # -- sections

    def _walk(self, number: int, stream: BinaryIO) -> None:
        end = stream.seek(0, 2)
        place, data, waiting = 13, (0, 0), None
        for _ in range(MAX_SECTIONS):
            stream.seek(min(place, end))
            raw = stream.read(76)
            if len(raw) < 76 or zlib.adler32(raw[:72]) != SECTION.unpack(raw)[3]:
                break
            name, following, size, _ = SECTION.unpack(raw)
            kind = name.rstrip(b"\0")
            inside = place + 76
            if kind in (b"volume", b"disk", b"data") and not self.chunk_size:
                self._volume(stream.read(min(max(size - 76, 0), 1052)))
            elif kind == b"sectors":
                data, waiting = (inside, max(following, inside)), number
            elif kind in (b"table", b"table2") and self._table(stream, number, inside, data[1] or place, kind):
                waiting = None
            if kind in (b"done", b"next") or following <= place:
                break
            place = following
        if waiting is not None:
            self._save(number, stream, data[0], min(end, data[1]))

    def _volume(self, raw: bytes) -> None:
        if len(raw) < 24:
            raise OSError("the volume section is cut off")
        _, per_chunk, sector, sectors = struct.unpack_from("<IIIQ", raw, 4)
        if len(raw) < 1052:  # SMART counts sectors in 32 bits
            sectors &= 0xFFFFFFFF
        elif zlib.adler32(raw[:1048]) != int.from_bytes(raw[1048:1052], "little"):
            raise OSError("the volume section is damaged (checksum): the size of the medium is not known")
        if sector not in (512, 1024, 2048, 4096) or not 0 < per_chunk * sector <= MAX_CHUNK:
            raise OSError(f"the volume section names {per_chunk} sectors of {sector} bytes a chunk")
        self.sector_size, self.chunk_size, self.sectors = sector, per_chunk * sector, sectors

    def _table(self, stream: BinaryIO, number: int, place: int, end: int, kind: bytes) -> bool:
        stream.seek(place)
        head = stream.read(24)
        if len(head) < 24 or zlib.adler32(head[:20]) != int.from_bytes(head[20:24], "little"):
            return False
        count, base = struct.unpack_from("<I4xQ", head)
        if not 0 < count <= MAX_ENTRIES:
            return False
        entries = stream.read(count * 4)
        check = stream.read(4)
        # SMART tables end without a checksum
        if len(entries) < count * 4 or (
            len(check) == 4 and any(check) and zlib.adler32(entries) != int.from_bytes(check, "little")
        ):
            return False
        if kind == b"table2" and self._tables and self._tables[-1].end == end and self._tables[-1].segment == number:
            return True  # a copy of the table just read
        self._tables.append(ChunkTable(self.chunks, count, number, place + 24, base, end))
        self.chunks += count
        return True

    def _save(self, number: int, stream: BinaryIO, place: int, end: int) -> None:
        """Find chunks one behind another where the table that should name them is missing."""
        chunk = self.chunks + len(self._saved)
        while place < end and self.chunk_size and chunk * self.chunk_size < self.sectors * self.sector_size:
            stream.seek(place)
            raw = stream.read(min(self.chunk_size + 1024, end - place))
            inflater = zlib.decompressobj()
            try:
                plain = inflater.decompress(raw, self.chunk_size)
                length = len(raw) - len(inflater.unused_data)
                sound = inflater.eof and bool(plain)
            except zlib.error:
                length = self.chunk_size + 4
                sound = len(raw) >= length and zlib.adler32(raw[: length - 4]) == int.from_bytes(
                    raw[length - 4 : length], "little"
                )
            if not sound:
                return
            self._saved[chunk] = (number, place, length)
            place += length
            chunk += 1

    # -- chunks

    def _read(self, offset: int, length: int) -> bytes:
        first, last = offset // self.chunk_size, (offset + length - 1) // self.chunk_size
        pieces = [self.chunk(number) for number in range(first, last + 1)]
        start = offset - first * self.chunk_size
        joined = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return joined[start : start + length]

    def chunk(self, number: int) -> bytes:
        """The bytes of one chunk; OSError where it is missing or its checksum does not fit."""
        known = self._plain.get(number)
        if known is None:
            known = self._unpacked(number)
            self._plain[number] = known
            if len(self._plain) > max(2, KEPT_BYTES // self.chunk_size):
                self._plain.popitem(last=False)
        return known

    def _unpacked(self, number: int) -> bytes:
        segment, place, length, packed = self._find(number)
        stream = self._files[segment]
        stream.seek(place)
        raw = stream.read(length)
        wanted = min(self.chunk_size, self.size - number * self.chunk_size)
        at = number * self.chunk_size
        if packed:
            try:
                plain = zlib.decompressobj().decompress(raw, self.chunk_size)
            except zlib.error as error:
                raise OSError(f"the chunk of the medium at offset {at} is damaged ({error})") from error
            if len(plain) < wanted:
                raise OSError(f"the chunk of the medium at offset {at} is cut off")
            return plain
        if len(raw) < wanted + 4 or zlib.adler32(raw[:wanted]) != int.from_bytes(raw[wanted : wanted + 4], "little"):
            raise OSError(f"the chunk of the medium at offset {at} is damaged (checksum)")
        return raw[:wanted]

    def _find(self, number: int) -> tuple[int, int, int, bool]:
        """(segment, offset, bytes at most, compressed) of a chunk."""
        saved = self._saved.get(number)
        if saved is not None:
            segment, place, length = saved
            return segment, place, length, length != self.chunk_size + 4
        index = bisect_right(self._firsts, number) - 1
        if index < 0 or number >= self._tables[index].first + self._tables[index].count:
            raise OSError(f"the medium is missing from offset {number * self.chunk_size} on: no segment holds it")
        table = self._tables[index]
        entries = self._entries(index, table)
        inside = number - table.first
        entry = entries[inside]
        place = table.base + (entry & ~COMPRESSED)
        last = inside + 1 == table.count
        end = table.end if last else table.base + (entries[inside + 1] & ~COMPRESSED)
        if end <= place:  # offsets past 2 GiB without a base: only their low 31 bits are stored
            end = place + self.chunk_size + 1024
        return table.segment, place, min(end - place, self.chunk_size + 1024), bool(entry & COMPRESSED)

    def _entries(self, index: int, table: ChunkTable) -> array[int]:
        known = self._loaded.get(index)
        if known is None:
            stream = self._files[table.segment]
            stream.seek(table.entries)
            known = array("I")
            known.frombytes(stream.read(table.count * 4))
            self._loaded[index] = known
            if len(self._loaded) > TABLES_KEPT:
                self._loaded.popitem(last=False)
        return known

    def damaged(self, most: int = 1000) -> list[tuple[int, int]]:
        """(offset, bytes) of the stretches of the medium that cannot be read; reads everything."""
        found: list[tuple[int, int]] = []
        for number in range(-(-self.size // self.chunk_size)):
            try:
                self._unpacked(number)
            except OSError:
                start = number * self.chunk_size
                length = min(self.chunk_size, self.size - start)
                if found and sum(found[-1]) == start:
                    found[-1] = (found[-1][0], found[-1][1] + length)
                elif len(found) < most:
                    found.append((start, length))
        return found
