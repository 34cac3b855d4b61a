"""Known databases recognised by path or by the tables their first page names.

Format: https://www.sqlite.org/fileformat2.html (b-tree pages, record format, the schema table on page 1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from wigmore.model.canonical import shown
from wigmore.registry import Claim

MAGIC = b"SQLite format 3\0"


@dataclass(frozen=True)
class Layout(Claim):
    """Recognises a database by path or by its tables (`tables`: name → columns that must be there).

    Only the first pages are seen when files are recognised: where they do not hold the whole schema and the path says
    nothing, `generic.sqlite` asks `fits` once the database is open.
    """

    tables: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __call__(self, head: bytes, path: str, size: int) -> bool:
        if not head.startswith(MAGIC):
            return False
        known = schema_in(head)
        if known is not None:
            return all(
                any(
                    name.lower() == table.lower() and all(c.lower() in sql.lower() for c in columns)
                    for name, sql in known
                )
                for table, columns in self.tables
            )
        return self.by_path(path) or all(
            re.search(rb"CREATE TABLE (IF NOT EXISTS )?[\"'`\[]?" + re.escape(table.encode()) + rb"[\"'`\] (]", head)
            and all(column.encode() in head for column in columns)
            for table, columns in self.tables
        )

    def fits(self, tables: dict[str, tuple[str, ...]]) -> bool:
        """Whether an opened database has the tables and columns."""
        have = {name.lower(): {c.lower() for c in columns} for name, columns in tables.items()}
        return all(t.lower() in have and have[t.lower()].issuperset(map(str.lower, c)) for t, c in self.tables)


def schema_in(head: bytes) -> list[tuple[str, str]] | None:
    """Name and SQL of every table, where page 1 is a leaf that lies wholly in `head`; None where it does not."""
    page = int.from_bytes(head[16:18], "big")
    page = 65536 if page == 1 else page
    if page < 512 or page > len(head) or head[100] != 13:
        return None
    found: list[tuple[str, str]] = []
    for i in range(min(int.from_bytes(head[103:105], "big"), page // 4)):
        at = int.from_bytes(head[108 + 2 * i : 110 + 2 * i], "big")
        size, at = varint(head, at)
        _, at = varint(head, at)
        if at + size > page:
            return None  # spills to an overflow page
        header, cursor = varint(head, at)
        end, kinds = at + header, list[int]()
        while cursor < end and len(kinds) < 5:
            kind, cursor = varint(head, cursor)
            kinds.append(kind)
        if len(kinds) < 5:
            return None
        values, cursor = [], end
        for kind in kinds:
            length = (kind - 12) // 2 if kind >= 12 else (0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0)[kind]
            values.append(head[cursor : cursor + length])
            cursor += length
        if values[0] == b"table":
            found.append((shown(values[1]), shown(values[4])))
    return found


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length integer of the file format and the place behind it; what passes the end reads as zeros."""
    if at < len(data) and data[at] < 0x80:  # most are of one byte
        return data[at], at + 1
    value = 0
    for i in range(9):
        byte = data[at + i] if at + i < len(data) else 0
        if i == 8:
            return (value << 8) | byte, at + 9
        value = (value << 7) | (byte & 0x7F)
        if not byte & 0x80:
            return value, at + i + 1
    return value, at + 9
