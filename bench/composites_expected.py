"""What is publicly known of the composite cases, one line an act: the tables of composites.py.

Case 1: the README ("Actions", numbers in brackets) and the batch files of github.com/NextronSystems/APTSimulator, in own words;
rows D392 to D403 of FACTS.csv say which of them are known to have run. Case 2: rows D137 to D174 (iLEAPP's expected results).
Case 3: the hives are of SANS' intruded "shieldbase" machines; rows D409 to D412 and what their own entries name. Case 4: rows
D415 to D420. Techniques are of ATT&CK 18.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Act:
    """An act: its techniques (one must be named), the rules that may tell of it, what a cited fact must hold, and the terms
    to look for where no rule told of it. `recorded_only` for what is ordinary by itself: a record is enough."""

    what: str
    attack: tuple[str, ...]
    rules: tuple[str, ...]
    value: str
    terms: str
    recorded_only: bool = False


UNPACKED, SAW = ("cmd.unpacked_with_password",), "evtx.defender_"
SIMULATOR = (
    Act("listing and password dump dropped (1)", ("T1140",), UNPACKED, r"workfiles\\d\.txt", r"workfiles\\d\.txt"),
    Act("enquiries about host and accounts (2)", ("T1082", "T1087"), ("cmd.discovery",), "systeminfo", r"\bsysteminfo\b"),
    Act("control servers' names looked up (3, D403)", ("T1071.004",), ("cmd.names_asked",), "nslookup", r"nslookup\s+\w"),
    Act("log entries of a password dumper faked (4)", (), ("cmd.event_written",), "WCESERVICE", "WCESERVICE"),
    Act("list of host names changed (5)", ("T1565.001",), (f"{SAW}hosts_file",), r"etc\\hosts", r"drivers\\etc\\hosts"),
    Act("debugger of an accessibility program (6, D400)", ("T1546.008",), ("cmd.debugger_added", "evtx.debugger_set"),
        r"sethc\.exe.*cmd\.exe", r"sethc\.exe.*Debugger"),
    Act("archive cloaked as a picture (7)", ("T1140", "T1036.008"), UNPACKED, r"s01\.jpg", r"workfiles\\s01\.jpg"),
    Act("web shells put into a web root (8)", ("T1505.003",), ("cmd.script_into_web_root",), r"b\.jsp", r"wwwroot.*b\.jsp"),
    Act("shell handed out by PowerShell (9)", ("T1095", "T1059.001"), ("posh.reverse_shell", "evtx.powershell_shell"),
        "powercat", "powercat -c"),
    Act("remote execution tool dropped (10)", ("T1204.002", "T1588.002"), (f"{SAW}detection",), r"xCmd\.exe", r"xCmd\.exe"),
    Act("credential reader dropped (11)", ("T1140",), UNPACKED, r"toolset\\mim\.exe", r"toolset\\mim\.exe"),
    Act("credential reader loaded from the web (11)", ("T1059.001", "T1003.001"), ("evtx.powershell_cradle",),
        "Invoke-Mimikatz", "Invoke-Mimikatz"),
    Act("script of the credential step held back (11)", (), (f"{SAW}detection",), r"mimikatz-1\.bat", r"mimikatz-1\.bat"),
    Act("renamed PsExec run as the system (12, D396)", ("T1569.002",), ("cmd.psexec_client",), r"p\.exe.*systeminfo",
        r"p\.exe\W.*systeminfo"),
    Act("PsExec under another name (12, D396)", ("T1036.003",), ("evtx.renamed_system_tool",), r"\\p\.exe", r"psexec\.c"),
    Act("service of PsExec installed (12, D397)", ("T1569.002",), ("evtx.psexec_service",), "PSEXESVC|PsExec", "PSEXESVC"),
    Act("job by `at` for the credential reader (13, D401)", ("T1053.002",), ("cmd.at_job",), r"^at\s+13:00", r"\bat\s+13:00"),
    Act("Run key that lists accounts (14, D402)", ("T1547.001",), ("cmd.autostart_added", "evtx.run_key_set"),
        "UpdateSvc", "UpdateSvc"),
    Act("svchost.exe run from the public folder (15, D398)", ("T1036.005",), ("evtx.system_name_wrong_place",),
        r"Public\\svchost\.exe", r"Public\\svchost\.exe"),
    Act("guest account enabled (16, D394, D395)", ("T1098", "T1078.001"), ("evtx.account_enabled", "evtx.guest_enabled"),
        "^Guest$", r"guest\s+/active:yes"),
    Act("guest made an administrator (16, D394)", ("T1098.007",), ("evtx.account_to_administrators",), "-501$",
        r"administrators\s+guest"),
    Act("memory of the logon process dumped (17)", ("T1003.001",), (f"{SAW}memory_reader", "cmd.lsass_dump"),
        r"-ma lsass\.exe", r"-ma lsass\.exe"),
    Act("pages of control servers asked (18, D403)", ("T1071.001",), ("cmd.hosts_asked",), r"m3 msupdater\.com",
        r"m3 msupdater\.com"),
    Act("pages asked under malware's client names (19)", ("T1071.001",), ("cmd.client_name_given",), "HttpBrowser/1",
        "HttpBrowser/1"),
    Act("task for the credential reader (20, D392)", ("T1053.005",), ("task.user_writable",), "mim.exe sekurlsa", "GameOver"),
    Act("task every five minutes (20, D393)", ("T1053.005",), ("cmd.task_created", "task.user_writable"), "/mo 5|PT5M",
        "/mo 5|PT5M"),
    Act("credential reader set to start (13, 20, D401)", ("T1003.001",), ("cmd.credential_reader_set_up",), "sekurlsa::",
        "sekurlsa::"),
    Act("task backdoor by PowerShell (schtasks-xml, D399)", ("T1059.001",), ("evtx.powershell_shell", "cmd.powershell_hidden"),
        r"Tasksbackdoor.*8\.8\.8\.8.*9999", "Tasksbackdoor"),
    Act("logon script value (userinit-mpr)", ("T1037.001",), ("cmd.autostart_added",), "UserInitMpr", "UserInitMprLogonScript"),
    Act("subscription that ends a program (wmi-backdoor)", ("T1546.003",), ("cmd.management_subscription",
        "evtx.wmi_subscription"), r"procexp64", r"WMIBackdoorTrigger"),
    Act("subscription that calls out (wmi-backdoor-c2)", ("T1546.003",), ("cmd.management_subscription",
        "evtx.wmi_subscription"), r"C2Uri", r"C2Uri\s+'http"),
    Act("script fetched by certutil (js-dropper)", ("T1105",), ("cmd.download", f"{SAW}fetching_line"), "certutil", "certutil"),
    Act("script host given that script (js-dropper)", ("T1059.007",), ("cmd.script_host",), r"en-US\.js", r"wscript.*en-US\.js"),
    Act("neighbours scanned (nbtscan)", ("T1046", "T1018"), ("prefetch.scanner", "cmd.user_writable_program"), "NBTSCAN",
        r"nbtscan\.exe"),
    Act("exceptions of protection (avexcluder)", ("T1562.001",), ("cmd.protection_disabled", "evtx.protection_value"),
        r"Exclusions\\Paths", r"Exclusions\\Paths"),
    Act("named pipes of an attack framework (cobaltstrike)", ("T1559", "T1055"), ("evtx.tool_pipe",), "MSSE-|msagent_|postex_",
        "MSSE-1337|msagent_fedac|postex_ssh"),
    Act("service that writes to a pipe (cobaltstrike)", ("T1134.001",), ("evtx.service_pipe", "cmd.service_pipe"), "tbbd05",
        "tbbd05"),
    Act("beacons over HTTP (cobaltstrike)", ("T1071.001",), ("cmd.client_name_given", "act.beacon"), r"operaa\.net|pixel\.gif",
        r"operaa\.net|jquery-3\.2\.2|/pixel\.gif"),
)  # fmt: skip
WINDOWS_7 = (
    Act("program renewed in the system's temporary folder", ("T1204.002",), ("shimcache.file_renewed",), r"TEMP\\a\.exe",
        r"TEMP\\a\.exe"),
    Act("PsExec's service, from the registry", ("T1569.002",), ("reg.remote_execution_service",), "PSEXESVC", "PSEXESVC"),
    Act("PsExec's service, from the shim cache", ("T1569.002",), ("shimcache.remote_execution",), "PSEXESVC", "PSEXESVC"),
    Act("service program of eight mixed letters", ("T1569.002",), ("shimcache.made_up_service_name",), "oSCMpGpk", "oSCMpGpk"),
    Act("credential reader", ("T1003",), ("shimcache.credential_tool",), "hydrakatz", "hydrakatz"),
    Act("svchost.exe in a folder of its own", ("T1036.005",), ("shimcache.system_name_wrong_place",),
        r"dllhost\\svchost\.exe", r"dllhost\\svchost\.exe"),
    Act("the same file time as a download's", ("T1036",), ("shimcache.profile_file_in_system",), r"winclient\.exe",
        r"winclient\.exe"),
    Act("program put into the system's folder meanwhile", ("T1570",), ("shimcache.system_program_after_remote_execution",),
        r"spinlock\.exe", r"spinlock\.exe"),
    Act("address in a service's key", ("T1112",), ("reg.service_holds_address",), r"12\.190\.135\.235", r"12\.190\.135\.235"),
    Act("address with port 53 typed (D412)", ("T1571",), ("browser.typed_address_with_port",), r"199\.73\.28\.114:53",
        r"199\.73\.28\.114:53"),
    Act("system folder's programs in the recycle bin", ("T1070.004",), ("recycle_bin.system_program",), r"hythonize",
        r"hythonize"),
    Act("archive in the recycle bin (D409)", (), ("recycle_bin.archives",), r"StarFury\.zip", r"StarFury\.zip"),
    Act("deleted document, whole (D405)", (), ("list.deleted_intact",), r"Document\.doc$", r"Document\.doc"),
    Act("deleted picture, whole (D406)", (), ("list.deleted_intact",), r"DSCN0010\.jpg$", r"DSCN0010\.jpg"),
    Act("place of the picture (D414)", (), ("media.position", "media.camera_clock_wrong", "media.cameras"), r"43\.46745",
        r"43\.46745"),
    Act("author of the document (D413)", (), ("media.document_authors",), "DAVID NIDES", "DAVID NIDES"),
    Act("computer and domain (D407, D408)", (), ("identity.computer_name",), "shieldbase", "shieldbase"),
    Act("last shutdown (D411)", (), ("identity.last_shutdown",), "2012-04-04T01:58:40", "2012-04-04T01:58:40"),
    Act("starts of PING.EXE (D410)", (), (), "PING.EXE", r"PING\.EXE", recorded_only=True),
)  # fmt: skip
LINUX = (
    Act("command in a query, answered (D415)", ("T1505.003",), ("web.command_answered",), r"cmd=uname", r"evil\.php"),
    Act("who called it (D415)", ("T1505.003",), ("web.command_answered",), r"192\.168\.0\.2", r"192\.168\.0\.2"),
    Act("accepted login by key (D416)", (), ("linux.logins",), r"192\.168\.0\.1", r"192\.168\.0\.1"),
    Act("one failed login (D417)", (), (), r"001:db8", r"001:db8:a0b:12f0::1", recorded_only=True),
    Act("a cron job's command (D418)", (), (), "sleep", r"touch /tmp/\w+\.txt", recorded_only=True),
    Act("program downloaded (D419)", (), ("browser.program_download",), r"funcats_scr\.exe", r"funcats_scr\.exe"),
    Act("session from 10.10.122.1 (D420)", (), ("identity.linux_sessions",), r"10\.10\.122\.1", r"10\.10\.122\.1"),
)  # fmt: skip
PHONE = (
    Act("device by its number (D166)", (), ("ios.device_identity",), "356763089830742", "356763089830742"),
    Act("telephone number of the device (D167)", (), ("ios.device_identity",), "19195794674", "19195794674"),
    Act("account of the device", (), ("phone.accounts_ios",), "thisisdfir@gmail", "thisisdfir@gmail"),
    Act("messages with a party both ways (D147, D148)", (), ("contact.two_way_whatsapp",), "19198887386", "19198887386"),
    Act("connected calls (D137 to D140)", (), ("contact.answered_app_calls_ios",), "19198887386", "19198887386"),
)  # fmt: skip
CASES = {
    "1": ("Windows 10 after APT Simulator", "case1_windows_aptsim/case1.E01", SIMULATOR),
    "2": ("iPhone, iOS 15", "case2_ios15_hickman/tree", PHONE),
    "3": ("Windows 7, intruded", "case3_windows7_stark/case3.E01", WINDOWS_7),
    "4": ("Linux", "case4_linux_ext4/case4.E01", LINUX),
}
# who is who on the telephone: D141 to D145, D164, D168, D172, D173; the last two are one persona's, which nothing on it joins
PEOPLE = {
    "the persona": (("email", "thisisdfir@gmail.com"), ("phone", "+19195794674"),
                    ("account:teams", "8:live:.cid.832804f1252ed9b2")),
    "This Is DFIR Two": (("phone", "+19198887386"), ("email", "thisisdfirtwo@gmail.com")),
    "Josh Hickman": (("phone", "+19195790479"), ("phone", "+19193912507"), ("email", "joshuahickman957@gmail.com")),
    "Thom De'Fer": (("phone", "+19198027080"),),
    "Liz": (("phone", "+19192084530"),),
    "ThisIs DFIRThree": (("email", "thisisdfirthree@gmail.com"),),
    "ThisIs DfirTwo of Teams": (("account:teams", "8:live:.cid.5638f9306b7b8594"),),
}  # fmt: skip
PERSONA, DEVICE, TWO, TWO_TEAMS = "This ?Is ?DFIR", "356763089830742", "This Is DFIR Two", "ThisIs DfirTwo"
CONTACTS = (
    ("WhatsApp messages sent", "parties.whatsapp_ios", DEVICE, TWO, 11),
    ("WhatsApp messages received", "parties.whatsapp_ios", TWO, DEVICE, 11),
    ("WhatsApp calls out", "parties.whatsapp_calls_ios", DEVICE, TWO, 2),
    ("WhatsApp calls in", "parties.whatsapp_calls_ios", TWO, DEVICE, 2),
    ("Teams calls out", "parties.teams_calls", PERSONA, TWO_TEAMS, 3),
    ("Teams calls in", "parties.teams_calls", TWO_TEAMS, PERSONA, 2),
    ("Teams messages received", "parties.teams_messages", TWO_TEAMS, DEVICE, 37),
)
