"""Any log whose lines start with a date and a clock: time, level and message, where no known format claims it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wigmore.artifacts.logs.clock import MONTH, assembled, month_number
from wigmore.artifacts.logs.framework import dated, entries, present, text_format
from wigmore.model.protocols import EvidenceFile, Record, Yield
from wigmore.model.times import Time

_CLOCK = r"(?P<clock>\d{1,2}:\d\d:\d\d(?:[.,:]\d{1,9})?(?: ?[AaPp][Mm])?)"
_ZONE = r"(?: ?(?P<zone>Z\b|UTC\b|GMT\b|[+-]\d\d:?\d\d\b))?"
# dates of one possible order only; 3/4/2020 is either, so such lines stay undated (`stamp` holds the text)
START = re.compile(
    rf"[\[(<\"]?(?P<stamp>(?:(?P<year>\d{{4}})(?P<s>[-/.])(?P<month>\d\d)(?P=s)(?P<day>\d\d)"
    rf"|(?P<day2>\d{{1,2}})[. /-](?P<name>{MONTH})[a-z]*[. /-](?P<year2>\d{{4}})"
    rf"|(?:[A-Z][a-z]{{2}},? )?(?P<name2>{MONTH})[a-z]* {{1,2}}(?P<day3>\d{{1,2}}),? (?P<year3>\d{{4}})"
    rf"|(?P<day4>\d\d)\.(?P<month4>\d\d)\.(?P<year4>\d{{4}})"
    rf"|(?P<either>\d{{1,2}}[/-]\d{{1,2}}[/-]\d{{2,4}}))[ T,_-]{{1,3}}{_CLOCK}{_ZONE})[\])>\"]?[\s:|,;-]*(?P<rest>.*)"
)
_LEVEL = re.compile(
    r"[\[(<]?\s*(?P<level>TRACE|DEBUG|INFO|INFORMATION|NOTICE|WARN(?:ING)?|ERR(?:OR)?|SEVERE|CRITICAL|FATAL|FINE(?:R|ST)?|VERBOSE)\b\s*[\])>]?[\s:|-]*",
    re.I,
)


def _score(listed: tuple[str, ...]) -> float:
    kept = [text for text in listed if text.strip() and text[0] not in " \t#"]
    hits = sum(1 for text in kept if START.match(text))
    return hits / len(kept) if hits >= 2 else 0.0


def _time(match: re.Match[str]) -> Time | None:
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    if "either" in found:
        return None
    year = int(found.get("year") or found.get("year2") or found.get("year3") or found["year4"])
    day = int(found.get("day") or found.get("day2") or found.get("day3") or found["day4"])
    name = found.get("name") or found.get("name2")
    month = month_number(name) if name else int(found.get("month") or found["month4"])
    zone = found.get("zone", "")
    return assembled(year, month, day, found["clock"], "Z" if zone in ("UTC", "GMT") else zone, raw=found["stamp"])


def _build(match: re.Match[str], text: str) -> Record:
    rest = match["rest"]
    level = _LEVEL.match(rest)
    data: dict[str, object] = {
        "level": level["level"].lower() if level else None,
        "message": (rest[level.end() :] if level else rest) + text[match.end() :],
    }
    time = _time(match)
    if time is None:
        data["stamp"] = match["stamp"]
    return dated(present(data), logged_at=time)


@text_format(
    "logs.stamped",
    _score,
    weight=0.3,
    reads="text logs of any program whose lines start with a date and a clock (log4j, logging, NLog, installers, "
    "synchronisers)",
    means="the program wrote this line with this time",
    does_not_mean="whose clock or zone it is where none is written; month and day of dates like 3/4/2020, which stay "
    "undated",
    refs=("ISO 8601", "RFC 3339"),
)
def stamped(file: EvidenceFile) -> Iterator[Yield]:
    """One record an entry; lines without a time (stack traces, values) belong to the entry before."""
    yield from entries(file, START, _build, joins=re.compile(r""))
