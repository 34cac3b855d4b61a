"""Firefox profiles: history, bookmarks, downloads, cookies, form history, permissions, saved logins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.browser.chromium_json import load_json
from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import (
    Data,
    Query,
    microseconds,
    milliseconds,
    named,
    opened,
    read_queries,
    seconds,
    settled,
)
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.protocols import EvidenceFile, Record, Yield
from wigmore.model.times import Time
from wigmore.registry import Claim, parser

SOURCE = "https://searchfox.org/mozilla-central/source/"
VISIT_TYPES = {
    1: "link", 2: "typed", 3: "bookmark", 4: "embed", 5: "redirect permanent", 6: "redirect temporary",
    7: "download", 8: "framed link", 9: "reload",
}  # fmt: skip
VISIT_SOURCES = {0: "organic", 1: "sponsored", 2: "bookmarked", 3: "searched"}
BOOKMARK_TYPES = {1: "bookmark", 2: "folder", 3: "separator"}
DOWNLOAD_STATES = {
    -1: "not started", 0: "downloading", 1: "finished", 2: "failed", 3: "cancelled", 4: "paused", 5: "queued",
    6: "blocked by parental controls", 7: "scanning", 8: "dirty", 9: "blocked by policy",
}  # fmt: skip
PERMISSIONS = {1: "allow", 2: "deny", 3: "ask"}


def expiry(value: Any) -> Time | None:
    """Cookie expiry: seconds, in the newest versions milliseconds."""
    return milliseconds(value) if isinstance(value, int) and value > 10**11 else seconds(value)


def _visit(data: Data, database: Database) -> None:
    named(data, "visit_type", VISIT_TYPES)
    named(data, "source", VISIT_SOURCES)


def _annotation(data: Data, database: Database) -> None:
    content = data.get("content")
    if isinstance(content, str) and content.startswith("{"):
        opened(data, "content")
        found = data["content"]
        if isinstance(found, dict):
            time = milliseconds(found.get("endTime"))
            if time:
                data["_times"] = {"endTime": time}
            if isinstance(found.get("state"), int):
                data["state_name"] = DOWNLOAD_STATES.get(found["state"], f"unknown ({found['state']})")


PLACES = Layout(
    paths=("places.sqlite",),
    tables=(("moz_places", ("url", "title")), ("moz_historyvisits", ("place_id", "visit_date"))),
)
COOKIES = Layout(paths=("cookies.sqlite",), tables=(("moz_cookies", ("name", "host", "expiry")),))
FORMS = Layout(paths=("formhistory.sqlite",), tables=(("moz_formhistory", ("fieldname", "value")),))
DOWNLOADS = Layout(paths=("downloads.sqlite",), tables=(("moz_downloads", ("source", "target", "startTime")),))
PERMS = Layout(paths=("permissions.sqlite",), tables=(("moz_perms", ("type", "permission")),))

VISIT = Query(
    "browser.firefox.visit",
    ("moz_historyvisits v", "LEFT JOIN moz_places p ON p.id = v.place_id",
     "LEFT JOIN moz_historyvisits f ON f.id = v.from_visit", "LEFT JOIN moz_places r ON r.id = f.place_id"),
    "v.id v.visit_date v.visit_type v.from_visit v.session v.source p.url p.title p.visit_count p.typed p.hidden "
    "p.rev_host p.description r.url:from_url",
    "v.id",
    {"visit_date": microseconds},
    derive=_visit,
)  # fmt: skip
PLACE = Query(
    "browser.firefox.place",
    ("moz_places p",),
    "p.id p.url p.title p.visit_count p.typed p.hidden p.last_visit_date p.guid p.description",
    "p.id",
    {"last_visit_date": microseconds},
)
BOOKMARK = Query(
    "browser.firefox.bookmark",
    ("moz_bookmarks b", "LEFT JOIN moz_places p ON p.id = b.fk", "LEFT JOIN moz_bookmarks f ON f.id = b.parent"),
    "b.id b.type b.title b.dateAdded b.lastModified b.position b.guid p.url p.title:page_title p.visit_count "
    "f.title:folder",
    "b.id",
    {"dateAdded": microseconds, "lastModified": microseconds},
    derive=lambda data, database: named(data, "type", BOOKMARK_TYPES),
)
ANNOTATION = Query(
    "browser.firefox.annotation",
    ("moz_annos a", "LEFT JOIN moz_anno_attributes n ON n.id = a.anno_attribute_id",
     "LEFT JOIN moz_places p ON p.id = a.place_id"),
    "a.id n.name:annotation a.content a.dateAdded a.lastModified p.url p.title",
    "a.id",
    {"dateAdded": microseconds, "lastModified": microseconds},
    derive=_annotation,
)  # fmt: skip
ITEM_ANNOTATION = Query(
    "browser.firefox.annotation",
    ("moz_items_annos a", "LEFT JOIN moz_anno_attributes n ON n.id = a.anno_attribute_id",
     "LEFT JOIN moz_bookmarks b ON b.id = a.item_id", "LEFT JOIN moz_places p ON p.id = b.fk"),
    "a.id n.name:annotation a.content a.dateAdded a.lastModified b.title p.url",
    "a.id",
    {"dateAdded": microseconds, "lastModified": microseconds},
)  # fmt: skip
INPUT = Query(
    "browser.firefox.typed_input",
    ("moz_inputhistory i", "LEFT JOIN moz_places p ON p.id = i.place_id"),
    "i.input i.use_count p.url p.title p.last_visit_date",
    "i.place_id",
    {"last_visit_date": microseconds},
    undated=True,
)
COOKIE = Query(
    "browser.firefox.cookie",
    ("moz_cookies c",),
    "c.id c.name c.value c.host c.baseDomain c.path c.creationTime c.lastAccessed c.updateTime c.expiry c.isSecure "
    "c.isHttpOnly c.sameSite c.originAttributes",
    "c.id",
    {"creationTime": microseconds, "lastAccessed": microseconds, "updateTime": microseconds, "expiry": expiry},
    ("creationTime", "lastAccessed"),
)
FORM = Query(
    "browser.firefox.form_entry",
    ("moz_formhistory f",),
    "f.id f.fieldname f.value f.timesUsed f.firstUsed f.lastUsed",
    "f.id",
    {"lastUsed": microseconds, "firstUsed": microseconds},
)
DOWNLOAD = Query(
    "browser.firefox.download",
    ("moz_downloads d",),
    "d.id d.name d.source d.target d.tempPath d.startTime d.endTime d.state d.referrer d.currBytes d.maxBytes "
    "d.mimeType",
    "d.id",
    {"startTime": microseconds, "endTime": microseconds},
    derive=lambda data, database: named(data, "state", DOWNLOAD_STATES),
)
PERMISSION = Query(
    "browser.firefox.permission",
    ("moz_perms p",),
    "p.id p.origin p.host p.type p.permission p.expireTime p.modificationTime",
    "p.id",
    {"modificationTime": milliseconds, "expireTime": milliseconds},
    ("modificationTime",),
    derive=lambda data, database: named(data, "permission", PERMISSIONS),
)


@parser(
    "browser.firefox.places", claims=PLACES,
    reads="places.sqlite of Firefox and relatives",
    means="this profile recorded a visit, keeps a bookmark, or noted a download on a page",
    does_not_mean="that a person saw the page; synchronised history is not marked as such in most versions",
    refs=(SOURCE + "toolkit/components/places/nsINavHistoryService.idl",),
    artifacts=tuple(dict.fromkeys(q.artifact for q in (VISIT, BOOKMARK, ANNOTATION, INPUT, PLACE))),
)  # fmt: skip
def places(file: EvidenceFile) -> Iterator[Yield]:
    """Visits with page and referring page, bookmarks with folder, annotations, typed input, places."""
    yield from read_queries(file, PLACES, (VISIT, BOOKMARK, ANNOTATION, ITEM_ANNOTATION, INPUT, PLACE))


@parser(
    "browser.firefox.cookies", claims=COOKIES,
    reads="cookies.sqlite of Firefox and relatives",
    means="a host set this cookie in this profile",
    does_not_mean="a deliberate visit: embedded third parties set cookies too",
    refs=(SOURCE + "netwerk/cookie/CookiePersistentStorage.cpp",), artifacts=(COOKIE.artifact,),
)  # fmt: skip
def cookies(file: EvidenceFile) -> Iterator[Yield]:
    """One record a cookie."""
    yield from read_queries(file, COOKIES, (COOKIE,))


@parser(
    "browser.firefox.forms", claims=FORMS,
    reads="formhistory.sqlite of Firefox and relatives",
    means="this value was entered into a field of this name in this profile",
    does_not_mean="on which page, or by whom",
    refs=(SOURCE + "toolkit/components/satchel/",), artifacts=(FORM.artifact,),
)  # fmt: skip
def forms(file: EvidenceFile) -> Iterator[Yield]:
    """One record a remembered value; the search bar's field is `searchbar-history`."""
    yield from read_queries(file, FORMS, (FORM,))


@parser(
    "browser.firefox.downloads", claims=DOWNLOADS,
    reads="downloads.sqlite of Firefox before version 20",
    means="a download from source to target was started",
    does_not_mean="that the file is still there or was opened",
    refs=(SOURCE + "toolkit/components/downloads/",), artifacts=(DOWNLOAD.artifact,),
)  # fmt: skip
def downloads(file: EvidenceFile) -> Iterator[Yield]:
    """One record a download."""
    yield from read_queries(file, DOWNLOADS, (DOWNLOAD,))


@parser(
    "browser.firefox.permissions", claims=PERMS,
    reads="permissions.sqlite of Firefox and relatives",
    means="this site holds this permission in this profile",
    does_not_mean="that it was used",
    refs=(SOURCE + "extensions/permissions/",), artifacts=(PERMISSION.artifact,),
)  # fmt: skip
def permissions(file: EvidenceFile) -> Iterator[Yield]:
    """One record a permission."""
    yield from read_queries(file, PERMS, (PERMISSION,))


def _is_logins(head: bytes, path: str, size: int) -> bool:
    return (
        head.lstrip().startswith(b"{")
        and b'"logins"' in head
        and (b'"nextId"' in head or b'"encryptedUsername"' in head)
    )


@parser(
    "browser.firefox.logins", claims=Claim(look=_is_logins),
    reads="logins.json of Firefox and relatives",
    means="credentials for a site were saved in this profile",
    does_not_mean="that they work; name and password are encrypted and not put out",
    refs=(SOURCE + "toolkit/components/passwordmgr/storage-json.sys.mjs",), artifacts=("browser.firefox.login",),
)  # fmt: skip
def logins(file: EvidenceFile) -> Iterator[Yield]:
    """One record a saved login, without its secrets."""
    root = load_json(file)
    listed = root.get("logins") if isinstance(root, dict) else None
    for index, login in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(login, dict):
            continue
        wanted = ("hostname", "httpRealm", "formSubmitURL", "usernameField", "passwordField", "guid", "timesUsed", "id")
        data = {key: login.get(key) for key in wanted}
        times = {
            key: time for key in ("timeLastUsed", "timePasswordChanged", "timeCreated")
            if (time := milliseconds(login.get(key))) is not None
        }  # fmt: skip
        dated = "timeCreated" if "timeCreated" in times else next(iter(times), None)
        yield (
            {"kind": "key", "key": f"logins[{index}]"},
            Record(settled(data), times, dated, artifact="browser.firefox.login"),
        )
