"""Canonical JSON is the standard encoder's, whichever way it was written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigmore.model.canonical import canonical

LETTERS = st.characters(min_codepoint=0, max_codepoint=0x10FFFF)  # lone surrogates too
TEXT = st.text(LETTERS, max_size=12) | st.sampled_from(
    ["", "\x7f", "\0", "é", "😀", "\ud800", '"\\/', "\b\f\n\r\t\x1f"]
)
PLAIN = (
    st.none()
    | st.booleans()
    | TEXT
    | st.integers()
    | st.sampled_from([2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1])
)
VALUES = st.recursive(
    PLAIN | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
)


@given(VALUES | st.dictionaries(TEXT, PLAIN, max_size=8))
def test_it_is_what_the_standard_encoder_writes(value: object) -> None:
    assert canonical(value) == json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@given(st.dictionaries(st.integers() | st.booleans(), PLAIN, max_size=4))
def test_keys_that_are_no_text_are_written_as_the_standard_encoder_does(value: object) -> None:
    assert canonical(value) == json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": float("-inf")}])
def test_what_is_no_json_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical(value)


@pytest.mark.parametrize("value", [b"bytes", {"a": b"bytes"}, {"a": {1, 2}}, {(1, 2): "x"}])
def test_what_json_does_not_know_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical(value)
