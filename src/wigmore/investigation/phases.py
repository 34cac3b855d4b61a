"""The five phases over an opened case; each task commits whole, in order, so that a kill loses and doubles nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from wigmore.agents.desk import Desk, Role
from wigmore.agents.offline import run_probe
from wigmore.graph.gateway import Gateway
from wigmore.graph.views import conclusion
from wigmore.investigation.decisions import Decisions
from wigmore.investigation.workbench import Workbench
from wigmore.ledger import Event
from wigmore.model.canonical import identify
from wigmore.model.nouns import COMPLETE_REASONS, Hypothesis, InvestigationArea, InvestigationRound, Lead, Rejection
from wigmore.model.times import stamp
from wigmore.registry import found

FAILURES = 3  # consecutive failures of one role that stop its path
INTERRUPTED = "interrupted before complete"


@dataclass
class Outcome:
    """How the investigation ended, for the last lines and the exit code."""

    stop: str = ""
    budget: str = ""
    failed_roles: dict[str, str] = field(default_factory=dict)
    failed_tasks: dict[str, str] = field(default_factory=dict)
    failed_leads: int = 0
    open_leads: int = 0


class Investigation:
    """Drives roles over a workbench."""

    def __init__(self, bench: Workbench, *, jobs: int = 2, say: Callable[[str], None] = lambda _: None) -> None:
        self.bench = bench
        self.jobs = max(1, jobs)
        self.say = say
        self.roles: dict[str, Role] = found("role")
        self.period = bench.period()
        self.outcome = Outcome()
        self._failures: dict[str, int] = {}

    # one task of a role -------------------------------------------------------------------------------------------

    def desk(self, role: str, task_id: str, source_id: str, lead: Lead | None = None) -> Desk:
        """A desk for one task."""
        bench = self.bench
        gateway = Gateway(
            bench.state,
            bench.runner,
            bench.semantics,
            agent=role,
            now=lambda: stamp(bench.clock()),
            lead_id=lead.id if lead else "",
            period=self.period,
        )
        return Desk(
            role,
            task_id,
            source_id,
            bench.runner,
            gateway,
            bench.state,
            bench.indicators,
            bench.templates,
            bench.coverage,
            lead,
        )

    def _run(self, role: Role, desk: Desk) -> str:
        """Run a role's rule; the error of a failing one, with nothing of it proposed."""
        try:
            role.offline(desk)
        except Exception as error:  # noqa: BLE001  # the boundary of a role: its failure is recorded, the case goes on
            desk.gateway.buffer = [e for e in desk.gateway.buffer if e.kind == "rejection"]
            return f"{type(error).__name__}: {error}"[:500]
        return ""

    def _commit(self, desk: Desk, error: str) -> None:
        events = list(desk.gateway.buffer)
        if error:
            self._failures[desk.role] = self._failures.get(desk.role, 0) + 1
            events.append(
                Event(
                    "task.failed", {"id": desk.task_id, "role": desk.role, "source_id": desk.source_id, "error": error}
                )
            )
            self.outcome.failed_tasks[desk.task_id] = error
            if self._failures[desk.role] >= FAILURES:
                self.outcome.failed_roles[desk.role] = error
        else:
            self._failures[desk.role] = 0
            events.append(Event("task.done", {"id": desk.task_id, "role": desk.role, "source_id": desk.source_id}))
        self.bench.append(events)

    def _tasks(self, tasks: Sequence[tuple[Role, str, str]]) -> None:
        """Run (role, task id, source) in parallel, commit in order; tasks that are recorded as done are passed over."""
        todo = [
            t for t in tasks if t[1] not in self.bench.state.tasks_done and t[0].name not in self.outcome.failed_roles
        ]
        desks = [(role, self.desk(role.name, task_id, source_id)) for role, task_id, source_id in todo]
        with ThreadPoolExecutor(self.jobs) as pool:
            errors = list(pool.map(lambda rd: self._run(*rd), desks))
        for (_, desk), error in zip(desks, errors, strict=True):  # after all: none sees what another commits
            self._commit(desk, error)

    def _phase(self, name: str, before: int) -> None:
        calls = len(self.bench.runner.known) - before
        self.bench.phase_calls[name] = self.bench.phase_calls.get(name, 0) + calls

    # phase 1 ------------------------------------------------------------------------------------------------------

    def triage(self) -> None:
        """Every source, by every role that fits its type and platform."""
        before, snapshot = len(self.bench.runner.known), self.bench.snapshot()
        tasks = []
        for source_id, source in sorted(self.bench.state.sources.items()):
            kind = f"{source.type}+{source.meta.get('platform', '')}"
            for role in self.roles.values():
                if any(fnmatchcase(kind, s) or fnmatchcase(source.type, s) for s in role.sources):
                    tasks.append((role, f"triage:{source_id}:{role.name}:{snapshot}", source_id))
        self.say(f"triage: {len(tasks)} tasks over {len(self.bench.state.sources)} sources")
        self._tasks(tasks)
        self._phase("triage", before)

    # phase 2 ------------------------------------------------------------------------------------------------------

    def hypothesise(self) -> None:
        """Hypotheses across sources (or those configured), areas, questions as obligations."""
        before, snapshot = len(self.bench.runner.known), self.bench.snapshot()
        config = self.bench.config
        events = [
            Event(
                "area",
                InvestigationArea(
                    str(a["area"]),
                    str(a.get("description", "")),
                    str(a.get("agent", "filesystem")),
                    int(a.get("priority", 5)),
                    tuple(a.get("keywords") or ()),
                    tuple(a.get("tools") or ()),
                ).to_dict(),
            )
            for a in config.investigation_areas
            if str(a["area"]) not in self.bench.state.areas
        ]
        for question in self.bench.case_file.questions:
            if question["id"] not in self.bench.state.questions:
                events.append(Event("question", {**question, "status": "open"}))
        if config.hypotheses:
            for given in config.hypotheses:
                name = identify("hyp", "configured", given["title"])
                if name not in self.bench.state.hypotheses:
                    events.append(
                        Event(
                            "hypothesis",
                            Hypothesis(
                                name,
                                str(given["title"]),
                                str(given.get("description", "")),
                                float(given.get("prior_prob", 0.5)),
                                template=str(given.get("template", "")),
                                created_at=stamp(self.bench.clock()),
                            ).to_dict(),
                        )
                    )
            self.bench.append(events)
        else:
            self.bench.append(events)
            self._tasks([(self.roles["hypothesis"], f"hypotheses:{snapshot}", "")])
        self._derive_areas()
        self.say(f"hypotheses: {len(self.bench.state.hypotheses)}")
        self._phase("hypotheses", before)

    def _derive_areas(self) -> None:
        events: list[Event] = []
        for hypothesis in sorted(self.bench.state.hypotheses.values(), key=lambda h: h.id):
            template = self.bench.templates.get(hypothesis.template)
            if template is None or hypothesis.innocent or template.id in self.bench.state.areas:
                continue
            tools = tuple(dict.fromkeys(p.tool for p in template.probes if p.tool))
            area = InvestigationArea(
                template.id,
                template.title,
                template.probes[0].role if template.probes else "filesystem",
                5,
                template.attack,
                tools,
                "derived",
            )
            if not any(e.body["area"] == area.area for e in events):
                events.append(Event("area", area.to_dict()))
        self.bench.append(events)

    # phase 3 ------------------------------------------------------------------------------------------------------

    def investigate(self) -> None:
        """The strategist loop, or the fixed-round loop; then one retry of failed leads, gap analysis, inconclusive."""
        before = len(self.bench.runner.known)
        self._repair()
        if self.bench.config.strategist.enabled and "strategist" in self.roles:
            self._strategist_loop()
        else:
            self._fixed_loop()
        self._finish_leads()
        self._retry()
        self._gap_analysis()
        state = self.bench.state
        open_ones = sorted(h for h in state.hypotheses if state.status(h) == "active")
        if set(open_ones) - state.inconclusive:
            self.bench.append([Event("hypotheses.closed", {"inconclusive": sorted({*open_ones, *state.inconclusive})})])
        self.outcome.failed_leads = sum(x.status == "failed" for x in state.leads.values())
        self._phase("investigation", before)

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
            finished = tuple(
                x for x in round_.leads_proposed if x in state.leads and state.leads[x].status == "completed"
            )
            text = f"interrupted; {len(cut)} assigned leads failed and are retried"
            events.append(Event("round", self._closed(round_, "interrupted_resume", text, finished).to_dict()))
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
        decisions = Decisions(state, self.roles, number, only_complete=bench.nearly_spent())
        desk = self.desk("strategist", f"round:{number}", "")
        desk.config["decide"] = decisions
        error = self._run(self.roles["strategist"], desk)
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
        rationale = "; ".join(str(x.context.get("rationale", "")) for x in decisions.leads)
        bench.append([Event("round", self._closed(opened, "propose_leads", rationale, tuple(executed)).to_dict())])
        return False, ""

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
        status = "failed" if error else "completed"
        context = {**lead.context, **({"failure_reason": error} if error else {})}
        bench.append([*events, Event("lead", replace(assigned, status=status, context=context).to_dict())])

    def _work(self, lead: Lead) -> tuple[list[Event], str]:
        """What a lead's role proposes; (events, error)."""
        state = self.bench.state
        hypothesis = state.hypotheses.get(lead.motivating_hypothesis)
        template = self.bench.templates.get(hypothesis.template) if hypothesis else None
        probe = next((p for p in template.probes if p.id == lead.context.get("probe")), None) if template else None
        sources = list(lead.context.get("sources") or ()) or [lead.context.get("source_id", "")]
        events: list[Event] = []
        for source_id in sources:
            task = f"{lead.id}:{source_id}:{'retry' if lead.context.get('retry') else 'first'}"
            desk = self.desk(lead.target_agent, task, source_id, lead)
            try:
                if probe is not None and template is not None and hypothesis is not None:
                    if run_probe(desk, template, probe, hypothesis) == "failed":
                        return [*events, *desk.gateway.buffer], "a tool failed: " + str(
                            desk.gateway.buffer[-1].body.get("reason", "")
                        )
                else:
                    self.roles[lead.target_agent].offline(desk)
            except Exception as error:  # noqa: BLE001  # the boundary of a lead: it fails with its reason
                return [], f"{type(error).__name__}: {error}"[:500]
            events += desk.gateway.buffer
        return events, ""

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

    def _parallel(self, leads: Sequence[Lead]) -> None:
        """Run leads in parallel, commit them in order."""
        bench = self.bench
        assigned = [replace(x, status="assigned") for x in leads]
        bench.append([Event("lead", x.to_dict()) for x in assigned])
        with ThreadPoolExecutor(self.jobs) as pool:
            results = list(pool.map(self._work, assigned))
        for lead, (events, error) in zip(assigned, results, strict=True):
            context = {**lead.context, **({"failure_reason": error} if error else {})}
            bench.append(
                [
                    *events,
                    Event("lead", replace(lead, status="failed" if error else "completed", context=context).to_dict()),
                ]
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
        closed = ("budget spent:", *(f"{reason}:" for reason in COMPLETE_REASONS))  # not failed: never tried
        again = [
            replace(x, context={**x.context, "retry": True})
            for x in sorted(self.bench.state.leads.values(), key=lambda x: x.id)
            if x.status == "failed"
            and not x.context.get("retry")
            and x.target_agent in self.roles
            and not str(x.context.get("failure_reason", "")).startswith(closed)
        ]
        if again and not self.outcome.budget:
            self.say(f"retrying {len(again)} failed leads")
            self._parallel(again)

    def _gap_analysis(self) -> None:
        """What supported hypotheses still owe: their disconfirming and decisive probes are made, or said to be impossible."""
        from wigmore.agents.roles.strategist import obligations

        if self.outcome.budget:
            return
        leads, receipts = [], []
        for owed, possible in obligations(self.desk("strategist", "gap analysis", "")):
            if possible:
                leads.append(
                    Lead(
                        identify("lead", "gap analysis", owed.hypothesis.id, owed.probe.id, list(owed.sources)),
                        owed.probe.role,
                        f"{owed.probe.description} — for: {owed.hypothesis.title}",
                        5,
                        {
                            "source_id": "",
                            "rationale": owed.reason,
                            "probe": owed.probe.id,
                            "sources": list(owed.sources),
                        },
                        "pending",
                        owed.hypothesis.id,
                        "gap_analysis",
                        owed.hypothesis.id,
                        owed.probe.edge,
                    )
                )
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

    # phase 4 ------------------------------------------------------------------------------------------------------

    def timeline(self) -> None:
        """The order of observations, after everything else is in."""
        before = len(self.bench.runner.known)
        self._tasks([(self.roles["timeline"], f"timeline:{identify('graph', self.bench.state.graph_hash())}", "")])
        self._phase("timeline", before)

    def run(self, *, triage_only: bool = False) -> Outcome:
        """Phases 1 to 4, or the first alone."""
        self.triage()
        if triage_only:
            self.outcome.stop = "triage only"
            return self.outcome
        self.hypothesise()
        self.investigate()
        self.timeline()
        return self.outcome


def conclusions(bench: Workbench) -> list[dict[str, Any]]:
    """What may be said of each hypothesis that is no mere alternative, the strongest first."""
    state = bench.state
    out = []
    for hypothesis in state.hypotheses.values():
        if hypothesis.innocent:
            continue
        said = conclusion(state, hypothesis)
        out.append(
            {
                "hypothesis_id": hypothesis.id,
                "title": hypothesis.title,
                "verdict": said.verdict,
                "reasons": list(said.reasons),
                "status": state.status(hypothesis.id),
                "log_odds": state.log_odds(hypothesis.id),
            }
        )
    order = ("concluded", "contested", "not_tested", "refuted", "open")
    return sorted(out, key=lambda r: (order.index(str(r["verdict"])), -float(r["log_odds"]), str(r["hypothesis_id"])))
