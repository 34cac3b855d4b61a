"""Clock tools and the timeline role: five outcomes, citable rows, proposals, and an order only where clocks allow one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from record_builders import Made, store_maker
from wigmore.agents.roles.timeline import timeline
from wigmore.graph.state import GraphState
from wigmore.ledger import Event
from wigmore.model import times
from wigmore.model.clocks import read_intervals
from wigmore.model.nouns import Citation, Coverage, Edge, Hypothesis, Phenomenon, TemporalEdge, VerifiedFact
from wigmore.model.protocols import Record
from wigmore.model.times import Time, iso
from wigmore.records.store import RecordStore
from wigmore.tools.clocks import find_clock_changes, find_implausible_times, list_observation_times
from wigmore.tools.context import ToolContext, ToolOutput
from wigmore.tools.timeline import find_bursts, find_gaps, list_sessions

EVENTS = "windows.eventlog"
EVERY: tuple[Callable[..., ToolOutput], ...] = (
    find_clock_changes, find_implausible_times, list_sessions, find_bursts, find_gaps,
)  # fmt: skip


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Made]:
    yield from store_maker(tmp_path)


def context(store: RecordStore, *coverage: Coverage, source: str = "src-a", **more: Any) -> ToolContext:
    return ToolContext(
        source, store, more.pop("state", GraphState()), {}, lambda _: None, lambda: list(coverage), **more
    )  # type: ignore[arg-type,return-value]  # nothing is opened


def read(outcome: str, **more: Any) -> Coverage:
    return Coverage("src-a", "Security.evtx", EVENTS, f"{EVENTS}@1", outcome, **more)


def event(number: int, written: str, **data: Any) -> Record:
    stated = {n: iso(v) for n, v in data.items() if n.endswith("Time")}
    content = {"record_id": number, "event_id": 7, "provider": "P", "computer": "HOST", **data}
    return Record(content, {"time_created": iso(written), **stated}, "time_created", host_id="HOST")  # type: ignore[dict-item]  # all are times


def moved(make: Made) -> RecordStore:
    audit: dict[str, Any] = {
        "event_id": 4616,
        "provider": "Microsoft-Windows-Security-Auditing",
        "ProcessName": "C:\\a\\b.exe",
    }
    return make(
        [
            event(1, "2026-03-01T10:00:00Z"),
            event(
                2, "2026-03-01T12:00:00Z", PreviousTime="2026-03-01T10:05:00Z", NewTime="2026-03-01T12:00:00Z", **audit
            ),
            event(3, "2026-03-01T12:10:00Z"),
        ],
        artifact=EVENTS,
        path="Security.evtx",
    )


# outcomes --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", EVERY, ids=lambda t: t.__name__)
def test_nothing_is_said_to_be_absent_that_could_not_be_looked_at(tool: Callable[..., ToolOutput], make: Made) -> None:
    store = make([event(1, "2026-03-01T10:00:00Z")], artifact=EVENTS, source="src-b")
    assert tool(context(store)).outcome == "not_applicable"
    assert tool(context(store, read("failed", reason="torn"))).outcome == "failed"
    looked = tool(context(store, read("found"), read("found", complete=False, reason="cut off")))
    assert looked.outcome == "empty" and "cut off" in looked.note


def test_a_change_is_found_with_its_records_and_an_interval_to_state(make: Made) -> None:
    out = find_clock_changes(context(moved(make), read("found")))
    change, proposal, *records = out.rows
    assert out.outcome == "found" and (change["change"], change["shift"], change["program"]) == (
        "set forward",
        "PT1H55M",
        "b.exe",
    )
    assert change["old_time"] == "2026-03-01T10:05:00Z" and not change["at_least"]
    assert [r["record_id"] for r in records] == change["record_ids"] and records[0]["times"]["NewTime"]["raw"]
    assert proposal["ahead"] == "-PT1H55M" and proposal["from"] == "2026-03-01T10:00:00Z"
    assert find_clock_changes(context(moved(make), read("found")), tolerance_seconds=7200).outcome == "empty"


def test_a_source_is_looked_at_alone(make: Made) -> None:
    moved(make)
    other = make([event(1, "2026-03-01T10:00:00Z")], artifact=EVENTS, source="src-b")
    assert find_clock_changes(context(other, read("found"), source="src-b")).outcome == "not_applicable"
    assert find_clock_changes(context(other, read("found"), source="")).outcome == "found"


def test_times_after_the_taking_say_what_they_were_held_against(make: Made) -> None:
    store = make([event(1, "2027-01-01T00:00:00Z"), event(2, "1970-01-01T00:00:00Z")], artifact=EVENTS)
    taken = {"src-a": (int(iso("2026-06-01T00:00:00Z")["instant"]), "the acquisition")}  # type: ignore[index]  # a time
    rows = find_implausible_times(context(store, read("found"), taken=lambda: taken)).rows
    assert [(r["implausible"], r["count"], r.get("bound")) for r in rows if "implausible" in r] == [
        ("after_taking", 1, "the acquisition"),
        ("epoch_zero", 1, None),
    ]
    assert {r["record_id"] for r in rows if "record_id" in r} == {i for r in rows for i in r.get("record_ids", ())}


# the order of observations -----------------------------------------------------------------------------------------------


def graph(store: RecordStore, *, bears: bool = True) -> GraphState:
    """A phenomenon for each record of the store, all bearing on one hypothesis."""
    state = GraphState()
    state.apply(Event("hypothesis", Hypothesis("h", "h", "").to_dict()))
    for row in store.records():
        name = f"ph-{row['data']['n']}"
        field = f"times.{row['time_field']}"
        citation = Citation("field", "inv", "0" * 64, row["record_id"], field)
        fact = VerifiedFact(f"f-{name}", field, row["time"]["text"], citation, row["artifact"], row["path"], {})
        made = Phenomenon(name, row["source_id"], "a", "c", name, (fact,), "", "", row["time"]["text"])
        state.apply(Event("phenomenon", made.to_dict()))
        if bears:
            edge = Edge(f"e-{name}", name, "h", "supports", proposition="RAN", source_id=row["source_id"])
            state.apply(Event("edge", edge.to_dict()))
    return state


def order(store: RecordStore, state: GraphState | None = None, **more: Any) -> list[tuple[str, str, str]]:
    """What the role lays."""
    known = state or graph(store)
    laid: list[tuple[str, str, str]] = []
    rows = list_observation_times(context(store, source="", state=known, **more)).rows
    call = SimpleNamespace(rows=rows, invocation=SimpleNamespace(status="found"))

    def lay(first: str, second: str, relation: str, reason: str) -> None:
        laid.append((first, second, relation))
        known.apply(Event("temporal", TemporalEdge(f"{first} {second} {relation}", first, second, relation).to_dict()))

    gateway = SimpleNamespace(order=lay, buffer=[])
    timeline(SimpleNamespace(source_id="", task_id="t", call=lambda tool: call, state=known, gateway=gateway))  # type: ignore[arg-type]  # as much of a desk as it needs
    known.fold(gateway.buffer)
    return [(a.removeprefix("ph-"), b.removeprefix("ph-"), r) for a, b, r in laid]


def seen(n: int, time: Time | None) -> Record:
    assert time is not None
    return Record({"n": n}, {"at": time}, "at")


def test_consecutive_observations_are_ordered_where_precision_allows(make: Made) -> None:
    rows = [("1", "10:00:00Z"), ("2", "10:00:01Z"), ("3", "10:00:01.5Z"), ("4", "10:00:03Z")]
    store = make([seen(int(n), iso(f"2026-03-01T{t}")) for n, t in rows])
    # a second's precision reaches to the next second; a tenth's does not
    assert order(store) == [("1", "2", "overlaps"), ("2", "3", "overlaps"), ("3", "4", "before")]


def test_two_seconds_of_fat_overlap_the_second_after_them(make: Made) -> None:
    coarse = {**(iso("2026-03-01T10:00:00Z") or {}), "precision": 2.0}
    store = make([seen(1, coarse), seen(2, iso("2026-03-01T10:00:01Z")), seen(3, iso("2026-03-01T10:00:09Z"))])
    assert order(store) == [("1", "2", "overlaps"), ("2", "3", "before")]


def test_times_of_unknown_zone_are_ordered_within_their_source_and_clock_alone(make: Made) -> None:
    camera = iso("2026-03-01T09:00:00", "camera")
    make([seen(1, iso("2026-03-01T10:00:00")), seen(2, iso("2026-03-01T09:30:00")), seen(3, camera)])
    store = make([seen(4, iso("2026-03-01T11:00:00")), seen(5, iso("2026-03-01T09:00:00Z"))], source="src-b")
    assert order(store) == [("2", "1", "before")]
    assert order(store, graph(store, bears=False)) == []


def test_a_stated_offset_orders_across_sources(make: Made) -> None:
    make([seen(1, iso("2026-03-01T10:00:00Z"))])
    store = make([seen(2, iso("2026-03-01T09:59:00Z"))], source="src-b")
    assert order(store) == [("2", "1", "before")]
    stated = read_intervals([{"ahead": "PT5M", "basis": "NTP"}])
    assert order(store, clocks={"src-a": stated}) == [("1", "2", "before")]
    served = make([seen(3, iso("2026-03-01T09:58:00Z", "server"))], source="src-c")
    assert ("3", "2", "before") in order(served, clocks={"src-c": stated})  # another's clock is not corrected


def test_an_order_that_the_clocks_no_longer_bear_is_withdrawn(make: Made) -> None:
    make([seen(1, iso("2026-03-01T10:00:00Z")), seen(3, iso("2026-03-01T11:00:00Z"))])
    store = make([seen(2, iso("2026-03-01T09:59:00Z"))], source="src-b")
    known = graph(store)
    assert order(store, known) == [("2", "1", "before"), ("1", "3", "before")]
    order(store, known, clocks={"src-a": read_intervals([{"ahead": "PT5M", "basis": "NTP"}])})
    held = sorted((e.first, e.second, e.relation) for e in known.temporal.values())
    assert held == [("ph-1", "ph-2", "before"), ("ph-1", "ph-3", "before"), ("ph-2", "ph-3", "before")]


def test_a_changed_clock_leaves_the_order_against_others_open(make: Made) -> None:
    moved(make)
    make([seen(1, times.posix(1_772_359_200)), seen(2, times.posix(1_772_360_000))])  # 10:00, 10:13: before the change
    store = make([seen(3, times.posix(1_772_360_400))], source="src-b")
    known = graph_of(store)
    laid = order(store, known)
    assert laid == [("1", "2", "before"), ("2", "3", "overlaps")]  # nearly two hours are open against the other clock


def graph_of(store: RecordStore) -> GraphState:
    """As `graph`, without the log that shows the change."""
    kept = store.parts
    store.show(p for p in kept if p.artifact != EVENTS)
    state = graph(store)
    store.show(kept)
    return state
