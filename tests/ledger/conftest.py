"""A clock that stands in for ours, and small ledgers to read and to damage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wigmore.ledger import Event, Ledger
from wigmore.model.protocols import Clock


@pytest.fixture
def clock() -> Clock:
    """One second further at each look."""
    looks = iter(range(1_000_000))
    return lambda: datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=next(looks))


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return tmp_path / "case"


@pytest.fixture
def filled(case: Path, clock: Clock) -> Callable[[int], Path]:
    """Make the case with so many events, in batches of three; closed again."""

    def fill(events: int) -> Path:
        with Ledger.create(case, clock) as ledger:
            for first in range(0, events, 3):
                numbers = range(first, min(first + 3, events))
                ledger.append([Event("lead" if n % 4 == 3 else "fact", {"id": f"f-{n % 7}", "n": n}) for n in numbers])
        return case

    return fill
