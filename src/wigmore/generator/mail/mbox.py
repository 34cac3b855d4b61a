"""Mailboxes in mbox format (RFC 4155): messages one after another, each behind a line that begins with `From `."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr


@dataclass(frozen=True, slots=True)
class Mail:
    """One message; parties are (name, address)."""

    at: datetime
    sender: tuple[str, str]
    recipients: tuple[tuple[str, str], ...]
    subject: str
    text: str


def mailbox(messages: Iterable[Mail]) -> bytes:
    """The mailbox's bytes, in order of time."""
    parts = []
    for number, mail in enumerate(sorted(messages, key=lambda m: m.at), 1):
        made = EmailMessage()
        made["Date"] = format_datetime(mail.at)
        made["From"] = formataddr(mail.sender)
        made["To"] = ", ".join(formataddr(party) for party in mail.recipients)
        made["Subject"] = mail.subject
        made["Message-ID"] = f"<{number:06d}@generated.example.com>"
        made.set_content(mail.text)
        parts.append(f"From - {mail.at:%a %b %d %H:%M:%S %Y}\n".encode() + made.as_bytes() + b"\n")
    return b"".join(parts)
