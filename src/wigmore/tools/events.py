"""Event logs and logons."""

from __future__ import annotations

from collections.abc import Callable

from wigmore.registry import tool
from wigmore.tools.context import ToolContext, ToolOutput
from wigmore.tools.lookup import CannotLook, Kind, Row, all_of, answer, period, texts

EVENTS = Kind(("windows.eventlog", "windows.eventlog.legacy"))
LOGON_EVENTS = {
    "security": {
        4624,
        4625,
        4634,
        4647,
        4648,
        4672,
        4675,
        4768,
        4771,
        4776,
        4778,
        4779,
        4800,
        4801,
        528,
        529,
        530,
        531,
        532,
        533,
        534,
        535,
        536,
        537,
        538,
        539,
        540,
        551,
        552,
        672,
        675,
        680,
        682,
        683,
    },
    "microsoft-windows-security-auditing": {
        4624,
        4625,
        4634,
        4647,
        4648,
        4672,
        4675,
        4768,
        4771,
        4776,
        4778,
        4779,
        4800,
        4801,
    },
    "microsoft-windows-terminalservices-localsessionmanager": {21, 22, 23, 24, 25, 39, 40},
    "microsoft-windows-terminalservices-remoteconnectionmanager": {1149},
    "openssh": {4},
}  # Microsoft Learn, "Appendix L: Events to Monitor"; legacy ids: KB 299475
LOGON_LOGS = ("*security*.evt*", "*secevent*.evt", "*terminalservices*.evt*", "*openssh*.evt*")  # as Windows names them
UNIX_LOGONS = (
    "login",
    "logout",
    "failed login",
    "ssh_login",
    "session_opened",
    "session_closed",
    "authentication",
    "su_",
    "logged",
    "user_login",
    "user_auth",
    "booted",
    "shutdown",
)


@tool("query_events", domain="events")
def query_events(
    context: ToolContext,
    provider: str = "",
    event_id: int | None = None,
    channel: str = "",
    text: str = "",
    after: str = "",
    before: str = "",
    limit: int = 500,
) -> ToolOutput:
    """List events of Windows event logs by provider, id and channel (each whole, no case), by text and by time.

    An id means something only with its provider. `after`/`before` are ISO 8601, UTC; times are of the machine's clock.
    Within a log the order is that of record_id, whatever the times say. `event` is what Microsoft documents the event as. That
    an event is missing may be due to auditing that was off, a log that wrapped, or clearing (1102, 104).
    """
    try:
        where, parameters = period(after, before)
    except CannotLook as error:
        return ToolOutput.failed(str(error))
    conditions = [where] if where else []
    for name, value in (("provider", provider), ("channel", channel)):
        if value:
            conditions.append(f"lower(json_extract_string(data, '$.{name}')) = lower(?)")
            parameters.append(value)
    if event_id is not None:
        conditions.append("json_extract_string(data, '$.event_id') = ?")
        parameters.append(str(event_id))
    out = answer(
        context, [EVENTS], "event log", where=" AND ".join(conditions), parameters=parameters, text=text, limit=limit
    )
    if out.outcome == "empty" and (provider or channel):
        relation = context.store.relation(EVENTS.artifacts, context.source_id or None)
        for name, value in (("provider", provider), ("channel", channel)):
            known = context.store.query(
                f"SELECT DISTINCT json_extract_string(data, '$.{name}') AS name FROM {relation} ORDER BY 1"
            )
            names = [str(r["name"]) for r in known if r["name"]]
            if value and value.lower() not in [n.lower() for n in names]:
                near = [n for n in names if value.lower() in n.lower()] or names
                note = f"{out.note}. No event has {name} {value!r}; there are: {', '.join(near[:20])}"
                return ToolOutput("empty", (), note + (f" and {len(near) - 20} more" if len(near) > 20 else ""))
    return out


@tool("list_logons", domain="events")
def list_logons(
    context: ToolContext, account: str = "", after: str = "", before: str = "", limit: int = 500
) -> ToolOutput:
    """List logons, logoffs and failed attempts: Windows security and terminal services events, Linux login records and
    authentication logs.

    `account` keeps records naming that account as a whole value (no case); `after`/`before` are ISO 8601, UTC. The logon type
    tells the console from the network (`LogonType_text`, `logon_type_name`). Failed logons show attempts; a logon shows an
    account, not who used it.
    """
    try:
        where, parameters = period(after, before)
    except CannotLook as error:
        return ToolOutput.failed(str(error))
    named = _named(account)
    kinds = [
        Kind(EVENTS.artifacts, homes=LOGON_LOGS, keep=all_of(_is_logon, named)),
        Kind(
            ("linux.wtmp", "linux.btmp", "linux.utmp", "linux.lastlog", "macos.utmpx", "linux.audit"),
            keep=all_of(_is_unix_logon, named),
        ),
        Kind(
            ("linux.authlog",),
            homes=("var/log/*", "*/var/log/*", "*auth.log*", "*secure*"),
            keep=all_of(_is_unix_logon, named),
        ),
    ]
    return answer(context, kinds, "record of logons", where=where, parameters=parameters, limit=limit)


def _named(account: str) -> Callable[[Row], bool] | None:
    wanted = account.strip().lower()
    if not wanted:
        return None
    tail = "\\" + wanted
    return lambda row: any(leaf.lower() == wanted or leaf.lower().endswith(tail) for leaf in texts(row["data"]))


def _is_logon(row: Row) -> bool:
    data = row["data"]
    known = LOGON_EVENTS.get(str(data.get("provider", "")).lower())
    return known is not None and data.get("event_id") in known


def _is_unix_logon(row: Row) -> bool:
    if row["artifact"] in ("linux.btmp", "linux.lastlog"):
        return True
    event = str(row["data"].get("event") or row["data"].get("type_name") or "").lower()
    return any(mark in event for mark in UNIX_LOGONS) and event != "login prompt"
