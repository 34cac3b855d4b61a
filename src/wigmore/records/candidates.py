"""Candidates: of the records of some artifacts, those that any of many readers could want, read once for all of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wigmore.records.compiler import Compiler, extracted
from wigmore.records.store import RecordStore

if TYPE_CHECKING:
    import duckdb

FEW = 50_000  # records that may be held past the guards; of more, only those that pass a whole condition are


@dataclass(frozen=True)
class Reader:
    """What one rule or question reads: its lists of tests (records that pass one of them matter), and further fields."""

    key: str  # says what the reader is, for the cache
    tests: tuple[tuple[Any, ...], ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidates:
    """A table of the store: BASE, `moment`, `f1`… (the fields) and `m1`… (which conditions hold)."""

    table: str
    fields: tuple[str, ...]  # names of f1, f2…
    conditions: dict[str, str]  # condition → the column that holds its answer
    held: frozenset[str] = frozenset()  # the conditions that hold for some record


def candidates(
    store: RecordStore, artifacts: tuple[str, ...], source_id: str | None, readers: Sequence[Reader]
) -> Candidates:
    """The candidates of an artifact set in one source (or all); made anew when parts come, or for other readers."""

    def build(table: str) -> Candidates:
        fields: list[str] = []
        wanted: dict[str, str] = {}  # condition → guard
        for reader in readers:
            compiler = Compiler(fields, superset=True)
            for name in reader.names:
                compiler.column(name)
            for tests in reader.tests:
                # the guard holds wherever the condition does, and leaves its patterns out: those are slow to set up
                plain = [t for t in tests if '"regex":' not in json.dumps(t)]
                wanted[compiler.condition(tests)] = compiler.condition(plain or tests)
        answers = {condition: f"m{number}" for number, condition in enumerate(wanted, 1)}
        few = sum(p.rows for p in store.chosen(artifacts, source_id)) <= FEW
        guards = " OR ".join(dict.fromkeys(wanted.values() if few else wanted)) or "false"
        taken = extracted(store.relation(artifacts, source_id), fields)
        with store.connection().cursor() as cursor:
            cursor.execute(f"CREATE TEMP TABLE guarded AS SELECT * FROM ({taken}) WHERE {guards}")
            # where no record passes a guard, its condition's patterns are not even set up
            passed = _any(cursor, "guarded", list(dict.fromkeys(wanted.values())))
            tried = "".join(
                f", coalesce({condition if wanted[condition] in passed else 'false'}, false) AS {name}"
                for condition, name in answers.items()
            )
            cursor.execute(f"CREATE TEMP TABLE tried AS SELECT *{tried} FROM guarded")
            cursor.execute(
                f"CREATE TABLE {table} AS SELECT * FROM tried WHERE {' OR '.join(answers.values()) or 'false'}"
            )
            cursor.execute("DROP TABLE guarded; DROP TABLE tried")
            holding = _any(cursor, table, list(answers.values()))
        held = frozenset(condition for condition, name in answers.items() if name in holding)
        return Candidates(table, tuple(fields), answers, held)

    return store.derived(("candidates", artifacts, source_id, tuple(r.key for r in readers)), build)


def _any(cursor: duckdb.DuckDBPyConnection, table: str, conditions: Sequence[str]) -> set[str]:
    """Which of several conditions hold for some row of a table."""
    flags = ", ".join(f"coalesce(bool_or({condition}), false)" for condition in conditions)
    row = cursor.execute(f"SELECT {flags or 'false'} FROM {table}").fetchone() or ()
    return {condition for condition, holds in zip(conditions, row, strict=False) if holds}
