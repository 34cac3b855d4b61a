"""Mail headers: fields, encoded words, addresses, dates, the Received chain and authentication results.

Sources: RFC 5322 (message format), RFC 2047 (encoded words), RFC 2231 (parameters), RFC 5321 4.4 (trace), RFC 8601
(Authentication-Results), RFC 7208 9.1 (Received-SPF), RFC 3834; X- fields as their programs write them.
"""

from __future__ import annotations

import binascii
import email.errors
import ipaddress
import re
from datetime import UTC
from email.header import decode_header
from email.message import Message as Fields
from email.utils import parsedate_to_datetime
from typing import Any

from wigmore.formats.mail import FIELD, PARTIES, safe_charset, short
from wigmore.model import times
from wigmore.model.times import Time

HOPS = 60
ENCODED = 8_192  # characters of one value in which encoded words are looked for
PARAMETERS = 4_096  # of a Content-* field
Headers = list[tuple[str, bytes]]
FIELD_NAME = re.compile(rb"([!-9;-~]{1,80})[ \t]*:")
ADDRESS = re.compile(r"[^\s<>()\[\]\\,;:\"@]{1,128}@[^\s<>()\[\]\\,;:\"@]{1,255}")
IP = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])|(?i:IPv6:)?\b[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{0,4}){2,7}")
CLAUSE = re.compile(r"(?:^|\s)(from|by|via|with|id|for)\s+([^\s;]+)", re.IGNORECASE)
VERDICT = re.compile(r"\b(spf|dkim|dmarc|arc|compauth)\s*=\s*([a-z]+)", re.IGNORECASE)
COMMENT = re.compile(r"\([^()]*\)")
ORIGINATING = ("x-originating-ip", "x-sender-ip", "x-client-ip", "x-originating-client", "x-source-ip", "x-aol-ip")
AGENTS = ("user-agent", "x-mailer", "x-mimeole", "x-newsreader")
TEXTS = {
    "subject": "subject", "message-id": "message_id", "in-reply-to": "in_reply_to", "return-path": "return_path",
    "delivered-to": "delivered_to", "x-original-to": "original_to", "errors-to": "errors_to", "thread-topic": "thread_topic",
    "thread-index": "thread_index", "list-id": "list_id", "list-unsubscribe": "list_unsubscribe", "organization": "organization",
    "importance": "importance", "x-priority": "priority", "auto-submitted": "auto_submitted", "x-spam-status": "spam_status",
    "x-spam-flag": "spam_flag", "x-gmail-labels": "labels", "x-gm-thrid": "gmail_thread", "x-mozilla-keys": "mozilla_keys",
    "disposition-notification-to": "receipt_to", "x-account-key": "account_key", "x-uidl": "uidl", "status": "status",
    "x-status": "status_flags", "comments": "comments", "keywords": "keywords", "content-language": "content_language",
    "x-php-originating-script": "php_script", "x-authenticated-sender": "authenticated_sender", "newsgroups": "newsgroups",
    "x-ms-exchange-organization-authas": "exchange_authentication", "x-forefront-antispam-report": "antispam_report",
}  # fmt: skip
WHO = {
    "from": "from", "to": "to", "cc": "cc", "bcc": "bcc", "reply-to": "reply_to", "sender": "sender",
    "resent-from": "resent_from", "resent-to": "resent_to",
}  # fmt: skip


def parse_headers(block: bytes) -> tuple[Headers, int]:
    """The fields of a header block in order, folded lines joined, and how many lines were no field."""
    fields: Headers = []
    strange = 0
    for line in block.split(b"\n"):
        line = line.rstrip(b"\r")
        if not line:
            continue
        if line[:1] in b" \t" and fields:
            name, value = fields[-1]
            if len(value) < 256 * 1024:
                fields[-1] = name, value + b"\n" + line
            continue
        match = FIELD_NAME.match(line)
        if match is None:
            strange += 1
            continue
        if len(fields) < 5_000:
            fields.append((match.group(1).decode("ascii").lower(), line[match.end() :].strip()))
    return fields, strange


def raw_text(value: bytes) -> str:
    """A field's value unfolded; bytes that are not ASCII as UTF-8, else as Windows-1252."""
    value = value[: FIELD * 8].replace(b"\r", b"").replace(b"\n", b"")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")


def decoded(value: str) -> str:
    """A value with its encoded words (RFC 2047) written out; words that do not decode stay as they are."""
    if "=?" not in value:
        return value
    value = value[:ENCODED]
    try:
        parts = decode_header(value)
    except (email.errors.HeaderParseError, binascii.Error, ValueError):
        return value
    out = []
    for raw, charset in parts:
        if isinstance(raw, str):
            out.append(raw)
            continue
        try:
            out.append(raw.decode(safe_charset(charset) or "utf-8"))
        except (UnicodeError, ValueError):
            out.append(raw.decode("latin-1"))
    return "".join(out) or value  # words that decode to nothing stay as they are


def addresses(value: str) -> list[tuple[str, str]]:
    """(name, address) of each party in a field, in order; the name decoded, the address as written."""
    found: list[tuple[str, str]] = []
    for piece in _pieces(COMMENT.sub(lambda m: m.group(0) if "@" in m.group(0) else " ", value)):
        at = piece.rfind("<")
        inner = piece[at + 1 :].split(">", 1)[0].strip() if at >= 0 else ""
        if at >= 0:
            name, address = piece[:at], inner
        else:
            match = ADDRESS.search(piece)
            name, address = ("", match.group(0)) if match else (piece, "")
        name = decoded(name.strip()).strip().strip('"').replace('\\"', '"').strip()
        address = address.strip("'\" \t")
        if name or address:
            found.append((short(name, 500), short(decoded(address), 500)))
        if len(found) >= PARTIES:
            break
    return found


def _pieces(value: str) -> list[str]:
    """The value parted at commas and semicolons that stand outside quotes and angle brackets."""
    out, start, quoted, angle = [], 0, False, False
    for at, letter in enumerate(value):
        if letter == '"' and value[at - 1 : at] != "\\":
            quoted = not quoted
        elif quoted:
            continue
        elif letter == "<":
            angle = True
        elif letter == ">":
            angle = False
        elif letter in ",;" and not angle:
            out.append(value[start:at])
            start = at + 1
    out.append(value[start:])
    groups = [piece.split(":", 1)[1] if re.match(r"\s*[^\"<@:]+:(?!//)", piece) else piece for piece in out]
    return [piece for piece in groups if piece.strip()]


def party(name: str, address: str) -> str:
    """A party as one text."""
    return f"{name} <{address}>" if name and address else name or address


def domain(address: str) -> str:
    """The host part of an address, lower case; empty where there is none."""
    return address.rpartition("@")[2].strip(" .>").lower() if "@" in address else ""


def address_in(text: str) -> str:
    """The first IP address in a text; empty where there is none."""
    for match in IP.finditer(text):
        try:
            return str(ipaddress.ip_address(re.sub(r"(?i)^ipv6:", "", match.group(0))))
        except ValueError:
            continue
    return ""


def date(value: str, owner: str) -> Time | None:
    """A header's date with the zone it was written in; None where it is no date. `-0000` is UTC without a known zone."""
    text = value.strip()[:200]
    try:
        moment = parsedate_to_datetime(COMMENT.sub("", text))
    except (ValueError, TypeError, IndexError, OverflowError):
        return times.iso(text, owner)
    try:
        if moment.tzinfo is None:
            if re.search(r"-0000\b", text):
                return times.aware(moment.replace(tzinfo=UTC), text, owner, "-0000: UTC, the writer's zone is not told")
            return times.local(moment, text, owner, "no zone written in the header")
        return times.aware(moment, text, owner, "offset written in the header")
    except (ValueError, OverflowError):
        return None


def hop(value: str) -> dict[str, Any]:
    """One Received field: from, by, with, id, for, the addresses in brackets, and its time."""
    head, _, tail = value.rpartition(";")
    head = head or value
    out: dict[str, Any] = {}
    plain = COMMENT.sub(" ", COMMENT.sub(" ", head))
    for key, word in CLAUSE.findall(plain):
        out.setdefault(key.lower(), short(word.strip("<>"), 300))
    before = re.split(r"\sby\s", head, maxsplit=1)[0]
    if found := address_in(before):
        out["from_ip"] = found
    if time := date(tail, "server"):
        out["time"] = time["text"]
    if not out:
        out["text"] = short(value, 300)
    return out


def parameters(value: bytes, header: str = "content-type") -> tuple[str, dict[str, str]]:
    """The value of a Content-* field, lower case, and its parameters, RFC 2231 and encoded words written out."""
    fields = Fields()
    text = raw_text(value)[:PARAMETERS]
    main = text.split(";", 1)[0].strip().lower()[:200]
    if ";" not in text:
        return main, {}
    try:
        fields[header] = text
        found = fields.get_params(header=header) or []
        out: dict[str, str] = {}
        for name, given in found[1:100]:
            if isinstance(given, tuple):
                charset, _, raw = given
                given = raw.encode("latin-1", "replace").decode(safe_charset(charset) or "utf-8", "replace")
            out.setdefault(name.lower(), short(decoded(str(given).strip('"'))))
    except (ValueError, LookupError, TypeError, AttributeError, IndexError):
        return main, {
            m.group(1).lower(): m.group(2).strip('"') for m in re.finditer(r";\s*([\w*-]+)=(\"[^\"]*\"|[^\s;]+)", text)
        }
    return main, out


def first(fields: Headers, name: str) -> bytes:
    """The first field of that name; empty where there is none."""
    return next((value for known, value in fields if known == name), b"")


def header_data(fields: Headers) -> tuple[dict[str, Any], dict[str, Time], str | None]:
    """What a message's header says: the record's data, its times, and which time dates it."""
    data: dict[str, Any] = {}
    stamps: dict[str, Time] = {}
    given: dict[str, list[str]] = {}
    for name, value in fields:
        if len(given.setdefault(name, [])) < HOPS:
            given[name].append(raw_text(value))
    cut = sorted({name for name, value in fields if len(value) > FIELD * 8})
    if cut:
        data["fields_cut"] = cut[:20]
    for name, key in WHO.items():
        if name in given:
            _parties(data, key, addresses(", ".join(given[name])))
    for name, key in TEXTS.items():
        if given.get(name):
            text = short(decoded(given[name][0]).strip())
            if text:
                data[key] = text
    for key in ("return_path", "delivered_to", "original_to"):
        if key in data:
            data[key] = data[key].strip("<>")
    if data.get("return_path"):
        data["return_path_domain"] = domain(data["return_path"])
    if "references" in given:
        data["references"] = short(" ".join(given["references"])).split()[:100]
    agents = [short(decoded(given[name][0]).strip(), 300) for name in AGENTS if name in given]
    if agents:
        data["user_agent"] = "; ".join(agents)
    for name in ORIGINATING:
        if name in given and (found := address_in(given[name][0])):
            data["originating_ip"] = found
            break
    _dates(given, data, stamps)
    _trace(given, data, stamps)
    _verdicts(given, data)
    _mozilla(given, data)
    dated = next((name for name in ("date", "received_last", "resent_date", "delivery_date") if name in stamps), None)
    return data, stamps, dated


def _parties(data: dict[str, Any], key: str, found: list[tuple[str, str]]) -> None:
    if not found:
        return
    if key in ("from", "reply_to", "sender", "resent_from"):
        data[key] = ", ".join(party(*one) for one in found)
        data[f"{key}_address"] = found[0][1].lower()
        if domain(found[0][1]):
            data[f"{key}_domain"] = domain(found[0][1])
        if key == "from":
            data["from_name"] = found[0][0]
            shown = ADDRESS.search(found[0][0])
            if shown:
                data["address_in_from_name"] = shown.group(0).lower().strip("'")
    else:
        data[key] = [party(*one) for one in found]
        domains = sorted({domain(address) for _, address in found} - {""})
        if key in ("to", "cc", "bcc") and domains:
            data["recipient_domains"] = sorted({*data.get("recipient_domains", ()), *domains})


def _dates(given: dict[str, list[str]], data: dict[str, Any], stamps: dict[str, Time]) -> None:
    for name, key in (
        ("date", "date"),
        ("resent-date", "resent_date"),
        ("delivery-date", "delivery_date"),
        ("expires", "expires"),
    ):
        if name not in given:
            continue
        time = date(given[name][0], "server" if name == "delivery-date" else "author")
        if time is None:
            data[f"{key}_text"] = short(given[name][0], 200)
            continue
        stamps[key] = time
        if key == "date" and time["instant"] is not None and time["zone"] != "Z":
            data["date_utc"] = times.instant_text(time["instant"])


def _trace(given: dict[str, list[str]], data: dict[str, Any], stamps: dict[str, Time]) -> None:
    lines = given.get("received", [])
    if not lines:
        return
    hops = [hop(line) for line in lines]
    data["received"] = hops  # as in the header: the newest first
    data["first_hop"] = _short_hop(hops[-1])
    data["last_hop"] = _short_hop(hops[0])
    if "from_ip" in hops[-1]:
        data["first_hop_ip"] = hops[-1]["from_ip"]
    for key, line in (("received_first", lines[-1]), ("received_last", lines[0])):
        if time := date(line.rpartition(";")[2], "server"):
            stamps[key] = time


def _short_hop(one: dict[str, Any]) -> str:
    parts = [f"{key} {one[key]}" for key in ("from", "by") if key in one]
    if "from_ip" in one:
        parts.insert(1 if "from" in one else 0, f"[{one['from_ip']}]")
    return " ".join(parts) or one.get("text", "")


def _verdicts(given: dict[str, list[str]], data: dict[str, Any]) -> None:
    lines = [*given.get("authentication-results", []), *given.get("arc-authentication-results", [])]
    if lines:
        data["authentication_results"] = [short(line.strip(), 1000) for line in lines[:10]]
    # the topmost was written last: by the server nearest to this mailbox
    for line in given.get("authentication-results", [])[:1]:
        for method, verdict in VERDICT.findall(line):
            data.setdefault(method.lower(), verdict.lower())
    if "received-spf" in given:
        text = given["received-spf"][0].strip()
        data["received_spf"] = short(text, 500)
        data.setdefault("spf", re.split(r"[\s(]", text, maxsplit=1)[0].lower())
    if "dkim-signature" in given:
        found = [m.group(1) for line in given["dkim-signature"] if (m := re.search(r"(?:^|;)\s*d=([^;\s]+)", line))]
        if found:
            data["dkim_domains"] = found[:10]


# Mozilla, mailnews/base/public/nsMsgMessageFlags.idl; the second word holds the upper half
MOZILLA = {
    0x0001: "read", 0x0002: "replied", 0x0004: "marked", 0x0008: "expunged", 0x0010: "has Re:", 0x0080: "offline",
    0x1000: "forwarded", 0x10000: "new", 0x40000: "ignored", 0x200000: "IMAP deleted", 0x400000: "receipt needed",
    0x800000: "receipt sent", 0x1000000: "template", 0x10000000: "attachment",
}  # fmt: skip


def _mozilla(given: dict[str, list[str]], data: dict[str, Any]) -> None:
    value = 0
    for name, shift in (("x-mozilla-status", 0), ("x-mozilla-status2", 0)):
        text = given.get(name, [""])[0].strip()
        if re.fullmatch(r"[0-9a-fA-F]{1,8}", text):
            data[name.removeprefix("x-").replace("-", "_")] = text
            value |= int(text, 16) << shift
    if "mozilla_status" in data:
        data["flags"] = [meaning for bit, meaning in MOZILLA.items() if value & bit]
