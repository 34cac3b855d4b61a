"""Views of the graph: overview, source coverage, marginal yield, budget, matrix, conclusions. They never change it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wigmore.graph.state import GraphState
from wigmore.model.belief import STRENGTH
from wigmore.model.nouns import NEUTRAL, Edge, Hypothesis, Phenomenon

CAVEAT = (
    "These are hints, not a checklist: skip what the case makes irrelevant, and look at an open row only if an active "
    "hypothesis could turn on it."
)
SHOWN_LEADS = 20
STANDS = 0.8  # the score from which an alternative stands beside what it competes with


def graph_overview(state: GraphState) -> dict[str, Any]:
    """Hypotheses (active first, then by |L|), sources, pending leads, and a hint on beliefs that rest on one source."""
    recent = sorted((r for r in state.rounds.values() if r.completed_at), key=lambda r: r.round_number)[-2:]
    rows: list[dict[str, Any]] = []
    for hypothesis in state.hypotheses.values():
        if hypothesis.of_identity:
            continue
        edges = [e for e in state.edges_to(hypothesis.id) if e.edge_type != NEUTRAL]
        flips = [
            r.id
            for r in recent
            if r.hypothesis_status_snapshot_after.get(hypothesis.id)
            != r.hypothesis_status_snapshot_before.get(hypothesis.id, "active")
        ]
        rows.append(
            {
                "id": hypothesis.id,
                "title": hypothesis.title,
                "L": state.log_odds(hypothesis.id),
                "conf": state.confidence(hypothesis.id),
                "status": state.status(hypothesis.id),
                "edges_in": len(edges),
                "distinct_sources": len({e.source_id for e in edges}),
                "recent_flip": bool(flips),
            }
        )
    rows.sort(key=lambda r: (r["status"] != "active", -abs(r["L"]), r["id"]))
    pending = sorted(
        (lead for lead in state.leads.values() if lead.status == "pending"), key=lambda x: (-x.priority, x.id)
    )
    sources = [
        {
            "id": s.id,
            "type": s.type,
            "phenomena": sum(p.source_id == s.id for p in state.phenomena.values()),
            "identities": sum(e.source_id == s.id for e in state.entities.values()),
            "last_touched_in_round": state.touched.get(s.id, 0),
        }
        for s in sorted(state.sources.values(), key=lambda s: s.id)
    ]
    single = [r["title"] for r in rows if r["distinct_sources"] == 1 and r["edges_in"] > 1]
    return {
        "hypotheses": rows or "none yet",
        "sources": sources or "none",
        "pending_leads": [
            {
                "id": x.id,
                "from": x.proposed_by,
                "target_agent": x.target_agent,
                "for_hypothesis": x.motivating_hypothesis,
                "description": x.description,
            }
            for x in pending[:SHOWN_LEADS]
        ]
        or "none",
        "pending_leads_not_shown": max(0, len(pending) - SHOWN_LEADS),
        "hint": f"resting on one source: {'; '.join(single)}"
        if single
        else "no belief rests on several edges of one source",
    }


def marginal_yield(state: GraphState, last_n_rounds: int = 2) -> dict[str, Any]:
    """What the last closed rounds brought, and where that tends."""
    closed = sorted((r for r in state.rounds.values() if r.completed_at), key=lambda r: r.round_number)
    rows: list[dict[str, Any]] = [
        {
            "round": r.id,
            "new_phenomena": r.new_phenomena_count,
            "new_edges": r.new_edges_count,
            "status_flips": r.status_flips,
        }
        for r in closed[-max(1, last_n_rounds) :]
    ]
    totals = [r["new_phenomena"] + r["new_edges"] + r["status_flips"] for r in rows]
    if not rows:
        trend = "no round is closed yet"
    elif len(rows) == 1:
        trend = "too early to tell: one round"
    elif not any(totals):
        trend = "zero throughout: declare complete"
    elif totals[-1] == 0:
        trend = "collapsed to zero"
    elif totals[-1] < totals[0] / 2:
        trend = f"decelerating: the last round brought {100 * totals[-1] // totals[0]} % of the first shown"
    else:
        trend = "still active"
    return {"rounds": rows, "trend": trend}


def budget_status(budget: dict[str, Any]) -> dict[str, Any]:
    """Use, cap and share of every budget, with the warnings of SPEC D."""
    rows, warnings = [], []
    for name, entry in budget.items():
        if name == "phases":
            continue
        used, cap = entry["used"], entry["cap"]
        share = None if cap is None else used / cap if cap else 1.0
        shown = "(unbounded)" if share is None else f"{100 * share:.0f} %"
        rows.append({"metric": name, "used": round(used, 2), "cap": cap, "share": shown})
        if share is not None and name == "strategist_rounds" and share >= 0.7:
            warnings.append("70 % of the rounds are used: only leads of high yield")
        if share is not None and name == "tool_calls" and share >= 0.9:
            warnings.append("90 % of the tool calls are used: favour declaring complete")
    calls = sum(budget.get("phases", {}).values()) or 1
    phases = {name: f"{100 * n / calls:.0f} %" for name, n in sorted(budget.get("phases", {}).items())}
    return {"budgets": rows, "phases": phases, "warnings": warnings}


def source_coverage(
    state: GraphState, source_id: str, invocations: Iterable[dict[str, Any]], expected: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """The expected artifacts of a source's type, ✓ where an agent's call touched them, with what they would tell."""
    source = state.sources.get(source_id)
    if source is None:
        return {"error": f"unknown source {source_id!r}; known: {', '.join(sorted(state.sources))}"}
    platform = str(source.meta.get("platform", ""))
    keys = (f"{source.type}+{platform}", source.type)
    catalogue = next((e["artifacts"] for key in keys for e in expected if e["source"] == key), None)
    mine = [i for i in invocations if i["source_id"] == source_id and i["status"] != "failed"]
    if catalogue is None:
        return {
            "source_id": source_id,
            "note": f"no catalogue for {keys[0]}",
            "invocations": len(mine),
            "caveat": CAVEAT,
        }
    rows = []
    for entry in catalogue:
        example = next((i for i in mine for d in entry["detector"].split("|") if _detects(d, i)), None)
        rows.append(
            {
                "mark": "✓" if example else "✗",
                "name": entry["name"],
                "value_for": entry["value_for"],
                "example": _call(example) if example else "",
            }
        )
    touched = sum(r["mark"] == "✓" for r in rows)
    return {
        "source_id": source_id,
        "rows": rows,
        "invocations": len(mine),
        "touched": f"{touched}/{len(rows)} ({100 * touched // max(1, len(rows))} %)",
        "caveat": CAVEAT,
    }


def _call(invocation: dict[str, Any]) -> str:
    """A call in short, without any place of this machine."""
    args = [f"{k}={v}" for k, v in sorted(invocation["args"].items()) if v not in (None, "", False)]
    return " ".join([invocation["tool"], *args])


def _detects(detector: str, invocation: dict[str, Any]) -> bool:
    tool, _, part = detector.partition("@")
    if invocation["tool"] != tool.strip():
        return False
    return not part or part.strip().lower() in str(sorted(invocation["args"].items())).lower()


def matrix(state: GraphState) -> dict[str, Any]:
    """Hypotheses about acts × phenomena: the edge that bears, for each pair that has one."""
    hypotheses = sorted(
        (h for h in state.hypotheses.values() if not h.of_identity), key=lambda h: (h.frame, h.innocent, h.title, h.id)
    )
    acts = {h.id for h in hypotheses}
    bearing = [e for name in acts for e in state.edges_to(name)]
    used = {e.phenomenon_id for e in bearing}
    phenomena = sorted(
        (p for p in state.phenomena.values() if p.id in used), key=lambda p: (p.source_id, -state.quality(p), p.id)
    )
    strongest_last = sorted(bearing, key=lambda e: (-STRENGTH.index(e.edge_type), e.id))
    cells = {(e.phenomenon_id, e.hypothesis_id): e.edge_type for e in strongest_last}
    return {
        "hypotheses": [{"id": h.id, "title": h.title, "innocent": h.innocent} for h in hypotheses],
        "rows": [
            {
                "phenomenon_id": p.id,
                "title": p.title,
                "source_id": p.source_id,
                "negative": p.negative,
                "edges": [cells.get((p.id, h.id), "") for h in hypotheses],
            }
            for p in phenomena
        ],
    }


@dataclass(frozen=True)
class Conclusion:
    """What the report may say of a hypothesis (DESIGN: separate from `status`)."""

    hypothesis_id: str
    verdict: str  # concluded | contested | not_tested | refuted | open
    reasons: tuple[str, ...]
    standing: tuple[dict[str, Any], ...] = ()  # the alternatives of every hypothesis: what was found of each here

    @property
    def untested(self) -> str:
        """The one reason for all alternatives of every hypothesis that were not tested; `standing` has which, and why."""
        left = sum(not s["tested"] for s in self.standing)
        return f"{left} of {len(self.standing)} alternatives to every finding could not be tested" if left else ""


def conclusion(state: GraphState, hypothesis: Hypothesis) -> Conclusion:
    """Whether a hypothesis may be stated as a conclusion, and every reason why not.

    A verdict rests on what rules judged; what a model judged moves the score, and is told beside the verdict.
    """
    whole, state = state, state.by_rules()
    verdict, reasons = _verdict(state, hypothesis)
    if (said := whole.status(hypothesis.id)) != state.status(hypothesis.id):
        reasons += (f"with what a model judged the score says {said}, by rules alone {state.status(hypothesis.id)}",)
    if hypothesis.innocent:
        return Conclusion(hypothesis.id, verdict, reasons)
    standing = tuple(
        _standing(state, hypothesis, state.hypotheses[name])
        for name in state.alternatives(hypothesis.id)
        if state.hypotheses[name].standing
    )
    if state.status(hypothesis.id) == "supported":
        strong = tuple(f"an alternative stands as well: {s['title']}" for s in standing if s["stands"])
        if strong and verdict != "contested":
            verdict = "contested"
        untested = Conclusion(hypothesis.id, verdict, (), standing).untested
        reasons += strong + ((untested,) if untested else ())
    return Conclusion(hypothesis.id, verdict, reasons, standing)


def _standing(state: GraphState, hypothesis: Hypothesis, other: Hypothesis) -> dict[str, Any]:
    """What became of a standing alternative in the sources that a hypothesis rests on.

    It stands against the hypothesis from a score of 0.8 that rests, in these sources, on more than prerequisites.
    """
    sources = {e.source_id for e in state.edges_to(hypothesis.id)}
    bearing = [e for e in state.edges_to(other.id) if e.edge_type != NEUTRAL and e.source_id in sources]
    made = [p for (h, _, s), p in sorted(state.probes.items()) if h == other.id and (s in sources or not s)]
    made.sort(key=lambda p: not p["decisive"])
    tested = any(p["outcome"] in ("found", "empty") for p in made)
    return {
        "hypothesis_id": other.id,
        "title": other.title,
        "score": state.confidence(other.id),
        "tested": tested,
        "why": "" if tested else next((p["reason"] for p in made), "these sources hold nothing that would tell"),
        "stands": state.confidence(other.id) >= STANDS and _on_act(bearing),
        "phenomena": sorted({e.phenomenon_id for e in bearing}),
    }


def _on_act(edges: Sequence[Edge]) -> bool:
    """Direct evidence, or support from two mechanisms."""
    mechanisms = {e.mechanism for e in edges if e.edge_type in ("supports", "consequence_observed")}
    return len(mechanisms) > 1 or any(e.edge_type == "direct_evidence" for e in edges)


def _verdict(state: GraphState, hypothesis: Hypothesis) -> tuple[str, tuple[str, ...]]:
    status = state.status(hypothesis.id)
    edges = [e for e in state.edges_to(hypothesis.id) if e.edge_type != NEUTRAL]
    if status == "refuted":
        if not any(e.edge_type == "contradicts" for e in edges):
            return "open", ("the score is low, but nothing contradicts it",)
        if any(e.edge_type == "direct_evidence" for e in edges):
            return "open", ("something contradicts it, but direct evidence of it is not explained",)
        return "refuted", ()
    if status != "supported":
        return "open", ("the score lies between the thresholds",)
    contested, untested = [], []
    act = hypothesis.propositions[0] if hypothesis.propositions else ""
    on_act = [e for e in edges if not act or e.proposition == act]
    if not _on_act(on_act):
        contested.append("no direct evidence of the act itself, nor support from two mechanisms")
    if any(e.edge_type == "contradicts" for e in edges):
        contested.append("a contradicting observation is not explained")
    if not any(not state.hypotheses[other].standing for other in state.alternatives(hypothesis.id)):
        contested.append("no explanation of its own competes with it")
    for other in state.alternatives(hypothesis.id):
        if state.confidence(other) >= STANDS and not state.hypotheses[other].standing:
            contested.append(f"an alternative stands as well: {state.hypotheses[other].title}")
    made = [p for (h, _, _), p in sorted(state.probes.items()) if h == hypothesis.id]
    if not any(p["disconfirming"] and p["outcome"] in ("found", "empty") for p in made):
        tried = [p["reason"] for p in made if p["disconfirming"]]
        untested.append("no disconfirming probe could be completed" + (f" ({tried[0]})" if tried else ""))
    if hypothesis.decisive and not any(p["decisive"] and p["outcome"] in ("found", "empty") for p in made):
        tried = [p["reason"] for p in made if p["decisive"]]
        untested.append("the decisive probe could not be completed" + (f" ({tried[0]})" if tried else ""))
    if contested:
        return "contested", (*contested, *untested)
    if untested:
        return "not_tested", tuple(untested)
    return "concluded", ()


def unused_phenomena(state: GraphState) -> list[str]:
    """Recorded phenomena that bear on no hypothesis, best quality first."""
    acts = {h.id for h in state.hypotheses.values() if not h.of_identity}
    used = {e.phenomenon_id for e in state.edges.values() if e.hypothesis_id in acts}
    left = [p for p in state.phenomena.values() if p.id not in used and not p.negative]
    return [p.id for p in sorted(left, key=lambda p: (-state.quality(p), p.id))]


def readings(state: GraphState, telling: Mapping[str, int]) -> list[dict[str, Any]]:
    """What indicator rules read out of each file, the most telling first: one row a file and rule, ranked within the file.

    `telling` gives the significance of the rules that count. Order: significance as the rule declares it, a sub-technique
    before a technique before none, what was seen in few records before what fills the file, then the rule's name.
    """
    found: dict[tuple[str, str, str], dict[str, Phenomenon]] = defaultdict(dict)
    for phenomenon in state.phenomena.values():
        if not phenomenon.negative and phenomenon.rule in telling:
            for path in {fact.path for fact in phenomenon.verified_facts if fact.path}:
                found[phenomenon.source_id, path, phenomenon.rule][phenomenon.id] = phenomenon
    rows: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for (source, path, rule), seen in found.items():
        first = min(seen.values(), key=lambda p: (p.occurred_at or "~", p.id))
        rows[source, path].append(
            {
                "source_id": source,
                "path": path,
                "rule": rule,
                "attack": list(first.attack),
                "category": first.category,
                "title": first.title,
                "significance": telling[rule],
                "records": sum(p.record_count for p in seen.values()),
                "phenomena": sorted(seen),
            }
        )
    out = []
    for key in sorted(rows):
        rows[key].sort(key=lambda r: (-r["significance"], _depth(r["attack"]), r["records"], r["rule"]))
        out += [{**row, "rank": rank} for rank, row in enumerate(rows[key], 1)]
    return out


def _depth(attack: list[str]) -> int:
    return 2 if not attack else 0 if "." in attack[0] else 1
