"""The read-only tools of a role as a model calls them: recorded like every call, shown fenced and a page at a time."""

from __future__ import annotations

import json
import typing
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from wigmore.agents.desk import Desk
from wigmore.agents.fence import fenced, line_of, page_of
from wigmore.agents.sealed import sealed
from wigmore.model.canonical import canonical
from wigmore.registry import Tool, tools
from wigmore.tools.runner import BadArguments, Call, arguments, schema

TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", dict: "object", list: "array"}
OWN = ("page", "source_id")  # arguments of the reading itself, beside those of the tool


class Reading:
    """The reading tools of one run of a role.

    A call that was made already is refused: its pages are there. `sources` are those that calls may look at; where there is
    one, calls need not name it. `before` is asked ahead of each call and may end the run by raising.
    """

    def __init__(
        self, desk: Desk, names: Sequence[str], sources: Sequence[str], before: Callable[[], None] = lambda: None
    ) -> None:
        catalogue = tools()
        self.desk = desk
        self.tools = {name: catalogue[name] for name in dict.fromkeys(names) if name in catalogue}
        self.sources = list(sources)
        self.before = before
        self.sealed = desk.role == "strategist"
        self.inside: Callable[[str], bool] | None = desk.config.get("inside")  # the paths that a task is about
        self.made: dict[bytes, tuple[Call, set[int]]] = {}
        self.refused = 0

    def schema(self, name: str) -> dict[str, Any]:
        """The JSON schema of a tool's arguments."""
        tool = self.tools[name]
        properties: dict[str, Any] = {}
        required = []
        for argument, entry in schema(tool).items():
            properties[argument] = json_type(entry["type"])
            if entry["required"]:
                required.append(argument)
        properties["page"] = {"type": "integer", "description": "page of the output, from 1"}
        if self._sourced(tool):
            properties["source_id"] = {"type": "string", "enum": self.sources}
            required.append("source_id")
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    def _sourced(self, tool: Tool) -> bool:
        """Whether a call has to say at which source it looks."""
        return len(self.sources) > 1 and tool.domain not in ("graph", "strategy") and "source_id" not in schema(tool)

    def describe(self, name: str) -> str:
        """What a tool does, as its docstring says."""
        return " ".join((self.tools[name].function.__doc__ or "").split())

    def begin(self, asked: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Begin the calls of one turn beside each other; they are recorded in their order."""
        if len(asked) < 2:
            return
        for name, given in asked:
            tool = self.tools.get(name)
            if tool is None or not tool.read_only or not tool.cached:
                continue
            own, source = self._split(tool, given)
            with suppress(BadArguments, KeyError, TypeError, ValueError):
                if self._key(tool, own, source) not in self.made:
                    self.desk.runner.begin(name, own, source_id=source, agent=self.desk.role)

    def _split(self, tool: Tool, given: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """The tool's own arguments, and the source that is looked at."""
        named = [o for o in OWN if o not in schema(tool)]
        own = {k: v for k, v in given.items() if k not in named}
        if tool.domain in ("graph", "strategy"):
            return own, self.desk.source_id
        wanted = str(given.get("source_id") or "")
        return own, wanted if wanted in self.sources else (self.sources[0] if len(self.sources) == 1 else wanted)

    def _key(self, tool: Tool, own: dict[str, Any], source: str) -> bytes:
        return canonical([tool.name, source, arguments(tool, own)])

    def call(self, name: str, given: dict[str, Any]) -> str:
        """Make a call and show a page of what it came to, or say why it is not made."""
        self.before()
        tool = self.tools[name]
        own, source = self._split(tool, given)
        if tool.domain not in ("graph", "strategy") and source not in self.sources:
            return self._refuse(f"name one source in source_id: {', '.join(self.sources)}")
        try:
            page = max(1, int(given.get("page") or 1))
            key = self._key(tool, own, source)
        except (BadArguments, TypeError, ValueError, OverflowError) as error:
            return self._refuse(str(error)[:500])
        known = self.made.get(key)
        if known is None:
            known = self.made[key] = (self._made(name, own, source), set())
        page = page_of(
            self._rows(known[0]), page
        ).number  # a page that there is none of is the last one, under another number
        if page in known[1]:
            return self._refuse(
                f"this was asked before and {known[0].invocation.id} answered it: read another page, ask something else, or "
                "record what you found"
            )
        known[1].add(page)
        return self._shown(known[0], page)

    def printed(self, name: str, given: dict[str, Any]) -> tuple[Call | None, str]:
        """A call of a tool that is not offered itself, with its first page; None and the refusal where it is not made."""
        source = str(given.get("source_id") or "")
        source = source if source or len(self.sources) != 1 else self.sources[0]
        if source not in self.sources:
            return None, self._refuse(f"name one source in source_id: {', '.join(self.sources)}")
        try:
            call = self._made(name, {k: v for k, v in given.items() if k not in OWN}, source)
        except BadArguments as error:
            return None, self._refuse(str(error)[:500])
        return call, self._shown(call, 1)

    def _made(self, name: str, own: dict[str, Any], source: str) -> Call:
        return self.desk.call_at(source, name, own)

    def _refuse(self, why: str) -> str:
        self.refused += 1
        return f"refused: {why}"

    def _shown(self, call: Call, number: int) -> str:
        made, note = call.invocation, self._note(call)
        if made.status == "failed":
            return f"{made.id} {made.tool}: could not look; this is not `nothing found`\n" + fenced([note], made.id)
        if not call.rows and self.sealed:  # a note names what there is instead, in words of the evidence
            return f"{made.id} {made.tool}: {made.status}, no rows"
        if not call.rows:
            return f"{made.id} {made.tool}: {made.status}, no rows" + (f"\n{fenced([note], made.id)}" if note else "")
        rows = self._rows(call)
        if self.inside is not None:
            note = ""
            if not rows:
                return f"{made.id} {made.tool}: nothing within the path that the question is about"
        page = page_of(rows, number)
        more = f"; page {page.number} of {page.of}" if page.of > 1 else ""
        head = f"{made.id} {made.tool}: {made.status}, {len(rows)} rows{more}"
        beside = [note] if note and not self.sealed else []
        return f"{head}\n{fenced([*page.lines, *beside], made.id)}"

    def _rows(self, call: Call) -> list[dict[str, Any]]:
        """The rows of a call that may be shown."""
        rows = sealed(self.desk, call.invocation.tool, call.rows) if self.sealed else call.rows
        return rows if self.inside is None else [r for r in rows if self.inside(str(r.get("path", "")))]

    def _note(self, call: Call) -> str:
        """What a call says beside its rows, as JSON."""
        header = json.loads(self.desk.runner.outputs.get(call.invocation.output_sha256).partition(b"\n")[0])
        said = {k: header[k] for k in ("note", "more") if header.get(k)}
        said |= {"error": call.invocation.error} if call.invocation.error else {}
        return line_of(said) if said else ""


def json_type(wanted: Any) -> dict[str, Any]:
    """A type of an argument as JSON schema has it."""
    inner = [a for a in typing.get_args(wanted) if a is not type(None)]
    if wanted in TYPES:
        return {"type": TYPES[wanted]}
    origin = typing.get_origin(wanted)
    if origin is list:
        return {"type": "array", "items": json_type(inner[0]) if inner else {}}
    if origin is dict:
        return {"type": "object"}
    return json_type(inner[0]) if inner else {"type": "string"}
