"""Standard questions answered from the records: rows with their places, a receipted "no", or "cannot say" and why.

A question (rules/questions.yaml) names where its answer stands: `from`, a list of {artifacts, where, fields}, the tests being
those of indicator rules; and the artifacts that a "no" rests on, `ARTIFACT` or `ARTIFACT:PATH`, a glob of the file's path
without case (`windows.eventlog:*/Security.evtx`): another log of the same kind carries no "no". Rows that say the same are one
answer; at most five are shown, the oldest first, with the number of all. `at_least: n` in a place asks for n rows that say the
same (so many failures from one address); such answers, and those of shape n, begin with their number. `about` names artifacts
of which the case must hold one for an unanswered question to be asked at all: no telephone, no question about its SIM cards.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path
from typing import Any

from wigmore.model.canonical import canonical, sha256
from wigmore.model.nouns import Coverage
from wigmore.model.yaml_text import read_yaml
from wigmore.records.candidates import Candidates, Reader, candidates
from wigmore.records.compiler import Compiler, extracted, last_part
from wigmore.records.horizon import begins, ends
from wigmore.records.store import ORDER, RecordStore

SHAPES = {"v": "values", "t": "rows with times", "y": "yes, no or cannot say", "n": "a number"}
MOST = 5
PASS = 100_000  # records whose groups are held at once: of more, a part of the groups is looked for at a time
PASSES = 16  # and so often at most
LONGEST = 400  # characters of one value in an answer
PLACED = "record_id, source_id, path, artifact, inode, parser, ordinal, locator, moment"
STOOD = "struct_pack(record_id := record_id, path := path, locator := locator)"
FIRST = (  # the oldest record, then canonical order, as one value
    "struct_pack(a := moment IS NULL, b := moment, c := source_id, d := path, e := artifact, f := inode IS NOT NULL, "
    "g := inode, h := parser, i := ordinal)"
)
GROUP = "struct_pack(v := v, n := n, earliest := earliest, stood := stood)"
EARLIER = "struct_pack(a := earliest IS NULL, b := earliest, c := v)"  # the oldest group, then the first by its values
Period = tuple[int | None, int | None]


class QuestionError(ValueError):
    """A standard question that cannot be used: says which, and what is wrong with it."""


@dataclass(frozen=True)
class Place:
    """Where an answer may stand: records of some artifacts that pass some tests, and the fields that answer."""

    artifacts: tuple[str, ...]
    fields: tuple[str, ...]
    where: tuple[Any, ...] = ()
    at_least: int = 1  # records that say the same
    key: str = ""  # hash of tests and fields

    @property
    def name(self) -> tuple[Any, ...]:
        """What tells it from other places."""
        return self.artifacts, self.key, self.at_least

    def has(self, artifact: str) -> bool:
        """Whether records of an artifact may stand in it."""
        return any(fnmatchcase(artifact, pattern) for pattern in self.artifacts)


@dataclass(frozen=True)
class StandardQuestion:
    """A question that every case asks."""

    id: str
    ask: str
    shape: str
    places: tuple[Place, ...]
    no_rests_on: tuple[str, ...]
    keywords: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    subject: str = ""  # what has to be named for it to be asked at all (a program, a device); such are not in the sheet
    sha256: str = ""

    @property
    def needs(self) -> tuple[str, ...]:
        """What an answer rests on: where a "no" does, or else the artifacts in which an answer may stand."""
        return self.no_rests_on or tuple(dict.fromkeys(a for p in self.places for a in p.artifacts))

    @classmethod
    def read(cls, values: dict[str, Any], origin: str) -> StandardQuestion:
        """A question from YAML values; raises QuestionError naming it and the fault."""
        name = str(values.get("id", "?"))
        known = {"id", "ask", "shape", "from", "no_rests_on", "keywords", "subject", "about"}
        if unknown := sorted(set(values) - known):
            raise QuestionError(f"{origin}: question {name}: unknown keys {', '.join(unknown)}")
        for key in ("id", "ask", "shape", "from"):
            if not values.get(key):
                raise QuestionError(f"{origin}: question {name}: `{key}` is missing or empty")
        if values["shape"] not in SHAPES:
            raise QuestionError(f"{origin}: question {name}: shape {values['shape']!r} is none of {', '.join(SHAPES)}")
        try:
            places = tuple(
                Place(
                    tuple(p["artifacts"]),
                    tuple(p["fields"]),
                    tuple(p.get("where") or ()),
                    int(p.get("at_least", 1)),
                    sha256(canonical([p.get("where"), p["fields"]])),
                )
                for p in values["from"]
            )
        except (KeyError, TypeError, ValueError) as error:
            raise QuestionError(f"{origin}: question {name}: `from` needs artifacts and fields ({error})") from error
        for place in places:
            Compiler(named=f"{origin}: question {name}").condition(place.where)
            if place.at_least > 1 and not place.where:
                raise QuestionError(f"{origin}: question {name}: `at_least` needs a `where`")
        return cls(
            name,
            str(values["ask"]),
            str(values["shape"]),
            places,
            tuple(values.get("no_rests_on") or ()),
            tuple(map(str, values.get("keywords") or ())),
            tuple(values.get("about") or ()),
            str(values.get("subject") or ""),
            sha256(canonical(values)),
        )


def load_questions(folders: Iterable[Path]) -> dict[str, StandardQuestion]:
    """The questions of `questions.yaml` in some folders, by id; later folders add and override."""
    out: dict[str, StandardQuestion] = {}
    for folder in folders:
        file = folder / "questions.yaml"
        if file.is_file():
            read = [StandardQuestion.read(values, file.name) for values in read_yaml(file) or ()]
            if len({q.id for q in read}) != len(read):
                raise QuestionError(f"{file.name}: a question stands twice")
            out.update((q.id, q) for q in read)
    return dict(sorted(out.items()))


def answer(
    store: RecordStore,
    coverage: Sequence[Coverage],
    question: StandardQuestion,
    period: Period = (None, None),
    catalogue: Iterable[StandardQuestion] = (),
) -> dict[str, Any] | None:
    """The question's row of the answer sheet; None where nothing in the case is of the kind it asks about.

    The records are read once for all questions of the `catalogue` (the question itself, where none is given).
    `status` answered | unanswered; `verdict` found | no | cannot_say; `answers` [{value, record_id, path}], `count` of the
    records that fit, `citations`, and `looked_at`: the coverage that a "no" or a gap rests on.
    """
    answers: list[dict[str, Any]] = []
    citations: list[dict[str, Any]] = []
    count = kinds = 0
    for place in question.places:
        rows = _rows(store, place, period, catalogue or [question])
        count, kinds = count + int(rows[0]["total"] if rows else 0), kinds + int(rows[0]["kinds"] if rows else 0)
        for row in rows[: MOST - len(answers)]:
            at = row["stood"]
            numbered = place.where and (place.at_least > 1 or question.shape == "n")
            number = f"{row['n']} record{'s' * (row['n'] != 1)}: " if numbered else ""
            answers.append({"value": number + _said(place, row), "record_id": at["record_id"], "path": at["path"]})
            citations.append({"record_id": at["record_id"], "path": at["path"], "locator": json.loads(at["locator"])})
    rests = _rests_on(coverage, question)
    if not answers and question.about and not store.chosen(question.about):
        return None
    if not answers and not rests and not any(store.chosen(p.artifacts) for p in question.places):
        return None
    verdict, why = ("found", "") if answers else _absence(rests, question, period)
    text = " | ".join(a["value"] for a in answers)
    if kinds > len(answers):
        text += f" | and {kinds - len(answers)} more of {count} records"
    return {
        "id": question.id,
        "question": question.ask,
        "shape": question.shape,
        "status": "answered" if answers or verdict == "no" else "unanswered",
        "verdict": verdict,
        "answer": text or why,
        "count": count,
        "answers": answers,
        "citations": citations,
        "looked_at": [_looked(row) for row in rests if answers == [] or not row.complete][:MOST],
    }


def _rows(
    store: RecordStore, place: Place, period: Period, catalogue: Iterable[StandardQuestion]
) -> list[dict[str, Any]]:
    """The groups of records that say the same, oldest first: values, number, and the first record's place."""
    if not place.where:
        return _plain_rows(store, place, _bounds(period))
    places = {p.name: p for question in catalogue for p in question.places if p.where}
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = store.derived(
        ("places", tuple(places), period), lambda _: _fitting(store, list(places.values()), _bounds(period))
    )
    return found.get(place.name, [])


def _bounds(period: Period) -> list[str]:
    return [
        f"(moment IS NULL OR moment {sign} {int(at)})"
        for sign, at in zip((">=", "<"), period, strict=True)
        if at is not None
    ]


def _fitting(store: RecordStore, places: list[Place], bounds: list[str]) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    """The first groups of each place, of all in one query: most of the time of a small one is its planning."""

    def known(artifact: str) -> Candidates:
        readers = [Reader(p.key, (p.where,), p.fields) for p in places if p.has(artifact)]
        return candidates(store, (artifact,), None, readers)

    artifacts = sorted({part.artifact for part in store.parts if any(p.has(part.artifact) for p in places)})
    with ThreadPoolExecutor(2) as threads:
        tables = list(zip(artifacts, threads.map(known, artifacts), strict=True))
    branches: dict[int, list[str]] = {}
    for number, place in enumerate(places):
        for artifact, table in tables:
            if not place.has(artifact) or table.vain(place.where):
                continue
            compiler = Compiler(list(table.fields))
            shown = [compiler.column(name) for name in place.fields]
            condition = compiler.condition(place.where)
            tests = " AND ".join([table.conditions.get(condition, condition), _filled(shown), *bounds])
            branches.setdefault(number, []).append(
                f"SELECT {number} AS place, {place.at_least} AS least, [{', '.join(shown)}] AS v, {PLACED} "
                f"FROM {table.table} WHERE {tests}"
            )
    if not branches:
        return {}
    passes = min(PASSES, store.count() // PASS + 1)
    found: dict[int, dict[str, Any]] = {}
    for number in range(passes):
        for row in _groups(store, _all(branches.values()), f"hash(v) % {passes} = {number}"):
            sums = found.setdefault(row["place"], {"kinds": 0, "total": 0, "first": []})
            sums["kinds"], sums["total"] = sums["kinds"] + row["kinds"], sums["total"] + row["total"]
            sums["first"] = sorted(sums["first"] + row["first"], key=_earlier)[:MOST]
    at = _stood(
        store, branches, {place: [g["v"] for g in sums["first"] if not g["stood"]] for place, sums in found.items()}
    )
    return {
        places[place].name: [
            {**group, "stood": group["stood"] or at[place, tuple(group["v"])]}
            | {"kinds": sums["kinds"], "total": sums["total"]}
            for group in sums["first"]
        ]
        for place, sums in sorted(found.items())
    }


def _groups(store: RecordStore, records: str, part: str) -> list[dict[str, Any]]:
    """Of each place, in one part of its groups: their number, that of their records, and the first of them.

    Where these stand is told with them, save where there may be many: it would be held for each.
    """
    stood = "NULL" if store.many() else f"arg_min({STOOD}, {FIRST})"
    return store.query(
        f"SELECT place, count(*) AS kinds, sum(n) AS total, arg_min({GROUP}, {EARLIER}, {MOST}) AS first FROM ("
        f"SELECT place, v, count(*) AS n, min(moment) AS earliest, {stood} AS stood "
        f"FROM ({records}) WHERE {part} GROUP BY place, least, v HAVING n >= least) GROUP BY place ORDER BY place"
    )


def _earlier(group: Mapping[str, Any]) -> tuple[Any, ...]:
    """The order of EARLIER."""
    return group["earliest"] is None, group["earliest"] or 0, [(value is None, value or "") for value in group["v"]]


def _stood(
    store: RecordStore, branches: Mapping[int, Iterable[str]], groups: Mapping[int, Sequence[Any]]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Where the first record of each group of some places stands."""
    wanted = [(place, values) for place, several in groups.items() for values in several]
    if not wanted:
        return {}
    rows = store.query(
        f"SELECT place, v, arg_min({STOOD}, {FIRST}) AS stood FROM ({_all(branches[place] for place in groups)}) "
        "SEMI JOIN (SELECT unnest(?) AS place, unnest(?) AS v) USING (place, v) GROUP BY place, v",
        [[place for place, _ in wanted], [values for _, values in wanted]],
    )
    return {(row["place"], tuple(row["v"])): row["stood"] for row in rows}


def _all(branches: Iterable[Iterable[str]]) -> str:
    return " UNION ALL ".join(chain.from_iterable(branches))


def _plain_rows(store: RecordStore, place: Place, bounds: list[str]) -> list[dict[str, Any]]:
    """The first records of whole artifacts: read past, never held, however many there are; each is a kind of its own."""
    if not store.chosen(place.artifacts):
        return []
    compiler = Compiler()
    shown = [compiler.column(name) for name in place.fields]
    tests = " AND ".join([_filled(shown), *bounds])
    records = f"FROM ({extracted(store.relation(place.artifacts), compiler.columns())}) WHERE {tests}"
    order = f"ORDER BY moment NULLS LAST, {ORDER}"
    rows = store.query(f"SELECT {PLACED}, [{', '.join(shown)}] AS v {records} {order} LIMIT {MOST * MOST}")
    kept: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        kept.setdefault(tuple(row["v"]), row)
    few = len(rows) < MOST * MOST
    total = len(rows) if few else store.query(f"SELECT count(*) AS n {records}")[0]["n"]
    kinds = len(kept) if few else total
    return [{**row, "stood": row, "total": total, "kinds": kinds} for row in list(kept.values())[:MOST]]


def _filled(columns: Sequence[str]) -> str:
    return "(" + " OR ".join(f"({c} IS NOT NULL AND {c} <> '')" for c in columns) + ")"


def _said(place: Place, row: dict[str, Any]) -> str:
    """The fields that answer, by name, as they stand in the record."""
    values = zip(map(last_part, place.fields), row["v"], strict=True)
    return "; ".join(f"{name}: {str(v)[:LONGEST]}" for name, v in values if v not in (None, ""))


def _rests_on(coverage: Sequence[Coverage], question: StandardQuestion) -> list[Coverage]:
    wanted = question.needs
    named = {c.artifact for c in coverage}
    likely = {a for a in named if any(_named(a, name.partition(":")[0]) for name in wanted)}
    rows = (c for c in coverage if c.artifact in likely and any(speaks_of(c, name) for name in wanted))
    return sorted(rows, key=lambda c: (c.source_id, c.path, c.inode or "", c.parser, c.artifact))


def speaks_of(row: Coverage, name: str) -> bool:
    """Whether a coverage row is about `ARTIFACT` or `ARTIFACT:PATH`, as questions name what a "no" rests on."""
    artifact, _, path = name.partition(":")
    return _named(row.artifact, artifact) and (not path or fnmatchcase((row.path or "").casefold(), path.casefold()))


def _named(artifact: str, name: str) -> bool:
    return fnmatchcase(artifact, name) or artifact.startswith(name + ".")


def _absence(rests: Sequence[Coverage], question: StandardQuestion, period: Period) -> tuple[str, str]:
    """`no` where the coverage carries it, else `cannot_say`; and the sentence that says why."""
    if not question.no_rests_on:
        return "cannot_say", "cannot say: no record shows it, and nothing is kept that would show its absence"
    missing = [name for name in question.no_rests_on if not any(speaks_of(c, name) for c in rests)]
    if missing:
        return (
            "cannot_say",
            f"cannot say: no {' and no '.join(missing).replace(':', ' at ')} is in the sources or was recorded",
        )
    for row in rests:
        where = row.path or row.source_id
        if row.outcome in ("failed", "not_run"):
            return "cannot_say", f"cannot say: {row.artifact} at {where} {row.outcome.replace('_', ' ')}: {row.reason}"
        if not row.complete:
            return "cannot_say", f"cannot say: {row.artifact} at {where} is incomplete: {row.reason}"
        if row.recorder == "off":
            return "cannot_say", f"cannot say: {row.artifact} at {where} was not recording"
    held = [row for row in rests if row.outcome == "found"]
    horizon = _horizon(held, period)
    if horizon:
        return "cannot_say", f"cannot say: {horizon}"
    places = ", ".join(dict.fromkeys(f"{row.artifact} ({row.path or row.source_id})" for row in rests[:MOST]))
    return "no", f"no record of it in {places}; activity that none of them records is not excluded"


def _horizon(rows: Sequence[Coverage], period: Period) -> str:
    """Why the records do not reach the period asked; empty where they do, or where none is asked."""
    start, end = period
    if start is None and end is None:
        return ""
    for artifact in dict.fromkeys(row.artifact for row in rows):
        mine = [row for row in rows if row.artifact == artifact]
        first, last = begins(mine), ends(mine)
        if first is None or last is None:
            return f"{artifact} does not say which period it covers"
        if start is not None and first > start:
            return f"{artifact} begins after the start of the period"
        if end is not None and last < end:
            return f"{artifact} ends before the end of the period"
    return ""


def _looked(row: Coverage) -> dict[str, Any]:
    return {
        "artifact": row.artifact,
        "parser": row.parser,
        "path": row.path,
        "records": row.records,
        "outcome": row.outcome,
        "complete": row.complete,
        "reason": row.reason,
    }
