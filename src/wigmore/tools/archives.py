"""Members of archives."""

from __future__ import annotations

from itertools import islice

from wigmore.registry import tool
from wigmore.tools.context import CAP, ToolContext, ToolOutput
from wigmore.tools.lookup import caution, joined
from wigmore.tools.places import below, ignores_case, listed, missing, tidy


@tool("unzip_archive", domain="archives")
def unzip_archive(context: ToolContext, path: str, limit: int = 1000) -> ToolOutput:
    """List the members of an archive (zip, 7z, tar, rar, office documents…) as extraction listed them, with what is true of
    the archive itself first: kind, counts, encryption.

    A member's path is the archive's path, `/` and the path inside: extract_file and the other tools take it as it stands.
    Sizes are bytes. Members of an encrypted archive are listed as far as its directory can be read, their content is not
    there without the password. Times of members are what the packing program stored.
    """
    if not context.source_id:
        return ToolOutput.failed("this call needs a source")
    asked = tidy(path)
    own = list(listed(context, asked, ignores_case(context, asked)))
    if not own:
        return ToolOutput.failed(missing(context, asked))
    archive = str(own[0]["path"])
    reach = [
        c
        for c in context.coverage()
        if c.source_id == context.source_id and c.path == archive and c.parser in ("container@1", "file_listing@1")
    ]
    if not any(c.parser == "container@1" for c in reach):
        return ToolOutput.not_applicable(
            f"{archive} is no archive that is known here (type {own[0]['data'].get('type')})"
        )
    itself = list(context.records(["container", "partition", "volume"], "path = ?", [archive]))
    if any("media_size" in r["data"] for r in itself):
        return ToolOutput.not_applicable(
            f"{archive} is a disk image: partition_info and list_directory show what it holds"
        )
    cap = max(1, min(limit, CAP))
    members = list(islice(below(context, archive), cap + 1))
    if not members and all(c.outcome == "failed" for c in reach):
        return ToolOutput.failed(f"{archive} could not be opened: {caution(reach)}")
    rows = tuple(itself + members[:cap])
    return ToolOutput(
        "found" if rows else "empty", rows, joined(f"{len(members[:cap])} members", caution(reach)), len(members) > cap
    )
