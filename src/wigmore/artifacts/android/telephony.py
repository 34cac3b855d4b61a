"""Android's providers of messages, calls and contacts (mmssms.db, calllog.db, contacts2.db) and Google Messages."""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import Data, Query, clock, milliseconds, named, read_queries, seconds
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.protocols import EvidenceFile, Yield
from wigmore.registry import parser

ANDROID = "https://developer.android.com/reference/android/provider/"
SMS_TYPES = {1: "received", 2: "sent", 3: "draft", 4: "outbox", 5: "failed", 6: "queued"}
CALL_TYPES = {
    1: "incoming", 2: "outgoing", 3: "missed", 4: "voicemail", 5: "rejected", 6: "blocked", 7: "answered externally",
}  # fmt: skip
ADDRESS_TYPES = {129: "bcc", 130: "cc", 137: "from", 151: "to"}

MESSAGES = Layout(paths=("mmssms.db",), tables=(("sms", ("address", "date", "type", "body")), ("threads", ())))
CALLS = Layout(paths=("calllog.db",), tables=(("calls", ("number", "date", "duration", "type")),))
CONTACTS = Layout(
    paths=("contacts2.db",),
    tables=(("raw_contacts", ("display_name", "account_id")), ("data", ("mimetype_id", "raw_contact_id", "data1"))),
)
BUGLE = Layout(
    paths=("bugle_db",),
    tables=(("messages", ("conversation_id", "sender_id", "received_timestamp")),
            ("participants", ("normalized_destination",)),
            ("parts", ("message_id", "text"))),
)  # fmt: skip


def _sms(data: Data, database: Database) -> None:
    named(data, "type", SMS_TYPES, "direction")
    sent = data.get("type") in (2, 3, 4, 5, 6)
    party = data.get("address") or ""
    data["from"], data["to"] = ("Local User", party) if sent else (party, "Local User")


SMS = Query(
    "android.sms",
    ("sms s",),
    "s._id s.thread_id s.address s.person s.body s.subject s.date s.date_sent s.type s.read s.seen s.status s.locked "
    "s.error_code s.service_center s.protocol s.creator s.sub_id",
    "s._id",
    {"date": milliseconds, "date_sent": milliseconds},
    derive=_sms,
)


def _mms(data: Data, database: Database) -> None:
    named(data, "msg_box", {1: "received", 2: "sent", 3: "draft", 4: "outbox", 5: "failed"}, "direction")
    identifier = data["_id"]
    if database.has("addr", "msg_id", "address", "type"):
        for address, kind in database.related(
            "SELECT address, type FROM addr WHERE msg_id = ? ORDER BY _id", identifier
        ):
            who = "Local User" if address == "insert-address-token" else address
            data.setdefault(ADDRESS_TYPES.get(kind, f"address_{kind}"), []).append(who)
    if database.has("part", "mid", "ct", "text"):
        file_column = '"_data"' if database.has("part", "_data") else "NULL"
        parts = database.related(
            f"SELECT ct, name, text, {file_column} FROM part WHERE mid = ? ORDER BY seq, _id", identifier
        )
        data["body"] = "\n".join(str(text) for kind, _, text, _ in parts if kind == "text/plain" and text)
        data["parts"] = [{"type": k, "name": n, "file": f} for k, n, _, f in parts if k != "application/smil"]


MMS = Query(
    "android.mms",
    ("pdu p",),
    "p._id p.thread_id p.date p.date_sent p.msg_box p.read p.seen p.sub p.m_id p.ct_l p.m_type p.m_size p.tr_id "
    "p.creator "
    "p.text_only p.locked",
    "p._id",
    {"date": seconds, "date_sent": seconds},  # unlike SMS, MMS are stored in seconds
    derive=_mms,
)


def _call(data: Data, database: Database) -> None:
    named(data, "type", CALL_TYPES, "direction")
    data["duration_clock"] = clock(data.get("duration"))


CALL = Query(
    "android.call",
    ("calls c",),
    "c._id c.number c.date c.duration c.type c.name c.matched_number c.formatted_number c.normalized_number "
    "c.numbertype "
    "c.numberlabel c.countryiso c.geocoded_location c.presentation c.via_number c.is_read c.new c.last_modified "
    "c.subscription_component_name c.subscription_id c.phone_account_address c.data_usage c.features c.transcription "
    "c.voicemail_uri c.block_reason c.missed_reason c.call_screening_app_name c.lookup_uri",
    "c._id",
    {"date": milliseconds, "last_modified": milliseconds},
    derive=_call,
)
KINDS = {
    "phone_v2": "phones", "email_v2": "emails", "name": "names", "postal-address_v2": "addresses",
    "nickname": "nicknames",
    "organization": "organizations", "note": "notes", "website": "urls", "im": "instant_messages",
    "contact_event": "events",
    "relation": "relations", "photo": "", "group_membership": "", "identity": "",
}  # fmt: skip
PHONE_LABELS = {"1": "Home", "2": "Mobile", "3": "Work", "4": "Work fax", "5": "Home fax", "6": "Pager", "7": "Other",
                "12": "Main", "17": "Work mobile"}  # fmt: skip


def _contact(data: Data, database: Database) -> None:
    if not database.has("mimetypes", "mimetype"):
        return
    rows = database.related(
        "SELECT m.mimetype, d.data1, d.data2, d.data3, d.data4 FROM data d LEFT JOIN mimetypes m ON m._id = "
        "d.mimetype_id "
        "WHERE d.raw_contact_id = ? ORDER BY d._id",
        data["_id"],
    )
    for mimetype, first, second, third, fourth in rows:
        short = str(mimetype or "").rsplit("/", 1)[-1]
        kind = KINDS.get(short, "other")
        if not kind or first is None:
            continue
        text = str(first)
        if kind == "phones":
            text = f"{PHONE_LABELS.get(str(second), third or 'number')}: {first}"
            text += f" ({fourth})" if fourth and fourth != first else ""
        elif kind == "other":
            text = f"{short}: " + ", ".join(str(v) for v in (first, second, third) if v not in (None, ""))
        found = data.setdefault(kind, [])
        if text not in found:
            found.append(text)


CONTACT = Query(
    "android.contact",
    ("raw_contacts r", "LEFT JOIN accounts a ON a._id = r.account_id", "LEFT JOIN contacts c ON c._id = r.contact_id"),
    "r._id r.contact_id r.display_name r.display_name_alt r.sourceid r.deleted r.starred r.times_contacted "
    "r.last_time_contacted a.account_name a.account_type c.contact_last_updated_timestamp c.has_phone_number",
    "r._id",
    {"last_time_contacted": milliseconds, "contact_last_updated_timestamp": milliseconds},
    undated=True,
    derive=_contact,
)
DELETED = Query(
    "android.contact_deleted",
    ("deleted_contacts d",),
    "d.contact_id d.contact_deleted_timestamp",
    "d.rowid",
    {"contact_deleted_timestamp": milliseconds},
)


def _bugle(data: Data, database: Database) -> None:
    named(data, "message_protocol", {0: "SMS", 1: "MMS", 2: "MMS push", 3: "RCS"}, "protocol")
    status = data.get("message_status")
    sent = isinstance(status, int) and 1 <= status < 100  # 100 and above are incoming states
    data["direction"] = "sent" if sent else "received"
    sender = data.get("sender_full_name") or data.get("sender_number") or ""
    data["from"] = "Local User" if sent else sender
    data["to"] = data.get("conversation") if sent else "Local User"
    parts = database.related(
        "SELECT text, content_type, uri FROM parts WHERE message_id = ? ORDER BY _id", data["_id"]
    ) if database.has("parts", "message_id", "text", "content_type", "uri") else []  # fmt: skip
    data["text"] = "\n".join(text for text, _, _ in parts if isinstance(text, str) and text)
    files = [{"type": kind, "uri": uri} for _, kind, uri in parts if uri]
    if files:
        data["attachments"] = files


BUGLE_MESSAGE = Query(
    "android.google_messages",
    (
        "messages m",
        "LEFT JOIN participants p ON p._id = m.sender_id",
        "LEFT JOIN conversations c ON c._id = m.conversation_id",
    ),
    "m._id m.conversation_id m.sent_timestamp m.received_timestamp m.message_protocol m.message_status m.seen m.read "
    "m.sms_message_uri m.mms_subject m.rcs_message_id p.full_name:sender_full_name "
    "p.normalized_destination:sender_number "
    "c.name:conversation c.participant_normalized_destination:conversation_number",
    "m._id",
    {"received_timestamp": milliseconds, "sent_timestamp": milliseconds},
    ("sent_timestamp", "received_timestamp"),
    derive=_bugle,
)


@parser(
    "android.messages", claims=MESSAGES,
    reads="mmssms.db of Android's telephony provider",
    means="the device sent or received the message, as logged; SMS in milliseconds, MMS in seconds",
    does_not_mean="who typed or read it; RCS messages are kept elsewhere",
    refs=(ANDROID + "Telephony",), artifacts=(SMS.artifact, MMS.artifact),
)  # fmt: skip
def messages(file: EvidenceFile) -> Iterator[Yield]:
    """One record an SMS, one an MMS with its addresses and parts."""
    yield from read_queries(file, MESSAGES, (SMS, MMS))


@parser(
    "android.calls", claims=CALLS,
    reads="calllog.db, and contacts2.db of Android before version 7",
    means="the call was logged with this number, direction and length",
    does_not_mean="who spoke; rows can be written by programs",
    refs=(ANDROID + "CallLog.Calls",), artifacts=(CALL.artifact,),
)  # fmt: skip
def calls(file: EvidenceFile) -> Iterator[Yield]:
    """One record a call."""
    yield from read_queries(file, CALLS, (CALL,))


@parser(
    "android.contacts", claims=CONTACTS,
    reads="contacts2.db of Android",
    means="the contact with these numbers and addresses is stored for that account",
    does_not_mean="that contact was ever made, or who is behind the name",
    refs=(ANDROID + "ContactsContract",), artifacts=(CONTACT.artifact, DELETED.artifact),
)  # fmt: skip
def contacts(file: EvidenceFile) -> Iterator[Yield]:
    """One record a raw contact with all its values, one a deletion mark."""
    yield from read_queries(file, CONTACTS, (CONTACT, DELETED))


@parser(
    "android.google_messages", claims=BUGLE,
    reads="bugle_db of Google Messages",
    means="the app logged this message, its sender and conversation",
    does_not_mean="who typed or read it",
    refs=("https://android.googlesource.com/platform/packages/apps/Messaging/",), artifacts=(BUGLE_MESSAGE.artifact,),
)  # fmt: skip
def google_messages(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message with its text and attachments."""
    yield from read_queries(file, BUGLE, (BUGLE_MESSAGE,))
