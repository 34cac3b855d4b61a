"""SQLite files that are the same bytes on every run, and write-ahead logs beside them.

Source: SQLite "Database File Format", sections 1.3 (header) and 4 (the WAL). A log written by SQLite itself has random
salts, so ours is made from the pages that a change alters.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

PAGE = 4096
Row = dict[str, Any]


@contextmanager
def database(path: Path, schema: str, user_version: int = 0) -> Iterator[sqlite3.Connection]:
    """A new database with the schema; committed and closed at the end. Raises FileExistsError where one is."""
    if path.exists():
        raise FileExistsError(f"{path} exists")
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE}")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(schema)
        connection.execute(f"PRAGMA user_version = {int(user_version)}")
        yield connection
        connection.commit()


def insert(connection: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    """Insert rows given as column: value; the table's other columns take their defaults."""
    for row in rows:
        columns = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" * len(row))
        connection.execute(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', list(row.values()))


def _sum(data: bytes, first: int, second: int) -> tuple[int, int]:
    for left, right in struct.iter_unpack("<II", data):
        first = (first + left + second) & 0xFFFFFFFF
        second = (second + right + first) & 0xFFFFFFFF
    return first, second


def _pages(data: bytes) -> list[bytes]:
    return [data[at : at + PAGE] for at in range(0, len(data), PAGE)]


def _log(changed: list[tuple[int, bytes]], size: int, salt: int) -> bytes:
    salts = struct.pack(">II", salt & 0xFFFFFFFF, salt * 2654435761 & 0xFFFFFFFF)
    header = struct.pack(">IIII", 0x377F0682, 3007000, PAGE, 0) + salts
    first, second = _sum(header, 0, 0)
    out = bytearray(header + struct.pack(">II", first, second))
    for number, page in changed:
        head = struct.pack(">II", number, size if number == changed[-1][0] else 0)
        first, second = _sum(head + page, first, second)
        out += head + salts + struct.pack(">II", first, second) + page
    return bytes(out)


def leave_in_wal(path: Path, change: Callable[[sqlite3.Connection], None], salt: int) -> None:
    """Make a change that stands only in `path`-wal, committed and not checkpointed, as on a device seized in use."""
    before = bytearray(path.read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        change(connection)
        connection.commit()
    after = bytearray(path.read_bytes())
    for data in (before, after):
        data[18:20] = b"\2\2"  # file format 2: WAL
    old, new = _pages(bytes(before)), _pages(bytes(after))
    changed = [(number, page) for number, page in enumerate(new, 1) if number > len(old) or old[number - 1] != page]
    path.write_bytes(before)
    path.with_name(path.name + "-wal").write_bytes(_log(changed, len(new), salt))
