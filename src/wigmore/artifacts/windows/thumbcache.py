"""Thumbnail and icon caches of Windows Vista and later (thumbcache_*.db, iconcache_*.db), and their index."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

from wigmore.artifacts.windows.structures import utf16
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.model.times import filetime
from wigmore.registry import Claim, parser

MARK = b"CMMM"
PIECE = 1024 * 1024
LARGEST = 64 * 1024 * 1024
MOST_ENTRIES = 2_000_000
VERSIONS = {20: "Windows Vista", 21: "Windows 7", 26: "Windows 8", 28: "Windows 8", 30: "Windows 8", 31: "Windows 8.1",
            32: "Windows 10 or 11"}  # fmt: skip
_SEVEN = ("32", "96", "256", "1024", "sr")
_EIGHT = ("16", "32", "48", "96", "256", "1024", "sr", "wide", "exif")
_EIGHT_ONE = ("16", "32", "48", "96", "256", "1024", "1600", "sr", "wide", "exif", "wide_alternate")
_TEN = ("16", "32", "48", "96", "256", "768", "1280", "1920", "2560", "sr", "wide", "exif", "wide_alternate",
        "custom_stream")  # fmt: skip
INDEX = {
    20: (40, 20),
    21: (32, 12),
    30: (56, 16),
    31: (64, 16),
    32: (72, 16),
}  # size of an entry, and of what precedes offsets
CACHES = {20: _SEVEN, 21: _SEVEN, 30: _EIGHT, 31: _EIGHT_ONE, 32: _TEN}


def picture(raw: bytes) -> dict[str, Any]:
    """Type, width and height of an embedded picture from its own header; empty where it is no JPEG, PNG or BMP."""
    if raw[:8] == b"\x89PNG\r\n\x1a\n" and len(raw) >= 24:
        width, height = struct.unpack_from(">II", raw, 16)
        return {"picture_type": "PNG", "width": width, "height": height}
    if raw[:2] == b"BM" and len(raw) >= 26:
        width, height = struct.unpack_from("<ii", raw, 18)
        return {"picture_type": "BMP", "width": abs(width), "height": abs(height)}
    if raw[:3] != b"\xff\xd8\xff":
        return {}
    at = 2
    while at + 9 <= len(raw) and raw[at] == 0xFF:
        kind, length = raw[at + 1], struct.unpack_from(">H", raw, at + 2)[0]
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):  # a start of frame
            height, width = struct.unpack_from(">HH", raw, at + 5)
            return {"picture_type": "JPEG", "width": width, "height": height}
        at += 2 + max(length, 2)
    return {"picture_type": "JPEG"}


def _next_mark(stream: BinaryIO, at: int, size: int) -> int:
    """The next place at or after `at` where an entry's mark stands, or -1."""
    while at < size:
        stream.seek(at)
        piece = stream.read(PIECE + 3)
        found = piece.find(MARK)
        if found >= 0:
            return at + found
        if len(piece) <= 3:
            return -1
        at += len(piece) - 3
    return -1


def _entry(stream: BinaryIO, at: int, version: int) -> tuple[int, dict[str, Any]] | Gap:
    """Length and fields of the entry at a place, or what is wrong with it."""
    stream.seek(at)
    head = stream.read(56)
    if len(head) < 48:
        return Gap("an entry's header is cut off", at, "truncated")
    length, key = struct.unpack_from("<IQ", head, 4)
    data: dict[str, Any] = {"entry_hash": f"{key:016x}"}
    if version == 20:
        data["extension"] = utf16(head[16:24])
        letters, padding, size = struct.unpack_from("<III", head, 24)
        fixed, sums = 56, 40
    else:
        letters, padding, size = struct.unpack_from("<III", head, 16)
        fixed, sums = (48, 32) if version == 21 else (56, 40)
        if version >= 30:
            data["stored_width"], data["stored_height"] = struct.unpack_from("<II", head, 28)
    if length < fixed or fixed + letters + padding + size > length or size > LARGEST or letters > 4096:
        return Gap("an entry's lengths do not fit one another", at)
    data["data_checksum"] = f"{struct.unpack_from('<Q', head, sums)[0]:016x}"
    stream.seek(at + fixed)
    data["identifier"] = utf16(stream.read(letters))
    data["size"] = size
    data["entry_length"] = length
    stream.seek(at + fixed + letters + padding)
    content = stream.read(size)
    if len(content) < size:
        return Gap(f"an entry's picture is cut off after {len(content)} of {size} bytes", at, "truncated")
    if size:
        data |= {"sha256": hashlib.sha256(content).hexdigest(), **picture(content)}
        data["picture_offset"] = at + fixed + letters + padding
    return length, data


@parser(
    "windows.thumbcache",
    claims=Claim(magic=((0, MARK),)),
    reads="thumbcache_*.db and iconcache_*.db of Windows Vista and later",
    means="A small picture was stored for an item under this key, for the account of the profile.",
    does_not_mean=(
        "That a person looked at it (folder views, dialogs and programs ask for pictures), or which file it shows: the key "
        "leads to a path only through the search index or the file itself. It stays when the file is gone."
    ),
    refs=(
        "https://github.com/libyal/libwtcdb/blob/main/documentation/Windows%20Explorer%20Thumbnail%20Cache%20database%20format.asciidoc",
    ),
    limit_seconds=900.0,
)
def thumbcache(file: EvidenceFile) -> Iterator[Yield]:
    """One record an entry with a key: hash, identifier, size in bytes, width and height, SHA-256 of the picture.

    Format: 24-byte header (version, kind of cache), entries with a mark and a length; after a damaged one the next mark
    is looked for. Free entries (no key, no data) are left out.
    """
    with file.open() as stream:
        head = stream.read(32)
        if len(head) < 24:
            raise ParseError(file.path, 0, "shorter than the header", "truncated")
        version, kind, first = struct.unpack_from("<III", head, 4)
        if not 20 <= version <= 64:
            raise ParseError(file.path, 4, f"unknown version {version}", "schema_unknown")
        if version > 32:
            yield Gap(f"version {version} is not known; read as version 32", 4, "schema_unknown")
        names = CACHES.get(version, _TEN if version > 32 else ())
        cache = names[kind] if kind < len(names) else str(kind)
        about = {"cache": cache, "version": version, "written_by": VERSIONS.get(version, "")}
        at = first if 24 <= first < file.size else 24
        for _ in range(MOST_ENTRIES):
            place = _next_mark(stream, at, file.size)
            if place < 0:
                return
            if place != at and at not in (24, first):
                yield Gap(f"{place - at} bytes hold no entry", at)
            found = _entry(stream, place, version)
            if isinstance(found, Gap):
                yield found
                at = place + 4
                continue
            length, data = found
            if data["size"] or data["identifier"] or data["entry_hash"].strip("0"):
                yield {"kind": "offset", "offset": place, "length": length}, Record({**data, **about})
            at = place + length
        yield Gap(f"only the first {MOST_ENTRIES} entries are read", at, "too_large")


def _look_index(head: bytes, path: str, size: int) -> bool:
    return b"IMMM" in (head[:4], head[4:8])


@parser(
    "windows.thumbcache.index",
    claims=Claim(look=_look_index),
    reads="thumbcache_idx.db and iconcache_idx.db of Windows Vista and later",
    means="The cache of the profile knew an item by this key; its pictures stand at these places in the caches of each size.",
    does_not_mean="Which file the key belongs to, or that its picture was shown.",
    refs=(
        "https://github.com/libyal/libwtcdb/blob/main/documentation/Windows%20Explorer%20Thumbnail%20Cache%20database%20format.asciidoc",
    ),
)
def thumbcache_index(file: EvidenceFile) -> Iterator[Yield]:
    """The header as one record, then one a used entry: hash, offsets by cache; the time of change where version 20 has it.

    Format: mark, version, then at 16 and 20 after the mark the entries used and those there are (a multiple of 101). Where
    the entries of version 30 and later begin is not documented: a place is taken only if exactly so many are used there.
    """
    with file.open() as stream:
        head = stream.read(32)
        if len(head) < 28:
            raise ParseError(file.path, 0, "shorter than the header", "truncated")
        mark = 0 if head[:4] == b"IMMM" else 4
        version, used, total = (struct.unpack_from("<I", head, mark + at)[0] for at in (4, 16, 20))
        summary = {"version": version, "written_by": VERSIONS.get(version, ""), "entries_used": used, "entries": total}
        yield {"kind": "offset", "offset": 0, "length": mark + 24}, Record({"kind": "header", **summary})
        layout = INDEX.get(version)
        start = 24 if version in (20, 21) else _table_at(stream, file.size, layout, used, total)
        if layout is None or start is None:
            yield Gap(f"where entries of index version {version} stand is not known", mark + 24, "schema_unknown")
            return
        size, places_at = layout
        names = CACHES[version]
        stream.seek(start)
        for number in range(min(MOST_ENTRIES, (file.size - start) // size)):
            raw = stream.read(size)
            key = struct.unpack_from("<Q", raw)[0]
            flags = struct.unpack_from("<I", raw, places_at - 4 if version < 30 else 8)[0]
            places = struct.unpack_from(f"<{len(names)}I", raw, places_at)
            offsets = {name: place for name, place in zip(names, places, strict=True) if place not in (0, 0xFFFFFFFF)}
            if not key or not (offsets or flags):
                continue
            data = {"entry_hash": f"{key:016x}", "flags": f"{flags:#010x}", "offsets": offsets}
            stamp = struct.unpack_from("<Q", raw, 8)[0] if version == 20 else 0
            times = {"modified": moment} if (moment := filetime(stamp)) else {}
            place = {"kind": "offset", "offset": start + number * size, "length": size}
            yield place, Record(data, times, "modified" if times else None)


def _table_at(stream: BinaryIO, length: int, layout: tuple[int, int] | None, used: int, total: int) -> int | None:
    """Where as many entries as the header says are used, with sensible offsets, begin; None where that is nowhere so."""
    if layout is None or not 0 < total <= 1_000_000:
        return None
    size, places_at = layout
    for start in (length - total * size, 0x110, 28):
        if start < 28 or start + total * size > length:
            continue
        stream.seek(start)
        table = stream.read(total * size)
        met = [table[at : at + size] for at in range(0, len(table), size) if table[at : at + 8].strip(b"\0")]
        # an offset is unset, or leads past a cache's header
        sensible = all(
            place in (0, 0xFFFFFFFF) or 24 <= place < 1 << 31
            for row in met
            for (place,) in struct.iter_unpack("<I", row[places_at : places_at + 16])
        )
        if sensible and len(met) == used:
            return start
    return None
