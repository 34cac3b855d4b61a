"""Security descriptors of keys: owner, group, and who the access list allows or denies.

Format: MS-DTYP 2.4.6 (SECURITY_DESCRIPTOR, self-relative), 2.4.5 (ACL), 2.4.4 (ACE); sk cells: M. Suhanov, regf.
"""

from __future__ import annotations

import struct

from wigmore.artifacts.windows.registry.hive import NONE, DamagedCell, Hive, Key
from wigmore.artifacts.windows.registry.values import sid

KINDS = {0: "allow", 1: "deny", 5: "allow", 6: "deny"}


def descriptor(hive: Hive, key: Key) -> dict[str, object]:
    """`key_owner`, `key_group` and `key_access` (list of "allow SID mask"); empty where there is none to read."""
    if key.security == NONE:
        return {}
    try:
        start, end = hive.cell(key.security)
    except DamagedCell as error:
        hive.note(error)
        return {}
    if bytes(hive.bytes[start : start + 2]) != b"sk" or end - start < 40:
        hive.note(DamagedCell(start - 4, "damaged security cell"))
        return {}
    (size,) = struct.unpack_from("<I", hive.bytes, start + 16)
    raw = bytes(hive.bytes[start + 20 : min(end, start + 20 + size)])
    if len(raw) < 20:
        return {}
    owner, group, _, access = struct.unpack_from("<4I", raw, 4)
    found: dict[str, object] = {
        "key_owner": sid(raw, owner) if owner else None,
        "key_group": sid(raw, group) if group else None,
    }
    if access and access + 8 <= len(raw):
        found["key_access"] = _entries(raw, access)
    return found


def _entries(raw: bytes, at: int) -> list[str]:
    count = min(struct.unpack_from("<H", raw, at + 4)[0], 200)
    entries, at = [], at + 8
    for _ in range(count):
        if at + 8 > len(raw):
            break
        kind, _, size, mask = struct.unpack_from("<BBHI", raw, at)
        who = sid(raw[at + 8 : at + size])
        if who:
            entries.append(f"{KINDS.get(kind, f'type {kind}')} {who} {mask:#010x}")
        if size < 8:
            break
        at += size
    return entries
