"""Small JPEG pictures with camera, time and GNSS position in EXIF.

Source: CIPA DC-008 (Exif 2.32); pixels and container by Pillow.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from wigmore.generator.draws import draws

Angle = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Shot:
    """What the camera wrote: local clock (naive), camera, and where and when (UTC) its receiver had a fix, if any."""

    taken_local: datetime
    make: str
    model: str
    latitude: Angle | None = None
    longitude: Angle | None = None
    south: bool = False
    west: bool = False
    fix_utc: datetime | None = None
    offset: str = ""


def decimal(angle: Angle, negative: bool = False) -> str:
    """Degrees of an angle in degrees, minutes and seconds, as short as it is exact."""
    value = angle[0] + Fraction(angle[1], 60) + Fraction(angle[2], 3600)
    return f"{'-' if negative else ''}{float(value):.6f}".rstrip("0").rstrip(".")


def _pixels(seed: str, size: tuple[int, int]) -> Any:
    from PIL import Image

    draw = draws(seed)
    sky, ground = (tuple(draw.randrange(60, 240) for _ in range(3)) for _ in range(2))
    width, height = size
    picture = Image.new("RGB", size)
    horizon = height * draw.randrange(3, 7) // 10
    rows = []
    for row in range(height):
        base = sky if row < horizon else ground
        rows += [tuple(min(255, part + row // 4 + draw.randrange(6)) for part in base)] * width
    picture.putdata(rows)
    return picture


def jpeg(shot: Shot | None, seed: str, size: tuple[int, int] = (160, 120)) -> bytes:
    """A JPEG; without a shot it carries no metadata at all, as after a messenger's re-encoding."""
    from PIL import Image
    from PIL.TiffImagePlugin import IFDRational

    out = io.BytesIO()
    picture = _pixels(seed, size)
    if shot is None:
        picture.save(out, "JPEG", quality=80)
        return out.getvalue()
    exif = Image.Exif()
    stamp = shot.taken_local.strftime("%Y:%m:%d %H:%M:%S")
    exif[0x010F], exif[0x0110], exif[0x0132], exif[0x0112] = shot.make, shot.model, stamp, 1
    detail = exif.get_ifd(0x8769)
    detail.update({0x9000: b"0232", 0x9003: stamp, 0x9004: stamp, 0x829A: IFDRational(1, 250), 0x8827: 100})
    if shot.offset:
        detail.update({0x9010: shot.offset, 0x9011: shot.offset})
    if shot.latitude and shot.longitude:
        place = exif.get_ifd(0x8825)
        place.update(
            {
                0: b"\2\3\0\0",
                1: "S" if shot.south else "N",
                2: tuple(map(IFDRational, shot.latitude)),
                3: "W" if shot.west else "E",
                4: tuple(map(IFDRational, shot.longitude)),
                5: b"\0",
                6: IFDRational(12),
            }
        )
        if shot.fix_utc:
            fix = shot.fix_utc
            place.update(
                {7: tuple(map(IFDRational, (fix.hour, fix.minute, fix.second))), 0x1D: fix.strftime("%Y:%m:%d")}
            )
    picture.save(out, "JPEG", quality=80, exif=exif.tobytes())
    return out.getvalue()
