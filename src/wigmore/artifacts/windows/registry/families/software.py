"""Installed software as its own uninstall entries describe it, and program paths registered with the shell.

Source: Microsoft, "Uninstall Registry Key" (Windows Installer); InstallDate is free text, mostly yyyymmdd in local
time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from wigmore.artifacts.windows.registry.families.identity import kept
from wigmore.artifacts.windows.registry.hive import Hive, Key
from wigmore.artifacts.windows.registry.semantics import USER, Finding, finding, reads_keys
from wigmore.model.times import Time, local, posix

BELOW = "Microsoft\\Windows\\CurrentVersion\\Uninstall\\*"


def stored_date(text: str | None) -> Time | None:
    """An InstallDate as local day: yyyymmdd, or POSIX seconds as some installers write."""
    if not text:
        return None
    if re.fullmatch(r"(19|20)\d{6}", text):
        try:
            return local(datetime.strptime(text, "%Y%m%d"), text, source="day without zone", precision=86400.0)
        except ValueError:
            return None
    return posix(int(text)) if re.fullmatch(r"1\d{9}", text) else None


@reads_keys("windows.registry.installed_software", ("SOFTWARE",), BELOW, f"Wow6432Node\\{BELOW}")
@reads_keys("windows.registry.installed_software", USER, f"Software\\{BELOW}", f"Software\\Wow6432Node\\{BELOW}")
def installed(hive: Hive, key: Key) -> Iterator[Finding]:
    """One record a product: name, version, publisher, folder, how to remove it."""
    if not key.values:
        return
    stored = key.text("InstallDate") or (str(number) if (number := key.number("InstallDate")) else None)
    data = kept(
        name=key.text("DisplayName") or key.text("QuietDisplayName"), product_key=key.name,
        version=key.text("DisplayVersion"), publisher=key.text("Publisher"),
        install_location=key.text("InstallLocation"),
        install_source=key.text("InstallSource"), uninstall=key.text("UninstallString"), icon=key.text("DisplayIcon"),
        estimated_size_kib=key.number("EstimatedSize"), url=key.text("URLInfoAbout"), comments=key.text("Comments"),
        parent=key.text("ParentDisplayName"), release_type=key.text("ReleaseType"),
        system_component=bool(key.number("SystemComponent")) or None, install_date=stored,
    )  # fmt: skip
    data["view"] = "32-bit" if "\\WOW6432NODE\\" in key.path.upper() else "native"
    data["scope"] = "machine" if hive.kind == "SOFTWARE" else "user"
    yield finding(key, data, {"install_date": stored_date(stored)})


@reads_keys("windows.registry.application_path", ("SOFTWARE",), "Microsoft\\Windows\\CurrentVersion\\App Paths\\*")
@reads_keys("windows.registry.application_path", USER, "Software\\Microsoft\\Windows\\CurrentVersion\\App Paths\\*")
def application_paths(hive: Hive, key: Key) -> Iterator[Finding]:
    """Names that the shell resolves to program files."""
    data = kept(program=key.name, path=key.text(""), folder=key.text("Path"))
    if len(data) > 1:
        yield finding(key, data)


@reads_keys("windows.registry.ccleaner", USER, "Software\\Piriform\\CCleaner")
def ccleaner(hive: Hive, key: Key) -> Iterator[Finding]:
    """CCleaner: when it last updated itself (local time, as text) and what it is set to clean."""
    text = key.text("UpdateKey") or ""
    times: dict[str, Time | None] = {}
    try:
        moment = datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p")
        times["last_update"] = local(moment, text, source="CCleaner writes local time without a zone")
    except ValueError:
        pass  # absent or in another form: the text itself stays in the record
    options = {
        value.name: found
        for value in key.values.values()
        if not isinstance(found := key.get(value.name), bytes) and value.name != "UpdateKey"
    }
    yield finding(key, {"program": "CCleaner", "update_key": text, "options": options}, times,
                  "last_update" if times else "key_last_written")  # fmt: skip


@reads_keys("windows.registry.wsl", USER, "Software\\Microsoft\\Windows\\CurrentVersion\\Lxss")
def wsl(hive: Hive, key: Key) -> Iterator[Finding]:
    """Linux distributions registered under the Windows Subsystem for Linux, and which is the default."""
    default, distributions = (
        key.text("DefaultDistribution"),
        [child for child in key.children() if child.name[:1] == "{"],
    )
    for child in distributions:
        data = kept(
            guid=child.name, distribution=child.text("DistributionName"), base_path=child.text("BasePath"),
            wsl_version=child.number("Version"), state=child.number("State"), flags=child.number("Flags"),
            default_uid=child.number("DefaultUid"), package=child.text("PackageFamilyName"),
            vhd_file=child.text("VhdFileName"), kernel_command_line=child.text("KernelCommandLine"),
        )  # fmt: skip
        data["is_default"] = child.name.lower() == (default or "").lower()
        yield finding(child, data)
    yield finding(
        key,
        {
            "default_distribution": default,
            "distribution_count": len(distributions),
            "distributions": [f"{child.name} {child.text('DistributionName')}" for child in distributions],
        },
    )
