"""The engineer's iPhone as an extracted folder tree: messages, calls, contacts, browser, chats, device data."""

from __future__ import annotations

from datetime import datetime, timedelta

from wigmore.generator import shown
from wigmore.generator.case import Case
from wigmore.generator.ios import addressbook, callhistory, plists, safari, sms, whatsapp
from wigmore.generator.truth import Source

SOURCE, FOLDER = "src-iphone", "iphone"
MOBILE = "private/var/mobile"
TALK = (
    "Running late, start without me",
    "Thanks!",
    "See you at lunch",
    "Can you send the agenda?",
    "Train is full today",
    "ok",
)


def build(case: Case) -> None:
    """Write the extraction."""
    world = case.world
    case.add_source(
        Source(
            SOURCE,
            "iPhone of the engineer",
            "mobile_extraction",
            "tree",
            "ios",
            f"evidence/{FOLDER}",
            world.zone,
            world.engineer.name,
        )
    )
    _messages(case)
    _calls(case)
    _contacts(case)
    _browser(case)
    _chats(case)
    _device(case)


def _messages(case: Case) -> None:
    world, path = case.world, f"{MOBILE}/Library/SMS/sms.db"
    draw = world.random("sms")
    stored = [
        sms.Message(
            world.at(-30, "08:00:03") + timedelta(seconds=draw.randrange(30 * 86_400)),
            world.colleague.phone,
            draw.choice(TALK),
            draw.random() < 0.5,
        )
        for _ in range(10 + case.noise // 10)
    ]
    if case.guilty:
        stored += [
            sms.Message(
                world.at(0, "19:40:12"),
                world.rival.phone,
                f"We would need the {world.project} hub before you sign",
                False,
            ),
            sms.Message(
                world.at(0, "19:44:30"),
                world.rival.phone,
                f"Tuesday 18:40 at the {world.place}, I bring the stick on Friday",
                True,
            ),
        ]
        for message in stored[-2:]:
            case.plant(
                f"Message {'to' if message.sent else 'from'} the number {message.party}",
                SOURCE,
                path,
                "ios.sms",
                (message.party, message.text, shown.cocoa_ns(message.at)),
                "contact_between_parties",
            )
    last = sms.Message(
        world.at(4, "18:20:05"),
        world.rival.phone if case.guilty else world.colleague.phone,
        f"Password of the archive is {world.password}" if case.guilty else "Have a nice weekend",
        True,
    )
    sms.messages(case.place(FOLDER, path), stored, world.engineer.email, [last], world.seed + 7)
    for suffix in ("", "-wal"):
        case.date(FOLDER, path + suffix, world.at(4, "18:20:06"))
    case.plant(
        "The last message stands only in the write-ahead log",
        SOURCE,
        path,
        "ios.sms",
        (last.party, last.text, shown.cocoa_ns(last.at)),
        "contact_between_parties" if case.guilty else None,
    )


def _calls(case: Case) -> None:
    world, path = case.world, f"{MOBILE}/Library/CallHistoryDB/CallHistory.storedata"
    records = [
        callhistory.Call(world.at(-5, "12:10:00"), world.colleague.phone, 184.0, True, True),
        callhistory.Call(world.at(2, "09:05:31"), world.namesake.phone, 0.0, False, False),
    ]
    case.decoy(
        f"The engineer spoke with {world.rival.given} on the Wednesday",
        "a missed call of no length, from the namesake's number, not the rival's",
        SOURCE,
        path,
        (world.namesake.phone, shown.cocoa(records[1].at)),
        "contact_between_parties",
    )
    if case.guilty:
        call = callhistory.Call(world.at(0, "20:01:09"), world.rival.phone, 431.0, True, True)
        records.append(call)
        case.plant(
            f"An answered outgoing call of 431 seconds to {world.rival.phone}",
            SOURCE,
            path,
            "ios.call",
            (world.rival.phone, "431", shown.cocoa(call.at)),
            "contact_between_parties",
        )
    callhistory.calls(case.place(FOLDER, path), records)
    case.date(FOLDER, path, world.at(4, "18:00:00"))


def _contacts(case: Case) -> None:
    world, path = case.world, f"{MOBILE}/Library/AddressBook/AddressBook.sqlitedb"
    people = [
        addressbook.Contact(
            world.colleague.given,
            world.colleague.family,
            world.colleague.phone,
            world.colleague.email,
            "Northwind Turbines",
            world.at(-390, "10:00:00"),
        ),
        addressbook.Contact(
            world.namesake.given,
            world.namesake.family,
            world.namesake.phone,
            world.namesake.email,
            "Swimming club",
            world.at(-200, "18:00:00"),
        ),
        addressbook.Contact(
            world.rival.given,
            world.rival.family,
            world.rival.phone,
            world.rival.email,
            "Rivaldyne",
            world.at(-10, "21:12:00"),
        ),
    ]
    addressbook.contacts(case.place(FOLDER, path), people)
    case.date(FOLDER, path, world.at(-10, "21:12:01"))
    case.plant(
        f"The number {world.rival.phone} is stored as {world.rival.name} of Rivaldyne",
        SOURCE,
        path,
        "ios.contact",
        (world.rival.given, world.rival.family, world.rival.phone),
        None,  # an entry shows an identity, never a contact
    )
    case.decoy(
        f"{world.namesake.name} is the rival's contact person",
        "a club member of the same given name",
        SOURCE,
        path,
        (world.namesake.given, world.namesake.family, world.namesake.phone),
        "contact_between_parties",
    )


def _browser(case: Case) -> None:
    world, path = case.world, f"{MOBILE}/Library/Safari/History.db"
    at = world.at(1, "17:55:20")
    url = f"https://maps.example.com/?q={world.place.replace(' ', '+')}"
    visits = [
        safari.Visit(world.at(-1, "21:00:00"), "https://news.example.com/", "Example News"),
        safari.Visit(at, url, f"{world.place} - Maps"),
    ]
    safari.history(case.place(FOLDER, path), visits)
    case.date(FOLDER, path, at)
    case.plant(
        f"Safari holds a visit to a map of the {world.place}",
        SOURCE,
        path,
        "browser.safari.visit",
        (url, shown.cocoa(at)),
        "device_at_place",
    )


def _chats(case: Case) -> None:
    world = case.world
    path = f"{MOBILE}/Containers/Shared/AppGroup/6F0B1C52-0000-4000-8000-0000000000AA/ChatStorage.sqlite"
    records = [
        whatsapp.Message(
            world.at(-6, "19:00:02"), world.colleague.phone, world.colleague.name, "Who brings the cake?", False
        )
    ]
    if case.guilty:
        sent = whatsapp.Message(
            world.at(3, "21:02:17"), world.rival.phone, world.rival.name, f"{world.project} is on its way", True
        )
        records.append(sent)
        case.plant(
            "A WhatsApp message to the rival's number names the project",
            SOURCE,
            path,
            "ios.whatsapp.message",
            (sent.text, sent.party.lstrip("+"), shown.cocoa(sent.at)),
            "contact_between_parties",
        )
    whatsapp.chats(case.place(FOLDER, path), records)
    case.date(FOLDER, path, world.at(3, "21:02:18"))


def _device(case: Case) -> None:
    world = case.world
    version = "System/Library/CoreServices/SystemVersion.plist"
    case.write(FOLDER, version, plists.system_version(), world.at(-100, "10:00:00"))
    case.plant("The telephone runs iOS 15.7.1 (19H117)", SOURCE, version, "ios.device", ("15.7.1", "19H117"))
    ark = "private/var/root/Library/Lockdown/data_ark.plist"
    name = f"{world.engineer.given}'s iPhone"
    content = plists.data_ark(name, world.engineer.phone, world.zone, world.udid, world.iphone_serial)
    case.write(FOLDER, ark, content, world.at(-1, "07:00:00"))
    case.plant("The telephone's name", SOURCE, ark, "ios.device", (name,))
    line = "private/var/wireless/Library/Preferences/com.apple.commcenter.device_specific_nobackup.plist"
    case.write(FOLDER, line, plists.line(world.engineer.phone, world.imei), world.at(-1, "07:00:02"))
    case.plant("The telephone's IMEI", SOURCE, line, "ios.device", (world.imei,))
    case.plant("The telephone's own number", SOURCE, line, "ios.device", (world.engineer.phone,))
    wifi = "private/var/preferences/com.apple.wifi.known-networks.plist"
    joined: datetime = world.at(1, "18:29:40")
    networks = [
        plists.Network("Home-5G", "02:00:5e:10:20:30", world.at(-350, "19:00:00"), world.at(4, "07:00:00")),
        plists.Network("Riverside_Guest", world.bssid, joined, joined),
    ]
    case.write(FOLDER, wifi, plists.known_networks(networks), joined)
    case.plant(
        "The telephone joined Riverside_Guest on the Tuesday evening",
        SOURCE,
        wifi,
        "ios.wifi_network",
        ("Riverside_Guest", shown.posix(joined)),
        "device_at_place",
    )
