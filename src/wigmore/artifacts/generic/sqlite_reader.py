"""SQLite databases read from private copies, with and without their log, under bounds that hostile files cannot lift.

Formats: https://www.sqlite.org/fileformat2.html (database, rollback journal), https://www.sqlite.org/walformat.html,
https://www.sqlite.org/security.html (untrusted files: `trusted_schema`, `cell_size_check`, authorizer).
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Gap, Locator, ParseError

JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
STEP = 1_000_000  # virtual machine instructions between two looks at the budget
BUDGET = 3_000  # steps that one query may take: about a minute
MOST_SAME = 100_000  # rows of one key: more of them come from pages that point back to earlier ones
TABLES = 5_000
STAND_IN = "wigmore_number"  # numbers rows that stand in for a table's own
SAME_KEY = 1_000  # joined rows of one key that are compared together
FAULTS = (sqlite3.Error, UnicodeDecodeError, OverflowError)  # error texts of damaged schemas may not be UTF-8
READ_ONLY = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION}


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a query: values by column, the key it was found by, and the state of what it was read from."""

    table: str
    key: Any
    values: dict[str, Any]
    state: str = "live"
    part: int = 0  # several joined rows of one key are told apart by it

    @property
    def locator(self) -> Locator:
        """Table and rowid; which version where the log holds another; which joined row where there are several."""
        where: Locator = {"kind": "row", "table": self.table, "rowid": self.key}
        if self.state not in ("live", "wal_committed", "journal"):
            where["version"] = "without_log"
        if self.part:
            where["part"] = self.part
        return where


@dataclass(frozen=True, slots=True)
class Column:
    """A stored column as its table declares it; `key` is its place in the primary key, 0 for none."""

    name: str
    type: str
    required: bool
    key: int


WITHOUT_ROWID = re.compile(r"\)[^()]*\bwithout\s+rowid\b[^()]*$", re.IGNORECASE)


class View:
    """One connection to one version of the database."""

    def __init__(self, path: Path, *, changing: bool, salvage: bool = False) -> None:
        mode = "mode=rw" if changing else "mode=ro&immutable=1"
        self.connection = sqlite3.connect(
            f"file:{quote(str(path))}?{mode}", uri=True, isolation_level=None, check_same_thread=False
        )
        self.left = 0
        try:
            self.connection.text_factory = shown
            for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0", "wal_autocheckpoint=0"):
                self.connection.execute(f"PRAGMA {pragma}").close()
            if salvage:  # tolerates a file shorter than its header says and unreadable schema entries
                self.connection.execute("PRAGMA writable_schema=ON").close()
            self.connection.set_progress_handler(self._step, STEP)
            self.left = BUDGET
            self.virtual: tuple[str, ...] = ()
            self.nameless = 0  # tables whose name is no text
            self.declared: dict[str, tuple[Column, ...]] = {}
            self.rowless: set[str] = set()
            self.tables = self._tables()
            self.connection.set_authorizer(_authorize)
        except BaseException:
            self.connection.close()
            raise

    def _step(self) -> int:
        self.left -= 1
        return self.left < 0

    def _tables(self) -> dict[str, tuple[str, ...]]:
        listed = self.connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name LIMIT ?", (TABLES,)
        ).fetchall()
        rows = [(name, sql) for name, sql in listed if isinstance(name, str)]
        self.nameless = len(listed) - len(rows)
        virtual = [name for name, sql in rows if re.match(r"\s*create\s+virtual", str(sql or ""), re.IGNORECASE)]
        self.virtual = tuple(virtual)
        tables: dict[str, tuple[str, ...]] = {}
        for name, _ in rows:
            if name in virtual or name.startswith("sqlite_stat") or name == "sqlite_master":
                continue
            try:
                columns = self.connection.execute(f"PRAGMA table_xinfo({quoted(name)})").fetchall()
            except FAULTS:
                columns = []  # a table whose definition cannot be read has no columns: the caller says so
            stored = [c for c in columns if c[6] in (0, 3)]
            tables[name] = tuple(c[1] for c in stored)
            self.declared[name] = tuple(Column(c[1], str(c[2] or ""), bool(c[3]), int(c[5] or 0)) for c in stored)
        self.rowless = {n for n, sql in rows if WITHOUT_ROWID.search(str(sql or ""))}
        return tables

    def run(self, sql: str, values: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """Rows of a query under its own budget; raises sqlite3.Error."""
        self.left = BUDGET
        cursor = self.connection.execute(sql, values)
        try:
            yield from cursor
        finally:
            cursor.close()


def _authorize(action: int, *_: Any) -> int:
    return sqlite3.SQLITE_OK if action in READ_ONLY else sqlite3.SQLITE_DENY


ALIASED = re.compile(r"\b(\w+)\.(\w+)")
JOINED = re.compile(r"^(?:LEFT JOIN\s+)?(\"[^\"]+\"|\w+)\s+(\w+)(?:\s+ON\s+(.*))?$", re.IGNORECASE | re.DOTALL)


@dataclass
class Database:
    """An opened database: `live` is what a program would read, `before` the file without its log where they differ.

    `gaps` collects what could not be read; the parser yields them at its end.
    """

    live: View
    before: View | None = None
    newer: str = "wal_committed"
    older: str = "wal_superseded"
    gaps: list[Gap] = field(default_factory=list)

    @property
    def tables(self) -> dict[str, tuple[str, ...]]:
        """Columns by table: ordinary tables, no views, no virtual tables."""
        return self.live.tables

    def has(self, table: str, *columns: str) -> bool:
        """Whether there is such a table with such columns."""
        return _has(self.live, table, columns)

    def select(self, joins: tuple[str, ...], columns: str, key: str, where: str = "", limit: str = "") -> Iterator[Row]:
        """Rows of a join in order of the integer `key`, whatever of it this version of the schema has.

        `joins`: `"visits v"`, `"LEFT JOIN urls u ON u.id = v.url"`…; a join is left out where its table or a column of
        its condition is missing. `columns`: `"v.id u.url u.title:page"`; missing ones are left out. `where` is left
        out likewise. Rows only in the log or changed by it, and rows it replaced, have the state saying so.
        """
        table = JOINED.match(joins[0])
        assert table is not None
        name = table[1].strip('"')

        def run(view: View) -> Iterator[tuple[Any, dict[str, Any]]] | None:
            built = _build(view, joins, columns, key, where, limit)
            if built is None:
                return None
            sql, names = built
            return ((row[0], _named(names, row[1:])) for row in view.run(sql))

        yield from self.compared(name, run)

    @contextmanager
    def standing_in(self, table: str, rows: list[tuple[Any, dict[str, Any]]]) -> Iterator[str]:
        """Put other rows (rowid, values) in a table's place for the queries inside; gives the column that numbers them.

        A temporary table of the same name shadows the stored one: the copy on disk is not written to.
        """
        columns = self.live.tables[table]
        rowid = [] if "rowid" in {c.lower() for c in columns} else ["rowid"]
        names = [*columns, *rowid, STAND_IN]
        listed = ", ".join(quoted(name) for name in names)
        connection, before = self.live.connection, self.before
        connection.set_authorizer(None)
        self.live.left = BUDGET
        made = f"temp.{quoted(table)}"
        try:
            connection.execute("PRAGMA temp_store=MEMORY").close()
            connection.execute(f"CREATE TEMP TABLE {quoted(table)} ({listed})").close()
            values = (
                [*(row.get(c) for c in columns), *([key] if rowid else []), number]
                for number, (key, row) in enumerate(rows)
            )
            connection.executemany(f"INSERT INTO {made} VALUES ({', '.join('?' * len(names))})", values)
        except BaseException:
            connection.execute(f"DROP TABLE IF EXISTS {made}").close()
            raise
        finally:
            connection.set_authorizer(_authorize)
        self.live.tables = {**self.live.tables, table: (*columns, STAND_IN)}
        self.before = None
        try:
            yield STAND_IN
        finally:
            self.before = before
            self.live.tables = {**self.live.tables, table: columns}
            connection.set_authorizer(None)
            connection.execute(f"DROP TABLE IF EXISTS {made}").close()
            connection.set_authorizer(_authorize)

    def related(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows (at most SAME_KEY) of a query that belong to one row already read; a failure is noted as a gap."""
        try:
            return list(islice(self.live.run(sql, values), SAME_KEY))
        except FAULTS as error:
            gap = Gap(f"related rows: {said(error)}", reason=_reason(error))
            if gap not in self.gaps:
                self.gaps.append(gap)
            return []

    def compared(self, table: str, run: Callable[[View], Iterator[tuple[Any, dict[str, Any]]] | None]) -> Iterator[Row]:
        """The rows `run` reads from both versions, merged by key, each with its state."""
        live = self._groups(run(self.live), table, "")
        if self.before is None:
            for key, rows in live:
                yield from (Row(table, key, values, "live", i) for i, values in enumerate(rows))
            return
        before = self._groups(run(self.before), table, " without its log")
        ours, theirs = next(live, None), next(before, None)
        while ours or theirs:
            if theirs is None or (ours and _order(ours[0]) < _order(theirs[0])):
                assert ours is not None
                yield from (Row(table, ours[0], values, self.newer, i) for i, values in enumerate(ours[1]))
                ours = next(live, None)
            elif ours is None or _order(theirs[0]) < _order(ours[0]):
                yield from (Row(table, theirs[0], values, self.older, i) for i, values in enumerate(theirs[1]))
                theirs = next(before, None)
            else:
                for i, values in enumerate(theirs[1]):
                    if values not in ours[1]:
                        yield Row(table, theirs[0], values, self.older, i)
                for i, values in enumerate(ours[1]):
                    yield Row(table, ours[0], values, "live" if values in theirs[1] else self.newer, i)
                ours, theirs = next(live, None), next(before, None)

    def _groups(
        self, rows: Iterator[tuple[Any, dict[str, Any]]] | None, table: str, version: str
    ) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
        if rows is None:
            return
        last: Any = None
        try:
            for key, same in groupby(rows, key=lambda row: row[0]):
                if type(key) is type(last) is int and key < last:
                    raise sqlite3.DatabaseError(f"pages point back: row {key} follows row {last}")
                last = key
                group: list[dict[str, Any]] = []
                for number, (_, values) in enumerate(same):
                    if number == MOST_SAME:
                        raise sqlite3.DatabaseError(f"pages point back: row {key} comes {number} times")
                    group.append(values)
                    if len(group) == SAME_KEY:
                        yield key, group
                        group = []
                if group:
                    yield key, group
        except (*FAULTS, MemoryError) as error:
            self.gaps.append(Gap(f"table {table}{version}: {said(error)}", reason=_reason(error)))


def _named(names: tuple[str, ...], row: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(names, row, strict=True))


def _order(key: Any) -> tuple[int, Any]:
    return (0, key) if isinstance(key, (int, float)) else (1, str(key))


def _has(view: View, table: str, columns: tuple[str, ...]) -> bool:
    for name, present in view.tables.items():
        if name.lower() == table.lower():
            low = {c.lower() for c in present}
            return all(c.lower() in low or c.lower() == "rowid" for c in columns)
    return False


def _build(
    view: View, joins: tuple[str, ...], columns: str, key: str, where: str, limit: str
) -> tuple[str, tuple[str, ...]] | None:
    tables: dict[str, str] = {}
    parts: list[str] = []
    for index, join in enumerate(joins):
        match = JOINED.match(join)
        assert match is not None, join
        table, alias, condition = match[1].strip('"'), match[2], match[3] or ""
        used = [(alias_, column) for alias_, column in ALIASED.findall(condition)]
        known = {**tables, alias: table}
        whole = _has(view, table, ()) and all(a in known and _has(view, known[a], (c,)) for a, c in used)
        if not whole:
            if index == 0:
                return None
            continue
        tables[alias] = table
        parts.append(join)
    names, chosen = [], []
    for column in columns.split():
        name, _, renamed = column.partition(":")
        alias, _, field_name = name.partition(".")
        if alias in tables and _has(view, tables[alias], (field_name,)):
            names.append(renamed or field_name)
            chosen.append(f"{alias}.{quoted(field_name)}")
    conditions = [
        part
        for part in where.split(" AND ")
        if part and all(a in tables and _has(view, tables[a], (c,)) for a, c in ALIASED.findall(part))
    ]
    sql = f"SELECT {', '.join([key, *chosen])} FROM {' '.join(parts)}"
    if conditions:
        sql += " WHERE " + " AND ".join(conditions)
    return f"{sql} ORDER BY {key}{limit}", tuple(names)


def said(error: BaseException) -> str:
    """What went wrong, in words that can be printed."""
    if isinstance(error, UnicodeDecodeError):
        return f"damaged schema: {shown(error.object)}"
    return "took longer than its budget" if str(error) == "interrupted" else str(error) or type(error).__name__


def _reason(error: BaseException) -> str:
    if str(error) == "interrupted":
        return "timeout"
    return "memory" if isinstance(error, MemoryError) else "too_large" if "too big" in str(error) else "damaged"


# --- opening ----------------------------------------------------------------------------------------------------------


@contextmanager
def open_database(file: EvidenceFile, layout: Layout | None = None) -> Iterator[Database]:
    """The database on a private copy, its write-ahead log or hot journal beside it and compared.

    Raises ParseError: damaged, or `schema_unknown` where `layout` is given and the tables are others.
    """
    name = file.path.rsplit("/", 1)[-1]
    gaps: list[Gap] = []
    with file.on_disk(name + "-wal", name + "-journal") as path, ExitStack() as stack:
        wal, journal = Path(f"{path}-wal"), Path(f"{path}-journal")
        logged = _is_wal(wal, gaps)
        hot = not logged and _is_hot(journal, gaps)
        base = path
        if hot:  # rolling back changes the copy: keep the file as found
            base = path.with_name("as-found")
            shutil.copyfile(path, base)
        if not logged:
            wal.unlink(missing_ok=True)
        if not hot:
            journal.unlink(missing_ok=True)
        live = _open(file, path, logged or hot, gaps)
        stack.callback(live.connection.close)
        database = Database(live, gaps=gaps)
        if hot:
            database.newer, database.older = "journal", "wal_uncommitted"
        if logged or hot:
            try:
                database.before = View(base, changing=False, salvage=True)
                stack.callback(database.before.connection.close)
            except FAULTS as error:
                gaps.append(
                    Gap(
                        f"the database without its log cannot be read, so what the log changed cannot be told: "
                        f"{said(error)}"
                    )
                )
        if live.nameless:
            gaps.append(Gap(f"{live.nameless} tables have a name that is no text and were not read"))
        if layout is not None and not layout.fits(live.tables):
            wanted = ", ".join(f"{table}({', '.join(columns)})" for table, columns in layout.tables)
            raise ParseError(file.path, None, f"has no tables {wanted}", "schema_unknown")
        yield database


def _open(file: EvidenceFile, path: Path, changing: bool, gaps: list[Gap]) -> View:
    try:
        return View(path, changing=changing)
    except FAULTS as error:
        first = error
    try:
        view = View(path, changing=changing, salvage=True)
    except FAULTS as error:
        raise ParseError(file.path, None, f"not readable as SQLite: {said(error)}", "damaged") from error
    with file.open() as stream:
        head = stream.read(100)
    page = int.from_bytes(head[16:18], "big")
    stated = int.from_bytes(head[28:32], "big") * (65536 if page == 1 else page)
    cut = stated > file.size
    reason = f"the header states {stated} bytes, there are {file.size}" if cut else said(first)
    gaps.append(Gap(f"read past damage: {reason}", reason="truncated" if cut else "damaged"))
    return view


def _is_wal(path: Path, gaps: list[Gap]) -> bool:
    if not path.is_file() or path.stat().st_size == 0:
        return False
    with path.open("rb") as stream:
        head = stream.read(4)
    if head in (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83") and path.stat().st_size > 32:
        return True
    if any(head):
        gaps.append(Gap("the write-ahead log beside it has no valid header and was not applied"))
    return False


def _is_hot(path: Path, gaps: list[Gap]) -> bool:
    """Whether a rollback journal would be played back; one of a transaction over several files is cut loose first.

    SQLite follows the name of such a super-journal and may delete the file named: a hostile journal could name any.
    """
    if not path.is_file() or path.stat().st_size <= 512:
        return False
    with path.open("r+b") as stream:
        if stream.read(8) != JOURNAL_MAGIC:
            return False
        stream.seek(-8, 2)
        if stream.read(8) == JOURNAL_MAGIC:
            stream.seek(-8, 2)
            stream.write(bytes(8))
            gaps.append(Gap("the journal belongs to a transaction over several files; it was rolled back by itself"))
    return True
