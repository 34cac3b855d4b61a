"""The records of a case: Parquet parts and the DuckDB views over them.

Parts are written by DuckDB's COPY from spool files, fsynced and renamed before the ledger event that names them. A part's
file hash stands in that event; the rows' own hashes stand in the coverage rows (canonical rows, never Parquet bytes).
"""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from wigmore.ledger import durable_file
from wigmore.records.rows import COLUMNS, shown

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")
ORDER = "source_id, path, artifact, inode NULLS FIRST, parser, ordinal"
PART_ROWS = 50_000
WRITING = "512MB"  # memory of the connection that writes parts
READING, MOST_READING = "128MB", "1GB"  # of the one that queries; and once a query could not do with it
GROUP_ROWS = (
    2048  # (the least) rows of a row group: what a look-up of one record unpacks, and what threads share among them
)
SHARED = 50_000  # records of a case from which on one query is shared among threads; calls run side by side anyway
SPILL = "spill-"  # what the folders begin with where queries put what they cannot hold
_STORES = itertools.count()
HELD_ROWS = 16_384  # rows of a derived table that are put together before they are written out
FEW = 64  # records of a look-up that needs no join
GROUP_BYTES = 16 * 1024 * 1024  # bytes after which a row group is written out: rows may be of 8 MiB each


def connect(threads: int = 2, memory: str = READING, spill: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that loads nothing from outside and reads nothing it is not told to.

    What does not fit into `memory` goes to the folder `spill` (none: it fails), never to the current one.
    """
    import duckdb  # a tenth of a second: not before it is needed

    connection = duckdb.connect(":memory:")
    connection.execute(f"SET threads={int(threads)}")
    connection.execute(f"SET memory_limit='{memory}'")
    connection.execute("SET autoinstall_known_extensions=false")
    connection.execute("SET autoload_known_extensions=false")
    connection.execute("SET preserve_insertion_order=false")
    connection.execute("SET enable_progress_bar=false")
    connection.execute(f"SET temp_directory={quoted(str(spill) if spill else '')}")
    return connection


def quoted(text: str) -> str:
    """A SQL string literal (NUL ends a query's text, so it stands beside it)."""
    literal = "'" + text.replace("'", "''") + "'"
    return "(" + literal.replace("\0", "' || chr(0) || '") + ")" if "\0" in text else literal


def clear_spills(case: Path) -> None:
    """Take away what killed processes left of their queries in a case."""
    for folder in case.glob(f"{SPILL}*"):
        process = folder.name.removeprefix(SPILL).partition("-")[0]
        try:
            os.kill(int(process), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except (OSError, ValueError, OverflowError):
            continue  # at work under another account, or not ours


def file_sha256(path: Path) -> str:
    """SHA-256 of a file on this machine."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


@dataclass(frozen=True)
class Part:
    """One Parquet part."""

    file: str  # below records/
    source_id: str
    artifact: str
    rows: int
    sha256: str
    bytes: int


class RecordStore:
    """Writes parts and answers queries over all of them."""

    def __init__(self, case: Path, threads: int = 2) -> None:
        self.folder = case / "records"
        self.parts: list[Part] = []
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._writer: duckdb.DuckDBPyConnection | None = (
            None  # its own, so that writing takes the same memory whatever it writes
        )
        self._dirty = True
        self._derived: dict[Any, Future[Any]] = {}
        self._tables = 0
        # made where a query needs it, and taken away; another store of the case, in this process or not, has its own
        self._spill = case / f"{SPILL}{os.getpid()}-{next(_STORES)}"
        self._threads = threads
        self._lock = threading.RLock()

    def add(self, parts: Iterable[Part]) -> None:
        """Make parts visible to queries."""
        with self._lock:
            self.parts.extend(parts)
            self.parts.sort(key=lambda p: (p.source_id, p.artifact, p.file))
            self._dirty = True

    def show(self, parts: Iterable[Part]) -> None:
        """Make these parts, and no others, visible to queries (the audit does, for calls made when there were fewer)."""
        with self._lock:
            self.parts = sorted(parts, key=lambda p: (p.source_id, p.artifact, p.file))
            self._dirty = True

    def open(self) -> None:
        """Open the connection that writes (a tenth of a second), where it is not open yet."""
        with self._lock:
            if self._writer is None:
                self._writer = connect(1, WRITING, self._spill.with_name(f"{self._spill.name}-parts"))

    def write_part(self, source_id: str, artifact: str, spools: Sequence[Path]) -> Part:
        """Turn spool files of one artifact into one durable part."""
        self.open()
        assert self._writer is not None
        with self._writer.cursor() as connection:
            safe = "".join(c if c.isalnum() or c in "._-" else "_" for c in artifact)
            folder = self.folder / "".join(c if c.isalnum() or c in "._-" else "_" for c in source_id) / safe
            folder.mkdir(parents=True, exist_ok=True)
            columns = ", ".join(f"{name}: '{kind}'" for name, kind in COLUMNS.items())
            files = ", ".join(quoted(str(s)) for s in spools)
            digest = hashlib.sha256()
            for spool in spools:
                digest.update(file_sha256(spool).encode())
            target = folder / f"part-{digest.hexdigest()[:20]}.parquet"
            with durable_file(target) as temporary:
                done = connection.execute(
                    f"COPY (SELECT * FROM read_json([{files}], format='newline_delimited', columns={{{columns}}}, "
                    f"maximum_object_size=16777216)) TO {quoted(str(temporary))} "
                    f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {GROUP_ROWS}, ROW_GROUP_SIZE_BYTES {GROUP_BYTES})"
                ).fetchone()
            return Part(
                str(target.relative_to(self.folder)),
                source_id,
                artifact,
                int(done[0]) if done else 0,
                file_sha256(target),
                target.stat().st_size,
            )

    def count(self) -> int:
        """The number of records."""
        return sum(part.rows for part in self.parts)

    def many(self) -> bool:
        """Whether the records are so many that what is made of them is not to be held in memory."""
        return self.count() > SHARED

    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection of this process, its views made anew when parts came."""
        with self._lock:
            if self._connection is None:
                self._connection = connect(self._threads, READING, self._spill)
            if self._dirty:
                self._dirty = False
                many = self.many()
                self._connection.execute(f"SET threads={self._threads if many else 1}")
                for cache in ("parquet_metadata_cache", "enable_external_file_cache"):  # they grow with the parts
                    self._connection.execute(f"SET {cache}={not many}")
                self._views(self._connection)
            return self._connection

    def derived(self, key: Any, build: Callable[[str], T]) -> T:
        """What `build` made of a table for the parts as they stand: called once a key, with the table's name.

        Other threads that want the same wait for it; those that want another go on.
        """
        with self._lock:
            self.connection()
            made = self._derived.get(key)
            mine = made is None
            if made is None:
                self._tables += 1
                table, made = f"derived_{self._tables}", Future()
                self._derived[key] = made
        if mine:
            try:
                made.set_result(build(table))
            except BaseException as error:  # noqa: BLE001  # raised for whoever waits for the result, this thread too
                made.set_exception(error)
        return cast("T", made.result())

    def hold(self, cursor: duckdb.DuckDBPyConnection, table: str, query: str, many: bool) -> None:
        """Make a query's rows a derived table: in memory, or, where they may be many, in a file of the spill folder."""
        try:
            if many:
                self._spill.mkdir(exist_ok=True)
        except OSError:
            many = False  # a case that may only be read
        if not many:
            self.fetch(cursor, f"CREATE TABLE {table} AS {query}")
            return
        file = quoted(str(self._spill / f"{table}.parquet"))
        self.fetch(
            cursor, f"COPY ({query}) TO {file} (FORMAT parquet, COMPRESSION lz4_raw, ROW_GROUP_SIZE {HELD_ROWS})"
        )
        cursor.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet({file})")

    def forget(self) -> None:
        """Drop derived tables, so that the next call reads the parts again (the audit does)."""
        with self._lock:
            self._drop(self.connection())

    def _drop(self, connection: duckdb.DuckDBPyConnection) -> None:
        made = connection.execute("SELECT table_name, table_type FROM information_schema.tables").fetchall()
        for name, kind in made:
            if name.startswith("derived_"):
                connection.execute(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} {name}")
                (self._spill / f"{name}.parquet").unlink(missing_ok=True)
        self._derived.clear()

    def _views(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._drop(connection)
        files = [str(self.folder / p.file) for p in self.parts]
        if files:
            listed = ", ".join(quoted(f) for f in files)
            connection.execute(f"CREATE OR REPLACE VIEW records AS SELECT * FROM read_parquet([{listed}])")
        else:
            empty = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in COLUMNS.items())
            connection.execute(f"CREATE OR REPLACE VIEW records AS SELECT {empty} WHERE false")

    def chosen(self, artifacts: Iterable[str] | None = None, source_id: str | None = None) -> list[Part]:
        """The parts of some artifacts (globs with `*` allowed) and one source only."""
        return [
            p
            for p in self.parts
            if (source_id is None or p.source_id == source_id)
            and (artifacts is None or any(fnmatchcase(p.artifact, a) for a in artifacts))
        ]

    def relation(self, artifacts: Iterable[str] | None = None, source_id: str | None = None) -> str:
        """A table expression over the parts that `chosen` names."""
        chosen = self.chosen(artifacts, source_id)
        if not chosen:
            self.connection()
            empty = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in COLUMNS.items())
            return f"(SELECT {empty} WHERE false)"
        listed = ", ".join(quoted(str(self.folder / p.file)) for p in chosen)
        return f"read_parquet([{listed}])"

    def fetch(
        self, cursor: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] = (), batch: int | None = None
    ) -> list[tuple[Any, ...]]:
        """The rows of a query, or its first `batch`; what cannot do with the memory that most need is given more."""
        import duckdb

        try:
            cursor.execute(sql, list(parameters))
            return cursor.fetchall() if batch is None else cursor.fetchmany(batch)
        except duckdb.OutOfMemoryException:
            cursor.execute(f"SET memory_limit='{MOST_READING}'")
            cursor.execute(sql, list(parameters))
            return cursor.fetchall() if batch is None else cursor.fetchmany(batch)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """All rows of a query as dictionaries; queries of several threads run side by side."""
        with self.connection().cursor() as cursor:
            rows = self.fetch(cursor, sql, parameters)
            names = [d[0] for d in cursor.description or ()]
            return [dict(zip(names, values, strict=True)) for values in rows]

    def stream(self, sql: str, parameters: Sequence[Any] = (), batch: int = 5000) -> Iterator[dict[str, Any]]:
        """Rows of a query, fetched in batches on a cursor of its own."""
        with self.connection().cursor() as cursor:
            rows = self.fetch(cursor, sql, parameters, batch)
            names = [d[0] for d in cursor.description or ()]
            while rows:
                for values in rows:
                    yield dict(zip(names, values, strict=True))
                rows = cursor.fetchmany(batch)

    def records(
        self,
        artifacts: Iterable[str] | None = None,
        source_id: str | None = None,
        where: str = "",
        parameters: Sequence[Any] = (),
        limit: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Records as INTERFACE.md shows them, in canonical order."""
        condition = f" WHERE {where}" if where else ""
        tail = f" LIMIT {int(limit)}" if limit is not None else ""
        sql = f"SELECT * FROM {self.relation(artifacts, source_id)}{condition} ORDER BY {ORDER}{tail}"
        for stored in self.stream(sql, parameters):
            yield shown(stored)

    def by_id(
        self,
        record_ids: Iterable[str],
        artifacts: Iterable[str] | None = None,
        source_id: str | None = None,
        paths: Iterable[str] = (),
        columns: str = "*",
    ) -> dict[str, dict[str, Any]]:
        """Stored rows by record id (`columns` of them); naming artifacts, source and paths spares reading other row groups."""
        wanted = sorted(set(record_ids))
        if not wanted:
            return {}
        among = sorted(set(paths))
        there = f"path IN ({', '.join('?' * len(among))}) AND " if among else ""
        # few are looked for row by row: named in an IN, they would have each row group that may hold one unpacked whole
        here = "list_contains(?, record_id)" if len(wanted) <= FEW else "record_id IN (SELECT unnest(?))"
        rows = self.query(
            f"SELECT {columns} FROM {self.relation(artifacts, source_id)} WHERE {there}{here} ORDER BY {ORDER}",
            [*among, wanted],
        )
        return {r["record_id"]: r for r in rows}

    def artifacts(self) -> dict[str, int]:
        """Rows per artifact."""
        out: dict[str, int] = {}
        for part in self.parts:
            out[part.artifact] = out.get(part.artifact, 0) + part.rows
        return dict(sorted(out.items()))

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._connection is not None:
                self._drop(self._connection)
            for connection in (self._connection, self._writer):
                if connection is not None:
                    connection.close()
            self._connection = self._writer = None
            shutil.rmtree(self._spill, ignore_errors=True)
