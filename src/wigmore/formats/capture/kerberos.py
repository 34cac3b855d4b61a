"""Kerberos 5 messages: names, realms, services, encryption types, errors. Source: RFC 4120, 4757 (RC4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wigmore.formats.capture import ber
from wigmore.formats.capture.flows import Stream
from wigmore.formats.capture.found import Found, text
from wigmore.formats.capture.talk import Talk

KINDS = {10: "AS-REQ", 11: "AS-REP", 12: "TGS-REQ", 13: "TGS-REP", 14: "AP-REQ", 15: "AP-REP", 30: "KRB-ERROR"}
ENCRYPTION = {1: "DES-CBC-CRC", 3: "DES-CBC-MD5", 17: "AES128-CTS-HMAC-SHA1-96", 18: "AES256-CTS-HMAC-SHA1-96",
    19: "AES128-CTS-HMAC-SHA256-128",
              20: "AES256-CTS-HMAC-SHA384-192", 23: "RC4-HMAC", 24: "RC4-HMAC-EXP", -133: "RC4-HMAC-OLD", -128: "RC4-MD4",
              -135: "RC4-HMAC-OLD-EXP"}  # fmt: skip
ERRORS = {6: "client not found", 7: "service not found", 14: "no such encryption type", 18: "client revoked",
    23: "password expired",
          24: "pre-authentication failed", 25: "pre-authentication required", 31: "integrity check failed",
          32: "ticket expired", 37: "clock skew",
          41: "message modified", 52: "answer too big for UDP", 60: "generic error", 68: "wrong realm", 12: "policy"}  # fmt: skip
PRE = {2: "encrypted timestamp", 11: "encryption info", 16: "PKINIT", 19: "encryption info 2", 128: "PAC request",
    129: "S4U user", 138: "encrypted challenge", 1: "TGS request", 167: "PAC options"}  # fmt: skip


def _name(raw: bytes) -> str:
    parts = ber.fields(raw)
    found = [text(c, 300) for _, c in ber.values(ber.inner(parts.get(1, b"")))]
    return "/".join(found[:20])


def _number(raw: bytes) -> int | None:
    content = ber.inner(raw)
    return ber.number(content) if content else None


def _encryption(raw: bytes) -> str:
    kind = _number(ber.fields(raw).get(0, b""))
    return "" if kind is None else ENCRYPTION.get(kind, str(kind))


def message(raw: bytes) -> dict[str, Any]:
    """The fields of one message; nothing where it is none."""
    try:
        tag, content, _ = ber.value(raw)
    except IndexError:
        if len(raw) < 20 or raw[0] & 0xE0 != 0x60:
            return {}
        tag, content = raw[0], _loose(raw)
    kind = KINDS.get(tag & 0x1F) if tag & 0xE0 == 0x60 else None
    if kind is None:
        return {}
    told = ber.fields(content)
    out: dict[str, Any] = {"message": kind}
    if kind in ("AS-REQ", "TGS-REQ"):
        body = ber.fields(told.get(4, b""))
        out |= {
            "client_name": _name(body.get(1, b"")),
            "realm": text(ber.inner(body.get(2, b""))),
            "service_name": _name(body.get(3, b"")),
        }
        kinds = [ber.number(c) for _, c in ber.values(ber.inner(body.get(8, b"")))]
        out["encryption_types"] = [ENCRYPTION.get(k, str(k)) for k in kinds][:20]
        pre = [_number(ber.fields(c).get(1, b"")) for _, c in ber.values(ber.inner(told.get(3, b"")))]
        out["pre_authentication"] = [PRE.get(p or 0, str(p)) for p in pre][:20]
        addresses = [ber.inner(ber.fields(c).get(1, b"")) for _, c in ber.values(ber.inner(body.get(9, b"")))]
        out["client_host"] = ", ".join(text(a, 60).strip() for a in addresses[:5])
        if kind == "AS-REQ":
            out["pre_authenticated"] = any(p in (2, 16, 138) for p in pre)
    elif kind in ("AS-REP", "TGS-REP"):
        ticket = ber.fields(ber.inner(told.get(5, b"")))
        out |= {"realm": text(ber.inner(told.get(3, b""))), "client_name": _name(told.get(4, b"")),
        "service_name": _name(ticket.get(2, b"")),
                "ticket_encryption": _encryption(ticket.get(3, b"")), "answer_encryption": _encryption(told.get(6,
                b""))}  # fmt: skip
    elif kind == "KRB-ERROR":
        code = _number(told.get(6, b"")) or 0
        out |= {"error_code": code, "error": ERRORS.get(code, str(code)), "realm": text(ber.inner(told.get(9, b""))),
                "client_name": _name(told.get(8, b"")), "service_name": _name(told.get(10, b"")),
                "server_time": text(ber.inner(told.get(4, b"")))}  # fmt: skip
    elif kind == "AP-REQ":
        ticket = ber.fields(ber.inner(told.get(3, b"")))
        out |= {
            "realm": text(ber.inner(ticket.get(1, b""))),
            "service_name": _name(ticket.get(2, b"")),
            "ticket_encryption": _encryption(ticket.get(3, b"")),
        }
    return {k: v for k, v in out.items() if v not in ("", None, [])}


def _loose(raw: bytes) -> bytes:
    """The content of a message that the capture cut off: its members as far as they go."""
    width = raw[1] & 0x7F if raw[1] & 0x80 else 0
    inside = raw[2 + width :]
    width = inside[1] & 0x7F if len(inside) > 1 and inside[1] & 0x80 else 0
    return inside[2 + width :]


def messages(talk: Talk) -> Iterator[Found]:
    """The Kerberos messages of a TCP conversation."""
    for stream, sender in ((talk.client, "client"), (talk.server, "server")):
        yield from _side(talk, stream, sender)


def _side(talk: Talk, stream: Stream, sender: str) -> Iterator[Found]:
    at = 0
    for _ in range(10_000):
        head = stream.read(at, 4)
        length = int.from_bytes(head, "big")
        if len(head) < 4 or not 0 < length < 1 << 20:
            return
        told = message(stream.read(at + 4, length))
        if told:
            yield talk.found("kerberos", stream, at + 4, {"protocol": "Kerberos", "sent_by": sender, **told})
        at += 4 + length
