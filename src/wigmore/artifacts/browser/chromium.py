"""History of Chromium browsers (Chrome, Edge, Brave, Opera, Vivaldi, WebView): visits, searches, downloads."""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import (
    Data,
    Query,
    named,
    read_queries,
    webkit_or_seconds,
    webkit_time,
)
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.protocols import EvidenceFile, Yield
from wigmore.registry import parser

CORE = {
    0: "link", 1: "typed", 2: "auto_bookmark", 3: "auto_subframe", 4: "manual_subframe", 5: "generated",
    6: "auto_toplevel", 7: "form_submit", 8: "reload", 9: "keyword", 10: "keyword_generated",
}  # fmt: skip
QUALIFIERS = {
    0x00800000: "blocked", 0x01000000: "forward_back", 0x02000000: "from_address_bar", 0x04000000: "home_page",
    0x08000000: "from_api", 0x10000000: "chain_start", 0x20000000: "chain_end", 0x40000000: "client_redirect",
    0x80000000: "server_redirect",
}  # fmt: skip
SOURCES = {
    0: "synced", 1: "browsed", 2: "extension", 3: "imported from Firefox", 4: "imported from Internet Explorer",
    5: "imported from Safari",
}  # fmt: skip
STATES = {0: "in progress", 1: "complete", 2: "cancelled", 3: "interrupted", 4: "interrupted"}
DANGERS = {
    0: "not dangerous", 1: "dangerous file", 2: "dangerous URL", 3: "dangerous content", 4: "maybe dangerous content",
    5: "uncommon content", 6: "user validated", 7: "dangerous host", 8: "potentially unwanted",
    9: "allowlisted by policy",
}  # fmt: skip


def transition(value: int) -> str:
    """The page transition in words: its core type and qualifiers."""
    value &= 0xFFFFFFFF
    words = [CORE.get(value & 0xFF, f"unknown ({value & 0xFF})")]
    return ", ".join(words + [name for bit, name in QUALIFIERS.items() if value & bit])


def _visit(data: Data, database: Database) -> None:
    if isinstance(data.get("transition"), int):
        data["transition_name"] = transition(data["transition"])
    # Chromium writes a row to visit_source only for what was not browsed here
    source = data.get("source")
    if database.has("visit_source"):
        data["visit_source"] = "browsed" if source is None else SOURCES.get(source, f"unknown ({source})")
    if source in (3, 4, 5):
        data["_origin"] = "imported"
    elif source == 0 or data.get("originator_cache_guid"):
        data["_origin"] = "synced"
    elif database.has("visit_source"):
        data["_origin"] = "local"
    if isinstance(data.get("visit_duration"), int):
        data["visit_duration_seconds"] = data["visit_duration"] / 1_000_000


def _download(data: Data, database: Database) -> None:
    named(data, "state", STATES)
    named(data, "danger_type", DANGERS)
    if database.has("downloads_url_chains", "id", "chain_index", "url"):
        chain = database.related(
            "SELECT url FROM downloads_url_chains WHERE id = ? ORDER BY chain_index", data.get("id")
        )
        data["url_chain"] = [url for (url,) in chain]
        if chain:
            data["url"] = chain[-1][0]
    if data.get("by_ext_id"):
        data["started_by_extension"] = data["by_ext_id"]


HISTORY = Layout(
    paths=("history",),
    tables=(("urls", ("url", "title", "visit_count", "last_visit_time")), ("visits", ("visit_time", "transition"))),
)
VISITS = Query(
    "browser.chromium.visit",
    ("visits v", "LEFT JOIN urls u ON u.id = v.url", "LEFT JOIN visit_source s ON s.id = v.id"),
    "v.id v.visit_time v.from_visit v.opener_visit v.transition v.visit_duration v.originator_cache_guid "
    "v.originator_visit_id u.url u.title u.visit_count u.typed_count u.hidden s.source",
    "v.id",
    {"visit_time": webkit_time},
    derive=_visit,
)
URLS = Query(
    "browser.chromium.url",
    ("urls u",),
    "u.id u.url u.title u.visit_count u.typed_count u.last_visit_time u.hidden",
    "u.id",
    {"last_visit_time": webkit_time},
)
SEARCHES = Query(
    "browser.chromium.search",
    ("keyword_search_terms k", "LEFT JOIN urls u ON u.id = k.url_id"),
    "k.term k.normalized_term k.keyword_id k.url_id u.url u.title u.visit_count u.last_visit_time",
    "k.rowid",
    {"last_visit_time": webkit_time},
)
DOWNLOADS = Query(
    "browser.chromium.download",
    ("downloads d",),
    "d.id d.guid d.url d.full_path d.current_path d.target_path d.start_time d.end_time d.last_access_time "
    "d.received_bytes d.total_bytes d.state d.danger_type d.interrupt_reason d.hash d.opened d.referrer d.site_url "
    "d.tab_url d.tab_referrer_url d.http_method d.by_ext_id d.by_ext_name d.etag d.last_modified d.mime_type "
    "d.original_mime_type",
    "d.id",
    {"start_time": webkit_or_seconds, "end_time": webkit_or_seconds, "last_access_time": webkit_time},
    derive=_download,
)


@parser(
    "browser.chromium.history",
    claims=HISTORY,
    reads="History databases of Chromium browsers, all schema versions since Chrome 8",
    means="this profile recorded a visit, a search or a download; visit_source says whether it happened here",
    does_not_mean="that a person saw the page; imported and synced visits did not happen in this browser",
    refs=(
        "https://source.chromium.org/chromium/chromium/src/+/main:components/history/core/browser/",
        "https://source.chromium.org/chromium/chromium/src/+/main:ui/base/page_transition_types.h",
    ),
    artifacts=tuple(q.artifact for q in (VISITS, SEARCHES, DOWNLOADS, URLS)),
)
def history(file: EvidenceFile) -> Iterator[Yield]:
    """Visits with their page, search terms, downloads with their URL chain, and the URL table."""
    yield from read_queries(file, HISTORY, (VISITS, SEARCHES, DOWNLOADS, URLS))
