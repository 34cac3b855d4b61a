"""How well beliefs fit what is true: proper scores and calibration error over (probability, truth) pairs. Pure functions.

Sources: Brier, "Verification of forecasts expressed in terms of probability" (1950); expected calibration error with ten
equal bins, Naeini, Cooper and Hauskrecht (2015); log loss in natural logarithms.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from wigmore.model import belief
from wigmore.model.nouns import NEUTRAL, Edge

Pair = tuple[float, bool]
BINS = 10
RULES = ("per_type", "per_source", "naive")


def brier(pairs: Sequence[Pair]) -> float:
    """Mean squared distance of probability and truth; raises ZeroDivisionError for no pairs."""
    return math.fsum((p - truth) ** 2 for p, truth in pairs) / len(pairs)


def log_loss(pairs: Sequence[Pair], least: float = 1e-6) -> float:
    """Mean of −ln of the probability given to what is true, no probability counting as nearer to 0 or 1 than `least`."""
    return -math.fsum(math.log(max(least, p if truth else 1 - p)) for p, truth in pairs) / len(pairs)


def bins(pairs: Iterable[Pair]) -> list[tuple[int, int, float, float]]:
    """(bin, number, mean probability, share that is true) of each of the ten bins that holds a pair."""
    held: dict[int, list[Pair]] = defaultdict(list)
    for p, truth in pairs:
        held[min(int(p * BINS), BINS - 1)].append((p, truth))
    return [
        (n, len(those), math.fsum(p for p, _ in those) / len(those), sum(truth for _, truth in those) / len(those))
        for n, those in sorted(held.items())
    ]


def calibration_error(pairs: Sequence[Pair]) -> float:
    """Expected calibration error: |mean probability − share that is true|, weighed by the pairs of each bin."""
    return math.fsum(n * abs(said - was) for _, n, said, was in bins(pairs)) / len(pairs)


def log_odds(prior: float, edges: Sequence[Edge], rule: str, table: Mapping[str, float] = belief.LOG_LR) -> float:
    """Belief in one hypothesis under a damping rule, or by the naive sum: every edge whole, one event heard as often as told.

    Raises ValueError for an unknown rule.
    """
    if rule not in RULES:
        raise ValueError(f"unknown rule {rule!r}; one of {', '.join(RULES)}")
    if rule == "naive":
        return belief.prior_log_odds(prior) + math.fsum(table[e.edge_type] for e in edges if e.edge_type != NEUTRAL)
    return belief.log_odds(prior, belief.counts(edges, rule), table)
