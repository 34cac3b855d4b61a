"""The course of time in the records: sessions, bursts, gaps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wigmore.model.times import instant_text, iso
from wigmore.records.clocks import changes
from wigmore.records.density import AROUND, BASE, DENSE, FACTOR, LEAST, bursts, crossed, gaps
from wigmore.records.rows import shown
from wigmore.records.sessions import KINDS, Session, kept_in, sessions
from wigmore.records.timing import timing
from wigmore.registry import tool
from wigmore.tools.context import ToolContext, ToolOutput, citable
from wigmore.tools.lookup import CannotLook, Kind, answer, caution, covered, instant, joined

MINUTE = 60_000_000
NEAR = 60 * MINUTE  # µs from a gap within which a start or an end of the system explains it
LOGS = 5


def _cited(
    context: ToolContext, rows: list[dict[str, Any]], artifacts: Iterable[str], paths: Iterable[str]
) -> list[dict[str, Any]]:
    """The records that rows name, to be cited; they are of these artifacts and lie at these paths."""
    ids = (i for row in rows for i in row["record_ids"])
    records = context.store.by_id(ids, artifacts, context.source_id or None, paths)
    return [citable(shown(records[i])) for i in sorted(records)]


@tool("list_sessions", domain="timeline", cost=2)
def list_sessions(
    context: ToolContext, kind: str = "", account: str = "", after: str = "", before: str = "", limit: int = 200
) -> ToolOutput:
    """List sessions: logons with their logoffs by logon id, runs of the system from start to shutdown, and the time a screen
    was unlocked (`kind` logon, run, unlocked), from Windows logs, login records and what phones keep.

    `ended` says whether the end is recorded, or the log shows a new start before one, or neither. Logons of services are left
    out. `account` keeps names that contain it (no case); `after`/`before` (ISO 8601, UTC) keep what overlaps. Pairs follow the
    order of the log, so that a moved clock can make `seconds` negative. A session is an account's, not a person's.
    """
    if kind and kind not in KINDS:
        return ToolOutput.failed(f"unknown kind {kind!r}; one of {', '.join(KINDS)}")
    try:
        bounds = [instant(name, text) if text else None for name, text in (("after", after), ("before", before))]
    except CannotLook as error:
        return ToolOutput.failed(str(error))
    capped, more = max(1, min(limit, 2000)), False
    rows: list[dict[str, Any]] = []
    for one in sessions(context.store, context.source_id or None):
        if (kind and one.kind != kind) or account.lower() not in one.account.lower() or not _overlaps(one, *bounds):
            continue
        if len(rows) >= capped:
            more = True
            break
        rows.append(_row(one))
    looked = (Kind(tuple(kept_in())),)
    if not rows:
        return answer(context, looked, "record of sessions", where="false")
    logs = [row["log"] for row in rows]
    paths = logs if all(logs) else ()  # a phone's events lie in many files
    note = joined(f"{len(rows)} sessions", caution(covered(context, looked[0])))
    return ToolOutput("found", (*rows, *_cited(context, rows, looked[0].artifacts, paths)), note, more)


def _overlaps(one: Session, after: int | None, before: int | None) -> bool:
    """Whether a session reaches into a period; what is not recorded of it may lie anywhere."""
    start, end = (time["instant"] if text and (time := iso(text)) else None for text in (one.start, one.end))
    return (after is None or (end if end is not None else start or after) >= after) and (
        before is None or start is None or start < before
    )


def _row(one: Session) -> dict[str, Any]:
    return {
        "session": one.kind,
        "source_id": one.source_id,
        "host_id": one.host_id,
        "log": one.path,
        "name": one.name,
        "account": one.account,
        "how": one.how,
        "origin": one.origin,
        "start": one.start,
        "end": one.end,
        "seconds": one.seconds,
        "ended": one.ended,
        "record_ids": list(one.record_ids),
    }


@tool("find_bursts", domain="timeline", cost=2)
def find_bursts(context: ToolContext, artifact: str = "", limit: int = 50) -> ToolOutput:
    """Find hours in which a kind of record is far denser than it usually is on that source: at least 50 records, and at least
    ten times the median of the hours in which the kind has any (five at least).

    Hours in a row are one burst, the steepest first. `artifact` (globs allowed) keeps one kind. Times are those that date the
    records, as stored. Imports, updates, copies and set-up are bursts as well.
    """
    found = bursts(context.store, context.source_id or None, artifact, max(1, min(limit, 500)))
    looked = Kind((artifact or "*",))
    if not found:
        return answer(context, (looked,), "dated record", where="false")
    rows = [
        {
            "burst": b.artifact,
            "source_id": b.source_id,
            "from": instant_text(b.start),
            "to": instant_text(b.end),
            "count": b.count,
            "usual_hour": b.median,
            "record_ids": list(b.record_ids),
        }
        for b in found
    ]
    rule = f"{LEAST} records an hour or more, and {FACTOR} times the median of {BASE} or more hours"
    cited = _cited(context, rows, {b.artifact for b in found}, {p for b in found for p in b.paths})
    return ToolOutput("found", (*rows, *cited), joined(f"{len(rows)} bursts: {rule}"))


@tool("find_gaps", domain="timeline", cost=2)
def find_gaps(context: ToolContext, hours: float = 24.0, limit: int = 50) -> ToolOutput:
    """Find stretches of at least so many hours without a record, where logs are dense before and after: of all logs of a source
    together, or of one kind of log while others went on.

    Dense: records in 12 of the 72 hours on either side. `explained_by` names recorded shutdowns and starts within an hour, and
    a clock set forward across it; `record_numbers` tells whether a log's numbers run on over the gap or some are missing. A gap
    is about records: a computer that is off, a log that rolled over and records that were removed all leave one.
    """
    source = context.source_id or None
    found = gaps(context.store, source, max(1.0, hours), max(1, min(limit, 500)))
    looked = Kind(tuple(timing()["recorders"]))
    if not found:
        return answer(context, (looked,), "log that a host writes as it runs", where="false")
    moved = changes(context.store, source, MINUTE)
    runs = [s for s in sessions(context.store, source) if s.kind == "run"]
    rows = []
    for gap in found:
        said = [
            f"the clock was set forward from {instant_text(c.old)} to {instant_text(c.new)}"
            for c in crossed(gap, moved)
        ]
        for one in runs:
            if one.source_id != gap.source_id:
                continue
            for text, at, word in ((one.end, gap.start, "shut down"), (one.start, gap.end, "started")):
                time = iso(text) if text else None
                if time and time["instant"] is not None and abs(time["instant"] - at) <= NEAR:
                    said.append(f"the system {word} at {text}")
        rows.append(
            {
                "gap": gap.artifact or "all logs",
                "source_id": gap.source_id,
                "from": instant_text(gap.start),
                "to": instant_text(gap.end),
                "hours": round((gap.end - gap.start) / 3_600_000_000, 2),
                "explained_by": sorted(set(said)),
                "record_numbers": [
                    {"log": log, "last": last, "next": first, "missing": first - last - 1}
                    for log, last, first in sorted(gap.numbers, key=lambda n: (n[1] - n[2], n[0]))[:LOGS]
                ],
                "record_ids": list(dict.fromkeys(gap.record_ids)),
            }
        )
    rule = f"{DENSE} of the {AROUND} hours on either side hold records"
    return ToolOutput(
        "found",
        (*rows, *_cited(context, rows, looked.artifacts, {p for gap in found for p in gap.paths})),
        joined(f"{len(rows)} gaps: {rule}", caution(covered(context, looked))),
    )
