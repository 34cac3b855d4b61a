"""Capture files as packets: pcap (both byte orders, micro- and nanoseconds, modified), pcapng and snoop.

Sources: draft-ietf-opsawg-pcap (pcap), draft-ietf-opsawg-pcapng (pcapng), RFC 1761 (snoop). A damaged length does not end
the reading: the next place where a packet header is plausible is looked for, and what lies between is a Gap.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

from wigmore.model.canonical import shown
from wigmore.model.protocols import Gap, ParseError

CHUNK = 1 << 20
LARGEST_PACKET = 1 << 24  # bytes of one packet; a longer one is taken for damage
LARGEST_BLOCK = 1 << 26
LATEST = 1 << 62  # ns since 1970: the year 2116
SEARCH = 4 << 20  # bytes looked through for the next packet after damage
COMMENTS_KEPT = 200
PCAP = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000, 16),
    b"\xa1\xb2\xc3\xd4": (">", 1000, 16),
    b"\x4d\x3c\xb2\xa1": ("<", 1, 16),
    b"\xa1\xb2\x3c\x4d": (">", 1, 16),
    b"\x34\xcd\xb2\xa1": ("<", 1000, 24),  # Kuznetzov's format of old Linux systems: eight more bytes a packet
    b"\xa1\xb2\xcd\x34": (">", 1000, 24),
}
PCAPNG = b"\n\r\r\n"
SNOOP = b"snoop\0\0\0"
SNOOP_LINKS = {0: 1, 2: 6, 4: 1, 8: 100}
BLOCKS = frozenset((1, 2, 3, 4, 5, 6, 9, 10, 0x0A0D0D0A, 0xBAD, 0x40000BAD))


class Frame(NamedTuple):
    """One packet: its number from 1, the offset of its bytes in the file, its time (ns, None: none) and its bytes."""

    number: int
    offset: int
    time: int | None
    original: int
    link: int
    interface: int
    data: bytes


@dataclass
class About:
    """What the capture says of itself; filled while packets are read."""

    format: str = ""
    version: str = ""
    digits: int = 6
    byte_order: str = ""
    snap_length: int | None = None
    links: dict[int, int] = field(default_factory=dict)  # link type → packets
    interfaces: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    made_by: dict[str, str] = field(default_factory=dict)
    dropped: int | None = None
    secrets: int = 0  # decryption secrets blocks
    sections: int = 0

    def comment(self, text: str, packet: int | None) -> None:
        """Keep a comment, as long as there are not too many."""
        if len(self.comments) < COMMENTS_KEPT:
            self.comments.append({"text": text[:4096]} | ({"packet": packet} if packet else {}))


def known(head: bytes) -> bool:
    """Whether a file begins as a capture that is read here."""
    if head[:4] in PCAP:
        order = PCAP[head[:4]][0]
        return len(head) >= 24 and struct.unpack(order + "H", head[4:6])[0] in (1, 2)
    if head[:4] == PCAPNG:
        return head[8:12] in (b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a")
    return head[:8] == SNOOP


class Source:
    """Bytes of a file by offset, read ahead in pieces."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.stream, self.size = stream, size
        self._start, self._held = 0, b""

    def get(self, at: int, length: int) -> bytes:
        """At most `length` bytes at an offset; fewer at the end of the file."""
        begin = at - self._start
        if begin < 0 or begin + length > len(self._held):
            self.stream.seek(at)
            self._held = self.stream.read(max(CHUNK, length))
            self._start, begin = at, 0
        return self._held[begin : begin + length]


def frames(stream: BinaryIO, size: int, path: str, about: About) -> Iterator[Frame | Gap]:
    """The packets of a capture in order, with a Gap for each part that is none; ParseError where it is no capture."""
    source = Source(stream, size)
    head = source.get(0, 24)
    if head[:4] in PCAP and len(head) >= 24:
        return _pcap(source, head, about)
    if head[:4] == PCAPNG:
        return _pcapng(source, about)
    if head[:8] == SNOOP and len(head) >= 16:
        return _snoop(source, head, about)
    raise ParseError(path, 0, "no capture format that is read here", "unsupported")


def _pcap(source: Source, head: bytes, about: About) -> Iterator[Frame | Gap]:
    order, factor, length = PCAP[head[:4]]
    major, minor, _, _, snap, link = struct.unpack(order + "HHiIII", head[4:])
    link &= 0x0FFFFFFF  # the upper bits tell of a frame check sequence
    about.format = {1: "pcap (nanoseconds)", 1000: "pcap"}[factor] + (" (modified)" if length == 24 else "")
    about.version, about.snap_length, about.digits = f"{major}.{minor}", snap, 9 if factor == 1 else 6
    about.byte_order = "little-endian" if order == "<" else "big-endian"
    about.links[link] = 0
    per_second = 1_000_000_000 // factor
    header = struct.Struct(order + "IIII")

    def plausible(raw: bytes, last: int | None) -> bool:
        second, part, kept, original = header.unpack_from(raw)
        near = last is None or abs(second - last) < 30 * 86400
        return part < per_second and 0 < kept <= min(original, 262_144) and original <= 262_144 and near

    at, number, last = 24, 0, None
    while at < source.size:
        raw = source.get(at, length)
        if len(raw) < length:
            yield Gap(f"{len(raw)} bytes at the end are less than a packet header", at, "truncated")
            return
        second, part, kept, original = header.unpack_from(raw)
        data = source.get(at + length, kept) if kept <= LARGEST_PACKET else b""
        wrong = kept > LARGEST_PACKET or part >= per_second * 4 or (kept > original and original < 14 and kept > 65535)
        if wrong or (len(data) < kept and not _last(source, at, length, kept, original)):
            found = _resume(source, at + 1, length, header, lambda raw, last=last: plausible(raw, last), 1)
            yield Gap(f"packet {number + 1} has an impossible header", at)
            if found is None:
                return
            at = found
            continue
        number += 1
        about.links[link] += 1
        if len(data) < kept:
            yield Gap(f"packet {number} is cut off: {len(data)} of {kept} bytes", at, "truncated")
        last = second
        yield Frame(number, at + length, second * 1_000_000_000 + part * factor, original, link, 0, data)
        at += length + kept


def _last(source: Source, at: int, length: int, kept: int, original: int) -> bool:
    """Whether a packet that reaches past the end is a cut-off last one rather than one with a damaged length."""
    return kept <= original and original <= 262_144 and at + length + kept - source.size < 262_144


def _resume(source: Source, at: int, length: int, header: struct.Struct, fits: Any, step: int) -> int | None:
    end = min(source.size - length, at + SEARCH)
    while at <= end:
        piece = source.get(at, min(CHUNK // 4, end - at + length))
        for inside in range(0, len(piece) - length + 1, step):
            raw = piece[inside : inside + length]
            if fits(raw):
                following = at + inside + length + header.unpack_from(raw)[2]
                after = source.get(following, length)
                if following == source.size or (len(after) == length and fits(after)):
                    return at + inside
        at += max(len(piece) - length + 1, step)
    return None


def _snoop(source: Source, head: bytes, about: About) -> Iterator[Frame | Gap]:
    version, kind = struct.unpack(">II", head[8:16])
    link = SNOOP_LINKS.get(kind, 1 << 27 | kind)
    about.format, about.version, about.byte_order = "snoop", str(version), "big-endian"
    about.links[link] = 0
    at, number = 16, 0
    while at < source.size:
        raw = source.get(at, 24)
        if len(raw) < 24:
            yield Gap(f"{len(raw)} bytes at the end are less than a packet header", at, "truncated")
            return
        original, kept, whole, dropped, second, part = struct.unpack(">IIIIII", raw)
        if whole < 24 + kept or whole > LARGEST_PACKET or part >= 1_000_000:
            yield Gap(f"packet {number + 1} has an impossible header", at)
            return
        number += 1
        about.links[link] += 1
        about.dropped = dropped
        data = source.get(at + 24, kept)
        if len(data) < kept:
            yield Gap(f"packet {number} is cut off: {len(data)} of {kept} bytes", at, "truncated")
        yield Frame(number, at + 24, second * 1_000_000_000 + part * 1000, original, link, 0, data)
        at += whole


def _options(raw: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(raw):
        code, length = struct.unpack_from(order + "HH", raw, at)
        if code == 0:
            return
        yield code, raw[at + 4 : at + 4 + length]
        at += 4 + length + (-length & 3)


def _pcapng(source: Source, about: About) -> Iterator[Frame | Gap]:
    about.format, about.digits = "pcapng", 6
    at, number, order = 0, 0, "<"
    known_here: list[tuple[int, int, int, int]] = []  # link, ticks a second, offset (s), interface in `about`
    while at < source.size:
        raw = source.get(at, 12)
        if len(raw) < 12:
            yield Gap(f"{len(raw)} bytes at the end are less than a block", at, "truncated")
            return
        if raw[:4] == PCAPNG and raw[8:12] in (b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a"):
            order = ">" if raw[8:12] == b"\x1a\x2b\x3c\x4d" else "<"
        kind, length = struct.unpack_from(order + "II", raw)
        if length < 12 or length % 4 or length > LARGEST_BLOCK or at + length > source.size:
            cut = kind in BLOCKS and 12 <= length <= LARGEST_BLOCK and at + length > source.size
            found = None if cut and length < 1 << 20 else _next_block(source, at + 4, order)
            message = "the last block is cut off" if cut and found is None else "a block has an impossible length"
            yield Gap(message, at, "truncated" if cut and found is None else "damaged")
            if found is None:
                return
            at = found
            continue
        body = source.get(at + 8, length - 12)
        if kind == 0x0A0D0D0A and len(body) >= 16:
            known_here = []
            about.sections += 1
            about.byte_order = "little-endian" if order == "<" else "big-endian"
            about.version = "{}.{}".format(*struct.unpack_from(order + "HH", body, 4))
            for code, value in _options(body[16:], order):
                if code == 1:
                    about.comment(shown(value), None)
                elif code in (2, 3, 4):
                    about.made_by[("hardware", "os", "application")[code - 2]] = shown(value)[:1000]
        elif kind == 1 and len(body) >= 8:
            known_here.append(_interface(body, order, about))
        elif kind in (2, 3, 6):
            frame = _packet(kind, body, order, at + 8, number + 1, known_here, about)
            if isinstance(frame, Frame):
                number += 1
                about.links[frame.link] = about.links.get(frame.link, 0) + 1
            yield frame
        elif kind == 4:
            _names(body, order, about)
        elif kind == 5 and len(body) >= 12:
            for code, value in _options(body[12:], order):
                if code in (5, 7) and len(value) == 8:
                    about.dropped = (about.dropped or 0) + int(struct.unpack(order + "Q", value)[0])
        elif kind == 10:
            about.secrets += 1
        at += length


def _next_block(source: Source, at: int, order: str) -> int | None:
    end = min(source.size - 12, at + SEARCH)
    while at <= end:
        kind, length = struct.unpack(order + "II", source.get(at, 8))
        if kind in BLOCKS and 12 <= length <= LARGEST_BLOCK and length % 4 == 0 and at + length <= source.size:
            tail = source.get(at + length - 4, 4)
            if tail == struct.pack(order + "I", length):
                return at
        at += 4
    return None


def _interface(body: bytes, order: str, about: About) -> tuple[int, int, int, int]:
    link, _, snap = struct.unpack_from(order + "HHI", body)
    told: dict[str, Any] = {"link_type": link, "snap_length": snap}
    ticks, shift = 1_000_000, 0
    for code, value in _options(body[8:], order):
        if code == 9 and value:
            exponent = min(value[0] & 0x7F, 18 if not value[0] & 0x80 else 60)
            ticks = 2**exponent if value[0] & 0x80 else 10**exponent
        elif code == 14 and len(value) == 8:
            shift = struct.unpack(order + "q", value)[0]
        elif code == 1:
            about.comment(shown(value), None)
        elif code in (2, 3, 12, 15):
            told[{2: "name", 3: "description", 12: "os", 15: "hardware"}[code]] = shown(value)[:1000]
        elif code == 11:
            told["filter"] = shown(value[1:])[:1000]
    about.digits = max(about.digits, 9 if ticks > 1_000_000 else 6)
    about.snap_length = snap if about.snap_length is None else max(about.snap_length, snap)
    about.links.setdefault(link, 0)
    if len(about.interfaces) < 1000:
        about.interfaces.append(told)
    return link, ticks, shift, len(about.interfaces) - 1


def _packet(
    kind: int, body: bytes, order: str, at: int, number: int, interfaces: list[tuple[int, int, int, int]], about: About
) -> Frame | Gap:
    try:
        if kind == 3:
            which, stamp, begin = 0, None, 4
            (original,) = struct.unpack_from(order + "I", body)
            kept = min(original, len(body) - 4, about.snap_length or original)
        elif kind == 6:
            which, high, low, kept, original = struct.unpack_from(order + "IIIII", body)
            stamp, begin = high << 32 | low, 20
        else:
            which, _, high, low, kept, original = struct.unpack_from(order + "HHIIII", body)
            stamp, begin = high << 32 | low, 20
        link, ticks, shift, place = interfaces[which]
    except (struct.error, IndexError):
        return Gap("a packet block is cut off or names an interface that is not declared", at)
    if kept > len(body) - begin:
        return Gap(f"packet {number} declares more bytes than its block holds", at)
    for code, value in _options(body[begin + kept + (-kept & 3) :], order) if kind != 3 else ():
        if code == 1:
            about.comment(shown(value), number)
    time = None if stamp is None else stamp * 1_000_000_000 // ticks + shift * 1_000_000_000
    if time is not None and not -LATEST < time < LATEST:
        time = None  # no moment that a clock could show
    return Frame(number, at + begin, time, original, link, place, body[begin : begin + kept])


def _names(body: bytes, order: str, about: About) -> None:
    import ipaddress

    at = 0
    while at + 4 <= len(body) and len(about.names) < 2000:
        kind, length = struct.unpack_from(order + "HH", body, at)
        value = body[at + 4 : at + 4 + length]
        if kind == 0:
            return
        wide = {1: 4, 2: 16}.get(kind)
        if wide and len(value) > wide:
            name = shown(value[wide:].split(b"\0")[0])
            about.names[str(ipaddress.ip_address(value[:wide]))] = name[:255]
        at += 4 + length + (-length & 3)
