"""Messengers on iOS whose databases are public knowledge: WeChat, Viber, Kik, Facebook Messenger."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from wigmore.artifacts.android.messengers import MEANS, NOT, WECHAT_TYPES, sides
from wigmore.artifacts.generic.sqlite_layout import MAGIC, Layout
from wigmore.artifacts.generic.sqlite_queries import (
    Data,
    Query,
    apple,
    milliseconds,
    named,
    read_deleted,
    read_queries,
    record_of,
    seconds,
)
from wigmore.artifacts.generic.sqlite_reader import Database, open_database
from wigmore.model.protocols import EvidenceFile, ParseError, Yield
from wigmore.registry import Claim, parser

ILEAPP = "https://github.com/abrignoni/iLEAPP/tree/main/scripts/artifacts"
WECHAT = "https://doi.org/10.1016/j.diin.2016.11.002"
CHAT_TABLE = re.compile(r"Chat(Ext\d*)?_[0-9a-fA-F]{32}")
LARGEST_NAMES = 200_000


def _wechat_names(database: Database) -> dict[str, str]:
    """User names by the MD5 of themselves: tables of a chat are named so."""
    names: dict[str, str] = {}
    for table, column in (("Friend", "userName"), ("Friend", "UsrName"), ("Friend_Ext", "UsrName")):
        if database.has(table, column):
            for row in database.select((f"{table} f",), f"f.{column}:name", "f.rowid", limit=f" LIMIT {LARGEST_NAMES}"):
                name = str(row.values.get("name") or "")
                names[hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()] = name
    return names


def _is_wechat(head: bytes, path: str, size: int) -> bool:
    low = path.lower()
    name = low.rsplit("/", 1)[-1]
    return head.startswith(MAGIC) and (
        name == "mm.sqlite"
        or (name.startswith("message_") and name.endswith(".sqlite"))
        or b"CREATE TABLE Chat_" in head
    )


@parser(
    "ios.wechat", claims=Claim(look=_is_wechat),
    reads="MM.sqlite and message_N.sqlite of WeChat on iOS: a table a chat, named by the MD5 of the partner's name",
    means=MEANS, does_not_mean=NOT, refs=(WECHAT, ILEAPP), artifacts=("ios.wechat.message",),
)  # fmt: skip
def wechat(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message; the partner's name where the database lists it, else its digest."""
    with open_database(file) as database:
        tables = [t for t in sorted(database.tables) if CHAT_TABLE.fullmatch(t)]
        if not tables:
            raise ParseError(file.path, None, "has no tables Chat_<MD5>", "schema_unknown")
        names = _wechat_names(database)
        queries = []
        for table in tables:
            digest = table.rsplit("_", 1)[-1].lower()
            queries.append(_wechat_query(table, names.get(digest, ""), digest))
        for query in queries:
            for row in database.select(query.joins, query.columns, query.key):
                yield row.locator, record_of(query, row, database)
        yield from read_deleted(file, database, tuple(queries))
        yield from database.gaps


def _wechat_query(table: str, name: str, digest: str) -> Query:
    def derive(data: Data, database: Database) -> None:
        named(data, "Type", WECHAT_TYPES)
        sent = data.pop("Des", None) == 0
        data["chat_digest"] = digest
        if name:
            data["chat"] = name
        who, text = name or digest, data.get("Message")
        group = name if name.endswith("@chatroom") else None
        if group and not sent and isinstance(text, str) and ":\n" in text[:80]:
            who, data["Message"] = text.split(":\n", 1)
        sides(data, sent, who, group)

    return Query(
        "ios.wechat.message", (f'"{table}" m',), "m.MesLocalID m.MesSvrID m.CreateTime m.Message m.Status m.Type m.Des",
        "m.MesLocalID", {"CreateTime": seconds}, derive=derive,
    )  # fmt: skip


VIBER = Layout(
    paths=("contacts.data",), tables=(("ZVIBERMESSAGE", ("ZTEXT", "ZDATE", "ZSTATE", "ZCONVERSATION")), ("ZMEMBER", ()))
)


def _viber(data: Data, database: Database) -> None:
    state = str(data.get("ZSTATE") or "")
    sent = state in ("send", "delivered") and state != "received"
    sides(data, sent, data.get("member") or data.get("phone"), data.get("conversation"))


VIBER_MESSAGE = Query(
    "ios.viber.message",
    ("ZVIBERMESSAGE m", "LEFT JOIN ZMEMBER p ON p.Z_PK = m.ZPHONENUMINDEX",
     "LEFT JOIN ZPHONENUMBER n ON n.ZMEMBER = p.Z_PK", "LEFT JOIN ZCONVERSATION c ON c.Z_PK = m.ZCONVERSATION",
     "LEFT JOIN ZATTACHMENT a ON a.Z_PK = m.ZATTACHMENT", "LEFT JOIN ZVIBERLOCATION l ON l.Z_PK = m.ZLOCATION"),
    "m.Z_PK m.ZTEXT m.ZDATE m.ZSTATEDATE m.ZSTATE m.ZSYSTEMTYPE m.ZBEINGDELETED m.ZTIMEBOMBDURATION p.ZDISPLAYFULLNAME:member "
    "n.ZPHONE:phone c.ZNAME:conversation a.ZNAME:attachment a.ZTYPE:attachment_type l.ZLATITUDE:latitude "
    "l.ZLONGITUDE:longitude",
    "m.Z_PK",
    {"ZDATE": apple, "ZSTATEDATE": apple},
    derive=_viber,
)  # fmt: skip
VIBER_CALL = Query(
    "ios.viber.call",
    (
        "ZRECENTSLINE l",
        "LEFT JOIN ZRECENT r ON r.ZRECENTSLINE = l.Z_PK",
        "LEFT JOIN ZPHONENUMBER n ON n.Z_PK = l.ZPHONENUMBER",
    ),
    "l.Z_PK l.ZDATE l.ZPHONENUM r.ZCALLTYPE r.ZDURATION r.ZDATE:call_date n.ZPHONE:phone",
    "l.Z_PK",
    {"call_date": apple, "ZDATE": apple},
)

KIK = Layout(
    paths=("kik.sqlite",),
    tables=(("ZKIKMESSAGE", ("ZBODY", "ZTIMESTAMP", "ZTYPE", "ZUSER")), ("ZKIKUSER", ("ZUSERNAME",))),
)


def _kik(data: Data, database: Database) -> None:
    kind = data.get("ZTYPE")
    named(data, "ZTYPE", {1: "received", 2: "sent", 3: "group administration", 4: "group"})
    sides(data, kind == 2, data.get("ZDISPLAYNAME") or data.get("ZUSERNAME"))


KIK_MESSAGE = Query(
    "ios.kik.message",
    ("ZKIKMESSAGE m", "LEFT JOIN ZKIKUSER u ON u.Z_PK = m.ZUSER", "LEFT JOIN ZKIKATTACHMENT a ON a.ZMESSAGE = m.Z_PK"),
    "m.Z_PK m.ZBODY m.ZTIMESTAMP m.ZRECEIVEDTIMESTAMP m.ZTYPE m.ZSTATE m.ZSYSTEMSTATE u.ZUSERNAME u.ZDISPLAYNAME u.ZJID "
    "a.ZCONTENT:attachment",
    "m.Z_PK",
    {"ZTIMESTAMP": apple, "ZRECEIVEDTIMESTAMP": apple},
    derive=_kik,
)
KIK_USER = Query(
    "ios.kik.contact",
    ("ZKIKUSER u",),
    "u.Z_PK u.ZUSERNAME u.ZDISPLAYNAME u.ZJID u.ZEMAIL u.ZFLAGS u.ZTYPE",
    "u.Z_PK",
    undated=True,
)

LIGHTSPEED = Layout(
    paths=("lightspeed-*.db",),
    tables=(
        ("messages", ("message_id", "thread_key", "timestamp_ms", "sender_id", "text")),
        ("contacts", ("id", "name")),
    ),
)
LIGHTSPEED_MESSAGE = Query(
    "ios.messenger.message",
    ("messages m", "LEFT JOIN contacts c ON c.id = m.sender_id", "LEFT JOIN threads t ON t.thread_key = m.thread_key"),
    "m.message_id m.thread_key m.timestamp_ms m.text m.sender_id m.is_unsent m.is_admin_message c.name:from "
    "t.thread_name m.reply_source_id",
    "m.rowid",
    {"timestamp_ms": milliseconds},
)
LIGHTSPEED_CONTACT = Query(
    "ios.messenger.contact", ("contacts c",), "c.id c.name c.username c.phone_number c.email_address c.is_messenger_user",
    "c.rowid", undated=True,
)  # fmt: skip


@parser(
    "ios.viber", claims=VIBER, reads="Contacts.data of Viber on iOS", means=MEANS, does_not_mean=NOT, refs=(ILEAPP,),
    artifacts=(VIBER_MESSAGE.artifact, VIBER_CALL.artifact),
)  # fmt: skip
def viber(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message, one a call."""
    yield from read_queries(file, VIBER, (VIBER_MESSAGE, VIBER_CALL))


@parser(
    "ios.kik", claims=KIK, reads="kik.sqlite of Kik on iOS", means=MEANS, does_not_mean=NOT, refs=(ILEAPP,),
    artifacts=(KIK_MESSAGE.artifact, KIK_USER.artifact),
)  # fmt: skip
def kik(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message, one a contact."""
    yield from read_queries(file, KIK, (KIK_MESSAGE, KIK_USER))


@parser(
    "ios.messenger", claims=LIGHTSPEED, reads="lightspeed databases of Facebook Messenger on iOS", means=MEANS,
    does_not_mean=NOT, refs=(ILEAPP,), artifacts=(LIGHTSPEED_MESSAGE.artifact, LIGHTSPEED_CONTACT.artifact),
)  # fmt: skip
def messenger(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message, one a contact."""
    yield from read_queries(file, LIGHTSPEED, (LIGHTSPEED_MESSAGE, LIGHTSPEED_CONTACT))
