"""`wigmore show`: every noun of a case as rows, with the field names of INTERFACE.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from wigmore.api.cases import UseError, open_case
from wigmore.api.timeline import everything, observations, wanted
from wigmore.graph import joins, reviews, views
from wigmore.investigation.obligations import obligations
from wigmore.investigation.phases import conclusions
from wigmore.investigation.workbench import Workbench
from wigmore.reports.data import fact_rows

Row = dict[str, Any]


def _findings(bench: Workbench, _: Row) -> Iterable[Row]:
    people = {row["item"]: row for row in reviews.reviewed(bench.state)}
    rejected = reviews.rejected_phenomena(bench.state)
    for said in conclusions(bench):
        name = said["hypothesis_id"]
        edges = [e for e in bench.state.edges_to(name) if e.edge_type != "consistent_with"]
        person = people.get(name, {})
        without = [p for p in dict.fromkeys(e.phenomenon_id for e in edges) if p in rejected]
        yield {
            **said,
            "working_score": bench.state.confidence(name),
            "edges": len(edges),
            "phenomena": [e.phenomenon_id for e in edges],
            "review": person.get("review", reviews.NOT_EXAMINED),
            "review_by": person.get("by", ""),
            "review_at": person.get("at", ""),
            "review_text": person.get("text", ""),
            "review_disagreements": [d["said"] for d in person.get("disagreements", ())],
            "without_rejected": reviews.beliefs_without(bench.state, set(without), [name])[0] if without else None,
        }


def _records(bench: Workbench, options: Row) -> Iterable[Row]:
    if options["artifact"] and not any(_fits(p.artifact, options["artifact"]) for p in bench.store.parts):
        known = ", ".join(bench.store.artifacts()) or "none"
        raise UseError(f"no records of artifact {options['artifact']!r} in this case; there are: {known}")
    artifacts = [options["artifact"], options["artifact"] + ".*"] if options["artifact"] else None
    where, parameters = _period(options)
    yield from bench.store.records(artifacts, options["source"] or None, where, parameters)


def _fits(artifact: str, wanted: str) -> bool:
    from fnmatch import fnmatchcase

    return fnmatchcase(artifact, wanted) or fnmatchcase(artifact, wanted + ".*")


def _period(options: Row) -> tuple[str, list[Any]]:
    asked = wanted(options)
    bounds = [(sign, at) for sign, at in ((">=", asked.after), ("<", asked.before)) if at is not None]
    return " AND ".join(f"instant {sign} ?" for sign, _ in bounds), [at for _, at in bounds]


def _facts(bench: Workbench, _: Row) -> Iterable[Row]:
    invocations = {i.id: i.to_dict() for i in bench.runner.known.values()}
    for phenomenon in sorted(bench.state.phenomena.values(), key=lambda p: (p.source_id, p.id)):
        yield from fact_rows(phenomenon, invocations)


def _phenomena(bench: Workbench, _: Row) -> Iterable[Row]:
    for phenomenon in sorted(
        bench.state.phenomena.values(), key=lambda p: (p.source_id, -bench.state.quality(p), p.id)
    ):
        yield {**phenomenon.to_dict(), "quality": bench.state.quality(phenomenon)}


def _readings(bench: Workbench, _: Row) -> Iterable[Row]:
    # rules of other phases explain what triage saw; they name nothing themselves
    return views.readings(
        bench.state, {r.id: r.significance for r in bench.rules.indicators.values() if r.phase == "triage"}
    )


def _hypotheses(bench: Workbench, _: Row) -> Iterable[Row]:
    for name in sorted(bench.state.hypotheses):
        said = views.conclusion(bench.state, bench.state.hypotheses[name])
        yield {
            **bench.state.hypothesis_view(name),
            "conclusion": said.verdict,
            "conclusion_reasons": list(said.reasons),
            "standing_alternatives": list(said.standing),
        }


def _matrix(bench: Workbench, _: Row) -> Iterable[Row]:
    shown = views.matrix(bench.state)
    names = [h["id"] for h in shown["hypotheses"]]
    for row in shown["rows"]:
        yield {
            **{k: v for k, v in row.items() if k != "edges"},
            "edges": {n: e for n, e in zip(names, row["edges"], strict=True) if e},
        }


def _timeline(bench: Workbench, options: Row) -> Iterable[Row]:
    asked_for = wanted(options)
    yield from everything(bench, asked_for, options["say"]) if options["everything"] else observations(bench, asked_for)


def _coverage(bench: Workbench, options: Row) -> Iterable[Row]:
    for row in sorted(bench.coverage, key=lambda c: (c.source_id, c.path, c.inode or "", c.parser, c.artifact)):
        if not options["source"] or row.source_id == options["source"]:
            yield row.to_dict()


def _rounds(bench: Workbench, _: Row) -> Iterable[Row]:
    for round_ in sorted(bench.state.rounds.values(), key=lambda r: r.round_number):
        yield {
            **round_.to_dict(),
            "new_phenomena_count": round_.new_phenomena_count,
            "new_edges_count": round_.new_edges_count,
            "status_flips": round_.status_flips,
        }


def _ledger(kind: str) -> Callable[[Workbench, Row], Iterable[Row]]:
    def rows(bench: Workbench, _: Row) -> Iterable[Row]:
        return ({k: v for k, v in e.body.items() if k != "cache_key"} for e in bench.ledger.events(kind))

    return rows


def _custody(bench: Workbench, _: Row) -> Iterable[Row]:
    for source in sorted(bench.state.sources.values(), key=lambda s: s.id):
        yield {**source.to_dict(), **bench.state.hashes.get(source.id, {}), "id": source.id}


def _graph_hash(bench: Workbench, _: Row) -> Iterable[Row]:
    yield {"graph_hash": bench.state.graph_hash()}


VIEWS: dict[str, Callable[[Workbench, Row], Iterable[Row]]] = {
    "findings": _findings,
    "records": _records,
    "facts": _facts,
    "phenomena": _phenomena,
    "readings": _readings,
    "hypotheses": _hypotheses,
    "matrix": _matrix,
    "edges": lambda b, _: (e.to_dict() for e in sorted(b.state.edges.values(), key=lambda e: e.id)),
    "entities": lambda b, _: joins.entity_rows(b.state),
    "links": lambda b, _: joins.link_rows(b.state),
    "contacts": lambda b, _: joins.contact_rows(b.state),
    "timeline": _timeline,
    "coverage": _coverage,
    "leads": lambda b, _: (x.to_dict() for x in sorted(b.state.leads.values(), key=lambda x: (x.round_number, x.id))),
    "rounds": _rounds,
    "invocations": _ledger("invocation"),
    "rejections": _ledger("rejection"),
    "models": lambda b, _: (row for _, row in sorted(b.state.reasoned.items())),
    "exchanges": _ledger("exchange"),
    "obligations": lambda b, _: obligations(b),
    "questions": lambda b, _: (q for _, q in sorted(b.state.questions.items())),
    "reviews": lambda b, _: reviews.reviewed(b.state),
    "custody": _custody,
    "graph-hash": _graph_hash,
}


def show(
    case: Path,
    what: str,
    *,
    artifact: str = "",
    source: str = "",
    after: str = "",
    before: str = "",
    text: str = "",
    owner: str = "",
    every: bool = False,
    collector: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Row]:
    """Rows of one view, each with `case`; raises UseError for an unknown view or source.

    `text`, `owner` (of a clock), `every` (records too) and `collector` (its file times too) are for the timeline.
    """
    if what not in VIEWS:
        raise UseError(f"unknown view {what!r}; one of {', '.join(VIEWS)}")
    with open_case(case) as bench:
        known = [s.id for s in bench.case_file.sources]
        if source and source not in known:
            raise UseError(f"unknown source {source!r}; one of {', '.join(known)}")
        options: Row = {
            "artifact": artifact,
            "source": source,
            "after": after,
            "before": before,
            "text": text,
            "owner": owner,
        }
        options |= {"everything": every, "collector": collector, "say": say}
        for row in VIEWS[what](bench, options):
            yield {"case": bench.case_file.case, **row}
