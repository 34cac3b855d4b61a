"""What Windows keeps of a USB storage device: USBSTOR and USB keys with device properties, drive letter, setup log.

Sources: libyal winreg-kb "USB storage devices"; DEVPKEY_Device_* of devpkey.h (0064 install, 0065 first install, 0066
last arrival, 0067 last removal); setupapi.dev.log, Microsoft "SetupAPI Text Logs" (local times).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from wigmore.generator.clocks import filetime
from wigmore.generator.windows.hive import PROPERTY_FILETIME, REG_BINARY, Key
from wigmore.generator.world import Stick

PROPERTIES = "Properties\\{83da6326-97a6-4088-9453-a1923f573b29}"
DISK_INTERFACE = "{53f56307-b6bf-11d0-94f2-00a0c91efb8b}"


@dataclass(frozen=True, slots=True)
class Attachment:
    """When a device was first installed, last arrived and last left (UTC)."""

    device: Stick
    first: datetime
    arrived: datetime
    removed: datetime


def device_id(stick: Stick) -> str:
    """The device's key below USBSTOR."""
    return f"Disk&Ven_{stick.vendor}&Prod_{stick.product}&Rev_1.00"


def interface(stick: Stick) -> str:
    """The device's disk interface, as volumes and drive letters name it."""
    return f"_??_USBSTOR#{device_id(stick)}#{stick.serial}&0#{DISK_INTERFACE}"


def _dates(key: Key, attached: Attachment) -> None:
    marks = (("0064", attached.first), ("0065", attached.first), ("0066", attached.arrived), ("0067", attached.removed))
    for number, moment in marks:
        key.key(f"{PROPERTIES}\\{number}", moment).set("", filetime(moment), PROPERTY_FILETIME)


def storage(control_set: Key, attached: Attachment) -> None:
    """Enter a storage device into a control set."""
    stick = attached.device
    key = control_set.key(f"Enum\\USBSTOR\\{device_id(stick)}\\{stick.serial}&0", attached.arrived)
    key.set("DeviceDesc", "@disk.inf,%disk_devdesc%;Disk drive").set("FriendlyName", stick.friendly_name)
    key.set("Service", "disk").set("ClassGUID", "{4d36e967-e325-11ce-bfc1-08002be10318}").set("Capabilities", 0x10)
    _dates(key, attached)
    port = control_set.key(
        f"Enum\\USB\\VID_{stick.vendor_id}&PID_{stick.product_id}\\{stick.serial}".upper(), attached.arrived
    )
    port.set("DeviceDesc", "@usbstor.inf,%genericbulkonly.devicedesc%;USB Mass Storage Device").set(
        "Service", "USBSTOR"
    )
    _dates(port, attached)


def letter(root: Key, stick: Stick, drive: str) -> None:
    """Bind a drive letter to the device in MountedDevices."""
    root.key("MountedDevices").set(f"\\DosDevices\\{drive}", interface(stick).encode("utf-16-le"), REG_BINARY)


def setup_log(started_local: datetime, installs: Iterable[tuple[datetime, Stick]]) -> bytes:
    """setupapi.dev.log with the first installation of each device (local times)."""
    lines = [
        "[Device Install Log]",
        "     OS Version = 10.0.19045",
        f"[BeginLog {started_local:%Y/%m/%d %H:%M:%S}.000]",
        "",
    ]
    for at, stick in sorted(installs, key=lambda item: item[0]):
        path = f"USBSTOR\\{device_id(stick)}\\{stick.serial}&0"
        start, end = (
            f"{moment:%Y/%m/%d %H:%M:%S}.{moment.microsecond // 1000:03d}" for moment in (at, at + timedelta(seconds=1))
        )
        lines += [
            f">>>  [Device Install (Hardware initiated) - {path}]",
            f">>>  Section start {start}",
            "     dvi: Class GUID of device is: {4d36e967-e325-11ce-bfc1-08002be10318}.",
            "<<<  Section end " + end,
            "<<<  [Exit status: SUCCESS]",
            "",
        ]
    return "\r\n".join(lines).encode()
