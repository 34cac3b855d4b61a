"""The house case with models: scripts that answer by what they are offered, and runs over them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wigmore.investigation.config import Config, read_config
from wigmore.investigation.phases import Investigation
from wigmore.investigation.reasoning import Reasoning, Recording, endpoints_of
from wigmore.investigation.workbench import Workbench
from wigmore.llm.scripted import Asked, Reply, Scripted

Script = Callable[[Asked], Reply]


def model_config(*servers: Scripted, **values: Any) -> Config:
    """A configuration that asks some scripted servers, in their order."""
    agents = [
        {"base_url": s.base_url, "model": s.models[0], "timeout_seconds": 10, **values.pop("agent", {})}
        for s in servers
    ]
    return read_config({"agent": agents[0], "escalation": agents[1:], **values})


def few(investigation: Investigation) -> Investigation:
    """An investigation with the roles that the house case has work for: each more is another conversation a source."""
    wanted = ("network", "hypothesis", "coreference", "strategist", "timeline", "report")
    investigation.roles = {name: investigation.roles[name] for name in wanted}
    return investigation


def investigate(case: Path, config: Config, recording: Recording | None = None) -> Investigation:
    """The phases over a case with its models; retries of the client are off, so that a fault is met once."""
    from dataclasses import replace

    with Workbench(case, config=config) as bench:
        endpoints = [replace(e, retries=0) for e in endpoints_of(bench.config)]
        investigation = few(Investigation(bench, jobs=2, reasoning=Reasoning(bench, endpoints, recording)))
        investigation.run()
        return investigation


def shown(asked: Asked) -> str:
    """All that tools answered so far in a conversation."""
    return "\n".join(asked.tool_results.values())


def rows(asked: Asked) -> list[dict[str, Any]]:
    """The rows that a conversation was shown, each with the call that showed it (`inv`)."""
    out = []
    for result in asked.tool_results.values():
        call = result.split(" ", 1)[0]
        for line in result.splitlines():
            found = re.match(r"\d+ (\{.*\})$", line)
            if found:
                out.append({**json.loads(found.group(1)), "inv": call})
    return out


def quiet(asked: Asked) -> Reply:
    """Says that it has nothing to add."""
    return Reply("Nothing to add.")


def honest(asked: Asked) -> Reply:
    """Does what each role is for: one observation in triage, its judgement, one lead a round, one sentence at the end."""
    tools, seen = asked.tools, rows(asked)
    done = len(asked.tool_results)
    if "propose_lead" in tools or "declare_investigation_complete" in tools:
        return _strategist(asked)
    if "save_report" in tools:
        if not done:
            return Reply(calls=(("list_phenomena", {}),))
        known = [r["id"] for r in seen if str(r.get("id", "")).startswith("ph-")]
        return Reply(calls=(("save_report", {"sentences": [{"text": "A request was logged.", "cites": known[:1]}]}),))
    if "add_hypothesis" in tools:
        return _hypotheses(asked)
    if "add_phenomenon" in tools and "query_records" in tools:
        return _observe(asked)
    return Reply("Nothing to add.")


def _observe(asked: Asked) -> Reply:
    seen, done = rows(asked), len(asked.tool_results)
    if not done:
        source = re.findall(r"src-\w+", json.dumps(asked.messages))
        args: dict[str, Any] = {"artifact": "web.access"}
        if "source_id" in tool_arguments(asked, "query_records"):
            args["source_id"] = source[0]
        return Reply(calls=(("query_records", args),))
    records = [r for r in seen if "record_id" in r and "/other" in json.dumps(r)]
    if done == 1 and records:
        cited = {
            "invocation_id": records[0]["inv"],
            "record_id": records[0]["record_id"],
            "fields": ["request", "client"],
        }
        given = {"title": "A request for other", "category": "request", "interpretation": "It may be ordinary."}
        return Reply(calls=(("add_phenomenon", {**given, "records": [cited]}),))
    return Reply("Done.")


def _hypotheses(asked: Asked) -> Reply:
    done = len(asked.tool_results)
    if not done:
        return Reply(calls=(("list_phenomena", {}),))
    mine = [r["id"] for r in rows(asked) if r.get("title") == "A request for other"]
    if done == 1 and mine:
        given = {
            "title": "Another page was fetched",
            "description": "",
            "proposition": "RAN",
            "alternatives": [{"title": "A monitor asked for it", "description": ""}],
            "because_of": mine[:1],
        }
        return Reply(calls=(("add_hypothesis", given),))
    raised = re.search(r"raised as (hyp-\w+); alternatives: (hyp-\w+)", shown(asked))
    if done == 2 and raised:
        edge = {"phenomenon_id": mine[0], "hypothesis_id": raised.group(1), "edge_type": "direct_evidence"}
        return Reply(
            calls=(("link_evidence", {**edge, "proposition": "RAN", "against": raised.group(2), "reason": "logged"}),)
        )
    return Reply("Done.")


def _strategist(asked: Asked) -> Reply:
    done = len(asked.tool_results)
    if not done:
        return Reply(calls=(("graph_overview", {}), ("marginal_yield", {}), ("budget_status", {})))
    if done == 3:
        hypotheses = [h for r in rows(asked) for h in r.get("hypotheses", ()) if isinstance(h, dict)]
        active = [h["id"] for h in hypotheses if h["status"] == "active"]
        trend = next((r["trend"] for r in rows(asked) if "trend" in r), "")
        if active and "zero" not in trend and "propose_lead" in asked.tools:
            lead = {"description": "look for requests", "target_agent": "network", "motivating_hypothesis": active[0]}
            return Reply(calls=(("propose_lead", {**lead, "expected_evidence_type": "supports"}),))
        return Reply(calls=(("declare_investigation_complete", {"reason": "coverage_saturated"}),))
    return Reply("Decided.")


def tool_arguments(asked: Asked, name: str) -> list[str]:
    """The arguments of a tool on offer."""
    for tool in asked.body.get("tools") or ():
        if tool["function"]["name"] == name:
            return list(tool["function"]["parameters"].get("properties") or ())
    return []
