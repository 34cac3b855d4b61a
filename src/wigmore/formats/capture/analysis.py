"""A capture from its first packet to its last conversation: everything that is observed, in one pass and one ending.

The pass reads packets in order, counts them and gives what single packets say; payloads stay in the file. The ending goes
through the conversations, tells their protocols and reads their streams.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from wigmore.formats.capture import http, kerberos, lines, naming, other, quic, rpc, smb, tls
from wigmore.formats.capture.containers import About, Frame, frames
from wigmore.formats.capture.datagrams import BAD, Datagrams
from wigmore.formats.capture.flows import Content, Conversation, Table
from wigmore.formats.capture.found import Found
from wigmore.formats.capture.layers import LINKS, NAMED, Layers, decode, mac
from wigmore.formats.capture.talk import Talk
from wigmore.model.protocols import EvidenceFile, Gap

Dissector = Callable[[Talk], Iterator[Found]]
MOST_GAPS = 200
HOSTS_KEPT = 100_000
DISSECTORS: dict[str, Dissector] = {
    "HTTP": http.exchanges, "TLS": tls.handshake, "SMTP": lines.smtp, "POP3": lines.pop3, "IMAP": lines.imap, "IRC": lines.irc,
    "Telnet": lines.telnet, "SMBv1": smb.session, "SMBv23": smb.session, "NetBIOS": smb.session, "RPC": rpc.calls,
    "Kerberos": kerberos.messages, "SSH": other.ssh,
    "RDP": other.rdp, "LDAP": other.ldap, "BitTorrent": other.bittorrent, "MySQL": other.database, "PostgreSQL": other.database,
    "MsSQL-TDS": other.database, "Redis": other.database, "SOCKS": other.socks, "Mining": other.mining,
}  # fmt: skip


class Analysis:
    """One reading of a capture. `about`, `packets` and the rest say of the whole once `observations` has ended.

    With `content`, payloads are read through it, and carried files can be read after the end as long as it is open. With
    `only`, nothing but conversations of these protocols is dissected.
    """

    def __init__(self, file: EvidenceFile, content: Content | None = None, only: frozenset[str] | None = None) -> None:
        self.file, self.only = file, only
        self._content = content
        self.about = About()
        self.packets = self.bytes = self.captured = 0
        self.first: int | None = None
        self.last: int | None = None
        self.backwards = 0
        self.chains: Counter[str] = Counter()
        self.chain_bytes: Counter[str] = Counter()
        self.application_packets: Counter[str] = Counter()
        self.application_bytes: Counter[str] = Counter()
        self.applications: Counter[str] = Counter()
        self.protocols: Counter[str] = Counter()
        self.hosts: dict[str, list[Any]] = {}
        self.datagrams = Datagrams()
        self.expected: dict[tuple[str, int], dict[str, Any]] = {}
        self.conversations = 0
        self.malformed = 0

    def observations(self) -> Iterator[Found | Gap]:
        """Everything that is observed, with a Gap for each part that could not be read."""
        with ExitStack() as stack:
            stream = stack.enter_context(self.file.open())
            content = self._content
            if content is None:
                content = Content(stack.enter_context(self.file.open()))
                stack.callback(content.close)
            table = Table(content)
            for item in frames(stream, self.file.size, self.file.path, self.about):
                if isinstance(item, Gap):
                    yield item
                    continue
                yield from self._packet(item, table, content)
                if len(table.live) > table.most:
                    _, old = table.live.popitem(last=False)
                    yield from self._end(old, content)
            rest = sorted(table.live.values(), key=lambda t: (t.server[1] != 21, t.number))
            table.live.clear()
            for talk in rest:
                yield from self._end(talk, content)
            yield from self.datagrams.end()
            if self.datagrams.left_out:
                yield Gap(f"{self.datagrams.left_out} packets of repeated kinds were counted only", None, "too_large")

    def _packet(self, frame: Frame, table: Table, content: Content) -> Iterator[Found | Gap]:
        self.packets += 1
        self.bytes += frame.original
        self.captured += len(frame.data)
        if frame.time is not None:
            if self.last is not None and frame.time < self.last:
                self.backwards += 1
            self.first = frame.time if self.first is None else min(self.first, frame.time)
            self.last = frame.time if self.last is None else max(self.last, frame.time)
        layers = decode(frame.link, frame.data)
        chain = ":".join(layers.chain)
        self.chains[chain] += 1
        self.chain_bytes[chain] += frame.original
        self.malformed += layers.kind == "malformed"
        if not layers.source:
            if layers.chain:
                try:
                    self.datagrams.link(frame, layers)
                except BAD:
                    self.malformed += 1
            return
        self._host(frame, layers)
        data, base = frame.data, frame.offset
        if layers.fragment is not None:
            joined = table.joined(frame, layers)
            if joined is None:
                return
            layers, data = joined
            base = content.keep(data)
        if layers.kind == "malformed":
            return
        talk, side = table.take(frame, layers, data, base)
        try:
            if self.only is not None:
                return
            if layers.kind == "udp":
                yield from self.datagrams.udp(frame, layers, talk, side, data[layers.begin : layers.end])
            elif layers.kind in ("icmp", "icmpv6"):
                self.datagrams.icmp(frame, layers, data[layers.begin : layers.end])
        except BAD as error:
            self.malformed += 1
            if self.malformed <= MOST_GAPS:
                yield Gap(f"packet {frame.number}: {type(error).__name__}: {error}"[:200], frame.offset)

    def _host(self, frame: Frame, layers: Layers) -> None:
        known = self.hosts.get(layers.source)
        if known is None:
            if len(self.hosts) >= HOSTS_KEPT:
                return
            known = self.hosts[layers.source] = [
                frame.number,
                frame.offset,
                frame.time or 0,
                0,
                0,
                0,
                set(),
                layers.ttl,
            ]
        known[3] = max(known[3], frame.time or 0)
        known[4] += 1
        known[5] += frame.original
        if layers.from_mac and len(known[6]) < 8:
            known[6].add(layers.from_mac)

    # -- the ending

    def _end(self, conversation: Conversation, content: Content) -> Iterator[Found | Gap]:
        talk = Talk(conversation, content)
        self.conversations += 1
        try:
            yield from self._dissect(talk)
        except (*BAD, struct.error, OverflowError) as error:
            place = f"conversation {conversation.number} ({talk.protocol})"
            yield Gap(f"{place}: {type(error).__name__}: {error}"[:300], conversation.first_frame[1])
        yield self._conversation(talk)
        talk.client.forget()
        talk.server.forget()

    def _dissect(self, talk: Talk) -> Iterator[Found]:
        conversation = talk.conversation
        if conversation.kind not in ("tcp", "udp"):
            talk.protocol, talk.confidence = NAMED.get(conversation.kind, "Unknown"), "content"
            return
        if conversation.kind == "udp":
            clients, servers = talk.client.datagrams(), talk.server.datagrams()
            first = (clients[0] if clients else b"", servers[0] if servers else b"")
        else:
            clients = []
            first = (talk.client.read(0, 2048), talk.server.read(0, 2048))
        talk.protocol, talk.confidence = naming.by_content(
            conversation.kind, *first, (conversation.client[1], conversation.server[1])
        )
        if self.only is not None and talk.protocol not in self.only and not self.expected:
            return
        announced = next(
            (self.expected[e] for e in (conversation.server, conversation.client) if e in self.expected), None
        )
        if announced is not None and conversation.kind == "tcp" and talk.protocol in ("Unknown", "FTP_DATA"):
            talk.protocol, talk.confidence = "FTP_DATA", "announced"
            yield from lines.ftp_data(talk, announced)
        elif talk.protocol == "FTP_CONTROL" and talk.confidence == "content":
            yield from lines.ftp(talk, self.expected)
        elif talk.protocol == "QUIC" and talk.confidence == "content":
            yield from self._quic(talk, clients)
        elif talk.protocol == "DNS" and conversation.kind == "tcp":
            yield from _dns_stream(talk)
        elif talk.protocol == "SIP" and conversation.kind == "tcp":
            yield talk.found("sip", talk.client, 0, {"protocol": "SIP", **other.sip(talk.client.read(0, 8192))})
        elif conversation.kind == "udp":
            self._datagram_protocol(talk, clients or servers)
        elif talk.protocol in DISSECTORS and (talk.client.size or talk.server.size):
            yield from DISSECTORS[talk.protocol](talk)
        elif talk.client.size or talk.server.size:
            yield from other.greeting(talk)
        talk.service = talk.service or naming.service_of(talk.host.partition(":")[0])

    def _quic(self, talk: Talk, clients: list[bytes]) -> Iterator[Found]:
        hello = quic.Hello()
        for raw in clients[:6]:
            try:
                hello.take(raw)
            except (IndexError, ValueError):
                break
        told = hello.fields()
        talk.host = str(told.get("server_name", ""))
        if len(told) > 1 or hello.version:
            yield talk.found("tls", talk.client, 0, {"protocol": "QUIC", **told})

    def _datagram_protocol(self, talk: Talk, packets: list[bytes]) -> None:
        if talk.protocol in ("STUN", "DTLS", "RTP", "RTCP", "Unknown") and any(
            len(p) >= 20
            and p[4:8] == b"\x21\x12\xa4\x42"
            and (b"\x80\x37" in p or b"\x80\x55" in p or b"\x80\x70" in p or b"\x80\x54" in p)
            for p in packets
        ):
            talk.service, talk.confidence = "Skype_TeamsCall", "content"  # MS-TURN's own attributes
        if talk.protocol == "DNS":
            from wigmore.formats.capture import dns

            told = dns.message(packets[0]) if packets else None
            if told:
                talk.host = str(told.get("name", ""))

    def _conversation(self, talk: Talk) -> Found:
        conversation = talk.conversation
        client, server = conversation.sides
        service = talk.service if talk.protocol not in ("DNS", "MDNS", "LLMNR") else ""
        self.protocols[talk.protocol] += 1
        self.applications[service or talk.protocol] += 1
        name = f"{conversation.chain}:{talk.protocol.lower()}"
        self.application_packets[name] += client.packets + server.packets
        self.application_bytes[name] += client.bytes + server.bytes
        data: dict[str, Any] = {
            **talk.ends, "transport": conversation.kind, "protocol": talk.protocol, "protocol_told_by": talk.confidence,
            "service": service,
            "host": talk.host, "resolved_name": self.datagrams.names.get(conversation.server[0]),
            "packets": client.packets + server.packets,
            "bytes": client.bytes + server.bytes, "packets_up": client.packets, "packets_down": server.packets,
            "bytes_up": client.bytes,
            "bytes_down": server.bytes, "payload_up": client.payload, "payload_down": server.payload,
            "outcome": conversation.outcome(),
            "client_mac": mac(client.mac) if client.mac else "", "server_mac": mac(server.mac) if server.mac else "",
            "missing_bytes": client.holes + server.holes or None, "repeated_segments": client.repeated + server.repeated or None,
            "vlan": conversation.vlan, "client_ttl": client.ttl or None, "server_ttl": server.ttl or None,
            "last_time": conversation.last, "tcp_flags_seen": _flags(conversation) if conversation.kind == "tcp" else None,
            **talk.facts,
        }  # fmt: skip
        if conversation.first is not None and conversation.last is not None:
            data["duration_seconds"] = round((conversation.last - conversation.first) / 1e9, 3)
        number, offset = conversation.first_frame
        whole = {k: v for k, v in data.items() if v not in (None, "", {})} | {"conversation": conversation.number}
        return Found("conversation", number, conversation.first or 0, offset, whole)

    # -- the whole

    def hierarchy(self) -> list[dict[str, Any]]:
        """Packets and bytes by layer, each path with what lies below it counted in; applications by conversation."""
        packets: Counter[str] = Counter()
        sizes: Counter[str] = Counter()
        for chain, count in self.chains.items():
            parts = chain.split(":")
            for depth in range(1, len(parts) + 1):
                path = ":".join(parts[:depth])
                packets[path] += count
                sizes[path] += self.chain_bytes[chain]
        packets.update(self.application_packets)
        sizes.update(self.application_bytes)
        return [{"layers": p, "packets": packets[p], "bytes": sizes[p]} for p in sorted(packets) if p]

    def summary(self) -> dict[str, Any]:
        """What the capture is as a whole."""
        about = self.about
        counted = dict(sorted(self.applications.items(), key=lambda kv: (-kv[1], kv[0])))
        links = [LINKS.get(n, f"link type {n}") for n, _ in sorted(about.links.items())]
        return {
            "format": about.format, "format_version": about.version, "byte_order": about.byte_order, "link_types": links,
            "link_type_numbers": sorted(about.links), "snap_length": about.snap_length, "packets": self.packets,
            "bytes": self.bytes,
            "captured_bytes": self.captured,
            "cut_packets_bytes": self.bytes - self.captured if self.bytes > self.captured else None,
            "dropped": about.dropped, "interfaces": about.interfaces, "comments": about.comments, "names": about.names,
            **about.made_by,
            "decryption_secrets": about.secrets or None, "sections": about.sections or None,
            "packets_out_of_time": self.backwards or None,
            "malformed_packets": self.malformed or None, "conversations": self.conversations, "hosts": len(self.hosts),
            "application_protocols": counted, "application_protocols_text": "; ".join(f"{k} {v}" for k,
            v in counted.items())[:4000],
            "protocols": dict(sorted(self.protocols.items())),
            "duration_seconds": round((self.last - self.first) / 1e9,
            6) if self.first is not None and self.last is not None else None,
        }  # fmt: skip

    def seen_hosts(self) -> Iterator[Found]:
        """Each address that sent packets, with its hardware addresses and the names its packets say."""
        for address, (number, offset, first, last, packets, size, macs, ttl) in self.hosts.items():
            names = sorted(self.datagrams.hosts.get(address, ()))
            data = {"address": address, "mac": [mac(m) for m in sorted(macs)], "packets_sent": packets, "bytes_sent": size,
            "ttl": ttl or None,
                    "names": names, "resolved_name": self.datagrams.names.get(address), "last_time": last}  # fmt: skip
            yield Found("host", number, first, offset, {k: v for k, v in data.items() if v not in (None, "", [])})


def _flags(conversation: Conversation) -> str:
    names = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")
    return "+".join(n for bit, n in enumerate(names) if conversation.flags_seen >> bit & 1) or "none"


def _dns_stream(talk: Talk) -> Iterator[Found]:
    from wigmore.formats.capture import dns

    for stream in (talk.client, talk.server):
        at = 0
        for _ in range(5000):
            length = int.from_bytes(stream.read(at, 2), "big")
            if not length:
                break
            told = dns.message(stream.read(at + 2, length))
            if told:
                yield talk.found("dns", stream, at + 2, {"protocol": "DNS", **told})
            at += 2 + length
