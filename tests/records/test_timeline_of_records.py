"""The timeline: every time of every record, by instant, with stated offsets beside the stored times; a cache of the parts."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pytest

from record_builders import Made, record
from wigmore.artifacts.logs.clock import yearless
from wigmore.model import times
from wigmore.model.clocks import read_intervals
from wigmore.model.protocols import Record
from wigmore.model.times import Time, iso
from wigmore.records import timeline
from wigmore.records.store import SPILL, RecordStore, connect
from wigmore.records.timeline import Timeline, Wanted

HOUR = 3_600_000_000


def timed(data: dict[str, Any], dates: str | None = None, **written: Time | str) -> Record:
    made = {n: iso(t) if isinstance(t, str) else t for n, t in written.items()}
    assert all(made.values())
    return Record(data, made, dates)  # type: ignore[arg-type]  # checked above


def known(store: RecordStore, folder: Path, clocks: Any = None, **wanted: Any) -> list[dict[str, Any]]:
    return list(Timeline(store, folder / "tl").known(Wanted(**wanted), clocks))


def at(text: str) -> int:
    time = iso(text)
    assert time is not None and time["instant"] is not None
    return int(time["instant"])


def test_every_time_of_every_record_is_a_row_with_its_origin(make: Made, tmp_path: Path) -> None:
    store = make(
        [
            timed(
                {"n": 1, "name": "plan.doc"},
                "modified",
                created="2026-01-02T00:00:00Z",
                modified="2026-01-01T00:00:00.5Z",
            ),
            record({"n": 2}),
        ]
    )
    first, second = known(store, tmp_path)
    assert (first["field"], first["dates_record"], first["time"]) == ("modified", True, "2026-01-01T00:00:00.5Z")
    assert (second["field"], second["dates_record"], second["instant"]) == (
        "created",
        False,
        at("2026-01-02T00:00:00Z"),
    )
    assert first["record_id"] == second["record_id"] == next(store.records())["record_id"]
    assert (first["zone"], first["precision"], first["owner"], first["artifact"]) == ("Z", 0.1, "host", "app.log")
    assert first["message"].startswith("name=plan.doc") and first["corrected"] is None


def test_rows_come_by_instant_whatever_their_texts_and_equal_ones_in_the_order_of_their_log(
    make: Made, tmp_path: Path
) -> None:
    make([record({"n": n}, f"2026-03-01T10:00:00{zone}") for n, zone in enumerate(["+05:00", "-05:00", "Z", "+01:00"])])
    store = make([record({"n": 10 + n}, "2026-03-01T10:00:00Z") for n in range(12)], path="other")
    rows = known(store, tmp_path)
    assert [r["instant"] for r in rows] == sorted(r["instant"] for r in rows)
    assert [r["message"] for r in rows] == [f"n={n}" for n in (0, 3, 2, *range(10, 22), 1)]


def test_a_period_bounds_the_instant(make: Made, tmp_path: Path) -> None:
    store = make([record({"n": n}, f"2026-03-{n:02d}T00:00:00Z") for n in range(1, 29)])
    rows = known(store, tmp_path, after=at("2026-03-03T00:00:00Z"), before=at("2026-03-06T00:00:00Z"))
    assert [r["message"] for r in rows] == ["n=3", "n=4", "n=5"]


def test_times_of_unknown_zone_are_ordered_among_their_like_and_never_among_others(make: Made, tmp_path: Path) -> None:
    camera = iso("2026-03-01T08:00:00", "camera")
    make(
        [timed({"n": 1}, a=camera), timed({"n": 2}, a="2026-03-01T12:00:00"), timed({"n": 3}, a="2026-03-01T09:00:00")]
    )  # type: ignore[arg-type]  # a time
    store = make([timed({"n": 4}, a="2026-03-01T10:00:00"), record({"n": 5}, "2026-03-01T11:00:00Z")], source="src-b")
    lines = Timeline(store, tmp_path / "tl")
    assert [r["message"] for r in lines.known(Wanted())] == ["n=5"]
    rows = list(lines.local(Wanted()))
    assert [r["message"] for r in rows] == ["n=1", "n=3", "n=2", "n=4"]
    assert {r["zone"] for r in rows} == {"local-unknown"} and {r["instant"] for r in rows} == {None}


def test_of_a_period_the_local_times_are_those_that_some_zone_puts_there(make: Made, tmp_path: Path) -> None:
    hours = ["2026-03-01T09:59:59", "2026-03-01T10:00:00", "2026-03-03T13:59:59", "2026-03-03T14:00:00"]
    late = yearless(3, 2, "12:00:00", "Mar  2 12:00:00")
    assert late is not None
    store = make([timed({"n": n}, a=t) for n, t in enumerate([*hours, late])])
    lines = Timeline(store, tmp_path / "tl")
    wanted = Wanted(after=at("2026-03-01T22:00:00Z"), before=at("2026-03-03T00:00:00Z"))
    assert [r["message"] for r in lines.local(wanted)] == ["n=1", "n=2"]  # 12 hours west, 14 hours east
    assert lines.undated(wanted) == 1 and len(list(lines.local(Wanted()))) == 5


def test_a_stated_offset_is_shown_beside_the_stored_time_and_moves_it_among_others(make: Made, tmp_path: Path) -> None:
    own = [record({"n": n}, f"2026-03-01T10:0{n}:00Z") for n in range(6)]
    store = make([*own, timed({"n": 9}, a=iso("2026-03-01T10:02:00Z", "server"))])  # type: ignore[arg-type]  # a time
    make([record({"n": 7}, "2026-03-01T09:58:30Z")], source="src-b")
    stated = [
        {"from": "2026-03-01T10:02:00Z", "to": "2026-03-01T10:04:00Z", "ahead": "PT4M", "basis": "NTP at seizure"}
    ]
    clocks = {"src-a": read_intervals(stated)}
    rows = known(store, tmp_path, clocks)
    assert [r["message"] for r in rows] == [f"n={n}" for n in (2, 7, 3, 4, 0, 1, 9, 5)]
    moved = {r["message"]: r for r in rows if r["corrected"]}
    assert set(moved) == {"n=2", "n=3", "n=4"}  # the host's, within the interval
    assert (moved["n=2"]["time"], moved["n=2"]["corrected"]) == ("2026-03-01T10:02:00Z", "2026-03-01T09:58:00Z")
    assert moved["n=2"]["offset_seconds"] == -240 and "NTP at seizure" in moved["n=2"]["basis"]
    assert next(store.records())["time"]["text"] == "2026-03-01T10:00:00Z"  # nothing stored was changed
    inside = known(store, tmp_path, clocks, after=at("2026-03-01T09:58:00Z"), before=at("2026-03-01T10:00:00Z"))
    assert [r["message"] for r in inside] == ["n=2", "n=7", "n=3"]  # the period is of the corrected time
    assert known(store, tmp_path, clocks, owner="server", after=at("2026-03-01T10:00:00Z"))[0]["message"] == "n=9"


def test_a_collectors_file_times_are_left_out_unless_asked_for(make: Made, tmp_path: Path) -> None:
    kept, left = times.posix(1_700_000_000), times.posix(1_700_000_100, "collector")
    assert kept and left
    store = make([timed({"n": 1}, modified=kept), timed({"n": 2}, modified=left)], artifact="file_listing")
    make([timed({"n": 3}, "at", at=left)], artifact="net.flow")  # a capture's own clock dates what it saw
    assert [r["message"] for r in known(store, tmp_path)] == ["n=1", "n=3"]
    assert sorted(r["message"] for r in known(store, tmp_path, collector=True)) == ["n=1", "n=2", "n=3"]


def test_filters_keep_source_artifact_owner_and_text(make: Made, tmp_path: Path) -> None:
    make([record({"name": "Größe.DOC"}, "2026-03-01T10:00:00Z"), record({"name": "100%_plan"}, "2026-03-01T11:00:00Z")])
    make([record({"name": "x"}, "2026-03-01T12:00:00Z")], artifact="app.log.more", path="Users/Größe/log")
    store = make([record({"name": "größe"}, "2026-03-01T13:00:00Z")], source="src-b", artifact="app.logs")

    def names(**wanted: Any) -> list[str]:
        return [r["message"].removeprefix("name=") for r in known(store, tmp_path, **wanted)]

    assert names(text="GRÖSSE") == [] and names(text="größe") == ["Größe.DOC", "x", "größe"]
    assert names(text="%_p") == ["100%_plan"] and names(text="'; DROP TABLE x; --") == []
    assert names(artifact="app.log") == ["Größe.DOC", "100%_plan", "x"] and names(artifact="app.lo") == []
    assert names(source_id="src-b") == ["größe"] and names(owner="server") == []
    assert names(text="größe", source_id="src-a", before=at("2026-03-01T11:00:00Z")) == ["Größe.DOC"]


def test_odd_times_and_hostile_fields_are_shown_as_they_stand(make: Made, tmp_path: Path) -> None:
    odd = {
        "far": times.posix(253_402_300_799),
        "old": times.posix(-62_135_596_800),
        '"; drop': times.posix(5),
        "a\x00b": times.posix(6),
        "ü.x": times.filetime(1),
    }
    store = make([Record({"v": "\x00\u202e", "deep": {"a": ["b"]}, "none": None}, odd, None)])  # type: ignore[arg-type]  # all are times
    rows = known(store, tmp_path)
    assert [r["field"] for r in rows] == ["old", "ü.x", '"; drop', "a\x00b", "far"]
    assert rows[0]["time"] == "0001-01-01T00:00:00Z" and rows[-1]["time"] == "9999-12-31T23:59:59Z"
    assert rows[0]["message"] == 'deep={"a":["b"]} · v=\x00\u202e'


def test_filters_by_text_read_many_stretches_in_order(
    make: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "GROUP", 2048)  # the least that DuckDB writes
    day = at("2026-01-01T00:00:00Z")
    data = [
        Record(
            {"n": n, "name": "rare" if n % 2500 == 7 else "often"}, {"a": times.posix((day + n * HOUR) // 10**6)}, "a"
        )  # type: ignore[dict-item]  # a time
        for n in range(10_000)
    ]
    store = make(data)
    for stretches in (64, 2):
        monkeypatch.setattr(timeline, "STRETCHES", stretches)
        rows = known(store, tmp_path, text="RARE")
        assert [r["message"] for r in rows] == [f"name=rare · n={n}" for n in (7, 2507, 5007, 7507)]
    rows = known(store, tmp_path)
    assert len(rows) == 10_000 and [r["instant"] for r in rows] == sorted(r["instant"] for r in rows)


def test_the_file_follows_the_parts_and_does_not_depend_on_how_they_came(make: Made, tmp_path: Path) -> None:
    said: list[str] = []
    store = make([record({"n": 1}, "2026-03-01T10:00:00Z")])
    first = Timeline(store, tmp_path / "tl", said.append)
    assert len(said) == 1 and not Timeline(store, tmp_path / "tl", said.append).undated(Wanted()) and len(said) == 1
    make([record({"n": 2}, "2026-03-01T09:00:00Z")], path="late")
    second = Timeline(store, tmp_path / "tl", said.append)
    assert len(said) == 2 and first.file != second.file
    assert [r["message"] for r in second.known(Wanted())] == ["n=2", "n=1"]
    store.show(reversed(store.parts))
    assert Timeline(store, tmp_path / "tl", said.append).file == second.file and len(said) == 2
    for _ in range(timeline.KEPT + 1):
        make([record({"n": 3}, "2026-03-01T09:00:00Z")], path=f"more-{_}")
        Timeline(store, tmp_path / "tl")
    assert len(list((tmp_path / "tl").iterdir())) == timeline.KEPT


def test_a_damaged_or_deleted_file_is_made_again(make: Made, tmp_path: Path) -> None:
    store = make([record({"n": n}, f"2026-03-01T10:00:{n:02d}Z") for n in range(50)])
    lines = Timeline(store, tmp_path / "tl")
    whole = lines.file.read_bytes()
    for damage in (b"", whole[: len(whole) // 2], b"x" * len(whole)):
        lines.file.write_bytes(damage)
        assert len(known(store, tmp_path)) == 50
    lines.file.unlink()
    assert len(list(lines.known(Wanted()))) == 50  # deleted under one that was open


def test_what_a_killed_process_left_is_taken_away(make: Made, tmp_path: Path) -> None:
    store = make([record({"n": 1}, "2026-03-01T10:00:00Z")])
    gone = tmp_path / "tl" / f"{SPILL}999999999-0"
    gone.mkdir(parents=True)
    (gone / "left").write_bytes(b"x")
    lines = Timeline(store, tmp_path / "tl")
    assert [f.name for f in (tmp_path / "tl").iterdir()] == [lines.file.name]


def test_two_that_make_the_same_file_at_once_do_no_harm(make: Made, tmp_path: Path) -> None:
    store = make([record({"n": n}, f"2026-03-01T10:{n % 60:02d}:00Z") for n in range(3000)])
    store.connection()
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: known(store, tmp_path), range(4)))
    assert all(rows == made[0] for rows in made) and len(made[0]) == 3000
    assert len(list((tmp_path / "tl").iterdir())) == 1


def test_a_case_without_times_has_an_empty_timeline(make: Made, tmp_path: Path) -> None:
    assert known(make([record({"n": 1})]), tmp_path) == []
    empty = RecordStore(tmp_path / "none")
    assert known(empty, tmp_path, text="x") == [] and list(Timeline(empty, tmp_path / "tl").local(Wanted())) == []
    empty.close()


def test_memory_does_not_hold_the_rows_that_are_read(make: Made, tmp_path: Path) -> None:
    store = make([record({"n": n}, "2026-03-01T10:00:00Z") for n in range(5000)])
    rows = Timeline(store, tmp_path / "tl").known(Wanted())
    assert next(rows)["message"] == "n=0"
    rows.close()  # type: ignore[attr-defined]  # a generator: what it opened is closed with it


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_that_cannot_be_written_is_an_error_of_the_system(make: Made, tmp_path: Path) -> None:
    (tmp_path / "tl").mkdir(mode=0o500)
    with pytest.raises((OSError, duckdb.Error)):
        known(make([record({"n": 1}, "2026-03-01T10:00:00Z")]), tmp_path)


def test_a_query_that_needs_more_memory_than_most_gets_it(
    make: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make([record({"n": n, "text": "x" * 90}, "2026-03-01T10:00:00Z") for n in range(3000)])
    made = Timeline(store, tmp_path / "tl")
    monkeypatch.setattr(timeline, "connect", lambda *_: connect(1, "1MB"))
    assert len(list(made.known(Wanted()))) == len(list(made.known(Wanted(text="XXX")))) == 3000
    assert made.undated(Wanted()) == 0
