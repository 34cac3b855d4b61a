"""What the examiner states of a source's clock: intervals in which it was ahead of true time by so much.

A stated offset is a view on host-clock times, never a change of them: a stored time inside the interval reads `ahead` earlier.
Times of servers, satellites, cameras, authors and collectors have clocks of their own and are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wigmore.model.times import Time, instant_text, iso

HOST = "host"
KEYS = ("from", "to", "zone", "ahead", "basis")
OFFSET = re.compile(r"T.*[+-]\d\d:?\d\d$")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
MINUTE = re.compile(r"(.*T\d\d:\d\d)(Z|[+-]\d\d:\d\d)?")
DURATION = re.compile(r"([+-]?)P(?:(\d+)D)?(?:T(?:([+-]?\d+)H)?(?:([+-]?\d+)M)?(?:([+-]?\d+)(?:\.(\d{1,6}))?S)?)?")
ZONES_WEST, ZONES_EAST = 12 * 3_600_000_000, 14 * 3_600_000_000  # µs: the zones there are (IANA time zone database)
BEGINNING, END = -62_135_596_800_000_000, 253_402_300_799_999_999  # µs: years 1 to 9999


class ClockError(ValueError):
    """A clock that is stated in a way that cannot be used; the message names the key and what would do."""


@dataclass(frozen=True, slots=True)
class Interval:
    """From `start` to `end` (µs since 1970 UTC by the stored time, both inclusive) the clock was `ahead` µs ahead."""

    start: int
    end: int
    ahead: int
    basis: str
    zone: str = ""

    def said(self) -> str:
        """The interval in words, for a column beside a corrected time."""
        way = "ahead of" if self.ahead > 0 else "behind"
        return f"{duration(abs(self.ahead))} {way} true time" + (f" ({self.basis})" if self.basis else "")

    def to_yaml(self) -> str:
        """The interval as an entry of a source's `clocks:` in the case file."""
        basis = "".join(c if c.isalnum() or c in " .-" else " " for c in self.basis)
        return (
            f"{{from: {instant_text(self.start)}, to: {instant_text(self.end)}, ahead: {duration(self.ahead)}, "
            f"basis: {' '.join(basis.split())}}}"
        )


def read_intervals(entries: Iterable[Any]) -> tuple[Interval, ...]:
    """The `clocks` of a source in the case file, in order of time.

    Raises ClockError for unknown keys, what is no time, duration or zone, and for intervals that share an instant.
    """
    out = []
    for entry in entries:
        if not isinstance(entry, dict):
            raise ClockError(f"each clock is a mapping of {', '.join(KEYS)}, not {entry!r}")
        if unknown := sorted(set(entry) - set(KEYS)):
            raise ClockError(f"unknown keys {', '.join(unknown)}; known: {', '.join(KEYS)}")
        zone = str(entry.get("zone") or "")
        if zone:
            try:
                ZoneInfo(zone)
            except (ZoneInfoNotFoundError, ValueError, OSError) as error:
                raise ClockError(f"unknown zone {zone!r}; a name as in Europe/Paris, or UTC") from error
        start = bound("from", entry.get("from"), BEGINNING)
        end = bound("to", entry.get("to"), END, True)
        if end < start:
            raise ClockError(f"`to` ({entry['to']}) lies before `from` ({entry['from']})")
        out.append(
            Interval(start, end, microseconds(str(entry.get("ahead") or "PT0S")), entry.get("basis") or "", zone)
        )
    out.sort(key=lambda i: (i.start, i.end))
    for first, second in pairwise(out):
        if second.start <= first.end and first.ahead != second.ahead:
            raise ClockError(f"two intervals hold {instant_text(second.start)} and state different offsets")
    return tuple(out)


def bound(name: str, value: Any, default: int, last: bool = False) -> int:
    """A stated time in µs since 1970 UTC; a day alone means its first, or with `last` its last, microsecond."""
    if not value:
        return default
    text = str(value).strip()
    day = DAY.fullmatch(text) is not None
    if minute := MINUTE.fullmatch(text):
        text = f"{minute[1]}:00{minute[2] or ''}"
    time = iso(f"{text}T00:00:00" if day else text, zone="Z")
    if time is None:
        raise ClockError(f"`{name}` is no ISO 8601 time in UTC: {value!r}")
    return int(time["instant"]) + (86_400_000_000 - 1 if day and last else 0)


def latest(text: str) -> int | None:
    """The last instant (µs UTC) that a stated day or time can mean, in the westernmost zone where it names none.

    None for what is no time.
    """
    try:
        at = bound("time", text, END, True)
    except ClockError:
        return None
    return None if at == END else at if text.endswith("Z") or OFFSET.search(text) else at + ZONES_WEST


def microseconds(text: str) -> int:
    """An ISO 8601 duration of days, hours, minutes and seconds (`PT2M10S`, `-PT3H`) in µs; ClockError for anything else."""
    match = DURATION.fullmatch(text.strip())
    if not match or not any(match.groups()[1:]):
        raise ClockError(f"`ahead` is no ISO 8601 duration such as PT2M10S or -PT3H: {text!r}")
    sign, days, hours, minutes, seconds, fraction = match.groups()
    whole = ((int(days or 0) * 24 + int(hours or 0)) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    part = int((fraction or "").ljust(6, "0"))
    total = whole * 1_000_000 + (-part if (seconds or "").startswith("-") else part)
    return -total if sign == "-" else total


def duration(span: int) -> str:
    """Microseconds as an ISO 8601 duration."""
    seconds, rest = divmod(abs(span), 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{rest:06d}".rstrip("0") if rest else ""
    parts = [f"{hours}H" if hours else "", f"{minutes}M" if minutes else ""]
    parts.append(f"{seconds}{fraction}S" if seconds or fraction or not any(parts) else "")
    return ("-" if span < 0 else "") + "PT" + "".join(parts)


def interval_of(time: Time, intervals: Iterable[Interval]) -> Interval | None:
    """The interval that holds a known host-clock time; None for other clocks, unknown instants, and outside of all."""
    instant = time.get("instant")
    if time.get("owner") != HOST or instant is None:
        return None
    return next((i for i in intervals if i.start <= instant <= i.end), None)
