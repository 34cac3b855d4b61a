"""Pictures before somebody, or a model, looks at them: what they are, and whether the examiner's lists let them be shown."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from wigmore.artifacts.lists.hash_list import KnownBad, read_known_bad
from wigmore.artifacts.lists.ioc_list import read_indicators
from wigmore.artifacts.media.recognition import DAMAGE, LARGEST
from wigmore.artifacts.media.shrunk import measured
from wigmore.artifacts.media.structure import format_of
from wigmore.model.lists import ListError, ListFile
from wigmore.model.protocols import ParseError
from wigmore.registry import tool
from wigmore.tools.context import ToolContext, ToolOutput
from wigmore.tools.lookup import CannotLook, Row
from wigmore.tools.places import about, find

ALERTS = ("lists.known_bad", "lists.yara_hit", "lists.ioc_hit")
READ_OF_IT = ("file_listing", "media.exif", "media.ocr")
SHOWN = 60  # records of a picture that follow its row


@lru_cache(maxsize=2)
def _known_bad(files: tuple[ListFile, ...]) -> KnownBad:
    return read_known_bad(files)


@tool("screen_picture", domain="media", cost=2)
def screen_picture(context: ToolContext, path: str = "", record_id: str = "", inode: str = "") -> ToolOutput:
    """Say what a picture is and whether it may be shown: format, pixels, hashes, and the examiner's lists that hold it.

    By its path, or a record read from it. In the first row `withheld` says why the picture is shown to nobody: its hash is on a
    known-bad list, a YARA rule or an indicator hit it or the file it lies in, or it is a known-good file that tells nothing. Its
    records follow: listing, metadata, text read in it. A picture on no list is unlisted, not harmless.
    """
    try:
        asked, twin = _named(context, path, record_id, inode)
        place = find(context, asked, twin)
        with place.file.open() as stream:
            kind = format_of(stream.read(32))
        if not kind:
            return ToolOutput.not_applicable(f"{place.entry.path} is no JPEG, PNG, GIF, WebP, TIFF or HEIC picture")
        if place.entry.size > LARGEST:
            return ToolOutput.failed(f"{place.entry.path} has more than {LARGEST} bytes: too large to look at")
        content = place.file.read(LARGEST)
        hashes = {name: hashlib.new(name, content).hexdigest() for name in ("sha256", "sha1", "md5")}
        withheld = _listed(context, hashes) or _hit(context, place.entry.path)
    except (CannotLook, ListError) as error:
        return ToolOutput.failed(str(error))
    except (ParseError, OSError) as error:
        return ToolOutput.failed(f"{path or record_id} cannot be read: {error}")
    row: Row = {**about(place), "format": kind, **hashes}
    if withheld:
        return ToolOutput("found", ({**row, "withheld": withheld},))
    try:
        row["width"], row["height"] = measured(content, kind)
    except DAMAGE as error:
        return ToolOutput.failed(f"{place.entry.path} cannot be looked at: {type(error).__name__}: {error}"[:500])
    same = (r for r in context.records(READ_OF_IT, "path = ?", [place.entry.path], None) if _of(r, place.entry.inode))
    return ToolOutput.of([row, *same], cap=SHOWN)


def _named(context: ToolContext, path: str, record_id: str, inode: str) -> tuple[str, str]:
    """The path and inode that are meant; CannotLook where they name nothing, or two things."""
    if not record_id:
        return path, inode
    known = context.store.by_id([record_id], None, context.source_id or None).get(record_id)
    if known is None:
        raise CannotLook(f"no record {record_id} of this source")
    if path and path.strip("/") != str(known["path"]):
        raise CannotLook(f"record {record_id} was read from {known['path']}, not from {path}: name one of them")
    return str(known["path"]), inode or str(known["inode"] or "")


def _of(row: Row, inode: Any) -> bool:
    return not inode or not row.get("inode") or str(row["inode"]) == str(inode)


def _listed(context: ToolContext, hashes: dict[str, str]) -> str:
    """Which list of bad hashes holds the content, whatever was recorded of it; ListError where a list cannot be read."""
    files = context.lists()
    bad = _known_bad(tuple(file for file in files if file.kind == "known_bad"))
    for digest in hashes.values():
        for listed in bad.hashes.get(digest, ()):
            return f"its hash is on the known-bad list {listed.file.said()}"
    try:
        sought = read_indicators(tuple(file for file in files if file.kind == "iocs")).all
    except ValueError as error:
        raise ListError(f"a list of indicators cannot be read: {error}") from error
    known = set(hashes.values())
    for one in sought:
        if one.kind in hashes and one.value.lower() in known:
            return f"its hash is an indicator of {one.file.said()}"
    return ""


def _hit(context: ToolContext, path: str) -> str:
    """What was recorded of lists that hit the file or one that it lies in; known-good only of itself."""
    inside = "(path = ? OR starts_with(?, path || '/'))"
    for row in context.records(ALERTS, inside, [path, path], 1):
        where = "it" if row["path"] == path else "the file it lies in"
        return f"{where} is in the list {row['data'].get('list') or ''} ({row['artifact']})".replace("  ", " ")
    for row in context.records(["lists.known"], "path = ?", [path], 1):
        return f"known file: on the known-good list {row['data'].get('list') or ''}".rstrip()
    return ""
