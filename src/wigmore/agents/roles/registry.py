"""The registry role: windows configuration: accounts, devices, programs, autostart."""

from __future__ import annotations

from wigmore.agents.desk import Desk, role
from wigmore.agents.offline import work_through_indicators
from wigmore.agents.prompts import DISCIPLINE, READING


@role(
    "registry",
    goal="Windows configuration: accounts, devices, programs, autostart.",
    sources=("disk_image*", "file_collection", "log_collection", "archive"),
    aliases=(),
    tools=(
        *READING,
        "parse_registry_key",
        "list_installed_software",
        "list_accounts",
        "list_autostart",
        "list_services",
        "list_networks",
        "list_usb_devices",
        "list_shimcache",
        "list_amcache",
        "get_user_activity",
        "get_shutdown_time",
        "get_timezone",
        "get_email_config",
        "query_records",
    ),
    prompt=DISCIPLINE
    + """
A key's last-write time dates the key, not one value. Counters in UserAssist may be factory seeds. Control sets are
copies, not witnesses.
""",
)
def registry(desk: Desk) -> None:
    """Work through the indicator rules of this role."""
    work_through_indicators(desk)
