"""Keywords of the examiner's list, found in the bytes of each file: every encoding, exact offsets, bounded contexts."""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.lists.entries import (
    HITS_OF_ENTRY,
    HITS_OF_LIST,
    OPENED,
    Bounds,
    is_opened,
    named,
    note,
    place,
    surroundings,
)
from wigmore.artifacts.lists.keyword_list import read_keywords
from wigmore.artifacts.lists.search import Cut
from wigmore.model.lists import ListError, current
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Recorder, Yield
from wigmore.registry import Claim, parser


@parser(
    "lists.keywords",
    claims=Claim(look=lambda head, path, size: bool(current().of("keywords")), free_space=True),
    beside=True,
    lists=("keywords",),
    limit_seconds=900,
    artifacts=("lists.keyword_hit", "lists.keyword_count"),
    reads="files with content, where the case names a keyword list: UTF-8, UTF-16, code pages 1252, 1251 and 866, base64",
    means="these bytes, read in the stated encoding, are a term of the examiner's list",
    does_not_mean="that the text around it is about what the term stands for; who wrote or read it; that the term is not there "
    "compressed, encrypted or in another encoding",
    refs=("RFC 3629", "RFC 2781", "RFC 4648", "Unicode Standard Annex 15", "YARA-X documentation: patterns"),
)
def keywords(file: EvidenceFile) -> Iterator[Yield]:
    """One record a hit (at most 50 of a term, 500 of a list in one file); a count for each term where there are more."""
    try:
        sought = current().made(read_keywords, "keywords")
    except ListError as error:
        raise ParseError(file.path, None, str(error), "unsupported") from error
    yield Recorder("on", note=note(sought.readings) + (OPENED if is_opened(file) else ""))
    if sought.searcher is None or is_opened(file):
        return
    bounds = Bounds()
    cuts: list[Cut] = []
    with file.open() as stream:
        for hit in sought.searcher.hits(stream):
            if isinstance(hit, Cut):
                cuts.append(hit)
                continue
            term = sought.terms[hit.needle.entry]
            if not bounds.room(hit.needle.entry, term.file):
                continue
            data = {
                "term": term.text,
                "term_kind": term.kind,
                "encoding": hit.needle.encoding,
                **surroundings(hit),
                **named(term.file),
                "line": term.line,
            }
            yield place(hit, term.file, term.line), Record(data, artifact="lists.keyword_hit")
    cut_off = False
    for reading in sought.readings:
        counts = {
            sought.terms[entry].text: count
            for entry, count in sorted(bounds.of_entry.items())
            if sought.terms[entry].file == reading.file
        }
        hits, recorded = sum(counts.values()), bounds.of_list[reading.file.sha256]
        if hits > recorded:
            cut_off = True
            yield (
                {"kind": "offset", "offset": 0, "length": file.size, "list": reading.file.sha256[:16]},
                Record(
                    {"hits": hits, "recorded": recorded, "terms": counts, **named(reading.file)},
                    artifact="lists.keyword_count",
                ),
            )
    if cut_off:
        message = f"more than {HITS_OF_ENTRY} hits of a term or {HITS_OF_LIST} of a list: the rest are counted"
        yield Gap(message, None, "too_large")
    for cut in cuts:
        yield Gap(cut.message, cut.offset, cut.reason)
