"""A role's desk: the tools it calls, the gateway it proposes to, the graph it reads, the task it was given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wigmore.agents.templates import Template
from wigmore.graph.gateway import Gateway, Refused
from wigmore.graph.state import GraphState
from wigmore.model.nouns import Coverage, Lead
from wigmore.records.rules import Indicator
from wigmore.registry import origin_of, register
from wigmore.tools.runner import Call, ToolRunner

if TYPE_CHECKING:
    from wigmore.agents.absence import Held
    from wigmore.agents.looking import Eyes

AHEAD = 3  # calls that begin before their turn


@dataclass
class Desk:
    """What one run of a role works with."""

    role: str
    task_id: str
    source_id: str
    runner: ToolRunner
    gateway: Gateway
    state: GraphState
    indicators: dict[str, Indicator]
    templates: dict[str, Template]
    coverage: list[Coverage]
    lead: Lead | None = None
    config: dict[str, Any] = field(default_factory=dict)
    held: dict[str, Held] = field(
        default_factory=dict
    )  # coverage by source, as absences are judged by (agents/absence)
    judged: dict[tuple[str, tuple[str, ...]], tuple[bool, str]] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)  # calls of this desk, in their order
    eyes: Eyes | None = None  # the model that takes pictures, where the role looks at some

    @property
    def seen(self) -> set[tuple[str, str]]:
        """Source and path (without case) of the pictures that a model was shown here: what is said of them is marked."""
        return self.gateway.pictures

    def call(self, tool: str, **args: Any) -> Call:
        """Call a tool on the desk's source; the call is recorded."""
        return self.call_at(self.source_id, tool, args)

    def call_at(self, source_id: str, tool: str, args: dict[str, Any]) -> Call:
        """Call a tool on a source; the call is recorded."""
        made = self.runner.call(
            tool,
            args,
            source_id=source_id,
            agent=self.role,
            task_id=self.task_id,
            lead_id=self.lead.id if self.lead else "",
        )
        self.made.append(made.invocation.id)
        return made

    def calls(self, tool: str, many: Sequence[dict[str, Any]]) -> Iterator[Call]:
        """Call a tool several times, in order; the next calls begin while one is dealt with."""
        begun = 0
        for number, args in enumerate(many):
            while begun < min(number + 1 + AHEAD, len(many)):
                self.runner.begin(tool, many[begun], source_id=self.source_id, agent=self.role)
                begun += 1
            yield self.call(tool, **args)

    def attempt(self, propose: Callable[[], Any]) -> Any:
        """Propose; a refusal is recorded by the gateway, and gives None."""
        try:
            return propose()
        except Refused:
            return None


@dataclass(frozen=True)
class Role:
    """A role: what it is for, what it may call, how it is prompted, and its offline rule."""

    name: str
    goal: str
    tools: tuple[str, ...]
    prompt: str
    offline: Callable[[Desk], None]
    sources: tuple[str, ...] = ("*",)  # `type` or `type+platform` globs of sources it triages
    aliases: tuple[str, ...] = ()
    mandatory_record_tools: tuple[str, ...] = ("add_phenomenon",)
    terminal_tools: tuple[str, ...] = ()
    worker: bool = True
    proposes: tuple[str, ...] = ()  # what it may propose beside its mandatory and terminal tools
    requests: int = 60  # to a model, in one run
    looks: bool = False  # it may have pictures looked at, where a model takes them
    origin: str = ""
    sha256: str = ""


def role(
    name: str,
    *,
    goal: str,
    tools: tuple[str, ...],
    prompt: str,
    sources: tuple[str, ...] = ("*",),
    aliases: tuple[str, ...] = (),
    mandatory: tuple[str, ...] = ("add_phenomenon",),
    terminal: tuple[str, ...] = (),
    worker: bool = True,
    proposes: tuple[str, ...] = ("observe_identity", "link_to_entity", "add_lead"),
    requests: int = 60,
    looks: bool = False,
) -> Callable[[Callable[[Desk], None]], Callable[[Desk], None]]:
    """Declare a function as the offline rule of a role, with the role's goal, tools and prompt."""

    def wrap(function: Callable[[Desk], None]) -> Callable[[Desk], None]:
        origin, digest = origin_of(function)
        register(
            "role",
            name,
            Role(
                name,
                goal,
                tools,
                prompt,
                function,
                sources,
                aliases,
                mandatory,
                terminal,
                worker,
                proposes,
                requests,
                looks,
                origin,
                digest,
            ),
        )
        return function

    return wrap
