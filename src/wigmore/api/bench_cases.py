"""`wigmore bench cases`: cases with known truth are generated and run; recall, false assertions and calibration are scored."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import statistics
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from wigmore.api.cases import UseError, open_case
from wigmore.api.demo import make, score
from wigmore.api.run import Options, run
from wigmore.generator import kinds
from wigmore.graph.views import conclusion
from wigmore.investigation.workbench import Workbench
from wigmore.model import belief, calibration

Row = dict[str, Any]
VARIANTS = ("guilty", "innocent", "ambiguous")
SPOILED = 2  # files that are missing, and files that are damaged, in every second case
UNDECIDED = ("open", "contested", "not_tested", "not_raised")


def plan(number: int, seed: int, names: Iterable[str]) -> list[tuple[str, str, int]]:
    """(kind, variant, case seed): `number` cases of each variant, spread evenly over the kinds; all seeds differ."""
    chosen = [kinds()[name] for name in names]
    return [
        (chosen[n % len(chosen)].name, variant, seed * 100_000 + n * len(VARIANTS) + VARIANTS.index(variant))
        for n in range(number)
        for variant in VARIANTS
    ]


def selected(names: Iterable[str], choosing: bool) -> list[str]:
    """The kinds asked for, or all that have the three variants and serve the purpose; raises UseError for unknown ones."""
    known = {name: kind for name, kind in kinds().items() if set(VARIANTS) <= set(kind.variants)}
    wanted = list(names)
    if unknown := [name for name in wanted if name not in known]:
        raise UseError(f"no scenario kind {', '.join(unknown)}; there are: {', '.join(known)}")
    return wanted or [name for name, kind in known.items() if kind.choosing == choosing]


def run_one(kind: str, variant: str, seed: int, folder: Path, keep: bool = False) -> Row:
    """Generate, run and score one case; a failure is a row of its own."""
    spoiled = SPOILED if seed % 2 else 0
    row: Row = {"kind": kind, "variant": variant, "seed": seed, "frame": kinds()[kind].frame}
    try:
        truth, case = make(
            folder, scenario=kind, seed=seed, variant=variant, noise=40, missing=spoiled, damaged=spoiled
        )
        result = run(case, Options(jobs=1, audit=False))
        with open_case(case) as bench:
            scored = score(bench, truth)
            row |= {k: scored[k] for k in ("planted", "found", "decoys", "decoys_asserted", "missed", "asserted")}
            row |= {"exit_code": result.exit_code, **_beliefs(bench, row["frame"], truth.expected)}
    except Exception as error:  # noqa: BLE001  # the series goes on; the row says what happened
        row["failed"] = f"{type(error).__name__}: {error}"
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    return row


def _beliefs(bench: Workbench, frame: str, expected: dict[str, str]) -> Row:
    """The verdict and beliefs of the frame that the case turns on, and every conclusion that the truth does not bear."""
    state = bench.state
    prior = bench.rules.templates[frame].prior
    verdict, edges, laid = "not_raised", [], []
    unexpected = []
    strongest = -1000.0
    for hypothesis in sorted(state.hypotheses.values(), key=lambda h: h.id):
        if hypothesis.innocent:
            continue
        said = conclusion(state, hypothesis).verdict
        if said == "concluded" and expected.get(hypothesis.template) != "supported":
            unexpected.append(hypothesis.template)
        if hypothesis.template == frame and state.log_odds(hypothesis.id) > strongest:
            strongest, verdict = state.log_odds(hypothesis.id), said
            edges = state.edges_to(hypothesis.id)
            laid = state.laid(hypothesis.id)
    return {
        "verdict": verdict,
        "prior": prior,
        "unexpected": sorted(unexpected),
        "edges": [[e.edge_type, e.event_key or e.phenomenon_id, e.source_id, e.records] for e in edges],
        "probability": {
            # the naive sum hears every edge that was laid, also of what other sources and ways make mean nothing
            rule: belief.probability(calibration.log_odds(prior, laid if rule == "naive" else edges, rule, state.table))
            for rule in calibration.RULES
        },
    }


def bench_cases(
    number: int,
    seed: int,
    folder: Path,
    *,
    names: Iterable[str] = (),
    choosing: bool = False,
    jobs: int = 2,
    keep: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> list[Row]:
    """Run the planned cases side by side; rows in the plan's order, also written to `cases.jsonl` below `folder`."""
    planned = plan(number, seed, selected(names, choosing))
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    with (
        (folder / "cases.jsonl").open("w", encoding="utf-8") as lines,
        ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool,
    ):
        waiting = [pool.submit(run_one, k, v, s, folder / f"{k}-{v}-{s}", keep) for k, v, s in planned]
        for done, future in enumerate(waiting, 1):
            rows.append(future.result())
            lines.write(json.dumps(rows[-1], sort_keys=True) + "\n")
            lines.flush()
            if done % 10 == 0:
                say(f"{done} of {len(planned)} cases")
    return rows


def series(number: int, seeds: Iterable[int], folder: Path, **options: Any) -> tuple[list[Row], dict[str, Row]]:
    """`bench_cases` for each seed: all rows, and the figures of each seed and of all together."""
    figures, rows = {}, []
    for seed in seeds:
        made = bench_cases(number, seed, folder / f"seed-{seed}", **options)
        figures[f"seed {seed}"] = summary(made)
        rows += made
    figures["all"] = summary(rows)
    return rows, figures


def summary(rows: list[Row]) -> Row:
    """The figures over some cases: recall, false assertions, undecided ambiguous ones, and the scores of each rule."""
    ran = [r for r in rows if "failed" not in r]
    of = {variant: [r for r in ran if r["variant"] == variant] for variant in VARIANTS}
    decided = [*of["guilty"], *of["innocent"]]
    planted = sum(r["planted"] for r in ran)
    out: Row = {
        "cases": {variant: len(those) for variant, those in of.items()},
        "failed": len(rows) - len(ran),
        "recall": _share(sum(r["found"] for r in ran), planted),
        "concluded_guilty": _share(sum(r["verdict"] == "concluded" for r in of["guilty"]), len(of["guilty"])),
        "asserted_innocent": sum(len(r["unexpected"]) for r in of["innocent"]),
        "asserted_elsewhere": sum(len(r["unexpected"]) for v in ("guilty", "ambiguous") for r in of[v]),
        "decoys_asserted": sum(r["decoys_asserted"] for r in ran),
        "undecided_ambiguous": _share(sum(r["verdict"] in UNDECIDED for r in of["ambiguous"]), len(of["ambiguous"])),
    }
    for rule in calibration.RULES if decided else ():
        pairs = [(r["probability"][rule], r["variant"] == "guilty") for r in decided]
        out[rule] = {
            "brier": calibration.brier(pairs),
            "calibration_error": calibration.calibration_error(pairs),
            "log_loss": calibration.log_loss(pairs),
        }
    return out


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def by_kind(rows: list[Row]) -> list[Row]:
    """One row a kind: recall, and the verdicts of each variant with their mean probabilities."""
    out = []
    for kind in sorted({r["kind"] for r in rows}):
        mine = [r for r in rows if r["kind"] == kind and "failed" not in r]
        row: Row = {"kind": kind, "recall": _share(sum(r["found"] for r in mine), sum(r["planted"] for r in mine))}
        for variant in VARIANTS:
            those = [r for r in mine if r["variant"] == variant]
            row[variant] = " ".join(f"{v} {n}" for v, n in sorted(Counter(r["verdict"] for r in those).items()))
            mean = statistics.fmean(r["probability"]["per_type"] for r in those) if those else 0.0
            row[variant] += f" ({mean:.2f})" if those else ""
        row["failed"] = sum("failed" in r for r in rows if r["kind"] == kind)
        out.append(row)
    return out
