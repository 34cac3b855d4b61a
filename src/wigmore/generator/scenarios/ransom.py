"""Ransom: documents of a computer have a further ending; were they encrypted by something foreign?"""

from __future__ import annotations

from datetime import datetime, timedelta

from wigmore.generator import shown
from wigmore.generator.case import Case
from wigmore.generator.windows import office, sysmon, usn
from wigmore.generator.windows.computer import Computer

TITLE = "Ransom"
FRAME = "ransom_destruction"
SOURCE, FOLDER, JOURNAL = "src-computer", "computer", "$Extend/$J"
WORDS = ("offer", "budget", "minutes", "contract", "drawing", "invoice", "letter", "plan", "report", "survey")
NOTES = ("HOW_TO_DECRYPT.txt", "restore_your_files.html", "README_DECRYPT.txt", "your_files_are_encrypted.hta")
VSSADMIN = "C:\\Windows\\System32\\vssadmin.exe"


def build(case: Case) -> str:
    """Write the computer with its change journal; returns the case's description.

    Guilty: within minutes documents were overwritten and renamed, a note was left, and ways back were removed. Innocent: the
    owner's tool locked them, a tool renamed them, or backup software freed space. Ambiguous: a note and renamed documents, and
    the journal was not acquired, begins later, or shows renaming alone.
    """
    world, dice = case.world, case.world.random("ransom")
    computer = Computer(case, SOURCE, FOLDER, world.laptop)
    computer.log(*sysmon.week(case, computer.host, computer.account))
    at = world.at(dice.randrange(1, 8), f"0{dice.randrange(1, 6)}:{dice.randrange(10, 60)}:31")
    ending = "".join(dice.choice("abcdefghijkmnopqrstuvwxyz0123456789") for _ in range(dice.randrange(4, 9)))
    innocent = dice.choice(("owner", "renamed", "backup"))
    gap = dice.choice(("no journal", "later", "renamed"))
    changes = _ordinary(case)
    names = [
        f"{dice.choice(WORDS)}_{number:03d}.{dice.choice(('docx', 'xlsx', 'pdf'))}"
        for number in range(dice.randrange(60, 120))
    ]
    if case.variant == "guilty":
        changes += _burst(at, names, ending, usn.OVERWRITE | usn.NEW_NAME | usn.CLOSE)
        _attack(case, computer, at, names, ending)
    elif case.variant == "innocent":
        changes += _harmless(case, computer, at, names, innocent)
    else:
        changes += _burst(at, names, ending, usn.NEW_NAME | usn.CLOSE)
        _left(case, computer, names, ending, dice.choice(NOTES), at)
        for channel in ("Security", sysmon.CHANNEL):
            computer.events[channel] = [e for e in computer.events[channel] if e.at > at + timedelta(hours=30)]
        if gap == "later":
            changes = [c for c in changes if c[0] > at + timedelta(hours=30)]
    if case.variant != "ambiguous" or gap != "no journal":
        changes.sort(key=lambda c: c[0])
        case.write(FOLDER, JOURNAL, usn.journal(changes), changes[-1][0])
        case.needs(SOURCE, JOURNAL)
    computer.close("Security", "System", "SOFTWARE", sysmon.CHANNEL)
    case.ask(
        f"Were files of {world.laptop} encrypted or destroyed in number?",
        FRAME,
        (ending,) if case.variant == "guilty" else (),
    )
    case.ask("What is the name of the computer?", None, (world.laptop,))
    case.expect(FRAME, {"guilty": "supported", "innocent": "not_supported", "ambiguous": "cannot_say"}[case.variant])
    return f"On {at:%Y-%m-%d} documents on {world.laptop} could not be opened any more: what happened to them?"


def _ordinary(case: Case) -> list[usn.Change]:
    """Changes of ordinary days: temporary files made and removed, documents saved."""
    dice = case.world.random("journal")
    out = []
    for day in range(-15, 11):
        for number in range(6):
            at = case.world.at(day, f"{9 + number}:{dice.randrange(10, 60)}:{dice.randrange(10, 60)}")
            name, record = f"~WRD{dice.randrange(9999):04d}.tmp", 3000 + dice.randrange(900)
            out.append((at, name, record, usn.CREATE | usn.EXTEND | usn.CLOSE))
            out.append((at + timedelta(seconds=9), name, record, usn.DELETE | usn.CLOSE))
            saved = f"{dice.choice(WORDS)}_{dice.randrange(40):03d}.docx"
            out.append((at + timedelta(seconds=12), saved, 5000 + dice.randrange(40), usn.EXTEND | usn.CLOSE))
    return out


def _burst(at: datetime, names: list[str], ending: str, reasons: int) -> list[usn.Change]:
    """Each document renamed with a further ending, two a second."""
    out = []
    for number, name in enumerate(names):
        moment = at + timedelta(milliseconds=490 * number)
        out.append((moment, name, 7000 + number, usn.OLD_NAME))
        out.append((moment, f"{name}.{ending}", 7000 + number, reasons))
    return out


def _left(case: Case, computer: Computer, names: list[str], ending: str, note: str, at: datetime) -> None:
    """Some of the documents as they lie there now, and the note."""
    dice = case.world.random("left")
    folder = f"{computer.home}/Documents/Projects"
    for name in names[:6]:
        case.write(FOLDER, f"{folder}/{name}.{ending}", dice.randbytes(dice.randrange(2_000, 9_000)), at)
    case.write(FOLDER, f"{folder}/{note}", b"Your documents are locked. Write to the address below.\r\n", at)
    case.plant("A note lies there", SOURCE, f"{folder}/{note}", "file_listing", (note,), FRAME)


def _attack(case: Case, computer: Computer, at: datetime, names: list[str], ending: str) -> None:
    dice = case.world.random("attack")
    host, account, sid = computer.host, computer.account, computer.sid
    note = dice.choice(NOTES)
    _left(case, computer, names, ending, note, at)
    first = f"{names[0]}.{ending}"
    case.plant(
        "Documents were overwritten and renamed",
        SOURCE,
        JOURNAL,
        "windows.ntfs.usn",
        (first, shown.filetime(at)),
        FRAME,
    )
    line = dice.choice(
        ("vssadmin delete shadows /all /quiet", "wmic shadowcopy delete", "wbadmin delete catalog -quiet")
    )
    computer.log(
        office.started(at - timedelta(seconds=20), host, account, sid, VSSADMIN, line, "C:\\Windows\\System32\\cmd.exe")
    )
    log, own = computer.log_path("Security"), computer.log_path(sysmon.CHANNEL)
    case.plant("Shadow copies were removed", SOURCE, log, "windows.eventlog", (line,), FRAME)
    if dice.random() < 0.6:  # where Sysmon records files of documents
        program = f"C:\\Users\\{account}\\AppData\\Local\\Temp\\{dice.choice(('svc', 'upd', 'lock'))}64.exe"
        for number, name in enumerate(names):
            moment = at + timedelta(milliseconds=490 * number + 9)
            place = f"C:\\Users\\{account}\\Documents\\Projects\\{name}.{ending}"
            computer.log(sysmon.file_made(moment, host, account, program, place))
        case.plant("One program wrote them", SOURCE, own, "windows.eventlog", ("11", program, first), FRAME)


def _harmless(case: Case, computer: Computer, at: datetime, names: list[str], how: str) -> list[usn.Change]:
    """The owner's encryption, a renaming tool, or backup software, and a help page with a name like a note's."""
    path = "Program Files/Backup Agent/help/how_to_restore_files.html"
    case.write(FOLDER, path, b"<h1>How to restore files from a backup</h1>\r\n", computer.made)
    case.decoy(
        "A ransom note was left",
        "a help page of the backup program",
        SOURCE,
        path,
        (path.rpartition("/")[2], "ransom"),
        FRAME,
    )
    case.plant("A file is named like a note", SOURCE, path, "file_listing", ("how_to_restore_files.html",), None)
    if how == "owner":
        computer.installed("AxCrypt 2.1", computer.made)
        return _burst(at, names[:40], "axx", usn.CREATE | usn.EXTEND | usn.CLOSE)
    if how == "renamed":
        return _burst(at, names, f"{at.year}archive", usn.NEW_NAME | usn.CLOSE)
    agent = "C:\\Program Files\\Veeam\\Endpoint Backup\\Veeam.EndPoint.Service.exe"
    for day in (-12, -5, 2, 9):
        moment = case.world.at(day, "03:10:07")
        line = "vssadmin delete shadows /for=C: /oldest"
        computer.log(
            office.started(moment, computer.host, f"{computer.host}$", "S-1-5-18", VSSADMIN, line, agent, 0x3E7)
        )
    return []
