"""Browsers of every platform: visits, downloads, searches."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from wigmore.registry import tool
from wigmore.tools.context import ToolContext, ToolOutput
from wigmore.tools.lookup import CannotLook, Kind, Row, answer, period

VISITS = Kind(("browser.*.visit", "browser.msie.entry", "browser.webcache.cache", "browser.safari.cleared"))
ADDRESSES = Kind(("browser.chromium.url", "browser.firefox.place"), keep=lambda r: not r["times"])
DOWNLOADS = (
    Kind(("browser.*.download", "android.download", "macos.quarantine")),
    Kind(("browser.firefox.annotation",), keep=lambda r: str(r["data"].get("annotation", "")).startswith("downloads/")),
)
QUERIES = ("q", "query", "search_query", "p", "text", "wd", "search", "searchterm", "k")  # as search engines name them


@tool("browser_history", domain="browser")
def browser_history(
    context: ToolContext, text: str = "", after: str = "", before: str = "", limit: int = 500
) -> ToolOutput:
    """List page visits of all browsers and profiles: address, title, time (UTC), how the visit came about.

    `text` stands in the record (no case; address and title among it), `after`/`before` are ISO 8601, UTC. Rows whose `origin`
    is synced or imported did not happen in this browser. A visit belongs to a profile, not to a person; redirects and embedded
    pages are visits too, and rows of Internet Explorer and old Edge include their cache, and index.dat's cookies (`container`).
    """
    try:
        where, parameters = period(after, before)
    except CannotLook as error:
        return ToolOutput.failed(str(error))
    return answer(
        context, [VISITS, ADDRESSES], "browser history", where=where, parameters=parameters, text=text, limit=limit
    )


@tool("browser_downloads", domain="browser")
def browser_downloads(context: ToolContext, text: str = "", limit: int = 500) -> ToolOutput:
    """List downloads of all browsers: address, target path, bytes received and expected, state, start and end (UTC).

    A download is complete only where its state says so; that the file was opened is another thing. `text` keeps rows that
    contain it (no case).
    """
    return answer(context, DOWNLOADS, "list of downloads", text=text, limit=limit)


@tool("browser_searches", domain="browser")
def browser_searches(context: ToolContext, text: str = "", limit: int = 500) -> ToolOutput:
    """List what was searched for: the browsers' own lists of terms, search fields, and addresses of visits that carry a term.

    A row of a visit has the term beside it as `searched_for`, read from its address; a page may put such an address there
    itself. `text` keeps rows that contain it (no case).
    """
    kinds = [
        Kind(("browser.chromium.search",)),
        Kind(("browser.firefox.form_entry",), keep=lambda r: "search" in str(r["data"].get("fieldname", "")).lower()),
        Kind(("browser.*.visit", "browser.msie.entry"), keep=lambda r: bool(searched_for(r))),
    ]
    out = answer(context, kinds, "browser history", text=text, limit=limit)
    rows = tuple({**r, "searched_for": term} if (term := searched_for(r)) else r for r in out.rows)
    return ToolOutput(out.outcome, rows, out.note, out.more)


def searched_for(row: Row) -> str:
    """The search term in the address of a visit to a search page; nothing where it has none."""
    address = str(row["data"].get("url") or "")
    if "?" not in address:
        return ""
    try:
        parts = urlsplit(address)
        fields = dict(parse_qsl(parts.query, max_num_fields=200))
    except ValueError:
        return ""
    place = f"{parts.netloc}{parts.path}".lower()
    if not any(
        mark in place
        for mark in (
            "search",
            "suche",
            "google.",
            "bing.",
            "yahoo.",
            "duckduckgo.",
            "yandex.",
            "baidu.",
            "ecosia.",
            "startpage.",
            "qwant.",
            "brave.",
            "/results",
            "/find",
        )
    ):
        return ""
    return next((fields[name] for name in QUERIES if fields.get(name, "").strip()), "")
