"""A whole run over each kind folder and each image of a shared evidence folder: `python bench/evidence_runs.py EVIDENCE [ONLY]`.

Prints exit code, files, rows, failed coverage rows, audit and seconds of each. Exit code 1 where a run ended otherwise than
0 or 3, printed a traceback, or was not approved by its audit.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src"
IMAGES = (
    ".e01",
    ".qcow2",
    ".raw",
    ".dd",
    ".img",
    ".iso",
    ".dmg",
    ".vhd",
    ".vhdx",
    ".vmdk",
    ".001",
    ".aff",
    ".lo",
    ".vdi",
)
TIMEOUT = 900


def wigmore(*args: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    environment = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", str(SOURCE))}
    return subprocess.run(
        [sys.executable, "-m", "wigmore.cli.main", *args],
        env=environment,
        text=True,
        capture_output=True,
        check=False,
        timeout=TIMEOUT,
    )


def items(evidence: Path) -> list[Path]:
    """Kind folders, cases of the composite folder, and images one by one."""
    out: list[Path] = []
    for folder in sorted(p for p in evidence.iterdir() if p.is_dir()):
        out.extend(sorted(p for p in folder.iterdir() if p.is_dir()) if folder.name == "composite" else [folder])
    out += sorted(p for p in evidence.rglob("*") if p.is_file() and p.suffix.lower() in IMAGES)
    return out


def examine(path: Path, case: Path) -> tuple[str, bool]:
    """One line about a run, and whether it went as it must."""
    started = time.monotonic()
    try:
        done = wigmore("run", str(path), "-o", str(case), "--progress", "none", "--jobs", "2")
    except subprocess.TimeoutExpired:
        return f"HUNG after {TIMEOUT} s", False
    seconds = time.monotonic() - started
    if done.returncode not in (0, 3) or "Traceback" in done.stderr:
        return f"exit {done.returncode}: {done.stderr.strip()[-400:]}", False
    rows: Counter[str] = Counter()
    for line in wigmore("show", str(case), "coverage", "-t", "jsonl").stdout.splitlines():
        row = json.loads(line)
        rows["failed"] += row["outcome"] == "failed"
        rows["crashed"] += row["reason_code"] in ("crashed", "timeout", "memory")
        rows["records"] += row["records"]
    listed = sum(p.suffix == ".parquet" for p in case.glob("records/*/file_listing/*"))
    run = json.loads(next(iter(sorted(case.glob("runs/*/run.json")))).read_text(encoding="utf-8"))
    audit = run["audit"]
    for line in (
        wigmore("show", str(case), "records", "--artifact", "file_listing", "-t", "jsonl").stdout.splitlines()
        if listed
        else ()
    ):
        rows["files"] += json.loads(line)["data"]["kind"] == "file"
    good = audit["overall"] == "approve" and audit["citations_checked"] == audit["citations_reproduced"]
    text = (
        f"exit {done.returncode}  {rows['files']:>6} files  {rows['records']:>8} rows  {rows['failed']:>4} failed "
        f"({rows['crashed']} crashed or stopped)  audit {audit['overall']} {audit['citations_reproduced']}/"
        f"{audit['citations_checked']}  {seconds:6.1f} s"
    )
    if not good:
        text += "  " + "; ".join(f"{f['code']}: {f['message']} ({f['where']})" for f in audit["findings"][:3])
    return text, good


def main() -> None:
    """Print one line an item."""
    evidence = Path(sys.argv[1])
    only = sys.argv[2] if len(sys.argv) > 2 else ""
    bad = 0
    with tempfile.TemporaryDirectory(prefix="wigmore-evidence-") as folder:
        for number, path in enumerate(items(evidence)):
            name = path.relative_to(evidence).as_posix()
            if only and only not in name:
                continue
            text, good = examine(path, Path(folder) / f"case-{number}")
            bad += not good
            print(f"{'ok ' if good else 'BAD'} {name:<60} {text}", flush=True)
    print(f"{bad} went otherwise than they must")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
