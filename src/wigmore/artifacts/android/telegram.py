"""Telegram for Android (cache4.db): messages, chats and contacts; texts from the serialised messages.

The rows' `data` is the message in Telegram's type language (https://core.telegram.org/mtproto/serialize): numbers are
little-endian, strings begin with their length (254: three more bytes follow) and are padded to four. In the message
constructor the text follows the date (https://core.telegram.org/constructor/message), and the row has the date too.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import Data, Query, read_queries, seconds
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.protocols import EvidenceFile, Yield
from wigmore.registry import parser

SCHEMA = "https://core.telegram.org/schema"
SOURCE = "https://github.com/DrKLO/Telegram/blob/master/TMessagesProj/src/main/java/org/telegram/messenger/MessagesStorage.java"
NEW = Layout(
    paths=("cache4.db",), tables=(("messages_v2", ("mid", "uid", "date", "data", "out")), ("users", ("uid", "name")))
)
OLD = Layout(
    tables=(("messages", ("mid", "uid", "read_state", "send_state", "date", "data", "out")), ("users", ("uid", "name")))
)


def text_after(data: bytes, date: int) -> str | None:
    """The string that follows a date in a serialised message."""
    mark = struct.pack("<i", date)
    at = data.find(mark)
    while at >= 0:
        if at % 4 == 0 and at + 4 < len(data):
            length, start = data[at + 4], at + 5
            if length == 254 and at + 8 <= len(data):
                length, start = int.from_bytes(data[at + 5 : at + 8], "little"), at + 8
            raw = data[start : start + length]
            if len(raw) == length and data[at + 4] != 255:
                try:
                    text = raw.decode("utf-8")
                except UnicodeDecodeError:
                    text = "\0"
                if all(c.isprintable() or c in "\r\n\t\u200d\ufe0f" for c in text):
                    return text
        at = data.find(mark, at + 1)
    return None


def display(name: object) -> str:
    """A stored name without the part behind the marks (the user name)."""
    return str(name or "").split(";;;")[0].strip()


def _message(data: Data, database: Database) -> None:
    row = data["_row"]
    blob, date = data.pop("data", None), row.get("date")
    if isinstance(blob, bytes) and isinstance(date, int) and 0 < date < 1 << 31:
        text = text_after(blob, date)
        if text is None:
            data["text_note"] = "no text was found behind the date in the serialised message"
        else:
            data["text"] = text
        data["data_size"] = len(blob)
    sent = data.pop("out", None) == 1
    data["direction"] = "sent" if sent else "received"
    peer = data.get("uid")
    name = display(data.pop("user_name", None)) or display(data.pop("chat_name", None))
    data.pop("chat_name", None)
    if not name and isinstance(peer, int) and peer < 0 and database.has("chats", "uid", "name"):
        found = database.related("SELECT name FROM chats WHERE uid = ?", -peer)
        name = display(found[0][0]) if found else ""
        data["chat"] = name
    party = name or (str(peer) if peer is not None else "")
    group = isinstance(peer, int) and peer < 0
    data["from"] = "Local User" if sent else party
    data["to"] = party if sent or group else "Local User"


def _query(table: str) -> Query:
    return Query(
        "android.telegram.message",
        (f"{table} m", "LEFT JOIN users u ON u.uid = m.uid"),
        "m.mid m.uid m.date m.data m.out m.read_state m.send_state m.ttl m.media m.is_channel m.group_id u.name:user_name",
        "m.rowid",
        {"date": seconds},
        derive=_message,
    )


MESSAGE, OLD_MESSAGE = _query("messages_v2"), _query("messages")


def _user(data: Data, database: Database) -> None:
    stored = str(data.get("name") or "")
    data["name"] = display(stored)
    if ";;;" in stored:
        data["username"] = stored.split(";;;", 1)[1]


USER = Query("android.telegram.user", ("users u",), "u.uid u.name u.status", "u.rowid", undated=True, derive=_user)
CHAT = Query("android.telegram.chat", ("chats c",), "c.uid c.name", "c.rowid", undated=True)
DIALOG = Query(
    "android.telegram.dialog",
    ("dialogs d", "LEFT JOIN users u ON u.uid = d.did"),
    "d.did d.date d.unread_count d.last_mid d.pinned d.folder_id u.name",
    "d.rowid",
    {"date": seconds},
)
CONTACT = Query(
    "android.telegram.contact",
    ("user_contacts_v7 c", "LEFT JOIN user_phones_v7 p ON p.key = c.key"),
    "c.key c.uid c.fname c.sname p.phone",
    "c.rowid",
    undated=True,
)
MEANS = "the account sent or received this message, as the service dated it"
NOT = "who typed or read it; cached messages of channels were delivered, not sought out"
ARTIFACTS = ("android.telegram.message", "android.telegram.user", "android.telegram.chat", "android.telegram.dialog",
             "android.telegram.contact")  # fmt: skip


@parser(
    "android.telegram", claims=NEW, reads="cache4.db of Telegram for Android since 2021", means=MEANS, does_not_mean=NOT,
    refs=(SCHEMA, SOURCE), artifacts=ARTIFACTS,
)  # fmt: skip
def telegram(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message, user, chat, dialog and contact."""
    yield from read_queries(file, NEW, (MESSAGE, USER, CHAT, DIALOG, CONTACT))


@parser(
    "android.telegram_old", claims=OLD, reads="cache4.db of Telegram for Android before 2021", means=MEANS, does_not_mean=NOT,
    refs=(SCHEMA, SOURCE), artifacts=ARTIFACTS,
)  # fmt: skip
def old_telegram(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message, user, chat, dialog and contact."""
    yield from read_queries(file, OLD, (OLD_MESSAGE, USER, CHAT, DIALOG, CONTACT))
