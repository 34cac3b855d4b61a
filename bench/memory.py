"""Memory does not grow with the artifact: peak RSS at 10⁵ and 10⁶ rows, `python bench/memory.py [SMALL LARGE]`.

Generates access logs, runs `wigmore run` on them twice (extraction alone by `--parsers`, and whole), and samples the peak
resident set of the parent and of its workers from /proc until the run ends. Exit code 1 where a ratio is above 1.2.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from wigmore.generator.rows import generate_rows_tree

BOUND = 1.2
SOURCE = Path(__file__).resolve().parent.parent / "src"


@dataclass
class Peaks:
    """Peak resident sets in MiB, and how the run went."""

    parent: float = 0.0
    workers: dict[int, float] = field(default_factory=dict)
    seconds: float = 0.0
    code: int = -1

    @property
    def worker(self) -> float:
        """The largest of the workers."""
        return max(self.workers.values(), default=0.0)


def status(pid: int) -> tuple[int, float]:
    """Parent's id and peak resident set (MiB) of a process; (0, 0) once it is gone."""
    parent, peak = 0, 0.0
    try:
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("PPid:"):
                parent = int(line.split()[1])
            elif line.startswith("VmHWM:"):
                peak = int(line.split()[1]) / 1024
    except OSError:
        return 0, 0.0
    return parent, peak


def measure(evidence: Path, case: Path, *options: str) -> Peaks:
    """Run on the evidence and watch."""
    environment = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", str(SOURCE))}
    command = [
        sys.executable,
        "-m",
        "wigmore.cli.main",
        "run",
        str(evidence),
        "-o",
        str(case),
        "--progress",
        "none",
        *options,
    ]
    started, peaks = time.monotonic(), Peaks()
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peaks.parent = max(peaks.parent, status(process.pid)[1])
            for name in os.listdir("/proc"):
                if name.isdigit():
                    parent, peak = status(int(name))
                    if parent == process.pid or parent in peaks.workers:  # the nursery, and its copies
                        peaks.workers[int(name)] = max(peaks.workers.get(int(name), 0.0), peak)
            time.sleep(0.05)
    peaks.seconds, peaks.code = time.monotonic() - started, process.returncode
    return peaks


def main() -> None:
    """Print a table; exit code 1 where memory grew."""
    sizes = [int(a) for a in sys.argv[1:3]] or [100_000, 1_000_000]
    failed = False
    with tempfile.TemporaryDirectory(prefix="wigmore-memory-") as folder:
        trees = {rows: generate_rows_tree(Path(folder) / f"rows-{rows}", rows) for rows in sizes}
        for label, options in (
            ("extraction", ("--parsers", "web.access,file_listing", "--profile", "triage", "--no-audit")),
            ("whole run", ()),
        ):
            found = {}
            for rows, tree in trees.items():
                peaks = found[rows] = measure(tree, Path(folder) / f"case-{label.split()[0]}-{rows}", *options)
                print(
                    f"{label:<11} {rows:>9} rows: parent {peaks.parent:6.0f} MiB, workers "
                    f"{', '.join(f'{p:.0f}' for p in sorted(peaks.workers.values()))} MiB, "
                    f"{peaks.seconds:6.1f} s, exit {peaks.code}"
                )
                failed |= peaks.code not in (0, 3)
            small, large = found[sizes[0]], found[sizes[-1]]
            for who, one, many in (("parent", small.parent, large.parent), ("worker", small.worker, large.worker)):
                ratio = many / max(one, 1)
                failed |= ratio > BOUND
                print(
                    f"{label:<11} {who}: {ratio:.2f}× at {sizes[-1] / sizes[0]:g}× the rows "
                    f"({'ok' if ratio <= BOUND else 'GREW'})"
                )
    sys.exit(failed)


if __name__ == "__main__":
    main()
