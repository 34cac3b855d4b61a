"""The answer sheet: rows with their places, a receipted no, and cannot say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from record_builders import Made, record
from wigmore.model.nouns import Coverage
from wigmore.records.sheet import QuestionError, StandardQuestion, answer, load_questions

CLEARED: dict[str, Any] = {
    "id": "W38",
    "ask": "Were event logs cleared?",
    "shape": "y",
    "from": [
        {
            "artifacts": ["app.log"],
            "where": [{"field": "event_id", "in": [1102, 104]}],
            "fields": ["event_id", "user", "times.at"],
        }
    ],
    "no_rests_on": ["app.log"],
}
DAY = 86_400_000_000
MARCH = 1_772_323_200_000_000  # 2026-03-01T00:00:00Z
WHOLE = Coverage(
    "src-a",
    "log",
    "app.log",
    "app.log@1",
    "found",
    3,
    covers_from="2026-02-01T00:00:00Z",
    covers_to="2026-05-01T00:00:00Z",
)


@pytest.fixture
def question() -> StandardQuestion:
    return StandardQuestion.read(CLEARED, "questions.yaml")


def test_records_that_fit_are_the_answer_the_oldest_first_and_the_same_ones_once(
    make: Made, question: StandardQuestion
) -> None:
    store = make(
        [
            record({"event_id": 1102, "user": "b"}, "2026-03-05T10:00:00Z"),
            record({"event_id": 4624, "user": "c"}, "2026-03-01T10:00:00Z"),
            record({"event_id": 104, "user": "a"}, "2026-03-02T10:00:00Z"),
            record({"event_id": 104, "user": "a"}, "2026-03-02T10:00:00Z"),
        ]
    )
    row = answer(store, [WHOLE], question)
    assert row is not None
    assert (row["status"], row["verdict"], row["count"]) == ("answered", "found", 3)
    assert [a["value"] for a in row["answers"]] == [
        "event_id: 104; user: a; at: 2026-03-02T10:00:00Z",
        "event_id: 1102; user: b; at: 2026-03-05T10:00:00Z",
    ]
    assert row["citations"][0]["locator"] == {"kind": "record", "number": 2}


def test_five_kinds_of_row_are_shown_and_the_rest_counted(make: Made, question: StandardQuestion) -> None:
    store = make([record({"event_id": 104, "user": f"u{n}"}) for n in range(9)])
    row = answer(store, [WHOLE], question)
    assert row is not None and len(row["answers"]) == 5 and row["answer"].endswith("and 4 more of 9 records")


def test_whole_artifacts_are_read_past_and_counted(make: Made) -> None:
    asked = StandardQuestion.read({**CLEARED, "from": [{"artifacts": ["app.log"], "fields": ["user"]}]}, "q")
    row = answer(make([record({"user": f"u{n % 3}"}) for n in range(6)]), [WHOLE], asked)
    assert row is not None and row["count"] == 6 and row["answer"] == "user: u0 | user: u1 | user: u2"
    row = answer(make([record({"user": f"w{n}"}) for n in range(40)], path="more"), [WHOLE], asked)
    assert row is not None and row["count"] == 46 and len(row["answers"]) == 5


def test_the_period_of_the_case_bounds_the_answer(make: Made, question: StandardQuestion) -> None:
    store = make([record({"event_id": 104, "user": "early"}, "2026-02-02T10:00:00Z")])
    row = answer(store, [WHOLE], question, (MARCH, MARCH + 30 * DAY))
    assert row is not None and row["verdict"] == "no" and row["status"] == "answered"


@pytest.mark.parametrize(
    "change, said",
    [
        ({"outcome": "failed", "reason": "damaged"}, "failed: damaged"),
        ({"complete": False, "reason": "torn"}, "incomplete: torn"),
        ({"recorder": "off"}, "not recording"),
        ({"covers_from": "2026-03-10T00:00:00Z"}, "begins after the start"),
        ({"covers_to": "2026-03-10T00:00:00Z"}, "ends before the end"),
        ({"covers_from": None}, "does not say which period"),
        ({"outcome": "not_run", "reason": "expected"}, "not run"),
    ],
)
def test_a_no_needs_coverage_that_carries_it(
    make: Made, question: StandardQuestion, change: dict[str, Any], said: str
) -> None:
    store = make([record({"event_id": 4624})])
    row = answer(store, [replace(WHOLE, **change)], question, (MARCH, MARCH + 30 * DAY))
    assert row is not None and (row["status"], row["verdict"]) == ("unanswered", "cannot_say") and said in row["answer"]


def test_one_bad_log_among_good_ones_is_enough_for_cannot_say(make: Made, question: StandardQuestion) -> None:
    store = make([record({"event_id": 4624})])
    row = answer(store, [WHOLE, replace(WHOLE, path="other", outcome="failed", reason="cut")], question)
    assert row is not None and row["verdict"] == "cannot_say"


def test_a_question_that_rests_on_nothing_is_never_answered_no(make: Made) -> None:
    asked = StandardQuestion.read({**CLEARED, "no_rests_on": []}, "q")
    row = answer(make([record({"event_id": 4624})]), [WHOLE], asked)
    assert row is not None and row["verdict"] == "cannot_say"


def test_a_question_about_nothing_in_the_case_is_left_out(make: Made, question: StandardQuestion) -> None:
    assert answer(make([record({"a": 1})], artifact="other"), [], question) is None


def test_a_log_of_another_name_carries_no_no(make: Made) -> None:
    asked = StandardQuestion.read({**CLEARED, "no_rests_on": ["app.log:*/Security.log"]}, "q")
    store = make([record({"event_id": 4624})])
    row = answer(store, [replace(WHOLE, path="logs/Other.log")], asked)
    assert row is not None and row["verdict"] == "cannot_say" and "app.log at */Security.log" in row["answer"]
    row = answer(store, [replace(WHOLE, path="logs/security.LOG")], asked)
    assert row is not None and row["verdict"] == "no" and "security.LOG" in row["answer"]


def test_so_many_that_say_the_same_are_asked_for_and_counted(make: Made) -> None:
    place = {"artifacts": ["app.log"], "where": [{"field": "event_id", "eq": 4625}], "fields": ["user"], "at_least": 3}
    asked = StandardQuestion.read({**CLEARED, "from": [place]}, "q")
    row = answer(make([record({"event_id": 4625, "user": u}) for u in "aabbb"]), [], asked)
    assert row is not None and [a["value"] for a in row["answers"]] == ["3 records: user: b"] and row["count"] == 3
    with pytest.raises(QuestionError, match="at_least"):
        StandardQuestion.read({**CLEARED, "from": [{**place, "where": []}]}, "q")


def test_a_number_is_given_for_each_kind_of_row(make: Made) -> None:
    asked = StandardQuestion.read({**CLEARED, "shape": "n", "from": [{**CLEARED["from"][0], "fields": ["user"]}]}, "q")
    row = answer(make([record({"event_id": 104, "user": u}) for u in "aab"]), [], asked)
    assert row is not None and row["answer"] == "2 records: user: a | 1 record: user: b"


def test_an_unanswered_question_about_what_the_case_has_not_is_left_out(make: Made) -> None:
    asked = StandardQuestion.read({**CLEARED, "about": ["phone.*"]}, "q")
    assert answer(make([record({"event_id": 1})]), [WHOLE], asked) is None
    row = answer(make([record({"event_id": 104, "user": "a"})]), [WHOLE], asked)
    assert row is not None and row["verdict"] == "found"


def test_names_with_dots_are_found_in_quotation_marks(make: Made) -> None:
    place = {"artifacts": ["app.log"], "where": [{"field": '"a.b"', "exists": True}], "fields": ['"a.b"', "c.d"]}
    row = answer(
        make([record({"a.b": 1, "c": {"d": 2}})]), [], StandardQuestion.read({**CLEARED, "from": [place]}, "q")
    )
    assert row is not None and row["answer"] == "a.b: 1; d: 2"


@pytest.mark.parametrize(
    "change, said",
    [
        ({"shape": "z"}, "shape"),
        ({"nonsense": 1}, "unknown keys nonsense"),
        ({"from": [{"artifacts": ["x"]}]}, "needs artifacts and fields"),
        ({"ask": ""}, "`ask` is missing"),
    ],
)
def test_a_question_that_cannot_be_used_is_refused_by_name(change: dict[str, Any], said: str) -> None:
    with pytest.raises(QuestionError, match=said):
        StandardQuestion.read({**CLEARED, **change}, "questions.yaml")


def test_the_questions_of_the_package_load() -> None:
    import wigmore

    questions = load_questions([Path(wigmore.__file__).parent / "rules"])
    assert len(questions) > 90
