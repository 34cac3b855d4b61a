"""Text in pictures, by optical character recognition: pixels in, lines with confidence and place out.

The engine is RapidOCR with the PP-OCRv6 models that its wheel brings; it runs on one thread, so that a picture is read the
same however many work beside it, and it is given the files of its models, so that it never looks for one elsewhere.
"""

from __future__ import annotations

import io
import os
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

# ONNX Runtime otherwise notes each import in the user's home, under a device number, for its maker
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

MISSING = "text in pictures is not read without the ocr extra: pip install 'wigmore[ocr]'"
MODELS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
}
SCRIPTS = "Latin letters, Chinese and Japanese"
LARGEST = 64 * 1024 * 1024  # bytes of a picture file
MOST_PIXELS = 50_000_000
PAGES = 20  # pages of a TIFF that are read
SMALLEST = 12  # pixels of the shorter side below which no letter is told
LONG = 2000  # pixels along a picture that are read at a time; what is wider is shrunk to it
SEEN = 1280  # longer side that lines are looked for in: letters are then read at LONG
SHARED = 120  # pixels that two pieces of a long picture have in common: a line of text fits in
PIECES = 24  # pieces of one page
SURE = 0.5  # a line read with less confidence is not told
# what a damaged picture makes Pillow and libheif raise
DAMAGE = (OSError, ValueError, SyntaxError, EOFError, struct.error, TypeError, IndexError, KeyError, RuntimeError,
          ZeroDivisionError, OverflowError, AttributeError, Warning)  # fmt: skip


class NotInstalled(Exception):
    """The engine is no part of this installation; the message says what is to be installed."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line as read: text, confidence (0 to 1) and the box around it in pixels of the picture as it is meant to be seen."""

    text: str
    confidence: float
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a picture file (from 1, of `pages`): its lines from top to bottom, and what was left out, if anything."""

    number: int
    pages: int
    width: int
    height: int
    lines: tuple[Line, ...]
    left_out: str = ""


def engine() -> str:
    """The engine and its model, with the version installed; raises NotInstalled."""
    try:
        version("onnxruntime")
        return f"rapidocr {version('rapidocr')}, PP-OCRv6 small"
    except PackageNotFoundError as error:
        raise NotInstalled(MISSING) from error


@lru_cache(maxsize=1)
def _recogniser() -> Any:
    """The engine with its models loaded, once a process (about two seconds and 350 MB)."""
    engine()
    import cv2
    import rapidocr

    cv2.setNumThreads(1)
    home = Path(rapidocr.__file__).parent / "models"
    threads = "EngineConfig.onnxruntime"
    params: dict[str, Any] = {
        "Global.log_level": "critical",
        "Global.text_score": SURE,
        "Global.max_side_len": LONG,
        f"{threads}.intra_op_num_threads": 1,
        f"{threads}.inter_op_num_threads": 1,
        "Det.limit_type": "max",
        "Det.limit_side_len": SEEN,
        "Rec.rec_batch_num": 1,  # a line is read by itself: what stands beside it does not change how it is read
    }
    for part, name in MODELS.items():
        if not (home / name).is_file():  # named here, or the engine would fetch what it misses
            raise NotInstalled(f"the installed rapidocr brings no {name}: {MISSING}")
        params[f"{part}.model_path"] = str(home / name)
    return rapidocr.RapidOCR(params=params)


@lru_cache(maxsize=1)  # who looks for terms in the text comes right after who records it
def read_text(content: bytes, kind: str) -> tuple[Page, ...]:
    """The pages of a picture file of a format (as `format_of` says), each with its lines.

    Raises NotInstalled without the engine, ValueError for a picture that is too large, and one of DAMAGE.
    """
    _recogniser()
    out: list[Page] = []
    try:
        for number, (picture, pages) in enumerate(pages_in(content, kind), 1):
            whole = flat(picture)
            lines, left_out = _lines(whole)
            out.append(Page(number, pages, whole.width, whole.height, tuple(lines), left_out))
    except DAMAGE as error:
        if not out:
            raise
        broken = f"page {len(out) + 1} cannot be decoded: {type(error).__name__}: {error}"[:300]
        out[-1] = replace(out[-1], left_out="; ".join(part for part in (out[-1].left_out, broken) if part))
    else:
        if out and out[-1].pages > PAGES:
            out[-1] = replace(out[-1], left_out=f"of {out[-1].pages} pages {PAGES} are read for text")
    return tuple(out)


def pages_in(content: bytes, kind: str) -> Iterator[tuple[Image, int]]:
    """The pages of a TIFF, else the (first) picture, decoded, with the number of pages that there are."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "heif":
            import pillow_heif

            found: Any = pillow_heif.open_heif(io.BytesIO(content), convert_hdr_to_8bit=True)
            _bounded(*found.size)
            yield found.to_pillow(), 1
            return
        try:
            picture = Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "GIF", "WEBP", "TIFF"))
        except Image.DecompressionBombError as error:
            raise ValueError(str(error)) from error
        pages = getattr(picture, "n_frames", 1) if kind == "tiff" else 1
        for number in range(min(pages, PAGES)):
            picture.seek(number)
            _bounded(*picture.size)
            yield picture, pages


def _bounded(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise ValueError(f"{width} × {height} pixels are more than the {MOST_PIXELS} that are read for text")


def flat(picture: Image) -> Image:
    """The picture turned as its EXIF says, in RGB; what is transparent becomes what its own colours stand out from."""
    from PIL import Image, ImageOps, ImageStat

    turned: Image.Image = ImageOps.exif_transpose(picture)
    if turned.mode in ("LA", "PA", "RGBA") or "transparency" in turned.info:
        layered = turned.convert("RGBA")
        seen = ImageStat.Stat(layered.convert("L"), mask=layered.getchannel("A"))
        light = bool(seen.count[0]) and seen.mean[0] > 127
        under = Image.new("RGBA", layered.size, "black" if light else "white")
        return Image.alpha_composite(under, layered).convert("RGB")
    if turned.mode.startswith("I;16") or turned.mode in ("I", "F"):
        low, high = turned.getextrema()
        spread = (float(high) - float(low)) or 1.0  # type: ignore[arg-type]  # one band: two numbers
        return turned.convert("F").point(lambda v: (v - float(low)) * (255 / spread)).convert("RGB")  # type: ignore[arg-type]
    return turned.convert("RGB")


def _lines(picture: Image) -> tuple[list[Line], str]:
    """The lines of one picture, and what of it was not read."""
    if min(picture.size) < SMALLEST:
        return [], ""
    upright = picture.height >= picture.width
    across, along = (picture.width, picture.height) if upright else (picture.height, picture.width)
    shrinks = max(1.0, across / LONG)  # how many pixels become one when the engine shrinks what is too wide
    if along <= LONG * shrinks * 1.5:
        return _read(picture, 0, 0), ""
    step, shared = int((LONG - 2 * SHARED) * shrinks), int(SHARED * shrinks)
    pieces = -(-along // step)
    found: list[Line] = []
    for begin in range(0, min(pieces, PIECES) * step, step):
        low, high = max(0, begin - shared), min(along, begin + step + shared)
        box = (0, low, picture.width, high) if upright else (low, 0, high, picture.height)
        for line in _read(picture.crop(box), box[0], box[1]):
            middle = line.y + line.height / 2 if upright else line.x + line.width / 2
            if begin <= middle < begin + step:  # a line that stands in two pieces is one line
                found.append(line)
    return found, f"of {along} pixels along it {PIECES * step} are read" if pieces > PIECES else ""


def _read(picture: Image, left: int, top: int) -> list[Line]:
    """The lines of a piece whose corner lies at (left, top) of the picture."""
    import numpy

    result = _recogniser()(numpy.asarray(picture)[:, :, ::-1])
    if getattr(result, "boxes", None) is None or getattr(result, "txts", None) is None:
        return []
    out = []
    for box, text, confidence in zip(result.boxes, result.txts, result.scores, strict=True):
        xs, ys = [float(x) for x, _ in box], [float(y) for _, y in box]
        x, y = round(min(xs)), round(min(ys))
        out.append(Line(text, round(float(confidence), 2), left + x, top + y, round(max(xs)) - x, round(max(ys)) - y))
    return out
