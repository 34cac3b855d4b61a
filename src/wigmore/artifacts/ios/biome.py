"""Biome streams (SEGB files, versions 1 and 2) of iOS and macOS: what the system noted, stream by stream.

Format as worked out by CCL Solutions Group (https://github.com/cclgroupltd/ccl-segb). Version 1: a header of 56 bytes that
ends in `SEGB` and begins with the end of the data; entries of 32 bytes (length, state, two Apple times, CRC-32) and content,
aligned to 8. Version 2: `SEGB`, count, creation time; a trailer of 16 bytes an entry at the end of the file (end of the entry
from byte 32, state, Apple time); each entry begins with its CRC-32. State 1 written, 3 deleted.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wigmore.artifacts.generic.plist_reader import decode_blob, shortened, simple
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.model.times import Time, cocoa, posix
from wigmore.registry import Claim, parser

SEGB = "https://github.com/cclgroupltd/ccl-segb"
LARGEST = 512 * 1024 * 1024
ENTRIES = 500_000
STATES = {0: "empty", 1: "written", 3: "deleted", 4: "unknown"}
NAMED = {  # field numbers that public work gives a meaning, by stream; others keep their numbers
    "app.infocus": {"2": "launch_reason_code", "3": "in_foreground", "4": "absolute_time", "6": "bundle_id",
                    "9": "bundle_version", "10": "bundle_version_short"},
    "device.wireless.wifi": {"1": "ssid", "2": "connected"},
    "device.wireless.bluetooth": {"1": "address", "2": "name", "3": "device_type", "4": "product_id", "6": "connected"},
    "notification.usage": {"1": "notification_id", "2": "absolute_time", "3": "usage_type", "4": "bundle_id",
                           "8": "title", "9": "subtitle", "10": "body"},
    "notificationusage": {"1": "notification_id", "2": "absolute_time", "3": "usage_type", "4": "bundle_id",
                          "8": "title", "9": "subtitle", "10": "body"},
    "device.metadata.plugin": {},
    "app.install": {"1": "absolute_time", "2": "bundle_id"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a stream: where its content stands, its state and times, and whether the checksum holds."""

    index: int
    offset: int
    state: int
    written: float
    second: float | None
    content: bytes
    whole: bool


def _is_segb(head: bytes, path: str, size: int) -> bool:
    return size >= 32 and (head[:4] == b"SEGB" or head[52:56] == b"SEGB")


def entries(data: bytes, path: str) -> Iterator[Entry | Gap]:
    """The entries of a file of either version."""
    if data[:4] == b"SEGB":
        yield from _second(data, path)
    elif data[52:56] == b"SEGB":
        yield from _first(data)
    else:
        raise ParseError(path, 0, "no SEGB header", "damaged")


def _first(data: bytes) -> Iterator[Entry | Gap]:
    stated = int.from_bytes(data[:4], "little")
    if stated > len(data):
        yield Gap(f"the header states {stated} bytes of data, there are {len(data)}", 0, "truncated")
    end, at = min(stated, len(data)), 56
    for index in range(ENTRIES):
        if at >= end:
            return
        if at + 32 > end:
            yield Gap("ends inside the head of an entry", at, "truncated")
            return
        length, state, first, second, checksum = struct.unpack("<iiddI", data[at : at + 28])
        if length < 0 or at + 32 + length > len(data) or state not in STATES:
            yield Gap(f"an entry of {length} bytes in state {state} cannot be meant; the rest was not read", at)
            return
        content = data[at + 32 : at + 32 + length]
        yield Entry(index, at + 32, state, first, second, content, zlib.crc32(content) == checksum)
        at = (at + 32 + length + 7) & ~7
    yield Gap(f"more than {ENTRIES} entries", at, "too_large")


def _second(data: bytes, path: str) -> Iterator[Entry | Gap]:
    count = int.from_bytes(data[4:8], "little")
    trailer = len(data) - 16 * count
    if count > ENTRIES or trailer < 32:
        raise ParseError(path, 4, f"{count} entries do not fit a file of {len(data)} bytes", "truncated")
    rows = [struct.unpack("<iid", data[at : at + 16]) for at in range(trailer, len(data), 16)]
    start = 32
    for index, (end, state, written) in sorted(enumerate(rows), key=lambda row: (row[1][0], row[0])):
        stop = 32 + end
        if end < 0 or stop > trailer or state not in STATES or (state and stop < start + 8):
            if state:
                yield Gap(f"entry {index} ends at {stop} in state {state}, which cannot be meant", trailer + 16 * index)
            continue
        if not state:
            continue
        checksum = int.from_bytes(data[start : start + 4], "little")
        content = data[start + 8 : stop]
        yield Entry(index, start + 8, state, written, None, content, zlib.crc32(content) == checksum)
        start = (stop + 3) & ~3


def stream_of(path: str) -> tuple[str, str]:
    """The stream's name and the device folder below it (`local`, or an identifier where synchronised)."""
    parts = path.replace("\\", "/").split("/")[:-1]
    for index in range(len(parts) - 1, 0, -1):
        if parts[index].lower() in ("local", "remote", "tombstone"):
            stream = parts[index - 1]
            if parts[index].lower() == "tombstone" and stream.lower() in ("local", "remote") and index > 1:
                continue
            rest = "/".join(parts[index:])
            return stream, rest
    return (parts[-1] if parts else ""), ""


def _absolute(value: Any) -> Time | None:
    """A double that is an Apple time, or a POSIX time, of the years 2008 to 2040."""
    if not isinstance(value, float) or not math.isfinite(value):
        return None
    if 2.3e8 <= value < 1.2e9:
        return cocoa(value)
    return posix(value) if 1.2e9 <= value < 2.2e9 else None


def _doubles(value: Any, path: str, times: dict[str, Time]) -> Any:
    """Protobuf values as JSON; numbers of 64 bits whose bits are a usual time become times under their field's path."""
    if isinstance(value, dict):
        return {str(k): _doubles(v, f"{path}.{k}" if path else str(k), times) for k, v in value.items()}
    if isinstance(value, list):
        return [_doubles(v, f"{path}[{i}]", times) for i, v in enumerate(value)]
    if isinstance(value, int) and abs(value) > 1 << 40:
        number = struct.unpack("<d", struct.pack("<Q", value & 0xFFFFFFFFFFFFFFFF))[0]
        time = _absolute(number)
        if time is not None and len(times) < 50:
            times[path] = {**time, "zone_source": "double in a time's range; the field's meaning is not documented"}
            return number
        return value
    if isinstance(value, bytes):
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            text = "\0"
        return text if text.isprintable() or not text else (decode_blob(value) or shortened(value))
    return value


def fields(content: bytes, stream: str, times: dict[str, Time]) -> dict[str, Any] | None:
    """The protobuf fields of an entry, by number or documented name; None where it is no protobuf."""
    import blackboxprotobuf

    if len(content) > 1024 * 1024:
        return None
    try:
        message, _ = blackboxprotobuf.decode_message(content)
    except Exception:  # noqa: BLE001  # the library raises many kinds for what is no protobuf; the bytes are put out then
        return None
    if not isinstance(message, dict) or not message:
        return None
    found: dict[str, Any] = _doubles(message, "", times)
    names = NAMED.get(stream.lower(), {})
    for number, name in names.items():
        if number in times:
            times[name] = times.pop(number)
    return {names.get(number, f"field_{number}"): simple(value) for number, value in found.items()}


@parser(
    "ios.biome",
    claims=Claim(look=_is_segb),
    reads="Biome and other SEGB streams of iOS and macOS, versions 1 and 2; protobuf fields by number where no name is public",
    means="the system noted this in that stream at that time; deleted entries keep their time",
    does_not_mean="who held the device; streams under another folder than `local` came from other devices of the account; a "
    "field without a name has no documented meaning",
    refs=(SEGB, "https://github.com/abrignoni/iLEAPP/tree/main/scripts/artifacts",
          "https://protobuf.dev/programming-guides/encoding/"),
    artifacts=("ios.biome",),
)  # fmt: skip
def biome(file: EvidenceFile) -> Iterator[Yield]:
    """One record an entry."""
    data = file.read(LARGEST)
    stream, folder = stream_of(file.path)
    wrong = 0
    for entry in entries(data, file.path):
        if isinstance(entry, Gap):
            yield entry
            continue
        times: dict[str, Time] = {}
        written = cocoa(entry.written) if math.isfinite(entry.written) and abs(entry.written) < 2e10 else None
        if written is not None:
            times["written"] = written
        if entry.second is not None and math.isfinite(entry.second) and 0 < abs(entry.second) < 2e10:
            second = cocoa(entry.second)
            if second is not None and entry.second != entry.written:
                times["written_second"] = second
        row: dict[str, Any] = {"stream": stream, "entry_state": STATES[entry.state], "size": len(entry.content)}
        if folder:
            row["folder"] = folder
        if entry.state == 1 and not entry.whole:
            row["checksum"] = "does not hold"
            wrong += 1
        content = entry.content
        if content.strip(b"\0"):
            decoded = decode_blob(content) if content.startswith(b"bplist") else fields(content, stream, times)
            if isinstance(decoded, dict):
                row.update(decoded)
            elif decoded is not None:
                row["content"] = decoded
            else:
                row["content"] = shortened(content)
        if isinstance(row.get("in_foreground"), int):
            row["in_foreground"] = {0: False, 1: True}.get(row["in_foreground"], row["in_foreground"])
        origin = "synced" if folder.lower().startswith("remote") else "local" if folder else ""
        state = "unallocated" if entry.state == 3 else "live"
        yield (
            {"kind": "record", "number": entry.index, "offset": entry.offset, "length": len(content)},
            Record(row, times, "written" if "written" in times else None, state, origin=origin, artifact="ios.biome"),
        )
    if wrong:
        yield Gap(f"{wrong} entries do not match their checksum")
