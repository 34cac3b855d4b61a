"""Files found by signature in a piece of free space: each judged by its own format, as far as it goes on contiguously.

Formats that file systems begin at a sector are looked for at each 512 bytes; JPEG, PNG and ZIP anywhere, since others
hold them. What lies inside a file that was found whole is not listed again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import BinaryIO

from wigmore.evidence.carving_formats import Bytes, Exhausted, Found, Look, atoms, gif, gzip, jpeg, packed, pdf, png
from wigmore.evidence.carving_records import compound, event_chunk, event_log, hive, shortcut, sqlite
from wigmore.evidence.store import Entry, Limits, Store, StoreFile, Stream, buffered
from wigmore.evidence.unallocated import NAME
from wigmore.model.protocols import Gap, ParseError

SECTOR = 512
WINDOW = 4 * 1024 * 1024
CAVEAT = "carved: contiguous bytes by signature; fragments of other files may be inside"
BUDGET = 1024 * 1024 * 1024  # bytes that validators may read of one piece, and that much again for each of its bytes
TIMES = 16
# by the first four bytes of a sector: the whole signature, and who judges
ALIGNED: dict[bytes, tuple[bytes, Look]] = {
    mark[:4]: (mark, look)
    for mark, look in (
        (b"GIF8", gif),
        (b"%PDF-", pdf),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", compound),
        (b"SQLite format 3\0", sqlite),
        (b"ElfFile\0", event_log),
        (b"ElfChnk\0", event_chunk),
        (b"regf", hive),
        (b"L\0\0\0\x01\x14\x02\0", shortcut),
        *((b"\x1f\x8b\x08" + bytes([flags]), gzip) for flags in range(32)),
    )
}
ANYWHERE: tuple[tuple[bytes, Look], ...] = (
    (b"\xff\xd8\xff", jpeg),
    (b"\x89PNG\r\n\x1a\n", png),
    (b"PK\x03\x04", packed),
)
FTYP = b"ftyp"  # four bytes into its file
LONGEST_MARK = 16
EXTENSIONS: dict[str, Look] = {
    "jpg": jpeg, "png": png, "gif": gif, "pdf": pdf, "sqlite": sqlite, "evtx": event_log, "evtx_chunks": event_chunk,
    "hive": hive, "lnk": shortcut, "gz": gzip,
    **dict.fromkeys(("zip", "docx", "xlsx", "pptx", "odt", "ods", "odp", "odg", "epub", "apk", "jar"), packed),
    **dict.fromkeys(("ole", "doc", "xls", "ppt", "msg", "db", "automaticDestinations-ms"), compound),
    **dict.fromkeys(("mp4", "mov", "m4a", "3gp", "heic", "avif"), atoms),
}  # fmt: skip


def candidates(window: bytes, at: int) -> list[tuple[int, Look]]:
    """Places of signatures in a window that lies at `at` (a multiple of 512), in order."""
    found: list[tuple[int, Look]] = []
    for place in range(0, len(window) - 4, SECTOR):
        known = ALIGNED.get(window[place : place + 4])
        if known is not None and window.startswith(known[0], place):
            found.append((at + place, known[1]))
        if window[place + 4 : place + 8] == FTYP:
            found.append((at + place, atoms))
    for mark, look in ANYWHERE:
        place = window.find(mark)
        while place >= 0:
            found.append((at + place, look))
            place = window.find(mark, place + 1)
    found.sort(key=lambda one: one[0])
    return found


def carve(stream: BinaryIO, size: int, budget: int | None = None) -> Iterator[tuple[int, Found] | Gap]:
    """The files in a stream with their places, in order; a Gap where the work had to stop."""
    data = Bytes(stream, size, BUDGET + TIMES * size if budget is None else budget)
    reach, zeros = 0, bytes(WINDOW)
    for at in range(0, size, WINDOW):
        stream.seek(at)
        window = stream.read(min(WINDOW + LONGEST_MARK, size - at))
        if window[:WINDOW] == zeros[: len(window[:WINDOW])]:
            continue
        for place, look in candidates(window, at):
            if place < reach or place >= at + WINDOW:
                continue
            try:
                found = look(data, place)
            except Exhausted:
                yield Gap("carving was stopped: its signatures cost more reading than allowed", place, "too_large")
                return
            if found is not None and found.length > 0:
                reach = place + (found.length if found.covers < 0 else found.covers)
                yield place, found


class CarvedStore(Store):
    """The files in one piece of free space; they begin with its path."""

    kind = "carved"
    carved = True

    def __init__(self, piece: StoreFile, prefix: str, limits: Limits) -> None:
        super().__init__(piece.source_id, prefix, limits)
        self.piece = piece
        self._places: list[tuple[int, int]] | None = None  # the piece's runs in the medium
        self._before: list[int] = []  # bytes of the piece before each

    def entries(self) -> Iterator[Entry | Gap]:
        """One entry a file, by place; those cut short among them."""
        count = 0
        with self.piece.open() as stream:
            for found in carve(stream, self.piece.size):
                if isinstance(found, Gap):
                    yield Gap(f"{self.prefix}: {found.message}", found.offset, found.reason)
                    return
                count += 1
                if count > self.limits.max_carved:
                    what = (
                        f"{self.prefix}: more than {self.limits.max_carved} files by signature: the rest is not listed"
                    )
                    yield Gap(what, found[0], "too_large")
                    return
                yield self._entry(*found)

    def _entry(self, at: int, found: Found) -> Entry:
        name = f"{at:08x}.{found.extension}"
        runs = self._runs(at, found.length)
        attributes = {"offset_in_piece": at, "complete": found.whole, **found.facts}
        if runs:
            attributes |= {"medium_offset": runs[0][0], "runs": len(runs)}
        return Entry(
            self.join(name), name, size=found.length, allocated=False, recovery="intact" if found.whole else "partial",
            caveat=CAVEAT, attributes=attributes, ref={"start": at},
        )  # fmt: skip

    def find(self, path: str) -> Entry | None:
        """The file at a path, judged again at its place; nothing else of the piece is read."""
        name = path[len(self.prefix) + 1 :] if path.startswith(self.prefix + "/") else ""
        place, dot, extension = name.partition(".")
        look = EXTENSIONS.get(extension)
        if look is None or not dot or not NAME.fullmatch(place.rjust(12, "0")):
            return None
        at = int(place, 16)
        with self.piece.open() as stream:
            try:
                found = look(Bytes(stream, self.piece.size, BUDGET), at) if self._marked(stream, at, look) else None
            except Exhausted:
                return None
        entry = self._entry(at, found) if found is not None and found.length > 0 else None
        return entry if entry is not None and entry.name == name else None

    @staticmethod
    def _marked(stream: BinaryIO, at: int, look: Look) -> bool:
        stream.seek(at)
        head = stream.read(SECTOR)
        return any(place == 0 and one is look for place, one in candidates(head, 0))

    def open_entry(self, entry: Entry) -> BinaryIO:
        """A stream over the bytes of the piece."""
        start = entry.ref.get("start")
        if not isinstance(start, int) or start + entry.size > self.piece.size:
            raise ParseError(entry.path, None, "not a part of this piece")
        return buffered(_Part(self.piece.open(), start, entry.size))

    def extents(self, entry: Entry) -> list[tuple[int, int]]:
        """Where the file lies in the medium: (byte offset, bytes) in order."""
        return self._runs(entry.ref["start"], entry.size)

    def _runs(self, start: int, length: int) -> list[tuple[int, int]]:
        if self._places is None:
            self._places = self.piece.store.extents(self.piece.entry)
            self._before = list(accumulate((count for _, count in self._places[:-1]), initial=0))
        found = []
        index = bisect_right(self._before, start) - 1
        while length > 0 and 0 <= index < len(self._places):
            offset, count = self._places[index]
            inside = start - self._before[index]
            part = min(length, count - inside)
            found.append((offset + inside, part))
            start, length, index = start + part, length - part, index + 1
        return found


class _Part(Stream):
    """A part of a seekable stream, which it closes."""

    def __init__(self, under: BinaryIO, start: int, size: int) -> None:
        super().__init__(size)
        self._under, self._start = under, start

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes at `offset` of the part."""
        self._under.seek(self._start + offset)
        return self._under.read(length)

    def close(self) -> None:
        """Close what lies below."""
        if not self.closed:
            self._under.close()
        super().close()
