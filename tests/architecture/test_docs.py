"""What the documents list is what there is; `WIGMORE_WRITE_DOCS=1 pytest tests/architecture/test_docs.py` writes the table."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from wigmore.api.show import VIEWS
from wigmore.investigation.rule_book import rule_folders
from wigmore.records.sheet import load_questions
from wigmore.registry import found

DOCS = Path(__file__).resolve().parents[2] / "docs"
HEAD = """# Parsers

One row a parser, by name; `wigmore explain NAME` adds what a record means, what it does not, and where the format is described.
This table is written from the registry (`tests/architecture/test_docs.py`).

| parser | reads |
|---|---|
"""


def test_every_parser_has_its_row() -> None:
    rows = [
        f"| `{p.name}` | {' '.join(p.reads.split()).replace('|', '/')} |"
        for p in found("parser").values()
        if p.origin.startswith("wigmore.")
    ]
    text = HEAD + "\n".join(sorted(rows)) + "\n"
    file = DOCS / "parsers.md"
    if os.environ.get("WIGMORE_WRITE_DOCS"):
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text, "write it anew: WIGMORE_WRITE_DOCS=1"


@pytest.mark.parametrize(("title", "count"), [("Hacking Case", 31), ("Data Leakage Case", 60)])
def test_each_number_of_a_published_list_is_answered_by_what_there_is(title: str, count: int) -> None:
    text = (DOCS / "nist.md").read_text(encoding="utf-8").split(f"## {title} ({count})")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([\d, ]+) \| [^|]+ \| ([^|]+) \|$", text, re.MULTILINE)
    assert sorted(int(n) for numbers, _ in rows for n in numbers.split(",")) == list(range(1, count + 1))
    questions, tools = load_questions(rule_folders(None)), found("tool")
    for _, answered in rows:
        quoted = re.findall(r"`([^`]+)`", answered)
        ids = re.findall(r"\b([A-Z]\d\d[a-z]?)\b", re.sub(r"`[^`]+`", "", answered))
        assert quoted or ids
        assert not [i for i in ids if i not in questions]
        for name in quoted:
            view = re.fullmatch(r"wigmore show CASE (\w+)", name)
            assert name in tools or name in ("wigmore search", "wigmore export") or (view and view[1] in VIEWS), name
