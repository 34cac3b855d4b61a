"""Candidates: of the records of some artifacts, those that any of many readers could want, read once for all of them.

Most tests begin with what a field is equal to (an event's number and provider). So the values that those fields take in the
records are listed first: readers that none of them suits are left out, and so are the records that suit no reader.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wigmore.records.compiler import BASE, PARAMETER, Compiler, extracted
from wigmore.records.literals import Texts, possible
from wigmore.records.literals import fields as pattern_fields
from wigmore.records.store import RecordStore, quoted

if TYPE_CHECKING:
    import duckdb

FEW = 50_000  # records, of which it is worth while to see which patterns can match before these are set up
PIVOTS = 2  # fields whose values are listed
SORTS = 5_000  # sorts of records, by these values, that are told apart; of more, none are
UNLISTED = ("path", "time_text")  # about as many values as records
Sort = tuple[str | None, ...]


@dataclass(frozen=True)
class Reader:
    """What one rule or question reads: its lists of tests (records that pass one of them matter), and further fields."""

    key: str  # says what the reader is, for the cache
    tests: tuple[tuple[Any, ...], ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidates:
    """A table of the store: BASE, `moment`, `f1`… (the fields that are read), `t1`… and `r1`… (which tests hold)."""

    table: str
    fields: tuple[str, ...]  # names of f1, f2…
    conditions: dict[str, str]  # condition → its tests' columns, or `false`
    held: frozenset[str] = frozenset()  # the conditions that hold for some record

    def vain(self, tests: Sequence[Any]) -> bool:
        """Whether it is known that no record passes the tests, whatever a call gives for their `$name`s."""
        condition = Compiler(list(self.fields), superset=True).condition(tests)
        return condition in self.conditions and condition not in self.held


@dataclass(frozen=True)
class _Sorts:
    """Which values some fields take together in the records; None where that is not known."""

    names: tuple[str, ...] = ()
    values: tuple[Sort, ...] | None = None

    def suiting(self, tests: Sequence[Any]) -> set[Sort]:
        """The sorts of records that may pass some tests."""
        asked = _asked(tests, self.names)
        some = next((self.with_value(*one) for one in asked if not isinstance(one, list)), self.values or ())
        return {sort for sort in some if _may_pass(asked, sort)}

    def with_value(self, number: int, texts: Iterable[str]) -> list[Sort]:
        """The sorts in which one of the fields has one of some values."""
        return [sort for text in texts for sort in self._by_value.get((number, text), ())]

    @cached_property
    def _by_value(self) -> dict[tuple[int, str], list[Sort]]:
        out: dict[tuple[int, str], list[Sort]] = {}
        for sort in self.values or ():
            for number, text in enumerate(sort):
                if text is not None:
                    out.setdefault((number, text), []).append(sort)
        return out


def candidates(
    store: RecordStore, artifacts: tuple[str, ...], source_id: str | None, readers: Sequence[Reader]
) -> Candidates:
    """The candidates of an artifact set in one source (or all); made anew when parts come, or for other readers."""

    def build(table: str) -> Candidates:
        sorts = _sorts(store, artifacts, source_id, [tests for reader in readers for tests in reader.tests])
        suiting: set[Sort] = set()
        fields: list[str] = []
        used: set[str] = set()
        answers: dict[str, str] = {}  # condition → what holds its answer
        asked: dict[str, list[Any]] = {}  # of those that some sort suits, the tests by pattern
        guards: dict[str, str] = {}  # and what holds the answer to the others
        plain = _Tests(Compiler(fields, superset=True), "t")  # each test once, whatever conditions it stands in
        for reader in readers:
            for tests in reader.tests:
                compiler = Compiler(fields, superset=True)
                for name in reader.names:
                    compiler.column(name)
                condition = compiler.condition(tests)
                answers[condition] = "false"
                suits = sorts.suiting(tests)
                suiting |= suits
                if suits or sorts.values is None:
                    used |= compiler.used
                    asked[condition] = [test for test in tests if _by_pattern(test)]
                    guards[condition] = plain.all(test for test in tests if not _by_pattern(test))
        read = {column: name for column, name in Compiler(fields).columns().items() if column in used}
        taken = extracted(_of_sorts(store.relation(artifacts, source_id), sorts, suiting), read)
        guarded = f"SELECT * FROM ({plain.tried(taken)}) WHERE {' OR '.join(dict.fromkeys(guards.values())) or 'false'}"
        # tests by pattern are tried on what passes the others, and set up only if they can match
        slow = _Tests(Compiler(fields, superset=True), "r")
        with store.connection().cursor() as cursor:
            many = sum(p.rows for p in store.chosen(artifacts, source_id)) > FEW
            if not many:
                store.fetch(cursor, f"CREATE TEMP TABLE guarded AS {guarded}")
                guarded = "SELECT * FROM guarded"
                texts = _texts(store, cursor, fields, [test for tests in asked.values() for test in tests])
                left = {condition: [possible(test, texts) for test in tests] for condition, tests in asked.items()}
                asked = {condition: tests for condition, tests in left.items() if None not in tests}
            for condition, some in asked.items():
                answers[condition] = f"({guards[condition]} AND {slow.all(some)})"
            tried = {condition: answers[condition] for condition in asked}
            holding = " OR ".join(dict.fromkeys(tried.values())) or "false"
            store.hold(cursor, table, f"SELECT * FROM ({slow.tried(guarded)}) WHERE {holding}", many)
            cursor.execute("DROP TABLE IF EXISTS guarded")
            flags = ", ".join(f"coalesce(bool_or({answer}), false)" for answer in tried.values()) or "NULL"
            rows = store.fetch(cursor, f"SELECT {flags} FROM {table}")
        held = frozenset(condition for condition, holds in zip(tried, rows[0] if rows else (), strict=False) if holds)
        return Candidates(table, tuple(fields), answers, held)

    return store.derived(("candidates", artifacts, source_id, tuple(r.key for r in readers)), build)


def _sorts(
    store: RecordStore, artifacts: tuple[str, ...], source_id: str | None, every: Sequence[tuple[Any, ...]]
) -> _Sorts:
    """The sorts of an artifact set by the fields that most lists of tests ask to be equal to something."""
    asked = Counter(name for tests in every for name in sorted(set(_equals(tests))))
    names = tuple(sorted(name for name, n in asked.most_common(PIVOTS) if 2 * n >= len(every)))
    if not names:
        return _Sorts()

    def build(_: str) -> _Sorts:
        compiler = Compiler()
        columns = ", ".join(f"lower({compiler.column(name)}) AS s{number}" for number, name in enumerate(names))
        records = extracted(store.relation(artifacts, source_id), compiler.columns())
        rows = store.query(f"SELECT DISTINCT {columns} FROM ({records}) ORDER BY ALL LIMIT {SORTS + 1}")
        return _Sorts(names, tuple(tuple(row.values()) for row in rows)) if len(rows) <= SORTS else _Sorts()

    return store.derived(("sorts", artifacts, source_id, names), build)


def _of_sorts(relation: str, sorts: _Sorts, suiting: set[Sort]) -> str:
    """The records of some sorts: what is left out is never read in full."""
    if sorts.values is None:
        return relation
    if not suiting:
        return f"(SELECT * FROM {relation} WHERE false)"
    compiler = Compiler()
    tests = []
    for number, name in enumerate(sorts.names):
        values = sorted({text for v in suiting if (text := v[number]) is not None})
        column = f"lower({compiler.column(name)})"
        tests.append(f"({column} IN ({', '.join(map(quoted, values)) or 'NULL'})")
        tests[-1] += f" OR {column} IS NULL)" if any(v[number] is None for v in suiting) else ")"
    inner = extracted(relation, compiler.columns(), ", data, times")
    return f"(SELECT {BASE}, data, times FROM ({inner}) WHERE {' AND '.join(tests)})"


class _Tests:
    """Tests as columns of a table, each tried once."""

    def __init__(self, compiler: Compiler, prefix: str) -> None:
        self.compiler = compiler
        self.prefix = prefix
        self.columns: dict[str, str] = {}  # test → its column

    def all(self, tests: Iterable[Any]) -> str:
        """That all of some tests hold."""
        texts = map(self.compiler.test, tests)
        return (
            " AND ".join(self.columns.setdefault(t, f"{self.prefix}{len(self.columns) + 1}") for t in texts) or "true"
        )

    def tried(self, records: str) -> str:
        """A query for records and the answers; the list keeps a test from being tried again where its column is named."""
        if not self.columns:
            return records
        listed, prefix = ", ".join(self.columns), self.prefix
        columns = ", ".join(f"{prefix}[{number}] AS {prefix}{number}" for number in range(1, len(self.columns) + 1))
        return (
            f"SELECT * EXCLUDE ({prefix}), {columns} FROM (SELECT *, unnest([[{listed}]]) AS {prefix} FROM ({records}))"
        )


def _by_pattern(test: Any) -> bool:
    return '"regex":' in json.dumps(test)


def _texts(
    store: RecordStore, cursor: duckdb.DuckDBPyConnection, fields: list[str], tests: Sequence[Any]
) -> dict[str, Texts]:
    """All texts that the fields of patterns hold, folded."""
    names = sorted({name for test in tests for name in pattern_fields(test)})
    if not names:
        return {}
    compiler = Compiler(fields)
    columns = ", ".join(f"list(DISTINCT {compiler.column(name)})" for name in names)
    [row] = store.fetch(cursor, f"SELECT {columns} FROM guarded")
    return {n: Texts([v.casefold() for v in values or () if v]) for n, values in zip(names, row, strict=True)}


def _equals(tests: Sequence[Any]) -> Iterator[str]:
    """The fields that tests ask to be equal to something."""
    for test in tests:
        if "any" in test or "all" in test:
            yield from _equals(test.get("any") or test.get("all"))
        elif {"eq", "in"} & set(test) and test["field"] not in UNLISTED:
            yield str(test["field"])


def _asked(tests: Sequence[Any], names: Sequence[str]) -> list[Any]:
    """What tests ask some fields to be equal to: (number of the field, texts), or a list of such lists, one to be passed."""
    out: list[Any] = []
    for test in tests:
        if "any" in test:
            branches = [_asked([branch], names) for branch in test["any"]]
            out += [branches] if all(branches) else []
        elif "all" in test:
            out += _asked(test["all"], names)
        elif {"eq", "in"} & set(test) and test["field"] in names and not PARAMETER.search(json.dumps(test)):
            asked = test["in"] if "in" in test else [test["eq"]]
            texts = {str(v).lower() for v in (asked if isinstance(asked, list) else [asked])}
            out.append((names.index(test["field"]), texts))
    return out


def _may_pass(asked: Sequence[Any], sort: Sort) -> bool:
    """Whether a record of a sort may pass all that is asked: what is asked of other fields, it may have."""
    return all(
        any(_may_pass(branch, sort) for branch in one) if isinstance(one, list) else sort[one[0]] in one[1]
        for one in asked
    )
