"""The records a question is asked of: one path and what lies below it, or the whole case; few enough are laid out whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from wigmore.model.canonical import clean
from wigmore.records.answer_match import Candidate, holds, rarity
from wigmore.records.answer_question import Question
from wigmore.records.answer_words import WORD, Terms, stem, stems_of
from wigmore.records.store import ORDER, RecordStore, quoted
from wigmore.registry import parsers

SMALL = 900  # records laid out whole
PER_ARTIFACT = 60
MOST = 400
FIELDS = (
    "record_id, source_id, artifact, parser, path, inode, ordinal, locator, instant, time_text, time_field, times, state, "
    "host_id, data"
)
HELD_BYTES = 60_000_000  # Parquet bytes of a case whose texts are held in memory (about ten times as many)
CONDITIONS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("path = ? OR starts_with(path, ? || '/') OR starts_with(path, ? || ':')", str),
    ("lower(path) = ? OR starts_with(lower(path), ? || '/') OR starts_with(lower(path), ? || ':')", str.lower),
    (
        "ends_with(lower(path), '/' || ?) OR contains(lower(path), '/' || ? || '/') OR contains(lower(path), '/' || ? || ':')",
        lambda path: path.lower().lstrip("/"),
    ),
)
FEW = 300  # paths that are named one by one, so that row groups without them are passed over
HAY = "lower(data || ' ' || times || ' ' || locator)"


def generic(artifact: str) -> bool:
    """Records of formats, not of meaning: they rank lower."""
    return (
        artifact.startswith("generic.") and not artifact.startswith("generic.features")
    ) or artifact == "windows.registry"


ABOUT_FILES = frozenset(
    stem(w)
    for w in (
        "file files folder directory deleted undelete recover size md5 sha1 sha256 hash inode slack stream name names entries "
        "attribute fork link root partition sector volume disk archive password zip encrypted"
    ).split()
)


@lru_cache(maxsize=1)
def described() -> dict[str, frozenset[str]]:
    """Stems of what each parser says its artifacts mean and where they are read."""
    out: dict[str, set[str]] = {}
    for parser in parsers().values():
        words = set(stems_of(f"{parser.reads} {parser.means}"))
        for artifact in (parser.name, *parser.artifacts):
            out.setdefault(artifact, set()).update(words)
    return {name: frozenset(words) for name, words in out.items()}


def needle(text: str) -> str:
    """A text as it stands in the stored canonical JSON, lower-cased."""
    return json.dumps(text, ensure_ascii=True)[1:-1].lower()


def normal(path: str) -> str:
    """A path as the records write it."""
    return clean(path).strip().removeprefix("./").rstrip("/")


def _named(column: str, values: Iterable[str]) -> str:
    """A condition that a column holds one of some values; none of no values."""
    return f"{column} IN ({', '.join(map(quoted, sorted(values)))})" if values else "false"


def list_paths(store: RecordStore) -> None:
    """Lay out the paths that records stand at, once for all scopes of a store."""
    store.query("CREATE OR REPLACE TABLE ask_paths AS SELECT DISTINCT path FROM records")


class Scope:
    """Records below one path ("" is the whole case), after `list_paths`.

    A table of the records' texts, numbered in canonical order, is made once; of a case too large to hold it is a view.
    """

    def __init__(self, store: RecordStore, path: str, terms: Terms) -> None:
        self.store, self.terms = store, terms
        self.path = normal(path)
        self.condition = "true"
        self.parameters: list[Any] = []
        if self.path:
            self._choose()
        self._prepare()
        counted = store.query("SELECT artifact, count(*) AS n FROM ask_texts GROUP BY artifact ORDER BY artifact")
        self.artifacts: dict[str, int] = {r["artifact"]: r["n"] for r in counted}
        self.rows = sum(self.artifacts.values())
        self.words = {a: frozenset(terms.artifact_words(a)) for a in self.artifacts}
        self._all: list[Candidate] | None = None

    def _choose(self) -> None:
        """Which records lie in the scope: by the path as written, else without case, else as the end of a path."""
        for condition, value in CONDITIONS:
            self.condition, self.parameters = condition, [value(self.path)] * 3
            found = self.store.query(f"SELECT path FROM ask_paths WHERE {condition} ORDER BY path", self.parameters)
            if found:
                if len(found) <= FEW:
                    self.condition, self.parameters = _named("path", {r["path"] for r in found}), []
                return

    def _prepare(self) -> None:
        select = (
            f"SELECT row_number() OVER (ORDER BY {ORDER}) AS n, record_id, artifact, path, state, {HAY} AS hay FROM records "
            f"WHERE {self.condition}"
        )
        self.store.query("DROP VIEW IF EXISTS ask_texts_view")
        self.store.query("DROP TABLE IF EXISTS ask_texts")
        if not self.path and sum(p.bytes for p in self.store.parts) > HELD_BYTES:
            select = select.replace(f"row_number() OVER (ORDER BY {ORDER})", "0")
            self.store.query(f"CREATE VIEW ask_texts_view AS {select}")
            self.store.query(
                "CREATE TABLE ask_texts AS SELECT n, record_id, artifact, path, state, '' AS hay FROM ask_texts_view"
            )
            self.table = "ask_texts_view"
        else:
            self.store.query(f"CREATE TABLE ask_texts AS {select}", self.parameters)
            self.table = "ask_texts"

    def fetch(self, record_ids: list[str] | None = None) -> list[dict[str, Any]]:
        """Stored rows of the scope, in canonical order: all of them, or those named."""
        also, extra = "", []
        if record_ids is not None:
            places = self.store.query(
                "SELECT DISTINCT artifact, path FROM ask_texts WHERE record_id IN (SELECT unnest(?))", [record_ids]
            )
            also, extra = " AND record_id IN (SELECT unnest(?))", [record_ids]
            for column in ("artifact", "path"):  # row groups without them are passed over
                also += f" AND {_named(column, {r[column] for r in places})}" if places else ""
        return self.store.query(
            f"SELECT {FIELDS} FROM records WHERE ({self.condition}){also} ORDER BY {ORDER}", [*self.parameters, *extra]
        )

    def penalty(self, artifact: str, path: str, question: Question) -> float:
        """What a record loses for saying little: formats without meaning, and listings of the very file that is asked about."""
        if generic(artifact):
            return 0.5
        if artifact in ("file_listing", "container") and path.casefold() == self.path.casefold():
            return 0.2 if ABOUT_FILES & set(question.words) else 0.6
        return 0.0

    def inside(self, path: str) -> bool:
        """Whether a path lies in the scope (as the records were chosen)."""
        mine, low = self.path.casefold(), path.casefold()
        return not mine or low == mine or low.startswith((mine + "/", mine + ":")) or low.endswith("/" + mine)

    def kinds(self, question: Question) -> dict[str, float]:
        """How well each artifact of the scope fits the question, 0 to 1."""
        from fnmatch import fnmatchcase

        known = described()
        heard = set(stems_of(question.text))
        holding = {w: sum(w in self.words[a] for a in self.artifacts) for w in question.words}
        weights = {w: rarity(len(self.artifacts) + 4, n) for w, n in holding.items() if n}
        out = {}
        for artifact in self.artifacts:
            spoken = {stem(w) for w in artifact.rsplit(".", 1)[-1].split("_")}
            own = sum(value for w, value in weights.items() if w in self.words[artifact])
            if spoken <= heard and (len(spoken) > 1 or len(min(spoken)) > 5):  # the artifact is called by its name
                own = max(sum(weights.values()), 1.0)
            means = known.get(artifact, frozenset())
            said = sum(1 for w in question.words if w in means) / max(len(question.words), 1)
            hint = max((weight for glob, weight in question.artifacts if fnmatchcase(artifact, glob)), default=0.0)
            out[artifact] = min(1.0, (own / max(sum(weights.values()), 1.0)) * 0.5 + 0.25 * said + 0.6 * hint)
        return out

    def candidates(self, question: Question, kinds: dict[str, float]) -> tuple[list[Candidate], dict[str, float]]:
        """Records worth scoring, and the rarity of the question's words among the scope's records."""
        if self.rows <= SMALL:
            if self._all is None:
                self._all = [Candidate(r) for r in self.fetch()]
            found = self._all
            idf = {w: rarity(self.rows, sum(w in c.names or holds(c.low, w) for c in found)) for w in question.words}
            return found, self._weighed(idf)
        return self._search(question, kinds)

    def _search(self, question: Question, kinds: dict[str, float]) -> tuple[list[Candidate], dict[str, float]]:
        needles = [(needle(w), 1.0, w) for w in question.words[:16]] + list(self._needles(question))
        flags = ", ".join(f"contains(hay, ?) AS h{i}" for i in range(len(needles)))
        self.store.query(
            f"CREATE OR REPLACE TABLE ask_hits AS SELECT n, record_id, artifact{', ' if flags else ''}{flags} "
            f"FROM {self.table}",
            [text for text, _, _ in needles],
        )
        counts = ", ".join(f"count(*) FILTER (h{i}) AS n{i}" for i in range(len(needles))) or "0 AS nothing"
        counted = self.store.query(f"SELECT {counts} FROM ask_hits")[0]
        idf = {word: rarity(self.rows, counted[f"n{i}"]) for i, (_, _, word) in enumerate(needles) if word}
        points = [
            "0.0",
            *(
                f"(CASE WHEN h{i} THEN {weight * rarity(self.rows, counted[f'n{i}']):.4f} ELSE 0 END)"
                for i, (_, weight, _) in enumerate(needles)
            ),
        ]
        fits = " ".join(
            f"WHEN {quoted(a)} THEN {4.0 * k - (1.0 if generic(a) else 0.0):.4f}" for a, k in sorted(kinds.items())
        )
        worth = " OR ".join(
            [f"h{i}" for i in range(len(needles))] + [_named("artifact", {a for a in kinds if kinds[a] >= 0.4})]
        )
        chosen = self.store.query(
            f"SELECT record_id FROM (SELECT record_id, artifact, n, {' + '.join(points)} + CASE artifact {fits} ELSE 0 END "
            f"AS points FROM ask_hits WHERE {worth}) "
            f"QUALIFY row_number() OVER (PARTITION BY artifact ORDER BY points DESC, n, record_id) <= {PER_ARTIFACT} "
            f"ORDER BY points DESC, n, record_id LIMIT {MOST}"
        )
        return [Candidate(r) for r in self.fetch([c["record_id"] for c in chosen])], self._weighed(idf)

    def _weighed(self, idf: dict[str, float]) -> dict[str, float]:
        return {w: value * (1.7 if w in self.terms.outcomes else 1.0) for w, value in idf.items()}

    def _needles(self, question: Question) -> Iterable[tuple[str, float, str]]:
        for anchor in question.anchors:
            if anchor.moment is not None:
                for digits in dict.fromkeys((anchor.moment.digits, anchor.moment.utc)):
                    yield digits.lower(), anchor.weight, ""
                    yield digits.replace("T", " "), anchor.weight, ""
                continue
            yield needle(anchor.low), anchor.weight, ""
            parts = [w for w in WORD.findall(anchor.text) if len(w) > 2]
            if len(parts) > 1:
                for part in sorted(dict.fromkeys(parts), key=len, reverse=True)[:3]:
                    yield needle(part), anchor.weight * 0.35, ""
