"""macOS login records: /private/var/run/utmpx."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator

from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import posix
from wigmore.registry import Claim, parser

SIZE = 628
FORM = "<256s4s32siHHii256s16s48x"
TYPES = {
    0: "EMPTY",
    1: "RUN_LVL",
    2: "BOOT_TIME",
    3: "OLD_TIME",
    4: "NEW_TIME",
    5: "INIT_PROCESS",
    6: "LOGIN_PROCESS",
    7: "USER_PROCESS",
    8: "DEAD_PROCESS",
    9: "ACCOUNTING",
    10: "SIGNATURE",
    11: "SHUTDOWN_TIME",
}
EVENTS = {
    2: "booted",
    3: "clock changed (old)",
    4: "clock changed (new)",
    6: "login prompt",
    7: "login",
    8: "logout",
    11: "shut down",
}


@parser(
    "macos.utmpx",
    claims=Claim(magic=((0, b"utmpx-1.00\0"),)),
    reads="/private/var/run/utmpx (and its copies), signature utmpx-1.00",
    means="a login, logout, boot or shutdown as login programs recorded it, with terminal and origin",
    does_not_mean="that the host text names the real origin; sessions of programs that do not write here; earlier "
    "boots (the file is renewed)",
    refs=("Apple Libc, gen/utmpx-darwin.c and include/utmpx.h", "getutxent(3)"),
)
def utmpx(file: EvidenceFile) -> Iterator[Yield]:
    """One record an entry after the signature."""
    with file.open() as stream:
        number = 0
        while raw := stream.read(SIZE):
            offset = number * SIZE
            number += 1
            if len(raw) < SIZE:
                yield Gap(f"{len(raw)} bytes at the end are less than a record of {SIZE}", offset, "truncated")
                return
            user, terminal_id, line, pid, kind, _, second, microsecond, host, address = struct.unpack(FORM, raw)
            if kind == 10:
                continue
            if kind not in TYPES or not 0 <= microsecond < 1_000_000 or second < 0:
                yield Gap(f"record {number} is no login record", offset)
                continue
            time = posix(second * 1_000_000 + microsecond, unit="us")
            if time:
                time["raw"] = f"{second}.{microsecond:06d}"
            data: dict[str, object] = {
                "type": kind,
                "type_name": TYPES[kind],
                "event": EVENTS.get(kind, TYPES[kind].lower()),
                "user": shown(user.partition(b"\0")[0]),
                "terminal": shown(line.partition(b"\0")[0]),
                "terminal_id": shown(bare) if (bare := terminal_id.rstrip(b"\0")).isalnum() else bare.hex(),
                "pid": pid,
                "host": shown(host.partition(b"\0")[0]),
            }
            if any(address):
                data["address"] = str(ipaddress.ip_address(address[:4] if not any(address[4:]) else address))
            yield (
                {"kind": "record", "number": number, "offset": offset, "length": SIZE},
                Record(data, {"written_at": time} if time else {}, "written_at" if time else None),
            )
