"""A store of records that a test writes down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from wigmore.model.protocols import Record
from wigmore.model.times import iso
from wigmore.records.rows import RowMaker
from wigmore.records.rules import Indicator
from wigmore.records.store import RecordStore

Made = Callable[..., RecordStore]


def record(data: dict[str, Any], time: str = "", **more: Any) -> Record:
    return Record(data, {"at": iso(time)} if time else {}, "at" if time else None, **more)  # type: ignore[dict-item]


def rule(*where: Any, **more: Any) -> Indicator:
    return Indicator.read(
        {
            "id": "t",
            "title": "t",
            "artifacts": ["app.*"],
            "where": list(where),
            "role": "network",
            "category": "c",
            "facts": ["n"],
            "interpretation": "i",
            "caveat": "c",
            **more,
        },
        "test.yaml",
    )


def store_maker(folder: Path) -> Iterator[Made]:
    """Yields a function that adds records to one store in the folder, and returns it; closes it at the end."""
    stores: list[RecordStore] = []

    def filled(
        records: list[Record], source: str = "src-a", path: str = "log", artifact: str = "app.log"
    ) -> RecordStore:
        store = stores[0] if stores else RecordStore(folder / "case")
        if not stores:
            stores.append(store)
        spool = folder / f"spool-{len(store.parts)}-{artifact}.jsonl"
        maker = RowMaker(source, path, None, artifact)
        spool.write_bytes(b"".join(maker.line(n, {"kind": "record", "number": n}, r)[2] for n, r in enumerate(records)))
        store.add([store.write_part(source, artifact, [spool])])
        return store

    yield filled
    for store in stores:
        store.close()
