"""Everything a report or an export shows, as plain data gathered once from the graph, the records and the coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wigmore.graph import joins, views
from wigmore.graph.reviews import reviewed
from wigmore.graph.state import GraphState
from wigmore.model import belief
from wigmore.model.nouns import NEUTRAL, Coverage, Phenomenon
from wigmore.model.times import by_instant
from wigmore.records.store import RecordStore
from wigmore.registry import origin_of, register


class FormatError(Exception):
    """A format cannot be written on this machine; the message says what is missing and how to get it."""


@dataclass
class ReportData:
    """One case, ready to be shown. Lists are sorted; every text of evidence is still raw: formats escape it."""

    context: dict[str, Any]  # case, origin, title, examiner, authority, questions, run, conclusions, source_entries…
    sources: list[dict[str, Any]]
    hypotheses: list[dict[str, Any]]
    phenomena: list[dict[str, Any]]
    edges: list[dict[str, Any]]
    entities: list[dict[str, Any]]
    links: list[dict[str, Any]]
    contacts: list[dict[str, Any]]  # rows of joins.contact_rows: who wrote to or called whom, between clusters
    matrix: dict[str, Any]
    timeline: list[dict[str, Any]]
    rounds: list[dict[str, Any]]
    leads: list[dict[str, Any]]
    probes: list[dict[str, Any]]
    coverage: list[dict[str, Any]]
    coverage_counts: dict[str, dict[str, int]]
    unused: list[str]
    reviews: list[dict[str, Any]]  # rows of graph/reviews.py: the latest decision on each item, with its history
    questions: list[dict[str, Any]]
    obligations: list[dict[str, Any]] = field(default_factory=list)  # rows of investigation/obligations.py
    reasoned: list[dict[str, Any]] = field(default_factory=list)  # what models made of tasks
    narrative: dict[str, Any] = field(default_factory=dict)  # the summary that a model wrote last
    exchanges: dict[str, dict[str, float]] = field(default_factory=dict)  # use of each endpoint
    rejections: int = 0
    artifacts: dict[str, int] = field(default_factory=dict)
    records: Callable[[], Iterator[dict[str, Any]]] = lambda: iter(())

    @property
    def root(self) -> str:
        """What ids in exports are made from: the hash of the ledger's first event. Cases share names, and change them."""
        return str(self.context["origin"]["event"])


@dataclass(frozen=True)
class Format:
    """A report or export format."""

    name: str
    file_name: str
    description: str
    function: Callable[[ReportData, Path], Path]
    origin: str = ""
    sha256: str = ""


def report_format(
    name: str, file_name: str
) -> Callable[[Callable[[ReportData, Path], Path]], Callable[[ReportData, Path], Path]]:
    """Declare a function as the writer of a format; its docstring's first line is the description."""

    def wrap(function: Callable[[ReportData, Path], Path]) -> Callable[[ReportData, Path], Path]:
        origin, digest = origin_of(function)
        text = (function.__doc__ or "").strip().split("\n")[0]
        register("format", name, Format(name, file_name, text, function, origin, digest))
        return function

    return wrap


def fact_rows(phenomenon: Phenomenon, invocations: dict[str, Any]) -> list[dict[str, Any]]:
    """The facts of a phenomenon as INTERFACE.md prints them."""
    out = []
    for fact in phenomenon.verified_facts:
        invocation = invocations.get(fact.citation.invocation_id, {})
        out.append(
            {
                "fact_id": fact.id,
                "phenomenon_id": phenomenon.id,
                "source_id": phenomenon.source_id,
                "artifact": fact.artifact,
                "path": fact.path,
                "locator": fact.locator,
                "state": fact.state,
                "name": fact.name,
                "value": fact.value,
                "kind": fact.citation.kind,
                "record_id": fact.citation.record_id,
                "invocation_id": fact.citation.invocation_id,
                "output_sha256": fact.citation.output_sha256,
                "rerun": invocation.get("rerun", ""),
            }
        )
    return out


def report_data(
    state: GraphState, store: RecordStore, coverage: list[Coverage], context: dict[str, Any], rejections: int = 0
) -> ReportData:
    """Gather a case. `context` comes from the use case: case file, run, conclusions, invocations, parsers."""
    invocations = context.get("invocations", {})
    phenomena = []
    for phenomenon in sorted(state.phenomena.values(), key=lambda p: (p.source_id, -state.quality(p), p.id)):
        row = phenomenon.to_dict()
        row["facts"] = fact_rows(phenomenon, invocations)
        row.pop("verified_facts")
        row["quality"] = state.quality(phenomenon)
        row["also"] = sorted(state.merged.get(phenomenon.id, ()))
        phenomena.append(row)
    timeline = [
        {
            "time": p["occurred_at"],
            "phenomenon_id": p["id"],
            "title": p["title"],
            "source_id": p["source_id"],
            "category": p["category"],
        }
        for p in phenomena
        if p["occurred_at"]
    ]
    timeline.sort(key=lambda r: (*by_instant(str(r["time"])), r["phenomenon_id"]))
    counts: dict[str, Counter[str]] = {}
    for row_ in coverage:
        counts.setdefault(row_.artifact, Counter())[row_.outcome] += 1
    hypotheses = []
    acts = sorted(name for name, h in state.hypotheses.items() if not h.of_identity)
    for hypothesis_id in acts:
        view = state.hypothesis_view(hypothesis_id)
        said = views.conclusion(state, state.hypotheses[hypothesis_id])
        view["conclusion"], view["conclusion_reasons"] = said.verdict, list(said.reasons)
        view["standing_alternatives"] = list(said.standing)
        view["alternatives"] = state.alternatives(hypothesis_id)
        bearing = state.edges_to(hypothesis_id)
        bears, counting = {e.id for e in bearing}, {e.id for e in belief.independent(bearing)}
        view["edges"] = [
            {**e.to_dict(), "bears": e.id in bears, "counts": e.id in counting} for e in state.laid(hypothesis_id)
        ]
        view["probes_made"] = [p for (h, _, _), p in sorted(state.probes.items()) if h == hypothesis_id]
        hypotheses.append(view)
    joining = state.hypotheses.keys() - set(acts)
    shown = sorted(
        (e for e in state.edges.values() if e.edge_type != NEUTRAL and e.hypothesis_id not in joining),
        key=lambda e: e.id,
    )
    order = {"concluded": 0, "contested": 1, "not_tested": 2, "refuted": 3, "open": 4}
    hypotheses.sort(key=lambda h: (h["innocent"], order[h["conclusion"]], -h["log_odds"], h["id"]))
    return ReportData(
        context=context,
        sources=[
            {**s.to_dict(), "hashes": state.hashes.get(s.id, {})}
            for s in sorted(state.sources.values(), key=lambda s: s.id)
        ],
        hypotheses=hypotheses,
        phenomena=phenomena,
        edges=[e.to_dict() for e in shown],
        entities=sorted(joins.entity_rows(state), key=lambda e: (e["type"], e["name"], e["id"])),
        links=sorted(joins.link_rows(state), key=lambda x: str(x["id"])),
        contacts=joins.contact_rows(state),
        matrix=views.matrix(state),
        timeline=timeline,
        rounds=[
            {
                **r.to_dict(),
                "new_phenomena_count": r.new_phenomena_count,
                "new_edges_count": r.new_edges_count,
                "status_flips": r.status_flips,
            }
            for r in sorted(state.rounds.values(), key=lambda r: r.round_number)
        ],
        leads=[x.to_dict() for x in sorted(state.leads.values(), key=lambda x: (x.round_number, x.id))],
        probes=[p for _, p in sorted(state.probes.items())],
        coverage=[c.to_dict() for c in sorted(coverage, key=lambda c: (c.source_id, c.path, c.inode or "", c.parser))],
        coverage_counts={a: dict(sorted(c.items())) for a, c in sorted(counts.items())},
        unused=views.unused_phenomena(state),
        reviews=reviewed(state),
        questions=[q for _, q in sorted(state.questions.items())],
        obligations=context.get("obligations", []),
        reasoned=[row for _, row in sorted(state.reasoned.items())],
        narrative=next(reversed(state.narratives.values()), {}),
        exchanges={name: dict(used) for name, used in sorted(state.exchanges.items())},
        rejections=rejections,
        artifacts=store.artifacts(),
        records=lambda: store.records(),
    )
