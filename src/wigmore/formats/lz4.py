"""LZ4 blocks, as the systemd journal, Spotlight stores and AFF4 images hold them.

Source: lz4 project, "LZ4 Block Format Description" (doc/lz4_Block_format.md).
"""

from __future__ import annotations


class Broken(ValueError):
    """Bytes that are no LZ4 block of the stated size."""


def decompress(raw: bytes, size: int, before: bytes = b"") -> bytes:
    """The plain bytes of one block, `size` of them; raises Broken where the block gives more, fewer or impossible ones.

    `before` is the plain content that copies may reach back into (blocks that depend on one another).
    """
    out = bytearray(before)
    size += len(before)
    at, end = 0, len(raw)
    try:
        while at < end:
            token = raw[at]
            at += 1
            count = token >> 4
            if count == 15:
                count, at = _more(raw, at, count)
            if at + count > end or len(out) + count > size:
                raise Broken("literals reach beyond the block or its stated size")
            out += raw[at : at + count]
            at += count
            if at == end:
                break  # the last sequence has no copy
            distance = raw[at] | raw[at + 1] << 8
            at += 2
            count = token & 15
            if count == 15:
                count, at = _more(raw, at, count)
            count += 4
            start = len(out) - distance
            if not distance or start < 0 or len(out) + count > size:
                raise Broken("a copy reaches before the beginning or beyond the stated size")
            if distance >= count:
                out += out[start : start + count]
            else:  # a copy that overlaps itself repeats a pattern
                pattern = bytes(out[start:])
                out += (pattern * (count // distance + 1))[:count]
    except IndexError as error:
        raise Broken("the block ends inside a sequence") from error
    if len(out) != size:
        raise Broken(f"the block gives {len(out) - len(before)} bytes, {size - len(before)} are stated")
    return bytes(out[len(before) :])


def _more(raw: bytes, at: int, count: int) -> tuple[int, int]:
    """A length that goes on: bytes of 255 add up, another one ends it; (length, where the next byte stands)."""
    while True:
        byte = raw[at]
        at += 1
        count += byte
        if byte != 255:
            return count, at
