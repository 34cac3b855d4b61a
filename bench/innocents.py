"""Innocent cases: how many technique phenomena (rules with an ATT&CK technique) triage raises per 10,000 event records.

`python bench/innocents.py WORK [--seeds N] [--events N]`. Three kinds of cases a seed, all values fictional:

- *engineer*: the generator's scenario `departing_engineer`, innocent, (laptop, telephones, server) with that much noise, run by
  the whole product; its server is knocked at from outside with 48 passwords, which rules name rightly.

- *windows*: a stream of records as the event-log parser yields them (Security, Sysmon, PowerShell, System, scheduler,
  sessions, Defender, transfers) of an office of some twenty hosts, put through the triage's own scan and matches. No writer
  of the binary log format exists here, so the parser itself is not part of this measure.
- *server*: text files (Apache access log, auth.log, shell history) by the generator's writers, run by the whole product.

Look-alikes are among them: plain administrators' scripts, updaters' tasks, services of installers, remote desktop by the
owner, mistyped passwords, `net use`, crawlers' 404s, an account made by the help desk, downloads by command line.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from wigmore.api.demo import make
from wigmore.generator.linux import logs
from wigmore.model.protocols import Record
from wigmore.model.times import iso
from wigmore.records.indicators import match, scan
from wigmore.records.rows import RowMaker
from wigmore.records.rules import OWN_RULES, load_indicators
from wigmore.records.store import RecordStore

AUDIT, SYSMON = "Microsoft-Windows-Security-Auditing", "Microsoft-Windows-Sysmon"
START = datetime(2025, 3, 3, 7, tzinfo=UTC)
COMMAND = (sys.executable, "-m", "wigmore.cli.main")
SYSTEM32 = "C:\\Windows\\System32\\"
LINES = (  # (program, line, parent), the commoner ones several times
    *[("svchost.exe", SYSTEM32 + "svchost.exe -k netsvcs -p -s Schedule", "services.exe")] * 6,
    *[("backgroundTaskHost.exe", '"C:\\Windows\\system32\\backgroundTaskHost.exe" -ServerName:App', "svchost.exe")] * 4,
    *[("conhost.exe", "\\??\\C:\\Windows\\system32\\conhost.exe 0xffffffff -ForceV1", "cmd.exe")] * 3,
    *[("RuntimeBroker.exe", SYSTEM32 + "RuntimeBroker.exe -Embedding", "svchost.exe")] * 3,
    *[("SearchProtocolHost.exe", SYSTEM32 + "SearchProtocolHost.exe Global\\UsGthrFltPipeMssGthrPipe1", "svchost.exe")]
    * 3,
    ("taskhostw.exe", "taskhostw.exe KEYROAMING", "svchost.exe"),
    ("dllhost.exe", SYSTEM32 + "DllHost.exe /Processid:{AB8902B4-09CA-4BB6-B78D-A8F59079A8D5}", "svchost.exe"),
    ("cmd.exe", "cmd /c ver", "explorer.exe"),
    ("cmd.exe", '"C:\\Windows\\System32\\cmd.exe" /c dir \\\\files01\\projects', "explorer.exe"),
    ("net.exe", "net use Z: \\\\files01\\projects /persistent:yes", "cmd.exe"),
    ("net.exe", "net use", "cmd.exe"),
    ("ipconfig.exe", "ipconfig /all", "cmd.exe"),
    ("ipconfig.exe", "ipconfig /flushdns", "cmd.exe"),
    ("whoami.exe", "whoami", "cmd.exe"),
    ("ping.exe", "ping -n 2 files01", "cmd.exe"),
    ("powershell.exe", "powershell.exe -NoProfile -File C:\\Admin\\Scripts\\disk-report.ps1", "svchost.exe"),
    (
        "powershell.exe",
        "powershell.exe -ExecutionPolicy RemoteSigned -File C:\\Admin\\Scripts\\inventory.ps1",
        "svchost.exe",
    ),
    ("powershell.exe", "powershell.exe -Command Get-Service Spooler", "cmd.exe"),
    ("gpupdate.exe", "gpupdate /force", "cmd.exe"),
    ("gpresult.exe", "gpresult /r", "cmd.exe"),
    ("schtasks.exe", "schtasks /query /fo list /v", "cmd.exe"),
    (
        "schtasks.exe",
        'schtasks /Create /TN "Vendor Update" /SC DAILY /TR "C:\\Program Files\\Vendor\\update.exe"',
        "setup.exe",
    ),
    ("certutil.exe", "certutil -hashfile C:\\Users\\a\\Documents\\image.iso SHA256", "cmd.exe"),
    ("regsvr32.exe", "regsvr32.exe /s C:\\Windows\\System32\\msxml6.dll", "msiexec.exe"),
    ("rundll32.exe", "rundll32.exe printui.dll,PrintUIEntry /il", "explorer.exe"),
    ("rundll32.exe", "rundll32.exe shell32.dll,Control_RunDLL timedate.cpl", "explorer.exe"),
    (
        "rundll32.exe",
        "C:\\Windows\\system32\\rundll32.exe C:\\Windows\\system32\\PcaSvc.dll,PcaPatchSdbTask",
        "svchost.exe",
    ),
    ("msiexec.exe", "msiexec.exe /i C:\\Software\\viewer.msi /qn /norestart", "cmd.exe"),
    ("wmic.exe", "wmic os get caption", "cmd.exe"),
    ("sc.exe", "sc query wuauserv", "cmd.exe"),
    ("reg.exe", 'reg query "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion" /v ProductName', "cmd.exe"),
    ("tasklist.exe", 'tasklist /fi "imagename eq outlook.exe"', "cmd.exe"),
    ("netsh.exe", "netsh interface ip show config", "cmd.exe"),
    ("netsh.exe", "netsh wlan show interfaces", "cmd.exe"),
    ("bcdedit.exe", "bcdedit /enum", "cmd.exe"),
    ("vssadmin.exe", "vssadmin list shadows", "cmd.exe"),
    ("wevtutil.exe", "wevtutil qe System /c:5 /f:text", "cmd.exe"),
    ("robocopy.exe", "robocopy C:\\Users\\a\\Documents \\\\files01\\home\\a /MIR", "svchost.exe"),
    ("mmc.exe", '"C:\\Windows\\system32\\mmc.exe" C:\\Windows\\system32\\dsa.msc', "explorer.exe"),
    ("mstsc.exe", '"C:\\Windows\\system32\\mstsc.exe" /v:app01', "explorer.exe"),
    ("cscript.exe", "cscript.exe //nologo C:\\Windows\\System32\\slmgr.vbs /dli", "cmd.exe"),
    ("wscript.exe", "wscript.exe \\\\corp.example.com\\netlogon\\logon.vbs", "userinit.exe"),
    ("msbuild.exe", "MSBuild.exe C:\\src\\viewer\\viewer.sln /t:Build", "devenv.exe"),
    ("git.exe", "git fetch origin", "Code.exe"),
    ("7z.exe", "7z a D:\\backup\\projects.7z C:\\projects", "cmd.exe"),
    ("curl.exe", "curl --silent https://status.vendor.example.com/health", "cmd.exe"),
    ("findstr.exe", "findstr /i error C:\\Logs\\app.log", "cmd.exe"),
    ("attrib.exe", "attrib -r C:\\projects\\plan.xlsx", "cmd.exe"),
    ("forfiles.exe", 'forfiles /p C:\\Logs /m *.log /d -30 /c "cmd /c del @path" & rem logfiles', "svchost.exe"),
    ("MpCmdRun.exe", '"C:\\Program Files\\Windows Defender\\MpCmdRun.exe" -SignatureUpdate', "svchost.exe"),
    (
        "GoogleUpdate.exe",
        '"C:\\Program Files (x86)\\Google\\Update\\GoogleUpdate.exe" /ua /installsource scheduler',
        "svchost.exe",
    ),
    (
        "OneDriveSetup.exe",
        "C:\\Users\\a\\AppData\\Local\\Microsoft\\OneDrive\\Update\\OneDriveSetup.exe /update",
        "OneDrive.exe",
    ),
    ("setup.exe", 'C:\\Users\\a\\AppData\\Local\\Temp\\is-7ABCD.tmp\\setup.tmp /SL5="$50A2C"', "viewer-setup.exe"),
)
SCRIPTS = (
    "Get-ChildItem C:\\Logs -Filter *.log | Where-Object LastWriteTime -lt (Get-Date).AddDays(-30) | Remove-Item",
    "Import-Module ActiveDirectory; Get-ADUser -Filter * -Properties LastLogonDate | Export-Csv C:\\Admin\\users.csv",
    "Get-CimInstance Win32_LogicalDisk | Select-Object DeviceID, FreeSpace",
    "param([string]$Name) Restart-Service -Name $Name -Force",
    "Get-EventLog -LogName System -Newest 20",
    "prompt",
    "Test-NetConnection files01 -Port 445",
    "$total = 0; foreach ($f in $files) { $total += $f.Length }; Write-Output $total",
    "Update-Help -UICulture en-US",
    "Get-MpComputerStatus | Select-Object AntivirusSignatureAge",
)
FILES = (
    "C:\\Users\\{u}\\Downloads\\invoice-{n}.pdf",
    "C:\\Users\\{u}\\AppData\\Local\\Temp\\{n}.tmp",
    "C:\\Users\\{u}\\Documents\\plan-{n}.xlsx",
    "C:\\Windows\\Prefetch\\APP-{n}.pf",
    "C:\\Users\\{u}\\AppData\\Roaming\\Microsoft\\Windows\\Recent\\plan-{n}.xlsx.lnk",
    "C:\\Users\\{u}\\Downloads\\viewer-setup-{n}.exe",
    "C:\\ProgramData\\Microsoft\\Windows Defender\\Scans\\{n}.bin",
)
KEYS = (
    ("HKLM\\System\\CurrentControlSet\\Services\\bam\\State\\UserSettings\\S-1-5-21-1-2-3-1105", "Binary Data"),
    (
        "HKU\\S-1-5-21-1-2-3-1105\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\OneDrive",
        '"C:\\Users\\a\\AppData\\Local\\Microsoft\\OneDrive\\OneDrive.exe" /background',
    ),
    (
        "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run\\SecurityHealth",
        "C:\\Windows\\system32\\SecurityHealthSystray.exe",
    ),
    (
        "HKU\\S-1-5-21-1-2-3-1105\\Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\RunMRU\\a",
        "\\\\files01\\projects\\1",
    ),
    ("HKLM\\System\\CurrentControlSet\\Services\\VendorUpdate\\ImagePath", "C:\\Program Files\\Vendor\\service.exe"),
    (
        "HKCR\\CLSID\\{11111111-2222-3333-4444-555555555555}\\InprocServer32\\(Default)",
        "C:\\Program Files\\Vendor\\ext.dll",
    ),
    ("HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate\\AU\\AUOptions", "DWORD (0x00000004)"),
)


def event(number: int, provider: str, computer: str, **values: Any) -> dict[str, Any]:
    return {"event_id": number, "provider": provider, "computer": computer, **values}


def windows_event(draw: random.Random, number: int) -> dict[str, Any]:
    """One event of an ordinary working day."""
    host = draw.randrange(1, 21)
    computer, user = f"PC{host:02d}.corp.example.com", f"user{host:02d}"
    address = f"10.20.0.{host}"
    sid = f"S-1-5-21-1-2-3-{1100 + host}"
    kind = draw.choices(
        (
            "logon",
            "logoff",
            "privilege",
            "start",
            "start_sysmon",
            "ticket",
            "network",
            "library",
            "access",
            "file",
            "registry",
            "name",
            "script",
            "service",
            "task",
            "session",
            "defender",
            "mistyped",
            "transfer",
            "group",
        ),
        (180, 150, 80, 110, 80, 70, 50, 60, 20, 60, 60, 50, 25, 5, 20, 6, 5, 4, 3, 4),
    )[0]
    if kind == "logon":
        how = draw.choice((3, 3, 3, 5, 5, 7, 2, 11))
        machine = draw.random() < 0.5
        return event(
            4624,
            AUDIT,
            computer,
            LogonType=how,
            TargetUserName=computer.split(".")[0] + "$" if machine else user,
            TargetUserSid="S-1-5-18" if machine or how == 5 else sid,
            IpAddress=address if how == 3 else "127.0.0.1" if how in (2, 7) else "-",
            LogonProcessName="Kerberos" if how == 3 else "User32 ",
            AuthenticationPackageName="Kerberos" if how == 3 else "Negotiate",
            KeyLength="0",
            SubjectUserSid="S-1-0-0" if how == 3 else "S-1-5-18",
            WorkstationName="-",
        )
    if kind == "logoff":
        return event(4634, AUDIT, computer, TargetUserName=user, TargetUserSid=sid, LogonType=3)
    if kind == "privilege":
        return event(
            4672, AUDIT, computer, SubjectUserName="SYSTEM", SubjectUserSid="S-1-5-18", PrivilegeList="SeDebugPrivilege"
        )
    if kind in ("start", "start_sysmon"):
        program, line, parent = draw.choice(LINES)
        image = program if ":" in program else SYSTEM32 + program
        if kind == "start":
            return event(
                4688,
                AUDIT,
                computer,
                NewProcessName=image,
                CommandLine=line,
                ParentProcessName=SYSTEM32 + parent,
                SubjectUserName=user,
                SubjectUserSid=sid,
            )
        return event(
            1,
            SYSMON,
            computer,
            Image=image,
            CommandLine=line,
            ParentImage=SYSTEM32 + parent,
            User=f"CORP\\{user}",
            OriginalFileName=program,
            IntegrityLevel="Medium",
            ParentCommandLine=SYSTEM32 + parent,
        )
    if kind == "ticket":
        return event(
            draw.choice((4768, 4769, 4769)),
            AUDIT,
            "DC01.corp.example.com",
            TargetUserName=user,
            ServiceName=draw.choice(("krbtgt", "FILES01$", "DC01$", "svc-web")),
            TicketEncryptionType="0x12",
            Status="0x0",
            TicketOptions="0x40810000",
            PreAuthType="2",
            IpAddress=f"::ffff:{address}",
        )
    if kind == "network":
        image = draw.choice(
            (
                "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
                SYSTEM32 + "svchost.exe",
                "C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE",
            )
        )
        return event(
            3,
            SYSMON,
            computer,
            Image=image,
            Initiated=True,
            SourceIp=address,
            DestinationIp="192.0.2.10",
            DestinationPort=443,
        )
    if kind == "library":
        return event(
            7,
            SYSMON,
            computer,
            Image=SYSTEM32 + draw.choice(("svchost.exe", "explorer.exe", "taskhostw.exe")),
            Signed="true",
            ImageLoaded=SYSTEM32 + draw.choice(("version.dll", "dbghelp.dll", "taskschd.dll", "clr.dll", "samlib.dll")),
        )
    if kind == "access":
        return event(
            10,
            SYSMON,
            computer,
            SourceImage=draw.choice(
                (SYSTEM32 + "svchost.exe", "C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\4\\MsMpEng.exe")
            ),
            TargetImage=SYSTEM32 + draw.choice(("lsass.exe", "svchost.exe")),
            GrantedAccess=draw.choice(("0x1000", "0x1400", "0x1410")),
            CallTrace="C:\\Windows\\SYSTEM32\\ntdll.dll+9d4c4",
        )
    if kind == "file":
        return event(
            11,
            SYSMON,
            computer,
            TargetFilename=draw.choice(FILES).format(u=user, n=number),
            Image="C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
        )
    if kind == "registry":
        key, value = draw.choice(KEYS)
        return event(
            13, SYSMON, computer, EventType="SetValue", TargetObject=key, Details=value, Image=SYSTEM32 + "svchost.exe"
        )
    if kind == "name":
        return event(
            22,
            SYSMON,
            computer,
            QueryName=draw.choice(("www.example.com", "login.example.org", "files01.corp.example.com")),
            Image="C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
        )
    if kind == "script":
        return event(
            4104,
            "Microsoft-Windows-PowerShell",
            computer,
            ScriptBlockText=draw.choice(SCRIPTS),
            ScriptBlockId=f"id-{number}",
        )
    if kind == "service":
        return event(
            7045,
            "Service Control Manager",
            computer,
            ServiceName=draw.choice(("Vendor Update Service", "Print Helper", "MpKsl1a2b")),
            ImagePath=draw.choice(
                ('"C:\\Program Files\\Vendor\\service.exe"', "C:\\Windows\\System32\\drivers\\helper.sys")
            ),
            ServiceType="user mode service",
            StartType="auto start",
            AccountName="LocalSystem",
        )
    if kind == "task":
        return event(
            draw.choice((200, 201, 129, 106)),
            "Microsoft-Windows-TaskScheduler",
            computer,
            TaskName="\\Vendor Update",
            Path="C:\\Program Files\\Vendor\\update.exe",
            ActionName="C:\\Program Files\\Vendor\\update.exe",
        )
    if kind == "session":
        return event(
            21,
            "Microsoft-Windows-TerminalServices-LocalSessionManager",
            computer,
            User=f"CORP\\{user}",
            Address="LOCAL",
        )
    if kind == "defender":
        return event(draw.choice((2000, 1150, 1001)), "Microsoft-Windows-Windows Defender", computer)
    if kind == "mistyped":
        return event(
            4625,
            AUDIT,
            computer,
            TargetUserName=user,
            LogonType=2,
            IpAddress="127.0.0.1",
            Status="0xc000006d",
            SubStatus="0xc000006a",
        )
    if kind == "transfer":
        return event(
            59,
            "Microsoft-Windows-Bits-Client",
            computer,
            url="https://download.windowsupdate.com/c/msdownload/update.cab",
            name="WU Client Download",
        )
    return event(
        4799,
        AUDIT,
        computer,
        CallerProcessName=SYSTEM32 + "svchost.exe",
        TargetUserName="Administrators",
        SubjectUserSid="S-1-5-18",
    )


def occasions(draw: random.Random) -> list[dict[str, Any]]:
    """What happens once in such an office: the look-alikes that rules may well name."""
    admin = {"SubjectUserName": "helpdesk", "SubjectUserSid": "S-1-5-21-1-2-3-1100"}
    owner = f"PC{draw.randrange(1, 21):02d}.corp.example.com"
    return [
        event(
            4720,
            AUDIT,
            "DC01.corp.example.com",
            TargetUserName="new.colleague",
            TargetSid="S-1-5-21-1-2-3-1301",
            **admin,
        ),
        event(
            4728,
            AUDIT,
            "DC01.corp.example.com",
            TargetUserName="Sales",
            TargetSid="S-1-5-21-1-2-3-1200",
            MemberSid="S-1-5-21-1-2-3-1301",
            **admin,
        ),
        event(
            4624,
            AUDIT,
            owner,
            LogonType=10,
            TargetUserName="user01",
            TargetUserSid="S-1-5-21-1-2-3-1101",
            IpAddress="10.20.0.200",
        ),
        event(4741, AUDIT, "DC01.corp.example.com", TargetUserName="PC21$", **admin),
        event(
            4698,
            AUDIT,
            owner,
            TaskName="\\Backup",
            TaskContent="<Command>C:\\Program Files\\Backup\\run.exe</Command>",
            **admin,
        ),
        event(
            1,
            SYSMON,
            owner,
            Image=SYSTEM32 + "curl.exe",
            CommandLine="curl -L -o tool.zip https://vendor.example.com/tool.zip",
            ParentImage=SYSTEM32 + "cmd.exe",
            User="CORP\\helpdesk",
            OriginalFileName="curl.exe",
        ),
    ]


def windows_stream(seed: int, count: int) -> Iterator[Record]:
    draw = random.Random(f"innocent-{seed}")  # a reproducible stream, no secret
    rare = dict(zip(draw.sample(range(count), 6), occasions(draw), strict=True))
    at = START
    for number in range(count):
        at += timedelta(seconds=draw.expovariate(1 / 6))
        data = rare.get(number) or windows_event(draw, number)
        yield Record(data, {"time_created": iso(at.strftime("%Y-%m-%dT%H:%M:%SZ"))}, "time_created")


def windows_case(work: Path, seed: int, count: int) -> Counter[str]:
    """The technique phenomena that triage's scan and matches find in one stream, by rule."""
    rules = {r.id: r for r in load_indicators([OWN_RULES]).values() if r.phase == "triage"}
    store = RecordStore(work / f"windows-{seed}")
    maker = RowMaker("src", "Security.evtx", None, "windows.eventlog")
    spool = work / f"windows-{seed}.jsonl"
    stream = enumerate(windows_stream(seed, count))
    spool.write_bytes(b"".join(maker.line(n, {"kind": "record", "number": n}, r)[2] for n, r in stream))
    store.add([store.write_part("src", "windows.eventlog", [spool])])
    hits = scan(store, rules.values(), None, rules.values())
    found = Counter(
        {n: len(match(store, rules[n], "src", {}, catalogue=rules.values())) for n in sorted(hits) if rules[n].attack}
    )
    store.close()
    return found


def server_case(work: Path, seed: int, count: int) -> Counter[str]:
    """The technique phenomena of one server's text logs, run by the whole product, by rule."""
    draw = random.Random(f"innocent-server-{seed}")  # a reproducible case, no secret
    root = work / f"server-{seed}" / "evidence"
    (root / "var/log/apache2").mkdir(parents=True, exist_ok=True)
    (root / "home/admin").mkdir(parents=True, exist_ok=True)
    end = START + timedelta(days=5)
    lines = list(logs.ordinary_access(draw, START, end, count))
    for number in range(count // 200):  # a crawler that follows old links, searches, a form
        at = START + timedelta(minutes=7 * number)
        crawler, visitor = "Mozilla/5.0 (compatible; Examplebot/2.1; +http://bot.example.org)", "192.0.2.44"
        lines.append((at, logs.access(at, "198.51.100.9", "GET", f"/old/page-{number}.html", 404, 196, crawler)))
        lines.append((at, logs.access(at, visitor, "GET", "/search?q=union+of+select+committees&page=2", 200, 5_012)))
        lines.append((at, logs.access(at, visitor, "POST", "/contact.php", 302, 0)))
    lines.sort()
    (root / "var/log/apache2/access.log").write_text("".join(line + "\n" for _, line in lines))
    auth = []
    for number in range(count // 10):
        at = START + timedelta(minutes=number)
        if number % 97 == 5:
            auth.append(logs.failed_password(at, "web01", 4000 + number, "admin", "10.20.0.7", 50_000, True))
        auth += [
            logs.accepted(at, "web01", 4000 + number, "admin", "10.20.0.7", 50_001, "publickey"),
            logs.session(at, "web01", 4000 + number, "admin"),
        ]
        auth.append(
            logs.line(
                at, "web01", "sudo", "admin : TTY=pts/0 ; PWD=/home/admin ; USER=root ; COMMAND=/usr/bin/apt-get update"
            )
        )
        auth.append(
            logs.line(
                at, "web01", "CRON", "pam_unix(cron:session): session opened for user root by (uid=0)", 5000 + number
            )
        )
    (root / "var/log/auth.log").write_text("".join(line + "\n" for line in auth))
    typed = (
        "ls -la",
        "cd /var/www",
        "sudo apt update",
        "tail -f /var/log/apache2/error.log",
        "vim index.php",
        "df -h",
        "systemctl status apache2",
        "git pull",
        "ssh backup01",
        "scp report.txt backup01:/srv/",
        "crontab -l",
        "ps aux | grep apache",
        "history",
        "exit",
    )
    (root / "home/admin/.bash_history").write_text("".join(draw.choice(typed) + "\n" for _ in range(400)))
    case = work / f"server-{seed}" / "case"
    subprocess.run(
        [*COMMAND, "run", str(root), "-o", str(case), "--progress", "none"], stdout=subprocess.DEVNULL, check=False
    )
    return named(case)


def engineer_case(work: Path, seed: int, count: int) -> tuple[Counter[str], int]:
    """The technique phenomena of the generator's innocent scenario, by rule, and how many event records it holds."""
    _, case = make(work / f"engineer-{seed}", variant="innocent", seed=seed + 1, noise=count)
    subprocess.run([*COMMAND, "run", str(case), "--progress", "none"], stdout=subprocess.DEVNULL, check=False)
    return named(case), sum(1 for row in shown(case, "records") if row["artifact"] != "file_listing")


def shown(case: Path, view: str) -> Iterator[dict[str, Any]]:
    """The rows of a view of a case."""
    text = subprocess.run(
        [*COMMAND, "show", str(case), view, "-t", "jsonl"], capture_output=True, text=True, check=True
    )
    return map(json.loads, text.stdout.splitlines())


def named(case: Path) -> Counter[str]:
    """The technique phenomena of a case, by rule."""
    return Counter(row["rule"] for row in shown(case, "phenomena") if row["attack"] and not row["negative"])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("work", type=Path)
    options.add_argument("--seeds", type=int, default=4)
    options.add_argument("--events", type=int, default=20_000, help="events of each case")
    given = options.parse_args()
    work = given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    total: Counter[str] = Counter()
    for seed in range(given.seeds):
        for name in ("windows", "server", "engineer"):
            events = given.events
            if name == "engineer":
                found, events = engineer_case(work, seed, given.events)
            else:
                found = (windows_case if name == "windows" else server_case)(work, seed, given.events)
            rate = sum(found.values()) / events * 10_000
            print(f"{name} {seed}: {sum(found.values())} of {events:,} events ({rate:.2f} per 10,000): {dict(+found)}")
            total[f"{name} found"] += sum(found.values())
            total[f"{name} events"] += events
    for name in ("windows", "server", "engineer"):
        rate = total[f"{name} found"] / total[f"{name} events"] * 10_000
        print(f"{name}: {rate:.2f} technique phenomena per 10,000 events ({total[f'{name} events']:,} events)")


if __name__ == "__main__":
    main()
