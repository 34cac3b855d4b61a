"""Images: containers, partition tables, volumes, and what damage to them gives."""

from __future__ import annotations

import hashlib
import random
import struct
import zipfile
from pathlib import Path

import pytest
from evidence_builders import Fat16, ewf, gpt, iso, luks1, mbr, vdi

from wigmore.evidence.hashing import hash_source
from wigmore.evidence.source import Expansion, Limits, Source, SourceSpec, open_source
from wigmore.evidence.store import Entry
from wigmore.model.protocols import ParseError


def volume(text: bytes = b"hello world") -> bytes:
    fat = Fat16()
    fat.file(b"HELLO   TXT", text)
    return bytes(fat.data)


def opened(path: Path, mode: str = "image", **options: object) -> tuple[Source, Expansion]:
    source = open_source(SourceSpec("src-1", path, mode), **options)  # type: ignore[arg-type]  # passed through
    store = source.open_store("")
    entry = next(iter(store.entries()))
    assert isinstance(entry, Entry)
    file = store.file(entry)
    with file.open() as stream:
        expansion = source.expand(file, stream.read(65536))
    assert expansion is not None
    return source, expansion


def content(source: Source, path: str) -> bytes:
    return source.file_at(path).read()


def of(expansion: Expansion, artifact: str) -> list[dict[str, object]]:
    return [record.data for _, record in expansion.records if record.artifact == artifact]


def test_partitions_are_numbered_in_table_order_and_gaps_are_listed(tmp_path: Path) -> None:
    (tmp_path / "disk.dd").write_bytes(mbr(volume(b"one"), volume(b"two")))
    source, expansion = opened(tmp_path / "disk.dd")
    assert expansion.prefixes == ("disk.dd/p1", "disk.dd/p2")
    assert content(source, "disk.dd/p1/HELLO.TXT") == b"one"
    assert content(source, "disk.dd/p2/hello.txt") == b"two"
    rows = of(expansion, "partition")
    assert [(row["kind"], row["start_sector"], row["length"]) for row in rows] == [
        ("table", 0, 1), ("unallocated", 0, 2048), ("allocated", 2048, 8192), ("allocated", 10240, 8192),
    ]  # fmt: skip
    assert rows[2]["file_system"] == "FAT16" and rows[2]["volume"] == "p1"
    assert of(expansion, "container")[0]["partition_table"] == "MBR"


def test_a_gpt_partition_carries_its_name_and_type(tmp_path: Path) -> None:
    (tmp_path / "disk.raw").write_bytes(gpt(volume(), "Basic data"))
    _, expansion = opened(tmp_path / "disk.raw")
    row = next(row for row in of(expansion, "partition") if row["kind"] == "allocated")
    assert row["name"] == "Basic data"
    assert row["type_name"] == "Microsoft basic data"
    assert expansion.prefixes == ("disk.raw/p1",)


def test_a_volume_without_a_table_is_p0(tmp_path: Path) -> None:
    (tmp_path / "volume.img").write_bytes(volume())
    source, expansion = opened(tmp_path / "volume.img")
    assert expansion.prefixes == ("volume.img/p0",)
    data = of(expansion, "volume")[0]
    assert (data["file_system"], data["label"], data["serial"]) == ("FAT16", "TESTVOL", "1234-5678")
    assert data["root_entries"] == ["HELLO.TXT"]
    with source.media("volume.img/p0") as stream:
        assert stream.read(11)[3:] == b"MSDOS5.0"


def test_an_e01_is_read_and_its_stored_hash_verified(tmp_path: Path) -> None:
    media = mbr(volume())
    (tmp_path / "case.E01").write_bytes(ewf(media)[0])
    source, expansion = opened(tmp_path / "case.E01")
    data = of(expansion, "container")[0]
    assert data["stored_md5"] == hashlib.md5(media).hexdigest()
    assert (data["case_number"], data["notes"]) == ("CASE-7", "made by a test")
    assert expansion.records[0][1].times["acquired_at"]["text"] == "2023-11-14T22:13:20Z"
    assert content(source, "case.E01/p1/HELLO.TXT") == b"hello world"
    found = hash_source(SourceSpec("src-1", tmp_path / "case.E01", "image"))
    assert found["stored_ok"] is True
    assert found["media_sha256"] == hashlib.sha256(media).hexdigest()


def test_the_segments_of_an_e01_are_found_beside_it(tmp_path: Path) -> None:
    media = mbr(volume())
    for number, raw in enumerate(ewf(media, segments=3), 1):
        (tmp_path / f"case.E{number:02d}").write_bytes(raw)
    source, expansion = opened(tmp_path / "case.E01")
    assert of(expansion, "container")[0]["segments"] == ["case.E01", "case.E02", "case.E03"]
    with source.media("case.E01") as stream:
        assert hashlib.sha256(stream.read()).digest() == hashlib.sha256(media).digest()
    assert len(hash_source(SourceSpec("src-1", tmp_path / "case.E01"))["segments"]) == 3


def test_a_later_segment_is_no_image_of_its_own(tmp_path: Path) -> None:
    for number, raw in enumerate(ewf(mbr(volume()), segments=2), 1):
        (tmp_path / f"case.E{number:02d}").write_bytes(raw)
    source = open_source(SourceSpec("src-1", tmp_path, "tree"))
    store = source.open_store("")
    entry = store.find("case.E02")
    assert entry is not None
    expansion = source.expand(store.file(entry), store.file(entry).read())
    assert expansion is not None and expansion.prefixes == () and expansion.gaps == ()


def test_a_missing_segment_is_told(tmp_path: Path) -> None:
    (tmp_path / "case.E01").write_bytes(ewf(mbr(volume()), segments=3)[0])
    _, expansion = opened(tmp_path / "case.E01")
    assert {gap.reason for gap in expansion.gaps} == {"truncated"}
    assert any("missing from offset" in gap.message for gap in expansion.gaps)


def test_sectors_that_could_not_be_read_when_acquired_and_the_notes_are_told(tmp_path: Path) -> None:
    raw = ewf(mbr(volume()), notes="drive clicked, two passes", errors=((2100, 8), (9000, 1)))[0]
    (tmp_path / "case.E01").write_bytes(raw)
    source, expansion = opened(tmp_path / "case.E01")
    data = of(expansion, "container")[0]
    assert data["notes"] == "drive clicked, two passes" and data["examiner_name"] == "tester"
    assert data["acquisition_errors"] == [{"sector": 2100, "count": 8}, {"sector": 9000, "count": 1}]
    assert [gap.message for gap in expansion.gaps] == [
        "unreadable when acquired, sectors (first+count): 2100+8, 9000+1"
    ]
    assert content(source, "case.E01/p1/HELLO.TXT") == b"hello world"


def test_a_segment_missing_in_the_middle_is_told_and_what_comes_before_it_is_read(tmp_path: Path) -> None:
    files = ewf(mbr(volume(), volume()), segments=4)
    for number in (1, 2, 4):
        (tmp_path / f"case.E{number:02d}").write_bytes(files[number - 1])
    source, expansion = opened(tmp_path / "case.E01")
    assert of(expansion, "container")[0]["segments"] == ["case.E01", "case.E02"]
    assert "truncated" in {gap.reason for gap in expansion.gaps}
    assert any("the last segment is missing" in gap.message for gap in expansion.gaps)
    assert content(source, "case.E01/p1/HELLO.TXT") == b"hello world"


def test_what_comes_before_the_cut_of_an_e01_without_its_table_is_saved(tmp_path: Path) -> None:
    noise = b"".join(hashlib.sha256(struct.pack("<I", number)).digest() for number in range(60_000))
    raw = ewf(mbr(volume(b"still here"), noise[: len(noise) // 512 * 512]))[0]
    (tmp_path / "cut.E01").write_bytes(raw[: len(raw) * 8 // 10])
    source, expansion = opened(tmp_path / "cut.E01")
    assert content(source, "cut.E01/p1/HELLO.TXT") == b"still here"
    assert any("ends too early" in gap.message for gap in expansion.gaps)
    with source.media("cut.E01") as stream, pytest.raises((OSError, ParseError)):
        stream.seek(-4096, 2)
        stream.read()


def test_a_damaged_chunk_is_an_error_not_zeros(tmp_path: Path) -> None:
    fat = Fat16()
    fat.file(b"BIG     BIN", bytes(range(256)) * 1024)
    raw = bytearray(ewf(bytes(fat.data))[0])
    place = raw.find(bytes(range(256)) * 4)
    raw[place + 100] ^= 0xFF
    (tmp_path / "bad.E01").write_bytes(raw)
    source, _ = opened(tmp_path / "bad.E01")
    with pytest.raises(ParseError, match="damaged"):
        content(source, "bad.E01/p0/BIG.BIN")
    found = hash_source(SourceSpec("src-1", tmp_path / "bad.E01"))
    assert found["stored_ok"] is False
    assert len(found["media_damaged"]) == 1


def test_a_split_raw_image_is_read_across_its_parts(tmp_path: Path) -> None:
    raw = volume(b"x" * 3000)
    for number, start in enumerate(range(0, len(raw), 1_500_001), 1):
        (tmp_path / f"disk.{number:03d}").write_bytes(raw[start : start + 1_500_001])
    source, expansion = opened(tmp_path / "disk.001")
    assert of(expansion, "container")[0]["container"] == "split raw"
    assert content(source, "disk.001/p0/HELLO.TXT") == b"x" * 3000


def test_a_fixed_vhd_is_known_by_its_footer(tmp_path: Path) -> None:
    raw = volume()
    footer = struct.pack(
        ">8sIIQI4sI4sQQIII", b"conectix", 2, 0x10000, 0xFFFFFFFFFFFFFFFF, 0, b"test", 0x10000, b"Wi2k", len(raw),
        len(raw),
        0x00780410, 2, 0,
    ) + bytes(range(16)) + b"\0"  # fmt: skip
    total = ~sum(footer) & 0xFFFFFFFF
    footer = (footer[:64] + struct.pack(">I", total) + footer[68:]).ljust(512, b"\0")
    (tmp_path / "disk.vhd").write_bytes(raw + footer)
    source, expansion = opened(tmp_path / "disk.vhd")
    assert expansion.kind == "VHD"
    assert content(source, "disk.vhd/p0/HELLO.TXT") == b"hello world"


def test_a_flat_vmdk_finds_its_extent_beside_it(tmp_path: Path) -> None:
    raw = volume()
    (tmp_path / "disk-flat.vmdk").write_bytes(raw)
    (tmp_path / "disk.vmdk").write_text(
        "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\n\n"
        f"# Extent description\nRW {len(raw) // 512} FLAT \"disk-flat.vmdk\" 0\n\n# The Disk Data Base\n#DDB\n\n"
        "ddb.virtualHWVersion = \"4\"\nddb.adapterType = \"ide\"\n"
    )  # fmt: skip
    source, expansion = opened(tmp_path / "disk.vmdk")
    assert expansion.kind == "VMDK"
    assert content(source, "disk.vmdk/p0/HELLO.TXT") == b"hello world"
    (tmp_path / "disk-flat.vmdk").unlink()
    _, expansion = opened(tmp_path / "disk.vmdk")
    assert [gap.reason for gap in expansion.gaps] == ["not_in_acquisition"]


def test_an_iso_is_listed_and_its_times_do_not_depend_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    (tmp_path / "disc.iso").write_bytes(iso({b"README.TXT;1": b"read me"}))
    seen = []
    for zone in ("UTC", "America/New_York"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        source, expansion = opened(tmp_path / "disc.iso")
        assert content(source, "disc.iso/p0/README.TXT") == b"read me"
        seen.append([entry.to_json() for entry in source.open_store("disc.iso/p0").entries()])  # type: ignore[union-attr]
    monkeypatch.undo()
    time.tzset()
    assert seen[0] == seen[1]
    assert of(expansion, "volume")[0]["label"] == "TESTDISC"


def test_a_luks_volume_is_locked_without_and_open_with_its_passphrase(tmp_path: Path) -> None:
    (tmp_path / "safe.img").write_bytes(luks1(volume(b"secret text"), b"open sesame"))
    _, locked = opened(tmp_path / "safe.img")
    assert locked.prefixes == () and [gap.reason for gap in locked.gaps] == ["locked"]
    assert of(locked, "encrypted_volume")[0]["cipher"] == "aes-xts-plain64"
    assert "passphrase" in locked.needs
    source, expansion = opened(tmp_path / "safe.img", secrets=("wrong", "open sesame"))
    assert of(expansion, "encrypted_volume")[0]["locked"] is False
    assert content(source, "safe.img/p0/HELLO.TXT") == b"secret text"


def test_an_unknown_image_is_told_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "what.dd").write_bytes(bytes(100_000))
    _, expansion = opened(tmp_path / "what.dd")
    assert expansion.prefixes == () and [gap.reason for gap in expansion.gaps] == ["unsupported"]
    assert "all zero" in expansion.gaps[0].message


@pytest.mark.parametrize(
    "name, mark", [("disk.aff", b"AFF10\r\n\0"), ("disk.ad1", b"ADCRYPT\0"), ("x.lx01", b"LEF2\r\n\x81\0")]
)
def test_an_unread_container_names_itself_and_what_it_needs(tmp_path: Path, name: str, mark: bytes) -> None:
    (tmp_path / name).write_bytes(mark.ljust(4096, b"\0"))
    _, expansion = opened(tmp_path / name)
    assert expansion.gaps[0].reason == "unsupported" and "needs" in expansion.gaps[0].message
    assert expansion.prefixes == ()


def test_an_image_inside_a_folder_is_opened_in_turn_and_nesting_has_a_limit(tmp_path: Path) -> None:
    inner = volume(b"inside")
    outer = Fat16()
    outer.file(b"INNER   IMG", inner[: 2000 * 512])
    (tmp_path / "outer.img").write_bytes(bytes(outer.data))
    source = open_source(SourceSpec("src-1", tmp_path, "tree"))
    assert content(source, "outer.img/p0/INNER.IMG/p0/HELLO.TXT") == b"inside"
    shallow = open_source(SourceSpec("src-1", tmp_path, "tree"), Limits(max_depth=1))
    with pytest.raises(ParseError) as caught:
        content(shallow, "outer.img/p0/INNER.IMG/p0/HELLO.TXT")
    assert caught.value.reason == "depth"


def test_an_archive_that_is_opened_again_and_again_lies_no_deeper_for_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "kept.zip", "w") as archive:
        archive.writestr("one.txt", "text")
    source = open_source(SourceSpec("src-1", tmp_path, "tree"))
    store = source.open_store("")
    (entry,) = (e for e in store.entries() if isinstance(e, Entry))
    file = store.file(entry)
    for _ in range(source.limits.max_depth + 2):
        found = source.expand(file, (tmp_path / "kept.zip").read_bytes())
        assert found is not None and found.prefixes == ("kept.zip",) and not found.gaps


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParseError) as caught:
        open_source(SourceSpec("src-1", tmp_path / "nothing"))
    assert caught.value.reason == "not_in_acquisition"


def test_a_cut_raw_image_is_listed_as_far_as_it_goes(tmp_path: Path) -> None:
    (tmp_path / "cut.img").write_bytes(volume()[: 3000 * 512])
    source, expansion = opened(tmp_path / "cut.img")
    assert [gap.reason for gap in expansion.gaps] == ["truncated"]
    assert content(source, "cut.img/p0/HELLO.TXT") == b"hello world"


@pytest.mark.parametrize("kind, extra", [(1, 0), (1, 512), (2, 0)])
def test_a_virtualbox_disk_is_read_through_its_block_map(tmp_path: Path, kind: int, extra: int) -> None:
    media = mbr(volume())
    (tmp_path / "disk.vdi").write_bytes(vdi(media, kind=kind, extra=extra))
    source, expansion = opened(tmp_path / "disk.vdi")
    assert expansion.prefixes == ("disk.vdi/p1",) and expansion.gaps == ()
    data = of(expansion, "container")[0]
    assert data["container"] == ("VDI (dynamic)" if kind == 1 else "VDI (fixed)") and data["media_size"] == len(media)
    assert data["comment"] == "a comment" and data["image_identifier"] == "03020100-0504-0706-0809-0a0b0c0d0e0f"
    assert content(source, "disk.vdi/p1/HELLO.TXT") == b"hello world"
    with source.media("disk.vdi") as stream:
        assert stream.read() == media


def test_a_differencing_virtualbox_disk_is_refused_with_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "snapshot.vdi").write_bytes(vdi(mbr(volume()), kind=4))
    _, expansion = opened(tmp_path / "snapshot.vdi")
    assert expansion.prefixes == () and expansion.gaps[0].reason == "not_in_acquisition"
    assert "50505050-5050-5050-5050-505050505050" in expansion.gaps[0].message


def test_a_cut_virtualbox_disk_says_how_many_blocks_are_missing(tmp_path: Path) -> None:
    (tmp_path / "cut.vdi").write_bytes(vdi(mbr(volume()), kind=2, reverse=False)[:-200_000])
    source, expansion = opened(tmp_path / "cut.vdi")
    assert [gap.reason for gap in expansion.gaps] == ["truncated"] and "4 of" in expansion.gaps[0].message
    assert content(source, "cut.vdi/p1/HELLO.TXT") == b"hello world"


@pytest.mark.parametrize("number", range(5))
def test_damaged_virtualbox_disks_are_gaps_never_crashes(tmp_path: Path, number: int) -> None:
    raw, draws = bytearray(vdi(mbr(volume()))), random.Random(number)
    for _ in range(12):
        raw[draws.randrange(68, 1400)] = draws.randrange(256)
    (tmp_path / "m.vdi").write_bytes(bytes(raw[: len(raw) // 2] if number == 4 else raw))
    _, expansion = opened(tmp_path / "m.vdi")
    assert expansion.gaps or expansion.prefixes
