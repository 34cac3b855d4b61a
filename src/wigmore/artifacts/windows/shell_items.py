"""Shell item lists (ID lists): the chain of folders and files the Windows shell uses instead of a path.

Sources: J. Metz, "Windows Shell Item format specification" (libfwsi); MS-SHLLINK 2.2 (the list itself). Item contents
are not documented by Microsoft; what is not known stays as type and hex.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from wigmore.artifacts.windows.structures import ansi, guid, utf16, wide_at
from wigmore.model.times import Time, fat, iso

ITEMS = 256  # deepest list read

FOLDERS = {
    "20d04fe0-3aea-1069-a2d8-08002b30309d": "This PC",
    "645ff040-5081-101b-9f08-00aa002f954e": "Recycle Bin",
    "208d2c60-3aea-1069-a2d7-08002b30309d": "My Network Places",
    "f02c1a0d-be21-4350-88b0-7367fc96ef3c": "Network",
    "21ec2020-3aea-1069-a2dd-08002b30309d": "Control Panel",
    "26ee0668-a00a-44d7-9371-beb064c98683": "Control Panel",
    "59031a47-3f72-44a7-89c5-5595fe6b30ee": "User Files",
    "031e4825-7b94-4dc3-b131-e946b44c8dd5": "Libraries",
    "871c5380-42a0-1069-a2ea-08002b30309d": "Internet Explorer",
    "679f85cb-0220-4080-b29b-5540cc05aab6": "Quick Access",
    "f874310e-b6b7-47dc-bc84-b9e6b38f5903": "Home",
    "450d8fba-ad25-11d0-98a8-0800361b1103": "My Documents",
    "b4bfcc3a-db2c-424c-b029-7fe99a87c641": "Desktop",
    "a8cdff1c-4878-43be-b5fd-f8091c1c60d0": "Documents",
    "d3162b92-9365-467a-956b-92703aca08af": "Documents",
    "fdd39ad0-238f-46af-adb4-6c85480369c7": "Documents",
    "374de290-123f-4565-9164-39c4925e467b": "Downloads",
    "088e3905-0323-4b02-9826-5d99428e115f": "Downloads",
    "1cf1260c-4dd0-4ebb-811f-33c572699fde": "Music",
    "3dfdf296-dbec-4fb4-81d1-6a3438bcf4de": "Music",
    "24ad3ad4-a569-4530-98e1-ab02f9417aa8": "Pictures",
    "3add1653-eb32-4cb0-bbd7-dfa0abb5acca": "Pictures",
    "a0953c92-50dc-43bf-be83-3742fed03c9c": "Videos",
    "f86fa3ab-70d2-4fc7-9c99-fcbf05467f3a": "Videos",
    "0db7e03f-fc29-4dc6-9020-ff41b59e513a": "3D Objects",
    "1ac14e77-02e7-4e5d-b744-2eb1ae5198b7": "System32",
    "d65231b0-b2f1-4857-a4ce-a8e7c6ea7d27": "SysWOW64",
    "6d809377-6af0-444b-8957-a3773f02200e": "Program Files",
    "7c5a40ef-a0fb-4bfc-874a-c0f2e0b9fa8e": "Program Files (x86)",
    "905e63b6-c1bf-494e-b29c-65b732d3d21a": "Program Files",
    "f38bf404-1d43-42f2-9305-67de0b28fc23": "Windows",
    "4234d49b-0245-4df3-b780-3893943456e1": "Applications",
    "1e87508d-89c2-42f0-8a7e-645a0f50ca58": "Applications",
    "5e6c858f-0e22-4760-9afe-ea3317b67173": "User Profile",
    "dfdf76a2-c82a-4d63-906a-5644ac457385": "Public",
    "62ab5d82-fdc1-4dc3-a9dd-070d1d495d97": "ProgramData",
    "3eb685db-65f9-4cf6-a03a-e3ef65729f3d": "AppData Roaming",
    "f1b32785-6fba-4fcf-9d55-7b8e7f157091": "AppData Local",
    "2227a280-3aea-1069-a2de-08002b30309d": "Printers",
    "d20ea4e1-3957-11d2-a40b-0c5020524153": "Administrative Tools",
    "7b81be6a-ce2b-4676-a29e-eb907a5126c5": "Programs and Features",
    "bb06c0e4-d293-4f75-8a90-cb05b6477eee": "System",
    "de61d971-5ebc-4f02-a3a9-6c82895e5c04": "Add Network Place",
    "9113a02d-00a3-46b9-bc5f-9c04daddd5d7": "Portable Devices",
}


@dataclass
class Item:
    """One element of a list: class byte, kind (root, volume, file, network, uri, control, unknown) and name."""

    type: int
    kind: str
    name: str
    fields: dict[str, Any] = field(default_factory=dict)
    times: dict[str, Time] = field(default_factory=dict)  # created, modified, accessed: FAT times, UTC


def fat_utc(date: int, clock: int) -> Time | None:
    """A FAT date and time of a shell item: the shell writes them in UTC (libfwsi documentation), to 2 s."""
    stored = fat(date, clock)
    moment = iso(stored["text"], zone="Z", source="the shell writes item times in UTC") if stored else None
    return {**moment, "raw": stored["raw"], "precision": 2.0} if stored and moment else None


def folder_name(identifier: str) -> str:
    """The usual English name of a shell or known folder, or its GUID in braces."""
    return FOLDERS.get(identifier, f"{{{identifier}}}")


def raw_items(data: bytes) -> Iterator[bytes]:
    """The items of a list, each with its size field; stops at the terminator, a cut or after ITEMS."""
    position = 0
    for _ in range(ITEMS):
        if position + 2 > len(data):
            return
        size = struct.unpack_from("<H", data, position)[0]
        if size < 3 or position + size > len(data):
            return
        yield data[position : position + size]
        position += size


def _extension(item: bytes, found: Item, first: int) -> None:
    """The BEEF0004 block of a file entry: long name, created and accessed, NTFS file reference."""
    at = item.find(b"\x04\x00\xef\xbe", first)
    if at < 4 or at + 14 > len(item):
        return
    start = at - 4
    version = struct.unpack_from("<H", item, start + 2)[0]
    for name, offset in (("created", 8), ("accessed", 12)):
        date, clock = struct.unpack_from("<HH", item.ljust(start + 16, b"\0"), start + offset)
        if moment := fat_utc(date, clock):
            found.times[name] = moment
    position = start + 18
    if version >= 7:
        if position + 10 <= len(item):
            reference = struct.unpack_from("<Q", item, position + 2)[0]
            if reference:
                found.fields["file_entry"] = reference & 0xFFFFFFFFFFFF
                found.fields["file_sequence"] = reference >> 48
        position += 18
    position += 2 if version >= 3 else 0  # size of the localised name
    position += 4 if version >= 9 else 0
    position += 4 if version >= 8 else 0
    if version >= 3 and position < len(item):
        name = wide_at(item, position)
        if name:
            found.fields["short_name"] = found.name
            found.name = name


def _file(item: bytes, base: int) -> Item:
    """A file or folder entry whose class byte stands at `base` + 2."""
    kind = item[base + 2]
    size, date, clock, attributes = struct.unpack_from("<IHHH", item.ljust(base + 14, b"\0"), base + 4)
    position = base + 14
    if kind & 0x04:
        name = wide_at(item, position)
        after = position + 2 * len(name) + 2
    else:
        name = ansi(item[position:])
        after = position + len(item[position:].split(b"\0", 1)[0]) + 1
    found = Item(kind, "file", name, {"size": size, "attributes": attributes})
    if moment := fat_utc(date, clock):
        found.times["modified"] = moment
    _extension(item, found, min(after, len(item)))
    return found


def read_item(item: bytes) -> Item:
    """One shell item (with its two size bytes); unknown kinds keep their first bytes as hex."""
    kind = item[2]
    if kind == 0x1F and len(item) >= 20:
        identifier = guid(item[4:20])
        return Item(kind, "root", folder_name(identifier), {"guid": identifier})
    if kind & 0x70 == 0x20:
        if kind & 0x01 and len(item) > 3:
            return Item(kind, "volume", ansi(item[3:26]))
        identifier = guid(item[4:20])
        return Item(kind, "volume", folder_name(identifier) if identifier else "", {"guid": identifier})
    if kind & 0x70 == 0x30 and len(item) > 14:
        return _file(item, 0)
    if kind & 0x70 == 0x40 and len(item) > 5:
        return Item(kind, "network", ansi(item[5:]))
    if kind == 0x61 and len(item) > 8:
        wide = item[3] & 0x80
        return Item(kind, "uri", utf16(item[8:]) if wide else ansi(item[8:]))
    if kind in (0x70, 0x71) and len(item) >= 30:
        identifier = guid(item[14:30])
        return Item(kind, "control", folder_name(identifier), {"guid": identifier})
    if kind == 0x74 and item[6:10] == b"CFSF" and len(item) > 24:
        return _file(item, 10)
    if kind == 0x00 and item[6:10] == b"\xee\xbb\xfe\x23" and len(item) >= 30:
        identifier = guid(item[14:30])
        return Item(kind, "root", folder_name(identifier), {"guid": identifier})
    found = Item(kind, "unknown", "", {"hex": item[2:66].hex()})
    _extension(item, found, 4)
    return found


def read_list(data: bytes) -> list[Item]:
    """The items of an ID list in order."""
    return [read_item(item) for item in raw_items(data)]


def path_of(items: list[Item]) -> str:
    r"""The items as one path, from the drive or server on where there is one, else from the root's name."""
    parts: list[str] = []
    for item in items:
        if (item.kind == "volume" and item.name[1:2] == ":") or (
            item.kind == "network" and item.name.startswith("\\\\")
        ):
            parts = [item.name.rstrip("\\")]
        elif item.name:
            parts.append(item.name)
        else:
            parts.append(f"<item of type {item.type:#04x}>")
    if len(parts) == 1 and parts[0].endswith(":"):
        return parts[0] + "\\"
    return "\\".join(parts)
