"""How pictures look, in 64 bits: difference hashes, and whether the thumbnail inside a picture shows the same.

The hash compares each of 9 × 8 grey points with its right neighbour (N. Krawetz, "Kind of Like That", 2013: dHash): alike
pictures differ in few bits, whatever their size and compression. Cropped, turned or mirrored ones differ in many.
"""

from __future__ import annotations

import io
import struct
import warnings
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 80_000_000
MOST_HEIF_PIXELS = 4_000_000  # decoding HEVC takes half a second for a telephone's picture of 12 million
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF")
DIFFERENT = 14  # bits (of 64) from which a thumbnail is said to show something else
TROUBLE = (OSError, ValueError, SyntaxError, EOFError, struct.error, TypeError, IndexError, KeyError, RuntimeError,
           ZeroDivisionError, OverflowError, AttributeError, Warning)  # fmt: skip  # what Pillow raises for damage


def dhash(picture: Image) -> str:
    """The difference hash of a picture, 16 hexadecimal digits."""
    from PIL.Image import Resampling

    picture.info.pop("transparency", None)  # would be a warning, and makes no difference to grey
    grey = picture.convert("L").resize((9, 8), Resampling.BOX)
    points = grey.tobytes()
    bits = 0
    for row in range(8):
        for at in range(row * 9, row * 9 + 8):
            bits = bits << 1 | (points[at] < points[at + 1])
    return f"{bits:016x}"


def distance(one: str, other: str) -> int:
    """In how many of 64 bits two hashes differ; raises ValueError for what is no hash."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _opened(stream: BinaryIO) -> Image:
    """A picture decoded small where its format allows; raises one of TROUBLE."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            picture = Image.open(stream, formats=FORMATS)
        except Image.DecompressionBombError as error:
            raise ValueError(str(error)) from error
        if picture.width * picture.height > MOST_PIXELS:
            raise ValueError(f"more than {MOST_PIXELS} pixels")
        picture.draft("L", (72, 64))  # JPEG: an eighth of the size at the best
        picture.load()
    return picture


def _opened_heif(stream: BinaryIO, limit: int) -> Image:
    import pillow_heif

    found: Any = pillow_heif.open_heif(io.BytesIO(stream.read(limit)), convert_hdr_to_8bit=True)
    width, height = found.size
    if width * height > MOST_HEIF_PIXELS:
        raise ValueError(f"more than {MOST_HEIF_PIXELS} pixels")
    picture: Image = found.to_pillow()
    return picture


def _matched(picture: Image, thumbnail: Image) -> Image:
    """The part of a thumbnail that the picture fills: cameras put other shapes into 4:3 between bars."""
    wide, high = thumbnail.size
    shape = picture.width / picture.height
    if abs(shape - wide / high) < 0.02 * shape:
        return thumbnail
    across, down = (wide, round(wide / shape)) if shape > wide / high else (round(high * shape), high)
    left, top = (wide - across) // 2, (high - down) // 2
    return thumbnail.crop((left, top, left + max(across, 1), top + max(down, 1)))


def likeness(stream: BinaryIO, kind: str, limit: int, embedded: bytes | None) -> dict[str, object]:
    """Fields of a picture's record: its hash, that of the thumbnail inside and their distance; why one is missing.

    A thumbnail is compared whole and without bars, and the nearer counts.
    """
    fields: dict[str, object] = {}
    stream.seek(0)
    try:
        picture = _opened_heif(stream, limit) if kind == "heif" else _opened(stream)
        fields["dhash"] = dhash(picture)
    except TROUBLE as error:
        return {"not_decoded": f"{type(error).__name__}: {error}"[:200]}
    if embedded:
        try:
            thumbnail = _opened(io.BytesIO(embedded))
            fields["thumbnail_dhash"] = dhash(thumbnail)
            nearest = min(distance(dhash(picture), dhash(part)) for part in (thumbnail, _matched(picture, thumbnail)))
            fields["thumbnail_distance"] = nearest
            fields["thumbnail_differs"] = nearest >= DIFFERENT
        except TROUBLE as error:
            fields["thumbnail_not_decoded"] = f"{type(error).__name__}: {error}"[:200]
    return fields
