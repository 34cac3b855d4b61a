"""Printing: rows as table, CSV or JSON lines; progress on stderr; everything from evidence made safe for a terminal."""

from __future__ import annotations

import csv
import json
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wigmore.api.cases import UseError
from wigmore.api.run import Busy, Result
from wigmore.model.times import in_zone
from wigmore.records.extraction import Progress

TABLE_ROWS = 200
CLEAR = "\r\x1b[K"  # back to the line's start, and clear it
COLUMNS = {
    "findings": ("verdict", "review", "title", "working_score", "edges", "reasons"),
    "records": ("artifact", "path", "time", "data"),
    "facts": ("name", "value", "artifact", "path", "rerun"),
    "phenomena": ("source_id", "category", "title", "occurred_at", "id"),
    "readings": ("path", "rank", "attack", "title", "records", "rule"),
    "hypotheses": ("status", "conclusion", "log_odds", "title", "id"),
    "matrix": ("title", "source_id", "edges"),
    "edges": ("edge_type", "phenomenon_id", "hypothesis_id", "proposition", "capped_from"),
    "entities": ("type", "name", "source_id", "cluster_name", "cluster_size", "identifiers"),
    "links": ("relation", "first_name", "second_name", "count", "in_force", "confidence", "reasons"),
    "contacts": ("first_name", "second_name", "count", "first_at", "last_at"),
    "timeline": ("time", "corrected", "zone", "source_id", "artifact", "field", "title"),
    "coverage": ("outcome", "path", "parser", "records", "reason"),
    "leads": ("round_number", "status", "target_agent", "description"),
    "rounds": (
        "id",
        "strategist_action",
        "new_phenomena_count",
        "new_edges_count",
        "status_flips",
        "decision_rationale",
    ),
    "invocations": ("agent", "tool", "status", "source_id", "rerun"),
    "rejections": ("agent", "what", "reason"),
    "models": ("role", "task_id", "stands", "why", "tried"),
    "exchanges": ("task_id", "number", "endpoint", "tokens_in", "tokens_out", "error"),
    "kinds": ("kind", "recall", "guilty", "innocent", "ambiguous", "failed"),
    "obligations": ("kind", "state", "id", "title", "count", "reason"),
    "reviews": ("review", "by", "at", "item", "wording", "text", "disagreement"),
    "custody": ("id", "type", "path", "hashes"),
}


def safe(text: str) -> str:
    """Text of evidence as a terminal may see it: control and direction characters written out."""
    return "".join(
        c
        if c.isprintable() and not 0x202A <= ord(c) <= 0x202E and not 0x2066 <= ord(c) <= 0x2069
        else f"\\x{ord(c):02x}"
        if ord(c) < 256
        else f"\\u{ord(c):04x}"
        for c in text
    )


def note(text: str) -> None:
    """A line about the work, on stderr."""
    print(safe(text), file=sys.stderr)


def zone_of(name: str) -> tzinfo:
    """A time zone by its name; raises UseError for one that is not known."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UseError(f"unknown time zone {name!r}; a name as in Europe/Paris, or UTC") from error


def _cell(value: Any, zone: tzinfo | None = None) -> str:
    if value is None:
        return ""
    if isinstance(value, dict) and "text" in value and "instant" in value:
        value = str(value["text"])
    if isinstance(value, str):
        return value if zone is None else in_zone(value, zone)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def print_rows(rows: Iterable[dict[str, Any]], shape: str, what: str, zone: tzinfo | None = None) -> None:
    """Print rows; a table shows the first 200 and says how many more there are.

    In tables and CSV, times in UTC read as in `zone`; JSON lines keep what is stored.
    """
    if zone is not None and shape not in ("jsonl", "json"):
        note(f"times in UTC are shown in {zone}; times of unknown zone stand as they are stored")
    if shape in ("jsonl", "json"):
        for row in rows:
            sys.stdout.write(json.dumps(row, sort_keys=True) + "\n")
        return
    if shape == "csv":
        from wigmore.reports.csv import cell

        writer = None
        for row in rows:
            if writer is None:
                writer = csv.DictWriter(sys.stdout, list(row), extrasaction="ignore")
                writer.writeheader()
            writer.writerow({k: cell(v if isinstance(v, (int, float)) else _cell(v, zone)) for k, v in row.items()})
        return
    _table(rows, what, zone)


def _table(rows: Iterable[dict[str, Any]], what: str, zone: tzinfo | None) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    kept: list[dict[str, Any]] = []
    more = 0
    for row in rows:
        if len(kept) < TABLE_ROWS:
            kept.append(row)
        else:
            more += 1
    if not kept:
        print(f"no {what}")
        return
    names = COLUMNS.get(what) or tuple(k for k in kept[0] if k not in ("case", "sha256", "origin"))
    console = Console(
        width=None if sys.stdout.isatty() else max(160, shutil.get_terminal_size().columns), highlight=False
    )
    table = Table(*names, show_lines=False)
    for row in kept:
        table.add_row(*(Text(safe(_cell(row.get(n), zone))[:300]) for n in names))
    console.print(table)
    if more:
        print(f"… and {more} more: -t jsonl prints all")


def print_explained(found: dict[str, Any], shape: str) -> None:
    """Print what one extension declares."""
    if shape != "table":
        print(json.dumps(found, sort_keys=True))
        return
    for name, value in found.items():
        print(f"{name}: {safe(_cell(value)) if not isinstance(value, str) else value}")


def print_check(found: dict[str, Any], shape: str) -> None:
    """Print what a check saw."""
    if shape != "table":
        print(json.dumps(found, sort_keys=True))
        return
    print(f"case {found['case']}: {found['title']}")
    for source in found["sources"]:
        print(
            f"  {source['id']}: {source.get('type', '?')}, {source.get('platform', '?')} — {safe(str(source.get('reason', '')))}"
        )
        for name, value in (source.get("hashes") or {}).items():
            if isinstance(value, (str, bool)):
                print(f"      {name} {value}")
    run = found["would_run"]
    print(
        f"would run {len(run['parsers'])} parsers, {len(run['roles'])} roles, {run['indicators']} indicator rules, "
        f"{run['templates']} hypothesis templates"
    )
    for name in found["models"]:
        print(f"would ask the model {safe(name)}: it answers")
    for problem in found["problems"]:
        print(f"PROBLEM {safe(problem)}")


def print_result(result: Result) -> None:
    """The last lines of a run: findings, gaps, the report, the next command."""
    words = {
        "concluded": "CONCLUSION (for a person to accept)",
        "contested": "supported, contested",
        "not_tested": "supported, not tested",
        "refuted": "refuted",
        "open": "open",
    }
    print("findings:")
    shown = [f for f in result.findings if f["verdict"] != "open"]
    for finding in shown:
        print(f"  {words[finding['verdict']]}: {safe(finding['title'])}")
        for reason in finding["reasons"]:
            print(f"      {safe(reason)}")
    for title, why in _untested(shown).items():
        print(f"  not tested against every finding: {safe(title)} ({safe(why)})")
    still_open = len(result.findings) - len(shown)
    if not shown:
        print("  none supported by the records; that is no clean bill of health")
    if still_open:
        print(f"  {still_open} hypotheses stay open")
    if result.gaps:
        print("gaps:")
        for gap in result.gaps:
            print(f"  {safe(gap)}")
    if result.audit:
        print(
            f"audit: {result.audit['overall']}, {result.audit['citations_reproduced']} of "
            f"{result.audit['citations_checked']} citations reproduced"
        )
        for finding in result.audit["findings"]:
            if finding["severity"] != "info":
                print(
                    f"  {finding['severity']} {finding['code']}: {safe(finding['message'])} — {safe(finding['where'])}"
                )
    print(f"ledger head: {result.head}")
    print(f"graph hash: {result.graph_hash}")
    if result.report:
        print(f"report: {result.report}")
    print(f"next: wigmore show {result.case} findings")


def _untested(findings: list[dict[str, Any]]) -> dict[str, str]:
    """The alternatives to every finding that were not tested against a supported one, each once, with a reason."""
    supported = [f for f in findings if f["verdict"] in ("concluded", "contested", "not_tested")]
    return {s["title"]: s["why"] for f in reversed(supported) for s in f["standing"] if not s["tested"]}


def print_answers(answers: Iterable[dict[str, Any]], shape: str) -> None:
    """Print answers with where they were read."""
    for answer in answers:
        if shape != "table":
            sys.stdout.write(json.dumps(answer, sort_keys=True) + "\n")
            continue
        print(f"{answer['id']}: {safe(answer['question'])}")
        if answer["status"] == "answered":
            if answer["model"] != "offline":
                print(f"  {safe(_cell(answer['answer']))}")
                print(f"    answered by {safe(answer['model'])} from recorded facts: interpretation")
            for item in answer["answers"]:
                print(f"  {safe(_cell(item['value']))}\n      read in {safe(item['path'])} ({item['record_id']})")
        else:
            print(f"  {answer['status']}: {safe(_cell(answer['answer']))}")
            for looked in answer["looked_at"][:10]:
                print(f"      looked at {safe(_cell(looked))}")
        if answer.get("note"):
            print(f"    note: {safe(_cell(answer['note']))}")


def print_audit(case: Any, result: dict[str, Any], shape: str) -> None:
    """Print an audit."""
    if shape != "table":
        print(json.dumps({"case": str(case), **result}, sort_keys=True))
        return
    print(
        f"{result['overall']}: chain {'ok' if result['chain_ok'] else 'BROKEN'}, sources "
        f"{'ok' if result['sources_ok'] else 'CHANGED'}, {result['citations_reproduced']} of "
        f"{result['citations_checked']} citations reproduced"
    )
    for finding in result["findings"]:
        print(f"  {finding['severity']} {finding['code']}: {safe(finding['message'])} — {safe(finding['where'])}")
    if bundle := result.get("bundle"):
        print(f"bundle: {bundle['path']}, {bundle['bytes']} bytes, ledger head {bundle['head']}")
        if bundle["public_key"]:
            print(f"signed: Ed25519 public key {bundle['public_key']}")
        print(f"next: python -m wigmore.verify {shlex.quote(bundle['path'])} --expect-head {bundle['head']}")


Say = Callable[[str], None]
Advance = Callable[[Progress, Busy], None]


@contextmanager
def progress_bar(kind: str, resume: str = "") -> Iterator[tuple[Say, Advance]]:
    """Progress on stderr: last item, rate, elapsed, slowest; lines where stderr is no terminal."""
    if kind == "auto":
        kind = "live" if sys.stderr.isatty() else "lines"
    started = time.monotonic()
    last = [0.0]

    def say(text: str) -> None:
        if kind == "json":
            print(
                json.dumps({"event": "phase", "text": text, "elapsed": round(time.monotonic() - started, 1)}),
                file=sys.stderr,
            )
        elif kind != "none":
            print(
                f"{CLEAR if kind == 'live' else ''}[{time.monotonic() - started:6.1f} s] {safe(text)}", file=sys.stderr
            )

    def advance(progress: Progress, busy: Busy) -> None:
        now = time.monotonic()
        if kind == "none" or now - last[0] < (0.2 if kind == "live" else 5.0):
            return
        last[0] = now
        elapsed = now - progress.started
        slow = max(progress.slowest.items(), key=lambda kv: kv[1], default=("–", 0.0))
        at = max(busy, key=lambda b: b[2], default=("", "", 0.0))
        if kind == "json":
            print(
                json.dumps(
                    {
                        "event": "progress",
                        "files": progress.files,
                        "rows": progress.rows,
                        "failed": progress.failed,
                        "last": progress.last,
                        "elapsed": round(elapsed, 1),
                        "slowest": slow[0],
                        "busy": at[0],
                        "busy_seconds": round(at[2], 1),
                    }
                ),
                file=sys.stderr,
            )
            return
        line = (
            f"{progress.files} files, {progress.rows} records ({progress.rows / max(elapsed, 0.1):.0f}/s), "
            f"{progress.failed} failed, {elapsed:.0f} s; slowest {slow[0]}; last …{safe(progress.last)[-60:]}"
        )
        if at[2] > 5:
            line += f"; {at[1]} at …{safe(at[0])[-40:]} for {at[2]:.0f} s"
        width = shutil.get_terminal_size().columns - 1
        print(
            f"{CLEAR}{line[:width]}" if kind == "live" else line,
            end="" if kind == "live" else "\n",
            file=sys.stderr,
            flush=True,
        )

    try:
        yield say, advance
    except KeyboardInterrupt:
        hint = f"; `{resume}` goes on from here" if resume else ""
        print(f"\ninterrupted: everything recorded so far is kept{hint}", file=sys.stderr)
        raise
    finally:
        if kind == "live":
            print(CLEAR, end="", file=sys.stderr)


def print_calibration(figures: dict[str, dict[str, Any]]) -> None:
    """The figures of `bench cases`: a column a series, a line a figure, the three rules of belief side by side."""
    from rich.console import Console
    from rich.table import Table

    table = Table("figure", *figures)
    lines: dict[str, dict[str, Any]] = {}
    for name, summary in figures.items():
        for figure, value in summary.items():
            inner = value if isinstance(value, dict) else {"": value}
            for part, number in inner.items():
                lines.setdefault(f"{figure} {part}".strip().replace("_", " "), {})[name] = number
    for line, values in lines.items():
        table.add_row(line, *(_short(values.get(name)) for name in figures))
    Console().print(table)


def _short(number: Any) -> str:
    return "–" if number is None else f"{number:.3f}" if isinstance(number, float) else str(number)
