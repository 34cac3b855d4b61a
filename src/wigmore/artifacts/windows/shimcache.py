"""A ShimCache value saved as a file of its own (exported AppCompatCache data), all Windows versions."""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.windows.registry.families.shimcache import entries, fields
from wigmore.model.protocols import EvidenceFile, ParseError, Record, Yield
from wigmore.model.times import Time
from wigmore.registry import Claim, parser

MARKS = (b"\xef\xbe\xad\xde", b"\xfe\x0f\xdc\xba", b"\xee\x0f\xdc\xba")


def is_cache(head: bytes, path: str, size: int) -> bool:
    """A known signature, and a first entry that lies where the layout puts it."""
    if size < 128 or size > 16 * 1024 * 1024:
        return False
    if head[:4] in MARKS:
        return int.from_bytes(head[4:8], "little") <= 65536
    if head[:4] in (b"\x80\0\0\0", b"\0\0\0\0"):
        return head[128:132] in (b"00ts", b"10ts")
    return head[:4] in (b"\x30\0\0\0", b"\x34\0\0\0") and head[head[0] : head[0] + 4] == b"10ts"


@parser(
    "windows.shimcache",
    claims=Claim(look=is_cache),
    reads="the data of an AppCompatCache registry value, exported to a file",
    means="the compatibility layer saw a program file of this path and modified time when the cache was written",
    does_not_mean="that the program ran, or when: the time is the file's own modified time",
    refs=(
        "https://github.com/libyal/winreg-kb",
        "https://cloud.google.com/blog/topics/threat-intelligence/caching-out-the-val",
    ),
)
def shimcache(file: EvidenceFile) -> Iterator[Yield]:
    """One record an entry, newest first."""
    try:
        layout, found = entries(file.read(16 * 1024 * 1024))
    except ValueError as error:
        raise ParseError(file.path, 0, str(error), "schema_unknown") from error
    for entry in found:
        stored = {"file_modified": entry.modified, "entry_updated": entry.updated}
        times: dict[str, Time] = {name: time for name, time in stored.items() if time}
        chosen = next((name for name in ("entry_updated", "file_modified") if name in times), None)
        yield {"kind": "offset", "offset": entry.offset, "length": None}, Record(fields(layout, entry), times, chosen)
