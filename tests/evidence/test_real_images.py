"""Real images: what their makers say is in them (skipped where the shared evidence is absent)."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from wigmore.evidence.source import Expansion, Source, SourceSpec, open_source
from wigmore.evidence.store import Entry


def opened(path: Path, secrets: tuple[str, ...] = ()) -> tuple[Source, Expansion]:
    source = open_source(SourceSpec("src-1", path, "image"), secrets=secrets)
    file = source.file_at(path.name)
    with file.open() as stream:
        expansion = source.expand(file, stream.read(65536))
    assert expansion is not None
    return source, expansion


def listed(source: Source, prefix: str) -> dict[str, Entry]:
    found = source.open_store(prefix).entries()
    return {entry.path.removeprefix(prefix + "/"): entry for entry in found if isinstance(entry, Entry)}


def test_deleted_fat_files_are_recovered_and_fragments_are_not_called_intact(shared_evidence: Path) -> None:
    source, expansion = opened(shared_evidence / "images/dftt/6-fat-undel.E01")
    found = listed(source, expansion.prefixes[0])
    store = source.open_store(expansion.prefixes[0])

    def md5(path: str) -> str:
        return hashlib.md5(store.file(found[path]).read()).hexdigest()

    assert md5("_ing.dat") == "59b20779f69ff9f0ac5fcd2c38835a79"
    assert md5("_ult1.dat") == "ffd27bd782bdce67750b6b9ee069d2ef"
    assert md5("_ir1/mult2.dat") == "59cf0e9cd107bc1e75afb7374f6e05bb"
    assert found["_rag1.dat"].recovery == "partial"


def test_deleted_ntfs_files_are_recovered(shared_evidence: Path) -> None:
    source, expansion = opened(shared_evidence / "composite/case3_windows7_stark/case3.E01")
    found = listed(source, expansion.prefixes[0])
    store = source.open_store(expansion.prefixes[0])
    gone = {entry.name: entry for entry in found.values() if not entry.allocated and not entry.free_space}
    assert set(gone) == {"Document.doc", "DSCN0010.jpg"}
    content = store.file(gone["Document.doc"]).read()
    assert hashlib.sha256(content).hexdigest() == "e4870b87a490d28ce9e195ab54881fced2679bd77aceee17f7d8ca402a048cb5"
    assert gone["Document.doc"].recovery == "intact"
    assert "fn_created" in gone["Document.doc"].times
    stream = found["Users/nfury/Documents/Document.docx:Zone.Identifier"]
    assert stream.kind == "stream" and store.file(stream).size == 24


def test_extended_partitions_are_walked(shared_evidence: Path) -> None:
    _, expansion = opened(shared_evidence / "images/dftt/1-ext-part-test-2.E01")
    rows = [record.data for _, record in expansion.records if record.artifact == "partition"]
    assert [row["start_sector"] for row in rows if row["kind"] == "allocated"][-1] == 262143
    assert len([p for p in expansion.prefixes if not p.endswith("/$Unallocated")]) == 6


@pytest.mark.parametrize(("name", "inode"), [("hfsplus.E01", "21"), ("apfs.raw", "19")])
def test_apple_volumes_give_forks_and_attributes(shared_evidence: Path, name: str, inode: str) -> None:
    source, expansion = opened(shared_evidence / "images/dfvfs" / name)
    found = listed(source, expansion.prefixes[0])
    assert (found["a_directory/another_file"].inode, found["a_directory/another_file"].size) == (inode, 22)
    assert found["a_directory/a_file"].attributes["extended_attributes"]["myxattr"] == "My extended attribute"
    assert found["a_link"].link_target == "a_directory/another_file"
    forks = [entry.size for path, entry in found.items() if path.startswith("a_directory/a_resourcefork:")]
    assert forks == [17]


def test_a_bitlocker_header_is_told_and_a_password_opens_it(shared_evidence: Path) -> None:
    path = shared_evidence / "encrypted/bitlocker/bitlk-aes-xts-128.E01"
    _, locked = opened(path)
    assert locked.needs == "p0: password or recovery password"
    _, expansion = opened(path, ("anaconda",))
    data = next(record.data for _, record in expansion.records if record.artifact == "encrypted_volume")
    assert data["cipher"] == "aes-xts-plain64" and data["inner_serial"] == "68844E71844E41B4" and not data["locked"]


def test_shadow_copies_open_as_earlier_states(shared_evidence: Path) -> None:
    source, expansion = opened(shared_evidence / "images/plaso/vsstest.qcow2")
    assert expansion.snapshots == ("vsstest.qcow2/p0/vss1", "vsstest.qcow2/p0/vss2")
    assert "syslog.gz" not in listed(source, expansion.snapshots[0]) or listed(source, expansion.snapshots[1])


def test_a_hostile_iso_does_not_hang(shared_evidence: Path) -> None:
    _, expansion = opened(shared_evidence / "hostile/archives/test_read_format_iso_zisofs_overflow.iso")
    assert [gap.reason for gap in expansion.gaps] == ["damaged"]
