"""Globs of paths that a case leaves out."""

from __future__ import annotations

import pytest

from wigmore.model.scope import excluding


@pytest.mark.parametrize("path", ["Users/a/Medical/x.pdf", "medical/x.pdf", "p1/MEDICAL/deep/x.pdf"])
def test_a_glob_holds_at_any_depth_and_without_case(path: str) -> None:
    assert excluding(path, ("*.none", "*/Medical/*")) == "*/Medical/*"


def test_what_no_glob_names_is_not_left_out() -> None:
    assert excluding("Users/a/Music/x.mp3", ("*/Medical/*",)) == "" == excluding("a", ())
