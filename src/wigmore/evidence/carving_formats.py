"""Where a file that begins at a place ends, by its own format: the media and packed formats that carving looks for.

Each function takes the bytes and the place of a signature, and gives what is there or None. Sources: ITU-T T.81 annex B
(JPEG), W3C PNG 5.3, GIF89a specification, ISO 32000-1 7.5 (PDF), PKWARE APPNOTE 6.3 (ZIP), ISO/IEC 14496-12 (MP4),
RFC 1952 (gzip).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

LARGEST = 64 * 1024 * 1024
WINDOW = 256 * 1024
COST = 2048  # bytes that any look-up counts for, so that many small ones are bounded too
MOST_PARTS = 100_000  # segments, chunks, members, blocks of one file


class Exhausted(Exception):
    """The work that one piece may cost is done."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file: its bytes, extension, whether its end was found as the format says; `covers`: bytes not to be searched."""

    length: int
    extension: str
    whole: bool
    covers: int = -1
    facts: dict[str, Any] = field(default_factory=dict)


class Bytes:
    """Random access for validators; raises Exhausted once they have read `budget` bytes in all."""

    def __init__(self, stream: BinaryIO, size: int, budget: int) -> None:
        self.size, self.budget = size, budget
        self._stream = stream
        self._at, self._window = 0, b""

    def spend(self, count: int) -> None:
        """Count work done elsewhere (unpacking)."""
        self.budget -= max(count, COST)
        if self.budget < 0:
            raise Exhausted

    def read(self, at: int, count: int) -> bytes:
        """At most `count` bytes; fewer at the end."""
        count = min(count, self.size - at)
        if count <= 0 or at < 0:
            return b""
        self.spend(count)
        inside = at - self._at
        if inside < 0 or inside + count > len(self._window):
            self._stream.seek(at)
            if count > WINDOW:
                return self._stream.read(count)
            self._at, self._window = at, self._stream.read(min(WINDOW, self.size - at))
            inside = 0
        return self._window[inside : inside + count]

    def number(self, at: int, count: int, order: str = "little") -> int:
        """An unsigned number; 0 behind the end."""
        raw = self.read(at, count)
        return int.from_bytes(raw, "big" if order == "big" else "little") if len(raw) == count else 0

    def search(self, pattern: re.Pattern[bytes], start: int, stop: int, overlap: int = 16) -> int:
        """The first match that begins in [start, stop); -1 where there is none."""
        stop = min(stop, self.size)
        step = 4096  # most ends are near; long ones are looked for in larger steps
        while start < stop:
            match = pattern.search(self.read(start, min(step, stop - start) + overlap))
            if match and start + match.start() < stop:
                return start + match.start()
            start += step
            step = min(WINDOW - overlap, step * 4)
        return -1


Look = Callable[[Bytes, int], Found | None]
_NO_ENTROPY = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_SOF = frozenset((0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF))
_TABLES = frozenset((0xC4, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0xFE, *range(0xE0, 0xF0)))


def jpeg(data: Bytes, at: int) -> Found | None:
    """Segment by segment; inside a scan, any marker that may not stand there ends what can be trusted."""
    place, frame, scans = at + 2, False, 0
    width = height = 0
    for _ in range(MOST_PARTS):
        head = data.read(place, 9)
        while head[:2] == b"\xff\xff":  # fill bytes
            place += 1
            head = data.read(place, 9)
        if len(head) < 2 or head[0] != 0xFF:
            break
        mark = head[1]
        if mark == 0xD9:
            if not frame or not scans:
                return None
            return Found(place + 2 - at, "jpg", True, facts={"width": width, "height": height})
        size = int.from_bytes(head[2:4], "big")
        if (mark not in _TABLES and mark not in _SOF) or size < 2:
            break
        if mark in _SOF:
            height, width = int.from_bytes(head[5:7], "big"), int.from_bytes(head[7:9], "big")
            if frame or not width:
                break
            frame = True
        place += 2 + size
        if mark == 0xDA:
            if not frame:
                break
            scans += 1
            following = data.search(_NO_ENTROPY, place, min(at + LARGEST, data.size), 2)
            if following < 0:
                place = min(at + LARGEST, data.size)
                break
            place = following
    if not frame or not scans:
        return None
    return Found(min(place, data.size) - at, "jpg", False, facts={"width": width, "height": height})


def png(data: Bytes, at: int) -> Found | None:
    """Chunk by chunk to IEND; the first wrong checksum ends what can be trusted."""
    head = data.read(at + 8, 25)
    if head[:8] != b"\0\0\0\rIHDR" or zlib.crc32(head[4:21]) != int.from_bytes(head[21:25], "big"):
        return None
    facts = {"width": int.from_bytes(head[8:12], "big"), "height": int.from_bytes(head[12:16], "big")}
    place = at + 33
    for _ in range(MOST_PARTS):
        head = data.read(place, 8)
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        end = place + 12 + size
        if len(kind) < 4 or not kind.isalpha() or end > min(data.size, at + LARGEST):
            break
        if zlib.crc32(data.read(place + 4, size + 4)) != data.number(end - 4, 4, "big"):
            break
        place = end
        if kind == b"IEND":
            return Found(place - at, "png", True, facts=facts)
    return Found(place - at, "png", False, facts=facts)


def gif(data: Bytes, at: int) -> Found | None:
    """Block by block to the trailer."""
    head = data.read(at, 13)
    if (
        head[:6] not in (b"GIF87a", b"GIF89a")
        or len(head) < 13
        or not int.from_bytes(head[6:8], "little")
        or not int.from_bytes(head[8:10], "little")
    ):
        return None
    place = at + 13 + (3 << (head[10] & 7) + 1 if head[10] & 0x80 else 0)
    images, last = 0, 0
    for _ in range(MOST_PARTS):
        head = data.read(place, 10)
        if head[:1] == b"\x3b":
            return Found(place + 1 - at, "gif", True) if images else None
        if head[:1] == b"\x21" and len(head) > 2:
            place += 2
        elif head[:1] == b"\x2c" and len(head) == 10:
            images += 1
            place += 10 + (3 << (head[9] & 7) + 1 if head[9] & 0x80 else 0) + 1
        else:
            break
        for _ in range(MOST_PARTS):
            size = data.read(place, 1)
            place += 1 + (size[0] if size else 0)
            if size in (b"", b"\0") or place - at > LARGEST:
                break
        last = min(place, data.size)
    return Found(last - at, "gif", False) if images else None


_EOF, _PDF = re.compile(rb"%%EOF(?:\r\n|\r|\n)?"), re.compile(rb"%PDF-\d\.\d")
_START = re.compile(rb"startxref\s+(\d{1,10})\s+%%EOF")
_XREF = re.compile(rb"\s*(?:xref|\d+\s+\d+\s+obj)")


def pdf(data: Bytes, at: int) -> Found | None:
    """To the last %%EOF before the next header whose `startxref` leads to a table of this file; failing that, the first
    %%EOF.
    """
    if not _PDF.match(data.read(at, 8)):
        return None
    stop = min(data.size, at + LARGEST)
    following = at + 8
    while (following := data.search(_PDF, following, stop)) >= 0:
        if (following - at) % 512 == 0:  # others are embedded
            stop = following
            break
        following += 8
    first, good, place = -1, -1, at + 8
    for _ in range(1000):
        place = data.search(_EOF, place, stop)
        if place < 0:
            break
        line = data.read(place + 5, 2)
        end = place + 5 + (2 if line == b"\r\n" else 1 if line[:1] in (b"\r", b"\n") else 0)
        first = end if first < 0 else first
        told = _START.search(data.read(max(at, place - 48), min(53, place + 5 - at)))
        # a linearised file has its first %%EOF near the start, with `startxref 0`
        if told and 0 < int(told[1]) < place - at and _XREF.match(data.read(at + int(told[1]), 40)):
            good = end
        place = end
    if good > 0:
        return Found(good - at, "pdf", True)
    return Found(first - at, "pdf", False, covers=0) if first > 0 else None


_PACKED = re.compile(rb"PK(?:\x01\x02|\x03\x04|\x07\x08|\x05\x06)")
_OFFICE = ((b"word/", "docx"), (b"xl/", "xlsx"), (b"ppt/", "pptx"))
_OPEN = {b"text": "odt", b"spreadsheet": "ods", b"presentation": "odp", b"graphics": "odg"}


def packed(data: Bytes, at: int) -> Found | None:
    """Local headers one behind the other, the central directory, the end record, which must tell the same places."""
    place, members, names = at, 0, set[bytes]()
    extension = "zip"
    while data.read(place, 4) == b"PK\x03\x04":
        head = data.read(place, 30)
        name_size, extra_size = int.from_bytes(head[26:28], "little"), int.from_bytes(head[28:30], "little")
        version, method = int.from_bytes(head[4:6], "little") & 0xFF, int.from_bytes(head[8:10], "little")
        if len(head) < 30 or not name_size or name_size > 4096 or version > 63 or method > 99 or members > MOST_PARTS:
            break
        name = data.read(place + 30, name_size)
        size = int.from_bytes(head[18:22], "little")
        body = place + 30 + name_size + extra_size
        if size == 0xFFFFFFFF:
            size = _wide_size(data.read(body - extra_size, extra_size))
        if head[6] & 8 and not size:  # sizes stand behind the content
            end = data.search(_PACKED, body, min(data.size, at + LARGEST))
            if end < 0:
                break
            if data.read(end, 4) == b"PK\x07\x08":
                end += 24 if data.read(end + 16, 2) != b"PK" and data.read(end + 24, 2) == b"PK" else 16
        else:
            end = body + size
            if head[6] & 8:
                end += next((n for n in (16, 12, 24, 20) if data.read(end + n, 2) == b"PK"), 0)
        if end > min(data.size, at + LARGEST):
            break
        members += 1
        names.add(name[:16])
        if members == 1 and name == b"mimetype" and method == 0:
            told = data.read(body, min(size, 80)).rpartition(b"opendocument.")[2]
            extension = _OPEN.get(told, "epub" if b"epub" in told else "zip")
        place = end
    if not members:
        return None
    if b"[Content_Types]."[:16] in names:
        extension = next((e for mark, e in _OFFICE if any(n.startswith(mark) for n in names)), extension)
    elif b"AndroidManifest." in names:
        extension = "apk"
    elif any(n.startswith(b"META-INF/MANIFES") for n in names):
        extension = "jar"
    facts = {"members": members}
    end = _packed_end(data, at, place, members)
    if end:
        return Found(end - at, extension, True, facts=facts)
    return Found(place - at, extension, False, facts=facts)


def _wide_size(extra: bytes) -> int:
    place = 0
    while place + 4 <= len(extra):
        kind, size = (
            int.from_bytes(extra[place : place + 2], "little"),
            int.from_bytes(extra[place + 2 : place + 4], "little"),
        )
        if kind == 1 and size >= 16:
            return int.from_bytes(extra[place + 12 : place + 20], "little")
        place += 4 + size
    return LARGEST * 2


def _packed_end(data: Bytes, at: int, central: int, members: int) -> int:
    """The end of an archive whose central directory begins at `central`; 0 where it does not tell of these members."""
    place, rows = central, 0
    while data.read(place, 4) == b"PK\x01\x02" and rows <= MOST_PARTS:
        head = data.read(place, 46)
        place += 46 + sum(int.from_bytes(head[n : n + 2], "little") for n in (28, 30, 32))
        rows += 1
    if data.read(place, 4) == b"PK\x06\x06":
        place += 12 + data.number(place + 4, 8)
        if data.read(place, 4) == b"PK\x06\x07":
            place += 20
    head = data.read(place, 22)
    if head[:4] != b"PK\x05\x06" or len(head) < 22 or rows != members:
        return 0
    told, start = int.from_bytes(head[10:12], "little"), int.from_bytes(head[16:20], "little")
    end = place + 22 + int.from_bytes(head[20:22], "little")
    same = told in (members & 0xFFFF, 0xFFFF) and start in (central - at, 0xFFFFFFFF)
    return end if same and end <= data.size else 0


_ATOMS = frozenset(
    b"ftyp moov mdat free skip wide udta uuid moof mfra sidx styp meta pnot PICT junk pdin prft emsg idat".split()
)
_BRANDS = {b"qt  ": "mov", b"M4A ": "m4a", b"heic": "heic", b"heix": "heic", b"mif1": "heic", b"avif": "avif"}


def atoms(data: Bytes, at: int) -> Found | None:
    """Boxes at the top level, as far as their types are known ones; whole with a description and its data."""
    place, seen = at, list[bytes]()
    brand = data.read(at + 8, 4)
    cut = False
    for _ in range(MOST_PARTS):
        head = data.read(place, 16)
        size, kind, least = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, least = int.from_bytes(head[8:16], "big"), 16
        if kind not in _ATOMS or size < least or (kind == b"ftyp" and seen):
            break
        seen.append(kind)
        if place + size > data.size:
            place, cut = data.size, True
            break
        place += size
    extension = _BRANDS.get(brand, "3gp" if brand[:2] == b"3g" else "mp4")
    if len(seen) < 2 or seen[0] != b"ftyp" or not brand.isascii():
        return None
    described = b"moov" in seen or (b"meta" in seen and extension in ("heic", "avif"))
    whole = described and (b"mdat" in seen or b"moof" in seen) and not cut
    return Found(place - at, extension, whole, covers=-1 if whole else 0)


def gzip(data: Bytes, at: int) -> Found | None:
    """Unpacked to its end, which checks it."""
    head = data.read(at, 10)
    if len(head) < 10 or head[3] & 0xE0 or head[8] not in (0, 2, 4):
        return None
    unpack, place, out = zlib.decompressobj(31), at, 0
    try:
        while place < data.size and not unpack.eof and out < 4 * LARGEST:
            piece = unpack.unconsumed_tail or data.read(place, 65536)
            fresh = not unpack.unconsumed_tail
            got = unpack.decompress(piece, 1024 * 1024)
            data.spend(len(got))
            out += len(got)
            if fresh:
                place += len(piece)
    except zlib.error:
        return Found(place - at, "gz", False, covers=0) if out >= 4096 else None
    if unpack.eof:
        return Found(place - len(unpack.unused_data) - at, "gz", True, facts={"unpacked": out})
    return Found(place - at, "gz", False, covers=0) if out >= 4096 else None
