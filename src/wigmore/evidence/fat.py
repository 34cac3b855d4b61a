"""FAT and exFAT directory entries as stored: local dates with their native precision, attributes, first cluster.

Formats: Microsoft FAT specification 1.03, section 6; Microsoft exFAT specification, section 7.4.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from wigmore.evidence.store import Stream
from wigmore.model import times
from wigmore.model.times import Time

FIRST_NUMBER = 3  # The Sleuth Kit numbers the 32-byte slots from the first sector after the tables on, from 3
FLAGS = {0x01: "read_only", 0x02: "hidden", 0x04: "system", 0x20: "archive"}


@dataclass(frozen=True, slots=True)
class Slot:
    """One directory entry: its byte offset in the volume and what it holds."""

    offset: int
    attributes: list[str]
    times: dict[str, Time]
    size: int
    first_cluster: int
    deleted: bool


class Slots:
    """Finds directory entries by The Sleuth Kit's inode number."""

    def __init__(self, volume: Stream, *, extended: bool) -> None:
        self.volume, self.extended = volume, extended
        head = volume.read_at(0, 512)
        if extended:
            self.sector = 1 << min(head[108], 12)
            self.first = int.from_bytes(head[88:92], "little")
        else:
            self.sector, _, reserved, tables = struct.unpack_from("<HBHB", head, 11)
            length = int.from_bytes(head[22:24], "little") or int.from_bytes(head[36:40], "little")
            self.first = reserved + tables * length
        self._at, self._piece = -1, b""

    def read(self, number: int) -> Slot | None:
        """The entry with that number; None where it lies outside the volume or is no file's entry."""
        index = number - FIRST_NUMBER
        offset = self.first * self.sector + index * 32
        if index < 0 or offset + 32 > self.volume.size:
            return None
        raw = self._bytes(offset, 96 if self.extended else 32)
        return extended_slot(raw, offset) if self.extended else slot(raw, offset)

    def _bytes(self, offset: int, length: int) -> bytes:
        start = offset - self._at
        if self._at < 0 or start < 0 or start + length > len(self._piece):
            self._at = offset // 65536 * 65536
            self._piece = self.volume.read_at(self._at, 65536 + 96)
            start = offset - self._at
        return self._piece[start : start + length]


def slot(raw: bytes, offset: int) -> Slot | None:
    """A 32-byte FAT entry; None for parts of long names."""
    if len(raw) < 32 or raw[11] & 0x3F == 0x0F or not raw[0]:
        return None
    tenths, clock, date, accessed, high, changed_clock, changed_date, low, size = struct.unpack_from(
        "<BHHHHHHHI", raw, 13
    )
    found = {
        "created": times.fat(date, clock, tenths),
        "modified": times.fat(changed_date, changed_clock),
        "accessed": _day(accessed),
    }
    names = [name for bit, name in FLAGS.items() if raw[11] & bit]
    stamps = {name: time for name, time in found.items() if time}
    return Slot(offset, names, stamps, size, high << 16 | low, raw[0] == 0xE5)


def _day(date: int) -> Time | None:
    time = times.fat(date, 0)
    if time is None:
        return None
    return {**time, "text": time["text"][:10], "raw": f"{date:#06x}", "precision": 86400.0}


def extended_slot(raw: bytes, offset: int) -> Slot | None:
    """An exFAT file entry with the stream entry behind it; None for other entries."""
    if len(raw) < 64 or raw[0] & 0x7F != 0x05:
        return None
    flags = struct.unpack_from("<H", raw, 4)[0]
    created, modified, accessed = struct.unpack_from("<III", raw, 8)
    found = {
        "created": _moment(created, raw[20], raw[22]),
        "modified": _moment(modified, raw[21], raw[23]),
        "accessed": _moment(accessed, 0, raw[24]),
    }
    cluster, size = struct.unpack_from("<IQ", raw, 32 + 20) if raw[32] & 0x7F == 0x40 else (0, 0)
    names = [name for bit, name in FLAGS.items() if flags & bit]
    return Slot(offset, names, {name: time for name, time in found.items() if time}, size, cluster, not raw[0] & 0x80)


def _moment(stamp: int, tenths: int, offset: int) -> Time | None:
    local = times.fat(stamp >> 16, stamp & 0xFFFF, min(tenths, 199))
    if local is None or not offset & 0x80:
        return local
    quarters = (offset & 0x7F) - (0x80 if offset & 0x40 else 0)
    moment = datetime.fromisoformat(local["text"]).replace(tzinfo=timezone(timedelta(minutes=15 * quarters)))
    raw = f"{stamp:#010x} {tenths} {offset:#04x}"
    return times.aware(moment, raw, source="exFAT stores the offset", precision=local["precision"])
