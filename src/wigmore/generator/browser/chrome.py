"""Chrome History: urls, visits, search terms and downloads.

Source: Chromium components/history/core/browser (url_database.cc, visit_database.cc, download_database.cc), schema 48.
Times are WebKit microseconds; a visit imported or synced has a row in visit_source.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import quote_plus

from wigmore.generator.clocks import webkit
from wigmore.generator.sqlite_file import Row, database, insert

LINK, TYPED, GENERATED, FORM_SUBMIT = 0x10000000, 0x10000001, 0x10000005, 0x10000007  # with chain start
CHAIN_END = 0x20000000

SCHEMA = """
CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR);
CREATE TABLE urls(id INTEGER PRIMARY KEY AUTOINCREMENT, url LONGVARCHAR, title LONGVARCHAR,
  visit_count INTEGER DEFAULT 0 NOT NULL, typed_count INTEGER DEFAULT 0 NOT NULL, last_visit_time INTEGER NOT NULL,
  hidden INTEGER DEFAULT 0 NOT NULL);
CREATE TABLE visits(id INTEGER PRIMARY KEY AUTOINCREMENT, url INTEGER NOT NULL, visit_time INTEGER NOT NULL,
  from_visit INTEGER, transition INTEGER DEFAULT 0 NOT NULL, segment_id INTEGER,
  visit_duration INTEGER DEFAULT 0 NOT NULL,
  incremented_omnibox_typed_score BOOLEAN DEFAULT FALSE NOT NULL, opener_visit INTEGER, originator_cache_guid TEXT,
  originator_visit_id INTEGER);
CREATE TABLE visit_source(id INTEGER PRIMARY KEY, source INTEGER NOT NULL);
CREATE TABLE keyword_search_terms(keyword_id INTEGER NOT NULL, url_id INTEGER NOT NULL, term LONGVARCHAR NOT NULL,
  normalized_term LONGVARCHAR NOT NULL);
CREATE TABLE downloads(id INTEGER PRIMARY KEY, guid VARCHAR NOT NULL, current_path LONGVARCHAR NOT NULL,
  target_path LONGVARCHAR NOT NULL, start_time INTEGER NOT NULL, received_bytes INTEGER NOT NULL,
  total_bytes INTEGER NOT NULL, state INTEGER NOT NULL, danger_type INTEGER NOT NULL, interrupt_reason INTEGER NOT NULL,
  hash BLOB NOT NULL, end_time INTEGER NOT NULL, opened INTEGER NOT NULL, last_access_time INTEGER NOT NULL,
  transient INTEGER NOT NULL, referrer VARCHAR NOT NULL, site_url VARCHAR NOT NULL, tab_url VARCHAR NOT NULL,
  tab_referrer_url VARCHAR NOT NULL, http_method VARCHAR NOT NULL, by_ext_id VARCHAR NOT NULL,
  by_ext_name VARCHAR NOT NULL, etag VARCHAR NOT NULL, last_modified VARCHAR NOT NULL, mime_type VARCHAR(255) NOT NULL,
  original_mime_type VARCHAR(255) NOT NULL);
CREATE TABLE downloads_url_chains(id INTEGER NOT NULL, chain_index INTEGER NOT NULL, url LONGVARCHAR NOT NULL,
  PRIMARY KEY(id, chain_index));
CREATE INDEX visits_url_index ON visits(url);
CREATE INDEX visits_time_index ON visits(visit_time);
CREATE INDEX urls_url_index ON urls(url);
"""


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit; `source` is None for a local one, 0 for synced, 3 for imported from Firefox."""

    at: datetime
    url: str
    title: str
    transition: int = LINK | CHAIN_END
    seconds: float = 20.0
    source: int | None = None
    search: str = ""


@dataclass(frozen=True, slots=True)
class Download:
    """One completed download."""

    started: datetime
    ended: datetime
    url: str
    target: str
    size: int
    mime_type: str
    referrer: str = ""
    opened: bool = False
    chain: tuple[str, ...] = field(default=())


def search(at: datetime, term: str, engine: str = "https://search.example.com/search?q=") -> Visit:
    """A visit to a search engine's result page with its search term."""
    return Visit(at, engine + quote_plus(term), f"{term} - Example Search", GENERATED | CHAIN_END, 30.0, None, term)


def history(path: Path, visits: Iterable[Visit], downloads: Iterable[Download] = ()) -> None:
    """Write a History database; visits are stored in order of time."""
    ordered = sorted(visits, key=lambda visit: (visit.at, visit.url))
    by_url: dict[str, list[Visit]] = {}
    for visit in ordered:
        by_url.setdefault(visit.url, []).append(visit)
    numbers = {url: number for number, url in enumerate(by_url, 1)}
    with database(path, SCHEMA) as connection:
        insert(
            connection, "meta", [{"key": "version", "value": "48"}, {"key": "last_compatible_version", "value": "16"}]
        )
        connection.executemany(
            "INSERT INTO urls VALUES (?,?,?,?,?,?,0)",
            [
                (
                    numbers[url],
                    url,
                    seen[-1].title,
                    len(seen),
                    sum(v.transition & 0xFF == 1 for v in seen),
                    webkit(seen[-1].at),
                )
                for url, seen in by_url.items()
            ],
        )
        connection.executemany(
            "INSERT INTO visits(id, url, visit_time, from_visit, transition, segment_id, visit_duration) "
            "VALUES (?,?,?,0,?,0,?)",
            [
                (number, numbers[v.url], webkit(v.at), v.transition, int(v.seconds * 1_000_000))
                for number, v in enumerate(ordered, 1)
            ],
        )
        for number, visit in enumerate(ordered, 1):
            if visit.source is not None:
                insert(connection, "visit_source", [{"id": number, "source": visit.source}])
            if visit.search:
                term = {"keyword_id": 2, "url_id": numbers[visit.url], "term": visit.search}
                insert(connection, "keyword_search_terms", [{**term, "normalized_term": visit.search.lower()}])
        for number, item in enumerate(downloads, 1):
            insert(connection, "downloads", [_download(number, item)])
            chain = item.chain or (item.url,)
            insert(
                connection,
                "downloads_url_chains",
                [{"id": number, "chain_index": index, "url": url} for index, url in enumerate(chain)],
            )


def _download(number: int, item: Download) -> Row:
    ended = webkit(item.ended)
    return {
        "id": number,
        "guid": f"00000000-0000-4000-8000-{number:012d}",
        "current_path": item.target,
        "target_path": item.target,
        "start_time": webkit(item.started),
        "received_bytes": item.size,
        "total_bytes": item.size,
        "state": 1,
        "danger_type": 0,
        "interrupt_reason": 0,
        "hash": b"",
        "end_time": ended,
        "opened": int(item.opened),
        "last_access_time": ended if item.opened else 0,
        "transient": 0,
        "referrer": item.referrer,
        "site_url": "",
        "tab_url": item.referrer,
        "tab_referrer_url": "",
        "http_method": "GET",
        "by_ext_id": "",
        "by_ext_name": "",
        "etag": "",
        "last_modified": "",
        "mime_type": item.mime_type,
        "original_mime_type": item.mime_type,
    }
