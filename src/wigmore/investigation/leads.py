"""Leads: assigned before their worker starts, then completed or failed with the reason; one retry; none stranded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from wigmore.agents import briefs
from wigmore.agents.desk import Desk
from wigmore.agents.offline import run_probe
from wigmore.agents.roles.strategist import sources_left
from wigmore.agents.templates import Probe, Template, template_of
from wigmore.investigation.tasks import Ask, Tasks
from wigmore.ledger import Event
from wigmore.model.canonical import identify
from wigmore.model.nouns import Hypothesis, Lead

SLICE = 20  # leads run and committed at a time


class Leads(Tasks):
    """Dispatches leads to roles."""

    def _dispatch(self, lead: Lead) -> None:
        """Assign a lead (saved first), run its role, commit what it found with its end."""
        bench = self.bench
        role = self.roles.get(lead.target_agent)
        if role is None:
            context = {**lead.context, "failure_reason": f"unknown role {lead.target_agent!r}"}
            bench.append([Event("lead", replace(lead, status="failed", context=context).to_dict())])
            return
        assigned = replace(lead, status="assigned")
        bench.append([Event("lead", assigned.to_dict())])
        events, error = self._work(assigned)
        if not error and self._further(lead):
            bench.append(events)  # a model sees what rules found
            events = self._reasoned(assigned)
        status = "failed" if error else "completed"
        context = {**lead.context, **({"failure_reason": error} if error else {})}
        bench.append([*events, Event("lead", replace(assigned, status=status, context=context).to_dict())])

    def _further(self, lead: Lead) -> bool:
        """Whether a model works on a lead after the rules: not on what rules owe themselves."""
        return self.reasoning.on and lead.proposed_by not in ("gap_analysis", "asked_anew")

    def _reasoned(self, lead: Lead) -> list[Event]:
        """What a model proposes on a lead, after the rules; the events that tell of it."""
        state = self.bench.state
        named = [s for s in lead.context.get("sources") or [lead.context.get("source_id", "")] if s]
        sources = tuple(named or sorted(state.sources))
        recorded = sorted(p.id for p in state.phenomena.values() if p.lead_id == lead.id)
        role, retry = self.roles[lead.target_agent], "retry" if lead.context.get("retry") else "first"
        ask = Ask(
            role,
            f"{lead.id}:{retry}:model",
            sources[0] if len(sources) == 1 else "",
            sources,
            lambda desk: briefs.lead(role, desk, list(sources), recorded),
            lead,
        )
        reasoned = self._try(ask)
        self.take(reasoned)
        return [*(reasoned.desk.gateway.buffer if reasoned.desk else []), *reasoned.events]

    def _work(self, lead: Lead) -> tuple[list[Event], str]:
        """What a lead's role proposes; (events, error)."""
        state = self.bench.state
        hypothesis = state.hypotheses.get(lead.motivating_hypothesis)
        template = template_of(self.bench.rules.templates, hypothesis) if hypothesis else None
        probe = next((p for p in template.probes if p.id == lead.context.get("probe")), None) if template else None
        sources = list(lead.context.get("sources") or ()) or [lead.context.get("source_id", "")]
        role = self.roles[lead.target_agent]
        if sources == [""] and probe is None and "add_phenomenon" in role.mandatory_record_tools:  # about all of them
            sources = sorted(state.sources)
        events: list[Event] = []
        errors: list[str] = []
        for source_id in sources:
            task = f"{lead.id}:{source_id}:{'retry' if lead.context.get('retry') else 'first'}"
            desk = self._ruled(lead.target_agent, task, source_id, lead)
            try:
                probes = [probe] if probe is not None else self._fitting(desk, lead, template, hypothesis)
                for one in probes:
                    assert template is not None and hypothesis is not None
                    if run_probe(desk, template, one, hypothesis) == "failed":
                        errors.append(f"a tool failed: {desk.gateway.buffer[-1].body.get('reason', '')}")
                if not probes:
                    self.roles[lead.target_agent].offline(desk)
            except Exception as error:  # noqa: BLE001  # the boundary of a lead: it fails with its reason
                errors.append(f"{type(error).__name__}: {error}")
            else:
                events += desk.gateway.buffer
        return events, "; ".join(dict.fromkeys(errors))[:500]

    @staticmethod
    def _fitting(desk: Desk, lead: Lead, template: Template | None, hypothesis: Hypothesis | None) -> list[Probe]:
        """The probes that rules have for what a model's lead asks: of its hypothesis, role and edge, and not put yet."""
        if template is None or hypothesis is None or not desk.source_id or lead.context.get("probe"):
            return []
        return [
            p
            for p in template.probes_of(hypothesis)
            if (p.role, p.edge) == (lead.target_agent, lead.expected_evidence_type)
            and desk.source_id in sources_left(desk, template, hypothesis, p)
        ]

    def _parallel(self, leads: Sequence[Lead]) -> None:
        """Run leads in parallel, commit them in order."""
        bench = self.bench
        assigned = [replace(x, status="assigned") for x in leads]
        bench.append([Event("lead", x.to_dict()) for x in assigned])
        with ThreadPoolExecutor(self.jobs) as pool:
            results = list(pool.map(self._work, assigned))
        for lead, (events, error) in zip(assigned, results, strict=True):
            if not error and self._further(lead):
                bench.append(events)
                events = self._reasoned(lead)
            context = {**lead.context, **({"failure_reason": error} if error else {})}
            bench.append(
                [
                    *events,
                    Event("lead", replace(lead, status="failed" if error else "completed", context=context).to_dict()),
                ]
            )

    def _ask_anew(self) -> None:
        """Put the probes again that were put to other records, by other rules or for another period."""
        now, state = self.bench.snapshot(), self.bench.state
        stale: dict[tuple[str, str], list[str]] = defaultdict(list)
        for (hypothesis_id, name, source_id), made in sorted(state.probes.items()):
            if source_id and made.get("snapshot") != now:
                stale[hypothesis_id, name].append(source_id)
        leads = []
        for (hypothesis_id, name), sources in stale.items():
            hypothesis = state.hypotheses[hypothesis_id]
            template = template_of(self.bench.rules.templates, hypothesis)
            probe = next((p for p in template.probes_of(hypothesis) if p.id == name), None) if template else None
            if probe is not None:
                why = "records, rules or the period changed since it was asked"
                leads.append(self._owed(hypothesis, probe, sources, "asked_anew", why, now))
        if not leads:
            return
        self.say(f"{len(leads)} probes are put again: records, rules or the period changed")
        self.bench.append([Event("lead", x.to_dict()) for x in leads])
        for n in range(0, len(leads), SLICE):
            if self.bench.exceeded():  # what is left stays pending, and is closed with that reason
                return
            self._parallel(leads[n : n + SLICE])

    @staticmethod
    def _owed(hypothesis: Hypothesis, probe: Probe, sources: Sequence[str], by: str, why: str, *when: str) -> Lead:
        """A lead that nobody proposed: a probe that must be put."""
        return Lead(
            identify("lead", by, hypothesis.id, probe.id, list(sources), *when),
            probe.role,
            f"{probe.description} — for: {hypothesis.title}",
            5,
            {"source_id": "", "rationale": why, "probe": probe.id, "sources": list(sources)},
            "pending",
            hypothesis.id,
            by,
            hypothesis.id,
            probe.edge,
        )

    def _finish_leads(self) -> None:
        """No lead is stranded: those still pending are dispatched once, or closed with the reason."""
        for lead in sorted((x for x in self.bench.state.leads.values() if x.status == "pending"), key=lambda x: x.id):
            if self.outcome.budget:
                context = {**lead.context, "failure_reason": self.outcome.stop}
                self.bench.append([Event("lead", replace(lead, status="failed", context=context).to_dict())])
            else:
                self._dispatch(lead)

    def _retry(self) -> None:
        """Failed leads get one more try, in parallel."""
        again = [
            replace(x, context={**x.context, "retry": True})
            for x in sorted(self.bench.state.leads.values(), key=lambda x: x.id)
            if x.status == "failed" and not x.context.get("retry") and x.target_agent in self.roles and not x.untried
        ]
        if again and not self.outcome.budget:
            self.say(f"retrying {len(again)} failed leads")
            self._parallel(again)

    def _left_by_model(self) -> None:
        """Where a model decided, the probes that rules would still have put, as many as the rounds it left could have held."""
        from wigmore.agents.roles.strategist import LEADS_A_ROUND, candidates

        if not self.reasoning.endpoints:
            return
        used = sum(r.strategist_action == "propose_leads" for r in self.bench.state.rounds.values())
        for number in range(used, self.bench.config.strategist.max_rounds):
            best = candidates(self._ruled("strategist", f"left:{number}", ""))[:LEADS_A_ROUND]
            if not best or self.bench.exceeded():
                return
            leads = [self._owed(c.hypothesis, c.probe, c.sources, "gap_analysis", c.reason) for c in best]
            self.bench.append([Event("lead", x.to_dict()) for x in leads])
            for lead in leads:
                self._dispatch(lead)

    def _gap_analysis(self) -> None:
        """What supported hypotheses still owe: their disconfirming and decisive probes are made, or said to be impossible."""
        from wigmore.agents.roles.strategist import obligations

        if self.outcome.budget:
            return
        self._left_by_model()
        leads, receipts = [], []
        for owed, possible in obligations(self._ruled("strategist", "gap analysis", "")):
            if possible:
                leads.append(self._owed(owed.hypothesis, owed.probe, owed.sources, "gap_analysis", owed.reason))
            else:
                receipts.append(
                    Event(
                        "probe",
                        {
                            "id": f"{owed.hypothesis.id}:{owed.probe.id}:",
                            "hypothesis_id": owed.hypothesis.id,
                            "probe": owed.probe.id,
                            "source_id": "",
                            "outcome": "cannot_say",
                            "reason": f"no source of this case has what it would look at: {owed.probe.description}",
                            "decisive": owed.probe.decisive,
                            "disconfirming": owed.probe.disconfirming,
                            "invocations": [],
                            "phenomena": [],
                        },
                    )
                )
        self.say(f"gap analysis: {len(leads)} probes owed, {len(receipts)} that no source could answer")
        self.bench.append([*receipts, *(Event("lead", x.to_dict()) for x in leads)])
        for lead in leads:
            self._dispatch(lead)
