"""HTML and SVG built from escaped parts: evidence can show itself in a page, never act in it.

A `Safe` text is markup that was made here; every other text is escaped when it enters a tag. Characters that would
hide or reorder others (controls, bidirectional overrides, zero-width marks, lone surrogates, noncharacters) are
written visibly.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from typing import Any

HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
VOID = frozenset(("meta", "br", "hr", "path", "rect", "line", "circle", "col"))
UNSAFE_NAME = re.compile(r"[^a-zA-Z0-9_-]+")
LONGEST = 2000  # characters of one value of evidence that a page shows


class Safe(str):
    """Markup made by this module's functions: not escaped again."""

    __slots__ = ()


Part = Any


def visible(text: str) -> str:
    r"""The text with characters that hide or reorder others written as `\u{…}`; the page stays one valid document."""
    return HIDDEN.sub(lambda m: f"\\u{{{ord(m[0]):x}}}", text)


def escaped(value: Any) -> Safe:
    """Any value as text of a page: hidden characters made visible, markup escaped, quotes too."""
    if isinstance(value, Safe):
        return value
    if value is None:
        return Safe("")
    return Safe(html.escape(visible(value if isinstance(value, str) else plain(value)), quote=True))


def plain(value: Any) -> str:
    """A value as an examiner reads it: text as it is, true and false, numbers, nested values as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def clipped(value: Any, limit: int = LONGEST) -> str:
    """A value's text, at most `limit` characters, saying how many are not shown."""
    text = plain(value)
    return text if len(text) <= limit else f"{text[:limit]} … [{len(text) - limit} more characters not shown]"


def joined(parts: Iterable[Part]) -> Safe:
    """Parts one after another, each escaped unless it is markup."""
    return Safe("".join(escaped(p) for p in parts))


def tag(name: str, /, *parts: Part, **attributes: Any) -> Safe:
    """One element with escaped parts. Attributes: `class_` is class, `a_b` is a-b; None and False leave one out."""
    written = []
    for key, value in attributes.items():
        label = key.rstrip("_").replace("_", "-")
        if value is None or value is False:
            continue
        written.append(f" {label}" if value is True else f' {label}="{escaped(value)}"')
    head = f"<{name}{''.join(written)}>"
    if name in VOID and not parts:
        return Safe(head if name in ("meta", "br", "hr", "col") else head[:-1] + "/>")
    return Safe(f"{head}{joined(parts)}</{name}>")


def coded(text: str) -> Safe:
    """A text of ours whose parts between backticks are commands."""
    return joined(tag("code", part) if n % 2 else part for n, part in enumerate(text.split("`")))


def anchor(kind: str, name: str) -> str:
    """An id of this page for a thing of the case; names made from evidence lose what an id may not hold."""
    return f"{kind}-{UNSAFE_NAME.sub('_', name)}"


def link(kind: str, name: str, text: Part, **attributes: Any) -> Safe:
    """A link to a thing's place in this page."""
    return tag("a", text, href=f"#{anchor(kind, name)}", **attributes)


def table(heads: Iterable[Part], rows: Iterable[Iterable[Part]], class_: str = "", caption: Part = "") -> Safe:
    """A table; every cell is escaped unless it is markup. It scrolls sideways on narrow screens."""
    body = [tag("tr", *(tag("td", cell) for cell in row)) for row in rows]
    top = tag("thead", tag("tr", *(tag("th", head, scope="col") for head in heads)))
    inner = tag("table", tag("caption", caption) if caption else "", top, tag("tbody", *body), class_=class_ or None)
    return tag("div", inner, class_="scroll")


def pairs(rows: Iterable[tuple[Part, Part]], class_: str = "pairs") -> Safe:
    """Names and values, the empty ones left out."""
    return tag("dl", *(joined((tag("dt", k), tag("dd", v))) for k, v in rows if v not in ("", None)), class_=class_)


def folded(summary: Part, *parts: Part, open_: bool = False, id_: str | None = None, class_: str | None = None) -> Safe:
    """A part that opens on a click and works without any script."""
    return tag("details", tag("summary", summary), *parts, open=open_, id=id_, class_=class_)
