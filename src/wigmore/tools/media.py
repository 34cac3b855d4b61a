"""Pictures and video: their metadata, places, and text in them."""

from __future__ import annotations

import re
from typing import Any

from wigmore.artifacts.media.ocr import pages_of, place
from wigmore.artifacts.media.recognition import SCRIPTS, NotInstalled, engine
from wigmore.artifacts.media.similarity import distance
from wigmore.artifacts.media.structure import format_of
from wigmore.model.canonical import clean
from wigmore.model.protocols import ParseError
from wigmore.registry import tool
from wigmore.tools.context import CAP, ToolContext, ToolOutput
from wigmore.tools.lookup import CannotLook, Kind, Row, answer, caution, covered, joined
from wigmore.tools.places import find, has_listing, ignores_case, listed, missing, tidy

PICTURES = Kind(("media.exif", "media.video"))


@tool("exif_image", domain="media")
def exif_image(context: ToolContext, path: str = "", limit: int = 500) -> ToolOutput:
    """Show the metadata of a picture or video, or of all below a folder: camera, times, place, program, descriptions.

    latitude and longitude are decimal degrees (WGS 84 unless `gps_datum` says otherwise), altitude metres. Camera times carry
    no zone unless an offset is stored beside them; `gps_at` is satellite time, UTC. Metadata can be edited, and a picture
    without it may have had some.
    """
    asked = tidy(path)
    if not asked:
        return answer(context, [PICTURES], "picture or video with metadata", limit=limit)
    folded = ignores_case(context, asked) if context.source_id else False
    same = (
        "(lower(path) = lower(?) OR starts_with(lower(path), lower(?)))"
        if folded
        else "(path = ? OR starts_with(path, ?))"
    )
    out = answer(context, [PICTURES], "picture or video", where=same, parameters=[asked, asked + "/"], limit=limit)
    if out.outcome == "found":
        return out
    own = list(listed(context, asked, folded))
    if has_listing(context) and not own and not any(asked in c.path for c in covered(context, PICTURES)):
        return ToolOutput.failed(missing(context, asked))
    looked = [c for c in covered(context, PICTURES) if (c.path + "/").lower().startswith((asked + "/").lower())]
    if looked and all(c.outcome == "failed" for c in looked):
        return ToolOutput.failed(caution(looked))
    if looked:
        return ToolOutput(
            "empty", (), joined(f"looked into {len(looked)} files and found no metadata", caution(looked))
        )
    kind = own[0]["data"].get("type") or own[0]["data"].get("kind") if own else "a folder"
    return ToolOutput.not_applicable(f"{asked} ({kind}) is, or holds, no picture or video whose metadata can be read")


@tool("similar_pictures", domain="media")
def similar_pictures(
    context: ToolContext, path: str = "", dhash: str = "", bits: int = 10, limit: int = 200
) -> ToolOutput:
    """List pictures that look like one: by its path, or by its difference hash (16 hexadecimal digits), nearest first.

    `bits` is the most of 64 in which the hashes may differ: 0 alike, up to 10 mostly the same picture in another size or
    compression. Cropped, turned or edited pictures may differ in more; plain ones (skies, blank pages) in few by chance.
    Each row is a picture's record with `distance`.
    """
    wanted = dhash.strip().lower()
    asked = tidy(path)
    if not wanted and not asked:
        return ToolOutput.failed("name a picture by its path, or a dhash")
    relation = "json_extract_string(data, '$.dhash') IS NOT NULL"
    if not wanted:
        own = list(context.records(["media.exif"], f"{relation} AND lower(path) = lower(?)", [asked], None))
        if not own:
            return ToolOutput.failed(f"{asked} is no picture whose difference hash is known")
        wanted = str(next((r for r in own if r["path"] == asked), own[0])["data"]["dhash"])
    if not re.fullmatch(r"[0-9a-f]{16}", wanted):
        return ToolOutput.failed(f"no difference hash of 16 hexadecimal digits: {dhash!r}")
    known = context.records(["media.exif"], relation, [], None)
    near = [(distance(wanted, str(row["data"]["dhash"])), row) for row in known]
    rows = [{**row, "distance": bits_off} for bits_off, row in sorted(near, key=lambda n: n[0]) if bits_off <= bits]
    if not near:
        return answer(context, [Kind(("media.exif",))], "picture with a difference hash", where=relation)
    return ToolOutput.of(rows, f"compared with {len(near)} pictures", cap=max(1, min(limit, CAP)))


@tool("ocr_image", domain="media", cost=5)
def ocr_image(context: ToolContext, path: str, inode: str = "") -> ToolOutput:
    """Read the text in a picture by optical character recognition: a row a line, with confidence and place in pixels.

    Where extraction read the picture the rows are its records, which facts can cite; any other picture (a camera's, one of a
    program's own) is read now. A line is what a recogniser makes of it, never the evidence itself: letters are confused,
    dropped or made up. Latin letters, Chinese and Japanese are read; other scripts are left out or misread.
    """
    try:
        found = find(context, path, inode)
        known = list(context.records(["media.ocr"], "path = ?", [found.entry.path], None))
        known = [row for row in known if not inode or str(row.get("inode")) == inode]
        if known:
            return ToolOutput.of(known, "read when the records were made")
        reader = engine()
        with found.file.open() as stream:
            kind = format_of(stream.read(32))
        if not kind:
            return ToolOutput.not_applicable(f"{found.entry.path} is no JPEG, PNG, GIF, WebP, TIFF or HEIC picture")
        pages = pages_of(found.file)
    except (CannotLook, NotInstalled) as error:
        return ToolOutput.failed(str(error))
    except (ParseError, OSError) as error:
        return ToolOutput.failed(f"{path} cannot be read: {error}")
    rows = [
        {"path": found.entry.path, "locator": place(page, number), "text": clean(line.text), "confidence": line.confidence,
         "engine": reader}
        for page in pages for number, line in enumerate(page.lines)
    ]  # fmt: skip
    left_out = [f"page {page.number}: {page.left_out}" for page in pages if page.left_out]
    said = "" if rows else f"{reader} read no line of {SCRIPTS} in it"
    return ToolOutput.of(rows, joined(said, *left_out))


@tool("list_locations", domain="media", cost=2)
def list_locations(context: ToolContext, text: str = "", limit: int = 500) -> ToolOutput:
    """List records that hold a latitude and a longitude: pictures, messages, location caches, places in applications.

    Decimal degrees as stored. `text` keeps those whose data contain it (no case). A stored place is what a program wrote:
    where a picture was taken, a place looked at or sent is not where the device was. 0, 0 is left out: it means no place.
    """
    kinds = [Kind(("*",), keep=lambda row: not row["artifact"].startswith("generic."))]
    sieve = "contains(lower(data), 'latitude')"
    known: set[tuple[Any, ...]] = set()

    def fresh(row: Row) -> bool:
        if not _placed(row["data"]):
            return False
        place = row["locator"].get("table"), row["locator"].get("rowid")
        found = row["locator"].get("file"), row["locator"].get("offset")  # of a row outside the live database
        mark = (row["source_id"], row["path"], *place, *found)
        generic = row["artifact"].startswith("generic.")
        if generic and (mark in known or place == (None, None)):
            return False
        known.add(mark)
        return True

    kinds.append(Kind(("generic.sqlite", "generic.sqlite_deleted", "generic.json", "generic.xml", "generic.table")))
    return answer(context, kinds, "record of a place", where=sieve, keep=fresh, text=text, limit=min(limit, CAP))


def _placed(data: dict[str, Any]) -> bool:
    """Whether a latitude and a longitude that can be meant are among the values."""
    found: dict[str, float] = {}
    for name, value in data.items():
        low = name.lower()
        for axis, most in (("latitude", 90), ("longitude", 180)):
            if axis in low and isinstance(value, (int, float, str)) and not isinstance(value, bool):
                try:
                    number = float(value)
                except ValueError:
                    continue
                if abs(number) <= most:
                    found.setdefault(axis, number)
    return len(found) == 2 and any(found.values())
