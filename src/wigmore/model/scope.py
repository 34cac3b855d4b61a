"""What of a source the examiner keeps out of the examination: globs over paths."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatch


def excluding(path: str, globs: Iterable[str]) -> str:
    """The first glob that keeps a path out (no case, with or without a slash before it); empty where none does."""
    low = path.lower()
    return next((g for g in globs if fnmatch(low, g.lower()) or fnmatch("/" + low, g.lower())), "")
