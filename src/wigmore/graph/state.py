"""The graph as a fold over ledger events: what is known, believed and asked at one moment of the case."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from copy import copy
from dataclasses import replace
from typing import Any

from wigmore.graph.bearing import bearing
from wigmore.ledger import Event, Stored
from wigmore.model import belief
from wigmore.model.canonical import canonical, sha256
from wigmore.model.nouns import (
    Edge,
    Entity,
    EntityLink,
    EvidenceSource,
    Hypothesis,
    InvestigationArea,
    InvestigationRound,
    Lead,
    Phenomenon,
    TemporalEdge,
)

Kind = tuple[str, str, str, bool]


def kind_of(phenomenon: Phenomenon) -> Kind:
    """What two phenomena must share to be perhaps one."""
    return (phenomenon.source_id, phenomenon.category, phenomenon.rule, phenomenon.negative)


class GraphState:
    """Nouns by id, and beliefs derived from edges. Feed events in ledger order; unknown kinds are passed over."""

    def __init__(self, table: dict[str, float] | None = None, damping: str = "per_type") -> None:
        self.table = {**belief.LOG_LR, **(table or {})}
        self.damping = damping
        self.sources: dict[str, EvidenceSource] = {}
        self.hashes: dict[str, dict[str, Any]] = {}
        self.phenomena: dict[str, Phenomenon] = {}
        self.merged: dict[str, list[str]] = defaultdict(list)
        self.hypotheses: dict[str, Hypothesis] = {}
        self.edges: dict[str, Edge] = {}
        self.entities: dict[str, Entity] = {}
        self.links: dict[str, EntityLink] = {}
        self.temporal: dict[str, TemporalEdge] = {}
        self.leads: dict[str, Lead] = {}
        self.rounds: dict[str, InvestigationRound] = {}
        self.areas: dict[str, InvestigationArea] = {}
        self.probes: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._made: dict[str, dict[tuple[str, str], dict[str, Any]]] = defaultdict(dict)  # the same, by hypothesis
        self.inconclusive: set[str] = set()
        self.questions: dict[str, dict[str, Any]] = {}
        self.assets: dict[str, dict[str, Any]] = {}
        self.reasoned: dict[str, dict[str, Any]] = {}  # what models made of tasks, by task
        self.narratives: dict[str, dict[str, Any]] = {}  # summaries that models wrote, by task
        self.exchanges: dict[str, Counter[str]] = defaultdict(Counter)  # by endpoint: requests, failures, tokens, cost
        self.reviews: list[dict[str, Any]] = []
        self.runs: list[dict[str, Any]] = []
        self.audits: list[dict[str, Any]] = []
        self.tasks_done: set[str] = set()
        self.touched: dict[str, int] = {}
        self.logs: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._edges_to: dict[str, list[Edge]] = defaultdict(list)
        self._edges_from: dict[str, int] = defaultdict(int)
        self._frames: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._standing: set[str] = set()
        self._kinds: dict[Kind, list[str]] = defaultdict(list)
        self._odds: dict[str, float] = {}  # log-odds until the next edge
        self._ruled: GraphState | None = None  # `by_rules` until the next edge, probe or hypothesis
        self._judged = False  # whether a model laid an edge

    def fold(self, events: Iterable[Stored | Event]) -> GraphState:
        """Take in events; returns the state itself."""
        for event in events:
            self.apply(event)
        return self

    def apply(self, event: Stored | Event) -> None:
        """Take in one event."""
        handler = getattr(self, "_on_" + event.kind.replace(".", "_"), None)
        if handler is not None:
            handler(event.body, getattr(event, "at", ""))

    def _on_source(self, body: dict[str, Any], at: str) -> None:
        source = EvidenceSource.from_dict(body)
        self.sources[source.id] = source

    def _on_source_hashed(self, body: dict[str, Any], at: str) -> None:
        self.hashes[body["id"]] = body

    def _on_phenomenon(self, body: dict[str, Any], at: str) -> None:
        phenomenon = Phenomenon.from_dict(body)
        if phenomenon.id not in self.phenomena:
            self._kinds[kind_of(phenomenon)].append(phenomenon.id)
        self.phenomena[phenomenon.id] = phenomenon

    def _on_phenomenon_merged(self, body: dict[str, Any], at: str) -> None:
        self.merged[body["into"]].append(body["id"])
        into = self.phenomena[body["into"]]
        known = {f.id for f in into.verified_facts}
        more = Phenomenon.from_dict(body["phenomenon"]).verified_facts
        facts = into.verified_facts + tuple(f for f in more if f.id not in known)
        self.phenomena[into.id] = replace(into, verified_facts=facts)

    def _on_hypothesis(self, body: dict[str, Any], at: str) -> None:
        hypothesis = Hypothesis.from_dict(body)
        known = self.hypotheses.get(hypothesis.id)
        if known is not None and known.frame:  # said anew: what it competed with is that no more
            self._frames[known.frame, known.subject].remove(known.id)
        if hypothesis.frame:
            self._frames[hypothesis.frame, hypothesis.subject].append(hypothesis.id)
        self.hypotheses[hypothesis.id] = hypothesis
        self._ruled = None
        (self._standing.add if hypothesis.standing else self._standing.discard)(hypothesis.id)
        self._odds.pop(hypothesis.id, None)

    def _on_edge(self, body: dict[str, Any], at: str) -> None:
        edge = Edge.from_dict(body)
        if edge.id in self.edges:  # idempotent on (phenomenon, hypothesis, type): the id says so
            return
        name = edge.hypothesis_id
        before, heard = self.log_odds(name), self._weighing(name)
        self.edges[edge.id] = edge
        self._judged, self._ruled = self._judged or bool(edge.model), None
        self._edges_to[name].append(edge)
        self._edges_from[edge.phenomenon_id] += 1
        del self._odds[name]
        after, weighing = self.log_odds(name), self._weighing(name)
        counting = belief.ranked(weighing, self.table, self.damping)
        mine = next((r for r in counting if r.edge.id == edge.id), None)
        same = [
            r
            for r in counting
            if r.edge.edge_type == edge.edge_type and (self.damping == "per_type" or r.edge.source_id == edge.source_id)
        ]
        base = self.table.get(edge.edge_type, 0.0)
        added = round(base / len(same), 4) if mine else 0.0
        moot = next((e for e in heard if e not in weighing), None)
        between = after if moot is None else round(before + added, 4)
        self._log(at, edge, base, len(same) if mine else 0, added, before, between)
        if moot is not None:  # it shows the act done in a way that leaves no trace of another
            self._log(at, moot, 0.0, 0, round(after - between, 4), between, after)

    def _log(self, at: str, edge: Edge, base: float, rank: int, log_lr: float, before: float, after: float) -> None:
        self.logs[edge.hypothesis_id].append(
            {
                "timestamp": at,
                "phenomenon_id": edge.phenomenon_id,
                "edge_type": edge.edge_type,
                "log_lr_base": base,
                "rank": rank,
                "log_lr": log_lr,
                "old_log_odds": before,
                "new_log_odds": after,
                "old_confidence": belief.confidence(before),
                "new_confidence": belief.confidence(after),
            }
        )

    def _on_entity(self, body: dict[str, Any], at: str) -> None:
        entity = Entity.from_dict(body)
        known = self.entities.get(entity.id)
        if known is not None:
            extra = tuple(i for i in entity.identifiers if i not in known.identifiers)
            entity = replace(known, identifiers=known.identifiers + extra)
        self.entities[entity.id] = entity

    def _on_entity_link(self, body: dict[str, Any], at: str) -> None:
        link = EntityLink.from_dict(body)
        self.links[link.id] = link

    def _on_temporal(self, body: dict[str, Any], at: str) -> None:
        edge = TemporalEdge.from_dict(body)
        self.temporal[edge.id] = edge

    def _on_temporal_withdrawn(self, body: dict[str, Any], at: str) -> None:
        for name in body["edges"]:
            self.temporal.pop(name, None)

    def _on_lead(self, body: dict[str, Any], at: str) -> None:
        lead = Lead.from_dict(body)
        self.leads[lead.id] = lead
        if lead.status in ("completed", "failed"):
            for source_id in lead.context.get("sources") or [lead.context.get("source_id", "")]:
                if source_id:
                    self.touched[source_id] = max(self.touched.get(source_id, 0), lead.round_number)

    def _on_round(self, body: dict[str, Any], at: str) -> None:
        known = self.rounds.get(body["id"])
        if known is not None and known.completed_at:
            return  # closing is idempotent
        self.rounds[body["id"]] = InvestigationRound.from_dict(body)

    def _on_area(self, body: dict[str, Any], at: str) -> None:
        area = InvestigationArea.from_dict(body)
        known = self.areas.get(area.area)
        if known is not None:  # a derived area adds keywords and tools and changes nothing else
            keywords = known.keywords + tuple(k for k in area.keywords if k not in known.keywords)
            tools = known.tools + tuple(t for t in area.tools if t not in known.tools)
            area = replace(known, keywords=keywords, tools=tools)
        self.areas[area.area] = area

    def _on_probe(self, body: dict[str, Any], at: str) -> None:
        name, key = body["hypothesis_id"], (body["probe"], body["source_id"])
        before, heard = self.log_odds(name) if name in self.hypotheses else 0.0, self._weighing(name)
        self.probes[name, *key] = self._made[name][key] = body
        self._ruled = None
        weighing = self._weighing(name)
        if weighing != heard:  # an absence weighs no more, or again
            del self._odds[name]
            changed = next(e for e in self._edges_to[name] if (e in heard) != (e in weighing))
            after = self.log_odds(name)
            self._log(at, changed, 0.0, 0, round(after - before, 4), before, after)

    def _on_hypotheses_closed(self, body: dict[str, Any], at: str) -> None:
        self.inconclusive = set(body["inconclusive"])

    def _on_question(self, body: dict[str, Any], at: str) -> None:
        self.questions[body["id"]] = {**self.questions.get(body["id"], {}), **body}

    def _on_asset(self, body: dict[str, Any], at: str) -> None:
        self.assets[body["id"]] = body

    def _on_reasoned(self, body: dict[str, Any], at: str) -> None:
        self.reasoned[body["task_id"]] = body

    def _on_narrative(self, body: dict[str, Any], at: str) -> None:
        self.narratives.pop(body["id"], None)  # the last one told comes last
        self.narratives[body["id"]] = body

    def _on_exchange(self, body: dict[str, Any], at: str) -> None:
        used = self.exchanges[body["endpoint"]]
        used.update({"requests": 1, "failures": bool(body["error"]), "tokens": body["tokens_in"] + body["tokens_out"]})
        used["cost_usd"] += body["cost_usd"]
        used["pictures"] += bool(body.get("picture"))

    def _on_review(self, body: dict[str, Any], at: str) -> None:
        self.reviews.append({**body, "at": at})

    def _on_run_started(self, body: dict[str, Any], at: str) -> None:
        self.runs.append({**body, "at": at})

    def _on_audit(self, body: dict[str, Any], at: str) -> None:
        self.audits.append({**body, "at": at})

    def _on_task_done(self, body: dict[str, Any], at: str) -> None:
        self.tasks_done.add(body["id"])

    def made(self, hypothesis_id: str) -> dict[tuple[str, str], dict[str, Any]]:
        """What the probes of a hypothesis came to last, by (probe, source)."""
        return self._made.get(hypothesis_id, {})

    def _weighing(self, hypothesis_id: str) -> list[Edge]:
        return bearing(self._edges_to.get(hypothesis_id, []), self._made.get(hypothesis_id, {}), self.phenomena)

    def edges_to(self, hypothesis_id: str) -> list[Edge]:
        """The edges that bear on a hypothesis, in canonical order."""
        return sorted(self._weighing(hypothesis_id), key=lambda e: e.id)

    def laid(self, hypothesis_id: str) -> list[Edge]:
        """All edges to a hypothesis, in canonical order: also those that bear on it no more."""
        return sorted(self._edges_to.get(hypothesis_id, ()), key=lambda e: e.id)

    def log_odds(self, hypothesis_id: str) -> float:
        """Base-10 log-odds of a hypothesis."""
        known = self._odds.get(hypothesis_id)
        if known is None:
            counts = belief.counts(self._weighing(hypothesis_id), self.damping)
            known = belief.log_odds(self.hypotheses[hypothesis_id].prior_prob, counts, self.table)
            self._odds[hypothesis_id] = known
        return known

    def prospective(self, hypothesis_id: str, edge_type: str) -> float:
        """What one more edge of a type would add to a hypothesis now (damped), for weighing leads."""
        counts = belief.counts(self._weighing(hypothesis_id), self.damping)
        number = sum(n for (kind, _), n in counts.items() if kind == edge_type)
        return self.table[edge_type] / (number + 1)

    def confidence(self, hypothesis_id: str) -> float:
        """The working score of a hypothesis."""
        return belief.confidence(self.log_odds(hypothesis_id))

    def status(self, hypothesis_id: str) -> str:
        """active | supported | refuted | inconclusive; follows the log-odds alone until the case is closed."""
        status = belief.status(self.log_odds(hypothesis_id))
        return "inconclusive" if status == "active" and hypothesis_id in self.inconclusive else status

    def statuses(self) -> dict[str, str]:
        """Status of every hypothesis."""
        return {h: self.status(h) for h in sorted(self.hypotheses)}

    def alternatives(self, hypothesis_id: str) -> list[str]:
        """The other hypotheses of a hypothesis' frame about the same subject, and those that compete with every act."""
        mine = self.hypotheses[hypothesis_id]
        standing = set() if mine.of_identity else self._standing
        return sorted({*self._frames.get((mine.frame, mine.subject), ()), *standing} - {hypothesis_id})

    def alike(self, phenomenon: Phenomenon) -> list[Phenomenon]:
        """The phenomena of the same kind: source, category, rule, and whether it is an absence."""
        return [self.phenomena[name] for name in self._kinds.get(kind_of(phenomenon), ())]

    def without(self, phenomena: Collection[str]) -> GraphState:
        """A state to ask beliefs of, as if some phenomena bore on nothing; it shares all else with this one."""
        return self._but(edge for edge in self.edges.values() if edge.phenomenon_id not in phenomena)

    def by_rules(self) -> GraphState:
        """The state as rules alone lay edges: what verdicts rest on. The state itself where no model judged anything."""
        if not self._judged:
            return self
        if self._ruled is None:
            self._ruled = self._but(edge for edge in self.edges.values() if not edge.model)
        return self._ruled

    def _but(self, edges: Iterable[Edge]) -> GraphState:
        bare = copy(self)
        bare.edges = {edge.id: edge for edge in edges}
        bare._edges_to = defaultdict(list)
        for edge in bare.edges.values():
            bare._edges_to[edge.hypothesis_id].append(edge)
        bare._odds, bare._judged, bare._ruled = {}, any(e.model for e in bare.edges.values()), None
        return bare

    def hypothesis_view(self, hypothesis_id: str) -> dict[str, Any]:
        """A hypothesis with its belief, as INTERFACE.md prints it."""
        hypothesis = self.hypotheses[hypothesis_id]
        odds = self.log_odds(hypothesis_id)
        return {
            **hypothesis.to_dict(),
            "log_odds": odds,
            "confidence": belief.confidence(odds),
            "status": self.status(hypothesis_id),
            "confidence_log": self.logs.get(hypothesis_id, []),
        }

    def quality(self, phenomenon: Phenomenon) -> float:
        """Orders lists, is no belief: facts, citations, corroboration (SPEC A3)."""
        citations = {f.citation.invocation_id for f in phenomenon.verified_facts}
        bearing = min(self._edges_from.get(phenomenon.id, 0), 3)
        return len(phenomenon.verified_facts) + 2 * len(citations) + 3 * bearing - 5 * phenomenon.negative

    def graph(self) -> dict[str, Any]:
        """The canonical evidence graph: no clocks, no random ids, no rounds, leads, operations or interruptions."""
        phenomena = []
        for phenomenon in sorted(self.phenomena.values(), key=lambda p: p.id):
            facts = sorted(
                (
                    {
                        "name": f.name,
                        "value": f.value,
                        "artifact": f.artifact,
                        "path": f.path,
                        "locator": f.locator,
                        "kind": f.citation.kind,
                        "record_id": f.citation.record_id,
                        "field": f.citation.field,
                    }
                    for f in phenomenon.verified_facts
                ),
                key=canonical,
            )
            phenomena.append(
                {
                    "id": phenomenon.id,
                    "source_id": phenomenon.source_id,
                    "category": phenomenon.category,
                    "title": phenomenon.title,
                    "interpretation": phenomenon.interpretation,
                    "occurred_at": phenomenon.occurred_at,
                    "negative": phenomenon.negative,
                    "facts": facts,
                }
            )
        hypotheses = [
            {
                "id": h.id,
                "title": h.title,
                "description": h.description,
                "prior_prob": h.prior_prob,
                "log_odds": self.log_odds(h.id),
                "status": self.status(h.id),
            }
            for h in sorted(self.hypotheses.values(), key=lambda h: h.id)
        ]
        edges = sorted(
            (
                {
                    "phenomenon_id": e.phenomenon_id,
                    "hypothesis_id": e.hypothesis_id,
                    "edge_type": e.edge_type,
                    "proposition": e.proposition,
                    "against": e.discriminates_against,
                }
                for e in self.edges.values()
            ),
            key=canonical,
        )
        entities = [
            {
                "id": e.id,
                "type": e.type,
                "name": e.name,
                "source_id": e.source_id,
                "identifiers": sorted(
                    ({"type": i.type, "value": i.value, "phenomenon_id": i.phenomenon_id} for i in e.identifiers),
                    key=canonical,
                ),
            }
            for e in sorted(self.entities.values(), key=lambda e: e.id)
        ]
        links = sorted(
            (
                {
                    "first": link.first,
                    "second": link.second,
                    "relation": link.relation,
                    "hypothesis_id": link.hypothesis_id,
                    "phenomenon_id": link.phenomenon_id,
                    "count": link.count,
                    "first_at": link.first_at,
                    "last_at": link.last_at,
                }
                for link in self.links.values()
            ),
            key=canonical,
        )
        temporal = sorted(
            ({"first": t.first, "second": t.second, "relation": t.relation} for t in self.temporal.values()),
            key=canonical,
        )
        return {
            "phenomena": phenomena,
            "hypotheses": hypotheses,
            "edges": edges,
            "entities": entities,
            "entity_links": links,
            "temporal_edges": temporal,
        }

    def graph_hash(self) -> str:
        """SHA-256 of the canonical evidence graph."""
        return sha256(canonical(self.graph()))
