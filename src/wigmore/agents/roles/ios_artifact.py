"""The ios_artifact role: iPhones and iPads."""

from __future__ import annotations

from wigmore.agents.desk import Desk, role
from wigmore.agents.offline import work_through_indicators
from wigmore.agents.prompts import DISCIPLINE, READING


@role(
    "ios_artifact",
    goal="iPhones and iPads.",
    sources=("mobile_extraction*", "file_collection", "archive"),
    aliases=("ios",),
    tools=(
        *READING,
        "read_idevice_info",
        "parse_plist",
        "list_installed_software",
        "parse_ios_keychain",
        "list_accounts_of_apps",
        "list_networks",
        "list_locations",
        "list_app_usage",
        "list_directory",
        "sqlite_query",
        "query_records",
    ),
    prompt=DISCIPLINE
    + """
Cocoa epochs start in 2001, some stores count nanoseconds. Name which device wrote a synced row where the store tells.
""",
)
def ios_artifact(desk: Desk) -> None:
    """Work through the indicator rules of this role."""
    work_through_indicators(desk)
