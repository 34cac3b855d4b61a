"""LZ77+Huffman compression with literals only: valid to every decoder, simple to write.

Source: MS-XCA 2.1 (plain LZ77+Huffman): chunks of 64 KiB, each with a table of 512 four-bit code lengths, then the
codes in a stream of 16-bit little-endian words, most significant bit first.
"""

from __future__ import annotations

import heapq
from collections import Counter
from itertools import count

CHUNK = 65_536
END = 256
LONGEST = 15


def _lengths(frequencies: dict[int, int]) -> dict[int, int]:
    """Huffman code lengths of at most 15 bits; counts are flattened until they fit."""
    while True:
        number = count()
        heap = [(weight, next(number), [symbol]) for symbol, weight in sorted(frequencies.items())]
        heapq.heapify(heap)
        lengths = dict.fromkeys(frequencies, 0)
        while len(heap) > 1:
            (first, _, left), (second, _, right) = heapq.heappop(heap), heapq.heappop(heap)
            for symbol in left + right:
                lengths[symbol] += 1
            heapq.heappush(heap, (first + second, next(number), left + right))
        if max(lengths.values()) <= LONGEST:
            return lengths
        frequencies = {symbol: weight // 2 + 1 for symbol, weight in frequencies.items()}


def _codes(lengths: dict[int, int]) -> dict[int, str]:
    """Canonical codes: by length, then by symbol."""
    codes, code, last = {}, 0, 0
    for symbol, length in sorted(lengths.items(), key=lambda item: (item[1], item[0])):
        code <<= length - last
        codes[symbol] = format(code, f"0{length}b")
        code, last = code + 1, length
    return codes


def _chunk(data: bytes, final: bool) -> bytes:
    symbols = Counter(data)
    symbols[END] = 1  # also keeps a table of one literal complete
    lengths = _lengths(dict(symbols))
    table = bytes(lengths.get(2 * pair, 0) | lengths.get(2 * pair + 1, 0) << 4 for pair in range(256))
    codes = _codes(lengths)
    bits = "".join(codes[value] for value in data) + (codes[END] if final else "")
    bits += "0" * (-len(bits) % 16)
    # decoders read two words ahead
    stream = b"".join(int(bits[at : at + 16], 2).to_bytes(2, "little") for at in range(0, len(bits), 16))
    return table + stream.ljust(4, b"\0")


def compress(data: bytes) -> bytes:
    """Compress; the decoder must be told the plain size, as the format does not hold it."""
    starts = range(0, len(data), CHUNK)
    return b"".join(_chunk(data[at : at + CHUNK], at + CHUNK >= len(data)) for at in starts)
