"""Snappy blocks (no framing), as AFF4 images hold them.

Source: google/snappy, format_description.txt.
"""

from __future__ import annotations


class Broken(ValueError):
    """Bytes that are no Snappy block."""


def decompress(raw: bytes, limit: int) -> bytes:
    """The plain bytes of one block; raises Broken where it states more than `limit`, or does not give what it states."""
    out = bytearray()
    try:
        size, at = _stated(raw)
        if size > limit:
            raise Broken(f"the block states {size} bytes, {limit} are allowed")
        end = len(raw)
        while at < end:
            tag = raw[at]
            at += 1
            if not tag & 3:  # literals: their number less one, in the tag or in the one to four bytes behind it
                count = tag >> 2
                if count >= 60:
                    more = count - 59
                    count = int.from_bytes(raw[at : at + more], "little")
                    at += more
                count += 1
                if at + count > end:
                    raise Broken("literals reach beyond the block")
                out += raw[at : at + count]
                at += count
            else:
                if tag & 3 == 1:
                    count, distance = (tag >> 2 & 7) + 4, (tag >> 5) << 8 | raw[at]
                    at += 1
                else:
                    width = 2 if tag & 3 == 2 else 4
                    count, distance = (tag >> 2) + 1, int.from_bytes(raw[at : at + width], "little")
                    at += width
                start = len(out) - distance
                if not distance or start < 0:
                    raise Broken("a copy reaches before the beginning")
                if distance >= count:
                    out += out[start : start + count]
                else:
                    out += (bytes(out[start:]) * (count // distance + 1))[:count]
            if len(out) > size:
                raise Broken("the block gives more than it states")
    except IndexError as error:
        raise Broken("the block ends inside an element") from error
    if len(out) != size:
        raise Broken(f"the block gives {len(out)} bytes and states {size}")
    return bytes(out)


def _stated(raw: bytes) -> tuple[int, int]:
    """The size that stands in front, seven bits a byte, and where the elements begin."""
    size = 0
    for place in range(5):
        size |= (raw[place] & 0x7F) << 7 * place
        if raw[place] < 0x80:
            return size, place + 1
    raise Broken("no size stands in front")
