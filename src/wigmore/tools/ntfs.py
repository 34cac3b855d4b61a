"""Changes that a volume's journals noted, and thumbnails that caches kept."""

from __future__ import annotations

from typing import Any

from wigmore.registry import tool
from wigmore.tools.context import ToolContext, ToolOutput
from wigmore.tools.lookup import CannotLook, Kind, Row, answer, joined, period

CHANGES = Kind(("windows.ntfs.usn", "windows.ntfs.log"))
THUMBNAILS = Kind(("windows.thumbcache", "windows.thumbs_db"))
PAST = 256  # characters of a name that is asked for


@tool("list_file_changes", domain="filesystem")
def list_file_changes(
    context: ToolContext, name: str = "", reason: str = "", after: str = "", before: str = "", limit: int = 500
) -> ToolOutput:
    """List what NTFS journals noted of files: made, written, renamed, deleted, times set ($UsnJrnl:$J, and $LogFile).

    `name` keeps changes of files whose name contains it (no case), `reason` those with such a reason or operation
    (FILE_DELETE, RENAME_OLD_NAME, BASIC_INFO_CHANGE, index entry deleted). `after`/`before` are ISO 8601, UTC; most log
    operations have no time of their own and are left out then. Within a journal `usn` or `lsn` gives the order. A rename is
    two records with one reference. Journals reach back days (or minutes): silence before that says nothing.
    """
    try:
        where, parameters = period(after, before)
    except CannotLook as error:
        return ToolOutput.failed(str(error))
    conditions = [where] if where else []
    wanted = reason.strip().lower().replace(" ", "_")
    part = name.strip().lower()[:PAST]

    def keep(row: Row) -> bool:
        data: dict[str, Any] = row["data"]
        if part and not any(part in str(data.get(field, "")).lower() for field in ("name", "stream", "known_path")):
            return False
        if not wanted:
            return True
        told = [*data.get("reasons", []), data.get("operation", ""), data.get("told", "")]
        return any(wanted in str(word).lower().replace(" ", "_") for word in told)

    return answer(
        context,
        [CHANGES],
        "journal of file changes",
        where=" AND ".join(conditions),
        parameters=parameters,
        keep=keep if part or wanted else None,
        limit=limit,
    )


@tool("list_thumbnails", domain="media")
def list_thumbnails(context: ToolContext, sha256: str = "", text: str = "", limit: int = 500) -> ToolOutput:
    """List pictures that thumbnail caches kept: thumbcache_*.db, iconcache_*.db and Thumbs.db.

    `sha256` keeps pictures of this hash, `text` entries with it in a value (name, identifier, hash of the entry). A thumbnail
    stays when its file is gone; it shows that the picture was there for the profile or in the folder, not that a person looked.
    """
    wanted = sha256.strip().lower()
    out = answer(
        context,
        [THUMBNAILS],
        "thumbnail cache",
        where="json_extract_string(data, '$.sha256') = ?" if wanted else "",
        parameters=[wanted] if wanted else (),
        text=text,
        limit=limit,
    )
    bare = sum(1 for row in out.rows if not row["data"].get("sha256"))
    if not bare:
        return out
    return ToolOutput(out.outcome, out.rows, joined(out.note, f"{bare} of the entries hold no picture"), out.more)
