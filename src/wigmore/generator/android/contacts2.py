"""Android contacts and calls: contacts2.db and calllog.db.

Source: AOSP packages/providers/ContactsProvider (ContactsDatabaseHelper, CallLogDatabaseHelper). Times are milliseconds
since 1970 UTC, durations seconds; call type 1 incoming, 2 outgoing, 3 missed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wigmore.generator.clocks import posix_ms
from wigmore.generator.sqlite_file import database, insert

SCHEMA = """
CREATE TABLE android_metadata (locale TEXT);
CREATE TABLE accounts (_id INTEGER PRIMARY KEY AUTOINCREMENT, account_name TEXT, account_type TEXT, data_set TEXT);
CREATE TABLE contacts (_id INTEGER PRIMARY KEY AUTOINCREMENT, name_raw_contact_id INTEGER, photo_id INTEGER,
  photo_file_id INTEGER, custom_ringtone TEXT, send_to_voicemail INTEGER NOT NULL DEFAULT 0,
  x_times_contacted INTEGER NOT NULL DEFAULT 0, x_last_time_contacted INTEGER,
  times_contacted INTEGER NOT NULL DEFAULT 0,
  last_time_contacted INTEGER, starred INTEGER NOT NULL DEFAULT 0, pinned INTEGER NOT NULL DEFAULT 0,
  has_phone_number INTEGER NOT NULL DEFAULT 0, lookup TEXT, status_update_id INTEGER,
  contact_last_updated_timestamp INTEGER);
CREATE TABLE raw_contacts (_id INTEGER PRIMARY KEY AUTOINCREMENT, account_id INTEGER, sourceid TEXT,
  version INTEGER NOT NULL DEFAULT 1, dirty INTEGER NOT NULL DEFAULT 0, deleted INTEGER NOT NULL DEFAULT 0,
  contact_id INTEGER, aggregation_mode INTEGER NOT NULL DEFAULT 0, times_contacted INTEGER NOT NULL DEFAULT 0,
  last_time_contacted INTEGER, starred INTEGER NOT NULL DEFAULT 0, display_name TEXT, display_name_alt TEXT,
  display_name_source INTEGER NOT NULL DEFAULT 0, sort_key TEXT);
CREATE TABLE mimetypes (_id INTEGER PRIMARY KEY AUTOINCREMENT, mimetype TEXT NOT NULL);
CREATE TABLE data (_id INTEGER PRIMARY KEY AUTOINCREMENT, package_id INTEGER, mimetype_id INTEGER NOT NULL,
  raw_contact_id INTEGER NOT NULL, hash_id TEXT, is_primary INTEGER NOT NULL DEFAULT 0,
  is_super_primary INTEGER NOT NULL DEFAULT 0, data_version INTEGER NOT NULL DEFAULT 0, data1 TEXT, data2 TEXT,
  data3 TEXT, data4 TEXT, data5 TEXT, data6 TEXT, data7 TEXT, data8 TEXT, data9 TEXT, data10 TEXT, data11 TEXT,
  data12 TEXT, data13 TEXT, data14 TEXT, data15 TEXT);
CREATE TABLE phone_lookup (data_id INTEGER NOT NULL, raw_contact_id INTEGER NOT NULL, normalized_number TEXT NOT NULL,
  min_match TEXT NOT NULL);
CREATE TABLE deleted_contacts (contact_id INTEGER PRIMARY KEY, contact_deleted_timestamp INTEGER NOT NULL DEFAULT 0);
"""
CALLS = """
CREATE TABLE android_metadata (locale TEXT);
CREATE TABLE properties (property_key TEXT PRIMARY KEY, property_value TEXT);
CREATE TABLE calls (_id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT, presentation INTEGER NOT NULL DEFAULT 1,
  post_dial_digits TEXT NOT NULL DEFAULT '', via_number TEXT NOT NULL DEFAULT '', date INTEGER, duration INTEGER,
  data_usage INTEGER, type INTEGER, features INTEGER NOT NULL DEFAULT 0, subscription_component_name TEXT,
  subscription_id TEXT, phone_account_address TEXT, new INTEGER, name TEXT, numbertype INTEGER, numberlabel TEXT,
  countryiso TEXT, voicemail_uri TEXT, is_read INTEGER, geocoded_location TEXT, lookup_uri TEXT, matched_number TEXT,
  normalized_number TEXT, formatted_number TEXT, last_modified INTEGER DEFAULT 0,
  block_reason INTEGER NOT NULL DEFAULT 0,
  deleted INTEGER NOT NULL DEFAULT 0);
"""
MIMETYPES = (
    "vnd.android.cursor.item/name",
    "vnd.android.cursor.item/phone_v2",
    "vnd.android.cursor.item/email_v2",
    "vnd.android.cursor.item/organization",
)
INCOMING, OUTGOING, MISSED = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Contact:
    """A stored contact."""

    given: str
    family: str
    phone: str
    email: str
    organization: str
    updated: datetime
    more_phones: tuple[str, ...] = ()
    more_emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One call."""

    at: datetime
    number: str
    seconds: int
    kind: int
    name: str = ""


def contacts(path: Path, people: Iterable[Contact], account: str) -> None:
    """Write contacts2.db."""
    with database(path, SCHEMA, user_version=1400) as connection:
        insert(connection, "android_metadata", [{"locale": "en_US"}])
        insert(connection, "accounts", [{"_id": 1, "account_name": account, "account_type": "com.google"}])
        insert(connection, "mimetypes", [{"_id": n, "mimetype": name} for n, name in enumerate(MIMETYPES, 1)])
        entry = 0
        for number, person in enumerate(people, 1):
            name = f"{person.given} {person.family}"
            alternative = f"{person.family}, {person.given}"
            raw = {"_id": number, "account_id": 1, "contact_id": number, "display_name": name, "sort_key": name}
            insert(connection, "raw_contacts", [{**raw, "display_name_alt": alternative, "display_name_source": 40}])
            row = {"_id": number, "name_raw_contact_id": number, "has_phone_number": 1, "lookup": f"0r{number}-"}
            insert(connection, "contacts", [{**row, "contact_last_updated_timestamp": posix_ms(person.updated)}])
            fields = (
                (1, {"data1": name, "data2": person.given, "data3": person.family}),
                (2, {"data1": person.phone, "data2": "2", "data4": person.phone}),
                (3, {"data1": person.email, "data2": "2"}),
                (4, {"data1": person.organization}),
                *((2, {"data1": more, "data2": "2", "data4": more}) for more in person.more_phones),
                *((3, {"data1": more, "data2": "2"}) for more in person.more_emails),
            )
            for mimetype, values in fields:
                if values["data1"]:
                    entry += 1
                    insert(
                        connection,
                        "data",
                        [{"_id": entry, "mimetype_id": mimetype, "raw_contact_id": number, **values}],
                    )
                    if mimetype == 2:
                        phone = str(values["data1"])
                        number_row = {"data_id": entry, "raw_contact_id": number, "normalized_number": phone}
                        insert(connection, "phone_lookup", [{**number_row, "min_match": phone[-7:][::-1]}])


def calls(path: Path, records: Iterable[Call]) -> None:
    """Write calllog.db."""
    with database(path, CALLS, user_version=8) as connection:
        insert(connection, "android_metadata", [{"locale": "en_US"}])
        for number, call in enumerate(sorted(records, key=lambda call: call.at), 1):
            row = {
                "_id": number,
                "number": call.number,
                "date": posix_ms(call.at),
                "duration": call.seconds,
                "type": call.kind,
                "new": int(call.kind == MISSED),
                "name": call.name or None,
                "countryiso": "US",
                "is_read": 1,
                "normalized_number": call.number,
                "last_modified": posix_ms(call.at) + call.seconds * 1_000,
            }
            insert(connection, "calls", [row])
