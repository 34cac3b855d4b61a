"""The gateway: the only way a fact, an edge or a hypothesis gets into the graph. Proposals are checked, or refused.

A proposal names invocations and, in their recorded outputs, records and fields; the gateway stores the value *the parser
read* (never the proposer's) with its locator. A value a proposer states beside it must equal it. A citation whose
invocation is wrong is healed where the same record and field stand in exactly one other recorded output of the same agent
and source (auto-rescue). Refusals are events too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from wigmore.graph.hard_values import normal, ungrounded
from wigmore.graph.semantics import Semantics
from wigmore.graph.state import GraphState
from wigmore.ledger import Event
from wigmore.model import belief
from wigmore.model.canonical import canonical, identify
from wigmore.model.nouns import (
    EDGE_TYPES,
    NEUTRAL,
    Citation,
    Edge,
    Entity,
    EntityLink,
    Hypothesis,
    Identifier,
    Phenomenon,
    Rejection,
    TemporalEdge,
    ToolInvocation,
    VerifiedFact,
)
from wigmore.model.times import iso

FOR = ("direct_evidence", "supports", "consequence_observed", "prerequisite_met")
SAME = 0.9  # Jaccard of titles from which phenomena with equal facts are one


@dataclass(frozen=True)
class CitedRecord:
    """What a proposal relies on: one record of one output, some of its fields, and optionally what they should say."""

    invocation_id: str
    record_id: str
    fields: tuple[str, ...]
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CitedResult:
    """A value of a query result as a whole (count, first, last of a group), or of an `empty` receipt."""

    invocation_id: str
    row: int
    name: str
    value: Any = None


@dataclass(frozen=True)
class Proposal:
    """A phenomenon as proposed."""

    source_id: str
    category: str
    title: str
    interpretation: str
    records: tuple[CitedRecord, ...] = ()
    results: tuple[CitedResult, ...] = ()
    rule: str = ""
    caveat: str = ""
    attack: tuple[str, ...] = ()
    event_key: str = ""
    negative: bool = False
    key: tuple[Any, ...] = ()  # identity of the observation: rule and group, else the cited records
    record_count: int = 1


class OutputRows(Protocol):
    """Gives the gateway recorded invocations and their output rows."""

    def invocation(self, invocation_id: str) -> ToolInvocation | None:
        """The recorded invocation, or None."""

    def rows(self, invocation: ToolInvocation) -> list[dict[str, Any]]:
        """The rows of its recorded output."""

    def of_agent(self, agent: str, source_id: str) -> Iterable[ToolInvocation]:
        """The recorded invocations of an agent on a source."""


class Refused(Exception):
    """A proposal was refused; the message says what would mend it, `rejection` is what was recorded."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.reason)
        self.rejection = rejection


def field_of(row: dict[str, Any], name: str) -> Any:
    """A field of an output row: of its record's data, a time's text (`times.NAME`), or a column; None if absent."""
    if name.startswith("times."):
        time = (row.get("times") or {}).get(name[6:])
        return time["text"] if isinstance(time, dict) else None
    data = row.get("data")
    if isinstance(data, dict):
        if name in data:
            return data[name]
        value: Any = data
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            return value
    return row.get(name) if name not in ("data", "times", "locator") else None


def title_words(title: str) -> set[str]:
    """The words of a title, for Jaccard similarity."""
    return set(title.casefold().split())


def jaccard(first: set[str], second: set[str]) -> float:
    """|A ∩ B| / |A ∪ B|; 1 for two empty sets."""
    return len(first & second) / len(first | second) if first | second else 1.0


class Gateway:
    """Adjudicates the proposals of one task; what it admits is buffered until the task commits."""

    def __init__(
        self,
        state: GraphState,
        outputs: OutputRows,
        semantics: Semantics,
        *,
        agent: str,
        now: Callable[[], str],
        lead_id: str = "",
        period: tuple[int | None, int | None] = (None, None),
    ) -> None:
        self.period = period
        self.state = state
        self.outputs = outputs
        self.semantics = semantics
        self.agent = agent
        self.now = now
        self.lead_id = lead_id
        self.buffer: list[Event] = []
        self.phenomena: dict[str, Phenomenon] = {}
        self.hypotheses: dict[str, Hypothesis] = {}
        self.edges: dict[str, Edge] = {}
        self._rows: dict[str, list[dict[str, Any]]] = {}

    def _refuse(self, what: str, source_id: str, reason: str, proposal: dict[str, Any]) -> Refused:
        rejection = Rejection(
            identify("rej", self.agent, source_id, what, reason, proposal, self.lead_id),
            self.agent,
            source_id,
            what,
            reason,
            proposal,
            self.lead_id,
        )
        self.buffer.append(Event("rejection", rejection.to_dict()))
        return Refused(rejection)

    def _output(self, invocation: ToolInvocation) -> list[dict[str, Any]]:
        if invocation.id not in self._rows:
            self._rows[invocation.id] = self.outputs.rows(invocation)
        return self._rows[invocation.id]

    def _invocation(self, proposal: Proposal, invocation_id: str) -> ToolInvocation:
        asked = _as_json(proposal)
        invocation = self.outputs.invocation(invocation_id)
        if invocation is None:
            raise self._refuse(
                "phenomenon",
                proposal.source_id,
                f"no recorded invocation {invocation_id!r}: cite one of your own recorded calls",
                asked,
            )
        if invocation.agent != self.agent:
            raise self._refuse(
                "phenomenon",
                proposal.source_id,
                f"invocation {invocation_id} was made by {invocation.agent}, not by {self.agent}: cite your own calls",
                asked,
            )
        if invocation.source_id != proposal.source_id:
            raise self._refuse(
                "phenomenon",
                proposal.source_id,
                f"invocation {invocation_id} looked at source "
                f"{invocation.source_id or '(none)'}, not at {proposal.source_id}",
                asked,
            )
        return invocation

    def admit(self, proposal: Proposal) -> Phenomenon:
        """Ground a proposed phenomenon and take it in; raises Refused, with the refusal recorded."""
        asked = _as_json(proposal)
        if proposal.source_id not in self.state.sources:
            raise self._refuse(
                "phenomenon",
                proposal.source_id,
                f"unknown source {proposal.source_id!r}; known: {', '.join(sorted(self.state.sources))}",
                asked,
            )
        hashed = self.state.hashes.get(proposal.source_id)
        if hashed is None or hashed.get("mismatch"):
            raise self._refuse(
                "phenomenon",
                proposal.source_id,
                "the source's intake hash is not complete, or differs from the stated one: nothing of it is admitted",
                asked,
            )
        if not proposal.records and not proposal.results:
            raise self._refuse(
                "phenomenon",
                proposal.source_id,
                "a phenomenon needs at least one verified fact: name an "
                "invocation, a record of its output and the fields you rely on",
                asked,
            )
        facts: list[VerifiedFact] = []
        grounds: list[Any] = []
        for cited in proposal.records:
            made, row = self._ground(proposal, cited)
            facts.extend(made)
            grounds.append([f.value for f in made])
            grounds.append([row.get("path"), row.get("artifact")])
        for result in proposal.results:
            fact = self._ground_result(proposal, result)
            facts.append(fact)
            grounds.append(fact.value)
        grounds.append(self.state.sources[proposal.source_id].label)
        for label, text in (("title", proposal.title), ("interpretation", proposal.interpretation)):
            if missing := ungrounded(text, grounds):
                named = ", ".join(f"{kind} {value!r}" for kind, value in missing)
                raise self._refuse(
                    "phenomenon",
                    proposal.source_id,
                    f"the {label} states {named}, which stands in none of "
                    "the cited facts: cite the record it was read from, or leave it out",
                    asked,
                )
        return self._take(proposal, facts)

    def _ground(self, proposal: Proposal, cited: CitedRecord) -> tuple[list[VerifiedFact], dict[str, Any]]:
        asked = _as_json(proposal)
        if not cited.fields:
            raise self._refuse(
                "phenomenon", proposal.source_id, f"no field of record {cited.record_id} is named", asked
            )
        invocation, row = self._find(proposal, cited)
        facts = []
        for name in cited.fields:
            value = field_of(row, name)
            if value is None or value == "":
                raise self._refuse(
                    "phenomenon",
                    proposal.source_id,
                    f"record {cited.record_id} of {invocation.id} has no field {name!r}",
                    asked,
                )
            if name in cited.values and not _equal(cited.values[name], value):
                raise self._refuse(
                    "phenomenon",
                    proposal.source_id,
                    f"{name} of record {cited.record_id} is {value!r}, not {cited.values[name]!r}: state what was read",
                    asked,
                )
            citation = Citation("field", invocation.id, invocation.output_sha256, cited.record_id, name)
            facts.append(
                VerifiedFact(
                    identify("fact", proposal.source_id, cited.record_id, name),
                    name,
                    value,
                    citation,
                    str(row.get("artifact", "")),
                    str(row.get("path", "")),
                    dict(row.get("locator") or {}),
                    str(row.get("state") or "live"),
                )
            )
        for name in cited.values:
            if name not in cited.fields:
                raise self._refuse(
                    "phenomenon",
                    proposal.source_id,
                    f"a value for {name!r} is stated, but the field is not cited",
                    asked,
                )
        return facts, row

    def _find(self, proposal: Proposal, cited: CitedRecord) -> tuple[ToolInvocation, dict[str, Any]]:
        asked = _as_json(proposal)
        try:
            invocation = self._invocation(proposal, cited.invocation_id)
        except Refused as refusal:
            known = self.outputs.invocation(cited.invocation_id)
            if known is not None and (known.agent != self.agent or known.source_id != proposal.source_id):
                raise  # another agent's or source's call is never healed
            rescued = self._rescue(proposal, cited)
            if rescued is None:
                raise
            self.buffer.remove(Event("rejection", refusal.rejection.to_dict()))
            return rescued
        row = next((r for r in self._output(invocation) if r.get("record_id") == cited.record_id), None)
        if row is not None:
            return invocation, row
        rescued = self._rescue(proposal, cited)
        if rescued is not None:
            return rescued
        raise self._refuse(
            "phenomenon",
            proposal.source_id,
            f"record {cited.record_id} does not occur in the output of "
            f"{cited.invocation_id}: cite the call that printed it",
            asked,
        )

    def _rescue(self, proposal: Proposal, cited: CitedRecord) -> tuple[ToolInvocation, dict[str, Any]] | None:
        places = []
        seen: set[str] = set()
        for invocation in self.outputs.of_agent(self.agent, proposal.source_id):
            if invocation.output_sha256 in seen:
                continue
            for row in self._output(invocation):
                if row.get("record_id") == cited.record_id and all(
                    field_of(row, f) is not None
                    and (f not in cited.values or _equal(cited.values[f], field_of(row, f)))
                    for f in cited.fields
                ):
                    places.append((invocation, row))
                    seen.add(invocation.output_sha256)
                    break
        if len(places) != 1:
            return None
        invocation, row = places[0]
        self.buffer.append(
            Event(
                "rescue",
                {
                    "id": identify("res", self.agent, cited.invocation_id, invocation.id, cited.record_id),
                    "agent": self.agent,
                    "source_id": proposal.source_id,
                    "cited": cited.invocation_id,
                    "healed_to": invocation.id,
                    "record_id": cited.record_id,
                    "fields": list(cited.fields),
                },
            )
        )
        return invocation, row

    def _ground_result(self, proposal: Proposal, result: CitedResult) -> VerifiedFact:
        asked = _as_json(proposal)
        invocation = self._invocation(proposal, result.invocation_id)
        if proposal.negative:
            if invocation.status != "empty":
                raise self._refuse(
                    "phenomenon",
                    proposal.source_id,
                    f"a negative finding needs an `empty` call; {invocation.id} ended {invocation.status}",
                    asked,
                )
            citation = Citation("empty", invocation.id, invocation.output_sha256)
            return VerifiedFact(
                identify("fact", proposal.source_id, invocation.tool, invocation.args, "empty"),
                result.name,
                "nothing found",
                citation,
                "",
                "",
                {"kind": "call", "tool": invocation.tool, "args": invocation.args},
            )
        rows = self._output(invocation)
        if not 0 <= result.row < len(rows) or field_of(rows[result.row], result.name) is None:
            raise self._refuse(
                "phenomenon", proposal.source_id, f"row {result.row} of {invocation.id} has no {result.name!r}", asked
            )
        value = field_of(rows[result.row], result.name)
        if result.value is not None and not _equal(result.value, value):
            raise self._refuse(
                "phenomenon",
                proposal.source_id,
                f"{result.name} in row {result.row} of {invocation.id} is {value!r}, not {result.value!r}",
                asked,
            )
        citation = Citation("query_result", invocation.id, invocation.output_sha256, field=result.name)
        return VerifiedFact(
            identify("fact", proposal.source_id, invocation.tool, invocation.args, result.row, result.name),
            result.name,
            value,
            citation,
            "",
            "",
            {"kind": "query_result", "tool": invocation.tool, "args": invocation.args, "row": result.row},
        )

    def _take(self, proposal: Proposal, facts: list[VerifiedFact]) -> Phenomenon:
        key = proposal.key or tuple(sorted(f.citation.record_id or f.id for f in facts))
        name = identify("ph", proposal.source_id, proposal.category, proposal.rule or proposal.title, list(key))
        known = self.phenomena.get(name) or self.state.phenomena.get(name)
        if known is not None:
            return known
        dated = [f.value for f in facts if f.name in ("times.occurred", "time") or f.name.startswith("times.")]
        made = Phenomenon(
            name,
            proposal.source_id,
            self.agent,
            proposal.category,
            proposal.title,
            tuple(facts),
            proposal.interpretation,
            self.now(),
            dated[0] if dated else None,
            proposal.event_key,
            proposal.rule,
            proposal.caveat,
            proposal.attack,
            proposal.negative,
            self.lead_id,
            proposal.record_count,
        )
        twin = self._twin(made)
        if twin is not None:
            self.buffer.append(Event("phenomenon.merged", {"id": name, "into": twin.id, "phenomenon": made.to_dict()}))
            return twin
        self.phenomena[name] = made
        self.buffer.append(Event("phenomenon", made.to_dict()))
        return made

    def _twin(self, made: Phenomenon) -> Phenomenon | None:
        """A phenomenon of the same source, category and rule with equal fact values and a title at least 0.9 alike."""
        kind = (made.source_id, made.category, made.rule, made.negative)
        values, words = _values(made), title_words(made.title)
        pool = {**self.state.phenomena, **self.phenomena}
        alike = (p for p in pool.values() if (p.source_id, p.category, p.rule, p.negative) == kind)
        for other in sorted(alike, key=lambda p: p.id):
            if _values(other) == values and jaccard(words, title_words(other.title)) >= SAME:
                return other
        return None

    def hypothesis(self, proposed: Hypothesis) -> Hypothesis:
        """Take in a hypothesis (its id says what it is: once only)."""
        known = self.hypotheses.get(proposed.id) or self.state.hypotheses.get(proposed.id)
        if known is not None:
            return known
        made = replace(proposed, created_at=self.now())
        self.hypotheses[made.id] = made
        self.buffer.append(Event("hypothesis", made.to_dict()))
        return made

    def edge(
        self,
        phenomenon: Phenomenon,
        hypothesis_id: str,
        edge_type: str,
        proposition: str,
        *,
        against: str = "",
        reason: str = "",
    ) -> Edge:
        """Lay an edge, its type capped by artifact semantics; raises Refused for unknown ends or types."""
        wished = {
            "phenomenon_id": phenomenon.id,
            "hypothesis_id": hypothesis_id,
            "edge_type": edge_type,
            "proposition": proposition,
            "discriminates_against": against,
        }
        if edge_type not in (*EDGE_TYPES, NEUTRAL):
            raise self._refuse(
                "edge", phenomenon.source_id, f"unknown edge type {edge_type!r}; one of {', '.join(EDGE_TYPES)}", wished
            )
        known = {**self.state.hypotheses, **self.hypotheses}
        if hypothesis_id not in known:
            raise self._refuse(
                "edge",
                phenomenon.source_id,
                f"unknown hypothesis {hypothesis_id!r}; known: {', '.join(sorted(known)) or 'none'}",
                wished,
            )
        if phenomenon.id not in self.state.phenomena and phenomenon.id not in self.phenomena:
            raise self._refuse("edge", phenomenon.source_id, f"unknown phenomenon {phenomenon.id!r}", wished)
        kind, capped_from, caveat, mechanism = edge_type, "", reason, ""
        if phenomenon.negative:
            if edge_type not in ("weakens", NEUTRAL):
                kind, capped_from, caveat = "weakens", edge_type, "absence carries at most `weakens`"
            mechanism = "absence"
        else:
            best: tuple[int, str, str, str, str] | None = None
            for fact in phenomenon.verified_facts:
                if not fact.artifact:
                    continue
                capped = self.semantics.cap(edge_type, fact.artifact, proposition, fact.state)
                rank = (*EDGE_TYPES, NEUTRAL).index(capped.edge_type)
                if best is None or rank < best[0]:
                    best = (rank, capped.edge_type, capped.capped_from, capped.reason or reason, capped.mechanism)
            if best is None:
                kind, capped_from, caveat = NEUTRAL, edge_type, "no record of an artifact is cited"
            else:
                _, kind, capped_from, caveat, mechanism = best
            if kind in FOR and self._outside(phenomenon):
                kind, capped_from, caveat = NEUTRAL, edge_type, "outside the period of the case: context, not support"
        made = Edge(
            identify("edge", phenomenon.id, hypothesis_id, kind),
            phenomenon.id,
            hypothesis_id,
            kind,
            against,
            proposition,
            capped_from,
            caveat,
            phenomenon.event_key,
            phenomenon.source_id,
            mechanism,
            self.agent,
            self.lead_id,
            self.now(),
        )
        if made.id in self.edges or made.id in self.state.edges:
            return self.edges.get(made.id) or self.state.edges[made.id]
        self.edges[made.id] = made
        self.buffer.append(Event("edge", made.to_dict()))
        return made

    def _outside(self, phenomenon: Phenomenon) -> bool:
        """Whether every known instant of a phenomenon lies outside the case's period (none known: it may lie inside)."""
        start, end = self.period
        texts = [
            str(f.value)
            for f in phenomenon.verified_facts
            if f.name.startswith("times.") or f.name in ("first", "last")
        ]
        instants = [t["instant"] for t in map(iso, texts) if t is not None and t["instant"] is not None]
        if not instants or (start is None and end is None):
            return False
        return all((start is not None and i < start) or (end is not None and i >= end) for i in instants)

    def entity(
        self, kind: str, name: str, source_id: str, identifiers: Iterable[tuple[str, str]], phenomenon: Phenomenon
    ) -> Entity:
        """Note an entity whose identifiers stand in a phenomenon's facts; raises Refused otherwise."""
        identifiers = tuple(identifiers)
        values = [f.value for f in phenomenon.verified_facts]
        for what, value in identifiers:
            if not any(normal(value) in normal(leaf) for v in values for leaf in _texts(v)):
                raise self._refuse(
                    "entity",
                    source_id,
                    f"{what} {value!r} stands in no fact of {phenomenon.id}",
                    {"type": kind, "name": name, "identifiers": [list(i) for i in identifiers]},
                )
        made = Entity(
            identify("ent", source_id, kind, sorted(normal(v) for _, v in identifiers)),
            kind,
            name,
            source_id,
            tuple(Identifier(what, value, phenomenon.id) for what, value in identifiers),
        )
        known = self.state.entities.get(made.id)
        if known is None or any(i not in known.identifiers for i in made.identifiers):
            event = Event("entity", made.to_dict())
            if event not in self.buffer:
                self.buffer.append(event)
        return made

    def link(
        self, first: str, second: str, relation: str, *, phenomenon_id: str = "", hypothesis_id: str = ""
    ) -> EntityLink:
        """Link two entities."""
        low, high = sorted((first, second)) if relation == "same_as" else (first, second)
        made = EntityLink(identify("link", low, high, relation), low, high, relation, phenomenon_id, hypothesis_id)
        if made.id not in self.state.links:
            event = Event("entity_link", made.to_dict())
            if event not in self.buffer:
                self.buffer.append(event)
        return made

    def order(self, first: str, second: str, relation: str, reason: str = "") -> TemporalEdge:
        """Lay a temporal edge between two phenomena."""
        made = TemporalEdge(identify("time", first, second, relation), first, second, relation, reason)
        if made.id not in self.state.temporal:
            self.buffer.append(Event("temporal", made.to_dict()))
        return made


def _values(phenomenon: Phenomenon) -> list[bytes]:
    return sorted(canonical([f.name, f.value]) for f in phenomenon.verified_facts)


def _texts(value: Any) -> list[str]:
    if isinstance(value, (list, tuple)):
        return [t for v in value for t in _texts(v)]
    if isinstance(value, dict):
        return [t for v in value.values() for t in _texts(v)]
    return [str(value)]


def _equal(claimed: Any, read: Any) -> bool:
    if claimed == read:
        return True
    if isinstance(claimed, (dict, list)) or isinstance(read, (dict, list)):
        return bool(canonical(claimed) == canonical(read))
    return str(claimed).strip() == str(read).strip()


def _as_json(proposal: Proposal) -> dict[str, Any]:
    return {
        "source_id": proposal.source_id,
        "category": proposal.category,
        "title": proposal.title,
        "interpretation": proposal.interpretation,
        "rule": proposal.rule,
        "negative": proposal.negative,
        "records": [
            {"invocation_id": r.invocation_id, "record_id": r.record_id, "fields": list(r.fields), "values": r.values}
            for r in proposal.records
        ],
        "results": [{"invocation_id": r.invocation_id, "row": r.row, "name": r.name} for r in proposal.results],
    }


def prospective(state: GraphState, hypothesis_id: str, edge_type: str) -> float:
    """What one more edge of a type would add to a hypothesis now (damped), for weighing leads."""
    counts = belief.counts(state.edges_to(hypothesis_id), state.damping)
    number = sum(n for (kind, _), n in counts.items() if kind == edge_type)
    return state.table[edge_type] / (number + 1)
