"""Databases as phones write them, small, and what a parser makes of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from wigmore.evidence.local import LocalFile
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield

Parse = Callable[[EvidenceFile], Iterator[Yield]]


def database(path: Path, *statements: str | tuple[str, tuple[Any, ...]]) -> Path:
    """A database made by these statements."""
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        if isinstance(statement, tuple):
            connection.execute(*statement)
        else:
            connection.execute(statement)
    connection.close()
    return path


def table(path: Path, name: str, *rows: dict[str, Any], **types: str) -> Path:
    """A table of the columns that the rows have, filled with them; Z_PK and _id are its keys."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    declared = ", ".join(
        f'"{c}" {types.get(c, "INTEGER PRIMARY KEY" if c in ("Z_PK", "_id", "ROWID") else "")}' for c in columns
    )
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f'CREATE TABLE "{name}" ({declared})')
    for row in rows:
        names = ", ".join(f'"{c}"' for c in row)
        marks = ", ".join("?" for _ in row)
        connection.execute(f'INSERT INTO "{name}" ({names}) VALUES ({marks})', tuple(row.values()))
    connection.close()
    return path


def parse(parser: Parse, path: Path, name: str | None = None) -> tuple[list[Record], list[Gap]]:
    """The records and gaps of a file."""
    items = list(parser(LocalFile.at(path, path=name)))
    return [i[1] for i in items if isinstance(i, tuple)], [i for i in items if isinstance(i, Gap)]


def records(parser: Parse, path: Path, artifact: str = "") -> list[Record]:
    """The records of a file, of one artifact where named."""
    return [r for r in parse(parser, path)[0] if not artifact or r.artifact == artifact]
