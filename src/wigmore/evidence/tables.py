"""Partition tables: MBR with its chain of extended tables, GPT, Apple, BSD, Sun; gaps between partitions included.

Types and names: UEFI specification 2.10, chapter 5 (GPT); the table itself is walked by The Sleuth Kit.
"""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass

import pytsk3

from wigmore.evidence.kit import Image
from wigmore.evidence.media import Media, reason_of
from wigmore.model.protocols import Gap

NAMES = {
    int(pytsk3.TSK_VS_TYPE_DOS): "MBR", int(pytsk3.TSK_VS_TYPE_GPT): "GPT", int(pytsk3.TSK_VS_TYPE_MAC): "APM",
    int(pytsk3.TSK_VS_TYPE_BSD): "BSD disk label", int(pytsk3.TSK_VS_TYPE_SUN): "Sun VTOC",
}  # fmt: skip
ORDER = (pytsk3.TSK_VS_TYPE_DETECT, pytsk3.TSK_VS_TYPE_GPT, pytsk3.TSK_VS_TYPE_DOS)
ALLOCATED, UNALLOCATED = int(pytsk3.TSK_VS_PART_FLAG_ALLOC), int(pytsk3.TSK_VS_PART_FLAG_UNALLOC)
MAX_PARTS = 4096
GPT_TYPES = {
    "c12a7328-f81f-11d2-ba4b-00a0c93ec93b": "EFI system", "e3c9e316-0b5c-4db8-817d-f92df00215ae": "Microsoft reserved",
    "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7": "Microsoft basic data",
    "de94bba4-06d1-4d40-a16a-bfd50179d6ac": "Windows recovery",
    "5808c8aa-7e8f-42e0-85d2-e1e90434cfb3": "LDM metadata", "af9b60a0-1431-4f62-bc68-3311714a69ad": "LDM data",
    "0fc63daf-8483-4772-8e79-3d69d8477de4": "Linux file system", "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f": "Linux swap",
    "e6d6d379-f507-44c2-a23c-238f2a3df928": "Linux LVM", "ca7d7ccb-63ed-4c53-861c-1742536059cc": "Linux LUKS",
    "a19d880f-05fc-4d3b-a006-743f0f84911e": "Linux RAID", "48465300-0000-11aa-aa11-00306543ecac": "Apple HFS+",
    "7c3457ef-0000-11aa-aa11-00306543ecac": "Apple APFS", "53746f72-6167-11aa-aa11-00306543ecac": "Apple Core Storage",
    "21686148-6449-6e6f-744e-656564454649": "BIOS boot",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slice:
    """One row of a table: `kind` is allocated, unallocated or table; sectors from the medium's start."""

    kind: str
    table: int
    slot: int
    start: int
    length: int
    description: str
    type_code: str = ""
    guid: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A partition table: scheme, bytes per sector, rows by start, and what of it could not be read."""

    scheme: str
    sector: int
    rows: tuple[Slice, ...]
    gaps: tuple[Gap, ...] = ()
    identifier: str = ""

    def volumes(self) -> list[Slice]:
        """The partitions in the table's own order: p1, p2, …"""
        return sorted(
            (row for row in self.rows if row.kind == "allocated"), key=lambda row: (row.table, row.slot, row.start)
        )


def read_table(media: Media) -> Table | None:
    """The partition table of a medium; None where the library finds none."""
    image = Image(media)
    for kind in ORDER:
        try:
            volume = pytsk3.Volume_Info(image, kind)
        except (OSError, RuntimeError):  # the library turns errors of the medium into RuntimeError
            continue
        return _table(media, volume)
    return None


def _table(media: Media, volume: pytsk3.Volume_Info) -> Table:
    scheme = NAMES.get(int(volume.info.vstype), "partition table")
    sector = int(volume.info.block_size)
    guids = gpt_entries(media, sector) if scheme == "GPT" else {}
    rows: list[Slice] = []
    gaps: list[Gap] = []
    total = media.size // sector
    try:
        for part in volume:
            flags = int(part.flags)
            kind = "allocated" if flags == ALLOCATED else "unallocated" if flags == UNALLOCATED else "table"
            start, length = int(part.start), int(part.len)
            text = bytes(part.desc or b"").decode("utf-8", "backslashreplace")
            code = text[text.rindex("(0x") + 1 : -1] if text.endswith(")") and "(0x" in text else ""
            entry = guids.get(start, ("", "", "")) if kind == "allocated" else ("", "", "")
            rows.append(
                Slice(
                    kind,
                    int(part.table_num),
                    int(part.slot_num),
                    start,
                    length,
                    text,
                    entry[0] or code,
                    entry[1],
                    entry[2],
                )
            )
            if kind == "allocated" and start + length > total:
                gaps.append(
                    Gap(
                        f"the partition at sector {start} ends behind the medium: {start + length} of {total}",
                        start * sector,
                        "truncated",
                    )
                )
            if len(rows) >= MAX_PARTS:
                gaps.append(Gap(f"more than {MAX_PARTS} rows in the partition table", None, "too_large"))
                break
    except (OSError, RuntimeError) as error:
        gaps.append(Gap(f"the partition table cannot be read on: {reason_of(error)}"))
    identifier = ""
    if scheme == "MBR":
        identifier = f"{int.from_bytes(media.read_at(440, 4), 'little'):08x}"
    elif scheme == "GPT":
        identifier = str(uuid.UUID(bytes_le=media.read_at(sector + 56, 16).ljust(16, b"\0")))
    return Table(scheme, sector, tuple(rows), tuple(gaps), identifier)


def gpt_entries(media: Media, sector: int) -> dict[int, tuple[str, str, str]]:
    """First sector → (type GUID, unique GUID, name) of the GPT entries; the second copy where the first is broken."""
    for place in (sector, media.size // sector * sector - sector):
        header = media.read_at(place, 92)
        if header[:8] != b"EFI PART":
            continue
        start, count, size = struct.unpack_from("<QII", header, 72)
        if not 128 <= size <= 4096 or count > 1024:
            continue
        raw = media.read_at(start * sector, count * size)
        found = {}
        for at in range(0, len(raw) - 127, size):
            if any(raw[at : at + 16]):
                first = struct.unpack_from("<Q", raw, at + 32)[0]
                name = raw[at + 56 : at + 128].decode("utf-16-le", "backslashreplace").split("\0")[0]
                kind, unique = (str(uuid.UUID(bytes_le=raw[at + shift : at + shift + 16])) for shift in (0, 16))
                found[first] = (kind, unique, name)
        if found:
            return found
    return {}
