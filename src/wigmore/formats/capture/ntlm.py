"""NTLMSSP messages, wherever a protocol carries them.

Source: MS-NLMP 2.2.1 (negotiate, challenge, authenticate), 2.2.2.1 (AV pairs).
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

MARK = b"NTLMSSP\0"
PAIRS = {1: "server_name", 2: "domain_name", 3: "dns_server", 4: "dns_domain", 5: "dns_forest"}


def _field(raw: bytes, at: int) -> bytes:
    length, offset = int.from_bytes(raw[at : at + 2], "little"), int.from_bytes(raw[at + 4 : at + 8], "little")
    return raw[offset : offset + length] if offset + length <= len(raw) else b""


def _text(raw: bytes, wide: bool) -> str:
    return raw.decode("utf-16-le" if wide else "latin-1", "replace")[:500].replace("\0", "")


def read(raw: bytes) -> dict[str, Any]:
    """The fields of the first NTLMSSP message in some bytes; nothing where there is none."""
    start = raw.find(MARK)
    if start < 0 or len(raw) < start + 32:
        return {}
    raw = raw[start : start + 65536]
    kind = int.from_bytes(raw[8:12], "little")
    if kind == 1:
        return {"ntlm_message": "negotiate"}
    if kind == 2:
        wide = bool(raw[20] & 1)
        out: dict[str, Any] = {
            "ntlm_message": "challenge", "target": _text(_field(raw, 12), wide), "server_challenge": raw[24:32].hex(),
        }  # fmt: skip
        told, at = _field(raw, 40) if len(raw) >= 48 else b"", 0
        while at + 4 <= len(told):
            code, length = int.from_bytes(told[at : at + 2], "little"), int.from_bytes(told[at + 2 : at + 4], "little")
            if code == 0:
                break
            if code in PAIRS:
                out[PAIRS[code]] = _text(told[at + 4 : at + 4 + length], True)
            at += 4 + length
        return out
    if kind != 3 or len(raw) < 52:
        return {}
    wide = len(raw) < 64 or bool(raw[60] & 1)
    answer, old = _field(raw, 20), _field(raw, 12)
    out = {
        "ntlm_message": "authenticate", "domain": _text(_field(raw, 28), wide), "user": _text(_field(raw, 36), wide),
        "workstation": _text(_field(raw, 44), wide), "ntlm_version": 2 if len(answer) > 24 else 1 if answer else 0,
        "nt_response": answer[:16].hex() if len(answer) > 24 else answer.hex(),
    }  # fmt: skip
    if len(answer) == 24 and old.strip(b"\0"):
        out["lm_response"] = old.hex()
    if not out["user"] and not answer:
        out["anonymous"] = True
    return out


def from_base64(value: str) -> dict[str, Any]:
    """As `read`, of a message in Base64."""
    try:
        return read(base64.b64decode(value.strip() + "==", validate=False))
    except (binascii.Error, ValueError):
        return {}
