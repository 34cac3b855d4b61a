"""iCalendar files (.ics, .vcs): events, tasks and journal entries, invitations with their attendees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.mail.content_lines import Component, Property, components, moment
from wigmore.formats.mail import short
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import Time
from wigmore.registry import Claim, parser

KINDS = {"VEVENT": "event", "VTODO": "task", "VJOURNAL": "journal entry", "VFREEBUSY": "free/busy"}
TEXTS = {
    "SUMMARY": "summary", "LOCATION": "location", "DESCRIPTION": "description", "UID": "uid", "STATUS": "status",
    "CLASS": "class",
    "TRANSP": "transparency", "RRULE": "repeats", "RDATE": "also_on", "EXDATE": "not_on", "DURATION": "duration",
    "SEQUENCE": "sequence",
    "PRIORITY": "priority", "CATEGORIES": "categories", "URL": "url", "GEO": "position", "COMMENT": "comment",
    "CONTACT": "contact",
    "X-MICROSOFT-CDO-BUSYSTATUS": "busy_status", "X-WR-CALNAME": "calendar", "PERCENT-COMPLETE": "percent_complete",
    "X-ALT-DESC": "html_description", "X-GOOGLE-CONFERENCE": "conference", "X-MICROSOFT-SKYPETEAMSMEETINGURL": "conference",
}  # fmt: skip
STAMPS = {
    "DTSTART": "start", "DTEND": "end", "DUE": "due", "DTSTAMP": "stamped", "CREATED": "created", "LAST-MODIFIED": "modified",
    "COMPLETED": "completed", "RECURRENCE-ID": "instance",
}  # fmt: skip
MOST = 500


def _look(head: bytes, path: str, size: int) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:15].upper() == b"BEGIN:VCALENDAR"


@parser(
    "mail.icalendar",
    claims=Claim(look=_look),
    reads="iCalendar files (version 2.0) and vCalendar 1.0: events, tasks, journal entries, free/busy times",
    means="a calendar program wrote this entry; `stamped` is when it made this copy, `created` and `modified` as the "
    "calendar had them",
    does_not_mean="that the meeting took place, or that an attendee came, answered or knew of it; that the file's holder "
    "made the entry (invitations are received); the zone of a local time is a name whose rules the file may state itself",
    refs=("RFC 5545", "RFC 5546", "versit vCalendar 1.0"),
    artifacts=("mail.appointment",),
)
def icalendar(file: EvidenceFile) -> Iterator[Yield]:
    """One record an entry."""
    outer: dict[str, str] = {}
    for number, entry in enumerate(components(file, frozenset(KINDS), outer), 1):
        data, stamps = _entry(entry)
        for key, name in (
            ("VCALENDAR.METHOD", "method"),
            ("VCALENDAR.PRODID", "program"),
            ("VCALENDAR.X-WR-CALNAME", "calendar"),
        ):
            if outer.get(key):
                data.setdefault(name, short(outer[key], 300))
        dated = next((name for name in ("start", "due", "stamped", "created") if name in stamps), None)
        yield (
            {"kind": "offset", "number": number, "offset": entry.offset, "length": entry.length},
            Record(data, stamps, dated, artifact="mail.appointment"),
        )
        if not entry.closed:
            yield Gap(f"entry {number} has no end", entry.offset, "truncated")


def _entry(entry: Component) -> tuple[dict[str, Any], dict[str, Time]]:
    data: dict[str, Any] = {"entry": KINDS[entry.name]}
    stamps: dict[str, Time] = {}
    for one in entry.properties:
        if one.name in TEXTS:
            if text := one.text:
                data.setdefault(TEXTS[one.name], text)
        elif one.name in STAMPS:
            if time := moment(one):
                stamps.setdefault(STAMPS[one.name], time)
                if zone := (one.parameters.get("TZID") or [""])[0]:
                    data.setdefault("time_zone", zone)
            elif one.text:
                data[f"{STAMPS[one.name]}_text"] = short(one.text, 200)
        elif one.name == "ORGANIZER":
            data["organizer"] = _who(one)
        elif one.name == "ATTENDEE":
            known = data.setdefault("attendees", [])
            if len(known) < MOST:
                known.append(_who(one))
                answer = (one.parameters.get("PARTSTAT") or [""])[0]
                if answer:
                    data.setdefault("answers", {})[_address(one)] = answer.lower()
        elif one.name == "ATTACH":
            content = one.binary()
            name = (one.parameters.get("FILENAME") or one.parameters.get("X-FILENAME") or [""])[0]
            data.setdefault("attachments", []).append({"name": name, **(content or {"address": short(one.text, 500)})})
    alarms = entry.inside.count("VALARM")
    if alarms:
        data["alarms"] = alarms
    return data, stamps


def _address(one: Property) -> str:
    text = one.text
    return short(text[7:] if text.lower().startswith("mailto:") else text, 300)


def _who(one: Property) -> str:
    name = (one.parameters.get("CN") or [""])[0]
    address = _address(one)
    return f"{name} <{address}>" if name and name != address else address
