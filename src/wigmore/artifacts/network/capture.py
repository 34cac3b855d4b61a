"""Network captures: the whole, its conversations, and what application protocols say in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wigmore.formats.capture.analysis import Analysis
from wigmore.formats.capture.containers import known
from wigmore.formats.capture.found import Found
from wigmore.model.protocols import EvidenceFile, Gap, Locator, Record, Yield
from wigmore.model.times import Time, iso, posix
from wigmore.registry import Claim, parser

KINDS = (
    "capture", "protocol", "host", "conversation", "dns", "http", "tls", "certificate", "smb", "rpc", "kerberos", "ldap",
    "command",
    "credential", "mail", "file", "banner", "ssh", "rdp", "dhcp", "arp", "icmp", "ntp", "snmp", "sip", "service", "radius",
    "syslog",
    "bittorrent", "wireless",
)  # fmt: skip
STATED = ("valid_from", "valid_to")


def _look(head: bytes, path: str, size: int) -> bool:
    return known(head)


def _moment(nanoseconds: int | None, digits: int) -> Time | None:
    if not nanoseconds:
        return None
    unit = "ns" if digits > 6 else "us"
    value = nanoseconds if digits > 6 else nanoseconds // 1000
    return posix(value, owner="collector", unit=unit, source="capture times are POSIX times of the capturing machine")


def _record(found: Found, digits: int) -> Record:
    data: dict[str, Any] = dict(found.data)
    times: dict[str, Time] = {}
    name = "first_packet_at" if found.kind in ("conversation", "host", "capture") else "seen_at"
    if (first := _moment(found.time, digits)) is not None:
        times[name] = first
    if (last := _moment(data.pop("last_time", None), digits)) is not None:
        times["last_packet_at"] = last
    for stated in STATED:
        if found.kind == "certificate" and (time := iso(str(data.get(stated, "")), owner="author")):
            times[stated] = time
    if found.kind == "ntp" and (told := posix(data.pop("transmit_seconds", None) or 0, owner="server")):
        times["server_clock"] = told
    return Record(data, times, name if name in times else None, artifact=f"network.{found.kind}")


def _locator(found: Found, item: int) -> Locator:
    locator: Locator = {"kind": "packet", "number": found.number, "item": item}
    if found.offset >= 0 and found.offset < 1 << 62:
        locator["offset"] = found.offset
    return locator


@parser(
    "network.capture",
    claims=Claim(look=_look),
    artifacts=tuple(f"network.{kind}" for kind in KINDS),
    limit_seconds=3600.0,
    reads="pcap (both byte orders, micro- and nanoseconds, modified headers), pcapng and snoop captures, recognised by "
    "content",
    means="bytes that passed the place of capture at the capturing machine's time: conversations between addresses, and what "
    "application protocols in clear say in them; `protocol_told_by` says whether content or a port number tells a protocol",
    does_not_mean="that traffic on other paths was none; who sat at an address; that a request had an effect, or a password "
    "was right unless the answer is seen; what encrypted content is; that a name asked for was visited by a person; that a "
    "capture without an event is complete (snap length, losses, one direction only)",
    refs=(
        "draft-ietf-opsawg-pcap",
        "draft-ietf-opsawg-pcapng",
        "RFC 1761 (snoop)",
        "tcpdump.org link-layer header types",
        "RFC 791, 8200, 9293, 768; application protocols: see the modules of wigmore.formats.capture",
    ),
)
def capture(file: EvidenceFile) -> Iterator[Yield]:
    """What the packets say, then hosts, protocol hierarchy and the capture as a whole."""
    analysis = Analysis(file)
    items: dict[str, int] = {}

    def give(found: Found) -> tuple[Locator, Record]:
        items[found.kind] = items.get(found.kind, 0) + 1
        return _locator(found, items[found.kind]), _record(found, analysis.about.digits)

    for found in analysis.observations():
        yield found if isinstance(found, Gap) else give(found)
    for host in analysis.seen_hosts():
        yield give(host)
    for number, entry in enumerate(analysis.hierarchy(), 1):
        yield {"kind": "protocol", "number": number}, Record(entry, artifact="network.protocol")
    data = {k: v for k, v in analysis.summary().items() if v not in (None, "", [], {})}
    whole = _record(
        Found("capture", 0, analysis.first or 0, 0, data | {"last_time": analysis.last}), analysis.about.digits
    )
    yield {"kind": "offset", "offset": 0}, whole
