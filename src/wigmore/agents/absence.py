"""Whether a source's coverage lets an absence mean something: there, whole, recording, and reaching the case's period."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Self

from wigmore.agents.desk import Desk
from wigmore.model.nouns import Coverage
from wigmore.records.horizon import begins, ends

LISTING = "file_listing"
SLACK = 86_400_000_000  # µs: a quiet day at either end of a log is no gap


@dataclass(frozen=True)
class Held:
    """What the coverage of one source says: its rows by artifact, and the last instant (µs) that any of them reaches."""

    rows: dict[str, list[Coverage]]
    last: int | None

    @classmethod
    def of(cls, coverage: Iterable[Coverage], source_id: str) -> Self:
        """The coverage of a source; a row that only says that a file of an expected kind was not met is passed over."""
        mine = [row for row in coverage if row.source_id == source_id and (row.outcome != "not_run" or row.path)]
        rows: dict[str, list[Coverage]] = {}
        for row in mine:
            rows.setdefault(row.artifact, []).append(row)
        return cls(rows, ends(mine))

    def named(self, wanted: str) -> Iterator[Coverage]:
        """The rows of an artifact, or with `ARTIFACT:PATH` (a glob without case) of that file of it.

        A listing is of names and hashes: a file in it whose content is of no known type, or not what its name says, is no gap,
        unless asked for by its path.
        """
        artifact, _, path = wanted.partition(":")
        for name, rows in self.rows.items():
            if name == artifact or name.startswith(artifact + ".") or artifact.startswith(name + "."):
                if name == LISTING and not path:
                    rows = [replace(r, outcome="found", complete=True) if r.file_sha256 else r for r in rows]
                    rows = [r for r in rows if r.outcome != "not_applicable"]
                yield from (r for r in rows if not path or fnmatchcase(r.path.casefold(), path.casefold()))


def covered(desk: Desk, source_id: str, artifacts: tuple[str, ...], *, kept: bool = False) -> tuple[bool, str]:
    """Whether an absence in these artifacts of a source means something, and if not, why.

    The artifacts are alternatives (of several platforms): one at least must be there, and each that is there whole. One that
    rolls over (semantics: `rolls`) must reach from the start of the period that the case states to its end, or to the last
    time that any record of the source shows; one that shows no known instant reaches nothing. The listing of an image is whole;
    that of a folder or archive is what somebody collected, unless the probe itself asks whether the place was `kept`. A desk
    judges each question once.
    """
    if artifacts == (LISTING,) and not kept and desk.state.sources[source_id].access_mode != "image":
        return False, "a folder or archive holds what was collected: what it lacks may have been left out"
    known = desk.judged.get((source_id, artifacts))
    if known is None:
        known = desk.judged[source_id, artifacts] = _covered(desk, source_id, artifacts)
    return known


def _covered(desk: Desk, source_id: str, artifacts: tuple[str, ...]) -> tuple[bool, str]:
    if not artifacts:
        return False, "the probe names no artifact whose absence would mean something"
    if source_id not in desk.held:
        desk.held[source_id] = Held.of(desk.coverage, source_id)
    mine = desk.held[source_id]
    there = list({id(row): row for wanted in artifacts for row in mine.named(wanted)}.values())
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
    for artifact in sorted({row.artifact for row in there if desk.gateway.semantics.rolls(row.artifact)}):
        held = [row for row in there if row.artifact == artifact]
        first_at, last_at = begins(held), ends(held)
        if first_at is None or last_at is None:  # empty, or its times have no year or no zone
            return False, f"{artifact} does not say which period it covers"
        if start is not None and first_at > start + SLACK:
            return False, f"{artifact} begins after the start of the period: earlier records may have rolled over"
        until = min((t for t in (end, mine.last) if t is not None), default=last_at)
        if last_at < until - SLACK:
            return False, f"{artifact} ends before the end of the period"
    return True, ""
