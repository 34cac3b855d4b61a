"""`wigmore ask`: a question, or a sheet of them, answered from the records of a case; or what was looked at in vain."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from wigmore import __version__
from wigmore.api.cases import FAILED, UseError, index_of, open_case
from wigmore.api.models import probed
from wigmore.investigation.asking import Asking
from wigmore.investigation.config import ConfigError, load_config
from wigmore.investigation.tasks import Tasks
from wigmore.investigation.workbench import Workbench, config_of
from wigmore.ledger import CaseLocked, Event, LedgerReadOnly
from wigmore.model.canonical import identify


def ask(
    case: Path,
    question: str,
    *,
    file: Path | None = None,
    path: str = "",
    offline: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[dict[str, Any]]:
    """Answers as INTERFACE.md has them, in the order of the sheet; raises UseError for a sheet that cannot be read.

    A sheet is a CSV with the columns id, question and optionally path; `path` limits every question without its own. Where the
    case has a model it is asked beyond the records, and what was said is recorded: the case is then opened for writing. With
    `offline` records and verdicts answer alone, and nothing is written.
    """
    sheet = _sheet(file) if file else [("Q1", question, "")]
    if not file and not question.strip():
        raise UseError("nothing is asked: give a question, or a sheet with -f FILE")
    asked = [(identifier, text, own or path) for identifier, text, own in sheet]
    models = not offline and _has_model(case)
    with ExitStack() as stack:
        bench = stack.enter_context(_opened(case) if models else open_case(case))
        asking = _asking(bench, stack, say) if models else Asking(bench)
        found: dict[int, dict[str, Any]] = {}
        # by path, so that each scope is read once; printed in the sheet's order
        given = 0
        for number in sorted(range(len(asked)), key=lambda n: (asked[n][2], n)):
            identifier, text, where = asked[number]
            said = asking.answer(text, where)
            found[number] = {"case": bench.case_file.case, "id": identifier, "question": text, **said.row}
            if said.task_id:
                about = {"id": said.task_id, "task_id": said.task_id, "question": text, "path": where}
                bench.append([*said.events, Event("answer", {**said.row, **about})])
            while given in found:
                yield found.pop(given)
                given += 1


def _has_model(case: Path) -> bool:
    """Whether models can be asked of a case: it was run, and its configuration names one."""
    try:
        return (case / "ledger.sqlite").exists() and bool(load_config(config_of(case)).agent.base_url)
    except ConfigError as error:
        raise UseError(str(error)) from error


def _opened(case: Path) -> Workbench:
    """The case for writing, as a model is to be asked; raises UseError where another works on it."""
    try:
        return open_case(case, write=True)
    except UseError as error:
        if not isinstance(error.__cause__, (CaseLocked, LedgerReadOnly)):
            raise
        raise UseError(
            f"{error}. A model is configured, and what it is asked is recorded in the case: wait until the case is free, or ask "
            "with --offline, which only reads",
            FAILED,
        ) from error


def _asking(bench: Workbench, stack: ExitStack, say: Callable[[str], None]) -> Asking:
    """The models of the case, asked once whether they answer; and that they are asked is recorded."""
    reasoning = probed(bench, say)
    if reasoning.tracing is not None:
        stack.callback(reasoning.tracing.close)
    names, head = [e.name for e in reasoning.endpoints], str(bench.ledger.head())
    bench.append([Event("ask.started", {"id": identify("ask", head), "wigmore": __version__, "models": names})])
    folder = stack.enter_context(index_of(bench.case))
    return Asking(bench, Tasks(bench, jobs=1, say=say, reasoning=reasoning), folder)


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
