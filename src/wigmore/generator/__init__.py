"""Makes multi-source cases with known truth and decoys, the same bytes for the same scenario, seed and parameters."""

from __future__ import annotations

from pathlib import Path

from wigmore.generator.case import Case
from wigmore.generator.truth import Decoy, Planted, Question, Source, Truth, read_truth, stands_in
from wigmore.generator.world import World

__all__ = ["SCENARIOS", "Decoy", "Planted", "Question", "Source", "Truth", "generate", "read_truth", "stands_in"]

SCENARIOS = {
    "departing_engineer": "guilty",
    "departing_engineer_innocent": "innocent",  # the same prerequisites, the acts did not happen
    "departing_engineer_gap": "gap",  # the acts happened, decisive sources were not acquired
}


def generate(target: Path, scenario: str = "departing_engineer", seed: int = 1, **parameters: int) -> Truth:
    """Write a case below `target` (evidence/ and, outside it, truth.json) and return what is true of it.

    Parameters: `noise`, the number of benign records spread over logs and databases (default 200).
    Raises ValueError for an unknown scenario or parameter, FileExistsError where `target` already holds a case.
    """
    if scenario not in SCENARIOS:
        raise ValueError(f"unknown scenario {scenario!r}; one of {sorted(SCENARIOS)}")
    unknown = set(parameters) - {"noise"}
    if unknown:
        raise ValueError(f"unknown parameters {sorted(unknown)}; known: ['noise']")
    if (target / "evidence").exists():
        raise FileExistsError(f"{target / 'evidence'} exists; generate into an empty folder")
    from wigmore.generator.scenarios import departing_engineer

    case = Case(target, World(seed), SCENARIOS[scenario], parameters.get("noise", 200))
    description = departing_engineer.build(case)
    case.date_folders(case.world.at(10, "12:00:00"))
    truth = Truth(
        scenario,
        seed,
        dict(parameters),
        departing_engineer.TITLE,
        description,
        tuple(case.questions),
        tuple(case.sources),
        tuple(case.planted),
        tuple(case.decoys),
        dict(sorted(case.expected.items())),
        (f"{case.world.at(-2, '00:00:00'):%Y-%m-%d}T00:00:00Z", f"{case.world.at(12, '00:00:00'):%Y-%m-%d}T00:00:00Z"),
    )
    (target / "truth.json").write_text(truth.as_json(), encoding="utf-8")
    return truth
