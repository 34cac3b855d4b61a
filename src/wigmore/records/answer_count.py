"""How many: records counted by a stated query, the first of them cited."""

from __future__ import annotations

import re
from typing import Any

from wigmore.records.answer_match import Match
from wigmore.records.answer_question import Question
from wigmore.records.answer_render import MOST_CHARACTERS, citation, render, row_citation, shown
from wigmore.records.answer_scope import Scope, described, generic, needle
from wigmore.records.answer_words import WORD, packed, stem

CITED = 20
SUPERSEDED = "wal_superseded"  # an earlier state of a row that is counted itself
NOUN = re.compile(r"\b(?:how many|number of|count of|count (?:the|all))((?:\s+[\w-]+){1,4})", re.IGNORECASE)
COMPOUND = re.compile(r"\b(and|, )\s*(which|what|when|who|where)\b", re.IGNORECASE)


def stated(match: Match, question: Question) -> str:
    """The numbers that a record itself states under the names the question counts, or nothing."""
    spoken = [word for noun in NOUN.finditer(question.text) for word in WORD.findall(noun.group(1))]
    names, stems = {packed(w) for w in spoken if len(w) > 2}, frozenset(map(stem, spoken)) & frozenset(question.words)
    found = []
    for number, relevance in match.relevance:
        leaf = match.candidate.leaves[number]
        if (
            leaf.kind == "data"
            and leaf.text.isdigit()
            and (leaf.packed in names or (relevance >= 0.85 and leaf.stems & stems))
        ):
            found.append(shown(leaf, question, 160))
    return "; ".join(found[:3])


def count(scope: Scope, question: Question, kinds: dict[str, float], matches: list[Match]) -> dict[str, Any] | None:
    """Answers and citations of a count question; None where no artifact of the scope fits it."""
    out: list[dict[str, Any]] = []
    citations: list[dict[str, Any]] = []  # of every answer one, then the rest
    rest: list[dict[str, Any]] = []
    for match in (m for m in matches if m.score >= matches[0].score - 3.0):
        value = "" if match.strict_missing else stated(match, question)
        if value:
            out.append(
                {
                    "value": value,
                    "record_id": match.candidate.record_id,
                    "path": match.candidate.path,
                    "artifact": match.candidate.artifact,
                }
            )
            citations.append(
                {
                    "record_id": match.candidate.record_id,
                    "path": match.candidate.path,
                    "locator": match.candidate.locator,
                }
            )
            break
    ranked = sorted(kinds, key=lambda a: (-kinds[a] + (0.3 if generic(a) else 0.0), a))
    strict = [a for a in question.anchors if a.required and a.kind != "file"]
    ranked = [
        a for a in ranked if a not in ("file_listing", "container") or scope.artifacts[a] > 1
    ]  # not of the file itself
    for artifact in ranked[: 1 if out else 2]:
        if (
            kinds[artifact] < 0.25
            or (generic(artifact) and kinds[artifact] < 0.45)
            or (kinds[artifact] < 0.45 and _spoken(scope, artifact, question) < 0.5)
        ):
            continue
        counted = _count(
            scope, artifact, question, [a.moment.utc.lower() if a.moment else needle(a.low) for a in strict]
        )
        if counted:
            out.append(counted[0])
            citations.append(counted[1][0])
            rest.extend(counted[1][1:])
    if not out:
        return None
    if COMPOUND.search(question.text) and matches and not matches[0].strict_missing:
        best = matches[0]
        value, names = render(best, question, 300, 0.3)
        out.append(
            {
                "value": value,
                "record_id": best.candidate.record_id,
                "path": best.candidate.path,
                "artifact": best.candidate.artifact,
                "fields": list(names),
            }
        )
        citations.insert(0, citation(best.candidate))
    while sum(len(a["value"]) for a in out) > MOST_CHARACTERS:
        out.pop()
    return {"answers": out, "citations": [*citations, *rest][:CITED]}


def _spoken(scope: Scope, artifact: str, question: Question) -> float:
    """The share of the question's words that speak of the artifact or occur among its records' fields."""
    own, means = scope.words[artifact], described().get(artifact, frozenset())
    hit = sum(1.0 if any(w in o for o in own) else 0.7 if w in means else 0.0 for w in question.words)
    return hit / max(len(question.words), 1)


def _asked(question: Question, scope: Scope) -> str:
    """The words of the question that name what is counted."""
    noun = NOUN.search(question.text)
    spoken = WORD.findall(noun.group(1)) if noun else []
    stop = next((n for n, word in enumerate(spoken) if word.casefold() in scope.terms.stop), len(spoken))
    return " ".join(spoken[:stop][:3])


def _share(scope: Scope, word: str, condition: str, parameters: list[Any], total: int) -> str:
    """How many of the counted records say a word of the question: as a field that is true, else as a value, else at all."""
    told = "|".join(re.escape(needle(w)) for w in (word, *scope.terms.alike.get(word, ())))
    for pattern, value in (
        (rf'"([^"]*(?:{told})[^"]*)":(true)', "{field}: {value}"),
        (rf'"([^"\\]+)":"((?:{told})[^"\\]{{0,40}})"', "{field}: {value}"),
        (rf"({told})(\w*)", "“{field}{value}”"),
    ):
        some = scope.store.query(
            f"SELECT regexp_extract(hay, ?, 1) AS field, regexp_extract(hay, ?, 2) AS value, count(*) AS n FROM {scope.table} "
            f"WHERE {condition} AND state <> '{SUPERSEDED}' AND regexp_matches(hay, ?) "
            "GROUP BY ALL ORDER BY n DESC, field, value LIMIT 1",
            [pattern, pattern, *parameters, pattern],
        )
        if some:
            row = some[0]
            return f"; {row['n']} of them with {value.format(**row)}" if row["n"] < total else ""
    return ""


def _count(
    scope: Scope, artifact: str, question: Question, needles: list[str]
) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    condition = "artifact = ?" + " AND contains(hay, ?)" * len(needles)
    table = scope.table
    rows = scope.store.query(
        f"SELECT state, count(*) AS n FROM {table} WHERE {condition} GROUP BY state ORDER BY state",
        [artifact, *needles],
    )
    everything = sum(r["n"] for r in rows)
    if not everything:
        return None
    chosen = scope.store.query(
        f"SELECT record_id FROM {table} WHERE {condition} ORDER BY n, record_id LIMIT {CITED}", [artifact, *needles]
    )
    first = scope.fetch([r["record_id"] for r in chosen])
    earlier = sum(r["n"] for r in rows if r["state"] == SUPERSEDED)
    total = everything - earlier or everything  # a row that a later write replaced is counted once
    shown_rows = [r for r in rows if r["state"] != SUPERSEDED or total == everything]
    states = ", ".join(f"{r['n']} {r['state']}" for r in shown_rows)
    where = f" that hold {', '.join(repr(n) for n in needles)}" if needles else ""
    value = f"{total} record{'s' * (total > 1)} of {artifact}{where} ({states})"
    if total < everything:
        value += f", and {earlier} earlier state{'s' * (earlier > 1)} of such rows"
    asked = _asked(question, scope)
    value += f", for “{asked}”" if asked else ""
    own = scope.words[artifact]
    qualifiers = [w for w in question.words if (w not in own or w in scope.terms.outcomes) and len(w) > 2]
    for word in qualifiers[:4]:
        value += _share(scope, word, condition, [artifact, *needles], total)
    answer = {
        "value": value,
        "record_id": first[0]["record_id"],
        "path": first[0]["path"],
        "artifact": artifact,
        "query": f"artifact = {artifact}{where}; path = {scope.path or 'whole case'}",
        "count": total,
    }
    return answer, [row_citation(r) for r in first]
