"""Linux login records: utmp, wtmp, btmp in 32- and 64-bit layouts and both byte orders, and lastlog."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Gap, Locator, Record, Yield
from wigmore.model.times import DOS_OFFSET, Time, posix
from wigmore.registry import Claim, parser

TYPES = {
    0: "EMPTY",
    1: "RUN_LVL",
    2: "BOOT_TIME",
    3: "NEW_TIME",
    4: "OLD_TIME",
    5: "INIT_PROCESS",
    6: "LOGIN_PROCESS",
    7: "USER_PROCESS",
    8: "DEAD_PROCESS",
    9: "ACCOUNTING",
}
TYPES_MEAN = {
    1: "run level changed",
    2: "booted",
    3: "clock changed (new)",
    4: "clock changed (old)",
    5: "started by init",
    6: "login prompt",
    7: "login",
    8: "logout",
    9: "accounting",
}
LARGEST_PID = 4_194_304  # linux, include/linux/threads.h: PID_MAX_LIMIT


@dataclass(frozen=True)
class Layout:
    """One layout of struct utmp: byte order and whether session and times are 64-bit."""

    name: str
    size: int
    form: str


LAYOUTS = tuple(
    Layout(f"{bits}, {order_name}", size, order + form)
    for order, order_name in (("<", "little-endian"), (">", "big-endian"))
    for bits, size, form in (
        ("384-byte records", 384, "h2xi32s4s32s256shhiii16s20x"),
        ("400-byte records (64-bit times)", 400, "h2xi32s4s32s256shhqqq16s20x4x"),
    )
)


@dataclass(frozen=True)
class Entry:
    """The fields of one record as stored."""

    kind: int
    pid: int
    line: bytes
    terminal_id: bytes
    user: bytes
    host: bytes
    termination: int
    exit: int
    session: int
    second: int
    microsecond: int
    address: bytes


def unpacked(layout: Layout, raw: bytes) -> Entry:
    """The fields of one record of that layout."""
    return Entry(*struct.unpack(layout.form, raw))


def _texts_end_with_nuls(*values: bytes) -> bool:
    for value in values:
        text, _, rest = value.partition(b"\0")
        if any(byte < 32 or byte == 127 for byte in text) or (text == b"" and len(rest.strip(b"\0")) > 8):
            return False
    return True


def plausible(entry: Entry) -> bool:
    """Whether the fields are such as a login record holds."""
    return (
        0 <= entry.kind <= 9
        and 0 <= entry.pid <= LARGEST_PID
        and (entry.second == 0 or DOS_OFFSET <= entry.second < 4_294_967_296)
        and 0 <= entry.microsecond < 1_000_000
        and _texts_end_with_nuls(entry.line, entry.user, entry.host)
    )


def layout_of(head: bytes) -> Layout | None:
    """The layout under which the first records are plausible; None where none is, or nothing but zeros stands there."""
    best, winner = 0, None
    for layout in LAYOUTS:
        good = dated = 0
        count = min(len(head) // layout.size, 20)
        for number in range(count):
            raw = head[number * layout.size : (number + 1) * layout.size]
            entry = unpacked(layout, raw)
            if not plausible(entry):
                continue
            good += 1
            if entry.kind and entry.second:
                dated += 2
        if dated and good * 2 >= count and good + dated > best:
            best, winner = good + dated, layout
    return winner


def _look(head: bytes, path: str, size: int) -> bool:
    return size >= 384 and (head[:1] == b"\0" or head[1:2] == b"\0") and layout_of(head) is not None


def _host_address(raw: bytes) -> str:
    if not any(raw):
        return "0.0.0.0"  # noqa: S104  # the stored value: no address
    return str(ipaddress.ip_address(raw[:4] if not any(raw[4:]) else raw))


def _record(entry: Entry, layout: Layout, artifact: str) -> Record:
    def text(raw: bytes) -> str:
        return shown(raw.partition(b"\0")[0])

    time: Time | None = posix(entry.second * 1_000_000 + entry.microsecond, unit="us", source="utmp time is POSIX time")
    if time:
        time["raw"] = f"{entry.second}.{entry.microsecond:06d}"
    address = _host_address(entry.address)
    data: dict[str, object] = {
        "type": entry.kind,
        "type_name": TYPES[entry.kind],
        "event": TYPES_MEAN.get(entry.kind, "empty"),
        "user": text(entry.user),
        "pid": entry.pid,
        "terminal": text(entry.line),
        "terminal_id": text(entry.terminal_id),
        "host": text(entry.host),
        "address": address,
        "session": entry.session,
        "exit_status": entry.exit,
        "termination_status": entry.termination,
        "layout": layout.name,
    }
    if artifact == "linux.btmp" and entry.kind in (6, 7):
        data["event"] = "failed login"
    slack = [
        name
        for name, raw in (("user", entry.user), ("terminal", entry.line), ("host", entry.host))
        if raw.partition(b"\0")[2].strip(b"\0")
    ]
    if slack:
        data["left_after_text"] = {
            name: shown(getattr(entry, "line" if name == "terminal" else name).partition(b"\0")[2].strip(b"\0"))
            for name in slack
        }
    if entry.second == 0 and entry.kind == 0 and not entry.user.strip(b"\0") and not entry.line.strip(b"\0"):
        data["zeroed"] = True
    return Record(data, {"written_at": time} if time else {}, "written_at" if time else None, artifact=artifact)


@parser(
    "linux.utmp",
    claims=Claim(look=_look),
    artifacts=("linux.utmp", "linux.wtmp", "linux.btmp"),
    reads="/var/run/utmp, /var/log/wtmp*, /var/log/btmp* of glibc systems (x86, ARM, 64-bit times, s390x), recognised "
    "by content",
    means="a login, logout, boot, run level or clock change as login programs recorded it; in btmp: a failed attempt",
    does_not_mean="that the host text names the real origin (it may be a reverse look-up or typed); that no record "
    "was zeroed or "
    "cut; sessions of programs that do not write here; anything before the oldest rotated file",
    refs=("utmp(5)", "glibc, sysdeps/gnu/bits/utmp.h", "glibc, bits/wordsize.h: __WORDSIZE_TIME64_COMPAT32"),
)
def utmp(file: EvidenceFile) -> Iterator[Yield]:
    """One record an entry; entries that cannot be are Gaps, a torn last one too."""
    name = file.path.lower().rsplit("/", 1)[-1]
    artifact = next((f"linux.{kind}" for kind in ("wtmp", "btmp") if kind in name), "linux.utmp")
    with file.open() as stream:
        layout = layout_of(stream.read(8192))
        if layout is None:
            yield Gap("no known layout of login records", 0, "schema_unknown")
            return
        stream.seek(0)
        number = 0
        while raw := stream.read(layout.size):
            offset = number * layout.size
            number += 1
            if len(raw) < layout.size:
                yield Gap(f"{len(raw)} bytes at the end are less than a record of {layout.size}", offset, "truncated")
                return
            entry = unpacked(layout, raw)
            if not plausible(entry):
                yield Gap(f"record {number} is no login record", offset)
                continue
            locator: Locator = {"kind": "record", "number": number, "offset": offset, "length": layout.size}
            yield locator, _record(entry, layout, artifact)


LASTLOG = 292  # int32 time, 32 bytes line, 256 bytes host


@parser(
    "linux.lastlog",
    claims=Claim(
        paths=("lastlog",), look=lambda head, path, size: size > 0 and size % LASTLOG == 0 and head[:4] != b"SQLi"
    ),
    reads="/var/log/lastlog of glibc systems (one 292-byte slot a user number)",
    means="the last login of the account of that number that a login program recorded, with terminal and origin",
    does_not_mean="earlier logins; that the number still belongs to the same account; that an empty slot's account "
    "never logged in",
    refs=("lastlog(8)", "glibc, bits/utmp.h: struct lastlog"),
)
def lastlog(file: EvidenceFile) -> Iterator[Yield]:
    """One record a slot that is not empty; the user number is the slot's place."""
    with file.open() as stream:
        slot, batch = 0, LASTLOG * 4096
        while raw := stream.read(batch):
            if any(raw):
                for at in range(0, len(raw) - LASTLOG + 1, LASTLOG):
                    entry = raw[at : at + LASTLOG]
                    if not any(entry):
                        continue
                    uid = slot + at // LASTLOG
                    second = int.from_bytes(entry[:4], "little")
                    time = posix(second, source="lastlog time is POSIX time")
                    data: dict[str, object] = {
                        "uid": uid,
                        "terminal": shown(entry[4:36].partition(b"\0")[0]),
                        "host": shown(entry[36:].partition(b"\0")[0]),
                    }
                    locator: Locator = {"kind": "record", "number": uid, "offset": uid * LASTLOG, "length": LASTLOG}
                    yield (
                        locator,
                        Record(data, {"last_login_at": time} if time else {}, "last_login_at" if time else None),
                    )
            slot += len(raw) // LASTLOG
