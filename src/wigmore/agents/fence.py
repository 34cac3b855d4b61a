"""Evidence text as a model is shown it: fenced as data, without what could end the fence or speak from outside it, and capped.

Rows are JSON lines. In their strings every angle bracket and every letter that looks like one is written as a JSON escape,
and so are control, direction and invisible characters and the marks that chat templates put between speakers: no text of the
evidence can open or close a tag, hide a word, or turn the direction of a line.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from wigmore.model.canonical import identify

VALUE = 400  # characters of one value
PAGE = 8000  # characters of one page
LISTED = 15  # items of a list inside a row that one page shows
LINE = 2 * PAGE  # characters of one line
SHORTER = 100  # characters of one value in a line that would be longer
BRACKETS = set("<>‹›«»≺≻〈〉《》⟨⟩⟪⟫❮❯❰❱˂˃ᐸᐳ❬❭⦑⦒⧼⧽﹤﹥＜＞⋖⋗≪≫⪡⪢≮≯⋘⋙⫷⫸ᚲ𝈶𝈷𖼿︿﹀︽︾˱˲⸂⸃⦓⦔⦕⦖⟅⟆🢔🢖⧀⧁⩹⩺")
# what shows nothing though Unicode counts it among letters, marks and symbols (Default_Ignorable_Code_Point; Braille blank)
BLANK = {
    *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x2800, 0x3164, 0xFFA0),
    *(*range(0x180B, 0x1810), *range(0xFFF0, 0xFFF9)),
}
TEMPLATE_MARKS = re.compile(
    r"\[/?(?:INST|SYS|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|`{3,}", re.IGNORECASE
)


def neutral(encoded: str) -> str:
    """JSON text whose strings stay strings for who reads it as plain text too: see the module."""
    out = "".join(_escape(c) if c in BRACKETS or _hidden(c) else c for c in encoded)
    return TEMPLATE_MARKS.sub(lambda m: _escape(m.group(0)[0]) + m.group(0)[1:], out)


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    return f"\\u{0xD800 + (code - 0x10000 >> 10):04x}\\u{0xDC00 + (code - 0x10000 & 0x3FF):04x}"


def _hidden(character: str) -> bool:
    """Whether a character shows nothing or changes how others are shown (controls, formats, variation selectors, tags)."""
    if character.isascii():
        return not character.isprintable()
    code = ord(character)
    unseen = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    return unseen or 0xFE00 <= code <= 0xFE0F or code >= 0xE0000 or code in BLANK


def cut(text: str, most: int = VALUE) -> str:
    """A text that says how much of it is left out."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most} characters more)"


def plain(value: Any, page: int = 1, most: int = VALUE) -> Any:
    """A value as a model is shown it: strings cut, long lists a page at a time."""
    if isinstance(value, str):
        return cut(value, most)
    if isinstance(value, dict):
        return {cut(str(k), 80): plain(v, page, most) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        first = (page - 1) * LISTED
        shown = [plain(v, 1, most) for v in value[first : first + LISTED]]
        return [*shown, f"… {len(value)} in all"] if len(value) > LISTED else shown
    return value


@dataclass(frozen=True)
class Page:
    """A part of an output, and how many parts there are."""

    lines: tuple[str, ...]
    number: int
    of: int


def page_of(rows: Sequence[dict[str, Any]], number: int) -> Page:
    """Page `number` (from 1) of some rows as JSON lines, each after its number in the output (from 0).

    Where there is one row, a page is a part of its long lists.
    """
    if len(rows) == 1:
        most = max((len(v) for v in rows[0].values() if isinstance(v, (list, tuple))), default=0)
        last = max(1, -(-most // LISTED))
        number = min(max(1, number), last)
        return Page((f"0 {line_of(rows[0], number)}",), number, last)
    pages: list[list[str]] = [[]]
    held = 0
    for place, row in enumerate(rows):
        line = f"{place} {line_of(row)}"
        if pages[-1] and held + len(line) > PAGE:
            pages.append([])
            held = 0
        pages[-1].append(line)
        held += len(line)
    number = min(max(1, number), len(pages))
    return Page(tuple(pages[number - 1]), number, len(pages))


def line_of(row: dict[str, Any], page: int = 1) -> str:
    """A row as one line of JSON; of one that is too long the values are cut shorter, and what is too long still is left out."""
    text = _encoded(plain(row, page))
    if len(text) <= LINE:
        return text
    kept, held = {}, SHORTER
    shorter = plain(row, page, SHORTER)
    for key in sorted(shorter, key=lambda k: len(_encoded(shorter[k]))):
        held += len(_encoded({key: shorter[key]}))
        if held <= LINE:
            kept[key] = shorter[key]
    left = len(shorter) - len(kept)
    return _encoded({**kept, "…": f"{left} fields left out, too long for a line"} if left else kept)


def _encoded(value: Any) -> str:
    return neutral(json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True))


def fenced(lines: Iterable[str], call: str) -> str:
    """Lines between marks that no text of the evidence can write."""
    mark = identify("data", call, length=8)
    return "\n".join([f"<evidence {mark}>", *lines, f"</evidence {mark}>"])
