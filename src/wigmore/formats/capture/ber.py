"""ASN.1 BER values, as far as Kerberos, LDAP and SNMP need them. Source: ITU-T X.690."""

from __future__ import annotations

from collections.abc import Iterator

DEEPEST = 24


def value(raw: bytes, at: int = 0) -> tuple[int, bytes, int]:
    """(tag, content, offset after it) of the value at an offset; IndexError where it is cut off."""
    tag = raw[at]
    length = raw[at + 1]
    at += 2
    if length & 0x80:
        width = length & 0x7F
        if not 0 < width <= 4:
            raise IndexError("no length that is read here")
        length = int.from_bytes(raw[at : at + width], "big")
        at += width
    if at + length > len(raw):
        raise IndexError("past the end")
    return tag, raw[at : at + length], at + length


def values(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """The values one after another; stops where one is cut off."""
    at = 0
    while at < len(raw):
        try:
            tag, content, at = value(raw, at)
        except IndexError:
            return
        yield tag, content


def number(raw: bytes) -> int:
    """An INTEGER's content."""
    return int.from_bytes(raw[:16], "big", signed=True)


def fields(raw: bytes) -> dict[int, bytes]:
    """The context-tagged members of a SEQUENCE: number → content of the tag."""
    found = list(values(raw))
    if len(found) == 1 and found[0][0] == 0x30:
        found = list(values(found[0][1]))
    return {tag & 0x1F: content for tag, content in found if tag & 0xC0 == 0x80}


def inner(raw: bytes) -> bytes:
    """The content of the one value inside."""
    return next((content for _, content in values(raw)), b"")


def identifier(raw: bytes) -> str:
    """An OBJECT IDENTIFIER's content with dots."""
    if not raw:
        return ""
    out, part = [str(min(raw[0] // 40, 2)), str(raw[0] - 40 * min(raw[0] // 40, 2))], 0
    for byte in raw[1:129]:
        part = part << 7 | byte & 0x7F
        if not byte & 0x80:
            out.append(str(part))
            part = 0
    return ".".join(out)
