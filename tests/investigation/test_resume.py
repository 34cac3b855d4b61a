"""An investigation cut short at any event goes on to the graph it would have reached, and loses no lead."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from conftest_house import DECISIVE, ENTRY, RULES, House, indicator, probe, seed, template

from wigmore.investigation.config import read_config
from wigmore.investigation.phases import Investigation
from wigmore.investigation.rounds import INTERRUPTED
from wigmore.investigation.workbench import Workbench
from wigmore.ledger import Event
from wigmore.model.nouns import InvestigationRound, Lead

# order matters here: once `third` is found nothing more is sought for `entry`, so what a round holds decides what is probed
TEMPLATES = [
    template("entry", [probe("first"), probe("second"), probe("fourth"), DECISIVE]),
    template(
        "theft",
        [
            probe("second", "direct_evidence"),
            probe("never", disconfirming=True, if_empty="weakens"),
            probe("first"),
            probe("fourth"),
        ],
    ),
]
NAMES = ("first", "second", "third", "fourth", "never")


class Cut(BaseException):
    """Stands for a kill: no handler of the product takes it for an error of its own."""


def finish(case: Path, **config: object) -> Investigation:
    with Workbench(case, config=read_config(config)) as bench:
        investigation = Investigation(bench, jobs=2)
        investigation.run()
        return investigation


def cut(case: Path, after: int, **config: object) -> bool:
    """Run until `after` batches are committed, then stop as a kill would; False when the run ended before."""
    with Workbench(case, config=read_config(config)) as bench:
        append, count = bench.append, 0

        def limited(events: Iterable[Event]) -> None:
            nonlocal count
            if count == after:
                raise Cut
            append(events)
            count += 1

        bench.append = limited  # type: ignore[method-assign]
        try:
            Investigation(bench, jobs=1).run()
        except Cut:
            return True
        return False


@pytest.fixture
def entangled(house: House) -> House:
    house.rules([seed("entry", "theft"), *(indicator(n) for n in NAMES)], TEMPLATES)
    return house


@pytest.mark.parametrize(
    ("strategist", "step"),
    [
        ({}, 2),
        ({"enabled": False}, 4),
        ({"max_rounds": 1}, 3),
        ({"max_rounds": 2, "hard_stop_marginal_yield_zero_rounds": 1}, 4),
    ],
    ids=["strategist", "fixed rounds", "one round at most", "no empty round"],
)
def test_a_cut_after_any_commit_leads_to_the_same_graph(
    entangled: House, tmp_path: Path, strategist: dict[str, object], step: int
) -> None:
    config = {"strategist": strategist}
    whole = tmp_path / "whole"
    shutil.copytree(entangled.case, whole)
    wanted = finish(whole, **config).bench.state.graph_hash()
    batches = 0
    while True:
        case = tmp_path / f"cut-{batches}"
        shutil.copytree(entangled.case, case)
        if not cut(case, batches, **config):
            break
        resumed = finish(case, **config)
        state = resumed.bench.state
        assert state.graph_hash() == wanted, f"cut after {batches} commits"
        assert all(x.status in ("completed", "failed") for x in state.leads.values())
        assert all(x.context.get("retry") for x in state.leads.values() if x.status == "failed")
        assert all(r.completed_at for r in state.rounds.values())
        shutil.rmtree(case)
        batches += step
    assert batches > 12


def test_an_open_round_is_closed_as_interrupted_and_keeps_its_number(house: House) -> None:
    with house.open() as bench:
        investigation = Investigation(bench)
        investigation.triage()
        investigation.hypothesise()
        hypothesis = sorted(bench.state.hypotheses)[0]
        done, cut_short, waiting = (
            Lead(
                f"lead-{s}",
                "network",
                s,
                status=s,
                motivating_hypothesis=hypothesis,
                round_number=1,
                expected_evidence_type="supports",
                proposed_by="strategist",
                context={"sources": ["src-one"], "probe": p},
            )
            for s, p in (("completed", "first"), ("assigned", "second"), ("pending", "third"))
        )
        bench.append(
            [Event("lead", x.to_dict()) for x in (done, cut_short, waiting)]
            + [
                Event(
                    "round",
                    InvestigationRound(
                        "round-001", 1, "2026-01-01T00:00:00Z", leads_proposed=(done.id, cut_short.id, waiting.id)
                    ).to_dict(),
                )
            ]
        )
        investigation._repair()
        repaired, leads = bench.state.rounds["round-001"], bench.state.leads
        assert (repaired.strategist_action, repaired.round_number) == ("interrupted_resume", 1)
        assert repaired.completed_at
        assert repaired.leads_executed == ("lead-completed",)
        assert "1 assigned leads" in repaired.decision_rationale
        assert leads["lead-completed"] == done
        assert (leads["lead-assigned"].status, leads["lead-assigned"].context["failure_reason"]) == (
            "failed",
            INTERRUPTED,
        )
        assert leads["lead-pending"].status == "pending"
        investigation.investigate()
        assert [r.round_number for r in sorted(bench.state.rounds.values(), key=lambda r: r.id)][:2] == [1, 2]
        assert bench.state.rounds["round-002"].leads_executed[0] == "lead-pending"  # what was open goes first
        assert bench.state.leads["lead-assigned"].status == "completed"
        assert bench.state.leads["lead-assigned"].context["retry"] is True


def test_a_repaired_round_uses_up_none_of_the_rounds(house: House) -> None:
    with house.open(strategist={"max_rounds": 1}) as bench:
        investigation = Investigation(bench)
        investigation.triage()
        investigation.hypothesise()
        bench.append([Event("round", InvestigationRound("round-001", 1, "2026-01-01T00:00:00Z").to_dict())])
        investigation.investigate()
        assert [r.strategist_action for r in sorted(bench.state.rounds.values(), key=lambda r: r.id)] == [
            "interrupted_resume",
            "propose_leads",
        ]


def test_a_round_of_which_only_the_end_was_not_recorded_is_used(house: House) -> None:
    with house.open(strategist={"max_rounds": 1}) as bench:
        investigation = Investigation(bench)
        investigation.triage()
        investigation.hypothesise()
        done = Lead("lead-done", "network", "x", 5, {"rationale": "why"}, "completed")
        bench.append(
            [
                Event("lead", done.to_dict()),
                Event("round", InvestigationRound("round-001", 1, "t", leads_proposed=(done.id,)).to_dict()),
            ]
        )
        investigation._repair()
        investigation.investigate()
        (only,) = bench.state.rounds.values()
        assert (only.strategist_action, only.leads_executed) == ("propose_leads", (done.id,))
        assert only.decision_rationale == "why"


def test_a_lead_cut_short_in_its_retry_is_due_its_retry_again(house: House) -> None:
    with house.open() as bench:
        investigation = Investigation(bench)
        investigation.triage()
        investigation.hypothesise()
        hypothesis = next(h.id for h in bench.state.hypotheses.values() if h.template == "entry")
        bench.append(
            [
                Event(
                    "lead",
                    Lead(
                        "lead-r",
                        "network",
                        "",
                        status="assigned",
                        motivating_hypothesis=hypothesis,
                        expected_evidence_type="supports",
                        proposed_by="strategist",
                        context={"sources": ["src-one"], "probe": "first", "retry": True},
                    ).to_dict(),
                )
            ]
        )
        investigation.investigate()
        assert bench.state.leads["lead-r"].status == "completed"


def test_a_finished_case_run_again_changes_nothing_of_its_graph(house: House) -> None:
    first = finish(house.case).bench.state
    second = finish(house.case).bench.state
    assert second.graph_hash() == first.graph_hash()
    assert len(second.leads) == len(first.leads)


def test_what_was_marked_inconclusive_stays_so_when_another_case_of_it_comes(house: House) -> None:
    house.rules(RULES, [ENTRY], semantics=[])  # nothing carries anything: all stay open
    state = finish(house.case).bench.state
    assert set(state.statuses().values()) == {"inconclusive"}
    assert state.inconclusive == set(state.hypotheses)
    assert finish(house.case).bench.state.inconclusive == state.inconclusive


def test_touched_sources_survive_a_resume(house: House) -> None:
    live = finish(house.case).bench.state.touched
    with house.open() as bench:
        assert bench.state.touched == live
    assert live == {"src-one": 1, "src-two": 1}
