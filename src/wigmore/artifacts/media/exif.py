"""EXIF tags as fields, positions as decimals with their stored rationals, and the camera's own times."""

from __future__ import annotations

import hashlib
import io
import re
import struct
from fractions import Fraction
from typing import Any, BinaryIO

from wigmore.model.times import Time, iso

MOST_TAGS = 400
LONGEST_VALUE = 500
# what a damaged structure makes the library raise
TROUBLE = (
    struct.error,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    ZeroDivisionError,
    AssertionError,
    RecursionError,
    EOFError,
    OSError,
)
FIELDS = {
    "Image Make": "make",
    "Image Model": "model",
    "Image Software": "software",
    "Image Artist": "artist",
    "Image Copyright": "copyright",
    "Image ImageDescription": "description",
    "Image Orientation": "orientation",
    "Image HostComputer": "host_computer",
    "EXIF LensMake": "lens_make",
    "EXIF LensModel": "lens_model",
    "EXIF LensSerialNumber": "lens_serial",
    "EXIF BodySerialNumber": "serial_number",
    "EXIF CameraOwnerName": "camera_owner",
    "EXIF ImageUniqueID": "image_unique_id",
    "EXIF ExposureTime": "exposure_time",
    "EXIF FNumber": "f_number",
    "EXIF ISOSpeedRatings": "iso_speed",
    "EXIF PhotographicSensitivity": "iso_speed",
    "EXIF FocalLength": "focal_length",
    "EXIF Flash": "flash",
    "EXIF ExifImageWidth": "exif_width",
    "EXIF ExifImageLength": "exif_height",
    "EXIF UserComment": "user_comment",
    "MakerNote SerialNumber": "maker_serial_number",
    "MakerNote InternalSerialNumber": "maker_internal_serial",
    "MakerNote OwnerName": "maker_owner_name",
    "MakerNote ImageNumber": "maker_image_number",
    "MakerNote TotalShutterReleases": "shutter_count",
    "MakerNote LensType": "maker_lens",
    "MakerNote FirmwareVersion": "firmware",
    "GPS GPSImgDirection": "direction",
    "GPS GPSProcessingMethod": "gps_method",
    "GPS GPSMapDatum": "gps_datum",
    "GPS GPSDOP": "gps_dop",
    "GPS GPSSpeed": "gps_speed",
    "GPS GPSHPositioningError": "gps_error_metres",
}
WINDOWS_FIELDS = {
    "Image XPTitle": "title",
    "Image XPComment": "comment",
    "Image XPAuthor": "author",
    "Image XPKeywords": "keywords",
    "Image XPSubject": "subject",
}
_STAMP = re.compile(r"(\d{4})[:/-](\d\d)[:/-](\d\d)[ T](\d\d):(\d\d):(\d\d)$")


def read_tags(source: bytes | BinaryIO) -> tuple[dict[str, Any], str]:
    """All tags of a TIFF structure, and what went wrong (empty: nothing); pixels are never decoded."""
    import logging

    import exifread

    logging.getLogger("exifread").setLevel(logging.CRITICAL)  # it reports damage by logging; we report what is missing
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        tags: dict[str, Any] = exifread.process_file(stream, details=True)
    except TROUBLE as error:
        pass_error = f"{type(error).__name__}: {error}"
    else:
        return tags, ""
    try:  # the maker's own notes are what breaks most often
        stream.seek(0)
        return exifread.process_file(stream, details=False), f"maker notes: {pass_error}"
    except TROUBLE as error:
        return {}, f"{type(error).__name__}: {error}"


def printable(tag: Any) -> str:
    """A tag's value as text, without ends of NULs and blanks."""
    return str(getattr(tag, "printable", tag)).strip("\0 \r\n\t")


def plain_tags(tags: dict[str, Any]) -> dict[str, str]:
    """All tags as texts by their native names; thumbnails and overlong blobs left out."""
    kept: dict[str, str] = {}
    for name in sorted(tags):
        if (
            len(kept) >= MOST_TAGS
            or name in ("JPEGThumbnail", "TIFFThumbnail", "EXIF MakerNote", "Image PrintIM")
            or name in WINDOWS_FIELDS
        ):
            continue
        text = printable(tags[name])
        if text and len(text) <= LONGEST_VALUE and not text.startswith("[0, 0, 0, 0, 0, 0, 0"):
            kept[name] = text
    return kept


def named_fields(tags: dict[str, Any]) -> dict[str, object]:
    """The fields examiners ask for, under our names, where they hold something."""
    fields: dict[str, object] = {}
    for native, name in FIELDS.items():
        if native in tags and name not in fields:
            text = printable(tags[native])
            if text and text not in ("[]", "0/0"):
                fields[name] = text[:LONGEST_VALUE]
    for native, name in WINDOWS_FIELDS.items():
        values = getattr(tags.get(native), "values", None)
        if isinstance(values, list) and all(isinstance(value, int) and 0 <= value < 256 for value in values):
            text = bytes(values).decode("utf-16-le", "replace").strip("\0 ")
            if text:
                fields[f"windows_{name}"] = text[:LONGEST_VALUE]
    thumbnail = tags.get("JPEGThumbnail") or tags.get("TIFFThumbnail")
    if isinstance(thumbnail, bytes) and thumbnail:
        fields["thumbnail_bytes"] = len(thumbnail)
        fields["thumbnail_sha256"] = hashlib.sha256(thumbnail).hexdigest()
    return fields


def _ratios(tag: Any) -> list[Fraction]:
    ratios: list[Fraction] = []
    for value in getattr(tag, "values", [])[:4]:
        top, bottom = getattr(value, "num", value), getattr(value, "den", 1)
        if not isinstance(top, int) or not isinstance(bottom, int) or not bottom:
            return []
        ratios.append(Fraction(top, bottom))
    return ratios


def position(tags: dict[str, Any]) -> dict[str, object]:
    """Latitude and longitude in decimal degrees (7 digits), altitude in metres, with the stored rationals beside
    them.
    """
    found: dict[str, object] = {}
    for name, limit, negative in (("latitude", 90, "S"), ("longitude", 180, "W")):
        native = f"GPS GPS{name.capitalize()}"
        parts = _ratios(tags.get(native))
        reference = printable(tags.get(f"{native}Ref", "")).upper()[:1]
        if native in tags:
            found[f"{name}_raw"] = f"{printable(tags[native])}{reference}"
        if not parts:
            continue
        degrees = sum((part / 60**power for power, part in enumerate(parts[:3])), Fraction(0))
        if reference == negative:
            degrees = -degrees
        if abs(degrees) <= limit:
            found[name] = round(float(degrees), 7)
        else:
            found[f"{name}_impossible"] = True
    if "latitude" in found and "longitude" in found:
        found["position"] = f"{found['latitude']:.5f}, {found['longitude']:.5f}"
    altitude = _ratios(tags.get("GPS GPSAltitude"))
    if altitude:
        below = printable(tags.get("GPS GPSAltitudeRef", "0")) in ("1", "Below Sea Level")
        found["altitude_metres"] = round(float(-altitude[0] if below else altitude[0]), 3)
    return found


def stamp(text: str, fraction: str = "", offset: str = "") -> Time | None:
    """An EXIF date (`2008:10:22 16:28:39`) as the camera's clock had it; local unless an offset is stored."""
    match = _STAMP.match(text.strip("\0 "))
    if not match or match[1] == "0000":
        return None
    digits = re.sub(r"\D", "", fraction)[:9]
    zone = offset.strip() if re.fullmatch(r"[+-]\d\d:\d\d|Z", offset.strip()) else ""
    written = f"{match[1]}-{match[2]}-{match[3]}T{match[4]}:{match[5]}:{match[6]}{'.' + digits if digits else ''}{zone}"
    time = iso(written, "camera", None, "offset tag of the file" if zone else "the camera stored no zone")
    if time:
        time["raw"] = text
    return time


def times(tags: dict[str, Any]) -> dict[str, Time]:
    """taken_at, digitized_at, changed_at by the camera's clock, gps_at by satellite time (UTC)."""
    found: dict[str, Time] = {}
    for name, native, subsecond, offset in (
        ("taken_at", "EXIF DateTimeOriginal", "EXIF SubSecTimeOriginal", "EXIF OffsetTimeOriginal"),
        ("digitized_at", "EXIF DateTimeDigitized", "EXIF SubSecTimeDigitized", "EXIF OffsetTimeDigitized"),
        ("changed_at", "Image DateTime", "EXIF SubSecTime", "EXIF OffsetTime"),
    ):
        if native in tags:
            time = stamp(printable(tags[native]), printable(tags.get(subsecond, "")), printable(tags.get(offset, "")))
            if time:
                found[name] = time
    clock = _ratios(tags.get("GPS GPSTimeStamp"))
    date = re.match(
        r"(\d{4})[:/-](\d\d)[:/-](\d\d)$", printable(tags.get("GPS GPSDate", tags.get("GPS GPSDateStamp", "")))
    )
    if len(clock) == 3 and date:
        second = (
            f"{float(clock[2]):06.3f}".removesuffix(".000") if clock[2].denominator != 1 else f"{int(clock[2]):02d}"
        )
        text = f"{date[1]}-{date[2]}-{date[3]}T{int(clock[0]):02d}:{int(clock[1]):02d}:{second}"
        time = iso(text, "gnss", "Z", "GPS time stamps are UTC")
        if time:
            time["raw"] = f"{date[0]} {printable(tags['GPS GPSTimeStamp'])}"
            found["gps_at"] = time
    return found
