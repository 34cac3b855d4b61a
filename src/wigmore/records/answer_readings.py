"""Answers from the graph: what rules read in the records, each with facts of one cited record."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wigmore.records.answer_question import Question
from wigmore.records.answer_render import MOST_ANSWERS, MOST_CHARACTERS
from wigmore.records.answer_scope import Scope
from wigmore.records.answer_words import stem, stems_of

TECHNIQUE = re.compile(r"\bT\d{4}\b")  # an ATT&CK technique
ATTACK = frozenset(map(stem, ("attack", "attacks", "technique", "techniques", "tactic", "exploit", "intrusion")))


@dataclass(frozen=True)
class Fact:
    """A verified fact as the graph cites it."""

    record_id: str
    path: str
    locator: dict[str, Any]
    name: str
    value: Any


@dataclass(frozen=True)
class Reading:
    """A phenomenon of the graph: a rule's reading of cited records."""

    phenomenon_id: str
    title: str
    words: str  # category, interpretation, rule and technique: searched, not shown
    caveat: str
    quality: float
    facts: tuple[Fact, ...]


def answer_readings(readings: Sequence[Reading], scope: Scope, question: Question) -> dict[str, Any] | None:
    """Up to five readings whose cited records lie in the scope, those that share most words with the question first.

    A question of an attack is answered only by what a rule reads as a technique of one.
    """
    ranked = []
    technique = bool(ATTACK & set(question.words))
    for reading in readings:
        if technique and not TECHNIQUE.search(reading.words):
            continue
        facts = _of_one_record(reading, scope)
        if facts:
            known = set(stems_of(f"{reading.title} {reading.words}"))
            ranked.append(
                (-sum(w in known for w in question.words), -reading.quality, reading.phenomenon_id, reading, facts)
            )
    ranked.sort(key=lambda r: r[:3])
    answers: list[dict[str, Any]] = []
    citations: list[dict[str, Any]] = []
    room = MOST_CHARACTERS // max(1, min(MOST_ANSWERS, len(ranked)))
    for _, _, _, reading, facts in ranked[:MOST_ANSWERS]:
        value = f"a rule reads: {reading.title[: room - 20]}"
        for fact in facts:
            more = f"; {fact.name}: {fact.value}"
            if len(value) + len(more) <= room:
                value += more
        first = facts[0]
        answers.append(
            {
                "value": value,
                "record_id": first.record_id,
                "path": first.path,
                "phenomenon_id": reading.phenomenon_id,
                "caveat": reading.caveat,
            }
        )
        citations.append({"record_id": first.record_id, "path": first.path, "locator": first.locator})
    if not answers:
        return None
    more_text = f" | and {len(ranked) - len(answers)} more readings" if len(ranked) > len(answers) else ""
    return {"answer": " | ".join(a["value"] for a in answers) + more_text, "answers": answers, "citations": citations}


def _of_one_record(reading: Reading, scope: Scope) -> list[Fact]:
    by_record: dict[str, list[Fact]] = {}
    for fact in reading.facts:
        if fact.record_id and scope.inside(fact.path):
            by_record.setdefault(fact.record_id, []).append(fact)
    return max(by_record.values(), key=lambda facts: (len(facts), facts[0].record_id), default=[])
