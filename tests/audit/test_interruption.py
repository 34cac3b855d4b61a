"""Killed runs and repeated runs end in one and the same graph, records and coverage."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from conftest_audit import copied

from wigmore.api.run import Options, Result, run
from wigmore.api.show import show
from wigmore.ledger import verify_case

SOURCE = Path(__file__).resolve().parents[2] / "src"


def outcome(case: Path) -> tuple[str, list[dict[str, Any]], list[str]]:
    """Graph hash, coverage without its seconds, record ids."""
    (graph,) = show(case, "graph-hash")
    coverage = [{k: v for k, v in row.items() if k != "seconds"} for row in show(case, "coverage")]
    return graph["graph_hash"], coverage, [json.dumps(r, sort_keys=True) for r in show(case, "records")]


def start(case: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "wigmore.cli.main", "run", str(case), "--progress", "none", "--jobs", "2"],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def count(case: Path, kind: str) -> int:
    """Events of a kind that a reader sees."""
    with suppress(sqlite3.Error):
        connection = sqlite3.connect(f"file:{case / 'ledger.sqlite'}?mode=ro", uri=True)
        try:
            return int(connection.execute("SELECT count(*) FROM events WHERE kind = ?", (kind,)).fetchone()[0])
        finally:
            connection.close()
    return 0


def kill_at(case: Path, kind: str, number: int, whole_group: bool) -> None:
    """Run until so many events of a kind are there, then SIGKILL."""
    process = start(case)
    deadline = time.monotonic() + 60
    while process.poll() is None and count(case, kind) < number and time.monotonic() < deadline:
        time.sleep(0.01)
    (os.killpg if whole_group else os.kill)(process.pid, signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL, "the run ended before the moment of the kill"


def test_two_runs_and_any_number_of_workers_give_the_same_graph_records_and_coverage(
    finished: tuple[Path, Result], bare: Path, tmp_path: Path
) -> None:
    case = copied(bare, tmp_path / "again")
    run(case, Options(jobs=2, audit=False))
    assert outcome(case) == outcome(finished[0] / "case")


def test_a_run_killed_thrice_goes_on_to_the_same_end(finished: tuple[Path, Result], bare: Path, tmp_path: Path) -> None:
    case = copied(bare, tmp_path / "killed")
    for kind, number, whole_group in (("run.started", 1, False), ("invocation", 9, True), ("round", 2, False)):
        kill_at(case, kind, number, whole_group)
        assert verify_case(case) == []
    result = run(case, Options(jobs=1))
    assert result.audit["overall"] == "approve"
    assert outcome(case) == outcome(finished[0] / "case")


def test_workers_die_with_their_parent(bare: Path, tmp_path: Path) -> None:
    case = copied(bare, tmp_path / "orphans")
    process = start(case)
    deadline = time.monotonic() + 30
    while count(case, "run.started") < 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    deadline = time.monotonic() + 5

    def left() -> list[str]:
        found = []
        for name in os.listdir("/proc"):
            with suppress(OSError):
                if name.isdigit() and os.getpgid(int(name)) == process.pid:
                    state = Path(f"/proc/{name}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
                    found += [name] if state != "Z" else []
        return found

    while left() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert left() == []


@pytest.mark.parametrize("again", [1])
def test_a_finished_case_run_again_has_the_same_end(finished: tuple[Path, Result], small: Path, again: int) -> None:
    for _ in range(again):
        assert run(small, Options(jobs=1, audit=False)).exit_code in (0, 3)
    assert outcome(small)[0] == finished[1].graph_hash
    assert outcome(small)[2] == outcome(finished[0] / "case")[2]


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from wigmore.ledger import Event, Ledger, verify_case
case = Path(sys.argv[1])
with Ledger.create(case, lambda: datetime.now(UTC)) as ledger:
    ledger.append([Event("fact", {"id": "f-1", "text": "x" * 5000})])
    print("written", flush=True)
    sys.stdin.readline()
    assert verify_case(case) == []  # as a run's audit does, beside its own connection
    print("verified", flush=True)
    sys.stdin.readline()
    ledger.append([Event("fact", {"id": f"f-{n}", "text": "x" * 5000}) for n in range(50)])
    print(ledger.head().seq, flush=True)
"""
READER = """
import fcntl, os, sys
from pathlib import Path
from wigmore.ledger import Ledger
index = sys.argv[1] + "/ledger.sqlite-shm"
if os.path.exists(index):
    with open(index, "r+b") as handle:
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 128)  # SQLite's dead man's switch: a live writer shares it
            sys.exit("the writer no longer holds its lock: the next reader cuts the index to nothing under it")
        except BlockingIOError:
            pass
with Ledger.open_readonly(Path(sys.argv[1])) as ledger:
    print(ledger.head().seq)
"""


def test_a_reader_that_comes_and_goes_does_a_writer_no_harm(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    case = str(tmp_path / "case")

    def read() -> str:
        return subprocess.run(
            [sys.executable, "-c", READER, case], env=environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout.strip()

    with subprocess.Popen(
        [sys.executable, "-c", WRITER, case], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdin is not None and writer.stdout is not None
        for word in ("written", "verified"):
            assert writer.stdout.readline().strip() == word
            assert read() == "1"
            writer.stdin.write("\n")
            writer.stdin.flush()
        assert writer.stdout.readline().strip() == "51"
    assert writer.returncode == 0  # it was killed by SIGBUS while closing a handle dropped SQLite's locks on its index
    assert read() == "51"
