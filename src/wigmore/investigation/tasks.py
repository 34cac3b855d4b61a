"""One task of a role: its desk, its run, and its commit as a whole, in order, so that a kill loses and doubles nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

from wigmore.agents.desk import Desk, Role
from wigmore.graph.gateway import Gateway
from wigmore.investigation.reasoning import Reasoned, Reasoning
from wigmore.investigation.workbench import Workbench
from wigmore.ledger import Event
from wigmore.model.nouns import NEUTRAL, Lead
from wigmore.model.times import stamp
from wigmore.registry import found

BESIDE = 4  # tasks of models that are tried before the first of them is committed
FAILURES = 3  # consecutive failures of one role that stop its path


@dataclass(frozen=True)
class Ask:
    """A task for a model."""

    role: Role
    task_id: str
    source_id: str
    sources: tuple[str, ...]
    brief: Callable[[Desk], str]
    lead: Lead | None = None
    narrow: bool = False
    also: Callable[[Reasoned], list[Event]] = lambda _: []  # what is committed with it


@dataclass
class Outcome:
    """How the investigation ended, for the last lines and the exit code."""

    stop: str = ""
    budget: str = ""
    failed_roles: dict[str, str] = field(default_factory=dict)
    failed_tasks: dict[str, str] = field(default_factory=dict)
    models: str = ""  # why models were asked no more, or a replay left the recorded run
    failed_leads: int = 0
    open_leads: int = 0


class Tasks:
    """Runs roles over a workbench."""

    def __init__(
        self,
        bench: Workbench,
        *,
        jobs: int = 2,
        say: Callable[[str], None] = lambda _: None,
        reasoning: Reasoning | None = None,
    ) -> None:
        self.bench = bench
        self.jobs = max(1, jobs)
        self.say = say
        self.roles: dict[str, Role] = found("role")
        self.period = bench.period()
        self.outcome = Outcome()
        self.reasoning = reasoning or Reasoning(bench, [])
        self._failures: dict[str, int] = {}

    def desk(self, role: str, task_id: str, source_id: str, lead: Lead | None = None, model: str = "") -> Desk:
        """A desk for one task, of rules or of a model."""
        bench = self.bench
        gateway = Gateway(
            bench.state,
            bench.runner,
            bench.rules.semantics,
            agent=role,
            now=lambda: stamp(bench.clock()),
            lead_id=lead.id if lead else "",
            period=self.period,
            model=model,
        )
        return Desk(
            role,
            task_id,
            source_id,
            bench.runner,
            gateway,
            bench.state,
            bench.rules.indicators,
            bench.rules.templates,
            bench.coverage,
            lead,
            {"workers": self._workers, "propositions": self._propositions} if model else {},
        )

    def _ruled(self, role: str, task_id: str, source_id: str, lead: Lead | None = None) -> Desk:
        """The desk of a rule: what models judged moves nothing that it looks at."""
        desk = self.desk(role, task_id, source_id, lead)
        desk.state = self.bench.state.by_rules()
        return desk

    @cached_property
    def _workers(self) -> tuple[str, ...]:
        return tuple(sorted(r.name for r in self.roles.values() if r.worker))

    @cached_property
    def _propositions(self) -> dict[str, str]:
        """The codes of what can be said to have been done, each with a template that is about it."""
        known = {c.proposition: "" for c in self.bench.rules.semantics.capabilities if c.strongest != NEUTRAL}
        for template in self.bench.rules.templates.values():
            known[template.act] = known.get(template.act) or template.title
        return {code: known[code] for code in sorted(known) if code not in ("SAME", "APART")}

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
        desks = [(role, self._ruled(role.name, task_id, source_id)) for role, task_id, source_id in todo]
        with ThreadPoolExecutor(self.jobs) as pool:
            errors = list(pool.map(lambda rd: self._run(*rd), desks))
        for (_, desk), error in zip(desks, errors, strict=True):  # after all: none sees what another commits
            self._commit(desk, error)

    def _reason(self, tasks: Sequence[Ask]) -> None:
        """Have models try tasks, some beside each other, and commit in order; those that are recorded as done are passed over."""
        todo = [t for t in tasks if t.task_id not in self.bench.state.tasks_done]
        for n in range(0, len(todo), BESIDE):
            if not self.reasoning.on or self.bench.exceeded():
                break
            some = todo[n : n + BESIDE]
            with ThreadPoolExecutor(self.jobs) as pool:
                came = list(pool.map(self._try, some))
            for task, reasoned in zip(some, came, strict=True):
                self.take(reasoned)
                buffer = reasoned.desk.gateway.buffer if reasoned.desk else []
                done = Event("task.done", {"id": task.task_id, "role": task.role.name, "source_id": task.source_id})
                self.bench.append([*buffer, *reasoned.events, *task.also(reasoned), done])

    def _try(self, task: Ask) -> Reasoned:
        def fresh(model: str) -> Desk:
            return self.desk(task.role.name, task.task_id, task.source_id, task.lead, model)

        return self.reasoning.work(task.role, task.task_id, fresh, task.brief, task.sources, narrow=task.narrow)

    def take(self, reasoned: Reasoned) -> None:
        """Take note of how a task of models ended, and tell it: a slow model is not stuck."""
        stands = reasoned.desk.gateway.model if reasoned.desk else f"left to the rules ({reasoned.why[:100]})"
        self.say(f"model, {reasoned.role} role: {stands}")
        self.reasoning.settle(reasoned)
        self.outcome.models = self.reasoning.trouble
