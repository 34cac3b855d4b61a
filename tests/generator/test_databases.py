"""Databases and logs, read back with SQLite, plistlib and struct."""

from __future__ import annotations

import plistlib
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wigmore.generator import Truth
from wigmore.generator.clocks import cocoa_ns, posix_us, webkit
from wigmore.generator.ios import sms
from wigmore.generator.linux import logs, shell, wtmp

WHEN = datetime(2025, 3, 4, 5, 6, 7, 123456, tzinfo=UTC)


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def test_the_last_messages_stand_in_the_log_only(tmp_path: Path) -> None:
    path = tmp_path / "sms.db"
    first = sms.Message(WHEN, "+15550100", "first", False)
    last = sms.Message(WHEN + timedelta(hours=1), "+15550101", "last", True)
    sms.messages(path, [first], "a@example.com", [last], 7)
    alone = tmp_path / "alone" / "sms.db"
    alone.parent.mkdir()
    shutil.copy(path, alone)
    query = "SELECT m.text, m.date, h.id FROM message m JOIN handle h ON h.ROWID = m.handle_id ORDER BY m.ROWID"
    assert rows(alone, query) == [("first", cocoa_ns(WHEN), "+15550100")]
    assert rows(path, query)[1] == ("last", cocoa_ns(WHEN + timedelta(hours=1)), "+15550101")


def test_every_database_of_the_case_is_sound(made: tuple[Path, Truth], tmp_path: Path) -> None:
    target, _ = made
    seen = 0
    for file in sorted((target / "evidence").rglob("*")):
        if file.is_file() and file.read_bytes()[:15] == b"SQLite format 3":
            copy = tmp_path / f"{seen}.db"
            shutil.copy(file, copy)
            wal = file.with_name(file.name + "-wal")
            if wal.exists():
                shutil.copy(wal, tmp_path / f"{seen}.db-wal")
            assert rows(copy, "PRAGMA integrity_check") == [("ok",)], file
            seen += 1
    assert seen == 11


def test_chrome_holds_the_search_with_its_visit(made: tuple[Path, Truth], tmp_path: Path) -> None:
    target, truth = made
    planted = next(item for item in truth.planted if item.artifact == "browser.chromium.search")
    copy = tmp_path / "History"
    shutil.copy(target / "evidence" / "laptop" / planted.path, copy)
    query = "SELECT k.term, v.visit_time FROM keyword_search_terms k JOIN visits v ON v.url = k.url_id"
    [(term, at)] = rows(copy, query)
    assert term == planted.values[0]
    assert isinstance(at, int)
    moment = datetime.fromisoformat(planted.values[1])
    assert at == webkit(moment)


def test_property_lists_of_the_case_open(made: tuple[Path, Truth]) -> None:
    target, _ = made
    lists = sorted((target / "evidence" / "iphone").rglob("*.plist"))
    assert len(lists) == 4
    for file in lists:
        assert plistlib.loads(file.read_bytes()), file


def test_login_records_are_384_bytes_with_time_and_address() -> None:
    content = wtmp.records([wtmp.Entry(WHEN, wtmp.USER, "deploy", "pts/1", "203.0.113.9", 77, "203.0.113.9")])
    assert len(content) == 384
    kind, pid, line, _, user, host, _, _, _, seconds, micro, address = wtmp.LAYOUT.unpack(content)
    assert (kind, pid, line.rstrip(b"\0"), user.rstrip(b"\0"), host.rstrip(b"\0")) == (
        7,
        77,
        b"pts/1",
        b"deploy",
        b"203.0.113.9",
    )
    assert seconds * 1_000_000 + micro == posix_us(WHEN)
    assert address[:4] == bytes((203, 0, 113, 9))


def test_log_lines_look_as_their_programs_write_them() -> None:
    assert logs.accepted(WHEN, "web01", 5, "deploy", "203.0.113.9", 42100) == (
        "Mar  4 05:06:07 web01 sshd[5]: Accepted password for deploy from 203.0.113.9 port 42100 ssh2"
    )
    assert logs.access(WHEN, "203.0.113.9", "GET", "/x?cmd=id", 200, 54, "agent") == (
        '203.0.113.9 - - [04/Mar/2025:05:06:07 +0000] "GET /x?cmd=id HTTP/1.1" 200 54 "-" "agent"'
    )
    assert shell.bash_history([(WHEN, "df"), (None, "ls")]) == b"#1741064767\ndf\nls\n"


@pytest.mark.parametrize("name", ["auth.log", "syslog", "apache2/access.log"])
def test_logs_of_the_case_are_in_order(made: tuple[Path, Truth], name: str) -> None:
    target, _ = made
    text = (target / "evidence" / "server" / "var" / "log" / name).read_text("utf-8")
    if name.endswith("access.log"):
        stamps = [
            datetime.strptime(line.split("[")[1].split("]")[0], "%d/%b/%Y:%H:%M:%S %z") for line in text.splitlines()
        ]
    else:
        stamps = [datetime.strptime(f"2025 {line[:15]}", "%Y %b %d %H:%M:%S") for line in text.splitlines()]
    assert len(stamps) > 20
    assert stamps == sorted(stamps)
