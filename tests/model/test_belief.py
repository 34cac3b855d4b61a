"""Belief arithmetic: SPEC's figures, and the properties that make it safe."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigmore.model import belief
from wigmore.model.nouns import EDGE_TYPES, NEUTRAL, Edge


def edge(number: int, kind: str, hypothesis: str = "h", source: str = "s", event: str = "") -> Edge:
    return Edge(f"e{number:04d}{kind}", f"p{number:04d}", hypothesis, kind, source_id=source, event_key=event)


def total(edges: list[Edge], prior: float = 0.5, damping: str = "per_type") -> float:
    return belief.log_odds(prior, belief.counts(edges, damping))


@pytest.mark.parametrize(
    ("kinds", "prior", "expected"),
    [
        (["supports"] * 3, 0.5, 1.8333),
        (["supports"] * 5, 0.5, 2.2833),
        (["supports"] * 5 + ["direct_evidence"], 0.5, 4.2833),
        (["supports", "supports", "weakens"], 0.5, 1.0),
        ([], 0.9, 0.9542),
        (["direct_evidence"], 0.5, 2.0),
    ],
)
def test_log_odds_are_those_of_the_specification(kinds: list[str], prior: float, expected: float) -> None:
    assert total([edge(n, kind) for n, kind in enumerate(kinds)], prior) == expected


def test_one_direct_evidence_is_one_flip_to_supported() -> None:
    odds = total([edge(1, "direct_evidence")])
    assert belief.confidence(odds) == 0.9901
    assert belief.status(0.0) == "active"
    assert belief.status(odds) == "supported"
    assert belief.confidence(1.0) == 0.9091


def test_thresholds_are_reached_at_0_602() -> None:
    assert belief.status(math.log10(4)) == "supported"
    assert belief.status(-math.log10(4)) == "refuted"
    assert belief.status(0.6) == "active"


edges_strategy = st.lists(
    st.builds(
        edge,
        st.integers(0, 30),
        st.sampled_from((*EDGE_TYPES, NEUTRAL)),
        st.just("h"),
        st.sampled_from(("a", "b")),
        st.sampled_from(("", "", "event-1", "event-2")),
    ),
    max_size=40,
)


@given(edges_strategy, st.randoms(use_true_random=False), st.sampled_from(belief.DAMPINGS))
def test_belief_does_not_depend_on_order(edges: list[Edge], random: object, damping: str) -> None:
    shuffled = list(edges)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert total(edges, damping=damping) == total(shuffled, damping=damping)
    assert [r.log_lr for r in belief.ranked(edges, damping=damping)] == [
        r.log_lr for r in belief.ranked(shuffled, damping=damping)
    ]


@given(edges_strategy)
def test_an_edge_laid_twice_counts_once(edges: list[Edge]) -> None:
    assert total(edges + edges) == total(edges)


@given(st.sampled_from(EDGE_TYPES), st.integers(1, 60))
def test_damping_is_harmonic_and_leaves_the_first_edge_whole(kind: str, count: int) -> None:
    ranks = belief.ranked([edge(n, kind) for n in range(count)])
    base = belief.LOG_LR[kind]
    assert ranks[0].log_lr == base
    assert [r.rank for r in ranks] == list(range(1, count + 1))
    assert abs(total([edge(n, kind) for n in range(count)])) <= abs(base) * (1 + math.log(count)) + 1e-4


@given(st.integers(1, 10), st.integers(1, 10))
def test_ranks_are_kept_apart_per_type_and_per_hypothesis(supports: int, weakens: int) -> None:
    mixed = [edge(n, "supports") for n in range(supports)] + [edge(100 + n, "weakens") for n in range(weakens)]
    other = [edge(200 + n, "supports", "other") for n in range(7)]
    both = belief.ranked(mixed + other)
    assert max(r.rank for r in both if r.edge.edge_type == "weakens") == weakens
    assert max(r.rank for r in both if r.edge.hypothesis_id == "h" and r.edge.edge_type == "supports") == supports
    assert total(mixed) == round(round(belief.harmonic(supports), 4) + round(-0.5 * belief.harmonic(weakens), 4), 4)


def test_one_event_under_two_mechanisms_counts_once() -> None:
    twice = [edge(1, "supports", event="run"), edge(2, "direct_evidence", event="run")]
    assert total(twice) == 2.0
    assert total([*twice, edge(3, "weakens", event="run")]) == 1.5


def test_one_record_read_by_two_rules_counts_once_whatever_they_call_the_event() -> None:
    def reading(number: int, kind: str, *records: str, event: str = "") -> Edge:
        return Edge(f"e{number}", f"p{number}", "h", kind, event_key=event, records=records)

    line, written = (
        reading(1, "supports", "rec-1", event="a"),
        reading(2, "direct_evidence", "rec-1", "rec-2", event="b"),
    )
    assert total([line, written]) == total([written, line]) == 2.0
    assert total([line, written, reading(3, "supports", "rec-3")]) == 3.0
    assert total([line, written, reading(4, "supports", "rec-2", "rec-4")]) == 3.0  # rec-4 is new
    assert total([line, written, reading(4, "supports", "rec-2")]) == 2.0
    assert total([line, written, reading(5, "weakens", "rec-1")]) == 1.5  # against it, it was not


def test_one_record_counts_once_for_a_hypothesis_with_its_strongest_edge() -> None:
    same = [
        Edge(f"e{k}", "p", "h", k) for k in ("direct_evidence", "supports", "consequence_observed", "prerequisite_met")
    ]
    assert total(same) == 2.0


def test_an_independent_source_counts_more_with_damping_per_source() -> None:
    edges = [edge(1, "supports", source="a"), edge(2, "supports", source="b")]
    assert total(edges) == 1.5
    assert total(edges, damping="per_source") == 2.0


def test_what_is_consistent_with_all_carries_nothing() -> None:
    assert total([edge(n, NEUTRAL) for n in range(9)]) == 0.0


def test_an_unknown_edge_type_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown edge type 'proves'"):
        edge(1, "proves")
