"""Further traces of what ran or was allowed: scheduled tasks' cache, app permissions, feature usage, app flags.

Sources: J. Metz, winreg-kb, "Task scheduler"; published research on CapabilityAccessManager and FeatureUsage.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from wigmore.artifacts.windows.folders import known_folder
from wigmore.artifacts.windows.registry.families.identity import kept
from wigmore.artifacts.windows.registry.hive import Hive, Key
from wigmore.artifacts.windows.registry.semantics import USER, Finding, finding, reads_keys
from wigmore.artifacts.windows.registry.values import filetime_at, until_nul
from wigmore.model.times import filetime


@reads_keys(
    "windows.registry.scheduled_task",
    ("SOFTWARE",),
    "Microsoft\\Windows NT\\CurrentVersion\\Schedule\\TaskCache\\Tasks\\*",
)
def tasks(hive: Hive, key: Key) -> Iterator[Finding]:
    """The scheduler's own entry of a task: path, author, created, last run, last result, program and arguments."""
    raw = key.raw("DynamicInfo")
    data = kept(
        task=key.text("Path") or key.text("URI"), task_id=key.name, author=key.text("Author"),
        source=key.text("Source"),
        description=key.text("Description"), stated_date=key.text("Date"), version=key.text("Version"),
        actions=_actions(key.raw("Actions")), security=key.text("SecurityDescriptor"),
    )  # fmt: skip
    times = {}
    if len(raw) >= 28:
        times = {"registered": filetime_at(raw, 4), "last_run": filetime_at(raw, 12)}
        data["state"], data["last_result"] = struct.unpack_from("<2I", raw, 20)
        if len(raw) >= 36:
            times["last_completed"] = filetime_at(raw, 28)
    if len(data) > 1:
        yield finding(
            key,
            data,
            times,
            "last_run" if times.get("last_run") else "registered" if times.get("registered") else "key_last_written",
        )


def _actions(raw: bytes) -> list[str]:
    """Command lines of the exec actions (mark 0x6666): length-prefixed texts id, command, arguments, working folder."""
    found: list[str] = []
    if len(raw) < 2:
        return found
    (version,) = struct.unpack_from("<H", raw)
    at = 2
    if version >= 2 and len(raw) >= 6:
        (length,) = struct.unpack_from("<I", raw, at)
        at += 4 + length  # the context's name
    while at + 6 <= len(raw) and len(found) < 32:
        (mark,) = struct.unpack_from("<H", raw, at)
        at += 2
        texts = []
        if mark == 0x6666:
            for _ in range(4):
                if at + 4 > len(raw):
                    break
                (length,) = struct.unpack_from("<I", raw, at)
                texts.append(until_nul(raw[at + 4 : at + 4 + length] + b"\0\0"))
                at += 4 + length
            if version >= 3:
                at += 2
            found.append(" ".join(text for text in texts[1:3] if text))
        elif mark == 0x7777 and at + 24 <= len(raw):
            (length,) = struct.unpack_from("<I", raw, at)
            from wigmore.artifacts.windows.registry.values import guid

            found.append(f"COM handler {guid(raw, at + 4 + length)}" if at + 20 + length <= len(raw) else "COM handler")
            break
        else:
            break
    return found


STORE = "Microsoft\\Windows\\CurrentVersion\\CapabilityAccessManager\\ConsentStore"


@reads_keys("windows.registry.app_permission", ("SOFTWARE",), f"{STORE}\\*\\*", f"{STORE}\\*\\NonPackaged\\*")
@reads_keys(
    "windows.registry.app_permission", USER, f"Software\\{STORE}\\*\\*", f"Software\\{STORE}\\*\\NonPackaged\\*"
)
def permissions(hive: Hive, key: Key) -> Iterator[Finding]:
    """Programs that asked for camera, microphone, location and so on: last use from and to, and what was answered."""
    parts = key.path.split("\\ConsentStore\\", 1)[-1].split("\\")
    if parts[-1].upper() == "NONPACKAGED":
        return
    start, stop = key.number("LastUsedTimeStart"), key.number("LastUsedTimeStop")
    packaged = len(parts) == 2
    data = kept(capability=parts[0], program=parts[-1].replace("#", "\\") if not packaged else parts[-1],
                packaged=packaged, answer=key.text("Value"))  # fmt: skip
    times = {"last_used_start": filetime(start or 0), "last_used_stop": filetime(stop or 0)}
    data["in_use"] = bool(start) and not stop
    yield finding(key, data, times, "last_used_start" if times["last_used_start"] else "key_last_written")


EXPLORER = "Software\\Microsoft\\Windows\\CurrentVersion\\Explorer"


@reads_keys("windows.registry.feature_usage", USER, f"{EXPLORER}\\FeatureUsage\\*")
def feature_usage(hive: Hive, key: Key) -> Iterator[Finding]:
    """Taskbar counters by program (switched to, launched, jump list shown): counters stand at a number, undated."""
    for value in key.values.values():
        count = key.number(value.name)
        if count is not None:
            data = {"program": known_folder(value.name), "feature": key.name, "counter": count}
            yield finding(key, data, time_field=None, value=value.name)


@reads_keys(
    "windows.registry.compatibility_assistant",
    USER,
    "Software\\Microsoft\\Windows NT\\CurrentVersion\\AppCompatFlags\\Compatibility Assistant\\*",
    "Software\\Microsoft\\Windows NT\\CurrentVersion\\AppCompatFlags\\Layers",
)
def compatibility(hive: Hive, key: Key) -> Iterator[Finding]:
    """Program files that the compatibility assistant noted, or for which a compatibility layer is set."""
    for value in key.values.values():
        if ":" in value.name or "\\" in value.name:
            yield finding(
                key,
                kept(path=value.name, list=key.name, layers=key.text(value.name)),
                time_field=None,
                value=value.name,
            )


@reads_keys("windows.registry.recent_app", USER, "Software\\Microsoft\\Windows\\CurrentVersion\\Search\\RecentApps\\*")
def recent_apps(hive: Hive, key: Key) -> Iterator[Finding]:
    """Programs in the start menu's search (Windows 10 1607 to 1709): counter and last access."""
    data = kept(
        program=known_folder(key.text("AppId") or ""), path=key.text("AppPath"), counter=key.number("LaunchCount")
    )
    if data:
        stored = key.number("LastAccessedTime")
        yield finding(
            key, data, {"last_accessed": filetime(stored or 0)}, "last_accessed" if stored else "key_last_written"
        )


@reads_keys("windows.registry.sysinternals", USER, "Software\\Sysinternals\\*")
def sysinternals(hive: Hive, key: Key) -> Iterator[Finding]:
    """Sysinternals tools whose licence this account accepted (also by command line)."""
    accepted = key.number("EulaAccepted")
    if accepted is not None:
        yield finding(key, {"tool": key.name, "eula_accepted": bool(accepted)}, value="EulaAccepted")
