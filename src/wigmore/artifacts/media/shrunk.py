"""A picture made small and bare: its pixels, the long side at most 1024 of them, as a JPEG that holds nothing else."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wigmore.artifacts.media.recognition import flat, pages_in

if TYPE_CHECKING:
    from PIL.Image import Image

LONGEST = 1024  # pixels of the long side
QUALITY = 85


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A JPEG file and its size in pixels."""

    data: bytes
    width: int
    height: int


def _first(content: bytes, kind: str) -> Image:
    """The (first) picture of a file, not yet decoded where its format allows; raises ValueError and one of DAMAGE."""
    found = next(pages_in(content, kind), None)
    if found is None:
        raise ValueError("there is no picture in it")
    return found[0]


def measured(content: bytes, kind: str) -> tuple[int, int]:
    """Width and height as the file's head states them; raises ValueError past the limit, and one of recognition's DAMAGE."""
    return _first(content, kind).size


def shrunk(content: bytes, kind: str, longest: int = LONGEST) -> Shrunk:
    """The picture turned as its EXIF says and shrunk; raises ValueError past the limit, and one of recognition's DAMAGE."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picture = _first(content, kind)
        if kind == "jpeg":
            picture.draft("RGB", (longest, longest))  # decoded at a fraction, never below what is asked
        picture = flat(picture)
        picture.thumbnail((longest, longest))
        bare = Image.new("RGB", picture.size)  # a new picture: comments and profiles travel with the old one
        bare.paste(picture)
        out = io.BytesIO()
        bare.save(out, "JPEG", quality=QUALITY)
    return Shrunk(out.getvalue(), *bare.size)
