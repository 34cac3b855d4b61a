"""Two moments of a case, or of two cases, held against each other: one row a difference.

Sources are matched by intake hash, else by label, else by path; then facts by source, path, artifact, locator and name (a
changed value is one row), phenomena by rule and what they rest on, hypotheses by template and subject, decisions by item. What
may explain differences comes after them: coverage, configuration, versions.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

from wigmore.graph.reviews import reviewed
from wigmore.graph.views import conclusion
from wigmore.investigation.moments import Moment
from wigmore.model.canonical import canonical
from wigmore.model.nouns import EvidenceSource, Phenomenon

KINDS = ("source", "fact", "phenomenon", "belief", "decision", "answer", "coverage", "configuration", "version")
HASHES = ("media_sha256", "container_sha256", "manifest_sha256")  # the most telling first
Row = dict[str, Any]
Key = Callable[[Any], Hashable]


def matched(first: Sequence[Any], second: Sequence[Any], keys: Sequence[tuple[Key, Key]]) -> list[tuple[Any, Any]]:
    """Pairs of items, None where there is no partner: by the first key both share, each key tried on what is left.

    A key that gives None, or that several items share, matches nothing.
    """
    left, right, pairs = list(first), list(second), list[tuple[Any, Any]]()
    for ours, theirs in keys:
        known, other = _single(left, ours), _single(right, theirs)
        for key in known.keys() & other.keys():
            pairs.append((known[key], other[key]))
        gone, went = {id(a) for a, _ in pairs}, {id(b) for _, b in pairs}
        left, right = [a for a in left if id(a) not in gone], [b for b in right if id(b) not in went]
    return pairs + [(a, None) for a in left] + [(None, b) for b in right]


def _single(items: Sequence[Any], key: Key) -> dict[Hashable, Any]:
    keyed = [(key(item), item) for item in items]
    often = Counter(k for k, _ in keyed)
    return {k: item for k, item in keyed if k is not None and often[k] == 1}


class Comparison:
    """Two moments, with the second's sources under the first's names."""

    def __init__(self, first: Moment, second: Moment) -> None:
        self.first, self.second = first, second
        keys: list[tuple[Key, Key]] = [(_hash(first, h), _hash(second, h)) for h in HASHES]
        keys += [(k, k) for k in (lambda s: s.label or None, lambda s: s.id, lambda s: s.path or None)]
        self.sources = matched(_sources(first), _sources(second), keys)
        pairs = [(a, b) for a, b in self.sources if a and b]
        self.named = {b.id: a.id for a, b in pairs}
        self.labels = {b.label or b.id: a.label or a.id for a, b in pairs}
        names = {**self.labels, **self.named}
        self._names = {theirs: ours for theirs, ours in names.items() if theirs != ours}
        written = "|".join(re.escape(name) for name in sorted(self._names, key=lambda n: (-len(n), n)))
        self._written = re.compile(rf"(?<![\w-])(?:{written})(?![\w-])") if written else None
        self.items: dict[str, str] = {}  # ids of the second's items under the first's

    def source(self, source_id: str) -> str:
        """A source of the second under the first's name."""
        return str(self.named.get(source_id, f"second:{source_id}" if source_id else ""))

    def worded(self, value: Any) -> Any:
        """A value of the second, with the names of its sources as the first has them."""
        if isinstance(value, str):
            return self._written.sub(lambda m: self._names[m.group(0)], value) if self._written else value
        if isinstance(value, dict):
            return {key: self.worded(item) for key, item in value.items()}
        return [self.worded(item) for item in value] if isinstance(value, (list, tuple)) else value

    def rows(self) -> Iterator[Row]:
        """All differences: kind, id, change (changed | only_first | only_second), what, first and second."""
        for kind, part in zip(KINDS, self._parts(), strict=True):
            for row in sorted(part, key=lambda r: (str(r["what"]), str(r["id"]))):
                yield {"kind": kind, **row}

    def _parts(self) -> Iterator[list[Row]]:
        yield [r for a, b in self.sources if (r := _row(_id(a, b), _label(a or b), self._told(0, a), self._told(1, b)))]
        yield self._facts()
        yield self._phenomena()
        yield self._beliefs()
        yield self._decisions()
        yield self._answers()
        yield _tables(self._coverage(0), self._coverage(1))
        yield _tables(_flat(self.first.run.get("config")), _flat(self.second.run.get("config")))
        yield _tables(_versions(self.first), _versions(self.second))

    def _told(self, side: int, source: EvidenceSource | None) -> Row | None:
        if source is None:
            return None
        hashes = (self.first, self.second)[side].state.hashes.get(source.id, {}).get("hashes", {})
        return {"type": source.type, "platform": source.meta.get("platform", ""), **_digests(hashes)}

    def _facts(self) -> list[Row]:
        sides = [_facts(self.first, lambda s: s, lambda x: x), _facts(self.second, self.source, self.worded)]
        self.items |= {b[1]: sides[0][key][1] for key, b in sides[1].items() if key in sides[0]}
        out = []
        for key in sides[0].keys() | sides[1].keys():
            a, b = (side.get(key) for side in sides)
            source, path, artifact, locator, name = key
            place = {"source_id": source, "path": path, "artifact": artifact, "locator": locator}
            row = _row(str((a or b or ("", ""))[1]), f"{name} in {path or locator}", _value(a, place), _value(b, place))
            out += [row] if row else []
        return out

    def _phenomena(self) -> list[Row]:
        def keys(named: Callable[[str], str], worded: Callable[[Any], Any]) -> list[Key]:
            def kind(p: Phenomenon) -> tuple[Hashable, ...]:
                return named(p.source_id), p.category, p.rule, p.negative

            def rests_on(p: Phenomenon) -> Hashable:
                places = {(f.path, f.artifact, canonical(worded(f.locator)), f.name) for f in p.verified_facts}
                return (*kind(p), frozenset(places))

            return [lambda p: (p.id, kind(p)), rests_on, lambda p: (*kind(p), p.title), kind]

        first = sorted(self.first.state.phenomena.values(), key=lambda p: p.id)
        second = sorted(self.second.state.phenomena.values(), key=lambda p: p.id)
        own, theirs = keys(lambda s: s, lambda x: x), keys(self.source, self.worded)
        out = []
        for a, b in matched(first, second, list(zip(own, theirs, strict=True))):
            if a and b:
                self.items[b.id] = a.id
            row = _row(
                _id(a, b), (a or b).title, _told(a, lambda s: s, lambda x: x), _told(b, self.source, self.worded)
            )
            out += [row] if row else []
        return out

    def _beliefs(self) -> list[Row]:
        def key(h: Any) -> Hashable:
            return (h.template, h.subject) if h.template else h.title

        def mapped(h: Any) -> Hashable:
            return (h.template, self.labels.get(h.subject, h.subject)) if h.template else h.title

        first = sorted(self.first.state.hypotheses.values(), key=lambda h: h.id)
        second = sorted(self.second.state.hypotheses.values(), key=lambda h: h.id)
        out = []
        for a, b in matched(first, second, [(lambda h: h.id, lambda h: h.id), (key, mapped)]):
            if a and b:
                self.items[b.id] = a.id
            row = _row(_id(a, b), (a or b).title, _belief(self.first, a), self.worded(_belief(self.second, b)))
            out += [row] if row else []
        return out

    def _decisions(self) -> list[Row]:
        first = {r["item"]: r for r in reviewed(self.first.state)}
        second = {self.items.get(r["item"], r["item"]): r for r in reviewed(self.second.state)}
        out = []
        for item in first.keys() | second.keys():
            a, b = first.get(item), second.get(item)
            row = _row(str(item), str((a or b or {})["wording"]), _decision(a), _decision(b))
            out += [row] if row else []
        return out

    def _answers(self) -> list[Row]:
        def told(moment: Moment) -> dict[tuple[str, bool], Row]:
            return {(str(q.get("ask")), bool(q.get("standard"))): q for _, q in sorted(moment.state.questions.items())}

        def said(q: Row | None) -> Row | None:
            return q and {k: q.get(k) for k in ("status", "verdict", "answer")}

        first, second = told(self.first), told(self.second)
        out = []
        for key in first.keys() | second.keys():
            a, b = first.get(key), second.get(key)
            row = _row(str((a or b or {})["id"]), str(key[0]), said(a), self.worded(said(b)))
            out += [row] if row else []
        return out

    def _coverage(self, side: int) -> dict[str, Any]:
        """How often each outcome, and how often in part, by source and artifact."""
        moment, named = ((self.first, lambda s: s), (self.second, self.source))[side]
        counted: dict[str, Counter[str]] = defaultdict(Counter)
        for row in moment.coverage:
            words = [
                row.outcome,
                *([] if row.complete else ["incomplete"]),
                *([row.reason_code] if row.reason_code else []),
            ]
            counted[f"{row.artifact or row.parser} in {named(row.source_id)}"][", ".join(words)] += 1
        return {key: dict(sorted(counts.items())) for key, counts in counted.items()}


def _row(name: str, what: str, first: Row | None, second: Row | None) -> Row | None:
    if canonical(first) == canonical(second):
        return None
    change = "only_second" if first is None else "only_first" if second is None else "changed"
    return {"id": name, "change": change, "what": what, "first": first, "second": second}


def _tables(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Row]:
    def of(table: Mapping[str, Any], key: str) -> Row | None:
        return {"value": table[key]} if key in table else None

    rows = (_row(key, key, of(first, key), of(second, key)) for key in {*first, *second})
    return [row for row in rows if row]


def _sources(moment: Moment) -> list[EvidenceSource]:
    return sorted(moment.state.sources.values(), key=lambda s: s.id)


def _hash(moment: Moment, name: str) -> Key:
    return lambda source: moment.state.hashes.get(source.id, {}).get("hashes", {}).get(name)


def _digests(hashes: Row) -> Row:
    return {name: hashes[name] for name in HASHES if hashes.get(name)}


def _id(first: Any, second: Any) -> str:
    return str((first or second).id)


def _label(source: EvidenceSource) -> str:
    return source.label or source.id


def _facts(
    moment: Moment, named: Callable[[str], str], worded: Callable[[Any], Any]
) -> dict[tuple[str, ...], tuple[Any, str]]:
    """(value, id) of each fact by its place; where several stand at one place, the first by id."""
    found = [
        ((named(p.source_id), f.path, f.artifact, canonical(worded(f.locator)).decode(), f.name), f)
        for p in moment.state.phenomena.values()
        for f in p.verified_facts
    ]
    out: dict[tuple[str, ...], tuple[Any, str]] = {}
    for key, fact in sorted(found, key=lambda kf: (kf[0], kf[1].id)):
        out.setdefault(key, (fact.value, fact.id))
    return out


def _value(held: tuple[Any, str] | None, place: Row) -> Row | None:
    return None if held is None else {"value": held[0], **place}


def _told(phenomenon: Phenomenon | None, named: Callable[[str], str], worded: Callable[[Any], Any]) -> Row | None:
    if phenomenon is None:
        return None
    shown = ("category", "rule", "title", "interpretation", "caveat", "occurred_at", "record_count", "negative")
    return {"source_id": named(phenomenon.source_id), **{name: worded(getattr(phenomenon, name)) for name in shown}}


def _belief(moment: Moment, hypothesis: Any) -> Row | None:
    if hypothesis is None:
        return None
    state, said = moment.state, conclusion(moment.state, hypothesis)
    return {
        "log_odds": state.log_odds(hypothesis.id),
        "status": state.status(hypothesis.id),
        "verdict": said.verdict,
        "reasons": list(said.reasons),
    }


def _decision(row: Row | None) -> Row | None:
    return row and {name: row[name] for name in ("decision", "by", "reason", "text")}


def _flat(values: Any, before: str = "") -> dict[str, Any]:
    """Settings by dotted name."""
    if not isinstance(values, dict):
        return {before: values} if before else {}
    return {
        k: v for key, value in values.items() for k, v in _flat(value, f"{before}.{key}" if before else key).items()
    }


def _versions(moment: Moment) -> dict[str, Any]:
    run = moment.run
    parsers = {f"parser {name}": known for name, known in (run.get("parsers") or {}).items()}
    return {**(run.get("versions") or {}), **parsers}


def summary(rows: Sequence[Row]) -> str:
    """One sentence: how many differences of each kind."""
    if not rows:
        return "no difference"
    counts = Counter((r["kind"], r["change"]) for r in rows)
    words = {"changed": "changed", "only_first": "only in the first", "only_second": "only in the second"}
    told = [
        f"{kind} " + ", ".join(f"{n} {words[c]}" for c in words if (n := counts.get((kind, c), 0)))
        for kind in KINDS
        if any(k == kind for k, _ in counts)
    ]
    return f"{len(rows)} difference{'s' * (len(rows) > 1)}: {'; '.join(told)}"
