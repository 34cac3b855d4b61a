"""What a tool call is given and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from wigmore.evidence.source import Source, SourceSpec
from wigmore.graph.state import GraphState
from wigmore.model.canonical import canonical
from wigmore.model.clocks import Interval
from wigmore.model.lists import ListFile
from wigmore.model.nouns import Coverage
from wigmore.records.rules import Indicator
from wigmore.records.sheet import StandardQuestion
from wigmore.records.store import RecordStore

CAP = 5000  # rows a call prints before it says that there are more


@dataclass(frozen=True)
class ToolOutput:
    """Outcome and rows of a call; `text` becomes one row.

    Rows are JSON objects; those that show a record carry record_id, path, artifact, locator, state, times and data, so that
    facts can cite them.
    """

    outcome: str
    rows: tuple[dict[str, Any], ...] = ()
    note: str = ""
    more: bool = False

    @classmethod
    def of(cls, rows: Iterable[dict[str, Any]], note: str = "", cap: int = CAP) -> ToolOutput:
        """Found or empty, by whether there are rows; past `cap` rows the output says that there are more."""
        kept: list[dict[str, Any]] = []
        more = False
        for row in rows:
            if len(kept) >= cap:
                more = True
                break
            kept.append(row)
        return cls("found" if kept else "empty", tuple(kept), note, more)

    @classmethod
    def failed(cls, message: str) -> ToolOutput:
        """The call could not look; the message says why."""
        return cls("failed", (), message)

    @classmethod
    def not_applicable(cls, message: str) -> ToolOutput:
        """There is nothing such a call could look at here."""
        return cls("not_applicable", (), message)

    def encode(self, tool: str) -> bytes:
        """The bytes that are recorded and printed: a header line and one line a row."""
        header = {"tool": tool, "outcome": self.outcome, "rows": len(self.rows), "note": self.note, "more": self.more}
        return b"\n".join([canonical(header), *(canonical(r) for r in self.rows)]) + b"\n"


@dataclass(frozen=True)
class Recovery:
    """What password recovery needs of the case: whether the authority covers it, sources, and where finds are sealed."""

    allowed: bool
    spec: Callable[[str], SourceSpec]
    secrets: Callable[[str], dict[str, str]]
    keep: Callable[[str, str, str, dict[str, Any]], dict[str, Any]]
    say: Callable[[str], None]


@dataclass
class ToolContext:
    """The case as a tool sees it. The active source is part of the call, never of the process."""

    source_id: str
    store: RecordStore
    state: GraphState
    indicators: dict[str, Indicator]
    open_source: Callable[[str], Source]
    coverage: Callable[[], list[Coverage]]
    agent: str = ""
    period: tuple[int | None, int | None] = (None, None)
    budget: dict[str, Any] = field(default_factory=dict)
    save_asset: Callable[[str, bytes], dict[str, Any]] | None = None
    expected: tuple[dict[str, Any], ...] = ()
    invocations: Callable[[], list[dict[str, Any]]] = list
    questions: dict[str, StandardQuestion] = field(default_factory=dict)
    lists: Callable[[], tuple[ListFile, ...]] = tuple  # the examiner's lists of the case
    clocks: dict[str, tuple[Interval, ...]] = field(default_factory=dict)  # what the case file states, by source
    taken: Callable[[], dict[str, tuple[int, str]]] = dict  # see Workbench.taken
    recovery: Recovery | None = None
    exclude: tuple[str, ...] = ()  # globs of paths that the case's scope keeps out
    asked: frozenset[str] = frozenset()  # rules that calls will ask for, where that is known; none: any may be

    def served(self, *rules: Indicator) -> list[Indicator]:
        """The rules that one scan of the records serves: these, and all that may be asked for later."""
        return [r for r in self.indicators.values() if not self.asked or r.id in self.asked or r in rules]

    def records(
        self, artifacts: Iterable[str], where: str = "", parameters: Iterable[Any] = (), limit: int | None = CAP + 1
    ) -> Iterable[dict[str, Any]]:
        """Records of the active source as citable rows, in canonical order."""
        found = self.store.records(artifacts, self.source_id or None, where, list(parameters), limit)
        return (citable(r) for r in found)


def citable(shown: dict[str, Any]) -> dict[str, Any]:
    """A record as an output row: what a fact may cite, without what is the same for all."""
    keys = (
        "record_id",
        "source_id",
        "artifact",
        "path",
        "inode",
        "locator",
        "state",
        "host_id",
        "origin",
        "time_field",
        "times",
        "data",
    )
    return {k: shown[k] for k in keys if shown.get(k) not in (None, "")}
