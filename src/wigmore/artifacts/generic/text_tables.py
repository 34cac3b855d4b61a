"""Tables in text files: delimiter and header recognised from the first lines, one record a row."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from wigmore.artifacts.logs.framework import place
from wigmore.artifacts.logs.json_lines import json_time
from wigmore.artifacts.logs.lines import Line, lines
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import Time

MOST_COLUMNS = 500
LONGEST_ROW = 1_000  # lines a quoted field may span
_TIMELIKE = re.compile(r"time|date|when|created|modified|stamp|last|first", re.I)


@dataclass(frozen=True)
class Shape:
    """A table's delimiter and column names."""

    delimiter: str
    columns: tuple[str, ...]


def _cells(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return []


def _widths(texts: list[str], delimiter: str) -> list[int]:
    """Numbers of cells of the rows that the lines make up; a quoted field may span lines."""
    try:
        return [len(row) for row in csv.reader([f"{text}\n" for text in texts], delimiter=delimiter)]
    except csv.Error:
        return []


def table_of(listed: tuple[str, ...]) -> Shape | None:
    """The shape of a table whose first line names its columns; None where the lines are no such table."""
    kept = [text for text in listed if text.strip()]
    if len(kept) < 2:
        return None
    for delimiter in "\t,;|":
        names = [name.strip().strip('"') for name in _cells(kept[0].lstrip("\ufeff"), delimiter)]
        if not (3 <= len(names) <= MOST_COLUMNS or (delimiter == "\t" and len(names) == 2)):
            continue
        wordy = [name for name in names if re.match(r"[A-Za-z_#\u00a0-\uffff]", name) and len(name) < 80]
        if len(wordy) < 0.8 * len(names) or len(set(names)) < len(names) - 1:
            continue
        widths = _widths(kept[1:20], delimiter)
        if widths and sum(1 for width in widths if width == len(names)) >= 0.6 * len(widths):
            unique: list[str] = []
            for name in names:
                label, number = name or "column", 2
                while label in unique:
                    label, number = f"{name or 'column'}_{number}", number + 1
                unique.append(label)
            return Shape(delimiter, tuple(unique))
    return None


def table_rows(file: EvidenceFile, shape: Shape, most: int) -> Iterator[Yield]:
    """One record a row under the names of the header; values that look like times in columns named so become times."""
    pending: list[Line] = []
    given, odd, headed = 0, 0, False
    first_odd: int | None = None
    for line in lines(file):
        if not line.text.strip() and not pending:
            continue
        if not headed:
            headed = True
            continue
        pending.append(line)
        text = "\n".join(item.text for item in pending)
        if text.count('"') % 2 and len(pending) < LONGEST_ROW:
            continue
        start, pending = pending[0], []
        if given >= most:
            yield Gap(f"more than {most} rows", start.offset, "too_large")
            return
        given += 1
        cells = _row(text, shape.delimiter)
        if len(cells) != len(shape.columns):
            odd += 1
            first_odd = start.offset if first_odd is None else first_odd
        data: dict[str, object] = dict(zip(shape.columns, cells, strict=False))
        if len(cells) > len(shape.columns):
            data["more"] = cells[len(shape.columns) :]
        times = _times(data)
        locator = place(start, line.offset + line.length - start.offset)
        yield locator, Record(data, times, next(iter(times), None), artifact="generic.table")
    if pending:
        yield Gap("a quoted field without its end", pending[0].offset, "truncated")
    if odd:
        yield Gap(f"{odd} of {given} rows have another number of columns than the header", first_odd, "schema_unknown")


def _row(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter), [])
    except csv.Error:
        return text.split(delimiter)


def _times(data: dict[str, object]) -> dict[str, Time]:
    found: dict[str, Time] = {}
    for name, value in data.items():
        if _TIMELIKE.search(name) and isinstance(value, str) and len(value) >= 10 and len(found) < 8:
            time = json_time(value.strip())
            if time:
                found[name] = time
    return found
