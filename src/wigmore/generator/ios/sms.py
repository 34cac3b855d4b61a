"""iOS Messages: sms.db of iOS 13 to 15, with some messages left in the write-ahead log.

Source: Apple does not publish the schema; table and column names after published examinations (iLEAPP, Apple iMessage
research). Dates are nanoseconds since 2001 UTC.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wigmore.generator.clocks import cocoa_ns
from wigmore.generator.sqlite_file import database, insert, leave_in_wal

SCHEMA = """
CREATE TABLE _SqliteDatabaseProperties (key TEXT, value TEXT, UNIQUE(key));
CREATE TABLE handle (ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, id TEXT NOT NULL, country TEXT,
  service TEXT NOT NULL, uncanonicalized_id TEXT, person_centric_id TEXT, UNIQUE (id, service));
CREATE TABLE chat (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT UNIQUE NOT NULL, style INTEGER, state INTEGER,
  account_id TEXT, properties BLOB, chat_identifier TEXT, service_name TEXT, room_name TEXT, account_login TEXT,
  is_archived INTEGER DEFAULT 0, last_addressed_handle TEXT, display_name TEXT, group_id TEXT,
  is_filtered INTEGER DEFAULT 0, successful_query INTEGER DEFAULT 1, last_read_message_timestamp INTEGER DEFAULT 0);
CREATE TABLE message (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT UNIQUE NOT NULL, text TEXT,
  replace INTEGER DEFAULT 0, service_center TEXT, handle_id INTEGER DEFAULT 0, subject TEXT, country TEXT,
  attributedBody BLOB, version INTEGER DEFAULT 0, type INTEGER DEFAULT 0, service TEXT, account TEXT,
  account_guid TEXT, error INTEGER DEFAULT 0, date INTEGER, date_read INTEGER, date_delivered INTEGER,
  is_delivered INTEGER DEFAULT 0, is_finished INTEGER DEFAULT 0, is_emote INTEGER DEFAULT 0,
  is_from_me INTEGER DEFAULT 0, is_empty INTEGER DEFAULT 0, is_read INTEGER DEFAULT 0,
  is_system_message INTEGER DEFAULT 0,
  is_sent INTEGER DEFAULT 0, is_forward INTEGER DEFAULT 0, cache_has_attachments INTEGER DEFAULT 0,
  cache_roomnames TEXT, is_audio_message INTEGER DEFAULT 0, date_played INTEGER DEFAULT 0, item_type INTEGER DEFAULT 0,
  other_handle INTEGER DEFAULT 0, group_title TEXT, group_action_type INTEGER DEFAULT 0, associated_message_guid TEXT,
  associated_message_type INTEGER DEFAULT 0, balloon_bundle_id TEXT, payload_data BLOB, destination_caller_id TEXT,
  reply_to_guid TEXT, sort_id INTEGER DEFAULT 0, is_spam INTEGER DEFAULT 0);
CREATE TABLE attachment (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT UNIQUE NOT NULL,
  created_date INTEGER DEFAULT 0, start_date INTEGER DEFAULT 0, filename TEXT, uti TEXT, mime_type TEXT,
  transfer_state INTEGER DEFAULT 0, is_outgoing INTEGER DEFAULT 0, user_info BLOB, transfer_name TEXT,
  total_bytes INTEGER DEFAULT 0, is_sticker INTEGER DEFAULT 0, hide_attachment INTEGER DEFAULT 0);
CREATE TABLE chat_handle_join (chat_id INTEGER, handle_id INTEGER, UNIQUE(chat_id, handle_id));
CREATE TABLE chat_message_join (chat_id INTEGER, message_id INTEGER, message_date INTEGER DEFAULT 0,
  PRIMARY KEY (chat_id, message_id));
CREATE TABLE message_attachment_join (message_id INTEGER, attachment_id INTEGER, UNIQUE(message_id, attachment_id));
CREATE TABLE deleted_messages (ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, guid TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Message:
    """One message with a party (number or address); `sent` tells direction."""

    at: datetime
    party: str
    text: str
    sent: bool
    service: str = "iMessage"
    read_at: datetime | None = None


def _store(connection: sqlite3.Connection, messages: Iterable[Message], account: str) -> None:
    handles = {row[1]: row[0] for row in connection.execute("SELECT ROWID, id FROM handle ORDER BY ROWID")}
    number = connection.execute("SELECT coalesce(max(ROWID), 0) FROM message").fetchone()[0]
    for message in messages:
        number += 1
        if message.party not in handles:
            handles[message.party] = len(handles) + 1
            row = {"ROWID": handles[message.party], "id": message.party, "country": "us", "service": message.service}
            insert(connection, "handle", [row])
            chat = {
                "ROWID": handles[message.party],
                "guid": f"{message.service};-;{message.party}",
                "style": 45,
                "state": 3,
                "chat_identifier": message.party,
                "service_name": message.service,
                "account_login": f"E:{account}",
                "last_addressed_handle": account,
            }
            insert(connection, "chat", [chat])
            insert(
                connection,
                "chat_handle_join",
                [{"chat_id": handles[message.party], "handle_id": handles[message.party]}],
            )
        date = cocoa_ns(message.at)
        row = {
            "ROWID": number,
            "guid": f"00000000-0000-4000-8000-{number:012X}",
            "text": message.text,
            "handle_id": handles[message.party],
            "service": message.service,
            "account": f"E:{account}",
            "date": date,
            "date_read": cocoa_ns(message.read_at) if message.read_at else 0,
            "is_from_me": int(message.sent),
            "is_sent": int(message.sent),
            "is_finished": 1,
            "is_read": int(message.sent or message.read_at is not None),
            "is_delivered": 1,
            "date_delivered": date + 1_000_000_000 if message.sent else 0,
            "version": 10,
            "destination_caller_id": account,
        }
        insert(connection, "message", [row])
        insert(
            connection,
            "chat_message_join",
            [{"chat_id": handles[message.party], "message_id": number, "message_date": date}],
        )


def messages(
    path: Path, checkpointed: Iterable[Message], account: str, in_wal: Sequence[Message] = (), salt: int = 1
) -> None:
    """Write sms.db; `in_wal` are newer messages that stand only in sms.db-wal."""
    with database(path, SCHEMA) as connection:
        insert(connection, "_SqliteDatabaseProperties", [{"key": "_ClientVersion", "value": "14006"}])
        _store(connection, sorted(checkpointed, key=lambda message: message.at), account)
    if in_wal:
        leave_in_wal(path, lambda connection: _store(connection, in_wal, account), salt)
