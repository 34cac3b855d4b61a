"""Small whole files of the formats that carving knows, and a FAT volume whose free clusters hold them."""

from __future__ import annotations

import gzip
import io
import random
import sqlite3
import struct
import zipfile
import zlib
from datetime import datetime
from pathlib import Path

from wigmore.generator.image.fat import CLUSTER, SECTOR, FatVolume

DAY = datetime(2026, 3, 2, 12)


def noise(size: int, seed: int = 1, without: bytes = b"\xff\0") -> bytes:
    """Bytes that hold no marker of a format."""
    return random.Random(seed).randbytes(size * 2).translate(None, without)[:size].ljust(size, b"n")


def _segment(mark: int, body: bytes) -> bytes:
    return bytes((0xFF, mark)) + struct.pack(">H", len(body) + 2) + body


def jpeg(size: int = 5000, seed: int = 1) -> bytes:
    """A JPEG stream of about that size; its picture is noise."""
    head = b"\xff\xd8" + _segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0") + _segment(0xDB, bytes(65))
    frame = _segment(0xC0, struct.pack(">BHHB3B", 8, 32, 48, 1, 1, 0x11, 0)) + _segment(0xC4, bytes(20))
    body = noise(size, seed)
    return head + frame + _segment(0xDA, b"\1\1\0\0\x3f\0") + body + b"\xff\0" + b"\xff\xd3" + body[:7] + b"\xff\xd9"


def png(size: int = 3000, seed: int = 2) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 20, 10, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", noise(size, seed)) + chunk(b"IEND", b"")


def gif() -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0x80, 0, 0) + bytes(6)
    return head + b"\x2c" + struct.pack("<HHHHB", 0, 0, 4, 4, 0) + b"\2\3abc\0" + b"\x3b"


def pdf(text: bytes = b"hello") -> bytes:
    body = b"%PDF-1.4\n1 0 obj\n<<" + text + b">>\nendobj\n"
    return body + b"xref\n0 1\ntrailer\n<<>>\nstartxref\n%d\n%%%%EOF\n" % len(body)


def packed(names: tuple[str, ...] = ("a.txt", "b/c.txt"), size: int = 2000) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(zipfile.ZipInfo(name, (2026, 3, 2, 1, 2, 4)), noise(size, number))
    return out.getvalue()


def database(folder: Path) -> bytes:
    path = folder / "made.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("create table notes (id integer primary key, text)")
    connection.executemany("insert into notes (text) values (?)", [(f"note {n} " * 40,) for n in range(60)])
    connection.commit()
    connection.close()
    content = path.read_bytes()
    path.unlink()
    return content


def hive() -> bytes:
    head = bytearray(4096)
    struct.pack_into("<4sIIQIIII", head, 0, b"regf", 1, 1, 0, 1, 5, 0, 1)
    struct.pack_into("<II", head, 36, 32, 8192)
    check = 0
    for (word,) in struct.iter_unpack("<I", head[:508]):
        check ^= word
    struct.pack_into("<I", head, 508, check)
    bins = b"".join((b"hbin" + struct.pack("<II", at, 4096)).ljust(4096, b"h") for at in (0, 4096))
    return bytes(head) + bins


def event_chunk() -> bytes:
    chunk = bytearray(65536)
    struct.pack_into("<8sQQQQII", chunk, 0, b"ElfChnk\0", 1, 9, 1, 9, 128, 600)
    struct.pack_into("<I", chunk, 124, zlib.crc32(chunk[128:512], zlib.crc32(chunk[:120])))
    return bytes(chunk)


def event_log(chunks: int = 2) -> bytes:
    head = bytearray(4096)
    struct.pack_into("<8sQQQIHHHH", head, 0, b"ElfFile\0", 0, chunks - 1, 99, 128, 1, 3, 4096, chunks)
    struct.pack_into("<I", head, 124, zlib.crc32(head[:120]))
    return bytes(head) + event_chunk() * chunks


def shortcut() -> bytes:
    head = bytearray(76)
    struct.pack_into("<I16sI", head, 0, 76, bytes.fromhex("0114020000000000c000000000000046"), 0x1 | 0x4 | 0x80)
    items = b"\x14\0" + bytes(18) + b"\0\0"
    text = "a note"
    name = struct.pack("<H", len(text)) + text.encode("utf-16-le")
    extra = struct.pack("<II", 12, 0xA0000003) + bytes(4)
    return bytes(head) + struct.pack("<H", len(items)) + items + name + extra + bytes(4)


def compound() -> bytes:
    """Header, one sector of allocation table, a folder, three sectors of content."""
    head = bytearray(512)
    head[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<HHHHH", head, 24, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<II", head, 44, 1, 1)
    struct.pack_into("<IIIII", head, 56, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    struct.pack_into("<109I", head, 76, 0, *[0xFFFFFFFF] * 108)
    table = [0xFFFFFFFD, 0xFFFFFFFE, 3, 4, 0xFFFFFFFE] + [0xFFFFFFFF] * 123
    folder = b""
    for name in ("Root Entry", "WordDocument", "", ""):
        raw = (name + "\0").encode("utf-16-le") if name else b""
        folder += raw.ljust(64, b"\0") + struct.pack("<H", len(raw)) + bytes(62)
    return bytes(head) + struct.pack("<128I", *table) + folder + noise(512 * 3)


def movie() -> bytes:
    def box(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body) + 8) + kind + body

    return box(b"ftyp", b"isom\0\0\2\0isom") + box(b"mdat", noise(900)) + box(b"moov", bytes(100))


def all_formats(folder: Path) -> dict[str, bytes]:
    """A whole file by extension."""
    office = packed(("[Content_Types].xml", "word/document.xml"))
    return {
        "jpg": jpeg(), "png": png(), "gif": gif(), "pdf": pdf(), "zip": packed(), "docx": office,
        "doc": compound(), "sqlite": database(folder), "evtx": event_log(), "hive": hive(), "lnk": shortcut(),
        "mp4": movie(), "gz": gzip.compress(noise(6000), mtime=0), "evtx_chunks": event_chunk(),
    }  # fmt: skip


class Volume(FatVolume):
    """A FAT volume into whose clusters content can be put that no table and no folder knows of."""

    def __init__(self, partitioned: bool = False) -> None:
        super().__init__("STICK", 0x1234, DAY, partitioned=partitioned)

    def live(self, name: str, content: bytes) -> None:
        """A file."""
        self.add(name, content, DAY, DAY, DAY)

    def place(self, cluster: int, content: bytes) -> int:
        """Put content into clusters from there on; gives the byte offset in the volume."""
        at = (cluster - 2) * CLUSTER
        self.data[at : at + len(content)] = content
        return self.data_sector * SECTOR + at

    def lose(self, name: str) -> None:
        """Delete a file of the root, and its directory entry with it."""
        start, count = self.root.names[name.upper()]
        self.delete(name)
        del self.root.entries[start : start + count]
        for other, (place, size) in self.root.names.items():
            self.root.names[other] = (place - count if place > start else place, size)
