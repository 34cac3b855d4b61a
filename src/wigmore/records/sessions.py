"""Sessions: what was begun and ended under one name in one log: logons by logon id, runs of the system, unlocked screens.

Sources: Microsoft, "Audit logon events" (4624, 4634, 4647, 4608, 4800, 4801), Kernel-General 12 and 13, EventLog 6005 and
6006, TerminalServices-LocalSessionManager 21 and 23; utmp(5); AOSP, UsageEvents.Event; KnowledgeC's stream /device/isLocked
as public research describes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wigmore.records.store import RecordStore

OPEN = 100_000  # sessions held open at a time; the oldest is given up first
WINDOWS, LOGINS = "windows.eventlog", ("linux.wtmp", "macos.utmpx")
ANDROID, APPLE = "android.usage_event", "ios.knowledgec"
ARTIFACTS = (WINDOWS, *LOGINS, ANDROID, APPLE)
KINDS = ("run", "logon", "unlocked")
AUDIT = "Microsoft-Windows-Security-Auditing"
TERMINAL = "Microsoft-Windows-TerminalServices-LocalSessionManager"
_ACTS = (  # provider, event id, kind, act, what names the session
    (AUDIT, 4608, "", "restart", "''"),
    (AUDIT, 4624, "logon", "start", "f[4]"),
    (AUDIT, 4634, "logon", "end", "f[4]"),
    (AUDIT, 4647, "logon", "end", "f[4]"),
    (AUDIT, 4801, "unlocked", "start", "f[4]"),
    (AUDIT, 4800, "unlocked", "end", "f[4]"),
    (TERMINAL, 21, "logon", "start", "'session ' || f[9]"),
    (TERMINAL, 23, "logon", "end", "'session ' || f[9]"),
    ("Microsoft-Windows-Kernel-General", 12, "run", "start", "''"),
    ("Microsoft-Windows-Kernel-General", 13, "run", "end", "''"),
    ("EventLog", 6005, "run", "start again", "''"),
    ("EventLog", 6006, "run", "end", "''"),
)


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


def sessions(store: RecordStore, source_id: str | None) -> Iterator[Session]:
    """The sessions of a source (or all) by log, in the order in which they ended; memory is bounded by those open."""
    for rows in (_windows(store, source_id), _logins(store, source_id), _android(store, source_id)):
        yield from _paired(rows)
    yield from _apple(store, source_id)


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


def _windows(store: RecordStore, source_id: str | None) -> Iterator[dict[str, Any]]:
    if not store.chosen([WINDOWS], source_id):
        return
    fields = (
        "['$.provider', '$.event_id', '$.LogonType', '$.TargetLogonId', '$.TargetUserName', '$.TargetDomainName', "
        "'$.IpAddress', '$.logon_type_name', '$.SessionID', '$.User', '$.Address']"
    )
    ids = sorted({str(number) for _, number, *_ in _ACTS})
    held = (
        "SELECT source_id, host_id, path, record_id, instant, time_text, ordinal, "
        f"CAST(json_extract(data, '$.record_id') AS BIGINT) AS number, json_extract_string(data, {fields}) AS f "
        f"FROM {store.relation([WINDOWS], source_id)} WHERE state = 'live' "
        f"AND regexp_matches(data, '\"event_id\":({'|'.join(ids)}),')"
    )
    which = [f"f[1] = '{provider}' AND f[2] = '{number}'" for provider, number, *_ in _ACTS]

    def chosen(part: int) -> str:
        said = (act[part] if part == 4 else f"'{act[part]}'" for act in _ACTS)
        return "CASE " + " ".join(f"WHEN {w} THEN {s}" for w, s in zip(which, said, strict=True)) + " END"

    service = f"f[1] = '{AUDIT}' AND f[2] = '4624' AND f[3] IN ('0', '5')"  # the system's own
    yield from store.stream(
        f"SELECT *, coalesce(nullif(concat_ws('\\', f[6], f[5]), ''), f[10]) AS account, "
        f"coalesce(f[8], f[3]) AS how, nullif(coalesce(f[7], f[11]), '-') AS origin FROM "
        f"(SELECT *, {chosen(2)} AS kind, {chosen(3)} AS act, {chosen(4)} AS name FROM ({held}) "
        f"WHERE ({' OR '.join(f'({w})' for w in which)}) AND NOT ({service})) WHERE name IS NOT NULL "
        f"ORDER BY source_id, host_id, path, number, ordinal"
    )


def _logins(store: RecordStore, source_id: str | None) -> Iterator[dict[str, Any]]:
    event, user = (f"json_extract_string(data, '$.{name}')" for name in ("event", "user"))
    down = f"({event} = 'shut down' OR ({event} = 'run level changed' AND {user} = 'shutdown'))"
    yield from store.stream(
        f"SELECT source_id, host_id, path, record_id, instant, time_text, {user} AS account, '' AS how, "
        f"CASE WHEN {event} IN ('login', 'logout') THEN 'logon' ELSE 'run' END AS kind, "
        f"CASE WHEN {event} IN ('login', 'booted') THEN 'start' ELSE 'end' END AS act, "
        f"CASE WHEN {event} IN ('login', 'logout') THEN json_extract_string(data, '$.terminal') ELSE '' END AS name, "
        f"json_extract_string(data, '$.host') AS origin FROM {store.relation(LOGINS, source_id)} "
        f"WHERE {event} IN ('login', 'logout', 'booted') OR {down} ORDER BY source_id, host_id, path, ordinal"
    )


def _android(store: RecordStore, source_id: str | None) -> Iterator[dict[str, Any]]:
    kind = "json_extract_string(data, '$.type')"
    yield from store.stream(
        f"SELECT source_id, host_id, '' AS path, record_id, instant, time_text, '' AS name, '' AS account, '' AS how, "
        f"'' AS origin, CASE WHEN {kind} IN ('17', '18') THEN 'unlocked' ELSE 'run' END AS kind, "
        f"CASE WHEN {kind} IN ('18', '27') THEN 'start' ELSE 'end' END AS act "
        f"FROM {store.relation([ANDROID], source_id)} WHERE {kind} IN ('17', '18', '26', '27') "
        f"ORDER BY source_id, host_id, instant NULLS FIRST, ordinal, record_id"
    )


def _apple(store: RecordStore, source_id: str | None) -> Iterator[Session]:
    """One record an unlocked stretch, with both its times."""
    start, end = (f"json_extract_string(times, '$.{name}.text')" for name in ("ZSTARTDATE", "ZENDDATE"))
    instants = (f"CAST(json_extract(times, '$.{name}.instant') AS BIGINT)" for name in ("ZENDDATE", "ZSTARTDATE"))
    for row in store.stream(
        f"SELECT source_id, host_id, path, record_id, {start} AS start, {end} AS stop, {' - '.join(instants)} AS span "
        f"FROM {store.relation([APPLE], source_id)} WHERE json_extract_string(data, '$.ZSTREAMNAME') = '/device/isLocked' "
        f"AND json_extract_string(data, '$.ZVALUEINTEGER') = '0' ORDER BY source_id, host_id, path, ordinal"
    ):
        yield Session(
            "unlocked",
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
