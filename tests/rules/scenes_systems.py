"""Scenes of rules for Linux login records, web accounts, management agents and the journals of NTFS."""

from __future__ import annotations

from typing import Any

from scenes import Rows, Scene, row, scene, started

AGENT = "C:\\Windows\\CCM\\CcmExec.exe"
LINE = "powershell.exe -File C:\\Windows\\ccmcache\\a\\inventory.ps1"
RENAMED = ["RENAME_NEW_NAME", "CLOSE"]
ASKED = {"client": "192.0.2.9", "path": "/admin/run.php", "status": 200, "user": "ada"}


def at(minute: int) -> str:
    return f"2026-03-02T10:{minute:02d}:00Z"


def records(failures: int, session: str) -> Rows:
    """Failed attempts in btmp, then a record in wtmp."""
    who = {"user": "root", "terminal": "ssh:notty", "address": "192.0.2.9"}
    failed = {**who, "event": "failed login"}
    after = row({**who, "event": session}, artifact="linux.wtmp", written_at=at(50))
    return [*(row(failed, artifact="linux.btmp", written_at=at(n)) for n in range(failures)), after]


def logins(method: str, failed: str) -> Rows:
    """A login by key, and a failed one from the same address."""
    common = {"host": "web1", "address": "192.0.2.9", "user": "ada"}
    return [
        row({**common, "event": "ssh_login_accepted", "method": method}, host="web1", logged_at=at(1)),
        row({**common, "event": "ssh_login_failed", "method": failed}, host="web1", logged_at=at(9)),
    ]


def renamed(*names: str, same: bool = True) -> Rows:
    """Renames of one file, or of one file each."""
    return [
        row(
            {
                "name": name,
                "reasons": RENAMED,
                "file_record": 90 if same else 90 + n,
                "file_sequence": 3,
                "usn": 4096 + n,
            },
            changed_at=at(n),
        )
        for n, name in enumerate(names)
    ]


def gone(name: str) -> dict[str, Any]:
    return {"name": name, "reasons": ["FILE_DELETE", "CLOSE"], "file_record": 90}


SCENES: dict[str, Scene] = {
    "linux.log_rotated": scene(
        "logs.syslog",
        {"program": "systemd", "message": "Finished logrotate.service - Rotate log files."},
        {"program": "systemd", "message": "Finished fstrim.service - Discard unused blocks."},
    ),
    "linux.login_records_after_failures": scene("linux.wtmp", records(10, "login"), records(9, "login")),
    "linux.failures_of_key_holder": scene(
        "linux.authlog", logins("publickey", "password"), logins("password", "password")
    ),
    "web.command_by_account": scene(
        "web.access", {**ASKED, "query": "cmd=whoami"}, {**ASKED, "query": "cmd=save&id=7"}
    ),
    "evtx.managed_script": scene(
        "windows.eventlog", started(LINE, ParentImage=AGENT), started(LINE, ParentImage="C:\\Windows\\explorer.exe")
    ),
    "ntfs.deletions": scene("windows.ntfs.usn", gone("plan.docx"), gone("~$plan.docx")),
    "ntfs.overwriter_renames": scene(
        "windows.ntfs.usn",
        renamed("AAAAAAAA.AAA", "FFFFFFFF.FFF", "ZZZZZZZZ.ZZZ"),
        renamed("AAAAAAAA.AAA", "FFFFFFFF.FFF", "ZZZZZZZZ.ZZZ", same=False),
    ),
    "ntfs.times_set_back": scene(
        "windows.ntfs.log",
        {"attribute": "$STANDARD_INFORMATION", "changed_times": ["created", "modified"], "set_back": ["created"]},
        {"attribute": "$STANDARD_INFORMATION", "changed_times": ["accessed", "modified"], "set_back": ["modified"]},
    ),
}
