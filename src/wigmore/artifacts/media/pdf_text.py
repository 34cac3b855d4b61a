"""The text of PDF documents, page by page, with the addresses that stand in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wigmore.model.canonical import clean
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.registry import Claim, parser

LARGEST = 64 * 1024 * 1024
PAGES = 2_000
PAGE_TEXT = 32_768  # characters of a page that a record holds
ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
MOST = 200


@parser(
    "document.pdf_text",
    claims=Claim(magic=((0, b"%PDF-"),)),
    beside=True,
    reads="PDF documents up to 64 MiB: text that their pages draw as letters, first 2,000 pages",
    means="the page's content draws these letters, in the order of the content",
    does_not_mean="that a reader sees them (they can lie under pictures, be tiny or of the colour of the paper); that text in "
    "pictures is here; the order on the page; who wrote it",
    refs=("ISO 32000-1, 9 (text)", "pypdf documentation, Extract Text"),
    artifacts=("document.text",),
    limit_seconds=300.0,
)
def pdf_text(file: EvidenceFile) -> Iterator[Yield]:
    """One record a page that has text."""
    if file.size > LARGEST:
        raise ParseError(
            file.path, None, f"{file.size} bytes are more than the {LARGEST} that are read for text", "too_large"
        )
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    # what damaged objects make the library raise, beside its own errors
    errors = (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError,
    ArithmeticError,
              NotImplementedError, OSError, AssertionError)  # fmt: skip
    with file.open() as stream:
        try:
            reader = PdfReader(stream, strict=False)
            if reader.is_encrypted and not reader.decrypt(""):
                raise ParseError(file.path, None, "the document is encrypted: needs its password", "locked")
            count = len(reader.pages)
        except errors as error:
            raise ParseError(
                file.path, None, f"the document cannot be opened: {type(error).__name__}: {error}"[:300], "damaged"
            ) from error
        for number in range(min(count, PAGES)):
            try:
                text = reader.pages[number].extract_text()
            except errors as error:
                yield Gap(f"page {number + 1} cannot be read: {type(error).__name__}: {error}"[:300])
                continue
            text = clean(text.replace("\0", "")).strip()
            if not text:
                continue
            data: dict[str, object] = {"page": number + 1, "pages": count, "text": text[:PAGE_TEXT]}
            if len(text) > PAGE_TEXT:
                data["text_cut"] = True
            if found := sorted(set(ADDRESS.findall(text[: 8 * PAGE_TEXT])))[:MOST]:
                data["emails"] = found
            yield {"kind": "page", "page": number + 1}, Record(data, artifact="document.text")
        if count > PAGES:
            yield Gap(f"{count} pages, {PAGES} are read", None, "too_large")
