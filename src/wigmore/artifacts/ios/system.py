"""System databases of iOS and macOS: accounts, KnowledgeC, permissions, interactions, data usage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import (
    Data,
    Query,
    apple,
    blob_fields,
    named,
    opened,
    read_queries,
    seconds,
)
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.protocols import EvidenceFile, Yield
from wigmore.registry import parser

SQLITE = "https://www.sqlite.org/fileformat2.html"
ACCOUNTS = Layout(
    paths=("accounts3.sqlite", "accounts4.sqlite"),
    tables=(("ZACCOUNT", ("ZACCOUNTTYPE", "ZDATE", "ZUSERNAME")), ("ZACCOUNTTYPE", ("ZACCOUNTTYPEDESCRIPTION",))),
)
KNOWLEDGE = Layout(
    paths=("knowledgec*.db",), tables=(("ZOBJECT", ("ZSTREAMNAME", "ZSTARTDATE", "ZENDDATE")), ("ZSOURCE", ()))
)
TCC = Layout(paths=("tcc.db",), tables=(("access", ("service", "client", "client_type")),))
INTERACTIONS = Layout(paths=("interactionc.db",), tables=(("ZINTERACTIONS", ("ZBUNDLEID", "ZSTARTDATE", "ZSENDER")),))
USAGE = Layout(
    paths=("datausage.sqlite", "netusage.sqlite"),
    tables=(("ZPROCESS", ("ZPROCNAME", "ZFIRSTTIMESTAMP")), ("ZLIVEUSAGE", ())),
)


def _account(data: Data, database: Database) -> None:
    if not database.has("ZACCOUNTPROPERTY", "ZOWNER", "ZKEY", "ZVALUE"):
        return
    for key, value in database.related(
        "SELECT ZKEY, ZVALUE FROM ZACCOUNTPROPERTY WHERE ZOWNER = ? ORDER BY Z_PK", data["Z_PK"]
    ):
        data[f"property.{key}"] = _property(value) if isinstance(value, bytes) else value


@lru_cache(maxsize=256)  # earlier versions of an account's row are many, and all stand beside the properties of now
def _property(value: bytes) -> Any:
    held = blob_fields("value", value)
    return held.get("value_decoded", held["value"])


ACCOUNT = Query(
    "ios.account",
    ("ZACCOUNT a", "LEFT JOIN ZACCOUNTTYPE t ON t.Z_PK = a.ZACCOUNTTYPE",
     "LEFT JOIN ZACCOUNT p ON p.Z_PK = a.ZPARENTACCOUNT"),
    "a.Z_PK a.ZUSERNAME a.ZACCOUNTDESCRIPTION a.ZIDENTIFIER a.ZOWNINGBUNDLEID a.ZACTIVE a.ZAUTHENTICATED a.ZVISIBLE "
    "a.ZDATE a.ZLASTCREDENTIALRENEWALREJECTIONDATE t.ZACCOUNTTYPEDESCRIPTION t.ZIDENTIFIER:account_type "
    "p.ZUSERNAME:parent_username p.ZIDENTIFIER:parent_identifier",
    "a.Z_PK",
    {"ZDATE": apple, "ZLASTCREDENTIALRENEWALREJECTIONDATE": apple},
    ("ZDATE",),
    derive=_account,
)  # fmt: skip


def _object(data: Data, database: Database) -> None:
    row = data["_row"]
    start, end = row.get("ZSTARTDATE"), row.get("ZENDDATE")
    if isinstance(start, (int, float)) and isinstance(end, (int, float)):
        data["duration_seconds"] = round(end - start, 6)
    number = data.pop("ZSTRUCTUREDMETADATA", None)
    columns = database.tables.get("ZSTRUCTUREDMETADATA", ())
    if number is not None and columns:
        found = database.related("SELECT * FROM ZSTRUCTUREDMETADATA WHERE Z_PK = ?", number)
        kept = [c for c in columns if c not in ("Z_PK", "Z_ENT", "Z_OPT", "ZMETADATAHASH")]
        if found and len(found[0]) == len(columns):
            values = dict(zip(columns, found[0], strict=True))
            for column in kept:
                if values[column] is not None:
                    name = column.removeprefix("Z_DK").removeprefix("Z").replace("METADATAKEY__", ".").lower()
                    data[f"metadata.{name}"] = values[column]
                    if name.endswith(("date", "periodstart", "periodend")) and (time := apple(values[column])):
                        data.setdefault("_times", {})[f"metadata.{name}"] = time
    device = data.get("ZDEVICEID")
    data["_origin"] = "synced" if device else "local" if database.has("ZSOURCE", "ZDEVICEID") else ""
    offset = data.get("ZSECONDSFROMGMT")
    if isinstance(offset, int):
        data["utc_offset_hours"] = offset / 3600


OBJECT = Query(
    "ios.knowledgec",
    ("ZOBJECT o", "LEFT JOIN ZSOURCE s ON s.Z_PK = o.ZSOURCE"),
    "o.Z_PK o.ZSTREAMNAME o.ZVALUESTRING o.ZVALUEINTEGER o.ZVALUEDOUBLE o.ZSTARTDATE o.ZENDDATE o.ZCREATIONDATE "
    "o.ZSECONDSFROMGMT o.ZUUID o.ZCONFIDENCE o.ZSTRUCTUREDMETADATA s.ZBUNDLEID s.ZDEVICEID s.ZITEMID s.ZGROUPID",
    "o.Z_PK",
    {"ZSTARTDATE": apple, "ZENDDATE": apple, "ZCREATIONDATE": apple},
    derive=_object,
)


def _access(data: Data, database: Database) -> None:
    named(data, "auth_value", {0: "denied", 1: "unknown", 2: "allowed", 3: "limited", 4: "add only"})
    named(data, "allowed", {0: "denied", 1: "allowed"})
    named(data, "client_type", {0: "bundle identifier", 1: "absolute path"})


ACCESS = Query(
    "ios.tcc",
    ("access a",),
    "a.service a.client a.client_type a.auth_value a.auth_reason a.allowed a.prompt_count a.last_modified "
    "a.last_reminded a.indirect_object_identifier",
    "a.rowid",
    {"last_modified": seconds, "last_reminded": seconds},
    derive=_access,
)


def _interaction(data: Data, database: Database) -> None:
    named(data, "ZDIRECTION", {0: "incoming", 1: "outgoing"}, "direction")
    if not database.has("ZCONTACTS", "ZIDENTIFIER", "ZDISPLAYNAME"):
        return
    for table, columns in sorted(database.tables.items()):
        if not re.fullmatch(r"Z_\d+INTERACTIONRECIPIENT|Z_\d+RECIPIENTS", table):
            continue
        ours = next((c for c in columns if re.fullmatch(r"Z_\d+INTERACTIONRECIPIENT", c)), None)
        theirs = next((c for c in columns if re.fullmatch(r"Z_\d+RECIPIENTS", c)), None)
        if ours and theirs:
            found = database.related(
                f'SELECT c.ZDISPLAYNAME, c.ZIDENTIFIER FROM "{table}" j JOIN ZCONTACTS c ON c.Z_PK = j."{theirs}" '
                f'WHERE j."{ours}" = ? ORDER BY c.Z_PK',
                data["Z_PK"],
            )
            if found:
                data["recipients"] = [f"{name} ({who})" if name else str(who) for name, who in found]
            return


INTERACTION = Query(
    "ios.interaction",
    ("ZINTERACTIONS i", "LEFT JOIN ZCONTACTS s ON s.Z_PK = i.ZSENDER"),
    "i.Z_PK i.ZBUNDLEID i.ZDIRECTION i.ZISRESPONSE i.ZMECHANISM i.ZRECIPIENTCOUNT i.ZSTARTDATE i.ZENDDATE "
    "i.ZCREATIONDATE i.ZDOMAINIDENTIFIER i.ZGROUPNAME i.ZUUID s.ZDISPLAYNAME:sender_name "
    "s.ZIDENTIFIER:sender_identifier",
    "i.Z_PK",
    {"ZSTARTDATE": apple, "ZENDDATE": apple, "ZCREATIONDATE": apple},
    derive=_interaction,
)
PERSON = Query(
    "ios.interaction_contact",
    ("ZCONTACTS c",),
    "c.Z_PK c.ZDISPLAYNAME c.ZIDENTIFIER c.ZPERSONID c.ZINCOMINGRECIPIENTCOUNT c.ZINCOMINGSENDERCOUNT "
    "c.ZOUTGOINGRECIPIENTCOUNT c.ZFIRSTINCOMINGSENDERDATE c.ZFIRSTOUTGOINGRECIPIENTDATE c.ZLASTINCOMINGSENDERDATE "
    "c.ZLASTOUTGOINGRECIPIENTDATE c.ZCREATIONDATE",
    "c.Z_PK",
    dict.fromkeys(
        ("ZFIRSTINCOMINGSENDERDATE", "ZFIRSTOUTGOINGRECIPIENTDATE", "ZLASTINCOMINGSENDERDATE",
         "ZLASTOUTGOINGRECIPIENTDATE", "ZCREATIONDATE"), apple),
    undated=True,
)  # fmt: skip
NETWORK = Query(
    "ios.data_usage",
    ("ZLIVEUSAGE u", "LEFT JOIN ZPROCESS p ON p.Z_PK = u.ZHASPROCESS"),
    "u.Z_PK p.ZPROCNAME p.ZBUNDLENAME p.ZFIRSTTIMESTAMP:process_first p.ZTIMESTAMP:process_last u.ZTIMESTAMP u.ZWIFIIN "
    "u.ZWIFIOUT u.ZWWANIN u.ZWWANOUT u.ZKIND u.ZTAG",
    "u.Z_PK",
    {"ZTIMESTAMP": apple, "process_first": apple, "process_last": apple},
)


@parser(
    "ios.accounts", claims=ACCOUNTS,
    reads="Accounts3.sqlite and Accounts4.sqlite of iOS and macOS",
    means="this account is set up on the device, added then",
    does_not_mean="that it was used, or by whom; ZDATE is when the entry was made here",
    refs=("https://developer.apple.com/documentation/accounts",), artifacts=(ACCOUNT.artifact,),
)  # fmt: skip
def accounts(file: EvidenceFile) -> Iterator[Yield]:
    """One record an account with its type, parent and properties."""
    yield from read_queries(file, ACCOUNTS, (ACCOUNT,))


@parser(
    "ios.knowledgec", claims=KNOWLEDGE,
    reads="knowledgeC.db of iOS and macOS",
    means="the device noted this state (application in focus, lock, power, media) over this span",
    does_not_mean="which person; rows with a device id come from another device of the account",
    refs=(SQLITE,), artifacts=(OBJECT.artifact,),
)  # fmt: skip
def knowledgec(file: EvidenceFile) -> Iterator[Yield]:
    """One record an event with its source and metadata."""
    yield from read_queries(file, KNOWLEDGE, (OBJECT,))


@parser(
    "ios.tcc", claims=TCC,
    reads="TCC.db of iOS and macOS",
    means="this program holds, or was refused, this permission since the time of the last change",
    does_not_mean="that it used the permission",
    refs=("https://support.apple.com/guide/security/controlling-app-access-to-files-secddd1d86a6/web",),
    artifacts=(ACCESS.artifact,),
)  # fmt: skip
def tcc(file: EvidenceFile) -> Iterator[Yield]:
    """One record a decision."""
    yield from read_queries(file, TCC, (ACCESS,))


@parser(
    "ios.interactions", claims=INTERACTIONS,
    reads="interactionC.db of iOS and macOS",
    means="the device noted a communication of this application with this party",
    does_not_mean="its content, or which person used the device",
    refs=(SQLITE, "https://github.com/mac4n6/APOLLO/tree/master/modules"), artifacts=(INTERACTION.artifact, PERSON.artifact),
)  # fmt: skip
def interactions(file: EvidenceFile) -> Iterator[Yield]:
    """One record an interaction, one a known contact with counters."""
    yield from read_queries(file, INTERACTIONS, (INTERACTION, PERSON))


@parser(
    "ios.data_usage", claims=USAGE,
    reads="DataUsage.sqlite and netusage.sqlite of iOS and macOS",
    means="the process moved so many bytes by the time of the row",
    does_not_mean="what was moved, or where to",
    refs=(SQLITE,), artifacts=(NETWORK.artifact,),
)  # fmt: skip
def data_usage(file: EvidenceFile) -> Iterator[Yield]:
    """One record a counter row."""
    yield from read_queries(file, USAGE, (NETWORK,))


def _tweet(data: Data, database: Database) -> None:
    opened(data, "entities")


TWITTER = Layout(
    paths=("twitter.db",), tables=(("Statuses", ("text", "userId", "date")), ("Users", ("screenName", "name")))
)
TWEET = Query(
    "ios.twitter.status",
    ("Statuses s", "LEFT JOIN Users u ON u.id = s.userId"),
    "s.id s.text s.date s.updatedAt s.userId u.name u.screenName s.inReplyToStatusId s.inReplyToUsername "
    "s.retweetCount "
    "s.favoriteCount s.favorited s.lang s.source s.latitude s.longitude s.entities",
    "s.id",
    {"date": seconds, "updatedAt": seconds},
    ("date",),
    derive=_tweet,
)
MEMBER = Query(
    "ios.twitter.user",
    ("Users u",),
    "u.id u.screenName u.name u.location u.description u.url u.following u.followersCount u.statusesCount u.verified "
    "u.protected u.profileImageUrl u.updatedAt u.createdDate",
    "u.id",
    {"createdDate": seconds, "updatedAt": seconds},
    undated=True,
)


@parser(
    "ios.twitter", claims=TWITTER,
    reads="twitter.db of the Twitter application on iOS",
    means="the application stored this post and its author, as the service delivered them",
    does_not_mean="that the device's user read or wrote it",
    refs=(SQLITE,), artifacts=(TWEET.artifact, MEMBER.artifact),
)  # fmt: skip
def twitter(file: EvidenceFile) -> Iterator[Yield]:
    """One record a post with its author's names, one a user."""
    yield from read_queries(file, TWITTER, (TWEET, MEMBER))
