"""One generated case for all tests of the generator."""

from __future__ import annotations

from pathlib import Path

import pytest

from wigmore.generator import Truth, generate


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    """The default case with its truth."""
    target = tmp_path_factory.mktemp("case")
    return target, generate(target)
