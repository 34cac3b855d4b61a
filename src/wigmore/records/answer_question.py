"""A question taken apart: what must occur (quoted and structured tokens), what is asked for, and the words left over."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from wigmore.records.answer_words import WORD, Terms, Wanted, packed, stem, stems_of, wanted

LIMIT = 2000  # characters of a question that are read
QUOTED = re.compile(r"(?<!\w)'(.+?)'(?!\w)|\"(.+?)\"(?!\w)|“(.+?)”|(?<!\w)‘(.+?)’(?!\w)|«(.+?)»|`(.+?)`")
MOMENT = re.compile(
    r"(?<!\d)(\d{4})[-:/](\d\d)[-:/](\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?"
    r"(?: ?(Z\b|UTC\b|[+-]\d\d:?\d\d))?(?!\d)"
)
STRUCTURED = re.compile(
    r"(?P<url>\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s'\"<>]+)"
    r"|(?P<email>\b[\w.+-]+@[\w-]+\.[\w.-]*\w)"
    r"|(?P<guid>\{?\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b\}?)"
    r"|(?P<sid>\bS-1-\d+(?:-\d+)+)"
    r"|(?P<mac>\b[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}\b)"
    r"|(?P<ip>(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\w.]*\w))"
    r"|(?P<path>(?<!\w)(?:[A-Za-z]:\\|\\\\|~?/|%\w+%\\|\\)[^\s,;?'\"<>()]+|\b\w[\w.-]*\\[^\s,;?'\"<>()]+|\b[\w.-]+(?:/[\w.-]+){2,})"
    r"|(?P<hash>\b[0-9a-fA-F]{32,128}\b)"
    r"|(?P<file>(?<![\w.])[\w$@%~+-][\w.$@%~+-]*\.[A-Za-z][A-Za-z0-9]{0,11}(?!\w))"
    r"|(?P<number>(?<![\w.-])(?:(?<=\s)[+-])?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?)(?!\w))"
    r"|(?P<name>\b(?:\w*[a-z]\w*[A-Z]\w*|\w*\d\w*[A-Za-z]\w*|\w*[A-Za-z]\w*\d\w*|\w+_\w+)\b)"
)
WEIGHTS = {
    "quote": 3.0,
    "url": 3.0,
    "email": 3.0,
    "guid": 3.0,
    "sid": 3.0,
    "mac": 3.0,
    "ip": 2.5,
    "path": 2.5,
    "hash": 3.0,
    "file": 2.0,
    "number": 1.0,
    "time": 2.5,
    "name": 0.8,
}
STRICT = frozenset("quote url email guid sid mac ip path hash time file".split())  # must be met for an answer
ROOTS = (
    ("hkey_current_user", "hkcu"),
    ("hkey_local_machine", "hklm"),
    ("hkey_users", "hku"),
    ("hkey_classes_root", "hkcr"),
)
SECRETS = frozenset(
    stem(w) for w in ("password", "passphrase", "passcode", "pin", "secret", "unlock", "unlocks", "decrypt", "decrypts")
)
COUNT = re.compile(
    r"^\W*(how many(?! (times|[kmg]?i?bytes|seconds|minutes|hours|days|sectors)\b)"
    r"|what (is|was) the (total )?(number|count) of|count (the|all)|in how many)\b",
    re.IGNORECASE,
)
YES_NO = re.compile(r"^\W*(is|are|was|were|did|does|do|has|have|had|can|could)\b", re.IGNORECASE)
NEWEST = re.compile(r"\b(last|latest|newest|most recent(ly)?)\b", re.IGNORECASE)
OLDEST = re.compile(r"\b(first|earliest|oldest)\b", re.IGNORECASE)
LISTS = re.compile(
    r"\b(which|what|list|name|all)\b(?:\W+[\w-]+){0,3}?\W+[\w-]*[a-rt-z]s\b(?<!ss)(?<!us)(?<!is)"
    r"|\b(which|what) (two|three|four|five)\b",
    re.IGNORECASE,
)
OTHER = re.compile(r"\b(second|older|old|previous|earlier|other|former|superseded|deleted)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Moment:
    """A time named in a question: its digits as written, to the day, minute or second, and its shift from UTC if written."""

    digits: str  # `2013-12-09T19:28:33`, `2013-12-09T19:28` or `2013-12-09`
    utc: str  # the same in UTC where an offset is written, else equal to `digits`
    fraction: str = ""  # digits below the second, as written, no zeros at the end


@dataclass(frozen=True)
class Anchor:
    """A token that records must hold to be about the question."""

    text: str
    kind: str
    weight: float
    context: frozenset[str] = frozenset()  # stems of the words before it: the field a number belongs to
    moment: Moment | None = None

    @property
    def low(self) -> str:
        """The text casefolded, blanks made single; registry roots by their short names."""
        low = " ".join(self.text.casefold().split())
        for long, short in ROOTS:
            if low.startswith(long):
                return short + low[len(long) :]
        return low

    @property
    def required(self) -> bool:
        """Whether records that do not hold it are not about the question; a password tried is in no record."""
        return self.kind in STRICT and not (self.kind == "quote" and self.context & SECRETS)


@dataclass(frozen=True, eq=False)
class Question:
    """A question, ready to be matched."""

    text: str
    kind: str  # count | yes_no | value
    anchors: tuple[Anchor, ...]
    words: tuple[str, ...]  # stems left over, in order, no stop words
    fields: tuple[Wanted, ...]
    shapes: frozenset[str]
    artifacts: tuple[tuple[str, float], ...]  # globs of records it speaks of, with weight
    order: str = ""  # newest | oldest | ""
    lists: bool = False  # asks for several things
    proper: frozenset[str] = frozenset()  # stems of names written with a capital inside a sentence
    other: bool = False  # asks for a state that is not the current one
    synonyms: dict[str, tuple[Wanted, ...]] = field(default_factory=dict)  # stem → fields


def _moment(match: re.Match[str]) -> Moment | None:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        when = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC)
    except ValueError:
        return None
    size = 19 if second else 16 if hour else 10
    digits = when.strftime("%Y-%m-%dT%H:%M:%S")[:size]
    if hour and zone and zone[0] in "+-":
        sign = 1 if zone[0] == "-" else -1
        when += sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return Moment(digits, when.strftime("%Y-%m-%dT%H:%M:%S")[:size], (fraction or "").rstrip("0"))


def _context(text: str, start: int, stop: frozenset[str]) -> frozenset[str]:
    before = stems_of(text[max(0, start - 40) : start])[-3:]
    return frozenset(w for w in before if w not in stop and len(w) > 1)


def _anchors(text: str, stop: frozenset[str]) -> tuple[list[Anchor], str]:
    out: list[Anchor] = []

    def quote(match: re.Match[str]) -> str:
        said = next(g for g in match.groups() if g is not None).strip()
        moment = MOMENT.fullmatch(said)
        if moment and (when := _moment(moment)):
            out.append(Anchor(said, "time", WEIGHTS["time"], moment=when))
        elif said and packed(said):
            weight = WEIGHTS["quote"] if len(packed(said)) > 2 else 1.5
            near = _context(text, match.start(), stop)
            after = stems_of(text[match.end() : match.end() + 30])[:3]  # `is 'x' the password`
            out.append(Anchor(said, "quote", weight, near | (SECRETS & set(after))))
        return " ¦ "

    def time(match: re.Match[str]) -> str:
        when = _moment(match)
        if when is None:
            return match.group(0)
        out.append(Anchor(match.group(0), "time", WEIGHTS["time"], moment=when))
        return " ¦ "

    rest = MOMENT.sub(time, QUOTED.sub(quote, text))
    words: list[str] = []
    end = 0
    for match in STRUCTURED.finditer(rest):
        kind = match.lastgroup or "name"
        said = match.group(0).rstrip(".,:;)?!")
        if kind == "number":
            said = said.lstrip("+")
        if not packed(said):
            continue
        weight = WEIGHTS[kind] * (1.5 if kind == "number" and len(said) >= 5 else 1.0)
        out.append(Anchor(said, kind, weight, _context(rest, match.start(), stop)))
        words.append(rest[end : match.start()])
        # a name of letters, or a file's name, counts among the words too: TypedURLs, CCleaner
        words.append(f" {said} " if kind == "name" else " ¦ ")
        end = match.end()
    words.append(rest[end:])
    seen: dict[tuple[str, str], Anchor] = {}
    for anchor in out:
        seen.setdefault((anchor.kind, anchor.low), anchor)
    return list(seen.values())[:24], "".join(words)


def parse(text: str, terms: Terms) -> Question:
    """Take a question apart with the table of terms."""
    text = " ".join(text[:LIMIT].split())
    anchors, rest = _anchors(text, terms.stop)
    sequence = " " + " ".join(stems_of(rest)) + " "
    stop = {stem(w) for w in terms.stop}
    words = tuple(dict.fromkeys(w for w in sequence.split() if w not in stop and (len(w) > 1 or w.isdigit())))
    fields: dict[str, Wanted] = {}
    synonyms: dict[str, tuple[Wanted, ...]] = {}
    shapes: set[str] = set()
    artifacts: dict[str, float] = {}
    for term in terms.terms:
        said = [p for p in term.phrases if f" {p} " in sequence]
        if not said:
            continue
        longest = max(said, key=lambda p: p.count(" "))
        weight = 1.0 + 0.4 * min(longest.count(" "), 2)
        for want in term.fields:
            new = replace(want, weight=want.weight * weight)
            if new.packed not in fields or fields[new.packed].weight < new.weight:
                fields[new.packed] = new
        if term.shape:
            shapes.add(term.shape)
        for glob in term.artifacts:
            artifacts[glob] = max(artifacts.get(glob, 0.0), 0.5 * weight)
        for phrase in said:
            for part in phrase.split():
                if part in words:
                    synonyms[part] = (*synonyms.get(part, ()), *term.fields)
    for word in words:
        if len(word) > 1:
            fields.setdefault(word, wanted(word, 1.0))
    spoken = WORD.findall(rest)
    for first, second in pairwise(spoken):  # `event id` is event_id, `whatsapp id` is ZWHATSAPPID
        if first.casefold() not in terms.stop and len(first) + len(second) > 4:
            pair = wanted(f"{first}_{second}", 1.3)
            fields[pair.packed] = pair
    for glob, weight, named in _standard(words, terms):
        artifacts[glob] = max(artifacts.get(glob, 0.0), weight)
        for want in named:
            fields.setdefault(want.packed, want)
    kind = "count" if COUNT.search(text) else "yes_no" if YES_NO.search(text) else "value"
    order = "newest" if NEWEST.search(rest) else "oldest" if OLDEST.search(rest) else ""
    return Question(
        text,
        kind,
        tuple(anchors),
        words,
        tuple(fields.values()),
        frozenset(shapes),
        tuple(sorted(artifacts.items())),
        order,
        bool(LISTS.search(rest)),
        _proper(rest) & frozenset(words),
        bool(OTHER.search(rest)),
        synonyms,
    )


def _proper(text: str) -> frozenset[str]:
    return frozenset(stem(m.group(1)) for m in re.finditer(r"(?<=[\w,;:(] )\(?([A-Z]\w+)", text))


def _standard(words: tuple[str, ...], terms: Terms) -> list[tuple[str, float, tuple[Wanted, ...]]]:
    """Artifacts and fields of the standard questions that are nearest to the question."""
    if not words:
        return []
    asked = set(words)
    scored = []
    for identifier, known, artifacts, fields in terms.standard:
        common = len(asked & known)
        if common >= 2:
            scored.append((common / (len(asked) * max(len(known), 1)) ** 0.5, identifier, artifacts, fields))
    scored.sort(key=lambda s: (-s[0], s[1]))
    return [
        (glob, min(0.6, score), fields)
        for score, _, artifacts, fields in scored[:2]
        if score >= 0.35
        for glob in artifacts
    ]


def refusal(text: str, terms: Terms) -> str:
    """Why a question is not one that records can answer, or nothing."""
    bare = QUOTED.sub(" ¦ ", text[:LIMIT])
    return next((because for pattern, because in terms.refuse if pattern.search(bare)), "")
