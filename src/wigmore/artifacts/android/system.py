"""Android system files: installed packages, app usage, Wi-Fi configuration, build properties."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wigmore.artifacts.android.xml_reader import Element, is_xml, read_xml
from wigmore.artifacts.generic.sqlite_queries import milliseconds
from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, ParseError, Record, Yield
from wigmore.model.times import Time, posix
from wigmore.registry import Claim, parser

AOSP = "https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/"
EVENTS = {
    1: "moved to foreground", 2: "moved to background", 3: "end of day", 4: "continue previous day",
    5: "configuration change",
    6: "system interaction", 7: "user interaction", 8: "shortcut invocation", 9: "chooser action",
    10: "notification seen",
    11: "standby bucket changed", 12: "notification interruption", 15: "screen interactive",
    16: "screen non-interactive",
    17: "keyguard shown", 18: "keyguard hidden", 19: "foreground service start", 20: "foreground service stop",
    23: "activity stopped", 26: "device shutdown", 27: "device startup", 28: "user unlocked",
}  # fmt: skip
FLAGS = {0x1: "system", 0x2: "debuggable", 0x80: "updated system"}
PROPERTY = re.compile(rb"^\s*([\w.\-]+)\s*=\s*(.*?)\s*$")


def _hexadecimal_time(text: str | None) -> Time | None:
    """Milliseconds since 1970 in hexadecimal, as packages.xml writes them."""
    try:
        return posix(int(text, 16), unit="ms") if text and len(text) <= 16 else None
    except ValueError:
        return None


def _where(element: Element) -> dict[str, object]:
    return {"kind": "record", "number": element.number}


@parser(
    "android.packages",
    claims=Claim(look=lambda head, path, size: is_xml(head, b"packages") and b"package" in head[:512]),
    reads="packages.xml of Android, text or binary XML",
    means="the package is known to the system, first installed and last updated then, by that installer",
    does_not_mean="that it was used; an installer's name can be faked by a side-loader",
    refs=(AOSP + "services/core/java/com/android/server/pm/Settings.java",),
    artifacts=("android.package",),
)
def packages(file: EvidenceFile) -> Iterator[Yield]:
    """One record a package with its permissions."""
    root = read_xml(file)
    for kind in ("package", "updated-package"):
        for element in root.all(kind):
            found = element.attributes
            times = {
                name: time
                for name, key in (("last_update", "ut"), ("first_install", "it"), ("file_modified", "ft"))
                if (time := _hexadecimal_time(found.get(key))) is not None
            }
            data: dict[str, object] = {
                "entry": kind,
                "name": found.get("name"),
                "code_path": found.get("codePath"),
                "version": found.get("version"),
                "user_id": found.get("userId") or found.get("sharedUserId"),
                "installer": found.get("installer"),
                "initiating_package": found.get("installInitiator"),
                "originating_package": found.get("installOriginator"),
                "permissions": [
                    item.attributes["name"] for item in element.all("item")
                    if "name" in item.attributes and item.attributes.get("granted", "true") == "true"
                ],
            }  # fmt: skip
            flags = found.get("publicFlags") or found.get("flags")
            if flags and flags.lstrip("-").isdigit() and len(flags) < 12:
                data["flags"] = [name for bit, name in FLAGS.items() if int(flags) & bit]
            data = {key: value for key, value in data.items() if value not in (None, [])}
            dated = next((n for n in ("first_install", "last_update") if n in times), None)
            yield _where(element), Record(data, times, dated, artifact="android.package")


@parser(
    "android.package_list",
    claims=Claim(paths=("packages.list",)),
    reads="packages.list of Android",
    means="the package is installed with this user id and data folder",
    does_not_mean="that it was used",
    refs=("https://android.googlesource.com/platform/system/core/+/refs/heads/main/libpackagelistparser/",),
    artifacts=("android.package",),
)
def package_list(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line."""
    names = ("name", "user_id", "debuggable", "data_folder", "seinfo", "groups", "profileable", "version")
    offset = 0
    for number, line in enumerate(file.read(64 * 1024 * 1024).split(b"\n"), 1):
        fields = shown(line).split()
        if len(fields) >= 4:
            yield (
                {"kind": "line", "line": number, "offset": offset},
                Record(dict(zip(names, fields, strict=False)), artifact="android.package"),
            )
        offset += len(line) + 1


@parser(
    "android.usage_history",
    claims=Claim(look=lambda head, path, size: is_xml(head, b"usage-history")),
    reads="usage-history.xml of Android before version 5",
    means="the component was last resumed then",
    does_not_mean="how long, or by whom; small numbers are times since start on devices whose clock was not set",
    refs=(AOSP + "services/java/com/android/server/am/UsageStatsService.java?h=kitkat-release",),
    artifacts=("android.usage",),
)
def usage_history(file: EvidenceFile) -> Iterator[Yield]:
    """One record a component."""
    for package in read_xml(file).all("pkg"):
        for component in package.all("comp"):
            data = {"package": package.attributes.get("name"), "component": component.attributes.get("name")}
            last = milliseconds(component.attributes.get("lrt"))
            times = {"last_resumed": last} if last else {}
            yield _where(component), Record(data, times, "last_resumed" if last else None, artifact="android.usage")


@parser(
    "android.usagestats",
    claims=Claim(look=lambda head, path, size: is_xml(head, b"usagestats")),
    reads="usagestats files of Android 5 to 9 (text XML); the file's name is the start of its span",
    means="the app's activity moved to the foreground or another event happened at that time",
    does_not_mean="which person; aggregates carry times of their span, not of each use",
    refs=(AOSP + "services/usage/java/com/android/server/usage/UsageStatsXmlV1.java",),
    artifacts=("android.usage_event", "android.usage"),
)
def usagestats(file: EvidenceFile) -> Iterator[Yield]:
    """One record an event, one an app's aggregate; offsets are added to the start in the file's name."""
    name = file.path.rsplit("/", 1)[-1]
    if not (name.isdigit() and len(name) <= 14):
        raise ParseError(
            file.path, None, "the name is not the start of the span in ms, times cannot be placed", "schema_unknown"
        )
    start = int(name)

    def placed(text: str | None) -> Time | None:
        if text is None or not re.fullmatch(r"-?\d{1,14}", text) or text == "0":
            return None
        time = posix(
            start + int(text), unit="ms", source="start of the span in the file's name, plus the stored offset"
        )
        return {**time, "raw": text} if time else None

    root = read_xml(file)
    for element in root.all("event"):
        found = element.attributes
        kind = found.get("type", "")
        data = {"package": found.get("package"), "class": found.get("class"), "type": kind}
        if kind.isdigit():
            data["type_name"] = EVENTS.get(int(kind[:9]), f"unknown ({kind})")
        time = placed(found.get("time"))
        kept = {key: value for key, value in data.items() if value is not None}
        times = {"time": time} if time else {}
        yield _where(element), Record(kept, times, "time" if time else None, artifact="android.usage_event")
    for element in root.all("package"):
        found = element.attributes
        times = {
            key: time for key, attribute in (("last_time_active", "lastTimeActive"), ("last_time_used", "lastTimeUsed"))
            if (time := placed(found.get(attribute))) is not None
        }  # fmt: skip
        aggregate: dict[str, object] = {
            "package": found.get("package"), "time_active_ms": found.get("timeActive"),
            "last_event": found.get("lastEvent"),
            "launch_count": found.get("appLaunchCount"),
        }  # fmt: skip
        data_kept = {key: value for key, value in aggregate.items() if value is not None}
        yield _where(element), Record(data_kept, times, next(iter(times), None), artifact="android.usage")


@parser(
    "android.wifi",
    claims=Claim(look=lambda head, path, size: is_xml(head, b"WifiConfigStoreData")),
    reads="WifiConfigStore.xml of Android 8 and later, text or binary XML",
    means="the network is configured with this name and, where stored, passphrase",
    does_not_mean="when it was joined; HasEverConnected says whether",
    refs=("https://android.googlesource.com/platform/packages/modules/Wifi/",),
    artifacts=("android.wifi_network",),
)
def wifi(file: EvidenceFile) -> Iterator[Yield]:
    """One record a network or access point with every stored value."""
    root = read_xml(file)
    for kind in ("Network", "SoftAp", "PasspointConfiguration"):
        for network in root.all(kind):
            data: dict[str, object] = {"kind": kind}
            stack = [*reversed(network.children)]
            while stack:
                element = stack.pop()
                name = element.attributes.get("name")
                value = element.attributes.get("value", element.text.strip())
                if name and not element.children and value:
                    clean = (
                        value[1:-1]
                        if element.name == "string" and value[:1] == value[-1:] == '"' and len(value) > 1
                        else value
                    )
                    if name in data:
                        previous = data[name]
                        data[name] = [*previous, clean] if isinstance(previous, list) else [previous, clean]
                    else:
                        data[name] = clean
                stack.extend(reversed(element.children))
            yield _where(network), Record(data, artifact="android.wifi_network")


@parser(
    "android.build_properties",
    claims=Claim(paths=("build.prop", "default.prop", "local.prop")),
    reads="build.prop files of Android",
    means="the installed system image carries these properties: model, version, patch level, build time",
    does_not_mean="what ran before an update",
    refs=("https://source.android.com/docs/core/architecture/configuration/add-system-properties",),
    artifacts=("android.build_properties",),
)
def build_properties(file: EvidenceFile) -> Iterator[Yield]:
    """One record of all properties; build times are times."""
    data: dict[str, object] = {}
    times: dict[str, Time] = {}
    for line in file.read(8 * 1024 * 1024).split(b"\n"):
        match = PROPERTY.match(line)
        if match and not line.lstrip().startswith(b"#"):
            name, value = shown(match[1]), shown(match[2])
            if name.endswith("build.date.utc") and value.isdigit() and len(value) < 12:
                time = posix(int(value))
                if time:
                    times[name] = time
            elif name not in data:
                data[name] = value
    if data:
        host = next((str(data[n]) for n in ("ro.serialno", "ro.boot.serialno") if data.get(n)), "")
        yield (
            {"kind": "offset", "offset": 0, "length": file.size},
            Record(data, times, host_id=host, artifact="android.build_properties"),
        )
