"""`wigmore review`: a person accepts, amends or rejects; the act stands in the ledger with a name and a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wigmore.api.cases import UseError, open_case
from wigmore.ledger import Event
from wigmore.model.canonical import identify

DECISIONS = ("accept", "amend", "reject")


def review(case: Path, item: str, decision: str, *, reason: str, by: str, text: str = "") -> dict[str, Any]:
    """Record a person's decision on a hypothesis, phenomenon or fact; raises UseError for what is missing or unknown."""
    if decision not in DECISIONS:
        raise UseError(f"unknown decision {decision!r}; one of {', '.join(DECISIONS)}")
    if not reason.strip() or not by.strip():
        raise UseError("a review needs --reason TEXT and --by NAME")
    if decision == "amend" and not text.strip():
        raise UseError("--amend needs --text, the amended wording; the machine's stays beside it")
    with open_case(case, write=True) as bench:
        facts = {f.id for p in bench.state.phenomena.values() for f in p.verified_facts}
        if item not in bench.state.hypotheses and item not in bench.state.phenomena and item not in facts:
            raise UseError(
                f"{item!r} is no hypothesis, phenomenon or fact of this case; "
                f"`wigmore show {case} hypotheses` lists them"
            )
        machine = bench.state.status(item) if item in bench.state.hypotheses else ""
        body = {
            "id": identify("rev", item, decision, reason, by, len(bench.state.reviews)),
            "item": item,
            "decision": decision,
            "reason": reason,
            "by": by,
            "text": text,
            "machine_status": machine,
        }
        bench.append([Event("review", body)])
        return {"case": bench.case_file.case, **body}
