"""Rounds: the strategist's loop with its stops, the fixed loop without one, and the repair of a round cut short."""

from __future__ import annotations

from dataclasses import replace

from wigmore.agents import briefs
from wigmore.agents.desk import Desk
from wigmore.agents.unheard import unheard
from wigmore.investigation.decisions import Decisions
from wigmore.investigation.leads import Leads
from wigmore.investigation.tasks import Ask
from wigmore.ledger import Event
from wigmore.model.canonical import identify
from wigmore.model.nouns import InvestigationRound, Rejection
from wigmore.model.times import stamp

INTERRUPTED = "interrupted before complete"


class Rounds(Leads):
    """Opens, fills and closes rounds."""

    def _repair(self) -> None:
        """Fail the leads that a kill cut short (they are tried again), and close the round it left open."""
        state = self.bench.state
        cut = sorted((x for x in state.leads.values() if x.status == "assigned"), key=lambda x: x.id)
        events = []
        for lead in cut:  # the one retry stays due: a retry that was cut short was none
            context = {k: v for k, v in lead.context.items() if k != "retry"} | {"failure_reason": INTERRUPTED}
            events.append(Event("lead", replace(lead, status="failed", context=context).to_dict()))
        for round_ in sorted(state.rounds.values(), key=lambda r: r.round_number):
            if round_.completed_at:
                continue
            proposed = [state.leads[x] for x in round_.leads_proposed if x in state.leads]
            finished = tuple(x.id for x in proposed if x.status == "completed")
            action, text = "interrupted_resume", f"interrupted; {len(cut)} assigned leads failed and are retried"
            if proposed and all(x.status in ("completed", "failed") for x in proposed):  # only its end was not recorded
                action, text = "propose_leads", "; ".join(str(x.context.get("rationale", "")) for x in proposed)
                finished = round_.leads_proposed
            events.append(Event("round", self._closed(round_, action, text, finished).to_dict()))
        self.bench.append(events)

    def _closed(
        self, round_: InvestigationRound, action: str, rationale: str, executed: tuple[str, ...]
    ) -> InvestigationRound:
        state = self.bench.state
        return replace(
            round_,
            completed_at=stamp(self.bench.clock()),
            strategist_action=action,
            decision_rationale=rationale,
            leads_executed=executed,
            hypothesis_status_snapshot_after=state.statuses(),
            phenomena_count_after=sum(not p.negative for p in state.phenomena.values()),
            edges_count_after=len(state.edges) + len(state.temporal) + len(state.links),
        )

    def _strategist_loop(self) -> None:
        state, config = self.bench.state, self.bench.config.strategist
        used = sum(r.strategist_action != "interrupted_resume" for r in state.rounds.values())
        while True:
            if budget := self.bench.exceeded():
                self.outcome.stop, self.outcome.budget = f"budget spent: {budget}", budget
                return
            if used >= config.max_rounds:
                self.outcome.stop = f"the most rounds ({config.max_rounds}) were used"
                return
            used += 1
            done, rationale = self._round()
            if done:
                self.outcome.stop = rationale
                if rationale.startswith("budget_exhausted:"):
                    self.outcome.budget = self.bench.exceeded() or "nearly spent"
                return
            zero = self._rounds_without_yield()
            if 0 < config.hard_stop_marginal_yield_zero_rounds <= zero:
                self.outcome.stop = f"{zero} rounds in a row brought nothing"
                return

    def _more_to_judge(self) -> bool:
        """Whether the probes that were owed brought what the strategist would still have judged, and it may go on."""
        used = sum(r.strategist_action != "interrupted_resume" for r in self.bench.state.rounds.values())
        if self.outcome.budget or "strategist" in self.outcome.failed_roles:
            return False
        return used < self.bench.config.strategist.max_rounds and bool(unheard(self._ruled("strategist", "gap", "")))

    def _rounds_without_yield(self) -> int:
        """How many of the last rounds in a row brought nothing; a round cut short belongs to the one that finished it."""
        count = 0
        for last in sorted(self.bench.state.rounds.values(), key=lambda r: -r.round_number):
            brought = last.new_phenomena_count + last.new_edges_count + last.status_flips
            if brought or last.strategist_action not in ("propose_leads", "interrupted_resume"):
                break
            count += last.strategist_action == "propose_leads"
        return count

    def _round(self) -> tuple[bool, str]:
        """One round; True with the reason when it was the last."""
        bench, state = self.bench, self.bench.state
        number = max((r.round_number for r in state.rounds.values()), default=0) + 1
        opened = InvestigationRound(
            f"round-{number:03d}",
            number,
            stamp(bench.clock()),
            hypothesis_status_snapshot_before=state.statuses(),
            phenomena_count_before=sum(not p.negative for p in state.phenomena.values()),
            edges_count_before=len(state.edges) + len(state.temporal) + len(state.links),
        )
        bench.append([Event("round", opened.to_dict())])
        self.say(f"round {number}")
        desk, error = self._decided(number)
        decisions: Decisions = desk.config["decide"]
        bench.append(
            [
                *desk.gateway.buffer,
                *(
                    Event(
                        "rejection",
                        Rejection(identify("rej", number, n, text), "strategist", "", "lead", text, {}).to_dict(),
                    )
                    for n, text in enumerate(decisions.refusals)
                ),
            ]
        )
        proposed = tuple(x.id for x in decisions.leads)
        opened = replace(opened, leads_proposed=proposed)
        if error:
            bench.append([Event("round", self._closed(opened, "strategist_failed", error, ()).to_dict())])
            self.outcome.failed_roles["strategist"] = error
            return True, f"the strategist failed: {error}"
        if decisions.completed:
            text = f"{decisions.completed}: {decisions.rationale}"
            closed = [
                Event("lead", replace(x, status="failed", context={**x.context, "failure_reason": text}).to_dict())
                for x in decisions.leads
            ]
            bench.append([*closed, Event("round", self._closed(opened, "declare_complete", text, ()).to_dict())])
            return True, text
        waiting = sorted((x for x in state.leads.values() if x.status == "pending"), key=lambda x: (-x.priority, x.id))
        if not decisions.leads and not waiting:
            text = "no lead was proposed" + (
                f"; open already: {', '.join(decisions.duplicates)}" if decisions.duplicates else ""
            )
            bench.append([Event("round", self._closed(opened, "no_leads", text, ()).to_dict())])
            return True, text
        bench.append([*(Event("lead", x.to_dict()) for x in decisions.leads), Event("round", opened.to_dict())])
        executed = []
        for lead in [*waiting, *decisions.leads]:
            self._dispatch(lead)
            executed.append(lead.id)
        self._judge_new(number)
        rationale = "; ".join(str(x.context.get("rationale", "")) for x in decisions.leads)
        bench.append([Event("round", self._closed(opened, "propose_leads", rationale, tuple(executed)).to_dict())])
        return False, ""

    def _decided(self, number: int) -> tuple[Desk, str]:
        """The desk of this round's decision: a model's where one came to one, else the rule's; and the error of a failing one."""
        role = self.roles["strategist"]
        if self.reasoning.on:
            task = f"round:{number}:model"
            narrow = self.reasoning.nearly_spent(task)

            def fresh(model: str) -> Desk:
                made = self.desk("strategist", task, "", None, model)
                made.config["decide"] = Decisions(self.bench.state, self.roles, number, only_complete=narrow)
                return made

            reasoned = self.reasoning.work(
                role, task, fresh, lambda desk: briefs.strategist(role, desk, number), (), narrow=narrow
            )
            self.take(reasoned)
            self.bench.append(reasoned.events)
            if reasoned.desk is not None:
                return reasoned.desk, ""
        desk = self._ruled("strategist", f"round:{number}", "")
        only = self.reasoning.on and self.reasoning.nearly_spent(f"round:{number}:model")
        desk.config["decide"] = Decisions(
            self.bench.state, self.roles, number, only_complete=only or self.bench.nearly_spent()
        )
        return desk, self._run(role, desk)

    def _judge_new(self, number: int) -> None:
        """Have the hypothesis role judge what models observed in a round and nothing was made of."""
        role = self.roles["hypothesis"]
        new = briefs.unjudged(self.desk("hypothesis", f"judge:{number}", ""), model_only=True)
        if self.reasoning.on and new:
            self._reason(
                [
                    Ask(
                        replace(role, proposes=(), mandatory_record_tools=("link_evidence",)),
                        f"judge:round:{number}",
                        "",
                        (),
                        lambda desk: briefs.judging(role, desk, new),
                    )
                ]
            )

    def _fixed_loop(self) -> None:
        """Without a strategist: fixed rounds over leads derived from active hypotheses; opens no InvestigationRound."""
        from wigmore.agents.roles.strategist import candidates

        for number in range(1, self.bench.config.max_investigation_rounds + 1):
            state = self.bench.state
            if state.hypotheses and all(s != "active" for s in state.statuses().values()):
                self.outcome.stop = "all hypotheses converged"
                return
            decisions = Decisions(state, self.roles, number)
            desk = self.desk("strategist", f"fixed:{number}", "")
            for candidate in candidates(desk)[:3]:
                if state.status(candidate.hypothesis.id) == "active":
                    decisions.propose(
                        candidate.probe.description,
                        candidate.probe.role,
                        candidate.hypothesis.id,
                        candidate.probe.edge,
                        rationale=candidate.reason,
                        probe=candidate.probe.id,
                        sources=list(candidate.sources),
                    )
            self.bench.append([Event("lead", x.to_dict()) for x in decisions.leads])
            waiting = sorted(
                (x for x in state.leads.values() if x.status == "pending"), key=lambda x: (-x.priority, x.id)
            )
            if not waiting:
                self.outcome.stop = "no lead is pending"
                return
            self._parallel(waiting)
        self.outcome.stop = f"the fixed rounds ({self.bench.config.max_investigation_rounds}) were used"
