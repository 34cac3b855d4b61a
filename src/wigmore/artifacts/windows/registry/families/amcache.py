"""Amcache: inventory of program files, programs, drivers and devices, in both layouts.

Sources: B. Lagny (ANSSI), "Analysis of the AmCache" (2019); J. Metz, winreg-kb, "AmCache"; Y. Khatri's published
notes on the older layout (values named by hexadecimal numbers). SHA-1 covers the first 31,457,280 bytes of a file at
most.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from wigmore.artifacts.windows.registry.families.identity import kept
from wigmore.artifacts.windows.registry.hive import Hive, Key
from wigmore.artifacts.windows.registry.semantics import Finding, finding, reads_keys, shown
from wigmore.artifacts.windows.registry.values import Decoded
from wigmore.model.times import Time, filetime, iso, local, posix

HASHED = 31_457_280  # bytes of a file that the hash covers
KINDS = ("AMCACHE",)
WRITTEN = re.compile(r"(\d{2})[/-](\d{2})[/-](\d{4})(?: (\d{2}:\d{2}:\d{2}))?$")


def sha1(text: object) -> str | None:
    """The SHA-1 in a FileId or DriverId: 40 digits behind `0000`."""
    return text[4:].lower() if isinstance(text, str) and re.fullmatch(r"0000[0-9A-Fa-f]{40}", text) else None


def written_date(text: object, utc: bool = False) -> Time | None:
    """`mm/dd/yyyy hh:mm:ss` or `mm-dd-yyyy`; PE link dates are UTC, for others no zone is known."""
    if isinstance(text, list):
        text = text[0] if text else None
    match = WRITTEN.match(text) if isinstance(text, str) else None
    if not match:
        return None
    month, day, year, clock = match.groups()
    if utc:
        time = iso(
            f"{year}-{month}-{day} {clock or '00:00:00'}", owner="author", zone="Z", source="PE link time is UTC"
        )
        return time | {"raw": text} if time else None
    try:
        moment = datetime.strptime(f"{year}-{month}-{day} {clock or '00:00:00'}", "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return None
    return local(moment, text, source="text without zone", precision=1.0 if clock else 86400.0)


def number_of(found: Decoded) -> int | None:
    """An integer that may be stored as number, decimal or hexadecimal text."""
    if isinstance(found, str):
        try:
            return int(found, 16) if found.lower().startswith("0x") else int(found)
        except ValueError:
            return None
    return found if isinstance(found, int) else None


def _all(key: Key) -> dict[str, Decoded]:
    return {value.name: key.get(value.name) for value in key.values.values()}


def _shown(values: dict[str, Decoded]) -> dict[str, object]:
    return {name: shown(found) for name, found in values.items() if found not in (None, "", [])}


@reads_keys("windows.amcache.file", KINDS, "Root\\InventoryApplicationFile\\*")
def files(hive: Hive, key: Key) -> Iterator[Finding]:
    """A program file as the inventory found it (Windows 10 1607 and later): the key's time is the inventory's."""
    values = _all(key)
    if "LowerCaseLongPath" not in values and "FileId" not in values:
        return
    size = number_of(values.get("Size"))
    data = kept(path=key.text("LowerCaseLongPath"), sha1=sha1(values.get("FileId")), size=size)
    data |= {
        "layout": "inventory",
        "hash_covers_whole_file": None if size is None else size <= HASHED,
        **_shown(values),
    }
    yield finding(key, data, {"link_date": written_date(values.get("LinkDate"), utc=True)})


OLD = {
    "0": "product_name", "1": "publisher", "2": "file_version_number", "3": "language", "4": "switchback_context",
    "5": "file_version", "6": "size", "7": "image_size", "8": "pe_header_hash", "9": "pe_checksum", "c": "description",
    "d": "linker_version", "15": "path", "100": "program_id",
}  # fmt: skip


@reads_keys("windows.amcache.file", KINDS, "Root\\File\\*\\*")
def old_files(hive: Hive, key: Key) -> Iterator[Finding]:
    """A program file in the older layout (Windows 7 to 10): volume, MFT reference, hash, times of the file."""
    values = _all(key)
    data: dict[str, object] = {}
    for stored, name in OLD.items():
        found = values.get(stored)
        if found not in (None, ""):
            data[name] = shown(found)
    try:
        reference = int(key.name, 16)
        data |= {"mft_entry": reference & 0xFFFFFFFF, "mft_sequence": reference >> 32}
    except ValueError:
        pass  # a key of another form: its name stays in the path
    size = number_of(values.get("6"))
    data |= kept(sha1=sha1(values.get("101")), volume_guid=key.path.rsplit("\\", 2)[-2])
    data |= {"layout": "file", "hash_covers_whole_file": None if size is None else size <= HASHED}
    times = {
        "file_modified": filetime(number_of(values.get("11")) or 0),
        "file_created": filetime(number_of(values.get("12")) or 0),
        "file_modified_2": filetime(number_of(values.get("17")) or 0),
        "link_date": posix(number_of(values.get("f")) or 0, owner="author"),
    }
    yield finding(key, data, times)


@reads_keys("windows.amcache.program", KINDS, "Root\\InventoryApplication\\*")
def programs(hive: Hive, key: Key) -> Iterator[Finding]:
    """An installed program as the inventory found it."""
    values = _all(key)
    if "ProgramId" not in values and "Name" not in values:
        return
    data = kept(
        name=key.text("Name"), version=key.text("Version"), publisher=key.text("Publisher"),
        path=key.text("RootDirPath"),
        program_id=key.text("ProgramId") or key.name,
    ) | {"layout": "inventory", **_shown(values)}  # fmt: skip
    times = {
        "install_date": written_date(values.get("InstallDate")),
        "install_date_msi": written_date(values.get("InstallDateMsi")),
        "install_date_from_link": written_date(values.get("InstallDateFromLinkFile")),
    }
    yield finding(key, data, times)


OLD_PROGRAM = {
    "0": "name", "1": "version", "2": "publisher", "3": "language", "6": "entry_type", "7": "uninstall_key",
    "d": "paths",
    "f": "product_code", "10": "package_code",
}  # fmt: skip


@reads_keys("windows.amcache.program", KINDS, "Root\\Programs\\*")
def old_programs(hive: Hive, key: Key) -> Iterator[Finding]:
    """An installed program in the older layout, with the files that belong to it."""
    values = _all(key)
    data: dict[str, object] = {"program_id": key.name, "layout": "file"}
    data |= {
        name: shown(found)
        for stored, name in OLD_PROGRAM.items()
        if (found := values.get(stored)) not in (None, "", [])
    }
    listed = values.get("Files")
    data["file_count"] = len(listed) if isinstance(listed, list) else 0
    times = {
        "install_date": posix(number_of(values.get("a")) or 0),
        "uninstall_date": posix(number_of(values.get("b")) or 0),
    }
    yield finding(key, data, times)


@reads_keys("windows.amcache.driver", KINDS, "Root\\InventoryDriverBinary\\*")
def drivers(hive: Hive, key: Key) -> Iterator[Finding]:
    """A driver file: name, hash, signer's company, link time."""
    values = _all(key)
    if "DriverName" not in values:
        return
    data = kept(path=key.name.replace("/", "\\") if ":" in key.name else None, name=key.text("DriverName"),
                sha1=sha1(values.get("DriverId"))) | _shown(values)  # fmt: skip
    times = {
        "link_date": posix(number_of(values.get("DriverTimeStamp")) or 0, owner="author"),
        "file_modified": written_date(values.get("DriverLastWriteTime")),
    }
    yield finding(key, data, times)


@reads_keys("windows.amcache.device", KINDS, "Root\\InventoryDevicePnp\\*", "Root\\InventoryDeviceContainer\\*")
def devices(hive: Hive, key: Key) -> Iterator[Finding]:
    """A device (or device container) as the inventory found it."""
    values = _all(key)
    if "Manufacturer" not in values:
        return
    data = {"device_id": key.name.replace("/", "\\"), "kind": key.path.rsplit("\\", 2)[-2], **_shown(values)}
    times = {
        "install_date": written_date(values.get("InstallDate")),
        "first_install_date": written_date(values.get("FirstInstallDate")),
        "driver_date": written_date(values.get("DriverVerDate")),
    }
    yield finding(key, data, times)


READ = {
    "FILE", "PROGRAMS", "INVENTORYAPPLICATIONFILE", "INVENTORYAPPLICATION", "INVENTORYDRIVERBINARY",
    "INVENTORYDEVICEPNP", "INVENTORYDEVICECONTAINER",
}  # fmt: skip


@reads_keys("windows.amcache.other", KINDS, "")
def others(hive: Hive, key: Key) -> Iterator[Finding]:
    """Every other key with values, one record each: shortcuts, driver packages, census, providers' own settings."""
    for inner in hive.walk(key):
        if not inner.count_values:
            continue
        parts = inner.path.upper().split("\\")
        entry = len(parts) > (4 if parts[2:3] == ["FILE"] else 3)
        if entry and parts[2] in READ:
            continue
        yield finding(inner, {"kind": parts[2] if len(parts) > 2 else "ROOT", "values": _shown(_all(inner))})
