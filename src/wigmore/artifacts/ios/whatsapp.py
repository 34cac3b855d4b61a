"""WhatsApp on iOS: messages, contacts and calls, each with the parties by name where the databases know it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import Data, Query, apple, clock, named, read_queries
from wigmore.artifacts.generic.sqlite_reader import Database, open_database
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Yield
from wigmore.registry import parser

TYPES = {
    0: "text", 1: "image", 2: "video", 3: "voice", 4: "contact", 5: "location", 6: "group event", 7: "link",
    8: "document", 10: "system", 11: "animated image", 12: "call event", 14: "deleted", 15: "sticker",
    38: "view once image",
    39: "view once video", 46: "poll", 54: "video note", 59: "call",
}  # fmt: skip
OUTCOMES = {0: "answered", 1: "missed", 2: "cancelled", 3: "failed", 4: "rejected"}

CHATS = Layout(
    paths=("chatstorage.sqlite",),
    tables=(
        ("ZWAMESSAGE", ("ZTEXT", "ZISFROMME", "ZMESSAGEDATE")),
        ("ZWACHATSESSION", ("ZCONTACTJID", "ZPARTNERNAME")),
    ),
)
CONTACTS = Layout(paths=("contactsv2.sqlite",), tables=(("ZWAADDRESSBOOKCONTACT", ("ZFULLNAME", "ZWHATSAPPID")),))
CALLS = Layout(tables=(("ZWACDCALLEVENT", ("ZDATE", "ZDURATION")),))


def _message(data: Data, database: Database) -> None:
    named(data, "ZMESSAGETYPE", TYPES, "message_type")
    sent = data.get("ZISFROMME") == 1
    data["direction"] = "sent" if sent else "received"
    partner = data.get("ZPARTNERNAME") or data.get("ZCONTACTJID") or ""
    group = str(data.get("ZCONTACTJID") or "").endswith("@g.us")
    member = data.get("member_name") or data.get("member_push_name") or data.get("member_jid")
    author = (member or data.get("ZFROMJID") or partner) if group else partner
    data["from"] = "Local User" if sent else author
    data["to"] = partner if sent or group else "Local User"
    if not data.get("ZLATITUDE") and not data.get("ZLONGITUDE"):
        data.pop("ZLATITUDE", None)
        data.pop("ZLONGITUDE", None)
    for name in ("ZMETADATA", "ZMEDIAKEY"):
        data.pop(name, None)


MESSAGE = Query(
    "ios.whatsapp.message",
    ("ZWAMESSAGE m", "LEFT JOIN ZWACHATSESSION s ON s.Z_PK = m.ZCHATSESSION",
     "LEFT JOIN ZWAGROUPMEMBER g ON g.Z_PK = m.ZGROUPMEMBER", "LEFT JOIN ZWAPROFILEPUSHNAME n ON n.ZJID = g.ZMEMBERJID",
     "LEFT JOIN ZWAMEDIAITEM i ON i.Z_PK = m.ZMEDIAITEM"),
    "m.Z_PK m.ZTEXT m.ZISFROMME m.ZMESSAGEDATE m.ZSENTDATE m.ZMESSAGETYPE m.ZMESSAGESTATUS m.ZSTARRED m.ZFROMJID "
    "m.ZTOJID m.ZPUSHNAME m.ZSTANZAID m.ZGROUPEVENTTYPE s.ZPARTNERNAME s.ZCONTACTJID g.ZCONTACTNAME:member_name "
    "g.ZMEMBERJID:member_jid n.ZPUSHNAME:member_push_name i.ZMEDIALOCALPATH i.ZMEDIAURL i.ZTITLE:media_title "
    "i.ZVCARDSTRING i.ZVCARDNAME i.ZLATITUDE i.ZLONGITUDE i.ZFILESIZE i.ZMOVIEDURATION i.ZMEDIAURLDATE",
    "m.Z_PK",
    {"ZMESSAGEDATE": apple, "ZSENTDATE": apple, "ZMEDIAURLDATE": apple},
    ("ZMESSAGEDATE", "ZSENTDATE"),
    derive=_message,
)  # fmt: skip
SESSION = Query(
    "ios.whatsapp.chat",
    ("ZWACHATSESSION s", "LEFT JOIN ZWAGROUPINFO g ON g.Z_PK = s.ZGROUPINFO"),
    "s.Z_PK s.ZPARTNERNAME s.ZCONTACTJID s.ZMESSAGECOUNTER s.ZUNREADCOUNT s.ZARCHIVED s.ZREMOVED s.ZHIDDEN "
    "s.ZSESSIONTYPE s.ZLASTMESSAGEDATE g.ZCREATIONDATE g.ZCREATORJID g.ZOWNERJID g.ZSUBJECTTIMESTAMP",
    "s.Z_PK",
    {"ZLASTMESSAGEDATE": apple, "ZCREATIONDATE": apple, "ZSUBJECTTIMESTAMP": apple},
)
CONTACT = Query(
    "ios.whatsapp.contact",
    ("ZWAADDRESSBOOKCONTACT c",),
    "c.Z_PK c.ZFULLNAME c.ZGIVENNAME c.ZBUSINESSNAME c.ZPHONENUMBER c.ZPHONENUMBERLABEL c.ZLOCALIZEDPHONENUMBER "
    "c.ZWHATSAPPID c.ZLID c.ZABOUTTEXT c.ZABOUTTIMESTAMP c.ZIDENTIFIER",
    "c.Z_PK",
    {"ZABOUTTIMESTAMP": apple},
)


def _call(data: Data, database: Database) -> None:
    incoming = data.get("ZINCOMING")
    if isinstance(incoming, int):
        data["direction"] = "Incoming" if incoming else "Outgoing"
    data["media"] = "video" if data.get("ZVIDEO") == 1 else "audio"
    data["duration"] = clock(data.get("ZDURATION"))
    named(data, "ZOUTCOME", OUTCOMES, "outcome")
    if database.has("ZWACDCALLEVENTPARTICIPANT", "Z1PARTICIPANTS", "ZJIDSTRING"):
        found = database.related(
            "SELECT ZJIDSTRING FROM ZWACDCALLEVENTPARTICIPANT WHERE Z1PARTICIPANTS = ? ORDER BY Z_PK", data["Z_PK"]
        )
        data["participants"] = [jid for (jid,) in found]


CALL = Query(
    "ios.whatsapp.call",
    ("ZWACDCALLEVENT e", "LEFT JOIN ZWAAGGREGATECALLEVENT a ON a.Z_PK = e.Z1CALLEVENTS"),
    "e.Z_PK e.ZDATE e.ZDURATION e.ZOUTCOME e.ZBYTESRECEIVED e.ZBYTESSENT e.ZGROUPCALLCREATORUSERJIDSTRING "
    "e.ZGROUPJIDSTRING e.ZCALLIDSTRING a.ZINCOMING a.ZMISSED a.ZMISSEDREASON a.ZVIDEO a.ZFIRSTDATE",
    "e.Z_PK",
    {"ZDATE": apple, "ZFIRSTDATE": apple},
    derive=_call,
)


@parser(
    "ios.whatsapp.chats", claims=CHATS,
    reads="ChatStorage.sqlite of WhatsApp on iOS",
    means="the account sent or received the message, as logged; names are those of the chat and its members",
    does_not_mean="who typed it; sender's clock and server stamp differ",
    refs=("https://www.sqlite.org/fileformat2.html",), artifacts=(MESSAGE.artifact, SESSION.artifact),
)  # fmt: skip
def chats(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message, from whom to whom, with its media; one a chat."""
    yield from read_queries(file, CHATS, (MESSAGE, SESSION))


@parser(
    "ios.whatsapp.contacts", claims=CONTACTS,
    reads="ContactsV2.sqlite of WhatsApp on iOS",
    means="WhatsApp knew this contact of the address book under this identifier",
    does_not_mean="that messages were exchanged",
    refs=("https://www.sqlite.org/fileformat2.html",), artifacts=(CONTACT.artifact,),
)  # fmt: skip
def contacts(file: EvidenceFile) -> Iterator[Yield]:
    """One record a contact."""
    yield from read_queries(file, CONTACTS, (CONTACT,))


def _names(file: EvidenceFile) -> tuple[dict[str, str], Gap | None]:
    """Names and numbers by WhatsApp id from the contact list beside the calls."""
    book = file.sibling("ContactsV2.sqlite")
    if book is None:
        return {}, None
    names: dict[str, str] = {}
    try:
        with open_database(book, CONTACTS) as database:
            for row in database.select(CONTACT.joins, "c.ZFULLNAME c.ZPHONENUMBER c.ZWHATSAPPID", "c.Z_PK"):
                jid = row.values.get("ZWHATSAPPID")
                if isinstance(jid, str) and row.state != database.older and len(names) < 100_000:
                    names[jid] = (
                        f"{row.values.get('ZFULLNAME') or ''} ({row.values.get('ZPHONENUMBER') or jid})".strip()
                    )
    except ParseError as error:
        return {}, Gap(f"contact names: {error.message}", reason=error.reason)
    return names, None


@parser(
    "ios.whatsapp.calls", claims=CALLS,
    reads="CallHistory.sqlite of WhatsApp on iOS, names from ContactsV2.sqlite beside it",
    means="the account logged a call with these participants, direction and length",
    does_not_mean="who spoke",
    refs=("https://www.sqlite.org/fileformat2.html",), artifacts=(CALL.artifact,),
)  # fmt: skip
def calls(file: EvidenceFile) -> Iterator[Yield]:
    """One record a call; `participant_names` are joined from the contact list beside it."""
    names, gap = _names(file)
    if gap is not None:
        yield gap
    for item in read_queries(file, CALLS, (CALL,)):
        if isinstance(item, tuple):
            locator, record = item
            found = [names[jid] for jid in record.data.get("participants", []) if jid in names]
            if found:
                record = replace(record, data={**record.data, "participant_names": found})
            yield locator, record
        else:
            yield item
