"""`wigmore show CASE timeline`: observations in the order of time and, if asked, every time of every record among them."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from typing import Any

from wigmore.api.cases import UseError, index_of
from wigmore.graph.dated import asked, dating
from wigmore.investigation.workbench import Workbench
from wigmore.model.clocks import END, ZONES_EAST, ZONES_WEST, ClockError, bound, interval_of
from wigmore.model.times import instant_text, iso
from wigmore.records.timeline import Timeline, Wanted

Row = dict[str, Any]
FIELDS = (
    "time", "corrected", "offset_seconds", "basis", "instant", "zone", "zone_source", "precision", "owner", "artifact",
    "field", "dates_record", "kind", "source_id", "host_id", "path", "record_id", "phenomenon_id", "category", "title",
)  # fmt: skip


def wanted(options: Row) -> Wanted:
    """What the options ask for; raises UseError for what is no time."""
    try:
        after, before = (
            bound(name, options.get(key), END) if options.get(key) else None
            for name, key in (("--from", "after"), ("--to", "before"))
        )
    except ClockError as error:
        raise UseError(str(error)) from error
    return Wanted(
        after,
        before,
        options.get("source") or "",
        options.get("artifact") or "",
        options.get("owner") or "",
        options.get("text") or "",
        bool(options.get("collector")),
    )


def observations(bench: Workbench, asked_for: Wanted) -> list[Row]:
    """Dated observations, those of known instant first, by (corrected) instant; then the others by source and text."""
    dated = [p for p in bench.state.phenomena.values() if p.occurred_at]
    ids, artifacts = asked(dated)
    records = bench.store.by_id(ids, artifacts, columns="record_id, times")
    rows: list[tuple[tuple[Any, ...], Row]] = []
    for phenomenon in dated:
        found = dating(phenomenon, records)
        time = found.time if found else None
        instant = time["instant"] if time else None
        interval = interval_of(time, bench.clocks.get(phenomenon.source_id, ())) if time else None
        at = instant - interval.ahead if interval and instant is not None else instant
        row = {
            "time": phenomenon.occurred_at,
            "corrected": instant_text(at) if interval and interval.ahead and at is not None else None,
            "offset_seconds": -interval.ahead / 1_000_000 if interval else 0.0,
            "basis": interval.said() if interval and interval.ahead else "",
            "instant": instant,
            "zone": time["zone"] if time else "local-unknown",
            "zone_source": time["zone_source"] if time else "",
            "precision": time["precision"] if time else None,
            "owner": time["owner"] if time else "",
            "artifact": found.artifact if found else "",
            "field": found.field if found else "",
            "dates_record": None,
            "kind": "observation",
            "source_id": phenomenon.source_id,
            "host_id": "",
            "path": next((f.path for f in phenomenon.verified_facts if f.path), ""),
            "record_id": "",
            "phenomenon_id": phenomenon.id,
            "category": phenomenon.category,
            "title": phenomenon.title,
        }
        if _suits(row, at, asked_for):
            place = (0, at) if at is not None else (1, 0, row["source_id"], row["owner"])
            rows.append(((*place, str(row["time"]), phenomenon.id), row))
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]


def _suits(row: Row, at: int | None, asked_for: Wanted) -> bool:
    """Whether an observation is among what was asked for; one of unknown zone is, where some zone could put it there."""
    if asked_for.source_id not in ("", row["source_id"]) or asked_for.owner not in ("", row["owner"]):
        return False
    if asked_for.artifact and not f"{row['artifact']}.".startswith(asked_for.artifact + "."):
        return False
    if asked_for.text and asked_for.text.lower() not in f"{row['title']}\n{row['path']}".lower():
        return False
    if at is not None:
        first = last = at
    elif (stated := iso(str(row["time"]), zone="Z")) is not None:
        first, last = stated["instant"] - ZONES_EAST, stated["instant"] + ZONES_WEST
    else:
        return asked_for.after is None and asked_for.before is None
    return (asked_for.after is None or last >= asked_for.after) and (
        asked_for.before is None or first < asked_for.before
    )


def everything(bench: Workbench, asked_for: Wanted, say: Callable[[str], None]) -> Iterator[Row]:
    """Every time of every record with the observations among them; memory does not grow with the records.

    Times of unknown zone follow those of known instant, each in the order of its own clock.
    """
    seen = observations(bench, asked_for)
    known = [r for r in seen if r["instant"] is not None]
    with index_of(bench.case) as folder:
        timeline = Timeline(bench.store, folder / "timeline", say)
        if (asked_for.after is not None or asked_for.before is not None) and (left := timeline.undated(asked_for)):
            say(f"{left} times have no year or no date that can be read, and stand in no period: they are left out")
        records = (_record_row(r) for r in timeline.known(asked_for, bench.clocks))
        yield from heapq.merge(known, records, key=_at)
        yield from (r for r in seen if r["instant"] is None)
        yield from (_record_row(r) for r in timeline.local(asked_for))


def _at(row: Row) -> int:
    return int(row["instant"]) + round(float(row["offset_seconds"]) * 1_000_000)


def _record_row(row: Row) -> Row:
    made = dict.fromkeys(FIELDS, "") | {name: value for name, value in row.items() if name in FIELDS}
    return made | {"kind": "record", "title": row["message"], "category": row["artifact"]}
