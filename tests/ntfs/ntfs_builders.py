"""File-system and shell remnants made byte by byte from their format documents, for tests only."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from compound_file import compound
from wigmore.artifacts.windows.ntfs_index import MARK
from wigmore.model.protocols import Gap, Record, Recorder, Yield

TIME = 132_223_104_001_234_567  # 2020-01-01T00:00:00.1234567Z
SECOND = 10_000_000


@dataclass
class Memory:
    """An evidence file of bytes in memory, with siblings."""

    path: str
    content: bytes
    siblings: dict[str, bytes] = field(default_factory=dict)
    source_id: str = "src-test"
    inode: str | None = None
    state: str = "live"

    @property
    def size(self) -> int:
        return len(self.content)

    def open(self) -> BinaryIO:
        return io.BytesIO(self.content)

    def read(self, limit: int = 1 << 29) -> bytes:
        return self.content[:limit]

    def sibling(self, name: str) -> Memory | None:
        return Memory(name, self.siblings[name]) if name in self.siblings else None

    @contextmanager
    def on_disk(self, *siblings: str) -> Iterator[Path]:
        raise NotImplementedError("no parser of this folder needs a path")


def split(items: Iterator[Yield]) -> tuple[list[Record], list[Gap]]:
    """Records and gaps of a parser."""
    listed = list(items)
    return [i[1] for i in listed if isinstance(i, tuple)], [i for i in listed if isinstance(i, Gap)]


def located(items: Iterator[Yield]) -> list[tuple[dict[str, object], Record]]:
    """Locators and records of a parser."""
    return [i for i in items if not isinstance(i, (Gap, Recorder))]


def protect(block: bytes, at: int, number: int = 7) -> bytes:
    """A block with its update sequence array filled: sector ends moved into it and replaced by the number."""
    made = bytearray(block)
    sectors = len(block) // 512
    struct.pack_into("<HHH", made, 4, at, sectors + 1, 0)
    struct.pack_into("<H", made, at, number)
    for sector in range(1, sectors + 1):
        end = sector * 512
        made[at + 2 * sector : at + 2 * sector + 2] = made[end - 2 : end]
        struct.pack_into("<H", made, end - 2, number)
    return bytes(made)


def resident(kind: int, value: bytes, name: str = "") -> bytes:
    """A resident attribute."""
    letters = name.encode("utf-16-le")
    value_at = (24 + len(letters) + 7) & ~7
    length = (value_at + len(value) + 7) & ~7
    head = struct.pack("<IIBBHHH", kind, length, 0, len(name), 24, 0, 0) + struct.pack(
        "<IHBB", len(value), value_at, 0, 0
    )
    return (head + letters).ljust(value_at, b"\0") + value.ljust(length - value_at, b"\0")


def foreign(kind: int, size: int, name: str = "") -> bytes:
    """A non-resident attribute (its runs are not looked at)."""
    letters = name.encode("utf-16-le")
    runs_at = (64 + len(letters) + 7) & ~7
    head = struct.pack("<IIBBHHH", kind, runs_at + 8, 1, len(name), 64, 0, 0)
    head += struct.pack("<QQHHIQQQ", 0, size // 4096, runs_at, 0, 0, (size + 4095) & ~4095, size, size)
    return (head + letters).ljust(runs_at + 8, b"\0")


def name_value(
    name: str, parent: int = 5, sequence: int = 5, stamp: int = TIME, kind: int = 1, flags: int = 0x20
) -> bytes:
    """A $FILE_NAME value."""
    stamps = (stamp, stamp + SECOND, stamp + 2 * SECOND, stamp + 3 * SECOND)
    head = struct.pack("<Q4QQQII", parent | sequence << 48, *stamps, 4096, 100, flags, 0)
    return head + bytes((len(name), kind)) + name.encode("utf-16-le")


def standard(stamp: int = TIME) -> bytes:
    """A $STANDARD_INFORMATION value of 72 bytes."""
    stamps = (stamp, stamp + SECOND, stamp + 2 * SECOND, stamp + 3 * SECOND)
    return struct.pack("<4QIIIIIIQQ", *stamps, 0x20, 0, 0, 0, 0, 257, 0, 4242)


def file_record(
    number: int, *parts: bytes, sequence: int = 1, flags: int = 1, base: int = 0, whole: bool = True
) -> bytes:
    """A FILE record of 1,024 bytes; `flags` 1 in use, 2 folder; `whole` False leaves the sector ends as in a log record."""
    body = b"".join(parts) + struct.pack("<II", 0xFFFFFFFF, 0)
    head = struct.pack(
        "<4sHHQHHHHIIQHHI", b"FILE", 48, 3, 99, sequence, 1, 56, flags, 56 + len(body), 1024, base, 9, 0, number
    )
    block = (head.ljust(56, b"\0") + body).ljust(1024, b"\0")
    return protect(block, 48) if whole else block[: 56 + len(body)]


def master_file_table() -> bytes:
    """Records 0 to 12: the root, a folder, files with streams, a deleted file, a reused folder, extension records."""
    made = {
        0: file_record(0, resident(0x10, standard()), resident(0x30, name_value("$MFT")), foreign(0x80, 13 * 1024)),
        5: file_record(5, resident(0x10, standard()), resident(0x30, name_value(".", kind=3)), sequence=5, flags=3),
        6: file_record(6, resident(0x10, standard()), resident(0x30, name_value("Docs")), sequence=2, flags=3),
        7: file_record(
            7,
            resident(0x10, standard(TIME - 1000 * SECOND)),
            resident(0x30, name_value("LONGNA~1.TXT", 6, 2, kind=2)),
            resident(0x30, name_value("long name.txt", 6, 2)),
            resident(0x80, b"resident content"),
            resident(0x80, b"[ZoneTransfer]\r\nZoneId=3\r\n", "Zone.Identifier"),
        ),
        8: file_record(
            8,
            resident(0x10, standard()),
            resident(0x30, name_value("gone.doc", 6, 2)),
            foreign(0x80, 9000),
            sequence=3,
            flags=0,
        ),
        9: file_record(9, resident(0x10, standard()), resident(0x30, name_value("orphan.txt", 6, 1)), flags=0),
        10: file_record(10, resident(0x10, standard()), resident(0x20, b"\0" * 32), sequence=4),
        11: file_record(
            11, resident(0x30, name_value("in extension.bin", 6, 2)), foreign(0x80, 5000), base=10 | 4 << 48
        ),
    }
    return b"".join(made.get(number, b"\0" * 1024) for number in range(13))


def usn_record(
    usn: int,
    name: str,
    reason: int,
    file: int = 40,
    parent: int = 5 | 5 << 48,
    version: int = 2,
    attributes: int = 0x20,
) -> bytes:
    """A journal record of version 2 or 3."""
    wide = 8 if version == 2 else 16
    letters = name.encode("utf-16-le")
    name_at = 44 + 2 * wide
    length = (name_at + len(letters) + 7) & ~7
    head = struct.pack("<IHH", length, version, 0) + file.to_bytes(wide, "little") + parent.to_bytes(wide, "little")
    head += struct.pack("<qqIIIIHH", usn, TIME + usn * 1000, reason, 0, 0, attributes, len(letters), name_at)
    return (head + letters).ljust(length, b"\0")


def usn_extents(usn: int, file: int = 40) -> bytes:
    """A journal record of version 4 with one extent."""
    head = struct.pack("<IHH", 80, 4, 0) + file.to_bytes(16, "little") + (5 | 5 << 48).to_bytes(16, "little")
    return head + struct.pack("<qIIIHH", usn, 0x80000001, 0, 0, 1, 16) + struct.pack("<qq", 4096, 512)


SEQUENCE_BITS = 44


def log_record(
    place: int, redo: int, undo: int, redo_data: bytes, undo_data: bytes = b"", at: int = 0, value: int = 0
) -> bytes:
    """A log record that is to stand at a byte offset of the log."""
    lsn = 3 << (64 - SEQUENCE_BITS) | place >> 3
    after = (40 + len(redo_data) + 7) & ~7
    client = struct.pack("<12HQ", redo, undo, 40, len(redo_data), after, len(undo_data), 24, 1, at, value, 2, 0, 77)
    body = (client + b"\0" * 8 + redo_data).ljust(after, b"\0") + undo_data
    body = body.ljust((len(body) + 7) & ~7, b"\0")
    return struct.pack("<QQQIHHIIH6x", lsn, lsn - 10, 0, len(body), 0, 0, 1, 24, 0) + body


def entry(name: str, record: int = 40, sequence: int = 2, **named: int) -> bytes:
    """An index entry."""
    key = name_value(name, **named)
    length = (16 + len(key) + 7) & ~7
    return (struct.pack("<QHHHH", record | sequence << 48, length, len(key), 0, 0) + key).ljust(length, b"\0")


def log_file(restart: bool = True) -> bytes:
    """Two restart pages, two empty tail pages, and log pages with one record of each told operation over two pages."""
    area = struct.pack("<QHHHHIHHQIHH", 3 << 20 | 2100, 1, 0xFFFF, 0, 2, SEQUENCE_BITS, 160, 64, 6 * 4096, 64, 48, 64)
    client = struct.pack("<QQHHH6xI", 1, 2, 0xFFFF, 0xFFFF, 0, 8) + "NTFS".encode("utf-16-le").ljust(64, b"\0")
    page = struct.pack("<4sHHQIIHhh", b"RSTR", 30, 9, 0, 4096, 4096, 48, 1, 1).ljust(48, b"\0")
    page = protect((page + area.ljust(64, b"\0") + client).ljust(4096, b"\0"), 30)
    usn = usn_record(88, "journal.txt", 0x80000200)
    before = standard(TIME)[:32]
    after = standard(TIME - 5000 * SECOND)[:32]
    whole = file_record(
        50, resident(0x10, standard()), resident(0x30, name_value("made.txt")), resident(0x80, b"x" * 2000), whole=False
    )
    made = (
        (0x02, 0x00, whole, b"", 0, 0),
        (0x0E, 0x0F, entry("made.txt", 50, 1), b"", 0, 0),
        (0x0F, 0x0E, b"", entry("removed.txt", 51, 4), 0, 0),
        (0x05, 0x06, resident(0x30, name_value("renamed.txt")), b"", 0x98, 0),
        (0x07, 0x07, after, before, 0x38, 0x18),
        (0x08, 0x08, usn, b"", 0, 0),
        (0x1B, 0x01, b"", b"", 0, 0),
    )
    data = b""  # the data areas of the pages, one after the other
    room = 4096 - 64
    for redo, undo, new, old, at, value in made:
        number, rest = divmod(len(data), room)
        if room - rest < 48:  # a header is not split
            data = data.ljust((number + 1) * room, b"\0")
            number, rest = number + 1, 0
        data += log_record((4 + number) * 4096 + 64 + rest, redo, undo, new, old, at, value)
    pages = []
    for number in range(2):
        head = struct.pack("<4sHHQIHHHH8xQ", b"RCRD", 40, 9, 1, 1, 1, 1, 64, 0, 1).ljust(64, b"\0")
        pages.append(protect((head + data[number * room : (number + 1) * room]).ljust(4096, b"\0"), 40))
    front = page + page if restart else b"\xff" * 8192
    return front + b"\xff" * 8192 + b"".join(pages)


def index_block() -> bytes:
    """An index block with two entries in use and one in its free part."""
    used = entry("alpha.txt", 41) + entry("beta.txt", 42) + struct.pack("<QHHHH", 0, 16, 0, 2, 0)
    block = struct.pack("<4sHHQQ", MARK, 40, 9, 1, 0) + struct.pack("<IIII", 40, 40 + len(used), 4072, 0)
    block = block.ljust(64, b"\0") + used + b"\0" * 8 + entry("was here.doc", 43, 9)
    return protect(block.ljust(4096, b"\0"), 40)


def png(width: int, height: int) -> bytes:
    """A grey picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + b"\x80" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def jpeg(width: int, height: int) -> bytes:
    """The headers of a JPEG picture, without its scan."""
    return (
        b"\xff\xd8\xff\xe0\0\x04AB" + b"\xff\xc0\0\x0b\x08" + struct.pack(">HH", height, width) + b"\1\1\x11\0\xff\xd9"
    )


def cache_entry(version: int, key: int, identifier: str, content: bytes, width: int = 0, height: int = 0) -> bytes:
    """An entry of a thumbnail cache."""
    letters = identifier.encode("utf-16-le")
    sizes = struct.pack("<III", len(letters), 2, len(content))
    if version == 20:
        rest = "jpg".encode("utf-16-le").ljust(8, b"\0") + sizes + b"\0" * 4
    elif version == 21:
        rest = sizes + b"\0" * 4
    else:
        rest = sizes + struct.pack("<III", width, height, 0)
    body = rest + struct.pack("<QQ", 0xAA, 0xBB) + letters + b"\0\0" + content
    return struct.pack("<4sIQ", b"CMMM", 16 + len(body), key) + body


def cache(version: int, *entries: bytes, kind: int = 2) -> bytes:
    """A thumbnail cache with a free entry at its end."""
    free = struct.pack("<4sIQ", b"CMMM", 200, 0).ljust(200, b"\0")
    body = b"".join(entries)
    return struct.pack("<4sIIIII", b"CMMM", version, kind, 24, 24 + len(body), len(entries)) + body + free


def thumbs_db() -> bytes:
    """A catalogue of two files, pictures of both, and one picture called by a hash."""
    catalogue = struct.pack("<HHIII", 16, 7, 2, 96, 96)
    for number, name in ((1, "beach.jpg"), (12, "cliff.jpg")):
        letters = name.encode("utf-16-le") + b"\0\0"
        catalogue += struct.pack("<IIQ", 16 + len(letters), number, TIME) + letters
    return compound(
        {
            "Catalog": catalogue,
            "1": struct.pack("<III", 12, 1, 20) + jpeg(96, 64),
            "21": struct.pack("<III", 12, 1, 20) + jpeg(64, 96),
            "256_79dea834bece3f6b": struct.pack("<IIIIII", 24, 1, 20, 0, 0, 0) + jpeg(256, 200),
        }
    )


def error_report(extra: str = "") -> bytes:
    """A report on a crash."""
    lines = (
        f"Version=1\r\nEventType=APPCRASH\r\nEventTime={TIME}\r\nReportType=2\r\nConsent=1\r\nUploadTime={TIME + SECOND}\r\n"
        "Sig[0].Name=Application Name\r\nSig[0].Value=tool.exe\r\nSig[6].Name=Exception Code\r\nSig[6].Value=c0000005\r\n"
        "DynamicSig[1].Name=OS Version\r\nDynamicSig[1].Value=10.0.19044.2.0.0.256.48\r\n"
        "LoadedModule[0]=C:\\Tools\\tool.exe\r\nLoadedModule[1]=C:\\Windows\\SYSTEM32\\ntdll.dll\r\n"
        "AppName=A tool\r\nAppPath=C:\\Tools\\tool.exe\r\nNsAppName=tool.exe\r\n"
        "TargetAppId=W:0006aabb!0000da39a3ee5e6b4b0d3255bfef95601890afd80709!tool.exe\r\n"
    )
    return b"\xff\xfe" + (lines + extra).encode("utf-16-le")


def damaged(content: bytes, count: int, seed: int = 1) -> Iterator[bytes]:
    """Copies cut at several places or with bytes changed, the same ones each time."""
    import random

    draws = random.Random(seed)
    for number in range(count):
        made = bytearray(content)
        if number % 3 == 0:
            made = made[: draws.randrange(len(made))]
        else:
            for _ in range(1 + draws.randrange(40)):
                made[draws.randrange(len(made))] = draws.randrange(256)
        yield bytes(made)
