"""Windows notifications (wpndatabase.db, Windows 10 1607 and later): toasts, tiles and badges with text and program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import Data, Query, file_time, read_queries, text_utc
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Yield
from wigmore.registry import parser

LAYOUT = Layout(
    paths=("wpndatabase.db",),
    tables=(("Notification", ("HandlerId", "Type", "Payload")), ("NotificationHandler", ("RecordId", "PrimaryId"))),
)
PAYLOAD, TEXTS = 65_536, 64  # characters of a payload and texts in it that are kept
WORDS = re.compile(r"<text\b[^>]*>(.*?)</text>", re.DOTALL | re.IGNORECASE)
LAUNCH = re.compile(r"""<toast\b[^>]*?\blaunch\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.DOTALL | re.IGNORECASE)


def _notification(data: Data, database: Database) -> None:
    payload = data.get("Payload")
    text = shown(payload) if isinstance(payload, bytes) else payload
    if not isinstance(text, str):
        return
    data["Payload"] = text[:PAYLOAD]
    words = [unescape(re.sub(r"<[^>]*>", "", found)).strip() for found in WORDS.findall(text[:PAYLOAD])[:TEXTS]]
    if words:
        data["texts"] = words
        data["text"] = " | ".join(words)
    launch = LAUNCH.search(text[:PAYLOAD])
    if launch:
        data["launch"] = unescape(launch[1] or launch[2] or "")


NOTIFICATION = Query(
    "windows.notification",
    ("Notification n", "LEFT JOIN NotificationHandler h ON h.RecordId = n.HandlerId"),
    "n.Id n.Type n.Payload n.PayloadType n.Tag n.Group n.ArrivalTime n.ExpiryTime n.DataVersion n.BootId n.ActivityId "
    "n.HandlerId h.PrimaryId:application h.HandlerType h.ParentId h.CreatedTime:handler_created "
    "h.ModifiedTime:handler_modified",
    "n.rowid",
    {"ArrivalTime": file_time, "ExpiryTime": file_time, "handler_created": text_utc, "handler_modified": text_utc},
    ("ArrivalTime",),
    derive=_notification,
)
HANDLER = Query(
    "windows.notification_program",
    ("NotificationHandler h",),
    "h.RecordId h.PrimaryId:application h.WNSId h.HandlerType h.WNFEventName h.SystemDataPropertySet h.CreatedTime "
    "h.ModifiedTime h.ParentId",
    "h.rowid",
    {"CreatedTime": text_utc, "ModifiedTime": text_utc},
    ("CreatedTime",),
)


@parser(
    "windows.notification",
    claims=LAYOUT,
    reads="wpndatabase.db of Windows 10 1607 and later (AppData\\Local\\Microsoft\\Windows\\Notifications)",
    means="this program's notification with this text arrived in the account then, and was kept until it expires",
    does_not_mean=(
        "That it was shown or read, or that what it tells of happened on this computer; expired and dismissed ones are gone"
    ),
    refs=(
        "https://www.sqlite.org/fileformat2.html",
        "https://www.mdpi.com/2673-6756/2/1/7",
        "https://learn.microsoft.com/en-us/uwp/schemas/tiles/toastschema/schema-root",
    ),
    artifacts=(NOTIFICATION.artifact, HANDLER.artifact),
)
def notifications(file: EvidenceFile) -> Iterator[Yield]:
    """One record a notification with its program, and one a program that may notify."""
    yield from read_queries(file, LAYOUT, (NOTIFICATION, HANDLER))
