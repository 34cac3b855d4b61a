"""`wigmore search`: full text over all records of a case."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from wigmore.api.cases import UseError, index_of, open_case
from wigmore.records.rows import shown
from wigmore.records.search import Search


def search(
    case: Path,
    words: str,
    *,
    path: str = "",
    artifact: str = "",
    source: str = "",
    limit: int = 50,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[list[dict[str, Any]], int]:
    """The records that hold all words (as `show records` prints them), the closest first, and how many there are.

    The index lies in the case's folder `index/`; where that cannot be written it is made for this call alone. Raises
    UseError for words that hold nothing to look for, and where there is no case.
    """
    with open_case(case) as bench, index_of(case) as folder:
        found = Search(bench.store, folder, say)
        try:
            rows, count = found.find(words, path=path, artifact=artifact, source_id=source, limit=limit)
        except ValueError as error:
            raise UseError(str(error)) from error
        return [{"case": bench.case_file.case, **shown(row)} for row in rows], count
