"""The fixed-round loop, configured hypotheses, areas, questions, negative findings, entities across the phases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from conftest_house import ENTRY, RULES, House, indicator, probe, seed, template, with_role

from wigmore.agents.templates import TemplateError
from wigmore.graph.views import conclusion, matrix
from wigmore.investigation.covered import eras
from wigmore.investigation.phases import Investigation
from wigmore.investigation.workbench import Workbench
from wigmore.ledger import Event
from wigmore.model.nouns import Coverage, Lead
from wigmore.reports.data import report_data

Opened = Callable[..., Investigation]


def kinds(bench: Workbench) -> list[str]:
    return [e.kind for e in bench.ledger.events()]


def test_the_fixed_round_loop_opens_no_round(opened: Opened) -> None:
    investigation = opened(strategist={"enabled": False})
    outcome = investigation.run()
    assert investigation.bench.state.rounds == {}
    assert {x.status for x in investigation.bench.state.leads.values()} == {"completed"}
    assert outcome.stop in ("no lead is pending", "all hypotheses converged")


def test_the_fixed_round_loop_stops_when_all_hypotheses_have_converged(house: House, opened: Opened) -> None:
    house.rules(
        RULES,
        [
            template("entry", [probe("third", "direct_evidence", decisive=True, disconfirming=True)], prior=0.05)
            | {"alternatives": [{"id": "upkeep", "title": "upkeep", "description": "", "prior": 0.05}]}
        ],
    )
    investigation = opened(strategist={"enabled": False})
    outcome = investigation.run()
    assert outcome.stop == "all hypotheses converged"


def test_the_fixed_rounds_are_bounded_by_their_own_key(opened: Opened) -> None:
    investigation = opened(strategist={"enabled": False}, max_investigation_rounds=0)
    assert investigation.run().stop == "the fixed rounds (0) were used"
    assert investigation.bench.state.leads == {}


def test_without_a_strategist_role_the_fixed_round_loop_runs(opened: Opened) -> None:
    investigation = opened()
    investigation.roles = {n: r for n, r in investigation.roles.items() if n != "strategist"}
    investigation.run()
    assert investigation.bench.state.rounds == {}
    assert investigation.bench.state.leads


def test_the_fixed_round_loop_dispatches_triage_leads_too(opened: Opened) -> None:
    investigation = opened(strategist={"enabled": False})
    investigation.triage()
    investigation.hypothesise()
    hypothesis = next(h.id for h in investigation.bench.state.hypotheses.values() if h.template == "entry")
    investigation.bench.append(
        [
            Event(
                "lead",
                Lead(
                    "lead-t",
                    "network",
                    "",
                    motivating_hypothesis=hypothesis,
                    proposed_by="network",
                    context={"source_id": "src-two", "probe": "first"},
                ).to_dict(),
            )
        ]
    )
    investigation.investigate()
    assert investigation.bench.state.leads["lead-t"].status == "completed"


def test_configured_hypotheses_replace_generation(opened: Opened) -> None:
    investigation = opened(
        hypotheses=[{"title": "Design files left by mail", "description": "as alleged", "prior_prob": 0.3}]
    )
    investigation.run()
    made = list(investigation.bench.state.hypotheses.values())
    assert [(h.title, h.description, h.prior_prob) for h in made] == [("Design files left by mail", "as alleged", 0.3)]
    assert investigation.bench.state.log_odds(made[0].id) == pytest.approx(-0.368)


def test_configured_hypotheses_are_registered_once(opened: Opened) -> None:
    investigation = opened(hypotheses=[{"title": "one"}])
    investigation.hypothesise()
    investigation.hypothesise()
    assert kinds(investigation.bench).count("hypothesis") == 1


def test_configured_areas_are_kept_and_a_derived_one_only_adds(opened: Opened) -> None:
    investigation = opened(
        investigation_areas=[
            {
                "area": "entry",
                "description": "mine",
                "agent": "media",
                "priority": 9,
                "keywords": ["a"],
                "tools": ["query_records"],
            }
        ]
    )
    investigation.run()
    areas = investigation.bench.state.areas
    assert set(areas) == {"entry"}
    kept = areas["entry"]
    assert (kept.description, kept.agent, kept.priority, kept.origin) == ("mine", "media", 9, "config")
    assert "a" in kept.keywords and "query_records" in kept.tools


def test_areas_are_derived_from_hypotheses_once(opened: Opened) -> None:
    investigation = opened()
    investigation.run()
    assert {a.area: a.origin for a in investigation.bench.state.areas.values()} == {"entry": "derived"}
    investigation.hypothesise()
    assert kinds(investigation.bench).count("area") == 1


def test_the_cases_questions_are_open_obligations(house: House, opened: Opened) -> None:
    file = house.case / "case.yaml"
    file.write_text(
        file.read_text(encoding="utf-8") + "questions:\n  - Were files sent?\n  - {id: X7, ask: By whom?}\n",
        encoding="utf-8",
    )
    investigation = opened()
    investigation.run()
    assert {q: v["status"] for q, v in investigation.bench.state.questions.items()} == {"Q1": "open", "X7": "open"}


def test_what_the_case_asks_about_is_looked_into_though_nothing_speaks_for_it(house: House, opened: Opened) -> None:
    never = probe("never", disconfirming=True, if_empty="weakens")
    elsewhere = {**probe("never"), "id": "elsewhere", "artifacts": ["windows.prefetch"], "rules": ["h.elsewhere"]}
    house.rules(
        [*RULES[1:], indicator("elsewhere", artifacts=["windows.prefetch"])],
        [
            template("sent", [never], asks=[r"files\b.*\bsent"]),
            template("printed", [never], asks=["print"]),
            template("started", [{**elsewhere, "disconfirming": True}], asks=["sent"]),
            template("each", [never], asks=["sent"], per="source"),
            template("contact", [never], asks=["sent"], per="subject"),
        ],
    )
    file = house.case / "case.yaml"
    asks = "Were files SENT to +44 7700 900123, or to A.Lind@example.org?"
    file.write_text(file.read_text(encoding="utf-8") + f"questions:\n  - {asks}\n", encoding="utf-8")
    investigation = opened()
    investigation.run()
    state = investigation.bench.state
    asked = {(h.template, h.subject): h for h in state.hypotheses.values() if not h.innocent}
    # nothing here could tell of `started`
    parties = {("contact", "+447700900123"), ("contact", "a.lind@example.org")}
    assert set(asked) == {("sent", ""), ("each", "one"), ("each", "two"), *parties}
    of_mail = {p["outcome"] for (h, _, _), p in state.probes.items() if h == asked["contact", "a.lind@example.org"].id}
    assert of_mail == {"cannot_say"}  # mail is not among what the probe looks at
    sent = asked["sent", ""]
    assert {p["outcome"] for (h, _, _), p in state.probes.items() if h == sent.id} == {"empty"}
    assert state.confidence(sent.id) < sent.prior_prob and conclusion(state, sent).verdict == "open"


def test_an_absence_with_coverage_is_a_negative_phenomenon_and_weakens(house: House, opened: Opened) -> None:
    house.rules(RULES, [template("entry", [probe("never", disconfirming=True, if_empty="weakens")])])
    investigation = opened()
    investigation.run()
    state = investigation.bench.state
    negative = [p for p in state.phenomena.values() if p.negative]
    assert len(negative) == 2 and {p.source_id for p in negative} == {"src-one", "src-two"}
    assert {f.citation.kind for p in negative for f in p.verified_facts} == {"empty"}
    main = next(h.id for h in state.hypotheses.values() if h.template == "entry")
    assert sorted(e.edge_type for e in state.edges_to(main)) == ["prerequisite_met", "weakens", "weakens"]
    first = next(iter(state.rounds.values()))
    assert (first.new_phenomena_count, first.new_edges_count) == (0, 2)  # the absences themselves are no yield


def test_an_absence_in_one_source_weighs_nothing_once_another_holds_the_thing(house: House, opened: Opened) -> None:
    house.rules(RULES, [template("entry", [probe("fourth", disconfirming=True, if_empty="weakens")])])
    investigation = opened()
    investigation.run()
    state = investigation.bench.state
    main = next(h.id for h in state.hypotheses.values() if h.template == "entry")
    outcomes = {(s, p["outcome"]) for (h, _, s), p in state.probes.items() if h == main}
    assert outcomes == {("src-one", "empty"), ("src-two", "found")}
    laid = {e.edge_type for e in state.edges.values() if e.hypothesis_id == main}
    assert laid == {"prerequisite_met", "supports", "weakens"}  # what was recorded stays
    assert {e.edge_type for e in state.edges_to(main)} == {"prerequisite_met", "supports"}
    assert state.log_odds(main) == 1.5  # prior 0.5, half a point and a whole one
    log = state.logs[main]
    assert [b["old_log_odds"] for b in log[1:]] == [a["new_log_odds"] for a in log[:-1]]  # every change is told
    assert log[-1]["new_log_odds"] == 1.5
    absent = next(p.id for p in state.phenomena.values() if p.negative)
    told = next(h for h in report_data(state, investigation.bench.store, [], {}).hypotheses if h["id"] == main)["edges"]
    assert {e["phenomenon_id"] for e in told if not e["bears"]} == {absent}
    assert absent not in {row["phenomenon_id"] for row in matrix(state)["rows"]}


def test_what_one_way_of_an_act_lacks_weighs_nothing_where_another_was_taken(house: House, opened: Opened) -> None:
    never = probe("never", disconfirming=True, if_empty="weakens", unless=["first"])
    tried = probe("third", "weakens", disconfirming=True, unless=["first"])
    house.rules(RULES, [template("entry", [never, tried, probe("first", likely=0.1, cost=9.0)], prior=0.05)])
    investigation = opened()
    investigation.run()
    state = investigation.bench.state
    main = next(h.id for h in state.hypotheses.values() if h.template == "entry")
    made = {(p["probe"], p["outcome"]) for (h, _, _), p in state.probes.items() if h == main}
    assert {("never", "empty"), ("third", "found"), ("first", "found")} <= made
    laid = sorted(e.edge_type for e in state.edges.values() if e.hypothesis_id == main)
    assert "weakens" in laid and "weakens" not in {e.edge_type for e in state.edges_to(main)}


def test_a_way_that_no_probe_asks_for_is_refused(house: House, opened: Opened) -> None:
    house.rules(RULES, [template("entry", [probe("never", disconfirming=True, unless=["elsewhere"])])])
    with pytest.raises(TemplateError, match="no rule elsewhere"):
        opened()


def test_without_coverage_the_answer_is_cannot_say(house: House, opened: Opened) -> None:
    house.rules(RULES, [template("entry", [probe("never", disconfirming=True, if_empty="weakens")])])
    investigation = opened()
    bench = investigation.bench
    whole = list(bench.coverage)
    investigation.triage()
    investigation.hypothesise()
    hypothesis = next(h.id for h in bench.state.hypotheses.values() if h.template == "entry")
    for change, why in (
        ({"complete": False, "reason": "cut"}, "incomplete (cut)"),
        ({"outcome": "failed", "reason": "torn"}, "could not be read (torn)"),
        ({"recorder": "off"}, "its recorder was off"),
    ):
        bench.coverage[:] = [replace(c, **change) if c.artifact == "web.access" else c for c in whole]
        investigation._dispatch(
            Lead(
                f"lead-{why[:3]}",
                "network",
                "",
                motivating_hypothesis=hypothesis,
                context={"source_id": "src-one", "probe": "never"},
            )
        )
        made = bench.state.probes[hypothesis, "never", "src-one"]
        assert (made["outcome"], why in made["reason"]) == ("cannot_say", True)
        assert not any(p.negative for p in bench.state.phenomena.values())


def probes(investigation: Investigation) -> dict[tuple[str, str], str]:
    """What each probe came to, by its name and source."""
    return {(p["probe"], p["source_id"]): p["outcome"] for p in investigation.bench.state.probes.values()}


def test_what_a_probe_finds_outside_the_period_alone_is_context_and_not_found(house: House, opened: Opened) -> None:
    file = house.case / "case.yaml"
    scope = "scope: {from: 2026-03-03T00:00:00Z, to: 2026-03-03T10:03:00Z}\n"  # the third request comes at 10:03
    file.write_text(file.read_text(encoding="utf-8") + scope, encoding="utf-8")
    investigation = opened()
    investigation.run()
    state, made = investigation.bench.state, probes(investigation)
    assert (made["second", "src-one"], made["third", "src-one"]) == ("found", "empty")
    late = next(p for p in state.phenomena.values() if p.rule == "h.third")
    assert {e.edge_type for e in state.edges.values() if e.phenomenon_id == late.id} == {"consistent_with"}
    main = next(h for h in state.hypotheses.values() if h.template == "entry")
    assert conclusion(state, main).verdict != "concluded"


def test_a_probe_whose_finds_were_all_refused_has_not_looked_in_vain(house: House, opened: Opened) -> None:
    lying = indicator("third", interpretation="The server 198.51.100.9 logged this request.")
    house.rules([r for r in RULES if r["id"] != "h.third"] + [lying], [ENTRY])
    investigation = opened()
    investigation.run()
    made = probes(investigation)
    assert investigation.bench.ledger.counts()["rejection"]
    assert made["third", "src-one"] == "cannot_say" and made["third", "src-two"] == "empty"


def test_a_probe_of_a_kind_of_record_that_is_not_there_cannot_say(house: House, opened: Opened) -> None:
    house.rules(
        [*RULES, indicator("mail") | {"artifacts": ["mail.message"]}],
        [template("entry", [probe("mail", disconfirming=True, artifacts=["mail.message"], if_empty="weakens")])],
    )
    investigation = opened()
    investigation.run()
    assert investigation.bench.state.leads == {}  # nowhere to look: no lead is spent on it
    assert not any(p.negative for p in investigation.bench.state.phenomena.values())


def test_the_timeline_orders_only_known_instants(opened: Opened) -> None:
    investigation = opened()
    investigation.run()
    state = investigation.bench.state
    for edge in state.temporal.values():
        first, second = state.phenomena[edge.first].occurred_at, state.phenomena[edge.second].occurred_at
        assert first and second and first <= second and first.endswith("Z")
    assert state.temporal


def test_triage_only_stops_after_phase_one(opened: Opened) -> None:
    investigation = opened()
    assert investigation.run(triage_only=True).stop == "triage only"
    assert investigation.bench.state.phenomena and not investigation.bench.state.hypotheses


def test_every_role_that_triages_runs_offline_on_records_it_does_not_know(opened: Opened) -> None:
    investigation = opened()
    for name, role in investigation.roles.items():
        if role.sources:
            desk = investigation.desk(name, f"trial:{name}", "src-one")
            assert investigation._run(role, desk) == "", name


def test_tasks_done_are_not_done_again(opened: Opened) -> None:
    investigation = opened()
    investigation.triage()
    calls = len(investigation.bench.runner.known)
    investigation.triage()
    assert len(investigation.bench.runner.known) == calls


def test_a_call_answered_from_the_cache_is_recorded_as_such(opened: Opened) -> None:
    investigation = opened()
    call = investigation.bench.runner.call
    first, second = (
        call("query_records", {"artifact": "web.access"}, source_id="src-one", agent="network", task_id=t).invocation
        for t in ("a", "b")
    )
    assert (first.cache_hit, second.cache_hit) == (False, True)
    assert first.output_sha256 == second.output_sha256 and first.id != second.id


def test_a_call_is_audited_with_the_coverage_that_it_saw_not_with_what_came_later(opened: Opened) -> None:
    bench = opened().bench
    call = bench.runner.call("query_records", {}, source_id="src-one", agent="network", task_id="a").invocation
    later = Coverage("src-one", "list.txt", "lists.yara", "lists.yara", "failed", 0, "no rule in it", complete=False)
    bench.append([Event("coverage", {"id": "cov-later", "rows": [later.to_dict()]})])
    (era,) = eras(bench.ledger, {call.id})
    with bench.as_of(era):
        assert bench.coverage and later not in bench.coverage
    assert later in bench.coverage


def test_what_turns_on_the_acquisition_is_looked_at_again_when_the_case_file_states_another(
    house: House, opened: Opened
) -> None:
    file = house.case / "case.yaml"
    text = file.read_text(encoding="utf-8")
    for stated in ("2026-03-04T08:00Z", "2026-02-01T08:00Z"):  # the requests are of 3 March
        given = f"id: src-one, acquisition: {{at: {stated}}}"
        file.write_text(text.replace("id: src-one", given), encoding="utf-8")
        bench = opened().bench
        asked = {"source_id": "src-one", "agent": "timeline", "task_id": stated}
        call = bench.runner.call("find_implausible_times", {}, **asked)
        assert not call.invocation.cache_hit
        bench.close()
    assert call.invocation.status == "found"


def test_views_of_the_strategist_are_recorded_and_never_cached(opened: Opened) -> None:
    investigation = opened()
    for _ in range(2):
        made = investigation.bench.runner.call(
            "graph_overview", {}, source_id="", agent="strategist", task_id="v"
        ).invocation
        assert not made.cache_hit
    assert made.id in investigation.bench.runner.known


def test_without_semantics_nothing_carries_anything(house: House, opened: Opened) -> None:
    house.rules(RULES, [ENTRY], semantics=[])
    investigation = opened()
    investigation.run()
    state = investigation.bench.state
    assert {e.edge_type for e in state.edges.values() if not state.phenomena[e.phenomenon_id].negative} == {
        "consistent_with"
    }
    assert all(e.capped_from for e in state.edges.values() if e.edge_type == "consistent_with")


def test_two_observations_of_one_event_count_once(house: House, opened: Opened) -> None:
    event = {"event_key": ["client"]}
    house.rules(
        [seed("entry"), *(indicator(n, **event) for n in ("first", "second", "third"))],
        [template("entry", [probe("first"), probe("second", disconfirming=True)])],
    )
    investigation = opened()
    investigation.run()
    state = investigation.bench.state
    main = next(h.id for h in state.hypotheses.values() if h.template == "entry")
    assert sum(e.edge_type == "supports" for e in state.edges_to(main)) == 3
    # /first and /second of one server share an event; the other server's is its own: H(2) + the prerequisite
    assert state.log_odds(main) == pytest.approx(1.5 + 0.5)


def test_a_hypothesis_role_that_fails_is_reported_and_the_rest_runs(opened: Opened) -> None:
    investigation = opened()

    def broken(desk: object) -> None:
        raise KeyError("rule")

    with_role(investigation, "hypothesis", broken)
    outcome = investigation.run()
    assert any(name.startswith("hypotheses:") for name in outcome.failed_tasks)
    assert investigation.bench.state.rounds


def test_a_change_of_any_rule_file_is_another_snapshot(house: House) -> None:
    def snapshot() -> str:
        with house.open() as bench:
            return bench.snapshot()

    house.rules(RULES, [ENTRY])  # indicators/house.yaml and hypotheses/house.yaml: one name, two files
    before = snapshot()
    house.rules(RULES, [{**ENTRY, "title": "another title"}])
    middle = snapshot()
    house.rules([*RULES, indicator("other")], [{**ENTRY, "title": "another title"}])
    assert len({before, middle, snapshot()}) == 3


def test_probes_are_put_again_when_the_rules_are_others_and_answer_anew(house: House, opened: Opened) -> None:
    asked = [template("entry", [probe("never", disconfirming=True, if_empty="weakens")])]
    house.rules(RULES, asked)
    investigation = opened()
    investigation.run()
    state = investigation.bench.state
    main = next(h.id for h in state.hypotheses.values() if h.template == "entry")
    assert {p["outcome"] for (h, _, _), p in state.probes.items() if h == main} == {"empty"}
    low = state.log_odds(main)
    investigation.bench.close()
    wider = [
        {**r, "where": [{"field": "request", "starts": "GET /fourth "}]} if r["id"] == "h.never" else r for r in RULES
    ]
    house.rules(wider, asked)
    again = opened()
    again.run()
    state = again.bench.state
    now = {s: p["outcome"] for (h, _, s), p in state.probes.items() if h == main}
    assert now == {"src-one": "empty", "src-two": "found"}
    assert {e.edge_type for e in state.edges_to(main)} == {"prerequisite_met", "supports"}
    assert state.log_odds(main) > low
    assert {x.status for x in state.leads.values() if x.proposed_by == "asked_anew"} == {"completed"}
    before = len(state.leads)
    again.bench.close()
    third = opened()
    third.run()
    assert len(third.bench.state.leads) == before  # nothing changed since: nothing is put again


def test_probes_are_not_put_again_beyond_the_budget_and_say_so(house: House, opened: Opened) -> None:
    asked = [template("entry", [probe("never", disconfirming=True, if_empty="weakens")])]
    house.rules(RULES, asked)
    first = opened()
    first.run()
    spent = len(first.bench.runner.known)
    first.bench.close()
    house.rules([*RULES, indicator("other")], asked)
    again = opened(budgets={"tool_calls_total": spent})
    assert again.run().budget
    owed = [x for x in again.bench.state.leads.values() if x.proposed_by == "asked_anew"]
    assert owed and {x.status for x in owed} == {"failed"} and all(x.untried for x in owed)
