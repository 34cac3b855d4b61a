"""The Sleuth Kit and libyal as our streams: media in, contents out, runs of blocks, and their errors."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytsk3

from wigmore.evidence.media import Media, reason_of
from wigmore.evidence.store import Stream
from wigmore.model import times
from wigmore.model.protocols import ParseError
from wigmore.model.times import Time

# The Sleuth Kit's binding turns an error of the medium below it into a RuntimeError
FAILURES = (OSError, RuntimeError)
RESIDENT = 4  # TSK_FS_ATTR_RES
FILLER, SPARSE = int(pytsk3.TSK_FS_ATTR_RUN_FLAG_FILLER), int(pytsk3.TSK_FS_ATTR_RUN_FLAG_SPARSE)
DATA, DEFAULT, VOLUME_NAME = 128, 1, 96  # types of attributes
MAX_RUNS = 1_000_000


class Image(pytsk3.Img_Info):  # type: ignore[misc]  # pytsk3 has no types
    """A medium as The Sleuth Kit wants it."""

    def __init__(self, media: Media) -> None:
        self._media = media
        super().__init__(url="", type=pytsk3.TSK_IMG_TYPE_EXTERNAL)

    def get_size(self) -> int:
        """Bytes."""
        return self._media.size

    def read(self, offset: int, size: int) -> bytes:
        """Bytes at an offset, zeros behind the end (the library rounds up to blocks)."""
        data = self._media.read_at(offset, size)
        return data if len(data) == size else data.ljust(size, b"\0")


class FileStream(Stream):
    """The content of one attribute of a file."""

    def __init__(self, path: str, file: Any, size: int, kind: int | None, number: int | None, owner: Any) -> None:
        super().__init__(size)
        self._owner = owner  # the file system must outlive the file
        self._path, self._file, self._kind, self._number = path, file, kind, number

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes; ParseError where the medium cannot be read."""
        try:
            if self._kind is None:
                data = self._file.read_random(offset, length)
            else:
                data = self._file.read_random(offset, length, self._kind, self._number)
        except FAILURES as error:
            raise ParseError(self._path, offset, f"content cannot be read here: {reason_of(error)}") from error
        return bytes(data)


class LibraryStream(Stream):
    """The content of a libyal file entry or stream."""

    def __init__(self, path: str, handle: Any, size: int) -> None:
        super().__init__(size)
        self._path, self._handle = path, handle

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes; ParseError where the medium cannot be read."""
        try:
            return bytes(self._handle.read_buffer_at_offset(length, offset))
        except (OSError, MemoryError) as error:
            raise ParseError(self._path, offset, f"content cannot be read here: {reason_of(error)}") from error


def runs_of(file: Any, number: int | None = None) -> tuple[list[tuple[int, int]], bool, bool]:
    """(runs of blocks, whether the content is resident, whether holes make up for missing runs)."""
    runs: list[tuple[int, int]] = []
    resident = holes = False
    for attribute in file:
        info = attribute.info
        if (
            int(info.type) not in (DATA, DEFAULT)
            or (info.name and number is None)
            or (number not in (None, int(info.id)))
        ):
            continue
        resident = resident or (bool(int(info.flags) & RESIDENT) and int(info.size) > 0)
        for run in attribute:
            if int(run.flags) & (FILLER | SPARSE):
                holes = True
            elif int(run.len):
                runs.append((int(run.addr), int(run.len)))
            if len(runs) >= MAX_RUNS:
                break
    return runs, resident, holes


def all_holes(attribute: Any) -> bool:
    """Whether no run of an attribute has clusters of its own."""
    return all(int(run.flags) & (FILLER | SPARSE) for run in attribute)


@lru_cache(maxsize=65_536)
def shared_posix(seconds: int, nanoseconds: int) -> Time | None:
    """A POSIX time with nanoseconds where stored; equal ones share one dictionary. Not to be changed."""
    if nanoseconds and 0 < nanoseconds < 1_000_000_000:
        return times.posix(seconds * 1_000_000_000 + nanoseconds, unit="ns")
    return times.posix(seconds)
