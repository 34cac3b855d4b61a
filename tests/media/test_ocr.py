"""Text in pictures: drawn here and read again, where it stands; what is no candidate, too much or broken is said."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image, ImageDraw, ImageFont

from wigmore.artifacts.media import recognition
from wigmore.artifacts.media.ocr import likely
from wigmore.model.protocols import ParseError
from wigmore.registry import parsers

LINES = ("Meet me at Pier 39", "Invoice 2026-00417", "https://example.org/a")


def drawn(lines=LINES, size=(640, 240), letters=36, **colours: str) -> Image.Image:
    picture = Image.new("RGB", size, colours.get("paper", "white"))
    draw = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        place = (20, 15 + int(number * letters * 1.8))
        draw.text(place, line, font=ImageFont.load_default(letters), fill=colours.get("ink", "black"))
    return picture


def saved(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


@pytest.fixture
def engine() -> str:
    """The engine that is installed."""
    try:
        return recognition.engine()
    except recognition.NotInstalled as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    ("picture", "kind"),
    [
        (drawn(), "PNG"),
        (drawn(paper="#222222", ink="#dddddd"), "WEBP"),
        (drawn().rotate(180), "JPEG"),
        (drawn().convert("1"), "TIFF"),
    ],
    ids=["plain", "dark", "upside down", "fax"],
)
def test_each_line_is_read_with_confidence_and_place(engine: str, make, read, picture, kind) -> None:
    records, gaps = read(make(saved(picture, kind), "a.bin"), "media.ocr")
    assert gaps == [] and sorted(r.data["text"] for _, r in records) == sorted(LINES)
    for locator, record in records:
        assert record.data["engine"] == engine and 0.5 < record.data["confidence"] <= 1
        assert locator["kind"] == "region" and locator["page"] == 1
        assert 0 <= locator["x"] < locator["x"] + locator["width"] <= 640
        assert 0 <= locator["y"] < locator["y"] + locator["height"] <= 240
    if kind == "PNG":
        first = next(place for place, record in records if record.data["text"] == LINES[0])
        assert first["y"] < 60 and first["x"] < 30 and first["line"] == 1


def test_what_is_read_does_not_depend_on_what_was_read_before(engine: str) -> None:
    one, other = saved(drawn()), saved(drawn(("entirely", "other text"), letters=50))
    first = recognition.read_text(one, "png")
    recognition.read_text(other, "png")
    assert recognition.read_text(one, "png") == first and first is not recognition.read_text(one, "png")


def test_transparent_paper_is_laid_under_by_what_the_letters_stand_out_from(engine: str) -> None:
    for ink in ("white", "black"):
        clear = Image.new("RGBA", (500, 120), (0, 0, 0, 0))
        ImageDraw.Draw(clear).text((20, 30), "nothing behind", font=ImageFont.load_default(44), fill=ink)
        (page,) = recognition.read_text(saved(clear), "png")
        assert [line.text for line in page.lines] == ["nothing behind"]


def test_a_long_screenshot_is_read_in_pieces_and_each_line_once(engine: str, monkeypatch) -> None:
    monkeypatch.setattr(recognition, "LONG", 500)
    monkeypatch.setattr(recognition, "SHARED", 60)
    said = [f"message number {number}" for number in range(30)]
    long = drawn(said, (460, 1640), 30)
    assert [line.text for line in recognition._lines(long)[0]] == said
    monkeypatch.setattr(recognition, "PIECES", 2)
    some, left_out = recognition._lines(long)
    assert 0 < len(some) < 30 and left_out == "of 1640 pixels along it 760 are read"


def test_every_page_of_a_scan_is_read_up_to_the_bound(engine: str, make, read, monkeypatch) -> None:
    pages = [drawn((f"page {number} of the contract",)) for number in range(1, 4)]
    content = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    records, _ = read(make(content, "a.tif"), "media.ocr")
    assert [(r.data["page"], r.data["text"]) for _, r in records] == [
        (number, f"page {number} of the contract") for number in (1, 2, 3)
    ]
    monkeypatch.setattr(recognition, "PAGES", 2)
    recognition.read_text.cache_clear()
    records, gaps = read(make(content, "a.tif"), "media.ocr")
    assert len(records) == 2 and [g.message for g in gaps] == ["page 2: of 3 pages 2 are read for text"]


def test_a_picture_without_text_gives_no_record_and_a_broken_one_is_said(engine: str, make, read) -> None:
    assert read(make(saved(Image.effect_noise((400, 300), 90)), "a.png"), "media.ocr") == ([], [])
    whole = saved(drawn())
    with pytest.raises(ParseError) as caught:
        read(make(whole[: len(whole) // 2], "a.png"), "media.ocr")
    assert caught.value.reason == "damaged"


def test_a_picture_with_too_many_pixels_is_not_decoded(engine: str, make, read, monkeypatch) -> None:
    monkeypatch.setattr(recognition, "MOST_PIXELS", 10_000)
    with pytest.raises(ParseError, match="640 × 240 pixels are more than the 10000"):
        read(make(saved(drawn(("too", "many"))), "a.png"), "media.ocr")


def test_without_the_extra_each_picture_says_what_it_needs(make, read, monkeypatch) -> None:
    def absent(name: str) -> str:
        raise recognition.PackageNotFoundError(name)

    monkeypatch.setattr(recognition, "version", absent)
    with pytest.raises(ParseError, match=r"pip install 'wigmore\[ocr\]'") as caught:
        read(make(saved(drawn()), "a.png"), "media.ocr")
    assert caught.value.reason == "unsupported"


def test_a_model_that_is_missing_is_never_fetched(engine: str, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", SimpleNamespace(__file__=str(tmp_path / "__init__.py")))
    recognition._recogniser.cache_clear()
    with pytest.raises(recognition.NotInstalled, match=r"brings no PP-OCRv6_det_small\.onnx"):
        recognition._recogniser()


def test_pictures_likely_to_hold_text_are_chosen_by_content_and_place() -> None:
    claims = parsers()["media.ocr"].claims
    shot = saved(drawn())
    camera = Image.Exif()
    camera[0x10F] = "Acme"
    program = Image.Exif()
    program[0x131] = "A program"

    def chosen(content: bytes, path: str = "p1/Users/me/Pictures/a.png") -> bool:
        return claims(content[:8192], path, len(content))

    assert chosen(shot) and chosen(saved(drawn(), "JPEG")) and chosen(saved(drawn(), "GIF"))
    assert chosen(saved(drawn(), "JPEG", exif=program)) and not chosen(saved(drawn(), "JPEG", exif=camera))
    assert not chosen(saved(drawn(("OK",), (32, 32))))  # an icon
    assert not chosen(saved(Image.new("RGB", (100, 3100)))) and chosen(
        saved(drawn(size=(1080, 20_000)))
    )  # frames in a row
    for kind in ("PNG", "JPEG", "GIF"):
        assert not chosen(saved(Image.effect_noise((120, 90), 90).convert("RGB"), kind))
    for kept in ("Windows/Web/Wallpaper/a.png", "Program Files/Editor/help/a.png", "usr/share/icons/big/a.png",
                 "data/data/com.example/cache/a.png", "private/var/containers/Bundle/Application/X/Mail.app/a.png"):  # fmt: skip
        assert not chosen(shot, "p1/" + kept), kept
    for own in ("windows/a.png", "private/var/mobile/Library/SMS/Attachments/a.png", "home/me/Library/a.png"):
        assert chosen(shot, own), own
    assert not chosen(b"%PDF-1.7" + shot) and not likely(b"", "a", 0)


def test_the_engine_leaves_nothing_in_the_home_or_temporary_folder(engine: str, tmp_path: Path) -> None:
    places = {name: tmp_path / name for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    for folder in places.values():
        folder.mkdir()
    code = "from wigmore.artifacts.media import recognition; print(recognition.engine())"
    clean = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    environment = clean | {name: str(folder) for name, folder in places.items()}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == engine
    assert [str(p) for folder in places.values() for p in folder.rglob("*")] == []
