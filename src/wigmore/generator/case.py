"""A case while it is being made: where its files go, what was planted, what must not be asserted."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from wigmore.generator import clocks
from wigmore.generator.truth import EXPECTATIONS, Decoy, Planted, Question, Source
from wigmore.generator.world import World

VARIANTS = frozenset(("guilty", "innocent", "ambiguous", "gap"))


class Case:
    """Collects sources, truths and decoys in the order they are planted, and writes files with their times."""

    def __init__(self, target: Path, world: World, variant: str = "guilty", noise: int = 200) -> None:
        if variant not in VARIANTS:
            raise ValueError(f"unknown variant {variant!r}; one of {sorted(VARIANTS)}")
        if noise < 0:
            raise ValueError("noise counts benign records and cannot be negative")
        self.target, self.world, self.variant, self.noise = target, world, variant, noise
        self.sources: list[Source] = []
        self.planted: list[Planted] = []
        self.decoys: list[Decoy] = []
        self.questions: list[Question] = []
        self.expected: dict[str, str] = {}
        self.needed: set[tuple[str, str]] = set()

    @property
    def guilty(self) -> bool:
        """Whether the acts happened (also where their decisive traces were not acquired)."""
        return self.variant != "innocent"

    def add_source(self, source: Source) -> None:
        """Declare a source; its files are written below its path."""
        if any(known.id == source.id for known in self.sources):
            raise ValueError(f"two sources with id {source.id!r}")
        self.sources.append(source)

    def write(self, folder: str, path: str, content: bytes, modified: datetime) -> None:
        """Write a file of a source (`folder` is relative to evidence/) with its modification time."""
        file = self.target / "evidence" / folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        self.date(folder, path, modified)

    def place(self, folder: str, path: str) -> Path:
        """Where a file of a source goes, its folder made; for writers that need a path (SQLite)."""
        file = self.target / "evidence" / folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def date(self, folder: str, path: str, modified: datetime) -> None:
        """Set a written file's modification and access time."""
        ns = clocks.posix_us(modified) * 1_000
        os.utime(self.target / "evidence" / folder / path, ns=(ns, ns))

    def date_folders(self, moment: datetime) -> None:
        """Give all folders one time: whoever collected them set it."""
        ns = clocks.posix_us(moment) * 1_000
        for folder, _, _ in os.walk(self.target / "evidence", topdown=False):
            os.utime(folder, ns=(ns, ns))

    def needs(self, source: str, *paths: str) -> None:
        """Note files that must be there whole for an absence to mean something; damage spares them."""
        self.needed |= {(source, path) for path in paths}

    def plant(
        self,
        statement: str,
        source: str,
        path: str,
        artifact: str,
        values: tuple[str, ...],
        hypothesis: str | None = None,
    ) -> None:
        """Note a truth that the evidence shows."""
        number = f"T{len(self.planted) + 1:02d}"
        self.planted.append(Planted(number, statement, source, path, artifact, tuple(values), hypothesis))

    def decoy(
        self, statement: str, why: str, source: str, path: str, values: tuple[str, ...], hypothesis: str | None = None
    ) -> None:
        """Note a statement that must not be asserted."""
        number = f"N{len(self.decoys) + 1:02d}"
        self.decoys.append(Decoy(number, statement, why, tuple(values), source, path, hypothesis))

    def ask(self, question: str, template: str | None, answer: tuple[str, ...] = ()) -> None:
        """Note a question put to the case."""
        self.questions.append(Question(f"Q{len(self.questions) + 1:02d}", question, template, answer))

    def expect(self, template: str, verdict: str) -> None:
        """Note what an examiner with all the sources would conclude on a template."""
        if verdict not in EXPECTATIONS:
            raise ValueError(f"unknown verdict {verdict!r} for {template}; one of {sorted(EXPECTATIONS)}")
        self.expected[template] = verdict
