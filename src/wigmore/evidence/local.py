"""A file of the examiner's own disk as evidence: opened read-only, its access time left alone where the system allows."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from wigmore.model.protocols import EvidenceFile, ParseError

CHUNK = 1024 * 1024


def open_untouched(path: Path) -> BinaryIO:
    """Open for reading without moving the access time; falls back where the system refuses (not the file's owner)."""
    flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        handle = os.open(path, flags | getattr(os, "O_NOATIME", 0))
    except PermissionError:
        handle = os.open(path, flags)
    return os.fdopen(handle, "rb")


def copy_out(file: EvidenceFile, target: Path) -> None:
    """Write a file's content to `target`, in chunks."""
    with file.open() as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy, CHUNK)


@contextmanager
def materialise(file: EvidenceFile, siblings: tuple[str, ...]) -> Iterator[Path]:
    """A private copy of a file in a temporary folder, with the named siblings beside it where they exist."""
    with tempfile.TemporaryDirectory(prefix="wigmore-") as folder:
        name = os.path.basename(file.path.replace("\\", "_")) or "content"
        target = Path(folder) / name.replace("\0", "_")[:200]
        copy_out(file, target)
        for sibling_name in siblings:
            sibling = file.sibling(sibling_name)
            if sibling is not None:
                copy_out(sibling, Path(folder) / os.path.basename(sibling_name))
        yield target


@dataclass(frozen=True)
class LocalFile:
    """One regular file below a folder source."""

    source_id: str
    path: str
    on_host: Path
    size: int
    inode: str | None = None
    state: str = "live"

    @classmethod
    def at(cls, on_host: Path, source_id: str = "src-local", path: str | None = None) -> LocalFile:
        """The file at a path of this machine; `path` is its name inside the source."""
        return cls(source_id, path or on_host.name, on_host, on_host.stat().st_size)

    def open(self) -> BinaryIO:
        """A seekable binary stream over the content."""
        return open_untouched(self.on_host)

    def read(self, limit: int = 512 * 1024 * 1024) -> bytes:
        """The whole content; raises ParseError (reason too_large) past `limit` bytes."""
        if self.size > limit:
            raise ParseError(self.path, None, f"{self.size} bytes are more than the limit of {limit}", "too_large")
        with self.open() as stream:
            return stream.read(limit + 1)[:limit]

    def sibling(self, name: str) -> LocalFile | None:
        """The file of that name in the same folder, or None; never through a link."""
        if "/" in name or "\0" in name or name in (".", ".."):
            return None
        candidate = self.on_host.with_name(name)
        if candidate.is_symlink() or not candidate.is_file():
            return None
        head, _, _ = self.path.rpartition("/")
        return LocalFile(self.source_id, f"{head}/{name}" if head else name, candidate, candidate.stat().st_size)

    @contextmanager
    def on_disk(self, *siblings: str) -> Iterator[Path]:
        """A private copy in a temporary folder, with the named siblings beside it where they exist."""
        with materialise(self, siblings) as path:
            yield path
