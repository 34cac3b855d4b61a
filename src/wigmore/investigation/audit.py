"""The audit: chain, outputs, parts, sources, and every citation run again to the bytes."""

from __future__ import annotations

import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wigmore.evidence.hashing import hash_stream
from wigmore.evidence.store import Entry
from wigmore.graph.proposals import field_of
from wigmore.investigation.case_file import CaseFileError
from wigmore.investigation.covered import eras
from wigmore.investigation.workbench import Workbench
from wigmore.ledger import verify_case
from wigmore.model.canonical import canonical, sha256
from wigmore.model.lists import ListFile
from wigmore.model.nouns import Finding, Phenomenon, ToolInvocation, VerifiedFact
from wigmore.model.protocols import ParseError
from wigmore.records.pool import FanOut
from wigmore.records.reread import Place, reread
from wigmore.records.rows import COLUMNS
from wigmore.records.store import file_sha256
from wigmore.registry import tools


@dataclass
class Audit:
    """What the audit found."""

    findings: list[Finding] = field(default_factory=list)
    chain_ok: bool = True
    sources_ok: bool = True
    citations_checked: int = 0
    citations_reproduced: int = 0
    graph_hash: str = ""

    @property
    def overall(self) -> str:
        """approve | request_changes | block."""
        severities = {f.severity for f in self.findings}
        return "block" if "block" in severities else "request_changes" if "warn" in severities else "approve"

    def add(self, severity: str, code: str, message: str, where: str = "") -> None:
        """Note a finding."""
        self.findings.append(Finding(severity, code, message, where))

    def to_dict(self) -> dict[str, Any]:
        """As INTERFACE.md prints it."""
        return {
            "overall": self.overall,
            "chain_ok": self.chain_ok,
            "sources_ok": self.sources_ok,
            "citations_checked": self.citations_checked,
            "citations_reproduced": self.citations_reproduced,
            "findings": [f.to_dict() for f in self.findings],
            "graph_hash": self.graph_hash,
        }


def check_chain(case: Path, expect_head: str | None) -> Audit:
    """The chain, its projections, its outputs and the heads of archived runs; needs no graph."""
    audit = Audit()
    for damage in verify_case(case, expect_head):
        audit.chain_ok = False
        audit.add("block", damage.code, damage.message, damage.where)
    return audit


def audit_case(bench: Workbench, audit: Audit, pool: FanOut) -> Audit:
    """Parts, sources and citations of an opened case, after its chain was checked; `pool` reads the evidence again."""
    audit.graph_hash = bench.state.graph_hash()
    _parts(bench, audit)
    facts = [(p, f) for p in sorted(bench.state.phenomena.values(), key=lambda p: p.id) for f in p.verified_facts]
    stored, prefixes = _cited(bench, facts)
    specs = {}
    for source_id in sorted(bench.state.sources):
        try:
            specs[source_id] = (bench.spec(source_id), bench.secrets(source_id))
        except (KeyError, ValueError) as error:
            audit.add("block", "source_gone", str(error), source_id)
    cited = {f.citation.invocation_id for _, f in facts}
    cited |= {str(q["invocation_id"]) for q in bench.state.questions.values() if q.get("invocation_id")}
    # workers read the evidence again while the calls are run again here
    with tempfile.TemporaryDirectory(prefix="wigmore-audit-") as folder, ThreadPoolExecutor(1) as beside:
        work = Path(folder) / "work"
        reading = beside.submit(reread, pool, specs, stored, prefixes, work, lists=_lists(bench, audit))
        reproduced = _invocations(bench, audit, cited, pool.jobs)
        rows, hashes, trouble = reading.result()
    for message in trouble:
        audit.add("warn", "reread_failed", message)
    _sources(bench, audit, hashes)
    _citations(bench, audit, facts, reproduced, rows, stored)
    return audit


def _lists(bench: Workbench, audit: Audit | None) -> tuple[ListFile, ...]:
    """The examiner's lists as they are now; none, and a finding, where they cannot be read."""
    try:
        return bench.lists
    except CaseFileError as error:
        if audit is not None:
            audit.add("warn", "list_gone", str(error))
        return ()


def _parts(bench: Workbench, audit: Audit) -> None:
    for part in bench.store.parts:
        path = bench.store.folder / part.file
        if not path.is_file():
            audit.add("block", "part_missing", "a part of the records is missing", f"records/{part.file}")
        elif file_sha256(path) != part.sha256:
            audit.add("block", "part_damaged", "a part of the records is not what was written", f"records/{part.file}")


def _invocations(bench: Workbench, audit: Audit, wanted: set[str], jobs: int) -> set[str]:
    """Run each cited call again; the ids of those that printed the same bytes."""
    bench.store.forget()
    cited = {name: bench.runner.invocation(name) for name in sorted(wanted)}
    asked = frozenset(str(call.args["rule"]) for call in cited.values() if call and "rule" in call.args)

    def trouble(call: ToolInvocation | None) -> tuple[str, str]:
        if call is None:
            return "invocation_missing", "a cited call is not in the ledger"
        try:
            same = sha256(bench.runner.again(call, asked)) == call.output_sha256
        except Exception as error:  # noqa: BLE001  # damaged records may raise anything; the finding names the call
            return "invocation_failed", f"{type(error).__name__}: {error}"[:300]
        return ("", "") if same else ("output_differs", "the call prints other bytes than recorded")

    def dearest(name: str) -> tuple[float, str]:
        known = tools().get(call.tool) if (call := bench.runner.invocation(name)) else None
        return (-known.cost if known else 0, name)

    good: set[str] = set()
    with ThreadPoolExecutor(jobs) as threads:
        for era in eras(bench.ledger, set(cited)):
            with bench.as_of(era):
                called = {name: cited.pop(name) for name in sorted(era.calls, key=dearest) if name in cited}
                for (name, call), (code, message) in zip(
                    called.items(), threads.map(trouble, called.values()), strict=True
                ):
                    if code:
                        audit.add("block", code, message, call.rerun if call else name)
                    else:
                        good.add(name)
    for name in cited:
        audit.add("block", "invocation_missing", "a cited call is not in the ledger", name)
    return good


def _cited(bench: Workbench, facts: list[tuple[Phenomenon, Any]]) -> tuple[dict[str, dict[str, Any]], dict[Place, str]]:
    """The stored rows of the cited records by id, and the store that each of their files lies in."""
    stored = bench.store.by_id(f.citation.record_id for _, f in facts if f.citation.kind == "field")
    places = {(row["source_id"], row["path"], row["inode"]) for row in stored.values()}
    prefixes: dict[Place, str] = {}
    for event in bench.ledger.events("extraction"):
        for path, inode, prefix in event.body["done"]:
            place = (event.body["source_id"], path, inode)
            if place in places:
                prefixes[place] = prefix
    return stored, prefixes


def _sources(bench: Workbench, audit: Audit, hashes: dict[str, dict[str, Any]]) -> None:
    for source_id in sorted(bench.state.sources):
        before = bench.state.hashes.get(source_id, {}).get("hashes") or {}
        now = hashes.get(source_id)
        if now is None or "error" in (now or {}):
            audit.sources_ok = False
            audit.add("block", "source_unreadable", "the source could not be hashed again", source_id)
            continue
        differing = sorted(k for k in set(before) & set(now) if before[k] != now[k])
        if differing or not before:
            audit.sources_ok = False
            path = next((str(s.path) for s in bench.case_file.sources if s.id == source_id), source_id)
            changed = _changed_files(before, now) or _changed_in_tree(bench, source_id)
            where = f"{source_id} ({path}){': ' + changed if changed else ''}"
            audit.add(
                "block",
                "source_changed",
                f"the source is not what it was at intake: {', '.join(differing) or 'no intake hash'}",
                where,
            )
        if now.get("stored_ok") is False:
            audit.add(
                "warn", "stored_hash_differs", "the medium differs from the hash stored in its container", source_id
            )


def _changed_files(before: dict[str, Any], now: dict[str, Any]) -> str:
    old = {s["path"]: s["sha256"] for s in before.get("segments", ()) if isinstance(s, dict) and "path" in s}
    new = {s["path"]: s["sha256"] for s in now.get("segments", ()) if isinstance(s, dict) and "path" in s}
    return ", ".join(sorted(p for p in {*old, *new} if old.get(p) != new.get(p))[:5])


def _changed_in_tree(bench: Workbench, source_id: str) -> str:
    """The files of a folder that differ from their listing, by hashing it once more; the first five."""
    listed: dict[str, str] = {}
    for row in bench.store.stream(
        f"SELECT path, json_extract_string(data, '$.sha256') AS sha256 "
        f"FROM {bench.store.relation(['file_listing'], source_id)} ORDER BY path, inode"
    ):
        listed.setdefault(row["path"], row["sha256"] or "")
    named: list[str] = []
    try:
        top = bench.open_source(source_id).open_store("")
        for entry in top.entries():
            if not isinstance(entry, Entry) or not entry.readable:
                continue
            known = listed.pop(entry.path, None)
            if known is None:
                named.append(f"{entry.path} (not there at intake)")
                continue
            with top.file(entry).open() as stream:
                if known and hash_stream(stream)["sha256"] != known:
                    named.append(entry.path)
        files = tuple(f"{entry.path}/" for entry in top.entries() if isinstance(entry, Entry) and entry.readable)
        gone = [path for path, known in listed.items() if known and not f"{path}/".startswith(files)]
        named += [f"{path} (gone)" for path in gone]  # what lies inside a container goes with the container
    except (ParseError, OSError) as error:
        named.append(str(error))
    return ", ".join(sorted(named)[:5])


def _citations(
    bench: Workbench,
    audit: Audit,
    facts: list[tuple[Phenomenon, Any]],
    reproduced: set[str],
    rows: dict[str, dict[str, Any]],
    stored: dict[str, dict[str, Any]],
) -> None:
    outputs: dict[str, list[dict[str, Any]]] = {}
    lists = _lists(bench, None)
    for phenomenon, fact in facts:
        audit.citations_checked += 1
        where = f"{phenomenon.id} {fact.name} ({fact.path or fact.citation.invocation_id})"
        if fact.citation.invocation_id not in reproduced:
            continue
        if fact.citation.kind == "field":
            again, known = rows.get(fact.citation.record_id), stored.get(fact.citation.record_id)
            if known is None:
                audit.add("block", "record_missing", "the cited record is not among the records", where)
                continue
            listed = json.loads(known["locator"]).get("list")
            if again is None and listed and not any(f.sha256.startswith(listed) for f in lists):
                audit.add("warn", "list_changed", "the list that gave the cited record is no longer the case's", where)
                continue
            if again is None:
                audit.add(
                    "block", "record_not_reread", "reading the evidence again did not give the cited record", where
                )
                continue
            if any(canonical(again.get(c)) != canonical(known.get(c)) for c in COLUMNS if c != "ordinal"):
                audit.add("block", "record_differs", "reading the evidence again gave another record", where)
                continue
        invocation = bench.runner.invocation(fact.citation.invocation_id)
        assert invocation is not None
        if invocation.id not in outputs:
            outputs[invocation.id] = bench.runner.rows(invocation)
        if not _holds(fact, invocation, outputs[invocation.id]):
            audit.add("block", "value_differs", "the cited call does not print what the fact says", where)
            continue
        audit.citations_reproduced += 1


def _holds(fact: VerifiedFact, call: ToolInvocation, rows: list[dict[str, Any]]) -> bool:
    """Whether a cited call printed what a fact says: the field of the record or of the numbered row, or nothing at all."""
    if fact.citation.kind == "empty":
        return call.status == "empty" and not rows
    if fact.citation.kind == "field":
        row = next((r for r in rows if r.get("record_id") == fact.citation.record_id), None)
    else:
        number = fact.locator.get("row", -1)
        row = rows[number] if 0 <= number < len(rows) else None
    return row is not None and canonical(field_of(row, fact.citation.field)) == canonical(fact.value)
