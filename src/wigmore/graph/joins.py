"""Entities that are one: clusters by the links that are in force, and who contacted whom between them.

A link `same_as` is in force while its hypothesis is supported and no person rejected it. Clusters are never stored: when a
hypothesis falls, the graph is what it was without its link.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from wigmore.graph.state import GraphState
from wigmore.model.names import name_words
from wigmore.model.nouns import Entity, EntityLink


def rejected(state: GraphState) -> set[str]:
    """The items whose last review rejects them."""
    last: dict[str, str] = {}
    for review in state.reviews:
        last[str(review["item"])] = str(review["decision"])
    return {item for item, decision in last.items() if decision == "reject"}


def in_force(state: GraphState, link: EntityLink, turned_down: set[str]) -> bool:
    """Whether a link joins its ends now."""
    known = link.hypothesis_id in state.hypotheses
    return known and link.hypothesis_id not in turned_down and state.status(link.hypothesis_id) == "supported"


def _apart(state: GraphState, link: EntityLink, turned_down: set[str]) -> bool:
    """Whether a link's hypothesis says that its ends are two: refuted, contradicted and not supported, or rejected."""
    name = link.hypothesis_id
    if name not in state.hypotheses:
        return False
    status = state.status(name)
    contradicted = any(e.edge_type == "contradicts" for e in state.edges_to(name))
    return name in turned_down or status == "refuted" or (contradicted and status != "supported")


def clusters(state: GraphState) -> dict[str, str]:
    """For every entity the id of the one that stands for its cluster: the smallest.

    Links join the strongest first; none joins two clusters of which any two members are said to be two. The result does
    not depend on the order in which links came.
    """
    turned_down = rejected(state)
    same = [x for x in state.links.values() if x.relation == "same_as"]
    members = {e: {e} for e in state.entities}
    enemies: dict[str, set[str]] = defaultdict(set)
    root = {e: e for e in state.entities}
    for link in same:
        if _apart(state, link, turned_down):
            enemies[link.first].add(link.second)
            enemies[link.second].add(link.first)
    joining = [x for x in same if in_force(state, x, turned_down) and x.first in root and x.second in root]
    for link in sorted(joining, key=lambda x: (-state.log_odds(x.hypothesis_id), x.id)):
        one, other = sorted((root[link.first], root[link.second]))
        if one == other or enemies[one] & members[other]:
            continue
        for member in members[other]:
            root[member] = one
        members[one] |= members.pop(other)
        enemies[one] |= enemies.pop(other, set())
    return {name: root[name] for name in sorted(root)}


def cluster_names(state: GraphState, joined: dict[str, str]) -> dict[str, str]:
    """A name for each cluster: what most of its entities call it, of these the longest; a number where none has a name."""
    said: dict[str, Counter[str]] = defaultdict(Counter)
    for name, stands in joined.items():
        said[stands][state.entities[name].name] += 1

    def order(entry: tuple[str, int]) -> tuple[bool, int, int, str]:
        text, count = entry
        return not name_words(text), -count, -len(text), text

    return {stands: min(names.items(), key=order)[0] for stands, names in sorted(said.items())}


def contact_rows(state: GraphState) -> list[dict[str, Any]]:
    """Who wrote to or called whom between clusters: how often, from when to when, by which phenomena.

    Counts of several stores are added, though one may be a copy of another (synchronised devices).
    """
    joined = clusters(state)
    names = cluster_names(state, joined)
    found: dict[tuple[str, str], list[EntityLink]] = defaultdict(list)
    for link in sorted(state.links.values(), key=lambda x: x.id):
        if link.relation == "contacted" and link.first in joined and link.second in joined:
            found[joined[link.first], joined[link.second]].append(link)
    out = []
    for (first, second), links in sorted(found.items()):
        starts, ends = [x.first_at for x in links if x.first_at], [x.last_at for x in links if x.last_at]
        out.append(
            {
                "first": first,
                "second": second,
                "first_name": names[first],
                "second_name": names[second],
                "count": sum(x.count for x in links),
                "first_at": min(starts, default=None),
                "last_at": max(ends, default=None),
                "phenomena": sorted({x.phenomenon_id for x in links}),
            }
        )
    return out


def entity_rows(state: GraphState) -> list[dict[str, Any]]:
    """Every entity with its cluster, the cluster's name, and how many entities it joins; by type, then id."""
    joined = clusters(state)
    names = cluster_names(state, joined)
    sizes = Counter(joined.values())

    def row(entity: Entity) -> dict[str, Any]:
        stands = joined[entity.id]
        return {
            **entity.to_dict(),
            "cluster": stands,
            "cluster_name": names[stands],
            "cluster_size": sizes[stands],
        }

    return [row(e) for e in sorted(state.entities.values(), key=lambda e: (e.type, e.id))]


def link_rows(state: GraphState) -> list[dict[str, Any]]:
    """Every link with the clusters of its ends; `same_as` with its hypothesis' belief and whether it is in force."""
    joined, turned_down = clusters(state), rejected(state)
    names = cluster_names(state, joined)
    rows = []
    for link in sorted(state.links.values(), key=lambda x: (x.relation, x.id)):
        row: dict[str, Any] = link.to_dict()
        for end in ("first", "second"):
            name = getattr(link, end)
            stands = joined.get(name, "")
            row[f"{end}_name"] = state.entities[name].name if name in state.entities else ""
            row[f"{end}_cluster"], row[f"{end}_cluster_name"] = stands, names.get(stands, "")
        if link.hypothesis_id in state.hypotheses:
            edges = state.edges_to(link.hypothesis_id)
            row["status"] = state.status(link.hypothesis_id)
            row["confidence"] = state.confidence(link.hypothesis_id)
            row["in_force"] = in_force(state, link, turned_down)
            row["rejected"] = link.hypothesis_id in turned_down
            row["reasons"] = [f"{e.edge_type}: {e.reason}" for e in edges]
        rows.append(row)
    return rows
