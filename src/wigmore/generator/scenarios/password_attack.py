"""Password attack: failed logons on a file server; did someone guess a password and get in?"""

from __future__ import annotations

from datetime import timedelta

from wigmore.generator import shown
from wigmore.generator.case import Case
from wigmore.generator.truth import Source
from wigmore.generator.windows import office

TITLE = "Password attack"
FRAME = "brute_force"
SOURCE, FOLDER = "src-server", "server"


def build(case: Case) -> str:
    """Write the server's event logs; returns the case's description.

    Guilty: wrong passwords from one address, then a session from it. Innocent: as many failures, from an own computer whose
    stored password had expired. Ambiguous: the failures of the guilty case, and the Security log ends with them.
    """
    world = case.world
    host = f"FS-{world.laptop[-3:]}"
    own = f"WS-{world.laptop[-3:]}"
    source = Source(SOURCE, f"Server {host}", "disk_image", "tree", "windows", f"evidence/{FOLDER}", world.zone)
    case.add_source(source)
    sid = world.machine_sid
    events = list(office.week(case, host, world.account, world.user_sid))
    begun = world.at(2, "02:11:05")
    innocent = case.variant == "innocent"
    address, workstation = (world.office, own) if innocent else (world.attacker, "kali")
    account = world.colleague.given.lower() if innocent else "administrator"
    dice = world.random("attack")
    last = begun
    for number in range(dice.randrange(30, 60)):
        last = begun + timedelta(seconds=number * (10 if innocent else 4) + dice.randrange(3))
        status, detail = ("0xc0000071", "0x0") if innocent else ("0xc000006d", "0xc000006a")
        events.append(office.failed(last, host, account, address, workstation, status, detail))
    entry = last + timedelta(seconds=9)
    if case.variant == "guilty":
        events.append(office.logon(entry, host, account, f"{sid}-500", 3, address, workstation, 0x9A31C))
        events.append(
            office.logon(entry + timedelta(minutes=4), host, account, f"{sid}-500", 10, address, host, 0x9A77E)
        )
    if case.variant == "ambiguous":
        events = [e for e in events if e.at <= last]
    path = office.write_log(case, FOLDER, "Security", events)
    office.write_log(case, FOLDER, "System", list(office.system_week(case, host)))
    case.needs(SOURCE, path)
    said = "kept failing with an expired password" if innocent else "failed with wrong passwords"
    # an expired password was the right one: such failures are no guesses, and bear on nothing but the innocent explanation
    bears = None if innocent else FRAME
    case.plant(
        f"Logons of {account} from {address} {said}", SOURCE, path, "windows.eventlog", (account, address), bears
    )
    if case.variant == "guilty":
        got = ("4624", account, address, shown.filetime(entry))
        case.plant(f"{account} got a session from {address}", SOURCE, path, "windows.eventlog", got, FRAME)
    if innocent:
        usual = next(e for e in events if e.event_id == 4624)
        there = (world.account, shown.filetime(usual.at))
        why = "the usual user at the console; nothing failed before it"
        case.decoy("A session followed the failures", why, SOURCE, path, there, FRAME)
    answer = (address,) if case.variant == "guilty" else ()
    case.ask(f"Did someone guess a password of {host} and get in, and from where?", FRAME, answer)
    case.ask("What is the name of the server?", None, (host,))
    if case.variant == "guilty":
        case.expect("remote_desktop", "supported")
    verdicts = {"guilty": "supported", "innocent": "not_supported", "ambiguous": "cannot_say"}
    case.expect(FRAME, verdicts[case.variant])
    return f"Logons failed on {host} in the night of {begun:%Y-%m-%d}: was a password guessed, and used?"
