"""A store of records that a test writes down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wigmore.model.protocols import Record
from wigmore.model.times import iso
from wigmore.records.store import RecordStore

Made = Callable[..., RecordStore]


def record(data: dict[str, Any], time: str = "", **more: Any) -> Record:
    return Record(data, {"at": iso(time)} if time else {}, "at" if time else None, **more)  # type: ignore[dict-item]
