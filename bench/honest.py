"""An honest model as a script: what each role is for, done with what the tools showed; it states no value of its own.

It serves bench/model_runs.py: triage records one observation of records that rules said nothing of, the hypothesis role raises
one hypothesis and judges one observation, the strategist asks for what open hypotheses lack and ends when nothing is open, the
report role writes a sentence on each observation it was shown.
"""

from __future__ import annotations

import json
import re
from typing import Any

from wigmore.llm.scripted import Asked, Reply

Row = dict[str, Any]
FIELDS = ("name", "path", "request", "url", "title", "body", "value", "event_id", "key", "account", "command")


def shown(asked: Asked) -> list[Row]:
    """The rows that tools showed, each with the call that showed it (`inv`)."""
    out = []
    for result in asked.tool_results.values():
        call = result.split(" ", 1)[0]
        for line in result.splitlines():
            if found := re.match(r"\d+ (\{.*\})$", line):
                try:
                    out.append({**json.loads(found.group(1)), "inv": call})
                except ValueError:
                    continue
    return out


def brief(asked: Asked) -> str:
    """What the role was told of its task."""
    said = next((m["content"] for m in asked.messages if m["role"] == "user"), "")
    return said if isinstance(said, str) else json.dumps(said)


def takes(asked: Asked, tool: str) -> list[str]:
    """The arguments of a tool on offer."""
    offered = [t["function"] for t in asked.body.get("tools") or () if t["function"]["name"] == tool]
    return list(offered[0]["parameters"].get("properties") or ()) if offered else []


def honest(asked: Asked) -> Reply:
    """The reply of an honest model."""
    tools = asked.tools
    if "declare_investigation_complete" in tools:
        return strategist(asked)
    if "save_report" in tools:
        return report(asked)
    if "add_hypothesis" in tools:
        return hypotheses(asked)
    if "add_temporal_edge" in tools:
        return Reply("The orders that matter are laid.")
    if "add_phenomenon" in tools:
        return worker(asked)
    return Reply("Nothing to add.")


def worker(asked: Asked) -> Reply:
    """Look at one kind of record; record one observation; under a lead, judge it."""
    seen, done = shown(asked), len(asked.tool_results)
    if "query_records" not in asked.tools:
        return Reply("Nothing more.")
    if not done:
        kinds = re.findall(r"([a-z_]+(?:\.[a-z_]+)*) \d+", brief(asked).partition("by artifact:")[2].partition("\n")[0])
        if not kinds:
            return Reply("There are no records to look at.")
        kind = kinds[len(brief(asked)) % len(kinds)]  # roles look at different kinds
        args: Row = {"artifact": kind, "limit": 20}
        if "source_id" in takes(asked, "query_records"):
            args["source_id"] = re.findall(r"Sources: ([\w-]+)", brief(asked))[0]
        return Reply(calls=(("query_records", args),))
    if done == 1:
        for row in seen:
            data = row.get("data") or {}
            fields = [f for f in FIELDS if data.get(f)] or [k for k, v in data.items() if v not in (None, "", [])]
            if "record_id" in row and fields:
                cited = {"invocation_id": row["inv"], "record_id": row["record_id"], "fields": fields[:2]}
                said = {"title": f"A record of {row['artifact']}", "category": "record"}
                said |= {
                    "interpretation": "It is what such software leaves in ordinary use, or what the question turns on."
                }
                return Reply(calls=(("add_phenomenon", {**said, "records": [cited]}),))
        return Reply("Nothing that could be cited.")
    return Reply("Done.")


def hypotheses(asked: Asked) -> Reply:
    """Raise one hypothesis from the first observation that a model made, and judge it."""
    done = len(asked.tool_results)
    if not done:
        return Reply(calls=(("list_phenomena", {"category": "record"}),))
    mine = [r["id"] for r in shown(asked) if str(r.get("id", "")).startswith("ph-") and r.get("category") == "record"]
    if done == 1 and mine:
        codes = re.findall(r"(?:act|in\)): ([A-Z-]+)", brief(asked)) or ["EXIST"]
        said = {
            "title": "What was recorded is of another kind than the rules know",
            "description": "",
            "because_of": mine[:1],
        }
        other = [{"title": "It is ordinary use", "description": ""}]
        code = "EXIST" if "EXIST" in brief(asked) else codes[0]
        return Reply(calls=(("add_hypothesis", {**said, "proposition": code, "alternatives": other}),))
    raised = re.search(r"raised as (hyp-\w+); alternatives: (hyp-\w+)", "\n".join(asked.tool_results.values()))
    if done == 2 and raised:
        said = {"phenomenon_id": mine[0], "hypothesis_id": raised.group(1), "edge_type": "direct_evidence"}
        return Reply(
            calls=(
                ("link_evidence", {**said, "proposition": "EXIST", "against": raised.group(2), "reason": "recorded"}),
            )
        )
    return Reply("Done.")


def strategist(asked: Asked) -> Reply:
    """Ask for what the first open hypotheses lack; end when nothing is open or nothing comes of it."""
    done = len(asked.tool_results)
    if not done:
        return Reply(calls=(("graph_overview", {}), ("marginal_yield", {}), ("budget_status", {})))
    rows = shown(asked)
    active = [
        h["id"] for r in rows for h in r.get("hypotheses") or () if isinstance(h, dict) and h["status"] == "active"
    ]
    trend = next((r["trend"] for r in rows if "trend" in r), "")
    if done == 3 and active and "propose_lead" in asked.tools and "zero" not in trend:
        leads = [
            {"description": f"look for what would settle {name}", "target_agent": agent, "motivating_hypothesis": name}
            for name, agent in zip(active, ("filesystem", "eventlog", "registry"), strict=False)
        ]
        return Reply(calls=tuple(("propose_lead", {**lead, "expected_evidence_type": "supports"}) for lead in leads))
    if done == 3:
        return Reply(
            calls=(("declare_investigation_complete", {"reason": "coverage_saturated", "rationale": "no more"}),)
        )
    return Reply("Decided.")


def report(asked: Asked) -> Reply:
    """A sentence on each of the first observations."""
    if not asked.tool_results:
        return Reply(calls=(("list_phenomena", {}),))
    names = [r["id"] for r in shown(asked) if str(r.get("id", "")).startswith("ph-")][:5]
    if not names:
        return Reply("There is nothing to tell.")
    sentences = [{"text": "This was recorded, and read from the records cited.", "cites": [name]} for name in names]
    return Reply(calls=(("save_report", {"sentences": sentences}),))
