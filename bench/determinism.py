"""The same case gives the same graph: `python bench/determinism.py [EVIDENCE…]` (without a path: a generated case).

Runs each item twice with one worker and twice with two, offline, and compares the graph hashes, the coverage rows (without
their seconds) and the records. Exit code 1 where any differ.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from wigmore.api.demo import make

SOURCE = Path(__file__).resolve().parent.parent / "src"


def wigmore(*args: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    environment = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", str(SOURCE))}
    return subprocess.run(
        [sys.executable, "-m", "wigmore.cli.main", *args], env=environment, text=True, capture_output=True, check=False
    )


def digest(lines: list[str]) -> str:
    """A short hash of lines."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def outcome(case: Path) -> tuple[str, str, str]:
    """Graph hash, and short hashes of coverage and records."""
    graph = wigmore("show", str(case), "graph-hash").stdout.strip()
    coverage = []
    for line in wigmore("show", str(case), "coverage", "-t", "jsonl").stdout.splitlines():
        row = json.loads(line)
        row.pop("seconds")
        coverage.append(json.dumps(row, sort_keys=True))
    return graph, digest(coverage), digest(wigmore("show", str(case), "records", "-t", "jsonl").stdout.splitlines())


def compare(label: str, folder: Path, evidence: Path | None) -> bool:
    """Run four times; whether all came out the same."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for number, jobs in enumerate((1, 2, 2, 1)):
        started = time.monotonic()
        case = folder / str(number) / "case"  # one name: the folder's name is the case's number
        if evidence is None:
            case.mkdir(parents=True)
            (case / "case.yaml").write_text(
                (folder / "demo" / "case" / "case.yaml").read_text(encoding="utf-8"), encoding="utf-8"
            )
            done = wigmore("run", str(case), "--jobs", str(jobs), "-q")
        else:
            done = wigmore("run", str(evidence), "-o", str(case), "--jobs", str(jobs), "-q")
        if done.returncode not in (0, 3):
            print(f"BAD {label}: exit {done.returncode}: {done.stderr[-300:]}")
            return False
        found.setdefault(outcome(case), []).append(f"jobs {jobs}, {time.monotonic() - started:.1f} s")
    same = len(found) == 1
    for (graph, coverage, records), runs in found.items():
        print(
            f"{'ok ' if same else 'BAD'} {label:<50} graph {graph[:16]} coverage {coverage} records {records}: {'; '.join(runs)}",
            flush=True,
        )
    return same


def main() -> None:
    """Print one line an outcome."""
    good = True
    paths = [Path(a) for a in sys.argv[1:]]
    for path in paths or [None]:
        with tempfile.TemporaryDirectory(prefix="wigmore-determinism-") as name:
            folder = Path(name)
            if path is None:
                make(folder / "demo", seed=5)
            good &= compare(str(path or "generated case, seed 5"), folder, path)
    sys.exit(not good)


if __name__ == "__main__":
    main()
