"""ISO 9660 level 1 images with Joliet names.

Sources: ECMA-119 (ISO 9660); "Joliet Specification" (Microsoft, 1995). Times carry their offset in quarters of an hour.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from datetime import datetime

SECTOR = 2048
SYSTEM_AREA = 16
CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"


@dataclass(slots=True)
class _Node:
    """A file or folder with its names and places in both trees."""

    name: str
    modified: datetime  # local
    content: bytes | None = None  # None: a folder
    children: dict[str, _Node] = field(default_factory=dict)
    plain: bytes = b""
    place: dict[bool, int] = field(default_factory=dict)  # by tree: joliet or not
    size: dict[bool, int] = field(default_factory=dict)
    number: int = 1

    def identifier(self, joliet: bool) -> bytes:
        return self.name.encode("utf-16-be") if joliet else self.plain


def _both(value: int, width: str = "I") -> bytes:
    return struct.pack(f"<{width}", value) + struct.pack(f">{width}", value)


def _plain_name(name: str, folder: bool, taken: set[bytes]) -> bytes:
    stem, _, extension = name.upper().rpartition(".") if "." in name and not folder else (name.upper(), "", "")
    clean = "".join(c if c in CHARACTERS else "_" for c in stem)
    tail = "".join(c if c in CHARACTERS else "_" for c in extension)[:3]
    for number in range(1000):
        mark = f"{number:03d}" if number else ""
        short = clean[: 8 - len(mark)] + mark
        raw = (short if folder else f"{short}.{tail};1").encode()
        if raw not in taken:
            return raw
    raise ValueError(f"no level 1 name left for {name!r}")


class IsoImage:
    """A data disc filled in memory; `zone_minutes` is the recording program's offset from UTC."""

    def __init__(
        self, label: str, recorded_local: datetime, zone_minutes: int = 0, application: str = "", publisher: str = ""
    ) -> None:
        self.label, self.recorded, self.quarters = label, recorded_local, zone_minutes // 15
        self.application, self.publisher = application, publisher
        self.root = _Node("", recorded_local)

    def add(self, path: str, content: bytes, modified_local: datetime) -> None:
        """Add a file (`/` between parts)."""
        *parts, name = path.split("/")
        here = self.root
        for part in parts:
            here = here.children.setdefault(part, _Node(part, self.recorded))
        here.children[name] = _Node(name, modified_local, content)

    def _folders(self) -> list[_Node]:
        """Folders breadth first, names in order: the order of the path table."""
        found: list[_Node] = []
        queue = [self.root]
        while queue:
            node = queue.pop(0)
            node.number = len(found) + 1
            found.append(node)
            queue += [child for _, child in sorted(node.children.items()) if child.content is None]
        return found

    def _stamp(self, moment: datetime) -> bytes:
        return struct.pack(
            "<6Bb",
            moment.year - 1900,
            moment.month,
            moment.day,
            moment.hour,
            moment.minute,
            moment.second,
            self.quarters,
        )

    def _record(self, node: _Node, identifier: bytes, joliet: bool) -> bytes:
        size = 33 + len(identifier) + (1 - len(identifier) % 2)
        body = _both(node.place[joliet]) + _both(node.size[joliet]) + self._stamp(node.modified)
        body += struct.pack("<BBB", 2 if node.content is None else 0, 0, 0) + _both(1, "H") + bytes([len(identifier)])
        return (bytes([size, 0]) + body + identifier).ljust(size, b"\0")

    def _listing(self, node: _Node, parent: _Node, joliet: bool) -> bytes:
        records = [self._record(node, b"\0", joliet), self._record(parent, b"\1", joliet)]
        records += [
            self._record(child, child.identifier(joliet), joliet)
            for child in sorted(node.children.values(), key=lambda child: child.identifier(joliet))
        ]
        out = b""
        for record in records:
            if len(out) % SECTOR + len(record) > SECTOR:  # a record never crosses a sector
                out += bytes(-len(out) % SECTOR)
            out += record
        return out + bytes(-len(out) % SECTOR)

    @staticmethod
    def _path_table(folders: list[tuple[_Node, _Node]], joliet: bool, order: str) -> bytes:
        out = b""
        for node, parent in folders:
            name = node.identifier(joliet) or b"\0"
            out += (
                struct.pack(f"{order}BBIH", len(name), 0, node.place[joliet], parent.number)
                + name
                + bytes(len(name) % 2)
            )
        return out

    def _descriptor(self, joliet: bool, total: int, table_size: int, tables: tuple[int, int]) -> bytes:
        def text(value: str, width: int) -> bytes:
            if joliet:
                return value[: width // 2].ljust(width // 2).encode("utf-16-be").ljust(width, b"\0")
            return value.upper().encode("ascii", "replace")[:width].ljust(width)

        stamp = f"{self.recorded:%Y%m%d%H%M%S}00".encode() + struct.pack("b", self.quarters)
        never = b"0" * 16 + b"\0"
        out = struct.pack("<B5sBB", 2 if joliet else 1, b"CD001", 1, 0) + text("", 32) + text(self.label, 32) + bytes(8)
        out += _both(total) + (b"%/E" if joliet else b"").ljust(32, b"\0") + _both(1, "H") * 2 + _both(SECTOR, "H")
        out += _both(table_size) + struct.pack("<II", tables[0], 0) + struct.pack(">II", tables[1], 0)
        out += self._record(self.root, b"\0", joliet)
        out += (
            text("", 128) + text(self.publisher, 128) + text("", 128) + text(self.application, 128) + text("", 37) * 3
        )
        return (out + stamp + stamp + never + never + b"\1").ljust(SECTOR, b"\0")

    def to_bytes(self) -> bytes:
        """The image."""
        folders = self._folders()
        parents = {id(child): node for node in folders for child in node.children.values()}
        for node in folders:
            taken: set[bytes] = set()
            for _, child in sorted(node.children.items()):
                child.plain = _plain_name(child.name, child.content is None, taken)
                taken.add(child.plain)
        pairs = [(node, parents.get(id(node), node)) for node in folders]
        at = SYSTEM_AREA + 3
        table_places: dict[bool, tuple[int, int, int]] = {}
        for joliet in (False, True):
            size = sum(8 + len(n := node.identifier(joliet) or b"\0") + len(n) % 2 for node in folders)
            sectors = -(-size // SECTOR)
            table_places[joliet] = (at, at + sectors, size)
            at += 2 * sectors
        for node in folders:  # sizes first: a listing's length does not depend on places
            for joliet in (False, True):
                for entry in (node, *node.children.values()):
                    entry.place.setdefault(joliet, 0)
                    entry.size.setdefault(joliet, len(entry.content or b""))
        for joliet in (False, True):
            for node, parent in pairs:
                node.size[joliet] = len(self._listing(node, parent, joliet))
                node.place[joliet], at = at, at + node.size[joliet] // SECTOR
        files = [child for node in folders for _, child in sorted(node.children.items()) if child.content is not None]
        for file in files:
            content = file.content or b""
            for joliet in (False, True):
                file.place[joliet] = at if content else 0
            at += -(-len(content) // SECTOR)
        out = bytearray(SYSTEM_AREA * SECTOR)
        for joliet in (False, True):
            little, big, size = table_places[joliet]
            out += self._descriptor(joliet, at, size, (little, big))
        out += b"\xffCD001\x01".ljust(SECTOR, b"\0")
        for joliet in (False, True):
            for order in "<>":
                table = self._path_table(pairs, joliet, order)
                out += table + bytes(-len(table) % SECTOR)
        for joliet in (False, True):
            for node, parent in pairs:
                out += self._listing(node, parent, joliet)
        for file in files:
            content = file.content or b""
            out += content + bytes(-len(content) % SECTOR)
        return bytes(out)
