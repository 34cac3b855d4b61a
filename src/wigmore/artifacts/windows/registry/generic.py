"""Every key and value of a hive as records, and what unallocated cells still hold of deleted ones.

The time of a record is the key's last-written time: it belongs to the key and dates none of its values by itself.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator

from wigmore.artifacts.windows.registry.hive import BASE, NONE, DamagedCell, Hive, Key, Value
from wigmore.artifacts.windows.registry.values import TYPES, Decoded, decode, filetime_at, type_name
from wigmore.model.protocols import Locator, Record
from wigmore.model.times import Time

BINARY_CAP = 4096
TEXT_CAP = 65536
LIST_CAP = 2000
DELETED_CAP = 200_000
ARTIFACT = "windows.registry"


class Count:
    """How many keys and values were read, and how a replay of the logs changed the tree (by path and name)."""

    def __init__(self, hive: Hive) -> None:
        self.keys = self.values = self.new_keys = self.removed_keys = 0
        self.new_values = self.removed_values = self.changed_values = 0
        self.before: dict[int, frozenset[int]] = {}  # hash of a key's path: hashes of its value names
        self.now: set[int] = set()
        self.former = former(hive)
        if self.former is not None:
            hive, root = self.former
            for key in hive.walk(root):
                self.before[hash(key.path.upper())] = frozenset(hash(name) for name in key.values)

    def note(self, key: Key) -> frozenset[int] | None:
        """Count a key; the value names it had before the replay, None where it is new."""
        self.keys += 1
        if self.former is None:
            return None
        known = hash(key.path.upper())
        self.now.add(known)
        self.new_keys += known not in self.before
        return self.before.get(known)


def former(hive: Hive) -> tuple[Hive, Key] | None:
    """The hive as it stood before its logs were replayed, None where nothing was replayed."""
    if hive.base is None:
        return None
    before = Hive(hive.base)
    before.kind, before.prefix = hive.kind, hive.prefix
    root = before.root
    return None if root is None else (before, root)


def value_data(type_: int, raw: bytes) -> dict[str, object]:
    """The fields of a value's data: type, size, decoded value; SHA-256 where the value had to be cut or is binary."""
    decoded: Decoded = decode(type_, raw)
    fields: dict[str, object] = {"value_type": type_name(type_), "size": len(raw)}
    if isinstance(decoded, bytes):
        fields["value"] = decoded[:BINARY_CAP].hex()
        if decoded:
            fields["sha256"] = hashlib.sha256(raw).hexdigest()
    elif (isinstance(decoded, str) and len(decoded) > TEXT_CAP) or (
        isinstance(decoded, list) and len(decoded) > LIST_CAP
    ):
        fields["value"] = decoded[: TEXT_CAP if isinstance(decoded, str) else LIST_CAP]
        fields["sha256"] = hashlib.sha256(raw).hexdigest()
        fields["cut"] = True
    else:
        fields["value"] = decoded
    return fields


def _record(
    hive: Hive, key: Key, value: Value | None, times: dict[str, Time], state: str, **more: object
) -> tuple[Locator, Record]:
    chosen = "key_last_written" if times else None
    if value is None:
        data = {"hive": hive.kind, "key": key.path, "value_name": None, "value_type": None, "value": None, **more}
        locator: Locator = {"kind": "key", "key": key.path, "value": None, "offset": key.offset}
        return locator, Record(data, times, chosen, state, artifact=ARTIFACT)
    data = {"hive": hive.kind, "key": key.path, "value_name": value.name, **more}
    try:
        raw = value.raw()
        data |= value_data(value.type, raw)
        if value.type == 0xFFFF0010:
            stored = filetime_at(raw)
            times = {**times, "value": stored} if stored else times
    except DamagedCell as error:
        hive.note(error)
        data |= {"value_type": type_name(value.type), "size": value.size, "value": None, "unreadable": error.message}
    locator = {"kind": "key", "key": key.path, "value": value.name, "offset": value.offset}
    return locator, Record(data, times, chosen, state, artifact=ARTIFACT)


def live(hive: Hive, root: Key, count: Count) -> Iterator[tuple[Locator, Record]]:
    """One record a value, one a key without values, in the order of the hive."""
    last: tuple[int, dict[str, Time]] = (0, {})
    for key in hive.walk(root):
        known = count.note(key)
        count.removed_values += len(known or ())  # less those met again below
        if key.written != last[0]:
            last = (key.written, {"key_last_written": key.time} if key.time else {})
        times, more, empty = last[1], {}, True
        if key.class_size and key.class_name:
            more = {"class_name": key.class_name}
        for value in hive.values_of(key):
            empty = False
            count.values += 1
            state = "live"
            if hive.base is not None:
                fresh = known is not None and hash(value.name.upper()) not in known
                count.new_values += fresh
                count.removed_values -= known is not None and not fresh
                if value.changed:
                    state = "log_replayed"
                    count.changed_values += known is not None and not fresh
            yield _record(hive, key, value, times, state, **more)
        if empty:
            yield _record(hive, key, None, times, "log_replayed" if key.changed else "live", **more)


def removed(count: Count) -> Iterator[tuple[Locator, Record]]:
    """Keys that stood in the hive file and are gone once its logs are replayed: an earlier state, `snapshot`."""
    if count.former is None:
        return
    hive, root = count.former
    for key in hive.walk(root):
        if hash(key.path.upper()) in count.now:
            continue
        count.removed_keys += 1
        times, empty = {"key_last_written": key.time} if key.time else {}, True
        for value in hive.values_of(key):
            empty = False
            yield _before(_record(hive, key, value, times, "snapshot"))
        if empty:
            yield _before(_record(hive, key, None, times, "snapshot"))


def _before(found: tuple[Locator, Record]) -> tuple[Locator, Record]:
    found[0]["stage"] = "before_replay"
    return found


def unlinked(hive: Hive, root: Key) -> Iterator[tuple[Locator, Record]]:
    """Keys and values that the tree does not lead to: deleted ones, in unallocated cells, half a key at times.

    In a damaged or cut hive also those in allocated cells whose list is gone (state `carved`). Paths are rebuilt
    through parents that may have been reused since: `path_certain` says whether all of them were keys in use.
    """
    claimed: set[int] = set()
    orphans: list[tuple[int, int]] = []
    found, lost = 0, bool(hive.damage) or BASE + int.from_bytes(hive.bytes[40:44], "little") > len(hive.bytes)
    for start, end, free in _cells(hive):
        if not free:
            if lost and hive.bytes[start : start + 2] == b"nk" and start - 4 not in hive.reached:
                yield from _unlinked_key(hive, root, start, end, claimed, "carved")
            continue
        block = bytes(hive.bytes[start:end])
        for mark in (b"nk", b"vk"):
            at = block.find(mark)
            while at >= 0:
                if (start + at) % 4 == 0:
                    if mark == b"vk":
                        orphans.append((start + at, end))
                    else:
                        for locator, record in _unlinked_key(hive, root, start + at, end, claimed, "unallocated"):
                            found += 1
                            yield locator, record
                if found + len(orphans) > DELETED_CAP:
                    hive.note(DamagedCell(start, f"more than {DELETED_CAP} deleted cells: the rest was not read"))
                    return
                at = block.find(mark, at + 2)
    for start, end in orphans:
        if start - 4 in claimed:
            continue
        try:
            value = hive.value(start, end)
            if value.type > len(TYPES) and value.type >> 16 != 0xFFFF:
                continue
            fields = value_data(value.type, value.raw())
        except (DamagedCell, struct.error):
            continue  # not a value: bytes of other data that happen to hold the mark
        data = {"hive": hive.kind, "key": None, "value_name": value.name, **fields}
        yield (
            {"kind": "key", "key": None, "value": value.name, "offset": start - 4},
            Record(data, state="unallocated", artifact=ARTIFACT),
        )


def _cells(hive: Hive) -> Iterator[tuple[int, int, bool]]:
    """Content of all cells, bin by bin: start, end, whether the cell is unallocated."""
    at = BASE
    while at + 32 <= len(hive.bytes):
        mark, _, size = struct.unpack_from("<4sII", hive.bytes, at)
        if mark != b"hbin" or size < 4096 or size % 4096:
            at += 4096
            continue
        stop, cell = min(at + size, len(hive.bytes)), at + 32
        while cell + 8 <= stop:
            (length,) = struct.unpack_from("<i", hive.bytes, cell)
            if abs(length) < 8 or cell + abs(length) > stop:
                break
            yield cell + 4, cell + abs(length), length > 0
            cell += abs(length)
        at += size


def _unlinked_key(
    hive: Hive, root: Key, start: int, end: int, claimed: set[int], state: str
) -> Iterator[tuple[Locator, Record]]:
    try:
        key = Key(hive, start - 4, start, end, None)
    except (DamagedCell, UnicodeDecodeError, struct.error):
        return
    if not key.name or key.count_values > 100_000 or key.time is None or not key.name.isprintable():
        return
    path, certain = _path(hive, root, key)
    key.path = path
    times = {"key_last_written": key.time}
    empty = True
    for value in _former_values(hive, key):
        empty = False
        claimed.add(value.offset)
        yield _record(hive, key, value, times, state, path_certain=certain)
    if empty:
        yield _record(hive, key, None, times, state, path_certain=certain)


def _former_values(hive: Hive, key: Key) -> Iterator[Value]:
    if not key.count_values or key.values_at == NONE:
        return
    try:
        start, end = hive.cell(key.values_at)
        count = min(key.count_values, (end - start) // 4)
        for offset in struct.unpack_from(f"<{count}I", hive.bytes, start):
            if offset < 1 << 31:
                begin, stop = hive.cell(offset)
                yield hive.value(begin, stop)
    except (DamagedCell, struct.error):
        return  # its list or a value was overwritten: what came before it stands


def _path(hive: Hive, root: Key, key: Key) -> tuple[str, bool]:
    names, seen, certain, at = [key.name], {key.offset}, True, key.parent
    for _ in range(64):
        if at + BASE == root.offset:
            return "\\".join((root.path, *reversed(names))), certain
        try:
            start, end = hive.cell(at)
            parent = Key(hive, start - 4, start, end, None)
        except (DamagedCell, UnicodeDecodeError, struct.error):
            break
        if parent.offset in seen:
            break
        seen.add(parent.offset)
        certain = certain and struct.unpack_from("<i", hive.bytes, start - 4)[0] < 0
        names.append(parent.name)
        at = parent.parent
    return "\\".join(("…", *reversed(names))), False
