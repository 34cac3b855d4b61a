"""Evidence files that tests make themselves, and what the parsers read from them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wigmore.artifacts.logs import framework
from wigmore.evidence.local import LocalFile
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.registry import _found

Make = Callable[[str | bytes, str], LocalFile]
Parse = Callable[[EvidenceFile], Iterator[Yield]]


def database(path: Path, *statements: str | tuple[str, tuple[Any, ...]]) -> Path:
    """A database that these statements made, some with values of their own; closed again."""
    connection = sqlite3.connect(path)
    for statement in statements:
        if isinstance(statement, tuple):
            connection.execute(*statement)
        else:
            connection.execute(statement)
    connection.commit()
    connection.close()
    return path


def records(parse: Parse, path: Path, artifact: str = "") -> list[Record]:
    """The records of a file, of one artifact or of all."""
    found = [i[1] for i in parse(LocalFile.at(path)) if isinstance(i, tuple)]
    return [r for r in found if not artifact or r.artifact == artifact]


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
