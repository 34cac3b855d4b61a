"""NTFS master file tables ($MFT) as loose files: every FILE record with names, paths, both sets of times and streams.

A table inside a mounted volume is what the file listing was made from; of it one record says how many there are.
"""

from __future__ import annotations

import hashlib
import struct
from array import array
from collections.abc import Iterator
from typing import Any, BinaryIO

from wigmore.artifacts.windows.ntfs_structures import (
    NAMESPACES,
    RECORD_MASK,
    Attribute,
    FileName,
    attributes,
    file_name,
    fix_up,
    times_of,
)
from wigmore.artifacts.windows.structures import FILE_ATTRIBUTES, bits, guid
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.model.times import Time
from wigmore.registry import Claim, parser

PIECE = 1024 * 1024
MOST_RECORDS = 16_000_000
MOST_STREAMS = 256  # of one file
MOST_PIECES = 4096  # extension records of one file
SHOWN_TEXT = 2048
SHOWN_BYTES = 64
DEPTH = 256
ROOT = 5
_HEADER = struct.Struct("<4sHHQHHHHIIQ")
REPARSE_TAGS = {
    0xA0000003: "mount point", 0xA000000C: "symbolic link", 0x80000017: "compressed by WOF", 0x80000013: "deduplicated",
    0x9000001A: "cloud file", 0x8000001B: "app execution link", 0xA000001D: "LX symbolic link",
}  # fmt: skip


def _look(head: bytes, path: str, size: int) -> bool:
    return not path.lower().endswith("$mftmirr")


class _Table:
    """Names and parents of the records by number, so that paths can be put together; about 100 bytes a record."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.parent = array("Q", bytes(8 * count))
        self.sequence = array("H", bytes(2 * count))
        self.state = bytearray(count)  # 0 no record, 1 free, 2 in use, +4 a folder
        self.names: dict[int, str] = {}
        self.short: set[int] = set()  # records of which only the DOS name is known yet
        self.pieces: dict[int, list[int]] = {}
        self.paths: dict[int, tuple[str, str]] = {}
        self.damaged: list[int] = []

    def add(self, number: int, raw: bytearray) -> None:
        """Note one record in the first pass."""
        _, _, _, _, sequence, _, _, flags, _, _, base = _HEADER.unpack_from(raw)
        if base:
            owner = base & RECORD_MASK
            if owner < self.count and len(self.pieces.setdefault(owner, [])) < MOST_PIECES:
                self.pieces[owner].append(number)
        else:
            self.sequence[number] = sequence
            self.state[number] = (2 if flags & 1 else 1) | (4 if flags & 2 else 0)
        owner = base & RECORD_MASK if base else number
        for found in attributes(raw):
            if found.kind > 0x30:
                break
            if found.kind == 0x30 and found.value is not None and (name := file_name(found.value)) is not None:
                self.name(owner, name)

    def name(self, number: int, name: FileName) -> None:
        """Keep the name that stands for a record in paths: the first one, but a long one before the short DOS one."""
        if number >= self.count:
            return
        if number not in self.names or (number in self.short and name.namespace != 2):
            self.short.discard(number)
            if name.namespace == 2:
                self.short.add(number)
            self.names[number] = name.name
            self.parent[number] = name.parent | name.parent_sequence << 48

    def folder(self, reference: int, depth: int = 0) -> tuple[str, str]:
        """The path of the folder a reference means, with a closing slash, and why its beginning is not known."""
        number, sequence = reference & RECORD_MASK, reference >> 48
        if number == ROOT:
            return "/", ""
        if number >= self.count or not self.state[number]:
            return "?/", f"record {number} of the folder is not in this table"
        stored = self.sequence[number]
        used = bool(self.state[number] & 2)
        # a freed record's sequence is one more than the references to it
        if sequence and stored != sequence and (used or stored != (sequence + 1) & 0xFFFF):
            return "?/", f"record {number} of the folder was used again (sequence {stored}, not {sequence})"
        if depth >= DEPTH:
            return "?/", "folders are nested too deep or in a circle"
        known = self.paths.get(number)
        if known is None:
            above, note = self.folder(self.parent[number], depth + 1)
            known = (f"{above}{self.names.get(number, '?')}/", note)
            if depth < DEPTH // 2:
                self.paths[number] = known
        return known


def _record_size(head: bytes) -> int:
    for at in range(0, len(head) - 48, 512):
        if head[at : at + 4] == b"FILE":
            size: int = struct.unpack_from("<I", head, at + 28)[0]
            return size if size in (512, 1024, 2048, 4096) else 1024
    return 1024


def _records(stream: BinaryIO, size: int, count: int) -> Iterator[tuple[int, bytearray]]:
    """Number and bytes of each record that is not all zeros."""
    stream.seek(0)
    step = PIECE // size
    empty = bytes(size)
    for first in range(0, count, step):
        piece = stream.read(size * min(step, count - first))
        for at in range(0, len(piece) - size + 1, size):
            raw = piece[at : at + size]
            if raw != empty:
                yield first + at // size, bytearray(raw)


def _shown(value: bytes) -> dict[str, Any]:
    """What a resident stream holds: its hash, and its text or first bytes."""
    found: dict[str, Any] = {"sha256": hashlib.sha256(value).hexdigest()}
    if value:
        try:
            text = value[:SHOWN_TEXT].decode("utf-8")
        except UnicodeDecodeError:
            text = ""
        if text and all(letter.isprintable() or letter in "\t\r\n" for letter in text):
            found["text"] = text
        else:
            found["hex"] = value[:SHOWN_BYTES].hex()
    return found


def _stream(found: Attribute) -> dict[str, Any]:
    data: dict[str, Any] = {"name": found.name, "size": found.size, "resident": found.value is not None}
    if found.value is None:
        data["allocated_size"] = found.allocated
    else:
        data |= _shown(found.value)
    for bit, word in ((0x1, "compressed"), (0x4000, "encrypted"), (0x8000, "sparse")):
        if found.flags & bit:
            data[word] = True
    return data


def _data(number: int, raw: bytearray, parts: list[Attribute], table: _Table) -> Record:
    _, _, _, lsn, sequence, links, _, flags, _, _, base = _HEADER.unpack_from(raw)
    used = bool(flags & 1)
    data: dict[str, Any] = {
        "record_number": number,
        "sequence": sequence,
        "in_use": used,
        "deleted": not used,
        "directory": bool(flags & 2),
        "hard_links": links,
        "log_sequence_number": lsn,
    }
    if base:
        data["base_record"] = base & RECORD_MASK
    times: dict[str, Time] = {}
    names: list[FileName] = []
    streams: list[dict[str, Any]] = []
    other: list[str] = []
    for found in parts:
        value = found.value
        if found.kind == 0x10 and value is not None and len(value) >= 36:
            times |= times_of(struct.unpack_from("<4Q", value))
            data["attributes"] = bits(struct.unpack_from("<I", value, 32)[0], FILE_ATTRIBUTES)
            if len(value) >= 72:
                data["security_id"], data["usn"] = struct.unpack_from("<I8xQ", value, 52)
        elif found.kind == 0x30 and value is not None:
            if (name := file_name(value)) is not None:
                names.append(name)
        elif found.kind == 0x80:
            if not found.first_cluster and len(streams) < MOST_STREAMS:
                streams.append(_stream(found))
        elif found.kind == 0x40 and value is not None:
            data["object_id"] = guid(value)
        elif found.kind == 0xC0 and value is not None and len(value) >= 8:
            tag = struct.unpack_from("<I", value)[0]
            data["reparse_tag"] = REPARSE_TAGS.get(tag, f"{tag:#x}")
        elif found.kind not in (0x10, 0x20) and found.type_name not in other:
            other.append(found.type_name)
    names.sort(key=lambda name: name.namespace == 2)  # the short DOS name last; else as they stand
    if names:
        first = names[0]
        above, note = table.folder(first.parent | first.parent_sequence << 48)
        data["name"] = first.name
        data["path"] = "/" if number == ROOT else above + first.name
        if note:
            data["path_note"] = note
        data["parent_record"], data["parent_sequence"] = first.parent, first.parent_sequence
        times |= times_of(first.stamps, "fn_")
        if len(names) > 1:
            data["other_names"] = [
                {
                    "name": name.name,
                    "namespace": NAMESPACES[name.namespace],
                    "path": table.folder(name.parent | name.parent_sequence << 48)[0] + name.name,
                    **{f"fn_{k}": t["text"] for k, t in times_of(name.stamps).items()},
                }
                for name in names[1:]
            ]
    main = next((s for s in streams if s["name"] == ""), None)
    if main is not None:
        data["size"] = main["size"]
    if streams:
        data["streams"] = streams
        if alternate := [s["name"] for s in streams if s["name"]]:
            data["alternate_streams"] = alternate
    if other:
        data["other_attributes"] = other
    state = "live" if used else "unallocated"
    return Record(data, times, "modified" if "modified" in times else None, state)


def _parts(stream: BinaryIO, size: int, numbers: list[int]) -> Iterator[Attribute]:
    """The attributes that stand in a file's extension records."""
    place = stream.tell()
    for number in numbers:
        stream.seek(number * size)
        raw = bytearray(stream.read(size))
        if len(raw) == size and raw[:4] == b"FILE" and fix_up(raw):
            yield from attributes(raw)
    stream.seek(place)


def _mounted(file: EvidenceFile) -> bool:
    """Whether the file is the table of a volume we mounted; nobody exports these neighbours."""
    return file.path.endswith("/$MFT") and all(file.sibling(name) is not None for name in ("$BadClus", "$AttrDef"))


@parser(
    "windows.ntfs.mft",
    claims=Claim(paths=("$mft", "$mft.*", "$mft_*", "*_$mft"), magic=((0, b"FILE0\0"), (0, b"FILE*\0")), look=_look),
    artifacts=("windows.ntfs.mft", "windows.ntfs.mft_summary"),
    reads="$MFT of an NTFS volume as a loose file; inside a mounted volume its records are the file listing",
    means="The volume had a record of this number with these names, times and streams; a free one was once in use.",
    does_not_mean=(
        "Who made the file, or when its content was born: both sets of times are set by programs too (copies, archives, "
        "installers), and those of the name are copied from the others on a rename. A free record's path may lead "
        "through a folder record that was used again; then its beginning is not known."
    ),
    refs=(
        "https://flatcap.github.io/linux-ntfs/ntfs/concepts/file_record.html",
        "MS-FSCC 2.1.10 (file ids)",
        "https://github.com/libyal/libfsntfs/blob/main/documentation/New%20Technologies%20File%20System%20(NTFS).asciidoc",
    ),
    limit_seconds=1800.0,
)
def mft(file: EvidenceFile) -> Iterator[Yield]:
    """One record a base FILE record, in order of number, with what its extension records hold; free ones `unallocated`.

    Streams: name, size in bytes, and of resident ones hash and text. Raises ParseError where no FILE record stands.
    """
    with file.open() as stream:
        size = _record_size(stream.read(65536))
        count = min(file.size // size, MOST_RECORDS)
        table = _Table(count)
        counts = {"in_use": 0, "free": 0, "extension": 0, "damaged": 0}
        for number, raw in _records(stream, size, count):
            if raw[:4] != b"FILE" or not fix_up(raw):
                counts["damaged"] += 1
                if len(table.damaged) < 1000:
                    table.damaged.append(number)
                continue
            table.add(number, raw)
            kind = "extension" if _HEADER.unpack_from(raw)[10] else "in_use" if raw[22] & 1 else "free"
            counts[kind] += 1
        if counts["damaged"] == sum(counts.values()):
            raise ParseError(file.path, 0, "no FILE record could be read")
        mounted = _mounted(file)
        summary: dict[str, object] = {"record_size": size, "records": count, **counts}
        if mounted:
            summary["listed_in"] = "file_listing: the records of this volume's table are its entries"
        place = {"kind": "offset", "offset": 0, "length": file.size}
        yield place, Record(summary, artifact="windows.ntfs.mft_summary")
        if not mounted:
            yield from _rows(stream, size, count, table)
    for number in table.damaged:
        yield Gap(f"record {number} is torn or has no FILE mark", number * size)
    if file.size % size:
        yield Gap(f"the last {file.size % size} bytes are no whole record", file.size // size * size, "truncated")
    if file.size // size > count:
        yield Gap(f"only the first {count} records are read", count * size, "too_large")


def _rows(stream: BinaryIO, size: int, count: int, table: _Table) -> Iterator[Yield]:
    for number, raw in _records(stream, size, count):
        if raw[:4] != b"FILE" or not fix_up(raw):
            continue
        base = _HEADER.unpack_from(raw)[10] & RECORD_MASK
        if base and base < count and table.state[base]:
            continue  # told with the record it belongs to
        parts = list(attributes(raw))
        if not raw[22] & 1 and not any(part.kind == 0x30 for part in parts):
            continue  # made ready, never given to a file
        if number in table.pieces:
            parts.extend(_parts(stream, size, table.pieces[number]))
        record = _data(number, raw, parts, table)
        yield {"kind": "offset", "offset": number * size, "length": size, "record": number}, record
