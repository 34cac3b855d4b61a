"""All that the rule folders of a case say: indicators, templates, caps, expected artifacts, standard questions."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from wigmore.agents.templates import Template, check_references, load_templates
from wigmore.graph.semantics import Semantics
from wigmore.investigation.case_file import CaseFile, CaseFileError
from wigmore.model.canonical import sha256
from wigmore.model.yaml_text import read_yaml
from wigmore.records.rules import Indicator, load_indicators
from wigmore.records.sheet import StandardQuestion, load_questions
from wigmore.records.sigma import Unusable, load_sigma
from wigmore.registry import found


def rule_folders(case_file: CaseFile | None) -> list[Path]:
    """The package's rules, then those the case names."""
    own = Path(str(importlib.resources.files("wigmore") / "rules"))
    return [own, *(case_file.rules if case_file else ())]


@dataclass(frozen=True)
class RuleBook:
    """The rules of one case, each kind by id, and the hashes of the files they were read from."""

    sha256: dict[str, str]
    indicators: dict[str, Indicator]
    sigma_unusable: tuple[Unusable, ...]
    templates: dict[str, Template]
    semantics: Semantics
    expected: tuple[dict[str, Any], ...]
    questions: dict[str, StandardQuestion]

    @classmethod
    def load(cls, case_file: CaseFile) -> Self:
        """Read and check them; CaseFileError, RuleError, TemplateError or SemanticsError for what cannot be used."""
        folders = tuple(rule_folders(case_file))
        placed = [(n, d, f) for n, d in enumerate(folders) for f in sorted(d.rglob("*.yaml"))]
        files = tuple((f, sha256(f.read_bytes())) for _, _, f in placed)
        hashes = {  # by place: a file's name may stand in several folders
            f"{n}:{f.relative_to(d).as_posix()}": digest for (n, d, f), (_, digest) in zip(placed, files, strict=True)
        }
        indicators, templates, semantics, expected, questions = _read(folders, files)
        unusable: list[Unusable] = []
        for folder in case_file.sigma:
            if not folder.is_dir():
                raise CaseFileError(f"{case_file.folder / 'case.yaml'}: sigma: {folder} is no folder")
            rules, strange = load_sigma(folder, folders)
            indicators = indicators | rules
            unusable += strange
            hashes |= {name: rule.sha256 for name, rule in rules.items()}
        check_references(templates, indicators, found("role"))
        return cls(hashes, indicators, tuple(unusable), templates, semantics, expected, questions)


@lru_cache(maxsize=2)
def _read(
    folders: tuple[Path, ...], _files: tuple[tuple[Path, str], ...]
) -> tuple[
    dict[str, Indicator], dict[str, Template], Semantics, tuple[dict[str, Any], ...], dict[str, StandardQuestion]
]:
    """What the folders say; a process that opens many cases reads files of the same hashes once."""
    return (
        load_indicators(folders),
        load_templates(folders),
        Semantics.load(folders),
        tuple(_expected(folders)),
        load_questions(folders),
    )


def _expected(folders: Iterable[Path]) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for folder in folders:
        file = folder / "expected.yaml"
        if file.is_file():
            out.extend(read_yaml(file) or ())
    return out
