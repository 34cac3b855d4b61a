"""The hypothesis role: frames of competing hypotheses from what was observed, and the edges that rules declare."""

from __future__ import annotations

from wigmore.agents.desk import Desk, role
from wigmore.agents.offline import judge, raise_asked_about, raise_led_to
from wigmore.agents.prompts import DISCIPLINE, READING
from wigmore.agents.unheard import judge_named, observed_by_rule


@role(
    "hypothesis",
    goal="Form hypotheses with their alternatives, and judge what observations say of them.",
    sources=(),
    aliases=("hypotheses",),
    tools=(*READING, "graph_overview", "get_hypothesis", "list_leads"),
    mandatory=("add_hypothesis", "link_evidence"),
    proposes=("add_lead",),
    prompt=DISCIPLINE
    + """
Every hypothesis comes with the innocent explanations that compete with it. An edge needs an alternative that predicts the
observation less well; if all predict it, it is consistent with all and carries nothing. Prerequisites never add up to a
conclusion.
""",
)
def hypothesis(desk: Desk) -> None:
    """Raise what the phenomena lead to and what the case asks about, then judge each by the rule that led to it; under a lead
    that names some, those alone."""
    if desk.lead and desk.lead.context.get("phenomena"):
        judge_named(desk, desk.lead.context["template"], list(desk.lead.context["phenomena"]))
        return
    ordered = sorted(desk.state.phenomena.values(), key=lambda p: (p.source_id, p.id))
    observed = [seen for phenomenon in ordered if (seen := observed_by_rule(desk, phenomenon))]
    for seen in observed:
        raise_led_to(desk, seen)
    for _, question in sorted(desk.state.questions.items()):
        if question.get("ask") and not question.get("standard"):
            raise_asked_about(desk, str(question["ask"]))
    for seen in observed:
        judge(desk, seen)
