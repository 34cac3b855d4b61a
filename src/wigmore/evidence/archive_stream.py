"""Compressed single streams as archives of one member: gzip, bzip2, xz, Zstandard, Android backup.

Sources: RFC 1952 (gzip), RFC 8878 (Zstandard), tukaani.org xz-file-format, AOSP BackupManagerService (Android backup).
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Any, BinaryIO

from wigmore.evidence import android_backup
from wigmore.evidence.archive_decode import Decoder, Inflater, bzip2, decoded, raw, xz, zstd
from wigmore.evidence.archive_member import IN_MEMORY, ArchiveStore, Window, place
from wigmore.evidence.secret import opened
from wigmore.evidence.store import Entry, Limits, buffered
from wigmore.model import times
from wigmore.model.protocols import EvidenceFile, Gap, ParseError
from wigmore.model.times import Time

SKIPPABLE = tuple(bytes((0x50 + number, 0x2A, 0x4D, 0x18)) for number in range(16))
FORMATS: dict[str, tuple[Callable[[], Decoder], tuple[bytes, ...], dict[str, str]]] = {
    # decoder, what begins a further stream, extensions and what they become
    "gz": (lambda: Inflater(31), (b"\x1f\x8b\x08",), {".tgz": ".tar", ".svgz": ".svg", ".emz": ".emf"}),
    "bz2": (bzip2, (b"BZh",), {".tbz": ".tar", ".tbz2": ".tar"}),
    "xz": (xz, (b"\xfd7zXZ\0",), {".txz": ".tar"}),
    "zst": (zstd, (b"\x28\xb5\x2f\xfd", *SKIPPABLE), {".tzst": ".tar"}),
    "ab": (lambda: Inflater(15), (), {".ab": ".tar"}),
}
GZIP_SYSTEMS = {0: "FAT", 3: "Unix", 7: "Macintosh", 10: "NTFS", 11: "NTFS", 255: "unknown"}


class SingleStore(ArchiveStore):
    """The one member of a compressed stream.

    Its size is not stored where it could be trusted: the stream is decoded once, under the limits, into a private
    temporary file; content before damage is kept and the entry says so.
    """

    def __init__(
        self, file: EvidenceFile, prefix: str, limits: Limits, kind: str, secrets: tuple[str, ...] = ()
    ) -> None:
        super().__init__(file, prefix, limits, secrets)
        self._key: tuple[bytes, bytes] | None = None
        self.format = {"ab": "Android backup", "gz": "gzip", "bz2": "bzip2", "zst": "Zstandard"}.get(kind, kind)
        self.code = kind
        self._kept: IO[bytes] | None = None
        self._entry: Entry | None = None
        self._gap: Gap | None = None
        self._start = 0
        self._facts: dict[str, Any] = {}
        self._times: dict[str, Time] = {}
        self._name = self._own_name()
        head = self.handle.read(4096)
        if kind == "gz":
            self._gzip(head)
        elif kind == "ab":
            self._android(head)
        self.describe(**self._facts)

    def _own_name(self) -> bytes:
        name = self.archive.path.rpartition("/")[2]
        for old, new in {f".{self.code}": "", **FORMATS[self.code][2]}.items():
            if name.lower().endswith(old) and len(name) > len(old):
                return (name[: -len(old)] + new).encode("utf-8", "surrogatepass")
        return (name + ".content").encode("utf-8", "surrogatepass")

    def _gzip(self, head: bytes) -> None:
        if len(head) < 10:
            raise ParseError(self.archive.path, 0, "the gzip header is cut off", "truncated")
        flags, stamp = head[3], int.from_bytes(head[4:8], "little")
        at = 10
        if flags & 4:
            at += 2 + int.from_bytes(head[at : at + 2], "little")
        if flags & 8 and (end := head.find(b"\0", at)) > at:
            # Latin-1 by RFC 1952; most tools write what the file system had
            self._facts["stored_name"] = place(head[at:end], self.limits).path
            self._name = head[at:end].rpartition(b"/")[2] or self._name
        self._facts["made_on"] = GZIP_SYSTEMS.get(head[9], f"system {head[9]}")
        modified = times.posix(stamp, owner="collector")
        if modified:
            self._times["modified"] = modified

    def _android(self, head: bytes) -> None:
        lines = head.split(b"\n", 4)
        if len(lines) < 5 or not lines[1].isdigit() or len(lines[1]) > 3:
            raise ParseError(self.archive.path, 0, "the Android backup header is damaged", "damaged")
        self._start = sum(len(line) + 1 for line in lines[:4])
        self._facts = {
            "version": int(lines[1]), "compressed": lines[2] == b"1", "encryption": lines[3].decode("ascii", "replace"),
        }  # fmt: skip
        if lines[3] == b"none":
            return
        self._facts |= {"encrypted": True}
        if lines[3] != b"AES-256":
            raise ParseError(self.archive.path, 0, f"encryption {lines[3][:40]!r} is not known", "unsupported")
        more = head[self._start :].split(b"\n", 5)
        self.needs, self.shut = "the backup's password", True  # until one fits
        try:
            found = android_backup.header(more[:-1], int(lines[1]), self.archive.path)
        except ParseError as error:
            self.gaps.append(Gap(f"encrypted: needs the backup's password; {error.message}", None, error.reason))
            return
        self._start += sum(len(line) + 1 for line in more[:5])
        self._facts |= {"cipher": "AES-256-CBC", "kdf": "PBKDF2-SHA1", "iterations": found.rounds}
        fitted = android_backup.master_key(found, self.secrets)
        if fitted is None:
            tried = f"; none of the {len(self.secrets)} given fits" if self.secrets else ""
            self.gaps.append(Gap(f"encrypted Android backup: needs its password{tried}", None, "locked"))
            return
        self._key, self.needs, self.shut = fitted[1:], "", False
        self._facts |= opened(fitted[0])

    def _pieces(self) -> Iterator[bytes]:
        make, magic, _ = FORMATS[self.code]
        source = raw(self.handle, self._start, max(0, self.archive.size - self._start))
        if self._key is not None:
            source = android_backup.decrypted(source, *self._key, self.archive.path)
        if self._facts.get("compressed") is False:
            return source
        if self.code == "zst":
            source = self._frames(source)
        return decoded(source, make, self.archive.path, several=bool(magic), magic=magic)

    def _frames(self, source: Iterator[bytes]) -> Iterator[bytes]:
        """The stream from its first frame with content: skippable frames (RFC 8878 3.1.2) in front carry none."""
        at = 0
        while True:
            self.handle.seek(at)
            head = self.handle.read(8)
            if not head.startswith(SKIPPABLE):
                break
            at += 8 + int.from_bytes(head[4:8], "little")
            if at >= self.archive.size:
                raise ParseError(self.archive.path, None, "a skippable frame reaches past the end", "truncated")
        return raw(self.handle, at, self.archive.size - at) if at else source

    def _read(self) -> Entry:
        """Decode once and make the entry."""
        if self._entry is not None:
            return self._entry
        where = place(self._name, self.limits)
        entry = Entry(
            self.join(where.path), where.name, size=0, inode="0", path_raw=where.raw, attributes=where.attributes(),
            times=self._times, ref={"member": 0},
        )  # fmt: skip
        allow = self.allowance(entry, self.archive.size)
        kept = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # closed by close()
        self._kept, size = self.own(kept), 0
        attributes, caveat = dict(entry.attributes), ""
        try:
            for piece in itertools.chain(self._pieces()):
                allow(size + len(piece))
                kept.write(piece)
                size += len(piece)
        except ParseError as error:
            caveat = f"content before: {error.message}"
            attributes["complete"] = False
            self._gap = Gap(f"{self.archive.path}: {error.message}; {size} bytes could be read", None, error.reason)
        except OSError as error:
            self._gap = Gap(f"{self.archive.path}: no room for unpacked content: {error.strerror}", None, "too_large")
        self._entry = Entry(
            entry.path, entry.name, size=size, inode="0", path_raw=entry.path_raw, attributes=attributes, caveat=caveat,
            times=self._times, ref=entry.ref,
        )  # fmt: skip
        return self._entry

    def entries(self) -> Iterator[Entry | Gap]:
        """The one member, with a Gap where it is not whole."""
        if self.needs:
            yield Gap(f"{self.archive.path}: encrypted; needs {self.needs}", None, "locked")
            return
        entry = self._read()
        if entry.size or self._gap is None:
            yield entry
        if self._gap is not None:
            yield self._gap

    def open_entry(self, entry: Entry) -> BinaryIO:
        """The decoded content; where it is not whole, what stands before the damage."""
        if self.needs:
            raise ParseError(entry.path, None, f"encrypted; needs {self.needs}", "locked")
        if entry.inode != "0":
            raise ParseError(entry.path, None, "no such member", "damaged")
        size = self._read().size
        assert self._kept is not None
        return buffered(Window(entry.path, self._kept, [(0, size)], self))

    def close(self) -> None:
        """Drop what was decoded."""
        super().close()
        if self._kept is not None:
            self._kept.close()
            self._kept = self._entry = None
