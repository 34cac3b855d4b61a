"""What agents propose: the records and results that a phenomenon relies on, and how their fields are read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from wigmore.model.nouns import ToolInvocation


@dataclass(frozen=True)
class CitedRecord:
    """What a proposal relies on: one record of one output, some of its fields, and optionally what they should say."""

    invocation_id: str
    record_id: str
    fields: tuple[str, ...]
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CitedResult:
    """A value of a query result as a whole (count, first, last of a group), or of an `empty` receipt."""

    invocation_id: str
    row: int
    name: str
    value: Any = None


@dataclass(frozen=True)
class Proposal:
    """A phenomenon as proposed."""

    source_id: str
    category: str
    title: str
    interpretation: str
    records: tuple[CitedRecord, ...] = ()
    results: tuple[CitedResult, ...] = ()
    rule: str = ""
    caveat: str = ""
    attack: tuple[str, ...] = ()
    event_key: str = ""
    negative: bool = False
    key: tuple[Any, ...] = ()  # identity of the observation: rule and group, else the cited records
    record_count: int = 1
    one_record: bool = False  # the values of the title must stand together in one of the cited records

    def to_json(self) -> dict[str, Any]:
        """As a rejection records it."""
        return {
            "source_id": self.source_id,
            "category": self.category,
            "title": self.title,
            "interpretation": self.interpretation,
            "rule": self.rule,
            "negative": self.negative,
            "records": [
                {
                    "invocation_id": r.invocation_id,
                    "record_id": r.record_id,
                    "fields": list(r.fields),
                    "values": r.values,
                }
                for r in self.records
            ],
            "results": [{"invocation_id": r.invocation_id, "row": r.row, "name": r.name} for r in self.results],
        }


class OutputRows(Protocol):
    """Gives the gateway recorded invocations and their output rows."""

    def invocation(self, invocation_id: str) -> ToolInvocation | None:
        """The recorded invocation, or None."""

    def rows(self, invocation: ToolInvocation) -> list[dict[str, Any]]:
        """The rows of its recorded output."""

    def of_agent(self, agent: str, source_id: str) -> Iterable[ToolInvocation]:
        """The recorded invocations of an agent on a source."""


def field_of(row: dict[str, Any], name: str) -> Any:
    """A field of an output row: of its record's data, a time's text (`times.NAME`), or a column; None if absent."""
    if name.startswith("times."):
        time = (row.get("times") or {}).get(name[6:])
        return time["text"] if isinstance(time, dict) else None
    data = row.get("data")
    if isinstance(data, dict):
        if name in data:
            return data[name]
        value: Any = data
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            return value
    return row.get(name) if name not in ("data", "times", "locator") else None
