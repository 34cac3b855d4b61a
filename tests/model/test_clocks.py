"""What a case file states of clocks: intervals, durations, and which times they hold."""

from __future__ import annotations

from typing import Any

import pytest

from wigmore.model import times
from wigmore.model.clocks import ClockError, Interval, duration, interval_of, latest, microseconds, read_intervals
from wigmore.model.times import by_instant, instant_text, iso


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT2M10S", 130),
        ("-PT3H", -10800),
        ("PT-5M", -300),
        ("P1DT1S", 86401),
        ("PT0.5S", 0.5),
        ("PT-0.25S", -0.25),
        ("PT0S", 0),
    ],
)
def test_durations_are_read_and_written(text: str, seconds: float) -> None:
    assert microseconds(text) == round(seconds * 1_000_000)
    assert microseconds(duration(round(seconds * 1_000_000))) == round(seconds * 1_000_000)


@pytest.mark.parametrize("text", ["", "P", "PT", "2M", "P1Y", "PT5", "130", "PT1H30", "PT1.5M"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ClockError, match="PT2M10S"):
        microseconds(text)


def test_a_day_is_meant_whole_and_an_open_end_has_no_end() -> None:
    (one,) = read_intervals([{"from": "2026-03-01", "to": "2026-04-17", "ahead": "PT2M10S", "zone": "Europe/Paris"}])
    assert (times.instant_text(one.start), times.instant_text(one.end)) == (
        "2026-03-01T00:00:00Z",
        "2026-04-17T23:59:59.999999Z",
    )
    (open_,) = read_intervals([{"ahead": "-PT1S"}])
    assert open_.start < -62_000_000_000_000_000 and open_.end > 253_000_000_000_000_000
    (exact,) = read_intervals([{"from": "2026-03-01T10:00+01:00", "to": "2026-03-01T09:00:00.5Z", "ahead": "PT1S"}])
    assert exact.end - exact.start == 500_000


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (["PT5M"], "mapping"),
        ([{"aheads": "PT1S"}], "aheads"),
        ([{"from": "yesterday", "ahead": "PT1S"}], "yesterday"),
        ([{"from": "2026-03-02", "to": "2026-03-01", "ahead": "PT1S"}], "before"),
        ([{"ahead": "five minutes"}], "five minutes"),
        ([{"zone": "Mars/Olympus"}], "Mars/Olympus"),
        ([{"to": "2026-03-02", "ahead": "PT1S"}, {"from": "2026-03-02", "ahead": "PT2S"}], "different offsets"),
    ],
)
def test_clocks_that_cannot_be_used_are_refused_with_what_is_wrong(entries: list[Any], said: str) -> None:
    with pytest.raises(ClockError, match=said):
        read_intervals(entries)


def test_an_interval_holds_known_host_times_alone() -> None:
    (one,) = read_intervals([{"from": "2026-03-01", "to": "2026-03-01", "ahead": "PT1H"}])
    inside, outside = iso("2026-03-01T12:00:00Z"), iso("2026-03-02T00:00:00Z")
    assert inside and outside
    assert interval_of(inside, [one]) == one and interval_of(outside, [one]) is None
    for owner in ("server", "gnss", "camera", "author", "collector", ""):
        assert interval_of({**inside, "owner": owner}, [one]) is None
    assert interval_of({**inside, "instant": None}, [one]) is None


def test_an_interval_says_which_way_and_on_what_ground() -> None:
    assert Interval(0, 1, 3_600_000_000, "NTP").said() == "PT1H ahead of true time (NTP)"
    assert Interval(0, 1, -1_500_000, "").said() == "PT1.5S behind true time"


def test_texts_sort_by_what_they_mean() -> None:
    texts = ["2026-03-01T10:00:00", "2026-03-01T12:00:00+05:00", "2026-03-01T08:00:00Z", "--03-01T00:00:00"]
    assert sorted(texts, key=by_instant) == [
        "2026-03-01T12:00:00+05:00",
        "2026-03-01T08:00:00Z",
        "--03-01T00:00:00",
        "2026-03-01T10:00:00",
    ]


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("2026-04-17T09:10Z", "2026-04-17T09:10:00Z"),
        ("2026-04-17T09:10:00+02:00", "2026-04-17T07:10:00Z"),
        ("2026-04-17T09:10:00", "2026-04-17T21:10:00Z"),  # no zone: it is not UTC that it means
        ("2026-04-17", "2026-04-18T11:59:59.999999Z"),
        ("at seizure", None),
        ("", None),
    ],
)
def test_the_latest_that_a_stated_time_can_mean(text: str, means: str | None) -> None:
    at = latest(text)
    assert (None if at is None else instant_text(at)) == means
