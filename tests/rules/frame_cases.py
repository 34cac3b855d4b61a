"""Cases of written-down records, put through all phases with the package's own rules, without any extraction.

`said(folder, {"windows.eventlog": [event(…), …]}, looked=("windows.prefetch",))` gives what may be said of each hypothesis.
`looked` names artifacts that were there, complete and without any record: an absence in them means something. Artifacts that
are named nowhere were never found. An artifact may be named with the path its records lie at, as `file_listing@Users/a/b.txt`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from wigmore.investigation.config import Config
from wigmore.investigation.phases import Investigation, conclusions
from wigmore.investigation.rule_book import RuleBook
from wigmore.investigation.workbench import Workbench
from wigmore.ledger import Event
from wigmore.model.nouns import Coverage, EvidenceSource
from wigmore.model.protocols import Record
from wigmore.model.times import iso
from wigmore.records.rows import RowMaker

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SOURCE = "src-a"
AUDIT = "Microsoft-Windows-Security-Auditing"
SYSMON = "Microsoft-Windows-Sysmon"
Records = Mapping[str, Sequence[Record]]


@dataclass(frozen=True)
class Said:
    """What a case came to."""

    verdicts: dict[
        str, dict[str, Any]
    ]  # by template (and subject, as `template(subject)`), as `conclusions` gives them
    beliefs: dict[str, float]  # confidence by template, `template/alternative` for alternatives
    observed: tuple[str, ...]  # rules whose phenomena were admitted
    edges: tuple[tuple[str, str, str], ...]  # (rule, template or template/alternative, edge type)

    def verdict(self, template: str) -> str:
        """`concluded`, `contested`, `not_tested`, `refuted`, `open`; `not raised` for a frame nothing led to."""
        return str(self.verdicts.get(template, {}).get("verdict", "not raised"))


def record(data: dict[str, Any], at: str = "", **more: Any) -> Record:
    """A record with one time, `at`."""
    return Record(data, {"at": iso(at)} if at else {}, "at" if at else None, **more)  # type: ignore[dict-item]


def event(number: int, provider: str = AUDIT, at: str = "2026-03-02T10:00:00Z", **values: Any) -> Record:
    """An event-log record as its parser yields it."""
    data = {"event_id": number, "provider": provider, "computer": "HOST1", "channel": "Security", **values}
    return Record(data, {"time_created": iso(at)}, "time_created")  # type: ignore[dict-item]


def started(
    line: str, image: str = "C:\\Windows\\System32\\cmd.exe", at: str = "2026-03-02T10:00:00Z", **values: Any
) -> Record:
    """A process start in Sysmon's log."""
    shell = {"ParentImage": "C:\\Windows\\explorer.exe", "ParentCommandLine": "explorer.exe"}
    return event(1, SYSMON, at, **{**shell, "CommandLine": line, "Image": image, "User": "HOST1\\someone", **values})


_BOOK: list[RuleBook] = []  # the package's rules, read once a test run


class _Bench(Workbench):
    """A workbench whose rules are the package's, read once for all cases."""

    @property
    def rules(self) -> RuleBook:
        if not _BOOK:
            _BOOK.append(RuleBook.load(self.case_file))
        return _BOOK[0]


def _extracted(bench: Workbench, folder: Path, source: str, artifact: str, records: Iterable[Record]) -> Event:
    """Write the records of one artifact, and say what the extraction would have said of them."""
    artifact, _, path = artifact.partition("@")
    path = path or f"files/{artifact}"
    maker, spool = RowMaker(source, path, None, artifact), folder / f"{source}-{artifact}.jsonl"
    lines = [maker.line(n, {"kind": "record", "number": n}, r)[2] for n, r in enumerate(records)]
    spool.write_bytes(b"".join(lines))
    parts = [vars(bench.store.write_part(source, artifact, [spool]))] if lines else []
    row = Coverage(source, path, artifact, artifact, "found" if lines else "empty", len(lines))
    body = {"id": f"ext-{source}-{artifact}-{path}", "source_id": source, "parts": parts, "coverage": [row.to_dict()]}
    return Event("extraction", {**body, "done": [], "inside": [], "parsers": [artifact], "lists": []})


def said(
    folder: Path,
    records: Records,
    *,
    looked: Sequence[str] = (),
    type: str = "disk_image",
    platform: str = "windows",
    others: Mapping[str, Records] | None = None,
    acquired: str = "",
) -> Said:
    """Put records through triage, hypotheses and rounds; `others` are further sources."""
    sources = {SOURCE: records, **(others or {})}
    (folder / "evidence").mkdir()
    meta = {"platform": platform, **({"acquired": acquired} if acquired else {})}
    listed = [
        {"id": s, "path": str(folder / "evidence"), "type": type, "platform": platform, "label": s} for s in sources
    ]
    (folder / "case.yaml").write_text(yaml.safe_dump({"case": "0417", "sources": listed}), encoding="utf-8")
    with mock.patch("os.fsync"), _Bench(folder, config=Config(), clock=lambda: NOW) as bench:
        bench.append([Event("run.started", {"id": "run-001"})])
        for name, held in sources.items():
            made = EvidenceSource(name, name, type, "tree", str(folder / "evidence"), meta)
            bench.append([Event("source", made.to_dict())])
            bench.append([Event("source.hashed", {"id": name, "hashes": {"sha256": "0" * 64}, "mismatch": ""})])
            empty = {artifact: () for artifact in looked if name == SOURCE}
            for artifact, of_it in sorted({**empty, **held}.items()):
                bench.append([_extracted(bench, folder, name, artifact, of_it)])
        investigation = Investigation(bench, jobs=1)
        investigation.triage()
        investigation.hypothesise()
        investigation.investigate()
        problems = {**investigation.outcome.failed_tasks, **investigation.outcome.failed_roles}
        assert not problems and not investigation.outcome.failed_leads, problems or "a lead failed"
        return _read(bench)


def _read(bench: Workbench) -> Said:
    state = bench.state
    names = {
        h.id: h.template + (f"({h.subject})" if h.subject not in ("", SOURCE) else "")
        for h in state.hypotheses.values()
    }
    laid = [e for name in state.hypotheses for e in state.edges_to(name)]
    edges = {(state.phenomena[e.phenomenon_id].rule, names[e.hypothesis_id], e.edge_type) for e in laid}
    return Said(
        {names[row["hypothesis_id"]]: row for row in conclusions(bench)},
        {name: state.confidence(h) for h, name in names.items()},
        tuple(sorted({p.rule for p in state.phenomena.values() if not p.negative})),
        tuple(sorted(edges)),
    )
