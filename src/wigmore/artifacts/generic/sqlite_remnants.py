"""What a SQLite database no longer holds: rows in free pages and free space, in old log frames and kept journals.

Places and order: freelist pages, free space of the pages in use, pages no b-tree reaches, log frames that are not the last
committed ones of their page, pages of a journal (https://www.sqlite.org/fileformat2.html 1.5, 1.6, 3, 4). A row that equals
a live one is none: the live rows of both versions (with and without the log) are compared by rowid and stored bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from mmap import ACCESS_READ, mmap
from pathlib import Path

from wigmore.artifacts.generic.sqlite_carver import Carved, Carver, Table, affinity, read_header
from wigmore.artifacts.generic.sqlite_layout import varint
from wigmore.artifacts.generic.sqlite_pages import (
    BTREE,
    LEAF_INDEX,
    LEAF_TABLE,
    Data,
    Frame,
    Image,
    Shape,
    View,
    cells,
    frames,
    journal_pages,
    live_cell,
)
from wigmore.artifacts.generic.sqlite_reader import FAULTS, Database, said
from wigmore.artifacts.generic.sqlite_reader import View as Connection
from wigmore.model.protocols import EvidenceFile, Gap, Locator

FOUND = 100_000  # rows of one database that are kept
ANYWHERE = 16 * 1024 * 1024  # bytes of free space whose table is not known that are searched for rows of any table
SCHEMA = Table(
    "sqlite_master",
    ("type", "name", "tbl_name", "rootpage", "sql"),
    ("TEXT", "TEXT", "TEXT", "INTEGER", "TEXT"),
    (True, True, True, False, False),
)
Key = tuple[int | None, bytes]


@dataclass
class _Map:
    """One version of the database: which table owns a page, which pages are in use at all."""

    view: View
    owners: dict[int, str] = field(default_factory=dict)  # table pages
    used: set[int] = field(default_factory=set)
    leaves: list[int] = field(default_factory=list)
    counts: dict[str, set[int]] = field(default_factory=dict)

    def draw(self, roots: list[tuple[str, int]]) -> None:
        """Follow every root; the names of indexes are empty."""
        usable = self.view.shape.usable
        for name, root in roots:
            for image, kind in self.view.walk(root, self.used):
                if kind == LEAF_TABLE:
                    self.leaves.append(image.number)
                if kind in (5, LEAF_TABLE):
                    self.owners[image.number] = name
                if kind != 5:
                    self._chains(image, kind, usable, name)

    def _chains(self, image: Image, kind: int, usable: int, name: str) -> None:
        shape, data = self.view.shape, image.data
        for index, at in enumerate(cells(image, kind, usable)):
            if kind == LEAF_TABLE:
                payload, _, place = live_cell(data, at)
            else:
                payload, place = varint(data, at if kind == LEAF_INDEX else at + 4)
            local = shape.local(payload, kind == LEAF_TABLE)
            if local < payload and place + local + 4 <= usable:
                first = int.from_bytes(data[place + local : place + local + 4], "big")
                self.used.update(self.view.overflow(first, payload - local))
            if index == 0 and kind == LEAF_TABLE and (header := read_header(data, place, usable)) is not None:
                self.counts.setdefault(name, set()).add(len(header[0]))

    def live(self, numbers: list[int]) -> Iterator[tuple[str, int, bytes]]:
        """Table, rowid and stored values (what of them is in the cell) of the rows on these pages."""
        shape = self.view.shape
        for number in numbers:
            image = self.view.image(number)
            if image is None:
                continue
            data, owner = image.data, self.owners.get(number, "")
            for at in cells(image, LEAF_TABLE, shape.usable):
                payload, rowid, place = live_cell(data, at)
                length, _ = varint(data, place)
                yield owner, rowid, data[place + length : place + shape.local(payload)]


@dataclass(frozen=True, slots=True)
class Remnant:
    """A row found outside the live database: its state, and whether a row of that id is there now."""

    row: Carved
    state: str
    frame: int | None = None
    now: str = ""  # other values, absent, or nothing where the id is not known


def locator(remnant: Remnant) -> Locator:
    """Where the row's bytes are: page and offset in the file (or its log or journal), table and rowid where known."""
    row = remnant.row
    where: Locator = {
        "kind": "page",
        "page": row.image.number,
        "offset": row.image.offset + row.start,
        "length": row.end - row.start,
        "table": row.table,
    }
    if row.image.file:
        where["file"] = row.image.file
    if remnant.frame is not None:
        where["frame"] = remnant.frame
    if row.rowid is not None:
        where["rowid"] = row.rowid
    return where


def facts(remnant: Remnant) -> dict[str, object]:
    """What is to be said of a row that was found so: place, what is missing, other tables it fits, its successor."""
    row = remnant.row
    out: dict[str, object] = {"remnant_place": f"{remnant.state}, {row.place}"}
    if row.lost:
        out |= {"remnant_fragment": True, "remnant_lost": list(row.lost)}
    if row.others:
        out["remnant_fits_also"] = list(row.others)
    if not row.table:
        out["remnant_table"] = "no table of the schema has such rows"
    if remnant.now:
        out["remnant_rowid_now"] = remnant.now
    return out


def remnants(file: EvidenceFile, database: Database, only: frozenset[str] = frozenset()) -> Iterator[Remnant | Gap]:
    """Rows no live version holds, each once, in the order of the module's places; with `only`, those of these tables."""
    with _opened(file, database) as parts:
        if parts is None:
            return
        shape, data, log, journal, hot = parts
        search = _Search(database, shape, data, log, journal, hot, only)
        yield from search.run()


@contextmanager
def _opened(file: EvidenceFile, database: Database) -> Iterator[tuple[Shape, Data, Data, Data, bool] | None]:
    name = file.path.rsplit("/", 1)[-1]
    with file.on_disk(name + "-wal", name + "-journal") as path, ExitStack() as stack:

        def mapped(place: Path) -> Data:
            if not place.is_file() or place.stat().st_size == 0:
                return b""
            stream = stack.enter_context(place.open("rb"))
            return stack.enter_context(mmap(stream.fileno(), 0, access=ACCESS_READ))

        data = mapped(path)
        shape = Shape.of(bytes(data[:100]))
        hot = database.newer == "journal"
        yield (
            None if shape is None else (shape, data, mapped(Path(f"{path}-wal")), mapped(Path(f"{path}-journal")), hot)
        )


def tables_of(connection: Connection, counts: dict[str, set[int]]) -> tuple[Table, ...]:
    """The tables with rowids that a schema declares, the schema table itself among them."""
    found = [SCHEMA]
    for name, columns in sorted(connection.declared.items()):
        if not columns or name in connection.rowless:
            continue
        keys = [i for i, c in enumerate(columns) if c.key]
        alias = keys[0] if len(keys) == 1 and columns[keys[0]].type.upper() == "INTEGER" else None
        seen = frozenset(n for n in counts.get(name, ()) if n <= len(columns))
        found.append(
            Table(
                name,
                tuple(c.name for c in columns),
                tuple(affinity(c.type) for c in columns),
                tuple(c.required for c in columns),
                alias,
                seen,
            )
        )
    return tuple(found)


class _Search:
    def __init__(
        self, database: Database, shape: Shape, data: Data, log: Data, journal: Data, hot: bool, only: frozenset[str]
    ) -> None:
        self.only, self.gaps = only, list[Gap]()
        self.frames = list(frames(log, shape.page))
        self.log = log
        self.overlay: dict[int, int] = {f.number: f.offset for f in self.frames if f.state == "committed"}
        self.pages = list[Image]()
        if hot:
            self.pages = [Image(i.number, b"", i.file, i.offset) for i in journal_pages(journal, shape.page)]
            first: dict[int, int] = {}
            for image in self.pages:
                first.setdefault(image.number, image.offset)
            self.overlay, log = first, journal
        elif journal:
            self.pages = list(journal_pages(journal, shape.page))
        self.hot, self.shape = hot, shape
        self.now = _Map(View(shape, data, log, self.overlay))
        self.before = _Map(View(shape, data)) if self.overlay else None
        roots = self._roots(database.live)
        self.now.draw(roots)
        if self.before is not None:
            self.before.draw(self._roots(database.before) if database.before is not None else roots)
        counts = dict(self.now.counts)
        tables = tables_of(database.live, counts)
        known = {t.name for t in tables}
        if database.before is not None:
            tables += tuple(t for t in tables_of(database.before, counts) if t.name not in known)
        self.tables = tuple(t for t in tables if not only or t.name in only)
        self.names = {t.name: t for t in tables}
        self.free, gap = self.now.view.freelist()
        if gap is not None:
            self.gaps.append(gap)
        if broken := sorted(set(self.now.view.broken)):
            named = ", ".join(map(str, broken[:5])) + (" and more" if len(broken) > 5 else "")
            self.gaps.append(
                Gap(f"pages of b-trees cannot be read ({named}): rows below them are found as unreached, live or not")
            )
        self.orphans = [
            n for n in range(2, self.now.view.pages + 1)
            if n not in self.now.used and n not in self.free and not self.now.view.aside(n)
        ]  # fmt: skip
        self.carver = Carver(shape, tables, self.now.view, frozenset(self.free) | frozenset(self.orphans))
        self.found: dict[Key, Remnant] = {}
        self.bodies: set[bytes] = set()
        self.left = ANYWHERE

    def _roots(self, connection: Connection) -> list[tuple[str, int]]:
        roots = [("sqlite_master", 1)]
        try:
            for kind, name, root in connection.run("SELECT type, name, rootpage FROM sqlite_master ORDER BY rootpage"):
                if kind in ("table", "index") and isinstance(root, int) and root > 1:
                    roots.append((str(name) if kind == "table" and name not in connection.rowless else "", root))
        except FAULTS as error:
            self.gaps.append(Gap(f"the schema could not be read to its end for what is deleted: {said(error)}"))
        return roots

    def run(self) -> Iterator[Remnant | Gap]:
        for state, rows, frame in self._places():
            for row in rows:
                if self.only and row.table not in self.only:
                    continue
                key = (row.rowid, row.body)
                if key in self.found or (row.rowid is None and row.body in self.bodies):
                    continue
                self.bodies.add(row.body)
                thin = replace(row, image=Image(row.image.number, b"", row.image.file, row.image.offset))
                self.found[key] = Remnant(thin, state, frame)
            if len(self.found) > FOUND:
                self.gaps.append(Gap(f"more than {FOUND} deleted rows; the rest was not looked at", None, "too_large"))
                break
        if self.found:
            yield from self._fresh()
        if self.left < 0:
            self.gaps.append(
                Gap(f"more than {ANYWHERE} bytes of free space of no known table; the rest was not searched", None,
                    "too_large")
            )  # fmt: skip
        yield from self.gaps

    def _fresh(self) -> Iterator[Remnant]:
        """What was found without the rows that a live version holds."""
        ids = {(r.row.table, r.row.rowid) for r in self.found.values() if r.row.rowid is not None}
        there: set[tuple[str, int | None]] = set()
        loose = {body for rowid, body in self.found if rowid is None}
        maps = [(self.now, self.now.leaves)]
        if self.before is not None:
            maps.append((self.before, self.before.leaves))
        for drawn, numbers in maps:
            for owner, rowid, body in drawn.live(numbers):
                known = self.found.pop((rowid, body), None)
                if known is not None:
                    loose.discard(body)
                if body in loose:
                    del self.found[(None, body)]
                    loose.discard(body)
                if drawn is self.now and (owner, rowid) in ids:
                    there.add((owner, rowid))
        for remnant in self.found.values():
            row = remnant.row
            now = ""
            if row.rowid is not None and row.table:
                now = "other values" if (row.table, row.rowid) in there else "absent"
            yield replace(remnant, now=now)

    def _places(self) -> Iterator[tuple[str, Iterator[Carved], int | None]]:
        view = self.now.view
        for number, taken in sorted(self.free.items()):
            image = view.image(number)
            if image is not None:
                yield "freelist", self._page(image, taken), None
        for number in sorted(self.now.used):
            image = view.image(number)
            if image is not None and image.data[100 if number == 1 else 0] in BTREE:
                yield "unallocated", self._space(image, self.now.owners.get(number)), None
        for number in self.orphans:
            image = view.image(number)
            if image is not None:
                unreached = (
                    replace(row, place=f"{row.place} of a page no table reaches") for row in self._page(image, 0)
                )
                yield "unallocated", unreached, None
        if self.before is not None:
            for number in sorted(self.overlay):
                image = self.before.view.image(number)
                if image is not None:
                    yield "unallocated", self._space(image, self.before.owners.get(number)), None
        yield from self._logged()
        for image in () if self.hot else self.pages:
            owner = self.now.owners.get(image.number)
            yield "journal", self.carver.rows(image, self.names.get(owner or "")), None

    def _logged(self) -> Iterator[tuple[str, Iterator[Carved], int | None]]:
        states = {"committed": "wal_superseded", "uncommitted": "wal_uncommitted", "earlier": "wal_superseded"}
        for frame in self.frames:
            if frame.state == "committed" and self.overlay.get(frame.number) == frame.offset:
                continue
            image = self._framed(frame)
            if len(image.data) < self.shape.page:
                continue
            name = self.now.owners.get(frame.number)
            yield states[frame.state], self.carver.rows(image, self.names.get(name or "")), frame.index
            yield "unallocated", self._space(image, name), frame.index

    def _framed(self, frame: Frame) -> Image:
        data = bytes(self.log[frame.offset : frame.offset + self.shape.page])
        return Image(frame.number, data, "-wal", frame.offset)

    def _page(self, image: Image, taken: int) -> Iterator[Carved]:
        """A page that is out of use: its rows, then its free space for the tables of those rows, or for any."""
        owner: Table | None = None
        if taken:
            yield from self._anywhere(image, taken, self.shape.usable)
            return
        for row in self.carver.rows(image, None):
            owner = owner or self.names.get(row.table)
            yield row
        if owner is not None:
            yield from self.carver.free(image, owner)
        elif image.data[0] == LEAF_TABLE:
            yield from self._anywhere(image, 8, self.shape.usable)

    def _space(self, image: Image, name: str | None) -> Iterator[Carved]:
        owner = self.names.get(name or "")
        if owner is not None:
            if not self.only or owner.name in self.only:
                yield from self.carver.free(image, owner)
        elif image.data[0] == LEAF_INDEX:
            yield from self._anywhere(image, 8, self.shape.usable, free=True)

    def _anywhere(self, image: Image, low: int, high: int, free: bool = False) -> Iterator[Carved]:
        if self.left < 0 or not self.tables:
            return
        self.left -= high - low
        if free:
            yield from self.carver.free(image, None, self.tables)
        else:
            yield from self.carver.scan(image, low, high, None, False, self.tables)
