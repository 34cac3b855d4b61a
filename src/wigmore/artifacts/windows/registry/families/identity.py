"""Who the machine is: names, domain, Windows version and set-up history, time zone, processor.

Source: J. Metz, winreg-kb, "Windows product information" and "Time zone information"; Microsoft, TIME_ZONE_INFORMATION.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from wigmore.artifacts.windows.registry.hive import Hive, Key
from wigmore.artifacts.windows.registry.semantics import Finding, finding, reads_keys
from wigmore.artifacts.windows.registry.values import Decoded
from wigmore.model.times import Time, filetime, posix


def kept(**fields: Decoded | bool) -> dict[str, object]:
    """The fields that hold something."""
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


@reads_keys("windows.registry.computer_name", ("SYSTEM",), "ControlSet*\\Control\\ComputerName")
def computer_name(hive: Hive, key: Key) -> Iterator[Finding]:
    """One record a control set: computer, host and domain names."""
    stored, active = key.sub("ComputerName"), key.sub("ActiveComputerName")
    root = hive.root
    above = root.sub(key.path[len(root.path) + 1 :].split("\\")[0]) if root is not None else None
    tcp = above.sub("Services\\Tcpip\\Parameters") if above is not None else None
    name = stored.text("ComputerName") if stored is not None else None
    data = kept(computer_name=name, active_computer_name=active.text("ComputerName") if active is not None else None)
    if tcp is not None:
        data |= kept(
            hostname=tcp.text("Hostname"), nv_hostname=tcp.text("NV Hostname"), domain=tcp.text("Domain"),
            nv_domain=tcp.text("NV Domain"), dhcp_domain=tcp.text("DhcpDomain"), search_list=tcp.text("SearchList"),
        )  # fmt: skip
    if data:
        yield finding(stored or key, data, value="ComputerName" if stored else None, host_id=name or "")


def zone_offset(bias: int | None) -> str | None:
    """Minutes west of UTC, as Windows stores them (maybe as an unsigned number), as an offset `+hh:mm`."""
    if bias is None:
        return None
    west = signed(bias)
    if abs(west) > 1440:
        return None
    shift = timedelta(minutes=abs(west))
    return f"{'-' if west > 0 else '+'}{shift.seconds // 3600:02d}:{shift.seconds // 60 % 60:02d}"


def signed(number: int) -> int:
    """A DWORD read as a signed number."""
    return number - (1 << 32) if number >= 1 << 31 else number


@reads_keys("windows.registry.time_zone", ("SYSTEM",), "ControlSet*\\Control\\TimeZoneInformation")
def time_zone(hive: Hive, key: Key) -> Iterator[Finding]:
    """The zone that was set, its biases in minutes west of UTC, and the offset in force when the key was written."""
    data: dict[str, object] = {}
    for name in ("Bias", "StandardBias", "DaylightBias", "ActiveTimeBias"):
        number = key.number(name)
        if number is not None:
            data[name] = signed(number)
    for name in ("TimeZoneKeyName", "StandardName", "DaylightName"):
        text = key.text(name)
        if text:
            data[name] = text.split("\0")[0]
    data |= kept(
        utc_offset=zone_offset(key.number("Bias")), active_utc_offset=zone_offset(key.number("ActiveTimeBias")),
        daylight_time_off=key.number("DynamicDaylightTimeDisabled") or key.number("DisableAutoDaylightTimeSet"),
    )  # fmt: skip
    yield finding(key, data)


FIELDS = (
    "ProductName", "EditionID", "DisplayVersion", "ReleaseId", "CurrentVersion", "CurrentBuild", "CurrentBuildNumber",
    "UBR", "CSDVersion", "BuildLab", "BuildLabEx", "InstallationType", "RegisteredOwner", "RegisteredOrganization",
    "ProductId", "SystemRoot", "PathName", "CurrentMajorVersionNumber", "CurrentMinorVersionNumber",
)  # fmt: skip


@reads_keys("windows.registry.windows_version", ("SOFTWARE",), "Microsoft\\Windows NT\\CurrentVersion")
@reads_keys("windows.registry.windows_version", ("SYSTEM",), "Setup\\Source OS*")
def windows_version(hive: Hive, key: Key) -> Iterator[Finding]:
    """Product, build, owner and installation time; the `Source OS` keys of SYSTEM hold what stood before an upgrade."""
    data: dict[str, object] = kept(**{name: key.get(name) for name in FIELDS if not isinstance(key.get(name), bytes)})
    if not data:
        return
    data["before_upgrade"] = hive.kind == "SYSTEM"
    exact, seconds = key.number("InstallTime"), key.number("InstallDate")
    times: dict[str, Time | None] = {
        "installed": filetime(exact) if exact else posix(seconds) if seconds else None,
        "install_date": posix(seconds) if seconds else None,
    }
    yield finding(key, data, times, "installed")


@reads_keys("windows.registry.environment", ("SYSTEM",), "ControlSet*\\Control\\Session Manager\\Environment")
@reads_keys("windows.registry.environment", ("NTUSER", "DEFAULT"), "Environment", "Volatile Environment")
def environment(hive: Hive, key: Key) -> Iterator[Finding]:
    """Environment variables as set for the machine or a user: processor, paths, temporary folders, logon server."""
    data: dict[str, object] = {
        value.name: text for value in key.values.values() if (text := key.text(value.name)) is not None
    }
    if data:
        yield finding(key, data)
