"""Spotlight stores: items, attributes of each kind, times, paths, compression, map files, damage."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest
from spotlight_builder import BLOCK, record, sized, store, var

from wigmore.artifacts.macos.spotlight import spotlight
from wigmore.artifacts.macos.spotlight_pages import Broken, variable
from wigmore.evidence.filetype import unread
from wigmore.evidence.local import LocalFile
from wigmore.model.protocols import Gap, ParseError, Record

FOLDER = record(20, 2, [(1, sized(b"Pictures\0"))])
PICTURE = record(
    21, 20,
    [
        (1, sized(b"beach.jpg\0")), (2, struct.pack("<d", 600_000_000.5)), (3, sized(struct.pack("<2d", 5e8, 6e8))),
        (4, var(70_000)), (5, var(1)), (6, var(1)), (7, sized(b"https://x.example/a\0https://x.example/\0")), (8, var(1)),
        (9, sized(var(640) + var(300_000))), (10, struct.pack("<f", 0.5)), (11, var(1)), (12, sized(bytes(range(16)))),
    ],
)  # fmt: skip


def read(folder: Path, content: bytes, beside: dict[str, bytes] | None = None) -> tuple[list[Record], list[Gap]]:
    (folder / "store.db").write_bytes(content)
    for name, raw in (beside or {}).items():
        (folder / name).write_bytes(raw)
    items = list(spotlight(LocalFile.at(folder / "store.db", path="Store-V2/x/store.db")))
    return [item[1] for item in items if isinstance(item, tuple)], [item for item in items if isinstance(item, Gap)]


@pytest.mark.parametrize("compress", ["", "zlib", "lz4"])
@pytest.mark.parametrize("maps", [False, True])
def test_items_are_read_with_attributes_of_each_kind(tmp_path: Path, compress: str, maps: bool) -> None:
    records, gaps = read(tmp_path, *store([FOLDER, PICTURE], compress, maps=maps))
    assert not gaps
    about, folder, picture = records
    assert about.artifact == "macos.spotlight_store" and about.data["store_path"] == "/Volumes/X"
    assert about.data["tables_in_map_files"] is maps
    assert folder.data["name"] == "Pictures" and picture.data["original_path"] == "Pictures/beach.jpg"
    assert (picture.data["identifier"], picture.data["parent_identifier"], picture.data["item_identifier"]) == (
        21,
        20,
        1021,
    )
    attributes = picture.data
    assert attributes["kMDItemLogicalSize"] == 70_000 and attributes["kMDItemPixelSizes"] == [640, 300_000]
    assert attributes["kMDItemContentType"] == "public.jpeg" and attributes["kMDItemKind"] == "JPEG image"
    assert attributes["kMDItemContentTypeTree"] == ["public.jpeg", "public.image"] and attributes["score"] == 0.5
    assert attributes["kMDItemWhereFroms"] == ["https://x.example/a", "https://x.example/"]
    assert attributes["uuid"] == bytes(range(16)).hex() and len(attributes["kMDItemUsedDates"]) == 2
    assert picture.times["kMDItemLastUsedDate"]["text"] == "2020-01-06T10:40:00.500000Z"
    assert picture.time_field == "updated_at" and picture.times["updated_at"]["text"].startswith("2020-09-13T12:26:40")


def test_an_attribute_that_is_not_known_ends_its_item_and_is_said(tmp_path: Path) -> None:
    odd = record(30, 20, [(1, sized(b"a\0")), (13, b"??")])
    records, gaps = read(tmp_path, *store([odd, PICTURE]))
    assert records[1].data["name"] == "a" and "not known" in str(records[1].data["unread"])
    assert len(gaps) == 1 and "item 30" in gaps[0].message and records[2].data["name"] == "beach.jpg"


def test_a_store_without_its_map_files_says_which_are_missing(tmp_path: Path) -> None:
    content, beside = store([PICTURE], maps=True)
    del beside["dbStr-2.map.data"]
    records, gaps = read(tmp_path, content, beside)
    assert [gap.reason for gap in gaps] == ["not_in_acquisition"] and "dbStr-2.map" in gaps[0].message
    assert records[1].data["name"] == "beach.jpg"


def test_numbers_of_variable_size_are_read_and_bounded() -> None:
    for number in (0, 1, 127, 128, 16_383, 16_384, 2_097_151, 268_435_455, 34_359_738_367, 1_600_000_000_000_000):
        assert variable(var(number) + b"rest", 0) == (number, len(var(number)))
    for raw in (b"", b"\x80", b"\xff" + bytes(7)):
        with pytest.raises(Broken):
            variable(raw, 0)


def test_a_cut_store_says_so(tmp_path: Path) -> None:
    content, _ = store([FOLDER, PICTURE])
    records, gaps = read(tmp_path, content[: 2 * BLOCK + 60])
    assert records[0].artifact == "macos.spotlight_store" and gaps
    with pytest.raises(ParseError):
        read(tmp_path, content[:300])


@pytest.mark.parametrize("number", range(5))
def test_damaged_stores_are_gaps_never_crashes(tmp_path: Path, number: int) -> None:
    content, beside = store([FOLDER, PICTURE] * 20, ("", "zlib", "lz4")[number % 3], maps=number == 4)
    draws, raw = random.Random(number), bytearray(content)
    for _ in range(60):
        raw[draws.randrange(36, len(raw))] = draws.randrange(256)
    records, gaps = read(tmp_path, bytes(raw), beside)
    assert records and all(isinstance(gap.message, str) for gap in gaps)


def test_the_unified_log_is_said_to_be_unread_with_what_it_needs() -> None:
    outcome, reason, code = unread("Unified log", "x.tracev3", 100) or ("", "", "")
    assert (outcome, code) == ("not_run", "unsupported") and "uuidtext" in reason
    assert unread("Spotlight store", "store.db", 100) is None
