"""Remote support: a program for remote control lies on a computer; was it used in the period?"""

from __future__ import annotations

from datetime import datetime, timedelta

from wigmore.generator import shown
from wigmore.generator.browser import chrome
from wigmore.generator.case import Case
from wigmore.generator.windows import teamviewer, userassist
from wigmore.generator.windows.computer import Computer

TITLE = "Remote support"
FRAME = "remote_access_tool"
CHOOSING = True
SOURCE, FOLDER = "src-computer", "computer"
PROGRAMS = ("AnyDesk", "RustDesk", "UltraViewer")
INCOMING = "Program Files/TeamViewer/Connections_incoming.txt"


def build(case: Case) -> str:
    """Write the computer; returns the case's description.

    Guilty: an installed or a portable program was used in an account's session, or its own log holds a session. Innocent: it
    is a leftover, waits as a service, or its log's sessions lie long before. Ambiguous: installed and started by whatever, and
    the account's hive, prefetch or the program's log is not there.
    """
    world, dice = case.world, case.world.random("remote support")
    computer = Computer(case, SOURCE, FOLDER, world.laptop)
    way = dice.choice(("installed", "portable", "session log"))
    innocent = dice.choice(("leftover", "service", "old sessions"))
    gap = dice.choice(("no profile", "no prefetch", "service or person"))
    used = world.at(dice.randrange(0, 8), f"{dice.randrange(10, 22)}:{dice.randrange(10, 60)}:05")
    program = dice.choice(PROGRAMS)
    answer = {"guilty": _used, "innocent": _waiting, "ambiguous": _unclear}[case.variant]
    name = answer(case, computer, program, used, {"guilty": way, "innocent": innocent, "ambiguous": gap}[case.variant])
    if case.variant == "innocent":
        computer.close("SYSTEM", "NTUSER", "SOFTWARE", "prefetch", "Security", "System")
    else:
        computer.close("SYSTEM", "NTUSER", "SOFTWARE")
    if case.variant == "ambiguous" and gap == "no profile":
        (case.target / "evidence" / FOLDER / computer.home / "NTUSER.DAT").unlink()
    mstsc = f"{userassist.SYSTEM32}\\mstsc.exe"
    if case.variant != "ambiguous":
        why = "a factory entry: every new profile holds it"
        case.decoy(
            "Remote Desktop was used", why, SOURCE, f"{computer.home}/NTUSER.DAT", (mstsc.rpartition("\\")[2],), FRAME
        )
    case.ask(
        f"Was {world.laptop} controlled from elsewhere by a program?",
        FRAME,
        (name,) if case.variant == "guilty" else (),
    )
    case.ask("Which programs for remote control are installed?", None, (name,))
    case.expect(FRAME, {"guilty": "supported", "innocent": "not_supported", "ambiguous": "cannot_say"}[case.variant])
    return f"A program for remote control was found on {world.laptop}: was it used in these two weeks?"


def _download(case: Case, computer: Computer, name: str, at: datetime) -> str:
    """The browser's record of fetching the program; returns the database's path."""
    path = f"{computer.home}/AppData/Local/Google/Chrome/User Data/Default/History"
    page = f"https://{name.lower()}.example.com/download"
    target = f"C:\\Users\\{computer.account}\\Downloads\\{name}.exe"
    item = chrome.Download(
        at, at + timedelta(seconds=9), f"{page}/{name}.exe", target, 5_312_000, "application/octet-stream", page
    )
    visits = [
        chrome.search(at - timedelta(minutes=1), f"{name} download"),
        chrome.Visit(at, page, f"{name} - Download"),
    ]
    chrome.history(case.place(FOLDER, path), visits, [item])
    case.date(FOLDER, path, at)
    return path


def _install(case: Case, computer: Computer, name: str, at: datetime, start: int = 2) -> None:
    place = f"C:\\Program Files\\{name}"
    computer.installed(name, at, f"7.{case.world.seed % 9}.4", place)
    computer.service(name, f'"{place}\\{name}.exe" --service', at, start)
    software = "Windows/System32/config/SOFTWARE"
    bears = FRAME if at > case.world.at(-2, "00:00:00") else None  # before the period it is context
    case.plant(f"{name} is installed", SOURCE, software, "windows.registry.installed_software", (name, place), bears)


def _account(case: Case, computer: Computer, path: str, at: datetime, count: int) -> None:
    """The account's own traces of a start: activity in its session and the shell's counter."""
    computer.active(path, at)
    userassist.run(computer.user, f"C:\\{path}", count, count + 2, 900_000, at)
    hive, program = f"{computer.home}/NTUSER.DAT", path.rpartition("\\")[2]
    values = (program, shown.filetime(at))
    case.plant(f"The shell counted a start of {program}", SOURCE, hive, "windows.registry.userassist", values, FRAME)
    system = "Windows/System32/config/SYSTEM"
    case.plant(f"{program} was active in the account's session", SOURCE, system, "windows.registry.bam", values, FRAME)


def _used(case: Case, computer: Computer, name: str, used: datetime, way: str) -> str:
    world = case.world
    count = 1 + world.seed % 5
    if way == "session log":
        name = "TeamViewer"
        _install(case, computer, name, world.at(-30, "10:00:05"))
        length = timedelta(minutes=5 + world.seed % 50)
        older = (world.at(-25, "14:02:00"), timedelta(minutes=31), "884012345", "IT-SUPPORT", computer.account)
        session = (used, length, world.remote_id, "DESKTOP-" + world.udid[:6].upper(), computer.account)
        case.write(FOLDER, INCOMING, teamviewer.teamviewer_incoming([older, session]), used + length)
        values = (world.remote_id, f"{used:%d-%m-%Y %H:%M:%S}")
        case.plant(
            "The program's log holds a session", SOURCE, INCOMING, "remote.teamviewer_sessions", values[:1], FRAME
        )
        path = "PROGRAM FILES\\TEAMVIEWER\\TEAMVIEWER_DESKTOP.EXE"
        computer.started(path, [used], count)
        return name
    folder = f"Program Files\\{name}" if way == "installed" else f"Users\\{computer.account}\\Downloads"
    started = computer.started(f"{folder}\\{name}.exe".upper(), [used, used - timedelta(minutes=50)], count)
    values = (f"{name}.exe".upper(), shown.filetime(used))
    case.plant(f"{name} was started", SOURCE, started, "windows.prefetch", values, FRAME)
    _account(case, computer, f"{folder}\\{name}.exe", used, count)
    fetched = used - timedelta(hours=1)
    history = _download(case, computer, name, fetched)
    case.plant(f"{name} was fetched", SOURCE, history, "browser.chromium.download", (f"{name}.exe",))
    if way == "installed":
        _install(case, computer, name, used - timedelta(minutes=52))
    return name


def _waiting(case: Case, computer: Computer, name: str, used: datetime, way: str) -> str:
    world = case.world
    installed = world.at(-60 - world.seed % 90, "10:00:05")
    if way == "old sessions":
        name = "TeamViewer"
        days = (-55, -41, -40, -23)
        sessions = [
            (world.at(day, "14:02:00"), timedelta(minutes=20), "884012345", "IT-SUPPORT", computer.account)
            for day in days
        ]
        case.write(FOLDER, INCOMING, teamviewer.teamviewer_incoming(sessions), world.at(-23, "14:22:00"))
        case.needs(SOURCE, INCOMING)
        why = "the help desk's sessions lie weeks before the period"
        case.decoy("The program was used in the period", why, SOURCE, INCOMING, ("884012345",), FRAME)
    _install(case, computer, name, installed, 2 if way == "service" else 3)
    if way == "service":
        boots = [world.at(day, f"08:0{2 + day % 5}:40") for day in range(9, 1, -1)]
        started = computer.started(f"PROGRAM FILES\\{name}\\{name}.EXE".upper(), boots, 130)
        computer.active(f"Program Files\\{name}\\{name}.exe", boots[0], "S-1-5-18")
        case.plant(f"{name}'s service was started", SOURCE, started, "windows.prefetch", (f"{name}.exe", "130"), FRAME)
    return name


def _unclear(case: Case, computer: Computer, name: str, used: datetime, gap: str) -> str:
    _install(case, computer, name, used - timedelta(minutes=52))
    history = _download(case, computer, name, used - timedelta(hours=1))
    case.plant(f"{name} was fetched", SOURCE, history, "browser.chromium.download", (f"{name}.exe",), FRAME)
    if gap == "no prefetch":
        for path in computer.prefetched:
            (case.target / "evidence" / FOLDER / path).unlink()
        computer.prefetched.clear()
    else:
        computer.started(f"PROGRAM FILES\\{name}\\{name}.EXE".upper(), [used], 1)
    return name
