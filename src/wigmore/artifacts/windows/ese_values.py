"""Values of ESE databases: column types, dates in either form, log times, the file header, how values become JSON.

Layout of the file header and of the log times in it: libyal, "Extensible Storage Engine (ESE) Database File (EDB)
format"; Microsoft, JET_LOGTIME, JET_DBINFOMISC and JET_COLTYP.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from wigmore.artifacts.generic.plist_reader import shortened
from wigmore.artifacts.windows.structures import guid, utf16
from wigmore.model.canonical import clean
from wigmore.model.protocols import Record
from wigmore.model.times import Time, aware, filetime, local, ole

MAGIC = b"\xef\xcd\xab\x89"
HEADER = "windows.ese.header"
STATES = {
    1: "just created", 2: "dirty shutdown", 3: "clean shutdown", 4: "being converted", 5: "force detached",
}  # fmt: skip
TEXT, VALUES = 65_536, 256  # characters of a text that are kept; values of a multi-valued column

# column types of the engine (Microsoft, JET_COLTYP)
(NULL, BOOLEAN, UINT8, INT16, INT32, CURRENCY, FLOAT, DOUBLE, MOMENT, BINARY, TYPED_TEXT, LONG_BINARY, LONG_TEXT,
 SUPER, UINT32, INT64, GUID, UINT16) = range(18)  # fmt: skip
INTEGERS = {UINT8: False, INT16: True, INT32: True, CURRENCY: True, UINT32: False, INT64: True, UINT16: False}
REALS = {FLOAT: (4, "<f"), DOUBLE: (8, "<d")}
WIDTHS = {BOOLEAN: 1, UINT8: 1, INT16: 2, INT32: 4, CURRENCY: 8, FLOAT: 4, DOUBLE: 8, MOMENT: 8, UINT32: 4, INT64: 8,
          GUID: 16, UINT16: 2}  # fmt: skip


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
    if len(raw) < WIDTHS.get(kind, 1):
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
