"""What people decided on items of a case, beside what the machine says of them now.

A decision is an event; nothing overwrites it. It keeps what the machine said at the time, so that a later run can be held
against it. A decision never changes a belief: what belief would be without what a person rejected is computed beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from wigmore.graph.hard_values import hard_values, leaves, normal, ungrounded
from wigmore.graph.state import GraphState
from wigmore.graph.views import conclusion
from wigmore.model.nouns import NEUTRAL, Phenomenon, VerifiedFact

Row = dict[str, Any]
STATES = {"accept": "accepted", "amend": "amended", "reject": "rejected"}
NOT_EXAMINED = "not_examined"
RANK = {"concluded": 3, "contested": 2, "not_tested": 2, "open": 1, "refuted": 0}  # how much a verdict says
OWN_WORDS = "examiner's own words, not grounded"


def machine(state: GraphState, item: str) -> Row:
    """What the machine says of an item: kind, wording, verdict, log_odds, status, edges by id.

    `kind` is hypothesis, phenomenon, fact, or gone for what is not there (the other keys are then missing).
    """
    if item in state.hypotheses:
        hypothesis = state.hypotheses[item]
        said = conclusion(state, hypothesis)
        edges = [e for e in state.edges_to(item) if e.edge_type != NEUTRAL]
        return {
            "kind": "hypothesis",
            "wording": hypothesis.title,
            "verdict": said.verdict,
            "reasons": list(said.reasons),
            "log_odds": state.log_odds(item),
            "status": state.status(item),
            "edges": [e.id for e in edges],
        }
    if item in state.phenomena:
        phenomenon = state.phenomena[item]
        return {
            "kind": "phenomenon",
            "wording": phenomenon.title,
            "interpretation": phenomenon.interpretation,
            "edges": sorted(e.id for e in state.edges.values() if e.phenomenon_id == item and e.edge_type != NEUTRAL),
        }
    holders = _holders(state, item)
    if not holders:
        return {"kind": "gone"}
    fact = next(f for f in holders[0].verified_facts if f.id == item)
    names = {p.id for p in holders}
    return {
        "kind": "fact",
        "wording": f"{fact.name}: {fact.value}",
        "value": fact.value,
        "edges": sorted(e.id for e in state.edges.values() if e.phenomenon_id in names and e.edge_type != NEUTRAL),
    }


def _bearing(state: GraphState, hypothesis_id: str) -> list[Phenomenon]:
    names = sorted({e.phenomenon_id for e in state.edges_to(hypothesis_id)})
    return [state.phenomena[n] for n in names if n in state.phenomena]


def _holders(state: GraphState, fact_id: str) -> list[Phenomenon]:
    """The phenomena that rest on a fact, by id."""
    return [p for _, p in sorted(state.phenomena.items()) if any(f.id == fact_id for f in p.verified_facts)]


def _facts(state: GraphState, item: str) -> list[VerifiedFact]:
    """The facts that a person's wording of an item may rest on."""
    if item in state.hypotheses:
        held = _bearing(state, item)
    else:
        held = [state.phenomena[item]] if item in state.phenomena else _holders(state, item)
    return [f for p in held for f in p.verified_facts]


def grounding(state: GraphState, item: str, text: str) -> Row:
    """What of a person's wording stands in facts of the item: `cites` (fact ids), `not_grounded` ([{kind, value}])."""
    facts = _facts(state, item)
    labels = sorted({s.label for s in state.sources.values()} | set(state.sources))
    missing = ungrounded(text, [labels, *([f.value, f.path, f.artifact] for f in facts)])
    wanted = [normal(value) for _, value in hard_values(text)]
    cites = [f.id for f in facts if any(w in normal(leaf) for w in wanted for leaf in leaves([f.value, f.path]))]
    return {
        "cites": sorted(set(cites)),
        "not_grounded": [{"kind": kind, "value": value, "note": OWN_WORDS} for kind, value in missing],
    }


def reviewed(state: GraphState) -> list[Row]:
    """One row an item that people decided on, by item: the latest decision, its history, and where the machine disagrees.

    item, kind, review (accepted | amended | rejected), decision, by, at, reason, text, not_grounded, machine_then,
    machine_now, disagreements [{what, said, edges, phenomena}], disagreement (their words), without (beliefs without what
    was rejected), history.
    """
    by_item: dict[str, list[Row]] = defaultdict(list)
    for event in state.reviews:
        by_item[event["item"]].append(event)
    out = []
    for item, history in sorted(by_item.items()):
        last, now = history[-1], machine(state, item)
        out.append(
            {
                "item": item,
                "kind": now["kind"] if now["kind"] != "gone" else last.get("machine", {}).get("kind", "gone"),
                "review": STATES[last["decision"]],
                **{k: last.get(k, "") for k in ("id", "decision", "by", "at", "reason", "text", "machine_status")},
                "wording": last.get("machine", {}).get("wording") or now.get("wording", ""),
                "not_grounded": last.get("not_grounded", []),
                "machine_then": last.get("machine", {}),
                "machine_now": now,
                "disagreements": (differing := disagreements(state, last, now)),
                "disagreement": "; ".join(d["said"] for d in differing),
                "without": _beliefs_without(state, last) if last["decision"] == "reject" else [],
                "history": [
                    {k: h.get(k, "") for k in ("id", "decision", "by", "at", "reason", "text")} for h in history
                ],
            }
        )
    return out


def disagreements(state: GraphState, decision: Row, now: Row) -> list[Row]:
    """Where the graph now disagrees with a decision: what changed, with the edges and phenomena that came after it."""
    then = decision.get("machine") or {}
    if now["kind"] == "gone":
        return [_disagreement("gone", "the item that was decided on is no longer in the case", [], state)]
    out = []
    known = set(then.get("edges", ()))
    fresh = [e for e in now["edges"] if e not in known] if "edges" in then else []
    act = decision["decision"]
    if then and now["kind"] == "hypothesis":
        before, after = str(then["verdict"]), str(now["verdict"])
        moved = f"the machine said {_words(before, then)}, and now says {_words(after, now)}"
        if act == "accept" and RANK[after] < RANK[before]:
            out.append(_disagreement("verdict_fell", f"accepted; {moved}", fresh, state))
        elif act == "reject" and after == "concluded" and fresh:
            out.append(_disagreement("concluded_since", f"rejected; {moved}", fresh, state))
        elif act == "amend" and RANK[after] != RANK[before]:
            out.append(_disagreement("verdict_changed", f"amended; {moved}", fresh, state))
    elif act == "reject" and fresh:
        said = f"rejected; {len(fresh)} edge{'s' * (len(fresh) > 1)} came to rest on it since"
        out.append(_disagreement("used_since", said, fresh, state))
    if now["kind"] == "fact" and "value" in then and then["value"] != now["value"]:
        said = f"the value was {then['value']!r} and is {now['value']!r}"
        out.append(_disagreement("value_changed", said, [], state))
    lost = sorted(set(decision.get("cites", ())) - {f.id for f in _facts(state, decision["item"])})
    if act == "amend" and lost:
        out.append(
            {**_disagreement("facts_gone", "facts that the wording rests on are gone", [], state), "facts": lost}
        )
    return out


def _words(verdict: str, said: Row) -> str:
    return f"{verdict.replace('_', ' ')} ({said['log_odds']:+.2f})"


def _disagreement(what: str, said: str, edges: list[str], state: GraphState) -> Row:
    named = [state.edges[e] for e in edges]
    return {
        "what": what,
        "said": said,
        "edges": [{"id": e.id, "edge_type": e.edge_type, "phenomenon_id": e.phenomenon_id} for e in named],
        "phenomena": sorted({e.phenomenon_id for e in named}),
    }


def rejected_phenomena(state: GraphState) -> set[str]:
    """The phenomena that people rejected, themselves or by a fact that they rest on; by the latest decision on each."""
    latest = {event["item"]: event["decision"] for event in state.reviews}
    items = {item for item, decision in latest.items() if decision == "reject"}
    return {p.id for p in state.phenomena.values() if p.id in items or any(f.id in items for f in p.verified_facts)}


def _beliefs_without(state: GraphState, decision: Row) -> list[Row]:
    """Belief and verdict of each hypothesis that a rejected phenomenon (or fact) bears on, as if it were not there."""
    item = decision["item"]
    names = {item} if item in state.phenomena else {p.id for p in _holders(state, item)}
    touched = sorted({e.hypothesis_id for e in state.edges.values() if e.phenomenon_id in names})
    return beliefs_without(state, names, touched)


def beliefs_without(state: GraphState, phenomena: set[str], hypotheses: Iterable[str]) -> list[Row]:
    """log_odds, status and verdict of hypotheses with these phenomena, and without them."""
    bare = state.without(phenomena)
    return [
        {
            "hypothesis_id": name,
            "title": state.hypotheses[name].title,
            "with": _belief(state, name),
            "without": _belief(bare, name),
        }
        for name in hypotheses
        if name in state.hypotheses
    ]


def _belief(state: GraphState, name: str) -> Row:
    verdict = conclusion(state, state.hypotheses[name]).verdict
    return {"log_odds": state.log_odds(name), "status": state.status(name), "verdict": verdict}
