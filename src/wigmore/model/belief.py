"""Belief arithmetic: log10 odds from counts of edges, harmonic damping, thresholds. Pure functions.

The k-th edge of one (hypothesis, edge type) adds base/k, so n edges of a type add base·H(n); the sum is taken per type
from the counts and rounded to 4 decimals, never accumulated, and so cannot depend on order (SPEC A3, DESIGN).
Edges that share an event (`event_key`) are one event under several mechanisms, and an edge all whose records stronger ones
have told of tells nothing more: only the strongest in each direction counts (SPEC A3, beyond; ARTIFACT_SEMANTICS rule 5).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wigmore.model.nouns import NEUTRAL, Edge

LOG_LR: Mapping[str, float] = {
    "direct_evidence": 2.0,
    "supports": 1.0,
    "consequence_observed": 1.0,
    "prerequisite_met": 0.5,
    "weakens": -0.5,
    "contradicts": -2.0,
}
STRENGTH = (
    "direct_evidence",
    "contradicts",
    "supports",
    "consequence_observed",
    "prerequisite_met",
    "weakens",
    NEUTRAL,
)  # the strongest first
SUPPORTED = 0.8
REFUTED = 0.2
DAMPINGS = ("per_type", "per_source")


def harmonic(count: int) -> float:
    """H(n) = 1 + 1/2 + … + 1/n."""
    return math.fsum(1 / k for k in range(1, count + 1))


def prior_log_odds(prior: float) -> float:
    """log10(p / (1 - p)), rounded to 4 decimals."""
    return round(math.log10(prior / (1 - prior)), 4)


def probability(log_odds: float) -> float:
    """The probability of base-10 log-odds, unrounded; beyond ±300 it no longer changes."""
    return 1 / (1 + 10 ** -max(min(log_odds, 300.0), -300.0))


def confidence(log_odds: float) -> float:
    """The probability that stands for log10 odds, rounded to 4 decimals."""
    return round(probability(log_odds), 4)


def status(log_odds: float) -> str:
    """`supported` from 0.8, `refuted` to 0.2, else `active` (SPEC D: follows the log-odds alone, at once)."""
    score = probability(log_odds)
    if score >= SUPPORTED - 1e-9:
        return "supported"
    return "refuted" if score <= REFUTED + 1e-9 else "active"


def log_odds(prior: float, counts: Mapping[tuple[str, str], int], table: Mapping[str, float] = LOG_LR) -> float:
    """Prior plus base·H(n) for each (edge type, damping group) with n edges; rounded to 4 decimals.

    Raises KeyError for an edge type that the table does not know.
    """
    terms = [round(table[kind] * harmonic(n), 4) for (kind, _), n in sorted(counts.items()) if kind != NEUTRAL]
    return round(math.fsum([prior_log_odds(prior), *terms]), 4)


@dataclass(frozen=True, slots=True)
class Ranked:
    """An edge with its rank and what it adds."""

    edge: Edge
    rank: int
    base: float
    log_lr: float


def _order(edge: Edge) -> tuple[Any, ...]:
    return (edge.event_key or edge.id, edge.phenomenon_id, edge.id, edge.source_id)


def independent(edges: Iterable[Edge]) -> list[Edge]:
    """The edges that count: of those to one hypothesis and direction that share an event the strongest, and none all whose
    records stronger ones have told of.

    Also one edge per (phenomenon, hypothesis): the strongest (SPEC A3, beyond). Order of input does not matter.
    """
    heard: dict[tuple[str, bool], set[str]] = {}
    out = []
    for edge in sorted(edges, key=lambda e: (STRENGTH.index(e.edge_type), _order(e))):
        if edge.edge_type == NEUTRAL:
            continue
        before = heard.setdefault((edge.hypothesis_id, edge.edge_type in ("weakens", "contradicts")), set())
        event = edge.event_key or edge.phenomenon_id
        if event not in before and not (edge.records and before.issuperset(edge.records)):
            before |= {event, *edge.records}
            out.append(edge)
    return sorted(out, key=lambda e: (e.hypothesis_id, e.edge_type, _order(e)))


def ranked(edges: Iterable[Edge], table: Mapping[str, float] = LOG_LR, damping: str = "per_type") -> list[Ranked]:
    """Each counting edge with its rank inside (hypothesis, edge type) — or (…, source) with `per_source`.

    The rank order is canonical, so that the confidence log of a finished case reads the same whatever came first.
    """
    if damping not in DAMPINGS:
        raise ValueError(f"unknown damping {damping!r}; one of {', '.join(DAMPINGS)}")
    seen: Counter[tuple[str, str, str]] = Counter()
    out = []
    for edge in independent(edges):
        group = (edge.hypothesis_id, edge.edge_type, edge.source_id if damping == "per_source" else "")
        seen[group] += 1
        base = table[edge.edge_type]
        out.append(Ranked(edge, seen[group], base, round(base / seen[group], 4)))
    return out


def counts(edges: Iterable[Edge], damping: str = "per_type") -> dict[tuple[str, str], int]:
    """Number of counting edges per (edge type, damping group), for one hypothesis."""
    return dict(
        Counter(
            (r.edge.edge_type, r.edge.source_id if damping == "per_source" else "")
            for r in ranked(edges, damping=damping)
        )
    )
