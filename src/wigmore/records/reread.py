"""Reading records again from the evidence, past every cache: the audit's second half of a citation."""

from __future__ import annotations

import itertools
import json
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from wigmore.evidence.source import SourceSpec
from wigmore.model.lists import ListFile
from wigmore.records.pool import FanOut, batches
from wigmore.records.worker import spec_json

Place = tuple[str, str, str | None]  # source, path, inode


def reread(
    pool: FanOut,
    specs: Mapping[str, tuple[SourceSpec, dict[str, str]]],
    cited: Mapping[str, Mapping[str, Any]],
    prefixes: Mapping[Place, str],
    workspace: Path,
    hash_sources: bool = True,
    lists: Iterable[ListFile] = (),
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]], list[str]]:
    """Parse the files of the cited records again; returns their rows by id, source hashes, and what could not be read.

    `cited` maps a record id to its stored row, `prefixes` the place of a file to the store that it lies in; `lists` are the
    examiner's lists, for the parsers that apply them.
    """
    pool.forget_sources()
    applied = [file.to_json() for file in lists]
    rows: dict[str, dict[str, Any]] = {}
    hashes: dict[str, dict[str, Any]] = {}
    trouble: list[str] = []
    numbers = itertools.count()
    stores: dict[tuple[str, str], dict[tuple[str, str | None], list[Mapping[str, Any]]]] = {}
    for row in cited.values():
        place = (row["source_id"], row["path"], row["inode"])
        store = stores.setdefault((row["source_id"], prefixes.get(place, "")), defaultdict(list))
        store[row["path"], row["inode"]].append(row)
    workspace.mkdir(parents=True, exist_ok=True)
    try:
        for source_id, (spec, secrets) in sorted(specs.items()):
            base = {"source": spec_json(spec), "secrets": secrets, "source_id": source_id, "lists": applied}
            if hash_sources:
                pool.submit({"kind": "hash", **base})
            for of_source, prefix in sorted(stores):
                if of_source == source_id:
                    spool = str(workspace / f"l{next(numbers)}")
                    pool.submit({"kind": "list", "prefix": prefix, "spool": spool, **base})
        for task, answer in pool.answers():
            event = answer["event"]
            if event in ("lost", "error"):
                trouble.append(
                    f"{task['source_id']} {task.get('prefix', '')} {answer.get('path', '')}: {answer['reason']}"
                )
            elif task["kind"] == "hash":
                hashes[task["source_id"]] = answer["hashes"]
            elif task["kind"] == "list" and event == "done":
                _submit(pool, task, stores[task["source_id"], task["prefix"]], workspace, numbers)
            elif task["kind"] == "parse" and event == "done":
                for file in sorted(Path(task["spool"]).glob("*.jsonl")):
                    with file.open("rb") as lines:
                        rows.update((row["record_id"], row) for row in map(json.loads, lines))
                shutil.rmtree(task["spool"], ignore_errors=True)
    finally:
        shutil.rmtree(workspace, ignore_errors=True)
    return rows, hashes, trouble


def _bare(row: Mapping[str, Any]) -> bool:
    """Whether a listing was made without the entry's content: locked then, perhaps open now."""
    return row["artifact"] == "file_listing" and '"sha256"' not in str(row["data"])


def _submit(
    pool: FanOut,
    task: dict[str, Any],
    places: Mapping[tuple[str, str | None], list[Mapping[str, Any]]],
    workspace: Path,
    numbers: itertools.count[int],
) -> None:
    """Have the entries of a listing that hold cited records parsed, each by the parsers that gave them."""
    spool = Path(task["spool"])
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    with spool.open("rb") as lines:
        for line in lines:
            entry = json.loads(line)
            cited = places.get((entry["path"], entry.get("inode")), ())
            if cited:
                groups[tuple(sorted({row["parser"] for row in cited}))].append(entry)
    spool.unlink()
    for names, entries in sorted(groups.items()):
        for batch in batches(entries):
            pool.submit(
                {
                    "kind": "parse",
                    "source_id": task["source_id"],
                    "source": task["source"],
                    "secrets": task["secrets"],
                    "prefix": task["prefix"],
                    "lists": task["lists"],
                    "entries": batch,
                    "parsers": list(names),
                    "listing": "file_listing" in names,
                    "descend": "container" in names,
                    "bare": sorted(e["path"] for e in batch if any(map(_bare, places[e["path"], e.get("inode")]))),
                    "only": [r["record_id"] for e in batch for r in places[e["path"], e.get("inode")]],
                    "spool": str(workspace / f"b{next(numbers)}"),
                }
            )
