"""The questions put to the examination: answer, strength and chief limit of each."""

from __future__ import annotations

from wigmore.reports.index import Index, Row
from wigmore.reports.markup import Part, Safe, clipped, joined, link, plain, table, tag
from wigmore.reports.words import not_shown, strength, unmet

ROWS = 200
# an answer is read from records and is not weighed as a hypothesis is: its strength is that of its records
ANSWERED = {"answered": "as recorded", "unanswered": "cannot say", "refused": "not for records"}


def questions(index: Index) -> Safe:
    """Each question with its answer, or why there is none; the standard ones have a sheet of their own."""
    known = {plain(q.get("id")): q for q in index.data.context.get("questions") or ()}
    for question in index.data.questions:
        if question.get("standard"):
            continue
        known[plain(question.get("id"))] = {**known.get(plain(question.get("id")), {}), **question}
    rows = [
        [
            plain(q.get("id")),
            clipped(q.get("ask") or q.get("question"), 400),
            _answer(index, q),
            _strength(q),
            _limit(index, q),
        ]
        for _, q in sorted(known.items())
    ]
    shown = table(["Id", "Question", "Answer", "Strength", "Chief limit"], rows[:ROWS], "asked")
    return joined((shown, not_shown(ROWS, len(rows), f"wigmore show {index.case} questions")))


def _strength(question: Row) -> Safe:
    """How far an answer carries: the verdict where it is one, else that of records."""
    if question.get("verdict"):
        return strength(plain(question["verdict"]))
    if question.get("status") == "answered" and _by_model(question):
        return tag("strong", "interpretation", class_="w")
    return tag("strong", ANSWERED.get(plain(question.get("status")), "open"), class_="w")


def _by_model(question: Row) -> str:
    """The model that answered, or nothing."""
    name = plain(question.get("model"))
    return "" if name in ("", "offline") else name


def _answer(index: Index, question: Row) -> Part:
    said = question.get("answer")
    if said in (None, ""):
        status = plain(question.get("status") or "open")
        looked = question.get("looked_at") or ()
        tail = f" Looked at in vain: {clipped(', '.join(plain(x) for x in looked), 400)}." if looked else ""
        return joined(
            (
                tag("span", f"{status}: not answered by this run.", class_="quiet"),
                tail,
                " ",
                tag("code", f'wigmore ask {index.case} "…"') if not looked else "",
            )
        )
    cited = [tag("code", plain(c.get("record_id"))) for c in question.get("citations") or () if isinstance(c, dict)][:5]
    parts: list[Part] = [clipped(said, 800), *([" — cited: ", *(joined((c, " ")) for c in cited)] if cited else [])]
    beside = []
    if by := _by_model(question):
        beside.append(f"answered by a model from recorded facts: interpretation ({by})")
    if question.get("offline"):
        beside.append(f"from the records alone: {plain(question['offline'])}")
    if question.get("note"):
        beside.append(plain(question["note"]))
    return joined((*parts, *(tag("div", clipped(text, 400), class_="quiet") for text in beside)))


def _limit(index: Index, question: Row) -> Part:
    """The one limit beside an answer: its finding's, few or recovered records, or what a record of the kind does not mean."""
    if question.get("verdict"):
        return "what its finding says of limits and of alternatives"
    if question.get("status") == "answered":
        if _by_model(question):
            return "its values are read in the cited records; that they answer what was asked is the model's reading"
        answers = [a for a in question.get("answers") or () if isinstance(a, dict)]
        recovered = sorted({plain(a.get("state")) for a in answers} - {"", "live"})
        if recovered:
            return f"rests on records no longer in use: {', '.join(recovered).replace('_', ' ')}"
        names = sorted({n for a in answers if (n := index.parser_of(plain(a.get("artifact"))))})
        if names:
            said = clipped(index.parsers[names[0]].get("does_not_mean"), 160)
            return joined((link("parser", names[0], names[0]), " does not mean: ", said))
        return "rests on records; what no examined artifact records is not seen"
    needs = question.get("receipt") or {}
    unseen = sorted(
        {plain(c["artifact"]) for c in needs.get("coverage") or () if c["outcome"] in ("failed", "not_run")}
        | {
            plain(c["artifact"])
            for c in needs.get("coverage") or ()
            if c["outcome"] in ("found", "empty") and not c["complete"]
        }
        | set(unmet(needs))
    )
    receipts = link("s", "obligations", "receipt")
    if unseen:
        return joined((f"not or only partly seen: {clipped(', '.join(unseen), 120)} (", receipts, ")"))
    if not needs.get("needs"):
        return clipped(needs.get("reason") or "no record was looked at for it", 200)
    return joined(("what is in no examined record is not excluded (", receipts, ")"))
