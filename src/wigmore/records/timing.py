"""What `rules/clocks.yaml` says of clocks and of the course of time, and how it becomes queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from wigmore.model.canonical import canonical
from wigmore.model.yaml_text import read_yaml
from wigmore.records.compiler import json_path
from wigmore.records.rules import OWN_RULES
from wigmore.records.store import quoted

Spec = dict[str, Any]


@cache
def timing() -> Spec:
    """The file's values, read once."""
    values: Spec = read_yaml(OWN_RULES / "clocks.yaml")
    return values


def logs() -> list[str]:
    """The logs that can say something of a clock, by the artifact that each is known by."""
    known = timing()
    named = [s["artifact"] for part in ("ordered", "stated", "stated_in_turn") for s in known[part]]
    return list(dict.fromkeys([*named, *(s["log"] for s in known["monotonic"])]))


def told_in() -> list[str]:
    """The artifacts that the records of such logs become."""
    return list(dict.fromkeys([*logs(), *(a for s in timing()["monotonic"] for a in s["artifacts"])]))


def text_of(name: str) -> str:
    """SQL for a field of the data, as text."""
    return f"json_extract_string(data, {quoted(json_path(name))})"


def number_of(name: str | None) -> str:
    """SQL for a whole number of the data; for the record's place in its file where no name is given."""
    return f"CAST(json_extract(data, {quoted(json_path(name))}) AS BIGINT)" if name else "ordinal"


def instant_of(name: str) -> str:
    """SQL for the instant of one of a record's times."""
    return f"CAST(json_extract(times, {quoted(json_path(name) + '.instant')}) AS BIGINT)"


def holds(where: Mapping[str, Any]) -> str:
    """SQL that the data's fields have these values; what the stored text lacks is not taken apart."""
    sieve = [f"contains(data, {quoted(canonical({name: value}).decode()[1:-1])})" for name, value in where.items()]
    return " AND ".join([*sieve, *(f"{text_of(n)} = {quoted(str(v))}" for n, v in where.items())])


def unless(where: Mapping[str, Any] | None) -> str:
    """SQL, to be added with AND, that none of the data's fields has one of these values."""
    tests = []
    for name, value in (where or {}).items():
        values = value if isinstance(value, list) else [value]
        tests.append(f" AND coalesce({text_of(name)}, '') NOT IN ({', '.join(quoted(str(v)) for v in values)})")
    return "".join(tests)


def among(artifacts: Iterable[str]) -> str:
    """SQL that the artifact is one of some globs."""
    return "(" + " OR ".join(f"artifact GLOB {quoted(a)}" for a in artifacts) + ")"
