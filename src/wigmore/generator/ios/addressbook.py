"""iOS contacts: AddressBook.sqlitedb.

Source: table and column names after published examinations (Apple ABAddressBook property numbers: 3 phone, 4 e-mail).
Dates are seconds since 2001 UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wigmore.generator.clocks import cocoa
from wigmore.generator.sqlite_file import database, insert

SCHEMA = """
CREATE TABLE _SqliteDatabaseProperties (key TEXT, value TEXT, UNIQUE(key));
CREATE TABLE ABPerson (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, First TEXT, Last TEXT, Middle TEXT, FirstPhonetic TEXT,
  MiddlePhonetic TEXT, LastPhonetic TEXT, Organization TEXT, Department TEXT, Note TEXT, Kind INTEGER, Birthday TEXT,
  JobTitle TEXT, Nickname TEXT, Prefix TEXT, Suffix TEXT, FirstSort TEXT, LastSort TEXT, CreationDate INTEGER,
  ModificationDate INTEGER, CompositeNameFallback TEXT, ExternalIdentifier TEXT, StoreID INTEGER, DisplayName TEXT,
  guid TEXT);
CREATE TABLE ABMultiValue (UID INTEGER PRIMARY KEY, record_id INTEGER, property INTEGER, identifier INTEGER,
  label INTEGER, value TEXT, guid TEXT);
CREATE TABLE ABMultiValueLabel (value TEXT, UNIQUE(value));
CREATE TABLE ABMultiValueEntry (parent_id INTEGER, key INTEGER, value TEXT, UNIQUE(parent_id, key));
CREATE TABLE ABMultiValueEntryKey (value TEXT, UNIQUE(value));
CREATE TABLE ABStore (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, Name TEXT, ExternalIdentifier TEXT, Type INTEGER);
"""
PHONE, EMAIL = 3, 4
LABELS = ("_$!<Mobile>!$_", "_$!<Work>!$_")


@dataclass(frozen=True, slots=True)
class Contact:
    """A stored contact."""

    first: str
    last: str
    phone: str
    email: str
    organization: str
    created: datetime
    note: str = ""
    more_phones: tuple[str, ...] = ()
    more_emails: tuple[str, ...] = ()


def contacts(path: Path, people: Iterable[Contact]) -> None:
    """Write an address book."""
    with database(path, SCHEMA) as connection:
        insert(connection, "ABMultiValueLabel", [{"value": label} for label in LABELS])
        insert(connection, "ABStore", [{"ROWID": 1, "Name": "", "Type": 0}])
        for number, person in enumerate(people, 1):
            row = {
                "ROWID": number,
                "First": person.first,
                "Last": person.last,
                "Organization": person.organization or None,
                "Note": person.note or None,
                "Kind": 0,
                "CreationDate": int(cocoa(person.created)),
                "ModificationDate": int(cocoa(person.created)),
                "StoreID": 1,
                "guid": f"{number:08X}-0000:ABPerson",
            }
            insert(connection, "ABPerson", [row])
            entries = [(PHONE, 1, person.phone), (EMAIL, 2, person.email)]
            entries += [(PHONE, 1, more) for more in person.more_phones]
            entries += [(EMAIL, 2, more) for more in person.more_emails]
            for index, (kind, label, value) in enumerate(entries):
                if value:
                    row = {"UID": number * 10 + index, "record_id": number, "property": kind, "identifier": index}
                    insert(connection, "ABMultiValue", [{**row, "label": label, "value": value}])
