"""How many: records counted by a stated query, the first of them cited."""

from __future__ import annotations

from typing import Any

from wigmore.records.answer_match import Match
from wigmore.records.answer_question import Question
from wigmore.records.answer_render import MOST_CHARACTERS, row_citation, shown
from wigmore.records.answer_scope import Scope, described, generic, needle

CITED = 20


def stated(match: Match, question: Question) -> tuple[str, float] | None:
    """A number that a record itself states under a name the question asks for."""
    for number, relevance in match.relevance[:4]:
        leaf = match.candidate.leaves[number]
        if leaf.kind == "data" and relevance >= 0.85 and leaf.text.isdigit() and (leaf.stems & set(question.words)):
            return shown(leaf, question, 200), relevance
    return None


def count(scope: Scope, question: Question, kinds: dict[str, float], matches: list[Match]) -> dict[str, Any] | None:
    """Answers and citations of a count question; None where no artifact of the scope fits it."""
    out: list[dict[str, Any]] = []
    citations: list[dict[str, Any]] = []
    for match in matches[:3]:
        number = stated(match, question)
        if number and not match.strict_missing:
            related = "; ".join(shown(match.candidate.leaves[n], question, 160) for n, r in match.relevance[:6] if r >= 0.5)
            out.append({"value": related[:400] or number[0], "record_id": match.candidate.record_id,
                        "path": match.candidate.path, "artifact": match.candidate.artifact})
            citations.append({"record_id": match.candidate.record_id, "path": match.candidate.path,
                              "locator": match.candidate.locator})
            break
    ranked = sorted(kinds, key=lambda a: (-kinds[a] + (0.3 if generic(a) else 0.0), a))
    strict = [a for a in question.anchors if a.required and a.kind != "file"]
    for artifact in ranked[:1 if out else 2]:
        if kinds[artifact] < 0.25 or _spoken(scope, artifact, question) < 0.5:
            continue
        counted = _count(scope, artifact, question, [needle(a.low) for a in strict if a.moment is None])
        if counted:
            out.append(counted[0])
            citations.extend(counted[1])
    if not out:
        return None
    while sum(len(a["value"]) for a in out) > MOST_CHARACTERS:
        out.pop()
    return {"answers": out, "citations": citations[: CITED + 2]}


def _spoken(scope: Scope, artifact: str, question: Question) -> float:
    """The share of the question's words that speak of the artifact or occur among its records' fields."""
    own, means = scope.words[artifact], described().get(artifact, frozenset())
    hit = sum(1.0 if any(w in o for o in own) else 0.7 if w in means else 0.0 for w in question.words)
    return hit / max(len(question.words), 1)


def _count(scope: Scope, artifact: str, question: Question, needles: list[str]) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    condition = "artifact = ?" + " AND contains(hay, ?)" * len(needles)
    table = scope.table
    rows = scope.store.query(
        f"SELECT state, count(*) AS n FROM {table} WHERE {condition} GROUP BY state ORDER BY state", [artifact, *needles]
    )
    total = sum(r["n"] for r in rows)
    if not total:
        return None
    chosen = scope.store.query(f"SELECT record_id FROM {table} WHERE {condition} ORDER BY n, record_id LIMIT {CITED}",
                               [artifact, *needles])
    first = scope.fetch([r["record_id"] for r in chosen])
    states = ", ".join(f"{r['n']} {r['state']}" for r in rows)
    where = f" that hold {', '.join(repr(n) for n in needles)}" if needles else ""
    value = f"{total} records of {artifact}{where} ({states})"
    own = scope.words[artifact]
    qualifiers = [w for w in question.words if w not in own and len(w) > 2]
    for word in qualifiers[:4]:
        some = scope.store.query(f"SELECT count(*) AS n FROM {table} WHERE {condition} AND contains(hay, ?)",
                                 [artifact, *needles, needle(word)])[0]["n"]
        if 0 < some < total:
            value += f"; {some} of them hold “{word}”"
    answer = {"value": value, "record_id": first[0]["record_id"], "path": first[0]["path"], "artifact": artifact,
              "query": f"artifact = {artifact}{where}; path = {scope.path or 'whole case'}", "count": total}
    return answer, [row_citation(r) for r in first]

