"""Safari: history, tabs, bookmarks and reading list, downloads, and the binary cookie file of Apple's URL loading."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.generic.plist import flat, load_plist
from wigmore.artifacts.generic.plist_reader import PlistDate, is_plist
from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import Data, Query, apple, opened, read_queries, settled
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.model.times import Time, cocoa
from wigmore.registry import Claim, parser

HISTORY = Layout(
    paths=("history.db",),
    tables=(("history_items", ("url", "visit_count")), ("history_visits", ("history_item", "visit_time"))),
)
TABS = Layout(paths=("browserstate.db",), tables=(("tabs", ("title", "url", "last_viewed_time")),))
MARKS = Layout(
    paths=("bookmarks.db", "safaritabs.db"), tables=(("bookmarks", ("title", "url", "parent", "external_uuid")),)
)


def _visit(data: Data, database: Database) -> None:
    if "origin" in data:
        data["_origin"] = "synced" if data["origin"] == 1 else "local" if data["origin"] == 0 else ""


VISIT = Query(
    "browser.safari.visit",
    ("history_visits v", "LEFT JOIN history_items i ON i.id = v.history_item",
     "LEFT JOIN history_visits r ON r.id = v.redirect_source", "LEFT JOIN history_items s ON s.id = r.history_item"),
    "v.id v.visit_time v.title v.load_successful v.http_non_get v.synthesized v.origin v.redirect_source "
    "v.redirect_destination i.url i.visit_count i.domain_expansion s.url:redirected_from",
    "v.id",
    {"visit_time": apple},
    derive=_visit,
)  # fmt: skip
TOMBSTONE = Query(
    "browser.safari.cleared",
    ("history_tombstones t",),
    "t.id t.start_time t.end_time t.url t.generation",
    "t.id",
    {"end_time": apple, "start_time": apple},
)
TAB = Query(
    "browser.safari.tab",
    ("tabs t",),
    "t.id t.uuid t.title t.url t.user_visible_url t.last_viewed_time t.opened_from_link t.private_browsing",
    "t.rowid",
    {"last_viewed_time": apple},
)
MARK = Query(
    "browser.safari.bookmark",
    ("bookmarks b", "LEFT JOIN bookmarks f ON f.id = b.parent"),
    "b.id b.type b.title b.url b.read b.hidden b.deleted b.last_modified b.external_uuid b.date_closed f.title:folder "
    "b.extra_attributes b.local_attributes",
    "b.id",
    {"last_modified": apple, "date_closed": apple},
    derive=lambda data, database: opened(data, "extra_attributes", "local_attributes"),
)


@parser(
    "browser.safari.history", claims=HISTORY,
    reads="History.db of Safari on macOS and iOS",
    means="Safari recorded a visit; origin 1 came from another device of the account; tombstones are cleared spans",
    does_not_mean="that a person saw the page",
    refs=("https://developer.apple.com/documentation/webkit/", "https://www.sqlite.org/fileformat2.html"),
    artifacts=(VISIT.artifact, TOMBSTONE.artifact),
)  # fmt: skip
def history(file: EvidenceFile) -> Iterator[Yield]:
    """Visits with page and redirecting page, cleared spans."""
    yield from read_queries(file, HISTORY, (VISIT, TOMBSTONE))


@parser(
    "browser.safari.tabs", claims=TABS,
    reads="BrowserState.db of Safari on iOS",
    means="the tab was open in Safari and last viewed then",
    does_not_mean="that the page was read",
    refs=("https://www.sqlite.org/fileformat2.html",), artifacts=(TAB.artifact,),
)  # fmt: skip
def tabs(file: EvidenceFile) -> Iterator[Yield]:
    """One record an open tab."""
    yield from read_queries(file, TABS, (TAB,))


@parser(
    "browser.safari.bookmark_database", claims=MARKS,
    reads="Bookmarks.db and SafariTabs.db of Safari",
    means="the bookmark, reading-list entry or tab is stored in the account's Safari",
    does_not_mean="a visit on this device: the list is synchronised",
    refs=("https://www.sqlite.org/fileformat2.html",), artifacts=(MARK.artifact,),
)  # fmt: skip
def bookmark_database(file: EvidenceFile) -> Iterator[Yield]:
    """One record an entry, with its folder."""
    yield from read_queries(file, MARKS, (MARK,))


def _named_plist(*names: str) -> Claim:
    return Claim(paths=names, look=lambda head, path, size: is_plist(head))


def _number_time(value: Any) -> Time | None:
    try:
        return cocoa(float(value)) if abs(float(value)) < 2.6e11 else None
    except (TypeError, ValueError):
        return None


@parser(
    "browser.safari.history_plist", claims=_named_plist("history.plist"),
    reads="History.plist of Safari before version 8",
    means="Safari recorded visits to the page, the last one at that time",
    does_not_mean="that a person saw the page",
    refs=("https://developer.apple.com/library/archive/documentation/Cocoa/Conceptual/PropertyLists/",),
    artifacts=("browser.safari.visit",),
)  # fmt: skip
def history_plist(file: EvidenceFile) -> Iterator[Yield]:
    """One record a page."""
    root = load_plist(file)
    listed = root.get("WebHistoryDates") if isinstance(root, dict) else None
    if not isinstance(listed, list):
        raise ParseError(file.path, None, "no WebHistoryDates in it", "schema_unknown")
    for index, page in enumerate(listed):
        if not isinstance(page, dict):
            continue
        data, times = flat({k or "url": v for k, v in page.items() if k != "lastVisitedDate"})
        last = _number_time(page.get("lastVisitedDate"))
        if last:
            times["lastVisitedDate"] = last
        yield (
            {"kind": "key", "key": f"WebHistoryDates[{index}]"},
            Record(data, times, "lastVisitedDate" if last else None, artifact="browser.safari.visit"),
        )


@parser(
    "browser.safari.bookmarks_plist", claims=_named_plist("bookmarks.plist"),
    reads="Bookmarks.plist of Safari",
    means="the bookmark or reading-list entry is stored in this account's Safari",
    does_not_mean="a visit: the list is synchronised and partly preset",
    refs=("https://developer.apple.com/library/archive/documentation/Cocoa/Conceptual/PropertyLists/",),
    artifacts=("browser.safari.bookmark",),
)  # fmt: skip
def bookmarks_plist(file: EvidenceFile) -> Iterator[Yield]:
    """One record a bookmark, with the path of its folders."""
    stack: list[tuple[str, str, Any, int]] = [("", "", load_plist(file), 0)]
    while stack:
        where, folder, node, level = stack.pop()
        if not isinstance(node, dict):
            continue
        children = node.get("Children")
        if node.get("WebBookmarkType") == "WebBookmarkTypeLeaf" or "URLString" in node:
            data, times = flat({k: v for k, v in node.items() if k not in ("Sync", "imageURL")})
            data["folder"] = folder
            dated = next((k for k in times if k.endswith("DateAdded")), None)
            yield {"kind": "key", "key": where}, Record(data, times, dated, artifact="browser.safari.bookmark")
        if isinstance(children, list) and level < 64:
            here = f"{folder}/{node.get('Title', '')}" if node.get("Title") else folder
            stack.extend(
                (f"{where}.Children[{i}]", here, child, level + 1) for i, child in reversed(list(enumerate(children)))
            )


@parser(
    "browser.safari.downloads", claims=_named_plist("downloads.plist"),
    reads="Downloads.plist of Safari",
    means="Safari downloaded the URL to the path",
    does_not_mean="that the file is still there or was opened",
    refs=("https://developer.apple.com/library/archive/documentation/Cocoa/Conceptual/PropertyLists/",),
    artifacts=("browser.safari.download",),
)  # fmt: skip
def downloads(file: EvidenceFile) -> Iterator[Yield]:
    """One record a download."""
    root = load_plist(file)
    listed = root.get("DownloadHistory") if isinstance(root, dict) else None
    if not isinstance(listed, list):
        raise ParseError(file.path, None, "no DownloadHistory in it", "schema_unknown")
    for index, entry in enumerate(listed):
        if isinstance(entry, dict):
            kept = {k: v for k, v in entry.items() if not isinstance(v, bytes) or isinstance(v, PlistDate)}
            data, times = flat(kept)
            dated = next((k for k in ("DownloadEntryDateAddedKey", "DownloadEntryDateFinishedKey") if k in times), None)
            yield (
                {"kind": "key", "key": f"DownloadHistory[{index}]"},
                Record(data, times, dated, artifact="browser.safari.download"),
            )


def _string(cookie: bytes, at: int) -> str:
    end = cookie.find(b"\0", at)
    return shown(cookie[at : end if end >= 0 else len(cookie)]) if 0 < at < len(cookie) else ""


@parser(
    "browser.safari.cookies", claims=Claim(magic=((0, b"cook"),)),
    reads="Cookies.binarycookies of Safari and of apps on macOS and iOS",
    means="a host set this cookie in this app",
    does_not_mean="a deliberate visit: embedded third parties set cookies too",
    refs=("https://github.com/libyal/dtformats/blob/main/documentation/Safari%20Cookies.asciidoc",),
    artifacts=("browser.safari.cookie",),
)  # fmt: skip
def binary_cookies(file: EvidenceFile) -> Iterator[Yield]:
    """One record a cookie; pages and cookies that do not fit are gaps."""
    raw = file.read(256 * 1024 * 1024)
    if len(raw) < 8:
        raise ParseError(file.path, 0, "shorter than its header", "truncated")
    pages = int.from_bytes(raw[4:8], "big")
    if 8 + pages * 4 > len(raw):
        raise ParseError(file.path, 4, f"{pages} pages do not fit {len(raw)} bytes", "truncated")
    start = 8 + pages * 4
    for size in struct.unpack(f">{pages}I", raw[8:start]):
        page = raw[start : start + size]
        if len(page) < size or size < 8 or page[:4] != b"\0\0\1\0":
            yield Gap(
                "a page of cookies is cut or has another signature",
                start,
                "truncated" if len(page) < size else "damaged",
            )
            start += size
            continue
        count = int.from_bytes(page[4:8], "little")
        if 8 + count * 4 > size:
            yield Gap(f"{count} cookies do not fit their page", start)
            start += size
            continue
        for at in struct.unpack(f"<{count}I", page[8 : 8 + count * 4]):
            cookie = page[at : at + int.from_bytes(page[at : at + 4], "little")] if at + 56 <= size else b""
            if len(cookie) < 56:
                yield Gap("a cookie is cut", start + at)
                continue
            flags, url, name, path, value = struct.unpack_from("<8xI4x4I", cookie)
            expires, created = struct.unpack_from("<dd", cookie, 40)
            times = {
                key: time for key, seconds in (("created", created), ("expires", expires)) if (time := apple(seconds))
            }
            data = {
                "host": _string(cookie, url),
                "name": _string(cookie, name),
                "path": _string(cookie, path),
                "value": _string(cookie, value),
                "flags": flags,
                "secure": bool(flags & 1),
                "http_only": bool(flags & 4),
            }
            yield (
                {"kind": "offset", "offset": start + at, "length": len(cookie)},
                Record(
                    settled(data), times, "created" if "created" in times else None, artifact="browser.safari.cookie"
                ),
            )
        start += size
