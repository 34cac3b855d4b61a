"""Sessions: what was begun and ended under one name in one log: logons by logon id, runs of the system, unlocked screens.

Which records begin and end them stands in `rules/clocks.yaml`, with sources.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from wigmore.records.compiler import json_path
from wigmore.records.store import RecordStore, quoted
from wigmore.records.timing import Spec, holds, instant_of, number_of, text_of, timing, unless

OPEN = 100_000  # sessions held open at a time; the oldest is given up first
KINDS = ("run", "logon", "unlocked")


@dataclass(frozen=True)
class Session:
    """One session: its beginning and end as stored (None: not in the log), and how it ended.

    `ended`: `recorded`, `restart` (the log shows a new start before an end), `not recorded`.
    """

    kind: str
    source_id: str
    host_id: str
    path: str
    name: str
    start: str | None
    end: str | None
    seconds: float | None
    ended: str
    account: str
    how: str
    origin: str
    record_ids: tuple[str, ...]


def kept_in() -> list[str]:
    """The artifacts that hold sessions."""
    known = timing()
    named = [a for spec in known["sessions"] for a in spec["artifacts"]]
    return list(dict.fromkeys([*named, *(s["artifact"] for s in known["whole_sessions"])]))


def sessions(store: RecordStore, source_id: str | None) -> Iterator[Session]:
    """The sessions of a source (or all) by log, in the order in which they ended; memory is bounded by those open."""
    for spec in timing()["sessions"]:
        if store.chosen(spec["artifacts"], source_id):
            yield from _paired(_acts(store, source_id, spec))
    for spec in timing()["whole_sessions"]:
        if store.chosen([spec["artifact"]], source_id):
            yield from _whole(store, source_id, spec)


def _paired(rows: Iterator[dict[str, Any]]) -> Iterator[Session]:
    """Beginnings and ends put together, in the order of the log; its time does not matter."""
    log: tuple[str, ...] | None = None
    begun: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        here = (row["source_id"], row["host_id"], row["path"])
        if here != log:
            yield from (_session(first, None, "not recorded") for first in begun.values())
            begun, log = {}, here
        kind, act, key = row["kind"], row["act"], (row["kind"], row["name"])
        if act == "restart" or (act == "start" and kind == "run"):
            yield from (_session(first, None, "restart") for first in begun.values())
            begun.clear()
        if act == "start" or (act == "start again" and key not in begun):
            if key in begun:
                yield _session(begun.pop(key), None, "not recorded")
            if len(begun) >= OPEN:
                yield _session(begun.pop(next(iter(begun))), None, "not recorded")
            begun[key] = row
        elif act == "end" and key in begun:
            yield _session(begun.pop(key), row, "recorded")
        elif act == "end" and kind == "logon":
            yield _session(None, row, "recorded")
    yield from (_session(first, None, "not recorded") for first in begun.values())


def _session(first: dict[str, Any] | None, last: dict[str, Any] | None, ended: str) -> Session:
    about = first or last
    assert about is not None
    known = first is not None and last is not None and None not in (first["instant"], last["instant"])
    return Session(
        about["kind"],
        about["source_id"],
        about["host_id"],
        about["path"],
        about["name"],
        first["time_text"] if first else None,
        last["time_text"] if last else None,
        (last["instant"] - first["instant"]) / 1_000_000 if known and first and last else None,
        ended,
        about["account"] or "",
        about["how"] or "",
        about["origin"] or "",
        tuple(r["record_id"] for r in (first, last) if r),
    )


def _acts(store: RecordStore, source_id: str | None, spec: Spec) -> Iterator[dict[str, Any]]:
    """What begins and ends sessions, log by log, in the order of writing."""
    which = [f"({holds(act['where'])}{unless(act.get('unless'))})" for act in spec["acts"]]

    def chosen(values: Iterable[str]) -> str:
        return "CASE " + " ".join(f"WHEN {w} THEN {v}" for w, v in zip(which, values, strict=True)) + " END"

    def first(names: Iterable[str]) -> str:
        given = [f"nullif({text_of(n)}, '-')" for n in names]
        return f"coalesce({', '.join([*given, quoted('')])})"

    named = f"nullif(concat_ws('\\', {', '.join(text_of(n) for n in spec.get('account', ())) or 'NULL'}), '')"
    account = f"coalesce({named}, {text_of(spec['or_account']) if 'or_account' in spec else 'NULL'}, '')"
    order = "instant NULLS FIRST, ordinal" if spec.get("by_time") else f"{number_of(spec.get('number'))}, ordinal"
    path = "''" if spec.get("by_time") else "path"
    yield from store.stream(
        f"SELECT * EXCLUDE (o) FROM (SELECT source_id, host_id, {path} AS path, record_id, instant, time_text, "
        f"{account} AS account, {first(spec.get('how', ()))} AS how, {first(spec.get('origin', ()))} AS origin, "
        f"{chosen(quoted(act.get('kind', '')) for act in spec['acts'])} AS kind, "
        f"{chosen(quoted(act['act']) for act in spec['acts'])} AS act, "
        f"coalesce({chosen(text_of(a['name']) if 'name' in a else 'NULL' for a in spec['acts'])}, '') AS name, "
        f"row_number() OVER (ORDER BY source_id, host_id, {path}, {order}, record_id) AS o "
        f"FROM {store.relation(spec['artifacts'], source_id)} WHERE state = 'live' AND ({' OR '.join(which)})) ORDER BY o"
    )


def _whole(store: RecordStore, source_id: str | None, spec: Spec) -> Iterator[Session]:
    """Records that hold a whole session, with both its times."""
    start, end = (f"json_extract_string(times, {quoted(json_path(spec[n]) + '.text')})" for n in ("start", "end"))
    for row in store.stream(
        f"SELECT source_id, host_id, path, record_id, {start} AS start, {end} AS stop, "
        f"{instant_of(spec['end'])} - {instant_of(spec['start'])} AS span "
        f"FROM {store.relation([spec['artifact']], source_id)} WHERE state = 'live' AND {holds(spec['where'])} "
        f"ORDER BY source_id, host_id, path, ordinal, record_id"
    ):
        yield Session(
            spec["kind"],
            row["source_id"],
            row["host_id"],
            row["path"],
            "",
            row["start"],
            row["stop"],
            row["span"] / 1_000_000 if row["span"] is not None else None,
            "recorded" if row["stop"] else "not recorded",
            "",
            "",
            "",
            (row["record_id"],),
        )
