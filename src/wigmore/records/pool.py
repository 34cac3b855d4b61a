"""Persistent worker processes: tasks out, answers in, limits on time and memory, crashes survived."""

from __future__ import annotations

import json
import os
import selectors
import signal
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any, Protocol, Self

from wigmore.records.nursery import UNKNOWN, Nursery

MEMORY = 6 * 1024**3  # address space of one worker, bytes (libraries map far more than they touch)
STALL = 180.0  # seconds without a word before a worker counts as hung, unless its parser declares another limit
BATCH_FILES = 48  # entries of one task at most
BATCH_BYTES = 1024 * 1024  # and bytes of their content, about
HASHING = 600.0  # the same while a source is hashed: one word for all of it


def batches(entries: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Entries as tasks of about one size, the largest files first, so that no worker is left alone with them."""
    batch: list[dict[str, Any]] = []
    weight = 0
    for entry in sorted(entries, key=lambda e: (-int(e.get("size") or 0), e["path"], e.get("inode") or "")):
        batch.append(entry)
        weight += int(entry.get("size") or 0)
        if len(batch) >= BATCH_FILES or weight >= BATCH_BYTES:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch


class FanOut(Protocol):
    """Runs tasks somewhere; answers come back in any order (DESIGN: the small protocol behind which engines change)."""

    jobs: int

    def catalogue(self) -> dict[str, dict[str, Any]]:
        """What each parser declares."""

    def forget_sources(self) -> None:
        """Have what follows read the evidence anew."""

    def feed(self) -> None:
        """Begin with what is queued."""

    def working_on(self) -> list[tuple[str, str, float]]:
        """Path, step and seconds of what is at work."""

    def submit(self, task: dict[str, Any], front: bool = False) -> None:
        """Queue one task."""

    def answers(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Pairs (task, answer) until no task is left."""


@dataclass
class _Process:
    stdin: IO[bytes]
    stdout: IO[bytes]
    pid: int = 0  # as it says when it is ready
    exit_code: int = UNKNOWN
    task: dict[str, Any] | None = None
    at: tuple[str, str] = ("", "")
    since: float = 0.0
    buffer: bytearray = field(default_factory=bytearray)


class Pool:
    """Worker processes on this machine.

    An answer `lost` stands for a worker that crashed, hung or ran out of memory; it names path and parser at work.
    The workers wait between one use and the next; the pool is a context manager that ends them.
    """

    def __init__(self, jobs: int, memory: int = MEMORY) -> None:
        self.jobs = max(1, jobs)
        self.memory = memory
        self.queue: deque[dict[str, Any]] = deque()
        self.processes: list[_Process] = []
        self.selector = selectors.DefaultSelector()
        self.known: dict[str, dict[str, Any]] = {}
        self.nursery: Nursery | None = None
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the pool

    def submit(self, task: dict[str, Any], front: bool = False) -> None:
        """Queue one task."""
        (self.queue.appendleft if front else self.queue.append)(task)

    def catalogue(self) -> dict[str, dict[str, Any]]:
        """The parsers that the workers found, as `Parser.declared`; waits until the first worker is ready.

        So this process need not import them. Raises RuntimeError with the workers' last words where none starts.
        """
        self.start()
        while not self.known:
            for key, _ in self.selector.select(timeout=1.0):
                for _ in self._read(key.data):  # before its first task a worker says `ready` and nothing else
                    pass
            if not self.processes:
                self.errors.seek(0)
                raise RuntimeError(f"no worker could start: {self.errors.read()[-500:].decode(errors='replace')}")
        return self.known

    def limit(self, step: str) -> float:
        """Seconds that a step may take without a word: a parser's own limit, or that of everything else."""
        own = self.known.get(step, {}).get("limit_seconds", HASHING if step == "hash" else STALL)
        return max(float(own), 1.0)

    def forget_sources(self) -> None:
        """Have the idle workers close what they hold open, so that what follows reads the evidence anew."""
        for process in self.processes:
            self._send(process, {"kind": "forget"})

    def start(self) -> None:
        """Start the workers early, so that their imports overlap with other work."""
        while len(self.processes) < self.jobs:
            self._spawn()

    def _spawn(self) -> _Process:
        if self.nursery is not None and self.nursery.popen.poll() is not None:
            self.nursery.close()
            self.nursery = None
        if self.nursery is None:
            self.nursery = Nursery(self.memory, self.errors)
        process = _Process(*self.nursery.worker())
        self.selector.register(process.stdout, selectors.EVENT_READ, process)
        self.processes.append(process)
        return process

    def _retire(self, process: _Process, kill: bool) -> None:
        if process in self.processes:
            self.processes.remove(process)
        self.selector.unregister(process.stdout)
        if kill and process.pid:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        with suppress(BrokenPipeError):  # the worker is gone already
            process.stdin.close()
        if process.pid and self.nursery is not None:
            process.exit_code = self.nursery.end(process.pid)
        process.stdout.close()

    def feed(self) -> None:
        """Give each idle worker a task."""
        self.start()
        for process in self.processes:
            if process.task is None and self.queue:
                process.task = self.queue.popleft()
                process.at, process.since = ("", str(process.task["kind"])), time.monotonic()
                self._send(process, process.task)

    @staticmethod
    def _send(process: _Process, task: dict[str, Any]) -> None:
        with suppress(BrokenPipeError):  # the worker is gone: its end of file is read and answered as `lost`
            process.stdin.write(json.dumps(task).encode() + b"\n")
            process.stdin.flush()

    def answers(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Pairs (task, answer) until no task is left; answers are file, done, error and lost."""
        while self.queue or any(p.task is not None for p in self.processes):
            self.feed()
            for key, _ in self.selector.select(timeout=0.5):
                yield from self._read(key.data)
            now = time.monotonic()
            for process in list(self.processes):
                if process.task is not None and now - process.since > self.limit(process.at[1]):
                    task, (path, parser) = process.task, process.at
                    self._retire(process, kill=True)
                    yield (
                        task,
                        {
                            "event": "lost",
                            "path": path,
                            "parser": parser,
                            "code": "timeout",
                            "reason": f"{parser} was stopped after its limit of {self.limit(parser):g} s",
                        },
                    )

    def _read(self, process: _Process) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        chunk = process.stdout.read(1 << 20)
        if chunk:
            process.buffer += chunk
            *lines, rest = process.buffer.split(b"\n")
            process.buffer = bytearray(rest)
            for line in lines:
                answer = json.loads(line)
                task = process.task
                if answer["event"] == "ready":
                    process.pid, self.known = answer["pid"], answer["parsers"]
                    process.since = time.monotonic()
                    continue
                process.since = time.monotonic()
                if answer["event"] == "begin":
                    process.at = (answer["path"], answer["parser"])
                    continue
                assert task is not None
                if answer["event"] in ("done", "error"):
                    process.task = None
                yield task, answer
        elif chunk == b"":
            task, (path, parser) = process.task, process.at
            self._retire(process, kill=False)
            if task is not None:
                code = process.exit_code
                name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
                yield (
                    task,
                    {
                        "event": "lost",
                        "path": path,
                        "parser": parser,
                        "code": "crashed",
                        "reason": f"the worker died ({name}) while {parser} was reading",
                    },
                )

    def working_on(self) -> list[tuple[str, str, float]]:
        """Path, parser and seconds of each busy worker, for progress."""
        now = time.monotonic()
        return [(*p.at, now - p.since) for p in self.processes if p.task is not None]

    def close(self) -> None:
        """End the workers; busy ones are killed."""
        for process in list(self.processes):
            self._retire(process, kill=True)
        if self.nursery is not None:
            self.nursery.close()
        self.selector.close()
        self.errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
