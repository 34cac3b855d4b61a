"""When what was observed happened: the times that a phenomenon's facts cite, as their records hold them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wigmore.model.nouns import Phenomenon, VerifiedFact
from wigmore.model.times import Time, iso


@dataclass(frozen=True)
class Cited:
    """One time that a fact of a phenomenon cites: the artifact and field it was read from, and the time."""

    artifact: str
    field: str
    time: Time


def time_facts(phenomenon: Phenomenon) -> list[VerifiedFact]:
    """The facts that are times of records, in their order."""
    return [f for f in phenomenon.verified_facts if f.name.startswith("times.") and f.citation.record_id]


def asked(phenomena: Iterable[Phenomenon]) -> tuple[list[str], list[str]]:
    """Ids and artifacts of the records whose times phenomena cite, to look up."""
    facts = [f for p in phenomena for f in time_facts(p)]
    return sorted({f.citation.record_id for f in facts}), sorted({f.artifact for f in facts})


def cited_times(phenomenon: Phenomenon, records: Mapping[str, Mapping[str, Any]]) -> list[Cited]:
    """The times that a phenomenon cites, with owner and precision as the record has them (`times`: JSON text or object).

    Where the record is not at hand, the fact's text alone; then the clock's owner is not known ("").
    """
    out = []
    for fact in time_facts(phenomenon):
        name = fact.name.removeprefix("times.")
        held = records.get(fact.citation.record_id, {}).get("times") or {}
        time = (json.loads(held) if isinstance(held, str) else held).get(name)
        if time is None or time["text"] != fact.value:
            time = iso(str(fact.value), owner="")
        if time is not None:
            out.append(Cited(fact.artifact, name, time))
    return out


def dating(phenomenon: Phenomenon, records: Mapping[str, Mapping[str, Any]]) -> Cited | None:
    """The time that dates a phenomenon (`occurred_at`); None where nothing does."""
    if not phenomenon.occurred_at:
        return None
    known = next((c for c in cited_times(phenomenon, records) if c.time["text"] == phenomenon.occurred_at), None)
    if known is not None:
        return known
    time = iso(phenomenon.occurred_at, owner="")
    return Cited("", "", time) if time is not None else None
