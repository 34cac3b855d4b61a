"""A Linux server's ordinary records of some weeks: scheduled jobs, key logins, rotation; nothing that any case turns on."""

from __future__ import annotations

from datetime import datetime, timedelta

from wigmore.generator.case import Case
from wigmore.generator.linux import logs, shell, wtmp

AUTH, SYSLOG, WTMP, BTMP = "var/log/auth.log", "var/log/syslog", "var/log/wtmp", "var/log/btmp"
FIRST, LAST = -15, 10  # days of the case that the collected records reach over
JOBS = ("cd / && run-parts --report /etc/cron.hourly", "command -v debian-sa1 > /dev/null && debian-sa1 1 1")
Lines = list[tuple[datetime, str]]


def moment(case: Case, day: int, clock: str) -> datetime:
    """A whole second of a day, as text logs write it."""
    return case.world.at(day, clock).replace(microsecond=0)


def entered(at: datetime, host: str, pid: int, user: str, address: str, method: str = "publickey") -> Lines:
    """An accepted login and its session's two lines, of half an hour."""
    port, end = 40_000 + pid % 20_000, at + timedelta(minutes=31)
    return [
        (at, logs.accepted(at, host, pid, user, address, port, method)),
        (at, logs.session(at, host, pid, user)),
        (end, logs.session(end, host, pid, user, False)),
    ]


def authentication(case: Case, host: str, user: str, address: str) -> tuple[Lines, list[wtmp.Entry]]:
    """Lines of auth.log and records of wtmp: jobs by the clock, and a key login of `user` on working days."""
    dice = case.world.random(f"authentication {host}")
    lines: Lines = []
    entries = [wtmp.Entry(case.world.at(FIRST, "04:00:00"), wtmp.BOOT, "reboot", "~", "6.1.0-generated", 0)]
    for day in range(FIRST, LAST):
        for hour in range(0, 24, 4):
            at = moment(case, day, f"{hour:02d}:17:01")
            text = "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)"
            lines.append((at, logs.line(at, host, "CRON", text, 1000 + hour)))
        for number in range(1 + case.noise // 40):
            at = moment(case, day, f"{9 + 3 * number % 9:02d}:{dice.randrange(60):02d}:{dice.randrange(1, 60):02d}")
            pid = dice.randrange(2_000, 9_000)
            lines += entered(at, host, pid, user, address)
            entries.append(wtmp.Entry(at, wtmp.USER, user, f"pts/{number}", address, pid, address))
            entries.append(wtmp.Entry(at + timedelta(minutes=31), wtmp.DEAD, "", f"pts/{number}", "", pid))
    return lines, entries


def system(case: Case, host: str) -> Lines:
    """Lines of syslog: jobs, and the weekly rotation of logs."""
    dice = case.world.random(f"syslog {host}")
    lines: Lines = []
    for day in range(FIRST, LAST):
        for hour in range(0, 24, max(2, 12 - case.noise // 20)):
            at = moment(case, day, f"{hour:02d}:17:01")
            lines.append((at, logs.line(at, host, "CRON", f"(root) CMD ({dice.choice(JOBS)})", 700 + hour)))
        if day % 7 == 0:
            at = moment(case, day, "06:25:02")
            lines.append((at, logs.line(at, host, "systemd", "Starting logrotate.service - Rotate log files...", 1)))
    return lines


def write(case: Case, folder: str, host: str, user: str, lines: Lines, entries: list[wtmp.Entry]) -> None:
    """Write auth.log, wtmp, syslog, the accounts, the host's name and a plain cron table."""
    end = case.world.at(LAST, "00:00:00")
    case.write(folder, AUTH, logs.text(lines), end)
    case.write(folder, WTMP, wtmp.records(sorted(entries, key=lambda e: e.at)), end)
    case.write(folder, SYSLOG, logs.text(system(case, host)), end)
    users = [
        ("root", 0, "root", "/root", "/bin/bash"),
        ("www-data", 33, "www-data", "/var/www", "/usr/sbin/nologin"),
        (user, 1000, "", f"/home/{user}", "/bin/bash"),
    ]
    set_up = case.world.at(-300, "10:00:00")
    case.write(folder, "etc/passwd", shell.passwd(users), set_up)
    case.write(folder, "etc/hostname", f"{host}\n".encode(), set_up)
    renewal = [("0 */12 * * *", "root", "certbot -q renew")]
    case.write(folder, "etc/cron.d/certbot", shell.cron(renewal, "certificate renewal"), set_up)
