"""TLS handshakes: client and server hello, fingerprints, certificates.

Sources: RFC 5246, 8446 (TLS), 6066 (server name), 7301 (ALPN), 9001 (QUIC transport parameters in the hello);
github.com/salesforce/ja3 for the shape of JA3 and JA3S texts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from wigmore.formats.capture.flows import Stream
from wigmore.formats.capture.found import Found, text
from wigmore.formats.capture.naming import made_up
from wigmore.formats.capture.talk import Talk

VERSIONS = {0x0002: "SSL 2.0", 0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3",
            0xFEFF: "DTLS 1.0", 0xFEFD: "DTLS 1.2", 0xFEFC: "DTLS 1.3"}  # fmt: skip
OBSOLETE = ("SSL 2.0", "SSL 3.0", "TLS 1.0", "TLS 1.1")
ALERTS = {0: "close notify", 10: "unexpected message", 20: "bad record MAC", 40: "handshake failure", 42: "bad certificate",
          45: "certificate expired", 46: "certificate unknown", 47: "illegal parameter", 48: "unknown CA", 70: "protocol version",
          71: "insufficient security", 80: "internal error", 112: "unrecognised name"}  # fmt: skip
MOST = 1 << 18  # bytes of handshake that are read of a side


def grease(value: int) -> bool:
    """Whether a value is one that clients send to keep servers tolerant (RFC 8701)."""
    return value & 0x0F0F == 0x0A0A and value >> 8 == value & 0xFF


class Reader:
    """Bytes taken one after the other; IndexError past the end."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    def take(self, length: int) -> bytes:
        """The next bytes."""
        if self.at + length > len(self.raw):
            raise IndexError("past the end")
        self.at += length
        return self.raw[self.at - length : self.at]

    def number(self, width: int) -> int:
        """The next big-endian number."""
        return int.from_bytes(self.take(width), "big")

    def counted(self, width: int) -> bytes:
        """The next bytes whose count stands in front of them."""
        return self.take(self.number(width))

    def left(self) -> int:
        """How many bytes are left."""
        return len(self.raw) - self.at


def _pairs(raw: bytes) -> list[int]:
    return [int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw) - 1, 2)]


def _extensions(reader: Reader) -> list[tuple[int, bytes]]:
    if reader.left() < 2:
        return []
    inside = Reader(reader.counted(2))
    out: list[tuple[int, bytes]] = []
    while inside.left() >= 4 and len(out) < 200:
        kind = inside.number(2)
        out.append((kind, inside.counted(2)))
    return out


def _protocols(raw: bytes) -> list[str]:
    reader = Reader(raw[2:])
    out: list[str] = []
    while reader.left() and len(out) < 50:
        out.append(text(reader.counted(1)))
    return out


def client_hello(raw: bytes, datagram: bool = False) -> dict[str, Any]:
    """The fields of a client hello's body, with its JA3 text and hash."""
    reader = Reader(raw)
    version = reader.number(2)
    reader.take(32)
    session = reader.counted(1)
    if datagram:
        reader.counted(1)
    ciphers = _pairs(reader.counted(2))
    reader.counted(1)
    extensions = _extensions(reader)
    out: dict[str, Any] = {"version": VERSIONS.get(version, f"{version:#06x}"), "ciphers_offered": len(ciphers)}
    groups: list[int] = []
    formats: list[int] = []
    for kind, data in extensions:
        if kind == 0 and len(data) > 5:
            out["server_name"] = text(data[5 : 5 + int.from_bytes(data[3:5], "big")]).lower()
        elif kind == 16 and len(data) > 2:
            out["alpn"] = _protocols(data)
        elif kind == 43 and data:
            offered = [v for v in _pairs(data[1:]) if not grease(v)]
            out["versions_offered"] = [VERSIONS.get(v, f"{v:#06x}") for v in offered][:20]
        elif kind == 10:
            groups = _pairs(data[2:])
        elif kind == 11:
            formats = list(data[1:])
        elif kind == 0xFE0D:
            out["encrypted_client_hello"] = True
    out["resumed_session"] = bool(session) or None
    order = [str(k) for k, _ in extensions if not grease(k)]
    fields = [
        str(version), "-".join(str(c) for c in ciphers if not grease(c)), "-".join(order),
        "-".join(str(g) for g in groups if not grease(g)), "-".join(map(str, formats)),
    ]  # fmt: skip
    out["ja3_text"] = ",".join(fields)
    out["ja3"] = _md5(out["ja3_text"])
    return out


def _md5(value: str) -> str:
    return hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()


def server_hello(raw: bytes) -> dict[str, Any]:
    """The fields of a server hello's body, with its JA3S text and hash."""
    reader = Reader(raw)
    version = reader.number(2)
    reader.take(32)
    reader.counted(1)
    cipher = reader.number(2)
    reader.take(1)
    extensions = _extensions(reader)
    chosen = version
    out: dict[str, Any] = {"cipher": f"{cipher:#06x}"}
    for kind, data in extensions:
        if kind == 43 and len(data) == 2:
            chosen = int.from_bytes(data, "big")
        elif kind == 16 and len(data) > 2:
            out["alpn_chosen"] = _protocols(data)[0] if _protocols(data) else ""
    out["version_chosen"] = VERSIONS.get(chosen, f"{chosen:#06x}")
    out["ja3s"] = _md5(f"{version},{cipher}," + "-".join(str(k) for k, _ in extensions if not grease(k)))
    return out


def certificate(raw: bytes) -> dict[str, Any]:
    """The fields of an X.509 certificate (DER); `unreadable` says why there are few."""
    out: dict[str, Any] = {
        "sha1": hashlib.sha1(raw, usedforsecurity=False).hexdigest(), "sha256": hashlib.sha256(raw).hexdigest(), "size": len(raw),
    }  # fmt: skip
    from cryptography import x509

    try:
        found = x509.load_der_x509_certificate(raw)
        out |= {
            "subject": found.subject.rfc4514_string(), "issuer": found.issuer.rfc4514_string(),
            "serial": f"{found.serial_number:x}", "self_signed": found.subject == found.issuer,
            "valid_from": found.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "valid_to": found.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "valid_days": (found.not_valid_after_utc - found.not_valid_before_utc).days,
        }  # fmt: skip
        name = found.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        out["common_name"] = str(name[0].value)[:300] if name else ""
        issuer = found.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        out["issuer_common_name"] = str(issuer[0].value)[:300] if issuer else ""
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        out["alternative_names"] = [str(n) for n in names.get_values_for_type(x509.DNSName)][:100]
    except x509.ExtensionNotFound:
        out["alternative_names"] = []
    except (
        ValueError,
        TypeError,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
        x509.InvalidVersion,
    ) as error:
        out["unreadable"] = str(error)[:200]
    return out


def _handshakes(stream: Stream) -> Iterator[tuple[int, int, bytes]]:
    """(kind, offset, body) of the handshake messages in clear; an alert as kind −1. Ends where encryption begins."""
    at, held, begin = 0, b"", 0
    while at + 5 <= stream.size and at < MOST:
        head = stream.read(at, 5)
        if head[0] not in (20, 21, 22, 23) or head[1] != 3:
            return
        length = int.from_bytes(head[3:5], "big")
        if head[0] == 21 and length == 2:
            yield -1, at, stream.read(at + 5, 2)
            return
        if head[0] != 22:
            if head[0] == 23:
                return
            at += 5 + length
            continue
        if not held:
            begin = at
        held += stream.read(at + 5, length)
        while len(held) >= 4:
            size = int.from_bytes(held[1:4], "big")
            if size > MOST:
                return  # encrypted already: no message is that long
            if len(held) < 4 + size:
                break
            yield held[0], begin, held[4 : 4 + size]
            held = held[4 + size :]
        at += 5 + length
    if held and held[0] in (1, 2):
        yield held[0], begin, held[4:]  # cut off: what there is


def handshake(talk: Talk) -> Iterator[Found]:
    """The hellos of a TLS connection as one observation, and each certificate the server sent."""
    data: dict[str, Any] = {"protocol": "TLS"}
    certificates: list[tuple[int, bytes]] = []
    try:
        for kind, _, raw in _handshakes(talk.client):
            if kind == 1 and "ja3" not in data:
                data |= client_hello(raw)
            elif kind == -1:
                data["client_alert"] = ALERTS.get(raw[1], str(raw[1]))
    except IndexError:
        data["incomplete"] = True
    try:
        for kind, at, raw in _handshakes(talk.server):
            if kind == 2:
                data |= server_hello(raw)
            elif kind == 11 and data.get("version_chosen") != "TLS 1.3":
                reader = Reader(raw[3:])
                while reader.left() > 3 and len(certificates) < 10:
                    certificates.append((at, reader.counted(3)))
            elif kind == -1:
                data["server_alert"] = ALERTS.get(raw[1], str(raw[1]))
    except IndexError:
        data["incomplete"] = True
    talk.host = str(data.get("server_name", ""))
    told = [certificate(raw) for _, raw in certificates]
    name = talk.host or (str(told[0].get("common_name", "")) if told else "")
    own = told[0] if told else {}
    if _tor(talk.host, own):
        data["tor_like"] = True
    if own:
        data |= {f"certificate_{k}": own.get(k) for k in ("subject", "issuer", "self_signed", "valid_to")}
    if data.get("version_chosen", data.get("version")) in OBSOLETE:
        data["obsolete_version"] = True
    if len(data) > 1:
        yield talk.found("tls", talk.client if talk.client.size else talk.server, 0, data)
    if data.get("tor_like"):
        talk.service = "Tor"
    for place, ((at, _), one) in enumerate(zip(certificates, told, strict=True)):
        _, seen, _ = talk.server.place(at)
        one["expired"] = bool(seen and one.get("valid_to") and _text(seen) > str(one["valid_to"])) or None
        if place == 0 and talk.host and one.get("common_name"):
            names = [str(one["common_name"]), *one.get("alternative_names", [])]
            one["name_differs"] = not any(_matches(talk.host, n.lower()) for n in names) or None
        yield talk.found(
            "certificate", talk.server, at, {"protocol": "TLS", "chain_place": place, "server_name": name, **one}
        )


def _tor(host: str, own: dict[str, Any]) -> bool:
    """Whether names are such as Tor's link handshake makes up: subject and issuer are a single name each, and no more."""
    if not own:
        return made_up(host)
    subject, issuer = (str(own.get(k, "")) for k in ("subject", "issuer"))
    alone = all(re.fullmatch(r"CN=www\.[a-z2-7]{8,20}\.(com|net)", name) for name in (subject, issuer))
    return alone and subject != issuer and not own.get("alternative_names")


def _text(time: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(time // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _matches(host: str, name: str) -> bool:
    return host == name or (name.startswith("*.") and host.partition(".")[2] == name[2:])
