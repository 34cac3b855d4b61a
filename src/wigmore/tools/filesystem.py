"""Partitions, folders and extracted files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from wigmore.model.protocols import ParseError
from wigmore.registry import tool
from wigmore.tools.context import CAP, ToolContext, ToolOutput
from wigmore.tools.lookup import CannotLook, Kind, Row, answer, caution, joined
from wigmore.tools.places import (
    LISTING,
    LONGEST,
    about,
    above,
    below,
    child_of,
    find,
    folders_below,
    has_listing,
    ignores_case,
    listed,
    missing,
    prefixes,
    source_of,
    tidy,
)

MEDIA = Kind(("container", "partition", "volume", "encrypted_volume", "shadow_copy"))


@tool("partition_info", domain="filesystem")
def partition_info(context: ToolContext) -> ToolOutput:
    """List the containers of the source, their partition tables, volumes, file systems and encryption.

    `start_offset` and `size` are bytes, `start_sector`, `end_sector` and `length` of a partition sectors. A volume's prefix
    for paths is the container's path, `/` and `p1`, `p2`…; unallocated stretches and the tables themselves are rows too.
    """
    return answer(context, [MEDIA], "disk image, volume or archive")


@tool("list_directory", domain="filesystem")
def list_directory(context: ToolContext, path: str = "", recursive: bool = False, limit: int = 1000) -> ToolOutput:
    """List a folder, volume or archive as the file system has it, deleted entries included; path empty: the source's top.

    `recursive` lists everything below. Rows carry size (bytes), kind, all stored times, hashes where content was read, and
    for deleted entries how far they can be recovered. Folders that are known only through what lies in them are rows
    without a record. Times of a folder collected by copying are the copier's.
    """
    if not has_listing(context):
        return ToolOutput.not_applicable(
            "the files of this source were not listed: extraction ran without file_listing"
        )
    if not context.source_id:
        return ToolOutput.failed("this call needs a source")
    asked = tidy(path)
    folded = bool(asked) and ignores_case(context, asked)
    own = list(listed(context, asked, folded)) if asked else []
    folder = str(own[0]["path"]) if own else _spelled(context, asked, folded)
    if folder is None:
        return ToolOutput.failed(missing(context, asked))
    stores = prefixes(context)
    shown = max(1, min(limit, CAP))
    rows = list(islice(_children(context, folder, recursive, folded), shown + 1))
    if not rows and own and folder not in stores and own[0]["data"].get("kind") != "directory":
        return ToolOutput.not_applicable(f"{folder} is a {own[0]['data'].get('kind')} that holds no others")
    home = folder if folder in stores else above(context, folder)
    reach = [
        c
        for c in context.coverage()
        if c.source_id == context.source_id and c.parser == "file_listing@1" and c.path == home
    ]
    nothing = "" if rows else f"{folder or 'the source'} holds nothing that is listed"
    return ToolOutput.of(rows, joined(nothing, caution(reach)), shown)


def _spelled(context: ToolContext, folder: str, folded: bool) -> str | None:
    """A folder without a record of its own, as its store or the paths below it spell it; None where there is none."""
    if folder in prefixes(context):
        return folder
    return next((str(row["path"])[: len(folder)] for row in below(context, folder, folded)), None)


def _children(context: ToolContext, folder: str, recursive: bool, folded: bool) -> Iterator[Row]:
    """Rows of what lies directly in a folder (or anywhere below): first the folders that only deeper paths name."""
    start = len(folder) + 2 if folder else 1  # SQL counts characters from 1
    direct, deeper = "NOT contains(substr(path, ?), '/')", "contains(substr(path, ?), '/')"
    own = {child_of(folder, r["path"]) for r in below(context, folder, folded, direct, [start])}
    for name, count in folders_below(context, folder, folded, deeper, start):
        if name not in own:
            full = f"{folder}/{name}" if folder else name
            kind = "volume" if full in prefixes(context) else "implied folder"
            yield {"path": full, "name": name, "kind": kind, "entries_below": count}
    yield from below(context, folder, folded) if recursive else below(context, folder, folded, direct, [start])


@tool("extract_file", domain="filesystem", read_only=False, cost=2)
def extract_file(context: ToolContext, path: str, inode: str = "") -> ToolOutput:
    """Keep a copy of a file of the source as an asset of the case, named and hashed; its listing record follows.

    `inode` chooses among deleted entries that share the path. Files past 256 MiB are refused. The content of a deleted file
    is what its clusters hold now, which may be other data: see its `recovery`.
    """
    if context.save_asset is None:
        return ToolOutput.failed("no assets can be kept here: only a run of the case does")
    try:
        place = find(context, path, inode)
        content = place.file.read(LONGEST)
    except CannotLook as error:
        return ToolOutput.failed(str(error))
    except (ParseError, OSError) as error:
        return ToolOutput.failed(f"{path} cannot be read: {error}")
    twin = f"#{inode}" if inode else ""
    kept = context.save_asset(f"{context.source_id}/{place.entry.path}{twin}", content)
    row = {**about(place), **{f"asset_{k}": kept[k] for k in ("id", "name", "sha256", "bytes") if k in kept}}
    records = [
        r for r in listed(context, place.entry.path) if not place.entry.inode or r.get("inode") == place.entry.inode
    ]
    return ToolOutput("found", (row, *records))


@tool("list_assets", domain="filesystem", cached=False)
def list_assets(context: ToolContext, name: str = "") -> ToolOutput:
    """List the files that calls of extract_file kept as assets: name (source, path), size in bytes, SHA-256.

    `name` keeps those whose name contains it (no case).
    """
    kept = sorted(context.state.assets.values(), key=lambda a: (str(a["name"]), str(a["id"])))
    rows = [
        {k: a[k] for k in ("id", "name", "sha256", "bytes")} for a in kept if name.lower() in str(a["name"]).lower()
    ]
    return ToolOutput.of(rows, "" if kept else "no file was extracted yet")


@tool("set_active_partition", domain="filesystem", read_only=False)
def set_active_partition(context: ToolContext, path: str) -> ToolOutput:
    """Check the path of a volume and give back the prefix that its files' paths begin with.

    Paths are always written with their volume, so nothing needs to be switched: a call only validates the choice and says
    what the volume is. An unknown volume is refused with the known ones.
    """
    try:
        source = source_of(context)
    except CannotLook as error:
        return ToolOutput.failed(str(error))
    wanted = tidy(path)
    known = sorted(p for p in prefixes(context) if p)
    chosen = next((p for p in known if p == wanted), None) or next(
        (p for p in known if p.casefold() == wanted.casefold() or p.casefold().endswith("/" + wanted.casefold())), None
    )
    if not known:
        return ToolOutput.not_applicable("the source is a folder: its files' paths begin at its top")
    if chosen is None:
        return ToolOutput.failed(f"no volume {path!r}; there are: {', '.join(known)}")
    try:
        kind = source.open_store(chosen).kind
    except (ParseError, OSError) as error:
        return ToolOutput.failed(f"{chosen} cannot be opened: {error}")
    volumes = [r for r in context.records(["volume"]) if chosen == f"{r['path']}/{r['data'].get('volume')}"]
    return ToolOutput("found", ({"path_prefix": chosen, "store": kind}, *volumes))


@tool("probe_android_partitions", domain="filesystem")
def probe_android_partitions(context: ToolContext) -> ToolOutput:
    """Say which volumes or folders of the source look like Android's system, vendor or user data partitions, and why.

    Judged by folders that Android lays out itself (AOSP partition layout); a row names the prefix, the partition it looks
    like and the folders found. The names in a partition table, where there is one, are partition_info's.
    """
    rows = []
    for name, marks in ANDROID.items():
        for root, seen in sorted(_roots(context, marks).items()):
            if len(seen) >= 2:
                rows.append({"path_prefix": root, "looks_like": name, "folders": sorted(seen)})
    if rows:
        return ToolOutput.of(sorted(rows, key=lambda r: (str(r["path_prefix"]), str(r["looks_like"]))))
    if not has_listing(context):
        return ToolOutput.not_applicable(
            "the files of this source were not listed: extraction ran without file_listing"
        )
    return ToolOutput.not_applicable("nothing in this source is laid out like an Android partition")


ANDROID = {
    "userdata": ("data/data", "data/system", "data/misc", "data/media", "data/app", "data/user", "data/user_de"),
    "userdata (its root)": ("system/users", "misc/wifi", "media/0", "user/0", "user_de/0", "system_ce/0"),
    "system": ("system/build.prop", "system/app", "system/priv-app", "system/framework", "system/etc"),
    "vendor": ("vendor/build.prop", "vendor/lib", "vendor/lib64", "vendor/firmware", "vendor/etc"),
}


def _roots(context: ToolContext, marks: tuple[str, ...]) -> dict[str, set[str]]:
    """The folders in which the marks stand, with the marks found in each."""
    out: dict[str, set[str]] = {}
    known = prefixes(context)
    for mark in marks:
        pattern = f"^(.*?)(?:^|/){re.escape(mark)}(?:/|$)"
        relation = context.store.relation([LISTING], context.source_id or None)
        found = context.store.query(
            f"SELECT DISTINCT regexp_extract(path, ?, 1) AS root FROM {relation} WHERE regexp_matches(path, ?)",
            [pattern, pattern],
        )
        for row in found:
            root = row["root"]
            # a mark deep inside an app's folders is no partition: it stands at a store's root or a folder or two below
            if any(
                root == p or (root.startswith(p + "/" if p else "") and root[len(p) :].count("/") <= 2) for p in known
            ):
                out.setdefault(root, set()).add(mark)
    return out
