"""Clocks: when a host's clock was changed, and times that cannot be what they seem."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from wigmore.model.clocks import duration
from wigmore.model.times import instant_text
from wigmore.records.clocks import LOGS, Change, beginning, changes, proposals, shown_twice
from wigmore.records.implausible import KINDS, implausible
from wigmore.records.rows import shown
from wigmore.registry import tool
from wigmore.tools.context import ToolContext, ToolOutput, citable
from wigmore.tools.lookup import Kind, answer, caution, covered, joined

PATHS = 5


@tool("find_clock_changes", domain="clocks", cost=2)
def find_clock_changes(context: ToolContext, tolerance_seconds: float = 60.0) -> ToolOutput:
    """Find where a host's clock was changed by at least the tolerance: by records of the change (Windows events 4616 of
    Security and 1 of Kernel-General, login records), by the journal's monotonic clock, and where the time goes back inside one
    log while its record numbers go on.

    One row a change in the order of happening: old and new time as stored, shift, what states it, program and account where
    recorded, logs that show it; `at_least` where only the order of a log does. Then rows with intervals that the case file's
    `clocks` could state: proposals, which nothing applies by itself, and which take the clock after the last change for right.
    Set-up, a time service, a resumed virtual machine and an empty battery change clocks too.
    """
    tolerance = max(1, round(tolerance_seconds * 1_000_000))
    found = changes(context.store, context.source_id or None, tolerance)
    files = covered(context, Kind(LOGS))
    if not found:
        looked = answer(context, (Kind(LOGS),), "log whose records are numbered", where="false")
        if looked.outcome != "empty":
            return looked
        note = f"in {len(files)} logs nothing states a change of {tolerance_seconds:g} s or more, and none goes back by as much"
        return ToolOutput("empty", (), joined(note, caution(files)))
    rows: list[dict[str, Any]] = [_row(c) for c in found]
    for _, some in groupby(found, key=lambda c: (c.source_id, c.host_id)):
        rows += _proposed(context, list(some))
    records = context.store.by_id((i for c in found for i in c.record_ids), LOGS, context.source_id or None)
    rows += [citable(shown(records[i])) for i in sorted(records)]
    return ToolOutput("found", tuple(rows), joined(f"{len(found)} changes", caution(files)))


def _row(change: Change) -> dict[str, Any]:
    return {
        "change": "set back" if change.shift < 0 else "set forward",
        "source_id": change.source_id,
        "host_id": change.host_id,
        "old_time": instant_text(change.old),
        "new_time": instant_text(change.new),
        "shift": duration(change.shift),
        "shift_seconds": change.shift / 1_000_000,
        "at_least": not change.stated,
        "stated_by": sorted(change.stated),
        "program": change.by,
        "account": change.account,
        "records_ahead": change.ahead,
        "logs": len(change.numbers),
        "paths": sorted(change.numbers)[:PATHS],
        "record_ids": list(change.record_ids),
    }


def _proposed(context: ToolContext, some: list[Change]) -> list[dict[str, Any]]:
    """Proposals for one host, and what the clock showed twice."""
    about = {"source_id": some[0].source_id, "host_id": some[0].host_id}
    out: list[dict[str, Any]] = [
        {
            "proposal": interval.to_yaml(),
            **about,
            "from": instant_text(interval.start),
            "to": instant_text(interval.end),
            "ahead": duration(interval.ahead),
        }
        for interval in proposals(some, beginning(context.store, some))
    ]
    return out + [
        {"shown_twice": True, **about, "from": instant_text(start), "to": instant_text(end)}
        for start, end in shown_twice(some)
    ]


@tool("find_implausible_times", domain="clocks", cost=2)
def find_implausible_times(context: ToolContext) -> ToolOutput:
    """Find times that cannot be what they seem: at an epoch's zero, at a value that means never, before the system that writes
    such records was released, or later than the evidence was taken.

    One row a source, host and kind: how many, first and last, the fields they stand in, and example records. File times that a
    collector left are passed over, and so are fields that may lie ahead of their time, such as an expiry. A cleared field, a
    copied file and a clock that was not set yet predict such times as well as a falsified one.
    """
    found = implausible(context.store, context.source_id or None, context.taken)
    if not found:
        return answer(context, (Kind(("*",)),), "record with a time", where="false")
    rows: list[dict[str, Any]] = []
    for one in found:
        row = {
            "implausible": one.kind,
            "means": KINDS[one.kind],
            "source_id": one.source_id,
            "host_id": one.host_id,
            "count": one.count,
            "first": one.first,
            "last": one.last,
            "fields": [{"field": name, "count": n} for name, n in one.fields],
            "record_ids": list(one.record_ids),
            "examples": [{"record_id": record, "field": name} for record, name in one.examples],
        }
        if one.kind == "after_taking":
            row["bound"] = context.taken[one.source_id][1]
        rows.append(row)
    records = context.store.by_id((i for f in found for i in f.record_ids), None, context.source_id or None)
    rows += [citable(shown(records[i])) for i in sorted(records)]
    return ToolOutput("found", tuple(rows), f"{len(found)} findings")
