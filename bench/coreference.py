"""Coreference over generated circles of people: pairwise precision, recall, F1, and false merges of namesakes.

    python bench/coreference.py [--seeds 11-20] [--people 20] [--keep FOLDER] [--show]

Each seed draws a circle (generator/people.py), writes a laptop, an iPhone and a tablet, runs wigmore on them, and compares the
clusters of the entity graph with the people who were drawn. Rules were chosen on seeds 1 to 3; 11 to 20 are reported. A pair
counts as missed where a chain of the person's own numbers and addresses ties it; pairs that only a name, a shared line or a
shared mailbox ties are told apart: to join them would be to guess.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path
from typing import Any

from wigmore.generator.people import Circle, circle
from wigmore.generator.people_devices import DEVICES, devices, of_whom
from wigmore.model.identifiers import classify


def tied(known: list[tuple[dict[str, Any], int]], drawn: Circle) -> dict[str, str]:
    """For each entity the first of those that a chain of the person's own numbers and addresses ties it to."""
    chain = {row["id"]: row["id"] for row, _ in known}
    holders: dict[tuple[int, str], str] = {}
    for row, member in known:
        own = {*drawn.members[member].phones, *drawn.members[member].emails}
        for identifier in row["identifiers"]:
            value = classify(identifier["type"], identifier["value"], "DE").value
            if value in own:
                first = holders.setdefault((member, value), row["id"])
                low, high = sorted((chain[first], chain[row["id"]]))
                chain = {name: low if stands == high else stands for name, stands in chain.items()}
    return chain


def score(drawn: Circle, rows: Iterable[dict[str, Any]], sources: dict[str, str]) -> dict[str, Any]:
    """Counts of pairs over the entities of drawn people: right, wrong, missed; and which."""
    known = []
    for row in rows:
        if row["type"] == "person":
            identifiers = [(i["type"], i["value"]) for i in row["identifiers"]]
            member = of_whom(drawn, sources[row["source_id"]], identifiers)
            if member is not None:
                known.append((row, member))
    right, wrong, missed, untied = 0, [], [], 0
    chains = tied(known, drawn)
    for (one, a), (other, b) in combinations(known, 2):
        joined = one["cluster"] == other["cluster"]
        right += joined and a == b
        if joined and a != b:
            wrong.append((a, b, one, other))
        if not joined and a == b:
            missed.append((a, one, other))
            untied += chains[one["id"]] != chains[other["id"]]
    names = {m.number: m.name for m in drawn.members}
    return {
        "entities": len(known),
        "people": len({m for _, m in known}),
        "right": right,
        "wrong": wrong,
        "missed": missed,
        "untied": untied,
        "namesakes": sum(names[a] == names[b] for a, b, *_ in wrong),
    }


def rows_of(case: Path, what: str) -> list[dict[str, Any]]:
    """A view of a case."""
    done = subprocess.run(
        [sys.executable, "-m", "wigmore.cli.main", "show", str(case), what, "-t", "jsonl"],
        check=True,
        capture_output=True,
        text=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def run(seed: int, people: int, folder: Path) -> tuple[Circle, Path]:
    """Draw, write and investigate one circle; the circle and the case's folder."""
    drawn = circle(seed, people)
    paths = devices(folder / "evidence", drawn, seed)
    case = folder / "case"
    done = subprocess.run(
        [sys.executable, "-m", "wigmore.cli.main", "run", *map(str, paths), "-o", str(case), "--progress", "none"],
        check=False,
        capture_output=True,
    )
    if done.returncode not in (0, 3):  # 3: whole, with gaps that it names
        raise SystemExit(f"the run of seed {seed} ended {done.returncode}: {done.stderr.decode()[-2000:]}")
    return drawn, case


def main() -> int:
    """Run the seeds asked for and print a line each, then the sums; 1 where the aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="11-20")
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    first, _, last = options.seeds.partition("-")
    total = {"right": 0, "wrong": 0, "missed": 0, "untied": 0, "namesakes": 0}
    for seed in range(int(first), int(last or first) + 1):
        with tempfile.TemporaryDirectory(dir=options.keep) as scratch:
            folder = Path(scratch) if options.keep is None else options.keep / f"seed-{seed}"
            folder.mkdir(parents=True, exist_ok=True)
            drawn, case = run(seed, options.people, folder)
            sources = {s["id"]: next(d for d in DEVICES if f"/{d}" in s["path"]) for s in rows_of(case, "custody")}
            said = score(drawn, rows_of(case, "entities"), sources)
        wrong, missed = len(said["wrong"]), len(said["missed"])
        f1 = f_one(said["right"], wrong, missed - said["untied"])
        print(
            f"seed {seed}: {said['entities']} entities of {said['people']} people, {said['right']} pairs right, {wrong} "
            f"wrong ({said['namesakes']} of namesakes), {missed - said['untied']} missed, F1 {f1:.4f}; {said['untied']} more "
            "pairs of a person are tied by no number or address of theirs",
            flush=True,
        )
        if options.show:
            for a, b, one, other in said["wrong"]:
                print("  WRONG", drawn.members[a], drawn.members[b], brief(one), brief(other), sep="\n    ")
            for a, one, other in said["missed"]:
                print("  MISSED", drawn.members[a], brief(one), brief(other), sep="\n    ")
        for key in total:
            total[key] += said[key] if isinstance(said[key], int) else len(said[key])
    right, wrong, missed = total["right"], total["wrong"], total["missed"] - total["untied"]
    f1 = f_one(right, wrong, missed)
    print(
        f"all: precision {right / (right + wrong):.4f}, recall {right / (right + missed):.4f}, F1 {f1:.4f}, "
        f"false merges of namesakes {total['namesakes']}; with the {total['untied']} pairs that nothing in the evidence ties: "
        f"F1 {f_one(right, wrong, total['missed']):.4f}"
    )
    return 0 if f1 >= 0.97 and not total["namesakes"] else 1


def f_one(right: int, wrong: int, missed: int) -> float:
    """The harmonic mean of precision and recall."""
    return 2 * right / (2 * right + wrong + missed)


def brief(row: dict[str, Any]) -> str:
    """An entity in one line."""
    return f"{row['source_id']} {row['name']!r} {sorted({(i['type'], i['value']) for i in row['identifiers']})}"


if __name__ == "__main__":
    sys.exit(main())
