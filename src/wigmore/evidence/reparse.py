"""NTFS reparse points: links, mount points, and files compressed by the Windows overlay filter.

Format: Microsoft [MS-FSCC] 2.1.2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

from wigmore.model.canonical import clean

SYMBOLIC_LINK, MOUNT_POINT, WOF, DEDUPLICATED = 0xA000000C, 0xA0000003, 0x80000017, 0x80000013
LINUX_LINK, APPLICATION_LINK = 0xA000001D, 0x8000001B
MAX_LENGTH = 16 * 1024
_REPARSE = 192


@dataclass(frozen=True, slots=True)
class ReparsePoint:
    """Tag, what a link points to (None for other tags), and what the listing says of it."""

    tag: int
    target: str | None
    attributes: dict[str, Any] = field(default_factory=dict)


def read_reparse(file: Any) -> ReparsePoint | None:
    """The reparse point of a pytsk3 file; None where there is none or it cannot be read."""
    for attribute in file:
        if int(attribute.info.type) == _REPARSE:
            try:
                return decode(
                    bytes(
                        file.read_random(0, min(int(attribute.info.size), MAX_LENGTH), _REPARSE, int(attribute.info.id))
                    )
                )
            except (OSError, RuntimeError):  # the library turns errors of the medium into RuntimeError
                return ReparsePoint(0, None, {"reparse_point": "unreadable"})
    return None


def decode(raw: bytes) -> ReparsePoint | None:
    """A reparse buffer; None where it is too short."""
    if len(raw) < 8:
        return None
    tag, length = struct.unpack_from("<IH", raw)
    known = {"reparse_tag": f"{tag:#010x}"}
    if tag in (SYMBOLIC_LINK, MOUNT_POINT) and len(raw) >= 16:
        substitute_at, substitute_length, print_at, print_length = struct.unpack_from("<4H", raw, 8)
        start = 20 if tag == SYMBOLIC_LINK else 16
        at, size = (print_at, print_length) if print_length else (substitute_at, substitute_length)
        target = clean(raw[start + at : start + at + size].decode("utf-16-le", "surrogatepass"))
        return ReparsePoint(
            tag, target, known | {"link_kind": "symbolic link" if tag == SYMBOLIC_LINK else "mount point"}
        )
    if tag == LINUX_LINK and len(raw) > 12:
        return ReparsePoint(
            tag, raw[12 : 8 + length].decode("utf-8", "backslashreplace"), known | {"link_kind": "WSL link"}
        )
    if tag == WOF:
        return ReparsePoint(tag, None, known | {"compressed_by": "Windows overlay filter"})
    if tag == DEDUPLICATED:
        return ReparsePoint(tag, None, known | {"deduplicated": True})
    return ReparsePoint(tag, None, known)
