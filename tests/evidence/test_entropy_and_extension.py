"""What the listing says of content beside its type: entropy, and an extension that belongs to other content."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest

from wigmore.evidence.entropy import entropy
from wigmore.evidence.listing import entry_record
from wigmore.evidence.store import Entry


@pytest.mark.parametrize(
    "content", [b"", b"a" * 999, b"ab" * 500, bytes(range(256)) * 4, random.Random(1).randbytes(70_001)]
)
def test_entropy_is_that_of_the_bytes(content: bytes) -> None:
    counts = Counter(content).values()
    expected = -sum(c / len(content) * math.log2(c / len(content)) for c in counts)
    assert entropy(content) == pytest.approx(expected, abs=0.0011) and 0 <= entropy(content) <= 8


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("zip", "photo.jpg", True),
        ("JPEG", "photo.jpg", None),
        ("PE executable", "notes.txt", True),
        (None, "photo.jpg", None),
    ],
)
def test_a_listing_says_where_the_extension_belongs_to_other_content(kind, name, expected) -> None:
    entry = Entry(path=f"a/{name}", name=name, kind="file", size=5)
    _, record = entry_record(entry, {}, kind, 7.5)
    assert record.data.get("extension_mismatch") is expected and record.data["entropy"] == 7.5
    assert "entropy" not in entry_record(entry)[1].data
