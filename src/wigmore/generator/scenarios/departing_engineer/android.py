"""The rival's Android telephone as an extracted folder tree: messages, contacts, calls, packages, browser."""

from __future__ import annotations

from datetime import timedelta

from wigmore.generator import shown
from wigmore.generator.android import buildprop, contacts2, mmssms, packages
from wigmore.generator.browser import chrome
from wigmore.generator.case import Case
from wigmore.generator.truth import Source

SOURCE, FOLDER = "src-android", "android"
PROVIDERS = "data/data/com.android.providers"


def build(case: Case) -> None:
    """Write the extraction."""
    world = case.world
    case.add_source(
        Source(
            SOURCE,
            "Android telephone of the rival's employee",
            "mobile_extraction",
            "tree",
            "android",
            f"evidence/{FOLDER}",
            world.zone,
            world.rival.name,
        )
    )
    _messages(case)
    _people(case)
    _system(case)
    _browser(case)


def _messages(case: Case) -> None:
    world, path = case.world, f"{PROVIDERS}.telephony/databases/mmssms.db"
    draw = world.random("mmssms")
    texts = [
        mmssms.Message(
            world.at(-30, "08:00:05") + timedelta(seconds=draw.randrange(33 * 86_400)),
            world.administrator.phone,
            draw.choice(("Meeting moved", "Call me", "Done", "Where are you?")),
            draw.random() < 0.5,
        )
        for _ in range(8 + case.noise // 10)
    ]
    pictures = []
    if case.guilty:
        sent = mmssms.Message(
            world.at(0, "19:40:11"),
            world.engineer.phone,
            f"We would need the {world.project} hub before you sign",
            True,
        )
        got = mmssms.Message(world.at(4, "18:31:50"), world.engineer.phone, "Friday worked. Delete this chat.", False)
        texts += [sent, got]
        for message in (sent, got):
            case.plant(
                f"SMS {'to' if message.sent else 'from'} the engineer's number",
                SOURCE,
                path,
                "android.sms",
                (message.address, message.body, shown.posix_ms(message.at)),
                "contact_between_parties",
            )
        picture = mmssms.Multimedia(
            world.at(1, "18:58:25"), world.engineer.phone, "the sketch", False, "sketch.jpg", world.rival.phone
        )
        pictures.append(picture)
        case.plant(
            "MMS from the engineer's number, dated in seconds",
            SOURCE,
            path,
            "android.mms",
            (picture.address, "the sketch", shown.posix(picture.at)),
            "contact_between_parties",
        )
    mmssms.messages(case.place(FOLDER, path), texts, pictures)
    case.date(FOLDER, path, world.at(4, "18:31:51"))


def _people(case: Case) -> None:
    world, path = case.world, f"{PROVIDERS}.contacts/databases/contacts2.db"
    people = [
        contacts2.Contact(
            world.administrator.given,
            world.administrator.family,
            world.administrator.phone,
            "",
            "",
            world.at(-100, "10:00:00"),
        ),
        contacts2.Contact(
            world.engineer.given[0] + ".", "Turbine", world.engineer.phone, "", "", world.at(-9, "20:30:00")
        ),
    ]
    contacts2.contacts(case.place(FOLDER, path), people, world.rival.email)
    case.date(FOLDER, path, world.at(-9, "20:30:01"))
    case.plant(
        f"The engineer's number is stored as {people[1].given} {people[1].family}",
        SOURCE,
        path,
        "android.contact",
        (world.engineer.phone, f"{people[1].given} {people[1].family}"),
        None,  # an entry shows an identity, never a contact
    )
    path = f"{PROVIDERS}.contacts/databases/calllog.db"
    records = [contacts2.Call(world.at(-2, "11:00:00"), world.administrator.phone, 65, contacts2.OUTGOING)]
    if case.guilty:
        call = contacts2.Call(world.at(0, "20:01:09"), world.engineer.phone, 430, contacts2.INCOMING)
        records.append(call)
        case.plant(
            "An incoming call of 430 seconds from the engineer's number",
            SOURCE,
            path,
            "android.call",
            (call.number, "430", shown.posix_ms(call.at)),
            "contact_between_parties",
        )
    contacts2.calls(case.place(FOLDER, path), records)
    case.date(FOLDER, path, world.at(0, "20:08:20"))


def _system(case: Case) -> None:
    world = case.world
    case.write(
        FOLDER,
        "system/build.prop",
        buildprop.build_properties("Demo A11", "Examplephone", "11", 30, "2022-05-05", world.at(-900, "10:00:00")),
        world.at(-900, "10:00:00"),
    )
    case.plant(
        "The telephone is an Examplephone Demo A11 with Android 11",
        SOURCE,
        "system/build.prop",
        "android.build_properties",
        ("Demo A11",),
    )
    installed = world.at(1, "22:14:09")
    known = [
        packages.Package(
            "com.android.settings", 30, world.at(-800, "10:00:00"), world.at(-800, "10:00:00"), system=True
        ),
        packages.Package(
            "com.whatsapp", 222480001, world.at(-500, "10:00:00"), world.at(-30, "10:00:00"), "com.android.vending"
        ),
        packages.Package("test.filehost.drop", 12, installed, installed, "com.google.android.packageinstaller"),
    ]
    case.write(FOLDER, "data/system/packages.xml", packages.packages_xml(known), installed)
    case.plant(
        "The file host's application was installed on the Tuesday, not from a store",
        SOURCE,
        "data/system/packages.xml",
        "android.package",
        ("test.filehost.drop", shown.posix_ms(installed)),
        "cloud_upload",
    )
    wifi = "data/misc/apexdata/com.android.wifi/WifiConfigStore.xml"
    case.write(FOLDER, wifi, packages.wifi_xml("Riverside_Guest", world.bssid), world.at(1, "18:30:30"))
    case.plant(
        "The telephone knows the network Riverside_Guest",
        SOURCE,
        wifi,
        "android.wifi_network",
        ("Riverside_Guest",),
        "device_at_place",
    )


def _browser(case: Case) -> None:
    world, path = case.world, "data/data/com.android.chrome/app_chrome/Default/History"
    at = world.at(3, "20:30:02")
    url = "https://drop.filehost.test/inbox" if case.guilty else "https://news.example.com/"
    chrome.history(case.place(FOLDER, path), [chrome.Visit(at, url, "Inbox" if case.guilty else "Example News")])
    case.date(FOLDER, path, at)
    case.plant(
        "Chrome on the telephone holds this visit",
        SOURCE,
        path,
        "browser.chromium.visit",
        (url, shown.webkit(at)),
        "cloud_upload" if case.guilty else None,
    )
