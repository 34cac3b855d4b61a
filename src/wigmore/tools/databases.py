"""Databases and property lists of applications, and what identifies a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from wigmore.artifacts.generic.plist import flat, load_plist
from wigmore.artifacts.generic.sqlite import record
from wigmore.artifacts.generic.sqlite_layout import MAGIC
from wigmore.artifacts.generic.sqlite_reader import FAULTS, open_database, quoted, said
from wigmore.model.canonical import canonical
from wigmore.model.protocols import Gap, ParseError
from wigmore.records.rows import plain
from wigmore.registry import tool
from wigmore.tools.context import CAP, ToolContext, ToolOutput
from wigmore.tools.lookup import CannotLook, Kind, Row, answer, caution, holds, joined, likely
from wigmore.tools.places import LISTING, Place, find

ROWS = "generic.sqlite"
DELETED = "generic.sqlite_deleted"
LISTS = "generic.plist"
KEYCHAIN_TABLES = ("genp", "inet", "cert", "keys")
KEYCHAIN_COLUMNS = frozenset(
    (
        "rowid",
        "cdat",
        "mdat",
        "agrp",
        "acct",
        "svce",
        "labl",
        "desc",
        "icmt",
        "crtr",
        "type",
        "srvr",
        "ptcl",
        "port",
        "path",
        "sdmn",
        "atyp",
        "pdmn",
        "sync",
        "tomb",
        "vwht",
        "tkid",
        "persistref",
        "uuid",
        "kcls",
        "bsiz",
        "esiz",
        "sdat",
        "edat",
        "subj",
        "issr",
        "slnr",
        "ctyp",
        "cenc",
        "pkhh",
        "clip",
        "musr",
    )
)  # names of attributes; the secrets are in `data`
TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, wanted: _plain(value) == _plain(wanted),
    "!=": lambda value, wanted: _plain(value) != _plain(wanted),
    "contains": lambda value, wanted: _plain(wanted) in _plain(value),
    "starts": lambda value, wanted: _plain(value).startswith(_plain(wanted)),
    "<": lambda value, wanted: _ordered(value, wanted, -1),
    ">": lambda value, wanted: _ordered(value, wanted, 1),
    "<=": lambda value, wanted: not _ordered(value, wanted, 1) and _comparable(value, wanted),
    ">=": lambda value, wanted: not _ordered(value, wanted, -1) and _comparable(value, wanted),
}


@tool("sqlite_query", domain="databases", cost=2)
def sqlite_query(
    context: ToolContext,
    path: str,
    table: str = "",
    columns: list[str] | None = None,
    where: dict[str, Any] | None = None,
    text: str = "",
    limit: int = 200,
) -> ToolOutput:
    """Show rows of a table of a SQLite database, with deleted ones and those that its log replaced; no table: its tables.

    `columns` keeps some. `where` maps a column to a value (equal, no case) or to {"op": one of = != < <= > >= contains starts,
    "value": …}; all must hold. `text` stands in any value. A row's `state` tells live ones from those that only the log holds
    (wal_committed) or replaced (wal_superseded), and deleted ones (freelist, unallocated) with what is missing of them.
    Times are guessed from column names and say so; BLOBs are hexadecimal.
    """
    try:
        place = find(context, path)
        with place.file.open() as stream:
            if stream.read(len(MAGIC)) != MAGIC:
                return ToolOutput.not_applicable(f"{place.entry.path} is no SQLite 3 database")
        tables, gaps = _tables(place)
        note = joined(*sorted(f"{g.message}" for g in gaps))
        if not table:
            return ToolOutput.of(
                (
                    {"path": place.entry.path, "table": name, "columns": list(names), "rows": count}
                    for name, names, count in tables
                ),
                note,
            )
        name = next((n for n, _, _ in tables if n == table), None) or next(
            (n for n, _, _ in tables if n.lower() == table.lower()), None
        )
        known = next((names for n, names, _ in tables if n == name), ())
        if name is None:
            return ToolOutput.failed(
                f"no table {table!r} in {place.entry.path}; there are: {', '.join(n for n, _, _ in tables)}"
            )
        if wrong := sorted(
            {c for c in (*(columns or ()), *(where or ())) if c.lower() not in [k.lower() for k in known]}
        ):
            return ToolOutput.failed(f"no column {', '.join(wrong)} in {name}; there are: {', '.join(known)}")
        chosen = [k for k in known if not columns or k.lower() in [c.lower() for c in columns]]
        tests = [_test(k, (where or {})[c]) for c in where or () for k in known if k.lower() == c.lower()]
    except CannotLook as error:
        return ToolOutput.failed(str(error))
    except (ParseError, OSError) as error:
        return ToolOutput.failed(f"{path} cannot be read: {error}")
    tests += [t for t in (holds(text),) if t]
    sieve, given = likely(text)
    rows = _stored(context, place, name, sieve, given) if _extracted(context, place) else _read(place, name)
    try:
        kept = ({**r, "data": _chosen(r["data"], chosen)} if columns else r for r in rows if all(t(r) for t in tests))
        out = ToolOutput.of(kept, note, max(1, min(limit, CAP)))
        return (
            out if out.rows else ToolOutput("empty", (), joined(f"looked at table {name}; no row that matches", note))
        )
    except (ParseError, OSError) as error:
        return ToolOutput.failed(f"{path} cannot be read: {error}")


def _tables(place: Place) -> tuple[list[tuple[str, tuple[str, ...], int | None]], list[Gap]]:
    """Name, columns and number of live rows (None where it cannot be counted) of the tables."""
    with open_database(place.file) as database:
        out: list[tuple[str, tuple[str, ...], int | None]] = []
        for name, columns in sorted(database.tables.items()):
            try:
                count = next(iter(database.live.run(f"SELECT count(*) FROM {quoted(name)}")))[0]
            except FAULTS as error:
                database.gaps.append(Gap(f"table {name}: {said(error)}"))
                count = None
            out.append((name, columns, count))
        if database.before is not None:
            known = {n for n, _, _ in out}
            out += [(n, c, None) for n, c in sorted(database.before.tables.items()) if n not in known]
        return out, list(database.gaps)


def _extracted(context: ToolContext, place: Place) -> bool:
    return any(
        c.source_id == context.source_id
        and c.path == place.entry.path
        and c.inode == place.entry.inode
        and c.parser.partition("@")[0] == ROWS
        and c.outcome != "failed"
        for c in context.coverage()
    )


def _stored(context: ToolContext, place: Place, table: str, sieve: str, given: list[Any]) -> Iterator[Row]:
    conditions = ["path = ?", "inode IS NOT DISTINCT FROM ?", "json_extract_string(data, '$.table') = ?"]
    conditions += [sieve] if sieve else []
    parameters = [place.entry.path, place.entry.inode, table, *given]
    yield from context.records([ROWS, DELETED], " AND ".join(conditions), parameters, None)


def _read(place: Place, table: str) -> Iterator[Row]:
    """Rows of a database that extraction did not read: without record ids, so they cannot be cited."""
    with open_database(place.file) as database:
        core = "Z_METADATA" in database.tables
        found = database.select(
            (f"{quoted(table)} t",),
            " ".join(f"t.{c}" for c in database.tables.get(table, ()) if c.isidentifier()),
            "t.rowid",
        )
        for row in found:
            made = record(row, core)
            yield {
                "path": place.entry.path,
                "locator": row.locator,
                "state": made.state,
                "times": made.times,
                "data": plain(made.data),
            }
        if database.gaps:
            raise ParseError(place.entry.path, None, "; ".join(sorted(g.message for g in database.gaps)))


def _chosen(data: dict[str, Any], columns: list[str]) -> dict[str, Any]:
    ends = ("", "_decoded", "_text", "_size", " (column)")
    wanted = {c + e for c in columns for e in ends} | {"table"}
    return {k: v for k, v in data.items() if k in wanted or k.startswith("remnant_")}


def _test(column: str, asked: Any) -> Callable[[Row], bool]:
    operator, wanted = "=", asked
    if isinstance(asked, dict):
        operator, wanted = str(asked.get("op", "=")), asked.get("value")
    if operator not in TESTS:
        raise CannotLook(f"unknown test {operator!r} of {column}; one of {', '.join(TESTS)}")
    test = TESTS[operator]
    return lambda row: test(row["data"].get(column), wanted)


def _plain(value: Any) -> str:
    return "" if value is None else value.lower() if isinstance(value, str) else canonical(value).decode()


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def _comparable(value: Any, wanted: Any) -> bool:
    return value is not None and (_number(value) is None) == (_number(wanted) is None)


def _ordered(value: Any, wanted: Any, sign: int) -> bool:
    """Whether the value lies below (sign −1) or above (1) the wanted one: as numbers where both are, else as text."""
    if not _comparable(value, wanted):
        return False
    first, second = _number(value), _number(wanted)
    if first is not None and second is not None:
        return (first - second) * sign > 0
    return _plain(value) < _plain(wanted) if sign < 0 else _plain(value) > _plain(wanted)


@tool("parse_plist", domain="databases")
def parse_plist(context: ToolContext, path: str, text: str = "", limit: int = 500) -> ToolOutput:
    """Show a property list (binary or XML, keyed archives unfolded): its leaves by path, dates as times (UTC).

    `text` keeps rows whose values contain it (no case). A date is what the program stored, a setting shows no use.
    """
    try:
        place = find(context, path)
    except CannotLook as error:
        return ToolOutput.failed(str(error))
    name, inode = place.entry.path, place.entry.inode
    where, given = "path = ? AND inode IS NOT DISTINCT FROM ?", [name, inode]
    read = [
        c
        for c in context.coverage()
        if c.source_id == context.source_id
        and c.path == name
        and c.inode == inode
        and c.parser.partition("@")[0] == LISTS
    ]
    if read:
        if all(c.outcome == "failed" for c in read):
            return ToolOutput.failed(caution(read))
        test = holds(text)
        rows = (r for r in context.records([LISTS], where, given, None) if test is None or test(r))
        return ToolOutput.of(rows, caution(read), max(1, min(limit, CAP)))
    try:
        with place.file.open() as stream:
            head = stream.read(512)
        if not head.startswith(b"bplist") and b"<plist" not in head and b"<!DOCTYPE plist" not in head:
            return ToolOutput.not_applicable(f"{name} is no property list")
        data, times = flat(load_plist(place.file))
    except (ParseError, OSError) as error:
        return ToolOutput.failed(f"{name} cannot be read: {error}")
    return ToolOutput("found", ({"path": name, "data": data, "times": times},), "not extracted before; read now")


@tool("parse_ios_keychain", domain="databases")
def parse_ios_keychain(context: ToolContext, text: str = "", limit: int = 200) -> ToolOutput:
    """List the entries of an iOS or macOS keychain database (keychain-2.db) by their attributes; no secrets.

    Access group, account, service or server, kinds, creation and change times, protection class. On iOS many attributes are
    hashes and the secrets are encrypted under keys of the device: neither is decoded. `text` keeps rows that contain it.
    """
    there = list(context.records([LISTING], "regexp_matches(lower(path), '(^|/)keychain-2[^/]*\\.db$')", [], None))
    if not there:
        return ToolOutput.not_applicable(
            "this source has no keychain database (keychain-2.db): an extraction without keys seldom has one"
        )
    paths = ("keychain-2*.db", "*/keychain-2*.db")
    kind = Kind((ROWS,), paths=paths, keep=lambda r: r["data"].get("table") in KEYCHAIN_TABLES)
    out = answer(context, [kind], "keychain database", text=text, limit=limit)
    rows = tuple(
        {**r, "data": {k: v for k, v in r["data"].items() if k == "table" or k.lower() in KEYCHAIN_COLUMNS}}
        for r in out.rows
    )
    return ToolOutput(out.outcome, rows, out.note, out.more)


@tool("read_idevice_info", domain="databases")
def read_idevice_info(context: ToolContext) -> ToolOutput:
    """Show what identifies an Apple device or its backup: name, model, version, serial number, IMEI, ICCID, numbers, dates.

    From SystemVersion, Info, Manifest, Status, data_ark and CommCenter lists, a row a list. A telephone number is what network
    or SIM reported last; none of it says who used the device.
    """
    return answer(context, [Kind(("ios.device",))], "device information list of an Apple device")
