"""Extraction: every store of every source listed, every entry examined in workers, rows to Parquet, coverage noted.

Resumes by itself: what a committed event already covers (an entry, by these parsers) is not examined again, and the
containers it met inside are listed again.
"""

from __future__ import annotations

import itertools
import json
import shutil
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from wigmore.evidence.source import SourceSpec
from wigmore.ledger import Event, Ledger
from wigmore.model.canonical import canonical, identify
from wigmore.model.lists import ListFile
from wigmore.model.nouns import Coverage
from wigmore.model.scope import excluding
from wigmore.records.locked import Locked
from wigmore.records.pool import FanOut, batches
from wigmore.records.store import PART_ROWS, Part, RecordStore, clear_spills
from wigmore.records.worker import spec_json

BROKEN = 4  # so many steps of one entry that broke a worker, and the entry is left alone
WINDOW = 20_000  # entries sorted by size at a time, so that memory does not grow with the source


@dataclass
class Progress:
    """What progress shows: counts, last item, slowest parsers."""

    files: int = 0
    rows: int = 0
    failed: int = 0
    last: str = ""
    started: float = field(default_factory=time.monotonic)
    slowest: dict[str, float] = field(default_factory=dict)


@dataclass
class _Finished:
    """A finished (or cut) batch whose rows wait for their part."""

    source_id: str
    spool: Path
    sizes: dict[str, int]
    coverage: list[dict[str, Any]]
    done: list[list[Any]]
    rows: int
    inside: list[str] = field(default_factory=list)
    looked: list[str] | None = None  # who looked; None: all parsers
    lists: list[dict[str, str]] = field(default_factory=list)  # and for which lists of the examiner


class Extraction:
    """One extraction over all sources of a case; raises ValueError for names of parsers that there are not."""

    def __init__(
        self,
        ledger: Ledger,
        store: RecordStore,
        workspace: Path,
        pool: FanOut,
        *,
        names: list[str] | None = None,
        exclude: Iterable[str] = (),
        lists: Iterable[ListFile] = (),
        report: Callable[[Progress, list[tuple[str, str, float]]], None] | None = None,
    ) -> None:
        self.pool = pool
        self.known = pool.catalogue()
        unknown = sorted(set(names or ()) - set(self.known) - {"file_listing", "container"})
        if unknown:
            like = [near for name in unknown for near in get_close_matches(name, self.known, 1)]
            meant = f" (meant: {', '.join(like)}?)" if like else ""
            raise ValueError(f"unknown parsers {', '.join(unknown)}{meant}; `wigmore list parsers` names them")
        self.names = names
        self.listing = names is None or "file_listing" in names
        # free space is read for whoever asks for it, not for one parser of files
        readers = {"file_listing", "container", *(name for name, told in self.known.items() if told["free_space"])}
        self.free_space = names is None or not readers.isdisjoint(names)
        self.exclude = tuple(exclude)
        self.lists = tuple(sorted(lists))
        self.appliers = {  # parsers that apply a list of the examiner that this case has
            name: frozenset(known.get("lists", ()))
            for name, known in self.known.items()
            if (names is None or name in names) and any(file.kind in known.get("lists", ()) for file in self.lists)
        }
        self.ledger = ledger
        self.store = store
        self.workspace = workspace
        self.progress = Progress()
        self.report = report
        self.waiting: list[_Finished] = []
        self.waiting_rows = 0
        self.numbers = itertools.count()
        self.done: dict[tuple[str, str, str | None], set[str] | None] = {}  # who looked at an entry; None: all parsers
        self.applied: dict[tuple[str, str, str | None], frozenset[tuple[str, str]]] = {}  # lists they were searched for
        self.inside: dict[str, dict[str, None]] = {}  # stores met inside the entries that are done
        self.noted: set[bytes] = set()
        self.listed: set[tuple[str, str]] = set()
        self.hashes: dict[str, dict[str, Any]] = {}
        self._specs: dict[str, dict[str, Any]] = {}
        self.locked = Locked()
        for event in ledger.events("extraction"):
            self._remember(event.body)

    def _remember(self, body: dict[str, Any]) -> None:
        """Take in what an earlier run of the extraction committed."""
        source_id, names = body["source_id"], body.get("parsers")
        self.locked.remember(body)
        applied = frozenset((one["kind"], one["sha256"]) for one in body.get("lists", ()))
        for path, inode, _ in body["done"]:
            key = (source_id, path, inode)
            looked = self.done.get(key, set())
            self.done[key] = None if names is None or looked is None else looked | set(names)
            if self.appliers:
                self.applied[key] = self.applied.get(key, frozenset()) | applied
        self.inside.setdefault(source_id, {}).update(dict.fromkeys(body.get("inside", ())))
        self.noted.update(_what(c) for c in body["coverage"] if c["artifact"] == "file_listing")

    def run(self, specs: dict[str, tuple[SourceSpec, list[str], dict[str, str]]], hash_also: bool = True) -> None:
        """Extract all sources: id → (spec, top-level store prefixes, secrets)."""
        shutil.rmtree(self.workspace, ignore_errors=True)  # a killed run leaves rows there that no event names
        self.workspace.mkdir(parents=True)
        clear_spills(self.workspace.parent)
        try:
            for source_id, (spec, prefixes, secrets) in sorted(specs.items()):
                self._specs[source_id] = {"source": spec_json(spec), "secrets": secrets}
                self.locked.begin(source_id, secrets)
                for prefix in [*prefixes, *self.inside.get(source_id, ())]:
                    self._list(source_id, prefix)
                if hash_also:
                    self.pool.submit({"kind": "hash", "source_id": source_id, **self._specs[source_id]})
            self.pool.feed()
            self.store.open()  # while the workers are busy
            for task, answer in self.pool.answers():
                self._take(task, answer)
                if self.report is not None:
                    self.report(self.progress, self.pool.working_on())
            self._commit()
        finally:
            shutil.rmtree(self.workspace, ignore_errors=True)

    def _list(self, source_id: str, prefix: str) -> None:
        if (source_id, prefix) in self.listed:
            return
        self.listed.add((source_id, prefix))
        spool = self.workspace / f"list-{next(self.numbers)}.jsonl"
        self.pool.submit(
            {"kind": "list", "source_id": source_id, "prefix": prefix, "spool": str(spool), **self._specs[source_id]},
            front=True,
        )

    def _take(self, task: dict[str, Any], answer: dict[str, Any]) -> None:
        kind, event = task["kind"], answer["event"]
        if kind == "hash":
            if event == "done":
                self.hashes[task["source_id"]] = answer["hashes"]
            elif event in ("lost", "error"):
                self.hashes[task["source_id"]] = {"error": answer["reason"]}
        elif kind == "list":
            self._take_list(task, answer)
        elif event == "file":
            self._take_file(task, answer)
        elif event == "done":
            self._close(task)
        elif event in ("error", "lost"):
            self._take_loss(task, answer)

    def _take_list(self, task: dict[str, Any], answer: dict[str, Any]) -> None:
        source_id, prefix = task["source_id"], task["prefix"]
        if answer["event"] == "done":
            gaps = answer["gaps"]
            reason = "; ".join(g["message"] for g in gaps[:5])
            outcome = "found" if answer["entries"] else "failed" if gaps else "empty"
            row = Coverage(
                source_id,
                prefix,
                "file_listing",
                "file_listing@1",
                outcome,
                answer["entries"],
                reason,
                gaps[0]["reason"] if gaps else "",
                complete=not gaps,
            )
        else:
            row = Coverage(
                source_id,
                prefix,
                "file_listing",
                "file_listing@1",
                "failed",
                0,
                answer["reason"],
                answer["code"],
                complete=False,
            )
        self._note(source_id, row)
        spool = Path(task["spool"])
        if spool.exists():  # a listing that was cut keeps what it has
            self._batches(source_id, prefix, spool)
            spool.unlink()

    def _note(self, source_id: str, row: Coverage) -> None:
        """Note what became of a store or an excluded entry, unless an earlier run noted just that."""
        self.progress.failed += row.outcome == "failed"
        values = row.to_dict()
        if _what(values) in self.noted:
            return
        self.noted.add(_what(values))
        spool = self.workspace / f"note-{next(self.numbers)}"
        self.waiting.append(_Finished(source_id, spool, {}, [values], [], 0))

    def _batches(self, source_id: str, prefix: str, spool: Path) -> None:
        with spool.open("rb") as lines:
            while window := list(itertools.islice(lines, WINDOW)):
                fresh: dict[tuple[str, ...], list[dict[str, Any]]] = {}  # by the parsers that looked already
                again: dict[tuple[ListFile, ...], list[dict[str, Any]]] = {}  # by the lists that are new to them
                for line in window:
                    if not line.endswith(b"\n"):
                        continue  # the listing was cut inside this line
                    entry = json.loads(line)
                    key = (source_id, entry["path"], entry.get("inode"))
                    looked = self.done.get(key, set())
                    if self.locked.due(source_id, entry["path"]):
                        plan = self._plan(set()) | self.locked.plan(source_id, entry["path"], self.store)
                        self._submit(source_id, prefix, [entry], **plan)
                        continue
                    if "free" in entry.get("ref", ()) and not self.free_space:
                        continue
                    done = looked is None or (self.names is not None and looked.issuperset(self.names))
                    due = self._due(key, looked)
                    if (done and not due) or self._excluded(source_id, entry):
                        continue
                    if due:
                        again.setdefault(due, []).append(entry)
                    if looked is None or done:
                        continue
                    fresh.setdefault(tuple(sorted(looked)), []).append(entry)
                for looked_already, entries in sorted(fresh.items()):
                    for batch in batches(entries):
                        self._submit(source_id, prefix, batch, **self._plan(set(looked_already)))
                for missing, entries in sorted(again.items()):
                    for batch in batches(entries):
                        self._submit(source_id, prefix, batch, **self._plan_again(missing))

    def _excluded(self, source_id: str, entry: dict[str, Any]) -> bool:
        path = str(entry["path"])
        glob = excluding(path, self.exclude)
        if glob:
            row = Coverage(
                source_id,
                path,
                "file_listing",
                "file_listing@1",
                "not_run",
                0,
                f"excluded by the case's scope ({glob})",
                "excluded",
                complete=False,
                inode=entry.get("inode"),
            )
            self._note(source_id, row)
        return bool(glob)

    def _due(self, key: tuple[str, str, str | None], looked: set[str] | None) -> tuple[ListFile, ...]:
        """The lists that parsers which looked at an entry already have yet to apply to it."""
        if looked is not None and looked.isdisjoint(self.appliers):
            return ()
        applied = self.applied.get(key, frozenset())
        wanted = self._lists_of(self.appliers if looked is None else looked)
        return tuple(file for file in wanted if (file.kind, file.sha256) not in applied)

    def _lists_of(self, names: Iterable[str]) -> list[ListFile]:
        """The lists of this case that some parsers apply."""
        kinds = {kind for name in names for kind in self.appliers.get(name, ())}
        return [file for file in self.lists if file.kind in kinds]

    def _plan(self, looked: set[str]) -> dict[str, Any]:
        """Who is to look at entries that some have looked at already."""
        lists = self._lists_of(self.appliers.keys() - looked)
        return {
            "parsers": self.names,
            "skip": sorted(looked),
            "listing": self.listing and "file_listing" not in looked,
            "descend": "container" not in looked,
            "lists": [file.to_json() for file in lists],
            "looked": None if self.names is None else [*self.names, "container"],
        }

    def _plan_again(self, lists: tuple[ListFile, ...]) -> dict[str, Any]:
        """Only the parsers that apply lists look again, and only for the lists that are new."""
        names = sorted(n for n, kinds in self.appliers.items() if any(file.kind in kinds for file in lists))
        applied = [file.to_json() for file in lists]
        return {"parsers": names, "skip": [], "listing": False, "descend": False, "lists": applied, "looked": names}

    def _submit(
        self, source_id: str, prefix: str, entries: list[dict[str, Any]], front: bool = False, **plan: Any
    ) -> None:
        self.pool.submit(
            {
                "kind": "parse",
                "source_id": source_id,
                "prefix": prefix,
                "entries": entries,
                **plan,
                "spool": str(self.workspace / f"batch-{next(self.numbers)}"),
                **self._specs[source_id],
                "taken": [],
                "coverage": [],
                "sizes": {},
                "rows": 0,
                "inside": [],
            },
            front=front,
        )

    def _take_file(self, task: dict[str, Any], answer: dict[str, Any]) -> None:
        entry = task["entries"][answer["index"]]
        task["taken"].append([entry["path"], entry.get("inode"), task["prefix"]])
        task["coverage"].extend(answer["coverage"])
        task["sizes"] = answer["sizes"]
        task["rows"] += answer["rows"]
        self.progress.files += 1
        self.progress.rows += answer["rows"]
        self.progress.last = entry["path"]
        for row in answer["coverage"]:
            self.progress.failed += row["outcome"] == "failed"
            if row["seconds"] > 0.05:
                name = row["parser"]
                self.progress.slowest[name] = self.progress.slowest.get(name, 0.0) + row["seconds"]
        task["inside"].extend(answer["inside"])
        for prefix in answer["inside"]:
            self._list(task["source_id"], prefix)

    def _take_loss(self, task: dict[str, Any], answer: dict[str, Any]) -> None:
        """A batch broke: keep what was acknowledged, say what was lost, go on behind it."""
        position = len(task["taken"])
        rest = task["entries"][position:]
        at = answer.get("parser") or "worker"
        if rest:
            lost = rest[0]
            row = Coverage(
                task["source_id"],
                lost["path"],
                at,
                at,
                "failed",
                0,
                answer["reason"],
                answer["code"],
                complete=False,
                inode=lost.get("inode"),
            )
            self.progress.failed += 1
            task["coverage"].append(row.to_dict())
            task["taken"].append([lost["path"], lost.get("inode"), task["prefix"]])
            if len(rest) > 1:
                self._submit(task["source_id"], task["prefix"], rest[1:], front=True, **self._plan_of(task))
            self._relist(task, lost, at)
        self._close(task)

    @staticmethod
    def _plan_of(task: dict[str, Any]) -> dict[str, Any]:
        kept = ("parsers", "skip", "listing", "descend", "lists", "looked", "known", "unread")
        return {name: task[name] for name in kept if name in task}

    def _relist(self, task: dict[str, Any], lost: dict[str, Any], parser: str) -> None:
        """The entry that broke a parser is still listed, and read by the other parsers."""
        broken = set(task.get("broken", ())) | {parser}
        if len(broken) >= BROKEN or broken & {"parse", "content"}:
            return
        names = sorted((set(self.known) if task["parsers"] is None else set(task["parsers"])) - broken)
        plan = {**self._plan_of(task), "parsers": names, "broken": sorted(broken)}
        plan["descend"] = task["descend"] and "container" not in broken
        self._submit(task["source_id"], task["prefix"], [lost], **plan)

    def _close(self, task: dict[str, Any]) -> None:
        finished = _Finished(
            task["source_id"],
            Path(task["spool"]),
            task["sizes"],
            task["coverage"],
            task["taken"],
            task["rows"],
            task["inside"],
            task["looked"],
            task["lists"],
        )
        self.waiting.append(finished)
        self.waiting_rows += task["rows"]
        if self.waiting_rows >= PART_ROWS:
            self._commit()

    def _commit(self) -> None:
        """Turn what waits into parts, then into one event a source."""
        alike: dict[tuple[str, bytes], list[_Finished]] = {}
        hows: dict[str, bytes] = {}  # notes go with the first batch of their source
        for finished in sorted(self.waiting, key=lambda finished: not finished.done):
            own = canonical([finished.looked, finished.lists])
            how = own if finished.done else hows.get(finished.source_id, own)
            hows.setdefault(finished.source_id, how)
            alike.setdefault((finished.source_id, how), []).append(finished)
        for (source_id, _), group in sorted(alike.items()):
            parts = self._parts(source_id, group)
            coverage = [row for finished in group for row in finished.coverage]
            done = [key for finished in group for key in finished.done]
            inside = [prefix for finished in group for prefix in finished.inside]
            first = group[0]
            self.ledger.append(
                [
                    Event(
                        "extraction",
                        {
                            "id": identify("ext", source_id, [vars(p) for p in parts], done),
                            "source_id": source_id,
                            "parts": [vars(p) for p in parts],
                            "coverage": coverage,
                            "done": done,
                            "inside": inside,
                            "parsers": first.looked,
                            "lists": [{k: v for k, v in one.items() if k != "path"} for one in first.lists],
                            **self.locked.said(source_id),
                        },
                    )
                ]
            )
            self.store.add(parts)
            for finished in group:
                shutil.rmtree(finished.spool, ignore_errors=True)
        self.waiting, self.waiting_rows = [], 0

    def _parts(self, source_id: str, group: list[_Finished]) -> list[Part]:
        spools: dict[str, list[Path]] = {}
        for finished in group:
            for artifact, size in sorted(finished.sizes.items()):
                safe = "".join(c if c.isalnum() or c in "._-" else "_" for c in artifact)
                file = finished.spool / f"{safe}.jsonl"
                if size:
                    if file.stat().st_size != size:
                        with file.open("r+b") as handle:  # rows of an entry that was never acknowledged
                            handle.truncate(size)
                    spools.setdefault(artifact, []).append(file)
        with ThreadPoolExecutor(self.pool.jobs) as threads:
            return list(threads.map(lambda kept: self.store.write_part(source_id, *kept), sorted(spools.items())))


def _what(row: dict[str, Any]) -> bytes:
    """A coverage row without what differs from run to run."""
    return canonical({k: v for k, v in row.items() if k != "seconds"})
