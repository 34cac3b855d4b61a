"""Every export of a case, written and checked: what other programs would refuse, drop or alter.

`python bench/exports.py CASE [--only case,stix] [--case-validate PATH] [--stix-validate PATH]`: writes all formats of a case
to a folder of its own and prints for each its size, seconds, and what its check found. `case_validate` is of the package
case-utils, `stix2_validator` of stix2-validator: both are large, so they are installed elsewhere and named here; without
them the two files are only written. The Timesketch check does what its server does to a JSON line (timesketch/lib/utils.py,
read_and_validate_jsonl) and what its search index does to a row (data/generic.mappings): a field keeps the type of its first
value. The body file's columns are mactime's (sleuthkit.org, "Body file").
`python bench/exports.py --pdf 300,3000`: seconds, memory and pages of the PDF of made-up cases of so many observations.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from wigmore.api.export import export
from wigmore.registry import found

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DROPPED = {"_id", "_type", "_index", "_source", "__ts_timeline_id", "label"}
BODY = re.compile(
    r"[0-9a-f]{32}\|[^|\n]*\|[^|]+\|[rdl-]/[rdl-][r-][w-][x-][r-][w-][x-][r-][w-][x-]\|\d+\|\d+\|\d+\|\d+\|\d+\|\d+\|\d+"
    r"|0\|[^|\n]*\|[^|]+\|[rdl-]/[rdl-][r-][w-][x-][r-][w-][x-][r-][w-][x-]\|\d+\|\d+\|\d+\|\d+\|\d+\|\d+\|\d+"
)


def timesketch(path: Path) -> Counter[str]:
    """What Timesketch would refuse, drop or alter of a JSON lines file, by reason; `rows` counts all."""
    out: Counter[str] = Counter()
    types: dict[str, str] = {}
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            out["rows"] += 1
            row = json.loads(line)
            if not all(isinstance(row.get(n), str) and row[n] for n in ("message", "datetime", "timestamp_desc")):
                out["no message, datetime or timestamp_desc"] += 1
                continue
            try:
                moment = datetime.fromisoformat(row["datetime"])
            except ValueError:
                out["datetime cannot be read"] += 1
                continue
            if moment.utcoffset() is None or (moment - EPOCH) // timedelta(microseconds=1) != row.get("timestamp"):
                out["timestamp is another moment than datetime"] += 1
            if any(name.startswith("_") or name in DROPPED for name in row):
                out["a column is dropped"] += 1
            tags = row.get("tag", [])
            if not isinstance(tags, list) or not all(isinstance(t, str) and t for t in tags):
                out["a tag is dropped or split"] += 1
            for name, value in row.items():
                kind = type(value[0]).__name__ if isinstance(value, list) and value else type(value).__name__
                if value not in (None, []) and types.setdefault(name, kind) != kind:
                    out[f"{name} is of two types"] += 1
    return out


def bodyfile(path: Path) -> Counter[str]:
    """Lines that are not eleven columns of mactime's kinds."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return Counter({"rows": len(lines), "not a body line": sum(not BODY.fullmatch(line) for line in lines)})


def table(path: Path) -> Counter[str]:
    """Rows of another width than the head, cells that a spreadsheet cuts or runs."""
    csv.field_size_limit(1 << 24)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        head, *rows = csv.reader(stream)
    out = Counter({"rows": len(rows)})
    out["of another width"] = sum(len(r) != len(head) for r in rows)
    out["cut by spreadsheets"] = sum(len(c) > 32_767 for r in rows for c in r)
    out["run by spreadsheets"] = sum(
        c.lstrip(" ")[:1] in ("=", "+", "-", "@") and not re.fullmatch(r"-?[\d.e+-]+", c) for r in rows for c in r if c
    )
    return out


def json_lines(path: Path) -> Counter[str]:
    """Objects of the graph by type."""
    with path.open(encoding="utf-8") as stream:
        return Counter(f"{json.loads(line)['type']} rows" for line in stream)


def questions(path: Path) -> Counter[str]:
    """Components that a reader of DFIQ 1.1 would not take."""
    rows = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    ids = {r["id"] for r in rows}
    out = Counter({"rows": len(rows)})
    out["ids twice"] = len(rows) - len(ids)
    out["bad ids"] = sum(not re.fullmatch(r"[SFQ]0\d{3}", r["id"]) for r in rows)
    out["unknown parents"] = sum(p not in ids for r in rows for p in r.get("parent_ids", []))
    return out


def validator(program: Path | None, *arguments: str) -> Callable[[Path], Counter[str]]:
    """A check by another program: its exit code, and each line of its complaint."""

    def check(path: Path) -> Counter[str]:
        if program is None:
            return Counter({"not validated: no validator named": 0})
        done = subprocess.run([program, *arguments, path], capture_output=True, text=True, timeout=3600, check=False)
        said = [
            x.strip() for x in (done.stdout + done.stderr).splitlines() if re.search(r"Severity|\[X\]|\[!\]|rror", x)
        ]
        return Counter(said) + Counter({f"exit {done.returncode}": done.returncode})

    return check


def run(case: Path, folder: Path, checks: dict[str, Callable[[Path], Counter[str]]], only: list[str]) -> int:
    """Export and check each format; prints a table; how many formats failed."""
    bad = 0
    print(f"{'format':<12}{'bytes':>13}{'seconds':>9}  found")
    for name in only or list(found("format")):
        started = time.perf_counter()
        made = export(case, [name], folder)
        seconds = time.perf_counter() - started
        if made.missing:
            print(f"{name:<12}{'-':>13}{seconds:>9.1f}  {made.missing[0]}")
            continue
        path = made.files[0]
        said = checks[name](path) if name in checks else Counter()
        faults = {k: n for k, n in said.items() if n and not k.endswith("rows")}
        bad += bool(faults)
        counted = ", ".join(f"{n:,} {k}" for k, n in said.items() if k.endswith("rows"))
        unsure = next((k for k in said if k.startswith("not validated")), "")
        print(f"{name:<12}{path.stat().st_size:>13,}{seconds:>9.1f}  {unsure or faults or 'nothing wrong'} {counted}")
    return bad


def pdf_costs(sizes: list[int]) -> None:
    """Seconds, memory and pages of the PDF of cases of so many observations, each in a process of its own."""
    builders = Path(__file__).resolve().parent.parent / "tests" / "reports"
    program = (
        "import sys, time, resource, pathlib; sys.path.insert(0, sys.argv[2])\n"
        "from report_builders import report\nfrom wigmore.reports.pdf import pdf\nfrom pypdf import PdfReader\n"
        "n = int(sys.argv[1]); data = report(n, 'a text of some forty characters, as usual', max(2, n // 75), facts=6)\n"
        "before = time.process_time(); path = pdf(data, pathlib.Path(sys.argv[3]))\n"
        "print(time.process_time() - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,"
        " len(PdfReader(path).pages), path.stat().st_size)"
    )
    print(f"{'observations':>12}{'CPU s':>8}{'MiB':>8}{'pages':>7}{'bytes':>12}")
    first: tuple[float, float] | None = None
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-c", program, str(size), str(builders), folder],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
        cpu, memory, pages, size_ = (float(x) for x in done.stdout.split())
        first = first or (cpu, memory)
        ratio = f"  {cpu / first[0]:.2f}× time, {memory / first[1]:.2f}× memory"
        print(f"{size:>12,}{cpu:>8.1f}{memory:>8.0f}{pages:>7.0f}{size_:>12,.0f}{ratio}")


def main() -> int:
    """The table; 1 where a check found something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", type=Path, nargs="?")
    parser.add_argument("--only", default="")
    parser.add_argument("--case-validate", type=Path)
    parser.add_argument("--stix-validate", type=Path)
    parser.add_argument("--pdf", default="")
    arguments = parser.parse_args()
    if arguments.pdf:
        pdf_costs([int(x) for x in arguments.pdf.split(",")])
    if arguments.case is None:
        return 0
    checks: dict[str, Callable[[Path], Counter[Any]]] = {
        "timesketch": timesketch,
        "bodyfile": bodyfile,
        "csv": table,
        "jsonl": json_lines,
        "dfiq": questions,
        "case": validator(arguments.case_validate, "--built-version", "case-1.4.0"),
        "stix": validator(arguments.stix_validate, "--strict", "--strict-properties", "--enforce-refs", "--no-cache"),
    }
    with tempfile.TemporaryDirectory() as folder:
        bad = run(arguments.case, Path(folder), checks, [x for x in arguments.only.split(",") if x])
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB at most")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
