"""Text files that no format claims: tables, INI, XML and JSON by their structure, everything else line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wigmore.artifacts.generic.text_tables import table_of, table_rows
from wigmore.artifacts.generic.text_trees import ini_sections, looks_ini, looks_xml, tree_of_json, tree_of_xml
from wigmore.artifacts.logs.clock import MONTH, apache, month_number, written, yearless
from wigmore.artifacts.logs.framework import place
from wigmore.artifacts.logs.lines import encoding_of, lines, sample
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import Time
from wigmore.registry import Claim, parser

LARGEST = 8 * 1024 * 1024
MOST_LINES = 200_000
LONGEST_TEXT = 32_768  # characters of one line kept in its record
_ISO = re.compile(
    r"[\[(<\"']?(\d{4})[-/.](\d\d)[-/.](\d\d)[T _](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?\s?(Z|UTC|[+-]\d\d:?\d\d(?!\d))?"
)
_APACHE = re.compile(rf"[^\[]{{0,200}}\[(\d\d/(?:{MONTH})/\d{{4}}:\d\d:\d\d:\d\d [+-]\d{{4}})\]")
_CLASSIC = re.compile(rf"({MONTH}) {{1,2}}(\d{{1,2}}) (\d\d:\d\d:\d\d)\b")
_PAIRS = re.compile(r"(?<![\w.-])([A-Za-z_][\w.-]{0,63})=(\"[^\"]*\"|'[^']*'|[^\s,;&\"']+)")


def leading_time(text: str) -> Time | None:
    """The time a line starts with, if it is of an unambiguous form (ISO order, Common Log, or month name); else
    None.
    """
    if match := _ISO.match(text):
        year, month, day, clock, fraction, zone = match.groups()
        form = f"{year}-{month}-{day}T{clock}{'.' + fraction if fraction else ''}{zone or ''}"
        return written(form, match[0].strip("[(<\"' "))
    if match := _APACHE.match(text):
        return apache(match[1])
    if match := _CLASSIC.match(text):
        return yearless(month_number(match[1]), int(match[2]), match[3], match[0])
    return None


def _look(head: bytes, path: str, size: int) -> bool:
    return 0 < size <= LARGEST and encoding_of(head) is not None


@parser(
    "generic.text",
    claims=Claim(look=_look),
    tier=2,
    artifacts=("generic.text", "generic.table", "generic.ini", "generic.xml", "generic.json"),
    reads="text files up to 8 MiB that no specific parser claims: CSV and TSV with a header, INI, XML, JSON, plain "
    "lines",
    means="this text stands at this place of the file; a time is the one written at the start of the line or in the "
    "column named so",
    does_not_mean="anything about what the writing program meant by a column or line; the zone of a time written "
    "without one",
    refs=("RFC 4180", "RFC 8259", "XML 1.0 (W3C)", "Unicode Standard, byte-order mark"),
)
def text(file: EvidenceFile) -> Iterator[Yield]:
    """One record a row, section, element or line; at most 200,000."""
    with file.open() as stream:
        head = stream.read(8192)
    listed = sample(head)
    if looks_xml(listed):
        tree = tree_of_xml(file)
        if tree is not None:
            yield from tree
            return
    if listed and listed[0].lstrip()[:1] in ("{", "["):
        tree = tree_of_json(file)
        if tree is not None:
            yield from tree
            return
    shape = table_of(listed)
    if shape is not None:
        yield from table_rows(file, shape, MOST_LINES)
    elif looks_ini(listed):
        yield from ini_sections(file)
    else:
        yield from _plain(file)


def _plain(file: EvidenceFile) -> Iterator[Yield]:
    given = 0
    for line in lines(file):
        if not line.text.strip():
            continue
        if given >= MOST_LINES:
            yield Gap(f"more than {MOST_LINES} lines", line.offset, "too_large")
            return
        given += 1
        data: dict[str, object] = {"line": line.number, "text": line.text[:LONGEST_TEXT]}
        if len(line.text) > LONGEST_TEXT:
            data["cut_from_characters"] = len(line.text)
        if line.fallback:
            data["encoding"] = f"{line.fallback} (assumed)"
        pairs = _PAIRS.findall(line.text[:LONGEST_TEXT])
        if len(pairs) >= 2:
            for key, value in pairs[:60]:
                data.setdefault(key, value.strip("\"'"))
        time = leading_time(line.text[:300])
        yield place(line), Record(data, {"line_time": time} if time else {}, "line_time" if time else None)
