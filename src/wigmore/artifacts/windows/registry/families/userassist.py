"""UserAssist: what the shell of this account counted as started, with counters and last time.

Layouts: 16 bytes (Windows 2000 to Vista; counters begin at 5) and 72 bytes (Windows 7 and later). Source: J. Metz,
winreg-kb, "User Assist"; D. Stevens, "UserAssist". A counter is a counter: set-up seeds it.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from wigmore.artifacts.windows.folders import known_folder
from wigmore.artifacts.windows.registry.hive import Hive, Key
from wigmore.artifacts.windows.registry.semantics import USER, Finding, finding, reads_keys
from wigmore.artifacts.windows.registry.values import filetime_at, rot13
from wigmore.model.times import Time

GROUPS = {
    "{75048700-EF1F-11D0-9888-006097DEACF9}": "desktop", "{5E6AB780-7743-11CF-A12B-00AA004AE837}": "Internet toolbar",
    "{CEBFF5CD-ACE2-4F4F-9178-9926F41749EA}": "programs", "{F4E57C4B-2036-45F0-A9AB-443BCFE33D9F}": "shortcuts",
}  # fmt: skip
SEED = "shares its time with other entries whose counters descend one by one (a ladder that set-up writes)"


@reads_keys(
    "windows.registry.userassist", USER, "Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\UserAssist\\*\\Count"
)
def userassist(hive: Hive, key: Key) -> Iterator[Finding]:
    """One record a counted item: name decoded, folder ids resolved, counters, last time, whether set-up seeded it."""
    group = key.path.rsplit("\\", 2)[-2]
    rows = [(value.name, rot13(value.name), key.raw(value.name)) for value in key.values.values()]
    seeded = _seeds([raw for _, _, raw in rows])
    for stored, name, raw in rows:
        data: dict[str, object] = {
            "name": name,
            "path": known_folder(name),
            "group": group,
            "group_name": GROUPS.get(group),
        }
        times: dict[str, Time | None] = {}
        if len(raw) == 16:
            session, count = struct.unpack_from("<2I", raw)
            data |= {"layout": "16 bytes", "session": session, "counter": count, "run_count": max(count - 5, 0)}
            times["last_run"] = filetime_at(raw, 8)
        elif len(raw) == 72:
            session, count, focus, milliseconds = struct.unpack_from("<4I", raw)
            data |= {
                "layout": "72 bytes", "session": session, "counter": count, "run_count": count, "focus_count": focus,
                "focus_milliseconds": milliseconds,
            }  # fmt: skip
            times["last_run"] = filetime_at(raw, 60)
            if raw[60:68] in seeded:
                data |= {"seed_suspected": True, "seed_reason": SEED}
        else:
            data |= {"layout": f"{len(raw)} bytes", "raw": raw[:128].hex()}
        yield finding(key, data, times, "last_run" if times.get("last_run") else None, stored)


def _seeds(raws: list[bytes]) -> set[bytes]:
    """Times that three or more 72-byte entries share while their counters form a descending ladder without repeats."""
    by_time: dict[bytes, list[int]] = {}
    for raw in raws:
        if len(raw) == 72 and raw[60:68] != bytes(8):
            by_time.setdefault(raw[60:68], []).append(struct.unpack_from("<I", raw, 4)[0])
    found = set()
    for time, counters in by_time.items():
        different = sorted(set(counters))
        steps = Counter(later - earlier for earlier, later in pairwise(different))
        if len(different) >= 3 and steps[1] >= len(different) * 2 // 3:
            found.add(time)
    return found
