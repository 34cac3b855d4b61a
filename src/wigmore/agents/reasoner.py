"""A role with a model: prompt, task, tool loop with its caps, terminal and mandatory tools, one forced retry.

The loop is pydantic-ai's; what a call does is ours. The calls of one turn are recorded in their order; those that only read
begin beside each other. A run without a mandatory proposal is asked once more with nothing but recording on offer (SPEC A5).
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from wigmore.agents.looking import Looking
from wigmore.agents.proposing import Proposing
from wigmore.agents.reading import Reading
from wigmore.llm.endpoint import close
from wigmore.llm.exchange import ModelFailed

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage
    from pydantic_ai.models import Model
    from pydantic_ai.settings import ModelSettings

    from wigmore.llm.tracing import Tracing

FORCED = 30  # requests of the forced retry, at most
CONTEXT = 60_000  # characters of tool results that go with a request; the oldest are left out first
STALLED = 10  # calls in a row that were refused, or none, and end a loop
A_TURN = 60  # calls of one turn that are made
BUILDING = (
    threading.Lock()
)  # Python 3.11 compiles annotations in one thread at a time (its AST validator shares a counter)
GRAPH_READING = ("list_phenomena", "list_assets", "search_graph", "get_phenomenon", "get_hypothesis", "graph_overview")
GONE = "(left out to save room; ask for the page again if you need it)"


class BudgetSpent(Exception):
    """A budget that is spent ends the run of a role; what it proposed before stands."""


@dataclass(frozen=True)
class Ran:
    """How the run of a role with a model ended: done | no_record | failed | budget."""

    outcome: str
    reason: str = ""
    requests: int = 0
    proposals: int = 0
    refused: int = 0
    calls: int = 0  # readings that were made
    faults: int = 0  # calls that were no calls: unknown tools, arguments that are no JSON

    @property
    def rejection_rate(self) -> float:
        """The share of proposals that were refused."""
        return self.refused / (self.proposals + self.refused) if self.refused else 0.0


def reason(
    writing: Proposing,
    model: Model,
    settings: ModelSettings | None,
    task: str,
    sources: Sequence[str],
    before: Callable[[], None],
    narrow: bool = False,
    tracing: Tracing | None = None,
) -> Ran:
    """Run a role with a model on its desk; never raises for what a model does. `narrow`: recording alone is on offer."""
    return asyncio.run(_Run(writing, model, settings, sources, before, tracing).whole(task, narrow))


class _Run:
    def __init__(
        self,
        writing: Proposing,
        model: Model,
        settings: ModelSettings | None,
        sources: Sequence[str],
        before: Callable[[], None],
        tracing: Tracing | None = None,
    ) -> None:
        self.tracing = tracing
        self.role, self.model, self.settings, self.writing = writing.role, model, settings, writing
        self.reading = Reading(writing.desk, self.role.tools, sources, before)
        self.looking = Looking(writing.desk, self.reading)
        self.messages: list[ModelMessage] = []
        self.requests = 0
        self.idle = 0  # refused calls in a row
        self.turn = 0  # calls of the turn

    def _noted(self, said: str) -> str:
        self.idle = self.idle + 1 if said.startswith("refused:") else 0
        return said

    def _turned(self) -> str:
        """A refusal, where one turn made more calls than it may."""
        self.turn += 1
        return f"refused: at most {A_TURN} calls a turn" if self.turn > A_TURN else ""

    async def whole(self, task: str, narrow: bool) -> Ran:
        """The run; its connections end with it."""
        try:
            return await self._whole(task, narrow)
        finally:
            await close(self.model)

    async def _whole(self, task: str, narrow: bool) -> Ran:
        """The run and, where it recorded nothing, its forced retry."""
        most, forced = self.role.requests, min(FORCED, self.role.requests)
        ended, why = await self._loop(task, forced if narrow else most, narrow=narrow)
        if ended in ("", "cap") and not self.writing.met and not self.writing.over and not narrow:
            ended, why = await self._loop(self.writing.force, forced, narrow=True)
        if ended in ("", "cap"):
            ended = "done" if self.writing.met else "no_record"
            why = "" if ended == "done" else "nothing was recorded, also when asked for it again"
            if why and self.writing.over:
                why = "what it proposed was refused, also when the reasons were given"
        faults = sum(_fault(p) for m in self.messages for p in m.parts)
        taken, refused = len(self.writing.recorded), len(self.writing.refusals)
        return Ran(ended, why, self.requests, taken, refused, len(self.reading.made), faults)

    async def _loop(self, said: str, most: int, *, narrow: bool) -> tuple[str, str]:
        """Ask until the model stops, a terminal tool was called, or a cap is reached; (outcome, reason)."""
        from pydantic_ai import Agent
        from pydantic_ai.capabilities import ProcessHistory
        from pydantic_ai.exceptions import AgentRunError, UsageLimitExceeded
        from pydantic_ai.usage import UsageLimits

        with BUILDING:
            agent: Agent[None, str] = Agent(
                self.model,
                instructions=self.role.prompt,
                tools=self._tools(narrow),
                model_settings=self.settings,
                retries={"tools": most, "output": 1},
                name=self.role.name,
                capabilities=[
                    ProcessHistory(lambda messages: self._within(messages)),
                    *([self.tracing.capability] if self.tracing else []),
                ],
            )
        try:
            async with agent.iter(
                said, message_history=_settled(self.messages), usage_limits=UsageLimits(request_limit=most)
            ) as run:
                try:
                    async for node in run:
                        if Agent.is_call_tools_node(node):
                            self.requests += 1
                            self.turn = 0
                            self.reading.begin(list(_asked(node.model_response.parts))[:A_TURN])
                        elif Agent.is_model_request_node(node):  # calls that were none count like refused ones
                            self.idle += sum(_fault(p) for p in node.request.parts)
                        if self.writing.over or self.idle >= STALLED:
                            break
                finally:
                    self.messages = list(run.all_messages())
            if self.idle >= STALLED:
                self.idle = 0
                return "cap", f"{STALLED} calls in a row were refused"
        except UsageLimitExceeded:
            return "cap", "the cap of iterations was reached"
        except BudgetSpent as spent:
            return "budget", str(spent)
        except ModelFailed as failed:
            return "failed", str(failed)
        except AgentRunError as error:  # silence, a refusal, an answer cut in the middle of a call
            return "failed", f"{type(error).__name__}: {error}"[:500]
        return "", ""

    def _tools(self, narrow: bool) -> list[Any]:
        from pydantic_ai import Tool
        from pydantic_core import SchemaValidator, core_schema

        names = [n for n in self.reading.tools if not narrow or n in GRAPH_READING]
        made: list[Any] = [
            Tool.from_schema(
                self._reads(name), name, self.reading.describe(name), self.reading.schema(name), sequential=True
            )
            for name in names
        ]
        for tool in made:  # arguments that are JSON and no object are a fault of the call, told like any other
            tool.function_schema.validator = SchemaValidator(core_schema.dict_schema(core_schema.str_schema()))
        made += [
            Tool(self._writes(name, function), name=name, sequential=True, require_parameter_descriptions=False)
            for name, function in self.writing.offered.items()
        ]
        if self.looking.offered and not narrow:
            look = self._looks(self.looking.look_at_picture)
            made.append(Tool(look, name="look_at_picture", sequential=True, require_parameter_descriptions=False))
        return made

    def _reads(self, name: str) -> Callable[..., Any]:
        async def read(**given: Any) -> str:
            return self._noted(self._turned() or self.reading.call(name, given))

        return read

    def _looks(self, function: Callable[..., Any]) -> Callable[..., Any]:
        from functools import wraps

        @wraps(function)
        async def look(*given: Any, **named: Any) -> str:
            return self._noted(self._turned() or await function(*given, **named))

        return look

    def _writes(self, name: str, function: Callable[..., str]) -> Callable[..., Any]:
        from functools import wraps

        @wraps(function)
        async def write(*given: Any, **named: Any) -> str:
            if name not in self.role.terminal_tools:  # to come to an end costs nothing
                self.reading.before()
            if self.writing.over:
                return "refused: the run is over"
            return self._noted(self._turned() or function(*given, **named))

        return write

    def _within(self, messages: list[ModelMessage]) -> list[ModelMessage]:
        """The messages of a request, the oldest tool results left out where they are more than a context holds."""
        left, out = CONTEXT, []
        for message in reversed(messages):
            parts = []
            for part in reversed(message.parts):
                content = getattr(part, "content", None)
                if part.part_kind == "tool-return" and isinstance(content, str):
                    left -= len(content)
                    if left < 0 and len(content) > len(GONE) and not content.endswith(GONE):
                        head = content.split("\n", 1)[0]
                        self._forget(head)
                        part = replace(part, content=f"{head[:200]} {GONE}")  # type: ignore[arg-type]  # a text stays one
                parts.append(part)
            out.append(replace(message, parts=parts[::-1]))  # type: ignore[arg-type]  # each part stays of its kind
        return out[::-1]

    def _forget(self, head: str) -> None:
        """Let a call be read again whose page is left out."""
        found = re.match(r"(inv-\w+) ", head)
        for call, pages in self.reading.made.values():
            if found and call.invocation.id == found.group(1):
                pages.clear()


def _fault(part: Any) -> bool:
    """Whether a part says that a call was none: an unknown tool, arguments that do not fit."""
    return part.part_kind == "retry-prompt" or getattr(part, "outcome", "") == "retried"


def _asked(parts: Sequence[Any]) -> list[tuple[str, dict[str, Any]]]:
    """The calls of a turn whose arguments can be read."""
    out = []
    for part in parts:
        if part.part_kind == "tool-call":
            try:
                given = part.args if isinstance(part.args, dict) else json.loads(part.args or "{}")
            except (ValueError, RecursionError):  # nested deeper than can be read
                continue
            if isinstance(given, dict):
                out.append((part.tool_name, given))
    return out


def _settled(messages: list[ModelMessage]) -> list[ModelMessage]:
    """A conversation without an unanswered call at its end."""
    while messages and (
        messages[-1].kind == "response" and any(p.part_kind == "tool-call" for p in messages[-1].parts)
    ):
        messages = messages[:-1]
    return messages
