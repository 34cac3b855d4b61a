"""Windows Timeline: applications by path and package, clipboard texts, durations."""

from __future__ import annotations

import base64
import json
import sqlite3
from pathlib import Path

from wigmore.artifacts.windows.timeline import clipboard_texts, timeline
from wigmore.evidence.local import LocalFile
from wigmore.model.protocols import Record


def read(path: Path) -> list[Record]:
    return [item[1] for item in timeline(LocalFile.at(path)) if isinstance(item, tuple)]


def test_an_activity_names_application_package_times_and_clipboard(tmp_path: Path) -> None:
    path = tmp_path / "ActivitiesCache.db"
    apps = [{"application": "{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\\cmd.exe", "platform": "x_exe_path"}]
    clipboard = [{"content": base64.b64encode(b"copied words").decode(), "formatName": "Text"}]
    payload = {"displayText": "notes.txt", "activeDurationSeconds": 9, "userTimezone": "Europe/Vienna"}
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE Activity (Id BLOB, AppId TEXT, ActivityType INT, ActivityStatus INT, StartTime INT, EndTime INT, "
        "LastModifiedTime INT, Payload BLOB, ClipboardPayload BLOB, PlatformDeviceId TEXT)"
    )
    connection.execute("CREATE TABLE Activity_PackageId (ActivityId BLOB, Platform TEXT, PackageName TEXT)")
    connection.execute(
        "INSERT INTO Activity VALUES (?, ?, 10, 1, 1646940000, 1646940030, 1646940031, ?, ?, 'device')",
        (b"\1" * 16, json.dumps(apps), json.dumps(payload).encode(), json.dumps(clipboard).encode()),
    )
    connection.execute("INSERT INTO Activity_PackageId VALUES (?, 'x_exe_path', 'c:\\tools\\cmd.exe')", (b"\1" * 16,))
    connection.commit()
    connection.close()
    [record] = read(path)
    data = record.data
    assert data["application_path"] == ["%SystemRoot%\\System32\\cmd.exe"] and data["packages"] == [
        "c:\\tools\\cmd.exe"
    ]
    assert data["clipboard_text"] == ["copied words"] and data["ActivityType_name"] == "clipboard"
    assert (
        data["duration_seconds"] == 30 and data["active_duration_seconds"] == 9 and data["display_text"] == "notes.txt"
    )
    assert record.times["StartTime"]["text"] == "2022-03-10T19:20:00Z" and record.time_field == "StartTime"


def test_clipboard_payloads_that_are_no_base64_are_shown_as_they_stand() -> None:
    assert clipboard_texts([{"content": "not base64!"}, {"other": 1}, 5]) == ["not base64!"]
    assert clipboard_texts({"content": "x"}) == []


def test_the_real_timeline_names_the_package_of_an_engagement(shared_evidence: Path) -> None:
    found = read(shared_evidence / "windows_misc/plaso/windows/ActivitiesCache.db")
    engaged = [r.data for r in found if r.data.get("active_duration_seconds") == 9]
    assert sum(r.state == "live" for r in found) == 112 and any("packages" in data for data in engaged)
