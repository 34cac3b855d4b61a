"""DNS messages, also as multicast DNS, LLMNR and NetBIOS names.

Sources: RFC 1035, 6762 (mDNS), 4795 (LLMNR), 1002 (NetBIOS names), 2782 (SRV).
"""

from __future__ import annotations

import ipaddress
import math
import struct
from collections import Counter
from typing import Any

from wigmore.formats.capture.found import text

TYPES = {
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 10: "NULL", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 17: "RP", 18: "AFSDB",
    25: "KEY", 28: "AAAA", 29: "LOC", 32: "NB", 33: "SRV", 35: "NAPTR", 37: "CERT", 39: "DNAME", 41: "OPT", 43: "DS",
    44: "SSHFP", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 50: "NSEC3", 52: "TLSA", 64: "SVCB", 65: "HTTPS", 99: "SPF", 249: "TKEY",
    250: "TSIG", 251: "IXFR", 252: "AXFR", 255: "ANY",
}  # fmt: skip
CODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 9: "NOTAUTH"}
MOST_ANSWERS = 100


def _name(raw: bytes, at: int) -> tuple[str, int]:
    labels: list[str] = []
    end, jumps, total = 0, 0, 0
    while True:
        length = raw[at]
        if length & 0xC0 == 0xC0:
            if not end:
                end = at + 2
            at = (length & 0x3F) << 8 | raw[at + 1]
            jumps += 1
            if jumps > 32:
                raise IndexError
            continue
        if length & 0xC0:
            raise IndexError
        at += 1
        if not length:
            break
        label = raw[at : at + length]
        total += length + 1
        if len(label) < length or total > 1024:
            raise IndexError
        labels.append(text(label).replace(".", "\\."))
        at += length
    return ".".join(labels), end or at


def netbios(label: str) -> str:
    """A NetBIOS name from its first-level encoding, with its suffix: `SERVER<20>`."""
    if len(label) != 32 or any(not "A" <= c <= "P" for c in label):
        return label
    raw = bytes((ord(label[i]) - 65) << 4 | (ord(label[i + 1]) - 65) for i in range(0, 32, 2))
    return f"{text(raw[:15]).rstrip()}<{raw[15]:02x}>"


def _value(kind: int, raw: bytes, at: int, length: int) -> str:
    data = raw[at : at + length]
    if len(data) < length:
        raise IndexError
    if kind in (1, 28) and length in (4, 16):
        return str(ipaddress.ip_address(data))
    if kind in (2, 5, 12, 39):
        return _name(raw, at)[0]
    if kind == 15:
        return f"{int.from_bytes(data[:2], 'big')} {_name(raw, at + 2)[0]}"
    if kind == 33:
        return "{} {} {} ".format(*struct.unpack(">HHH", data[:6])) + _name(raw, at + 6)[0]
    if kind == 6:
        first, rest = _name(raw, at)
        return f"{first} {_name(raw, rest)[0]}"
    if kind in (16, 99):
        parts, inside = [], 0
        while inside < length:
            parts.append(text(data[inside + 1 : inside + 1 + data[inside]]))
            inside += 1 + data[inside]
        return "".join(parts)
    if kind == 32:
        return ", ".join(str(ipaddress.ip_address(data[i + 2 : i + 6])) for i in range(0, length - 5, 6))
    return data[:512].hex()


def entropy(value: str) -> float:
    """Shannon entropy of a text in bits a character."""
    if not value:
        return 0.0
    return round(-sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values()), 2)


def message(raw: bytes, netbios_names: bool = False) -> dict[str, Any] | None:
    """The fields of a DNS message; None where it is none. What is cut off is said in `incomplete`."""
    if len(raw) < 12:
        return None
    number, flags, questions, answers, authorities, more = struct.unpack(">HHHHHH", raw[:12])
    out: dict[str, Any] = {
        "transaction_id": number,
        "message": "response" if flags & 0x8000 else "query",
        "operation": {0: "", 5: "update", 4: "notify"}.get(flags >> 11 & 15, f"opcode {flags >> 11 & 15}"),
    }
    if flags & 0x8000:
        out["response_code"] = CODES.get(flags & 15, str(flags & 15))
        out["authoritative"] = bool(flags & 0x0400)
    if flags & 0x0200:
        out["truncated"] = True
    at = 12
    asked: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    try:
        for _ in range(min(questions, 16)):
            name, at = _name(raw, at)
            kind, _ = struct.unpack(">HH", raw[at : at + 4])
            at += 4
            asked.append({"name": netbios(name) if netbios_names else name, "type": _type(kind, netbios_names)})
        for count, section in ((answers, ""), (authorities, "authority"), (more, "additional")):
            for _ in range(min(count, MOST_ANSWERS)):
                name, at = _name(raw, at)
                kind, _, life, length = struct.unpack(">HHIH", raw[at : at + 10])
                at += 10
                if kind != 41:
                    entry: dict[str, Any] = {
                        "name": netbios(name) if netbios_names else name,
                        "type": _type(kind, netbios_names),
                        "data": _value(kind, raw, at, length)[:4000],
                        "ttl": life,
                    }
                    told.append(entry | ({"section": section} if section else {}))
                at += length
    except (IndexError, struct.error, ValueError):
        out["incomplete"] = True
        if not asked and not told:
            return None
    if asked:
        out["name"], out["type"] = asked[0]["name"], asked[0]["type"]
        if len(asked) > 1:
            out["questions"] = asked
    elif told:
        out["name"], out["type"] = told[0]["name"], told[0]["type"]
    if told:
        out["answers"] = told
        out["addresses"] = [t["data"] for t in told if t["type"] in ("A", "AAAA", "NB") and "section" not in t][:50]
        texts = [t["data"] for t in told if t["type"] == "TXT"]
        if texts:
            out["text"] = " ".join(texts)[:4000]
    name = str(out.get("name", ""))
    labels = name.split(".")
    out["name_length"] = len(name)
    # the last label of a public name is letters (RFC 3696 2), or xn-- and more; tunnels without a zone have neither
    known = labels[-1].isalpha() or labels[-1].startswith("xn--")
    out["domain"] = (
        ".".join(labels[-2:]).lower() if len(labels) > 1 and known else "(no zone)" if len(labels) > 1 else ""
    )
    longest = max(labels, key=len)
    if len(longest) >= 20:
        out["longest_label"], out["label_entropy"] = len(longest), entropy(longest)
    return out


def _type(kind: int, netbios_names: bool) -> str:
    return "NBSTAT" if netbios_names and kind == 33 else TYPES.get(kind, f"TYPE{kind}")
