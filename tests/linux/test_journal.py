"""systemd journals: entries, fields, compression, entries outside the chain, and damage."""

from __future__ import annotations

import random
import struct
from types import SimpleNamespace

import pytest
from journal_builder import HEADER, JournalFile

from wigmore.api.run import _expected_coverage
from wigmore.artifacts.linux.journal_objects import MAGIC
from wigmore.evidence.filetype import unread
from wigmore.formats import lz4
from wigmore.model.protocols import Gap, ParseError, Record, Recorder
from wigmore.records.examine import choose
from wigmore.records.rules import OWN_RULES, load_indicators
from wigmore.registry import parsers

SSHD = [
    ("MESSAGE", "Failed password for invalid user eve from 203.0.113.9 port 4001 ssh2"),
    ("SYSLOG_IDENTIFIER", "sshd"), ("_PID", "77"), ("PRIORITY", "6"), ("SYSLOG_FACILITY", "4"),
    ("_HOSTNAME", "web1"), ("_UID", "0"), ("_SYSTEMD_UNIT", "ssh.service"), ("_TRANSPORT", "syslog"),
]  # fmt: skip


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("compress", [0, 1, 2, 4], ids=["plain", "xz", "lz4", "zstd"])
def test_entries_are_read_with_their_fields_whatever_the_layout_and_compression(make, read, compact, compress) -> None:
    built = JournalFile(compact=compact, compress=compress)
    built.entry(SSHD)
    built.entry(
        [("MESSAGE", "Started " + "a very long thing " * 20), ("_COMM", "systemd"), ("UNIT", "a"), ("UNIT", "b")]
    )
    built.entry([("MESSAGE", "third")], 1_700_000_002_000_000)
    records, gaps = read(make(built.build(), "system.journal"), "linux.journal")
    assert not gaps
    (_, head), (locator, first), (_, second), (_, third) = records
    assert head.artifact == "linux.journal_file" and head.data["compact"] is compact and head.data["state"] == "offline"
    assert first.artifact == "linux.authlog" and locator["kind"] == "offset"
    wanted = {
        "event": "ssh_login_failed", "user": "eve", "address": "203.0.113.9", "port": 4001, "user_exists": False,
        "program": "sshd", "pid": 77, "host": "web1", "severity": "informational", "facility": "auth",
        "unit": "ssh.service", "process_uid": 0, "boot_id": "000102030405060708090a0b0c0d0e0f", "sequence_number": 1,
        "monotonic_microseconds": 5_000_000,
    }  # fmt: skip
    assert {name: first.data.get(name) for name in wanted} == wanted
    assert first.times["logged_at"]["text"] == "2023-11-14T22:13:20.000000Z" and first.host_id == "web1"
    assert second.artifact == "" and str(second.data["message"]).endswith("thing ")
    assert second.data["fields"] == {"UNIT": ["a", "b"]} and second.data["program"] == "systemd"
    assert third.times["logged_at"]["instant"] == 1_700_000_002_000_000


def test_what_a_message_says_of_an_account_is_kept_apart_from_the_process_that_sent_it(make, read) -> None:
    built = JournalFile()
    text = "new user: name=mallory, UID=1007, GID=1007, home=/home/mallory, shell=/bin/bash"
    built.entry([("MESSAGE", text), ("SYSLOG_IDENTIFIER", "useradd"), ("_UID", "0")])
    records, _ = read(make(built.build()), "linux.journal")
    data = records[1][1].data
    assert (data["event"], data["user"], data["uid"], data["process_uid"]) == ("account_created", "mallory", "1007", 0)


def test_an_entry_outside_the_chain_is_read_and_said(make, read) -> None:
    built = JournalFile()
    built.entry(SSHD)
    built.entry([("MESSAGE", "unlinked")], linked=False)
    records, gaps = read(make(built.build()), "linux.journal")
    assert records[2][1].data["in_entry_chain"] is False and records[2][1].data["message"] == "unlinked"
    assert "in_entry_chain" not in records[1][1].data
    assert ["1 of 2 entries are not reachable" in gap.message for gap in gaps] == [True]


def test_a_journal_that_was_open_says_so(make) -> None:
    built = JournalFile(state=1)
    built.entry(SSHD)
    items = list(parsers()["linux.journal"].function(make(built.build())))
    assert [item.note for item in items if isinstance(item, Recorder)] == [
        "the journal was open for writing when it was copied (state online)"
    ]


def test_unknown_features_are_refused_not_guessed(make, read) -> None:
    built = JournalFile()
    built.entry(SSHD)
    with pytest.raises(ParseError) as caught:
        read(make(built.build(incompatible=1 << 9)), "linux.journal")
    assert caught.value.reason == "schema_unknown"


def test_where_the_row_of_objects_is_broken_the_chain_still_gives_the_entries_behind(make, read) -> None:
    built = JournalFile()
    built.entry([("MESSAGE", "one"), ("A", "1")])
    built.entry([("MESSAGE", "two"), ("B", "2")])
    content = bytearray(built.build())
    struct.pack_into("<Q", content, HEADER + 8, 1 << 40)  # the size of the first data object
    records, gaps = read(make(bytes(content)), "linux.journal")
    assert [record.data["message"] for _, record in records[1:]] == ["", "two"]
    assert records[1][1].data["unread_fields"] == 1
    assert any("row of objects breaks off" in gap.message for gap in gaps)


def test_a_cut_journal_says_that_it_is_cut(make, read) -> None:
    built = JournalFile()
    for number in range(50):
        built.entry([("MESSAGE", f"number {number}")])
    content = built.build()
    records, gaps = read(make(content[: len(content) // 2]), "linux.journal")
    assert len(records) > 10 and "truncated" in {gap.reason for gap in gaps}


@pytest.mark.parametrize("number", range(5))
def test_damaged_journals_are_gaps_never_crashes(make, number) -> None:
    built = JournalFile(compress=4 if number % 2 else 2, compact=number > 2)
    for index in range(30):
        built.entry([*SSHD, ("N", str(index)), ("TEXT", "lorem ipsum " * 20 + str(index))])
    draws, content = random.Random(number), bytearray(built.build())
    for _ in range(40):
        content[draws.randrange(8, len(content))] = draws.randrange(256)
    try:
        items = list(parsers()["linux.journal"].function(make(bytes(content), f"m{number}")))
    except ParseError:
        return
    assert any(isinstance(item, Gap) for item in items)
    assert all(isinstance(item, (Gap, Recorder)) or isinstance(item[1], Record) for item in items)


def test_journals_are_claimed_by_content_and_no_longer_said_to_be_unread() -> None:
    assert [parser.name for parser in choose(parsers(), MAGIC + bytes(300), "x/y", 308)] == ["linux.journal"]
    assert unread("systemd journal", "system.journal", 300) is None


def test_rules_on_authentication_logs_see_journal_entries() -> None:
    rules = load_indicators([OWN_RULES])
    assert "linux.authlog" in parsers()["linux.journal"].artifacts
    assert "linux.authlog" in rules["linux.ssh_failures"].artifacts
    assert "linux.journal" in rules["linux.log_rotated"].artifacts


@pytest.mark.parametrize("made, missing", [("linux.journal", []), ("logs.syslog", []), ("linux.wtmp", ["logs.syslog"])])
def test_a_system_log_is_missed_only_where_there_is_neither_a_file_nor_a_journal(made: str, missing: list[str]) -> None:
    rows: list[dict[str, object]] = []
    expected = {"name": "log", "records": ["logs.syslog|linux.journal"]}
    bench = SimpleNamespace(
        coverage=[],
        store=SimpleNamespace(parts=[SimpleNamespace(source_id="s", artifact=made)]),
        state=SimpleNamespace(sources={"s": SimpleNamespace(type="disk_image", meta={"platform": "linux"})}),
        rules=SimpleNamespace(expected=[{"source": "disk_image+linux", "artifacts": [expected]}]),
        append=lambda events: rows.extend(events[0].body["rows"]),
    )
    _expected_coverage(bench)  # type: ignore[arg-type]  # as much of a workbench as it needs
    assert [row["artifact"] for row in rows] == missing


def test_an_lz4_block_copies_over_itself_and_refuses_what_cannot_be() -> None:
    assert lz4.decompress(b"\x23ab\x02\x00\x10c", 10) == b"ababababac"
    for raw, size in ((b"\x23ab\x09\x00\x10c", 10), (b"\x23ab\x02\x00", 4), (b"\xf0\xff", 10), (b"\x20a", 2)):
        with pytest.raises(lz4.Broken):
            lz4.decompress(raw, size)
