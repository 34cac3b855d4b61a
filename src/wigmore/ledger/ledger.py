"""The ledger of a case: append-only events in SQLite (WAL, FULL), one transaction a batch, chained by their hashes."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Any
from urllib.parse import quote

from wigmore.ledger import verify as verification
from wigmore.ledger.chain import GENESIS, Event, Head, Stored, link
from wigmore.ledger.durable import durable_file, make_folder
from wigmore.ledger.errors import (
    UNREADABLE,
    CaseLocked,
    Damage,
    LedgerDamaged,
    LedgerError,
    LedgerExists,
    LedgerFull,
    LedgerMissing,
    LedgerReadOnly,
    LedgerWriteFailed,
    SchemaTooNew,
)
from wigmore.ledger.lock import WriterLock
from wigmore.ledger.projections import SCHEMA, STORED, Key, altered, key_of, make_schema, project
from wigmore.ledger.wal import lost_commits
from wigmore.model.canonical import canonical, clean
from wigmore.model.protocols import Clock
from wigmore.model.times import stamp

NAME = "ledger.sqlite"
PAGE = 256  # events read at a time, so that a slow reader never holds the log open
RESTORE = "Run `wigmore audit` for the extent, and restore the case from a backup"
NEWEST = "SELECT seq, coalesce(CAST(hash AS BLOB), x'') FROM events WHERE seq <= ? ORDER BY seq DESC LIMIT 1"
PRAGMAS = "synchronous=FULL", "fullfsync=ON", "trusted_schema=OFF", "cell_size_check=ON", "cache_size=-32768"


def _connect(file: Path, mode: str) -> sqlite3.Connection:
    location = f"file:{quote(str(file.absolute()))}?{mode}"
    connection = sqlite3.connect(location, uri=True, timeout=30, isolation_level=None, check_same_thread=False)
    try:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("SELECT 1 FROM sqlite_master")  # reads the file for the first time
    except BaseException:
        connection.close()
        raise
    return connection


def _named(file: Path, error: sqlite3.Error | UnicodeDecodeError, place: str = "") -> LedgerError:
    """Our own error for one of SQLite's; a wrong use of it (ProgrammingError) is not the ledger's state and passes."""
    if isinstance(error, sqlite3.ProgrammingError):
        raise error
    code = getattr(error, "sqlite_errorcode", 0)
    kept = "Nothing of this batch was kept; what was recorded before is safe"
    match code & 0xFF:
        case sqlite3.SQLITE_FULL:
            return LedgerFull(
                file, place, "the disk is full", f"{kept}. Free some space and run the same command again"
            )
        case sqlite3.SQLITE_IOERR if code not in (sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ):
            message = f"the system refused to write ({error}: a quota, a limit on file sizes, or a failing disk)"
            return LedgerWriteFailed(file, place, message, f"{kept}. Run the same command again once it can write")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return CaseLocked(file, None)
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            advice = "Copy the case to a folder that you can write to"
            return LedgerReadOnly(file, place, f"it cannot be opened where it is ({error})", advice)
    return LedgerDamaged(file, place, f"SQLite cannot read it ({error})", RESTORE)


class Ledger:
    """Recorded events in order; a context manager, made by `create`, `open` or `open_readonly`. Safe from threads.

    `recovery` lists commits found unreadable in the write-ahead log when the ledger was opened ([] normally).
    """

    def __init__(
        self, case: Path, connection: sqlite3.Connection, clock: Clock | None, lock: WriterLock | None
    ) -> None:
        self.case, self.file = case, case / NAME
        self._connection, self._clock, self._lock = connection, clock, lock
        self._mutex = RLock()
        self._head: tuple[int, bytes] | None = None  # None: read again before the next append
        self.recovery: list[Damage] = []

    @classmethod
    def create(cls, case: Path, clock: Clock) -> Ledger:
        """Make the case's folder where needed and an empty ledger in it; raises LedgerExists, CaseLocked, OSError."""
        make_folder(case)
        lock = WriterLock(case)
        try:
            if (case / NAME).exists():
                raise LedgerExists(
                    case / NAME, "", "this case has a ledger already", "Continue it, or name a new folder"
                )
            with durable_file(case / NAME) as temporary:
                connection = _connect(temporary, "mode=rwc")
                try:
                    connection.execute("PRAGMA journal_mode=WAL")
                    connection.execute("BEGIN")
                    make_schema(connection)
                    connection.execute("COMMIT")
                finally:
                    connection.close()
        except UNREADABLE as error:
            lock.release()
            raise _named(case / NAME, error) from error
        except BaseException:
            lock.release()
            raise
        lock.release()
        return cls.open(case, clock)

    @classmethod
    def open(cls, case: Path, clock: Clock) -> Ledger:
        """Open for writing, as the only writer; looks at the schema and the newest event, not at the whole chain.

        Raises LedgerMissing, CaseLocked, SchemaTooNew, and LedgerDamaged where appending would bury damage.
        """
        ledger = cls._opened(case, "mode=rw", clock)
        try:
            ledger.recovery = lost_commits(ledger.file, live=False)
            if ledger.recovery:
                ledger._ask("PRAGMA wal_checkpoint(TRUNCATE)")  # or the same loss would be found again
            ledger._check_end()
        except BaseException:
            ledger.close()
            raise
        return ledger

    @classmethod
    def open_readonly(cls, case: Path) -> Ledger:
        """Open for reading, also beside a running writer and on a read-only disk.

        Raises LedgerMissing, SchemaTooNew, LedgerDamaged.
        """
        return cls._opened(case, "mode=ro", None)

    @classmethod
    def _opened(cls, case: Path, mode: str, clock: Clock | None) -> Ledger:
        file = case / NAME
        if not file.is_file():
            raise LedgerMissing(file, "", "there is no ledger here", "Name a folder that `wigmore new` or `run` made")
        lock = WriterLock(case) if clock else None
        connection = None
        try:
            try:
                connection = _connect(file, mode)
                if clock:
                    connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                log = file.with_name(f"{NAME}-wal")
                unopened = error.sqlite_errorcode == sqlite3.SQLITE_CANTOPEN
                if clock or not unopened or (log.exists() and log.stat().st_size):
                    raise
                # a read-only disk cannot hold the index of the log; without a log the file alone is the ledger
                connection = _connect(file, "mode=ro&immutable=1")
            ledger = cls(case, connection, clock, lock)
            ledger._check_schema()
        except BaseException as error:
            if connection:
                connection.close()
            if lock:
                lock.release()
            if isinstance(error, UNREADABLE):
                raise _named(file, error) from error
            raise
        return ledger

    def _check_schema(self) -> None:
        rows = self._ask("SELECT value FROM meta WHERE name = 'schema'")
        version = rows[0][0] if rows else None
        if not isinstance(version, int) or version < 1:
            raise LedgerDamaged(self.file, "table meta", "it names no schema version", RESTORE)
        if version > SCHEMA:
            message = f"it has schema {version}, this program reads up to {SCHEMA}"
            raise SchemaTooNew(self.file, "table meta", message, "Install the newer version of wigmore that wrote it")
        if "events" in altered(self._connection):
            raise LedgerDamaged(self.file, "table events", "its definition was changed", RESTORE)

    def _check_end(self) -> None:
        """Refuse to go on from a damaged end; rebuild caches that are gone or behind."""
        strange = set(altered(self._connection))
        if strange - STORED.keys():
            raise LedgerDamaged(self.file, "", f"its definition of {', '.join(sorted(strange))} was changed", RESTORE)
        rows = self._ask(f"{verification.ROWS} DESC LIMIT 2")
        seq = rows[0][0] if rows else 0
        if rows:
            previous = rows[1][4] if len(rows) > 1 else GENESIS
            before = rows[1][0] if len(rows) > 1 else 0
            if before != seq - 1 or link(previous, seq, *rows[0][1:4]) != rows[0][4]:
                message = "the newest event does not follow from the one before it"
                raise LedgerDamaged(self.file, verification.place(seq, rows[0][1]), message, RESTORE)
        counted = 0 if strange else self._ask("SELECT CAST(total(n) AS INTEGER) FROM counts")[0][0]
        if counted > seq:
            message = f"the chain ends here, but {counted} events had been written: its tail was cut"
            raise LedgerDamaged(self.file, f"event {seq}", message, RESTORE)
        if counted < seq or strange:
            self.rebuild()
        self._head = self._newest()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let the next writer in; harmless when repeated."""
        with self._mutex:
            if self._lock and not self._lock.held:
                return  # closed already, or a fork: its copy of the connection is the parent's to close
            self._connection.close()
            if self._lock:
                self._lock.release()

    def append(self, events: Sequence[Event]) -> range:
        """Record the events as one transaction, on the disk when this returns their numbers.

        They share one time of recording. Raises LedgerFull or LedgerWriteFailed with nothing of the batch kept,
        LedgerDamaged where another program wrote, TypeError or ValueError for a body that is no JSON.
        """
        with self._mutex:
            clock = self._writing()
            seq, previous = self._head = self._head or self._newest()
            first, at = seq + 1, stamp(clock())
            at_bytes = at.encode()
            rows: list[tuple[int, str, str, bytes, bytes]] = []
            keys: list[Key] = []
            for seq, event in enumerate(events, first):
                body = canonical(event.body)
                previous = link(previous, seq, event.kind.encode(), at_bytes, body)
                rows.append((seq, event.kind, at, body, previous))
                key = key_of(event.body)
                if key is not None:
                    keys.append((event.kind, key, seq))
            if rows:
                self._commit(rows, keys)
            return range(first, seq + 1)

    def _commit(self, rows: list[tuple[int, str, str, bytes, bytes]], keys: list[Key]) -> None:
        connection, head = self._connection, self._head
        try:
            connection.execute("BEGIN IMMEDIATE")
            if self._newest() != head:
                message = "its newest event is not the one this program wrote: another program changed it"
                raise LedgerDamaged(self.file, "", message, RESTORE)
            connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", rows)
            project(connection, Counter(row[1] for row in rows), keys)
            connection.execute("COMMIT")
            self._head = rows[-1][0], rows[-1][4]
        except BaseException as error:
            self._head = None
            with suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            if isinstance(error, UNREADABLE):
                raise _named(self.file, error) from error
            raise

    def events(self, *kinds: str, after: int = 0, upto: int | None = None) -> Iterator[Stored]:
        """The events numbered above `after` up to `upto` (default: the newest when this was called), in order.

        With `kinds`, those alone. Streams; events may be appended meanwhile. Raises LedgerDamaged.
        """
        return self._walk(kinds, after, self.head().seq if upto is None else upto)

    def _walk(self, kinds: tuple[str, ...], after: int, upto: int) -> Iterator[Stored]:
        wanted = f"AND kind IN ({', '.join('?' * len(kinds))})" if kinds else ""
        query = f"SELECT * FROM events WHERE seq > ? AND seq <= ? {wanted} ORDER BY seq LIMIT {PAGE}"
        while page := self._ask(query, (after, upto, *kinds)):
            for row in page:
                yield self._stored(row)
            after = page[-1][0]

    def stored(self, upto: int) -> Iterator[tuple[int, bytes, bytes, bytes, bytes]]:
        """(seq, kind, at, body, hash) up to number `upto` as the bytes that are stored, for who checks the chain himself.

        One event in memory at a time. Raises LedgerDamaged.
        """
        query = f"{verification.RAW} WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT 1"
        after = -1 << 63
        while rows := self._ask(query, (after, upto)):
            after = rows[0][0]
            yield rows[0][:5]

    def find(self, kind: str, key: str) -> Stored | None:
        """The newest event of that kind whose body's `id` is `key`, or None."""
        query = "SELECT * FROM events WHERE seq = (SELECT seq FROM keys WHERE kind = ? AND key = ?)"
        with self._mutex:
            rows = self._ask(query, (kind, clean(key)))
        found = self._stored(rows[0]) if rows else None
        if found and (found.kind != kind or key_of(found.body) != clean(key)):
            advice = "Rebuild the projections"
            raise LedgerDamaged(self.file, f"table keys ({kind}, {key})", f"it points at event {found.seq}", advice)
        return found

    def counts(self) -> dict[str, int]:
        """How many events there are of each kind, by kind."""
        return dict(self._ask("SELECT kind, n FROM counts ORDER BY kind"))

    def head(self, upto: int | None = None) -> Head:
        """The newest event (not above number `upto`) and its hash; number 0 and zeros before the first."""
        seq, chained = self._newest(upto)
        return Head(seq, chained.hex())

    def verify(self, expect_head: Head | str | None = None) -> list[Damage]:
        """Everything wrong with the ledger, against `expect_head` and the heads noted by runs too; [] when good.

        Raises ValueError for a text that is no head.
        """
        expect = Head.parse(expect_head) if isinstance(expect_head, str) else expect_head
        with self._mutex:
            torn = self.recovery if self._lock else lost_commits(self.file, live=True)
            return [*torn, *verification.verify(self._connection, self.case, expect)]

    def rebuild(self) -> None:
        """Make the projections anew from the events; raises LedgerDamaged, LedgerFull."""
        with self._mutex:
            self._writing()
            try:
                verification.rebuild(self._connection)
            except UNREADABLE as error:
                raise _named(self.file, error) from error

    def _writing(self) -> Clock:
        if self._clock is None or self._lock is None or not self._lock.held:
            message = "this process opened the ledger for reading, closed it, or is a fork of the writer"
            raise LedgerReadOnly(self.file, "", message, "Open it for writing")
        return self._clock

    def _newest(self, upto: int | None = None) -> tuple[int, bytes]:
        limit = (1 << 63) - 1 if upto is None else upto
        rows = self._ask(NEWEST, (limit,))
        return (rows[0][0], rows[0][1]) if rows else (0, GENESIS)

    def _ask(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        try:
            with self._mutex:
                return self._connection.execute(query, values).fetchall()
        except UNREADABLE as error:
            raise _named(self.file, error) from error

    def _stored(self, row: tuple[int, str, str, bytes, bytes]) -> Stored:
        seq, kind, at, raw, chained = row
        body = verification.read_body(raw)
        if body is None or not isinstance(chained, bytes) or not isinstance(kind, str) or not isinstance(at, str):
            raise LedgerDamaged(self.file, verification.place(seq, kind), "its stored bytes were changed", RESTORE)
        return Stored(seq, kind, at, body, chained.hex())


def verify_case(case: Path, expect_head: Head | str | None = None) -> list[Damage]:
    """Verify the ledger of a case without a lock; what keeps it from being opened is a finding, not an exception."""
    try:
        with Ledger.open_readonly(case) as ledger:
            return ledger.verify(expect_head)
    except LedgerError as error:
        return [error.damage]
