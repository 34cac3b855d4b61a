"""What a case owes an answer: facts that nothing used are worked off, and what cannot be answered carries its receipt."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from conftest_house import DECISIVE, ENTRY, RULES, House, indicator, probe, template
from test_resume import Cut, finish

from wigmore.agents.unheard import unheard
from wigmore.api import run as run_module
from wigmore.investigation.config import read_config
from wigmore.investigation.obligations import gaps, obligations
from wigmore.investigation.phases import Investigation
from wigmore.investigation.receipts import Looked
from wigmore.investigation.workbench import Workbench
from wigmore.ledger import Event
from wigmore.model.nouns import Coverage, Lead
from wigmore.records.store import Part

Opened = Callable[..., Investigation]
LATE = template("late", [probe("fourth"), probe("never", disconfirming=True, if_empty="weakens")])
BEARS = {"bears_on": [{"template": "late", "edge": "supports", "proposition": "RAN"}]}
LATE_RULES = [RULES[0], indicator("first", **BEARS), *RULES[2:]]


def rows(investigation: Investigation, kind: str) -> list[dict[str, Any]]:
    return [r for r in obligations(investigation.bench) if r["kind"] == kind]


def judging(investigation: Investigation) -> list[Lead]:
    leads = investigation.bench.state.leads.values()
    return sorted((x for x in leads if x.target_agent == "hypothesis"), key=lambda x: x.id)


@pytest.fixture
def late(house: House) -> House:
    """A case in which what a probe finds bears on a hypothesis that triage never raised."""
    house.rules(LATE_RULES, [ENTRY, LATE])
    return house


# facts that nothing used ------------------------------------------------------------------------------------------------


def test_what_a_probe_found_is_judged_once_and_its_hypothesis_is_then_probed(late: House, opened: Opened) -> None:
    investigation = opened()
    investigation.run()
    state = investigation.bench.state
    (lead,) = judging(investigation)
    found = sorted(p.id for p in state.phenomena.values() if p.rule == "h.first")
    assert len(found) == 2 and sorted(lead.context["phenomena"]) == found
    # two observations that support a hypothesis at even odds: 1 + 1/2
    assert lead.context["gain"] == 1.5
    raised = next(h for h in state.hypotheses.values() if h.template == "late")
    assert sorted(e.phenomenon_id for e in state.edges_to(raised.id) if e.lead_id == lead.id) == found
    assert {p for h, p, _ in state.probes if h == raised.id} == {
        "never"
    }  # supported: what would support it is not sought
    assert unheard(investigation.desk("strategist", "test", "")) == []


def test_observations_are_judged_only_when_no_probe_would_change_more(late: House, opened: Opened) -> None:
    investigation = opened()
    investigation.run()
    state = investigation.bench.state
    (lead,) = judging(investigation)
    same_round = [x for x in state.leads.values() if x.round_number == lead.round_number]
    before = [x for x in state.leads.values() if x.round_number < lead.round_number]
    assert same_round == [lead] and before and all(x.context.get("probe") for x in before)


def test_the_lead_judges_the_named_phenomena_for_the_named_template_alone(late: House, opened: Opened) -> None:
    both = {"bears_on": [*BEARS["bears_on"], {"template": "other", "edge": "supports", "proposition": "RAN"}]}
    late.rules([RULES[0], indicator("first", **both), *RULES[2:]], [ENTRY, LATE, template("other", [DECISIVE])])
    investigation = opened()
    investigation.run()
    state = investigation.bench.state
    assert sorted(x.context["template"] for x in judging(investigation)) == ["late", "other"]
    for lead in judging(investigation):
        laid = [e for e in state.edges.values() if e.lead_id == lead.id]
        assert {state.hypotheses[e.hypothesis_id].frame for e in laid} == {lead.context["template"]}
        assert {e.phenomenon_id for e in laid} == set(lead.context["phenomena"])


def test_what_speaks_only_against_a_hypothesis_raises_none(late: House, opened: Opened) -> None:
    against = {"bears_on": [{"template": "late", "edge": "weakens", "proposition": "RAN"}]}
    late.rules([RULES[0], indicator("first", **against), *RULES[2:]], [ENTRY, LATE])
    investigation = opened()
    investigation.run()
    assert judging(investigation) == []
    assert {h.frame for h in investigation.bench.state.hypotheses.values()} == {"entry"}


def test_a_run_again_offers_nothing_twice(late: House) -> None:
    first = finish(late.case).bench.state
    second = finish(late.case).bench.state
    assert second.graph_hash() == first.graph_hash() and len(second.leads) == len(first.leads)


def test_a_cut_after_any_commit_judges_the_same_and_ends(late: House, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(late.case, whole)
    wanted = finish(whole).bench.state.graph_hash()
    batches = 0
    while True:
        case = tmp_path / f"cut-{batches}"
        shutil.copytree(late.case, case)
        if not _cut(case, batches):
            break
        state = finish(case).bench.state
        assert state.graph_hash() == wanted, f"cut after {batches} commits"
        assert all(x.status in ("completed", "failed") for x in state.leads.values())
        shutil.rmtree(case)
        batches += 3
    assert batches > 9


def _cut(case: Path, after: int) -> bool:
    with Workbench(case, config=read_config({})) as bench:
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


def test_a_judging_lead_cut_short_is_made_again_once(late: House) -> None:
    """Its worker was killed: it is failed, proposed again under the next round, retried, and never again."""
    with late.open() as bench:
        investigation = Investigation(bench)
        investigation.run()
        (lead,) = judging(investigation)
        cut = Lead.from_dict({**lead.to_dict(), "status": "assigned"})
        bench.append([Event("lead", cut.to_dict())])
        rounds = len(bench.state.rounds)
        again = Investigation(bench)
        again.investigate()
        assert len(judging(again)) == 2 and {x.status for x in judging(again)} == {"completed"}
        assert len(bench.state.rounds) - rounds == 2  # the one that made it again, and the one that declared complete


def test_probes_owed_at_the_end_may_bring_what_is_then_judged(house: House, opened: Opened) -> None:
    """The gap analysis makes `second`, which no round would: what it finds bears on a hypothesis nothing raised."""
    owed = probe("second", "supports", disconfirming=True, likely=0.0)
    entry = template("entry", [probe("third", "direct_evidence", decisive=True), owed])
    house.rules([*RULES[:2], indicator("second", **BEARS), *RULES[3:]], [entry, LATE])
    investigation = opened()
    investigation.run()
    state = investigation.bench.state
    assert any(x.proposed_by == "gap_analysis" and x.context["probe"] == "second" for x in state.leads.values())
    assert len(judging(investigation)) == 1
    assert any(h.template == "late" for h in state.hypotheses.values())


def test_what_waits_when_the_rounds_are_used_is_open_and_a_gap(late: House, opened: Opened) -> None:
    investigation = opened(strategist={"max_rounds": 1})
    investigation.run()
    (waiting,) = [r for r in rows(investigation, "fact") if r["state"] == "open"]
    assert waiting["count"] == 2 and "expected |Δ| 1.500" in waiting["reason"]
    said = gaps("CASE", obligations(investigation.bench))
    assert any(line.startswith("obligations that are open:") and "1 fact" in line for line in said)


def test_background_is_counted_by_rule_and_what_an_answer_cites_is_used(house: House, opened: Opened) -> None:
    house.rules([*RULES, indicator("other", "triage"), indicator("first", "triage", id="h.again")], [ENTRY])
    investigation = opened()
    investigation.run()
    by_id = {r["id"]: r for r in rows(investigation, "fact")}
    assert by_id["fact:h.other"]["state"] == "done" and by_id["fact:h.other"]["count"] == 1
    assert by_id["fact:h.again"]["count"] == 2
    assert by_id["fact:h.other"]["reason"] == "background: rule h.other bears on no hypothesis"
    state = investigation.bench.state
    cited = next(p for p in state.phenomena.values() if p.rule == "h.other").verified_facts[0].citation.record_id
    investigation.bench.append(
        [Event("question", {"id": "Q1", "ask": "a?", "status": "answered", "citations": [{"record_id": cited}]})]
    )
    assert "fact:h.other" not in {r["id"] for r in rows(investigation, "fact")}


# probes -----------------------------------------------------------------------------------------------------------------


def test_a_supported_hypothesis_owes_its_weighty_probes_with_what_became_of_each(house: House, opened: Opened) -> None:
    impossible = probe("fourth", disconfirming=True, artifacts=["windows.eventlog"], platforms=["windows"])
    house.rules(RULES, [template("entry", [probe("first"), DECISIVE, impossible])])
    investigation = opened()
    investigation.run()
    found, not_possible = sorted(rows(investigation, "probe"), key=lambda r: r["state"])
    assert (found["state"], not_possible["state"]) == ("done", "unanswerable")
    assert found["invocations"] and found["phenomena"] and "src-one: found" in found["reason"]
    assert not_possible["needs"] == ["windows.eventlog", "web.access"]
    assert "no source of this case" in not_possible["reason"]
    assert {r["artifact"] for r in not_possible["coverage"]} == {"web.access"}


def test_a_probe_that_was_not_made_is_open(house: House, opened: Opened) -> None:
    investigation = opened(strategist={"max_rounds": 1})
    investigation.triage()
    investigation.hypothesise()
    investigation._strategist_loop()
    bench = investigation.bench
    for key in [k for k in bench.state.probes if k[1] == "third"]:
        del bench.state.probes[key]
    assert [(r["state"], r["reason"]) for r in rows(investigation, "probe")] == [("open", "not made yet")]


# questions and receipts -------------------------------------------------------------------------------------------------


def cover(artifact: str, outcome: str = "found", **more: Any) -> Coverage:
    return Coverage("src-a", more.pop("path", "f"), artifact, f"{artifact}@1", outcome, more.pop("records", 3), **more)


def reason(coverage: list[Coverage], *needs: str, parts: tuple[Part, ...] = ()) -> str:
    return str(Looked(coverage, parts).receipt(needs)["reason"])


def test_an_artifact_of_no_source_is_named_with_the_reason() -> None:
    row = cover("windows.eventlog", "not_run", reason_code="not_in_acquisition", complete=False)
    said = reason([row, cover("web.access")], "windows.eventlog", "web.access")
    assert said == "cannot say: no windows.eventlog in any source (not in acquisition)"
    assert "no linux.wtmp in any source (no file of the kind was met)" in reason([], "linux.wtmp")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (cover("a", "failed", reason="torn page"), "a could not be read (f: torn page)"),
        (cover("a", complete=False, reason="cut at 5 GB"), "a was read in part (1 of 1; f: cut at 5 GB)"),
        (cover("a", recorder="off"), "a was not recording (f)"),
    ],
    ids=["failed", "incomplete", "not recording"],
)
def test_what_was_not_read_in_full_never_carries_more_than_cannot_say(row: Coverage, words: str) -> None:
    assert reason([row], "a") == f"cannot say: {words}"


def test_a_failed_file_beside_a_good_one_is_a_gap() -> None:
    said = reason([cover("a", path="good"), cover("a", "failed", path="bad", reason="torn")], "a")
    assert said == "cannot say: a was read in part (1 of 2; bad: torn)"


def test_complete_coverage_says_what_was_looked_at_and_that_no_more_is_excluded() -> None:
    said = reason([cover("a"), cover("b", "empty")], "a", "b")
    assert said.startswith("looked at a, b:") and said.endswith("is not excluded") and "cannot say" not in said


def test_records_of_files_of_another_kind_are_there() -> None:
    """A hive's coverage stands under the hive; the devices read from it are in the case all the same."""
    part = Part("p", "src-a", "windows.registry.usb_device", 4, "0", 1)
    expected = cover(
        "windows.registry.usb_device", "not_run", path="", reason_code="not_in_acquisition", complete=False
    )
    said = reason([expected], "windows.registry.usb_device", parts=(part,))
    assert "no windows.registry.usb_device" not in said


def test_a_receipt_sums_the_coverage_by_source_artifact_and_outcome() -> None:
    coverage = [
        cover("a", path="1", covers_from="2026-01-02", covers_to="2026-01-05", recorder="on"),
        cover("a", path="2", covers_from="2026-01-01", covers_to="2026-01-03", recorder="on"),
        cover("a.sub", "failed", path="3", reason="torn", complete=False),
        cover("other"),
    ]
    first, second = Looked(coverage, ()).receipt(["a"])["coverage"]
    assert (first["artifact"], first["files"], first["records"]) == ("a", 2, 6)
    assert (first["covers_from"], first["covers_to"], first["recorder"]) == ("2026-01-01", "2026-01-05", "on")
    assert (second["artifact"], second["outcome"], second["reason"]) == ("a.sub", "failed", "torn")


@pytest.mark.parametrize(
    ("status", "state"),
    [("open", "open"), ("answered", "answered"), ("unanswered", "unanswerable"), ("refused", "unanswerable")],
)
def test_a_question_is_open_until_answered_or_receipted(opened: Opened, status: str, state: str) -> None:
    investigation = opened()
    receipt = {"needs": ["web.access"], "coverage": [], "more": 0, "reason": "looked at web.access"}
    said = {
        "id": "Q1",
        "ask": "what?",
        "status": status,
        "answer": "so",
        "receipt": receipt if status[0] == "u" else {},
    }
    investigation.bench.append([Event("question", said)])
    (row,) = rows(investigation, "question")
    assert row["state"] == state and row["title"] == "what?"
    assert (row["reason"], row["needs"]) == (
        ("looked at web.access", ["web.access"]) if status == "unanswered" else ("so", [])
    )
    assert any("Q1" in line for line in gaps("CASE", [row])) == (state == "unanswerable")


def test_the_sheet_that_was_not_filled_is_one_open_obligation(opened: Opened) -> None:
    (row,) = rows(opened(), "standard")
    assert (row["state"], row["reason"]) == ("open", "it was not filled yet")


def test_a_no_rests_on_coverage_that_is_complete_and_else_cannot_say_carries_the_receipt(
    house: House, opened: Opened
) -> None:
    asked = {
        "id": "X1",
        "ask": "Was /never requested?",
        "shape": "y",
        "from": [
            {
                "artifacts": ["web.access"],
                "where": [{"field": "request", "starts": "GET /never "}],
                "fields": ["request"],
            }
        ],
        "no_rests_on": ["web.access"],
    }
    house.rules(RULES, [ENTRY], questions=[asked, {**asked, "id": "X2", "no_rests_on": ["linux.wtmp"]}])
    investigation = opened()
    bench = investigation.bench
    bench.append([Event("question", {"id": "Q1", "ask": "Which sessions does wtmp record?", "status": "open"})])
    assert run_module._obligations(bench, run_module.Options(), investigation) == []
    no, cannot = sorted(rows(investigation, "standard"), key=lambda r: r["id"])
    assert (no["state"], no["reason"][:12]) == ("answered", "no record of")
    assert no["coverage"] and all(c["complete"] and c["artifact"] == "web.access" for c in no["coverage"])
    assert (cannot["state"], cannot["needs"], cannot["coverage"]) == ("unanswerable", ["linux.wtmp"], [])
    assert cannot["reason"].startswith("cannot say: no linux.wtmp") and cannot["invocations"] == no["invocations"]
    (question,) = rows(investigation, "question")
    recorded = bench.state.questions["Q1"]["receipt"]
    assert question["state"] == "unanswerable" and question["reason"] == recorded["reason"]
    assert "no linux.wtmp in any source" in recorded["reason"]


# lists ------------------------------------------------------------------------------------------------------------------


def test_a_list_that_could_not_be_applied_in_full_says_so(house: House, opened: Opened) -> None:
    (house.case / "words.txt").write_text("passphrase\n", encoding="utf-8")
    text = (house.case / "case.yaml").read_text(encoding="utf-8")
    (house.case / "case.yaml").write_text(text + "keywords: words.txt\n", encoding="utf-8")
    investigation = opened()
    bench = investigation.bench
    (file,) = bench.lists
    (waiting,) = rows(investigation, "list")
    assert (waiting["state"], waiting["id"]) == ("open", f"keywords:{file.name}")
    told = Coverage(
        "src-one", file.name, "lists.keywords", "lists.keywords", "found", 1, "all", file_sha256=file.sha256
    )
    bench.append([Event("coverage", {"id": "c1", "rows": [told.to_dict()]})])
    assert rows(investigation, "list")[0]["state"] == "done"
    short = {**told.to_dict(), "source_id": "src-two", "complete": False, "reason": "2 could not be used"}
    bench.append([Event("coverage", {"id": "c2", "rows": [short]})])
    (row,) = rows(investigation, "list")
    assert (row["state"], row["reason"]) == ("unanswerable", "2 could not be used")
