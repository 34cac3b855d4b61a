"""IconCache.db of a profile (Windows XP and later): paths of the items whose icons Explorer kept."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from wigmore.model.canonical import clean
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.registry import Claim, parser

MARK = b"Win4"
PIECE = 4 * 1024 * 1024
LONGEST = 1024  # bytes of a path
MOST = 200_000
# a drive, a share, a known folder by GUID or variable, a moniker of an app package; then letters of any script
_PATH = re.compile(
    rb"(?:[A-Za-z]\0:\0\\\0|\\\0\\\0|:\0:\0\{\0|%\0[A-Za-z]\0|@\0\{\0)(?:[\x20-\x7e\xa0-\xff]\0|[\0-\xff][\x01-\x06\x30-\x9f\xac-\xd7]){3,500}"
)


def _look(head: bytes, path: str, size: int) -> bool:
    return head[4:8] == MARK


@parser(
    "windows.icon_cache",
    claims=Claim(look=_look),
    reads="IconCache.db in AppData\\Local (or Local Settings\\Application Data) of a profile",
    means="Explorer kept an icon for an item of this path, for the account of the profile.",
    does_not_mean=(
        "That the program was started or looked at by a person, when the icon was taken, or that the item is still there; "
        "paths on removable drives and shares are kept as well."
    ),
    refs=(
        "Lee, Lee: A research on the IconCache.db of Windows (Digital Investigation, 2014: structure and persistence)",
        "https://thinkdfir.com/2025/12/28/examining-the-iconcache-database",
    ),
)
def icon_cache(file: EvidenceFile) -> Iterator[Yield]:
    """One record a path, in the order of the file, and a first one with the header's version.

    Format: length of the header, mark `Win4`, version, then sections of entries; the entries' inner fields differ by
    version, so the UTF-16 paths are taken where they stand.
    """
    with file.open() as stream:
        head = stream.read(64)
        if len(head) < 16 or head[4:8] != MARK:
            raise ParseError(file.path, 4, "no mark of an icon cache", "schema_unknown")
        length, version = struct.unpack_from("<I4xH", head)
        header = {"kind": "header", "version": f"{version:#06x}", "header_length": length}
        yield {"kind": "offset", "offset": 0, "length": min(length, file.size)}, Record(header)
        stream.seek(0)
        base, carried, go_on, given = 0, b"", 0, 0
        while True:
            fresh = stream.read(PIECE)
            window = carried + fresh
            start = base - len(carried)
            base += len(fresh)
            border = len(window) if not fresh else max(0, len(window) - 2 * LONGEST)
            for match in _PATH.finditer(window, max(0, go_on - start)):
                if match.start() >= border:
                    break
                go_on = start + match.end()
                if given >= MOST:
                    yield Gap(f"only the first {MOST} paths are read", go_on, "too_large")
                    return
                given += 1
                path = clean(match[0].decode("utf-16-le", "surrogatepass"))
                data = {
                    "item_path": path,
                    "name": path.rpartition("\\")[2],
                    "extension": path.rpartition(".")[2].lower(),
                }
                if "." not in data["name"]:
                    del data["extension"]
                place = {"kind": "offset", "offset": start + match.start(), "length": len(match[0])}
                yield place, Record(data)
            if not fresh:
                return
            carried = window[border:]
