"""SSH entry: failed logins on a Linux server; did a guessed password let somebody in?"""

from __future__ import annotations

from datetime import datetime, timedelta

from wigmore.generator import shown
from wigmore.generator.case import Case
from wigmore.generator.linux import host, logs, wtmp
from wigmore.generator.truth import Source

TITLE = "SSH entry"
FRAME = "brute_force"
CHOOSING = True
SOURCE, FOLDER = "src-ssh", "ssh"
NAMES = ("admin", "test", "oracle", "ubuntu", "git", "postgres", "ftpuser", "pi", "jenkins", "backup", "minecraft")


def build(case: Case) -> str:
    """Write the server's logs; returns the case's description.

    Guilty: a dictionary, one account or many accounts are tried from one address, and then a password is accepted from it.
    Innocent: the guessing got nowhere, or a program of an own host kept sending an old password; the logs are whole.
    Ambiguous: as guilty, but the log of logins and the session records end before the answer, or only btmp was collected.
    """
    world, dice = case.world, case.world.random("ssh")
    name = world.server
    case.add_source(Source(SOURCE, f"Server {name}", "disk_image", "tree", "linux", f"evidence/{FOLDER}"))
    way = dice.choice(("stale", "guessing", "guessing") if case.variant == "innocent" else ("one", "names", "spray"))
    user = "deploy"
    own = f"192.0.2.{dice.randrange(120, 200)}"  # a host of the company that logs in by key every day
    lines, entries = host.authentication(case, name, user, own if way == "stale" else world.office)
    begun = host.moment(case, dice.randrange(0, 8), f"{dice.randrange(24):02d}:11:05")
    tries = dice.randrange(35, 80)
    step = 60 if way == "stale" else dice.choice((2, 3, 5))
    address = own if way == "stale" else world.attacker
    tried = {"one": ["root"], "stale": ["backup"], "spray": [*NAMES, user, "root"]}.get(
        way, [*NAMES, "root", "root", user]
    )
    if way == "guessing":
        tried = [*dice.sample([*NAMES, "root", user], dice.randrange(1, 9)), "root"]
    failed: list[tuple[datetime, str]] = []
    for number in range(tries):
        at = begun + timedelta(seconds=number * step + (0 if way == "stale" else dice.randrange(2)))
        failed.append((at, tried[number % len(tried)]))
    last = failed[-1][0]
    lines += [
        (at, logs.failed_password(at, name, 5000 + n, who, address, 42_000 + n, who in ("root", user, "backup")))
        for n, (at, who) in enumerate(failed)
    ]
    fumbled = _fumbled(case, lines, entries, name, user)
    missing = dice.choice(("ends", "only btmp")) if case.variant == "ambiguous" else ""
    entry = last + timedelta(seconds=step)
    got = "root" if way == "one" else user
    method = dice.choice(("password", "keyboard-interactive/pam"))
    if case.guilty:
        lines += host.entered(entry, name, 5100 + tries, got, address, method)
        entries.append(wtmp.Entry(entry, wtmp.USER, got, "pts/9", address, 5104, address))
    if missing == "ends":  # what was collected, was so while the guessing went on
        lines = [item for item in lines if item[0] <= last]
        entries = [item for item in entries if item.at <= last]
    host.write(case, FOLDER, name, user, lines, entries)
    requests = logs.ordinary_access(
        world.random("access"), world.at(-15, "00:00:01"), world.at(host.LAST, "00:00:00"), 150
    )
    case.write(FOLDER, "var/log/nginx/access.log", logs.text(list(requests)), world.at(host.LAST, "00:00:00"))
    if missing == "only btmp":
        for path in (host.AUTH, host.WTMP):
            (case.target / "evidence" / FOLDER / path).unlink()
    else:
        case.needs(SOURCE, host.AUTH, host.WTMP)
    _btmp(case, failed, address)
    case.plant(
        f"Failed logins from {address} are in btmp", SOURCE, host.BTMP, "linux.btmp", (address, "ssh:notty"), FRAME
    )
    if missing != "only btmp":
        seen = (failed[0][1], address, "42000")
        case.plant(f"Wrong passwords came from {address}", SOURCE, host.AUTH, "linux.authlog", seen, FRAME)
        if fumbled < last or not missing:
            why = "a few wrong passwords of an account's holder, then the right one"
            there = (user, world.fumbler, "password")
            case.decoy(f"{world.fumbler} guessed the password of {user}", why, SOURCE, host.AUTH, there, FRAME)
    if case.variant == "guilty":
        seen = (got, address, method)
        case.plant(f"A login of {got} from {address} was accepted", SOURCE, host.AUTH, "linux.authlog", seen, FRAME)
        held = (got, address, "pts/9", shown.posix_us(entry))
        case.plant("The session is in wtmp", SOURCE, host.WTMP, "linux.wtmp", held, FRAME)
    case.ask(
        f"Was a password of {name} guessed and used, and from where?", FRAME, (address,) * (case.variant == "guilty")
    )
    case.ask("What is the name of the server?", None, (name,))
    verdicts = {"guilty": "supported", "innocent": "not_supported", "ambiguous": "cannot_say"}
    case.expect(FRAME, verdicts[case.variant])
    return f"Many logins failed on {name} around {begun:%Y-%m-%d}: did one succeed?"


def _fumbled(case: Case, lines: host.Lines, entries: list[wtmp.Entry], name: str, user: str) -> datetime:
    """An account's holder mistypes a few times and then gets in; when that was."""
    dice, address = case.world.random("fumble"), case.world.fumbler
    at = host.moment(case, dice.randrange(-1, 8), f"08:{dice.randrange(10, 55)}:03")
    for number in range(dice.randrange(2, 5)):
        tick = at + timedelta(seconds=9 * number)
        lines.append((tick, logs.failed_password(tick, name, 4100 + number, user, address, 51_200 + number, True)))
    entered = at + timedelta(seconds=50)
    lines += host.entered(entered, name, 4110, user, address, "password")
    entries.append(wtmp.Entry(entered, wtmp.USER, user, "pts/7", address, 4110, address))
    return entered


def _btmp(case: Case, failed: list[tuple[datetime, str]], address: str) -> None:
    records = [
        wtmp.Entry(at, wtmp.LOGIN, who, "ssh:notty", address, 5000 + n, address) for n, (at, who) in enumerate(failed)
    ]
    case.write(FOLDER, host.BTMP, wtmp.records(records), failed[-1][0])
