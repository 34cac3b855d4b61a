"""A medium of bytes, however it is kept: in one file or several, a part of another medium, or what a library decodes."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any, BinaryIO

from wigmore.evidence.store import Stream
from wigmore.model.protocols import Gap

BLOCK = 64 * 1024  # decompressed chunks are kept: metadata is read again and again
BLOCKS_KEPT = 512
BLOCKS_AT_ONCE = 4


class Media(Stream):
    """The bytes of a medium; `read_at` raises OSError where the container is damaged. Belongs to one process."""

    sector_size = 512

    def __init__(self, size: int, kind: str, handle: Any = None, held: tuple[Any, ...] = ()) -> None:
        super().__init__(size)
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self.kind = kind
        self.handle = handle
        self.segments: tuple[str, ...] = ()
        self.about: dict[str, Any] = {}  # what the container says of itself, for its record
        self.problems: tuple[Gap, ...] = ()  # what cannot be had of the medium, known without reading it through
        self._held = held

    def get_size(self) -> int:
        """Bytes; for libraries that take file objects."""
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes at `offset`."""
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        first, last = offset // BLOCK, (offset + length - 1) // BLOCK
        if last - first > BLOCKS_AT_ONCE:
            return self._read(offset, length)  # long reads are not repeated: no use in keeping them
        pieces = [self._block(number) for number in range(first, last + 1)]
        start = offset - first * BLOCK
        return pieces[0][start : start + length] if len(pieces) == 1 else b"".join(pieces)[start : start + length]

    def _block(self, number: int) -> bytes:
        known = self._blocks.get(number)
        if known is None:
            known = self._read(number * BLOCK, min(BLOCK, self.size - number * BLOCK))
            self._blocks[number] = known
            if len(self._blocks) > BLOCKS_KEPT:
                self._blocks.popitem(last=False)
        else:
            self._blocks.move_to_end(number)
        return known

    def _read(self, offset: int, length: int) -> bytes:
        data: bytes = self.handle.read_buffer_at_offset(length, offset)
        return data

    def close(self) -> None:
        """Close the medium and what it stands on."""
        if not self.closed:
            for held in (self.handle, *self._held):
                if held is not None and hasattr(held, "close"):
                    held.close()
            self._blocks.clear()
        super().close()


class RawMedia(Media):
    """One or more files end to end."""

    def __init__(self, kind: str, parts: list[tuple[BinaryIO, int]]) -> None:
        super().__init__(sum(size for _, size in parts), kind, None, tuple(stream for stream, _ in parts))
        self._parts = parts

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes at `offset`, across the files."""
        pieces, start = [], 0
        for stream, size in self._parts:
            if length <= 0:
                break
            if start <= offset < start + size:
                stream.seek(offset - start)
                piece = stream.read(min(length, start + size - offset))
                pieces.append(piece)
                offset, length = offset + len(piece), length - len(piece)
            start += size
        return b"".join(pieces)


class Window(Media):
    """A part of a medium, as a volume."""

    def __init__(self, medium: Stream, start: int, size: int, kind: str = "volume") -> None:
        super().__init__(max(0, min(size, medium.size - start)), kind)
        self.medium, self.start = medium, start

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes at `offset` of the part."""
        length = min(length, self.size - offset)
        return self.medium.read_at(self.start + offset, length) if length > 0 else b""


class View(Media):
    """A view of a medium that can be closed without closing the medium."""

    def __init__(self, media: Media) -> None:
        super().__init__(media.size, media.kind)
        self._media = media

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes at `offset`."""
        return self._media.read_at(offset, length)


def reason_of(error: BaseException) -> str:
    """The telling part of a library's message, without its trail of function names."""
    raised = re.search(r"OSError\(['\"](.+?)['\"]\)", str(error))
    if raised:  # an error of the medium that came up through The Sleuth Kit
        return raised[1][:400]
    lines = [line.strip() for line in str(error).replace("\r", "\n").split("\n") if line.strip()]
    text = lines[0] if lines else type(error).__name__
    text = re.sub(r"^[A-Za-z_0-9]+: ", "", text)
    text = re.sub(r"^\(tsk3\.cpp:\d+\) ", "", text)
    if "with error: " in text:  # The Sleuth Kit's own words stand behind
        return text.rpartition("with error: ")[2][:400]
    inner = re.findall(r"(?:lib\w+|\w+_\w+): ([^.]+)\.", str(error))
    return f"{text} ({inner[-1].strip()})"[:400] if inner and inner[-1].strip() not in text else text[:400]
