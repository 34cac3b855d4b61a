"""Windows writers, read back by the libraries the parsers use."""

from __future__ import annotations

import io
import json
import struct
import uuid
from datetime import UTC, datetime

import LnkParse3
import pyregf
import pyscca
import pytest

from wigmore.generator.clocks import filetime
from wigmore.generator.windows import lnk, prefetch, recycle, sam, tasks, userassist
from wigmore.generator.windows.hive import Key, hive
from wigmore.generator.windows.xpress import compress

WHEN = datetime(2025, 3, 4, 5, 6, 7, 123456, tzinfo=UTC)
VOLUME = prefetch.Volume("\\VOLUME{01d9a1b2c3d4e5f6-1234abcd}", WHEN, 0x1234ABCD)


def opened(content: bytes) -> pyregf.file:
    file = pyregf.file()
    file.open_file_object(io.BytesIO(content))
    return file


def test_a_hive_opens_with_its_keys_values_and_times() -> None:
    root = Key("ROOT", WHEN)
    root.key("A\\B", WHEN, class_name="1f2e").set("text", "hello").set("number", 5).set("", b"\1" * 600).set(
        "ünï–", ["a", "b"]
    )
    file = opened(hive(root, "SYSTEM"))
    assert not file.is_corrupted()
    key = file.get_key_by_path("A\\B")
    assert key.get_last_written_time() == WHEN.replace(tzinfo=None)
    assert key.class_name == "1f2e"
    assert [(value.name, value.type) for value in key.values] == [("text", 1), ("number", 4), (None, 3), ("ünï–", 7)]
    assert key.get_value_by_name("text").get_data_as_string() == "hello"
    assert key.get_value_by_name("number").get_data_as_integer() == 5


def test_a_hive_with_many_subkeys_keeps_them_all() -> None:
    root = Key("ROOT", WHEN)
    for number in range(1200):
        root.key(f"Many\\k{number}").set("n", number)
    file = opened(hive(root, "SOFTWARE"))
    assert file.get_key_by_path("Many").number_of_sub_keys == 1200
    assert file.get_key_by_path("Many\\k777").get_value_by_name("n").get_data_as_integer() == 777


def test_the_base_block_carries_its_checksum() -> None:
    content = hive(Key("ROOT", WHEN), "SAM")
    value = 0
    for word in struct.unpack_from("<127I", content):
        value ^= word
    assert value == struct.unpack_from("<I", content, 508)[0]
    assert len(content) % 4096 == 0


def test_a_value_that_needs_a_big_data_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="big-data"):
        Key("ROOT", WHEN).set("x", bytes(20_000))


@pytest.mark.parametrize("version", [23, 26, 30])
@pytest.mark.parametrize("packed", [False, True])
def test_prefetch_files_of_each_version_are_read(version: int, packed: bool) -> None:
    path = f"{VOLUME.device}\\TOOLS\\SDELETE64.EXE"
    other = f"{VOLUME.device}\\WINDOWS\\SYSTEM32\\NTDLL.DLL"
    content = prefetch.prefetch("SDELETE64.EXE", path, [WHEN, WHEN], 5, [other], VOLUME, version)
    file = pyscca.file()
    file.open_file_object(io.BytesIO(prefetch.packed(content) if packed else content))
    assert file.get_executable_filename() == "SDELETE64.EXE"
    assert file.get_format_version() == version
    assert file.get_run_count() == 5
    assert file.get_last_run_time_as_integer(0) == filetime(WHEN)
    assert [file.get_filename(number) for number in range(file.number_of_filenames)] == [path, other]
    volume = file.get_volume_information(0)
    assert (volume.device_path.upper(), volume.serial_number) == (VOLUME.device.upper(), 0x1234ABCD)


def test_the_prefetch_hash_is_the_one_windows_gives_notepad() -> None:
    name = prefetch.file_name("NOTEPAD.EXE", f"{VOLUME.device}\\WINDOWS\\SYSTEM32\\NOTEPAD.EXE")
    assert name == "NOTEPAD.EXE-D8414F97.pf"  # the name it has on Windows 10 installations


def test_an_incompressible_and_a_long_text_are_packed() -> None:
    assert compress(bytes(range(256)) * 300)
    assert len(compress(bytes(70_000))) < 20_000


def test_a_link_names_its_target_volume_and_machine() -> None:
    target = lnk.Target(
        "E:\\work\\a long name.step", 1234, WHEN, WHEN, WHEN, lnk.REMOVABLE, 0xABCD1234, "TRANSFER", "NWT-LT-123"
    )
    content = lnk.lnk(target, (uuid.UUID(int=5), uuid.UUID(int=7)), "..\\a long name.step")
    found = json.loads(json.dumps(LnkParse3.lnk_file(io.BytesIO(content)).get_json(), default=str))
    assert found["link_info"]["local_base_path"] == target.path
    assert found["link_info"]["location_info"]["drive_type"] == "DRIVE_REMOVABLE"
    assert found["link_info"]["location_info"]["volume_label"] == "TRANSFER"
    assert found["header"]["file_size"] == 1234
    assert found["header"]["creation_time"].startswith("2025-03-04 05:06:07.123456")
    assert found["extra"]["DISTRIBUTED_LINK_TRACKER_BLOCK"]["machine_identifier"] == "nwt-lt-123"
    assert found["target"]["items"][-1]["primary_name"] == "ALONGN~1.STE"


def test_a_recycle_record_states_size_time_and_path() -> None:
    content = recycle.index_file("C:\\Users\\a\\x.7z", 77, WHEN)
    version, size, deleted, length = struct.unpack_from("<QQQI", content)
    assert (version, size, deleted) == (2, 77, filetime(WHEN))
    assert content[28:].decode("utf-16-le") == "C:\\Users\\a\\x.7z\0" and length == 16


def test_a_task_is_xml_in_utf16_with_its_command() -> None:
    from xml.etree import ElementTree

    content = tasks.task("\\A & B", "HOST\\user", WHEN.replace(tzinfo=None), "C:\\x.cmd", "/q <1>")
    root = ElementTree.fromstring(content.decode("utf-16").partition("?>")[2])
    space = {"t": tasks.NAMESPACE}
    assert root.findtext(".//t:Command", namespaces=space) == "C:\\x.cmd"
    assert root.findtext(".//t:Arguments", namespaces=space) == "/q <1>"
    assert root.findtext(".//t:URI", namespaces=space) == "\\A & B"


def test_the_seed_ladder_has_one_time_and_falling_counters() -> None:
    root = Key("ROOT", WHEN)
    userassist.seed_ladder(root, WHEN)
    values = root.key(f"{userassist.ROOT}\\{userassist.PROGRAMS}\\Count").values
    assert {len(data) for _, _, data in values} == {72}
    assert [struct.unpack_from("<I", data, 4)[0] for _, _, data in values] == list(range(14, 6, -1))
    assert {struct.unpack_from("<Q", data, 60)[0] for _, _, data in values} == {filetime(WHEN)}


def test_sam_accounts_hold_rid_logon_and_name_at_their_offsets() -> None:
    root = Key("ROOT", WHEN)
    sam.accounts(root, [sam.Account("eva", 1001, "Eva E.", "", WHEN, WHEN, 12)], WHEN)
    users = opened(hive(root, "SAM")).get_key_by_path("SAM\\Domains\\Account\\Users")
    fixed = users.get_sub_key_by_name("000003E9").get_value_by_name("F").data
    assert struct.unpack_from("<Q", fixed, 8)[0] == filetime(WHEN)
    assert struct.unpack_from("<I", fixed, 48)[0] == 1001
    assert struct.unpack_from("<H", fixed, 66)[0] == 12
    variable = users.get_sub_key_by_name("000003E9").get_value_by_name("V").data
    offset, length = struct.unpack_from("<II", variable, 12)
    assert variable[0xCC + offset : 0xCC + offset + length].decode("utf-16-le") == "eva"
