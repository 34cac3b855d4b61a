"""A Windows computer of an office as a folder tree: ordinary registry, programs, tasks and logs, to which a case adds.

Sources of what stands in the registry: libyal winreg-kb (System keys, background activity moderator, services).
"""

from __future__ import annotations

import struct
from datetime import datetime, timedelta
from pathlib import PureWindowsPath

from wigmore.generator.case import Case
from wigmore.generator.clocks import filetime
from wigmore.generator.truth import Source
from wigmore.generator.windows import office, prefetch, recycle, sam, tasks, userassist
from wigmore.generator.windows.evtx import Logged
from wigmore.generator.windows.hive import REG_BINARY, REG_EXPAND_SZ, Key, hive

CONFIG = "Windows/System32/config"
RUN = "Microsoft\\Windows\\CurrentVersion\\Run"
UNINSTALL = "Microsoft\\Windows\\CurrentVersion\\Uninstall"
BUILT_IN = (("Administrator", 500), ("Guest", 501), ("DefaultAccount", 503))
LIBRARIES = ("NTDLL.DLL", "KERNEL32.DLL", "KERNELBASE.DLL", "UCRTBASE.DLL")
ORDINARY = (  # program, folder, publisher's name where it stands among the installed ones
    ("EXPLORER.EXE", "WINDOWS", ""),
    ("SVCHOST.EXE", "WINDOWS\\SYSTEM32", ""),
    ("NOTEPAD.EXE", "WINDOWS\\SYSTEM32", ""),
    ("TASKHOSTW.EXE", "WINDOWS\\SYSTEM32", ""),
    ("OUTLOOK.EXE", "PROGRAM FILES\\MICROSOFT OFFICE\\ROOT\\OFFICE16", "Microsoft 365 Apps"),
    ("EXCEL.EXE", "PROGRAM FILES\\MICROSOFT OFFICE\\ROOT\\OFFICE16", ""),
    ("CHROME.EXE", "PROGRAM FILES\\GOOGLE\\CHROME\\APPLICATION", "Google Chrome"),
    ("MSEDGE.EXE", "PROGRAM FILES (X86)\\MICROSOFT\\EDGE\\APPLICATION", "Microsoft Edge"),
    ("7ZFM.EXE", "PROGRAM FILES\\7-ZIP", "7-Zip 22.01 (x64)"),
    ("ACROBAT.EXE", "PROGRAM FILES\\ADOBE\\ACROBAT DC\\ACROBAT", "Adobe Acrobat (64-bit)"),
)


class Computer:
    """Collects a computer's keys, events and files; `close` writes what was collected.

    `system`, `software` and `user` are the roots of the hives (`current` the control set), `events` the logs by channel.
    """

    def __init__(self, case: Case, source: str, folder: str, host: str, account: str = "", last: int = 9) -> None:
        world = case.world
        self.case, self.source, self.folder, self.host = case, source, folder, host
        self.account = account or world.account
        self.sid = world.user_sid
        self.dice = world.random(f"computer {host}")
        self.made = world.at(-300 - self.dice.randrange(200), "09:00:00")
        self.last = world.at(last, f"17:40:0{self.dice.randrange(10)}")
        self.system, self.software, self.user = (Key("ROOT", self.last) for _ in range(3))
        self.current = self.system.key("ControlSet001", self.made)
        self.members = [sam.Account(name, rid, enabled=False) for name, rid in BUILT_IN]
        logons = self.dice.randrange(90, 900)
        self.members.append(sam.Account(self.account, 1001, "", "", self.last, self.made, logons))
        self.events: dict[str, list[Logged]] = {
            "Security": list(office.week(case, host, self.account, self.sid)),
            "System": list(office.system_week(case, host)),
        }
        self.prefetched: list[str] = []
        label = f"Computer {host}"
        case.add_source(Source(source, label, "disk_image", "tree", "windows", f"evidence/{folder}", world.zone))
        self._identity()
        self._programs()
        self._tasks()
        self._noise()

    @property
    def home(self) -> str:
        """The profile folder of the usual account inside the source."""
        return f"Users/{self.account}"

    def log(self, *events: Logged) -> None:
        """Add events to the logs of their channels."""
        for event in events:
            self.events.setdefault(event.channel, []).append(event)

    def log_path(self, channel: str) -> str:
        """Where the log of a channel lies inside the source."""
        return f"{office.LOGS}/{channel.replace('/', '%4')}.evtx"

    def started(self, path: str, runs: list[datetime], count: int, files: tuple[str, ...] = ()) -> str:
        """Write the prefetch file of a program (Windows path without its drive), newest run first; returns where it lies."""
        serial = self.case.world.system_volume_serial
        volume = prefetch.Volume(f"\\VOLUME{{{filetime(self.made):016x}-{serial:08x}}}", self.made, serial)
        device = prefetch.upper(f"{volume.device}\\{path}")
        name = PureWindowsPath(path).name.upper()
        touched = [f"{volume.device}\\WINDOWS\\SYSTEM32\\{library}" for library in LIBRARIES]
        touched += [f"{volume.device}\\{item}" for item in files]
        target = f"Windows/Prefetch/{prefetch.file_name(name, device)}"
        content = prefetch.packed(prefetch.prefetch(name, device, runs, count, touched, volume, 30))
        self.case.write(self.folder, target, content, runs[0] + timedelta(seconds=10))
        self.prefetched.append(target)
        return target

    def active(self, path: str, at: datetime, sid: str = "") -> None:
        """Note a program's last activity in an account's session (background activity moderator)."""
        key = self.current.key(f"Services\\bam\\State\\UserSettings\\{sid or self.sid}", at)
        key.set(f"\\Device\\HarddiskVolume2\\{path}", struct.pack("<QQQ", filetime(at), 0, 0), REG_BINARY)

    def service(self, name: str, image: str, at: datetime, start: int = 2) -> None:
        """Register a service; `start` 2 starts by itself, 3 on demand, 4 is disabled."""
        key = self.current.key(f"Services\\{name}", at).set("ImagePath", image, REG_EXPAND_SZ)
        key.set("Start", start).set("Type", 16).set("DisplayName", name).set("ObjectName", "LocalSystem")

    def installed(self, name: str, at: datetime, version: str = "1.0", place: str = "") -> None:
        """Enter a program among the installed ones."""
        entry = self.software.key(f"{UNINSTALL}\\{name}", at).set("DisplayName", name).set("DisplayVersion", version)
        entry.set("InstallDate", f"{self.case.world.in_zone(at):%Y%m%d}").set("InstallLocation", place)

    def task(
        self, name: str, made: datetime, command: str, arguments: str = "", author: str = "", logon: bool = True
    ) -> str:
        """Write a scheduled task; returns where it lies."""
        local = self.case.world.in_zone(made)
        content = tasks.task(
            f"\\{name}", author or f"{self.host}\\{self.account}", local, command, arguments, at_logon=logon
        )
        path = f"Windows/System32/Tasks/{name}"
        self.case.write(self.folder, path, content, made)
        return path

    def close(self, *needed: str) -> None:
        """Write hives, logs and documents; what `needed` names (hives, channels, prefetch) must stay whole."""
        case = self.case
        account = f"{self.home}/NTUSER.DAT"
        roots = {"SYSTEM": self.system, "SOFTWARE": self.software, "NTUSER": self.user}
        roots["SAM"] = Key("ROOT", self.last)
        sam.accounts(roots["SAM"], self.members, self.made)
        paths = {name: account if name == "NTUSER" else f"{CONFIG}/{name}" for name in roots}
        for name, root in roots.items():
            inner = f"\\??\\C:\\Users\\{self.account}\\ntuser.dat" if name == "NTUSER" else f"\\Config\\{name}"
            root.written_at = self.last
            case.write(self.folder, paths[name], hive(root, inner), self.last)
        for channel, events in self.events.items():
            if events:
                paths[channel] = office.write_log(case, self.folder, channel.replace("/", "%4"), events)
        for number in range(4):
            about = (
                f"Minutes {number + 1}: {self.dice.choice(('costs', 'dates', 'parts', 'travel'))} were discussed.\r\n"
            )
            at = case.world.at(-9 + 3 * number, "11:20:10")
            case.write(self.folder, f"{self.home}/Documents/minutes_{number + 1}.txt", about.encode() * 5, at)
        for name in needed:
            case.needs(self.source, *(self.prefetched if name == "prefetch" else (paths[name],)))

    def _identity(self) -> None:
        world, made = self.case.world, self.made
        for name, number in (("Current", 1), ("Default", 1), ("Failed", 0), ("LastKnownGood", 1)):
            self.system.key("Select", made).set(name, number)
        self.current.key("Control\\ComputerName\\ComputerName", made).set("ComputerName", self.host)
        bias = -world.zone_minutes & 0xFFFFFFFF
        zone = self.current.key("Control\\TimeZoneInformation", made).set("TimeZoneKeyName", world.zone_windows)
        zone.set("Bias", bias).set("ActiveTimeBias", bias).set("StandardBias", 0).set("DaylightBias", 0)
        self.current.key("Services\\Tcpip\\Parameters", made).set("Hostname", self.host)
        self.service("Dnscache", "%SystemRoot%\\system32\\svchost.exe -k NetworkService -p", made)
        self.service("Spooler", "%SystemRoot%\\System32\\spoolsv.exe", made)
        version = self.software.key("Microsoft\\Windows NT\\CurrentVersion", made).set("ProductName", "Windows 10 Pro")
        version.set("CurrentBuild", "19045").set("DisplayVersion", "22H2").set("CurrentMajorVersionNumber", 10)
        profile = self.software.key(f"Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\{self.sid}", made)
        profile.set("ProfileImagePath", f"C:\\Users\\{self.account}", REG_EXPAND_SZ)
        tray = "%windir%\\system32\\SecurityHealthSystray.exe"
        self.software.key(RUN, made).set("SecurityHealth", tray, REG_EXPAND_SZ)
        userassist.seed_ladder(self.user, made)
        drive = f'"C:\\Users\\{self.account}\\AppData\\Local\\Microsoft\\OneDrive\\OneDrive.exe" /background'
        self.user.key(f"Software\\{RUN}", made).set("OneDrive", drive)

    def _programs(self) -> None:
        for name, folder, title in self.dice.sample(ORDINARY, self.dice.randrange(6, len(ORDINARY) + 1)):
            runs = [
                self.case.world.at(
                    day, f"{self.dice.randrange(8, 17):02d}:{self.dice.randrange(60):02d}:{self.dice.randrange(60):02d}"
                )
                for day in range(9, 1, -self.dice.randrange(1, 4))
            ]
            self.started(f"{folder}\\{name}", runs, self.dice.randrange(len(runs), 400))
            if title:
                self.installed(title, self.made, "22.01", f"C:\\{folder.title()}")

    def _tasks(self) -> None:
        updater = "C:\\Program Files (x86)\\Google\\Update\\GoogleUpdate.exe"
        author = f"{self.host}\\Administrator"
        self.task("GoogleUpdateTaskMachineUA", self.made, updater, "/ua /installsource scheduler", author, logon=False)

    def _noise(self) -> None:
        """What happens in any office week and looks like something: mistyped passwords, a set-up, a tidied file."""
        world, day = self.case.world, self.dice.randrange(0, 8)
        for number in range(self.dice.randrange(1, 4)):
            at = world.at(day, f"08:05:{10 + 7 * number}")
            self.log(office.failed(at, self.host, self.account, "127.0.0.1", self.host, kind=2))
        ran = world.at(self.dice.randrange(0, 8), "13:07:20")
        token = f"{self.dice.randrange(16**4):04X}"
        program = self.dice.choice(("ACROBATUPDATESETUP.EXE", "VCREDIST_X64.EXE", "TEAMSUPDATE.EXE"))
        self.started(f"WINDOWS\\TEMP\\IS-{token}.TMP\\{program}", [ran], 1)
        if self.dice.random() < 0.5:  # installers register their log sources with it
            self.started("WINDOWS\\SYSTEM32\\WEVTUTIL.EXE", [ran + timedelta(seconds=9)], self.dice.randrange(1, 6))
        index, data = recycle.pair("rota.xlsx", self.dice)
        put = world.at(self.dice.randrange(0, 9), "15:40:02")
        bin_folder = f"$Recycle.Bin/{self.sid}"
        original = f"C:\\Users\\{self.account}\\Documents\\rota.xlsx"
        self.case.write(self.folder, f"{bin_folder}/{index}", recycle.index_file(original, 22, put), put)
        self.case.write(self.folder, f"{bin_folder}/{data}", b"PK\5\6" + bytes(18), put - timedelta(days=30))
