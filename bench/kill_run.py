"""SIGKILL `wigmore run` at random moments, then resume it: `python bench/kill_run.py [KILLS] [SEED] [EVIDENCE]`.

A case is run once to its end; copies of it take the kills, by turns the parent alone and the whole process group, up to three
one after another, before the last run goes to its end. After each kill no process of the run may be left, the ledger must
verify and hold what it held when it was last looked at. In the end graph hash, records and coverage must be those of the
case that was never killed. Prints a table; exit code 1 where anything differs.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from wigmore.api.demo import case_text, make
from wigmore.ledger import Head, verify_case

SOURCE = Path(__file__).resolve().parent.parent / "src"
LONGEST_CHAIN = 3


SMALL = ("src-server", "src-stick")


def small_case(folder: Path, seed: int) -> Path:
    """A generated case with its two smallest sources; the whole one takes minutes where many runs are made."""
    truth, case = make(folder, seed=seed)
    kept = tuple(s for s in truth.sources if s.id in SMALL)
    assert len(kept) == len(SMALL), [s.id for s in truth.sources]
    (case / "case.yaml").write_text(case_text(replace(truth, sources=kept), folder / "sample"), encoding="utf-8")
    return case


def environment() -> dict[str, str]:
    """Where the product is found."""
    return {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", str(SOURCE))}


def start(case: Path) -> subprocess.Popen[bytes]:
    """A run in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "wigmore.cli.main", "run", str(case), "--progress", "none", "--jobs", "2"],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def finish(case: Path) -> float:
    """Run to the end; the seconds it took."""
    started = time.monotonic()
    process = start(case)
    _, error = process.communicate()
    if process.returncode not in (0, 3):
        raise SystemExit(f"exit {process.returncode}: {error.decode()[-500:]}")
    return time.monotonic() - started


def show(case: Path, what: str) -> list[str]:
    """The lines of a view."""
    done = subprocess.run(
        [sys.executable, "-m", "wigmore.cli.main", "show", str(case), what, "-t", "jsonl"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def outcome(case: Path) -> dict[str, str]:
    """What must not depend on interruptions: graph hash, records, coverage."""
    coverage = []
    for line in show(case, "coverage"):
        row = json.loads(line)
        row.pop("seconds")
        coverage.append(json.dumps(row, sort_keys=True))
    return {
        "graph": show(case, "graph-hash")[0],
        "records": hashlib.sha256("\n".join(show(case, "records")).encode()).hexdigest(),
        "coverage": hashlib.sha256("\n".join(coverage).encode()).hexdigest(),
    }


def head(case: Path) -> tuple[Head | None, str]:
    """The newest event a reader sees, and its kind."""
    with suppress(sqlite3.Error):
        connection = sqlite3.connect(f"file:{case / 'ledger.sqlite'}?mode=ro", uri=True)
        try:
            row = connection.execute("SELECT seq, hash, kind FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        finally:
            connection.close()
        if row:
            return Head(row[0], row[1].hex()), str(row[2])
    return None, "(nothing yet)"


def left(group: int) -> list[str]:
    """Processes of a group that still run."""
    found = []
    for name in os.listdir("/proc"):
        with suppress(OSError, IndexError):
            fields = (
                Path(f"/proc/{name}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                if name.isdigit()
                else []
            )
            if fields and int(fields[2]) == group and fields[0] != "Z":
                found.append(name)
    return found


def kill_once(case: Path, after: float, whole_group: bool) -> tuple[bool, str, list[str]]:
    """Start, wait, kill; whether it was killed in time, the kind of the newest event, and what was wrong."""
    process = start(case)
    with suppress(subprocess.TimeoutExpired):
        process.wait(after)
        process.communicate()
        return False, "(had ended)", []
    seen, _ = head(case)
    (os.killpg if whole_group else os.kill)(process.pid, signal.SIGKILL)
    process.communicate()
    deadline = time.monotonic() + 5
    while (orphans := left(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.02)
    problems = [f"orphans: {', '.join(orphans)}"] if orphans else []
    now, kind = head(case)
    if (case / "ledger.sqlite").exists():
        problems += [str(d) for d in verify_case(case, str(seen) if seen else None)]
        if seen and (now is None or now.seq < seen.seq):
            problems.append(f"event {seen.seq} was there before the kill and is gone")
    return True, kind, problems


def main() -> None:
    """Kill, check, resume, compare."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 32)
    choice, bad, done, cases, moments = random.Random(seed), 0, 0, 0, Counter[str]()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="wigmore-kill-run-") as name:
        folder = Path(name)
        if len(sys.argv) > 3:
            first = folder / "demo" / "case"
            first.parent.mkdir()
            subprocess.run(
                [sys.executable, "-m", "wigmore.cli.main", "new", str(first), sys.argv[3]],
                env=environment(),
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        else:
            first = small_case(folder / "demo", seed=7)
        text = (first / "case.yaml").read_text(encoding="utf-8")
        whole = folder / "whole"
        whole.mkdir()
        (whole / "case.yaml").write_text(text, encoding="utf-8")
        length = finish(whole)
        wanted = outcome(whole)
        print(f"never killed: {length:.1f} s, graph {wanted['graph'][:16]} (seed {seed})")
        while done < kills:
            case = folder / f"case-{cases}"
            case.mkdir()
            (case / "case.yaml").write_text(text, encoding="utf-8")
            for _ in range(choice.randint(1, LONGEST_CHAIN)):
                if done == kills:
                    break
                group, after = choice.random() < 0.5, length * choice.random()
                killed, kind, problems = kill_once(case, after, group)
                if not killed:
                    break
                done += 1
                moments[kind] += 1
                bad += bool(problems)
                print(
                    f"kill {done:>4} {'group ' if group else 'parent'} after {after:5.2f} s  {kind:<18} "
                    f"{'; '.join(problems) or 'verified'}",
                    flush=True,
                )
            finish(case)
            found = outcome(case)
            wrong = [k for k in wanted if found[k] != wanted[k]]
            bad += bool(wrong)
            print(
                f"case {cases:>4} resumed to its end: {('DIFFERS in ' + ', '.join(wrong)) if wrong else 'the same'}",
                flush=True,
            )
            if wrong and os.environ.get("KEEP"):
                shutil.copytree(case, Path(os.environ["KEEP"]) / f"case-{cases}", dirs_exist_ok=True)
                shutil.copytree(whole, Path(os.environ["KEEP"]) / "whole", dirs_exist_ok=True)
            shutil.rmtree(case)
            cases += 1
    print(
        f"{done} kills in {cases} cases, newest event at the kill: {', '.join(f'{k} {n}' for k, n in sorted(moments.items()))}; "
        f"{bad} failures; {time.monotonic() - started:.0f} s"
    )
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
