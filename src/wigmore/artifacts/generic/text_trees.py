"""INI files, small XML and JSON documents as records of flat fields."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.logs.framework import place
from wigmore.artifacts.logs.json_lines import flat, json_time, loaded
from wigmore.artifacts.logs.lines import Line, lines
from wigmore.model.canonical import clean
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import Time

LARGEST = 8 * 1024 * 1024
MOST_RECORDS = 50_000
MOST_FIELDS = 200
DEEPEST = 100
_SECTION = re.compile(r"\s*\[([^\[\]]{1,200})\]\s*$")
_PAIR = re.compile(r"\s*([^=;#\s][^=]{0,200}?)\s*=\s?(.*)$")
_TIME_NAME = re.compile(r"time|date|stamp|created|modified|_at$", re.I)
_FORBIDDEN = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.I)


def _times(data: dict[str, Any]) -> dict[str, Time]:
    found: dict[str, Time] = {}
    for name, value in data.items():
        if (
            len(found) < 8
            and _TIME_NAME.search(name)
            and isinstance(value, str | int | float)
            and (time := json_time(value))
        ):
            found[name] = time
    return found


def looks_ini(listed: tuple[str, ...]) -> bool:
    """Whether sections in brackets and `key=value` lines make up nearly all of the first lines."""
    kept = [text for text in listed if text.strip() and text.lstrip()[0] not in ";#"]
    sections = sum(1 for text in kept if _SECTION.match(text))
    pairs = sum(1 for text in kept if _PAIR.match(text))
    return bool(kept) and sections >= 1 and pairs >= 1 and (sections + pairs) >= 0.9 * len(kept)


def ini_sections(file: EvidenceFile) -> Iterator[Yield]:
    """One record a section (or each 200 keys of a long one)."""
    section, start, end = "", None, 0
    data: dict[str, Any] = {}

    def record() -> tuple[dict[str, Any], Record]:
        assert start is not None
        times = _times(data)
        return place(start, end - start.offset), Record(
            {"section": section, **data}, times, next(iter(times), None), artifact="generic.ini"
        )

    for line in lines(file):
        named, pair = _SECTION.match(line.text), _PAIR.match(line.text)
        if named or len(data) >= MOST_FIELDS:
            if start is not None:
                yield record()
            section, start, data = (named[1] if named else section), line, {}
        if pair and not named:
            key, number = pair[1], 2
            while key in data:
                key, number = f"{pair[1]}_{number}", number + 1
            data[key] = pair[2].strip()
        elif not named and line.text.strip() and line.text.lstrip()[0] not in ";#":
            data.setdefault("text", []).append(line.text)
        if start is None and (data or named):
            start = line
        end = line.offset + line.length
    if start is not None:
        yield record()


def looks_xml(listed: tuple[str, ...]) -> bool:
    """Whether the text starts like XML (not HTML)."""
    first = " ".join(listed[:20]).lstrip("\ufeff \t").lower()
    return (
        first.startswith(("<?xml", "<"))
        and not re.match(r"<(?:!doctype\s+html|html|head|body|!--)", first)
        and "</" in first + "</"
    )


def tree_of_xml(file: EvidenceFile) -> Iterator[Yield] | None:
    """Records of a well-formed XML document: one for each element that has attributes or simple children.

    None where it is not well-formed, larger than 8 MiB, or declares a DOCTYPE (entities could expand without end).
    """
    if file.size > LARGEST:
        return None
    raw = file.read(LARGEST)
    if _FORBIDDEN.search(raw.replace(b"\0", b"")):
        return None
    try:
        root = ElementTree.fromstring(raw)  # noqa: S314  # no DOCTYPE, at most 8 MiB
    except (ElementTree.ParseError, ValueError, LookupError):
        return None
    return _elements(root)


def _elements(root: ElementTree.Element) -> Iterator[Yield]:
    pending = [(root, _local(root.tag), 0)]
    given = number = 0
    while pending:
        element, path, depth = pending.pop()
        number += 1
        data: dict[str, Any] = {_local(key): value for key, value in list(element.attrib.items())[:MOST_FIELDS]}
        nested = []
        for child in element:
            simple = len(child) == 0 and not child.attrib
            name = _local(child.tag)
            if simple and len(data) < MOST_FIELDS and name not in data:
                data[name] = (child.text or "").strip()
            elif simple and isinstance(data.get(name), list) and len(data[name]) < 1000:
                data[name].append((child.text or "").strip())
            elif simple and isinstance(data.get(name), str):
                data[name] = [data[name], (child.text or "").strip()]
            else:
                nested.append(child)
        text = (element.text or "").strip()
        if text:
            data["text"] = text
        if data:
            if given >= MOST_RECORDS:
                yield Gap(f"more than {MOST_RECORDS} elements", None, "too_large")
                return
            given += 1
            times = _times(data)
            yield (
                {"kind": "member", "element": path, "number": number},
                Record({"element": path, **data}, times, next(iter(times), None), artifact="generic.xml"),
            )
        if depth < DEEPEST:
            pending += [(child, f"{path}/{_local(child.tag)}", depth + 1) for child in reversed(nested)]
        elif nested:
            yield Gap(f"elements deeper than {DEEPEST}", None, "depth")


def _local(tag: object) -> str:
    return clean(str(tag).rpartition("}")[2])[:200] if isinstance(tag, str) else "node"


def tree_of_json(file: EvidenceFile) -> Iterator[Yield] | None:
    """Records of a JSON document: its objects, as large as fit 200 fields; None where it is no JSON."""
    if file.size > LARGEST:
        return None
    listed: list[Line] = list(lines(file))
    value = loaded("\n".join(line.text for line in listed))
    return _objects(value) if isinstance(value, dict | list) else None


def _objects(root: Any) -> Iterator[Yield]:
    pending: list[tuple[Any, str, int]] = [(root, "$", 0)]
    given = 0
    while pending:
        value, path, depth = pending.pop()
        fields = flat(value)
        children = (
            list(value.items())
            if isinstance(value, dict)
            else list(enumerate(value))
            if isinstance(value, list)
            else []
        )
        nested = [(key, inner) for key, inner in children if isinstance(inner, dict | list) and inner]
        entries = isinstance(value, list) and bool(nested)
        if (len(fields) > MOST_FIELDS or entries) and nested and depth < 20:
            rest: Any = {str(key): inner for key, inner in children if not (isinstance(inner, dict | list) and inner)}
            pending += [(inner, f"{path}.{clean(str(key))}", depth + 1) for key, inner in reversed(nested)]
            fields = dict(list(flat(rest).items())[:MOST_FIELDS]) if rest else {}
        if not fields:
            continue
        if given >= MOST_RECORDS:
            yield Gap(f"more than {MOST_RECORDS} objects", None, "too_large")
            return
        given += 1
        times = _times(fields)
        yield (
            {"kind": "key", "key": path},
            Record({"json_path": path, **fields}, times, next(iter(times), None), artifact="generic.json"),
        )
