"""Windows shell links with link information, item ids, strings and a tracker block.

Source: MS-SHLLINK 8.0; item ids after libyal libfwsi "Windows Shell Item format" (extension block 0xbeef0004).
"""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass
from datetime import datetime

from wigmore.generator.clocks import fat, filetime

CLASS_ID = uuid.UUID("00021401-0000-0000-c000-000000000046").bytes_le
MY_COMPUTER = uuid.UUID("20d04fe0-3aea-1069-a2d8-08002b30309d").bytes_le
REMOVABLE, FIXED = 2, 3
HAS_IDS, HAS_INFO, HAS_RELATIVE, HAS_FOLDER, UNICODE = 0x01, 0x02, 0x08, 0x10, 0x80
FOLDER, ARCHIVE = 0x10, 0x20


@dataclass(frozen=True, slots=True)
class Target:
    """What a link points to: full path with its drive letter, size, times (UTC) and the volume it lay on."""

    path: str
    size: int
    created: datetime
    modified: datetime
    accessed: datetime
    drive_type: int
    drive_serial: int
    volume_label: str
    machine: str = ""
    is_folder: bool = False


def _item(content: bytes) -> bytes:
    return struct.pack("<H", len(content) + 2) + content


def short_name(name: str) -> str:
    """An 8.3 name as Windows makes the first of its kind: `LONGNA~1.EXT`; names that fit are only upper-cased."""
    stem, _, extension = name.upper().rpartition(".") if "." in name else (name.upper(), "", "")
    keep = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-!#$%&'()@^`{}~"
    clean = "".join(c for c in stem if c in keep)
    extension = "".join(c for c in extension if c in keep)
    if clean == stem and len(stem) <= 8 and len(extension) <= 3:
        return name.upper()
    return f"{clean[:6]}~1" + (f".{extension[:3]}" if extension else "")


def _entry(name: str, target: Target, is_folder: bool) -> bytes:
    """A file-entry item id: FAT times (UTC), short name, and the extension block with the long name."""
    modified = fat(target.modified)
    short = short_name(name).encode("ascii") + b"\0"
    short += b"\0" if len(short) % 2 else b""
    head = struct.pack(
        "<BBIHHH",
        0x31 if is_folder else 0x32,
        0,
        0 if is_folder else target.size & 0xFFFFFFFF,
        modified[0],
        modified[1],
        FOLDER if is_folder else ARCHIVE,
    )
    created, accessed = fat(target.created), fat(target.accessed)
    # version 3 of the extension block: times, identifier 0x14, then the long name and its own place in the item
    long_name = name.encode("utf-16-le") + b"\0\0"
    size = 8 + 8 + 2 + 2 + len(long_name) + 2
    block = struct.pack("<HHIHHHHHH", size, 3, 0xBEEF0004, *created[:2], *accessed[:2], 0x14, 0)
    block += long_name + struct.pack("<H", 2 + len(head) + len(short))
    return _item(head + short + block)


def _item_list(target: Target) -> bytes:
    drive, *parts = target.path.split("\\")
    items = _item(b"\x1f\x50" + MY_COMPUTER) + _item((b"\x2f" + drive.encode("ascii") + b"\\").ljust(23, b"\0"))
    for number, part in enumerate(parts, 1):
        items += _entry(part, target, number < len(parts) or target.is_folder)
    items += b"\0\0"
    return struct.pack("<H", len(items)) + items


def _link_info(target: Target) -> bytes:
    label = target.volume_label.encode("ascii") + b"\0"
    volume = struct.pack("<IIII", 16 + len(label), target.drive_type, target.drive_serial, 16) + label
    path = target.path.encode("cp1252", "replace") + b"\0"
    header = 0x1C
    path_at = header + len(volume)
    suffix_at = path_at + len(path)
    total = suffix_at + 1
    return struct.pack("<IIIIIII", total, header, 1, header, path_at, 0, suffix_at) + volume + path + b"\0"


def _string(text: str) -> bytes:
    return struct.pack("<H", len(text)) + text.encode("utf-16-le")


def _tracker(target: Target, droid: tuple[uuid.UUID, uuid.UUID]) -> bytes:
    pair = droid[0].bytes_le + droid[1].bytes_le
    return (
        struct.pack("<IIII", 0x60, 0xA0000003, 0x58, 0)
        + target.machine.lower().encode("ascii").ljust(16, b"\0")
        + pair
        + pair
    )


def lnk(target: Target, droid: tuple[uuid.UUID, uuid.UUID] | None = None, relative: str = "") -> bytes:
    """A shell link as the shell writes it to Recent; `droid` is (volume, object) of the link tracker."""
    flags = HAS_IDS | HAS_INFO | UNICODE | HAS_FOLDER | (HAS_RELATIVE if relative else 0)
    attributes = FOLDER if target.is_folder else ARCHIVE
    header = struct.pack(
        "<I16sIIQQQIiIHHII",
        0x4C,
        CLASS_ID,
        flags,
        attributes,
        filetime(target.created),
        filetime(target.accessed),
        filetime(target.modified),
        target.size & 0xFFFFFFFF,
        0,
        1,
        0,
        0,
        0,
        0,
    )
    strings = (_string(relative) if relative else b"") + _string(target.path.rpartition("\\")[0] or target.path)
    extra = _tracker(target, droid) if droid and target.machine else b""
    return header + _item_list(target) + _link_info(target) + strings + extra + bytes(4)
