"""Annexes: every bearing, the timeline as a table, parsers, cited calls, working scores, glossary, how to verify."""

from __future__ import annotations

from wigmore.reports.html_reviews import scores_without
from wigmore.reports.index import Index
from wigmore.reports.markup import Part, Safe, anchor, clipped, folded, joined, pairs, plain, table, tag
from wigmore.reports.words import EDGES, OUTCOMES, moment, not_shown

ROWS = 500
SCORES = 1000

GLOSSARY = (
    ("Record", "What a parser read at one place of a file, with a locator that finds the bytes again."),
    ("Fact", "One value of a record as read, cited to the call that printed it and to its record and field."),
    ("Observation", "One or more facts about one thing, with an interpretation kept apart from them."),
    ("Interpretation", "What a rule or an agent reads into facts. It may be wrong while the facts stand."),
    ("Hypothesis", "A proposition about the case, weighed against alternatives that would leave the same traces."),
    ("Bearing", "How an observation counts for or against a hypothesis."),
    ("Concluded", "The declared rule lets the machine state it; no person has thereby accepted it."),
    ("Coverage", "For each file and parser: found, empty, failed, not applicable, or not run."),
    ("Negative finding", "Records that reach the matter were looked at and hold nothing."),
    ("Locator", "Where in the file a record stands: offset, record number, table and row, key and value, member."),
    (
        "Ledger head",
        "The number and hash of the last event of the case's chain; any change of an earlier event changes it.",
    ),
    (
        "Graph hash",
        "SHA-256 over observations, facts with locators, entities, hypotheses and bearings; no clocks, no random ids.",
    ),
    ("UTC, offset, local", "A time's zone as stored. “Local” is a wall-clock time whose zone is not known."),
    (
        "Carved, freelist, unallocated",
        "States of a record that was recovered from space no longer in use; its context may be lost.",
    ),
    (
        "Working score",
        "A number that orders hypotheses inside this program. It is not calibrated and is no probability.",
    ),
)


def timeline_table(index: Index) -> Safe:
    """Dated observations in the order of their text, up to the cap."""
    rows = [
        [
            moment(r["time"]),
            index.labels.get(r["source_id"], r["source_id"]),
            clipped(r["category"], 100),
            index.observation(r["phenomenon_id"]),
        ]
        for r in index.data.timeline[:ROWS]
    ]
    if not rows:
        return tag("p", "No observation is dated.")
    return joined(
        (
            table(["Time, with its zone", "Source", "Category", "Observation"], rows),
            not_shown(ROWS, len(index.data.timeline), f"wigmore show {index.case} timeline"),
        )
    )


def matrix_table(index: Index) -> Safe:
    """Every bearing in words, and the working scores, far from any conclusion."""
    heads = index.data.matrix.get("hypotheses") or []
    body: list[list[Part]] = []
    total = 0
    for row in index.data.matrix.get("rows") or ():
        for head, edge in zip(heads, row["edges"], strict=True):
            if edge:
                total += 1
                if len(body) < ROWS:
                    body.append(
                        [
                            index.observation(row["phenomenon_id"]),
                            EDGES.get(edge, (edge, ""))[0],
                            index.finding(head["id"]),
                        ]
                    )
    return (
        joined(
            (
                table(["Observation", "Bearing", "Hypothesis"], body),
                not_shown(len(body), total, f"wigmore show {index.case} edges"),
            )
        )
        if body
        else tag("p", "There is no bearing to list.")
    )


def scores(index: Index) -> Safe:
    """The working scores of hypotheses: what orders work, and no measure of belief."""
    rows: list[Safe] = []
    carded = index.carded
    for h in index.data.hypotheses[:SCORES]:
        cells = (
            index.finding(h["id"]) if h["id"] in carded else clipped(h["title"], 240),
            "alternative" if h["innocent"] else "",
            plain(h["status"]),
            f"{len(index.edges(h, False)):,} / {len(index.edges(h, True)):,}",
            f"{h['log_odds']:+.2f}",
            f"{h['confidence']:.3f}",
        )
        rows.append(tag("tr", *(tag("td", c) for c in cells), id=None if h["id"] in carded else anchor("h", h["id"])))
    if not rows:
        return tag("p", "No hypothesis was weighed.")
    head = tag(
        "thead",
        tag(
            "tr",
            *(
                tag("th", t, scope="col")
                for t in (
                    "Hypothesis",
                    "",
                    "Status by score",
                    "For / against",
                    "log10 odds",
                    "working score (uncalibrated)",
                )
            ),
        ),
    )
    return joined(
        (
            tag(
                "p",
                "These numbers order the work of this program. They come from declared weights, are uncalibrated, and"
                " must not be read as probabilities or as strength of evidence.",
            ),
            tag("div", tag("table", head, tag("tbody", *rows)), class_="scroll"),
            not_shown(SCORES, len(index.data.hypotheses), f"wigmore show {index.case} hypotheses"),
            scores_without(index),
        )
    )


def parsers(index: Index) -> Safe:
    """Each parser that met a file or is cited: what its records mean, and what they do not."""
    used = {
        plain(c["parser"]).partition("@")[0]
        for c in index.data.coverage
        if c["outcome"] in ("found", "empty", "failed")
    }
    used |= {index.parser_of(f["artifact"]) for p in index.data.phenomena for f in p["facts"]}
    parts: list[Part] = []
    for name in sorted(n for n in used if n in index.parsers):
        said = index.parsers[name]
        parts.append(
            tag(
                "section",
                tag("h4", tag("code", name), tag("small", f"  version {plain(said.get('version'))}")),
                pairs(
                    [
                        ("Means", clipped(said.get("means"), 800)),
                        ("Does not mean", clipped(said.get("does_not_mean"), 800)),
                        ("Module", tag("code", plain(said.get("origin")))),
                        ("SHA-256", tag("code", plain(said.get("sha256")))),
                    ]
                ),
                id=anchor("parser", name),
            )
        )
    silent = len(index.parsers) - len(parts)
    return joined(
        (
            *parts,
            (
                tag(
                    "p",
                    f"{silent:,} further parsers met no file of theirs; ",
                    tag("code", "wigmore list parsers"),
                    " names them.",
                    class_="more",
                )
                if silent > 0
                else ""
            ),
        )
    )


def calls(index: Index) -> Safe:
    """The tool calls that facts cite, with output hash and the command that makes each again."""
    cited = sorted(
        {
            f["invocation_id"]
            for p in index.data.phenomena
            for f in p["facts"]
            if f["invocation_id"] in index.invocations
        }
    )
    rows = [
        [
            tag("code", i),
            plain(index.invocations[i].get("tool")),
            plain(index.invocations[i].get("agent")),
            OUTCOMES.get(plain(index.invocations[i].get("status")), plain(index.invocations[i].get("status"))),
            tag("code", plain(index.invocations[i].get("output_sha256"))),
            tag("code", clipped(index.invocations[i].get("rerun"), 1500)),
        ]
        for i in cited[:ROWS]
    ]
    return joined(
        (
            tag("p", f"{len(index.invocations):,} calls are recorded, {len(cited):,} of them are cited."),
            (
                folded("Cited calls", table(["Call", "Tool", "Agent", "Outcome", "Output SHA-256", "Run again"], rows))
                if rows
                else ""
            ),
            not_shown(ROWS, len(cited), f"wigmore show {index.case} invocations -t jsonl"),
        )
    )


def glossary() -> Safe:
    """The words of this report."""
    return pairs(list(GLOSSARY))


def verification(index: Index) -> Safe:
    """Commands by which anyone with the case and the evidence can check this report."""
    run = index.run
    steps = [
        (
            "The sources are those received: compare with the hashes under “Items received”.",
            "\n".join(
                f"sha256sum {plain(s['path'])}" for s in index.data.sources[:20] if s.get("access_mode") != "tree"
            )
            or "sha256sum SOURCE",
        ),
        (
            (
                "The record was not altered: the chain is checked, every source hashed again, every citation read again"
                " from the bytes."
            ),
            f"wigmore audit {index.case}",
        ),
        (
            f"The evidence graph is the one reported: the command prints {plain(run.get('graph_hash'))}.",
            f"wigmore show {index.case} graph-hash",
        ),
        (
            (
                "A single fact: open “Where the bytes are” beside it and run its command; the SHA-256 of what it prints"
                " is the output hash given there."
            ),
            "the command under “Run again”",
        ),
        ("The bytes themselves, with their hashes.", f"wigmore extract {index.case} RECORD -o FILE"),
        (
            "The whole examination, from the evidence alone: an equal graph hash shows an equal result.",
            "wigmore run EVIDENCE -o NEWCASE && wigmore diff " + index.case + " NEWCASE",
        ),
    ]
    return tag("ol", *(tag("li", text, tag("pre", tag("code", command))) for text, command in steps))
