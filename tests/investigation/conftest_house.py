"""A small case with rules of its own: two web servers' logs, so that every step of the phases can be foreseen."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from wigmore.api import run as run_module
from wigmore.api.cases import open_case
from wigmore.investigation import rule_book
from wigmore.investigation.config import Config, read_config
from wigmore.investigation.phases import Investigation
from wigmore.investigation.workbench import Workbench
from wigmore.ledger import Event
from wigmore.records.extraction import Extraction
from wigmore.records.pool import Pool

CASE = """case: 0417
sources:
  - {{id: src-one, path: '{folder}/one', type: log_collection, platform: linux}}
  - {{id: src-two, path: '{folder}/two', type: log_collection, platform: linux}}
rules: rules
"""
SEMANTICS = [
    {
        "artifact": "web.access",
        "mechanism": "access log",
        "absence": "w",
        "caveat": "a request was logged",
        "carries": {"RAN": "D", "KNEW": "D", "SENT": "S", "SEEN": "P"},
    }
]
REQUESTS = {"one": ("seed", "first", "second", "third", "other"), "two": ("first", "fourth")}


def log(paths: tuple[str, ...]) -> str:
    """An access log with one request a path, a minute apart."""
    return "".join(
        f'192.0.2.7 - - [03/Mar/2026:10:{n:02d}:00 +0000] "GET /{p} HTTP/1.1" 200 512 "-" "test"\n'
        for n, p in enumerate(paths)
    )


def indicator(name: str, phase: str = "probe", **more: Any) -> dict[str, Any]:
    """A rule that matches the requests for one path."""
    return {
        "id": f"h.{name}",
        "title": f"request for {name}",
        "artifacts": ["web.access"],
        "role": "network",
        "category": "requests",
        "phase": phase,
        "where": [{"field": "request", "starts": f"GET /{name} "}],
        "facts": ["request", "client"],
        "interpretation": "The server logged this request.",
        "caveat": "A request is not its effect.",
        **more,
    }


def probe(name: str, edge: str = "supports", **more: Any) -> dict[str, Any]:
    """A probe over the rule of one path."""
    return {
        "id": name,
        "role": "network",
        "description": f"requests for {name}",
        "rules": [f"h.{name}"],
        "edge": edge,
        "proposition": "RAN",
        "artifacts": ["web.access"],
        **more,
    }


def template(name: str, probes: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A hypothesis template with one innocent alternative."""
    return {
        "id": name,
        "title": f"{name} took place",
        "description": "",
        "act": "RAN",
        "prior": 0.5,
        "per": "case",
        "alternatives": [{"id": "upkeep", "title": f"{name} was upkeep", "description": "", "prior": 0.5}],
        "probes": probes,
        **more,
    }


def seed(*templates: str) -> dict[str, Any]:
    """The triage rule that raises hypotheses, by an edge that carries half a point."""
    return indicator(
        "seed",
        "triage",
        bears_on=[{"template": t, "edge": "prerequisite_met", "proposition": "RAN"} for t in templates],
    )


DECISIVE = probe("third", "direct_evidence", decisive=True, disconfirming=True, if_empty="weakens")
RULES = [seed("entry"), *(indicator(n) for n in ("first", "second", "third", "fourth", "never"))]
ENTRY = template("entry", [probe("first"), probe("second"), DECISIVE])


class House:
    """A case folder whose sources are extracted and hashed, nothing more."""

    def __init__(self, case: Path) -> None:
        self.case = case

    def rules(self, indicators: list[dict[str, Any]], templates: list[dict[str, Any]], **files: Any) -> None:
        """Write the case's rules."""
        for name, values in (
            ("indicators/house", indicators),
            ("hypotheses/house", templates),
            ("semantics", files.pop("semantics", SEMANTICS)),
            *files.items(),
        ):
            file = self.case / "rules" / f"{name}.yaml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(yaml.safe_dump(values), encoding="utf-8")

    def open(self, config: Config | None = None, **values: Any) -> Workbench:
        """Open for writing, under a configuration."""
        return Workbench(self.case, config=config or read_config(values))


def own_rules(file: Any) -> list[Path]:
    """In place of `rule_folders`: the package's rules are left out."""
    return list(file.rules) if file else []


def open_case_with(patched: pytest.MonkeyPatch, case: Path) -> Workbench:
    """The case, opened for writing without the package's rules."""
    patched.setattr(rule_book, "rule_folders", own_rules)
    bench = open_case(case, write=True)
    bench.rules  # noqa: B018  # read while the others are left out
    return bench


@pytest.fixture(autouse=True)
def only_the_cases_own_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_book, "rule_folders", own_rules)


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    for name, paths in REQUESTS.items():
        file = folder / name / "var" / "log" / "access.log"
        file.parent.mkdir(parents=True)
        file.write_text(log(paths), encoding="utf-8")
    case = folder / "case"
    case.mkdir()
    (case / "case.yaml").write_text(CASE.format(folder=folder), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched, Pool(1) as pool, open_case_with(patched, case) as bench:
        extraction = Extraction(bench.ledger, bench.store, case / "work", pool, names=["web.access"])
        bench.append([Event("run.started", {"id": "run-001"})])
        assert run_module._intake(bench, extraction, run_module.Options()) == []
    return folder


@pytest.fixture
def house(extracted: Path, tmp_path: Path) -> House:
    """A private copy of the extracted case, with the usual rules; its evidence stays where it is and is only read."""
    shutil.copytree(extracted / "case", tmp_path / "case")
    made = House(tmp_path / "case")
    made.rules(RULES, [ENTRY])
    return made


@pytest.fixture
def opened(house: House) -> Iterator[Callable[..., Investigation]]:
    """Open the case and give the phases over it; closed at the end."""
    benches: list[Workbench] = []

    def make(**config: Any) -> Investigation:
        bench = house.open(**config)
        benches.append(bench)
        return Investigation(bench, jobs=2)

    yield make
    for bench in benches:
        bench.close()


def with_role(investigation: Investigation, name: str, function: Callable[[Any], None]) -> None:
    """Replace a role's offline rule in one investigation."""
    investigation.roles = {**investigation.roles, name: replace(investigation.roles[name], offline=function)}
