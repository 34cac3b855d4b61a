"""Databases of Android's system and common apps: downloads, accounts, store, WebView, Files, Tango, WhatsApp."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import Data, Query, clock, milliseconds, named, read_queries, text_local
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Yield
from wigmore.registry import parser

SQLITE = "https://www.sqlite.org/fileformat2.html"
ANDROID = "https://developer.android.com/reference/android/"

DOWNLOADS = Layout(paths=("downloads.db",), tables=(("downloads", ("uri", "_data", "lastmod", "total_bytes")),))
ACCOUNTS = Layout(
    paths=("accounts.db", "accounts_ce.db", "accounts_de.db"), tables=(("accounts", ("name", "type")), ("extras", ()))
)
STORE = Layout(paths=("localappstate.db",), tables=(("appstate", ("package_name", "first_download_ms")),))
LIBRARY = Layout(tables=(("ownership", ("account", "library_id", "doc_id")),))
WEBVIEW = Layout(paths=("webview.db",), tables=(("cookies", ("name", "value", "domain", "expires")), ("formurl", ())))
FILES = Layout(
    paths=("files_master_database",),
    tables=(("files_master_table", ("root_path", "root_relative_file_path", "file_name")),),
)
TANGO = Layout(tables=(("messages", ("msg_id", "conv_id", "create_time", "send_time", "payload")), ("likes", ())))
WHATSAPP = Layout(
    paths=("msgstore.db",),
    tables=(("message", ("text_data", "from_me", "timestamp")), ("chat", ("jid_row_id",)), ("jid", ("raw_string",))),
)
OLD_WHATSAPP = Layout(tables=(("messages", ("key_remote_jid", "key_from_me", "data", "timestamp")),))
WA = Layout(paths=("wa.db",), tables=(("wa_contacts", ("jid", "display_name")),))

DOWNLOAD = Query(
    "android.download",
    ("downloads d",),
    "d._id d.uri d.hint d._data d.title d.description d.mimetype d.lastmod d.total_bytes d.current_bytes d.status "
    "d.notificationpackage d.uid d.referer d.etag d.deleted d.is_visible_in_downloads_ui d.mediaprovider_uri "
    "d.destination",
    "d._id",
    {"lastmod": milliseconds},
)
ACCOUNT = Query(
    "android.account",
    ("accounts a",),
    "a._id a.name a.type a.previous_name a.last_password_entry_time_millis_epoch",
    "a._id",
    {"last_password_entry_time_millis_epoch": milliseconds},
    undated=True,
)
ACCOUNT_EVENT = Query(
    "android.account_event",
    ("debug_table d",),
    "d._id d.action_type d.time d.caller_uid d.table_name d.primary_key",
    "d._id",
    {"time": text_local},
)
GRANT = Query(
    "android.account_grant",
    ("grants g", "LEFT JOIN accounts a ON a._id = g.accounts_id"),
    "g.accounts_id g.auth_token_type g.uid a.name:account a.type:account_type",
    "g.rowid",
)
APP = Query(
    "android.store_app",
    ("appstate a",),
    "a.package_name a.title a.account a.first_download_ms a.last_update_timestamp_ms a.delivery_data_timestamp_ms "
    "a.install_reason a.auto_update a.desired_version a.external_referrer_url a.external_referrer_timestamp_ms",
    "a.rowid",
    {"first_download_ms": milliseconds, "last_update_timestamp_ms": milliseconds,
     "delivery_data_timestamp_ms": milliseconds, "external_referrer_timestamp_ms": milliseconds},
)  # fmt: skip
OWNED = Query(
    "android.store_purchase",
    ("ownership o",),
    "o.account o.library_id o.backend o.doc_id o.doc_type o.offer_type o.purchase_time o.preordered o.shared_by_me",
    "o.rowid",
    {"purchase_time": milliseconds},
)
COOKIE = Query(
    "android.webview_cookie",
    ("cookies c",),
    "c._id c.name c.value c.domain c.path c.expires c.secure",
    "c._id",
    {"expires": milliseconds},
    undated=True,
)
FORM = Query(
    "android.webview_form",
    ("formdata f", "LEFT JOIN formurl u ON u._id = f.urlid"),
    "f._id f.name f.value u.url",
    "f._id",
)
PASSWORD = Query("android.webview_login", ("password p",), "p._id p.host p.username", "p._id")
STORED = Query(
    "android.files_by_google",
    ("files_master_table f", "LEFT JOIN files_metadata_table m ON m.file_id = f.id",
     "LEFT JOIN file_open_info_table o ON o.file_id = f.id"),
    "f.id f.root_path f.root_relative_file_path f.file_name f.size f.file_date_modified_ms f.storage_location "
    "f.mime_type "
    "f.media_type f.uri f.is_hidden f.title f.parent_folder_name m.taken_date_ms m.latitude m.longitude "
    "m.device_description "
    "m.duration_ms m.artist m.album o.file_open_time_stamp_ms",
    "f.id",
    {"file_date_modified_ms": milliseconds, "taken_date_ms": milliseconds, "file_open_time_stamp_ms": milliseconds},
)  # fmt: skip


def _payload(data: Data, database: Database) -> None:
    named(data, "direction", {1: "received", 2: "sent"}, "direction_name")
    for column in ("payload", "conversation_payload"):
        text = data.pop(column, None)
        if not isinstance(text, str) or len(text) > 1_000_000:
            continue
        try:
            raw = base64.b64decode(text, validate=False)
        except (binascii.Error, ValueError):
            data[column] = text
            continue
        found = [shown(run).strip() for run in re.findall(rb"(?:[\x20-\x7e]|[\xc2-\xf4][\x80-\xbf]{1,3}){4,}", raw)]
        data[f"{column}_strings"] = found[:100]


TANGO_MESSAGE = Query(
    "android.tango.message",
    ("messages m", "LEFT JOIN conversations c ON c.conv_id = m.conv_id"),
    "m.msg_id m.conv_id m.type m.media_id m.create_time m.send_time m.direction m.status m.del_status m.payload "
    "c.payload:conversation_payload",
    "m.rowid",
    {"send_time": milliseconds, "create_time": milliseconds},
    derive=_payload,
)
WHATSAPP_TYPES = {
    0: "text", 1: "image", 2: "voice", 3: "video", 4: "contact", 5: "location", 7: "system", 8: "call", 9: "document",
    10: "missed call", 13: "animated image", 15: "deleted", 16: "live location", 20: "sticker", 66: "poll",
}  # fmt: skip


def _whatsapp(data: Data, database: Database) -> None:
    named(data, "message_type", WHATSAPP_TYPES)
    named(data, "media_wa_type", WHATSAPP_TYPES)
    sent = (data.get("from_me") if "from_me" in data else data.get("key_from_me")) == 1
    chat = data.get("chat_subject") or data.get("chat_jid") or data.get("key_remote_jid") or ""
    group = str(data.get("chat_jid") or data.get("key_remote_jid") or "").endswith("@g.us")
    author = data.get("sender_jid") or data.get("remote_resource")
    data["direction"] = "sent" if sent else "received"
    data["from"] = "Local User" if sent else (author or chat)
    data["to"] = chat if sent or group else "Local User"


WHATSAPP_MESSAGE = Query(
    "android.whatsapp.message",
    ("message m", "LEFT JOIN chat c ON c._id = m.chat_row_id", "LEFT JOIN jid j ON j._id = c.jid_row_id",
     "LEFT JOIN jid s ON s._id = m.sender_jid_row_id", "LEFT JOIN message_media a ON a.message_row_id = m._id",
     "LEFT JOIN message_location l ON l.message_row_id = m._id"),
    "m._id m.text_data m.from_me m.timestamp m.received_timestamp m.receipt_server_timestamp m.message_type "
    "m.key_id m.status "
    "m.starred m.recipient_count c.subject:chat_subject j.raw_string:chat_jid s.raw_string:sender_jid "
    "a.file_path a.mime_type "
    "a.file_size a.media_name a.media_caption a.media_duration l.latitude l.longitude l.place_name l.place_address",
    "m._id",
    {"timestamp": milliseconds, "received_timestamp": milliseconds, "receipt_server_timestamp": milliseconds},
    derive=_whatsapp,
)  # fmt: skip
OLD_WHATSAPP_MESSAGE = Query(
    "android.whatsapp.message",
    ("messages m", "LEFT JOIN chat_list c ON c.key_remote_jid = m.key_remote_jid"),
    "m._id m.key_remote_jid m.key_from_me m.key_id m.data m.timestamp m.received_timestamp m.receipt_device_timestamp "
    "m.read_device_timestamp m.status m.media_wa_type m.media_name m.media_caption m.media_mime_type "
    "m.media_size m.latitude "
    "m.longitude m.remote_resource m.starred c.subject:chat_subject",
    "m._id",
    {"timestamp": milliseconds, "received_timestamp": milliseconds, "receipt_device_timestamp": milliseconds,
     "read_device_timestamp": milliseconds},
    derive=_whatsapp,
)  # fmt: skip


def _whatsapp_call(data: Data, database: Database) -> None:
    data["direction"] = "outgoing" if data.get("from_me") == 1 else "incoming"
    data["media"] = "video" if data.get("video_call") == 1 else "audio"
    data["duration_clock"] = clock(data.get("duration"))
    named(
        data, "call_result", {0: "in progress", 2: "missed", 3: "unavailable or rejected", 4: "missed", 5: "answered"}
    )


WHATSAPP_CALL = Query(
    "android.whatsapp.call",
    ("call_log c", "LEFT JOIN jid j ON j._id = c.jid_row_id", "LEFT JOIN jid g ON g._id = c.group_jid_row_id"),
    "c._id c.from_me c.timestamp c.video_call c.duration c.call_result c.bytes_transferred c.call_id "
    "j.raw_string:party_jid "
    "g.raw_string:group_jid",
    "c._id",
    {"timestamp": milliseconds},
    derive=_whatsapp_call,
)
WHATSAPP_CONTACT = Query(
    "android.whatsapp.contact",
    ("wa_contacts c",),
    "c._id c.jid c.display_name c.given_name c.family_name c.wa_name c.number c.status c.status_timestamp "
    "c.is_whatsapp_user "
    "c.company c.title c.nickname",
    "c._id",
    {"status_timestamp": milliseconds},
    undated=True,
)


@parser(
    "android.downloads", claims=DOWNLOADS,
    reads="downloads.db of Android's download provider",
    means="the app had this address downloaded to this path; lastmod is the row's last change",
    does_not_mean="that a person asked for it, or that the file is still there",
    refs=(ANDROID + "app/DownloadManager",), artifacts=(DOWNLOAD.artifact,),
)  # fmt: skip
def downloads(file: EvidenceFile) -> Iterator[Yield]:
    """One record a download."""
    yield from read_queries(file, DOWNLOADS, (DOWNLOAD,))


@parser(
    "android.accounts", claims=ACCOUNTS,
    reads="accounts.db, accounts_ce.db and accounts_de.db of Android",
    means="this account is set up for that service on the device",
    does_not_mean="that it was used, or by whom; tokens and passwords are not put out",
    refs=(ANDROID + "accounts/AccountManager",), artifacts=(ACCOUNT.artifact, ACCOUNT_EVENT.artifact, GRANT.artifact),
)  # fmt: skip
def accounts(file: EvidenceFile) -> Iterator[Yield]:
    """One record an account, one a change of the table with its time, one a grant."""
    yield from read_queries(file, ACCOUNTS, (ACCOUNT, ACCOUNT_EVENT, GRANT))


@parser(
    "android.store_apps", claims=STORE,
    reads="localappstate.db of the Play Store",
    means="the store knew this app and first downloaded it then, for that account",
    does_not_mean="that it was used; pre-installed apps stand here too",
    refs=(SQLITE,), artifacts=(APP.artifact,),
)  # fmt: skip
def store_apps(file: EvidenceFile) -> Iterator[Yield]:
    """One record an app."""
    yield from read_queries(file, STORE, (APP,))


@parser(
    "android.store_purchases", claims=LIBRARY,
    reads="library.db of the Play Store",
    means="the account owns this app or content",
    does_not_mean="that it was installed on this device",
    refs=(SQLITE,), artifacts=(OWNED.artifact,),
)  # fmt: skip
def store_purchases(file: EvidenceFile) -> Iterator[Yield]:
    """One record an owned item."""
    yield from read_queries(file, LIBRARY, (OWNED,))


@parser(
    "android.webview", claims=WEBVIEW,
    reads="webview.db of Android before version 4.4",
    means="a host set this cookie, or this form value was kept, in the app's WebView",
    does_not_mean="a deliberate visit; the stored time is the cookie's expiry",
    refs=(ANDROID + "webkit/WebViewDatabase",), artifacts=(COOKIE.artifact, FORM.artifact, PASSWORD.artifact),
)  # fmt: skip
def webview(file: EvidenceFile) -> Iterator[Yield]:
    """Cookies, form values, and saved logins without their secret."""
    yield from read_queries(file, WEBVIEW, (COOKIE, FORM, PASSWORD))


@parser(
    "android.files_by_google", claims=FILES,
    reads="files_master_database of Files by Google",
    means="a file of this name and size was seen on the device's storage; opened in the app where a time says so",
    does_not_mean="that it is still there",
    refs=(SQLITE,), artifacts=(STORED.artifact,),
)  # fmt: skip
def files_by_google(file: EvidenceFile) -> Iterator[Yield]:
    """One record a file with its picture data."""
    yield from read_queries(file, FILES, (STORED,))


@parser(
    "android.tango", claims=TANGO,
    reads="tc.db of Tango on Android",
    means="the app stored a message of this conversation, sent then; readable runs of its payload are shown",
    does_not_mean="who typed it",
    refs=("https://protobuf.dev/programming-guides/encoding/",), artifacts=(TANGO_MESSAGE.artifact,),
)  # fmt: skip
def tango(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message."""
    yield from read_queries(file, TANGO, (TANGO_MESSAGE,))


@parser(
    "android.whatsapp", claims=WHATSAPP,
    reads="msgstore.db of WhatsApp on Android",
    means="the account sent or received the message or call, as logged",
    does_not_mean="who typed it or spoke",
    refs=(SQLITE,), artifacts=(WHATSAPP_MESSAGE.artifact, WHATSAPP_CALL.artifact),
)  # fmt: skip
def whatsapp(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message with its parties and media, one a call."""
    yield from read_queries(file, WHATSAPP, (WHATSAPP_MESSAGE, WHATSAPP_CALL))


@parser(
    "android.whatsapp_old", claims=OLD_WHATSAPP,
    reads="msgstore.db of WhatsApp on Android before 2021",
    means="the account sent or received the message, as logged",
    does_not_mean="who typed it",
    refs=(SQLITE,), artifacts=(OLD_WHATSAPP_MESSAGE.artifact,),
)  # fmt: skip
def old_whatsapp(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message."""
    yield from read_queries(file, OLD_WHATSAPP, (OLD_WHATSAPP_MESSAGE,))


@parser(
    "android.whatsapp_contacts", claims=WA,
    reads="wa.db of WhatsApp on Android",
    means="WhatsApp knew this contact under this identifier",
    does_not_mean="that messages were exchanged",
    refs=(SQLITE,), artifacts=(WHATSAPP_CONTACT.artifact,),
)  # fmt: skip
def whatsapp_contacts(file: EvidenceFile) -> Iterator[Yield]:
    """One record a contact."""
    yield from read_queries(file, WA, (WHATSAPP_CONTACT,))
