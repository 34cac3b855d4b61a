"""The words a report uses: the declared ordinal scale of strength, edges, outcomes, reasons, places and times."""

from __future__ import annotations

import re
from typing import Any

from wigmore.reports.markup import Safe, joined, plain, tag

# verdict of graph.views.conclusion -> (words, what it says, what it does not say)
STRENGTHS = {
    "concluded": (
        "concluded",
        (
            "The observations support it by the declared rules, a test that could have told against it was completed,"
            " and no alternative stands as well."
        ),
        "That a person has accepted it, or how probable it is.",
    ),
    "contested": (
        "supported, contested",
        (
            "The observations support it, but something stands against it: an alternative, a contradiction, or the lack"
            " of direct or independent support."
        ),
        "That it may be stated as a conclusion.",
    ),
    "not_tested": (
        "supported, not tested",
        (
            "The observations support it, but the test that could have told against it was not, or could not be,"
            " completed."
        ),
        "That it may be stated as a conclusion.",
    ),
    "refuted": (
        "refuted",
        "A contradicting observation stands against it and outweighs what supports it.",
        "That its opposite is shown in every detail.",
    ),
    "open": ("open", "The observations carry it neither way.", "That it happened, or that it did not."),
}
EDGES = {
    "direct_evidence": ("direct evidence of", "++"),
    "supports": ("supports", "+"),
    "consequence_observed": ("an expected consequence of", "+"),
    "prerequisite_met": ("a prerequisite of", "·+"),
    "weakens": ("weakens", "−"),
    "contradicts": ("contradicts", "−−"),
    "consistent_with": ("consistent with (carries no weight)", "○"),
}
OBLIGATIONS = {
    "question": "questions of the case",
    "standard": "standard questions",
    "probe": "tests that hypotheses owe",
    "fact": "recorded observations, by rule",
    "list": "lists supplied",
}
OWED = {"open": "open", "unanswerable": "cannot be answered", "answered": "answered", "done": "done"}
RECEIPT = 10  # lines of one receipt
AGAINST = frozenset(("weakens", "contradicts"))
OUTCOMES = {
    "found": "read, records found",
    "empty": "read, held no records",
    "failed": "could not be read",
    "not_applicable": "does not apply",
    "not_run": "not run",
}
PROBES = {
    "found": "found something",
    "empty": "nothing, and coverage reaches it",
    "cannot_say": "cannot say",
    "failed": "failed",
}
CITED = {
    "field": "a field of a record",
    "span": "a span of bytes of a call's output",
    "query_result": "the whole result of a call",
    "empty": "a call that found nothing",
}
ACTIONS = {
    "propose_leads": "proposed leads",
    "declare_complete": "declared complete",
    "no_leads": "had no lead",
    "interrupted_resume": "interrupted, resumed later",
    "strategist_failed": "strategist failed",
}
ISO_START = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
OFFSET = re.compile(r"[+-]\d\d:?\d\d$")


def strength(verdict: str) -> Safe:
    """The ordinal word of a verdict, as a badge."""
    words = STRENGTHS.get(verdict, (verdict, "", ""))[0]
    return tag("span", words, class_=f"strength s-{verdict}" if verdict in STRENGTHS else "strength")


def moment(text: Any) -> Safe:
    """A time with its zone said in words; the digits stay as the evidence has them."""
    if not text:
        return tag("span", "undated", class_="quiet")
    shown = plain(text)
    if not ISO_START.match(shown):
        return tag("span", shown)
    body = shown.replace("T", " ", 1)
    if body.endswith("Z"):
        return tag("time", body[:-1], " ", tag("abbr", "UTC", title="Coordinated Universal Time"))
    if OFFSET.search(body[16:]):
        return tag("time", body[:-6], " ", tag("abbr", body[-6:], title="offset from UTC as stored"))
    return tag("time", body, " ", tag("abbr", "local", title="wall-clock time; the zone is not known", class_="local"))


def own_moment(text: Any) -> Safe:
    """A time of our own clock, to the second."""
    shown = plain(text)
    return moment(re.sub(r"\.\d+Z$", "Z", shown))


def place(locator: dict[str, Any]) -> str:
    """A locator in words; the exact one is printed beside it."""
    kind = plain(locator.get("kind"))
    words = {
        "record": "record",
        "line": "line",
        "offset": "offset",
        "row": "row",
        "key": "key",
        "member": "member",
        "inode": "entry",
        "region": "line of text",
    }.get(kind, kind or "place")
    first = {
        "record": "number",
        "line": "line",
        "offset": "offset",
        "row": "rowid",
        "key": "key",
        "member": "path",
        "inode": "inode",
        "region": "line",
    }.get(kind, "")
    parts = [words]
    if first and first in locator:
        parts.append(plain(locator[first]))
    if kind == "row" and "table" in locator:
        parts.append(f"of table {plain(locator['table'])}")
    if kind == "region":
        corner = f"{plain(locator.get('x'))}, {plain(locator.get('y'))}"
        parts.append(f"at pixel {corner} of page {plain(locator.get('page'))}")
    if kind == "key" and locator.get("value"):
        parts.append(f"value {plain(locator['value'])}")
    if kind != "offset" and "offset" in locator:
        parts.append(f"at byte {plain(locator['offset'])}")
    return " ".join(parts)


def receipt(row: dict[str, Any]) -> list[str]:
    """What an obligation needs and the coverage of it: a line for each artifact and outcome."""
    sums: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for said in row.get("coverage") or ():
        key = (plain(said["artifact"]), plain(said["outcome"]), plain(said.get("reason_code")))
        sums.setdefault(key, []).append(said)
    lines = []
    needs = [plain(n) for n in row.get("needs") or ()]
    for (artifact, outcome, code), rows in sorted(sums.items(), key=lambda x: (_among(x[0][0], needs), x[0])):
        records = sum(r.get("records") or 0 for r in rows)
        sources = len({r.get("source_id") for r in rows})
        more = [counted(records, "record")] if records else []
        more += [code.replace("_", " ")] if code else []
        more += [] if all(r.get("complete") for r in rows) or outcome not in ("found", "empty") else ["in part"]
        more += [counted(sources, "source")] if sources > 1 else []
        lines.append(f"{artifact}: {OUTCOMES.get(outcome, outcome)}" + (f" ({', '.join(more)})" if more else ""))
    lines += [f"{name}: no file of the kind was met" for name in unmet(row)]
    left = len(lines) - RECEIPT + int(row.get("more") or 0) if len(lines) > RECEIPT else int(row.get("more") or 0)
    return lines[:RECEIPT] + ([f"and {left:,} more"] if left else [])


def unmet(row: dict[str, Any]) -> list[str]:
    """The artifacts that a receipt needs and has no row of; none where not all of its rows are in it.

    A need may name files too (`artifact:path`) or a family of artifacts.
    """
    met = {plain(c["artifact"]) for c in row.get("coverage") or ()}

    def known(need: str) -> bool:
        name = need.partition(":")[0].rstrip(".*")
        return any(f"{m}.".startswith(f"{name}.") or f"{name}.".startswith(f"{m}.") for m in met)

    return [] if row.get("more") else [n for n in map(plain, row.get("needs") or ()) if not known(n)]


def _among(name: str, names: list[str]) -> int:
    return names.index(name) if name in names else len(names)


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun, thousands apart."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def not_shown(shown: int, total: int, command: str) -> Safe:
    """A line saying how many rows are not shown and where all of them are; empty where all are."""
    if shown >= total:
        return Safe("")
    return tag(
        "p",
        joined((f"{total - shown:,} of {total:,} are not shown here. All of them: ", tag("code", command))),
        class_="more",
    )
