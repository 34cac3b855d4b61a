"""Whole runs with a model: `python bench/model_runs.py WORK honest|replay|growth|random|kill [--cases …] [--shared ../shared]`.

honest   each case offline and with the honest script (bench/honest.py): supported hypotheses, verdicts, what the model added
replay   records a run, replays it without an endpoint in a process that may open no socket: graph hashes
growth   tokens per round and per fact of a case and of one ten times larger (ten times the sources)
random   a model of random weights (bench/random_model.py, its folder in --model-folder): text alone, then with tool calls
kill     SIGKILL at random moments of a run with the honest script, resume: leads, rounds, budgets, supported hypotheses
A case is a scenario of the generator (`usb_copy`, seed 901) or a folder of SHARED/evidence/composite. Exit code 1 where a
property does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from honest import honest
from wigmore.api.cases import open_case
from wigmore.api.demo import case_text, make
from wigmore.api.new import new_case
from wigmore.api.run import Options, run
from wigmore.graph.views import conclusion
from wigmore.llm.scripted import Scripted

SEED = 901
SOURCE = Path(__file__).resolve().parent.parent / "src"
SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
Row = dict[str, Any]


def prepare(work: Path, name: str, shared: Path) -> Path:
    """A fresh case folder of a scenario or a composite case."""
    folder = work / name
    composite = shared / "evidence" / "composite" / name
    if composite.is_dir():
        shutil.rmtree(folder, ignore_errors=True)
        new_case(folder / "case", sorted(composite.iterdir()))
        return folder / "case"
    _, case = make(folder, scenario=name, seed=SEED)
    return case


def sibling(case: Path, name: str) -> Path:
    """The same case file in another folder, never run."""
    other = case.parent / name
    shutil.rmtree(other, ignore_errors=True)
    other.mkdir()
    shutil.copy(case / "case.yaml", other / "case.yaml")
    return other


def configure(case: Path, server: Scripted | None, **budgets: Any) -> None:
    """Write the configuration: the scripted server, or none."""
    values: Row = {"budgets": budgets} if budgets else {}
    if server is not None:
        values["agent"] = {"base_url": server.base_url, "model": server.models[0], "timeout_seconds": 60}
    (case / "config.yaml").write_text(json.dumps(values), encoding="utf-8")


def told(case: Path) -> Row:
    """What a case came to."""
    with open_case(case) as bench:
        state = bench.state
        own = [h for h in state.hypotheses.values() if h.model]
        facts = {f.id for p in state.phenomena.values() if p.model for f in p.verified_facts}
        return {
            "hash": state.graph_hash(),
            "supported": {
                h for h in state.hypotheses if state.status(h) == "supported" and not state.hypotheses[h].model
            },
            "own": {h.id for h in own if state.status(h.id) == "supported"},
            "verdicts": {h.id: conclusion(state, h).verdict for h in state.hypotheses.values() if not h.model},
            "facts": len(facts),
            "all_facts": sum(len(p.verified_facts) for p in state.phenomena.values()),
            "tokens": bench.asked.tokens,
            "rounds": len(state.rounds),
            "leads": {x.id: x.status for x in state.leads.values()},
            "open_rounds": [r.id for r in state.rounds.values() if not r.completed_at],
            "round_tokens": sum(
                e.body["tokens_in"] + e.body["tokens_out"]
                for e in bench.ledger.events("exchange")
                if e.body["role"] == "strategist"
            ),
            "done": Counter(e.body["id"] for e in bench.ledger.events("task.done")),
            "stands": Counter(bool(r["stands"]) for r in state.reasoned.values()),
        }


def run_honest(work: Path, names: list[str], shared: Path) -> bool:
    """Offline and with the honest script, for each case."""
    good = True
    print(f"{'case':28} {'supported':>9} {'same':>5} {'verdicts':>8} {'own':>4} {'facts':>6} {'tasks':>6} {'stand':>6}")
    for name in names:
        case = prepare(work, name, shared)
        plain = sibling(case, "offline")
        configure(plain, None)
        run(plain, Options(audit=False))
        with Scripted(honest) as server:
            configure(case, server)
            run(case, Options())
        one, other = told(plain), told(case)
        same, verdicts = one["supported"] == other["supported"], one["verdicts"].items() <= other["verdicts"].items()
        good &= one["supported"] <= other["supported"]
        stands = other["stands"]
        print(
            f"{name:28} {len(one['supported']):>9} {same!s:>5} {verdicts!s:>8} {len(other['own']):>4} {other['facts']:>6} "
            f"{sum(stands.values()):>6} {stands[True]:>6}",
            flush=True,
        )
        for lost in sorted(one["supported"] ^ other["supported"]):
            print(f"    differs: {lost} {one['verdicts'].get(lost)} -> {other['verdicts'].get(lost)}")
    return good


def run_replay(work: Path, names: list[str], shared: Path) -> bool:
    """Record, then replay where no socket may be opened."""
    good = True
    for name in names:
        case = prepare(work, name, shared)
        with Scripted(honest) as server:
            configure(case, server)
            run(case, Options(audit=False))
        again = sibling(case, "replayed")
        shutil.copy(case / "config.yaml", again / "config.yaml")
        real = socket.socket.connect

        def refuse(self: socket.socket, address: Any) -> None:
            raise AssertionError(f"a socket was opened to {address}")

        socket.socket.connect = refuse  # type: ignore[method-assign,assignment]
        try:
            result = run(again, Options(audit=False, replay=case))
        finally:
            socket.socket.connect = real  # type: ignore[method-assign]
        one, other = told(case), told(again)
        same = one["hash"] == other["hash"]
        good &= same
        print(
            f"{name:28} replayed {'with the same graph hash' if same else 'DIFFERENTLY'}; gaps: {result.gaps}",
            flush=True,
        )
    return good


def run_growth(work: Path, names: list[str], shared: Path) -> bool:
    """Tokens of a case, and of ten of its kind in one."""
    figures = []
    for times in (1, 10):
        folder = work / f"grown-{times}"
        shutil.rmtree(folder, ignore_errors=True)
        sources = []
        for number in range(times):
            truth, _ = make(folder / f"part-{number}", scenario=names[0], seed=SEED + number)
            text = case_text(truth, folder / f"part-{number}" / "sample")
            listed = text.partition("sources:\n")[2]
            for source in truth.sources:
                listed = listed.replace(f"id: {source.id}\n", f"id: {source.id}-{number}\n")
            sources.append(listed)
        case = folder / "case"
        case.mkdir()
        (case / "case.yaml").write_text(
            text.partition("sources:\n")[0] + "sources:\n" + "".join(sources), encoding="utf-8"
        )
        with Scripted(honest) as server:
            configure(case, server)
            run(case, Options(audit=False))
        figures.append(told(case))
        one = figures[-1]
        per_round, per_fact = one["round_tokens"] / max(1, one["rounds"]), one["tokens"] / max(1, one["facts"])
        print(
            f"{times:>3}x: {one['all_facts']:>6} facts of all, {one['facts']:>4} of the model, {one['rounds']:>3} rounds, "
            f"{one['tokens']:>9} tokens; {per_round:>8.0f} a round, {per_fact:>8.0f} a fact",
            flush=True,
        )
        one["per"] = per_round, per_fact
    ratios = [big / small for small, big in zip(figures[0]["per"], figures[1]["per"], strict=True)]
    print(f"ratio 10x / 1x: {ratios[0]:.2f} a round, {ratios[1]:.2f} a fact (wanted: below 1.5)")
    return all(r < 1.5 for r in ratios)


def run_random(work: Path, names: list[str], shared: Path, folder: Path) -> bool:
    """Garbage in, a sound case out: what a model of random weights leaves of each case."""
    from random_model import RandomModel

    good = True
    for name in names:
        case = prepare(work, name, shared)
        plain = sibling(case, "offline")
        configure(plain, None)
        run(plain, Options(audit=False))
        one = told(plain)
        for calls, seed in ((False, 1), (True, 2)):
            other = sibling(case, "calls" if calls else "text")
            with RandomModel(folder, seed=seed, context=8192 if calls else 32768, threads=1, tool_calls=calls) as model:
                values = {"base_url": model.base_url, "model": model.model, "timeout_seconds": 120, "max_tokens": 200}
                (other / "config.yaml").write_text(json.dumps({"agent": values}), encoding="utf-8")
                begun = time.monotonic()
                result = run(other, Options())
                seconds = time.monotonic() - begun
            came = told(other)
            kept = one["supported"] <= came["supported"] and one["verdicts"].items() <= came["verdicts"].items()
            sound = kept and result.audit["overall"] == "approve"
            good &= sound
            tasks, stand = sum(came["stands"].values()), came["stands"][True]
            print(
                f"{name:24} {'calls' if calls else 'text':5} {tasks:>4} tasks, {stand:>3} stand, {came['facts']} facts, ",
                end="",
            )
            print(
                f"{came['tokens']} tokens, {seconds:.0f} s, exit {result.exit_code}, audit {result.audit['overall']}; ",
                end="",
            )
            print(f"supported and verdicts as offline: {kept}", flush=True)
            for gap in result.gaps:
                print(f"    gap: {gap[:200]}")
    return good


def start(case: Path) -> subprocess.Popen[bytes]:
    """A run in a process group of its own."""
    environment = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", str(SOURCE))}
    command = [sys.executable, "-m", "wigmore.cli.main", "run", str(case), "--progress", "none", "--no-audit"]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )


def spent(case: Path) -> int:
    """Tokens that the ledger holds."""
    with suppress(sqlite3.Error):
        connection = sqlite3.connect(f"file:{case / 'ledger.sqlite'}?mode=ro", uri=True)
        rows = connection.execute("SELECT body FROM events WHERE kind = 'exchange'").fetchall()
        connection.close()
        return sum(json.loads(r[0])["tokens_in"] + json.loads(r[0])["tokens_out"] for r in rows)
    return 0


def run_kill(work: Path, names: list[str], shared: Path, kills: int) -> bool:
    """Kill and resume."""
    chance = random.Random(SEED)
    case = prepare(work, names[0], shared)
    bad = 0
    with Scripted(honest) as server:
        configure(case, server)
        begun = time.monotonic()
        process = start(case)
        _, error = process.communicate()
        assert process.returncode in (0, 3), error.decode()[-500:]
        whole, seconds = told(case), time.monotonic() - begun
        for number in range(kills):
            other = sibling(case, f"kill-{number}")
            shutil.copy(case / "config.yaml", other / "config.yaml")
            before = 0
            for _ in range(chance.randint(1, 3)):
                process = start(other)
                time.sleep(seconds * chance.uniform(0.15, 0.95))
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                now = spent(other)
                bad += now < before
                before = now
            process = start(other)
            _, error = process.communicate()
            came = told(other)
            faults = []
            if process.returncode not in (0, 3):
                faults.append(f"exit {process.returncode}: {error.decode()[-300:]}")
            if not whole["supported"] <= came["supported"]:
                faults.append(f"lost {sorted(whole['supported'] - came['supported'])}")
            if came["open_rounds"] or any(s not in ("completed", "failed") for s in came["leads"].values()):
                faults.append(f"open: {came['open_rounds']}, {Counter(came['leads'].values())}")
            if twice := [t for t, n in came["done"].items() if n > 1]:
                faults.append(f"done twice: {twice[:3]}")
            if came["tokens"] < before:
                faults.append("tokens were forgotten")
            same = came["hash"] == whole["hash"]
            print(
                f"kill {number}: {'; '.join(faults) or 'ok'}; graph hash {'the same' if same else 'other'}", flush=True
            )
            bad += bool(faults)
            shutil.rmtree(other)
    print(f"{kills} cases killed, {bad} faults")
    return not bad


def main() -> int:
    """Run one series; exit code 1 where something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("series", choices=["honest", "replay", "growth", "random", "kill"])
    parser.add_argument("--cases", default="usb_copy")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--model-folder", type=Path, default=Path("random-model"))
    parser.add_argument("--shared", type=Path, default=SHARED)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    names = given.cases.split(",")
    if given.series == "kill":
        return 0 if run_kill(given.work, names, given.shared, given.kills) else 1
    if given.series == "random":
        return 0 if run_random(given.work, names, given.shared, given.model_folder) else 1
    series = {"honest": run_honest, "replay": run_replay, "growth": run_growth}[given.series]
    return 0 if series(given.work, names, given.shared) else 1


if __name__ == "__main__":
    sys.exit(main())
