"""Fixtures that all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # a busy machine is no fault
settings.load_profile("house")

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "evidence"


@pytest.fixture(scope="session")
def shared_evidence() -> Path:
    """The folder of real public evidence beside the project; skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the shared evidence folder is not beside this checkout")
    return SHARED


pytest_plugins = ["damaged", "case_fixtures", "evidence_files"]  # the first wraps parsers before they are imported
