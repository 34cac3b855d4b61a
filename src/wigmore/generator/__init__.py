"""Makes cases with known truth and decoys, the same bytes for the same scenario, seed and parameters."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from wigmore.generator import scenarios
from wigmore.generator.case import Case
from wigmore.generator.spoil import spoil
from wigmore.generator.truth import Decoy, Planted, Question, Source, Truth, read_truth, stands_in
from wigmore.generator.world import World

__all__ = ["Decoy", "Kind", "Planted", "Question", "Source", "Truth", "generate", "kinds", "read_truth", "stands_in"]

DEFAULTS = {"noise": 200, "missing": 0, "damaged": 0}


@dataclass(frozen=True)
class Kind:
    """A scenario kind: a module of `scenarios/` with TITLE, FRAME, `build` and, where they differ, VARIANTS and CHOOSING.

    `frame` is the hypothesis template that the case turns on; its verdict is expected to be supported in the guilty variant,
    not_supported in the innocent one (the same prerequisites, the act did not happen) and cannot_say in the ambiguous one
    (decisive traces are missing, or both explanations predict what is there). `choosing`: for choosing defaults, never scored.
    """

    name: str
    title: str
    frame: str
    build: Callable[[Case], str]
    variants: tuple[str, ...]
    choosing: bool


@cache
def kinds() -> dict[str, Kind]:
    """All scenario kinds by name."""
    out = {}
    for found in sorted(pkgutil.iter_modules(scenarios.__path__), key=lambda m: m.name):
        module = importlib.import_module(f"{scenarios.__name__}.{found.name}")
        variants = tuple(getattr(module, "VARIANTS", ("guilty", "innocent", "ambiguous")))
        choosing = bool(getattr(module, "CHOOSING", False))
        out[found.name] = Kind(found.name, module.TITLE, module.FRAME, module.build, variants, choosing)
    return out


def generate(
    target: Path, scenario: str = "departing_engineer", seed: int = 1, variant: str = "guilty", **parameters: int
) -> Truth:
    """Write a case below `target` (evidence/ and, outside it, truth.json) and return what is true of it.

    Parameters: `noise`, the number of benign records spread over logs and databases (200); `missing` and `damaged`, how many
    files that no truth rests on are left out and damaged (0).
    Raises ValueError for an unknown scenario, variant or parameter, FileExistsError where `target` already holds a case.
    """
    kind = kinds().get(scenario)
    if kind is None:
        raise ValueError(f"unknown scenario {scenario!r}; one of {', '.join(kinds())}")
    if variant not in kind.variants:
        raise ValueError(f"{scenario} has no variant {variant!r}; one of {', '.join(kind.variants)}")
    if unknown := set(parameters) - set(DEFAULTS):
        raise ValueError(f"unknown parameters {sorted(unknown)}; known: {', '.join(DEFAULTS)}")
    if (target / "evidence").exists():
        raise FileExistsError(f"{target / 'evidence'} exists; generate into an empty folder")
    given = {**DEFAULTS, **parameters}
    case = Case(target, World(seed), variant, given["noise"])
    description = kind.build(case)
    spoil(case, given["missing"], given["damaged"])
    case.date_folders(case.world.at(10, "12:00:00"))
    truth = Truth(
        scenario,
        seed,
        variant,
        dict(parameters),
        kind.title,
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
