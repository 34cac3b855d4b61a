"""What is special about single tools: paths, absences, searches, keys, queries, assets."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from wigmore.investigation.workbench import Workbench
from wigmore.model.nouns import Coverage
from wigmore.registry import tools
from wigmore.tools.browser import searched_for
from wigmore.tools.communication import party_is
from wigmore.tools.context import ToolOutput
from wigmore.tools.runner import arguments
from wigmore.tools.text import bounded, compiled

from .conftest import Call

STICK = "usb_stick.img/p1"


def names(output: ToolOutput) -> list[str]:
    return [r["path"].rpartition("/")[2] for r in output.rows]


# --- paths


def test_a_volume_is_listed_without_a_record_and_its_files_with_one(call: Call) -> None:
    [volume] = call("src-stick", "list_directory", path="usb_stick.img").rows
    assert (volume["path"], volume["kind"]) == (STICK, "volume")
    assert "record_id" not in volume
    rows = call("src-stick", "list_directory", path=STICK).rows
    assert all("record_id" in r for r in rows if r.get("path") != f"{STICK}/$Unallocated")


def test_names_are_found_as_the_file_system_compares_them(call: Call) -> None:
    exact = call("src-stick", "list_directory", path=STICK + "/work")
    folded = call("src-stick", "list_directory", path="/USB_STICK.IMG/P1/WORK/")
    assert exact.rows == folded.rows != ()
    missing = call("src-laptop", "list_directory", path="users")  # a folder of files keeps its case
    assert missing.outcome == "failed"
    assert "Users" in missing.note


def test_a_path_that_leads_nowhere_names_what_is_there(call: Call) -> None:
    for tool in ("list_directory", "read_text_file", "unzip_archive", "exif_image", "parse_plist"):
        answer = call("src-server", tool, path="etc/passwords")
        assert answer.outcome == "failed"
        assert "etc/passwords" in answer.note


def test_a_cut_listing_says_that_there_is_more(call: Call) -> None:
    cut = call("src-laptop", "list_directory", recursive=True, limit=5)
    assert len(cut.rows) == 5
    assert cut.more


# --- absences


def test_what_a_source_cannot_hold_is_not_applicable(call: Call) -> None:
    for source, tool in (
        ("src-server", "parse_prefetch"),
        ("src-laptop", "list_messages"),
        ("src-photographs", "list_logons"),
        ("src-laptop", "parse_ios_keychain"),
        ("src-laptop", "get_srum"),
        ("src-iphone", "list_usb_devices"),
        ("src-server", "partition_info"),
    ):
        assert call(source, tool).outcome == "not_applicable", (source, tool)


def test_a_look_that_finds_nothing_names_where_it_looked(call: Call) -> None:
    answer = call("src-iphone", "list_messages", text="no such words")
    assert answer.outcome == "empty"
    assert "sms.db" in answer.note


def test_files_that_could_not_be_read_are_named_and_never_an_absence(bench: Workbench) -> None:
    broken = Coverage(
        "src-server",
        "a/b.pf",
        "windows.prefetch",
        "windows.prefetch@1",
        "failed",
        0,
        "cut off",
        "truncated",
        complete=False,
    )
    whole = replace(broken, path="a/c.pf", outcome="empty", reason="", reason_code="", complete=True)
    tool = tools()["parse_prefetch"]
    seen: dict[str, ToolOutput] = {}
    for name, rows in (("failed", [broken]), ("both", [broken, whole]), ("empty", [whole])):
        context = replace(bench.context("src-server", "examiner"), coverage=lambda kept=rows: kept)
        seen[name] = tool.function(context, **arguments(tool, {}))
    assert seen["failed"].outcome == "failed"
    assert "a/b.pf: cut off" in seen["failed"].note
    assert seen["both"].outcome == "empty"
    assert "a/b.pf: cut off" in seen["both"].note
    assert seen["empty"].outcome == "empty"
    assert "cut off" not in seen["empty"].note


def test_a_key_of_a_hive_that_is_not_there_is_no_absence(call: Call) -> None:
    assert call("src-laptop", "parse_registry_key", key="HKLM\\SYSTEM\\Nothing").outcome == "empty"
    assert call("src-laptop", "parse_registry_key", key="HKLM\\SECURITY\\Policy").outcome == "not_applicable"
    assert call("src-laptop", "parse_registry_key", key="x", hive="COMPONENTS").outcome == "failed"


# --- text and bytes


def test_a_hit_on_the_medium_stands_at_its_offset(call: Call, investigated: Path) -> None:
    [shown] = call("src-stick", "read_text_file", path=STICK + "/letter.txt").rows
    word = max(re.findall(r"[A-Za-z]+", shown["text"]), key=len)
    found = call("src-stick", "search_strings", pattern=word.upper(), media=True)
    medium = (investigated / "sample/evidence/usb_stick/usb_stick.img").read_bytes()
    assert found.rows
    for hit in found.rows:
        piece = medium[hit["offset"] : hit["offset"] + hit["length"]]
        assert piece.decode(hit["encoding"]).lower() == word.lower()
        assert hit["volume"] == "p1"


def test_a_hit_in_a_file_stands_at_its_offset(call: Call, investigated: Path) -> None:
    found = call("src-server", "search_strings", pattern="support2", path="etc")
    content = (investigated / "sample/evidence/server/etc/passwd").read_bytes()
    offsets = [r["offset"] for r in found.rows if r["path"] == "etc/passwd"]
    assert len(offsets) == content.count(b"support2")
    assert all(content[at:].startswith(b"support2") for at in offsets)


@pytest.mark.parametrize(
    ("pattern", "kept"),
    [
        (r"\d+", r"\d{1,255}"),
        ("a*?b", "a{0,255}?b"),
        ("a++b", "a{1,255}+b"),
        (r"a\+[*+\]]", r"a\+[*+\]]"),
        ("[]*]+", "[]*]{1,255}"),
        ("[^]+]*", "[^]+]{0,255}"),
        ("a{3,}", "a{3,255}"),
        ("a{2,3}+", "a{2,3}+"),
        ("a{,5}", "a{,5}"),
        ("(?:a)?+b", "(?:a)?+b"),
        ("a{x}+", "a{x}{1,255}"),
        ("a{300,}", "a{300,300}"),
    ],
)
def test_repetitions_without_end_are_ended(pattern: str, kept: str) -> None:
    assert bounded(pattern) == kept
    re.compile(kept)


def test_a_pattern_takes_time_in_proportion_to_what_it_reads() -> None:
    from wigmore.artifacts.generic.strings_reader import find_strings

    blob = io.BytesIO(b"a" * 200_000)
    assert not list(find_strings(blob, compiled(r"[\w.]+@[\w.]+", True), ("utf-8",)))


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a*)*", "(?:x{2,})+", "((a{1,2}b){9})", "a|", "(", "", "a" * 501])
def test_patterns_that_cannot_be_searched_are_refused(call: Call, pattern: str) -> None:
    assert call("src-server", "search_strings", pattern=pattern, regex=True).outcome == "failed"


def test_unknown_encodings_are_refused_with_the_known_ones(call: Call) -> None:
    answer = call("src-server", "search_strings", pattern="x", encodings=["klingon"])
    assert answer.outcome == "failed"
    assert "utf-16-le" in answer.note


def test_text_and_bytes_are_shown_from_where_they_were_asked(call: Call, investigated: Path) -> None:
    content = (investigated / "sample/evidence/server/etc/passwd").read_bytes()
    [row] = call("src-server", "read_text_file", path="etc/passwd", offset=5, length=20).rows
    assert row["text"] == content[5:25].decode()
    lines = call("src-server", "read_binary_preview", path="etc/passwd", offset=16, length=32).rows
    assert [r["offset"] for r in lines] == [16, 32]
    assert content[16:24].hex(" ") in lines[0]["line"]
    assert call("src-server", "read_text_file", path="etc/passwd", offset=10**6).outcome == "empty"
    assert call("src-server", "read_binary_preview", path="etc/passwd", length=0).outcome == "failed"


def test_members_of_a_locked_archive_are_listed_and_not_read(call: Call) -> None:
    listed = call("src-archive", "unzip_archive", path="handover_private.zip")
    assert "readme.txt" in names(listed)
    assert "password" in listed.note
    read = call("src-archive", "read_text_file", path="handover_private.zip/readme.txt")
    assert read.outcome == "failed"
    assert "password" in read.note
    assert call("src-server", "unzip_archive", path="etc/passwd").outcome == "not_applicable"


# --- keys, tables, lists


def test_current_control_set_is_the_one_the_hive_names(call: Call) -> None:
    asked = call(
        "src-laptop", "parse_registry_key", key="HKEY_LOCAL_MACHINE\\System\\CurrentControlSet\\Control\\Windows"
    )
    assert {r["data"]["value_name"] for r in asked.rows} == {"ShutdownTime"}
    assert all("ControlSet001" in r["data"]["key"] for r in asked.rows)
    assert (
        call("src-laptop", "parse_registry_key", key="ControlSet001/Control/Windows", hive="SYSTEM").rows == asked.rows
    )


def test_subkeys_are_named_with_their_case(call: Call) -> None:
    rows = call("src-laptop", "parse_registry_key", key="hklm\\system\\currentcontrolset\\services").rows
    assert {r["subkey"] for r in rows if "subkey" in r} >= {"AnyDesk", "Spooler"}


def test_a_sid_leads_to_the_hive_of_its_profile(call: Call) -> None:
    [profile] = [r for r in call("src-laptop", "list_accounts").rows if r["artifact"] == "windows.registry.profile"]
    key = f"HKU\\{profile['data']['sid']}\\Software\\Microsoft\\Windows\\CurrentVersion\\Run"
    mine = call("src-laptop", "parse_registry_key", key=key)
    assert {r["path"] for r in mine.rows} == {f"Users/{profile['data']['user']}/NTUSER.DAT"}
    assert not mine.note


def test_a_user_without_a_hive_is_named_with_those_that_have_one(call: Call) -> None:
    answer = call("src-laptop", "get_user_activity", user="nobody")
    assert answer.outcome == "failed"
    assert "iiversen" in answer.note
    assert call("src-laptop", "get_user_activity", user="IIversen").outcome == "found"


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"ROWID": 3}, [3]),
        ({"rowid": {"op": "<=", "value": 2}}, [1, 2]),
        ({"ROWID": {"op": ">", "value": "1"}, "rowid": {"op": "<", "value": 4}}, [2, 3]),
        ({"ROWID": 10**9}, []),
    ],
)
def test_rows_of_a_table_are_chosen_by_columns(call: Call, where: dict[str, Any], expected: list[int]) -> None:
    path = "private/var/mobile/Library/SMS/sms.db"
    answer = call("src-iphone", "sqlite_query", path=path, table="MESSAGE", columns=["ROWID"], where=where)
    assert sorted({r["data"]["ROWID"] for r in answer.rows}) == expected
    assert all(set(r["data"]) == {"table", "ROWID"} for r in answer.rows)
    assert answer.outcome == ("found" if expected else "empty")


def test_unknown_tables_columns_and_tests_are_refused_with_the_known_ones(call: Call) -> None:
    path = "private/var/mobile/Library/SMS/sms.db"
    for given, hint in (
        ({"table": "x"}, "message"),
        ({"table": "message", "columns": ["x"]}, "ROWID"),
        ({"table": "message", "where": {"ROWID": {"op": "~", "value": 1}}}, "contains"),
    ):
        answer = call("src-iphone", "sqlite_query", path=path, **given)
        assert answer.outcome == "failed"
        assert hint in answer.note
    assert call("src-server", "sqlite_query", path="etc/passwd").outcome == "not_applicable"


def test_a_query_is_no_statement(call: Call) -> None:
    path = "private/var/mobile/Library/SMS/sms.db"
    answer = call("src-iphone", "sqlite_query", path=path, table='message"; DROP TABLE message; --')
    assert answer.outcome == "failed"
    assert call("src-iphone", "sqlite_query", path=path, table="message", text="' OR 1=1 --").outcome == "empty"


def test_a_time_that_is_none_is_refused(call: Call) -> None:
    for tool in ("query_events", "browser_history", "list_messages", "list_logons", "list_calls", "query_records"):
        answer = call("src-iphone", tool, after="yesterday")
        assert answer.outcome == "failed"
        assert "ISO 8601" in answer.note


def test_a_period_is_inclusive_at_its_start_and_exclusive_at_its_end(call: Call) -> None:
    rows = call("src-iphone", "list_calls").rows
    first = min(r["times"]["ZDATE"]["text"] for r in rows)
    assert first in {r["times"]["ZDATE"]["text"] for r in call("src-iphone", "list_calls", after=first).rows}
    assert call("src-iphone", "list_calls", before=first).outcome == "empty"


@pytest.mark.parametrize("tool", ["list_calls", "query_records"])
def test_a_bound_with_an_offset_is_that_instant(call: Call, tool: str) -> None:
    more = {"artifact": "ios.call"} if tool == "query_records" else {}
    first = min(r["times"]["ZDATE"]["text"] for r in call("src-iphone", "list_calls").rows)
    east = datetime.fromisoformat(first).astimezone(timezone(timedelta(hours=2))).isoformat()
    found = [call("src-iphone", tool, after=bound, **more).rows for bound in (first, east)]
    assert found[0] and found[0] == found[1]


@pytest.mark.parametrize(
    ("asked", "stored", "same"),
    [
        ("+1 (505) 555-0111", "+15055550111", True),
        ("505 555 0111", "15055550111@s.whatsapp.net", True),
        ("0505 5550111", "+15055550111", True),
        ("+15055550111", "+15055550112", False),
        ("5550111", "+15055550111", True),
        ("111", "+15055550112", False),
        ("rosa", "Rosa Gruber", True),
        ("+15055550111", "2505555011155", False),
    ],
)
def test_numbers_meet_in_whatever_form_they_are_written(asked: str, stored: str, same: bool) -> None:
    test = party_is(asked)
    assert test is not None
    assert test({"data": {"from": stored}}) is same
    assert not test({"data": {"text": stored}})  # a text that mentions a party is not one of the parties


@pytest.mark.parametrize(
    ("address", "term"),
    [
        ("https://www.google.com/search?q=erase+files&hl=en", "erase files"),
        ("https://duckduckgo.com/?q=%C3%BCber", "über"),
        ("https://shop.example.com/item?q=3", ""),
        ("https://search.example.com/", ""),
        ("http://[broken", ""),
    ],
)
def test_a_search_term_is_read_from_a_search_page_only(address: str, term: str) -> None:
    assert searched_for({"data": {"url": address}}) == term


def test_text_with_other_letters_and_backslashes_is_found(bench: Workbench, call: Call) -> None:
    assert call("src-laptop", "list_autostart", text="Temp\\rc\\SYNC.cmd").outcome == "found"
    assert call("src-laptop", "list_autostart", text="Tempé\\rc").outcome == "empty"


# --- assets and the graph


def test_an_extracted_file_is_an_asset_of_its_bytes(case: Path) -> None:
    with Workbench(case) as bench:
        made = bench.runner.call(
            "extract_file", {"path": "etc/passwd"}, source_id="src-server", agent="filesystem", task_id="t"
        )
        row = made.rows[0]
        content = (case.parent / "sample/evidence/server/etc/passwd").read_bytes()
        assert row["asset_sha256"] == hashlib.sha256(content).hexdigest()
        assert bench.outputs.get(row["asset_sha256"]) == content
        assert made.rows[1]["data"]["sha256"] == row["asset_sha256"]
        listed = bench.runner.call("list_assets", {}, source_id="src-server", agent="media", task_id="u").rows
        assert [a["name"] for a in listed] == ["src-server/etc/passwd"]
    with Workbench(case, write=False) as bench:
        assert [a["name"] for a in bench.state.assets.values()] == ["src-server/etc/passwd"]


def test_a_deleted_entry_is_extracted_by_its_inode(case: Path) -> None:
    with Workbench(case) as bench:
        deleted = [
            r
            for r in bench.store.records(["file_listing"], "src-stick", "state = 'unallocated'")
            if r["data"].get("recovery") == "intact"
        ]
        assert deleted
        given = {"path": deleted[0]["path"], "inode": deleted[0]["inode"]}
        rows = bench.runner.call("extract_file", given, source_id="src-stick", agent="filesystem", task_id="t").rows
        assert rows[0]["asset_sha256"] == deleted[0]["data"]["sha256"]
        wrong = bench.runner.call(
            "extract_file", {**given, "inode": "99999"}, source_id="src-stick", agent="f", task_id="t"
        )
        assert wrong.invocation.status == "failed"
        assert (
            bench.runner.call(
                "set_active_partition", {"path": "p9"}, source_id="src-stick", agent="f", task_id="t"
            ).invocation.status
            == "failed"
        )


def test_the_graph_is_read_with_its_facts_and_without_clocks(bench: Workbench, call: Call) -> None:
    listed = call("src-laptop", "list_phenomena", limit=5000).rows
    assert {r["id"] for r in listed} == set(bench.state.phenomena)
    head, *facts = call("src-laptop", "get_phenomenon", id=listed[0]["id"]).rows
    assert len(facts) == head["facts"]
    assert "created_at" not in head
    for hypothesis in bench.state.hypotheses:
        head, *edges = call("", "get_hypothesis", id=hypothesis).rows
        assert len(edges) == len(bench.state.edges_to(hypothesis))
        assert all("timestamp" not in entry for entry in head["confidence_log"])
    assert call("", "list_phenomena", source_id="src-none").outcome == "failed"
    assert call("", "get_phenomenon", id="ph-none").outcome == "failed"
    assert call("", "get_hypothesis", id="hyp-none").outcome == "failed"
    assert call("", "list_leads", status="lost").outcome == "failed"
    assert call("", "search_graph", text=" ").outcome == "failed"
