"""What the Windows artifact parsers read from small files made here."""

from __future__ import annotations

import random
import struct
import uuid
from pathlib import Path

import pytest
from windows_builders import (
    FILETIME_2020,
    TASK,
    Memory,
    custom_destinations,
    defender_value,
    dest_entry,
    dest_list,
    dollar_i,
    file_item,
    info2,
    job,
    legacy_log,
    link,
    prefetch,
    rows,
    split,
    wide,
)

from compound_file import compound
from wigmore import registry
from wigmore.artifacts.windows.defender import detection, service_log
from wigmore.artifacts.windows.eventlog_legacy import eventlog_legacy
from wigmore.artifacts.windows.jump_list import Entry, automatic, custom
from wigmore.artifacts.windows.jump_list import dest_list as read_dest_list
from wigmore.artifacts.windows.link import read_link
from wigmore.artifacts.windows.pca import general, launch
from wigmore.artifacts.windows.prefetch import prefetch as read_prefetch
from wigmore.artifacts.windows.recycle_bin import dollar_i as read_dollar_i
from wigmore.artifacts.windows.recycle_bin import info2 as read_info2
from wigmore.artifacts.windows.restore_point import restore_point
from wigmore.artifacts.windows.scheduled_task import job as read_job
from wigmore.artifacts.windows.scheduled_task import task_xml
from wigmore.artifacts.windows.shell_items import path_of, read_list
from wigmore.artifacts.windows.shell_link import shell_link
from wigmore.model.canonical import canonical
from wigmore.model.protocols import ParseError

SID = "S-1-5-21-1-2-3-1001"


@pytest.mark.parametrize("version", [1, 2])
def test_a_dollar_i_tells_path_size_time_and_the_account_of_its_folder(version: int) -> None:
    content = dollar_i("C:\\Users\\a\\plan.xlsx", 77, FILETIME_2020, version)
    file = Memory(f"$Recycle.Bin/{SID}/$IAB12CD.xlsx", content, {"$RAB12CD.xlsx": b"x"})
    [(_, record)] = rows(read_dollar_i(file))
    assert record.data["deleted_path"] == "C:\\Users\\a\\plan.xlsx"
    assert (record.data["size"], record.data["user_sid"], record.data["content_file_present"]) == (77, SID, True)
    assert record.times["deleted_at"]["text"] == "2020-01-01T00:00:00.1234567Z"


def test_an_unknown_dollar_i_version_is_refused() -> None:
    with pytest.raises(ParseError, match="unknown \\$I version 3"):
        list(read_dollar_i(Memory("$I1", struct.pack("<QQQI", 3, 0, 0, 0))))


def test_an_info2_entry_removed_from_the_bin_keeps_its_path_and_says_so() -> None:
    content = info2(("C:\\a.txt", 1, 10, FILETIME_2020, False), ("D:\\b\\c.doc", 2, 20, FILETIME_2020, True))
    (first, second) = [record.data for _, record in rows(read_info2(Memory(f"RECYCLER/{SID}/INFO2", content)))]
    assert (first["deleted_path"], first["recycled_name"], first["removed_from_bin"]) == ("C:\\a.txt", "Dc1.txt", False)
    assert (second["deleted_path"], second["recycled_name"], second["removed_from_bin"]) == (
        "D:\\b\\c.doc",
        "Dd2.doc",
        True,
    )


def test_a_link_tells_target_volume_arguments_and_times_with_seven_digits() -> None:
    content = link(arguments="/quiet", label="STICK")
    [(locator, record)] = rows(shell_link(Memory("a.lnk", content)))
    assert record.data["target_path"] == "C:\\Users\\a\\report.docx"
    assert (record.data["volume_serial"], record.data["volume_serial_hex"]) == (0x1234ABCD, "1234ABCD")
    assert (record.data["volume_label"], record.data["arguments"]) == ("STICK", "/quiet")
    assert record.times["target_created"]["text"] == "2020-01-01T00:00:00.1234567Z"
    assert locator["length"] == len(content)


def test_a_droid_of_version_1_tells_its_node_and_time() -> None:
    droid = uuid.UUID("958705b5-0d19-11df-9fe4-705ab616a5f3")
    [(_, record)] = rows(shell_link(Memory("a.lnk", link(machine="pc-7", droid=droid))))
    assert (record.data["machine_id"], record.data["mac_address"]) == ("pc-7", "70:5a:b6:16:a5:f3")
    assert record.times["droid_file_time"]["text"] == "2010-01-29T21:02:17.8401717Z"
    assert record.host_id == ""  # the tracker names the target's machine, not the one this link was found on


def test_a_lone_surrogate_in_a_link_is_escaped() -> None:
    [(_, record)] = rows(shell_link(Memory("a.lnk", link("C:\\x_\ud800.exe"))))
    assert record.data["local_path"] == "C:\\x_\\ud800.exe"
    canonical(record.data)


def test_shell_items_give_long_name_file_reference_and_utc_times() -> None:
    root = struct.pack("<HBB", 20, 0x1F, 0x50) + uuid.UUID("20d04fe0-3aea-1069-a2d8-08002b30309d").bytes_le
    drive = struct.pack("<HB", 25, 0x2F) + b"E:\\".ljust(22, b"\0")
    items = (root, drive, file_item("a long folder name", 0x31), file_item("file.bin", entry=99, sequence=4))
    found = read_link(link(items=items))
    assert found.data["item_path"] == "E:\\a long folder name\\file.bin"
    assert (found.data["item_file_entry"], found.data["item_file_sequence"]) == (99, 4)
    assert found.times["item_created"]["text"] == "2020-01-01T00:00:00Z"


def test_shell_items_of_every_class_have_a_name_and_the_path_starts_at_the_last_folder_with_a_path() -> None:
    known = uuid.UUID("374de290-123f-4565-9164-39c4925e467b").bytes_le  # Downloads
    storage = bytes.fromhex("30f125b7ef471a10a5f102608c9eebac")
    shown = storage + struct.pack("<2IBII", 31, 10, 0, 0x1F, 4) + wide("Box") + bytes(4)
    items = read_list(
        b"".join(
            struct.pack("<H", len(body) + 2) + body
            for body in (
                b"\x1f\x50" + uuid.UUID("20d04fe0-3aea-1069-a2d8-08002b30309d").bytes_le,
                b"\0\0\x1a\0\xee\xbb\xfe\x23\0\0\x10\0" + known,
                b"\0\0\0\0" + shown,  # a class not known, with a display name
                b"\x2e\0" + bytes(16),  # no folder id
                b"\x61\x80\x04\0" + bytes(4) + wide("http://a/"),  # data stand before the address
            )
        )
        + b"\0\0"
    )
    assert [item.name for item in items] == [
        "This PC",
        "%UserProfile%\\Downloads",
        "Box",
        "<item of type 0x2e>",
        "http://a/",
    ]
    assert [item.kind for item in items] == ["root folder", "known folder", "class 0x00", "root folder", "URI"]
    assert path_of(items[:3]) == "%UserProfile%\\Downloads\\Box"
    assert [bool(item.unread) for item in items] == [False, False, True, False, False]


def test_a_cut_link_keeps_what_was_read_and_names_the_gap() -> None:
    records, gaps, _ = split(shell_link(Memory("a.lnk", link(arguments="/long argument")[:-20])))
    assert records[0].data["volume_label"] == "DATA"
    assert "arguments is cut off" in gaps[0].message


@pytest.mark.parametrize("version", [1, 4])
def test_a_dest_list_entry_tells_number_host_use_and_pin(version: int) -> None:
    raw = dest_list(
        dest_entry("C:\\a", 7, FILETIME_2020, version=version, pin=0),
        dest_entry("C:\\b", 3, FILETIME_2020, version=version),
        version=version,
    )
    entries = [item for item in read_dest_list(raw) if isinstance(item, Entry)]
    assert [(e.number, e.data["path"], e.data["hostname"], e.data["pinned"]) for e in entries] == [
        (7, "C:\\a", "pc-1", True),
        (3, "C:\\b", "pc-1", False),
    ]
    assert ("access_count" in entries[0].data) == (version == 4)
    assert entries[0].times["last_used"]["text"].startswith("2020-01-01")


def test_custom_destinations_give_each_link_with_its_category() -> None:
    content = custom_destinations(link("C:\\one.txt"), link("C:\\two.txt"))
    found = rows(custom(Memory("f/590aee7bdd69b59b.customDestinations-ms", content)))
    assert [record.data["target_path"] for _, record in found] == ["C:\\one.txt", "C:\\two.txt"]
    assert {record.data["category"] for _, record in found} == {"Tasks of ours"}
    assert found[0][1].data["application"] == "Windows PowerShell"


def test_an_automatic_list_joins_each_entry_with_its_link_and_tells_of_those_off_the_list() -> None:
    entries = dest_list(dest_entry("C:\\one.txt", 1, FILETIME_2020))
    content = compound({"1": link("C:\\one.txt"), "2": link("C:\\two.txt"), "DestList": entries})
    found = rows(automatic(Memory("f/1b4dd67f29cb1962.automaticDestinations-ms", content)))
    assert [(r.data["entry_number"], r.data["target_path"], r.data["has_link"]) for _, r in found] == [
        (1, "C:\\one.txt", True),
        (2, "C:\\two.txt", True),
    ]
    assert found[0][1].data["path"] == "C:\\one.txt" and found[1][1].data["in_destlist"] is False


def test_a_real_automatic_list_joins_entries_with_their_links(shared_evidence: Path) -> None:
    [path] = sorted((shared_evidence / "jumplist").rglob("1b4dd67f29cb1962.automaticDestinations-ms"))
    found = [record for _, record in rows(automatic(Memory(f"f/{path.name}", path.read_bytes())))]
    assert len(found) == 7
    assert all(record.data["has_link"] for record in found)
    assert all(record.times[record.time_field or ""] == record.times["last_used"] for record in found)


@pytest.mark.parametrize("version", [23, 26, 30])
def test_prefetch_tells_counter_times_volume_and_the_program_s_path(version: int) -> None:
    runs = (FILETIME_2020, FILETIME_2020 + 600_000_000) if version != 23 else (FILETIME_2020,)
    file = Memory("Windows/Prefetch/CALC.EXE-77FDF17F.pf", prefetch(version=version, runs=runs))
    [(_, record)] = rows(read_prefetch(file))
    data = record.data
    assert (data["executable"], data["run_count"], data["path_hash"]) == ("CALC.EXE", 5, "77FDF17F")
    assert (data["volume_serial"], data["volume_serial_hex"]) == (0xDEADBEEF, "DEADBEEF")
    assert data["executable_path"] == "\\VOLUME{01d}\\WINDOWS\\CALC.EXE"
    assert data["file_name_agrees"] is True
    # slots are not sorted: the last run is the latest of them
    assert record.times["last_run"] == record.times["run_time_2" if version != 23 else "run_time_1"]


def test_a_renamed_prefetch_file_is_told_from_its_own() -> None:
    [(_, record)] = rows(read_prefetch(Memory("NOTEPAD.EXE-77FDF17F.pf", prefetch())))
    assert record.data["file_name_agrees"] is False


def test_a_task_tells_command_line_triggers_and_principal() -> None:
    file = Memory("Windows/System32/Tasks/Night", b"\xff\xfe" + TASK.encode("utf-16-le"))
    [(_, record)] = rows(task_xml(file))
    data = record.data
    assert (data["command_line"], data["author"], data["user_id"]) == (
        "C:\\T\\a.exe -x > o.txt",
        "PC\\anna",
        "S-1-5-18",
    )
    assert (data["enabled"], data["hidden"], data["run_level"]) == (False, True, "HighestAvailable")
    assert data["triggers"][0]["Repetition.Interval"] == "PT5M"
    assert "ScheduleByWeek.DaysOfWeek.Monday" in data["triggers"][1]
    assert record.times["registered_at"]["zone"] == "local-unknown"
    assert record.times["trigger_1_start"]["zone"] == "+02:00"


def test_a_task_that_declares_entities_is_refused() -> None:
    bomb = TASK.replace("<Task ", '<!DOCTYPE t [<!ENTITY a "b">]><Task ', 1)
    with pytest.raises(ParseError, match="entities"):
        list(task_xml(Memory("Tasks/x", b"\xff\xfe" + bomb.encode("utf-16-le"))))


def test_a_job_tells_program_author_and_its_last_run_in_local_time() -> None:
    [(_, record)] = rows(read_job(Memory("Windows/Tasks/At1.job", job("C:\\a.exe", "-b", "Brian"))))
    assert (record.data["command_line"], record.data["author"]) == ("C:\\a.exe -b", "Brian")
    assert (record.times["last_run"]["text"], record.times["last_run"]["instant"]) == ("2013-08-24T12:42:00.112", None)
    assert record.data["triggers"] == [
        {"type": "daily", "disabled": False, "duration_minutes": 1440, "interval_minutes": 60, "every_days": 1}
    ]
    assert record.times["trigger_1_start"]["text"] == "2013-07-12T15:42:00"


def test_a_legacy_log_tells_current_from_stale_records() -> None:
    content = legacy_log(
        (10, "Security", 528, ("anna", "PC", "(0x0)", "10")),
        (11, "EventLog", 6005, ()),
        stale=(3, "EventLog", 6006, ()),
    )
    records, gaps, recorders = split(eventlog_legacy(Memory("SecEvent.Evt", content)))
    assert [(r.data["record_id"], r.state) for r in records] == [(10, "live"), (11, "live"), (3, "unallocated")]
    assert records[0].data["logon_type_name"] == "remote interactive"
    assert (records[0].data["event"], records[0].data["data_0"], records[0].host_id) == (
        "logon succeeded",
        "anna",
        "OLDPC",
    )
    assert not gaps
    assert recorders[0].covers_from == "2011-03-13T07:06:43Z"


def test_pca_files_are_read_as_utc_whatever_their_encoding() -> None:
    line = "C:\\a|b\\c.exe|2022-11-15 00:02:08.476\r\n"
    for content in (line.encode(), b"\xff\xfe" + line.encode("utf-16-le")):
        [(_, record)] = rows(launch(Memory("PcaAppLaunchDic.txt", content)))
        assert record.data["path"] == "C:\\a|b\\c.exe"
        assert record.times["last_executed"]["text"] == "2022-11-15T00:02:08.476Z"
    text = "2022-11-14 23:37:11.789|2|%programfiles%\\x.exe|an updater|a vendor|1.2|0006|Abnormal exit\r\nnonsense\r\n"
    records, gaps, _ = split(general(Memory("PcaGeneralDb0.txt", text.encode())))
    assert records[0].data["vendor"] == "a vendor"
    assert len(gaps) == 1


def test_a_restore_point_tells_description_and_time() -> None:
    content = (struct.pack("<IIQ", 100, 0, 5) + wide("Installed X")).ljust(528, b"\0") + struct.pack(
        "<Q", FILETIME_2020
    )
    [(_, record)] = rows(restore_point(Memory("RP1/rp.log", content)))
    assert record.data["description"] == "Installed X"
    assert record.times["created"]["text"] == "2020-01-01T00:00:00.1234567Z"


def test_a_defender_detection_tells_threat_objects_user_and_hash() -> None:
    key, digest = wide("ThreatTrackingSha256"), wide("ab" * 32)
    tracking = struct.pack("<I", len(key)) + key + struct.pack("<II", 6, len(digest)) + digest
    magic = defender_value(0x15, wide("Magic.Version:1.2"))
    number = defender_value(0x06, struct.pack("<I", 42))
    content = defender_value(0x08, struct.pack("<Q", 5)) + defender_value(0x1E, uuid.UUID(int=3).bytes_le) + magic
    content += defender_value(0x15, wide("Virus:DOS/EICAR_Test_File")) + number * 4 + magic
    content += defender_value(0x15, wide("file")) + defender_value(0x15, wide("C:\\e.com")) + number * 2
    content += defender_value(0x28, struct.pack("<I", len(tracking)) + tracking)
    content += (
        defender_value(0x0A, struct.pack("<Q", FILETIME_2020)) + number * 5 + defender_value(0x15, wide("PC\\anna"))
    )
    [(_, record)] = rows(detection(Memory("DetectionHistory/01/X", content)))
    assert (record.data["threat_name"], record.data["category"]) == ("Virus:DOS/EICAR_Test_File", "virus")
    assert (record.data["file_path"], record.data["domain_user"]) == ("C:\\e.com", "PC\\anna")
    assert record.data["ThreatTrackingSha256"] == "ab" * 32
    assert record.time_field == "last_status_change"


def test_a_defender_service_log_line_of_a_detection_is_taken_apart() -> None:
    text = "2022-03-10T19:49:22.667Z DETECTIONEVENT MPSOURCE_REALTIME Trojan:BAT/V.A file:C:\\x.bat;\r\nmore of it\r\n"
    [(_, record)] = rows(service_log(Memory("MPLog-1.log", b"\xff\xfe" + text.encode("utf-16-le"))))
    assert (record.data["threat_name"], record.data["resources"]) == ("Trojan:BAT/V.A", "file:C:\\x.bat")
    assert record.data["text"].endswith("more of it")


SAMPLES = {
    "link": (shell_link, link(arguments="x", machine="m", droid=uuid.UUID(int=2), items=(file_item("abc.txt"),))),
    "custom": (custom, custom_destinations(link(), link())),
    "prefetch": (read_prefetch, prefetch()),
    "dollar_i": (read_dollar_i, dollar_i("C:\\a", 1, FILETIME_2020)),
    "info2": (read_info2, info2(("C:\\a", 1, 1, FILETIME_2020, False))),
    "task": (task_xml, b"\xff\xfe" + TASK.encode("utf-16-le")),
    "job": (read_job, job("a", "b", "c")),
    "legacy": (eventlog_legacy, legacy_log((1, "Security", 528, ("a",)))),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_damaged_copies_end_in_records_gaps_or_a_parse_error(name: str) -> None:
    function, content = SAMPLES[name]
    chance = random.Random(20)
    for round_number in range(120):
        damaged = bytearray(content)
        if round_number % 2:
            damaged = damaged[: chance.randrange(len(damaged))]
        for _ in range(chance.choice((0, 1, 8)) if damaged else 0):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            for item in function(Memory("f", bytes(damaged))):
                if isinstance(item, tuple):
                    canonical(item[0]), canonical(item[1].data), canonical(item[1].times)
        except ParseError:
            pass


def test_every_parser_here_declares_what_its_records_do_not_mean() -> None:
    # those imported above only: loading all would make this test fail with any other folder
    home = Path(str(shell_link.__code__.co_filename)).parent
    ours = [p for p in registry._found["parser"].values() if Path(str(p.function.__code__.co_filename)).parent == home]
    assert len(ours) >= 14
    assert all(p.means and p.does_not_mean and p.refs for p in ours)
