"""Lists and evidence files that the tests of this folder make themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wigmore.evidence.local import LocalFile
from wigmore.model.lists import ListFile, current
from wigmore.model.protocols import Gap, Record, Recorder
from wigmore.registry import parsers

Applied = tuple[list[tuple[dict[str, Any], Record]], list[Gap], str]
Apply = Callable[..., Applied]


@pytest.fixture
def listed(tmp_path: Path) -> Callable[[str, str, str | bytes], ListFile]:
    """Write a list of a kind under a name."""

    def made(kind: str, name: str, content: str | bytes) -> ListFile:
        path = tmp_path / "lists" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return ListFile.of(kind, name, path)

    return made


@pytest.fixture
def apply(tmp_path: Path) -> Iterator[Apply]:
    """Apply lists to content with the parser of a name: records with locators, gaps, and the note for the coverage row."""

    def done(parser: str, content: bytes, *lists: ListFile, name: str = "unnamed.bin") -> Applied:
        path = tmp_path / "content"
        path.write_bytes(content)
        current().use(lists)
        file = LocalFile.at(path, path=name)
        made = parsers()[parser]
        assert made.claims(content[:8192], name, len(content))
        items = list(made.function(file))
        note = "".join(item.note for item in items if isinstance(item, Recorder))
        return [i for i in items if isinstance(i, tuple)], [i for i in items if isinstance(i, Gap)], note

    yield done
    current().use(())
