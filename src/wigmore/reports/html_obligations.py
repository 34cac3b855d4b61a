"""Questions and obligations: what the case owes an answer, what was needed for each and what coverage there is of it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

from wigmore.reports.index import Index, Row
from wigmore.reports.markup import Part, Safe, clipped, folded, joined, plain, table, tag
from wigmore.reports.words import OBLIGATIONS, OWED, counted, not_shown, receipt

BLANK = re.compile(r"\{\w+\}")  # what a rule's title leaves to the observation
ROWS = 200  # obligations of one kind printed with their receipts
OPENED = 25  # rows of a list that stands open on the page


def obligations(index: Index) -> Safe:
    """Counts by kind and state; then what is open or cannot be answered, with receipts; background facts by rule."""
    rows = index.data.obligations
    if not rows:
        return tag("p", "No obligations are on record for this run. ", tag("code", _command(index)))
    counts = Counter((r["kind"], r["state"]) for r in rows)
    body = [
        [words[0].upper() + words[1:], *(f"{counts[kind, state]:,}" if counts[kind, state] else "·" for state in OWED)]
        for kind, words in OBLIGATIONS.items()
        if any(counts[kind, state] for state in OWED)
    ]
    parts: list[Part] = [
        tag(
            "p",
            "What the case owes an answer. What could not be answered has a receipt: what was needed for it, and what"
            " coverage there is of that. Not answered means not answered from these records.",
        ),
        table(["Kind", *OWED.values()], body, "counts"),
    ]
    for kind, words in OBLIGATIONS.items():
        left = [r for r in rows if r["kind"] == kind and r["state"] in ("open", "unanswerable")]
        if left:
            parts += [
                tag("h3", f"{words[0].upper()}{words[1:]}, not settled ({len(left):,})"),
                *_unsettled(index, kind, left),
            ]
    return joined((*parts, _background(index, [r for r in rows if r["kind"] == "fact" and r["state"] == "done"])))


def _command(index: Index) -> str:
    return f"wigmore show {index.case} obligations"


def _unsettled(index: Index, kind: str, left: list[Row]) -> list[Part]:
    """Rows that give one reason stand together under it; those that have a reason of their own come first."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in left[:ROWS]:
        groups[plain(row["reason"])].append(row)
    shared = {why: rows for why, rows in groups.items() if len(rows) > 2}
    alone = [row for rows in groups.values() if len(rows) <= 2 for row in rows]
    out: list[Part] = []
    if alone:
        own = table(
            [*_heads(kind), "Why", "Needed, and its coverage"],
            [[*_names(index, kind, r), clipped(r["reason"], 400), _receipt(r)] for r in alone],
            _shape(kind),
        )
        out.append(own if len(alone) <= OPENED else folded(f"{len(alone):,} with a reason of their own", own))
    for why, rows in sorted(shared.items(), key=lambda x: (-len(x[1]), x[0])):
        held = table(
            [*_heads(kind), "Needed, and its coverage"],
            [[*_names(index, kind, r), _receipt(r)] for r in rows],
            _shape(kind),
        )
        out.append(folded(joined((f"{len(rows):,} × ", clipped(why, 400))), held))
    return [*out, not_shown(ROWS, len(left), _command(index))]


def _shape(kind: str) -> str:
    return "ids" if kind in ("question", "standard") else ""


def _heads(kind: str) -> list[str]:
    return {
        "probe": ["Test", "Owed by"],
        "fact": ["Observations", "Number"],
        "list": ["List", "State"],
    }.get(kind, ["Id", "Question"])


def _names(index: Index, kind: str, row: Row) -> list[Part]:
    """The first two cells of a row; `open` is said, as most of the rows cannot be answered."""
    title = clipped(row["title"], 400)
    if kind == "probe":
        title = clipped(plain(row["title"]).partition(" — owed by: ")[0], 300)
        return [_open(row, title), index.finding(row["hypothesis_id"])]
    if kind == "fact":
        return [_open(row, title), f"{row['count']:,}"]
    if kind == "list":
        return [title, OWED[row["state"]]]
    return [plain(row["id"]).removeprefix("std-"), _open(row, title)]


def _open(row: Row, title: str) -> Part:
    return joined((title, tag("span", OWED["open"], class_="state"))) if row["state"] == "open" else title


def _receipt(row: Row) -> Part:
    lines = receipt(row)
    return tag("ul", *(tag("li", line) for line in lines), class_="receipt") if lines else "—"


def _background(index: Index, rows: list[Row]) -> Safe:
    """Recorded observations that no hypothesis and no answer uses, as counts by rule."""
    if not rows:
        return Safe("")
    body = [
        [
            clipped(BLANK.sub("…", plain(r["title"])), 200),
            tag("code", plain(r["id"]).removeprefix("fact:")),
            f"{r['count']:,}",
            _short(r),
        ]
        for r in sorted(rows, key=lambda r: (-r["count"], r["id"]))
    ]
    total = sum(r["count"] for r in rows)
    return joined(
        (
            tag("h3", f"Background: {counted(total, 'observation')} by {counted(len(rows), 'rule')}"),
            folded(
                "Each rule with its count and why nothing uses it",
                table(["What the rule reads", "Rule", "Observations", "Why"], body[:ROWS], "rules"),
                open_=len(body) <= OPENED,
            ),
            not_shown(ROWS, len(body), _command(index)),
        )
    )


def _short(row: Row) -> str:
    return clipped(plain(row["reason"]).removeprefix("background: "), 300)
