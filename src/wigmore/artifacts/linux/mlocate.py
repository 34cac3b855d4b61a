"""The locate database of mlocate: each directory with its time and entries, and the updatedb settings."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Gap, Locator, ParseError, Record, Yield
from wigmore.model.times import posix
from wigmore.registry import Claim, parser

MAGIC = b"\0mlocate"
LONGEST_NAME = 65_536
MOST_ENTRIES = 20_000  # of one record; further ones go to a following record


class _Reader:
    """Reads NUL-ended names from a stream through a bounded buffer, knowing the offset."""

    def __init__(self, stream: BinaryIO, offset: int) -> None:
        self.stream, self.offset, self.buffer = stream, offset, b""

    def take(self, count: int) -> bytes | None:
        while len(self.buffer) < count:
            more = self.stream.read(65_536)
            if not more:
                return None
            self.buffer += more
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        self.offset += count
        return taken

    def name(self) -> bytes | None:
        while (end := self.buffer.find(b"\0")) == -1:
            more = self.stream.read(65_536)
            if not more or len(self.buffer) > LONGEST_NAME:
                return None
            self.buffer += more
        found, self.buffer = self.buffer[:end], self.buffer[end + 1 :]
        self.offset += end + 1
        return found


@parser(
    "linux.mlocate",
    claims=Claim(magic=((0, MAGIC),)),
    reads="/var/lib/mlocate/mlocate.db",
    means="when updatedb last ran, the directory (as last changed at the stored time) held entries of these names",
    does_not_mean="that the entries exist now or who made them; names that updatedb was told to prune; the times of "
    "the entries",
    refs=("mlocate.db(5)",),
)
def mlocate(file: EvidenceFile) -> Iterator[Yield]:
    """One record for the settings, then one a directory with the names of its files and folders."""
    with file.open() as stream:
        head = stream.read(16)
        if len(head) < 16:
            raise ParseError(file.path, 0, "shorter than its header", "truncated")
        size, version, visibility = struct.unpack(">IBB", head[8:14])
        reader = _Reader(stream, 16)
        root = reader.name()
        settings_at = reader.offset
        settings = reader.take(size) if root is not None and size <= 1024 * 1024 else None
        if version != 0 or root is None or settings is None:
            raise ParseError(
                file.path, 8, f"version {version}, settings of {size} bytes: not readable", "schema_unknown"
            )
        data: dict[str, object] = {
            "root": shown(root),
            "requires_visibility": bool(visibility),
            "settings": _settings(settings),
        }
        yield {"kind": "offset", "offset": 0, "length": settings_at + size}, Record(data)
        while True:
            start = reader.offset
            directory = reader.take(16)
            if directory is None:
                if reader.buffer:
                    yield Gap("a torn directory header at the end", start, "truncated")
                return
            second, nanosecond = struct.unpack(">QI", directory[:12])
            path = reader.name()
            if path is None or nanosecond > 999_999_999:
                yield Gap("a directory header that cannot be", start)
                return
            yield from _directory(reader, start, shown(path), second, nanosecond)


def _settings(raw: bytes) -> dict[str, list[str]]:
    """The updatedb settings: a name, its values, an empty string, again and again."""
    settings: dict[str, list[str]] = {}
    name = ""
    for part in raw.split(b"\0"):
        if not part:
            name = ""
        elif not name:
            name = shown(part)
            settings[name] = []
        else:
            settings[name].append(shown(part))
    return settings


def _directory(reader: _Reader, start: int, path: str, second: int, nanosecond: int) -> Iterator[Yield]:
    time = posix(second * 1_000_000_000 + nanosecond, unit="ns") if second else None
    if time:
        time["raw"] = f"{second}.{nanosecond:09d}"
    files: list[str] = []
    folders: list[str] = []
    entries: list[str] = []

    def record() -> tuple[Locator, Record]:
        data: dict[str, object] = {
            "path": path,
            "entries": list(entries),
            "files": list(files),
            "folders": list(folders),
        }
        locator: Locator = {"kind": "offset", "offset": start, "length": reader.offset - start}
        return locator, Record(
            data, {"directory_changed_at": time} if time else {}, "directory_changed_at" if time else None
        )

    while True:
        kind = reader.take(1)
        if kind == b"\2":
            yield record()
            return
        name = reader.name() if kind in (b"\0", b"\1") else None
        if name is None:
            yield record()
            yield Gap("the list of entries breaks off", reader.offset, "truncated")
            reader.buffer = b""
            reader.stream.seek(0, 2)
            return
        entries.append(shown(name))
        (files if kind == b"\0" else folders).append(shown(name))
        if len(entries) >= MOST_ENTRIES:
            yield record()
            start = reader.offset
            entries.clear()
            files.clear()
            folders.clear()
