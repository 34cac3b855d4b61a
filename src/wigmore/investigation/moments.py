"""A case as it stood at one moment: a shorter fold of its ledger."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wigmore.graph.state import GraphState
from wigmore.investigation.case_file import read_case
from wigmore.investigation.covered import Covered
from wigmore.ledger import Ledger
from wigmore.model.nouns import Coverage
from wigmore.model.times import iso

RUN = re.compile(r"run-\d+")
MINUTES = re.compile(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?!:)")  # a time without its seconds


class MomentError(ValueError):
    """A moment that is none of this case; says which forms there are."""


@dataclass(frozen=True)
class Moment:
    """The graph, the coverage and the last run of a case up to one event."""

    case: Path
    name: str  # what the case file calls it
    seq: int
    at: str  # when that event was recorded
    state: GraphState
    coverage: list[Coverage]

    @property
    def run(self) -> dict[str, Any]:
        """The last run that was started: configuration, versions and parsers; empty before the first."""
        return self.state.runs[-1] if self.state.runs else {}


def moment(case: Path, when: str = "") -> Moment:
    """The case at its end, or after event number `when`, at that time (ISO 8601, UTC), or at the end of that run.

    Beliefs are computed under the configuration of the last run up to then. Raises MomentError, CaseFileError, LedgerError.
    """
    name = read_case(case).case
    with Ledger.open_readonly(case) as ledger:
        seq = _number(ledger, when) if when else ledger.head().seq
        runs = [e.body for e in ledger.events("run.started", upto=seq)]
        config = (runs[-1] if runs else {}).get("config") or {}
        state = GraphState(config.get("hypothesis_log_lr"), config.get("damping") or "per_type")
        covered, at = Covered(), ""
        for event in ledger.events(upto=seq):
            state.apply(event)
            at = event.at
            if event.kind == "extraction":
                covered.add(event.body["coverage"])
            elif event.kind == "coverage":
                covered.add(event.body["rows"])
    return Moment(case, name, seq, at, state, covered.rows)


def _number(ledger: Ledger, when: str) -> int:
    """The number of the last event of a moment."""
    last = ledger.head().seq
    if when.isdigit():
        if not 1 <= int(when) <= last:
            raise MomentError(f"there is no event {when}: the ledger has 1 to {last}")
        return int(when)
    if RUN.fullmatch(when):
        starts = {str(e.body["id"]): e.seq for e in ledger.events("run.started")}
        if when not in starts:
            raise MomentError(f"no run {when!r} in this case; there are: {', '.join(starts) or 'none'}")
        return min((seq for seq in starts.values() if seq > starts[when]), default=last + 1) - 1
    time = iso(MINUTES.sub(r"\g<0>:00", when), zone="Z")
    if time is None or time["instant"] is None:
        raise MomentError(f"{when!r} is no moment: an event's number, a time as 2026-04-17T14:02Z, or a run as run-001")
    seq = 0
    for event in ledger.events():
        stamped = iso(event.at)
        if stamped is None or stamped["instant"] is None or stamped["instant"] > time["instant"]:
            break
        seq = event.seq
    if not seq:
        raise MomentError(f"nothing was recorded up to {when}")
    return seq
