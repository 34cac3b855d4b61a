"""Services and drivers: what is installed, how it starts, and as whom.

Source: Microsoft, "HKLM\\SYSTEM\\CurrentControlSet\\Services Registry Tree"; SERVICE_* constants of winsvc.h.
"""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.windows.registry.families.identity import kept
from wigmore.artifacts.windows.registry.hive import Hive, Key
from wigmore.artifacts.windows.registry.semantics import Finding, finding, reads_keys, shown

STARTS = ("boot", "system", "automatic", "manual", "disabled")
TYPES = (
    (0x1, "kernel driver"), (0x2, "file system driver"), (0x4, "adapter"), (0x8, "recogniser"), (0x10, "own process"),
    (0x20, "shared process"), (0x40, "user service"), (0x80, "user service instance"), (0x100, "interactive"),
)  # fmt: skip
ACTIONS = ("none", "restart", "reboot", "run command")


@reads_keys("windows.registry.service", ("SYSTEM",), "ControlSet*\\Services\\*")
def services(hive: Hive, key: Key) -> Iterator[Finding]:
    """One record a service or driver, its library and failure command joined."""
    kind, start = key.number("Type"), key.number("Start")
    image = key.text("ImagePath")
    if kind is None and image is None:
        return
    parameters = key.sub("Parameters")
    library = (parameters.text("ServiceDll") if parameters is not None else None) or key.text("ServiceDll")
    data = kept(
        service=key.name, display_name=key.text("DisplayName"), description=key.text("Description"), image_path=image,
        service_dll=library, account=key.text("ObjectName"), group=key.text("Group"),
        failure_command=key.text("FailureCommand"),
        delayed=bool(key.number("DelayedAutostart")) or None, depends_on=key.get("DependOnService"),
        privileges=key.get("RequiredPrivileges"), error_control=key.number("ErrorControl"),
    )  # fmt: skip
    data = {name: shown(value) if isinstance(value, bytes) else value for name, value in data.items()}
    if start is not None:
        data["start"] = STARTS[start] if start < len(STARTS) else str(start)
        data["start_number"] = start
    if kind is not None:
        data["service_type"] = ", ".join(label for bit, label in TYPES if kind & bit) or str(kind)
        data["type_number"] = kind
    data["starts_by_itself"] = start in (0, 1, 2)
    times = {"parameters_last_written": parameters.time} if parameters is not None else {}
    yield finding(key, data, times)
