"""Whether a source's coverage lets an absence mean something: there, whole, recording, and reaching the case's period."""

from __future__ import annotations

from fnmatch import fnmatchcase

from wigmore.agents.desk import Desk
from wigmore.model.nouns import Coverage
from wigmore.records.horizon import begins, ends

SLACK = 86_400_000_000  # µs: a quiet day at either end of a log is no gap


def named(row: Coverage, wanted: str) -> bool:
    """Whether a coverage row is of an artifact, or with `ARTIFACT:PATH` (a glob without case) of that file of it."""
    artifact, _, path = wanted.partition(":")
    if (
        row.artifact != artifact
        and not row.artifact.startswith(artifact + ".")
        and not artifact.startswith(row.artifact + ".")
    ):
        return False
    return not path or fnmatchcase(row.path.casefold(), path.casefold())


def covered(desk: Desk, source_id: str, artifacts: tuple[str, ...]) -> tuple[bool, str]:
    """Whether an absence in these artifacts of a source means something, and if not, why.

    The artifacts are alternatives (of several platforms): one at least must be there, and each that is there whole. One that
    rolls over (semantics: `rolls`) must reach from the start of the period that the case states to its end, or to the last
    time that any record of the source shows; one that shows no known instant reaches nothing.
    """
    if not artifacts:
        return False, "the probe names no artifact whose absence would mean something"
    mine = [row for row in desk.coverage if row.source_id == source_id and not _unmet(row)]
    there = [row for row in mine if any(named(row, wanted) for wanted in artifacts)]
    if not there:
        shown = " or ".join(a.replace(":", " at ") for a in artifacts)
        return False, f"no {shown} was found in this source (not in the acquisition, or never recorded)"
    for row in there:
        if row.outcome in ("failed", "not_run"):
            return False, f"{row.path}: {'could not be' if row.outcome == 'failed' else 'was not'} read ({row.reason})"
        if not row.complete:
            return False, f"{row.path}: incomplete ({row.reason})"
        if row.recorder == "off":
            return False, f"{row.path}: its recorder was off"
    start, end = desk.gateway.period
    if start is None and end is None:
        return True, ""  # no period is asked: what is absent is absent from these records
    last = ends(mine)
    for artifact in sorted({row.artifact for row in there if desk.gateway.semantics.rolls(row.artifact)}):
        held = [row for row in there if row.artifact == artifact]
        first_at, last_at = begins(held), ends(held)
        if first_at is None or last_at is None:  # empty, or its times have no year or no zone
            return False, f"{artifact} does not say which period it covers"
        if start is not None and first_at > start + SLACK:
            return False, f"{artifact} begins after the start of the period: earlier records may have rolled over"
        until = min((t for t in (end, last) if t is not None), default=last_at)
        if last_at < until - SLACK:
            return False, f"{artifact} ends before the end of the period"
    return True, ""


def _unmet(row: Coverage) -> bool:
    """Whether a row only says that a file of an expected kind was not met: there is nothing that could be whole or not."""
    return row.outcome == "not_run" and not row.path
