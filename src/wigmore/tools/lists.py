"""The examiner's lists: what was found with them, and indicators matched against the values of records."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wigmore.artifacts.lists.ioc_list import read_indicators
from wigmore.artifacts.lists.ioc_values import Indicator, whole
from wigmore.model.canonical import canonical
from wigmore.model.lists import ListError
from wigmore.registry import tool
from wigmore.tools.context import CAP, ToolContext, ToolOutput
from wigmore.tools.lookup import Kind, Row, answer, joined, texts

HITS = {
    "keywords": ("lists.keyword_hit", "lists.keyword_count"),
    "known_bad": ("lists.known_bad",),
    "known_good": ("lists.known",),
    "yara": ("lists.yara_hit",),
    "iocs": ("lists.ioc_hit", "lists.ioc_count"),
}
AT_ONCE = 300  # values of one pattern that the database compiles
SHOWN = 20  # places of one record that are shown


@tool("list_hits", domain="lists")
def list_hits(context: ToolContext, kind: str = "", text: str = "", limit: int = 500) -> ToolOutput:
    """List what the examiner's lists found in files: keyword hits, known-bad and known-good files, YARA hits, indicators.

    `kind` is keywords, known_bad, known_good, yara or iocs (nothing: all but known_good); `text` keeps hits whose data contain
    it (no case). A hit shows bytes, not what was done with the file.
    """
    if kind and kind not in HITS:
        return ToolOutput.failed(f"unknown kind {kind!r}; one of {', '.join(HITS)}")
    wanted = [kind] if kind else [name for name in HITS if name != "known_good"]
    kinds = [Kind(tuple(artifact for name in wanted for artifact in HITS[name]))]
    return answer(context, kinds, "list of the examiner", text=text, limit=limit)


@tool("match_iocs", domain="lists", cost=3)
def match_iocs(context: ToolContext, ioc_type: str = "", text: str = "", limit: int = 500) -> ToolOutput:
    """Match the case's indicators (addresses, domains, URLs, hashes, names, registry keys…) against the values of records.

    Typed: an address or hash matches a whole token, a domain also hosts below it. Each row is a record with `iocs`: type, value,
    list, line and the value it stands in. `ioc_type` is md5, sha1, sha256, ip, domain, url, email, filename, path, registry,
    mutex or text; `text` keeps indicators containing it. A record holding the value shows no contact by itself.
    """
    try:
        files = tuple(file for file in context.lists() if file.kind == "iocs")
        known = read_indicators(files)
    except (ListError, ValueError) as error:
        return ToolOutput.failed(str(error))
    if not files:
        return ToolOutput.not_applicable("the case names no list of indicators (`iocs:` in case.yaml)")
    chosen = [one for one in known.all if ioc_type in ("", one.kind) and text.lower() in one.value.lower()]
    if not chosen:
        return ToolOutput.not_applicable("no indicator of the lists is of this type and text")
    if not context.store.parts:
        return ToolOutput.failed("there are no records yet")
    out = ToolOutput.of(_matching(context, chosen), cap=max(1, min(limit, CAP)))
    refused = sum(reading.refused for reading in known.readings)
    note = f"matched {len(chosen)} indicators against the values of records"
    if refused:
        note = joined(note, f"{refused} entries of the lists could not be used")
    return ToolOutput(out.outcome, out.rows, note, out.more)


def _values(row: Row) -> Iterator[str]:
    """The values of a record as text; a registry key and the name of its value also as one path."""
    data = row["data"]
    yield from texts(data)
    if isinstance(data.get("key"), str) and isinstance(data.get("value_name"), str):
        yield f"{data['key']}\\{data['value_name']}"


def _re2(text: str) -> str:
    """An ASCII text as a pattern of the database (RE2), where only punctuation may be escaped."""
    return re.sub(r"([^\w\s])", r"\\\1", text)


def _matching(context: ToolContext, chosen: list[Indicator]) -> Iterator[Row]:
    by_text: dict[str, list[Indicator]] = {}
    for one in chosen:
        by_text.setdefault(one.sought.lower(), []).append(one)
    ordered = sorted(by_text, key=lambda text: (-len(text), text))
    pattern = re.compile("(?=(" + "|".join(map(re.escape, ordered)) + "))")
    tests, parameters = [], []
    # the name of a registry value may stand in a field of its own: the key alone is the sieve
    keys = {text for text, meant in by_text.items() if all(one.kind == "registry" for one in meant)}
    sieve = sorted({(text.rpartition("\\")[0] or text) if text in keys else text for text in ordered})
    for start in range(0, len(sieve), AT_ONCE):
        # stored JSON is ASCII with escapes: the texts are sought as they stand there
        stored = [_re2(canonical(text).decode()[1:-1].lower()) for text in sieve[start : start + AT_ONCE]]
        tests.append("regexp_matches(lower(data), ?)")
        parameters.append("|".join(stored))
    where = f"NOT starts_with(artifact, 'lists.') AND ({' OR '.join(tests)})"
    for row in context.records(["*"], where, parameters, None):
        places = []
        for leaf in _values(row):
            low = leaf.lower()
            for match in pattern.finditer(low):
                # of values that begin alike the longest is met: shorter ones are tried besides
                for at in range(len(match[1]), 0, -1):
                    for one in by_text.get(match[1][:at], ()):
                        before, behind = (
                            low[max(0, match.start() - 300) : match.start()],
                            low[match.start() + at :][:300],
                        )
                        if whole(one.kind, match[1][:at], before, behind):
                            places.append(
                                {
                                    "ioc_type": one.kind,
                                    "ioc": one.value,
                                    "list": one.file.name,
                                    "line": one.line,
                                    "value": leaf[max(0, match.start() - 100) : match.start() + at + 100],
                                }
                            )
                if len(places) > 1000:
                    break
        unique = list({canonical(place): place for place in places}.values())
        if unique:
            yield {**row, "iocs": unique[:SHOWN]}
