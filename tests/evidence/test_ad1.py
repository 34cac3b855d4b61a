"""FTK logical images (AD1): files with times and stored hashes, segments, what is missing, damage."""

from __future__ import annotations

import hashlib
import random
import struct
from pathlib import Path

import pytest
from evidence_builders import ad1

from wigmore.evidence.hashing import hash_source
from wigmore.evidence.recognise import recognise
from wigmore.evidence.source import Expansion, Source, SourceSpec, open_source
from wigmore.evidence.store import Entry
from wigmore.model.protocols import Gap, ParseError

FILES = {
    "a.txt": b"hello from a logical image",
    "large.bin": random.Random(1).randbytes(30_000),
    "empty.txt": b"",
    "ü.txt": b"odd",
}


def opened(path: Path) -> tuple[Source, Expansion | None]:
    source = open_source(SourceSpec("src-1", path.parent, "tree"))
    store = source.open_store("")
    file = store.file(store.find(path.name))  # type: ignore[arg-type]  # it is there
    with file.open() as stream:
        return source, source.expand(file, stream.read(65536))


def made(folder: Path, segments: int = 1) -> list[Path]:
    paths = []
    for number, raw in enumerate(ad1(FILES, segments=segments), 1):
        paths.append(folder / f"case.ad{number}")
        paths[-1].write_bytes(raw)
    return paths


@pytest.mark.parametrize("segments", [1, 3])
def test_the_files_of_a_logical_image_are_members(tmp_path: Path, segments: int) -> None:
    path = made(tmp_path, segments)[0]
    source, expansion = opened(path)
    assert expansion is not None and expansion.kind == "ad1" and expansion.gaps == ()
    data = expansion.records[0][1].data
    assert data["source_name"] == "source" and len(data["segments"]) == segments
    entries = [entry for entry in source.open_store("case.ad1").entries() if isinstance(entry, Entry)]
    assert [(entry.path, entry.kind) for entry in entries] == [
        ("case.ad1/C\\x3a", "directory"), *((f"case.ad1/C\\x3a/{name}", "file") for name in FILES),
    ]  # fmt: skip
    for entry, raw in zip(entries[1:], FILES.values(), strict=True):
        assert source.file_at(entry.path).read() == raw
        assert entry.attributes["stored_md5"] == hashlib.md5(raw).hexdigest()
    assert entries[1].times["modified"]["text"] == "2020-09-13T12:26:40.123456Z"
    assert (
        entries[1].times["created"]["text"] == "2019-03-14T03:16:53Z" and entries[1].attributes["mode"] == "-rw-r--r--"
    )
    assert recognise(path).type == "archive"


def test_the_intake_hash_covers_every_segment(tmp_path: Path) -> None:
    paths = made(tmp_path, 2)
    found = hash_source(SourceSpec("src-1", paths[0], "file"))
    assert [one["sha256"] for one in found["segments"]] == [
        hashlib.sha256(one.read_bytes()).hexdigest() for one in paths
    ]


def test_a_missing_segment_is_told_and_what_comes_before_it_is_read(tmp_path: Path) -> None:
    paths = made(tmp_path, 3)
    paths[2].unlink()
    source, expansion = opened(paths[0])
    assert expansion is not None and [gap.reason for gap in expansion.gaps] == ["not_in_acquisition"]
    assert source.file_at("case.ad1/C\\x3a/a.txt").read() == FILES["a.txt"]
    with pytest.raises(ParseError):
        source.file_at("case.ad1/C\\x3a/large.bin").read()


def test_a_later_segment_is_no_image_of_its_own(tmp_path: Path) -> None:
    paths = made(tmp_path, 2)
    assert opened(paths[1])[1] is None
    paths[0].unlink()
    expansion = opened(paths[1])[1]
    assert expansion is not None and [gap.reason for gap in expansion.gaps] == ["not_in_acquisition"]


def test_an_unknown_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.ad1").write_bytes(ad1(FILES, version=9)[0])
    expansion = opened(tmp_path / "x.ad1")[1]
    assert expansion is not None and expansion.gaps[0].reason == "schema_unknown" and expansion.prefixes == ()


def test_a_chain_of_items_that_turns_back_ends(tmp_path: Path) -> None:
    raw = bytearray(ad1(FILES)[0])
    first = struct.unpack_from("<Q", raw, 512 + 36)[0]
    struct.pack_into("<Q", raw, 512 + first, first)
    (tmp_path / "x.ad1").write_bytes(bytes(raw))
    source, _ = opened(tmp_path / "x.ad1")
    listed = list(source.open_store("x.ad1").entries())
    assert sum(isinstance(one, Gap) for one in listed) == 1 and len(listed) == 6


@pytest.mark.parametrize("number", range(5))
def test_damaged_logical_images_are_gaps_never_crashes(tmp_path: Path, number: int) -> None:
    path = made(tmp_path)[0]
    draws, raw = random.Random(number), bytearray(path.read_bytes())
    for _ in range(60):
        raw[draws.randrange(24 if number < 2 else 560, len(raw))] = draws.randrange(256)
    path.write_bytes(bytes(raw))
    source, expansion = opened(path)
    if expansion is None or not expansion.prefixes:
        return
    for entry in source.open_store("case.ad1").entries():
        if isinstance(entry, Gap) or entry.kind != "file":
            continue
        try:
            source.file_at(entry.path).read()
        except ParseError as error:
            assert error.message
