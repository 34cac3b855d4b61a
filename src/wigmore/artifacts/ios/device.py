"""Identity, version and settings of an iOS device from its property lists and those of its backups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.generic.plist import flat, load_plist
from wigmore.artifacts.generic.plist_reader import is_plist, leaves
from wigmore.model.protocols import EvidenceFile, ParseError, Record, Yield
from wigmore.registry import Claim, parser

NAMES = (
    "info.plist", "manifest.plist", "status.plist", "systemversion.plist", "data_ark.plist",
    "com.apple.commcenter*.plist", "com.apple.mobile.ldbackup.plist", "com.apple.mobilebackup.plist",
    ".globalpreferences.plist", "com.apple.mobilegestalt.plist", "device_values.plist",
)  # fmt: skip
# keys that name, version or number the device or its lines; compared without spaces, dashes and case
IDENTITY = frozenset((
    "devicename", "displayname", "productversion", "productbuildversion", "buildversion", "productname",
    "producttype", "serialnumber", "imei", "imei2", "meid", "iccid", "phonenumber", "uniqueidentifier",
    "uniquedeviceid", "guid", "targetidentifier", "targettype", "lastbackupdate", "date", "isencrypted",
    "isfullbackup", "version", "wifiaddress", "bluetoothaddress", "ethernetmacaddress", "timezone", "applelocale",
    "applelanguages", "lastupdatetime", "osversion", "modelnumber", "regioninfo", "reportedphonenumber",
    "reportedsubscriberidentity", "lastknownserviceprovider", "imeis", "ituneversion", "itunesversion",
    "passcodewasset", "waspasscodeset", "carrierbundlename", "operatorname", "previousiccid", "lastknownicci",
    "lastknowniccid", "subscriberidentity", "personalitymap", "snapshotstate", "uuid",
))  # fmt: skip
SERIALS = ("uniqueidentifier", "uniquedeviceid", "serialnumber", "imei")


def _plain(key: str) -> str:
    return "".join(c for c in key.lower() if c.isalnum())


def _last(path: str) -> str:
    return _plain(path.rsplit(".", 1)[-1].split("[", 1)[0])


@parser(
    "ios.device",
    claims=Claim(paths=NAMES, look=lambda head, path, size: is_plist(head)),
    reads="SystemVersion, Info, Manifest, Status, data_ark and CommCenter property lists of iOS devices and backups",
    means="the device or backup carried this name, version, number or line when the file was written",
    does_not_mean="who used it; a reported phone number is what the network or SIM said last",
    refs=("https://developer.apple.com/library/archive/documentation/Cocoa/Conceptual/PropertyLists/",),
    artifacts=("ios.device",),
)
def device(file: EvidenceFile) -> Iterator[Yield]:
    """One record of what identifies the device; nothing where the list holds none of it."""
    root = load_plist(file)
    if not isinstance(root, dict):
        raise ParseError(file.path, None, "not a dictionary", "schema_unknown")
    kept: dict[str, Any] = {}
    for key, value in root.items():
        if _plain(key) in IDENTITY:
            kept[key] = value
        elif isinstance(value, dict):
            inner = {k: v for k, v in value.items() if _plain(k) in IDENTITY}
            if inner:
                kept[key] = inner
    if sum(_last(path) in IDENTITY for path, _ in leaves(kept)) == 0:
        return
    data, times = flat(kept)
    host = next((str(v) for name in SERIALS for k, v in data.items() if _last(k) == name and v), "")
    dated = next((k for k in times if _last(k) in ("lastbackupdate", "date")), None)
    yield {"kind": "key", "key": ""}, Record(data, times, dated, host_id=host, artifact="ios.device")


def _networks(root: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in root.items():
        if key.startswith("wifi.network.ssid.") and isinstance(value, dict):
            yield key, value
        elif isinstance(value, list) and key.lower().startswith("list of"):
            yield from ((f"{key}[{i}]", item) for i, item in enumerate(value) if isinstance(item, dict))
        elif key == "KnownNetworks" and isinstance(value, dict):
            yield from ((f"{key}.{name}", item) for name, item in value.items() if isinstance(item, dict))


@parser(
    "ios.wifi",
    claims=Claim(
        paths=("com.apple.wifi.known-networks.plist", "com.apple.wifi.plist",
               "com.apple.wifi-private-mac-networks.plist",
               "com.apple.airport.preferences.plist"),
        look=lambda head, path, size: is_plist(head),
    ),
    reads="lists of known Wi-Fi networks of iOS and macOS",
    means="the network is stored as known, with the times of adding and joining the list carries",
    does_not_mean="continuous presence; names are not unique and lists are synchronised",
    refs=("https://developer.apple.com/documentation/corewlan",),
    artifacts=("ios.wifi_network",),
)  # fmt: skip
def wifi(file: EvidenceFile) -> Iterator[Yield]:
    """One record a network."""
    root = load_plist(file)
    if not isinstance(root, dict):
        raise ParseError(file.path, None, "not a dictionary", "schema_unknown")
    for path, network in _networks(root):
        data, times = flat(network)
        joined = [k for k in times if "join" in k.lower() or "associated" in k.lower()]
        dated = max(joined, key=lambda k: times[k]["instant"] or 0) if joined else None
        if path.startswith("wifi.network.ssid."):
            data.setdefault("SSID_name", path.removeprefix("wifi.network.ssid."))
        yield {"kind": "key", "key": path}, Record(data, times, dated, artifact="ios.wifi_network")


@parser(
    "ios.keyboard_usage",
    claims=Claim(paths=("app_usage_database.plist",), look=lambda head, path, size: is_plist(head)),
    reads="app_usage_database.plist of the iOS keyboard",
    means="the keyboard was used in this app on that day, with these counters",
    does_not_mean="what was typed",
    refs=("https://developer.apple.com/library/archive/documentation/Cocoa/Conceptual/PropertyLists/",),
    artifacts=("ios.keyboard_usage",),
)
def keyboard_usage(file: EvidenceFile) -> Iterator[Yield]:
    """One record an entry of an app's list, or an app where it has no list."""
    root = load_plist(file)
    if not isinstance(root, dict):
        raise ParseError(file.path, None, "not a dictionary", "schema_unknown")
    for app, value in root.items():
        entries = value if isinstance(value, list) else [value]
        for index, entry in enumerate(entries):
            data, times = flat(entry)
            data = {"bundle_id": app, **data}
            dated = next(iter(times), None)
            yield (
                {"kind": "key", "key": f"{app}[{index}]"},
                Record(data, times, dated, artifact="ios.keyboard_usage"),
            )
