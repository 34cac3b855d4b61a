"""The extraction worker: a process that takes tasks as JSON lines and answers with JSON lines.

Tasks: `list` (the entries of one store, written to a file), `parse` (a batch of entries of one store), `hash`
(custody hash of a source), `try` (passwords at one container), `forget` (close the sources held open; no answer),
`quit`. Answers: `ready` (once, with the process number and the parsers), `begin` (path and parser at work: the parent's
time limit starts here), `file` (what became of one entry, with the sizes of the spool files so far, so that a crash costs
nothing before it), `done`, `error`. Rows go to spool files `<spool>/<artifact>.jsonl`, never over the pipe.
Workers are copies of a nursery (`records/nursery.py`), which dies with the process that wanted them, and they with it.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from wigmore.evidence.hashing import hash_source
from wigmore.evidence.secret import named
from wigmore.evidence.source import Source, SourceSpec, open_source
from wigmore.evidence.store import Entry
from wigmore.model.canonical import canonical
from wigmore.model.lists import current, from_json
from wigmore.model.protocols import Gap, ParseError
from wigmore.records.attempt import fitting
from wigmore.records.examine import examine
from wigmore.records.nursery import copies
from wigmore.registry import Parser, parsers

PR_SET_PDEATHSIG = 1
BUFFER = 1 << 18  # bytes of rows written out at once


def _die_with_parent(parent: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the call
        os._exit(0)


def spec_json(spec: SourceSpec) -> dict[str, str]:
    """A source spec as it travels to a worker."""
    return {"source_id": spec.source_id, "path": str(spec.path), "access_mode": spec.access_mode}


def spec_of(values: dict[str, str]) -> SourceSpec:
    """The source spec that `spec_json` wrote."""
    return SourceSpec(values["source_id"], Path(values["path"]), values["access_mode"])


class Spool:
    """Rows of one task, one file an artifact."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._files: dict[str, BinaryIO] = {}

    def emit(self, artifact: str, line: bytes) -> None:
        """Append one canonical row."""
        handle = self._files.get(artifact)
        if handle is None:
            safe = "".join(c if c.isalnum() or c in "._-" else "_" for c in artifact)
            handle = self._files[artifact] = (self.folder / f"{safe}.jsonl").open("ab", BUFFER)
        handle.write(line)

    def sizes(self) -> dict[str, int]:
        """Bytes written so far per artifact, all handed to the operating system."""
        out = {}
        for artifact, handle in self._files.items():
            handle.flush()
            out[artifact] = handle.tell()
        return out

    def close(self) -> None:
        """Close all files."""
        for handle in self._files.values():
            handle.close()


class Worker:
    """Serves tasks from standard input until it ends."""

    def __init__(self, answer: Callable[[dict[str, Any]], None]) -> None:
        self.answer = answer
        self._sources: dict[str, Source] = {}
        self._parsers: dict[str, Parser] | None = None

    def source(self, spec: dict[str, Any], secrets: dict[str, str]) -> Source:
        """The source of a task, opened once a process."""
        key = json.dumps(spec, sort_keys=True)
        if key not in self._sources:
            self._sources[key] = open_source(spec_of(spec), secrets=named(secrets)).__enter__()
        return self._sources[key]

    def forget(self) -> None:
        """Close the sources held open: the next task reads the evidence anew."""
        for source in self._sources.values():
            with suppress(OSError):
                source.close()
        self._sources.clear()

    def chosen(self, names: list[str] | None) -> dict[str, Parser]:
        """The parsers of this run."""
        if self._parsers is None:
            self._parsers = parsers()
        return self._parsers if names is None else {n: p for n, p in self._parsers.items() if n in names}

    def serve(self, task: dict[str, Any]) -> None:
        """Do one task and answer."""
        kind = task["kind"]
        try:
            if kind == "hash":
                self.answer({"event": "begin", "path": "", "parser": "hash"})
                self.answer({"event": "done", "hashes": hash_source(spec_of(task["source"]))})
            elif kind == "list":
                self.list_store(task)
            elif kind == "parse":
                self.parse(task)
            elif kind == "try":
                self.attempt(task)
            elif kind == "forget":
                self.forget()
            else:
                self.answer({"event": "error", "reason": f"unknown task {kind!r}", "code": "unsupported"})
        except ParseError as error:
            self.answer({"event": "error", "reason": str(error), "code": error.reason})
        except MemoryError:
            self.answer({"event": "error", "reason": "needed more memory than is allowed", "code": "memory"})
        except Exception as error:  # noqa: BLE001  # the process boundary: the parent records it as a coverage row
            self.answer({"event": "error", "reason": f"{type(error).__name__}: {error}"[:500], "code": "crashed"})

    def list_store(self, task: dict[str, Any]) -> None:
        """Write the entries of a store as JSON lines; gaps and the store's kind come in the answer."""
        self.answer({"event": "begin", "path": task["prefix"], "parser": "listing"})
        source = self.source(task["source"], task.get("secrets", {}))
        store = source.open_store(task["prefix"])
        target = Path(task["spool"])
        target.parent.mkdir(parents=True, exist_ok=True)
        gaps: list[dict[str, Any]] = []
        count = 0
        with target.open("wb") as out:
            for item in store.entries():
                if isinstance(item, Gap):
                    if len(gaps) < 1000:
                        gaps.append({"message": item.message, "reason": item.reason})
                    continue
                out.write(canonical(item.to_json()) + b"\n")
                count += 1
                if count % 5000 == 0:
                    self.answer({"event": "begin", "path": task["prefix"], "parser": "listing"})
        self.answer({"event": "done", "entries": count, "gaps": gaps, "store_kind": store.kind})

    def attempt(self, task: dict[str, Any]) -> None:
        """Try passwords at one container: the index of the one that opens it, or None."""
        self.answer({"event": "begin", "path": task["path"], "parser": "password recovery"})
        source = self.source(task["source"], task.get("secrets", {}))
        self.answer({"event": "done", "fitted": fitting(source, task["path"], task["candidates"])})

    def parse(self, task: dict[str, Any]) -> None:
        """Examine each entry of a batch."""
        source = self.source(task["source"], task.get("secrets", {}))
        store = source.open_store(task["prefix"])
        chosen = self.chosen(task.get("parsers"))
        current().use(from_json(task.get("lists", ())))
        spool = Spool(Path(task["spool"]))
        only = None if task.get("only") is None else frozenset(task["only"])
        try:
            for index, values in enumerate(task["entries"]):
                entry = Entry.from_json(values)

                def begin(parser: str, path: str = entry.path) -> None:
                    self.answer({"event": "begin", "path": path, "parser": parser})

                result = examine(
                    source,
                    store,
                    entry,
                    chosen,
                    task["listing"],
                    task["descend"],
                    spool.emit,
                    begin,
                    skip=task.get("skip", ()),
                    only=only,
                    known=frozenset(task.get("known", {}).get(entry.path, ())),
                    bare=entry.path in task.get("bare", ()),
                    unread=entry.path in task.get("unread", ()),
                )
                self.answer(
                    {
                        "event": "file",
                        "index": index,
                        "rows": result.rows,
                        "inside": result.inside,
                        "coverage": [c.to_dict() for c in result.coverage],
                        "sizes": spool.sizes(),
                    }
                )
        finally:
            spool.close()
        self.answer({"event": "done"})


def main() -> None:
    """Import the parsers, then serve until standard input ends: once as a nursery, as often as it is asked as a worker."""
    parent, limit, pool = map(int, sys.argv[1:])
    _die_with_parent(parent)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    declared = {p.name: p.declared() for p in parsers().values()}
    gc.freeze()  # what the copies share stays shared
    nursery = os.getpid()
    copies(pool)
    _die_with_parent(nursery)
    channel = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # a library that prints must not break the protocol

    def answer(message: dict[str, Any]) -> None:
        channel.write(json.dumps(message).encode() + b"\n")

    worker = Worker(answer)
    answer({"event": "ready", "pid": os.getpid(), "parsers": declared})
    for line in sys.stdin.buffer:
        task = json.loads(line)
        if task["kind"] == "quit":
            break
        worker.serve(task)


if __name__ == "__main__":
    main()
