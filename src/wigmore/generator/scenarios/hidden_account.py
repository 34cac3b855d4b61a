"""Hidden account: a computer has an account that nobody knows; was it made after set-up, and by whom?"""

from __future__ import annotations

from datetime import datetime, timedelta

from wigmore.generator import shown
from wigmore.generator.case import Case
from wigmore.generator.windows import changes, office, sam
from wigmore.generator.windows.computer import Computer

TITLE = "Hidden account"
FRAME = "new_account"
SOURCE, FOLDER = "src-computer", "computer"
NET = "C:\\Windows\\System32\\net.exe"


def build(case: Case) -> str:
    """Write the computer; returns the case's description.

    Guilty: an account of the computer made, enabled and raised another, by command or by a dialog; sometimes it was used.
    Innocent: set-up or an installer that runs as the system made it. Ambiguous: the account stands in the database, and the
    Security log has rolled over, is missing or does not record account changes any more.
    """
    world, dice = case.world, case.world.random("hidden account")
    computer = Computer(case, SOURCE, FOLDER, world.laptop)
    at = world.at(dice.randrange(0, 7), f"{dice.randrange(10, 22)}:{dice.randrange(10, 60)}:31")
    guilty_name = dice.choice((world.new_account, f"{world.new_account}$", "helpassist", "defaultuser1"))
    innocent_name = dice.choice(("QBDataServiceUser32", "postgres", "HomeGroupUser$", "BackupExecSvc"))
    name = innocent_name if case.variant == "innocent" else guilty_name
    sid = f"{world.machine_sid}-{1002 + dice.randrange(9)}"
    system = (f"{computer.host}$", changes.LOCAL_SYSTEM)
    gap = dice.choice(("rolled over", "missing", "cut off"))
    actor = system if case.variant == "innocent" else (computer.account, computer.sid)
    _changed(case, computer, at, name, sid, actor, dice.choice(("command", "powershell", "dialog")))
    enabled = dice.random() < 0.8
    computer.members.append(sam.Account(name, int(sid.rpartition("-")[2]), password_set=at, logons=0, enabled=enabled))
    hive = "Windows/System32/config/SAM"
    if case.variant == "ambiguous":
        events = computer.events["Security"]
        computer.events["Security"] = [e for e in events if e.at > at + timedelta(hours=30)] if gap != "missing" else []
        case.plant(
            f"The account {name} exists",
            SOURCE,
            hive,
            "windows.registry.account",
            (name,),
            FRAME if "$" in name else None,
        )
    computer.close("SAM", "System", *(["Security"] if computer.events["Security"] else []))
    if case.variant == "ambiguous" and gap == "cut off":
        file = case.target / "evidence" / FOLDER / computer.log_path("Security")
        file.write_bytes(file.read_bytes()[: 4096 + dice.randrange(9_000, 30_000)])
        case.date(FOLDER, computer.log_path("Security"), at)
    why = "built into every installation, disabled"
    case.decoy("DefaultAccount was created", why, SOURCE, hive, ("DefaultAccount", "503"), FRAME)
    answer = (name,) if case.variant == "guilty" else ()
    case.ask(f"Which accounts were created on {world.laptop}, and by whom?", FRAME, answer)
    case.ask("Which local accounts are there?", None, (name,))
    case.expect(FRAME, {"guilty": "supported", "innocent": "not_supported", "ambiguous": "cannot_say"}[case.variant])
    return f"The account {name} was found on {world.laptop}: how did it come there?"


def _changed(
    case: Case, computer: Computer, at: datetime, name: str, sid: str, actor: tuple[str, str], way: str
) -> None:
    """The account's making in the Security log, with the line that made it where it was a line."""
    dice = case.world.random("changed")
    host, log = computer.host, computer.log_path("Security")
    innocent = actor[1] == changes.LOCAL_SYSTEM
    computer.log(changes.account_event(4720, at, host, name, sid, *actor))
    computer.log(changes.account_event(4722, at + timedelta(milliseconds=40), host, name, sid, *actor))
    group = ("Users", "S-1-5-32-545") if innocent else ("Administrators", changes.ADMINISTRATORS)
    raised = innocent or dice.random() < 0.7
    if raised:
        computer.log(changes.member_added(at + timedelta(seconds=20), host, sid, *actor, group))
    if innocent:
        why = "the actor is the computer itself: set-up or an installer"
        values = ("4720", name, actor[0])
        case.plant(f"{name} was created by the computer itself", SOURCE, log, "windows.eventlog", values)
        case.decoy(f"{name} was created by an account", why, SOURCE, log, values, FRAME)
        return
    lines = {
        "command": (
            (NET, f"net user {name} P{dice.randrange(10**6)}x /add"),
            (NET, f"net localgroup administrators {name} /add"),
        ),
        "powershell": (
            (
                "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",
                f"powershell New-LocalUser {name} -NoPassword",
            ),
        ),
        "dialog": (("C:\\Windows\\System32\\mmc.exe", '"C:\\Windows\\System32\\mmc.exe" lusrmgr.msc'),),
    }[way]
    for number, (program, line) in enumerate(lines[: 2 if raised else 1]):
        moment = at + timedelta(seconds=20 * number) - timedelta(milliseconds=300)
        computer.log(office.started(moment, host, *actor, program, line, "C:\\Windows\\System32\\cmd.exe"))
    used = dice.random() < 0.5
    if used:
        computer.log(office.logon(at + timedelta(hours=3), host, name, sid, 2, session=0xB51A3))
    if case.variant == "guilty":
        values = ("4720", name, actor[0], shown.filetime(at))
        case.plant(f"{name} was created by {actor[0]}", SOURCE, log, "windows.eventlog", values, FRAME)
        if way == "command":
            case.plant("A command created it", SOURCE, log, "windows.eventlog", (lines[0][1],), FRAME)
        if raised:
            case.plant(f"{name} became an administrator", SOURCE, log, "windows.eventlog", ("4732", sid), FRAME)
