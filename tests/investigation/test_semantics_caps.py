"""Artifact semantics: the table caps an edge's type, a record's state lowers it further, persons stay below."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
import yaml

from wigmore.graph.gateway import Gateway
from wigmore.graph.proposals import OutputRows
from wigmore.graph.semantics import LETTERS, Semantics, SemanticsError
from wigmore.graph.state import GraphState
from wigmore.ledger import Event
from wigmore.model.nouns import EDGE_TYPES, NEUTRAL, Citation, Hypothesis, Phenomenon, VerifiedFact


@pytest.fixture
def table(tmp_path: Path) -> Semantics:
    (tmp_path / "semantics.yaml").write_text(
        yaml.safe_dump(
            [
                {
                    "artifact": "app.log",
                    "mechanism": "app log",
                    "caveat": "what the app wrote",
                    "absence": "w",
                    "carries": {
                        "RAN": "D",
                        "SENT": "S",
                        "SEEN": "P",
                        "NEAR": "C",
                        "IDLE": "0",
                        "KNEW": "D",
                        "PERSON": "S",
                    },
                },
                {"artifact": "app.*", "carries": {"RAN": "P"}},
            ]
        ),
        encoding="utf-8",
    )
    return Semantics.load([tmp_path])


def test_an_edge_within_the_cap_passes_with_caveat_and_mechanism(table: Semantics) -> None:
    capped = table.cap("direct_evidence", "app.log", "RAN")
    assert (capped.edge_type, capped.capped_from, capped.caveat, capped.mechanism) == (
        "direct_evidence",
        "",
        "what the app wrote",
        "app log",
    )


@pytest.mark.parametrize(
    ("wished", "proposition", "given"),
    [
        ("direct_evidence", "SENT", "supports"),
        ("direct_evidence", "SEEN", "prerequisite_met"),
        ("supports", "SEEN", "prerequisite_met"),
        ("direct_evidence", "IDLE", NEUTRAL),
        ("prerequisite_met", "IDLE", NEUTRAL),
        ("consequence_observed", "SENT", "consequence_observed"),
        ("consequence_observed", "SEEN", "prerequisite_met"),
        ("direct_evidence", "NEAR", "supports"),
    ],
)
def test_a_stronger_edge_is_lowered_in_type_and_says_from_what(
    table: Semantics, wished: str, proposition: str, given: str
) -> None:
    capped = table.cap(wished, "app.log", proposition)
    assert capped.edge_type == given
    assert capped.capped_from == ("" if given == wished else wished)
    assert given == wished or "at most" in capped.reason


@pytest.mark.parametrize("wished", [e for e in EDGE_TYPES if e != "weakens"])
def test_what_the_table_does_not_name_carries_nothing(table: Semantics, wished: str) -> None:
    for artifact, proposition in (("other.thing", "RAN"), ("app.log", "UNHEARD")):
        capped = table.cap(wished, artifact, proposition)
        assert (capped.edge_type, capped.capped_from) == (NEUTRAL, wished)


@pytest.mark.parametrize(
    ("state", "given"),
    [
        ("live", "direct_evidence"),
        ("snapshot", "direct_evidence"),
        ("wal_superseded", "direct_evidence"),
        ("freelist", "supports"),
        ("unallocated", "supports"),
        ("carved", "supports"),
        ("wal_uncommitted", NEUTRAL),
    ],
)
def test_the_state_of_a_record_lowers_its_edge(table: Semantics, state: str, given: str) -> None:
    assert table.cap("direct_evidence", "app.log", "RAN", state).edge_type == given


@pytest.mark.parametrize("proposition", ["KNEW", "PERSON"])
@pytest.mark.parametrize("state", ["live", "carved"])
def test_who_a_person_was_and_what_they_knew_is_never_above_supports(
    table: Semantics, proposition: str, state: str
) -> None:
    given = table.cap("direct_evidence", "app.log", proposition, state).edge_type
    assert given in ("supports", "prerequisite_met", NEUTRAL)
    assert given == ("supports" if state == "live" else "prerequisite_met")


def test_only_what_may_be_direct_evidence_may_contradict(table: Semantics) -> None:
    assert table.cap("contradicts", "app.log", "RAN").edge_type == "contradicts"
    lowered = table.cap("contradicts", "app.log", "SENT")
    assert (lowered.edge_type, lowered.capped_from) == ("weakens", "contradicts")


@pytest.mark.parametrize(
    ("wished", "proposition", "state", "given"),
    [
        ("contradicts", "RAN", "freelist", "weakens"),
        ("contradicts", "RAN", "wal_uncommitted", NEUTRAL),
        ("contradicts", "SENT", "carved", NEUTRAL),
        ("weakens", "RAN", "carved", "weakens"),  # as support is from what could be direct evidence
        ("weakens", "SENT", "carved", NEUTRAL),
        ("weakens", "RAN", "wal_uncommitted", NEUTRAL),
        ("weakens", "UNHEARD", "carved", NEUTRAL),
    ],
)
def test_the_state_of_a_record_lowers_what_it_says_against_as_well(
    table: Semantics, wished: str, proposition: str, state: str, given: str
) -> None:
    capped = table.cap(wished, "app.log", proposition, state)
    assert (capped.edge_type, capped.capped_from) == (given, "" if given == wished else wished)


@pytest.mark.parametrize("first", ["app.log", "app.other"])
def test_of_several_records_the_one_that_can_say_most_decides_for_and_against(table: Semantics, first: str) -> None:
    def fact(artifact: str) -> VerifiedFact:
        return VerifiedFact(artifact, "x", 1, Citation("field", "inv", "0", artifact, "x"), artifact, "", {})

    artifacts = sorted(("app.log", "app.other"), key=lambda a: a != first)
    seen = Phenomenon("ph", "src", "a", "c", "t", tuple(map(fact, artifacts)), "", "")
    state = GraphState().fold(
        [Event("phenomenon", seen.to_dict()), Event("hypothesis", Hypothesis("h", "t", "").to_dict())]
    )
    gateway = Gateway(state, cast(OutputRows, None), table, agent="a", now=str)
    for wished in ("direct_evidence", "contradicts"):
        assert gateway.edge(seen, "h", wished, "RAN").edge_type == wished


def test_the_most_specific_entry_decides(table: Semantics) -> None:
    assert table.cap("direct_evidence", "app.other", "RAN").edge_type == "prerequisite_met"
    assert table.cap("direct_evidence", "app.log", "RAN").edge_type == "direct_evidence"


def test_a_cap_never_raises_an_edge(table: Semantics) -> None:
    strength = {"direct_evidence": 3, "supports": 2, "consequence_observed": 2, "prerequisite_met": 1, NEUTRAL: 0}
    for wished in strength:
        for artifact in ("app.log", "app.other", "nothing"):
            for proposition in ("RAN", "SENT", "SEEN", "NEAR", "IDLE", "KNEW", "PERSON"):
                for state in ("live", "carved", "wal_uncommitted"):
                    assert strength[table.cap(wished, artifact, proposition, state).edge_type] <= strength[wished]


def test_a_later_folder_overrides_an_entry(tmp_path: Path) -> None:
    for name, letter in (("a", "D"), ("b", "P")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "semantics.yaml").write_text(
            yaml.safe_dump([{"artifact": "x", "carries": {"RAN": letter}}]), encoding="utf-8"
        )
    assert (
        Semantics.load([tmp_path / "a", tmp_path / "b"]).cap("direct_evidence", "x", "RAN").edge_type
        == "prerequisite_met"
    )


def test_an_unknown_letter_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "semantics.yaml").write_text(
        yaml.safe_dump([{"artifact": "x", "carries": {"RAN": "Z"}}]), encoding="utf-8"
    )
    with pytest.raises(SemanticsError, match=r"semantics.yaml: x: RAN: .*'Z'"):
        Semantics.load([tmp_path])
    assert set(LETTERS.values()) == {*EDGE_TYPES, NEUTRAL}
