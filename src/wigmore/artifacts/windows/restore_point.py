"""Windows XP restore points (rp.log)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from wigmore.artifacts.windows.structures import wide_at
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.model.times import filetime
from wigmore.registry import Claim, parser

EVENTS = {
    100: "begin of a change",
    101: "end of a change",
    102: "begin of a nested change",
    103: "end of a nested change",
}
KINDS = {
    0: "application installed", 1: "application removed", 6: "restore", 7: "checkpoint", 10: "device driver installed",
    11: "first run", 12: "settings modified", 13: "operation cancelled",
}  # fmt: skip


def _look(head: bytes, path: str, size: int) -> bool:
    return len(head) >= 24 and struct.unpack_from("<I", head)[0] in EVENTS and size <= 8192


@parser(
    "windows.restore_point",
    claims=Claim(paths=("rp.log",), look=_look),
    reads="System Volume Information/_restore{…}/RP*/rp.log of Windows XP",
    means="Windows made a restore point of this description at this time of its clock.",
    does_not_mean=(
        "That the named installation succeeded or was asked for by a person: many points are made by schedule."
    ),
    refs=("https://github.com/libyal/dtformats (restore point formats)", "SRRestorePt: RESTOREPOINTINFO"),
)
def restore_point(file: EvidenceFile) -> Iterator[Yield]:
    """The file as one record.

    Format: event type, kind, sequence number, UTF-16 description; its last 8 bytes are a FILETIME.
    """
    content = file.read(65536)
    if len(content) < 24:
        raise ParseError(file.path, 0, f"{len(content)} bytes are too few for a restore point", "truncated")
    event, kind, sequence = struct.unpack_from("<IIQ", content)
    if event not in EVENTS:
        raise ParseError(file.path, 0, f"unknown event type {event}", "schema_unknown")
    moment = filetime(struct.unpack_from("<Q", content, len(content) - 8)[0])
    if moment is None:
        yield Gap("the file does not end with a valid time", len(content) - 8, "truncated")
    data = {
        "description": wide_at(content, 16),
        "event_type": EVENTS.get(event, str(event)),
        "restore_point_type": KINDS.get(kind, str(kind)),
        "sequence_number": sequence,
    }
    times = {"created": moment} if moment else {}
    yield {"kind": "offset", "offset": 0, "length": len(content)}, Record(data, times, "created" if times else None)
