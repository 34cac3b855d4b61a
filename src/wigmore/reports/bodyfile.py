"""The file listing as a TSK 3 body file for mactime.

Columns: md5|name|inode|mode|uid|gid|size|atime|mtime|ctime|crtime, times in whole seconds since 1970 UTC.
Format: wiki.sleuthkit.org, "Body file" (TSK 3.0 and later). A time that is missing is 0, as mactime expects. A time
of unknown zone (FAT, many archives) or of the collecting machine (folders, most archives) has no place here: it is 0
too, and the entry's name says so. Times before 1970 cannot be written in this format and are 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wigmore.ledger import durable_file
from wigmore.reports.data import ReportData, report_format
from wigmore.reports.markup import plain, visible

TIMES = ("accessed", "modified", "changed", "created")
KINDS = {"file": "r", "folder": "d", "directory": "d", "link": "l", "stream": "r"}
LISTING = "file_listing"


def _text(value: Any) -> str:
    """A text that keeps its line and its columns: controls visible, `|` written as its code."""
    return visible(plain(value)).replace("\n", "\\u{a}").replace("\t", "\\u{9}").replace("|", "\\u{7c}")


def _permissions(kind: str, mode: Any) -> str:
    """Mode as TSK writes it, `r/rrwxr-xr-x`; without stored permissions only the kind."""
    letter = KINDS.get(kind, "-")
    try:
        bits = int(plain(mode), 8) if isinstance(mode, str) else int(mode)
    except (TypeError, ValueError):
        return f"{letter}/{letter}---------"
    flags = "".join(c if bits >> (8 - i) & 1 else "-" for i, c in enumerate("rwxrwxrwx"))
    return f"{letter}/{letter}{flags}"


def _seconds(time: Any) -> int:
    """Whole seconds since 1970 of a time of the examined system; 0, mactime's "none", for all others."""
    if not isinstance(time, Mapping) or time.get("owner") != "host" or not isinstance(time.get("instant"), int):
        return 0
    return max(0, int(time["instant"]) // 1_000_000)


def _number(value: Any) -> int:
    try:
        return max(0, int(plain(value)))
    except ValueError:
        return 0


def lines(record: Mapping[str, Any]) -> list[str]:
    """The entry of the body file, and a second one for its NTFS $FILE_NAME times where it has them (as fls writes)."""
    data, times = record["data"], record.get("times") or {}
    name = _text(record["path"])
    if target := data.get("link_target"):
        name += f" -> {_text(target)}"
    deleted = " (deleted)" if data.get("deleted") else ""
    head = (plain(data.get("md5")) or "0",)
    tail = (
        _text(data.get("inode")) or "0",
        _permissions(plain(data.get("kind")), data.get("mode")),
        str(_number(data.get("uid"))),
        str(_number(data.get("gid"))),
        str(_number(data.get("size"))),
    )
    own = [str(_seconds(times.get(n))) for n in TIMES]
    out = ["|".join((*head, name + deleted + _left_out(times), *tail, *own))]
    if any(f"fn_{n}" in times for n in TIMES):
        named = [str(_seconds(times.get(f"fn_{n}"))) for n in TIMES]
        out.append("|".join((*head, f"{name} ($FILE_NAME){deleted}", *tail, *named)))
    return out


def _left_out(times: Mapping[str, Any]) -> str:
    """What the columns cannot hold, said in the name: local times of unknown zone, times of the collector."""
    known = [(n, times[n]) for n in TIMES if isinstance(times.get(n), Mapping) and times[n].get("text")]
    foreign = [n for n, t in known if t.get("owner") != "host"]
    local = [f"{n} {_text(t['text'])}" for n, t in known if t.get("instant") is None and n not in foreign]
    said = f" (local time, zone unknown: {', '.join(local)})" if local else ""
    return said + (f" ({', '.join(foreign)}: the collector's, left out)" if foreign else "")


@report_format("bodyfile", "bodyfile.txt")
def bodyfile(data: ReportData, folder: Path) -> Path:
    """The file listing for mactime (TSK 3 body file); local and collector's times stay out of its columns."""
    target = folder / "bodyfile.txt"
    with durable_file(target) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        for record in data.records():
            if record["artifact"] == LISTING:
                for line in lines(record):
                    stream.write(line + "\n")
    return target
