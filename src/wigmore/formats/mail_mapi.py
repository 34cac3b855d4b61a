"""MAPI properties, as .msg files, Outlook stores and TNEF hold them, into the fields of a mail record.

Sources: MS-OXPROPS (property ids), MS-OXCDATA 2.11 (value types), MS-OXOMSG and MS-OXCMSG (message, recipient and attachment
properties), MS-OXOMSG 2.2.1.3 (conversation index).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from wigmore.formats.mail import BODY_BYTES, PARTIES, Attachment, put_body, short
from wigmore.formats.mail_headers import ADDRESS, domain, header_data, parse_headers, party
from wigmore.formats.mail_rtf import codepage, decode8, rtf_bytes, rtf_html, rtf_text
from wigmore.model import times
from wigmore.model.canonical import sha256
from wigmore.model.times import Time

TEXTS = {
    0x001A: "message_class", 0x0037: "subject", 0x0070: "conversation_topic", 0x1035: "message_id", 0x1042: "in_reply_to",
    0x1039: "references_text", 0x3FFA: "last_modifier", 0x0050: "reply_to", 0x0040: "received_by",
    0x0044: "received_representing", 0x0076: "received_by_address", 0x0E03: "display_cc", 0x0E04: "display_to",
    0x0E02: "display_bcc", 0x0E05: "parent_folder", 0x3A06: "given_name", 0x3A11: "surname", 0x3A16: "company", 0x3A17: "title",
    0x3A08: "business_phone", 0x3A1C: "mobile_phone", 0x3A09: "home_phone", 0x3A15: "postal_address", 0x3001: "display_name",
    0x300B: "", 0x0042: "", 0x0065: "",
}  # fmt: skip
STAMPS = {
    0x0039: "client_submit", 0x0E06: "delivery", 0x3007: "created", 0x3008: "modified", 0x1082: "last_verb_at", 0x0060: "start",
    0x0061: "end", 0x000F: "deferred_delivery", 0x0032: "report_time", 0x0048: "provider_submit", 0x3A42: "birthday",
    0x0015: "expires", 0x0063: "",
}  # fmt: skip
# 3701 is an attachment's content: read from the attachment, never as a property
WANTED = {
    *TEXTS, *STAMPS, 0x007D, 0x0E07, 0x1081, 0x0017, 0x0E08, 0x0071, 0x1000, 0x1009, 0x1013, 0x3FFD, 0x3FDE, 0x5D02, 0x0065,
    0x0064, 0x5D01, 0x0C1F, 0x0C1A, 0x0C1E, 0x0042, 0x0C15, 0x39FE, 0x3003, 0x3704, 0x3705, 0x3707, 0x3708, 0x370D, 0x370E,
    0x3712, 0x3713, 0x7FFE, 0x0E20, 0x67FF, 0x3613,
}  # fmt: skip
# MS-OXCMSG 2.2.1.6
FLAGS = {1: "read", 2: "unmodified", 4: "submitted", 8: "unsent", 0x10: "has attachment", 0x20: "from me", 0x40: "associated",
         0x80: "resend", 0x100: "read receipt pending", 0x200: "not read receipt pending", 0x400: "ever read",
         0x2000: "from Internet",
         0x8000: "untrusted"}  # fmt: skip
FIXED_SIZES = {0x02: 2, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 2, 0x14: 8, 0x40: 8, 0x48: 16}
VERBS = {102: "replied", 103: "replied to all", 104: "forwarded"}
IMPORTANCE = {0: "low", 1: "normal", 2: "high"}
KINDS = {1: "to", 2: "cc", 3: "bcc"}
METHODS = {
    0: "none",
    1: "by value",
    2: "by reference",
    4: "by reference only",
    5: "embedded message",
    6: "OLE object",
    7: "by web reference",
}
# what says the item's kind; the longest that begins its class wins
CLASSES = {
    "ipm.note": "message", "report": "message", "ipm.schedule": "message", "ipm.post": "message", "ipm.outlook.recall": "message",
    "ipm.contact": "contact", "ipm.distlist": "contact", "ipm.abchperson": "contact", "ipm.appointment": "appointment",
    "ipm.sharing": "message", "ipm.document": "message",
}  # fmt: skip


@dataclass
class Properties:
    """The properties of one object: by id, (type, raw bytes). `codepage` decodes its 8-bit texts."""

    values: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    codepage: str = "cp1252"
    places: dict[int, tuple[int, int]] = field(default_factory=dict)  # (offset, length) of values left where they are

    def raw(self, tag: int) -> bytes:
        """The bytes of a property; empty where it has none."""
        return self.values.get(tag, (0, b""))[1]

    def text(self, tag: int) -> str:
        """A text property; empty where it has none or is of another type."""
        kind, raw = self.values.get(tag, (0, b""))
        if kind == 0x1F:
            return raw[: len(raw) & ~1].decode("utf-16-le", "replace").rstrip("\0")
        if kind == 0x1E:
            return decode8(raw.rstrip(b"\0"), self.codepage)
        return ""

    def number(self, tag: int) -> int | None:
        """An integer property (also a Boolean)."""
        kind, raw = self.values.get(tag, (0, b""))
        sizes = {0x02: 2, 0x03: 4, 0x0A: 4, 0x14: 8, 0x0B: 1}
        if kind not in sizes or len(raw) < sizes[kind]:
            return None
        return int.from_bytes(raw[: sizes[kind]], "little", signed=kind in (2, 3, 0x14))

    def time(self, tag: int) -> Time | None:
        """A PtypTime property (FILETIME)."""
        kind, raw = self.values.get(tag, (0, b""))
        return times.filetime(int.from_bytes(raw[:8], "little")) if kind == 0x40 and len(raw) >= 8 else None

    def settle(self) -> Properties:
        """Take the code page that the object itself states."""
        for tag in (0x3FFD, 0x3FDE):
            page = self.number(tag)
            if page and (name := codepage(page)):
                self.codepage = name
                break
        return self


def subject_of(text: str) -> str:
    """A subject without the two characters that say how long its prefix is (MS-PST 2.5.3.1.1.1)."""
    return text[2:] if text[:1] == "\x01" else text


def item_kind(message_class: str) -> str:
    """message, contact, appointment or item, by the class."""
    low = message_class.lower()
    return next(
        (kind for begin, kind in sorted(CLASSES.items(), key=lambda c: -len(c[0])) if low.startswith(begin)), "item"
    )


def item_data(
    properties: Properties, recipients: list[Properties]
) -> tuple[dict[str, Any], dict[str, Time], str | None, list[Attachment]]:
    """A message's record data, its times, which of them dates it, and bodies that were cut."""
    headers = properties.text(0x007D)
    data: dict[str, Any] = {}
    stamps: dict[str, Time] = {}
    if headers:
        data, stamps, _ = header_data(parse_headers(headers.encode("utf-8", "surrogatepass").lstrip(b"\r\n"))[0])
        data["transport_headers"] = True
    for tag, name in TEXTS.items():
        if name and tag in properties.values:
            text = short(subject_of(properties.text(tag)) if tag in (0x37, 0x70) else properties.text(tag)).strip()
            if text and (name not in data or name == "subject"):
                data[name] = text
    if "references_text" in data:
        data.setdefault("references", data.pop("references_text").split()[:100])
        data.pop("references_text", None)
    for tag, name in STAMPS.items():
        if name and (time := properties.time(tag)):
            stamps[name] = time
    _sender(properties, data)
    _recipients(recipients, data)
    flags = properties.number(0x0E07)
    if flags is not None:
        data["message_flags"] = flags
        data["flags"] = [meaning for bit, meaning in FLAGS.items() if flags & bit]
    verb = properties.number(0x1081)
    if verb:
        data["last_verb"] = VERBS.get(verb, str(verb))
    importance = properties.number(0x0017)
    if importance in (0, 2):
        data["importance"] = IMPORTANCE[importance]
    size = properties.number(0x0E08)
    if size:
        data["message_size"] = size
    index = properties.raw(0x0071)
    if len(index) >= 22 and index[0] == 1:
        # a reserved byte of 1 and the upper five bytes of a FILETIME; it belongs to the thread's first message
        value = int.from_bytes(index[:6], "big") << 16
        if time := times.filetime(value):
            time["precision"], time["zone_source"] = (
                0.0065536,
                "the upper six bytes of a FILETIME in the conversation index",
            )
            stamps["thread_started"] = time
        data["conversation_index"] = index[:64].hex()
    if item_kind(data.get("message_class", "")) == "contact":
        _contact(properties, data)
    cut = _body(properties, data)
    dated = next(
        (n for n in ("date", "client_submit", "delivery", "start", "created", "modified") if n in stamps), None
    )
    return data, stamps, dated, cut


def _smtp(properties: Properties, *tags: int) -> str:
    for tag in tags:
        text = properties.text(tag).strip()
        if text:
            return short(text, 500)
    return ""


def _sender(properties: Properties, data: dict[str, Any]) -> None:
    for key, name_tag, smtp_tags, kind_tag in (
        ("from", 0x0042, (0x5D02, 0x0065), 0x0064),
        ("sender", 0x0C1A, (0x5D01, 0x0C1F), 0x0C1E),
    ):
        if key in data:
            continue
        name, address = short(properties.text(name_tag), 500), _smtp(properties, *smtp_tags)
        if not name and not address:
            continue
        data[key] = party(name, address) if name != address else address
        if "@" in address:
            data[f"{key}_address"], data[f"{key}_domain"] = address.lower(), domain(address)
        elif address:
            data[f"{key}_directory_name"] = address
        if kind := properties.text(kind_tag):
            data[f"{key}_address_type"] = short(kind, 40)
        if key == "from":
            data["from_name"] = name
            if (shown := ADDRESS.search(name)) and shown.group(0).lower() != address.lower():
                data["address_in_from_name"] = shown.group(0).lower().strip("'")
    if "from" not in data and "sender" in data:
        for end in ("", "_address", "_domain"):
            if f"sender{end}" in data:
                data[f"from{end}"] = data[f"sender{end}"]
    elif data.get("sender") == data.get("from"):
        for name in [key for key in data if key == "sender" or key.startswith("sender_")]:
            del data[name]


def _recipients(recipients: list[Properties], data: dict[str, Any]) -> None:
    found: dict[str, list[str]] = {}
    domains: set[str] = set()
    for one in recipients[:PARTIES]:
        kind = KINDS.get((one.number(0x0C15) or 1) & 0xF, "to")
        name, address = short(one.text(0x3001), 500), _smtp(one, 0x39FE, 0x3003)
        if "@" in address:
            domains.add(domain(address))
        text = party(name, address) if name != address else address
        if text:
            found.setdefault(kind, []).append(text)
    for kind, parties in found.items():
        if kind not in data or kind == "bcc":
            data[kind] = parties
    if domains:
        data["recipient_domains"] = sorted({*data.get("recipient_domains", ()), *domains})
    for kind in ("to", "cc", "bcc"):  # what the item shows itself, where it has no recipients
        if kind not in data and data.get(f"display_{kind}"):
            data[kind] = [one.strip() for one in data[f"display_{kind}"].split(";")][:PARTIES]
        data.pop(f"display_{kind}", None)


def _contact(properties: Properties, data: dict[str, Any]) -> None:
    """Addresses stand in named properties whose ids differ from store to store: taken by their form."""
    mails = []
    for tag in sorted(properties.values):
        if tag >= 0x8000 and re.fullmatch(ADDRESS, text := properties.text(tag).strip()):
            mails.append(text)
    if mails:
        data["emails"] = list(dict.fromkeys(mails))[:20]
    phones = [data[name] for name in ("business_phone", "mobile_phone", "home_phone") if name in data]
    if phones:
        data["phones"] = phones
    data["name"] = data.get("display_name") or data.get("subject", "")


def _body(properties: Properties, data: dict[str, Any]) -> list[Attachment]:
    """The body that a record holds: plain text, else HTML, else RTF; what was cut comes back as attachments."""
    cut: list[Attachment] = []
    page = html_bytes(properties)
    plain = properties.text(0x1000)
    if plain.strip():
        raw, kind, charset = plain.encode("utf-8", "replace"), "text/plain", "utf-8"
    elif page:
        raw, kind, charset = page, "text/html", properties.codepage
    elif properties.raw(0x1009):
        rtf = rtf_bytes(properties.raw(0x1009))
        raw, kind, charset = (rtf_html(rtf) or rtf_text(rtf)).encode("utf-8", "replace"), "text/plain", "utf-8"
        data["body_from"] = "RTF"
        if rtf_html(rtf):
            kind = "text/html"
    else:
        return cut
    if put_body(data, raw[:BODY_BYTES], len(raw), charset, kind):
        ending = ".html" if kind == "text/html" else ".txt"
        cut.append(Attachment(f"body{ending}", kind, lambda: iter((raw,)), text=True))
    data.update(body_size=len(raw), body_sha256=sha256(raw))
    if page and kind != "text/html":
        other: dict[str, Any] = {}
        put_body(other, page[:BODY_BYTES], len(page), properties.codepage, "text/html")
        data.update(html_size=len(page), html_sha256=sha256(page))
        if "links" in other:
            data["links"] = other["links"]
    return cut


def html_bytes(properties: Properties) -> bytes:
    """The HTML body as bytes in the object's code page."""
    kind, raw = properties.values.get(0x1013, (0, b""))
    return properties.text(0x1013).encode(properties.codepage, "replace") if kind in (0x1E, 0x1F) else raw


def attachment_data(properties: Properties) -> tuple[str, str, dict[str, Any], dict[str, Time]]:
    """An attachment's name as written, type, further fields and times."""
    name = _smtp(properties, 0x3707, 0x3704, 0x3001)
    data: dict[str, Any] = {}
    method = properties.number(0x3705)
    if method is not None and method != 1:
        data["method"] = METHODS.get(method, str(method))
    for tag, key in (
        (0x3712, "content_id"),
        (0x3713, "content_location"),
        (0x370D, "linked_path"),
        (0x3708, "linked_path"),
    ):
        if text := properties.text(tag):
            data.setdefault(key, short(text, 500))
    if properties.number(0x7FFE):
        data["hidden"] = True
    stated = properties.number(0x0E20)
    if stated:
        data["stated_size"] = stated  # with its properties
    stamps = {key: time for tag, key in ((0x3007, "created"), (0x3008, "modified")) if (time := properties.time(tag))}
    return name, short(properties.text(0x370E), 200) or "application/octet-stream", data, stamps
