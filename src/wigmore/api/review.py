"""`wigmore review`: a person accepts, amends or rejects; the act stands in the ledger with a name and a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wigmore.api.cases import UseError, open_case
from wigmore.graph.reviews import grounding, machine
from wigmore.ledger import Event
from wigmore.model.canonical import identify

DECISIONS = ("accept", "amend", "reject")


def review(case: Path, item: str, decision: str, *, reason: str, by: str, text: str = "") -> dict[str, Any]:
    """Record a person's decision on a hypothesis, phenomenon or fact, with what the machine says of it at that time.

    A person may write what they like; what of it stands in no fact is named in `not_grounded`. Raises UseError for what is
    missing or unknown.
    """
    if decision not in DECISIONS:
        raise UseError(f"unknown decision {decision!r}; one of {', '.join(DECISIONS)}")
    if not reason.strip() or not by.strip():
        raise UseError("a review needs --reason TEXT and --by NAME")
    if decision == "amend" and not text.strip():
        raise UseError("--amend needs --text, the amended wording; the machine's stays beside it")
    with open_case(case, write=True) as bench:
        said = machine(bench.state, item)
        if said["kind"] == "gone":
            raise UseError(
                f"{item!r} is no hypothesis, phenomenon or fact of this case; "
                f"`wigmore show {case} hypotheses` lists them"
            )
        body = {
            "id": identify("rev", item, decision, reason, by, len(bench.state.reviews)),
            "item": item,
            "decision": decision,
            "reason": reason,
            "by": by,
            "text": text,
            "machine_status": said.get("status", ""),
            "machine": said,
            "graph_hash": bench.state.graph_hash(),
            "ledger_head": str(bench.ledger.head()),
            **(grounding(bench.state, item, text) if text.strip() else {}),
        }
        bench.append([Event("review", body)])
        return {"case": bench.case_file.case, **body}
