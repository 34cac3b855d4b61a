"""`wigmore demo`: the sample case made, investigated, and scored against its known truth."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wigmore.api.cases import UseError, is_case, open_case
from wigmore.api.run import Busy, Options, Result, run
from wigmore.generator import Truth, generate, stands_in
from wigmore.graph.hard_values import leaves
from wigmore.investigation.workbench import Workbench
from wigmore.model.nouns import FOR, NEUTRAL
from wigmore.records.extraction import Progress

MARK = "sample.json"
CONFIG = """# Offline rounds cost seconds: the loop goes on until no lead is left that could change a belief.
strategist: {max_rounds: 60, hard_stop_marginal_yield_zero_rounds: 0}
"""


def case_text(truth: Truth, folder: Path) -> str:
    """The case file of a generated case."""
    lines = ["case: wigmore-demo\n", f"title: {json.dumps(truth.title)}\n", "local_only: true\n"]
    if truth.period[0]:
        lines.append(f"scope: {{from: {truth.period[0]}, to: {truth.period[1]}}}\n")
    lines.append("questions:\n")
    lines += [f"  - {{id: {q.id}, ask: {json.dumps(q.question)}}}\n" for q in truth.questions]
    lines.append("sources:\n")
    for source in truth.sources:
        lines.append(
            f"  - id: {source.id}\n    path: {json.dumps(str((folder / source.path).resolve()))}\n"
            f"    label: {json.dumps(source.label)}\n    type: {source.type}\n"
        )
        if source.platform != "unknown":
            lines.append(f"    platform: {source.platform}\n")
    return "".join(lines)


def make(
    folder: Path,
    *,
    scenario: str = "departing_engineer",
    seed: int = 1,
    variant: str = "guilty",
    **parameters: Any,
) -> tuple[Truth, Path]:
    """Generate a case below `folder`; returns its truth and its case folder; a sample made before is made anew."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).is_file():
            raise UseError(f"{folder} is not empty and no sample of ours: choose another folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text(json.dumps({"scenario": scenario, "seed": seed}), encoding="utf-8")
    truth = generate(folder / "sample", scenario, seed, variant, **parameters)
    case = folder / "case"
    case.mkdir()
    (case / "case.yaml").write_text(case_text(truth, folder / "sample"), encoding="utf-8")
    (case / "config.yaml").write_text(CONFIG, encoding="utf-8")
    assert is_case(case)
    return truth, case


def demo(
    folder: Path,
    *,
    seed: int = 1,
    jobs: int = 2,
    scenario: str = "departing_engineer",
    say: Callable[[str], None] = lambda _: None,
    progress: Callable[[Progress, Busy], None] | None = None,
) -> tuple[Result, dict[str, Any]]:
    """Make the sample, investigate it, score it."""
    truth, case = make(folder, seed=seed, scenario=scenario)
    say(f"sample made: {len(truth.sources)} sources, {len(truth.planted)} planted truths, {len(truth.decoys)} decoys")
    result = run(case, Options(jobs=jobs, say=say, progress=progress))
    with open_case(case) as bench:
        return result, score(bench, truth)


def score(bench: Workbench, truth: Truth) -> dict[str, Any]:
    """Which planted truths were found, which decoys asserted.

    A truth is found when one record of its source and path holds all its values and, where it bears on a hypothesis, an
    admitted phenomenon cites a record of that path with an edge to that hypothesis. A decoy is asserted when a fact of its
    own record carries an edge *for* its hypothesis, or the expected-innocent hypothesis is concluded.
    """
    edges = [
        (e, bench.state.phenomena[e.phenomenon_id], bench.state.hypotheses[e.hypothesis_id])
        for e in bench.state.edges.values()
        if e.edge_type != NEUTRAL
    ]
    linked: dict[tuple[str, str, str], set[str]] = {}
    for edge, phenomenon, hypothesis in edges:
        if edge.edge_type in FOR:
            for fact in phenomenon.verified_facts:
                if fact.citation.record_id:
                    key = (phenomenon.source_id, fact.path, hypothesis.template)
                    linked.setdefault(key, set()).add(fact.citation.record_id)
    missed, asserted = [], []
    for planted in truth.planted:
        holding = _holding(bench, planted.source, planted.path, list(planted.values))
        if not holding:
            missed.append(f"{planted.id} {planted.statement}: no record of {planted.path} holds {list(planted.values)}")
        elif planted.hypothesis and not linked.get((planted.source, planted.path, planted.hypothesis)):
            missed.append(
                f"{planted.id} {planted.statement}: read, but nothing of {planted.path} bears on {planted.hypothesis}"
            )
    for decoy in truth.decoys:
        cited = linked.get((decoy.source, decoy.path, decoy.hypothesis or ""), set())
        held = {r["record_id"] for r in _holding(bench, decoy.source, decoy.path, list(decoy.values))}
        if cited & held:
            asserted.append(f"{decoy.id} {decoy.statement} ({decoy.why})")
    planted_count = len(truth.planted)
    found = planted_count - len(missed)
    return {
        "planted": planted_count,
        "found": found,
        "share": found / planted_count if planted_count else 1.0,
        "decoys": len(truth.decoys),
        "decoys_asserted": len(asserted),
        "missed": missed,
        "asserted": asserted,
    }


def _holding(bench: Workbench, source_id: str, path: str, values: list[str]) -> list[dict[str, Any]]:
    out = []
    for record in bench.store.records(None, source_id, "path = ? OR starts_with(path, ?)", [path, path + "/"]):
        hay = [*leaves(record["data"]), *(t["text"] for t in record["times"].values() if t), record["path"]]
        if all(stands_in(value, hay) for value in values):
            out.append(record)
    return out
