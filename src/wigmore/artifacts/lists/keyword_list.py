"""Keyword lists: one term a line, UTF-8; `/expression/` is a regular expression, `case:` asks for the letters as written.

Lines that begin with `#` and empty lines are left out; a term that begins so is written as an expression. Text and
expressions compare without case unless the line begins with `case:` (`case:Term`, `case:/Expression/`).
"""

from __future__ import annotations

from dataclasses import dataclass

from wigmore.artifacts.lists.entries import Reading
from wigmore.artifacts.lists.search import Needle, Searcher, expression_needles, needles_of
from wigmore.model.lists import ListFile

SHORTEST = 2  # characters of a literal term
LONGEST = 500
MOST_TERMS = 50_000


@dataclass(frozen=True, slots=True)
class Term:
    """A term of a keyword list, as written, and its line."""

    file: ListFile
    line: int
    text: str
    kind: str
    ignore_case: bool

    def needles(self, entry: int) -> list[Needle]:
        """The term's forms; raises ValueError where it cannot be looked for."""
        if self.kind == "expression":
            return expression_needles(entry, self.text, self.ignore_case)
        if len(self.text) < SHORTEST:
            raise ValueError(f"a term has at least {SHORTEST} characters")
        return needles_of(entry, self.text, self.ignore_case)


@dataclass
class Keywords:
    """The terms of some keyword lists, ready to be looked for."""

    terms: list[Term]
    readings: list[Reading]
    searcher: Searcher | None


def term_of(file: ListFile, line: int, raw: str) -> Term | None:
    """The term of a line; None for a comment or nothing."""
    text = raw.strip()
    if not text or text.startswith("#"):
        return None
    ignore_case = not text.startswith("case:")
    text = text if ignore_case else text.removeprefix("case:").strip()
    if len(text) > 2 and text[0] == text[-1] == "/" and text[-2] != "\\":
        return Term(file, line, text[1:-1], "expression", ignore_case)
    return Term(file, line, text, "text", ignore_case)


def read_keywords(files: tuple[ListFile, ...]) -> Keywords:
    """Read and compile keyword lists; raises ListError where one cannot be read."""
    terms: list[Term] = []
    needles: list[Needle] = []
    readings = []
    for file in files:
        reading = Reading(file)
        for line, raw in file.lines():
            try:
                term = term_of(file, line, raw.decode("utf-8-sig"))
                if term is None:
                    continue
                if len(term.text) > LONGEST:
                    raise ValueError(f"a term has at most {LONGEST} characters")
                if len(terms) >= MOST_TERMS:
                    raise ValueError(f"more than {MOST_TERMS} terms")
                needles += term.needles(len(terms))
            except (ValueError, UnicodeDecodeError) as error:
                why = "the line is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
                reading.refuse(f"line {line}", why)
                continue
            terms.append(term)
            reading.entries += 1
        readings.append(reading)
    return Keywords(terms, readings, Searcher(needles) if needles else None)
