"""Office: files and places used, with their own times, and documents whose content a user enabled.

Source: published research on Office MRU values (`[F…][T<FILETIME>][O…]*path`) and TrustRecords (last four bytes FF FF
FF 7F: active content allowed).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wigmore.artifacts.windows.registry.hive import Hive, Key
from wigmore.artifacts.windows.registry.semantics import USER, Finding, finding, reads_keys
from wigmore.artifacts.windows.registry.values import filetime_at
from wigmore.model.times import filetime

ENTRY = re.compile(
    r"(?:\[F(?P<flags>[0-9A-Fa-f]+)\])?(?:\[T(?P<time>[0-9A-Fa-f]{16})\])?(?:\[O[0-9A-Fa-f]+\])?\*?(?P<path>.*)", re.S
)
BASE = "Software\\Microsoft\\Office\\*\\*"


@reads_keys(
    "windows.registry.office_mru",
    USER,
    f"{BASE}\\File MRU",
    f"{BASE}\\Place MRU",
    f"{BASE}\\User MRU\\*\\File MRU",
    f"{BASE}\\User MRU\\*\\Place MRU",
    f"{BASE}\\Recent File List",
    f"{BASE}\\Recent Files",
)
def office_mru(hive: Hive, key: Key) -> Iterator[Finding]:
    """Files and folders in Office's lists, item 1 is newest; may come from the account on another machine."""
    parts = key.path.split("\\Office\\", 1)[-1].split("\\")
    for value in key.values.values():
        number = re.search(r"(?:Item|File)\s?(\d+)$", value.name, re.I)
        text = key.text(value.name)
        if text is None or number is None:
            continue
        match = ENTRY.match(text)
        path = match["path"] if match else text
        used = filetime(int(match["time"], 16)) if match and match["time"] else None
        data = {
            "path": path, "list": key.name, "office_version": parts[0], "program": parts[1] if len(parts) > 1 else None,
            "position": int(number[1]) - 1, "entry": value.name,
        }  # fmt: skip
        newest = "key_last_written" if int(number[1]) == 1 else None
        yield finding(key, data, {"used_at": used}, "used_at" if used else newest, value.name)


@reads_keys("windows.registry.office_trust", USER, f"{BASE}\\Security\\Trusted Documents\\TrustRecords")
def trust_records(hive: Hive, key: Key) -> Iterator[Finding]:
    """Documents for which the user answered a warning: editing enabled, or active content (macros) enabled."""
    parts = key.path.split("\\Office\\", 1)[-1].split("\\")
    for value in key.values.values():
        raw = key.raw(value.name)
        if len(raw) < 12:
            continue
        data = {
            "path": value.name, "office_version": parts[0], "program": parts[1] if len(parts) > 1 else None,
            "content_enabled": raw[-4:] == b"\xff\xff\xff\x7f", "state": raw[-4:].hex(),
        }  # fmt: skip
        yield finding(key, data, {"trusted_at": filetime_at(raw)}, "trusted_at", value.name)
