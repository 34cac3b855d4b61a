"""Spotlight stores of version 2, page by page, with the tables inside or in map files beside them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

BLOCK = 4096
KINDS = {  # number: (name, kind of value, shape)
    1: ("_kMDItemFileName", 0x0B, 0x00), 2: ("kMDItemLastUsedDate", 0x0C, 0x00), 3: ("kMDItemUsedDates", 0x0C, 0x02),
    4: ("kMDItemLogicalSize", 0x07, 0x00), 5: ("kMDItemContentType", 0x0F, 0x01), 6: ("kMDItemContentTypeTree", 0x0F, 0x02),
    7: ("kMDItemWhereFroms", 0x0B, 0x02), 8: ("kMDItemKind", 0x0F, 0x03), 9: ("kMDItemPixelSizes", 0x07, 0x02),
    10: ("score", 0x09, 0x00), 11: ("_kHidden", 0x00, 0x00), 12: ("uuid", 0x0E, 0x00), 13: ("odd", 0x05, 0x00),
}  # fmt: skip
TEXTS = {1: "public.jpeg", 2: "public.image", 3: "JPEG image\x16\x02en"}
LISTS = {1: (1, 2)}
LOCALIZED = {1: (3,)}
Value = tuple[int, bytes]


def var(number: int) -> bytes:
    """A number of variable size."""
    for more in range(5):
        if number < 1 << (7 - more + 8 * more):
            raw = number.to_bytes(more + 1, "big")
            return bytes([raw[0] | (0xFF << (8 - more) & 0xFF)]) + raw[1:]
    return b"\xff" + number.to_bytes(8, "big")


def sized(raw: bytes) -> bytes:
    return var(len(raw)) + raw


def record(identifier: int, parent: int, values: Sequence[Value], updated: int = 1_600_000_000_000_000) -> bytes:
    body = var(identifier) + b"\0" + var(identifier + 1000) + var(parent) + var(updated)
    last = 0
    for number, raw in sorted(values):
        body += var(number - last) + raw
        last = number
    return struct.pack("<I", len(body)) + body


def lz4_literals(raw: bytes) -> bytes:
    more, rest = divmod(len(raw) - 15, 255)
    return b"\xf0" + b"\xff" * more + bytes([rest]) + raw if len(raw) >= 15 else bytes([len(raw) << 4]) + raw


def lz4_pages(raw: bytes) -> bytes:
    """Two LZ4 blocks, the second an own copy of 20 bytes out of the first, then a stored block."""
    first, rest = raw[:40], raw[40:]
    out = b"bv41" + struct.pack("<II", len(first), len(lz4_literals(first))) + lz4_literals(first)
    return out + b"bv4-" + struct.pack("<I", len(rest)) + rest + b"bv4$"


def page(kind: int, content: bytes, plain: int = 0, size: int = 2 * BLOCK) -> bytes:
    head = struct.pack("<4s4I", b"2pbd", size, 20 + len(content), kind, plain)
    return (head + content).ljust(size, b"\0")


def numbers(rows: Sequence[int]) -> bytes:
    return sized(struct.pack(f"<{len(rows)}I", *rows))


def store(records: Sequence[bytes], compress: str = "", *, maps: bool = False) -> tuple[bytes, dict[str, bytes]]:
    """The store and the files beside it; `compress` is "", "zlib" or "lz4"."""
    plain = b"".join(records)
    kinds = b"".join(struct.pack("<IBB", n, v, s) + name.encode() + b"\0" for n, (name, v, s) in KINDS.items())
    texts = b"".join(struct.pack("<I", n) + text.encode() + b"\0" for n, text in TEXTS.items())
    lists = b"".join(struct.pack("<I", n) + numbers(rows) for n, rows in LISTS.items())
    localized = b"".join(struct.pack("<I", n) + numbers(rows) for n, rows in LOCALIZED.items())
    chain = bytes(12)
    packed = {"": plain, "zlib": zlib.compress(plain), "lz4": lz4_pages(plain)}[compress]
    kind = 0x09 | (0x1000 if compress == "lz4" else 0)
    pages = [
        page(kind, packed, 20 + len(plain) if compress else 0),
        page(0x11, chain + kinds), page(0x21, chain + texts), page(0x81, chain + lists), page(0x81, chain + localized),
    ]  # fmt: skip
    first = 2  # block of the first page: header, map, then pages of two blocks
    blocks = [first + 2 * number for number in range(5)]
    head = b"8tsd" + bytes(32) + struct.pack("<3I", BLOCK, BLOCK, BLOCK)
    head += struct.pack("<5I", blocks[1], blocks[2], 0, blocks[3], blocks[4])
    head = (head + bytes(256) + b"/Volumes/X".ljust(256, b"\0")).ljust(BLOCK, b"\0")
    table = struct.pack("<4s4I", b"2mbd", BLOCK, 1, 0, 0) + struct.pack("<QII", 7, blocks[0], BLOCK)
    beside: dict[str, bytes] = {}
    if maps:
        head = head[:48] + bytes(20) + head[68:]
        entries = {
            1: {n: bytes([v, s]) + name.encode() + b"\0" for n, (name, v, s) in KINDS.items()},
            2: {n: text.encode() + b"\0" for n, text in TEXTS.items()},
            4: {n: numbers(rows) for n, rows in LISTS.items()},
            5: {n: numbers(rows) for n, rows in LOCALIZED.items()},
        }
        for number, rows in entries.items():
            data, places = b"\0\0", []
            for index in range(max(rows) + 1):
                places.append(len(data) if index in rows else 1)
                data += sized(rows[index]) if index in rows else b""
            beside[f"dbStr-{number}.map.data"] = data
            beside[f"dbStr-{number}.map.offsets"] = struct.pack(f"<{len(places)}I", *places)
            beside[f"dbStr-{number}.map.header"] = (
                b"\0PataD\0\0".ljust(28, b"\0") + struct.pack("<I", len(places)) + bytes(24)
            )
    return head + table.ljust(BLOCK, b"\0") + b"".join(pages), beside
