"""Safari History.db of iOS and macOS.

Source: table and column names after published examinations (history_items, history_visits; origin 0 local, 1 iCloud).
visit_time is seconds since 2001 UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wigmore.generator.clocks import cocoa
from wigmore.generator.sqlite_file import database, insert

SCHEMA = """
CREATE TABLE history_items (id INTEGER PRIMARY KEY AUTOINCREMENT, url TEXT NOT NULL UNIQUE, domain_expansion TEXT NULL,
  visit_count INTEGER NOT NULL, daily_visit_counts BLOB NOT NULL, weekly_visit_counts BLOB NULL,
  autocomplete_triggers BLOB NULL, should_recompute_derived_visit_counts INTEGER NOT NULL,
  visit_count_score INTEGER NOT NULL, status_code INTEGER NOT NULL DEFAULT 0);
CREATE TABLE history_visits (id INTEGER PRIMARY KEY AUTOINCREMENT, history_item INTEGER NOT NULL
  REFERENCES history_items(id) ON DELETE CASCADE, visit_time REAL NOT NULL, title TEXT NULL,
  load_successful BOOLEAN NOT NULL DEFAULT 1, http_non_get BOOLEAN NOT NULL DEFAULT 0,
  synthesized BOOLEAN NOT NULL DEFAULT 0, redirect_source INTEGER NULL UNIQUE, redirect_destination INTEGER NULL UNIQUE,
  origin INTEGER NOT NULL DEFAULT 0, generation INTEGER NOT NULL DEFAULT 0, attributes INTEGER NOT NULL DEFAULT 0,
  score INTEGER NOT NULL DEFAULT 0);
CREATE TABLE history_tombstones (id INTEGER PRIMARY KEY AUTOINCREMENT, start_time REAL NOT NULL, end_time REAL NOT NULL,
  url TEXT, generation INTEGER NOT NULL DEFAULT 0);
CREATE TABLE metadata (key TEXT NOT NULL UNIQUE, value);
"""


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit; `synced` came from another device through iCloud."""

    at: datetime
    url: str
    title: str
    synced: bool = False


def history(path: Path, visits: Iterable[Visit]) -> None:
    """Write a Safari history."""
    ordered = sorted(visits, key=lambda visit: (visit.at, visit.url))
    numbers = {url: n for n, url in enumerate(dict.fromkeys(visit.url for visit in ordered), 1)}
    with database(path, SCHEMA) as connection:
        for url, number in numbers.items():
            count = sum(visit.url == url for visit in ordered)
            row = {
                "id": number,
                "url": url,
                "domain_expansion": url.split("/")[2].removeprefix("www.").split(".")[0],
                "visit_count": count,
                "daily_visit_counts": bytes([min(count, 255), 0, 0, 0]),
                "should_recompute_derived_visit_counts": 0,
                "visit_count_score": 100 * count,
            }
            insert(connection, "history_items", [row])
        for number, visit in enumerate(ordered, 1):
            row = {
                "id": number,
                "history_item": numbers[visit.url],
                "visit_time": cocoa(visit.at),
                "title": visit.title,
            }
            insert(connection, "history_visits", [{**row, "origin": int(visit.synced)}])
