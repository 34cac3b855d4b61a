"""Windows Timeline (ActivitiesCache.db, Windows 10 1803 and later): activities, and operations that wait for the cloud.

What the numbers of activity types and states stand for is not documented by Microsoft; the names are those that examiners
published from tests, and the number stands beside them.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import Data, Query, named, opened, read_queries, seconds, walk
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.artifacts.windows.folders import known_folder
from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Yield
from wigmore.registry import parser

LAYOUT = Layout(
    paths=("activitiescache.db",), tables=(("Activity", ("AppId", "ActivityType", "StartTime", "LastModifiedTime")),)
)
TYPES = {
    2: "notification", 3: "mobile backup", 5: "open app, file or page", 6: "app in use", 10: "clipboard", 11: "system",
    12: "system", 15: "system", 16: "copy and paste",
}  # fmt: skip
STATUSES = {1: "active", 2: "updated", 3: "deleted", 4: "ignored"}
CLIPBOARD = 65_536  # characters of a clipboard entry that are kept


def _applications(data: Data) -> None:
    apps = data.get("AppId")
    if not isinstance(apps, list):
        return
    names = [v for k, v in walk(apps) if k == "application" and isinstance(v, str) and v]
    data["application"] = list(dict.fromkeys(names))
    paths = [path for path in dict.fromkeys(map(known_folder, names)) if path not in names]
    if paths:
        data["application_path"] = paths  # known folder ids taken as the folders they stand for


def _packages(data: Data, database: Database) -> None:
    identifier = data["_row"].get("Id")
    if not database.has("Activity_PackageId", "ActivityId", "PackageName") or identifier is None:
        return
    found = database.related(
        "SELECT Platform, PackageName FROM Activity_PackageId WHERE ActivityId = ? ORDER BY Platform, PackageName LIMIT 20",
        identifier,
    )
    packages = list(dict.fromkeys(name for _, name in found if isinstance(name, str) and name))
    if packages:
        data["packages"] = packages


def clipboard_texts(value: Any) -> list[str]:
    """The texts of a clipboard payload: entries of Base64 content by format."""
    out = []
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("content"), str):
            try:
                out.append(shown(base64.b64decode(entry["content"], validate=True))[:CLIPBOARD])
            except (binascii.Error, ValueError):
                out.append(entry["content"][:CLIPBOARD])
    return out


def _activity(data: Data, database: Database) -> None:
    named(data, "ActivityType", TYPES)
    named(data, "ActivityStatus", STATUSES)
    identifier, parent = data.get("Id"), data.get("ParentActivityId")
    if isinstance(identifier, bytes):
        data["Id"] = identifier.hex()
    if isinstance(parent, bytes):
        data["ParentActivityId"] = parent.hex() if any(parent) else None
    opened(data, "AppId", "Payload", "OriginalPayload", "ClipboardPayload")
    _applications(data)
    _packages(data, database)
    texts = clipboard_texts(data.get("ClipboardPayload"))
    if texts:
        data["clipboard_text"] = texts
    payload = data.get("Payload")
    if isinstance(payload, dict):
        for name, key in (
            ("display_text", "displayText"),
            ("app_display_name", "appDisplayName"),
            ("content_uri", "contentUri"),
            ("description", "description"),
            ("activation_uri", "activationUri"),
            ("active_duration_seconds", "activeDurationSeconds"),
            ("user_time_zone", "userTimezone"),
        ):
            data[name] = payload.get(key)
    row = data["_row"]
    start, end = row.get("StartTime"), row.get("EndTime")
    if isinstance(start, int) and isinstance(end, int) and end > start:
        data["duration_seconds"] = end - start


TIME_COLUMNS = (
    "StartTime EndTime LastModifiedTime LastModifiedOnClient OriginalLastModifiedOnClient CreatedTime ExpirationTime"
)
TIMES = dict.fromkeys(TIME_COLUMNS.split(), seconds)
COLUMNS = (
    "a.Id a.AppId a.PackageIdHash a.AppActivityId a.ActivityType a.ActivityStatus a.OperationType a.ParentActivityId "
    "a.Tag a.Group a.MatchId a.StartTime a.EndTime a.LastModifiedTime a.LastModifiedOnClient "
    "a.OriginalLastModifiedOnClient a.CreatedTime a.ExpirationTime a.Payload a.OriginalPayload a.ClipboardPayload "
    "a.Priority a.IsLocalOnly a.PlatformDeviceId a.CreatedInCloud a.ETag a.EnterpriseId"
)
ACTIVITY = Query(
    "windows.timeline", ("Activity a",), COLUMNS, "a.rowid", TIMES, ("StartTime", "LastModifiedTime"), derive=_activity
)
OPERATION = Query(
    "windows.timeline", ("ActivityOperation a",), COLUMNS, "a.rowid", TIMES, ("StartTime", "LastModifiedTime"),
    derive=_activity,
)  # fmt: skip


@parser(
    "windows.timeline",
    claims=LAYOUT,
    reads="ActivitiesCache.db of Windows 10 1803 and later (AppData\\Local\\ConnectedDevicesPlatform)",
    means="an app, document or page was used in the account, from start to end; clipboard entries where kept",
    does_not_mean=(
        "That it was used on this computer: PlatformDeviceId names the device it was. Entries are kept some 30 days."
    ),
    refs=("https://learn.microsoft.com/en-us/windows/uwp/launch-resume/useractivities",),
    artifacts=(ACTIVITY.artifact,),
)
def timeline(file: EvidenceFile) -> Iterator[Yield]:
    """One record an activity and one an operation waiting for synchronisation."""
    yield from read_queries(file, LAYOUT, (ACTIVITY, OPERATION))
