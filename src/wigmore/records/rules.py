"""Indicator rules: YAML predicates over records, compiled to DuckDB, one scan for all rules of one artifact set.

A rule's `where` is a list (all must hold) of tests `{field: F, OP: value}`, `{any: […]}`, `{all: […]}` and `{not: …}`.
Fields are names in a record's data (dots for nested ones; `data.NAME` where a column has the same name, as `data.path`),
`times.NAME` (its text), or the columns path, state, host_id, origin, artifact, time_text. Operators: eq, ne, in, gt, ge,
lt, le, contains, contains_any, starts, ends, ends_any, like (SQL wildcards), regex (RE2), exists, phone (same number,
whatever its separators and prefix; any number while its `$name` is not set), asked (same text; any text while its `$name`
is not set), apart ([other time, seconds]: the two texts, zones ignored, differ by more), differs and earlier (than another
field, as text). Text compares without case unless `case: true`.
`distinct: {field: n}` asks of a group at least n different values of a field; its examples then show one of each first.
`days: n` asks of a group that its records fall on at least n different days (UTC): what recurs, against what happened once.
`together: true` makes one phenomenon of all groups (parties of a message store), each group cited as a row of the query.
`entities` are noted for each example (with `together`, for each group): type, the field of the name, identifiers as
{type: field}; with `each: field` one entity for each item of that list. `contacted` says who wrote or called whom in a group:
`from` and `to` are fields, or empty for the device itself; `direction` the field whose sent or outgoing turns them round.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wigmore.model.canonical import canonical, sha256
from wigmore.model.yaml_text import read_yaml
from wigmore.records.compiler import Compiler, RuleError

OWN_RULES = Path(__file__).resolve().parent.parent / "rules"


@dataclass(frozen=True)
class Bearing:
    """What a match says of a hypothesis: template, edge and the proposition it is about."""

    template: str
    edge: str
    proposition: str
    against: str = ""


@dataclass(frozen=True)
class Indicator:
    """One indicator rule."""

    id: str
    title: str
    artifacts: tuple[str, ...]
    where: tuple[Any, ...]
    role: str
    category: str
    facts: tuple[str, ...]
    interpretation: str
    caveat: str
    phase: str = "triage"
    group_by: tuple[str, ...] = ()
    threshold: int = 1
    window_seconds: float = 0.0
    examples: int = 3
    then: dict[str, Any] = field(default_factory=dict)
    distinct: dict[str, int] = field(default_factory=dict)
    days: int = 0
    bears_on: tuple[Bearing, ...] = ()
    attack: tuple[str, ...] = ()
    event_key: tuple[str, ...] = ()
    subject: str = ""
    significance: int = 5
    entities: tuple[dict[str, Any], ...] = ()
    together: bool = False
    contacted: dict[str, str] = field(default_factory=dict)
    origin: str = ""
    sha256: str = ""  # of what the rule says

    @classmethod
    def read(cls, values: dict[str, Any], origin: str) -> Indicator:
        """A rule from YAML values; raises RuleError naming the rule and the fault."""
        name = str(values.get("id", "?"))
        known = set(cls.__dataclass_fields__) - {"origin", "sha256"}
        if unknown := sorted(set(values) - known):
            raise RuleError(f"{origin}: rule {name}: unknown keys {', '.join(unknown)}")
        for key in ("id", "title", "artifacts", "where", "role", "category", "facts", "interpretation", "caveat"):
            if not values.get(key):
                raise RuleError(f"{origin}: rule {name}: `{key}` is missing or empty")
        made = dict(values)
        for key in ("artifacts", "where", "facts", "group_by", "attack", "event_key"):
            made[key] = tuple(made.get(key) or ())
        made["entities"] = tuple(made.get("entities") or ())
        try:
            made["bears_on"] = tuple(Bearing(**b) for b in made.get("bears_on") or ())
        except TypeError as error:
            raise RuleError(f"{origin}: rule {name}: bears_on: {error}") from error
        if made.get("contacted") and not made.get("together"):
            raise RuleError(f"{origin}: rule {name}: `contacted` reads the groups of a rule with `together: true`")
        rule = cls(**made, origin=origin, sha256=sha256(canonical(values)))
        Compiler(named=f"{origin}: rule {name}").condition(rule.where)  # refuses what cannot be compiled, at load
        return rule


def load_indicators(folders: Iterable[Path]) -> dict[str, Indicator]:
    """All rules of `indicators/*.yaml` under some folders, by id; raises RuleError for faults and double ids.

    Patterns of folders other than the package's own are tried out as well; those of the package a test tries.
    """
    rules: dict[str, Indicator] = {}
    strange: list[Indicator] = []
    for folder in folders:
        for file in sorted(folder.glob("indicators/*.yaml")):
            for values in read_yaml(file) or ():
                rule = Indicator.read(values, file.name)
                if rule.id in rules:
                    raise RuleError(f"{file.name}: rule {rule.id} stands twice, also in {rules[rule.id].origin}")
                rules[rule.id] = rule
                if folder != OWN_RULES:
                    strange.append(rule)
    if strange:
        check_patterns(strange)
    return dict(sorted(rules.items()))


def check_patterns(rules: Iterable[Indicator]) -> None:
    """Refuse patterns that the database cannot compile; met in a scan, one would stop every rule of its role."""
    import duckdb

    with duckdb.connect(":memory:") as connection:
        for rule in rules:
            for pattern in _patterns([rule.where, rule.then.get("where", ())]):
                try:
                    connection.execute("SELECT regexp_matches('', ?, 'i')", [pattern])
                except duckdb.Error as error:
                    message = str(error).splitlines()[0]
                    raise RuleError(f"{rule.origin}: rule {rule.id}: no pattern: {pattern!r} ({message})") from error


def _patterns(tests: Any) -> Iterator[str]:
    if isinstance(tests, dict):
        found = tests.get("regex", ())
        yield from [str(p) for p in (found if isinstance(found, list) else [found] if found else [])]
        for key in ("any", "all", "not"):
            yield from _patterns(tests.get(key, ()))
    elif isinstance(tests, (list, tuple)):
        for test in tests:
            yield from _patterns(test)


def fill(template: str, values: dict[str, Any]) -> str:
    """A title with `{field}` replaced by values; a gap reads `(not recorded)`."""

    def put(found: re.Match[str]) -> str:
        value = values.get(found.group(1))
        if value is None or value == "":
            return "(not recorded)"
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    return re.sub(r"\{([^{}]+)\}", put, template)
