"""Times: what is stored, and how it reads elsewhere."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from wigmore.model.times import aware, filetime, in_zone, iso, posix


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("2026-03-01T10:00:00Z", "2026-03-01T11:00:00+01:00"),
        ("2026-07-01T10:00:00.1234567Z", "2026-07-01T12:00:00.1234567+02:00"),
        ("2026-03-01T10:00:00", "2026-03-01T10:00:00"),
        ("2026-03-01T10:00:00+05:00", "2026-03-01T10:00:00+05:00"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),  # no such time there
        ("2026-13-01T10:00:00Z", "2026-13-01T10:00:00Z"),
        ("no time", "no time"),
    ],
)
def test_a_time_in_utc_reads_in_another_zone_with_its_digits(text: str, wanted: str) -> None:
    assert in_zone(text, ZoneInfo("Europe/Paris")) == wanted


def test_early_years_are_written_with_four_digits() -> None:
    early = posix(-62_135_596_800)
    assert early is not None and early["text"] == "0001-01-01T00:00:00Z"
    later = filetime(132_223_104_000_000_001)
    assert later is not None and later["text"] == "2020-01-01T00:00:00.0000001Z"


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00"])
def test_a_time_that_has_no_year_in_utc_keeps_its_text_and_has_no_instant(text: str) -> None:
    written, stored = iso(text), aware(datetime.fromisoformat(text), None)
    assert written is not None and written["text"] == stored["text"] == text
    assert written["instant"] is stored["instant"] is None


def test_an_offset_of_a_day_or_more_is_no_time() -> None:
    assert iso("2022-01-01T00:00:00+24:00") is None
    assert iso("2022-01-01T00:00:00-99:99") is None
