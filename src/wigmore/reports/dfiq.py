"""The case's questions and its answer sheet as DFIQ components: one scenario, two facets, a question with its approach each.

DFIQ (Digital Forensics Investigative Questions, dfiq.org), version 1.1: YAML documents of the types scenario, facet and
question. Readers of 1.1 ask for `name`, the published files write `display_name`; both are written. Numbers that begin
with 0 are reserved for components that are not published. What DFIQ has no place for, the answers, stands under the key
`wigmore`: state, answer, the records it rests on, and what was looked at.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import yaml

from wigmore.ledger import durable_file
from wigmore.model.canonical import canonical, clean
from wigmore.reports.data import ReportData, report_format
from wigmore.reports.index import Index
from wigmore.reports.markup import plain

Component = dict[str, Any]

VERSION = "1.1.0"
NAMESPACE = UUID("0d7e3a52-6a2f-5c59-8b0c-2f3a9a4f7c11")  # ours: a question of a case has one uuid in all its exports
SCENARIO, ASKED, STANDARD = "S0001", "F0001", "F0002"
FACETS = {
    ASKED: ("What this case asks", "The questions that the examiner put to the evidence."),
    STANDARD: ("What every case asks", "The standard questions that are about something in this case."),
}


def components(data: ReportData) -> Iterator[Component]:
    """The scenario, its facets and the questions, those of the case file first."""
    index = Index(data)
    case = plain(data.context.get("case"))
    title = plain(data.context.get("title")) or case or "untitled case"

    def made(kind: str, name: str, number: str, description: str, parents: list[str], **more: Any) -> Component:
        return {
            "name": clean(name),
            "display_name": clean(name),
            "type": kind,
            "description": clean(description),
            "uuid": str(uuid5(NAMESPACE, canonical([data.root, kind, more.pop("key", number)]).decode())),
            "internal": True,
            "id": number,
            "dfiq_version": VERSION,
            "tags": more.pop("tags", []),
            **({"parent_ids": parents} if parents else {}),
            **more,
        }

    yield made(
        "scenario", title, SCENARIO, "The questions of one case, with their answers.", [], wigmore={"case": case}
    )
    for number, (name, description) in FACETS.items():
        yield made("facet", name, number, description, [SCENARIO])
    rows = sorted(data.questions, key=lambda q: (bool(q.get("standard")), plain(q.get("id"))))
    for count, row in enumerate(rows, 1):
        standard = bool(row.get("standard"))
        yield made(
            "question",
            plain(row.get("ask") or row.get("question")),
            f"Q{count:04d}",
            "",
            [STANDARD if standard else ASKED],
            key=plain(row.get("id")),
            tags=["standard"] if standard else [],
            approaches=[_approach(index, row)],
            wigmore=_answer(row),
        )


def _approach(index: Index, row: dict[str, Any]) -> Component:
    """How the answer was reached, and how it is reached again."""
    looked = [x if isinstance(x, dict) else {"artifact": x} for x in row.get("looked_at") or ()]
    covered = [x for x in looked if x.get("complete", True)]
    call = index.invocations.get(plain(row.get("invocation_id")), {})
    ask = call.get("rerun") or f"wigmore ask {index.case} {shlex.quote(plain(row.get('ask') or row.get('question')))}"
    return {
        "name": "Read the records of the case",
        "description": "Records that parsers read out of the sources are queried; an answer cites the records it rests on.",
        "tags": ["wigmore"],
        "references": [],
        "notes": {
            "covered": sorted({_words(x) for x in covered}),
            "not_covered": sorted({_words(x) for x in looked if x not in covered}),
        },
        "steps": [
            {
                "name": "Read the sources into records",
                "description": "Every file that a parser claims.",
                "stage": "processing",
                "type": "command",
                "value": clean(f"wigmore run {index.case}"),
            },
            {
                "name": "Answer the question from the records",
                "description": "Prints the answer again.",
                "stage": "analysis",
                "type": "command",
                "value": clean(plain(ask)),
            },
        ],
    }


def _words(looked: dict[str, Any]) -> str:
    where = f" at {plain(looked['path'])}" if looked.get("path") else ""
    why = f": {plain(looked['reason'])}" if looked.get("reason") else ""
    return clean(f"{plain(looked.get('artifact'))}{where}{why}")


def _answer(row: dict[str, Any]) -> Component:
    """State, answer and citations of a question as the case has them."""
    kept = ("id", "status", "verdict", "answer", "count", "invocation_id", "citations")
    return {k: _cleaned(row[k]) for k in kept if row.get(k) not in (None, "", [])}


def _cleaned(value: Any) -> Any:
    """Plain values without what YAML cannot hold."""
    if isinstance(value, dict):
        return {clean(plain(k)): _cleaned(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cleaned(v) for v in value]
    return clean(value) if isinstance(value, str) else value


@report_format("dfiq", "dfiq.yaml")
def dfiq(data: ReportData, folder: Path) -> Path:
    """The questions with the state of their answers as DFIQ components, one YAML document each."""
    target = folder / "dfiq.yaml"
    with durable_file(target) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        yaml.safe_dump_all(
            components(data), stream, sort_keys=False, allow_unicode=True, width=120, explicit_start=True
        )
    return target
