"""Scores of beliefs against truths, by hand-reckoned values; and what dependence does to the naive sum."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigmore.model import calibration as c
from wigmore.model.nouns import Edge

PAIRS = [(0.9, True), (0.8, False), (0.15, False), (0.1, True)]


def edge(number: int, kind: str, event: str = "", source: str = "s") -> Edge:
    return Edge(f"edge-{number}", f"ph-{number}", "hyp", kind, event_key=event, source_id=source)


def test_scores_are_those_reckoned_by_hand() -> None:
    assert c.brier(PAIRS) == pytest.approx((0.01 + 0.64 + 0.0225 + 0.81) / 4)
    assert c.log_loss(PAIRS) == pytest.approx(-(math.log(0.9) + math.log(0.2) + math.log(0.85) + math.log(0.1)) / 4)
    # bins 9: 0.9 against 1; 8: 0.8 against 0; 1: 0.125 against 0.5
    assert c.calibration_error(PAIRS) == pytest.approx((0.1 + 0.8 + 2 * 0.375) / 4)


def test_certainty_that_is_wrong_costs_much_but_not_without_end() -> None:
    assert c.log_loss([(1.0, False)]) == pytest.approx(-math.log(1e-6))
    assert c.bins([(1.0, True)])[0][0] == 9


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
def test_scores_lie_within_their_bounds(pairs: list[tuple[float, bool]]) -> None:
    assert 0 <= c.brier(pairs) <= 1 and 0 <= c.calibration_error(pairs) <= 1 + 1e-9 and c.log_loss(pairs) >= 0


def test_the_naive_sum_hears_one_event_as_often_as_it_is_told() -> None:
    told = [edge(n, "supports", "one event") for n in range(4)]
    assert c.log_odds(0.5, told, "naive") == pytest.approx(4.0)
    assert c.log_odds(0.5, told, "per_type") == pytest.approx(1.0)
    apart = [edge(n, "supports", source=f"s{n}") for n in range(2)]
    assert c.log_odds(0.5, apart, "per_type") == pytest.approx(1.5)
    assert c.log_odds(0.5, apart, "per_source") == pytest.approx(2.0)
    with pytest.raises(ValueError, match="unknown rule"):
        c.log_odds(0.5, told, "bayes")
