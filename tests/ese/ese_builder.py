"""A small ESE database made page by page from libyal's format description, for tests only: one page a table."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

PAGE = 4096
(BIT, BYTE, SHORT, LONG, CURRENCY, SINGLE, DOUBLE, DATE, BINARY, TEXT, LONG_BINARY, LONG_TEXT, _, ULONG, INT64, GUID,
 USHORT) = range(1, 18)  # fmt: skip
FORMS = {
    BIT: "<B", BYTE: "<B", SHORT: "<h", LONG: "<i", CURRENCY: "<q", SINGLE: "<f", DOUBLE: "<d", DATE: "8s", ULONG: "<I",
    INT64: "<q", GUID: "16s", USHORT: "<H",
}  # fmt: skip
CATALOG, COPY, FIRST = 4, 24, 32  # pages of the catalogue, its copy, and the first table
ROOT_LEAF = 0x2803  # root, leaf, primary, new record and checksum format


@dataclass
class Table:
    """A table: columns (name → type) and rows; long texts and binaries are tagged, others fixed."""

    name: str
    columns: dict[str, int]
    rows: list[dict[str, Any]] = field(default_factory=list)

    def numbered(self) -> list[tuple[int, str, int]]:
        fixed = [name for name, kind in self.columns.items() if kind in FORMS]
        tagged = [name for name, kind in self.columns.items() if kind not in FORMS]
        numbered = [*enumerate(fixed, 1), *enumerate(tagged, 256)]
        return [(number, name, self.columns[name]) for number, name in numbered]


def xored(data: bytes) -> int:
    out = 0
    for (word,) in struct.iter_unpack("<I", data):
        out ^= word
    return out


def record(
    columns: list[tuple[int, str, int]], values: dict[str, Any], variable: dict[int, bytes] | None = None
) -> bytes:
    """A record: fixed values with their null bits, variable ones (128…), tagged ones."""
    fixed = [(name, kind) for number, name, kind in columns if number < 128]
    body, nulls = b"", 0
    for index, (name, kind) in enumerate(fixed):
        value, size = values.get(name), struct.calcsize(FORMS[kind])
        if value is None:
            nulls |= 1 << index
            body += b"*" * size
        else:
            body += struct.pack(FORMS[kind], value)
    body += nulls.to_bytes((len(fixed) + 7) // 8, "little")
    offset = 4 + len(body)
    last, tail, data = 127, b"", b""
    for number, raw in sorted((variable or {}).items()):
        last, data = number, data + raw
        tail += struct.pack("<H", len(data))
    tagged = []
    for number, name, kind in columns:
        if number >= 256 and (value := values.get(name)) is not None:
            raw = value.encode("utf-16-le") + b"\0\0" if kind == LONG_TEXT else value
            tagged.append((number, b"\x01" + raw))
    array, content = b"", b""
    for number, raw in tagged:
        array += struct.pack("<HH", number, (4 * len(tagged) + len(content)) | 0x4000)
        content += raw
    return struct.pack("<BBH", len(fixed), last, offset) + body + tail + data + array + content


def page(number: int, owner: int, records: list[bytes], flags: int = ROOT_LEAF) -> bytes:
    """A page that is a table's root and its only leaf."""
    tags = [struct.pack("<IIII", 1, 1, 0, 0)]
    tags += [struct.pack("<H", 4) + struct.pack(">I", index) + raw for index, raw in enumerate(records, 1)]
    data, ends = b"", b""
    for raw in tags:
        ends = struct.pack("<HH", len(raw), len(data)) + ends
        data += raw
    room = PAGE - 40 - len(data) - len(ends)
    assert room >= 0, f"{len(records)} records do not fit a page"
    head = struct.pack("<QIIIHHHHI", 1, 0, 0, owner, room, 0, len(data), len(tags), flags)
    body = head + data + bytes(room) + ends
    return struct.pack("<II", xored(body) ^ number, 0) + body


SCHEMA = [
    (1, "ObjidTable", LONG), (2, "Type", SHORT), (3, "Id", LONG), (4, "ColtypOrPgnoFDP", LONG), (5, "SpaceUsage", LONG),
    (6, "Flags", LONG), (7, "PagesOrLocale", LONG),
]  # fmt: skip


def catalogue(tables: list[Table]) -> list[bytes]:
    out = []

    def entry(owner: int, kind: int, number: int, what: int, size: int, pages: int, name: str) -> None:
        numbers = (owner, kind, number, what, size, 0, pages)
        values = {column[1]: value for column, value in zip(SCHEMA, numbers, strict=True)}
        out.append(record(SCHEMA, values, {128: name.encode()}))

    for index, table in enumerate(tables):
        owner = 10 + index
        entry(owner, 1, owner, FIRST + index, 80, 1, table.name)
        for number, name, kind in table.numbered():
            size = struct.calcsize(FORMS[kind]) if kind in FORMS else 0
            entry(owner, 2, number, kind, size, 1200 if kind in (TEXT, LONG_TEXT) else 0, name)
    return out


def database(*tables: Table, state: int = 3) -> bytes:
    """The whole file."""
    head = bytearray(PAGE)
    struct.pack_into("<IIIQ", head, 4, 0x89ABCDEF, 0x620, 0, 1)
    moment = bytes([21, 22, 21, 10, 3, 122, 0xB5, 0x06])  # 2022-03-10 21:22:21, UTC
    head[28:36] = head[64:72] = moment
    struct.pack_into("<I", head, 52, state)
    struct.pack_into("<6I", head, 216, 10, 0, 19044, 0, 0x14, PAGE)
    struct.pack_into("<I", head, 0, xored(bytes(head[4:])) ^ 0x89ABCDEF)
    pages = {
        1: page(1, 1, []),
        CATALOG: page(CATALOG, 2, catalogue(list(tables))),
        COPY: page(COPY, 3, catalogue(list(tables))),
    }
    for index, table in enumerate(tables):
        rows = [record(table.numbered(), row) for row in table.rows]
        pages[FIRST + index] = page(FIRST + index, 10 + index, rows)
    last = max(pages) + 1
    return bytes(head) * 2 + b"".join(pages.get(number, bytes(PAGE)) for number in range(1, last + 1))
