"""7z archives through py7zr: members listed, solid blocks decoded forward once.

Source: 7zFormat.txt and Methods.txt of the LZMA SDK (public domain).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO

from wigmore.evidence.archive_member import ArchiveStore, place, target
from wigmore.evidence.secret import opened, passwords
from wigmore.evidence.store import Entry, Limits
from wigmore.model import times
from wigmore.model.protocols import EvidenceFile, Gap, ParseError

AES = b"\x06\xf1\x07\x01"
BCJ2 = b"\x03\x03\x01\x1b"
METHODS = {
    b"\x00": "copy", b"\x21": "LZMA2", b"\x03\x01\x01": "LZMA", b"\x03\x04\x01": "PPMd", b"\x04\x01\x08": "deflate",
    b"\x04\x01\x09": "Deflate64", b"\x04\x02\x02": "bzip2", b"\x03\x03\x01\x03": "BCJ x86", BCJ2: "BCJ2",
    AES: "AES-256", b"\x03": "delta", b"\x04\xf7\x11\x01": "Zstandard", b"\x04\xf7\x11\x02": "Brotli",
    b"\x03\x03\x05\x01": "BCJ ARM",
}  # fmt: skip
PIECE = 1024 * 1024
KEPT_HEADER = 256 * 1024 * 1024  # bytes of header that are worth unpacking
# what hostile headers make the library raise, measured over damaged copies
ERRORS = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, EOFError, OSError, struct.error,
    OverflowError, NotImplementedError, UnicodeDecodeError, RuntimeError, zlib.error,
)  # fmt: skip


def _errors() -> tuple[type[BaseException], ...]:
    import lzma

    from py7zr import exceptions

    return (*ERRORS, lzma.LZMAError, exceptions.ArchiveError, exceptions.AbsolutePathError)


class SevenZipStore(ArchiveStore):
    """The members of a 7z archive, in the order of its header."""

    format = "7z"

    def __init__(self, file: EvidenceFile, prefix: str, limits: Limits, secrets: tuple[str, ...] = ()) -> None:
        super().__init__(file, prefix, limits, secrets)
        self._archive: Any = None
        self._password: str | None = None
        self._names_encrypted = False
        self._by_block: dict[int, list[tuple[int, Any]]] | None = None
        self._cursor: tuple[int, int, Any, int] | None = (
            None  # block, next member in it, decoder, offset in the archive
        )
        self._fault = self._open()
        if self._fault is not None and self._fault.reason != "locked":
            raise self._fault
        self._record()

    def _open(self) -> ParseError | None:
        """Read the header: as it is, then with each secret; what stood in the way, None if nothing."""
        from py7zr import exceptions

        self._plain_header()
        fault: ParseError | None = None
        for secret in (None, *passwords(self.secrets)):
            try:
                found = self._try(secret)
                if secret is None and found.needs_password() and self.secrets:
                    self._archive = found
                    self._password = self._fitting()
                    if self._password is not None:
                        self._archive, self._by_block = self._try(self._password), None
                    return None
                self._archive, self._password = found, secret
                return None
            except exceptions.PasswordRequired:
                self._names_encrypted = True
                fault = ParseError(
                    self.archive.path, None, "names and content are encrypted: needs its password", "locked"
                )
            except MemoryError as error:
                raise ParseError(
                    self.archive.path, None, "the header asks for more memory than it may", "memory"
                ) from error
            except _errors() as error:
                if fault is None or fault.reason != "locked":
                    message = f"the 7z header is damaged: {type(error).__name__}: {error}"[:300]
                    return ParseError(self.archive.path, None, message, "damaged")
        return fault

    def _plain_header(self) -> None:
        """The start header: where the header lies and whether the archive holds it."""
        self.handle.seek(0)
        head = self.handle.read(32)
        if len(head) < 32:
            raise ParseError(self.archive.path, 0, "the 7z header is cut off", "truncated")
        if zlib.crc32(head[12:32]) != int.from_bytes(head[8:12], "little"):
            raise ParseError(self.archive.path, 8, "the checksum of the 7z start header is wrong", "damaged")
        offset, size = struct.unpack_from("<2Q", head, 12)
        if 32 + offset + size > self.archive.size:
            message = f"the member list at {32 + offset} lies past the end; the archive is cut off"
            raise ParseError(self.archive.path, self.archive.size, message, "truncated")
        if size > KEPT_HEADER:
            raise ParseError(
                self.archive.path, None, f"a member list of {size} bytes is more than is read", "too_large"
            )

    def _try(self, secret: str | None) -> Any:
        import py7zr

        return py7zr.SevenZipFile(self.own(self.archive.open()), password=secret)

    @property
    def _blocks(self) -> list[Any]:
        streams = getattr(self._archive.header, "main_streams", None)
        return list(streams.unpackinfo.folders) if streams is not None and streams.unpackinfo is not None else []

    @staticmethod
    def _coders(block: Any) -> list[bytes]:
        return [coder["method"] for coder in block.coders]

    def _fitting(self) -> str | None:
        """The first secret that decodes a member with a checksum."""
        numbers = [n for n, block in enumerate(self._blocks) if AES in self._coders(block)]
        for secret in passwords(self.secrets) if numbers else ():
            self._archive, self._by_block = self._try(secret), None
            members = self._members(numbers[0])
            probe = min(members, key=lambda item: (item[1].uncompressed, item[0]), default=None) if members else None
            if probe is None:
                continue
            self._cursor = None
            position = next(n for n, item in enumerate(members) if item[0] == probe[0])
            try:
                for _ in self._decode(numbers[0], position, self.archive.path):
                    pass
            except ParseError:
                continue
            finally:
                self._cursor = None
            return secret
        return None

    def _members(self, block: int) -> list[tuple[int, Any]]:
        """A block's members in order: (number in the archive, the library's member)."""
        if self._by_block is None:
            self._by_block = {}
            numbers = {id(folder): number for number, folder in enumerate(self._blocks)}
            for number, member in enumerate(self._archive.files):
                if member.folder is not None and not member.emptystream:
                    self._by_block.setdefault(numbers.get(id(member.folder), -1), []).append((number, member))
        return self._by_block.get(block, [])

    def _record(self) -> None:
        if self._archive is None:
            self.needs = "a password"
            self.describe(encrypted=True, names_encrypted=True, encryption="AES-256")
            return
        coders = [self._coders(block) for block in self._blocks]
        encrypted = any(AES in chain for chain in coders)
        if encrypted and self._password is None:
            self.needs = "a password"
        methods = sorted({METHODS.get(code, code.hex()) for chain in coders for code in chain})
        self.describe(
            **opened(self._password if encrypted or self._names_encrypted else None),
            members=len(getattr(self._archive, "files", ())), methods=", ".join(methods), blocks=len(coders),
            encrypted=encrypted, encryption="AES-256" if encrypted or self._names_encrypted else None,
            names_encrypted=self._names_encrypted,
        )  # fmt: skip

    def entries(self) -> Iterator[Entry | Gap]:
        """Every member; Gap where names or content are encrypted."""
        if self._archive is None:
            yield Gap(str(self._fault), None, "locked")
            return
        encrypted = 0
        positions: dict[int, int] = {}
        blocks = {id(block): number for number, block in enumerate(self._blocks)}
        total = 0
        for number, member in enumerate(self._archive.files):
            if number >= self.limits.max_members:
                yield Gap(f"{self.archive.path}: more than {number} members", None, "too_large")
                return
            block = -1 if member.emptystream or member.folder is None else blocks.get(id(member.folder), -1)
            position = positions.get(block, 0)
            positions[block] = position + 1
            entry = self._entry(number, member, block, position)
            encrypted += bool(entry.attributes.get("encrypted"))
            total += entry.size
            yield entry
        if total > self.limits.max_total_bytes:
            yield Gap(f"{self.archive.path}: declares more than {self.limits.max_total_bytes} bytes", None, "too_large")
        if encrypted and self._password is None:
            yield Gap(f"{self.archive.path}: {encrypted} encrypted members need a password", None, "locked")

    def _entry(self, number: int, member: Any, block: int, position: int) -> Entry:
        name = str(member.filename)
        where = place(name.encode("utf-8", "surrogatepass"), self.limits, backslash=True, text=name)
        flags = member._file_info.get("attributes")
        flags = flags if isinstance(flags, int) else 0
        mode = flags >> 16 if flags & 0x8000 else 0
        empty = block < 0
        folder = bool(flags & 0x10) or mode & 0xF000 == 0x4000 or (empty and not flags and name.endswith("/"))
        kind = "directory" if folder else "link" if mode & 0xF000 == 0xA000 or (flags & 0x400 and not mode) else "file"
        size = 0 if empty or kind == "directory" else int(member.uncompressed or 0)
        attributes: dict[str, Any] = where.attributes()
        size = self.declared(size, attributes)
        if mode:
            attributes["mode"] = f"{mode & 0o7777:04o}"
        if flags & 0xFFFF & ~0x8000:
            attributes["dos_attributes"] = flags & 0x7FFF
        coders = [] if empty else self._coders(self._blocks[block])
        if coders:
            attributes["method"] = ", ".join(METHODS.get(code, code.hex()) for code in coders if code != AES)
            attributes["block"] = block
        if AES in coders:
            attributes.update(encrypted=True, encryption="AES-256")
        if isinstance(member.crc32, int):
            attributes["crc32"] = f"{member.crc32:08x}"
        found = {}
        for field, key in (("modified", "lastwritetime"), ("accessed", "lastaccesstime"), ("created", "creationtime")):
            value = member._file_info.get(key)
            time = times.filetime(int(value), "collector") if value is not None else None
            if time:
                found[field] = time
        link = None
        if kind == "link" and 0 < size <= 4096 and (AES not in coders or self._password is not None):
            try:
                link = target(b"".join(self._decode(block, position, where.path)))
            except ParseError as error:
                attributes["link_target_unread"] = error.message
        return Entry(
            self.join(where.path), where.name, kind, size if kind == "file" else 0, str(number), link_target=link,
            path_raw=where.raw, attributes=attributes, times=found, ref={"block": block, "position": position},
        )  # fmt: skip

    def open_entry(self, entry: Entry) -> BinaryIO:
        """The member's content; members of a solid block cost least in the archive's order."""
        if self._archive is None:
            raise ParseError(entry.path, None, "names and content are encrypted: needs its password", "locked")
        block, position = int(entry.ref["block"]), int(entry.ref["position"])
        if block < 0:
            return self.spooled(entry, 1, lambda: iter(()))
        if block >= len(self._blocks):
            raise ParseError(entry.path, None, "no such block", "damaged")
        coders = self._coders(self._blocks[block])
        if AES in coders and self._password is None:
            tried = f"; none of the {len(self.secrets)} given fits" if self.secrets else ""
            raise ParseError(entry.path, None, f"encrypted with AES-256: needs its password{tried}", "locked")
        if BCJ2 in coders:
            raise ParseError(entry.path, None, "compressed with BCJ2, which is not read; needs 7-Zip", "unsupported")
        packed = self._span(block)[1]
        return self.spooled(entry, packed, partial(self._decode, block, position, entry.path))

    def _span(self, block: int) -> tuple[int, int]:
        """Where a block's packed bytes lie: (offset, bytes)."""
        streams = self._archive.header.main_streams
        at = 0
        for number, other in enumerate(streams.unpackinfo.folders):
            count = max(1, len(other.packed_indices))
            sizes = streams.packinfo.packsizes[at : at + count]
            at += count
            if number == block:
                before = sum(streams.packinfo.packsizes[: at - count])
                return int(self._archive.afterheader + streams.packinfo.packpos + before), int(sum(sizes))
        return 0, 0

    def _decode(self, block: int, position: int, path: str) -> Iterator[bytes]:
        """One member's bytes. The decoder is kept where it stands, so that the next member needs no second start."""
        members = self._members(block)
        if position >= len(members):
            raise ParseError(path, None, "no such member in its block", "damaged")
        start, packed = self._span(block)
        cursor, self._cursor = self._cursor, None
        try:
            if cursor is None or cursor[0] != block or cursor[1] > position:
                chain = self._blocks[block]
                decoder = chain.get_decompressor(packed, reset=True)
                cursor = (block, 0, decoder, start)
            _, upcoming, decoder, at = cursor
            handle = self.handle
            for number in range(upcoming, position + 1):
                left, crc = int(members[number][1].uncompressed), 0
                while left > 0:
                    handle.seek(at)
                    piece = bytes(decoder.decompress(handle, min(left, PIECE)))
                    moved = handle.tell() - at
                    at += moved
                    if not piece and not moved:
                        raise ParseError(path, at, f"decoding stops {left} bytes before the member's end", "truncated")
                    left -= len(piece)
                    crc = zlib.crc32(piece, crc)
                    if number == position and piece:
                        yield piece
                stored = members[number][1].crc32
                if number == position and isinstance(stored, int) and stored != crc:
                    message = f"checksum {crc:08x} of the content is not the stored {stored:08x}"
                    raise ParseError(path, None, message, "damaged")
            self._cursor = (block, position + 1, decoder, at)
        except MemoryError as error:
            raise ParseError(path, None, "the decoder asks for more memory than it may have", "memory") from error
        except _errors() as error:
            raise ParseError(
                path, None, f"cannot be decoded: {type(error).__name__}: {error}"[:300], "damaged"
            ) from error

    def close(self) -> None:
        """Give handles back."""
        super().close()
        if self._archive is not None:
            self._archive.fp.close()
