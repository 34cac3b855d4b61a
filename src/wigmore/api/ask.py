"""`wigmore ask`: a question, or a sheet of them, answered from the records of a case; or what was looked at in vain."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wigmore.api.cases import UseError, open_case
from wigmore.investigation.rule_book import rule_folders
from wigmore.investigation.verdict_answers import by_verdict
from wigmore.investigation.workbench import Workbench
from wigmore.records.answer import Answerer
from wigmore.records.answer_readings import Fact, Reading

MODEL = "offline"


def ask(case: Path, question: str, *, file: Path | None = None, path: str = "") -> Iterator[dict[str, Any]]:
    """Answers as INTERFACE.md has them, in the order of the sheet; raises UseError for a sheet that cannot be read.

    A sheet is a CSV with the columns id, question and optionally path; `path` limits every question without its own.
    """
    sheet = _sheet(file) if file else [("Q1", question, "")]
    if not file and not question.strip():
        raise UseError("nothing is asked: give a question, or a sheet with -f FILE")
    asked = [(identifier, text, own or path) for identifier, text, own in sheet]
    with open_case(case) as bench:
        answerer = case_answerer(bench)
        found: dict[int, dict[str, Any]] = {}
        # by path, so that each scope is read once; printed in the sheet's order
        given = 0
        for number in sorted(range(len(asked)), key=lambda n: (asked[n][2], n)):
            identifier, text, where = asked[number]
            found[number] = {
                "case": bench.case_file.case,
                "id": identifier,
                "question": text,
                **_answered(bench, answerer, text, where),
                "model": MODEL,
            }
            while given in found:
                yield found.pop(given)
                given += 1


def _answered(bench: Workbench, answerer: Answerer, question: str, path: str) -> dict[str, Any]:
    """A question about one path is answered from its records alone; one about the case by its verdicts too."""
    said = answerer.answer(question, path)
    return said if path else by_verdict(bench, question, said)


def case_answerer(bench: Workbench) -> Answerer:
    """What answers questions about an opened case."""
    return Answerer(bench.store, bench.coverage, rule_folders(bench.case_file), _readings(bench))


def _sheet(file: Path) -> list[tuple[str, str, str]]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            columns = reader.fieldnames or []
            if "question" not in columns:
                raise UseError(
                    f"{file}: no column `question`; a sheet has the columns id, question and optionally path"
                )
            rows = [
                (str(r.get("id") or f"Q{n}"), str(r["question"] or ""), str(r.get("path") or ""))
                for n, r in enumerate(reader, 1)
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UseError(f"{file} cannot be read as a sheet: {error}") from error
    if not rows:
        raise UseError(f"{file}: no questions in it")
    return rows


def _readings(bench: Workbench) -> list[Reading]:
    out = []
    for phenomenon in sorted(bench.state.phenomena.values(), key=lambda p: p.id):
        facts = tuple(
            Fact(f.citation.record_id or "", f.path, f.locator, f.name, f.value) for f in phenomenon.verified_facts
        )
        words = " ".join([phenomenon.category, phenomenon.interpretation, phenomenon.rule, *phenomenon.attack])
        out.append(
            Reading(phenomenon.id, phenomenon.title, words, phenomenon.caveat, bench.state.quality(phenomenon), facts)
        )
    return out
