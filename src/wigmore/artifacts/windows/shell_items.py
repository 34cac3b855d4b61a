"""Shell item lists (ITEMIDLIST): the chain of folders and files the Windows shell uses instead of a path.

They stand in links, jump lists and the registry. Sources: J. Metz, libfwsi, "Windows Shell Item format"; MS-SHLLINK 2.2
(the list itself); MS-PROPSTORE 2.2. Item contents are not documented by Microsoft; a class not known keeps its bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from wigmore.artifacts.windows.folders import folder_path
from wigmore.artifacts.windows.structures import ansi, guid, utf16, wide_at
from wigmore.model.times import Time, fat, iso

ITEMS = 256  # longest list read
STORAGE = bytes.fromhex("30f125b7ef471a10a5f102608c9eebac")  # FMTID_Storage, in the order of its bytes
DISPLAY = 10  # System.ItemNameDisplay


@dataclass(frozen=True)
class Item:
    """One item: its kind, the name shown, and for files and folders what their extension block holds."""

    kind: str  # root folder, known folder, volume, folder, file, network location, URI, control panel item, class 0x..
    name: str
    short_name: str = ""  # where it differs from the name
    entry: int | None = None  # NTFS file reference
    sequence: int | None = None
    times: dict[str, Time] = field(default_factory=dict)  # created, modified, accessed
    unread: str = ""  # first bytes of an item of a class not known, as hex

    @property
    def starts_a_path(self) -> bool:
        """Whether the name is a drive, a server or a folder with a path of its own: what stands above adds nothing."""
        return (
            (self.kind == "volume" and self.name[1:2] == ":")
            or (self.kind == "network location" and self.name.startswith("\\\\"))
            or (self.kind in ("root folder", "known folder") and self.name.startswith("%"))
        )


def fat_utc(date: int, clock: int) -> Time | None:
    """A FAT date and time of a shell item: the shell writes them in UTC (libfwsi documentation), to 2 s."""
    stored = fat(date, clock)
    moment = iso(stored["text"], zone="Z", source="the shell writes item times in UTC") if stored else None
    return {**moment, "raw": stored["raw"], "precision": 2.0} if stored and moment else None


def read_list(data: bytes) -> list[Item]:
    """The items of a list in order, up to the terminator, a cut or ITEMS."""
    return [read_item(item) for item in raw_items(data)]


def raw_items(data: bytes) -> Iterator[bytes]:
    """The bytes of each item, its size field included."""
    position = 0
    for _ in range(ITEMS):
        if position + 2 > len(data):
            return
        size = struct.unpack_from("<H", data, position)[0]
        if size < 3 or position + size > len(data):
            return
        yield data[position : position + size]
        position += size


def path_of(items: Iterable[Item]) -> str:
    """The items as one path, from the last drive, server or folder with a path of its own on."""
    parts: list[str] = []
    for item in items:
        if item.starts_a_path:
            parts = []
        parts.append(item.name)
    if len(parts) == 1:
        return parts[0]  # a drive alone keeps its separator
    return "\\".join([part.rstrip("\\") for part in parts[:1]] + parts[1:])


def read_item(item: bytes) -> Item:
    """One item from its bytes, size field included; one without a name is named by its class."""
    found = _read(item)
    return found if found.name else replace(found, name=f"<item of type {item[2]:#04x}>")


def _read(item: bytes) -> Item:
    kind = item[2]
    if kind == 0x1F and len(item) >= 20:
        return _folder("root folder", item, 4)
    if kind & 0x70 == 0x20:
        if kind & 0x01 or item[4:6] == b":\\":  # 0x2a has been seen with a drive though its flag says no name
            return Item("volume", ansi(item[3:23]))
        if len(item) >= 20:
            return _folder("root folder", item, 4)
    if kind & 0x70 == 0x30 and len(item) >= 14:
        return _entry(item)
    if kind & 0x70 == 0x40 and len(item) > 5:
        return Item("network location", ansi(item[5:]))
    if kind == 0x61 and len(item) > 8:
        data = int.from_bytes(item[4:6], "little")  # stands between this size and the address
        text = item[6 + data if data else 8 :]
        return Item("URI", utf16(text) if item[3] & 0x80 else ansi(text))
    if kind == 0x71 and len(item) >= 30:
        return _folder("control panel item", item, 14)
    if kind == 0x74 and item[6:10] == b"CFSF" and len(item) >= 24:
        return _entry(item[10:])
    if item[6:10] == b"\xee\xbb\xfe\x23" and len(item) >= 30:
        return _folder("known folder", item, 14)
    return _other(item)


def _folder(kind: str, item: bytes, at: int) -> Item:
    identifier = guid(item[at : at + 16])
    return Item(kind, folder_path(identifier) if identifier else "")


def _entry(item: bytes) -> Item:
    """A file or folder: size (not kept), time of change, attributes (not kept), names, extension block."""
    date, clock = struct.unpack_from("<HH", item, 8)
    if item[2] & 0x04:
        name, after = wide_at(item, 14), 14 + 2
        while after < len(item) and item[after - 2 : after] != b"\0\0":
            after += 2
    else:
        name, after = ansi(item[14:]), 14 + len(item[14:].split(b"\0", 1)[0]) + 1
    times = {"modified": moment} if (moment := fat_utc(date, clock)) else {}
    return _extended(Item("folder" if item[2] & 0x01 else "file", name, times=times), item, after)


def _other(item: bytes) -> Item:
    """An item of a class not known, named by its property store or its extension block where it has one."""
    found = Item(f"class {item[2]:#04x}", _display_name(item), unread=item[2:66].hex())
    # a block behind a property store belongs to a nested item, not to this one
    return found if found.name else _extended(found, item, 4)


def _display_name(item: bytes) -> str:
    """The display name in a serialised property store (MS-PROPSTORE 2.2), empty where there is none."""
    at = item.find(STORAGE)
    end, at = len(item), at + 16
    for _ in range(64 if at >= 16 else 0):
        if at + 17 > end:
            return ""
        size, number, _, kind, length = struct.unpack_from("<2IBII", item, at)
        if size < 17:
            return ""
        if number == DISPLAY and kind == 0x1F:
            return utf16(item[at + 17 : at + 17 + 2 * length])
        at += size
    return ""


def _extended(found: Item, item: bytes, after: int) -> Item:
    """The item with what its 0xBEEF0004 block adds: created and accessed, long name, file reference (from Vista on)."""
    start = item.find(b"\x04\x00\xef\xbe", after) - 4
    if start < 0 or start + 20 > len(item):
        return found
    size, version = struct.unpack_from("<2H", item, start)
    block = item[start : start + size]
    if not 20 <= size == len(block):
        return found
    stored = {"created": fat_utc(*struct.unpack_from("<2H", block, 8))}
    stored["accessed"] = fat_utc(*struct.unpack_from("<2H", block, 12))
    times = found.times | {name: moment for name, moment in stored.items() if moment}
    reference, position = 0, 18
    if version >= 7:
        reference, position = int.from_bytes(block[20:28], "little"), 36
    position += 2 if version >= 3 else 0  # size of the localised name
    position += 4 if version >= 9 else 0
    position += 4 if version >= 8 else 0
    name = (wide_at(block, position) if version >= 3 else "") or found.name
    entry, sequence = (reference & 0xFFFFFFFFFFFF, reference >> 48) if reference else (None, None)
    short = found.name if found.name != name else ""
    return replace(found, name=name, short_name=short, entry=entry, sequence=sequence, times=times)
