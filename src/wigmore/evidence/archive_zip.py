"""zip archives (and documents that are zips) as stores.

Source: PKWARE APPNOTE.TXT 6.3.10.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO

from wigmore.evidence import archive_crypt
from wigmore.evidence.archive_decode import Decoder, Deflate64, Inflater, bzip2, decoded, raw, xz, zip_lzma, zstd
from wigmore.evidence.archive_member import IN_MEMORY, Window, place, target
from wigmore.evidence.archive_zip_headers import LOCAL, Member, ZipHeaders, central, extras, member_name, member_times
from wigmore.evidence.secret import opened as said
from wigmore.evidence.secret import passwords
from wigmore.evidence.store import Entry, Limits, buffered, part
from wigmore.model.protocols import EvidenceFile, Gap, ParseError

METHODS = {
    0: "stored", 1: "shrunk", 6: "imploded", 8: "deflate", 9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard",
    95: "xz", 98: "PPMd", 99: "AES",
}  # fmt: skip
DECODERS = {8: Inflater, 9: Deflate64, 12: bzip2, 93: zstd, 95: xz}
WINDOWS_HOSTS = frozenset((0, 10, 11, 14))  # FAT, NTFS (two numbers), VFAT
FOUND_LIMIT = 20_000  # members looked at for the record about the archive itself


class ZipStore(ZipHeaders):
    """The members of a zip archive in the order of its directory; without one, in the order of their own headers."""

    def __init__(self, file: EvidenceFile, prefix: str, limits: Limits, secrets: tuple[str, ...] = ()) -> None:
        super().__init__(file, prefix, limits, secrets)
        self._salvaged: list[Member] | None = None
        self._overlaps: dict[int, str] | None = None
        self._fitted: str | None = None
        self._record()

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
        first: Member | None = None
        for member in self._members():
            if isinstance(member, Gap):
                continue
            count += 1
            if member.flags & 1:
                first = first or member
                locked.append(place(*self._named(member)).path)
                ciphers.add(self._cipher(member))
            if count >= FOUND_LIMIT:
                break
        opened = first is not None and self._opens(first)
        if locked and not opened:
            self.needs = "a password"
        self.describe(
            **(said(self._fitted) if opened else {}),
            members=count if count < FOUND_LIMIT else self._stated,
            comment=part(self.comment.replace(b"/", b"\0"))[0].replace("\\x00", "/"),
            encrypted=bool(locked),
            encryption=", ".join(sorted(ciphers)),
            encrypted_members=len(locked) or None,
            encrypted_names=locked[:100] or None,
            names_encrypted=False,
            central_directory=self._directory is not None,
        )

    def _opens(self, member: Member) -> bool:
        """Whether one of the examiner's secrets fits."""
        try:
            return bool(self.secrets) and self._password(member, "") is not None
        except ParseError:
            return False

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
                    starts.append(min(max(member.offset, 0), 1 << 62))
                    ends.append(min(max(member.offset + 30 + len(member.name) + member.packed, 0), 1 << 62))
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
                yield Gap(
                    f"{self.archive.path}: declares more than {self.limits.max_total_bytes} bytes", None, "too_large"
                )
            locked += bool(member.flags & 1)
            yield self._entry(member, overlaps.get(member.number))
        if locked and self.needs:
            yield Gap(f"{self.archive.path}: {locked} encrypted members need a password", None, "locked")

    def _entry(self, member: Member, overlap: str | None) -> Entry:
        name, limits, windows, text = self._named(member)
        where = place(name, limits, windows, text)
        encoding = member_name(member)[2]
        mode = member.external >> 16 if member.host in (3, 19) else 0  # Unix, macOS
        folder = name.endswith((b"/", b"\\") if windows else b"/") or mode & 0xF000 == 0x4000
        kind = "directory" if folder and not member.size else "link" if mode & 0xF000 == 0xA000 else "file"
        attributes: dict[str, Any] = {
            **where.attributes(),
            "method": METHODS.get(member.method, f"method {member.method}"),
        }
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
        attributes["packed_size"] = self.declared(member.packed, {})
        size = self.declared(member.size, attributes)
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
            self.join(where.path), where.name, kind, size if kind == "file" else 0, str(member.number),
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
        member = central(self.bytes_at(at, 46 + 3 * 65_535), wanted, at, self._delta)
        if member is None:
            raise ParseError(entry.path, at, "no directory entry at this place", "damaged")
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
            if member.packed != member.size:
                raise ParseError(entry.path, member.at, "a stored member's two sizes differ", "damaged")
            self.refuse(entry)
            if entry.size > IN_MEMORY:  # an image to be read here and there: in place, its checksum unseen
                return buffered(Window(entry.path, self.handle, [(start, entry.size)], self))
        self._decoder(member, entry.path, b"\0" * 4 + b"\x5d" + b"\0" * 8)  # unsupported methods are told at once
        return self.spooled(entry, member.packed, partial(self._content, member, entry.path, password))

    def _data(self, member: Member, path: str) -> tuple[int, int]:
        """Where the member's bytes begin and how many the archive holds of them."""
        head = self.bytes_at(member.offset, 30)
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
        head = self.bytes_at(start, 18)
        for secret in passwords(self.secrets):
            for encoded in dict.fromkeys((secret.encode("utf-8", "surrogatepass"), secret.encode("cp437", "replace"))):
                if member.method == 99:
                    strength = extras(member.extra).get(0x9901, b"\0" * 7)[4]
                    salt = {1: 8, 2: 12, 3: 16}.get(strength, 0)
                    if salt and length >= salt + 12:
                        keys = archive_crypt.aes_keys(head[:salt], strength, encoded)
                        if keys[2] == head[salt : salt + 2] and self._proves(member, encoded):
                            self._fitted = secret
                            return encoded
                else:
                    check = member.clock >> 8 if member.flags & 8 else member.crc >> 24
                    if archive_crypt.traditional_fits(head[:12], check, encoded) and self._proves(member, encoded):
                        self._fitted = secret
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
            header = self.bytes_at(start, 12)
            return archive_crypt.traditional(raw(self.handle, start + 12, max(0, length - 12)), header, password)
        strength = extras(member.extra).get(0x9901, b"\0" * 7)[4]
        salt = {1: 8, 2: 12, 3: 16}.get(strength, 0)
        if not salt or length < salt + 12:
            raise ParseError(path, start, "the encryption header is damaged", "damaged")
        keys = archive_crypt.aes_keys(self.bytes_at(start, salt), strength, password)
        mac = self.bytes_at(start + length - 10, 10)
        return archive_crypt.aes(raw(self.handle, start + salt + 2, length - salt - 12), keys, mac, path)
