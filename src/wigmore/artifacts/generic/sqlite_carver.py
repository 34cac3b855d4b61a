"""Table rows in free parts of SQLite pages, matched to the tables of the schema.

The record format is https://www.sqlite.org/fileformat2.html#record_format: a header of serial types, then the values. In
free space a row is found by its header: the types must be ones the columns of a table can hold. A whole cell has its length
and rowid before the header, and the length must be what the types add up to. A freed cell loses its first four bytes to the
list of free blocks (1.6): what follows is then a fragment, whose missing parts are named.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from wigmore.artifacts.generic.sqlite_layout import varint
from wigmore.artifacts.generic.sqlite_pages import (
    BTREE,
    LEAF_TABLE,
    Image,
    Shape,
    View,
    cells,
    free_parts,
    live_cell,
)
from wigmore.model.canonical import shown

INTEGER, TEXT, BLOB, REAL, NUMERIC = "INTEGER", "TEXT", "BLOB", "REAL", "NUMERIC"
WIDTHS = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0)
LONG = rb"[\x81-\xff][\x00-\x7f]|[\x81-\xff][\x80-\xff][\x00-\x7f]"
ODD = b"".join(b"\\x%02x" % n for n in range(13, 128, 2))  # serial types of texts: odd, 13 and up
ODD_LOW = b"".join(b"\\x%02x" % n for n in range(3, 128, 2))
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
COLUMNS = 2_000
TELLING = 18.0  # bits of a header that make it more than chance
STRONG = 4  # characters of text that make a headless row credible


def affinity(declared: str) -> str:
    """The affinity of a declared column type (https://www.sqlite.org/datatype3.html, 3.1)."""
    name = declared.upper()
    if "INT" in name:
        return INTEGER
    if any(part in name for part in ("CHAR", "CLOB", "TEXT")):
        return TEXT
    if "BLOB" in name or not name:
        return BLOB
    return REAL if any(part in name for part in ("REAL", "FLOA", "DOUB")) else NUMERIC


@dataclass(frozen=True)
class Table:
    """A table with rowids: columns as its records store them; `alias` is the column that stands for the rowid."""

    name: str
    columns: tuple[str, ...]
    affinities: tuple[str, ...]
    required: tuple[bool, ...]
    alias: int | None = None
    counts: frozenset[int] = frozenset()  # numbers of values that its live rows have, where columns were added

    def types(self, count: int, first: int = 0) -> bytes:
        """A regular expression for serial types of its columns from `first` on."""
        return b"".join(self._type(i) for i in range(first, count))

    def _type(self, column: int) -> bytes:
        if column == self.alias:
            return rb"\x00"
        low = rb"\x01" if self.required[column] else rb"\x00"
        kind = self.affinities[column]
        if kind in (INTEGER, REAL):
            return rb"[" + low + rb"-\x09]"
        if kind == TEXT:
            short = ODD + (b"" if self.required[column] else rb"\x00")
            return (
                rb"(?:["
                + short
                + rb"]|[\x81-\xff][\x01"
                + ODD_LOW
                + rb"]|[\x81-\xff][\x80-\xff][\x01"
                + ODD_LOW
                + rb"])"
            )
        return rb"(?:[" + low + rb"-\x09\x0c-\x7f]|" + LONG + rb")"

    def bits(self, count: int) -> float:
        """How much a header of so many types says, in bits: a chance match of a headless row must be unlikely."""
        found = 7.0  # the length of the header
        for column in range(count):
            kind = self.affinities[column]
            found += 7.0 if column == self.alias else 3.7 if kind in (INTEGER, REAL) else 1.0 if kind == TEXT else 0.1
        return found

    def fits(self, types: list[int]) -> bool:
        """Whether a record of these serial types can be one of its rows."""
        if len(types) > len(self.columns):
            return False
        for column, kind in enumerate(types):
            if column == self.alias:
                if kind:
                    return False
            elif kind == 0:
                if self.required[column]:
                    return False
            elif (self.affinities[column] in (INTEGER, REAL) and kind > 9) or (
                self.affinities[column] == TEXT and (kind < 13 or not kind & 1)
            ):
                return False
        return True


@dataclass(frozen=True, slots=True)
class Carved:
    """One row found: table (empty: none of the schema), others it fits too, rowid, values, and what is missing of it."""

    table: str
    others: tuple[str, ...]
    rowid: int | None
    values: dict[str, Any]
    body: bytes  # the stored values, to tell it from live rows
    image: Image
    start: int
    end: int
    place: str  # cell, gap, free block
    lost: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass
class Carver:
    """Finds rows in page images; `freed` are pages whose overflow chains may be followed."""

    shape: Shape
    tables: tuple[Table, ...]
    view: View
    freed: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        self.patterns: dict[str, list[tuple[Table, int, re.Pattern[bytes]]]] = {}
        self.heads: dict[tuple[str, int], re.Pattern[bytes]] = {}

    # whole pages

    def rows(self, image: Image, owner: Table | None) -> Iterator[Carved]:
        """The rows of a table leaf page that is no part of the database as it stands."""
        start = 100 if image.number == 1 else 0
        if image.data[start] != LEAF_TABLE:
            return
        for at in cells(image, LEAF_TABLE, self.shape.usable):
            found = self.cell(image, at, owner)
            if found is not None:
                yield found

    def cell(self, image: Image, at: int, owner: Table | None) -> Carved | None:
        """The row of one cell, where its header holds together."""
        payload, rowid, place = live_cell(image.data, at)
        local = self.shape.local(payload)
        if payload < 2 or place + local > self.shape.usable:
            return None
        header = read_header(image.data, place, min(place + local, self.shape.usable))
        if header is None:
            return None
        types, body = header
        if body - place + sum(map(width, types)) != payload:
            return None
        return self._row(image, at, rowid, types, body, place + local, payload, owner, "cell")

    # free space

    def free(self, image: Image, owner: Table | None, tables: tuple[Table, ...] = ()) -> Iterator[Carved]:
        """Rows in the gap and the free blocks of a b-tree page."""
        start = 100 if image.number == 1 else 0
        kind = image.data[start]
        if kind not in BTREE:
            return
        gap, blocks = free_parts(image, kind, self.shape.usable)
        yield from self.scan(image, *gap, owner, False, tables)
        for low, high in blocks:
            yield from self.scan(image, low, high, owner, True, tables)

    def scan(
        self, image: Image, low: int, high: int, owner: Table | None, block: bool, tables: tuple[Table, ...] = ()
    ) -> Iterator[Carved]:
        """Rows between two offsets; the first four bytes of a free block are not the row's."""
        data = image.data
        if high - low < 5 or not data[low:high].strip(b"\0"):
            return
        patterns = self._patterns(owner, tables)
        at = low
        while at < high - 3:
            found = self._headless(image, at, high, owner) if block and owner is not None else None
            if found is None:
                matches = []
                for table, count, pattern in patterns:
                    hit = self._next(image, pattern, table, count, at, high, low + 4 if block else low, block)
                    if hit is not None:
                        matches.append(hit)
                if not matches:
                    return
                found = min(matches, key=lambda m: (m.start, bool(m.lost)))
                others = [m.table for m in matches if (m.start, m.end) == (found.start, found.end)]
                found = replace(found, others=tuple(dict.fromkeys(o for o in others if o != found.table)))
            yield found
            at = max(found.end, at + 1)

    def _patterns(self, owner: Table | None, tables: tuple[Table, ...]) -> list[tuple[Table, int, re.Pattern[bytes]]]:
        chosen = (owner,) if owner is not None else tables or self.tables
        key = owner.name if owner is not None else "\0".join(t.name for t in chosen)
        if key not in self.patterns:
            self.patterns[key] = [
                (table, count, _header_pattern(table, count))
                for table in chosen
                for count in sorted(table.counts | {len(table.columns)})
                if 1 < count <= 120
            ]
        return self.patterns[key]

    def _next(
        self,
        image: Image,
        pattern: re.Pattern[bytes],
        table: Table,
        count: int,
        at: int,
        high: int,
        low: int,
        block: bool,
    ) -> Carved | None:
        data = image.data
        for match in pattern.finditer(data, max(at, low), high):
            place = match.start()
            header = read_header(data, place, high)
            if header is None or len(header[0]) != count:
                continue
            types, body = header
            payload = body - place + sum(map(width, types))
            local = self.shape.local(payload)
            if place + local > high:
                continue
            head = _before(data, place, max(at, low), payload)
            rowid, start = head if head is not None else (None, place)
            found = self._row(image, start, rowid, types, body, place + local, payload, table, "free", strict=True)
            if found is None:
                continue
            if head is None:
                if table.bits(count) < TELLING or _text_size(found.values) < STRONG:
                    continue
                found = replace(found, lost=("rowid", *found.lost))
            return replace(found, place="free block" if block else "gap")
        return None

    def _headless(self, image: Image, at: int, high: int, owner: Table) -> Carved | None:
        """A row whose first four bytes were overwritten, so that its header begins in them."""
        data, count = image.data, len(owner.columns)
        if not 2 <= count <= 120:
            return None
        for first in (0, 1):
            known = self.heads.get((owner.name, first))
            if known is None:
                known = self.heads[owner.name, first] = re.compile(owner.types(count, first), re.DOTALL)
            match = known.match(data, at + 4, high)
            if match is None:
                continue
            types: list[int] = []
            place = at + 4
            while len(types) < count - first:
                number, place = varint(data, place)
                types.append(number)
            length = sum(map(width, types))
            lost = ["rowid"]
            if first:
                if owner.alias == 0:
                    types = [0, *types]
                else:  # its size follows where the row fills the block to the end
                    size = high - place - length
                    kind = _kind_of(size, owner.affinities[0])
                    if kind is None:
                        continue
                    lost.append(f"type of {owner.columns[0]}")
                    types, length = [kind, *types], high - place
            if place + length > high or (place + length < high - 3 and _lone(data, place + length, high)):
                continue
            payload = length + place - at
            if payload > self.shape.usable - 35:
                continue
            found = self._row(image, at, None, types, place, place + length, payload, owner, "free block", strict=True)
            if found is None or _text_size(found.values) < STRONG:
                continue
            return replace(found, lost=(*lost, *found.lost))
        return None

    def _row(
        self,
        image: Image,
        start: int,
        rowid: int | None,
        types: list[int],
        body: int,
        end: int,
        payload: int,
        owner: Table | None,
        place: str,
        strict: bool = False,
    ) -> Carved | None:
        lost: list[str] = []
        stored = image.data[body:end]
        wanted = sum(map(width, types))
        if len(stored) < wanted:
            stored += self._overflow(image, end, wanted - len(stored))
            end = min(end + 4, self.shape.usable)
            if len(stored) < wanted:
                lost.append("end of the row")
        values, sound = read_values(types, stored, self.shape.encoding)
        if strict and not sound:
            return None
        if not any(v not in (None, 0, "", b"") for v in values):
            return None
        table, others = owner, ()
        if owner is None or not owner.fits(types):
            fitting = [t for t in self.tables if len(t.columns) == len(types) and t.fits(types)]
            if strict and not fitting:
                return None
            table = fitting[0] if fitting else None
            others = tuple(t.name for t in fitting[1:6])  # type: ignore[assignment]
        if table is None:
            named = {f"column_{i}": v for i, v in enumerate(values, 1)}
        else:
            named = dict(zip(table.columns, values, strict=False))
            for column, kind in zip(table.columns, table.affinities, strict=True):
                if kind == REAL and isinstance(named.get(column), int):
                    named[column] = float(named[column])
            if table.alias is not None and rowid is not None:
                named[table.columns[table.alias]] = rowid
        name = table.name if table is not None else ""
        return Carved(name, others, rowid, named, stored, image, start, end, place, tuple(lost))

    def _overflow(self, image: Image, at: int, length: int) -> bytes:
        """What an overflow chain still holds, as far as its pages are free too."""
        number = int.from_bytes(image.data[at : at + 4], "big")
        parts: list[bytes] = []
        for page in self.view.overflow(number, min(length, 16 * 1024 * 1024)):
            if page not in self.freed:
                break
            held = self.view.image(page)
            assert held is not None
            parts.append(held.data[4 : self.shape.usable])
        return b"".join(parts)[:length]


def width(kind: int) -> int:
    """Bytes that a value of a serial type takes."""
    return (kind - 12) // 2 if kind >= 12 else WIDTHS[kind]


def read_header(data: bytes, at: int, end: int) -> tuple[list[int], int] | None:
    """Serial types of a record header and where the values begin; None where it does not hold together."""
    length, cursor = varint(data, at)
    stop = at + length
    if length < 2 or stop > end or length > 3 * COLUMNS:
        return None
    types: list[int] = []
    while cursor < stop:
        kind, cursor = varint(data, cursor)
        if kind in (10, 11) or kind > 1 << 31:
            return None
        types.append(kind)
    return (types, stop) if cursor == stop and len(types) <= COLUMNS else None


def read_values(types: list[int], data: bytes, encoding: str) -> tuple[list[Any], bool]:
    """The values of a record, cut where the data ends; and whether their texts are texts."""
    values: list[Any] = []
    at, sound = 0, True
    for kind in types:
        size = width(kind)
        raw = data[at : at + size]
        at += size
        if kind == 0 or (len(raw) < size and kind < 12):
            values.append(None)
        elif kind in (8, 9):
            values.append(kind - 8)
        elif kind == 7:
            number = struct.unpack(">d", raw)[0]
            values.append(number if number == number else None)
        elif kind < 7:
            values.append(int.from_bytes(raw, "big", signed=True))
        elif kind & 1:
            try:
                text = raw.decode(encoding)
                if CONTROL.search(text):
                    sound = False
            except UnicodeDecodeError:
                sound = sound and len(raw) < size  # a text may be cut inside a letter
                text = raw.decode(encoding, "ignore") if len(raw) < size else shown(raw)
            values.append(text)
        else:
            values.append(bytes(raw))
    return values, sound


def _header_pattern(table: Table, count: int) -> re.Pattern[bytes]:
    low, high = count + 1, min(127, 3 * count + 1)
    return re.compile(b"(?=[\\x%02x-\\x%02x]" % (low, high) + table.types(count) + b")", re.DOTALL)


def _before(data: bytes, place: int, low: int, payload: int) -> tuple[int, int] | None:
    """Rowid and start of a cell whose record begins at `place`, where its stated length is `payload`."""
    for size in range(1, 10):
        at = place - size
        if at <= low - 1:
            return None
        rowid, end = varint(data, at)
        if end != place:
            continue
        for head in (1, 2, 3):
            if at - head < low:
                break
            stated, end = varint(data, at - head)
            if end == at and stated == payload:
                return rowid - (1 << 64) if rowid >= 1 << 63 else rowid, at - head
    return None


def _kind_of(size: int, kind: str) -> int | None:
    if size < 0:
        return None
    if kind == TEXT:
        return 13 + 2 * size
    if kind == REAL and size == 8:
        return 7
    if kind in (INTEGER, NUMERIC, REAL):
        return {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 6: 5, 8: 6}.get(size)
    return 12 + 2 * size


def _lone(data: bytes, at: int, end: int) -> bool:
    """Whether what follows a supposed row cannot begin another: the supposition then is no better than chance."""
    return not data[at:end].strip(b"\0")


def _text_size(values: dict[str, Any]) -> int:
    return sum(len(v.strip()) for v in values.values() if isinstance(v, str))
