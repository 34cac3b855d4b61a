"""wigmore beside plaso on the same input in one run: `python bench/speed.py CASE_FOLDER [WORK]`.

CASE_FOLDER holds an E01 and `tree/` (shared evidence: composite/case1_windows_aptsim). A second input is that tree's files
20× under other names with changed bytes. Event logs, Prefetch, Amcache, file listing. plaso is installed into a virtual
environment of its own below WORK. Prints ratios: wall on the E01, CPU seconds on the difference of the inputs (start-up
cancelled), the whole run (reasoning, audit, report included) on both, and the counts.
"""

from __future__ import annotations

import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OURS = "windows.eventlog,windows.prefetch,windows.amcache,file_listing"
THEIRS = "winevtx,prefetch,winreg/amcache,filestat"
COPIES = 20
REPEATS = 3


def multiply(tree: Path, target: Path) -> None:
    """The tree's event logs, Prefetch and Amcache files 20×, each copy with other bytes at its end and another name."""
    for number in range(COPIES):
        for file in sorted(tree.rglob("*")):
            if not file.is_file() or file.suffix.lower() not in (".evtx", ".pf", ".hve"):
                continue
            folder = target / f"c{number:02d}" / file.parent.relative_to(tree)
            folder.mkdir(parents=True, exist_ok=True)
            name = f"{file.stem}-{number:02d}{file.suffix}"
            (folder / name).write_bytes(file.read_bytes() + number.to_bytes(4, "little"))


def timed(command: list[str], cwd: Path) -> tuple[float, float, str]:
    """Wall and CPU seconds (children included) and output of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 3):
        raise SystemExit(f"{' '.join(command)} ended {done.returncode}: {done.stderr[-2000:]}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def ours_extract(evidence: Path, work: Path) -> tuple[float, float, str]:
    shutil.rmtree(work / "extract", ignore_errors=True)
    script = str(Path(__file__).with_name("extract.py"))
    return timed([sys.executable, script, str(evidence), str(work / "extract"), OURS, "2"], work)


def ours_run(evidence: Path, work: Path) -> tuple[float, float, str]:
    shutil.rmtree(work / "run", ignore_errors=True)
    return timed(
        [
            sys.executable,
            "-m",
            "wigmore.cli.main",
            "run",
            str(evidence),
            "-o",
            str(work / "run"),
            "--parsers",
            OURS,
            "--progress",
            "none",
        ],
        work,
    )


def theirs(evidence: Path, work: Path, plaso: Path) -> tuple[float, float, str]:
    (work / "p.plaso").unlink(missing_ok=True)
    return timed(
        [
            str(plaso / "bin" / "log2timeline"),
            "--status_view",
            "none",
            "--parsers",
            THEIRS,
            "--partitions",
            "all",
            "--vss_stores",
            "none",
            "--unattended",
            "-q",
            "--storage_file",
            "p.plaso",
            str(evidence),
        ],
        work,
    )


def main() -> None:
    case = Path(sys.argv[1]).resolve()
    work = Path(sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp(prefix="wigmore-speed-")).resolve()
    work.mkdir(parents=True, exist_ok=True)
    plaso = work / "plaso-venv"
    if not (plaso / "bin" / "log2timeline").exists():
        subprocess.run([sys.executable, "-m", "venv", str(plaso)], check=True)
        subprocess.run([str(plaso / "bin" / "pip"), "-q", "install", "plaso"], check=True)
    image, big = next(case.glob("*.E01")), work / "x20"
    if not big.exists():
        multiply(case / "tree", big)
    rows: dict[str, dict[str, tuple[float, float]]] = {}
    counts: dict[str, str] = {}
    for name, evidence, repeats in (("E01", image, REPEATS), ("x20", big, 1)):
        rows[name] = {}
        for what, function in (
            ("extraction", lambda e=evidence: ours_extract(e, work)),
            ("run", lambda e=evidence: ours_run(e, work)),
            ("plaso", lambda e=evidence: theirs(e, work, plaso)),
        ):
            results = [function() for _ in range(repeats)]
            rows[name][what] = (statistics.median(r[0] for r in results), statistics.median(r[1] for r in results))
            if what == "extraction":
                counts[name] = results[-1][2].strip()
    for name, table in rows.items():
        for what, (wall, cpu) in table.items():
            print(f"{name:4} {what:11} wall {wall:8.2f} s  cpu {cpu:8.2f} s")
    for name, text in counts.items():
        print(f"{name} counts: {json.dumps(json.loads(text))}")
    difference = {w: rows["x20"][w][1] - rows["E01"][w][1] for w in ("extraction", "plaso")}
    print(
        f"extraction, wall on the E01:             {rows['E01']['plaso'][0] / rows['E01']['extraction'][0]:6.1f} x (wanted 10)"
    )
    print(
        f"extraction, CPU on the difference:       {difference['plaso'] / difference['extraction']:6.1f} x (wanted 5)"
    )
    for name in rows:
        print(
            f"whole run, wall on {name}:                 {rows[name]['plaso'][0] / rows[name]['run'][0]:6.1f} x (wanted 3)"
        )


if __name__ == "__main__":
    main()
