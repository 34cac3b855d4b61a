"""Windows notifications: text and program of each, and programs that may notify."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from wigmore.artifacts.windows.notifications import notifications
from wigmore.evidence.local import LocalFile
from wigmore.records.examine import choose
from wigmore.registry import HEAD, parsers

FILETIME = 132_913_981_412_345_678  # 2022-03-10T15:02:21.2345678Z
TOAST = (
    '<toast launch="app://x?a=1&amp;b=2"><visual><binding><text>New &lt;mail&gt;</text><text id="2">from Jo</text>'
    "</binding></visual></toast>"
)


def test_a_notification_has_its_words_its_program_and_its_times(tmp_path: Path) -> None:
    path = tmp_path / "renamed.sqlite"
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE NotificationHandler (RecordId INTEGER, PrimaryId TEXT, HandlerType TEXT, CreatedTime TEXT)"
    )
    connection.execute(
        "CREATE TABLE Notification ([Order] INTEGER, Id INTEGER, HandlerId INTEGER, Type TEXT, Payload BLOB, Tag TEXT, "
        "[Group] TEXT, ExpiryTime INT64, ArrivalTime INT64)"
    )
    connection.execute("INSERT INTO NotificationHandler VALUES (7, 'Mail.App!x', 'app:desktop', '2022-03-01 10:00:00')")
    values = (1, 5, 7, "toast", TOAST.encode(), "t", "g", FILETIME, FILETIME)
    connection.execute("INSERT INTO Notification VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    connection.execute("INSERT INTO Notification (Id, HandlerId, Type, Payload) VALUES (6, 8, 'tile', ?)", (b"\xff\0",))
    connection.commit()
    connection.close()
    assert "windows.notification" in [p.name for p in choose(parsers(), path.read_bytes()[:HEAD], str(path), 1)]
    found = [item[1] for item in notifications(LocalFile.at(path)) if isinstance(item, tuple)]
    toast, tile, program = found
    assert toast.data["text"] == "New <mail> | from Jo" and toast.data["launch"] == "app://x?a=1&b=2"
    assert toast.data["application"] == "Mail.App!x" and toast.data["Group"] == "g"
    assert toast.times["ArrivalTime"]["text"] == "2022-03-10T15:02:21.2345678Z" and toast.time_field == "ArrivalTime"
    assert tile.data["Type"] == "tile" and "application" not in tile.data
    assert program.artifact == "windows.notification_program" and program.data["RecordId"] == 7
