"""Microsoft Teams on iOS (SkypeSpacesDogfood): messages with shared places, calls, users."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.generic.plist_reader import decode_blob, decode_json
from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import (
    Data,
    Query,
    apple,
    clock,
    milliseconds,
    opened,
    read_queries,
    text_utc,
    walk,
)
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.protocols import EvidenceFile, Yield
from wigmore.registry import parser

USERS = "ZUSER"  # codespell:ignore zuser
TEAMS = Layout(
    paths=("skypespacesdogfood*.sqlite",),
    tables=(
        ("ZSMESSAGE", ("ZCONTENT", "ZIMDISPLAYNAME", "ZTHREADID")),
        (USERS, ("ZDISPLAYNAME", "ZTSID")),
    ),
)
PLACE = re.compile(r"pos\.(-?\d{1,3}\.\d+)_(-?\d{1,3}\.\d+)")


def _cards(properties: dict[str, Any], data: Data) -> None:
    texts: list[str] = []
    for name, value in properties.items():
        if not name.startswith("cards"):
            continue
        inner = decode_json(value) if isinstance(value, str) else value
        for key, leaf in walk(inner):
            if key in ("text", "address") and isinstance(leaf, str) and leaf not in texts:
                texts.append(leaf)
        place = PLACE.search(json.dumps(inner, ensure_ascii=False))
        if place and "latitude" not in data:
            data["latitude"], data["longitude"] = float(place[1]), float(place[2])
    if texts:
        data["card_text"] = texts
        data["_artifact"] = "ios.teams.location" if "latitude" in data else "ios.teams.message"


def _call(log: dict[str, Any], data: Data) -> None:
    data["_artifact"] = "ios.teams.call"
    origin, target = log.get("originatorParticipant"), log.get("targetParticipant")
    data["caller"] = (
        origin.get("displayName") or origin.get("id") if isinstance(origin, dict) else log.get("originator")
    )
    data["called"] = target.get("displayName") or target.get("id") if isinstance(target, dict) else log.get("target")
    data["direction"] = log.get("callDirection")
    for key in ("callType", "callState", "callId", "sessionType", "originator", "target"):
        data[key] = log.get(key)
    times = {key: time for key in ("startTime", "connectTime", "endTime") if (time := text_utc(log.get(key)))}
    data["_times"] = times
    if "connectTime" in times and "endTime" in times:
        data["duration"] = clock((times["endTime"]["instant"] - times["connectTime"]["instant"]) / 1_000_000)


def _message(data: Data, database: Database) -> None:
    data["from"] = data.get("ZIMDISPLAYNAME") or data.get("sender_name") or data.get("ZFROM")
    data["direction"] = "sent" if data.get("ZTS_ISSENTBYME") == 1 else "received"
    blob = data.pop("ZPROPERTIES", None)
    properties = decode_blob(blob) if isinstance(blob, bytes) else None
    if isinstance(properties, dict):
        log = properties.get("call-log")
        if isinstance(log, str):
            log = decode_json(log)
        if isinstance(log, dict):
            _call(log, data)
        _cards(properties, data)
    opened(data, "ZFILES", "ZTS_MYREACTIONS", "ZTS_REACTIONSSUMMARY", "ZMENTIONS", "ZLINKS")


MESSAGE = Query(
    "ios.teams.message",
    ("ZSMESSAGE m", "LEFT JOIN ZMESSAGEPROPERTIES p ON p.ZTSID = m.ZTSID AND p.ZTHREADID = m.ZTHREADID",
     f"LEFT JOIN {USERS} u ON u.ZTSID = m.ZFROM", "LEFT JOIN ZTHREAD t ON t.ZTSID = m.ZTHREADID"),
    "m.Z_PK m.ZTSID m.ZCONTENT m.ZSUBJECT m.ZMESSAGETYPE m.ZFROM m.ZIMDISPLAYNAME u.ZDISPLAYNAME:sender_name "
    "u.ZMAIL:sender_mail m.ZTS_ISSENTBYME m.ZCOMPOSETIME m.ZARRIVALTIME m.ZEDITTIME m.ZDELETETIME m.ZTS_ISSOFTDELETED "
    "m.ZTHREADID t.ZTHREADTOPIC t.ZTHREADTYPE m.ZFILES m.ZLINKS m.ZMENTIONS m.ZTS_MYREACTIONS m.ZTS_REACTIONSSUMMARY "
    "p.ZPROPERTIES",
    "m.Z_PK",
    {"ZCOMPOSETIME": text_utc, "ZARRIVALTIME": apple, "ZEDITTIME": milliseconds, "ZDELETETIME": text_utc},
    ("startTime", "ZCOMPOSETIME", "ZARRIVALTIME"),
    derive=_message,
)  # fmt: skip
USER = Query(
    "ios.teams.user",
    (f"{USERS} u",),
    "u.Z_PK u.ZDISPLAYNAME u.ZGIVENNAME u.ZSURNAME u.ZMAIL u.ZALTERNATIVEEMAIL u.ZTELEPHONENUMBER u.ZMOBILE "
    "u.ZHOMENUMBER u.ZUSERPRINCIPALNAME u.ZTSID u.ZCID u.ZADID u.ZTENANTNAME u.ZTENANTID u.ZJOBTITLE u.ZDEPARTMENT "
    "u.ZTYPE u.ZISBLOCKED u.ZTS_LASTSYNCEDAT",
    "u.Z_PK",
    {"ZTS_LASTSYNCEDAT": apple},
    undated=True,
)
CONTACT = Query(
    "ios.teams.contact",
    ("ZSCONTACT c",),
    "c.Z_PK c.ZDISPLAYNAME c.ZPHONE c.ZEMAIL c.ZMRI c.ZTYPE c.ZTSID",
    "c.Z_PK",
)


@parser(
    "ios.teams", claims=TEAMS,
    reads="SkypeSpacesDogfood databases of Microsoft Teams on iOS",
    means="the account holds this message, call-log entry, shared place or user",
    does_not_mean="that it was written on this device: the store mirrors the service",
    refs=("https://www.sqlite.org/fileformat2.html",),
    artifacts=(MESSAGE.artifact, "ios.teams.call", "ios.teams.location", USER.artifact, CONTACT.artifact),
)  # fmt: skip
def teams(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message, call or shared place with its sender; one a user, one a contact."""
    yield from read_queries(file, TEAMS, (MESSAGE, USER, CONTACT))
