"""Records in Parquet and the rules over them: parts, order, every operator with its near misses, hostile values as data."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from record_builders import Made, record, rule
from wigmore.model.canonical import canonical, record_id
from wigmore.records.compiler import RuleError
from wigmore.records.indicators import Match, match, scan
from wigmore.records.rows import COLUMNS, RowMaker
from wigmore.records.rules import Indicator, fill, load_indicators
from wigmore.records.store import RecordStore, clear_spills, file_sha256

HOSTILE = [
    "'; DROP VIEW records; --",
    "') OR true --",
    "%",
    "_",
    "\\",
    '"',
    "''",
    "$subject",
    "\x00",
    "\u202e",
    "𝔘",
    "NULL",
    "{",
    "a\nb",
]


def hits(store: RecordStore, *where: Any, parameters: dict[str, Any] | None = None) -> list[int]:
    """The `n` of the records that match."""
    ids = [i for m in match(store, rule(*where, examples=1000), None, parameters) for i in m.record_ids]
    return sorted(json.loads(r["data"])["n"] for r in store.by_id(ids).values())


# store -----------------------------------------------------------------------------------------------------------------


def test_a_row_is_canonical_json_with_every_column() -> None:
    for number, made in enumerate(
        [
            record({"a": 1, "b": ["ü", None]}, "2026-01-01T00:00:00Z", host_id="h"),
            record({}),
            record({"x": "\ud800"}, state="carved", origin="synced", artifact="app.other"),
        ]
    ):
        line = RowMaker("src", "p/ä", "7", "app.log").line(number, {"kind": "offset", "offset": 3}, made)[2]
        values = json.loads(line)
        assert line == canonical(values) + b"\n"
        assert set(values) == set(COLUMNS)
        assert values["record_id"] == record_id(
            "src", "p/ä", "7", made.artifact or "app.log", {"kind": "offset", "offset": 3}
        )


def test_a_part_is_named_by_its_rows_and_hashed(make: Made) -> None:
    store = make([record({"n": 1}), record({"n": 2})])
    (part,) = store.parts
    assert (part.source_id, part.artifact, part.rows) == ("src-a", "app.log", 2)
    assert (
        file_sha256(store.folder / part.file)
        == part.sha256
        == hashlib.sha256((store.folder / part.file).read_bytes()).hexdigest()
    )
    assert store.artifacts() == {"app.log": 2}


def test_the_same_rows_give_the_same_part_name(tmp_path: Path) -> None:
    names = []
    for folder in ("one", "two"):
        store = RecordStore(tmp_path / folder)
        spool = tmp_path / f"{folder}.jsonl"
        spool.write_bytes(RowMaker("s", "p", None, "a").line(0, {"kind": "x"}, record({"n": 1}))[2])
        names.append(store.write_part("s", "a", [spool]).file)
        store.close()
    assert names[0] == names[1]


def test_records_come_in_canonical_order_whatever_order_parts_came_in(make: Made) -> None:
    make([record({"n": 1}), record({"n": 2})], path="b")
    make([record({"n": 3})], source="src-0", path="z")
    store = make([record({"n": 4})], path="a")
    assert [(r["source_id"], r["path"], r["data"]["n"]) for r in store.records()] == [
        ("src-0", "z", 3),
        ("src-a", "a", 4),
        ("src-a", "b", 1),
        ("src-a", "b", 2),
    ]


def test_records_are_found_by_id_source_and_artifact_glob(make: Made) -> None:
    make([record({"n": 1})])
    store = make([record({"n": 2})], artifact="app.mail.sent", source="src-b")
    everything = list(store.records())
    assert {r["data"]["n"] for r in store.records(["app.mail*"])} == {2}
    assert {r["data"]["n"] for r in store.records(None, "src-a")} == {1}
    assert list(store.records(["none"])) == []
    wanted = everything[0]["record_id"]
    assert list(store.by_id([wanted, wanted, "rec-none", "'; --"])) == [wanted]
    assert store.by_id([]) == {}


def test_an_empty_store_answers_with_nothing(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    assert (
        list(store.records()) == []
        and store.by_id(["x"]) == {}
        and scan(store, [rule({"field": "n", "eq": 1})], None) == set()
    )
    assert match(store, rule({"field": "n", "eq": 1}), "src-a") == []
    store.close()


def test_names_of_sources_and_artifacts_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    store = RecordStore(tmp_path / "case")
    spool = tmp_path / "s.jsonl"
    spool.write_bytes(RowMaker("s", "p", None, "a").line(0, {"kind": "x"}, record({"n": 1}))[2])
    part = store.write_part("../../out'; --", "../up\x00", [spool])
    assert (store.folder / part.file).resolve().is_relative_to(store.folder.resolve())
    store.add([part])
    assert len(list(store.records())) == 1
    store.close()


def test_a_lone_surrogate_is_written_out_and_stops_no_query(make: Made) -> None:
    store = make([record({"text": "a\ud800b", "n": 1}), record({"text": "an emoji \U0001f600 is a pair", "n": 2})])
    assert [r["data"]["text"] for r in store.records()] == ["a\\ud800b", "an emoji \U0001f600 is a pair"]
    asked = "SELECT json_extract_string(data, '$.n') AS n FROM records ORDER BY ordinal"
    assert [r["n"] for r in store.query(asked)] == ["1", "2"]


@pytest.mark.parametrize("text", [*HOSTILE, "x" * 70_000])
def test_a_value_of_evidence_comes_back_as_it_was(make: Made, text: str) -> None:
    store = make([record({"text": text, "n": 1})])
    stored = next(iter(store.records()))["data"]["text"]
    assert stored == text
    assert store.query("SELECT count(*) AS n FROM records")[0]["n"] == 1


def test_many_rows_of_the_largest_size_become_a_part_in_bounded_memory(tmp_path: Path) -> None:
    store = RecordStore(tmp_path / "case")
    spool = tmp_path / "s.jsonl"
    maker = RowMaker("s", "p", None, "app.log")
    with spool.open("wb") as out:
        for number in range(45):
            text = f"{number:04d}" * 1_950_000
            out.write(maker.line(number, {"kind": "record", "number": number}, record({"n": number, "text": text}))[2])
    with ThreadPoolExecutor(2) as threads:  # as the extraction does
        written = list(
            threads.map(lambda artifact: store.write_part("s", artifact, [spool]).rows, ["app.log", "app.two"])
        )
    assert written == [45, 45]
    store.close()


def test_a_query_that_the_usual_memory_is_too_little_for_is_given_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wigmore.records.store.READING", "3MB")
    store = RecordStore(tmp_path / "case", threads=1)
    connection = duckdb.connect()
    connection.execute("SET memory_limit='3MB'")
    hungry = "SELECT len(list(i::VARCHAR || repeat('x', 100))) AS n FROM range(100000) t(i)"
    with pytest.raises(duckdb.OutOfMemoryException):
        connection.execute(hungry).fetchall()
    assert store.query(hungry) == [{"n": 100_000}]
    assert list(store.stream(hungry)) == [{"n": 100_000}]
    store.close()


def test_where_nothing_can_be_put_aside_rows_are_held_in_memory(tmp_path: Path) -> None:
    store = RecordStore(tmp_path / "no" / "folder")
    for table, many in (("derived_1", True), ("derived_2", False)):
        with store.connection().cursor() as cursor:
            store.hold(cursor, table, "SELECT 7 AS n", many)
        assert store.query(f"SELECT n FROM {table}") == [{"n": 7}]
    store.close()


def test_what_killed_processes_left_of_their_queries_is_taken_away(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for name in (f"spill-{gone.pid}-0", f"spill-{os.getpid()}-0", "spill-strange"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "derived_1.parquet").touch()
    clear_spills(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([f"spill-{os.getpid()}-0", "spill-strange"])


# operators -------------------------------------------------------------------------------------------------------------


OPERATORS: list[tuple[dict[str, Any], list[Any], list[Any]]] = [
    ({"eq": "Run"}, ["run", "RUN"], ["runs", " run", None, ""]),
    ({"eq": "Run", "case": True}, ["Run"], ["run", None]),
    ({"eq": 4624}, [4624, "4624"], [46240, "4624 ", None]),
    ({"eq": True}, [True], [False, "truth", None]),
    ({"ne": "run"}, ["other", None, ""], ["RUN"]),
    ({"in": ["a", "B"]}, ["A", "b"], ["ab", None]),
    ({"in": []}, [], ["a", None]),
    ({"in": [3, 10]}, [3, "10"], [1, 30]),
    ({"gt": 5}, [6, 5.1, "7"], [5, "x", None]),
    ({"ge": 5}, [5, 6], [4.9, None]),
    ({"lt": 5}, [4, -1, "2"], [5, "", None]),
    ({"le": 5}, [5, "5.0"], [5.01, None]),
    ({"ge": "2026-02"}, ["2026-02-01", "2027"], ["2026-01-31", None]),
    ({"contains": "Temp\\"}, ["C:\\TEMP\\x"], ["C:\\Temporary", None]),
    ({"contains": ["a%", "b_"]}, ["xa%", "B_"], ["ab", "bx", None]),
    ({"contains_any": ["one", "two"]}, ["ONE", "atwo"], ["on", None]),
    ({"starts": "/up"}, ["/Upload"], ["x/up", None]),
    ({"starts_any": ["/a", "/b"]}, ["/A", "/bc"], ["a", None]),
    ({"ends": ".exe"}, ["A.EXE"], ["a.exe ", "exe", None]),
    ({"ends_any": [".exe", ".dll"]}, ["x.Dll"], ["x.dl", None]),
    ({"like": "a%z"}, ["AbcZ", "az"], ["abc", None]),
    ({"regex": "^a[0-9]+$"}, ["A12", "a1"], ["a", "xa1", None]),
    ({"regex": "^A$", "case": True}, ["A"], ["a", None]),
    ({"regex": ["^a$", "^b$"]}, ["a", "B"], ["ab", None]),
    ({"asked": "Model X"}, ["model x"], ["model x 2", None]),
    ({"exists": True}, ["x", 0, False], ["", None]),
    ({"exists": False}, ["", None], ["x", 0]),
]


@pytest.mark.parametrize(("test", "matching", "others"), OPERATORS, ids=[json.dumps(o[0]) for o in OPERATORS])
def test_each_operator_matches_what_it_says_and_not_its_neighbours(
    make: Made, test: dict[str, Any], matching: list[Any], others: list[Any]
) -> None:
    store = make([record({"n": n, "value": v}) for n, v in enumerate([*matching, *others])])
    assert hits(store, {"field": "value", **test}) == list(range(len(matching)))
    negated = hits(store, {"not": {"field": "value", **test}})
    assert negated == list(range(len(matching), len(matching) + len(others)))


def test_what_is_asked_for_is_any_value_until_a_call_names_one(make: Made) -> None:
    store = make([record({"n": n, "value": v}) for n, v in enumerate(["a", "b"])])
    test = {"field": "value", "asked": "$subject"}
    assert hits(store, test) == [0, 1]
    assert hits(store, test, parameters={"subject": "B"}) == [1]


@pytest.mark.parametrize("operator", ["eq", "contains", "starts", "ends", "in", "ne"])
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_a_rule_is_a_value_never_sql(make: Made, operator: str, text: str) -> None:
    store = make([record({"n": 0, "value": text}), record({"n": 1, "value": "harmless"})])
    wanted = [1] if operator == "ne" else [0]
    assert hits(store, {"field": "value", operator: [text] if operator == "in" else text}) == wanted
    assert hits(store, {"field": "value", operator: "$subject"}, parameters={"subject": text}) == wanted
    assert store.query("SELECT count(*) AS n FROM records")[0]["n"] == 2


@pytest.mark.parametrize("name", ["a'b", "a b", "Ä", "a)--", "a,b", "x" * 200])
def test_odd_field_names_are_names(make: Made, name: str) -> None:
    store = make([record({"n": 0, name: "yes"}), record({"n": 1, name: "no"})])
    assert hits(store, {"field": name, "eq": "yes"}) == [0]
    (group,) = match(store, rule({"field": name, "eq": "yes"}, group_by=[name]), None)
    assert group.group[name] == "yes"


def test_nested_fields_times_and_columns_can_be_tested(make: Made) -> None:
    store = make(
        [record({"n": 0, "a": {"b": "x"}}, "2026-01-01T00:00:00Z", host_id="PC1", state="carved"), record({"n": 1})]
    )
    for test in (
        {"field": "a.b", "eq": "x"},
        {"field": "times.at", "starts": "2026-01"},
        {"field": "host_id", "eq": "pc1"},
        {"field": "state", "eq": "carved"},
        {"field": "time_text", "exists": True},
    ):
        assert hits(store, test) == [0], test


def test_all_any_and_not_nest(make: Made) -> None:
    store = make([record({"n": n, "a": n % 2, "b": n // 2}) for n in range(4)])
    assert hits(
        store, {"any": [{"all": [{"field": "a", "eq": 1}, {"field": "b", "eq": 1}]}, {"field": "n", "eq": 0}]}
    ) == [0, 3]
    assert hits(store, {"not": [{"field": "a", "eq": 1}, {"field": "b", "eq": 1}]}) == [0, 1, 2]
    assert hits(store, {"field": "a", "eq": 1}, {"field": "b", "eq": 0}) == [1]


@pytest.mark.parametrize(
    "test",
    [
        "text",
        {"field": "x"},
        {"eq": 1},
        {"field": "x", "sounds_like": 1},
        {"field": "x", "eq": 1, "ne": 2},
        {"any": ["x"]},
        {"any": []},
    ],
)
def test_a_test_that_cannot_be_compiled_is_refused_at_load(test: Any) -> None:
    with pytest.raises(RuleError, match=r"test\.yaml: rule t"):
        rule(test)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"colour": 1}, "colour"),
        ({"mechanism": "event log"}, "mechanism"),  # which semantics.yaml says of the artifact
        ({"title": ""}, "title"),
        ({"facts": []}, "facts"),
        ({"bears_on": [{"template": "x"}]}, "bears_on"),
    ],
)
def test_a_rule_with_a_fault_names_itself_and_the_key(change: dict[str, Any], named: str) -> None:
    with pytest.raises(RuleError, match=named):
        rule({"field": "x", "eq": 1}, **change)


def test_one_id_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "indicators").mkdir()
    values = {
        "id": "t",
        "title": "t",
        "artifacts": ["a"],
        "where": [{"field": "x", "eq": 1}],
        "role": "r",
        "category": "c",
        "facts": ["x"],
        "interpretation": "i",
        "caveat": "c",
    }
    for name in ("one", "two"):
        (tmp_path / "indicators" / f"{name}.yaml").write_text(yaml.safe_dump([values]), encoding="utf-8")
    with pytest.raises(RuleError, match=r"t stands twice, also in one\.yaml"):
        load_indicators([tmp_path])


def test_a_pattern_that_is_no_regular_expression_is_refused_at_load(tmp_path: Path) -> None:
    (tmp_path / "indicators").mkdir()
    values = {
        "id": "bad",
        "title": "t",
        "artifacts": ["a"],
        "where": [{"any": [{"field": "x", "regex": "(open"}]}],
        "role": "r",
        "category": "c",
        "facts": ["x"],
        "interpretation": "i",
        "caveat": "c",
    }
    (tmp_path / "indicators" / "x.yaml").write_text(yaml.safe_dump([values]), encoding="utf-8")
    with pytest.raises(RuleError, match=r"x\.yaml: rule bad: .*\(open"):
        load_indicators([tmp_path])


# groups, windows, followers --------------------------------------------------------------------------------------------


def minute(number: float) -> str:
    seconds = round(number * 60)
    return f"2026-01-01T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}Z"


def groups(found: list[Match], name: str) -> dict[Any, int]:
    return {m.group[name]: m.count for m in found}


def test_groups_count_their_records_and_show_the_first_examples(make: Made) -> None:
    store = make([record({"n": n, "who": "a" if n % 3 else "b"}, minute(n)) for n in range(9)])
    found = match(store, rule({"field": "n", "exists": True}, group_by=["who"], examples=2), None)
    assert [(m.group["who"], m.count, m.first, m.last) for m in found] == [
        ("b", 3, minute(0), minute(6)),
        ("a", 6, minute(1), minute(8)),
    ]
    assert [json.loads(store.by_id([i])[i]["data"])["n"] for i in found[1].record_ids] == [1, 2]


def test_groups_below_the_threshold_are_left_out(make: Made) -> None:
    store = make([record({"n": n, "who": "often" if n < 5 else "once"}) for n in range(6)])
    assert groups(match(store, rule({"field": "n", "exists": True}, group_by=["who"], threshold=2), None), "who") == {
        "often": 5
    }


def test_without_group_by_a_source_is_one_group(make: Made) -> None:
    make([record({"n": 0}), record({"n": 1})])
    store = make([record({"n": 2})], source="src-b")
    assert groups(match(store, rule({"field": "n", "exists": True}), None), "source_id") == {"src-a": 2, "src-b": 1}
    assert groups(match(store, rule({"field": "n", "exists": True}), "src-b"), "source_id") == {"src-b": 1}


def test_a_window_needs_the_threshold_within_it(make: Made) -> None:
    burst = [record({"n": n, "who": "burst"}, minute(10 + n / 10)) for n in range(5)]
    steady = [record({"n": 10 + n, "who": "steady"}, minute(n * 20)) for n in range(5)]
    undated = [record({"n": 20 + n, "who": "undated"}) for n in range(5)]
    store = make([*burst, *steady, *undated])
    found = match(store, rule({"field": "n", "exists": True}, group_by=["who"], threshold=5, window_seconds=60), None)
    assert groups(found, "who") == {"burst": 5}
    assert (
        match(store, rule({"field": "n", "exists": True}, group_by=["who"], threshold=5, window_seconds=23), None) == []
    )


def test_a_follower_has_the_same_values_and_comes_in_time(make: Made) -> None:
    store = make(
        [
            record({"n": 0, "kind": "fail", "from": "x"}, minute(0)),
            record({"n": 1, "kind": "ok", "from": "x"}, minute(4)),
            record({"n": 2, "kind": "fail", "from": "y"}, minute(0)),
            record({"n": 3, "kind": "ok", "from": "z"}, minute(1)),
            record({"n": 4, "kind": "fail", "from": "z"}, minute(2)),
            record({"n": 5, "kind": "ok", "from": "z"}, minute(30)),
        ]
    )
    followed = rule(
        {"field": "kind", "eq": "fail"},
        group_by=["from"],
        then={"where": [{"field": "kind", "eq": "ok"}], "same": ["from"], "within_seconds": 300},
    )
    (found,) = match(store, followed, None)
    assert found.group["from"] == "x"
    assert [json.loads(store.by_id([i])[i]["data"])["n"] for i in found.record_ids] == [0, 1]


def test_local_times_order_among_themselves(make: Made) -> None:
    store = make([record({"n": n}, f"2026-01-01T0{5 - n}:00:00") for n in range(3)])
    (found,) = match(store, rule({"field": "n", "exists": True}), None)
    assert [json.loads(store.by_id([i])[i]["data"])["n"] for i in found.record_ids] == [2, 1, 0]


def test_matches_come_in_the_same_order_whatever_the_parts_and_threads(tmp_path: Path) -> None:
    outcomes = set()
    for threads, cuts in ((1, 1), (4, 7)):
        store = RecordStore(tmp_path / f"t{threads}", threads=threads)
        lines = [
            RowMaker("s", f"p{n % 3}", None, "app.log").line(
                n, {"kind": "record", "number": n}, record({"n": n, "who": n % 11}, minute(n % 5))
            )[2]
            for n in range(300)
        ]
        for cut in range(cuts):
            spool = tmp_path / f"{threads}-{cut}.jsonl"
            spool.write_bytes(b"".join(lines[cut::cuts]))
            store.add([store.write_part("s", "app.log", [spool])])
        outcomes.add(repr(match(store, rule({"field": "n", "exists": True}, group_by=["who"]), None)))
        store.close()
    assert len(outcomes) == 1


def test_a_scan_names_the_rules_that_match_anything(make: Made) -> None:
    store = make([record({"n": 1, "value": "x"})])
    rules = [
        Indicator.read({**_values(f"r{n}"), "where": [{"field": "value", "eq": v}]}, "t")
        for n, v in enumerate(["x", "y", "X"])
    ]
    elsewhere = Indicator.read({**_values("far"), "artifacts": ["none"], "where": [{"field": "value", "eq": "x"}]}, "t")
    assert scan(store, [*rules, elsewhere], None) == {"r0", "r2"}
    assert scan(store, rules, "src-z") == set()


def _values(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "title": "t",
        "artifacts": ["app.log"],
        "role": "r",
        "category": "c",
        "facts": ["n"],
        "interpretation": "i",
        "caveat": "c",
    }


def test_a_title_is_filled_and_a_gap_is_said() -> None:
    assert (
        fill("{who} from {where}, {count} times {{x}}", {"who": "a", "count": 3, "where": ""})
        == "a from (not recorded), 3 times {(not recorded)}"
    )
