"""Facts as a CSV table, one row a fact, that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
from pathlib import Path

from wigmore.ledger import durable_file
from wigmore.reports.data import ReportData, report_format
from wigmore.reports.markup import plain, visible

COLUMNS = (
    "case",
    "fact_id",
    "phenomenon_id",
    "source_id",
    "artifact",
    "path",
    "locator",
    "state",
    "name",
    "value",
    "occurred_at",
    "category",
    "title",
    "interpretation",
    "kind",
    "record_id",
    "invocation_id",
    "output_sha256",
    "rerun",
)
ACTIVE = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "＝",
    "＋",
    "－",
    "＠",
)  # what spreadsheets take for the start of a formula
CELL = 32_000  # characters; spreadsheets cut at 32,767


def cell(value: object) -> str:
    """A value as a cell: hidden characters visible, an apostrophe before what would start a formula, long texts cut."""
    text = visible(plain(value))
    if len(text) > CELL:
        text = f"{text[:CELL]} … [{len(text) - CELL} more characters]"
    numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
    return "'" + text if not numeric and (text.lstrip(" ")[:1] in ACTIVE and text.strip()) else text


@report_format("csv", "facts.csv")
def facts_csv(data: ReportData, folder: Path) -> Path:
    """Facts with their citations as a table; a leading apostrophe keeps spreadsheets from running a value."""
    target = folder / "facts.csv"
    case = data.context.get("case")
    with durable_file(target) as temporary, temporary.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)  # a semicolon locale must not split a value into cells
        writer.writerow(COLUMNS)
        for phenomenon in data.phenomena:
            shared = {
                "case": case,
                **{k: phenomenon.get(k) for k in ("occurred_at", "category", "title", "interpretation")},
            }
            for fact in phenomenon["facts"]:
                row = {**shared, **fact}
                writer.writerow([cell(row.get(name)) for name in COLUMNS])
    return target
