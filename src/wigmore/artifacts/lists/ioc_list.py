"""Lists of indicators: CSV (`type,value,…` or a column of values) and STIX 2.1 bundles.

Of a STIX pattern those are used that compare one object's property with a constant (`=`, `IN`), joined by OR; what needs more
(AND, LIKE, FOLLOWEDBY, WITHIN, NOT …) is named as not usable, because a part of it alone would say something else.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wigmore.artifacts.lists.entries import Reading
from wigmore.artifacts.lists.ioc_values import HASHES, KINDS, Indicator, indicator
from wigmore.artifacts.lists.search import Needle, Searcher, needles_of
from wigmore.model.lists import ListFile

MOST = 200_000
KIND_COLUMNS = ("type", "indicatortype", "ioctype", "kind", "attributetype")
VALUE_COLUMNS = ("value", "indicator", "ioc", "iocvalue", "observable", "indicatorvalue")
LABEL_COLUMNS = ("description", "comment", "label", "name", "malware", "threat", "note", "source", "tags")
_STRING = r"'((?:[^'\\]|\\.)*)'"
_PATH = r"([a-z0-9-]+:[A-Za-z0-9_.'\"\[\]*-]+)"
_EQUAL = re.compile(rf"\s*{_PATH}\s*=\s*{_STRING}\s*")
_IN = re.compile(rf"\s*{_PATH}\s+IN\s+\(\s*({_STRING}(?:\s*,\s*{_STRING})*)\s*\)\s*")


@dataclass
class Indicators:
    """The indicators of some lists, those that are hashes by their digits, and a search for them all."""

    all: list[Indicator]
    hashes: dict[str, list[int]]
    names: dict[str, list[int]]  # file names, and the last parts of paths, in lower case
    readings: list[Reading]
    searcher: Searcher | None


def comparisons(pattern: str) -> list[tuple[str, str]]:
    """(object path, constant) of a STIX pattern of simple comparisons; raises ValueError for any other."""
    out: list[tuple[str, str]] = []
    at, expecting, depth = 0, True, 0
    while at < len(pattern):
        if expecting and (skip := re.compile(r"\s*([\[(])\s*").match(pattern, at)):
            depth, at = depth + 1, skip.end()
        elif expecting and (one := _EQUAL.match(pattern, at)):
            out.append((one[1], _unescaped(one[2])))
            at, expecting = one.end(), False
        elif expecting and (many := _IN.match(pattern, at)):
            out += [(many[1], _unescaped(value)) for value in re.findall(_STRING, many[2])]
            at, expecting = many.end(), False
        elif not expecting and (skip := re.compile(r"\s*([\])])\s*").match(pattern, at)):
            depth, at = depth - 1, skip.end()
        elif not expecting and (skip := re.compile(r"\s*OR\s+|\s*OR(?=[\[(])").match(pattern, at)):
            at, expecting = skip.end(), True
        else:
            raise ValueError(f"the pattern is not of simple comparisons only: {pattern[at : at + 60]!r}")
    if expecting or depth:
        raise ValueError("the pattern does not end")
    return out


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _kind_of_path(path: str) -> str:
    plain = path.lower().replace("'", "").replace('"', "")
    if plain not in KINDS:
        raise ValueError(f"{path} is not looked for")
    return plain


def _stix(file: ListFile, content: bytes, reading: Reading) -> Iterator[Indicator]:
    try:
        bundle = json.loads(content)
    except (ValueError, RecursionError) as error:
        reading.refuse("the file", f"no JSON: {str(error)[:200]}")
        return
    objects: Any = bundle.get("objects", [bundle]) if isinstance(bundle, dict) else bundle
    if not isinstance(objects, list):
        reading.refuse("the file", "no STIX bundle: `objects` is no list")
        return
    number = 0
    for number, one in enumerate((o for o in objects if isinstance(o, dict) and o.get("type") == "indicator"), start=1):
        where = str(one.get("id") or f"indicator {number}")[:120]
        if str(one.get("pattern_type", "stix")) != "stix":
            reading.refuse(where, f"its pattern is of type {str(one['pattern_type'])[:40]}")
            continue
        if one.get("revoked") is True:
            reading.refuse(where, "it is revoked")
            continue
        try:
            for path, value in comparisons(str(one.get("pattern", ""))):
                yield indicator(file, number, _kind_of_path(path), value, str(one.get("name") or where))
        except ValueError as error:
            reading.refuse(where, str(error))
    if not number:
        reading.refuse("the file", "there is no indicator in it")


def _table(file: ListFile, content: bytes, reading: Reading) -> Iterator[Indicator]:
    text = content.decode("utf-8-sig", "replace")
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    lines = csv.reader(text.splitlines(), delimiter=max(",;\t", key=first.count))
    kind_at, value_at, label_at = 0, 1, 2
    header = True
    try:
        for cells in lines:
            cells = [c.strip() for c in cells]
            if not any(cells) or cells[0].startswith("#"):
                continue
            if header:
                header = False
                names = [re.sub(r"[\W_]", "", c.lower()) for c in cells]
                values = [names.index(n) for n in VALUE_COLUMNS if n in names]
                if values:
                    value_at = values[0]
                    kind_at = next((names.index(n) for n in KIND_COLUMNS if n in names), -1)
                    label_at = next((names.index(n) for n in LABEL_COLUMNS if n in names), -1)
                    continue
            yield from _row(file, lines.line_num, cells, (kind_at, value_at, label_at), reading)
    except csv.Error as error:
        reading.refuse(f"line {lines.line_num}", str(error))


def _row(
    file: ListFile, line: int, cells: list[str], columns: tuple[int, int, int], reading: Reading
) -> Iterator[Indicator]:
    kind_at, value_at, label_at = columns
    try:
        if len(cells) == 1:
            yield indicator(file, line, "", cells[0])
            return
        if value_at >= len(cells):
            raise ValueError("there is no value")
        kind = cells[kind_at] if 0 <= kind_at < len(cells) else ""
        label = cells[label_at] if 0 <= label_at < len(cells) else ""
        kinds, values = kind.split("|"), cells[value_at].split("|")
        if len(kinds) == len(values) == 2 and kinds[1].strip().lower() != "port":  # MISP: filename|sha256
            for one, value in zip(kinds, values, strict=True):
                yield indicator(file, line, one, value, label)
            return
        yield indicator(file, line, kind, cells[value_at], label)
    except ValueError as error:
        reading.refuse(f"line {line}", str(error))


def read_indicators(files: tuple[ListFile, ...]) -> Indicators:
    """Read lists of indicators; raises ListError where one cannot be read."""
    found: dict[tuple[str, str, str], Indicator] = {}
    readings = []
    for file in files:
        reading = Reading(file)
        content = file.read()
        stix = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") or file.name.lower().endswith(".json")
        for one in (_stix if stix else _table)(file, content, reading):
            if len(found) >= MOST:
                reading.refuse(f"line {one.line}", f"more than {MOST} indicators")
                continue
            reading.entries += 1
            found.setdefault((file.sha256, one.kind, one.value), one)
        readings.append(reading)
    kept = list(found.values())
    needles: list[Needle] = []
    hashes: dict[str, list[int]] = {}
    names: dict[str, list[int]] = {}
    for entry, one in enumerate(kept):
        if one.kind in HASHES:
            hashes.setdefault(one.value, []).append(entry)
        if one.kind in ("filename", "path"):
            last = one.value.lower().replace("\\", "/").rstrip("/").rpartition("/")[2]
            names.setdefault(last, []).append(entry)
        needles += needles_of(entry, one.sought)
    return Indicators(kept, hashes, names, readings, Searcher(needles) if needles else None)
