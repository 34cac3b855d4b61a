"""Measures `wigmore ask`: every fact of a folder of evidence as a question, scored by the folder's own scorer.

usage: ask_facts.py CASE SHARED [--records RECORDS.jsonl] [-o DIR] [--unscoped] [--crossed N]

CASE is a finished case over SHARED/evidence; SHARED holds evidence/FACTS.csv and score_facts.py. `--unscoped` asks without
the path; `--crossed N` asks N questions of the wrong file (a right tool answers none) and prints how many it answered.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from wigmore.api.ask import ask
from wigmore.api.show import show


def run(case: Path, rows: list[tuple[str, str, str]], out: Path) -> list[dict[str, object]]:
    """Ask a sheet and keep the answers as JSON lines."""
    sheet = out.with_suffix(".csv")
    with sheet.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("id", "question", "path"), *rows])
    started = time.monotonic()
    answers = list(ask(case, "", file=sheet))
    out.write_text("".join(json.dumps(a, sort_keys=True) + "\n" for a in answers), encoding="utf-8")
    states = {s: sum(a["status"] == s for a in answers) for s in ("answered", "unanswered", "refused")}
    print(f"{out.name}: {len(answers)} questions in {time.monotonic() - started:.1f} s: {states}")
    return answers


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("case", type=Path)
    reader.add_argument("shared", type=Path)
    reader.add_argument("--records", type=Path)
    reader.add_argument("-o", type=Path)
    reader.add_argument("--unscoped", action="store_true")
    reader.add_argument("--crossed", type=int, default=0)
    options = reader.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.o or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        table = options.shared / "evidence" / "FACTS.csv"
        with table.open(newline="", encoding="utf-8") as stream:
            facts = list(csv.DictReader(stream))
        records = options.records
        if records is None:
            records = folder / "records.jsonl"
            with records.open("w", encoding="utf-8") as stream:
                for row in show(options.case, "records"):
                    stream.write(json.dumps(row, sort_keys=True) + "\n")
        answers = folder / "ask.jsonl"
        run(options.case, [(f["id"], f["question"], "" if options.unscoped else f["file"]) for f in facts], answers)
        scorer = options.shared / "score_facts.py"
        subprocess.run([sys.executable, scorer, table, records, "--ask", answers, "--only", "value"], check=True)
        if options.crossed:
            step = len(facts) // 2 + 7  # another kind of file, always the same one
            rows = [(f["id"], f["question"], facts[(n + step) % len(facts)]["file"]) for n, f in enumerate(facts)]
            run(options.case, rows[: options.crossed], folder / "crossed.jsonl")


if __name__ == "__main__":
    main()
