"""A person's decision stands beside the machine's verdict, is never overwritten, and is held against what came later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest_house import CASE, ENTRY, RULES, SEMANTICS, House, indicator, log
from test_conclusions import ACT, TESTED, on_act
from test_views import graph, hypothesis, observed, phenomenon

from wigmore.api.cases import open_case
from wigmore.api.review import review
from wigmore.api.run import Options, run
from wigmore.api.show import show
from wigmore.graph.reviews import OWN_WORDS, grounding, machine, rejected_phenomena, reviewed
from wigmore.graph.state import GraphState
from wigmore.ledger import Event, Stored
from wigmore.model.nouns import Citation, VerifiedFact

RIVAL = hypothesis("h-rival", frame="f")


def concluded(*more: tuple[str, Any]) -> GraphState:
    state = graph(hypothesis("h", **ACT), RIVAL, *on_act(1, "direct_evidence"), *more)
    for event in TESTED:
        state.apply(event)
    return state


def decide(state: GraphState, item: str, decision: str, by: str = "A. Rao", text: str = "") -> None:
    """What `wigmore review` records, without a case around it."""
    number = len(state.reviews)
    body = {
        "id": f"rev-{number}",
        "item": item,
        "decision": decision,
        "reason": "seen",
        "by": by,
        "text": text,
        "machine": machine(state, item),
        **(grounding(state, item, text) if text else {}),
    }
    state.apply(Stored(number + 1, "review", f"2026-01-0{number + 1}T00:00:00Z", body, ""))


def later(state: GraphState, *events: tuple[str, Any]) -> None:
    for kind, noun in events:
        state.apply(Event(kind, noun.to_dict()))


def only(state: GraphState) -> dict[str, Any]:
    (row,) = reviewed(state)
    return row


def what(state: GraphState) -> list[str]:
    return [d["what"] for d in only(state)["disagreements"]]


# the latest decision, with its history -----------------------------------------------------------------------------------


def test_the_latest_decision_stands_and_every_earlier_one_is_kept() -> None:
    state = concluded()
    decide(state, "h", "accept")
    decide(state, "h", "reject", by="B. Li")
    row = only(state)
    assert (row["review"], row["by"], row["at"]) == ("rejected", "B. Li", "2026-01-02T00:00:00Z")
    assert [(h["decision"], h["by"]) for h in row["history"]] == [("accept", "A. Rao"), ("reject", "B. Li")]


def test_a_decision_keeps_what_the_machine_said_and_changes_nothing_of_it() -> None:
    state = concluded()
    before = state.graph_hash()
    decide(state, "h", "reject")
    assert state.graph_hash() == before and state.log_odds("h") == 2.0
    then = only(state)["machine_then"]
    assert (then["verdict"], then["log_odds"], then["wording"]) == ("concluded", 2.0, "title of h")
    assert what(state) == []


# where a later graph disagrees -------------------------------------------------------------------------------------------


def test_an_accepted_verdict_that_fell_is_named_with_the_edges_that_came_since() -> None:
    state = concluded()
    decide(state, "h", "accept")
    later(state, *on_act(2, "contradicts"))
    (said,) = only(state)["disagreements"]
    assert said["what"] == "verdict_fell"
    assert "concluded (+2.00)" in said["said"] and "open (+0.00)" in said["said"]
    assert (said["edges"], said["phenomena"]) == (
        [{"id": "edge-2", "edge_type": "contradicts", "phenomenon_id": "ph-2"}],
        ["ph-2"],
    )
    assert only(state)["review"] == "accepted"  # the person's word stands


def test_an_accepted_verdict_that_holds_is_no_disagreement() -> None:
    state = concluded()
    decide(state, "h", "accept")
    later(state, *on_act(2, "supports", "registry"))
    assert what(state) == []


def test_a_rejected_hypothesis_is_disagreed_with_only_by_what_came_after() -> None:
    state = concluded()
    decide(state, "h", "reject")
    assert what(state) == []  # the machine concluded before, and the person knew
    later(state, *on_act(2, "supports", "registry"))
    (said,) = only(state)["disagreements"]
    assert (said["what"], said["phenomena"]) == ("concluded_since", ["ph-2"])


def test_a_rejected_hypothesis_that_stays_open_is_no_disagreement() -> None:
    state = graph(hypothesis("h", **ACT), RIVAL)
    decide(state, "h", "reject")
    later(state, *on_act(1, "prerequisite_met"))
    assert what(state) == []


def test_an_item_that_is_gone_is_named() -> None:
    state = concluded()
    decide(state, "h", "accept")
    del state.hypotheses["h"]
    assert what(state) == ["gone"] and only(state)["kind"] == "hypothesis"


def test_a_decision_of_an_older_version_disagrees_with_nothing_it_cannot_know() -> None:
    state = concluded()
    state.apply(Event("review", {"id": "r", "item": "h", "decision": "accept", "reason": "x", "by": "y", "text": ""}))
    later(state, *on_act(2, "contradicts"))
    assert what(state) == [] and only(state)["review"] == "accepted"


def test_a_rejected_phenomenon_that_is_used_since_is_named() -> None:
    state = concluded()
    decide(state, "ph-1", "reject")
    later(state, hypothesis("h2"), ("edge", observed(9, "h2", "supports")[1][1]))
    assert what(state) == []
    edge = observed(1, "h2", "supports")[1][1]
    later(state, ("edge", type(edge)(**{**edge.to_dict(), "id": "edge-1b"})))
    (said,) = only(state)["disagreements"]
    assert (said["what"], [e["id"] for e in said["edges"]]) == ("used_since", ["edge-1b"])


# a rejected phenomenon never changes a belief silently -------------------------------------------------------------------


@pytest.mark.parametrize("item", ["ph-1", "fact-ph-1"], ids=["phenomenon", "fact"])
def test_belief_without_a_rejected_observation_is_computed_beside_it(item: str) -> None:
    state = concluded(*on_act(2, "prerequisite_met"))
    decide(state, item, "reject")
    (row,) = only(state)["without"]
    assert row["with"] == {"log_odds": 2.5, "status": "supported", "verdict": "concluded"}
    assert row["without"] == {"log_odds": 0.5, "status": "active", "verdict": "open"}
    assert state.log_odds("h") == 2.5 and len(state.edges) == 2
    assert rejected_phenomena(state) == {"ph-1"}


def test_an_observation_that_is_accepted_again_counts_again() -> None:
    state = concluded()
    decide(state, "ph-1", "reject")
    decide(state, "ph-1", "accept")
    assert rejected_phenomena(state) == set() and only(state)["without"] == []


# an amended wording ------------------------------------------------------------------------------------------------------


def at_address(value: str = "192.0.2.7") -> GraphState:
    fact = VerifiedFact(
        "fact-a", "client", value, Citation("field", "inv-1", "0" * 64, "rec-a", "client"), "web.access", "log", {}
    )
    state = concluded()
    seen = phenomenon("ph-a")
    made = type(seen)(**{**{f: getattr(seen, f) for f in seen.__slots__}, "verified_facts": (fact,)})
    later(state, ("phenomenon", made))
    return state


def test_hard_values_of_an_amended_wording_are_grounded_or_marked_as_the_examiners_own() -> None:
    state = at_address()
    decide(state, "ph-a", "amend", text="A request from 192.0.2.7, sent by 10.9.8.7")
    row = only(state)
    assert row["not_grounded"] == [{"kind": "IP address", "value": "10.9.8.7", "note": OWN_WORDS}]
    assert state.reviews[0]["cites"] == ["fact-a"]
    assert (row["wording"], row["text"]) == ("ph-a", "A request from 192.0.2.7, sent by 10.9.8.7")


def test_a_wording_whose_facts_are_gone_is_named() -> None:
    state = at_address()
    decide(state, "ph-a", "amend", text="A request from 192.0.2.7")
    assert what(state) == []
    later(state, ("phenomenon", phenomenon("ph-a")))
    (said,) = only(state)["disagreements"]
    assert (said["what"], said["facts"]) == ("facts_gone", ["fact-a"])


def test_a_fact_whose_value_changed_is_named() -> None:
    state = at_address()
    decide(state, "fact-a", "accept")
    assert what(state) == []
    later(state, ("phenomenon", at_address("198.51.100.1").phenomena["ph-a"]))
    assert what(state) == ["value_changed"]


# a case, reviewed, then run again with another source --------------------------------------------------------------------


def test_a_run_after_a_review_keeps_every_decision_and_names_where_new_evidence_disagrees(tmp_path: Path) -> None:
    for name, paths in (("one", ("seed", "third")), ("two", ("fourth",))):
        file = tmp_path / name / "var" / "log" / "access.log"
        file.parent.mkdir(parents=True)
        file.write_text(log(paths), encoding="utf-8")
    case = tmp_path / "case"
    case.mkdir()
    whole = CASE.format(folder=tmp_path)
    (case / "case.yaml").write_text(
        "".join(line for line in whole.splitlines(keepends=True) if "src-two" not in line), encoding="utf-8"
    )
    against = [{"template": "entry", "edge": "contradicts", "proposition": "RAN"}]
    semantics = [{**SEMANTICS[0], "carries": {"RAN": "D"}}]
    rules = [r for r in RULES if r["id"] != "h.fourth"] + [indicator("fourth", "triage", bears_on=against)]
    House(case).rules(rules, [ENTRY], semantics=semantics)
    options = Options(jobs=1, parsers=["web.access"], audit=False)
    (finding,) = run(case, options).findings
    assert finding["verdict"] == "concluded"
    item = finding["hypothesis_id"]
    made = review(case, item, "accept", reason="seen", by="A. Rao")
    observation = next(p["id"] for p in show(case, "phenomena") if p["rule"] == "h.third")
    review(case, observation, "reject", reason="a test of ours", by="B. Li")

    (case / "case.yaml").write_text(whole, encoding="utf-8")
    run(case, options)
    with open_case(case) as bench:
        recorded = [e.body for e in bench.ledger.events("review")]
        new = [p.id for p in bench.state.phenomena.values() if p.rule == "h.fourth"]
    assert [r["decision"] for r in recorded] == ["accept", "reject"] and recorded[0]["id"] == made["id"]
    (row,) = show(case, "findings")
    assert (row["review"], row["review_by"], row["verdict"]) == ("accepted", "A. Rao", "open")
    assert row["review_disagreements"] and "concluded" in row["review_disagreements"][0]
    assert row["without_rejected"]["without"]["log_odds"] < row["without_rejected"]["with"]["log_odds"]
    accepted = next(r for r in show(case, "reviews") if r["item"] == item)
    assert set(new) <= set(accepted["disagreements"][0]["phenomena"])
    assert made["ledger_head"].split(":")[0].isdigit() and len(made["graph_hash"]) == 64
