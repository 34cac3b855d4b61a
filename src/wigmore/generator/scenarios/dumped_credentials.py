"""Dumped credentials: tools that can read secrets lie on a server; were secrets read with them?"""

from __future__ import annotations

from datetime import datetime, timedelta

from wigmore.generator import shown
from wigmore.generator.case import Case
from wigmore.generator.windows import office, sysmon
from wigmore.generator.windows.computer import Computer

TITLE = "Dumped credentials"
FRAME = "credential_access"
SOURCE, FOLDER = "src-server", "server"
CMD = "C:\\Windows\\System32\\cmd.exe"
PROTECTION = "C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\4.18.2\\MsMpEng.exe"


def build(case: Case) -> str:
    """Write the server with Sysmon's log; returns the case's description.

    Guilty: the logon process was dumped, or the account databases were saved. Innocent: protection reads the logon process as
    every day, and a diagnosis tool dumped the program it was for. Ambiguous: the tool was started, and the logs that would say
    on what begin later or are missing; or its line names a number alone.
    """
    world, dice = case.world, case.world.random("dumped")
    host = f"SRV-{world.laptop[-3:]}"
    computer = Computer(case, SOURCE, FOLDER, host)
    computer.log(*sysmon.week(case, host, computer.account))
    at = world.at(dice.randrange(1, 8), f"{dice.randrange(10, 23)}:{dice.randrange(10, 60)}:31")
    way = dice.choice(("procdump", "comsvcs", "hives", "renamed"))
    gap = dice.choice(("rolled over", "missing", "number"))
    computer.log(*_protection(case, host))
    if case.variant == "guilty":
        _dumped(case, computer, at, way)
    else:
        _diagnosed(case, computer, at, named=case.variant == "innocent")
    if case.variant == "ambiguous" and gap != "number":
        for channel in ("Security", sysmon.CHANNEL):
            events = computer.events[channel]
            computer.events[channel] = (
                [e for e in events if e.at > at + timedelta(hours=30)] if gap == "rolled over" else []
            )
    if case.variant == "ambiguous" and gap == "number":  # accesses are not recorded on this host
        computer.events[sysmon.CHANNEL] = [e for e in computer.events[sysmon.CHANNEL] if e.event_id != 10]
    kept = [channel for channel in ("Security", sysmon.CHANNEL) if computer.events[channel]]
    computer.close("System", "prefetch", *kept)
    case.ask(f"Were passwords or their hashes read on {host}?", FRAME, (host,) if case.variant == "guilty" else ())
    case.ask("What is the name of the server?", None, (host,))
    case.expect(FRAME, {"guilty": "supported", "innocent": "not_supported", "ambiguous": "cannot_say"}[case.variant])
    return f"A tool that can read secrets was started on {host} on {at:%Y-%m-%d}: were secrets read?"


def _protection(case: Case, host: str) -> list:
    """The protection's daily looks into the logon process."""
    return [
        sysmon.opened(case.world.at(day, f"08:{11 + day % 20}:0{day % 7}"), host, PROTECTION, "0x1010")
        for day in range(-14, 10)
    ]


def _line(computer: Computer, at: datetime, program: str, line: str) -> None:
    """A process start as Security and Sysmon record it."""
    computer.log(office.started(at, computer.host, computer.account, computer.sid, program, line, CMD))
    computer.log(sysmon.started(at, computer.host, computer.account, program, line, CMD))


def _dumped(case: Case, computer: Computer, at: datetime, way: str) -> None:
    dice = case.world.random("way")
    host, account = computer.host, computer.account
    folder = dice.choice(("C:\\Windows\\Temp", f"C:\\Users\\{account}\\Downloads", "C:\\PerfLogs"))
    dump = f"{folder}\\{dice.choice(('lsass', 'out', 'debug1'))}.dmp"
    if way == "procdump":
        program, line = f"{folder}\\procdump64.exe", f"procdump64.exe -accepteula -ma lsass.exe {dump}"
    elif way == "comsvcs":
        program = "C:\\Windows\\System32\\rundll32.exe"
        line = f"rundll32.exe C:\\Windows\\System32\\comsvcs.dll, MiniDump {dice.randrange(600, 900)} {dump} full"
    elif way == "hives":
        program, line = "C:\\Windows\\System32\\reg.exe", f"reg save HKLM\\SAM {folder}\\sam.save"
        _line(computer, at + timedelta(seconds=8), program, f"reg save HKLM\\SYSTEM {folder}\\system.save")
    else:
        program, line = f"{folder}\\svcinst.exe", "svcinst.exe privilege::debug sekurlsa::logonpasswords exit"
    _line(computer, at, program, line)
    log, own = computer.log_path("Security"), computer.log_path(sysmon.CHANNEL)
    if way == "procdump":
        path = computer.started(program[3:].upper(), [at], 1)
        case.plant(
            "The tool was started", SOURCE, path, "windows.prefetch", ("PROCDUMP64.EXE", shown.filetime(at)), FRAME
        )
    if way != "hives":
        granted, library = ("0x1010", "KERNELBASE.dll") if way == "renamed" else ("0x1fffff", "dbgcore.DLL")
        computer.log(sysmon.opened(at + timedelta(milliseconds=300), host, program, granted, library=library))
        values = ("10", program, sysmon.LSASS)
        case.plant("It opened the logon process", SOURCE, own, "windows.eventlog", values, FRAME)
    if way in ("procdump", "comsvcs"):
        computer.log(sysmon.file_made(at + timedelta(seconds=1), host, account, program, dump))
        case.plant("A dump was written", SOURCE, own, "windows.eventlog", ("11", dump))
    case.plant("A line read secrets", SOURCE, log, "windows.eventlog", (line, account), FRAME)


def _diagnosed(case: Case, computer: Computer, at: datetime, named: bool) -> None:
    """A diagnosis tool dumps a program that hangs, named or by its number."""
    dice = case.world.random("diagnosed")
    hanging = dice.choice(("w3wp.exe", "BackupAgent.exe", "sqlservr.exe"))
    number = dice.randrange(2_000, 9_000)
    program = "C:\\Tools\\Sysinternals\\procdump64.exe"
    line = f"procdump64.exe -accepteula -ma {hanging if named else number} C:\\Tools\\dumps\\hang_{at:%m%d}.dmp"
    _line(computer, at, program, line)
    path = computer.started(program[3:].upper(), [at], dice.randrange(1, 4))
    case.plant("The tool was started", SOURCE, path, "windows.prefetch", ("PROCDUMP64.EXE", shown.filetime(at)), FRAME)
    if named:
        target = f"C:\\Program Files\\{hanging}"
        user = f"{computer.host}\\{computer.account}"
        computer.log(
            sysmon.opened(
                at + timedelta(milliseconds=300), computer.host, program, "0x1fffff", target, user, "dbgcore.DLL"
            )
        )
        why = "the dumped program is the one that hung"
        case.decoy("The tool dumped the logon process", why, SOURCE, computer.log_path("Security"), (line,), FRAME)
        why = "the protection looks there every day"
        own = computer.log_path(sysmon.CHANNEL)
        case.decoy("A foreign program read the logon process", why, SOURCE, own, ("10", "MsMpEng.exe"), FRAME)
