"""The strategist's calls: what is refused and what it names, duplicates, the fourth lead, the reasons to end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wigmore.agents.desk import Role
from wigmore.graph.state import GraphState
from wigmore.investigation.decisions import Decisions
from wigmore.ledger import Event
from wigmore.model.nouns import COMPLETE_REASONS, EDGE_TYPES, EvidenceSource, Hypothesis
from wigmore.registry import found

ROLES: dict[str, Role] = found("role")


@pytest.fixture
def state() -> GraphState:
    source = EvidenceSource("src-a", "a", "disk_image", "image", "/a")
    other = EvidenceSource("src-b", "b", "disk_image", "image", "/b")
    return GraphState().fold(
        [
            Event("source", source.to_dict()),
            Event("source", other.to_dict()),
            Event("hypothesis", Hypothesis("hyp-1", "one", "").to_dict()),
            Event("hypothesis", Hypothesis("hyp-2", "two", "").to_dict()),
        ]
    )


def proposed(decisions: Decisions, **changed: str) -> str:
    values = {
        "description": "look",
        "target_agent": "filesystem",
        "motivating_hypothesis": "hyp-1",
        "expected_evidence_type": "supports",
        **changed,
    }
    return decisions.propose(**values)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"motivating_hypothesis": "hyp-9"}, ["hyp-9", "hyp-1", "hyp-2"]),
        ({"source_id": "src-z"}, ["src-z", "src-a", "src-b"]),
        ({"target_agent": "wizard"}, ["wizard", "filesystem", "hypothesis", "timeline"]),
        ({"expected_evidence_type": "proves"}, ["proves", *EDGE_TYPES]),
        ({"expected_evidence_type": "consistent_with"}, ["consistent_with", *EDGE_TYPES]),
    ],
)
def test_a_refusal_names_the_valid_values_and_creates_no_lead(
    state: GraphState, changed: dict[str, str], named: list[str]
) -> None:
    decisions = Decisions(state, ROLES, 1)
    answer = proposed(decisions, **changed)
    assert all(name in answer for name in named)
    assert decisions.leads == []
    assert decisions.refusals == [answer]


@pytest.mark.parametrize("target", ["report", "strategist"])
def test_report_and_strategist_take_no_leads(state: GraphState, target: str) -> None:
    decisions = Decisions(state, ROLES, 1)
    assert "unknown agent" in proposed(decisions, target_agent=target)
    assert decisions.leads == []


def test_every_worker_takes_leads_hypothesis_and_timeline_among_them(state: GraphState) -> None:
    for name, role in ROLES.items():
        if role.worker:
            assert proposed(Decisions(state, ROLES, 1), target_agent=name).startswith("lead-"), name


def test_an_alias_stands_for_its_role(state: GraphState) -> None:
    decisions = Decisions(state, ROLES, 1)
    proposed(decisions, target_agent="hypotheses")
    assert decisions.leads[0].target_agent == "hypothesis"


def test_a_lead_carries_what_the_round_and_the_hypothesis_say(state: GraphState) -> None:
    decisions = Decisions(state, ROLES, 4)
    proposed(decisions, source_id="src-a", rationale="because")
    lead = decisions.leads[0]
    assert (lead.hypothesis_id, lead.motivating_hypothesis, lead.proposed_by) == ("hyp-1", "hyp-1", "strategist")
    assert (lead.round_number, lead.priority, lead.status) == (4, 5, "pending")
    assert lead.context == {"source_id": "src-a", "rationale": "because"}


def test_no_source_means_across_sources(state: GraphState) -> None:
    decisions = Decisions(state, ROLES, 1)
    proposed(decisions)
    assert decisions.leads[0].context["source_id"] == ""


def test_the_fourth_lead_of_a_round_is_refused(state: GraphState) -> None:
    decisions = Decisions(state, ROLES, 1)
    for edge in EDGE_TYPES[:3]:
        assert proposed(decisions, expected_evidence_type=edge).startswith("lead-")
    assert "fourth" in proposed(decisions, expected_evidence_type="weakens")
    assert len(decisions.leads) == 3


def test_a_duplicate_within_the_three_is_told_its_id_even_after_the_third(state: GraphState) -> None:
    decisions = Decisions(state, ROLES, 1)
    ids = [proposed(decisions, expected_evidence_type=edge) for edge in EDGE_TYPES[:3]]
    assert proposed(decisions, expected_evidence_type=EDGE_TYPES[0]) == ids[0]
    assert decisions.refusals == []


@pytest.mark.parametrize("status", ["pending", "assigned"])
def test_an_open_lead_of_another_round_is_returned_and_is_no_new_lead(state: GraphState, status: str) -> None:
    first = Decisions(state, ROLES, 1)
    known = proposed(first)
    state.apply(Event("lead", replace(first.leads[0], status=status).to_dict()))
    second = Decisions(state, ROLES, 2)
    assert proposed(second) == known
    assert (second.leads, second.duplicates, second.refusals) == ([], [known], [])


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_a_finished_lead_may_be_proposed_again(state: GraphState, status: str) -> None:
    first = Decisions(state, ROLES, 1)
    known = proposed(first)
    state.apply(Event("lead", replace(first.leads[0], status=status).to_dict()))
    second = Decisions(state, ROLES, 2)
    assert proposed(second) != known
    assert len(second.leads) == 1


def test_leads_that_differ_in_one_of_the_four_are_not_duplicates(state: GraphState) -> None:
    base = {
        "motivating_hypothesis": "hyp-1",
        "expected_evidence_type": "supports",
        "target_agent": "registry",
        "source_id": "src-a",
    }
    other = {
        "motivating_hypothesis": "hyp-2",
        "expected_evidence_type": "weakens",
        "target_agent": "browser",
        "source_id": "src-b",
    }
    for key in base:
        decisions = Decisions(state, ROLES, 1)
        assert proposed(decisions, **base) != proposed(decisions, **{**base, key: other[key]})
        assert len(decisions.leads) == 2


def test_below_a_tenth_of_a_budget_only_declaring_complete_is_on_offer(state: GraphState) -> None:
    decisions = Decisions(state, ROLES, 1, only_complete=True)
    assert "only declaring complete" in proposed(decisions)
    assert decisions.leads == []
    assert "declared" in decisions.complete("budget_exhausted")
    assert decisions.completed == "budget_exhausted"


@pytest.mark.parametrize("reason", COMPLETE_REASONS)
def test_each_listed_reason_ends_the_investigation(state: GraphState, reason: str) -> None:
    decisions = Decisions(state, ROLES, 1, only_complete=reason == "budget_exhausted")
    decisions.complete(reason, "why")
    assert (decisions.completed, decisions.rationale) == (reason, "why")


@pytest.mark.parametrize("reason", ["", "done", "Other", "marginal_yield_zero "])
def test_a_reason_off_the_list_is_refused_and_ends_nothing(state: GraphState, reason: str) -> None:
    decisions = Decisions(state, ROLES, 1)
    answer = decisions.complete(reason)
    assert all(name in answer for name in COMPLETE_REASONS)
    assert decisions.completed == ""
