"""Android usage statistics as protocol buffers (version 10 and later) and the numbers of their names (11 and later).

Fields: `core/proto/android/server/usagestatsservice.proto` and `usagestatsservice_v2.proto` of the Android Open Source
Project. Times count from the start of the span, which is the file's name in milliseconds. Indexes and tokens are stored one
higher than meant. From version 11 packages and classes are tokens, whose strings are in the file `mappings` of the user.
"""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.android.system import EVENTS
from wigmore.artifacts.android.xml_reader import MAGIC
from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.model.times import Time, posix
from wigmore.registry import Claim, parser

PROTO = "https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/core/proto/android/server/usagestatsservice"
LARGEST = 256 * 1024 * 1024
SPANS = ("daily", "weekly", "monthly", "yearly")
Field = tuple[int, int, int | bytes, int]  # number, wire type, value, offset
USAGE = {3: "last_time_active", 8: "last_time_service_used", 10: "last_time_visible"}
TOTALS = {4: "total_time_active_ms", 9: "total_time_service_used_ms", 11: "total_time_visible_ms"}


def message(data: bytes, base: int = 0) -> Iterator[Field]:
    """The fields of a protocol-buffers message; raises ValueError where it does not hold together."""
    at = 0
    while at < len(data):
        start = at
        key, at = varint_little(data, at)
        number, wire = key >> 3, key & 7
        value: int | bytes
        if number == 0:
            raise ValueError(f"field 0 at {base + start}")
        if wire == 0:
            value, at = varint_little(data, at)
        elif wire == 2:
            length, at = varint_little(data, at)
            if at + length > len(data):
                raise ValueError(f"a field of {length} bytes at {base + start} passes the end")
            value = data[at : at + length]
            at += length
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
            if at + size > len(data):
                raise ValueError(f"a number at {base + start} passes the end")
            value = int.from_bytes(data[at : at + size], "little")
            at += size
        else:
            raise ValueError(f"wire type {wire} at {base + start}")
        yield number, wire, value, base + start


def varint_little(data: bytes, at: int) -> tuple[int, int]:
    """A base-128 number, lowest group first (https://protobuf.dev/programming-guides/encoding/)."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError(f"ends inside a number at {at}")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
    raise ValueError(f"a number of more than ten bytes at {at}")


def _numbers(data: bytes) -> dict[int, int]:
    return {n: v for n, _, v, _ in message(data) if isinstance(v, int)}


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _is_stats(head: bytes, path: str, size: int) -> bool:
    parts = path.lower().replace("\\", "/").split("/")
    name = parts[-1]
    within = len(parts) >= 2 and parts[-2] in SPANS and name.isdigit() and 10 <= len(name) <= 14
    return within and not head.startswith(MAGIC) and not head.lstrip().startswith(b"<")


def _strings(data: bytes) -> list[str]:
    return [shown(v) for n, _, v, _ in message(data) if n == 2 and isinstance(v, bytes)]


@parser(
    "android.usagestats_proto",
    claims=Claim(look=_is_stats),
    reads="usagestats files of Android 10 and later (protocol buffers); the file's name is the start of its span",
    means="the app's activity moved to the foreground or another event happened at that time",
    does_not_mean="which person; aggregates carry times of their span, not of each use; a token without its mapping names no app",
    refs=(PROTO + ".proto", PROTO + "_v2.proto"),
    artifacts=("android.usage_event", "android.usage"),
)
def usagestats(file: EvidenceFile) -> Iterator[Yield]:
    """One record an event, one an app's aggregate."""
    start = int(file.path.rsplit("/", 1)[-1])
    data = file.read(LARGEST)
    fields: list[Field] = []
    try:
        fields.extend(message(data))
    except ValueError as error:
        if not fields:
            fields = _sound(data)
        yield Gap(str(error), None, "truncated")
    pool: list[str] | None = None
    for number, _, value, offset in fields:
        if number == 2 and isinstance(value, bytes):
            try:
                pool = _strings(value)
            except ValueError as error:
                pool = [shown(v) for n, _, v, _ in _sound(value) if n == 2 and isinstance(v, bytes)]
                yield Gap(f"the pool of names is damaged after {len(pool)} of them: {error}", offset)
            break
    if not any(n in (20, 22) for n, *_ in fields):
        if not fields:
            raise ParseError(file.path, 0, "no protocol-buffers message", "damaged")
        return

    def placed(offset: int) -> Time | None:
        number = _signed(offset)
        if number <= 0 or start + number > 10**14:
            return None
        time = posix(start + number, unit="ms", source="start of the span in the file's name, plus the stored offset")
        return {**time, "raw": number} if time else None

    for number, _, value, offset in fields:
        if number not in (20, 22) or not isinstance(value, bytes):
            continue
        try:
            row = list(message(value))
        except ValueError as error:
            yield Gap(f"a damaged entry: {error}", offset)
            continue
        made = _event(row, pool, placed) if number == 22 else _aggregate(row, pool, placed)
        yield {"kind": "offset", "offset": offset, "length": len(value)}, made


def _sound(data: bytes) -> list[Field]:
    found: list[Field] = []
    try:
        for field in message(data):
            found.append(field)
    except ValueError:
        return found
    return found


def _name(row: dict[int, int | bytes], pool: list[str] | None, text: int, index: int) -> object:
    """A name as stored, from the pool, or its token."""
    if isinstance(row.get(text), bytes):
        return shown(row[text])  # type: ignore[arg-type]  # bytes: looked at above
    number = row.get(index if pool is not None else text)
    if not isinstance(number, int):
        return None
    if pool is None:
        return f"token {number - 1}"
    return pool[number - 1] if 0 < number <= len(pool) else f"index {number - 1} of {len(pool)}"


def _event(fields: list[Field], pool: list[str] | None, placed: object) -> Record:
    row = {n: v for n, _, v, _ in fields}
    tokens = pool is None and isinstance(row.get(1), int)
    time_at, type_at = (3, 5) if tokens else (5, 7)
    kind = row.get(type_at)
    data: dict[str, object] = {
        "package": _name(row, pool, 1, 1 if tokens else 2),
        "class": _name(row, pool, 2 if tokens else 3, 2 if tokens else 4),
        "type": kind if isinstance(kind, int) else None,
    }
    if isinstance(kind, int):
        data["type_name"] = EVENTS.get(kind, f"unknown ({kind})")
    stamp = row.get(time_at)
    time = placed(stamp) if isinstance(stamp, int) else None  # type: ignore[operator]  # a function of this module
    kept = {k: v for k, v in data.items() if v is not None}
    times = {"time": time} if time else {}
    return Record(kept, times, "time" if time else None, artifact="android.usage_event")


def _aggregate(fields: list[Field], pool: list[str] | None, placed: object) -> Record:
    row = {n: v for n, _, v, _ in fields}
    tokens = pool is None and isinstance(row.get(1), int)
    data: dict[str, object] = {"package": _name(row, pool, 1, 1 if tokens else 2)}
    times: dict[str, Time] = {}
    for number, name in USAGE.items():
        value = row.get(number)
        if isinstance(value, int) and (time := placed(value)) is not None:  # type: ignore[operator]  # as above
            times[name] = time
    for number, name in TOTALS.items():
        if isinstance(row.get(number), int):
            data[name] = row[number]
    for number, name in ((5, "last_event"), (6, "launch_count")):
        if isinstance(row.get(number), int):
            data[name] = row[number]
    kept = {k: v for k, v in data.items() if v is not None}
    return Record(kept, times, next(iter(times), None), artifact="android.usage")


def _is_mapping(head: bytes, path: str, size: int) -> bool:
    parts = path.lower().split("/")
    return parts[-1] == "mappings" and "usagestats" in parts[:-1] and head[:1] in (b"\x08", b"\x12")


@parser(
    "android.usage_names",
    claims=Claim(look=_is_mapping),
    reads="usagestats/<user>/mappings of Android 11 and later",
    means="this token stands for this package in the usage files beside it; its classes and other strings are numbered so",
    does_not_mean="that the app was used or is still installed",
    refs=(PROTO + "_v2.proto",),
    artifacts=("android.usage_name",),
)
def usage_names(file: EvidenceFile) -> Iterator[Yield]:
    """One record a package: its token and the strings by number."""
    try:
        for number, _, value, offset in message(file.read(LARGEST)):
            if number != 2 or not isinstance(value, bytes):
                continue
            token = _numbers(value).get(1)
            strings = _strings(value)
            if token is None or not strings:
                continue
            data = {"package": strings[0], "token": token - 1, "strings": strings}
            yield (
                {"kind": "offset", "offset": offset, "length": len(value)},
                Record(data, artifact="android.usage_name"),
            )
    except ValueError as error:
        yield Gap(str(error), None, "truncated")
