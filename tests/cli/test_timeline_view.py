"""`show timeline`: observations, and with --all every record's times, in the order of time, clocks beside them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from wigmore.cli.main import app
from wigmore.model.times import in_zone, instant_text


def shown(case: Path, *options: str) -> list[dict[str, Any]]:
    done = CliRunner().invoke(app, ["show", str(case), "timeline", "-t", "jsonl", *options])
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def at(row: dict[str, Any]) -> int:
    return int(row["instant"]) + round(float(row["offset_seconds"]) * 1_000_000)


def test_observations_come_by_instant_with_origin_zone_and_precision(investigated: Path) -> None:
    rows = shown(investigated / "case")
    known = [r for r in rows if r["instant"] is not None]
    assert known == sorted(known, key=at) and rows[: len(known)] == known
    assert all(r["zone"] and r["precision"] and r["field"] and r["artifact"] and r["owner"] for r in known)
    assert all(r["zone"] == "local-unknown" for r in rows[len(known) :])
    assert {"time", "phenomenon_id", "source_id", "title", "category", "corrected"} <= set(rows[0])


def test_all_shows_every_time_of_every_record_merged_with_observations(investigated: Path) -> None:
    rows = shown(investigated / "case", "--all", "--collector")
    known = [r for r in rows if r["instant"] is not None]
    assert [at(r) for r in known] == sorted(at(r) for r in known) and rows[: len(known)] == known
    records = [
        json.loads(line)
        for line in CliRunner()
        .invoke(app, ["show", str(investigated / "case"), "records", "-t", "jsonl"])
        .stdout.splitlines()
    ]
    stored = {(r["record_id"], name, t["text"]) for r in records for name, t in r["times"].items()}
    assert {(r["record_id"], r["field"], r["time"]) for r in rows if r["kind"] == "record"} == stored
    seen = {r["phenomenon_id"] for r in rows if r["kind"] == "observation"}
    assert seen == {r["phenomenon_id"] for r in shown(investigated / "case")}
    assert len(shown(investigated / "case", "--all")) < len(rows)  # what collectors left is left out


def test_filters_narrow_what_is_shown(investigated: Path) -> None:
    rows = shown(investigated / "case", "--all", "--source", "src-server", "--from", "2025-08-20", "--to", "2025-08-30")
    assert rows and {r["source_id"] for r in rows} == {"src-server"}
    assert all("2025-08-20" <= r["time"] < "2025-08-30" for r in rows if r["zone"] == "Z")
    every = shown(investigated / "case", "--all", "--artifact", "windows")
    assert every and all(r["artifact"].startswith("windows.") for r in every)
    name = Path(every[0]["path"]).name
    some = shown(investigated / "case", "--all", "--artifact", "windows", "--text", name.upper())
    assert all(name.lower() in f"{r['path']}\n{r['title']}".lower() for r in some)
    there = [(r["record_id"], r["field"]) for r in every if name in r["path"] and r["kind"] == "record"]
    assert (
        there and [(r["record_id"], r["field"]) for r in some if name in r["path"] and r["kind"] == "record"] == there
    )


def test_csv_has_one_header_for_records_and_observations_and_zones_are_views(investigated: Path) -> None:
    command = ["show", str(investigated / "case"), "timeline", "--all", "-t", "csv"]
    plain = list(csv.DictReader(io.StringIO(CliRunner().invoke(app, command).stdout)))
    there = list(csv.DictReader(io.StringIO(CliRunner().invoke(app, [*command, "--zone", "Asia/Tokyo"]).stdout)))
    assert len(plain) == len(there) and {r["kind"] for r in plain} == {"record", "observation"}
    for a, b in zip(plain, there, strict=True):
        assert (a["time"] == b["time"]) == (not a["time"].endswith("Z"))  # a zone that is not known is not guessed


def test_a_stated_clock_is_shown_beside_the_stored_time(case: Path) -> None:
    file = case / "case.yaml"
    text = file.read_text(encoding="utf-8")
    before = {(r["record_id"], r["field"]): r for r in shown(case, "--all", "--source", "src-laptop")}
    entry = "  - id: src-laptop\n"
    assert entry in text
    stated = "    clocks: [{ahead: PT1H, basis: read against a radio clock}]\n"
    file.write_text(text.replace(entry, entry + stated), encoding="utf-8")
    rows = shown(case, "--all", "--source", "src-laptop")
    moved = [r for r in rows if r["corrected"]]
    assert moved and all(r["owner"] == "host" and r["offset_seconds"] == -3600 for r in moved)
    assert all("radio clock" in r["basis"] for r in moved)
    assert not any(r["corrected"] for r in rows if r["owner"] != "host" or r["instant"] is None)
    for row in rows:
        if row["kind"] == "record":
            assert before[row["record_id"], row["field"]]["time"] == row["time"]
    known = [r for r in rows if r["instant"] is not None]
    assert [at(r) for r in known] == sorted(at(r) for r in known)


@pytest.mark.parametrize("bound", ["--from", "--to"])
@pytest.mark.parametrize("what", ["timeline", "records"])
def test_what_is_no_time_is_refused(investigated: Path, what: str, bound: str) -> None:
    done = CliRunner().invoke(app, ["show", str(investigated / "case"), what, bound, "yesterday"])
    assert done.exit_code != 0 and "yesterday" in str(done.exception)


def test_a_bound_with_an_offset_is_that_instant(investigated: Path) -> None:
    command = ["show", str(investigated / "case"), "records", "-t", "jsonl"]
    rows = [json.loads(line) for line in CliRunner().invoke(app, command).stdout.splitlines()]
    dated = [r["times"][r["time_field"]] for r in rows if r.get("time_field")]
    last = max((t for t in dated if t["instant"] is not None), key=lambda t: t["instant"])
    utc = instant_text(last["instant"])
    east = in_zone(utc, ZoneInfo("Asia/Tokyo"))
    found, same = (CliRunner().invoke(app, [*command, "--from", text]).stdout for text in (utc, east))
    assert east.endswith("+09:00") and found and same == found
