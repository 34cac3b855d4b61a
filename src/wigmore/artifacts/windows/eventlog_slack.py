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


def joined(chunk: bytes, slack: list[tuple[int, int, int, int]]) -> bytes:
    """The chunk made to say that the records of its free part are in use, behind one that reaches to the first of them.

    Strings and templates are addressed from the chunk's beginning, so records stay where they are: what lies between them is
    given the head of a record, which the library then fails to read and passes over.
    """
    made = bytearray(chunk)
    position = RECORDS_AT
    for at, size, _, _ in slack:
        if at > position:
            struct.pack_into("<4sI", made, position, MARK, at - position)
        position = at + size
    struct.pack_into("<QQQQ", made, 8, 1, LAST, 1, LAST)
    struct.pack_into("<II", made, 44, slack[-1][0], position)
    return bytes(made)


def decoded(chunk: bytes, header: bytes, slack: list[tuple[int, int, int, int]]) -> dict[int, str]:
    """The JSON texts of records of the free part by number, all read in one go; those whose templates or names were
    overwritten are missing.
    """
    import evtx

    try:
        parsed = evtx.PyEvtxParser(io.BytesIO(header + joined(chunk, slack)), 1).records_json()
        events = cast("Iterator[dict[str, Any]]", iter(parsed))
    except (RuntimeError, ValueError, OSError):
        return {}
    wanted = {number for _, _, number, _ in slack}
    first = _RECORD.unpack_from(chunk, RECORDS_AT)[2]
    found: dict[int, str] = {}
    for turn in range(2 * len(slack) + 2):  # each, what lies before it, and an end
        try:
            event = next(events)
        except StopIteration:
            break
        except (RuntimeError, ValueError, OSError):
            continue
        number, text = event["event_record_id"], event["data"]
        if number in wanted and isinstance(text, str) and not (turn == 0 and number == first):
            found[number] = text
    return found
