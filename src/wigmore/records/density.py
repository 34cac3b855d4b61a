"""How dense records lie in time: hours in which a kind is far denser than it usually is, and stretches in which logs are silent.

Both say something of records, not of the world: a burst may be an import, a gap a computer that was off or a log that rolled.
The hour of a record is that of the time that dates it, as stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wigmore.records.clocks import Change
from wigmore.records.store import RecordStore
from wigmore.records.timing import number_of, timing

HOUR = 3_600_000_000
FACTOR, LEAST, BASE = 10, 50, 5  # times the median; records of an hour; hours that make a median
AROUND, DENSE = 72, 12  # hours on either side of a gap, and how many of them hold records
EXAMPLES = 3


@dataclass(frozen=True)
class Burst:
    """Hours one after the other in which a kind of record is dense: from and to (µs), how many, and its usual hour."""

    source_id: str
    artifact: str
    start: int
    end: int
    count: int
    median: float
    record_ids: tuple[str, ...]
    paths: tuple[str, ...]  # where these lie


@dataclass(frozen=True)
class Gap:
    """A silence between two records (µs of each): of one kind, or of all logs of a source (`artifact` empty)."""

    source_id: str
    artifact: str
    start: int
    end: int
    record_ids: tuple[str, ...]
    paths: tuple[str, ...]
    numbers: tuple[tuple[str, int, int], ...]  # log, number of its last record before, of its first after


def bursts(store: RecordStore, source_id: str | None, artifact: str, limit: int) -> list[Burst]:
    """Hours with LEAST records or more that hold FACTOR times the median of the hours in which the kind has any, or more.

    Hours that follow each other are one burst; kinds with fewer than BASE such hours have no usual hour.
    """
    relation = store.relation([artifact] if artifact else None, source_id)
    hours = (
        f"SELECT source_id, artifact, instant // {HOUR} AS hour, count(*) AS n FROM {relation} "
        f"WHERE instant IS NOT NULL GROUP BY ALL"
    )
    usual = "median(n) OVER kind AS usual, count(*) OVER kind AS hours"
    rows = store.query(
        f"SELECT source_id, artifact, hour, n, usual FROM (SELECT *, {usual} FROM ({hours}) "
        f"WINDOW kind AS (PARTITION BY source_id, artifact)) WHERE hours >= {BASE} AND n >= {LEAST} "
        f"AND n >= {FACTOR} * usual ORDER BY source_id, artifact, hour"
    )
    merged: list[dict[str, Any]] = []
    for row in rows:
        last = merged[-1] if merged else None
        if last and (last["source_id"], last["artifact"], last["stop"]) == (
            row["source_id"],
            row["artifact"],
            row["hour"],
        ):
            last["stop"], last["n"] = row["hour"] + 1, last["n"] + row["n"]
        else:
            merged.append({**row, "stop": row["hour"] + 1})
    merged.sort(key=lambda r: (-r["n"] / r["usual"], r["source_id"], r["artifact"], r["hour"]))
    out = []
    for row in merged[:limit]:
        start, end = row["hour"] * HOUR, row["stop"] * HOUR
        examples = store.query(
            f"SELECT record_id, path FROM {store.relation([row['artifact']], row['source_id'])} "
            f"WHERE instant >= {start} AND instant < {end} ORDER BY instant, path, ordinal, record_id LIMIT {EXAMPLES}"
        )
        ids, paths = (tuple(e[name] for e in examples) for name in ("record_id", "path"))
        out.append(Burst(row["source_id"], row["artifact"], start, end, row["n"], float(row["usual"]), ids, paths))
    return out


def gaps(store: RecordStore, source_id: str | None, least: float, limit: int) -> list[Gap]:
    """Silences of `least` hours or more, with DENSE hours of records or more among the AROUND hours on either side.

    First those of all logs of a source together, then those of one kind while others went on; the longest first.
    """
    recorders = timing()["recorders"]
    relation = store.relation(recorders, source_id)
    out: list[Gap] = []
    for kind in ("''", "artifact"):
        hours = (
            f"SELECT source_id, {kind} AS artifact, instant // {HOUR} AS hour, min(instant) AS first, max(instant) AS last "
            f"FROM {relation} WHERE instant IS NOT NULL GROUP BY ALL"
        )
        beside = "lead(first) OVER kind AS next, lead(hour) OVER kind AS following"
        silent = (
            f"SELECT *, count(*) OVER (kind RANGE BETWEEN {AROUND - 1} PRECEDING AND CURRENT ROW) AS before, {beside} "
            f"FROM ({hours}) WINDOW kind AS (PARTITION BY source_id, artifact ORDER BY hour)"
        )
        after = (
            f"SELECT source_id, artifact, hour, count(*) OVER (PARTITION BY source_id, artifact ORDER BY hour "
            f"RANGE BETWEEN CURRENT ROW AND {AROUND - 1} FOLLOWING) AS n FROM ({hours})"
        )
        rows = store.query(
            f"SELECT s.source_id, s.artifact, s.last, s.next FROM ({silent}) s JOIN ({after}) a "
            f"ON a.source_id = s.source_id AND a.artifact = s.artifact AND a.hour = s.following "
            f"WHERE s.next - s.last >= {round(least * HOUR)} AND s.before >= {DENSE} AND a.n >= {DENSE} "
            f"ORDER BY s.next - s.last DESC, s.source_id, s.artifact, s.last LIMIT {limit}"
        )
        for row in rows:
            start, end = int(row["last"]), int(row["next"])
            if row["artifact"] and any(
                g.source_id == row["source_id"] and g.start <= end and start <= g.end for g in out if not g.artifact
            ):
                continue  # all were silent then
            among = [row["artifact"]] if row["artifact"] else recorders
            ends = [_at(store, row["source_id"], among, t) for t in (start, end)]
            out.append(
                Gap(
                    row["source_id"],
                    row["artifact"],
                    start,
                    end,
                    tuple(record for record, _ in ends),
                    tuple(path for _, path in ends),
                    tuple(_numbers(store, row["source_id"], row["artifact"], start, end)),
                )
            )
    return out[:limit]


def _at(store: RecordStore, source_id: str, artifacts: list[str], instant: int) -> tuple[str, str]:
    """The first record of that very instant, and its path."""
    found = store.query(
        f"SELECT record_id, path FROM {store.relation(artifacts, source_id)} WHERE instant = {instant} "
        f"ORDER BY artifact, path, ordinal, record_id LIMIT 1"
    )
    return str(found[0]["record_id"]), str(found[0]["path"])


def _numbers(store: RecordStore, source_id: str, artifact: str, start: int, end: int) -> list[tuple[str, int, int]]:
    """Of each numbered log, the last number before a gap and the first after it."""
    out = []
    for spec in timing()["ordered"]:
        name, number = spec["artifact"], number_of(spec.get("number"))
        if not spec.get("by_one") or artifact not in ("", name) or not store.chosen([name], source_id):
            continue
        rows = store.query(
            f"SELECT path, max({number}) FILTER (instant <= {start}) AS last, min({number}) FILTER (instant >= {end}) AS next "
            f"FROM {store.relation([name], source_id)} WHERE state = 'live' GROUP BY path ORDER BY path"
        )
        out += [(r["path"], int(r["last"]), int(r["next"])) for r in rows if None not in (r["last"], r["next"])]
    return [(path, last, first) for path, last, first in out if first > last]


def crossed(gap: Gap, some: list[Change]) -> list[Change]:
    """The changes of a clock that put a gap there: it was set forward, and what lies between was never shown."""
    return [c for c in some if c.source_id == gap.source_id and c.shift > 0 and c.old <= gap.end and c.new >= gap.start]
