"""Small Windows artifacts made byte by byte from their format documents, for tests only."""

from __future__ import annotations

import io
import struct
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from wigmore.model.protocols import Gap, Record, Recorder, Yield

FILETIME_2020 = 132_223_104_001_234_567  # 2020-01-01T00:00:00.1234567Z
LINK_CLASS = uuid.UUID("00021401-0000-0000-c000-000000000046").bytes_le


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


def rows(items: Iterator[Yield]) -> list[tuple[dict[str, object], Record]]:
    """The records of a parser."""
    return [item for item in items if not isinstance(item, (Gap, Recorder))]


def split(items: Iterator[Yield]) -> tuple[list[Record], list[Gap], list[Recorder]]:
    """Records, gaps and recorders of a parser."""
    listed = list(items)
    return (
        [item[1] for item in listed if isinstance(item, tuple)],
        [item for item in listed if isinstance(item, Gap)],
        [item for item in listed if isinstance(item, Recorder)],
    )


def wide(text: str) -> bytes:
    """UTF-16 with its end, lone surrogates allowed."""
    return text.encode("utf-16-le", "surrogatepass") + b"\0\0"


def dollar_i(path: str, size: int, deleted: int, version: int = 2) -> bytes:
    """A $I file."""
    head = struct.pack("<QQQ", version, size, deleted)
    if version == 1:
        return head + wide(path).ljust(520, b"\0")
    return head + struct.pack("<I", len(path) + 1) + wide(path)


def info2(*entries: tuple[str, int, int, int, bool]) -> bytes:
    """An INFO2 of (path, index, size, deleted, removed)."""
    made = struct.pack("<5I", 5, len(entries), len(entries), 800, 0)
    for path, index, size, deleted, removed in entries:
        short = bytearray(path.encode("cp1252").ljust(260, b"\0"))
        if removed:
            short[0] = 0
        made += bytes(short) + struct.pack("<IIQI", index, ord(path[0].upper()) - 65, deleted, size)
        made += wide(path).ljust(520, b"\0")
    return made


def file_item(name: str, kind: int = 0x32, entry: int = 0, sequence: int = 0) -> bytes:
    """A shell item of a file with a BEEF0004 block of version 7."""
    body = struct.pack("<BBIHHH", kind, 0, 1234, 0x5021, 0x0000, 0x20)
    short = name.encode("ascii", "replace")[:8] + b"\0"
    body += short + (b"\0" if len(short) % 2 else b"")
    # size, version, signature, created, accessed, identifier, unknown, file reference, unknown
    extension = struct.pack(
        "<HHIHHHHHHQQH", 0, 7, 0xBEEF0004, 0x5021, 0, 0x5021, 0, 0x2E, 0, entry | sequence << 48, 0, 0
    )
    extension += wide(name) + struct.pack("<H", 2 + len(body))
    extension = struct.pack("<H", len(extension)) + extension[2:]
    body += extension
    return struct.pack("<H", len(body) + 2) + body


def link(
    path: str = "C:\\Users\\a\\report.docx",
    *,
    created: int = FILETIME_2020,
    label: str = "DATA",
    serial: int = 0x1234ABCD,
    arguments: str = "",
    machine: str = "",
    droid: uuid.UUID | None = None,
    items: tuple[bytes, ...] = (),
) -> bytes:
    """A shell link with LinkInfo (Unicode), arguments and tracker as asked."""
    flags = 0x02 | 0x80 | (0x01 if items else 0) | (0x20 if arguments else 0)
    made = struct.pack("<I16sIIQQQIiIH", 76, LINK_CLASS, flags, 0x20, created, created, created + 10, 4096, 0, 1, 0)
    made = made.ljust(76, b"\0")
    if items:
        listed = b"".join(items) + b"\0\0"
        made += struct.pack("<H", len(listed)) + listed
    volume_label = label.encode("cp1252") + b"\0"
    volume = struct.pack("<IIII", 16 + len(volume_label), 3, serial, 16) + volume_label
    local, suffix = path.encode("cp1252", "replace") + b"\0", b"\0"
    volume_at = 36
    local_at = volume_at + len(volume)
    suffix_at = local_at + len(local)
    wide_at = suffix_at + len(suffix)
    info = struct.pack("<7I", 36, 1, volume_at, local_at, 0, suffix_at, wide_at) + struct.pack(
        "<I", wide_at + len(wide(path))
    )
    info += volume + local + suffix + wide(path) + b"\0\0"
    made += struct.pack("<I", len(info) + 4) + info
    if arguments:
        made += struct.pack("<H", len(arguments)) + arguments.encode("utf-16-le")
    if machine or droid:
        made += struct.pack("<IIII16s", 96, 0xA0000003, 88, 0, machine.encode())
        made += (uuid.UUID(int=7).bytes_le + (droid or uuid.UUID(int=0)).bytes_le) * 2
    return made + b"\0\0\0\0"


def dest_entry(
    path: str, number: int, used: int, *, version: int = 4, host: str = "pc-1", pin: int = -1, count: int = 3
) -> bytes:
    """An element of a DestList."""
    made = b"\0" * 72 + host.encode().ljust(16, b"\0") + struct.pack("<IIfQi", number, 0, 2.5, used, pin)
    if version != 1:
        made += struct.pack("<iIQ", -1, count, 0)
    return made + struct.pack("<H", len(path)) + path.encode("utf-16-le") + (b"" if version == 1 else b"\0" * 4)


def dest_list(*entries: bytes, version: int = 4) -> bytes:
    """A DestList stream."""
    return struct.pack("<IIIIQQ", version, len(entries), 0, 0, len(entries), 1) + b"".join(entries)


def custom_destinations(*links: bytes, title: str = "Tasks of ours") -> bytes:
    """A custom list with one named category."""
    made = struct.pack("<III", 2, 1, 0) + struct.pack("<IH", 0, len(title)) + title.encode("utf-16-le")
    return made + struct.pack("<I", len(links)) + b"".join(LINK_CLASS + item for item in links) + b"\xab\xfb\xbf\xba"


def prefetch(
    name: str = "CALC.EXE",
    *,
    version: int = 30,
    runs: tuple[int, ...] = (FILETIME_2020,),
    count: int = 5,
    files: tuple[str, ...] = ("\\VOLUME{01d}\\WINDOWS\\CALC.EXE",),
    serial: int = 0xDEADBEEF,
    path_hash: int = 0x77FDF17F,
) -> bytes:
    """An uncompressed prefetch file of version 23, 26 or 30."""
    names = b"".join(wide(item) for item in files)
    info_size = {23: 156, 26: 220, 30: 220}[version]
    metrics_at = 84 + info_size
    metrics = b"".join(
        struct.pack("<IIIIIIQ", 0, 1, 0, sum(len(wide(f)) for f in files[:i]), len(item), 2, 42 | 3 << 48)
        for i, item in enumerate(files)
    )
    trace_at = metrics_at + len(metrics)
    trace = b"\0" * (12 if version != 30 else 8)
    names_at = trace_at + len(trace)
    volumes_at = (names_at + len(names) + 7) & ~7
    device = wide("\\VOLUME{01d}")
    entry_size = 96 if version == 30 else 104
    volume = struct.pack("<IIQIIIIII", entry_size, len(device) // 2 - 1, FILETIME_2020, serial, 0, 0, 0, 0, 0)
    volume = volume.ljust(entry_size, b"\0") + device
    # one reference list and one list of directories, both empty, behind the device path
    info = struct.pack("<9I", metrics_at, len(files), trace_at, 1, names_at, len(names), volumes_at, 1, len(volume))
    if version == 23:
        info += struct.pack("<QQ", 0, runs[0]) + b"\0" * 16 + struct.pack("<II", count, 0)
    else:
        slots = (list(runs) + [0] * 8)[:8]
        info += struct.pack("<Q8Q", 0, *slots) + b"\0" * 16 + struct.pack("<III", count, 1, 3)
    info = info.ljust(info_size, b"\0")
    head = (
        struct.pack("<I4sII", version, b"SCCA", 0x11, 0)
        + wide(name)[:60].ljust(60, b"\0")
        + struct.pack("<II", path_hash, 0)
    )
    made = head + info + metrics + trace + names
    made = made.ljust(volumes_at, b"\0") + volume
    return made[:12] + struct.pack("<I", len(made)) + made[16:]


def job(application: str, parameters: str, author: str) -> bytes:
    """A .job that last ran on 2013-08-24 12:42:00.112 and starts daily from 2013-07-12 15:42."""
    strings = b"".join(
        struct.pack("<H", len(t) + 1) + wide(t) for t in (application, parameters, "", author, "a comment")
    )
    variable = struct.pack("<H", 0) + strings + struct.pack("<HH", 0, 8) + b"\0" * 8
    fixed = struct.pack("<HH16sHHHHHH", 0x601, 1, uuid.UUID(int=9).bytes_le, 70, 68 + len(variable), 0, 0, 60, 10)
    fixed += struct.pack("<5I", 0x20, 3_600_000, 0, 0x41300, 0x200)
    fixed += struct.pack("<8H", 2013, 8, 6, 24, 12, 42, 0, 112)
    trigger = struct.pack("<10H4I3H", 48, 0, 2013, 7, 12, 0, 0, 0, 15, 42, 1440, 60, 0, 1, 1, 0, 0).ljust(48, b"\0")
    return fixed + variable + struct.pack("<H", 1) + trigger


TASK = """<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Date>2022-03-10T15:59:03</Date><Author>PC\\anna</Author><URI>\\Night</URI></RegistrationInfo>
  <Triggers>
    <TimeTrigger><Repetition><Interval>PT5M</Interval></Repetition>
      <StartBoundary>2022-03-10T15:59:00+02:00</StartBoundary></TimeTrigger>
    <CalendarTrigger><StartBoundary>2022-01-01T00:00:00</StartBoundary>
      <ScheduleByWeek><DaysOfWeek><Monday /></DaysOfWeek></ScheduleByWeek></CalendarTrigger>
  </Triggers>
  <Settings><Enabled>false</Enabled><Hidden>true</Hidden></Settings>
  <Actions Context="Author"><Exec><Command>C:\\T\\a.exe</Command><Arguments>-x &gt; o.txt</Arguments></Exec></Actions>
  <Principals><Principal id="Author"><UserId>S-1-5-18</UserId>
    <RunLevel>HighestAvailable</RunLevel></Principal></Principals>
</Task>"""


def legacy_log(
    *events: tuple[int, str, int, tuple[str, ...]], stale: tuple[int, str, int, tuple[str, ...]] | None = None
) -> bytes:
    """An .evt of (number, source, id, strings), and one stale record behind the cursor."""

    def record(number: int, source: str, identifier: int, strings: tuple[str, ...]) -> bytes:
        names = wide(source) + wide("OLDPC")
        texts = b"".join(wide(text) for text in strings)
        at = 56 + len(names)
        size = (at + len(texts) + 4 + 3) & ~3
        body = struct.pack(
            "<I4s4I4H6I", size, b"LfLe", number, 1_300_000_000 + number, 1_300_000_001 + number, identifier, 8,
            len(strings), 2, 0, 0, at, 0, at, 0, at + len(texts),
        )  # fmt: skip
        return (body + names + texts).ljust(size - 4, b"\0") + struct.pack("<I", size)

    body = b"".join(record(*event) for event in events)
    first, end = 48, 48 + len(body)
    following, oldest = events[-1][0] + 1, events[0][0]
    head = struct.pack("<I4s10I", 48, b"LfLe", 1, 1, first, end, following, oldest, 65536, 0, 0, 48)
    cursor = struct.pack("<10I", 40, 0x11111111, 0x22222222, 0x33333333, 0x44444444, first, end, following, oldest, 40)
    return head + body + cursor + (record(*stale) if stale else b"")


def defender_value(kind: int, raw: bytes) -> bytes:
    """A value of a detection history file."""
    return struct.pack("<II", len(raw), kind) + raw.ljust((len(raw) + 7) // 8 * 8, b"\0")
