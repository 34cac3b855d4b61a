"""Observations that the rounds brought and that no hypothesis was told of: what a lead to the hypothesis role works off.

A probe lays its own edge, and those of its rules to hypotheses that are there. What its rules say of a hypothesis that was
never raised stays unheard, until the strategist sends the hypothesis role there (SPEC D). Each observation is offered once a
template: what was offered stands in the leads.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from wigmore.agents.desk import Desk
from wigmore.agents.offline import Observed, judge, raise_hypotheses, subject_of
from wigmore.agents.templates import Template
from wigmore.model.nouns import EDGE_TYPES, FOR, Phenomenon
from wigmore.records.rules import Bearing

ROLE = "hypothesis"


@dataclass(frozen=True)
class Unheard:
    """Observations that bear on one template's hypothesis about one subject, and what they are expected to change."""

    template: Template
    subject: str
    motivating: (
        str  # the hypothesis it would qualify: the one of the template, or the one under whose lead it was found
    )
    edge: str  # the strongest that is declared
    phenomena: tuple[str, ...]
    gain: float
    raises: bool  # the hypothesis is not there yet

    @property
    def probe(self) -> str:
        """What the lead asks, as probes are named."""
        return f"judge:{self.template.id}:{self.subject}"

    @property
    def reason(self) -> str:
        """The words for the expected change."""
        new = "which nothing raised so far" if self.raises else "which was not told of them"
        return (
            f"expected |Δ| {self.gain:.3f} for cost 1: {len(self.phenomena)} recorded observations bear on "
            f"{self.template.title}, {new}"
        )


def observed_by_rule(desk: Desk, phenomenon: Phenomenon) -> Observed | None:
    """A phenomenon with what its rule says it bears on and whom it is about; None where no rule led to it."""
    rule = desk.indicators.get(phenomenon.rule)
    if rule is None or phenomenon.negative:
        return None
    subject = ""
    if rule.subject and rule.subject != "host":
        named = next((f.value for f in phenomenon.verified_facts if f.name == rule.subject), None)
        subject = "" if named is None else str(named)
    return Observed(phenomenon, rule.bears_on, subject)


def unheard(desk: Desk) -> list[Unheard]:
    """The groups of observations that no hypothesis was told of and that would change a belief, the most telling first."""
    state = desk.state
    heard = {(e.phenomenon_id, state.hypotheses[e.hypothesis_id].frame) for e in state.edges.values()}
    heard |= {
        (name, str(lead.context.get("template")))
        for lead in state.leads.values()
        if lead.target_agent == ROLE
        for name in lead.context.get("phenomena") or ()
    }
    groups: dict[tuple[str, str], list[tuple[Phenomenon, Bearing]]] = defaultdict(list)
    for phenomenon in sorted(state.phenomena.values(), key=lambda p: (p.source_id, p.id)):
        if not phenomenon.lead_id:  # what triage saw was judged in phase 2
            continue
        seen = observed_by_rule(desk, phenomenon)
        for bearing in seen.bearings if seen else ():
            name = bearing.template.partition("/")[0]
            if seen and name in desk.templates and (phenomenon.id, name) not in heard:
                subject = subject_of(desk, desk.templates[name], phenomenon, seen.subject)
                groups[name, subject].append((phenomenon, bearing))
    made = [_group(desk, desk.templates[name], subject, bearing) for (name, subject), bearing in sorted(groups.items())]
    return sorted((g for g in made if g is not None), key=lambda g: (-g.gain, g.template.id, g.subject))


def _group(desk: Desk, template: Template, subject: str, bearings: list[tuple[Phenomenon, Bearing]]) -> Unheard | None:
    """The group, or None where it changes no belief, or where nothing in it speaks for a hypothesis that is not there."""
    state, main = desk.state, template.hypothesis(subject).id
    raises = main not in state.hypotheses
    if raises and not any(b.template == template.id and b.edge in FOR for _, b in bearings):
        return None
    found_under = [state.leads[p.lead_id].motivating_hypothesis for p, _ in bearings if p.lead_id in state.leads]
    motivating = next((name for name in ([] if raises else [main]) + found_under if name in state.hypotheses), "")
    gain, coming = 0.0, dict[tuple[str, str], int]()
    for _, bearing in bearings:
        target = template.hypothesis(subject, bearing.template.partition("/")[2]).id
        key = (target, bearing.edge)
        before = sum(e.edge_type == bearing.edge for e in state.edges_to(target)) + coming.get(key, 0)
        gain += abs(state.table.get(bearing.edge, 0.0)) / (before + 1)
        coming[key] = coming.get(key, 0) + 1
    if not motivating or not round(gain, 6):
        return None
    edge = min((b.edge for _, b in bearings if b.edge in EDGE_TYPES), key=EDGE_TYPES.index)
    names = tuple(dict.fromkeys(p.id for p, _ in bearings))
    return Unheard(template, subject, motivating, edge, names, round(gain, 6), raises)


def offer(desk: Desk, most: int) -> bool:
    """Propose a lead to the hypothesis role for each of the most telling groups; False where there is none."""
    groups = unheard(desk)[:most]
    for group in groups:
        about = f" ({group.subject})" if group.subject else ""
        desk.config["decide"].propose(
            description=f"Judge {len(group.phenomena)} recorded observations that bear on: {group.template.title}{about}",
            target_agent=ROLE,
            motivating_hypothesis=group.motivating,
            expected_evidence_type=group.edge,
            rationale=group.reason,
            probe=group.probe,
            template=group.template.id,
            phenomena=list(group.phenomena),
            gain=group.gain,
        )
    return bool(groups)


def judge_named(desk: Desk, template_id: str, names: list[str]) -> None:
    """Judge exactly these phenomena for one template, which raises its hypothesis where it is not there."""
    template = desk.templates[template_id]
    for name in sorted(names, key=lambda n: (desk.state.phenomena[n].source_id, n)):
        seen = observed_by_rule(desk, desk.state.phenomena[name])
        if seen is None:
            continue
        raise_hypotheses(desk, template, subject_of(desk, template, seen.phenomenon, seen.subject))
        bearings = tuple(b for b in seen.bearings if b.template.partition("/")[0] == template_id)
        judge(desk, Observed(seen.phenomenon, bearings, seen.subject))
