"""Damaged copies of one file of each family, read in workers: `python bench/mutants.py SHARED WORK [--count 200] [--only NAME]`.

The file of a family (a parser, or the containers, by their ending) is a real one of SHARED; where none is there, the one
that the project's own tests have it read. Each copy is cut, has bits flipped, or runs of zeros (`wigmore.generator.damage`),
keeps its path and what lay beside it, and is parsed as a run parses: in workers, under their limits of time and memory. The
intact file is read again in each batch and must give the same rows. A worker that died, was stopped or ran out of memory,
an exception that no parser meant, and a failure without a reason are defects. Then two whole runs over a folder of all the
families' intact files, the second with damaged copies of each beside them: the intact files must give the same rows, and
nothing may be written outside. Prints a table; exit code 1 where anything was otherwise than it must.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from evidence_runs import places, strayed, wigmore
from samples import Found, found, opened
from wigmore.evidence.folder import FolderStore
from wigmore.evidence.source import SourceSpec
from wigmore.evidence.store import Entry
from wigmore.generator.damage import mutants
from wigmore.records.pool import Pool, batches
from wigmore.records.worker import spec_json
from wigmore.registry import HEAD, parsers

LARGEST = 4 * 1024 * 1024  # a family whose files are all larger is tried with its smallest
ENOUGH = 10  # records of a file that is worth damaging: more of them make a better sample no more
IN_RUN = 3  # damaged copies of each family in the whole run
UNMEANT = re.compile(
    r"(?:[A-Z]\w*(?:Error|Exception|Iteration)|error): "
)  # `TypeName: message`, by the boundary itself
TESTS = Path(__file__).resolve().parent.parent / "tests"


@dataclass
class Sample:
    """A file to damage: its path as parsers see it, its bytes, and what lies beside it by name."""

    family: str
    path: str
    content: bytes
    beside: dict[str, bytes]
    origin: str

    def write(self, folder: Path, content: bytes) -> None:
        """Lay the file, with this content, and what lies beside it below a folder."""
        target = folder / self.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        for name, other in self.beside.items():
            target.with_name(name).write_bytes(other)


@dataclass
class Result:
    """What became of a family's copies."""

    outcomes: Counter[str] = field(default_factory=Counter)
    defects: list[str] = field(default_factory=list)
    slowest: float = 0.0
    intact: float = 0.0
    rows: str = ""


def family(one: Found) -> str:
    """The parser; containers by how their names end."""
    return f"container{PurePosixPath(one.path).suffix.lower()}" if one.parser == "container" else one.parser


def real(evidence: Path, work: Path) -> Iterator[Sample]:
    """For each family the smallest real file that gives ten records, or else the one that gives most."""
    best: dict[str, Found] = {}
    for one in found(evidence, work):
        name = family(one)
        if one.parser == "file_listing" or not one.size:
            continue
        rank = (one.size > LARGEST, -min(one.records, ENOUGH) if one.size <= LARGEST else 0, one.size, one.path)
        old = best.get(name)
        if old is None or rank < (
            old.size > LARGEST,
            -min(old.records, ENOUGH) if old.size <= LARGEST else 0,
            old.size,
            old.path,
        ):
            best[name] = one
    for one, file in opened(evidence, list(best.values())):
        stem, folder = PurePosixPath(one.path).name, (evidence / one.path).parent
        beside = {} if one.prefix else {p.name: p.read_bytes() for p in folder.glob(f"{stem}?*") if p.is_file()}
        with file.open() as stream:
            yield Sample(family(one), one.path, stream.read(), beside, "real")


def made(work: Path) -> Iterator[Sample]:
    """The files that the project's own tests have parsers read (`tests/damaged.py` keeps them)."""
    kept = work / "kept"
    if not kept.exists():
        environment = {**os.environ, "WIGMORE_KEEP_SAMPLES": str(kept)}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(TESTS)]
        folders = sorted({str(p.parent) for p in TESTS.glob("*/test_*.py") if "artifacts" in p.read_text("utf-8")})
        subprocess.run([*command[:-1], *folders], env=environment, cwd=TESTS.parent, stdout=sys.stderr, check=False)
    for note in sorted(kept.glob("*.json")):
        path = "/".join(p for p in json.loads(note.read_text(encoding="utf-8")).split("/") if p not in ("", ".", ".."))
        content = (kept / note.stem / path).read_bytes()
        yield Sample(note.stem, claimed(note.stem, path, content), content, {}, "tests")


def claimed(name: str, path: str, content: bytes) -> str:
    """The path, or one by which the parser claims the file where a test called it by another."""
    claims = parsers()[name].claims
    likely = [path, *(glob.replace("*", "x") for glob in claims.paths)]
    return next((p for p in likely if claims(content[:HEAD], p, len(content))), path)


def samples(evidence: Path, work: Path) -> dict[str, Sample]:
    """One file a family, real ones before made ones."""
    return {s.family: s for s in [*made(work), *real(evidence, work)]}


def entries(source: SourceSpec, wanted: str) -> list[dict[str, Any]]:
    """The entries of a folder at that path below each of its own folders."""
    store = FolderStore(source.source_id, "", source.path)
    listed = [e for e in store.entries() if isinstance(e, Entry) and e.kind == "file"]
    return [e.to_json() for e in listed if e.path.partition("/")[2] == wanted]


def judge(row: Mapping[str, Any], result: Result, origin: str) -> None:
    """Count a coverage row, and note what is wrong with it."""
    partial = row["outcome"] == "found" and not row["complete"]
    result.outcomes["partial" if partial else row["outcome"]] += 1
    result.slowest = max(result.slowest, row["seconds"])
    unmeant = row["reason_code"] in ("crashed", "memory", "timeout") or UNMEANT.match(row["reason"])
    if unmeant or (row["outcome"] == "failed" and not (row["reason"] and row["reason_code"])):
        result.outcomes["defect"] += 1
        result.defects.append(f"{origin}: {row['reason_code']}: {row['reason'] or 'failed without a reason'}")


def read(pool: Pool, sample: Sample, folder: Path, count: int, numbers: Iterator[int]) -> Result:
    """Write the damaged copies of a sample and have the workers read them."""
    result, inside = Result(), sample.family.startswith("container")
    for number, (_, content) in enumerate(mutants(sample.content, count)):
        sample.write(folder / f"m{number:03d}", content)
    sample.write(folder / "intact", sample.content)
    source = SourceSpec(f"src-{next(numbers)}", folder, "tree")
    listed = entries(source, sample.path)
    intact = next(e for e in listed if e["path"].startswith("intact/"))
    base = {"kind": "parse", "source": spec_json(source), "secrets": {}, "source_id": source.source_id, "lists": []}

    def submit(wanted: list[dict[str, Any]], prefix: str = "") -> None:
        names = [] if inside else [sample.family]
        more = {"parsers": names, "listing": bool(prefix), "descend": inside, "spool": str(folder.parent / "spool")}
        pool.submit({**base, **more, "prefix": prefix, "entries": wanted})

    submit([intact])
    for batch in batches([e for e in listed if e is not intact]):
        submit([*batch, intact])
    spools = itertools.count()
    for task, answer in pool.answers():
        if answer["event"] == "file":
            entry = task["entries"][answer["index"]]
            task["reached"] = answer["index"] + 1
            rows = answer["coverage"]
            if entry["path"].startswith("intact/"):
                if not task["prefix"]:
                    _same(rows, result)
                continue
            if not rows and not task["prefix"]:
                result.outcomes["not recognised"] += 1
            for row in rows:
                judge(row, result, f"{entry['path']} ({sample.path})")
            for prefix in answer["inside"]:
                spool = str(folder.parent / f"list{next(spools)}")
                pool.submit({**base, "kind": "list", "prefix": prefix, "spool": spool})
        elif task["kind"] == "list" and answer["event"] == "done":
            with Path(task["spool"]).open(encoding="utf-8") as lines:
                for batch in batches([json.loads(line) for line in lines]):
                    submit(batch, task["prefix"])
        elif answer["event"] == "lost" or (answer["event"] == "error" and answer["code"] == "crashed"):
            result.outcomes["defect"] += 1
            result.defects.append(f"{answer.get('path')} ({sample.path}): {answer['code']}: {answer['reason']}")
            rest = task.get("entries", [])[task.get("reached", 0) + 1 :]
            if rest:
                submit(rest, task["prefix"])
    shutil.rmtree(folder)
    shutil.rmtree(folder.parent / "spool", ignore_errors=True)
    for file in folder.parent.glob("list*"):
        file.unlink()
    return result


def _same(rows: list[dict[str, Any]], result: Result) -> None:
    """The intact file gives what it gave before."""
    told = " ".join(
        f"{row['parser']} {row['outcome']} {row['records']} {row['rows_sha256']} {row['reason']}" for row in rows
    )
    result.intact = max([result.intact, *(row["seconds"] for row in rows)])
    result.rows = result.rows or told
    if not rows or told != result.rows:
        result.outcomes["defect"] += 1
        result.defects.append(f"the intact file gave other rows: {told or 'none'}")


def whole_runs(chosen: Mapping[str, Sample], work: Path) -> list[str]:
    """One run over all intact files, one with damaged copies beside them: what went otherwise than it must."""
    private, evidence = work / "private", work / "evidence"
    for folder in (private, evidence):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    for number, sample in enumerate(chosen.values()):
        sample.write(evidence / f"f{number:03d}" / "intact", sample.content)
    trouble: list[str] = []
    rows: dict[str, dict[tuple[str, str], str]] = {}
    for name in ("alone", "beside"):
        folder = private / name
        folder.mkdir()
        if name == "beside":
            for number, sample in enumerate(chosen.values()):
                for kind, content in mutants(sample.content, IN_RUN, seed=2):
                    sample.write(evidence / f"f{number:03d}" / kind, content)
        before = places(evidence)
        started = time.monotonic()
        done = wigmore("run", str(evidence), "-o", str(folder / "case"), "--progress", "none", private=folder)
        if done.returncode not in (0, 3) or "Traceback" in done.stderr:
            trouble.append(f"the run {name} ended {done.returncode}: {done.stderr[-500:]}")
            continue
        trouble += [f"written outside: {place}" for place in strayed(before, places(evidence), folder)]
        told = wigmore("show", str(folder / "case"), "coverage", "-t", "jsonl").stdout.splitlines()
        rows[name] = {}
        counted: Counter[str] = Counter()
        for row in map(json.loads, told):
            counted[row["outcome"]] += 1
            origin = f"run {name}: {row['path']} {row['parser']}"
            result = Result()
            judge(row, result, origin)
            trouble += result.defects
            if "/intact/" in row["path"]:
                rows[name][row["path"], row["parser"]] = row.get("rows_sha256") or f"{row['outcome']} {row['records']}"
        print(
            f"whole run {name}: exit {done.returncode}, {dict(counted)}, {time.monotonic() - started:.0f} s", flush=True
        )
    if len(rows) == 2:
        changed = sorted(place for place, told in rows["alone"].items() if rows["beside"].get(place) != told)
        trouble += [f"read otherwise beside damaged copies: {place}" for place in changed]
        print(f"intact files: {len(rows['alone'])} readings, {len(changed)} of them other beside damaged copies")
    return trouble


def main() -> None:
    """Print a row for each family."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("shared", type=Path)
    arguments.add_argument("work", type=Path)
    arguments.add_argument("--count", type=int, default=200)
    arguments.add_argument("--only", default="", help="families whose name contains this")
    arguments.add_argument("--no-run", action="store_true", help="leave the whole runs out")
    given = arguments.parse_args()
    work = given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    everything = samples(given.shared.resolve(), work)
    smallest_first = sorted(everything.items(), key=lambda item: (len(item[1].content), item[0]))
    chosen = {n: s for n, s in smallest_first if given.only in n and not n.startswith("lists.")}
    # parsers of lists apply the examiner's lists to any bytes: they have no format to damage
    for name in sorted(set(parsers()) - set(everything)):
        print(f"{name:<34} no sample: neither a real file nor one that a test makes")
    trouble: list[str] = []
    total: Counter[str] = Counter()
    columns = ("found", "partial", "empty", "failed", "not recognised", "defect")
    print(f"{'family':<34} {'of':<5} {'bytes':>9} " + " ".join(f"{c:>14}" for c in columns) + "  intact s  slowest s")
    numbers = itertools.count()
    with Pool(2) as pool:
        pool.catalogue()
        for name, sample in chosen.items():
            folder = work / "mutants" / "copies"
            shutil.rmtree(work / "mutants", ignore_errors=True)
            pool.forget_sources()
            result = read(pool, sample, folder, given.count, numbers)
            total += result.outcomes
            counts = " ".join(f"{result.outcomes[c]:>14}" for c in columns)
            print(
                f"{name:<34} {sample.origin:<5} {len(sample.content):>9} {counts} {result.intact:>9.3f} "
                f"{result.slowest:>10.3f}",
                flush=True,
            )
            for defect in result.defects[:8]:
                print(f"    {defect[:300]}", flush=True)
            trouble += result.defects
    if not given.no_run:
        trouble += whole_runs(chosen, work)
    print(f"{len(chosen)} families, {dict(total)}; {len(trouble)} defects")
    for defect in trouble[-40:] if not given.no_run else ():
        print(f"    {defect[:300]}")
    sys.exit(bool(trouble))


if __name__ == "__main__":
    main()
