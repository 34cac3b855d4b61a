"""OLE compound files (MS-CFB) that tests make."""

from __future__ import annotations

import struct


def compound(streams: dict[str, bytes]) -> bytes:
    """An OLE compound file of 512-byte sectors; every stream is padded to 4,096 bytes, so that there is no mini stream."""
    fat: list[int] = []
    body = b""
    entries = []
    for name, content in streams.items():
        padded = content.ljust(max(4096, (len(content) + 511) & ~511), b"\0")
        entries.append((name, len(fat), len(padded)))
        count = len(padded) // 512
        fat += [len(fat) + n + 1 for n in range(count - 1)] + [0xFFFFFFFE]
        body += padded
    root = ("Root Entry", 0xFFFFFFFE, 0)
    folder = b""
    total = len(entries)
    for number, (name, start, size) in enumerate([root, *entries]):
        letters = name.encode("utf-16-le") + b"\0\0"
        right = number + 1 if 0 < number < total else 0xFFFFFFFF
        child = 1 if number == 0 and total else 0xFFFFFFFF
        kind = 5 if number == 0 else 2
        folder += letters.ljust(64, b"\0") + struct.pack("<HBBIII", len(letters), kind, 1, 0xFFFFFFFF, right, child)
        folder += b"\0" * 36 + struct.pack("<IQ", start, size)
    folder = folder.ljust((len(folder) + 511) & ~511, b"\0")
    first_folder = len(fat)
    count = len(folder) // 512
    fat += [len(fat) + n + 1 for n in range(count - 1)] + [0xFFFFFFFE]
    table_at = len(fat)
    fat.append(0xFFFFFFFD)
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<IIIIIIIII", 0, 1, first_folder, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    head += struct.pack("<I", table_at) + b"\xff" * (4 * 108)
    table = b"".join(struct.pack("<I", number) for number in fat).ljust(512, b"\xff")
    return head + body + folder + table
