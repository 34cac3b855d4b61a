"""A generated case, investigated once a session; tests copy it before they change anything."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from wigmore.api.demo import make
from wigmore.api.run import Options, run


@pytest.fixture(scope="session")
def investigated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a generated case (sample/, case/) that was run once; not to be changed."""
    folder = tmp_path_factory.mktemp("investigated") / "demo"
    _, case = make(folder, seed=3)
    result = run(case, Options(jobs=2))
    assert result.exit_code in (0, 3), result
    return folder


@pytest.fixture
def case(investigated: Path, tmp_path: Path) -> Path:
    """A private copy of the investigated case, its sources copied with it."""
    folder = tmp_path / "copy"
    shutil.copytree(investigated, folder)
    file = folder / "case" / "case.yaml"
    file.write_text(
        file.read_text(encoding="utf-8").replace(str(investigated.resolve()), str(folder.resolve())), encoding="utf-8"
    )
    return folder / "case"
