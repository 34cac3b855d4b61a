"""Deleted FAT entries: names, content, and what their recovery rests on."""

from __future__ import annotations

from pathlib import Path

from evidence_builders import Fat16

from wigmore.evidence.listing import entry_record
from wigmore.evidence.source import SourceSpec, open_source
from wigmore.evidence.store import Entry, Store


def store_of(tmp_path: Path, fat: Fat16) -> Store:
    (tmp_path / "v.img").write_bytes(bytes(fat.data))
    return open_source(SourceSpec("src-1", tmp_path / "v.img", "image")).open_store("v.img/p0")


def listed(store: Store) -> dict[str, Entry]:
    return {entry.path.removeprefix("v.img/p0/"): entry for entry in store.entries() if isinstance(entry, Entry)}


def test_a_deleted_file_of_one_cluster_is_intact_without_a_caveat(tmp_path: Path) -> None:
    fat = Fat16()
    fat.delete(fat.file(b"GONE    TXT", b"was here"))
    store = store_of(tmp_path, fat)
    entry = listed(store)["_ONE.TXT"]
    assert (entry.allocated, entry.recovery, entry.caveat) == (False, "intact", "")
    assert store.file(entry).read() == b"was here"
    assert store.file(entry).state == "unallocated"


def test_a_longer_deleted_file_says_that_its_chain_is_assumed(tmp_path: Path) -> None:
    fat = Fat16()
    fat.delete(fat.file(b"LONG    BIN", b"a" * 2000))
    entry = listed(store_of(tmp_path, fat))["_ONG.BIN"]
    assert entry.recovery == "intact"
    assert "chain was erased" in entry.caveat


def test_another_deleted_file_inside_the_assumed_chain_makes_it_partial(tmp_path: Path) -> None:
    fat = Fat16()
    long = fat.file(b"FRAG    BIN", b"a" * 512)
    inside = fat.file(b"SMALL   TXT", b"b" * 100)
    fat.delete(long)
    fat.delete(inside)
    fat.data[long + 28 : long + 32] = (1500).to_bytes(4, "little")  # the rest of it lay elsewhere
    entry = listed(store_of(tmp_path, fat))["_RAG.BIN"]
    assert entry.recovery == "partial"
    assert "mixed" in entry.caveat


def test_content_of_clusters_in_use_again_is_not_given_out(tmp_path: Path) -> None:
    fat = Fat16()
    at = fat.file(b"OLD     TXT", b"old")
    fat.delete(at)
    cluster = int.from_bytes(fat.data[at + 26 : at + 28], "little")
    fat.slot(0, b"NEW     TXT", 0x20, cluster, 3)
    fat.set(cluster, 0xFFFF)
    entry = listed(store_of(tmp_path, fat))["_LD.TXT"]
    assert entry.recovery in ("overwritten", "none")
    assert not entry.readable


def test_files_of_a_deleted_folder_keep_their_path(tmp_path: Path) -> None:
    fat = Fat16()
    cluster, at = fat.folder(b"SECRETS    ")
    inner = fat.file(b"PLAN    TXT", b"the plan", cluster)
    fat.delete(inner)
    fat.delete(at)
    store = store_of(tmp_path, fat)
    entry = listed(store)["_ECRETS/_LAN.TXT"]
    assert store.file(entry).read() == b"the plan"


def test_a_deleted_name_of_a_folder_that_moved_is_not_walked_again(tmp_path: Path) -> None:
    fat = Fat16()
    cluster, at = fat.folder(b"FOLDER     ")
    fat.file(b"IN      TXT", b"x", cluster)
    parent, _ = fat.folder(b"TRASH      ")
    fat.slot(parent, b"FOLDER     ", 0x10, cluster, 0)
    fat.data[fat.place(cluster) + 32 + 26 : fat.place(cluster) + 32 + 28] = parent.to_bytes(2, "little")
    fat.data[at] = 0xE5
    found = listed(store_of(tmp_path, fat))
    assert "TRASH/FOLDER/IN.TXT" in found
    assert "_OLDER/IN.TXT" not in found


def test_live_entries_come_first_and_times_stay_local(tmp_path: Path) -> None:
    fat = Fat16()
    fat.delete(fat.file(b"GONE    TXT", b"was here"))
    fat.file(b"HERE    TXT", b"is here")
    store = store_of(tmp_path, fat)
    entries = [entry for entry in store.entries() if isinstance(entry, Entry) and not entry.free_space]
    assert [entry.allocated for entry in entries] == [True, True, False]
    times = listed(store)["HERE.TXT"].times
    assert times["created"]["text"] == "2024-03-05T10:20:30.500"
    assert times["modified"]["text"] == "2024-03-05T10:20:30"
    assert (times["accessed"]["text"], times["accessed"]["precision"]) == ("2024-03-05", 86400.0)
    assert all(time["instant"] is None and time["zone"] == "local-unknown" for time in times.values())


def test_the_listing_record_says_deleted_recovery_and_hashes(tmp_path: Path) -> None:
    fat = Fat16()
    fat.delete(fat.file(b"GONE    TXT", b"was here"))
    entry = listed(store_of(tmp_path, fat))["_ONE.TXT"]
    locator, record = entry_record(entry, {"md5": "m", "sha1": "s", "sha256": "t"}, "text")
    assert record.artifact == "file_listing" and record.state == "unallocated"
    assert record.time_field == "modified"
    expected = {
        "name": "_ONE.TXT",
        "deleted": True,
        "recovery": "intact",
        "size": 8,
        "extension": "txt",
        "type": "text",
    }
    assert expected.items() <= record.data.items()
    assert locator["inode"] == entry.inode


def test_an_entry_goes_to_a_worker_and_back(tmp_path: Path) -> None:
    fat = Fat16()
    fat.file(b"HERE    TXT", b"is here")
    store = store_of(tmp_path, fat)
    entry = listed(store)["HERE.TXT"]
    again = Entry.from_json(entry.to_json())
    assert again == entry
    assert store.file(again).read() == b"is here"
    start, length = store.extents(again)[0]
    assert bytes(fat.data[start : start + length]).startswith(b"is here")


def test_look_ups_ignore_case_and_find_siblings(tmp_path: Path) -> None:
    fat = Fat16()
    fat.file(b"HISTORY DB ", b"db")
    fat.file(b"HISTORY LOG", b"log")
    store = store_of(tmp_path, fat)
    entry = store.find("v.img/p0/history.db")
    assert entry is not None
    sibling = store.file(entry).sibling("History.log")
    assert sibling is not None and sibling.read() == b"log"
    assert store.file(entry).sibling("../x") is None
    with store.file(entry).on_disk("HISTORY.LOG") as path:
        assert path.read_bytes() == b"db"
        assert path.with_name("HISTORY.LOG").read_bytes() == b"log"
