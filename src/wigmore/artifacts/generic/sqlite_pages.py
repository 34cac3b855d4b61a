"""SQLite files as pages: header, b-trees, freelist, overflow chains, frames of the log and pages of the rollback journal.

Written from https://www.sqlite.org/fileformat2.html (database header 1.3, b-tree pages 1.6, freelist 1.5, pointer maps 1.8,
rollback journal 3, write-ahead log 4). Nothing here trusts a number of the file: each is held against the page or file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap

from wigmore.artifacts.generic.sqlite_layout import MAGIC, varint
from wigmore.model.protocols import Gap

INTERIOR_INDEX, INTERIOR_TABLE, LEAF_INDEX, LEAF_TABLE = 2, 5, 10, 13
BTREE = {INTERIOR_INDEX: 12, INTERIOR_TABLE: 12, LEAF_INDEX: 8, LEAF_TABLE: 8}  # page type → bytes of its header
JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
LOCK_BYTE = 1 << 30
CHAIN = 100_000  # pages of one overflow chain that are followed
DEPTH = 40
BROKEN = 1_000
Data = bytes | mmap


@dataclass(frozen=True)
class Shape:
    """What the first hundred bytes say of all pages."""

    page: int
    usable: int
    encoding: str
    freelist: int
    moved: bool  # auto-vacuum: pointer-map pages stand between the others

    @staticmethod
    def of(head: bytes) -> Shape | None:
        """The shape, or None where the header cannot be meant."""
        if len(head) < 100 or not head.startswith(MAGIC):
            return None
        size = int.from_bytes(head[16:18], "big")
        size = 65536 if size == 1 else size
        if size < 512 or size & (size - 1) or size - head[20] < 480:
            return None
        code = int.from_bytes(head[56:60], "big")
        encoding = {2: "utf-16-le", 3: "utf-16-be"}.get(code, "utf-8")
        return Shape(size, size - head[20], encoding, int.from_bytes(head[32:36], "big"), any(head[52:56]))

    def local(self, payload: int, table: bool = True) -> int:
        """How much of a payload stands in the cell itself."""
        most = self.usable - 35 if table else (self.usable - 12) * 64 // 255 - 23
        if payload <= most:
            return payload
        least = (self.usable - 12) * 32 // 255 - 23
        rest = least + (payload - least) % (self.usable - 4)
        return rest if rest <= most else least


@dataclass(frozen=True, slots=True)
class Image:
    """One copy of a page: number, where it stands, its bytes."""

    number: int
    data: bytes
    file: str  # "" the database, "-wal" or "-journal"
    offset: int


class View:
    """The pages of one version: the file's own, or those a log has in their stead."""

    def __init__(self, shape: Shape, data: Data, log: Data = b"", overlay: dict[int, int] | None = None) -> None:
        self.shape, self.data, self.log, self.overlay = shape, data, log, overlay or {}
        self.broken: list[int] = []  # pages that a b-tree names and that are none
        self.pages = max(-(-len(data) // shape.page), max(self.overlay, default=0))

    def image(self, number: int) -> Image | None:
        """A page of this version; None past the end and where less than a page is there."""
        size = self.shape.page
        at = self.overlay.get(number)
        if at is not None:
            return Image(number, self.log[at : at + size], "-wal", at)
        at = (number - 1) * size
        if number < 1 or at + size > len(self.data):
            return None
        return Image(number, self.data[at : at + size], "", at)

    def freelist(self) -> tuple[dict[int, int], Gap | None]:
        """Pages of the freelist, trunks with the bytes their own list takes, leaves with 0; a gap where it breaks off."""
        found: dict[int, int] = {}
        head = self.image(1)
        trunk = int.from_bytes(head.data[32:36], "big") if head else 0
        while trunk:
            image = self.image(trunk)
            if image is None or trunk in found:
                return found, Gap(f"the freelist breaks off: page {trunk} is not there or named twice")
            following, count = struct.unpack(">II", image.data[:8])
            if count > self.shape.usable // 4 - 2:
                return found, Gap(f"freelist page {trunk} names {count} pages, more than it can hold", image.offset)
            found[trunk] = 8 + 4 * count
            for leaf in struct.unpack(f">{count}I", image.data[8 : 8 + 4 * count]):
                if 1 < leaf <= self.pages:
                    found.setdefault(leaf, 0)
            trunk = following
        return found, None

    def walk(self, root: int, seen: set[int]) -> Iterator[tuple[Image, int]]:
        """Pages of a b-tree with their type, parents first; `seen` pages, those of other types and missing ones are not."""
        stack = [(root, 0)]
        while stack:
            number, depth = stack.pop()
            if number in seen or depth > DEPTH:
                continue
            image = self.image(number)
            start = 100 if number == 1 else 0
            kind = image.data[start] if image is not None else 0
            if image is None or kind not in BTREE:
                if len(self.broken) < BROKEN:
                    self.broken.append(number)
                continue
            seen.add(number)
            yield image, kind
            if kind in (INTERIOR_TABLE, INTERIOR_INDEX):
                children = [
                    int.from_bytes(image.data[at : at + 4], "big") for at in cells(image, kind, self.shape.usable)
                ]
                children.append(int.from_bytes(image.data[start + 8 : start + 12], "big"))
                stack.extend((child, depth + 1) for child in reversed(children))

    def overflow(self, number: int, length: int) -> Iterator[int]:
        """Page numbers of an overflow chain that holds `length` bytes."""
        known: set[int] = set()
        while number and length > 0 and number not in known and len(known) < CHAIN:
            image = self.image(number)
            if image is None:
                return
            known.add(number)
            yield number
            length -= self.shape.usable - 4
            number = int.from_bytes(image.data[:4], "big")

    def aside(self, number: int) -> bool:
        """Whether a page is one of those that hold no content: pointer maps and the locking page."""
        if (number - 1) * self.shape.page <= LOCK_BYTE < number * self.shape.page:
            return True
        return self.shape.moved and number >= 2 and (number - 2) % (self.shape.usable // 5 + 1) == 0


def cells(image: Image, kind: int, usable: int) -> list[int]:
    """Offsets of the cells that a b-tree page's pointer array names, those inside the page."""
    start = 100 if image.number == 1 else 0
    first = start + BTREE[kind]
    count = min(int.from_bytes(image.data[start + 3 : start + 5], "big"), (usable - first) // 2)
    found = struct.unpack(f">{count}H", image.data[first : first + 2 * count])
    return [at for at in found if first + 2 * count <= at < usable - 3]


def free_parts(image: Image, kind: int, usable: int) -> tuple[tuple[int, int], list[tuple[int, int]]]:
    """The gap between pointers and cells, and the free blocks, as (start, end) inside the page."""
    start = 100 if image.number == 1 else 0
    data = image.data
    count = min(int.from_bytes(data[start + 3 : start + 5], "big"), usable // 2)
    content = int.from_bytes(data[start + 5 : start + 7], "big") or 65536
    low = start + BTREE[kind] + 2 * count
    gap = (low, min(content, usable)) if low < content else (low, low)
    blocks: list[tuple[int, int]] = []
    at = int.from_bytes(data[start + 1 : start + 3], "big")
    while at and at + 4 <= usable and (not blocks or at > blocks[-1][0]):
        following, size = struct.unpack(">HH", data[at : at + 4])
        if size < 4 or at + size > usable:
            break
        blocks.append((at, at + size))
        at = following
    return gap, blocks


def live_cell(data: bytes, at: int) -> tuple[int, int, int]:
    """Payload length, rowid and place of the payload of a table leaf cell."""
    payload, at = varint(data, at)
    rowid, at = varint(data, at)
    return payload, rowid - (1 << 64) if rowid >= 1 << 63 else rowid, at


# --- the log ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of the write-ahead log: page, its place, what became of it."""

    number: int
    offset: int  # of the page's bytes
    index: int
    state: str  # committed, uncommitted or earlier (left of an earlier use of the file)


def frames(log: Data, page: int) -> Iterator[Frame]:
    """All frames: those up to the last commit whose checksums hold, those after it, those of earlier rounds."""
    if len(log) < 32 or log[:4] not in (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83"):
        return
    stated = int.from_bytes(log[8:12], "big")
    if (65536 if stated == 1 else stated) != page:
        return
    order = ">" if log[3] & 1 else "<"
    salts = log[16:24]
    sums = _sum((0, 0), log[:24], order)
    whole = sums == struct.unpack(">II", log[24:32])
    pending: list[Frame] = []
    size = 24 + page
    for index in range((len(log) - 32) // size):
        at = 32 + index * size
        number, commit = struct.unpack(">II", log[at : at + 8])
        same = log[at + 8 : at + 16] == salts
        if whole and same:
            sums = _sum(_sum(sums, log[at : at + 8], order), log[at + 24 : at + size], order)
            whole = sums == struct.unpack(">II", log[at + 16 : at + 24])
        else:
            whole = False
        frame = Frame(number, at + 24, index, "uncommitted" if same else "earlier")
        if not whole:
            yield from pending
            pending = []
            yield frame
            continue
        pending.append(frame)
        if commit:
            yield from (Frame(f.number, f.offset, f.index, "committed") for f in pending)
            pending = []
    yield from pending


def _sum(sums: tuple[int, int], data: bytes, order: str) -> tuple[int, int]:
    first, second = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second


# --- the rollback journal ---------------------------------------------------------------------------------------------


def journal_pages(data: Data, page: int) -> Iterator[Image]:
    """Pages as they were before the last transaction, as long as their checksums share one nonce.

    A journal that was kept (PERSIST) has its header wiped; sector size and nonce then follow from the records.
    """
    kept = data[:8] == JOURNAL_MAGIC
    if kept and int.from_bytes(data[24:28], "big") not in (0, page):
        return
    stated = int.from_bytes(data[20:24], "big") if kept else 0
    size = page + 8
    for sector in (stated,) if stated else (512, 4096, 1024, 2048):
        if not 28 <= sector <= 65536 or sector + size > len(data):
            continue
        nonce: int | None = int.from_bytes(data[12:16], "big") if kept else None
        found: list[tuple[int, int]] = []
        at = sector
        while at + size <= len(data):
            number = int.from_bytes(data[at : at + 4], "big")
            raw = data[at + 4 : at + 4 + page]
            total = sum(raw[i] for i in range(page - 200, 0, -200))
            said = (int.from_bytes(data[at + size - 4 : at + size], "big") - total) & 0xFFFFFFFF
            if not number or (nonce is not None and said != nonce):
                break
            nonce = said
            found.append((number, at + 4))
            at += size
        if found and (kept or len(found) > 1 or _is_page(data, found[0])):
            for number, offset in found:
                yield Image(number, data[offset : offset + page], "-journal", offset)
            return


def _is_page(data: Data, place: tuple[int, int]) -> bool:
    number, offset = place
    return data[offset : offset + 16] == MAGIC if number == 1 else data[offset] in BTREE
