"""Sources that a test opened are closed behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from wigmore.evidence.source import Source


@pytest.fixture(autouse=True)
def _closed_sources(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made: list[Source] = []
    original = Source.__init__

    def noted(self: Source, *arguments: Any, **options: Any) -> None:
        original(self, *arguments, **options)
        made.append(self)

    monkeypatch.setattr(Source, "__init__", noted)
    yield
    for source in made:
        source.close()
