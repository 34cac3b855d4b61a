"""The report role: prose from accepted facts only; offline, the templates of the report formats write it."""

from __future__ import annotations

from wigmore.agents.desk import Desk, role
from wigmore.agents.prompts import DISCIPLINE, READING


@role(
    "report",
    goal="Write what the accepted facts carry, and no more.",
    sources=(),
    tools=(*READING, "graph_overview", "get_hypothesis", "list_leads"),
    mandatory=("save_report",),
    terminal=("save_report",),
    worker=False,
    proposes=(),
    prompt=DISCIPLINE
    + """
Every value in a sentence stands in an accepted fact. Facts, interpretation, alternatives and opinion are set visibly apart.
Limits come before conclusions.
""",
)
def report(desk: Desk) -> None:
    """Offline there is no prose to propose: the report is rendered from facts by the report formats."""
