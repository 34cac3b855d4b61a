"""Address book, call history and voicemail of iOS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import Data, Query, apple, clock, named, read_queries, seconds
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Yield
from wigmore.registry import parser

PROPERTIES = {
    3: "phones", 4: "emails", 5: "addresses", 12: "dates", 13: "instant_messages", 16: "ringtones", 22: "urls",
    23: "related_names", 46: "social_profiles",
}  # fmt: skip
LABEL = re.compile(r"_\$!<(.*)>!\$_$")
CALL_TYPES = {0: "third-party app", 1: "telephone", 8: "FaceTime video", 16: "FaceTime audio"}

BOOK = Layout(
    paths=("addressbook.sqlitedb",),
    tables=(("ABPerson", ("First", "Last")), ("ABMultiValue", ("record_id", "property", "value"))),
)
CALLS = Layout(paths=("callhistory.storedata",), tables=(("ZCALLRECORD", ("ZADDRESS", "ZDATE", "ZDURATION")),))
OLD_CALLS = Layout(paths=("call_history.db",), tables=(("call", ("address", "date", "duration", "flags")),))
VOICEMAIL = Layout(
    paths=("voicemail.db",), tables=(("voicemail", ("sender", "callback_num", "duration", "trashed_date")),)
)


def label(text: Any) -> str:
    """A contact label without Apple's marks for built-in ones."""
    match = LABEL.match(str(text or ""))
    return match[1] if match else str(text or "")


def _person(data: Data, database: Database) -> None:
    data["name"] = " ".join(
        str(data[p]) for p in ("Prefix", "First", "Middle", "Last", "Suffix") if data.get(p)
    ) or data.get("Organization")
    labels = database.has("ABMultiValueLabel", "value")
    entries = database.has("ABMultiValueEntry", "parent_id", "key", "value") and database.has(
        "ABMultiValueEntryKey", "value"
    )
    values = database.related(
        "SELECT v.UID, v.property, v.value, " + ("l.value" if labels else "NULL") + " FROM ABMultiValue v "
        + ("LEFT JOIN ABMultiValueLabel l ON l.ROWID = v.label " if labels else "")
        + "WHERE v.record_id = ? ORDER BY v.property, v.identifier, v.UID",
        data["ROWID"],
    )  # fmt: skip
    for uid, number, value, name in values:
        kind = PROPERTIES.get(number, f"property_{number}")
        if value is None and entries:
            parts = database.related(
                "SELECT k.value, e.value FROM ABMultiValueEntry e LEFT JOIN ABMultiValueEntryKey k ON k.ROWID = e.key "
                "WHERE e.parent_id = ? ORDER BY e.key",
                uid,
            )
            value = ", ".join(f"{key}: {part}" for key, part in parts)
        if isinstance(value, bytes):
            value = shown(value)
        text = f"{label(name)}: {value}" if name else str(value)
        data.setdefault(kind, []).append(text)
    if database.has("ABGroupMembers", "group_id", "member_id") and database.has("ABGroup", "Name"):
        groups = database.related(
            "SELECT g.Name FROM ABGroupMembers m JOIN ABGroup g ON g.ROWID = m.group_id WHERE m.member_id = ? "
            "ORDER BY g.ROWID",
            data["ROWID"],
        )
        if groups:
            data["groups"] = [group for (group,) in groups]


PERSON = Query(
    "ios.contact",
    ("ABPerson p", "LEFT JOIN ABStore s ON s.ROWID = p.StoreID"),
    "p.ROWID p.First p.Middle p.Last p.Prefix p.Suffix p.Nickname p.Organization p.Department p.JobTitle p.Note p.Kind "
    "p.Birthday p.DisplayName p.CreationDate:created p.ModificationDate:modified p.ExternalIdentifier "
    "p.ExternalUUID p.guid "
    "s.Name:store s.StoreInternalIdentifier",
    "p.ROWID",
    {"created": apple, "modified": apple},
    derive=_person,
)


def _call(data: Data, database: Database) -> None:
    address = data.get("ZADDRESS")
    data["ZADDRESS"] = shown(address) if isinstance(address, bytes) else address
    outgoing = data.get("ZORIGINATED") == 1
    data["direction"] = "outgoing" if outgoing else "incoming"
    data["answered"] = "n/a (outgoing)" if outgoing else bool(data.get("ZANSWERED"))
    data["duration"] = clock(data.get("ZDURATION"))
    named(data, "ZCALLTYPE", CALL_TYPES, "call_type")
    link = next((t for t in database.tables if re.fullmatch(r"Z_\d+REMOTEPARTICIPANTHANDLES", t, re.IGNORECASE)), None)
    if link and database.has("ZHANDLE", "ZVALUE"):
        ours = next(
            (c for c in database.tables[link] if re.fullmatch(r"Z_\d+REMOTEPARTICIPANTCALLS", c, re.IGNORECASE)), None
        )
        theirs = next((c for c in database.tables[link] if c != ours and c.upper().startswith("Z_")), None)
        if ours and theirs:
            people = database.related(
                f'SELECT h.ZVALUE FROM "{link}" l JOIN ZHANDLE h ON h.Z_PK = l."{theirs}" '
                f'WHERE l."{ours}" = ? ORDER BY h.Z_PK',
                data["Z_PK"],
            )
            data["participants"] = [value for (value,) in people]


CALL = Query(
    "ios.call",
    ("ZCALLRECORD c",),
    "c.Z_PK c.ZADDRESS c.ZNAME c.ZDATE c.ZDURATION c.ZORIGINATED c.ZANSWERED c.ZCALLTYPE c.ZSERVICE_PROVIDER "
    "c.ZISO_COUNTRY_CODE c.ZLOCATION c.ZDISCONNECTED_CAUSE c.ZREAD c.ZFACE_TIME_DATA c.ZUNIQUE_ID c.ZJUNKCONFIDENCE "
    "c.ZHANDLE_TYPE",
    "c.Z_PK",
    {"ZDATE": apple},
    derive=_call,
)


def _old_call(data: Data, database: Database) -> None:
    flags = data.get("flags")
    if isinstance(flags, int):
        data["direction"] = "outgoing" if flags & 1 else "incoming"
        data["type"] = "FaceTime" if flags & 16 else "telephone"
    data["duration_clock"] = clock(data.get("duration"))


OLD_CALL = Query(
    "ios.call",
    ("call c",),
    "c.ROWID c.address c.date c.duration c.flags c.id c.name c.country_code c.network_code c.read c.face_time_data",
    "c.ROWID",
    {"date": seconds},
    derive=_old_call,
)
MAIL = Query(
    "ios.voicemail",
    ("voicemail v",),
    "v.ROWID v.remote_uid v.date v.sender v.callback_num v.duration v.expiration v.trashed_date v.flags "
    "v.receiver v.label",
    "v.ROWID",
    {"date": seconds, "expiration": seconds, "trashed_date": apple},
    ("date",),
)


@parser(
    "ios.contacts", claims=BOOK,
    reads="AddressBook.sqlitedb of iOS",
    means="the contact with these numbers and addresses is stored",
    does_not_mean="that contact was ever made, or who is behind the name; contacts are synchronised",
    refs=("https://developer.apple.com/documentation/addressbook",), artifacts=(PERSON.artifact,),
)  # fmt: skip
def contacts(file: EvidenceFile) -> Iterator[Yield]:
    """One record a person with every number and address, labelled."""
    yield from read_queries(file, BOOK, (PERSON,))


@parser(
    "ios.calls", claims=CALLS,
    reads="CallHistory.storedata of iOS 8 and later and of macOS",
    means="the call was logged with this number, direction and length",
    does_not_mean="who spoke, or that it was made on this device (the list is synchronised)",
    refs=("https://developer.apple.com/documentation/callkit",), artifacts=(CALL.artifact,),
)  # fmt: skip
def calls(file: EvidenceFile) -> Iterator[Yield]:
    """One record a call."""
    yield from read_queries(file, CALLS, (CALL,))


@parser(
    "ios.calls_old", claims=OLD_CALLS,
    reads="call_history.db of iOS before version 8",
    means="the call was logged with this number, direction and length",
    does_not_mean="who spoke",
    refs=("https://www.sqlite.org/fileformat2.html",), artifacts=(OLD_CALL.artifact,),
)  # fmt: skip
def old_calls(file: EvidenceFile) -> Iterator[Yield]:
    """One record a call."""
    yield from read_queries(file, OLD_CALLS, (OLD_CALL,))


@parser(
    "ios.voicemail", claims=VOICEMAIL,
    reads="voicemail.db of iOS",
    means="a voice message of this sender was stored",
    does_not_mean="that it was heard",
    refs=("https://www.sqlite.org/fileformat2.html",), artifacts=(MAIL.artifact,),
)  # fmt: skip
def voicemail(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message."""
    yield from read_queries(file, VOICEMAIL, (MAIL,))
