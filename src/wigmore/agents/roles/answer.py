"""The role that answers a question put to the case from recorded facts; offline, records and verdicts answer."""

from __future__ import annotations

from wigmore.agents.desk import Desk, role
from wigmore.agents.prompts import DISCIPLINE

OF_RECORDS = ("query_records", "get_records")  # what is on offer where a question is about one path


@role(
    "answer",
    goal="Answer one question from recorded facts, each value with the record that it was read in; or say that it is not there.",
    sources=(),
    tools=(*OF_RECORDS, "list_phenomena", "get_phenomenon", "search_graph", "graph_overview", "get_hypothesis"),
    mandatory=("answer", "cannot_answer"),
    terminal=("answer", "cannot_answer"),
    worker=False,
    proposes=(),
    requests=12,
    prompt=DISCIPLINE
    + """
You answer one question of the examiner. Code has looked for it first; what it found is shown to you, and is no limit.
An answer is short. Each name, number, time, address and path in it is the value of a field of a record that you cite, or stands
in the question. Check that a record is about what is asked, not merely that it holds the words.
Whether an act was done is weighed elsewhere: say what is recorded, not who did it or why.
"I could not find it" is a good answer; a guess is none.
""",
)
def answer(desk: Desk) -> None:
    """Offline there is nothing to propose: records and verdicts answer a question."""
