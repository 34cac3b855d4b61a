"""Clocks: when a host's clock was changed, and times that cannot be what they seem."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from wigmore.graph.dated import asked, cited_times, dating
from wigmore.model.clocks import HOST, Interval, duration, interval_of
from wigmore.model.nouns import Phenomenon
from wigmore.model.times import instant_text, iso
from wigmore.records.clocks import Change, beginning, changes, error_at, proposals, shown_twice
from wigmore.records.implausible import KINDS, implausible
from wigmore.records.rows import shown
from wigmore.records.timing import logs, told_in
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
    looked_at = Kind(tuple(logs()))
    files = covered(context, looked_at)
    if not found:
        looked = answer(context, (looked_at,), "log whose records are numbered", where="false")
        if looked.outcome != "empty":
            return looked
        note = f"in {len(files)} logs nothing states a change of {tolerance_seconds:g} s or more, and none goes back by as much"
        return ToolOutput("empty", (), joined(note, caution(files)))
    rows: list[dict[str, Any]] = [_row(c) for c in found]
    for _, some in groupby(found, key=lambda c: (c.source_id, c.host_id)):
        rows += _proposed(context, list(some))
    ids, paths = [i for c in found for i in c.record_ids], {p for c in found for p in c.numbers}
    records = context.store.by_id(ids, told_in(), context.source_id or None, paths)
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


@tool("list_observation_times", domain="clocks", cached=False, cost=2)
def list_observation_times(context: ToolContext, tolerance_seconds: float = 60.0) -> ToolOutput:
    """List when each dated observation happened: from its first to its last time, with clock, precision and error.

    `start` and `end` are microseconds: since 1970 UTC where the instant is known, with the offset that the case file states of a
    host's clock taken off; else (`zone` local-unknown) as the clock showed them, to be compared with times of the same source
    and owner alone. `error` (µs) is how far changes of that clock may have put it off against other clocks, `error_within`
    against times of the same clock.
    """
    dated = sorted((p for p in context.state.phenomena.values() if p.occurred_at), key=lambda p: p.id)
    if context.source_id:
        dated = [p for p in dated if p.source_id == context.source_id]
    ids, artifacts = asked(dated)
    records = context.store.by_id(ids, artifacts, context.source_id or None, columns="record_id, times")
    moved: dict[str, list[Change]] = {}
    for change in changes(context.store, context.source_id or None, max(1, round(tolerance_seconds * 1_000_000))):
        moved.setdefault(change.source_id, []).append(change)
    rows = (_when(p, records, context.clocks.get(p.source_id, ()), moved.get(p.source_id, [])) for p in dated)
    return ToolOutput.of((r for r in rows if r is not None), cap=len(dated) or 1)


def _when(
    phenomenon: Phenomenon, records: dict[str, Any], stated: tuple[Interval, ...], moved: list[Change]
) -> dict[str, Any] | None:
    """The row of one observation; None where its time cannot be placed on any clock (it has no year)."""
    dates = dating(phenomenon, records)
    if dates is None:
        return None
    owner, known = dates.time["owner"], dates.time["instant"] is not None
    alike = [dates, *(c for c in cited_times(phenomenon, records) if c.field == dates.field)]
    bounds = [str(f.value) for f in phenomenon.verified_facts if f.name in ("first", "last")]
    times = [c.time for c in alike] + [t for text in bounds if (t := iso(text, owner)) is not None]
    stood, ahead, off, within = [], set(), 0, 0
    for time in times:
        if (time["instant"] is not None) != known:
            continue
        at = time["instant"] if known else (iso(time["text"], zone="Z") or {}).get("instant")
        if at is None:
            continue
        interval = interval_of(time, stated)
        if interval is not None:
            at -= interval.ahead
            ahead.add(interval.said() if interval.ahead else "")
        elif owner == HOST:
            off = max(off, error_at(moved, at, across=True))
            within = max(within, error_at(moved, at, across=False))
        stood.append((at, round(float(time["precision"]) * 1_000_000)))
    if not stood:
        return None
    return {
        "phenomenon_id": phenomenon.id,
        "source_id": phenomenon.source_id,
        "start": min(at for at, _ in stood),
        "end": max(at + precision for at, precision in stood),
        "zone": "Z" if known else "local-unknown",
        "owner": owner,
        "artifact": dates.artifact,
        "field": dates.field,
        "basis": "; ".join(sorted(a for a in ahead if a)),
        "error": off,
        "error_within": within,
    }


@tool("find_implausible_times", domain="clocks", cost=2)
def find_implausible_times(context: ToolContext) -> ToolOutput:
    """Find times that cannot be what they seem: at an epoch's zero, at a value that means never, before the system that writes
    such records was released, or later than the evidence was taken.

    One row a source, host and kind: how many, first and last, the fields they stand in, and example records. File times that a
    collector left are passed over, and so are fields that may lie ahead of their time, such as an expiry. A cleared field, a
    copied file and a clock that was not set yet predict such times as well as a falsified one.
    """
    taken = context.taken()
    found = implausible(context.store, context.source_id or None, taken)
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
        }
        if one.kind == "after_taking":
            row["bound"] = taken[one.source_id][1]
        rows.append(row)
    ids, paths = [i for f in found for i in f.record_ids], {p for f in found for p in f.paths}
    records = context.store.by_id(ids, None, context.source_id or None, paths)
    rows += [citable(shown(records[i])) for i in sorted(records)]
    return ToolOutput("found", tuple(rows), f"{len(found)} findings")
