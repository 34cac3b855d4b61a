"""The four views that the strategist decides by; recorded, never cached."""

from __future__ import annotations

from wigmore.graph import views
from wigmore.registry import tool
from wigmore.tools.context import ToolContext, ToolOutput


@tool("graph_overview", domain="strategy", cached=False)
def graph_overview(context: ToolContext) -> ToolOutput:
    """Show hypotheses with their log-odds, sources, and pending leads."""
    return ToolOutput.of([views.graph_overview(context.state)])


@tool("marginal_yield", domain="strategy", cached=False)
def marginal_yield(context: ToolContext, last_n_rounds: int = 2) -> ToolOutput:
    """Show what the last closed rounds brought: new phenomena, new edges, status flips, and the trend."""
    return ToolOutput.of([views.marginal_yield(context.state, last_n_rounds)])


@tool("budget_status", domain="strategy", cached=False)
def budget_status(context: ToolContext) -> ToolOutput:
    """Show use and caps of calls, rounds, minutes, tokens and cost, with warnings."""
    return ToolOutput.of([views.budget_status(context.budget)])


@tool("source_coverage", domain="strategy", cached=False)
def source_coverage(context: ToolContext, source_id: str) -> ToolOutput:
    """Show which expected artifacts of a source the agents' calls have touched."""
    shown = views.source_coverage(context.state, source_id, context.invocations(), context.expected)
    if "error" in shown:
        return ToolOutput.failed(str(shown["error"]))
    return ToolOutput.of([shown])
