"""The views that the strategist decides by, over graphs made by hand."""

from __future__ import annotations

import random
from typing import Any

import pytest

from wigmore.graph import views
from wigmore.graph.state import GraphState
from wigmore.ledger import Event
from wigmore.model import belief
from wigmore.model.nouns import (
    Citation,
    Edge,
    EvidenceSource,
    Hypothesis,
    InvestigationRound,
    Lead,
    Phenomenon,
    VerifiedFact,
)


def phenomenon(name: str, source: str = "src-a", **more: Any) -> Phenomenon:
    fact = VerifiedFact(
        f"fact-{name}", "n", name, Citation("field", "inv-1", "0" * 64, f"rec-{name}", "n"), "web.access", "log", {}
    )
    return Phenomenon(name, source, "network", "c", name, (fact,), "", "2026-01-01T00:00:00Z", **more)


def edge(number: int, hypothesis: str, kind: str, source: str = "src-a", **more: Any) -> Edge:
    return Edge(f"edge-{number}", f"ph-{number}", hypothesis, kind, source_id=source, **more)


def graph(*events: tuple[str, Any]) -> GraphState:
    state = GraphState()
    for name in ("src-a", "src-b"):
        state.apply(
            Event("source", EvidenceSource(name, name, "disk_image", "image", "/x", {"platform": "windows"}).to_dict())
        )
    for kind, noun in events:
        state.apply(Event(kind, noun.to_dict()))
    return state


def hypothesis(name: str, prior: float = 0.5, **more: Any) -> tuple[str, Hypothesis]:
    return "hypothesis", Hypothesis(name, f"title of {name}", "", prior, **more)


def observed(number: int, name: str, kind: str, source: str = "src-a", **more: Any) -> list[tuple[str, Any]]:
    return [("phenomenon", phenomenon(f"ph-{number}", source)), ("edge", edge(number, name, kind, source, **more))]


def closed(
    number: int,
    phenomena: int,
    edges: int,
    *,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
    action: str = "propose_leads",
) -> tuple[str, InvestigationRound]:
    return "round", InvestigationRound(
        f"round-{number:03d}", number, "s", "e", action, (), (), before or {}, after or {}, 0, phenomena, 0, edges
    )


# graph_overview --------------------------------------------------------------------------------------------------------


def test_active_hypotheses_come_first_then_those_furthest_from_even() -> None:
    state = graph(
        hypothesis("h-mild"),
        hypothesis("h-strong"),
        hypothesis("h-active"),
        hypothesis("h-lean", 0.6),
        *observed(1, "h-mild", "supports"),
        *observed(2, "h-strong", "direct_evidence"),
    )
    rows = views.graph_overview(state)["hypotheses"]
    assert [r["id"] for r in rows] == ["h-lean", "h-active", "h-strong", "h-mild"]
    assert rows[2] == {
        "id": "h-strong",
        "title": "title of h-strong",
        "L": 2.0,
        "conf": 0.9901,
        "status": "supported",
        "edges_in": 1,
        "distinct_sources": 1,
        "recent_flip": False,
    }


def test_distinct_sources_are_those_of_phenomena_with_an_edge_that_carries_something() -> None:
    state = graph(
        hypothesis("h"),
        *observed(1, "h", "supports"),
        *observed(2, "h", "supports", "src-b"),
        *observed(3, "h", "consistent_with", "src-c"),
    )
    row = views.graph_overview(state)["hypotheses"][0]
    assert (row["edges_in"], row["distinct_sources"]) == (2, 2)


def test_a_flip_is_recent_in_the_last_two_closed_rounds_only() -> None:
    flip = {"before": {"h": "active"}, "after": {"h": "supported"}}
    still = {"before": {"h": "supported"}, "after": {"h": "supported"}}
    opened = ("round", InvestigationRound("round-003", 3, "s"))
    assert views.graph_overview(graph(hypothesis("h"), closed(1, 0, 0, **flip), closed(2, 0, 0, **still), opened))[
        "hypotheses"
    ][0]["recent_flip"]
    assert not views.graph_overview(
        graph(hypothesis("h"), closed(1, 0, 0, **flip), closed(2, 0, 0, **still), closed(3, 0, 0, **still))
    )["hypotheses"][0]["recent_flip"]


def test_twenty_pending_leads_are_shown_and_the_rest_counted() -> None:
    leads = [("lead", Lead(f"lead-{n:02d}", "network", f"d{n}", priority=9 if n == 22 else 5)) for n in range(23)]
    done = ("lead", Lead("lead-zz", "network", "", status="completed"))
    shown = views.graph_overview(graph(*leads, done))
    assert len(shown["pending_leads"]) == 20 and shown["pending_leads_not_shown"] == 3
    assert shown["pending_leads"][0] == {
        "id": "lead-22",
        "from": "",
        "target_agent": "network",
        "for_hypothesis": "",
        "description": "d22",
    }


def test_empty_sections_are_said() -> None:
    shown = views.graph_overview(GraphState())
    assert (shown["hypotheses"], shown["sources"], shown["pending_leads"]) == ("none yet", "none", "none")


def test_sources_show_their_phenomena_and_when_they_were_last_touched() -> None:
    state = graph(
        hypothesis("h"),
        *observed(1, "h", "supports"),
        ("lead", Lead("l", "network", "", status="completed", round_number=2, context={"sources": ["src-b"]})),
    )
    assert views.graph_overview(state)["sources"] == [
        {"id": "src-a", "type": "disk_image", "phenomena": 1, "identities": 0, "last_touched_in_round": 0},
        {"id": "src-b", "type": "disk_image", "phenomena": 0, "identities": 0, "last_touched_in_round": 2},
    ]


def test_the_hint_names_beliefs_that_rest_on_one_source() -> None:
    state = graph(
        hypothesis("h-one"),
        hypothesis("h-two"),
        *observed(1, "h-one", "supports"),
        *observed(2, "h-one", "supports"),
        *observed(3, "h-two", "supports"),
        *observed(4, "h-two", "supports", "src-b"),
    )
    hint = views.graph_overview(state)["hint"]
    assert "title of h-one" in hint and "title of h-two" not in hint


def test_views_change_nothing() -> None:
    state = graph(hypothesis("h"), *observed(1, "h", "supports"), closed(1, 1, 1))
    before = state.graph_hash(), dict(state.leads), dict(state.rounds)
    views.graph_overview(state)
    views.marginal_yield(state)
    views.source_coverage(state, "src-a", [], [])
    views.matrix(state)
    assert (state.graph_hash(), state.leads, state.rounds) == before


# marginal_yield --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("yields", "trend"),
    [
        ([], "no round is closed yet"),
        ([3], "too early"),
        ([0, 0], "zero throughout: declare"),
        ([4, 0], "collapsed to zero"),
        ([10, 4], "decelerating: the last round brought 40 %"),
        ([10, 5], "still active"),
        ([0, 2], "still active"),
    ],
)
def test_the_trend_of_the_yield(yields: list[int], trend: str) -> None:
    state = graph(*(closed(n, y, 0) for n, y in enumerate(yields, 1)))
    assert views.marginal_yield(state)["trend"].startswith(trend)


def test_only_the_last_closed_rounds_are_shown() -> None:
    state = graph(*(closed(n, n, 2 * n) for n in range(1, 5)), ("round", InvestigationRound("round-005", 5, "s")))
    assert views.marginal_yield(state)["rounds"] == [
        {"round": "round-003", "new_phenomena": 3, "new_edges": 6, "status_flips": 0},
        {"round": "round-004", "new_phenomena": 4, "new_edges": 8, "status_flips": 0},
    ]
    assert len(views.marginal_yield(state, 4)["rounds"]) == 4
    assert len(views.marginal_yield(state, 0)["rounds"]) == 1


def test_status_flips_agree_with_the_confidence_log() -> None:
    state = graph(hypothesis("h"))
    before = state.statuses()
    for kind, noun in observed(1, "h", "direct_evidence"):
        state.apply(Event(kind, noun.to_dict()))
    made = closed(1, 1, 1, before=before, after=state.statuses())[1]
    log = state.logs["h"]
    flips = sum(belief.status(e["old_log_odds"]) != belief.status(e["new_log_odds"]) for e in log)
    assert made.status_flips == flips == 1


# budget_status ---------------------------------------------------------------------------------------------------------


def budget(
    calls: tuple[float, float | None] = (0, None), rounds: tuple[float, float | None] = (0, None)
) -> dict[str, Any]:
    return {
        "tool_calls": {"used": calls[0], "cap": calls[1]},
        "strategist_rounds": {"used": rounds[0], "cap": rounds[1]},
        "wall_clock_minutes": {"used": 1.234, "cap": None},
        "tokens": {"used": 0, "cap": 100},
        "cost_usd": {"used": 0.0, "cap": None},
        "phases": {"triage": 3, "investigation": 1},
    }


def test_a_budget_without_a_cap_is_unbounded() -> None:
    rows = {r["metric"]: r for r in views.budget_status(budget((12, 5000)))["budgets"]}
    assert rows["wall_clock_minutes"] == {
        "metric": "wall_clock_minutes",
        "used": 1.23,
        "cap": None,
        "share": "(unbounded)",
    }
    assert rows["tool_calls"]["share"] == "0 %"
    assert list(rows) == ["tool_calls", "strategist_rounds", "wall_clock_minutes", "tokens", "cost_usd"]


@pytest.mark.parametrize(
    ("calls", "rounds", "words"),
    [
        ((89, 100), (6, 10), []),
        ((90, 100), (0, 10), ["favour declaring"]),
        ((0, 100), (7, 10), ["high yield"]),
        ((100, 100), (10, 10), ["high yield", "favour declaring"]),
        ((0, 0), (0, None), ["favour declaring"]),
    ],
)
def test_budgets_warn_at_seven_tenths_of_the_rounds_and_nine_of_the_calls(
    calls: tuple[int, int], rounds: tuple[int, int | None], words: list[str]
) -> None:
    warnings = " ".join(views.budget_status(budget(calls, rounds))["warnings"])
    assert [w for w in ("high yield", "favour declaring") if w in warnings] == words


def test_phases_show_their_share_of_the_calls() -> None:
    assert views.budget_status(budget())["phases"] == {"investigation": "25 %", "triage": "75 %"}


# source_coverage -------------------------------------------------------------------------------------------------------

CATALOGUE = [
    {"source": "disk_image", "artifacts": [{"name": "any", "detector": "list_directory", "value_for": "layout"}]},
    {
        "source": "disk_image+windows",
        "artifacts": [
            {
                "name": "Run keys",
                "detector": "parse_registry_key@CurrentVersion\\Run | query_records@autostart",
                "value_for": "persistence",
            },
            {"name": "Prefetch", "detector": "parse_prefetch", "value_for": "execution"},
        ],
    },
]


def call(tool: str, status: str = "found", source: str = "src-a", **args: str) -> dict[str, Any]:
    return {"tool": tool, "status": status, "source_id": source, "args": args, "rerun": f"wigmore tool {tool}"}


def test_a_row_is_ticked_by_a_call_that_touched_it_with_an_example_and_the_caveat() -> None:
    shown = views.source_coverage(
        graph(), "src-a", [call("query_records", artifact="windows.autostart.run")], CATALOGUE
    )
    assert [(r["mark"], r["name"], r["value_for"], r["example"]) for r in shown["rows"]] == [
        ("✓", "Run keys", "persistence", "query_records artifact=windows.autostart.run"),
        ("✗", "Prefetch", "execution", ""),
    ]
    assert (shown["touched"], shown["invocations"]) == ("1/2 (50 %)", 1)
    assert shown["caveat"] == views.CAVEAT and "not a checklist" in shown["caveat"]


@pytest.mark.parametrize(
    "other",
    [
        call("parse_prefetch", "failed"),
        call("parse_prefetch", source="src-b"),
        call("query_records", artifact="prefetch"),
    ],
)
def test_a_failed_call_another_source_and_another_argument_tick_nothing(other: dict[str, Any]) -> None:
    assert {r["mark"] for r in views.source_coverage(graph(), "src-a", [other], CATALOGUE)["rows"]} == {"✗"}


def test_an_empty_call_counts_as_looked() -> None:
    shown = views.source_coverage(graph(), "src-a", [call("parse_prefetch", "empty")], CATALOGUE)
    assert [r["mark"] for r in shown["rows"]] == ["✗", "✓"]


def test_the_platforms_catalogue_wins_over_the_types() -> None:
    assert views.source_coverage(graph(), "src-a", [], CATALOGUE)["rows"][0]["name"] == "Run keys"
    assert views.source_coverage(graph(), "src-a", [], CATALOGUE[:1])["rows"][0]["name"] == "any"


def test_an_unknown_source_and_a_type_without_a_catalogue_say_so() -> None:
    assert "src-z" in views.source_coverage(graph(), "src-z", [], CATALOGUE)["error"]
    assert "src-b" in views.source_coverage(graph(), "src-z", [], CATALOGUE)["error"]
    assert "no catalogue" in views.source_coverage(graph(), "src-a", [], [])["note"]


# confidence_log --------------------------------------------------------------------------------------------------------


def test_each_entry_of_the_confidence_log_has_the_fields_of_the_specification() -> None:
    state = graph(
        hypothesis("h"), *observed(1, "h", "supports"), *observed(2, "h", "supports"), *observed(3, "h", "supports")
    )
    log = state.hypothesis_view("h")["confidence_log"]
    assert all(
        set(e)
        == {
            "timestamp",
            "phenomenon_id",
            "edge_type",
            "log_lr_base",
            "rank",
            "log_lr",
            "old_log_odds",
            "new_log_odds",
            "old_confidence",
            "new_confidence",
        }
        for e in log
    )
    assert [(e["rank"], e["log_lr"]) for e in log] == [(1, 1.0), (2, 0.5), (3, 0.3333)]
    assert [e["new_log_odds"] for e in log] == [1.0, 1.5, 1.8333]
    assert [e["old_log_odds"] for e in log] == [0.0, 1.0, 1.5]


def test_an_edge_stated_twice_counts_once() -> None:
    state = graph(hypothesis("h"), *observed(1, "h", "supports"), *observed(1, "h", "supports"))
    assert state.log_odds("h") == 1.0 and len(state.logs["h"]) == 1


def test_a_neutral_edge_is_logged_and_carries_nothing() -> None:
    state = graph(hypothesis("h"), *observed(1, "h", "consistent_with"))
    assert state.log_odds("h") == 0.0
    assert (state.logs["h"][0]["rank"], state.logs["h"][0]["log_lr"]) == (0, 0.0)


def test_belief_does_not_depend_on_the_order_of_edges() -> None:
    kinds = [
        *["supports"] * 7,
        *["weakens"] * 5,
        *["prerequisite_met"] * 6,
        "direct_evidence",
        "contradicts",
        *["consequence_observed"] * 3,
    ]
    made = [observed(n, "h", kind, "src-b" if n % 3 else "src-a") for n, kind in enumerate(kinds)]
    sums = set()
    for attempt in range(40):
        random.Random(attempt).shuffle(made)
        sums.add(graph(hypothesis("h"), *(e for pair in made for e in pair)).log_odds("h"))
    assert len(sums) == 1


def test_a_prior_of_nine_tenths_starts_where_the_specification_says() -> None:
    assert graph(hypothesis("h", 0.9)).log_odds("h") == pytest.approx(0.9542)


def test_the_status_flips_at_once_on_one_direct_evidence() -> None:
    state = graph(hypothesis("h"), *observed(1, "h", "direct_evidence"))
    assert (state.log_odds("h"), state.status("h"), state.confidence("h")) == (2.0, "supported", 0.9901)


# matrix ----------------------------------------------------------------------------------------------------------------


def test_the_matrix_has_a_cell_for_each_pair_with_an_edge() -> None:
    state = graph(
        hypothesis("h-a"),
        hypothesis("h-b"),
        *observed(1, "h-a", "supports"),
        *observed(2, "h-b", "weakens"),
        ("phenomenon", phenomenon("ph-unused")),
    )
    shown = views.matrix(state)
    names = [h["id"] for h in shown["hypotheses"]]
    cells = {(r["phenomenon_id"], n): e for r in shown["rows"] for n, e in zip(names, r["edges"], strict=True) if e}
    assert cells == {("ph-1", "h-a"): "supports", ("ph-2", "h-b"): "weakens"}
    assert views.unused_phenomena(state) == ["ph-unused"]
