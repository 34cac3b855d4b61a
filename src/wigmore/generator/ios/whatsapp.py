"""WhatsApp on iOS: ChatStorage.sqlite (Core Data).

Source: column names after published examinations. Dates are seconds since 2001 UTC; ZMESSAGETYPE 0 is text, 8 a
document.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wigmore.generator.clocks import cocoa
from wigmore.generator.sqlite_file import database, insert

SCHEMA = """
CREATE TABLE ZWACHATSESSION (Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, Z_OPT INTEGER, ZARCHIVED INTEGER,
  ZHIDDEN INTEGER, ZMESSAGECOUNTER INTEGER, ZREMOVED INTEGER, ZSESSIONTYPE INTEGER, ZUNREADCOUNT INTEGER,
  ZGROUPINFO INTEGER, ZLASTMESSAGE INTEGER, ZLASTMESSAGEDATE TIMESTAMP, ZCONTACTIDENTIFIER VARCHAR, ZCONTACTJID VARCHAR,
  ZLASTMESSAGETEXT VARCHAR, ZPARTNERNAME VARCHAR);
CREATE TABLE ZWAMESSAGE (Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, Z_OPT INTEGER, ZCHILDMESSAGESDELIVEREDCOUNT INTEGER,
  ZFLAGS INTEGER, ZGROUPEVENTTYPE INTEGER, ZISFROMME INTEGER, ZMESSAGEERRORSTATUS INTEGER, ZMESSAGESTATUS INTEGER,
  ZMESSAGETYPE INTEGER, ZSORT INTEGER, ZSTARRED INTEGER, ZCHATSESSION INTEGER, ZGROUPMEMBER INTEGER,
  ZLASTSESSION INTEGER, ZMEDIAITEM INTEGER, ZMESSAGEINFO INTEGER, ZPARENTMESSAGE INTEGER, ZMESSAGEDATE TIMESTAMP,
  ZSENTDATE TIMESTAMP, ZFROMJID VARCHAR, ZPUSHNAME VARCHAR, ZSTANZAID VARCHAR, ZTEXT VARCHAR, ZTOJID VARCHAR);
CREATE TABLE ZWAMEDIAITEM (Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, Z_OPT INTEGER, ZFILESIZE INTEGER,
  ZMESSAGE INTEGER, ZMEDIALOCALPATH VARCHAR, ZTITLE VARCHAR, ZVCARDNAME VARCHAR, ZVCARDSTRING VARCHAR);
CREATE TABLE ZWAGROUPMEMBER (Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, Z_OPT INTEGER, ZCHATSESSION INTEGER,
  ZCONTACTNAME VARCHAR, ZMEMBERJID VARCHAR);
CREATE TABLE ZWAGROUPINFO (Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, Z_OPT INTEGER, ZCHATSESSION INTEGER,
  ZCREATIONDATE TIMESTAMP, ZCREATORJID VARCHAR);
CREATE TABLE ZWAPROFILEPUSHNAME (Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, Z_OPT INTEGER, ZJID VARCHAR,
  ZPUSHNAME VARCHAR);
CREATE TABLE Z_PRIMARYKEY (Z_ENT INTEGER PRIMARY KEY, Z_NAME VARCHAR, Z_SUPER INTEGER, Z_MAX INTEGER);
CREATE TABLE Z_METADATA (Z_VERSION INTEGER PRIMARY KEY, Z_UUID VARCHAR(255), Z_PLIST BLOB);
"""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a one-to-one chat; `document` is the name of a file sent with it."""

    at: datetime
    party: str
    party_name: str
    text: str
    sent: bool
    document: str = ""
    size: int = 0


def jid(number: str) -> str:
    """A WhatsApp user id of a telephone number."""
    return f"{number.lstrip('+')}@s.whatsapp.net"


def chats(path: Path, records: Iterable[Message]) -> None:
    """Write a chat storage."""
    ordered = sorted(records, key=lambda message: message.at)
    sessions = {party: n for n, party in enumerate(dict.fromkeys(m.party for m in ordered), 1)}
    media = 0
    with database(path, SCHEMA) as connection:
        for party, number in sessions.items():
            mine = [message for message in ordered if message.party == party]
            row = {
                "Z_PK": number,
                "Z_ENT": 3,
                "Z_OPT": 1,
                "ZARCHIVED": 0,
                "ZHIDDEN": 0,
                "ZMESSAGECOUNTER": len(mine),
                "ZREMOVED": 0,
                "ZSESSIONTYPE": 0,
                "ZUNREADCOUNT": 0,
                "ZLASTMESSAGE": ordered.index(mine[-1]) + 1,
                "ZLASTMESSAGEDATE": cocoa(mine[-1].at),
                "ZCONTACTJID": jid(party),
                "ZPARTNERNAME": mine[0].party_name,
            }
            insert(connection, "ZWACHATSESSION", [row])
            push = {"Z_PK": number, "Z_ENT": 10, "Z_OPT": 1, "ZJID": jid(party), "ZPUSHNAME": mine[0].party_name}
            insert(connection, "ZWAPROFILEPUSHNAME", [push])
        for number, message in enumerate(ordered, 1):
            media += bool(message.document)
            row = {
                "Z_PK": number,
                "Z_ENT": 9,
                "Z_OPT": 1,
                "ZFLAGS": 0,
                "ZGROUPEVENTTYPE": 0,
                "ZISFROMME": int(message.sent),
                "ZMESSAGEERRORSTATUS": 0,
                "ZMESSAGESTATUS": 6 if message.sent else 8,
                "ZMESSAGETYPE": 8 if message.document else 0,
                "ZSORT": number,
                "ZSTARRED": 0,
                "ZCHATSESSION": sessions[message.party],
                "ZMEDIAITEM": media if message.document else None,
                "ZMESSAGEDATE": cocoa(message.at),
                "ZSENTDATE": cocoa(message.at),
                "ZFROMJID": None if message.sent else jid(message.party),
                "ZTOJID": jid(message.party) if message.sent else None,
                "ZSTANZAID": f"3EB0{number:016X}",
                "ZTEXT": message.text or None,
            }
            insert(connection, "ZWAMESSAGE", [row])
            if message.document:
                place = f"Media/{jid(message.party)}/0/{message.document}"
                row = {"Z_PK": media, "Z_ENT": 8, "Z_OPT": 1, "ZFILESIZE": message.size, "ZMESSAGE": number}
                insert(connection, "ZWAMEDIAITEM", [{**row, "ZMEDIALOCALPATH": place, "ZTITLE": message.document}])
