"""Patterns that cannot match are left out; none that can is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from record_builders import Made, record, rule
from wigmore.records import candidates as candidates_module
from wigmore.records.indicators import match, scan
from wigmore.records.literals import Texts, needed, possible
from wigmore.records.rules import OWN_RULES, load_indicators


def patterns(test: Any) -> set[str]:
    """The patterns of a rule's tests."""
    if isinstance(test, dict):
        here = test.get("regex", ())
        return {*([here] if isinstance(here, str) else here)}.union(*(patterns(v) for v in test.values()))
    return set().union(*map(patterns, test)) if isinstance(test, (list, tuple)) else set()


OURS = sorted({p for r in load_indicators([OWN_RULES]).values() for p in patterns([r.where, r.then.get("where", ())])})


@settings(deadline=None, max_examples=400, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_a_pattern_of_ours_matches_holds_its_words(data: st.DataObject) -> None:
    pattern = data.draw(st.sampled_from(OURS))
    text = data.draw(st.from_regex(re.compile(pattern, re.IGNORECASE | re.ASCII)))
    assert possible({"field": "f", "regex": pattern}, {"f": Texts([text.casefold()])}) is not None, needed(pattern)


def test_most_patterns_of_ours_have_words() -> None:
    assert sum(bool(needed(p)) for p in OURS) > 0.8 * len(OURS)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("abc|xyz", [{"abc", "xyz"}]),
        ("(abc|x)def", [{"def"}]),
        ("(abc)?def", [{"def"}]),
        ("(abc)+", [{"abc"}]),
        (r"ABC\\.*(foo|barbar)", [{"abc\\"}, {"foo", "barbar"}]),
        ("[ab]c", []),
        (r"\p{Greek}+", []),
        ("(", []),
    ],
)
def test_words_of_a_pattern(pattern: str, words: list[set[str]]) -> None:
    assert list(map(set, needed(pattern))) == words


def test_words_may_stand_in_one_text_only() -> None:
    test = {"field": "f", "regex": "alpha.*omega"}
    assert possible(test, {"f": Texts(["alpha", "omega"])}) is None
    assert possible(test, {"f": Texts(["alpha to omega"])}) == {"field": "f", "regex": ["alpha.*omega"]}


def test_what_is_negated_or_not_known_stays() -> None:
    for test in (
        {"not": {"field": "f", "regex": "alpha"}},
        {"field": "f", "regex": "$subject"},
        {"field": "f", "eq": 1},
    ):
        assert possible(test, {"f": Texts(["beta"])}) is not None
    both = {"any": [{"field": "f", "regex": "alpha"}, {"field": "g", "eq": 1}]}
    assert possible(both, {"f": Texts(["beta"])}) == {"any": [{"field": "g", "eq": 1}]}
    assert (
        possible({"all": [{"field": "g", "eq": 1}, {"field": "f", "regex": "alpha"}]}, {"f": Texts(["beta"])}) is None
    )


@pytest.mark.parametrize("few", [0, candidates_module.FEW])
def test_the_same_is_found_in_few_records_and_in_many(make: Made, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(candidates_module, "FEW", few)
    lines = ["psexec -s cmd", "notepad a.txt", "PAEXEC x", None, "Straße"]
    store = make([record({"n": n, "id": 1 + n % 2, "line": line, "name": "b" * n}) for n, line in enumerate(lines)])
    rules = [
        rule({"field": "id", "eq": 1}, {"field": "line", "regex": "(ps|pa)exec"}, id="both"),
        rule({"any": [{"field": "line", "regex": "nothing here"}, {"field": "name", "eq": "bbb"}]}, id="other branch"),
        rule({"field": "line", "regex": "never met"}, id="none"),
        rule({"field": "id", "eq": 3}, {"field": "line", "regex": "psexec"}, id="no such sort"),
        rule({"not": {"field": "line", "regex": "exec"}}, {"field": "id", "in": [1, 2]}, id="not"),
        rule({"field": "line", "regex": "STRASSE|stra(ß)e"}, id="folded"),
    ]
    assert scan(store, rules, None) == {"both", "other branch", "not", "folded"}
    found = {r.id: sum(g.count for g in match(store, r, None, catalogue=rules)) for r in rules}
    assert found == {"both": 2, "other branch": 1, "none": 0, "no such sort": 0, "not": 3, "folded": 1}
