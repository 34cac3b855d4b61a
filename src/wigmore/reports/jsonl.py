"""The evidence graph as JSON lines: one object a line, its `type` first among what to read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wigmore.ledger import durable_file
from wigmore.reports.data import ReportData, report_format


def objects(data: ReportData) -> Iterator[dict[str, Any]]:
    """The case, sources, phenomena with facts, hypotheses, edges, ties, probes, questions, reviews, entities."""
    case = data.context.get("case")
    run = data.context.get("run") or {}
    yield {
        "type": "case",
        "case": case,
        "title": data.context.get("title"),
        "run": run.get("run"),
        "ledger_head": run.get("ledger_head"),
        "graph_hash": run.get("graph_hash"),
        "audit": (run.get("audit") or {}).get("overall"),
    }
    for source in data.sources:
        yield {**source_row(source), "type": "source", "case": case}
    for phenomenon in data.phenomena:
        row = {k: v for k, v in phenomenon.items() if k != "facts"}
        yield {**row, "type": "phenomenon", "case": case, "facts": [f["fact_id"] for f in phenomenon["facts"]]}
        for fact in phenomenon["facts"]:
            yield {**fact, "type": "fact", "case": case}
    for hypothesis in data.hypotheses:
        row = {k: v for k, v in hypothesis.items() if k not in ("edges", "confidence_log", "probes_made")}
        yield {**row, "type": "hypothesis", "case": case, "confidence_is": "working score (uncalibrated)"}
    for kind, rows in (
        ("edge", data.edges),
        ("entity_link", data.links),
        ("probe", data.probes),
        ("question", data.questions),
        ("review", data.reviews),
    ):
        for row in rows:
            yield {**row, "type": kind, "case": case}
    for entity in data.entities:
        yield {
            **{k: v for k, v in entity.items() if k != "type"},
            "type": "entity",
            "entity_type": entity["type"],
            "case": case,
        }


def source_row(source: dict[str, Any]) -> dict[str, Any]:
    """A source with its own type under `source_type`."""
    return {**{k: v for k, v in source.items() if k != "type"}, "source_type": source["type"]}


@report_format("jsonl", "graph.jsonl")
def graph_jsonl(data: ReportData, folder: Path) -> Path:
    """The evidence graph as JSON lines: case, sources, phenomena, facts, hypotheses, edges, entities, each typed."""
    target = folder / "graph.jsonl"
    with durable_file(target) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        for thing in objects(data):
            stream.write(json.dumps(thing, sort_keys=True, ensure_ascii=True) + "\n")
    return target
