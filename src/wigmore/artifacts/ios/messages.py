"""Messages of iOS and macOS (sms.db, chat.db): SMS, MMS, iMessage and RCS with parties, chat and attachments."""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.generic.plist_reader import decode_blob
from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import Data, Query, apple, opened, read_queries, seconds
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.protocols import EvidenceFile, Yield
from wigmore.registry import parser

SMS = Layout(
    paths=("sms.db", "chat.db", "imessage_chat.db"),
    tables=(("message", ("text", "handle_id", "date", "is_from_me")), ("handle", ("id", "service"))),
)
OLD = Layout(tables=(("message", ("address", "date", "text", "flags")), ("msg_group", ())))
ITEMS = {
    0: "message", 1: "participant added or removed", 2: "group renamed", 3: "group left or photo",
    4: "location sharing",
    5: "audio kept", 6: "call",
}  # fmt: skip
TAPBACKS = {0: "loved", 1: "liked", 2: "disliked", 3: "laughed at", 4: "emphasized", 5: "questioned", 6: "reacted to"}


def _message(data: Data, database: Database) -> None:
    sent = data.get("is_from_me") == 1
    party = data.get("party") or data.get("chat_identifier") or ""
    data["direction"] = "sent" if sent else "received"
    data["from"] = "Local User" if sent else party
    if database.has("chat_handle_join", "chat_id", "handle_id") and data.get("chat_id") is not None:
        members = database.related(
            "SELECT h.id FROM chat_handle_join j JOIN handle h ON h.ROWID = j.handle_id WHERE j.chat_id = ? "
            "ORDER BY h.ROWID",
            data["chat_id"],
        )
        data["participants"] = [member for (member,) in members]
    others = [p for p in data.get("participants", []) if p != party] if not sent else data.get("participants", [])
    data["to"] = ", ".join(map(str, others)) or party if sent else ", ".join(["Local User", *map(str, others)])
    body = data.pop("attributedBody", None)
    if isinstance(body, bytes):
        text = decode_blob(body)
        if isinstance(text, str) and text != data.get("text"):
            data["attributed_text"] = text
    if isinstance(data.get("item_type"), int):
        data["item_type_name"] = ITEMS.get(data["item_type"], f"unknown ({data['item_type']})")
    kind = data.get("associated_message_type")
    if isinstance(kind, int) and 2000 <= kind < 4000:
        data["tapback"] = ("removed: " if kind >= 3000 else "") + TAPBACKS.get(kind % 1000, f"unknown ({kind})")
    opened(data, "payload_data", "message_summary_info")
    if database.has("message_attachment_join", "message_id", "attachment_id"):
        found = database.related(
            "SELECT a.filename, a.transfer_name, a.mime_type, a.total_bytes FROM message_attachment_join j "
            "JOIN attachment a ON a.ROWID = j.attachment_id WHERE j.message_id = ? ORDER BY a.ROWID",
            data["ROWID"],
        )
        if found:
            data["attachments"] = [
                {"filename": f[0], "transfer_name": f[1], "mime_type": f[2], "total_bytes": f[3]} for f in found
            ]


MESSAGE = Query(
    "ios.sms",
    ("message m", "LEFT JOIN handle h ON h.ROWID = m.handle_id",
     "LEFT JOIN chat_message_join j ON j.message_id = m.ROWID", "LEFT JOIN chat c ON c.ROWID = j.chat_id",
     "LEFT JOIN chat_recoverable_message_join d ON d.message_id = m.ROWID"),
    "m.ROWID m.guid m.text m.attributedBody m.subject m.service m.account m.date m.date_read m.date_delivered "
    "m.date_played m.date_edited m.date_retracted m.is_from_me m.is_read m.is_sent m.is_delivered m.error m.item_type "
    "m.group_title m.associated_message_guid m.associated_message_type m.balloon_bundle_id m.payload_data "
    "m.message_summary_info m.destination_caller_id m.reply_to_guid m.thread_originator_guid m.cache_roomnames "
    "m.is_audio_message m.expressive_send_style_id m.ck_sync_state h.id:party h.country h.uncanonicalized_id "
    "c.ROWID:chat_id c.chat_identifier c.display_name c.style:chat_style c.service_name d.delete_date",
    "m.ROWID",
    {"date": apple, "date_read": apple, "date_delivered": apple, "date_played": apple, "date_edited": apple,
     "date_retracted": apple, "delete_date": apple},
    ("date",),
    derive=_message,
)  # fmt: skip


def _old_message(data: Data, database: Database) -> None:
    flags = data.get("flags")
    if isinstance(flags, int):
        sent = bool(flags & 1)  # 2 received, 3 sent, 33 failed, 129 deleted
        data["direction"] = "sent" if sent else "received"
        data["from"] = "Local User" if sent else data.get("address")
        data["to"] = data.get("address") if sent else "Local User"


OLD_MESSAGE = Query(
    "ios.sms",
    ("message m",),
    "m.ROWID m.address m.date m.text m.flags m.country m.subject m.madrid_handle m.madrid_date m.madrid_date_read "
    "m.madrid_service m.is_madrid m.read",
    "m.ROWID",
    {"date": seconds, "madrid_date": apple, "madrid_date_read": apple},
    derive=_old_message,
)
ATTACHMENT = Query(
    "ios.sms_attachment",
    ("attachment a", "LEFT JOIN message_attachment_join j ON j.attachment_id = a.ROWID",
     "LEFT JOIN message m ON m.ROWID = j.message_id"),
    "a.ROWID a.guid a.filename a.transfer_name a.mime_type a.uti a.total_bytes a.is_outgoing a.hide_attachment "
    "a.transfer_state a.created_date a.start_date m.guid:message_guid m.date:message_date",
    "a.ROWID",
    {"created_date": apple, "start_date": apple, "message_date": apple},
)  # fmt: skip


@parser(
    "ios.sms",
    claims=SMS,
    reads="sms.db of iOS 6 and later, chat.db of macOS",
    means="this account or device sent or received the message, as logged",
    does_not_mean="who typed or read it; with Messages in iCloud it may come from another device",
    refs=("https://www.sqlite.org/fileformat2.html", "https://developer.apple.com/documentation/messages"),
    artifacts=(MESSAGE.artifact, ATTACHMENT.artifact),
)
def messages(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message, its parties named, and one an attachment."""
    yield from read_queries(file, SMS, (MESSAGE, ATTACHMENT))


@parser(
    "ios.sms_old",
    claims=OLD,
    reads="sms.db of iOS before version 6",
    means="this device sent or received the message, as logged",
    does_not_mean="who typed or read it",
    refs=("https://www.sqlite.org/fileformat2.html",),
    artifacts=(OLD_MESSAGE.artifact,),
)
def old_messages(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message."""
    yield from read_queries(file, OLD, (OLD_MESSAGE,))
