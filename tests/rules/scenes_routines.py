"""Scenes of rules/indicators/routines.yaml and of what shows a recorder at work: what recurs, against what happened once."""

from __future__ import annotations

from typing import Any

from scenes import AUDIT, SYSMON, Rows, Scene, event, listed, row, scene

LOG = "windows.eventlog"
EDITOR, OTHER = "192.0.2.150", "192.0.2.151"
HOST = "C:\\Windows\\System32\\mshta.exe"


def visits(days: int, query: str = "id=7") -> Rows:
    """On several days a file is sent in, and a page of the site is given to the same address."""
    sent = {"client": EDITOR, "method": "POST", "path": "/wp-admin/async-upload.php", "status": 200}
    shown = {"client": EDITOR, "method": "GET", "path": "/files/view.php", "query": query, "status": 200}
    return [
        row(one, requested_at=f"2026-03-{day:02d}T10:00:{second}Z")
        for day in range(2, 2 + days)
        for one, second in ((sent, "01"), (shown, "26"))
    ]


def asked(days: int, **more: Any) -> Rows:
    """The service control is reached over the network on several days."""
    data = {"ShareName": "\\\\*\\IPC$", "RelativeTargetName": "svcctl", "SubjectUserName": "svc-monitor", **more}
    return [event(5145, AUDIT, f"2026-03-{day:02d}T09:30:00Z", IpAddress=OTHER, **data) for day in range(2, 2 + days)]


def failures(status: str) -> Rows:
    return [event(4625, AUDIT, f"2026-03-02T10:00:{n:02d}Z", TargetUserName="a", SubStatus=status) for n in range(5)]


def cleaner(count: int) -> tuple[str, Any]:
    data = {"executable": "CCLEANER64.EXE", "executable_path": "\\VOLUME{1}\\CCLEANER64.EXE", "run_count": count}
    return row(data, last_run="2026-03-02T10:00:00Z")


SCENES: dict[str, Scene] = {
    # two days are no routine
    "web.uploads_routine": scene("web.access", visits(3), visits(2)),
    "evtx.service_pipe_routine": scene(LOG, asked(5), asked(4)),
    "prefetch.cleaner_habit": scene("windows.prefetch", cleaner(31), cleaner(2)),
    "browser.disposal_search": scene(
        "browser.chromium.search",
        {"term": "how to securely delete files before selling a laptop"},
        {"term": "how to securely delete files before an audit"},
    ),
    # a wrong password is a guess, or a slip
    "evtx.failures_right_password": scene(LOG, failures("0xc0000071"), failures("0xc000006a")),
    "evtx.script_host_connected": scene(
        LOG,
        event(3, SYSMON, Image=HOST, DestinationIp="203.0.113.9"),
        event(3, SYSMON, Image=HOST, DestinationIp="10.0.0.9"),
    ),
    "recorder.connections": scene(LOG, event(3, SYSMON, Image=HOST), event(1, SYSMON, Image=HOST)),
    "recorder.web_root": scene("file_listing", listed("var/www/html/index.php"), listed("var/log/apache2/access.log")),
}
LOOKALIKES: dict[str, Scene] = {
    # an intruder who comes back sends commands
    "web.uploads_routine": scene("web.access", visits(3), visits(3, "cmd=id")),
    "evtx.service_pipe_routine": scene(LOG, asked(5), asked(5, SubjectUserName="HOST2$")),
    # words that name their purpose speak for another explanation
    "browser.wiping_search": scene(
        "browser.chromium.search",
        {"term": "how to wipe a usb stick"},
        {"term": "how to wipe a usb stick before selling it"},
    ),
}
