"""`wigmore diff`: two cases (or two examinations of one) compared: facts, beliefs, decisions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wigmore.api.cases import open_case
from wigmore.investigation.workbench import Workbench
from wigmore.model.canonical import canonical


def _facts(bench: Workbench) -> dict[str, dict[str, Any]]:
    return {
        f.id: {"name": f.name, "value": f.value, "path": f.path, "artifact": f.artifact}
        for p in bench.state.phenomena.values()
        for f in p.verified_facts
    }


def _beliefs(bench: Workbench) -> dict[str, dict[str, Any]]:
    return {
        h: {
            "title": bench.state.hypotheses[h].title,
            "log_odds": bench.state.log_odds(h),
            "status": bench.state.status(h),
        }
        for h in bench.state.hypotheses
    }


def _decisions(bench: Workbench) -> dict[str, dict[str, Any]]:
    return {r["item"]: {"decision": r["decision"], "by": r["by"], "reason": r["reason"]} for r in bench.state.reviews}


def diff(first: Path, second: Path) -> Iterator[dict[str, Any]]:
    """One row a difference: kind (fact | belief | decision), id, what the first has and what the second has."""
    with open_case(first) as one, open_case(second) as two:
        for kind, gather in (("fact", _facts), ("belief", _beliefs), ("decision", _decisions)):
            left, right = gather(one), gather(two)
            for name in sorted({*left, *right}):
                if canonical(left.get(name)) != canonical(right.get(name)):
                    yield {
                        "case": one.case_file.case,
                        "kind": kind,
                        "id": name,
                        "first": left.get(name),
                        "second": right.get(name),
                    }
