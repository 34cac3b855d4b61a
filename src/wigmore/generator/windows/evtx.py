"""Windows event logs (.evtx): chunks of records in plain binary XML, without templates.

Source: libevtx, "Windows XML Event Log (EVTX)" (file header, chunk, record, binary XML tokens).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from wigmore.generator.clocks import filetime, posix_us

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


@dataclass(frozen=True, slots=True)
class Logged:
    """One event: what wrote it, when, and its named data in order."""

    at: datetime
    event_id: int
    data: dict[str, str] = field(default_factory=dict)
    provider: str = "Microsoft-Windows-Security-Auditing"
    channel: str = "Security"
    computer: str = "DESK-1"
    user_sid: str = "S-1-5-18"
    version: int = 0
    level: int = 0
    process_id: int = 4


def event(number: int, logged: Logged) -> Element:
    """An event with a System element as Windows writes it and named EventData."""
    moment = f"{logged.at:%Y-%m-%dT%H:%M:%S}.{posix_us(logged.at) % 1_000_000:06d}0Z"
    system: list[Element] = [
        ("Provider", {"Name": logged.provider}, ""),
        ("EventID", {}, str(logged.event_id)),
        ("Version", {}, str(logged.version)),
        ("Level", {}, str(logged.level)),
        ("TimeCreated", {"SystemTime": moment}, ""),
        ("EventRecordID", {}, str(number)),
        ("Execution", {"ProcessID": str(logged.process_id), "ThreadID": "8"}, ""),
        ("Channel", {}, logged.channel),
        ("Computer", {}, logged.computer),
        ("Security", {"UserID": logged.user_sid}, ""),
    ]
    fields: list[Element] = [("Data", {"Name": name}, value) for name, value in logged.data.items()]
    return "Event", {}, [("System", {}, system), ("EventData", {}, fields)]


def written(events: Iterable[Logged], first: int = 1) -> bytes:
    """A closed log of these events in the order given, numbered from `first`; a chunk holds as many as fit."""
    return event_log(_filled(events, first))


def _filled(events: Iterable[Logged], first: int) -> Iterator[list[tuple[int, int, Element]]]:
    chunk: list[tuple[int, int, Element]] = []
    room = CHUNK - RECORDS_AT
    for number, logged in enumerate(events, first):
        made = event(number, logged)
        size = 33 + len(_element(made, RECORDS_AT)) + 4
        if chunk and size > room:
            yield chunk
            chunk, room = [], CHUNK - RECORDS_AT
        chunk.append((number, filetime(logged.at), made))
        room -= size
    if chunk:
        yield chunk


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
