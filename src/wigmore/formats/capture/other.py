"""Further protocols: SSH, RDP, SIP, LDAP, BitTorrent, databases, SOCKS, VNC, mining, greetings of servers.

Sources: RFC 4253 (SSH), github.com/salesforce/hassh (shape of the text), MS-RDPBCGR 2.2.1.1, RFC 3261 (SIP), 4511 (LDAP),
1928 (SOCKS); bittorrent.org BEP 3; dev.mysql.com client/server protocol; postgresql.org protocol 3.0; MS-TDS 2.2.6.4.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from wigmore.formats.capture import ber
from wigmore.formats.capture.found import Found, text
from wigmore.formats.capture.talk import Talk


def _name_list(raw: bytes, at: int) -> tuple[str, int]:
    length = int.from_bytes(raw[at : at + 4], "big")
    return text(raw[at + 4 : at + 4 + length], 4000), at + 4 + length


def _exchange(stream: Any) -> dict[str, str]:
    """The algorithms a side offers (SSH_MSG_KEXINIT), after its version line."""
    line, at = stream.line(0, 512)
    for _ in range(20):
        if line.startswith(b"SSH-"):
            break
        line, at = stream.line(at, 512)
    head = stream.read(at, 6)
    if len(head) < 6 or head[5] != 20:
        return {}
    raw = stream.read(at + 22, min(int.from_bytes(head[:4], "big"), 35000))
    names, place = [], 0
    for _ in range(10):
        value, place = _name_list(raw, place)
        names.append(value)
    return dict(
        zip(
            ("kex", "host_key", "cipher_up", "cipher_down", "mac_up", "mac_down", "compression_up", "compression_down"),
            names,
            strict=False,
        )
    )


def ssh(talk: Talk) -> Iterator[Found]:
    """Versions and fingerprints of both sides; how much went each way tells sessions from refused ones."""
    client, server = (text(s.line(0, 512)[0], 255) for s in (talk.client, talk.server))
    data: dict[str, Any] = {"protocol": "SSH", "client_version": client if client.startswith("SSH-") else "",
                            "server_version": server if server.startswith("SSH-") else ""}  # fmt: skip
    for name, stream, keys in (("hassh", talk.client, ("kex", "cipher_up", "mac_up", "compression_up")),
                               ("hassh_server", talk.server, ("kex", "cipher_down", "mac_down",
                               "compression_down"))):  # fmt: skip
        told = _exchange(stream)
        if told:
            shape = ";".join(told.get(k, "") for k in keys)
            data[name] = hashlib.md5(shape.encode(), usedforsecurity=False).hexdigest()
            data[f"{name}_text"] = shape
            if name == "hassh_server":
                data["host_key_types"] = told.get("host_key")
    data |= {"bytes_up": talk.client.size, "bytes_down": talk.server.size}
    talk.host = str(data["server_version"] or "")
    talk.facts |= {"client_version": data["client_version"], "server_version": data["server_version"]}
    yield talk.found("ssh", talk.client if talk.client.size else talk.server, 0, data)


def rdp(talk: Talk) -> Iterator[Found]:
    """The connection request: cookie, security asked for and chosen."""
    raw, answer = talk.client.read(0, 2048), talk.server.read(0, 64)
    names = {0: "RDP", 1: "TLS", 2: "CredSSP", 3: "CredSSP", 8: "CredSSP extended", 11: "CredSSP extended"}
    data: dict[str, Any] = {"protocol": "RDP"}
    cookie = re.search(rb"Cookie: mstshash=([^\r\n]{1,200})", raw)
    if cookie:
        data["user"] = text(cookie[1])
    length = int.from_bytes(raw[2:4], "big")
    if length >= 19 and raw[length - 8 : length - 7] == b"\1":
        data["security_asked"] = int.from_bytes(raw[length - 4 : length], "little")
    if len(answer) >= 19 and answer[11] == 2:
        data["security"] = names.get(int.from_bytes(answer[15:19], "little"), "?")
    elif len(answer) >= 19 and answer[11] == 3:
        data["refused_code"] = int.from_bytes(answer[15:19], "little")
    name = re.search(rb"\x01\xc0.{22}((?:[\x20-\x7e]\0){1,15})\0\0", raw, re.S)
    if name:
        data["client_host"] = name[1].decode("utf-16-le")
    if length and talk.client.find(b"\x16\x03", length, 64) > 0:
        data["tls"] = True
    yield talk.found("rdp", talk.client, 0, data | {"bytes_up": talk.client.size, "bytes_down": talk.server.size})


def sip(raw: bytes) -> dict[str, Any]:
    """The fields of a SIP message."""
    lines = text(raw, 8000).replace("\r\n", "\n").split("\n")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        if not line:
            break
        name, _, value = line.partition(":")
        headers.setdefault(
            {"f": "from", "t": "to", "i": "call-id", "m": "contact"}.get(name.strip().lower(), name.strip().lower()),
            value.strip(),
        )
    first = lines[0].split(" ", 2)
    answer = first[0].startswith("SIP/")
    out: dict[str, Any] = {
        "message": "response" if answer else "request",
        "method": "" if answer else first[0],
        "target": "" if answer or len(first) < 2 else first[1],
    }
    if answer and len(first) > 1:
        out |= {"status": int(first[1]) if first[1].isdigit() else None, "reason": first[2] if len(first) > 2 else ""}
    for name in ("from", "to", "call-id", "user-agent", "contact", "cseq", "server"):
        out[name.replace("-", "_")] = headers.get(name)
    login = headers.get("authorization") or headers.get("proxy-authorization") or ""
    found = dict(re.findall(r'(\w+)="?([^",]*)', login))
    if found.get("username"):
        out |= {
            "user": found["username"],
            "digest_realm": found.get("realm"),
            "digest_response": found.get("response"),
            "digest_nonce": found.get("nonce"),
        }
    return {k: v for k, v in out.items() if v not in (None, "")}


LDAP = {0x60: "bind request", 0x61: "bind response", 0x42: "unbind", 0x63: "search request", 0x64: "search entry",
    0x65: "search done", 0x73: "search reference",
        0x66: "modify request", 0x67: "modify response", 0x68: "add request", 0x4A: "delete request",
        0x6C: "modify name request", 0x6E: "compare request", 0x77: "extended request", 0x78: "extended response"}  # fmt: skip


def _filter(raw: bytes, depth: int = 0) -> str:
    if depth > 12:
        return "…"
    out = []
    for tag, content in ber.values(raw):
        if tag in (0xA0, 0xA1, 0xA2):
            out.append("(" + {0xA0: "&", 0xA1: "|", 0xA2: "!"}[tag] + _filter(content, depth + 1) + ")")
        elif tag == 0x87:
            out.append(f"({text(content)}=*)")
        elif tag in (0xA3, 0xA5, 0xA6, 0xA8):
            pair = [text(c, 300) for _, c in ber.values(content)]
            if len(pair) == 2:
                out.append(f"({pair[0]}{ {0xA3: '=', 0xA5: '>=', 0xA6: '<=', 0xA8: '~='}[tag] }{pair[1]})")
        elif tag == 0xA4:
            parts = list(ber.values(content))
            inner = "*".join(text(c, 300) for _, c in ber.values(parts[1][1])) if len(parts) > 1 else ""
            out.append(f"({text(parts[0][1]) if parts else ''}=*{inner}*)")
        elif tag == 0xA9:
            pieces = {t: text(c, 300) for t, c in ber.values(content)}
            out.append(f"({pieces.get(0x82, '')}:{pieces.get(0x81, '')}:={pieces.get(0x83, '')})")
    return "".join(out)


def ldap_message(raw: bytes) -> tuple[dict[str, Any], int]:
    """The fields of the LDAP message at the begin of some bytes, and how long it is; ({}, 0) where it is none."""
    try:
        tag, content, end = ber.value(raw)
    except IndexError:
        return {}, 0
    parts = list(ber.values(content))
    if tag != 0x30 or len(parts) < 2 or parts[0][0] != 2:
        return {}, 0
    kind = parts[1][0]
    inside = list(ber.values(parts[1][1]))
    out: dict[str, Any] = {"operation": LDAP.get(kind, hex(kind)), "message_id": ber.number(parts[0][1])}
    if kind == 0x60 and len(inside) >= 3:
        out["name"] = text(inside[1][1], 500)
        if inside[2][0] == 0x80:
            out |= {"method": "simple", "password": text(inside[2][1], 500)}
        else:
            from wigmore.formats.capture import ntlm

            out |= {"method": "SASL", **ntlm.read(inside[2][1])}
    elif kind in (0x61, 0x65, 0x67) and len(inside) >= 3:
        out |= {"result_code": ber.number(inside[0][1]), "message": text(inside[2][1], 500)}
    elif kind == 0x63 and len(inside) >= 8:
        out |= {"base": text(inside[0][1], 500), "scope": {0: "base", 1: "one level",
        2: "subtree"}.get(ber.number(inside[1][1]), ""),
                "filter": _filter(bytes((inside[6][0],)) + _length(inside[6][1]) + inside[6][1])[:3000],
                "attributes": [text(c, 100) for _, c in ber.values(inside[7][1])][:60]}  # fmt: skip
    elif kind in (0x64, 0x66, 0x68, 0x6C) and inside:
        out["name"] = text(inside[0][1], 500)
        if kind == 0x64 and len(inside) > 1:
            told = {}
            for _, one in list(ber.values(inside[1][1]))[:60]:
                pair = list(ber.values(one))
                if len(pair) == 2:
                    told[text(pair[0][1], 100)] = [text(c, 300) for _, c in list(ber.values(pair[1][1]))[:10]]
            out["values"] = told
    elif kind == 0x4A:
        out["name"] = text(parts[1][1], 500)
    return {k: v for k, v in out.items() if v not in ("", [], None)}, end


def _length(content: bytes) -> bytes:
    size = len(content)
    return bytes((size,)) if size < 128 else b"\x84" + size.to_bytes(4, "big")


def ldap(talk: Talk) -> Iterator[Found]:
    """Binds, searches and changes of an LDAP connection, with the passwords of simple binds."""
    for stream, sender in ((talk.client, "client"), (talk.server, "server")):
        at = 0
        for _ in range(5000):
            told, length = ldap_message(stream.read(at, 65536))
            if not length:
                break
            yield talk.found("ldap", stream, at, {"protocol": "LDAP", "sent_by": sender, **told})
            if told.get("method") == "simple" and told.get("password"):
                yield talk.found(
                    "credential",
                    stream,
                    at,
                    {
                        "protocol": "LDAP",
                        "scheme": "simple bind",
                        "user": told.get("name"),
                        "password": told["password"],
                        "clear_text": True,
                    },
                )
            elif told.get("ntlm_message") == "authenticate":
                yield talk.found(
                    "credential",
                    stream,
                    at,
                    {
                        "protocol": "LDAP",
                        "scheme": "NTLM",
                        "user": told.get("user"),
                        "domain": told.get("domain"),
                        "clear_text": False,
                    },
                )
            at += length


def bittorrent(talk: Talk) -> Iterator[Found]:
    """The handshakes of a BitTorrent connection."""
    for stream, side in ((talk.client, "client"), (talk.server, "server")):
        raw = stream.read(0, 68)
        if raw[:20] == b"\x13BitTorrent protocol" and len(raw) >= 68:
            yield talk.found(
                "bittorrent",
                stream,
                0,
                {"protocol": "BitTorrent", "sent_by": side, "info_hash": raw[28:48].hex(), "peer_id": text(raw[48:68])},
            )


def database(talk: Talk) -> Iterator[Found]:
    """The greeting, user and first statements of MySQL, PostgreSQL and SQL Server connections."""
    client, server = talk.client.read(0, 8192), talk.server.read(0, 512)
    if talk.protocol == "MySQL":
        version = text(server[5:].split(b"\0")[0], 100)
        yield talk.found("banner", talk.server, 0, {"protocol": "MySQL", "banner": version})
        talk.facts["banner"] = version
        if len(client) > 36:
            user = text(client[36:].split(b"\0")[0], 200)
            yield talk.found("credential", talk.client, 0, {"protocol": "MySQL", "scheme": "MySQL login", "user": user,
            "clear_text": False,
                                                            "result": "refused" if b"Access denied" in talk.server.read(0,
                                                            4096) else ""})  # fmt: skip
        at = 4 + int.from_bytes(client[:3], "little")
        for _ in range(2000):
            head = talk.client.read(at, 5)
            if len(head) < 5:
                return
            length = int.from_bytes(head[:3], "little")
            if head[3] == 0 and head[4] == 3:
                yield talk.found(
                    "command",
                    talk.client,
                    at,
                    {
                        "protocol": "MySQL",
                        "command": "query",
                        "argument": text(talk.client.read(at + 5, min(length - 1, 4000)), 4000),
                    },
                )
            at += 4 + length
    elif talk.protocol == "PostgreSQL":
        parts = [text(p) for p in client[8:].split(b"\0")]
        told = dict(zip(parts[::2], parts[1::2], strict=False))
        if told.get("user"):
            yield talk.found(
                "credential",
                talk.client,
                0,
                {
                    "protocol": "PostgreSQL",
                    "scheme": "startup",
                    "user": told["user"],
                    "database": told.get("database"),
                    "clear_text": False,
                },
            )
    elif talk.protocol == "MsSQL-TDS":
        for found in re.finditer(rb"\x01\x01\x00.((?:[\x09\x0a\x0d\x20-\x7e]\0){6,})", client, re.S):
            yield talk.found(
                "command",
                talk.client,
                found.start(),
                {"protocol": "SQL Server", "command": "batch", "argument": found[1].decode("utf-16-le")[:4000]},
            )
    elif talk.protocol == "Redis":
        for found in re.finditer(rb"\*\d+\r\n((?:\$\d+\r\n[^\r]*\r\n){1,20})", talk.client.read(0, 65536)):
            words = [text(w, 500) for w in re.findall(rb"\$\d+\r\n([^\r]*)\r\n", found[1])]
            yield talk.found(
                "command",
                talk.client,
                found.start(),
                {"protocol": "Redis", "command": words[0].upper(), "argument": " ".join(words[1:])},
            )


def socks(talk: Talk) -> Iterator[Found]:
    """The target a SOCKS client asked for, and a name and password where they were given."""
    raw, at = talk.client.read(0, 1024), 0
    if raw[:1] == b"\5":
        at = 2 + raw[1]
        if raw[at : at + 1] == b"\1" and len(raw) > at + 3:
            width = raw[at + 1]
            user = text(raw[at + 2 : at + 2 + width])
            secret = (
                raw[at + 2 + width + 1 : at + 2 + width + 1 + raw[at + 2 + width]] if len(raw) > at + 2 + width else b""
            )
            yield talk.found(
                "credential",
                talk.client,
                at,
                {"protocol": "SOCKS", "scheme": "SOCKS 5", "user": user, "password": text(secret), "clear_text": True},
            )
            at += 3 + width + len(secret)
        kind = raw[at + 3 : at + 4]
        target = (
            text(raw[at + 5 : at + 5 + raw[at + 4]])
            if kind == b"\3" and len(raw) > at + 5
            else ".".join(map(str, raw[at + 4 : at + 8]))
        )
        talk.host = target
        yield talk.found("command", talk.client, at, {"protocol": "SOCKS", "command": "connect", "argument": target})


def mining(talk: Talk) -> Iterator[Found]:
    """The login of a mining client."""
    for found in re.finditer(rb'[^\r\n]{0,4000}"method"[^\r\n]{0,4000}', talk.client.read(0, 16384)):
        line = text(found[0], 4000)
        method = re.search(r'"method"\s*:\s*"([^"]+)"', line)
        if method and method[1] in ("login", "mining.authorize", "mining.subscribe", "eth_submitLogin"):
            named = re.search(r'"(?:login|user)"\s*:\s*"([^"]+)"', line) or re.search(
                r'"params"\s*:\s*\[\s*"([^"]+)"', line
            )
            yield talk.found(
                "command",
                talk.client,
                found.start(),
                {"protocol": "Mining", "command": method[1], "argument": named[1] if named else line[:500]},
            )


def greeting(talk: Talk) -> Iterator[Found]:
    """The first line a server sends, of a protocol without a dissector here, and the first text of the client."""
    server, client = talk.server.line(0, 512)[0][:300], talk.client.line(0, 512)[0][:1000]
    data: dict[str, Any] = {"protocol": talk.protocol}
    if len(server) >= 4 and all(32 <= b < 127 or b in b"\t\r" for b in server):
        data["banner"] = text(server, 300)
    if len(client) >= 2 and all(32 <= b < 127 or b in b"\t\r" for b in client):
        data["client_text"] = text(client, 1000)
    lines = [x for x in re.split(rb"[\r\n]+", talk.client.read(0, 4096)) if x]
    answers = talk.server.read(0, 4096)
    if data and len(lines) > 1 and all(32 <= b < 127 or b == 9 for b in b"".join(lines)):
        data["client_lines"] = [text(x, 500) for x in lines[:50]]
    shell = re.search(
        rb"(?i)(Microsoft Windows \[Version|uid=\d+\([a-z]|/bin/(ba)?sh|[A-Z]:\\[^\r\n>]{0,200}>|\$ $|# $)",
        answers + b"\n" + talk.client.read(0, 4096),
    )
    if shell and talk.protocol == "Unknown":
        data["shell_text"] = text(shell[0], 200)
    if len(data) > 1:
        yield talk.found("banner", talk.server if "banner" in data else talk.client, 0, data)
