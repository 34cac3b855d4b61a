"""ESE databases: typed values, headers, any database, broken trees, damaged copies."""

from __future__ import annotations

import random
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from ese_builder import (
    BIT,
    DATE,
    FIRST,
    LONG,
    LONG_BINARY,
    LONG_TEXT,
    PAGE,
    SHORT,
    Table,
    database,
)
from ese_cases import (
    FILETIME,
    NETWORK,
    OLE,
    records,
    srum_database,
    ual_database,
)

from wigmore.artifacts.browser import webcache
from wigmore.artifacts.windows import bits, ese, ese_pages, ese_reader, ese_values, search_index, srum, user_access
from wigmore.evidence.filetype import unread
from wigmore.evidence.local import LocalFile
from wigmore.model.protocols import ParseError
from wigmore.model.times import ole
from wigmore.records.examine import choose, run_parser
from wigmore.registry import HEAD, parsers
from windows.windows_builders import Memory, split, wide

# --- values ------------------------------------------------------------------------------------------------------------


def test_a_date_column_holds_an_ole_date_or_a_filetime_and_each_is_told_by_its_bytes() -> None:
    dated = ese_values.Moment(OLE)
    assert dated.time(utc=True)["text"].startswith("2022-03-10T16:35:02.4") and dated.time(utc=True)["zone"] == "Z"  # type: ignore[index]  # a time is there
    assert dated.time()["zone"] == "local-unknown"  # type: ignore[index]  # likewise
    moment = ese_values.Moment(FILETIME.to_bytes(8, "little"))
    assert moment.time()["text"] == "2022-03-10T15:02:21.2345678Z"  # type: ignore[index]  # likewise
    assert ese_values.Moment(bytes(8)).time() is None and ese_values.Moment(b"\xff" * 8).time() is None
    assert ole(44630.0, True)["text"] == "2022-03-10T00:00:00Z"  # type: ignore[index]  # likewise


def test_fixed_columns_that_were_never_set_are_absent_and_short_ones_are_refused() -> None:
    assert ese_values.plain(b"****", ese_values.INT32, filled=True) is None
    assert ese_values.plain(b"****", ese_values.INT32) == 0x2A2A2A2A
    assert ese_values.plain(b"\x2a", ese_values.UINT8, filled=True) == 42
    assert (
        ese_values.plain(b"\xff\xff", ese_values.INT16) == -1
        and ese_values.plain(b"\xff\xff", ese_values.UINT16) == 65535
    )
    with pytest.raises(ValueError, match="too few"):
        ese_values.plain(b"\1", ese_values.INT64)


def test_the_header_says_state_build_and_times_and_a_damaged_one_says_so() -> None:
    raw = database(Table("A", {"Id": LONG}))
    header = ese_values.header_record(raw[:PAGE])
    assert header.data["state_name"] == "clean shutdown" and header.data["windows_build"] == 19044
    assert header.times["created_at"]["text"] == "2022-03-10T21:22:21.474000Z"
    assert ese_values.header_record(b"\0" * PAGE).data["state_name"] == "the first page is damaged"
    assert ese_values.header_record(b"short").data["state"] == 0
    assert ese_values.log_time(bytes([1, 2, 3, 4, 13, 120, 0, 0])) is None  # a thirteenth month
    assert ese_values.log_time(bytes([1, 2, 3, 4, 5, 120, 0, 0]))["zone"] == "local-unknown"  # type: ignore[index]  # a time


def test_a_database_nobody_knows_gives_its_rows_as_they_stand() -> None:
    when = FILETIME.to_bytes(8, "little")
    raw = database(
        Table("Things", {"Id": LONG, "Flag": BIT, "Small": SHORT, "When": DATE, "Name": LONG_TEXT, "Blob": LONG_BINARY},
              [{"Id": 1, "Flag": 1, "When": when, "Name": "Zoë", "Blob": wide("some text")}, {"Id": 2, "Small": -3}]),
    )  # fmt: skip
    [parser] = choose(parsers(), raw[:HEAD], "export.bin", len(raw))
    assert parser.name == "windows.ese"
    first, second = records(ese.ese, "export.bin", raw)
    assert first.data["Name"] == "Zoë" and first.data["Blob_text"] == "some text" and "Small" not in first.data
    assert first.times["When"]["text"] == "2022-03-10T15:02:21.2345678Z" and first.time_field is None
    assert second.data == {"table": "Things", "Id": 2, "Small": -3}
    assert unread("ESE database", "x.edb", 10) is None


def test_values_of_a_multi_valued_column_are_told_apart_and_seven_bit_texts_unpacked() -> None:
    raw = struct.pack("<HH", 4, 8) + "ab".encode("utf-16-le") + "c".encode("utf-16-le")
    assert ese_values.several(raw, ese_values.LONG_TEXT) == ["ab", "c"]
    assert ese_values.several(b"\xff", ese_values.LONG_TEXT) == []
    bits_of = sum(ord(c) << (7 * i) for i, c in enumerate("abc"))
    assert ese_pages.seven_bits(bytes([1 << 3 | 4]) + bits_of.to_bytes(3, "little")) == "abc"
    assert ese_pages.seven_bits(b"\x18abc") is None


# --- damage ------------------------------------------------------------------------------------------------------------


def test_a_database_that_was_not_shut_down_cleanly_says_so_and_is_read() -> None:
    found, gaps, _ = split(srum.srum(Memory("SRUDB.dat", srum_database(state=2))))
    assert len(found) == 7 and [gap.reason for gap in gaps] == ["dirty_without_log"]


def test_pages_with_a_false_checksum_are_named_and_their_rows_still_read() -> None:
    raw = bytearray(srum_database())
    at = raw.find((5_000_000_000).to_bytes(8, "little"))
    raw[at] ^= 1
    found, gaps, _ = split(srum.srum(Memory("SRUDB.dat", bytes(raw))))
    assert len(found) == 7 and "1 pages have a checksum" in gaps[0].message and gaps[0].offset == (FIRST + 2) * PAGE


def test_rows_of_a_table_whose_tree_is_broken_are_read_from_its_pages() -> None:
    with ese_reader.open_ese(Memory("SRUDB.dat", srum_database())) as opened:
        whole = [row.values for row in opened.rows(NETWORK)]
        broken = list(opened._by_page(NETWORK, opened.tables[NETWORK], "its root is broken"))
    assert [row.values for row in broken] == whole and len(whole) == 3
    assert {row.state for row in broken} == {"carved"} and broken[0].locator["kind"] == "page"
    assert "3 rows were read from its pages" in opened.gaps[-1].message


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 8, b"\0\0\0\0\xef\xcd\xab\x89", b"\0\0\0\0\xef\xcd\xab\x89" + b"\xff" * 9000]
)
def test_malformed_headers_are_refused_with_a_reason(content: bytes) -> None:
    for parse, name in (
        (srum.srum, "SRUDB.dat"),
        (user_access.user_access, "Current.mdb"),
        (webcache.webcache, "WebCacheV01.dat"),
        (search_index.search_index, "Windows.edb"),
        (bits.queue_database, "qmgr.db"),
        (ese.ese, "x"),
    ):
        with pytest.raises(ParseError):
            list(parse(Memory(name, content)))


def test_damaged_copies_are_read_in_part_or_refused_but_never_crash() -> None:
    chance = random.Random(5)
    for parser, raw in (("windows.srum", srum_database(20)), ("windows.ual", ual_database())):
        for number in range(5):
            copy = bytearray(raw)
            if number == 0:
                del copy[chance.randrange(PAGE, len(copy)) :]
            for _ in range(40 * number):
                copy[chance.randrange(len(copy))] = chance.randrange(256)
            row = run_parser(parsers()[parser], Memory("SRUDB.dat", bytes(copy)), "", lambda *_: None, lambda: 0.0)
            assert row.reason_code != "crashed", row.reason
            assert row.outcome == "found" or row.reason


def test_random_bytes_as_a_record_give_values_or_problems_within_bounds() -> None:
    chance = random.Random(3)
    columns = [ese_pages.Column(1, "a", 4, 4), ese_pages.Column(128, "b", 9, 0), ese_pages.Column(256, "c", 12, 0)]
    for _ in range(2000):
        raw = chance.randbytes(chance.randrange(60))
        values, problems = ese_pages.row_values(raw, columns, ese_values.stored, bool(chance.randrange(2)))
        assert len(values) <= 3 and len(problems) <= 70_000


def test_the_real_databases_are_read_whole_and_page_by_page_alike(shared_evidence: Path) -> None:
    for path in (
        shared_evidence / "composite/case1_windows_aptsim/tree/Windows/System32/sru/SRUDB.dat",
        *sorted((shared_evidence / "server_ual").rglob("*.mdb")),
    ):
        if not path.exists():
            pytest.skip(f"{path.name} is not among the shared evidence")
        with ese_reader.open_ese(LocalFile.at(path)) as opened:
            assert opened.gaps == []
            for name, table in opened.tables.items():
                if not name.startswith("MSys"):
                    rows = [replace(row, number=0).values for row in opened.rows(name)]
                    pages = [row.values for row in opened._by_page(name, table, "test")]
                    assert sorted(map(repr, rows)) == sorted(map(repr, pages)), name
