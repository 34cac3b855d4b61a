"""The strategist role: one decision a round, leads by expected change of discrimination for their cost, or an end.

Policy (SPEC D): open leads first; a second source for beliefs that rest on one; the deciding fact for hypotheses between
0.2 and 0.8; never more of the same direction for a supported one; refuting leads have equal standing.
"""

from __future__ import annotations

from dataclasses import dataclass

from wigmore.agents.absence import covered
from wigmore.agents.desk import Desk, role
from wigmore.agents.offline import applicable_sources
from wigmore.agents.prompts import DISCIPLINE
from wigmore.agents.templates import Probe, Template, template_of
from wigmore.agents.unheard import offer
from wigmore.graph.bearing import met, shown
from wigmore.model.nouns import Hypothesis, Lead

LEADS_A_ROUND = 3


@dataclass(frozen=True)
class Candidate:
    """A probe that could be made, and what it is expected to change."""

    hypothesis: Hypothesis
    probe: Probe
    sources: tuple[str, ...]
    gain: float
    reason: str

    @property
    def order(self) -> tuple[float, bool, bool, str, str]:
        """Best first: gain for cost, disconfirming before confirming, then names."""
        return (
            -round(self.gain / self.probe.cost, 6),
            not self.probe.disconfirming,
            not self.probe.decisive,
            self.hypothesis.id,
            self.probe.id,
        )


def sources_left(desk: Desk, template: Template, hypothesis: Hypothesis, probe: Probe) -> tuple[str, ...]:
    """The sources in which a hypothesis' probe was not made yet; a hypothesis about one source looks nowhere else."""
    return tuple(
        s for s in applicable_sources(desk, probe)
        if (hypothesis.id, probe.id, s) not in desk.state.probes
        and (template.per != "source" or (desk.state.sources[s].label or s) == hypothesis.subject)
    )  # fmt: skip


def candidates(desk: Desk) -> list[Candidate]:
    """All probes not made yet that are expected to change a belief, best first; those that failed are retried at the end."""
    failed = {_asked(x) for x in desk.state.leads.values() if x.status == "failed" and not (_cut(x) or x.untried)}
    out = []
    for hypothesis in sorted(desk.state.hypotheses.values(), key=lambda h: h.id):
        template = template_of(desk.templates, hypothesis)
        if template is None:
            continue
        for probe in template.probes_of(hypothesis):
            sources = sources_left(desk, template, hypothesis, probe)
            if not sources or (hypothesis.id, probe.id) in failed:
                continue
            gain, reason = expected_change(desk, template, hypothesis, probe, sources)
            if gain > 0:
                out.append(Candidate(hypothesis, probe, sources, gain, reason))
    return sorted(out, key=lambda c: c.order)


def obligations(desk: Desk) -> list[tuple[Candidate, bool]]:
    """Disconfirming and decisive probes that supported hypotheses still owe; False where no source could answer.

    Standing alternatives owe theirs as soon as one hypothesis is supported.
    """
    out = []
    supported = {h.id for h in desk.state.hypotheses.values() if desk.state.status(h.id) == "supported"}
    if any(not desk.state.hypotheses[name].innocent for name in supported):
        supported |= {h.id for h in desk.state.hypotheses.values() if h.standing}
    for hypothesis in sorted(desk.state.hypotheses.values(), key=lambda h: h.id):
        template = template_of(desk.templates, hypothesis)
        if template is None or hypothesis.id not in supported:
            continue
        for probe in template.probes_of(hypothesis):
            made = any((h, p) == (hypothesis.id, probe.id) for h, p, _ in desk.state.probes)
            sources = sources_left(desk, template, hypothesis, probe)
            if not (probe.disconfirming or probe.decisive) or (made and not sources):
                continue
            why = f"owed before {hypothesis.title} may be stated as a conclusion"
            out.append((Candidate(hypothesis, probe, sources, 0.0, why), bool(sources)))
    return out


def expected_change(
    desk: Desk, template: Template, hypothesis: Hypothesis, probe: Probe, sources: tuple[str, ...]
) -> tuple[float, str]:
    """Expected absolute change of the distance between a hypothesis and its best alternative, and the words for it."""
    if_found = abs(desk.state.prospective(hypothesis.id, probe.edge))
    status = desk.state.status(hypothesis.id)
    same_way = status == "supported" and probe.edge not in ("weakens", "contradicts")
    bearing = {e.source_id for e in desk.state.edges_to(hypothesis.id)}
    second = same_way and len(bearing) == 1 and any(s not in bearing for s in sources)
    other = same_way and bool(_artifacts(desk, probe) - _bearing_artifacts(desk, hypothesis))
    if same_way and not second and not other and not probe.decisive:
        if_found = 0.0  # more of the same from the same mechanism, for a supported hypothesis
    able = [s for s in sources if covered(desk, s, probe.artifacts, kept=bool(probe.recorded))[0]]
    ways = shown(desk.state.edges_to(hypothesis.id), desk.state.phenomena)
    moot = bool(ways & set(probe.unless))  # the act was done in another way: what this one weakens bears on nothing
    if moot and probe.edge == "weakens":
        if_found = 0.0
    if_empty = 0.0
    if probe.if_empty and able and not moot and probe.id not in met(desk.state.made(hypothesis.id)):
        if_empty = abs(desk.state.prospective(hypothesis.id, probe.if_empty))
    gain = probe.likely * if_found + (1 - probe.likely) * if_empty
    reason = (
        f"expected |Δ| {gain:.3f} for cost {probe.cost:g}: {probe.likely:.2f} × {if_found:.3f} if found, "
        f"{1 - probe.likely:.2f} × {if_empty:.3f} if receipted empty; {hypothesis.title} stands at "
        f"{desk.state.log_odds(hypothesis.id):+.2f} against {_best_alternative(desk, hypothesis):+.2f}"
    )
    if second:
        reason += "; all its support is from one source so far"
    elif other:
        reason += "; artifacts that do not bear on it yet"
    return round(gain, 6), reason


def _artifacts(desk: Desk, probe: Probe) -> set[str]:
    """The artifacts that a probe's rules read (or that it names itself)."""
    return {a for name in probe.rules for a in desk.indicators[name].artifacts} or {
        a.partition(":")[0] for a in probe.artifacts
    }


def _bearing_artifacts(desk: Desk, hypothesis: Hypothesis) -> set[str]:
    """The artifacts whose records bear on a hypothesis already: their mechanisms are heard."""
    cited = (desk.state.phenomena[e.phenomenon_id] for e in desk.state.edges_to(hypothesis.id))
    return {f.artifact for p in cited for f in p.verified_facts}


def _best_alternative(desk: Desk, hypothesis: Hypothesis) -> float:
    return max((desk.state.log_odds(a) for a in desk.state.alternatives(hypothesis.id)), default=0.0)


def unfinished(desk: Desk) -> bool:
    """Whether leads of an interrupted round are open: they go first, those cut short again, and nothing beside them.

    The graph is then what it would have been without the interruption before anything new is decided.
    """
    leads = sorted(desk.state.leads.values(), key=lambda x: x.id)
    judged = {_asked(x) for x in leads if x.status == "completed"}
    for lead in leads:
        made = (bool(lead.context.get("phenomena")) and _asked(lead) in judged) or all(
            (lead.motivating_hypothesis, lead.context.get("probe"), s) in desk.state.probes
            for s in lead.context.get("sources") or [lead.context.get("source_id", "")]
        )
        if len(desk.config["decide"].leads) == LEADS_A_ROUND:
            break
        if lead.status == "failed" and _cut(lead) and not made:
            desk.config["decide"].propose(
                lead.description,
                lead.target_agent,
                lead.motivating_hypothesis,
                lead.expected_evidence_type,
                **{k: v for k, v in lead.context.items() if k not in ("failure_reason", "retry")},
            )
    return bool(desk.config["decide"].leads) or any(x.status == "pending" for x in leads)


def _cut(lead: Lead) -> bool:
    return lead.context.get("failure_reason") == "interrupted before complete"


def _asked(lead: Lead) -> tuple[str, str]:
    return lead.motivating_hypothesis, str(lead.context.get("probe"))


@role(
    "strategist",
    goal="Decide each round: one to three leads that would change a belief, or that the case is complete.",
    sources=(),
    tools=(
        "graph_overview",
        "source_coverage",
        "marginal_yield",
        "budget_status",
        "list_phenomena",
        "get_phenomenon",
        "get_hypothesis",
        "search_graph",
        "list_leads",
    ),
    mandatory=("propose_lead", "declare_investigation_complete"),
    terminal=("declare_investigation_complete",),
    worker=False,
    proposes=(),
    prompt=DISCIPLINE
    + """
Read the overview, the yield, the budget, then the coverage of a source you consider. Seek a second source for what rests on
one, a deciding fact for what is open, what would refute a belief as eagerly as what would support it. Never more of the same
for what is supported. Stop after two rounds without yield, at nine tenths of a budget, or when nothing open can be moved.
""",
)
def strategist(desk: Desk) -> None:
    """Propose the best leads, or declare the investigation complete, through the same calls that a model uses."""
    overview = [desk.call("graph_overview"), desk.call("marginal_yield"), desk.call("budget_status")]
    del overview  # recorded: what the decision could see
    if desk.config["decide"].only_complete:
        desk.config["decide"].complete("budget_exhausted", "less than a tenth of a budget is left")
        return
    if unfinished(desk):
        return
    best = candidates(desk)[:LEADS_A_ROUND]
    if not best and offer(desk, LEADS_A_ROUND):
        return
    if not best:
        statuses = desk.state.statuses()
        open_ones = sorted(h for h, s in statuses.items() if s == "active")
        reason = "all_hypotheses_resolved" if statuses and not open_ones else "coverage_saturated"
        desk.config["decide"].complete(
            reason,
            "no lead is left with a positive expected change of belief; "
            f"{len(open_ones)} of {len(statuses)} hypotheses stay open",
        )
        return
    for candidate in best:
        desk.config["decide"].propose(
            description=f"{candidate.probe.description} — for: {candidate.hypothesis.title}",
            target_agent=candidate.probe.role,
            motivating_hypothesis=candidate.hypothesis.id,
            expected_evidence_type=candidate.probe.edge,
            source_id=candidate.sources[0] if len(candidate.sources) == 1 else "",
            rationale=candidate.reason,
            probe=candidate.probe.id,
            sources=list(candidate.sources),
            gain=candidate.gain,
        )
