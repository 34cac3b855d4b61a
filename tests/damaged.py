"""Whatever file a test has a parser read, that parser reads five damaged copies of it too, when the test is over.

So every family is tried on damage with the files that its own tests make, and nobody lists them. Parsers are wrapped as
they register, which is why this plugin stands first: it must be imported before any parser is. With WIGMORE_KEEP_SAMPLES
naming a folder, the files are written there too, for `bench/mutants.py`.
"""

from __future__ import annotations

import functools
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest

import wigmore.registry
from wigmore.evidence.local import materialise
from wigmore.generator.damage import mutants
from wigmore.model.nouns import Coverage
from wigmore.model.protocols import EvidenceFile, ParseError, Yield
from wigmore.records.examine import run_parser
from wigmore.registry import Parser

COPIES = 5
LARGEST = 1024 * 1024  # bytes of a file worth damaging; a test that makes a larger one tests something else
LONGEST = 10.0  # CPU seconds that a damaged copy may take

NO_FORMAT = {"generic.locked_database"}  # names databases that it cannot read: it finds no record in any

Function = Callable[[EvidenceFile], Iterator[Yield]]

assert not any(name.startswith("wigmore.artifacts.") for name in sys.modules), "a parser was imported before the plugin"


@dataclass(frozen=True)
class Copy:
    """A file with other content; what lies beside it stays as it is."""

    of: EvidenceFile
    content: bytes

    @property
    def source_id(self) -> str:
        return self.of.source_id

    @property
    def path(self) -> str:
        return self.of.path

    @property
    def inode(self) -> str | None:
        return self.of.inode

    @property
    def state(self) -> str:
        return self.of.state

    @property
    def size(self) -> int:
        return len(self.content)

    def open(self) -> BinaryIO:
        return io.BytesIO(self.content)

    def read(self, limit: int = LARGEST) -> bytes:
        if len(self.content) > limit:
            raise ParseError(self.path, None, f"{self.size} bytes are more than the limit of {limit}", "too_large")
        return self.content

    def sibling(self, name: str) -> EvidenceFile | None:
        return self.of.sibling(name)

    @contextmanager
    def on_disk(self, *siblings: str) -> Iterator[Path]:
        with materialise(self, siblings) as path:
            yield path


@dataclass
class Met:
    """A file that a parser read in a test, still to be damaged."""

    name: str
    function: Function
    file: Copy


_known: set[str] = set()  # parsers that were tried on damage
_waiting: list[Met] = []
_busy = False  # damaged copies are being read: they are no samples


def _watched(name: str, function: Function) -> Function:
    """The parser, noting the first file that it finds records in."""

    @functools.wraps(function)
    def reading(file: EvidenceFile) -> Iterator[Yield]:
        for item in function(file):
            if name not in _known and not _busy and isinstance(item, tuple) and 0 < file.size <= LARGEST:
                with file.open() as stream:
                    content = stream.read(LARGEST)
                _known.add(name)
                _waiting.append(Met(name, function, Copy(file, content)))
                _keep(name, file, content)
            yield item

    return reading


def _keep(name: str, file: EvidenceFile, content: bytes) -> None:
    folder = os.environ.get("WIGMORE_KEEP_SAMPLES")
    if folder:
        target = Path(folder) / name / Path(*(p for p in file.path.split("/") if p not in ("", ".", "..")))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        (Path(folder) / f"{name}.json").write_text(json.dumps(file.path), encoding="utf-8")


_declare = wigmore.registry.parser


@functools.wraps(_declare)
def _parser(name: str, **declared: Any) -> Callable[[Function], Function]:
    declare = _declare(name, **declared)

    def wrap(function: Function) -> Function:
        declare(function)
        watched = _watched(name, function)
        known = wigmore.registry._found["parser"]
        known[name] = replace(known[name], function=watched)
        return watched

    return wrap


wigmore.registry.parser = _parser


def wrong(coverage: Coverage, seconds: float) -> str:
    """What is wrong about how a damaged copy was read, or nothing."""
    if coverage.reason_code in ("crashed", "memory", "timeout"):
        return f"{coverage.reason_code}: {coverage.reason}"
    if (coverage.outcome == "failed" or not coverage.complete) and not (coverage.reason and coverage.reason_code):
        return "it failed and does not say why"
    return f"it took {seconds:.1f} s" if seconds > LONGEST else ""


def read_damaged(parser: Parser, file: EvidenceFile, content: bytes, count: int = COPIES, seed: int = 1) -> list[str]:
    """Have a parser read damaged copies of a file in this process; what went otherwise than it must."""
    global _busy
    out = []
    _busy = True
    try:
        for number, (kind, made) in enumerate(mutants(content, count, seed)):
            started = time.process_time()
            coverage = run_parser(parser, Copy(file, made), "", lambda *_: None, time.perf_counter)
            trouble = wrong(coverage, time.process_time() - started)
            if trouble:
                out.append(f"{parser.name}, copy {number} ({kind}) of {file.path}: {trouble}")
    finally:
        _busy = False
    return out


@pytest.fixture(autouse=True)
def damaged_copies(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test: the files that its parsers read, damaged."""
    global _busy
    _busy = "shared_evidence" in request.fixturenames  # what is not beside every checkout is no sample
    yield
    _busy = False
    troubles = []
    while _waiting:
        met = _waiting.pop()
        known = wigmore.registry._found["parser"].get(met.name)
        if known is not None:
            troubles += read_damaged(replace(known, function=met.function), met.file.of, met.file.content)
    assert not troubles, "\n".join(troubles)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """What the tests of another process tried (pytest-xdist) counts too."""
    _known.update(getattr(node, "workeroutput", {}).get("tried_on_damage", ()))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A whole session has tried every parser on damage, or it fails."""
    config = session.config
    if hasattr(config, "workeroutput"):  # one of several processes: the first reckons
        config.workeroutput["tried_on_damage"] = sorted(_known)
        return
    narrowed = any(config.getoption(name, None) for name in ("keyword", "markexpr", "lf", "collectonly", "deselect"))
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS or narrowed or exitstatus:
        return
    never = sorted(set(wigmore.registry.parsers()) - _known - NO_FORMAT)
    if never:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print(f"\nno test has these parsers find a record, so none had them read damage: {', '.join(never)}")
