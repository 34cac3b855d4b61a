"""The investigated case, open for reading, and calls on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wigmore.investigation.workbench import Workbench
from wigmore.registry import tools
from wigmore.tools.context import ToolOutput
from wigmore.tools.runner import arguments

Call = Callable[..., ToolOutput]


@pytest.fixture(scope="module")
def bench(investigated: Path) -> Iterator[Workbench]:
    """The investigated case without the right to change it."""
    with Workbench(investigated / "case", write=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def call(bench: Workbench) -> Call:
    """Call a tool on a source; an error that the tool did not put into words fails the test."""

    def called(source: str, tool: str, /, **given: Any) -> ToolOutput:
        chosen = tools()[tool]
        output, error = bench.runner.execute(chosen, arguments(chosen, given), source, "examiner")
        assert not error, error
        return output

    return called
