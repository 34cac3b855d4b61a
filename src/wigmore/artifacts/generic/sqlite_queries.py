"""Declared queries over known databases: which join, which columns, which of them are times, what is decoded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from wigmore.artifacts.generic.plist_reader import decode_blob, decode_json, shortened
from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_reader import FAULTS, Database, Row, open_database, said
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import Time, cocoa, filetime, iso, posix, webkit

Convert = Callable[[Any], Time | None]
Data = dict[str, Any]


def _number(value: Any) -> int | float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value if math.isfinite(value) else None
    if isinstance(value, str) and len(value) <= 20:
        try:
            return int(value)
        except ValueError:
            return None
    return None


def _safe(value: Any, convert: Callable[[Any], Time | None], limit: float = 9e18) -> Time | None:
    number = _number(value)
    if number is None or abs(number) > limit:
        return None
    return convert(number)


def seconds(value: Any) -> Time | None:
    """POSIX seconds, integer or float."""
    return _safe(value, posix, 2.6e11)


def milliseconds(value: Any) -> Time | None:
    """POSIX milliseconds."""
    return _safe(value, lambda v: posix(int(v), unit="ms"))


def microseconds(value: Any) -> Time | None:
    """POSIX microseconds."""
    return _safe(value, lambda v: posix(int(v), unit="us"))


def webkit_time(value: Any) -> Time | None:
    """Microseconds since 1601."""
    return _safe(value, lambda v: webkit(int(v)))


def file_time(value: Any) -> Time | None:
    """100 ns since 1601."""
    return _safe(value, lambda v: filetime(int(v)))


def apple(value: Any) -> Time | None:
    """Seconds since 2001, or nanoseconds where the number is too large for seconds (iOS 11 and macOS 10.13 on)."""
    number = _number(value)
    if number is None or abs(number) > 9.2e18:
        return None
    return cocoa(int(number), unit="ns") if abs(number) > 1e14 else cocoa(number) if abs(number) < 2.6e11 else None


def webkit_or_seconds(value: Any) -> Time | None:
    """Chromium columns that held POSIX seconds in old schema versions and hold µs since 1601 in new ones."""
    number = _number(value)
    return webkit_time(number) if number is not None and number > 10**12 else seconds(number)


def text_utc(value: Any) -> Time | None:
    """A text time that its writer stores in UTC."""
    return iso(value, zone="Z", source="the format stores UTC") if isinstance(value, str) else None


def text_local(value: Any) -> Time | None:
    """A text time without a zone: it stays local."""
    return iso(value) if isinstance(value, str) else None


@dataclass(frozen=True, eq=False)
class Query:
    """One kind of record: where its rows come from and how their columns are read.

    `times`: column → conversion; the first present entry of `dated_by` (default: order of `times`) dates the record.
    `derive` adds decoded values to the data (`_row` there holds the stored row); it may set `_times`, `_origin`,
    `_host_id` and `_artifact`.
    """

    artifact: str
    joins: tuple[str, ...]
    columns: str
    key: str
    times: Mapping[str, Convert] = field(default_factory=dict)
    dated_by: tuple[str, ...] = ()
    where: str = ""
    derive: Callable[[Data, Database], None] | None = None
    undated: bool = False  # none of the times says when the thing recorded happened


def read_queries(file: EvidenceFile, layout: Layout, queries: tuple[Query, ...]) -> Iterator[Yield]:
    """All records of the declared queries over one database: live and log rows, then deleted ones, gaps last."""
    with open_database(file, layout) as database:
        for query in queries:
            for row in database.select(query.joins, query.columns, query.key, query.where):
                yield row.locator, record_of(query, row, database)
        yield from read_deleted(file, database, queries)
        yield from database.gaps


def read_deleted(file: EvidenceFile, database: Database, queries: tuple[Query, ...]) -> Iterator[Yield]:
    """Records of the rows of the queries' own tables that are found outside the live database.

    They stand in for their table in the query, so that what they refer to is named from the rows that live on. What could
    not be searched is `generic.sqlite_deleted`'s to say.
    """
    from wigmore.artifacts.generic.sqlite_remnants import Remnant, facts, locator, remnants

    main = {query: query.joins[0].split()[0].strip('"').lower() for query in queries}
    names = {n.lower(): n for view in (database.live, database.before) if view for n in view.tables}
    wanted = frozenset(names[table] for table in main.values() if table in names)
    if not wanted:
        return
    found: dict[str, list[Remnant]] = {}
    for item in remnants(file, database, wanted):
        if isinstance(item, Remnant):
            found.setdefault(item.row.table.lower(), []).append(item)
    for table, rows in sorted(found.items()):
        if names[table] not in database.live.tables:
            continue
        stored = [(r.row.rowid, r.row.values) for r in rows]
        try:
            with database.standing_in(names[table], stored) as mark:
                for query in queries:
                    if main[query] != table:
                        continue
                    key = f"{query.joins[0].split()[1]}.{mark}"
                    for row in database.select(query.joins, query.columns, key, query.where):
                        remnant = rows[row.key]
                        made = record_of(query, Row(row.table, remnant.row.rowid, row.values, remnant.state), database)
                        where = locator(remnant)
                        yield (
                            {**where, "part": row.part} if row.part else where,
                            replace(made, data={**made.data, **facts(remnant)}),
                        )
        except FAULTS as error:
            database.gaps.append(Gap(f"deleted rows of table {names[table]} could not be joined: {said(error)}"))


def record_of(query: Query, row: Row, database: Database) -> Record:
    """The record of one row."""
    data: Data = dict(row.values)
    times: dict[str, Time] = {}
    for name, convert in query.times.items():
        if name in data:
            time = convert(data[name])
            if time is not None:
                times[name] = time
                del data[name]
    if query.derive:
        data["_row"] = row.values  # as stored, with the columns that became times
        query.derive(data, database)
        del data["_row"]
    extra = data.pop("_times", None)
    if extra:
        times.update(extra)
    origin, host, artifact = data.pop("_origin", ""), data.pop("_host_id", ""), data.pop("_artifact", query.artifact)
    order = query.dated_by or tuple(query.times)
    dated = None if query.undated else next((name for name in order if name in times), None)
    return Record(settled(data), times, dated, row.state, host, origin, artifact)


def settled(data: Data) -> Data:
    """Values as JSON: empty ones left out, BLOBs as hex with their size and what they hold, NaN as text."""
    result: Data = {}
    for name, value in data.items():
        if value is None:
            continue
        if isinstance(value, bytes):
            if value:
                result.update(blob_fields(name, value))
        elif isinstance(value, float) and not math.isfinite(value):
            result[name] = str(value)
        else:
            result[name] = value
    return result


def blob_fields(name: str, value: bytes) -> Data:
    """A BLOB's hex, its size where more than is shown, and its decoded content where its bytes say what they are."""
    fields: Data = {name: shortened(value), f"{name}_size": len(value)}
    decoded = decode_blob(value)
    if decoded is not None:
        fields[f"{name}_decoded"] = decoded
    return fields


def opened(data: Data, *names: str) -> None:
    """Replace the named columns by what their BLOBs or JSON texts hold, where they can be decoded."""
    for name in names:
        value = data.get(name)
        decoded = (
            decode_blob(value) if isinstance(value, bytes) else decode_json(value) if isinstance(value, str) else None
        )
        if decoded is not None:
            data[name] = decoded


def named(data: Data, column: str, names: dict[int, str], to: str | None = None) -> None:
    """Add the meaning of a code beside it, as `<column>_name` unless told otherwise; unknown codes are said so."""
    value = data.get(column)
    if isinstance(value, int):
        data[to or f"{column}_name"] = names.get(value, f"unknown ({value})")


def clock(length: Any) -> str | None:
    """A length of seconds as hours:minutes:seconds, cut to whole seconds."""
    if not isinstance(length, (int, float)) or not 0 <= length < 1e8:
        return None
    whole = int(length)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def walk(value: Any, limit: int = 10_000) -> Iterator[tuple[str, Any]]:
    """Every (key, value) of nested dictionaries and lists, outermost first, at most `limit` of them."""
    queue: list[Any] = [value]
    seen = 0
    while queue and seen < limit:
        item = queue.pop(0)
        if isinstance(item, dict):
            for key, inner in item.items():
                seen += 1
                yield str(key), inner
                if isinstance(inner, (dict, list)):
                    queue.append(inner)
        elif isinstance(item, list):
            seen += 1
            queue.extend(inner for inner in item if isinstance(inner, (dict, list)))
