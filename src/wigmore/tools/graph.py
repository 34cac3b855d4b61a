"""Reading the evidence graph: phenomena, hypotheses, leads, and search over all of them."""

from __future__ import annotations

from typing import Any

from wigmore.graph.state import GraphState
from wigmore.model.nouns import LEAD_STATUSES, NEUTRAL, Edge, Phenomenon
from wigmore.registry import tool
from wigmore.tools.context import CAP, ToolContext, ToolOutput
from wigmore.tools.lookup import texts

CLOCKS = ("created_at", "started_at", "completed_at", "timestamp")


def brief(state: GraphState, phenomenon: Phenomenon) -> dict[str, Any]:
    """A phenomenon as a list shows it."""
    edges = sorted((e for e in state.edges.values() if e.phenomenon_id == phenomenon.id), key=lambda e: e.id)
    return {
        "id": phenomenon.id,
        "source_id": phenomenon.source_id,
        "category": phenomenon.category,
        "title": phenomenon.title,
        "occurred_at": phenomenon.occurred_at,
        "negative": phenomenon.negative,
        "facts": len(phenomenon.verified_facts),
        "quality": state.quality(phenomenon),
        "bears_on": [f"{e.edge_type} {e.hypothesis_id}" for e in edges],
    }


@tool("list_phenomena", domain="graph", cached=False)
def list_phenomena(context: ToolContext, source_id: str = "", category: str = "", limit: int = 500) -> ToolOutput:
    """List observed phenomena, those with more facts, citations and edges first; of one source or category if named.

    `quality` orders the list and is no belief. A negative phenomenon says that a search found nothing.
    """
    state = context.state
    if source_id and source_id not in state.sources:
        return ToolOutput.failed(f"unknown source {source_id!r}; known: {', '.join(sorted(state.sources)) or 'none'}")
    chosen = [
        p
        for p in state.phenomena.values()
        if (not source_id or p.source_id == source_id) and (not category or p.category.lower() == category.lower())
    ]
    chosen.sort(key=lambda p: (-state.quality(p), p.id))
    note = ""
    if not chosen and category:
        note = f"categories are: {', '.join(sorted({p.category for p in state.phenomena.values()})) or 'none yet'}"
    return ToolOutput.of((brief(state, p) for p in chosen), note, max(1, min(limit, CAP)))


@tool("get_phenomenon", domain="graph", cached=False)
def get_phenomenon(context: ToolContext, id: str) -> ToolOutput:
    """Show one phenomenon: title, interpretation (marked as such), caveat and edges, then a row a verified fact.

    A fact's value is as the parser read it, with file, place of the bytes and the call that it cites.
    """
    state = context.state
    if id not in state.phenomena:
        return ToolOutput.failed(f"unknown phenomenon {id!r}; list_phenomena names them")
    phenomenon = state.phenomena[id]
    edges = sorted((e for e in state.edges.values() if e.phenomenon_id == id), key=lambda e: e.id)
    entities = sorted(e.id for e in state.entities.values() if any(i.phenomenon_id == id for i in e.identifiers))
    head = {
        **brief(state, phenomenon),
        "interpretation": phenomenon.interpretation,
        "caveat": phenomenon.caveat,
        "rule": phenomenon.rule,
        "attack": list(phenomenon.attack),
        "record_count": phenomenon.record_count,
        "merged": sorted(state.merged.get(id, ())),
        "edges": [_edge(e) for e in edges],
        "entities": entities,
    }
    facts = [
        {
            "fact_id": f.id,
            "name": f.name,
            "value": f.value,
            "artifact": f.artifact,
            "path": f.path,
            "locator": f.locator,
            "state": f.state,
            "cites_record": f.citation.record_id,
            "cites_invocation": f.citation.invocation_id,
            "citation": f.citation.kind,
        }
        for f in sorted(phenomenon.verified_facts, key=lambda f: f.id)
    ]
    return ToolOutput("found", (head, *facts))


@tool("search_graph", domain="graph", cached=False)
def search_graph(context: ToolContext, text: str, limit: int = 100) -> ToolOutput:
    """Search phenomena with their facts, hypotheses, entities and leads for a text (no case); a row says what kind it is."""
    wanted = text.strip().lower()
    if not wanted:
        return ToolOutput.failed("name a text to search for")
    state = context.state
    kinds: tuple[tuple[str, dict[str, Any]], ...] = (
        ("phenomenon", dict(state.phenomena)),
        ("hypothesis", dict(state.hypotheses)),
        ("entity", dict(state.entities)),
        ("lead", dict(state.leads)),
        ("area", dict(state.areas)),
    )
    rows = []
    for kind, nouns in kinds:
        for name, noun in sorted(nouns.items()):
            values = {k: v for k, v in noun.to_dict().items() if k not in CLOCKS}
            where = sorted(k for k, v in values.items() if any(wanted in leaf.lower() for leaf in texts(_plain(v))))
            if where:
                title = values.get("title") or values.get("name") or values.get("description") or name
                rows.append({"kind": kind, "id": name, "title": title, "found_in": where})
    return ToolOutput.of(rows, cap=max(1, min(limit, CAP)))


@tool("list_leads", domain="graph", cached=False)
def list_leads(context: ToolContext, status: str = "") -> ToolOutput:
    """List leads: what a role was asked to look for, for which hypothesis, and what became of it; by priority, then id.

    `status`: pending, assigned, completed or failed (empty: all).
    """
    if status and status not in LEAD_STATUSES:
        return ToolOutput.failed(f"unknown status {status!r}; one of {', '.join(LEAD_STATUSES)}")
    chosen = sorted(
        (x for x in context.state.leads.values() if not status or x.status == status), key=lambda x: (-x.priority, x.id)
    )
    return ToolOutput.of(x.to_dict() for x in chosen)


@tool("get_hypothesis", domain="graph", cached=False)
def get_hypothesis(context: ToolContext, id: str) -> ToolOutput:
    """Show one hypothesis: prior, log-odds, confidence and status, its alternatives and probes, then a row an edge.

    Log-odds are base 10; status follows them alone. Edges `consistent_with` weigh nothing. The log says how belief changed.
    """
    state = context.state
    if id not in state.hypotheses:
        return ToolOutput.failed(f"unknown hypothesis {id!r}; graph_overview names them")
    view = {k: v for k, v in state.hypothesis_view(id).items() if k not in CLOCKS}
    view["confidence_log"] = [{k: v for k, v in entry.items() if k not in CLOCKS} for entry in view["confidence_log"]]
    view["alternatives"] = [
        {"id": a, "title": state.hypotheses[a].title, "confidence": state.confidence(a), "status": state.status(a)}
        for a in state.alternatives(id)
    ]
    view["probes_made"] = [
        {k: made[k] for k in ("probe", "source_id", "outcome", "reason", "decisive", "disconfirming") if k in made}
        for key, made in sorted(state.probes.items())
        if key[0] == id
    ]
    edges = [
        {**_edge(e), "phenomenon": state.phenomena[e.phenomenon_id].title if e.phenomenon_id in state.phenomena else ""}
        for e in state.edges_to(id)
    ]
    edges.sort(key=lambda e: (e["edge_type"] == NEUTRAL, str(e["phenomenon_id"])))
    return ToolOutput("found", (_plain(view), *edges))


def _edge(edge: Edge) -> dict[str, Any]:
    return {k: v for k, v in edge.to_dict().items() if k not in CLOCKS and v != ""}


def _plain(value: Any) -> Any:
    """Tuples as lists, as JSON has them."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value
