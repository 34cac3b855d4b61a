"""The android_artifact role: android devices."""

from __future__ import annotations

from wigmore.agents.desk import Desk, role
from wigmore.agents.offline import work_through_indicators
from wigmore.agents.prompts import DISCIPLINE, READING


@role(
    "android_artifact",
    goal="Android devices.",
    sources=("mobile_extraction*", "file_collection", "archive", "disk_image*"),
    aliases=("android",),
    tools=(
        *READING,
        "probe_android_partitions",
        "set_active_partition",
        "list_directory",
        "list_installed_software",
        "list_accounts_of_apps",
        "list_networks",
        "list_locations",
        "list_app_usage",
        "sqlite_query",
        "read_text_file",
        "search_strings",
        "query_records",
    ),
    prompt=DISCIPLINE
    + """
Databases keep UTC milliseconds, MMS seconds. Uninstalled programs leave usage rows.
""",
)
def android_artifact(desk: Desk) -> None:
    """Work through the indicator rules of this role."""
    work_through_indicators(desk)
