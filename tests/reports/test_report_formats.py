"""The machine formats: spreadsheet-safe facts, JSON lines, Timesketch without guessed zones, body files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from report_builders import report

from wigmore.registry import found
from wigmore.reports.csv import cell

HOSTILE = "=cmd|' /C calc'!A0\n\x00\u202e<script>|x;y"


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("text", ["plain", HOSTILE])
def test_every_format_writes_the_file_it_names_twice_alike(tmp_path: Path, text: str) -> None:
    formats = found("format")
    assert set(formats) >= {"html", "csv", "jsonl", "timesketch", "bodyfile"}
    for name in ("html", "csv", "jsonl", "timesketch", "bodyfile"):
        path = formats[name].function(report(5, text), tmp_path)
        assert path == tmp_path / formats[name].file_name
        first = path.read_bytes()
        assert first
        assert formats[name].function(report(5, text), tmp_path).read_bytes() == first
        assert formats[name].description


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1"])
def test_a_value_never_starts_a_formula(text: str) -> None:
    assert cell(text).startswith(("'", "\\u{"))


def test_numbers_and_harmless_texts_stay_as_they_are() -> None:
    assert cell(-5) == "-5"
    assert cell("a=b") == "a=b"
    assert cell(None) == ""
    assert len(cell("x" * 100_000)) < 32_767


def test_the_csv_has_one_row_a_fact_with_its_citation(tmp_path: Path) -> None:
    data = report(5, HOSTILE)
    path = found("format")["csv"].function(data, tmp_path)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == sum(len(p["facts"]) for p in data.phenomena)
    assert rows[0]["output_sha256"] == "ab" * 32
    assert all(not value.startswith(("=", "+", "-", "@")) for row in rows for value in row.values())


def test_json_lines_name_their_type_and_keep_the_text_of_evidence(tmp_path: Path) -> None:
    rows = lines(found("format")["jsonl"].function(report(5, HOSTILE), tmp_path))
    kinds = {row["type"] for row in rows}
    assert kinds >= {"case", "source", "phenomenon", "fact", "hypothesis", "edge", "entity", "question", "review"}
    assert next(r for r in rows if r["type"] == "fact")["value"] == HOSTILE


def test_timesketch_rows_have_what_timesketch_wants_and_no_guessed_zone(tmp_path: Path) -> None:
    rows = lines(found("format")["timesketch"].function(report(6, "plain"), tmp_path))
    for row in rows:
        assert row["message"] and row["timestamp_desc"]
        assert str(row["datetime"]).endswith("+00:00")
        assert isinstance(row["timestamp"], int)
    beside = lines(tmp_path / "timesketch-local-time.jsonl")
    assert {r["local_time"] for r in beside if "record_id" in r} == {"2025-01-01T12:00:00"}
    assert not any("datetime" in r for r in beside)
    assert len([r for r in beside if "phenomenon_id" in r]) == 2
    event = next(r for r in rows if r.get("artifact") == "windows.eventlog")
    assert event["timestamp"] == 1_700_000_000_000_000
    assert event["time_text"] == "2023-11-14T22:13:20.0000001Z"


def test_a_collectors_file_times_enter_neither_timeline(tmp_path: Path) -> None:
    found("format")["timesketch"].function(report(1), tmp_path)
    found("format")["bodyfile"].function(report(1), tmp_path)
    assert "1600000000" not in (tmp_path / "timesketch.jsonl").read_text("utf-8")
    assert "1600000000" not in (tmp_path / "bodyfile.txt").read_text("utf-8")


@pytest.mark.parametrize("text", ["plain", HOSTILE])
def test_a_body_file_line_has_eleven_columns_in_the_order_of_mactime(tmp_path: Path, text: str) -> None:
    path = found("format")["bodyfile"].function(report(1, text), tmp_path)
    rows = [line.split("|") for line in path.read_text("utf-8").splitlines()]
    assert [len(r) for r in rows] == [11] * 4
    assert rows[0][0] == "d4" * 16
    assert rows[0][2:] == ["5", "r/rrwxr-xr-x", "1", "2", "7", "1700000000", "1700000000", "0", "0"]
    assert "($FILE_NAME)" in rows[1][1]
    assert rows[1][7:] == ["0", "0", "0", "1700000000"]
    assert "(deleted)" in rows[2][1] and "zone unknown: modified 2025-01-01T12:00:00" in rows[2][1]
    assert rows[2][7:] == ["0"] * 4
    assert "collector's" in rows[3][1]
