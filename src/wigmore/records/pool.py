"""Persistent worker processes: tasks out, answers in, limits on time and memory, crashes survived."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

MEMORY = 6 * 1024**3  # address space of one worker, bytes (libraries map far more than they touch)
STALL = 180.0  # seconds without a word before a worker counts as hung, unless its parser declares another limit


class FanOut(Protocol):
    """Runs tasks somewhere; answers come back in any order (DESIGN: the small protocol behind which engines change)."""

    def submit(self, task: dict[str, Any], front: bool = False) -> None:
        """Queue one task."""

    def answers(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Pairs (task, answer) until no task is left."""


@dataclass
class _Process:
    popen: subprocess.Popen[bytes]
    task: dict[str, Any] | None = None
    at: tuple[str, str] = ("", "")
    since: float = 0.0
    buffer: bytearray = field(default_factory=bytearray)


class Pool:
    """Worker processes on this machine.

    An answer `lost` stands for a worker that crashed, hung or ran out of memory; it names path and parser at work.
    """

    def __init__(self, jobs: int, limits: Callable[[str], float], memory: int = MEMORY) -> None:
        self.jobs = max(1, jobs)
        self.limits = limits
        self.memory = memory
        self.queue: deque[dict[str, Any]] = deque()
        self.processes: list[_Process] = []
        self.selector = selectors.DefaultSelector()
        self.ready: dict[str, float] = {}
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the pool

    def submit(self, task: dict[str, Any], front: bool = False) -> None:
        """Queue one task."""
        (self.queue.appendleft if front else self.queue.append)(task)

    def catalogue(self) -> dict[str, float]:
        """The parsers that the workers found, with their limits in seconds; waits until the first worker is ready.

        So this process need not import them. Raises RuntimeError with the workers' last words where none starts.
        """
        self.start()
        while not self.ready:
            for key, _ in self.selector.select(timeout=1.0):
                for _ in self._read(key.data):  # before its first task a worker says `ready` and nothing else
                    pass
            if not self.processes:
                self.errors.seek(0)
                raise RuntimeError(f"no worker could start: {self.errors.read()[-500:].decode(errors='replace')}")
        return self.ready

    def start(self) -> None:
        """Start the workers early, so that their imports overlap with other work."""
        while len(self.processes) < self.jobs:
            self._spawn()

    def _spawn(self) -> _Process:
        popen = subprocess.Popen(  # noqa: S603  # our own interpreter and module, no shell
            [sys.executable, "-m", "wigmore.records.worker", str(os.getpid()), str(self.memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            start_new_session=False,
        )
        process = _Process(popen)
        assert popen.stdout is not None
        os.set_blocking(popen.stdout.fileno(), False)
        self.selector.register(popen.stdout, selectors.EVENT_READ, process)
        self.processes.append(process)
        return process

    def _retire(self, process: _Process, kill: bool) -> None:
        if process in self.processes:
            self.processes.remove(process)
        assert process.popen.stdout is not None and process.popen.stdin is not None
        self.selector.unregister(process.popen.stdout)
        if kill:
            process.popen.kill()
        with suppress(BrokenPipeError):  # the worker is gone already
            process.popen.stdin.close()
        process.popen.wait()
        process.popen.stdout.close()

    def _feed(self) -> None:
        self.start()
        for process in self.processes:
            if process.task is None and self.queue:
                process.task = self.queue.popleft()
                process.at, process.since = ("", str(process.task["kind"])), time.monotonic()
                assert process.popen.stdin is not None
                try:
                    process.popen.stdin.write(json.dumps(process.task).encode() + b"\n")
                    process.popen.stdin.flush()
                except BrokenPipeError:
                    continue  # its end of file is read below and answered as `lost`

    def answers(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Pairs (task, answer) until no task is left; answers are file, done, error and lost."""
        while self.queue or any(p.task is not None for p in self.processes):
            self._feed()
            for key, _ in self.selector.select(timeout=0.5):
                yield from self._read(key.data)
            now = time.monotonic()
            for process in list(self.processes):
                if process.task is not None and now - process.since > max(self.limits(process.at[1]), 1.0):
                    task, (path, parser) = process.task, process.at
                    self._retire(process, kill=True)
                    limit = self.limits(parser)
                    yield (
                        task,
                        {
                            "event": "lost",
                            "path": path,
                            "parser": parser,
                            "code": "timeout",
                            "reason": f"{parser} was stopped after its limit of {limit:g} s",
                        },
                    )

    def _read(self, process: _Process) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        assert process.popen.stdout is not None
        chunk = process.popen.stdout.read(1 << 20)
        if chunk:
            process.buffer += chunk
            *lines, rest = process.buffer.split(b"\n")
            process.buffer = bytearray(rest)
            for line in lines:
                answer = json.loads(line)
                task = process.task
                if answer["event"] == "ready":
                    self.ready = answer["limits"]
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
                code = process.popen.returncode
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
        self.selector.close()
        self.errors.close()
