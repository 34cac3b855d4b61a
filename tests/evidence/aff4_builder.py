"""AFF4 volumes as the standard describes them: bevies with their index, a map, and the description."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from urllib.parse import quote

VOLUME = "aff4://9db79393-53fa-4147-b823-5c3e1d37544d"
STREAM = "aff4://dac3f96d-8f2c-4116-adc3-e870fd009242"
MAP = "aff4://7c808ddc-c9f7-4cd7-bf15-67d733dc43bc"
IMAGE = "aff4://9c80aaac-c9f7-4cd7-bf15-67d7338af000"
SNAPPY, LZ4, DEFLATE = (
    "http://code.google.com/p/snappy/",
    "https://code.google.com/p/lz4/",
    "https://tools.ietf.org/html/rfc1951",
)
CHUNK = 4096
Piece = tuple[int, int, int, int]


def snappy_literals(raw: bytes) -> bytes:
    """A Snappy block: the first 60 bytes as literals, a copy of runs where the content repeats them."""
    size, stated = len(raw), b""
    while size >= 0x80:
        stated, size = stated + bytes([size & 0x7F | 0x80]), size >> 7
    out = stated + bytes([size])
    at = 0
    while at < len(raw):
        run = raw[at : at + 60]
        out += bytes([(len(run) - 1) << 2]) + run
        at += len(run)
        while len(run) == 60 and raw[at : at + 60] == run:
            out += bytes([(60 - 1) << 2 | 2]) + struct.pack("<H", 60)
            at += 60
    return out


def deflate(raw: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(raw) + packer.flush()


def lz4_run(raw: bytes) -> bytes:
    """An LZ4 block of one literal and a copy over itself for a chunk of equal bytes; literals alone for others."""
    if len(set(raw)) == 1 and len(raw) > 32:
        more, rest = divmod(len(raw) - 2 - 19, 255)
        return b"\x1f" + raw[:1] + b"\1\0" + b"\xff" * more + bytes([rest]) + b"\x10" + raw[:1]
    return raw  # stored: as long as a chunk


def volume(
    media: bytes, method: str = "", *, pieces: Sequence[Piece] | None = None, targets: Sequence[str] = (STREAM,),
    size: int | None = None, about: str = "", description: bool = True, per_bevy: int = 8,
) -> bytes:  # fmt: skip
    """A volume with one image stream over `media`; with `pieces` (mapped, length, target offset, target) a map over it."""
    pack = {"": bytes, SNAPPY: snappy_literals, LZ4: lz4_run, DEFLATE: deflate}[method]
    chunks = [media[at : at + CHUNK].ljust(CHUNK, b"\0") for at in range(0, len(media), CHUNK)]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        if description:
            archive.writestr("container.description", VOLUME)
        archive.writestr("version.txt", "major=1\nminor=0\ntool=a test\n")
        for number in range(-(-len(chunks) // per_bevy)):
            bevy = index = b""
            for raw in chunks[number * per_bevy : (number + 1) * per_bevy]:
                packed = pack(raw)
                packed = packed if len(packed) < CHUNK - 16 else raw
                index += struct.pack("<QI", len(bevy), len(packed))
                bevy += packed
            archive.writestr(f"{quote(STREAM, safe='')}/{number:08d}", bevy)
            archive.writestr(f"{quote(STREAM, safe='')}/{number:08d}.index", index)
        if pieces is not None:
            archive.writestr(f"{quote(MAP, safe='')}/map", b"".join(struct.pack("<QQQI", *piece) for piece in pieces))
            archive.writestr(f"{quote(MAP, safe='')}/idx", "\n".join(targets))
        data = STREAM if pieces is None else MAP
        compression = f" ;\n  aff4:compressionMethod <{method}>" if method else ""
        total = len(media) if size is None else size
        archive.writestr(
            "information.turtle",
            f"""@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix aff4: <http://aff4.org/Schema#> .
# a comment
<{IMAGE}> a aff4:DiskImage, aff4:ContiguousImage, aff4:Image ;
  aff4:dataStream <{data}> ; aff4:diskSerial "S \\"1\\""^^xsd:string ; {about}
  aff4:size "{total}"^^xsd:long .
<{MAP}> a aff4:Map ; aff4:size "{total}"^^xsd:long .
<{STREAM}> a aff4:ImageStream ; aff4:chunkSize "{CHUNK}"^^xsd:int ; aff4:chunksInSegment {per_bevy} ;
  aff4:size {len(media)}{compression} .
""",
        )
        archive.comment = VOLUME.encode()
    return out.getvalue()
