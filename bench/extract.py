"""Extraction alone, as one process: `python bench/extract.py EVIDENCE CASE PARSERS JOBS` prints its counts as JSON."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from wigmore.evidence.source import SourceSpec
from wigmore.ledger import Ledger
from wigmore.records.extraction import Extraction
from wigmore.records.pool import Pool
from wigmore.records.store import RecordStore


def main() -> None:
    evidence, case = Path(sys.argv[1]), Path(sys.argv[2])
    case.mkdir(parents=True)
    with Pool(int(sys.argv[4])) as pool, Ledger.create(case, lambda: datetime.now(UTC)) as ledger:
        pool.start()
        store = RecordStore(case)
        extraction = Extraction(ledger, store, case / "work", pool, names=sys.argv[3].split(","))
        extraction.run(
            {"src-bench": (SourceSpec("src-bench", evidence, "tree" if evidence.is_dir() else "file"), [""], {})}
        )
        failed = [c for e in ledger.events("extraction") for c in e.body["coverage"] if c["outcome"] == "failed"]
        counted = store.query(
            "SELECT artifact || CASE WHEN state = 'live' THEN '' ELSE ' (' || state || ')' END AS kind, count(*) AS n "
            "FROM records GROUP BY kind ORDER BY kind"
        )
        kinds = {row["kind"]: row["n"] for row in counted}
        print(json.dumps({"artifacts": kinds, "failed": len(failed), "files": extraction.progress.files}))


if __name__ == "__main__":
    main()
