"""Clusters: joined while a hypothesis is supported, kept apart where one says two, and undone without a trace."""

from __future__ import annotations

import random

import pytest

from wigmore.graph.joins import clusters, contact_rows, entity_rows, link_rows
from wigmore.graph.state import GraphState
from wigmore.ledger import Event
from wigmore.model.nouns import Edge, Entity, EntityLink, Hypothesis, Identifier

SUPPORTED, REFUTED, OPEN = ("supports",), ("weakens", "weakens", "contradicts"), ()


def entity(name: str) -> Event:
    return Event("entity", Entity(f"ent-{name}", "person", name, "src", (Identifier("phone", name, "ph"),)).to_dict())


def same(one: str, other: str, edges: tuple[str, ...]) -> list[Event]:
    """A link, its hypothesis, and the edges that make its belief."""
    name = f"hyp-{one}{other}"
    made = [Event("hypothesis", Hypothesis(name, "one", "", 0.3, "same_person", propositions=("SAME",)).to_dict())]
    for number, kind in enumerate(edges):
        edge = Edge(f"edge-{name}-{number}", f"ph-{number}", name, kind, proposition="SAME")
        made.append(Event("edge", edge.to_dict()))
    link = EntityLink(f"link-{one}{other}", f"ent-{one}", f"ent-{other}", "same_as", hypothesis_id=name)
    return [*made, Event("entity_link", link.to_dict())]


def wrote(one: str, other: str, count: int, first: str) -> Event:
    link = EntityLink(
        f"c-{one}{other}", f"ent-{one}", f"ent-{other}", "contacted", f"ph-{one}", "", count, first, first
    )
    return Event("entity_link", link.to_dict())


def review(hypothesis: str, decision: str) -> Event:
    return Event("review", {"id": f"rev-{hypothesis}-{decision}", "item": hypothesis, "decision": decision})


def state(*events: Event | list[Event]) -> GraphState:
    flat = [e for group in events for e in (group if isinstance(group, list) else [group])]
    return GraphState().fold(flat)


def groups(known: GraphState) -> set[frozenset[str]]:
    joined = clusters(known)
    return {frozenset(n.removeprefix("ent-") for n in joined if joined[n] == c) for c in set(joined.values())}


PEOPLE = [entity(n) for n in "abcd"]


def test_links_in_force_join_and_others_do_not() -> None:
    known = state(PEOPLE, same("a", "b", SUPPORTED), same("b", "c", OPEN), same("c", "d", SUPPORTED))
    assert groups(known) == {frozenset("ab"), frozenset("cd")}


def test_a_rejected_hypothesis_restores_clusters_and_who_contacted_whom() -> None:
    ground = [*PEOPLE, *same("c", "d", SUPPORTED), wrote("a", "c", 3, "2025-01-01"), wrote("b", "d", 4, "2025-01-02")]
    before = state(ground)
    joined = state(ground, same("a", "b", SUPPORTED))
    undone = state(ground, same("a", "b", SUPPORTED), review("hyp-ab", "reject"))
    assert [(r["first"], r["count"]) for r in contact_rows(joined)] == [("ent-a", 7)]
    assert clusters(joined) != clusters(before)
    assert clusters(undone) == clusters(before)
    assert contact_rows(undone) == contact_rows(before)
    assert entity_rows(undone) == entity_rows(before)
    again = state(ground, same("a", "b", SUPPORTED), review("hyp-ab", "reject"), review("hyp-ab", "accept"))
    assert clusters(again) == clusters(joined)  # the last word counts


def test_a_hypothesis_that_falls_undoes_its_link() -> None:
    fallen = [*same("a", "b", SUPPORTED), Event("edge", Edge("e", "ph-x", "hyp-ab", "contradicts").to_dict())]
    assert groups(state(PEOPLE, fallen)) == {frozenset(n) for n in "abcd"}


def test_no_chain_joins_two_that_are_said_to_be_two() -> None:
    known = state(PEOPLE, same("a", "b", SUPPORTED), same("b", "c", ("supports",) * 3), same("a", "c", REFUTED))
    assert groups(known) == {frozenset("bc"), frozenset("a"), frozenset("d")}  # the stronger link first


def test_a_persons_no_holds_through_a_third() -> None:
    links = [*same("a", "b", SUPPORTED), *same("b", "c", SUPPORTED), *same("a", "c", SUPPORTED)]
    joined = state(PEOPLE, links)
    assert frozenset("abc") in groups(joined)
    apart = clusters(state(PEOPLE, links, review("hyp-ac", "reject")))
    assert apart["ent-a"] != apart["ent-c"]


@pytest.mark.parametrize("turn", range(5))
def test_the_order_of_events_changes_no_cluster(turn: int) -> None:
    links = [
        same("a", "b", SUPPORTED),
        same("b", "c", SUPPORTED),
        same("c", "d", ("supports", "supports")),
        same("a", "d", REFUTED),
    ]
    usual = clusters(state(PEOPLE, *links))
    shuffled = random.Random(turn).sample(links, len(links))
    assert clusters(state(random.Random(turn).sample(PEOPLE, 4), *shuffled)) == usual


def test_rows_say_whether_a_join_is_in_force_and_why() -> None:
    rows = link_rows(state(PEOPLE, same("a", "b", SUPPORTED), same("b", "c", SUPPORTED), review("hyp-bc", "reject")))
    said = {row["id"]: (row["in_force"], row["rejected"], row["status"]) for row in rows}
    assert said == {"link-ab": (True, False, "supported"), "link-bc": (False, True, "supported")}
    assert {r["cluster_size"] for r in entity_rows(state(PEOPLE, same("a", "b", SUPPORTED)))} == {1, 2}


def test_links_are_in_the_canonical_graph_with_their_hypothesis_and_clusters_are_not() -> None:
    graph = state(PEOPLE, same("a", "b", SUPPORTED)).graph()
    assert [(x["relation"], x["hypothesis_id"]) for x in graph["entity_links"]] == [("same_as", "hyp-ab")]
    assert "cluster" not in str(graph)
