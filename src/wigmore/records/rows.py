"""A parser's yield as the row that is stored: ids, canonical texts, and their hash."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from wigmore.model.canonical import canonical, clean, record_id
from wigmore.model.protocols import Locator, Record

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


def row(
    source_id: str, path: str, inode: str | None, parser: str, ordinal: int, locator: Locator, record: Record
) -> dict[str, Any]:
    """The stored row of one record; every value is a scalar, nested ones are canonical JSON text."""
    try:
        data = canonical(record.data)
        place = canonical(locator)
    except (TypeError, ValueError):
        data = canonical(plain(record.data))
        place = canonical(plain(locator))
    artifact = record.artifact or parser
    time = record.times.get(record.time_field) if record.time_field else None
    return {
        "record_id": record_id(source_id, path, inode, artifact, json.loads(place)),
        "source_id": source_id,
        "artifact": artifact,
        "parser": parser,
        "path": clean(path),
        "inode": inode,
        "ordinal": ordinal,
        "locator": place.decode(),
        "instant": time["instant"] if time else None,
        "time_text": time["text"] if time else None,
        "time_field": record.time_field,
        "times": canonical(plain(record.times)).decode() if record.times else "{}",
        "state": record.state,
        "host_id": clean(record.host_id),
        "origin": record.origin,
        "data": data.decode(),
    }


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
