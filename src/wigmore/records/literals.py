"""Which patterns can match some texts at all, by the words that a match must hold: a pattern that cannot need not be set up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from re import _constants as kinds  # type: ignore[attr-defined]  # how the standard library reads patterns
from re import _parser as parser
from typing import Any

SHORTEST = 3  # characters of a word that tells anything


def possible(test: Any, texts: dict[str, Texts]) -> Any:
    """What is left of a test without the patterns that match none of its fields' texts (folded); None where it cannot hold.

    Only patterns are looked at, and only where they are asked for: what is negated or of another kind may hold.
    """
    if "any" in test:
        branches = [left for branch in test["any"] if (left := possible(branch, texts)) is not None]
        return {"any": branches} if branches else None
    if "all" in test:
        parts = [possible(part, texts) for part in test["all"]]
        return None if None in parts else {"all": parts}
    if "regex" not in test:
        return test
    patterns = test["regex"] if isinstance(test["regex"], list) else [test["regex"]]
    here = texts[str(test["field"])]
    found = [p for p in patterns if str(p).startswith("$") or here.may_match(needed(str(p)))]  # `$name`: not known yet
    return {**test, "regex": found} if found else None


class Texts:
    """All texts of one field, folded, and which words stand in any of them: most words of most patterns stand in none."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self._joined = "\0".join(texts)

    def may_match(self, wanted: Sequence[frozenset[str]]) -> bool:
        """Whether one of the texts holds a word of each set."""
        there = [[word for word in words if word in self._joined] for words in wanted]
        return all(there) and any(all(any(word in text for word in words) for words in there) for text in self.texts)


def fields(test: Any) -> set[str]:
    """The fields whose patterns `possible` looks at."""
    if "any" in test or "all" in test:
        return {name for branch in test.get("any") or test["all"] for name in fields(branch)}
    return {str(test["field"])} if "regex" in test else set()


@lru_cache(maxsize=4096)
def needed(pattern: str) -> tuple[frozenset[str], ...]:
    """Sets of words (folded): every match of a pattern holds at least one of each set.

    The pattern is read as Python's `re` reads it; of one that it cannot read (RE2 knows a few other forms) nothing is known.
    """
    try:
        return tuple(dict.fromkeys(map(frozenset, _needed(parser.parse(pattern, re.IGNORECASE)))))
    except (re.error, OverflowError, RecursionError):
        return ()


def _needed(parsed: Sequence[Any]) -> list[set[str]]:
    """What the parts of a sequence need, one set each."""
    found: list[set[str]] = []
    run = ""
    for kind, value in [*parsed, (None, None)]:
        if kind is kinds.LITERAL:
            run += chr(value)
            continue
        if len(run) >= SHORTEST:
            found.append({run.casefold()})
        run = ""
        if kind is kinds.SUBPATTERN:
            found += _needed(value[3])
        elif kind is kinds.MAX_REPEAT and value[0] >= 1:
            found += _needed(value[2])
        elif kind is kinds.BRANCH:
            # of each branch the set that tells most: the longest words, then the fewest
            best = [max(_needed(b), key=lambda s: (min(map(len, s)), -len(s)), default=set()) for b in value[1]]
            found += [{word for words in best for word in words}] if all(best) else []
    return found
