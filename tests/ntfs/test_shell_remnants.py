"""What the readers of thumbnail caches, error reports, memory files and event-log free parts make of built files."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import ntfs_builders as build
import pytest
from ntfs_builders import Memory, located, split

from wigmore.artifacts.windows.error_report import error_report
from wigmore.artifacts.windows.eventlog_slack import CHUNK, slack_records
from wigmore.artifacts.windows.icon_cache import icon_cache
from wigmore.artifacts.windows.memory_files import PIECE, memory_file
from wigmore.artifacts.windows.thumbcache import thumbcache, thumbcache_index
from wigmore.artifacts.windows.thumbs_db import thumbs_db
from wigmore.artifacts.windows.xpress import Broken, decompress
from wigmore.model.protocols import EvidenceFile, ParseError, Yield
from wigmore.registry import parsers

PICTURE = build.png(12, 9)


# thumbnail caches ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "kind", "cache"), [(20, 2, "256"), (21, 1, "96"), (30, 4, "256"), (32, 5, "768")])
def test_entries_of_each_version_have_hash_size_and_the_pictures_own_hash(version: int, kind: int, cache: str) -> None:
    content = build.cache(version, build.cache_entry(version, 0xABCDEF, "abcdef", PICTURE, 12, 9), kind=kind)
    rows = located(thumbcache(Memory("thumbcache_x.db", content)))
    assert len(rows) == 1  # the free entry is left out
    place, record = rows[0]
    data = record.data
    assert (data["entry_hash"], data["identifier"], data["cache"]) == ("0000000000abcdef", "abcdef", cache)
    assert (data["picture_type"], data["width"], data["height"], data["size"]) == ("PNG", 12, 9, len(PICTURE))
    assert data["sha256"] == hashlib.sha256(PICTURE).hexdigest()
    assert content[data["picture_offset"] :].startswith(PICTURE) and place["offset"] == 24


def test_a_damaged_entry_is_said_and_the_next_one_found() -> None:
    entries = [build.cache_entry(32, n, f"{n}", build.jpeg(n, n)) for n in (1, 2, 3)]
    content = bytearray(build.cache(32, *entries))
    struct.pack_into("<I", content, 24 + len(entries[0]) + 4, 3)
    records, gaps = split(thumbcache(Memory("thumbcache_96.db", bytes(content))))
    assert [r.data["width"] for r in records] == [1, 3] and "do not fit" in gaps[0].message


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(ParseError):
        list(thumbcache(Memory("a.db", b"CMMM" + b"\xff" * 60)))


def test_the_index_gives_offsets_by_cache() -> None:
    row = struct.pack("<QI5I", 0xABCDEF, 0x08005002, 0xFFFFFFFF, 24, 0, 480, 0xFFFFFFFF)
    content = struct.pack("<4sIIIII", b"IMMM", 21, 0, 24, 1, 2) + row + b"\0" * 32
    records, gaps = split(thumbcache_index(Memory("thumbcache_idx.db", content)))
    assert gaps == [] and len(records) == 2
    assert records[1].data["offsets"] == {"96": 24, "1024": 480} and records[1].data["entry_hash"] == "0000000000abcdef"


def test_a_later_index_is_read_only_where_its_count_fits() -> None:
    row = struct.pack("<QQ14I", 0xABCDEF, 2, *(0, 24, 0xFFFFFFFF, 4000), *[0xFFFFFFFF] * 10)
    head = struct.pack("<I4sIIIII", 0x2030000C, b"IMMM", 32, 0, 5, 1, 101).ljust(0x110, b"\0")
    whole = head + row + b"\0" * (72 * 100)
    records, gaps = split(thumbcache_index(Memory("thumbcache_idx.db", whole)))
    assert gaps == [] and records[1].data["offsets"] == {"32": 24, "96": 4000}
    other = whole.replace(struct.pack("<II", 1, 101), struct.pack("<II", 9, 101), 1)
    records, gaps = split(thumbcache_index(Memory("thumbcache_idx.db", other)))
    assert len(records) == 1 and gaps[0].reason == "schema_unknown"


def test_a_thumbs_db_joins_names_and_pictures() -> None:
    records, gaps = split(thumbs_db(Memory("Pictures/Thumbs.db", build.thumbs_db())))
    assert gaps == []
    found = [(r.data.get("name"), r.data.get("width"), r.data.get("height")) for r in records]
    assert found == [("beach.jpg", 96, 64), ("cliff.jpg", 64, 96), (None, 256, 200)]
    assert records[0].times["modified"]["text"].startswith("2020-01-01")
    assert (records[2].data["entry_hash"], records[2].data["cache"]) == ("79dea834bece3f6b", "256")


# error reports ---------------------------------------------------------------------------------------------------------


def test_a_crash_report_names_program_code_modules_and_times() -> None:
    path = "ProgramData/Microsoft/Windows/WER/ReportArchive/AppCrash_tool.exe_1234_5678/Report.wer"
    records, gaps = split(error_report(Memory(path, build.error_report())))
    assert gaps == [] and len(records) == 1
    data = records[0].data
    assert (data["program_path"], data["Sig.Exception Code"]) == ("C:\\Tools\\tool.exe", "c0000005")
    assert data["report_type"] == "application crash" and data["report_folder"].startswith("AppCrash_tool.exe")
    assert data["program_sha1"] == hashlib.sha1(b"").hexdigest() and len(data["loaded_modules"]) == 2
    assert records[0].times["event_at"]["text"] == "2020-01-01T00:00:00.1234567Z"


def test_a_report_is_known_by_its_lines_whatever_its_name_and_other_texts_are_left_alone() -> None:
    claim = parsers()["windows.error_report"].claims
    assert claim(build.error_report()[:8192], "kept/copy.txt", 900)
    other = b"\xff\xfe" + "Version=1\r\nName=settings\r\n".encode("utf-16-le")
    assert not claim(other, "kept/settings.ini", len(other))


def test_text_that_is_no_report_is_refused() -> None:
    with pytest.raises(ParseError):
        list(error_report(Memory("a.wer", "hello\r\nthere\r\n".encode("utf-16-le"))))


# memory files ----------------------------------------------------------------------------------------------------------


def test_addresses_are_found_with_their_offsets_in_both_encodings() -> None:
    content = bytearray(b"\x01" * 9000)
    content[1000:1024] = b"to anna.berg@example.org"
    wide = "https://example.net/page".encode("utf-16-le")
    content[5001 : 5001 + len(wide)] = wide
    rows = located(memory_file(Memory("pagefile.sys", bytes(content))))
    found = {(r.data["value"], place["offset"], place["length"]) for place, r in rows if "feature" in r.data}
    assert found == {("anna.berg@example.org", 1003, 21), ("https://example.net/page", 5001, 48)}
    assert rows[-1][1].data["email"] == ["anna.berg@example.org"]


def test_an_address_across_two_pieces_is_found_once_and_whole() -> None:
    for shift in (-8200, -8190, -4096, -20, -5, 0, 5):
        content = bytearray(b"\x02" * (2 * PIECE))
        at = PIECE + shift
        content[at : at + 21] = b"anna.berg@example.org"
        hits = [p for p, r in located(memory_file(Memory("pagefile.sys", bytes(content)))) if "feature" in r.data]
        assert [hit["offset"] for hit in hits] == [at]


def test_a_hibernation_header_says_its_state_and_time() -> None:
    head = struct.pack("<4sIIIIIII", b"HIBR", 0, 1, 168, 0, 4096, 0, 0) + struct.pack("<Q", build.TIME)
    records, _ = split(memory_file(Memory("hiberfil.sys", head.ljust(8192, b"\0"))))
    assert records[0].data["state"] == "hibernated, not resumed"
    assert records[0].times["hibernated_at"]["text"].startswith("2020-01-01T00:00:00")
    zeroed, _ = split(memory_file(Memory("hiberfil.sys", b"\0" * 8192)))
    assert "zeroed" in zeroed[0].data["state"]


def test_plain_lz77_repeats_and_long_lengths_are_unpacked() -> None:
    # MS-XCA 3.1: the alphabet as literals; and "abc" a hundred times as three literals and one long copy
    alphabet = b"abcdefghijklmnopqrstuvwxyz"
    assert decompress(struct.pack("<I", 0x3F) + alphabet, 65536) == alphabet
    repeated = struct.pack("<I", 0x1FFFFFFF) + b"abc" + bytes.fromhex("17000fff2601")
    assert decompress(repeated, 65536) == b"abc" * 100
    with pytest.raises(Broken):
        decompress(struct.pack("<I", 0xFFFFFFFF) + b"\x10\0", 100)


def test_addresses_in_compressed_pages_are_found_with_block_and_place() -> None:
    text = b"mail anna.berg@example.org now and then "
    packed = struct.pack("<I", 0) + text[:32] + struct.pack("<I", 0) + text[32:].ljust(32, b"\0")
    block = b"\x81\x81xpress" + struct.pack("<I", (len(packed) - 1) << 10).ljust(24, b"\0") + packed
    content = b"HIBR".ljust(8192, b"\0") + block.ljust(4096, b"\0")
    rows = located(memory_file(Memory("hiberfil.sys", content)))
    hits = [(p["offset"], p.get("in_block")) for p, r in rows if r.data.get("compressed")]
    assert hits == [(8192, 5)]
    assert rows[-1][1].data["compressed_blocks"] == 1


# icon caches -----------------------------------------------------------------------------------------------------------


def test_paths_of_an_icon_cache_are_listed_in_order() -> None:
    paths = ("C:\\Tools\\tool.exe", "\\\\server\\share\\größe.ico", "E:\\setup.exe")
    body = b"".join(struct.pack("<IH", 7, len(p)) + p.encode("utf-16-le") + b"\0\0\x07\xff" for p in paths)
    content = struct.pack("<I4sHH", 64, b"Win4", 0x0507, 0).ljust(64, b"\0") + body
    records, gaps = split(icon_cache(Memory("IconCache.db", content)))
    assert gaps == [] and records[0].data["version"] == "0x0507"
    assert [r.data["item_path"] for r in records[1:]] == list(paths)


# free parts of event log chunks ----------------------------------------------------------------------------------------


def test_only_complete_records_of_the_free_part_are_counted() -> None:
    chunk = bytearray(CHUNK)
    struct.pack_into("<I", chunk, 48, 1024)

    def put(at: int, size: int, tail: int) -> None:
        struct.pack_into("<4sIQQ", chunk, at, b"**\0\0", size, 7, build.TIME)
        struct.pack_into("<I", chunk, at + size - 4, tail)

    put(512, 128, 128)  # in use
    put(2048, 128, 128)
    put(4096, 128, 127)  # torn
    put(8195, 128, 128)  # not aligned
    assert slack_records(bytes(chunk)) == [(2048, 128, 7, build.TIME)]


# damage ----------------------------------------------------------------------------------------------------------------

Reader = Callable[[EvidenceFile], Iterator[Yield]]
WHOLE: list[tuple[Reader, bytes]] = [
    (thumbcache, build.cache(32, *[build.cache_entry(32, n, f"{n}", PICTURE) for n in range(1, 9)])),
    (thumbcache_index, struct.pack("<4sIIIII", b"IMMM", 20, 0, 24, 3, 101) + bytes(range(1, 121)) * 10),
    (icon_cache, struct.pack("<I4sHH", 64, b"Win4", 0x0507, 0) + "C:\\Tools\\tool.exe".encode("utf-16-le") * 9),
    (thumbs_db, build.thumbs_db()),
    (error_report, build.error_report()),
    (memory_file, b"\x01" * 512 + b"mail anna.berg@example.org now" * 40),
]


@pytest.mark.parametrize(
    ("reader", "content"), WHOLE, ids=["thumbcache", "index", "icons", "thumbs.db", "wer", "memory"]
)
def test_damaged_copies_are_read_as_far_as_they_go_and_never_crash(reader: Reader, content: bytes) -> None:
    for mutant in build.damaged(content, 40):
        try:
            for item in reader(Memory("hiberfil.sys", mutant)):
                assert item
        except ParseError as error:
            assert error.message


# real ------------------------------------------------------------------------------------------------------------------


def test_the_firewall_log_and_the_index_of_the_recycler_were_read_before(shared_evidence: Path) -> None:
    from wigmore.evidence.local import LocalFile

    log = parsers()["logs.w3c"].function(LocalFile.at(shared_evidence / "logs/plaso/windows_firewall.log"))
    rows, _ = split(log)
    assert any(r.data.get("size") == "576" and r.data.get("tcpflags") == "A" for r in rows)
    bin_index = parsers()["windows.recycle_bin.info2"].function(
        LocalFile.at(shared_evidence / "windows_misc/plaso/recycler/INFO2")
    )
    assert any(str(r.data["deleted_path"]).endswith("lalsetup250.exe") for r in split(bin_index)[0])
