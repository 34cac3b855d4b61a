"""Networks: addresses of interfaces, known networks with first and last connection, routes, shares, mapped drives,
firewall.

Sources: Microsoft, "TCP/IP and NBT configuration parameters"; J. Metz, winreg-kb, "Network profiles". DHCP lease
times are POSIX seconds; network profile dates are SYSTEMTIME in local time.
"""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.windows.registry.families.identity import kept
from wigmore.artifacts.windows.registry.hive import Hive, Key
from wigmore.artifacts.windows.registry.semantics import USER, Finding, finding, reads_keys
from wigmore.artifacts.windows.registry.values import Decoded
from wigmore.artifacts.windows.structures import systemtime
from wigmore.model.times import posix


def listed(found: Decoded) -> list[str]:
    """Addresses of a list or of a text with separators, empty ones left out."""
    if isinstance(found, str):
        found = found.replace(",", " ").split()
    return [text for text in found if text and text != "0.0.0.0"] if isinstance(found, list) else []  # noqa: S104 - unset


@reads_keys(
    "windows.registry.network_interface",
    ("SYSTEM",),
    "ControlSet*\\Services\\Tcpip*\\Parameters\\Interfaces\\*",
    "ControlSet*\\Services\\Tcpip*\\Parameters\\Interfaces\\*\\*",
)
def interfaces(hive: Hive, key: Key) -> Iterator[Finding]:
    """Static and DHCP settings of an interface, with its connection's name and adapter."""
    if not key.values:
        return
    guid = key.name if key.name.startswith("{") else key.path.rsplit("\\", 2)[-2]
    hint = key.text("DhcpNetworkHint") or ""
    network = _swapped(hint)
    data: dict[str, object] = kept(
        interface=guid, connection=_connection(hive, key, guid), dhcp_enabled=bool(key.number("EnableDHCP")),
        ip_address=listed(key.get("IPAddress")), subnet_mask=listed(key.get("SubnetMask")),
        default_gateway=listed(key.get("DefaultGateway")), name_server=listed(key.get("NameServer")),
        dhcp_ip_address=key.text("DhcpIPAddress"), dhcp_subnet_mask=key.text("DhcpSubnetMask"),
        dhcp_server=key.text("DhcpServer"), dhcp_name_server=listed(key.get("DhcpNameServer")),
        dhcp_default_gateway=listed(key.get("DhcpDefaultGateway")), dhcp_domain=key.text("DhcpDomain"),
        domain=key.text("Domain"), lease_seconds=key.number("Lease"), dhcp_network_hint=hint, network_name=network,
        gateway_hardware=key.raw("DhcpGatewayHardware")[8:14].hex(":") if key.raw("DhcpGatewayHardware") else None,
    )  # fmt: skip
    times = {
        "lease_obtained": posix(key.number("LeaseObtainedTime") or 0),
        "lease_renewal": posix(key.number("T1") or 0),
        "lease_ends": posix(key.number("LeaseTerminatesTime") or 0),
    }
    if times["lease_ends"] and times["lease_ends"]["instant"] > 4_000_000_000_000_000:
        times["lease_ends"] = None  # 0x7FFFFFFF and above: no end
    if len(data) > 2:
        yield finding(key, data, times, "lease_obtained" if times["lease_obtained"] else "key_last_written")


def _swapped(hint: str) -> str:
    """A Wi-Fi name stored as hexadecimal digits with each byte's two digits swapped, "" where it is none."""
    try:
        return bytes.fromhex("".join(b + a for a, b in zip(hint[::2], hint[1::2], strict=False))).decode("utf-8")
    except ValueError:
        return ""


def _connection(hive: Hive, key: Key, guid: str) -> str | None:
    root = hive.root
    name = key.path[len(root.path) + 1 :].split("\\", 1)[0] if root is not None else ""
    at = f"{name}\\Control\\Network\\{{4D36E972-E325-11CE-BFC1-08002BE10318}}\\{guid}\\Connection"
    found = root.sub(at) if root is not None else None
    return found.text("Name") if found is not None else None


@reads_keys("windows.registry.route", ("SYSTEM",), "ControlSet*\\Services\\Tcpip*\\Parameters\\PersistentRoutes")
def routes(hive: Hive, key: Key) -> Iterator[Finding]:
    """Persistent routes (destination, mask, gateway, metric), all of a control set in one record."""
    found = [value.name for value in key.values.values()]
    if found:
        yield finding(key, {"routes": found})


@reads_keys("windows.registry.share", ("SYSTEM",), "ControlSet*\\Services\\Lanman*erver\\Shares")
def shares(hive: Hive, key: Key) -> Iterator[Finding]:
    """Folders and printers offered to the network."""
    for value in key.values.values():
        parts = key.get(value.name)
        if isinstance(parts, list):
            fields = dict(part.split("=", 1) for part in parts if "=" in part)
            yield finding(key, {"share": value.name, "path": fields.get("Path"), "settings": parts}, value=value.name)


@reads_keys(
    "windows.registry.firewall_rule",
    ("SYSTEM",),
    "ControlSet*\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\FirewallRules",
)
def firewall(hive: Hive, key: Key) -> Iterator[Finding]:
    """Firewall rules, split into their fields (MS-FASP 2.2.37)."""
    for value in key.values.values():
        text = key.text(value.name)
        if text and "|" in text:
            parts = [part.split("=", 1) for part in text.split("|") if "=" in part]
            yield finding(key, {"rule": value.name, **{part[0]: part[1] for part in parts}}, value=value.name)


@reads_keys(
    "windows.registry.firewall_rule",
    ("SYSTEM",),
    "ControlSet*\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\*Profile",
    "ControlSet*\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\*Profile\\*\\List",
)
def firewall_profiles(hive: Hive, key: Key) -> Iterator[Finding]:
    """Whether a profile's firewall is on; programs and ports let through (XP layout)."""
    if key.name.upper() != "LIST":
        data = kept(
            profile=key.name, enabled=key.number("EnableFirewall"), exceptions_off=key.number("DoNotAllowExceptions")
        )
        if len(data) > 1:
            yield finding(key, data, value="EnableFirewall")
        return
    for value in key.values.values():
        yield finding(key, {"rule": value.name, "setting": key.text(value.name)}, value=value.name)


CATEGORY = {0: "public", 1: "private", 2: "domain"}
NAME_TYPES = {6: "wired", 23: "VPN", 53: "mobile or virtual", 71: "wireless", 243: "mobile broadband"}
LIST = "Microsoft\\Windows NT\\CurrentVersion\\NetworkList"


@reads_keys("windows.registry.network_profile", ("SOFTWARE",), f"{LIST}\\Profiles\\*")
def network_profiles(hive: Hive, key: Key) -> Iterator[Finding]:
    """Networks this machine was connected to: name, kind, gateway's hardware address, first and last connection."""
    category, kind = key.number("Category"), key.number("NameType")
    data = kept(
        profile=key.name, network_name=key.text("ProfileName"), description=key.text("Description"),
        category=CATEGORY.get(category, str(category)) if category is not None else None,
        network_kind=NAME_TYPES.get(kind, str(kind)) if kind is not None else None, managed=bool(key.number("Managed")),
    )  # fmt: skip
    root = hive.root
    for group in ("Managed", "Unmanaged"):
        signatures = root.sub(f"{LIST}\\Signatures\\{group}") if root is not None else None
        for signature in signatures.children() if signatures is not None else ():
            if (signature.text("ProfileGuid") or "").upper() == key.name.upper():
                data |= kept(
                    gateway_mac=signature.raw("DefaultGatewayMac").hex(":"), dns_suffix=signature.text("DnsSuffix"),
                    first_network=signature.text("FirstNetwork"), signature=signature.name,
                )  # fmt: skip
    local = "SYSTEMTIME in local time, no zone stored"
    times = {
        "first_connected": systemtime(key.raw("DateCreated"), local),
        "last_connected": systemtime(key.raw("DateLastConnected"), local),
    }
    yield finding(key, data, times, "last_connected" if times["last_connected"] else "key_last_written")


@reads_keys("windows.registry.network_drive", USER, "Network\\*")
def network_drives(hive: Hive, key: Key) -> Iterator[Finding]:
    """Network folders that the user mapped to a drive letter permanently."""
    remote = key.text("RemotePath")
    if remote is None:
        return
    data = kept(
        drive=f"{key.name.upper()}:", remote_path=remote, user_name=key.text("UserName"),
        provider=key.text("ProviderName"),
        mapping=f"{remote} as {key.name.upper()}:",
    )  # fmt: skip
    yield finding(key, data)
