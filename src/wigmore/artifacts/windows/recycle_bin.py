"""Windows Recycle Bin: $I files, versions 1 and 2, and the INFO2 index of earlier Windows."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from wigmore.artifacts.windows.structures import ansi, utf16
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.model.times import filetime
from wigmore.registry import Claim, parser

SID = re.compile(r"S-1-\d{1,14}(?:-\d{1,10}){1,15}", re.IGNORECASE)
LIMIT = 32 * 1024 * 1024


def _owner(path: str) -> str:
    """The SID that names a folder on the way to the file, or an empty text."""
    for part in reversed(path.split("/")[:-1]):
        if SID.fullmatch(part):
            return part.upper()
    return ""


def _look_i(head: bytes, path: str, size: int) -> bool:
    return len(head) >= 8 and head[:8] in (b"\1" + b"\0" * 7, b"\2" + b"\0" * 7) and size <= 70_000


@parser(
    "windows.recycle_bin",
    claims=Claim(paths=("$i*",), look=_look_i),
    reads="$Recycle.Bin/<SID>/$I* of Windows Vista and later",
    means=(
        "The item at this path was moved to the Recycle Bin at this time, in a session of the account of the "
        "SID folder."
    ),
    does_not_mean=(
        "Which person did it, or that the content is gone: $R beside it often holds the whole. Without $R the item was "
        "removed from the bin or restored; deletions that bypass the bin leave no $I."
    ),
    refs=(
        "https://github.com/libyal/dtformats/blob/main/documentation/Windows%20Recycle.Bin%20file%20formats.asciidoc",
    ),
)
def dollar_i(file: EvidenceFile) -> Iterator[Yield]:
    """The file as one record: path, size in bytes, FILETIME of deletion, whether $R stands beside it.

    Format: u64 version, u64 size, FILETIME; version 1 has a fixed 520-byte name, version 2 stores its length.
    """
    content = file.read(LIMIT)
    if len(content) < 26:
        raise ParseError(file.path, 0, f"{len(content)} bytes are too few for a $I file", "truncated")
    version, size, deleted = struct.unpack_from("<QQQ", content)
    if version == 1:
        raw = content[24:544]
        if len(content) < 544:
            yield Gap("the name field is cut off", 24, "truncated")
    elif version == 2:
        if len(content) < 28:
            raise ParseError(file.path, 24, "the name is cut off", "truncated")
        length = struct.unpack_from("<I", content, 24)[0]
        raw = content[28 : 28 + 2 * length]
        if len(raw) < 2 * length:
            yield Gap(f"the name should have {length} characters", 28, "truncated")
    else:
        raise ParseError(file.path, 0, f"unknown $I version {version}", "schema_unknown")
    name = file.path.rpartition("/")[2]
    data: dict[str, object] = {
        "deleted_path": utf16(raw),
        "size": size,
        "version": version,
        "recycled_name": name,
        "content_file_present": file.sibling("$R" + name[2:]) is not None,
    }
    if sid := _owner(file.path):
        data["user_sid"] = sid
    times = {"deleted_at": moment} if (moment := filetime(deleted)) else {}
    if not times:
        yield Gap("no valid time of deletion", 16)
    yield {"kind": "offset", "offset": 0, "length": len(content)}, Record(data, times, "deleted_at" if times else None)


def _look_info2(head: bytes, path: str, size: int) -> bool:
    return len(head) >= 20 and struct.unpack_from("<I", head, 12)[0] in (280, 800)


@parser(
    "windows.recycle_bin.info2",
    claims=Claim(paths=("info2", "info"), look=_look_info2),
    reads="INFO2 in RECYCLER or RECYCLED of Windows 95 to XP/2003",
    means=(
        "The item at this path was moved to the Recycle Bin at this time; on NTFS in a session of the "
        "account of the folder."
    ),
    does_not_mean=(
        "Which person did it, or that the content is gone. A path whose first byte is zero was removed from the bin or "
        "restored; its size says how much it held."
    ),
    refs=("https://github.com/libyal/dtformats/blob/main/documentation/Windows%20Recycler%20file%20formats.asciidoc",),
)
def info2(file: EvidenceFile) -> Iterator[Yield]:
    """One record an entry: path, index in the bin (DcN), drive, size on disk in bytes, FILETIME of deletion.

    Format: 20-byte header with the entry's size at 12 (280: code page path only; 800: with a UTF-16 path of 520 bytes).
    """
    content = file.read(LIMIT)
    if len(content) < 20:
        raise ParseError(file.path, 0, "shorter than the header", "truncated")
    size = struct.unpack_from("<I", content, 12)[0]
    if size not in (280, 800):
        raise ParseError(file.path, 12, f"unknown entry size {size}", "schema_unknown")
    owner = _owner(file.path)
    for offset in range(20, len(content), size):
        entry = content[offset : offset + size]
        if len(entry) < size:
            if entry.strip(b"\0"):
                yield Gap("the last entry is cut off", offset, "truncated")
            return
        index, drive, deleted, length = struct.unpack_from("<IIQI", entry, 260)
        if not entry.strip(b"\0"):
            continue
        removed = entry[0] == 0
        short = ansi(entry[1:260] if removed else entry[:260])
        wide = utf16(entry[280:800]) if size == 800 else ""
        if removed and wide == "" and short:
            short = f"{chr(ord('A') + drive) if drive < 26 else '?'}{short}"  # the zeroed byte was the drive's letter
        path = wide or short
        extension = path.rpartition("\\")[2].rpartition(".")
        letter = chr(ord("a") + drive) if drive < 26 else "?"
        recycled = f"D{letter}{index}" + (f".{extension[2]}" if extension[1] else "")
        data: dict[str, object] = {
            "deleted_path": path,
            "code_page_path": short,
            "index": index,
            "drive_number": drive,
            "size": length,
            "recycled_name": recycled,
            "removed_from_bin": removed,
            "content_file_present": file.sibling(recycled) is not None,
        }
        if owner:
            data["user_sid"] = owner
        times = {"deleted_at": moment} if (moment := filetime(deleted)) else {}
        yield {"kind": "offset", "offset": offset, "length": size}, Record(data, times, "deleted_at" if times else None)
