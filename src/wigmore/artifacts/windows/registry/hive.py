"""Cells of a registry hive: keys, values, their data, and the walk through them that survives damage.

Format: M. Suhanov, "Windows registry file format specification" (github.com/msuhanov/regf); J. Metz, libregf
documentation. Offsets in keys and values are absolute in the file (of the cell's size field). The reader is ours and
not libregf's, because deleted cells, states of replayed cells, access lists and hives with a damaged root list need the
cells.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from mmap import mmap

from wigmore.artifacts.windows.registry.values import Decoded, decode
from wigmore.model.canonical import clean
from wigmore.model.times import Time, filetime

BASE = 4096  # bytes of the base block; cell offsets count from its end
DEPTH = 512  # levels Windows allows
SEGMENT = 16344  # data bytes of one segment of a big value
NONE = 0xFFFFFFFF
NK = struct.Struct("<2sHQ10I20xHH")
VK = struct.Struct("<2sHIIIH2x")
Buffer = bytes | bytearray | mmap


class DamagedCell(Exception):
    """A cell that cannot be read: absolute offset and what is wrong with it."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset, self.message = offset, message


class Value:
    """One value: `name` ("" is the default value), `type` number, data read when asked for."""

    __slots__ = ("_data", "hive", "name", "offset", "size", "type")

    def __init__(self, hive: Hive, offset: int, name: str, type_: int, size: int, data: int) -> None:
        self.hive, self.offset, self.name, self.type = hive, offset, name, type_
        self.size, self._data = size & 0x7FFFFFFF, data if not size & 0x80000000 else -1 - data

    def raw(self) -> bytes:
        """The data bytes; raises DamagedCell where they cannot be reached."""
        if self._data < 0:  # up to four bytes stand in the place of the offset
            return struct.pack("<I", -1 - self._data)[: self.size]
        if not self.size:
            return b""
        return self.hive.data_at(self._data, self.size)

    def decoded(self) -> Decoded:
        """Text, list, integer, or bytes, as the value's type says."""
        return decode(self.type, self.raw())

    @property
    def changed(self) -> bool:
        """Whether replaying the logs changed this value's cell or data."""
        return self.hive.differs(self.offset) or (self._data >= 0 and self.hive.differs(BASE + self._data))


class Key:
    """One key: `name`, full `path`, `written` (FILETIME), `offset` of its cell."""

    __slots__ = (
        "_subs", "_values", "access", "class_at", "class_size", "count_subs", "count_values", "flags", "hive", "name",
        "offset", "parent", "path", "security", "subs_at", "values_at", "written",
    )  # fmt: skip

    def __init__(self, hive: Hive, offset: int, start: int, end: int, path: str | None) -> None:
        if end - start < 76:
            raise DamagedCell(offset, "key cell is too short")
        (
            mark, self.flags, self.written, self.access, self.parent, self.count_subs, _, self.subs_at, _,
            self.count_values, self.values_at, self.security, self.class_at, length, self.class_size,
        ) = NK.unpack_from(hive.bytes, start)  # fmt: skip
        if mark != b"nk":
            raise DamagedCell(offset, f"no key node here but {mark!r}")
        if start + 76 + length > end:
            raise DamagedCell(offset, "key name is longer than its cell")
        raw = bytes(hive.bytes[start + 76 : start + 76 + length])
        self.name = raw.decode("latin-1") if self.flags & 0x20 else clean(raw.decode("utf-16-le", "surrogatepass"))
        self.hive, self.offset = hive, offset
        self.path = self.name if path is None else f"{path}\\{self.name}"
        self._values: dict[str, Value] | None = None
        self._subs: dict[str, int] | None = None

    def children(self) -> Iterator[Key]:
        """The sub keys, in the order of the list; damaged ones are noted in the hive and left out."""
        for offset in self.hive.listed(self.subs_at, self.count_subs):
            child = self.hive.key(offset, self.path)
            if child is not None:
                yield child

    def sub(self, path: str) -> Key | None:
        r"""The key below this one at a path of `\`-separated names, no case; None where there is none."""
        key: Key | None = self
        for name in path.split("\\"):
            if key is None:
                return None
            if key._subs is None:
                key._subs = {child.name.upper(): child.offset - BASE for child in key.children()}
            offset = key._subs.get(name.upper())
            key = None if offset is None else key.hive.key(offset, key.path)
        return key

    @property
    def values(self) -> dict[str, Value]:
        """Values by upper-case name, in stored order; of two with one name the first counts."""
        if self._values is None:
            self._values = {}
            for value in self.hive.values_of(self):
                self._values.setdefault(value.name.upper(), value)
        return self._values

    def get(self, name: str) -> Decoded:
        """The decoded data of a value, None where the value is missing or damaged."""
        value = self.values.get(name.upper())
        if value is None:
            return None
        try:
            return value.decoded()
        except DamagedCell as error:
            self.hive.note(error)
            return None

    def text(self, name: str) -> str | None:
        """A value as text, None where it is missing or no text."""
        found = self.get(name)
        if isinstance(found, list):
            return found[0] if len(found) == 1 else ", ".join(found) or None
        return found if isinstance(found, str) else None

    def number(self, name: str) -> int | None:
        """A value as an integer, None where it is missing or no number."""
        found = self.get(name)
        return found if isinstance(found, int) else None

    def raw(self, name: str) -> bytes:
        """A value's bytes, empty where it is missing or damaged."""
        value = self.values.get(name.upper())
        if value is None:
            return b""
        try:
            return value.raw()
        except DamagedCell as error:
            self.hive.note(error)
            return b""

    @property
    def class_name(self) -> str:
        """The class name, "" where there is none."""
        if self.class_at == NONE or not self.class_size:
            return ""
        try:
            return clean(self.hive.data_at(self.class_at, self.class_size).decode("utf-16-le", "surrogatepass"))
        except (DamagedCell, UnicodeDecodeError):
            return ""

    @property
    def time(self) -> Time | None:
        """When the key was last written: it belongs to the key, not to any of its values."""
        return filetime(self.written)

    @property
    def changed(self) -> bool:
        """Whether replaying the logs changed this key's cell."""
        return self.hive.differs(self.offset)


class Hive:
    """A hive in memory: who recognises it sets `kind` and `prefix`; `damage` collects what could not be read."""

    def __init__(self, content: Buffer, base: Buffer | None = None) -> None:
        self.bytes, self.base = content, base
        self.kind, self.prefix = "UNKNOWN", ""
        self.damage: dict[tuple[int, str], None] = {}
        self.minor, self.root_at = struct.unpack_from("<I8xI", content, 24)
        self.current_set: str | None = None
        self.reached: set[int] = set()  # offsets of the keys the last walk came to

    def note(self, error: DamagedCell) -> None:
        """Remember a damaged place; memory is bounded."""
        if len(self.damage) < 1000:
            self.damage[(error.offset, error.message)] = None

    def cell(self, offset: int) -> tuple[int, int]:
        """Start and end (absolute) of a cell's content; raises DamagedCell."""
        at = BASE + offset
        if offset >= NONE - 8 or at + 4 > len(self.bytes):
            raise DamagedCell(at, "cell lies past the end of the hive")
        (size,) = struct.unpack_from("<i", self.bytes, at)
        size = abs(size)
        if size < 8 or at + size > len(self.bytes):
            raise DamagedCell(at, f"cell has an impossible size of {size} bytes")
        return at + 4, at + size

    def key(self, offset: int, path: str | None) -> Key | None:
        """The key at a cell offset, below `path`; None (and a note) where it is damaged."""
        try:
            start, end = self.cell(offset)
            return Key(self, start - 4, start, end, path)
        except DamagedCell as error:
            self.note(error)
        except UnicodeDecodeError:
            self.note(DamagedCell(BASE + offset, "key name is not UTF-16"))
        return None

    @property
    def root(self) -> Key | None:
        """The root key, shown under the hive's prefix."""
        root = self.key(self.root_at, None)
        if root is not None and self.prefix:
            root.path = self.prefix
        return root

    def listed(self, offset: int, count: int) -> Iterator[int]:
        """Offsets of sub keys in a list (lf, lh, li) or list of lists (ri), each list once."""
        if not count or offset == NONE:
            return
        waiting, seen, found = [offset], {offset}, 0
        while waiting:
            try:
                start, end = self.cell(waiting.pop())
                mark, entries = struct.unpack_from("<2sH", self.bytes, start)
            except (DamagedCell, struct.error) as error:
                self.note(error if isinstance(error, DamagedCell) else DamagedCell(BASE + offset, "list is cut off"))
                continue
            step = 8 if mark in (b"lf", b"lh") else 4
            fits = (end - start - 4) // step
            if mark not in (b"lf", b"lh", b"li", b"ri") or entries > fits:
                self.note(DamagedCell(start - 4, f"damaged list of sub keys ({mark!r}, {entries} entries)"))
                entries = entries if entries <= fits else fits
                if mark not in (b"lf", b"lh", b"li", b"ri"):
                    continue
            inside = struct.unpack_from(f"<{entries * step // 4}I", self.bytes, start + 4)[:: step // 4]
            if mark == b"ri":
                fresh = [entry for entry in inside if entry not in seen]
                seen.update(fresh)
                waiting.extend(reversed(fresh))
            else:
                found += entries
                yield from inside
        if found != count:
            self.note(DamagedCell(BASE + offset, f"key announces {count} sub keys, its lists hold {found}"))

    def values_of(self, key: Key) -> Iterator[Value]:
        """The values of a key in stored order; damaged ones are noted and left out."""
        if not key.count_values or key.values_at == NONE:
            return
        try:
            start, end = self.cell(key.values_at)
        except DamagedCell as error:
            self.note(error)
            return
        count = min(key.count_values, (end - start) // 4)
        if count < key.count_values:
            self.note(DamagedCell(start - 4, f"key announces {key.count_values} values, its list has room for {count}"))
        for offset in struct.unpack_from(f"<{count}I", self.bytes, start):
            try:
                begin, stop = self.cell(offset)
                yield self.value(begin, stop)
            except DamagedCell as error:
                self.note(error)

    def value(self, start: int, end: int) -> Value:
        """The value whose cell content lies from `start` to `end`; raises DamagedCell."""
        if end - start < 20:
            raise DamagedCell(start - 4, "value cell is too short")
        mark, length, size, data, type_, flags = VK.unpack_from(self.bytes, start)
        if mark != b"vk" or start + 20 + length > end:
            raise DamagedCell(start - 4, "damaged value cell")
        raw = bytes(self.bytes[start + 20 : start + 20 + length])
        name = raw.decode("latin-1") if flags & 1 else clean(raw.decode("utf-16-le", "replace"))
        return Value(self, start - 4, name, type_, size, data)

    def data_at(self, offset: int, size: int) -> bytes:
        """`size` bytes of a data cell, or of the segments of a big-data cell; raises DamagedCell."""
        start, end = self.cell(offset)
        if size > SEGMENT and self.minor >= 4 and self.bytes[start : start + 2] == b"db" and end - start < size:
            return self._big(start, size)
        if size > end - start:
            raise DamagedCell(start - 4, f"data of {size} bytes in a cell of {end - start}")
        return bytes(self.bytes[start : start + size])

    def _big(self, at: int, size: int) -> bytes:
        count, offset = struct.unpack_from("<HI", self.bytes, at + 2)
        start, end = self.cell(offset)
        if count * 4 > end - start:
            raise DamagedCell(start - 4, "list of data segments is longer than its cell")
        parts, left = [], size
        for segment in struct.unpack_from(f"<{count}I", self.bytes, start):
            begin, stop = self.cell(segment)
            part = bytes(self.bytes[begin : min(stop, begin + SEGMENT, begin + left)])
            parts.append(part)
            left -= len(part)
            if left <= 0:
                break
        if left > 0:
            raise DamagedCell(at - 4, f"data segments hold {size - left} of {size} bytes")
        return b"".join(parts)

    def differs(self, at: int) -> bool:
        """Whether the cell at an absolute offset differs from the hive before its logs were replayed."""
        if self.base is None or at + 4 > len(self.bytes):
            return False
        size = abs(struct.unpack_from("<i", self.bytes, at)[0])
        return bool(self.base[at : at + size] != self.bytes[at : at + size])

    def walk(self, start: Key) -> Iterator[Key]:
        """Every key from `start` down, parents first, each cell once, at most 512 levels deep."""
        seen = self.reached = {start.offset}
        branches = [iter((start,))]
        while branches:
            key = next(branches[-1], None)
            if key is None:
                branches.pop()
                continue
            yield key
            if key.count_subs:
                if len(branches) > DEPTH:
                    self.note(DamagedCell(key.offset, f"deeper than {DEPTH} levels"))
                    continue
                branches.append(self._unseen(key, seen))

    def _unseen(self, key: Key, seen: set[int]) -> Iterator[Key]:
        for child in key.children():
            if child.offset in seen:
                self.note(DamagedCell(child.offset, "a key that is listed twice"))
                continue
            seen.add(child.offset)
            yield child
