"""What a case owes an answer: its questions, the answer sheet, probes, recorded facts that nothing used, supplied lists.

Each stays open until it is answered or done, or until a receipt says why it cannot be: the artifacts it needs, what coverage
there is of them, and the calls that looked. Plain data: `wigmore show CASE obligations` and the report print it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from wigmore.agents.desk import Desk
from wigmore.agents.roles.strategist import obligations as owed_probes
from wigmore.agents.templates import Probe
from wigmore.agents.unheard import ROLE, unheard
from wigmore.graph.views import unused_phenomena
from wigmore.investigation.case_file import CaseFileError
from wigmore.investigation.receipts import Looked
from wigmore.investigation.tasks import Tasks
from wigmore.investigation.workbench import Workbench
from wigmore.model.nouns import Hypothesis

KINDS = ("question", "standard", "probe", "fact", "list")
STATES = ("open", "unanswerable", "answered", "done")
NAMED = 20  # phenomena that a row names; `count` says how many there are
Row = dict[str, Any]


def obligations(bench: Workbench) -> list[Row]:
    """All obligations of a case: kind, id, state, title, reason, needs, coverage, invocations, phenomena, count."""
    desk, looked = Tasks(bench).desk("strategist", "obligations", ""), Looked(bench.coverage, bench.store.parts)
    rows = [
        *_questions(bench, looked),
        *_standard(bench, looked),
        *_probes(desk, looked),
        *_facts(desk),
        *_lists(bench),
    ]
    return sorted(rows, key=lambda r: (KINDS.index(r["kind"]), STATES.index(r["state"]), r["id"]))


def _row(kind: str, name: str, state: str, title: str, reason: str, **more: Any) -> Row:
    empty: Row = {
        "hypothesis_id": "",
        "needs": [],
        "coverage": [],
        "more": 0,
        "invocations": [],
        "phenomena": [],
        "count": 1,
    }
    return {"kind": kind, "id": name, "state": state, "title": title, "reason": reason, **empty, **more}


def _questions(bench: Workbench, looked: Looked) -> Iterator[Row]:
    """The case's own questions; what was not answered carries the receipt that was recorded with it."""
    known = bench.state.questions
    for name, question in sorted(known.items()):
        if question.get("standard") or not question.get("ask"):
            continue
        status, receipt = str(question.get("status")), question.get("receipt") or {}
        if status == "unanswered" and not receipt:  # recorded by an older version
            receipt = looked.receipt(
                [str(row["artifact"]) for row in question.get("looked_at") or () if row["artifact"]]
            )
        state = {"answered": "answered", "unanswered": "unanswerable", "refused": "unanswerable"}.get(status, "open")
        reason = str(receipt.get("reason") or question.get("answer") or "not asked of the records yet")
        yield _row("question", name, state, str(question["ask"]), reason, **_of(receipt))


def _of(receipt: Row) -> Row:
    return {k: receipt[k] for k in ("needs", "coverage", "more") if k in receipt}


def _standard(bench: Workbench, looked: Looked) -> Iterator[Row]:
    """The answer sheet: found, a "no" that the coverage carries, or cannot say with the reason."""
    sheet = {name: q for name, q in sorted(bench.state.questions.items()) if q.get("standard")}
    if not sheet:
        asked = sum(not q.subject for q in bench.rules.questions.values())
        yield _row("standard", "std", "open", "The answer sheet", "it was not filled yet", count=asked)
    for name, said in sheet.items():
        question = bench.rules.questions.get(name.removeprefix("std-"))
        answered = said.get("status") == "answered"
        receipt = looked.receipt(question.needs) if question and said.get("verdict") != "found" else {}
        yield _row(
            "standard",
            name,
            "answered" if answered else "unanswerable",
            str(said.get("ask")),
            str(said.get("answer")),
            invocations=[said["invocation_id"]] if said.get("invocation_id") else [],
            **_of(receipt),
        )


def _probes(desk: Desk, looked: Looked) -> Iterator[Row]:
    """The disconfirming and decisive probes of supported hypotheses, made and owed; in all sources together."""
    state = desk.state
    made: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for (hypothesis_id, probe_id, _), said in sorted(state.probes.items()):
        weighty = said["disconfirming"] or said["decisive"]
        hypothesis = state.hypotheses.get(hypothesis_id)
        if weighty and hypothesis and (hypothesis.innocent or state.status(hypothesis_id) == "supported"):
            made[hypothesis_id, probe_id].append(said)
    for owed, _ in owed_probes(desk):
        made.setdefault((owed.hypothesis.id, owed.probe.id), [])
    for (hypothesis_id, probe_id), results in sorted(made.items()):
        hypothesis = state.hypotheses[hypothesis_id]
        probe = _probe(desk, hypothesis, probe_id)
        outcomes = {str(r["outcome"]) for r in results}
        done = outcomes & {"found", "empty"}
        cannot = outcomes == {"cannot_say"}
        what = f"{probe.description if probe else probe_id} — owed by: {hypothesis.title}"
        reasons = [
            f"{r['source_id'] or 'all sources'}: {r['outcome'].replace('_', ' ')}, {r['reason']}" for r in results
        ]
        yield _row(
            "probe",
            f"{hypothesis_id}:{probe_id}",
            "done" if done else "unanswerable" if cannot else "open",
            what,
            "; ".join(reasons) or "not made yet",
            hypothesis_id=hypothesis_id,
            invocations=sorted({i for r in results for i in r["invocations"]}),
            phenomena=sorted({p for r in results for p in r["phenomena"]})[:NAMED],
            **_of(looked.receipt(_needs(desk, probe)) if probe and not done else {}),
        )


def _probe(desk: Desk, hypothesis: Hypothesis, probe_id: str) -> Probe | None:
    template = desk.templates.get(hypothesis.frame or hypothesis.template)
    return next((p for p in template.probes if p.id == probe_id), None) if template else None


def _needs(desk: Desk, probe: Probe) -> list[str]:
    ruled = (a for name in probe.rules for a in desk.indicators[name].artifacts)
    return list(dict.fromkeys([*probe.artifacts, *ruled]))


def _facts(desk: Desk) -> Iterator[Row]:
    """Recorded observations that bear on no hypothesis and are cited by no answer, one row a rule."""
    state, waiting = desk.state, unheard(desk)
    for group in waiting:
        yield _row(
            "fact",
            group.probe,
            "open",
            f"{group.template.title}{f' ({group.subject})' if group.subject else ''}: observations not judged yet",
            group.reason,
            hypothesis_id=group.motivating,
            phenomena=list(group.phenomena)[:NAMED],
            count=len(group.phenomena),
        )
    open_ones = {name for group in waiting for name in group.phenomena}
    offered = {n for x in state.leads.values() if x.target_agent == ROLE for n in x.context.get("phenomena") or ()}
    cited = _cited(state.questions.values())
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name in unused_phenomena(state):
        phenomenon = state.phenomena[name]
        records = {f.citation.record_id for f in phenomenon.verified_facts if f.citation.record_id}
        if name in open_ones or records & cited:
            continue
        rule = desk.indicators.get(phenomenon.rule)
        if rule is None:
            reason = f"background: {phenomenon.rule or 'no rule'} names no rule that could judge it"
        elif not rule.bears_on:
            reason = f"background: rule {rule.id} bears on no hypothesis"
        elif name in offered or not phenomenon.lead_id:
            reason = f"judged: what rule {rule.id} says of it gave no edge (the rejections say why)"
        else:
            reason = f"background: what rule {rule.id} says of it speaks for no hypothesis that was raised"
        groups[phenomenon.rule, reason].append(name)
    for number, ((rule_id, reason), names) in enumerate(sorted(groups.items())):
        title = desk.indicators[rule_id].title if rule_id in desk.indicators else rule_id
        alike = sum(other == rule_id for other, _ in sorted(groups)[:number])
        yield _row(
            "fact",
            f"fact:{rule_id}" + (f":{alike + 1}" if alike else ""),
            "done",
            title,
            reason,
            phenomena=sorted(names)[:NAMED],
            count=len(names),
        )


def _cited(questions: Iterable[Row]) -> set[str]:
    """The records that answers rest on."""
    rows = (row for q in questions for key in ("citations", "answers") for row in q.get(key) or ())
    return {str(row["record_id"]) for row in rows if isinstance(row, dict) and row.get("record_id")}


def _lists(bench: Workbench) -> Iterator[Row]:
    """The examiner's lists: applied in full, or which entries could not be used and why."""
    try:
        files = bench.lists
    except CaseFileError as error:
        yield _row("list", "lists", "open", "The lists of the case", str(error))
        files = ()
    spoken = [row for row in bench.coverage if row.parser == row.artifact and row.artifact]
    for file in files:
        mine = [row for row in spoken if (row.path, row.file_sha256) == (file.name, file.sha256)]
        short = next((row for row in mine if not row.complete), None)
        said = short or next(iter(mine), None)
        yield _row(
            "list",
            f"{file.kind}:{file.name}",
            "unanswerable" if short else "done" if said else "open",
            f"{file.kind} list {file.name}, SHA-256 {file.sha256}",
            said.reason if said else "it was not applied yet",
            count=said.records if said else 1,
        )
    refused = {row.reason: row for row in spoken if row.artifact == "lists.sigma" and row.outcome == "failed"}
    for reason, row in sorted(refused.items()):
        yield _row("list", f"sigma:{row.path}", "unanswerable", f"Sigma rule of {row.path}", reason)


def gaps(case: object, rows: Iterable[Row]) -> list[str]:
    """The lines that a run ends with: what the case asked and did not get, and what is still open.

    The standard questions that cannot be answered are no gap of a run (every case has some); lists name themselves.
    """
    held = list(rows)
    out = []
    for kind, state, what in (
        ("question", "unanswerable", "question{s} cannot be answered"),
        ("probe", "unanswerable", "probe{s} that supported hypotheses owe could be made in no source"),
    ):
        names = [r["id"] for r in held if (r["kind"], r["state"]) == (kind, state)]
        if names:
            shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
            about = f": {shown}" if kind == "question" else ""
            out.append(
                f"{len(names)} {what.format(s='s' * (len(names) > 1))}{about}: `wigmore show {case} obligations` says why"
            )
    waiting = [r for r in held if r["state"] == "open"]
    if waiting:
        kinds = ", ".join(f"{n} {k}" for k in KINDS if (n := sum(r["kind"] == k for r in waiting)))
        out.append(f"obligations that are open: {kinds}: `wigmore show {case} obligations` names them")
    return out
