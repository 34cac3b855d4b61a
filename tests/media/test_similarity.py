"""Difference hashes: alike pictures in few bits, thumbnails that show something else, damage that is said."""

from __future__ import annotations

import io
import random

import pytest
from PIL import Image

import wigmore.artifacts.media.pictures  # noqa: F401  # registers the parser
from wigmore.artifacts.media.similarity import dhash, distance, likeness


def scene(seed: int, size: tuple[int, int] = (640, 480)) -> Image.Image:
    draw = random.Random(seed)
    small = Image.frombytes("RGB", (12, 9), bytes(draw.randrange(256) for _ in range(12 * 9 * 3)))
    return small.resize(size, Image.Resampling.BICUBIC)


def saved(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def looks(content: bytes, kind: str = "jpeg", embedded: bytes | None = None) -> dict[str, object]:
    return likeness(io.BytesIO(content), kind, 1 << 24, embedded)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF"])
def test_a_picture_in_another_size_and_format_differs_in_few_bits(kind: str) -> None:
    one = dhash(scene(1))
    other = str(looks(saved(scene(1).resize((300, 225)), kind), kind.lower())["dhash"])
    assert distance(one, other) <= 6 and distance(one, dhash(scene(2))) > 14


def test_heif_is_hashed_as_well() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    out = io.BytesIO()
    pillow_heif.from_pillow(scene(1)).save(out, quality=60)
    assert distance(str(looks(out.getvalue(), "heif")["dhash"]), dhash(scene(1))) <= 6


def test_a_thumbnail_of_the_same_picture_does_not_differ_even_between_bars() -> None:
    wide = scene(3, (900, 500))
    barred = Image.new("RGB", (160, 120))
    barred.paste(wide.resize((160, 89)), (0, 15))
    found = looks(saved(wide), embedded=saved(barred))
    assert found["thumbnail_differs"] is False and int(str(found["thumbnail_distance"])) <= 8


def test_a_thumbnail_of_another_picture_differs() -> None:
    found = looks(saved(scene(4)), embedded=saved(scene(5, (160, 120))))
    assert found["thumbnail_differs"] is True and found["thumbnail_dhash"] != found["dhash"]


def test_the_record_of_a_picture_carries_hash_and_thumbnail(make, read) -> None:
    exif = Image.Exif()
    exif[0x10F] = "Acme"
    records, gaps = read(make(saved(scene(6), exif=exif), "a.jpg"), "media.exif")
    assert gaps == [] and len(records[0][1].data["dhash"]) == 16 and records[0][1].data["make"] == "Acme"


@pytest.mark.parametrize("seed", range(5))
def test_damage_is_said_and_the_rest_of_the_record_stays(seed: int, make, read) -> None:
    draw = random.Random(seed)
    content = bytearray(saved(scene(7), "PNG" if seed % 2 else "JPEG"))
    for _ in range(20):
        content[draw.randrange(20, len(content))] = draw.randrange(256)
    del content[draw.randrange(len(content) // 2, len(content)) :]
    records, _ = read(make(bytes(content), "a.bin"), "media.exif")
    assert len(records) == 1 and ("dhash" in records[0][1].data) != ("not_decoded" in records[0][1].data)


def test_a_picture_that_would_take_all_memory_is_not_decoded() -> None:
    head = saved(Image.new("L", (8, 8)), "PNG")
    bomb = head[:16] + (60_000).to_bytes(4, "big") * 2 + head[24:]
    assert "not_decoded" in looks(bomb, "png") and "dhash" not in looks(bomb, "png")


def test_a_broken_thumbnail_is_said() -> None:
    found = looks(saved(scene(8)), embedded=b"\xff\xd8\xff no picture")
    assert "thumbnail_not_decoded" in found and "thumbnail_differs" not in found
