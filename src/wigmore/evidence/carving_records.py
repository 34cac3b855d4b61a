"""Where a file that begins at a place ends, by its own format: the record-keeping formats that carving looks for.

Sources: [MS-CFB] (OLE compound files), SQLite file format, libevtx and libregf format documents, [MS-SHLLINK].
"""

from __future__ import annotations

import struct
import zlib

from wigmore.evidence.carving_formats import LARGEST, Bytes, Found

FREE, FAT_SECTOR, END = 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFE
_STREAMS = (
    ("WordDocument", "doc"), ("Workbook", "xls"), ("Book", "xls"), ("PowerPoint Document", "ppt"),
    ("__properties_version1.0", "msg"), ("DestList", "automaticDestinations-ms"), ("Catalog", "db"),
)  # fmt: skip


def compound(data: Bytes, at: int) -> Found | None:
    """As many sectors as the allocation table has in use."""
    head = data.read(at, 512)
    if len(head) < 512 or head[28:30] != b"\xfe\xff":
        return None
    shift = int.from_bytes(head[30:32], "little")
    if shift not in (9, 12):
        return None
    sector = 1 << shift
    count, first_folder = struct.unpack_from("<I", head, 44)[0], struct.unpack_from("<I", head, 48)[0]
    next_list, lists = struct.unpack_from("<II", head, 68)
    if not 0 < count <= LARGEST // sector or lists > count:
        return None
    tables = [n for n in struct.unpack_from("<109I", head, 76) if n < LARGEST // sector]
    for _ in range(lists):
        raw = data.read(at + (next_list + 1) * sector, sector)
        if len(raw) < sector:
            break
        *more, next_list = struct.unpack(f"<{sector // 4}I", raw)
        tables += [n for n in more if n < LARGEST // sector]
        if next_list >= END:
            break
    last, whole, per = -1, len(tables) >= count, sector // 4
    for index, number in enumerate(tables[:count]):
        raw = data.read(at + (number + 1) * sector, sector)
        if len(raw) < sector:
            whole = False
            break
        values = struct.unpack(f"<{per}I", raw)
        if any(n > index * per + per and n < 0xFFFFFFFA and n > LARGEST // sector for n in values):
            whole = False  # the sector holds something else
            break
        used = next((n for n in range(per - 1, -1, -1) if values[n] != FREE), -1)
        if used >= 0:
            last = index * per + used
        if index * per <= tables[0] < (index + 1) * per and values[tables[0] - index * per] != FAT_SECTOR:
            return None if index == 0 else Found((last + 2) * sector, "ole", False, covers=0)
    if last < 0:
        return None
    length = (last + 2) * sector
    if at + length > data.size:
        whole, length = False, data.size - at
    folder = data.read(at + (first_folder + 1) * sector, sector) if first_folder < LARGEST // sector else b""
    names = {
        folder[n : n + min(64, max(0, size - 2))].decode("utf-16-le", "replace")
        for n in range(0, len(folder) - 127, 128)
        if (size := int.from_bytes(folder[n + 64 : n + 66], "little")) <= 64
    }
    if "Root Entry" not in names:
        whole = False
    extension = next((e for name, e in _STREAMS if name in names), "ole")
    return Found(length, extension, whole, covers=-1 if whole else 0)


_PAGES = frozenset((2, 5, 10, 13))


def sqlite(data: Bytes, at: int) -> Found | None:
    """Page size times page count of the header; each page must look like one of a database."""
    head = data.read(at, 108)
    if len(head) < 108 or head[21:24] != b"\x40\x20\x20" or head[18] not in (1, 2) or head[19] not in (1, 2):
        return None
    size = int.from_bytes(head[16:18], "big")
    size = 65536 if size == 1 else size
    if size < 512 or size & (size - 1) or head[100] not in (5, 13):
        return None
    count = int.from_bytes(head[28:32], "big")
    told = count > 0 and head[24:28] == head[92:96] and count * size <= LARGEST
    most = min(count if told else LARGEST // size, (data.size - at) // size)
    bound = count if told else LARGEST // size
    odd, good = 0, 1
    for number in range(1, most):
        kind = data.read(at + number * size, 8)
        first = int.from_bytes(kind[:4], "big")
        cells = int.from_bytes(kind[3:5], "big")
        if (kind[0] in _PAGES and cells * 2 < size) or first <= bound:
            good = number + 1
        else:
            odd += 1
            if not told or odd > 8:
                break
    facts = {"page_size": size, "pages": count if told else None, "odd_pages": odd}
    facts = {name: value for name, value in facts.items() if value}
    if told and most == count and not odd:
        return Found(count * size, "sqlite", True, facts=facts)
    length = most * size if told and odd <= 8 else good * size
    return Found(length, "sqlite", False, covers=0, facts=facts) if length > 0 else None


def event_log(data: Bytes, at: int) -> Found | None:
    """The header and as many chunks of 64 KiB as follow it."""
    head = data.read(at, 128)
    if len(head) < 128 or int.from_bytes(head[40:42], "little") != 4096:
        return None
    told, chunks = int.from_bytes(head[42:44], "little"), 0
    while chunks < 16384 and _chunk(data, at + 4096 + chunks * 65536):
        chunks += 1
    sound = zlib.crc32(head[:120]) == int.from_bytes(head[124:128], "little")
    if not chunks and not sound:
        return None
    whole = sound and 0 < told <= chunks
    # chunks behind the number told are the log's spare room: Windows writes zeros there
    chunks = told if whole else chunks
    return Found(4096 + chunks * 65536, "evtx", whole, facts={"chunks": chunks, "chunks_told": told})


def _chunk(data: Bytes, at: int) -> bool:
    return at + 65536 <= data.size and data.read(at, 8) == b"ElfChnk\0" and data.number(at + 40, 4) == 128


def event_chunk(data: Bytes, at: int) -> Found | None:
    """Chunks of an event log without its header."""
    count = 0
    while count < 16384 and _chunk(data, at + count * 65536):
        count += 1
    if not count:
        return None
    head = data.read(at, 512)
    sound = zlib.crc32(head[128:512], zlib.crc32(head[:120])) == int.from_bytes(head[124:128], "little")
    return Found(count * 65536, "evtx_chunks", False, facts={"chunks": count, "checksum_good": sound})


def hive(data: Bytes, at: int) -> Found | None:
    """The base block and the hive bins it tells of."""
    head = data.read(at, 512)
    if len(head) < 512 or int.from_bytes(head[20:24], "little") != 1:
        return None
    told = int.from_bytes(head[40:44], "little")
    check = 0
    for (word,) in struct.iter_unpack("<I", head[:508]):
        check ^= word
    check = {0: 1, 0xFFFFFFFF: 0xFFFFFFFE}.get(check, check)
    sound = check == int.from_bytes(head[508:512], "little")
    place = 0
    while place < min(told, 2 * 1024**3):
        bin_head = data.read(at + 4096 + place, 12)
        size = int.from_bytes(bin_head[8:12], "little")
        if bin_head[:4] != b"hbin" or int.from_bytes(bin_head[4:8], "little") != place or not size or size % 4096:
            break
        if at + 4096 + place + size > data.size:
            break
        place += size
    if not place:
        return None
    name = head[48:112].decode("utf-16-le", "replace").partition("\0")[0]
    facts = {"stored_name": name[-32:]} if name.isprintable() and name else {}
    return Found(4096 + place, "hive", sound and place == told and bool(told), facts=facts)


def shortcut(data: Bytes, at: int) -> Found | None:
    """Header, target list, location, strings and extra blocks to the terminal one."""
    head = data.read(at, 76)
    if len(head) < 76 or head[4:20] != bytes.fromhex("0114020000000000c000000000000046"):
        return None
    flags = int.from_bytes(head[20:24], "little")
    place = at + 76
    if flags & 1:
        place += 2 + data.number(place, 2)
    if flags & 2:
        size = data.number(place, 4)
        if not 28 <= size <= 65536 * 4:
            return Found(place - at, "lnk", False)
        place += size
    for bit in range(2, 7):
        if flags >> bit & 1:
            place += 2 + data.number(place, 2) * (2 if flags & 0x80 else 1)
    for _ in range(64):
        raw = data.read(place, 4)
        size = int.from_bytes(raw, "little")
        if len(raw) == 4 and size < 4:
            return Found(place + 4 - at, "lnk", True)
        if size > 1024 * 1024 or place + size > data.size or int.from_bytes(data.read(place + 7, 1), "little") != 0xA0:
            break
        place += size
    return Found(min(place, data.size) - at, "lnk", False)
