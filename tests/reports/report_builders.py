"""A case made by hand: as many observations as asked, every text of evidence chosen by the test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wigmore.model import times
from wigmore.reports.data import ReportData

EDGES = ("direct_evidence", "supports", "consequence_observed", "prerequisite_met", "weakens", "contradicts")
DAY = 86_400


def fact(number: int, text: str, name: str = "ServiceName") -> dict[str, Any]:
    """A fact of observation `number`."""
    return {
        "fact_id": f"fact-{number}-{name if name.isalnum() else 'x'}",
        "phenomenon_id": f"ph-{number}",
        "source_id": "src-a",
        "artifact": "windows.eventlog",
        "path": f"p1/{text}/System.evtx",
        "locator": {"kind": "record", "number": number, "offset": number * 512, "note": text},
        "state": "carved",
        "name": name,
        "value": text,
        "kind": "field",
        "record_id": f"rec-{number}",
        "invocation_id": "inv-1",
        "output_sha256": "ab" * 32,
        "rerun": f"wigmore tool /cases/one match_indicator --source src-a rule={text}",
    }


def phenomenon(number: int, text: str, facts: int = 4, negative: bool = False) -> dict[str, Any]:
    """Observation `number`, one a day from 2022 on; every third has a local time."""
    moment = times.posix(1_640_995_200 + number * DAY % (700 * DAY))
    assert moment is not None
    at = moment["text"] if number % 3 else moment["text"].rstrip("Z")
    return {
        "id": f"ph-{number}",
        "source_id": "src-a",
        "agent": "eventlog",
        "category": f"kind {number % 7} {text}",
        "title": f"Observation {number}: {text}",
        "interpretation": f"Reading of {text}",
        "created_at": "",
        "occurred_at": at,
        "event_key": "",
        "rule": "a.rule",
        "caveat": f"Mind {text}",
        "attack": ["T1543.003"],
        "negative": negative,
        "lead_id": "",
        "record_count": 2,
        "quality": 5,
        "also": [],
        "facts": [fact(number, text, f"Field{i}") for i in range(facts)],
    }


def hypothesis(number: int, text: str, innocent: bool, edges: list[dict[str, Any]], verdict: str) -> dict[str, Any]:
    """Hypothesis `number` of its frame."""
    return {
        "id": f"hyp-{number}",
        "title": f"Hypothesis {number}: {text}",
        "description": f"It says {text}",
        "prior_prob": 0.5,
        "template": "frame/one",
        "frame": "frame",
        "propositions": ["ACT"],
        "attack": ["T1070"],
        "subject": "",
        "innocent": innocent,
        "created_at": "",
        "probes": ["look"],
        "decisive": "look",
        "log_odds": 1.25,
        "confidence": 0.9468,
        "status": "supported",
        "confidence_log": [],
        "conclusion": verdict,
        "conclusion_reasons": [
            *([] if verdict == "concluded" else [f"because {text}"]),
            "1 of 2 alternatives to every finding could not be tested",
        ],
        "standing": False,
        "standing_alternatives": [] if innocent else standing(text, verdict == "contested"),
        "alternatives": [f"hyp-{number + 1 if number % 2 == 0 else number - 1}"],
        "edges": edges,
        "probes_made": [
            {
                "id": "x",
                "hypothesis_id": f"hyp-{number}",
                "probe": "look",
                "source_id": "src-a",
                "outcome": "cannot_say",
                "reason": text,
                "decisive": True,
                "disconfirming": True,
                "invocations": [],
                "phenomena": [],
            }
        ],
    }


def coverage(number: int, text: str, outcome: str) -> dict[str, Any]:
    """A coverage row."""
    return {
        "source_id": "src-a",
        "path": f"p1/{text}/{number}",
        "artifact": "windows.eventlog",
        "parser": "windows.eventlog@1",
        "outcome": outcome,
        "records": 3,
        "reason": f"why {text}",
        "reason_code": "truncated",
        "seconds": 0.1,
        "complete": outcome == "found" and number % 2 == 0,
        "covers_from": None,
        "covers_to": None,
        "recorder": "off",
        "needs": text,
        "inode": None,
        "file_sha256": "",
        "rows_sha256": "",
    }


def decisions(text: str, hypotheses: bool) -> list[dict[str, Any]]:
    """An amended hypothesis that the machine has come to disagree with, and a rejected observation."""
    said = {"by": text, "at": "2026-04-18T10:00:00Z", "reason": text, "machine_status": "", "not_grounded": []}
    moved = "amended; the machine said concluded (+1.25), and now says contested (+0.61)"
    belief = {
        "hypothesis_id": "hyp-0",
        "title": f"Hypothesis 0: {text}",
        "with": {"log_odds": 1.25, "status": "supported", "verdict": "concluded"},
        "without": {"log_odds": 0.25, "status": "inconclusive", "verdict": "open"},
    }
    amended = {
        **said,
        "item": "hyp-0",
        "kind": "hypothesis",
        "review": "amended",
        "id": "review-1",
        "decision": "amend",
        "text": f"Copied at 03:14 {text}",
        "wording": f"Hypothesis 0: {text}",
        "not_grounded": [{"kind": "time", "value": "03:14", "note": "x"}],
        "disagreements": [{"what": "verdict_changed", "said": moved, "edges": [], "phenomena": ["ph-1"]}],
        "without": [],
    }
    turned_down = {
        **said,
        "item": "ph-0",
        "kind": "phenomenon",
        "review": "rejected",
        "id": "review-2",
        "decision": "reject",
        "text": "",
        "wording": f"Observation 0: {text}",
        "disagreements": [],
        "without": [belief],
    }
    rows = [amended, turned_down] if hypotheses else []
    return [{**row, "history": [{k: row[k] for k in ("id", "decision", "by", "at", "reason", "text")}]} for row in rows]


def standing(text: str, stands: bool) -> list[dict[str, Any]]:
    """Two alternatives to every finding: one with an observation, one not tested."""
    rows = [("hyp-remote", True, "", ["ph-1"]), ("hyp-handling", False, f"no time of {text}", [])]
    return [
        {
            "hypothesis_id": name,
            "title": f"Alternative {name} {text}",
            "score": 0.9468,
            "tested": tested,
            "why": why,
            "stands": stands and tested,
            "phenomena": found,
        }
        for name, tested, why, found in rows
    ]


def obligation(kind: str, number: int, state: str, text: str, **more: Any) -> dict[str, Any]:
    """An obligation with a receipt."""
    met = {"source_id": "src-a", "artifact": "windows.eventlog", "reason": text, "recorder": "unknown", "files": 1}
    return {
        "kind": kind,
        "id": f"{kind}-{number}",
        "state": state,
        "title": f"{kind} {number} {text} — owed by: {text}",
        "reason": f"cannot say: {text}",
        "hypothesis_id": "hyp-0",
        "needs": ["windows.eventlog", text],
        "coverage": [
            {**met, "outcome": "not_run", "complete": False, "reason_code": "not_in_acquisition", "records": 0}
        ],
        "more": 2,
        "invocations": [],
        "phenomena": [],
        "count": 7,
        **more,
    }


def obligations(text: str, number: int) -> list[dict[str, Any]]:
    """Obligations of every kind; of tests and rules as many as asked."""
    few = [obligation(kind, 0, "unanswerable", text) for kind in ("question", "standard", "probe", "list")]
    few += [obligation("question", 1, "answered", text), obligation("fact", 0, "open", text)]
    owed = [obligation("probe", n, "open" if n % 2 else "unanswerable", text, reason="no") for n in range(1, number)]
    return few + owed + [obligation("fact", n, "done", text, reason=f"background: {text}") for n in range(1, number)]


def contacts(text: str, number: int) -> list[dict[str, Any]]:
    """As many pairs that were in contact as asked."""
    return [
        {
            "first": f"ent-{n}",
            "second": "ent-0",
            "first_name": f"{text} {n}",
            "second_name": text,
            "count": n + 1,
            "first_at": "2026-04-01T10:00:00Z",
            "last_at": None,
            "phenomena": ["ph-0", "ph-1"],
        }
        for n in range(number)
    ]


def joins(text: str, number: int) -> list[dict[str, Any]]:
    """Joins between entities that are in force, and one that a person rejected."""
    return [
        {
            "id": f"join-{n}",
            "first": f"ent-{2 * n}",
            "second": f"ent-{2 * n + 1}",
            "relation": "same_as",
            "phenomenon_id": "",
            "hypothesis_id": f"hyp-same-{n}",
            "count": 0,
            "first_name": f"{text} {2 * n}",
            "second_name": f"{text} {2 * n + 1}",
            "first_cluster": f"ent-{2 * n}",
            "second_cluster": f"ent-{2 * n + (n == 0)}",
            "status": "supported",
            "confidence": 0.9468,
            "in_force": n != 0,
            "rejected": n == 0,
            "reasons": [f"supports: both hold {text}", f"contradicts: they differ in {text}"],
        }
        for n in range(number)
    ]


def records(text: str) -> Iterator[dict[str, Any]]:
    """File listing entries and an event, with known, local and collector's times."""
    known, fat = times.posix(1_700_000_000), times.fat(0x5A21, 0x6000)
    foreign = times.posix(1_600_000_000, owner="collector")
    for number, moments in enumerate(
        (
            {"modified": known, "accessed": known, "fn_created": known},
            {"modified": fat},
            {"modified": foreign},
        )
    ):
        yield {
            "record_id": f"rec-l{number}",
            "source_id": "src-a",
            "artifact": "file_listing",
            "parser": "file_listing@1",
            "path": f"p1/{text}|{number}",
            "inode": "5",
            "ordinal": number,
            "locator": {"kind": "inode", "inode": "5"},
            "times": moments,
            "time_field": None,
            "time": None,
            "state": "live",
            "host_id": "",
            "origin": "",
            "data": {
                "name": text,
                "kind": "file",
                "size": 7,
                "inode": "5",
                "mode": "0755",
                "uid": 1,
                "gid": 2,
                "md5": "d4" * 16,
                "deleted": number == 1,
            },
        }
    yield {
        "record_id": "rec-e",
        "source_id": "src-a",
        "artifact": "windows.eventlog",
        "parser": "windows.eventlog@1",
        "path": "p1/System.evtx",
        "inode": None,
        "ordinal": 0,
        "locator": {"kind": "record", "number": 1},
        "times": {"time_created": times.filetime(133_444_736_000_000_001)},
        "time_field": "time_created",
        "time": None,
        "state": "live",
        "host_id": text,
        "origin": "",
        "data": {"ServiceName": text},
    }


def report(observations: int = 6, text: str = "plain", hypotheses: int = 4, facts: int = 4) -> ReportData:
    """A whole case; `text` stands in every field that evidence or a user can fill."""
    phenomena = [phenomenon(n, text, facts, negative=n % 50 == 5) for n in range(observations)]
    edges = [
        {
            "id": f"edge-{n}",
            "phenomenon_id": f"ph-{n}",
            "hypothesis_id": f"hyp-{n % hypotheses}",
            "edge_type": EDGES[n % 6],
            "discriminates_against": text,
            "proposition": "ACT",
            "capped_from": "",
            "reason": text,
            "event_key": "",
            "source_id": "src-a",
            "mechanism": "event log",
            "agent": "x",
            "lead_id": "",
            "created_at": "",
        }
        for n in range(observations)
        if hypotheses and n % 4
    ]
    verdicts = ("concluded", "open", "contested", "open", "not_tested", "open", "refuted", "open")
    held = [
        hypothesis(n, text, n % 2 == 1, [e for e in edges if e["hypothesis_id"] == f"hyp-{n}"], verdicts[n % 8])
        for n in range(hypotheses)
    ]
    bearing = {e["phenomenon_id"] for e in edges}
    cells = {(e["phenomenon_id"], e["hypothesis_id"]): e["edge_type"] for e in edges}
    entities = [
        {
            "id": f"ent-{n}",
            "type": ("person", "account", "device")[n % 3],
            "name": f"{text} {n}",
            "source_id": "src-a",
            "identifiers": [{"type": "sid", "value": text, "phenomenon_id": "ph-0"}],
            "cluster": f"ent-{n - n % 2}" if n > 1 else f"ent-{n}",
            "cluster_name": f"{text} {n}",
            "cluster_size": 2 if n > 1 else 1,
        }
        for n in range(min(observations, 90))
    ]
    links = [
        {
            "id": f"link-{n}",
            "first": f"ent-{n}",
            "second": f"ent-{(n * 7 + 1) % len(entities)}",
            "relation": "same_as" if n % 5 == 0 else text,
            "phenomenon_id": "" if n % 5 == 0 else "ph-0",
            "hypothesis_id": "hyp-0" if n % 5 == 0 else "",
        }
        for n in range(len(entities))
    ] + joins(text, len(entities) // 2)
    rows = [
        coverage(n, text, ("found", "empty", "failed", "not_applicable", "not_run")[n % 5])
        for n in range(max(10, observations))
    ]
    return ReportData(
        context={
            "case": text,
            "origin": {"event": "e" * 64, "at": "2026-04-17T09:00:00.000000Z"},
            "title": text,
            "examiner": {"name": text, "organisation": "Lab"},
            "authority": text,
            "questions": [{"id": "Q1", "ask": text}],
            "conclusions": [],
            "run": {
                "run": "run-001",
                "started": "2026-04-17T09:10:00.123456Z",
                "finished": "2026-04-17T09:20:00.0Z",
                "ledger_head": "9:" + "a" * 64,
                "graph_hash": "b" * 64,
                "stop": text,
                "gaps": [text],
                "versions": {"wigmore": "0.1.0", "python": "3.11"},
                "config": {
                    "agent": {"model": "", "base_url": "", "api_key": "TOP-SECRET"},
                    "budgets": {"tool_calls_total": 5000, "tokens_total": None},
                },
                "audit": {
                    "overall": "request_changes",
                    "chain_ok": True,
                    "sources_ok": False,
                    "citations_checked": 4,
                    "citations_reproduced": 3,
                    "graph_hash": "b" * 64,
                    "findings": [{"severity": "warn", "code": "x", "message": text, "where": text}],
                },
            },
            "invocations": {
                "inv-1": {
                    "id": "inv-1",
                    "tool": "match_indicator",
                    "agent": "eventlog",
                    "status": "found",
                    "output_sha256": "ab" * 32,
                    "rerun": "wigmore tool /cases/one match_indicator",
                }
            },
            "templates": {"frame": {"not_enough": text, "reference": ""}},
            "parsers": {
                "windows.eventlog": {
                    "version": 1,
                    "means": "an event was logged",
                    "does_not_mean": text,
                    "origin": "x:y",
                    "sha256": "c" * 64,
                }
            },
            "source_entries": {
                "src-a": {"exhibit": text, "acquisition": {"tool": text}, "path": text, "clocks": [{"zone": text}]}
            },
        },
        sources=[
            {
                "id": "src-a",
                "label": text,
                "type": "disk_image",
                "access_mode": "image",
                "path": f"/e/{text}.E01",
                "meta": {"platform": "windows", "reason": text},
                "timezone": text,
                "owner": text,
                "hashes": {
                    "mismatch": text,
                    "hashes": {
                        "container_sha256": "d" * 64,
                        "note": text,
                        "segments": [{"path": text, "size": 1, "md5": "", "sha1": "", "sha256": ""}] * 2,
                    },
                },
            }
        ],
        hypotheses=held,
        phenomena=phenomena,
        edges=edges,
        entities=entities,
        links=links,
        matrix={
            "hypotheses": [{"id": h["id"], "title": h["title"], "innocent": h["innocent"]} for h in held],
            "rows": [
                {
                    "phenomenon_id": p["id"],
                    "title": p["title"],
                    "source_id": "src-a",
                    "negative": p["negative"],
                    "edges": [cells.get((p["id"], h["id"]), "") for h in held],
                }
                for p in phenomena
                if p["id"] in bearing
            ],
        },
        contacts=contacts(text, len(entities)),
        timeline=[
            {
                "time": p["occurred_at"],
                "phenomenon_id": p["id"],
                "title": p["title"],
                "source_id": "src-a",
                "category": p["category"],
            }
            for p in phenomena
        ],
        rounds=[
            {
                "id": "round-001",
                "round_number": 1,
                "strategist_action": "propose_leads",
                "new_phenomena_count": 1,
                "new_edges_count": 2,
                "status_flips": 0,
                "decision_rationale": text,
            }
        ],
        leads=[
            {
                "id": "lead-1",
                "round_number": 1,
                "target_agent": "eventlog",
                "description": text,
                "status": "failed",
                "context": {"failure_reason": text},
            }
        ],
        probes=[h["probes_made"][0] for h in held],
        coverage=rows,
        coverage_counts={"windows.eventlog": {"found": 2, "failed": 2}},
        unused=[p["id"] for p in phenomena if p["id"] not in bearing and not p["negative"]],
        reviews=decisions(text, bool(hypotheses)),
        questions=[{"id": "Q1", "ask": text, "status": "answered", "answer": text, "citations": [{"record_id": text}]}],
        obligations=obligations(text, observations),
        rejections=3,
        artifacts={"windows.eventlog": 12},
        records=lambda: records(text),
    )
