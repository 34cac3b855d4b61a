"""Names of people as records write them: their words in one form, and whether two of them can be one person's."""

from __future__ import annotations

import re
import unicodedata

TITLES = frozenset(
    "dr prof mr mrs ms miss herr frau monsieur madame sir dipl ing mag jr sr von van de der den da di la".split()
)


def name_words(text: str) -> tuple[str, ...]:
    """The words of a name without marks, titles and case, in their order; empty for what is no name (numbers, addresses)."""
    if "@" in text or sum(c.isdigit() for c in text) > 3:
        return ()
    for letter, plain in (("ß", "ss"), ("ø", "o"), ("ł", "l"), ("æ", "ae"), ("œ", "oe")):
        text = text.casefold().replace(letter, plain)
    flat = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    words = [w for w in re.findall(r"[^\W\d_]+", flat) if w not in TITLES]
    return tuple(words)


def names_agree(first: str, second: str) -> str:
    """`same` (the same words in any order, two at least), `alike`, `unlike` (two full names, one not the other's), or ``.

    Alike: one name's words all stand in the other, whole, as an initial or as its beginning of three letters or more
    (`A. Berg`, `Alex Berg`). Single words, pet names and numbers speak neither for nor against: ``.
    """
    one, two = set(name_words(first)), set(name_words(second))
    if not one or not two:
        return ""
    if one == two:
        return "same" if len(one) > 1 else "alike"
    short, long = sorted((one, two), key=lambda words: (len(words), sorted(words)))
    left = set(long)
    for word in sorted(short, key=lambda w: (-len(w), w)):
        fits = [w for w in sorted(left) if _fits(word, w)]
        if not fits:
            return "unlike" if len(short) > 1 else ""
        left.discard(word if word in left else fits[0])
    return "alike"


def _fits(first: str, second: str) -> bool:
    short, long = sorted((first, second), key=len)
    return short == long or (len(short) != 2 and long.startswith(short))
