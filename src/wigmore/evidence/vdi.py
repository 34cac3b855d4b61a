"""The medium inside a VirtualBox disk image (VDI), dynamic or fixed: blocks found through the block map.

Format: VirtualBox, "All about VDIs" (forums.virtualbox.org/viewtopic.php?t=8046) and the layout of header version 1.1
in its VDICore.h; Kaitai Struct, VirtualBox Disk Image (formats.kaitai.io/vdi).
"""

from __future__ import annotations

import struct
from array import array
from typing import BinaryIO
from uuid import UUID

from wigmore.evidence.media import Media
from wigmore.model.canonical import shown
from wigmore.model.protocols import Gap, ParseError

VERSION = struct.Struct("<HH")  # minor, major
HEADER = struct.Struct("<III256sII16x4xQIIII16s16s16s16s")
HEADER_AT, VERSION_AT = 72, 68
TYPES = {1: "dynamic", 2: "fixed", 3: "undo", 4: "differencing"}
FREE, ZERO = 0xFFFFFFFF, 0xFFFFFFFE  # never written; written with zeros and given back
MAX_BLOCKS = 64 * 1024 * 1024


class VdiMedia(Media):
    """The medium of one dynamic or fixed image; a block outside the file raises OSError, whoever asks for it."""

    def __init__(self, stream: BinaryIO, size: int, path: str) -> None:
        stream.seek(0)
        head = stream.read(HEADER_AT + HEADER.size)
        if len(head) < HEADER_AT + HEADER.size:
            raise ParseError(path, 0, "VirtualBox disk: the file ends inside its header", "truncated")
        minor, major = VERSION.unpack_from(head, VERSION_AT)
        if major != 1:
            raise ParseError(path, VERSION_AT, f"VirtualBox disk of version {major}.{minor}: not read", "unsupported")
        found = HEADER.unpack_from(head, HEADER_AT)
        _, kind, _, comment, map_at, self._data_at, disk, self._block_size, self._extra, blocks, allocated = found[:11]
        identifier, _, linked, _ = (UUID(bytes_le=raw) for raw in found[11:])
        if kind in (3, 4):
            raise ParseError(
                path, None,
                f"VirtualBox {TYPES[kind]} image: it holds only what changed since the image {{{linked}}}; needs that "
                "image and the machine's settings, or a copy made with VBoxManage clonemedium", "not_in_acquisition",
            )  # fmt: skip
        if kind not in TYPES:
            raise ParseError(path, HEADER_AT + 4, f"VirtualBox disk of unknown type {kind}", "schema_unknown")
        whole = self._block_size + self._extra
        if not 512 <= self._block_size <= 1 << 30 or self._block_size % 512 or not blocks or blocks > MAX_BLOCKS:
            raise ParseError(path, HEADER_AT, f"{blocks} blocks of {self._block_size} bytes cannot be")
        if disk > blocks * self._block_size:
            raise ParseError(path, HEADER_AT, f"{blocks} blocks do not make a disk of {disk} bytes")
        stream.seek(map_at)
        raw = stream.read(4 * blocks)
        if len(raw) < 4 * blocks:
            raise ParseError(path, map_at, "VirtualBox disk: the file ends inside its block map", "truncated")
        super().__init__(disk, f"VDI ({TYPES[kind]})", None, (stream,))
        self._map = array("I", raw)
        self._stream, self._end = stream, size
        used = [number for number in self._map if number < ZERO]
        outside = sum(1 for number in used if self._data_at + number * whole + whole > size)
        if outside:
            message = f"{outside} of {len(used)} blocks lie outside the file: it is cut off or its block map damaged"
            self.problems = (Gap(message, None, "truncated"),)
        elif len(set(used)) != len(used):
            self.problems = (Gap(f"{len(used) - len(set(used))} blocks are named twice by the block map", map_at),)
        self.about = {"image_identifier": str(identifier), "blocks_allocated": allocated}
        if text := shown(comment.partition(b"\0")[0]).strip():
            self.about["comment"] = text

    def _read(self, offset: int, length: int) -> bytes:
        pieces = []
        while length > 0:
            number, inside = divmod(offset, self._block_size)
            count = min(length, self._block_size - inside)
            place = self._map[number]
            if place >= ZERO:
                pieces.append(bytes(count))
            else:
                at = self._data_at + place * (self._block_size + self._extra) + self._extra + inside
                self._stream.seek(at)
                piece = self._stream.read(count)
                if len(piece) < count:
                    raise OSError(f"block {number} of the image lies outside the file, from offset {at} on")
                pieces.append(piece)
            offset, length = offset + count, length - count
        return b"".join(pieces)
