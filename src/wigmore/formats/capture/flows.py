"""Conversations of a capture: who spoke with whom, how it ended, and the streams of both sides.

Streams are not held: each side keeps where in the capture file its payload lies (offset, length, packet, time), and reads
it from there. Order follows RFC 9293 sequence numbers; what is missing is a hole, read as zeros and counted.
"""

from __future__ import annotations

import tempfile
from array import array
from bisect import bisect_right
from collections import OrderedDict
from typing import IO, Any, BinaryIO

from wigmore.formats.capture.containers import Frame
from wigmore.formats.capture.layers import Layers, transport

FIN, SYN, RST, PUSH, ACK = 1, 2, 4, 8, 16
WAITING = 512  # segments out of order that one side may hold
LARGEST_HOLE = 1 << 24
SPILLED = 1 << 62  # offsets from here on lie in the spill: payloads put together from IP fragments
FRAGMENTS = 1024  # datagrams in pieces at a time
DATAGRAMS_KEPT = 24  # first datagrams of a side of a UDP conversation, for telling its protocol
IN_MEMORY = 4 << 20
Key = tuple[int, str, int, str, int, int]


class Content:
    """Bytes by offset: the capture file, and the spill for what lies in no single place of it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._spill: IO[bytes] | None = None
        self._end = 0

    def read(self, at: int, length: int) -> bytes:
        """The bytes at an offset of the file or the spill."""
        source: Any = self._stream
        if at >= SPILLED:
            source, at = self._spill, at - SPILLED
        source.seek(at)
        found: bytes = source.read(length)
        return found

    def keep(self, data: bytes) -> int:
        """Put bytes into the spill; their offset."""
        if self._spill is None:
            self._spill = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # closed by close()
        at = self._end
        self._spill.seek(at)
        self._spill.write(data)
        self._end += len(data)
        return SPILLED + at

    def close(self) -> None:
        """Drop the spill."""
        if self._spill is not None:
            self._spill.close()


class Side:
    """What one end sent: counts, and where its payload lies."""

    __slots__ = (
        "bytes",
        "fin",
        "holes",
        "lengths",
        "mac",
        "next",
        "numbers",
        "offsets",
        "packets",
        "payload",
        "repeated",
        "reset",
        "starts",
        "times",
        "total",
        "ttl",
        "waiting",
    )  # fmt: skip

    def __init__(self) -> None:
        self.packets = self.bytes = self.payload = self.holes = self.repeated = self.total = self.ttl = 0
        self.mac = b""
        self.fin = self.reset = False
        self.next: int | None = None
        self.waiting: dict[int, tuple[int, int, int, int]] | None = None
        self.starts: array[int] | None = None
        self.offsets: array[int] | None = None
        self.lengths: array[int] | None = None
        self.numbers: array[int] | None = None
        self.times: array[int] | None = None

    def put(self, offset: int, length: int, number: int, time: int) -> None:
        """Append a piece of the stream; offset −1 is a hole."""
        if self.starts is None or self.offsets is None or self.lengths is None or self.numbers is None:
            self.starts, self.offsets, self.lengths = array("q"), array("q"), array("q")
            self.numbers, self.times = array("q"), array("q")
        assert self.times is not None
        self.starts.append(self.total)
        self.offsets.append(offset)
        self.lengths.append(length)
        self.numbers.append(number)
        self.times.append(time)
        self.total += length

    def segment(self, sequence: int, offset: int, length: int, number: int, time: int) -> None:
        """Take one TCP segment's payload in its place."""
        if self.next is None:
            self.next = sequence
        ahead = (sequence - self.next) & 0xFFFFFFFF
        if ahead >= 0x80000000:  # begins before what is due: seen before, in part or whole
            before = 0x100000000 - ahead
            if before >= length:
                self.repeated += 1
                return
            offset, length, ahead = offset + before, length - before, 0
        if ahead:
            if self.waiting is None:
                self.waiting = {}
            start = (self.next + ahead) & 0xFFFFFFFF
            known = self.waiting.get(start)
            if known is None or known[1] < length:
                self.waiting[start] = (offset, length, number, time)
            if len(self.waiting) > WAITING:
                self.skip()
            return
        self.put(offset, length, number, time)
        self.next = (self.next + length) & 0xFFFFFFFF
        if self.waiting:
            self._drain()

    def _drain(self) -> None:
        assert self.waiting is not None and self.next is not None
        while self.waiting:
            piece = self.waiting.pop(self.next, None)
            if piece is None:
                overlapping = [s for s in self.waiting if (s - self.next) & 0xFFFFFFFF >= 0x80000000]
                if not overlapping:
                    return
                start = min(overlapping, key=lambda s: ((s - (self.next or 0)) & 0xFFFFFFFF, s))
                offset, length, number, time = self.waiting.pop(start)
                before = 0x100000000 - ((start - self.next) & 0xFFFFFFFF)
                if before >= length:
                    continue
                piece = (offset + before, length - before, number, time)
            self.put(*piece)
            self.next = (self.next + piece[1]) & 0xFFFFFFFF

    def skip(self) -> None:
        """Give up what is due and missing: a hole up to the next segment at hand."""
        if not self.waiting or self.next is None:
            return
        due = self.next
        start = min(self.waiting, key=lambda s: (s - due) & 0xFFFFFFFF)
        missing = (start - due) & 0xFFFFFFFF
        if missing < LARGEST_HOLE:
            piece = self.waiting[start]
            self.put(-1, missing, piece[2], piece[3])
            self.holes += missing
        self.next = start
        self._drain()

    def finish(self) -> None:
        """Put what still waits into the stream."""
        while self.waiting:
            self.skip()


class Stream:
    """One side's payload as bytes that can be read anywhere."""

    def __init__(self, side: Side, content: Content) -> None:
        self.side, self._content = side, content
        self.size = side.total
        self._at, self._held = 0, b""

    def _pieces(self, at: int, length: int) -> bytes:
        side, out = self.side, []
        if side.starts is None or side.offsets is None or side.lengths is None:
            return b""
        index = bisect_right(side.starts, at) - 1
        while length > 0 and index < len(side.starts):
            inside = at - side.starts[index]
            wanted = min(length, side.lengths[index] - inside)
            if wanted > 0:
                offset = side.offsets[index]
                out.append(bytes(wanted) if offset < 0 else self._content.read(offset + inside, wanted))
                at, length = at + wanted, length - wanted
            index += 1
        return b"".join(out)

    def read(self, at: int, length: int) -> bytes:
        """At most `length` bytes at an offset of the stream."""
        length = min(length, self.size - at)
        if length <= 0 or at < 0:
            return b""
        begin = at - self._at
        if begin < 0 or begin + length > len(self._held):
            self._held = self._pieces(at, max(length, min(65536, self.size - at)))
            self._at, begin = at, 0
        return self._held[begin : begin + length]

    def line(self, at: int, longest: int = 65536) -> tuple[bytes, int]:
        """The line at an offset without its end, and the offset after it; all that is left where no end follows."""
        width = 512
        while True:
            piece = self.read(at, width)
            end = piece.find(b"\n")
            if end >= 0:
                return piece[:end].rstrip(b"\r"), at + end + 1
            if len(piece) < width or width >= longest:
                return piece, at + len(piece)
            width *= 8

    def find(self, mark: bytes, at: int, within: int) -> int:
        """The offset of a mark at or after an offset, looked for within a number of bytes; −1 where there is none."""
        end = min(self.size, at + within)
        while at < end:
            piece = self.read(at, min(65536, end - at))
            place = piece.find(mark)
            if place >= 0:
                return at + place
            if len(piece) <= len(mark):
                return -1
            at += len(piece) - len(mark) + 1
        return -1

    def place(self, at: int) -> tuple[int, int, int]:
        """Packet number, time (ns) and offset in the capture of the byte at an offset of the stream."""
        side = self.side
        if side.starts is None or side.numbers is None or side.times is None or side.offsets is None:
            return 0, 0, 0
        index = max(0, bisect_right(side.starts, min(at, max(self.size - 1, 0))) - 1)
        offset = side.offsets[index]
        return (
            side.numbers[index],
            side.times[index],
            -1 if not 0 <= offset < SPILLED else offset + at - side.starts[index],
        )

    def forget(self) -> None:
        """Give the bytes read ahead back; they can be read again."""
        self._at, self._held = 0, b""

    def datagrams(self) -> list[bytes]:
        """The kept datagrams of a UDP side."""
        side = self.side
        if side.starts is None or side.lengths is None:
            return []
        return [self._pieces(s, n) for s, n in zip(side.starts, side.lengths, strict=True)]


class Conversation:
    """Packets between two endpoints over one transport. Side 0 is the client: who opened, or spoke first."""

    __slots__ = (
        "chain",
        "client",
        "done",
        "first",
        "first_frame",
        "flags_seen",
        "kind",
        "last",
        "number",
        "server",
        "sides",
        "state",
        "syn",
        "vlan",
    )  # fmt: skip

    def __init__(self, number: int, kind: str, client: tuple[str, int], server: tuple[str, int], frame: Frame) -> None:
        self.number, self.kind, self.client, self.server = number, kind, client, server
        self.sides = (Side(), Side())
        self.first = self.last = frame.time
        self.first_frame = (frame.number, frame.offset)
        self.chain = ""
        self.vlan: int | None = None
        self.syn: int | None = None
        self.state = 0  # bits: 1 opened, 2 answered, 4 acknowledged
        self.flags_seen = 0
        self.done = False

    def outcome(self) -> str:
        """How a TCP connection went, by its flags; empty for others."""
        if self.kind != "tcp":
            return ""
        client, server = self.sides
        if not self.state & 1:
            if not self.state & 2 and not client.payload and not server.payload:
                if server.reset and not server.packets > 1:
                    return "refused"
                if not server.packets:
                    return "no answer"
            ended = (
                "reset" if client.reset or server.reset else "closed" if client.fin or server.fin else "open at the end"
            )
            return f"begin not captured, {ended}"
        if not self.state & 2:
            return "refused" if server.reset else "no answer"
        if not self.state & 4 and client.reset:
            return "half open (reset by the client)"
        if not self.state & 4 and not client.payload:
            return "half open (never acknowledged)"
        if client.reset or server.reset:
            return "reset by the " + ("server" if server.reset and not client.reset else "client")
        return "closed" if client.fin and server.fin else "closing" if client.fin or server.fin else "open at the end"


class Table:
    """All conversations of a capture; the longest silent ones are given out when there are too many."""

    def __init__(self, content: Content, most: int = 200_000) -> None:
        self.content, self.most = content, most
        self.live: OrderedDict[Key, Conversation] = OrderedDict()
        self.count = 0
        self._pieces: OrderedDict[tuple[str, str, int, int], dict[int, tuple[bytes, bool]]] = OrderedDict()

    def joined(self, frame: Frame, layers: Layers) -> tuple[Layers, bytes] | None:
        """The whole datagram a fragment completes (with its layers and bytes), or None while pieces are missing."""
        assert layers.fragment is not None
        key = (layers.source, layers.destination, layers.identification, layers.protocol)
        pieces = self._pieces.setdefault(key, {})
        offset, more = layers.fragment
        if len(pieces) < 128:
            pieces[offset] = (frame.data[layers.begin : layers.end], more)
        if len(self._pieces) > FRAGMENTS:
            self._pieces.popitem(last=False)
        at, out, last = 0, [], True
        for start in sorted(pieces):
            piece, last = pieces[start]
            if start > at:
                return None
            if start + len(piece) > at:
                out.append(piece[at - start :])
                at = start + len(piece)
        if last or not pieces:
            return None
        self._pieces.pop(key, None)
        data = b"".join(out)
        layers.begin, layers.end, layers.fragment = 0, len(data), None
        try:
            transport(layers.protocol, data, 0, layers)
        except IndexError:
            layers.kind = "malformed"
        return layers, data

    def take(self, frame: Frame, layers: Layers, data: bytes, base: int) -> tuple[Conversation, int]:
        """Count a packet in its conversation; `base` is where `data` lies in the content. (conversation, side)."""
        here, there = (layers.source, layers.port_from), (layers.destination, layers.port_to)
        low, high = (here, there) if here <= there else (there, here)
        key = (layers.protocol, *low, *high, layers.vlan or 0)
        flags = layers.flags if layers.kind == "tcp" else 0
        talk = self.live.get(key)
        if talk is not None and flags & (SYN | ACK) == SYN and talk.syn not in (None, layers.sequence):
            a, b = talk.sides
            if a.reset or b.reset or (a.fin and b.fin):  # the ports were used again
                talk.done = True
                self.live[(*key[:5], -talk.number - 1)] = self.live.pop(key)
                talk = None
        if talk is None:
            self.count += 1
            turned = (flags & (SYN | ACK) == SYN | ACK) or (
                not flags & SYN and layers.port_from < 1024 <= layers.port_to and layers.port_from != 0
            )
            client, server = (there, here) if turned else (here, there)
            talk = self.live[key] = Conversation(self.count, layers.kind, client, server, frame)
            talk.chain, talk.vlan = ":".join(layers.chain), layers.vlan
        which = 0 if here == talk.client else 1
        side = talk.sides[which]
        side.packets += 1
        side.bytes += frame.original
        side.ttl = side.ttl or layers.ttl
        side.mac = side.mac or layers.from_mac
        if frame.time is not None:
            talk.first = frame.time if talk.first is None else min(talk.first, frame.time)
            talk.last = frame.time if talk.last is None else max(talk.last, frame.time)
        length = layers.end - layers.begin
        stamp = frame.time or 0
        if layers.kind == "tcp":
            talk.flags_seen |= flags
            if flags & SYN:
                if flags & ACK:
                    talk.state |= 2
                else:
                    talk.state |= 1
                    talk.syn = layers.sequence
                if side.next is None:
                    side.next = (layers.sequence + 1) & 0xFFFFFFFF
            elif flags & ACK and which == 0 and not flags & RST:
                talk.state |= 4
            if length > 0:
                side.payload += length
                side.segment(
                    layers.sequence + (1 if flags & SYN else 0), base + layers.begin, length, frame.number, stamp
                )
            side.fin = side.fin or bool(flags & FIN)
            side.reset = side.reset or bool(flags & RST)
        elif length > 0:
            side.payload += length
            if side.starts is None or len(side.starts) < DATAGRAMS_KEPT:
                side.put(base + layers.begin, length, frame.number, stamp)
        return talk, which
