"""Windows Prefetch (SCCA) versions 23, 26 and 30, plain or in the MAM container of Windows 10.

Sources: libyal libscca "Windows Prefetch File (PF) format"; compression, MS-XCA 2.1 (LZ77+Huffman, here literals only).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime

from wigmore.generator.clocks import filetime
from wigmore.generator.windows.xpress import compress

INFORMATION = {23: 156, 26: 220, 30: 220}  # bytes of the file-information block
SLOTS = {23: 1, 26: 8, 30: 8}  # last-run times kept
VOLUME = {23: 104, 26: 104, 30: 96}
HEADER = 84


@dataclass(frozen=True, slots=True)
class Volume:
    r"""A volume a prefetch file names: device path (`\VOLUME{...}`), its creation time and serial number."""

    device: str
    created: datetime
    serial: int


def path_hash(path: str) -> int:
    r"""The hash in a prefetch file's name, of the upper-case `\DEVICE\HARDDISKVOLUMEn` path (Vista and later).

    Each byte of the UTF-16 path is added to 37 times the value so far, from 314159.
    """
    value = 314159
    for byte in path.upper().encode("utf-16-le"):
        value = (37 * value + byte) & 0xFFFFFFFF
    return value


def hashed_path(path: str, volume_number: int = 2) -> str:
    r"""The path that is hashed: also where files are named by `\VOLUME{...}`, the hash is over `\DEVICE\...`."""
    if not path.upper().startswith("\\VOLUME{"):
        return path
    return f"\\DEVICE\\HARDDISKVOLUME{volume_number}{path[path.index('}') + 1 :]}"


def upper(path: str) -> str:
    """A path as Prefetch writes it: upper case but for the digits of a volume's name."""
    volume, brace, rest = path.rpartition("}")
    return volume + brace + rest.upper()


def file_name(executable: str, path: str) -> str:
    """The name Windows gives the prefetch file of an executable started from `path`."""
    return f"{executable.upper()[:29]}-{path_hash(hashed_path(path)):08X}.pf"


def _volume_section(volume: Volume, folders: list[str], version: int) -> bytes:
    device = volume.device.encode("utf-16-le") + b"\0\0"
    device_at = VOLUME[version]
    references = struct.pack("<IIQ", 3, 1, 0) + struct.pack("<Q", 5 | 5 << 48)  # the root folder's file reference
    references_at = (device_at + len(device) + 7) & ~7
    folders_at = references_at + len(references)
    names = b"".join(struct.pack("<H", len(name)) + name.encode("utf-16-le") + b"\0\0" for name in folders)
    head = struct.pack(
        "<IIQIIIII",
        device_at,
        len(volume.device),
        filetime(volume.created),
        volume.serial,
        references_at,
        len(references),
        folders_at,
        len(folders),
    )
    body = head.ljust(device_at, b"\0") + device
    return body.ljust(references_at, b"\0") + references + names


def prefetch(
    executable: str,
    path: str,
    runs: list[datetime],
    count: int,
    files: list[str],
    volume: Volume,
    version: int = 30,
) -> bytes:
    """A plain SCCA file.

    `path` is the executable's device path and is the first of the files touched; `runs` are the last-run times as the
    slots hold them, newest first, of which one (version 23) or eight are kept; `count` is the run counter.
    """
    if version not in INFORMATION:
        raise ValueError(f"unknown prefetch version {version}; one of {sorted(INFORMATION)}")
    names = list(dict.fromkeys(upper(name) for name in (path, *files)))
    strings, metrics = b"", b""
    for number, name in enumerate(names):
        metrics += struct.pack("<IIIIIIQ", number, 1, 1, len(strings), len(name), 0x200, (1000 + number) | 1 << 48)
        strings += name.encode("utf-16-le") + b"\0\0"
    chains = b"".join(
        struct.pack("<iIBBH", -1, 1, 2, 1, 0) if version < 30 else struct.pack("<IBBH", 1, 2, 1, 0) for _ in names
    )
    folders = sorted({name.rpartition("\\")[0] for name in names if "\\" in name})
    volumes = _volume_section(volume, folders, version)
    metrics_at = HEADER + INFORMATION[version]
    chains_at = metrics_at + len(metrics)
    strings_at = chains_at + len(chains)
    volumes_at = (strings_at + len(strings) + 7) & ~7
    information = struct.pack(
        "<IIIIIIIIIQ",
        metrics_at,
        len(names),
        chains_at,
        len(names),
        strings_at,
        len(strings),
        volumes_at,
        1,
        len(volumes),
        0,
    )
    times = [filetime(moment) for moment in runs[: SLOTS[version]]]
    information += struct.pack(f"<{SLOTS[version]}Q", *(times + [0] * (SLOTS[version] - len(times)))) + bytes(16)
    information = (information + struct.pack("<I", count)).ljust(INFORMATION[version], b"\0")
    total = volumes_at + len(volumes)
    header = struct.pack("<I4sII", version, b"SCCA", 0x11, total)
    header += executable.upper()[:29].encode("utf-16-le").ljust(60, b"\0") + struct.pack(
        "<II", path_hash(hashed_path(path)), 0
    )
    body = header + information + metrics + chains + strings
    return body.ljust(volumes_at, b"\0") + volumes


def packed(plain: bytes) -> bytes:
    """The MAM container that Windows 10 keeps prefetch files in."""
    return b"MAM\x04" + struct.pack("<I", len(plain)) + compress(plain)
