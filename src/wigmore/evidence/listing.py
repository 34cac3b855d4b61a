"""The file listing: one record for every entry of a store, with all its times and hashes."""

from __future__ import annotations

from typing import Any

from wigmore.evidence.filetype import extension_mismatch
from wigmore.evidence.store import Entry
from wigmore.model.protocols import Locator, Record

ARTIFACT = "file_listing"
CARVED, FREE_SPACE = "carved_file", "unallocated_space"
HASHES = ("md5", "sha1", "sha256")


def entry_record(
    entry: Entry,
    hashes: dict[str, str] | None = None,
    head_type: str | None = None,
    bits: float | None = None,
    carved: bool = False,
) -> tuple[Locator, Record]:
    """The listing record of an entry: `hashes` of its content where read, `head_type` its type by content, `bits` its
    entropy (bits a byte). `extension_mismatch` is there where the name's extension belongs to content of another type.

    What no directory names has an artifact of its own: pieces of free space, and files found in them (`carved`, also what
    lies inside such a file). The modification time dates the record, unless it is only the collecting machine's
    (folders, archives).
    """
    data: dict[str, Any] = {"name": entry.name, "kind": entry.kind, "deleted": not entry.allocated}
    if entry.free_space:
        data["kind"] = "free_space"
        del data["deleted"]  # a piece is no file that somebody deleted
    if entry.kind in ("file", "stream", "other"):
        data["size"] = entry.size
    if entry.inode is not None:
        data["inode"] = entry.inode
    if entry.recovery is not None:
        data["recovery"] = entry.recovery
    if entry.caveat:
        data["caveat"] = entry.caveat
    if entry.link_target is not None:
        data["link_target"] = entry.link_target
    if entry.path_raw:
        data["path_raw"] = entry.path_raw
    stem, dot, suffix = entry.name.rpartition(".")
    if stem and dot and suffix and entry.kind == "file":
        data["extension"] = suffix.lower()
    if head_type:
        data["type"] = head_type
    if entry.kind == "file" and extension_mismatch(head_type, entry.name):
        data["extension_mismatch"] = True
    if bits is not None:
        data["entropy"] = bits
    for name in HASHES:
        if hashes and hashes.get(name):
            data[name] = hashes[name]
    data |= {name: value for name, value in entry.attributes.items() if name not in data}
    locator: Locator = {"kind": "inode" if entry.inode is not None else "member", "path": entry.path}
    if entry.inode is not None:
        locator["inode"] = entry.inode
    elif "host" in entry.ref:
        locator["kind"] = "path"
    offset = entry.attributes.get("directory_entry_offset")
    if offset is not None:
        locator["offset"] = offset
    if (entry.free_space or carved) and "medium_offset" in entry.attributes:
        locator |= {"kind": "offset", "offset": entry.attributes["medium_offset"], "length": entry.size}
    modified = entry.times.get("modified")
    dated = modified is not None and modified["owner"] == "host"
    state = "carved" if carved else "live" if entry.allocated else "unallocated"
    artifact = FREE_SPACE if entry.free_space else CARVED if carved else ARTIFACT
    return locator, Record(data, entry.times, "modified" if dated else None, state, artifact=artifact)
