"""EnCase logical evidence files: their files with times and stored hashes, segments, what is missing, damage."""

from __future__ import annotations

import hashlib
import io
import random
from pathlib import Path

import pyewf
import pytest
from evidence_builders import ewf, l01_tree

from wigmore.evidence.hashing import hash_source
from wigmore.evidence.recognise import recognise
from wigmore.evidence.source import Expansion, Source, SourceSpec, open_source
from wigmore.evidence.store import Entry
from wigmore.model.protocols import Gap

FILES = {
    "a.txt": b"hello logical world",
    "large.bin": bytes(range(256)) * 400,
    "empty.txt": b"",
    "ü/x.txt": b"odd name",
}


def opened(path: Path) -> tuple[Source, Expansion]:
    source = open_source(SourceSpec("src-1", path, "file"))
    store = source.open_store("")
    file = store.file(store.find(path.name))  # type: ignore[arg-type]  # it is there
    with file.open() as stream:
        expansion = source.expand(file, stream.read(65536))
    assert expansion is not None
    return source, expansion


def made(folder: Path, segments: int = 1) -> list[Path]:
    content, tree = l01_tree(FILES)
    padded = content.ljust(-(-len(content) // 512) * 512, b"\0")
    paths = []
    for number, raw in enumerate(ewf(padded, segments=segments, tree=tree), 1):
        paths.append(folder / f"case.L{number:02d}")
        paths[-1].write_bytes(raw)
    return paths


@pytest.mark.parametrize("segments", [1, 2])
def test_the_files_of_a_logical_evidence_file_are_members(tmp_path: Path, segments: int) -> None:
    path = made(tmp_path, segments)[0]
    source, expansion = opened(path)
    assert expansion.kind == "l01" and expansion.prefixes == ("case.L01",) and expansion.gaps == ()
    data = expansion.records[0][1].data
    assert data["case_number"] == "CASE-7" and data["notes"] == "made by a test" and len(data["segments"]) == segments
    entries = [entry for entry in source.open_store("case.L01").entries() if isinstance(entry, Entry)]
    assert [(entry.path, entry.kind) for entry in entries] == [
        ("case.L01/Evidence", "directory"), ("case.L01/Evidence/a.txt", "file"), ("case.L01/Evidence/large.bin", "file"),
        ("case.L01/Evidence/empty.txt", "file"), ("case.L01/Evidence/ü\\x2fx.txt", "file"),
    ]  # fmt: skip
    for entry, raw in zip(entries[1:], FILES.values(), strict=True):
        assert source.file_at(entry.path).read() == raw
        assert entry.attributes["stored_md5"] == hashlib.md5(raw).hexdigest()
    assert entries[1].times["created"]["text"] == "2020-09-13T12:26:40Z" and "accessed" not in entries[1].times
    assert "EnCase logical" in recognise(path).reason or recognise(path).type == "archive"


def test_a_second_reader_finds_the_same_files(tmp_path: Path) -> None:
    handle = pyewf.handle()
    handle.open_file_objects([io.BytesIO(made(tmp_path)[0].read_bytes())])
    folder = handle.get_root_file_entry().get_sub_file_entry(0)
    seen = {
        entry.get_name(): entry.read(entry.get_size()) if entry.get_size() else b"" for entry in folder.sub_file_entries
    }
    assert seen == FILES


def test_the_intake_hash_covers_every_segment(tmp_path: Path) -> None:
    paths = made(tmp_path, 2)
    found = hash_source(SourceSpec("src-1", paths[0], "file"))
    assert [one["sha256"] for one in found["segments"]] == [
        hashlib.sha256(one.read_bytes()).hexdigest() for one in paths
    ]


def test_a_missing_last_segment_is_told(tmp_path: Path) -> None:
    paths = made(tmp_path, 2)
    paths[1].unlink()
    _, expansion = opened(paths[0])
    assert [gap.reason for gap in expansion.gaps] == ["truncated"] and "ltree" in expansion.gaps[0].message


def test_a_list_that_was_changed_is_told_and_read(tmp_path: Path) -> None:
    path = made(tmp_path)[0]
    path.write_bytes(path.read_bytes().replace("a.txt".encode("utf-16-le"), "b.txt".encode("utf-16-le")))
    source, expansion = opened(path)
    assert [gap.reason for gap in expansion.gaps] == ["damaged"] and "hash" in expansion.gaps[0].message
    assert source.file_at("case.L01/Evidence/b.txt").read() == FILES["a.txt"]


@pytest.mark.parametrize("number", range(5))
def test_damaged_logical_evidence_is_gaps_never_crashes(tmp_path: Path, number: int) -> None:
    path = made(tmp_path)[0]
    draws, raw = random.Random(number), bytearray(path.read_bytes())
    for _ in range(40):
        raw[draws.randrange(13 if number < 2 else len(raw) // 2, len(raw))] = draws.randrange(256)
    path.write_bytes(bytes(raw))
    source, expansion = opened(path)
    assert expansion.gaps or expansion.prefixes
    for entry in source.open_store("case.L01").entries() if expansion.prefixes else ():
        if isinstance(entry, Gap) or entry.kind != "file":
            continue
        try:
            source.file_at(entry.path).read()
        except Exception as error:  # noqa: BLE001  # whatever it is, extraction makes a coverage row of it
            assert str(error)
