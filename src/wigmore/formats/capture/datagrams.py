"""Datagrams one by one: which dissector a UDP packet goes to, and what is counted rather than listed."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

from wigmore.formats.capture import dns, kerberos, local, other
from wigmore.formats.capture.containers import Frame
from wigmore.formats.capture.flows import Conversation
from wigmore.formats.capture.found import Found, text
from wigmore.formats.capture.layers import Layers, mac
from wigmore.formats.capture.naming import SIP

MOST_COUNTED = 50_000
BAD = (IndexError, struct.error, ValueError, KeyError)


def _dns(protocol: str) -> Callable[[bytes], tuple[str, dict[str, Any]]]:
    def read(raw: bytes) -> tuple[str, dict[str, Any]]:
        return "dns", dns.message(raw, protocol == "NBNS") or {}

    return read


def _syslog(raw: bytes) -> dict[str, Any]:
    return {"message": text(raw, 4000)} if raw[:1] == b"<" else {}


def _dhcp(raw: bytes) -> dict[str, Any]:
    return local.dhcp(raw) if raw[236:240] == b"\x63\x82\x53\x63" else {}


BY_PORT: dict[int, tuple[str, Callable[[bytes], tuple[str, dict[str, Any]]]]] = {
    53: ("DNS", _dns("DNS")), 5353: ("mDNS", _dns("mDNS")), 5355: ("LLMNR", _dns("LLMNR")), 137: ("NBNS", _dns("NBNS")),
    67: ("DHCP", lambda raw: ("dhcp", _dhcp(raw))), 68: ("DHCP", lambda raw: ("dhcp", _dhcp(raw))),
    546: ("DHCPv6", lambda raw: ("dhcp", local.dhcp6(raw))), 547: ("DHCPv6", lambda raw: ("dhcp", local.dhcp6(raw))),
    123: ("NTP", lambda raw: ("ntp", local.ntp(raw))), 161: ("SNMP", lambda raw: ("snmp", local.snmp(raw))),
    162: ("SNMP", lambda raw: ("snmp", local.snmp(raw))), 1900: ("SSDP", lambda raw: ("service", local.ssdp(raw))),
    3702: ("WS-Discovery", lambda raw: ("service", local.discovery(raw))), 69: ("TFTP", lambda raw: ("command", local.tftp(raw))),
    88: ("Kerberos", lambda raw: ("kerberos", kerberos.message(raw))), 514: ("syslog", lambda raw: ("syslog", _syslog(raw))),
    **{p: ("RADIUS", lambda raw: ("radius", local.radius(raw))) for p in (1812, 1813, 1645, 1646)},
}  # fmt: skip
REPEATED = frozenset(("ntp", "service", "snmp"))  # the same from the same sender is counted, not listed


class Datagrams:
    """Reads single packets; what repeats is kept with a count and given at the end."""

    def __init__(self) -> None:
        self.counted: dict[tuple[Any, ...], list[Any]] = {}
        self.claims: dict[str, dict[str, int]] = {}  # address → hardware address → packets
        self.names: dict[str, str] = {}  # address → name that DNS answers gave it
        self.hosts: dict[str, set[str]] = {}  # address → names its own packets say
        self.left_out = 0

    def count(self, kind: str, key: tuple[Any, ...], frame: Frame, offset: int, data: dict[str, Any]) -> None:
        """Note one of many alike: the first is kept, with how many and when the last was."""
        known = self.counted.get((kind, *key))
        if known is None:
            if len(self.counted) >= MOST_COUNTED:
                self.left_out += 1
                return
            self.counted[(kind, *key)] = [kind, frame.number, frame.time or 0, offset, data, 1, frame.time or 0]
        else:
            known[5] += 1
            known[6] = frame.time or known[6]

    def named(self, address: str, name: Any) -> None:
        """Note a name that a packet of an address says is its own."""
        if name and (address in self.hosts or len(self.hosts) < 50_000):
            self.hosts.setdefault(address, set()).add(str(name)[:255])

    def link(self, frame: Frame, layers: Layers) -> None:
        """ARP and announcements of the link."""
        raw = frame.data[layers.begin : layers.end]
        at = frame.offset + layers.begin
        if layers.kind == "arp":
            data = local.arp(raw)
            if not data:
                return
            self.count(
                "arp",
                (data["operation"], data["sender_mac"], data["sender_address"], data["target_address"]),
                frame,
                at,
                data,
            )
            if data["sender_address"] != "0.0.0.0" and len(self.claims) < MOST_COUNTED:  # noqa: S104  # an address probe's sender
                macs = self.claims.setdefault(data["sender_address"], {})
                macs[data["sender_mac"]] = macs.get(data["sender_mac"], 0) + 1
        elif layers.kind == "lldp":
            told = local.link_discovery(raw)
            if told:
                self.count(
                    "service",
                    (layers.from_mac, str(told)),
                    frame,
                    at,
                    {"protocol": "LLDP", "sender_mac": mac(layers.from_mac), **told},
                )
        elif layers.chain[-1] in ("deauthentication", "disassociation"):
            data = {"message": layers.chain[-1], "sender_mac": mac(layers.from_mac), "target_mac": mac(layers.to_mac)}
            self.count("wireless", tuple(data.values()), frame, at, data)
        elif layers.kind == "pap" and raw[:1] == b"\1" and len(raw) > 5:
            width = raw[4]
            secret = raw[6 + width : 6 + width + raw[5 + width]] if len(raw) > 5 + width else b""
            self.count(
                "credential",
                (raw,),
                frame,
                at,
                {
                    "protocol": "PPP",
                    "scheme": "PAP",
                    "user": text(raw[5 : 5 + width]),
                    "password": text(secret),
                    "clear_text": True,
                },
            )

    def icmp(self, frame: Frame, layers: Layers, raw: bytes) -> None:
        """An ICMP message, counted by direction and type."""
        told = local.icmp(raw, layers.kind == "icmpv6")
        if not told:
            return
        key = ("icmp", layers.source, layers.destination, told["type"], told["code"])
        size = told.pop("payload_size")
        unusual = told.get("payload_usual") is False
        known = self.counted.get(key)
        if known is not None and unusual and not known[4].get("payloads_unusual"):
            known[4]["payload_text"] = told.get("payload_text")
        told.pop("identifier", None)
        told.pop("payload_usual", None)
        data = {
            "protocol": layers.kind.upper(),
            "source_address": layers.source,
            "target_address": layers.destination,
            **told,
        }
        self.count("icmp", key[1:], frame, frame.offset + layers.begin, data)
        known = self.counted.get(key)
        if known is not None:
            mine = known[4]
            mine["payload_largest"] = max(mine.get("payload_largest", 0), size)
            mine["payload_smallest"] = min(mine.get("payload_smallest", size), size)
            mine["payload_bytes"] = mine.get("payload_bytes", 0) + size
            mine["payloads_unusual"] = mine.get("payloads_unusual", 0) + unusual

    def udp(self, frame: Frame, layers: Layers, talk: Conversation, side: int, raw: bytes) -> Iterator[Found]:
        """What one UDP packet says, by its ports and content."""
        entry = BY_PORT.get(talk.server[1]) or BY_PORT.get(talk.client[1])
        ends = {"client_address": talk.client[0], "client_port": talk.client[1], "server_address": talk.server[0],
        "server_port": talk.server[1],
                "source_address": layers.source, "conversation": talk.number}  # fmt: skip
        at = frame.offset + layers.begin
        if entry is not None:
            protocol = entry[0]
            kind, told = entry[1](raw)
        elif SIP.match(raw):
            protocol, kind, told = "SIP", "sip", other.sip(raw)
        else:
            return
        if not told:
            return
        data = {k: v for k, v in {"protocol": protocol, **ends, **told}.items() if v not in (None, "", [])}
        if kind == "dhcp":
            data |= {"server_mac" if layers.port_from == 67 else "sender_mac": mac(layers.from_mac)}
            if told.get("message") == "request" and told.get("requested_ip") and told.get("host_name"):
                self.named(str(told["requested_ip"]), told["host_name"])
        self._names(kind, protocol, layers, told)
        if kind in REPEATED:
            shape = str([(k, v) for k, v in told.items() if k not in ("transmit_seconds", "variables")]) + str(
                [v.get("name") for v in told.get("variables", [])]
            )
            self.count(kind, (layers.source, layers.destination, shape), frame, at, data)
        else:
            yield Found(kind, frame.number, frame.time or 0, at, data)

    def _names(self, kind: str, protocol: str, layers: Layers, told: dict[str, Any]) -> None:
        if kind == "dns" and told.get("message") == "response":
            for one in told.get("answers", []):
                if one["type"] in ("A", "AAAA") and (one["data"] in self.names or len(self.names) < 100_000):
                    self.names[one["data"]] = told.get("name", one["name"]) if protocol == "DNS" else one["name"]
            if protocol in ("mDNS", "LLMNR"):
                for one in told.get("answers", []):
                    if one["data"] == layers.source:
                        self.named(layers.source, one["name"])
        elif kind == "dns" and protocol == "NBNS" and told.get("operation") and told.get("name"):
            self.named(layers.source, told["name"])
        elif kind == "kerberos" and told.get("client_host"):
            self.named(layers.source, told["client_host"])

    def end(self) -> Iterator[Found]:
        """What was counted, in order of packets, and addresses that several hardware addresses claimed."""
        for kind, number, time, offset, data, count, last in sorted(self.counted.values(), key=lambda k: (k[1], k[0])):
            if kind == "arp":
                macs = self.claims.get(data["sender_address"], {})
                if len(macs) > 1:
                    data["claimed_by"] = sorted(macs)
                    data["conflict"] = True
            yield Found(
                kind,
                number,
                time,
                offset,
                {k: v for k, v in data.items() if v is not None} | {"count": count, "last_time": last},
            )
