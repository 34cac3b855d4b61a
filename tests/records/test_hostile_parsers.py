"""A parser that crashes, hangs, eats memory or lies costs one coverage row, and the run goes on; all in one real run.

The parsers come from an outside package through its entry point, as any extension would.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hostile_extension import ENDINGS, install

from wigmore.evidence.local import LocalFile
from wigmore.model.protocols import Record
from wigmore.records.examine import SIGN, SLOWEST, run_parser
from wigmore.registry import parsers

SOURCE = Path(__file__).resolve().parents[2] / "src"
PARSERS = ",".join(["hostile.witness", "hostile.parse", *(f"hostile.{e}" for e in ENDINGS), "file_listing"])


@dataclass
class Run:
    """One run with the hostile parsers: how it ended and what it left."""

    code: int
    error: str
    coverage: list[dict[str, Any]]
    records: list[dict[str, Any]]
    parsers: list[dict[str, Any]]

    def rows(self, parser: str) -> list[dict[str, Any]]:
        return [c for c in self.coverage if c["parser"].split("@")[0] == f"hostile.{parser}"]

    def one(self, parser: str) -> dict[str, Any]:
        (row,) = self.rows(parser)
        return row

    def of(self, artifact: str) -> list[dict[str, Any]]:
        return [r for r in self.records if r["artifact"] == artifact]


def wigmore(environment: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wigmore.cli.main", *args],
        env=environment,
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("hostile")
    extension = install(folder / "extension")
    evidence = folder / "evidence"
    evidence.mkdir()
    for ending in ENDINGS:
        (evidence / f"file.{ending}").write_text(f"content of {ending}", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{extension}{os.pathsep}{SOURCE}"}
    case = str(folder / "case")
    done = wigmore(
        environment, "run", str(evidence), "-o", case, "--parsers", PARSERS, "--progress", "none", "--jobs", "2"
    )

    def shown(what: str) -> list[dict[str, Any]]:
        return [
            json.loads(line) for line in wigmore(environment, "show", case, what, "-t", "jsonl").stdout.splitlines()
        ]

    parsers = [json.loads(line) for line in wigmore(environment, "list", "parsers", "-t", "jsonl").stdout.splitlines()]
    return Run(done.returncode, done.stderr, shown("coverage"), shown("records"), parsers)


def test_the_run_ends_with_gaps_and_no_traceback(run: Run) -> None:
    assert run.code == 3, run.error
    assert "Traceback" not in run.error


def test_parsers_of_an_outside_package_are_found_with_origin_and_hash(run: Run) -> None:
    mine = next(p for p in run.parsers if p["name"] == "hostile.fine")
    assert mine["origin"] == "hostile_parsers:fine" and len(mine["sha256"]) == 64
    assert [r["data"] for r in run.of("hostile.fine")] == [{"n": 0}]


@pytest.mark.parametrize(
    ("parser", "code", "words"),
    [
        ("crash", "crashed", "SIGSEGV"),
        ("exit", "crashed", "exit code 7"),
        ("late", "crashed", "SIGKILL"),
        ("hang", "timeout", "limit of 1.5 s"),
        ("flood", "timeout", "limit of 1.5 s"),
        ("memory", "memory", "memory"),
        ("eater", "memory", "memory"),
        ("raise", "crashed", "RuntimeError: half way"),
        ("parse", "schema_unknown", "unknown version 3"),
        ("recurse", "crashed", "RecursionError"),
        ("leave", "crashed", "exit code"),
        ("garbage", "crashed", "Error"),
    ],
)
def test_each_misbehaviour_costs_one_failed_row_that_says_why(run: Run, parser: str, code: str, words: str) -> None:
    row = run.one(parser)
    assert (row["outcome"], row["reason_code"], row["complete"]) == ("failed", code, False)
    assert words in row["reason"]


def test_every_file_is_listed_and_read_by_the_other_parser_exactly_once(run: Run) -> None:
    assert Counter(r["data"]["name"] for r in run.of("file_listing")) == {f"file.{e}": 1 for e in ENDINGS}
    assert Counter(r["path"] for r in run.of("hostile.witness")) == {f"file.{e}": 1 for e in ENDINGS}
    assert Counter(c["path"] for c in run.rows("witness")) == {f"file.{e}": 1 for e in ENDINGS}


def test_no_record_stands_twice(run: Run) -> None:
    assert max(Counter(r["record_id"] for r in run.records).values()) == 1


@pytest.mark.parametrize("parser", ["late", "flood"])
def test_rows_of_a_parser_whose_worker_died_are_not_kept(run: Run, parser: str) -> None:
    assert run.of(f"hostile.{parser}") == []


def test_rows_before_an_error_are_kept_and_counted(run: Run) -> None:
    assert len(run.of("hostile.raise")) == run.one("raise")["records"] == 1


def test_a_row_larger_than_rows_may_be_is_a_gap_and_the_rest_is_kept(run: Run) -> None:
    row = run.one("huge")
    assert (row["outcome"], row["complete"], row["reason_code"], row["records"]) == ("found", False, "too_large", 1)


def test_a_gap_makes_the_row_incomplete_with_its_place(run: Run) -> None:
    row = run.one("gap")
    assert (row["outcome"], row["complete"]) == ("found", False)
    assert row["reason"] == "page 7 is torn at offset 4096"


def test_values_that_json_does_not_know_are_written_out(run: Run) -> None:
    (record,) = run.of("hostile.odd")
    assert record["data"] == {"nan": "nan", "raw": "00ff", "lone": "\\udcff", "big": 2**90, "set": "{3}", "5": "key"}
    assert record["locator"] == {"kind": "key", "key": "\\ud800"}


def test_a_parser_that_prints_cannot_speak_for_its_worker(run: Run) -> None:
    assert (run.one("talk")["outcome"], run.one("talk")["records"]) == ("found", 1)
    assert not any("forged" in c["reason"] for c in run.coverage)


def test_a_large_file_may_take_longer_than_its_parser_s_limit_as_long_as_records_come(
    tmp_path: Path,
) -> None:
    signs: list[float] = []
    now = [0.0]

    def slow(_: object) -> Iterator[tuple[dict[str, object], Record]]:
        for number in range(10 * SIGN):
            now[0] += 0.01
            yield {"kind": "record", "number": number}, Record({"n": number}, {}, None)

    parser = replace(next(iter(parsers().values())), function=slow, limit_seconds=1.0)
    with (tmp_path / "large.log").open("wb") as stream:
        stream.truncate(int(SLOWEST * 0.01 * SIGN * 5.5))
    row = run_parser(
        parser,
        LocalFile.at(tmp_path / "large.log"),
        "",
        lambda *_: None,
        lambda: now[0],
        alive=lambda: signs.append(now[0]),
    )
    assert row.outcome == "found" and row.records == 10 * SIGN
    assert len(signs) == 5  # past the time that a file of its size may take, no sign is given any more
