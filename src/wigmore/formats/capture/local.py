"""Protocols of single packets: ARP, ICMP, DHCP, DHCPv6, NTP, SNMP, SSDP, WS-Discovery, TFTP, RADIUS, syslog, link discovery.

Sources: RFC 826, 792, 4443, 2131, 2132, 8415, 5905, 1157, 3416, 1350, 2865, 5424; UPnP device architecture; IEEE 802.1AB.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from wigmore.formats.capture import ber
from wigmore.formats.capture.found import text
from wigmore.formats.capture.layers import mac
from wigmore.model.times import NTP_OFFSET

ICMP = {0: "echo reply", 3: "destination unreachable", 4: "source quench", 5: "redirect", 8: "echo request",
    9: "router advertisement",
        10: "router solicitation", 11: "time exceeded", 12: "parameter problem", 13: "timestamp",
        14: "timestamp reply"}  # fmt: skip
ICMP6 = {1: "destination unreachable", 2: "packet too big", 3: "time exceeded", 4: "parameter problem", 128: "echo request",
    129: "echo reply",
         133: "router solicitation", 134: "router advertisement", 135: "neighbour solicitation",
         136: "neighbour advertisement", 137: "redirect", 143: "multicast listener report"}  # fmt: skip
UNREACHABLE = {0: "network", 1: "host", 2: "protocol", 3: "port", 4: "fragmentation needed", 9: "network prohibited",
    10: "host prohibited", 13: "prohibited"}  # fmt: skip
DHCP = {1: "discover", 2: "offer", 3: "request", 4: "decline", 5: "ack", 6: "nak", 7: "release", 8: "inform"}
DHCP6 = {1: "solicit", 2: "advertise", 3: "request", 4: "confirm", 5: "renew", 6: "rebind", 7: "reply", 8: "release",
    11: "information request", 12: "relay forward", 13: "relay reply"}  # fmt: skip
USUAL_ECHO = re.compile(
    rb"^(.{0,24}?)(abcdefghijklmnopqrstuvw|[\x08-\x37]{16,}|\x00{8,})", re.S
)  # Windows, Unix, zeros


def arp(raw: bytes) -> dict[str, Any]:
    """An ARP message over Ethernet and IPv4."""
    if len(raw) < 28 or raw[4:6] != b"\6\4":
        return {}
    operation = {1: "request", 2: "reply"}.get(int.from_bytes(raw[6:8], "big"), str(int.from_bytes(raw[6:8], "big")))
    source, target = str(ipaddress.ip_address(raw[14:18])), str(ipaddress.ip_address(raw[24:28]))
    return {"operation": operation, "sender_mac": mac(raw[8:14]), "sender_address": source, "target_mac": mac(raw[18:24]),
    "target_address": target,
            "gratuitous": source == target or None}  # fmt: skip


def icmp(raw: bytes, six: bool) -> dict[str, Any]:
    """Kind, code and payload of an ICMP message."""
    if len(raw) < 4:
        return {}
    kind, code = raw[0], raw[1]
    out: dict[str, Any] = {
        "type": (ICMP6 if six else ICMP).get(kind, str(kind)),
        "code": code,
        "payload_size": max(0, len(raw) - 8),
    }
    if kind in (0, 8, 128, 129):
        out |= {
            "identifier": int.from_bytes(raw[4:6], "big"),
            "payload_usual": USUAL_ECHO.match(raw[8:80]) is not None or len(raw) < 16,
        }
        if not out["payload_usual"]:
            out["payload_text"] = text(raw[8:328], 320)
    elif kind == 3 and not six:
        out["unreachable"] = UNREACHABLE.get(code, str(code))
    elif kind == 5 and not six and len(raw) >= 8:
        out["gateway"] = str(ipaddress.ip_address(raw[4:8]))
    return out


def dhcp(raw: bytes) -> dict[str, Any]:
    """A DHCP message."""
    if len(raw) < 240:
        return {}

    def ip(value: bytes) -> str:
        return str(ipaddress.ip_address(value)) if len(value) == 4 and any(value) else ""

    out: dict[str, Any] = {
        "transaction_id": raw[4:8].hex(), "client_mac": mac(raw[28:34]), "client_ip": ip(raw[12:16]),
        "assigned_ip": ip(raw[16:20]),
        "next_server": ip(raw[20:24]), "relay": ip(raw[24:28]), "boot_file": text(raw[108:236].split(b"\0")[0]),
    }  # fmt: skip
    at = 240
    while at + 2 <= len(raw) and raw[at] != 255:
        if raw[at] == 0:
            at += 1
            continue
        code, value = raw[at], raw[at + 2 : at + 2 + raw[at + 1]]
        at += 2 + raw[at + 1]
        if code == 53 and value:
            out["message"] = DHCP.get(value[0], str(value[0]))
        elif code in (1, 50, 54):
            out[{1: "subnet_mask", 50: "requested_ip", 54: "server_id"}[code]] = ip(value)
        elif code in (3, 6, 44):
            out[{3: "routers", 6: "dns_servers", 44: "wins_servers"}[code]] = [
                ip(value[i : i + 4]) for i in range(0, len(value) - 3, 4)
            ][:8]
        elif code in (12, 15, 60, 66, 67, 252):
            out[
                {
                    12: "host_name",
                    15: "domain_name",
                    60: "vendor_class",
                    66: "tftp_server",
                    67: "boot_file",
                    252: "proxy_configuration",
                }[code]
            ] = text(value.rstrip(b"\0"))
        elif code == 81 and len(value) > 3:
            out["full_name"] = text(value[3:])
        elif code == 61:
            out["client_id"] = mac(value[1:]) if len(value) == 7 else value.hex()
        elif code == 51 and len(value) == 4:
            out["lease_seconds"] = int.from_bytes(value, "big")
        elif code == 55:
            out["parameters_asked"] = ",".join(map(str, value))
    return {k: v for k, v in out.items() if v not in ("", [], None)} if "message" in out or raw[0] in (1, 2) else {}


def dhcp6(raw: bytes) -> dict[str, Any]:
    """A DHCPv6 message."""
    if len(raw) < 4:
        return {}
    out: dict[str, Any] = {"message": DHCP6.get(raw[0], str(raw[0])), "transaction_id": raw[1:4].hex(), "version": 6}
    at = 4
    while at + 4 <= len(raw) and raw[0] not in (12, 13):
        code, length = int.from_bytes(raw[at : at + 2], "big"), int.from_bytes(raw[at + 2 : at + 4], "big")
        value = raw[at + 4 : at + 4 + length]
        at += 4 + length
        if code == 1:
            out["client_id"] = value.hex()
            if value[:4] in (b"\0\1\0\1", b"\0\3\0\1"):
                out["client_mac"] = mac(value[-6:])
        elif code == 2:
            out["server_id"] = value.hex()
        elif code == 39 and len(value) > 2:
            labels, place = [], 1
            while place < len(value) and value[place]:
                labels.append(text(value[place + 1 : place + 1 + value[place]]))
                place += 1 + value[place]
            out["host_name"] = ".".join(labels)
        elif code == 16 and len(value) > 6:
            out["vendor_class"] = text(value[6:])
    return out


def ntp(raw: bytes) -> dict[str, Any]:
    """An NTP packet: mode, stratum, reference."""
    mode = raw[0] & 7
    names = {
        1: "symmetric active",
        2: "symmetric passive",
        3: "client",
        4: "server",
        5: "broadcast",
        6: "control",
        7: "private",
    }
    out: dict[str, Any] = {"mode": names.get(mode, str(mode)), "version": raw[0] >> 3 & 7}
    if mode in (6, 7):
        return out | {"request_code": raw[3] if mode == 7 and len(raw) > 3 else raw[1] & 0x1F, "size": len(raw)}
    if len(raw) < 48:
        return out
    out |= {
        "stratum": raw[1],
        "reference": text(raw[12:16].rstrip(b"\0")) if raw[1] < 2 else str(ipaddress.ip_address(raw[12:16])),
    }
    seconds = int.from_bytes(raw[40:44], "big")
    out["transmit_seconds"] = seconds - NTP_OFFSET if seconds else None  # POSIX
    return out


def snmp(raw: bytes) -> dict[str, Any]:
    """An SNMP message: version, community or user, operation, names asked for."""
    try:
        _, content, _ = ber.value(raw)
    except IndexError:
        return {}
    parts = list(ber.values(content))
    if len(parts) < 3 or parts[0][0] != 2:
        return {}
    version = ber.number(parts[0][1])
    out: dict[str, Any] = {"version": {0: "1", 1: "2c", 3: "3"}.get(version, str(version))}
    if version == 3:
        security = list(ber.values(ber.inner(parts[2][1]))) if len(parts) > 2 else []
        if len(security) > 3:
            out["user"] = text(security[3][1])
        return out
    out["community"] = text(parts[1][1])
    names = {
        0xA0: "get",
        0xA1: "get next",
        0xA2: "response",
        0xA3: "set",
        0xA4: "trap",
        0xA5: "get bulk",
        0xA6: "inform",
        0xA7: "trap 2",
    }
    out["operation"] = names.get(parts[2][0], hex(parts[2][0]))
    told = list(ber.values(parts[2][1]))
    variables = []
    if parts[2][0] != 0xA4 and len(told) > 3:
        for _, one in list(ber.values(told[3][1]))[:50]:
            pair = list(ber.values(one))
            if pair:
                value = pair[1] if len(pair) > 1 else (5, b"")
                shown = str(ber.number(value[1])) if value[0] in (2, 0x41, 0x42, 0x43, 0x46) else text(value[1], 300)
                variables.append({"name": ber.identifier(pair[0][1])} | ({"value": shown} if value[1] else {}))
    out["variables"] = variables
    return out


def ssdp(raw: bytes) -> dict[str, Any]:
    """An SSDP search, notice or answer."""
    lines = text(raw, 4000).splitlines()
    headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
    return {"message": lines[0].split(" ")[0] if lines else "", "service": headers.get("nt") or headers.get("st"),
    "location": headers.get("location"),
            "server": headers.get("server"), "unique_name": headers.get("usn"),
            "user_agent": headers.get("user-agent")}  # fmt: skip


def discovery(raw: bytes) -> dict[str, Any]:
    """A WS-Discovery message."""
    found = text(raw, 8000)

    def element(name: str) -> str:
        match = re.search(rf"<(?:\w+:)?{name}[^>]*>([^<]*)<", found)
        return match[1].strip() if match else ""

    return {
        "message": element("Action").rpartition("/")[2],
        "service": element("Types"),
        "location": element("XAddrs"),
        "unique_name": element("Address"),
    }


def tftp(raw: bytes) -> dict[str, Any]:
    """A TFTP request."""
    parts = raw[2:].split(b"\0")
    if raw[:2] not in (b"\0\1", b"\0\2") or len(parts) < 2:
        return {}
    return {"command": "read" if raw[1] == 1 else "write", "argument": text(parts[0]), "mode": text(parts[1])}


def radius(raw: bytes) -> dict[str, Any]:
    """A RADIUS packet: user, stations, result."""
    names = {
        1: "access request",
        2: "access accept",
        3: "access reject",
        4: "accounting request",
        5: "accounting response",
        11: "access challenge",
    }
    out: dict[str, Any] = {"message": names.get(raw[0], str(raw[0]))}
    at = 20
    while at + 2 <= len(raw) and raw[at + 1] >= 2:
        kind, value = raw[at], raw[at + 2 : at + raw[at + 1]]
        if kind in (1, 30, 31, 32, 11):
            out[{1: "user", 30: "called_station", 31: "calling_station", 32: "nas_identifier", 11: "filter"}[kind]] = (
                text(value)
            )
        elif kind in (4, 8) and len(value) == 4:
            out[{4: "nas_address", 8: "framed_address"}[kind]] = str(ipaddress.ip_address(value))
        at += raw[at + 1]
    return out


def link_discovery(raw: bytes) -> dict[str, Any]:
    """An LLDP announcement: name and description of the neighbour."""
    out: dict[str, Any] = {}
    at = 0
    while at + 2 <= len(raw):
        head = int.from_bytes(raw[at : at + 2], "big")
        kind, value = head >> 9, raw[at + 2 : at + 2 + (head & 0x1FF)]
        if kind == 0:
            break
        if kind in (4, 5, 6):
            out[{4: "port", 5: "host_name", 6: "system"}[kind]] = text(value)
        at += 2 + (head & 0x1FF)
    return out
