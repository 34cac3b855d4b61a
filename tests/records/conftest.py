"""Fixtures of the tests of records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from record_builders import Made, store_maker
from wigmore.records import candidates, sheet, store


@pytest.fixture(params=["few", "many"])
def make(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    """A store as a small case has it, and as one has it whose records are too many to be held."""
    if request.param == "many":
        monkeypatch.setattr(store, "SHARED", 0)
        monkeypatch.setattr(candidates, "FEW", 0)
        monkeypatch.setattr(sheet, "PASS", 1)
    yield from store_maker(tmp_path)
    assert not list(tmp_path.glob(f"case/{store.SPILL}*")), "what queries put aside is taken away with the store"
