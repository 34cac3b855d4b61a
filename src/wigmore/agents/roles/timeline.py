"""The timeline role: what is wrong with a source's clocks, and the order of observations in time where clocks allow one."""

from __future__ import annotations

from functools import partial
from itertools import groupby, pairwise
from typing import Any

from wigmore.agents.desk import Desk, role
from wigmore.agents.offline import present
from wigmore.agents.prompts import DISCIPLINE, READING
from wigmore.graph.proposals import CitedRecord, CitedResult, Proposal
from wigmore.ledger import Event
from wigmore.model.clocks import duration

Row = dict[str, Any]
CHANGE_FACTS = (
    "event_id", "provider", "times.PreviousTime", "times.OldTime", "times.NewTime", "ProcessName", "SubjectUserName",
    "computer", "event", "sequence_number", "usn", "record_id",
)  # fmt: skip
LARGEST = 3  # changes of one kind whose records are cited
LOGS, AHEAD = 2, 3  # logs that go back together, or records in one that lie ahead: enough where nothing states a change
MEANS = {
    "epoch_zero": "at the zero of a way to store times",
    "sentinel": "at a value that says never",
    "before_system": "from before the system that writes such records was released",
    "after_taking": "later than the evidence was taken",
}


@role(
    "timeline",
    goal="Say what is wrong with each source's clocks, and put observations of all sources in order.",
    tools=(
        *READING,
        "query_records",
        "find_clock_changes",
        "find_implausible_times",
        "list_observation_times",
        "list_sessions",
        "find_bursts",
        "find_gaps",
    ),
    mandatory=("add_temporal_edge",),
    proposes=("add_lead",),
    prompt=DISCIPLINE
    + """
Only known instants are ordered across sources. A local time of unknown zone stays local. Order inside one log is its record
number, not its clock. A changed clock says that a clock was changed: set-up, services and virtual machines do it too.
""",
)
def timeline(desk: Desk) -> None:
    """Of one source: propose its clock's changes and implausible times; of all: lay `before` and `overlaps`."""
    if desk.source_id:
        _clock_changes(desk)
        _implausible_times(desk)
    else:
        _order(desk)


def _clock_changes(desk: Desk) -> None:
    """One observation a host and direction, with the records of its largest changes."""
    call = desk.call("find_clock_changes")
    if call.invocation.status == "failed" and call.invocation.error:
        raise RuntimeError(f"clock changes could not be looked for: {call.invocation.error}")
    records = {r["record_id"]: r for r in call.rows if "record_id" in r}
    found = [(n, r) for n, r in enumerate(call.rows) if "change" in r and _told(r)]
    for (host, kind), rows in groupby(
        sorted(found, key=lambda f: (f[1]["host_id"], f[1]["change"], -abs(f[1]["shift_seconds"]), f[0])),
        key=lambda f: (f[1]["host_id"], f[1]["change"]),
    ):
        some = list(rows)
        cited = _cited(
            call.invocation.id, [i for _, r in some[:LARGEST] for i in r["record_ids"]], records, CHANGE_FACTS
        )
        number, largest = some[0]
        size = duration(round(abs(largest["shift_seconds"])) * 1_000_000)
        said = "as records of the change state" if largest["stated_by"] else "at least, by the order of its logs"
        by = f" The largest was made by {largest['program']}." if largest["program"] else ""
        count = "once, by" if len(some) == 1 else f"{len(some)} times, by up to"
        proposal = Proposal(
            source_id=desk.source_id,
            category="clock change",
            title=f"The clock of {host or 'the host'} was {kind}: {count} {size}",
            interpretation=f"{said.capitalize()}.{by} Around such a change, times say less than the order of records.",
            records=cited,
            results=tuple(CitedResult(call.invocation.id, number, name) for name in ("old_time", "new_time", "shift")),
            rule=f"clock.{kind.replace(' ', '_')}",
            caveat="Set-up, time services, resumed virtual machines, a second system and an empty battery change clocks too.",
            key=(host, kind),
            record_count=len(some),
        )
        desk.attempt(partial(desk.gateway.admit, proposal))


def _told(row: Row) -> bool:
    """Whether a change is more than one record that was dated by something else."""
    return bool(row["stated_by"]) or row["logs"] >= LOGS or row["records_ahead"] >= AHEAD


def _implausible_times(desk: Desk) -> None:
    """One observation a host and kind."""
    call = desk.call("find_implausible_times")
    if call.invocation.status == "failed" and call.invocation.error:
        raise RuntimeError(f"implausible times could not be looked for: {call.invocation.error}")
    records = {r["record_id"]: r for r in call.rows if "record_id" in r}
    for number, row in enumerate(call.rows):
        if "implausible" not in row:
            continue
        cited = tuple(
            CitedRecord(call.invocation.id, record, ("path",))  # not the time: it dates nothing
            for record in row["record_ids"]
            if record in records
        )
        host = f" of {row['host_id']}" if row["host_id"] else ""
        proposal = Proposal(
            source_id=desk.source_id,
            category="implausible time",
            title=f"{row['count']} times{host} stand {MEANS[row['implausible']]}",
            interpretation="These times date nothing; what else the records say is not touched by that.",
            records=cited,
            results=tuple(
                CitedResult(call.invocation.id, number, name) for name in ("count", "first", "last", "fields")
            ),
            rule=f"time.{row['implausible']}",
            caveat="Cleared fields, copied files and clocks that were not set yet leave such times as well.",
            key=(row["host_id"], row["implausible"]),
            record_count=row["count"],
        )
        desk.attempt(partial(desk.gateway.admit, proposal))


def _cited(invocation: str, ids: list[str], records: dict[str, Row], names: tuple[str, ...]) -> tuple[CitedRecord, ...]:
    """The records with those of the fields that each has, the time that dates it first."""
    out = []
    for name in dict.fromkeys(ids):
        row = records.get(name, {})
        dates = (f"times.{row['time_field']}",) if row.get("time_field") else ()
        if fields := present(row, (*dates, *names)):
            out.append(CitedRecord(invocation, name, fields))
    return tuple(out)


def _order(desk: Desk) -> None:
    """Between consecutive observations that bear on one hypothesis or share an entity; `after` would say `before` again."""
    call = desk.call("list_observation_times")
    if call.invocation.status == "failed":
        raise RuntimeError(f"the observations' times could not be read: {call.invocation.error}")
    times = {r["phenomenon_id"]: r for r in call.rows}
    _withdraw(desk, times)
    groups = [{e.phenomenon_id for e in desk.state.edges_to(h)} for h in sorted(desk.state.hypotheses)]
    groups += [{i.phenomenon_id for i in e.identifiers} for _, e in sorted(desk.state.entities.items())]
    for group in groups:
        chains: dict[tuple[str, ...], list[Row]] = {}
        for name in sorted(group & set(times)):
            row = times[name]
            chains.setdefault(_clock(row), []).append(row)
        for _, rows in sorted(chains.items()):
            rows.sort(key=_begun)
            for first, second in pairwise(rows):
                _relate(desk, first, second)


def _withdraw(desk: Desk, times: dict[str, Row]) -> None:
    """Take back the orders that the times, as clocks are stated now, no longer bear."""
    gone = []
    for edge in desk.state.temporal.values():
        pair = [times[name] for name in (edge.first, edge.second) if name in times]
        alike = len(pair) == 2 and _clock(pair[0]) == _clock(pair[1])
        if not alike or pair != sorted(pair, key=_begun) or edge.relation != _relation(*pair)[0]:
            gone.append(edge.id)
    if gone:
        desk.gateway.buffer.append(Event("temporal.withdrawn", {"id": desk.task_id, "edges": sorted(gone)}))


def _clock(row: Row) -> tuple[str, ...]:
    """What a time is comparable with: a clock of unknown zone with itself alone."""
    return () if row["zone"] == "Z" else (row["source_id"], row["owner"])


def _begun(row: Row) -> tuple[int, int, str]:
    return row["start"], row["end"], row["phenomenon_id"]


def _relation(first: Row, second: Row) -> tuple[str, int]:
    """`before` where the first ends before the second begins whatever precision and clocks allow, else `overlaps`; the error."""
    own = (first["source_id"], first["owner"]) == (second["source_id"], second["owner"])
    pair = (first, second)
    error = max(r["error_within"] for r in pair) if own else sum(r["error"] for r in pair)
    return "before" if first["end"] + error < second["start"] else "overlaps", error


def _relate(desk: Desk, first: Row, second: Row) -> None:
    relation, error = _relation(first, second)
    reason = "both times are known instants" if first["zone"] == "Z" else "local times of one clock, its zone unknown"
    if basis := "; ".join(dict.fromkeys(r["basis"] for r in (first, second) if r["basis"])):
        reason += f"; stated: {basis}"
    if error:
        reason += f"; changes of clocks leave up to {duration(error)} open"
    desk.gateway.order(first["phenomenon_id"], second["phenomenon_id"], relation, reason)
