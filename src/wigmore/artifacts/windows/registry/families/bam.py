"""Background and Desktop Activity Moderator: last activity of program files per account (Windows 10 1709 and later).

Source: J. Metz, winreg-kb, "Background Activity Moderator"; the path moved below `State` with Windows 10 1809.
"""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.windows.registry.hive import Hive, Key
from wigmore.artifacts.windows.registry.semantics import Finding, finding, reads_keys
from wigmore.artifacts.windows.registry.values import filetime_at


@reads_keys(
    "windows.registry.bam",
    ("SYSTEM",),
    *(f"ControlSet*\\Services\\{name}\\{state}UserSettings\\*" for name in ("bam", "dam") for state in ("", "State\\")),
)
def bam(hive: Hive, key: Key) -> Iterator[Finding]:
    """One record a program and account: path, SID, time of the last activity."""
    moderator = "DAM" if "\\DAM\\" in key.path.upper() else "BAM"
    for value in key.values.values():
        raw = key.raw(value.name)
        if len(raw) >= 8 and value.type == 3:
            data = {"path": value.name, "sid": key.name, "moderator": moderator}
            yield finding(key, data, {"last_activity": filetime_at(raw)}, "last_activity", value.name)
