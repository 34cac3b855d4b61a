"""Login records, FSEvents, ASL, mlocate, Java cache and torrent files, made field by field."""

from __future__ import annotations

import gzip
import struct

import pytest

import wigmore.artifacts.macos.asl
import wigmore.artifacts.macos.fsevents
import wigmore.artifacts.macos.utmpx  # noqa: F401  # registers the parsers
from wigmore.artifacts.linux.utmp import LAYOUTS
from wigmore.model.protocols import ParseError


def login(layout, kind=7, pid=42, second=1_700_000_000, user=b"eve", line=b"pts/1", host=b"203.0.113.9") -> bytes:
    return struct.pack(
        layout.form, kind, pid, line, b"ts/1", user, host, 0, 0, 0, second, 5, bytes((203, 0, 113, 9)) + bytes(12)
    )


@pytest.mark.parametrize("layout", LAYOUTS, ids=[layout.name for layout in LAYOUTS])
def test_login_records_are_read_in_every_layout(make, read, layout) -> None:
    records, gaps = read(make(login(layout) * 3, "x"), "linux.utmp")
    assert len(records) == 3 and not gaps
    data = records[0][1].data
    assert (data["user"], data["pid"], data["terminal"], data["address"], data["event"]) == (
        "eve",
        42,
        "pts/1",
        "203.0.113.9",
        "login",
    )
    assert records[0][1].times["written_at"]["text"] == "2023-11-14T22:13:20.000005Z"


def test_a_damaged_login_record_is_a_gap_and_the_next_is_read(make, read) -> None:
    good = login(LAYOUTS[0])
    records, gaps = read(make(good + b"c" * 384 + good + b"torn", "var/log/btmp"), "linux.utmp")
    assert [locator["offset"] for locator, _ in records] == [0, 768]
    assert [gap.reason for gap in gaps] == ["damaged", "truncated"]
    assert records[0][1].artifact == "linux.btmp" and records[0][1].data["event"] == "failed login"


def test_a_zeroed_login_record_is_reported(make, read) -> None:
    records, _ = read(make(login(LAYOUTS[0]) + bytes(384), "wtmp"), "linux.utmp")
    assert records[1][1].data["zeroed"] is True and records[1][1].time_field is None


def test_macos_login_records_are_read(make, read) -> None:
    form = "<256s4s32siHHii256s16s48x"
    signature = struct.pack(form, b"utmpx-1.00", b"", b"", 0, 10, 0, 0, 0, b"", b"")
    entry = struct.pack(form, b"eve", b"s000", b"ttys000", 7, 7, 0, 1_384_400_842, 9, b"host", b"")
    records, gaps = read(make(signature + entry + b"x", "x"), "macos.utmpx")
    assert records[0][1].data["user"] == "eve" and records[0][1].data["event"] == "login"
    assert gaps[0].reason == "truncated"


def page(events: list[tuple[str, int, int]]) -> bytes:
    body = b"".join(
        path.encode() + b"\0" + struct.pack("<Q", number) + struct.pack(">I", flags) + struct.pack("<Q", 9)
        for path, number, flags in events
    )
    return b"2SLD" + bytes(4) + struct.pack("<I", 12 + len(body)) + body


def test_fsevents_are_read_in_order_with_flag_names(make, read) -> None:
    pages = page([("a/b", 7, 0x01008000), ("a", 8, 0x0A000001)]) + page([("c", 9, 2)])
    records, gaps = read(make(gzip.compress(pages, mtime=0), "x"), "macos.fsevents")
    assert [(r.data["path"], r.data["event_id"]) for _, r in records] == [("a/b", 7), ("a", 8), ("c", 9)]
    assert records[0][1].data["flag_names"] == ["FileEvent", "Created"]
    assert records[1][1].data["flag_names"] == ["FolderEvent", "Removed", "Renamed"]
    assert not gaps and all(not record.times for _, record in records)


def test_a_torn_fsevents_journal_keeps_what_was_read(make, read) -> None:
    whole = gzip.compress(b"".join(page([(f"p{n}", n, 1)]) for n in range(300)), mtime=0)
    records, gaps = read(make(whole[: len(whole) // 2], "x"), "macos.fsevents")
    assert records and gaps


def test_the_locate_database_lists_directories_with_entries(make, read) -> None:
    settings = b"prunefs\0NFS\0\0"
    head = b"\0mlocate" + struct.pack(">IBBH", len(settings), 0, 1, 0) + b"/\0" + settings
    folder = struct.pack(">QII", 1_625_805_379, 500, 0) + b"/home\0" + b"\1eve\0" + b"\0note.txt\0" + b"\2"
    records, gaps = read(make(head + folder + folder[:30], "x"), "linux.mlocate")
    assert records[0][1].data["settings"] == {"prunefs": ["NFS"]}
    assert records[1][1].data == {
        "path": "/home",
        "entries": ["eve", "note.txt"],
        "files": ["note.txt"],
        "folders": ["eve"],
    }
    assert gaps[-1].reason == "truncated"


def asl_text(text: str) -> bytes:
    raw = text.encode() + b"\0"
    return b"\0\1" + struct.pack(">I", len(raw)) + raw


def test_an_apple_system_log_record_resolves_its_strings(make, read) -> None:
    host, message = asl_text("mac.local"), asl_text("something happened")
    first = 80 + len(host) + len(message)
    body = struct.pack(">QQQIHHIIIIIII", 0, 5, 1_385_372_735, 7, 4, 0, 69, 0, 0, 0, 0, 0, 2)
    body += (
        struct.pack(">Q", 80) + b"\x84appd\0\0\0" + struct.pack(">Q", 0) + struct.pack(">Q", 80 + len(host)) + bytes(16)
    )
    body += b"\x83key\0\0\0\0" + b"\x83val\0\0\0\0" + bytes(8)
    head = b"ASL DB\0\0\0\0\0\0" + struct.pack(">IQQ", 2, first, 1) + bytes(48)
    content = head + host + message + b"\0\0" + struct.pack(">I", len(body)) + body
    records, gaps = read(make(content, "x"), "macos.asl")
    data = records[0][1].data
    assert (data["host"], data["sender"], data["message"], data["key"]) == (
        "mac.local",
        "appd",
        "something happened",
        "val",
    )
    assert records[0][1].times["logged_at"]["text"] == "2013-11-25T09:45:35.000000007Z"
    assert not gaps


def text16(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()


def test_a_java_cache_index_gives_url_headers_and_the_servers_time(make, read) -> None:
    head = struct.pack(">BBIHBIQQ", 0, 0, 602, 0, 0, 14180, 1_273_023_259_000, 0)
    body = (
        text16("")
        + text16("http://x.example/a.jar")
        + text16("")
        + struct.pack(">I", 1)
        + text16("date")
        + text16("Wed, 05 May 2010 03:52:31 GMT")
    )
    records, gaps = read(make(head + body + bytes(40), "x"), "java.cache")
    assert records[0][1].data["url"] == "http://x.example/a.jar"
    assert records[0][1].times["answered_at"]["text"] == "2010-05-05T03:52:31Z"
    assert records[0][1].times["answered_at"]["owner"] == "server" and not gaps


def test_torrent_state_names_place_and_finish(make, read) -> None:
    content = b"d11:destination9:/home/eve9:done-datei1383935064e4:name5:a.isoe"
    records, _ = read(make(content, "x"), "torrent.state")
    assert records[0][1].data["saved_to"] == "/home/eve"
    assert records[0][1].times["finished_at"]["text"] == "2013-11-08T18:24:24Z"


@pytest.mark.parametrize("content", [b"d1:a", b"d" + b"1:al" * 400, b"d1:ai" + b"9" * 50 + b"ee", b"d4294967295:x"])
def test_broken_bencode_is_refused_with_its_place(make, read, content) -> None:
    with pytest.raises(ParseError):
        read(make(content, "x"), "torrent.state")
