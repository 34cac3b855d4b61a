"""People whose records meet on several devices: namesakes, shared lines, numbers handed on, names and numbers in many forms.

Numbers are those that the German regulator keeps free for film and television (Bundesnetzagentur, Verfügung 52/2021:
mobile 0171 39200xx, 0176 040690xx; fixed 030 23125xxx, 069 90009xxx), addresses lie under example.com and .test (RFC 2606).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from wigmore.generator.draws import draws
from wigmore.generator.world import FAMILY, GIVEN

OFFICE = "office@castell-bau.example.com"
SERVICES = ("posteo.test", "mailbox.test", "postfach.test")


@dataclass(frozen=True, slots=True)
class Member:
    """One person, with everything that some device may hold of them. Numbers are E.164, the first is the usual one."""

    number: int
    given: str
    family: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    landline: str = ""  # shared with somebody
    office: str = ""  # a mailbox that several read
    family_mail: str = ""  # a couple's one address
    pet_name: str = ""  # how the owner's own telephone calls them

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given} {self.family}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of one address book, and whom it is of."""

    member: int
    given: str
    family: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]


@dataclass(slots=True)
class Circle:
    """The people of one case, and how three devices name them."""

    members: list[Member]
    books: dict[str, list[Entry]] = field(default_factory=dict)
    passed_on: dict[str, tuple[int, int]] = field(default_factory=dict)  # number: who had it, who has it


def national(number: str) -> str:
    """A German number as it is dialled inside the country, with the spaces people write."""
    digits = "0" + number.removeprefix("+49")
    return f"{digits[:4]} {digits[4:7]} {digits[7:]}"


def spaced(number: str) -> str:
    """An international number with spaces and a dash."""
    return f"{number[:3]} {number[3:6]} {number[6:9]}-{number[9:]}"


def dialled(number: str) -> str:
    """An international number with the zeros dialled for the plus sign."""
    return "00" + number.removeprefix("+")


def circle(seed: int, people: int = 20) -> Circle:
    """Draw a circle: a fifth of the people are namesakes in pairs, two lines, a mailbox and
    a couple's address are shared, one number is passed on.

    Raises ValueError for fewer than ten people or more than forty.
    """
    if not 10 <= people <= 40:
        raise ValueError(f"a circle is of ten to forty people, not {people}")
    draw = draws(f"circle {seed}")
    mobiles = [f"+49171392{n:04d}" for n in range(100)] + [f"+4917604069{n:03d}" for n in range(100)]
    mobiles = draw.sample(mobiles, len(mobiles))
    lines = [f"+493023125{n:03d}" for n in draw.sample(range(1000), 10)]
    names = draw.sample([(g, f) for g in GIVEN for f in FAMILY], people)
    twins = people // 10
    for pair in range(twins):  # the same name twice, twice
        names[2 * pair + 1] = names[2 * pair]
    names[2 * twins] = (names[2 * twins][0], names[2 * twins + 1][1])  # a family of two behind one line
    members = []
    for number, (given, family) in enumerate(names):
        local = f"{given}.{family}".lower()
        emails = [f"{local}{draw.randrange(10, 99)}@{draw.choice(SERVICES)}"]
        if draw.random() < 0.3:
            emails.append(f"{given[0]}{family}{draw.randrange(1, 9)}@kontor.example.com".lower())
        phones = [mobiles.pop()] + ([mobiles.pop()] if draw.random() < 0.25 else [])
        members.append(
            Member(
                number,
                given,
                family,
                tuple(phones),
                tuple(emails),
                lines[0] if number in (0, 1) else lines[1] if number in (2 * twins, 2 * twins + 1) else "",
                OFFICE if number in (2, 3, 2 * twins + 2) else "",  # namesakes 2 and 3 share it too
                f"familie.{family}@posteo.test".lower() if number in (2 * twins, 2 * twins + 1) else "",
                draw.choice(("Mama", "Chefin", "Nachbar", given[:4])) if draw.random() < 0.15 else "",
            )
        )
    made = Circle(members)
    giver, taker = people - 1, people - 2
    made.passed_on[members[giver].phones[0]] = (giver, taker)
    for book in ("laptop", "iphone", "tablet"):
        made.books[book] = [e for m in members for e in _entries(draw, made, m, book)]
    return made


def _entries(draw: random.Random, made: Circle, member: Member, book: str) -> list[Entry]:
    if draw.random() < 0.1:
        return []  # not everybody is in every book
    phones, emails = list(member.phones), list(member.emails)
    if len(phones) > 1 and draw.random() < 0.5:
        phones = [phones[0 if book != "laptop" else 1]]  # each device knows another number: the address ties them
    elif draw.random() < 0.3:
        emails = []
    elif draw.random() < 0.15:
        phones = []  # known by mail alone
    if book == "iphone" and len(emails) > 1:
        emails = emails[:1]
    for number, (giver, taker) in made.passed_on.items():
        if member.number == giver:
            if book == "laptop":
                emails = list(member.emails)  # the old book still has it
            else:
                phones = [p for p in phones if p != number]
                emails = list(member.emails)
        if member.number == taker and book != "laptop":
            phones.append(number)
    given, family = member.given, member.family
    if member.pet_name and book == "iphone":
        given, family = member.pet_name, ""
    elif draw.random() < 0.15:
        given = given[0] + "."
    elif draw.random() < 0.15:
        given, family = f"{family},", given
    elif draw.random() < 0.1:
        given = f"Dr. {given}"
    if member.landline and draw.random() < 0.8:
        phones.append(member.landline)
        if draw.random() < 0.1:
            phones, emails = [member.landline], emails[:1]  # the old entry: the line, and perhaps an address
    if member.family_mail and draw.random() < 0.7:
        emails = [member.family_mail] if draw.random() < 0.1 else [*emails, member.family_mail]
    if member.office and draw.random() < 0.8:
        emails.append(member.office)
    forms: dict[str, tuple[Callable[[str], str], ...]] = {
        "laptop": (national, spaced, str),
        "iphone": (str, spaced, dialled),
        "tablet": (national, str),
    }
    shape = draw.choice(forms[book])
    shown = [shape(p) for p in phones]
    if not shown and not emails:
        return []
    shown_mail = [e.title() if draw.random() < 0.2 else e for e in emails]
    return [Entry(member.number, given, family, tuple(shown), tuple(shown_mail))]
