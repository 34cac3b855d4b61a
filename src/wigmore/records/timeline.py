"""The timeline of a case: every time of every record as a row, in one Parquet file sorted by instant, a cache of the parts.

The file lies beside the text index and is named by the parts that it was made of: other parts make another file, two
processes that make the same one make the same rows, and it may be deleted at any time. A filter by period reads the row
groups that can hold it. Times of unknown zone stand after all others, ordered among their like alone: those of one clock of
one host in one source. A clock that the case file states is applied when rows are read; what is stored is never changed.
"""

from __future__ import annotations

import heapq
import itertools
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wigmore.ledger import durable_file
from wigmore.model.canonical import identify
from wigmore.model.clocks import HOST, ZONES_EAST, ZONES_WEST, Interval
from wigmore.model.times import instant_text
from wigmore.records.store import SPILL, RecordStore, clear_spills, connect, quoted

if TYPE_CHECKING:
    import duckdb

LAYOUT = 1  # raised when what is kept of a time changes
MAKING = "768MB"  # memory of the connection that sorts
KEPT = 3  # files of other parts that stay, the newest first: an audit goes back and forth between them
LISTINGS = ("file_listing", "carved_file", "unallocated_space")  # artifacts whose times are those of a file system
TELLING = (
    "event", "event_id", "name", "title", "message", "text", "command", "command_line", "url", "method", "status",
    "program", "executable", "user", "account", "address", "value", "key", "kind", "direction", "size", "reasons",
)  # fmt: skip  # fields that say most in a line
VALUES, LETTERS, MESSAGE = 6, 100, 240  # values of a message, characters of each, and of all
COLUMNS = (
    "instant", "time", "zone", "zone_source", "precision", "owner", "artifact", "field", "dates_record", "source_id",
    "host_id", "path", "record_id", "state", "message",
)  # fmt: skip
BATCH = 2000
STRETCHES = 64  # that are read one by one; of more, all from the first to the last
GROUP = 16_384  # times of a row group: what one thread unpacks at a time
_numbers = itertools.count()
_TIME = "STRUCT(text VARCHAR, instant BIGINT, zone VARCHAR, owner VARCHAR, precision DOUBLE, zone_source VARCHAR)"


def times_of(relation: str, columns: str) -> str:
    """A query for the times of a relation's records: `columns` of the record, `field`, and `t`, a struct of the time."""
    shape = quoted(f'"MAP(VARCHAR, {_TIME})"')
    return (
        f"SELECT * EXCLUDE (e), e.key AS field, e.value AS t FROM "
        f"(SELECT {columns}, unnest(map_entries(from_json(times, {shape}))) AS e FROM {relation})"
    )


def _chosen() -> str:
    """SQL for what a record's line shows: the telling fields first, then the others, as many as find room."""
    telling = ", ".join(map(quoted, TELLING))
    given = "lambda e: e.value IS NOT NULL AND e.value NOT IN ('', '[]', '{}')"
    entries = f"list_filter(map_entries(from_json(data, '\"MAP(VARCHAR, VARCHAR)\"')), {given})"
    told = f"list_filter(e, lambda e: e.key IN ({telling}))"
    others = f"list_filter(e, lambda e: e.key NOT IN ({telling}))"
    return f"list_transform([{entries}], lambda e: list_concat({told}, {others}))[1][1:{VALUES}]"


def _joined(shown: str, between: str) -> str:
    """SQL for the chosen fields as one text."""
    return f"left(array_to_string(list_transform(chosen, lambda e: {shown}), {between}), {MESSAGE})"


@dataclass(frozen=True)
class Wanted:
    """Which times: from `after` on and before `before` (µs UTC, of the corrected time), and what else must hold.

    `artifact` is a name or what its name begins with, up to a dot; `text` stands (no case) in a value of the message or the path.
    Times that a collector's file system gave are left out unless `collector`.
    """

    after: int | None = None
    before: int | None = None
    source_id: str = ""
    artifact: str = ""
    owner: str = ""
    text: str = ""
    collector: bool = False

    def few(self) -> bool:
        """Whether so much is asked that it is worth while to see first where anything suits."""
        return bool(self.source_id or self.artifact or self.owner or self.text)

    def sql(self, artifacts: Iterable[str]) -> tuple[list[str], list[Any]]:
        """The conditions beside the period, with their parameters; `artifacts` are those that there are."""
        where: list[str] = []
        given: list[Any] = []
        for name, value in (("source_id", self.source_id), ("owner", self.owner)):
            if value:
                where.append(f"{name} = ?")
                given.append(value)
        if self.artifact:
            # named whole, so that row groups without them are not unpacked
            among = [a for a in sorted(artifacts) if a == self.artifact or a.startswith(self.artifact + ".")]
            where.append(f"artifact IN ({', '.join('?' * len(among))})" if among else "false")
            given += among
        if self.text:
            where.append("(contains(sought, lower(?)) OR contains(lower(path), lower(?)))")
            given += [self.text] * 2
        if not self.collector:
            where.append(f"NOT (owner = 'collector' AND artifact IN ({', '.join(map(quoted, LISTINGS))}))")
        return where, given


class Timeline:
    """The times of a case's records; brought up to its parts when made."""

    def __init__(
        self, store: RecordStore, folder: Path, say: Callable[[str], None] = lambda _: None, threads: int = 2
    ) -> None:
        self.store = store
        self.threads = threads
        self.folder = folder
        self.say = say
        self.file = folder / f"{identify('times', LAYOUT, sorted(p.sha256 for p in store.parts))}.parquet"
        if not self._sound():
            self._make()

    def _sound(self) -> bool:
        """Whether the file is there and whole, by its footer."""
        import duckdb

        if not self.file.is_file():
            return False
        try:
            with connect(1) as connection:
                connection.execute(f"SELECT count(*) FROM read_parquet({quoted(str(self.file))})").fetchone()
            os.utime(self.file)  # the newest stay
        except (duckdb.Error, OSError):
            return False
        return True

    def _make(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        clear_spills(self.folder)
        self.say(f"putting the times of {self.store.count()} records in order")
        spill = self.folder / f"{SPILL}{os.getpid()}-{next(_numbers)}"
        taken = "source_id, host_id, artifact, path, record_id, ordinal, state, time_field"
        value = f"left(e.value, {LETTERS})"
        message, sought = _joined(f"e.key || '=' || {value}", quoted(" · ")), f"lower({_joined(value, 'chr(10)')})"
        # a record's line is made once, whatever many times it has
        lines = f"(SELECT {taken}, times, {_chosen()} AS chosen FROM {self.store.relation()} WHERE times <> '{{}}')"
        told = f"(SELECT {taken}, times, {message} AS message, {sought} AS sought FROM {lines})"
        wall = "epoch_us(try_cast(left(t.text, 26) AS TIMESTAMP))"
        rows = (
            f"SELECT t.instant AS instant, t.text AS time, t.zone AS zone, t.zone_source AS zone_source, "
            f"t.precision AS precision, t.owner AS owner, artifact, field, field = coalesce(time_field, '') AS dates_record, "
            f"source_id, host_id, path, record_id, state, message, sought, ordinal, "
            f"CASE WHEN t.instant IS NULL THEN {wall} END AS wall, "
            f"CASE WHEN t.instant IS NULL THEN concat_ws('/', source_id, host_id, t.owner, "
            f"CASE WHEN {wall} IS NULL THEN path END) ELSE '' END AS clock "
            f"FROM ({times_of(told, f'{taken}, message, sought')}) WHERE t.text IS NOT NULL"
        )
        try:
            with connect(self.threads, MAKING, spill) as connection, durable_file(self.file) as temporary:
                connection.execute("SET parquet_metadata_cache=false")
                # inside one log the order of writing tells equal times apart; a record's own times go by name
                connection.execute(
                    f"COPY (SELECT * FROM ({rows}) ORDER BY instant NULLS LAST, clock, wall NULLS LAST, source_id, path, "
                    f"ordinal, record_id, field) TO {quoted(str(temporary))} (FORMAT parquet, "
                    f"COMPRESSION lz4_raw, PARQUET_VERSION v2, ROW_GROUP_SIZE {GROUP})"
                )
        finally:
            shutil.rmtree(spill, ignore_errors=True)
        others = [f for f in self.folder.glob("*.parquet") if f != self.file]
        for stale in sorted(others, key=lambda f: (-f.stat().st_mtime_ns, f.name))[KEPT - 1 :]:
            stale.unlink(missing_ok=True)

    def relation(self, options: str = "") -> str:
        """The table of all times, to query; its columns are COLUMNS, `wall` (µs of a local time as written) and `clock`."""
        if not self.file.is_file():  # another process, with other parts, cleared it away
            self._make()
        return f"read_parquet({quoted(str(self.file))}{options})"

    def known(self, wanted: Wanted, clocks: Mapping[str, Sequence[Interval]] | None = None) -> Iterator[dict[str, Any]]:
        """Times of known instant by instant, those of a host's clock with a stated offset by the corrected one.

        Rows have COLUMNS, `corrected` (text, or None), `offset_seconds` and `basis`; memory does not grow with them.
        """
        stated = [(s, i) for s, intervals in sorted((clocks or {}).items()) for i in intervals if i.ahead]
        parts = [self._corrected(wanted, source_id, interval) for source_id, interval in stated]
        inside = "".join(
            f" AND NOT (source_id = {quoted(s)} AND owner = '{HOST}' AND instant BETWEEN {i.start} AND {i.end})"
            for s, i in stated
        )
        bounds = _between(wanted.after, wanted.before)
        rest = ((r["instant"], r) for r in self._stream(wanted, f"instant IS NOT NULL{bounds}{inside}"))
        plain = {"corrected": None, "offset_seconds": 0.0, "basis": ""}
        for _, row in heapq.merge(*parts, ((at, {**row, **plain}) for at, row in rest), key=lambda pair: pair[0]):
            yield row

    def _corrected(self, wanted: Wanted, source_id: str, interval: Interval) -> Iterator[tuple[int, dict[str, Any]]]:
        """What one stated interval of a source holds, by corrected instant: one offset, so the order stays."""
        if wanted.source_id not in ("", source_id) or wanted.owner not in ("", HOST):
            return
        shift = interval.ahead
        after, before = (None if at is None else at + shift for at in (wanted.after, wanted.before))
        where = (
            f"source_id = {quoted(source_id)} AND owner = '{HOST}' AND instant BETWEEN {interval.start} AND {interval.end}"
            f"{_between(after, before)}"
        )
        for row in self._stream(wanted, where):
            at = int(row["instant"]) - shift
            yield (
                at,
                {
                    **row,
                    "corrected": instant_text(at),
                    "offset_seconds": -shift / 1_000_000,
                    "basis": interval.said(),
                },
            )

    def local(self, wanted: Wanted) -> Iterator[dict[str, Any]]:
        """Times of unknown zone, each among its like; of a period, those that some zone could put inside.

        Times without a year have no place in a period: `undated` counts them.
        """
        where = "instant IS NULL"
        if wanted.after is not None:
            where += f" AND wall >= {wanted.after - ZONES_WEST}"
        if wanted.before is not None:
            where += f" AND wall < {wanted.before + ZONES_EAST}"
        for row in self._stream(wanted, where):
            yield {**row, "corrected": None, "offset_seconds": 0.0, "basis": ""}

    def undated(self, wanted: Wanted) -> int:
        """How many times of unknown zone cannot be placed at all, for want of a year."""
        where, given = wanted.sql(self.store.artifacts())
        sql = (
            f"SELECT count(*) FROM {self.relation()} WHERE {' AND '.join(['instant IS NULL', 'wall IS NULL', *where])}"
        )
        with connect(self.threads) as connection:
            return int(self.store.fetch(connection, sql, given)[0][0])

    def _stream(self, wanted: Wanted, period: str) -> Iterator[dict[str, Any]]:
        """The rows that suit, in the file's order, which is total: sorting again would hold them all."""
        where, given = wanted.sql(self.store.artifacts())
        suits = " AND ".join([period, *where])
        with connect(self.threads) as connection:
            connection.execute("SET preserve_insertion_order=true")
            for span in self._spans(connection, suits, given) if wanted.few() else [""]:
                sql = f"SELECT {', '.join(COLUMNS)} FROM {self.relation()} WHERE {suits}{span}"
                rows = self.store.fetch(connection, sql, given, BATCH)
                while rows:
                    for values in rows:
                        yield dict(zip(COLUMNS, values, strict=True))
                    rows = connection.fetchmany(BATCH)

    def _spans(self, connection: duckdb.DuckDBPyConnection, suits: str, given: list[Any]) -> list[str]:
        """Conditions for the stretches of the file in which something suits: the rest is never read in full.

        The columns that the conditions name are read for all; stretches come in order and have no instant in common.
        """
        found = self.store.fetch(
            connection,
            f"SELECT min(instant), max(instant) FROM (SELECT instant, file_row_number // {GROUP} AS part "
            f"FROM {self.relation(', file_row_number=true')} WHERE {suits}) "
            f"GROUP BY part ORDER BY part",
            given,
        )
        spans: list[list[int]] = []
        for first, last in found:
            if first is None:  # of unknown instants, which all stand together
                return [""]
            if spans and first <= spans[-1][1]:
                spans[-1][1] = last
            else:
                spans.append([first, last])
        if len(spans) > STRETCHES:
            spans = [[spans[0][0], spans[-1][1]]]
        return [f" AND instant BETWEEN {first} AND {last}" for first, last in spans]


def _between(after: int | None, before: int | None) -> str:
    return (f" AND instant >= {after}" if after is not None else "") + (
        f" AND instant < {before}" if before is not None else ""
    )
