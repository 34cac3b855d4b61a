"""Indicators of compromise of the examiner's lists, found in each file: its hashes, its name and path, its bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
from wigmore.artifacts.lists.hashes import hashes_of
from wigmore.artifacts.lists.ioc_list import Indicators, read_indicators
from wigmore.artifacts.lists.ioc_values import HASHES, Indicator, whole
from wigmore.artifacts.lists.search import Cut, text_around
from wigmore.model.lists import ListError, current
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Recorder, Yield
from wigmore.registry import Claim, parser


def described(one: Indicator) -> dict[str, Any]:
    """The fields of a record that say which indicator was met."""
    data = {"ioc_type": one.kind, "ioc": one.value, "label": one.label, **named(one.file), "line": one.line}
    return {name: value for name, value in data.items() if value != ""}


def of_file(file: EvidenceFile, sought: Indicators) -> Iterator[tuple[Indicator, str, str]]:
    """(indicator, what it was compared with, the value) for the file's own hashes, name and path."""
    for algorithm, digest in sorted(hashes_of(file).items()) if sought.hashes else ():
        for entry in sought.hashes.get(digest, ()) if algorithm in HASHES else ():
            yield sought.all[entry], f"{algorithm} of the content", digest
    path = "/" + file.path.lower()
    name = path.rsplit("/", 1)[-1]
    for one in (sought.all[entry] for entry in sought.names.get(name, ())):
        if one.kind == "filename":
            yield one, "name of the file", file.path.rsplit("/", 1)[-1]
        else:
            plain = one.value.lower().replace("\\", "/")
            plain = plain[2:] if plain[1:2] == ":" else plain
            plain = plain.rpartition("%")[2]  # %TEMP%\\x and the like: what follows the variable
            if path.endswith("/" + plain.strip("/")):
                yield one, "path of the file", file.path


@parser(
    "lists.iocs",
    claims=Claim(look=lambda head, path, size: bool(current().of("iocs")), free_space=True),
    beside=True,
    lists=("iocs",),
    limit_seconds=900,
    artifacts=("lists.ioc_hit", "lists.ioc_count"),
    reads="files with content, where the case names lists of indicators (CSV, STIX 2.1): their hashes, names, paths and bytes",
    means="a value of the examiner's list of indicators is this file's hash, name or path, or stands whole in its bytes",
    does_not_mean="that the device was compromised or talked to the address: lists, logs of a protection program and web pages "
    "hold the same values; that the indicator is right or was so at the time",
    refs=("STIX 2.1 (OASIS), part 9: patterning", "RFC 4648", "MISP core format: attribute types"),
)
def iocs(file: EvidenceFile) -> Iterator[Yield]:
    """One record a match (at most 50 of an indicator, 500 of a list in one file); a count for each where there are more."""
    try:
        sought = current().made(read_indicators, "iocs")
    except ListError as error:
        raise ParseError(file.path, None, str(error), "unsupported") from error
    yield Recorder("on", note=note(sought.readings) + (OPENED if is_opened(file) else ""))
    for one, compared, value in of_file(file, sought):
        locator = {"kind": "offset", "offset": 0, "length": file.size, "list": one.file.sha256[:16], "entry": one.line}
        data = {**described(one), "matched": compared, "found": value}
        yield {**locator, "ioc": one.value[:80], "matched": compared}, Record(data, artifact="lists.ioc_hit")
    if is_opened(file):
        return
    bounds, cuts = Bounds(), []
    with file.open() as stream:
        for hit in sought.searcher.hits(stream) if sought.searcher else ():
            if isinstance(hit, Cut):
                cuts.append(hit)
                continue
            one = sought.all[hit.needle.entry]
            before, found, behind = text_around(hit)
            if not whole(one.kind, found, before, behind) or not bounds.room(hit.needle.entry, one.file):
                continue
            data = {**described(one), "matched": "content", "encoding": hit.needle.encoding, **surroundings(hit)}
            locator = {**place(hit, one.file, one.line), "ioc": one.value[:80]}
            yield locator, Record(data, artifact="lists.ioc_hit")
    yield from _rest(file, sought, bounds)
    for cut in cuts:
        yield Gap(cut.message, cut.offset, cut.reason)


def _rest(file: EvidenceFile, sought: Indicators, bounds: Bounds) -> Iterator[Yield]:
    """Counts for the lists whose hits are more than get records, and a gap that says so."""
    more = False
    for reading in sought.readings:
        own = [e for e in sorted(bounds.of_entry) if sought.all[e].file == reading.file]
        counts = {sought.all[e].value: bounds.of_entry[e] for e in own}
        hits, recorded = sum(counts.values()), bounds.of_list[reading.file.sha256]
        if hits > recorded:
            more = True
            locator = {"kind": "offset", "offset": 0, "length": file.size, "list": reading.file.sha256[:16]}
            data = {"hits": hits, "recorded": recorded, "iocs": counts, **named(reading.file)}
            yield locator, Record(data, artifact="lists.ioc_count")
    if more:
        message = f"more than {HITS_OF_ENTRY} hits of an indicator or {HITS_OF_LIST} of a list: the rest are counted"
        yield Gap(message, None, "too_large")
