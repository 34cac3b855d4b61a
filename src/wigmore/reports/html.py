"""The report: one self-contained HTML file that needs no script and no network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wigmore.ledger import durable_file
from wigmore.reports import html_annex, html_entities, html_findings, html_front, html_limits
from wigmore.reports.data import ReportData, report_format
from wigmore.reports.html_models import narrative
from wigmore.reports.html_obligations import obligations
from wigmore.reports.html_reviews import reviews
from wigmore.reports.html_standing import standing
from wigmore.reports.index import Index
from wigmore.reports.markup import Part, Safe, folded, joined, plain, tag
from wigmore.reports.style import CSS, PAPER
from wigmore.reports.svg_entities import entities
from wigmore.reports.svg_matrix import matrix
from wigmore.reports.svg_timeline import timeline, timeline_note

# nothing may be loaded and nothing may run, whatever stands in the page
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render_html(data: ReportData, paper: bool = False) -> str:
    """The whole report as one HTML text: UTF-8, no script, no network, every text of evidence escaped.

    `paper` is the edition to be printed: its title stands before the contents, and it prints fewer observations in
    full (the same ones first), as a bound volume must end somewhere; each list says how many are not in it.
    """
    index = Index(data)
    index.carded = {h["id"] for h in [h for h in data.hypotheses if not h["innocent"]][: html_findings.FINDINGS]}
    index.placed = index.carded | {h["id"] for h in data.hypotheses[: html_annex.SCORES]}
    blocks = html_findings.choose(index, html_findings.PRINTED if paper else html_findings.BUDGET)
    sections = list(_sections(index, blocks))
    contents = tag(
        "nav",
        tag("ol", *(tag("li", tag("a", title, href=f"#s-{name}")) for name, title, _ in sections)),
        aria_label="Contents",
    )
    body = [tag("section", tag("h2", title), inside, id=f"s-{name}") for name, title, inside in sections]
    name = plain(data.context.get("title") or data.context.get("case") or "case")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"{name} — examination report"),
        tag("style", Safe(CSS + PAPER if paper else CSS)),
    )
    foot = tag(
        "footer",
        f"Made by wigmore {plain((index.run.get('versions') or {}).get('wigmore'))}. This page runs no script and loads"
        " nothing. Characters of evidence that would hide or reorder text are written as \\u{…}.",
    )
    title = html_front.title(index)
    order: tuple[Safe, ...] = (contents, tag("main", title, *body, foot))
    if paper:
        order = (tag("header", title, _abridged(index)), contents, tag("main", *body, foot))
    page = tag("div", *order, class_="page")
    return "<!DOCTYPE html>\n" + tag("html", head, tag("body", page), lang="en") + "\n"


def _abridged(index: Index) -> Part:
    """What the paper edition leaves to the others; empty where it prints all."""
    shown, total = len(index.drawn), len(index.data.phenomena)
    if shown == total:
        return ""
    said = (
        f"This edition prints {shown:,} of {total:,} observations in full, those that bear on hypotheses first. All: "
    )
    return tag("p", said, tag("code", f"wigmore show {index.case} phenomena -t jsonl"), class_="box")


def _sections(index: Index, blocks: dict[str, Safe]) -> Iterator[tuple[str, str, Part]]:
    """(id, title, content) in the order of the report."""
    phenomena = index.data.phenomena
    used = [p for p in phenomena if index.bearing.get(p["id"]) and not p["negative"]]
    negative = [p for p in phenomena if p["negative"]]
    unused = [p for p in phenomena if not index.bearing.get(p["id"]) and not p["negative"]]
    yield "summary", "Summary", html_front.summary(index)
    yield "items", "Items received", html_front.items(index)
    yield "method", "Method and tools", html_front.method(index)
    if index.data.narrative:
        yield "narrative", "A model's summary", narrative(index)
    yield "findings", "Findings", html_findings.findings(index)
    yield "standing", "Alternatives to every finding", standing(index)
    yield "reviews", "What people decided", reviews(index)
    yield "obligations", "Questions and obligations", obligations(index)
    yield "sheet", "Answer sheet", html_limits.sheet(index)
    yield (
        "observations",
        "Observations behind the findings",
        (
            html_findings.observations(index, blocks, used)
            if used
            else tag("p", "No observation bears on a hypothesis.")
        ),
    )
    yield "matrix", "Matrix of evidence", matrix(index)
    yield (
        "timeline",
        "Timeline",
        joined((timeline(index), timeline_note(), folded("Timeline as a table", html_annex.timeline_table(index)))),
    )
    yield "entities", "Entities", joined((entities(index), html_entities.same(index), html_entities.contacts(index)))
    yield "coverage", "Coverage and limits", html_limits.coverage(index)
    yield (
        "negative",
        "Negative findings",
        html_limits.negative(index, html_findings.observations(index, blocks, negative)),
    )
    yield (
        "unused",
        f"Observations that bear on no hypothesis ({len(unused):,})",
        joined(
            (
                tag(
                    "p",
                    "Recorded, cited, and of no bearing on any hypothesis the rules know of. Another reader may see"
                    " one.",
                ),
                html_findings.observations(index, blocks, unused),
            )
        ),
    )
    yield "rounds", "Rounds, leads and budgets", html_limits.rounds(index)
    yield "audit", "Audit", html_limits.audit(index)
    yield "verify", "How to verify this report", html_annex.verification(index)
    yield "glossary", "Glossary", html_annex.glossary()
    yield "bearings", "Annex A: every bearing", html_annex.matrix_table(index)
    yield "parsers", "Annex B: parsers, and what records mean", html_annex.parsers(index)
    yield "calls", "Annex C: cited calls", html_annex.calls(index)
    yield "scores", "Annex D: working scores", html_annex.scores(index)


@report_format("html", "report.html")
def html(data: ReportData, folder: Path) -> Path:
    """The report as one self-contained file: no script, no network."""
    target = folder / "report.html"
    with durable_file(target) as temporary:
        temporary.write_text(render_html(data), encoding="utf-8")
    return target
