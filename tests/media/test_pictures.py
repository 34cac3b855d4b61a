"""Pictures, films and documents made byte by byte: what they say of themselves, and what damage does to that."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest

import wigmore.artifacts.media.documents
import wigmore.artifacts.media.pictures
import wigmore.artifacts.media.video  # noqa: F401  # registers the parsers
from wigmore.artifacts.media.descriptions import Unreadable, iptc_fields, xmp_fields
from wigmore.model.protocols import ParseError


def tag(number: int, kind: int, count: int, value: bytes) -> tuple[int, int, int, bytes]:
    return number, kind, count, value


def directory(entries: list[tuple[int, int, int, bytes]], base: int) -> bytes:
    """An IFD at offset `base`, its long values behind it."""
    table, blob = struct.pack("<H", len(entries)), b""
    behind = base + 2 + 12 * len(entries) + 4
    for number, kind, count, value in entries:
        if len(value) > 4:
            table += struct.pack("<HHII", number, kind, count, behind + len(blob))
            blob += value
        else:
            table += struct.pack("<HHI", number, kind, count) + value.ljust(4, b"\0")
    return table + bytes(4) + blob


def exif(offset: bytes | None = None, south: bool = False) -> bytes:
    """A TIFF structure with maker, original time and a position 10° 30' 36" N (or S), 20° E, and a GNSS time."""
    camera = [tag(0x9003, 2, 20, b"2020:01:02 03:04:05\0")]
    if offset:
        camera.append(tag(0x9011, 2, len(offset), offset))
    ratio = struct.pack("<6I", 10, 1, 30, 1, 36, 1)
    place = [
        tag(1, 2, 2, b"S\0" if south else b"N\0"), tag(2, 5, 3, ratio), tag(3, 2, 2, b"E\0"),
        tag(4, 5, 3, struct.pack("<6I", 20, 1, 0, 1, 0, 1)), tag(7, 5, 3, struct.pack("<6I", 1, 1, 2, 1, 3, 1)),
        tag(0x1D, 2, 11, b"2020:01:02\0"),
    ]  # fmt: skip
    main_size = len(
        directory(
            [
                tag(0x10F, 2, 5, b"Acme\0"),
                tag(0x110, 2, 4, b"X1\0\0"),
                tag(0x8769, 4, 1, bytes(4)),
                tag(0x8825, 4, 1, bytes(4)),
            ],
            8,
        )
    )
    camera_at = 8 + main_size
    place_at = camera_at + len(directory(camera, camera_at))
    main = [
        tag(0x10F, 2, 5, b"Acme\0"), tag(0x110, 2, 4, b"X1\0\0"), tag(0x8769, 4, 1, struct.pack("<I", camera_at)),
        tag(0x8825, 4, 1, struct.pack("<I", place_at)),
    ]  # fmt: skip
    return (
        b"II*\0" + struct.pack("<I", 8) + directory(main, 8) + directory(camera, camera_at) + directory(place, place_at)
    )


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def jpeg(*segments: bytes) -> bytes:
    frame = segment(0xC0, struct.pack(">BHHB", 8, 480, 640, 1) + b"\1\x11\0")
    return b"\xff\xd8" + b"".join(segments) + frame + segment(0xDA, b"\1\1\0\0\x3f\0") + b"\0\xff\xd9"


def test_a_camera_time_without_offset_stays_local_and_gnss_time_is_utc(make, read) -> None:
    records, gaps = read(make(jpeg(segment(0xE1, b"Exif\0\0" + exif())), "x"), "media.exif")
    record = records[0][1]
    assert not gaps
    assert (record.data["make"], record.data["model"], record.data["width"], record.data["height"]) == (
        "Acme",
        "X1",
        640,
        480,
    )
    assert record.data["latitude"] == 10.51 and record.data["longitude"] == 20.0
    assert record.data["latitude_raw"] == "[10, 30, 36]N"
    assert record.times["taken_at"]["text"] == "2020-01-02T03:04:05" and record.times["taken_at"]["instant"] is None
    assert record.times["taken_at"]["owner"] == "camera"
    assert record.times["gps_at"]["text"] == "2020-01-02T01:02:03Z" and record.times["gps_at"]["owner"] == "gnss"
    assert record.time_field == "taken_at"


def test_a_camera_time_with_offset_is_an_instant(make, read) -> None:
    records, _ = read(make(jpeg(segment(0xE1, b"Exif\0\0" + exif(b"+02:00\0"))), "x"), "media.exif")
    assert records[0][1].times["taken_at"]["text"] == "2020-01-02T03:04:05+02:00"
    assert records[0][1].times["taken_at"]["instant"] == 1_577_927_045_000_000


def test_south_is_negative(make, read) -> None:
    records, _ = read(make(jpeg(segment(0xE1, b"Exif\0\0" + exif(south=True))), "x"), "media.exif")
    assert records[0][1].data["latitude"] == -10.51


def test_a_png_of_a_billion_pixels_costs_nothing(make, read) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1 << 30, 1 << 30, 8, 2, 0, 0, 0))
    content += chunk(b"tEXt", b"Author\0eve") + chunk(b"eXIf", exif()) + chunk(b"IEND", b"") + b"hidden"
    records, _ = read(make(content, "x"), "media.exif")
    data = records[0][1].data
    assert data["width"] == 1 << 30 and data["make"] == "Acme"
    assert data["texts"] == {"Author": "eve"} and data["bytes_after_end"] == 6


def test_gif_and_webp_give_dimensions(make, read) -> None:
    gif = b"GIF89a" + struct.pack("<HHBBB", 3, 4, 0, 0, 0) + b"!\xfe\x02hi\0" + b";"
    records, _ = read(make(gif, "x"), "media.exif")
    assert (records[0][1].data["width"], records[0][1].data["height"], records[0][1].data["comments"]) == (3, 4, ["hi"])
    body = (
        b"VP8X"
        + struct.pack("<I", 10)
        + bytes(4)
        + (6).to_bytes(3, "little")
        + (7).to_bytes(3, "little")
        + b"EXIF"
        + struct.pack("<I", len(exif()))
        + exif()
    )
    records, _ = read(make(b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body, "x"), "media.exif")
    assert (records[0][1].data["width"], records[0][1].data["height"], records[0][1].data["make"]) == (7, 8, "Acme")


def test_keywords_of_iptc_and_xmp_are_joined(make, read) -> None:
    iim = b"\x1c\x02\x19" + struct.pack(">H", 4) + b"boat"
    resource = b"8BIM" + struct.pack(">H", 0x0404) + b"\0\0" + struct.pack(">I", len(iim)) + iim
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        b'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        b'xmp:CreateDate="2020-01-02T03:04:05+01:00">'
        b"<dc:subject><rdf:Bag><rdf:li>sea</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    content = jpeg(
        segment(0xED, b"Photoshop 3.0\0" + resource), segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)
    )
    records, _ = read(make(content, "x"), "media.exif")
    assert records[0][1].data["keywords"] == ["boat", "sea"]
    assert records[0][1].times["xmp_created_at"]["owner"] == "author"


def test_xmp_that_declares_entities_is_refused() -> None:
    with pytest.raises(Unreadable):
        xmp_fields(b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&a;</x:xmpmeta>')


def test_iptc_with_a_length_past_its_end_is_borne() -> None:
    assert iptc_fields(b"8BIM\x04\x04\0\0\xff\xff\xff\xff\x1c\x02\x19\xff") == {}


def test_a_torn_jpeg_yields_its_record_and_a_gap(make, read) -> None:
    content = jpeg(segment(0xE1, b"Exif\0\0" + exif()))
    for cut in (4, 40, 150, len(content) - 30):
        records, gaps = read(make(content[:cut], "x"), "media.exif")
        assert len(records) == 1 and gaps


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


def test_a_film_gives_its_time_and_place(make, read) -> None:
    header = struct.pack(">IIIII", 0, 3_600_000_000, 3_600_000_060, 600, 6_000) + bytes(80)
    place = b"+48.8577+002.2950+035/"
    user = box(b"udta", box(b"\xa9xyz", struct.pack(">HH", len(place), 0) + place))
    records, gaps = read(
        make(box(b"ftyp", b"isom\0\0\0\0") + box(b"moov", box(b"mvhd", header) + user), "x"), "media.video"
    )
    record = records[0][1]
    assert (
        record.data["latitude"] == 48.8577
        and record.data["longitude"] == 2.295
        and record.data["duration_seconds"] == 10.0
    )
    assert record.times["created_at"]["text"] == "2018-01-28T16:00:00Z" and not gaps


def test_office_properties_are_read_without_unpacking_the_rest(make, read) -> None:
    core = (
        '<cp:coreProperties xmlns:cp="c" xmlns:dc="d" '
        'xmlns:dcterms="t"><dc:creator>Eve</dc:creator><cp:lastModifiedBy>Bob</cp:lastModifiedBy>'
        "<dcterms:created>2012-11-07T23:29:00Z</dcterms:created></cp:coreProperties>"
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<d/>")
        archive.writestr("docProps/core.xml", core)
    records, _ = read(make(stream.getvalue(), "x"), "document.metadata")
    assert records[0][1].data == {"author": "Eve", "last_modified_by": "Bob", "kind": "word"}
    assert records[0][1].times["created_at"]["text"] == "2012-11-07T23:29:00Z"
    with pytest.raises(ParseError):
        read(make(stream.getvalue()[:60], "x"), "document.metadata")


def test_the_newest_information_of_a_pdf_counts(make, read) -> None:
    content = (
        b"%PDF-1.4\n1 0 obj\n<</Author (Old)>>\nendobj\n%%EOF\n1 0 obj\n<</Author (E\\166e) /Title <FEFF00E9> "
        b"/CreationDate (D:20200102030405+01'00')>>\nendobj\ntrailer <</Info 1 0 R>>\n%%EOF"
    )
    records, _ = read(make(content, "x"), "document.pdf_metadata")
    assert (
        records[0][1].data["author"] == "Eve"
        and records[0][1].data["title"] == "é"
        and records[0][1].data["revisions"] == 2
    )
    assert records[0][1].times["created_at"]["text"] == "2020-01-02T03:04:05+01:00"
