"""The part of RDF Turtle that image containers write: prefixes, subjects, lists of properties, literals with a type.

Source: W3C Recommendation, RDF 1.1 Turtle. Blank nodes and collections are stepped over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

TOKEN = re.compile(
    r"""(?P<space>[\s]+|\#[^\n]*)
    |(?P<iri><[^<>"{}|^`\\\s]{0,4096}>)
    |(?P<text>\"{3}(?:[^"\\]|\\.|\"(?!\"\"))*\"{3}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<typed>\^\^)
    |(?P<at>@[A-Za-z][A-Za-z0-9-]*)
    |(?P<mark>[;,.\[\]()](?=\s|$|[<"\[\]();,.@]))
    |(?P<word>[^\s<>"'\[\]();,]+)""",
    re.X | re.S,
)
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
MOST_STATEMENTS = 1_000_000


class Broken(ValueError):
    """Text that is no Turtle of this kind."""


@dataclass(slots=True)
class Subject:
    """What is said of one subject: values by property; each value with its datatype, `iri` for a resource."""

    name: str
    said: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def one(self, name: str) -> str:
        """The first value of a property; empty where there is none."""
        return self.said[name][0][0] if self.said.get(name) else ""

    def all(self, name: str) -> list[str]:
        """The values of a property."""
        return [value for value, _ in self.said.get(name, ())]

    def number(self, name: str) -> int | None:
        """The first value of a property as a number, None where it is none."""
        text = self.one(name)
        return int(text) if text.isdigit() and len(text) < 20 else None


def read(text: str) -> dict[str, Subject]:
    """The subjects of a document by their full name; raises Broken where it cannot be read on."""
    found: dict[str, Subject] = {}
    prefixes: dict[str, str] = {}
    tokens = _tokens(text)
    count = 0
    for kind, word in tokens:
        if word in ("@prefix", "@base") or word.upper() in ("PREFIX", "BASE"):
            _prefix(word, tokens, prefixes)
            continue
        if kind not in ("iri", "word"):
            raise Broken(f"a statement begins with {word[:40]!r}")
        subject = found.setdefault(name := _name(kind, word, prefixes), Subject(name))
        verb, depth = "", 0
        waiting: list[tuple[str, str]] | None = None  # values of the verb, the last of which may get its datatype
        for kind, word in tokens:  # the statement goes on in the same row of tokens
            count += 1
            if count > MOST_STATEMENTS:
                raise Broken("more statements than are read")
            if kind == "mark" and word in "[(":
                depth += 1
            elif kind == "mark" and word in "])":
                depth -= 1
            elif depth > 0:
                continue
            elif kind == "mark" and word == ".":
                break
            elif kind == "mark" and word == ";":
                verb, waiting = "", None
            elif kind == "mark":
                continue
            elif not verb:
                verb = TYPE if word == "a" else _name(kind, word, prefixes)
                waiting = subject.said.setdefault(verb, [])
            elif kind == "typed":
                kind, word = next(tokens, ("", ""))
                if waiting:
                    waiting[-1] = (waiting[-1][0], _name(kind, word, prefixes))
            elif kind == "at":
                continue  # the language of a text
            elif waiting is not None:
                value = _text(word) if kind == "text" else _name(kind, word, prefixes)
                plain = kind == "word" and (word[0].isdigit() or word in ("true", "false"))
                waiting.append((word, "") if plain else (value, "iri" if kind != "text" else ""))
        else:
            raise Broken("the text ends inside a statement")
    return found


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise Broken(f"what stands at character {at} is no Turtle")
        at = match.end()
        kind, word = str(match.lastgroup), match[0]
        if kind == "space":
            continue
        if kind == "word" and word.endswith(".") and len(word) > 1:  # the end of the statement, written without a space
            yield kind, word[:-1]
            yield "mark", "."
            continue
        yield kind, word


def _prefix(word: str, tokens: Iterator[tuple[str, str]], prefixes: dict[str, str]) -> None:
    name = "" if word.lower().endswith("base") else next(tokens, ("", ""))[1]
    kind, value = next(tokens, ("", ""))
    if kind != "iri":
        raise Broken("a prefix without its name")
    prefixes[name if name else "base"] = value[1:-1]
    if word.startswith("@") and next(tokens, ("", ""))[1] != ".":
        raise Broken("a prefix that does not end")


def _name(kind: str, word: str, prefixes: dict[str, str]) -> str:
    if kind == "iri":
        return word[1:-1]
    front, colon, rest = word.partition(":")
    if colon and front + ":" in prefixes:
        return prefixes[front + ":"] + rest
    return word


def _text(word: str) -> str:
    quotes = 3 if word.startswith('"""') else 1
    inner = word[quotes:-quotes]
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t", "r": "\r"}.get(m[1], m[1]), inner, flags=re.S)
