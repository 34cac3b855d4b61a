"""Registry hives (regf 1.5): base block with checksum, hive bins, and nk, vk, lh, ri and sk cells.

Sources: libyal libregf documentation "Windows NT Registry File (REGF) format"; M. Suhanov, "Windows registry file
format specification". Values over 16,344 bytes would need big-data cells and are refused.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from wigmore.generator.clocks import filetime

REG_NONE, REG_SZ, REG_EXPAND_SZ, REG_BINARY, REG_DWORD, REG_MULTI_SZ, REG_QWORD = 0, 1, 2, 3, 4, 7, 11
PROPERTY_FILETIME = 0xFFFF0010  # a device property of type FILETIME (DEVPROP_TYPE_FILETIME)
NOWHERE = 0xFFFFFFFF
PAGE = 4096
LIST_LIMIT = 500  # entries of one lh list; more go below an ri list
VALUE_LIMIT = 16_344


def text(value: str) -> bytes:
    """A REG_SZ's bytes: UTF-16LE with its terminator."""
    return value.encode("utf-16-le") + b"\0\0"


@dataclass(slots=True)
class Key:
    """A registry key: its last-written time, values and subkeys, names in any case."""

    name: str
    written_at: datetime
    class_name: str = ""
    values: list[tuple[str, int, bytes]] = field(default_factory=list)
    subkeys: dict[str, Key] = field(default_factory=dict)

    def key(self, path: str, written_at: datetime | None = None, class_name: str = "") -> Key:
        """The subkey at a path, made where missing; `written_at` dates the last part (new parents: this key's time)."""
        here = self
        for part in path.split("\\"):
            if part.upper() not in here.subkeys:
                here.subkeys[part.upper()] = Key(part, written_at or here.written_at)
            here = here.subkeys[part.upper()]
        if written_at is not None:
            here.written_at = written_at
        here.class_name = class_name or here.class_name
        return here

    def set(self, name: str, value: str | int | bytes | list[str], kind: int | None = None) -> Key:
        """Add a value; its type follows from the Python type unless `kind` says otherwise. Returns the key."""
        if isinstance(value, str):
            kind, data = REG_SZ if kind is None else kind, text(value)
        elif isinstance(value, int):
            kind = REG_DWORD if kind is None else kind
            data = struct.pack("<Q" if kind in (REG_QWORD, PROPERTY_FILETIME) else "<I", value)
        elif isinstance(value, list):
            kind, data = REG_MULTI_SZ if kind is None else kind, b"".join(map(text, value)) + b"\0\0"
        else:
            kind, data = REG_BINARY if kind is None else kind, value
        if len(data) > VALUE_LIMIT:
            raise ValueError(f"{len(data)} bytes in value {name!r} would need a big-data cell")
        self.values.append((name, kind, data))
        return self


class _Cells:
    """Hive bins filled cell by cell; a cell never crosses a bin."""

    def __init__(self, written_at: datetime) -> None:
        self.data = bytearray()
        self.left = 0
        self.written = filetime(written_at)

    def add(self, content: bytes) -> int:
        """Store a cell's content; returns its offset from the first bin."""
        need = (len(content) + 4 + 7) & ~7
        if need > self.left:
            self.close()
            size = (need + 32 + PAGE - 1) // PAGE * PAGE
            stamp = self.written if not self.data else 0
            self.data += struct.pack("<4sIIQQI", b"hbin", len(self.data), size, 0, stamp, 0)
            self.left = size - 32
        offset = len(self.data)
        self.data += struct.pack("<i", -need) + content + bytes(need - 4 - len(content))
        self.left -= need
        return offset

    def close(self) -> None:
        """Make what is left of the last bin a free cell."""
        if self.left:
            self.data += struct.pack("<i", self.left) + bytes(self.left - 4)
            self.left = 0

    def patch(self, offset: int, position: int, value: int) -> None:
        """Overwrite 32 bits of a stored cell's content."""
        struct.pack_into("<I", self.data, offset + 4 + position, value)


def _name(value: str) -> tuple[bytes, bool]:
    try:
        return value.encode("latin-1"), True
    except UnicodeEncodeError:
        return value.encode("utf-16-le"), False


def _hash(name: str) -> int:
    value = 0
    for character in name.upper():
        value = (value * 37 + ord(character)) & 0xFFFFFFFF
    return value


def _sid(*parts: int) -> bytes:
    return struct.pack("<BB6s", 1, len(parts), b"\0\0\0\0\0\5") + struct.pack(f"<{len(parts)}I", *parts)


def _security() -> bytes:
    """A self-relative descriptor: of Administrators, full access for SYSTEM and Administrators (MS-DTYP 2.4.6)."""
    system, administrators = _sid(18), _sid(32, 544)
    entries = b"".join(struct.pack("<BBHI", 0, 2, 8 + len(sid), 0xF003F) + sid for sid in (system, administrators))
    acl = struct.pack("<BBHHH", 2, 0, 8 + len(entries), 2, 0) + entries
    owner = 20 + len(acl)
    group = owner + len(administrators)
    return struct.pack("<BBHIIII", 1, 0, 0x8004, owner, group, 0, 20) + acl + administrators + system


def _value_cell(cells: _Cells, name: str, kind: int, data: bytes) -> int:
    encoded, narrow = _name(name)
    if len(data) <= 4:
        size, where = len(data) | 0x80000000, int.from_bytes(data.ljust(4, b"\0"), "little")
    else:
        size, where = len(data), cells.add(data)
    return cells.add(struct.pack("<2sHIIIHH", b"vk", len(encoded), size, where, kind, narrow, 0) + encoded)


def _batches(keys: list[Key]) -> Iterator[list[Key]]:
    for start in range(0, len(keys), LIST_LIMIT):
        yield keys[start : start + LIST_LIMIT]


def _list_cell(cells: _Cells, keys: list[Key], places: dict[str, int]) -> int:
    lists = []
    for batch in _batches(keys):
        entries = b"".join(struct.pack("<II", places[key.name.upper()], _hash(key.name)) for key in batch)
        lists.append(cells.add(struct.pack("<2sH", b"lh", len(batch)) + entries))
    if len(lists) == 1:
        return lists[0]
    return cells.add(struct.pack("<2sH", b"ri", len(lists)) + struct.pack(f"<{len(lists)}I", *lists))


def _key_cell(cells: _Cells, key: Key, parent: int, security: int, root: bool = False) -> tuple[int, int]:
    """Write a key with all below it; returns its offset and the number of keys written."""
    encoded, narrow = _name(key.name)
    class_name = key.class_name.encode("utf-16-le")
    flags = (0x20 if narrow else 0) | (0x0C if root else 0)
    children = [key.subkeys[name] for name in sorted(key.subkeys)]
    longest_key = max((len(child.name) * 2 for child in children), default=0)
    longest_class = max((len(child.class_name) * 2 for child in children), default=0)
    longest_value = max((len(name) * 2 for name, _, _ in key.values), default=0)
    largest_value = max((len(data) for _, _, data in key.values), default=0)
    class_place = cells.add(class_name) if class_name else NOWHERE
    here = cells.add(
        struct.pack(
            "<2sHQIIIIIIIIIIIIIIIHH",
            b"nk",
            flags,
            filetime(key.written_at),
            0,
            parent,
            len(children),
            0,
            NOWHERE,
            NOWHERE,
            len(key.values),
            NOWHERE,
            security,
            class_place,
            longest_key,
            longest_class,
            longest_value,
            largest_value,
            0,
            len(encoded),
            len(class_name),
        )
        + encoded
    )
    if key.values:
        places = [_value_cell(cells, *value) for value in key.values]
        cells.patch(here, 40, cells.add(struct.pack(f"<{len(places)}I", *places)))
    count = 1
    if children:
        found = {}
        for child in children:
            found[child.name.upper()], below = _key_cell(cells, child, here, security)
            count += below
        cells.patch(here, 28, _list_cell(cells, children, found))
    return here, count


def hive(root: Key, file_name: str, sequence: int = 7) -> bytes:
    """The bytes of a clean hive: `file_name` is the tail of its path as the base block holds it.

    The base block's time is the root key's last-written time.
    """
    cells = _Cells(root.written_at)
    descriptor = _security()
    security = cells.add(struct.pack("<2sHIIII", b"sk", 0, 0, 0, 0, len(descriptor)) + descriptor)
    here, count = _key_cell(cells, root, 0, security, root=True)
    for position, value in ((4, security), (8, security), (12, count)):  # one descriptor, linked to itself
        cells.patch(security, position, value)
    cells.close()
    header = struct.pack(
        "<4sIIQIIIIIII", b"regf", sequence, sequence, filetime(root.written_at), 1, 5, 0, 1, here, len(cells.data), 1
    )
    base = bytearray(header + file_name[-31:].encode("utf-16-le").ljust(64, b"\0"))
    base += bytes(508 - len(base))
    checksum = 0
    for word in struct.unpack("<127I", base):
        checksum ^= word
    checksum = {0: 1, 0xFFFFFFFF: 0xFFFFFFFE}.get(checksum, checksum)
    return bytes(base) + struct.pack("<I", checksum) + bytes(PAGE - 512) + bytes(cells.data)
