"""Tests of rules as DuckDB conditions: every value a quoted literal, every field a column extracted from a record's JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from wigmore.records.store import quoted

COLUMN_FIELDS = frozenset(
    ("path", "state", "host_id", "origin", "artifact", "time_text", "time_field", "source_id", "parser")
)
OPERATORS = frozenset(
    "eq ne in gt ge lt le contains contains_any starts starts_any ends ends_any like regex exists phone asked apart "
    "differs earlier".split()
)
# local times order among themselves, and so do times without a year (`--04-21T07:02:10`) as of one leap year
MOMENT = (
    "coalesce(instant, epoch_us(try_cast(CASE WHEN starts_with(time_text, '--') THEN '2000' || substr(time_text, 2) "
    "ELSE time_text END AS TIMESTAMP)))"
)
BASE = (
    "record_id, source_id, path, artifact, inode, parser, ordinal, locator, host_id, state, origin, instant, time_text, "
    "time_field"
)
PART: re.Pattern[str] = re.compile(r'"[^"]+"|[^."]+')
PARAMETER = re.compile(r'"\$[a-z_]+"')  # in a rule's JSON: a value that a call gives
PHONE_DIGITS = 9  # last digits that tell numbers apart with and without country or trunk prefix


class RuleError(ValueError):
    """A rule that cannot be used: says which, and what is wrong with it."""


class Compiler:
    """Turns tests into SQL over extracted fields; every value is a quoted literal, every field a column `f1`, `f2`…

    `named` says in errors whose tests they are. With `superset`, a test that turns on a `$name` holds for every record: what
    it will be asked is not known yet.
    """

    def __init__(
        self,
        fields: list[str] | None = None,
        parameters: dict[str, Any] | None = None,
        superset: bool = False,
        named: str = "",
    ) -> None:
        self.named = named
        self.fields: list[str] = fields if fields is not None else []
        self.parameters = parameters or {}
        self.superset = superset
        self.used: set[str] = set()  # columns that were asked for

    def _fail(self, message: str) -> RuleError:
        return RuleError(f"{self.named}: {message}" if self.named else message)

    def column(self, name: str) -> str:
        """The SQL expression (text) of a field."""
        if name in COLUMN_FIELDS:
            return name
        if name not in self.fields:
            self.fields.append(name)
        column = f"f{self.fields.index(name) + 1}"
        self.used.add(column)
        return column

    def columns(self) -> dict[str, str]:
        """The columns of all fields named so far: `f1`, `f2`… and what they hold."""
        return {f"f{number}": name for number, name in enumerate(self.fields, 1)}

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
        if operator in ("phone", "asked"):
            if str(value).startswith("$"):
                return "true"  # not asked about one party
            if operator == "asked":
                return f"lower({column}) = {quoted(str(value).lower())}"
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
    """The DuckDB JSON path of a field: dots go down, save in quotation marks (`"ro.build.id"`); `*` is the whole record."""
    if name == "*":
        return "$"
    parts = PART.findall(name.removeprefix("data."))
    return "$." + ".".join('"' + part.replace('"', "") + '"' for part in parts)


def last_part(name: str) -> str:
    """What a field is called in answers: its name without what stands above it."""
    parts: list[str] = PART.findall(name) or [name]
    return parts[-1].strip('"')


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


def extracted(relation: str, columns: Mapping[str, str], kept: str = "") -> str:
    """A query for the records of a relation with what tests read of them: BASE, `moment`, and the fields by their columns.

    `columns` are those of a Compiler; `kept` names further ones (`, data`). Unnesting a list of one keeps DuckDB from
    extracting a field again wherever a condition names it (up to 20 × slower).
    """
    listed = "".join(f", f[{number}] AS {column}" for number, column in enumerate(columns, 1))
    fields = fields_expression(list(columns.values()))
    return (
        f"SELECT * EXCLUDE (f){listed} FROM (SELECT * EXCLUDE (f), unnest([f]) AS f "
        f"FROM (SELECT {BASE}{kept}, {MOMENT} AS moment, {fields} AS f FROM {relation}))"
    )
