"""Rules, templates and reports say no more than records can carry: no motive, no guilt, no certainty, no person."""

from __future__ import annotations

import ast
import importlib.resources
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wigmore.model.overclaims import claims
from wigmore.model.yaml_text import read_yaml

PACKAGE = Path(str(importlib.resources.files("wigmore")))
SAID = ("title", "interpretation", "caveat", "description", "not_enough", "category", "question", "why")


def said(value: Any, key: str = "") -> Iterator[str]:
    """The texts of a rule that a reader sees."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from said(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from said(inner, key)
    elif isinstance(value, str) and key in SAID:
        yield value


def shown(source: str) -> Iterator[str]:
    """The texts of a module that are no docstrings."""
    tree = ast.parse(source)
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            yield node.value


@pytest.mark.parametrize("file", sorted((PACKAGE / "rules").rglob("*.yaml")), ids=lambda f: f.name)
def test_rules_and_templates_claim_no_more_than_records_carry(file: Path) -> None:
    texts = list(said(read_yaml(file)))
    assert [(claims(text), text) for text in texts if claims(text)] == []


@pytest.mark.parametrize("file", sorted((PACKAGE / "reports").glob("*.py")), ids=lambda f: f.name)
def test_reports_claim_no_more_than_records_carry(file: Path) -> None:
    assert [(claims(t), t) for t in shown(file.read_text("utf-8")) if claims(t)] == []


@pytest.mark.parametrize(
    "text",
    [
        "The engineer stole the files",
        "This proves the copy",
        "deleted deliberately",
        "the suspect's phone",
        "with intent",
    ],
)
def test_the_check_finds_what_it_is_for(text: str) -> None:
    assert claims(text)
