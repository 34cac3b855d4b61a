"""Which edges bear on a hypothesis, by what its probes came to last: what is absent here may be there, or went another way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from wigmore.model.nouns import Edge, Phenomenon

Made = Mapping[tuple[str, str], Mapping[str, Any]]  # (probe, source): what it came to, as recorded


def met(made: Made) -> set[str]:
    """The probes that found what they asked for in some source."""
    return {probe for (probe, _), said in made.items() if said["outcome"] == "found"}


def bearing(edges: Iterable[Edge], made: Made, phenomena: Mapping[str, Phenomenon]) -> list[Edge]:
    """The edges to one hypothesis that bear on it, whatever the order in which edges and probes came.

    An absence bears on it while its probe, put last, still comes to it, and while no other source holds what was asked for. It
    and what weakens bear on it only while none of the ways of the act that its probe names (`unless`) was found: who telephoned
    need not have written.
    """
    found = met(made)
    ways: dict[str, list[frozenset[str]]] = defaultdict(list)  # by probe, and by phenomenon that a probe led to
    for (probe, _), said in made.items():
        for what in (probe, *said.get("phenomena", ())):
            ways[what].append(frozenset(said.get("unless", ())))
    out = []
    for edge in edges:
        seen = phenomena.get(edge.phenomenon_id)
        about = edge.phenomenon_id if edge.edge_type == "weakens" else ""
        if seen is not None and seen.negative:
            about = seen.rule.rpartition(":")[2]  # absence:TEMPLATE:PROBE
            last = made.get((about, seen.source_id))
            if about in found or (last is not None and last["outcome"] != "empty"):
                continue
        named = ways.get(about, ())
        if not named or not all(found & unless for unless in named):
            out.append(edge)
    return out
