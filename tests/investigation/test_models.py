"""Models at work on the house case: they add to what rules found, are checked, fall back, escalate, stop, and replay."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from conftest_house import House
from model_house import few, honest, investigate, model_config, quiet, rows, shown

from wigmore.graph.views import conclusion
from wigmore.investigation.config import read_config
from wigmore.investigation.phases import Investigation
from wigmore.investigation.reasoning import Recording
from wigmore.investigation.workbench import Workbench
from wigmore.ledger import Event
from wigmore.llm.scripted import Asked, Reply, Scripted


def offline(case: Path, **config: Any) -> Investigation:
    with Workbench(case, config=read_config(config)) as bench:
        investigation = few(Investigation(bench, jobs=2))
        investigation.run()
        return investigation


def copy(house: House, to: Path) -> Path:
    shutil.copytree(house.case, to)
    return to


@pytest.fixture
def plain(house: House, tmp_path: Path) -> Investigation:
    """The same case, investigated by rules alone."""
    return offline(copy(house, tmp_path / "plain"))


def verdicts(investigation: Investigation) -> dict[str, str]:
    state = investigation.bench.state
    return {h.id: conclusion(state, h).verdict for h in state.hypotheses.values() if not h.model}


def supported(investigation: Investigation) -> set[str]:
    state = investigation.bench.state
    return {h for h in state.hypotheses if state.status(h) == "supported"}


def test_a_model_adds_to_what_rules_found_and_takes_nothing_away(house: House, plain: Investigation) -> None:
    with Scripted(honest) as server:
        ran = investigate(house.case, model_config(server))
    state, before = ran.bench.state, plain.bench.state
    own = [h for h in state.hypotheses.values() if h.model and not h.innocent]
    assert [h.title for h in own] == ["Another page was fetched"]
    assert supported(ran) == supported(plain) | {own[0].id}
    assert set(before.phenomena) <= set(state.phenomena)
    assert verdicts(ran) == verdicts(plain)
    made = [p for p in state.phenomena.values() if p.model]
    assert {p.title for p in made} == {"A request for other"}
    assert {f.value for p in made for f in p.verified_facts} == {"GET /other HTTP/1.1", "192.0.2.7"}
    assert ran.outcome.models == ""
    assert [s["text"] for n in state.narratives.values() for s in n["sentences"]] == ["A request was logged."]


def test_no_verdict_rests_on_what_a_model_judged(house: House) -> None:
    with Scripted(honest) as server:
        ran = investigate(house.case, model_config(server))
    state = ran.bench.state
    own = next(h for h in state.hypotheses.values() if h.model and not h.innocent)
    assert state.status(own.id) == "supported"
    said = conclusion(state, own)
    assert said.verdict == "open"
    assert any("by rules alone" in reason for reason in said.reasons)


@pytest.mark.parametrize(
    "reply",
    [
        Reply("Nothing."),
        Reply(""),
        Reply(status=500, error="out of order"),
        Reply(raw=b"<html>no JSON</html>"),
        Reply("half a wor", cut=20),
        Reply(refusal="I cannot help with that."),
        Reply(calls=(("no_such_tool", {}),)),
        Reply(calls=(("query_records", '{"artifact": '),)),
        Reply(calls=(("add_phenomenon", {"title": 7}),)),
    ],
    ids=lambda r: (r.text or r.error or r.refusal or str(r.raw) or str(r.calls) or "silence")[:24],
)
def test_what_a_useless_model_answers_leaves_the_case_as_rules_made_it(
    house: House, plain: Investigation, reply: Reply
) -> None:
    with Scripted(lambda _: reply) as server:
        ran = investigate(house.case, model_config(server))
    assert ran.bench.state.graph_hash() == plain.bench.state.graph_hash()
    assert "no usable answer" in ran.outcome.models
    assert all(not row["stands"] and row["why"] for row in ran.bench.state.reasoned.values())


def test_a_replay_ends_with_the_same_graph_and_opens_no_socket(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = copy(house, tmp_path / "again")
    with Scripted(honest) as server:
        config = model_config(server)
        first = investigate(house.case, config)
    with Workbench(house.case, write=False, config=config) as bench:
        recording = Recording(bench.ledger, bench.outputs)

    def none(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", none)
    second = investigate(again, config, recording)
    assert second.bench.state.graph_hash() == first.bench.state.graph_hash()
    assert second.outcome.models == ""
    assert len(second.bench.state.reasoned) == len(first.bench.state.reasoned)


def test_a_replay_over_other_evidence_says_where_it_left_the_recorded_run(house: House, tmp_path: Path) -> None:
    again = copy(house, tmp_path / "again")
    with Scripted(honest) as server:
        config = model_config(server)
        investigate(house.case, config)
    with Workbench(house.case, write=False, config=config) as bench:
        recording = Recording(bench.ledger, bench.outputs)
    recording.known = {k: v for k, v in recording.known.items() if not str(v["task_id"]).startswith("hypotheses:")}
    second = investigate(again, config, recording)
    assert "the replay left the recorded run at hypotheses:" in second.outcome.models


def test_the_next_model_is_asked_where_the_first_is_of_no_use_and_agreement_is_kept(house: House) -> None:
    with Scripted(quiet, models=("small",)) as small, Scripted(honest, models=("large",)) as large:
        ran = investigate(house.case, model_config(small, large))
    rows_ = ran.bench.state.reasoned
    hypothesis = next(r for name, r in rows_.items() if name.startswith("hypotheses:"))
    assert hypothesis["stands"].startswith("large at ")
    assert [t["escalates"] for t in hypothesis["tried"]] == ["it recorded nothing", ""]
    assert hypothesis["agreement"]["jaccard"] == 0.0
    assert all(p.model.startswith("large at ") for p in ran.bench.state.phenomena.values() if p.model)


def test_two_samples_that_differ_bring_in_the_next_model(house: House) -> None:
    def wavering(asked: Asked) -> Reply:
        if "declare_investigation_complete" in asked.tools and asked.body.get("temperature"):
            return Reply(calls=(("declare_investigation_complete", {"reason": "other"}),))
        return honest(asked)

    with Scripted(wavering, models=("small",)) as small, Scripted(honest, models=("large",)) as large:
        ran = investigate(house.case, model_config(small, large, agent={"samples": 2}))
    first = ran.bench.state.reasoned["round:1:model"]
    assert [t["endpoint"].split()[0] for t in first["tried"]] == ["small", "small", "large"]
    assert "two samples differ" in [t["escalates"] for t in first["tried"]]


def test_half_refused_proposals_bring_in_the_next_model(house: House) -> None:
    def careless(asked: Asked) -> Reply:
        if "add_phenomenon" in asked.tools and "query_records" in asked.tools and len(asked.tool_results) < 4:
            cited = [{"invocation_id": "inv-none", "record_id": "rec-none", "fields": ["request"]}]
            given = {
                "title": f"Try {len(asked.tool_results)}",
                "category": "request",
                "interpretation": "",
                "records": cited,
            }
            return Reply(calls=(("add_phenomenon", given),))
        return honest(asked) if "add_phenomenon" not in asked.tools else Reply("Done.")

    with Scripted(careless, models=("small",)) as small, Scripted(honest, models=("large",)) as large:
        ran = investigate(house.case, model_config(small, large))
    triage = [r for name, r in ran.bench.state.reasoned.items() if name.startswith("triage:")]
    assert triage
    assert all("proposals were refused" in r["tried"][0]["escalates"] for r in triage)


def test_a_run_without_a_record_is_asked_once_more_with_recording_alone_on_offer(house: House) -> None:
    with Scripted(quiet) as server:
        investigate(house.case, model_config(server))
        hypothesis = [a for a in server.asked if "add_hypothesis" in a.tools]
    assert set(hypothesis[1].tools) < set(hypothesis[0].tools)
    assert "scan_indicators" in hypothesis[0].tools
    assert "scan_indicators" not in hypothesis[1].tools
    assert "You have not recorded anything yet" in json.dumps(hypothesis[1].messages)


def test_a_call_that_was_made_is_refused_and_a_loop_of_them_ends(house: House) -> None:
    def stuck(asked: Asked) -> Reply:
        return Reply(calls=(("list_phenomena", {}),))

    with Scripted(stuck) as server:
        investigate(house.case, model_config(server))
        longest = max(server.asked, key=lambda a: len(a.tool_results))
    assert "this was asked before" in shown(longest)
    assert len(longest.tool_results) <= 32


def test_an_absence_is_named_by_what_was_looked_for_not_by_what_the_model_says_of_it(house: House) -> None:
    def absent(asked: Asked) -> Reply:
        if "add_phenomenon" not in asked.tools or "query_records" not in asked.tools or len(asked.tool_results) > 1:
            return quiet(asked)
        if not asked.tool_results:
            return Reply(calls=(("query_records", {"artifact": "web.access", "text": "203.0.113.9"}),))
        call = shown(asked).split(" ", 1)[0]
        looked = {"results": [{"invocation_id": call, "row": 0, "name": "result"}], "nothing_found": True}
        said = {
            "title": "The server was never reached",
            "category": "absence",
            "interpretation": "It may be elsewhere.",
        }
        return Reply(calls=(("add_phenomenon", {**said, **looked}),))

    with Scripted(absent) as server:
        ran = investigate(house.case, model_config(server))
    made = [p for p in ran.bench.state.phenomena.values() if p.model]
    assert {p.negative for p in made} == {True}
    assert {p.title for p in made} == {"No record found: query_records, artifact web.access, text 203.0.113.9"}
    assert all(p.interpretation.startswith("The server was never reached.") for p in made)


def test_the_reading_calls_of_one_turn_begin_beside_each_other_and_are_recorded_in_their_order(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wigmore.tools.runner import ToolRunner

    begun: list[int] = []
    begin = ToolRunner.begin

    def noted(self: ToolRunner, name: str, given: dict[str, Any], **where: str) -> None:
        if name == "query_records" and where["source_id"] == "src-one":
            begun.append(given["limit"])
        begin(self, name, given, **where)

    def eager(asked: Asked) -> Reply:
        if "query_records" in asked.tools and not asked.tool_results:
            return Reply(calls=tuple(("query_records", {"artifact": "web.access", "limit": n}) for n in (3, 2, 1)))
        return quiet(asked)

    monkeypatch.setattr(ToolRunner, "begin", noted)
    with Scripted(eager) as server:
        ran = investigate(house.case, model_config(server))
    assert begun[:3] == [3, 2, 1]
    made = [i for i in ran.bench.runner.known.values() if i.tool == "query_records" and i.source_id == "src-one"]
    assert [i.args["limit"] for i in made] == [3, 2, 1]


def test_the_strategist_is_shown_no_text_of_the_evidence(house: House) -> None:
    def curious(asked: Asked) -> Reply:
        if "declare_investigation_complete" not in asked.tools or len(asked.tool_results) > 2:
            return honest(asked) if len(asked.tool_results) < 3 else Reply("Done.")
        known = [r["id"] for r in rows(asked) if str(r.get("id", "")).startswith("ph-")]
        calls = [("list_phenomena", {}), ("search_graph", {"text": "GET"})]
        return Reply(calls=tuple(calls) if not known else tuple(("get_phenomenon", {"id": k}) for k in known[:4]))

    with Scripted(curious) as server:
        investigate(house.case, model_config(server))
        strategist = [a for a in server.asked if "declare_investigation_complete" in a.tools]
    told = json.dumps([a.body for a in strategist])
    assert "not shown here" in told
    for text in ("GET /", "192.0.2.7", "access.log", "A request for other"):
        assert text not in told


def test_a_spent_token_budget_stops_before_the_next_request(house: House) -> None:
    def dear(asked: Asked) -> Reply:
        reply = honest(asked)
        return Reply(reply.text, reply.calls, prompt_tokens=600, completion_tokens=100)

    with Scripted(dear) as server:
        ran = investigate(house.case, model_config(server, budgets={"tokens_total": 2000}))
        assert len(server.asked) <= 4  # two tasks beside each other may each have one on its way
    assert ran.outcome.budget == "tokens"
    assert 2000 <= ran.bench.asked.tokens < 2000 + 2 * 700


def test_a_lead_has_budgets_of_its_own(house: House) -> None:
    with Scripted(honest) as server:
        ran = investigate(house.case, model_config(server, budgets={"lead_tokens_max": 1}))
    leads = [r for name, r in ran.bench.state.reasoned.items() if name.startswith("lead-")]
    assert leads
    assert {t["reason"] for r in leads for t in r["tried"]} == {"budget spent: lead_tokens"}
    assert ran.outcome.budget == ""


def test_below_a_tenth_of_a_budget_only_completing_is_on_offer(house: House) -> None:
    spent = 0

    def near(asked: Asked) -> Reply:
        nonlocal spent
        reply = honest(asked)
        here = 950 if not spent else 1  # the first answer leaves less than a tenth
        spent += here
        return Reply(reply.text, reply.calls, prompt_tokens=here, completion_tokens=1)

    with Scripted(near) as server:
        ran = investigate(house.case, model_config(server, budgets={"tokens_total": 1050}))
        strategist = [a for a in server.asked if "declare_investigation_complete" in a.tools]
    assert strategist
    assert all("propose_lead" not in a.tools for a in strategist)
    assert ran.bench.state.rounds["round-001"].strategist_action == "declare_complete"


class Cut(BaseException):
    """Stands for a kill."""


def cut(case: Path, config: Any, after: int) -> bool:
    """Run until `after` batches are committed, then stop as a kill would; False when the run ended before."""
    from wigmore.investigation.reasoning import Reasoning, endpoints_of

    with Workbench(case, config=config) as bench:
        append, count = bench.append, 0

        def limited(events: Iterable[Event]) -> None:
            nonlocal count
            if count == after:
                raise Cut
            append(events)
            count += 1

        bench.append = limited  # type: ignore[method-assign]
        try:
            few(Investigation(bench, jobs=1, reasoning=Reasoning(bench, endpoints_of(bench.config)))).run()
        except Cut:
            return True
        return False


def test_a_run_with_a_model_that_is_cut_anywhere_goes_on_and_loses_no_lead(house: House, tmp_path: Path) -> None:
    with Scripted(honest) as server:
        config = model_config(server)
        whole = investigate(copy(house, tmp_path / "whole"), config)
        batches, tried = 3, 0
        while True:
            case = copy(house, tmp_path / f"cut-{batches}")
            if not cut(case, config, batches):
                break
            with Workbench(case, write=False, config=config) as bench:
                before = bench.asked.tokens
            resumed = investigate(case, config)
            state = resumed.bench.state
            assert supported(resumed) == supported(whole), f"cut after {batches} commits"
            assert all(x.status in ("completed", "failed") for x in state.leads.values())
            assert all(r.completed_at for r in state.rounds.values())
            assert resumed.bench.asked.tokens >= before
            shutil.rmtree(case)
            batches, tried = batches + 17, tried + 1
    assert tried > 1
