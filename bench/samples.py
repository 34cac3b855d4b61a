"""Which parser found records in which file of a folder of evidence, and the file's bytes: for the benches of all families."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from wigmore.evidence.source import SourceSpec, open_source
from wigmore.ledger import Ledger
from wigmore.model.protocols import EvidenceFile
from wigmore.records.extraction import Extraction
from wigmore.records.pool import Pool
from wigmore.records.store import RecordStore

SOURCE_ID = "src-samples"


@dataclass(frozen=True)
class Found:
    """One file that one parser found records in; `prefix` is the store that it lies in."""

    parser: str
    path: str
    inode: str | None
    prefix: str
    size: int
    records: int
    complete: bool


def found(evidence: Path, work: Path) -> list[Found]:
    """Every file of the folder with each parser that found records in it, containers as `container`; kept in WORK."""
    kept = work / "found.json"
    if kept.exists():
        return [Found(**row) for row in json.loads(kept.read_text(encoding="utf-8"))]
    case = work / "found"
    case.mkdir(parents=True)
    with Pool(2) as pool, Ledger.create(case, lambda: datetime.now(UTC)) as ledger:
        store = RecordStore(case)
        spec = SourceSpec(SOURCE_ID, evidence, "tree")
        Extraction(ledger, store, case / "work", pool).run({SOURCE_ID: (spec, [""], {})}, hash_also=False)
        listed = store.query("SELECT path, inode, data FROM records WHERE artifact = 'file_listing'")
        sizes = {(row["path"], row["inode"]): int(json.loads(row["data"]).get("size") or 0) for row in listed}
        bodies = [event.body for event in ledger.events("extraction")]
        prefixes = {(path, inode): prefix for body in bodies for path, inode, prefix in body["done"]}
        out = []
        for row in (row for body in bodies for row in body["coverage"]):
            place = (row["path"], row["inode"])
            if row["outcome"] == "found" and row["records"] and place in prefixes:
                name = row["parser"].partition("@")[0]
                size, records = sizes.get(place, 0), row["records"]
                out.append(Found(name, *place, prefixes[place], size, records, row["complete"]))
        store.close()
    kept.write_text(json.dumps([asdict(row) for row in out]), encoding="utf-8")
    return out


def opened(evidence: Path, wanted: list[Found]) -> Iterator[tuple[Found, EvidenceFile]]:
    """The files as parsers see them, each good until the next is asked for."""
    with open_source(SourceSpec(SOURCE_ID, evidence, "tree")) as source:
        for one in sorted(wanted, key=lambda f: (f.prefix, f.path, f.inode or "")):
            store = source.open_store(one.prefix)
            entry = store.find(one.path)
            if entry is not None and (one.inode is None or entry.inode == one.inode):
                yield one, store.file(entry)
