"""Plain LZ77 of Microsoft (Xpress), as hibernation files to Windows 7 hold memory pages.

Source: MS-XCA 2.4 (plain LZ77 decompression); blocks of hibernation files: volatility wiki, Hiber Address Space.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

MARKS = (b"\x81\x81xpress", b"\x81\x81XPRESS")
HEAD = 32
PAGE = 4096
MOST_PAGES = 16


class Broken(ValueError):
    """Compressed bytes that cannot be what they claim to be."""


def decompress(raw: bytes, limit: int) -> bytes:
    """The plain bytes, at most `limit`, up to where the input ends; raises Broken for copies from before the beginning.

    Flags come 32 at a time, the highest bit first: 0 a byte, 1 a copy (13 bits of distance, 3 of length, more where those
    are all ones: a half byte shared by two copies, a byte, two bytes, four bytes).
    """
    out = bytearray()
    at, size = 0, len(raw)
    flags = count = half = 0
    try:
        while len(out) < limit:
            if not count:
                flags, count, at = int.from_bytes(raw[at : at + 4], "little"), 32, at + 4
                if at > size:
                    break
                if not flags and at + 32 <= size and len(out) + 32 <= limit:  # nothing but bytes
                    out += raw[at : at + 32]
                    at, count = at + 32, 0
                    continue
            count -= 1
            if not flags >> count & 1:
                out.append(raw[at])
                at += 1
                continue
            if at == size:
                break
            word = raw[at] | raw[at + 1] << 8
            at += 2
            distance, length = (word >> 3) + 1, word & 7
            if length == 7:
                if half:
                    length, half = raw[half] >> 4, 0
                else:
                    length, half = raw[at] & 15, at
                    at += 1
                if length == 15:
                    length = raw[at]
                    at += 1
                    if length == 255:
                        length = raw[at] | raw[at + 1] << 8
                        at += 2
                        if not length:
                            length = int.from_bytes(raw[at : at + 4], "little")
                            at += 4
                        length -= 22
                        if length < 0:
                            raise Broken("a length is too small for its form")
                    length += 15
                length += 7
            length = min(length + 3, limit - len(out))
            begin = len(out) - distance
            if begin < 0:
                raise Broken("a copy from before the beginning")
            if distance >= length:
                out += out[begin : begin + length]
            else:  # the copy reads what it writes: a repeated pattern
                out += (bytes(out[begin:]) * (length // distance + 1))[:length]
    except IndexError:
        return bytes(out)  # the input ended within an item
    return bytes(out)


def blocks(window: bytes) -> Iterator[tuple[int, int, int]]:
    """Place of the mark, bytes of compressed content after the head, and pages within, of each block in a window.

    Head of 32 bytes: mark, then a word whose low 10 bits are pages less one and whose rest is the length less one.
    """
    at = 0
    while True:
        found = [place for mark in MARKS if (place := window.find(mark, at)) >= 0]
        if not found or min(found) + HEAD > len(window):
            return
        at = min(found)
        word = struct.unpack_from("<I", window, at + 8)[0]
        pages, length = min((word & 0x3FF) + 1, MOST_PAGES), (word >> 10) + 1
        if length <= MOST_PAGES * PAGE:
            yield at, length, pages
        at += HEAD
