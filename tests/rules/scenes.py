"""Scenes for rules: records of one artifact that a rule must match, and a near miss that it must leave alone.

A row is what a parser yields: `row({"name": "a"}, at="2026-03-02T10:00:00Z", path="Users/a/x")`. Keyword arguments beside
`path`, `state`, `origin`, `host` and `artifact` are times, the first of which dates the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wigmore.model.protocols import Record
from wigmore.model.times import iso
from wigmore.records.rows import RowMaker
from wigmore.records.store import RecordStore

AUDIT = "Microsoft-Windows-Security-Auditing"
SYSMON = "Microsoft-Windows-Sysmon"
ACCOUNT = "S-1-5-21-1-2-3-1001"
Rows = list[tuple[str, Record]]


@dataclass(frozen=True)
class Scene:
    """What a rule must match, and what is nearly that."""

    artifact: str
    hit: Rows
    miss: Rows
    given: dict[str, str] = field(default_factory=dict)  # what a lead asks about: `$subject`


def row(
    data: dict[str, Any],
    *,
    path: str = "files/evidence",
    state: str = "live",
    origin: str = "",
    host: str = "",
    artifact: str = "",
    **times: str,
) -> tuple[str, Record]:
    """A path and a record; `artifact` where it is not the scene's."""
    made = {name: iso(text) for name, text in times.items()}
    assert None not in made.values(), times
    dated = next(iter(made), None)
    return path, Record(data, made, dated, state, host, origin, artifact)  # type: ignore[arg-type]


def scene(artifact: str, hit: Any, miss: Any, **given: str) -> Scene:
    """A scene; a plain dictionary is a record without times."""
    return Scene(artifact, _rows(hit), _rows(miss), given)


def _rows(given: Any) -> Rows:
    listed = given if isinstance(given, list) else [given]
    return [row(one) if isinstance(one, dict) else one for one in listed]


def event(number: int, provider: str = AUDIT, at: str = "2026-03-02T10:00:00Z", **values: Any) -> tuple[str, Record]:
    """An event-log record."""
    times = {k: values.pop(k) for k in ("PreviousTime", "NewTime") if k in values}
    return row({"event_id": number, "provider": provider, "computer": "HOST1", **values}, time_created=at, **times)


def started(line: str, **values: Any) -> tuple[str, Record]:
    """A process start in Sysmon's log."""
    return event(1, SYSMON, CommandLine=line, Image="C:\\Windows\\System32\\cmd.exe", User="HOST1\\a", **values)


def listed(path: str, **values: Any) -> tuple[str, Record]:
    """A file of a listing."""
    name = path.rsplit("/", 1)[-1]
    data: dict[str, Any] = {"name": name, "kind": "file", "deleted": False, "size": 5000, **values}
    if "." in name.strip("."):
        data.setdefault("extension", name.rpartition(".")[2].lower())
    return row(data, path=path, modified="2026-03-02T10:00:00Z")


def fill(store: RecordStore, folder: Path, source: str, artifact: str, rows: Sequence[tuple[str, Record]]) -> None:
    """Put the rows of a scene into a store, as one source."""
    for name in sorted({record.artifact or artifact for _, record in rows}):
        spool = folder / f"{source}.{name}.jsonl"
        lines = (
            RowMaker(source, path, None, artifact).line(n, {"kind": "record", "number": n}, record)[2]
            for n, (path, record) in enumerate(rows)
            if (record.artifact or artifact) == name
        )
        spool.write_bytes(b"".join(lines))
        store.add([store.write_part(source, name, [spool])])
