"""Times that cannot be what they seem: an epoch's zero, "never", before the system was there, after the evidence was taken.

Zeros: the epochs of `model/times.py`. Ends: the largest values of 32-bit, .NET, Cocoa and SQL times. Beginnings, and what may
lie ahead of its time: `rules/clocks.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from wigmore.model import times
from wigmore.records.store import RecordStore, quoted
from wigmore.records.timeline import LISTINGS, times_of
from wigmore.records.timing import among, timing

DAY = 86_400_000_000
ZONE, STEP = 14 * 3_600_000_000, 900_000_000  # µs: the farthest zone, and what zones differ by
LATE = DAY  # after the taking: a zone that was mistaken is no finding
EXAMPLES, FIELDS = 3, 5
SHOWN = 1000  # findings
KINDS = {
    "epoch_zero": "the zero of a way to store times: nothing was stored, or it was cleared",
    "sentinel": "the largest or a reserved value of a way to store times: it says never, not when",
    "before_system": "before the system that writes such records was released",
    "after_taking": "later than the evidence was taken",
}


def _at(year: int, month: int, day: int) -> int:
    return (datetime(year, month, day, tzinfo=UTC) - times.EPOCH) // timedelta(microseconds=1)


ZEROS = (-times.WEBKIT_OFFSET, -times.NTP_OFFSET * 10**6, -times.CLASSIC_OFFSET * 10**6, 0)  # nobody's own times
SOFT_ZEROS = (
    times.DOS_OFFSET * 10**6,
    times.COCOA_OFFSET * 10**6,
)  # midnights at which something may well have happened
NEVER = (_at(9999, 12, 31), _at(4001, 1, 1), _at(1, 1, 1))  # and the day after each
LARGEST = (2**31 - 1, 2**32 - 1)  # s


@dataclass(frozen=True)
class Implausible:
    """Times of one kind in one source and host: how many, the first and last, in which fields, and example records."""

    source_id: str
    host_id: str
    kind: str
    count: int
    first: str
    last: str
    fields: tuple[tuple[str, int], ...]  # `artifact: field` and how many, the most first
    record_ids: tuple[str, ...]
    paths: tuple[str, ...]  # where these lie


def implausible(
    store: RecordStore, source_id: str | None, taken: Mapping[str, tuple[int, str]] | None = None
) -> list[Implausible]:
    """The findings of one source (or all), by source, host and kind; `taken`: when each source was (µs UTC, and why that).

    File times that a collector left are not looked at. What may lie ahead of its time (an expiry, a plan) is not late.
    """
    kind = _kind(taken or {})
    sound = f"NOT (t.owner = 'collector' AND artifact IN ({', '.join(map(quoted, LISTINGS))}))"
    columns = "source_id, host_id, artifact, path, record_id, ordinal, time_field"
    every = times_of(store.relation(None, source_id), columns)
    odd = (
        f"SELECT *, t.text AS text, coalesce(t.instant, epoch_us(try_cast(left(t.text, 26) AS TIMESTAMP))) AS stood, "
        f"t.instant IS NOT NULL AS known FROM ({every}) WHERE {sound}"
    )
    rows = store.query(
        f"SELECT source_id, host_id, kind, artifact, field, count(*) AS n, min(text) AS first, max(text) AS last, "
        f"min([path, lpad(ordinal::VARCHAR, 12, '0'), record_id], {EXAMPLES}) AS examples FROM "
        f"(SELECT *, {kind} AS kind FROM ({odd})) WHERE kind IS NOT NULL "
        f"GROUP BY source_id, host_id, kind, artifact, field "
        f"ORDER BY source_id, host_id, kind, n DESC, artifact, field LIMIT {SHOWN * 10}"
    )
    grouped: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in rows:
        grouped.setdefault((row["source_id"], row["host_id"], row["kind"]), []).append(row)
    return [_finding(key, some) for key, some in list(grouped.items())[:SHOWN]]


def _finding(key: tuple[str, str, str], rows: list[dict[str, Any]]) -> Implausible:
    examples: dict[str, str] = {}
    for turn in range(EXAMPLES):  # of each field one, before a second
        for row in rows:
            if turn < len(row["examples"]) and len(examples) < EXAMPLES:
                examples.setdefault(row["examples"][turn][2], row["examples"][turn][0])
    return Implausible(
        *key,
        sum(r["n"] for r in rows),
        min(r["first"] for r in rows),
        max(r["last"] for r in rows),
        tuple((f"{r['artifact']}: {r['field']}", r["n"]) for r in rows[:FIELDS]),
        tuple(examples),
        tuple(dict.fromkeys(examples.values())),
    )


def _kind(taken: Mapping[str, tuple[int, str]]) -> str:
    """SQL for the kind of a time, or NULL; the first that fits."""
    zero = [f"stood BETWEEN {z - ZONE} AND {z + DAY}" for z in ZEROS]
    zero += [f"(stood BETWEEN {z - ZONE} AND {z + ZONE} AND (stood - {z}) % {STEP} = 0)" for z in SOFT_ZEROS]
    never = [f"stood BETWEEN {n - ZONE} AND {n + DAY + ZONE}" for n in NEVER]
    never += [f"stood // 1000000 = {n}" for n in LARGEST]
    dates = f"field = coalesce(time_field, '') OR artifact IN ({', '.join(map(quoted, LISTINGS))})"
    own = f"known AND t.owner = 'host' AND ({dates})"
    known = timing()
    before = [
        f"({among(b['artifacts'])} AND stood < {_at(*map(int, b['from'].split('-')))})" for b in known["beginnings"]
    ]
    ahead = known["ahead_of_time"]
    after = [f"(source_id = {quoted(s)} AND stood > {at + LATE})" for s, (at, _) in sorted(taken.items())] or ["false"]
    return (
        f"CASE WHEN {' OR '.join(zero)} THEN 'epoch_zero' WHEN {' OR '.join(never)} THEN 'sentinel' "
        f"WHEN {own} AND ({' OR '.join(before)}) THEN 'before_system' "
        f"WHEN {own} AND ({' OR '.join(after)}) "
        f"AND NOT regexp_matches(field, {quoted(ahead['fields'])}, 'i') "
        f"AND NOT {among(ahead['artifacts'])} THEN 'after_taking' END"
    )
