"""What is left of deleted files: whether their blocks are in use again, and when they were deleted."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from wigmore.evidence.allocation import Allocation, ExtGroups, exfat_allocation, fat_allocation, recovery_of
from wigmore.evidence.fat import Slots
from wigmore.evidence.kit import FAILURES, runs_of
from wigmore.evidence.media import Media
from wigmore.evidence.store import Entry
from wigmore.model import times
from wigmore.model.times import Time

CHAIN_CAVEAT = (
    "the cluster chain was erased on deletion: content assumes the unallocated clusters that follow the first one"
)


class Deleted:
    """Judges the deleted entries of one file system (`fs`: the kit's handle; `slots` of FAT, `groups` of ext)."""

    def __init__(self, fs: Any, volume: Media, family: str, slots: Slots | None, groups: ExtGroups | None) -> None:
        self.fs, self.volume, self.family = fs, volume, family
        self.block = int(fs.info.block_size)
        self.orphans = int(fs.info.last_inum)
        self._slots, self._groups = slots, groups
        self._allocation: Allocation | None = None
        self._allocation_read = False
        self._chains: dict[str, list[tuple[int, int]]] = {}
        head = volume.read_at(0, 512)
        self._cluster = int.from_bytes(head[11:13], "little") * head[13] if family == "FAT" and len(head) > 13 else 0

    def recovery(self, file: Any, meta: Any, parent: int, is_folder: bool) -> tuple[str, str]:
        """(`intact`, `partial`, `overwritten` or `none`; what that assumes) of a deleted inode."""
        size = int(meta.size)
        runs, resident, known = runs_of(file)
        if self.family == "FAT":
            self._chains[str(int(meta.addr))] = runs
        if is_folder and self.family != "NTFS":
            return self._folder_recovery(meta, parent, runs)
        if resident:
            return "intact", ""
        if not size:
            return ("none", "the size and blocks were erased on deletion") if self.family == "ext" else ("intact", "")
        if not runs:
            return "none", "no clusters are left to read"
        if sum(count for _, count in runs) * self.block < size and not known:
            return "partial", "fewer clusters are left than the size needs"
        recovery, used, total = recovery_of(runs, self.allocation)
        caveats = []
        if self.allocation is None:
            caveats.append("whether its clusters are in use again could not be checked")
        elif used:
            caveats.append(f"{used} of {total} blocks are in use by other files now")
        if self.family == "FAT" and size > self._cluster:
            caveats.append(CHAIN_CAVEAT)
        return recovery, "; ".join(caveats)

    def _folder_recovery(self, meta: Any, parent: int, runs: list[tuple[int, int]]) -> tuple[str, str]:
        if not int(meta.size):
            return "none", "no clusters are left"
        if self.family == "FAT" and self._slots is not None and runs:
            own, above = self._slots.read(int(meta.addr)), self._slots.read(parent)
            dots = self.volume.read_at(runs[0][0] * self.block, 64)
            told = [int.from_bytes(dots[at + 26 : at + 28], "little") for at in (0, 32)]
            wanted = [own.first_cluster & 0xFFFF if own else 0, above.first_cluster & 0xFFFF if above else 0]
            if not dots.startswith(b".          ") or told[0] != wanted[0]:
                return "overwritten", "its cluster does not hold this folder any more"
            if dots[32:43] == b"..         " and told[1] != wanted[1] and parent != self.orphans:
                return "none", "its cluster holds a folder with another parent: moved away, or the cluster used again"
        return "intact", ""

    @property
    def allocation(self) -> Allocation | None:
        """Which blocks are in use; None where the volume's own map cannot be read."""
        if not self._allocation_read:
            self._allocation_read = True
            try:
                self._allocation = self._read_allocation()
            except FAILURES:
                self._allocation = None  # every deleted entry then says that it could not be checked
        return self._allocation

    def _read_allocation(self) -> Allocation | None:
        if self.family == "NTFS":
            bitmap = self.fs.open_meta(6)
            size = int(bitmap.info.meta.size)
            return Allocation(
                b"".join(bytes(bitmap.read_random(at, min(1 << 20, size - at))) for at in range(0, size, 1 << 20))
            )
        if self.family == "FAT":
            return fat_allocation(self.volume)
        if self.family == "exFAT":
            return exfat_allocation(self.volume, self._exfat_bitmap)
        return self._groups.allocation() if self._groups else None

    def _exfat_bitmap(self) -> bytes:
        for file in self.fs.open_dir(inode=int(self.fs.info.root_inum)):
            if file.info.name.name == b"$ALLOC_BITMAP" and file.info.meta is not None:
                return bytes(file.read_random(0, min(int(file.info.meta.size), 1 << 27)))
        return b""

    def deleted_at(self, number: int) -> Time | None:
        """When an ext inode was deleted; None where that is not stored."""
        if self._groups is None:
            return None
        raw = self._groups.inode(number)[1]
        value = int.from_bytes(raw[20:24], "little")
        # inodes on the orphan list keep a small inode number here instead of a time
        return times.posix(value) if value > self._groups.inodes else None

    def unmixed(self, gone: list[Entry]) -> Iterator[Entry]:
        """Deleted FAT entries; where another deleted file began inside an assumed chain, the content is mixed."""
        per_sector = self._cluster // self.block or 1
        begun = sorted({chain[0][0] for chain in self._chains.values() if chain})
        for entry in gone:
            chain = self._chains.get(entry.inode or "", [])
            inside = {
                start
                for first, count in chain
                for start in begun[bisect_left(begun, first) : bisect_left(begun, first + count)]
                if start != chain[0][0]
            }
            if inside and entry.recovery == "intact" and sum(count for _, count in chain) > per_sector:
                caveat = f"{entry.caveat}; another deleted entry begins inside it, so the content is probably mixed"
                entry = replace(entry, recovery="partial", caveat=caveat)
            yield entry
