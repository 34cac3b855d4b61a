"""The composite cases against what is publicly known of them: is each act reported, only recorded, or without a trace?

`python bench/composites.py WORK [--shared ../shared] [--only 1,3]`: runs the four cases of SHARED/evidence/composite into WORK
(a case that is there is not run again) and checks the lines of composites_expected.py. An act is *reported* where an
indicator fired on a record of its own (a cited fact of that phenomenon has the act's value) and phenomenon and value stand in
report.html and in the JSON lines export; the hypothesis it speaks for is printed with its verdict. It is *only recorded* where
a record holds it and no indicator said so, *in raw bytes only* where strings of the files do, else there is *no trace*; the
terms that were tried are printed. People and contacts of the telephone are looked for among the clusters of its entities.
Exit code 1 where something expected left a trace and is not reported, 2 where the evidence is not there.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from composites_expected import CASES, CONTACTS, PEOPLE, Act
from wigmore.api.export import export
from wigmore.api.show import show
from wigmore.evidence.ewf_media import EwfMedia
from wigmore.model.identifiers import classify

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
FOR = ("direct_evidence", "supports", "consequence_observed", "prerequisite_met")
STRINGS = re.compile(rb"[\x20-\x7e]{6,}|(?:[\x20-\x7e]\x00){6,}")
BLOCK, OVERLAP = 1 << 24, 1 << 13
Row = dict[str, Any]


class Case:
    """A case that ran: what it reports, and all text of its records."""

    def __init__(self, folder: Path, evidence: Path) -> None:
        self.folder, self.evidence = folder, evidence
        self.phenomena = [p for p in show(folder, "phenomena") if not p["negative"]]
        self.hypotheses = {h["id"]: h for h in show(folder, "hypotheses")}
        self.edges: dict[str, list[Row]] = defaultdict(list)
        for edge in show(folder, "edges"):
            self.edges[edge["phenomenon_id"]].append(edge)
        report = sorted(folder.glob("runs/*/report.html"))[-1].read_text(encoding="utf-8")
        self.report = " ".join(html.unescape(re.sub(r"<[^>]+>", "", report)).split())
        made = export(folder, ["jsonl"], folder / "exported")
        self.exported = made.files[0].read_text(encoding="utf-8")
        self.records = [
            (r["artifact"], r["path"], json.dumps(r["data"], ensure_ascii=False).replace("\\\\", "\\"))
            for r in show(folder, "records")
        ]

    def shown(self, phenomenon: Row, value: str) -> bool:
        """Whether report and export hold the phenomenon, and the report this value (it breaks and clips long ones)."""
        named = all(phenomenon["id"] in text for text in (self.report, self.exported))
        return named and " ".join(value.split())[:300] in self.report

    def reports(self, act: Act) -> Iterator[tuple[Row, str, str]]:
        """The phenomena of the act with the fact's name and value, the surest hypothesis first."""
        for phenomenon in sorted(
            self.phenomena, key=lambda p: act.rules.index(p["rule"]) if p["rule"] in act.rules else 99
        ):
            if phenomenon["rule"] in act.rules:
                for fact in phenomenon["verified_facts"]:
                    value = fact["value"] if isinstance(fact["value"], str) else json.dumps(fact["value"])
                    if re.search(act.value, value, re.IGNORECASE) and self.shown(phenomenon, value):
                        yield phenomenon, fact["name"], value
                        break

    def verdicts(self, phenomenon: Row) -> list[str]:
        """The hypotheses that a phenomenon speaks for, with their verdicts."""
        said = {e["hypothesis_id"]: e["edge_type"] for e in self.edges[phenomenon["id"]] if e["edge_type"] in FOR}
        return [f"{e} → {self.hypotheses[h]['template']}: {self.hypotheses[h]['conclusion']}" for h, e in said.items()]

    @cached_property
    def strings(self) -> list[tuple[str, str]]:
        """The strings of the evidence, a line each, by block."""
        return [
            (name, "\n".join(x.group(0).replace(b"\0", b"").decode("ascii") for x in STRINGS.finditer(block)))
            for name, block in raw_blocks(self.evidence)
        ]

    def trace(self, act: Act) -> str:
        """Where the act's terms stand: in records, in raw bytes, or nowhere."""
        found = Counter(a for a, _, text in self.records if re.search(act.terms, text, re.IGNORECASE))
        if found:
            return f"only recorded: {', '.join(f'{n} × {a}' for a, n in found.most_common(4))}"
        for name, text in self.strings:
            if re.search(act.terms, text, re.IGNORECASE):
                return f"in raw bytes only: {name}"
        return ""


def raw_blocks(evidence: Path) -> Iterator[tuple[str, bytes]]:
    """The bytes of all files, or of the medium inside an image, in overlapping blocks."""
    for path in [evidence] if evidence.is_file() else sorted(p for p in evidence.rglob("*") if p.is_file()):
        with path.open("rb") as stream:
            source = EwfMedia([stream]) if path.suffix == ".E01" else stream
            at = 0
            while True:
                source.seek(at)
                if not (block := source.read(BLOCK)):
                    break
                yield f"{path.name} at {at}", block
                at += len(block) - OVERLAP if len(block) == BLOCK else len(block)


def related(named: str, wanted: str) -> bool:
    """The same technique, its parent or its child."""
    return named == wanted or named.startswith(wanted + ".") or wanted.startswith(named + ".")


def judge(case: Case, act: Act) -> tuple[str, bool]:
    """The line of an act, and whether it went as it must."""
    for phenomenon, name, value in case.reports(act):
        said = "; ".join(case.verdicts(phenomenon)) or "bears on no hypothesis"
        named = [t for t in phenomenon["attack"] if any(related(t, w) for w in act.attack)]
        missing = "" if named or not act.attack else f" [technique named: {', '.join(phenomenon['attack']) or 'none'}]"
        text = f"{phenomenon['rule']}{missing} {name}={' '.join(value.split())[:90]!r}; {said}"
        return f"reported      {text}", not act.attack or bool(named) or act.recorded_only
    trace = case.trace(act)
    if trace:
        return f"{trace} (terms {act.terms})", act.recorded_only
    return f"no trace in the image (records and strings; terms {act.terms})", True


def people(case: Case) -> Iterator[tuple[str, bool]]:
    """Whether each person's identifiers stand in one cluster, and no cluster holds those of two people."""
    cluster_of: dict[str, set[str]] = defaultdict(set)
    names: dict[str, str] = {}
    for row in show(case.folder, "entities"):
        if row["type"] == "person":
            names[row["cluster"]] = row["cluster_name"]
            for identifier in row["identifiers"]:
                cluster_of[classify(identifier["type"], identifier["value"], "US").value].add(row["cluster"])
    held: dict[str, set[str]] = defaultdict(set)
    for person, identifiers in PEOPLE.items():
        known = {i: cluster_of.get(classify(kind, i, "US").value, set()) for kind, i in identifiers}
        found = set().union(*known.values())
        for cluster in found:
            held[cluster].add(person)
        lost = [i for i, clusters in known.items() if not clusters]
        good = len(found) == 1 and not lost
        text = f"{person}: {len(known) - len(lost)} of {len(known)} identifiers in {len(found)} cluster(s) "
        yield f"{text}{sorted(names[c] for c in found)}" + (f", not named: {lost}" if lost else ""), good
    merged = [sorted(who) for who in held.values() if len(who) > 1]
    yield f"clusters that hold two people: {merged or 'none'}", not merged


def contacts(case: Case) -> Iterator[tuple[str, bool]]:
    """Whether who contacted whom, and how often, stands between the clusters."""
    rules = {p["id"]: p["rule"] for p in case.phenomena}
    links = [x for x in show(case.folder, "links") if x["relation"] == "contacted"]
    for what, rule, first, second, count in CONTACTS:
        found = [
            x
            for x in links
            if rules.get(x["phenomenon_id"]) == rule
            and re.fullmatch(first, x["first_cluster_name"])
            and re.fullmatch(second, x["second_cluster_name"])
        ]
        total = sum(x["count"] for x in found)
        between = (
            f"{found[0]['first_cluster_name']} → {found[0]['second_cluster_name']}" if found else f"{first} → {second}"
        )
        yield f"{what}: {between}: {total} of {count}", total == count


def main() -> int:
    """Print one line an act; the number of lines that went otherwise decides the exit code."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("work", type=Path)
    options.add_argument("--shared", type=Path, default=SHARED)
    options.add_argument("--only", default="")
    given = options.parse_args()
    root = given.shared / "evidence" / "composite"
    if not root.is_dir():
        print(f"no composite cases in {root}: nothing was checked", file=sys.stderr)
        return 2
    bad = 0
    for number, (title, source, acts) in CASES.items():
        if given.only and number not in given.only.split(","):
            continue
        folder = given.work.resolve() / f"case{number}"
        if not folder.exists():
            run = [sys.executable, "-m", "wigmore.cli.main", "run", str(root / source), "-o", str(folder)]
            subprocess.run([*run, "--progress", "none", "--jobs", "1"], stdout=subprocess.DEVNULL, check=False)
        case = Case(folder, root / source)
        print(f"== case {number}: {title}")
        lines = [(f"{', '.join(a.attack) or '-':<24} {a.what:<52}", *judge(case, a)) for a in acts]
        if number == "2":
            lines += [("", *line) for line in (*people(case), *contacts(case))]
        for head, text, good in lines:
            bad += not good
            print(f"{'ok ' if good else 'BAD'} {head} {text}")
        tally = Counter(text.split("  ")[0].split(":")[0].split(" (")[0] for head, text, _ in lines if head)
        print(f"-- {dict(tally)}")
        print("-- verdicts: " + "; ".join(
            f"{h['title']}: {h['conclusion']}" for h in case.hypotheses.values()
            if not h["innocent"] and not h["standing"] and h["conclusion"] != "open" and "/" not in h["template"]
            and not h["template"].startswith("same_")
        ))  # fmt: skip
    print(f"{bad} expected lines went otherwise")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
