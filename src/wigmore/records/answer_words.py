"""Words of questions and of field names, and the table (rules/ask_terms.yaml) that leads from one to the other."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from wigmore.model.yaml_text import read_yaml

WORD = re.compile(r"[^\W_]+")
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
SHAPES = frozenset("time path url ip mac email phone md5 sha1 sha256 sid guid number".split())


class TermsError(ValueError):
    """An ask_terms.yaml or questions.yaml that cannot be used; names the file and what is wrong."""


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The word without its commonest English endings, casefolded; short words stay as they are."""
    word = word.casefold()
    if len(word) < 4 or not word.isalpha():
        return word
    for ending in ("ations", "ation", "ings", "ing", "ions", "ion", "ed", "es", "s", "e"):
        if (
            word.endswith(ending)
            and len(word) - len(ending) >= 3
            and not (ending in ("s", "es") and word.endswith("ss"))
        ):
            word = word[: -len(ending)]
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiousl":
        word = word[:-1]
    return word[:-1] + "i" if len(word) > 3 and word.endswith("y") else word


@lru_cache(maxsize=65536)
def name_stems(name: str) -> frozenset[str]:
    """The stems of a field's or artifact's name, humps and underscores parted (`lastVisit_time`, ZFULLNAME)."""
    core_data = name[1:] if re.fullmatch(r"Z[A-Z0-9_]{2,}", name) else name
    out = {stem(w) for w in WORD.findall(HUMP.sub(" ", core_data).replace("_", " "))}
    return frozenset(out | {stem(packed(name))} if len(name) < 40 else out)


@lru_cache(maxsize=65536)
def packed(text: str) -> str:
    """Letters and digits only, casefolded."""
    return re.sub(r"[\W_]+", "", text.casefold())


def stems_of(text: str) -> list[str]:
    """The stems of a text in order."""
    return [stem(w) for w in WORD.findall(text)]


@dataclass(frozen=True)
class Wanted:
    """A field name that would answer a question."""

    name: str
    stems: frozenset[str]
    packed: str
    weight: float
    only: tuple[str, ...] = ()  # globs of artifacts whose fields are meant; empty: all
    needed: bool = False  # a record without one of the needed fields is no answer

    def meant(self, artifact: str) -> bool:
        """Whether fields of an artifact's records are meant."""
        return not self.only or any(fnmatch.fnmatchcase(artifact, glob) for glob in self.only)

    def fits(self, field_stems: frozenset[str], field_packed: str) -> float:
        """How well a field's name fits: 1 the same, less for a part, 0 not."""
        if self.packed == field_packed:
            return 1.0
        if self.stems <= field_stems:
            return 0.75 if len(self.stems) > 1 else 0.55
        if len(self.packed) >= 5 and (field_packed.endswith(self.packed) or field_packed.startswith(self.packed)):
            return 0.6
        return 0.0


@dataclass(frozen=True)
class Term:
    """What an examiner's word or phrase asks for."""

    phrases: tuple[str, ...]  # stems joined by blanks
    fields: tuple[Wanted, ...]
    shape: str
    artifacts: tuple[str, ...]


@dataclass(frozen=True)
class Terms:
    """The whole table."""

    stop: frozenset[str]
    refuse: tuple[tuple[re.Pattern[str], str], ...]
    terms: tuple[Term, ...]
    artifacts: tuple[tuple[str, tuple[str, ...]], ...]
    outcomes: frozenset[str]
    verdicts: frozenset[str]
    readings: frozenset[str]
    alike: dict[str, tuple[str, ...]]  # stem → stems that say the same
    noise: frozenset[str]
    standard: tuple[
        tuple[str, frozenset[str], tuple[str, ...], tuple[Wanted, ...]], ...
    ]  # id, stems, artifacts, fields

    def artifact_words(self, artifact: str) -> tuple[str, ...]:
        """Stems by which examiners call an artifact, its own name's first."""
        out = [stem(w) for w in WORD.findall(artifact.replace("_", " "))]
        for pattern, words in self.artifacts:
            if fnmatch.fnmatchcase(artifact, pattern):
                out.extend(words)
        return tuple(dict.fromkeys(out))


def wanted(name: str, weight: float = 1.0, only: tuple[str, ...] = (), needed: bool = False) -> Wanted:
    """A wanted field from its name."""
    stems = frozenset(name_stems(name) - {stem(packed(name))}) or name_stems(name)
    return Wanted(name, stems, packed(name), weight, only, needed)


def _term(entry: Any, place: str) -> Term:
    if not isinstance(entry, dict) or not isinstance(entry.get("say"), list):
        raise TermsError(f"{place}: every term needs a list `say`")
    shape = str(entry.get("shape", ""))
    if shape and shape not in SHAPES:
        raise TermsError(f"{place}: unknown shape {shape!r}; one of {', '.join(sorted(SHAPES))}")
    phrases = tuple(" ".join(stems_of(str(s))) for s in entry["say"])
    fields = [str(f) for f in entry.get("fields", ())]
    artifacts = tuple(str(a) for a in entry.get("artifacts", ()))
    only = artifacts if entry.get("only") else ()
    ranked = tuple(
        wanted(f, 1.0 - 0.5 * i / max(len(fields), 1), only, bool(entry.get("needed"))) for i, f in enumerate(fields)
    )
    return Term(phrases, ranked, shape, artifacts)


def _standard(folders: Iterable[Path]) -> Iterable[tuple[str, frozenset[str], tuple[str, ...], tuple[Wanted, ...]]]:
    for folder in folders:
        file = folder / "questions.yaml"
        if not file.is_file():
            continue
        try:
            loaded = read_yaml(file)
        except yaml.YAMLError as error:
            raise TermsError(f"{file}: {error}") from error
        entries = loaded.get("questions", ()) if isinstance(loaded, dict) else loaded
        for entry in entries or ():
            if not isinstance(entry, dict):
                continue
            words = " ".join([str(entry.get("ask", "")), *map(str, _listed(entry.get("keywords")))])
            places = [p for p in _listed(entry.get("from")) if isinstance(p, dict)]
            artifacts = tuple(str(a) for p in places for a in _listed(p.get("artifacts")))
            fields = tuple(wanted(str(f).rsplit(".", 1)[-1], 0.6) for p in places for f in _listed(p.get("fields")))
            yield str(entry.get("id", "")), frozenset(stems_of(words)), artifacts, fields


def _alike(groups: Iterable[Any]) -> dict[str, tuple[str, ...]]:
    stems = [tuple(dict.fromkeys(stem(w) for w in str(group).split())) for group in groups]
    return {word: tuple(w for w in group if w != word) for group in stems for word in group}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else value.split() if isinstance(value, str) else []


@lru_cache(maxsize=8)
def load_terms(folders: tuple[Path, ...]) -> Terms:
    """The table of the first folder that has one, with the standard questions of all; raises TermsError."""
    file = next((f / "ask_terms.yaml" for f in folders if (f / "ask_terms.yaml").is_file()), None)
    if file is None:
        raise TermsError(f"no ask_terms.yaml in {', '.join(map(str, folders))}")
    try:
        table = read_yaml(file)
    except yaml.YAMLError as error:
        raise TermsError(f"{file}: {error}") from error
    if not isinstance(table, dict):
        raise TermsError(f"{file}: not a table")
    refuse = tuple((re.compile(str(r["say"]), re.IGNORECASE), str(r["because"])) for r in table.get("refuse", ()))
    stop = frozenset(str(table.get("stop", "")).split())
    return Terms(
        stop=stop,
        refuse=refuse,
        terms=tuple(_term(t, str(file)) for t in table.get("terms", ())),
        artifacts=tuple((str(k), tuple(stems_of(str(v)))) for k, v in (table.get("artifacts") or {}).items()),
        outcomes=frozenset(stem(w) for w in str(table.get("outcomes", "")).split()),
        verdicts=frozenset(stem(w) for w in str(table.get("verdicts", "")).split()),
        readings=frozenset(stem(w) for w in str(table.get("readings", "")).split()),
        alike=_alike(table.get("alike", ())),
        noise=frozenset(packed(n) for n in str(table.get("noise", "")).split()),
        standard=tuple(
            (i, frozenset(s for s in words if s not in stop), a, f) for i, words, a, f in _standard(folders)
        ),
    )
