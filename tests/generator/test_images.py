"""Images, archives and pictures, read back by other readers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import exifread
import pytest
import pytsk3
import pyzipper

from wigmore.generator.archive.zip_password import Member, zip_archive
from wigmore.generator.image.fat import FIRST_SECTOR, FatVolume
from wigmore.generator.image.iso import IsoImage
from wigmore.generator.media.exif_jpeg import Shot, decimal, jpeg

WHEN = datetime(2025, 3, 4, 5, 6, 8)
DELETED = b"written and deleted\r\n" * 400


def walk(system: pytsk3.FS_Info, folder: pytsk3.Directory, prefix: str = "") -> Iterator[tuple[str, pytsk3.File]]:
    for entry in folder:
        name = entry.info.name.name.decode()
        if name in (".", "..") or name.startswith("$") or not entry.info.meta:
            continue
        yield prefix + name, entry
        if entry.info.meta.type == pytsk3.TSK_FS_META_TYPE_DIR:
            yield from walk(system, entry.as_directory(), f"{prefix}{name}/")


def files(path: Path, offset: int = 0) -> dict[str, pytsk3.File]:
    system = pytsk3.FS_Info(pytsk3.Img_Info(str(path)), offset=offset)
    return dict(walk(system, system.open_dir("/")))


@pytest.mark.parametrize("partitioned", [False, True])
def test_a_fat_volume_keeps_names_content_times_and_deleted_files(partitioned: bool, tmp_path: Path) -> None:
    volume = FatVolume("TRANSFER", 0xABCD1234, WHEN, partitioned=partitioned)
    volume.add("early.txt", b"e" * 5000, WHEN, WHEN, WHEN)
    volume.add("work/A long name, rev D.step", b"x" * 40_000, WHEN, WHEN.replace(year=2024), WHEN)
    for number in range(70):  # the folder outgrows its first cluster
        volume.add(f"work/another file {number:02d}.txt", b"%d" % number, WHEN, WHEN, WHEN)
    volume.add("work/secret list.csv", DELETED, WHEN, WHEN, WHEN)
    volume.delete("work/secret list.csv")
    volume.delete("early.txt")
    volume.add("cover.txt", b"c" * 3000, WHEN, WHEN, WHEN, reuse=True)
    image = tmp_path / "stick.img"
    image.write_bytes(volume.to_bytes())
    found = files(image, FIRST_SECTOR * 512 if partitioned else 0)
    long = found["work/A long name, rev D.step"]
    assert long.read_random(0, long.info.meta.size) == b"x" * 40_000
    assert long.info.meta.crtime - long.info.meta.mtime == 365 * 86_400
    assert "work/another file 69.txt" in found
    secret = found["work/secret list.csv"]
    assert int(secret.info.meta.flags) & int(pytsk3.TSK_FS_META_FLAG_UNALLOC)
    assert secret.read_random(0, secret.info.meta.size) == DELETED
    early = next(entry for name, entry in found.items() if name.endswith("arly.txt"))
    assert early.read_random(0, 2048) == b"c" * 2048  # its clusters were given away


def test_a_partition_table_points_at_the_volume(tmp_path: Path) -> None:
    image = tmp_path / "stick.img"
    image.write_bytes(FatVolume("X", 1, WHEN).to_bytes())
    parts = [part for part in pytsk3.Volume_Info(pytsk3.Img_Info(str(image))) if b"FAT16" in part.desc]
    assert [part.start for part in parts] == [FIRST_SECTOR]


def test_an_iso_image_shows_joliet_names_and_content(tmp_path: Path) -> None:
    disc = IsoImage("HANDOVER", WHEN, 120, "writer")
    disc.add("Docs/Open points for my successor.txt", b"hello" * 1000, WHEN)
    disc.add("Docs/Deep er/a.b.c.pdf", b"pdf", WHEN)
    disc.add("empty.txt", b"", WHEN)
    image = tmp_path / "disc.iso"
    image.write_bytes(disc.to_bytes())
    found = files(image)
    points = found["Docs/Open points for my successor.txt"]
    assert points.read_random(0, points.info.meta.size) == b"hello" * 1000
    assert found["Docs/Deep er/a.b.c.pdf"].read_random(0, 3) == b"pdf"
    assert found["empty.txt"].info.meta.size == 0


@pytest.mark.parametrize("strong", [False, True])
def test_a_password_archive_opens_with_its_password_only(strong: bool) -> None:
    content = zip_archive([Member("a/x.step", b"abc" * 999, WHEN), Member("ü.txt", b"hi", WHEN)], "harbor12", strong)
    with pyzipper.AESZipFile(io.BytesIO(content)) as archive:
        archive.setpassword(b"harbor12")
        assert archive.read("a/x.step") == b"abc" * 999
        assert archive.read("ü.txt") == b"hi"
        assert archive.getinfo("a/x.step").date_time == (2025, 3, 4, 5, 6, 8)
        archive.setpassword(b"wrong")
        with pytest.raises(RuntimeError):
            archive.read("a/x.step")
    assert content == zip_archive(
        [Member("a/x.step", b"abc" * 999, WHEN), Member("ü.txt", b"hi", WHEN)], "harbor12", strong
    )


def test_an_archive_without_password_is_plain() -> None:
    with zipfile.ZipFile(io.BytesIO(zip_archive([Member("a.txt", b"plain", WHEN)]))) as archive:
        assert archive.testzip() is None
        assert archive.read("a.txt") == b"plain"


def test_a_picture_carries_camera_time_and_place() -> None:
    shot = Shot(WHEN, "Apple", "iPhone 12", (40, 42, 45), (74, 0, 18), west=True, fix_utc=WHEN)
    tags = {name: str(tag) for name, tag in exifread.process_file(io.BytesIO(jpeg(shot, "a"))).items()}
    assert tags["EXIF DateTimeOriginal"] == "2025:03:04 05:06:08"
    assert (tags["Image Make"], tags["Image Model"]) == ("Apple", "iPhone 12")
    assert (tags["GPS GPSLatitude"], tags["GPS GPSLongitudeRef"]) == ("[40, 42, 45]", "W")
    assert (decimal((40, 42, 45)), decimal((74, 0, 18), True)) == ("40.7125", "-74.005")


def test_a_stripped_picture_carries_nothing() -> None:
    assert not exifread.process_file(io.BytesIO(jpeg(None, "a")))
