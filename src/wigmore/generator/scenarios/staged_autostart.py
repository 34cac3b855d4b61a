"""Staged autostart: something starts by itself on a computer; is it what installed software sets, or was it put there?"""

from __future__ import annotations

from datetime import datetime, timedelta

from wigmore.generator.case import Case
from wigmore.generator.windows import changes, office, sysmon
from wigmore.generator.windows.computer import RUN, Computer

TITLE = "Staged autostart"
FRAME = "persistence"
SOURCE, FOLDER = "src-computer", "computer"
SYSTEM32 = "C:\\Windows\\System32"
PRODUCTS = (
    ("Discord", "AppData\\Local\\Discord\\Update.exe --processStart Discord.exe"),
    ("Teams", "AppData\\Local\\Microsoft\\Teams\\Update.exe --processStart Teams.exe"),
    ("Spotify", "AppData\\Roaming\\Spotify\\Spotify.exe --autostart"),
    ("Zoom", "AppData\\Roaming\\Zoom\\bin\\Zoom.exe"),
)


def build(case: Case) -> str:
    """Write the computer; returns the case's description.

    Guilty: a task, a Run value or a service that starts a program lying where installed software does not put any. Innocent:
    products that start from a profile by design, an updater, and a task of the account's own script. Ambiguous: a task whose
    target lies on a share or a volume that is not there, or whose definition is damaged; the log begins later.
    """
    world, dice = case.world, case.world.random("autostart")
    computer = Computer(case, SOURCE, FOLDER, world.laptop)
    computer.log(*sysmon.week(case, computer.host, computer.account))
    at = world.at(dice.randrange(0, 8), f"{dice.randrange(10, 22)}:{dice.randrange(10, 60)}:31")
    for name, tail in dice.sample(PRODUCTS, dice.randrange(1, 4)):
        product = f"C:\\Users\\{computer.account}\\{tail}"
        computer.user.key(f"Software\\{RUN}").set(name, product)
        computer.installed(name, world.at(-100, "12:00:00"))
    way = dice.choice(("task", "run", "service"))
    gap = dice.choice(("share", "volume", "damaged"))
    own = computer.task(
        "Nightly copy", at, f"{SYSTEM32}\\WindowsPowerShell\\v1.0\\powershell.exe", "-File C:\\Tools\\copy.ps1"
    )
    if case.variant == "guilty":
        _staged(case, computer, at + timedelta(minutes=dice.randrange(5, 90)), way)
    elif case.variant == "innocent":
        why = "the account's own script, in the open"
        case.decoy("A task was staged", why, SOURCE, own, ("copy.ps1", "https://"), FRAME)
        case.plant("A task starts a script", SOURCE, own, "windows.scheduled_task", ("copy.ps1",), FRAME)
        tasks = ("GoogleUpdateTaskMachineUA", "Nightly copy")
        case.needs(SOURCE, *(f"Windows/System32/Tasks/{name}" for name in tasks))
    else:
        _unclear(case, computer, at, gap)
    computer.close("NTUSER", "SYSTEM", "SOFTWARE", "Security", "System", sysmon.CHANNEL)
    case.ask(f"What was set to start by itself on {world.laptop}?", FRAME, (way,) if case.variant == "guilty" else ())
    case.ask("Which tasks are there?", None, ("GoogleUpdateTaskMachineUA",))
    case.expect(FRAME, {"guilty": "supported", "innocent": "not_supported", "ambiguous": "cannot_say"}[case.variant])
    return f"Something starts by itself on {world.laptop}: was it put there?"


def _staged(case: Case, computer: Computer, at: datetime, way: str) -> None:
    dice = case.world.random("staged")
    host, account, sid = computer.host, computer.account, computer.sid
    places = (f"C:\\Users\\{account}\\AppData\\Roaming", "C:\\ProgramData", "C:\\Users\\Public", "C:\\Windows\\Temp")
    target = f"{dice.choice(places)}\\{dice.choice(('svhelper', 'wupd', 'msdrv', 'hostcfg'))}.exe"
    name = dice.choice(("Cache Sync", "Adobe Flash Helper", "Audio Service Host", "Update Check"))
    log, own = computer.log_path("Security"), computer.log_path(sysmon.CHANNEL)
    if way == "task":
        line = f'schtasks /create /tn "{name}" /tr {target} /sc onlogon /f'
        program = f"{SYSTEM32}\\schtasks.exe"
        computer.log(office.started(at, host, account, sid, program, line, f"{SYSTEM32}\\cmd.exe"))
        path = computer.task(name, at, target)
        text = f"<Task><Actions><Exec><Command>{target}</Command></Exec></Actions></Task>"
        computer.log(changes.task_registered(at, host, name, text, account, sid))
        case.plant("A task starts the program", SOURCE, path, "windows.scheduled_task", (name, target), FRAME)
        case.plant("A line made the task", SOURCE, log, "windows.eventlog", (line,), FRAME)
    elif way == "run":
        computer.user.key(f"Software\\{RUN}", at).set(name, f'"{target}" /q')
        value = f"HKU\\{sid}\\Software\\{RUN}\\{name}"
        computer.log(sysmon.value_set(at, host, account, f"{SYSTEM32}\\reg.exe", value, f'"{target}" /q'))
        hive = f"{computer.home}/NTUSER.DAT"
        case.plant("A Run value starts the program", SOURCE, hive, "windows.registry.autostart", (name, target), FRAME)
        case.plant("The value was set", SOURCE, own, "windows.eventlog", ("13", value))
    else:
        computer.service(name.replace(" ", ""), target, at)
        event = changes.service_installed(at, host, name.replace(" ", ""), target, "auto start", sid)
        computer.log(event)
        system, hive = computer.log_path("System"), "Windows/System32/config/SYSTEM"
        case.plant("A service was installed", SOURCE, system, "windows.eventlog", ("7045", target), None)
        case.plant("A service starts the program", SOURCE, hive, "windows.registry.service", (target,), None)


def _unclear(case: Case, computer: Computer, at: datetime, gap: str) -> None:
    script = f"{SYSTEM32}\\wscript.exe"
    place = "\\\\files\\deploy$" if gap == "share" else "F:\\jobs"
    path = computer.task("Daily job", at, script, f"{place}\\daily.vbs")
    if gap == "damaged":
        file = case.target / "evidence" / FOLDER / path
        file.write_bytes(file.read_bytes()[:600])
        case.date(FOLDER, path, at)
    else:
        case.plant("A task starts a script elsewhere", SOURCE, path, "windows.scheduled_task", ("daily.vbs",), FRAME)
    for channel in ("Security", "System", sysmon.CHANNEL):
        computer.events[channel] = [e for e in computer.events[channel] if e.at > at + timedelta(hours=30)]
    own = "Windows/System32/Tasks/Nightly copy"
    case.plant("A task starts a script", SOURCE, own, "windows.scheduled_task", ("copy.ps1",), FRAME)
