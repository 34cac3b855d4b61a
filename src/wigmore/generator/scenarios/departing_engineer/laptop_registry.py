"""The laptop's registry: identity, devices, programs, start-up, user's traces."""

from __future__ import annotations

import struct

from wigmore.generator import shown
from wigmore.generator.case import Case
from wigmore.generator.clocks import filetime, posix, systemtime
from wigmore.generator.windows import devices, sam, userassist
from wigmore.generator.windows.hive import REG_BINARY, REG_EXPAND_SZ, Key, hive

CONFIG = "Windows/System32/config"


def build(case: Case, source: str, folder: str) -> None:
    """Write SYSTEM, SOFTWARE, SAM and the user's NTUSER.DAT."""
    _system(case, source, folder)
    _software(case, source, folder)
    _accounts(case, source, folder)
    _user(case, source, folder)


def _system(case: Case, source: str, folder: str) -> None:
    world, path = case.world, f"{CONFIG}/SYSTEM"
    made, shutdown = world.at(-400, "09:00:00"), world.at(4, "18:02:33")
    root = Key("ROOT", shutdown)
    for name, number in (("Current", 1), ("Default", 1), ("Failed", 0), ("LastKnownGood", 1)):
        root.key("Select", made).set(name, number)
    current = root.key("ControlSet001", made)
    current.key("Control\\ComputerName\\ComputerName", made).set("ComputerName", world.laptop)
    bias = -world.zone_minutes & 0xFFFFFFFF
    zone = current.key("Control\\TimeZoneInformation", made)
    zone.set("TimeZoneKeyName", world.zone_windows).set("StandardName", world.zone_windows).set("Bias", bias)
    zone.set("ActiveTimeBias", bias).set("StandardBias", 0).set("DaylightBias", 0).set("DynamicDaylightTimeDisabled", 0)
    current.key("Control\\Windows", shutdown).set("ShutdownTime", struct.pack("<Q", filetime(shutdown)), REG_BINARY)
    tcp = current.key("Services\\Tcpip\\Parameters", made)
    tcp.set("Hostname", world.laptop).set("Domain", "northwind-turbines.example.com")
    for service, image, start, at in (
        ("Dnscache", "%SystemRoot%\\system32\\svchost.exe -k NetworkService -p", 2, made),
        ("Spooler", "%SystemRoot%\\System32\\spoolsv.exe", 2, made),
        ("AnyDesk", '"C:\\Program Files (x86)\\AnyDesk\\AnyDesk.exe" --service', 2, world.at(1, "20:01:44")),
    ):
        key = current.key(f"Services\\{service}", at).set("ImagePath", image, REG_EXPAND_SZ)
        key.set("Start", start).set("Type", 16).set("DisplayName", f"{service} Service").set(
            "ObjectName", "LocalSystem"
        )
    attached = devices.Attachment(
        world.stick, world.at(3, "19:05:12"), world.at(3, "19:05:14"), world.at(3, "19:31:47")
    )
    old = devices.Attachment(
        world.old_stick, world.at(-64, "10:11:12"), world.at(-61, "09:20:33"), world.at(-61, "09:42:08")
    )
    devices.storage(current, attached)
    devices.storage(current, old)
    phone = current.key(f"Enum\\USB\\VID_05AC&PID_12A8\\{world.udid}", world.at(1, "08:50:20"))
    phone.set("DeviceDesc", "@usb.inf,%usb\\composite.devicedesc%;USB Composite Device").set("Service", "usbccgp")
    devices.letter(root, world.stick, "E:")
    root.key("MountedDevices").set("\\DosDevices\\C:", struct.pack("<IQ", world.system_volume_serial, 0x100000))
    root.key("MountedDevices").written_at = world.at(3, "19:05:15")
    started = world.at(2, "21:14:05")
    activity = current.key(f"Services\\bam\\State\\UserSettings\\{world.user_sid}", started)
    activity.set(
        "\\Device\\HarddiskVolume2\\Program Files (x86)\\AnyDesk\\AnyDesk.exe",
        struct.pack("<QQQ", filetime(started), 0, 0),
        REG_BINARY,
    )
    case.write(folder, path, hive(root, "\\SystemRoot\\System32\\Config\\SYSTEM"), shutdown)
    artifact = "windows.registry"
    case.plant(f"The laptop's name is {world.laptop}", source, path, artifact, ("ComputerName", world.laptop))
    case.plant(f"The laptop's time zone is {world.zone_windows}", source, path, artifact, (world.zone_windows,))
    case.plant(
        "The laptop was last shut down on the Friday evening", source, path, artifact, (shown.filetime(shutdown),)
    )
    case.plant(
        f"The stick {world.stick.serial} was attached on the Thursday evening",
        source,
        path,
        artifact,
        (world.stick.serial, world.stick.friendly_name),
        "removable_media_copy",
    )
    case.plant(
        "The stick last arrived at the laptop at this time",
        source,
        path,
        artifact,
        (world.stick.serial, shown.filetime(attached.arrived)),
        "removable_media_copy",
    )
    case.plant(
        "Drive letter E: belongs to the stick",
        source,
        path,
        "windows.registry.mounted_device",
        ("\\DosDevices\\E:", world.stick.serial),
    )
    case.plant(
        "AnyDesk was last active in the session of the engineer's account at this time",
        source,
        path,
        artifact,
        ("AnyDesk.exe", world.user_sid, shown.filetime(started)),
        "remote_access_tool",
    )
    case.decoy(
        f"Data was copied to the stick {world.old_stick.serial}",
        "attached two months before the period, last removed before it, no trace of a file",
        source,
        path,
        (world.old_stick.serial, shown.filetime(old.arrived)),
        "removable_media_copy",
    )
    case.decoy(
        "The telephone was used as a storage device on the laptop",
        "a composite device without a storage interface: charged, at most synchronised",
        source,
        path,
        ("VID_05AC&PID_12A8", world.udid),
        "removable_media_copy",
    )


def _software(case: Case, source: str, folder: str) -> None:
    world, path = case.world, f"{CONFIG}/SOFTWARE"
    made, last = world.at(-400, "09:00:00"), world.at(4, "18:02:30")
    root = Key("ROOT", last)
    version = root.key("Microsoft\\Windows NT\\CurrentVersion", made)
    version.set("ProductName", "Windows 10 Pro").set("CurrentBuild", "19045").set("CurrentBuildNumber", "19045")
    version.set("DisplayVersion", "22H2").set("EditionID", "Professional").set("RegisteredOwner", world.engineer.name)
    version.set("RegisteredOrganization", "Northwind Turbines").set("InstallDate", posix(made)).set(
        "CurrentMajorVersionNumber", 10
    )
    profile = root.key(
        f"Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\{world.user_sid}", world.at(-399, "09:10:00")
    )
    profile.set("ProfileImagePath", f"C:\\Users\\{world.account}", REG_EXPAND_SZ)
    installed = world.at(1, "20:01:40")
    programs = (
        ("AnyDesk", "AnyDesk", "7.1.13", "AnyDesk Software GmbH", installed, "C:\\Program Files (x86)\\AnyDesk"),
        ("7-Zip", "7-Zip 22.01 (x64)", "22.01", "Igor Pavlov", world.at(-300, "10:00:00"), "C:\\Program Files\\7-Zip"),
        (
            "Google Chrome",
            "Google Chrome",
            "126.0.6478.127",
            "Google LLC",
            world.at(-380, "10:15:00"),
            "C:\\Program Files\\Google\\Chrome\\Application",
        ),
    )
    for key, name, number, publisher, at, place in programs:
        entry = root.key(f"Microsoft\\Windows\\CurrentVersion\\Uninstall\\{key}", at)
        entry.set("DisplayName", name).set("DisplayVersion", number).set("Publisher", publisher)
        entry.set("InstallDate", f"{world.in_zone(at):%Y%m%d}").set("InstallLocation", place)
    root.key("Microsoft\\Windows\\CurrentVersion\\Run", made).set(
        "SecurityHealth", "%windir%\\system32\\SecurityHealthSystray.exe", REG_EXPAND_SZ
    )
    portable = root.key(
        f"Microsoft\\Windows Portable Devices\\Devices\\SWD#WPDBUSENUM#{devices.interface(world.stick).upper()}",
        world.at(3, "19:05:16"),
    )
    portable.set("FriendlyName", world.stick.label)
    network = root.key(
        "Microsoft\\Windows NT\\CurrentVersion\\NetworkList\\Profiles\\{0A0B0C0D-1111-4222-8333-944455566677}",
        world.at(1, "18:31:00"),
    )
    joined = world.in_zone(world.at(1, "18:30:58"))
    network.set("ProfileName", "Riverside_Guest").set("Description", "Riverside_Guest").set("NameType", 71).set(
        "Category", 0
    )
    network.set("DateCreated", systemtime(joined)).set("DateLastConnected", systemtime(joined))
    case.write(folder, path, hive(root, "\\SystemRoot\\System32\\Config\\SOFTWARE"), last)
    artifact = "windows.registry"
    case.plant(
        "The laptop runs Windows 10 Pro, build 19045, registered to the engineer",
        source,
        path,
        artifact,
        ("Windows 10 Pro",),
    )
    case.plant(
        "AnyDesk 7.1.13 was installed on the Tuesday",
        source,
        path,
        "windows.registry.installed_software",
        ("AnyDesk", "7.1.13", "C:\\Program Files (x86)\\AnyDesk"),
        "remote_access_tool",
    )
    case.plant(
        "The stick's volume was shown under its label", source, path, artifact, (world.stick.serial, world.stick.label)
    )
    case.plant(
        "The laptop joined the wireless network Riverside_Guest", source, path, artifact, ("Riverside_Guest",), None
    )


def _accounts(case: Case, source: str, folder: str) -> None:
    world, path = case.world, f"{CONFIG}/SAM"
    made, logon = world.at(-400, "09:00:00"), world.at(4, "08:30:12")
    root = Key("ROOT", logon)
    members = [
        sam.Account(
            "Administrator", 500, comment="Built-in account for administering the computer/domain", enabled=False
        ),
        sam.Account("Guest", 501, comment="Built-in account for guest access to the computer/domain", enabled=False),
        sam.Account("DefaultAccount", 503, comment="A user account managed by the system.", enabled=False),
        sam.Account(world.account, 1001, world.engineer.name, "", logon, world.at(-399, "09:10:00"), 341),
    ]
    sam.accounts(root, members, made)
    case.write(folder, path, hive(root, "\\SystemRoot\\System32\\Config\\SAM"), logon)
    case.plant(
        "The engineer's account last logged on on the Friday morning; its counter stands at 341",
        source,
        path,
        "windows.registry.account",
        (world.account, "341", shown.filetime(logon)),
    )
    case.decoy(
        "The account DefaultAccount was created on the laptop",
        "built into every installation, disabled",
        source,
        path,
        ("DefaultAccount", "503"),
        "new_account",
    )


def _user(case: Case, source: str, folder: str) -> None:
    world, path = case.world, f"Users/{case.world.account}/NTUSER.DAT"
    made, last = world.at(-399, "09:10:00"), world.at(4, "18:02:28")
    root = Key("ROOT", last)
    userassist.seed_ladder(root, made)
    ran = world.at(3, "18:52:20")
    userassist.run(root, f"{userassist.PROGRAM_FILES}\\7-Zip\\7zFM.exe", 9, 14, 412_000, ran)
    remote = world.at(2, "21:14:05")
    userassist.run(root, f"{userassist.PROGRAM_FILES_X86}\\AnyDesk\\AnyDesk.exe", 5, 8, 5_400_000, remote)
    explorer = root.key("Software\\Microsoft\\Windows\\CurrentVersion\\Explorer", made)
    run_dialog = explorer.key("RunMRU", world.at(4, "17:44:50"))
    run_dialog.set("a", "powershell\\1").set("MRUList", "a")
    explorer.key("TypedPaths", world.at(3, "19:10:05")).set("url1", "E:\\")
    explorer.key("MountPoints2\\{5f2c1d3e-0a0b-11ef-9c9d-0050b6c0ffee}", world.at(3, "19:05:20"))
    start = root.key("Software\\Microsoft\\Windows\\CurrentVersion\\Run", world.at(2, "21:21:40"))
    start.set(
        "OneDrive", f'"C:\\Users\\{world.account}\\AppData\\Local\\Microsoft\\OneDrive\\OneDrive.exe" /background'
    )
    if case.guilty:
        command = f"C:\\Users\\{world.account}\\AppData\\Local\\Temp\\rc\\sync.cmd /quiet"
        start.set("CacheSync", command)
        case.plant(
            "A Run value of the account starts a script in its Temp folder",
            source,
            path,
            "windows.registry",
            ("CacheSync", command),
            "persistence",
        )
    case.write(folder, path, hive(root, f"\\??\\C:\\Users\\{world.account}\\ntuser.dat"), last)
    case.plant(
        "The shell counted a start of the archiver by the account on the Thursday",
        source,
        path,
        "windows.registry.userassist",
        ("7zFM.exe", "9", shown.filetime(ran)),
    )
    case.plant(
        "The shell counted five starts of AnyDesk by the account",
        source,
        path,
        "windows.registry.userassist",
        ("AnyDesk.exe", "5", shown.filetime(remote)),
        "remote_access_tool",
    )
    case.plant(
        "Someone typed E:\\ into the explorer's address line of the account",
        source,
        path,
        "windows.registry",
        ("url1", "E:\\"),
    )
    case.plant(
        "The run dialog of the account was given powershell", source, path, "windows.registry", ("powershell\\1",)
    )
    case.decoy(
        "Remote Desktop was used by the account",
        "a factory entry: every new profile holds it with this counter and time",
        source,
        path,
        ("mstsc.exe", str(14 - userassist.SEEDS.index(f"{userassist.SYSTEM32}\\mstsc.exe"))),
        "remote_access_tool",
    )
