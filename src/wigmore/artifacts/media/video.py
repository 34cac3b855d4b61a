"""MP4, MOV, M4A and 3GP files: creation times, device, place and tracks from the movie header boxes."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

from wigmore.artifacts.media.structure import format_of
from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import Time, classic, iso
from wigmore.registry import Claim, parser

CONTAINERS = frozenset((b"moov", b"trak", b"mdia", b"udta", b"ilst"))
LARGEST_BOX = 1024 * 1024
MOST_BOXES = 5_000
PLACE = re.compile(r"([+-]\d{1,3}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)(?:([+-]\d+(?:\.\d+)?))?/?")
TEXTS = {
    b"\xa9xyz": "place_raw",
    b"\xa9mak": "make",
    b"\xa9mod": "model",
    b"\xa9swr": "software",
    b"\xa9too": "software",
    b"\xa9day": "day",
    b"\xa9nam": "title",
    b"\xa9ART": "artist",
    b"\xa9cmt": "comment",
}
KEYS = {
    "com.apple.quicktime.make": "make",
    "com.apple.quicktime.model": "model",
    "com.apple.quicktime.software": "software",
    "com.apple.quicktime.location.ISO6709": "place_raw",
    "com.apple.quicktime.creationdate": "creation_date",
    "com.apple.quicktime.content.identifier": "content_identifier",
    "com.android.version": "android_version",
    "com.android.manufacturer": "make",
    "com.android.model": "model",
    "com.apple.quicktime.author": "author",
}


def _look(head: bytes, path: str, size: int) -> bool:
    return (head[4:8] == b"ftyp" and not format_of(head)) or (
        head[4:8] in (b"moov", b"wide", b"mdat") and size > 64 and head[0] < 8
    )


class _Movie:
    def __init__(self) -> None:
        self.data: dict[str, object] = {}
        self.times: dict[str, Time] = {}
        self.tracks: list[dict[str, object]] = []
        self.keys: list[str] = []
        self.troubles: list[tuple[int, str]] = []
        self.where = 0


def _moment(value: int) -> Time | None:
    source = "seconds since 1904, by specification UTC; some devices write local time"
    return classic(value, "camera", source) if value else None


def _walk(stream: BinaryIO, size: int, movie: _Movie) -> None:
    pending = [(0, size, 0)]
    seen = 0
    while pending:
        position, end, depth = pending.pop()
        while position + 8 <= end:
            seen += 1
            if seen > MOST_BOXES:
                movie.troubles.append((position, f"more than {MOST_BOXES} boxes"))
                return
            stream.seek(position)
            head = stream.read(16)
            if len(head) < 8:
                return
            length, kind = struct.unpack(">I4s", head[:8])
            header = 8
            if length == 1 and len(head) == 16:
                length, header = struct.unpack(">Q", head[8:])[0], 16
            elif length == 0:
                length = end - position
            if length < header or position + length > end:
                if kind.isalnum() and position + length > end:
                    movie.troubles.append((position, f"the box {shown(kind)} is longer than what is there"))
                return
            if kind in CONTAINERS and depth < 8:
                if kind == b"moov":
                    movie.where = position
                pending.append((position + length, end, depth))
                position, end, depth = position + header, position + length, depth + 1
                continue
            if kind == b"meta" and depth < 8:
                stream.seek(position + header)
                full = 4 if stream.read(8)[4:8] not in (b"hdlr", b"keys", b"ilst") else 0
                pending.append((position + length, end, depth))
                position, end, depth = position + header + full, position + length, depth + 1
                continue
            if kind not in (b"mdat", b"free", b"skip", b"wide") and length <= LARGEST_BOX:
                stream.seek(position + header)
                _box(kind, stream.read(length - header), movie, depth)
            position += length


def _box(kind: bytes, body: bytes, movie: _Movie, depth: int) -> None:
    if kind == b"ftyp" and len(body) >= 4:
        movie.data["brand"] = shown(body[:4])
    elif kind in (b"mvhd", b"tkhd", b"mdhd") and len(body) >= 24:
        wide = body[0] == 1
        created, changed = struct.unpack_from(">QQ" if wide else ">II", body, 4)
        prefix = {b"mvhd": "", b"tkhd": "track_", b"mdhd": "media_"}[kind]
        for name, value in (("created_at", created), ("changed_at", changed)):
            time = _moment(value)
            if time:
                movie.times.setdefault(prefix + name, time)
        if kind == b"mvhd" and len(body) >= (32 if wide else 20):
            scale, duration = struct.unpack_from(">IQ" if wide else ">II", body, 20 if wide else 12)
            if scale:
                movie.data["duration_seconds"] = round(duration / scale, 3)
        elif kind == b"tkhd" and len(movie.tracks) < 50 and len(body) >= (96 if wide else 84):
            width, height = struct.unpack_from(">II", body, len(body) - 8)
            movie.tracks.append({"width": width >> 16, "height": height >> 16})
    elif kind == b"hdlr" and len(body) >= 12 and movie.tracks and "handler" not in movie.tracks[-1]:
        movie.tracks[-1]["handler"] = shown(body[8:12])
    elif kind in TEXTS:
        text = body[4 : 4 + int.from_bytes(body[:2], "big")] if body[4:8] != b"data" else body[16:]
        movie.data.setdefault(TEXTS[kind], shown(text[:1000]).rstrip("\0"))
    elif kind == b"keys" and len(body) >= 8:
        position = 8
        for _ in range(min(struct.unpack_from(">I", body, 4)[0], 500)):
            if position + 8 > len(body):
                break
            length = struct.unpack_from(">I", body, position)[0]
            movie.keys.append(shown(body[position + 8 : position + length]))
            position += max(length, 8)
    elif 0 < int.from_bytes(kind, "big") <= len(movie.keys) and body[4:8] == b"data" and len(body) >= 16:
        key = movie.keys[int.from_bytes(kind, "big") - 1]
        value = shown(body[16 : 16 + 1000]) if struct.unpack_from(">I", body, 8)[0] == 1 else body[16:48].hex()
        movie.data.setdefault(KEYS.get(key, key), value)


@parser(
    "media.video",
    claims=Claim(look=_look),
    reads="MP4, MOV, M4A, M4V and 3GP files, by content",
    means="the file says it was recorded or written at this time of the device's clock, by this device, at this place",
    does_not_mean="true time; that the creation time is UTC (the specification says so, some cameras write local "
    "time); an unedited file",
    refs=("ISO/IEC 14496-12, 8.2.2 Movie header box", "Apple QuickTime File Format: metadata keys", "ISO 6709"),
)
def video(file: EvidenceFile) -> Iterator[Yield]:
    """One record a file: times, duration, tracks, device and place."""
    movie = _Movie()
    with file.open() as stream:
        _walk(stream, file.size, movie)
    data = movie.data
    if movie.tracks:
        data["tracks"] = movie.tracks
    place = PLACE.match(str(data.get("place_raw", "")))
    if place and abs(float(place[1])) <= 90 and abs(float(place[2])) <= 180:
        data |= {"latitude": float(place[1]), "longitude": float(place[2])}
        data["position"] = f"{float(place[1]):.5f}, {float(place[2]):.5f}"
        if place[3]:
            data["altitude_metres"] = float(place[3])
    written = data.get("creation_date") or data.get("day")
    time = iso(str(written), "camera") if written else None
    if time:
        movie.times["recorded_at"] = time
    first = next(
        (name for name in ("recorded_at", "created_at", "media_created_at", "track_created_at") if name in movie.times),
        None,
    )
    if len(data) > 1 or movie.times:
        yield (
            {"kind": "offset", "offset": movie.where, "length": file.size - movie.where},
            Record(data, movie.times, first),
        )
    elif not movie.troubles:
        yield Gap("no movie header: the end of the file is missing, or it is a fragment", None, "truncated")
    for offset, message in movie.troubles:
        yield Gap(message, offset, "truncated")
