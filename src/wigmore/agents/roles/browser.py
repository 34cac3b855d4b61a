"""The browser role: browsers on every platform: visits, searches, downloads."""

from __future__ import annotations

from wigmore.agents.desk import Desk, role
from wigmore.agents.offline import work_through_indicators
from wigmore.agents.prompts import DISCIPLINE, READING


@role(
    "browser",
    goal="Browsers on every platform: visits, searches, downloads.",
    sources=("*",),
    aliases=("web",),
    tools=(*READING, "browser_history", "browser_downloads", "browser_searches", "sqlite_query", "query_records"),
    prompt=DISCIPLINE
    + """
A visit belongs to a profile, not a person; synced and imported rows did not happen in this browser. A download is
complete only when its state says so.
""",
)
def browser(desk: Desk) -> None:
    """Work through the indicator rules of this role."""
    work_through_indicators(desk)
