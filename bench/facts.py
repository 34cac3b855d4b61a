"""Known facts read: wigmore beside a plain strings dump and plaso, by the shared scorer, on one input.

`python bench/facts.py SHARED WORK [--plaso VENV]`: SHARED holds evidence/ and score_facts.py. Value facts only, over all
kinds and over those that this version's parsers are for (not: mail, captures, encrypted containers, ESE databases). `ask` is
scored on the same facts with the fact's path given.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATER = ("email/", "encrypted/", "pcap/", "server_ual/")
STRINGS = re.compile(rb"[\x20-\x7e]{4,}|(?:[\x20-\x7e]\x00){4,}")


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


def score(shared: Path, facts: Path, records: Path, ask: Path | None = None) -> str:
    command = [sys.executable, str(shared / "score_facts.py"), str(facts), str(records), "--only", "value"]
    if ask is not None:
        command += ["--ask", str(ask)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().split("\n")[-1]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("shared", type=Path)
    options.add_argument("work", type=Path)
    options.add_argument("--plaso", type=Path)
    given = options.parse_args()
    shared, work = given.shared.resolve(), given.work.resolve()
    root, case = shared / "evidence", work / "case"
    work.mkdir(parents=True, exist_ok=True)
    with (root / "FACTS.csv").open(newline="") as stream:
        facts = list(csv.DictReader(stream))
    files = sorted({f["file"] for f in facts})
    scoped = work / "facts-scope.csv"
    with scoped.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(facts[0]))
        writer.writeheader()
        writer.writerows(f for f in facts if not f["file"].startswith(LATER))
    if not case.exists():
        subprocess.run(
            [sys.executable, "-m", "wigmore.cli.main", "run", str(root), "-o", str(case), "--progress", "none"],
            stdout=subprocess.DEVNULL,
            check=False,
        )
    sheet = work / "questions.csv"
    with sheet.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("id", "question", "path"))
        writer.writerows((f["id"], f["question"], f["file"]) for f in facts)
    ours, asked, dump = work / "ours.jsonl", work / "ask.jsonl", work / "strings.jsonl"
    run = [sys.executable, "-m", "wigmore.cli.main"]
    with ours.open("w") as stream:
        subprocess.run([*run, "show", str(case), "records", "-t", "jsonl"], stdout=stream, check=True)
    with asked.open("w") as stream:
        subprocess.run([*run, "ask", str(case), "-f", str(sheet), "-t", "jsonl"], stdout=stream, check=True)
    with dump.open("w") as stream:
        stream.writelines(json.dumps(r) + "\n" for r in strings_records(root, files))
    sets = [("wigmore", ours, asked), ("strings", dump, None)]
    if given.plaso:
        peer = work / "plaso.jsonl"
        with peer.open("w") as stream:
            stream.writelines(json.dumps(r) + "\n" for r in plaso_records(root, work, given.plaso.resolve()))
        sets.append(("plaso", peer, None))
    for label, table in (("all value facts", root / "FACTS.csv"), ("kinds of this version", scoped)):
        for name, records, ask in sets:
            print(f"{label:22} {name:8} {score(shared, table, records, ask)}")


if __name__ == "__main__":
    main()
