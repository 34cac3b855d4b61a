"""Cleared logs: an event log of a server holds little; was it emptied, and by which account?"""

from __future__ import annotations

from datetime import datetime, timedelta

from wigmore.generator import shown
from wigmore.generator.case import Case
from wigmore.generator.windows import changes, office
from wigmore.generator.windows.computer import Computer

TITLE = "Cleared logs"
FRAME = "log_clearing"
CHOOSING = True
SOURCE, FOLDER = "src-server", "server"
HISTORY = "AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt"
TOOL = "WINDOWS\\SYSTEM32\\WEVTUTIL.EXE"


def build(case: Case) -> str:
    """Write the server; returns the case's description.

    Guilty: an account cleared the Security log (and others), by a tool, by PowerShell or in the event viewer; what is left
    begins with the record of it. Innocent: logs are whole, and the tool exported or registered logs; or deployment cleared
    them as the system. Ambiguous: the log begins within the period without any such record, is missing or cut off.
    """
    world, dice = case.world, case.world.random("cleared logs")
    host = f"SRV-{world.laptop[-3:]}"
    computer = Computer(case, SOURCE, FOLDER, host)
    at = world.at(dice.randrange(1, 8), f"{dice.randrange(18, 23)}:{dice.randrange(10, 60)}:31")
    way = dice.choice(("tool", "powershell", "viewer"))
    innocent = dice.choice(("exported", "registered", "deployed"))
    gap = dice.choice(("rolled over", "missing", "cut off"))
    if case.variant == "guilty":
        _cleared(case, computer, at, way)
    elif case.variant == "innocent":
        _kept(case, computer, at, innocent)
    else:
        _tool(case, computer, at)
        if gap == "rolled over":
            computer.events["Security"] = [e for e in computer.events["Security"] if e.at > at]
        if gap == "missing":
            computer.events["Security"] = []
    computer.close("System", *(["Security", "prefetch"] if computer.events["Security"] else []))
    if case.variant == "ambiguous" and gap == "cut off":
        path = computer.log_path("Security")
        file = case.target / "evidence" / FOLDER / path
        file.write_bytes(file.read_bytes()[: 4096 + 65536 + dice.randrange(9_000, 30_000)])
        case.date(FOLDER, path, at)
    answer = (computer.account,) if case.variant == "guilty" else ()
    case.ask(f"Were logs of {host} cleared, by which account?", FRAME, answer)
    case.ask("What is the name of the server?", None, (host,))
    case.expect(FRAME, {"guilty": "supported", "innocent": "not_supported", "ambiguous": "cannot_say"}[case.variant])
    return f"The logs of {host} seem thin for the evening of {at:%Y-%m-%d}: were they cleared?"


def _tool(case: Case, computer: Computer, at: datetime) -> None:
    path = computer.started(TOOL, [at], 1 + case.world.seed % 3)
    case.plant(
        "The log tool was started", SOURCE, path, "windows.prefetch", ("WEVTUTIL.EXE", shown.filetime(at)), FRAME
    )


def _cleared(case: Case, computer: Computer, at: datetime, way: str) -> None:
    dice = case.world.random("cleared")
    events, host, account, sid = computer.events, computer.host, computer.account, computer.sid
    both = dice.random() < 0.5
    for channel in ("Security", "System") if both else ("Security",):
        events[channel] = [e for e in events[channel] if e.at > at]
    computer.log(changes.cleared(at, host, account, sid))
    if both:
        computer.log(changes.other_cleared(at + timedelta(seconds=2), host, account))
    log = computer.log_path("Security")
    values = ("1102", account, shown.filetime(at))
    case.plant(f"{account} cleared the Security log", SOURCE, log, "windows.eventlog", values, FRAME)
    if way == "tool":
        _tool(case, computer, at)
    if way == "viewer":
        computer.started("WINDOWS\\SYSTEM32\\MMC.EXE", [at - timedelta(minutes=1)], dice.randrange(3, 30))
        return
    line = dice.choice(("wevtutil cl Security", "wevtutil.exe clear-log Security"))
    line = (
        line if way == "tool" else dice.choice(("Clear-EventLog -LogName Security", "Clear-EventLog Security,System"))
    )
    path = f"{computer.home}/{HISTORY}"
    lines = ["Get-Service", "whoami", line, "exit"]
    case.write(FOLDER, path, ("\r\n".join(lines) + "\r\n").encode(), at)
    case.plant("A console was told to clear the log", SOURCE, path, "windows.powershell_history", (line,), FRAME)


def _kept(case: Case, computer: Computer, at: datetime, how: str) -> None:
    host, account, sid = computer.host, computer.account, computer.sid
    log = computer.log_path("Security")
    if how == "exported":
        line = f"wevtutil epl Security C:\\Users\\{account}\\Documents\\security_{at:%m%d}.evtx"
        program = "C:\\Windows\\System32\\wevtutil.exe"
        computer.log(office.started(at, host, account, sid, program, line))
        _tool(case, computer, at)
        case.decoy("The log tool cleared the log", "it exported the log", SOURCE, log, (line,), FRAME)
    if how == "registered":
        line = '"C:\\Windows\\System32\\wevtutil.exe" im "C:\\Program Files\\Backup Agent\\events.man"'
        program, parent = "C:\\Windows\\System32\\wevtutil.exe", "C:\\Windows\\System32\\msiexec.exe"
        computer.log(office.started(at, host, f"{host}$", changes.LOCAL_SYSTEM, program, line, parent, 0x3E7))
        _tool(case, computer, at)
        case.decoy("The log tool cleared the log", "an installer registered its source", SOURCE, log, (line,), FRAME)
    if how == "deployed":  # the server was set up anew at the period's begin
        made = case.world.at(-3, "07:10:05")
        for channel in ("Security", "System"):
            computer.events[channel] = [e for e in computer.events[channel] if e.at > made]
        computer.log(changes.cleared(made, host, f"{host}$", changes.LOCAL_SYSTEM, 0x3E7))
        computer.log(changes.other_cleared(made + timedelta(seconds=1), host, "SYSTEM"))
        why = "deployment cleared the logs as the system, before the period"
        case.decoy("An account cleared the log", why, SOURCE, log, ("1102", f"{host}$"), FRAME)
