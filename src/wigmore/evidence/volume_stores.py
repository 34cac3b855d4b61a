"""Volumes as stores: how each kind of file system is opened, and what its root folder tells."""

from __future__ import annotations

from typing import Any

from wigmore.evidence.media import reason_of
from wigmore.evidence.signatures import READ_BY_TSK
from wigmore.evidence.store import Entry, Limits, Store
from wigmore.evidence.unallocated import BetweenVolumes
from wigmore.evidence.volumes import OUTSIDE, Layout, Place
from wigmore.model.protocols import Gap, ParseError

ROOT_SHOWN = 200


def add_roots(layout: Layout, source_id: str, limits: Limits) -> None:
    """Complete the volume records with label and root folder, as the file system itself gives them."""
    records = []
    for locator, record in layout.records:
        place = layout.places.get(str(record.data.get("volume")))
        if record.artifact == "volume" and place is not None:
            try:
                store = open_place(layout, place, source_id, limits)
                record.data.update(root_of(store))
            except (ParseError, OSError, RuntimeError) as error:
                message = error.message if isinstance(error, ParseError) else reason_of(error)
                layout.gaps.append(Gap(f"{place.name}: {message}", place.start if place.start >= 0 else None))
                del layout.places[place.name]
        records.append((locator, record))
    layout.records = records


def root_of(store: Store) -> dict[str, Any]:
    """Label and live names of the root folder, in order of name."""
    from wigmore.evidence.tree import TreeStore

    found: dict[str, Any] = {}
    if isinstance(store, TreeStore):
        names = []
        for listed in store.listing(store.root(), store.prefix):
            if isinstance(listed, Gap):
                continue
            entry: Entry = listed[0]
            if entry.attributes.get("volume_label") and entry.allocated:
                found["label"] = entry.name
            elif entry.allocated and "stream" not in entry.attributes:
                names.append(entry.name)
        found["root_entries"] = sorted(names)[:ROOT_SHOWN]
        if len(names) > ROOT_SHOWN:
            found["root_entries_count"] = len(names)
        label = getattr(store, "label", None)
        if label is not None and label():
            found["label"] = label()
    return found


def open_place(layout: Layout, place: Place, source_id: str, limits: Limits) -> Store:
    """The store of a volume; ParseError where its file system cannot be opened."""
    prefix = f"{layout.path}/{place.name}"
    if place.kind == OUTSIDE:
        return BetweenVolumes(source_id, prefix, place.media, layout.between, limits)
    if place.kind in READ_BY_TSK:
        from wigmore.evidence.tsk import TskStore

        # what a snapshot does not hold is not free space of the volume
        free = not place.snapshot
        return TskStore(source_id, prefix, place.media, place.kind, limits, place.start, free_space=free)
    from wigmore.evidence import libraries

    if place.kind == "APFS":
        return libraries.LibraryStore(source_id, prefix, place.media, place.handle[1], "APFS", limits, place.start)
    opener = libraries.open_xfs if place.kind == "XFS" else libraries.open_hfs
    return opener(source_id, prefix, place.media, place.kind, limits, place.start)
