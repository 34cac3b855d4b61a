"""Questions put to a case: records and verdicts answer first, always; a model is asked beyond them, and code checks what it says.

A model is asked what records left unanswered, and what they answered by words alone; never what verdicts answer, nor what
records are not to be asked. Where it finds nothing, or what it says does not stand, the answer of code is the answer, with
what was looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from wigmore.agents.answering import Answering, Given
from wigmore.agents.bundle import bundle
from wigmore.agents.desk import Desk
from wigmore.agents.roles.answer import OF_RECORDS
from wigmore.investigation.reasoning import Reasoned
from wigmore.investigation.receipts import Looked
from wigmore.investigation.rule_book import rule_folders
from wigmore.investigation.tasks import Tasks
from wigmore.investigation.verdict_answers import by_verdict
from wigmore.investigation.workbench import Workbench
from wigmore.ledger import Event
from wigmore.model.canonical import identify
from wigmore.records.answer import Answerer
from wigmore.records.answer_readings import Fact, Reading
from wigmore.records.answer_words import stems_of
from wigmore.records.search import Search

OFFLINE = "offline"
RETRIEVED, OBSERVED = 36, 8  # records and observations that a bundle is chosen from
BEYOND = 200  # hits of the text index that are looked through where a path limits a question
Row = dict[str, Any]


@dataclass(frozen=True)
class Said:
    """An answer as INTERFACE.md has it, and the events that tell how a model came to it."""

    row: Row
    events: list[Event] = field(default_factory=list)
    task_id: str = ""  # where a model was asked


class Asking:
    """Answers the questions of one case; `tasks` hold its models, `index` is the folder of its text index."""

    def __init__(
        self, bench: Workbench, tasks: Tasks | None = None, index: Path | None = None, kind: str = "ask"
    ) -> None:
        self.bench, self.tasks, self.index, self.kind = bench, tasks, index, kind
        self.readings = _readings(bench)
        self.answerer = Answerer(bench.store, bench.coverage, rule_folders(bench.case_file), self.readings)
        self._search: Search | None = None
        asked = (str(e.body["task_id"]) for e in bench.ledger.events("reasoned")) if tasks else ()
        self._times = Counter(task.partition("#")[0] for task in asked)

    def offline(self, question: str, path: str = "") -> Row:
        """A question about one path is answered from its records alone; one about the case by its verdicts too."""
        said = self.answerer.answer(question, path)
        return said if path else by_verdict(self.bench, question, said)

    def task(self, question: str, path: str = "") -> str:
        """The name of the task of asking a model this, of the case as it stands."""
        return f"{self.kind}:{identify('q', question, path, self.bench.era(), self.bench.state.graph_hash())[2:]}"

    def answer(self, question: str, path: str = "") -> Said:
        """The answer to a question; whoever asks records its events."""
        said = self.offline(question, path)
        if self.tasks is None or not self.tasks.reasoning.endpoints or not _open_to_models(said):
            return Said({**said, "model": OFFLINE})
        reasoning, spent = self.tasks.reasoning, self.bench.exceeded()
        if spent or not reasoning.on:
            why = f"budget spent: {spent}" if spent else reasoning.off
            return Said({**said, "model": OFFLINE, "note": f"no model was asked: {why}"})
        task = self.task(question, path)
        self._times[task] += 1
        if self._times[task] > 1:  # asked again: other exchanges than those that are recorded
            task = f"{task}#{self._times[task]}"
        reasoned = self._reason(task, question, path, said)
        self.tasks.take(reasoned)
        writing = reasoned.writing if isinstance(reasoned.writing, Answering) else None
        model = writing.desk.gateway.model if writing else ""
        if writing is not None and writing.given is not None:
            row = _answered(said, writing.given, model)
        else:
            row = _in_vain(said, writing, model, reasoned, self._looked(task))
        return Said(row, [*(writing.desk.gateway.buffer if writing else ()), *reasoned.events], task)

    def _reason(self, task: str, question: str, path: str, said: Row) -> Reasoned:
        assert self.tasks is not None
        tasks, role = self.tasks, self.tasks.roles["answer"]
        scope = self.answerer.scope(path)
        if path:
            role = replace(role, tools=OF_RECORDS)
        observed = self._observed(question, path)
        retrieved = self._retrieved(question, path, said, observed)

        def fresh(model: str) -> Desk:
            desk = tasks.desk(role.name, task, "", None, model)
            desk.config |= {"question": question, "inside": scope.inside if path else None}
            return desk

        def brief(desk: Desk) -> str:
            return bundle(desk, said, retrieved, observed, scope.artifacts, path)

        sources = tuple(sorted(self.bench.state.sources))
        return tasks.reasoning.work(role, task, fresh, brief, sources, writes=Answering)

    def _observed(self, question: str, path: str) -> list[Reading]:
        """The observations that share most with a question."""
        scope, words = self.answerer.scope(path), {s for w in self.answerer.telling(question) for s in stems_of(w)}
        ranked = []
        for reading in self.readings:
            facts = tuple(f for f in reading.facts if f.record_id and scope.inside(f.path))
            shared = words & set(stems_of(f"{reading.title} {reading.words} {' '.join(str(f.value) for f in facts)}"))
            if facts and shared:
                ranked.append((-len(shared), -reading.quality, reading.phenomenon_id, replace(reading, facts=facts)))
        return [r[3] for r in sorted(ranked, key=lambda r: r[:3])[:OBSERVED]]

    def _retrieved(self, question: str, path: str, said: Row, observed: Sequence[Reading]) -> list[str]:
        """The records that may answer: those that code cites, then in turn what fits best by fields, by text, by rules."""
        inside = self.answerer.scope(path).inside
        found: list[Row] = []
        if self.tasks and self.index and (words := self.answerer.telling(question)):
            self._search = self._search or Search(self.bench.store, self.index, self.tasks.say)
            rows = self._search.nearest(" ".join(words), BEYOND if path else RETRIEVED)
            found = [r for r in rows if inside(str(r["path"]))]
        ways = (
            self.answerer.nearest(question, path, RETRIEVED),
            [str(r["record_id"]) for r in found],
            [f.record_id for r in observed for f in r.facts[:2]],
        )
        out = [str(c["record_id"]) for c in said["citations"]]
        for place in range(RETRIEVED):
            out += [way[place] for way in ways if place < len(way)]
        return list(dict.fromkeys(out))[:RETRIEVED]

    def _looked(self, task: str) -> list[Row]:
        """What a model's calls looked at."""
        calls = [i for i in self.bench.runner.known.values() if i.task_id == task]
        return [
            {
                "artifact": str(call.args.get("artifact", "")),
                "path": str(call.args.get("path", "")),
                "records": len(self.bench.runner.rows(call)),
                "outcome": call.status,
                "call": call.tool,
                "invocation_id": call.id,
            }
            for call in calls
        ]


def answer_questions(asking: Asking, questions: Sequence[Row]) -> None:
    """Answer a case's own questions, each with its receipt; what a model answered of the same records and graph stands."""
    bench = asking.bench
    looked = Looked(bench.coverage, bench.store.parts)
    nothing = {"offline": "", "note": ""}  # of an earlier answer
    for question in questions:
        text = str(question["ask"])
        if asking.task(text) in bench.state.tasks_done:
            continue
        said = asking.answer(text)
        receipt = looked.receipt(asking.answerer.needs(text)) if said.row["status"] == "unanswered" else {}
        answer = Event("question", {**question, "question": text, **nothing, **said.row, "receipt": receipt})
        done = [Event("task.done", {"id": said.task_id, "role": "answer", "source_id": ""})] if said.task_id else []
        bench.append([*said.events, answer, *done])


def _open_to_models(said: Row) -> bool:
    """Whether a model may add to an answer: none does to a verdict, nor to what records are not to be asked."""
    return said["status"] == "unanswered" or (said["status"] == "answered" and "verdict" not in said)


def _answered(said: Row, given: Given, model: str) -> Row:
    """The answer of a model beside that of code; a verdict that is open stays so."""
    held = {v["record_id"]: v for v in given.values}
    answers = [
        {
            "value": f"{v['field']}: {v['value']}",
            "record_id": v["record_id"],
            "path": v["path"],
            "artifact": v["artifact"],
            "state": v["state"],
            "fields": [v["field"]],
            "invocation_id": v["invocation_id"],
        }
        for v in given.values
    ]
    citations = [{"record_id": v["record_id"], "path": v["path"], "locator": v["locator"]} for v in held.values()]
    citations += [c for c in said["citations"] if c["record_id"] not in held]
    row = {**said, "citations": citations, "model": model}
    if given.asked_alone:
        row["note"] = f"stands in the question, and in none of the cited values: {', '.join(given.asked_alone)}"
    if "verdict" in said:  # what is recorded may bear on the act; that it was done is not for a model to say
        text = f"{said['answer']}. What a model reads in recorded facts, which weighs nothing: {given.text}"
        return {**row, "answer": text, "answers": answers}
    more = [a for a in said["answers"] if a["record_id"] not in held]
    beside = {"offline": said["answer"]} if said["status"] == "answered" else {}
    return {**row, **beside, "status": "answered", "answer": given.text, "answers": [*answers, *more]}


def _in_vain(said: Row, writing: Answering | None, model: str, reasoned: Reasoned, looked: list[Row]) -> Row:
    """The answer of code where a model had none that stands; never the model's words for a value."""
    row = {**said, "model": OFFLINE, "looked_at": [*said["looked_at"], *looked]}
    if writing is not None and writing.declined:
        calls = ", ".join(f"{n} × {name}" for name, n in sorted(Counter(c["call"] for c in looked).items()))
        note = f"{model} could not find it either; it looked at {calls or 'what code found'}"
        note += f": {writing.why}" if writing.why else ""
        if said["status"] == "unanswered":
            return {**row, "answer": f"{said['answer']}. {note}", "note": note}
        return {**row, "note": note}
    outcomes = {t["outcome"] for t in reasoned.events[-1].body["tried"]}
    if outcomes <= {"failed", "budget"}:
        ended = f"no model answered ({reasoned.why})"
    else:
        ended = "what was said of it by a model does not stand in what it cites, and is left out"
    return {**row, "note": f"answered by code alone: {ended}"}


def _readings(bench: Workbench) -> list[Reading]:
    """What rules observed, as questions are answered from it; what a model observed is no ground of an answer."""
    out = []
    for phenomenon in sorted(bench.state.phenomena.values(), key=lambda p: p.id):
        if phenomenon.model:
            continue
        facts = tuple(
            Fact(f.citation.record_id or "", f.path, f.locator, f.name, f.value) for f in phenomenon.verified_facts
        )
        words = " ".join([phenomenon.category, phenomenon.interpretation, phenomenon.rule, *phenomenon.attack])
        out.append(
            Reading(phenomenon.id, phenomenon.title, words, phenomenon.caveat, bench.state.quality(phenomenon), facts)
        )
    return out
