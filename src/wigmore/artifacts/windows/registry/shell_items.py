"""Shell items (ITEMIDLIST): names, kinds, sizes and DOS times of the folders and files that shell lists hold.

Source: J. Metz, libfwsi, "Windows Shell Item format". DOS times are local or UTC by version and two seconds coarse:
they stay without a zone. Kinds we do not know keep their class type and bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from wigmore.artifacts.windows.registry.folders import FOLDERS
from wigmore.artifacts.windows.registry.values import guid, until_nul
from wigmore.model.canonical import clean
from wigmore.model.times import Time, fat

LIMIT = 256  # items of one list


@dataclass(frozen=True)
class Item:
    """One item: the name shown, its kind, and what its extension holds."""

    name: str
    kind: str
    size: int | None = None
    short_name: str | None = None
    entry: int | None = None
    sequence: int | None = None
    times: dict[str, Time] = field(default_factory=dict)


def items(raw: bytes) -> Iterator[Item]:
    """The items of a list up to its end mark."""
    at = 0
    for _ in range(LIMIT):
        if at + 2 > len(raw):
            return
        (size,) = struct.unpack_from("<H", raw, at)
        if size < 3:
            return
        yield item(raw[at : at + size])
        at += size


def path_of(raw: bytes) -> str:
    """The path that a list of items spells."""
    return join(found.name for found in items(raw))


def join(names: Iterator[str]) -> str:
    """Names to a path: drives keep their own separator."""
    path = ""
    for name in names:
        if name.startswith("\\\\"):
            path = name  # a network location spells its whole path
            continue
        separator = "\\" if path and not path.endswith("\\") else ""
        path = path + separator + name
    return path


def _ansi(raw: bytes, at: int) -> tuple[str, int]:
    end = raw.find(b"\0", at)
    end = len(raw) if end < 0 else end
    return raw[at:end].decode("cp1252", "replace"), end + 1


def item(raw: bytes) -> Item:
    """One item from its bytes, size field included."""
    if len(raw) < 3:
        return Item("", "empty")
    kind = raw[2]
    if kind == 0x1F and len(raw) >= 20:
        found = guid(raw, 4)
        return Item(FOLDERS.get(found[1:-1].upper(), found), "root folder")
    if kind & 0x70 == 0x20 and len(raw) > 3:
        name, _ = _ansi(raw, 3)
        if kind == 0x2E and len(raw) >= 20:
            found = guid(raw, 4)
            return Item(FOLDERS.get(found[1:-1].upper(), found), "root folder")
        return Item(clean(name), "volume")
    if kind & 0x70 == 0x30 and len(raw) >= 14:
        return _entry(raw, kind)
    if kind & 0x70 == 0x40 and len(raw) > 5:
        name, _ = _ansi(raw, 5)
        return Item(clean(name), "network location")
    if kind == 0x71 and len(raw) >= 30:
        found = guid(raw, 14)
        return Item(FOLDERS.get(found[1:-1].upper(), found), "control panel item")
    if kind == 0x61 and len(raw) > 8:
        text, _ = _ansi(raw, 8) if not raw[3] & 0x80 else (until_nul(raw, 8), 0)
        return Item(clean(text), "URI")
    return _other(raw, kind)


STORAGE = bytes.fromhex("30f125b7ef471a10a5f102608c9eebac")  # FMTID_Storage, in the order of its bytes
DISPLAY = 10  # System.ItemNameDisplay


def _other(raw: bytes, kind: int) -> Item:
    """Items of other classes, by what they hold: wrapped entry, known folder, display name, extension block."""
    label = f"class {kind:#04x}"
    if kind == 0x74 and raw[6:10] == b"CFSF" and len(raw) >= 24:
        return _entry(raw[10:], raw[12])
    if raw[6:10] == b"\xee\xbb\xfe\x23" and len(raw) >= 30:
        found = guid(raw, 14)
        return Item(FOLDERS.get(found[1:-1].upper(), found), "known folder")
    name = _display_name(raw)
    if name:  # an extension block inside belongs to a nested item, not to this one
        return Item(name, label)
    extension = _extension(raw)
    if extension is not None and extension.name:
        return Item(extension.name, label, None, None, extension.entry, extension.sequence, extension.times)
    return Item(f"({label}, {len(raw)} bytes)", label)


def _display_name(raw: bytes) -> str:
    """The display name in a serialised property store (MS-PROPSTORE 2.2), "" where there is none."""
    at = raw.find(STORAGE)
    end, at = len(raw), at + 16
    for _ in range(64 if at >= 16 else 0):
        if at + 17 > end:
            return ""
        size, number, _, kind, length = struct.unpack_from("<2IBII", raw, at)
        if size < 17:
            return ""
        if number == DISPLAY and kind == 0x1F:
            return until_nul(raw[: at + 17 + 2 * length], at + 17)
        at += size
    return ""


def _entry(raw: bytes, kind: int) -> Item:
    size, date, clock = struct.unpack_from("<IHH", raw, 4)
    if kind & 4:
        short, end = until_nul(raw, 14), 0
    else:
        short, end = _ansi(raw, 14)
    times = {"modified": time} if (time := fat(date, clock)) else {}
    extension = _extension(raw, end)
    name, entry, sequence = clean(short), None, None
    if extension is not None:
        name = extension.name or name
        entry, sequence = extension.entry, extension.sequence
        times |= extension.times
    label = "folder" if kind & 1 else "file"
    bytes_ = size if label == "file" else None
    return Item(name, label, bytes_, short if short != name else None, entry, sequence, times)


def _extension(raw: bytes, after: int = 0) -> Item | None:
    """The 0xBEEF0004 extension block: created and accessed times, long name, MFT reference (Vista and later)."""
    mark = raw.find(b"\x04\x00\xef\xbe", max(after - 4, 0))
    at = mark - 4
    if at < 0 or at + 20 > len(raw):
        return None
    size, version = struct.unpack_from("<2H", raw, at)
    if size < 20 or at + size > len(raw):
        return None
    created = fat(*struct.unpack_from("<2H", raw, at + 8))
    accessed = fat(*struct.unpack_from("<2H", raw, at + 12))
    times = {name: time for name, time in (("created", created), ("accessed", accessed)) if time}
    entry = sequence = None
    name_at = at + 18
    if version >= 7:
        reference = int.from_bytes(raw[at + 20 : at + 28], "little")
        entry, sequence = (reference & 0xFFFFFFFFFFFF, reference >> 48) if reference else (None, None)
        name_at = at + 36
    name_at += 2 if version >= 3 else 0
    name_at += 4 if version >= 9 else 0
    name_at += 4 if version >= 8 else 0
    return Item(until_nul(raw[: at + size], name_at), "extension", None, None, entry, sequence, times)
