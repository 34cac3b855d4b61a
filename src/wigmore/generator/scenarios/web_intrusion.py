"""Web intrusion: a web server's uploads and log; did a request make the server run commands?"""

from __future__ import annotations

from datetime import datetime, timedelta

from wigmore.generator import shown
from wigmore.generator.case import Case
from wigmore.generator.linux import host, logs
from wigmore.generator.truth import Source

TITLE = "Web intrusion"
FRAME = "web_shell"
SOURCE, FOLDER, ROOT = "src-web", "web", "var/www/html"
FORMS = ("/upload.php", "/wp-admin/async-upload.php", "/filemanager/connector.php", "/media/import.php")
PLACES = ("/uploads", "/wp-content/uploads/2024/05", "/files", "/images/avatars")
COMMANDS = ("id", "uname+-a", "cat+/etc/passwd", "ls+-la+/srv", "ps+aux", "netstat+-ltn", "find+/var/www", "whoami")
ASKED = ("shell.php", "c99.php", "cmd.php", "r57.php", "wso.php", "eval-stdin.php", "alfa.php", "up.php", "adminer.php")
HANDLES = (
    "<?php if (isset($_GET['{p}'])) {{ /* defused for the exercise */ echo 'disabled'; }} ?>\n",
    "<?php $a = $_POST['{p}']; /* defused for the exercise: system( $_POST['{p}'] ) */ ?>\n",
)
Access = list[tuple[datetime, str]]


def build(case: Case) -> str:
    """Write the server's tree; returns the case's description.

    Guilty: an upload, then commands asked of the script (in the query, or as posts), which lies in the folder. Innocent: the
    same kind of upload by an editor and a scanner's questions that found nothing, in some with a page of the operator that
    takes commands from an account. Ambiguous: the log begins after the script came, or only the log was collected and every
    unknown page was answered alike.
    """
    world, dice = case.world, case.world.random("web")
    missing = dice.choice(("log", "files")) if case.variant == "ambiguous" else ""
    kind = "log_collection" if missing == "files" else "disk_image"
    case.add_source(Source(SOURCE, f"Server {world.server}", kind, "tree", "linux", f"evidence/{FOLDER}"))
    lines, entries = host.authentication(case, world.server, "deploy", world.office)
    host.write(case, FOLDER, world.server, "deploy", lines, entries)
    log = dice.choice(("var/log/apache2/access.log", "var/log/nginx/access.log"))
    at = host.moment(case, dice.randrange(1, 7), f"{dice.randrange(24):02d}:{dice.randrange(60):02d}:07")
    access = _ordinary(case)
    _scanned(case, log, access, f"198.51.100.{dice.randrange(130, 250)}")
    if case.guilty:
        place, name, param = dice.choice(PLACES), world.shell_name, dice.choice(("cmd", "exec", "c"))
        script = f"{ROOT}{place}/{name}"
        posts = dice.random() < 0.4
        if missing != "files":
            text = "<?php include 'x';\n" if missing else HANDLES[posts].format(p=param)
            case.write(FOLDER, script, text.encode(), at + timedelta(seconds=1))
            case.plant(f"{name} lies in a folder for uploads", SOURCE, script, "file_listing", (name,), FRAME)
        if missing != "log":
            _attack(case, log, access, at, f"{place}/{name}", param, posts, missing == "files")
    else:
        _edited(case, log, access, at)
    if missing == "log":  # rotated away: what is left begins after the script came
        access = [item for item in access if item[0] > at + timedelta(hours=2)]
    case.write(FOLDER, log, logs.text(access), world.at(host.LAST, "00:00:00"))
    case.needs(SOURCE, log)
    if missing != "files":
        for name in ("index.php", "about.php", "lib/view.php", "wp-content/uploads/2024/05/turbine.jpg"):
            case.write(FOLDER, f"{ROOT}/{name}", b"<?php // page\n", world.at(-200, "12:00:00"))
    case.ask("Was the web server made to run commands, and from which address?", FRAME, (world.attacker,) * case.guilty)
    case.ask("What is the name of the server?", None, (world.server,))
    verdicts = {"guilty": "supported", "innocent": "not_supported", "ambiguous": "cannot_say"}
    case.expect(FRAME, verdicts[case.variant])
    return (
        f"A provider reported strange requests to {world.server} around {at:%Y-%m-%d}: was the web server broken into?"
    )


def _ordinary(case: Case) -> Access:
    start, end = case.world.at(host.FIRST, "00:00:01"), case.world.at(host.LAST, "00:00:00")
    return list(logs.ordinary_access(case.world.random("access"), start, end, 150 + case.noise))


def _scanned(case: Case, log: str, access: Access, address: str) -> None:
    """A scanner's requests that found nothing, once or on several days."""
    dice = case.world.random("scanner")
    agent = dice.choice(("curl/7.88.1", "Mozilla/5.0 zgrab/0.x", "python-requests/2.31.0"))
    status = dice.choice((403, 404))
    for day in dice.sample(range(-2, 9), dice.randrange(1, 4)):
        at = host.moment(case, day, f"{dice.randrange(24):02d}:20:11")
        for number, name in enumerate(dice.sample(ASKED, 6)):
            tick = at + timedelta(seconds=2 * number)
            access.append((tick, logs.access(tick, address, "GET", f"/{name}?cmd=id", status, 162, agent)))
    name = str(access[-1][1]).split('"')[1].split()[1]
    why = f"a scanner's request that was answered with {status}"
    case.decoy("A web shell answered the scanner", why, SOURCE, log, (address, name, str(status)), FRAME)


def _attack(
    case: Case, log: str, access: Access, at: datetime, target: str, param: str, posts: bool, alike: bool
) -> None:
    """An upload and requests to the uploaded script; with `alike` every answer has one size, as a page for errors has."""
    world, dice = case.world, case.world.random("attack")
    agent = dice.choice(("python-requests/2.31.0", logs.AGENTS[1], "curl/8.5.0"))
    size = dice.randrange(3_000, 9_000)
    form = "/index.php" if alike else dice.choice(FORMS)
    access.append((at, logs.access(at, world.attacker, "POST", form, 200, 312, agent)))
    commands = dice.sample(COMMANDS, dice.randrange(4, len(COMMANDS)))
    for number, command in enumerate(commands):
        tick = at + timedelta(seconds=41 + 17 * number)
        asked = target if posts else f"{target}?{param}={command}"
        answer = size if alike else dice.randrange(40, 9_000)
        access.append((tick, logs.access(tick, world.attacker, "POST" if posts else "GET", asked, 200, answer, agent)))
        if number in (0, len(commands) - 1):
            there = (world.attacker, asked, "200", str(answer), shown.posix(tick))
            case.plant("A request to the script was answered", SOURCE, log, "web.access", there, FRAME)


def _edited(case: Case, log: str, access: Access, at: datetime) -> None:
    """An editor's uploads, whose files a script of the site hands out; and in some, the operator's page for commands."""
    world, dice = case.world, case.world.random("editor")
    form, editor = dice.choice(FORMS), f"192.0.2.{dice.randrange(100, 240)}"
    for day in (0, *range(-14, 9, dice.randrange(3, 6))):
        begun = at + timedelta(days=day) if not day else host.moment(case, day, "10:12:40")
        shows = f"/files/view.php?id={dice.randrange(100, 999)}"
        sent = [("POST", form, 200, 207), ("GET", shows, 200, dice.randrange(20_000, 90_000))]
        for number, (method, target, status, size) in enumerate(sent):
            tick = begun + timedelta(seconds=25 * number)
            access.append((tick, logs.access(tick, editor, method, target, status, size, logs.AGENTS[1])))
        if not day:
            case.plant(
                "An editor uploaded a file", SOURCE, log, "web.access", (editor, form, shown.posix(begun)), FRAME
            )
    if dice.random() < 0.5:
        return
    page, account = dice.choice(("/ops/diag.php", "/cgi-bin/tools.cgi")), world.administrator.given.lower()
    for day in range(-13, 9, dice.randrange(2, 5)):
        for number, command in enumerate(("ping+-c+3+192.0.2.1", "netstat+-i", "ps+ax")):
            tick = host.moment(case, day, f"09:{dice.randrange(60):02d}:{10 + number}")
            entry = logs.access(tick, world.office, "GET", f"{page}?cmd={command}", 200, dice.randrange(200, 4_000))
            access.append((tick, entry.replace(" - - [", f" - {account} [", 1)))
    seen = (world.office, page, account)
    case.decoy(f"{page} is a web shell", "the operator's own page, behind a login", SOURCE, log, seen, FRAME)
