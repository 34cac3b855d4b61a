"""Notes of iOS 9 and macOS 10.11 on (NoteStore.sqlite): text, folders, attachments and who shares a note."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.generic.plist_reader import INFLATED, decode_blob
from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import Data, Query, apple, read_queries, walk
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Yield
from wigmore.registry import parser

NOTES = Layout(
    paths=("notestore.sqlite",),
    tables=(("ZICCLOUDSYNCINGOBJECT", ("Z_PK", "ZIDENTIFIER")), ("ZICNOTEDATA", ("ZNOTE", "ZDATA"))),
)


def protobuf_bytes(data: bytes, *path: int) -> bytes | None:
    """The length-delimited field at a path of field numbers, the first of each; None where there is none."""
    for number in path:
        at, found = 0, None
        while at < len(data):
            key, at = varint_little(data, at)
            wire = key & 7
            if wire == 2:
                length, at = varint_little(data, at)
                if key >> 3 == number:
                    found = data[at : at + length]
                    break
                at += length
            elif wire == 0:
                _, at = varint_little(data, at)
            elif wire in (1, 5):
                at += 8 if wire == 1 else 4
            else:
                break
        if found is None:
            return None
        data = found
    return data


def varint_little(data: bytes, at: int) -> tuple[int, int]:
    """A protobuf varint (7 bits a byte, lowest first) and the place behind it."""
    value = 0
    for i in range(10):
        if at + i >= len(data):
            break
        byte = data[at + i]
        value |= (byte & 0x7F) << (7 * i)
        if not byte & 0x80:
            return value, at + i + 1
    return value, len(data)


def note_text(blob: bytes) -> str | None:
    """The text of a note's gzip-packed protobuf document (document 2, note 3, text 2)."""
    try:
        plain = zlib.decompressobj(47).decompress(blob, INFLATED)
    except zlib.error:
        return None
    text = protobuf_bytes(plain, 2, 3, 2)
    return None if text is None else shown(text)


def _participants(share: Any) -> list[dict[str, Any]]:
    people: list[dict[str, Any]] = []
    for key, value in walk(share):
        if key == "LookupInfo" and isinstance(value, dict):
            person = {k: v for k, v in value.items() if k in ("EmailAddress", "PhoneNumber") and isinstance(v, str)}
            if person and person not in people:
                people.append(person)
    return people


def _share(data: Data) -> None:
    blob = data.pop("ZSERVERSHAREDATA", None)
    share = decode_blob(blob) if isinstance(blob, bytes) else None
    if isinstance(share, dict):
        data["shared_with"] = _participants(share)
        names = [
            f"{v.get('NS.givenName', '')} {v.get('NS.familyName', '')}".strip()
            for k, v in walk(share) if k in ("NameComponents", "NS.nameComponentsPrivate") and isinstance(v, dict)
        ]  # fmt: skip
        data["shared_with_names"] = list(dict.fromkeys(n for n in names if n))


def _note(data: Data, database: Database) -> None:
    blob = data.pop("ZDATA", None)
    if isinstance(blob, bytes):
        if data.get("ZISPASSWORDPROTECTED") == 1:
            data["text_state"] = "encrypted"
        else:
            data["text"] = note_text(blob)
    _share(data)
    attachments = database.related(
        "SELECT ZTYPEUTI, ZFILENAME, ZIDENTIFIER FROM ZICCLOUDSYNCINGOBJECT WHERE ZNOTE = ? ORDER BY Z_PK", data["Z_PK"]
    ) if database.has("ZICCLOUDSYNCINGOBJECT", "ZNOTE", "ZTYPEUTI", "ZFILENAME") else []  # fmt: skip
    if attachments:
        data["attachments"] = [{"type": t, "filename": f, "identifier": i} for t, f, i in attachments]


NOTE = Query(
    "ios.note",
    ("ZICNOTEDATA d", "LEFT JOIN ZICCLOUDSYNCINGOBJECT n ON n.Z_PK = d.ZNOTE",
     "LEFT JOIN ZICCLOUDSYNCINGOBJECT f ON f.Z_PK = n.ZFOLDER",
     "LEFT JOIN ZICCLOUDSYNCINGOBJECT a ON a.Z_PK = f.ZOWNER"),
    "n.Z_PK n.ZTITLE1:title n.ZSNIPPET:snippet n.ZIDENTIFIER n.ZISPASSWORDPROTECTED n.ZPASSWORDHINT "
    "n.ZMARKEDFORDELETION n.ZISPINNED n.ZCREATIONDATE1 n.ZCREATIONDATE2 n.ZCREATIONDATE3 n.ZMODIFICATIONDATE1 "
    "n.ZLASTOPENEDDATE n.ZLASTVIEWEDMODIFICATIONDATE n.ZFOLDERMODIFICATIONDATE n.ZSERVERSHAREDATA f.ZTITLE2:folder "
    "a.ZNAME:account d.ZDATA",
    "d.Z_PK",
    {"ZMODIFICATIONDATE1": apple, "ZCREATIONDATE3": apple, "ZCREATIONDATE2": apple, "ZCREATIONDATE1": apple,
     "ZLASTOPENEDDATE": apple, "ZLASTVIEWEDMODIFICATIONDATE": apple, "ZFOLDERMODIFICATIONDATE": apple},
    ("ZCREATIONDATE3", "ZCREATIONDATE2", "ZCREATIONDATE1", "ZMODIFICATIONDATE1"),
    derive=_note,
)  # fmt: skip


@parser(
    "ios.notes", claims=NOTES,
    reads="NoteStore.sqlite of Notes on iOS 9 and later and on macOS",
    means="the account holds this note with this text, shared with these addresses",
    does_not_mean="who wrote which part, or that it was written on this device",
    refs=("https://protobuf.dev/programming-guides/encoding/", "https://developer.apple.com/documentation/cloudkit/ckshare"),
    artifacts=(NOTE.artifact,),
)  # fmt: skip
def notes(file: EvidenceFile) -> Iterator[Yield]:
    """One record a note with its text, folder, attachments and participants."""
    yield from read_queries(file, NOTES, (NOTE,))
