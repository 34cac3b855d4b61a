"""ESE databases (Extensible Storage Engine): opened read-only, tables with typed values, what could not be read said.

Reader of pages, trees and long values: libesedb; where a tree is broken, its leaves are read page by page (ese_pages).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from wigmore.artifacts.windows.ese_pages import Column, Pages, bad_pages, leaf_rows, pages_of
from wigmore.artifacts.windows.ese_values import (
    BINARY,
    LONG_BINARY,
    LONG_TEXT,
    MAGIC,
    TEXT,
    TYPED_TEXT,
    WIDTHS,
    Moment,
    header_record,
    plain,
    settle,
    several,
    stored,
    wide_text,
)
from wigmore.model.canonical import clean
from wigmore.model.protocols import EvidenceFile, Gap, Locator, ParseError, Record, Yield
from wigmore.model.times import Time
from wigmore.registry import Claim

SIGNATURE = (4, MAGIC)
ROW = "windows.ese.row"
REFERENCE = (
    "https://github.com/libyal/libesedb/blob/main/documentation/"
    "Extensible%20Storage%20Engine%20(ESE)%20Database%20File%20(EDB)%20format.asciidoc"
)
TABLES, COLUMNS, ROWS = 20_000, 20_000, 50_000_000
BROKEN = 200  # rows of a table in a row that cannot be read: the rest of it is given up
FAULTS = (OSError, ValueError, OverflowError, MemoryError)  # what libesedb raises for damaged bytes
DIRTY = "the database was not shut down cleanly ({}): changes that stand only in its transaction logs are not read"


@dataclass(frozen=True)
class EseClaim(Claim):
    """Recognises a database by signature and path, or, once it is open, by the tables it has.

    `sure` names need no signature: a damaged first page has a copy behind it.
    """

    tables: tuple[str, ...] = ()
    sure: tuple[str, ...] = ()

    def __call__(self, head: bytes, path: str, size: int) -> bool:
        name = path.lower().rsplit("/", 1)[-1]
        return (head[4:8] == MAGIC and self.by_path(path)) or (name in self.sure and not head.startswith(b"SQLite"))

    def fits(self, names: Collection[str]) -> bool:
        """Whether an opened database has the tables (no case)."""
        have = {name.lower() for name in names}
        return bool(self.tables) and all(table.lower() in have for table in self.tables)


@dataclass
class Row:
    """One row: values by column name (absent ones left out), bytes as bytes, dates as Moment."""

    table: str
    number: int
    values: dict[str, Any]
    state: str = "live"
    page: int | None = None  # where a row was found by its page alone, `number` is its tag there

    @property
    def locator(self) -> Locator:
        """Table, place in it (or page and tag), and the first column, which is the key in the tables known here."""
        where: Locator = {"kind": "row", "table": self.table, "row": self.number}
        if self.page is not None:
            where = {"kind": "page", "table": self.table, "page": self.page, "tag": self.number}
        first = next(iter(self.values.items()), None)
        if first and isinstance(first[1], (int, str)) and not isinstance(first[1], bool):
            where["key"] = {first[0]: first[1] if isinstance(first[1], int) else first[1][:100]}
        return where


@dataclass
class Database:
    """An opened database: its tables by name and what could not be read so far."""

    tables: dict[str, Any]
    header: Record
    pages: Pages | None = None
    gaps: list[Gap] = field(default_factory=list)

    def find(self, name: str) -> str | None:
        """The table of that name (no case), as the database spells it."""
        return next((table for table in self.tables if table.lower() == name.lower()), None)

    def rows(self, name: str) -> Iterator[Row]:
        """The rows of a table in the order of its tree; those that cannot be read become one gap."""
        table = self.tables.get(name)
        if table is None:
            return
        try:
            columns = [
                (i, clean(c.name or f"column {c.identifier}"), c.type, c.identifier < 128) for i, c in _columns(table)
            ]
        except FAULTS as error:
            self.gaps.append(Gap(f"table {name}: {_said(error)}"))
            return
        try:
            count = min(table.number_of_records, ROWS)
        except FAULTS as error:
            yield from self._by_page(name, table, _said(error))
            return
        bad, run, first = 0, 0, ""
        for number in range(count):
            problems: list[str] = []
            try:
                values = _values(table.get_record(number), columns, problems)
            except FAULTS as error:
                values, problems = {}, [_said(error)]
            if problems:
                bad += 1
                first = first or f"row {number}: {problems[0]}"
            if values:
                run = 0
                yield Row(name, number, values)
            elif problems and (run := run + 1) >= BROKEN:
                first += f"; {BROKEN} rows in a row are broken, {count - number - 1} after them were not tried"
                break
        if bad:
            self.gaps.append(Gap(f"table {name}: {bad} of {count} rows could not be read or not in full; {first}"))

    def _by_page(self, name: str, table: Any, why: str) -> Iterator[Row]:
        """The rows that the leaves of a table hold whose tree cannot be walked."""
        found = broken = 0
        if self.pages is not None:
            columns = [
                Column(c.identifier, clean(c.name or f"column {c.identifier}"), c.type, WIDTHS.get(c.type, 0))
                for _, c in _columns(table)
            ]
            columns.sort(key=lambda column: column.identifier)
            for page, tag, values, problems in leaf_rows(self.pages, table.identifier, columns, stored):
                broken += bool(problems)
                if values:
                    found += 1
                    yield Row(name, tag, values, "carved", page)
        more = f", {broken} of them not in full" if broken else ""
        self.gaps.append(Gap(f"table {name}: {why}; {found} rows were read from its pages one by one{more}"))


def _said(error: BaseException) -> str:
    return f"libesedb: {str(error)[:200]}" if isinstance(error, OSError) else f"{type(error).__name__}: {error}"[:200]


def _columns(table: Any) -> Iterator[tuple[int, Any]]:
    for index in range(min(table.number_of_columns, COLUMNS)):
        yield index, table.get_column(index)


def _values(record: Any, columns: list[tuple[int, str, int, bool]], problems: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    count = record.number_of_values
    for index, name, kind, fixed in columns:
        if index >= count:
            problems.append(f"{count} of {len(columns)} columns")
            break
        try:
            value = _value(record, index, kind, fixed)
        except FAULTS as error:
            problems.append(f"column {name}: {_said(error)}")
            continue
        if value is not None:
            found[name] = value
    return found


def _value(record: Any, index: int, kind: int, fixed: bool) -> Any:
    if kind in (TYPED_TEXT, LONG_TEXT, BINARY, LONG_BINARY):
        flags = record.get_value_data_flags(index) or 0
        if flags & 0x0C or kind in (LONG_TEXT, LONG_BINARY):
            if record.is_multi_value(index):
                return several(record.get_value_data(index) or b"", kind)
            if record.is_long_value(index):
                value = record.get_value_data_as_long_value(index)
                return _text(value) if kind == LONG_TEXT else value.get_data()
        if kind in (TYPED_TEXT, LONG_TEXT):
            raw = record.get_value_data(index)
            return None if not raw else clean((record.get_value_data_as_string(index) or "").rstrip("\0"))[:TEXT]
        return record.get_value_data(index) or None
    return plain(record.get_value_data(index), kind, fixed)


def _text(value: Any) -> str:
    return clean((value.get_data_as_string() or "").rstrip("\0"))[:TEXT]


@contextmanager
def open_ese(file: EvidenceFile) -> Iterator[Database]:
    """The database of a file; ParseError where it cannot be opened, a gap where it was not shut down cleanly."""
    import pyesedb

    with file.open() as stream:
        first = stream.read(4096)
        stream.seek(0)
        header = header_record(first)
        database = pyesedb.file()
        try:
            database.open_file_object(stream)
            opened = Database({}, header, pages_of(stream, first))
            for index in range(min(database.number_of_tables, TABLES)):
                try:
                    table = database.get_table(index)
                    opened.tables.setdefault(clean(table.name or f"table {index}"), table)
                except FAULTS as error:
                    opened.gaps.append(Gap(f"table number {index}: {_said(error)}"))
        except FAULTS as error:
            reason = "unsupported" if "unsupported" in str(error).lower() and first[4:8] == MAGIC else "damaged"
            raise ParseError(file.path, 0, _said(error), reason) from error
        if opened.pages is not None and (bad := bad_pages(opened.pages)):
            named = ", ".join(map(str, bad[:10])) + (" …" if len(bad) > 10 else "")
            message = f"{len(bad)} pages have a checksum that does not fit their bytes: {named}"
            opened.gaps.append(Gap(message, (bad[0] + 1) * opened.pages.page_size))
        state = header.data["state"]
        if state != 3:
            opened.gaps.append(
                Gap(DIRTY.format(header.data["state_name"]), 52, "dirty_without_log" if state else "damaged")
            )
        try:
            yield opened
        finally:
            opened.tables.clear()
            database.close()


def header_of(database: Database) -> tuple[Locator, Record]:
    """The header as one record."""
    return {"kind": "offset", "offset": 0, "length": 668}, database.header


def any_rows(database: Database, skip: Collection[str] = ()) -> Iterator[Yield]:
    """Every row of every table but the engine's own, as it stands: dates as times, binary text shown beside its hex."""
    for name in sorted(database.tables):
        if name.startswith("MSys") or name in skip:
            continue
        for row in database.rows(name):
            yield row.locator, any_record(row)


def any_record(row: Row) -> Record:
    """A row of a table that is not known."""
    data: dict[str, Any] = {"table": row.table}
    times: dict[str, Time] = {}
    for name, value in row.values.items():
        column = f"{name} (column)" if name == "table" else name
        if isinstance(value, Moment):
            time = value.time()
            if time:
                times[column] = time
                continue
        data.update(settle({column: value}))
        if isinstance(value, bytes) and (text := wide_text(value)):
            data[f"{column}_text"] = text[:TEXT]
    return Record(data, times, None, row.state, artifact=ROW)


def not_fitting(database: Database, what: str, needed: tuple[str, ...]) -> Iterator[Yield]:
    """What is read of a database whose name says one thing and whose tables another: plain rows, and a gap."""
    yield header_of(database)
    yield from any_rows(database)
    yield Gap(f"no table {', '.join(needed)}: this is no {what}, or its catalogue is damaged", reason="schema_unknown")
    yield from database.gaps
