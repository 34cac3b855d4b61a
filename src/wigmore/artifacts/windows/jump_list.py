"""Windows jump lists: automaticDestinations (DestList joined with its links) and customDestinations."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wigmore.artifacts.windows.link import HEADER, Link, read_link
from wigmore.artifacts.windows.structures import ansi, guid, utf16, uuid_parts
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.model.times import Time, filetime
from wigmore.registry import Claim, parser

LIMIT = 256 * 1024 * 1024
ENTRIES = 100_000
LINK_CLASS = HEADER[4:20]
FOOTER = b"\xab\xfb\xbf\xba"
APPLICATION = re.compile(r"([0-9a-f]{1,16})\.(?:automatic|custom)destinations-ms$", re.IGNORECASE)
# ids are a hash of the program's path or its own AppUserModelID; only those seen often and agreed on
APPLICATIONS = {
    "1b4dd67f29cb1962": "Windows Explorer (7)",
    "f01b4d95cf55d32a": "Windows Explorer (8.1 and later)",
    "5f7b5f1e01b83767": "Quick access",
    "7e4dca80246863e3": "Control Panel",
    "28c8b86deab549a1": "Internet Explorer",
    "9b9cdc69c1c24e2b": "Notepad (64-bit)",
    "918e0ecb43d17e23": "Notepad (32-bit)",
    "1bc392b8e104a00e": "Remote Desktop Connection",
    "74d7f43c1561fc1e": "Windows Media Player",
    "590aee7bdd69b59b": "Windows PowerShell",
    "a7bd71699cd38d1c": "Microsoft Word 2010 (32-bit)",
    "9839aec31243a928": "Microsoft Excel 2010 (32-bit)",
    "9c7cc110ff56d1bd": "Microsoft PowerPoint 2010 (32-bit)",
    "fb3b0dbfee58fac8": "Microsoft Word 365",
    "b8ab77100df80ab2": "Microsoft Excel 365",
    "d00655d2aa12ff6d": "Microsoft PowerPoint 365",
    "9d1f905ce5044aee": "Microsoft Edge",
}
CATEGORIES = {1: "frequent", 2: "recent"}

_MEANS = (
    "The application's jump list names this item; the shell noted its use by that application in this account's "
    "session, last at the entry's time (automatic lists), or the application itself put it there (custom lists)."
)
_DOES_NOT = (
    "That the content was read or that the item still exists. Target times are copies from the target's file "
    "system; the same opening often also leaves a shortcut in Recent. An unknown application id stays unknown."
)
_REFS = (
    "https://github.com/libyal/dtformats/blob/main/documentation/Jump%20lists%20format.asciidoc",
    "MS-SHLLINK",
    "MS-CFB",
)


@dataclass(frozen=True)
class Entry:
    """One element of a DestList: its place in the stream, its stream's number, its fields and times."""

    offset: int
    number: int
    data: dict[str, Any]
    times: dict[str, Time]


def _application(path: str) -> dict[str, Any]:
    """The application id in the file's name, and the program it is known to stand for."""
    match = APPLICATION.search(path)
    if not match:
        return {}
    identifier = match[1].lower()
    known = APPLICATIONS.get(identifier)
    return {"application_id": identifier, **({"application": known} if known else {})}


def dest_list(raw: bytes) -> Iterator[Entry | Gap]:
    """The entries of a DestList stream, versions 1 (Windows 7) and 3, 4… (Windows 10 and later).

    Format: 32-byte header (version, count of entries and of pinned ones), then entries in order of use.
    """
    if len(raw) < 32:
        yield Gap("the DestList is shorter than its header", 0, "truncated")
        return
    version, count, _pinned = struct.unpack_from("<III", raw)
    fixed, path_at, tail = (114, 112, 0) if version == 1 else (130, 128, 4)
    if not 1 <= version <= 6:
        yield Gap(f"DestList version {version} is not known; read like version 4", 0, "schema_unknown")
    position = 32
    for order in range(min(count, ENTRIES)):
        entry = raw[position : position + fixed]
        if len(entry) < fixed:
            yield Gap(f"the DestList ends after {order} of {count} entries", position, "truncated")
            return
        length = struct.unpack_from("<H", entry, path_at)[0] * 2
        path = raw[position + fixed : position + fixed + length]
        number, _, _, used, pin = struct.unpack_from("<IIfQi", entry, 88)
        data: dict[str, Any] = {
            "entry_number": number,
            "entry_order": order,
            "path": utf16(path),
            "hostname": ansi(entry[72:88]),
            "pinned": pin >= 0,
            "destlist_version": version,
        }
        if pin >= 0:
            data["pin_position"] = pin
        if version == 1:
            score = struct.unpack_from("<f", entry, 96)[0]
            data["access_score"] = round(score, 3) if abs(score) < 1e9 else None  # also False for NaN
        else:
            data["access_count"] = struct.unpack_from("<I", entry, 116)[0]
        times: dict[str, Time] = {}
        if moment := filetime(used):
            times["last_used"] = moment
        for index, name in enumerate(("droid_volume", "droid_file", "birth_droid_volume", "birth_droid_file")):
            part = entry[8 + 16 * index : 24 + 16 * index]
            data[name] = guid(part)
            if name.endswith("file"):
                mac, moment = uuid_parts(part)
                if mac:
                    data["mac_address" if name == "droid_file" else "birth_mac_address"] = mac
                if moment:
                    times[f"{name}_time"] = moment
        if len(path) < length:
            yield Gap("the path of the last entry is cut off", position + fixed, "truncated")
        yield Entry(position, number, data, times)
        position += fixed + length + tail


def _joined(entry: Entry | None, link: Link | None, more: dict[str, Any]) -> Record:
    """One record of an entry and its link; where both have a field the entry's stands, the link's as `link_…`."""
    data: dict[str, Any] = dict(more)
    times: dict[str, Time] = {}
    if entry:
        data |= entry.data
        times |= entry.times
    for name, value in (link.data if link else {}).items():
        if name not in data:
            data[name] = value
        elif data[name] != value:
            data[f"link_{name}"] = value
    for name, moment in (link.times if link else {}).items():
        if name not in times:
            times[name] = moment
        elif times[name] != moment:
            times[f"link_{name}"] = moment
    order = ("last_used", "target_modified", "target_created", "target_accessed")
    return Record(data, times, next((name for name in order if name in times), None))


@parser(
    "windows.jump_list.automatic",
    claims=Claim(paths=("*.automaticdestinations-ms",)),
    reads="*.automaticDestinations-ms of Windows 7 and later",
    means=_MEANS,
    does_not_mean=_DOES_NOT + " A link without a DestList entry is left from an item that was taken off the list.",
    refs=_REFS,
    version=2,
)
def automatic(file: EvidenceFile) -> Iterator[Yield]:
    """One record an entry of the DestList with its link's fields, then the links without an entry."""
    import olefile

    content = file.read(LIMIT)
    if not content:
        return
    broken = (
        OSError,
        ValueError,
        IndexError,
        KeyError,
        TypeError,
        AttributeError,
        struct.error,
        OverflowError,
        MemoryError,
    )
    application = _application(file.path)
    try:
        compound = olefile.OleFileIO(io.BytesIO(content))
        names = sorted(entry[-1] for entry in compound.listdir(streams=True, storages=False) if len(entry) == 1)
    except broken as error:  # olefile checks little: a damaged sector table surfaces as any of these
        raise ParseError(file.path, 0, f"no readable compound file: {error}") from error

    def stream(name: str) -> bytes | None:
        try:
            found: bytes = compound.openstream(name).read()
        except broken:
            return None
        return found

    links = {int(name, 16): name for name in names if re.fullmatch(r"[0-9a-fA-F]{1,8}", name)}
    listed: set[int] = set()
    if "DestList" in names:
        raw = stream("DestList")
        for item in dest_list(raw) if raw is not None else [Gap("the DestList cannot be read")]:
            if isinstance(item, Gap):
                yield item
                continue
            listed.add(item.number)
            link, problem = _stream_link(stream, links.get(item.number))
            if problem:
                yield Gap(f"entry {item.number}: {problem}", item.offset)
            locator = {"kind": "member", "member": "DestList", "offset": item.offset, "stream": links.get(item.number)}
            yield locator, _joined(item, link, {**application, "has_link": link is not None})
    elif names:
        yield Gap("there is no DestList", None, "expected_but_missing")
    for number, name in sorted(links.items()):
        if number in listed:
            continue
        link, problem = _stream_link(stream, name)
        if problem or link is None:
            yield Gap(f"stream {name}: {problem}")
            continue
        more = {**application, "entry_number": number, "has_link": True, "in_destlist": False}
        yield {"kind": "member", "member": name, "offset": 0}, _joined(None, link, more)


def _stream_link(stream: Any, name: str | None) -> tuple[Link | None, str]:
    """The link in a stream and what was wrong with it."""
    if name is None:
        return None, ""
    raw = stream(name)
    if raw is None:
        return None, "its link's stream cannot be read"
    try:
        link = read_link(raw)
    except ValueError as error:
        return None, str(error)
    return link, "; ".join(link.problems)


def _categories(content: bytes) -> list[tuple[int, str]]:
    """Where each category of a custom list begins, and its name; as far as the structure can be walked."""
    found: list[tuple[int, str]] = []
    if len(content) < 16:
        return found
    count, position = struct.unpack_from("<I", content, 4)[0], 12
    for _ in range(min(count, 1000)):
        if position + 8 > len(content):
            break
        kind, number = struct.unpack_from("<II", content, position)
        if kind == 0:
            length = struct.unpack_from("<H", content, position + 4)[0]
            found.append((position, utf16(content[position + 6 : position + 6 + 2 * length])))
        elif kind == 1:
            found.append((position, CATEGORIES.get(number, f"known category {number}")))
        elif kind == 2:
            found.append((position, "tasks"))
        else:
            break
        end = content.find(FOOTER, position + 4)
        if end < 0:
            break
        position = end + 4
    return found


@parser(
    "windows.jump_list.custom",
    claims=Claim(paths=("*.customdestinations-ms",)),
    reads="*.customDestinations-ms of Windows 7 and later",
    means=_MEANS,
    does_not_mean=_DOES_NOT,
    refs=_REFS,
    version=2,
)
def custom(file: EvidenceFile) -> Iterator[Yield]:
    """One record a link, with the category it stands in.

    Format: header, categories (named, known, tasks), each a count of links that follow their class id, and a footer.
    """
    content = file.read(LIMIT)
    if len(content) < 16:
        raise ParseError(file.path, 0, "shorter than the header", "truncated")
    version = struct.unpack_from("<I", content)[0]
    if version not in (1, 2):
        raise ParseError(file.path, 0, f"unknown version {version}", "schema_unknown")
    application = _application(file.path)
    categories = _categories(content)
    position = found = 0
    while found < ENTRIES:
        at = content.find(LINK_CLASS + HEADER, position)
        if at < 0:
            break
        try:
            link = read_link(content, at + 16)
        except ValueError as error:
            yield Gap(str(error), at, "truncated")
            break
        for problem in link.problems:
            yield Gap(problem, link.end)
        category = next((name for begin, name in reversed(categories) if begin < at), "")
        yield (
            {"kind": "offset", "offset": at + 16, "length": link.end - at - 16},
            _joined(None, link, {**application, "category": category, "entry_order": found}),
        )
        found += 1
        position = max(link.end, at + 36) if not link.problems else at + 36
    if not content.endswith(FOOTER):
        yield Gap("the last category has no footer", len(content), "truncated")
