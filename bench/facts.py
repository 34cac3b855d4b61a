"""Known facts read and questions answered: wigmore beside a plain strings dump and plaso, by the shared scorer, on one input.

`python bench/facts.py SHARED WORK [--plaso VENV] [--every N]`: SHARED holds evidence/ and score_facts.py. The evidence is copied
to WORK without its answer sheets (FACTS.csv and the like): a case that holds the answers would measure itself. Printed are,
of all facts of a kind, the shares that stand in one record (strict) or in the file's records (loose), and that `ask` answers
with the fact's path and without it (every Nth question of these); then how many questions put to a file that cannot answer
them are answered all the same. WORK keeps the case and plaso's events: what is there is not made again.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from wigmore.api.ask import ask
from wigmore.api.show import show

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHEETS = ("FACTS.csv", "MANIFEST.csv", "CASE.md", "README.md")
STRINGS = re.compile(rb"[\x20-\x7e]{4,}|(?:[\x20-\x7e]\x00){4,}")
LINE = re.compile(r"^(value|count|label): facts (\d+)  strict ([\d.]+)  loose ([\d.]+)  asked ([\d.]+)$", re.MULTILINE)
HOLDERS = ("composite", "images")  # such a file may hold what another file is asked for


def strings_records(root: Path, files: list[str]) -> Iterator[dict[str, object]]:
    """One record a string, ASCII and UTF-16LE."""
    for name in files:
        for found in STRINGS.finditer((root / name).read_bytes()):
            text = found.group(0).replace(b"\0", b"").decode("ascii")
            yield {"path": name, "data": {"text": text}, "times": {}, "time": None}


def plaso_records(root: Path, work: Path, venv: Path) -> Iterator[dict[str, object]]:
    """plaso's events: the folder as files, then each image by itself; an image it cannot read gives none."""
    images = sorted(p for p in root.rglob("*") if p.suffix.lower() in (".e01", ".qcow2", ".raw"))
    quiet = ["--status_view", "none", "-q", "--unattended"]
    for number, source in enumerate([root, *images]):
        storage, out, fresh = (work / f"p{number}{end}" for end in (".plaso", ".jsonl", ".new"))
        if not out.exists():
            storage.unlink(missing_ok=True)
            fresh.unlink(missing_ok=True)
            read = [*quiet, "--partitions", "all", "--vss_stores", "none", "--storage_file", str(storage), str(source)]
            write = [*quiet[:3], "-u", "-o", "json_line", "-w", str(fresh), str(storage)]
            for program, arguments in (("log2timeline", read), ("psort", write)):
                with suppress(subprocess.TimeoutExpired):
                    subprocess.run(
                        [str(venv / "bin" / program), *arguments],
                        cwd=work, capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=600,
                    )  # fmt: skip
            fresh.touch()
            fresh.rename(out)
        for line in out.open(encoding="utf-8"):
            event = json.loads(line)
            inner = re.sub(r"^[A-Z0-9]+:", "", str(event.get("display_name") or "")).replace("\\", "/")
            path = f"{source.relative_to(root)}/{inner.lstrip('/')}" if number else inner.removeprefix(f"{root}/")
            stamp = int(event.get("timestamp") or 0)
            moment = EPOCH + timedelta(microseconds=stamp if abs(stamp) < 2**55 else 0)
            yield {"path": path, "data": event, "times": {}, "time": moment.isoformat()}


def put(case: Path, rows: list[tuple[str, str, str]], out: Path) -> list[str]:
    """Ask a sheet, keep the answers as JSON lines, print how long it took; the status of each answer."""
    sheet = out.with_suffix(".csv")
    with sheet.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("id", "question", "path"), *rows])
    started = time.monotonic()
    answers = list(ask(case, "", file=sheet))
    took = time.monotonic() - started
    out.write_text("".join(json.dumps(a, sort_keys=True) + "\n" for a in answers), encoding="utf-8")
    print(f"{out.name}: {len(answers)} questions in {took:.0f} s, {took / max(len(answers), 1):.2f} s each")
    return [str(a["status"]) for a in answers]


def crossed(facts: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    """Each question with a file of another folder, never one that holds other files: a right tool answers none."""
    out = []
    for number, fact in enumerate(facts):
        others = (facts[(number + step) % len(facts)]["file"] for step in range(len(facts) // 2, len(facts)))
        folder = fact["file"].split("/")[0]
        other = next((o for o in others if o.split("/")[0] not in (*HOLDERS, folder)), None)
        if other and folder != "composite":
            out.append((fact["id"], fact["question"], other))
    return out


def score(shared: Path, table: Path, records: Path, answers: Path | None = None) -> dict[str, tuple[float, ...]]:
    """Of each kind of fact: number, strict, loose, asked."""
    command = [sys.executable, str(shared / "score_facts.py"), str(table), str(records)]
    command += ["--ask", str(answers)] if answers else []
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {kind: tuple(map(float, rest)) for kind, *rest in LINE.findall(text)}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("shared", type=Path)
    options.add_argument("work", type=Path)
    options.add_argument("--plaso", type=Path)
    options.add_argument("--every", type=int, default=1)
    given = options.parse_args()
    shared, work = given.shared.resolve(), given.work.resolve()
    root, case, sheet = work / "evidence", work / "case", shared / "evidence" / "FACTS.csv"
    if not root.exists():
        shutil.copytree(shared / "evidence", root, ignore=shutil.ignore_patterns(*SHEETS))
    if not case.exists():
        run = [sys.executable, "-m", "wigmore.cli.main", "run", str(root), "-o", str(case), "--progress", "none"]
        subprocess.run(run, stdout=subprocess.DEVNULL, check=False)
    with sheet.open(newline="", encoding="utf-8") as stream:
        facts = list(csv.DictReader(stream))
    ours, dump, peer = work / "ours.jsonl", work / "strings.jsonl", work / "plaso.jsonl"
    with ours.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in show(case, "records"))
    with dump.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(r) + "\n" for r in strings_records(root, sorted({f["file"] for f in facts})))
    if given.plaso:
        with peer.open("w", encoding="utf-8") as stream:
            stream.writelines(json.dumps(r) + "\n" for r in plaso_records(root, work, given.plaso.resolve()))
    put(case, [(f["id"], f["question"], f["file"]) for f in facts], work / "ask-path.jsonl")
    asked = facts[:: given.every]
    put(case, [(f["id"], f["question"], "") for f in asked], work / "ask-no-path.jsonl")
    states = put(case, crossed(facts), work / "ask-crossed.jsonl")
    part = work / "facts-asked.csv"
    with part.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(facts[0]))
        writer.writeheader()
        writer.writerows(asked)
    bare = work / "no-records.jsonl"
    bare.write_text("", encoding="utf-8")
    open_ask = score(shared, part, bare, work / "ask-no-path.jsonl")
    print(f"{'tool':8} {'kind':6} facts strict  loose  ask with path  ask without")
    for name, records in (("wigmore", ours), ("strings", dump), *([("plaso", peer)] if given.plaso else [])):
        own = name == "wigmore"
        for kind, (number, strict, loose, told) in score(
            shared, sheet, records, work / "ask-path.jsonl" if own else None
        ).items():
            said = f"{told:13.3f}  {open_ask.get(kind, (0.0,))[-1]:11.3f}" if own else ""
            print(f"{name:8} {kind:6} {number:5.0f}  {strict:.3f}  {loose:.3f}  {said}")
    print(f"questions of the wrong file that are answered: {states.count('answered')} of {len(states)}")


if __name__ == "__main__":
    main()
