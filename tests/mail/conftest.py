"""Mail files read as a run reads them: every parser, and every container inside."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from wigmore.evidence.source import SourceSpec, open_source
from wigmore.evidence.store import Entry
from wigmore.model.nouns import Coverage
from wigmore.model.protocols import Gap
from wigmore.records.examine import examine
from wigmore.registry import parsers


@dataclass
class Read:
    """What a source gave."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    def of(self, artifact: str) -> list[dict[str, Any]]:
        """The rows of an artifact with data and times as values."""
        return [row for row in self.rows if row["artifact"] == artifact]

    def message(self, subject: str) -> dict[str, Any]:
        """The one message of that subject."""
        (found,) = [row for row in self.of("mail.message") if row["data"].get("subject") == subject]
        return found

    def paths(self) -> set[str]:
        """The paths of everything listed."""
        return {row["path"] for row in self.of("file_listing")}

    def outcomes(self, parser: str) -> list[str]:
        """What became of a parser's files."""
        return [one.outcome for one in self.coverage if one.parser.startswith(parser + "@")]


def read_source(path: Path) -> Read:
    """List, hash and parse everything in a source, containers too; entries go through JSON as they do between processes."""
    out = Read()
    with open_source(SourceSpec("s", path, "tree" if path.is_dir() else "file")) as source:
        todo = [""]

        def emit(artifact: str, line: bytes) -> None:
            row = json.loads(line)
            row.update(artifact=artifact, data=json.loads(row["data"]), times=json.loads(row.get("times") or "{}"))
            out.rows.append(row)

        while todo:
            store = source.open_store(todo.pop(0))
            for entry in store.entries():
                if isinstance(entry, Gap):
                    out.gaps.append(entry)
                    continue
                entry = Entry.from_json(json.loads(json.dumps(entry.to_json())))
                seen = examine(source, store, entry, parsers(), True, True, emit, lambda name: None)
                out.coverage += seen.coverage
                todo += seen.inside
    return out


@pytest.fixture
def reading(tmp_path: Path) -> Callable[[dict[str, bytes]], Read]:
    """Read files of these names and contents as one source."""

    def read(files: dict[str, bytes]) -> Read:
        root = tmp_path / "evidence"
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        return read_source(root)

    return read
