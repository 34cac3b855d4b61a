"""What was looked at for something, in short: the coverage of the artifacts it needs, and what that lets be said."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from wigmore.model.nouns import Coverage
from wigmore.records.sheet import speaks_of
from wigmore.records.store import Part

ROWS = 20  # rows of a receipt; of the others the number is said
SPOKEN = 4  # artifacts that its sentence names


class Looked:
    """The coverage of a case by artifact, so that many receipts read it once.

    A file's coverage stands under its parser's own artifact (a registry hive); records of others that it holds (devices)
    are there by the `parts` they were written to.
    """

    def __init__(self, coverage: Iterable[Coverage], parts: Iterable[Part]) -> None:
        self._by_artifact: dict[str, list[Coverage]] = defaultdict(list)
        for row in coverage:
            self._by_artifact[row.artifact].append(row)
        held: Counter[tuple[str, str]] = Counter()
        for part in parts:
            held[part.source_id, part.artifact] += part.rows
        for (source_id, artifact), records in sorted(held.items()):
            if not any(r.source_id == source_id and r.outcome == "found" for r in self._by_artifact[artifact]):
                row = Coverage(source_id, "", artifact, "", "found", records, "records of files of another kind")
                self._by_artifact[artifact].append(row)
        self._known: dict[str, list[Coverage]] = {}

    def rows(self, name: str) -> list[Coverage]:
        """The rows about `ARTIFACT` or `ARTIFACT:PATH`, in canonical order."""
        if name not in self._known:
            bare = name.partition(":")[0]
            likely = [rows for artifact, rows in self._by_artifact.items() if speaks_of(rows[0], bare)]
            found = (row for rows in likely for row in rows if bare == name or speaks_of(row, name))
            self._known[name] = sorted(found, key=lambda c: (c.source_id, c.path, c.inode or "", c.parser, c.artifact))
        return self._known[name]

    def receipt(self, needs: Sequence[str]) -> dict[str, Any]:
        """needs, coverage (one row a source, artifact, outcome, completeness, recorder and reason), more, and reason."""
        rows = list({id(row): row for name in needs for row in self.rows(name)}.values())
        summed = _summed(rows)
        return {
            "needs": list(needs),
            "coverage": summed[:ROWS],
            "more": max(0, len(summed) - ROWS),
            "reason": self._reason(needs),
        }

    def _reason(self, needs: Sequence[str]) -> str:
        if not needs:
            return "cannot say: it names no kind of record that this program knows"
        said = {name: _gap(name, self.rows(name)) for name in needs}
        gaps, whole = [gap for gap in said.values() if gap], [name for name, gap in said.items() if not gap]
        if gaps:
            more = f"; and {len(gaps) - SPOKEN} more" if len(gaps) > SPOKEN else ""
            return "cannot say: " + "; ".join(gaps[:SPOKEN]) + more
        more = f" and {len(whole) - SPOKEN} more" if len(whole) > SPOKEN else ""
        return (
            f"looked at {', '.join(whole[:SPOKEN])}{more}: no part of them is known to be unread, and no record there answers "
            "it; what is recorded in none of them is not excluded"
        )


def _gap(name: str, rows: Sequence[Coverage]) -> str:
    """Why an artifact does not carry a "no"; empty where it was there, was recording and was read in full."""
    shown = name.replace(":", " at ")
    there = [row for row in rows if row.outcome in ("found", "empty")]
    failed = [row for row in rows if row.outcome == "failed"]
    if not there and failed:
        return f"{shown} could not be read ({failed[0].path or failed[0].source_id}: {failed[0].reason})"
    if not there:
        codes = sorted({(row.reason_code or row.outcome).replace("_", " ") for row in rows})
        return f"no {shown} in any source ({', '.join(codes) or 'no file of the kind was met'})"
    partly = [*failed, *(row for row in there if not row.complete)]
    if partly:
        where = partly[0].path or partly[0].source_id
        return f"{shown} was read in part ({len(partly)} of {len(rows)}; {where}: {partly[0].reason})"
    off = [row for row in there if row.recorder == "off"]
    return f"{shown} was not recording ({off[0].path or off[0].source_id})" if off else ""


def _summed(rows: Iterable[Coverage]) -> list[dict[str, Any]]:
    groups: dict[tuple[Any, ...], list[Coverage]] = defaultdict(list)
    for row in rows:
        key = (row.source_id, row.artifact, row.outcome, not row.complete, row.recorder, row.reason_code)
        groups[key].append(row)
    return [
        {
            "source_id": source,
            "artifact": artifact,
            "outcome": outcome,
            "complete": not partly,
            "recorder": recorder,
            "reason_code": code,
            "reason": next((r.reason for r in held if r.reason), ""),
            "files": len(held),
            "records": sum(r.records for r in held),
            "covers_from": min((r.covers_from for r in held if r.covers_from), default=None),
            "covers_to": max((r.covers_to for r in held if r.covers_to), default=None),
        }
        for (source, artifact, outcome, partly, recorder, code), held in sorted(groups.items())
    ]
