"""Internet messages as files: mbox mailboxes, Thunderbird folders, maildir and .eml messages, Apple Mail's .emlx."""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.mail.records import mail_records
from wigmore.formats.mail_kinds import mail_kind
from wigmore.model.protocols import EvidenceFile, ParseError, Yield
from wigmore.registry import Claim, parser

KINDS = frozenset(("mbox", "eml", "emlx"))


@parser(
    "mail.internet",
    claims=Claim(look=lambda head, path, size: mail_kind(head, path) in KINDS),
    reads="mbox mailboxes (also Thunderbird's, without extension), maildir and .eml messages, .emlx of Apple Mail; by content",
    means="this message is stored here, with the header, body and attachments that it holds; each Received line is what one "
    "server says of its own time and of the host that handed the message over",
    does_not_mean="who wrote or read it; that From, Date or any line below the first server that is trusted are true (the "
    "sender writes them); that it was delivered to others, or was not taken out of another mailbox and put here; a status "
    "flag is a program's, not a person's; a mail in Sent may never have left",
    refs=(
        "RFC 5322",
        "RFC 2045",
        "RFC 2046",
        "RFC 2047",
        "RFC 4155",
        "RFC 8601",
        "maildir(5)",
        "ARTIFACT_SEMANTICS.md, 8",
    ),
    artifacts=("mail.message", "mail.mailbox"),
    limit_seconds=3600.0,
)
def internet(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message, and one of a mailbox as a whole."""
    with file.open() as stream:
        kind = mail_kind(stream.read(8192), file.path)
    if kind not in KINDS:
        raise ParseError(file.path, 0, "no message begins here", "unsupported")
    yield from mail_records(file, kind)
