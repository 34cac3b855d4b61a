"""The hypothesis role: frames of competing hypotheses from what was observed, and the edges that rules declare."""

from __future__ import annotations

from wigmore.agents.desk import Desk, role
from wigmore.agents.offline import Observed, judge, raise_led_to
from wigmore.agents.prompts import DISCIPLINE, READING


@role(
    "hypothesis",
    goal="Form hypotheses with their alternatives, and judge what observations say of them.",
    sources=(),
    aliases=("hypotheses",),
    tools=(*READING, "graph_overview", "get_hypothesis", "list_leads"),
    mandatory=("add_hypothesis", "link_evidence"),
    prompt=DISCIPLINE
    + """
Every hypothesis comes with the innocent explanations that compete with it. An edge needs an alternative that predicts the
observation less well; if all predict it, it is consistent with all and carries nothing. Prerequisites never add up to a
conclusion.
""",
)
def hypothesis(desk: Desk) -> None:
    """Raise what the phenomena lead to, then judge each by the rule that led to it, in canonical order."""
    observed = []
    for phenomenon in sorted(desk.state.phenomena.values(), key=lambda p: (p.source_id, p.id)):
        rule = desk.indicators.get(phenomenon.rule)
        if rule is None or phenomenon.negative:
            continue
        subject = ""
        if rule.subject:
            named = next((f.value for f in phenomenon.verified_facts if f.name == rule.subject), None)
            subject = "" if named is None else str(named)
            if rule.subject == "host":
                subject = ""
        observed.append(Observed(phenomenon, rule.bears_on, subject))
    for seen in observed:
        raise_led_to(desk, seen)
    for seen in observed:
        judge(desk, seen)
