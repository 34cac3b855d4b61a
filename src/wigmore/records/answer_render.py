"""Answers as text: the fields of a record that answer, verbatim and named, within a budget of characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wigmore.records.answer_match import Candidate, Leaf, Match
from wigmore.records.answer_question import Question

MOST_ANSWERS = 5
MOST_CHARACTERS = 1000
EVEN = {1: (720,), 2: (480, 480), 3: (330,) * 3, 4: (245,) * 4, 5: (196,) * 5}  # characters for each of so many answers
FIRST = {1: (720,), 2: (560, 380), 3: (480, 250, 250), 4: (430, 185, 185, 185), 5: (400, 150, 150, 150, 150)}
TELLING, CONTEXT = 0.3, 420  # fields less relevant than this are shown as context while the answer is short
TIED = 0.06  # scores this close share the room evenly
LONG = 420  # a longer value is shown in part, around what the question names


def excerpt(leaf: Leaf, question: Question, room: int) -> str:
    """The value, or the part of a long one around the first thing the question names; cuts are marked with …"""
    if len(leaf.text) <= room:
        return leaf.text
    low = leaf.text.casefold()
    places = [p for p in (low.find(a.low) for a in question.anchors) if p >= 0] or [
        p for p in (low.find(w) for w in question.words if len(w) > 3) if p >= 0
    ]
    start = max(0, min(places) - room // 4) if places else 0
    start = 0 if start < 20 else start
    end = min(len(leaf.text), start + max(room - 2, 8))
    return ("…" if start else "") + leaf.text[start:end] + ("…" if end < len(leaf.text) else "")


def shown(leaf: Leaf, question: Question, room: int) -> str:
    """One field as `name: value`."""
    label = leaf.name if leaf.kind != "place" else f"locator {leaf.name}"
    suffix = " (zone unknown)" if leaf.kind == "time" and leaf.instant is None else ""
    return f"{label}: {excerpt(leaf, question, max(room - len(label) - 2 - len(suffix), 12))}{suffix}"


def render(match: Match, question: Question, room: int, least: float) -> tuple[str, tuple[str, ...]]:
    """A record's answering fields, best first, in at most `room` characters; and the names of those shown.

    Fields of a relevance below `least` are left out, once one is shown.
    """
    parts: list[str] = []
    names: list[str] = []
    used = 0
    texts: set[str] = set()
    for number, relevance in match.relevance:
        leaf = match.candidate.leaves[number]
        if parts and (relevance < least or (relevance < TELLING and used > CONTEXT)):
            break
        if leaf.low in texts and len(leaf.low) > 8:  # the same value under a second name
            continue
        left = room - used - (2 if parts else 0)
        if left < 24:
            break
        text = shown(leaf, question, min(left, LONG + len(leaf.name)) if not parts else min(left, LONG))
        if parts and len(leaf.text) > left and left < 120:
            continue
        if len(text) > left:
            continue
        parts.append(text)
        names.append(leaf.name)
        texts.add(leaf.low)
        used += len(text) + (2 if len(parts) > 1 else 0)
    return "; ".join(parts), tuple(names)


def key_of(match: Match) -> tuple[Any, ...]:
    """What makes two matches the same answer: their best fields' values."""
    leaves = [match.candidate.leaves[n] for n, r in match.relevance[:3] if r >= 0.5]
    return tuple((leaf.name, leaf.low[:400]) for leaf in leaves) or (match.candidate.record_id,)


def answers_of(matches: Sequence[Match], question: Question) -> tuple[list[dict[str, Any]], list[Candidate]]:
    """Up to five answers of together at most 1,000 characters, one record each, and the further records that say the same."""
    distinct: dict[tuple[Any, ...], list[Match]] = {}
    for match in matches:
        distinct.setdefault(key_of(match), []).append(match)
    groups = list(distinct.values())[:MOST_ANSWERS]
    if not groups:
        return [], []
    chosen = [group[0] for group in groups]
    even = len(chosen) > 1 and chosen[0].score - chosen[1].score <= TIED
    rooms = (EVEN if even else FIRST)[len(chosen)]
    out: list[dict[str, Any]] = []
    copies: list[Candidate] = []
    left = MOST_CHARACTERS
    for group, match, room in zip(groups, chosen, rooms, strict=True):
        value, names = render(match, question, min(room, left), 0.05 if len(chosen) <= 2 else 0.3)
        if not value:
            continue
        left -= len(value)
        out.append(
            {
                "value": value,
                "record_id": match.candidate.record_id,
                "path": match.candidate.path,
                "artifact": match.candidate.artifact,
                "state": match.candidate.state,
                "fields": list(names),
            }
        )
        copies.extend(other.candidate for other in group[1:])
    return out, copies


def citation(candidate: Candidate) -> dict[str, Any]:
    """Where a record is read."""
    return {"record_id": candidate.record_id, "path": candidate.path, "locator": candidate.locator}


def row_citation(row: Mapping[str, Any]) -> dict[str, Any]:
    """Where a stored row is read."""
    import json

    return {"record_id": row["record_id"], "path": row["path"], "locator": json.loads(row["locator"])}
