"""Which time some coverage rows reach over."""

from __future__ import annotations

from collections.abc import Iterable

from wigmore.model.nouns import Coverage
from wigmore.model.times import iso


def _instants(texts: Iterable[str | None]) -> list[int]:
    return [t["instant"] for text in texts if text and (t := iso(text)) and t["instant"] is not None]


def begins(rows: Iterable[Coverage]) -> int | None:
    """The first instant (µs since 1970 UTC) that some rows say they cover; None where none says."""
    return min(_instants(row.covers_from for row in rows), default=None)


def ends(rows: Iterable[Coverage]) -> int | None:
    """The last instant that some rows say they cover; None where none says."""
    return max(_instants(row.covers_to for row in rows), default=None)
