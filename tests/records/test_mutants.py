"""Each family reads a small file of its kind; the plugin `damaged` then has it read damaged copies, as after every test."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from damaged import wrong
from family_files import OTHERS, database, path_of
from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.evidence.local import LocalFile
from wigmore.model.protocols import Record
from wigmore.records.examine import run_parser
from wigmore.registry import HEAD, parsers

LAYOUTS = [name for name, parser in parsers().items() if isinstance(parser.claims, Layout)]


def read(name: str, path: str, content: bytes, folder: Path) -> list[Record]:
    """The records that a parser finds in a file, which it claims."""
    parser = parsers()[name]
    (folder / "content").write_bytes(content)
    assert parser.claims(content[:HEAD], path, len(content))
    return [i[1] for i in parser.function(LocalFile.at(folder / "content", path=path)) if isinstance(i, tuple)]


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_database_with_the_tables_that_a_family_declares_is_claimed_and_read(name: str, tmp_path: Path) -> None:
    parser = parsers()[name]
    assert read(name, path_of(parser), database(parser), tmp_path)


@pytest.mark.parametrize("name", LAYOUTS)
def test_values_that_no_application_writes_into_a_column_cost_no_more_than_a_gap(name: str, tmp_path: Path) -> None:
    parser = parsers()[name]
    for seed in range(8):
        (tmp_path / "content").write_bytes(database(parser, random.Random(seed)))
        file = LocalFile.at(tmp_path / "content", path=path_of(parser))
        assert not wrong(run_parser(parser, file, "", lambda *_: None, time.perf_counter), 0.0)


@pytest.mark.parametrize("name", OTHERS)
def test_a_small_file_of_a_family_is_claimed_and_read(name: str, tmp_path: Path) -> None:
    path, content = OTHERS[name]
    assert read(name, path, content, tmp_path)
