"""WebCacheV01.dat of Internet Explorer 10/11 and Edge (EdgeHTML): history, cache, cookies, downloads, web storage.

Each row of the table Containers names a kind of content and the table `Container_N` that holds its entries. Times are
FILETIMEs. Container names and columns: libyal, esedb-kb; Microsoft, INTERNET_CACHE_ENTRY_INFO (wininet.h).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from wigmore.artifacts.generic.plist_reader import shortened
from wigmore.artifacts.windows.ese_reader import (
    REFERENCE,
    SIGNATURE,
    Database,
    EseClaim,
    Row,
    any_record,
    header_of,
    not_fitting,
    open_ese,
)
from wigmore.artifacts.windows.ese_values import HEADER, settle, snake
from wigmore.model.canonical import clean, shown
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import Time, filetime
from wigmore.registry import parser

CONTAINERS = "Containers"
LAYOUT = EseClaim(
    paths=("webcachev*.dat", "spartan.edb"), magic=(SIGNATURE,), both=True, tables=(CONTAINERS,),
    sure=("webcachev01.dat", "webcachev24.dat"),
)  # fmt: skip
KINDS = ("visit", "cache", "cookie", "download", "storage", "hsts", "container", "entry", "row")
NUMBERED = re.compile(r"(?P<kind>[A-Za-z]+?)(?:Ex)?_(?P<number>\d+)(?:_\d+)?$")
VISITED = re.compile(r"(?:(?P<label>Visited|:\d{16}): ?)(?P<user>[^@/]*)@(?P<page>.*)", re.DOTALL)
PERIOD = re.compile(r":?(\d{4})(\d\d)(\d\d)(\d{4})(\d\d)(\d\d)")
TIMES = {
    "accessed_time": "accessed", "creation_time": "created", "expiry_time": "expires", "modified_time": "modified",
    "sync_time": "synchronised", "post_check_time": "last_checked", "last_access_time": "last_accessed",
    "last_scavenge_time": "last_scavenged", "expires": "expires", "last_modified": "modified", "last_time_used": "last_used",
}  # fmt: skip
# CacheEntryType of INTERNET_CACHE_ENTRY_INFO
FLAGS = {
    0x1: "normal", 0x4: "sticky", 0x8: "edited", 0x10: "tracked offline", 0x20: "tracked online", 0x10000: "sparse",
    0x100000: "cookie", 0x200000: "history",
}  # fmt: skip
CONTAINED = 100_000  # containers that are kept
HEADERS, STRINGS = 16_384, 64  # characters of response headers; texts of a download that are shown
NAMES = {"filename": "file_name", "file_extension": "extension"}


def kind_of(name: str, directory: str) -> str:
    """The kind of record that a container's entries are, by its name."""
    low = name.lower()
    if low == "history" or low.startswith("mshist"):
        return "visit"
    if low == "content" or low.startswith("content"):
        return "cache"
    if low.startswith("cookie"):
        return "cookie"
    if low == "iedownload":
        return "download"
    return "storage" if low == "domstore" or "\\domstore" in directory.lower() else "entry"


def page_of(location: str) -> dict[str, Any]:
    """Page, account and period that the stored address of a history entry has in front of it."""
    found = VISITED.match(location)
    if not found:
        return {"url": location}
    out: dict[str, Any] = {"url": found["page"], "user": found["user"], "location": location}
    period = PERIOD.match(found["label"])
    if period:
        try:
            first, last = (datetime(*map(int, period.groups()[i : i + 3])) for i in (0, 3))  # type: ignore[arg-type]  # three numbers: year, month, day
            out |= {"period_from": first.date().isoformat(), "period_to": last.date().isoformat()}
        except ValueError:
            out["period"] = found["label"]
    return out


def texts_in(raw: bytes, least: int = 4) -> list[str]:
    """UTF-16 texts of at least `least` printable characters with some ASCII among them, on even places, in order."""
    out: list[str] = []
    for text in re.split("[^\x20-\x7e\xa0-\ud7ff\uf900-\ufffc]", raw[: 256 * 1024].decode("utf-16-le", "replace")):
        if len(text) >= least and text.isprintable() and sum(c.isascii() for c in text) * 4 >= len(text):
            out.append(clean(text))
        if len(out) >= STRINGS:
            break
    return out


def download(raw: bytes) -> dict[str, Any]:
    """What the blob of a download entry says: its texts, of which the last is the target and one the address.

    The blob has no published description: its texts are shown in stored order, and named by their form only.
    """
    texts = texts_in(raw)
    out: dict[str, Any] = {"texts": texts}
    paths = [text for text in texts if re.match(r"[A-Za-z]:\\|\\\\", text)]
    links = [
        text for text in texts if re.match(r"[a-z][a-z0-9+.-]{1,15}:(//|)", text, re.IGNORECASE) and text not in paths
    ]
    if paths:
        out["target_path"] = paths[-1]
        if len(paths) > 1:
            out["temporary_path"] = paths[0]
    if links:
        out["url"] = links[-1]
        if len(links) > 1:
            out["referrer"] = links[0]
    return out


def title(raw: bytes) -> str | None:
    """The page title in the property list of a history entry: the first UTF-16 text after the property with id 0x1f."""
    found = re.search(rb"\x1f\x00?[\x00\x10](?P<length>.)\x00(?:\x00\x00)?", raw, re.DOTALL)
    if not found:
        return None
    text = raw[found.end() : found.end() + found["length"][0] * 2].decode("utf-16-le", "replace").split("\0", 1)[0]
    return clean(text) if text and text.isprintable() else None


def entry(row: Row, container: dict[str, Any]) -> Record:
    """An entry of a container."""
    kind = str(container.get("kind") or "entry")
    data: dict[str, Any] = {
        "container": container.get("name", ""),
        "container_directory": container.get("directory", ""),
    }
    if container.get("partition"):
        data["partition"] = container["partition"]
    times: dict[str, Time] = {}
    rest: dict[str, Any] = {}
    for column, value in row.values.items():
        name = NAMES.get(snake(column), snake(column))
        if name in TIMES and isinstance(value, int):
            time = filetime(value)
            if time:
                times[TIMES[name]] = time
            elif value:
                rest[name] = value
            continue
        rest[name] = value
    headers, address = rest.pop("response_headers", None), rest.pop("url", None)
    if isinstance(address, str):
        data |= page_of(address) if kind == "visit" else {"url": address}
    if isinstance(headers, bytes):
        data |= _headers(headers, kind)
    elif isinstance(headers, str):
        data["response_headers"] = headers[:HEADERS]
    flags = rest.get("type")
    if isinstance(flags, int):
        data["type_names"] = [text for bit, text in FLAGS.items() if flags & bit]
    if kind == "cookie":
        for name in ("name", "value", "path", "r_domain"):
            if isinstance(rest.get(name), bytes):
                rest[name] = shown(rest[name].rstrip(b"\0"))
    if isinstance(rest.get("r_domain"), str):
        rest["domain"] = ".".join(part for part in reversed(rest["r_domain"].split(".")) if part)
    data |= {name: value for name, value in settle(rest).items() if name not in data}
    dated = next((n for n in ("accessed", "last_used", "modified", "last_accessed", "created") if n in times), None)
    return Record(data, times, dated, row.state, artifact=f"browser.webcache.{kind}")


def _headers(raw: bytes, kind: str) -> dict[str, Any]:
    if raw.startswith(b"HTTP/"):
        return {"response_headers": shown(raw.rstrip(b"\0"))[:HEADERS]}
    out: dict[str, Any] = {"response_headers_raw": shortened(raw)}
    if kind == "download":
        out |= download(raw)
    elif kind == "visit":
        named = title(raw)
        if named:
            out["title"] = named
    return out


def container_record(row: Row) -> Record:
    """A container itself."""
    data: dict[str, Any] = {}
    times: dict[str, Time] = {}
    for column, value in row.values.items():
        name = snake(column)
        time = filetime(value) if name in TIMES and isinstance(value, int) else None
        if time:
            times[TIMES[name]] = time
        else:
            data[name] = value
    dated = "last_accessed" if "last_accessed" in times else None
    return Record(settle(data), times, dated, row.state, artifact="browser.webcache.container")


def containers(database: Database) -> tuple[dict[int, dict[str, Any]], list[Row]]:
    """The table of containers: number → name, kind and directory; and its rows."""
    known: dict[int, dict[str, Any]] = {}
    rows: list[Row] = []
    for row in database.rows(database.find(CONTAINERS) or CONTAINERS):
        rows.append(row)
        values = {snake(name): value for name, value in row.values.items()}
        number, name = values.get("container_id"), str(values.get("name") or "")
        directory = str(values.get("directory") or "")
        if isinstance(number, int):
            known[number] = {
                "name": name,
                "directory": directory,
                "kind": kind_of(name, directory),
                "partition": str(values.get("partition_id") or ""),
            }
        if len(rows) >= CONTAINED:
            database.gaps.append(Gap(f"more than {CONTAINED} containers: the rest was not read", reason="too_large"))
            break
    return known, rows


def table_kind(name: str, known: dict[int, dict[str, Any]]) -> dict[str, Any] | None:
    """What the entries of a table are, from its name and number; None for tables that hold no entries."""
    found = NUMBERED.match(name)
    if not found:
        return None
    number = int(found["number"])
    described = known.get(number, {"name": "", "directory": "", "kind": "entry", "partition": ""})
    kinds = {"container": described["kind"], "cookieentry": "cookie", "hstsentry": "hsts"}
    kind = kinds.get(found["kind"].lower())
    return None if kind is None else {**described, "kind": kind}


@parser(
    "browser.webcache",
    claims=LAYOUT,
    artifacts=(*(f"browser.webcache.{kind}" for kind in KINDS), HEADER),
    reads="WebCacheV01.dat of Internet Explorer 10 and 11, Edge (EdgeHTML) and other programs that use WinINet",
    means=(
        "A WinINet program under this account fetched or visited the address, or kept this cookie or download entry; "
        "`file:` entries are local items opened through the shell."
    ),
    does_not_mean=(
        "A deliberate visit, or use of a browser at all; that a download was finished or opened. Daily and weekly "
        "history (MSHist…) may hold local time in the modified time."
    ),
    refs=(
        "https://github.com/libyal/esedb-kb (WebCache)", REFERENCE,
        "https://learn.microsoft.com/en-us/windows/win32/api/wininet/ns-wininet-internet_cache_entry_infow",
    ),
    limit_seconds=900.0,
)  # fmt: skip
def webcache(file: EvidenceFile) -> Iterator[Yield]:
    """The containers, then the entries of each in order of table name; other tables' rows as they stand."""
    with open_ese(file) as database:
        if not LAYOUT.fits(database.tables):
            yield from not_fitting(database, "WebCache database", LAYOUT.tables)
            return
        yield header_of(database)
        known, rows = containers(database)
        for row in rows:
            yield row.locator, container_record(row)
        for name in sorted(database.tables):
            if name == CONTAINERS or name.startswith("MSys"):
                continue
            described = table_kind(name, known)
            for row in database.rows(name):
                if described is None:
                    yield row.locator, replace(any_record(row), artifact="browser.webcache.row")
                else:
                    yield row.locator, entry(row, described)
        yield from database.gaps
