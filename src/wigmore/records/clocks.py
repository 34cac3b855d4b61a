"""What the records say of the clock that dated them: changes of it that are stated or that a log's order shows.

A log numbers its records as they are written, and so the numbers survive a moved clock (a file is a log: one channel, one
journal). Where the time goes back between two numbers by more than the tolerance, the clock was set back, or the later record
was dated by another; where it goes forward, only a record of the change, or a second clock beside the first (the journal's
monotonic one), tells that from a pause. Which records these are stands in `rules/clocks.yaml`, with sources.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from wigmore.model.clocks import END, Interval
from wigmore.records.store import RecordStore, quoted
from wigmore.records.timing import holds, instant_of, number_of, text_of, timing, unless

MOST = 2000  # changes of one kind that are taken in
SAME = 2_000_000  # µs within which two records state one change
AHEAD = 20  # records before a step back that are compared with what follows it
EXAMPLES = 6


@dataclass
class Change:
    """The clock of a host went from `old` to `new` (µs by the stored times) at one moment.

    `stated`: what says so; empty where only the order of records shows it, and then the change was at least this large.
    `ahead`: how many records in a row before it carry a time later than the first after it, where that was counted.
    """

    source_id: str
    host_id: str
    old: int
    new: int
    stated: set[str] = field(default_factory=set)
    by: str = ""
    account: str = ""
    numbers: dict[str, int] = field(default_factory=dict)  # log → number of the record after it
    record_ids: list[str] = field(default_factory=list)
    ahead: int = 0

    @property
    def shift(self) -> int:
        """By how much, in µs; negative where it was set back."""
        return self.new - self.old


def changes(store: RecordStore, source_id: str | None, tolerance: int) -> list[Change]:
    """The changes of at least `tolerance` µs in one source (or all), by source, host and order of happening."""
    return store.derived(("changes", source_id, tolerance), lambda _: _changes(store, source_id, tolerance))


def _changes(store: RecordStore, source_id: str | None, tolerance: int) -> list[Change]:
    found: dict[tuple[str, str], list[Change]] = {}
    for change in (*_stated(store, source_id, tolerance), *_monotonic(store, source_id, tolerance)):
        mine = found.setdefault((change.source_id, change.host_id), [])
        twin = next((c for c in mine if abs(c.old - change.old) <= SAME and abs(c.new - change.new) <= SAME), None)
        if twin is None:
            mine.append(change)
        else:
            _join(twin, change)
    for step in _back(store, source_id, tolerance):
        mine = found.setdefault((step.source_id, step.host_id), [])
        # the log went on from somewhere after the new time, and had stopped somewhere before the old one
        known = next((c for c in mine if c.shift < 0 and step.new < c.old + SAME and step.old > c.new - SAME), None)
        if known is None:
            mine.append(step)
            continue
        if not known.stated:
            known.old, known.new = max(known.old, step.old), min(known.new, step.new)
            if step.old - step.new > -known.shift:
                known.old, known.new = step.old, step.new
        _join(known, step)
    return [c for key in sorted(found) for c in _in_order(found[key])]


def _join(known: Change, other: Change) -> None:
    known.stated |= other.stated
    known.by, known.account = known.by or other.by, known.account or other.account
    for log, number in other.numbers.items():
        known.numbers.setdefault(log, number)
    known.record_ids += [i for i in other.record_ids if i not in known.record_ids][: EXAMPLES - len(known.record_ids)]
    known.ahead = max(known.ahead, other.ahead)


def _in_order(some: list[Change]) -> list[Change]:
    """By the numbers of a log that saw them all, else by the new time."""
    common = set.intersection(*(set(c.numbers) for c in some)) if some else set()
    log = min(common, default="")
    return sorted(some, key=lambda c: (c.numbers.get(log, 0), c.new, c.old, c.record_ids))


def _stated(store: RecordStore, source_id: str | None, tolerance: int) -> Iterator[Change]:
    """What records of changes say."""
    for spec in timing()["stated"]:
        old, new = instant_of(spec["old"]), instant_of(spec["new"])
        rows = (
            f"SELECT source_id, host_id, path, record_id, {old} AS old, {new} AS new, {number_of(spec['number'])} AS number, "
            f"{text_of(spec['program'])} AS program, {text_of(spec['account'])} AS account "
            f"FROM {store.relation([spec['artifact']], source_id)} WHERE {holds(spec['where'])}"
        )
        for row in store.query(
            f"SELECT * FROM ({rows}) WHERE abs(new - old) >= {tolerance} "
            f"ORDER BY source_id, path, number, record_id LIMIT {MOST}"
        ):
            program = str(row["program"] or "").rpartition("\\")[2]
            yield _change(row, {spec["said"]}, program, str(row["account"] or ""))
    for spec in timing()["stated_in_turn"]:
        event = text_of(spec["field"])
        rows = (
            f"SELECT source_id, host_id, path, record_id, ordinal AS number, instant AS new, {event} AS event, "
            f"lag(instant) OVER w AS old, lag({event}) OVER w AS before FROM {store.relation([spec['artifact']], source_id)} "
            f"WINDOW w AS (PARTITION BY source_id, path ORDER BY ordinal)"
        )
        for row in store.query(
            f"SELECT * FROM ({rows}) WHERE event = {quoted(spec['new'])} AND before = {quoted(spec['old'])} "
            f"AND abs(new - old) >= {tolerance} ORDER BY source_id, path, number LIMIT {MOST}"
        ):
            yield _change(row, {spec["said"]})


def _monotonic(store: RecordStore, source_id: str | None, tolerance: int) -> Iterator[Change]:
    """Where the clock moves against a second one that nothing sets, within one boot."""
    for spec in timing()["monotonic"]:
        ticks = spec["microseconds"]
        entries = (
            f"SELECT source_id, host_id, path, record_id, instant, {number_of(spec['number'])} AS number, "
            f"{text_of(spec['boot'])} AS boot, {number_of(ticks)} AS ticks "
            f"FROM {store.relation(spec['artifacts'], source_id)} "
            f"WHERE contains(data, {quoted(ticks)}) AND instant IS NOT NULL"
        )
        moved = (
            f"SELECT *, instant - ticks - lag(instant - ticks) OVER w AS moved FROM ({entries}) WHERE number IS NOT NULL "
            f"WINDOW w AS (PARTITION BY source_id, path, boot ORDER BY number, record_id)"
        )
        for row in store.query(
            f"SELECT *, instant AS new, instant - moved AS old FROM ({moved}) WHERE abs(moved) >= {tolerance} "
            f"ORDER BY source_id, path, number, record_id LIMIT {MOST}"
        ):
            yield _change(row, {spec["said"]})


def _back(store: RecordStore, source_id: str | None, tolerance: int) -> Iterator[Change]:
    """Where the time goes back inside one log and stays back."""
    for spec in timing()["ordered"]:
        if not store.chosen([spec["artifact"]], source_id):
            continue
        # records that are no longer in use belong to an earlier numbering
        rows = (
            f"SELECT source_id, host_id, path, record_id, instant, {number_of(spec.get('number'))} AS number FROM "
            f"{store.relation([spec['artifact']], source_id)} WHERE instant IS NOT NULL AND state = 'live'"
            f"{unless(spec.get('unless'))}"
        )
        beside = ", ".join(
            [
                "lag(instant) OVER w AS old",
                "lag(record_id) OVER w AS last_id",
                "lead(instant) OVER w AS next",
                "lead(instant, 2) OVER w AS second",
                f"array_agg(instant) OVER (w ROWS BETWEEN {AHEAD} PRECEDING AND 1 PRECEDING) AS preceding",
            ]
        )
        stays = " AND ".join(f"coalesce({name} < old - {tolerance}, true)" for name in ("next", "second"))
        for row in store.query(
            f"SELECT * FROM (SELECT *, {beside} FROM ({rows}) WHERE number IS NOT NULL "
            f"WINDOW w AS (PARTITION BY source_id, path, host_id ORDER BY number, instant, record_id)) "
            f"WHERE old - instant >= {tolerance} AND {stays} ORDER BY source_id, path, number, record_id LIMIT {MOST}"
        ):
            later = [t > row["instant"] for t in reversed(row["preceding"])]
            made = _change({**row, "new": row["instant"]}, set())
            made.ahead = later.index(False) if False in later else len(later)
            made.record_ids.insert(0, row["last_id"])
            yield made


def _change(row: dict[str, Any], stated: set[str], by: str = "", account: str = "") -> Change:
    return Change(
        row["source_id"],
        row["host_id"],
        int(row["old"]),
        int(row["new"]),
        stated,
        by,
        account,
        {} if row["number"] is None else {row["path"]: int(row["number"])},
        [row["record_id"]],
    )


def error_at(known: Iterable[Change], instant: int, across: bool) -> int:
    """How wrong a host-clock time may be for the changes of its clock, in µs.

    `across`: against other clocks; then every change after it counts, for which side of a change was right is not known.
    Within one clock, only what was set back makes the order uncertain, for times that occur twice.
    """
    total = 0
    for change in known:
        twice = change.shift < 0 and change.new <= instant <= change.old
        if twice or (across and instant <= max(change.old, change.new)):
            total += abs(change.shift)
    return total


def beginning(store: RecordStore, some: Sequence[Change]) -> int | None:
    """The earliest time before the first change in a log that saw it; None where that is the log's first record."""
    if not some or not some[0].numbers:
        return None
    log = min(some[0].numbers)
    for spec in timing()["ordered"]:
        if not store.chosen([spec["artifact"]], some[0].source_id):
            continue
        found = store.query(
            f"SELECT min(instant) AS first FROM {store.relation([spec['artifact']], some[0].source_id)} "
            f"WHERE path = ? AND host_id = ? AND state = 'live' AND {number_of(spec.get('number'))} < ?",
            [log, some[0].host_id, some[0].numbers[log]],
        )
        if found[0]["first"] is not None:
            return int(found[0]["first"])
    return None


def proposals(some: Sequence[Change], begins: int | None) -> list[Interval]:
    """Intervals for the case file from one host's stated changes in order of happening; `begins`: what precedes the first.

    The clock as it ran after the last change stands for right: only a comparison with a true clock can show that. Times
    that the clock showed twice cannot be told apart, and are cut out (`shown_twice`). None where a change is not stated.
    """
    if not some or not all(c.stated for c in some):
        return []
    ahead = [0]
    for change in reversed(some):
        ahead.insert(0, ahead[0] - change.shift)
    starts = [some[0].old + 1 if begins is None else begins, *(c.new for c in some)]
    stretches = list(zip(starts, [*(c.old for c in some), END], ahead, strict=True))
    out = []
    for number, (start, end, offset) in enumerate(stretches):
        free = [(start, end)] if offset else []
        for other, (first, last, _) in enumerate(stretches):
            if other != number and first <= last:
                free = [(a, b) for x, y in free for a, b in ((x, min(y, first - 1)), (max(x, last + 1), y)) if a <= b]
        basis = f"clock changes {number + 1} to {len(some)} in the records; the clock after the last taken as right"
        out += [Interval(a, b, offset, basis) for a, b in free if a <= b]
    return out


def shown_twice(some: Iterable[Change]) -> list[tuple[int, int]]:
    """The stretches of time (µs) that a clock showed twice, because it was set back."""
    return [(c.new, c.old) for c in some if c.shift < 0]
