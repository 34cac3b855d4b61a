"""A circle of people as a laptop (cards, mail), an iPhone and an Android tablet (books, messages, calls) hold it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from wigmore.generator.android import buildprop, contacts2, mmssms
from wigmore.generator.draws import draws
from wigmore.generator.ios import addressbook, callhistory, plists, sms, whatsapp
from wigmore.generator.mail import mbox, vcard
from wigmore.generator.people import OFFICE, Circle, Entry, Member, national
from wigmore.model.identifiers import classify

START = datetime(2025, 3, 3, 8, 0, 0, tzinfo=UTC)
OWNER = ("Rosa Lindqvist", "rosa.lindqvist@posteo.test", "+4917281234567")
MOBILE = "private/var/mobile"
PROVIDERS = "data/data/com.android.providers"
TALK = ("Running late", "Thanks!", "See you at lunch", "Call me", "ok")
DEVICES = ("laptop", "iphone", "tablet")


def devices(target: Path, circle: Circle, seed: int) -> list[Path]:
    """Write the three devices below a folder; their folders, in the order of DEVICES."""
    draw = draws(f"devices {seed}")
    _laptop(target / "laptop", circle, draw)
    _iphone(target / "iphone", circle, draw, seed)
    _tablet(target / "tablet", circle, draw, seed)
    return [target / name for name in DEVICES]


def _place(folder: Path, path: str) -> Path:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def _moment(draw: random.Random) -> datetime:
    return START + timedelta(seconds=draw.randrange(60 * 86_400))


def reached(circle: Circle, member: Member) -> str:
    """The number under which a phone reaches a person: the first that was not handed on to somebody else."""
    had = [n for n, (giver, _) in circle.passed_on.items() if giver == member.number]
    return next((p for p in member.phones if p not in had), "")


def _laptop(folder: Path, circle: Circle, draw: random.Random) -> None:
    book = [vcard.Card(e.given, e.family, e.phones, e.emails) for e in circle.books["laptop"]]
    _place(folder, "Users/rosa/Documents/contacts.vcf").write_bytes(vcard.cards(book))
    owner = OWNER[:2]
    letters = []
    for member in draw.sample(circle.members, len(circle.members) * 2 // 3):
        shown = draw.choice((member.name, f"{member.family}, {member.given}", ""))
        for _ in range(draw.randrange(1, 4)):
            party = (shown, draw.choice(member.emails))
            sender, recipient = (owner, party) if draw.random() < 0.5 else (party, owner)
            letters.append(mbox.Mail(_moment(draw), sender, (recipient,), "Lunch", draw.choice(TALK)))
    mail = "Users/rosa/AppData/Roaming/Thunderbird/Profiles/a1b2c3d4.default/Mail/Local Folders/Inbox"
    _place(folder, mail).write_bytes(mbox.mailbox(letters))


def _iphone(folder: Path, circle: Circle, draw: random.Random, seed: int) -> None:
    people = [
        addressbook.Contact(
            e.given, e.family, _first(e.phones), _first(e.emails), "", START, "", e.phones[1:], e.emails[1:]
        )
        for e in circle.books["iphone"]
    ]
    addressbook.contacts(_place(folder, f"{MOBILE}/Library/AddressBook/AddressBook.sqlitedb"), people)
    parties = [m for m in circle.members if reached(circle, m) and draw.random() < 0.8]
    texts = [
        sms.Message(_moment(draw), reached(circle, m), draw.choice(TALK), draw.random() < 0.5)
        for m in parties
        for _ in range(draw.randrange(1, 4))
    ]
    sms.messages(_place(folder, f"{MOBILE}/Library/SMS/sms.db"), texts, OWNER[1], salt=seed)
    calls = [
        callhistory.Call(_moment(draw), reached(circle, m), float(draw.randrange(0, 90)), draw.random() < 0.5, True)
        for m in parties[::2]
    ]
    callhistory.calls(_place(folder, f"{MOBILE}/Library/CallHistoryDB/CallHistory.storedata"), calls)
    chats = [
        whatsapp.Message(
            _moment(draw), reached(circle, m), draw.choice((m.name, m.given)), draw.choice(TALK), draw.random() < 0.5
        )
        for m in parties[1::2]
    ]
    shared = f"{MOBILE}/Containers/Shared/AppGroup/6F0B1C52-0000-4000-8000-0000000000AA/ChatStorage.sqlite"
    whatsapp.chats(_place(folder, shared), chats)
    numbers = draws(f"iphone {seed}")
    udid, serial = f"{numbers.getrandbits(160):040x}", "F" + "".join(numbers.choices("ABCDGHJKLMNPQ2456789", k=11))
    ark = _place(folder, "private/var/root/Library/Lockdown/data_ark.plist")
    ark.write_bytes(plists.data_ark("Rosa's iPhone", OWNER[2], "Europe/Berlin", udid, serial))


def _tablet(folder: Path, circle: Circle, draw: random.Random, seed: int) -> None:
    people = [
        contacts2.Contact(e.given, e.family, _first(e.phones), _first(e.emails), "", START, e.phones[1:], e.emails[1:])
        for e in circle.books["tablet"]
    ]
    contacts2.contacts(_place(folder, f"{PROVIDERS}.contacts/databases/contacts2.db"), people, OWNER[1])
    parties = [m for m in circle.members if reached(circle, m) and draw.random() < 0.6]
    texts = [  # sent ones as they were dialled, received ones as the network gives them
        mmssms.Message(_moment(draw), national(number).replace(" ", "") if sent else number, draw.choice(TALK), sent)
        for number in (reached(circle, m) for m in parties)
        for sent in draw.choices((True, False), k=draw.randrange(1, 3))
    ]
    mmssms.messages(_place(folder, f"{PROVIDERS}.telephony/databases/mmssms.db"), texts, ())
    calls = [
        contacts2.Call(_moment(draw), reached(circle, m), draw.randrange(0, 90), contacts2.OUTGOING)
        for m in parties[::3]
    ]
    contacts2.calls(_place(folder, f"{PROVIDERS}.contacts/databases/calllog.db"), calls)
    text = buildprop.build_properties("Demo T9", "Exampletab", "11", 30, "2022-05-05", START)
    _place(folder, "system/build.prop").write_bytes(text)


def _first(values: tuple[str, ...]) -> str:
    return values[0] if values else ""


def shown_name(entry: Entry) -> str:
    """An entry's name as its book shows it."""
    return f"{entry.given} {entry.family}".strip()


def of_whom(circle: Circle, device: str, identifiers: Iterable[tuple[str, str]]) -> int | None:
    """Whose an entity with these (type, value) on a device is; None for the owner, and for lines and mailboxes of several."""
    known: dict[str, set[str]] = {"name": set(), "phone": set(), "email": set()}
    for what, value in identifiers:
        known.get(what, set()).add(value)
    if known["name"]:
        for entry in circle.books[device]:
            if {shown_name(entry)} == known["name"] and {*entry.phones, *entry.emails} == known["phone"] | known[
                "email"
            ]:
                return entry.member
        return None
    keys = {classify(what, value, "DE").value for what in ("phone", "email") for value in known[what]}
    keys -= {OFFICE, *(m.family_mail for m in circle.members), *(m.landline for m in circle.members)}
    for number, (_, taker) in circle.passed_on.items():
        if number in keys:
            return taker
    return next((m.number for m in circle.members if keys & {*m.phones, *m.emails}), None)
