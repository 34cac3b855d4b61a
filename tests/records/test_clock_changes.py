"""What records say of their clock: changes that are stated or that a log's order shows, and times that cannot be."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from record_builders import Made
from wigmore.model.clocks import read_intervals
from wigmore.model.protocols import Record
from wigmore.model.times import iso
from wigmore.records.clocks import Change, beginning, changes, error_at, proposals, shown_twice
from wigmore.records.density import bursts, crossed, gaps
from wigmore.records.implausible import Implausible, implausible
from wigmore.records.sessions import Session, sessions
from wigmore.records.store import RecordStore

EVENTS = "windows.eventlog"
AUDIT, KERNEL = "Microsoft-Windows-Security-Auditing", "Microsoft-Windows-Kernel-General"
MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000
START = datetime(2026, 3, 2, 8)


def text(minutes: float) -> str:
    return (START + timedelta(minutes=minutes)).isoformat(timespec="microseconds") + "Z"


def at(minutes: float) -> int:
    time = iso(text(minutes))
    assert time is not None
    return int(time["instant"])


def event(number: int, minutes: float, event_id: int = 7, provider: str = "P", **data: Any) -> Record:
    written = {name: iso(data[name]) for name in ("PreviousTime", "NewTime", "OldTime") if name in data}
    content = {"event_id": event_id, "provider": provider, "record_id": number, "channel": "System", **data}
    return Record(content, {"time_created": iso(text(minutes)), **written}, "time_created", host_id="HOST")  # type: ignore[dict-item]  # all are times


def changed(number: int, old: float, new: float, **data: Any) -> Record:
    """Event 4616, dated by the new time."""
    stated = {"PreviousTime": text(old), "NewTime": text(new)}
    return event(number, new, 4616, AUDIT, ProcessName="C:\\x\\tool.exe", SubjectUserName="anna", **stated, **data)


def log(minutes: Iterable[float], first: int = 1) -> list[Record]:
    return [event(first + n, m) for n, m in enumerate(minutes)]


def found(store: RecordStore, tolerance: int = MINUTE) -> list[Change]:
    return changes(store, "src-a", tolerance)


# changes ---------------------------------------------------------------------------------------------------------------


def test_a_stated_change_is_one_whatever_logs_state_it(make: Made) -> None:
    make([changed(5, 100, 40)], path="Security.evtx", artifact=EVENTS)
    kernel = event(9, 40, 1, KERNEL, OldTime=text(100), NewTime=text(40), ProcessName="\\Device\\x\\tool.exe")
    store = make([kernel], path="System.evtx", artifact=EVENTS)
    (change,) = found(store)
    assert (change.old, change.new, change.shift) == (at(100), at(40), -60 * MINUTE)
    assert change.stated == {"event 4616 of Security", "event 1 of Kernel-General"}
    assert (change.by, change.account, sorted(change.numbers)) == ("tool.exe", "anna", ["Security.evtx", "System.evtx"])
    assert len(change.record_ids) == 2


def test_small_steps_and_events_of_other_providers_are_no_changes(make: Made) -> None:
    other = event(3, 10, 1, "Other", OldTime=text(500), NewTime=text(10))
    store = make(
        [changed(1, 10, 10.5), other, event(4, 10, 4616, "Other", PreviousTime=text(0), NewTime=text(900))],
        artifact=EVENTS,
    )
    assert found(store) == []
    assert [c.shift for c in found(store, MINUTE // 2)] == [MINUTE // 2]


def test_order_inside_a_log_shows_a_clock_set_back(make: Made) -> None:
    store = make(log([0, 1, 2, 200, 201, 20, 21, 22, 300]), artifact=EVENTS, path="a.evtx")
    (change,) = found(store)
    assert (change.stated, change.old, change.new, change.ahead) == (set(), at(201), at(20), 2)
    assert change.numbers == {"a.evtx": 6} and len(change.record_ids) == 2


def test_the_order_is_that_of_numbers_not_of_places_in_the_file(make: Made) -> None:
    rows = log([0, 1, 2, 3, 4, 5])
    assert found(make([*rows[3:], *rows[:3]], artifact=EVENTS)) == []


def test_a_record_that_is_late_by_itself_is_no_change(make: Made) -> None:
    assert found(make(log([0, 1, 200, 2, 201, 202, 203]), artifact=EVENTS)) == []


def test_what_is_no_longer_in_use_and_what_others_sent_is_not_compared(make: Made) -> None:
    make([event(n, m, channel="ForwardedEvents") for n, m in enumerate([100, 101, 102, 1, 2, 3])], artifact=EVENTS)
    old = [Record(r.data, r.times, r.time_field, "unallocated", "HOST") for r in log([100, 101, 102])]
    assert found(make([*old, *log([1, 2, 3], 4)], path="b.evtx", artifact=EVENTS)) == []


def test_a_stated_change_explains_the_steps_back_of_other_logs(make: Made) -> None:
    make([event(1, 199), changed(2, 200, 20), event(3, 21)], path="Security.evtx", artifact=EVENTS)
    store = make(log([150, 190, 195, 30, 31, 32]), path="app.evtx", artifact=EVENTS)
    (change,) = found(store)
    assert change.stated and sorted(change.numbers) == ["Security.evtx", "app.evtx"]


def test_steps_back_of_several_logs_at_the_same_time_are_one_change(make: Made) -> None:
    make(log([150, 199, 200, 25, 26, 27]), path="a.evtx", artifact=EVENTS)
    store = make(log([150, 190, 195, 30, 31, 32]), path="b.evtx", artifact=EVENTS)
    (change,) = found(store)
    assert (change.old, change.new, len(change.numbers)) == (at(200), at(25), 2)


def test_the_journal_shows_changes_by_its_monotonic_clock_both_ways(make: Made) -> None:
    def entry(number: int, minutes: float, ticks: float, boot: str = "b") -> Record:
        data = {
            "sequence_number": number,
            "boot_id": boot,
            "monotonic_microseconds": int(ticks * MINUTE),
            "message": "m",
        }
        return Record(data, {"logged_at": iso(text(minutes))}, "logged_at")  # type: ignore[dict-item]  # a time

    rows = [
        entry(1, 0, 5),
        entry(2, 1, 6),
        entry(3, 62, 7),
        entry(4, 63, 8),
        entry(5, 13, 18),
        entry(6, 900, 1, "next"),
    ]
    assert [c.shift // MINUTE for c in found(make(rows, artifact="linux.journal"))] == [60, -60]


def test_login_records_state_a_change_in_two(make: Made) -> None:
    def login(kind: str, minutes: float) -> Record:
        return Record({"event": kind}, {"written_at": iso(text(minutes))}, "written_at")  # type: ignore[dict-item]  # a time

    rows = [login("login", 0), login("clock changed (old)", 5), login("clock changed (new)", 65), login("logout", 66)]
    (change,) = found(make(rows, artifact="linux.wtmp"))
    assert change.shift == 60 * MINUTE and change.stated == {"login records"}


# proposals and error -----------------------------------------------------------------------------------------------------


def moved(*steps: tuple[float, float]) -> list[Change]:
    return [Change("s", "h", at(a), at(b), {"x"}, numbers={"log": n}) for n, (a, b) in enumerate(steps)]


def test_intervals_are_proposed_from_changes_and_read_by_the_case_file() -> None:
    some = moved((100, 160), (300, 290), (400, 420))
    found = proposals(some, at(0))
    assert [(i.start, i.end, i.ahead // MINUTE) for i in found] == [
        (at(0), at(100), -70),  # 60 - 10 + 20 behind
        (at(160), at(290) - 1, -10),
        (at(300) + 1, at(400), -20),
    ]
    assert shown_twice(some) == [(at(290), at(300))]
    import yaml

    again = read_intervals([{k: str(v) for k, v in yaml.load(i.to_yaml(), yaml.BaseLoader).items()} for i in found])
    assert [(i.start, i.end, i.ahead) for i in again] == [(i.start, i.end, i.ahead) for i in found]


def test_nothing_is_proposed_from_an_order_alone() -> None:
    assert proposals([Change("s", "h", at(9), at(1))], at(0)) == []
    assert proposals([], None) == []


def test_the_time_before_the_first_change_is_bounded_by_what_its_log_holds(make: Made) -> None:
    store = make([event(1, 50), event(2, 60), changed(3, 100, 160)], artifact=EVENTS)
    some = found(store)
    assert beginning(store, some) == at(50)
    assert [i.start for i in proposals(some, beginning(store, some))] == [at(50)]
    assert proposals(some, None) == []


def test_a_time_is_as_uncertain_as_the_changes_after_it() -> None:
    some = moved((100, 160), (300, 290))
    assert error_at(some, at(50), across=True) == 70 * MINUTE and error_at(some, at(50), across=False) == 0
    assert error_at(some, at(295), across=False) == 10 * MINUTE  # shown twice
    assert error_at(some, at(301), across=True) == 0


# implausible times ------------------------------------------------------------------------------------------------------


def odd(store: RecordStore, **taken: str) -> dict[str, Implausible]:
    bounds = {f"src-{k}": (int(iso(v)["instant"]), "stated") for k, v in taken.items()}  # type: ignore[index]  # times
    return {i.kind: i for i in implausible(store, "src-a", bounds)}


def stamped(written: str, name: str = "at", owner: str = "host") -> Record:
    return Record({"n": 1}, {name: iso(written, owner)}, name, host_id="HOST")  # type: ignore[dict-item]  # a time


def test_implausible_times_are_one_finding_a_kind_with_counts_and_examples(make: Made) -> None:
    make([stamped("1970-01-01T00:00:00Z") for _ in range(40)], path="a")
    make(
        [
            stamped("1601-01-01T00:00:00.0000000Z", "never"),
            stamped("1980-01-01T00:00:00"),
            stamped("2001-01-01T01:00:00+01:00"),
        ]
    )
    store = make(
        [stamped("2038-01-19T03:14:07Z"), stamped("4001-01-01T00:00:00Z"), stamped("2026-01-01T00:00:00Z")], path="c"
    )
    got = odd(store)
    assert {k: (i.count, len(i.record_ids)) for k, i in got.items()} == {"epoch_zero": (43, 3), "sentinel": (2, 2)}
    assert (
        got["epoch_zero"].fields == (("app.log: at", 42), ("app.log: never", 1)) and got["epoch_zero"].host_id == "HOST"
    )
    assert got["epoch_zero"].first == "1601-01-01T00:00:00.0000000Z"


def test_near_a_zero_that_somebody_lived_through_only_its_midnights_count(make: Made) -> None:
    near = [
        "2001-01-01T09:12:33Z",
        "1980-01-01T08:07:00Z",
        "1970-01-03T00:00:00Z",
        "2038-01-19T03:14:08Z",
        "2001-01-02T00:00:00Z",
    ]
    assert odd(make([stamped(t) for t in near])) == {}


def test_records_from_before_their_writer_are_found(make: Made) -> None:
    make([stamped("2003-05-05T00:00:00Z"), stamped("2007-01-01T00:00:00Z")], artifact=EVENTS)
    make([stamped("2003-05-05T00:00:00Z")], artifact="windows.eventlog.legacy")
    make([stamped("1979-12-30T12:00:00Z", "created")], artifact="file_listing")
    store = make([stamped("1979-12-30T12:00:00Z", "created", "collector")], artifact="file_listing", path="c")
    assert odd(store)["before_system"].count == 2


def test_what_is_later_than_the_taking_is_found_unless_it_may_lie_ahead(make: Made) -> None:
    make(
        [
            stamped("2026-06-03T00:00:00Z"),
            stamped("2026-06-01T20:00:00Z"),
            stamped("2026-06-03T00:00:00Z", "at", "server"),
        ]
    )
    make([stamped("2030-01-01T00:00:00Z", "expires_at")], path="b")
    store = make([stamped("2030-01-01T00:00:00Z")], artifact="ios.calendar_event", path="c")
    assert {k: i.count for k, i in odd(store, a="2026-06-01T00:00:00Z").items()} == {"after_taking": 1}
    assert odd(store, b="2026-06-01T00:00:00Z") == {}


# sessions ---------------------------------------------------------------------------------------------------------------


def logon(number: int, minutes: float, event_id: int, name: str, **data: Any) -> Record:
    return event(
        number, minutes, event_id, AUDIT, TargetLogonId=name, TargetUserName="anna", TargetDomainName="D", **data
    )


def listed(store: RecordStore, kind: str = "logon") -> list[Session]:
    return [s for s in sessions(store, "src-a") if s.kind == kind]


def test_a_logon_is_paired_with_its_logoff_by_its_id_in_the_order_of_the_log(make: Made) -> None:
    rows = [
        logon(1, 0, 4624, "0x1", LogonType=2, logon_type_name="interactive", IpAddress="10.0.0.7"),
        logon(2, 1, 4624, "0x2", LogonType=3),
        logon(3, 2, 4624, "0x3", LogonType=5),  # a service
        logon(4, 30, 4647, "0x1"),
        logon(5, 31, 4634, "0x9"),
        event(6, 40, 4608, AUDIT),
        logon(7, 41, 4624, "0x4", LogonType=2),
    ]
    got = {s.name: s for s in listed(make(rows[::-1], artifact=EVENTS))}
    assert (got["0x1"].seconds, got["0x1"].ended, got["0x1"].account) == (1800.0, "recorded", "D\\anna")
    assert (got["0x1"].how, got["0x1"].origin, len(got["0x1"].record_ids)) == ("interactive", "10.0.0.7", 2)
    assert (got["0x2"].end, got["0x2"].ended) == (None, "restart")
    assert (got["0x4"].end, got["0x4"].ended) == (None, "not recorded")
    assert got["0x9"].start is None and "0x3" not in got


def test_runs_of_the_system_and_unlocked_screens_are_sessions_too(make: Made) -> None:
    rows = [
        event(1, 0, 12, KERNEL),
        event(2, 0.1, 6005, "EventLog"),
        event(3, 60, 6006, "EventLog"),
        event(4, 60.1, 13, KERNEL),
        event(5, 100, 12, KERNEL),
        event(6, 200, 12, KERNEL),
    ]
    store = make(rows, artifact=EVENTS, path="System.evtx")
    make([logon(1, 5, 4801, "0x1"), logon(2, 15, 4800, "0x1")], artifact=EVENTS, path="Security.evtx")
    assert [(s.seconds, s.ended) for s in listed(store, "run")] == [
        (3600.0, "recorded"),
        (None, "restart"),
        (None, "not recorded"),
    ]
    assert [s.seconds for s in listed(store, "unlocked")] == [600.0]


def test_phones_say_when_their_screens_were_unlocked(make: Made) -> None:
    span = {"ZSTARTDATE": iso(text(0)), "ZENDDATE": iso(text(3))}
    make(
        [Record({"ZSTREAMNAME": "/device/isLocked", "ZVALUEINTEGER": n}, span, "ZSTARTDATE") for n in (0, 1)],
        artifact="ios.knowledgec",
    )  # type: ignore[arg-type]  # times
    rows = [Record({"type": t}, {"time": iso(text(m))}, "time") for t, m in (("18", 9), ("17", 14), ("1", 15))]  # type: ignore[dict-item]  # a time
    store = make(rows, artifact="android.usage_event")
    assert sorted(s.seconds for s in listed(store, "unlocked")) == [180.0, 300.0]


def test_a_clock_that_was_set_back_leaves_a_session_of_negative_length(make: Made) -> None:
    rows = [logon(1, 100, 4624, "0x1", LogonType=2), logon(2, 50, 4634, "0x1")]
    assert [s.seconds for s in listed(make(rows, artifact=EVENTS))] == [-3000.0]


# bursts and gaps ----------------------------------------------------------------------------------------------------------


def test_a_burst_is_dense_against_its_own_kind(make: Made) -> None:
    usual = [event(h * 10 + n, h * 60 + n) for h in range(20) for n in range(3)]
    dense = [event(1000 + n, 5 * 60 + n / 100) for n in range(120)] + [
        event(2000 + n, 6 * 60 + n / 100) for n in range(60)
    ]
    make(usual + dense, artifact=EVENTS)
    store = make([event(n, 5 * 60 + n / 100) for n in range(300)], artifact="app.log")  # one hour: no usual one
    (burst,) = bursts(store, "src-a", "", 50)
    assert (burst.artifact, burst.count, burst.median) == (EVENTS, 186, 3.0)
    assert (burst.start, burst.end, len(burst.record_ids)) == (at(300), at(420), 3)
    assert bursts(store, "src-a", "app.*", 50) == []


def test_a_gap_needs_dense_logs_on_both_sides_and_tells_of_missing_numbers(make: Made) -> None:
    before = [event(n, n * 60) for n in range(30)]
    after = [event(45 + n, (100 + n) * 60) for n in range(30)]
    lone = [event(500, 400 * 60)]
    store = make(before + after + lone, artifact=EVENTS, path="a.evtx")
    (gap,) = gaps(store, "src-a", 24, 50)
    assert (gap.artifact, gap.start, gap.end) == ("", at(29 * 60), at(100 * 60))
    assert gap.numbers == (("a.evtx", 29, 45),) and len(gap.record_ids) == 2
    assert gaps(store, "src-a", 72, 50) == []


def test_one_log_may_be_silent_while_others_go_on(make: Made) -> None:
    make([event(n, n * 60) for n in range(130)], artifact=EVENTS)
    line = {"message": "m"}
    rows = [Record(line, {"at": iso(text(h * 60))}, "at") for h in (*range(30), *range(100, 130))]  # type: ignore[dict-item]  # a time
    (gap,) = gaps(make(rows, artifact="logs.syslog"), "src-a", 24, 50)
    assert gap.artifact == "logs.syslog"


def test_a_clock_set_forward_explains_a_gap() -> None:
    from wigmore.records.density import Gap

    gap = Gap("s", "", at(10), at(5000), (), (), ())
    assert [c.shift > 0 for c in crossed(gap, moved((11, 4999), (5000, 4000)))] == [True]
