"""The standard questions as a tool: one call fills the answer sheet."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from wigmore.records.sheet import answer
from wigmore.registry import tool
from wigmore.tools.context import ToolContext, ToolOutput


@tool("answer_sheet", domain="questions", cost=5)
def answer_sheet(context: ToolContext, question: str = "") -> ToolOutput:
    """Answer the standard questions (or the one of that id) from the records of all sources, within the case's period.

    One row a question that is about something in the case: verdict found (with at most five answers, the oldest first, each
    with its record), no (the coverage carries it) or cannot_say (with the reason).
    """
    if question and question not in context.questions:
        return ToolOutput.failed(f"unknown question {question!r}; `wigmore list questions` names them")
    coverage = context.coverage()
    asked = [q for q in context.questions.values() if q.id == question or (not question and not q.subject)]
    with ThreadPoolExecutor(2) as threads:  # their queries run side by side
        rows = list(threads.map(lambda q: answer(context.store, coverage, q, context.period, asked), asked))
    return ToolOutput.of([row for row in rows if row is not None], f"{len(asked)} questions")
