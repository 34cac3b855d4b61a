"""Packets and captures that tests make themselves: Ethernet, IP, TCP and UDP by hand, containers in every form."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable, Iterable

from wigmore.model.protocols import Gap, Record

CLIENT, SERVER = "192.0.2.10", "198.51.100.20"
CLIENT_MAC, SERVER_MAC = "02:00:00:00:00:0a", "02:00:00:00:00:14"
BEGIN = 1_700_000_000_000_000_000  # ns
Timed = tuple[int, bytes]
Read = Callable[[bytes], tuple[dict[str, list[Record]], list[Gap]]]


def ethernet(payload: bytes, kind: int = 0x0800, source: str = CLIENT_MAC, target: str = SERVER_MAC) -> bytes:
    """An Ethernet frame."""
    return bytes.fromhex(target.replace(":", "") + source.replace(":", "")) + struct.pack(">H", kind) + payload


def ip(source: str, target: str, protocol: int, payload: bytes, fragment: int = 0, number: int = 7) -> bytes:
    """An IP packet, version by the address; `fragment` is the flags and offset field."""
    a, b = ipaddress.ip_address(source), ipaddress.ip_address(target)
    if a.version == 6:
        return struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64) + a.packed + b.packed + payload
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), number, fragment, 64, protocol, 0)
    return head + a.packed + b.packed + payload


def udp(source: tuple[str, int], target: tuple[str, int], payload: bytes) -> bytes:
    """An Ethernet frame with a UDP datagram."""
    inner = struct.pack(">HHHH", source[1], target[1], 8 + len(payload), 0) + payload
    return ethernet(ip(source[0], target[0], 17, inner), 0x86DD if ":" in source[0] else 0x0800)


def segment(
    source: tuple[str, int], target: tuple[str, int], sequence: int, ack: int, flags: int, payload: bytes = b""
) -> bytes:
    """An IP packet with a TCP segment."""
    head = struct.pack(
        ">HHIIBBHHH", source[1], target[1], sequence & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 8192, 0, 0
    )
    return ip(source[0], target[0], 6, head + payload)


def talk(
    lines: Iterable[tuple[int, bytes]],
    port: int,
    client: tuple[str, int] = (CLIENT, 40000),
    server: str = SERVER,
    begin: int = BEGIN,
    close: bool = True,
    piece: int = 1400,
) -> list[Timed]:
    """A TCP connection: opening, what each side (0 client, 1 server) says in turn, and the ending."""
    ends = (client, (server, port))
    sequence = [0xFFFFFF00, 5000]  # the client's wraps around
    out: list[Timed] = []

    def send(side: int, flags: int, payload: bytes = b"") -> None:
        there = ends[1 - side]
        frame = ethernet(
            segment(ends[side], there, sequence[side], sequence[1 - side] if flags & 16 else 0, flags, payload)
        )
        out.append((begin + len(out) * 1_000_000, frame))
        sequence[side] += len(payload) + (1 if flags & 3 else 0)

    send(0, 2)
    send(1, 18)
    send(0, 16)
    for side, payload in lines:
        for at in range(0, len(payload), piece):
            send(side, 24, payload[at : at + piece])
    if close:
        send(0, 17)
        send(1, 17)
        send(0, 16)
    return out


def pcap(
    packets: Iterable[bytes | Timed], order: str = "<", nano: bool = False, modified: bool = False, link: int = 1
) -> bytes:
    """A pcap file in the given byte order and precision."""
    magic = 0xA1B23C4D if nano else 0xA1B2CD34 if modified else 0xA1B2C3D4
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)]
    for number, packet in enumerate(packets):
        time, frame = packet if isinstance(packet, tuple) else (BEGIN + number * 1_000_000, packet)
        part = time % 1_000_000_000 // (1 if nano else 1000)
        out.append(struct.pack(order + "IIII", time // 1_000_000_000, part, len(frame), len(frame)))
        out.append((bytes(8) if modified else b"") + frame)
    return b"".join(out)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """A pcapng option."""
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A pcapng block."""
    body += bytes(-len(body) % 4)
    length = len(body) + 12
    return struct.pack(order + "II", kind, length) + body + struct.pack(order + "I", length)


def pcapng(packets: Iterable[bytes | Timed], order: str = "<", comment: bytes = b"") -> bytes:
    """A pcapng file with nanosecond times, an interface name and a comment on the first packet."""
    out = [
        block(
            0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + option(4, b"made by a test", order), order
        )
    ]
    out.append(
        block(1, struct.pack(order + "HHI", 1, 0, 65535) + option(2, b"eth7", order) + option(9, b"\x09", order), order)
    )
    for number, packet in enumerate(packets):
        time, frame = packet if isinstance(packet, tuple) else (BEGIN + number * 1_000_000, packet)
        head = struct.pack(order + "IIIII", 0, time >> 32, time & 0xFFFFFFFF, len(frame), len(frame))
        told = option(1, comment, order) if comment and not number else b""
        out.append(block(6, head + frame + bytes(-len(frame) % 4) + told, order))
    out.append(block(5, struct.pack(order + "III", 0, 0, 0) + option(5, struct.pack(order + "Q", 3), order), order))
    return b"".join(out)


def question(name: str, kind: int = 1, number: int = 1) -> bytes:
    """A DNS query."""
    labels = b"".join(bytes((len(p),)) + p.encode() for p in name.split("."))
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)


def answer(name: str, kind: int, data: bytes, number: int = 1) -> bytes:
    """A DNS answer with one record."""
    asked = question(name, kind, number)
    return (
        asked[:2]
        + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0)
        + asked[12:]
        + struct.pack(">HHHIH", 0xC00C, kind, 1, 60, len(data))
        + data
    )


def arp(operation: int, mac: str, address: str, target: str) -> bytes:
    """An ARP frame."""
    raw = bytes.fromhex(mac.replace(":", ""))
    body = struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation) + raw + ipaddress.ip_address(address).packed
    return ethernet(body + bytes(6) + ipaddress.ip_address(target).packed, 0x0806, source=mac)
