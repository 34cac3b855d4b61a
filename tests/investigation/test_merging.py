"""Near-duplicates: one source, category and rule, equal values, titles at least nine tenths alike; order never matters."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import pytest

from wigmore.graph.gateway import Gateway, jaccard, title_words
from wigmore.graph.proposals import CitedRecord, Proposal
from wigmore.graph.semantics import Semantics
from wigmore.graph.state import GraphState
from wigmore.ledger import Event
from wigmore.model.nouns import EvidenceSource, ToolInvocation

WORDS = " ".join(f"word{n}" for n in range(19))


class Outputs:
    """One recorded call that printed some rows."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.printed = rows
        self.made = {
            s: ToolInvocation(f"inv-{s}", "query_records", {}, s, "network", "t", "", "", "found", "0" * 64, 1, "", "1")
            for s in ("src-a", "src-b")
        }

    def invocation(self, invocation_id: str) -> ToolInvocation | None:
        return next((i for i in self.made.values() if i.id == invocation_id), None)

    def rows(self, invocation: ToolInvocation) -> list[dict[str, Any]]:
        return self.printed

    def of_agent(self, agent: str, source_id: str) -> Iterable[ToolInvocation]:
        return [self.made[source_id]]


def desk(values: list[dict[str, Any]]) -> tuple[GraphState, Gateway]:
    state = GraphState()
    for name in ("src-a", "src-b"):
        state.apply(Event("source", EvidenceSource(name, name, "disk_image", "image", "/x").to_dict()))
        state.apply(Event("source.hashed", {"id": name, "hashes": {}, "mismatch": ""}))
    rows = [
        {"record_id": f"rec-{n}", "artifact": "a", "path": "p", "locator": {"n": n}, "data": v}
        for n, v in enumerate(values)
    ]
    return state, Gateway(state, Outputs(rows), Semantics([]), agent="network", now=lambda: "2026-01-01T00:00:00Z")


def propose(number: int, title: str, source: str = "src-a", category: str = "c", rule: str = "r") -> Proposal:
    return Proposal(
        source, category, title, "", (CitedRecord(f"inv-{source}", f"rec-{number}", ("value",)),), rule=rule
    )


@pytest.mark.parametrize("value", ["same", 1102, True, ["a", 1], {"b": None}])
def test_two_records_of_the_same_values_under_almost_the_same_title_are_one_with_both_citations(value: Any) -> None:
    state, gateway = desk([{"value": value}, {"value": value}])
    first, second = gateway.admit(propose(0, WORDS)), gateway.admit(propose(1, WORDS + " more"))
    assert first.id == second.id
    assert [e.kind for e in gateway.buffer] == ["phenomenon", "phenomenon.merged"]
    state.fold(gateway.buffer)
    assert [f.citation.record_id for f in state.phenomena[first.id].verified_facts] == ["rec-0", "rec-1"]
    assert len(state.phenomena) == 1 and len(state.merged[first.id]) == 1


@pytest.mark.parametrize(
    ("values", "second"),
    [
        (["one", "two"], {}),
        (["same", "same"], {"title": "another matter entirely"}),
        (["same", "same"], {"source": "src-b"}),
        (["same", "same"], {"category": "other"}),
        (["same", "same"], {"rule": "other"}),
        ([1, "1"], {}),
        ([1, True], {}),
    ],
    ids=["values", "title", "source", "category", "rule", "number and text", "number and truth"],
)
def test_what_differs_in_source_category_rule_value_or_words_stays_two(
    values: list[Any], second: dict[str, str]
) -> None:
    _, gateway = desk([{"value": v} for v in values])
    one = gateway.admit(propose(0, WORDS))
    two = gateway.admit(propose(1, **{"title": WORDS, **second}))
    assert one.id != two.id


def test_two_accounts_are_never_merged_by_alike_titles() -> None:
    _, gateway = desk([{"value": "alice"}, {"value": "bob"}])
    long = "Interactive logon of an account on the host seen in the security event log with " + WORDS
    assert gateway.admit(propose(0, f"{long} alice")).id != gateway.admit(propose(1, f"{long} bob")).id


def test_the_graph_does_not_depend_on_the_order_of_arrival_within_a_task() -> None:
    hashes = set()
    titles = [WORDS, WORDS + " more", "quite different words"]
    for order in itertools.permutations(range(3)):
        state, gateway = desk([{"value": "same"}] * 3)
        for number in order:
            gateway.admit(propose(number, titles[number]))
        state.fold(gateway.buffer)
        hashes.add(tuple(sorted(len(p.verified_facts) for p in state.phenomena.values())))
    assert hashes == {(1, 2)}


def test_likeness_is_of_words_without_case() -> None:
    assert jaccard(title_words("A b C"), title_words("c B a")) == 1.0
    assert jaccard(title_words("a b"), title_words("b c")) == pytest.approx(1 / 3)
    assert jaccard(set(), set()) == 1.0
