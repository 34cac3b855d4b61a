"""The frame of text logs: one file adds one format; the best match of a file's first lines, and only it, reads it."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, lru_cache

from wigmore.artifacts.logs.lines import Line, lines, sample
from wigmore.model.protocols import EvidenceFile, Gap, Locator, Record, Yield
from wigmore.registry import Claim, parser

Score = Callable[[tuple[str, ...]], float]
Build = Callable[[re.Match[str], str], Record | None]
Reader = Callable[[EvidenceFile], Iterator[Yield]]

ENOUGH = 0.5  # share of the sampled lines that must follow the format
FOLDERS = ("wigmore.artifacts.linux", "wigmore.artifacts.logs")
LONGEST_ENTRY = 64 * 1024  # characters of one entry with its continuation lines


@dataclass(frozen=True)
class TextFormat:
    """How one log format is recognised: `score` of the first lines (0 to 1), and names that lower the bar."""

    name: str
    score: Score
    names: tuple[str, ...]
    weight: float


_formats: dict[str, TextFormat] = {}


@cache
def load_formats() -> None:
    """Import every module of the folders that hold text formats, so that all of them compete."""
    for folder in FOLDERS:
        package = importlib.import_module(folder)
        for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            importlib.import_module(module.name)


@lru_cache(maxsize=4)
def recognise(head: bytes, path: str) -> str:
    """The name of the format that fits the first bytes best, empty where none does; ties go to the first by name."""
    load_formats()
    listed = sample(head)
    if not any(listed):
        return ""
    name = path.lower().rsplit("/", 1)[-1]
    best, winner = 0.0, ""
    for form in sorted(_formats.values(), key=lambda form: form.name):
        score = form.score(listed)
        named = any(fnmatchcase(name, glob) for glob in form.names)
        if score >= ENOUGH or (named and score > 0):
            rank = (score + (0.25 if named else 0.0)) * form.weight
            if rank > best:
                best, winner = rank, form.name
    return winner


def share(pattern: re.Pattern[str], comments: str = "", least: int = 1) -> Score:
    """A score: the share of lines (indented, empty and comment lines apart) that match, 0 below `least` matches."""

    def score(listed: tuple[str, ...]) -> float:
        starts = [text for text in listed if text and text[0] not in " \t" and not (comments and text[0] in comments)]
        hits = sum(1 for text in starts if pattern.match(text))
        return hits / len(starts) if hits >= least else 0.0

    return score


def text_format(
    name: str,
    score: Score,
    *,
    reads: str,
    means: str,
    does_not_mean: str,
    refs: tuple[str, ...],
    names: tuple[str, ...] = (),
    artifacts: tuple[str, ...] = (),
    weight: float = 1.0,
    version: int = 1,
) -> Callable[[Reader], Reader]:
    """Declare the reader of a text format as a parser that claims a file when its format wins the recognition."""
    _formats[name] = TextFormat(name, score, tuple(glob.lower() for glob in names), weight)

    def mine(head: bytes, path: str, size: int) -> bool:
        return recognise(head, path) == name

    return parser(
        name,
        claims=Claim(look=mine),
        reads=reads,
        means=means,
        does_not_mean=does_not_mean,
        refs=refs,
        artifacts=artifacts,
        version=version,
        tier=1,
    )


def place(line: Line, length: int | None = None) -> Locator:
    """The locator of a line, or of an entry of `length` bytes that starts with it."""
    return {
        "kind": "line",
        "line": line.number,
        "offset": line.offset,
        "length": line.length if length is None else length,
    }


def unread(line: Line, text: str | None = None, length: int | None = None) -> tuple[Locator, Record]:
    """A line that does not follow the format, kept as text so that a search finds it."""
    data: dict[str, object] = {"text": line.text if text is None else text, "follows_format": False}
    if line.fallback:
        data["encoding"] = f"{line.fallback} (assumed)"
    return place(line, length), Record(data)


def entries(
    file: EvidenceFile,
    start: re.Pattern[str],
    build: Build,
    *,
    joins: re.Pattern[str] | None = None,
    comments: str = "",
) -> Iterator[Yield]:
    """Records of a log whose entries start with a line that matches `start`; `joins`: lines that continue the entry.

    By default indented lines continue. Lines that neither start nor continue an entry are kept as text and counted in
    one Gap at the end. `build` is given the match of the first line and the whole text; None: not of this format.
    """
    continues = joins or re.compile(r"[ \t]")
    odd, total = 0, 0
    first_odd: int | None = None
    for head, match, text, length in _grouped(file, start, continues, comments):
        record = _built(build, match, text)
        total += 1
        if record is None:
            odd += 1
            first_odd = head.offset if first_odd is None else first_odd
            yield unread(head, text, length)
            continue
        if head.fallback:
            record.data["encoding"] = f"{head.fallback} (assumed)"
        yield place(head, length), record
    if odd:
        yield Gap(f"{odd} of {total} entries do not follow the format; kept as text", first_odd, "schema_unknown")


def _built(build: Build, match: re.Match[str] | None, text: str) -> Record | None:
    """The record of an entry, None where its values cannot be (a month of 13, a number of 5,000 digits)."""
    if match is None:
        return None
    try:
        return build(match, text)
    except (ValueError, OverflowError):
        return None


def _grouped(
    file: EvidenceFile, start: re.Pattern[str], continues: re.Pattern[str], comments: str
) -> Iterator[tuple[Line, re.Match[str] | None, str, int]]:
    head: Line | None = None
    match: re.Match[str] | None = None
    texts: list[str] = []
    characters, length = 0, 0
    for line in lines(file):
        found = start.match(line.text)
        joined = head is not None and found is None and continues.match(line.text)
        if head is not None and joined and match is not None and characters < LONGEST_ENTRY:
            texts.append(line.text)
            characters += len(line.text)
            length = line.offset + line.length - head.offset
            continue
        if head is not None:
            yield head, match, "\n".join(texts), length
            head = None
        if not line.text.strip() or (comments and line.text[0] in comments):
            continue
        head, match, texts, characters, length = line, found, [line.text], len(line.text), line.length
    if head is not None:
        yield head, match, "\n".join(texts), length


def dated(data: dict[str, object], **times: object) -> Record:
    """A record dated by the first of its times that is known; unknown ones are left out."""
    kept = {name: time for name, time in times.items() if isinstance(time, dict)}
    return Record(data, kept, next(iter(kept), None))


def present(data: dict[str, object]) -> dict[str, object]:
    """Without the fields that hold nothing (None, empty text, a lone dash)."""
    return {name: value for name, value in data.items() if value not in (None, "", "-")}
