"""Hard values in prose: addresses, hashes, numbers of phones and devices, paths, times, amounts.

What a text states of these must be grounded in facts, or the text is refused (SPEC A4, beyond).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

PATTERNS = {
    "e-mail address": re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"),
    "hash": re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{32,128}(?![0-9A-Za-z])"),
    "IPv6 address": re.compile(r"(?<![0-9A-Za-z:])(?:[0-9A-Fa-f]{1,4}:){3,7}[0-9A-Fa-f]{1,4}(?![0-9A-Za-z:])"),
    "IP address": re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)"),
    "time": re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"),
    "web address": re.compile(r"https?://[^\s\"'<>)\]]+"),
    "path": re.compile(r"(?:[A-Za-z]:\\|\\\\)[^\s\"'<>|,;)]+|(?<![\w/])/(?:[\w.@%+-]+/)+[\w.@%+-]+"),
    "security identifier": re.compile(r"S-1-\d+(?:-\d+)+"),
    "amount": re.compile(r"(?:[$€£]\s?\d[\d.,]*|\d[\d.,]*\s?(?:USD|EUR|GBP|CHF|BTC|ETH)\b)"),
    "phone number": re.compile(r"(?<![\w.+:-])\+?\d[\d ().-]{7,17}\d(?![\w:-])"),
    "number": re.compile(r"(?<![\w.:+-])\d{5,}(?![\w:])"),
}


def normal(text: str) -> str:
    """A value as it is compared: no case, no separators of paths and numbers."""
    return re.sub(r"[\s().\\/:_+-]+", "", text.casefold())


def hard_values(text: str) -> list[tuple[str, str]]:
    """(kind, value) for every hard value of a text, each span once, in order."""
    taken: list[tuple[int, int]] = []
    out: list[tuple[int, str, str]] = []
    for kind, pattern in PATTERNS.items():
        for found in pattern.finditer(text):
            start, end = found.span()
            if any(start < e and s < end for s, e in taken):
                continue
            taken.append((start, end))
            out.append((start, kind, found.group(0).rstrip(".,;:")))
    return [(kind, value) for _, kind, value in sorted(out)]


def leaves(value: Any) -> Iterable[str]:
    """All scalars of a value as text."""
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from leaves(item)
    elif value is not None:
        yield str(value)


def ungrounded(text: str, grounds: Iterable[Any]) -> list[tuple[str, str]]:
    """The hard values of a text that stand in none of the values it may rest on."""
    wanted = hard_values(text)
    if not wanted:
        return []
    known = [normal(leaf) for ground in grounds for leaf in leaves(ground)]
    return [(kind, value) for kind, value in wanted if not any(normal(value) in hay for hay in known)]
