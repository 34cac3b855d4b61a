"""Spotlight stores (store.db, .store.db): the indexed items with their attributes, times and place in the tree."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wigmore.artifacts.macos.spotlight_pages import (
    MAGIC,
    RECORDS,
    SEPARATOR,
    Broken,
    Kind,
    SpotlightStore,
    Tables,
    variable,
)
from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Gap, Locator, Record, Yield
from wigmore.model.times import Time, cocoa, posix
from wigmore.registry import Claim, parser

NAME = "_kMDItemFileName"
NAMES_KEPT = 1_000_000  # items whose names are kept to put paths together
DEEPEST = 256
LONGEST = 64 * 1024  # bytes of one value that a record shows
LIST, LOCALIZED = 2, 3  # low bits of an attribute's shape
SOURCE = "Apple time is UTC"


@dataclass(slots=True)
class Item:
    """One record: its numbers, and where its attributes begin and end in the page."""

    identifier: int
    flags: int
    item: int
    parent: int
    updated: int
    at: int
    end: int


def _items(page: bytes) -> Iterator[Item]:
    """The records of a page, in order; Broken where the row of them breaks."""
    at = 0
    while at + 4 <= len(page):
        size = int.from_bytes(page[at : at + 4], "little")
        if not size:
            return
        start, end = at, at + 4 + size
        if end > len(page):
            raise Broken(f"a record of {size} bytes reaches outside its page, at {start}")
        identifier, at = variable(page, at + 4)
        flags = page[at] if at < end else 0
        item, at = variable(page, at + 1)
        parent, at = variable(page, at)
        updated, at = variable(page, at)
        if at > end:
            raise Broken(f"a record's head is longer than the record, at {start}")
        yield Item(identifier, flags, item, parent, updated, at, end)
        at = end


def _attributes(page: bytes, item: Item, tables: Tables) -> Iterator[tuple[Kind, Any]]:
    """Each attribute with its value; Broken at one that cannot be read, as the next cannot be found."""
    raw, at, number = page[: item.end], item.at, 0
    while at < item.end:
        step, at = variable(raw, at)
        number += step
        kind = tables.kinds.get(number)
        if kind is None:
            raise Broken(f"attribute {number} is in no table")
        value, at = _value(raw, at, kind, tables)
        yield kind, value


def _value(raw: bytes, at: int, kind: Kind, tables: Tables) -> tuple[Any, int]:
    if kind.name == "kMDStoreAccumulatedSizes":  # of the store itself; does not follow the rule of its kind
        return raw[at:].hex(), len(raw)
    if kind.value in (0x00, 0x02, 0x06) or (kind.value == 0x07 and not kind.shape & LIST):
        return variable(raw, at)
    if kind.value == 0x0F:
        number, at = variable(raw, at)
        return _referred(number, kind, tables), at
    width = {0x08: 1, 0x09: 4, 0x0A: 8, 0x0C: 8}.get(kind.value)
    if width is not None and not kind.shape & LIST:
        if at + width > len(raw):
            raise Broken(f"the value of {kind.name} is cut off")
        return _numbers(raw[at : at + width], kind)[0], at + width
    if width is None and kind.value not in (0x07, 0x0B, 0x0E):
        raise Broken(f"{kind.name} has a kind of value that is not known ({kind.value:#x})")
    size, at = variable(raw, at)
    if at + size > len(raw):
        raise Broken(f"the value of {kind.name} reaches outside its record")
    body, at = raw[at : at + size], at + size
    if kind.value == 0x0B:
        texts = [shown(one[:LONGEST]).partition(SEPARATOR)[0] for one in body.rstrip(b"\0").split(b"\0")]
        return (texts if kind.shape & 3 == LIST else texts[0]), at
    if kind.value == 0x0E:
        return body[:1024].hex(), at
    if kind.value == 0x07:
        found, place = [], 0
        while place < len(body):
            number, place = variable(body, place)
            found.append(number)
        return found, at
    return _numbers(body, kind), at


def _numbers(body: bytes, kind: Kind) -> list[Any]:
    code = {0x08: "B", 0x09: "f", 0x0A: "d", 0x0C: "d"}[kind.value]
    count = len(body) // struct.calcsize(code)
    return list(struct.unpack_from(f"<{count}{code}", body))


def _referred(number: int, kind: Kind, tables: Tables) -> Any:
    if kind.shape & 3 == LIST:
        return [tables.texts.get(one, "") for one in tables.lists.get(number, ())]
    if kind.shape & 3 == LOCALIZED:
        first = next(iter(tables.localized.get(number, ())), None)
        return "" if first is None else tables.texts.get(first, "").partition(SEPARATOR)[0]
    return tables.texts.get(number, "")


def _moment(value: object) -> Time | None:
    return cocoa(value) if isinstance(value, float) and abs(value) < 1e11 else None


def _record(page: bytes, item: Item, tables: Tables, names: dict[int, tuple[int, str]]) -> tuple[Record, str]:
    """The record of an item, and what could not be read of it."""
    attributes: dict[str, Any] = {}
    times: dict[str, Time] = {}
    problem = ""
    updated = posix(item.updated, unit="us", source="the store's times are taken as UTC")
    if updated:
        times["updated_at"] = updated
    try:
        for kind, value in _attributes(page, item, tables):
            if kind.value == 0x0C:
                moments = [_moment(one) for one in (value if isinstance(value, list) else [value])]
                texts = [moment["text"] for moment in moments if moment]
                if len(texts) > 1:
                    attributes[kind.name] = texts
                first = next((moment for moment in moments if moment), None)
                if first is not None:
                    times[kind.name] = first
            elif value not in ("", []):
                attributes[kind.name] = value
    except Broken as error:
        problem = str(error)
    data: dict[str, Any] = {
        "name": attributes.get(NAME) or attributes.get("kMDItemDisplayName") or "",
        "identifier": item.identifier,
        "parent_identifier": item.parent,
        "item_identifier": item.item,
        "flags": item.flags,
        "original_path": _path(item.identifier, names),
    } | attributes
    if problem:
        data["unread"] = problem
    kept = {name: value for name, value in data.items() if value not in ("", {})}
    return Record(kept, times, "updated_at" if "updated_at" in times else next(iter(times), None)), problem


def _path(identifier: int, names: dict[int, tuple[int, str]]) -> str:
    """The path that the parents' names make, as far as they are in the store."""
    found: list[str] = []
    seen: set[int] = set()
    while identifier in names and identifier not in seen and len(found) < DEEPEST:
        seen.add(identifier)
        identifier, name = names[identifier]
        found.append(name)
    return "/".join(reversed(found)) if len(found) > 1 else ""


@parser(
    "macos.spotlight",
    claims=Claim(magic=((0, MAGIC),)),
    artifacts=("macos.spotlight", "macos.spotlight_store"),
    reads="store.db and .store.db below .Spotlight-V100 (volumes, external media too) and index.spotlightV3 of user folders, "
    "with their dbStr map files (macOS 10.15 and later); iOS stores of the same kind",
    means="the Spotlight service indexed an item with these attributes, last at the stated time; attributes such as the "
    "date of last use and where a file was fetched from are as the service held them then",
    does_not_mean="that the item is still there, or was at the path that is put together from its parents' names; that a "
    "person opened it (dates of use are kept by applications and synchronised); that items not indexed did not exist",
    refs=(
        "libyal/dtformats, Apple Spotlight store database file format",
        "Apple, File Metadata Attributes Reference",
        "lz4, LZ4 Block Format Description",
    ),
    limit_seconds=1800.0,
)
def spotlight(file: EvidenceFile) -> Iterator[Yield]:
    """The store, then one record an item in the order of the map's pages."""
    with file.open() as stream:
        store = SpotlightStore(file, stream)
        tables, gaps = store.tables()
        yield from gaps
        about = {
            "store_path": store.path,
            "flags": f"{store.flags:#x}",
            "page_size": store.page_size,
            "attributes": len(tables.kinds),
        }
        about["tables_in_map_files"] = store.mapped
        locator: Locator = {"kind": "offset", "offset": 0, "length": 720}
        yield locator, Record(about, artifact="macos.spotlight_store")
        names: dict[int, tuple[int, str]] = {}
        for found in _read(store):
            if not isinstance(found, Gap):
                _note(found[1], found[2], tables, names)
        for found in _read(store):
            if isinstance(found, Gap):
                yield found
                continue
            offset, page, item = found
            record, problem = _record(page, item, tables, names)
            if problem:
                yield Gap(f"item {item.identifier}: {problem}", offset)
            yield {"kind": "offset", "offset": offset, "within": item.at, "number": item.identifier}, record


def _note(page: bytes, item: Item, tables: Tables, names: dict[int, tuple[int, str]]) -> None:
    """Keep an item's name and parent, for the paths."""
    if len(names) >= NAMES_KEPT:
        return
    try:
        for kind, value in _attributes(page, item, tables):
            if kind.name == NAME and isinstance(value, str):
                names[item.identifier] = item.parent, value
                return
    except Broken:
        return  # said where the record is made


def _read(store: SpotlightStore) -> Iterator[tuple[int, bytes, Item] | Gap]:
    """Every item with its page; Gap for pages that cannot be read."""
    for offset in store.pages():
        if isinstance(offset, Gap):
            yield offset
            continue
        try:
            kind, page = store.page(offset)
            if kind != RECORDS:
                raise Broken(f"a page of type {kind:#x} stands there, not records")
            for item in _items(page):
                yield offset, page, item
        except Broken as error:
            yield Gap(f"a page is not read on: {error}", offset)
