"""`wigmore list` and `wigmore explain`: parsers, tools, roles, rules, formats and questions, with what each declares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wigmore.agents.templates import load_templates
from wigmore.api.cases import UseError
from wigmore.investigation.rule_book import rule_folders
from wigmore.records.rules import load_indicators
from wigmore.records.sheet import load_questions
from wigmore.registry import found
from wigmore.tools.runner import schema

KINDS = ("parsers", "tools", "roles", "rules", "templates", "formats", "questions")


def listing(kind: str) -> list[dict[str, Any]]:
    """One row an extension of a kind; raises UseError for an unknown kind."""
    if kind == "parsers":
        return [
            {
                "name": p.name,
                "version": p.version,
                "reads": p.reads,
                "artifacts": list(p.artifacts),
                "origin": p.origin,
                "sha256": p.sha256,
            }
            for p in found("parser").values()
        ]
    if kind == "tools":
        return [
            {
                "name": t.name,
                "domain": t.domain,
                "does": (t.function.__doc__ or "").strip().split("\n")[0],
                "arguments": list(schema(t)),
                "read_only": t.read_only,
                "cost": t.cost,
            }
            for t in found("tool").values()
        ]
    if kind == "roles":
        return [{"name": r.name, "goal": r.goal, "tools": list(r.tools)} for r in found("role").values()]
    folders = rule_folders(None)
    if kind == "rules":
        return [
            {"name": i.id, "title": i.title, "artifacts": list(i.artifacts), "role": i.role, "attack": list(i.attack)}
            for i in load_indicators(folders).values()
        ]
    if kind == "templates":
        return [
            {
                "name": t.id,
                "title": t.title,
                "attack": list(t.attack),
                "alternatives": [a.id for a in t.alternatives],
                "probes": [p.id for p in t.probes],
            }
            for t in load_templates(folders).values()
        ]
    if kind == "formats":
        return [{"name": f.name, "file": f.file_name, "description": f.description} for f in found("format").values()]
    if kind == "questions":
        return _questions(folders)
    raise UseError(f"unknown kind {kind!r}; one of {', '.join(KINDS)}")


def _questions(folders: list[Path]) -> list[dict[str, Any]]:
    return [
        {"name": q.id, "question": q.ask, "answered_by": list(dict.fromkeys(a for p in q.places for a in p.artifacts))}
        for q in load_questions(folders).values()
    ]


def explain(name: str) -> dict[str, Any]:
    """Everything that one parser, tool, role, rule, template or format declares; raises UseError naming near ones."""
    import difflib

    parser = found("parser").get(name)
    if parser is not None:
        return {
            "kind": "parser",
            "name": parser.name,
            "version": parser.version,
            "reads": parser.reads,
            "means": parser.means,
            "does_not_mean": parser.does_not_mean,
            "refs": list(parser.refs),
            "origin": parser.origin,
            "sha256": parser.sha256,
        }
    tool = found("tool").get(name)
    if tool is not None:
        return {
            "kind": "tool",
            "name": tool.name,
            "does": " ".join((tool.function.__doc__ or "").split()),
            "arguments": {
                k: {
                    "type": str(getattr(v["type"], "__name__", v["type"])),
                    "required": v["required"],
                    "default": v.get("default"),
                }
                for k, v in schema(tool).items()
            },
            "read_only": tool.read_only,
            "cost": tool.cost,
            "origin": tool.origin,
            "sha256": tool.sha256,
        }
    role = found("role").get(name)
    if role is not None:
        return {"kind": "role", "name": role.name, "goal": role.goal, "tools": list(role.tools), "prompt": role.prompt}
    folders = rule_folders(None)
    rules, templates = load_indicators(folders), load_templates(folders)
    if name in rules:
        from dataclasses import asdict

        return {"kind": "rule", **asdict(rules[name])}
    if name in templates:
        from dataclasses import asdict

        return {"kind": "template", **asdict(templates[name])}
    format_ = found("format").get(name)
    if format_ is not None:
        return {"kind": "format", "name": format_.name, "file": format_.file_name, "description": format_.description}
    known = [*found("parser"), *found("tool"), *found("role"), *rules, *templates, *found("format")]
    near = difflib.get_close_matches(name, known, 5)
    raise UseError(
        f"nothing is named {name!r}"
        + (f"; near: {', '.join(near)}" if near else "; `wigmore list` names what there is")
    )
