"""Keywords of the examiner's list, found in the text that a recogniser read in pictures."""

from __future__ import annotations

import io
from collections.abc import Iterator

from wigmore.artifacts.lists.entries import HITS_OF_ENTRY, HITS_OF_LIST, Bounds, named, note, surroundings
from wigmore.artifacts.lists.keyword_list import read_keywords
from wigmore.artifacts.lists.search import Cut
from wigmore.artifacts.media.ocr import likely, pages_of, place
from wigmore.model.lists import ListError, current
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Recorder, Yield
from wigmore.registry import Claim, parser


@parser(
    "lists.keywords_read",
    claims=Claim(look=lambda head, path, size: bool(current().of("keywords")) and likely(head, path, size)),
    beside=True,
    lists=("keywords",),
    limit_seconds=600,
    artifacts=("lists.keyword_hit",),
    reads="the pictures that media.ocr reads, where the case names a keyword list: a line of text at a time",
    means="a recogniser read a term of the examiner's list in this line of the picture",
    does_not_mean="that the picture says so: letters are confused, dropped or made up; that a term is not there misread, broken "
    "over two lines or in a script that is not read; what the picture is about, who made or saw it",
    refs=("PP-OCRv6 model card (PaddleOCR)", "YARA-X documentation: patterns"),
)
def keywords_read(file: EvidenceFile) -> Iterator[Yield]:
    """One record a hit (at most 50 of a term, 500 of a list in one picture)."""
    try:
        sought = current().made(read_keywords, "keywords")
    except ListError as error:
        raise ParseError(file.path, None, str(error), "unsupported") from error
    yield Recorder("on", note=note(sought.readings) + "; the text read in the picture")
    if sought.searcher is None:
        return
    bounds, cut_off = Bounds(), False
    for page in pages_of(file):
        for number, line in enumerate(page.lines):
            for hit in sought.searcher.hits(io.BytesIO(line.text.encode("utf-8", "replace"))):
                if isinstance(hit, Cut):
                    yield Gap(hit.message, None, hit.reason)
                    continue
                term = sought.terms[hit.needle.entry]
                if not bounds.room(hit.needle.entry, term.file):
                    cut_off = True
                    continue
                data = {"term": term.text, "term_kind": term.kind, "encoding": "text read in a picture"}
                data |= surroundings(hit) | named(term.file)
                found = {"list": term.file.sha256[:16], "entry": term.line, "byte": hit.offset}
                yield (
                    place(page, number) | found,
                    Record(data | {"line": term.line, "confidence": line.confidence}, artifact="lists.keyword_hit"),
                )
        if page.left_out:
            yield Gap(f"page {page.number}: {page.left_out}", None, "too_large")
    if cut_off:
        message = f"more than {HITS_OF_ENTRY} hits of a term or {HITS_OF_LIST} of a list: the rest are left out"
        yield Gap(message, None, "too_large")
