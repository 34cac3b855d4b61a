"""Calendar, reminders, mail index, health samples and Bluetooth devices of iOS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.generic.plist import flat, load_plist
from wigmore.artifacts.generic.plist_reader import is_plist
from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import Data, Query, apple, clock, named, read_queries, seconds
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.protocols import EvidenceFile, ParseError, Record, Yield
from wigmore.model.times import posix
from wigmore.registry import Claim, parser

ILEAPP = "https://github.com/abrignoni/iLEAPP/tree/main/scripts/artifacts"
APOLLO = "https://github.com/mac4n6/APOLLO/tree/master/modules"
CALENDAR = Layout(
    paths=("calendar.sqlitedb",),
    tables=(("CalendarItem", ("summary", "start_date", "calendar_id")), ("Calendar", ("title",))),
)
REMINDERS = Layout(tables=(("ZREMCDREMINDER", ("ZTITLE", "ZCREATIONDATE")),))
OLD_REMINDERS = Layout(tables=(("ZREMCDOBJECT", ("ZTITLE", "ZCREATIONDATE", "ZDUEDATE")),))
MAIL = Layout(
    paths=("envelope index", "protected index"),
    tables=(("messages", ("subject", "sender", "date_received", "mailbox")), ("mailboxes", ("url",))),
)
HEALTH = Layout(
    paths=("healthdb_secure.sqlite",),
    tables=(
        ("samples", ("data_id", "start_date", "end_date", "data_type")),
        ("quantity_samples", ("data_id", "quantity")),
    ),
)
PAIRED = Layout(tables=(("PairedDevices", ("Uuid", "Name", "Address")),))
OTHER = Layout(tables=(("OtherDevices", ("Uuid", "Name", "Address")),))


def _event(data: Data, database: Database) -> None:
    data["all_day"] = data.pop("all_day", None) == 1
    row = data["_row"]
    start, end = row.get("start_date"), row.get("end_date")
    if isinstance(start, (int, float)) and isinstance(end, (int, float)):
        data["duration"] = clock(end - start)
    if database.has("Participant", "owner_id", "email"):
        found = database.related(
            "SELECT email FROM Participant WHERE owner_id = ? AND email IS NOT NULL ORDER BY ROWID", data["ROWID"]
        )
        if found:
            data["participants"] = [str(email) for (email,) in found]


EVENT = Query(
    "ios.calendar_event",
    ("CalendarItem i", "LEFT JOIN Calendar c ON c.ROWID = i.calendar_id", "LEFT JOIN Location l ON l.ROWID = i.location_id",
     "LEFT JOIN Store s ON s.ROWID = c.store_id"),
    "i.ROWID i.summary i.description i.start_date i.start_tz i.end_date i.end_tz i.all_day i.creation_date i.last_modified "
    "i.url i.unique_identifier i.status i.conference_url c.title:calendar s.name:store l.title:location l.address l.latitude "
    "l.longitude",
    "i.ROWID",
    {"start_date": apple, "end_date": apple, "creation_date": apple, "last_modified": apple},
    ("start_date",),
    derive=_event,
)  # fmt: skip


def _done(data: Data, database: Database) -> None:
    for name in ("ZCOMPLETED", "ZFLAGGED", "ZMARKEDFORDELETION"):
        if name in data:
            data[name.removeprefix("Z").lower()] = data.pop(name) == 1


REMINDER_COLUMNS = (
    "r.Z_PK r.ZTITLE r.ZTITLE1 r.ZNOTES r.ZCREATIONDATE r.ZLASTMODIFIEDDATE r.ZDUEDATE r.ZDISPLAYDATEDATE r.ZCOMPLETIONDATE "
    "r.ZCOMPLETED r.ZFLAGGED r.ZMARKEDFORDELETION r.ZLATITUDE:latitude r.ZLONGITUDE:longitude r.ZADDRESS l.ZNAME:list"
)
REMINDER_TIMES = dict.fromkeys(
    ("ZCREATIONDATE", "ZLASTMODIFIEDDATE", "ZDUEDATE", "ZDISPLAYDATEDATE", "ZCOMPLETIONDATE"), apple
)
REMINDER = Query(
    "ios.reminder", ("ZREMCDREMINDER r", "LEFT JOIN ZREMCDBASELIST l ON l.Z_PK = r.ZLIST"), REMINDER_COLUMNS, "r.Z_PK",
    REMINDER_TIMES, derive=_done,
)  # fmt: skip
OLD_REMINDER = Query(
    "ios.reminder",
    ("ZREMCDOBJECT r",),
    REMINDER_COLUMNS,
    "r.Z_PK",
    REMINDER_TIMES,
    where="r.ZTITLE IS NOT NULL",
    derive=_done,
)


def _mail(data: Data, database: Database) -> None:
    if database.has("recipients", "message", "address") and database.has("addresses", "address"):
        key = "message_id" if database.has("recipients", "message_id") else "message"
        found = database.related(
            f"SELECT a.address, a.comment FROM recipients r JOIN addresses a ON a.ROWID = r.address WHERE r.{key} = ? "
            "ORDER BY r.ROWID",
            data["ROWID"],
        ) if database.has("addresses", "comment") else []  # fmt: skip
        if found:
            data["to"] = [f"{name} <{address}>" if name else str(address) for address, name in found]
    for name in ("read", "flagged", "deleted"):
        if isinstance(data.get(name), int):
            data[name] = data[name] == 1


MESSAGE = Query(
    "ios.mail",
    ("messages m", "LEFT JOIN mailboxes b ON b.ROWID = m.mailbox", "LEFT JOIN subjects s ON s.ROWID = m.subject",
     "LEFT JOIN addresses a ON a.ROWID = m.sender", "LEFT JOIN summaries u ON u.ROWID = m.summary"),
    "m.ROWID m.message_id m.date_sent m.date_received m.display_date m.date_last_viewed m.read m.flagged m.deleted m.size "
    "m.conversation_id m.subject_prefix m.subject:subject_number m.sender:sender_number s.subject a.address:from "
    "a.comment:from_name u.summary b.url:mailbox",
    "m.ROWID",
    {"date_sent": seconds, "date_received": seconds, "display_date": seconds, "date_last_viewed": seconds},
    ("date_received", "date_sent"),
    derive=_mail,
)  # fmt: skip

TYPES = {
    0: "body mass index", 1: "height", 2: "body fat", 3: "body mass", 5: "heart rate", 7: "steps",
    8: "distance walking or running",
    9: "basal energy (kcal)", 10: "active energy (kcal)", 12: "flights climbed", 63: "sleep", 67: "weekly energy",
    70: "stand hours", 75: "exercise minutes", 79: "workout", 83: "distance cycling", 118: "resting heart rate",
    137: "walking heart rate", 139: "heart rate variability", 172: "environmental audio", 173: "headphone audio",
}  # fmt: skip
WORKOUTS = {13: "cycling", 16: "elliptical", 20: "functional strength", 24: "hiking", 35: "rowing", 37: "running", 46: "swimming",
            50: "strength", 52: "walking", 57: "yoga", 63: "high intensity intervals", 3000: "other"}  # fmt: skip


def _sample(data: Data, database: Database) -> None:
    named(data, "data_type", TYPES)
    row = data["_row"]
    start, end = row.get("start_date"), row.get("end_date")
    if isinstance(start, (int, float)) and isinstance(end, (int, float)):
        data["duration_seconds"] = round(end - start, 3)


SAMPLE = Query(
    "ios.health_sample",
    ("samples s", "LEFT JOIN quantity_samples q ON q.data_id = s.data_id",
     "LEFT JOIN category_samples c ON c.data_id = s.data_id", "LEFT JOIN objects o ON o.data_id = s.data_id",
     "LEFT JOIN data_provenances p ON p.ROWID = o.provenance", "LEFT JOIN unit_strings u ON u.ROWID = q.original_unit"),
    "s.data_id s.data_type s.start_date s.end_date q.quantity q.original_quantity u.unit_string:unit c.value:category "
    "o.creation_date p.origin_product_type p.origin_build p.tz_name p.source_version",
    "s.data_id",
    {"start_date": apple, "end_date": apple, "creation_date": apple},
    derive=_sample,
)  # fmt: skip


def _workout(data: Data, database: Database) -> None:
    named(data, "activity_type", WORKOUTS)
    data["duration_clock"] = clock(data.get("duration"))
    if database.has("metadata_values", "object_id", "key_id") and database.has("metadata_keys", "key"):
        for key, text, number in database.related(
            "SELECT k.key, v.string_value, v.numerical_value FROM metadata_values v JOIN metadata_keys k ON k.ROWID = v.key_id "
            "WHERE v.object_id = ? ORDER BY v.ROWID",
            data["data_id"],
        ):
            data[f"metadata.{key}"] = text if text is not None else number


WORKOUT = Query(
    "ios.workout",
    ("workouts w", "LEFT JOIN samples s ON s.data_id = w.data_id",
     "LEFT JOIN workout_activities a ON a.owner_id = w.data_id"),
    "w.data_id w.activity_type w.duration w.total_distance w.total_energy_burned w.goal s.start_date s.end_date "
    "a.activity_type:activity_type a.duration:duration a.start_date:activity_start",
    "w.data_id",
    {"start_date": apple, "end_date": apple, "activity_start": apple},
    derive=_workout,
)  # fmt: skip
POINT = Query(
    "ios.workout_place",
    ("location_series_data l",),
    "l.series_identifier l.timestamp l.latitude l.longitude l.altitude l.speed l.course l.horizontal_accuracy "
    "l.vertical_accuracy",
    "l.rowid",
    {"timestamp": apple},
)
DEVICE = Query(
    "ios.bluetooth_device",
    ("PairedDevices d",),
    "d.Uuid d.Name d.NameOrigin d.Address d.ResolvedAddress d.LastSeenTime d.LastConnectionTime",
    "d.rowid",
    {"LastSeenTime": seconds, "LastConnectionTime": seconds},
    ("LastConnectionTime", "LastSeenTime"),
    derive=lambda data, database: data.update(paired=True),
)
SEEN = Query(
    "ios.bluetooth_device",
    ("OtherDevices d",),
    "d.Uuid d.Name d.NameOrigin d.Address d.ResolvedAddress d.LastSeenTime d.LastConnectionTime",
    "d.rowid",
    {"LastSeenTime": seconds, "LastConnectionTime": seconds},
    ("LastSeenTime",),
    derive=lambda data, database: data.update(paired=False),
)


@parser(
    "ios.calendar", claims=CALENDAR,
    reads="Calendar.sqlitedb of iOS",
    means="this event is entered in that calendar, for that time and place",
    does_not_mean="that it took place or who attended; calendars are synchronised and can be subscribed to",
    refs=(ILEAPP, "https://developer.apple.com/documentation/eventkit"), artifacts=(EVENT.artifact,),
)  # fmt: skip
def calendar(file: EvidenceFile) -> Iterator[Yield]:
    """One record an event with calendar, place and participants."""
    yield from read_queries(file, CALENDAR, (EVENT,))


@parser(
    "ios.reminders", claims=REMINDERS,
    reads="Reminders databases of iOS 16 and later",
    means="this reminder is entered, due or completed then",
    does_not_mean="by whom; lists are synchronised and shared",
    refs=(ILEAPP,), artifacts=(REMINDER.artifact,),
)  # fmt: skip
def reminders(file: EvidenceFile) -> Iterator[Yield]:
    """One record a reminder."""
    yield from read_queries(file, REMINDERS, (REMINDER,))


@parser(
    "ios.reminders_old", claims=OLD_REMINDERS,
    reads="Reminders databases of iOS 13 to 15",
    means="this reminder is entered, due or completed then",
    does_not_mean="by whom; lists are synchronised and shared",
    refs=(ILEAPP,), artifacts=(REMINDER.artifact,),
)  # fmt: skip
def old_reminders(file: EvidenceFile) -> Iterator[Yield]:
    """One record a reminder."""
    yield from read_queries(file, OLD_REMINDERS, (OLD_REMINDER,))


@parser(
    "ios.mail_index", claims=MAIL,
    reads="Envelope Index and Protected Index of Mail on iOS and macOS",
    means="Mail listed this message in that mailbox, with these parties and times",
    does_not_mean="its full content, or that it was read by a person; the read mark is an account's",
    refs=(ILEAPP,), artifacts=(MESSAGE.artifact,),
)  # fmt: skip
def mail_index(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message."""
    yield from read_queries(file, MAIL, (MESSAGE,))


@parser(
    "ios.health", claims=HEALTH,
    reads="healthdb_secure.sqlite of iOS: samples, workouts, places along workouts",
    means="a device or program recorded this measure for that span",
    does_not_mean="whose body was measured; sources differ by device and can be entered by hand",
    refs=(APOLLO, "https://developer.apple.com/documentation/healthkit/data_types"),
    artifacts=(SAMPLE.artifact, WORKOUT.artifact, POINT.artifact),
)  # fmt: skip
def health(file: EvidenceFile) -> Iterator[Yield]:
    """One record a sample, a workout, a place."""
    yield from read_queries(file, HEALTH, (SAMPLE, WORKOUT, POINT))


@parser(
    "ios.bluetooth_paired", claims=PAIRED,
    reads="com.apple.MobileBluetooth.ledevices.paired.db of iOS",
    means="this low-energy device was paired, last seen and connected then",
    does_not_mean="who used it",
    refs=(ILEAPP,), artifacts=(DEVICE.artifact,),
)  # fmt: skip
def bluetooth_paired(file: EvidenceFile) -> Iterator[Yield]:
    """One record a device."""
    yield from read_queries(file, PAIRED, (DEVICE,))


@parser(
    "ios.bluetooth_seen", claims=OTHER,
    reads="com.apple.MobileBluetooth.ledevices.other.db of iOS",
    means="this low-energy device was in range at that time",
    does_not_mean="that it was paired or known to a person; addresses are often random and short-lived",
    refs=(ILEAPP,), artifacts=(SEEN.artifact,),
)  # fmt: skip
def bluetooth_seen(file: EvidenceFile) -> Iterator[Yield]:
    """One record a device."""
    yield from read_queries(file, OTHER, (SEEN,))


@parser(
    "ios.bluetooth_classic",
    claims=Claim(paths=("com.apple.mobilebluetooth.devices.plist",), look=lambda head, path, size: is_plist(head)),
    reads="com.apple.MobileBluetooth.devices.plist of iOS",
    means="this device is paired under that name, last seen then",
    does_not_mean="who used it",
    refs=(ILEAPP,),
    artifacts=("ios.bluetooth_device",),
)
def bluetooth_classic(file: EvidenceFile) -> Iterator[Yield]:
    """One record a device by address."""
    root = load_plist(file)
    if not isinstance(root, dict):
        raise ParseError(file.path, None, "not a dictionary", "schema_unknown")
    for address, device in root.items():
        if not isinstance(device, dict):
            continue
        data, times = flat({k: v for k, v in device.items() if k != "LinkKey"})  # keys of the connection stay out
        seen: Any = device.get("LastSeenTime")
        if isinstance(seen, (int, float)) and (time := posix(seen)) is not None:
            times["LastSeenTime"] = time
            data.pop("LastSeenTime", None)
        row = {"Address": str(address), "paired": True, **data}
        dated = "LastSeenTime" if "LastSeenTime" in times else None
        yield {"kind": "key", "key": str(address)}, Record(row, times, dated, artifact="ios.bluetooth_device")
