"""The nouns of a case as frozen records; impossible states are refused when made.

Field names are those of SPEC A3 and D and of INTERFACE.md: they are what `wigmore show … -t jsonl` prints.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Self

EDGE_TYPES = ("direct_evidence", "supports", "consequence_observed", "prerequisite_met", "weakens", "contradicts")
# strongest first within a direction; consistent_with carries no weight (SPEC A3, beyond)
NEUTRAL = "consistent_with"
OUTCOMES = ("found", "empty", "failed", "not_applicable", "not_run")
LEAD_STATUSES = ("pending", "assigned", "completed", "failed")
HYPOTHESIS_STATUSES = ("active", "supported", "refuted", "inconclusive")
ROUND_ACTIONS = ("", "propose_leads", "declare_complete", "no_leads", "interrupted_resume", "strategist_failed")
COMPLETE_REASONS = (
    "marginal_yield_zero",
    "budget_exhausted",
    "all_hypotheses_resolved",
    "coverage_saturated",
    "other",
)
SOURCE_TYPES = (
    "disk_image",
    "mobile_extraction",
    "media_collection",
    "archive",
    "log_collection",
    "network_capture",
    "mailbox",
    "file_collection",
)
FOR = ("direct_evidence", "supports", "consequence_observed", "prerequisite_met")  # edges that speak for a hypothesis
CITATION_KINDS = ("field", "span", "query_result", "empty")
TEMPORAL = ("before", "after", "overlaps")


class _Noun:
    """What all nouns share: plain dictionaries in and out, unknown keys ignored, missing ones at their defaults."""

    def to_dict(self) -> dict[str, Any]:
        """The noun as JSON values."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}  # type: ignore[arg-type]  # all are dataclasses

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The noun from JSON values; state of an older version loads (SPEC A3)."""
        known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]  # every subclass is a dataclass
        return cls(**{k: _frozen(v) for k, v in values.items() if k in known})


def _plain(value: Any) -> Any:
    """A field's value with its own copies of all that can change, nouns as dictionaries (half the time of `asdict`)."""
    if isinstance(value, tuple):
        return tuple(_plain(v) for v in value)
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value.to_dict() if isinstance(value, _Noun) else value


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value


def _one_of(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"unknown {what} {value!r}; one of {', '.join(allowed)}")


@dataclass(frozen=True, slots=True)
class EvidenceSource(_Noun):
    """One item of evidence."""

    id: str
    label: str
    type: str
    access_mode: str
    path: str
    meta: dict[str, Any] = field(default_factory=dict)
    timezone: str = ""
    owner: str = ""

    def __post_init__(self) -> None:
        _one_of("source type", self.type, SOURCE_TYPES)


@dataclass(frozen=True, slots=True)
class ToolInvocation(_Noun):
    """One recorded tool call with its complete output."""

    id: str
    tool: str
    args: dict[str, Any]
    source_id: str
    agent: str
    task_id: str
    started: str
    finished: str
    status: str  # one of OUTCOMES
    output_sha256: str
    output_bytes: int
    rerun: str
    tool_version: str
    cache_hit: bool = False
    error: str = ""
    lead_id: str = ""

    def __post_init__(self) -> None:
        _one_of("outcome", self.status, OUTCOMES)


@dataclass(frozen=True, slots=True)
class Citation(_Noun):
    """Where a value was read: an invocation, and in its output a record and field, a byte span, or the whole row set."""

    kind: str
    invocation_id: str
    output_sha256: str
    record_id: str = ""
    field: str = ""
    start: int = -1
    end: int = -1

    def __post_init__(self) -> None:
        _one_of("citation kind", self.kind, CITATION_KINDS)
        if not self.invocation_id:
            raise ValueError("a citation needs an invocation")
        if self.kind == "field" and not (self.record_id and self.field):
            raise ValueError("a field citation needs a record and a field")
        if self.kind == "span" and not 0 <= self.start < self.end:
            raise ValueError("a span citation needs start and end bytes")


@dataclass(frozen=True, slots=True)
class VerifiedFact(_Noun):
    """A value as the parser read it, with its citation and the place of the bytes."""

    id: str
    name: str
    value: Any
    citation: Citation
    artifact: str
    path: str
    locator: dict[str, Any]
    state: str = "live"

    def __post_init__(self) -> None:
        if isinstance(self.citation, dict):
            object.__setattr__(self, "citation", Citation.from_dict(self.citation))
        if not self.citation:
            raise ValueError("a fact needs a citation")


@dataclass(frozen=True, slots=True)
class Phenomenon(_Noun):
    """Something observed in one source: verified facts, and apart from them an interpretation."""

    id: str
    source_id: str
    agent: str
    category: str
    title: str
    verified_facts: tuple[VerifiedFact, ...]
    interpretation: str
    created_at: str
    occurred_at: str | None = None
    event_key: str = ""
    rule: str = ""
    caveat: str = ""
    attack: tuple[str, ...] = ()
    negative: bool = False
    lead_id: str = ""
    record_count: int = 1
    model: str = ""  # the model that proposed it; empty: a rule

    def __post_init__(self) -> None:
        if not self.verified_facts:
            raise ValueError("a phenomenon needs at least one verified fact")
        if any(isinstance(f, dict) for f in self.verified_facts):
            facts = tuple(VerifiedFact.from_dict(f) if isinstance(f, dict) else f for f in self.verified_facts)
            object.__setattr__(self, "verified_facts", facts)


@dataclass(frozen=True, slots=True)
class Hypothesis(_Noun):
    """A proposition about the case, with its prior; belief is derived from edges (model.belief), never stored here."""

    id: str
    title: str
    description: str
    prior_prob: float = 0.5
    template: str = ""
    frame: str = ""  # hypotheses of one frame are each other's alternatives
    propositions: tuple[str, ...] = ()
    attack: tuple[str, ...] = ()
    subject: str = ""
    innocent: bool = False
    created_at: str = ""
    probes: tuple[str, ...] = ()
    decisive: str = ""
    standing: bool = False  # an alternative of every hypothesis of the case
    model: str = ""  # the model that proposed it; empty: a rule

    @property
    def of_identity(self) -> bool:
        """Whether it says that two entities are one: such ones join the entity graph, and are no finding about an act."""
        return "SAME" in self.propositions

    def __post_init__(self) -> None:
        if not 0 < self.prior_prob < 1:
            raise ValueError(f"a prior lies strictly between 0 and 1, not {self.prior_prob}")


@dataclass(frozen=True, slots=True)
class Edge(_Noun):
    """A phenomenon bears on a hypothesis; names the alternative it tells it apart from, and the records that tell of an act."""

    id: str
    phenomenon_id: str
    hypothesis_id: str
    edge_type: str
    discriminates_against: str = ""
    proposition: str = ""
    capped_from: str = ""
    reason: str = ""
    event_key: str = ""
    source_id: str = ""
    mechanism: str = ""
    agent: str = ""
    lead_id: str = ""
    created_at: str = ""
    records: tuple[str, ...] = ()
    model: str = ""  # the model that judged so; empty: a rule

    def __post_init__(self) -> None:
        _one_of("edge type", self.edge_type, (*EDGE_TYPES, NEUTRAL))


@dataclass(frozen=True, slots=True)
class TemporalEdge(_Noun):
    """Order of two phenomena in time."""

    id: str
    first: str
    second: str
    relation: str
    reason: str = ""
    model: str = ""  # the model that proposed it; empty: a rule

    def __post_init__(self) -> None:
        _one_of("temporal relation", self.relation, TEMPORAL)


@dataclass(frozen=True, slots=True)
class Identifier(_Noun):
    """A typed identifier of an entity, citing the phenomenon it was read in."""

    type: str
    value: str
    phenomenon_id: str


@dataclass(frozen=True, slots=True)
class Entity(_Noun):
    """A person, account, device or place as one source names it."""

    id: str
    type: str
    name: str
    source_id: str
    identifiers: tuple[Identifier, ...]
    model: str = ""  # what noted it, where no rule did: rules join nothing by it

    def __post_init__(self) -> None:
        if any(isinstance(i, dict) for i in self.identifiers):
            known = tuple(Identifier.from_dict(i) if isinstance(i, dict) else i for i in self.identifiers)
            object.__setattr__(self, "identifiers", known)


@dataclass(frozen=True, slots=True)
class EntityLink(_Noun):
    """A link between entities: `same_as` (backed by a coreference hypothesis) or a relation seen in a phenomenon."""

    id: str
    first: str
    second: str
    relation: str
    phenomenon_id: str = ""
    hypothesis_id: str = ""
    count: int = 0  # records that a tie is made of
    first_at: str | None = None  # of them, as stored
    last_at: str | None = None
    model: str = ""  # the model that proposed it; empty: a rule

    def __post_init__(self) -> None:
        if self.relation == "same_as" and not self.hypothesis_id:
            raise ValueError("same_as needs the coreference hypothesis that backs it")


@dataclass(frozen=True, slots=True)
class Lead(_Noun):
    """A request to a role: what to look for, for which hypothesis, and what became of it."""

    id: str
    target_agent: str
    description: str
    priority: int = 5
    context: dict[str, Any] = field(default_factory=dict)
    status: str = "pending"
    hypothesis_id: str = ""
    proposed_by: str = ""
    motivating_hypothesis: str = ""
    expected_evidence_type: str = ""
    round_number: int = 0

    def __post_init__(self) -> None:
        _one_of("lead status", self.status, LEAD_STATUSES)

    @property
    def untried(self) -> bool:
        """Whether it was closed without having been tried: a budget was spent, or the investigation declared complete."""
        closed = ("budget spent:", *(f"{reason}:" for reason in COMPLETE_REASONS))
        return str(self.context.get("failure_reason", "")).startswith(closed)


@dataclass(frozen=True, slots=True)
class InvestigationRound(_Noun):
    """One round of the strategist loop."""

    id: str
    round_number: int
    started_at: str
    completed_at: str = ""
    strategist_action: str = ""
    leads_proposed: tuple[str, ...] = ()
    leads_executed: tuple[str, ...] = ()
    hypothesis_status_snapshot_before: dict[str, str] = field(default_factory=dict)
    hypothesis_status_snapshot_after: dict[str, str] = field(default_factory=dict)
    phenomena_count_before: int = 0
    phenomena_count_after: int = 0
    edges_count_before: int = 0
    edges_count_after: int = 0
    decision_rationale: str = ""

    def __post_init__(self) -> None:
        _one_of("strategist action", self.strategist_action, ROUND_ACTIONS)

    @property
    def new_phenomena_count(self) -> int:
        """Phenomena that came in this round (merges and negative ones are not counted in the two counts)."""
        return max(0, self.phenomena_count_after - self.phenomena_count_before) if self.completed_at else 0

    @property
    def new_edges_count(self) -> int:
        """Edges of any kind that came in this round."""
        return max(0, self.edges_count_after - self.edges_count_before) if self.completed_at else 0

    @property
    def status_flips(self) -> int:
        """Hypotheses whose status changed in this round."""
        if not self.completed_at:
            return 0
        before, after = self.hypothesis_status_snapshot_before, self.hypothesis_status_snapshot_after
        return sum(1 for h, status in after.items() if before.get(h, "active") != status)


@dataclass(frozen=True, slots=True)
class InvestigationArea(_Noun):
    """A named question that an investigation keeps in view."""

    area: str
    description: str
    agent: str
    priority: int = 5
    keywords: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    origin: str = "config"


@dataclass(frozen=True, slots=True)
class Rejection(_Noun):
    """A proposal that the gateway refused, and what would mend it."""

    id: str
    agent: str
    source_id: str
    what: str
    reason: str
    proposal: dict[str, Any]
    lead_id: str = ""


@dataclass(frozen=True, slots=True)
class Coverage(_Noun):
    """What became of one parser (or one expected artifact) at one file."""

    source_id: str
    path: str
    artifact: str
    parser: str
    outcome: str
    records: int = 0
    reason: str = ""
    reason_code: str = ""
    seconds: float = 0.0
    complete: bool = True
    covers_from: str | None = None
    covers_to: str | None = None
    recorder: str = "unknown"
    needs: str = ""
    inode: str | None = None
    file_sha256: str = ""
    rows_sha256: str = ""

    def __post_init__(self) -> None:
        _one_of("outcome", self.outcome, OUTCOMES)


@dataclass(frozen=True, slots=True)
class Finding(_Noun):
    """One finding of the audit."""

    severity: str
    code: str
    message: str
    where: str = ""

    def __post_init__(self) -> None:
        _one_of("severity", self.severity, ("info", "warn", "block"))
