"""Indicator rules: YAML predicates over records, compiled to DuckDB, one scan for all rules of one artifact set.

A rule's `where` is a list (all must hold) of tests `{field: F, OP: value}`, `{any: […]}`, `{all: […]}` and `{not: …}`.
Fields are names in a record's data (dots for nested ones; `data.NAME` where a column has the same name, as `data.path`),
`times.NAME` (its text), or the columns path, state, host_id, origin, artifact, time_text. Operators: eq, ne, in, gt, ge,
lt, le, contains, contains_any, starts, ends, ends_any, like (SQL wildcards), regex (RE2), exists, phone (same number,
whatever its separators and prefix; any number while its `$name` is not set), apart ([other time, seconds]: the two texts,
zones ignored, differ by more), differs and earlier (than another field, as text). Text compares without case unless
`case: true`.
`distinct: {field: n}` asks of a group at least n different values of a field; its examples then show one of each first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wigmore.model.canonical import canonical, sha256
from wigmore.model.yaml_text import read_yaml
from wigmore.records.store import RecordStore, quoted

COLUMN_FIELDS = frozenset(
    ("path", "state", "host_id", "origin", "artifact", "time_text", "time_field", "source_id", "parser")
)
OPERATORS = frozenset(
    "eq ne in gt ge lt le contains contains_any starts starts_any ends ends_any like regex exists phone apart differs "
    "earlier".split()
)
# local times order among themselves, and so do times without a year (`--04-21T07:02:10`) as of one leap year
MOMENT = (
    "coalesce(instant, epoch_us(try_cast(CASE WHEN starts_with(time_text, '--') THEN '2000' || substr(time_text, 2) "
    "ELSE time_text END AS TIMESTAMP)))"
)
PARAMETER = re.compile(r'"\$[a-z_]+"')  # in a rule's JSON: a value that a call gives
PHONE_DIGITS = 9  # last digits that tell numbers apart with and without country or trunk prefix


OWN_RULES = Path(__file__).resolve().parent.parent / "rules"


class RuleError(ValueError):
    """A rule that cannot be used: says which, and what is wrong with it."""


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
    bears_on: tuple[Bearing, ...] = ()
    attack: tuple[str, ...] = ()
    mechanism: str = ""
    event_key: tuple[str, ...] = ()
    subject: str = ""
    significance: int = 5
    entities: tuple[dict[str, Any], ...] = ()
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
        rule = cls(**made, origin=origin, sha256=sha256(canonical(values)))
        Compiler(rule).condition(rule.where)  # refuses what cannot be compiled, at load
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


class Compiler:
    """Turns tests into SQL over extracted fields; every value is a quoted literal, every field a column `f1`, `f2`…

    With `superset`, a test that turns on a `$name` holds for every record: what it will be asked is not known yet.
    """

    def __init__(
        self,
        rule: Indicator | None = None,
        fields: list[str] | None = None,
        parameters: dict[str, Any] | None = None,
        superset: bool = False,
    ) -> None:
        self.rule = rule
        self.fields: list[str] = fields if fields is not None else []
        self.parameters = parameters or {}
        self.superset = superset

    def _fail(self, message: str) -> RuleError:
        return RuleError(f"{self.rule.origin}: rule {self.rule.id}: {message}" if self.rule else message)

    def column(self, name: str) -> str:
        """The SQL expression (text) of a field."""
        if name in COLUMN_FIELDS:
            return name
        if name not in self.fields:
            self.fields.append(name)
        return f"f{self.fields.index(name) + 1}"

    def condition(self, tests: Sequence[Any], joiner: str = "AND") -> str:
        """All (or any) of several tests."""
        if not tests:
            return "true"
        return "(" + f" {joiner} ".join(self.test(t) for t in tests) + ")"

    def _value(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("$"):
            if value[1:] not in self.parameters:
                return value
            return self.parameters[value[1:]]
        return value

    def test(self, test: Any) -> str:
        """One test."""
        if not isinstance(test, dict):
            raise self._fail(f"a test is a mapping, not {test!r}")
        if "any" in test:
            if not test["any"]:
                raise self._fail("`any` of no tests would match everything")
            return self.condition(test["any"], "OR")
        if "all" in test:
            return self.condition(test["all"])
        if "not" in test:
            inner = test["not"]
            if self.superset and PARAMETER.search(json.dumps(inner)):
                return "true"
            return f"NOT coalesce({self.condition(inner if isinstance(inner, list) else [inner])}, false)"
        operators = [k for k in test if k not in ("field", "case")]
        if "field" not in test or len(operators) != 1 or operators[0] not in OPERATORS:
            raise self._fail(f"a test needs a field and one operator of {', '.join(sorted(OPERATORS))}: {test!r}")
        operator, value = operators[0], self._value(test[operators[0]])
        column = self.column(str(test["field"]))
        if self.superset and PARAMETER.search(json.dumps(value)):
            return "true"
        if operator == "exists":
            there = f"({column} IS NOT NULL AND {column} <> '')"
            return there if value else f"NOT {there}"
        if operator in ("gt", "ge", "lt", "le"):
            sign = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}[operator]
            if isinstance(value, (int, float)):
                return f"try_cast({column} AS DOUBLE) {sign} {value!r}"
            return f"{column} {sign} {quoted(str(value))}"
        if operator in ("differs", "earlier"):
            other_column = self.column(str(value))
            first, second = (
                (column, other_column) if test.get("case", False) else (f"lower({column})", f"lower({other_column})")
            )
            return f"{first} <> {second}" if operator == "differs" else f"{column} < {other_column}"
        if operator == "apart":
            other, seconds = value
            first, second = (f"epoch(try_cast(left({c}, 19) AS TIMESTAMP))" for c in (column, self.column(str(other))))
            return f"abs({first} - {second}) > {float(seconds)!r}"
        if operator == "phone":
            if str(value).startswith("$"):
                return "true"  # not asked about one party
            digits = "".join(c for c in str(value) if c.isdigit())
            if len(digits) < 7 or "@" in str(value).removesuffix("@s.whatsapp.net"):
                return f"lower({column}) = {quoted(str(value).lower())}"
            return f"contains(regexp_replace({column}, '[^0-9]', '', 'g'), {quoted(digits[-PHONE_DIGITS:])})"
        fold = not test.get("case", False)
        subject = f"lower({column})" if fold else column

        def literal(item: Any) -> str:
            text = ("true" if item else "false") if isinstance(item, bool) else str(item)
            return quoted(text.lower() if fold else text)

        many = [self._value(v) for v in (value if isinstance(value, list) else [value])]
        tests = {
            "eq": lambda v: f"{subject} = {literal(v)}",
            "ne": lambda v: f"coalesce({subject}, '') <> {literal(v)}",
            "contains": lambda v: f"contains({subject}, {literal(v)})",
            "contains_any": lambda v: f"contains({subject}, {literal(v)})",
            "starts": lambda v: f"starts_with({subject}, {literal(v)})",
            "starts_any": lambda v: f"starts_with({subject}, {literal(v)})",
            "ends": lambda v: f"ends_with({subject}, {literal(v)})",
            "ends_any": lambda v: f"ends_with({subject}, {literal(v)})",
            "like": lambda v: f"{subject} LIKE {literal(v)}",
            "regex": lambda v: f"regexp_matches({column}, {quoted(str(v))}, {quoted('i' if fold else 'c')})",
        }
        if operator == "in":
            return f"{subject} IN ({', '.join(literal(v) for v in many)})" if many else "false"
        return "(" + " OR ".join(tests[operator](v) for v in many) + ")"


def json_path(name: str) -> str:
    """The DuckDB JSON path of a (dotted) field; a name that itself holds dots may be quoted as a whole."""
    return "$." + ".".join('"' + part.replace('"', "") + '"' for part in name.removeprefix("data.").split("."))


def fields_expression(fields: Sequence[str]) -> str:
    """One list of texts with all fields of a scan: each JSON text is parsed once for `data` and once for `times`."""
    if not fields:
        return "[]::VARCHAR[]"
    parts: list[str | None] = []
    for name in fields:
        if name.startswith("times."):
            parts.append(f"json_extract_string(times, {quoted(json_path(name[6:] + '.text'))})")
        else:
            parts.append(None)
    plain = [name for name in fields if not name.startswith("times.")]
    if not plain:
        return "[" + ", ".join(p for p in parts if p) + "]"
    paths = ", ".join(quoted(json_path(name)) for name in plain)
    extracted = f"json_extract_string(data, [{paths}])"
    if len(plain) == len(fields):
        return extracted
    positions = {name: index + 1 for index, name in enumerate(plain)}
    joined = ", ".join(p if p else f"d[{positions[name]}]" for p, name in zip(parts, fields, strict=True))
    return f"list_transform([{extracted}], lambda d: [{joined}])[1]"


@dataclass(frozen=True)
class Match:
    """One group that a rule found: the values it is grouped by, counts, and example records."""

    group: dict[str, Any]
    count: int
    first: str | None
    last: str | None
    record_ids: tuple[str, ...]
    paths: tuple[str, ...]  # where these records lie, each path once


def _group_columns(rule: Indicator, compiler: Compiler) -> list[tuple[str, str]]:
    columns = [("source_id", "source_id")]
    for name in rule.group_by:
        expression = {"host": "host_id", "case": "'case'", "source": "source_id"}.get(name) or compiler.column(name)
        columns.append((name, expression))
    return columns


def _extracted(relation: str, fields: Sequence[str]) -> str:
    """The records of a relation with what rules read of them: BASE, `moment`, and `f`, the list of fields.

    Unnesting a list of one keeps DuckDB from extracting a field again wherever a condition names it (up to 20 × slower).
    """
    return (
        f"SELECT * EXCLUDE (f), unnest([f]) AS f "
        f"FROM (SELECT {BASE}, {MOMENT} AS moment, {fields_expression(fields)} AS f FROM {relation})"
    )


def _columns(count: int) -> str:
    """The list `f` as columns."""
    return "".join(f", f[{index}] AS f{index}" for index in range(1, count + 1))


BASE = "record_id, source_id, path, artifact, inode, parser, ordinal, host_id, state, origin, instant, time_text, time_field"


def _compiled(rule: Indicator, compiler: Compiler) -> dict[str, str]:
    """Compile everything a rule reads, so that its fields are known; condition → its guard.

    The guard holds wherever the condition does and leaves its patterns out: those are slow to set up.
    """
    _group_columns(rule, compiler)
    for name in (*rule.then.get("same", ()), *rule.distinct):
        compiler.column(str(name))
    conditions = {}
    for tests in (rule.where, rule.then["where"]) if rule.then else (rule.where,):
        plain = [t for t in tests if '"regex":' not in json.dumps(t)]
        conditions[compiler.condition(tests)] = compiler.condition(plain or tests)
    return conditions


@dataclass(frozen=True)
class Candidates:
    """The records that any rule over some artifacts could want: a table with BASE, `moment`, `f1`… and `m1`…."""

    table: str
    fields: tuple[str, ...]  # names of f1, f2…
    conditions: dict[str, str]  # condition → the column that holds its answer


def candidates(
    store: RecordStore, artifacts: tuple[str, ...], source_id: str | None, catalogue: Iterable[Indicator]
) -> Candidates:
    """The candidates of an artifact set in one source (or all): records read, and conditions tried, once for all rules.

    It is made anew when parts come, or for another catalogue.
    """
    rules = [r for r in catalogue if r.artifacts == artifacts]

    def build(table: str) -> Candidates:
        fields: list[str] = []
        wanted: dict[str, str] = {}
        for rule in rules:
            wanted.update(_compiled(rule, Compiler(rule, fields, superset=True)))
        answers = {condition: f"m{number}" for number, condition in enumerate(wanted, 1)}
        guards = " OR ".join(dict.fromkeys(wanted.values())) or "false"
        tried = "".join(f", coalesce({condition}, false) AS {name}" for condition, name in answers.items())
        taken = f"SELECT * EXCLUDE (f){_columns(len(fields))} FROM ({_extracted(store.relation(artifacts, source_id), fields)})"
        with store.connection().cursor() as cursor:
            cursor.execute(f"CREATE TEMP TABLE guarded AS SELECT * FROM ({taken}) WHERE {guards}")
            cursor.execute(f"CREATE TEMP TABLE tried AS SELECT *{tried} FROM guarded")
            cursor.execute(
                f"CREATE TABLE {table} AS SELECT * FROM tried WHERE {' OR '.join(answers.values()) or 'false'}"
            )
            cursor.execute("DROP TABLE guarded; DROP TABLE tried")
        return Candidates(table, tuple(fields), answers)

    return store.derived(("candidates", artifacts, source_id, tuple(r.sha256 for r in rules)), build)


def match(
    store: RecordStore,
    rule: Indicator,
    source_id: str | None,
    parameters: dict[str, Any] | None = None,
    limit: int = 200,
    catalogue: Iterable[Indicator] = (),
    period: tuple[int | None, int | None] = (None, None),
) -> list[Match]:
    """The groups of records that satisfy a rule in one source (or all), in canonical order; at most `limit`.

    The records come from the one scan that serves all rules of the `catalogue`. A `period` (µs, from and to) parts each
    group into what lies inside and what lies outside: the latter is context, not support.
    """
    known = candidates(store, rule.artifacts, source_id, catalogue or [rule])
    compiler = Compiler(rule, list(known.fields), parameters)
    condition = compiler.condition(rule.where)
    condition = known.conditions.get(condition, condition)
    groups = _group_columns(rule, compiler)
    bounds = [f"moment {sign} {int(at)}" for sign, at in zip(("<", ">="), period, strict=True) if at is not None]
    if bounds:
        groups.append(("period", f"CASE WHEN {' OR '.join(bounds)} THEN 'outside' ELSE 'inside' END"))
    then = rule.then
    follow = compiler.condition(then["where"]) if then else ""
    follow = known.conditions.get(follow, follow)
    same = [compiler.column(str(f)) for f in then.get("same", ())] if then else []
    various = {compiler.column(str(name)): int(least) for name, least in rule.distinct.items()}
    keys = ", ".join(f"{expression} AS g{index}" for index, (_, expression) in enumerate(groups))
    names = ", ".join(f"g{index}" for index in range(len(groups)))
    sames = "".join(f", {expression} AS s{index}" for index, expression in enumerate(same))
    with_parts = [f"hits AS (SELECT *, {keys}{sames} FROM {known.table} WHERE {condition})"]
    source = "hits"
    if rule.window_seconds:
        span = int(rule.window_seconds * 1_000_000)
        with_parts.append(
            f"dense AS (SELECT *, count(*) OVER (PARTITION BY {names} ORDER BY moment "
            f"RANGE BETWEEN {span} PRECEDING AND CURRENT ROW) AS within FROM hits WHERE moment IS NOT NULL)"
        )
        source = f"(SELECT * FROM dense QUALIFY max(within) OVER (PARTITION BY {names}) >= {int(rule.threshold)})"
    if then:
        within = float(then.get("within_seconds", 86_400)) * 1_000_000
        tie = " AND ".join([f"n.s{i} = h.s{i}" for i in range(len(same))] or ["true"])
        with_parts.append(
            f"next AS (SELECT source_id, moment, record_id, path{sames} FROM {known.table} WHERE {follow})"
        )
        with_parts.append(f"held AS (SELECT * FROM {source})")
        with_parts.append(
            f"followed AS (SELECT h.*, n.record_id AS next_id, n.path AS next_path FROM held h JOIN next n "
            f"ON n.source_id = h.source_id AND {tie} AND n.moment >= h.moment AND n.moment - h.moment <= {int(within)})"
        )
        source = "followed"
    several = 1000 if then else rule.examples  # a record stands once for each that followed it
    extra = (
        ", list(DISTINCT [next_id, next_path] ORDER BY [next_id, next_path])[1:3] AS followers"
        if then
        else ", [] AS followers"
    )
    order = "moment NULLS LAST, path, inode NULLS FIRST, ordinal, record_id"
    kinds = "".join(f" AND count(DISTINCT {c}) >= {n}" for c, n in various.items())
    if various:
        first = next(iter(various))
        source = f"(SELECT *, row_number() OVER (PARTITION BY {names}, {first} ORDER BY {order}) AS turn FROM {source})"
        order = f"turn, {order}"
    sql = (
        f"WITH {', '.join(with_parts)} SELECT {names}, count(DISTINCT record_id) AS n, min(time_text) AS first, "
        f"max(time_text) AS last, list([record_id, path] ORDER BY {order})[1:{several}] AS examples"
        f"{extra} FROM {source} GROUP BY {names} HAVING count(DISTINCT record_id) >= {int(rule.threshold)}{kinds} "
        f"ORDER BY min(moment) NULLS LAST, {names} LIMIT {int(limit)}"
    )
    out = []
    for values in store.query(sql):
        group = {name: values[f"g{index}"] for index, (name, _) in enumerate(groups)}
        examples = list(dict.fromkeys(map(tuple, values["examples"])))[: rule.examples]
        examples += [e for e in map(tuple, values["followers"]) if e not in examples]
        ids, paths = zip(*examples, strict=True)
        out.append(Match(group, int(values["n"]), values["first"], values["last"], ids, tuple(dict.fromkeys(paths))))
    return out


def scan(
    store: RecordStore, rules: Iterable[Indicator], source_id: str | None, catalogue: Iterable[Indicator] = ()
) -> set[str]:
    """Which of many rules match anything at all: one scan an artifact set, so that the misses cost nothing each.

    `catalogue` names all rules (default: these), so that the scan serves later calls of `match` too.
    """
    rules = list(rules)
    by_artifacts: dict[tuple[str, ...], list[Indicator]] = {}
    for rule in rules:
        by_artifacts.setdefault(rule.artifacts, []).append(rule)
    hit: set[str] = set()
    for artifacts, group in sorted(by_artifacts.items()):
        if not store.chosen(artifacts, source_id):
            continue
        known = candidates(store, artifacts, source_id, catalogue or rules)
        conditions = [Compiler(rule, list(known.fields)).condition(rule.where) for rule in group]
        flags = [f"coalesce(bool_or({known.conditions.get(c, c)}), false) AS r{n}" for n, c in enumerate(conditions)]
        row = store.query(f"SELECT {', '.join(flags)} FROM {known.table}")[0]
        hit.update(rule.id for number, rule in enumerate(group) if row[f"r{number}"])
    return hit


def field_value(shown: dict[str, Any], name: str) -> Any:
    """The value of a rule's field in a record as shown; None where the record has none."""
    if name in COLUMN_FIELDS:
        return shown.get(name)
    if name.startswith("times."):
        time = shown["times"].get(name[6:])
        return time["text"] if time else None
    value: Any = shown["data"]
    name = name.removeprefix("data.")
    if isinstance(value, dict) and name in value:
        return value[name]
    for part in name.split("."):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value


def fill(template: str, values: dict[str, Any]) -> str:
    """A title with `{field}` replaced by values; a gap reads `(not recorded)`."""

    def put(found: re.Match[str]) -> str:
        value = values.get(found.group(1))
        if value is None or value == "":
            return "(not recorded)"
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    return re.sub(r"\{([^{}]+)\}", put, template)
