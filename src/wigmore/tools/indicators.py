"""Indicator rules as tools: which rules match at all, and the groups that one rule finds."""

from __future__ import annotations

from typing import Any

from wigmore.records.indicators import match, scan
from wigmore.records.rows import shown
from wigmore.registry import tool
from wigmore.tools.context import ToolContext, ToolOutput, citable
from wigmore.tools.lookup import CannotLook, period

GROUPS, TOGETHER = 200, 2000  # groups that a rule shows; the second where they are one phenomenon


@tool("scan_indicators", domain="indicators", cost=1)
def scan_indicators(context: ToolContext, role: str, phase: str = "triage") -> ToolOutput:
    """Say which of a role's indicator rules match any record of the source; one row a rule with matches."""
    rules = [r for r in context.indicators.values() if r.role == role and r.phase == phase]
    hits = scan(context.store, rules, context.source_id, context.served(*rules))
    note = f"{len(rules)} rules of role {role}, {len(hits)} with matches"
    return ToolOutput.of(({"rule": r.id, "title": r.title} for r in rules if r.id in hits), note)


@tool("match_indicator", domain="indicators", cost=1)
def match_indicator(context: ToolContext, rule: str, parameters: dict[str, Any] | None = None) -> ToolOutput:
    """Find the records that satisfy an indicator rule, grouped as the rule says.

    One row a group (its values, count, first and last time, example record ids), then one row an example record.
    `parameters` fill the rule's `$names`.
    """
    if rule not in context.indicators:
        return ToolOutput.failed(f"unknown rule {rule!r}; `wigmore list rules` names them")
    chosen = context.indicators[rule]
    limit = TOGETHER if chosen.together else GROUPS
    groups = match(
        context.store,
        chosen,
        context.source_id or None,
        parameters,
        catalogue=context.served(chosen),
        period=context.period,
        limit=limit,
    )
    ids, paths = (i for g in groups for i in g.record_ids), (p for g in groups for p in g.paths)
    found = context.store.by_id(ids, chosen.artifacts, context.source_id or None, paths)
    rows: list[dict[str, Any]] = [
        {"group": g.group, "count": g.count, "first": g.first, "last": g.last, "record_ids": list(g.record_ids)}
        for g in groups
    ]
    rows += [citable(shown(found[i])) for i in sorted(found)]
    more = f"; only the first {limit} are listed" if len(groups) == limit else ""
    return ToolOutput("found" if groups else "empty", tuple(rows), f"{len(groups)} groups{more}")


@tool("query_records", domain="records", cost=1)
def query_records(
    context: ToolContext,
    artifact: str = "*",
    path: str = "",
    text: str = "",
    field: str = "",
    value: str = "",
    after: str = "",
    before: str = "",
    limit: int = 200,
) -> ToolOutput:
    """List records of the source: by artifact (globs allowed), text in path, text anywhere in the record, a field's value
    (no case), and time (ISO 8601, UTC unless it has an offset; `after` inclusive, `before` exclusive).
    """
    try:
        dated, parameters = period(after, before)
    except CannotLook as error:
        return ToolOutput.failed(str(error))
    where = [dated] if dated else []
    if path:
        where.append("contains(lower(path), ?)")
        parameters.append(path.lower())
    if text:
        where.append("contains(lower(data), ?)")
        parameters.append(text.lower())
    if field:
        where.append("lower(json_extract_string(data, ?)) = ?")
        parameters += ['$."' + field.replace('"', "") + '"', value.lower()]
    capped = max(1, min(limit, 5000))
    return ToolOutput.of(context.records([artifact], " AND ".join(where), parameters, capped + 1), cap=capped)


@tool("get_records", domain="records", cost=1)
def get_records(context: ToolContext, record_ids: list[str]) -> ToolOutput:
    """Show records by their ids, each with all its fields, in canonical order; a note names ids that are no records."""
    found = context.store.by_id(record_ids, source_id=context.source_id or None)
    lost = sorted(set(record_ids) - set(found))
    note = f"no record of that id: {', '.join(lost[:20])}" if lost else ""
    return ToolOutput.of((citable(shown(row)) for row in found.values()), note)
