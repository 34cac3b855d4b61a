"""SAM accounts: the F and V values of Users.

Source: libyal winreg-kb "Security Account Manager"; counters and times of F, string table of V (offsets from 0xCC).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime

from wigmore.generator.clocks import filetime
from wigmore.generator.windows.hive import Key

NORMAL, DISABLED, NO_EXPIRY = 0x10, 0x01, 0x200
NEVER = 0x7FFFFFFFFFFFFFFF
STRINGS = 0xCC


@dataclass(frozen=True, slots=True)
class Account:
    """A local account."""

    name: str
    rid: int
    full_name: str = ""
    comment: str = ""
    last_logon: datetime | None = None
    password_set: datetime | None = None
    logons: int = 0
    enabled: bool = True


def _fixed(account: Account) -> bytes:
    def stamp(moment: datetime | None) -> int:
        return filetime(moment) if moment else 0

    flags = NORMAL | NO_EXPIRY | (0 if account.enabled else DISABLED)
    out = struct.pack("<HHIQQQQQ", 3, 1, 0, stamp(account.last_logon), 0, stamp(account.password_set), NEVER, 0)
    out += struct.pack("<IIHHIHH", account.rid, 513, flags, 0, 0, 0, account.logons)
    return out.ljust(80, b"\0")


def _variable(account: Account) -> bytes:
    header, strings = bytearray(STRINGS), b""
    for position, value in ((0x0C, account.name), (0x18, account.full_name), (0x24, account.comment)):
        data = value.encode("utf-16-le")
        struct.pack_into("<III", header, position, len(strings), len(data), 0)
        strings += data + bytes(-len(data) % 4)
    return bytes(header) + strings


def accounts(root: Key, members: list[Account], made: datetime) -> None:
    """Put accounts into a SAM hive; key times are those of the last change (password set, else set-up)."""
    users = root.key("SAM\\Domains\\Account\\Users", made)
    for account in members:
        changed = max(moment for moment in (account.last_logon, account.password_set, made) if moment)
        users.key(f"{account.rid:08X}", changed).set("F", _fixed(account)).set("V", _variable(account))
        users.key(f"Names\\{account.name}", account.password_set or made).set("", b"", account.rid)
    users.written_at = made
