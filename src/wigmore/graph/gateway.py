"""The gateway: the only way a fact, an edge or a hypothesis gets into the graph. Proposals are checked, or refused.

A proposal names invocations and, in their recorded outputs, records and fields; the gateway stores the value *the parser
read* (never the proposer's) with its locator. A value a proposer states beside it must equal it. Refusals are events too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from wigmore.graph.grounding import Grounding, Ungrounded
from wigmore.graph.hard_values import alike, leaves, normal, plain, stands, ungrounded
from wigmore.graph.impressions import AFTER, about, marked, unread
from wigmore.graph.proposals import OutputRows, Proposal
from wigmore.graph.semantics import Semantics
from wigmore.graph.state import GraphState, Kind, kind_of
from wigmore.ledger import Event
from wigmore.model import belief
from wigmore.model.canonical import canonical, identify
from wigmore.model.identifiers import classify
from wigmore.model.nouns import (
    EDGE_TYPES,
    FOR,
    NEUTRAL,
    Edge,
    Entity,
    EntityLink,
    Hypothesis,
    Identifier,
    Phenomenon,
    Rejection,
    TemporalEdge,
    VerifiedFact,
)
from wigmore.model.overclaims import overclaims
from wigmore.model.times import iso

DAY = 86_400_000_000  # µs: a local time of unknown zone differs from UTC by less
SHORT, LONGEST = 300, 2000  # characters of a model's title, and of its other texts
SAME = 0.9  # Jaccard of titles from which phenomena with equal facts are one


class Refused(Exception):
    """A proposal was refused; the message says what would mend it, `rejection` is what was recorded."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.reason)
        self.rejection = rejection


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
        model: str = "",
    ) -> None:
        self.period = period
        self.model = model
        self.state = state
        self.semantics = semantics
        self.agent = agent
        self.now = now
        self.lead_id = lead_id
        self.buffer: list[Event] = []
        self.phenomena: dict[str, Phenomenon] = {}
        self._facts: dict[str, list[bytes]] = {}  # of phenomena, as `_values` says
        self.hypotheses: dict[str, Hypothesis] = {}
        self.edges: dict[str, Edge] = {}
        self._kinds: dict[Kind, list[str]] = defaultdict(list)
        self._said: dict[str, dict[str, list[str]]] = {}  # of phenomena, as `_parts` says
        self._noted: dict[str, set[Identifier]] = defaultdict(set)
        self._linked: set[str] = set()
        self._read_in: dict[str, tuple[tuple[str, str, dict[str, Any]], ...]] = {}  # of phenomena, as `_records` says
        self.pictures: set[tuple[str, str]] = set()  # source and path of what a model was shown in this task
        self.grounding = Grounding(outputs, agent)

    def refused(self, what: str, source_id: str, reason: str, proposal: dict[str, Any]) -> Refused:
        """The refusal of a proposal, recorded; for the caller to raise."""
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

    def admit(self, proposal: Proposal) -> Phenomenon:
        """Ground a proposed phenomenon and take it in; raises Refused, with the refusal recorded."""
        if self.model:
            texts = {"title": proposal.title, "interpretation": proposal.interpretation, "category": proposal.category}
            self._modest("phenomenon", proposal.source_id, texts)
            self.prose("phenomenon", proposal.source_id, {"category": proposal.category}, [])
        try:
            facts = self._grounded(proposal)
        except Ungrounded as error:
            raise self.refused("phenomenon", proposal.source_id, str(error), proposal.to_json()) from error
        finally:
            self.buffer += [Event("rescue", healed) for healed in self.grounding.healed]
            self.grounding.healed.clear()
        return self._take(self._impression(proposal, facts) if self.pictures else proposal, facts)

    def _impression(self, proposal: Proposal, facts: list[VerifiedFact]) -> Proposal:
        """A proposal of a model that was shown pictures, marked; refused where it states what only that model read there."""
        if not about(self.pictures, proposal.source_id, facts):
            return replace(proposal, caveat=" ".join(filter(None, (proposal.caveat, AFTER))))
        grounds = [self.state.sources[proposal.source_id].label, *([f.value, f.path] for f in facts)]
        for name, text in (("title", proposal.title), ("interpretation", proposal.interpretation)):
            if lost := unread(text, grounds):
                said = ", ".join(repr(value) for value in lost[:5])
                reason = (
                    f"the {name} states {said}, which no fact that is cited has read: a model's impression is no reading; cite "
                    "the line of text or the metadata that has it, or leave it out"
                )
                raise self.refused("phenomenon", proposal.source_id, reason, proposal.to_json())
        return marked(proposal)

    def _grounded(self, proposal: Proposal) -> list[VerifiedFact]:
        source = self.state.sources.get(proposal.source_id)
        if source is None:
            known = ", ".join(sorted(self.state.sources))
            raise Ungrounded(f"unknown source {proposal.source_id!r}; known: {known}")
        hashed = self.state.hashes.get(proposal.source_id)
        if hashed is None or hashed.get("mismatch"):
            raise Ungrounded(
                "the source's intake hash is not complete, or differs from the stated one: nothing of it is admitted"
            )
        return self.grounding.facts(proposal, source.label)

    def _take(self, proposal: Proposal, facts: list[VerifiedFact]) -> Phenomenon:
        key = proposal.key or tuple(sorted(f.citation.record_id or f.id for f in facts))
        own = ("model",) if self.model else ()  # nor does it stand where a rule's own will come to stand
        name = identify("ph", proposal.source_id, proposal.category, proposal.rule or proposal.title, list(key), *own)
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
            self.model,
        )
        twin = self._twin(made)
        if twin is not None:
            self.buffer.append(Event("phenomenon.merged", {"id": name, "into": twin.id, "phenomenon": made.to_dict()}))
            return twin
        self.phenomena[name] = made
        self._kinds[kind_of(made)].append(name)
        self.buffer.append(Event("phenomenon", made.to_dict()))
        return made

    def _values(self, phenomenon: Phenomenon) -> list[bytes]:
        """The facts of a phenomenon, in an order of their own; kept, for each is held against all that are alike."""
        known = self._facts.get(phenomenon.id)
        if known is None:
            known = self._facts[phenomenon.id] = sorted(canonical([f.name, f.value]) for f in phenomenon.verified_facts)
        return known

    def _twin(self, made: Phenomenon) -> Phenomenon | None:
        """A phenomenon of the same source, category and rule with equal fact values and a title at least 0.9 alike."""
        values, words = self._values(made), title_words(made.title)
        mine = [self.phenomena[name] for name in self._kinds.get(kind_of(made), ())]
        for other in sorted([*self.state.alike(made), *mine], key=lambda p: p.id):
            if (
                bool(other.model) == bool(made.model)
                and self._values(other) == values
                and jaccard(words, title_words(other.title)) >= SAME
            ):
                return other
        return None

    def prose(self, what: str, source_id: str, texts: dict[str, str], grounds: Iterable[Any]) -> None:
        """Refuse texts that state a value which stands in none of the grounds, or claim more than records carry."""
        self._modest(what, source_id, texts)
        known = list(grounds)
        for name, text in texts.items():
            if missing := ungrounded(text, known):
                named = ", ".join(f"{kind} {value!r}" for kind, value in missing)
                reason = f"the {name} states {named}, which stands in nothing that was cited: leave it out, or cite it"
                raise self.refused(what, source_id, reason, {k: v[:LONGEST] for k, v in texts.items()})

    def _modest(self, what: str, source_id: str, texts: dict[str, str]) -> None:
        """Refuse texts of a model that are none, too long, or claim more than records carry."""
        for name, text in texts.items():
            most = SHORT if name in ("title", "name", "category", "relation") else LONGEST
            if len(text) > most:
                reason = f"the {name} has {len(text)} characters: {most} are the most"
            elif name == "title" and not plain(text).strip():
                reason = "the title is empty: say in a line what was observed"
            elif words := overclaims(alike(text)):
                reason = f"the {name} claims more than records carry ({', '.join(words[:5])}): say what was observed"
            else:
                continue
            raise self.refused(what, source_id, reason, {k: v[:LONGEST] for k, v in texts.items()})

    def hypothesis(self, proposed: Hypothesis) -> Hypothesis:
        """Take in a hypothesis (its id says what it is: once only)."""
        known = self.hypotheses.get(proposed.id) or self.state.hypotheses.get(proposed.id)
        if known is not None:
            return known
        made = replace(proposed, created_at=self.now(), model=self.model)
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
        event_key: str = "",
    ) -> Edge:
        """Lay an edge, its type capped by artifact semantics; raises Refused for unknown ends or types.

        Edges of one `event_key` (default: the phenomenon's) are one event, of which the strongest counts.
        """
        wished = {
            "phenomenon_id": phenomenon.id,
            "hypothesis_id": hypothesis_id,
            "edge_type": edge_type,
            "proposition": proposition,
            "discriminates_against": against,
        }
        if edge_type not in (*EDGE_TYPES, NEUTRAL):
            raise self.refused(
                "edge", phenomenon.source_id, f"unknown edge type {edge_type!r}; one of {', '.join(EDGE_TYPES)}", wished
            )
        if hypothesis_id not in self.state.hypotheses and hypothesis_id not in self.hypotheses:
            known = sorted({*self.state.hypotheses, *self.hypotheses})
            raise self.refused(
                "edge",
                phenomenon.source_id,
                f"unknown hypothesis {hypothesis_id!r}; known: {', '.join(known) or 'none'}",
                wished,
            )
        if phenomenon.id not in self.state.phenomena and phenomenon.id not in self.phenomena:
            raise self.refused("edge", phenomenon.source_id, f"unknown phenomenon {phenomenon.id!r}", wished)
        identity = (self.hypotheses.get(hypothesis_id) or self.state.hypotheses[hypothesis_id]).of_identity
        kind, capped_from, caveat, mechanism = edge_type, "", reason, ""
        if phenomenon.negative:
            if edge_type not in ("weakens", NEUTRAL):
                kind, capped_from, caveat = "weakens", edge_type, "absence carries at most `weakens`"
            mechanism = "absence"
        else:
            best: tuple[int, str, str, str, str] | None = None
            for artifact, state, values in self._records(phenomenon):
                capped = self.semantics.cap(edge_type, artifact, proposition, state, values)
                rank = belief.STRENGTH.index(capped.edge_type)
                if best is None or rank < best[0]:
                    best = (rank, capped.edge_type, capped.capped_from, capped.reason or reason, capped.mechanism)
            if best is None:
                kind, capped_from, caveat = NEUTRAL, edge_type, "no record of an artifact is cited"
            else:
                _, kind, capped_from, caveat, mechanism = best
            if kind in FOR and not identity and self.outside(phenomenon):  # whose a number is has no period
                kind, capped_from, caveat = NEUTRAL, edge_type, "outside the period of the case: context, not support"
        own = ("model",) if self.model else ()  # a model's judgement never stands in the place of a rule's
        made = Edge(
            identify("edge", phenomenon.id, hypothesis_id, kind, *own),
            phenomenon.id,
            hypothesis_id,
            kind,
            against,
            proposition,
            capped_from,
            caveat,
            event_key or phenomenon.event_key,
            phenomenon.source_id,
            mechanism,
            self.agent,
            self.lead_id,
            self.now(),
            () if identity else cited_records(phenomenon),  # of one record, each identifier tells of an identity
            self.model,
        )
        if made.id in self.edges or made.id in self.state.edges:
            return self.edges.get(made.id) or self.state.edges[made.id]
        self.edges[made.id] = made
        self.buffer.append(Event("edge", made.to_dict()))
        return made

    def _records(self, phenomenon: Phenomenon) -> tuple[tuple[str, str, dict[str, Any]], ...]:
        """Artifact, state and cited fields of each record that a phenomenon's facts were read in, in their order."""
        known = self._read_in.get(phenomenon.id)
        if known is None:
            cited: dict[str, tuple[str, str, dict[str, Any]]] = {}
            for fact in phenomenon.verified_facts:
                if fact.artifact:
                    name = fact.citation.record_id or fact.id
                    cited.setdefault(name, (fact.artifact, fact.state, {}))[2][fact.name] = fact.value
            known = self._read_in[phenomenon.id] = tuple(cited.values())
        return known

    def outside(self, phenomenon: Phenomenon) -> bool:
        """Whether every known instant of a phenomenon lies outside the case's period (none known: it may lie inside)."""
        start, end = self.period
        texts = [
            str(f.value)
            for f in phenomenon.verified_facts
            if f.name.startswith("times.") or f.name in ("first", "last")
        ]
        known = [moment for text in texts if (moment := _moment(text)) is not None]
        if not known or (start is None and end is None):
            return False
        return all((start is not None and last < start) or (end is not None and first >= end) for first, last in known)

    def _parts(self, phenomenon: Phenomenon) -> dict[str, list[str]]:
        """What a phenomenon's facts say, in the form that is compared, by their record or `row N` of a query."""
        known = self._said.get(phenomenon.id)
        if known is None:
            known = self._said[phenomenon.id] = defaultdict(list)
            for fact in phenomenon.verified_facts:
                part = fact.citation.record_id or f"row {fact.locator.get('row')}"
                said = [normal(leaf) for leaf in leaves(fact.value)]
                known[part] += said
        return known

    def entity(
        self,
        kind: str,
        name: str,
        source_id: str,
        identifiers: Iterable[tuple[str, str]],
        phenomenon: Phenomenon,
        part: str = "",
    ) -> Entity:
        """Note an entity whose identifiers stand in a phenomenon's facts; raises Refused otherwise.

        `part` is the record (or `row N` of a query) in which they stand together; empty for anywhere in the phenomenon.
        """
        identifiers = tuple(identifiers)
        parts = self._parts(phenomenon)
        said = parts.get(part, []) if part in parts else [leaf for each in parts.values() for leaf in each]
        whole = [str(leaf) for f in phenomenon.verified_facts for leaf in leaves(f.value)]
        for what, value in identifiers:
            there = any(normal(value) in leaf for leaf in said)
            if not there or (self.model and not stands("identifier", value, whole)):
                raise self.refused(
                    "entity",
                    source_id,
                    f"{what} {value!r} stands in no fact of {phenomenon.id}",
                    {"type": kind, "name": name, "identifiers": [list(i) for i in identifiers]},
                )
        own = ("model",) if self.model else ()
        made = Entity(
            identify("ent", source_id, kind, sorted({"=".join(classify(t, v).key) for t, v in identifiers}), *own),
            kind,
            name,
            source_id,
            tuple(Identifier(what, value, phenomenon.id) for what, value in identifiers),
            self.model,
        )
        known = self.state.entities.get(made.id)
        fresh = set(made.identifiers).difference(known.identifiers if known else (), self._noted[made.id])
        if fresh or (known is None and made.id not in self._noted):
            self.buffer.append(Event("entity", made.to_dict()))
        self._noted[made.id].update(made.identifiers)
        return made

    def link(
        self,
        first: str,
        second: str,
        relation: str,
        *,
        phenomenon_id: str = "",
        hypothesis_id: str = "",
        count: int = 0,
        span: tuple[str | None, str | None] = (None, None),
    ) -> EntityLink:
        """Link two entities: the same (with the hypothesis that says so), or tied as a phenomenon shows.

        `count` and `span` (first and last time, as stored) say how often and when, where the tie is made of many records.
        """
        same = relation == "same_as"
        low, high = sorted((first, second)) if same else (first, second)
        name = identify("link", low, high, relation) if same else identify("link", low, high, relation, phenomenon_id)
        made = EntityLink(name, low, high, relation, phenomenon_id, hypothesis_id, count, *span, self.model)
        if made.id not in self.state.links and made.id not in self._linked:
            self._linked.add(made.id)
            self.buffer.append(Event("entity_link", made.to_dict()))
        return made

    def order(self, first: str, second: str, relation: str, reason: str = "") -> TemporalEdge:
        """Lay a temporal edge between two phenomena."""
        made = TemporalEdge(identify("time", first, second, relation), first, second, relation, reason, self.model)
        if made.id not in self.state.temporal:
            self.buffer.append(Event("temporal", made.to_dict()))
        return made


def cited_records(phenomenon: Phenomenon) -> tuple[str, ...]:
    """The records that a phenomenon cites by id."""
    return tuple(sorted({f.citation.record_id for f in phenomenon.verified_facts if f.citation.record_id}))


def _moment(text: str) -> tuple[int, int] | None:
    """Between which instants a written time lies: one instant, a day either way where no zone is known; None: no time."""
    time = iso(text)
    if time is None:
        return None
    if time["instant"] is not None:
        return time["instant"], time["instant"]
    local = iso(text, zone="Z")
    assert local is not None and local["instant"] is not None
    return local["instant"] - DAY, local["instant"] + DAY
