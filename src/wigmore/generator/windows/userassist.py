"""UserAssist values of Windows 7 and later (72 bytes), and the ladder that every new profile starts with.

Sources: libyal dtformats / winreg-kb "User Assist"; the seed ladder: ARTIFACT_SEMANTICS rule 12 (counters 14 downwards,
focus counters 21, 19, 17 …, one shared time), present in untouched profiles.
"""

from __future__ import annotations

import codecs
import struct
from datetime import datetime

from wigmore.generator.clocks import filetime
from wigmore.generator.windows.hive import Key

PROGRAMS = "{CEBFF5CD-ACE2-4F4F-9178-9926F41749EA}"
SHORTCUTS = "{F4E57C4B-2036-45F0-A9AB-443BCFE33D9F}"
SYSTEM32 = "{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}"
PROGRAM_FILES = "{6D809377-6AF0-444B-8957-A3773F02200E}"
PROGRAM_FILES_X86 = "{7C5A40EF-A0FB-4BFC-874A-C0F2E0B9FA8E}"
ROOT = "Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\UserAssist"

SEEDS = (
    "Microsoft.Getstarted_8wekyb3d8bbwe!App",
    "Microsoft.WindowsFeedbackHub_8wekyb3d8bbwe!App",
    "Microsoft.WindowsMaps_8wekyb3d8bbwe!App",
    "Microsoft.People_8wekyb3d8bbwe!x4c7a3b7dy2188y46d4ya362y19ac5a5805e5x",
    f"{SYSTEM32}\\SnippingTool.exe",
    f"{SYSTEM32}\\mspaint.exe",
    f"{SYSTEM32}\\notepad.exe",
    f"{SYSTEM32}\\mstsc.exe",
)


def value(count: int, focus_count: int, focus_ms: int, last_run: datetime | None) -> bytes:
    """The 72 bytes of a UserAssist value: counters, focus time in milliseconds, last run (None: never dated)."""
    floats = struct.pack("<10f", *([-1.0] * 10))
    stamp = filetime(last_run) if last_run else 0
    return struct.pack("<IIII", 0, count, focus_count, focus_ms) + floats + struct.pack("<iQI", -1, stamp, 0)


def name(plain: str) -> str:
    """A UserAssist value's name: ROT13."""
    return codecs.encode(plain, "rot13")


def seed_ladder(root: Key, profile_made: datetime) -> None:
    """Put the factory entries into a user's hive."""
    key = root.key(f"{ROOT}\\{PROGRAMS}\\Count")
    for step, program in enumerate(SEEDS):
        key.set(name(program), value(14 - step, 21 - 2 * step, (14 - step) * 60_000, profile_made))


def run(root: Key, program: str, count: int, focus_count: int, focus_ms: int, last_run: datetime) -> None:
    """Count a start of a program by the shell."""
    key = root.key(f"{ROOT}\\{PROGRAMS}\\Count")
    key.set(name(program), value(count, focus_count, focus_ms, last_run))
    key.written_at = max(key.written_at, last_run)
