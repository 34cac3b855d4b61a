"""Finds extensions (parsers, tools, roles, report formats) by folder and entry point; notes origin and SHA-256.

One file adds one thing: a decorated function in a module of the package's folders (or of an installed package that
names an entry point in the group `wigmore.extensions`) is found, nothing is listed by hand.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import translate
from functools import cache
from pathlib import Path
from typing import Any

from wigmore.model.canonical import sha256
from wigmore.model.protocols import EvidenceFile, Yield

HEAD = 8192  # bytes of each file that recognition sees


@dataclass(frozen=True)
class Claim:
    """Recognises files by content (`magic`: (offset, bytes)) and by path (`paths`: globs over the lower-case path).

    With both given, either suffices unless `both`. A glob without `/` is matched against the file's name, others against
    the end of the path. `look(head, path, size)` decides further among those; alone it decides by itself. With
    `free_space` the parser also reads every piece of a volume's free space, which no other parser sees.
    """

    paths: tuple[str, ...] = ()
    magic: tuple[tuple[int, bytes], ...] = ()
    both: bool = False
    look: Callable[[bytes, str, int], bool] | None = None
    free_space: bool = False

    def __post_init__(self) -> None:
        names = [translate(p.lower()) for p in self.paths if "/" not in p]
        trails = [translate("*/" + p.lower().lstrip("/")) for p in self.paths if "/" in p]
        object.__setattr__(self, "_names", re.compile("|".join(names)) if names else None)
        object.__setattr__(self, "_trails", re.compile("|".join(trails)) if trails else None)

    def by_path(self, path: str) -> bool:
        """Whether the path alone matches one of the globs (no case)."""
        low = path.lower()
        names: re.Pattern[str] | None = self._names  # type: ignore[attr-defined]  # set in __post_init__ of a frozen class
        trails: re.Pattern[str] | None = self._trails  # type: ignore[attr-defined]  # likewise
        return bool((names and names.match(low.rsplit("/", 1)[-1])) or (trails and trails.match("/" + low)))

    def by_content(self, head: bytes) -> bool:
        """Whether one of the signatures stands in the first bytes."""
        return any(head[offset : offset + len(mark)] == mark for offset, mark in self.magic)

    def __call__(self, head: bytes, path: str, size: int) -> bool:
        if self.paths or self.magic:
            path_hit, content_hit = self.by_path(path), self.by_content(head)
            hit = path_hit and content_hit if self.both else path_hit or content_hit
            return hit and (self.look is None or self.look(head, path, size))
        return self.look is not None and self.look(head, path, size)


@dataclass(frozen=True)
class Parser:
    """A parser with what it declares about its artifact."""

    name: str  # `windows.prefetch`; also the artifact of its records unless the record names another
    version: int
    claims: Claim
    reads: str
    means: str
    does_not_mean: str
    refs: tuple[str, ...]
    artifacts: tuple[str, ...]
    tier: int  # of the parsers that claim a file, those of the lowest tier run: 0 an artifact, 1 a text format, 2 any text
    beside: bool  # runs whatever others claim the file too (readers of a whole format, such as SQLite)
    limit_seconds: float
    function: Callable[[EvidenceFile], Iterator[Yield]]
    origin: str = ""
    sha256: str = ""
    lists: tuple[str, ...] = ()  # kinds of the examiner's lists that it applies; it claims nothing without one

    def declared(self) -> dict[str, Any]:
        """What reports and time limits need of a parser, as JSON, so that a process can know it without its module."""
        names = ("version", "means", "does_not_mean", "limit_seconds", "origin", "sha256", "lists")
        return {name: getattr(self, name) for name in names} | {"free_space": self.claims.free_space}


@dataclass(frozen=True)
class Tool:
    """A tool that agents may call: its signature and docstring are its schema."""

    name: str
    domain: str
    read_only: bool
    cached: bool
    cost: float
    version: int
    function: Callable[..., Any]
    origin: str = ""
    sha256: str = ""


_found: dict[str, dict[str, Any]] = {"parser": {}, "tool": {}, "role": {}, "format": {}}


def register(kind: str, name: str, thing: Any) -> None:
    """Note one extension; two of one kind and name are an error, naming both origins."""
    known = _found[kind].get(name)
    if known is not None and known.origin != thing.origin:
        raise ValueError(f"two extensions of kind {kind} are named {name!r}: {known.origin} and {thing.origin}")
    _found[kind][name] = thing


def origin_of(function: Callable[..., Any]) -> tuple[str, str]:
    """Module and SHA-256 of the file a function was defined in."""
    file = inspect.getsourcefile(function)
    return f"{function.__module__}:{function.__qualname__}", sha256(Path(file).read_bytes()) if file else ""


def parser(
    name: str,
    *,
    claims: Claim,
    reads: str,
    means: str,
    does_not_mean: str,
    refs: tuple[str, ...],
    version: int = 1,
    artifacts: tuple[str, ...] = (),
    tier: int = 0,
    beside: bool = False,
    limit_seconds: float = 120.0,
    lists: tuple[str, ...] = (),
) -> Callable[[Callable[[EvidenceFile], Iterator[Yield]]], Callable[[EvidenceFile], Iterator[Yield]]]:
    """Declare a generator function as the parser of an artifact.

    `tier` and `beside` say when it gives way to others, `lists` that it applies lists of the examiner (see Parser). `reads`:
    files it takes; `means` and `does_not_mean`: what a record shows and what it does not; `refs`: format documents.
    """
    for label, text in (("reads", reads), ("means", means), ("does_not_mean", does_not_mean)):
        if not text.strip():
            raise ValueError(f"parser {name!r} must declare what it {label}")
    if not refs:
        raise ValueError(f"parser {name!r} must cite where its format is described (refs)")

    def wrap(function: Callable[[EvidenceFile], Iterator[Yield]]) -> Callable[[EvidenceFile], Iterator[Yield]]:
        origin, digest = origin_of(function)
        register(
            "parser",
            name,
            Parser(
                name,
                version,
                claims,
                reads,
                means,
                does_not_mean,
                refs,
                artifacts or (name,),
                tier,
                beside,
                limit_seconds,
                function,
                origin,
                digest,
                lists,
            ),
        )
        return function

    return wrap


def tool(
    name: str, *, domain: str, read_only: bool = True, cached: bool = True, cost: float = 1.0, version: int = 1
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a function as a tool; `cost` is a declared unit (a cheap query is 1), never seconds."""

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        if not (function.__doc__ or "").strip():
            raise ValueError(f"tool {name!r} needs a docstring: it is what agents read")
        origin, digest = origin_of(function)
        register(
            "tool", name, Tool(name, domain, read_only, cached and read_only, cost, version, function, origin, digest)
        )
        return function

    return wrap


_HOMES = {
    "parser": "wigmore.artifacts",
    "tool": "wigmore.tools",
    "role": "wigmore.agents.roles",
    "format": "wigmore.reports",
}


@cache
def load(kind: str) -> None:
    """Import every module under the kind's folder, and the entry points of installed packages."""
    package = importlib.import_module(_HOMES[kind])
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
    for entry in importlib.metadata.entry_points(group="wigmore.extensions"):
        if entry.name.startswith(kind):
            entry.load()


def found(kind: str) -> dict[str, Any]:
    """All extensions of a kind by name, in order of name."""
    load(kind)
    return dict(sorted(_found[kind].items()))


def parsers() -> dict[str, Parser]:
    """All parsers by name."""
    return found("parser")


def tools() -> dict[str, Tool]:
    """All tools by name."""
    return found("tool")
