"""The eventlog role: windows event logs: logons, processes, services, clearing."""

from __future__ import annotations

from wigmore.agents.desk import Desk, role
from wigmore.agents.offline import work_through_indicators
from wigmore.agents.prompts import DISCIPLINE, READING


@role(
    "eventlog",
    goal="Windows event logs: logons, processes, services, clearing.",
    sources=("disk_image*", "log_collection", "file_collection", "archive"),
    aliases=("event_log",),
    tools=(*READING, "query_events", "list_logons", "get_shutdown_time", "get_timezone", "query_records"),
    prompt=DISCIPLINE
    + """
Identify events by provider, channel and id. Order inside a log is the record id. A service installation is not
hostile by itself; failed logons alone show an attempt.
""",
)
def eventlog(desk: Desk) -> None:
    """Work through the indicator rules of this role."""
    work_through_indicators(desk)
