"""Stores list the entries of a folder, a volume or an archive; entries open as evidence files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from wigmore.evidence.local import materialise
from wigmore.model.canonical import clean, shown
from wigmore.model.protocols import Gap, Locator, ParseError, Record
from wigmore.model.times import Time

KINDS = frozenset(["file", "directory", "link", "stream", "device", "other"])
RECOVERIES = frozenset(("intact", "partial", "overwritten", "none"))
PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What a hostile source may cost: nesting and number of containers, entries of a store, bytes out of an archive."""

    max_depth: int = 6
    max_containers: int = 10_000
    max_members: int = 5_000_000
    max_total_bytes: int = 200 * 1024**3
    max_member_bytes: int = 64 * 1024**3
    max_ratio: int = 1_000
    max_path: int = 32_768
    max_folders_deep: int = 512
    max_free_entries: int = 4_096  # pieces of the free space of a volume
    free_piece_bytes: int = 64 * 1024**2
    max_carved: int = 20_000  # files found by signature in one piece


@dataclass(frozen=True, slots=True)
class Entry:
    r"""One thing that a store lists; plain JSON through `to_json`, so that a parent can send it to a worker.

    `path` is source-relative and begins with the store's prefix. `recovery` is None for live entries, else one of
    RECOVERIES; `caveat` says what a recovery assumed. `attributes` holds what the store knows besides, as it goes into
    the listing record. `ref` is the store's own way back to the content (never shown). `path_raw` is the hex of the
    path's bytes where `path` could not show them as they are.
    """

    path: str
    name: str
    kind: str = "file"
    size: int = 0
    inode: str | None = None
    allocated: bool = True
    recovery: str | None = None
    caveat: str = ""
    link_target: str | None = None
    path_raw: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    times: dict[str, Time] = field(default_factory=dict)
    ref: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of entry {self.kind!r}; one of {sorted(KINDS)}")
        if self.recovery is not None and self.recovery not in RECOVERIES:
            raise ValueError(f"unknown recovery {self.recovery!r}; one of {sorted(RECOVERIES)}")

    @property
    def readable(self) -> bool:
        """Whether there is content to open: a file or stream, and if deleted, not lost."""
        return self.kind in ("file", "stream") and self.recovery not in ("none", "overwritten")

    @property
    def free_space(self) -> bool:
        """Whether this is a piece of a volume's free space, which no directory names."""
        return "free" in self.ref

    def to_json(self) -> dict[str, Any]:
        """A JSON object; empty fields are left out."""
        row: dict[str, Any] = {"path": self.path, "name": self.name, "kind": self.kind, "size": self.size}
        if not self.allocated:
            row["allocated"] = False
        for name in ("inode", "recovery", "caveat", "link_target", "path_raw", "attributes", "times", "ref"):
            value = getattr(self, name)
            if value:
                row[name] = value
        return row

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Entry:
        """The entry that `to_json` wrote; TypeError for unknown fields."""
        return cls(**row)


@dataclass(frozen=True, slots=True)
class Expansion:
    """What is true of a container itself: records under its own path, stores inside, parts that could not be opened.

    `prefixes` are for `Source.open_store`; `snapshots` likewise, for earlier states of the same volumes.
    """

    kind: str
    records: tuple[tuple[Locator, Record], ...] = ()
    prefixes: tuple[str, ...] = ()
    snapshots: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    needs: str = ""


class Store:
    """Something that lists entries and opens them: subclasses give `entries` and `open_entry`, and `find` if they can.

    `prefix` is the path inside the source; entries' paths begin with it. Handles belong to one process and one thread.
    """

    kind = "store"
    ignores_case = False
    carved = False  # whether what it lists was found by signature in free space, or lies in such a file

    def __init__(self, source_id: str, prefix: str, limits: Limits | None = None) -> None:
        self.source_id = source_id
        self.prefix = prefix
        self.limits = limits or Limits()
        self._index: dict[str, Entry] | None = None

    def entries(self) -> Iterator[Entry | Gap]:
        """Every live entry in a fixed order, then the deleted ones; `Gap` for parts that cannot be listed."""
        raise NotImplementedError

    def open_entry(self, entry: Entry) -> BinaryIO:
        """A seekable stream over the entry's content; ParseError where there is none to be had."""
        raise NotImplementedError

    def close(self) -> None:
        """Give handles back; safe to call twice."""

    def key(self, path: str) -> str:
        """The form of a path that look-ups compare."""
        return path.casefold() if self.ignores_case else path

    def find(self, path: str) -> Entry | None:
        """The entry at a source-relative path: a live one before deleted ones, the first before its twins."""
        if self._index is None:
            live: dict[str, Entry] = {}
            gone: dict[str, Entry] = {}
            for entry in self.entries():
                if isinstance(entry, Entry):
                    (live if entry.allocated else gone).setdefault(self.key(entry.path), entry)
            self._index = gone | live
        return self._index.get(self.key(path))

    def extents(self, entry: Entry) -> list[tuple[int, int]]:
        """Where the content lies in the container's medium: (byte offset, bytes) in order; empty where unknown."""
        return []

    def file(self, entry: Entry) -> StoreFile:
        """The entry as an evidence file; ParseError for kinds without content."""
        if entry.kind not in ("file", "stream"):
            raise ParseError(entry.path, None, f"a {entry.kind} has no content to read", "unsupported")
        return StoreFile(self, entry)

    def join(self, relative: str) -> str:
        """The source-relative path of a path inside this store."""
        return f"{self.prefix}/{relative}" if self.prefix else relative


@dataclass(frozen=True)
class StoreFile:
    """The content of one entry of a store, as parsers see it."""

    store: Store
    entry: Entry

    @property
    def source_id(self) -> str:
        """The source the bytes belong to."""
        return self.store.source_id

    @property
    def path(self) -> str:
        """The path inside the source, `/` between parts."""
        return self.entry.path

    @property
    def inode(self) -> str | None:
        """Inode, entry or stream number where the store has one."""
        return self.entry.inode

    @property
    def size(self) -> int:
        """Bytes."""
        return self.entry.size

    @property
    def state(self) -> str:
        """`live`, `unallocated` for recovered deleted content, or `carved` for files found by signature."""
        return "carved" if self.store.carved else "live" if self.entry.allocated else "unallocated"

    def open(self) -> BinaryIO:
        """A seekable binary stream over the content; ParseError where nothing of it can be had."""
        return self.store.open_entry(self.entry)

    def read(self, limit: int = 512 * 1024 * 1024) -> bytes:
        """The whole content; raises ParseError (reason too_large) past `limit` bytes."""
        if self.size > limit:
            raise ParseError(self.path, None, f"{self.size} bytes are more than the limit of {limit}", "too_large")
        with self.open() as stream:
            content = stream.read(limit + 1)
        if len(content) > limit:
            raise ParseError(self.path, None, f"content is longer than the limit of {limit} bytes", "too_large")
        return content

    def sibling(self, name: str) -> StoreFile | None:
        """The file of that name in the same folder (case as the store has it), or None."""
        if "/" in name or "\0" in name or name in ("", ".", ".."):
            return None
        folder = self.path.rpartition("/")[0]
        entry = self.store.find(f"{folder}/{name}" if folder else name)
        return StoreFile(self.store, entry) if entry is not None and entry.kind in ("file", "stream") else None

    @contextmanager
    def on_disk(self, *siblings: str) -> Iterator[Path]:
        """A private copy in a temporary folder, with the named siblings beside it where they exist."""
        with materialise(self, siblings) as path:
            yield path


class Stream(io.RawIOBase):
    """A read-only seekable stream: subclasses give `read_at`; wrap with `buffered`."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self._place = 0

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes at `offset`; empty only where nothing more can be read."""
        raise NotImplementedError

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The current offset."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; ValueError for a place before the start."""
        place = offset + (0, self._place, self.size)[whence]
        if place < 0:
            raise ValueError(f"cannot seek to {place}, before the start")
        self._place = place
        return place

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` from the current offset; 0 at the end."""
        wanted = min(len(buffer), self.size - self._place)
        if wanted <= 0:
            return 0
        piece = self.read_at(self._place, wanted)
        buffer[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)


def buffered(stream: Stream, piece: int = 256 * 1024) -> BinaryIO:
    """The stream with a read buffer of at most `piece` bytes, no larger than the content needs."""
    return io.BufferedReader(stream, max(512, min(piece, stream.size + 1)))


def part(raw: bytes) -> tuple[str, bool]:
    r"""A file name's bytes as text, and whether they could not be shown as they are.

    Undecodable bytes become `\xNN`, lone surrogates `\uNNNN`, `/` and NUL inside a name `\x2f` and `\x00`.
    """
    try:
        text = raw.decode("utf-8")
        altered = False
    except UnicodeDecodeError:
        try:
            text = clean(raw.decode("utf-8", "surrogatepass"))
        except UnicodeDecodeError:
            text = shown(raw)
        altered = True
    if "/" in text or "\0" in text:
        return text.replace("/", "\\x2f").replace("\0", "\\x00"), True
    return text, altered
