"""A whole run over each kind folder and each image of a shared evidence folder: `python bench/evidence_runs.py EVIDENCE [ONLY]`.

Prints exit code, files, rows, failed coverage rows, audit and seconds of each. Exit code 1 where a run ended otherwise than
0 or 3, printed a traceback, was not approved by its audit, left a file that a parser claims without a coverage row (judged
anew from the bytes of each file of a folder), or wrote anything outside its case: into the evidence, its home, working and
temporary folders (its own, empty before), beside the case, or new names in the places where absolute paths would lead.
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

from wigmore.records.examine import choose
from wigmore.registry import HEAD, parsers

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


def wigmore(*args: str, private: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line, with `private` in folders of its own for all that is not the case."""
    environment = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", str(SOURCE))}
    if private is not None:
        for name in ("HOME", "TMPDIR"):
            (private / name).mkdir()
            environment[name] = str(private / name)
        (private / "cwd").mkdir()
    return subprocess.run(
        [sys.executable, "-m", "wigmore.cli.main", *args],
        env=environment,
        cwd=None if private is None else private / "cwd",
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


def unclaimed(path: Path, covered: set[tuple[str, str]]) -> list[str]:
    """Files of a folder that a parser claims, by their bytes, and that have no coverage row of that parser."""
    known = parsers()
    missing = []
    for file in sorted(p for p in path.rglob("*") if p.is_file() and not p.is_symlink()) if path.is_dir() else ():
        size, name = file.stat().st_size, file.relative_to(path).as_posix()
        with file.open("rb") as stream:
            head = stream.read(HEAD)
        for parser in choose(known, head, name, size) if size else ():
            if (name, parser.name) not in covered:
                missing.append(f"{name} ({parser.name})")
    return missing


def places(path: Path) -> dict[str, set[tuple[str, int]]]:
    """What lies where a hostile name could lead: the evidence whole (names and times), other places by their names."""
    inside = path.rglob("*") if path.is_dir() else [path]
    out = {"evidence": {(str(p), p.lstat().st_mtime_ns) for p in inside}}
    for place in ("/", "/etc", "/root", "/tmp", "/var/tmp", "/usr/local/bin", str(path.parent)):
        out[place] = {(name, 0) for name in os.listdir(place)}
    return out


def strayed(
    before: dict[str, set[tuple[str, int]]], after: dict[str, set[tuple[str, int]]], private: Path
) -> list[str]:
    """What a run wrote outside its case."""
    out = [f"{place}: {name}" for place in before for name, _ in sorted(after[place] - before[place])]
    out += [str(p) for name in ("HOME", "TMPDIR", "cwd") for p in sorted((private / name).iterdir())]
    return out + [str(p) for p in private.iterdir() if p.name not in ("HOME", "TMPDIR", "cwd", "case")]


def examine(path: Path, private: Path) -> tuple[str, bool]:
    """One line about a run, and whether it went as it must."""
    started = time.monotonic()
    private.mkdir()
    case, before = private / "case", places(path)
    try:
        done = wigmore("run", str(path), "-o", str(case), "--progress", "none", "--jobs", "2", private=private)
    except subprocess.TimeoutExpired:
        return f"HUNG after {TIMEOUT} s", False
    seconds = time.monotonic() - started
    if done.returncode not in (0, 3) or "Traceback" in done.stderr:
        return f"exit {done.returncode}: {done.stderr.strip()[-400:]}", False
    stray = strayed(before, places(path), private)
    rows: Counter[str] = Counter()
    covered: set[tuple[str, str]] = set()
    for line in wigmore("show", str(case), "coverage", "-t", "jsonl").stdout.splitlines():
        row = json.loads(line)
        rows["failed"] += row["outcome"] == "failed"
        rows["crashed"] += row["reason_code"] in ("crashed", "timeout", "memory")
        rows["records"] += row["records"]
        covered.add((row["path"], row["parser"].partition("@")[0]))
    listed = sum(p.suffix == ".parquet" for p in case.glob("records/*/file_listing/*"))
    run = json.loads(next(iter(sorted(case.glob("runs/*/run.json")))).read_text(encoding="utf-8"))
    audit = run["audit"]
    for line in (
        wigmore("show", str(case), "records", "--artifact", "file_listing", "-t", "jsonl").stdout.splitlines()
        if listed
        else ()
    ):
        rows["files"] += json.loads(line)["data"]["kind"] == "file"
    missing = unclaimed(path, covered)
    good = audit["overall"] == "approve" and audit["citations_checked"] == audit["citations_reproduced"]
    text = (
        f"exit {done.returncode}  {rows['files']:>6} files  {rows['records']:>8} rows  {rows['failed']:>4} failed "
        f"({rows['crashed']} crashed or stopped)  audit {audit['overall']} {audit['citations_reproduced']}/"
        f"{audit['citations_checked']}  {seconds:6.1f} s"
    )
    if not good:
        text += "  " + "; ".join(f"{f['code']}: {f['message']} ({f['where']})" for f in audit["findings"][:3])
    if stray:
        text += f"  wrote outside its case: {', '.join(stray[:5])}"
    if missing:
        text += f"  {len(missing)} claimed files without a coverage row: {', '.join(missing[:5])}"
    return text, good and not stray and not missing


def main() -> None:
    """Print one line an item."""
    evidence = Path(sys.argv[1]).resolve()
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
