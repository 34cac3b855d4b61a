"""Cache.db of Apple's URL loading system (NSURLCache): what an app requested, what came back, and when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.generic.plist_reader import decode_blob
from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import Data, Query, read_queries, text_utc
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Yield
from wigmore.registry import parser

CACHE = Layout(
    tables=(("cfurl_cache_response", ("entry_ID", "request_key", "time_stamp")), ("cfurl_cache_blob_data", ())),
    paths=("cache.db",),
)


def _items(blob: Any) -> list[Any]:
    decoded = decode_blob(blob) if isinstance(blob, bytes) else None
    found = decoded.get("Array") if isinstance(decoded, dict) else None
    return found if isinstance(found, list) else []


def _headers(items: list[Any], *wanted: str) -> dict[str, Any] | None:
    for item in items:
        if isinstance(item, dict) and any(key.lower() in wanted for key in item):
            return {key: value for key, value in item.items() if not key.startswith("__")}
    return None


def _entry(data: Data, database: Database) -> None:
    response, request = _items(data.pop("response_object", None)), _items(data.pop("request_object", None))
    status = next((i for i in response if isinstance(i, int) and not isinstance(i, bool) and 100 <= i < 600), None)
    data["status"] = status
    data["response_headers"] = _headers(response, "content-type", "date", "server", "content-length", "etag")
    data["method"] = next((i for i in request if i in ("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH")), None)
    data["request_headers"] = _headers(request, "user-agent", "accept", "accept-language", "authorization")
    body = data.pop("receiver_data", None)
    if data.get("isDataOnFS") == 1:
        name = shown(body) if isinstance(body, bytes) else body
        data["body_file"] = f"fsCachedData/{name}"
    elif isinstance(body, (int, float)):  # no body: a damaged row, or another writer's
        data["body"] = body
    elif body is not None:
        raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        decoded = decode_blob(raw)
        data["body"] = raw if decoded is None else decoded
        data["body_size"] = len(raw)


ENTRY = Query(
    "ios.url_cache",
    ("cfurl_cache_response r", "LEFT JOIN cfurl_cache_blob_data b ON b.entry_ID = r.entry_ID",
     "LEFT JOIN cfurl_cache_receiver_data d ON d.entry_ID = r.entry_ID"),
    "r.entry_ID r.request_key r.time_stamp r.partition r.storage_policy b.response_object b.request_object "
    "d.isDataOnFS "
    "d.receiver_data",
    "r.entry_ID",
    {"time_stamp": text_utc},
    derive=_entry,
)  # fmt: skip


@parser(
    "ios.url_cache",
    claims=CACHE,
    reads="Cache.db of apps on iOS and macOS",
    means="the app requested this address and cached the answer at that time (UTC)",
    does_not_mean="that a person asked for it or saw it",
    refs=("https://developer.apple.com/documentation/foundation/urlcache",),
    artifacts=(ENTRY.artifact,),
)
def url_cache(file: EvidenceFile) -> Iterator[Yield]:
    """One record a cached answer: address, method, status, headers, a small body or the file that holds it."""
    yield from read_queries(file, CACHE, (ENTRY,))
