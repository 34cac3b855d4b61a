"""Scenes of rules for network captures: what attacks look like on the line, and the everyday traffic nearest to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from scenes import Rows, Scene, row, scene

BEGIN = datetime(2026, 3, 2, 10, tzinfo=UTC)
ENDS = {"client_address": "192.0.2.10", "server_address": "198.51.100.20", "conversation": 7}
CLIENT, SERVER = ENDS["client_address"], ENDS["server_address"]
PROGRAM = {"type": "PE executable", "direction": "to the client", "sha256": "ab" * 32, "size": 4096, "protocol": "HTTP"}


def seen(count: int = 1, step: float = 1.0, dated: str = "seen_at", /, **values: Any) -> Rows:
    """Observations of a capture, `step` seconds apart; `{n}` in a text is its number, and a function is called with it."""

    def told(value: Any, n: int) -> Any:
        return value(n) if callable(value) else value.replace("{n}", str(n)) if isinstance(value, str) else value

    return [
        row(
            {**ENDS, **{k: told(v, n) for k, v in values.items()}},
            **{dated: (BEGIN + timedelta(seconds=n * step)).isoformat().replace("+00:00", "Z")},
        )
        for n in range(count)
    ]


def talk(count: int = 1, step: float = 1.0, /, **values: Any) -> Rows:
    """Conversations."""
    return seen(count, step, "first_packet_at", **{"transport": "tcp", "protocol_told_by": "content", **values})


def calls(hit: dict[str, Any], miss: dict[str, Any]) -> Scene:
    """A scene of remote procedure calls."""
    common = {"protocol": "DCE/RPC", "operation": "call", "count": 1}
    return scene("network.rpc", seen(**{**common, **hit}), seen(**{**common, **miss}))


def talks(hit: Rows, miss: Rows) -> Scene:
    """A scene of conversations."""
    return scene("network.conversation", hit, miss)


def one(kind: str, hit: dict[str, Any], miss: dict[str, Any]) -> Scene:
    """A scene of one observation and what is nearly that."""
    return scene(f"network.{kind}", seen(**hit), seen(**miss))


def ticket(message: str, service: str, encryption: str, client: str = "anna") -> dict[str, Any]:
    return {"message": message, "client_name": client, "service_name": service, "ticket_encryption": encryption}


def asked(pre_authenticated: bool, encryption: str) -> Rows:
    """A request for a first ticket, and its answer a moment later."""
    request = seen(message="AS-REQ", client_name="svc", realm="CORP", pre_authenticated=pre_authenticated)
    answer = seen(2, 1, message="AS-REP", client_name="svc", realm="CORP", answer_encryption=encryption)
    return [*request, answer[1]]


def irc(text: str) -> dict[str, Any]:
    return {"protocol": "IRC", "command": "PRIVMSG", "channel": "#room", "answer": text, "by": "boss!u@h"}


def names(protocol: str, count: int, /, **values: Any) -> Rows:
    """Questions or answers about names below one zone."""
    return seen(count, **{"protocol": protocol, "message": "response", "domain": "zone.example", **values})


ADMIN = {
    "command": "create",
    "answered_ok": True,
    "tree": "\\\\srv\\ADMIN$",
    "file": "a.exe",
    "disposition": "create",
    "user": "adm",
}
ECHO = {"type": "echo request", "source_address": CLIENT, "target_address": SERVER, "count": 6, "payload_bytes": 1200}
LEAF = {"chain_place": 0, "server_name": "host.example", "subject": "CN=host.example", "sha256": "cd" * 32}
FAILED = {"protocol": "FTP", "user": "anna", "password": "p{n}", "result": "refused", "clear_text": True}
FORM = {"protocol": "HTTP", "scheme": "HTTP form", "user": "anna", "clear_text": True}
PROBED = {"outcome": "refused", "payload_up": 0, "server_port": lambda n: 20 + n}

SCENES: dict[str, Scene] = {
    # remote control of Windows
    "capture.account_enumeration": scene(
        "network.rpc",
        [
            *seen(operation="call", interface="samr", function="SamrEnumerateUsersInDomain"),
            *seen(operation="call", interface="samr", function="SamrGetMembersInGroup"),
        ],
        seen(operation="call", interface="samr", function="SamrGetMembersInGroup"),
    ),
    "capture.admin_share": one("smb", ADMIN, {**ADMIN, "disposition": "open"}),
    "capture.dcsync": calls(
        {"interface": "drsuapi", "function": "DRSGetNCChanges"}, {"interface": "drsuapi", "function": "DRSCrackNames"}
    ),
    "capture.event_log_cleared": calls(
        {"interface": "even6", "function": "EvtRpcClearLog"},
        {"interface": "even6", "function": "EvtRpcRegisterLogQuery"},
    ),
    "capture.forced_authentication": calls(
        {"interface": "netdfs", "function": "NetrDfsAddStdRoot"}, {"interface": "netdfs", "function": "NetrDfsEnumEx"}
    ),
    "capture.print_driver": calls(
        {"interface": "spoolss", "function": "RpcAddPrinterDriverEx"},
        {"interface": "spoolss", "function": "RpcOpenPrinterEx"},
    ),
    "capture.registry_saved": calls(
        {"interface": "winreg", "function": "BaseRegSaveKeyEx"},
        {"interface": "winreg", "function": "BaseRegQueryValue"},
    ),
    "capture.remote_service": calls(
        {"interface": "svcctl", "function": "RCreateServiceW"},
        {"interface": "svcctl", "function": "RQueryServiceStatus"},
    ),
    "capture.remote_task": calls(
        {"interface": "ITaskSchedulerService", "function": "SchRpcRegisterTask"},
        {"interface": "ITaskSchedulerService", "function": "SchRpcEnumTasks"},
    ),
    "capture.remote_wmi": calls(
        {"interface": "IWbemServices", "function": "ExecMethod"},
        {"interface": "IObjectExporter", "function": "ServerAlive2"},
    ),
    "capture.session_enumeration": calls(
        {"interface": "srvsvc", "function": "NetrSessionEnum"}, {"interface": "srvsvc", "function": "NetrShareEnum"}
    ),
    "capture.zerologon": calls(
        {"interface": "netlogon", "function": "NetrServerAuthenticate3", "zero_credential": True},
        {"interface": "netlogon", "function": "NetrServerAuthenticate3", "count": 2},
    ),
    "capture.remote_desktop": one("rdp", {"user": "anna", "bytes_down": 9000}, {"user": "anna", "bytes_down": 0}),
    "capture.smb_exploit": one(
        "smb",
        {"command": "nt transaction", "exploit_sign": "oversized NT transaction as of MS17-010 (EternalBlue)"},
        {"command": "nt transaction", "total_data": 4096},
    ),
    "capture.remote_access": talks(
        talk(protocol="TLS", service="AnyDesk", host="relay-1.net.anydesk.com", payload_down=5000),
        talk(protocol="TLS", service="AnyDesk", host="www.anydesk.com", payload_down=5000),
    ),
    # Kerberos and names
    "capture.kerberoasting": one(
        "kerberos",
        ticket("TGS-REP", "MSSQLSvc/db.corp.example", "RC4-HMAC"),
        ticket("TGS-REP", "cifs/files.corp.example", "RC4-HMAC"),
    ),
    "capture.asrep_roasting": scene(
        "network.kerberos", asked(False, "RC4-HMAC"), asked(False, "AES256-CTS-HMAC-SHA1-96")
    ),
    "capture.kerberos_enumeration": scene(
        "network.kerberos",
        seen(10, message="KRB-ERROR", error="client not found", client_name="u{n}"),
        seen(9, message="KRB-ERROR", error="client not found", client_name="u{n}"),
    ),
    "capture.kerberos_spray": scene(
        "network.kerberos",
        seen(5, message="KRB-ERROR", error="pre-authentication failed", client_name="u{n}"),
        seen(9, message="KRB-ERROR", error="pre-authentication required", client_name="u{n}"),
    ),
    "capture.name_poisoning": scene(
        "network.dns",
        names("LLMNR", 3, name="host{n}", addresses=["192.0.2.66"], source_address="192.0.2.66"),
        names("LLMNR", 3, name="printer", addresses=["192.0.2.66"], source_address="192.0.2.66"),
    ),
    "capture.dns_tunnel": scene(
        "network.dns",
        names("DNS", 15, name="{n}a7f3.zone.example", longest_label=48, label_entropy=4.1),
        seen(15, protocol="DNS", domain="amazonaws.com", name="{n}.amazonaws.com", longest_label=48, label_entropy=4.1),
    ),
    "capture.dns_txt_channel": scene(
        "network.dns",
        names("DNS", 10, name="c{n}.zone.example", type="TXT"),
        names("DNS", 10, name="s{n}._domainkey.zone.example", type="TXT"),
    ),
    # the local network
    "capture.amplification": one(
        "ntp",
        {"mode": "private", "request_code": 42, "count": 300},
        {"mode": "private", "request_code": 0, "count": 300},
    ),
    "capture.arp_spoofing": one(
        "arp",
        {"operation": "reply", "sender_address": "192.0.2.1", "conflict": True, "claimed_by": ["02:01", "02:66"]},
        {"operation": "request", "sender_address": "192.0.2.1", "conflict": True, "claimed_by": ["02:01", "02:66"]},
    ),
    "capture.deauthentication": one(
        "wireless",
        {"sender_mac": "02:66", "message": "deauthentication", "count": 20},
        {"sender_mac": "02:66", "count": 19},
    ),
    "capture.dhcp_rogue": scene(
        "network.dhcp",
        seen(2, protocol="DHCP", message="offer", server_id="192.0.2.{n}"),
        seen(2, protocol="DHCP", message="offer", server_id="192.0.2.1"),
    ),
    "capture.icmp_tunnel": one(
        "icmp",
        {**ECHO, "payloads_unusual": 6, "payload_text": "ssh-tunnelled"},
        {**ECHO, "payloads_unusual": 0, "payload_largest": 1400},
    ),
    # scans, floods and guessing
    "capture.network_sweep": talks(
        talk(20, server_address="192.0.2.{n}", server_port=445, outcome="no answer"),
        talk(19, server_address="192.0.2.{n}", server_port=445, outcome="no answer"),
    ),
    "capture.port_scan": talks(talk(15, **PROBED), talk(30, **{**PROBED, "server_port": 443})),
    "capture.syn_flood": talks(
        talk(200, 0.1, server_port=80, outcome="half open (never acknowledged)"),
        talk(200, 1.0, server_port=80, outcome="half open (never acknowledged)"),
    ),
    "capture.datagram_flood": talks(
        talk(transport="udp", packets_up=5000, payload_down=0, duration_seconds=12),
        talk(transport="udp", packets_up=5000, payload_down=900_000, duration_seconds=12),
    ),
    "capture.http_flood": scene(
        "network.http", seen(500, 0.1, method="GET", path="/search"), seen(500, 0.1, method="GET", path="/img/{n}.png")
    ),
    "capture.login_failures": scene("network.credential", seen(5, **FAILED), seen(4, **FAILED)),
    "capture.http_login_guessing": scene(
        "network.credential", seen(10, password="p{n}", **FORM), seen(10, password="secret", **FORM)
    ),
    "capture.ssh_brute_force": talks(
        talk(10, protocol="SSH", payload_up=2100, server_port=22),
        talk(10, protocol="SSH", payload_up=250_000, server_port=22),
    ),
    # channels
    "capture.irc": talks(
        talk(protocol="IRC", server_port=6667), talk(protocol="IRC", server_port=6667, protocol_told_by="port")
    ),
    "capture.irc_commands": one("command", irc(".ddos udp 192.0.2.1"), irc("did you see the update?")),
    "capture.mining": talks(
        talk(protocol="Mining", server_port=3333), talk(protocol="Bitcoin", server_port=8333, protocol_told_by="port")
    ),
    "capture.tor": talks(
        talk(protocol="TLS", service="Tor", host="www.q4v2tnb7.com"),
        talk(protocol="TLS", service="Tor", host="www.torproject.org"),
    ),
    "capture.shell_in_clear": one(
        "banner",
        {"protocol": "Unknown", "shell_text": "Microsoft Windows [Version"},
        {"protocol": "Telnet", "banner": "Microsoft Windows [Version 10.0] login:"},
    ),
    "capture.clear_text_credentials": one(
        "credential",
        {"protocol": "POP3", "user": "anna", "password": "x", "clear_text": True},
        {"protocol": "HTTP", "scheme": "HTTP Digest", "user": "anna", "clear_text": False},
    ),
    "capture.certificate_expired": one(
        "certificate", {**LEAF, "expired": True}, {**LEAF, "chain_place": 1, "expired": True}
    ),
    "capture.certificate_self_signed": one(
        "certificate", {**LEAF, "self_signed": True}, {**LEAF, "chain_place": 2, "self_signed": True}
    ),
    # files
    "capture.executable_download": one("file", {**PROGRAM, "name": "a"}, {**PROGRAM, "direction": "to the server"}),
    "capture.program_as_other": one("file", {**PROGRAM, "name": "logo.png"}, {**PROGRAM, "name": "setup.exe"}),
    "capture.memory_dump": one("file", {"name": "lsass.dmp", "size": 9}, {"name": "lsass.txt", "size": 9}),
    "capture.jndi_class_load": one(
        "file",
        {"user_agent": "Java/1.8.0_181", "name": "Exploit.class", "type": "Java class"},
        {"user_agent": "Java/1.8.0_181", "name": "commons.jar", "type": "zip"},
    ),
    "capture.script_download": one(
        "file",
        {**PROGRAM, "user_agent": "curl/8.5", "status": 200, "name": "a.sh", "host": "h.example"},
        {**PROGRAM, "user_agent": "curl/8.5", "status": 200, "name": "a.sh", "host": "deb.debian.org"},
    ),
}
