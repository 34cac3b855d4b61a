"""Devices that were attached: USB storage and other USB devices, portable devices, drive letters, mount points.

Sources: Microsoft, "USBSTOR" device ids and DEVPKEY_Device_* property ids (devpkey.h: {83da6326-…} 64 install, 65 first
install, 66 last arrival, 67 last removal); J. Metz, winreg-kb, "USB storage"; H. Carvey's published work on
MountedDevices.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import pairwise

from wigmore.artifacts.windows.registry.families.identity import kept
from wigmore.artifacts.windows.registry.hive import Hive, Key
from wigmore.artifacts.windows.registry.semantics import USER, Finding, finding, reads_keys
from wigmore.artifacts.windows.registry.values import filetime_at, guid, utf16
from wigmore.model.times import Time

PROPERTIES = "Properties\\{83da6326-97a6-4088-9453-a1923f573b29}"
DATES = {"0064": "install", "0065": "first_install", "0066": "last_arrival", "0067": "last_removal"}
PARTS = re.compile(
    r"(?:(?P<type>Disk|CdRom|Other|SFloppy)[^&]*)?&?Ven_(?P<vendor>[^&]*)&Prod_(?P<product>[^&]*)(?:&Rev_(?P<revision>.*))?",
    re.I,
)
NUMBERS = re.compile(r"VID_(?P<vendor_id>[0-9A-F]{4})&PID_(?P<product_id>[0-9A-F]{4})", re.I)


def device_times(device: Key) -> dict[str, Time | None]:
    """The four dates of a device's properties: below `00000000`, value `Data`, in Windows 7; later directly."""
    found: dict[str, Time | None] = {}
    properties = device.sub(PROPERTIES)
    for number, name in DATES.items():
        short = properties.sub(number) or properties.sub(f"0000{number}") if properties is not None else None
        holder = (short.sub("00000000") or short) if short is not None else None
        raw = (holder.raw("Data") or holder.raw("")) if holder is not None else b""
        found[name] = filetime_at(raw)
    parameters = device.sub("Device Parameters")
    found["parameters_last_written"] = parameters.time if parameters is not None else None
    return found


def described(device: Key) -> dict[str, object]:
    """Names a device key holds, shortened to what stands behind the driver's resource reference."""

    def short(name: str) -> str | None:
        text = device.text(name)
        return text.rsplit(";", 1)[-1] if text else None

    hardware = device.get("HardwareID")
    return kept(
        friendly_name=short("FriendlyName"), description=short("DeviceDesc"), manufacturer=short("Mfg"),
        service=device.text("Service"), device_class=device.text("Class"), location=device.text("LocationInformation"),
        container_id=device.text("ContainerID"), parent_id_prefix=device.text("ParentIdPrefix"),
        driver=device.text("Driver"), hardware_id=hardware[0] if isinstance(hardware, list) and hardware else None,
    )  # fmt: skip


@reads_keys(
    "windows.registry.usb_storage", ("SYSTEM",), "ControlSet*\\Enum\\USBSTOR\\*\\*", "ControlSet*\\Enum\\SCSI\\*\\*"
)
def storage(hive: Hive, key: Key) -> Iterator[Finding]:
    """One record a storage device: vendor, product, serial, dates, the drive letter and volume it was given."""
    kind = key.path.rsplit("\\", 2)[-2]
    match = PARTS.match(kind)
    data: dict[str, object] = {"bus": key.path.rsplit("\\", 3)[-3], "device_id": kind, "instance_id": key.name}
    if match:
        data |= kept(**{name: (text or "").replace("_", " ").strip() for name, text in match.groupdict().items()})
    # a second character `&` means that Windows made the id: the device itself has no serial number
    unique = len(key.name) > 1 and key.name[1] != "&"
    data |= {"serial": key.name.rsplit("&", 1)[0] if unique else None, "serial_is_device_own": unique} | described(key)
    mounted = _letters(hive, key.name, str(data.get("parent_id_prefix", "")))
    if mounted:
        data["mounted_as"] = mounted
    partition = key.sub("Device Parameters\\Partmgr")
    if partition is not None:
        data |= kept(disk_id=partition.text("DiskId"))
    times = device_times(key)
    yield finding(key, data, times, _best(times))


def _best(times: dict[str, Time | None]) -> str:
    return next((name for name in ("last_arrival", "first_install", "install") if times.get(name)), "key_last_written")


def _letters(hive: Hive, instance: str, prefix: str) -> list[str]:
    root = hive.root
    mounted = root.sub("MountedDevices") if root is not None else None
    found = []
    for value in mounted.values.values() if mounted is not None else ():
        raw = mounted.raw(value.name) if mounted is not None else b""
        text = utf16(raw) if raw[1:2] == b"\0" else ""
        if text and (f"#{instance}#".upper() in text.upper() or (prefix and f"#{prefix}&".upper() in text.upper())):
            found.append(value.name.removeprefix("\\DosDevices\\"))
    return found


@reads_keys("windows.registry.usb_device", ("SYSTEM",), "ControlSet*\\Enum\\USB\\*\\*")
def devices(hive: Hive, key: Key) -> Iterator[Finding]:
    """One record a USB device: vendor and product number, serial where the device has one, dates."""
    kind = key.path.rsplit("\\", 2)[-2]
    match = NUMBERS.search(kind)
    unique = len(key.name) > 1 and key.name[1] != "&"
    data: dict[str, object] = {"bus": "USB", "device_id": kind, "instance_id": key.name}
    data |= kept(**match.groupdict()) if match else {}
    data |= {"serial": key.name if unique else None, "serial_is_device_own": unique} | described(key)
    times = device_times(key)
    yield finding(key, data, times, _best(times))


@reads_keys(
    "windows.registry.portable_device",
    ("SYSTEM",),
    "ControlSet*\\Enum\\SWD\\WPDBUSENUM\\*",
    "ControlSet*\\Enum\\WpdBusEnumRoot\\UMB\\*",
)
@reads_keys("windows.registry.portable_device", ("SOFTWARE",), "Microsoft\\Windows Portable Devices\\Devices\\*")
def portable(hive: Hive, key: Key) -> Iterator[Finding]:
    """Portable devices and volumes with the name or drive letter they showed."""
    parts = [part for part in key.name.replace("##", "#").split("#") if part]
    # …USBSTOR#DISK&VEN_…#SERIAL#{class} for volumes, USB#VID_…#SERIAL for phones
    serial = next(
        (after for part, after in pairwise(parts) if PARTS.search(part) or NUMBERS.search(part)),
        None,
    )
    data = kept(device_id=key.name, serial=serial) | described(key)
    times = device_times(key)
    yield finding(key, data, times, _best(times))


@reads_keys("windows.registry.ready_boost", ("SOFTWARE",), "Microsoft\\Windows NT\\CurrentVersion\\EMDMgmt\\*")
def ready_boost(hive: Hive, key: Key) -> Iterator[Finding]:
    """Volumes tested for ReadyBoost: label and volume serial (decimal at the end of the name)."""
    head, _, serial = key.name.rpartition("_")
    label = head.rsplit("}", 1)[-1].rsplit("_", 1)[-1]
    data = kept(device=head, volume_label=label, volume_serial=f"{int(serial):08X}" if serial.isdigit() else None)
    yield finding(key, data, {"last_tested": filetime_at(key.raw("LastTestedTime"))})


@reads_keys("windows.registry.volume_cache", ("SOFTWARE",), "Microsoft\\Windows Search\\VolumeInfoCache\\*")
def volume_cache(hive: Hive, key: Key) -> Iterator[Finding]:
    """Drive letters with the volume label they last had, as the indexer saw them."""
    data = kept(drive=key.name, volume_label=key.text("VolumeLabel"), drive_type=key.number("DriveType"))
    yield finding(key, data)


@reads_keys("windows.registry.mounted_device", ("SYSTEM",), "MountedDevices")
def mounted(hive: Hive, key: Key) -> Iterator[Finding]:
    """Drive letters and volumes: disk signature and offset, GPT partition id, or the device's own path.

    All values share one key time, which dates at best the newest of them: `time_field` is left out.
    """
    for value in key.values.values():
        raw = key.raw(value.name)
        data: dict[str, object] = {"name": value.name}
        if value.name.upper().startswith("\\DOSDEVICES\\"):
            data["drive"] = value.name[12:]
        elif value.name.upper().startswith("\\??\\VOLUME{"):
            data["volume_guid"] = value.name[10:]
        if len(raw) == 12:
            signature, offset = struct.unpack("<IQ", raw)
            data |= {"disk_signature": f"{signature:08X}", "partition_offset": offset, "partition_table": "MBR"}
        elif len(raw) == 24 and raw[:8] == b"DMIO:ID:":
            data |= {"partition_guid": guid(raw, 8), "partition_table": "GPT or dynamic disk"}
        elif len(raw) > 1 and not raw[1] and len(raw) % 2 == 0:
            path = utf16(raw)
            parts = path.split("#")
            data |= kept(device_path=path, device_id=parts[1] if len(parts) > 2 else None,
                         instance_id=parts[2] if len(parts) > 2 else None)  # fmt: skip
        else:
            data["raw"] = raw[:256].hex()
        yield finding(key, data, time_field=None, value=value.name)


@reads_keys(
    "windows.registry.mount_point", USER, "Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\MountPoints2\\*"
)
def mount_points(hive: Hive, key: Key) -> Iterator[Finding]:
    """Volumes and shares that this account's Explorer handled."""
    data: dict[str, object] = {"mount_point": key.name}
    if key.name.startswith("##"):
        data["remote_path"] = key.name.replace("#", "\\")
    elif key.name.startswith("{"):
        data["volume_guid"] = key.name
    else:
        data["drive"] = key.name
    data |= kept(label=key.text("_LabelFromReg"), autorun_label=key.text("_LabelFromDesktopINI"))
    yield finding(key, data)
