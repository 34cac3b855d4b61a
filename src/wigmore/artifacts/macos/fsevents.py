"""macOS FSEvents journals (.fseventsd): gzip files of pages 1SLD, 2SLD and 3SLD with path, event id and flags."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Gap, Locator, ParseError, Record, Yield
from wigmore.registry import Claim, parser

MARKS = {b"1SLD": 1, b"2SLD": 2, b"3SLD": 3}
EXTRA = {1: 12, 2: 20, 3: 24}  # bytes after the path: id, flags; + node id; + 4 of unknown meaning
LARGEST = 256 * 1024 * 1024  # bytes unpacked
LONGEST_PATH = 16_384
# bits of the four flag bytes read big-endian (they are no FSEventStreamEventFlags), as public research found them
FLAGS = {
    0x00000001: "FolderEvent",
    0x00000002: "Mount",
    0x00000004: "Unmount",
    0x00000020: "EndOfTransaction",
    0x00000800: "LastHardLinkRemoved",
    0x00001000: "HardLink",
    0x00004000: "SymbolicLink",
    0x00008000: "FileEvent",
    0x00010000: "PermissionChange",
    0x00020000: "ExtendedAttrModified",
    0x00040000: "ExtendedAttrRemoved",
    0x00100000: "DocumentRevisioning",
    0x00400000: "ItemCloned",
    0x01000000: "Created",
    0x02000000: "Removed",
    0x04000000: "InodeMetaMod",
    0x08000000: "Renamed",
    0x10000000: "Modified",
    0x20000000: "Exchange",
    0x40000000: "FinderInfoMod",
    0x80000000: "FolderCreated",
}


def _look(head: bytes, path: str, size: int) -> bool:
    if head[:4] in MARKS:
        return len(head) >= 12 and struct.unpack_from("<I", head, 8)[0] >= 12
    if head[:2] != b"\x1f\x8b":
        return False
    try:
        return zlib.decompressobj(31).decompress(head, 12)[:4] in MARKS
    except zlib.error:
        return False


def _unpacked(file: EvidenceFile) -> tuple[bytes, str]:
    """The pages, and what went wrong in unpacking them (empty: nothing); several gzip members follow one another."""
    raw = file.read(LARGEST)
    if raw[:4] in MARKS:
        return raw, ""
    pages = bytearray()
    while raw[:2] == b"\x1f\x8b":
        unpacker = zlib.decompressobj(31)
        try:
            pages += unpacker.decompress(raw, LARGEST - len(pages))
        except zlib.error as error:
            return bytes(pages), f"gzip: {error}"
        if not unpacker.eof:
            return bytes(pages), "gzip ends early" if len(pages) < LARGEST else f"more than {LARGEST} bytes"
        raw = unpacker.unused_data
    return bytes(pages), ""


@parser(
    "macos.fsevents",
    claims=Claim(look=_look),
    reads=".fseventsd/ journals of macOS and iOS volumes (gzip, or already unpacked)",
    means="the path had, in the order of event ids, at least one event of each flagged kind",
    does_not_mean="a time (only the journal file's own times bound it); which process or user; the number or order of "
    "flagged events; "
    "completeness: journals are lost on unclean removal",
    refs=(
        "https://github.com/libyal/dtformats/blob/main/documentation/MacOS%20File%20System%20Events%20Disk%20Log%20Stream%20format.asciidoc",
        "N. Ibrahim, FSEvents flag names (GCFA gold paper, 2017)",
    ),
)
def fsevents(file: EvidenceFile) -> Iterator[Yield]:
    """One record an event: path, event_id, flags; offsets are those in the unpacked stream."""
    pages, trouble = _unpacked(file)
    position = 0
    while position + 12 <= len(pages):
        version = MARKS.get(pages[position : position + 4])
        size = struct.unpack_from("<I", pages, position + 8)[0]
        if version is None or size < 12:
            if position == 0:
                raise ParseError(file.path, 0, f"no FSEvents page: {pages[:4]!r}")
            yield Gap("no page where one should start", position)
            break
        end = min(position + size, len(pages))
        if position + size > len(pages):
            yield Gap(f"a page of {size} bytes is cut", position, "truncated")
        yield from _events(pages, position + 12, end, version)
        position += size
    if trouble:
        yield Gap(trouble, len(pages), "damaged")


def _events(pages: bytes, position: int, end: int, version: int) -> Iterator[Yield]:
    extra = EXTRA[version]
    while position < end:
        stop = pages.find(b"\0", position, min(end, position + LONGEST_PATH))
        if stop == -1 or stop + 1 + extra > end:
            yield Gap("an event without its end", position, "truncated")
            return
        event_id, flags = (
            struct.unpack("<Q", pages[stop + 1 : stop + 9])[0],
            int.from_bytes(pages[stop + 9 : stop + 13], "big"),
        )
        data: dict[str, object] = {
            "path": shown(pages[position:stop]),
            "event_id": event_id,
            "flags": f"{flags:#010x}",
            "flag_names": [name for bit, name in FLAGS.items() if flags & bit],
            "format_version": version,
        }
        if version >= 2:
            data["node_id"] = struct.unpack_from("<Q", pages, stop + 13)[0]
        locator: Locator = {
            "kind": "offset",
            "offset": position,
            "length": stop + 1 + extra - position,
            "in": "unpacked",
        }
        yield locator, Record(data)
        position = stop + 1 + extra
