"""The NTFS master file table read in one pass: $STANDARD_INFORMATION and $FILE_NAME times, attributes, sequence.

Format: Microsoft [MS-FSA] and the Linux-NTFS documentation (FILE record, update sequence array, attribute headers).
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable

from wigmore.model import times
from wigmore.model.times import Time

PIECE = 1024 * 1024
MAX_RECORDS = 64_000_000
IN_USE = 1
HIDDEN_NAMESPACE = 2  # the short DOS name beside a long one
FLAGS = {
    0x1: "read_only", 0x2: "hidden", 0x4: "system", 0x20: "archive", 0x100: "temporary", 0x200: "sparse",
    0x400: "reparse_point", 0x800: "compressed", 0x1000: "offline", 0x2000: "not_indexed", 0x4000: "encrypted",
    0x40000: "recall_on_open", 0x80000: "pinned", 0x100000: "unpinned", 0x400000: "recall_on_data_access",
}  # fmt: skip
FIELDS = ("created", "modified", "changed", "accessed")  # the order on disk
_HEADER = struct.Struct("<4sHHQHHHHIIQ")
_ATTRIBUTE = struct.Struct("<IIBBHHH")


class MasterFileTable:
    """Times and flags by record number, in arrays: about 80 bytes a record.

    `read` gives bytes of the $MFT stream (offset, length); `size` its length, `record_size` that of one FILE record.
    """

    def __init__(self, read: Callable[[int, int], bytes], size: int, record_size: int) -> None:
        self.record_size = record_size
        self.count = min(size // record_size, MAX_RECORDS)
        self.times = array("Q", bytes(64 * self.count))
        self.flags = array("I", bytes(4 * self.count))
        self.sequence = array("H", bytes(2 * self.count))
        self.used = bytearray(self.count)
        self.bad: list[int] = []
        self.links: dict[int, list[tuple[int, str, tuple[int, ...]]]] = {}
        late: list[tuple[int, int, str, tuple[int, ...]]] = []
        step = max(1, PIECE // record_size) * record_size
        for start in range(0, self.count * record_size, step):
            piece = self._piece(read, start, min(step, self.count * record_size - start))
            for offset in range(0, len(piece) - record_size + 1, record_size):
                self._record(piece, offset, (start + offset) // record_size, late)
        for base, parent, name, stamps in late:
            self._name(base, parent, name, stamps)

    def _piece(self, read: Callable[[int, int], bytes], start: int, length: int) -> bytearray:
        """Bytes of the table; where a part of it cannot be read, zeros and a note of its records."""
        try:
            return bytearray(read(start, length))
        except (OSError, RuntimeError):
            if length <= self.record_size:
                self.bad.append(start // self.record_size)
                return bytearray(self.record_size)
        half = length // self.record_size // 2 * self.record_size
        return self._piece(read, start, half) + self._piece(read, start + half, length - half)

    def _record(
        self, piece: bytearray, start: int, number: int, late: list[tuple[int, int, str, tuple[int, ...]]]
    ) -> None:
        mark, fix_at, fix_count, _, sequence, _, first, flags, _, _, base = _HEADER.unpack_from(piece, start)
        if mark != b"FILE":
            if mark == b"BAAD":
                self.bad.append(number)
            return
        end = start + self.record_size
        if not self._fix(piece, start, fix_at, fix_count):
            self.bad.append(number)
            return
        self.used[number] = 2 if flags & IN_USE else 1
        self.sequence[number] = sequence
        place = start + first
        while place + 24 <= end:
            kind, length, resident, _, _, _, _ = _ATTRIBUTE.unpack_from(piece, place)
            if kind > 0x30 or length < 24 or place + length > end:
                break  # attributes are in order of type; the two wanted are the first ones
            if resident == 0 and kind in (0x10, 0x30):
                size, at = struct.unpack_from("<IH", piece, place + 16)
                at += place
                if at + size <= end:
                    if kind == 0x10 and size >= 36 and not base:
                        self.times[number * 8 : number * 8 + 4] = array("Q", struct.unpack_from("<4Q", piece, at))
                        (self.flags[number],) = struct.unpack_from("<I", piece, at + 32)
                    elif kind == 0x30 and size >= 66:
                        self._found_name(piece, at, size, number, base, late)
            place += length

    def _fix(self, piece: bytearray, start: int, at: int, count: int) -> bool:
        """Put the sector ends back (update sequence array); False where a sector is torn."""
        if count < 2 or at + 2 * count > self.record_size or (count - 1) * 512 > self.record_size:
            return False
        mark = piece[start + at : start + at + 2]
        for sector in range(1, count):
            end = start + sector * 512
            if piece[end - 2 : end] != mark:
                return False
            piece[end - 2 : end] = piece[start + at + 2 * sector : start + at + 2 * sector + 2]
        return True

    def _found_name(
        self,
        piece: bytearray,
        at: int,
        size: int,
        number: int,
        base: int,
        late: list[tuple[int, int, str, tuple[int, ...]]],
    ) -> None:
        length, namespace = piece[at + 64], piece[at + 65]
        if namespace == HIDDEN_NAMESPACE or 66 + 2 * length > size:
            return
        (parent,) = struct.unpack_from("<Q", piece, at)
        name = piece[at + 66 : at + 66 + 2 * length].decode("utf-16-le", "surrogatepass")
        stamps = struct.unpack_from("<4Q", piece, at + 8)
        if base:
            late.append((base & 0xFFFFFFFFFFFF, parent, name, stamps))
        else:
            self._name(number, parent, name, stamps)

    def _name(self, number: int, parent: int, name: str, stamps: tuple[int, ...]) -> None:
        if number >= self.count:
            return
        at = number * 8 + 4
        if not any(self.times[at : at + 4]):
            self.times[at : at + 4] = array("Q", stamps)
            return
        self.links.setdefault(number, []).append((parent & 0xFFFFFFFFFFFF, name, stamps))

    def stamps(self, number: int, parent: int, name: str) -> dict[str, Time]:
        """The times of one record: $STANDARD_INFORMATION's, and with `fn_` those of the $FILE_NAME of that name."""
        if not 0 <= number < self.count:
            return {}
        at = number * 8
        found = dict(zip(FIELDS, self.times[at : at + 4], strict=True))
        names = tuple(self.times[at + 4 : at + 8])
        for link_parent, link_name, link_stamps in self.links.get(number, ()):
            if link_parent == parent and link_name == name:
                names = link_stamps
        found |= {f"fn_{field}": value for field, value in zip(FIELDS, names, strict=True)}
        return {field: time for field, value in found.items() if value and (time := shared_filetime(value)) is not None}

    def named(self, number: int) -> bool:
        """Whether a record was ever a file: it has a name."""
        at = number * 8 + 4
        return 0 <= number < self.count and any(self.times[at : at + 4])

    def attributes(self, number: int) -> list[str]:
        """The names of the DOS attributes that are set."""
        if not 0 <= number < self.count:
            return []
        value = self.flags[number]
        return [name for bit, name in FLAGS.items() if value & bit]


_KNOWN: dict[int, Time | None] = {}


def shared_filetime(value: int) -> Time | None:
    """A FILETIME as Time; equal ones share one dictionary (most times of a volume repeat). Not to be changed."""
    if value in _KNOWN:
        return _KNOWN[value]
    if len(_KNOWN) > 65_536:
        _KNOWN.clear()
    time = times.filetime(value)
    _KNOWN[value] = time
    return time
