"""Pictures: EXIF, XMP, IPTC, dimensions and thumbnails of JPEG, PNG, TIFF, HEIC, WebP and GIF; one record a picture."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

from wigmore.artifacts.media import exif
from wigmore.artifacts.media.descriptions import Unreadable, iptc_fields, xmp_fields
from wigmore.artifacts.media.similarity import likeness
from wigmore.artifacts.media.structure import EXIF_MARK, Structure, format_of, read_structure
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import Time, iso
from wigmore.registry import Claim, parser

LARGEST_HEIF = 128 * 1024 * 1024
# names of XMP properties that make or hold a time, and whose clock that is
_XMP_TIMES = {
    "xmp:CreateDate": "xmp_created_at",
    "xmp:ModifyDate": "xmp_changed_at",
    "xmp:MetadataDate": "xmp_metadata_at",
    "photoshop:DateCreated": "xmp_photoshop_created_at",
    "exif:DateTimeOriginal": "xmp_taken_at",
}


def _heif(stream: BinaryIO, found: Structure, size: int) -> None:
    """Dimensions and the EXIF and XMP items of a HEIF file; the library reads the boxes, the picture stays
    undecoded.
    """
    import pillow_heif

    if size > LARGEST_HEIF:
        found.troubles.append((0, f"a HEIF file of {size} bytes; the limit is {LARGEST_HEIF}"))
        return
    stream.seek(0)
    try:
        picture = pillow_heif.open_heif(io.BytesIO(stream.read()), convert_hdr_to_8bit=False)
        found.width, found.height = picture.size
        found.exif = (picture.info.get("exif") or b"").removeprefix(EXIF_MARK)
        found.xmp = picture.info.get("xmp") or b""
        found.frames = len(picture)
    except (ValueError, EOFError, RuntimeError, OSError, SyntaxError, TypeError, IndexError) as error:
        found.troubles.append((0, f"HEIF: {type(error).__name__}: {error}"))


def _xmp_times(fields: dict[str, object]) -> dict[str, Time]:
    found: dict[str, Time] = {}
    for native, name in _XMP_TIMES.items():
        text = fields.get(native)
        if isinstance(text, str) and len(text) == 16:
            text += ":00"
        time = iso(text, "author") if isinstance(text, str) else None
        if time:
            found[name] = time
    return found


@parser(
    "media.exif",
    claims=Claim(look=lambda head, path, size: format_of(head) != ""),
    reads="JPEG, PNG, TIFF, HEIC/HEIF, WebP and GIF pictures, by content",
    means="the file says it was made by this device or program, at this time of that device's own clock, at this "
    "position",
    does_not_mean="true time (camera clocks are set by hand and store no zone unless OffsetTime is there); that "
    "position or any other field "
    "was not edited or the fix not stale; who took it",
    refs=(
        "CIPA DC-008 (Exif 2.32/3.0)",
        "ISO 16684-1 (XMP)",
        "IPTC-NAA IIM 4.2",
        "ISO/IEC 23008-12 (HEIF)",
        "PNG Third Edition (W3C)",
        "WebP container specification (RFC 9649)",
        "GIF89a specification",
        "TIFF 6.0",
    ),
)
def pictures(file: EvidenceFile) -> Iterator[Yield]:
    """One record: format, dimensions, maker fields, position, keywords, thumbnail hash, all tags by native name;
    Gaps for damage.
    """
    with file.open() as stream:
        kind = format_of(stream.read(32))
        found = read_structure(stream, kind, file.size)
        if kind == "heif":
            _heif(stream, found, file.size)
        trouble = ""
        tags: dict[str, Any] = {}
        if kind == "tiff":
            stream.seek(0)
            tags, trouble = exif.read_tags(stream)
            _tiff_parts(tags, found)
        elif found.exif:
            tags, trouble = exif.read_tags(found.exif)
        embedded = tags.get("JPEGThumbnail")
        looks = likeness(stream, kind, LARGEST_HEIF, embedded if isinstance(embedded, bytes) else None)
    data: dict[str, object] = {"format": kind, "width": found.width, "height": found.height, **exif.named_fields(tags)}
    data |= exif.position(tags)
    data |= looks
    times = exif.times(tags)
    try:
        described = xmp_fields(found.xmp) if found.xmp else {}
    except Unreadable as error:
        described = {}
        yield Gap(str(error), None)
    times |= _xmp_times(described)
    printed = iptc_fields(found.iptc) if found.iptc else {}
    keywords = [*_listed(printed.get("keywords")), *_listed(described.get("dc:subject"))]
    if keywords:
        data["keywords"] = sorted(set(keywords))
    if found.trailing > 0:
        data["bytes_after_end"] = found.trailing
    for name, value in (
        ("comments", found.comments),
        ("texts", found.texts),
        ("frames", found.frames),
        ("xmp", described),
        ("iptc", printed),
        ("exif_offset", found.exif_offset),
        ("exif", exif.plain_tags(tags)),
    ):
        if value:
            data[name] = value
    first = next(
        (
            name
            for name in ("taken_at", "digitized_at", "xmp_taken_at", "changed_at", "xmp_created_at", "gps_at")
            if name in times
        ),
        None,
    )
    kept = {name: value for name, value in data.items() if value is not None}
    yield {"kind": "offset", "offset": 0, "length": file.size}, Record(kept, times, first)
    for offset, message in found.troubles:
        yield Gap(message, offset)
    if trouble:
        yield Gap(f"EXIF: {trouble}", found.exif_offset)


def _tiff_parts(tags: dict[str, object], found: Structure) -> None:
    """Dimensions, XMP (tag 700) and IPTC (tag 33723) of a TIFF file from its tags."""
    for name, native in (("width", "Image ImageWidth"), ("height", "Image ImageLength")):
        values = getattr(tags.get(native), "values", None)
        if isinstance(values, list) and values and isinstance(values[0], int):
            setattr(found, name, values[0])
    for name, native in (("xmp", "Image ApplicationNotes"), ("iptc", "Image IPTC/NAA")):
        values = getattr(tags.pop(native, None), "values", None)
        if isinstance(values, bytes):
            setattr(found, name, values)
        elif isinstance(values, list) and all(isinstance(value, int) and 0 <= value < 256 for value in values):
            setattr(found, name, bytes(values))


def _listed(value: object) -> list[str]:
    return (
        [str(item) for item in value]
        if isinstance(value, list)
        else [value]
        if isinstance(value, str) and value
        else []
    )
