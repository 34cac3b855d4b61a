"""FTK logical images (AD1): files with their folders, times and stored hashes, over all segments.

Not documented by its maker; layout as public readers found it on real images and agree on it (pcbje/pyad1,
al3ks1s/AD1-tools, fox-it/dissect.evidence; tmairi.github.io, "Dissecting the AD1 file format"): segments of a header and
a body; the bodies end to end hold a header, items (next, first child, first attribute, content, size, type, name), chains
of attributes in text, and chunk tables of zlib streams.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, BinaryIO

from wigmore.evidence.archive_member import ArchiveStore, place
from wigmore.evidence.images import segments
from wigmore.evidence.store import Entry, Limits, part
from wigmore.model import times
from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Gap, ParseError
from wigmore.model.times import Time

MARK = b"ADSEGMENTEDFILE\0"
INNER = b"ADLOGICALIMAGE\0"
ITEM = struct.Struct("<5QII")  # next item, first child, first attribute, content, size, type, length of the name
ATTRIBUTE = struct.Struct("<QIII")  # next attribute, category, key, length of the text
VERSIONS = (2, 3, 4)
FOLDER, DELETED = 5, 2
MOST_SEGMENTS = 9_999
LONGEST_NAME = 65_535
LONGEST_TEXT = 1024 * 1024
MOST_ATTRIBUTES = 256
MOST_CHUNKS = 1 << 24
LARGEST_CHUNK = 64 * 1024 * 1024
DEEPEST = 512
TIMES = {0x07: "accessed", 0x08: "created", 0x09: "modified", 0xC003: "changed"}
SHOWN = {
    0x5001: "stored_md5", 0x5002: "stored_sha1", 0x2001: "mode", 0x2002: "uid", 0x2003: "gid", 0xC001: "source_inode",
    0x06: "start_cluster", 0x04: "physical_size", 0x1E: "allocated_there",
}  # fmt: skip


class LogicalImage(ArchiveStore):
    """The files of one logical image, over all its segments."""

    format = "FTK logical image (AD1)"

    def __init__(self, file: EvidenceFile, prefix: str, limits: Limits) -> None:
        super().__init__(file, prefix, limits)
        head = self.bytes_at(0, 64)
        if len(head) < 64:
            raise ParseError(file.path, 0, "shorter than the header of a segment", "truncated")
        count, front = struct.unpack_from("<I", head, 28)[0], struct.unpack_from("<I", head, 40)[0]
        if not 0 < count <= MOST_SEGMENTS or not 64 <= front <= 65_536:
            raise ParseError(file.path, 28, f"{count} segments with headers of {front} bytes cannot be")
        self._bodies: list[tuple[BinaryIO, int, int]] = []  # stream, where its body begins, bytes
        self._later: bool = struct.unpack_from("<I", head, 24)[0] > 1
        if self._later:
            stem = file.path.rpartition("/")[2].rpartition(".")[0]
            if not any(file.sibling(f"{stem}.{letters}1") for letters in ("ad", "AD", "Ad")):
                raise ParseError(file.path, 24, "a later segment; the first one is not beside it", "not_in_acquisition")
            return
        names = self._segments(file, count, front)
        inner = self._read(0, 92)
        if not inner.startswith(INNER):
            raise ParseError(file.path, front, "no logical image begins behind the segment's header")
        version, self._chunk = struct.unpack_from("<I", inner, 16)[0], struct.unpack_from("<I", inner, 24)[0]
        if version not in VERSIONS:
            raise ParseError(file.path, front + 16, f"AD1 of version {version}: needs FTK Imager", "schema_unknown")
        if not 512 <= self._chunk <= LARGEST_CHUNK:
            raise ParseError(file.path, front + 24, f"chunks of {self._chunk} bytes cannot be")
        self._first = struct.unpack_from("<Q", inner, 36)[0]
        length = min(struct.unpack_from("<I", inner, 44)[0], LONGEST_NAME)
        self.describe(
            segments=names,
            segments_stated=count,
            version=version,
            source_name=shown(self._read(92, length)),
            encrypted=False,
        )

    def hollow(self) -> bool:
        """Whether this is a later segment, which is read with the first one."""
        return self._later

    def _segments(self, file: EvidenceFile, count: int, front: int) -> list[str]:
        """Open the segments beside the first one (`.ad1`, `.ad2`, …); those missing are a gap."""
        found = segments(file, "AD1")[:count]
        for one in found:
            self._bodies.append((self.own(one.open()), front, max(0, one.size - front)))
        if len(found) < count:
            message = f"segment {len(found) + 1} of {count} is not here: what lies behind it cannot be read"
            self.gaps.append(Gap(message, None, "not_in_acquisition"))
        return [one.path.rpartition("/")[2] for one in found]

    def _read(self, offset: int, length: int) -> bytes:
        """At most `length` bytes at an offset of the bodies end to end."""
        found, start = b"", 0
        for stream, front, size in self._bodies:
            if length > 0 and start <= offset < start + size:
                stream.seek(front + offset - start)
                piece = stream.read(min(length, start + size - offset))
                found, offset, length = found + piece, offset + len(piece), length - len(piece)
            start += size
        return found

    def entries(self) -> Iterator[Entry | Gap]:
        """Every item, folders before their content."""
        path = self.archive.path
        seen: set[int] = set()
        waiting = [(self._first, "")]
        while waiting:
            offset, folder = waiting.pop()
            if not offset:
                continue
            if offset in seen or len(seen) >= self.limits.max_members or len(waiting) > DEEPEST:
                yield Gap(f"{path}: the chain of items turns back or does not end", offset, "damaged")
                continue
            seen.add(offset)
            raw = self._read(offset, ITEM.size)
            following, child, attribute, content, size, kind, length = ITEM.unpack(raw.ljust(ITEM.size, b"\0"))
            if len(raw) < ITEM.size or length > LONGEST_NAME:
                reason = "truncated" if len(raw) < ITEM.size else "damaged"
                yield Gap(f"{path}: an item cannot be read", offset, reason)
                continue
            name = part(self._read(offset + ITEM.size, length))[0]
            relative = f"{folder}/{name}" if folder else name
            attributes, broken = self._attributes(attribute)
            if broken:
                yield Gap(f"{path}: {relative}: {broken}", attribute)
            yield self._entry(relative, kind, child, content, size, attributes, len(seen))
            waiting += [(following, folder), (child, relative)]

    def _attributes(self, offset: int) -> tuple[dict[int, str], str]:
        """Texts by key, and what is wrong with the chain; the first link may hold nothing but the way to the next."""
        found: dict[int, str] = {}
        seen: set[int] = set()
        while offset:
            raw = self._read(offset, ATTRIBUTE.size)
            if len(raw) < ATTRIBUTE.size:
                return found, "its chain of attributes leads outside the image"
            if offset in seen or len(seen) > MOST_ATTRIBUTES:
                return found, "its chain of attributes turns back or does not end"
            seen.add(offset)
            following, _, key, length = ATTRIBUTE.unpack(raw)
            if (key in SHOWN or key in TIMES) and length <= LONGEST_TEXT:
                found.setdefault(key, shown(self._read(offset + ATTRIBUTE.size, length)).strip("\0 "))
            offset = following
        return found, ""

    def _entry(
        self, relative: str, kind: int, child: int, content: int, size: int, texts: dict[int, str], number: int
    ) -> Entry:
        where = place(relative.encode("utf-8", "surrogatepass"), self.limits)
        folder = kind == FOLDER or child > 0 or texts.get(0x2001, "").startswith("d")
        attributes: dict[str, Any] = {**where.attributes(), "item_type": kind}
        attributes |= {label: texts[key] for key, label in SHOWN.items() if texts.get(key)}
        stamps: dict[str, Time] = {}
        for key, label in TIMES.items():
            if time := _time(texts.get(key, "")):
                stamps[label] = time
        shown_size = 0 if folder else self.declared(size, attributes)
        if kind == DELETED:
            attributes["deleted_there"] = True
        return Entry(
            self.join(where.path), where.name, "directory" if folder else "file", shown_size, str(number),
            path_raw=where.raw, attributes=attributes, times=stamps, ref={"content": content, "size": shown_size},
        )  # fmt: skip

    def open_entry(self, entry: Entry) -> BinaryIO:
        """The content, unpacked chunk by chunk; ParseError where it is damaged or lies in a segment that is missing."""
        size, at = int(entry.ref.get("size", 0)), int(entry.ref.get("content", 0))
        return self.spooled(entry, max(1, size), lambda: self._chunks(entry.path, at, size))

    def _chunks(self, path: str, at: int, size: int) -> Iterator[bytes]:
        if not size:
            return
        if not at:
            raise ParseError(path, None, "its content is not in the image", "not_in_acquisition")
        count = int.from_bytes(self._read(at, 8), "little")
        if count != -(-size // self._chunk) or count > MOST_CHUNKS:
            raise ParseError(path, at, f"its table has {count} chunks, its size needs {-(-size // self._chunk)}")
        raw = self._read(at + 8, 8 * (count + 1))
        if len(raw) < 8 * (count + 1):
            raise ParseError(path, at, "its table of chunks is cut off", "truncated")
        places = struct.unpack(f"<{count + 1}Q", raw)
        for number, (start, end) in enumerate(pairwise(places)):
            wanted = min(self._chunk, size - number * self._chunk)
            if not 0 <= end - start <= 2 * self._chunk + 1024:
                raise ParseError(path, start, f"chunk {number} has {end - start} bytes")
            try:
                plain = zlib.decompressobj().decompress(self._read(start, end - start), self._chunk)
            except zlib.error as error:
                raise ParseError(path, start, f"chunk {number} does not decompress: {error}") from error
            if len(plain) != wanted:
                raise ParseError(path, start, f"chunk {number} gives {len(plain)} bytes of {wanted}")
            yield plain


def _time(text: str) -> Time | None:
    """`20190314T031653`, with or without a fraction, as FTK writes it in UTC."""
    date, _, clock = text.partition("T")
    if len(date) != 8 or len(clock) < 6 or not (date + clock[:6]).isdigit():
        return None
    written = f"{date[:4]}-{date[4:6]}-{date[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:6]}{clock[6:]}"
    return times.iso(written, zone="Z", source="FTK Imager writes UTC")
