"""AFF4 images: streams, maps, stored hashes, what is missing, and damage."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest
from aff4_builder import DEFLATE, IMAGE, LZ4, SNAPPY, STREAM, volume
from evidence_builders import Fat16, mbr

from wigmore.evidence.hashing import hash_source
from wigmore.evidence.recognise import recognise
from wigmore.evidence.source import Expansion, Source, SourceSpec, open_source
from wigmore.evidence.turtle import TYPE, Broken, read
from wigmore.formats import snappy

ZERO, UNREADABLE = "http://aff4.org/Schema#Zero", "http://aff4.org/Schema#UnreadableData"


def disk() -> bytes:
    fat = Fat16()
    fat.file(b"HELLO   TXT", b"hello world")
    return mbr(bytes(fat.data))


def opened(path: Path) -> tuple[Source, Expansion]:
    source = open_source(SourceSpec("src-1", path, "image"))
    store = source.open_store("")
    file = store.file(store.find(path.name))  # type: ignore[arg-type]  # it is there
    with file.open() as stream:
        expansion = source.expand(file, stream.read(65536))
    assert expansion is not None
    return source, expansion


@pytest.mark.parametrize("method", ["", SNAPPY, LZ4, DEFLATE], ids=["stored", "snappy", "lz4", "deflate"])
def test_an_image_stream_is_read_and_its_stored_hash_verified(tmp_path: Path, method: str) -> None:
    media = disk()
    about = f'aff4:hash "{hashlib.md5(media).hexdigest()}"^^aff4:MD5 , "{hashlib.sha1(media).hexdigest()}"^^aff4:SHA1 ;'
    path = tmp_path / "disk.aff4"
    path.write_bytes(volume(media, method, about=about))
    source, expansion = opened(path)
    assert expansion.kind == "AFF4" and expansion.prefixes == ("disk.aff4/p1",) and expansion.gaps == ()
    assert source.file_at("disk.aff4/p1/HELLO.TXT").read() == b"hello world"
    data = expansion.records[0][1].data
    assert data["container"] == "AFF4" and data["image"] == IMAGE and data["media_size"] == len(media)
    assert data["acquisition"]["diskSerial"] == 'S "1"' and data["stored_sha1"] == hashlib.sha1(media).hexdigest()
    with source.media("disk.aff4") as stream:
        assert hashlib.sha256(stream.read()).digest() == hashlib.sha256(media).digest()
    assert hash_source(SourceSpec("src-1", path, "image"))["stored_ok"] is True
    assert recognise(path).type == "disk_image"


def test_a_volume_without_its_description_member_is_known_by_its_comment(tmp_path: Path) -> None:
    path = tmp_path / "disk.aff4"
    path.write_bytes(volume(disk(), description=False).replace(b"version.txt", b"aversion.tx"))
    assert opened(path)[1].kind == "AFF4"


def test_a_map_puts_pieces_holes_and_unreadable_sectors_together(tmp_path: Path) -> None:
    media = disk()
    half = len(media) // 2 // 4096 * 4096
    pieces = [
        (half, 4096, half, 0),
        (0, half, 0, 0),
        (half + 4096, 8192, 0, 2),
        (half + 16384, len(media) - half - 16384, half + 16384, 0),
    ]
    path = tmp_path / "disk.aff4"
    path.write_bytes(volume(media, SNAPPY, pieces=pieces, targets=(STREAM, ZERO, UNREADABLE), size=len(media)))
    source, expansion = opened(path)
    with source.media("disk.aff4") as stream:
        whole = stream.read()
    assert whole[: half + 4096] == media[: half + 4096] and whole[half + 16384 :] == media[half + 16384 :]
    assert whole[half + 4096 :].startswith(b"UNREADABLEDATA" * 2)
    assert set(whole[half + 4096 : half + 12288]) == set(b"UNREADABLEDATA")
    assert whole[half + 12288 : half + 16384] == bytes(4096)  # between the pieces
    sector = (half + 4096) // 512
    assert [gap.message for gap in expansion.gaps] == [f"unreadable when acquired, sectors (first+count): {sector}+16"]


def test_what_lies_in_another_volume_is_said_and_not_made_up(tmp_path: Path) -> None:
    media, other = disk(), "aff4://00000000-0000-0000-0000-000000000001"
    pieces = [(0, 2097152, 0, 0), (2097152, len(media) - 2097152, 0, 1)]
    path = tmp_path / "disk.aff4"
    path.write_bytes(volume(media, pieces=pieces, targets=(STREAM, other), size=len(media)))
    source, expansion = opened(path)
    assert [(gap.reason, other in gap.message) for gap in expansion.gaps] == [("not_in_acquisition", True)]
    with source.media("disk.aff4") as stream:
        assert stream.read(4096) == media[:4096]
        stream.seek(2097152)
        with pytest.raises(OSError, match="not in this volume"):
            stream.read(4096)


def test_a_logical_volume_stays_a_zip_of_its_files(tmp_path: Path) -> None:
    path = tmp_path / "files.aff4"
    path.write_bytes(volume(b"content", about="").replace(b"aff4:dataStream", b"aff4:dataStreem"))
    assert opened(path)[1].kind == "zip"


@pytest.mark.parametrize("number", range(5))
def test_damaged_volumes_are_gaps_or_errors_never_crashes(tmp_path: Path, number: int) -> None:
    raw, draws = bytearray(volume(disk()[:400_000], SNAPPY, pieces=[(0, 400_000, 0, 0)])), random.Random(number)
    for _ in range(60):
        raw[draws.randrange(len(raw) // 2 if number else 0, len(raw))] = draws.randrange(256)
    path = tmp_path / "m.aff4"
    path.write_bytes(bytes(raw))
    source, expansion = opened(path)
    assert expansion.kind in ("AFF4", "zip") and (expansion.gaps or expansion.prefixes or expansion.records)
    if expansion.kind == "AFF4" and expansion.prefixes:
        with source.media("m.aff4") as stream:
            try:
                assert len(stream.read()) == 400_000
            except OSError as error:
                assert str(error)


def test_turtle_reads_prefixes_lists_types_and_steps_over_blank_nodes() -> None:
    found = read(
        '@prefix a: <http://x/> .\n<s> a a:T, a:U; a:p 5 ; a:q "l\\n"^^a:d , [ a:z 1 ] ; a:r <o>.\n<t> a:p "x"@en .'
    )
    assert found["s"].all(TYPE) == ["http://x/T", "http://x/U"] and found["s"].number("http://x/p") == 5
    assert found["s"].said["http://x/q"] == [("l\n", "http://x/d")] and found["s"].one("http://x/r") == "o"
    assert found["t"].one("http://x/p") == "x"
    for text in ("<s> a ", '"x" a <b> .', '<s> <p> "open', "@prefix a: b ."):
        with pytest.raises(Broken):
            read(text)


def test_a_snappy_block_copies_and_refuses_what_cannot_be() -> None:
    assert snappy.decompress(b"\x0a\x04ab\x1e\x02\x00", 100) == b"ababababab"
    for raw in (b"\x0a\x04ab\x1e\x09\x00", b"\x05\x04ab", b"\xff\xff\xff\xff\xff", b"\x02\xfc", b"\x7f"):
        with pytest.raises(snappy.Broken):
            snappy.decompress(raw, 100)
