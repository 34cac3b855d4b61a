"""The strategist loop: what a round records, what ends the loop, what stays when it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from conftest_house import (
    DECISIVE,
    ENTRY,
    RULES,
    House,
    indicator,
    probe,
    template,
    with_role,
)

from wigmore.agents.desk import Desk
from wigmore.agents.roles.strategist import candidates
from wigmore.investigation import leads as leads_module
from wigmore.investigation.phases import Investigation
from wigmore.ledger import Event
from wigmore.model.nouns import InvestigationRound, Lead

Opened = Callable[..., Investigation]
ROUND_FIELDS = [
    "id",
    "round_number",
    "started_at",
    "completed_at",
    "strategist_action",
    "leads_proposed",
    "leads_executed",
    "hypothesis_status_snapshot_before",
    "hypothesis_status_snapshot_after",
    "phenomena_count_before",
    "phenomena_count_after",
    "edges_count_before",
    "edges_count_after",
    "decision_rationale",
]


def rounds(investigation: Investigation) -> list[InvestigationRound]:
    return sorted(investigation.bench.state.rounds.values(), key=lambda r: r.round_number)


def leads(investigation: Investigation) -> list[Lead]:
    return sorted(investigation.bench.state.leads.values(), key=lambda x: (x.round_number, x.id))


def entry(investigation: Investigation) -> str:
    return next(h.id for h in investigation.bench.state.hypotheses.values() if h.template == "entry")


def lead_history(investigation: Investigation, lead_id: str) -> list[str]:
    return [e.body["status"] for e in investigation.bench.ledger.events("lead") if e.body["id"] == lead_id]


def proposing(**values: Any) -> Callable[[Desk], None]:
    """A strategist that proposes one lead, differently worded each round, whatever came of the last."""

    def strategist(desk: Desk) -> None:
        decide = desk.config["decide"]
        hypothesis = sorted(desk.state.hypotheses)[0]
        decide.propose(
            "look again", "network", hypothesis, "supports", source_id="src-one", **{"probe": "none", **values}
        )

    return strategist


def test_a_round_has_exactly_the_fields_of_the_specification() -> None:
    assert [f.name for f in fields(InvestigationRound)] == ROUND_FIELDS


def test_the_loop_opens_dispatches_judges_closes_and_then_declares(opened: Opened) -> None:
    investigation = opened()
    outcome = investigation.run()
    first, *_, last = rounds(investigation)
    assert (first.id, first.round_number, first.strategist_action) == ("round-001", 1, "propose_leads")
    assert first.leads_executed == first.leads_proposed and len(first.leads_proposed) == 3
    assert first.started_at and first.completed_at
    assert first.new_phenomena_count == 4  # /first on both servers, /second and /third on one
    assert first.new_edges_count == 5  # and the receipted absence of /third on the other, which counts as an edge only
    assert first.hypothesis_status_snapshot_before[entry(investigation)] == "active"
    assert first.hypothesis_status_snapshot_after[entry(investigation)] == "supported"
    assert first.status_flips == 1
    assert "expected |Δ|" in first.decision_rationale
    assert last.strategist_action == "declare_complete"
    assert last.decision_rationale.startswith("coverage_saturated: no lead is left with a positive expected change")
    assert outcome.stop == last.decision_rationale
    assert {x.status for x in leads(investigation)} == {"completed"}


def test_an_open_round_is_recorded_before_its_strategist_speaks(opened: Opened) -> None:
    investigation = opened()
    seen: list[InvestigationRound] = []

    def strategist(desk: Desk) -> None:
        seen.extend(desk.state.rounds.values())
        desk.config["decide"].complete("other", "enough")

    with_role(investigation, "strategist", strategist)
    investigation.run()
    assert [(r.id, r.completed_at, r.strategist_action) for r in seen] == [("round-001", "", "")]
    assert rounds(investigation)[0].decision_rationale == "other: enough"


def test_closing_a_round_is_idempotent(opened: Opened) -> None:
    investigation = opened()
    investigation.run()
    bench, closed = investigation.bench, rounds(investigation)[0]
    bench.append([Event("round", replace(closed, strategist_action="no_leads", decision_rationale="again").to_dict())])
    assert bench.state.rounds[closed.id] == closed


def test_a_lead_is_assigned_before_its_worker_starts_and_completed_after(opened: Opened) -> None:
    investigation = opened()
    seen: list[str] = []
    original = investigation._work

    def watched(lead: Lead) -> Any:
        seen.append(lead_history(investigation, lead.id)[-1])
        return original(lead)

    investigation._work = watched  # type: ignore[method-assign]
    investigation.run()
    assert set(seen) == {"assigned"}
    assert all(lead_history(investigation, x.id) == ["pending", "assigned", "completed"] for x in leads(investigation))


def test_invocations_phenomena_and_edges_name_the_lead_that_led_to_them(opened: Opened) -> None:
    investigation = opened()
    investigation.run()
    state, known = investigation.bench.state, {x.id for x in leads(investigation)}
    made = [p for p in state.phenomena.values() if p.rule != "h.seed"]
    assert made and {p.lead_id for p in made} <= known
    assert {e.lead_id for e in state.edges.values() if e.phenomenon_id in {p.id for p in made}} <= known
    probing = [
        i
        for i in investigation.bench.runner.known.values()
        if i.tool == "match_indicator" and i.args["rule"] != "h.seed"
    ]
    assert probing and {i.lead_id for i in probing} <= known


def test_the_strategist_that_declares_at_once_closes_its_own_leads_with_the_reason(opened: Opened) -> None:
    investigation = opened()

    def strategist(desk: Desk) -> None:
        proposing()(desk)
        desk.config["decide"].complete("other", "changed my mind")

    with_role(investigation, "strategist", strategist)
    investigation.run()
    only = leads(investigation)[0]
    assert (only.status, only.context["failure_reason"]) == ("failed", "other: changed my mind")
    assert lead_history(investigation, only.id) == ["failed"]  # neither dispatched nor retried
    assert rounds(investigation)[0].strategist_action == "declare_complete"


def test_duplicates_only_are_no_leads_and_end_the_loop(opened: Opened) -> None:
    investigation = opened()
    investigation.triage()
    investigation.hypothesise()
    held = Lead(
        "lead-held",
        "network",
        "held elsewhere",
        status="assigned",
        motivating_hypothesis=sorted(investigation.bench.state.hypotheses)[0],
        expected_evidence_type="supports",
        proposed_by="strategist",
        context={"source_id": "src-one", "probe": "none"},
    )
    with_role(investigation, "strategist", proposing())
    investigation._repair()
    investigation.bench.append([Event("lead", held.to_dict())])
    assert investigation._round()[0]
    assert rounds(investigation)[0].strategist_action == "no_leads"
    assert "lead-held" in rounds(investigation)[0].decision_rationale


def test_a_strategist_that_fails_ends_the_loop_and_what_follows_still_runs(opened: Opened) -> None:
    investigation = opened()

    def strategist(desk: Desk) -> None:
        raise RuntimeError("the model answered nonsense")

    with_role(investigation, "strategist", strategist)
    outcome = investigation.run()
    only = rounds(investigation)[0]
    assert (only.strategist_action, only.decision_rationale) == (
        "strategist_failed",
        "RuntimeError: the model answered nonsense",
    )
    assert "strategist" in outcome.failed_roles
    state = investigation.bench.state
    assert any(t.startswith("timeline:") for t in state.tasks_done)
    assert "active" not in state.statuses().values()  # what stayed open was marked inconclusive


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_so_many_rounds_without_yield_in_a_row_end_the_loop(opened: Opened, stop: int) -> None:
    investigation = opened(strategist={"hard_stop_marginal_yield_zero_rounds": stop})
    investigation.triage()
    investigation.hypothesise()
    with_role(investigation, "network", lambda desk: None)
    with_role(investigation, "strategist", proposing())
    investigation.investigate()
    assert [r.strategist_action for r in rounds(investigation)] == ["propose_leads"] * stop
    assert investigation.outcome.stop == f"{stop} rounds in a row brought nothing"


def test_any_yield_resets_the_count_of_empty_rounds(opened: Opened) -> None:
    investigation = opened(strategist={"hard_stop_marginal_yield_zero_rounds": 2})
    plan = iter([None, "first", None, None, None])

    def strategist(desk: Desk) -> None:
        name = next(plan)
        desk.config["decide"].propose(
            "look",
            "network",
            entry(investigation),
            "supports",
            probe=name or "none",
            sources=["src-one"],
            **({} if name else {"source_id": "src-one"}),
        )

    with_role(investigation, "strategist", strategist)
    investigation.triage()
    with_role(investigation, "network", lambda desk: None)
    investigation.hypothesise()
    investigation.investigate()
    yields = [r.new_phenomena_count + r.new_edges_count + r.status_flips for r in rounds(investigation)]
    assert [y > 0 for y in yields] == [False, True, False, False]
    assert "2 rounds in a row" in investigation.outcome.stop


def test_the_most_rounds_bound_the_loop(opened: Opened) -> None:
    investigation = opened(strategist={"max_rounds": 2, "hard_stop_marginal_yield_zero_rounds": 0})
    investigation.triage()
    investigation.hypothesise()
    with_role(investigation, "network", lambda desk: None)
    with_role(investigation, "strategist", proposing())
    investigation.investigate()
    assert len(rounds(investigation)) == 2
    assert investigation.outcome.stop == "the most rounds (2) were used"


def test_a_budget_spent_in_a_round_lets_the_round_finish(opened: Opened) -> None:
    investigation = opened()
    investigation.triage()
    investigation.hypothesise()
    bench = investigation.bench
    # three views of the strategist bring the calls to just below nine tenths, so that leads are still on offer
    cap = (len(bench.runner.known) + 3) * 2
    bench.config = replace(bench.config, budgets=replace(bench.config.budgets, tool_calls_total=cap))
    spend = investigation._work

    def spending(lead: Lead) -> Any:
        while len(bench.runner.known) < cap:
            bench.runner.call("graph_overview", {}, source_id="", agent="network", task_id="spend")
        return spend(lead)

    investigation._work = spending  # type: ignore[method-assign]
    investigation.investigate()
    first = rounds(investigation)[0]
    assert len(rounds(investigation)) == 1
    assert first.strategist_action == "propose_leads" and first.leads_executed == first.leads_proposed
    assert investigation.outcome.budget == "tool_calls"
    assert "tool_calls" in investigation.outcome.stop


def test_a_cap_reached_exactly_is_spent(opened: Opened) -> None:
    investigation = opened()
    bench = investigation.bench
    investigation.triage()
    used = len(bench.runner.known)
    bench.config = replace(bench.config, budgets=replace(bench.config.budgets, tool_calls_total=used))
    assert bench.exceeded() == "tool_calls"
    bench.config = replace(bench.config, budgets=replace(bench.config.budgets, tool_calls_total=used + 1))
    assert bench.exceeded() == ""
    assert bench.nearly_spent()


def test_the_rounds_cap_is_shown_and_not_enforced(opened: Opened) -> None:
    investigation = opened(budgets={"strategist_rounds_max": 0})
    assert investigation.bench.budget()["strategist_rounds"]["cap"] == 0
    assert investigation.bench.exceeded() == "" and not investigation.bench.nearly_spent()


def test_below_a_tenth_of_the_calls_the_offline_strategist_declares_the_budget_exhausted(opened: Opened) -> None:
    investigation = opened()
    investigation.triage()
    investigation.hypothesise()
    bench = investigation.bench
    cap = len(bench.runner.known) + 1
    bench.config = replace(bench.config, budgets=replace(bench.config.budgets, tool_calls_total=cap))
    investigation.investigate()
    assert [r.strategist_action for r in rounds(investigation)] == ["declare_complete"]
    assert rounds(investigation)[0].decision_rationale.startswith("budget_exhausted:")
    assert investigation.outcome.budget
    assert leads(investigation) == []


def test_leads_left_from_triage_go_first(house: House, opened: Opened) -> None:
    investigation = opened()
    investigation.triage()
    investigation.hypothesise()
    waiting = Lead(
        "lead-triage",
        "network",
        "from triage",
        motivating_hypothesis=entry(investigation),
        expected_evidence_type="supports",
        proposed_by="network",
        context={"source_id": "src-two", "probe": "first"},
    )
    investigation.bench.append([Event("lead", waiting.to_dict())])
    investigation.investigate()
    assert rounds(investigation)[0].leads_executed[0] == "lead-triage"
    assert investigation.bench.state.leads["lead-triage"].status == "completed"


def test_other_agents_leads_are_not_deduplicated(opened: Opened) -> None:
    investigation = opened()
    investigation.triage()
    investigation.hypothesise()
    twins = [
        Lead(
            f"lead-{n}",
            "network",
            "the same",
            motivating_hypothesis=entry(investigation),
            proposed_by="network",
            expected_evidence_type="supports",
            context={"source_id": "src-one", "probe": "first"},
        )
        for n in (1, 2)
    ]
    investigation.bench.append([Event("lead", x.to_dict()) for x in twins])
    investigation.investigate()
    assert {investigation.bench.state.leads[x.id].status for x in twins} == {"completed"}


def test_a_failed_lead_is_retried_once_with_its_reason_kept(opened: Opened) -> None:
    investigation = opened()
    calls: list[bool] = []
    original = investigation._work

    def failing(lead: Lead) -> Any:
        if lead.context.get("probe") != "first":
            return original(lead)
        calls.append(bool(lead.context.get("retry")))
        return [], "IOError: the share went away"

    investigation._work = failing  # type: ignore[method-assign]
    outcome = investigation.run()
    assert calls.count(True) == 1
    broken = [x for x in leads(investigation) if x.status == "failed"]
    assert {x.context["failure_reason"] for x in broken} == {"IOError: the share went away"}
    assert broken[0].context["retry"] is True
    assert outcome.failed_leads == len(broken)


def test_a_lead_that_fails_in_one_source_still_asks_the_others_and_is_not_proposed_again(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    investigation = opened(strategist={"max_rounds": 5})
    real = leads_module.run_probe

    def failing(desk: Desk, template: Any, probe: Any, hypothesis: Any) -> str:
        if (probe.id, desk.source_id) == ("first", "src-one"):
            raise OSError("the share went away")
        return real(desk, template, probe, hypothesis)

    monkeypatch.setattr(leads_module, "run_probe", failing)
    investigation.run()
    asked = [x for x in leads(investigation) if x.context["probe"] == "first"]
    assert [(x.status, x.context["failure_reason"]) for x in asked] == [("failed", "OSError: the share went away")]
    assert lead_history(investigation, asked[0].id).count("failed") == 2  # and was retried once
    probes = {key[1:]: p["outcome"] for key, p in investigation.bench.state.probes.items()}
    assert probes["first", "src-two"] == "found" and ("first", "src-one") not in probes


def test_an_unknown_role_fails_its_lead_with_a_reason(opened: Opened) -> None:
    investigation = opened()
    investigation.bench.append([Event("lead", Lead("lead-x", "wizard", "conjure").to_dict())])
    investigation.investigate()
    stranded = investigation.bench.state.leads["lead-x"]
    assert stranded.status == "failed" and "wizard" in stranded.context["failure_reason"]


def test_a_role_that_fails_thrice_is_stopped_and_the_case_goes_on(opened: Opened) -> None:
    investigation = opened()

    def broken(desk: Desk) -> None:
        raise ValueError("cannot")

    with_role(investigation, "network", broken)
    tasks = [(investigation.roles["network"], f"t{n}", "src-one") for n in range(4)]
    for task in tasks:
        investigation._tasks([task])
    assert investigation.outcome.failed_roles == {"network": "ValueError: cannot"}
    assert sum(e.kind == "task.failed" for e in investigation.bench.ledger.events()) == 3  # the fourth was not tried
    investigation.hypothesise()
    assert any(t.startswith("hypotheses:") for t in investigation.bench.state.tasks_done)


def test_a_failed_task_proposes_nothing_and_is_named(opened: Opened) -> None:
    investigation = opened()
    original = investigation.roles["network"].offline

    def late(desk: Desk) -> None:
        original(desk)
        raise ValueError("after it had proposed")

    with_role(investigation, "network", late)
    investigation.triage()
    assert investigation.bench.state.phenomena == {}
    assert len(investigation.outcome.failed_tasks) == 2


def test_a_new_hypothesis_arises_in_the_loop_only_from_a_lead_to_the_hypothesis_role(
    house: House, opened: Opened
) -> None:
    house.rules(
        [
            *RULES[:1],
            indicator("first", bears_on=[{"template": "late", "edge": "supports", "proposition": "RAN"}]),
            *(indicator(n) for n in ("second", "third")),
        ],
        [ENTRY, template("late", [DECISIVE])],
    )
    investigation = opened()
    investigation.run()
    state = investigation.bench.state
    asked = [x for x in leads(investigation) if x.target_agent == "hypothesis"]
    assert [(x.proposed_by, x.motivating_hypothesis, x.status) for x in asked] == [
        ("strategist", entry(investigation), "completed")
    ]
    late = {h.id for h in state.hypotheses.values() if h.frame == "late"}
    raised = [e.seq for e in investigation.bench.ledger.events("hypothesis") if e.body["id"] in late]
    assigned = next(e.seq for e in investigation.bench.ledger.events("lead") if e.body["id"] == asked[0].id)
    assert len(raised) == 2 and min(raised) > assigned


def test_a_lead_to_the_hypothesis_role_may_raise_one(house: House, opened: Opened) -> None:
    house.rules(
        [
            *RULES[:1],
            indicator("first", bears_on=[{"template": "late", "edge": "supports", "proposition": "RAN"}]),
            *(indicator(n) for n in ("second", "third")),
        ],
        [ENTRY, template("late", [DECISIVE])],
    )
    investigation = opened(strategist={"max_rounds": 2})
    plan = iter([("network", "first"), ("hypothesis", "")])

    def strategist(desk: Desk) -> None:
        target, name = next(plan)
        desk.config["decide"].propose(
            "qualify it", target, entry(investigation), "supports", source_id="src-one", probe=name
        )

    with_role(investigation, "strategist", strategist)
    investigation.run()
    assert "late" in {h.template for h in investigation.bench.state.hypotheses.values()}


def test_nothing_of_a_supported_hypothesis_same_direction_is_sought(house: House, opened: Opened) -> None:
    more = [probe(n, likely=0.6) for n in ("first", "second", "fourth")]
    house.rules([*RULES], [template("entry", [{**DECISIVE, "likely": 0.9}, *more])])
    investigation = opened()
    investigation.triage()
    investigation.hypothesise()
    before = {c.probe.id for c in candidates(investigation.desk("strategist", "x", ""))}
    third = next(c for c in candidates(investigation.desk("strategist", "x", "")) if c.probe.id == "third")
    investigation._dispatch(
        Lead(
            "lead-1",
            "network",
            "",
            motivating_hypothesis=third.hypothesis.id,
            expected_evidence_type="direct_evidence",
            context={"probe": "third", "sources": ["src-one"]},
        )
    )
    state = investigation.bench.state
    assert state.status(third.hypothesis.id) == "supported"
    after = {(c.probe.id, c.sources) for c in candidates(investigation.desk("strategist", "x", ""))}
    assert before == {"first", "second", "third", "fourth"}
    # a second source is still sought, more from the one source is not
    assert all("src-two" in sources for _, sources in after)
