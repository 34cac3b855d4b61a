"""ESE databases (Extensible Storage Engine): opened read-only, tables with typed values, what could not be read said.

Layout of the file header and of the log times in it: libyal, "Extensible Storage Engine (ESE) Database File (EDB)
format"; Microsoft, JET_LOGTIME and JET_DBINFOMISC. The engine fills fixed columns that were never set with 0x2a.
Reader of pages, trees and long values: libesedb.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from wigmore.artifacts.generic.plist_reader import shortened
from wigmore.artifacts.windows.ese_pages import Column, Pages, bad_pages, leaf_rows, pages_of
from wigmore.artifacts.windows.structures import guid, utf16
from wigmore.model.canonical import clean
from wigmore.model.protocols import EvidenceFile, Gap, Locator, ParseError, Record, Yield
from wigmore.model.times import Time, aware, filetime, local
from wigmore.registry import Claim

MAGIC = b"\xef\xcd\xab\x89"
SIGNATURE = (4, MAGIC)
HEADER = "windows.ese.header"
ROW = "windows.ese.row"
REFERENCE = (
    "https://github.com/libyal/libesedb/blob/main/documentation/"
    "Extensible%20Storage%20Engine%20(ESE)%20Database%20File%20(EDB)%20format.asciidoc"
)
STATES = {
    1: "just created", 2: "dirty shutdown", 3: "clean shutdown", 4: "being converted", 5: "force detached",
}  # fmt: skip
TABLES, COLUMNS, ROWS = 20_000, 20_000, 50_000_000
TEXT, VALUES = 65_536, 256  # characters of a text that are kept; values of a multi-valued column
BROKEN = 200  # rows of a table in a row that cannot be read: the rest of it is given up
FAULTS = (OSError, ValueError, OverflowError, MemoryError)  # what libesedb raises for damaged bytes
DIRTY = "the database was not shut down cleanly ({}): changes that stand only in its transaction logs are not read"

# column types of the engine (Microsoft, JET_COLTYP)
(NULL, BOOLEAN, UINT8, INT16, INT32, CURRENCY, FLOAT, DOUBLE, MOMENT, BINARY, TYPED_TEXT, LONG_BINARY, LONG_TEXT,
 SUPER, UINT32, INT64, GUID, UINT16) = range(18)  # fmt: skip
INTEGERS = {UINT8: False, INT16: True, INT32: True, CURRENCY: True, UINT32: False, INT64: True, UINT16: False}
REALS = {FLOAT: (4, "<f"), DOUBLE: (8, "<d")}
WIDTHS = {BOOLEAN: 1, UINT8: 1, INT16: 2, INT32: 4, CURRENCY: 8, FLOAT: 4, DOUBLE: 8, MOMENT: 8, UINT32: 4, INT64: 8,
          GUID: 16, UINT16: 2}  # fmt: skip
SIZES = {INT16: 2, INT32: 4, CURRENCY: 8, FLOAT: 4, DOUBLE: 8, MOMENT: 8, UINT32: 4, INT64: 8, GUID: 16, UINT16: 2}


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


@dataclass(frozen=True)
class Moment:
    """The eight bytes of a date column: an OLE date as Microsoft documents it, or a FILETIME as many writers store."""

    raw: bytes

    @property
    def number(self) -> int:
        """The bytes as an unsigned integer."""
        return int.from_bytes(self.raw, "little")

    def time(self, utc: bool = False) -> Time | None:
        """The time; an OLE date has no zone of its own: `utc` states that its writer stores UTC."""
        if len(self.raw) != 8:
            return None
        (days,) = struct.unpack("<d", self.raw)
        if 1.0 <= days < 200_000.0:  # 1899 to 2447; no FILETIME of this era reads as such a number
            return ole(days, utc)
        return filetime(self.number)


def ole(days: float, utc: bool) -> Time | None:
    """An OLE automation date (days since 1899-12-30) to the millisecond; local without zone unless `utc`."""
    if not 0 < days < 2_900_000:
        return None
    moment = datetime(1899, 12, 30) + timedelta(milliseconds=round(days * 86_400_000))
    if utc:
        return aware(moment.replace(tzinfo=UTC), days, source="OLE date; its writer stores UTC", precision=0.001)
    return local(moment, days, source="OLE date without a zone", precision=0.001)


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


def several(raw: bytes, kind: int) -> list[Any]:
    """The values of a multi-valued column: 16-bit offsets, the first of which says how many there are, then the data."""
    if len(raw) < 2:
        return []
    count = min((int.from_bytes(raw[:2], "little") & 0x7FFF) // 2, VALUES, len(raw) // 2)
    starts = [int.from_bytes(raw[2 * i : 2 * i + 2], "little") & 0x7FFF for i in range(count)]
    parts = [raw[a:b] for a, b in zip(starts, [*starts[1:], len(raw)], strict=True)]
    if kind in (TYPED_TEXT, LONG_TEXT):
        return [utf16(part)[:TEXT] for part in parts]
    return [part if kind in (BINARY, LONG_BINARY) else plain(part, kind) for part in parts]


def plain(raw: bytes | None, kind: int, filled: bool = False) -> Any:
    """The value of a number, date or GUID; ValueError where there are too few bytes for its type.

    `filled` says that it may hold the engine's fill of columns that were never set (None); libesedb does not tell. One
    byte of fill is taken as a number all the same.
    """
    if not raw or kind == NULL:
        return None
    if filled and kind != UINT8 and not raw.strip(b"*"):
        return None
    if len(raw) < SIZES.get(kind, 1):
        raise ValueError(f"{len(raw)} bytes are too few for the column's type")
    if kind == BOOLEAN:
        return bool(raw[0])
    if kind in INTEGERS:
        return int.from_bytes(raw, "little", signed=INTEGERS[kind])
    if kind in REALS:
        size, form = REALS[kind]
        return float(struct.unpack(form, raw[:size])[0])
    if kind == MOMENT:
        return Moment(raw[:8])
    if kind == GUID:
        return guid(raw) or "00000000-0000-0000-0000-000000000000"
    return raw


def stored(raw: bytes | None, kind: int) -> Any:
    """The value of a column from its bytes alone, texts too: UTF-16, or a code page where every second byte is no zero."""
    if raw and kind in (TYPED_TEXT, LONG_TEXT):
        is_wide = len(raw) % 2 == 0 and (kind == LONG_TEXT or raw[1::2].count(0) * 4 > len(raw))
        return utf16(raw)[:TEXT] if is_wide else clean(raw.rstrip(b"\0").decode("cp1252", "backslashreplace"))[:TEXT]
    return plain(raw, kind)


def log_time(raw: bytes) -> Time | None:
    """A JET_LOGTIME: second, minute, hour, day, month, year since 1900; a bit of its seventh byte says UTC."""
    if len(raw) < 8 or not any(raw[:6]):
        return None
    second, minute, hour, day, month, year = raw[:6]
    milliseconds = (raw[6] >> 1) | ((raw[7] >> 1) & 7) << 7
    try:
        moment = datetime(1900 + year, month, day, hour, minute, second)
    except ValueError:
        return None
    if raw[6] & 1:
        exact = moment.replace(tzinfo=UTC, microsecond=min(milliseconds, 999) * 1000)
        return aware(exact, raw[:8].hex(), source="the log time says UTC", precision=0.001)
    return local(moment, raw[:8].hex(), source="the log time does not say UTC")


def header_record(raw: bytes) -> Record:
    """What the first page says of the database: state, version, system build, times of attaching and detaching."""
    if len(raw) < 240 or raw[4:8] != MAGIC:
        return Record({"state": 0, "state_name": "the first page is damaged"}, artifact=HEADER)
    version, kind = struct.unpack_from("<II", raw, 8)
    (state,) = struct.unpack_from("<I", raw, 52)
    major, minor, build, service_pack, revision, page = struct.unpack_from("<6I", raw, 216)
    data: dict[str, Any] = {
        "state": state,
        "state_name": STATES.get(state, f"unknown ({state})"),
        "file_kind": {0: "database", 1: "streaming file"}.get(kind, f"unknown ({kind})"),
        "format_version": f"{version:#x}",
        "format_revision": f"{revision:#x}",
        "page_size": page,
        "computer_name": clean(raw[36:52].split(b"\0")[0].decode("cp1252", "backslashreplace")),
    }
    if major:
        data["windows_version"] = f"{major}.{minor}.{build}"
        data["windows_build"] = build
        if service_pack:
            data["service_pack"] = service_pack
    times = {
        name: time
        for name, at in (("created_at", 28), ("consistent_at", 64), ("attached_at", 72), ("detached_at", 88))
        if (time := log_time(raw[at : at + 8]))
    }
    if not data["computer_name"]:
        del data["computer_name"]
    return Record(data, times, artifact=HEADER)


@contextmanager
def open_ese(file: EvidenceFile) -> Iterator[Database]:
    """The database of a file; ParseError where it cannot be opened, a gap where it was not shut down cleanly."""
    import pyesedb  # type: ignore[import-not-found,unused-ignore]  # a library without type information

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


@lru_cache(4096)
def snake(name: str) -> str:
    """`BytesRecvd` as `bytes_recvd`, so that the same thing has the same name everywhere."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return words.lower()


def settle(values: dict[str, Any]) -> dict[str, Any]:
    """Values as JSON: bytes as hex with their size, dates left to the caller as their number."""
    data: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, bytes):
            data[name] = shortened(value)
            data[f"{name}_size"] = len(value)
        elif isinstance(value, Moment):
            data[name] = value.number
        elif isinstance(value, list):
            data[name] = [shortened(v) if isinstance(v, bytes) else v for v in value]
        elif isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
            data[name] = str(value)
        else:
            data[name] = value
    return data


def wide_text(raw: bytes) -> str | None:
    """What a binary value says as UTF-16 text; None where it is no such text."""
    if len(raw) < 4 or len(raw) % 2:
        return None
    try:
        text = raw.decode("utf-16-le").rstrip("\0")
    except UnicodeDecodeError:
        return None
    readable = (
        bool(text) and all(c.isprintable() or c in "\r\n\t" for c in text) and raw[1::2].count(0) * 2 > len(raw) // 2
    )
    return utf16(raw) if readable else None


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
