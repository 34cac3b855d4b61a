"""Headers of zip archives: central directory, Zip64, extra fields, and what local headers tell without a directory.

Source: PKWARE APPNOTE.TXT 6.3.10; Info-ZIP's extra field notes (0x5455, 0x5855, 0x7075).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from wigmore.evidence.archive_member import ArchiveStore
from wigmore.evidence.store import Limits
from wigmore.model import times
from wigmore.model.protocols import EvidenceFile, Gap
from wigmore.model.times import Time

LOCAL, CENTRAL, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
_CENTRAL = struct.Struct("<BBHHHHHIIIHHHHHII")


@dataclass(slots=True)
class Member:
    """One header, central or local; sizes and offset in bytes, `host` who made it, `at` where the header stands."""

    number: int
    at: int
    host: int
    flags: int
    method: int
    clock: int
    date: int
    crc: int
    packed: int
    size: int
    external: int
    offset: int
    name: bytes
    extra: bytes
    comment: bytes


def extras(data: bytes) -> dict[int, bytes]:
    """The extra fields by tag, the first of each; what does not fit ends them."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(data):
        tag, length = struct.unpack_from("<HH", data, at)
        if at + 4 + length > len(data):
            break
        found.setdefault(tag, data[at + 4 : at + 4 + length])
        at += 4 + length
    return found


def wide(member: Member) -> Member:
    """The member with its Zip64 values (APPNOTE 4.5.3) in place of the 32-bit marks."""
    field = extras(member.extra).get(1, b"")
    at = 0
    for name in ("size", "packed", "offset"):
        if getattr(member, name) == 0xFFFFFFFF and at + 8 <= len(field):
            setattr(member, name, int.from_bytes(field[at : at + 8], "little"))
            at += 8
    return member


def central(data: bytes, number: int, at: int, delta: int) -> Member | None:
    """The central header that `data` begins with; None where there is none, or not all of it."""
    if len(data) < 46 or data[:4] != CENTRAL:
        return None
    _, host, _, flags, method, clock, date, crc, packed, size, n, m, k, _, _, external, offset = _CENTRAL.unpack_from(
        data, 4
    )
    rest = data[46 : 46 + n + m + k]
    if len(rest) < n + m + k:
        return None
    name, extra, comment = rest[:n], rest[n : n + m], rest[n + m :]
    member = Member(
        number, at, host, flags, method, clock, date, crc, packed, size, external, offset, name, extra, comment
    )
    wide(member).offset += delta
    return member


def member_times(member: Member, local_extra: bytes = b"") -> dict[str, Time]:
    """Times as the member has them: UTC fields where there are any, else the DOS time without a zone."""
    found: dict[str, Time] = {}
    dos = times.fat(member.date, member.clock, owner="collector")
    if dos:
        found["modified"] = dos
    fields = extras(member.extra)
    more = extras(local_extra)
    old = more.get(0x5855) or fields.get(0x5855) or b""
    for name, at in (("accessed", 0), ("modified", 4)):
        if len(old) >= at + 4 and (
            time := times.posix(int.from_bytes(old[at : at + 4], "little", signed=True), "collector")
        ):
            found[name] = time
    unix = more.get(0x5455) or fields.get(0x5455) or b""
    at = 1
    for bit, name in ((1, "modified"), (2, "accessed"), (4, "created")):
        if unix and unix[0] & bit and len(unix) >= at + 4:
            time = times.posix(int.from_bytes(unix[at : at + 4], "little", signed=True), "collector")
            at += 4
            if time:
                found[name] = time
    ntfs = fields.get(0x000A) or more.get(0x000A) or b""
    if len(ntfs) >= 32 and ntfs[4:8] == b"\1\0\x18\0":
        for name, value in zip(("modified", "accessed", "created"), struct.unpack_from("<3Q", ntfs, 8), strict=True):
            if time := times.filetime(value, "collector"):
                found[name] = time
    if "modified" in found and found["modified"]["zone"] == "Z" and dos:
        found["modified_dos"] = dos
    return found


def member_name(member: Member) -> tuple[bytes, str | None, str]:
    """The name's bytes, its text where it is not UTF-8 as it stands, and how it was decoded."""
    unicode_path = extras(member.extra).get(0x7075, b"")
    if len(unicode_path) > 5 and int.from_bytes(unicode_path[1:5], "little") == zlib.crc32(member.name):
        return unicode_path[5:], None, ""
    if member.flags & 0x800 or member.name.isascii():
        return member.name, None, ""
    try:
        member.name.decode("utf-8")
    except UnicodeDecodeError:
        return member.name, member.name.decode("cp437"), "cp437"
    return member.name, None, "UTF-8, not declared"


class ZipHeaders(ArchiveStore):
    """A zip archive as far as its headers go."""

    format = "zip"

    def __init__(self, file: EvidenceFile, prefix: str, limits: Limits, secrets: tuple[str, ...] = ()) -> None:
        super().__init__(file, prefix, limits, secrets)
        self._delta = 0  # bytes that stand before the archive
        self.comment = b""
        self._directory: tuple[int, int] | None = None
        self._stated = 0
        self._problem = self._find_directory()

    def _find_directory(self) -> str:
        """Where the central directory lies; what is wrong with it, empty if nothing."""
        size = self.archive.size
        start = max(0, size - 65_557)
        tail = self.bytes_at(start, size - start)
        at = tail.rfind(END)
        while at >= 0:
            if len(tail) >= at + 22:
                disk, first, _, count, length, offset, note = struct.unpack_from("<4H2IH", tail, at + 4)
                self._stated = count
                end = start + at
                wide_at = self.bytes_at(end - 20, 20) if end >= 20 else b""
                if wide_at[:4] == b"PK\6\7":
                    wide_end = int.from_bytes(wide_at[8:16], "little")
                    for place_of in (wide_end, end - 20 - 56):
                        block = self.bytes_at(place_of, 56) if 0 <= place_of < size else b""
                        if block[:4] == b"PK\6\6" and len(block) == 56:
                            self._stated, length, offset = struct.unpack_from("<3Q", block, 32)
                            end = place_of
                            break
                for candidate in (offset, end - length):  # the second where something stands before the archive
                    if 0 <= candidate <= end and (not length or self.bytes_at(candidate, 4) == CENTRAL):
                        self._delta = candidate - offset
                        self._directory = (candidate, min(end, candidate + length) if length else candidate)
                        self.comment = tail[at + 22 : at + 22 + note]
                        return (
                            ""
                            if disk in (0, 0xFFFF) and first in (0, 0xFFFF)
                            else "this is one part of a split archive"
                        )
            at = tail.rfind(END, 0, at)
        return "no central directory; members are read from their own headers"

    def _central(self) -> Iterator[Member | Gap]:
        assert self._directory is not None
        at, end = self._directory
        number = 0
        block, base = b"", at
        while at < end:
            if at + 46 > base + len(block) or at + 46 + 3 * 65_535 > base + len(block) < end:
                block, base = self.bytes_at(at, min(end - at, 1024 * 1024)), at
            member = central(block[at - base : at - base + 46 + 3 * 65_535], number, at, self._delta)
            if member is None:
                if block[at - base : at - base + 4] not in (b"PK\5\5", b"PK\6\6"):
                    message = f"{self.archive.path}: the central directory is damaged or cut off after {number} members"
                    yield Gap(message, at, "damaged" if end - at >= 46 else "truncated")
                break
            yield member
            number += 1
            at += 46 + len(member.name) + len(member.extra) + len(member.comment)
            if number >= self.limits.max_members:
                yield Gap(f"{self.archive.path}: more than {number} members", at, "too_large")
                return
        if number != self._stated and number & 0xFFFF != self._stated:
            yield Gap(f"{self.archive.path}: {self._stated} members stated, {number} found", self._directory[0])

    def _local(self, at: int) -> Member | None:
        head = self.bytes_at(at, 30)
        if len(head) < 30 or head[:4] != LOCAL:
            return None
        _, flags, method, clock, date, crc, packed, size, n, m = struct.unpack("<HHHHHIIIHH", head[4:])
        rest = self.bytes_at(at + 30, n + m)
        if len(rest) < n + m:
            return None
        return wide(Member(0, at, 0, flags, method, clock, date, crc, packed, size, 0, at, rest[:n], rest[n:], b""))

    def _salvage(self) -> Iterator[Member]:
        """Members from their own headers, one after the other; damaged parts are searched for the next header."""
        at: int | None = 0
        number = 0
        while at is not None and number < self.limits.max_members:
            member = self._local(at)
            if member is None:
                at = self._search(at + 1 if number or at else 1)
                continue
            start = at + 30 + len(member.name) + len(member.extra)
            member.number = number
            following: int | None = start + member.packed
            if member.flags & 8 and not member.packed:  # sizes follow the content (data descriptor)
                following = self._search(start)
                end = self.archive.size if following is None else following
                tail = self.bytes_at(max(start, end - 24), end - max(start, end - 24))
                for length, shape in ((16, "<4xIII"), (24, "<4xIQQ")):
                    if tail[-length:][:4] == b"PK\7\x08" and len(tail) >= length:
                        member.crc, member.packed, member.size = struct.unpack(shape, tail[-length:])
                        break
                else:
                    member.packed, member.size = max(0, end - start), -1
            elif following is not None and following > self.archive.size:
                member.packed, member.size, following = self.archive.size - start, -1, None
            yield member
            number += 1
            at = following

    def _search(self, at: int) -> int | None:
        """The next local or central header's offset; None where there is none."""
        while at < self.archive.size:
            piece = self.bytes_at(at, 1024 * 1024)
            hits = [hit for hit in (piece.find(LOCAL), piece.find(CENTRAL)) if hit >= 0]
            if hits:
                found = at + min(hits)
                return found if self.bytes_at(found, 4) == LOCAL else None
            if len(piece) < 8:
                return None
            at += len(piece) - 3
        return None
