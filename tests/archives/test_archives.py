"""Archives are listed and read as they are, and hostile ones cost little and lead nowhere."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
import tarfile
import warnings
import zipfile
import zlib
from pathlib import Path

import pytest

from wigmore.evidence.archives import archive_kind, open_archive
from wigmore.evidence.local import LocalFile
from wigmore.evidence.store import Entry, Limits, Store
from wigmore.model.protocols import Gap, ParseError

TEXT = b"".join(b"line %d of some evidence\n" % number for number in range(2000))


def store(
    tmp_path: Path, content: bytes, name: str = "a.bin", secrets: tuple[str, ...] = (), limits: Limits | None = None
) -> Store:
    path = tmp_path / name
    path.write_bytes(content)
    return open_archive(LocalFile.at(path), name, limits or Limits(), secrets)


def listed(opened: Store) -> tuple[dict[str, Entry], list[Gap]]:
    entries, gaps = {}, []
    for item in opened.entries():
        if isinstance(item, Gap):
            gaps.append(item)
        else:
            entries[item.path] = item
    return entries, gaps


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(members: dict[str, bytes], form: int = tarfile.PAX_FORMAT, modified: float = 1_700_000_000.5) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(content), modified, 0o640
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "method",
    [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA],
    ids=["stored", "deflate", "bzip2", "lzma"],
)
def test_zip_members_are_read_with_every_common_method(tmp_path: Path, method: int) -> None:
    opened = store(tmp_path, zipped({"folder/a.txt": TEXT, "b.txt": b""}, method), "x.zip")
    entries, gaps = listed(opened)
    assert not gaps
    assert opened.file(entries["x.zip/folder/a.txt"]).read() == TEXT
    assert opened.file(entries["x.zip/b.txt"]).read() == b""
    with opened.file(entries["x.zip/folder/a.txt"]).open() as stream:
        stream.seek(1000)
        assert stream.read(20) == TEXT[1000:1020]
        stream.seek(3)
        assert stream.read(5) == TEXT[3:8]


def test_dos_times_stay_local_and_extended_ones_are_utc(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("a.txt", (2020, 5, 17, 10, 30, 8))
    other = zipfile.ZipInfo("b.txt", (2020, 5, 17, 10, 30, 8))
    other.extra = struct.pack("<HHBI", 0x5455, 5, 1, 1_589_700_608)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, b"x")
        archive.writestr(other, b"y")
    entries, _ = listed(store(tmp_path, buffer.getvalue(), "x.zip"))
    plain, extended = entries["x.zip/a.txt"].times["modified"], entries["x.zip/b.txt"].times["modified"]
    assert (plain["text"], plain["instant"], plain["owner"]) == ("2020-05-17T10:30:08", None, "collector")
    assert extended["text"] == "2020-05-17T07:30:08Z"
    assert entries["x.zip/b.txt"].times["modified_dos"]["zone"] == "local-unknown"


@pytest.mark.parametrize(
    "form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT], ids=["ustar", "gnu", "pax"]
)
def test_tar_members_are_read_in_every_form(tmp_path: Path, form: int) -> None:
    long_name = "/".join(["folder" * 3] * 5) + "/" + "n" * 60
    opened = store(tmp_path, tarred({"a.txt": TEXT, long_name: b"long"}, form), "x.tar")
    entries, gaps = listed(opened)
    assert not gaps
    assert opened.file(entries["x.tar/a.txt"]).read() == TEXT
    assert opened.file(entries[f"x.tar/{long_name}"]).read() == b"long"
    time = entries["x.tar/a.txt"].times["modified"]
    assert time["text"].startswith("2023-11-14T22:13:20") and time["zone"] == "Z" and time["owner"] == "collector"
    assert entries["x.tar/a.txt"].attributes["mode"] == "0640"


def test_tar_links_are_noted_and_never_followed(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind, target in (("s", tarfile.SYMTYPE, "/etc/passwd"), ("h", tarfile.LNKTYPE, "../../outside")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            archive.addfile(info)
    opened = store(tmp_path, buffer.getvalue(), "x.tar")
    entries, _ = listed(opened)
    assert (entries["x.tar/s"].kind, entries["x.tar/s"].link_target) == ("link", "/etc/passwd")
    assert (entries["x.tar/h"].kind, entries["x.tar/h"].link_target) == ("link", "../../outside")
    with pytest.raises(ParseError):
        opened.file(entries["x.tar/s"])


def test_old_gnu_sparse_members_show_their_holes_as_zeros(tmp_path: Path) -> None:
    head = bytearray(512)
    head[0:6] = b"sparse"
    for at, width, value in ((100, 8, 0o644), (108, 8, 0), (116, 8, 0), (124, 12, 512), (136, 12, 1)):
        head[at : at + width] = b"%0*o\0" % (width - 1, value)
    head[156:157], head[257:265] = b"S", b"ustar  \0"
    head[386:410] = b"%011o\0%011o\0" % (1024, 512)
    head[483:495] = b"%011o\0" % 2048
    head[148:156] = b"        "
    head[148:156] = b"%06o\0 " % sum(head)
    opened = store(tmp_path, bytes(head) + b"D" * 512 + bytes(1024), "x.tar")
    entries, gaps = listed(opened)
    assert not gaps
    assert opened.file(entries["x.tar/sparse"]).read() == bytes(1024) + b"D" * 512 + bytes(512)


def test_a_damaged_tar_header_is_skipped_and_said_so(tmp_path: Path) -> None:
    content = bytearray(tarred({"a": TEXT, "b": b"second", "c": b"third"}, tarfile.USTAR_FORMAT))
    second = content.index(b"b\0\0\0", 512)
    content[second] = ord("X")
    entries, gaps = listed(store(tmp_path, bytes(content), "x.tar"))
    assert set(entries) == {"x.tar/a", "x.tar/c"}
    assert len(gaps) == 1 and "damaged header" in gaps[0].message


@pytest.mark.parametrize(
    ("name", "pack"), [("t.tar.gz", gzip.compress), ("t.tar.bz2", bz2.compress), ("t.tar.xz", lzma.compress)]
)
def test_a_compressed_stream_holds_one_member_of_known_size(tmp_path: Path, name: str, pack: object) -> None:
    assert callable(pack)
    opened = store(tmp_path, pack(TEXT) + pack(TEXT), name)
    entries, gaps = listed(opened)
    assert not gaps and list(entries) == [f"{name}/t.tar"]
    file = opened.file(entries[f"{name}/t.tar"])
    assert file.size == 2 * len(TEXT) and file.read() == TEXT * 2


def test_zstandard_streams_are_read(tmp_path: Path) -> None:
    import zstandard

    frame = zstandard.ZstdCompressor().compress(TEXT)
    skippable = b"\x50\x2a\x4d\x18" + struct.pack("<I", 4) + b"note"
    opened = store(tmp_path, skippable + frame + frame, "log.zst")
    entries, gaps = listed(opened)
    assert not gaps and opened.file(entries["log.zst/log"]).read() == TEXT * 2


def test_a_truncated_stream_gives_what_stands_before_the_damage(tmp_path: Path) -> None:
    content = random.Random(1).randbytes(200_000)
    opened = store(tmp_path, gzip.compress(content)[:100_000], "x.gz")
    entries, gaps = listed(opened)
    entry = entries["x.gz/x"]
    assert [gap.reason for gap in gaps] == ["truncated"] and entry.attributes["complete"] is False
    assert 0 < entry.size < 200_000 and opened.file(entry).read() == content[: entry.size]


def test_an_android_backup_is_a_compressed_tar(tmp_path: Path) -> None:
    inner = tarred({"apps/com.example/_manifest": b"1"})
    opened = store(tmp_path, b"ANDROID BACKUP\n5\n1\nnone\n" + zlib.compress(inner), "b.ab")
    entries, gaps = listed(opened)
    assert not gaps and opened.file(entries["b.ab/b.tar"]).read() == inner
    locked = store(tmp_path, b"ANDROID BACKUP\n5\n1\nAES-256\nABCD\n", "c.ab")
    assert [gap.reason for gap in listed(locked)[1]] == ["locked"]


@pytest.mark.parametrize("solid", [True])
def test_7z_members_are_read_in_any_order(tmp_path: Path, solid: bool) -> None:
    import py7zr

    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w") as archive:
        for number in range(4):
            archive.writestr(TEXT[number:], f"d/{number}.txt")
    opened = store(tmp_path, buffer.getvalue(), "x.7z")
    entries, gaps = listed(opened)
    assert not gaps and len(entries) == 4
    for number in (2, 0, 3, 1, 1):
        assert opened.file(entries[f"x.7z/d/{number}.txt"]).read() == TEXT[number:]


def test_encrypted_7z_needs_its_password(tmp_path: Path) -> None:
    import py7zr

    for hidden in (False, True):
        buffer = io.BytesIO()
        with py7zr.SevenZipFile(buffer, "w", password="geheim", header_encryption=hidden) as archive:
            archive.writestr(TEXT, "a.txt")
        closed = store(tmp_path, buffer.getvalue(), "x.7z")
        entries, gaps = listed(closed)
        assert [gap.reason for gap in gaps] == ["locked"]
        assert bool(entries) is not hidden
        data = closed.records[0][1].data  # type: ignore[attr-defined]
        assert data["encrypted"] and data["names_encrypted"] is hidden and data["needs"] == "a password"
        for entry in entries.values():
            with pytest.raises(ParseError) as error:
                closed.file(entry).read()
            assert error.value.reason == "locked"
        opened = store(tmp_path, buffer.getvalue(), "x.7z", secrets=("wrong", "geheim"))
        entries, gaps = listed(opened)
        assert not gaps and opened.file(entries["x.7z/a.txt"]).read() == TEXT


def test_encrypted_zip_members_need_their_password(tmp_path: Path) -> None:
    import pyzipper

    buffer = io.BytesIO()
    with pyzipper.AESZipFile(buffer, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword("schlüssel".encode())
        archive.writestr("a.txt", TEXT)
    closed = store(tmp_path, buffer.getvalue(), "x.zip")
    entries, gaps = listed(closed)
    entry = entries["x.zip/a.txt"]
    assert entry.attributes["encrypted"] and entry.attributes["encryption"] == "AES-256"
    assert [gap.reason for gap in gaps] == ["locked"]
    with pytest.raises(ParseError, match="needs its password") as error:
        closed.file(entry).read()
    assert error.value.reason == "locked"
    opened = store(tmp_path, buffer.getvalue(), "x.zip", secrets=("wrong", "schlüssel"))
    entries, gaps = listed(opened)
    assert not gaps and opened.file(entries["x.zip/a.txt"]).read() == TEXT


@pytest.mark.parametrize(
    ("name", "path", "oddity"),
    [
        ("../../etc/passwd", "\\x2e\\x2e/\\x2e\\x2e/etc/passwd", "parent folder"),
        ("/etc/passwd", "etc/passwd", "absolute"),
        ("C:/Windows/x", "C\\x3a/Windows/x", "drive letter"),
        ("a\\..\\b", "a/\\x2e\\x2e/b", "backslashes"),
    ],
)
def test_names_that_lead_outside_are_neutralised_and_kept(tmp_path: Path, name: str, path: str, oddity: str) -> None:
    info = zipfile.ZipInfo("placeholder")
    info.filename, info.create_system = name, 0
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, b"x")
    entries, _ = listed(store(tmp_path, buffer.getvalue(), "x.zip"))
    entry = entries[f"x.zip/{path}"]
    assert entry.attributes["name_in_archive"] == name
    assert oddity in entry.attributes["name_oddities"]


def test_names_that_are_no_text_keep_their_bytes(tmp_path: Path) -> None:
    content = tarred({"PLACE": b"x"}, tarfile.USTAR_FORMAT).replace(b"PLACE", b"n\xe4m\xff!", 1)
    block = bytearray(content[:512])
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    entries, _ = listed(store(tmp_path, bytes(block) + content[512:], "x.tar"))
    (entry,) = entries.values()
    assert entry.path == "x.tar/n\\xe4m\\xff!" and entry.path_raw == b"n\xe4m\xff!".hex()


def test_members_of_one_name_differ_by_their_number(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("a.txt", b"first")
        archive.writestr("a.txt", b"second")
    opened = store(tmp_path, buffer.getvalue(), "x.zip")
    entries = [item for item in opened.entries() if isinstance(item, Entry)]
    assert [entry.inode for entry in entries] == ["0", "1"]
    assert [opened.file(entry).read() for entry in entries] == [b"first", b"second"]


def test_folders_that_are_no_members_are_found_and_siblings_too(tmp_path: Path) -> None:
    opened = store(tmp_path, zipped({"a/b/x.db": b"1", "a/b/x.db-wal": b"2"}), "x.zip")
    folder = opened.find("x.zip/a/b")
    assert folder is not None and folder.kind == "directory"
    assert opened.find("x.zip/c") is None
    entry = opened.find("x.zip/a/b/x.db")
    assert entry is not None
    sibling = opened.file(entry).sibling("x.db-wal")
    assert sibling is not None and sibling.read() == b"2"
    with opened.file(entry).on_disk("x.db-wal") as path:
        assert path.read_bytes() == b"1" and path.with_name("x.db-wal").read_bytes() == b"2"


def test_a_zip_without_directory_is_read_from_its_own_headers(tmp_path: Path) -> None:
    content = zipped({"a.txt": TEXT, "b.txt": TEXT})
    cut = content[: content.index(b"PK\1\2") - 40]
    opened = store(tmp_path, cut, "x.zip")
    entries, gaps = listed(opened)
    assert gaps[0].reason == "truncated" and "no central directory" in gaps[0].message
    assert opened.file(entries["x.zip/a.txt"]).read() == TEXT
    with pytest.raises(ParseError):
        opened.file(entries["x.zip/b.txt"]).read()


def test_a_zip_behind_other_bytes_is_found(tmp_path: Path) -> None:
    opened = store(tmp_path, b"PK\3\4" + bytes(96) + zipped({"a.txt": TEXT}), "x.zip")
    entries, _ = listed(opened)
    assert opened.file(entries["x.zip/a.txt"]).read() == TEXT


def test_changed_content_is_not_given_as_whole(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.txt": TEXT}, zipfile.ZIP_STORED))
    content[content.index(b"line 1000 ")] ^= 1
    opened = store(tmp_path, bytes(content), "x.zip")
    entries, _ = listed(opened)
    with pytest.raises(ParseError, match="checksum"):
        opened.file(entries["x.zip/a.txt"]).read()


def test_overlapping_zip_members_are_not_unpacked(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.txt": TEXT, "b.txt": TEXT[:50]}))
    first = content.index(b"PK\1\2")
    (packed,) = struct.unpack_from("<I", content, first + 20)
    struct.pack_into("<I", content, first + 20, packed + 60)  # the first says that it reaches into the second
    entries, gaps = listed(store(tmp_path, bytes(content), "x.zip"))
    assert any("share bytes" in gap.message for gap in gaps)
    assert all("overlap" in entry.attributes for entry in entries.values())


def test_a_bomb_is_stopped_while_reading_and_the_rest_is_kept(tmp_path: Path) -> None:
    limits = Limits(max_member_bytes=3 * 1024 * 1024, max_total_bytes=4 * 1024 * 1024)
    opened = store(tmp_path, gzip.compress(bytes(10 * 1024 * 1024)), "x.gz", limits=limits)
    entries, gaps = listed(opened)
    assert [gap.reason for gap in gaps] == ["too_large"]
    assert 0 < entries["x.gz/x"].size <= limits.max_member_bytes
    opened = store(tmp_path, zipped({"a": bytes(10 * 1024 * 1024)}), "x.zip", limits=limits)
    entries, _ = listed(opened)
    with pytest.raises(ParseError) as error:
        opened.file(entries["x.zip/a"]).open()
    assert error.value.reason == "too_large"


def test_a_bomb_with_a_false_size_is_stopped(tmp_path: Path) -> None:
    content = bytearray(zipped({"a": bytes(5_000_000)}))
    for mark, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        struct.pack_into("<I", content, content.index(mark) + at, 100)
    opened = store(tmp_path, bytes(content), "x.zip")
    entries, _ = listed(opened)
    with pytest.raises(ParseError, match="more than the declared 100"):
        opened.file(entries["x.zip/a"]).read()


def test_the_ratio_of_a_bomb_is_limited(tmp_path: Path) -> None:
    opened = store(tmp_path, bz2.compress(bytes(80 * 1024 * 1024)), "x.bz2")
    entries, gaps = listed(opened)
    assert [gap.reason for gap in gaps] == ["too_large"] and "times as many" in gaps[0].message
    assert entries["x.bz2/x"].size <= 65 * 1024 * 1024


def test_absurd_sizes_are_noted_and_refused(tmp_path: Path) -> None:
    content = bytearray(tarred({"a": b"x"}, tarfile.GNU_FORMAT))
    content[124:136] = b"\x80" + (1 << 70).to_bytes(11, "big")
    content[148:156] = b"        "
    content[148:156] = b"%06o\0 " % sum(content[:512])
    opened = store(tmp_path, bytes(content), "x.tar")
    entries, gaps = listed(opened)
    assert gaps and entries["x.tar/a"].attributes["declared_size"] == str(1 << 70)
    with pytest.raises(ParseError) as error:
        opened.file(entries["x.tar/a"]).open()
    assert error.value.reason == "too_large"


def test_member_counts_are_limited(tmp_path: Path) -> None:
    content = zipped({f"f{number}": b"" for number in range(50)})
    entries, gaps = listed(store(tmp_path, content, "x.zip", limits=Limits(max_members=10)))
    assert len(entries) == 10 and gaps[-1].reason == "too_large"


def test_formats_that_are_not_read_say_what_reads_them(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="cabextract") as error:
        store(tmp_path, b"MSCF\0\0\0\0" + bytes(64), "x.cab")
    assert error.value.reason == "unsupported"


def test_kinds_are_told_by_content_not_by_name() -> None:
    assert archive_kind(zipped({"a": b""}), "photo.jpg") == "zip"
    assert archive_kind(tarred({"a": b""}), "x") == "tar"
    assert archive_kind(b"BZh is how a text may begin", "x.bz2") is None
    assert archive_kind(bytes(1024), "x.tar") is None
    assert archive_kind(b"", "x.zip") is None


@pytest.mark.parametrize("seed", range(4))
def test_damaged_archives_end_with_entries_or_reasons(tmp_path: Path, seed: int) -> None:
    import py7zr

    randomly = random.Random(seed)
    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w") as archive:
        archive.writestr(TEXT, "a.txt")
    seeds = (
        zipped({"a": TEXT, "b": b"x"}),
        tarred({"a": TEXT}),
        gzip.compress(TEXT),
        lzma.compress(TEXT),
        buffer.getvalue(),
    )
    for original in seeds:
        for _ in range(12):
            content = bytearray(original)
            for _ in range(randomly.choice((1, 3, 9))):
                content[randomly.randrange(len(content))] = randomly.randrange(256)
            if randomly.random() < 0.4:
                del content[randomly.randrange(20, len(content)) :]
            try:
                opened = store(tmp_path, bytes(content), "x.bin")
                for entry in listed(opened)[0].values():
                    if entry.readable:
                        try:
                            assert len(opened.file(entry).read()) <= max(entry.size, 0)
                        except ParseError as error:
                            assert error.reason
            except ParseError as error:
                assert error.reason


def test_shared_hostile_archives_end_quickly_and_say_why(shared_evidence: Path) -> None:
    folder = shared_evidence / "hostile" / "archives"
    if not folder.is_dir():
        pytest.skip("the shared hostile archives are not here")
    for path in sorted(folder.iterdir()):
        with path.open("rb") as stream:
            head = stream.read(8192)
        if archive_kind(head, path.name) is None:
            continue
        try:
            entries, gaps = listed(open_archive(LocalFile.at(path), path.name, Limits()))
        except ParseError as error:
            assert error.reason in ("damaged", "unsupported", "truncated")
        else:
            assert entries or gaps


def test_shared_encrypted_archives_tell_what_they_need(shared_evidence: Path) -> None:
    folder = shared_evidence / "encrypted" / "archives"
    if not folder.is_dir():
        pytest.skip("the shared encrypted archives are not here")
    for path in sorted(folder.iterdir()):
        opened = open_archive(LocalFile.at(path), path.name, Limits())
        assert opened.needs and opened.records[0][1].data["encrypted"]
        assert "locked" in {gap.reason for gap in listed(opened)[1]}
