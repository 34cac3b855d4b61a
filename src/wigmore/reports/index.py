"""The look-ups that the sections of a report share, made once from its data."""

from __future__ import annotations

import shlex
from collections import defaultdict
from typing import Any

from wigmore.model.belief import STRENGTH
from wigmore.model.canonical import canonical
from wigmore.model.nouns import NEUTRAL
from wigmore.reports.data import ReportData
from wigmore.reports.markup import Safe, clipped, link, plain
from wigmore.reports.words import AGAINST

Row = dict[str, Any]


class Index:
    """One case by id: what bears on what, who reviewed what, and which parser read an artifact."""

    def __init__(self, data: ReportData) -> None:
        self.data = data
        self.run: Row = data.context.get("run") or {}
        self.phenomena = {p["id"]: p for p in data.phenomena}
        self.hypotheses = {h["id"]: h for h in data.hypotheses}
        self.parsers: dict[str, Row] = data.context.get("parsers") or {}
        self.invocations: dict[str, Row] = data.context.get("invocations") or {}
        self.case = plain(data.context.get("folder")) or _case(self.invocations)
        self.labels = {s["id"]: clipped(s.get("label") or s["id"], 120) for s in data.sources}
        self.bearing: dict[str, list[Row]] = defaultdict(list)
        for edge in data.edges:
            self.bearing[edge["phenomenon_id"]].append(edge)
        self.reviews: dict[str, list[Row]] = defaultdict(list)
        for review in data.reviews:
            self.reviews[plain(review.get("item"))] += review.get("history") or [review]
        self.decided: dict[str, Row] = {plain(r.get("item")): r for r in data.reviews}
        self.drawn: set[str] = set()  # phenomena printed in full: only these may be linked to
        self.carded: set[str] = set()  # hypotheses with a finding of their own
        self.placed: set[str] = set()  # hypotheses with a place in the page: only these may be linked to

    def parser_of(self, artifact: str) -> str:
        """The parser of an artifact: the longest known name that the artifact's begins with; empty where none is."""
        parts = artifact.split(".")
        for length in range(len(parts), 0, -1):
            name = ".".join(parts[:length])
            if name in self.parsers:
                return name
        return ""

    def edges(self, hypothesis: Row, against: bool) -> list[Row]:
        """The edges that bear for or against a hypothesis whose phenomenon is known, strongest first; of one phenomenon the
        strongest."""
        rows = [
            e
            for e in hypothesis.get("edges", ())
            if e["edge_type"] != NEUTRAL
            and e["phenomenon_id"] in self.phenomena
            and (e["edge_type"] in AGAINST) == against
            and e.get("bears", True)
        ]
        counting: dict[str, Row] = {}
        for edge in sorted(rows, key=lambda e: STRENGTH.index(e["edge_type"])):
            counting.setdefault(edge["phenomenon_id"], edge)
        return sorted(
            counting.values(),
            key=lambda e: (
                STRENGTH.index(e["edge_type"]),
                plain(self.phenomena[e["phenomenon_id"]]["occurred_at"] or "~"),
                e["phenomenon_id"],
            ),
        )

    def moot(self, hypothesis: Row) -> list[str]:
        """The phenomena of edges that were laid and bear on a hypothesis no more, in order."""
        return sorted({e["phenomenon_id"] for e in hypothesis.get("edges", ()) if not e.get("bears", True)})

    def techniques(self, hypothesis: Row) -> list[str]:
        """The techniques of a hypothesis that an observation for it names, itself or as a part: the others nothing shows."""
        said = {
            t for e in self.edges(hypothesis, False) for t in self.phenomena[e["phenomenon_id"]].get("attack") or ()
        }
        return [t for t in hypothesis.get("attack") or () if any(s == t or s.startswith(f"{t}.") for s in said)]

    def observation(self, phenomenon_id: str, limit: int = 160) -> Safe | str:
        """A phenomenon's title, linked to where it is printed in full if it is."""
        row = self.phenomena.get(phenomenon_id)
        title = clipped(row["title"], limit) if row else phenomenon_id
        return link("p", phenomenon_id, title) if phenomenon_id in self.drawn else title

    def finding(self, hypothesis_id: str) -> Safe | str:
        """A hypothesis' title, linked to its finding if it has a place in the page."""
        row = self.hypotheses.get(hypothesis_id)
        title = clipped(row["title"], 240) if row else hypothesis_id
        title += " (proposed by a model)" if row and row.get("model") else ""
        return link("h", hypothesis_id, title) if hypothesis_id in self.placed else title

    def reasons(self, hypothesis: Row) -> list[str]:
        """Why no more is said of a hypothesis."""
        return [plain(r) for r in hypothesis.get("conclusion_reasons") or ()]

    def chief_limit(self, hypothesis: Row) -> str:
        """The one limit a reader must know beside the strength; there is always one."""
        reasons = self.reasons(hypothesis)
        edges = self.edges(hypothesis, against=False)
        if reasons:
            return "; ".join(reasons)
        if not edges:
            return "no observation bears on it"
        sources = {e["source_id"] or self.phenomena[e["phenomenon_id"]]["source_id"] for e in edges}
        mechanisms = {e["mechanism"] for e in edges if e.get("mechanism")}
        if len(mechanisms) == 1:
            return f"rests on one kind of record only: {next(iter(mechanisms))}"
        if len(sources) == 1:
            return f"rests on one source only: {self.labels.get(next(iter(sources)), next(iter(sources)))}"
        return self.not_enough(hypothesis) or "rests on records; what no examined artifact records is not seen"

    def not_enough(self, hypothesis: Row) -> str:
        """What the hypothesis' template says does not suffice for it."""
        template = (self.data.context.get("templates") or {}).get(
            plain(hypothesis.get("template")).partition("/")[0], {}
        )
        said = plain(template.get("not_enough"))
        return f"not enough by itself: {said}" if said else ""

    def mute(self, hypothesis: Row) -> bool:
        """Whether a hypothesis is an alternative that no rule of the run could speak for."""
        frame, _, alternative = plain(hypothesis.get("template")).partition("/")
        return alternative in ((self.data.context.get("templates") or {}).get(frame, {}).get("mute") or ())

    def occasions(self, phenomenon: Row) -> list[list[Row]]:
        """A phenomenon's facts, those of one place and call together, in the order they stand."""
        groups: dict[bytes, list[Row]] = {}
        for fact in phenomenon["facts"]:
            key = canonical(
                [fact["record_id"], fact["path"], plain(fact["locator"]), fact["invocation_id"], fact["kind"]]
            )
            groups.setdefault(key, []).append(fact)
        return list(groups.values())


def _case(invocations: dict[str, Row]) -> str:
    """The case as commands name it, quoted as they quote it; `CASE` where no call was made."""
    for _, invocation in sorted(invocations.items())[:1]:
        try:
            return shlex.quote(shlex.split(plain(invocation.get("rerun")))[2])
        except (ValueError, IndexError):
            break
    return "CASE"
