"""Event logs (.evtx) that tests make: chunks of records in plain binary XML, without templates (libevtx's description)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

Element = tuple[str, dict[str, str], "list[Element] | str"]  # name, attributes, children or text
CHUNK, RECORDS_AT = 65536, 512


def _hash(name: str) -> int:
    value = 0
    for letter in name:
        value = (value * 65599 + ord(letter)) & 0xFFFFFFFF
    return value & 0xFFFF


def _name(name: str, at: int) -> bytes:
    """A name written where it is used: its own offset, then the name."""
    return struct.pack("<IIHH", at + 4, 0, _hash(name), len(name)) + name.encode("utf-16-le") + b"\0\0"


def _text(text: str) -> bytes:
    return struct.pack("<BBH", 5, 1, len(text)) + text.encode("utf-16-le")


def _element(element: Element, at: int) -> bytes:
    """An element whose first byte stands at that place of the chunk."""
    name, attributes, content = element
    made = _name(name, at + 5)
    if attributes:
        listed = b""
        for number, (key, value) in enumerate(attributes.items(), 1):
            more = 0x40 if number < len(attributes) else 0
            place = at + 5 + len(made) + 4 + len(listed) + 1
            listed += bytes([6 | more]) + _name(key, place) + _text(value)
        made += struct.pack("<I", len(listed)) + listed
    made += b"\x02"
    if isinstance(content, str):
        made += _text(content)
    else:
        for child in content:
            made += _element(child, at + 5 + len(made))
    made += b"\x04"
    return struct.pack("<BI", 0x41 if attributes else 1, len(made)) + made


def event(number: int, event_id: int, data: dict[str, str], provider: str = "Example") -> Element:
    """An event with a System element as Windows writes it and named EventData."""
    system: list[Element] = [
        ("Provider", {"Name": provider}, ""),
        ("EventID", {}, str(event_id)),
        ("EventRecordID", {}, str(number)),
        ("Channel", {}, "Security"),
        ("Computer", {}, "DESK-1"),
        ("Security", {"UserID": "S-1-5-18"}, ""),
    ]
    fields: list[Element] = [("Data", {"Name": name}, value) for name, value in data.items()]
    return "Event", {}, [("System", {}, system), ("EventData", {}, fields)]


def event_log(chunks: Iterable[Iterable[tuple[int, int, Element]]]) -> bytes:
    """A closed log of these chunks, each of (record number, FILETIME, event)."""
    body = b""
    count = 0
    for events in chunks:
        body += _chunk(list(events))
        count += 1
    head = struct.pack("<8sQQQIHHHH76xI", b"ElfFile\0", 0, count - 1, 1, 128, 1, 3, 4096, count, 0)
    return (head + struct.pack("<I", zlib.crc32(head[:120]))).ljust(4096, b"\0") + body


def _chunk(events: list[tuple[int, int, Element]]) -> bytes:
    records = b""
    last = RECORDS_AT
    for number, stored, element in events:
        last = RECORDS_AT + len(records)
        content = b"\x0f\1\1\0" + _element(element, last + 28) + b"\0"
        size = 28 + len(content)
        records += struct.pack("<4sIQQ", b"**\0\0", size, number, stored) + content + struct.pack("<I", size)
    first, final = events[0][0], events[-1][0]
    free = RECORDS_AT + len(records)
    head = struct.pack(
        "<8sQQQQIIII64xI", b"ElfChnk\0", first, final, first, final, 128, last, free, zlib.crc32(records), 0
    )
    tables = bytes(RECORDS_AT - 128)
    return (head + struct.pack("<I", zlib.crc32(head[:120] + tables)) + tables + records).ljust(CHUNK, b"\0")
