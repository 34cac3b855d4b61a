"""Addresses, numbers and links that stand in texts nobody else reads: e-mail, URL, IP, card, Bitcoin, SSN, phone,
birth date.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

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


def _look(head: bytes, path: str, size: int) -> bool:
    return 0 < size <= LARGEST and encoding_of(head) is not None


def _pieces(line: Line) -> Iterator[tuple[int, str]]:
    """A line in pieces of at most SPAN characters, with the place of each; neighbours overlap."""
    if len(line.text) <= SPAN:
        yield 0, line.text
        return
    for at in range(0, len(line.text), SPAN - OVERLAP):
        yield at, line.text[at : at + SPAN]


@parser(
    "generic.features",
    claims=Claim(look=_look),
    tier=2,
    artifacts=("generic.features", "generic.features_summary"),
    reads="text and HTML files up to 16 MiB that no specific parser claims",
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
    with file.open() as stream:
        found = encoding_of(stream.read(8192))
    codec = found[0] if found else "utf-8"
    counts: Counter[tuple[str, str]] = Counter()
    given, cut = 0, False
    for line in lines(file):
        coding = line.fallback or codec
        for at, piece in _pieces(line):
            for feature in features(piece):
                if at and feature.start == 0 and len(piece) == SPAN:
                    continue  # cut at the piece's edge; whole in the overlap of the piece before
                key = (feature.kind, feature.value)
                counts[key] += 1
                if counts[key] > OFTEN:
                    continue
                if given >= MOST_HITS:
                    cut = True
                    continue
                given += 1
                start = at + feature.start
                offset = line.offset + len(line.text[:start].encode(coding, "surrogatepass"))
                length = len(line.text[start : at + feature.end].encode(coding, "surrogatepass"))
                context = line.text[max(0, start - AROUND) : at + feature.end + AROUND]
                yield (
                    {"kind": "offset", "offset": offset, "length": length, "line": line.number},
                    Record(
                        {
                            "feature": feature.kind,
                            "value": feature.value,
                            "checked": feature.checked,
                            "context": context,
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
