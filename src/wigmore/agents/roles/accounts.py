"""The accounts role: accounts and cloud services on any device."""

from __future__ import annotations

from wigmore.agents.desk import Desk, role
from wigmore.agents.offline import work_through_indicators
from wigmore.agents.prompts import DISCIPLINE, READING


@role(
    "accounts",
    goal="Accounts and cloud services on any device.",
    sources=("*",),
    aliases=("cloud",),
    tools=(
        *READING,
        "list_accounts_of_apps",
        "list_accounts",
        "list_server_access",
        "get_email_config",
        "sqlite_query",
        "parse_plist",
        "query_records",
    ),
    prompt=DISCIPLINE
    + """
An installed client or a cookie is no upload. Say which side recorded what.
""",
)
def accounts(desk: Desk) -> None:
    """Work through the indicator rules of this role."""
    work_through_indicators(desk)
