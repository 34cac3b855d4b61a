"""The tables of the ledger: `meta` and `events` are the truth, `counts` and `keys` caches that events rebuild."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any

from wigmore.model.canonical import clean

SCHEMA = 1  # raised when an older program could no longer read what this one writes

TRUTH = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE events (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, at TEXT NOT NULL, body BLOB NOT NULL, "
    "hash BLOB NOT NULL)",
)
CACHES = (
    "CREATE TABLE {counts} (kind TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE {keys} (kind TEXT NOT NULL, key TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (kind, key)) "
    "WITHOUT ROWID",
)
STORED = {"counts": "counts", "keys": "keys"}
FRESH = {"counts": "temp.counts_rebuilt", "keys": "temp.keys_rebuilt"}  # what verification compares with

Key = tuple[str, str, int]  # kind, body["id"], seq


def key_of(body: dict[str, Any]) -> str | None:
    """The name under which `find` finds an event: its body's `id`, where that is a text."""
    name = body.get("id")
    return clean(name) if isinstance(name, str) else None


def make_tables(connection: sqlite3.Connection, tables: dict[str, str]) -> None:
    """Make the two caches under the given names, empty."""
    for name, statement in zip(("counts", "keys"), CACHES, strict=True):
        connection.execute(f"DROP TABLE IF EXISTS {tables[name]}")
        connection.execute(statement.format(**tables))


def project(
    connection: sqlite3.Connection, kinds: Counter[str], keys: Iterable[Key], tables: dict[str, str] = STORED
) -> None:
    """Bring the caches forward by some events: how many of each kind, and the newest event of each id."""
    connection.executemany(
        f"INSERT INTO {tables['counts']} VALUES (?, ?) ON CONFLICT (kind) DO UPDATE SET n = n + excluded.n",
        kinds.items(),
    )
    connection.executemany(
        f"INSERT INTO {tables['keys']} VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET seq = excluded.seq",
        keys,
    )


def make_schema(connection: sqlite3.Connection) -> None:
    """Make all tables of an empty ledger."""
    for statement in TRUTH:
        connection.execute(statement)
    make_tables(connection, STORED)
    connection.execute("INSERT INTO meta VALUES ('schema', ?)", (SCHEMA,))


def _definitions(connection: sqlite3.Connection) -> dict[str, tuple[str, ...]]:
    rows = connection.execute("SELECT name, type, tbl_name, sql FROM main.sqlite_master")
    return {str(name): tuple(map(str, definition)) for name, *definition in rows}


@cache
def _expected() -> dict[str, tuple[str, ...]]:
    connection = sqlite3.connect(":memory:")
    make_schema(connection)
    definitions = _definitions(connection)
    connection.close()
    return definitions


def altered(connection: sqlite3.Connection) -> list[str]:
    """Names of tables, triggers, views or indexes that are missing, changed, or not ours."""
    found, expected = _definitions(connection), _expected()
    return sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
