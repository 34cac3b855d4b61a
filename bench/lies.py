"""Runs with a model that lies in every way: `python bench/lies.py FOLDER [--attempts 1000] [--seed 900]`.

Generated cases (guilty and innocent) are investigated against the scripted server with all lies of `tests/models` mixed, until
there were as many lying replies as asked for. After each run the oracle looks at the ledger alone, and the verdicts are held
against those of the same case without a model. Prints what became of each lie; exit code 1 for any ungrounded fact, any other
belief, and a run that took more than ten minutes.
"""

from __future__ import annotations

import argparse
import faulthandler
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "models"))

from oracle import differences, judge

from lies import LIES, Fate, Liar, fates, names_in
from wigmore.api.cases import open_case
from wigmore.api.demo import CONFIG, make
from wigmore.api.run import Options, run
from wigmore.llm.scripted import Scripted

KINDS = ("usb_copy", "ssh_entry", "phone_contact", "web_intrusion")
HANGS = 600.0  # seconds that a run may take
AGENT = "agent: {{base_url: {url}, model: scripted-1, timeout_seconds: 1.0}}\n"


def main() -> int:
    """Run cases until the lies are told; print the table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--attempts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=900)
    given = parser.parse_args()
    total: Counter[str] = Counter()
    table: dict[str, Fate] = {name: Fate() for name in LIES}
    bad, number = 0, 0
    while total["attempts"] < given.attempts:
        kind = KINDS[number // 2 % len(KINDS)]
        variant = "innocent" if number % 2 else "guilty"
        seed = given.seed + number
        number += 1
        bad += one(given.folder, kind, variant, seed, table, total)
    print(f"\n{'lie':38} {'replies':>8} {'calls':>7} {'refused':>8} {'admitted':>9} {'ungrounded':>11}")
    for name, fate in sorted(table.items()):
        print(f"{name:38} {fate.attempts:8} {fate.calls:7} {fate.refused:8} {fate.taken:9} {fate.ungrounded:11}")
    print(
        f"{number} runs, {total['attempts']} lying replies, {total['stands']} proposals of models stand, {bad} faults"
    )
    return 1 if bad else 0


def one(folder: Path, kind: str, variant: str, seed: int, table: dict[str, Fate], total: Counter[str]) -> int:
    """One case without a model and with one that lies; the number of faults."""
    where = folder / f"{kind}-{variant}-{seed}"
    _, case = make(where, scenario=kind, seed=seed, variant=variant)
    run(case, Options(audit=False))
    offline = where / "offline"
    case.rename(offline)
    _, case = make(folder / "again", scenario=kind, seed=seed, variant=variant)
    case.rename(where / "case")
    case = where / "case"
    text = (offline / "case.yaml").read_text(encoding="utf-8")
    (case / "case.yaml").write_text(text, encoding="utf-8")
    liar, begun = Liar(seed, times=12), time.monotonic()
    with Scripted(liar) as server:
        (case / "config.yaml").write_text(CONFIG + AGENT.format(url=server.base_url), encoding="utf-8")
        faulthandler.dump_traceback_later(HANGS, exit=True)
        result = run(case, Options())
        faulthandler.cancel_dump_traceback_later()
        took = time.monotonic() - begun
        with open_case(case) as bench:
            verdict = judge(bench)
        faults = [*verdict.faults, *differences(case, offline)]
        for name, fate in fates(server, liar, verdict).items():
            known = table[name]
            for part in ("attempts", "calls", "refused", "taken", "ungrounded"):
                setattr(known, part, getattr(known, part) + getattr(fate, part))
        total.update(attempts=len(liar.said), stands=verdict.stands)
        print(
            f"{kind} {variant} {seed}: {took:.0f} s, exit {result.exit_code}, {len(server.asked)} requests, "
            f"{len(liar.said)} lies, {verdict.stands} proposals stand, {len(faults)} faults, audit "
            f"{result.audit.get('overall')}; {[g for g in result.gaps if 'model' in g or 'stopped' in g or 'task' in g]}",
            flush=True,
        )
        for fault in faults:
            by = ", ".join(sorted(set(names_in(server, liar, fault.id)))) if fault.id else ""
            print(f"  {fault.kind} [{by}] {fault.id}: {fault.text}")
    if not faults:
        shutil.rmtree(where)
    return len(faults)


if __name__ == "__main__":
    raise SystemExit(main())
