"""The file listing as a TSK 3 body file for mactime: md5|name|inode|mode|uid|gid|size|atime|mtime|ctime|crtime, seconds since 1970 UTC.

Format: wiki.sleuthkit.org, "Body file" (TSK 3.0 and later). A time that is missing is 0, as mactime expects. A time of unknown zone (FAT,
many archives) has no place here: it is 0 too, and the entry's name says so.
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
    instant = time.get("instant") if isinstance(time, Mapping) else None
    return max(0, instant // 1_000_000) if isinstance(instant, int) else 0


def _number(value: Any) -> int:
    try:
        return max(0, int(plain(value)))
    except ValueError:
        return 0


def line(record: Mapping[str, Any]) -> str:
    """One entry of the body file."""
    data, times = record["data"], record.get("times") or {}
    kind = plain(data.get("kind"))
    name = _text(record["path"])
    if target := data.get("link_target"):
        name += f" -> {_text(target)}"
    if data.get("deleted"):
        name += " (deleted)"
    local = [n for n in TIMES if isinstance(times.get(n), Mapping) and times[n].get("text") and times[n].get("instant") is None]
    if local:
        name += _local(times, local)
    inode = _text(data.get("inode")) or "0"
    return "|".join((
        plain(data.get("md5")) or "0", name, inode, _permissions(kind, data.get("mode")), str(_number(data.get("uid"))),
        str(_number(data.get("gid"))), str(_number(data.get("size"))), *(str(_seconds(times.get(n))) for n in TIMES),
    ))


def _local(times: Mapping[str, Any], names: list[str]) -> str:
    return " (local time, zone unknown: " + ", ".join(f"{n} {_text(times[n]['text'])}" for n in names) + ")"


@report_format("bodyfile", "bodyfile.txt")
def bodyfile(data: ReportData, folder: Path) -> Path:
    """The file listing for mactime (TSK 3 body file); times of unknown zone stay out of its columns and in the name."""
    target = folder / "bodyfile.txt"
    with durable_file(target) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        for record in data.records():
            if record["artifact"] == LISTING:
                stream.write(line(record) + "\n")
    return target
