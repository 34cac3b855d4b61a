"""The network role: traffic and remote access: captures, server logs, connections."""

from __future__ import annotations

from wigmore.agents.desk import Desk, role
from wigmore.agents.offline import work_through_indicators
from wigmore.agents.prompts import DISCIPLINE, READING


@role(
    "network",
    goal="Traffic and remote access: captures, server logs, connections.",
    sources=("network_capture", "log_collection", "disk_image*", "file_collection", "archive"),
    aliases=("pcap",),
    tools=(
        *READING,
        "list_networks",
        "list_logons",
        "list_conversations",
        "list_network_events",
        "list_network_credentials",
        "list_carried_files",
        "list_network_hosts",
        "list_network_usage",
        "list_transfers",
        "search_strings",
        "read_text_file",
        "query_records",
    ),
    prompt=DISCIPLINE
    + """
A request pattern in a log is an attempt; success needs an effect. Addresses may be proxies. Failures then a success
from one origin is more than either.
""",
)
def network(desk: Desk) -> None:
    """Work through the indicator rules of this role."""
    work_through_indicators(desk)
