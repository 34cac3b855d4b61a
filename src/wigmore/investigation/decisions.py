"""The strategist's two decisions, adjudicated: propose a lead, declare the investigation complete (SPEC A5, D)."""

from __future__ import annotations

from typing import Any

from wigmore.agents.desk import Role
from wigmore.graph.state import GraphState
from wigmore.model.canonical import identify
from wigmore.model.nouns import COMPLETE_REASONS, EDGE_TYPES, Lead

MOST = 3


class Decisions:
    """Collects what a strategist decides in one round; refusals come back as text and change nothing."""

    def __init__(
        self, state: GraphState, roles: dict[str, Role], round_number: int, *, only_complete: bool = False
    ) -> None:
        self.state = state
        self.roles = roles
        self.round_number = round_number
        self.only_complete = only_complete
        self.leads: list[Lead] = []
        self.duplicates: list[str] = []
        self.refusals: list[str] = []
        self.completed = ""
        self.rationale = ""

    def _refuse(self, message: str) -> str:
        self.refusals.append(message)
        return message

    def propose(
        self,
        description: str,
        target_agent: str,
        motivating_hypothesis: str,
        expected_evidence_type: str,
        source_id: str = "",
        rationale: str = "",
        **context: Any,
    ) -> str:
        """The id of the lead (new, or the open one that is the same), or why it is refused, naming what is valid."""
        if self.only_complete:
            return self._refuse("less than a tenth of a budget is left: only declaring complete is on offer")
        aliases = {a: r.name for r in self.roles.values() for a in r.aliases}
        target = aliases.get(target_agent, target_agent)
        workers = sorted(r.name for r in self.roles.values() if r.worker)
        if target not in workers:
            return self._refuse(f"unknown agent {target_agent!r}; one of {', '.join(workers)}")
        if motivating_hypothesis not in self.state.hypotheses:
            return self._refuse(
                f"unknown hypothesis {motivating_hypothesis!r}; one of "
                f"{', '.join(sorted(self.state.hypotheses)) or 'none yet'}"
            )
        if expected_evidence_type not in EDGE_TYPES:
            return self._refuse(f"unknown evidence type {expected_evidence_type!r}; one of {', '.join(EDGE_TYPES)}")
        if source_id and source_id not in self.state.sources:
            return self._refuse(f"unknown source {source_id!r}; one of {', '.join(sorted(self.state.sources))}")
        same = (motivating_hypothesis, expected_evidence_type, target, source_id, context.get("probe", ""))
        for lead in [*self.state.leads.values(), *self.leads]:
            if lead.proposed_by != "strategist" or lead.status not in ("pending", "assigned"):
                continue
            if same == (
                lead.motivating_hypothesis,
                lead.expected_evidence_type,
                lead.target_agent,
                lead.context.get("source_id", ""),
                lead.context.get("probe", ""),
            ):
                if lead not in self.leads:
                    self.duplicates.append(lead.id)
                return lead.id
        if len(self.leads) >= MOST:
            return self._refuse(f"at most {MOST} leads a round: this is the fourth")
        made = Lead(
            identify("lead", *same, self.round_number),
            target,
            description,
            5,
            {"source_id": source_id, "rationale": rationale, **context},
            "pending",
            motivating_hypothesis,
            "strategist",
            motivating_hypothesis,
            expected_evidence_type,
            self.round_number,
        )
        self.leads.append(made)
        return made.id

    def complete(self, reason: str, rationale: str = "") -> str:
        """End the investigation for a reason of the list; another reason is refused and ends nothing."""
        if reason not in COMPLETE_REASONS:
            return self._refuse(f"unknown reason {reason!r}; one of {', '.join(COMPLETE_REASONS)}")
        if reason == "budget_exhausted" and not self.only_complete:  # it would keep rules from what they owe
            return self._refuse("no budget is nearly spent: give the reason that holds")
        self.completed, self.rationale = reason, rationale
        return f"declared complete: {reason}"
