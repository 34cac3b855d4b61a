"""Times as logs write them, turned into INTERFACE's time; what a log does not write (year, zone) is not made up."""

from __future__ import annotations

import re
from typing import Any

from wigmore.model.times import Time, iso

MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
APACHE = re.compile(rf"(\d\d)/({MONTH})/(\d{{4}}):(\d\d:\d\d:\d\d)(?:\.(\d+))? ?([+-]\d{{4}})?$", re.I)
CLOCK = re.compile(r"(\d\d?):(\d\d)(?::(\d\d)(?:[.,:](\d{1,9}))?)?(?: ?([AaPp])\.?[Mm]\.?)?$")


def written(
    text: str, raw: Any = None, zone: str | None = None, source: str | None = None, owner: str = "host"
) -> Time | None:
    """An ISO text as a time that keeps what the log really wrote as its raw value."""
    time = iso(text, owner, zone, source)
    if time is not None and raw is not None:
        time["raw"] = raw
    return time


def assembled(
    year: int,
    month: int,
    day: int,
    clock: str,
    zone: str = "",
    *,
    raw: str,
    source: str | None = None,
    utc: bool = False,
) -> Time | None:
    """A time from numbers and a clock text (`9:05:01.25 PM`, `09:05`); without zone it stays local. None if
    impossible.
    """
    match = CLOCK.match(clock.strip())
    if not match:
        return None
    hour, minute, second, fraction, half = match.groups()
    hours = int(hour) % 12 + (12 if half in "Pp" else 0) if half else int(hour)
    if year < 100:
        year += 1900 if year >= 70 else 2000
    text = (
        f"{year:04d}-{month:02d}-{day:02d}T{hours:02d}:{minute}:{second or '00'}"
        f"{'.' + fraction if fraction else ''}{zone}"
    )
    time = written(text, raw, "Z" if utc else None, source)
    if time is not None and second is None:
        time["precision"] = 60.0
    return time


def month_number(name: str) -> int:
    """1 to 12 for an English month name or its first three letters; 0 for anything else."""
    return MONTHS.get(name[:3].lower(), 0)


def yearless(month: int, day: int, clock: str, raw: str) -> Time | None:
    """A month, day and clock without year and zone (RFC 3164): the text starts `--MM-DD`, the instant is unknown."""
    match = CLOCK.match(clock)
    if not match or not 1 <= month <= 12 or not 1 <= day <= DAYS[month - 1]:
        return None
    hour, minute, second, fraction, _ = match.groups()
    if int(hour) > 23 or int(minute) > 59 or int(second or 0) > 60:
        return None
    digits = f".{fraction}" if fraction else ""
    return {
        "text": f"--{month:02d}-{day:02d}T{int(hour):02d}:{minute}:{second or '00'}{digits}",
        "instant": None,
        "zone": "local-unknown",
        "raw": raw,
        "owner": "host",
        "precision": 10.0 ** -len(fraction) if fraction else 1.0,
        "zone_source": "neither year nor zone written",
    }


def apache(text: str) -> Time | None:
    """`13/Jan/2016:19:31:16 +0200` (Common Log Format); without an offset the time stays local."""
    match = APACHE.match(text)
    if not match:
        return None
    day, month, year, clock, fraction, zone = match.groups()
    clock = f"{clock}.{fraction}" if fraction else clock
    return assembled(int(year), month_number(month), int(day), clock, zone or "", raw=text)
