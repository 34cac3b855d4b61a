"""Firefox places.sqlite: places, visits, and downloads as annotations.

Source: mozilla-central toolkit/components/places (nsPlacesTables.h), schema 75. Times are microseconds since 1970 UTC.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from wigmore.generator.clocks import posix_ms, posix_us
from wigmore.generator.sqlite_file import database, insert

LINK, TYPED, DOWNLOAD = 1, 2, 7

SCHEMA = """
CREATE TABLE moz_origins(id INTEGER PRIMARY KEY, prefix TEXT NOT NULL, host TEXT NOT NULL, frecency INTEGER NOT NULL,
  recalc_frecency INTEGER NOT NULL DEFAULT 0, alt_frecency INTEGER, recalc_alt_frecency INTEGER NOT NULL DEFAULT 0,
  UNIQUE (prefix, host));
CREATE TABLE moz_places(id INTEGER PRIMARY KEY, url LONGVARCHAR, title LONGVARCHAR, rev_host LONGVARCHAR,
  visit_count INTEGER DEFAULT 0, hidden INTEGER DEFAULT 0 NOT NULL, typed INTEGER DEFAULT 0 NOT NULL,
  frecency INTEGER DEFAULT -1 NOT NULL, last_visit_date INTEGER, guid TEXT, foreign_count INTEGER DEFAULT 0 NOT NULL,
  url_hash INTEGER DEFAULT 0 NOT NULL, description TEXT, preview_image_url TEXT, site_name TEXT,
  origin_id INTEGER REFERENCES moz_origins(id), recalc_frecency INTEGER NOT NULL DEFAULT 0, alt_frecency INTEGER,
  recalc_alt_frecency INTEGER NOT NULL DEFAULT 0);
CREATE TABLE moz_historyvisits(id INTEGER PRIMARY KEY, from_visit INTEGER, place_id INTEGER, visit_date INTEGER,
  visit_type INTEGER, session INTEGER, source INTEGER DEFAULT 0 NOT NULL, triggeringPlaceId INTEGER);
CREATE TABLE moz_anno_attributes(id INTEGER PRIMARY KEY, name VARCHAR(32) UNIQUE NOT NULL);
CREATE TABLE moz_annos(id INTEGER PRIMARY KEY, place_id INTEGER NOT NULL, anno_attribute_id INTEGER,
  content LONGVARCHAR, flags INTEGER DEFAULT 0, expiration INTEGER DEFAULT 0, type INTEGER DEFAULT 0,
  dateAdded INTEGER DEFAULT 0, lastModified INTEGER DEFAULT 0);
CREATE TABLE moz_bookmarks(id INTEGER PRIMARY KEY, type INTEGER, fk INTEGER DEFAULT NULL, parent INTEGER,
  position INTEGER, title LONGVARCHAR, keyword_id INTEGER, folder_type TEXT, dateAdded INTEGER, lastModified INTEGER,
  guid TEXT, syncStatus INTEGER NOT NULL DEFAULT 0, syncChangeCounter INTEGER NOT NULL DEFAULT 1);
CREATE TABLE moz_inputhistory(place_id INTEGER NOT NULL, input LONGVARCHAR NOT NULL, use_count INTEGER,
  PRIMARY KEY (place_id, input));
CREATE TABLE moz_keywords(id INTEGER PRIMARY KEY AUTOINCREMENT, keyword TEXT UNIQUE, place_id INTEGER, post_data TEXT);
"""


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit; a download names the file it was saved as (URI) and its size."""

    at: datetime
    url: str
    title: str
    kind: int = LINK
    saved_as: str = ""
    size: int = 0


def places(path: Path, visits: Iterable[Visit]) -> None:
    """Write a places database; visits are stored in order of time."""
    ordered = sorted(visits, key=lambda visit: (visit.at, visit.url))
    by_url: dict[str, list[Visit]] = {}
    for visit in ordered:
        by_url.setdefault(visit.url, []).append(visit)
    numbers = {url: number for number, url in enumerate(by_url, 1)}
    origins: dict[tuple[str, str], int] = {}
    with database(path, SCHEMA, user_version=75) as connection:
        for url, seen in by_url.items():
            parts = urlsplit(url)
            origin = (f"{parts.scheme}://", parts.netloc)
            if origin not in origins:
                origins[origin] = len(origins) + 1
                row = {"id": origins[origin], "prefix": origin[0], "host": origin[1], "frecency": 100}
                insert(connection, "moz_origins", [row])
            row = {
                "id": numbers[url],
                "url": url,
                "title": seen[-1].title,
                "rev_host": parts.netloc[::-1] + ".",
                "visit_count": len(seen),
                "typed": int(any(v.kind == TYPED for v in seen)),
                "frecency": 100,
                "last_visit_date": posix_us(seen[-1].at),
                "guid": f"generated{numbers[url]:03d}",
                "origin_id": origins[origin],
            }
            insert(connection, "moz_places", [row])
        names = ("downloads/destinationFileURI", "downloads/metaData")
        insert(connection, "moz_anno_attributes", [{"id": n, "name": name} for n, name in enumerate(names, 1)])
        for number, visit in enumerate(ordered, 1):
            at = posix_us(visit.at)
            row = {"id": number, "from_visit": 0, "place_id": numbers[visit.url], "visit_date": at}
            insert(connection, "moz_historyvisits", [{**row, "visit_type": visit.kind, "session": 0}])
            if visit.saved_as:
                detail = {"state": 1, "endTime": posix_ms(visit.at) + 2_000, "fileSize": visit.size}
                note = {
                    "place_id": numbers[visit.url],
                    "flags": 0,
                    "expiration": 4,
                    "type": 3,
                    "dateAdded": at,
                    "lastModified": at,
                }
                insert(
                    connection,
                    "moz_annos",
                    [
                        {**note, "anno_attribute_id": 1, "content": visit.saved_as},
                        {**note, "anno_attribute_id": 2, "content": json.dumps(detail, separators=(",", ":"))},
                    ],
                )
