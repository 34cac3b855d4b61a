"""zip archives (and documents that are zips): central directory, Zip64, what local headers still tell without one.

Source: PKWARE APPNOTE.TXT 6.3.10; Info-ZIP's extra field notes (0x5455, 0x5855, 0x7875, 0x7075).
"""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from wigmore.evidence import archive_crypt
from wigmore.evidence.archive_decode import Decoder, Deflate64, Inflater, bzip2, decoded, raw, xz, zip_lzma, zstd
from wigmore.evidence.archive_member import ArchiveStore, Window, place, target
from wigmore.evidence.store import Entry, Limits, buffered, part
from wigmore.model import times
from wigmore.model.protocols import EvidenceFile, Gap, ParseError
from wigmore.model.times import Time

METHODS = {
    0: "stored", 1: "shrunk", 6: "imploded", 8: "deflate", 9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard",
    95: "xz", 98: "PPMd", 99: "AES",
}  # fmt: skip
DECODERS = {8: Inflater, 9: Deflate64, 12: bzip2, 93: zstd, 95: xz}
WINDOWS_HOSTS = frozenset((0, 10, 11, 14))  # FAT, NTFS (two numbers), VFAT
FOUND_LIMIT = 20_000  # members looked at for the record about the archive itself
LOCAL, CENTRAL, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
FOLDER_LIMIT = 1 << 32


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
        if len(old) >= at + 4 and (time := times.posix(int.from_bytes(old[at : at + 4], "little", signed=True), "collector")):
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


class ZipStore(ArchiveStore):
    """The members of a zip archive in the order of its directory; without one, in the order of their own headers."""

    format = "zip"

    def __init__(self, file: EvidenceFile, prefix: str, limits: Limits, secrets: tuple[str, ...] = ()) -> None:
        super().__init__(file, prefix, limits, secrets)
        self._delta = 0
        self._comment = b""
        self._directory: tuple[int, int] | None = None
        self._stated = 0
        self._salvaged: list[Member] | None = None
        self._overlaps: dict[int, str] | None = None
        self._problem = self._find_directory()
        self._record()

    # the directory

    def _bytes(self, at: int, length: int) -> bytes:
        self.handle.seek(at)
        return self.handle.read(length)

    def _find_directory(self) -> str:
        """Where the central directory lies; what is wrong with it, empty if nothing."""
        size = self.archive.size
        start = max(0, size - 65_557)
        tail = self._bytes(start, size - start)
        at = tail.rfind(END)
        while at >= 0:
            if len(tail) >= at + 22:
                disk, first, here, count, length, offset, note = struct.unpack_from("<4H2IH", tail, at + 4)
                self._stated = count
                end = start + at
                wide_at = self._bytes(end - 20, 20) if end >= 20 else b""
                if wide_at[:4] == b"PK\6\7":
                    wide_end = int.from_bytes(wide_at[8:16], "little")
                    for place_of in (wide_end, end - 20 - 56):
                        block = self._bytes(place_of, 56) if 0 <= place_of < size else b""
                        if block[:4] == b"PK\6\6" and len(block) == 56:
                            self._stated, length, offset = struct.unpack_from("<3Q", block, 32)
                            end = place_of
                            break
                for candidate in (offset, end - length):  # the second where something stands before the archive
                    if 0 <= candidate <= end and (not length or self._bytes(candidate, 4) == CENTRAL):
                        self._delta = candidate - offset
                        self._directory = (candidate, min(end, candidate + length) if length else candidate)
                        self._comment = tail[at + 22 : at + 22 + note]
                        return "" if disk == first == 0 else "this is one part of a split archive"
            at = tail.rfind(END, 0, at)
        return "no central directory; members are read from their own headers"

    def _central(self) -> Iterator[Member | Gap]:
        assert self._directory is not None
        at, end = self._directory
        number = 0
        block, base = b"", at
        while at < end:
            if at + 46 > base + len(block) or at + 46 + 3 * 65_535 > base + len(block) < end:
                block, base = self._bytes(at, min(end - at, 1024 * 1024)), at
            head = block[at - base : at - base + 46]
            if len(head) < 46 or head[:4] != CENTRAL:
                if head[:4] not in (b"PK\5\5", b"PK\6\6"):
                    yield Gap(f"{self.archive.path}: the central directory is damaged after {number} members", at)
                break
            _, host, _, flags, method, clock, date, crc, packed, size, n, m, k, _, _, external, offset = struct.unpack(
                "<BBHHHHHIIIHHHHHII", head[4:]
            )
            rest = block[at - base + 46 : at - base + 46 + n + m + k]
            if len(rest) < n + m + k:
                yield Gap(f"{self.archive.path}: the central directory ends inside member {number}", at, "truncated")
                break
            member = wide(
                Member(number, at, host, flags, method, clock, date, crc, packed, size, external, offset, rest[:n],
                       rest[n : n + m], rest[n + m :])
            )  # fmt: skip
            member.offset += self._delta
            yield member
            number += 1
            at += 46 + n + m + k
            if number >= self.limits.max_members:
                yield Gap(f"{self.archive.path}: more than {number} members", at, "too_large")
                return
        if number != self._stated and number & 0xFFFF != self._stated:
            yield Gap(f"{self.archive.path}: {self._stated} members stated, {number} found", self._directory[0])

    def _local(self, at: int) -> Member | None:
        head = self._bytes(at, 30)
        if len(head) < 30 or head[:4] != LOCAL:
            return None
        _, flags, method, clock, date, crc, packed, size, n, m = struct.unpack("<HHHHHIIIHH", head[4:])
        rest = self._bytes(at + 30, n + m)
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
                tail = self._bytes(max(start, end - 24), end - max(start, end - 24))
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
            piece = self._bytes(at, 1024 * 1024)
            hits = [hit for hit in (piece.find(LOCAL), piece.find(CENTRAL)) if hit >= 0]
            if hits:
                found = at + min(hits)
                return found if self._bytes(found, 4) == LOCAL else None
            if len(piece) < 8:
                return None
            at += len(piece) - 3
        return None

    def _members(self) -> Iterator[Member | Gap]:
        if self._directory is not None:
            yield from self._central()
            return
        if self._salvaged is None:
            self._salvaged = []
            for member in self._salvage():
                if member.size < 0:
                    self._measure(member)
                self._salvaged.append(member)
        yield from self._salvaged

    def _measure(self, member: Member) -> None:
        """How much a member without a stated size gives: its content is decoded once, under the limits."""
        entry = Entry("", "", size=0, inode=str(member.number))
        produced, allow = 0, self.allowance(entry, member.packed)
        if not member.flags & 1 and (member.method in DECODERS or member.method in (0, 14)):
            try:
                for piece in self._content(member, "", None):
                    produced += len(piece)
                    allow(produced)
            except ParseError:
                member.flags |= 1 << 16  # not whole: the entry says so, reading tells the reason
        member.size = produced

    # entries

    def _record(self) -> None:
        locked: list[str] = []
        ciphers: set[str] = set()
        count = 0
        for member in self._members():
            if isinstance(member, Gap):
                continue
            count += 1
            if member.flags & 1:
                locked.append(place(*self._named(member)).path)
                ciphers.add(self._cipher(member))
            if count >= FOUND_LIMIT:
                break
        if locked and not self.secrets:
            self.needs = "a password"
        self.describe(
            members=count if count < FOUND_LIMIT else self._stated,
            comment=part(self._comment.replace(b"/", b"\0"))[0].replace("\\x00", "/"),
            encrypted=bool(locked),
            encryption=", ".join(sorted(ciphers)),
            encrypted_members=len(locked) or None,
            encrypted_names=locked[:100] or None,
            names_encrypted=False,
            central_directory=self._directory is not None,
        )

    def _named(self, member: Member) -> tuple[bytes, Limits, bool, str | None]:
        name, text, _ = member_name(member)
        windows = member.host in WINDOWS_HOSTS or b"/" not in name
        return name, self.limits, windows, text

    @staticmethod
    def _cipher(member: Member) -> str:
        field = extras(member.extra).get(0x9901, b"")
        if member.method == 99 and len(field) >= 7:
            return {1: "AES-128", 2: "AES-192", 3: "AES-256"}.get(field[4], "AES")
        return "strong encryption (PKWARE)" if member.flags & 0x40 else "ZipCrypto"

    def _spans(self) -> dict[int, str]:
        """Members whose bytes lie within others': of equal spans the first may be read, of crossing ones none."""
        if self._overlaps is None:
            starts, ends = array("Q"), array("Q")
            for member in self._members():
                if isinstance(member, Member):
                    starts.append(min(member.offset, 1 << 63))
                    ends.append(min(member.offset + 30 + len(member.name) + member.packed, 1 << 63))
            found: dict[int, str] = {}
            reach, holder = 0, -1
            for number in sorted(range(len(starts)), key=starts.__getitem__):
                if holder >= 0 and starts[number] == starts[holder] and ends[number] == ends[holder]:
                    found[number] = f"the same bytes as member {holder}"
                    continue
                if starts[number] < reach:
                    found[number] = f"overlaps member {holder}"
                    found.setdefault(holder, f"overlaps member {number}")
                if ends[number] > reach:
                    reach, holder = ends[number], number
            self._overlaps = found
        return self._overlaps

    def entries(self) -> Iterator[Entry | Gap]:
        """Every member; Gap where the directory is damaged, members overlap, are encrypted or cannot be decoded."""
        if self._problem:
            yield Gap(f"{self.archive.path}: {self._problem}", None, "truncated")
        overlaps = self._spans()
        if overlaps:
            yield Gap(f"{self.archive.path}: {len(overlaps)} members share bytes with others and are not unpacked")
        total, told, locked = 0, False, 0
        for member in self._members():
            if isinstance(member, Gap):
                yield member
                continue
            total += member.size
            if total > self.limits.max_total_bytes and not told:
                told = True
                yield Gap(f"{self.archive.path}: declares more than {self.limits.max_total_bytes} bytes", None, "too_large")
            locked += bool(member.flags & 1)
            yield self._entry(member, overlaps.get(member.number))
        if locked and not self.secrets:
            yield Gap(f"{self.archive.path}: {locked} encrypted members need a password", None, "locked")

    def _entry(self, member: Member, overlap: str | None) -> Entry:
        name, limits, windows, text = self._named(member)
        where = place(name, limits, windows, text)
        encoding = member_name(member)[2]
        mode = member.external >> 16 if member.host in (3, 19) else 0  # Unix, macOS
        folder = name.endswith((b"/", b"\\") if windows else b"/") or mode & 0xF000 == 0x4000
        kind = "directory" if folder and not member.size else "link" if mode & 0xF000 == 0xA000 else "file"
        attributes: dict[str, Any] = {**where.attributes(), "method": METHODS.get(member.method, f"method {member.method}")}
        if encoding:
            attributes["name_encoding"] = encoding
        if mode:
            attributes["mode"] = f"{mode & 0o7777:04o}"
        if member.host in WINDOWS_HOSTS and member.external & 0xFF:
            attributes["dos_attributes"] = member.external & 0xFF
        if member.comment:
            attributes["comment"] = part(member.comment.replace(b"/", b"\0"))[0].replace("\\x00", "/")[:4096]
        if member.flags & 1:
            attributes["encrypted"] = True
            attributes["encryption"] = self._cipher(member)
        if overlap:
            attributes["overlap"] = overlap
        if member.flags >> 16:
            attributes["complete"] = False
        attributes["packed_size"] = member.packed
        fields = extras(member.extra)
        # the central directory's copy of the field has the modification time only (Info-ZIP)
        more = self._local(member.offset) if fields.get(0x5455, b"\0")[0:1] > b"\1" or 0x5855 in fields else None
        link = None
        if kind == "link" and 0 < member.size <= 4096 and not member.flags & 1 and not overlap:
            try:
                link = target(b"".join(self._content(member, where.path, None))[:4096])
            except ParseError as error:
                attributes["link_target_unread"] = error.message
        return Entry(
            self.join(where.path), where.name, kind, member.size if kind == "file" else 0, str(member.number),
            link_target=link, path_raw=where.raw, attributes=attributes,
            times=member_times(member, more.extra if more else b""),
            ref={"at": member.at, "central": self._directory is not None, **({"overlap": overlap} if overlap else {})},
        )  # fmt: skip

    # content

    def _again(self, entry: Entry) -> Member:
        """The member's header, read again at its place."""
        wanted = int(entry.inode or -1)
        if not entry.ref.get("central"):
            found = next((m for m in self._members() if isinstance(m, Member) and m.number == wanted), None)
            if found is None:
                raise ParseError(entry.path, None, "no such member", "damaged")
            return found
        at = int(entry.ref["at"])
        head = self._bytes(at, 46)
        if len(head) < 46 or head[:4] != CENTRAL:
            raise ParseError(entry.path, at, "no directory entry at this place", "damaged")
        _, host, _, flags, method, clock, date, crc, packed, size, n, m, k, _, _, external, offset = struct.unpack(
            "<BBHHHHHIIIHHHHHII", head[4:]
        )
        rest = self._bytes(at + 46, n + m + k)
        member = wide(
            Member(wanted, at, host, flags, method, clock, date, crc, packed, size, external, offset, rest[:n],
                   rest[n : n + m], rest[n + m :])
        )  # fmt: skip
        member.offset += self._delta
        return member

    def open_entry(self, entry: Entry) -> BinaryIO:
        """The member's content, decoded as it is read; its checksum is compared before the last bytes are given."""
        member = self._again(entry)
        overlap = entry.ref.get("overlap")
        if overlap:
            raise ParseError(entry.path, member.offset, f"not unpacked: {overlap}", "too_large")
        if member.flags & 0x2041 == 0x2041 or (member.flags & 0x41) == 0x41:
            raise ParseError(entry.path, None, "PKWARE's strong encryption is not read; needs PKZIP", "locked")
        password = self._password(member, entry.path) if member.flags & 1 else None
        if member.method == 0 and not member.flags & 1:
            start, _ = self._data(member, entry.path)
            if member.packed != entry.size:
                raise ParseError(entry.path, member.at, "a stored member's two sizes differ", "damaged")
            if entry.size > self.limits.max_member_bytes:
                raise ParseError(entry.path, None, f"declares {entry.size} bytes, more than the limit", "too_large")
            return buffered(Window(entry.path, self.handle, [(start, entry.size)]))
        self._decoder(member, entry.path, b"\0" * 4 + b"\x5d" + b"\0" * 8)  # unsupported methods are told at once
        return self.spooled(entry, member.packed, partial(self._content, member, entry.path, password))

    def _data(self, member: Member, path: str) -> tuple[int, int]:
        """Where the member's bytes begin and how many the archive holds of them."""
        head = self._bytes(member.offset, 30)
        if len(head) < 30 or head[:4] != LOCAL:
            raise ParseError(path, member.offset, "the member's own header is not where the directory says", "damaged")
        n, m = struct.unpack_from("<HH", head, 26)
        start = member.offset + 30 + n + m
        return start, max(0, min(member.packed, self.archive.size - start))

    def _decoder(self, member: Member, path: str, head: bytes) -> tuple[int, Any]:
        method = member.method
        field = extras(member.extra).get(0x9901, b"")
        if method == 99 and len(field) >= 7:
            method = int.from_bytes(field[5:7], "little")
        if method not in DECODERS and method not in (0, 14):
            shown_method = METHODS.get(method, f"method {method}")
            raise ParseError(path, None, f"compressed with {shown_method}, which is not read", "unsupported")
        return method, DECODERS.get(method)

    def _content(self, member: Member, path: str, password: bytes | None) -> Iterator[bytes]:
        start, length = self._data(member, path)
        pieces = raw(self.handle, start, length)
        check = member.crc if not member.flags >> 16 else None
        if member.flags & 1:
            pieces = self._decrypted(member, path, password or b"", start, length)
            field = extras(member.extra).get(0x9901, b"")
            if member.method == 99 and field[:2] == b"\2\0":
                check = None  # AE-2 leaves the checksum out
        method, make = self._decoder(member, path, b"")
        if method == 14:
            pieces, make = self._lzma(pieces, path)
        crc, produced = 0, 0
        for piece in pieces if method == 0 else decoded(pieces, make, path):
            crc, produced = zlib.crc32(piece, crc), produced + len(piece)
            yield piece
        if check is not None and crc != check and (produced or member.size):
            raise ParseError(path, None, f"checksum {crc:08x} of the content is not the stored {check:08x}", "damaged")

    @staticmethod
    def _lzma(pieces: Iterator[bytes], path: str) -> tuple[Iterator[bytes], Any]:
        head = next(pieces, b"")
        try:
            decoder: Decoder = zip_lzma(head)
        except ValueError as error:
            raise ParseError(path, None, str(error), "damaged") from error

        def rest() -> Iterator[bytes]:
            yield head[9:]
            yield from pieces

        return rest(), lambda: decoder

    # passwords

    def _password(self, member: Member, path: str) -> bytes:
        """The first of the examiner's secrets that fits; ParseError (locked) where none does."""
        start, length = self._data(member, path)
        cipher = self._cipher(member)
        head = self._bytes(start, 18)
        for secret in self.secrets:
            for encoded in dict.fromkeys((secret.encode("utf-8", "surrogatepass"), secret.encode("cp437", "replace"))):
                if member.method == 99:
                    strength = extras(member.extra).get(0x9901, b"\0" * 7)[4]
                    salt = {1: 8, 2: 12, 3: 16}.get(strength, 0)
                    if salt and length >= salt + 12:
                        keys = archive_crypt.aes_keys(head[:salt], strength, encoded)
                        if keys[2] == head[salt : salt + 2]:
                            return encoded
                else:
                    check = member.clock >> 8 if member.flags & 8 else member.crc >> 24
                    if archive_crypt.traditional_fits(head[:12], check, encoded) and self._proves(member, encoded):
                        return encoded
        tried = f"; none of the {len(self.secrets)} given fits" if self.secrets else ""
        raise ParseError(path, None, f"encrypted with {cipher}: needs its password{tried}", "locked")

    def _proves(self, member: Member, password: bytes) -> bool:
        """Whether a small member decodes with this password: one check byte fits by chance once in 256."""
        if member.packed > 1024 * 1024 or member.size > 16 * 1024 * 1024 or len(self.secrets) < 2:
            return True
        try:
            for _ in self._content(member, "", password):
                pass
        except ParseError:
            return False
        return True

    def _decrypted(self, member: Member, path: str, password: bytes, start: int, length: int) -> Iterator[bytes]:
        if member.method != 99:
            header = self._bytes(start, 12)
            return archive_crypt.traditional(raw(self.handle, start + 12, max(0, length - 12)), header, password)
        strength = extras(member.extra).get(0x9901, b"\0" * 7)[4]
        salt = {1: 8, 2: 12, 3: 16}.get(strength, 0)
        if not salt or length < salt + 12:
            raise ParseError(path, start, "the encryption header is damaged", "damaged")
        keys = archive_crypt.aes_keys(self._bytes(start, salt), strength, password)
        mac = self._bytes(start + length - 10, 10)
        return archive_crypt.aes(raw(self.handle, start + salt + 2, length - salt - 12), keys, mac, path)
