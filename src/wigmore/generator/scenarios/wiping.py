"""Wiping: files are gone from a computer; were they overwritten, or was it ordinary tidying?"""

from __future__ import annotations

import struct
from datetime import datetime, timedelta

from wigmore.generator import shown
from wigmore.generator.browser import chrome
from wigmore.generator.case import Case
from wigmore.generator.windows import office, recycle
from wigmore.generator.windows.computer import Computer
from wigmore.generator.windows.hive import REG_DWORD

TITLE = "Wiping"
FRAME = "deletion_wiping"
SOURCE, FOLDER = "src-computer", "computer"
HISTORY = "AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt"
TOOLS = {  # program → (its folder, the line that overwrites a target)
    "SDELETE64.EXE": ("Users\\{account}\\Downloads\\SDelete", "sdelete64.exe -accepteula -p {passes} {target}"),
    "ERASER.EXE": ("Program Files\\Eraser", '"C:\\Program Files\\Eraser\\Eraser.exe" erase /quiet file={target}'),
}


def build(case: Case) -> str:
    """Write the computer; returns the case's description.

    Guilty: a program that overwrites was started on named files, or a line did it in a console. Innocent: a cleaner that a task
    starts every week, or files put into the bin. Ambiguous: terms of the tool were accepted or it was fetched, and what would
    show its use is missing; or it was started and the log that would say on what has rolled over.
    """
    world, dice = case.world, case.world.random("wiping")
    computer = Computer(case, SOURCE, FOLDER, world.laptop)
    at = world.at(dice.randrange(1, 8), f"{dice.randrange(12, 22)}:{dice.randrange(10, 60)}:31")
    target = f"C:\\Users\\{computer.account}\\Documents\\{world.project}_{dice.choice(('offer.docx', 'export.7z', 'mails.pst'))}"
    _bin(case, computer, at, archive=dice.random() < 0.5)
    way = dice.choice(("program", "program", "console"))
    gap = dice.choice(("terms only", "started", "searched"))
    if case.variant == "guilty":
        _overwritten(case, computer, at, target, way)
    elif case.variant == "innocent":
        (_cleaner if dice.random() < 0.6 else _searched_before)(case, computer)
    else:
        _unclear(case, computer, at, gap)
    computer.close("NTUSER", "System", "Security", "prefetch" if computer.prefetched else "System")
    answer = (target,) if case.variant == "guilty" else ()
    case.ask(f"Were files of {world.laptop} overwritten or removed on purpose?", FRAME, answer)
    case.expect(FRAME, {"guilty": "supported", "innocent": "not_supported", "ambiguous": "cannot_say"}[case.variant])
    return f"Files of {world.project} are missing on {world.laptop}: were they wiped, or tidied away?"


def _terms(case: Case, computer: Computer, at: datetime) -> None:
    computer.user.key("Software\\Sysinternals\\SDelete", at).set("EulaAccepted", struct.pack("<I", 1), REG_DWORD)
    hive = f"{computer.home}/NTUSER.DAT"
    case.plant("Terms of SDelete were accepted", SOURCE, hive, "windows.registry.sysinternals", ("SDelete",), FRAME)


def _bin(case: Case, computer: Computer, at: datetime, archive: bool) -> None:
    """Ordinary items in the bin, sometimes an archive among them."""
    names = ["old_rota.xlsx", "parcel_label.pdf", *(["photos_2019.zip"] if archive else [])]
    for name in names:
        index, data = recycle.pair(name, computer.dice)
        put = at - timedelta(hours=computer.dice.randrange(1, 20))
        folder = f"$Recycle.Bin/{computer.sid}"
        original = f"C:\\Users\\{computer.account}\\Documents\\{name}"
        case.write(FOLDER, f"{folder}/{index}", recycle.index_file(original, 40, put), put)
        case.write(FOLDER, f"{folder}/{data}", name.encode().ljust(40, b"."), put - timedelta(days=99))


def _overwritten(case: Case, computer: Computer, at: datetime, target: str, way: str) -> None:
    dice = case.world.random("overwritten")
    name = dice.choice(("SDELETE64.EXE", "ERASER.EXE"))
    folder, line = TOOLS[name]
    folder = folder.format(account=computer.account)
    line = line.format(passes=dice.randrange(1, 8), target=target)
    program = f"C:\\{folder}\\{name.lower()}"
    if way == "console":
        line = f"cipher /w:{target.rpartition(chr(92))[0]}"
        program = "C:\\Windows\\System32\\cipher.exe"
        lines = ["cd Documents", f"del {target}", line, "exit"]
        path = f"{computer.home}/{HISTORY}"
        case.write(FOLDER, path, ("\r\n".join(lines) + "\r\n").encode(), at)
        case.plant("A console was told to overwrite", SOURCE, path, "windows.powershell_history", (line,), FRAME)
    else:
        runs = [at, at - timedelta(minutes=2)][: dice.randrange(1, 3)]
        path = computer.started(f"{folder}\\{name}".upper(), runs, len(runs))
        case.plant(f"{name} was started", SOURCE, path, "windows.prefetch", (name, shown.filetime(at)), FRAME)
        if name.startswith("SDELETE"):
            _terms(case, computer, at)
    computer.log(office.started(at, computer.host, computer.account, computer.sid, program, line))
    log = computer.log_path("Security")
    case.plant("A line overwrote the file", SOURCE, log, "windows.eventlog", (line, computer.account), FRAME)


def _cleaner(case: Case, computer: Computer) -> None:
    """A cleaner that was installed long ago and that a task starts every Friday."""
    program = "C:\\Program Files\\CCleaner\\CCleaner64.exe"
    runs = [case.world.at(day, "12:30:01") for day in (4, -3, -10, -17, -24, -31, -38, -45)]
    computer.installed("CCleaner", case.world.at(-200, "10:00:00"), "6.08", "C:\\Program Files\\CCleaner")
    path = computer.started("PROGRAM FILES\\CCLEANER\\CCLEANER64.EXE", runs, 31)
    task = computer.task("CCleaner weekly", case.world.at(-200, "10:05:00"), program, "/AUTO", logon=False)
    case.needs(SOURCE, task)
    case.plant("A cleaner ran", SOURCE, path, "windows.prefetch", ("CCLEANER64.EXE", "31"), FRAME)


def _searched_before(case: Case, computer: Computer) -> None:
    """A wiping program was read about and not used: an old computer was to be given away."""
    at = case.world.at(-1, "20:11:00")
    path = _history(case, computer, [chrome.search(at, "how to securely delete files before selling a laptop")])
    why = "a search on the Sunday; nothing was fetched or started after it"
    case.decoy("A wiping program was used", why, SOURCE, path, ("sdelete64.exe",), FRAME)


def _history(case: Case, computer: Computer, visits: list[chrome.Visit]) -> str:
    path = f"{computer.home}/AppData/Local/Google/Chrome/User Data/Default/History"
    chrome.history(case.place(FOLDER, path), visits)
    case.date(FOLDER, path, visits[-1].at)
    return path


def _unclear(case: Case, computer: Computer, at: datetime, gap: str) -> None:
    """Parts of the guilty case; the Security log begins a day after the act."""
    later = [e for e in computer.events["Security"] if e.at > at + timedelta(days=1, hours=4)]
    computer.events["Security"] = later
    if gap == "started":
        path = computer.started(f"USERS\\{computer.account}\\DOWNLOADS\\SDELETE64.EXE".upper(), [at], 1)
        case.plant("SDelete was started", SOURCE, path, "windows.prefetch", ("SDELETE64.EXE",), FRAME)
        return
    for path in computer.prefetched:
        (case.target / "evidence" / FOLDER / path).unlink()
    computer.prefetched.clear()
    if gap == "terms only":
        _terms(case, computer, at)
    else:
        term = "sdelete download secure delete"
        path = _history(case, computer, [chrome.search(at - timedelta(hours=2), term)])
        case.plant("A wiping program was searched for", SOURCE, path, "browser.chromium.search", (term,), FRAME)
