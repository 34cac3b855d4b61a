"""Change one thing of a finished case and audit it: `python bench/tamper.py [ROUNDS] [SEED]`.

Each round flips one byte of a source file, an output, a part of the records, a stored event; cuts the ledger's tail; rewrites
the chain whole (valid in itself) against the head that the run printed. The audit must say block and name the place. A
source, output or part must be named by its own path. Prints a table of found and missed; exit code 1 where any was missed.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from kill_run import small_case
from wigmore.api.audit import audit
from wigmore.api.run import Options, run
from wigmore.investigation.audit import Audit
from wigmore.investigation.case_file import read_case
from wigmore.ledger import GENESIS, link

Change = Callable[[Path, random.Random], tuple[str, str | None]]


def flip(file: Path, choice: random.Random) -> None:
    """Change one bit of a file, its times kept."""
    data = bytearray(file.read_bytes())
    data[choice.randrange(len(data))] ^= 1 << choice.randrange(8)
    file.write_bytes(data)


def some(folder: Path, pattern: str, choice: random.Random) -> Path:
    """A file below a folder that is not empty."""
    return choice.choice(sorted(p for p in folder.rglob(pattern) if p.is_file() and p.stat().st_size))


def source(case: Path, choice: random.Random) -> tuple[str, str | None]:
    """One byte of a file of evidence; the place is the file's path in its source."""
    root = choice.choice([s.path for s in read_case(case).sources])
    file = some(root, "*", choice) if root.is_dir() else root
    flip(file, choice)
    return file.relative_to(root).as_posix() if root.is_dir() else root.name, None


def output(case: Path, choice: random.Random) -> tuple[str, str | None]:
    """One byte of a recorded output."""
    file = some(case / "outputs", "*.zst", choice)
    flip(file, choice)
    return (file.parent.name + file.stem)[:16], None


def part(case: Path, choice: random.Random) -> tuple[str, str | None]:
    """One byte of a part of the records."""
    file = some(case / "records", "*.parquet", choice)
    flip(file, choice)
    return file.relative_to(case).as_posix(), None


def event(case: Path, choice: random.Random) -> tuple[str, str | None]:
    """One byte of one column of a stored event."""
    with sqlite3.connect(case / "ledger.sqlite") as connection:
        seq = choice.randrange(1, connection.execute("SELECT max(seq) FROM events").fetchone()[0] + 1)
        column = choice.choice(("body", "hash", "kind", "at"))
        (value,) = connection.execute(f"SELECT CAST({column} AS BLOB) FROM events WHERE seq = ?", (seq,)).fetchone()
        changed = bytearray(value)
        changed[choice.randrange(len(changed))] ^= 1 << choice.randrange(7)
        new: object = bytes(changed) if column in ("body", "hash") else changed.decode("utf-8", "replace")
        connection.execute(f"UPDATE events SET {column} = ? WHERE seq = ?", (new, seq))
    connection.close()
    return f"event {seq} ", None


def tail(case: Path, choice: random.Random) -> tuple[str, str | None]:
    """The newest events taken away, the caches made to agree."""
    with sqlite3.connect(case / "ledger.sqlite") as connection:
        last = connection.execute("SELECT max(seq) FROM events").fetchone()[0]
        keep = last - choice.randint(1, 20)
        for (kind,) in connection.execute("SELECT DISTINCT kind FROM events").fetchall():
            n = connection.execute("SELECT count(*) FROM events WHERE kind = ? AND seq <= ?", (kind, keep)).fetchone()[
                0
            ]
            connection.execute("UPDATE counts SET n = ? WHERE kind = ?", (n, kind))
        connection.execute("DELETE FROM events WHERE seq > ?", (keep,))
    connection.close()
    return f"event {keep}", head_of(case)


def head_of(case: Path) -> str:
    """The head that the run wrote beside the ledger."""
    return str(json.loads(next(case.glob("runs/*/run.json")).read_text(encoding="utf-8"))["ledger_head"])


def rewritten(case: Path, choice: random.Random) -> tuple[str, str | None]:
    """A fact changed and every later hash made anew, with the heads of the runs taken away: only the printed head tells."""
    expected = head_of(case)
    with sqlite3.connect(case / "ledger.sqlite") as connection:
        rows = connection.execute(
            "SELECT seq, CAST(kind AS BLOB), CAST(at AS BLOB), body FROM events ORDER BY seq"
        ).fetchall()
        chosen = choice.choice([r[0] for r in rows if r[1] in (b"phenomenon", b"edge", b"invocation")])
        previous = GENESIS
        for seq, kind, at, body in rows:
            if seq == chosen:
                body = body.replace(b'"agent":"', b'"agent":"x', 1)
            previous = link(previous, seq, kind, at, body)
            connection.execute("UPDATE events SET body = ?, hash = ? WHERE seq = ?", (body, previous, seq))
    connection.close()
    shutil.rmtree(case / "runs")
    return "event ", expected


CHANGES: dict[str, Change] = {
    "source file": source,
    "output": output,
    "records part": part,
    "ledger event": event,
    "cut tail": tail,
    "rewritten chain": rewritten,
}


def judged(found: Audit, place: str) -> str:
    """`found`, or what was missing."""
    if found.overall != "block":
        return f"overall {found.overall}"
    named = [f for f in found.findings if f.severity == "block" and place in f.where + " "]
    return "found" if named else "not named: " + "; ".join(f"{f.code} {f.where}" for f in found.findings[:3])


def main() -> None:
    """Tamper, audit, tabulate."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    choice, started = random.Random(seed), time.monotonic()
    table: dict[str, Counter[str]] = {name: Counter() for name in CHANGES}
    with tempfile.TemporaryDirectory(prefix="wigmore-tamper-") as name:
        folder = Path(name) / "demo"
        case = small_case(folder, seed=3)
        run(case, Options(jobs=2))
        untouched = audit(case)
        print(
            f"untouched: {untouched.overall}, {untouched.citations_reproduced} of {untouched.citations_checked} citations"
        )
        bad = untouched.overall != "approve"
        kept = Path(name) / "kept"
        folder.rename(kept)
        for number in range(rounds):
            for label, change in CHANGES.items():
                shutil.copytree(kept, folder)
                place, expected = change(folder / "case", choice)
                verdict = judged(audit(folder / "case", expect_head=expected), place)
                table[label]["found" if verdict == "found" else "missed"] += 1
                if verdict != "found":
                    bad = True
                    print(f"round {number} {label}, {place}: {verdict}", flush=True)
                shutil.rmtree(folder)
    for label, counts in table.items():
        print(f"{label:<16} found {counts['found']:>4}  missed {counts['missed']:>3}")
    print(f"seed {seed}, {time.monotonic() - started:.0f} s")
    sys.exit(bad)


if __name__ == "__main__":
    main()
