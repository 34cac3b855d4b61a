"""Journal files field by field, regular and compact, from systemd's description of the format."""

from __future__ import annotations

import lzma
import struct
from collections.abc import Callable, Sequence

import zstandard

BOOT = bytes(range(16))
HEADER = 264
XZ, LZ4, ZSTD, COMPACT = 1, 2, 8, 16
Fields = Sequence[tuple[str, str | bytes]]


def lz4_literals(raw: bytes) -> bytes:
    """An LZ4 block of literals alone."""
    if len(raw) < 15:
        return bytes([len(raw) << 4]) + raw
    more, rest = divmod(len(raw) - 15, 255)
    return b"\xf0" + b"\xff" * more + bytes([rest]) + raw


PACKERS: dict[int, Callable[[bytes], bytes]] = {
    0: bytes,
    1: lambda raw: lzma.compress(raw, lzma.FORMAT_XZ),
    2: lambda raw: struct.pack("<Q", len(raw)) + lz4_literals(raw),
    4: lambda raw: zstandard.compress(raw),
}


class JournalFile:
    """Objects behind one another; `compress` is the object flag (1 xz, 2 LZ4, 4 Zstandard) for values above 64 bytes."""

    def __init__(self, *, compact: bool = False, compress: int = 0, state: int = 0) -> None:
        self.compact, self.compress, self.state = compact, compress, state
        self.body = bytearray()
        self.entries: list[int] = []
        self.times: list[int] = []
        self.known: dict[bytes, int] = {}

    def add(self, kind: int, payload: bytes, flags: int = 0) -> int:
        offset = HEADER + len(self.body)
        self.body += struct.pack("<BB6xQ", kind, flags, 16 + len(payload)) + payload
        self.body += bytes(-len(self.body) % 8)
        return offset

    def data(self, raw: bytes) -> int:
        if raw not in self.known:
            flags = self.compress if len(raw) > 64 else 0
            front = struct.pack("<6Q", hash(raw) & 0xFFFF, 0, 0, 0, 0, 1) + (bytes(8) if self.compact else b"")
            self.known[raw] = self.add(1, front + PACKERS[flags](raw), flags)
        return self.known[raw]

    def entry(self, fields: Fields, realtime: int = 1_700_000_000_000_000, *, linked: bool = True) -> int:
        raws = [
            name.encode() + b"=" + (value if isinstance(value, bytes) else value.encode()) for name, value in fields
        ]
        items = [(self.data(raw), hash(raw) & 0xFFFF) for raw in raws]
        payload = struct.pack("<QQQ16sQ", len(self.times) + 1, realtime, 5_000_000, BOOT, 0)
        payload += b"".join(struct.pack("<I", at) if self.compact else struct.pack("<QQ", at, key) for at, key in items)
        offset = self.add(3, payload)
        self.times.append(realtime)
        if linked:
            self.entries.append(offset)
        return offset

    def build(self, *, free: int = 256, incompatible: int = 0) -> bytes:
        """The whole file, with two arrays in the chain where there is more than one entry, and unused space at the end."""
        code = "I" if self.compact else "Q"
        first, rest = self.entries[:1], self.entries[1:]
        array = tail = self.add(6, struct.pack(f"<Q{len(first)}{code}", 0, *first))
        if rest:
            tail = self.add(6, struct.pack(f"<Q{len(rest) + 2}{code}", 0, *rest, 0, 0))
            struct.pack_into("<Q", self.body, array - HEADER + 16, tail)
        flags = incompatible | COMPACT * self.compact | {0: 0, 1: XZ, 2: LZ4, 4: ZSTD}[self.compress]
        head = struct.pack(
            "<8sIIB7x16s16s16s16s", b"LPKSHHRH", 0, flags, self.state, b"F" * 16, b"M" * 16, BOOT, b"S" * 16
        )
        head += struct.pack("<QQ", HEADER, len(self.body) + free) + bytes(32)
        head += struct.pack("<QQQ", tail, 99, len(self.times)) + struct.pack("<QQ", len(self.times), 1)
        head += struct.pack("<Q", array if first else 0)
        head += struct.pack("<QQQ", min(self.times, default=0), max(self.times, default=0), 0)
        return head.ljust(HEADER, b"\0") + bytes(self.body) + bytes(free)
