"""A host's ordinary event log records of an office week: starts, logons, services, tasks; nothing that any case turns on.

Field names and their order follow the events' own templates (Microsoft, Windows security auditing events 4624, 4625,
4634, 4648, 4672, 4688; Service Control Manager 7036, 7045; EventLog 6005, 6006).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from wigmore.generator.case import Case
from wigmore.generator.windows.evtx import Logged, written

AUDIT, SYSTEM = "Microsoft-Windows-Security-Auditing", "Service Control Manager"
LOGS = "Windows/System32/winevt/Logs"
PROGRAMS = (
    ("C:\\Windows\\explorer.exe", "C:\\Windows\\explorer.exe", "C:\\Windows\\System32\\userinit.exe"),
    (
        "C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE",
        '"C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE"',
        "C:\\Windows\\explorer.exe",
    ),
    (
        "C:\\Windows\\System32\\svchost.exe",
        "C:\\Windows\\System32\\svchost.exe -k netsvcs -p",
        "C:\\Windows\\System32\\services.exe",
    ),
    ("C:\\Windows\\System32\\notepad.exe", "notepad.exe", "C:\\Windows\\explorer.exe"),
    (
        "C:\\Windows\\System32\\taskhostw.exe",
        "taskhostw.exe",
        "C:\\Windows\\System32\\svchost.exe",
    ),
)


def logon(
    at: datetime,
    host: str,
    account: str,
    sid: str,
    kind: int = 2,
    address: str = "127.0.0.1",
    workstation: str = "",
    session: int = 0x51A3F,
) -> Logged:
    """4624: a session was opened; `kind` is the logon type (2 console, 3 network, 10 remote desktop)."""
    data = {
        "SubjectUserSid": "S-1-5-18" if kind != 3 else "S-1-0-0",
        "SubjectUserName": f"{host}$" if kind != 3 else "-",
        "SubjectDomainName": "WORKGROUP" if kind != 3 else "-",
        "SubjectLogonId": "0x3e7" if kind != 3 else "0x0",
        "TargetUserSid": sid,
        "TargetUserName": account,
        "TargetDomainName": host,
        "TargetLogonId": f"0x{session:x}",
        "LogonType": str(kind),
        "LogonProcessName": "User32 " if kind != 3 else "NtLmSsp ",
        "AuthenticationPackageName": "Negotiate" if kind != 3 else "NTLM",
        "WorkstationName": workstation or host,
        "LogonGuid": "{00000000-0000-0000-0000-000000000000}",
        "TransmittedServices": "-",
        "LmPackageName": "-" if kind != 3 else "NTLM V2",
        "KeyLength": "0" if kind != 3 else "128",
        "ProcessId": "0x2c4" if kind != 3 else "0x0",
        "ProcessName": "C:\\Windows\\System32\\svchost.exe" if kind != 3 else "-",
        "IpAddress": address,
        "IpPort": "0",
    }
    return Logged(at, 4624, data, AUDIT, "Security", host, version=2)


def failed(
    at: datetime,
    host: str,
    account: str,
    address: str,
    workstation: str,
    status: str = "0xc000006d",
    sub_status: str = "0xc000006a",
    kind: int = 3,
) -> Logged:
    """4625: a logon failed; sub-status 0xc000006a is a wrong password, 0xc0000071 an expired one."""
    data = {
        "SubjectUserSid": "S-1-0-0",
        "SubjectUserName": "-",
        "SubjectDomainName": "-",
        "SubjectLogonId": "0x0",
        "TargetUserSid": "S-1-0-0",
        "TargetUserName": account,
        "TargetDomainName": host,
        "Status": status,
        "FailureReason": "%%2313",
        "SubStatus": sub_status,
        "LogonType": str(kind),
        "LogonProcessName": "NtLmSsp ",
        "AuthenticationPackageName": "NTLM",
        "WorkstationName": workstation,
        "TransmittedServices": "-",
        "LmPackageName": "-",
        "KeyLength": "0",
        "ProcessId": "0x0",
        "ProcessName": "-",
        "IpAddress": address,
        "IpPort": "0",
    }
    return Logged(at, 4625, data, AUDIT, "Security", host)


def started(
    at: datetime,
    host: str,
    account: str,
    sid: str,
    program: str,
    line: str,
    parent: str = "C:\\Windows\\explorer.exe",
    session: int = 0x51A3F,
) -> Logged:
    """4688 with its command line: a process was started in a session."""
    data = {
        "SubjectUserSid": sid,
        "SubjectUserName": account,
        "SubjectDomainName": host,
        "SubjectLogonId": f"0x{session:x}",
        "NewProcessId": f"0x{(at.microsecond % 9000 + 600) * 4:x}",
        "NewProcessName": program,
        "TokenElevationType": "%%1938",
        "ProcessId": "0xa1c",
        "CommandLine": line,
        "TargetUserSid": "S-1-0-0",
        "TargetUserName": "-",
        "TargetDomainName": "-",
        "TargetLogonId": "0x0",
        "ParentProcessName": parent,
        "MandatoryLabel": "S-1-16-8192",
    }
    return Logged(at, 4688, data, AUDIT, "Security", host, version=2)


def week(case: Case, host: str, account: str, sid: str, purpose: str = "office") -> Iterator[Logged]:
    """Security events of ordinary work from two weeks before the case to its tenth day, `noise` decides how many a day."""
    dice = case.world.random(f"{purpose} {host}")
    for day in range(-15, 10):
        morning = case.world.at(day, f"08:{dice.randrange(10, 50)}:{dice.randrange(10, 59)}")
        session = dice.randrange(0x20000, 0xFFFFF)
        yield logon(morning, host, account, sid, 2, session=session)
        for number in range(2 + case.noise // 25):
            program, line, parent = dice.choice(PROGRAMS)
            at = morning + timedelta(minutes=7 * number + dice.randrange(7), seconds=dice.randrange(60))
            yield started(at, host, account, sid, program, line, parent, session)
        end = {"TargetUserSid": sid, "TargetUserName": account, "TargetDomainName": host}
        end |= {"TargetLogonId": f"0x{session:x}", "LogonType": "2"}
        evening = morning + timedelta(hours=8, minutes=dice.randrange(50))
        yield Logged(evening, 4634, end, AUDIT, "Security", host)


def system_week(case: Case, host: str) -> Iterator[Logged]:
    """System events of the same days: the log service's start and stop, services that change state."""
    dice = case.world.random(f"system {host}")
    for day in range(-15, 10):
        boot = case.world.at(day, f"08:0{dice.randrange(1, 9)}:11")
        yield Logged(boot, 6005, {}, "EventLog", "System", host, level=4)
        for number, name in enumerate(("Windows Update", "Print Spooler", "Windows Time")):
            state = {"param1": name, "param2": "running"}
            yield Logged(boot + timedelta(seconds=20 + number), 7036, state, SYSTEM, "System", host, level=4)
        yield Logged(case.world.at(day, "17:40:09"), 6006, {}, "EventLog", "System", host, level=4)


def write_log(case: Case, folder: str, name: str, events: list[Logged]) -> str:
    """Write events, put in order of time, as a log of the host; returns its path inside the source."""
    ordered = sorted(events, key=lambda e: e.at)
    path = f"{LOGS}/{name}.evtx"
    case.write(folder, path, written(ordered, first=1 + ordered[0].at.microsecond % 5000), ordered[-1].at)
    return path
