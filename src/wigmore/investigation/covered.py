"""Coverage rows as runs add to them, and the records and coverage that stood when a call was made."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from wigmore.ledger import Ledger
from wigmore.model.nouns import Coverage
from wigmore.records.store import Part

Where = tuple[str, str, str, str]


def _place(row: Coverage) -> Where:
    return row.source_id, row.path, row.inode or "", row.parser


def _passing(row: Coverage) -> bool:
    """Whether a later row about the same place takes this one's: it was locked, or a container was looked at again."""
    return row.reason_code == "locked" or row.parser == "container@1"


@dataclass
class Covered:
    """All coverage rows that hold."""

    rows: list[Coverage] = field(default_factory=list)
    _places: set[Where] = field(default_factory=set)  # of rows that a later run may replace

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Take in rows: what was opened since replaces that it was locked."""
        fresh = [Coverage.from_dict(row) for row in rows]
        replaced = {_place(row) for row in fresh} & self._places
        if replaced:
            self.rows = [c for c in self.rows if not (_passing(c) and _place(c) in replaced)]
            self._places -= replaced
        self.rows.extend(fresh)
        self._places |= {_place(row) for row in fresh if _passing(row)}


@dataclass(frozen=True)
class Era:
    """The time between two changes of what is there to see: calls made in it, and the parts and coverage that there were."""

    calls: tuple[str, ...]
    parts: tuple[Part, ...]
    coverage: tuple[Coverage, ...]


def eras(ledger: Ledger, wanted: Collection[str]) -> Iterator[Era]:
    """The wanted calls by the records they could see, in order."""
    parts: list[Part] = []
    covered = Covered()
    calls: list[str] = []
    for event in ledger.events("extraction", "coverage", "invocation"):
        body = event.body
        if event.kind == "invocation":
            if body["id"] in wanted:
                calls.append(str(body["id"]))
            continue
        if calls:
            yield Era(tuple(calls), tuple(parts), tuple(covered.rows))
            calls = []
        if event.kind == "coverage":
            covered.add(body["rows"])
        else:
            parts.extend(Part(**part) for part in body["parts"])
            covered.add(body["coverage"])
    if calls:
        yield Era(tuple(calls), tuple(parts), tuple(covered.rows))
