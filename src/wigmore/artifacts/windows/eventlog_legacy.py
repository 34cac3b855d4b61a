"""Event logs of Windows NT to XP and 2003 (.evt)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wigmore.artifacts.windows.event_codes import LOGON_TYPES
from wigmore.artifacts.windows.event_names import EVENTS
from wigmore.artifacts.windows.structures import utf16, wide_at
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Recorder, Yield
from wigmore.model.times import Time, posix
from wigmore.registry import Claim, parser

MARK, HEADER, SMALLEST, LARGEST = b"LfLe", 48, 56, 0x100000
CURSOR = struct.pack("<5I", 40, 0x11111111, 0x22222222, 0x33333333, 0x44444444)
TYPES = {0: "success", 1: "error", 2: "warning", 4: "information", 8: "audit success", 16: "audit failure"}
SECURITY = {
    512: "Windows started up (audit)", 513: "Windows shut down (audit)", 517: "security log cleared",
    520: "system time changed", 528: "logon succeeded", 529: "logon failed: unknown user name or wrong password",
    530: "logon failed: outside permitted hours", 531: "logon failed: account disabled",
    532: "logon failed: account expired", 533: "logon failed: workstation not permitted",
    534: "logon failed: logon type not granted", 535: "logon failed: password expired", 537: "logon failed",
    538: "logon session ended", 539: "logon failed: account locked out", 540: "network logon succeeded",
    551: "logoff initiated by user", 552: "logon attempted with explicit credentials",
    560: "object opened", 562: "handle to an object closed", 567: "object access performed",
    576: "special privileges assigned to a logon",
    592: "process created", 593: "process exited", 600: "primary token assigned to a process",
    601: "service install attempted",
    602: "scheduled task created", 612: "audit policy changed", 624: "user account created",
    626: "user account enabled", 627: "password change attempted", 628: "password set", 629: "user account disabled",
    630: "user account deleted", 632: "member added to a global security group",
    633: "member removed from a global security group", 636: "member added to a local security group",
    637: "member removed from a local security group", 642: "user account changed", 644: "user account locked out",
    672: "Kerberos authentication ticket requested", 673: "Kerberos service ticket requested",
    675: "Kerberos pre-authentication failed", 680: "credentials validated by NTLM", 681: "logon failed by NTLM",
    682: "session reconnected", 683: "session disconnected",
}  # fmt: skip
LOGONS = frozenset((528, 529, 530, 531, 532, 533, 534, 535, 537, 538, 539, 540))


def sid_text(raw: bytes) -> str:
    """A binary SID as text (MS-DTYP 2.4.2.2), empty for a malformed one."""
    if len(raw) < 8 or len(raw) < 8 + 4 * raw[1] or raw[1] > 15:
        return ""
    parts = struct.unpack_from(f"<{raw[1]}I", raw, 8)
    return "-".join(["S", str(raw[0]), str(int.from_bytes(raw[2:8], "big")), *map(str, parts)])


def _event(raw: bytes) -> tuple[dict[str, Any], dict[str, Time]]:
    """Fields and times of one record; `raw` is the whole record with both length fields."""
    (
        _,
        _,
        number,
        generated,
        written,
        identifier,
        kind,
        count,
        category,
        _,
        _,
        strings_at,
        sid_size,
        sid_at,
        size,
        data_at,
    ) = struct.unpack_from("<I4s4I4H6I", raw)
    source = wide_at(raw, HEADER + 8, 512)
    computer = wide_at(raw, HEADER + 8 + 2 * len(source) + 2, 512)
    data: dict[str, Any] = {
        "provider": source,
        "event_id": identifier & 0xFFFF,
        "event_identifier": f"{identifier:#010x}",
        "event_type": TYPES.get(kind, str(kind)),
        "category": category,
        "computer": computer,
        "record_id": number,
    }
    if sid_size and sid_at + sid_size <= len(raw) and (sid := sid_text(raw[sid_at : sid_at + sid_size])):
        data["user_sid"] = sid
    position, texts = strings_at, []
    for _ in range(min(count, 256)):
        if not HEADER <= position < len(raw) - 4:
            break
        end = position
        while end < len(raw) - 5 and raw[end : end + 2] != b"\0\0":
            end += 2
        texts.append(utf16(raw[position:end]))
        position = end + 2
    for index, text in enumerate(texts):
        data[f"data_{index}"] = text
    if size and data_at + size <= len(raw):
        data["binary"] = raw[data_at : data_at + min(size, 4096)].hex()
    known = (
        SECURITY.get(identifier & 0xFFFF) if source == "Security" else EVENTS.get(source, {}).get(identifier & 0xFFFF)
    )
    if known:
        data["event"] = known
    if source == "Security" and data["event_id"] in LOGONS and len(texts) > 3 and texts[3].isdigit():
        data["logon_type_name"] = LOGON_TYPES.get(int(texts[3]), texts[3])
    times = {}
    for name, value in (("time_generated", generated), ("time_written", written)):
        if moment := posix(value):
            times[name] = moment
    return data, times


def _whole(content: bytes, start: int, size: int) -> tuple[bytes, bool] | None:
    """A record's bytes and whether it wraps from the end of the file to the byte after the header; None: cut off."""
    raw = content[start : start + size]
    if len(raw) == size:
        return (raw, False) if raw[-4:] == raw[:4] else None
    rest = content[HEADER : HEADER + size - len(raw)]
    whole = raw + rest
    return (whole, True) if len(whole) == size and whole[-4:] == whole[:4] else None


@dataclass(frozen=True)
class Bounds:
    """Where the current records lie: offset of the oldest, offset after the newest, and their numbers."""

    first: int
    end: int
    following: int
    oldest: int


def _bounds(content: bytes) -> Bounds | None:
    """From the cursor record that follows the newest event, else from the header of a cleanly closed log."""
    at = content.find(CURSOR, HEADER)
    if at >= 0 and at + 40 <= len(content):
        first, end, following, oldest = struct.unpack_from("<4I", content, at + 20)
    else:
        first, end, following, oldest = struct.unpack_from("<4I", content, 16)
        if struct.unpack_from("<I", content, 36)[0] & 1:  # dirty: the header is stale
            return None
    sound = HEADER <= first <= len(content) and HEADER <= end <= len(content) and 0 < oldest <= following
    return Bounds(first, end, following, oldest) if sound else None


def _inside(offset: int, first: int, end: int) -> bool:
    """Whether an offset lies on the way from `first` to `end`, around the end of the file where they are swapped."""
    return first <= offset < end if first <= end else offset >= first or offset < end


@parser(
    "windows.eventlog.legacy",
    claims=Claim(paths=("*.evt",), magic=((4, MARK),), look=lambda head, path, size: head[4:8] == MARK),
    reads="*.evt event logs of Windows NT, 2000, XP and 2003",
    means=(
        "The named source on the named computer wrote this event, with these strings, at this second of its "
        "clock (UTC)."
    ),
    does_not_mean=(
        "That the log is complete (auditing may be off, the file wraps), or that an event is hostile; ids mean "
        "something only together with their source. Records outside the current bounds are older ones not yet "
        "overwritten."
    ),
    refs=("https://github.com/libyal/libevt (format documentation)", "MS-EVEN 2.2 (EVENTLOGRECORD)"),
)
def eventlog_legacy(file: EvidenceFile) -> Iterator[Yield]:
    """Events in file order; those outside the current bounds are `unallocated`. Strings are data_0…, times to 1 s."""
    content = file.read()
    if len(content) < HEADER or content[4:8] != MARK:
        raise ParseError(file.path, 0, "no event log header", "truncated" if len(content) < HEADER else "damaged")
    bounds = _bounds(content)
    position, numbers = content.find(MARK, HEADER), set()
    covers: list[Time] = []
    while position >= 4:
        start = position - 4
        size = struct.unpack_from("<I", content, start)[0]
        position = content.find(MARK, position + 1)
        if size == HEADER and content[start : start + HEADER].endswith(content[start : start + 4]):
            continue
        current = bounds is None or _inside(start, bounds.first, bounds.end)
        found = _whole(content, start, size) if SMALLEST <= size <= LARGEST else None
        if found is None:
            if current:  # a torn one among those no longer in use is only half overwritten
                yield Gap(f"a record of {size} bytes is torn: its two sizes differ", start)
            continue
        raw, wraps = found
        try:
            data, times = _event(raw)
        except struct.error as error:
            yield Gap(f"a record cannot be read: {error}", start)
            continue
        number = data["record_id"]
        live = file.state == "live" and current
        locator: dict[str, Any] = {"kind": "record", "number": number, "offset": start, "length": size}
        if wraps:
            locator["wraps_to"] = HEADER
        dated = next((name for name in ("time_generated", "time_written") if name in times), None)
        if dated:
            covers = [min([*covers[:1], times[dated]], key=_instant), max([*covers[1:], times[dated]], key=_instant)]
        if live:
            numbers.add(number)
        yield locator, Record(data, times, dated, "live" if live else "unallocated", data["computer"])
        if not wraps:
            position = content.find(MARK, start + size)
    if bounds:
        missing = sum(
            1
            for number in range(bounds.oldest, min(bounds.following, bounds.oldest + LARGEST))
            if number not in numbers
        )
        if missing:
            yield Gap(f"of the records {bounds.oldest} to {bounds.following - 1}, {missing} were not found")
    yield Recorder(
        "unknown",
        covers[0]["text"] if covers else None,
        covers[1]["text"] if covers else None,
        "audit policy says which events were switched on",
    )


def _instant(moment: Time) -> int:
    instant: int = moment["instant"]
    return instant
