"""Evidence files that the tests of this folder make themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wigmore.artifacts.logs import framework
from wigmore.evidence.local import LocalFile
from wigmore.model.protocols import Gap, Record
from wigmore.registry import _found

Make = Callable[[str | bytes, str], LocalFile]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write content to a file and hand it over as evidence; the second argument is its name."""

    def made(content: str | bytes, name: str = "unnamed") -> LocalFile:
        path = tmp_path / "content"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return LocalFile.at(path, path=name)

    return made


@pytest.fixture
def read() -> Callable[[LocalFile, str], tuple[list[tuple[dict[str, object], Record]], list[Gap]]]:
    """Read a file with the parser of that name (empty: the text format that wins): records with locators, and gaps."""

    def done(file: LocalFile, name: str = "") -> tuple[list[tuple[dict[str, object], Record]], list[Gap]]:
        framework.load_formats()
        with file.open() as stream:
            head = stream.read(8192)
        name = name or framework.recognise(head, file.path)
        assert name, "no format recognises the file"
        yields: Iterator[object] = _found["parser"][name].function(file)
        listed = list(yields)
        return [item for item in listed if isinstance(item, tuple)], [item for item in listed if isinstance(item, Gap)]

    return done
