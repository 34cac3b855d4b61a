"""Which edges bear on a hypothesis: what is absent here may be there, or the act was done in a way that leaves none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from wigmore.model.nouns import FOR, Edge, Phenomenon

Made = Mapping[tuple[str, str], Mapping[str, Any]]  # (probe, source): what it came to, as recorded


def met(made: Made) -> set[str]:
    """The probes that found what they asked for in some source."""
    return {probe for (probe, _), said in made.items() if said["outcome"] == "found"}


def shown(edges: Iterable[Edge], phenomena: Mapping[str, Phenomenon]) -> set[str]:
    """The rules whose observations speak for the hypothesis that edges lead to."""
    return {phenomena[e.phenomenon_id].rule for e in edges if e.edge_type in FOR and e.phenomenon_id in phenomena}


def bearing(edges: Collection[Edge], made: Made, phenomena: Mapping[str, Phenomenon]) -> list[Edge]:
    """The edges to one hypothesis that bear on it, whatever the order in which edges and probes came.

    An absence bears on it while its probe, put last, still comes to it, and while no other source holds what was asked for. It,
    and what weakens, bears on it only while no observation of a rule that its probe names (`unless`) speaks for the act: who
    telephoned need not have written.
    """
    found, ways = met(made), shown(edges, phenomena)
    unless: dict[str, list[frozenset[str]]] = defaultdict(list)  # by probe, and by phenomenon that a probe led to
    for (probe, _), said in made.items():
        for what in (probe, *said.get("phenomena", ())):
            unless[what].append(frozenset(said.get("unless", ())))
    out = []
    for edge in edges:
        seen = phenomena.get(edge.phenomenon_id)
        about = edge.phenomenon_id if edge.edge_type == "weakens" else ""
        if seen is not None and seen.negative:
            about = seen.rule.rpartition(":")[2]  # absence:TEMPLATE:PROBE
            last = made.get((about, seen.source_id))
            if about in found or (last is not None and last["outcome"] != "empty"):
                continue
        named = unless.get(about, ())
        if not named or not all(ways & rules for rules in named):
            out.append(edge)
    return out
