"""What every role with a model has in common when it proposes: what is on offer, what was taken in, what was refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from wigmore.agents.desk import Desk, Role
from wigmore.agents.fence import fenced, line_of
from wigmore.graph.gateway import Refused

FORCE = (
    "You have not recorded anything yet. Record now what you found, with the calls and records that show it, or that you looked "
    "and found nothing, then stop. Nothing else is on offer."
)


@dataclass
class Proposing:
    """The proposals of one run of a role: what was taken in, what was refused, whether the run is over."""

    desk: Desk
    role: Role
    recorded: list[str] = field(default_factory=list)  # names of tools whose proposal was taken in, in order
    refusals: list[str] = field(default_factory=list)
    over: bool = False

    force = FORCE  # what a run that recorded nothing is told, once

    @property
    def offered(self) -> dict[str, Callable[..., str]]:
        """The proposing functions of the role, by name."""
        names = [*self.role.mandatory_record_tools, *self.role.terminal_tools, *self.role.proposes]
        if self.desk.lead is not None and self.role.worker:
            names.append("link_evidence")
        return {name: getattr(self, name) for name in dict.fromkeys(names)}

    @property
    def met(self) -> bool:
        """Whether a mandatory tool was called, and its proposal taken in."""
        return any(name in self.role.mandatory_record_tools for name in self.recorded)

    @property
    def unsettled(self) -> str:
        """Why the next model is asked although this one came to its end, or nothing."""
        return ""

    @property
    def decided(self) -> frozenset[tuple[str, ...]]:
        """What was decided beside what the gateway took in, without its words."""
        return frozenset()

    def _refuse(self, why: str) -> str:
        self.refusals.append(why)
        return f"refused: {why}"

    def _quote(self, why: str) -> str:
        """A refusal whose reason may quote the evidence: shown as evidence is."""
        self.refusals.append(why)
        return f"refused:\n{fenced([line_of({'why': why})], self.desk.task_id)}"

    def _attempt(self, name: str, propose: Callable[[], str]) -> str:
        try:
            said = propose()
        except Refused as refused:
            return self._quote(str(refused))
        self.recorded.append(name)
        return said
