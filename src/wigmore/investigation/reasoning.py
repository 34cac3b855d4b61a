"""Models at work on a case: local first, the next where a rule says so, and rules alone where none is of use.

Rules always go first and stay; a model adds to what they found. A task is tried by the first endpoint; the next one tries it
when the answer was none, when nothing was recorded, when half of what it proposed was refused, or when two answers to one
question differ. How far the answers agree is measured and kept. What no endpoint could do is left to the rules, and said.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wigmore.agents.desk import Desk, Role
from wigmore.agents.looking import Eyes
from wigmore.agents.proposing import Proposing
from wigmore.agents.reasoner import BudgetSpent, Ran, reason
from wigmore.agents.writing import Writing
from wigmore.investigation.config import Config
from wigmore.ledger import Event, Ledger, Outputs
from wigmore.llm.endpoint import Endpoint, client, refuse_remote
from wigmore.llm.exchange import LEFT, Exchange, recorded, replayed, stored
from wigmore.llm.probe import probe
from wigmore.llm.sight import refused
from wigmore.model.canonical import identify

if TYPE_CHECKING:
    from pydantic_ai.models import Model
    from pydantic_ai.settings import ModelSettings

    from wigmore.investigation.workbench import Workbench
    from wigmore.llm.tracing import Tracing

FAILURES = 3  # tasks in a row that failed, or twice as many without a call: the models are asked no more
REFUSED = 0.5  # share of refused proposals from which the next model is asked
FEW = 4  # proposals below which a share says little
DECIDING = ("strategist", "hypothesis")  # roles whose answer is asked for twice where `samples` says so
WARM = 0.7  # temperature of a second sample


@dataclass
class Reasoned:
    """What came of a task: the desk whose proposals stand (None: the rules' alone), and the events that tell of it."""

    desk: Desk | None
    writing: Proposing | None
    events: list[Event] = field(default_factory=list)
    why: str = ""  # why no model's answer stands
    role: str = ""
    fault: float = 0.0  # 1: every endpoint failed; a half: none made a call or recorded anything


class Recording:
    """The exchanges of an earlier run, by name."""

    def __init__(self, ledger: Ledger, outputs: Outputs) -> None:
        self.known: dict[str, dict[str, Any]] = {e.body["id"]: e.body for e in ledger.events("exchange")}
        self.reasoned: dict[str, dict[str, Any]] = {e.body["task_id"]: e.body for e in ledger.events("reasoned")}
        self.outputs = outputs

    def find(self, name: str) -> Exchange | None:
        """An exchange by its id."""
        body = self.known.get(name)
        if body is None:
            return None
        kept = json.loads(self.outputs.get(body["output_sha256"]))
        numbers = {k: body[k] for k in ("tokens_in", "tokens_out", "cost_usd")}
        return Exchange(**kept, **numbers)

    def showed(self, task_id: str, endpoint: str) -> bool:
        """Whether a picture was shown then."""
        return Exchange(task_id, 1, endpoint, "").id in self.known

    def spent(self, task_id: str, endpoint: str) -> str:
        """The budget that ended a task then, or nothing."""
        tried = self.reasoned.get(task_id, {}).get("tried", ())
        return next((t["reason"] for t in tried if t["endpoint"] == endpoint and t["outcome"] == "budget"), "")

    def narrow(self, task_id: str) -> bool:
        """Whether only completing was on offer then."""
        return bool(self.reasoned.get(task_id, {}).get("narrow"))


class Reasoning:
    """Runs roles with the endpoints of a case; `off` says why not, where it does not."""

    def __init__(
        self,
        bench: Workbench,
        endpoints: Sequence[Endpoint],
        recording: Recording | None = None,
        say: Callable[[str], None] = lambda _: None,
        tracing: Tracing | None = None,
    ) -> None:
        self.tracing = tracing
        self.bench, self.endpoints, self.recording, self.say = bench, list(endpoints), recording, say
        self.off = "" if endpoints else "no model is configured"
        self.diverged = ""
        self.stopped: dict[str, str] = {}  # roles whose model is asked no more, and why
        self._failures = 0.0
        self._of_role: dict[str, float] = {}
        for endpoint in self.endpoints:
            refuse_remote(endpoint, bench.local_only)

    @property
    def on(self) -> bool:
        """Whether models are asked."""
        return not self.off

    @property
    def trouble(self) -> str:
        """Why models were asked no more than they were, or nothing."""
        roles = "; ".join(f"for the {role} role: {why}" for role, why in sorted(self.stopped.items()))
        return self.diverged or (self.off if self.endpoints else "") or roles

    def work(
        self,
        role: Role,
        task_id: str,
        fresh: Callable[[str], Desk],
        brief: Callable[[Desk], str],
        sources: Sequence[str],
        *,
        narrow: bool = False,
        writes: Callable[[Desk, Role], Proposing] = Writing,
    ) -> Reasoned:
        """Try a task; `fresh` gives a desk for the model named, `brief` says what is asked, `writes` what may be proposed.

        Never raises for a model's fault.
        """
        tried: list[dict[str, Any]] = []
        lost: list[Event] = []  # refusals of what does not stand
        best: tuple[Ran, Proposing, Desk] | None = None
        agreement: dict[str, Any] = {}
        eyes = self._eyes(role, task_id)

        def with_eyes(model: str) -> Desk:
            desk = fresh(model)
            desk.eyes = eyes
            return desk

        for place, endpoint in enumerate(self.endpoints):
            if not self.on or role.name in self.stopped:
                break
            ran, writing, desk = self._once(role, task_id, with_eyes, brief, sources, endpoint, narrow, writes)
            tried.append(_told(endpoint, ran))
            if best is not None:
                agreement = _agreement(tried[-2]["endpoint"], best[1], endpoint.name, writing)
            if best is None or not _useful(ran, writing) <= _useful(best[0], best[1]):
                lost += _refusals(best[2]) if best else []
                best = ran, writing, desk
            else:
                lost += _refusals(desk)
            why = _escalates(ran, desk) or writing.unsettled
            if not why and place == 0 and self.bench.config.agent.samples > 1 and role.name in DECIDING:
                second = self._once(role, f"{task_id}#2", fresh, brief, sources, endpoint, narrow, writes, True)
                tried.append(_told(endpoint, second[0]))
                agreement = _agreement(endpoint.name, writing, endpoint.name, second[1])
                lost += _refusals(second[2])
                why = "two samples differ" if agreement["jaccard"] < 1 else ""
            tried[-1]["escalates"] = why
            if not why or ran.outcome == "budget":
                break
        return self._end(role, task_id, tried, best, lost, agreement, narrow)

    def _once(
        self,
        role: Role,
        task_id: str,
        fresh: Callable[[str], Desk],
        brief: Callable[[Desk], str],
        sources: Sequence[str],
        endpoint: Endpoint,
        narrow: bool,
        writes: Callable[[Desk, Role], Proposing],
        warm: bool = False,
    ) -> tuple[Ran, Proposing, Desk]:
        desk = fresh(endpoint.name)
        writing = writes(desk, role)
        made: ModelSettings | None = {"temperature": WARM} if warm and not endpoint.reasoning_effort else None
        lead_id = desk.lead.id if desk.lead else ""
        allowed = self.bench.allowance(lead_id) if self.recording is None else lambda: None
        try:
            model = self._model(endpoint, task_id, allowed, role.name, lead_id)
            ran = reason(writing, model, made, brief(desk), sources, allowed, narrow, self.tracing)
        except Exception as error:  # noqa: BLE001  # the boundary of a model's run: its failure is recorded, the rules stand
            ran = Ran("failed", endpoint.redact(f"{type(error).__name__}: {error}"[:500]))
        return ran, writing, desk

    def _eyes(self, role: Role, task_id: str) -> Eyes | None:
        """The first endpoint that takes pictures and may be shown some, else the first that takes them; None where none does."""
        seeing = [e for e in self.endpoints if e.vision] if role.looks else []
        if not seeing:
            return None
        may_leave = self.bench.case_file.pictures_may_leave
        endpoint = next((e for e in seeing if not refused(e, may_leave)), seeing[0])

        def model(name: str, before: Callable[[], None], lead_id: str, picture: dict[str, Any]) -> Model:
            return self._model(endpoint, name, before, role.name, lead_id, task_id, picture)

        def reserve(name: str, size: int) -> bool:
            if self.recording is not None:
                return self.recording.showed(name, endpoint.name)
            return self.bench.reserve_picture(size)

        return Eyes(endpoint.name, refused(endpoint, may_leave), model, reserve)

    def _model(
        self,
        endpoint: Endpoint,
        task_id: str,
        before: Callable[[], None],
        role: str,
        lead_id: str,
        part_of: str = "",
        picture: dict[str, Any] | None = None,
    ) -> Model:
        """The model for a task, or for a look at a picture that is `part_of` one."""

        def keep(exchange: Exchange) -> None:
            self.bench.note_exchange(exchange, stored(exchange), role, lead_id)

        if self.recording is None:
            stays = picture is not None and not self.bench.case_file.pictures_may_leave
            inner = client(endpoint, local_only=self.bench.local_only or stays)
            return recorded(inner, endpoint, task_id, before=before, keep=keep, picture=picture)
        recording = self.recording

        def found(name: str) -> Exchange | None:
            known = recording.find(name)
            if known is None and (spent := recording.spent(part_of or task_id, endpoint.name)):
                raise BudgetSpent(spent)
            return known

        return replayed(task_id, endpoint, found, keep)

    def _end(
        self,
        role: Role,
        task_id: str,
        tried: list[dict[str, Any]],
        best: tuple[Ran, Proposing, Desk] | None,
        lost: list[Event],
        agreement: dict[str, Any],
        narrow: bool,
    ) -> Reasoned:
        """Say what came of a task, and whether models are asked again."""
        stands = best is not None and best[0].proposals > 0 and best[0].outcome != "failed"
        why = "" if stands else f"the {role.name} role failed before: {self.stopped.get(role.name, self.off)}"
        if best is not None and not stands:
            why = best[0].reason or "it proposed nothing that could be taken in"
        idle = best is not None and best[0].outcome == "no_record" and not best[0].calls
        fault = 1.0 if best is not None and best[0].outcome == "failed" else 0.5 if idle else 0.0
        body = {
            "id": identify("reasoned", task_id),
            "task_id": task_id,
            "role": role.name,
            "tried": tried,
            "stands": best[2].gateway.model if stands and best else "",
            "why": why,
            "agreement": agreement,
            "narrow": narrow,
        }
        if best is not None and not stands:
            lost += _refusals(best[2])
        desk, writing = (best[2], best[1]) if stands and best else (None, None)
        return Reasoned(desk, writing, [*lost, Event("reasoned", body)], why, role.name, fault)

    def settle(self, reasoned: Reasoned) -> None:
        """Take note of how a task ended, in the order of the tasks: after some that brought nothing, models are asked no more."""
        self._failures = self._failures + reasoned.fault if reasoned.fault else 0.0
        mine = self._of_role.get(reasoned.role, 0.0)
        self._of_role[reasoned.role] = mine + reasoned.fault if reasoned.fault else 0.0
        if self._failures >= FAILURES and self.on:
            self.off = f"several tasks in a row brought no usable answer; the last: {reasoned.why}"
            self.say(f"the model is asked no more: {self.off}")
        elif self._of_role[reasoned.role] >= FAILURES and reasoned.role not in self.stopped:
            self.stopped[reasoned.role] = reasoned.why
            self.say(f"the model is asked no more for the {reasoned.role} role: {reasoned.why}")
        if LEFT in reasoned.why and not self.diverged:
            self.diverged = reasoned.why

    def nearly_spent(self, task_id: str) -> bool:
        """Whether only completing is on offer: as the budgets stand, or in a replay as they stood then."""
        if self.recording is not None:
            return self.recording.narrow(task_id)
        return self.bench.nearly_spent()


def endpoints_of(config: Config) -> list[Endpoint]:
    """The endpoints of a configuration, in the order in which they are asked; raises EndpointError."""
    return [agent.endpoint() for agent in (config.agent, *config.escalation) if agent.base_url]


def ready(config: Config, *, local_only: bool, say: Callable[[str], None] = lambda _: None) -> list[Endpoint]:
    """The endpoints of a configuration, each asked once whether it answers; raises EndpointError with the remedy."""
    endpoints = endpoints_of(config)
    for endpoint in endpoints:
        refuse_remote(endpoint, local_only)
    for endpoint in endpoints:
        say(f"model: {endpoint.name}")
        probe(endpoint, local_only=local_only)
    return endpoints


def _told(endpoint: Endpoint, ran: Ran) -> dict[str, Any]:
    return {
        "endpoint": endpoint.name,
        "outcome": ran.outcome,
        "reason": ran.reason,
        "requests": ran.requests,
        "calls": ran.calls,
        "proposals": ran.proposals,
        "refused": ran.refused,
        "faults": ran.faults,
        "escalates": "",
    }


def _useful(ran: Ran, writing: Proposing) -> tuple[bool, bool, float, int]:
    """How a run is ranked: whether it recorded, whether that settles the task, the share that was taken in, how much."""
    recorded = ran.proposals > 0 and ran.outcome != "failed"
    return recorded, not writing.unsettled, 1 - ran.rejection_rate, ran.proposals


def _escalates(ran: Ran, desk: Desk) -> str:
    """Why the next model is asked, or nothing."""
    if ran.outcome == "failed":
        return "it failed"
    if ran.proposals + ran.refused >= FEW and ran.rejection_rate >= REFUSED:
        return f"{ran.refused} of {ran.proposals + ran.refused} proposals were refused"
    if ran.faults >= FEW and not ran.proposals:
        return "it made calls that were none"
    if ran.outcome != "no_record":
        return ""
    if desk.lead is not None:
        return "what the lead asks is still open"
    return "" if ran.calls and desk.task_id.startswith("triage:") else "it recorded nothing"


def _refusals(desk: Desk) -> list[Event]:
    return [e for e in desk.gateway.buffer if e.kind == "rejection"]


def _agreement(one: str, first: Proposing, other: str, second: Proposing) -> dict[str, Any]:
    """How far two answers to one task are the same: the share of decisions that both made."""
    mine, theirs = decisions(first), decisions(second)
    both = mine | theirs
    return {
        "of": [one, other],
        "jaccard": round(len(mine & theirs) / len(both), 4) if both else 1.0,
        "decisions": [len(mine), len(theirs)],
    }


def decisions(writing: Proposing) -> frozenset[tuple[str, ...]]:
    """What an answer decides, without its words."""
    out: set[tuple[str, ...]] = set(writing.decided)
    decide = writing.desk.config.get("decide")
    if decide is not None:
        out |= {("lead", x.target_agent, x.motivating_hypothesis, x.expected_evidence_type) for x in decide.leads}
        out |= {("complete", decide.completed)} if decide.completed else set()
    for event in writing.desk.gateway.buffer:
        body = event.body
        if event.kind == "edge":
            out.add(("edge", body["phenomenon_id"], body["hypothesis_id"], body["edge_type"]))
        elif event.kind == "hypothesis":
            out.add(("hypothesis", *body["propositions"]))
        elif event.kind == "phenomenon":
            with suppress(KeyError):
                out |= {("fact", f["citation"]["record_id"], f["name"]) for f in body["verified_facts"]}
    return frozenset(out)
