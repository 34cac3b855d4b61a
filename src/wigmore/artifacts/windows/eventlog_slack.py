"""Event records in the free part of EVTX chunks: what stood there before the chunk was begun anew.

No parser of its own: the event log parser asks for these after the records in use.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any, cast

CHUNK, RECORDS_AT, HEAD = 65536, 512, 24
MARK = b"**\0\0"
FIRST_TIME, LAST_TIME = 0x01B0_0000_0000_0000, 0x0220_0000_0000_0000  # FILETIMEs of 1987 and 2088
_RECORD = struct.Struct("<4sIQQ")
LAST = 0xFFFFFFFFFFFFFFFF


def free_part(chunk: bytes) -> int:
    """Where the free part of a chunk begins, from its header; the whole chunk where that says nothing sensible."""
    free: int = struct.unpack_from("<I", chunk, 48)[0]
    return free if RECORDS_AT <= free <= CHUNK else CHUNK


def slack_records(chunk: bytes) -> list[tuple[int, int, int, int]]:
    """Offset, length, number and FILETIME of the complete records in the free part, in order.

    Complete: mark, a length that is repeated at the record's end (MS-EVEN6; libevtx, event record), a likely time.
    """
    found = []
    at = chunk.find(MARK, free_part(chunk))
    while at >= 0:
        step = 1
        if at % 8 == 0 and at + HEAD + 4 <= CHUNK:
            _, size, number, stored = _RECORD.unpack_from(chunk, at)
            whole = HEAD + 4 < size <= CHUNK - at and struct.unpack_from("<I", chunk, at + size - 4)[0] == size
            if whole and number and FIRST_TIME < stored < LAST_TIME:
                found.append((at, size, number, stored))
                step = size
        at = chunk.find(MARK, at + step)
    return found


def single(chunk: bytes, at: int, size: int) -> bytes:
    """The chunk made to say that one record of its free part is its second and last.

    Strings and templates are addressed from the chunk's beginning, so the record stays where it is: the first record's
    length is made to reach it (only that length is changed), and the header to end behind it.
    """
    made = bytearray(chunk)
    if at > RECORDS_AT:
        struct.pack_into("<4sI", made, RECORDS_AT, MARK, at - RECORDS_AT)
    struct.pack_into("<QQQQ", made, 8, 1, LAST, 1, LAST)
    struct.pack_into("<II", made, 44, at, at + size)
    return bytes(made)


def decoded(chunk: bytes, header: bytes, at: int, size: int, number: int) -> str | None:
    """The JSON text of one record of the free part; None where its template or names were overwritten."""
    import evtx

    try:
        parsed = evtx.PyEvtxParser(io.BytesIO(header + single(chunk, at, size)), 1).records_json()
        events = cast("Iterator[dict[str, Any]]", iter(parsed))
    except (RuntimeError, ValueError, OSError):
        return None
    for _ in range(4):  # the stretched first record, this one, and an end
        try:
            event = next(events)
        except StopIteration:
            return None
        except (RuntimeError, ValueError, OSError):
            continue
        if event["event_record_id"] == number:
            text = event["data"]
            return text if isinstance(text, str) else None
    return None
