"""Databases of a Chromium profile beside its history: cookies, forms, logins, shortcuts, extension and load records."""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import (
    Data,
    Query,
    named,
    opened,
    read_queries,
    webkit_or_seconds,
    webkit_time,
)
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.protocols import EvidenceFile, Yield
from wigmore.registry import parser

SOURCE = "https://source.chromium.org/chromium/chromium/src/+/main:"
SAME_SITE = {-1: "unspecified", 0: "none", 1: "lax", 2: "strict"}
ACTIONS = {
    0: "API call", 1: "API event", 2: "content script", 3: "DOM access", 4: "DOM event", 5: "web request",
}  # fmt: skip
RESOURCE_TYPES = {
    0: "document", 1: "sub_document", 2: "stylesheet", 3: "script", 4: "image", 5: "font", 6: "sub_resource",
    7: "object", 8: "media", 9: "worker", 10: "shared_worker", 11: "prefetch", 12: "favicon", 13: "xhr", 14: "ping",
}  # fmt: skip

COOKIES = Layout(
    paths=("cookies", "cookies.db"), tables=(("cookies", ("creation_utc", "host_key", "name", "expires_utc")),)
)
FORMS = Layout(paths=("web data",), tables=(("autofill", ("name", "value")), ("keywords", ("short_name", "keyword"))))
LOGINS = Layout(paths=("login data*",), tables=(("logins", ("origin_url", "username_value", "signon_realm")),))
ACTIVITY = Layout(
    paths=("extension activity",), tables=(("activitylog_compressed", ("extension_id_x", "action_type", "time")),)
)
LOADS = Layout(
    paths=("load_statistics.db",), tables=(("load_statistics", ("top_level_hostname", "resource_hostname")),)
)
SHORTCUTS = Layout(paths=("shortcuts",), tables=(("omni_box_shortcuts", ("text", "url", "last_access_time")),))
TOP_SITES = Layout(paths=("top sites",), tables=(("top_sites", ("url", "url_rank")),))


def _cookie(data: Data, database: Database) -> None:
    named(data, "samesite", SAME_SITE)
    data["encrypted"] = bool(data.get("encrypted_value"))


def _login(data: Data, database: Database) -> None:
    named(data, "scheme", {0: "HTML form", 1: "basic", 2: "digest", 3: "other", 4: "username only"})
    secret = data.pop("password_value", None)
    data["password_value_size"] = len(secret) if isinstance(secret, bytes) else None


def _action(data: Data, database: Database) -> None:
    named(data, "action_type", ACTIONS)
    opened(data, "args", "other")


COOKIE = Query(
    "browser.chromium.cookie",
    ("cookies c",),
    "c.host_key c.name c.value c.path c.creation_utc c.expires_utc c.last_access_utc c.last_update_utc c.secure "
    "c.is_secure c.httponly c.is_httponly c.has_expires c.persistent c.is_persistent c.samesite c.source_scheme "
    "c.top_frame_site_key c.encrypted_value",
    "c.rowid",
    {"creation_utc": webkit_time, "last_access_utc": webkit_time, "last_update_utc": webkit_time,
     "expires_utc": webkit_time},
    ("creation_utc",),
    derive=_cookie,
)  # fmt: skip
AUTOFILL = Query(
    "browser.chromium.autofill",
    ("autofill a",),
    "a.name a.value a.count a.date_created a.date_last_used a.pair_id",
    "a.rowid",
    {"date_last_used": webkit_or_seconds, "date_created": webkit_or_seconds},
)
AUTOFILL_DATES = Query(
    "browser.chromium.autofill",
    ("autofill_dates d", "LEFT JOIN autofill a ON a.pair_id = d.pair_id"),
    "d.pair_id d.date_created a.name a.value a.count",
    "d.rowid",
    {"date_created": webkit_or_seconds},
)
KEYWORDS = Query(
    "browser.chromium.search_engine",
    ("keywords k",),
    "k.id k.short_name k.keyword k.url k.originating_url k.date_created k.last_modified k.last_visited k.usage_count "
    "k.created_by_policy k.prepopulate_id",
    "k.id",
    {"last_modified": webkit_or_seconds, "date_created": webkit_or_seconds, "last_visited": webkit_or_seconds},
)
PROFILES = Query(
    "browser.chromium.autofill_profile",
    ("autofill_profiles p", "LEFT JOIN autofill_profile_names n ON n.guid = p.guid",
     "LEFT JOIN autofill_profile_emails e ON e.guid = p.guid",
     "LEFT JOIN autofill_profile_phones t ON t.guid = p.guid"),
    "p.guid p.company_name p.street_address p.city p.state p.zipcode p.country_code p.origin p.use_count p.use_date "
    "p.date_modified n.first_name n.middle_name n.last_name n.full_name e.email t.number",
    "p.rowid",
    {"use_date": webkit_or_seconds, "date_modified": webkit_or_seconds},
)  # fmt: skip
CARDS = Query(
    "browser.chromium.credit_card",
    ("credit_cards c",),
    "c.guid c.name_on_card c.expiration_month c.expiration_year c.origin c.use_count c.use_date c.date_modified "
    "c.nickname",
    "c.rowid",
    {"use_date": webkit_or_seconds, "date_modified": webkit_or_seconds},
)
LOGIN = Query(
    "browser.chromium.login",
    ("logins l",),
    "l.id l.origin_url l.action_url l.username_element l.username_value l.password_element l.password_value "
    "l.signon_realm l.date_created l.date_last_used l.date_password_modified l.date_received l.blacklisted_by_user "
    "l.times_used l.scheme l.display_name l.federation_url",
    "l.rowid",
    {"date_created": webkit_or_seconds, "date_last_used": webkit_or_seconds,
     "date_password_modified": webkit_or_seconds, "date_received": webkit_or_seconds},
    derive=_login,
)  # fmt: skip
ACTION = Query(
    "browser.chromium.extension_activity",
    ("activitylog_compressed a", "LEFT JOIN string_ids x ON x.id = a.extension_id_x",
     "LEFT JOIN string_ids n ON n.id = a.api_name_x", "LEFT JOIN string_ids g ON g.id = a.args_x",
     "LEFT JOIN url_ids u ON u.id = a.page_url_x", "LEFT JOIN string_ids t ON t.id = a.page_title_x",
     "LEFT JOIN url_ids r ON r.id = a.arg_url_x", "LEFT JOIN string_ids o ON o.id = a.other_x"),
    "a.time a.count a.action_type x.value:extension_id n.value:api_name g.value:args u.value:page_url "
    "t.value:page_title r.value:arg_url o.value:other",
    "a.rowid",
    {"time": webkit_time},
    derive=_action,
)  # fmt: skip
LOAD = Query(
    "browser.edge.load_statistics",
    ("load_statistics l",),
    "l.top_level_hostname l.resource_hostname l.resource_url_hash l.resource_type l.last_update",
    "l.rowid",
    {"last_update": webkit_time},
    derive=lambda data, database: named(data, "resource_type", RESOURCE_TYPES),
)
REDIRECT = Query(
    "browser.edge.redirect_statistics",
    ("redirect_statistics r",),
    "r.source_hostname r.destination_hostname r.is_top_level_document r.last_update",
    "r.rowid",
    {"last_update": webkit_time},
)
SHORTCUT = Query(
    "browser.chromium.shortcut",
    ("omni_box_shortcuts s",),
    "s.id s.text s.fill_into_edit s.url s.contents s.description s.transition s.number_of_hits s.last_access_time",
    "s.rowid",
    {"last_access_time": webkit_time},
)
TOP_SITE = Query("browser.chromium.top_site", ("top_sites t",), "t.url t.url_rank t.title t.redirects", "t.rowid")


@parser(
    "browser.chromium.cookies", claims=COOKIES,
    reads="Cookies databases of Chromium browsers and WebViews",
    means="a host set this cookie in this profile; the value may be encrypted",
    does_not_mean="a deliberate visit: embedded third parties set cookies too",
    refs=(SOURCE + "net/extras/sqlite/sqlite_persistent_cookie_store.cc",), artifacts=(COOKIE.artifact,),
)  # fmt: skip
def cookies(file: EvidenceFile) -> Iterator[Yield]:
    """One record a cookie."""
    yield from read_queries(file, COOKIES, (COOKIE,))


@parser(
    "browser.chromium.web_data", claims=FORMS,
    reads="Web Data databases of Chromium browsers",
    means="a form field's value, an address, a card or a search engine was stored in this profile",
    does_not_mean="who typed it; synchronised profiles hold what was typed elsewhere",
    refs=(SOURCE + "components/autofill/core/browser/webdata/",),
    artifacts=(AUTOFILL.artifact, PROFILES.artifact, CARDS.artifact, KEYWORDS.artifact),
)  # fmt: skip
def web_data(file: EvidenceFile) -> Iterator[Yield]:
    """Form entries, profiles, card metadata (never numbers) and search engines."""
    yield from read_queries(file, FORMS, (AUTOFILL, AUTOFILL_DATES, PROFILES, CARDS, KEYWORDS))


@parser(
    "browser.chromium.logins", claims=LOGINS,
    reads="Login Data databases of Chromium browsers",
    means="credentials for a site were saved, or saving them was refused (blacklisted_by_user)",
    does_not_mean="that they work, or that they were used here; the password itself is not put out",
    refs=(SOURCE + "components/password_manager/core/browser/password_store/",), artifacts=(LOGIN.artifact,),
)  # fmt: skip
def logins(file: EvidenceFile) -> Iterator[Yield]:
    """One record a saved login, without its secret."""
    yield from read_queries(file, LOGINS, (LOGIN,))


@parser(
    "browser.chromium.extension_activity", claims=ACTIVITY,
    reads="Extension Activity databases of Chromium browsers",
    means="an extension called this API or touched this page, `count` times on that day",
    does_not_mean="that a person did it; rows of one day are merged and dated by one of them",
    refs=(SOURCE + "chrome/browser/extensions/activity_log/",), artifacts=(ACTION.artifact,),
)  # fmt: skip
def extension_activity(file: EvidenceFile) -> Iterator[Yield]:
    """One record an action, its strings and URLs joined."""
    yield from read_queries(file, ACTIVITY, (ACTION,))


@parser(
    "browser.edge.load_statistics", claims=LOADS,
    reads="load_statistics.db of Microsoft Edge",
    means="a page of the top-level host loaded a resource from the other host, or one host redirected to another",
    does_not_mean="which page it was, or a visit to the resource's host",
    refs=("https://learn.microsoft.com/en-us/microsoft-edge/privacy-whitepaper/",),
    artifacts=(LOAD.artifact, REDIRECT.artifact),
)  # fmt: skip
def load_statistics(file: EvidenceFile) -> Iterator[Yield]:
    """Loads and redirects between hosts."""
    yield from read_queries(file, LOADS, (LOAD, REDIRECT))


@parser(
    "browser.chromium.shortcuts", claims=SHORTCUTS,
    reads="Shortcuts databases of Chromium browsers",
    means="this text was typed into the address bar and this suggestion chosen",
    does_not_mean="when it was first typed",
    refs=(SOURCE + "components/omnibox/browser/shortcuts_database.cc",), artifacts=(SHORTCUT.artifact,),
)  # fmt: skip
def shortcuts(file: EvidenceFile) -> Iterator[Yield]:
    """One record a remembered choice."""
    yield from read_queries(file, SHORTCUTS, (SHORTCUT,))


@parser(
    "browser.chromium.top_sites", claims=TOP_SITES,
    reads="Top Sites databases of Chromium browsers",
    means="the browser ranked this site among the most visited of the profile",
    does_not_mean="a visit at any given time; some entries are preset",
    refs=(SOURCE + "components/history/core/browser/top_sites_database.cc",), artifacts=(TOP_SITE.artifact,),
)  # fmt: skip
def top_sites(file: EvidenceFile) -> Iterator[Yield]:
    """One record a ranked site."""
    yield from read_queries(file, TOP_SITES, (TOP_SITE,))
