"""FAT16 volumes with long names, deleted files and, if wanted, a partition table.

Source: Microsoft "FAT: General Overview of On-Disk Format" 1.03. Times are local; names are case-preserving (VFAT).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from datetime import datetime

from wigmore.generator.clocks import fat

SECTOR = 512
PER_CLUSTER = 4
CLUSTER = SECTOR * PER_CLUSTER
ROOT_ENTRIES = 512
RESERVED = 1
FIRST_SECTOR = 2048  # of the partition
END_OF_CHAIN = 0xFFFF
DIRECTORY, LABEL, ARCHIVE, LONG = 0x10, 0x08, 0x20, 0x0F
SHORT_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'()-@^_`{}~"


@dataclass(slots=True)
class _Folder:
    """A directory while it is filled: its raw entries, and where each live name's entries lie."""

    clusters: list[int]  # empty: the root
    entries: list[bytearray] = field(default_factory=list)
    names: dict[str, tuple[int, int]] = field(default_factory=dict)
    folders: dict[str, _Folder] = field(default_factory=dict)


def _short(name: str, taken: set[bytes]) -> tuple[bytes, bool]:
    """The 11 bytes of a short name, and whether a long name is needed beside it."""
    stem, _, extension = name.rpartition(".") if "." in name[1:] else (name, "", "")
    fits = 0 < len(stem) <= 8 and len(extension) <= 3 and all(c in SHORT_CHARACTERS for c in stem + extension)
    if fits:
        return stem.ljust(8).encode() + extension.ljust(3).encode(), False
    clean = "".join(c if c in SHORT_CHARACTERS else "_" for c in stem.upper() if c not in " .")
    tail = "".join(c if c in SHORT_CHARACTERS else "_" for c in extension.upper())[:3].ljust(3)
    for number in range(1, 10_000):
        mark = f"~{number}"
        raw = (clean[: 8 - len(mark)] + mark).ljust(8).encode() + tail.encode()
        if raw not in taken:
            return raw, True
    raise ValueError(f"no short name left for {name!r}")


def _checksum(short: bytes) -> int:
    value = 0
    for byte in short:
        value = ((value >> 1) | (value & 1) << 7) + byte & 0xFF
    return value


def _long_entries(name: str, short: bytes) -> list[bytearray]:
    units = name.encode("utf-16-le")
    count = -(-len(units) // 26)
    padded = units + (b"\0\0" if len(units) % 26 else b"")
    padded = padded.ljust(count * 26, b"\xff")
    out = []
    for number in range(count, 0, -1):
        part = padded[(number - 1) * 26 : number * 26]
        order = number | (0x40 if number == count else 0)
        head = struct.pack("<B10sBBB", order, part[:10], LONG, 0, _checksum(short))
        out.append(bytearray(head + part[10:22] + b"\0\0" + part[22:]))
    return out


class FatVolume:
    """A FAT16 volume filled in memory; clusters are handed out one after another, as Windows does on a fresh volume."""

    def __init__(
        self, label: str, serial: int, formatted_local: datetime, mebibytes: int = 12, partitioned: bool = True
    ) -> None:
        sectors = mebibytes * 2048
        self.label, self.serial, self.partitioned = label, serial, partitioned
        self.sectors = sectors
        # two table entries of 2 bytes a cluster: solve for the table's length, rounding up
        self.table_sectors = -(-(sectors // PER_CLUSTER + 2) * 2 // SECTOR)
        self.data_sector = RESERVED + 2 * self.table_sectors + ROOT_ENTRIES * 32 // SECTOR
        self.cluster_count = (sectors - self.data_sector) // PER_CLUSTER
        if not 4085 <= self.cluster_count < 65525:
            raise ValueError(f"{self.cluster_count} clusters do not make a FAT16 volume")
        self.table = [0] * (self.cluster_count + 2)
        self.table[0], self.table[1] = 0xFFF8, END_OF_CHAIN
        self.data = bytearray(self.cluster_count * CLUSTER)
        self.next_free = 2
        self.root = _Folder([])
        date, clock, _ = fat(formatted_local)
        entry = struct.pack("<11sB10xHHHI", label.ljust(11).encode(), LABEL, clock, date, 0, 0)
        self.root.entries.append(bytearray(entry))

    def _take(self, count: int, reuse: bool = False) -> list[int]:
        start = 2 if reuse else self.next_free
        free = [number for number in range(start, self.cluster_count + 2) if self.table[number] == 0][:count]
        if len(free) < count:
            raise ValueError(f"the volume has no {count} free clusters")
        for here, after in zip(free, [*free[1:], END_OF_CHAIN], strict=True):
            self.table[here] = after
        if not reuse and free:
            self.next_free = free[-1] + 1
        return free

    def _put(self, clusters: list[int], content: bytes) -> None:
        for index, number in enumerate(clusters):
            part = content[index * CLUSTER : (index + 1) * CLUSTER]
            at = (number - 2) * CLUSTER
            self.data[at : at + len(part)] = part

    def _folder(self, parts: list[str], made: datetime) -> _Folder:
        here = self.root
        for part in parts:
            if part.upper() not in here.folders:
                clusters = self._take(1)
                child = _Folder(clusters)
                parent = here.clusters[0] if here.clusters else 0
                date, clock, _ = fat(made)
                for name, first in ((b".", clusters[0]), (b"..", parent)):
                    entry = struct.pack("<11sB10xHHHI", name.ljust(11), DIRECTORY, clock, date, first, 0)
                    child.entries.append(bytearray(entry))
                self._enter(here, part, DIRECTORY, clusters[0], 0, made, made, made)
                here.folders[part.upper()] = child
            here = here.folders[part.upper()]
        return here

    def _enter(
        self,
        folder: _Folder,
        name: str,
        attributes: int,
        first: int,
        size: int,
        created: datetime,
        modified: datetime,
        accessed: datetime,
    ) -> None:
        if name.upper() in folder.names:
            raise ValueError(f"{name!r} is there already")
        short, long = _short(name, {bytes(entry[:11]) for entry in folder.entries})
        entries = _long_entries(name, short) if long else []
        made, changed, seen = fat(created), fat(modified), fat(accessed)
        entry = struct.pack(
            "<11sBBBHHHHHHHI",
            short,
            attributes,
            0,
            made[2],
            made[1],
            made[0],
            seen[0],
            0,
            changed[1],
            changed[0],
            first,
            size,
        )
        folder.names[name.upper()] = (len(folder.entries), len(entries) + 1)
        folder.entries += [*entries, bytearray(entry)]

    def add(
        self, path: str, content: bytes, created: datetime, modified: datetime, accessed: datetime, reuse: bool = False
    ) -> None:
        """Add a file (`/` between parts) with local times; `reuse` takes the first free clusters, also freed ones."""
        *parts, name = path.split("/")
        folder = self._folder(parts, created)
        clusters = self._take(-(-len(content) // CLUSTER), reuse)
        self._put(clusters, content)
        self._enter(folder, name, ARCHIVE, clusters[0] if clusters else 0, len(content), created, modified, accessed)

    def delete(self, path: str) -> None:
        """Delete a file as the driver does: mark its entries, free its chain, leave its content."""
        *parts, name = path.split("/")
        folder = self.root
        for part in parts:
            folder = folder.folders[part.upper()]
        start, count = folder.names.pop(name.upper())
        for entry in folder.entries[start : start + count]:
            entry[0] = 0xE5
        number = struct.unpack_from("<H", folder.entries[start + count - 1], 26)[0]
        while 2 <= number < 0xFFF0:
            following = self.table[number]
            self.table[number] = 0
            number = following

    def _flush(self, folder: _Folder) -> None:
        for child in folder.folders.values():
            self._flush(child)
        content = b"".join(folder.entries)
        if not folder.clusters:
            return
        missing = -(-len(content) // CLUSTER) - len(folder.clusters)
        if missing > 0:
            more = self._take(missing)
            self.table[folder.clusters[-1]] = more[0]
            folder.clusters += more
        self._put(folder.clusters, content.ljust(len(folder.clusters) * CLUSTER, b"\0"))

    def _boot_sector(self, hidden: int) -> bytes:
        small = self.sectors if self.sectors < 65536 else 0
        head = struct.pack(
            "<3s8sHBHBHHBHHHIIBBBI11s8s",
            b"\xeb\x3c\x90",
            b"MSDOS5.0",
            SECTOR,
            PER_CLUSTER,
            RESERVED,
            2,
            ROOT_ENTRIES,
            small,
            0xF8,
            self.table_sectors,
            63,
            255,
            hidden,
            0 if small else self.sectors,
            0x80,
            0,
            0x29,
            self.serial,
            self.label.ljust(11).encode(),
            b"FAT16   ",
        )
        return head.ljust(510, b"\0") + b"\x55\xaa"

    def to_bytes(self) -> bytes:
        """The image: with a partition table the volume starts at sector 2,048 as p1, without it at 0 (p0)."""
        self._flush(self.root)
        root = b"".join(self.root.entries)
        if len(root) > ROOT_ENTRIES * 32:
            raise ValueError("the root directory is full")
        table = struct.pack(f"<{len(self.table)}H", *self.table).ljust(self.table_sectors * SECTOR, b"\0")
        volume = (
            self._boot_sector(FIRST_SECTOR if self.partitioned else 0)
            + table * 2
            + root.ljust(ROOT_ENTRIES * 32, b"\0")
        )
        volume = (volume + self.data).ljust(self.sectors * SECTOR, b"\0")
        if not self.partitioned:
            return volume
        entry = struct.pack("<B3sB3sII", 0, b"\x20\x21\x00", 0x0E, b"\xfe\xff\xff", FIRST_SECTOR, self.sectors)
        table_sector = (bytes(440) + struct.pack("<IH", self.serial ^ 0x5A5A5A5A, 0) + entry).ljust(
            510, b"\0"
        ) + b"\x55\xaa"
        return table_sector.ljust(FIRST_SECTOR * SECTOR, b"\0") + volume
