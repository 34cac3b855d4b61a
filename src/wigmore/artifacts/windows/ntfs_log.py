"""NTFS transaction logs ($LogFile): restart areas, and the operations that carry a name, times or a journal record."""

from __future__ import annotations

import struct
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from wigmore.artifacts.windows.ntfs_structures import (
    FIELDS,
    FileName,
    attribute,
    attributes,
    file_name,
    fix_up,
    index_entry,
    times_of,
)
from wigmore.artifacts.windows.usn_journal import change
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.model.times import filetime
from wigmore.registry import Claim, parser

OPERATIONS = {
    0x00: "Noop", 0x01: "CompensationLogRecord", 0x02: "InitializeFileRecordSegment",
    0x03: "DeallocateFileRecordSegment", 0x04: "WriteEndOfFileRecordSegment", 0x05: "CreateAttribute",
    0x06: "DeleteAttribute", 0x07: "UpdateResidentValue", 0x08: "UpdateNonresidentValue", 0x09: "UpdateMappingPairs",
    0x0A: "DeleteDirtyClusters", 0x0B: "SetNewAttributeSizes", 0x0C: "AddIndexEntryRoot", 0x0D: "DeleteIndexEntryRoot",
    0x0E: "AddIndexEntryAllocation", 0x0F: "DeleteIndexEntryAllocation", 0x10: "WriteEndOfIndexBuffer",
    0x11: "SetIndexEntryVcnRoot", 0x12: "SetIndexEntryVcnAllocation", 0x13: "UpdateFileNameRoot",
    0x14: "UpdateFileNameAllocation", 0x15: "SetBitsInNonresidentBitMap", 0x16: "ClearBitsInNonresidentBitMap",
    0x17: "HotFix", 0x18: "EndTopLevelAction", 0x19: "PrepareTransaction", 0x1A: "CommitTransaction",
    0x1B: "ForgetTransaction", 0x1C: "OpenNonresidentAttribute", 0x1D: "OpenAttributeTableDump",
    0x1E: "AttributeNamesDump", 0x1F: "DirtyPageTableDump", 0x20: "TransactionTableDump", 0x21: "UpdateRecordDataRoot",
    0x22: "UpdateRecordDataAllocation",
}  # fmt: skip
MEANS = {
    0x02: "file record initialised", 0x03: "file record freed", 0x05: "attribute created", 0x06: "attribute deleted",
    0x07: "times updated", 0x08: "journal record written", 0x0C: "index entry added", 0x0D: "index entry deleted",
    0x0E: "index entry added", 0x0F: "index entry deleted",
}  # fmt: skip
HEAD = 48  # bytes of a record's own header
LONGEST = 1024 * 1024
CACHED = 8
GUESSES = 64  # pages in which the layout is looked for where no restart area states it
# where $STANDARD_INFORMATION stands in a record of 1,024 bytes, and where its value begins
STANDARD_AT, VALUE_AT = 0x38, 0x18
_RECORD = struct.Struct("<QQQIHHIIH")
_CLIENT = struct.Struct("<HHHHHHHHHHHHQ")


@dataclass(frozen=True, slots=True)
class Layout:
    """What the restart area says of the log: page sizes, where data begin in a page, and how numbers become places."""

    page: int
    data_at: int
    sequence_bits: int
    first_page: int  # the first page of the circular part
    pages: int

    def place(self, number: int) -> int:
        """The byte offset that a log sequence number stands for."""
        return (number & ((1 << (64 - self.sequence_bits)) - 1)) << 3


class _Pages:
    """Pages of the log with their sector ends in place, the last few kept."""

    def __init__(self, stream: BinaryIO, layout: Layout) -> None:
        self.stream, self.layout = stream, layout
        self.kept: OrderedDict[int, tuple[bytes, bool]] = OrderedDict()

    def page(self, number: int) -> tuple[bytes, bool]:
        """The bytes of a page (empty where it is no record page) and whether it is whole."""
        if number in self.kept:
            return self.kept[number]
        self.stream.seek(number * self.layout.page)
        raw = bytearray(self.stream.read(self.layout.page))
        found = (b"", False)
        if len(raw) == self.layout.page and raw[:4] == b"RCRD":
            whole = fix_up(raw)
            found = (bytes(raw), whole)
        self.kept[number] = found
        if len(self.kept) > CACHED:
            self.kept.popitem(last=False)
        return found

    def data(self, number: int, at: int, length: int) -> bytes:
        """`length` bytes of a record that begins at a place in a page and goes on in the pages after it."""
        parts = []
        for _ in range(self.layout.pages):
            raw, _ = self.page(number)
            part = raw[at : at + length]
            parts.append(part)
            length -= len(part)
            if length <= 0 or not raw:
                break
            number = number + 1 if number + 1 < self.layout.pages else self.layout.first_page
            at = self.layout.data_at
        return b"".join(parts)


def _restart(raw: bytearray, size: int) -> tuple[Record, Layout] | None:
    """The restart area of a page as a record, and the layout it states."""
    system, page, at, minor, major = struct.unpack_from("<IIHhh", raw, 16)
    if at + 48 > len(raw) or page not in (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536):
        return None
    current, clients, _, used, flags, bits = struct.unpack_from("<QHHHHI", raw, at)
    client_at, file_size, last, head, data_at = struct.unpack_from("<HQIHH", raw, at + 22)
    if not 3 <= bits <= 64 - 3 or head != HEAD or not 32 <= data_at < page:
        return None
    data: dict[str, Any] = {
        "kind": "restart area",
        "version": f"{major}.{minor}",
        "current_lsn": current,
        "clean": bool(flags & 2) or used == 0xFFFF,
        "flags": flags,
        "log_size": file_size,
        "system_page_size": system,
        "page_size": page,
        "last_record_length": last,
        "clients": clients,
    }
    place = at + client_at
    if place + 96 <= len(raw):
        data["oldest_lsn"], data["client_restart_lsn"] = struct.unpack_from("<QQ", raw, place)
        length = struct.unpack_from("<I", raw, place + 28)[0]
        data["client"] = bytes(raw[place + 32 : place + 32 + min(length, 64)]).decode("utf-16-le", "replace")
    # version 2 has 32 pages for fast writes where earlier ones have two tail copies
    first = 2 * max(system, page) // page + (32 if major >= 2 else 2)
    return Record(data, artifact="windows.ntfs.log_restart"), Layout(page, data_at, bits, first, size // page)


def _named(name: FileName | None) -> tuple[dict[str, Any], dict[str, Any]]:
    return (name.data(), times_of(name.stamps)) if name else ({}, {})


def _file_record(raw: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a FILE record in a log record says: number, name, times. Its sector ends are not protected here."""
    if len(raw) < 48 or raw[:4] != b"FILE":
        return {}, {}
    data: dict[str, Any] = {"sequence": struct.unpack_from("<H", raw, 16)[0]}
    data["record_number"] = struct.unpack_from("<I", raw, 44)[0]
    names: list[FileName] = []
    times: dict[str, Any] = {}
    for found in attributes(raw):
        if found.kind == 0x10 and found.value is not None and len(found.value) >= 32:
            times |= times_of(struct.unpack_from("<4Q", found.value))
        elif found.kind == 0x30 and found.value is not None and (name := file_name(found.value)):
            names.append(name)
    names.sort(key=lambda name: name.namespace == 2)
    if names:
        data |= names[0].data()
        times |= times_of(names[0].stamps, "fn_")
    return (data, times) if names or times else ({}, {})


def _entry(raw: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    entry = index_entry(raw)
    if entry is None:
        return {}, {}
    data, times = _named(entry.key)
    return {**data, "record_number": entry.record, "sequence": entry.sequence}, times


def _attribute(raw: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    found = attribute(raw, 0, len(raw))
    if found is None:
        return {}, {}
    what = found[0]
    if what.kind == 0x30 and what.value is not None:
        data, times = _named(file_name(what.value))
        return ({**data, "attribute": what.type_name}, times) if data else ({}, {})
    if what.kind == 0x80 and what.name:
        return {"attribute": what.type_name, "stream": what.name, "size": what.size}, {}
    return {}, {}


def _standard(redo: bytes, undo: bytes, record_at: int, value_at: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Times in an update at the place of $STANDARD_INFORMATION: after it, and with `before_` those it replaced."""
    start = value_at - VALUE_AT
    if record_at != STANDARD_AT or start < 0 or start >= 32 or start % 8 or len(redo) < 8:
        return {}, {}
    times: dict[str, Any] = {}
    for raw, prefix in ((redo, ""), (undo, "before_")):
        for number, name in enumerate(FIELDS):
            place = number * 8 - start
            if place >= 0 and place + 8 <= len(raw):
                stamp = struct.unpack_from("<Q", raw, place)[0]
                if 0x0180_0000_0000_0000 < stamp < 0x0220_0000_0000_0000 and (moment := filetime(stamp)):
                    times[prefix + name] = moment
    both = [n for n in FIELDS if n in times and f"before_{n}" in times]
    moved = [n for n in both if times[n]["instant"] != times[f"before_{n}"]["instant"]]
    if not moved:
        return {}, {}
    backwards = [n for n in moved if times[n]["instant"] < times[f"before_{n}"]["instant"]]
    return {"attribute": "$STANDARD_INFORMATION", "changed_times": moved, "set_back": backwards}, times


def _content(redo_code: int, undo_code: int, body: bytes) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """The operation that tells something, with its fields and times (both empty where nothing can be told)."""
    _, _, redo_at, redo_size, undo_at, undo_size, _, _, record_at, value_at, *_ = _CLIENT.unpack_from(body)
    redo, undo = body[redo_at : redo_at + redo_size], body[undo_at : undo_at + undo_size]
    if redo_code == 0x02:
        return (redo_code, *_file_record(redo))
    if redo_code == 0x03:
        return (redo_code, *_file_record(undo))
    if redo_code in (0x0C, 0x0E):
        return (redo_code, *_entry(redo))
    if redo_code in (0x0D, 0x0F):
        return (redo_code, *_entry(undo))
    if redo_code == 0x05:
        return (redo_code, *_attribute(redo))
    if redo_code == 0x06:
        return (redo_code, *_attribute(undo))
    if redo_code == 0x07 and undo_code == 0x07:
        return (redo_code, *_standard(redo, undo, record_at, value_at))
    if redo_code == 0x08 and (told := change(redo)) is not None and told.version != 4:
        times = {"changed_at": moment} if (moment := filetime(told.stamp)) else {}
        return redo_code, told.data(), times
    return redo_code, {}, {}


def _operations(pages: _Pages, number: int, base: int, counts: Counter[str], seen: set[int]) -> Iterator[Yield]:
    """The records that begin in one page: a place holds one if its own number stands for that place."""
    layout = pages.layout
    raw, whole = pages.page(number)
    if not whole:
        yield Gap("a sector of the log page is torn", number * layout.page)
    at = layout.data_at
    while at + HEAD <= layout.page:
        lsn, previous, _, length, _, _, kind, transaction, _ = _RECORD.unpack_from(raw, at)
        if layout.place(lsn) != base + at or kind not in (1, 2) or length > LONGEST or lsn >> 60:
            at += 8
            continue
        step = (HEAD + length + 7) & ~7
        if lsn not in seen:
            seen.add(lsn)
            body = pages.data(number, at + HEAD, length) if kind == 1 else b""
            if kind == 2:
                counts["client restart"] += 1
            elif len(body) < 32:
                counts["cut off"] += 1
            else:
                redo_code, undo_code = struct.unpack_from("<HH", body)
                counts[OPERATIONS.get(redo_code, f"{redo_code:#x}")] += 1
                code, found, times = _content(redo_code, undo_code, body)
                if found or times:
                    attribute_number, *_, cluster, _, vcn = _CLIENT.unpack_from(body)[6:]
                    data = {
                        "lsn": lsn,
                        "operation": OPERATIONS[code],
                        "undo_operation": OPERATIONS.get(undo_code, f"{undo_code:#x}"),
                        "told": MEANS[code],
                        "transaction": transaction,
                        "previous_lsn": previous,
                        "target_attribute": attribute_number,
                        "target_vcn": vcn,
                        "target_sector": cluster,
                        **found,
                    }
                    dates = {0x02: "changed", 0x08: "changed_at"}.get(code)
                    place = {"kind": "offset", "offset": number * layout.page + at, "length": HEAD + length, "lsn": lsn}
                    yield place, Record(data, times, dates if dates in times else None)
        at += step


@parser(
    "windows.ntfs.log",
    claims=Claim(paths=("$logfile",), magic=((0, b"RSTR\x1e\0"),)),
    artifacts=("windows.ntfs.log", "windows.ntfs.log_restart", "windows.ntfs.log_summary"),
    reads="$LogFile of NTFS volumes, log versions 1.x and 2.0",
    means="The file system logged this change of its own structures, in the order of the log sequence numbers.",
    does_not_mean=(
        "Which account or program caused it, that the change was carried out (transactions may have been undone), or "
        "anything beyond minutes to hours: the log is circular. Only operations in which a name, times or a journal record "
        "stand are told; the others are counted."
    ),
    refs=(
        "https://flatcap.github.io/linux-ntfs/ntfs/files/logfile.html",
        "Linux kernel documentation and headers of ntfs3 (log record layout)",
        "Carrier, File System Forensic Analysis (2005), chapter 13",
    ),
    limit_seconds=1800.0,
)
def log_file(file: EvidenceFile) -> Iterator[Yield]:
    """Restart areas, then the told operations by place in the file, then one summary record with counts by operation.

    A log sequence number holds the place it was written to, so each record header is checked against where it stands.
    """
    layout: Layout | None = None
    newest = -1
    with file.open() as stream:
        head = stream.read(65536)
        base = 0
        while base + 512 <= min(len(head), 32768):
            if head[base : base + 4] == b"RSTR":
                raw = bytearray(head[base : base + 4096])
                if not fix_up(raw):
                    yield Gap("a sector of the restart page is torn", base)
                found = _restart(raw, file.size)
                if found is None:
                    yield Gap("the restart area does not fit its lengths", base)
                else:
                    record, said = found
                    current = int(record.data["current_lsn"])
                    if current > newest:
                        layout, newest = said, current
                    yield {"kind": "offset", "offset": base, "length": said.page}, record
            base += 4096
        if layout is None:
            bits = _sequence_bits(stream)
            if bits is None:
                if head.strip(b"\xff").strip(b"\0"):
                    raise ParseError(file.path, 0, "no restart area and no log page")
                blank = f"filled with {head[0]:#04x}: as made new, or emptied by a repair or another driver"
                summary: dict[str, object] = {"records": 0, "content": blank}
                place = {"kind": "offset", "offset": 0, "length": file.size}
                yield place, Record(summary, artifact="windows.ntfs.log_summary")
                return
            yield Gap("no restart area could be read; pages are read with the usual layout", 0)
            layout = Layout(4096, 64, bits, 4, file.size // 4096)
        yield from _circular(stream, layout, file)


def _sequence_bits(stream: BinaryIO) -> int | None:
    """Bits of the sequence number, from a page whose first record's number must stand for its place; None without one."""
    stream.seek(4 * 4096)
    at, tried = 4 * 4096, 0
    while tried < GUESSES and (raw := stream.read(4096)):
        if raw[:4] == b"RCRD":
            tried += 1
            for place in range(64, len(raw) - HEAD, 8):
                number, previous = struct.unpack_from("<QQ", raw, place)
                for bits in range(32, 56):
                    if number >> (64 - bits) and (number & ((1 << (64 - bits)) - 1)) << 3 == at + place > 0 < previous:
                        return bits
        at += 4096
    return None


def _circular(stream: BinaryIO, layout: Layout, file: EvidenceFile) -> Iterator[Yield]:
    pages = _Pages(stream, layout)
    counts: Counter[str] = Counter()
    whole = blank = 0
    seen: set[int] = set()
    first = layout.first_page
    for number in range(first, layout.pages):
        seen.clear()  # numbers repeat in the copies below only
        raw, _ = pages.page(number)
        if not raw:
            blank += 1
            continue
        whole += 1
        yield from _operations(pages, number, number * layout.page, counts, seen)
    for number in range(2, min(first, layout.pages)):  # copies of the newest pages: told where the page itself is older
        raw, _ = pages.page(number)
        if not raw:
            continue
        target = struct.unpack_from("<Q", raw, 8)[0]
        if target % layout.page == 0 and first <= target // layout.page < layout.pages:
            known = set(_numbers(pages.page(target // layout.page)[0], target, layout))
            yield from _operations(pages, number, target, counts, known)
    summary: dict[str, object] = {"pages_with_records": whole, "pages_without": blank, "operations": dict(counts)}
    summary["records"] = sum(counts.values())
    yield {"kind": "offset", "offset": 0, "length": file.size}, Record(summary, artifact="windows.ntfs.log_summary")


def _numbers(raw: bytes, base: int, layout: Layout) -> Iterator[int]:
    """The log sequence numbers of the records that begin in a page."""
    for at in range(layout.data_at, len(raw) - HEAD + 1, 8):
        lsn = struct.unpack_from("<Q", raw, at)[0]
        if layout.place(lsn) == base + at:
            yield lsn
