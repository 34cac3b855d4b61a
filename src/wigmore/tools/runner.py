"""Runs tools and records each call: arguments, outcome, complete output, and the command that prints it again."""

from __future__ import annotations

import inspect
import json
import shlex
import threading
import types
import typing
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from wigmore.ledger import Event, Ledger, Outputs
from wigmore.model.canonical import canonical, identify
from wigmore.model.nouns import ToolInvocation
from wigmore.model.times import stamp
from wigmore.registry import Tool, tools
from wigmore.tools.context import ToolContext, ToolOutput


class BadArguments(ValueError):
    """A call with arguments that the tool does not take; the message names the valid ones."""


@dataclass(frozen=True)
class Call:
    """A recorded call with its rows at hand."""

    invocation: ToolInvocation
    rows: list[dict[str, Any]]


def schema(tool: Tool) -> dict[str, dict[str, Any]]:
    """Argument name → {type, default?, required} from the tool's signature."""
    hints = typing.get_type_hints(tool.function)
    out: dict[str, dict[str, Any]] = {}
    for name, parameter in list(inspect.signature(tool.function).parameters.items())[1:]:
        entry: dict[str, Any] = {"type": hints.get(name, str), "required": parameter.default is inspect.Parameter.empty}
        if not entry["required"]:
            entry["default"] = parameter.default
        out[name] = entry
    return out


def _coerce(tool: str, name: str, wanted: Any, value: Any) -> Any:
    if typing.get_origin(wanted) in (typing.Union, types.UnionType):
        if value is None:
            return None
        wanted = next(a for a in typing.get_args(wanted) if a is not type(None))
    try:
        if wanted is bool:
            return value if isinstance(value, bool) else str(value).lower() in ("1", "true", "yes")
        if wanted is int:
            return int(str(value), 0)
        if wanted is float:
            return float(value)
        if wanted is str:
            return str(value)
        if typing.get_origin(wanted) is list:
            if isinstance(value, str) and value.startswith("["):
                value = json.loads(value)  # as a re-run command writes it
            return [str(v) for v in value] if isinstance(value, list) else [v for v in str(value).split(",") if v]
        if typing.get_origin(wanted) is dict or wanted is dict:
            return value if isinstance(value, dict) else json.loads(value)
    except (TypeError, ValueError) as error:
        raise BadArguments(f"{tool}: {name} is no {getattr(wanted, '__name__', wanted)}: {value!r}") from error
    return value


def arguments(tool: Tool, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call, completed and typed; raises BadArguments naming what is wrong and what is valid."""
    known = schema(tool)
    if unknown := sorted(set(given) - set(known)):
        raise BadArguments(f"{tool.name} takes {', '.join(known) or 'no arguments'}, not {', '.join(unknown)}")
    out = {}
    for name, entry in known.items():
        if name in given:
            out[name] = _coerce(tool.name, name, entry["type"], given[name])
        elif entry["required"]:
            raise BadArguments(f"{tool.name} needs {name}; it takes {', '.join(known)}")
        else:
            out[name] = entry["default"]
    return out


def rerun_command(case: str, tool: str, args: dict[str, Any], source_id: str) -> str:
    """The command line that prints a call's output again."""
    parts = ["wigmore", "tool", case, tool]
    if source_id:
        parts += ["--source", source_id]
    for name, value in sorted(args.items()):
        if value is None or value == "":
            continue
        text = value if isinstance(value, str) else canonical(value).decode()
        parts.append(f"{name}={text}")
    return " ".join(shlex.quote(p) for p in parts)


def decode(data: bytes) -> list[dict[str, Any]]:
    """The rows of a recorded output."""
    return [json.loads(line) for line in data.split(b"\n")[1:] if line]


class ToolRunner:
    """Calls tools for agents; read-only ones may be called from several threads."""

    def __init__(
        self,
        ledger: Ledger,
        outputs: Outputs,
        context: Callable[[str, str], ToolContext],
        *,
        case_name: str,
        clock: Callable[[], datetime],
        snapshot: Callable[[], str],
        threads: int = 1,
    ) -> None:
        self.ledger = ledger
        self.outputs = outputs
        self.context = context
        self.case_name = case_name
        self.clock = clock
        self.snapshot = snapshot
        self.known: dict[str, ToolInvocation] = {}
        self.by_agent: dict[tuple[str, str], list[ToolInvocation]] = {}
        self.cache: dict[str, ToolInvocation] = {}
        self.numbers: dict[str, int] = {}
        self.by_lead: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._beside = ThreadPoolExecutor(threads) if threads > 1 else None
        self._begun: dict[tuple[str, bytes, str, str], Future[tuple[ToolOutput, str]]] = {}
        for event in ledger.events("invocation"):
            self._note(ToolInvocation.from_dict(event.body), event.body.get("cache_key", ""))

    def _note(self, invocation: ToolInvocation, key: str) -> None:
        self.known[invocation.id] = invocation
        self.by_agent.setdefault((invocation.agent, invocation.source_id), []).append(invocation)
        if key and invocation.status in ("found", "empty", "not_applicable"):
            self.cache.setdefault(key, invocation)
        self.by_lead[invocation.lead_id] += 1
        self.numbers[invocation.task_id] = self.numbers.get(invocation.task_id, 0) + 1

    def _key(self, tool: Tool, args: dict[str, Any], source_id: str) -> str:
        """What a call's output turns on; empty for a tool that is run each time."""
        if not tool.cached:
            return ""
        return identify("key", tool.name, tool.version, tool.sha256, args, source_id, self.snapshot())

    def begin(self, name: str, given: dict[str, Any], *, source_id: str, agent: str) -> None:
        """Begin a call of a read-only tool that `call` will make, beside what goes on until then."""
        tool = tools()[name]
        args = arguments(tool, given)
        if self._beside is not None and tool.read_only and self._key(tool, args, source_id) not in self.cache:
            self._begun[name, canonical(args), source_id, agent] = self._beside.submit(
                self.execute, tool, args, source_id, agent
            )

    def close(self) -> None:
        """End what was begun."""
        if self._beside is not None:
            self._beside.shutdown(cancel_futures=True)

    def call(
        self, name: str, given: dict[str, Any], *, source_id: str, agent: str, task_id: str, lead_id: str = ""
    ) -> Call:
        """Run a tool (or take its recorded output) and record the call.

        Raises BadArguments and KeyError (unknown tool) before anything runs; a tool that fails is a recorded `failed`.
        """
        catalogue = tools()
        if name not in catalogue:
            raise KeyError(f"unknown tool {name!r}; `wigmore list tools` names them")
        tool = catalogue[name]
        args = arguments(tool, given)
        key = self._key(tool, args, source_id)
        started = stamp(self.clock())
        with self._lock:
            hit = self.cache.get(key) if key else None
        if hit is not None:
            data = self.outputs.get(hit.output_sha256)
            status, error = hit.status, hit.error
        else:
            begun = self._begun.pop((name, canonical(args), source_id, agent), None)
            output, error = begun.result() if begun else self.execute(tool, args, source_id, agent)
            data, status = output.encode(name), output.outcome
        digest = self.outputs.put(data)
        with self._lock:
            number = self.numbers.get(task_id, 0)
            invocation = ToolInvocation(
                identify("inv", task_id, number, name, args, source_id),
                name,
                args,
                source_id,
                agent,
                task_id,
                started,
                stamp(self.clock()),
                status,
                digest,
                len(data),
                rerun_command(self.case_name, name, args, source_id),
                f"{tool.version}:{tool.sha256[:12]}",
                hit is not None,
                error,
                lead_id,
            )
            self.ledger.append([Event("invocation", {**invocation.to_dict(), "cache_key": key})])
            self._note(invocation, key)
        return Call(invocation, decode(data))

    def execute(
        self,
        tool: Tool,
        args: dict[str, Any],
        source_id: str,
        agent: str,
        asked: frozenset[str] = frozenset(),
        **changed: Any,
    ) -> tuple[ToolOutput, str]:
        """Run a tool without recording it (the audit does); errors become a `failed` output.

        `changed` stands for parts of the context that are to be others than the case's now.
        """
        context = replace(self.context(source_id, agent), asked=asked, **changed)
        try:
            if tool.read_only:
                return self._checked(tool.function(context, **args)), ""
            with self._writing:
                return self._checked(tool.function(context, **args)), ""
        except Exception as error:  # noqa: BLE001  # the boundary of a call: what went wrong is its recorded outcome
            message = f"{type(error).__name__}: {error}"[:1000]
            return ToolOutput.failed(message), message

    @staticmethod
    def _checked(output: Any) -> ToolOutput:
        if not isinstance(output, ToolOutput):
            raise TypeError(f"a tool returns a ToolOutput, not {type(output).__name__}")
        return output

    def again(self, invocation: ToolInvocation, asked: frozenset[str] = frozenset(), **changed: Any) -> bytes:
        """The bytes that the call prints now, past the cache; `asked` names the rules of all the calls to come.

        `changed`: as in `execute`.
        """
        tool = tools()[invocation.tool]
        args = arguments(tool, dict(invocation.args))
        output, _ = self.execute(tool, args, invocation.source_id, invocation.agent, asked, **changed)
        return output.encode(invocation.tool)

    def invocation(self, invocation_id: str) -> ToolInvocation | None:
        """A recorded call by id."""
        return self.known.get(invocation_id)

    def rows(self, invocation: ToolInvocation) -> list[dict[str, Any]]:
        """The rows of a call's recorded output."""
        return decode(self.outputs.get(invocation.output_sha256))

    def of_agent(self, agent: str, source_id: str) -> Iterable[ToolInvocation]:
        """Calls of an agent on a source."""
        return list(self.by_agent.get((agent, source_id), ()))
