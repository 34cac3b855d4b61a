"""What the readers of $MFT, $UsnJrnl, $LogFile and $I30 make of built files, whole and damaged."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import ntfs_builders as build
import pytest
from ntfs_builders import Memory, located, split

from wigmore.artifacts.windows.mft import mft
from wigmore.artifacts.windows.ntfs_index import folder_index
from wigmore.artifacts.windows.ntfs_log import log_file
from wigmore.artifacts.windows.ntfs_structures import fix_up
from wigmore.artifacts.windows.usn_journal import usn_journal
from wigmore.model.protocols import EvidenceFile, ParseError, Yield
from wigmore.registry import parsers


def by_number() -> dict[int, build.Record]:
    records, gaps = split(mft(Memory("$MFT", build.master_file_table())))
    assert gaps == []
    return {int(r.data["record_number"]): r for r in records if "record_number" in r.data}


# $MFT ------------------------------------------------------------------------------------------------------------------


def test_a_record_has_its_long_name_its_path_and_both_sets_of_times() -> None:
    record = by_number()[7]
    assert record.data["path"] == "/Docs/long name.txt"
    assert [other["name"] for other in record.data["other_names"]] == ["LONGNA~1.TXT"]
    assert record.times["created"]["text"] < record.times["fn_created"]["text"] == "2020-01-01T00:00:00.1234567Z"
    assert (record.data["security_id"], record.data["usn"]) == (257, 4242)


def test_resident_streams_are_shown_with_hash_and_text() -> None:
    data = by_number()[7].data
    assert data["size"] == 16 and data["alternate_streams"] == ["Zone.Identifier"]
    main, zone = data["streams"]
    assert main["text"] == "resident content" and len(main["sha256"]) == 64
    assert zone["text"].startswith("[ZoneTransfer]")


def test_a_free_record_is_unallocated_and_keeps_its_path() -> None:
    record = by_number()[8]
    assert record.state == "unallocated" and record.data["deleted"] is True
    assert record.data["path"] == "/Docs/gone.doc" and record.data["size"] == 9000


def test_a_folder_record_that_was_used_again_does_not_lend_its_name() -> None:
    data = by_number()[9].data
    assert data["path"] == "?/orphan.txt" and "used again" in data["path_note"]


def test_extension_records_are_told_with_the_record_they_belong_to() -> None:
    found = by_number()
    assert 11 not in found
    assert found[10].data["path"] == "/Docs/in extension.bin" and found[10].data["size"] == 5000


def test_a_table_of_a_mounted_volume_is_only_counted() -> None:
    file = Memory("disk.E01/p1/$MFT", build.master_file_table(), {"$BadClus": b"", "$AttrDef": b""})
    records, _ = split(mft(file))
    assert [r.artifact for r in records] == ["windows.ntfs.mft_summary"]
    assert "file_listing" in records[0].data["listed_in"] and records[0].data["in_use"] == 5


def test_a_torn_record_is_said_and_its_neighbours_are_read() -> None:
    content = bytearray(build.master_file_table())
    content[7 * 1024 + 510] ^= 0xFF
    records, gaps = split(mft(Memory("$MFT", bytes(content))))
    assert [gap.offset for gap in gaps] == [7 * 1024]
    assert {r.data.get("name") for r in records} >= {"gone.doc", "Docs"}


def test_folders_in_a_circle_end() -> None:
    content = bytearray(build.master_file_table())
    content[6 * 1024 : 7 * 1024] = build.file_record(
        6, build.resident(0x30, build.name_value("Docs", 6, 2)), sequence=2, flags=3
    )
    records, _ = split(mft(Memory("$MFT", bytes(content))))
    assert any("circle" in str(r.data.get("path_note")) for r in records)


def test_a_file_without_records_is_refused() -> None:
    with pytest.raises(ParseError):
        list(mft(Memory("$MFT", b"\1" * 4096)))


def test_the_mirror_of_the_table_is_not_claimed() -> None:
    claim = parsers()["windows.ntfs.mft"].claims
    head = build.master_file_table()[:4096]
    assert claim(head, "x/$MFT", 4096) and claim(head, "exported.bin", 4096) and not claim(head, "x/$MFTMirr", 4096)


# $UsnJrnl:$J -----------------------------------------------------------------------------------------------------------


def journal() -> bytes:
    made = build.usn_record(0, "folder", 0x100, 60 | 1 << 48, attributes=0x10)
    made += build.usn_record(len(made), "old.txt", 0x1000, 61 | 1 << 48, 60 | 1 << 48)
    made += build.usn_record(len(made), "new.txt", 0x80002000, 61 | 1 << 48, 60 | 1 << 48, version=3)
    made += build.usn_extents(len(made), 61 | 1 << 48)
    return b"\0" * (2 << 20) + made.ljust(4096, b"\0") + build.usn_record(4096, "gone.txt", 0x80000200)


def test_changes_of_three_versions_are_read_after_the_sparse_beginning() -> None:
    rows = located(usn_journal(Memory("$Extend/$UsnJrnl:$J", journal())))
    assert [(r.data["version"], r.data.get("name")) for _, r in rows] == [
        (2, "folder"), (2, "old.txt"), (3, "new.txt"), (4, None), (2, "gone.txt"),
    ]  # fmt: skip
    place, last = rows[-1]
    assert place["offset"] == (2 << 20) + 4096 and last.data["reasons"] == ["FILE_DELETE", "CLOSE"]
    assert rows[3][1].data["extents"] == [{"offset": 4096, "length": 512}] and rows[3][1].time_field is None


def test_a_path_is_put_together_from_the_folders_that_the_journal_named() -> None:
    rows = located(usn_journal(Memory("$J", journal())))
    assert rows[2][1].data["known_path"] == "/folder/new.txt"
    assert rows[2][1].data["parent_record"] == 60 and rows[2][1].data["file_sequence"] == 1


def test_bytes_that_are_no_record_are_said_and_the_next_record_is_found() -> None:
    first, third = build.usn_record(0, "a.txt", 0x100), build.usn_record(200, "c.txt", 0x100)
    records, gaps = split(usn_journal(Memory("$J", first + b"\xee" * 96 + third)))
    assert [r.data["name"] for r in records] == ["a.txt", "c.txt"]
    assert gaps[0].offset == len(first) and "96 bytes" in gaps[0].message


def test_a_journal_is_known_by_name_or_content() -> None:
    claim = parsers()["windows.ntfs.usn"].claims
    two = build.usn_record(0, "a", 1) + build.usn_record(64, "b", 1)
    assert claim(two, "some/export.bin", 128) and claim(b"\0" * 8192, "c/$Extend/$UsnJrnl:$J", 1 << 30)
    assert not claim(b"\0" * 8192, "c/zeros.bin", 8192) and not claim(b"\0" * 32, "c/$UsnJrnl:$Max", 32)


# $LogFile --------------------------------------------------------------------------------------------------------------


def test_operations_that_carry_names_are_told_in_order_and_others_counted() -> None:
    rows = located(log_file(Memory("$LogFile", build.log_file())))
    told = [(r.data["told"], r.data.get("name")) for _, r in rows if "told" in r.data]
    assert told == [
        ("file record initialised", "made.txt"), ("index entry added", "made.txt"), ("index entry deleted", "removed.txt"),
        ("attribute created", "renamed.txt"), ("times updated", None), ("journal record written", "journal.txt"),
    ]  # fmt: skip
    summary = rows[-1][1]
    assert summary.artifact == "windows.ntfs.log_summary" and summary.data["operations"]["ForgetTransaction"] == 1


def test_times_that_were_set_back_are_shown_with_those_before() -> None:
    records, _ = split(log_file(Memory("$LogFile", build.log_file())))
    update = next(r for r in records if r.data.get("told") == "times updated")
    assert update.data["set_back"] == ["created", "modified", "changed", "accessed"]
    assert update.times["created"]["text"] < update.times["before_created"]["text"] == "2020-01-01T00:00:00.1234567Z"


def test_the_restart_area_says_version_and_client() -> None:
    records, gaps = split(log_file(Memory("$LogFile", build.log_file())))
    assert gaps == [] and records[0].artifact == "windows.ntfs.log_restart"
    assert (records[0].data["version"], records[0].data["client"], records[0].data["clean"]) == ("1.1", "NTFS", True)


def test_pages_are_read_without_a_restart_area_and_that_is_said() -> None:
    records, gaps = split(log_file(Memory("$LogFile", build.log_file(restart=False))))
    assert "no restart area" in gaps[0].message
    assert {"made.txt", "journal.txt"} <= {r.data.get("name") for r in records}


def test_an_emptied_log_is_called_so() -> None:
    records, gaps = split(log_file(Memory("$LogFile", b"\xff" * 65536)))
    assert gaps == [] and "0xff" in records[0].data["content"]


# $I30 ------------------------------------------------------------------------------------------------------------------


def test_entries_in_use_come_before_those_of_the_free_part() -> None:
    records, gaps = split(folder_index(Memory("$I30", build.index_block())))
    assert gaps == []
    assert [(r.data["name"], r.state) for r in records] == [
        ("alpha.txt", "live"), ("beta.txt", "live"), ("was here.doc", "unallocated"),
    ]  # fmt: skip
    assert records[2].data["record_number"] == 43 and records[2].times["modified"]


def test_a_name_whose_entry_head_is_overwritten_is_still_found() -> None:
    content = bytearray(build.index_block())
    at = content.find("was here.doc".encode("utf-16-le")) - 66 - 16
    content[at : at + 16] = b"\x11" * 16
    records, _ = split(folder_index(Memory("$I30", bytes(content))))
    assert records[2].data["entry_head"] == "overwritten" and records[2].data["name"] == "was here.doc"


# damage ----------------------------------------------------------------------------------------------------------------

Reader = Callable[[EvidenceFile], Iterator[Yield]]
WHOLE: list[tuple[Reader, bytes]] = [
    (mft, build.master_file_table()),
    (usn_journal, journal()[2 << 20 :]),
    (log_file, build.log_file()),
    (folder_index, build.index_block()),
]


@pytest.mark.parametrize(("reader", "content"), WHOLE, ids=["mft", "usn", "log", "i30"])
def test_damaged_copies_are_read_as_far_as_they_go_and_never_crash(reader: Reader, content: bytes) -> None:
    for mutant in build.damaged(content, 40):
        try:
            for item in reader(Memory("x", mutant)):
                assert item
        except ParseError as error:
            assert error.message


def test_sector_ends_of_a_block_without_an_array_are_not_touched() -> None:
    block = bytearray(1024)
    struct.pack_into("<HH", block, 4, 2000, 3)
    assert fix_up(block) is False and fix_up(bytearray(4)) is False


# real ------------------------------------------------------------------------------------------------------------------


def test_the_log_and_table_of_a_real_volume_are_read(shared_evidence: Path) -> None:
    from wigmore.evidence.source import SourceSpec, open_source

    image = shared_evidence / "images/plaso/vsstest.qcow2"
    source = open_source(SourceSpec("src-1", image, "image"))
    file = source.file_at(image.name)
    with file.open() as stream:
        expansion = source.expand(file, stream.read(65536))
    assert expansion is not None
    prefix = expansion.prefixes[0]
    records, gaps = split(log_file(source.file_at(f"{prefix}/$LogFile")))
    assert gaps == [] and len([r for r in records if r.data.get("told")]) == 86
    table = source.file_at(f"{prefix}/$MFT")
    mounted, _ = split(mft(table))
    assert [r.artifact for r in mounted] == ["windows.ntfs.mft_summary"]
    loose, _ = split(mft(Memory("$MFT", table.read())))
    listed = {getattr(e, "path", "") for e in source.open_store(prefix).entries()}
    paths = {str(r.data["path"]) for r in loose if "path" in r.data} - {"/"}
    assert paths <= {path.removeprefix(prefix) for path in listed} | {"/$Extend"}
