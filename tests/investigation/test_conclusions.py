"""What may be said of a hypothesis: gates beside the score, each with its reason."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_views import closed, graph, hypothesis, observed

from wigmore.graph.state import GraphState
from wigmore.graph.views import Conclusion, conclusion
from wigmore.ledger import Event

ACT = {"propositions": ("RAN",), "frame": "f", "probes": ("p", "q"), "decisive": "q"}


def probed(probe: str, outcome: str = "found", *, decisive: bool = False, disconfirming: bool = False) -> Event:
    return Event(
        "probe",
        {
            "id": probe,
            "hypothesis_id": "h",
            "probe": probe,
            "source_id": "src-a",
            "outcome": outcome,
            "reason": "the log ends before",
            "decisive": decisive,
            "disconfirming": disconfirming,
        },
    )


TESTED = [probed("p", "empty", disconfirming=True), probed("q", "found", decisive=True)]


def said(*edges: tuple[str, Any], events: list[Event] | None = None, rival: str = "f", **more: Any) -> Conclusion:
    state = graph(hypothesis("h", **{**ACT, **more}), hypothesis("h-rival", frame=rival), *edges)
    for event in TESTED if events is None else events:
        state.apply(event)
    return conclusion(state, state.hypotheses["h"])


def on_act(number: int, kind: str, mechanism: str = "m", **more: Any) -> list[tuple[str, Any]]:
    return observed(number, "h", kind, proposition="RAN", mechanism=mechanism, **more)


def test_direct_evidence_of_the_act_with_its_probes_made_is_concluded() -> None:
    assert said(*on_act(1, "direct_evidence")) == Conclusion("h", "concluded", ())


def test_support_from_two_mechanisms_is_concluded_and_from_one_contested() -> None:
    assert said(*on_act(1, "supports", "log"), *on_act(2, "supports", "registry")).verdict == "concluded"
    one = said(*on_act(1, "supports", "log"), *on_act(2, "supports", "log"))
    assert one.verdict == "contested" and "two mechanisms" in one.reasons[0]


def test_what_nothing_competes_with_is_contested() -> None:
    verdict = said(*on_act(1, "direct_evidence"), rival="another frame")
    assert (verdict.verdict, verdict.reasons) == ("contested", ("no explanation of its own competes with it",))


def test_prerequisites_alone_never_conclude() -> None:
    edges = [e for n in range(1, 30) for e in on_act(n, "prerequisite_met", f"m{n}")]
    verdict = said(*edges)
    assert verdict.verdict == "contested" and "act itself" in verdict.reasons[0]


def test_evidence_of_another_proposition_is_not_evidence_of_the_act() -> None:
    verdict = said(*observed(1, "h", "direct_evidence", proposition="SENT", mechanism="m"))
    assert verdict.verdict == "contested"


def test_an_unexplained_contradiction_is_contested_however_much_supports() -> None:
    edges = [e for n in range(1, 12) for e in on_act(n, "supports", f"m{n}")]
    verdict = said(*edges, *on_act(20, "direct_evidence"), *on_act(21, "contradicts"))
    assert verdict.verdict == "contested" and any("contradicting" in r for r in verdict.reasons)


def test_an_alternative_that_stands_as_well_is_contested() -> None:
    other = [hypothesis("h-other", frame="f"), *observed(9, "h-other", "direct_evidence")]
    verdict = said(*on_act(1, "direct_evidence"), *other)
    assert verdict.verdict == "contested" and "title of h-other" in verdict.reasons[0]


def test_an_alternative_about_another_subject_does_not_count() -> None:
    other = [hypothesis("h-other", frame="f", subject="someone else"), *observed(9, "h-other", "direct_evidence")]
    assert said(*on_act(1, "direct_evidence"), *other).verdict == "concluded"


@pytest.mark.parametrize("outcome", ["cannot_say", "failed"])
def test_a_probe_that_could_not_say_is_no_test(outcome: str) -> None:
    verdict = said(
        *on_act(1, "direct_evidence"),
        events=[probed("p", outcome, disconfirming=True), probed("q", outcome, decisive=True)],
    )
    assert verdict.verdict == "not_tested" and len(verdict.reasons) == 2
    assert all("the log ends before" in r for r in verdict.reasons)


def test_without_any_probe_nothing_is_tested() -> None:
    assert said(*on_act(1, "direct_evidence"), events=[]).verdict == "not_tested"


def test_without_a_decisive_probe_named_none_is_asked_for() -> None:
    assert said(*on_act(1, "direct_evidence"), decisive="", events=TESTED[:1]).verdict == "concluded"


def test_between_the_thresholds_is_open() -> None:
    assert said(*on_act(1, "prerequisite_met")).verdict == "open"


def test_refuted_needs_a_contradiction() -> None:
    assert said(*on_act(1, "contradicts")).verdict == "refuted"
    low = said(*(e for n in range(1, 9) for e in on_act(n, "weakens")))
    assert low.verdict == "open" and "nothing contradicts" in low.reasons[0]


def test_the_gates_never_change_the_status() -> None:
    rival = hypothesis("h-rival", frame="f")
    state: GraphState = graph(hypothesis("h", **ACT), rival, *on_act(1, "direct_evidence"), closed(1, 0, 0))
    assert conclusion(state, state.hypotheses["h"]).verdict == "not_tested"
    assert state.status("h") == "supported"


# whatever the graph ------------------------------------------------------------------------------------------------------

KINDS = ("direct_evidence", "supports", "consequence_observed", "prerequisite_met", "weakens", "contradicts")
an_edge = st.tuples(
    st.sampled_from(KINDS), st.sampled_from(("RAN", "SENT")), st.sampled_from(("log", "registry", "memory"))
)
a_probe = st.tuples(st.sampled_from(("found", "empty", "cannot_say", "failed")), st.booleans(), st.booleans())


@settings(max_examples=400, deadline=None)
@given(
    edges=st.lists(an_edge, min_size=1, max_size=8),
    probes=st.lists(a_probe, max_size=4),
    decisive=st.sampled_from(("", "q")),
    prior=st.sampled_from((0.1, 0.5, 0.9)),
    rival=st.lists(st.sampled_from(KINDS), max_size=2),
)
def test_nothing_is_concluded_before_its_disconfirming_probe_ran(
    edges: list[tuple[str, str, str]],
    probes: list[tuple[str, bool, bool]],
    decisive: str,
    prior: float,
    rival: list[str],
) -> None:
    laid = [
        e
        for n, (kind, proposition, mechanism) in enumerate(edges)
        for e in observed(n, "h", kind, proposition=proposition, mechanism=mechanism)
    ]
    other = [hypothesis("h-other", frame="f")] + [
        e for n, kind in enumerate(rival, len(edges)) for e in observed(n, "h-other", kind)
    ]
    state = graph(hypothesis("h", prior, **{**ACT, "decisive": decisive}), *laid, *other)
    made = [
        probed(f"p{n}", outcome, decisive=weighty, disconfirming=against)
        for n, (outcome, weighty, against) in enumerate(probes)
    ]
    for event in made:
        state.apply(event)
    verdict = conclusion(state, state.hypotheses["h"])
    told = [e.body for e in made if e.body["outcome"] in ("found", "empty")]
    if verdict.verdict == "concluded":
        assert any(p["disconfirming"] for p in told)
        assert not decisive or any(p["decisive"] for p in told)
        assert state.status("h") == "supported" and not any(kind == "contradicts" for kind, _, _ in edges)
        # and with the same graph, but for the probe that could have refuted it, nothing is
        for key in [k for k, p in state.probes.items() if p["disconfirming"]]:
            del state.probes[key]
        assert conclusion(state, state.hypotheses["h"]).verdict == "not_tested"
    else:
        assert verdict.reasons or verdict.verdict == "refuted"


def test_generated_graphs_do_reach_a_conclusion() -> None:
    """The property above is not empty: this graph is one of those it draws."""
    assert said(*on_act(1, "direct_evidence"), events=[probed("p0", "empty", decisive=True, disconfirming=True)]) == (
        Conclusion("h", "concluded", ())
    )


STANDING = hypothesis("h-standing", frame="standing", innocent=True, standing=True)


def test_a_standing_alternative_with_direct_evidence_in_the_same_source_is_contested_and_named() -> None:
    verdict = said(*on_act(1, "direct_evidence"), STANDING, *observed(9, "h-standing", "direct_evidence"))
    assert verdict.verdict == "contested" and "title of h-standing" in verdict.reasons[0]
    assert verdict.standing[0]["stands"]


def test_prerequisites_of_a_standing_alternative_never_overturn_a_verdict() -> None:
    many = [e for n in range(20, 50) for e in observed(n, "h-standing", "prerequisite_met", mechanism=f"m{n}")]
    verdict = said(*on_act(1, "direct_evidence"), STANDING, *many)
    assert verdict.verdict == "concluded" and verdict.standing[0]["score"] >= 0.8 and not verdict.standing[0]["stands"]


def test_what_a_standing_alternative_has_in_another_source_does_not_overturn_a_verdict() -> None:
    elsewhere = observed(9, "h-standing", "direct_evidence", source="src-b")
    assert said(*on_act(1, "direct_evidence"), STANDING, *elsewhere).verdict == "concluded"


def test_a_standing_alternative_that_was_not_tested_is_named_and_leaves_the_verdict() -> None:
    verdict = said(*on_act(1, "direct_evidence"), STANDING)
    assert verdict.verdict == "concluded" and verdict.standing[0]["title"] == "title of h-standing"
    assert verdict.reasons == ("1 of 1 alternatives to every finding could not be tested",) == (verdict.untested,)
