"""Shellbags: folders that this account's Explorer handled, whole paths rebuilt from the tree of BagMRU.

Source: J. Metz, "Windows Shell Item format" and winreg-kb, "Most recently used"; Y. Zhu et al., "Using shellbag
information to reconstruct user activities" (2009). The key's time dates the newest change below it, not a visit.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from wigmore.artifacts.windows.registry.hive import Hive, Key
from wigmore.artifacts.windows.registry.semantics import USER, Finding, finding, reads_keys
from wigmore.artifacts.windows.shell_items import Item, path_of, read_list

LIMIT = 100_000
BAGS = ("Microsoft\\Windows\\Shell\\BagMRU", "Microsoft\\Windows\\ShellNoRoam\\BagMRU")


@reads_keys(
    "windows.registry.shellbag",
    USER,
    *(f"Software\\{path}" for path in BAGS),
    "Software\\Classes\\Local Settings\\Software\\Microsoft\\Windows\\Shell\\BagMRU",
)
@reads_keys(
    "windows.registry.shellbag",
    ("USRCLASS",),
    "Local Settings\\Software\\Microsoft\\Windows\\Shell\\BagMRU",
    "Wow6432Node\\Local Settings\\Software\\Microsoft\\Windows\\Shell\\BagMRU",
)
def shellbags(hive: Hive, key: Key) -> Iterator[Finding]:
    """One record a folder; `position` is its place in the parent's list (0: newest)."""
    waiting: list[tuple[Key, tuple[Item, ...]]] = [(key, ())]
    seen, count = {key.offset}, 0
    while waiting and count < LIMIT:
        holder, above = waiting.pop()
        order = _order(holder.raw("MRUListEx"))
        inner: list[tuple[Key, tuple[Item, ...]]] = []
        for value in holder.values.values():
            if not value.name.isdigit():
                continue
            found = read_list(holder.raw(value.name))
            if not found:
                continue
            child = holder.sub(value.name)
            whole = (*above, *found)
            count += 1
            yield _bag(holder, value.name, whole, child, order.get(int(value.name)))
            if child is not None and child.offset not in seen and len(whole) < 128:
                seen.add(child.offset)
                inner.append((child, whole))
        waiting.extend(reversed(inner))


def _order(raw: bytes) -> dict[int, int]:
    numbers = [number for (number,) in struct.iter_unpack("<I", raw[: len(raw) & ~3])]
    return {number: place for place, number in enumerate(numbers) if number != 0xFFFFFFFF}


def _bag(holder: Key, name: str, items: tuple[Item, ...], child: Key | None, position: int | None) -> Finding:
    item = items[-1]
    data: dict[str, object] = {"path": path_of(items), "name": item.name, "kind": item.kind, "position": position}
    if item.short_name:
        data["short_name"] = item.short_name
    if item.entry is not None:
        data |= {"mft_entry": item.entry, "mft_sequence": item.sequence}
    if child is not None:
        data |= {"bag_key": child.path, "bag": child.number("NodeSlot")}
    times = {f"folder_{label}": time for label, time in item.times.items()}
    times |= {"bag_key_last_written": child.time} if child is not None and child.time else {}
    # the holder's key time dates its newest entry only
    newest = position == 0
    return finding(holder, data, dict(times), "key_last_written" if newest else None, name)
