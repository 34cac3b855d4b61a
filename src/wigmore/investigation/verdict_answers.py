"""Questions about an act, answered by what the case came to: the verdicts of the hypotheses that they are about.

Records answer what, which and when. Whether something was done is what hypotheses weigh, with their alternatives: such a
question gets the verdicts, the first limit of each, and the records they rest on; what stays open stays unanswered.
"""

from __future__ import annotations

import re
from typing import Any

from wigmore.agents.templates import asked_about
from wigmore.graph.views import conclusion
from wigmore.investigation.workbench import Workbench
from wigmore.model.belief import STRENGTH
from wigmore.model.nouns import NEUTRAL, Hypothesis

WHETHER = re.compile(r"\s*(was|were|did|do|does|is|are|has|have|had)\b", re.IGNORECASE)
SAID = {
    "concluded": "concluded, for a person to accept",
    "contested": "supported, contested",
    "not_tested": "supported, not tested",
    "refuted": "refuted",
    "open": "open: neither supported nor refuted",
}
ORDER = tuple(SAID)
SHOWN = 3  # hypotheses of an answer
CITED = 5  # records of one hypothesis
Row = dict[str, Any]


def by_verdict(bench: Workbench, question: str, said: Row) -> Row:
    """The answer to a question: `said` by the records, or by verdicts where it asks whether something was done.

    A question that asks which or when keeps what the records answered, and gets the verdicts only where they did not.
    """
    if said["status"] == "answered" and not WHETHER.match(question):
        return said
    about = asked_about(bench.rules.templates, question)
    state = bench.state
    judged = []
    for template in about:
        for hypothesis in state.hypotheses.values():
            if hypothesis.template == template.id:
                found = conclusion(state, hypothesis)
                judged.append((ORDER.index(found.verdict), -state.log_odds(hypothesis.id), hypothesis.id, found))
    if not judged:
        return said
    told, answers, citations = [], [], []
    for _, _, name, found in sorted(judged, key=lambda j: j[:3])[:SHOWN]:
        hypothesis = state.hypotheses[name]
        limits = [reason for reason in found.reasons if reason != found.untested]
        limit = f" ({limits[0]})" if limits else ""
        told.append(f"{hypothesis.title}: {SAID[found.verdict]}{limit}")
        rows = _cited(bench, hypothesis)
        citations += rows
        answers += [{"value": hypothesis.title, "record_id": r["record_id"], "path": r["path"]} for r in rows[:1]]
    if len(judged) > SHOWN:
        told.append(f"and {len(judged) - SHOWN} more hypotheses of the kind")
    text = "; ".join(told)
    if said["status"] == "refused":  # it stays so: the act's verdict is none on what it asks
        return {**said, "answer": f"{said['answer']}. Of the act itself: {text}", "citations": citations}
    best = min(judged, key=lambda j: j[:3])[3].verdict
    decided = best != "open" or said["status"] == "answered"
    if said["status"] == "answered":
        text += f". Records that may bear on it, not weighed: {said['answer']}" if best == "open" else ""
        answers += said["answers"]
        citations += said["citations"]
    return {
        **said,
        "status": "answered" if decided else "unanswered",
        "answer": text,
        "answers": answers if decided else [],
        "citations": citations if decided else [],
        "verdict": best,
        "hypotheses": [j[2] for j in sorted(judged, key=lambda j: j[:3])],
    }


def _cited(bench: Workbench, hypothesis: Hypothesis) -> list[Row]:
    """The records that a hypothesis rests on, those of its strongest edges first."""
    state, out = bench.state, dict[str, Row]()
    edges = [e for e in state.edges_to(hypothesis.id) if e.edge_type != NEUTRAL]
    for edge in sorted(edges, key=lambda e: (STRENGTH.index(e.edge_type), e.id)):
        for fact in state.phenomena[edge.phenomenon_id].verified_facts:
            record = fact.citation.record_id
            if record and len(out) < CITED:
                out.setdefault(record, {"record_id": record, "path": fact.path, "locator": fact.locator})
    return list(out.values())
