"""Outlook: data files (.pst, .ost), single messages (.msg), TNEF (winmail.dat) and Outlook Express folders (.dbx)."""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.mail.records import ARTIFACTS, mail_records
from wigmore.formats.mail_kinds import DBX, PST, TNEF, mail_kind
from wigmore.model.protocols import EvidenceFile, Yield
from wigmore.registry import Claim, parser

STORED = (
    "the item is stored here with these properties; `client_submit` is the clock of the program that sent it, `delivery` that "
    "of the store that took it in, `created` and `modified` that of the store"
)
NOT_SAID = (
    "who wrote or read it; that it was delivered to others, or left at all (an item in Sent Items can have failed); that headers "
    "below the first trusted server are true; the flag `read` is set by programs, previews and rules too"
)


@parser(
    "mail.outlook_file",
    claims=Claim(magic=((0, PST),)),
    reads="Outlook data files .pst, .ost and .pab, 32- and 64-bit: folders, items, recipients, attachments, orphan items",
    means=STORED + "; an item marked `unallocated` is listed by no folder: deleted, or cut off by damage",
    does_not_mean=NOT_SAID
    + "; an .ost keeps a window of the mailbox, not the whole of it; freed blocks are not searched",
    refs=("MS-PST", "MS-OXPROPS", "MS-OXCMSG", "libpff, Personal Folder File (PFF) format"),
    artifacts=ARTIFACTS,
    limit_seconds=3600.0,
)
def outlook_file(file: EvidenceFile) -> Iterator[Yield]:
    """One record a folder and an item, and one of the file as a whole."""
    yield from mail_records(file, "pst")


@parser(
    "mail.outlook_message",
    claims=Claim(look=lambda head, path, size: mail_kind(head, path) == "msg"),
    reads=".msg files of Outlook, also those inside them",
    means=STORED,
    does_not_mean=NOT_SAID,
    refs=("MS-OXMSG", "MS-OXPROPS", "MS-OXCMSG", "MS-OXRTFCP", "MS-CFB"),
    artifacts=("mail.message", "mail.contact", "mail.appointment", "mail.item"),
)
def outlook_message(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message."""
    yield from mail_records(file, "msg")


@parser(
    "mail.tnef",
    claims=Claim(magic=((0, TNEF),)),
    reads="TNEF streams (winmail.dat), also messages inside them",
    means="an Outlook or Exchange program packed these properties and attachments for another mail program",
    does_not_mean=NOT_SAID,
    refs=("MS-OXTNEF", "MS-OXPROPS"),
    artifacts=("mail.message", "mail.contact", "mail.appointment", "mail.item"),
)
def tnef(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message."""
    yield from mail_records(file, "tnef")


@parser(
    "mail.outlook_express",
    claims=Claim(magic=((0, DBX),), look=lambda head, path, size: mail_kind(head, path) == "dbx"),
    reads="message folders of Outlook Express 5 and 6 (.dbx)",
    means="this message is stored here; `received_at` is the program's clock when it took the message in",
    does_not_mean=NOT_SAID + "; deleted messages that the folder's index no longer names are not searched",
    refs=("Outlook Express dbx file format, A. Schloh (oedbx)", "RFC 5322"),
    artifacts=("mail.message", "mail.mailbox"),
    limit_seconds=1800.0,
)
def outlook_express(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message, and one of the folder as a whole."""
    yield from mail_records(file, "dbx")
