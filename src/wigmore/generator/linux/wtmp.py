"""Linux login records: wtmp and btmp as 384-byte utmp structures of x86-64.

Source: utmp(5), glibc bits/utmp.h.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from wigmore.generator.clocks import posix_us

BOOT, LOGIN, USER, DEAD = 2, 6, 7, 8
LAYOUT = struct.Struct("<hxxi32s4s32s256shhiii16s20x")


@dataclass(frozen=True, slots=True)
class Entry:
    """One login record."""

    at: datetime
    kind: int
    user: str
    line: str
    host: str
    pid: int
    address: str = ""


def records(entries: Iterable[Entry]) -> bytes:
    """The bytes of a wtmp or btmp file, in the order given."""
    out = bytearray()
    for entry in entries:
        seconds, micro = divmod(posix_us(entry.at), 1_000_000)
        packed = ipaddress.ip_address(entry.address).packed if entry.address else b""
        out += LAYOUT.pack(
            entry.kind,
            entry.pid,
            entry.line.encode(),
            entry.line[-4:].encode(),
            entry.user.encode(),
            entry.host.encode(),
            0,
            0,
            0,
            seconds,
            micro,
            packed,
        )
    return bytes(out)
