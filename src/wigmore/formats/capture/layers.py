"""Link, network and transport layers of one packet, from the bytes alone.

Sources: IEEE 802.3, 802.1Q, 802.11; RFC 791, 8200 (IP), 9293 (TCP), 768 (UDP), 2784 (GRE), 2516 (PPPoE), 3032 (MPLS);
tcpdump.org link-layer header types.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache

LINKS = {
    0: "BSD loopback",
    1: "Ethernet",
    6: "Token Ring",
    9: "PPP",
    12: "raw IP",
    14: "raw IP",
    50: "PPP (HDLC)",
    51: "PPPoE",
    100: "LLC/SNAP ATM",
    101: "raw IP",
    104: "Cisco HDLC",
    105: "IEEE 802.11",
    108: "OpenBSD loopback",
    113: "Linux cooked",
    119: "IEEE 802.11 (Prism)",
    127: "IEEE 802.11 (radiotap)",
    147: "user 0",
    187: "Bluetooth HCI H4",
    189: "USB (Linux)",
    195: "IEEE 802.15.4",
    201: "Bluetooth HCI H4 (direction)",
    220: "USB (Linux, padded)",
    228: "raw IPv4",
    229: "raw IPv6",
    249: "USB (USBPcap)",
    251: "Bluetooth LE",
    253: "netlink",
    276: "Linux cooked 2",
}
ETHER_TYPES = {
    0x0800: "ip", 0x0806: "arp", 0x86DD: "ipv6", 0x8100: "vlan", 0x88A8: "vlan", 0x8863: "pppoe", 0x8864: "pppoe",
    0x8847: "mpls", 0x8848: "mpls", 0x888E: "eapol", 0x88CC: "lldp", 0x8892: "profinet", 0x88B8: "goose", 0x88A4: "ethercat",
    0x8035: "rarp", 0x809B: "appletalk", 0x8137: "ipx", 0x88F7: "ptp", 0x9000: "loopback", 0x88E5: "macsec",
}  # fmt: skip
PROTOCOLS = {
    1: "icmp", 2: "igmp", 4: "ipip", 6: "tcp", 8: "egp", 17: "udp", 41: "ipv6", 46: "rsvp", 47: "gre", 50: "esp", 51: "ah",
    58: "icmpv6", 88: "eigrp", 89: "ospf", 103: "pim", 112: "vrrp", 115: "l2tp", 132: "sctp", 136: "udplite",
}  # fmt: skip
NAMED = {"igmp": "IGMP", "egp": "EGP", "gre": "GRE", "esp": "IPSec", "ah": "IPSec", "ospf": "OSPF", "pim": "IP_PIM",
         "vrrp": "VRRP", "sctp": "SCTP", "icmp": "ICMP", "icmpv6": "ICMPV6", "ipip": "IP_in_IP"}  # fmt: skip
DEEPEST = 8  # tunnels and tags inside one another


class Layers:
    """What one packet is. `begin` and `end` frame the payload of the innermost layer that was understood."""

    __slots__ = (
        "ack", "begin", "chain", "destination", "end", "flags", "fragment", "from_mac", "identification", "kind", "port_from",
        "port_to", "protocol", "sequence", "source", "to_mac", "ttl", "vlan", "window",
    )  # fmt: skip

    def __init__(self) -> None:
        self.chain: list[str] = []
        self.kind = ""  # tcp, udp, icmp, arp, …; empty where nothing is known
        self.from_mac = self.to_mac = b""
        self.source = self.destination = ""
        self.protocol = -1
        self.port_from = self.port_to = 0
        self.sequence = self.ack = self.flags = self.window = self.ttl = 0
        self.vlan: int | None = None
        self.identification = 0
        self.fragment: tuple[int, bool] | None = None  # (offset, more follow)
        self.begin = self.end = 0


@lru_cache(maxsize=65536)
def address(raw: bytes) -> str:
    """An IP address as text."""
    return str(ipaddress.ip_address(raw))


@lru_cache(maxsize=65536)
def mac(raw: bytes) -> str:
    """A hardware address as text."""
    return raw.hex(":")


def decode(link: int, data: bytes) -> Layers:
    """The layers of a packet of a link type; stops where bytes end or a layer is not known."""
    out = Layers()
    out.end = len(data)
    try:
        _link(link, data, out)
    except IndexError:
        out.kind = out.kind or "malformed"
    return out


def _link(link: int, data: bytes, out: Layers) -> None:
    if link == 1:
        out.chain.append("eth")
        out.to_mac, out.from_mac = data[:6], data[6:12]
        _ether(data, 12, out)
    elif link in (12, 14, 101, 228, 229):
        _ip(data, 0, out)
    elif link in (0, 108):
        out.chain.append("null")
        _ip(data, 4, out)
    elif link == 113:
        out.chain.append("sll")
        out.from_mac = data[6:12]
        _typed(int.from_bytes(data[14:16], "big"), data, 16, out)
    elif link == 276:
        out.chain.append("sll2")
        out.from_mac = data[12:18]
        _typed(int.from_bytes(data[:2], "big"), data, 20, out)
    elif link in (9, 50):
        out.chain.append("ppp")
        _ppp(data, 2 if data[:2] in (b"\xff\x03", b"\x0f\0", b"\x8f\0") else 0, out)
    elif link == 51:
        out.chain.append("pppoe")
        _ppp(data, 6, out)
    elif link == 104:
        out.chain.append("chdlc")
        _typed(int.from_bytes(data[2:4], "big"), data, 4, out)
    elif link == 100:
        out.chain.append("llc")
        _typed(int.from_bytes(data[6:8], "big"), data, 8, out)
    elif link in (105, 119, 127):
        out.chain.append("wlan")
        at = 0 if link == 105 else 144 if link == 119 else int.from_bytes(data[2:4], "little")
        _wireless(data, at, out)
    else:
        out.chain.append(LINKS.get(link, f"link {link}").lower())
        out.begin = 0


def _ether(data: bytes, at: int, out: Layers) -> None:
    kind = data[at] << 8 | data[at + 1]
    if kind < 0x600:
        if data[at + 2 : at + 5] == b"\xaa\xaa\x03":
            _typed(int.from_bytes(data[at + 8 : at + 10], "big"), data, at + 10, out)
            return
        service = data[at + 2]
        out.kind = {0x42: "stp", 0xF0: "netbios", 0xE0: "ipx", 0xFE: "osi"}.get(service, "llc")
        out.chain.append(out.kind)
        out.begin = at + 5
        return
    _typed(kind, data, at + 2, out)


def _typed(kind: int, data: bytes, at: int, out: Layers, depth: int = 0) -> None:
    while kind in (0x8100, 0x88A8) and depth < DEEPEST:
        out.vlan = (data[at] << 8 | data[at + 1]) & 0xFFF
        out.chain.append("vlan")
        kind = data[at + 2] << 8 | data[at + 3]
        at += 4
        depth += 1
    if kind in (0x0800, 0x86DD):
        _ip(data, at, out, depth)
    elif kind == 0x8864:
        out.chain.append("pppoe")
        _ppp(data, at + 6, out)
    elif kind in (0x8847, 0x8848):
        out.chain.append("mpls")
        while not data[at + 2] & 1:
            at += 4
        _ip(data, at + 4, out, depth)
    else:
        out.kind = ETHER_TYPES.get(kind, "")
        out.chain.append(out.kind or f"ethertype {kind:#06x}")
        out.begin = at


def _ppp(data: bytes, at: int, out: Layers) -> None:
    kind = data[at]
    if not kind & 1:
        kind = kind << 8 | data[at + 1]
        at += 1
    if kind in (0x21, 0x57):
        _ip(data, at + 1, out)
        return
    out.kind = {0xC021: "lcp", 0xC023: "pap", 0xC223: "chap", 0x8021: "ipcp"}.get(kind, "ppp")
    out.chain.append(out.kind)
    out.begin = at + 1


def _wireless(data: bytes, at: int, out: Layers) -> None:
    control, flags = data[at], data[at + 1]
    kind, subtype = control >> 2 & 3, control >> 4
    out.to_mac, out.from_mac = data[at + 4 : at + 10], data[at + 10 : at + 16]
    if kind != 2:
        names = {(0, 8): "beacon", (0, 12): "deauthentication", (0, 10): "disassociation", (0, 4): "probe request"}
        out.kind = "wlan_management" if kind == 0 else "wlan_control"
        out.chain.append(names.get((kind, subtype), out.kind))
        out.begin = at + 24
        return
    if flags & 0x40:
        out.kind = "wlan_encrypted"
        out.chain.append("encrypted")
        return
    place = at + 24 + (6 if flags & 3 == 3 else 0) + (2 if subtype & 8 else 0)
    if data[place : place + 3] == b"\xaa\xaa\x03":
        _typed(int.from_bytes(data[place + 6 : place + 8], "big"), data, place + 8, out)
    else:
        out.kind = "wlan_data"
        out.begin = place


def _ip(data: bytes, at: int, out: Layers, depth: int = 0) -> None:
    if depth > DEEPEST:
        return
    version = data[at] >> 4
    if version == 4:
        out.chain.append("ip")
        header = (data[at] & 15) * 4
        total = data[at + 2] << 8 | data[at + 3]
        out.ttl = data[at + 8]
        out.protocol = data[at + 9]
        out.source, out.destination = (
            address(_whole(data[at + 12 : at + 16], 4)),
            address(_whole(data[at + 16 : at + 20], 4)),
        )
        out.identification = data[at + 4] << 8 | data[at + 5]
        # a length of 0 comes of segmentation offload: the packet reaches to its end
        out.end = min(out.end, at + total) if total >= header else out.end
        field = data[at + 6] << 8 | data[at + 7]
        if header < 20:
            out.kind = "malformed"
            return
        if field & 0x3FFF:
            out.fragment = ((field & 0x1FFF) * 8, bool(field & 0x2000))
        _transport(out.protocol, data, at + header, out, depth)
    elif version == 6:
        out.chain.append("ipv6")
        length = data[at + 4] << 8 | data[at + 5]
        following = data[at + 6]
        out.ttl = data[at + 7]
        out.source, out.destination = (
            address(_whole(data[at + 8 : at + 24], 16)),
            address(_whole(data[at + 24 : at + 40], 16)),
        )
        out.end = min(out.end, at + 40 + length) if length else out.end
        at += 40
        for _ in range(DEEPEST):
            if following in (0, 43, 60, 135):
                following, at = data[at], at + data[at + 1] * 8 + 8
            elif following == 51:
                following, at = data[at], at + data[at + 1] * 4 + 8
            elif following == 44:
                field = data[at + 2] << 8 | data[at + 3]
                if field & 0xFFF9:
                    out.fragment = (field & 0xFFF8, bool(field & 1))
                    out.identification = int.from_bytes(data[at + 4 : at + 8], "big")
                following, at = data[at], at + 8
            else:
                break
        out.protocol = following
        _transport(following, data, at, out, depth)
    else:
        out.kind = "malformed"
        out.begin = at


def _whole(raw: bytes, length: int) -> bytes:
    if len(raw) != length:
        raise IndexError
    return raw


def _transport(protocol: int, data: bytes, at: int, out: Layers, depth: int = 0) -> None:
    out.begin = at
    out.kind = PROTOCOLS.get(protocol, f"ip {protocol}")
    if protocol in (4, 41) and out.fragment is None:
        out.chain.append("ipip")
        _ip(data, at, out, depth + 1)
        return
    out.chain.append(out.kind)
    if out.fragment is not None:
        return
    transport(protocol, data, at, out)
    if protocol == 47 and len(data) >= at + 8:
        flags = data[at]
        kind = data[at + 2] << 8 | data[at + 3]
        version = data[at + 1] & 7
        skip = 4 + (4 if flags & 0x80 else 0) + (4 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        if version == 1:
            skip += 4 if data[at + 1] & 0x80 else 0
            if kind == 0x880B and flags & 0x10:
                _ppp(data, at + skip + (2 if data[at + skip : at + skip + 2] == b"\xff\x03" else 0), out)
        elif kind in (0x0800, 0x86DD):
            _ip(data, at + skip, out, depth + 1)


def transport(protocol: int, data: bytes, at: int, out: Layers) -> None:
    """Read ports, flags and the place of the payload of a TCP, UDP or SCTP header at an offset."""
    if protocol == 6:
        out.port_from, out.port_to = data[at] << 8 | data[at + 1], data[at + 2] << 8 | data[at + 3]
        out.sequence = int.from_bytes(data[at + 4 : at + 8], "big")
        out.ack = int.from_bytes(data[at + 8 : at + 12], "big")
        header = data[at + 12] >> 4
        out.flags = data[at + 13]
        out.window = data[at + 14] << 8 | data[at + 15]
        out.begin = at + header * 4
        if header < 5 or out.begin > out.end:
            out.begin = out.end
    elif protocol in (17, 132, 136):
        out.port_from, out.port_to = data[at] << 8 | data[at + 1], data[at + 2] << 8 | data[at + 3]
        length = data[at + 4] << 8 | data[at + 5]
        out.begin = at + (8 if protocol != 132 else 12)
        if protocol == 17 and length >= 8:
            out.end = min(out.end, at + length)
        out.begin = min(out.begin, out.end)
