"""Fixtures of the tests of records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from record_builders import Made, store_maker


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Made]:
    yield from store_maker(tmp_path)
