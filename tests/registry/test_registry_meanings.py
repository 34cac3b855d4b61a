"""What keys mean: one small hive for each question."""

from __future__ import annotations

import codecs
import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest

from wigmore.artifacts.windows.amcache import amcache
from wigmore.artifacts.windows.registry.families.shimcache import entries
from wigmore.artifacts.windows.registry.parser import registry
from wigmore.artifacts.windows.registry.semantics import families
from wigmore.artifacts.windows.shimcache import is_cache, shimcache
from wigmore.evidence.local import LocalFile
from wigmore.generator.windows.hive import PROPERTY_FILETIME, Key, hive
from wigmore.model.protocols import Record
from wigmore.registry import parsers

WHEN = datetime(2024, 3, 1, 12, 0, 0, tzinfo=UTC)
FILETIME = 133_536_960_000_000_000  # 2024-02-29T16:00:00Z
STAMP = struct.pack("<Q", FILETIME)
TEXT = "2024-02-29T16:00:00.0000000Z"
EXPLORER = "Software\\Microsoft\\Windows\\CurrentVersion\\Explorer"


def found(folder: Path, root: Key, artifact: str, name: str = "hive") -> list[Record]:
    (folder / name).write_bytes(hive(root, name))
    return [
        item[1]
        for item in registry(LocalFile.at(folder / name))
        if isinstance(item, tuple) and item[1].artifact == f"windows.registry.{artifact}"
    ]


def system() -> Key:
    root = Key("ROOT", WHEN)
    root.key("Select").set("Current", 2).set("LastKnownGood", 1)
    root.key("ControlSet001\\Control")
    root.key("ControlSet002\\Control")
    return root


def software() -> Key:
    root = Key("ROOT", WHEN)
    root.key("Classes")
    root.key("Microsoft\\Windows NT\\CurrentVersion").set("ProductName", "Windows 10 Pro")
    return root


def user() -> Key:
    root = Key("ROOT", WHEN)
    root.key("Software\\Microsoft")
    root.key("Control Panel")
    return root


def test_computer_and_domain_name_stand_in_one_record_with_their_control_set(tmp_path: Path) -> None:
    root = system()
    for number, name in ((1, "OLD-NAME"), (2, "NEW-NAME")):
        root.key(f"ControlSet00{number}\\Control\\ComputerName\\ComputerName").set("ComputerName", name)
        root.key(f"ControlSet00{number}\\Services\\Tcpip\\Parameters").set("NV Domain", "example.org")
    names = found(tmp_path, root, "computer_name")
    assert [(r.data["computer_name"], r.data["is_current"], r.data["nv_domain"]) for r in names] == [
        ("OLD-NAME", False, "example.org"),
        ("NEW-NAME", True, "example.org"),
    ]
    assert names[1].host_id == "NEW-NAME"


def test_the_time_zone_gives_signed_biases_and_the_offset(tmp_path: Path) -> None:
    root = system()
    root.key("ControlSet002\\Control\\TimeZoneInformation").set("Bias", 0xFFFFFFC4).set(
        "ActiveTimeBias", 0xFFFFFF88
    ).set("TimeZoneKeyName", "W. Europe Standard Time")
    (zone,) = found(tmp_path, root, "time_zone")
    assert (zone.data["Bias"], zone.data["ActiveTimeBias"]) == (-60, -120)
    assert (zone.data["utc_offset"], zone.data["active_utc_offset"]) == ("+01:00", "+02:00")


def test_shutdown_services_and_settings_are_read(tmp_path: Path) -> None:
    root = system()
    root.key("ControlSet002\\Control\\Windows").set("ShutdownTime", STAMP)
    root.key("ControlSet002\\Control\\SecurityProviders\\WDigest").set("UseLogonCredential", 1)
    root.key("ControlSet002\\Services\\Evil").set("Type", 16).set("Start", 2).set("ImagePath", "C:\\x\\evil.exe").set(
        "ObjectName", "LocalSystem"
    )
    (shutdown,) = found(tmp_path, root, "shutdown")
    assert shutdown.times["shutdown_time"]["text"] == TEXT
    (service,) = found(tmp_path, root, "service")
    assert (service.data["start"], service.data["service_type"]) == ("automatic", "own process")
    settings = found(tmp_path, root, "setting")
    assert any(r.data.get("UseLogonCredential") == 1 for r in settings)


def test_usb_storage_joins_serial_dates_and_drive_letter(tmp_path: Path) -> None:
    root = system()
    device = "ControlSet002\\Enum\\USBSTOR\\Disk&Ven_SanDisk&Prod_Cruzer_Blade&Rev_1.00\\4C530001&0"
    properties = f"{device}\\Properties\\{{83da6326-97a6-4088-9453-a1923f573b29}}"
    root.key(device).set("FriendlyName", "SanDisk Cruzer Blade USB Device")
    root.key(f"{properties}\\0065").set("", FILETIME, PROPERTY_FILETIME)
    root.key(f"{properties}\\0066").set("", FILETIME + 10_000_000, PROPERTY_FILETIME)
    path = "_??_USBSTOR#Disk&Ven_SanDisk&Prod_Cruzer_Blade&Rev_1.00#4C530001&0#{53f56307-b6bf-11d0-94f2-00a0c91efb8b}"
    root.key("MountedDevices").set("\\DosDevices\\E:", path.encode("utf-16-le"))
    root.key("MountedDevices").set("\\DosDevices\\C:", struct.pack("<IQ", 0x5CBEA03E, 1048576))
    (usb,) = found(tmp_path, root, "usb_storage")
    assert (usb.data["vendor"], usb.data["product"], usb.data["serial"]) == ("SanDisk", "Cruzer Blade", "4C530001")
    assert usb.data["mounted_as"] == ["E:"]
    assert usb.times["first_install"]["text"] == TEXT
    assert usb.time_field == "last_arrival"
    letters = {r.data["drive"]: r for r in found(tmp_path, root, "mounted_device")}
    assert letters["C:"].data["disk_signature"] == "5CBEA03E"
    assert letters["E:"].data["instance_id"] == "4C530001&0"
    assert letters["C:"].time_field is None  # one key time for all values dates none of them


def test_background_activity_is_per_account(tmp_path: Path) -> None:
    root = system()
    key = root.key("ControlSet002\\Services\\bam\\State\\UserSettings\\S-1-5-21-1-2-3-1001")
    key.set("\\Device\\HarddiskVolume3\\x.exe", STAMP + bytes(16)).set("Version", 1)
    (bam,) = found(tmp_path, root, "bam")
    assert (bam.data["sid"], bam.data["path"]) == ("S-1-5-21-1-2-3-1001", "\\Device\\HarddiskVolume3\\x.exe")
    assert bam.times["last_activity"]["text"] == TEXT


def ten(path: str, last: int, mark: int = 0x34) -> bytes:
    name = path.encode("utf-16-le")
    body = struct.pack("<H", len(name)) + name + STAMP + struct.pack("<II", 4, last)
    return struct.pack("<I", mark).ljust(mark, b"\0") + b"10ts" + struct.pack("<II", 0, len(body)) + body


def eight(path: str) -> bytes:
    name = path.encode("utf-16-le")
    body = struct.pack("<H", len(name)) + name + struct.pack("<HII", 0, 2, 0) + STAMP + struct.pack("<I", 0)
    return struct.pack("<I", 0x80).ljust(128, b"\0") + b"10ts" + struct.pack("<II", 0, len(body)) + body


def seven(path: str) -> bytes:
    name = path.encode("utf-16-le")
    entry = struct.pack("<HHIQ", len(name), len(name) + 2, 0, 176) + STAMP + struct.pack("<IIQQ", 2, 0, 0, 0)
    return struct.pack("<II", 0xBADC0FEE, 1).ljust(128, b"\0") + entry + name


def experience(path: str) -> bytes:
    name = path.encode("utf-16-le").ljust(528, b"\0")
    return struct.pack("<4I", 0xDEADBEEF, 1, 1, 0).ljust(400, b"\0") + name + STAMP + struct.pack("<q", 1234) + STAMP


def vista(path: str) -> bytes:
    name = path.encode("utf-16-le")
    entry = struct.pack("<HHI", len(name), len(name) + 2, 40) + STAMP + struct.pack("<II", 2, 0)
    return (struct.pack("<II", 0xBADC0FFE, 1) + entry).ljust(40, b"\0") + name


@pytest.mark.parametrize("build", [ten, eight, seven, experience, vista], ids=lambda f: f.__name__)
def test_shimcache_layouts(build: object, tmp_path: Path) -> None:
    assert callable(build)
    raw = build("C:\\Windows\\a.exe", 1) if build is ten else build("C:\\Windows\\a.exe")
    _, read = entries(raw)
    (entry,) = list(read)
    assert entry.path == "C:\\Windows\\a.exe"
    assert entry.modified is not None
    assert entry.modified["text"] == TEXT
    root = system()
    root.key("ControlSet002\\Control\\Session Manager\\AppCompatCache").set("AppCompatCache", raw)
    (record,) = found(tmp_path, root, "shimcache")
    assert record.data["path"] == "C:\\Windows\\a.exe"


def test_a_shimcache_value_in_a_file_of_its_own_is_recognised(tmp_path: Path) -> None:
    raw = ten("C:\\Windows\\a.exe", 1).ljust(200, b"\0")
    assert is_cache(raw, "x.bin", len(raw))
    (tmp_path / "x.bin").write_bytes(raw)
    items = [item for item in shimcache(LocalFile.at(tmp_path / "x.bin")) if isinstance(item, tuple)]
    assert [record.data["last_data_word"] for _, record in items] == [1]


def test_static_and_leased_addresses_stand_together(tmp_path: Path) -> None:
    root = system()
    guid = "{698E50A9-4F58-4D86-B61D-F42E58DCACF6}"
    root.key(f"ControlSet002\\Services\\Tcpip\\Parameters\\Interfaces\\{guid}").set("IPAddress", ["10.0.0.5"]).set(
        "DefaultGateway", ["10.0.0.1"]
    ).set("NameServer", "10.0.0.2,10.0.0.3").set("LeaseObtainedTime", 1_700_000_000).set("EnableDHCP", 0)
    root.key(f"ControlSet002\\Control\\Network\\{{4D36E972-E325-11CE-BFC1-08002BE10318}}\\{guid}\\Connection").set(
        "Name", "Ethernet 2"
    )
    (interface,) = found(tmp_path, root, "network_interface")
    assert interface.data["ip_address"] == ["10.0.0.5"]
    assert interface.data["name_server"] == ["10.0.0.2", "10.0.0.3"]
    assert interface.data["connection"] == "Ethernet 2"
    assert interface.times["lease_obtained"]["text"] == "2023-11-14T22:13:20Z"


def test_known_networks_keep_local_times_and_their_gateway(tmp_path: Path) -> None:
    root, guid = software(), "{11111111-2222-3333-4444-555555555555}"
    base = "Microsoft\\Windows NT\\CurrentVersion\\NetworkList"
    root.key(f"{base}\\Profiles\\{guid}").set("ProfileName", "Home").set("NameType", 71).set("Category", 1).set(
        "DateLastConnected", struct.pack("<8H", 2024, 2, 4, 29, 16, 5, 6, 0)
    )
    root.key(f"{base}\\Signatures\\Unmanaged\\0101").set("ProfileGuid", guid).set("DefaultGatewayMac", bytes(range(6)))
    (network,) = found(tmp_path, root, "network_profile")
    assert (network.data["network_name"], network.data["network_kind"]) == ("Home", "wireless")
    assert network.data["gateway_mac"] == "00:01:02:03:04:05"
    time = network.times["last_connected"]
    assert (time["text"], time["zone"], time["instant"]) == ("2024-02-29T16:05:06.000", "local-unknown", None)


def test_software_profiles_and_version(tmp_path: Path) -> None:
    root = software()
    root.key("Microsoft\\Windows NT\\CurrentVersion").set("CurrentBuild", "19045").set("InstallDate", 1_700_000_000)
    root.key("Microsoft\\Windows\\CurrentVersion\\Uninstall\\App").set("DisplayName", "App").set(
        "InstallDate", "20240229"
    )
    root.key("Wow6432Node\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\Old").set("DisplayName", "Old")
    root.key("Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\S-1-5-21-1-2-3-1001").set(
        "ProfileImagePath", "C:\\Users\\ann"
    ).set("LocalProfileLoadTimeHigh", FILETIME >> 32).set("LocalProfileLoadTimeLow", FILETIME & 0xFFFFFFFF)
    (version,) = found(tmp_path, root, "windows_version")
    assert version.data["ProductName"] == "Windows 10 Pro"
    assert version.times["installed"]["text"] == "2023-11-14T22:13:20Z"
    programs = found(tmp_path, root, "installed_software")
    assert [(r.data["name"], r.data["view"]) for r in programs] == [("App", "native"), ("Old", "32-bit")]
    assert programs[0].times["install_date"]["precision"] == 86400.0
    (profile,) = found(tmp_path, root, "profile")
    assert (profile.data["user"], profile.times["profile_load"]["text"]) == ("ann", TEXT)


def test_autostart_names_mechanism_command_and_who_may_write(tmp_path: Path) -> None:
    root = software()
    root.key("Microsoft\\Windows\\CurrentVersion\\Run").set("Updater", "C:\\u.exe /q")
    root.key("Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options\\sethc.exe").set(
        "Debugger", "cmd.exe"
    )
    root.key("Microsoft\\Windows NT\\CurrentVersion\\Winlogon").set("Shell", "explorer.exe")
    starts = {r.data["name"]: r.data for r in found(tmp_path, root, "autostart")}
    assert starts["Updater"]["command"] == "C:\\u.exe /q"
    assert starts["sethc.exe"]["mechanism"] == "image file execution options"
    assert starts["Shell"]["command"] == "explorer.exe"
    assert starts["Updater"]["key_owner"] == "S-1-5-32-544"
    assert starts["Updater"]["key_access"] == ["allow S-1-5-18 0x000f003f", "allow S-1-5-32-544 0x000f003f"]


def test_a_scheduled_task_shows_its_command_and_times(tmp_path: Path) -> None:
    def piece(text: str) -> bytes:
        return struct.pack("<I", len(text) * 2) + text.encode("utf-16-le")

    actions = struct.pack("<H", 3) + piece("Author") + struct.pack("<H", 0x6666)
    actions += piece("") + piece("cmd.exe") + piece("/c x") + piece("") + b"\0\0"
    root = software()
    root.key("Microsoft\\Windows NT\\CurrentVersion\\Schedule\\TaskCache\\Tasks\\{1}").set("Path", "\\Job").set(
        "Actions", actions
    ).set("DynamicInfo", struct.pack("<I", 3) + STAMP + STAMP + struct.pack("<II", 0, 1))
    (task,) = found(tmp_path, root, "scheduled_task")
    assert task.data["actions"] == ["cmd.exe /c x"]
    assert (task.data["last_result"], task.times["last_run"]["text"]) == (1, TEXT)


def assist(counter: int, time: int) -> bytes:
    return struct.pack("<4I", 0, counter, 3, 60000).ljust(60, b"\0") + struct.pack("<Q", time) + bytes(4)


def test_seeded_userassist_entries_are_marked_and_others_are_not(tmp_path: Path) -> None:
    root = user()
    key = root.key(f"{EXPLORER}\\UserAssist\\{{CEBFF5CD-ACE2-4F4F-9178-9926F41749EA}}\\Count")
    for counter in range(14, 6, -1):
        key.set(codecs.encode(f"Seed {counter}", "rot13"), assist(counter, FILETIME))
    key.set(codecs.encode("{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\\cmd.exe", "rot13"), assist(2, FILETIME + 99))
    entries_ = found(tmp_path, root, "userassist")
    assert [r.data.get("seed_suspected", False) for r in entries_] == [True] * 8 + [False]
    assert entries_[-1].data["path"] == "%SystemRoot%\\System32\\cmd.exe"
    assert entries_[-1].data["counter"] == 2


def test_userassist_of_windows_xp_counts_from_five(tmp_path: Path) -> None:
    root = user()
    key = root.key(f"{EXPLORER}\\UserAssist\\{{75048700-EF1F-11D0-9888-006097DEACF9}}\\Count")
    key.set(codecs.encode("UEME_RUNPATH:C:\\x.exe", "rot13"), struct.pack("<II", 1, 8) + STAMP)
    (entry,) = found(tmp_path, root, "userassist")
    assert (entry.data["counter"], entry.data["run_count"], entry.times["last_run"]["text"]) == (8, 3, TEXT)


def test_only_the_newest_entry_of_a_list_is_dated_by_the_key(tmp_path: Path) -> None:
    root = user()
    root.key(f"{EXPLORER}\\RunMRU").set("a", "cmd\\1").set("b", "calc\\1").set("MRUList", "ba")
    root.key(f"{EXPLORER}\\WordWheelQuery").set("0", "alloy\0".encode("utf-16-le")).set(
        "MRUListEx", struct.pack("<2I", 0, 0xFFFFFFFF)
    )
    root.key("Software\\Microsoft\\Internet Explorer\\TypedURLs").set("url1", "http://a/").set("url2", "http://b/")
    root.key("Software\\Microsoft\\Internet Explorer\\TypedURLsTime").set("url2", STAMP)
    runs = found(tmp_path, root, "run_mru")
    assert [(r.data["text"], r.time_field) for r in runs if "text" in r.data] == [
        ("calc", "key_last_written"),
        ("cmd", None),
    ]
    assert found(tmp_path, root, "search_term")[0].data["term"] == "alloy"
    typed = found(tmp_path, root, "typed_url")
    assert typed[1].times["typed_at"]["text"] == TEXT
    assert typed[-1].data["urls"] == ["http://a/", "http://b/"]


def folder_item(name: str) -> bytes:
    wide = name.encode("utf-16-le") + b"\0\0"
    short = name.encode("ascii")[:8] + b"\0"
    short += b"\0" * (len(short) % 2)
    extension = struct.pack(
        "<HHIHHHHHHQQHII",
        46 + len(wide) + 2,
        9,
        0xBEEF0004,
        0x585D,
        0x8000,
        0x585D,
        0x8000,
        46,
        0,
        5 | 7 << 48,
        0,
        0,
        0,
        0,
    )
    extension += wide + b"\0\0"
    body = struct.pack("<BBIHHH", 0x31, 0, 0, 0x585D, 0x8000, 16) + short + extension
    return struct.pack("<H", len(body) + 2) + body


def test_shellbags_spell_whole_paths(tmp_path: Path) -> None:
    root = user()
    base = "Software\\Microsoft\\Windows\\Shell\\BagMRU"
    drive = struct.pack("<HB", 25, 0x2F) + b"C:\\".ljust(22, b"\0")
    root.key(base).set("0", drive + b"\0\0").set("MRUListEx", struct.pack("<2I", 0, 0xFFFFFFFF))
    root.key(f"{base}\\0").set("0", folder_item("Secret plans") + b"\0\0")
    bags = found(tmp_path, root, "shellbag")
    assert [r.data["path"] for r in bags] == ["C:\\", "C:\\Secret plans"]
    assert (bags[1].data["mft_entry"], bags[1].data["mft_sequence"]) == (5, 7)
    assert bags[1].times["folder_modified"]["text"] == "2024-02-29T16:00:00Z"


def test_office_trust_says_whether_content_was_enabled(tmp_path: Path) -> None:
    root = user()
    root.key("Software\\Microsoft\\Office\\16.0\\Word\\Security\\Trusted Documents\\TrustRecords").set(
        "%USERPROFILE%/a.docm", STAMP + bytes(12) + b"\xff\xff\xff\x7f"
    )
    root.key("Software\\Microsoft\\Office\\16.0\\Word\\File MRU").set(
        "Item 1", f"[F00000000][T{FILETIME:016X}][O00000000]*C:\\a.docm"
    )
    (trust,) = found(tmp_path, root, "office_trust")
    assert trust.data["content_enabled"] is True
    (used,) = found(tmp_path, root, "office_mru")
    assert (used.data["path"], used.times["used_at"]["text"]) == ("C:\\a.docm", TEXT)


def test_local_accounts_of_a_real_sam(shared_evidence: Path) -> None:
    items = [i[1] for i in registry(LocalFile.at(shared_evidence / "registry/regipy/SAM")) if isinstance(i, tuple)]
    accounts = {r.data["rid"]: r for r in items if r.artifact == "windows.registry.account"}
    assert sorted(accounts) == [500, 501, 1000]
    assert accounts[500].data["disabled"] is True
    assert accounts[1000].data["logon_count"] == 4
    assert accounts[1000].times["last_logon"]["text"].startswith("2014-09-30T02:59:34")
    assert accounts[1000].data["groups"] == ["Administrators", "Users"]


def test_amcache_in_both_layouts(tmp_path: Path) -> None:
    root = Key("ROOT", WHEN)
    digest = "ab" * 20
    root.key("Root\\InventoryApplicationFile\\a.exe|1").set("LowerCaseLongPath", "c:\\a.exe").set(
        "FileId", f"0000{digest}"
    ).set("Size", "0x10").set("LinkDate", "10/18/2025 04:45:24")
    root.key("Root\\File\\{vol}\\100001605a").set("15", "c:\\b.exe").set("101", f"0000{digest}").set("17", FILETIME, 11)
    root.key("Root\\InventoryMiscellaneousUUPInfo\\x").set("Version", "1")
    (tmp_path / "Amcache.hve").write_bytes(hive(root, "Amcache.hve"))
    items = [i[1] for i in amcache(LocalFile.at(tmp_path / "Amcache.hve")) if isinstance(i, tuple)]
    files = {r.data["path"]: r for r in items if r.artifact == "windows.amcache.file"}
    assert files["c:\\a.exe"].data["sha1"] == digest
    assert files["c:\\a.exe"].data["size"] == 16
    assert files["c:\\a.exe"].times["link_date"]["text"] == "2025-10-18T04:45:24Z"
    assert (files["c:\\b.exe"].data["mft_entry"], files["c:\\b.exe"].data["mft_sequence"]) == (0x1605A, 0x10)
    assert files["c:\\b.exe"].times["file_modified_2"]["text"] == TEXT
    assert [r.data["values"] for r in items if r.artifact == "windows.amcache.other"] == [{"Version": "1"}]


def test_every_artifact_of_a_family_is_declared_by_its_parser() -> None:
    declared = {*parsers()["windows.registry"].artifacts, *parsers()["windows.amcache"].artifacts}
    assert {family.artifact for family in families()} <= declared


def test_a_family_that_fails_costs_its_key_and_is_noted(tmp_path: Path) -> None:
    root = system()
    root.key("ControlSet002\\Control\\Session Manager\\AppCompatCache").set("AppCompatCache", b"\x01\x02\x03\x04" * 50)
    (tmp_path / "SYSTEM").write_bytes(hive(root, "SYSTEM"))
    messages = [getattr(item, "message", "") for item in registry(LocalFile.at(tmp_path / "SYSTEM"))]
    assert any("unknown signature" in message for message in messages)
