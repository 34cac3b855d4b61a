"""The laptop's browsers: Chrome's searches, downloads and upload page, Firefox's visits."""

from __future__ import annotations

from datetime import timedelta

from wigmore.generator import shown
from wigmore.generator.browser import chrome, firefox
from wigmore.generator.case import Case

SITES = (
    ("https://news.example.com/", "Example News"),
    ("https://intranet.northwind-turbines.example.com/", "Intranet"),
    ("https://weather.example.org/today", "Weather today"),
    ("https://forum.example.net/rotors", "Rotor forum"),
)
UPLOAD = "https://drop.filehost.test/upload"
DONE = "https://drop.filehost.test/done?files=1"


def ordinary(case: Case, purpose: str, count: int) -> list[chrome.Visit]:
    """`count` ordinary visits in the six weeks before the end of the period."""
    draw = case.world.random(purpose)
    start, span = case.world.at(-40, "08:00:01"), 44 * 86_400
    found = []
    for _ in range(count):
        url, title = draw.choice(SITES)
        at = start + timedelta(seconds=draw.randrange(span), microseconds=draw.randrange(1, 999_999))
        found.append(chrome.Visit(at, url, title, seconds=draw.randrange(2, 300)))
    return found


def build(case: Case, source: str, folder: str) -> None:
    """Write Chrome's History and Firefox's places."""
    _chrome(case, source, folder)
    _firefox(case, source, folder)


def _chrome(case: Case, source: str, folder: str) -> None:
    world = case.world
    path = f"Users/{world.account}/AppData/Local/Google/Chrome/User Data/Default/History"
    visits = ordinary(case, "chrome", 12 + case.noise // 5)
    got = world.at(1, "19:58:02")
    installer = "https://download.anydesk.example/AnyDesk.exe"
    target = f"C:\\Users\\{world.account}\\Downloads\\AnyDesk.exe"
    downloads = [
        chrome.Download(
            got, got + timedelta(seconds=4), installer, target, 4_096_512, "application/x-msdownload", opened=True
        )
    ]
    synced = world.at(-3, "22:10:44")
    visits.append(chrome.Visit(synced, "https://www.rivaldyne.test/careers", "Careers - Rivaldyne", source=0))
    searched = world.at(2, "13:22:10")
    term = "erase files so they cannot be recovered" if case.guilty else "open pictures from usb stick"
    visits.append(chrome.search(searched, term))
    artifact = "browser.chromium.visit"
    case.plant(
        "The account's Chrome profile holds this search",
        source,
        path,
        "browser.chromium.search",
        (term, shown.webkit(searched)),
        "deletion_wiping" if case.guilty else None,
    )
    case.plant(
        "Chrome downloaded the AnyDesk program",
        source,
        path,
        "browser.chromium.download",
        (installer, target, shown.webkit(got)),
        "remote_access_tool",
    )
    case.decoy(
        "The rival's careers page was visited on the laptop",
        "the visit was synchronised from another device",
        source,
        path,
        ("https://www.rivaldyne.test/careers", shown.webkit(synced)),
        "contact_between_parties",
    )
    opened = world.at(3, "20:04:19")
    visits.append(chrome.Visit(opened, UPLOAD, "Upload files", chrome.TYPED | chrome.CHAIN_END, 240.0))
    case.plant(
        "The upload page of a file host was open in Chrome",
        source,
        path,
        artifact,
        (UPLOAD, shown.webkit(opened)),
        "cloud_upload",
    )
    if case.guilty:
        done = opened + timedelta(minutes=3, seconds=41, microseconds=1_234)
        visits.append(
            chrome.Visit(
                done, DONE, f"Upload complete: {world.project}_export.7z", chrome.FORM_SUBMIT | chrome.CHAIN_END
            )
        )
        case.plant(
            "The file host reported the upload of the project's archive as complete",
            source,
            path,
            artifact,
            (DONE, f"{world.project}_export.7z", shown.webkit(done)),
            "cloud_upload",
        )
        tool = world.at(2, "13:25:47")
        place = f"C:\\Users\\{world.account}\\Downloads\\SDelete.zip"
        url = "https://download.sysinternals.example/files/SDelete.zip"
        downloads.append(chrome.Download(tool, tool + timedelta(seconds=2), url, place, 521_331, "application/zip"))
        case.plant(
            "Chrome downloaded a wiping tool",
            source,
            path,
            "browser.chromium.download",
            (url, place, shown.webkit(tool)),
            "deletion_wiping",
        )
    chrome.history(case.place(folder, path), visits, downloads)
    case.date(folder, path, world.at(4, "17:50:00"))


def _firefox(case: Case, source: str, folder: str) -> None:
    world = case.world
    path = f"Users/{world.account}/AppData/Roaming/Mozilla/Firefox/Profiles/k3x9demo.default-release/places.sqlite"
    at = world.at(0, "12:31:45")
    url = "https://mail.example.com/inbox"
    visits = [
        firefox.Visit(at, url, "Inbox"),
        firefox.Visit(at - timedelta(days=2), "https://news.example.com/", "Example News", firefox.TYPED),
    ]
    saved = world.at(2, "12:44:09")
    pdf = "https://mail.example.com/attachment/offer_draft.pdf"
    place = f"file:///C:/Users/{world.account}/Downloads/offer_draft.pdf"
    visits.append(firefox.Visit(saved, pdf, "offer_draft.pdf", firefox.DOWNLOAD, place, 88_410))
    firefox.places(case.place(folder, path), visits)
    case.date(folder, path, world.at(2, "12:50:00"))
    case.plant(
        "Firefox holds a visit to a private mailbox", source, path, "browser.firefox.visit", (url, shown.posix_us(at))
    )
    case.plant("Firefox downloaded a draft offer", source, path, "browser.firefox.visit", (pdf, shown.posix_us(saved)))
