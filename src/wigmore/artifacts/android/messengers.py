"""Messengers on Android whose databases are public knowledge: Viber, Facebook Messenger, Instagram, Kik, WeChat, Snapchat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.generic.plist_reader import decode_json
from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import (
    Data,
    Query,
    clock,
    microseconds,
    milliseconds,
    named,
    read_queries,
)
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.protocols import EvidenceFile, Yield
from wigmore.registry import parser

ALEAPP = "https://github.com/abrignoni/ALEAPP/tree/main/scripts/artifacts"
NOT = "who typed or read it; messages may have been synchronised from other devices of the account"
MEANS = "the account sent or received this message, as the application logged it"


def sides(data: Data, sent: bool, party: Any, group: Any = None) -> None:
    """Direction and both parties: a group stands as the receiver of what others wrote."""
    data["direction"] = "sent" if sent else "received"
    data["from"] = "Local User" if sent else str(party or "")
    data["to"] = str(group or party or "") if sent else str(group or "Local User")


# Viber

VIBER = Layout(
    paths=("viber_messages",),
    tables=(
        ("messages", ("conversation_id", "participant_id", "body", "send_type", "date")),
        ("participants_info", ("number",)),
    ),
)
VIBER_CALLS = Layout(
    paths=("viber_data",), tables=(("phonebookcontact", ("display_name",)), ("calls", ("number", "date", "duration")))
)


def _viber(data: Data, database: Database) -> None:
    sent = data.pop("send_type", None) == 1
    party = data.get("contact_name") or data.get("viber_name") or data.get("number")
    if sent and database.has("participants", "conversation_id", "participant_info_id"):
        found = database.related(
            "SELECT coalesce(i.contact_name, i.viber_name, i.number) FROM participants p JOIN participants_info i "
            "ON i._id = p.participant_info_id WHERE p.conversation_id = ? AND i.number <> '' ORDER BY p._id",
            data.get("conversation_id"),
        ) if database.has("participants_info", "contact_name", "viber_name", "number") else []  # fmt: skip
        party = ", ".join(str(name) for (name,) in found if name) or party
    sides(data, sent, party, data.get("group_name"))


VIBER_MESSAGE = Query(
    "android.viber.message",
    ("messages m", "LEFT JOIN participants p ON p._id = m.participant_id",
     "LEFT JOIN participants_info i ON i._id = p.participant_info_id", "LEFT JOIN conversations c ON c._id = m.conversation_id"),
    "m._id m.conversation_id m.date m.msg_date m.body m.send_type m.extra_mime m.extra_uri m.destination_uri m.description "
    "m.location_lat m.location_lng m.deleted m.opened m.unread m.flag m.token i.number i.contact_name i.viber_name "
    "c.name:group_name",
    "m._id",
    {"date": milliseconds, "msg_date": milliseconds},
    derive=_viber,
)  # fmt: skip


def _call(data: Data, database: Database) -> None:
    named(data, "type", {1: "incoming", 2: "outgoing", 3: "missed"}, "direction")
    data["duration_clock"] = clock(data.get("duration"))


VIBER_CALL = Query(
    "android.viber.call",
    ("calls c",),
    "c._id c.number c.canonized_number c.date c.duration c.type c.viber_call c.viber_call_type",
    "c._id",
    {"date": milliseconds},
    derive=_call,
)
VIBER_CONTACT = Query(
    "android.viber.contact",
    ("phonebookcontact c", "LEFT JOIN phonebookdata d ON d.contact_id = c._id"),
    "c._id c.display_name c.viber c.starred d.data2:number",
    "c._id",
    undated=True,
)

# Facebook Messenger

MESSENGER = Layout(
    paths=("threads_db2",),
    tables=(("messages", ("msg_id", "thread_key", "text", "sender", "timestamp_ms")), ("threads", ("thread_key",))),
)


def _messenger(data: Data, database: Database) -> None:
    raw = data.pop("sender", None)
    sender = decode_json(raw) if isinstance(raw, str) else None
    if isinstance(sender, dict):
        data["from"] = sender.get("name")
        data["from_key"] = sender.get("user_key")
    for name in ("attachments", "shares", "pending_send_media_attachment"):
        opened = decode_json(data[name]) if isinstance(data.get(name), str) else None
        if opened is not None:
            data[name] = opened
    if database.has("thread_participants", "thread_key", "user_key") and database.has(
        "thread_users", "user_key", "name"
    ):
        found = database.related(
            "SELECT u.name, u.user_key FROM thread_participants p JOIN thread_users u ON u.user_key = p.user_key "
            "WHERE p.thread_key = ? ORDER BY p.rowid",
            data.get("thread_key"),
        )
        data["participants"] = [f"{name} ({key})" for name, key in found]


MESSENGER_MESSAGE = Query(
    "android.messenger.message",
    ("messages m", "LEFT JOIN threads t ON t.thread_key = m.thread_key"),
    "m.msg_id m.thread_key m.text m.sender m.timestamp_ms m.timestamp_sent_ms m.msg_type m.attachments m.shares m.snippet "
    "m.is_non_authoritative t.name:thread_name",
    "m.rowid",
    {"timestamp_ms": milliseconds, "timestamp_sent_ms": milliseconds},
    derive=_messenger,
)  # fmt: skip
MESSENGER_USER = Query(
    "android.messenger.user",
    ("thread_users u",),
    "u.user_key u.first_name u.last_name u.name u.username u.is_friend u.profile_type",
    "u.rowid",
    undated=True,
)

# Instagram

INSTAGRAM = Layout(
    paths=("direct.db",),
    tables=(("messages", ("user_id", "thread_id", "timestamp", "message_type", "text", "message")),),
)


def _instagram(data: Data, database: Database) -> None:
    raw = data.pop("message", None)
    opened = decode_json(raw) if isinstance(raw, (str)) else None
    if isinstance(opened, dict):
        for key in ("item_type", "is_sent_by_viewer", "media", "link", "location"):
            if opened.get(key) is not None:
                data[f"message.{key}"] = opened[key]
    if database.has("threads", "thread_id", "thread_info"):
        found = database.related("SELECT thread_info FROM threads WHERE thread_id = ?", data.get("thread_id"))
        info = decode_json(found[0][0]) if found and isinstance(found[0][0], str) else None
        people = info.get("recipients") if isinstance(info, dict) else None
        if isinstance(people, list):
            names = {str(p.get("id") or p.get("pk")): p.get("username") for p in people if isinstance(p, dict)}
            data["participants"] = [str(n) for n in names.values() if n]
            data["from"] = names.get(str(data.get("user_id"))) or str(data.get("user_id") or "")


INSTAGRAM_MESSAGE = Query(
    "android.instagram.message",
    ("messages m",),
    "m._id m.user_id m.server_item_id m.client_item_id m.thread_id m.recipient_ids m.timestamp m.message_type m.text m.message",
    "m._id",
    {"timestamp": microseconds},
    derive=_instagram,
)

# Kik

KIK = Layout(paths=("*kikdatabase.db",), tables=(("messagesTable", ("body", "partner_jid", "was_me", "timestamp")),))
KIK_MESSAGE = Query(
    "android.kik.message",
    ("messagesTable m", "LEFT JOIN KIKcontactsTable c ON c.jid = m.partner_jid"),
    "m._id m.body m.partner_jid m.was_me m.read_state m.uid m.timestamp m.bin_id m.content_id c.display_name c.user_name",
    "m._id",
    {"timestamp": milliseconds},
    derive=lambda data, database: sides(
        data, data.pop("was_me", None) == 1, data.get("display_name") or data.get("partner_jid")
    ),
)
KIK_CONTACT = Query(
    "android.kik.contact",
    ("KIKcontactsTable c",),
    "c._id c.jid c.display_name c.user_name c.in_roster c.is_blocked c.is_group",
    "c._id",
    undated=True,
)

# WeChat (decrypted)

WECHAT = Layout(
    paths=("enmicromsg*.db",),
    tables=(("message", ("msgSvrId", "isSend", "createTime", "talker", "content")), ("rcontact", ("username",))),
)
WECHAT_TYPES = {1: "text", 3: "picture", 34: "voice", 42: "card", 43: "video", 47: "sticker", 48: "place", 49: "application",
                50: "call", 10000: "system"}  # fmt: skip


def wechat_text(data: Data) -> None:
    """In groups the writer's name stands before the text."""
    named(data, "type", WECHAT_TYPES)
    talker, content = str(data.get("talker") or ""), data.get("content")
    sent = data.pop("isSend", None) == 1
    who = data.get("conRemark") or data.get("nickname") or talker
    group = None
    if talker.endswith("@chatroom"):
        group = data.get("nickname") or talker
        if not sent and isinstance(content, str) and ":\n" in content[:80]:
            who, data["content"] = content.split(":\n", 1)
    sides(data, sent, who, group)


WECHAT_MESSAGE = Query(
    "android.wechat.message",
    ("message m", "LEFT JOIN rcontact c ON c.username = m.talker"),
    "m.msgId m.msgSvrId m.type m.status m.isSend m.createTime m.talker m.content m.imgPath c.nickname c.conRemark c.alias",
    "m.msgId",
    {"createTime": milliseconds},
    derive=lambda data, database: wechat_text(data),
)
WECHAT_CONTACT = Query(
    "android.wechat.contact", ("rcontact c",), "c.username c.alias c.nickname c.conRemark c.type c.verifyFlag c.deleteFlag",
    "c.rowid", undated=True,
)  # fmt: skip

# Snapchat (both platforms)

ARROYO = Layout(
    paths=("arroyo.db",),
    tables=(
        (
            "conversation_message",
            ("client_conversation_id", "creation_timestamp", "content_type", "message_content", "sender_id"),
        ),
    ),
)


def _snap(data: Data, database: Database) -> None:
    named(data, "content_type", {0: "snap", 1: "text", 2: "media", 3: "share", 4: "audio", 5: "sticker"})
    blob = data.pop("message_content", None)
    if isinstance(blob, bytes):
        data["message_size"] = len(blob)
        try:
            texts = protobuf_texts(blob)
        except ValueError as error:
            data["message_unread"] = str(error)
        else:
            if texts:
                data["texts"] = texts


def protobuf_texts(blob: bytes) -> list[str]:
    """Readable strings of a protobuf message of unknown fields, in order of place; ValueError says why it was not read."""
    import blackboxprotobuf

    from wigmore.artifacts.generic.plist_reader import leaves

    if len(blob) > 1024 * 1024:
        raise ValueError("larger than 1 MiB: not decoded")
    try:
        message, _ = blackboxprotobuf.decode_message(blob)
    except Exception as error:  # the library raises many kinds for what is no protobuf
        raise ValueError(f"no protobuf message: {type(error).__name__}") from error
    found = []
    for _, leaf in leaves(message):
        text = leaf if isinstance(leaf, str) else ""
        if len(text) > 1 and text.isprintable() and text not in found:
            found.append(text)
    return found[:100]


SNAP = Query(
    "snapchat.message",
    ("conversation_message m",),
    "m.client_conversation_id m.client_message_id m.server_message_id m.creation_timestamp m.read_timestamp m.content_type "
    "m.is_saved m.is_viewed_by_user m.sender_id m.message_content m.remote_media_count",
    "m.rowid",
    {"creation_timestamp": milliseconds, "read_timestamp": milliseconds},
    derive=_snap,
)  # fmt: skip
SNAP_MAIN = Layout(tables=(("Friend", ("userId", "username", "displayName")),))
FRIEND = Query(
    "snapchat.friend",
    ("Friend f",),
    "f._id f.username f.userId f.displayName f.phone f.birthday f.addedTimestamp f.reverseAddedTimestamp f.friendLinkType "
    "f.streakLength",
    "f.rowid",
    {"addedTimestamp": milliseconds, "reverseAddedTimestamp": milliseconds},
)

# Skype and others keep to generic.sqlite; Samsung's own message database

SAMSUNG = Layout(
    paths=("message_content.db",),
    tables=(("messages", ("conversation_id", "created_timestamp", "message_type", "recipients")),),
)
SAMSUNG_MESSAGE = Query(
    "android.samsung_message",
    ("messages m", "LEFT JOIN parts p ON p.message_id = m._id", "LEFT JOIN conversations c ON c._id = m.conversation_id"),
    "m._id m.conversation_id m.created_timestamp m.sent_timestamp m.message_type m.message_box_type m.message_status "
    "m.recipients m.is_read p.text p.content_type p.content_uri c.recipient_list",
    "m._id",
    {"created_timestamp": milliseconds, "sent_timestamp": milliseconds},
    derive=lambda data, database: named(
        data, "message_box_type", {100: "received", 101: "draft", 102: "sent", 103: "outbox", 104: "failed"}, "direction"
    ),
)  # fmt: skip


@parser(
    "android.viber", claims=VIBER, reads="viber_messages of Viber on Android", means=MEANS, does_not_mean=NOT,
    refs=(ALEAPP,), artifacts=(VIBER_MESSAGE.artifact,),
)  # fmt: skip
def viber(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message."""
    yield from read_queries(file, VIBER, (VIBER_MESSAGE,))


@parser(
    "android.viber_data", claims=VIBER_CALLS, reads="viber_data of Viber on Android: calls and contacts",
    means="the application logged this call, or knew this contact", does_not_mean="who spoke, or that messages were exchanged",
    refs=(ALEAPP,), artifacts=(VIBER_CALL.artifact, VIBER_CONTACT.artifact),
)  # fmt: skip
def viber_data(file: EvidenceFile) -> Iterator[Yield]:
    """One record a call, one a contact."""
    yield from read_queries(file, VIBER_CALLS, (VIBER_CALL, VIBER_CONTACT))


@parser(
    "android.messenger", claims=MESSENGER, reads="threads_db2 of Facebook Messenger on Android", means=MEANS,
    does_not_mean=NOT, refs=(ALEAPP,), artifacts=(MESSENGER_MESSAGE.artifact, MESSENGER_USER.artifact),
)  # fmt: skip
def messenger(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message, one a user."""
    yield from read_queries(file, MESSENGER, (MESSENGER_MESSAGE, MESSENGER_USER))


@parser(
    "android.instagram", claims=INSTAGRAM, reads="direct.db of Instagram on Android", means=MEANS, does_not_mean=NOT,
    refs=(ALEAPP,), artifacts=(INSTAGRAM_MESSAGE.artifact,),
)  # fmt: skip
def instagram(file: EvidenceFile) -> Iterator[Yield]:
    """One record a direct message."""
    yield from read_queries(file, INSTAGRAM, (INSTAGRAM_MESSAGE,))


@parser(
    "android.kik", claims=KIK, reads="kikDatabase.db of Kik on Android", means=MEANS, does_not_mean=NOT,
    refs=(ALEAPP,), artifacts=(KIK_MESSAGE.artifact, KIK_CONTACT.artifact),
)  # fmt: skip
def kik(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message, one a contact."""
    yield from read_queries(file, KIK, (KIK_MESSAGE, KIK_CONTACT))


@parser(
    "android.wechat", claims=WECHAT, reads="EnMicroMsg.db of WeChat on Android, decrypted", means=MEANS, does_not_mean=NOT,
    refs=("https://doi.org/10.1016/j.diin.2016.11.002",), artifacts=(WECHAT_MESSAGE.artifact, WECHAT_CONTACT.artifact),
)  # fmt: skip
def wechat(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message, one a contact."""
    yield from read_queries(file, WECHAT, (WECHAT_MESSAGE, WECHAT_CONTACT))


@parser(
    "snapchat.messages", claims=ARROYO, reads="arroyo.db of Snapchat on Android and iOS", means=MEANS,
    does_not_mean=NOT + "; strings of the message are shown without the meaning of their fields", refs=(ALEAPP,),
    artifacts=(SNAP.artifact,),
)  # fmt: skip
def snapchat(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message with the strings of its content."""
    yield from read_queries(file, ARROYO, (SNAP,))


@parser(
    "snapchat.friends", claims=SNAP_MAIN, reads="main.db of Snapchat on Android",
    means="the account knew this user, added then", does_not_mean="that messages were exchanged", refs=(ALEAPP,),
    artifacts=(FRIEND.artifact,),
)  # fmt: skip
def snapchat_friends(file: EvidenceFile) -> Iterator[Yield]:
    """One record a friend."""
    yield from read_queries(file, SNAP_MAIN, (FRIEND,))


@parser(
    "android.samsung_messages", claims=SAMSUNG, reads="message_content.db of Samsung Messages", means=MEANS,
    does_not_mean=NOT, refs=(ALEAPP,), artifacts=(SAMSUNG_MESSAGE.artifact,),
)  # fmt: skip
def samsung_messages(file: EvidenceFile) -> Iterator[Yield]:
    """One record a part of a message."""
    yield from read_queries(file, SAMSUNG, (SAMSUNG_MESSAGE,))
