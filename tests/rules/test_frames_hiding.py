"""Frames on paper, mail rules, the clock, hiding, overwriting, anonymity and resets: where they fire and where they must not."""

from __future__ import annotations

from pathlib import Path

import pytest
from frame_cases import Records, said
from scenes import Rows, event, listed, row, started
from scenes_frames import BY_ACCOUNT, BY_SERVICE, JOB, PRINT, SET_BACK, SET_FORWARD, audit_log, clock, shell, visit

from wigmore.model.protocols import Record

Case = tuple[dict[str, str], Records, Records, Records]  # the source; the act; the innocent twin; without what decides


def of(**artifacts: Rows) -> dict[str, list[Record]]:
    """Records by artifact (`__` stands for a dot) and path."""
    made: dict[str, list[Record]] = {}
    for name, rows in artifacts.items():
        for path, record in rows:
            artifact = name.replace("__", ".")
            made.setdefault(artifact if path == "files/evidence" else f"{artifact}@{path}", []).append(record)
    return made


TO_FILE = {**JOB, "Param5": "Microsoft Print to PDF", "Param6": "PORTPROMPT:"}
SPOOLED = [listed("Windows/System32/spool/PRINTERS/00002.SPL")]
FORWARDED = row(
    {"subject": "FW: offer", "auto_submitted": "auto-forwarded", "to": "x@example.net", "from": "a@example.org"}
)
DIVERTS = row(audit_log("New-InboxRule", ("Name", "."), ("ForwardTo", "x@example.net")))
FILES = row(audit_log("New-InboxRule", ("Name", "lists"), ("MoveToFolder", "Newsletters")))
TWICE = [clock(**BY_ACCOUNT, **SET_BACK), clock("2026-03-02T10:05:00Z", **BY_ACCOUNT, **SET_FORWARD)]
SERVICE = [clock(**BY_SERVICE, **SET_BACK), clock("2026-03-02T10:05:00Z", **BY_SERVICE, **SET_FORWARD)]
HISTORY = row(shell("sudo timedatectl set-time '2026-01-02 10:00:00'"))
MISNAMED = [listed("Users/a/Documents/driver.dll", type="JPEG")]
OF_PROGRAMS = [listed("Program Files/x/data.dll", type="JPEG")]
HIDES = started("attrib +h +s C:\\Users\\a\\box")
WIPES = started("cipher /w:C:\\")
RENAMES = [
    row(
        {"name": letter * 8, "reasons": "RENAME_NEW_NAME", "file_record": 40, "file_sequence": 2, "usn": n},
        changed_at="2026-03-02T10:00:00Z",
    )
    for n, letter in enumerate("AFKPZ")
]
RETRIM = event(258, "Microsoft-Windows-Defrag", param1="retrim", param2="(C:)")
WIPER = row(
    {"executable": "SDELETE64.EXE", "executable_path": "\\V\\T\\SDELETE64.EXE", "run_count": 1},
    last_run="2026-03-02T10:00:00Z",
)
TOR = row(
    {"executable": "TOR.EXE", "executable_path": "\\V\\T\\TOR.EXE", "run_count": 2}, last_run="2026-03-02T10:00:00Z"
)
TOR_BYTES = row(
    {"application": "\\t\\tor.exe", "application_name": "tor.exe", "bytes_received": 900000, "bytes_sent": 9},
    recorded_at="2026-03-02T10:00:00Z",
)
TOR_PAGE = visit("https://www.torproject.org/download/", "Download Tor")
RECOVERY = row({"text": 'Command: "--wipe_data"'}, path="cache/recovery/last_log")
REQUESTED = row({"tag": "MasterClear", "message": "MASTER_CLEAR received"}, logged_at="2026-03-02T10:00:00Z")
PROPERTIES = row({"ro.product.model": "x"})

CASES: dict[str, Case] = {
    "paper_or_disc": (
        {},
        of(windows__eventlog=[event(307, PRINT, **JOB)], file_listing=SPOOLED),
        of(windows__eventlog=[event(307, PRINT, **TO_FILE)], file_listing=SPOOLED),
        of(file_listing=SPOOLED),
    ),
    "mail_rules_set": (
        {"type": "mailbox", "platform": "unknown"},
        of(cloud__microsoft365=[DIVERTS], mail__message=[FORWARDED]),
        of(cloud__microsoft365=[FILES], mail__message=[FORWARDED]),
        of(mail__message=[FORWARDED]),
    ),
    "clock_moved": (
        {},
        of(windows__eventlog=TWICE, linux__history=[HISTORY]),
        of(windows__eventlog=SERVICE, linux__history=[row(shell("timedatectl status"))]),
        of(linux__history=[HISTORY]),
    ),
    "content_hidden": (
        {},
        of(windows__eventlog=[HIDES], file_listing=MISNAMED),
        of(windows__eventlog=[HIDES], file_listing=OF_PROGRAMS),
        of(windows__eventlog=[HIDES]),
    ),
    "data_overwritten": (
        {},
        of(windows__eventlog=[WIPES], windows__ntfs__usn=RENAMES, windows__prefetch=[WIPER]),
        of(windows__eventlog=[RETRIM], windows__ntfs__usn=RENAMES[:1], windows__prefetch=[WIPER]),
        of(windows__prefetch=[WIPER]),
    ),
    "anonymity_used": (
        {},
        of(windows__prefetch=[TOR], windows__srum__network_usage=[TOR_BYTES], browser__firefox__visit=[TOR_PAGE]),
        of(windows__prefetch=[WIPER], windows__srum__network_usage=[], browser__firefox__visit=[TOR_PAGE]),
        of(browser__firefox__visit=[TOR_PAGE, visit("http://" + "a" * 56 + ".onion/", "Library")]),
    ),
    "factory_reset": (
        {"type": "mobile_extraction", "platform": "android"},
        of(generic__text=[RECOVERY], android__logcat=[REQUESTED], file_listing=[listed("data/system/packages.xml")]),
        of(android__logcat=[REQUESTED], file_listing=[listed("data/system/packages.xml")]),
        of(android__logcat=[REQUESTED], android__build_properties=[PROPERTIES]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("frame", sorted(CASES))
def test_the_frame_fires_on_its_act_and_not_on_the_prerequisites(frame: str, tmp_path: Path) -> None:
    source, act, innocent, _ = CASES[frame]
    for name in ("act", "innocent"):
        (tmp_path / name).mkdir()
    fired = said(tmp_path / "act", act, **source)
    assert fired.verdict(frame) == "concluded", fired.verdicts.get(frame)
    left = said(tmp_path / "innocent", innocent, **source)
    assert left.verdict(frame) not in ("concluded", "contested"), left.verdicts.get(frame)


@pytest.mark.parametrize("frame", sorted(CASES))
def test_without_its_decisive_artifact_the_frame_is_not_concluded(frame: str, tmp_path: Path) -> None:
    source, _, _, partial = CASES[frame]
    held = said(tmp_path, partial, **source)
    assert held.verdict(frame) != "concluded", held.verdicts.get(frame)
