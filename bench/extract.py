"""Extraction alone, as one process: `python bench/extract.py EVIDENCE CASE PARSERS JOBS` prints its counts as JSON."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from wigmore.api.workers import start

if TYPE_CHECKING:
    from wigmore.records.pool import Pool


def main() -> None:
    evidence, case = Path(sys.argv[1]), Path(sys.argv[2])
    case.mkdir(parents=True)
    with start(int(sys.argv[4])) as pool:
        extract(evidence, case, pool)


def extract(evidence: Path, case: Path, pool: Pool) -> None:
    """All of `evidence` by the workers of a pool, into `case`."""
    # imported while the workers import theirs, as `wigmore run` does
    from wigmore.evidence.source import SourceSpec
    from wigmore.ledger import Ledger
    from wigmore.records.extraction import Extraction
    from wigmore.records.store import RecordStore

    with Ledger.create(case, lambda: datetime.now(UTC)) as ledger:
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
