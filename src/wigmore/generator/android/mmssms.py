"""Android messages: mmssms.db of Android 10 and 11.

Source: AOSP packages/providers/TelephonyProvider (MmsSmsDatabaseHelper), schema 67. SMS dates are milliseconds, MMS
dates seconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wigmore.generator.clocks import posix, posix_ms
from wigmore.generator.sqlite_file import database, insert

SCHEMA = """
CREATE TABLE android_metadata (locale TEXT);
CREATE TABLE canonical_addresses (_id INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT);
CREATE TABLE threads (_id INTEGER PRIMARY KEY AUTOINCREMENT, date INTEGER DEFAULT 0, message_count INTEGER DEFAULT 0,
  recipient_ids TEXT, snippet TEXT, snippet_cs INTEGER DEFAULT 0, read INTEGER DEFAULT 1, archived INTEGER DEFAULT 0,
  type INTEGER DEFAULT 0, error INTEGER DEFAULT 0, has_attachment INTEGER DEFAULT 0);
CREATE TABLE sms (_id INTEGER PRIMARY KEY, thread_id INTEGER, address TEXT, person INTEGER, date INTEGER,
  date_sent INTEGER DEFAULT 0, protocol INTEGER, read INTEGER DEFAULT 0, status INTEGER DEFAULT -1, type INTEGER,
  reply_path_present INTEGER, subject TEXT, body TEXT, service_center TEXT, locked INTEGER DEFAULT 0,
  sub_id INTEGER DEFAULT -1, error_code INTEGER DEFAULT -1, creator TEXT, seen INTEGER DEFAULT 0);
CREATE TABLE pdu (_id INTEGER PRIMARY KEY AUTOINCREMENT, thread_id INTEGER, date INTEGER, date_sent INTEGER DEFAULT 0,
  msg_box INTEGER, read INTEGER DEFAULT 0, m_id TEXT, sub TEXT, sub_cs INTEGER, ct_t TEXT, ct_l TEXT, exp INTEGER,
  m_cls TEXT, m_type INTEGER, v INTEGER, m_size INTEGER, pri INTEGER, rr INTEGER, rpt_a INTEGER, resp_st INTEGER,
  st INTEGER, tr_id TEXT, retr_st INTEGER, retr_txt TEXT, retr_txt_cs INTEGER, read_status INTEGER, ct_cls INTEGER,
  resp_txt TEXT, d_tm INTEGER, d_rpt INTEGER, locked INTEGER DEFAULT 0, sub_id INTEGER DEFAULT -1,
  seen INTEGER DEFAULT 0, creator TEXT, text_only INTEGER DEFAULT 0);
CREATE TABLE addr (_id INTEGER PRIMARY KEY, msg_id INTEGER, contact_id INTEGER, address TEXT, type INTEGER,
  charset INTEGER);
CREATE TABLE part (_id INTEGER PRIMARY KEY AUTOINCREMENT, mid INTEGER, seq INTEGER DEFAULT 0, ct TEXT, name TEXT,
  chset INTEGER, cd TEXT, fn TEXT, cid TEXT, cl TEXT, ctt_s INTEGER, ctt_t TEXT, _data TEXT, text TEXT);
"""
RECEIVED, SENT = 1, 2


@dataclass(frozen=True, slots=True)
class Message:
    """One SMS."""

    at: datetime
    address: str
    body: str
    sent: bool


@dataclass(frozen=True, slots=True)
class Multimedia:
    """One received or sent MMS with a text part and perhaps a named attachment."""

    at: datetime
    address: str
    text: str
    sent: bool
    attachment: str = ""
    own: str = ""


def messages(path: Path, texts: Iterable[Message], multimedia: Iterable[Multimedia] = ()) -> None:
    """Write mmssms.db."""
    ordered = sorted(texts, key=lambda message: message.at)
    pictures = list(multimedia)
    threads = {
        a: n for n, a in enumerate(dict.fromkeys([m.address for m in ordered] + [m.address for m in pictures]), 1)
    }
    with database(path, SCHEMA, user_version=67) as connection:
        insert(connection, "android_metadata", [{"locale": "en_US"}])
        for address, number in threads.items():
            insert(connection, "canonical_addresses", [{"_id": number, "address": address}])
            mine = [m for m in ordered if m.address == address]
            row = {"_id": number, "recipient_ids": str(number), "message_count": len(mine)}
            last = {"date": posix_ms(mine[-1].at), "snippet": mine[-1].body} if mine else {}
            insert(connection, "threads", [{**row, **last}])
        connection.executemany(
            "INSERT INTO sms(_id, thread_id, address, date, date_sent, protocol, read, status, type, body, sub_id, "
            "error_code, creator, seen) VALUES (?,?,?,?,?,?,1,-1,?,?,1,0,'com.google.android.apps.messaging',1)",
            [
                (
                    number,
                    threads[m.address],
                    m.address,
                    posix_ms(m.at),
                    0 if m.sent else posix_ms(m.at) - 1_500,
                    None if m.sent else 0,
                    SENT if m.sent else RECEIVED,
                    m.body,
                )
                for number, m in enumerate(ordered, 1)
            ],
        )
        for number, item in enumerate(pictures, 1):
            row = {
                "_id": number,
                "thread_id": threads[item.address],
                "date": posix(item.at),
                "msg_box": 2 if item.sent else 1,
                "read": 1,
                "m_id": f"generated{number}",
                "ct_t": "application/vnd.wap.multipart.related",
                "m_cls": "personal",
                "m_type": 128 if item.sent else 132,
                "v": 18,
                "seen": 1,
                "text_only": int(not item.attachment),
            }
            insert(connection, "pdu", [row])
            sender, receiver = (item.own, item.address) if item.sent else (item.address, item.own)
            insert(
                connection,
                "addr",
                [
                    {"msg_id": number, "address": sender, "type": 137, "charset": 106},
                    {"msg_id": number, "address": receiver, "type": 151, "charset": 106},
                ],
            )
            part = {"mid": number, "seq": 0, "chset": 106}
            insert(connection, "part", [{**part, "ct": "text/plain", "cl": "text000000.txt", "text": item.text}])
            if item.attachment:
                place = f"/data/user_de/0/com.android.providers.telephony/app_parts/PART_{posix_ms(item.at)}"
                insert(
                    connection,
                    "part",
                    [{**part, "ct": "image/jpeg", "name": item.attachment, "cl": item.attachment, "_data": place}],
                )
