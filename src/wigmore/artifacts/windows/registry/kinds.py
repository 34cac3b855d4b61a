"""Which hive this is, by what stands in it, and the path examiners write for its root."""

from __future__ import annotations

from wigmore.artifacts.windows.registry.hive import Hive, Key
from wigmore.artifacts.windows.registry.values import until_nul

PREFIXES = {
    "SYSTEM": "HKLM\\SYSTEM", "SOFTWARE": "HKLM\\SOFTWARE", "SAM": "HKLM\\SAM", "SECURITY": "HKLM\\SECURITY",
    "NTUSER": "HKCU", "USRCLASS": "HKCU\\Software\\Classes", "DEFAULT": "HKU\\.DEFAULT", "BCD": "HKLM\\BCD00000000",
    "AMCACHE": "AMCACHE", "COMPONENTS": "HKLM\\COMPONENTS", "DRIVERS": "HKLM\\DRIVERS", "SYSCACHE": "SYSCACHE",
    "APP": "APP",
}  # fmt: skip


NAMES = {name: name for name in ("SYSTEM", "SOFTWARE", "SAM", "SECURITY", "DEFAULT")} | {"NTUSER.DAT": "NTUSER"}


def stored_name(head: bytes) -> str:
    """The last 31 characters of the path under which Windows loaded the hive, from the base block."""
    return until_nul(head[48:112])


def recognise(hive: Hive, root: Key) -> None:
    """Set `kind`, `prefix` and `current_set` of a hive from its keys (its stored name decides what keys leave open)."""
    names = {child.name.upper() for child in root.children()}
    stored = stored_name(bytes(hive.bytes[:512])).upper()
    hive.kind = _kind(root, names, stored)
    hive.prefix = PREFIXES.get(hive.kind, root.name or "UNKNOWN")
    root.path = hive.prefix
    if hive.kind == "SYSTEM":
        select = root.sub("Select")
        current = select.number("Current") if select is not None else None
        if current is not None and 0 < current < 1000:
            hive.current_set = f"ControlSet{current:03d}"


def _kind(root: Key, names: set[str], stored: str) -> str:
    if "SELECT" in names or any(name.startswith("CONTROLSET") for name in names):
        return "SYSTEM"
    if "ROOT" in names:
        top = root.sub("Root")
        below = {child.name.upper() for child in top.children()} if top is not None else set()
        if below & {"FILE", "PROGRAMS", "INVENTORYAPPLICATION", "INVENTORYAPPLICATIONFILE", "INVENTORYDRIVERBINARY"}:
            return "AMCACHE"
    if "SAM" in names and (root.sub("SAM\\Domains") is not None or len(names) <= 2):
        return "SAM"
    if "POLICY" in names and (root.sub("Policy\\PolAdtEv") or root.sub("Policy\\Accounts") or "CACHE" in names):
        return "SECURITY"
    if {"OBJECTS", "DESCRIPTION"} <= names:
        return "BCD"
    if {"DERIVEDDATA", "CANONICALDATA"} & names:
        return "COMPONENTS"
    if "DRIVERDATABASE" in names:
        return "DRIVERS"
    if "DEFAULTOBJECTSTORE" in names or stored.endswith("SYSCACHE.HVE"):
        return "SYSCACHE"
    if "LOCAL SETTINGS" in names or stored.endswith("USRCLASS.DAT"):
        return "USRCLASS"
    if "MICROSOFT" in names and (root.sub("Microsoft\\Windows NT\\CurrentVersion") or {"CLASSES", "CLIENTS"} & names):
        return "SOFTWARE"
    if "SOFTWARE" in names or {"CONTROL PANEL", "ENVIRONMENT", "KEYBOARD LAYOUT"} & names:
        return "DEFAULT" if stored.endswith("\\DEFAULT") else "NTUSER"
    if names & {"LOCALSTATE", "ROAMINGSTATE"} or stored.endswith("SETTINGS.DAT"):
        return "APP"
    # too damaged to tell by its keys: the name under which Windows loaded it
    last = stored.rsplit("\\", 1)[-1]
    return NAMES.get(last, "UNKNOWN")
