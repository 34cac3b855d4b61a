"""Folder indexes of NTFS ($I30) as loose files: entries in use, and names left in the free part of index blocks."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from wigmore.artifacts.windows.ntfs_structures import IndexEntry, file_name, fix_up, index_entry, plausible, times_of
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.registry import Claim, parser

MARK = b"INDX"  # codespell:ignore indx
BLOCK = 4096
MOST_BLOCKS = 1_000_000


def _record(entry: IndexEntry, base: int, state: str) -> Yield:
    data = {**entry.key.data(), "record_number": entry.record, "sequence": entry.sequence}
    times = times_of(entry.key.stamps)
    place = {"kind": "offset", "offset": base + entry.offset, "length": entry.length}
    return place, Record(data, times, "modified" if "modified" in times else None, state)


def _slack(block: bytes, start: int, base: int) -> Iterator[Yield]:
    """Entries in the free part: whole ones, and names whose entry head was overwritten."""
    at = (start + 7) & ~7
    while at + 82 <= len(block):
        entry = index_entry(block, at)
        if entry is not None and plausible(entry.key):
            yield _record(entry, base, "unallocated")
            at += entry.length
            continue
        name = file_name(block, at)
        if name is not None and plausible(name) and name.parent:
            data = {**name.data(), "entry_head": "overwritten"}
            times = times_of(name.stamps)
            length = 66 + 2 * len(name.name)
            place = {"kind": "offset", "offset": base + at, "length": length}
            yield place, Record(data, times, "modified" if "modified" in times else None, "unallocated")
            at += (length + 7) & ~7
            continue
        at += 8


@parser(
    "windows.ntfs.i30",
    claims=Claim(magic=((0, MARK + b"\x28\0"), (0, MARK + b"\x1e\0"))),
    reads="$I30 index allocations of NTFS folders, exported as files",
    means="The folder had an entry of this name, leading to this record, with sizes and times as last copied into it.",
    does_not_mean=(
        "For an entry in free space: when it went, or that the file was deleted rather than renamed or moved; entries are "
        "also shifted when others come and go, so that the same name may stand in use as well."
    ),
    refs=("https://flatcap.github.io/linux-ntfs/ntfs/concepts/index_record.html",),
)
def folder_index(file: EvidenceFile) -> Iterator[Yield]:
    """Entries in block order: those in use first in each block, then those of its free part (`unallocated`).

    Format: blocks of 4,096 bytes, mark, update sequence, index header at 24, entries; free part after them.
    """
    with file.open() as stream:
        for number in range(MOST_BLOCKS):
            raw = stream.read(BLOCK)
            base = number * BLOCK
            if len(raw) < BLOCK:
                if raw:
                    yield Gap(f"the last {len(raw)} bytes are no whole index block", base, "truncated")
                return
            if raw[:4] != MARK:
                if raw.strip(b"\0"):
                    yield Gap("no index block where one should stand", base)
                continue
            block = bytearray(raw)
            if not fix_up(block):
                yield Gap("a sector of the index block is torn", base)
            content = bytes(block)
            first, used = struct.unpack_from("<II", content, 24)
            at, end = 24 + first, min(24 + used, BLOCK)
            while at + 16 <= end:
                length, _, flags = struct.unpack_from("<HHH", content, at + 8)
                if flags & 2 or length < 16:
                    break
                entry = index_entry(content[:end], at)
                if entry is None:
                    yield Gap("an index entry in use does not fit its lengths", base + at)
                    break
                yield _record(entry, base, "live")
                at += length
            yield from _slack(content, end, base)
        yield Gap(f"only the first {MOST_BLOCKS} blocks are read", MOST_BLOCKS * BLOCK, "too_large")
