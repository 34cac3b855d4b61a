"""The timeline role: the order of observations in time, where their clocks allow one."""

from __future__ import annotations

from itertools import pairwise

from wigmore.agents.desk import Desk, role
from wigmore.agents.prompts import DISCIPLINE, READING
from wigmore.model.times import iso


@role(
    "timeline",
    goal="Put observations of all sources in order, with their zones and clocks.",
    sources=(),
    tools=(*READING, "query_records"),
    mandatory=("add_temporal_edge",),
    prompt=DISCIPLINE
    + """
Only known instants are ordered across sources. A local time of unknown zone stays local. Order inside one log is its record
number, not its clock.
""",
)
def timeline(desk: Desk) -> None:
    """Lay `before` between consecutive observations that bear on one hypothesis and have known instants."""
    for hypothesis_id in sorted(desk.state.hypotheses):
        dated = []
        for edge in desk.state.edges_to(hypothesis_id):
            phenomenon = desk.state.phenomena[edge.phenomenon_id]
            time = iso(phenomenon.occurred_at) if phenomenon.occurred_at else None
            if time is not None and time["instant"] is not None:
                dated.append((time["instant"], phenomenon.id))
        ordered = sorted(set(dated))
        for (first_at, first), (second_at, second) in pairwise(ordered):
            if first == second:
                continue
            relation = "before" if first_at < second_at else "overlaps"
            desk.gateway.order(first, second, relation, "both times are known instants")
