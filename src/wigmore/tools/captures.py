"""Network captures: conversations, names asked for, requests, credentials, carried files."""

from __future__ import annotations

from collections.abc import Callable

from wigmore.registry import tool
from wigmore.tools.context import ToolContext, ToolOutput
from wigmore.tools.lookup import CannotLook, Kind, Row, answer, period, texts

CONVERSATIONS = Kind(("network.conversation",))
HOSTS = Kind(("network.host", "network.dhcp", "network.arp"))
EVENTS = Kind(
    tuple(
        f"network.{kind}"
        for kind in (
            "dns http tls certificate smb rpc kerberos ldap command mail banner ssh rdp icmp ntp snmp sip service radius syslog "
            "bittorrent wireless dhcp arp"
        ).split()
    )
)
CREDENTIALS = Kind(("network.credential",))
FILES = Kind(("network.file",))
ENDS = (
    "client_address",
    "server_address",
    "source_address",
    "target_address",
    "sender_address",
    "address",
    "assigned_ip",
)


def _at(address: str) -> Callable[[Row], bool] | None:
    wanted = address.strip().lower()
    if not wanted:
        return None
    named = ("host", "resolved_name", "server_name", "service")
    return lambda row: (
        any(str(row["data"].get(f, "")).lower() == wanted for f in ENDS)
        or any(wanted in str(row["data"].get(f, "")).lower() for f in named)
    )


def _protocol(row: Row, protocol: str) -> bool:
    wanted = protocol.lower()
    told = (row["data"].get("protocol"), row["data"].get("service"), row["artifact"].removeprefix("network."))
    return any(wanted == str(t).lower() for t in told)


def _listed(
    context: ToolContext,
    kind: Kind,
    what: str,
    address: str,
    protocol: str,
    text: str,
    after: str,
    before: str,
    limit: int,
) -> ToolOutput:
    try:
        where, parameters = period(after, before)
    except CannotLook as error:
        return ToolOutput.failed(str(error))
    at = _at(address)

    def keep(row: Row) -> bool:
        return (at is None or at(row)) and (not protocol or _protocol(row, protocol))

    test = keep if at is not None or protocol else None
    return answer(context, [kind], what, where=where, parameters=parameters, keep=test, text=text, limit=limit)


@tool("list_conversations", domain="network")
def list_conversations(
    context: ToolContext, address: str = "", protocol: str = "", after: str = "", before: str = "", limit: int = 500
) -> ToolOutput:
    """List conversations of network captures: endpoints, protocol, packets and bytes each way, begin, end, TCP outcome.

    `address` is an IP address of either side, or part of a host name; `protocol` a protocol or service as the records name it
    (HTTP, TLS, WhatsApp); `after` and `before` are ISO 8601, UTC. `protocol_told_by` port means that the number alone says so.
    A conversation shows that packets passed, not who sat there; other paths were not captured.
    """
    return _listed(context, CONVERSATIONS, "network capture", address, protocol, "", after, before, limit)


@tool("list_network_events", domain="network")
def list_network_events(
    context: ToolContext,
    address: str = "",
    protocol: str = "",
    text: str = "",
    after: str = "",
    before: str = "",
    limit: int = 500,
) -> ToolOutput:
    """List what application protocols say in network captures: DNS names, HTTP requests, TLS hellos, certificates, SMB.

    `protocol` is a protocol (DNS, HTTP, SMBv23) or a kind of record (dns, tls, certificate, command); `text` stands in the
    record (no case). A name asked for is no visit by a person; a request is no effect.
    """
    return _listed(context, EVENTS, "network capture", address, protocol, text, after, before, limit)


@tool("list_network_credentials", domain="network")
def list_network_credentials(
    context: ToolContext, address: str = "", protocol: str = "", user: str = "", limit: int = 500
) -> ToolOutput:
    """List log-ins seen in network captures: scheme, user, password or response as it passed, and the answer where seen.

    `clear_text` tells whether the secret could be read by whoever saw the traffic. A log-in is an account's, not a person's.
    """
    return _listed(context, CREDENTIALS, "network capture", address, protocol, user, "", "", limit)


@tool("list_carried_files", domain="network")
def list_carried_files(
    context: ToolContext, address: str = "", protocol: str = "", text: str = "", limit: int = 500
) -> ToolOutput:
    """List files that HTTP, FTP, mail or SMB carried in network captures: name, size, SHA-256, type, direction, endpoints.

    Their content lies in the capture's own listing (`capture.pcap/http/…`). `complete` false: parts were not captured. That a
    file was kept or started at its target is not shown.
    """
    return _listed(context, FILES, "network capture", address, protocol, text, "", "", limit)


@tool("list_network_hosts", domain="network")
def list_network_hosts(context: ToolContext, text: str = "", limit: int = 500) -> ToolOutput:
    """List hosts of network captures: addresses, hardware addresses, names said by DHCP and name services, traffic sent.

    `text` is part of an address or name (no case). Addresses change hands; hardware addresses can be set.
    """
    wanted = text.strip().lower()
    keep = (lambda row: any(wanted in leaf.lower() for leaf in texts(row["data"]))) if wanted else None
    return answer(context, [HOSTS], "network capture", keep=keep, limit=limit)
