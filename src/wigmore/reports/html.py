"""The report: one self-contained HTML file that needs no script and no network."""

from __future__ import annotations

from pathlib import Path

from wigmore.reports.data import ReportData, report_format
from wigmore.reports.markup import joined, table, tag


def render_html(data: ReportData) -> str:
    """The whole report as one HTML text."""
    body = joined([
        tag("h1", data.context.get("title") or data.context.get("case")),
        table(["Hypothesis", "Verdict"], [[h["title"], h["conclusion"]] for h in data.hypotheses]),
        table(["Phenomenon", "Interpretation"], [[p["title"], p["interpretation"]] for p in data.phenomena]),
    ])
    page = tag("html", tag("head", tag("meta", charset="utf-8"), tag("title", "Report")), tag("body", body), lang="en")
    return "<!DOCTYPE html>\n" + page


@report_format("html", "report.html")
def html(data: ReportData, folder: Path) -> Path:
    """The report as one self-contained file: no script, no network."""
    target = folder / "report.html"
    target.write_text(render_html(data), encoding="utf-8")
    return target
