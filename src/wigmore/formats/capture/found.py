"""What dissectors give: one observation at one packet, as plain data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Pieces = Callable[[], Iterator[bytes]]


class Found(NamedTuple):
    """An observation: its kind (the artifact is `network.` and it), where and when it stands, and what it says.

    `content` gives the bytes of a carried file anew.
    """

    kind: str
    number: int
    time: int
    offset: int
    data: dict[str, Any]
    content: Pieces | None = None


MARKS: tuple[tuple[bytes, str], ...] = (
    (b"MZ", "PE executable"), (b"\x7fELF", "ELF executable"), (b"\xcf\xfa\xed\xfe", "Mach-O executable"),
    (b"\xce\xfa\xed\xfe", "Mach-O executable"), (b"\xca\xfe\xba\xbe", "Java class"), (b"dex\n", "Android DEX"), (b"#!", "script"),
    (b"PK\3\4", "zip"), (b"Rar!", "RAR"), (b"7z\xbc\xaf", "7-Zip"), (b"\x1f\x8b", "gzip"), (b"%PDF", "PDF"), (b"MSCF", "cabinet"),
    (b"\xd0\xcf\x11\xe0", "OLE compound file"), (b"{\\rtf", "RTF"), (b"\x89PNG", "PNG"), (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"L\0\0\0\1\x14\2\0", "shell link"), (b"MDMP", "memory dump"), (b"regf", "registry hive"), (b"SQLite format 3", "SQLite 3"),
    (b"<?php", "PHP source"), (b"<!DOCTYPE html", "HTML"), (b"<html", "HTML"), (b"<?xml", "XML"),
)  # fmt: skip


def content_type(head: bytes) -> str:
    """What the first bytes of a carried file are, of a few kinds that matter in traffic; empty if none."""
    start = head.lstrip()[:16] if head[:1] in b"\r\n \t" else head[:16]
    for mark, name in MARKS:
        if start.startswith(mark) or (mark[:1] == b"<" and start.lower().startswith(mark.lower())):
            if name == "PE executable":
                at = int.from_bytes(head[60:64], "little")
                if len(head) >= at + 4 and head[at : at + 4] != b"PE\0\0":
                    return "MZ executable"
            return name
    return ""


def measured(pieces: Iterator[bytes]) -> tuple[int, str, bytes]:
    """Size, SHA-256 and first bytes of content in pieces."""
    digest, size, head = hashlib.sha256(), 0, b""
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
        if len(head) < 4096:
            head += piece[: 4096 - len(head)]
    return size, digest.hexdigest(), head


def text(raw: bytes, longest: int = 2000) -> str:
    r"""Bytes as text: UTF-8 where it is, else Latin-1; control characters as `\xNN`."""
    raw = raw[:longest]
    try:
        out = raw.decode("utf-8")
    except UnicodeDecodeError:
        out = raw.decode("latin-1")
    return "".join(c if c.isprintable() or c in "\t\n\r" else f"\\x{ord(c):02x}" for c in out)
