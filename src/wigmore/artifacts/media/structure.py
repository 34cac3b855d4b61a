"""What picture files hold beside pixels: dimensions and the EXIF, XMP, IPTC and text parts, found without decoding."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import BinaryIO

LARGEST_PART = 8 * 1024 * 1024
MOST_PARTS = 20_000
EXIF_MARK = b"Exif\0\0"
XMP_MARK = b"http://ns.adobe.com/xap/1.0/\0"
IPTC_MARK = b"Photoshop 3.0\0"


@dataclass
class Structure:
    """The parts of one picture: `exif` is a TIFF structure, `xmp` an XML packet, `iptc` Photoshop resources or IIM."""

    format: str
    width: int | None = None
    height: int | None = None
    exif: bytes = b""
    exif_offset: int | None = None
    xmp: bytes = b""
    iptc: bytes = b""
    comments: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    frames: int | None = None
    trailing: int = 0
    troubles: list[tuple[int, str]] = field(default_factory=list)


def format_of(head: bytes) -> str:
    """jpeg, png, gif, webp, tiff, heif or empty, from the first bytes."""
    if head[:3] == b"\xff\xd8\xff":
        return "jpeg"
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return "png"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:4] in (b"II*\0", b"MM\0*") and len(head) >= 8:
        return "tiff"
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif"):
        return "heif"
    return ""


def read_structure(stream: BinaryIO, kind: str, size: int) -> Structure:
    """The structure of a picture of that format; damage is noted in `troubles`, never raised."""
    found = Structure(kind)
    stream.seek(0)
    reader = {"jpeg": _jpeg, "png": _png, "gif": _gif, "webp": _webp}.get(kind)
    if reader is not None:
        reader(stream, found, size)
    return found


def _jpeg(stream: BinaryIO, found: Structure, size: int) -> None:
    position, extended = 2, dict[int, bytes]()
    for _ in range(MOST_PARTS):
        stream.seek(position)
        head = stream.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            found.troubles.append((position, "the chain of segments breaks off before the picture data"))
            break
        marker = head[1]
        if marker in (0xFF, 0x01) or 0xD0 <= marker <= 0xD8:  # fill byte or marker without length
            position += 1 if marker == 0xFF else 2
            continue
        if marker == 0xD9:
            break
        length = struct.unpack(">H", head[2:])[0]
        body = stream.read(length - 2) if length > 2 else b""
        if length < 2 or len(body) < length - 2:
            found.troubles.append((position, "a segment is longer than the file"))
            break
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and len(body) >= 5:
            found.height, found.width = struct.unpack(">HH", body[1:5])
        elif marker == 0xE1 and body.startswith(EXIF_MARK) and not found.exif:
            found.exif, found.exif_offset = body[6:], position + 10
        elif marker == 0xE1 and body.startswith(XMP_MARK) and not found.xmp:
            found.xmp = body[len(XMP_MARK) :]
        elif marker == 0xE1 and body.startswith(b"http://ns.adobe.com/xmp/extension/\0") and len(body) > 75:
            if sum(map(len, extended.values())) < LARGEST_PART:
                extended[struct.unpack(">I", body[71:75])[0]] = body[75:]
        elif marker == 0xED and body.startswith(IPTC_MARK):
            found.iptc += body[len(IPTC_MARK) :]
        elif marker == 0xFE and len(found.comments) < 20:
            found.comments.append(body[:4096].rstrip(b"\0").decode("utf-8", "backslashreplace"))
        position += length + 2
        if marker == 0xDA:
            break
    if extended:
        found.texts["xmp_extended_bytes"] = str(sum(map(len, extended.values())))
    if size > 2 and (found.width is None):
        found.troubles.append((position, "no frame header: the dimensions are unknown"))


def _png(stream: BinaryIO, found: Structure, size: int) -> None:
    position = 8
    for _ in range(MOST_PARTS):
        stream.seek(position)
        head = stream.read(8)
        if len(head) < 8:
            found.troubles.append((position, "ends without IEND"))
            return
        length, kind = struct.unpack(">I4s", head)
        if length > size - position - 12:
            found.troubles.append((position, "a chunk is longer than the file"))
            return
        if kind == b"IEND":
            found.trailing = size - position - 12
            return
        if kind in (b"IHDR", b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME", b"acTL") and length <= LARGEST_PART:
            _png_chunk(kind, stream.read(length), found, position)
        position += length + 12


def _png_chunk(kind: bytes, body: bytes, found: Structure, position: int) -> None:
    if kind == b"IHDR" and len(body) >= 8:
        found.width, found.height = struct.unpack(">II", body[:8])
    elif kind == b"eXIf":
        found.exif, found.exif_offset = body.removeprefix(EXIF_MARK), position + 8
    elif kind == b"tIME" and len(body) == 7:
        year, month, day, hour, minute, second = struct.unpack(">HBBBBB", body)
        found.texts["tIME"] = f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}"
    elif kind == b"acTL" and len(body) >= 4:
        found.frames = struct.unpack(">I", body[:4])[0]
    elif kind in (b"tEXt", b"zTXt", b"iTXt") and len(found.texts) < 100:
        key, _, rest = body.partition(b"\0")
        name = key[:79].decode("latin-1")
        text: bytes | None = rest
        codec = "latin-1"
        if kind == b"zTXt":
            text = _inflated(rest[1:])
        elif kind == b"iTXt" and len(rest) > 2:
            codec = "utf-8"
            compressed, tail = rest[0], rest[2:].split(b"\0", 2)
            text = tail[2] if len(tail) == 3 else b""
            text = _inflated(text) if compressed else text
        if text is None:
            found.troubles.append((position, f"the compressed text {name!r} cannot be read"))
        elif name == "XML:com.adobe.xmp":
            found.xmp = text
        else:
            found.texts[name] = text[:16_384].decode(codec, "backslashreplace")


def _inflated(data: bytes) -> bytes | None:
    try:
        return zlib.decompressobj().decompress(data, LARGEST_PART)
    except zlib.error:
        return None


def _gif(stream: BinaryIO, found: Structure, size: int) -> None:
    head = stream.read(13)
    if len(head) < 13:
        found.troubles.append((0, "shorter than its header"))
        return
    found.width, found.height = struct.unpack("<HH", head[6:10])
    position = 13 + (3 << ((head[10] & 7) + 1) if head[10] & 0x80 else 0)
    frames = 0
    for _ in range(MOST_PARTS):
        stream.seek(position)
        lead = stream.read(10)
        if lead[:1] == b";":
            found.trailing = size - position - 1
            break
        if lead[:1] == b"!" and len(lead) > 2:
            body, position = _gif_blocks(stream, position + 2)
            if lead[1] == 0xFE and len(found.comments) < 20:
                found.comments.append(body[:4096].decode("utf-8", "backslashreplace"))
            elif lead[1] == 0xFF and body.startswith(b"XMP DataXMP"):
                found.xmp = body[11:]
        elif lead[:1] == b"," and len(lead) == 10:
            frames += 1
            table = 3 << ((lead[9] & 7) + 1) if lead[9] & 0x80 else 0
            _, position = _gif_blocks(stream, position + 10 + table + 1)
        else:
            found.troubles.append((position, "the chain of blocks breaks off"))
            break
    found.frames = frames


def _gif_blocks(stream: BinaryIO, position: int) -> tuple[bytes, int]:
    body = bytearray()
    stream.seek(position)
    while length := stream.read(1):
        position += 1
        if length == b"\0":
            break
        block = stream.read(length[0])
        position += len(block)
        if len(body) < LARGEST_PART:
            body += block
    return bytes(body), position


def _webp(stream: BinaryIO, found: Structure, size: int) -> None:
    position = 12
    for _ in range(MOST_PARTS):
        stream.seek(position)
        head = stream.read(8)
        if len(head) < 8:
            return
        kind, length = struct.unpack("<4sI", head)
        if length > size - position - 8:
            found.troubles.append((position, "a chunk is longer than the file"))
            return
        if kind == b"VP8X":
            body = stream.read(10)
            found.width = int.from_bytes(body[4:7], "little") + 1
            found.height = int.from_bytes(body[7:10], "little") + 1
        elif kind == b"VP8 " and found.width is None:
            body = stream.read(10)
            if body[3:6] == b"\x9d\x01\x2a":
                found.width, found.height = (value & 0x3FFF for value in struct.unpack("<HH", body[6:10]))
        elif kind == b"VP8L" and found.width is None:
            bits = int.from_bytes(stream.read(5)[1:], "little")
            found.width, found.height = (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
        elif kind == b"EXIF" and length <= LARGEST_PART:
            found.exif, found.exif_offset = stream.read(length).removeprefix(EXIF_MARK), position + 8
        elif kind == b"XMP " and length <= LARGEST_PART:
            found.xmp = stream.read(length)
        elif kind == b"ANMF":
            found.frames = (found.frames or 0) + 1
        position += 8 + length + (length & 1)
