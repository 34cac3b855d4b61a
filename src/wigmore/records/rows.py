"""A parser's yield as the row that is stored: ids, canonical texts, and their hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from functools import lru_cache
from typing import Any

import orjson

from wigmore.model.canonical import canonical, clean, located_id
from wigmore.model.protocols import Locator, Record
from wigmore.model.times import Time

COLUMNS = {
    "record_id": "VARCHAR",
    "source_id": "VARCHAR",
    "artifact": "VARCHAR",
    "parser": "VARCHAR",
    "path": "VARCHAR",
    "inode": "VARCHAR",
    "ordinal": "INTEGER",
    "locator": "VARCHAR",
    "instant": "BIGINT",
    "time_text": "VARCHAR",
    "time_field": "VARCHAR",
    "times": "VARCHAR",
    "state": "VARCHAR",
    "host_id": "VARCHAR",
    "origin": "VARCHAR",
    "data": "VARCHAR",
}


_text = json.encoder.encode_basestring_ascii


def plain(value: Any) -> Any:
    """The value as canonical JSON can hold it: bytes as hex, lone surrogates written out, NaN and infinities as text."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, bool) or value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if isinstance(value, dict):
        return {clean(str(k)): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return clean(str(value))


def _canonical(value: Any) -> bytes:
    try:
        text = canonical(value)
    except (TypeError, ValueError):
        return canonical(plain(value))
    return canonical(plain(value)) if b"\\ud" in text else text  # perhaps a lone surrogate: DuckDB refuses those


@lru_cache(1024, typed=True)
def _clock(owner: str, precision: float, zone: str, source: str) -> tuple[str, str]:
    """What all times of one clock have in common, before their stored value and after their text."""
    return f'"owner":{_text(owner)},"precision":{precision!r},', f'"zone":{_text(zone)},"zone_source":{_text(source)}'


def _times(times: dict[str, Time]) -> bytes:
    """The canonical text of a record's times; those stored as a number, as most are, are put together from their clock's."""
    written = []
    for name in sorted(times):
        time = times[name]
        instant, raw, precision = time.get("instant"), time.get("raw"), time.get("precision")
        if not (type(instant) is type(raw) is int and type(precision) is float and len(time) == 7):
            return _canonical(times)
        before, after = _clock(time["owner"], precision, time["zone"], time["zone_source"])
        written.append(
            f'{_text(name)}:{{"instant":{instant},{before}"raw":{raw},"text":{_text(time["text"])},{after}}}'
        )
    text = f"{{{','.join(written)}}}".encode("ascii")
    return _canonical(times) if b"\\ud" in text else text


def _quoted(text: bytes) -> str:
    """A canonical text as a JSON string (it holds nothing that orjson would write otherwise)."""
    return orjson.dumps(text.decode()).decode()


def record_id(source_id: str, path: str, inode: str | None, artifact: str, locator: Locator) -> str:
    """The id that a record at this place has."""
    return located_id(canonical([source_id, path, inode, artifact]), _canonical(locator))


class RowMaker:
    """Makes the canonical rows of one parser at one file; what is the same for all of them is written once.

    With `only`, the rows of these record ids alone; the others are not written out.
    """

    def __init__(
        self, source_id: str, path: str, inode: str | None, parser: str, only: Collection[str] | None = None
    ) -> None:
        self.source_id, self.path, self.inode, self.parser = source_id, path, inode, parser
        self.only = only
        self._places: dict[str, bytes] = {}
        text = _text
        self._head = f'"inode":{text(inode) if inode is not None else "null"},"instant":'
        self._tail = (
            f'"parser":{text(parser)},"path":{text(clean(path))},"record_id":',
            f'"source_id":{text(source_id)},"state":',
        )

    def line(self, ordinal: int, locator: Locator, record: Record) -> tuple[str, dict[str, Any] | None, bytes]:
        """Artifact, the time that dates the record, and its canonical row with line end (equal to `canonical(row)`).

        The row is empty where it is not asked for.
        """
        artifact = record.artifact or self.parser
        place = _canonical(locator)
        known = self._places.get(artifact)
        if known is None:
            known = self._places[artifact] = canonical([self.source_id, self.path, self.inode, artifact])
        name = located_id(known, place)
        if self.only is not None and name not in self.only:
            return artifact, None, b""
        data, times = _canonical(record.data), _times(record.times)
        time = record.times.get(record.time_field) if record.time_field else None
        text = _text
        middle, end = self._tail
        line = (
            f'{{"artifact":{text(artifact)},"data":{_quoted(data)},"host_id":{text(clean(record.host_id))},'
            f"{self._head}{time['instant'] if time and time['instant'] is not None else 'null'},"
            f'"locator":{_quoted(place)},"ordinal":{ordinal},"origin":{text(record.origin)},'
            f'{middle}"{name}",{end}{text(record.state)},'
            f'"time_field":{text(record.time_field) if record.time_field is not None else "null"},'
            f'"time_text":{text(time["text"]) if time else "null"},"times":{_quoted(times)}}}\n'
        )
        return artifact, time, line.encode("ascii")


class RowsHash:
    """SHA-256 over the canonical rows of one parser at one file, one line a row."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, line: bytes) -> None:
        """Take in one canonical row with its line end."""
        self._hash.update(line)

    def hexdigest(self) -> str:
        """Lower-case hexadecimal."""
        return self._hash.hexdigest()


def shown(stored: dict[str, Any]) -> dict[str, Any]:
    """A stored row as INTERFACE.md prints it: nested values as objects, `time` from `times`."""
    out = dict(stored)
    for name in ("locator", "times", "data"):
        out[name] = json.loads(out[name]) if isinstance(out[name], str) else out[name]
    out.pop("instant", None)
    out.pop("time_text", None)
    out["time"] = out["times"].get(out["time_field"]) if out.get("time_field") else None
    return out
