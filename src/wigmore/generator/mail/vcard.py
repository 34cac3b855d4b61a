"""Address books as vCard 3.0, one file of many cards (RFC 2426)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Card:
    """One card."""

    given: str
    family: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]


def cards(people: Iterable[Card]) -> bytes:
    """The file's bytes."""
    lines: list[str] = []
    for person in people:
        name = f"{person.given} {person.family}".strip()
        lines += [
            "BEGIN:VCARD",
            "VERSION:3.0",
            f"N:{_text(person.family)};{_text(person.given)};;;",
            f"FN:{_text(name)}",
        ]
        lines += [f"TEL;TYPE=CELL:{phone}" for phone in person.phones]
        lines += [f"EMAIL;TYPE=INTERNET:{email}" for email in person.emails]
        lines.append("END:VCARD")
    return "".join(line + "\r\n" for line in lines).encode()


def _text(value: str) -> str:
    return value.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")
