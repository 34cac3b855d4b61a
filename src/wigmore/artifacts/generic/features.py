"""Addresses, numbers and links that stand in texts nobody else reads: e-mail, URL, IP, card, Bitcoin, SSN, phone,
birth date.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from wigmore.artifacts.generic.features_patterns import features
from wigmore.artifacts.logs.lines import Line, encoding_of, lines
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.registry import Claim, parser

LARGEST = 16 * 1024 * 1024
MOST_HITS = 5_000
OFTEN = 20  # occurrences of one value that get a record of their own
MOST_DISTINCT = 300  # values of one kind in the summary
AROUND = 40
SPAN = 16 * 1024  # characters looked at in one go, with an overlap: keeps patterns fast on files of one line
OVERLAP = 256
WINDOW = 1024 * 1024
LONGEST_STRETCH = 8192
# printable characters, one byte each or two (UTF-16LE), in the free space of a volume
_STRETCH = re.compile(rb"[\t\x20-\x7e]{7,8192}(?!\x00[\t\x20-\x7e]\x00)|(?:[\t\x20-\x7e]\x00){7,4096}")
_TELLING = re.compile(rb"[@\d]|:/|:\x00/|\.onion")


@dataclass(frozen=True, slots=True)
class _Text:
    """A stretch of text: what it says, its codec, where it begins in the file, its line where the file has lines."""

    text: str
    codec: str
    offset: int
    line: int | None = None
    torn: bool = False  # begins inside a text that the stretch before shows too
    whole: str = ""  # the line it is a piece of, and where in it
    at: int = 0


def _look(head: bytes, path: str, size: int) -> bool:
    return 0 < size <= LARGEST and encoding_of(head) is not None


def _pieces(line: Line) -> Iterator[tuple[int, str]]:
    """A line in pieces of at most SPAN characters, with the place of each; neighbours overlap."""
    if len(line.text) <= SPAN:
        yield 0, line.text
        return
    for at in range(0, len(line.text), SPAN - OVERLAP):
        yield at, line.text[at : at + SPAN]


def _of_text(file: EvidenceFile) -> Iterator[_Text]:
    with file.open() as stream:
        found = encoding_of(stream.read(8192))
    codec = found[0] if found else "utf-8"
    for line in lines(file):
        coding = line.fallback or codec
        for at, piece in _pieces(line):
            offset = line.offset + len(line.text[:at].encode(coding, "surrogatepass"))
            yield _Text(piece, coding, offset, line.number, at > 0 and len(piece) == SPAN, line.text, at)


def _of_bytes(file: EvidenceFile) -> Iterator[_Text]:
    """The printable stretches of any bytes, one or two bytes a character."""
    at, done = 0, 0
    with file.open() as stream:
        carried = b""
        while fresh := stream.read(WINDOW):
            window = carried + fresh
            border = len(window) if at + len(window) >= file.size else max(0, len(window) - LONGEST_STRETCH)
            for stretch in _STRETCH.finditer(window):
                if stretch.start() >= border:
                    break
                if at + stretch.start() < done or not _TELLING.search(stretch[0]):
                    continue
                done = at + stretch.end()
                wide = stretch[0][1] == 0
                yield _Text(stretch[0][::2].decode("ascii") if wide else stretch[0].decode("ascii"),
                            "utf-16-le" if wide else "ascii", at + stretch.start())  # fmt: skip
            carried = window[border:]
            at += border


@parser(
    "generic.features",
    claims=Claim(look=_look, free_space=True),
    tier=2,
    artifacts=("generic.features", "generic.features_summary"),
    limit_seconds=600.0,  # 64 MiB of free space full of text, on a busy machine
    reads="text and HTML files up to 16 MiB that no specific parser claims; printable text in the free space of a volume",
    means="a string of this form, with the stated check passed, stands at this place",
    does_not_mean="that the address, card, number or account exists or belongs to anyone; who wrote it; that others "
    "are not there "
    "in another form",
    refs=(
        "RFC 5321",
        "RFC 3986",
        "RFC 791",
        "ISO/IEC 7812-1",
        "BIP 13, 173, 350",
        "ISO 13616-1",
        "SSA: social security number structure",
    ),
)
def text_features(file: EvidenceFile) -> Iterator[Yield]:
    """One record a hit (at most 20 of one value, 5,000 of a file), and one summary record with the distinct values
    by kind.
    """
    counts: Counter[tuple[str, str]] = Counter()
    given, cut = 0, False
    with file.open() as stream:
        is_text = file.size <= LARGEST and encoding_of(stream.read(8192)) is not None
    for stretch in _of_text(file) if is_text else _of_bytes(file):
        for feature in features(stretch.text):
            if stretch.torn and feature.start == 0:
                continue  # cut at the piece's edge; whole in the overlap of the piece before
            key = (feature.kind, feature.value)
            counts[key] += 1
            if counts[key] > OFTEN:
                continue
            if given >= MOST_HITS:
                cut = True
                continue
            given += 1
            around, start = stretch.whole or stretch.text, stretch.at + feature.start
            offset = stretch.offset + len(stretch.text[: feature.start].encode(stretch.codec, "surrogatepass"))
            length = len(stretch.text[feature.start : feature.end].encode(stretch.codec, "surrogatepass"))
            locator = {"kind": "offset", "offset": offset, "length": length}
            yield (
                locator if stretch.line is None else {**locator, "line": stretch.line},
                Record(
                    {
                        "feature": feature.kind,
                        "value": feature.value,
                        "checked": feature.checked,
                        "context": around[max(0, start - AROUND) : start + feature.end - feature.start + AROUND],
                    }
                ),
            )
    if counts:
        summary: dict[str, object] = {"hits": sum(counts.values()), "distinct": len(counts)}
        for kind in sorted({kind for kind, _ in counts}):
            values = sorted(value for other, value in counts if other == kind)
            summary[kind] = values[:MOST_DISTINCT]
            summary[f"{kind}_distinct"] = len(values)
        yield {"kind": "offset", "offset": 0, "length": file.size}, Record(summary, artifact="generic.features_summary")
    if cut:
        yield Gap(f"more than {MOST_HITS} hits; the rest are only counted in the summary", None, "too_large")
