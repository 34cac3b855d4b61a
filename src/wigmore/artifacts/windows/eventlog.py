"""Windows XML event logs (.evtx), chunk by chunk, with every event field under its native name."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, cast

import orjson

from wigmore.artifacts.windows.event_codes import KERBEROS_STATUS, LOGON_TYPES, PARAMETERS, STATUS, well_known
from wigmore.artifacts.windows.event_names import EVENTS
from wigmore.artifacts.windows.eventlog_slack import MARK, decoded, free_part, slack_records
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Recorder, Yield
from wigmore.model.times import Time, filetime, iso
from wigmore.registry import Claim, parser

BLOCK, CHUNK, RECORDS_AT = 4096, 65536, 512
DEPTH = 12  # nested elements in UserData
MOST_SLACK = 20_000  # records of free parts that are tried in one file
# What the library is given before each chunk: a header that says "one chunk follows"
_HEADER = struct.pack("<8sQQQIHHHH76xII", b"ElfFile\0", 0, 0, 1, 128, 1, 3, BLOCK, 1, 0, 0).ljust(BLOCK, b"\0")
_RECORD = struct.Struct("<4sIQQ")
_UTC_NAMES = frozenset(("UtcTime", "CreationUtcTime", "PreviousCreationUtcTime"))
_NUMBERS = ("event_id", "version", "level", "task", "opcode", "record_id", "process_id", "thread_id")  # MS-EVEN6 2.2
_SECURITY = "Microsoft-Windows-Security-Auditing"


def _values(name: str, value: Any, data: dict[str, Any], depth: int = 0) -> None:
    """Put an element's content into `data`: leaves under the native name, nested ones joined by dots."""
    if isinstance(value, dict):
        if depth >= DEPTH:
            data[name] = json.dumps(value, sort_keys=True)
            return
        for key, inner in value.items():
            if key == "#text":
                _values(name, inner, data, depth + 1)
            elif key == "#attributes":
                for attribute, text in inner.items():
                    if not attribute.startswith("xmlns") and attribute != "Name":
                        _values(f"{name}.{attribute}", text, data, depth + 1)
            else:
                _values(f"{name}.{key}", inner, data, depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _values(f"{name}.{index}", inner, data, depth + 1)
    else:
        data[f"EventData.{name}" if name in data else name] = value


def _unnamed(value: Any, data: dict[str, Any]) -> None:
    """`<Data>` elements without a name become data_0, data_1…"""
    texts = value.get("#text") if isinstance(value, dict) else value
    for index, text in enumerate(texts if isinstance(texts, list) else [texts]):
        _values(f"data_{index}", text, data)


def _attributes(element: Any) -> dict[str, Any]:
    """The attributes of a System element, where it has some."""
    found = element.get("#attributes") if isinstance(element, dict) else None
    return found if isinstance(found, dict) else {}


def _system(system: dict[str, Any]) -> dict[str, Any]:
    """The System element under our names, in the order that examiners read it."""
    get = system.get
    provider, event_id = _attributes(get("Provider")), get("EventID")
    data = {"provider": provider.get("Name") or provider.get("EventSourceName") or ""}
    if isinstance(event_id, dict):
        data["qualifiers"] = event_id.get("#attributes", {}).get("Qualifiers")
        event_id = event_id.get("#text")
    data |= {
        "event_id": event_id,
        "version": get("Version"),
        "level": get("Level"),
        "task": get("Task"),
        "opcode": get("Opcode"),
        "keywords": get("Keywords"),
        "channel": get("Channel"),
        "computer": get("Computer"),
        "record_id": get("EventRecordID"),
    }
    execution, correlation = _attributes(get("Execution")), _attributes(get("Correlation"))
    for ours, value in (
        ("process_id", execution.get("ProcessID")),
        ("thread_id", execution.get("ThreadID")),
        ("user_sid", _attributes(get("Security")).get("UserID")),
        ("activity_id", correlation.get("ActivityID")),
        ("related_activity_id", correlation.get("RelatedActivityID")),
        ("provider_guid", provider.get("Guid")),
    ):
        if value is not None:
            data[ours] = value
    if type(event_id) is str:  # a writer that stores numbers as text; the schema has them as numbers
        for name in _NUMBERS:
            if type(data.get(name)) is str and data[name].isdecimal():
                data[name] = int(data[name])
    return data


def _payload(event: dict[str, Any], data: dict[str, Any]) -> None:
    """EventData, UserData and their kin, flattened beside the System fields."""
    for section, content in event.items():
        if section in ("#attributes", "System") or content is None:
            continue
        if not isinstance(content, dict):
            _values(section, content, data)
            continue
        if section == "UserData" and len(content) == 1:
            # the one element below UserData is a wrapper: its name says what kind of data follows
            name, inner = next(iter(content.items()))
            data["user_data"] = name
            content = inner if isinstance(inner, dict) else {name: inner}
        for name, value in content.items():
            if name == "Data":
                _unnamed(value, data)
            elif name == "#attributes":
                if "Name" in value:
                    data["event_data_name"] = value["Name"]
            elif name == "#text":
                _values(section, value, data)
            elif type(value) is str:
                data[name if name not in data else f"{section}.{name}"] = value
            elif not (value is None and name == "Binary"):
                _values(name, value, data)


def _number(value: Any) -> int | None:
    """An integer from a JSON number or a decimal or 0x text."""
    if isinstance(value, int):
        return value
    try:
        return int(str(value), 0)
    except ValueError:
        return None


def _decode(data: dict[str, Any]) -> None:
    """Standard meanings beside stored codes; nothing stored is changed."""
    provider, event_id = data["provider"], data["event_id"]
    known = EVENTS.get(provider, {}).get(event_id)
    if known:
        data["event"] = known
    if provider == _SECURITY:
        _decode_security(event_id, data)
    elif provider == "PowerShell":
        # the last unnamed string of 400-800 is a list of Name=value lines
        for name in ("data_2", "data_1"):
            text = data.get(name)
            if isinstance(text, str) and "=" in text:
                for line in text.splitlines():
                    key, separator, value = line.strip().partition("=")
                    if separator and key.isidentifier() and key not in data:
                        data[key] = value


def _decode_security(event_id: int, data: dict[str, Any]) -> None:
    if (kind := _number(data.get("LogonType"))) is not None and kind in LOGON_TYPES:
        data["logon_type_name"] = LOGON_TYPES[kind]
    if event_id in (4625, 4776, 4768, 4769, 4771):
        table = KERBEROS_STATUS if event_id in (4768, 4769, 4771) else STATUS
        for name in ("Status", "SubStatus"):
            code = _number(data.get(name))
            if code is not None and code & 0xFFFFFFFF in table:
                data[f"{name}_text"] = table[code & 0xFFFFFFFF]
    for name in ("TokenElevationType", "FailureReason", "ElevatedToken"):
        meaning = PARAMETERS.get(str(data.get(name)).strip())
        if meaning:
            data[f"{name}_text"] = meaning
    if 4720 <= event_id <= 4799:
        for name in ("MemberSid", "TargetSid"):
            meaning = well_known(str(data.get(name)))
            if meaning:
                data[f"{name}_well_known"] = meaning


def _times(payload: Iterable[tuple[str, Any]]) -> dict[str, Time]:
    """Times that stand in the event's own fields: texts that end in Z, and those that Sysmon names as UTC."""
    found: dict[str, Time] = {}
    for name, value in payload:
        if type(value) is str and 19 <= len(value) <= 35 and value[4] == "-" and value[10] in "T " and value[13] == ":":
            moment = None
            if value[-1] == "Z":
                moment = iso(value)
            elif name in _UTC_NAMES:
                moment = iso(value, zone="Z", source="the field is named UTC")
            if moment:
                found[name] = moment
    return found


def _record(text: str, stored: int) -> Record:
    """One event from the library's JSON and the FILETIME in the record's header."""
    event = orjson.loads(text)["Event"]
    data = _system(event.get("System") or {})
    own = len(data)
    _payload(event, data)
    times = _times(islice(data.items(), own, None))
    written = filetime(stored)
    if written:
        times = {"time_created": written, **times}
    _decode(data)
    computer = data["computer"]
    return Record(
        data, times, "time_created" if written else None, host_id=computer if isinstance(computer, str) else ""
    )


def _slack(chunk: bytes, index: int, tried: int) -> Iterator[tuple[int, int, Record] | None]:
    """Number, offset in the chunk and record of each event in a chunk's free part; None where one has no content left."""
    slack = slack_records(chunk)[: MOST_SLACK - tried]
    texts = decoded(chunk, _HEADER, slack) if slack else {}
    for offset, _, number, stored in slack:
        text = texts.get(number)
        try:
            record = _record(text, stored) if text is not None else None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            record = None
        if record is None or record.data["record_id"] != number:
            yield None  # what its template was, another record's content is now
            continue
        data = {**record.data, "recovered_from": f"free part of chunk {index}"}
        yield number, offset, Record(data, record.times, record.time_field, "unallocated", record.host_id)


def _headers(chunk: bytes, limit: int) -> tuple[list[tuple[int, int, int]], int | None]:
    """Offset, number and FILETIME of the records of a chunk, and where the chain broke (None: it did not)."""
    found: list[tuple[int, int, int]] = []
    position = RECORDS_AT
    while position + 28 <= limit:
        mark, size, number, stored = _RECORD.unpack_from(chunk, position)
        if mark != b"**\0\0" or size < 28 or position + size > limit:
            return found, position
        found.append((position, number, stored))
        position += size
    return found, None


def _problems(chunk: bytes, base: int, index: int) -> Iterator[Gap]:
    """Checksums that do not agree with a chunk's content."""
    free, records_sum = struct.unpack_from("<II", chunk, 48)
    if zlib.crc32(chunk[:120] + chunk[128:512]) != struct.unpack_from("<I", chunk, 124)[0]:
        yield Gap(f"chunk {index}: the header's checksum differs; its content may have been altered", base)
    if RECORDS_AT <= free <= CHUNK and zlib.crc32(chunk[RECORDS_AT:free]) != records_sum:
        yield Gap(f"chunk {index}: the records' checksum differs; they may be torn or altered", base)


def _chunk(chunk: bytes, base: int, index: int) -> Iterator[tuple[int, int, Record] | Gap]:
    """Record number, offset in the file and record of each event in a chunk, in order; Gap for what cannot be read."""
    import evtx

    yield from _problems(chunk, base, index)
    free: int = struct.unpack_from("<I", chunk, 48)[0]
    headers, broken = _headers(chunk, min(free, CHUNK) if free >= RECORDS_AT else CHUNK)
    if broken is not None:
        yield Gap(f"chunk {index}: no event record where one should follow", base + broken)
    places = {number: (offset, stored) for offset, number, stored in headers}
    try:
        parsed = evtx.PyEvtxParser(io.BytesIO(_HEADER + chunk), 1).records_json()
        events = cast("Iterator[dict[str, Any]]", iter(parsed))
    except (RuntimeError, ValueError, OSError) as error:
        yield Gap(f"chunk {index} could not be opened: {error}", base)
        return
    read = 0
    for _ in range(len(headers) + 2):  # as many as there can be: errors may repeat, an iterator may not end
        try:
            event = next(events)
        except StopIteration:
            break
        except (RuntimeError, ValueError, OSError) as error:
            yield Gap(f"chunk {index}: {' '.join(str(error).split())[:300]}", base)
            continue
        number = event["event_record_id"]
        place = places.get(number)
        if place is None:
            yield Gap(f"chunk {index}: event {number} has no record header of its own", base)
            continue
        try:
            record = _record(event["data"], place[1])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            yield Gap(f"chunk {index}: event {number} has no readable content ({error})", base + place[0])
            continue
        read += 1
        yield number, base + place[0], record
    if read < len(headers):
        yield Gap(f"chunk {index}: {len(headers) - read} of {len(headers)} event records could not be read", base)


@parser(
    "windows.eventlog",
    claims=Claim(paths=("*.evtx",), magic=((0, b"ElfFile\0"),)),
    reads="*.evtx event logs of Windows Vista and later, also damaged, dirty or cut off, with the free parts of chunks",
    means="The named provider on the named computer wrote this event, with these fields, at this time of its clock.",
    does_not_mean=(
        "That the log is complete (auditing may be off, logs roll over), that a person sat at the machine, or that an "
        "event is hostile; ids mean something only together with their provider. A record from a free part stood in the log "
        "once; why it went (rolling over, clearing) it does not say. Record numbers give the order of "
        "writing even where the clock was moved; gaps in them also come from filtered exports."
    ),
    refs=(
        "MS-EVEN6 (BinXml, event schema)",
        "https://github.com/libyal/libevtx/blob/main/documentation/Windows%20XML%20Event%20Log%20(EVTX).asciidoc",
    ),
)
def eventlog(file: EvidenceFile) -> Iterator[Yield]:
    """Events of an EVTX file in file order, one record each; chunks after the last one in use are `unallocated`.

    After them come complete records that stand in the free part of a chunk, `unallocated` and with `recovered_from`.

    Format: 4,096-byte file header, then 65,536-byte chunks that each stand alone (own string and template tables).
    """
    earliest: Time | None = None
    latest: Time | None = None
    seen: set[int] = set()
    slack: list[int] = []  # chunks whose free part holds a record's mark
    tried = lost = 0
    with file.open() as stream:
        head = stream.read(BLOCK)
        if len(head) < 128:
            raise ParseError(file.path, 0, "shorter than an event log's header", "truncated")
        counted, flags = struct.unpack_from("<H", head, 42)[0], struct.unpack_from("<I", head, 120)[0]
        if head[:8] != b"ElfFile\0":
            yield Gap("the file header is damaged; chunks are read without it", 0)
            counted, flags = 0, 1
        elif zlib.crc32(head[:120]) != struct.unpack_from("<I", head, 124)[0]:
            yield Gap("the file header's checksum differs", 0)
            flags |= 1
        dirty = bool(flags & 1)  # not closed: its chunk count is stale
        index = 0
        while chunk := stream.read(CHUNK):
            base = BLOCK + index * CHUNK
            if len(chunk) < CHUNK:
                yield Gap(f"chunk {index} is cut off after {len(chunk)} bytes", base, "truncated")
                if len(chunk) <= RECORDS_AT:
                    break
                chunk = chunk.ljust(CHUNK, b"\0")
            if chunk[:8] == b"ElfChnk\0":
                state = "live" if file.state == "live" and (dirty or index < counted) else "unallocated"
                if chunk.find(MARK, free_part(chunk)) >= 0:
                    slack.append(index)
                for item in _chunk(chunk, base, index):
                    if isinstance(item, Gap):
                        yield item
                        continue
                    number, offset, record = item
                    locator = {"kind": "record", "number": number, "offset": offset}
                    if number in seen:
                        locator["repeated"] = True  # a number that stood in this file before: copied chunk or forgery
                    seen.add(number)
                    if state != "live":
                        record = Record(record.data, record.times, record.time_field, state, record.host_id)
                    if record.time_field:
                        written = record.times[record.time_field]
                        if earliest is None or written["instant"] < earliest["instant"]:
                            earliest = written
                        if latest is None or written["instant"] >= latest["instant"]:
                            latest = written
                    yield locator, record
            elif chunk.strip(b"\0"):
                yield Gap(f"chunk {index} has no chunk header", base)
            elif not dirty and index < counted:
                yield Gap(f"chunk {index} is counted as used but holds zeros only", base)
            index += 1
        if not dirty and index < counted:
            yield Gap(f"the header counts {counted} chunks, the file holds {index}", None, "truncated")
        for index in slack:
            base = BLOCK + index * CHUNK
            stream.seek(base)
            for found in _slack(stream.read(CHUNK).ljust(CHUNK, b"\0"), index, tried):
                tried += 1
                if found is None:
                    lost += 1
                    continue
                number, offset, record = found
                locator = {"kind": "record", "number": number, "offset": base + offset}
                if number in seen:
                    locator["repeated"] = True
                yield locator, record
        if tried >= MOST_SLACK:
            yield Gap(f"only {MOST_SLACK} records in free parts of chunks are tried", None, "too_large")
    needs = "audit policy and channel settings say which events were switched on"
    if lost:
        needs += f"; {lost} more records in free parts of chunks have lost their templates"
    yield Recorder("unknown", earliest["text"] if earliest else None, latest["text"] if latest else None, needs)
