"""The free space of a volume as entries of its own: runs of blocks no file uses, end to end, in pieces.

A piece is not a directory entry: nobody named it, and what lies in it may stem from many files and times. What is free
comes from the volume's own map (`allocation`); an offset in a piece leads to an offset of the medium through `extents`.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from wigmore.evidence.allocation import Allocation
from wigmore.evidence.media import Media, reason_of
from wigmore.evidence.store import Entry, Limits, Store, Stream, buffered
from wigmore.model.protocols import Gap, ParseError

FOLDER = "$Unallocated"
NAME = re.compile(r"[0-9a-f]{12,}")
MOST_RUNS = 8_000_000  # of one volume: two words each
_STRETCH = re.compile(rb"\x00+|\xff+|[^\x00\xff]+")
ZEROS = bytes(1024 * 1024)


def _bits_free() -> list[tuple[tuple[int, int], ...]]:
    """For each value of a byte of the map, the stretches of clear bits in it: (first, count), lowest first."""
    out = []
    for value in range(256):
        stretches: list[tuple[int, int]] = []
        for bit in range(8):
            if value >> bit & 1:
                continue
            if stretches and sum(stretches[-1]) == bit:
                stretches[-1] = (stretches[-1][0], stretches[-1][1] + 1)
            else:
                stretches.append((bit, 1))
        out.append(tuple(stretches))
    return out


_FREE_IN_BYTE = _bits_free()


def _clear_bits(bits: bytes, count: int) -> Iterator[tuple[int, int]]:
    """Stretches of clear bits among the first `count`, by place; neighbours may touch."""
    for stretch in _STRETCH.finditer(bits):
        first = stretch.start() * 8
        if first >= count:
            return
        value = bits[stretch.start()]
        if value == 0:
            yield first, min(count, stretch.end() * 8) - first
        elif value != 0xFF:
            for number in range(stretch.start(), stretch.end()):
                for bit, length in _FREE_IN_BYTE[bits[number]]:
                    start = number * 8 + bit
                    if start < count:
                        yield start, min(length, count - start)


class FreeSpace:
    """The free runs of one volume by byte offset, neighbours merged, and the pieces they are cut into."""

    def __init__(self, volume: Media, limits: Limits) -> None:
        self.volume, self.piece = volume, limits.free_piece_bytes
        self.starts, self.lengths, self.before = array("Q"), array("Q"), array("Q")
        self.size = 0
        self.gaps: list[Gap] = []

    def add(self, start: int, length: int) -> None:
        """Take in the next run; what lies behind the end of the volume is left out."""
        length = min(start + length, self.volume.size) - start
        if length <= 0:
            return
        if self.starts and start == self.starts[-1] + self.lengths[-1]:
            self.lengths[-1] += length
        else:
            self.starts.append(start)
            self.lengths.append(length)
            self.before.append(self.size)
        self.size += length

    @property
    def pieces(self) -> int:
        """How many pieces there are."""
        return -(-self.size // self.piece)

    def runs(self, start: int, length: int) -> list[tuple[int, int]]:
        """Where a part of the free space (offsets as if end to end) lies in the volume: (byte offset, bytes)."""
        found = []
        index = bisect_right(self.before, start) - 1
        while length > 0 and 0 <= index < len(self.starts):
            inside = start - self.before[index]
            count = min(length, self.lengths[index] - inside)
            if count <= 0:
                break
            found.append((self.starts[index] + inside, count))
            start, length, index = start + count, length - count, index + 1
        return found

    def number_at(self, offset: int) -> int | None:
        """The piece whose first run begins at a byte offset of the volume."""
        index = bisect_right(self.starts, offset) - 1
        if index < 0 or offset >= self.starts[index] + self.lengths[index]:
            return None
        at = self.before[index] + offset - self.starts[index]
        return at // self.piece if at % self.piece == 0 else None


def mapped(volume: Media, allocation: Allocation, block: int, blocks: int, limits: Limits) -> FreeSpace:
    """The free space by a volume's map; `blocks` is how many blocks the volume has, `block` their bytes.

    A map that ends before the volume does leaves the rest out and says so in `gaps`.
    """
    space = FreeSpace(volume, limits)
    if (short := blocks - allocation.first - allocation.count * allocation.per_bit) >= allocation.per_bit:
        space.gaps.append(
            Gap(f"the map of blocks in use ends {short} blocks before the volume: free ones there are not listed")
        )
    unit = allocation.per_bit * block
    for bit, count in _clear_bits(allocation.bits, allocation.count):
        start = allocation.first * block + bit * unit
        if len(space.starts) >= MOST_RUNS:
            space.gaps.append(Gap(f"more than {MOST_RUNS} free runs: the rest is not listed", start, "too_large"))
            break
        space.add(start, min(count * unit, blocks * block - start))
    return space


@dataclass(frozen=True)
class Pieces:
    """The free space of a volume as entries below `prefix`; `start` is the volume's offset in the medium."""

    space: FreeSpace
    prefix: str
    start: int
    limits: Limits
    caveat: str = "free blocks end to end, by the volume's own map: no file, and perhaps parts of many"

    def entries(self) -> Iterator[Entry | Gap]:
        """One entry a piece, by offset; gaps where the map or the limit left something out."""
        for gap in self.space.gaps:
            yield Gap(f"{self.prefix}: {gap.message}", gap.offset, gap.reason)
        for number in range(min(self.space.pieces, self.limits.max_free_entries)):
            yield self.entry(number)
        if self.space.pieces > self.limits.max_free_entries:
            rest = self.space.size - self.limits.max_free_entries * self.space.piece
            what = (
                f"{self.prefix}: {rest} bytes of free space beyond {self.limits.max_free_entries} pieces: not looked at"
            )
            yield Gap(what, None, "too_large")

    def entry(self, number: int) -> Entry:
        """The entry of one piece."""
        runs = self.space.runs(number * self.space.piece, self.space.piece)
        name = f"{runs[0][0]:012x}"
        path = f"{self.prefix}/{FOLDER}/{name}" if self.prefix else f"{FOLDER}/{name}"
        base = max(self.start, 0)
        facts = {
            "runs": len(runs), "volume_offset": runs[0][0], "medium_offset": base + runs[0][0],
            "volume_end": sum(runs[-1]), "bytes_free": self.space.size, "piece": number + 1, "pieces": self.space.pieces,
        }  # fmt: skip
        return Entry(
            path, name, size=sum(length for _, length in runs), allocated=False, recovery="intact",
            caveat=self.caveat,
            attributes=facts, ref={"free": number},
        )  # fmt: skip

    def find(self, path: str) -> Entry | None:
        """The entry of a path below the folder of pieces; None where there is none."""
        name = path.rpartition("/")[2].lower()
        number = self.space.number_at(int(name, 16)) if NAME.fullmatch(name) else None
        if number is None or number >= self.limits.max_free_entries:
            return None
        entry = self.entry(number)
        return entry if entry.name == name else None

    def open(self, entry: Entry) -> BinaryIO:
        """A seekable stream over a piece."""
        return buffered(FreeStream(entry.path, self.space, entry.ref["free"] * self.space.piece, entry.size))

    def extents(self, entry: Entry) -> list[tuple[int, int]]:
        """Where a piece lies in the medium: (byte offset, bytes) in order."""
        base = max(self.start, 0)
        runs = self.space.runs(entry.ref["free"] * self.space.piece, entry.size)
        return [(base + offset, length) for offset, length in runs]


class BetweenVolumes(Store):
    """What lies in a medium outside all partitions, in pieces; `prefix` ends in `$Unallocated`."""

    kind = "free space"

    def __init__(self, source_id: str, prefix: str, medium: Media, runs: list[tuple[int, int]], limits: Limits) -> None:
        super().__init__(source_id, prefix, limits)
        space = FreeSpace(medium, limits)
        for start, length in runs:
            space.add(start, length)
        caveat = "space outside all partitions, end to end: no file, and perhaps parts of many"
        self._pieces = Pieces(space, prefix.removesuffix(f"/{FOLDER}"), 0, limits, caveat)

    def entries(self) -> Iterator[Entry | Gap]:
        """The pieces, by offset."""
        return self._pieces.entries()

    def find(self, path: str) -> Entry | None:
        """The piece at a path."""
        return self._pieces.find(path) if path.startswith(self.prefix + "/") else None

    def open_entry(self, entry: Entry) -> BinaryIO:
        """A seekable stream over a piece."""
        return self._pieces.open(entry)

    def extents(self, entry: Entry) -> list[tuple[int, int]]:
        """Where a piece lies in the medium: (byte offset, bytes) in order."""
        return self._pieces.extents(entry)


class FreeStream(Stream):
    """A part of the free space, run after run."""

    def __init__(self, path: str, space: FreeSpace, start: int, size: int) -> None:
        super().__init__(size)
        self._path, self._space, self._start = path, space, start

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes at `offset`; ParseError where the medium cannot be read."""
        length = min(length, self.size - offset)
        parts: list[bytes] = []
        for place, count in self._space.runs(self._start + offset, length):
            try:
                part = self._space.volume.read_at(place, count)
            except OSError as error:
                if parts:
                    break
                raise ParseError(self._path, offset, f"cannot be read here: {reason_of(error)}") from error
            parts.append(part)
            if len(part) < count:
                break
        return parts[0] if len(parts) == 1 else b"".join(parts)


def only_zeros(stream: BinaryIO) -> bool:
    """Whether everything from here on is zero; stops at the first byte that is not."""
    while piece := stream.read(len(ZEROS)):
        if piece != ZEROS[: len(piece)]:
            return False
    return True
