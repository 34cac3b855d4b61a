"""Scenes of the rules that generated cases asked for: what an ordinary computer leaves beside what is sought."""

from __future__ import annotations

from typing import Any

from scenes import ACCOUNT, AUDIT, Scene, event, row, scene, started

LOG = "windows.eventlog"
SCM = "Service Control Manager"
AGENT, AGENT_RUN = "C:\\Program Files\\AnyDesk\\AnyDesk.exe", "\\VOLUME{1}\\PROGRAM FILES\\ANYDESK\\ANYDESK.EXE"
AT = "2026-03-02T10:00:00Z"
ORIGIN = {"IpAddress": "192.0.2.9", "LogonType": 3, "TargetUserName": "adm", "TargetUserSid": ACCOUNT}


def ran(path: str) -> Any:
    """A prefetch record."""
    name = path.rpartition("\\")[2]
    return row({"executable": name, "executable_path": path, "run_count": 3, "prefetch_hash": "AB"}, last_run=AT)


def service(image: str, start: str = "auto start", name: str = "Helper") -> Any:
    """An installed service."""
    return event(7045, SCM, ServiceName=name, ImagePath=image, StartType=start, ServiceType="user mode service")


def child(session: str, parent: str = "C:\\Windows\\System32\\wbem\\WmiPrvSE.exe") -> Any:
    """A network logon, and a program that was started seconds after it."""
    later = "2026-03-02T10:00:05Z"
    program = "C:\\Windows\\System32\\cmd.exe"
    return [
        event(4624, TargetLogonId="0x9a31c", **ORIGIN),
        event(
            4688,
            AUDIT,
            later,
            NewProcessName=program,
            CommandLine="cmd /c dir",
            ParentProcessName=parent,
            TargetLogonId=session,
        ),
    ]


SCENES: dict[str, Scene] = {
    "prefetch.remote_access": scene(
        "windows.prefetch", ran("\\VOLUME{1}\\USERS\\A\\DOWNLOADS\\ANYDESK.EXE"), ran(AGENT_RUN)
    ),
    "prefetch.remote_access_program": scene(
        "windows.prefetch", ran(AGENT_RUN), ran("\\VOLUME{1}\\USERS\\A\\DOWNLOADS\\ANYDESK.EXE")
    ),
    "prefetch.wiping_tool": scene(
        "windows.prefetch", ran("\\VOLUME{1}\\TOOLS\\SDELETE64.EXE"), ran("\\VOLUME{1}\\TOOLS\\CCLEANER64.EXE")
    ),
    "prefetch.cleaner": scene(
        "windows.prefetch", ran("\\VOLUME{1}\\TOOLS\\CCLEANER64.EXE"), ran("\\VOLUME{1}\\TOOLS\\SDELETE64.EXE")
    ),
    "reg.bam_remote_access": scene(
        "windows.registry.bam",
        row({"path": AGENT, "sid": ACCOUNT}, last_activity=AT),
        row({"path": AGENT, "sid": "S-1-5-18"}, last_activity=AT),
    ),
    "reg.bam_remote_access_service": scene(
        "windows.registry.bam",
        row({"path": AGENT, "sid": "S-1-5-18"}, last_activity=AT),
        row({"path": AGENT, "sid": ACCOUNT}, last_activity=AT),
    ),
    "reg.account_unused": scene(
        "windows.registry.account",
        row({"user_name": "helper", "rid": 1005, "logon_count": 0}, key_last_written=AT),
        row({"user_name": "ada", "rid": 1001, "logon_count": 9}, last_logon=AT, key_last_written=AT),
    ),
    "task.cleaner": scene(
        "windows.scheduled_task",
        {
            "task_name": "Weekly",
            "task_path": "\\Weekly",
            "command_line": '"C:\\Program Files\\CCleaner\\CCleaner64.exe" /AUTO',
        },
        {"task_name": "Update", "task_path": "\\Update", "command_line": "CCUpdate.exe"},
    ),
    "cmd.copy_to_drive": scene(
        LOG,
        started("robocopy C:\\Work E:\\work /E", ParentImage="C:\\Windows\\System32\\cmd.exe"),
        started("robocopy C:\\Work E:\\work /E", ParentImage="C:\\Windows\\System32\\svchost.exe"),
    ),
    "cmd.copy_scheduled": scene(
        LOG,
        started("robocopy C:\\Work D:\\work /MIR", ParentImage="C:\\Windows\\System32\\svchost.exe"),
        started("robocopy C:\\Work D:\\work /MIR", ParentImage="C:\\Windows\\System32\\cmd.exe"),
    ),
    "recorder.process_starts": scene(LOG, started("notepad.exe"), event(4688, NewProcessName="notepad.exe")),
    "recorder.process_access": scene(
        LOG, event(10, "Microsoft-Windows-Sysmon", TargetImage="a.exe"), event(10, AUDIT, TargetImage="a.exe")
    ),
    "recorder.files_made": scene(
        LOG, event(11, "Microsoft-Windows-Sysmon", TargetFilename="a.txt", Image="b.exe"), started("notepad.exe")
    ),
    "recorder.logons": scene(LOG, event(4624, LogonType=2, TargetUserName="ada"), event(4634, LogonType=2)),
    "recorder.shell_lines": scene("linux.history", {"command": "ls", "user": "ada"}, {"user": "ada"}),
    "cmd.log_tool_other": scene(LOG, started("wevtutil epl Security s.evtx"), started("wevtutil cl Security")),
    "cmd.lsass_dump": scene(LOG, started("procdump64 -ma lsass.exe x.dmp"), started("procdump64 -ma 4312 x.dmp")),
    "cmd.process_dumped": scene(
        LOG, started("rundll32 comsvcs.dll, MiniDump 700 x.dmp full"), started("procdump64 -ma w3wp.exe x.dmp")
    ),
    "cmd.diagnosis_dump": scene(LOG, started("procdump64 -ma 4312 x.dmp"), started("procdump64 -ma w3wp.exe x.dmp")),
    "evtx.service_command_auto": scene(LOG, service("cmd.exe /c a.bat"), service("cmd.exe /c a.bat", "demand start")),
    "evtx.service_user_writable": scene(
        LOG, service("C:\\Users\\Public\\a.exe"), service("C:\\Users\\Public\\a.exe", "demand start")
    ),
    "evtx.distribution_service": scene(
        LOG, service("%SystemRoot%\\AdminArsenal\\PDQDeployRunner-1.exe"), service("%SystemRoot%\\PSEXESVC.exe")
    ),
    "evtx.logon_then_child": scene(LOG, child("0x9a31c"), child("0x3e7")),
}
