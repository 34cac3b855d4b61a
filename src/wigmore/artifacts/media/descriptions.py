"""XMP packets and IPTC records of pictures and documents as plain fields."""

from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as ElementTree

LARGEST_PACKET = 1024 * 1024
MOST_FIELDS = 300
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
PREFIXES = {
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://ns.adobe.com/camera-raw-settings/1.0/": "crs",
    "http://ns.adobe.com/pdf/1.3/": "pdf",
    "http://ns.adobe.com/xap/1.0/rights/": "xmpRights",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "Iptc4xmpCore",
    "http://ns.adobe.com/lightroom/1.0/": "lr",
    "http://ns.microsoft.com/photo/1.0/": "MicrosoftPhoto",
    "http://ns.google.com/photos/1.0/camera/": "GCamera",
    "http://www.metadataworkinggroup.com/schemas/regions/": "mwg-rs",
}
_FORBIDDEN = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.I)


class Unreadable(ValueError):
    """A packet that is no well-formed XML, or one that declares entities."""


def _name(tag: str) -> str:
    space, _, local = tag.removeprefix("{").rpartition("}")
    prefix = PREFIXES.get(space)
    return f"{prefix}:{local}" if prefix else local


def xmp_fields(packet: bytes) -> dict[str, object]:
    """Simple properties and lists of an XMP packet (ISO 16684-1), named `prefix:property`; nested ones as `a/b`.

    Raises Unreadable for broken XML and for packets with a DOCTYPE (entities could expand without end).
    """
    body = packet[:LARGEST_PACKET].strip(b"\0 \r\n\t")
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable("an XMP packet in UTF-16 is not read")
    if _FORBIDDEN.search(body):
        raise Unreadable("an XMP packet with a DOCTYPE is not read")
    start, end = body.find(b"<x:xmpmeta"), body.rfind(b"</x:xmpmeta>")
    if start == -1 or end == -1:
        start, end = body.find(b"<rdf:RDF"), body.rfind(b"</rdf:RDF>")
        stop = end + len(b"</rdf:RDF>")
    else:
        stop = end + len(b"</x:xmpmeta>")
    if start == -1 or end == -1:
        raise Unreadable("no XMP in the packet")
    try:
        root = ElementTree.fromstring(body[start:stop])  # noqa: S314  # no DOCTYPE, at most 1 MiB
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # or an unknown encoding
        raise Unreadable(f"XMP: {error}") from error
    fields: dict[str, object] = {}
    for description in root.iter(f"{RDF}Description"):
        _described(description, "", fields, 0)
    return fields


def _described(element: ElementTree.Element, prefix: str, fields: dict[str, object], depth: int) -> None:
    for key, value in element.attrib.items():
        if not key.startswith((RDF, "{http://www.w3.org/XML")) and len(fields) < MOST_FIELDS:
            fields.setdefault(prefix + _name(key), value[:4096])
    for child in element:
        if child.tag.startswith(RDF) or len(fields) >= MOST_FIELDS or depth > 6:
            continue
        name = prefix + _name(child.tag)
        items = [item for kind in ("Bag", "Seq", "Alt") for item in child.findall(f"{RDF}{kind}/{RDF}li")]
        texts = [(item.text or "").strip()[:4096] for item in items[:1000]]
        if items and any(texts):
            kept = [text for text in texts if text]
            fields.setdefault(name, kept[0] if child.find(f"{RDF}Alt") is not None and len(kept) == 1 else kept)
        elif (child.text or "").strip():
            fields.setdefault(name, (child.text or "").strip()[:4096])
        elif not items:
            _described(child, f"{name}/", fields, depth + 1)


IIM = {
    5: "object_name",
    15: "category",
    25: "keywords",
    55: "date_created",
    60: "time_created",
    62: "digital_date",
    63: "digital_time",
    65: "program",
    70: "program_version",
    80: "byline",
    85: "byline_title",
    90: "city",
    92: "sublocation",
    95: "province",
    100: "country_code",
    101: "country",
    103: "transmission_reference",
    105: "headline",
    110: "credit",
    115: "source",
    116: "copyright",
    118: "contact",
    120: "caption",
    122: "caption_writer",
}


def iptc_fields(data: bytes) -> dict[str, object]:
    """Record-2 datasets of IPTC-IIM 4.2, bare or inside Photoshop's image resource 0x0404; keywords always a list."""
    found: dict[str, object] = {}
    for block in _resources(data) if data.startswith(b"8BIM") else [data]:
        position, codec = 0, "utf-8"
        while position + 5 <= len(block) and block[position] == 0x1C:
            record, dataset, length = (
                block[position + 1],
                block[position + 2],
                struct.unpack_from(">H", block, position + 3)[0],
            )
            if length & 0x8000:  # extended datasets are pictures, not texts
                break
            raw = block[position + 5 : position + 5 + length]
            position += 5 + length
            if record == 2 and dataset in IIM and len(found) < MOST_FIELDS:
                try:
                    text = raw.decode(codec)
                except UnicodeDecodeError:
                    text = raw.decode("latin-1")
                name = IIM[dataset]
                if dataset == 25:
                    listed = found.setdefault(name, [])
                    if isinstance(listed, list) and len(listed) < 1000:
                        listed.append(text)
                else:
                    found.setdefault(name, text)
    return found


def _resources(data: bytes) -> list[bytes]:
    """The IPTC resources (0x0404) among Photoshop's image resource blocks."""
    found, position = [], 0
    while data[position : position + 4] == b"8BIM" and position + 12 <= len(data):
        number, name_length = struct.unpack_from(">HB", data, position + 4)
        at = position + 6 + (name_length + 2) // 2 * 2
        if at + 4 > len(data):
            break
        length = struct.unpack_from(">I", data, at)[0]
        if number == 0x0404:
            found.append(data[at + 4 : at + 4 + length])
        position = at + 4 + length + (length & 1)
    return found
