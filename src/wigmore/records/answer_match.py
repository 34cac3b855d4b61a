"""How well a record answers a question: its anchors met, its words met, its fields asked for."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from wigmore.records.answer_question import Anchor, Moment, Question
from wigmore.records.answer_words import Terms, name_stems, packed, stem

LEAVES = 600  # fields of one record that are looked at
SHAPE = {
    "path": re.compile(r"[A-Za-z]:\\|\\\\|(?:^|\s)/\w|%\w+%|\w/\w"),
    "url": re.compile(r"\b[a-z][a-z0-9+.-]+://|^about:|^place:|^www\.", re.IGNORECASE),
    "ip": re.compile(r"(?<![\d.])\d{1,3}(\.\d{1,3}){3}(?![\d.])|^[0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]+$"),
    "mac": re.compile(r"^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$"),
    "email": re.compile(r"[\w.+-]+@[\w-]+\.\w"),
    "md5": re.compile(r"^[0-9a-fA-F]{32}$"),
    "sha1": re.compile(r"^[0-9a-fA-F]{40}$"),
    "sha256": re.compile(r"^[0-9a-fA-F]{64}$"),
    "sid": re.compile(r"\bS-1-\d+-\d"),
    "guid": re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"),
    "number": re.compile(r"^-?\d+(\.\d+)?$"),
}
KEY_NAMES = frozenset(
    "name key term keyword setting value_name title id identifier path element json_path feature field".split()
)
NAMED = 0.851  # an anchor that is part of a field's name
IS = frozenset(("is", "has", "was"))
VALUE_NAMES = frozenset("value data text content detail".split())


@lru_cache(maxsize=65536)
def _named(name: str) -> tuple[frozenset[str], str, frozenset[str]]:
    parts = [p.split("[", 1)[0] for p in name[-200:].split(".")]
    last = parts[-1][1:] if re.fullmatch(r"Z[A-Z0-9_]{2,}", parts[-1]) else parts[-1]
    stems: frozenset[str] = frozenset()
    return stems.union(*(name_stems(p) for p in parts[-3:])), packed(last), frozenset(packed(p) for p in parts)


@dataclass(frozen=True)
class Leaf:
    """One field of a record: its dotted name, its value as text."""

    name: str
    text: str
    kind: str  # data | time | place | found_in
    instant: int | None = None

    @property
    def stems(self) -> frozenset[str]:
        """Stems of the last three parts of the dotted name."""
        return _named(self.name)[0]

    @property
    def packed(self) -> str:
        """The last part of the dotted name, packed."""
        return _named(self.name)[1]

    @property
    def parts(self) -> frozenset[str]:
        """Each part of the dotted name, packed."""
        return _named(self.name)[2]

    @cached_property
    def low(self) -> str:
        """The text as it is compared: no case, single spaces."""
        return " ".join(self.text.casefold().split())

    @cached_property
    def tight(self) -> str:
        """The text without anything but letters and digits."""
        return (
            packed(self.text[:20000]) if len(self.text) < 2000 else re.sub(r"[\W_]+", "", self.text[:20000].casefold())
        )


def flatten(value: Any, name: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Dotted names and texts of a JSON value; a list of scalars is one field."""
    if value is None or value == "" or value == [] or value == {}:
        return
    if isinstance(value, dict):
        if depth < 12:
            for key, inner in value.items():
                yield from flatten(inner, f"{name}.{key}" if name else str(key), depth + 1)
    elif isinstance(value, list):
        if all(not isinstance(v, (dict, list)) for v in value):
            yield name, ", ".join(_plain(v) for v in value if v is not None)
        elif depth < 12:
            for number, inner in enumerate(value[:200]):
                yield from flatten(inner, f"{name}[{number}]", depth + 1)
    else:
        yield name, _plain(value)


def _plain(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


class Candidate:
    """One record of the scope, its fields laid out."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.record_id: str = row["record_id"]
        self.path: str = row["path"]
        self.artifact: str = row["artifact"]
        self.state: str = row["state"]
        self.time_field: str = row["time_field"] or ""
        self.instant: int | None = row["instant"]
        self.ordinal: int = row["ordinal"] or 0
        self.locator: dict[str, Any] = json.loads(row["locator"])
        leaves: list[Leaf] = []
        for name, text in flatten(json.loads(row["data"]), ""):
            leaves.append(Leaf(name, text, "data"))
            if len(leaves) >= LEAVES:
                break
        for name, time in json.loads(row["times"] or "{}").items():
            if isinstance(time, dict) and time.get("text"):
                leaves.append(Leaf(name, str(time["text"]), "time", time.get("instant")))
        leaves.append(Leaf("found_in", self.path, "found_in"))
        for name, text in flatten({k: v for k, v in self.locator.items() if k != "kind"}, ""):
            leaves.append(Leaf(name, text, "place"))
        self.leaves = leaves

    @cached_property
    def low(self) -> str:
        """Every value casefolded, one a line."""
        return "\n".join(leaf.low for leaf in self.leaves if leaf.kind != "found_in")

    @cached_property
    def names(self) -> frozenset[str]:
        """Stems of all field names."""
        return frozenset().union(*(leaf.stems for leaf in self.leaves if leaf.kind in ("data", "time")))

    @cached_property
    def fields(self) -> frozenset[str]:
        """All field names, packed."""
        return frozenset(leaf.packed for leaf in self.leaves if leaf.kind in ("data", "time"))


def holds(low: str, word: str) -> bool:
    """Whether a text holds a stem: anywhere for longer ones, as a word for short ones."""
    if len(word) >= 4:
        return word in low
    return re.search(rf"(?<![^\W_]){re.escape(word)}(?:s|es|ed|ing)?(?![^\W_])", low) is not None


def _forms(moment: Moment) -> tuple[str, ...]:
    out = []
    for digits in dict.fromkeys((moment.digits, moment.utc)):
        day, _, clock = digits.partition("T")
        out += (
            [f"{day} {clock}", f"{day}t{clock}", f"{day.replace('-', ':')} {clock}", f"{day.replace('-', '/')} {clock}"]
            if clock
            else [day, day.replace("-", ":"), day.replace("-", "/")]
        )
    return tuple(out)


def _time_quality(moment: Moment, candidate: Candidate) -> tuple[float, Leaf | None]:
    size = len(moment.digits)
    for leaf in candidate.leaves:
        if leaf.kind != "time":
            continue
        if leaf.text[:size] in (moment.digits, moment.utc):
            exact = not moment.fraction or leaf.text[size:].lstrip(".,").startswith(moment.fraction)
            own = leaf.name == candidate.time_field or not candidate.time_field
            return (1.0 if own else 0.95) - (0.0 if exact else 0.15), leaf
        if leaf.instant is not None and not leaf.text.endswith("Z") and size == 19:
            from wigmore.model.times import instant_text

            if instant_text(leaf.instant)[:19] == moment.utc:
                return 0.95, leaf
    forms = _forms(moment)
    for leaf in candidate.leaves:
        if leaf.kind == "data" and any(f in leaf.low for f in forms):
            return 0.9, leaf
    return 0.0, None


def _number_quality(anchor: Anchor, candidate: Candidate) -> tuple[float, Leaf | None]:
    best: tuple[float, Leaf | None] = 0.0, None
    value = _value(anchor.low)
    for leaf in candidate.leaves:
        if leaf.kind == "time" or leaf.kind == "found_in":
            continue
        if leaf.low == anchor.low or (value is not None and leaf.kind == "data" and _value(leaf.low) == value):
            near = bool(anchor.context & leaf.stems)
            score = 1.0 if near and leaf.kind == "data" else 0.85 if near else 0.65 if leaf.kind == "data" else 0.4
        elif (
            leaf.kind == "data"
            and anchor.low in leaf.low
            and holds(leaf.low[:20000], anchor.low)
            and re.search(rf"(?<![\w.]){re.escape(anchor.low)}(?![\w])", leaf.low[:20000])
        ):
            score = 0.55 if anchor.context & leaf.stems else 0.35
        else:
            continue
        if score > best[0]:
            best = score, leaf
    return best


def _value(text: str) -> float | None:
    if not text or len(text) > 24 or not (text[0].isdigit() or text[0] == "-"):
        return None
    try:
        return float(int(text, 16)) if text.startswith("0x") else float(text)
    except ValueError:
        return None


def anchor_quality(anchor: Anchor, candidate: Candidate) -> tuple[float, Leaf | None]:
    """How surely a record holds an anchor (0 to 1), and in which field."""
    if anchor.moment is not None:
        return _time_quality(anchor.moment, candidate)
    if anchor.kind == "number":
        return _number_quality(anchor, candidate)
    low, tight = anchor.low, packed(anchor.text)
    best: tuple[float, Leaf | None] = 0.0, None
    for leaf in candidate.leaves:
        score = 0.0
        if leaf.low == low or (anchor.kind in ("path", "file") and _same_path(low, leaf, candidate)):
            score = 1.0
        elif leaf.name.casefold() == low or (leaf.kind == "data" and len(tight) > 3 and tight in leaf.parts):
            score = 0.95
        elif anchor.kind == "name" and leaf.kind == "data" and len(tight) > 2 and tight in leaf.packed:
            score = NAMED
        elif low in leaf.low:
            share = len(low) / len(leaf.low)
            whole = re.search(rf"(?<![^\W_]){re.escape(low)}(?![^\W_])", leaf.low) is not None
            score = 0.7 + 0.2 * share if whole else 0.6 * share**0.5 if len(low) < 5 else 0.6 + 0.2 * share
        elif len(tight) >= 6 and tight in leaf.tight:
            score = 0.65 + 0.15 * len(tight) / len(leaf.tight)
        if leaf.kind in ("found_in", "place"):
            score = min(score * 0.8, 0.8) if score < 1.0 else 0.95
        if score > best[0]:
            best = score, leaf
    if best[0] < 0.6:
        parts = [w for w in dict.fromkeys(re.findall(r"[^\W_]+", low)) if len(w) > 1 or w.isdigit()]
        if len(parts) > 1:
            everything = candidate.low + "\n" + candidate.path.casefold()
            share = sum(len(w) for w in parts if holds(everything, w)) / sum(map(len, parts))
            if share >= 0.75 and 0.65 * share > best[0]:
                best = 0.65 * share, None
    return best


def _same_path(low: str, leaf: Leaf, candidate: Candidate) -> bool:
    """Whether a field is the path asked for, or ends with it; a FAT entry that is deleted has lost its first letter."""
    mine, other = low.replace("\\", "/").strip("/"), leaf.low.replace("\\", "/")
    if not mine or other == mine or other.endswith("/" + mine):
        return bool(mine)
    if leaf.kind == "found_in" and candidate.artifact == "file_listing" and len(mine) > 4:
        pairs = list(zip(reversed(mine.split("/")), reversed(other.split("/")), strict=False))
        return (
            len(pairs) == mine.count("/") + 1
            and all(o in (m, "_" + m[1:]) for m, o in pairs)
            and ("deleted", "true") in {(x.name, x.text) for x in candidate.leaves}
        )
    return False


@dataclass(frozen=True)
class Match:
    """A record with its score and what it rests on."""

    candidate: Candidate
    score: float
    anchors: float  # share of the anchors' weight met, 1 where there are none
    strict_missing: bool  # a quoted or structured token is not met
    proper: float  # share of the proper names met anywhere, 1 where there are none
    words: float  # share of the question's words met, in fields, values or the artifact's own words
    answers: float  # how well some field answers
    kind: float  # how well its artifact fits
    met: tuple[tuple[str, float], ...]  # field names that hold anchors, with quality
    relevance: tuple[tuple[int, float], ...]  # leaf number → relevance, best first


def names_what_is_asked(question: Question, candidate: Candidate) -> bool:
    """Whether a record has one of the fields that an answer needs, where the question asks for one (an IMEI, say)."""
    needed = [f for f in question.fields if f.needed]
    names = [_named(leaf.name)[:2] for leaf in candidate.leaves] if needed else []
    return not needed or any(f.fits(stems, short) for f in needed for stems, short in names)


@lru_cache(maxsize=16384)
def fitness(question: Question, artifact: str, name: str) -> float:
    """How well a field's name answers a question: its best fit, and something for the next two."""
    stems, short, _ = _named(name)
    fits = sorted(
        (f.fits(stems, short) * f.weight for f in question.fields if f.meant(artifact)),
        reverse=True,
    )
    return fits[0] + 0.25 * sum(fits[1:3]) if fits else 0.0


def relevance(
    question: Question, candidate: Candidate, met: Mapping[str, float], noise: frozenset[str], named: frozenset[str]
) -> list[tuple[int, float]]:
    """Fields of a record by how well they answer, best first; fields that only repeat the question come late."""
    keyed = any(name.rsplit(".", 1)[-1].casefold() in KEY_NAMES and quality >= 0.9 for name, quality in met.items())
    out = []
    for number, leaf in enumerate(candidate.leaves):
        fit = fitness(question, candidate.artifact, leaf.name)
        score = 0.1 + fit
        if leaf.kind == "time":
            if "time" in question.shapes:
                score += 0.7
            score += 0.3 if leaf.name == candidate.time_field else 0.0
        elif leaf.kind == "data":
            for shape in question.shapes:
                pattern = SHAPE.get(shape)
                if pattern and (shape != "number" or fit > 0.3) and pattern.search(leaf.text[:400]):
                    score += 0.5
        if leaf.packed in noise and fit < 0.8:
            score -= 0.8
        if leaf.text in ("false", "0", "none", "-"):
            score -= 0.15
        if leaf.parts & named:
            score += 3.0
        elif any(n in leaf.packed for n in named):
            score += 2.5
        elif leaf.name in met and met[leaf.name] >= 0.6:
            score -= 0.7
        if keyed and leaf.name.rsplit(".", 1)[-1].casefold() in VALUE_NAMES:
            score += 0.8
        if leaf.kind == "place":
            score -= 0.9
        elif leaf.kind == "found_in":
            score -= 0.2 if "path" in question.shapes else 1.0
        if len(leaf.text) > 400:
            score -= 0.2
        out.append((number, score))
    out.sort(key=lambda pair: (-pair[1], pair[0]))
    return out


def score(
    question: Question,
    candidate: Candidate,
    idf: Mapping[str, float],
    kind: float,
    words: frozenset[str],
    said: frozenset[str],
    terms: Terms,
    penalty: float,
) -> Match:
    """Score one record; `kind` is how well its artifact fits (0 to 1), `words` the artifact's own stems, `said` its meaning's."""
    total = reached = 0.0
    contrary = 0
    missing = False
    met: dict[str, float] = {}
    named: set[str] = set()
    for anchor in question.anchors:
        quality, leaf = anchor_quality(anchor, candidate)
        if quality < 0.6 and anchor.kind == "name" and packed(anchor.text) in words:
            quality = 0.6
        if leaf is not None:
            if leaf.kind == "data" and (
                packed(anchor.text) in leaf.parts or (quality == NAMED and leaf.text not in ("true", "false"))
            ):
                named.add(packed(anchor.text))
            elif anchor.kind != "name":
                met[leaf.name] = max(quality, met.get(leaf.name, 0.0))
        if anchor.required and quality < 0.45:
            missing = True
        elif anchor.kind == "quote" and quality < 0.45:  # a password tried
            continue
        total += anchor.weight
        reached += anchor.weight * quality
    weight = hit = covered = known = 0.0
    path = candidate.path.casefold()
    for word in question.words:
        value = idf.get(word, 0.0)
        weight += value
        if word in candidate.names:
            part = 1.0
        elif holds(candidate.low, word):
            part = 0.9
        elif any(holds(candidate.low, other) for other in terms.alike.get(word, ())):
            part = 0.85
        elif word in terms.verdicts:  # a field `result` does not say that it failed: only the record's own words do
            part, contrary = 0.0, contrary + 1
        elif any(w.packed in candidate.fields for w in question.synonyms.get(word, ()) if w.meant(candidate.artifact)):
            part = 0.8
        elif word in words or (len(word) > 2 and any(word in w for w in words)):
            part = 0.7
        elif word in said:
            part = 0.5
        elif holds(path, word):
            part = 0.3
        else:
            part = 0.0
        hit += value * part
        covered += min(1.0, part + 0.15) if part else 0.0
        known += 1.0 if part and word in question.proper else 0.0
    ranked = relevance(question, candidate, met, terms.noise, frozenset(named))
    best = max(0.0, ranked[0][1]) if ranked else 0.0
    share = reached / total if total else 1.0
    spoken = hit / weight if weight else 1.0
    points = (4.0 * share if total else 2.0) + 2.0 * spoken + 2.0 * (1.0 - math.exp(-best / 1.5)) + 1.5 * kind
    points -= penalty
    points -= 0.0 if candidate.state in ("live", "wal_committed") or question.other else 0.15
    current = next((leaf.text for leaf in candidate.leaves if leaf.name == "is_current"), "true")
    points -= 0.3 * min(contrary, 2)
    points += _truth(question, candidate)
    points -= 0.1 if current == "false" and not question.other else 0.0
    coverage = covered / len(question.words) if question.words else 1.0
    proper = known / len(question.proper) if question.proper else 1.0
    return Match(
        candidate,
        points,
        share,
        missing,
        proper,
        coverage,
        min(1.0, best / 1.6),
        kind,
        tuple(sorted(met.items())),
        tuple(ranked),
    )


def _truth(question: Question, candidate: Candidate) -> float:
    """What a record gains or loses by fields that say yes or no to a word of the question: `is_default`, `deleted`."""
    told = {
        leaf.text
        for leaf in candidate.leaves
        if leaf.text in ("true", "false")
        and (said := leaf.stems - IS - {leaf.packed, stem(leaf.packed)} or leaf.stems)
        and said <= set(question.words)
    }
    return -0.4 if "false" in told else 0.1 if told else 0.0


def rarity(rows: int, holding: int) -> float:
    """The weight of a word met in `holding` of `rows` records."""
    return max(0.35, min(6.0, math.log((rows + 1) / (holding + 0.5)))) if holding else 0.0
