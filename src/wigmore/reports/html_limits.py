"""What was not seen: coverage, negative findings, rounds and budgets, refusals, the audit."""

from __future__ import annotations

from collections import Counter
from typing import Any

from wigmore.reports.index import Index, Row
from wigmore.reports.markup import Part, Safe, clipped, escaped, folded, joined, pairs, plain, table, tag
from wigmore.reports.words import ACTIONS, OUTCOMES, PROBES, counted, not_shown

FAILED = 1000  # failed readings printed in full
LISTED = 300  # rows of the other lists


def coverage(index: Index) -> Safe:
    """Counts by artifact and outcome; every failed, partial and expected-but-missing row with its reason."""
    rows = index.data.coverage
    counts = index.data.coverage_counts
    totals = Counter(c["outcome"] for c in rows)
    records = index.data.artifacts
    said = "; ".join(f"{totals[o]:,} {w}" for o, w in OUTCOMES.items() if totals[o]) or "nothing was read"
    body = [
        [
            _word(artifact),
            *(_number(counts.get(artifact, {}).get(o, 0)) for o in OUTCOMES),
            _number(_records(records, artifact)),
        ]
        for artifact in sorted(counts)
    ]
    parts: list[Part] = [
        tag("p", f"Every file that a parser claims has a row: {said}. A row counts one parser at one file."),
        folded(
            f"Counts by artifact ({len(body):,})",
            table(["Artifact", "found", "empty", "failed", "n/a", "not run", "records"], body, "counts"),
            open_=len(body) <= 60,
        ),
    ]
    parts += [_failed(index, [c for c in rows if c["outcome"] == "failed"])]
    parts += [_partial(index, [c for c in rows if c["outcome"] in ("found", "empty") and not c["complete"]])]
    parts += [_missing(index, [c for c in rows if c["outcome"] == "not_run"])]
    off = [c for c in rows if c["recorder"] not in ("unknown", "on", "")]
    if off:
        parts += [
            tag("h3", "Recorders that were off, or began late"),
            table(
                ["Artifact", "Path", "Recorder", "Covers"],
                [[c["artifact"], clipped(c["path"], 240), plain(c["recorder"]), _covers(c)] for c in off[:LISTED]],
            ),
            not_shown(LISTED, len(off), f"wigmore show {index.case} coverage -t jsonl"),
        ]
    parts += [
        _listed(
            index,
            "Read, and empty",
            [c for c in rows if c["outcome"] == "empty"],
            "These were read to their end and held no records. Emptiness is an observation about a file, not about the"
            " world.",
        ),
        _listed(index, "Does not apply", [c for c in rows if c["outcome"] == "not_applicable"], ""),
    ]
    return joined(parts)


def sheet(index: Index) -> Safe:
    """The standard questions that are about something in this case, each with its answer or why there is none."""
    words = {"found": "found", "no": "no record", "cannot_say": "cannot say"}
    rows = [
        [
            plain(q["id"]).removeprefix("std-"),
            clipped(q.get("question"), 300),
            tag("strong", words.get(plain(q.get("verdict")), plain(q.get("verdict")))),
            joined(
                (
                    clipped(q.get("answer"), 700),
                    *(joined((" ", tag("code", plain(c.get("record_id"))))) for c in q.get("citations") or ()),
                )
            ),
        ]
        for q in index.data.questions
        if q.get("standard")
    ]
    if not rows:
        return tag("p", "No standard question is about anything in this case.")
    return joined(
        (
            tag(
                "p",
                "What cases ask whether anybody wrote it down or not. An answer lists at most five kinds of record, the "
                "oldest first. “No record” rests on artifacts that were read whole and reach the period; it is said of "
                "records, not of the world.",
            ),
            table(["Id", "Question", "", "Answer, with its records"], rows),
        )
    )


def _number(value: int) -> str:
    return f"{value:,}" if value else "·"


def _records(records: dict[str, int], artifact: str) -> int:
    return sum(n for name, n in records.items() if name == artifact or name.startswith(artifact + "."))


def _word(name: str) -> Safe:
    return tag("code", name, class_="w")


def _why(row: Row) -> Safe:
    return tag("span", plain(row["reason_code"]).replace("_", " "), class_="w")


def _reason(row: Row) -> str:
    """The reason without the path that stands beside it."""
    return clipped(plain(row["reason"]).removeprefix(row["path"]).removeprefix(": "), 300)


def _covers(row: Row) -> str:
    if not row["covers_from"] and not row["covers_to"]:
        return "—"
    return f"{plain(row['covers_from'] or '…')} to {plain(row['covers_to'] or '…')}"


def _failed(index: Index, rows: list[Row]) -> Safe:
    if not rows:
        return tag("section", tag("h3", "Failed", id="s-failed"), tag("p", "No reading failed."))
    body = [[_word(c["artifact"]), clipped(c["path"], 300), _why(c), _reason(c)] for c in rows[:FAILED]]
    codes = Counter(plain(c["reason_code"]).replace("_", " ") or "no code" for c in rows)
    said = ", ".join(f"{k} {n:,}" for k, n in sorted(codes.items(), key=lambda x: (-x[1], x[0])))
    return tag(
        "section",
        tag("h3", f"Failed ({len(rows):,})", id="s-failed"),
        tag("p", f"By reason: {said}. Whatever these files hold was not seen."),
        folded("Each with its reason", table(["Artifact", "Path", "Why", "Reason"], body), open_=len(rows) <= 60),
        not_shown(FAILED, len(rows), f"wigmore show {index.case} coverage -t jsonl"),
    )


def _partial(index: Index, rows: list[Row]) -> Safe:
    if not rows:
        return tag("section", tag("h3", "Read in part", id="s-partial"), tag("p", "No file was read in part only."))
    body = [[_word(c["artifact"]), clipped(c["path"], 300), f"{c['records']:,}", _reason(c)] for c in rows[:LISTED]]
    return tag(
        "section",
        tag("h3", f"Read in part ({len(rows):,})", id="s-partial"),
        folded(
            "Each with what is missing", table(["Artifact", "Path", "Records", "Reason"], body), open_=len(rows) <= 40
        ),
        not_shown(LISTED, len(rows), f"wigmore show {index.case} coverage -t jsonl"),
    )


def _missing(index: Index, rows: list[Row]) -> Safe:
    head = tag("h3", f"Expected, not met or not run ({len(rows):,})", id="s-not_run")
    if not rows:
        return tag(
            "section",
            head,
            tag("p", "Nothing that is expected of a source of its kind is missing, as far as the catalogue goes."),
        )
    body = [
        [
            _word(c["artifact"]),
            index.labels.get(c["source_id"], c["source_id"]),
            _why(c),
            clipped(c["reason"] or c["path"], 300),
            clipped(c["needs"], 200),
        ]
        for c in rows[:LISTED]
    ]
    return tag(
        "section",
        head,
        tag(
            "p",
            "An artifact that is not there may never have been recorded, may have been removed, or may lie outside the"
            " acquisition.",
        ),
        folded(
            "Each with its reason",
            table(["Artifact", "Source", "Why", "Reason", "Would need"], body),
            open_=len(rows) <= 40,
        ),
        not_shown(LISTED, len(rows), f"wigmore show {index.case} coverage -t jsonl"),
    )


def _listed(index: Index, title: str, rows: list[Row], said: str) -> Safe:
    if not rows:
        return Safe("")
    body = [[_word(c["artifact"]), clipped(c["path"], 300), clipped(c["reason"], 200)] for c in rows[:LISTED]]
    return folded(
        f"{title} ({len(rows):,})",
        tag("p", said) if said else "",
        table(["Artifact", "Path", "Remark"], body),
        not_shown(LISTED, len(rows), f"wigmore show {index.case} coverage -t jsonl"),
    )


def negative(index: Index, blocks: Safe) -> Safe:
    """What was looked for and not found, and what could not be said."""
    empty = [p for p in index.data.probes if p["outcome"] == "empty"]
    mute = [p for p in index.data.probes if p["outcome"] in ("cannot_say", "failed")]
    parts: list[Part] = [
        tag(
            "p",
            "A negative finding says that records which reach the matter were looked at and hold nothing. It is about "
            "records, not about the world. Where coverage does not reach, the answer is “cannot say”.",
        )
    ]
    found = any(p["negative"] for p in index.data.phenomena)
    parts.append(blocks if found else tag("p", "No negative finding was recorded.", class_="quiet"))
    for title, rows in (("Tests that found nothing, with coverage", empty), ("Tests that cannot say", mute)):
        if rows:
            body = [
                [
                    index.finding(p["hypothesis_id"]),
                    plain(p["probe"]).replace("_", " "),
                    index.labels.get(p["source_id"], p["source_id"]),
                    PROBES.get(p["outcome"], p["outcome"]),
                    clipped(p["reason"], 300),
                ]
                for p in rows[:LISTED]
            ]
            parts += [
                tag("h3", f"{title} ({len(rows):,})"),
                table(["Hypothesis", "Test", "Source", "Outcome", "Reason"], body),
                not_shown(LISTED, len(rows), f"wigmore show {index.case} leads"),
            ]
    return joined(parts)


def rounds(index: Index) -> Safe:
    """The rounds of the investigation, its leads, and what it might spend."""
    run, data = index.run, index.data
    parts: list[Part] = [tag("p", f"Why it stopped: {clipped(run.get('stop') or 'not stated', 400)}.")]
    if data.rounds:
        parts.append(
            table(
                ["Round", "Decision", "New observations", "New bearings", "Changes of status", "Why"],
                [
                    [
                        plain(r["round_number"]),
                        ACTIONS.get(r["strategist_action"], plain(r["strategist_action"])),
                        f"{r['new_phenomena_count']:,}",
                        f"{r['new_edges_count']:,}",
                        f"{r['status_flips']:,}",
                        clipped(r["decision_rationale"], 400),
                    ]
                    for r in data.rounds[:LISTED]
                ],
            )
        )
    states = Counter(x["status"] for x in data.leads)
    said = ", ".join(f"{n:,} {s}" for s, n in sorted(states.items())) or "none was proposed"
    parts += [tag("h3", "Leads"), tag("p", f"{said[0].upper()}{said[1:]}.")]
    if data.leads:
        body = [
            [
                plain(x["round_number"]),
                x["target_agent"],
                clipped(x["description"], 300),
                plain(x["status"]),
                clipped((x.get("context") or {}).get("failure_reason"), 200),
            ]
            for x in data.leads[:LISTED]
        ]
        parts += [
            folded("Leads in order", table(["Round", "Role", "Request", "Status", "Remark"], body)),
            not_shown(LISTED, len(data.leads), f"wigmore show {index.case} leads"),
        ]
    budgets = (run.get("config") or {}).get("budgets") or {}
    used = {"tool_calls_total": f"{len(index.invocations):,}", "strategist_rounds_max": f"{len(data.rounds):,}"}
    body = [
        [plain(k).replace("_", " "), used.get(k, "—"), "unbounded" if v is None else plain(v)]
        for k, v in sorted(budgets.items())
    ]
    parts += [tag("h3", "Budgets"), table(["Budget", "Used", "Cap"], body) if body else ""]
    parts += [
        tag("h3", "Refused proposals"),
        tag(
            "p",
            f"{counted(data.rejections, 'proposal')} refused by the gateway because a value, a citation or a "
            "word did not hold. They changed nothing, and are kept: ",
            tag("code", f"wigmore show {index.case} rejections"),
        ),
    ]
    return joined(parts)


def audit(index: Index) -> Safe:
    """The audit's result and each of its findings."""
    result: dict[str, Any] = index.run.get("audit") or {}
    if not result:
        return tag("p", "No audit was made for this report. ", tag("code", f"wigmore audit {index.case}"), class_="bad")
    checked, again = int(result.get("citations_checked") or 0), int(result.get("citations_reproduced") or 0)
    overall = {"approve": "approved", "request_changes": "changes requested", "block": "BLOCKED"}.get(
        plain(result.get("overall")), plain(result.get("overall"))
    )

    def said(good: Any) -> Safe:
        return tag("span", "holds" if good else "DOES NOT HOLD", class_="good" if good else "bad")

    parts: list[Part] = [
        pairs(
            [
                ("Overall", tag("span", overall, class_="good" if result.get("overall") == "approve" else "bad")),
                ("Chain of the ledger", said(result.get("chain_ok"))),
                ("Hashes of the sources", said(result.get("sources_ok"))),
                ("Citations", f"{again:,} of {checked:,} read again from the evidence with the same value"),
                ("Graph hash", tag("code", plain(result.get("graph_hash")))),
            ]
        )
    ]
    if not checked:
        parts.append(
            tag("p", "No citation was checked: either nothing was cited or the audit was left out.", class_="quiet")
        )
    rows = result.get("findings") or []
    if rows:
        body = [
            [
                escaped(f.get("severity")),
                tag("code", plain(f.get("code"))),
                clipped(f.get("message"), 300),
                clipped(f.get("where"), 240),
            ]
            for f in rows[:LISTED]
        ]
        parts += [
            table(["Severity", "Code", "Finding", "Where"], body),
            not_shown(LISTED, len(rows), f"wigmore audit {index.case} -t json"),
        ]
    return joined(parts)
