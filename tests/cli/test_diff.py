"""`wigmore diff`: two examiners' cases, and two moments of one, over ledgers written by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from wigmore.api.cases import UseError
from wigmore.api.diff import diff
from wigmore.ledger import Event, Ledger
from wigmore.model.canonical import identify
from wigmore.model.nouns import Citation, Coverage, Edge, EvidenceSource, Hypothesis, Phenomenon, VerifiedFact

START = datetime(2026, 4, 17, 14, 0, tzinfo=UTC)
Row = dict[str, Any]


def source(name: str, label: str, digest: str) -> list[Event]:
    made = EvidenceSource(name, label, "disk_image", "image", f"/of/{name}", {"platform": "windows"})
    hashed = {"id": name, "hashes": {"container_sha256": digest}, "mismatch": ""}
    return [Event("source", made.to_dict()), Event("source.hashed", hashed)]


def fact(where: str, value: Any, row: int = 1, name: str = "client") -> VerifiedFact:
    record = identify("rec", where, row)
    locator = {"kind": "line", "line": row}
    citation = Citation("field", "inv-1", "0" * 64, record, name)
    return VerifiedFact(
        identify("fact", where, record, name), name, value, citation, "web.access", "access.log", locator
    )


def seen(where: str, *facts: VerifiedFact, rule: str = "r", title: str = "requests") -> Phenomenon:
    name = identify("ph", where, rule, [f.id for f in facts])
    return Phenomenon(name, where, "network", "c", title, facts, "", "2026-01-01T00:00:00Z", rule=rule)


def believed(template: str, subject: str, phenomenon: Phenomenon | None = None, kind: str = "supports") -> list[Event]:
    made = Hypothesis(
        identify("hyp", template, subject), f"{template} ({subject})", "", template=template, subject=subject
    )
    out = [Event("hypothesis", made.to_dict())]
    if phenomenon:
        edge = Edge(
            identify("edge", phenomenon.id, made.id), phenomenon.id, made.id, kind, source_id=phenomenon.source_id
        )
        out.append(Event("edge", edge.to_dict()))
    return out


def run_of(number: int, **config: Any) -> Event:
    body = {"id": f"run-{number:03d}", "config": {"damping": "per_type", **config}, "versions": {"python": "3.11"}}
    return Event("run.started", body)


def review_of(item: str, decision: str, by: str) -> Event:
    body = {"id": identify("rev", item, by), "item": item, "decision": decision, "reason": "seen", "by": by, "text": ""}
    return Event("review", body)


def case(folder: Path, events: Iterable[Event]) -> Path:
    """A case whose ledger holds these events, one a minute from 14:00."""
    folder.mkdir(parents=True)
    (folder / "case.yaml").write_text(f"case: {folder.name}\nsources: []\n", encoding="utf-8")
    clock = (START + timedelta(minutes=n) for n in range(10_000))
    with Ledger.create(folder, lambda: next(clock)) as ledger:
        for event in events:
            ledger.append([event])
    return folder


def of(rows: list[Row], kind: str) -> list[Row]:
    return [r for r in rows if r["kind"] == kind]


def examined(
    folder: Path, name: str, label: str, value: str = "192.0.2.7", digest: str = "aa", by: str = "A. Rao"
) -> Path:
    """One examiner's case: the same evidence under names of their own."""
    observed = seen(name, fact(name, value))
    hypothesis = believed("entry", label, observed)
    events = [run_of(1), *source(name, label, digest), Event("phenomenon", observed.to_dict()), *hypothesis]
    return case(folder, [*events, review_of(hypothesis[0].body["id"], "accept", by)])


def test_two_cases_of_one_evidence_under_other_names_do_not_differ(tmp_path: Path) -> None:
    first = examined(tmp_path / "one", "src-a", "laptop")
    second = examined(tmp_path / "two", "exhibit-9", "AR/1")
    rows, said = diff(str(first), str(second))
    assert rows == [] and said.endswith("no difference")


def test_a_changed_value_is_one_row_under_the_first_ones_source(tmp_path: Path) -> None:
    first = examined(tmp_path / "one", "src-a", "laptop")
    second = examined(tmp_path / "two", "exhibit-9", "AR/1", value="198.51.100.1")
    rows, _ = diff(str(first), str(second))
    (changed,) = of(rows, "fact")
    assert (changed["change"], changed["first"]["value"], changed["second"]["value"]) == (
        "changed",
        "192.0.2.7",
        "198.51.100.1",
    )
    assert changed["second"]["source_id"] == "src-a" and changed["case"] == "one"
    assert of(rows, "source") == []


def test_sources_that_swap_their_names_are_matched_by_their_hashes(tmp_path: Path) -> None:
    def made(folder: Path, names: tuple[str, str]) -> Path:
        events = [run_of(1)]
        for name, digest in zip(names, ("aa", "bb"), strict=True):
            held = seen(name, fact(name, digest))
            events += [*source(name, name, digest), Event("phenomenon", held.to_dict()), *believed("entry", name, held)]
        return case(folder, events)

    rows, _ = diff(str(made(tmp_path / "one", ("x", "y"))), str(made(tmp_path / "two", ("y", "x"))))
    assert rows == []


def test_without_a_common_hash_the_label_matches_and_the_hash_is_the_difference(tmp_path: Path) -> None:
    first = examined(tmp_path / "one", "src-a", "laptop", digest="aa")
    second = examined(tmp_path / "two", "src-b", "laptop", digest="bb")
    rows, _ = diff(str(first), str(second))
    (row,) = rows
    assert (row["kind"], row["change"], row["second"]["container_sha256"]) == ("source", "changed", "bb")


def test_what_only_one_side_has_says_which(tmp_path: Path) -> None:
    first = examined(tmp_path / "one", "src-a", "laptop")
    extra = seen("src-c", fact("src-c", "z"))
    more = [*source("src-c", "phone", "cc"), Event("phenomenon", extra.to_dict())]
    second = case(tmp_path / "two", [run_of(1), *more])
    rows, said = diff(str(first), str(second))
    assert {(r["kind"], r["change"]) for r in rows} == {
        (kind, change) for kind in ("source", "fact", "phenomenon") for change in ("only_first", "only_second")
    } | {("belief", "only_first"), ("decision", "only_first")}
    assert "fact 1 only in the first, 1 only in the second" in said


def test_beliefs_are_matched_by_template_and_subject_and_show_verdicts(tmp_path: Path) -> None:
    held = seen("src-a", fact("src-a", "x"))
    before = [run_of(1), *source("src-a", "laptop", "aa"), Event("phenomenon", held.to_dict())]
    first = case(tmp_path / "one", [*before, *believed("entry", "laptop", held)])
    second = case(tmp_path / "two", [*before, *believed("entry", "laptop", held, "contradicts")])
    (row,) = diff(str(first), str(second))[0]
    assert (row["kind"], row["change"]) == ("belief", "changed")
    assert (row["first"]["log_odds"], row["second"]["log_odds"]) == (1.0, -2.0)
    assert (row["first"]["verdict"], row["second"]["verdict"]) == ("contested", "refuted")


def test_decisions_are_matched_by_what_they_are_about(tmp_path: Path) -> None:
    first = examined(tmp_path / "one", "src-a", "laptop")
    second = examined(tmp_path / "two", "exhibit-9", "AR/1", by="B. Li")
    (row,) = diff(str(first), str(second))[0]
    assert (row["kind"], row["first"]["by"], row["second"]["by"]) == ("decision", "A. Rao", "B. Li")


@pytest.mark.parametrize("what", ["coverage", "configuration", "version"])
def test_what_may_explain_differences_is_compared(tmp_path: Path, what: str) -> None:
    def made(folder: Path, changed: bool) -> Path:
        run = run_of(1, max_investigation_rounds=9 if changed else 5)
        if what == "version" and changed:
            run.body["versions"] = {"python": "3.12"}
        outcome = "failed" if what == "coverage" and changed else "found"
        if what != "configuration":
            run.body["config"]["max_investigation_rounds"] = 5
        row = Coverage("src-a", "f", "web.access", "web.access@1", outcome, 3)
        covered = Event("coverage", {"id": "c", "rows": [row.to_dict()]})
        return case(folder, [run, *source("src-a", "laptop", "aa"), covered])

    (row,) = diff(str(made(tmp_path / "one", False)), str(made(tmp_path / "two", True)))[0]
    assert row["kind"] == what
    assert {"coverage": "web.access in src-a", "configuration": "max_investigation_rounds", "version": "python"}[
        what
    ] == row["id"]


# moments ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def twice(tmp_path: Path) -> Path:
    """A case that was run twice: the second run brought a contradiction. Events 1 to 6 from 14:00, 7 to 9 from 14:06."""
    held, against = seen("src-a", fact("src-a", "x")), seen("src-a", fact("src-a", "y", 2), rule="s")
    first = [run_of(1), *source("src-a", "laptop", "aa"), Event("phenomenon", held.to_dict())]
    first += believed("entry", "laptop", held)
    contradiction = believed("entry", "laptop", against, "contradicts")[1]
    return case(tmp_path / "twice", [*first, run_of(2), Event("phenomenon", against.to_dict()), contradiction])


@pytest.mark.parametrize(
    "when", ["6", "run-001", "2026-04-17T14:05Z", "2026-04-17T14:05:30Z", "2026-04-17T16:05+02:00"]
)
def test_a_moment_is_a_shorter_fold(twice: Path, when: str) -> None:
    rows, said = diff(f"{twice}@{when}", str(twice))
    (belief,) = of(rows, "belief")
    assert (belief["first"]["log_odds"], belief["second"]["log_odds"]) == (1.0, -1.0)
    assert said.startswith("twice at event 6 and twice at event 9:")


def test_the_end_of_the_last_run_is_now(twice: Path) -> None:
    assert diff(f"{twice}@run-002", str(twice))[0] == []


def test_beliefs_of_a_moment_are_those_under_its_own_configuration(tmp_path: Path) -> None:
    held = seen("src-a", fact("src-a", "x"))
    body = [*source("src-a", "laptop", "aa"), Event("phenomenon", held.to_dict()), *believed("entry", "laptop", held)]
    plain = case(tmp_path / "one", [run_of(1), *body])
    tuned = case(tmp_path / "two", [run_of(1, hypothesis_log_lr={"supports": 0.5}), *body])
    (belief,) = of(diff(str(plain), str(tuned))[0], "belief")
    assert (belief["first"]["log_odds"], belief["second"]["log_odds"]) == (1.0, 0.5)


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("10", "1 to 9"),
        ("0", "1 to 9"),
        ("run-007", "run-001, run-002"),
        ("2020-01-01T00:00Z", "nothing was recorded"),
        ("yesterday", "2026-04-17T14:02Z"),
    ],
)
def test_a_moment_that_is_none_is_refused_with_what_there_is(twice: Path, when: str, words: str) -> None:
    with pytest.raises(UseError, match="twice@") as error:
        diff(f"{twice}@{when}", str(twice))
    assert words in str(error.value) and error.value.code == 2


def test_a_case_whose_name_has_the_sign_in_it_is_that_case(tmp_path: Path) -> None:
    odd = examined(tmp_path / "case@7", "src-a", "laptop")
    assert diff(str(odd), f"{odd}@run-001")[0] == []
