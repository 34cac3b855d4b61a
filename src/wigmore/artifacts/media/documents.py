"""What documents say of themselves: Office Open XML, OpenDocument, OLE summary streams and PDF information."""

from __future__ import annotations

import io
import re
import struct
import xml.etree.ElementTree as ElementTree
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

from wigmore.artifacts.media.descriptions import Unreadable, xmp_fields
from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.model.times import Time, aware, iso
from wigmore.registry import Claim, parser

LARGEST = 256 * 1024 * 1024
LARGEST_PART = 2 * 1024 * 1024
_FORBIDDEN = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.I)
_MEANS = "the program that last saved the document wrote these properties; its times are that computer's clock"
_NOT = (
    "the real author or time (names are typed once per installation, templates carry old ones); that nobody edited "
    "the properties"
)
PARTS = ("docProps/core.xml", "docProps/app.xml", "docProps/custom.xml", "meta.xml")
NAMES = {
    "creator": "author",
    "lastModifiedBy": "last_modified_by",
    "initial-creator": "author",
    "revision": "revision",
    "title": "title",
    "subject": "subject",
    "description": "description",
    "keywords": "keywords",
    "keyword": "keywords",
    "category": "category",
    "Application": "application",
    "AppVersion": "application_version",
    "generator": "application",
    "Company": "company",
    "Manager": "manager",
    "Template": "template",
    "TotalTime": "editing_minutes",
    "Pages": "pages",
    "Words": "words",
    "Characters": "characters",
    "editing-cycles": "revision",
    "editing-duration": "editing_duration",
    "printed-by": "printed_by",
    "contentStatus": "status",
    "language": "language",
    "HyperlinkBase": "hyperlink_base",
    "identifier": "identifier",
    "version": "version",
}
TIMES = {
    "created": "created_at",
    "modified": "modified_at",
    "lastPrinted": "printed_at",
    "creation-date": "created_at",
    "date": "modified_at",
    "print-date": "printed_at",
}


def _zip_look(head: bytes, path: str, size: int) -> bool:
    if head[:4] != b"PK\3\4":
        return False
    marks = (
        b"[Content_Types].xml",
        b"word/",
        b"xl/",
        b"ppt/",
        b"docProps/",
        b"_rels/.rels",
        b"mimetypeapplication/vnd.oasis.opendocument",
    )
    return any(mark in head for mark in marks)


@parser(
    "document.metadata",
    claims=Claim(look=_zip_look),
    reads="Word, Excel and PowerPoint documents (Office Open XML) and OpenDocument files, by content",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("ECMA-376 part 2 (core properties) and part 1 (extended properties)", "OASIS OpenDocument 1.3 part 3, 4.3"),
)
def office_metadata(file: EvidenceFile) -> Iterator[Yield]:
    """One record: author, last author, times, revision, application, statistics; nothing where the archive has no
    such parts.
    """
    data: dict[str, object] = {}
    times: dict[str, Time] = {}
    try:
        with file.open() as stream, zipfile.ZipFile(stream) as archive:
            members = {info.filename: info for info in archive.infolist()[:100_000]}
            for name in PARTS:
                info = members.get(name)
                if info is None:
                    continue
                if info.flag_bits & 1:
                    yield Gap(f"{name} is encrypted", info.header_offset, "locked")
                    continue
                with archive.open(info) as part:
                    raw = part.read(LARGEST_PART + 1)
                if len(raw) > LARGEST_PART or _FORBIDDEN.search(raw):
                    yield Gap(
                        f"{name} is larger than {LARGEST_PART} bytes or declares entities",
                        info.header_offset,
                        "too_large",
                    )
                    continue
                try:
                    _properties(ElementTree.fromstring(raw), data, times)  # noqa: S314  # no DOCTYPE, at most 2 MiB
                except (ElementTree.ParseError, ValueError, LookupError) as error:  # or an unknown encoding
                    yield Gap(f"{name}: {error}", info.header_offset)
            kinds = [
                kind
                for kind, mark in (
                    ("word", "word/document.xml"),
                    ("excel", "xl/workbook.xml"),
                    ("powerpoint", "ppt/presentation.xml"),
                )
                if mark in members
            ]
            macros = sorted(name for name in members if name.endswith(("vbaProject.bin", "Basic/script-lc.xml")))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error, ValueError, OSError) as error:
        raise ParseError(
            file.path, None, f"zip: {error}", "truncated" if "end" in str(error).lower() else "damaged"
        ) from error
    if data or times:
        data |= {"kind": kinds[0]} if kinds else {}
        data |= {"macros": macros} if macros else {}
        first = next((name for name in ("modified_at", "created_at", "printed_at") if name in times), None)
        yield {"kind": "member", "member": "docProps/core.xml"}, Record(data, times, first)


def _properties(root: ElementTree.Element, data: dict[str, object], times: dict[str, Time]) -> None:
    for number, element in enumerate(root.iter()):
        if number > 2_000:
            return
        local = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
        text = (element.text or "").strip()[:4_000]
        if local == "property" or local == "user-defined":
            name = next((value for key, value in element.attrib.items() if key.endswith("name")), "")
            value = text or " ".join((child.text or "").strip() for child in element)[:4_000]
            if name and value:
                data.setdefault(f"custom.{name[:100]}", value)
        elif local in TIMES and text:
            time = iso(text, "author")
            if time:
                times.setdefault(TIMES[local], time)
        elif local in NAMES and text:
            data.setdefault(NAMES[local], text)
        elif local == "document-statistic":
            data |= {key.rpartition("}")[2]: value for key, value in list(element.attrib.items())[:20]}


OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_FIELDS = [
    "title",
    "subject",
    "author",
    "keywords",
    "comments",
    "template",
    "last_saved_by",
    "revision_number",
    "total_edit_time",
    "num_pages",
    "num_words",
    "num_chars",
    "creating_application",
    "security",
    "category",
    "manager",
    "company",
    "codepage",
    "version",
]


@parser(
    "document.ole_metadata",
    claims=Claim(
        magic=((0, OLE_MAGIC),),
        look=lambda head, path, size: head[:8] == OLE_MAGIC and not path.lower().endswith("destinations-ms"),
    ),
    artifacts=("document.metadata",),
    reads="Word, Excel, PowerPoint 97-2003 and other OLE files with a SummaryInformation stream",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("MS-OLEPS 2.25", "MS-OSHARED 2.3.3"),
)
def ole_metadata(file: EvidenceFile) -> Iterator[Yield]:
    """One record: the summary properties; nothing where the file has no such stream."""
    import olefile

    raw = file.read(LARGEST)
    trouble = (
        OSError,
        ValueError,
        IndexError,
        KeyError,
        TypeError,
        struct.error,
        OverflowError,
        AttributeError,
        RecursionError,
    )
    try:
        with olefile.OleFileIO(io.BytesIO(raw), raise_defects=olefile.DEFECT_INCORRECT) as compound:
            if not compound.exists("\x05SummaryInformation"):
                return
            summary = compound.get_metadata()
    except trouble as error:
        raise ParseError(file.path, None, f"OLE: {type(error).__name__}: {error}") from error
    codepage = f"cp{summary.codepage}" if isinstance(summary.codepage, int) and summary.codepage > 0 else "cp1252"
    data: dict[str, object] = {}
    for name in _OLE_FIELDS:
        value = getattr(summary, name, None)
        if isinstance(value, bytes):
            value = _page(value, codepage)
        if value not in (None, "", 0) and isinstance(value, str | int):
            data[name] = value
    times: dict[str, Time] = {}
    for native, name in (
        ("create_time", "created_at"),
        ("last_saved_time", "modified_at"),
        ("last_printed", "printed_at"),
    ):
        value = getattr(summary, native, None)
        if isinstance(value, datetime) and value.year > 1601:
            times[name] = aware(value.replace(tzinfo=UTC), value.isoformat(), "author", "OLE property times are UTC")
    if data or times:
        first = next((name for name in ("modified_at", "created_at", "printed_at") if name in times), None)
        yield (
            {"kind": "member", "member": "\\x05SummaryInformation"},
            Record(data, times, first, artifact="document.metadata"),
        )


def _page(raw: bytes, codepage: str) -> str:
    raw = raw.rstrip(b"\0")
    for codec in ("utf-8" if codepage == "cp65001" else codepage, "utf-8", "latin-1"):
        try:
            return raw.decode(codec)[:4_000]
        except (UnicodeDecodeError, LookupError):
            continue
    return shown(raw)[:4_000]


_INFO = re.compile(rb"/Info\s+(\d{1,9})\s+(\d{1,5})\s+R")
_ENTRY = re.compile(
    rb"/(Title|Author|Subject|Keywords|Creator|Producer|CreationDate|ModDate|Company|SourceModified)\s*(\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\)){0,4000}\)|<[0-9A-Fa-f\s]{0,8000}>)",
    re.S,
)
_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:([+-])(\d\d)'?(\d\d)?'?|(Z))?")


def _pdf_text(raw: bytes) -> str:
    if raw[:1] == b"<":
        digits = re.sub(rb"\s", b"", raw[1:-1])
        body = bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
    else:
        letters = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
        body = re.sub(
            rb"\\([0-7]{1,3}|\r\n|[\s\S])",
            lambda m: (
                bytes([int(m[1], 8) & 255])
                if m[1][:1].isdigit()
                else b""
                if m[1] in (b"\n", b"\r\n", b"\r")
                else letters.get(m[1], m[1])
            ),
            raw[1:-1],
        )
    if body.startswith(b"\xfe\xff"):
        return body[2:].decode("utf-16-be", "replace")
    return body.removeprefix(b"\xef\xbb\xbf").decode(
        "utf-8" if body.startswith(b"\xef\xbb\xbf") else "latin-1", "backslashreplace"
    )


def _pdf_time(text: str) -> Time | None:
    match = _DATE.match(text)
    if not match:
        return None
    year, month, day, hour, minute, second, sign, hours, minutes, utc = match.groups()
    zone = "Z" if utc else f"{sign}{hours}:{minutes or '00'}" if sign else ""
    time = iso(f"{year}-{month or '01'}-{day or '01'}T{hour or '00'}:{minute or '00'}:{second or '00'}{zone}", "author")
    if time:
        time["raw"] = text
    return time


@parser(
    "document.pdf_metadata",
    claims=Claim(look=lambda head, path, size: b"%PDF-" in head[:1024]),
    artifacts=("document.metadata",),
    reads="PDF documents, by content",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("ISO 32000-1, 14.3.3 Document information dictionary and 7.9.4 Dates", "ISO 16684-1 (XMP)"),
)
def pdf_metadata(file: EvidenceFile) -> Iterator[Yield]:
    """One record: version, information dictionary (the newest), XMP, whether encrypted; object streams are not
    searched.
    """
    raw = file.read(LARGEST)
    start = raw.find(b"%PDF-", 0, 1024)
    data: dict[str, object] = {"pdf_version": shown(raw[start + 5 : start + 8]), "revisions": raw.count(b"%%EOF")}
    times: dict[str, Time] = {}
    encrypted = b"/Encrypt" in raw
    if encrypted:
        data["encrypted"] = True
    references = _INFO.findall(raw)
    where = start
    if references and not encrypted:
        number, generation = references[-1]
        objects = list(re.finditer(rb"(?:^|[\r\n\s])%s\s+%s\s+obj\b" % (number, generation), raw))
        if objects:
            where = objects[-1].end()
            body = raw[where : where + 65_536].partition(b"endobj")[0]
            for name, value in _ENTRY.findall(body):
                text = _pdf_text(value)
                native = name.decode("ascii")
                time = _pdf_time(text) if native.endswith(("Date", "Modified")) else None
                if time:
                    times[
                        {"CreationDate": "created_at", "ModDate": "modified_at"}.get(native, "source_modified_at")
                    ] = time
                elif text.strip("\0 "):
                    data[native.lower()] = text[:4_000]
    if encrypted:
        yield Gap("an encrypted PDF: its texts are not readable without the key", None, "locked")
    packet = raw.find(b"<x:xmpmeta")
    if packet != -1:
        stop = raw.find(b"</x:xmpmeta>", packet)
        try:
            fields = xmp_fields(raw[packet : stop + 12]) if stop != -1 else {}
        except Unreadable as error:
            fields = {}
            yield Gap(str(error), packet)
        if fields:
            data["xmp"] = fields
        for native, name in (("xmp:CreateDate", "xmp_created_at"), ("xmp:ModifyDate", "xmp_modified_at")):
            stamp = fields.get(native)
            if isinstance(stamp, str) and (time := iso(stamp, "author")):
                times[name] = time
    first = next(
        (name for name in ("modified_at", "created_at", "xmp_modified_at", "xmp_created_at") if name in times), None
    )
    yield (
        {"kind": "offset", "offset": where, "length": len(raw) - where},
        Record(data, times, first, artifact="document.metadata"),
    )
