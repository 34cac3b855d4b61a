"""Hard values in prose: addresses, hashes, numbers of phones and devices, paths, times, amounts.

What a text states of these must be grounded in facts, or the text is refused (SPEC A4, beyond). Texts are read as a person sees
them: compatible letters as their plain ones, without invisible characters, look-alike dots and `[.]` as dots. A value stands in
a fact whole: neither as a part of a longer one, nor as its digits in other groups.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = f"(?:{'|'.join(MONTHS)})[a-z]*"
PATTERNS = {
    "e-mail address": re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"),
    "web address": re.compile(r"https?://[^\s\"'<>)\]]+", re.IGNORECASE),
    "security identifier": re.compile(r"S-1-\d+(?:-\d+)+", re.IGNORECASE),
    "hash": re.compile(r"(?<![0-9A-Za-z])(?=[A-Fa-f]*\d)[0-9a-fA-F]{16,128}(?![0-9A-Za-z])"),
    "hardware address": re.compile(r"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])"),
    "IPv6 address": re.compile(
        r"(?<![0-9A-Za-z:])(?:(?:[0-9A-Fa-f]{1,4}:){3,7}[0-9A-Fa-f]{1,4}"
        r"|(?=[0-9A-Fa-f:]*\d)(?:[0-9A-Fa-f]{1,4}:){1,6}(?::[0-9A-Fa-f]{1,4}){1,6})(?![0-9A-Za-z:])"
    ),
    "IP address": re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)"),
    "time": re.compile(r"(?<!\d)\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"),
    "date": re.compile(
        rf"(?<![\d.])\d{{1,2}}([./-])\d{{1,2}}\1\d{{4}}(?!\d)|(?<!\d)\d{{1,2}}(?:st|nd|rd|th|\.)? {_MONTH},? \d{{4}}(?!\d)"
        rf"|\b{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}(?!\d)",
        re.IGNORECASE,
    ),
    "path": re.compile(
        r"(?:[A-Za-z]:\\|\\\\)[^\s\"'<>|,;)]+|(?<![\w/])/(?:[\w.@%+-]+/)+[\w.@%+-]+"
        r"|(?<![\w\\/])(?:[\w.@%+-]+[\\/]){2,}[\w.@%+-]+|(?<![\w\\/])[\w.@%+-]+[\\/][\w@%+.-]*\.\w{2,4}\b(?!\.\w)"
    ),
    "amount": re.compile(r"(?:[$€£]\s?\d[\d.,]*|\d[\d.,]*\s?(?:USD|EUR|GBP|CHF|BTC|ETH)\b)"),
    "phone number": re.compile(r"(?<![\w.+:-])\+?\d[\d ().-]{7,17}\d(?![\w:-])"),
    "number": re.compile(
        r"\d(?:[,'’_]?\d){4,}|(?<!\d)\d{1,3}(?: \d{3})+(?!\d)|(?<![\d-])\d(?:(?: \d){4,}|(?:-\d){4,})(?!\d)"
    ),
}
OWN = re.compile(
    r"\b(?:ph|hyp|lead|inv|edge|ent|link|fact|rec)-[0-9a-f]{16,24}\b|\bsrc-[a-z]+\b|\bCVE-\d{4}-\d{4,7}\b"
)  # public names
DOTS = re.compile(r"[\u00b7\u2027\u3002\uff61]| ?[\[({] ?(?:\.|dot) ?[\])}] ?|(?<=\w) dot (?=\w)", re.IGNORECASE)
AT = re.compile(r" ?[\[({] ?(?:@|at) ?[\])}] ?", re.IGNORECASE)
LOOK = str.maketrans(
    "аеорсухіјѕһԁԛԝвкмнтАВЕКМНОРСТУХІЈЅοαερτυνκιΑΒΕΗΙΚΜΝΟΡΤΥΧΖ",
    "aeopcyxijshdqwbkmhtABEKMHOPCTYXIJSoaeptuvkiABEHIKMNOPTYXZ",
)
BETWEEN = r"[\s().,'’_/-]*"  # what may stand between the digits of one number
DAY = "[-:/._ ]?"  # and between the parts of a date


def plain(text: str) -> str:
    """A text as it is seen: compatible letters and digits as their plain ones, nothing invisible."""
    if text.isascii():
        return text
    shown = unicodedata.normalize("NFKC", text)
    kept = (c for c in shown if unicodedata.category(c) != "Cf" and not 0xFE00 <= ord(c) <= 0xFE0F)
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in kept)


def alike(text: str) -> str:
    """A text whose letters of other alphabets that look like Latin ones are these, without marks over letters."""
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFD", plain(text).translate(LOOK))
    return "".join(c for c in apart if not unicodedata.combining(c))


def _read(text: str) -> str:
    """A text with the dots and signs that its addresses stand for."""
    shown = plain(text)
    if "[" in shown or "(" in shown or "{" in shown:
        shown = AT.sub("@", shown)
    return re.sub(r"\bhxxp", "http", DOTS.sub(".", shown), flags=re.IGNORECASE)


def normal(text: str) -> str:
    """A value as it is compared: no case, no separators of paths and numbers."""
    return re.sub(r"[\s().\\/:_+-]+", "", plain(text).casefold())


def hard_values(text: str) -> list[tuple[str, str]]:
    """(kind, value) for every hard value of a text, each span once, in order."""
    shown = _read(text)
    taken = [found.span() for found in OWN.finditer(shown)]
    out: list[tuple[int, str, str]] = []
    for kind, pattern in PATTERNS.items():
        for found in pattern.finditer(shown):
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
    known = [_folded(leaf) for ground in grounds for leaf in leaves(ground)]
    return [(kind, value) for kind, value in wanted if not any(_matches(kind, value, known))]


def _folded(text: str) -> str:
    """A value as it is compared: as it is seen, no case, one kind of slash."""
    return re.sub(r"/+", "/", _read(text).casefold().replace("\\", "/"))


def stands(kind: str, value: str, known: Iterable[str]) -> bool:
    """Whether a value of a kind stands whole in one of some texts; a value without a letter or digit stands nowhere."""
    return any(_matches(kind, value, [_folded(text) for text in known]))


def _matches(kind: str, value: str, known: Sequence[str]) -> Iterable[bool]:
    """For each folded text, whether a value stands in it."""
    shown = _folded(value).strip()
    pattern = re.compile("|".join(_whole(kind, shown)))
    return (re.search(r"\w", shown) is not None and pattern.search(text) is not None for text in known)


def _whole(kind: str, value: str) -> list[str]:
    """Patterns of what a value may be written as."""
    if kind in ("number", "phone number"):
        between = BETWEEN if kind == "phone number" else r"[,.'’_]?"
        written = between.join(re.sub(r"\D", "", value)), re.escape(value)
        ended = r"(?![ ().-]*\d)" if kind == "phone number" else r"(?!\d)"  # its last digits, not some within
        return [rf"(?<!\d)(?<!\d[,'’]){each}{ended}" for each in written]
    if kind == "date":
        return [rf"(?<!\d){y}{DAY}{m}{DAY}{d}(?!\d)" for y, m, d in _days(value)] + [
            rf"(?<!\d){re.escape(value)}(?!\d)"
        ]
    if kind == "time":
        day, rest = value[:10].split("-"), value[11:]
        clock = rf"[t ]{re.escape(rest)}(?![a-z0-9])" if rest else r"(?!\d)"
        return [rf"(?<!\d){DAY.join(day)}{clock}"]
    if kind == "amount":
        return [
            r"(?<![\d.,])" + r"\s?".join(map(re.escape, re.findall(r"[^\s\d.,]+|[\d.,]+", value))) + r"(?![\d.,]*\d)"
        ]
    if kind == "hardware address":
        return [r"(?<![0-9a-z])" + "[:.-]?".join(re.findall(r"\w\w", value)) + r"(?![0-9a-z])"]
    if kind in ("IP address", "IPv6 address"):
        return [rf"(?<![\w.:]){re.escape(value)}(?![0-9a-z]|[.:][0-9a-z]*[.:]|\.\d)"]
    left = r"(?<![\w.+%-])" if kind in ("e-mail address", "identifier") else r"(?<![a-z0-9])"
    shown = {value, value.strip("/"), value.replace(":", "", 1)} if kind == "path" else {value}
    return [rf"{left}{re.escape(each)}(?![\w-])(?!\.\w)" for each in sorted(shown)]


def _days(value: str) -> list[tuple[str, str, str]]:
    """A date as year, month and day: both readings where the order of day and month is open."""
    numbers = re.findall(r"\d+", value)
    named = re.search(_MONTH, value)
    if named:
        return [(numbers[-1], f"{MONTHS.index(named.group()[:3]) + 1:02d}", f"{int(numbers[0]):02d}")]
    first, second, year = (f"{int(n):02d}" for n in numbers)
    return [(year, second, first), (year, first, second)]
