"""Folder sources: order, links, names that do not decode, special files, hashes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from wigmore.evidence.hashing import hash_source, hash_stream
from wigmore.evidence.listing import entry_record
from wigmore.evidence.source import SourceSpec, open_source
from wigmore.evidence.store import Entry, Limits, Store
from wigmore.model.protocols import EvidenceFile, Gap, ParseError


def tree(path: Path, limits: Limits | None = None) -> Store:
    return open_source(SourceSpec("src-1", path, "tree"), limits).open_store("")


def entries(store: Store) -> list[Entry]:
    return [entry for entry in store.entries() if isinstance(entry, Entry)]


def test_a_folder_is_walked_in_the_order_of_name_bytes(tmp_path: Path) -> None:
    for name in ("b.txt", "B.txt", "a/z.txt", "a/y.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert [entry.path for entry in entries(tree(tmp_path))] == ["B.txt", "a", "b.txt", "a/y.txt", "a/z.txt"]


def test_links_are_noted_and_never_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("no")
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").symlink_to("../outside/secret")
    (source / "folder").symlink_to("../outside")
    store = tree(source)
    found = {entry.path: entry for entry in entries(store)}
    assert set(found) == {"file", "folder"}
    assert {entry.kind for entry in found.values()} == {"link"}
    assert found["file"].link_target == "../outside/secret"
    with pytest.raises(ParseError):
        store.file(found["file"])
    forged = Entry("x", "x", size=2, ref={"host": b"folder/secret".hex()})
    with pytest.raises(ParseError, match="link"):
        store.open_entry(forged)
    climbing = Entry("x", "x", size=2, ref={"host": b"../outside/secret".hex()})
    with pytest.raises(ParseError, match="leads out"):
        store.open_entry(climbing)


def test_names_that_do_not_decode_are_shown_and_kept_raw(tmp_path: Path) -> None:
    with open(os.path.join(os.fsencode(tmp_path), b"caf\xe9.txt"), "wb") as stream:
        stream.write(b"x")
    store = tree(tmp_path)
    entry = entries(store)[0]
    assert entry.path == "caf\\xe9.txt"
    assert entry.path_raw == b"caf\xe9.txt".hex()
    assert store.file(entry).read() == b"x"
    assert store.find("caf\\xe9.txt") == entry


def test_special_files_are_listed_and_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    entry = entries(tree(tmp_path))[0]
    assert entry.kind == "other" and entry.attributes == {"special": "pipe"} and not entry.readable


def test_times_of_a_tree_are_the_collectors_and_date_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    os.utime(tmp_path / "a", ns=(1_600_000_000_000_000_000, 1_600_000_000_000_000_000))
    locator, record = entry_record(entries(tree(tmp_path))[0])
    assert set(record.times) == {"modified"}
    assert record.times["modified"]["owner"] == "collector"
    assert record.time_field is None
    assert locator == {"kind": "path", "path": "a"}


def test_too_many_entries_and_too_deep_folders_end_in_a_gap(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number:02d}").write_text("")
    reasons = [found.reason for found in tree(tmp_path, Limits(max_members=5)).entries() if isinstance(found, Gap)]
    assert reasons == ["too_large"]
    (tmp_path / "a/b/c/d").mkdir(parents=True)
    reasons = [found.reason for found in tree(tmp_path, Limits(max_folders_deep=2)).entries() if isinstance(found, Gap)]
    assert reasons == ["depth"]


def test_a_file_of_a_store_is_an_evidence_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    store = tree(tmp_path)
    file = store.file(entries(store)[0])
    assert isinstance(file, EvidenceFile)
    with pytest.raises(ParseError) as caught:
        file.read(3)
    assert caught.value.reason == "too_large"


def test_the_manifest_hash_depends_on_names_and_content_alone(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder / "sub").mkdir(parents=True)
        (tmp_path / folder / "sub" / "f").write_text("content")
    os.utime(tmp_path / "two/sub/f", (1, 1))
    first = hash_source(SourceSpec("a", tmp_path / "one", "tree"))
    second = hash_source(SourceSpec("b", tmp_path / "two", "tree"))
    assert first == second and first["files"] == 1 and first["bytes"] == 7
    (tmp_path / "two/sub/f").write_text("Content")
    assert hash_source(SourceSpec("b", tmp_path / "two", "tree"))["manifest_sha256"] != first["manifest_sha256"]


def test_a_single_file_source_is_a_folder_with_that_file(tmp_path: Path) -> None:
    (tmp_path / "History").write_bytes(b"main")
    (tmp_path / "History-wal").write_bytes(b"wal")
    source = open_source(SourceSpec("src-1", tmp_path / "History"))
    store = source.open_store("")
    assert [entry.path for entry in entries(store)] == ["History"]
    sibling = store.file(entries(store)[0]).sibling("History-wal")
    assert sibling is not None and sibling.read() == b"wal"
    assert source.expand(store.file(entries(store)[0]), b"main") is None
    found = hash_source(SourceSpec("src-1", tmp_path / "History"))
    assert found["container_sha256"] == hashlib.sha256(b"main").hexdigest() and found["kind"] == "file"


def test_a_stream_is_hashed_in_one_pass(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    with (tmp_path / "a").open("rb") as stream:
        found = hash_stream(stream)
    assert found["md5"] == hashlib.md5(b"x" * 3_000_000).hexdigest() and found["size"] == 3_000_000
