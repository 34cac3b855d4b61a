"""Answers to an examiner's questions, read from the records by code: no model, nothing that is not cited.

A question is taken apart (answer_question), the records of its scope are searched (answer_scope), scored (answer_match), and
the fields that answer are shown as the parser read them (answer_render). Where nothing fits well enough the answer says what
was looked at, and "cannot say" where a part could not be read: never "no".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from wigmore.model.nouns import Coverage
from wigmore.records.answer_count import CITED, count
from wigmore.records.answer_match import Match, names_what_is_asked, score
from wigmore.records.answer_question import Question, parse, refusal
from wigmore.records.answer_readings import Reading, answer_readings
from wigmore.records.answer_render import answers_of, citation
from wigmore.records.answer_scope import Scope, described, list_paths, normal
from wigmore.records.answer_words import WORD, load_terms, name_stems, stem, stems_of
from wigmore.records.store import RecordStore

NEAR = 0.4  # records this close to the best one answer too
WIDE = 0.7  # the same where several things are asked for
LOOKED_AT = 30
FITS = 0.25  # artifacts that fit a question so well are what it is about,
NEEDS = 5  # so many at most
OPENING = 5  # a question that names an attack, a risk or the like among its first words asks what rules read


class Answerer:
    """Answers questions over one case's records."""

    def __init__(
        self,
        store: RecordStore,
        coverage: Sequence[Coverage],
        folders: Iterable[Path],
        readings: Sequence[Reading] = (),
    ) -> None:
        self.store, self.coverage, self.readings = store, coverage, readings
        self.terms = load_terms(tuple(folders))
        self._scope: Scope | None = None

    def scope(self, path: str) -> Scope:
        """The scope of a path; the last one is kept."""
        if self._scope is None:
            list_paths(self.store)
        if self._scope is None or self._scope.path != normal(path):
            self._scope = Scope(self.store, path, self.terms)
        return self._scope

    def answer(self, text: str, path: str = "") -> dict[str, Any]:
        """status, answer, answers, citations and looked_at of one question (INTERFACE.md)."""
        because = refusal(text, self.terms)
        if because:
            return _said(
                "refused",
                f"not answered: {because}. Records name accounts, numbers, devices and times; who a person "
                "was and what they meant is for people to judge",
                [],
            )
        question = parse(text, self.terms)
        scope = self.scope(path)
        if not question.words and not question.anchors:
            return _said("unanswered", "the question names nothing to look for", [])
        if not scope.rows:
            return self._unanswered(scope, question, {}, "")
        kinds = scope.kinds(question)
        if self.terms.readings & set(stems_of(text)[:OPENING]) and not any(a.required for a in question.anchors):
            read = answer_readings(self.readings, scope, question)
            if read:
                return {**_said("answered", "", self._looked(scope, kinds, [])), **read}
            return self._unanswered(
                scope,
                question,
                kinds,
                "no rule read anything of the kind in the records (which is not a clean bill of health)",
            )
        matches = self._matches(scope, question, kinds)
        if question.kind == "count":
            counted = count(scope, question, kinds, matches)
            if counted:
                joined = "; ".join(a["value"] for a in counted["answers"])
                return {
                    **_said("answered", joined, self._looked(scope, kinds, [counted["answers"][0]["artifact"]])),
                    **counted,
                }
            reason = self._missing(matches, question) or "nothing countable fits the question"
            return self._unanswered(scope, question, kinds, reason)
        good = [m for m in matches if self._suffices(m, question) and names_what_is_asked(question, m.candidate)]
        if not good:
            return self._unanswered(scope, question, kinds, self._missing(matches, question))
        near = self._near(good, question)
        answers, copies = answers_of(near, question)
        by_id = {m.candidate.record_id: m.candidate for m in near}
        more = len(near) - len(answers) - len(copies)
        joined = " | ".join(a["value"] for a in answers)
        if copies:  # a copy of a file, a record in two control sets: where else it stands is part of the answer
            joined += f" | the same stands in {len(copies)} more record{'s' * (len(copies) > 1)}"
        if more > 0:
            joined += f" | and {more} more records that fit as well"
        return {
            **_said("answered", joined, self._looked(scope, kinds, [a["artifact"] for a in answers])),
            "answers": answers,
            "citations": [citation(c) for c in [*(by_id[a["record_id"]] for a in answers), *copies][:CITED]],
        }

    def nearest(self, text: str, path: str = "", most: int = 20) -> list[str]:
        """The ids of the records that fit a question best, whether or not they suffice to answer it."""
        question, scope = parse(text, self.terms), self.scope(path)
        if not scope.rows or not (question.words or question.anchors):
            return []
        return [m.candidate.record_id for m in self._matches(scope, question, scope.kinds(question))[:most]]

    def telling(self, text: str) -> list[str]:
        """The words of a question that say what it is about, as they stand in it."""
        stop = {stem(w) for w in self.terms.stop}
        return [w for w in dict.fromkeys(WORD.findall(text)) if len(w) > 2 and stem(w) not in stop]

    def needs(self, text: str) -> list[str]:
        """The artifacts that a question is about: those of the case that fit it best, then expected ones it lacks."""
        question, scope = parse(text, self.terms), self.scope("")
        kinds = scope.kinds(question)
        best = [a for a in sorted(kinds, key=lambda a: (-kinds[a], a)) if kinds[a] >= FITS][:NEEDS]
        lacking = [c for c in self.coverage if c.outcome == "not_run" and c.artifact not in scope.artifacts]
        named = [
            c.artifact
            for c in lacking
            if set(question.words) & set(stems_of(c.reason.partition(";")[0]))
            or any(fnmatchcase(c.artifact, glob) for glob, _ in question.artifacts)
        ]
        spoken = [glob for glob, _ in question.artifacts if "*" not in glob and glob not in scope.artifacts]
        if (
            not best
        ):  # nothing of the case is of the kind: the kinds of record that are called by a word of the question
            said = set(stems_of(text))
            spoken += [a for a in sorted(described()) if set(name_stems(a.rsplit(".", 1)[-1])) <= said]
        return list(dict.fromkeys([*best, *sorted(named), *spoken]))[: 2 * NEEDS]

    def _matches(self, scope: Scope, question: Question, kinds: dict[str, float]) -> list[Match]:
        candidates, idf = scope.candidates(question, kinds)
        known = described()
        nothing: frozenset[str] = frozenset()
        matches = [
            score(
                question,
                c,
                idf,
                kinds[c.artifact],
                scope.words[c.artifact],
                known.get(c.artifact, nothing),
                self.terms,
                scope.penalty(c.artifact, c.path, question),
            )
            for c in candidates
        ]
        matches.sort(
            key=lambda m: (m.strict_missing, -m.score, m.candidate.path, m.candidate.ordinal, m.candidate.record_id)
        )
        return matches

    def _suffices(self, match: Match, question: Question) -> bool:
        if any(a.required for a in question.anchors):
            telling = sum(a.required for a in question.anchors) > 1 and match.anchors >= 0.9 and match.answers >= 0.8
            if telling and not match.strict_missing:  # two things named, both there: the words matter less
                return True
            return not match.strict_missing and match.anchors >= 0.45 and match.answers >= 0.25 and match.words >= 0.2
        telling = any(a.kind == "number" and len(a.text) >= 4 for a in question.anchors)
        if telling and match.anchors >= 0.6:
            return match.answers >= 0.25 and match.words >= 0.3
        fit = match.words + 0.3 * match.kind
        if match.anchors < 0.3 and any(a.kind == "number" for a in question.anchors):
            return match.words >= 0.85 and match.answers >= 0.4
        if (question.anchors and match.anchors < 0.3) or (match.proper < 0.4 and match.kind < 0.6):
            return match.words >= 0.7 and match.answers >= 0.5
        if (
            question.anchors and match.anchors >= 0.9 and match.relevance and match.relevance[0][1] >= 2.5
        ):  # a field by its name
            return match.words >= 0.3
        return match.words >= 0.35 and fit >= 0.62 and match.answers >= 0.4

    def _near(self, good: list[Match], question: Question) -> list[Match]:
        best = good[0]
        margin = WIDE if question.lists else NEAR
        near = [
            m
            for m in good
            if m.score >= best.score - margin
            and (m.candidate.artifact == best.candidate.artifact or m.score >= best.score - 0.1)
        ][:200]
        if question.order and len(near) > 1:
            dated = [
                m for m in near if m.candidate.instant is not None and m.candidate.artifact == best.candidate.artifact
            ]
            close = [m for m in dated if m.score >= best.score - 0.05]
            if len(close) > 1:
                close.sort(
                    key=lambda m: (
                        (-1 if question.order == "newest" else 1) * (m.candidate.instant or 0),
                        m.candidate.path,
                        m.candidate.ordinal,
                    )
                )
                first = close[:2]
                near = first + [m for m in near if m not in first]
        return near

    def _missing(self, matches: list[Match], question: Question) -> str:
        strict = [a.text for a in question.anchors if a.required]
        if strict and (not matches or all(m.strict_missing for m in matches)):
            return f"no record holds {' and '.join(repr(s) for s in strict[:4])}"
        return ""

    def _unanswered(self, scope: Scope, question: Question, kinds: dict[str, float], missing: str) -> dict[str, Any]:
        looked = self._looked(scope, kinds, [], every=True)
        gaps = [r for r in looked if r.get("outcome") == "failed" or r.get("complete") is False]
        reason = missing or ("no record fits the question well enough" if scope.rows else "there are no records of it")
        where = f"below {scope.path}" if scope.path else "in the case"
        if gaps:
            named = "; ".join(
                f"{r['path']} ({r['artifact'] or r['parser']}): {r['reason'] or r['outcome']}" for r in gaps[:3]
            )
            more = f" and {len(gaps) - 3} more" if len(gaps) > 3 else ""
            said = f"cannot say: {reason}, but parts {where} could not be read or were not: {named}{more}"
        else:
            said = (
                f"not answered: {reason} among the {scope.rows} records {where}; that is said of these records, not of the "
                "world, and activity that none of them records is not excluded"
            )
        return _said("unanswered", said, looked)

    def _looked(
        self, scope: Scope, kinds: dict[str, float], used: Sequence[str], every: bool = False
    ) -> list[dict[str, Any]]:
        ranked = sorted(kinds, key=lambda a: (a not in used, -kinds[a], a))
        shown = [a for a in ranked if every or a in used][:12]
        out: list[dict[str, Any]] = [{"artifact": a, "path": scope.path, "records": scope.artifacts[a]} for a in shown]
        likely = set(used) | set(ranked[:6])
        rows = [
            c
            for c in self.coverage
            if (c.outcome == "failed" or not c.complete)
            and scope.inside(c.path)
            and (scope.path or c.artifact in likely or (every and not c.path))
        ]
        rows.sort(key=lambda c: (c.artifact not in likely, c.source_id, c.path, c.parser))
        for row in rows[: LOOKED_AT - len(out)]:
            out.append(
                {
                    "artifact": row.artifact,
                    "parser": row.parser,
                    "path": row.path,
                    "records": row.records,
                    "outcome": row.outcome,
                    "complete": row.complete,
                    "reason": row.reason,
                }
            )
        if not out and every:
            out.append(
                {
                    "artifact": "",
                    "parser": "",
                    "path": scope.path,
                    "records": 0,
                    "outcome": "not_run",
                    "complete": False,
                    "reason": "no records of this path",
                }
            )
        return out


def _said(status: str, answer: str, looked: list[dict[str, Any]]) -> dict[str, Any]:
    return {"status": status, "answer": answer, "answers": [], "citations": [], "looked_at": looked}
