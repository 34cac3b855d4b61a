"""Thumbs.db files (OLE compound files) of Windows 98 to XP, and of network folders later."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol, cast

from wigmore.artifacts.windows.structures import utf16
from wigmore.artifacts.windows.thumbcache import picture
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.model.times import Time, filetime
from wigmore.registry import Claim, parser

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
LARGEST = 32 * 1024 * 1024
MOST = 200_000
HASHED = re.compile(r"(\d{1,4})_([0-9a-f]{1,16})", re.IGNORECASE)


class _Compound(Protocol):
    def listdir(self) -> list[list[str]]: ...
    def openstream(self, name: list[str]) -> BinaryIO: ...
    def get_size(self, name: list[str]) -> int: ...
    def close(self) -> None: ...


def _catalog(raw: bytes) -> Iterator[tuple[int, str, int] | Gap]:
    """Number, file name and FILETIME of each entry of the catalogue.

    Format: 16-byte header (length, version, count, width, height), then entries: length, number, FILETIME, UTF-16 name.
    """
    if len(raw) < 16:
        yield Gap("the catalogue is shorter than its header", None, "truncated")
        return
    at, count = struct.unpack_from("<H2xI", raw)
    for _ in range(min(count, MOST)):
        if at + 16 > len(raw):
            yield Gap("the catalogue is cut off", at, "truncated")
            return
        length, number, stamp = struct.unpack_from("<IIQ", raw, at)
        if length < 18 or at + length > len(raw):
            yield Gap("an entry of the catalogue does not fit its length", at)
            return
        yield number, utf16(raw[at + 16 : at + length]), stamp
        at += length


def _content(raw: bytes) -> dict[str, Any]:
    """The picture of a thumbnail stream: its header's length stands at 0; after it the picture."""
    head = struct.unpack_from("<I", raw)[0] if len(raw) >= 4 else 0
    if head not in (12, 16, 24, 28):
        head = 0
    body = raw[head:]
    data: dict[str, Any] = {"size": len(body), "sha256": hashlib.sha256(body).hexdigest(), **picture(body)}
    if "picture_type" not in data:
        at = body[:256].find(b"\xff\xd8\xff")
        if at > 0:
            body = body[at:]
            data |= {"size": len(body), "sha256": hashlib.sha256(body).hexdigest(), **picture(body)}
            head += at
    data["picture_offset_in_stream"] = head
    return data


@parser(
    "windows.thumbs_db",
    claims=Claim(
        paths=("thumbs.db", "thumbs.db*", "*thumbs*.db", "image.db", "video.db", "tvthumb.db"),
        magic=((0, OLE),),
        both=True,
    ),
    reads="Thumbs.db (also ehthumbs.db, image.db, video.db) in folders of pictures",
    means="The folder held a file of this name with this time of change when its thumbnail was made.",
    does_not_mean=(
        "That a person looked at it (the folder was shown as pictures, or a program did so), or that the file is or was "
        "still there later: entries stay when files go. Entries named by a hash alone do not say which file."
    ),
    refs=(
        "https://forensics.wiki/thumbs.db/",
        "MS-CFB (compound files)",
        "http://fileformats.archiveteam.org/wiki/Windows_thumbnail_cache",
    ),
)
def thumbs_db(file: EvidenceFile) -> Iterator[Yield]:
    """One record a catalogue entry with its picture, then one a picture that no entry names.

    Fields: name and time of change from the catalogue, size in bytes, width and height, SHA-256 of the picture.
    """
    import olefile

    content = file.open()
    broken = (OSError, ValueError, IndexError, struct.error, TypeError, AttributeError, OverflowError, RecursionError)
    try:
        compound = cast("_Compound", olefile.OleFileIO(content))
        listed = sorted(compound.listdir())[:MOST]
    except broken as error:  # olefile checks little: a damaged sector table surfaces as any of these
        content.close()
        raise ParseError(file.path, 0, f"no readable compound file: {error}") from error

    def stream(name: list[str]) -> bytes | Gap:
        label = "/".join(name)
        try:
            if compound.get_size(name) > LARGEST:
                return Gap(f"stream {label!r} is larger than {LARGEST} bytes", None, "too_large")
            return compound.openstream(name).read()
        except broken as error:
            return Gap(f"stream {label!r} could not be read: {error}")

    with content:
        left = {"/".join(name): name for name in listed}
        catalogue = left.pop("Catalog", None)
        raw = stream(catalogue) if catalogue else b""
        if isinstance(raw, Gap):
            yield raw
            raw = b""
        for item in _catalog(raw) if catalogue and raw else ():
            if isinstance(item, Gap):
                yield item
                continue
            number, name, stamp = item
            data: dict[str, Any] = {"name": name, "catalog_number": number}
            label = str(number)[::-1]  # a stream is called by its number's digits from the last to the first
            body = stream(left.pop(label)) if label in left else None
            if isinstance(body, Gap):
                yield body
            elif body is not None:
                data |= {"stream": label, **_content(body)}
            data["picture_present"] = "sha256" in data
            times: dict[str, Time] = {"modified": moment} if (moment := filetime(stamp)) else {}
            place = {"kind": "record", "stream": "Catalog", "number": number, "name": name}
            yield place, Record(data, times, "modified" if times else None)
        for label, path in sorted(left.items()):
            match = HASHED.fullmatch(label)
            if match is None and not label.isdigit():
                continue
            body = stream(path)
            if isinstance(body, Gap):
                yield body
                continue
            data = {"stream": label, "picture_present": True, **_content(body)}
            if match:
                data |= {"cache": match[1], "entry_hash": match[2].lower().rjust(16, "0")}
            yield {"kind": "record", "stream": label}, Record(data)
