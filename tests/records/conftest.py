"""Fixtures of the tests of records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from record_builders import Made
from wigmore.model.protocols import Record
from wigmore.records.rows import RowMaker
from wigmore.records.store import RecordStore


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Made]:
    stores: list[RecordStore] = []

    def filled(
        records: list[Record], source: str = "src-a", path: str = "log", artifact: str = "app.log"
    ) -> RecordStore:
        store = stores[0] if stores else RecordStore(tmp_path / "case")
        if not stores:
            stores.append(store)
        spool = tmp_path / f"spool-{len(store.parts)}-{artifact}.jsonl"
        maker = RowMaker(source, path, None, artifact)
        spool.write_bytes(b"".join(maker.line(n, {"kind": "record", "number": n}, r)[2] for n, r in enumerate(records)))
        store.add([store.write_part(source, artifact, [spool])])
        return store

    yield filled
    for store in stores:
        store.close()
