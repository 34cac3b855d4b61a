"""iOS calls: CallHistory.storedata (Core Data).

Source: entity CallRecord of Apple's CallHistory model, column names after published examinations. ZDATE is seconds
since 2001 UTC, ZDURATION seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wigmore.generator.clocks import cocoa
from wigmore.generator.sqlite_file import database, insert

SCHEMA = """
CREATE TABLE ZCALLRECORD (Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, Z_OPT INTEGER, ZANSWERED INTEGER,
  ZCALL_CATEGORY INTEGER, ZCALLTYPE INTEGER, ZDISCONNECTED_CAUSE INTEGER, ZFACE_TIME_DATA INTEGER, ZHANDLE_TYPE INTEGER,
  ZNUMBER_AVAILABILITY INTEGER, ZORIGINATED INTEGER, ZREAD INTEGER, ZVERIFICATION_STATUS INTEGER, ZDATE TIMESTAMP,
  ZDURATION FLOAT, ZADDRESS VARCHAR, ZDEVICE_ID VARCHAR, ZISO_COUNTRY_CODE VARCHAR, ZLOCATION VARCHAR, ZNAME VARCHAR,
  ZSERVICE_PROVIDER VARCHAR, ZUNIQUE_ID VARCHAR);
CREATE TABLE ZHANDLE (Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, Z_OPT INTEGER, ZTYPE INTEGER, ZNORMALIZEDVALUE VARCHAR,
  ZVALUE VARCHAR);
CREATE TABLE Z_2REMOTEPARTICIPANTHANDLES (Z_2REMOTEPARTICIPANTCALLS INTEGER, Z_4REMOTEPARTICIPANTHANDLES INTEGER,
  PRIMARY KEY (Z_2REMOTEPARTICIPANTCALLS, Z_4REMOTEPARTICIPANTHANDLES));
CREATE TABLE ZCALLDBPROPERTIES (Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, Z_OPT INTEGER, ZTIMER_ALL FLOAT);
CREATE TABLE Z_PRIMARYKEY (Z_ENT INTEGER PRIMARY KEY, Z_NAME VARCHAR, Z_SUPER INTEGER, Z_MAX INTEGER);
CREATE TABLE Z_METADATA (Z_VERSION INTEGER PRIMARY KEY, Z_UUID VARCHAR(255), Z_PLIST BLOB);
"""


@dataclass(frozen=True, slots=True)
class Call:
    """One call; `seconds` 0 and not answered is a missed or unanswered call."""

    at: datetime
    number: str
    seconds: float
    outgoing: bool
    answered: bool
    name: str = ""


def calls(path: Path, records: Iterable[Call]) -> None:
    """Write a call history."""
    with database(path, SCHEMA) as connection:
        ordered = sorted(records, key=lambda call: call.at)
        numbers = {number: key for key, number in enumerate(dict.fromkeys(call.number for call in ordered), 1)}
        entities = (
            ("CallDBProperties", 1),
            ("CallRecord", len(ordered)),
            ("EmergencyMediaItem", 0),
            ("Handle", len(numbers)),
        )
        insert(
            connection,
            "Z_PRIMARYKEY",
            [{"Z_ENT": n, "Z_NAME": name, "Z_SUPER": 0, "Z_MAX": top} for n, (name, top) in enumerate(entities, 1)],
        )
        insert(
            connection,
            "ZHANDLE",
            [
                {"Z_PK": key, "Z_ENT": 4, "Z_OPT": 1, "ZTYPE": 2, "ZNORMALIZEDVALUE": number, "ZVALUE": number}
                for number, key in numbers.items()
            ],
        )
        for number, call in enumerate(ordered, 1):
            row = {
                "Z_PK": number,
                "Z_ENT": 2,
                "Z_OPT": 1,
                "ZANSWERED": int(call.answered),
                "ZCALL_CATEGORY": 1,
                "ZCALLTYPE": 1,
                "ZDISCONNECTED_CAUSE": 0,
                "ZHANDLE_TYPE": 2,
                "ZORIGINATED": int(call.outgoing),
                "ZREAD": 1,
                "ZDATE": cocoa(call.at),
                "ZDURATION": float(call.seconds),
                "ZADDRESS": call.number,
                "ZISO_COUNTRY_CODE": "us",
                "ZNAME": call.name or None,
                "ZSERVICE_PROVIDER": "com.apple.Telephony",
                "ZUNIQUE_ID": f"00000000-0000-4000-9000-{number:012X}",
            }
            insert(connection, "ZCALLRECORD", [row])
            link = {"Z_2REMOTEPARTICIPANTCALLS": number, "Z_4REMOTEPARTICIPANTHANDLES": numbers[call.number]}
            insert(connection, "Z_2REMOTEPARTICIPANTHANDLES", [link])
