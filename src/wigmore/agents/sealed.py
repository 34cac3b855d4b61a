"""What the strategist is shown of the graph: ids, kinds, rules, numbers and states, never a text of the evidence.

Titles name files, persons and messages; in their place stand the words of the rule or template that led to them.
"""

from __future__ import annotations

import re
from typing import Any

from wigmore.agents.desk import Desk
from wigmore.agents.templates import template_of

KEPT = re.compile(
    r"(?:.*_)?(?:id|ids|type|status|agent|artifact|kind|domain|outcome|category|probe|template|rule|edge|round|state|trend|mark"
    r"|proposition|caveat|reason_code|proposed_by|target_agent|for_hypothesis|from|edge_type|priority|platform|tool)"
)  # keys whose values are words of the program, its rules, or the examiner
TIMES = re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?")
IDS = re.compile(r"(?:ph|hyp|lead|inv|edge|ent|link|fact|rec)-[0-9a-f]{8,64}|round-\d+")  # no words in their place
HIDDEN = "(text of the evidence: not shown here)"


def sealed(desk: Desk, tool: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of a call without texts of the evidence. What is known of the case itself (coverage, budgets, yield) is kept."""
    if tool in ("budget_status", "marginal_yield"):
        return rows
    if tool == "source_coverage":  # its examples are calls, with the names of files
        return [
            {**row, "rows": [{k: v for k, v in entry.items() if k != "example"} for entry in row.get("rows", ())]}
            for row in rows
        ]
    return [_row(desk, row) for row in rows]


def _row(desk: Desk, row: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    name = str(row.get("id", ""))
    for key, value in row.items():
        if key in ("title", "description", "name", "phenomenon", "interpretation"):
            out[key] = named(desk, name) if key in ("title", "description") else HIDDEN
        elif key in ("value", "path", "locator", "label", "subject", "identifiers"):
            out[key] = HIDDEN
        else:
            out[key] = _value(desk, key, value)
    return out


def _value(desk: Desk, key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return _row(desk, value)
    if isinstance(value, (list, tuple)):
        return [_value(desk, key, v) for v in value]
    if not isinstance(value, str) or not value:
        return value
    if IDS.fullmatch(value) or TIMES.fullmatch(value) or value in desk.state.sources:
        return value
    if key in ("bears_on", "tells") or value in ("none", "none yet"):
        return value
    if key == "category":  # of what a model observed, the model's own word
        return value if value in _categories(desk) else HIDDEN
    if key == "proposition":  # of an edge that a model laid, what it typed
        return value if value in (desk.config.get("propositions") or ()) else HIDDEN
    return value if KEPT.fullmatch(key) else HIDDEN


def _categories(desk: Desk) -> set[str]:
    """The words of the rules; a model's category is text of its own."""
    return {rule.category for rule in desk.indicators.values()}


def named(desk: Desk, name: str) -> str:
    """What may be said of a noun: the words of the rule, template or probe behind it."""
    if name in desk.state.hypotheses:
        hypothesis = desk.state.hypotheses[name]
        template = template_of(desk.templates, hypothesis)
        if template is None:
            return "(proposed by a model or the examiner)"
        other = hypothesis.template.partition("/")[2]
        return next((a.title for a in template.alternatives if a.id == other), template.title)
    if name in desk.state.phenomena:
        phenomenon = desk.state.phenomena[name]
        rule = desk.indicators.get(phenomenon.rule)
        if rule is not None:
            return rule.title
        known = phenomenon.category in _categories(desk)
        return f"(an observation of category {phenomenon.category})" if known else "(an observation of a model)"
    if name in desk.state.leads:
        lead = desk.state.leads[name]
        about = named(desk, lead.motivating_hypothesis)
        return f"{lead.target_agent} was asked for {lead.expected_evidence_type or 'anything'} on: {about}"
    return HIDDEN
