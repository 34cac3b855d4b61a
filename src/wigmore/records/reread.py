"""Reading records again from the evidence, past every cache: the audit's second half of a citation."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from wigmore.evidence.source import SourceSpec
from wigmore.records.pool import Pool
from wigmore.records.worker import spec_json

RECORD_ID = re.compile(rb'"record_id":"([^"]*)"')  # a quote inside a value is escaped: only the key itself matches
Place = tuple[str, str, str | None]  # source, path, inode


def reread(
    specs: Mapping[str, tuple[SourceSpec, dict[str, str]]],
    wanted: Mapping[Place, set[str]],
    prefixes: Mapping[Place, str],
    record_ids: Collection[str],
    workspace: Path,
    jobs: int = 2,
    hash_sources: bool = True,
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]], list[str]]:
    """Parse the named files again; returns the rows asked for by record id, source hashes, and what could not be read.

    `wanted` maps a place to the parsers whose rows are asked for (`file_listing` and `container` among them).
    """
    pool = Pool(jobs, lambda name: pool.ready.get(name, 600.0 if name == "hash" else 180.0))
    rows: dict[str, dict[str, Any]] = {}
    hashes: dict[str, dict[str, Any]] = {}
    trouble: list[str] = []
    numbers = itertools.count()
    stores: dict[tuple[str, str], set[tuple[str, str | None]]] = defaultdict(set)
    for place in wanted:
        stores[place[0], prefixes.get(place, "")].add((place[1], place[2]))
    workspace.mkdir(parents=True, exist_ok=True)
    try:
        for source_id, (spec, secrets) in sorted(specs.items()):
            base = {"source": spec_json(spec), "secrets": secrets, "source_id": source_id}
            if hash_sources:
                pool.submit({"kind": "hash", **base})
            for (of_source, prefix), _ in sorted(stores.items()):
                if of_source == source_id:
                    pool.submit(
                        {"kind": "list", "prefix": prefix, "spool": str(workspace / f"l{next(numbers)}"), **base}
                    )
        for task, answer in pool.answers():
            event = answer["event"]
            if event in ("lost", "error"):
                trouble.append(
                    f"{task['source_id']} {task.get('prefix', '')} {answer.get('path', '')}: {answer['reason']}"
                )
            elif task["kind"] == "hash":
                hashes[task["source_id"]] = answer["hashes"]
            elif task["kind"] == "list" and event == "done":
                _submit(pool, task, stores[task["source_id"], task["prefix"]], wanted, workspace, numbers)
            elif task["kind"] == "parse" and event == "done":
                for file in sorted(Path(task["spool"]).glob("*.jsonl")):
                    with file.open("rb") as lines:
                        for line in lines:
                            known = RECORD_ID.search(line)
                            if known is None or known[1].decode() not in record_ids:
                                continue  # a log of a million lines may be cited once
                            row = json.loads(line)
                            rows[row["record_id"]] = row
                shutil.rmtree(task["spool"], ignore_errors=True)
    finally:
        pool.close()
        shutil.rmtree(workspace, ignore_errors=True)
    return rows, hashes, trouble


def _submit(
    pool: Pool,
    task: dict[str, Any],
    places: set[tuple[str, str | None]],
    wanted: Mapping[Place, set[str]],
    workspace: Path,
    numbers: itertools.count[int],
) -> None:
    spool = Path(task["spool"])
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    with spool.open("rb") as lines:
        for line in lines:
            entry = json.loads(line)
            key = (entry["path"], entry.get("inode"))
            if key in places:
                groups[tuple(sorted(wanted[task["source_id"], *key]))].append(entry)
    spool.unlink()
    for names, entries in sorted(groups.items()):
        for start in range(0, len(entries), 64):
            pool.submit(
                {
                    "kind": "parse",
                    "source_id": task["source_id"],
                    "source": task["source"],
                    "secrets": task["secrets"],
                    "prefix": task["prefix"],
                    "entries": entries[start : start + 64],
                    "parsers": list(names),
                    "listing": "file_listing" in names,
                    "descend": "container" in names,
                    "spool": str(workspace / f"b{next(numbers)}"),
                }
            )
