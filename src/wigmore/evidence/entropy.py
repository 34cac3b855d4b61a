"""The entropy of content: bits a byte of its distribution (C. E. Shannon, 1948)."""

from __future__ import annotations

from math import log2


def entropy(content: bytes) -> float:
    """Bits a byte, 0 to 8, three digits; near 8 is what is compressed, encrypted or random."""
    from PIL import Image  # its histogram counts bytes some hundred times faster than Python does

    size = len(content)
    if not size:
        return 0.0
    counts = Image.frombuffer("L", (size, 1), content, "raw", "L", 0, 1).histogram()
    return round(log2(size) - sum(count * log2(count) for count in counts if count) / size, 3) + 0.0
