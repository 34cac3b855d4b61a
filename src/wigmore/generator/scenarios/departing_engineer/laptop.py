"""The engineer's Windows laptop as a folder tree: programs, links, bin, tasks, browsers, command history."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime, timedelta

from wigmore.generator import shown
from wigmore.generator.case import Case
from wigmore.generator.clocks import filetime
from wigmore.generator.scenarios.departing_engineer import laptop_browsers, laptop_registry
from wigmore.generator.truth import Source
from wigmore.generator.windows import devices, lnk, prefetch, recycle, tasks

SOURCE, FOLDER = "src-laptop", "laptop"


def build(case: Case) -> None:
    """Write the laptop."""
    world = case.world
    case.add_source(
        Source(
            SOURCE,
            f"Laptop {world.laptop}",
            "disk_image",
            "tree",
            "windows",
            f"evidence/{FOLDER}",
            world.zone,
            world.engineer.name,
        )
    )
    _files(case)
    _programs(case)
    _links(case)
    _bin(case)
    _tasks(case)
    _commands(case)
    laptop_registry.build(case, SOURCE, FOLDER)
    laptop_browsers.build(case, SOURCE, FOLDER)


def home(case: Case) -> str:
    """The user's profile folder inside the source."""
    return f"Users/{case.world.account}"


def project_path(case: Case) -> str:
    """The design file's Windows path."""
    world = case.world
    return f"C:\\Users\\{world.account}\\Documents\\{world.project}\\{world.design_name}"


def _files(case: Case) -> None:
    world = case.world
    folder = f"{home(case)}/Documents/{world.project}"
    case.write(FOLDER, f"{folder}/{world.design_name}", world.design, world.at(-40, "16:20:11"))
    notes = f"{world.project}: review with {world.colleague.name} on Friday.\r\nTorque figures are final.\r\n"
    case.write(FOLDER, f"{folder}/review_notes.txt", notes.encode(), world.at(-12, "10:02:40"))
    digest = hashlib.sha256(world.design).hexdigest()
    case.plant(
        f"The design file {world.design_name} lies in the engineer's documents (SHA-256 {digest})",
        SOURCE,
        f"{folder}/{world.design_name}",
        "file",
        (world.design_name, digest),
    )


def volume(case: Case) -> prefetch.Volume:
    """The laptop's system volume as Prefetch names it."""
    made = case.world.at(-400, "09:00:00")
    return prefetch.Volume(
        f"\\VOLUME{{{filetime(made):016x}-{case.world.system_volume_serial:08x}}}",
        made,
        case.world.system_volume_serial,
    )


def _program(case: Case, name: str, folder: str, runs: list[datetime], count: int, files: tuple[str, ...] = ()) -> str:
    disk = volume(case)
    path = prefetch.upper(f"{disk.device}\\{folder}\\{name}")
    touched = [
        f"{disk.device}\\WINDOWS\\SYSTEM32\\{library}" for library in ("NTDLL.DLL", "KERNEL32.DLL", "KERNELBASE.DLL")
    ]
    touched += [f"{disk.device}\\{item}" for item in files]
    target = f"Windows/Prefetch/{prefetch.file_name(name, path)}"
    content = prefetch.packed(prefetch.prefetch(name, path, runs, count, touched, disk, 30))
    case.write(FOLDER, target, content, runs[0] + timedelta(seconds=10))
    return target


def _programs(case: Case) -> None:
    world = case.world
    documents = project_path(case)[3:].upper()

    def seen(
        name: str, count: int, last: datetime, statement: str, path: str, hypothesis: str | None, *more: str
    ) -> None:
        values = (name, str(count), shown.filetime(last), *more)
        case.plant(statement, SOURCE, path, "windows.prefetch", values, hypothesis)

    for name, folder, day, clock, count in (
        ("EXPLORER.EXE", "WINDOWS", 0, "08:31:02", 212),
        ("CHROME.EXE", "PROGRAM FILES\\GOOGLE\\CHROME\\APPLICATION", 4, "09:12:44", 388),
        ("OUTLOOK.EXE", "PROGRAM FILES\\MICROSOFT OFFICE\\ROOT\\OFFICE16", 4, "08:41:07", 301),
        ("NOTEPAD.EXE", "WINDOWS\\SYSTEM32", 2, "11:20:00", 17),
    ):
        _program(case, name, folder, [world.at(day, clock), world.at(day - 1, clock)], count)
    tool = [world.at(2, "21:14:05"), world.at(1, "20:02:31")]
    path = _program(case, "ANYDESK.EXE", "PROGRAM FILES (X86)\\ANYDESK", tool, 6)
    seen(
        "ANYDESK.EXE",
        6,
        tool[0],
        "The remote-access program AnyDesk was started on the laptop; the counter stands at 6",
        path,
        "remote_access_tool",
        shown.filetime(tool[1]),
    )
    updater = world.at(3, "03:00:09")
    path = _program(case, "GOOGLEUPDATE.EXE", "PROGRAM FILES (X86)\\GOOGLE\\UPDATE", [updater], 57)
    case.decoy(
        "An unknown program ran at night on the laptop",
        "GoogleUpdate started by its own scheduled task; nobody was there",
        SOURCE,
        path,
        ("GOOGLEUPDATE.EXE", shown.filetime(updater)),
        "suspicious_execution",
    )
    archiver = world.at(3, "18:52:20")
    path = _program(case, "7ZG.EXE", "PROGRAM FILES\\7-ZIP", [archiver], 9, (documents,) if case.guilty else ())
    seen(
        "7ZG.EXE",
        9,
        archiver,
        "The archiver 7-Zip was started on the Thursday evening; the counter stands at 9",
        path,
        None,
    )
    if not case.guilty:
        return
    upload = world.at(3, "20:11:32")
    path = _program(case, "RCLONE.EXE", f"USERS\\{world.account}\\APPDATA\\LOCAL\\TEMP\\RC", [upload], 2, (documents,))
    seen(
        "RCLONE.EXE",
        2,
        upload,
        "The copy tool rclone was started from a Temp folder and touched the design file",
        path,
        "cloud_upload",
        world.design_name,
    )
    case.plant(
        "A program was started from the user's Temp folder",
        SOURCE,
        path,
        "windows.prefetch",
        ("RCLONE.EXE", f"\\USERS\\{world.account}\\APPDATA\\LOCAL\\TEMP\\RC\\RCLONE.EXE"),
        "suspicious_execution",
    )
    wipe = world.at(4, "17:40:51")
    path = _program(
        case, "SDELETE64.EXE", f"USERS\\{world.account}\\DOWNLOADS\\SDELETE", [wipe, world.at(4, "17:38:12")], 3
    )
    seen(
        "SDELETE64.EXE",
        3,
        wipe,
        "The wiping tool SDelete was started three times by its counter",
        path,
        "deletion_wiping",
    )
    clearing = world.at(4, "17:45:18")
    path = _program(case, "WEVTUTIL.EXE", "WINDOWS\\SYSTEM32", [clearing], 1)
    seen("WEVTUTIL.EXE", 1, clearing, "wevtutil was started shortly after the wiping", path, "log_clearing")


def _links(case: Case) -> None:
    world = case.world
    recent = f"{home(case)}/AppData/Roaming/Microsoft/Windows/Recent"
    made, changed = world.at(-90, "11:05:16"), world.at(-40, "16:20:11")
    opened = world.at(3, "18:50:41")
    droid = tuple(uuid.UUID(int=world.random("droid").getrandbits(128), version=4) for _ in range(2))
    identity = (droid[0], uuid.UUID(int=world.random("droid object").getrandbits(128), version=1))
    target = lnk.Target(
        project_path(case),
        len(world.design),
        made,
        changed,
        opened,
        lnk.FIXED,
        world.system_volume_serial,
        "Windows",
        world.laptop,
    )
    path = f"{recent}/{world.design_name}.lnk"
    case.write(
        FOLDER,
        path,
        lnk.lnk(target, identity, f"..\\..\\..\\..\\..\\Documents\\{world.project}\\{world.design_name}"),
        opened,
    )
    case.plant(
        "The engineer's account opened or saved the design file on the laptop",
        SOURCE,
        path,
        "windows.lnk",
        (target.path, shown.filetime(changed), str(len(world.design))),
    )
    stick_name = world.design_name if case.guilty else "family_album_index.pdf"
    size = len(world.design) if case.guilty else 48_213
    # in the innocent case the stick brought its own file in
    copied = world.at(3, "19:12:36") if case.guilty else world.at(-80, "20:15:30")
    copied = copied.replace(microsecond=0, second=copied.second // 2 * 2)  # FAT keeps two seconds
    target = lnk.Target(
        f"E:\\{'work' if case.guilty else 'album'}\\{stick_name}",
        size,
        copied,
        changed.replace(microsecond=0),
        copied,
        lnk.REMOVABLE,
        world.stick.volume_serial,
        world.stick.label,
    )
    path = f"{recent}/{stick_name.rpartition('.')[0]} (2).lnk"
    case.write(FOLDER, path, lnk.lnk(target), world.at(3, "19:14:02"))
    case.plant(
        f"The account opened {target.path} on a removable volume labelled {world.stick.label}",
        SOURCE,
        path,
        "windows.lnk",
        (target.path, world.stick.label, shown.filetime(copied)),
        "removable_media_copy" if case.guilty else None,
    )


def _bin(case: Case) -> None:
    world = case.world
    draw = world.random("bin")
    folder = f"$Recycle.Bin/{world.user_sid}"
    items = [("holiday_rota.xlsx", b"PK\5\6" + bytes(18), world.at(-20, "12:00:31"), False)]
    if case.guilty:
        items.append((f"{world.project}_export.7z", b"7z\xbc\xaf\x27\x1c" + bytes(26), world.at(4, "17:31:09"), True))
    for name, content, at, telling in items:
        index, data = recycle.pair(name, draw)
        original = f"C:\\Users\\{world.account}\\Documents\\{name}"
        case.write(FOLDER, f"{folder}/{index}", recycle.index_file(original, len(content), at), at)
        case.write(FOLDER, f"{folder}/{data}", content, at - timedelta(minutes=3))
        if telling:
            case.plant(
                "An archive of the project was put into the recycle bin on the Friday",
                SOURCE,
                f"{folder}/{index}",
                "windows.recycle_bin",
                (original, shown.filetime(at), str(len(content))),
                "deletion_wiping",
            )
        else:
            case.decoy(
                "Files of the case were deleted three weeks before",
                "an ordinary rota, put into the bin long before the period",
                SOURCE,
                f"{folder}/{index}",
                (original, shown.filetime(at)),
                "deletion_wiping",
            )


def _tasks(case: Case) -> None:
    world = case.world
    folder = "Windows/System32/Tasks"
    registered = world.local(-380, "10:15:00")
    update = "C:\\Program Files (x86)\\Google\\Update\\GoogleUpdate.exe"
    case.write(
        FOLDER,
        f"{folder}/GoogleUpdateTaskMachineUA",
        tasks.task(
            "\\GoogleUpdateTaskMachineUA",
            f"{world.laptop}\\Administrator",
            registered,
            update,
            "/ua /installsource scheduler",
            at_logon=False,
        ),
        world.utc(registered),
    )
    case.decoy(
        "A task was set up to keep access to the laptop",
        "the browser's updater, registered when the laptop was set up",
        SOURCE,
        f"{folder}/GoogleUpdateTaskMachineUA",
        ("GoogleUpdate.exe", "/ua /installsource scheduler"),
        "persistence",
    )
    if not case.guilty:
        return
    registered = world.local(2, "21:20:13")
    command = f"C:\\Users\\{world.account}\\AppData\\Local\\Temp\\rc\\sync.cmd"
    case.write(
        FOLDER,
        f"{folder}/OneDrive Cache Sync",
        tasks.task(
            "\\OneDrive Cache Sync", f"{world.laptop}\\{world.account}", registered, command, "/quiet", world.user_sid
        ),
        world.utc(registered),
    )
    case.plant(
        "A scheduled task with a vendor-like name starts a script in the user's Temp folder at each logon",
        SOURCE,
        f"{folder}/OneDrive Cache Sync",
        "windows.scheduled_task",
        (command, "/quiet", shown.local(registered)),
        "persistence",
    )


def _commands(case: Case) -> None:
    world = case.world
    path = f"{home(case)}/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt"
    lines = ["Get-ChildItem", "ipconfig /all", "cd Documents"]
    if case.guilty:
        copy = f".\\rclone.exe copy C:\\Users\\{world.account}\\Documents\\{world.project} box:drop"
        wipe = f".\\sdelete64.exe -p 3 {world.project}_export.7z"
        lines += [copy, wipe, "wevtutil cl Security", "exit"]
        for statement, line, template in (
            (
                "A PowerShell session was given a command that copies the project folder to a remote store",
                copy,
                "cloud_upload",
            ),
            ("A PowerShell session was given a wiping command for the project's archive", wipe, "deletion_wiping"),
            (
                "A PowerShell session was given a command that clears the Security log",
                "wevtutil cl Security",
                "log_clearing",
            ),
        ):
            case.plant(statement, SOURCE, path, "windows.powershell_history", (line,), template)
    case.write(FOLDER, path, ("\r\n".join(lines) + "\r\n").encode(), world.at(4, "17:46:02"))
    first = world.in_zone(world.at(3, "19:05:12"))
    old = world.in_zone(world.at(-64, "10:11:12"))
    log = devices.setup_log(world.local(-400, "09:05:00"), [(first, world.stick), (old, world.old_stick)])
    case.write(FOLDER, "Windows/INF/setupapi.dev.log", log, world.utc(first))
    case.plant(
        "The setup log names the stick's first installation in local time",
        SOURCE,
        "Windows/INF/setupapi.dev.log",
        "windows.setupapi",
        (world.stick.serial, shown.local(first)),
    )
