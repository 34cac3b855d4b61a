"""Tools and rules over journals, thumbnails and reports, asked of a case made of built files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import ntfs_builders as build
import pytest

from wigmore.api.new import new_case
from wigmore.api.run import Options, run
from wigmore.investigation.workbench import Workbench
from wigmore.registry import tools
from wigmore.tools.context import ToolOutput
from wigmore.tools.runner import arguments

Call = Callable[..., ToolOutput]


def journal() -> bytes:
    made = b""
    names = ["diary.docx", "AAAAA.AAAA", "FFFFF.FFFF", "ZZZZZ.ZZZZ"]
    for old, new in pairwise(names):
        made += build.usn_record(len(made), old, 0x1000, 70 | 1 << 48)
        made += build.usn_record(len(made), new, 0x80002000, 70 | 1 << 48)
    made += build.usn_record(len(made), names[-1], 0x80000200, 70 | 1 << 48)
    return made + build.usn_record(len(made), "letter.docx", 0x80000200, 71 | 1 << 48)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    home = tmp_path_factory.mktemp("remnants")
    collected = home / "collected"
    (collected / "$Extend").mkdir(parents=True)
    (collected / "$Extend" / "$J").write_bytes(journal())
    (collected / "$LogFile").write_bytes(build.log_file())
    (collected / "$MFT").write_bytes(build.master_file_table())
    (collected / "Thumbs.db").write_bytes(build.thumbs_db())
    (collected / "thumbcache_96.db").write_bytes(
        build.cache(32, build.cache_entry(32, 5, "5", build.png(9, 7)), build.cache_entry(32, 6, "6", b""), kind=3)
    )
    new_case(home / "case", [collected])
    assert run(home / "case", Options(jobs=1)).exit_code in (0, 3)
    with Workbench(home / "case", write=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def call(bench: Workbench) -> Call:
    source = bench.case_file.sources[0].id

    def called(tool: str, **given: Any) -> ToolOutput:
        chosen = tools()[tool]
        output, error = bench.runner.execute(chosen, arguments(chosen, given), source, "examiner")
        assert not error, error
        return output

    return called


def test_changes_are_found_by_name_reason_and_time(call: Call) -> None:
    everything = call("list_file_changes")
    assert {row["artifact"] for row in everything.rows} == {"windows.ntfs.usn", "windows.ntfs.log"}
    diary = call("list_file_changes", name="DIARY")
    assert [row["data"]["reasons"] for row in diary.rows] == [["RENAME_OLD_NAME"]]
    gone = call("list_file_changes", reason="file_delete")
    assert {row["data"]["name"] for row in gone.rows} == {"ZZZZZ.ZZZZ", "letter.docx", "journal.txt"}
    assert call("list_file_changes", reason="index entry deleted").rows[0]["data"]["name"] == "removed.txt"
    assert call("list_file_changes", name="letter", after="2021-01-01T00:00:00Z").outcome == "empty"
    assert call("list_file_changes", after="yesterday").outcome == "failed"


def test_thumbnails_are_found_by_the_hash_of_the_picture_and_bare_entries_counted(call: Call) -> None:
    listed = call("list_thumbnails")
    assert len(listed.rows) == 5 and "1 of the entries hold no picture" in listed.note
    chosen = next(row for row in listed.rows if row["data"].get("width") == 9)
    again = call("list_thumbnails", sha256=chosen["data"]["sha256"].upper())
    assert [row["record_id"] for row in again.rows] == [chosen["record_id"]]
    assert call("list_thumbnails", text="beach").rows[0]["data"]["name"] == "beach.jpg"


def test_an_overwriters_renames_are_a_phenomenon_and_one_name_alone_is_not(bench: Workbench) -> None:
    rules = [p.rule for p in bench.state.phenomena.values()]
    assert rules.count("ntfs.overwriter_renames") == 1
    assert "ntfs.deletions" in rules and "ntfs.times_set_back" in rules
