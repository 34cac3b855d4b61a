"""Mail: messages of every mail store that is read, by party, text, attachment and time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from wigmore.registry import tool
from wigmore.tools.context import ToolContext, ToolOutput
from wigmore.tools.lookup import CannotLook, Kind, Row, all_of, answer, period, texts

MAIL = Kind(("mail.message",))
FOLDERS = Kind(("mail.mailbox", "mail.folder"))
SENDER = (
    "from",
    "from_address",
    "sender",
    "sender_address",
    "reply_to",
    "return_path",
    "envelope_sender",
    "resent_from",
)
RECIPIENT = ("to", "cc", "bcc", "delivered_to", "original_to", "received_by", "received_by_address", "resent_to")


def _within(names: Iterable[str], wanted: str) -> Callable[[Row], bool] | None:
    """A test whether one of some fields holds the text (no case); None for an empty text."""
    low = wanted.strip().lower()
    if not low:
        return None

    def test(row: Row) -> bool:
        data: dict[str, Any] = row["data"]
        return any(low in leaf.lower() for name in names if name in data for leaf in texts(data[name]))

    return test


@tool("list_mail", domain="mail")
def list_mail(
    context: ToolContext,
    sender: str = "",
    recipient: str = "",
    text: str = "",
    attachment: str = "",
    after: str = "",
    before: str = "",
    limit: int = 500,
) -> ToolOutput:
    """List mail messages of mailboxes, Outlook files and single messages: parties, subject, header times, route, attachments.

    `sender` and `recipient` (To, Cc, Bcc, delivered to) are parts of a name, address or domain; `text` stands anywhere in the
    record, also in the body (its first 65,536 characters); `attachment` is part of an attachment's name or type; `after` and
    `before` are ISO 8601, UTC. Attachments are files of their own under the mailbox's path, by `member`. From and Date are the
    sender's words; each Received line is one server's. `state` unallocated: no folder lists the item. The same mail can be in
    several stores.
    """
    try:
        where, parameters = period(after, before)
    except CannotLook as error:
        return ToolOutput.failed(str(error))
    keep = all_of(
        _within(SENDER, sender),
        _within(RECIPIENT, recipient),
        _within(("attachments", "attachments_not_inside", "embedded_messages"), attachment),
    )
    return answer(context, [MAIL], "mailbox", where=where, parameters=parameters, keep=keep, text=text, limit=limit)


@tool("list_mailboxes", domain="mail")
def list_mailboxes(context: ToolContext, limit: int = 500) -> ToolOutput:
    """List mailboxes and their folders: format, number of messages and attachments, folder names, encryption of Outlook files.

    A count is of what the store holds now, not of what was ever sent or received; an .ost may hold a part of the mailbox only.
    """
    return answer(context, [FOLDERS], "mailbox", limit=limit)
