"""Which clusters of a volume are in use now: what decides whether deleted content can still be had.

Formats: NTFS $Bitmap (one bit a cluster); FAT table entries (Microsoft FAT specification 1.03); exFAT allocation
bitmap; ext block bitmaps by group descriptor (Linux Documentation/filesystems/ext4).
"""

from __future__ import annotations

import struct
from array import array
from typing import Any

from wigmore.evidence.store import Stream

MAX_BITMAP = 1 << 30  # bytes of bitmap: 32 TB in clusters of 4 KiB


class Allocation:
    """Counts blocks in use: a bit each (`bits`) for groups of `per_bit` blocks from block `first` on."""

    def __init__(self, bits: bytes, first: int = 0, per_bit: int = 1, count: int | None = None) -> None:
        self.bits = bits
        self.first = first
        self.per_bit = per_bit
        # bits that stand for blocks; the last byte may hold more
        self.count = len(bits) * 8 if count is None else min(count, len(bits) * 8)

    def used(self, start: int, count: int) -> int:
        """How many of `count` blocks from `start` are in use; blocks past the end of the map count as used."""
        low = (start - self.first) // self.per_bit
        high = -(-(start + count - self.first) // self.per_bit)
        if low < 0:
            return count
        inside = min(high, len(self.bits) * 8)
        outside = max(0, high - max(low, inside))
        found = 0
        if inside > low:
            piece = int.from_bytes(self.bits[low // 8 : (inside + 7) // 8], "little") >> (low % 8)
            found = (piece & ((1 << (inside - low)) - 1)).bit_count()
        return min(count, (found + outside) * self.per_bit)


def recovery_of(runs: list[tuple[int, int]], allocation: Allocation | None) -> tuple[str, int, int]:
    """(`intact`, `partial` or `overwritten`; blocks in use now; blocks) of deleted content in runs (start, count)."""
    total = sum(count for _, count in runs)
    if allocation is None:
        return "partial", 0, total
    used = sum(allocation.used(start, count) for start, count in runs)
    return ("intact" if not used else "overwritten" if used >= total else "partial"), used, total


def pack(flags: list[bool] | bytes | bytearray) -> bytes:
    """Truth values as bits, lowest first."""
    text = bytes(49 if flag else 48 for flag in flags)[::-1]
    if not text:
        return b""
    return int(text, 2).to_bytes((len(text) + 7) // 8, "little")


def fat_allocation(volume: Stream) -> Allocation | None:
    """The first allocation table of a FAT volume, counted in sectors; None where it cannot be read."""
    head = volume.read_at(0, 512)
    if len(head) < 512:
        return None
    sector, per_cluster, reserved, tables, roots = struct.unpack_from("<HBHBH", head, 11)
    small_table, large_table = int.from_bytes(head[22:24], "little"), int.from_bytes(head[36:40], "little")
    length = small_table or large_table
    total = int.from_bytes(head[19:21], "little") or int.from_bytes(head[32:36], "little")
    if not sector or not per_cluster or not length or length * sector > MAX_BITMAP:
        return None
    data = reserved + tables * length + -(-roots * 32 // sector)
    clusters = max(0, total - data) // per_cluster
    raw = volume.read_at(reserved * sector, length * sector)
    if clusters < 4085 and small_table:
        values = [
            (raw[at] | raw[at + 1] << 8) >> (4 if number & 1 else 0) & 0xFFF
            for number in range(2, clusters + 2)
            if (at := number * 3 // 2) + 1 < len(raw)
        ]
        flags = [value != 0 for value in values]
    elif clusters < 65525 and small_table:
        flags = [value != 0 for value in _words("H", raw)[2 : clusters + 2]]
    else:
        flags = [value & 0x0FFFFFFF != 0 for value in _words("I", raw)[2 : clusters + 2]]
    return Allocation(_pack_chunks(flags), data, per_cluster, len(flags))


def _words(code: str, raw: bytes) -> array[int]:
    words = array(code)
    words.frombytes(raw[: len(raw) // words.itemsize * words.itemsize])
    return words


def _pack_chunks(flags: list[bool] | bytes | bytearray) -> bytes:
    # int() of a long text is quadratic: pieces of 8,000 bits
    return b"".join(
        pack(flags[at : at + 8000]).ljust(min(1000, -(-(len(flags) - at) // 8)), b"\0")
        for at in range(0, len(flags), 8000)
    )


def exfat_allocation(volume: Stream, read_file: Any) -> Allocation | None:
    """The allocation bitmap of an exFAT volume, counted in sectors; `read_file` opens TSK's name for it."""
    head = volume.read_at(0, 512)
    if len(head) < 512:
        return None
    heap = int.from_bytes(head[88:92], "little")
    per_cluster = 1 << min(head[109], 25)
    bits = read_file()
    count = int.from_bytes(head[92:96], "little")
    return Allocation(bits, heap, per_cluster, count) if bits else None


def _has_copy(group: int) -> bool:
    """Whether a group begins with a copy of the super block (sparse_super: groups 0, 1 and powers of 3, 5 and 7)."""
    if group < 2:
        return True
    for base in (3, 5, 7):
        power = base
        while power < group:
            power *= base
        if power == group:
            return True
    return False


class ExtGroups:
    """Super block and group descriptors of an ext2/3/4 volume: block bitmaps, and inodes as stored."""

    def __init__(self, volume: Stream) -> None:
        self.volume = volume
        block = volume.read_at(1024, 1024)
        self.inodes, blocks_low = struct.unpack_from("<II", block, 0)
        self.first, log_block = struct.unpack_from("<II", block, 20)
        self.block = 1024 << min(log_block, 6)
        self.per_group, _, self.inodes_per_group = struct.unpack_from("<III", block, 32)
        self.inode_size = struct.unpack_from("<H", block, 88)[0] if struct.unpack_from("<I", block, 76)[0] else 128
        incompatible = struct.unpack_from("<I", block, 96)[0]
        wide = bool(incompatible & 0x80)
        size = struct.unpack_from("<H", block, 254)[0] if wide else 32
        self.descriptor = max(32, size or 32)
        self.blocks = blocks_low | (struct.unpack_from("<I", block, 336)[0] << 32 if wide else 0)
        self.wide = wide and self.descriptor >= 64
        self.reserved = struct.unpack_from("<H", block, 206)[0]  # blocks kept for more descriptors
        # descriptors kept in their own groups, or bitmaps that count clusters of blocks: not followed
        self.meta_groups = bool(incompatible & 0x10) or bool(struct.unpack_from("<I", block, 100)[0] & 0x200)
        groups = -(-self.blocks // self.per_group) if self.per_group else 0
        self.sound = (
            0 < groups <= 4_000_000 and self.inodes_per_group > 0 and self.inode_size >= 128 and not self.meta_groups
        )
        self.table = volume.read_at((self.first + 1) * self.block, groups * self.descriptor) if self.sound else b""

    def _pointer(self, group: int, low: int, high: int) -> int:
        at = group * self.descriptor
        if at + self.descriptor > len(self.table):
            return 0
        value: int = struct.unpack_from("<I", self.table, at + low)[0]
        if self.wide:
            value |= struct.unpack_from("<I", self.table, at + high)[0] << 32
        return value

    def allocation(self) -> Allocation | None:
        """The block bitmaps end to end; None where the descriptors are not where they should be."""
        if not self.sound or self.per_group % 8:
            return None
        size = self.per_group // 8
        bits = bytearray()
        for group in range(-(-self.blocks // self.per_group)):
            flags = int.from_bytes(self.table[group * self.descriptor + 18 : group * self.descriptor + 20], "little")
            place = self._pointer(group, 0, 32)
            if flags & 0x2 or not place:  # block bitmap never written: nothing but metadata in this group
                bits += self._unwritten(group, size)
            else:
                bits += self.volume.read_at(place * self.block, size).ljust(size, b"\xff")
            if len(bits) > MAX_BITMAP:
                return None
        return Allocation(bytes(bits), self.first, count=max(0, self.blocks - self.first))

    def _unwritten(self, group: int, size: int) -> bytes:
        """The block bitmap of a group that has none yet: copies of super block and descriptors, its maps and inodes."""
        base = self.first + group * self.per_group
        used = [(self._pointer(group, 0, 32), 1), (self._pointer(group, 4, 36), 1)]
        used.append((self._pointer(group, 8, 40), -(-self.inodes_per_group * self.inode_size // self.block)))
        if _has_copy(group):
            used.append((base, 1 + -(-len(self.table) // self.block) + self.reserved))
        flags = bytearray(self.per_group)
        for start, count in used:
            low, high = max(0, start - base), min(self.per_group, start + count - base)
            if low < high:
                flags[low:high] = b"\x01" * (high - low)
        return _pack_chunks(flags).ljust(size, b"\0")

    def inode(self, number: int) -> tuple[int, bytes]:
        """(offset in the volume, bytes as stored) of an inode; empty bytes where it cannot be located."""
        if not self.sound or not 1 <= number <= self.inodes:
            return 0, b""
        group, index = divmod(number - 1, self.inodes_per_group)
        table = self._pointer(group, 8, 40)
        if not table:
            return 0, b""
        offset = table * self.block + index * self.inode_size
        return offset, self.volume.read_at(offset, self.inode_size)
