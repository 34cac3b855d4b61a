"""Lateral service: commands ran on a server; were they sent from another computer?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from wigmore.generator import shown
from wigmore.generator.case import Case
from wigmore.generator.windows import changes, office
from wigmore.generator.windows.computer import Computer
from wigmore.generator.windows.evtx import Logged

TITLE = "Lateral service"
FRAME = "lateral_execution"
TARGET, ORIGIN = ("src-server", "server"), ("src-workstation", "workstation")
CMD = "C:\\Windows\\System32\\cmd.exe"
SESSION = 0x9A31C
LINES = ("whoami /all", "ipconfig /all", "net view", "tasklist /svc", "dir C:\\Shares /s")


def build(case: Case) -> str:
    """Write the server and the workstation; returns the case's description.

    Guilty: an account came over the network and a tool's service was installed at once, or shells started in its session.
    Innocent: distribution software works from its own server every week, the tool was used against the own host, or monitoring
    lists services. Ambiguous: the tool's service stands in the System log or prefetch, and the Security log is not there or
    begins later, or all that is known is the workstation's line.
    """
    world, dice = case.world, case.world.random("lateral")
    host, origin = f"FS-{world.laptop[-3:]}", f"WS-{world.laptop[-3:]}"
    server = Computer(case, *TARGET, host)
    workstation = Computer(case, *ORIGIN, origin)
    at = world.at(dice.randrange(1, 8), f"{dice.randrange(10, 23)}:{dice.randrange(10, 60)}:31")
    way = dice.choice(("psexec", "management", "remote shell"))
    innocent = dice.choice(("distribution", "own host", "monitoring"))
    gap = dice.choice(("missing", "rolled over", "prefetch", "origin"))
    if case.variant == "guilty":
        _service(case, server, workstation, at) if way == "psexec" else _shell(case, server, workstation, at, way)
    elif case.variant == "innocent":
        {"distribution": _distribution, "own host": _own_host, "monitoring": _monitoring}[innocent](case, server, at)
    else:
        _service(case, server, workstation, at, shows=False)
        _gap(case, server, at, gap)
    kept = [channel for channel in ("Security", "System") if server.events[channel]]
    server.close("prefetch", *kept)
    workstation.close("Security", "System")
    answer = (host,) if case.variant == "guilty" else ()
    case.ask(f"Did commands run on {host} at the instance of another computer?", FRAME, answer)
    case.ask("What are the names of the computers?", None, (host, origin))
    case.expect(FRAME, {"guilty": "supported", "innocent": "not_supported", "ambiguous": "cannot_say"}[case.variant])
    return f"Commands ran on {host} around {at:%Y-%m-%d}: were they sent from {origin} or elsewhere?"


def _line(computer: Computer, at: datetime, program: str, line: str, parent: str = CMD) -> None:
    computer.log(office.started(at, computer.host, computer.account, computer.sid, program, line, parent))


def _network_logon(case: Case, server: Computer, origin: Computer, at: datetime) -> tuple[str, str]:
    """The origin's network logon; returns account and address."""
    account = "administrator" if case.world.seed % 2 else f"adm-{case.world.administrator.family.lower()}"
    sid = f"{case.world.machine_sid}-{500 if case.world.seed % 2 else 1107}"
    server.log(office.logon(at, server.host, account, sid, 3, case.world.office, origin.host, SESSION))
    return account, case.world.office


def _service(case: Case, server: Computer, origin: Computer, at: datetime, shows: bool = True) -> None:
    """PsExec from the workstation: its line there; logon, pipe, service, prefetch and children here."""
    dice = case.world.random("service")
    tool = f"C:\\Users\\{origin.account}\\Downloads\\PsExec64.exe"
    _line(origin, at - timedelta(seconds=1), tool, f"PsExec64.exe \\\\{server.host} -s cmd.exe")
    account, address = _network_logon(case, server, origin, at)
    name = dice.choice(("PSEXESVC", "PAExec-4412-" + origin.host, "csexecsvc"))
    file = name if name == "PSEXESVC" else name.replace("csexecsvc", "CSEXECSVC")
    image = f"%SystemRoot%\\{file}.exe"
    sid = server.sid
    for target in ("svcctl", f"{file}.exe"):
        share = "IPC$" if target == "svcctl" else "ADMIN$"
        moment = at + timedelta(milliseconds=400)
        server.log(changes.share_reached(moment, server.host, account, sid, address, share, target, SESSION))
    server.log(changes.service_installed(at + timedelta(seconds=1 + dice.randrange(4)), server.host, name, image))
    for number, line in enumerate(dice.sample(LINES, 3)):
        moment = at + timedelta(seconds=20 + 30 * number)
        server.log(
            office.started(
                moment,
                server.host,
                f"{server.host}$",
                changes.LOCAL_SYSTEM,
                CMD,
                f"cmd.exe /c {line}",
                f"C:\\Windows\\{file}.exe",
            )
        )
    path = server.started(f"WINDOWS\\{file}.EXE".upper(), [at + timedelta(seconds=3)], 1)
    security, system = server.log_path("Security"), server.log_path("System")
    if shows:
        values = ("4624", account, address, shown.filetime(at))
        case.plant(f"{account} came from {address}", TARGET[0], security, "windows.eventlog", values, FRAME)
        case.plant("A tool's service was installed", TARGET[0], system, "windows.eventlog", ("7045", name))
        case.plant("The service's pipe was reached", TARGET[0], security, "windows.eventlog", ("5145", "svcctl"), FRAME)
    values = (f"{file}.exe".upper(),)
    case.plant("The serving part was started", TARGET[0], path, "windows.prefetch", values, FRAME if shows else None)


def _shell(case: Case, server: Computer, origin: Computer, at: datetime, way: str) -> None:
    """Shells that Windows management, or its remote shell, starts in the session of the network logon."""
    dice = case.world.random("shell")
    parent = {
        "management": "C:\\Windows\\System32\\wbem\\WmiPrvSE.exe",
        "remote shell": "C:\\Windows\\System32\\wsmprovhost.exe",
    }[way]
    client = (
        f"wmic /node:{server.host} process call create cmd.exe"
        if way == "management"
        else f"winrs -r:{server.host} cmd"
    )
    _line(origin, at - timedelta(seconds=1), CMD, client)
    account, address = _network_logon(case, server, origin, at)
    for number, line in enumerate(dice.sample(LINES, dice.randrange(2, 5))):
        moment = at + timedelta(seconds=4 + 15 * number)
        made = office.started(
            moment, server.host, f"{server.host}$", "S-1-5-20", CMD, f"cmd.exe /Q /c {line}", parent, 0x3E4
        )
        token = {"TargetUserName": account, "TargetDomainName": server.host, "TargetLogonId": f"0x{SESSION:x}"}
        server.log(replace(made, data=made.data | token))
    log = server.log_path("Security")
    values = ("4624", account, address, shown.filetime(at))
    case.plant(f"{account} came from {address}", TARGET[0], log, "windows.eventlog", values, FRAME)
    values = ("4688", f"0x{SESSION:x}", parent)
    case.plant("A shell was started in the session", TARGET[0], log, "windows.eventlog", values, FRAME)


def _distribution(case: Case, server: Computer, at: datetime) -> None:
    """Distribution software's service from its own server, every week, also long before."""
    name = case.world.random("distribution").choice(("PDQDeployRunner-1", "LsPushAgent", "ccmsetup"))
    for day in (-13, -6, 1, 8):
        moment = case.world.at(day, "12:15:02")
        own = case.world.office
        server.log(
            office.logon(
                moment, server.host, "svc-deploy", f"{case.world.machine_sid}-1120", 3, own, "DEPLOY01", SESSION + day
            )
        )
        image = f"%SystemRoot%\\AdminArsenal\\{name}.exe"
        server.log(changes.service_installed(moment + timedelta(seconds=3), server.host, name, image))
        target = ("svcctl", "IPC$")
        server.log(
            changes.share_reached(
                moment, server.host, "svc-deploy", server.sid, own, target[1], target[0], SESSION + day
            )
        )
    system = server.log_path("System")
    why = "the distribution software's service, every week, from its own server"
    case.decoy("A tool's service ran commands", why, TARGET[0], system, ("7045", name), FRAME)
    security = server.log_path("Security")
    case.plant(
        "The distribution account came over the network", TARGET[0], security, "windows.eventlog", ("svc-deploy",)
    )


def _own_host(case: Case, server: Computer, at: datetime) -> None:
    """The tool used against the own host, for a shell of the system."""
    line = "PsExec64.exe -s -i cmd.exe"
    program = "C:\\Tools\\Sysinternals\\PsExec64.exe"
    _line(server, at, program, line)
    server.log(
        changes.service_installed(at + timedelta(seconds=1), server.host, "PSEXESVC", "%SystemRoot%\\PSEXESVC.exe")
    )
    path = server.started("WINDOWS\\PSEXESVC.EXE", [at + timedelta(seconds=2)], 2)
    case.plant("The serving part was started", TARGET[0], path, "windows.prefetch", ("PSEXESVC.EXE",), FRAME)
    security = server.log_path("Security")
    why = "the tool was started here, against this host"
    case.decoy("Commands came from another computer", why, TARGET[0], security, (line,), FRAME)


def _monitoring(case: Case, server: Computer, at: datetime) -> None:
    """Monitoring that lists services and counters over the network all day."""
    for day in range(-14, 10):
        moment = case.world.at(day, f"{9 + day % 8:02d}:30:07")
        own = case.world.office
        account, sid = "svc-monitor", f"{case.world.machine_sid}-1121"
        server.log(office.logon(moment, server.host, account, sid, 3, own, "MONITOR01", SESSION + day))
        for target in ("winreg", "svcctl"):
            server.log(changes.share_reached(moment, server.host, account, sid, own, "IPC$", target, SESSION + day))
    security = server.log_path("Security")
    case.plant(
        "Monitoring reached the service pipe", TARGET[0], security, "windows.eventlog", ("5145", "svc-monitor"), FRAME
    )


def _gap(case: Case, server: Computer, at: datetime, gap: str) -> None:
    """Take away what joins the origin to the service."""

    def later(events: list[Logged]) -> list[Logged]:
        return [e for e in events if e.at > at + timedelta(hours=30)]

    server.events["Security"] = [] if gap in ("missing", "origin") else later(server.events["Security"])
    if gap in ("prefetch", "origin"):
        server.events["System"] = later(server.events["System"])
