"""Telephone contact: an iPhone and an Android telephone; were their numbers in contact, or did one side only try?"""

from __future__ import annotations

from datetime import datetime, timedelta

from wigmore.generator import shown
from wigmore.generator.android import buildprop, contacts2, mmssms
from wigmore.generator.case import Case
from wigmore.generator.ios import addressbook, callhistory, plists, sms
from wigmore.generator.truth import Source

TITLE = "Telephone contact"
FRAME = "contact_between_parties"
IPHONE, ANDROID = "src-iphone", "src-android"
SMS = "private/var/mobile/Library/SMS/sms.db"
CALLS = "private/var/mobile/Library/CallHistoryDB/CallHistory.storedata"
BOOK = "private/var/mobile/Library/AddressBook/AddressBook.sqlitedb"
PROVIDERS = "data/data/com.android.providers"
TEXTS = f"{PROVIDERS}.telephony/databases/mmssms.db"
LOG = f"{PROVIDERS}.contacts/databases/calllog.db"
SERVICES = ("+18885550199", "+18885550177", "+18885550144")
NOTICES = ("Your code is 204817", "Your parcel arrives today", "Your bill for this month is ready", "Balance: 12.40")
ASKS = (
    "Please call me back about the offer",
    "We met at the fair, are you free on Friday?",
    "Is this still your number?",
)
ANSWERS = (
    "Friday is fine, at the usual place",
    "Not by telephone, I write to you tomorrow",
    "Yes. Bring the drawings with you",
)


def build(case: Case) -> str:
    """Write both telephones (or one); returns the case's description.

    Guilty: texts both ways, calls that were answered, or both, on both telephones. Innocent: one side wrote or rang without
    an answer, or reached a voice box, and both telephones say so. Ambiguous: the messages of both telephones were not acquired,
    or the other telephone was not, and a short call is all there is.
    """
    world, dice = case.world, case.world.random("contact")
    ambiguous, innocent = case.variant == "ambiguous", case.variant == "innocent"
    both = not ambiguous or dice.random() < 0.5
    owner, party = world.engineer.phone, world.rival.phone
    by_owner = dice.random() < 0.5  # who began
    way = dice.choice(("texts", "calls", "both"))
    first = world.at(dice.randrange(0, 6), f"{dice.randrange(9, 21):02d}:{dice.randrange(10, 59)}:12")
    said: list[tuple[datetime, str, bool]] = []  # time, text, whether the iPhone's side sent it
    rung: list[tuple[datetime, int, bool, bool]] = []  # time, seconds, whether the iPhone rang, whether answered
    if case.guilty and not ambiguous and way != "calls":
        asks, answers = dice.sample(ASKS, 2), dice.sample(ANSWERS, 2)
        for number in range(dice.randrange(2, 5)):
            text = (answers if number % 2 else asks)[number // 2 % 2] + "." * (number // 4)
            said.append((first + timedelta(minutes=7 * number), text, by_owner == (number % 2 == 0)))
    if case.guilty and not ambiguous and way != "texts":
        rung.append((first + timedelta(hours=3), dice.randrange(70, 900), by_owner, True))
    if innocent:
        said += [(first + timedelta(hours=n), text, by_owner) for n, text in enumerate(dice.sample(ASKS, 2))]
        rung += [(first + timedelta(hours=9 + n), 0, by_owner, False) for n in range(dice.randrange(1, 4))]
    if (innocent and way != "texts") or ambiguous:  # a voice box took it; or somebody did
        by_owner = True
        rung.append((first + timedelta(hours=15), dice.randrange(8, 38), True, True))
    _iphone(case, party, said, rung, texts=not ambiguous or both)
    if both:
        _android(case, owner, said, [] if innocent else rung, rung if innocent else [], texts=not ambiguous)
    shown_calls = [r for r in rung if r[1]]
    if shown_calls:
        at, seconds, _, _ = shown_calls[0]
        there = (party, str(seconds), shown.cocoa(at))
        case.plant(f"A call of {seconds} seconds with {party}", IPHONE, CALLS, "ios.call", there, FRAME)
    if said and not innocent:
        there = (party, said[0][1], shown.cocoa_ns(said[0][0]))
        case.plant(f"A message with {party}", IPHONE, SMS, "ios.sms", there, FRAME)
        held = (owner, said[0][1])
        case.plant("The other telephone holds it", ANDROID, TEXTS, "android.sms", held, FRAME)
    missed = (world.namesake.phone, "0")
    case.decoy(
        f"The owner spoke with {world.namesake.name}", "a missed call of no length", IPHONE, CALLS, missed, FRAME
    )
    case.ask(f"Were the numbers {owner} and {party} in contact?", FRAME, (party,) if case.variant == "guilty" else ())
    verdicts = {"guilty": "supported", "innocent": "not_supported", "ambiguous": "cannot_say"}
    case.expect(FRAME, verdicts[case.variant])
    if said:  # both telephones hold the same text
        case.expect("message_as_shown", "supported")
    return f"Were the holders of {owner} and {party} in contact around {first:%Y-%m-%d}?"


def _notices(case: Case, purpose: str) -> list[tuple[datetime, str, str]]:
    """Texts of services, which nobody answers."""
    dice = case.world.random(purpose)
    return [
        (case.world.at(day, f"{dice.randrange(8, 22):02d}:05:00"), dice.choice(SERVICES), dice.choice(NOTICES))
        for day in range(-15, 10, max(1, 5 - case.noise // 20))
    ]


def _iphone(
    case: Case,
    party: str,
    said: list[tuple[datetime, str, bool]],
    rung: list[tuple[datetime, int, bool, bool]],
    texts: bool,
) -> None:
    world, folder = case.world, "iphone"
    label = "iPhone of the owner"
    case.add_source(
        Source(IPHONE, label, "mobile_extraction", "tree", "ios", f"evidence/{folder}", world.zone, world.engineer.name)
    )
    if texts:
        stored = [sms.Message(at, who, text, False, "SMS") for at, who, text in _notices(case, "iphone")]
        stored += [sms.Message(at, party, text, sent) for at, text, sent in said]
        sms.messages(case.place(folder, SMS), stored, world.engineer.phone)
        case.date(folder, SMS, world.at(10, "09:00:00"))
        case.needs(IPHONE, SMS)
    calls = [callhistory.Call(at, party, float(seconds), ours, got) for at, seconds, ours, got in rung]
    calls.append(callhistory.Call(world.at(2, "09:05:31"), world.namesake.phone, 0.0, False, False))
    callhistory.calls(case.place(folder, CALLS), calls)
    case.date(folder, CALLS, world.at(10, "09:00:00"))
    known = (world.rival, world.namesake, world.colleague)
    people = [addressbook.Contact(p.given, p.family, p.phone, p.email, "", world.at(-90, "10:00:00")) for p in known]
    addressbook.contacts(case.place(folder, BOOK), people)
    case.date(folder, BOOK, world.at(-90, "10:00:01"))
    line = "private/var/wireless/Library/Preferences/com.apple.commcenter.device_specific_nobackup.plist"
    case.write(folder, line, plists.line(world.engineer.phone, world.imei), world.at(-1, "07:00:02"))
    version = "System/Library/CoreServices/SystemVersion.plist"
    case.write(folder, version, plists.system_version(), world.at(-100, "10:00:00"))
    case.needs(IPHONE, CALLS, line)


def _android(
    case: Case,
    owner: str,
    said: list[tuple[datetime, str, bool]],
    answered: list[tuple[datetime, int, bool, bool]],
    missed: list[tuple[datetime, int, bool, bool]],
    texts: bool,
) -> None:
    """The other telephone: what it sent is what the iPhone got; a call that a voice box took is a missed one here."""
    world, folder = case.world, "android"
    label = "Android telephone of the other party"
    case.add_source(
        Source(
            ANDROID, label, "mobile_extraction", "tree", "android", f"evidence/{folder}", world.zone, world.rival.name
        )
    )
    if texts:
        stored = [mmssms.Message(at, who, text, False) for at, who, text in _notices(case, "android")]
        stored += [mmssms.Message(at + timedelta(seconds=1), owner, text, not sent) for at, text, sent in said]
        own = mmssms.Multimedia(world.at(-6, "12:00:00"), SERVICES[0], "Welcome", False, "", world.rival.phone)
        mmssms.messages(case.place(folder, TEXTS), stored, [own])
        case.date(folder, TEXTS, world.at(10, "09:00:00"))
        case.needs(ANDROID, TEXTS)
    if texts or not answered:
        calls = [
            contacts2.Call(at, owner, seconds, contacts2.INCOMING if ours else contacts2.OUTGOING)
            for at, seconds, ours, _ in answered
        ]
        calls += [
            contacts2.Call(at, owner, 0, contacts2.MISSED if ours else contacts2.OUTGOING) for at, _, ours, _ in missed
        ]
        contacts2.calls(case.place(folder, LOG), calls)
        case.date(folder, LOG, world.at(10, "09:00:00"))
        case.needs(ANDROID, LOG)
    made = world.at(-900, "10:00:00")
    content = buildprop.build_properties("Demo A11", "Examplephone", "11", 30, "2022-05-05", made)
    case.write(folder, "system/build.prop", content, made)
