"""Artifact semantics: the strongest edge that an artifact may carry for a proposition, and the caveat that goes with it.

The table is rules/semantics.yaml (after ARTIFACT_SEMANTICS.md). A cap lowers the edge *type*; a record's state lowers it
further, for and against alike; what the table does not name carries nothing, but may weaken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from wigmore.model.nouns import NEUTRAL
from wigmore.model.yaml_text import read_yaml

LADDER = ("direct_evidence", "supports", "prerequisite_met", NEUTRAL)
AGAINST = ("contradicts", "weakens", NEUTRAL)
LETTERS = {
    "D": "direct_evidence",
    "S": "supports",
    "C": "consequence_observed",
    "P": "prerequisite_met",
    "w": "weakens",
    "x": "contradicts",
    "0": NEUTRAL,
}
STEPS_DOWN = {"freelist": 1, "unallocated": 1, "carved": 1, "snapshot": 0, "wal_superseded": 0, "wal_uncommitted": 9}
PERSONAL = ("KNEW", "PERSON")


class SemanticsError(ValueError):
    """A fault in the semantics table."""


@dataclass(frozen=True)
class Capability:
    """What one artifact may carry for one proposition."""

    artifact: str
    proposition: str
    strongest: str
    caveat: str
    mechanism: str
    absence: str  # edge an `empty` result with full coverage may carry
    rolls: bool = False  # old records go: an absence needs a horizon that reaches the period
    given: tuple[tuple[str, str], ...] = ()  # (field, glob): holds only for records whose cited fields read so


@dataclass(frozen=True)
class Capped:
    """An edge type after the table had its say."""

    edge_type: str
    capped_from: str
    reason: str
    caveat: str
    mechanism: str


class Semantics:
    """The table."""

    def __init__(self, capabilities: Iterable[Capability]) -> None:
        self.capabilities = tuple(capabilities)

    @classmethod
    def load(cls, folders: Iterable[Path]) -> Semantics:
        """Read `semantics.yaml` of some folders; later folders add and override."""
        table: dict[tuple[str, str, tuple[tuple[str, str], ...]], Capability] = {}
        for folder in folders:
            file = folder / "semantics.yaml"
            if not file.is_file():
                continue
            for entry in read_yaml(file) or ():
                given = tuple(sorted((str(k), str(v).casefold()) for k, v in (entry.get("given") or {}).items()))
                for proposition, letter in entry["carries"].items():
                    if str(letter) not in LETTERS:
                        raise SemanticsError(
                            f"{file.name}: {entry['artifact']}: {proposition}: unknown edge {letter!r}"
                        )
                    table[entry["artifact"], proposition, given] = Capability(
                        entry["artifact"],
                        proposition,
                        LETTERS[str(letter)],
                        entry.get("caveat", ""),
                        entry.get("mechanism", entry["artifact"]),
                        LETTERS[str(entry.get("absence", "0"))],
                        bool(entry.get("rolls", False)),
                        given,
                    )
        return cls(table[key] for key in sorted(table, key=lambda k: (-len(k[0]), -len(k[2]), k)))

    def capability(
        self, artifact: str, proposition: str, values: Mapping[str, object] | None = None
    ) -> Capability | None:
        """The most specific entry for an artifact and a proposition; `values`: the fields of the record that are cited."""
        for capability in self.capabilities:
            if (
                capability.proposition == proposition
                and fnmatchcase(artifact, capability.artifact)
                and all(fnmatchcase(str((values or {}).get(k, "")).casefold(), v) for k, v in capability.given)
            ):
                return capability
        return None

    def rolls(self, artifact: str) -> bool:
        """Whether an artifact's old records make room for new ones (the most specific entry says)."""
        return next((c.rolls for c in self.capabilities if fnmatchcase(artifact, c.artifact)), False)

    def cap(
        self,
        edge_type: str,
        artifact: str,
        proposition: str,
        state: str = "live",
        values: Mapping[str, object] | None = None,
    ) -> Capped:
        """The permitted edge for a wished one; `values`: the fields of the record that are cited."""
        known = self.capability(artifact, proposition, values)
        step = STEPS_DOWN.get(state, 0)
        if known is None and edge_type not in ("weakens", NEUTRAL):
            return Capped(NEUTRAL, edge_type, f"no entry says that {artifact} can show {proposition}", "", artifact)
        if known is None or edge_type in AGAINST:
            able = known is not None and known.strongest in ("direct_evidence", "contradicts")
            ceiling = min((0 if able else 1) + step, len(AGAINST) - 1)
            permitted = AGAINST[max(AGAINST.index(edge_type), ceiling)]
            caveat, mechanism = (known.caveat, known.mechanism) if known else ("", artifact)
            if permitted == edge_type:
                return Capped(edge_type, "", "", caveat, mechanism)
            why = f"{artifact} cannot contradict {proposition}, only weaken it" if not able else ""
            why = "; ".join(filter(None, (why, f"one step less from a record in state {state}" if step else "")))
            return Capped(permitted, edge_type, why, caveat, mechanism)
        limit = known.strongest
        if proposition in PERSONAL and limit == "direct_evidence":
            limit = "supports"
        wished = 1 if edge_type == "consequence_observed" else LADDER.index(edge_type)  # weighs as `supports`
        ceiling = LADDER.index("supports" if limit == "consequence_observed" else limit if limit in LADDER else NEUTRAL)
        lowest = len(LADDER) - 1
        allowed = min(max(wished, min(ceiling + step, lowest)), lowest)
        if allowed == wished:
            return Capped(edge_type, "", "", known.caveat, known.mechanism)
        why = f"{artifact} carries at most {limit} for {proposition}"
        if step:
            why += f", one step less from a record in state {state}"
        return Capped(LADDER[allowed], edge_type, why, known.caveat, known.mechanism)
