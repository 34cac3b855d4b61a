"""Text that a recogniser reads in pictures likely to hold some: screenshots, scans, drawn and received pictures."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from wigmore.artifacts.media.recognition import DAMAGE, LARGEST, MISSING, NotInstalled, Page, engine, read_text
from wigmore.artifacts.media.structure import format_of
from wigmore.model.canonical import clean
from wigmore.model.protocols import EvidenceFile, Gap, Locator, ParseError, Record, Yield
from wigmore.registry import Claim, parser

LEAST_BYTES = 400
SHORTER, LONGER = 48, 160  # pixels that a picture needs on its shorter and longer side: smaller ones are icons
NARROW = 30  # times as long as wide: the frames of an animation in a row, longer than the longest screenshot
# where systems and programs keep pictures of their own, or thousands of passing ones: reading those would take hours
_KEPT = re.compile(
    r"/(?:windows(?:\.old)?/(?:web|system32|syswow64|winsxs|systemapps|systemresources|resources|installer|help|assembly)"
    r"|program ?files[^/]*|windowsapps|usr/(?:share|lib|local|src)|node_modules|site-packages|[^/]*\.app|[^/]*\.bundle"
    r"|system/(?:library|app|priv-app|framework|media|product)|data/app|library/desktop pictures"
    r"|caches?|cache2|cache_data|code_cache|inetcache|temporary internet files|content\.ie5|\.?thumbnails?)/"
)
MAKE = 0x010F


def _dimensions(kind: str, head: bytes) -> tuple[int, int] | None:
    """Width and height where the first bytes tell them."""
    if kind == "png" and len(head) >= 24:
        return struct.unpack_from(">II", head, 16)
    if kind == "gif" and len(head) >= 10:
        return struct.unpack_from("<HH", head, 6)
    position = 2
    while kind == "jpeg" and position + 9 <= len(head) and head[position] == 0xFF:
        marker, length = head[position + 1], int.from_bytes(head[position + 2 : position + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", head, position + 5)
            return width, height
        position += 2 + length
    return None


def _from_camera(head: bytes) -> bool:
    """Whether an EXIF directory in the first bytes names a maker of the device."""
    for mark, order, byte_order in ((b"II*\0", "<", "little"), (b"MM\0*", ">", "big")):
        at = head.find(mark)
        if at < 0 or at + 8 > len(head):
            continue
        directory = at + struct.unpack_from(order + "I", head, at + 4)[0]
        count = int.from_bytes(head[directory : directory + 2], byte_order)  # type: ignore[arg-type]
        for entry in range(directory + 2, min(directory + 2 + 12 * min(count, 200), len(head) - 1), 12):
            if int.from_bytes(head[entry : entry + 2], byte_order) == MAKE:  # type: ignore[arg-type]
                return True
    return False


def likely(head: bytes, path: str, size: int) -> bool:
    """Whether a picture may hold text that is worth the seconds: no icon, no camera's, not among a program's own."""
    kind = format_of(head)
    # a HEIC is a camera's, and says so far behind its first bytes
    if kind in ("", "heif") or not LEAST_BYTES <= size <= LARGEST or _KEPT.search("/" + path.lower()):
        return False
    found = _dimensions(kind, head)
    if found is not None and (min(found) < SHORTER or max(found) < LONGER or max(found) > NARROW * min(found)):
        return False
    return not _from_camera(head)


def place(page: Page, number: int) -> Locator:
    """Where a line stands: page, its number there, and the box in pixels from the upper left corner."""
    line = page.lines[number]
    box = {"x": line.x, "y": line.y, "width": line.width, "height": line.height}
    return {"kind": "region", "page": page.number, "line": number + 1, **box}


@parser(
    "media.ocr",
    claims=Claim(look=likely),
    beside=True,
    reads="JPEG, PNG, GIF, WebP and TIFF pictures without a camera's EXIF (screenshots, scans, received pictures), from "
    "48 × 160 pixels to 64 MiB, at most 30 times as long as wide, outside the folders of systems, programs and caches; 20 pages "
    "of a TIFF; ocr_image reads others",
    means="a recogniser read this line at this place of the picture, with this confidence",
    does_not_mean="that the line says so: letters are confused (0 and O, 1 and l), dropped or made up, more so in small, slanted "
    "or handwritten text; that a script other than Latin, Chinese or Japanese is read at all, rather than left out or misread; "
    "that a picture without such lines holds no text; when the text was written, or by whom",
    refs=("PP-OCRv6 model card (PaddleOCR)", "RapidOCR documentation", "ONNX Runtime documentation, Thread management"),
    limit_seconds=600.0,
)
def ocr(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line."""
    try:
        reader = engine()
    except NotInstalled as error:
        raise ParseError(file.path, None, MISSING, "unsupported") from error
    for page in pages_of(file):
        for number, line in enumerate(page.lines):
            data = {"text": clean(line.text), "confidence": line.confidence, "page": page.number, "pages": page.pages}
            about = {"page_size": f"{page.width} × {page.height}", "engine": reader}
            yield place(page, number), Record(data | about)
        if page.left_out:
            yield Gap(f"page {page.number}: {page.left_out}", None, "too_large")


def pages_of(file: EvidenceFile) -> tuple[Page, ...]:
    """The pages of a picture with their lines; raises ParseError where it cannot be decoded or the engine is not there."""
    content = file.read(LARGEST)
    try:
        return read_text(content, format_of(content[:32]))
    except NotInstalled as error:
        raise ParseError(file.path, None, str(error), "unsupported") from error
    except DAMAGE as error:
        raise ParseError(file.path, None, f"{type(error).__name__}: {error}"[:300], "damaged") from error
