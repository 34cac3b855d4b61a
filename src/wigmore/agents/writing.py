"""What a model may propose, each adjudicated by the gateway: a refusal says what would mend it, and changes nothing.

Every function's signature and docstring are its schema. What it returns is the result that the model reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from typing_extensions import TypedDict

from wigmore.agents.absence import covered
from wigmore.agents.proposing import Proposing
from wigmore.graph.gateway import SHORT, Refused
from wigmore.graph.hard_values import leaves, normal
from wigmore.graph.impressions import CATEGORY, SAYS
from wigmore.graph.proposals import CitedRecord, CitedResult, Proposal
from wigmore.ledger import Event
from wigmore.model.canonical import identify
from wigmore.model.nouns import Hypothesis, Lead, Phenomenon
from wigmore.model.times import iso

LEADS_A_TASK = 3
TYPED = re.compile(r"[A-Za-z][A-Za-z0-9 _./-]{0,39}")  # what an identifier is of
EdgeType = Literal[
    "direct_evidence",
    "supports",
    "consequence_observed",
    "prerequisite_met",
    "weakens",
    "contradicts",
    "consistent_with",
]


class Cited(TypedDict, total=False):
    """A record that a call printed, and the fields of it that are relied on."""

    invocation_id: str
    record_id: str
    fields: list[str]
    values: dict[str, Any]


class Result(TypedDict):
    """A value of a row that is no record: the call, the row's number in its output, the name of the value."""

    invocation_id: str
    row: int
    name: str


class Alternative(TypedDict):
    """An explanation that competes with a hypothesis."""

    title: str
    description: str


class Sentence(TypedDict):
    """A sentence and the phenomena whose facts carry its values."""

    text: str
    cites: list[str]


@dataclass
class Writing(Proposing):
    """The proposals of one run of a role that adds to the graph."""

    sentences: list[dict[str, Any]] = field(default_factory=list)

    @property
    def offered(self) -> dict[str, Callable[..., str]]:
        """The proposing functions of the role, by name; no lead where the strategist can only complete."""
        decide, known = self.desk.config.get("decide"), super().offered
        return {n: f for n, f in known.items() if n != "propose_lead" or decide is None or not decide.only_complete}

    def _phenomenon(self, name: str) -> Phenomenon | None:
        return self.desk.gateway.phenomena.get(name) or self.desk.state.phenomena.get(name)

    def _grounds(self, names: Iterable[str]) -> list[Any]:
        """What the facts of some phenomena say."""
        known = [p for name in names if (p := self._phenomenon(name)) is not None]
        return [[f.value, f.path, f.artifact] for p in known for f in p.verified_facts]

    def _missing(self, names: Iterable[str]) -> str:
        lost = [name for name in names if self._phenomenon(name) is None]
        return f"unknown phenomena {', '.join(lost)}; list_phenomena names them" if lost else ""

    # --- workers --------------------------------------------------------------------------------------------------

    def add_phenomenon(
        self,
        title: str,
        category: str,
        interpretation: str,
        records: list[Cited] | None = None,
        results: list[Result] | None = None,
        nothing_found: bool = False,
    ) -> str:
        """Record one observation. Its facts are read from the records and results that you cite; you type no value.

        title: what was observed, in neutral words. category: one or two words. interpretation: what it may mean, and what else
        would explain it. records: record_id and the fields relied on, of your own calls. results: counts and the like, of rows
        without a record_id. nothing_found: the cited call looked and found nothing; its rows are then not cited.
        """
        cited = tuple(
            CitedRecord(
                str(r.get("invocation_id", "")),
                str(r.get("record_id", "")),
                tuple(str(f) for f in r.get("fields") or ()),
                dict(r.get("values") or {}),
            )
            for r in records or ()
        )
        wanted = [(r["invocation_id"], r["row"], r["name"]) for r in results or ()]
        if nothing_found:
            return self._absence(
                title, category, interpretation, [r[0] for r in wanted] or [c.invocation_id for c in cited]
            )
        named = [c.invocation_id for c in cited] + [r[0] for r in wanted]
        made = [m for m in map(self.desk.runner.invocation, named) if m is not None]
        source = made[0].source_id if made else self.desk.source_id
        for known in self._alike(cited):
            return self._refuse(f"these fields are recorded already as {known}: use that, or cite what is new")
        proposal = Proposal(
            source_id=source,
            category=category,
            title=title,
            interpretation=interpretation,
            records=cited,
            results=tuple(CitedResult(*r) for r in wanted),
            one_record=True,
        )

        def propose() -> str:
            taken = self.desk.gateway.admit(proposal)
            return f"recorded as {taken.id} with {len(taken.verified_facts)} facts"

        return self._attempt("add_phenomenon", propose)

    def _alike(self, cited: tuple[CitedRecord, ...]) -> list[str]:
        """A phenomenon whose facts hold all fields that are cited."""
        wanted = {(c.record_id, name) for c in cited for name in c.fields}
        if not wanted:
            return []
        if not hasattr(self, "_told"):
            self._told: dict[tuple[str, str], set[str]] = {}
            for phenomenon in self.desk.state.phenomena.values():
                self._tell(phenomenon)
        for phenomenon in self.desk.gateway.phenomena.values():
            self._tell(phenomenon)
        holders = [self._told.get(each, set()) for each in wanted]
        return sorted(set.intersection(*holders))[:1]

    def _tell(self, phenomenon: Phenomenon) -> None:
        for fact in phenomenon.verified_facts:
            if fact.citation.record_id:
                self._told.setdefault((fact.citation.record_id, fact.name), set()).add(phenomenon.id)

    def _absence(self, title: str, category: str, interpretation: str, named: list[str]) -> str:
        """A negative observation: the call came to nothing, and what it looked at would show the thing had it been there."""
        made = self.desk.runner.invocation(named[0]) if named else None
        if made is None:
            return self._refuse("cite the call that found nothing, by its invocation_id")
        if made.tool == "match_indicator" and made.args.get("rule") in self.desk.indicators:
            artifacts = self.desk.indicators[made.args["rule"]].artifacts
        elif made.tool == "query_records" and made.args.get("artifact"):
            artifacts = (str(made.args["artifact"]),)
        else:
            return self._refuse(
                f"cannot say: {made.tool} does not state which artifacts it looked at; look with match_indicator, or "
                "query_records and an artifact, and cite that call"
            )
        if not made.source_id or made.source_id not in self.desk.state.sources:
            return self._refuse("cannot say: the call looked at no single source")
        complete, why = covered(self.desk, made.source_id, artifacts)
        if made.status == "empty" and not complete:
            return self._quote(f"cannot say: {why}")
        asked = ", ".join(
            f"{k} {v}" for k, v in sorted(made.args.items()) if v not in (None, "", [], {}) and k != "limit"
        )
        proposal = Proposal(
            source_id=made.source_id,
            category=category,
            title=f"No record found: {made.tool}, {asked}"[:SHORT],  # what was looked for is said by code
            interpretation=f"{title}. {interpretation}",
            results=(CitedResult(made.id, 0, "result"),),
            negative=True,
            key=(made.tool, made.args),
        )

        def propose() -> str:
            return f"recorded as {self.desk.gateway.admit(proposal).id}: looked, and there was nothing"

        return self._attempt("add_phenomenon", propose)

    def observe_identity(
        self,
        type: Literal["person", "account", "device", "place", "organisation"],
        name: str,
        identifier_type: str,
        identifier: str,
        phenomenon_id: str,
    ) -> str:
        """Note whom or what an identifier names (email, phone, account, serial, …); it must stand in that phenomenon's facts.

        One identifier a call: that two belong to one and the same is for code to join.
        """
        phenomenon = self._phenomenon(phenomenon_id)
        if phenomenon is None:
            return self._refuse(self._missing([phenomenon_id]))
        if not TYPED.fullmatch(identifier_type):
            return self._refuse("identifier_type is a word or two: email, phone, account, serial, …")

        def propose() -> str:
            texts = {"name": name, "relation": identifier_type}
            self.desk.gateway.prose("entity", phenomenon.source_id, texts, self._grounds([phenomenon_id]))
            made = self.desk.gateway.entity(
                type, name, phenomenon.source_id, [(identifier_type, identifier)], phenomenon
            )
            return f"noted as {made.id}"

        return self._attempt("observe_identity", propose)

    def link_to_entity(self, first: str, second: str, relation: str, phenomenon_id: str) -> str:
        """Tie two noted entities as one phenomenon shows: both must have an identifier among its facts. Never same_as."""
        phenomenon = self._phenomenon(phenomenon_id)
        if phenomenon is None:
            return self._refuse(self._missing([phenomenon_id]))
        if relation == "same_as":
            return self._refuse("that two entities are one is judged by code from their identifiers")
        said = [normal(leaf) for f in phenomenon.verified_facts for leaf in leaves(f.value)]
        for name in (first, second):
            known = self.desk.state.entities.get(name)
            if known is None:
                return self._refuse(f"unknown entity {name!r}; search_graph finds entities")
            if not any(normal(i.value) in leaf for i in known.identifiers for leaf in said):
                return self._refuse(f"no identifier of {name} stands in the facts of {phenomenon_id}")

        def propose() -> str:
            self.desk.gateway.prose(
                "link", phenomenon.source_id, {"relation": relation}, self._grounds([phenomenon_id])
            )
            return f"linked as {self.desk.gateway.link(first, second, relation, phenomenon_id=phenomenon_id).id}"

        return self._attempt("link_to_entity", propose)

    def add_lead(
        self,
        description: str,
        target_agent: str,
        motivating_hypothesis: str = "",
        source_id: str = "",
        priority: int = 5,
    ) -> str:
        """Ask another role to look at something that yours cannot; the strategist decides on it."""
        workers = self.desk.config.get("workers") or ()
        if target_agent not in workers:
            return self._refuse(f"unknown agent {target_agent!r}; one of {', '.join(sorted(workers))}")
        if motivating_hypothesis and motivating_hypothesis not in self.desk.state.hypotheses:
            return self._refuse(f"unknown hypothesis {motivating_hypothesis!r}; graph_overview names them")
        if source_id and source_id not in self.desk.state.sources:
            return self._refuse(f"unknown source {source_id!r}; one of {', '.join(sorted(self.desk.state.sources))}")
        if self.desk.lead is not None and self.desk.lead.context.get("model"):
            return self._refuse("a lead that a role asked for leads to no further ones: record what you found")
        if self.recorded.count("add_lead") >= LEADS_A_TASK:
            return self._refuse(f"at most {LEADS_A_TASK} leads a task")
        grounds = self._grounds(self.desk.gateway.phenomena)

        def propose() -> str:
            self.desk.gateway.prose("lead", self.desk.source_id, {"description": description}, grounds)
            number = self.recorded.count("add_lead")
            made = Lead(
                identify("lead", self.desk.task_id, number, target_agent, source_id, description),
                target_agent,
                description,
                min(max(priority, 0), 10),
                {
                    "source_id": source_id,
                    "rationale": f"asked for by {self.desk.role}",
                    "model": self.desk.gateway.model,
                },
                "pending",
                motivating_hypothesis,
                self.desk.role,
                motivating_hypothesis,
            )
            self.desk.gateway.buffer.append(Event("lead", made.to_dict()))
            return f"asked as {made.id}"

        return self._attempt("add_lead", propose)

    def add_temporal_edge(self, first: str, second: str, relation: Literal["before", "after", "overlaps"]) -> str:
        """Order two phenomena in time; only known instants can be ordered."""
        if lost := self._missing([first, second]):
            return self._refuse(lost)
        moments = []
        for name in (first, second):
            known = self._phenomenon(name)
            time = iso(known.occurred_at) if known is not None and known.occurred_at else None
            if time is None or time["instant"] is None:
                return self._refuse(f"{name} has no known instant (none stored, or a local time of unknown zone)")
            moments.append(time["instant"])
        held = {
            "before": moments[0] < moments[1],
            "after": moments[0] > moments[1],
            "overlaps": moments[0] == moments[1],
        }
        if not held[relation]:
            return self._refuse("the recorded times say otherwise")
        return self._attempt(
            "add_temporal_edge",
            lambda: f"ordered as {self.desk.gateway.order(first, second, relation, 'as recorded').id}",
        )

    # --- hypotheses -----------------------------------------------------------------------------------------------

    def add_hypothesis(
        self, title: str, description: str, proposition: str, alternatives: list[Alternative], because_of: list[str]
    ) -> str:
        """Propose a hypothesis about an act, with the explanations that compete with it, innocent ones among them.

        proposition: the code of the act (as in list_propositions of the task). because_of: phenomena that led to it.
        """
        named = {normal(a["title"]) for a in alternatives}
        if not named or not all(named) or normal(title) in named | {""}:
            return self._refuse(
                "a hypothesis needs at least one explanation that competes with it, each with a title of its own"
            )
        if not because_of or (lost := self._missing(because_of)):
            return self._refuse(lost if because_of else "name the phenomena that led to it in because_of")
        known = self.desk.config.get("propositions") or ()
        if proposition not in known:
            return self._refuse(f"unknown proposition {proposition!r}; one of {', '.join(sorted(known))}")
        texts = {"title": title, "description": description}
        texts |= {f"alternative {n}": f"{a['title']} {a['description']}" for n, a in enumerate(alternatives, 1)}
        everyone = [*self.desk.state.hypotheses.values(), *self.desk.gateway.hypotheses.values()]
        for other in everyone:
            if " ".join(other.title.casefold().split()) == " ".join(title.casefold().split()):
                return self._refuse(f"{other.id} says the same: link evidence to that one")

        def propose() -> str:
            self.desk.gateway.prose("hypothesis", "", texts, self._grounds(because_of))
            frame = identify("model", title)
            main = Hypothesis(identify("hyp", frame, ""), title, description, frame=frame, propositions=(proposition,))
            self.desk.gateway.hypothesis(main)
            others = [
                Hypothesis(
                    identify("hyp", frame, a["title"]),
                    a["title"],
                    a["description"],
                    frame=frame,
                    propositions=(proposition,),
                    innocent=True,
                )
                for a in alternatives
            ]
            for other in others:
                self.desk.gateway.hypothesis(other)
            return f"raised as {main.id}; alternatives: {', '.join(o.id for o in others)}"

        return self._attempt("add_hypothesis", propose)

    def link_evidence(
        self, phenomenon_id: str, hypothesis_id: str, edge_type: EdgeType, proposition: str, against: str, reason: str
    ) -> str:
        """Judge what a phenomenon says of a hypothesis. What its artifact can show caps the edge.

        proposition: the code of what is said to have been done. against: the alternative (its id) that predicts the observation
        less well; if all predict it as well, the edge is consistent_with and weighs nothing. reason: why, in a sentence.
        """
        phenomenon = self._phenomenon(phenomenon_id)
        if phenomenon is None:
            return self._refuse(self._missing([phenomenon_id]))
        gateway, state = self.desk.gateway, self.desk.state
        hypothesis = gateway.hypotheses.get(hypothesis_id) or state.hypotheses.get(hypothesis_id)
        if hypothesis is None:
            return self._refuse(f"unknown hypothesis {hypothesis_id!r}; graph_overview names them")
        if hypothesis.of_identity:
            return self._refuse("whether two entities are one is judged by code from their identifiers")
        if hypothesis.propositions and proposition not in hypothesis.propositions:
            return self._refuse(f"{hypothesis_id} is about {', '.join(hypothesis.propositions)}, not {proposition!r}")
        acts = self.desk.config.get("propositions") or ()
        if not hypothesis.propositions and proposition not in acts:
            return self._refuse(f"unknown proposition {proposition!r}; one of {', '.join(sorted(acts))}")
        rivals = {
            h.id for h in gateway.hypotheses.values() if h.frame == hypothesis.frame and h.subject == hypothesis.subject
        }
        if hypothesis_id in state.hypotheses:
            rivals.update(state.alternatives(hypothesis_id))
        rivals.discard(hypothesis_id)
        against = against if against in rivals or edge_type != "consistent_with" else ""  # such an edge tells from none
        if edge_type != "consistent_with" and against not in rivals:
            return self._refuse(
                f"an edge tells a hypothesis from an alternative: `against` is one of {', '.join(sorted(rivals)) or 'none'}"
            )
        if edge_type != "consistent_with" and hypothesis.subject and not self._about(phenomenon, hypothesis):
            return self._refuse(f"nothing in {phenomenon_id} names what {hypothesis_id} is about")

        def propose() -> str:
            gateway.prose("edge", phenomenon.source_id, {"reason": reason}, self._grounds([phenomenon_id]))
            made = gateway.edge(phenomenon, hypothesis_id, edge_type, proposition, against=against, reason=reason)
            capped = f" (from {made.capped_from}: {made.reason})" if made.capped_from else ""
            return f"linked as {made.edge_type}{capped}: {made.id}"

        return self._attempt("link_evidence", propose)

    def _about(self, phenomenon: Phenomenon, hypothesis: Hypothesis) -> bool:
        """Whether a phenomenon's facts name a hypothesis' subject, or it is of the source that the hypothesis is about."""
        wanted = normal(hypothesis.subject)
        label = normal(self.desk.state.sources[phenomenon.source_id].label or phenomenon.source_id)
        said = (normal(leaf) for f in phenomenon.verified_facts for leaf in leaves([f.value, f.path]))
        return wanted == label or any(wanted in leaf for leaf in said)

    # --- the strategist -------------------------------------------------------------------------------------------

    def propose_lead(
        self,
        description: str,
        target_agent: str,
        motivating_hypothesis: str,
        expected_evidence_type: str,
        source_id: str = "",
        rationale: str = "",
    ) -> str:
        """Propose a lead: what which role is to look for, for which hypothesis, and the edge it would bring.

        source_id: where to look; empty: in all sources.
        """
        decide = self.desk.config["decide"]
        before = len(decide.refusals)
        try:
            self.desk.gateway.prose("lead", "", {"description": description, "rationale": rationale}, [])
        except Refused as refused:
            return self._refuse(str(refused))
        said = decide.propose(
            description,
            target_agent,
            motivating_hypothesis,
            expected_evidence_type,
            source_id=source_id,
            rationale=rationale,
        )
        if len(decide.refusals) > before:
            self.refusals.append(said)
            return f"refused: {said}"
        self.recorded.append("propose_lead")
        return f"proposed as {said}"

    def declare_investigation_complete(self, reason: str, rationale: str = "") -> str:
        """End the investigation: marginal_yield_zero, budget_exhausted, all_hypotheses_resolved, coverage_saturated or other."""
        decide = self.desk.config["decide"]
        before = len(decide.refusals)
        try:
            self.desk.gateway.prose("decision", "", {"rationale": rationale}, [])
        except Refused as refused:
            return self._refuse(str(refused))
        said: str = decide.complete(reason, rationale)
        if len(decide.refusals) > before:
            self.refusals.append(said)
            return f"refused: {said}"
        self.recorded.append("declare_investigation_complete")
        self.over = True
        return said

    # --- the report -----------------------------------------------------------------------------------------------

    def save_report(self, sentences: list[Sentence]) -> str:
        """Hand in the summary, a sentence an entry, each with the phenomena whose facts carry it.

        A sentence whose values stand in no cited fact, or that claims more than records carry, is left out and logged.
        """
        dropped = []
        for sentence in sentences[:100]:
            text, cites = str(sentence.get("text", "")).strip(), [str(c) for c in sentence.get("cites") or ()]
            lost = self._missing(cites) if cites else "it cites no phenomenon"
            try:
                if lost:
                    raise self.desk.gateway.refused("sentence", "", lost, {"text": text, "cites": cites})
                self.desk.gateway.prose("sentence", "", {"text": text}, self._grounds(cites))
            except Refused as refused:
                dropped.append(str(refused))
            else:
                seen = any((p := self._phenomenon(c)) is not None and p.category == CATEGORY for c in cites)
                self.sentences.append({"text": SAYS + text if seen else text, "cites": cites})
        self.refusals += dropped
        if not self.sentences:
            return f"refused: no sentence could be kept ({'; '.join(dropped[:3]) or 'none was given'})"
        self.recorded.append("save_report")
        self.over = True
        return f"kept {len(self.sentences)} sentences, left out {len(dropped)}"
