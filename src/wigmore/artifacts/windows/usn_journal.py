"""NTFS and ReFS change journals ($UsnJrnl:$J): records of versions 2, 3 and 4."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from wigmore.artifacts.windows.ntfs_structures import RECORD_MASK
from wigmore.artifacts.windows.structures import FILE_ATTRIBUTES, bits
from wigmore.model.canonical import clean
from wigmore.model.protocols import EvidenceFile, Gap, Record, Recorder, Yield
from wigmore.model.times import filetime
from wigmore.registry import Claim, parser

PIECE = 1024 * 1024  # records do not cross pages of 4,096 bytes, so pieces need no overlap
PAGE = 4096
LONGEST = 592  # a version 3 record with a name of 255 characters
KNOWN_FOLDERS = 200_000
DEPTH = 64
ROOT = 5
REASONS = {
    0x1: "DATA_OVERWRITE", 0x2: "DATA_EXTEND", 0x4: "DATA_TRUNCATION", 0x10: "NAMED_DATA_OVERWRITE",
    0x20: "NAMED_DATA_EXTEND", 0x40: "NAMED_DATA_TRUNCATION", 0x100: "FILE_CREATE", 0x200: "FILE_DELETE",
    0x400: "EA_CHANGE", 0x800: "SECURITY_CHANGE", 0x1000: "RENAME_OLD_NAME", 0x2000: "RENAME_NEW_NAME",
    0x4000: "INDEXABLE_CHANGE", 0x8000: "BASIC_INFO_CHANGE", 0x10000: "HARD_LINK_CHANGE", 0x20000: "COMPRESSION_CHANGE",
    0x40000: "ENCRYPTION_CHANGE", 0x80000: "OBJECT_ID_CHANGE", 0x100000: "REPARSE_POINT_CHANGE", 0x200000: "STREAM_CHANGE",
    0x400000: "TRANSACTED_CHANGE", 0x800000: "INTEGRITY_CHANGE", 0x1000000: "DESIRED_STORAGE_CLASS_CHANGE",
    0x80000000: "CLOSE",
}  # fmt: skip
SOURCES = {1: "DATA_MANAGEMENT", 2: "AUXILIARY_DATA", 4: "REPLICATION_MANAGEMENT", 8: "CLIENT_REPLICATION_MANAGEMENT"}
_HEADER = struct.Struct("<IHH")
_AFTER = struct.Struct("<qqIIIIHH")  # what follows the references in versions 2 and 3
_FOURTH = struct.Struct("<qIIIHH")


@dataclass(frozen=True, slots=True)
class Change:
    """One journal record: version, length in bytes, references as stored, and what each version has of the rest."""

    version: int
    length: int
    file: int
    parent: int
    usn: int
    stamp: int
    reason: int
    source: int
    security: int
    attributes: int
    name: str
    extents: tuple[tuple[int, int], ...] = ()

    @property
    def folder(self) -> bool:
        """Whether the attributes say that it is a folder."""
        return bool(self.attributes & 0x10)

    def data(self) -> dict[str, Any]:
        """The fields of a record on this change."""
        data: dict[str, Any] = {"usn": self.usn, "version": self.version, "reasons": bits(self.reason, REASONS)}
        if self.version != 4:
            data["name"] = self.name
            data["attributes"] = bits(self.attributes, FILE_ATTRIBUTES)
            data["directory"] = self.folder
            data["security_id"] = self.security
        else:
            data["extents"] = [{"offset": offset, "length": length} for offset, length in self.extents]
        for label, reference in (("file", self.file), ("parent", self.parent)):
            if reference >> 64:
                data[f"{label}_id"] = f"{reference:032x}"  # ReFS: 128 bits of their own kind
            else:
                data[f"{label}_record"], data[f"{label}_sequence"] = reference & RECORD_MASK, reference >> 48
        if self.source:
            data["source_info"] = bits(self.source, SOURCES)
        return data


def change(raw: bytes, at: int = 0) -> Change | None:
    """The journal record at a place; None where its lengths and version are not those of one.

    MS-FSCC 2.3.62: length, major and minor version, two references (8 bytes each in version 2, 16 later), USN; then time,
    reason, source, security id, attributes and name, or in version 4 reason, source and extents.
    """
    if at + 64 > len(raw):
        return None
    length, major, minor = _HEADER.unpack_from(raw, at)
    if not 60 <= length <= LONGEST or length % 8 or minor or major not in (2, 3, 4) or at + length > len(raw):
        return None
    wide = 8 if major == 2 else 16
    file = int.from_bytes(raw[at + 8 : at + 8 + wide], "little")
    parent = int.from_bytes(raw[at + 8 + wide : at + 8 + 2 * wide], "little")
    rest = at + 8 + 2 * wide
    if major == 4:
        usn, reason, source, _, count, size = _FOURTH.unpack_from(raw, rest)
        if size != 16 or 64 + count * size > length or usn < 0:
            return None
        extents = tuple(struct.unpack_from("<qq", raw, at + 64 + 16 * n) for n in range(count))
        return Change(4, length, file, parent, usn, 0, reason, source, 0, 0, "", extents)
    usn, stamp, reason, source, security, flags, letters, name_at = _AFTER.unpack_from(raw, rest)
    if name_at != 44 + 2 * wide or letters % 2 or not letters or name_at + letters > length or usn < 0 or stamp <= 0:
        return None
    name = clean(raw[at + name_at : at + name_at + letters].decode("utf-16-le", "surrogatepass"))
    return Change(major, length, file, parent, usn, stamp, reason, source, security, flags, name)


class _Folders:
    """Names of folders as the journal told them so far: a part of the path where the table of files is not at hand."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[str, int]] = {}

    def note(self, told: Change) -> None:
        """Remember a folder's name and place; forget it where it went."""
        if told.reason & 0x200:
            self.known.pop(told.file, None)
        elif not told.reason & 0x1000 and (told.file in self.known or len(self.known) < KNOWN_FOLDERS):
            self.known[told.file] = (told.name, told.parent)

    def path(self, reference: int) -> str:
        """The known end of a folder's path, or an empty text."""
        parts: list[str] = []
        for _ in range(DEPTH):
            if reference & RECORD_MASK == ROOT and not reference >> 64:
                return "/" + "/".join(reversed(parts))
            found = self.known.get(reference)
            if found is None:
                break
            parts.append(found[0])
            reference = found[1]
        return ("?/" + "/".join(reversed(parts))) if parts else ""


def _look(head: bytes, path: str, size: int) -> bool:
    name = path.rsplit("/", 1)[-1].lower()
    if name in ("$j", "$usnjrnl", "usnjrnl") or ("usnjrnl" in name and not name.endswith(("$max", "_max", "max.bin"))):
        return not head[:64].strip(b"\0") or change(head) is not None
    return change(head) is not None and change(head, struct.unpack_from("<I", head)[0]) is not None


def _pieces(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Place and bytes of the parts of the stream that are not all zeros (its beginning is sparse)."""
    base = 0
    while piece := stream.read(PIECE):
        while len(piece) < PIECE and (more := stream.read(PIECE - len(piece))):
            piece += more
        if piece.count(0) != len(piece):
            yield base, piece
        base += len(piece)


@parser(
    "windows.ntfs.usn",
    claims=Claim(look=_look),
    reads="$Extend/$UsnJrnl:$J, also exported as $J, whole or without its sparse beginning",
    means="The volume noted this kind of change to the file of this name and reference, in the order of its numbers.",
    does_not_mean=(
        "Which account or program did it, or what was written. The reasons of one opening add up until CLOSE. The journal "
        "keeps days to weeks; what is older was dropped, and it can be deleted. A path is known only as far as the "
        "journal itself named the folders before."
    ),
    refs=(
        "MS-FSCC 2.3.62 (USN_RECORD_V2, V3)",
        "https://learn.microsoft.com/windows/win32/api/winioctl/ns-winioctl-usn_record_v4",
    ),
    limit_seconds=1800.0,
)
def usn_journal(file: EvidenceFile) -> Iterator[Yield]:
    """One record a change, in the order of the stream; `usn` is its number and grows with it.

    Zeros between pages are skipped. What is no record is skipped to the next place, eight bytes on, where one stands.
    """
    folders = _Folders()
    earliest = latest = None
    with file.open() as stream:
        for base, piece in _pieces(stream):
            at, lost = 0, -1
            while at + 60 <= len(piece):
                told = change(piece, at)
                if told is None:
                    if not piece[at : at + 8].strip(b"\0"):
                        page = (at // PAGE + 1) * PAGE
                        rest = piece[at:page]
                        at += (len(rest) - len(rest.lstrip(b"\0"))) & ~7 or 8  # padding at a page's end
                    else:
                        lost = at if lost < 0 else lost
                        at += 8
                    continue
                if lost >= 0:
                    yield Gap(f"{at - lost} bytes hold no journal record", base + lost)
                    lost = -1
                data = told.data()
                if told.version != 4 and (above := folders.path(told.parent)):
                    data["known_path"] = f"{above.rstrip('/')}/{told.name}"
                if told.folder:
                    folders.note(told)
                times = {"changed_at": moment} if (moment := filetime(told.stamp)) else {}
                if moment:
                    earliest = moment if earliest is None or moment["instant"] < earliest["instant"] else earliest
                    latest = moment if latest is None or moment["instant"] > latest["instant"] else latest
                yield (
                    {"kind": "offset", "offset": base + at, "length": told.length},
                    Record(data, times, "changed_at" if times else None),
                )
                at += told.length
            if lost >= 0:
                yield Gap(f"{len(piece) - lost} bytes hold no journal record", base + lost)
            elif len(piece) % 8 or piece[at:].strip(b"\0"):
                yield Gap("the last record is cut off", base + at, "truncated")
    yield Recorder(
        "unknown",
        earliest["text"] if earliest else None,
        latest["text"] if latest else None,
        "the size limit of the journal ($Max) says how far back it can reach",
    )
