"""The free space of a volume in pieces: exact places, a name nobody gave, and gaps where the map is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
from carved_builders import Volume, jpeg, noise, png

from wigmore.evidence.allocation import Allocation
from wigmore.evidence.listing import entry_record
from wigmore.evidence.media import Media
from wigmore.evidence.source import Source, SourceSpec, open_source
from wigmore.evidence.store import Entry, Limits, Store
from wigmore.evidence.unallocated import Pieces, mapped
from wigmore.generator.image.fat import CLUSTER, FIRST_SECTOR, SECTOR
from wigmore.model.protocols import Gap


def opened(tmp_path: Path, volume: Volume, limits: Limits | None = None) -> tuple[Source, Store, bytes]:
    content = volume.to_bytes()
    (tmp_path / "v.img").write_bytes(content)
    source = open_source(SourceSpec("src-1", tmp_path / "v.img", "image"), limits)
    return source, source.open_store(f"v.img/p{int(volume.partitioned)}"), content


def pieces(store: Store) -> list[Entry]:
    return [entry for entry in store.entries() if isinstance(entry, Entry) and entry.free_space]


def test_free_runs_are_one_entry_behind_all_others_and_lead_to_the_medium(tmp_path: Path) -> None:
    volume = Volume(partitioned=True)
    volume.live("FIRST.BIN", noise(3000))
    volume.live("GONE.JPG", jpeg(5500))
    volume.live("LAST.BIN", noise(5000, 5))
    volume.lose("GONE.JPG")
    _, store, content = opened(tmp_path, volume)
    entries = [entry for entry in store.entries() if isinstance(entry, Entry)]
    piece = entries[-1]
    assert piece.free_space
    assert not piece.allocated
    assert piece.recovery == "intact"
    gone = volume.data_sector * SECTOR + 2 * CLUSTER  # behind FIRST.BIN
    assert piece.path == f"v.img/p1/$Unallocated/{gone:012x}"
    assert piece.ref == {"free": 0}
    start = FIRST_SECTOR * SECTOR
    extents = store.extents(piece)
    assert extents[0] == (start + gone, 3 * CLUSTER)
    assert len(extents) == 2
    assert sum(extents[1]) == start + (volume.data_sector + 4 * volume.cluster_count) * SECTOR  # the volume's end
    assert store.file(piece).read() == b"".join(content[offset : offset + size] for offset, size in extents)
    assert store.file(piece).read()[:2] == b"\xff\xd8"
    assert piece.attributes["medium_offset"] == start + gone
    assert store.find(piece.path) == piece


def test_a_piece_is_read_at_any_place(tmp_path: Path) -> None:
    volume = Volume()
    for number in range(6):
        volume.live(f"F{number}.BIN", noise(3000, number))
    for number in (0, 2, 4):
        volume.lose(f"F{number}.BIN")
    _, store, content = opened(tmp_path, volume)
    [piece] = pieces(store)
    whole = b"".join(content[offset : offset + size] for offset, size in store.extents(piece))
    with store.file(piece).open() as stream:
        for at, size in ((0, 10), (4090, 20), (8191, 9000), (piece.size - 3, 50), (piece.size, 4)):
            stream.seek(at)
            assert stream.read(size) == whole[at : at + size]


def test_pieces_are_cut_at_the_limit_and_the_rest_is_said(tmp_path: Path) -> None:
    limits = Limits(max_free_entries=3, free_piece_bytes=1024 * 1024)
    volume = Volume()
    volume.live("A.BIN", noise(2000))
    _, store, content = opened(tmp_path, volume, limits)
    found = list(store.entries())
    listed = pieces(store)
    assert [piece.size for piece in listed] == [1024 * 1024] * 3
    assert isinstance(found[-1], Gap)
    assert found[-1].reason == "too_large"
    assert str(volume.cluster_count * CLUSTER - CLUSTER - 3 * 1024 * 1024) in found[-1].message
    for piece in listed:
        [(offset, size)] = store.extents(piece)
        assert store.file(piece).read() == content[offset : offset + size]
        assert store.find(piece.path) == piece
    assert store.find("v.img/p0/$Unallocated/000000000000") is None
    assert store.find("v.img/p0/$Unallocated/nonsense") is None


def test_a_volume_whose_map_cannot_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(volume: Media) -> Allocation:
        raise OSError("bad sectors")

    monkeypatch.setattr("wigmore.evidence.deleted.fat_allocation", broken)
    _, store, _ = opened(tmp_path, Volume())
    found = list(store.entries())
    assert not pieces(store)
    [gap] = [one for one in found if isinstance(one, Gap)]
    assert "map of blocks in use cannot be read" in gap.message


def test_a_map_that_ends_early_leaves_the_rest_out_and_says_so() -> None:
    class Zeros(Media):
        def read_at(self, offset: int, length: int) -> bytes:
            return bytes(max(0, min(length, self.size - offset)))

    volume = Zeros(1000 * 512, "volume")
    space = mapped(volume, Allocation(b"\xf0\xff\x00", first=10), 512, 1000, Limits())
    assert list(zip(space.starts, space.lengths, strict=True)) == [(10 * 512, 4 * 512), (26 * 512, 8 * 512)]
    found = list(Pieces(space, "v", 0, Limits()).entries())
    assert isinstance(found[0], Gap)
    assert "966 blocks" in found[0].message


def test_neighbouring_stretches_of_the_map_are_merged_and_spare_bits_are_not_blocks() -> None:
    volume = Media(10_000 * 512, "volume")
    bits = bytes((0b00001111, 0, 0, 0b11111110, 0b10101010))
    space = mapped(volume, Allocation(bits, count=37), 512, 37, Limits())
    assert list(zip(space.starts, space.lengths, strict=True)) == [
        (4 * 512, 21 * 512), (32 * 512, 512), (34 * 512, 512), (36 * 512, 512),
    ]  # fmt: skip
    assert not space.gaps


def test_a_truncated_image_gives_the_free_space_that_is_there(tmp_path: Path) -> None:
    content = Volume().to_bytes()
    (tmp_path / "v.img").write_bytes(content[: 5 * 1024 * 1024])
    store = open_source(SourceSpec("src-1", tmp_path / "v.img", "image")).open_store("v.img/p0")
    [piece] = pieces(store)
    assert sum(store.extents(piece)[-1]) == 5 * 1024 * 1024
    assert len(store.file(piece).read()) == piece.size


def test_the_record_of_a_piece_is_no_file_listing(tmp_path: Path) -> None:
    volume = Volume()
    volume.place(10, png())
    _, store, _ = opened(tmp_path, volume)
    [piece] = pieces(store)
    locator, record = entry_record(piece, {"sha256": "aa"})
    assert record.artifact == "unallocated_space"
    assert record.state == "unallocated"
    assert record.data["kind"] == "free_space"
    assert "deleted" not in record.data
    assert locator["offset"] == store.extents(piece)[0][0]


def test_a_folder_of_that_name_on_the_volume_is_not_taken_for_free_space(tmp_path: Path) -> None:
    volume = Volume()
    volume.live("$Unallocated/000000000000", b"a real file")
    _, store, _ = opened(tmp_path, volume)
    entry = store.find("v.img/p0/$Unallocated/000000000000")
    assert entry is not None
    assert not entry.free_space
    assert store.file(entry).read() == b"a real file"


def test_what_lies_outside_all_partitions_is_found_too(tmp_path: Path) -> None:
    content = bytearray(Volume(partitioned=True).to_bytes() + bytes(64 * SECTOR))
    content[100 * SECTOR : 100 * SECTOR + len(png())] = png()
    content[-5:] = b"tail."
    (tmp_path / "v.img").write_bytes(content)
    source = open_source(SourceSpec("src-1", tmp_path / "v.img", "image"))
    file = source.file_at("v.img")
    found = source.expand(file, file.read()[:65536])
    assert found is not None
    assert found.prefixes == ("v.img/p1", "v.img/$Unallocated")
    store = source.open_store("v.img/$Unallocated")
    [piece] = pieces(store)
    assert piece.path == f"v.img/$Unallocated/{SECTOR:012x}"  # behind the partition table
    assert store.extents(piece)[0] == (SECTOR, (FIRST_SECTOR - 1) * SECTOR)
    assert store.file(piece).read().endswith(b"tail.")
    inside = source.open_store(piece.path)
    [picture] = [entry for entry in inside.entries() if isinstance(entry, Entry)]
    assert inside.extents(picture) == [(100 * SECTOR, len(png()))]
    assert source.file_at(picture.path).read() == png()


def test_zeros_outside_all_partitions_are_no_store(tmp_path: Path) -> None:
    (tmp_path / "v.img").write_bytes(Volume(partitioned=True).to_bytes())
    source = open_source(SourceSpec("src-1", tmp_path / "v.img", "image"))
    file = source.file_at("v.img")
    found = source.expand(file, file.read()[:65536])
    assert found is not None
    assert found.prefixes == ("v.img/p1",)
