"""Messages, calls and contacts of every application that is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from wigmore.registry import tool
from wigmore.tools.context import ToolContext, ToolOutput
from wigmore.tools.lookup import CannotLook, Kind, Row, answer, period, texts

MESSAGES = Kind(
    (
        "android.sms",
        "android.mms",
        "android.google_messages",
        "android.samsung_message",
        "ios.mail",
        "*.message",
        "ios.sms",
        "chat.*",
        "mail.message",
        "mailbox.*",
        "email.*",
    )
)
CALLS = Kind(("android.call", "ios.call", "*.call", "ios.voicemail"))
CONTACTS = Kind(
    (
        "android.contact",
        "android.contact_deleted",
        "ios.contact",
        "*.contact",
        "ios.teams.user",
        "ios.twitter.user",
        "android.telegram.user",
        "android.messenger.user",
        "snapchat.friend",
        "ios.interaction_contact",
    )
)
CONTENT = re.compile(
    r"(text|body|content|subject|snippet|caption|payload|attachment|parts|file|url|html|reaction|media|title|guid|uuid|date|time)",
    re.IGNORECASE,
)  # fields that say what was written, not by whom and to whom


def party_is(party: str) -> Callable[[Row], bool] | None:
    """A test whether a party of a record is named so, or has that number whatever its form; None for no party.

    Numbers are compared by their digits, from the end, so that 0171 555 0199 and +49 171 5550199 meet; at least seven.
    """
    wanted = party.strip().lower()
    if not wanted:
        return None
    number = re.sub(r"\D", "", wanted) if re.fullmatch(r"[+\d\s().\-/]+", wanted) else ""

    def same(text: str) -> bool:
        if wanted in text.lower():
            return True
        digits = re.sub(r"\D", "", text) if len(number) >= 7 else ""
        if len(digits) < 7 or not re.match(r"\+?[\d\s().\-/]+(@|$)", text):
            return False
        return digits.endswith(number.lstrip("0")) or number.endswith(digits.lstrip("0"))

    def test(row: Row) -> bool:
        data: dict[str, Any] = row["data"]
        return any(same(leaf) for name, value in data.items() if not CONTENT.search(name) for leaf in texts(value))

    return test


@tool("list_messages", domain="communication")
def list_messages(
    context: ToolContext, party: str = "", text: str = "", after: str = "", before: str = "", limit: int = 500
) -> ToolOutput:
    """List messages of any application: direction, parties, text, attachments, times as stored.

    `party` is a name, number, address or account (numbers match in any form), `text` stands in the record (no case), `after`
    and `before` are ISO 8601, UTC. A message on a device was stored there: that it was read, or typed by a person, the store
    may not show. Rows whose `state` is not live were deleted or replaced; the same message can be in two stores.
    """
    return _listed(context, MESSAGES, "message store", party, text, after, before, limit)


@tool("list_calls", domain="communication")
def list_calls(
    context: ToolContext, party: str = "", after: str = "", before: str = "", limit: int = 500
) -> ToolOutput:
    """List calls of telephone and applications, with voice mail: direction, parties, duration (seconds), times as stored.

    `party` as in list_messages. A duration above 0 shows a connection, not who spoke. Call lists are synchronised between
    devices of an account.
    """
    return _listed(context, CALLS, "call list", party, "", after, before, limit)


@tool("list_contacts", domain="communication")
def list_contacts(context: ToolContext, name: str = "", limit: int = 500) -> ToolOutput:
    """List contacts of address books and applications: names, numbers, addresses, accounts.

    `name` is part of a name, number or address (numbers match in any form). An entry is no contact that took place, and may
    have been synchronised from an account or another device.
    """
    return _listed(context, CONTACTS, "address book", name, "", "", "", limit)


def _listed(
    context: ToolContext, kind: Kind, what: str, party: str, text: str, after: str, before: str, limit: int
) -> ToolOutput:
    try:
        where, parameters = period(after, before)
    except CannotLook as error:
        return ToolOutput.failed(str(error))
    return answer(
        context, [kind], what, where=where, parameters=parameters, keep=party_is(party), text=text, limit=limit
    )
