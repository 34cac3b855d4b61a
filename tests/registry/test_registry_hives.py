"""Hives: cells, paths, states, logs, damage."""

from __future__ import annotations

import random
import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest

from wigmore.artifacts.windows.registry import logs
from wigmore.artifacts.windows.registry.hive import BASE, Hive
from wigmore.artifacts.windows.registry.parser import registry
from wigmore.evidence.local import LocalFile
from wigmore.generator.windows.hive import Key, hive
from wigmore.model.canonical import canonical
from wigmore.model.protocols import Gap, ParseError, Record, Recorder
from wigmore.registry import parsers

WHEN = datetime(2024, 3, 1, 12, 0, 0, tzinfo=UTC)
LATER = datetime(2024, 3, 2, 8, 30, 0, tzinfo=UTC)


def user_root() -> Key:
    root = Key("ROOT", WHEN)
    root.key("Control Panel\\Desktop", LATER).set("Wallpaper", "C:\\picture.jpg").set("Count", 7)
    root.key("Software\\Example\\Empty")
    root.key("Software\\Example").set("Many", ["one", "two"]).set("Raw", b"\x01\x02\x03\x04\x05").set("", "default")
    root.key("Software\\Ünïcode 🌎").set("Name", "text")
    return root


def place(folder: Path, content: bytes, name: str = "NTUSER.DAT") -> LocalFile:
    (folder / name).write_bytes(content)
    return LocalFile.at(folder / name)


def read(file: LocalFile) -> tuple[list[Record], list[Gap]]:
    records, gaps = [], []
    for found in registry(file):
        if isinstance(found, Gap):
            gaps.append(found)
        elif not isinstance(found, Recorder):
            canonical([found[0], found[1].data, found[1].times])  # every record is JSON
            records.append(found[1])
    return records, gaps


def of(records: list[Record], artifact: str) -> list[Record]:
    return [record for record in records if record.artifact == artifact]


def test_every_value_is_a_record_under_the_path_examiners_write(tmp_path: Path) -> None:
    records, gaps = read(place(tmp_path, hive(user_root(), "\\Users\\ann\\ntuser.dat")))
    assert not gaps
    values = {(r.data["key"], r.data["value_name"]): r.data for r in of(records, "windows.registry")}
    assert values["HKCU\\Control Panel\\Desktop", "Wallpaper"]["value"] == "C:\\picture.jpg"
    assert values["HKCU\\Control Panel\\Desktop", "Count"]["value"] == 7
    assert values["HKCU\\Software\\Example", "Many"]["value"] == ["one", "two"]
    assert values["HKCU\\Software\\Example", "Raw"]["value"] == "0102030405"
    assert values["HKCU\\Software\\Example", ""]["value_type"] == "REG_SZ"
    assert values["HKCU\\Software\\Ünïcode 🌎", "Name"]["value"] == "text"
    assert values["HKCU\\Software\\Example\\Empty", None]["value"] is None


def test_the_time_of_a_value_is_its_keys(tmp_path: Path) -> None:
    records, _ = read(place(tmp_path, hive(user_root(), "ntuser.dat")))
    record = next(r for r in records if r.data.get("value_name") == "Wallpaper")
    assert record.time_field == "key_last_written"
    assert record.times["key_last_written"]["text"] == "2024-03-02T08:30:00.0000000Z"


def test_one_record_tells_about_the_hive_itself(tmp_path: Path) -> None:
    records, _ = read(place(tmp_path, hive(user_root(), "\\Users\\ann\\ntuser.dat")))
    (about,) = of(records, "windows.registry.hive")
    assert about.data["hive"] == "NTUSER"
    assert about.data["stored_path"] == "\\Users\\ann\\ntuser.dat"
    assert (about.data["keys"], about.data["values"]) == (7, 6)


def test_locators_find_the_cell_again(tmp_path: Path) -> None:
    content = hive(user_root(), "ntuser.dat")
    for found in registry(place(tmp_path, content)):
        if isinstance(found, tuple) and found[1].data.get("value_name") == "Count":
            at = found[0]["offset"]
            assert content[at + 4 : at + 6] == b"vk"
            return
    pytest.fail("the value was not found")


def test_reading_twice_gives_the_same_records(tmp_path: Path) -> None:
    file = place(tmp_path, hive(user_root(), "ntuser.dat"))
    assert [repr(found) for found in registry(file)] == [repr(found) for found in registry(file)]


def dirty(content: bytes, primary: int, secondary: int) -> bytes:
    head = bytearray(content)
    struct.pack_into("<2I", head, 4, primary, secondary)
    struct.pack_into("<I", head, 508, logs.checksum(bytes(head[:512])))
    return bytes(head)


def log_of(sequence: int, content: bytes, log_sequence: int | None = None) -> bytes:
    """A log of one entry that holds all pages of `content`."""
    bins = content[BASE:]
    body = struct.pack("<2I", 0, len(bins)) + bins
    size = (40 + len(body) + 511) & ~511
    body = body.ljust(size - 40, b"\0")
    head = struct.pack("<4s5IQ", b"HvLE", size, 0, sequence, len(bins), 1, logs.marvin32(body))
    base = bytearray(content[:512])
    number = sequence if log_sequence is None else log_sequence
    struct.pack_into("<2I", base, 4, number, number)
    struct.pack_into("<I", base, 28, 6)
    return bytes(base) + head + struct.pack("<Q", logs.marvin32(head)) + body


def grown() -> Key:
    root = user_root()
    root.key("Control Panel\\Desktop").set("Added", "by the log")
    root.key("Zzz new key").set("Value", 1)
    return root


def test_a_dirty_hive_without_logs_is_a_gap(tmp_path: Path) -> None:
    records, gaps = read(place(tmp_path, dirty(hive(user_root(), "ntuser.dat"), 9, 8)))
    assert [gap.reason for gap in gaps] == ["dirty_without_log"]
    assert of(records, "windows.registry.hive")[0].data["dirty"] is True


def test_logs_are_replayed_and_what_they_changed_says_so(tmp_path: Path) -> None:
    (tmp_path / "NTUSER.DAT.LOG1").write_bytes(log_of(8, hive(grown(), "ntuser.dat")))
    file = place(tmp_path, dirty(hive(user_root(), "ntuser.dat"), 9, 8))
    before = file.read()
    records, gaps = read(file)
    assert not gaps
    states = {(r.data["key"], r.data["value_name"]): r.state for r in of(records, "windows.registry")}
    assert states["HKCU\\Control Panel\\Desktop", "Added"] == "log_replayed"
    assert states["HKCU\\Zzz new key", "Value"] == "log_replayed"
    about = of(records, "windows.registry.hive")[0].data
    assert about["replay_new_keys"] == 1
    assert about["replay_new_values_of_known_keys"] == 1
    assert about["replayed_entries"] == [8]
    assert file.read() == before


def test_an_entry_whose_hash_disagrees_is_not_applied(tmp_path: Path) -> None:
    damaged = bytearray(log_of(8, hive(grown(), "ntuser.dat")))
    damaged[700] ^= 0xFF
    (tmp_path / "NTUSER.DAT.LOG1").write_bytes(damaged)
    records, gaps = read(place(tmp_path, dirty(hive(user_root(), "ntuser.dat"), 9, 8)))
    assert {gap.reason for gap in gaps} == {"damaged", "dirty_without_log"}
    assert not [r for r in records if r.data.get("value_name") == "Added"]


def test_an_older_entry_is_stale_and_not_applied(tmp_path: Path) -> None:
    (tmp_path / "NTUSER.DAT.LOG1").write_bytes(log_of(3, hive(grown(), "ntuser.dat")))
    records, gaps = read(place(tmp_path, dirty(hive(user_root(), "ntuser.dat"), 9, 8)))
    assert [gap.reason for gap in gaps] == ["dirty_without_log"]
    assert not [r for r in records if r.state == "log_replayed"]


def test_keys_that_the_log_removed_are_an_earlier_state(tmp_path: Path) -> None:
    (tmp_path / "NTUSER.DAT.LOG2").write_bytes(log_of(8, hive(user_root(), "ntuser.dat")))
    records, _ = read(place(tmp_path, dirty(hive(grown(), "ntuser.dat"), 9, 8)))
    earlier = [r.data["key"] for r in records if r.state == "snapshot"]
    assert earlier == ["HKCU\\Zzz new key"]


def test_logs_of_the_older_format_are_named_as_unsupported(tmp_path: Path) -> None:
    (tmp_path / "NTUSER.DAT.LOG").write_bytes(hive(user_root(), "n")[:512] + b"DIRT" + bytes(1024))
    _, gaps = read(place(tmp_path, dirty(hive(user_root(), "ntuser.dat"), 9, 8)))
    assert sorted(gap.reason for gap in gaps) == ["dirty_without_log", "unsupported"]


def test_a_truncated_hive_keeps_what_can_be_read(tmp_path: Path) -> None:
    root = user_root()
    for number in range(300):
        root.key(f"Software\\Example\\Key {number:04d}").set("Value", "x" * 40)
    content = hive(root, "ntuser.dat")
    records, gaps = read(place(tmp_path, content[: len(content) // 2]))
    assert "truncated" in {gap.reason for gap in gaps}
    assert len(records) > 50


def test_a_very_large_hive_is_mapped_and_gives_the_same_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = place(tmp_path, hive(user_root(), "ntuser.dat"))
    small = read(file)
    monkeypatch.setattr("wigmore.artifacts.windows.registry.opening.IN_MEMORY", 4096)
    assert read(file) == small


def test_a_damaged_copy_never_ends_in_another_error_than_a_parse_error(tmp_path: Path) -> None:
    root, chance = user_root(), random.Random(5)
    for number in range(40):
        root.key(f"Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\RunMRU\\{number}").set("a", "x" * 50)
    content = hive(root, "ntuser.dat")
    for _ in range(60):
        damaged = bytearray(content[: chance.randrange(4000, len(content))])
        for _ in range(chance.randrange(60)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            read(place(tmp_path, bytes(damaged)))
        except ParseError:
            continue


def test_a_file_without_a_root_key_is_a_parse_error(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="root key"):
        read(place(tmp_path, hive(user_root(), "n")[:512].ljust(BASE + 64, b"\0")))
    with pytest.raises(ParseError):
        read(place(tmp_path, b"regf"))


def test_a_key_that_lists_its_own_parent_does_not_loop(tmp_path: Path) -> None:
    content = bytearray(hive(user_root(), "ntuser.dat"))
    reader = Hive(bytes(content))
    root = reader.root
    assert root is not None
    empty = root.sub("Software\\Example\\Empty")
    assert empty is not None
    struct.pack_into("<I", content, empty.offset + 4 + 20, 1)
    struct.pack_into("<I", content, empty.offset + 4 + 28, root.subs_at)
    records, gaps = read(place(tmp_path, bytes(content)))
    assert any("listed twice" in gap.message for gap in gaps)
    assert len(records) < 100


def test_a_deleted_key_is_recovered_with_its_state(tmp_path: Path) -> None:
    content = bytearray(hive(grown(), "ntuser.dat"))
    reader = Hive(bytes(content))
    root = reader.root
    assert root is not None
    gone = root.sub("Zzz new key")
    assert gone is not None
    (size,) = struct.unpack_from("<i", content, gone.offset)
    struct.pack_into("<i", content, gone.offset, -size)  # a positive size: the cell is free
    (count,) = struct.unpack_from("<H", content, BASE + root.subs_at + 4 + 2)
    struct.pack_into("<H", content, BASE + root.subs_at + 4 + 2, count - 1)
    struct.pack_into("<I", content, root.offset + 4 + 20, count - 1)
    records, gaps = read(place(tmp_path, bytes(content)))
    assert not gaps
    found = [r for r in records if r.state == "unallocated"]
    assert [(r.data["key"], r.data["value_name"], r.data["value"]) for r in found] == [
        ("HKCU\\Zzz new key", "Value", 1)
    ]


def test_big_values_are_joined_from_their_segments() -> None:
    first, second = b"a" * 16344, b"b" * 1000
    cells = bytearray()

    def add(content: bytes) -> int:
        offset = len(cells) + 32
        size = (len(content) + 4 + 7) & ~7
        cells.extend(struct.pack("<i", -size) + content.ljust(size - 4, b"\0"))
        return offset

    parts = struct.pack("<2I", add(first + b"pad!"), add(second))
    listed = add(parts)
    big = add(struct.pack("<2sHII", b"db", 2, listed, 0))
    content = bytes(24) + struct.pack("<I", 5) + bytes(BASE - 28) + bytes(32) + bytes(cells)
    assert Hive(content).data_at(big, 17344) == first + second


def test_the_hash_of_logs_is_marvin32_as_in_real_logs(shared_evidence: Path) -> None:
    log = (shared_evidence / "registry/regipy/transactions_ntuser.dat.log1").read_bytes()
    size, stored = struct.unpack_from("<I", log, 516)[0], struct.unpack_from("<2Q", log, 512 + 24)
    assert logs.marvin32(log[552 : 512 + size]) == stored[0]
    assert logs.marvin32(log[512:544]) == stored[1]


def test_a_real_dirty_hive_gains_what_its_log_holds(shared_evidence: Path) -> None:
    records, gaps = read(LocalFile.at(shared_evidence / "registry/regipy/transactions_NTUSER.DAT"))
    assert not gaps
    about = of(records, "windows.registry.hive")[0].data
    assert about["replayed_entries"] == list(range(566, 589))
    assert about["replayed_dirty_pages"] == 132
    assert about["replay_differing_keys"] == 527


def test_claims_separate_hives_amcache_and_logs() -> None:
    found = parsers()
    hive_head, log_head = hive(user_root(), "ntuser.dat")[:8192], log_of(1, hive(user_root(), "ntuser.dat"))[:8192]
    amcache_head = hive(user_root(), "\\Programs\\Amcache.hve")[:8192]
    names = {"windows.registry", "windows.amcache"}

    def claimed(head: bytes, path: str) -> set[str]:
        return {name for name in names if found[name].claims(head, path, 20_000)}

    assert claimed(hive_head, "C/Users/ann/NTUSER.DAT") == {"windows.registry"}
    assert claimed(hive_head, "loose/file0017") == {"windows.registry"}
    assert claimed(hive_head, "C/Windows/AppCompat/Programs/Amcache.hve") == {"windows.amcache"}
    assert claimed(amcache_head, "loose/file0018") == {"windows.amcache"}
    assert claimed(log_head, "C/Users/ann/NTUSER.DAT.LOG1") == set()
