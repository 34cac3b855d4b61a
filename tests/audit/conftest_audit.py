"""Two sources of the generated case, investigated once; copies are damaged, killed and audited."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from wigmore.api.demo import case_text, make
from wigmore.api.run import Options, Result, run

KEPT = ("src-server", "src-archive")


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a generated case that was never run."""
    folder = tmp_path_factory.mktemp("small") / "demo"
    truth, case = make(folder, seed=3)
    sources = tuple(s for s in truth.sources if s.id in KEPT)
    (case / "case.yaml").write_text(case_text(replace(truth, sources=sources), folder / "sample"), encoding="utf-8")
    for other in (folder / "sample" / "evidence").iterdir():
        if other.name not in ("server", "archive"):
            shutil.rmtree(other)
    return folder


def copied(folder: Path, target: Path) -> Path:
    """A copy with sources of its own; returns its case folder."""
    shutil.copytree(folder, target)
    file = target / "case" / "case.yaml"
    file.write_text(
        file.read_text(encoding="utf-8").replace(str(folder.resolve()), str(target.resolve())), encoding="utf-8"
    )
    return target / "case"


@pytest.fixture(scope="session")
def finished(bare: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The folder of the case run once, and how that ended; not to be changed."""
    folder = tmp_path_factory.mktemp("finished") / "demo"
    case = copied(bare, folder)
    result = run(case, Options(jobs=1))
    assert result.exit_code in (0, 3), result
    return folder, result


@pytest.fixture
def small(finished: tuple[Path, Result], tmp_path: Path) -> Path:
    """A private copy of the finished case."""
    return copied(finished[0], tmp_path / "copy")
