"""Standard questions: a record that answers each, and a near miss that answers another question and must not."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from record_builders import Made, record, store_maker
from wigmore.model.protocols import Record
from wigmore.model.times import iso
from wigmore.records.sheet import StandardQuestion, answer, load_questions

RULES = Path(str(importlib.resources.files("wigmore") / "rules"))
QUESTIONS = load_questions([RULES])
AUDIT = "Microsoft-Windows-Security-Auditing"
SYSMON = "Microsoft-Windows-Sysmon"
LOG = "Microsoft-Windows-Eventlog"
SESSIONS = "Microsoft-Windows-TerminalServices-LocalSessionManager"
DEFENDER = "Microsoft-Windows-Windows Defender"
REPLICATE = "%%7688 {1131f6ad-9c07-11d1-f79f-00c04fc2dcd2}"
Case = tuple[str, str, dict[str, Any], dict[str, Any]]  # question, artifact, what answers, what must not


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Made]:
    yield from store_maker(tmp_path)


def event(number: int, provider: str, **data: Any) -> dict[str, Any]:
    return {"event_id": number, "provider": provider, "event": f"event {number}", "computer": "PC", **data}


def command(line: str) -> dict[str, Any]:
    return event(1, SYSMON, CommandLine=line, User="PC\\ada")


WINDOWS: list[Case] = [
    (
        "W38",
        "windows.eventlog",
        event(1102, LOG, SubjectUserName="ada", SubjectUserSid="S-1-5-21-1-2-3-1001", channel="Security"),
        event(1102, "Microsoft-Windows-TerminalServices-ClientActiveXCore", Value="10.0.0.9"),
    ),
    ("W38", "windows.eventlog", command("wevtutil cl System"), command("wevtutil el")),
    ("W38", "windows.eventlog", event(104, LOG, SubjectUserName="SYSTEM", Channel="Setup"), event(104, "Other")),
    ("W38b", "windows.eventlog", command("auditpol /set /success:disable"), command("auditpol /get /category:*")),
    (
        "A08",
        "windows.eventlog",
        event(4616, AUDIT, PreviousTime="2026-03-01T10:00:00Z", NewTime="2026-02-01T10:00:00Z"),
        event(4616, AUDIT, PreviousTime="2026-03-01T10:00:00Z", NewTime="2026-03-01T10:00:02Z"),
    ),
    (
        "W43",
        "windows.eventlog",
        event(21, SESSIONS, User="PC\\ada", Address="192.0.2.7"),
        event(21, SESSIONS, User="PC\\ada", Address="LOCAL"),
    ),
    (
        "W43",
        "windows.eventlog",
        event(4624, AUDIT, LogonType=10, TargetUserName="ada", IpAddress="192.0.2.7"),
        event(4624, AUDIT, LogonType=3, TargetUserName="ada", IpAddress="192.0.2.7"),
    ),
    (
        "W48",
        "windows.eventlog",
        event(10, SYSMON, SourceImage="C:\\t\\x.exe", TargetImage="C:\\Windows\\lsass.exe", GrantedAccess="0x1010"),
        event(
            10, SYSMON, SourceImage="C:\\d\\MsMpEng.exe", TargetImage="C:\\Windows\\lsass.exe", GrantedAccess="0x1010"
        ),
    ),
    ("W52", "windows.eventlog", command("vssadmin delete shadows /all /quiet"), command("vssadmin list shadows")),
    (
        "W57",
        "windows.eventlog",
        event(4662, AUDIT, SubjectUserName="ada", SubjectUserSid="S-1-5-21-1-2-3-1001", Properties=REPLICATE),
        event(4662, AUDIT, SubjectUserName="DC2$", SubjectUserSid="S-1-5-21-1-2-3-1002", Properties=REPLICATE),
    ),
    (
        "W45",
        "windows.eventlog",
        event(7045, "Service Control Manager", ServiceName="PSEXESVC", ImagePath="%SystemRoot%\\PSEXESVC.exe"),
        event(7045, "Service Control Manager", ServiceName="Print", ImagePath="%SystemRoot%\\svchost.exe"),
    ),
    (
        "W47",
        "windows.eventlog",
        event(4720, AUDIT, SubjectUserName="ada", SubjectUserSid="S-1-5-21-1-2-3-1001", TargetUserName="eve"),
        event(4720, AUDIT, SubjectUserName="PC$", SubjectUserSid="S-1-5-18", TargetUserName="defaultuser0"),
    ),
    (
        "W06",
        "windows.eventlog",
        event(4624, AUDIT, TargetUserName="ada", TargetUserSid="S-1-5-21-1-2-3-1001", LogonType=2),
        event(4624, AUDIT, TargetUserName="SYSTEM", TargetUserSid="S-1-5-18", LogonType=5),
    ),
    (
        "A18",
        "windows.eventlog",
        event(1116, DEFENDER, **{"Threat Name": "Trojan:Win32/X"}),
        event(1150, DEFENDER, **{"Platform version": "4.18"}),
    ),
    (
        "W49",
        "windows.eventlog",
        event(5007, DEFENDER, **{"New Value": "HKLM\\...\\Exclusions\\Paths\\C:\\TMP = 0x0"}),
        event(5007, DEFENDER, **{"New Value": "HKLM\\...\\SignatureUpdates\\Version = 0x1"}),
    ),
    ("W27", "windows.eventlog", command("robocopy C:\\plans E:\\x /e"), command("robocopy C:\\plans C:\\x /e")),
    (
        "W20",
        "windows.eventlog",
        event(400, "PowerShell", HostApplication="powershell.exe -Enc aGk="),
        event(400, "PowerShell", HostApplication="C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"),
    ),
    ("W37", "windows.prefetch", {"executable": "SDELETE64.EXE"}, {"executable": "CIPHER.EXE"}),
    ("W43b", "windows.prefetch", {"executable": "ANYDESK.EXE"}, {"executable": "MSTSC.EXE"}),
    (
        "W22",
        "windows.registry.usb_storage",
        {"serial": "AA95", "device_id": "Disk&Ven_HP", "is_current": True},
        {"serial": "AA95", "device_id": "CdRom&Ven_HP", "is_current": True},
    ),
    (
        "W26",
        "windows.lnk",
        {"local_path": "E:\\a", "drive_type": "removable"},
        {"local_path": "C:\\a", "drive_type": "fixed"},
    ),
    ("W21", "windows.registry.run_mru", {"list": "RunMRU", "text": "cmd"}, {"list": "ArcHistory", "text": "a.rar"}),
    ("W44", "windows.registry.remote_desktop", {"server": "10.0.0.9"}, {"list": "latest addresses"}),
    ("A05", "container", {"container": "zip", "encrypted": True}, {"container": "zip", "encrypted": False}),
    (
        "A15",
        "file_listing",
        {"kind": "file", "deleted": True, "recovery": "intact"},
        {"kind": "file", "deleted": False, "recovery": ""},
    ),
    (
        "P13",
        "file_listing",
        {"kind": "stream", "name": "a.txt", "stream": "x", "size": 99},
        {"kind": "stream", "name": "a.txt", "stream": "Zone.Identifier", "size": 99},
    ),
]

BROWSERS: list[Case] = [
    (
        "B02",
        "browser.msie.entry",
        {"container": "history", "url": "http://a.example/"},
        {"container": "cache", "url": "http://a.example/x.gif"},
    ),
    (
        "B04",
        "browser.firefox.visit",
        {"url": "https://www.google.com/search?q=wipe+disk"},
        {"url": "https://shop.example/list?q=shoes"},
    ),
    (
        "B04",
        "browser.firefox.form_entry",
        {"fieldname": "searchbar-history", "value": "wipe"},
        {"fieldname": "email", "value": "a@b.example"},
    ),
    (
        "B05",
        "browser.firefox.annotation",
        {"annotation": "downloads/destinationFileURI", "content": "file:///a"},
        {"annotation": "Places/SmartBookmark", "content": "Tags"},
    ),
    (
        "B06",
        "browser.chromium.visit",
        {"url": "https://x.example/upload", "title": "Upload complete"},
        {"url": "https://x.example/upload/logo.png"},
    ),
    ("B07", "browser.chromium.login", {"username_value": "ada", "origin_url": "https://x.example/"}, {"times_used": 3}),
    (
        "B08",
        "browser.firefox.bookmark",
        {"type_name": "bookmark", "title": "x", "url": "http://x.example/"},
        {"type_name": "folder", "title": "Menu"},
    ),
    (
        "B11",
        "browser.chromium.profile",
        {"browser.last_clear_browsing_data_time": "13109876267453766"},
        {"browser.last_clear_browsing_data_time": "0"},
    ),
    (
        "B11",
        "windows.prefetch",
        {"executable": "TOR.EXE", "executable_path": "\\X\\TOR.EXE"},
        {"executable": "TORCH.EXE", "executable_path": "\\X\\TORCH.EXE"},
    ),
    (
        "B12",
        "browser.chromium.visit",
        {"url": "https://mail.google.com/mail/u/0/"},
        {"url": "https://news.example/mail-fraud"},
    ),
    (
        "B01",
        "browser.chromium.profile",
        {"account_info[0].email": "a@b.example"},
        {"browser.window_placement.left": 10},
    ),
]

PHONES: list[Case] = [
    ("D01", "android.build_properties", {"ro.product.model": "Pixel"}, {"ro.debuggable": "0"}),
    ("D05", "generic.sqlite", {"table": "siminfo", "icc_id": "8901"}, {"table": "carriers", "icc_id": "8901"}),
    ("D10", "android.package", {"name": "com.x", "code_path": "/data/app/x"}, {"permissions": ["a"]}),
    ("D14", "android.wifi_network", {"SSID": "home", "HasEverConnected": "true"}, {"SSID": "AP", "kind": "SoftAp"}),
    (
        "D18",
        "android.package",
        {"name": "com.x", "code_path": "/data/app/x"},
        {"name": "com.x", "code_path": "/data/app/x", "installer": "com.android.vending"},
    ),
    (
        "D18",
        "android.package",
        {"name": "com.topjohnwu.magisk", "code_path": "/data/app/m", "installer": "com.android.vending"},
        {"name": "com.y", "code_path": "/system/app/y"},
    ),
    (
        "D20",
        "android.download",
        {"title": "a", "uri": "http://a", "deleted": 1},
        {"title": "a", "uri": "http://a", "deleted": 0},
    ),
    (
        "D11",
        "android.usage_event",
        {"package": "com.x", "event_type_name": "moved to foreground"},
        {"package": "com.x", "event_type_name": "standby bucket changed"},
    ),
    (
        "I09",
        "ios.whatsapp.message",
        {"direction": "received", "message_type": "text", "ZTEXT": "hi"},
        {"direction": "received", "message_type": "group event"},
    ),
    (
        "I13",
        "ios.teams.location",
        {"direction": "sent", "latitude": 1.5, "card_text": ["My current location"]},
        {"direction": "received", "latitude": 1.5, "card_text": ["My current location"]},
    ),
    (
        "I15",
        "ios.knowledgec",
        {"ZSTREAMNAME": "/app/inFocus", "ZVALUESTRING": "com.x"},
        {"ZSTREAMNAME": "/activity/level", "ZVALUESTRING": "x"},
    ),
    ("I21", "ios.note", {"title": "a", "ZISPASSWORDPROTECTED": 1}, {"title": "a", "ZISPASSWORDPROTECTED": 0}),
    ("I08", "ios.call", {"ZADDRESS": "+4912345678", "direction": "outgoing"}, {"Z_PK": 3}),
    ("I04", "ios.account", {"ZUSERNAME": "a@b.example"}, {"ZACCOUNTTYPEDESCRIPTION": "iTunes Store"}),
]

LINUX: list[Case] = [
    (
        "L18",
        "linux.history",
        {"command": "rm -f /var/log/auth.log", "shell": "bash"},
        {"command": "less /var/log/auth.log", "shell": "bash"},
    ),
    (
        "L18",
        "linux.history",
        {"command": "history -c", "shell": "bash"},
        {"command": "history | grep x", "shell": "bash"},
    ),
    ("L18", "linux.wtmp", {"zeroed": True, "type_name": "EMPTY"}, {"type_name": "USER_PROCESS", "event": "login"}),
    (
        "L03",
        "linux.authlog",
        {"event": "ssh_login_accepted", "user": "ada"},
        {"event": "ssh_login_failed", "user": "ada"},
    ),
    (
        "L03b",
        "linux.authlog",
        {"event": "ssh_login_failed", "address": "192.0.2.1"},
        {"event": "ssh_login_accepted", "address": "192.0.2.1"},
    ),
    (
        "L04",
        "linux.authlog",
        {"event": "sudo_command", "user": "ada", "command": "id"},
        {"event": "session_opened", "user": "ada"},
    ),
    (
        "L05",
        "linux.wtmp",
        {"event": "booted", "type_name": "BOOT_TIME"},
        {"event": "login", "type_name": "USER_PROCESS", "user": "ada"},
    ),
    (
        "L07",
        "linux.audit",
        {"event": "program_started", "command": "id"},
        {"event": "credentials_acquired", "exe": "/sbin/sshd"},
    ),
    ("L08", "linux.packages", {"action": "install", "package": "nmap"}, {"action": "status", "package": "nmap"}),
    ("L09", "linux.crontab", {"kind": "entry", "command": "/x"}, {"kind": "variable", "command": "PATH"}),
    (
        "L12b",
        "web.access",
        {"method": "GET", "request": "GET /../../etc/passwd", "path": "/x", "status": 404},
        {"method": "GET", "request": "GET /index.html", "path": "/index.html", "status": 200},
    ),
    (
        "L14",
        "linux.devices",
        {"event": "usb_device_found", "vendor_id": "03f0"},
        {"event": "other", "vendor_id": "03f0"},
    ),
    (
        "L16",
        "file_listing",
        {"kind": "file", "deleted": True, "gid": 0, "name": "a"},
        {"kind": "file", "deleted": True, "name": "a"},
    ),
    ("L06", "linux.history", {"command": "ls", "shell": "zsh"}, {"command": "Get-Item x", "shell": "powershell"}),
]


def answered(make: Made, question: StandardQuestion, artifact: str, records: list[Record], path: str = "log") -> bool:
    row = answer(make(records, artifact=artifact, path=path), [], question, catalogue=QUESTIONS.values())
    return row is not None and row["verdict"] == "found"


@pytest.mark.parametrize("case", WINDOWS + BROWSERS + PHONES + LINUX, ids=lambda c: f"{c[0]}-{c[1]}")
def test_a_record_that_answers_is_found_and_a_near_miss_is_not(make: Made, case: Case) -> None:
    name, artifact, yes, miss = case
    assert not answered(make, QUESTIONS[name], artifact, [record(miss)])
    assert answered(make, QUESTIONS[name], artifact, [record(yes, "2026-03-01T10:00:00Z")])


@pytest.mark.parametrize(
    "name, artifact, path, data, other",
    [
        ("L10", "generic.text", "etc/ssh/known_hosts", {"text": "host ssh-ed25519 AAAA"}, "home/notes.txt"),
        (
            "L02",
            "generic.text",
            "root/etc/passwd",
            {"text": "ada:x:1000:1000::/home/ada:/bin/bash"},
            "root/etc/passwd.txt",
        ),
        (
            "I20",
            "file_listing",
            "r/Applications/Cydia.app",
            {"kind": "directory", "name": "Cydia.app"},
            "r/Cydia.app.txt",
        ),
        ("I18", "generic.plist", "r/Lockdown/pair_records/a.plist", {"HostID": "A"}, "r/Library/a.plist"),
        ("M10", "generic.plist", "r/Library/LaunchAgents/a.plist", {"Label": "a"}, "r/Library/Preferences/a.plist"),
        ("I13", "media.exif", "r/DCIM/100APPLE/a.jpg", {"latitude": 1.5, "position": "1.5, 2"}, "r/Downloads/a.jpg"),
        ("W30", "windows.lnk", "u/Recent/a.lnk", {"local_path": "C:\\a.doc"}, "u/Start Menu/a.lnk"),
        ("W41", "file_listing", "u/a.pst", {"kind": "file", "name": "a.pst", "extension": "pst"}, ""),
    ],
)
def test_where_a_file_lies_is_part_of_the_answer(
    make: Made, name: str, artifact: str, path: str, data: dict[str, Any], other: str
) -> None:
    if other:
        assert not answered(make, QUESTIONS[name], artifact, [record(data)], other)
    assert answered(make, QUESTIONS[name], artifact, [record(data)], path)


def test_deleted_rows_are_those_of_free_pages_and_not_live_ones(make: Made) -> None:
    assert not answered(make, QUESTIONS["I19"], "ios.sms", [record({"text": "a"})])
    assert answered(make, QUESTIONS["I19"], "ios.sms", [record({"text": "a"}, state="freelist")])


def test_only_times_that_were_set_back_answer(make: Made) -> None:
    early, late = iso("2020-01-01T00:00:00Z"), iso("2026-01-01T00:00:00Z")
    assert early and late
    data = event(2, SYSMON, Image="C:\\t\\x.exe", TargetFilename="C:\\a.exe")
    forward = Record(data, {"CreationUtcTime": late, "PreviousCreationUtcTime": early})
    assert not answered(make, QUESTIONS["W39"], "windows.eventlog", [forward])
    back = Record(data, {"CreationUtcTime": early, "PreviousCreationUtcTime": late})
    assert answered(make, QUESTIONS["W39"], "windows.eventlog", [back])


def test_pages_of_another_device_are_told_apart(make: Made) -> None:
    page = {"url": "https://a.example/", "visit_source": "synced"}
    assert not answered(make, QUESTIONS["X10"], "browser.chromium.visit", [record(page, origin="local")])
    assert answered(make, QUESTIONS["X10"], "browser.chromium.visit", [record(page, origin="synced")])


def test_a_few_failures_are_no_guessing(make: Made) -> None:
    failure = event(4625, AUDIT, IpAddress="192.0.2.9", TargetUserName="ada")
    assert not answered(make, QUESTIONS["W46"], "windows.eventlog", [record(failure)] * 7)
    row = answer(make([record(failure)], artifact="windows.eventlog"), [], QUESTIONS["W46"])
    assert row is not None and row["answers"][0]["value"].startswith(
        "8 records: event: event 4625; IpAddress: 192.0.2.9"
    )


def test_events_and_lines_are_never_asked_whole() -> None:
    """A place over these reads cheap tests first, and answers narrowly."""
    for question in QUESTIONS.values():
        for place in question.places:
            if not question.subject and any(
                a == "windows.eventlog" or a.startswith("generic.") for a in place.artifacts
            ):
                assert place.where and place.fields, question.id
