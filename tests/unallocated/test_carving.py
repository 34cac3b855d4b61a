"""Files found by signature: whole ones by their format, cut ones as partial, at the right bytes of the medium."""

from __future__ import annotations

import io
import random
import time
from pathlib import Path

import pytest
from carved_builders import Volume, all_formats, jpeg, noise, packed, pdf, png

from wigmore.evidence.carving import CAVEAT, EXTENSIONS, carve
from wigmore.evidence.carving_formats import Found
from wigmore.evidence.listing import entry_record
from wigmore.evidence.source import SourceSpec, open_source
from wigmore.evidence.store import Entry, Limits, Store
from wigmore.generator.image.fat import CLUSTER
from wigmore.model.protocols import Gap


def carved(content: bytes) -> list[tuple[int, Found]]:
    return [one for one in carve(io.BytesIO(content), len(content)) if not isinstance(one, Gap)]


def listed(tmp_path: Path, volume: Volume, limits: Limits | None = None) -> tuple[Store, list[Entry], bytes]:
    content = volume.to_bytes()
    (tmp_path / "v.img").write_bytes(content)
    source = open_source(SourceSpec("src-1", tmp_path / "v.img", "image"), limits)
    [piece] = [e for e in source.open_store("v.img/p0").entries() if isinstance(e, Entry) and e.free_space]
    store = source.open_store(piece.path)
    return store, [entry for entry in store.entries() if isinstance(entry, Entry)], content


def test_a_whole_file_of_each_format_is_found_at_its_place_with_its_bytes(tmp_path: Path) -> None:
    volume = Volume()
    volume.live("LIVE.BIN", noise(100))
    cluster, places = 20, {}
    for extension, content in all_formats(tmp_path).items():
        places[extension] = (volume.place(cluster, content + noise(64)), content)
        cluster += -(-(len(content) + 64) // CLUSTER) + 1
    store, found, medium = listed(tmp_path, volume)
    by_extension = {entry.name.partition(".")[2]: entry for entry in found}
    assert set(by_extension) == set(places)
    for extension, (offset, content) in places.items():
        entry = by_extension[extension]
        assert store.extents(entry) == [(offset, len(content))], extension
        assert medium[offset : offset + len(content)] == content
        assert store.file(entry).read() == content
        assert entry.recovery == ("partial" if extension == "evtx_chunks" else "intact"), extension
        assert entry.caveat == CAVEAT
        assert entry.attributes["medium_offset"] == offset
        assert store.find(entry.path) == entry
        assert extension in EXTENSIONS


def test_a_deleted_file_without_directory_entry_is_found_across_the_cluster_of_another(tmp_path: Path) -> None:
    picture = jpeg(3 * CLUSTER)
    volume = Volume()
    volume.live("GONE.JPG", picture[:CLUSTER])
    volume.live("BETWEEN.BIN", noise(CLUSTER, 9))
    volume.lose("GONE.JPG")
    volume.place(4, picture[CLUSTER:])
    store, [entry], medium = listed(tmp_path, volume)
    assert entry.recovery == "intact"
    assert store.file(entry).read() == picture
    extents = store.extents(entry)
    assert len(extents) == 2
    assert b"".join(medium[offset : offset + size] for offset, size in extents) == picture


def test_a_file_with_foreign_bytes_inside_is_partial_up_to_there(tmp_path: Path) -> None:
    picture, graphic = jpeg(4 * CLUSTER), png(4 * CLUSTER)
    volume = Volume()
    foreign = random.Random(7).randbytes(CLUSTER)
    volume.place(10, picture[:CLUSTER] + foreign + picture[CLUSTER:])
    volume.place(30, graphic[:CLUSTER] + foreign + graphic[CLUSTER:])
    _, found, _ = listed(tmp_path, volume)
    assert [entry.recovery for entry in found] == ["partial", "partial"]
    assert CLUSTER <= found[0].size < 2 * CLUSTER


def test_a_file_cut_by_the_end_of_the_volume_is_partial(tmp_path: Path) -> None:
    volume = Volume()
    volume.place(volume.cluster_count + 1, jpeg(4 * CLUSTER)[:CLUSTER])
    store, [entry], medium = listed(tmp_path, volume)
    assert entry.recovery == "partial"
    assert sum(store.extents(entry)[-1]) <= len(medium)
    assert entry.size == CLUSTER


def test_what_lies_in_a_whole_file_is_not_found_again_but_inside_a_cut_one_it_is() -> None:
    picture = jpeg(3000)
    archive = packed(("one.txt",), 50)
    stored = archive[:-22]
    whole = pdf(picture)
    assert [f.extension for _, f in carved(whole.ljust(8192, b"\0"))] == ["pdf"]
    cut = whole[: whole.index(b"startxref")].ljust(8192, b"\0")
    assert [(at, f.extension, f.whole) for at, f in carved(cut)] == [(whole.index(picture), "jpg", True)]
    assert [(f.extension, f.whole) for _, f in carved(stored.ljust(4096, b"\0"))] == [("zip", False)]


def test_the_end_of_a_pdf_is_the_last_update_of_the_same_file() -> None:
    first = pdf(b"one")
    update = first + b"2 0 obj\n<<>>\nendobj\n"
    update += b"xref\n0 1\ntrailer\n<<>>\nstartxref\n%d\n%%%%EOF\n" % len(update)
    content = update.ljust(1024, b" ") + pdf(b"two").ljust(1024, b" ")
    assert [(at, f.length, f.whole) for at, f in carved(content)] == [
        (0, len(update), True), (1024, len(pdf(b"two")), True),
    ]  # fmt: skip


def test_records_of_carved_files_and_of_what_lies_in_them_are_carved(tmp_path: Path) -> None:
    volume = Volume()
    volume.place(10, packed(("inner/a.txt",)))
    content = volume.to_bytes()
    (tmp_path / "v.img").write_bytes(content)
    source = open_source(SourceSpec("src-1", tmp_path / "v.img", "image"))
    [piece] = [e for e in source.open_store("v.img/p0").entries() if isinstance(e, Entry) and e.free_space]
    store = source.open_store(piece.path)
    [entry] = [e for e in store.entries() if isinstance(e, Entry)]
    assert store.file(entry).state == "carved"
    locator, record = entry_record(entry, carved=store.carved)
    assert (record.artifact, record.state) == ("carved_file", "carved")
    assert locator["offset"] == store.extents(entry)[0][0]
    inside = source.open_store(entry.path)
    assert inside.carved
    assert [e.path for e in inside.entries() if isinstance(e, Entry)] == [f"{entry.path}/inner/a.txt"]
    assert source.file_at(f"{entry.path}/inner/a.txt").state == "carved"


def test_too_many_files_are_said(tmp_path: Path) -> None:
    volume = Volume()
    for number in range(8):
        volume.place(10 + 4 * number, png(100))
    content = volume.to_bytes()
    (tmp_path / "v.img").write_bytes(content)
    source = open_source(SourceSpec("src-1", tmp_path / "v.img", "image"), Limits(max_carved=5))
    [piece] = [e for e in source.open_store("v.img/p0").entries() if isinstance(e, Entry) and e.free_space]
    found = list(source.open_store(piece.path).entries())
    assert len(found) == 6
    assert isinstance(found[-1], Gap)


@pytest.mark.parametrize("seed", range(5))
def test_damaged_files_neither_crash_nor_hide_their_neighbours(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    content = bytearray()
    for made in all_formats(tmp_path).values():
        broken = bytearray(made)
        for _ in range(6):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        content += broken[: chance.randrange(1, len(broken))].ljust(-(-len(broken) // 512) * 512, b"\0")
    place = len(content)
    content += noise(512 * 60) + png(700).ljust(1024, b"\0")
    found = carved(bytes(content))
    assert any(at >= place and f.extension == "png" and f.whole for at, f in found)
    assert all(at + f.length <= len(content) for at, f in found)


def test_signatures_at_every_sector_cost_bounded_work() -> None:
    content = (b"\xff\xd8" * 256) * 4096
    started = time.process_time()
    found = list(carve(io.BytesIO(content), len(content), budget=8 * 1024 * 1024))
    assert isinstance(found[-1], Gap)
    assert found[-1].reason == "too_large"
    assert time.process_time() - started < 5
