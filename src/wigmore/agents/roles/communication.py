"""The communication role: messages, calls, contacts, mail."""

from __future__ import annotations

from wigmore.agents.desk import Desk, role
from wigmore.agents.offline import work_through_indicators
from wigmore.agents.prompts import DISCIPLINE, READING


@role(
    "communication",
    goal="Messages, calls, contacts, mail.",
    sources=("mobile_extraction*", "disk_image*", "mailbox", "file_collection", "archive"),
    aliases=("messages",),
    tools=(
        *READING,
        "list_messages",
        "list_mail",
        "list_mailboxes",
        "list_calls",
        "list_contacts",
        "list_accounts_of_apps",
        "get_email_config",
        "other_side",
        "sqlite_query",
        "query_records",
    ),
    prompt=DISCIPLINE
    + """
State direction, parties and time as stored. A contact entry is no contact. Synced stores belong to the account before
they belong to the device.
""",
)
def communication(desk: Desk) -> None:
    """Work through the indicator rules of this role."""
    work_through_indicators(desk)
