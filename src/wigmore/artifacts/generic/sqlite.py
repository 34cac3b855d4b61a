"""Every row of every table of any SQLite database, with and without its log."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from wigmore.artifacts.generic.plist_reader import decode_json, leaves
from wigmore.artifacts.generic.sqlite_layout import MAGIC, Layout
from wigmore.artifacts.generic.sqlite_queries import blob_fields
from wigmore.artifacts.generic.sqlite_reader import FAULTS, Database, Row, View, open_database, quoted, said
from wigmore.model.canonical import canonical, sha256
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import Time, cocoa, filetime, iso, posix, webkit
from wigmore.registry import HEAD, Claim, parser, parsers

HINT = re.compile(
    r"(time|date|stamp|created|modified|changed|updated|accessed|visited|expir|sent|received|delivered|_at$|_ts$|^ts$|"
    r"last_?(used|seen|run|sync|open|play|active|login|attempt)|start|end$|since|until|utc)",
    re.IGNORECASE,
)
NO_HINT = re.compile(
    r"(duration|timezone|time_?zone|timeout|offset|interval|elapsed|count|uptime|day|format|_id$|version)",
    re.IGNORECASE,
)
COMPARED = 200_000  # rows of a table without rowid whose hashes are kept for the comparison
NESTED = 2_000  # leaves of a decoded value that are looked at for times
NESTED_TIMES = 50
GUESSED = "guessed from column name and magnitude"


def guess_time(column: str, value: Any, core_data: bool) -> Time | None:
    """A time where the column's name hints at one and the value lies in 2001–2040 of exactly one usual epoch."""
    if not HINT.search(column) or NO_HINT.search(column):
        return None
    time: Time | None = None
    if isinstance(value, str):
        if value.isdigit() and len(value) in (10, 13, 16, 17, 18, 19):
            return guess_time(column, int(value), core_data)
        time = iso(value)
        return None if time is None else {**time, "zone_source": f"{time['zone_source']}; {GUESSED}"}
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    if 10**9 <= value < 2.2 * 10**9:
        time = posix(value)
    elif 10**12 <= value < 2.2 * 10**12:
        time = posix(int(value), unit="ms")
    elif 10**15 <= value < 2.2 * 10**15:
        time = posix(int(value), unit="us")
    elif 1.26e16 <= value < 1.39e16:
        time = webkit(int(value))
    elif 1.26e17 <= value < 1.39e17:
        time = filetime(int(value))
    elif core_data and 2.0e8 <= value < 1_000_000_000:
        time = cocoa(value)
    elif 2.8e17 <= value < 1e18:
        time = cocoa(int(value), unit="ns")
    elif 1.2e18 <= value < 2.2e18:
        time = posix(int(value), unit="ns")
    return None if time is None else {**time, "zone_source": GUESSED}


def _nested(value: Any, column: str, times: dict[str, Time]) -> None:
    """Guess the times inside a decoded value, by the name of the leaf's own key."""
    if not isinstance(value, (dict, list)):
        return
    for path, leaf in islice(leaves(value, column), NESTED):
        time = guess_time(path.rsplit(".", 1)[-1], leaf, core_data=False)
        if time is not None and len(times) < NESTED_TIMES:
            times[path] = time


def record(row: Row, core_data: bool) -> Record:
    """A row as it stands: BLOBs as hex and decoded, guessed times beside the stored numbers."""
    data: dict[str, Any] = {"table": row.table}
    times: dict[str, Time] = {}
    for name, value in row.values.items():
        column = f"{name} (column)" if name == "table" else name
        if value is None:
            continue
        if isinstance(value, bytes):
            fields = blob_fields(column, value)
            data.update(fields)
            _nested(fields.get(f"{column}_decoded"), f"{column}_decoded", times)
            continue
        time = guess_time(name, value, core_data or isinstance(value, float))
        if time is not None:
            times[column] = time
        data[column] = str(value) if isinstance(value, float) and not math.isfinite(value) else value
        if isinstance(value, str) and value[:1] in ("{", "["):
            decoded = decode_json(value)
            _nested(decoded, column, times)
            if decoded is not None and "\\" in value:  # plain JSON is readable as it stands
                data[f"{column}_decoded"] = decoded
    return Record(data, times, None, row.state)


def _rowid(view: View, table: str) -> str | None:
    columns = {c.lower() for c in view.tables.get(table, ())}
    name = next((n for n in ("rowid", "_rowid_", "oid") if n not in columns), None)
    if name is None:
        return None
    try:
        for _ in view.run(f"SELECT {name} FROM {quoted(table)} LIMIT 0"):
            pass
    except FAULTS as error:
        if "no such column" in str(error):
            return None  # WITHOUT ROWID
    return name


def _plain(view: View, table: str, rowid: str, order: str = "") -> Iterator[tuple[Any, dict[str, Any]]] | None:
    columns = view.tables.get(table)
    if not columns:
        return None
    listed = ", ".join(quoted(c) for c in columns)
    names = columns
    sql = f"SELECT {rowid}, {listed} FROM {quoted(table)} ORDER BY {rowid}{order}"
    return ((row[0], dict(zip(names, row[1:], strict=True))) for row in view.run(sql))


def _by_rowid(database: Database, table: str, rowid: str) -> Iterator[Row]:
    """Rows upwards; where a page cannot be read, the rest downwards from the end to where it broke off."""
    last: int | None = None
    known = len(database.gaps)
    for row in database.compared(table, lambda view: _plain(view, table, rowid)):
        if isinstance(row.key, int) and row.state not in (database.older,):
            last = row.key
        yield row
    if len(database.gaps) == known:
        return
    try:
        for key, values in _plain(database.live, table, rowid, " DESC") or ():
            if last is not None and key <= last:
                break
            yield Row(table, key, values)
    except FAULTS:
        return  # the gap of the upward pass stands for the table


def _without_rowid(database: Database, table: str) -> Iterator[Row]:
    """Rows of a table without rowid, known by their content: the two versions are compared by hash."""

    def read(view: View, version: str) -> Iterator[dict[str, Any]]:
        columns = view.tables.get(table)
        if not columns:
            return
        sql = f"SELECT {', '.join(quoted(c) for c in columns)} FROM {quoted(table)}"
        try:
            for row in view.run(sql):
                yield dict(zip(columns, row, strict=True))
        except FAULTS as error:
            database.gaps.append(Gap(f"table {table}{version}: {said(error)}"))

    def digest(values: dict[str, Any]) -> str:
        return sha256(canonical({k: v.hex() if isinstance(v, bytes) else repr(v) for k, v in values.items()}))[:32]

    before: set[str] = set()
    compare = database.before is not None
    if database.before is not None:
        for values in read(database.before, " without its log"):
            before.add(digest(values))
            if len(before) > COMPARED:
                database.gaps.append(Gap(f"table {table}: more than {COMPARED} rows without rowid, log not compared"))
                compare = False
                break
    now: set[str] = set()
    for values in read(database.live, ""):
        key = digest(values)
        state = database.newer if compare and key not in before else "live"
        if compare:
            now.add(key)
        yield Row(table, key, values, state)
    if compare and database.before is not None:
        for values in read(database.before, ""):
            if digest(values) not in now:
                yield Row(table, digest(values), values, database.older)


def _elsewhere(file: EvidenceFile, database: Database) -> Iterator[Yield]:
    """Known layouts that neither path nor first pages gave away: their parsers are asked here."""
    with file.open() as stream:
        head = stream.read(HEAD)
    for known in parsers().values():
        claim = known.claims
        if (
            isinstance(claim, Layout)
            and claim.tables
            and not claim(head, file.path, file.size)
            and claim.fits(database.tables)
        ):
            for item in known.function(file):
                if isinstance(item, tuple):
                    locator, found = item
                    yield locator, found if found.artifact else replace(found, artifact=known.name)
                elif isinstance(item, Gap) and item not in database.gaps:
                    yield item


@parser(
    "generic.sqlite",
    claims=Claim(magic=((0, MAGIC),)),
    reads="any SQLite 3 database, with the write-ahead log or rollback journal beside it",
    means="the database holds this row (live, wal_committed) or held it before its log was written (wal_superseded)",
    does_not_mean="what the row stands for; a time guessed from a column's name is a hint, never a dated event",
    refs=("https://www.sqlite.org/fileformat2.html", "https://www.sqlite.org/walformat.html"),
    beside=True,
    limit_seconds=600.0,
)
def sqlite(file: EvidenceFile) -> Iterator[Yield]:
    """Rows of all tables in order of name and rowid, then records of known layouts that recognition could not see."""
    with open_database(file) as database:
        core_data = "Z_METADATA" in database.tables
        tables = set(database.tables)
        if database.before is not None:
            tables |= set(database.before.tables)
        for name in database.live.virtual:
            if not any(t.startswith(name + "_") for t in tables):
                yield Gap(f"virtual table {name} needs its own module and was not read", reason="unsupported")
        for name in sorted(tables):
            view = database.live if name in database.live.tables else database.before
            if view is None or not view.tables[name]:
                yield Gap(f"table {name} has no readable definition")
                continue
            rowid = _rowid(view, name)
            rows = _without_rowid(database, name) if rowid is None else _by_rowid(database, name, rowid)
            for row in rows:
                locator = row.locator
                if rowid is None:
                    locator = {**{k: v for k, v in locator.items() if k != "rowid"}, "row_sha256": row.key}
                yield locator, record(row, core_data)
        yield from _elsewhere(file, database)
        yield from database.gaps
