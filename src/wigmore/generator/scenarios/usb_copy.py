"""Copy to a stick: a project lies on a laptop and a stick was attached; did its files go onto the stick?"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from wigmore.generator.case import Case
from wigmore.generator.image.fat import FatVolume
from wigmore.generator.truth import Source
from wigmore.generator.windows import devices, lnk, office
from wigmore.generator.windows.computer import Computer
from wigmore.generator.windows.hive import REG_BINARY
from wigmore.generator.world import Stick

TITLE = "Copy to a stick"
FRAME = "removable_media_copy"
LAPTOP, FOLDER, STICK, IMAGE = "src-laptop", "laptop", "src-stick", "stick.img"
NAMES = ("tender", "price list", "assembly drawings", "customers", "test results", "torque tables")


def build(case: Case) -> str:
    """Write the laptop and, where it was acquired, the stick; returns the case's description.

    Guilty: files of the project were created on the stick after it was attached, by Explorer or by a command; some were
    deleted there again. Innocent: the stick brought its own files in, or was attached and only looked at. Ambiguous: the
    stick was not acquired, another one was, or it was formatted since.
    """
    world, dice = case.world, case.world.random("usb copy")
    way = dice.choice(("explorer", "robocopy", "deleted"))
    innocent = dice.choice(("brought in", "looked at", "other disk"))
    gap = dice.choice(("not acquired", "formatted", "truncated"))
    computer = Computer(case, LAPTOP, FOLDER, world.laptop)
    day = dice.randrange(0, 8)
    arrived = world.at(day, f"{dice.randrange(9, 20):02d}:{dice.randrange(60):02d}:12")
    drive = dice.choice("EFG")
    _attached(case, computer, arrived, drive)
    files = {}
    for name in dice.sample(NAMES, dice.randrange(2, 5)):
        content = f"{world.project} {name}\r\n".encode() + dice.randbytes(dice.randrange(3_000, 30_000))
        files[f"{world.project}_{name.replace(' ', '_')}.{dice.choice(('docx', 'xlsx', 'pdf', 'step'))}"] = content
    folder = f"{computer.home}/Documents/{world.project}"
    changed = world.at(-20 - dice.randrange(60), "16:20:10")
    brought = case.variant == "innocent" and innocent == "brought in"
    for name, content in files.items():
        case.write(FOLDER, f"{folder}/{name}", content, arrived + timedelta(minutes=6) if brought else changed)
    case.needs(LAPTOP, f"{folder}/{next(iter(files))}")
    copied = arrived + timedelta(minutes=3, seconds=dice.randrange(200))
    source = f"C:\\Users\\{computer.account}\\Documents\\{world.project}"
    if case.variant != "innocent" and way == "robocopy":
        line = f"robocopy {source} {drive}:\\{world.project.lower()} /E /COPY:DAT"
        computer.started("WINDOWS\\SYSTEM32\\ROBOCOPY.EXE", [copied], dice.randrange(1, 4))
        program = "C:\\Windows\\System32\\Robocopy.exe"
        computer.log(office.started(copied, world.laptop, computer.account, computer.sid, program, line))
    if case.variant == "innocent" and innocent == "other disk":
        _weekly(case, computer, source)
    earlier = world.at(-30 - dice.randrange(60), "20:15:30")
    opened = next(iter(files)) if case.variant != "innocent" or brought else "album\\picture_1.txt"
    came = earlier if case.variant == "innocent" else copied  # as the stick has it
    _noted(case, computer, f"{drive}:\\{opened}", copied, came, world.stick)
    computer.close("SYSTEM", "Security", "System")
    security = computer.log_path("Security")
    case.plant(
        "The stick was attached", LAPTOP, "Windows/System32/config/SYSTEM", "registry", (world.stick.serial,), FRAME
    )
    if case.variant != "innocent" and way == "robocopy":
        case.plant("A command copied the project", LAPTOP, security, "windows.eventlog", (line,), FRAME)
    earlier = world.in_zone(earlier)
    local = world.in_zone(copied).replace(microsecond=0)
    if case.variant == "guilty":
        _stick(case, files, local, earlier, removed=way == "deleted")
    elif case.variant == "innocent":
        _stick(case, files if brought else {}, earlier, earlier)
        _decoys(case, files if brought else {}, drive)
    elif gap != "not acquired":
        _stick(case, {} if gap == "formatted" else files, local, earlier, damage=gap)
    case.ask(
        f"Were files of {world.project} copied to a removable device?",
        FRAME,
        tuple(files)[:1] if case.variant == "guilty" else (),
    )
    case.ask("Which USB storage devices were attached?", FRAME, (world.stick.serial,))
    case.expect(FRAME, {"guilty": "supported", "innocent": "not_supported", "ambiguous": "cannot_say"}[case.variant])
    return (
        f"Files of {world.project} lie on {world.laptop}, and a stick was attached to it: did they go onto the stick?"
    )


def _attached(case: Case, computer: Computer, arrived: datetime, drive: str) -> None:
    """The stick's traces, and those of another one that was there weeks before."""
    world, dice = case.world, case.world.random("attached")
    before = world.at(-60 - dice.randrange(30), "10:11:12")
    known = dice.random() < 0.5  # the stick may have been there before
    first = world.at(-45, "09:30:05") if known else arrived - timedelta(seconds=2)
    left = arrived + timedelta(minutes=dice.randrange(15, 90))
    devices.storage(computer.current, devices.Attachment(world.stick, first, arrived, left))
    devices.storage(
        computer.current, devices.Attachment(world.old_stick, before, before, before + timedelta(minutes=9))
    )
    devices.letter(computer.system, world.stick, f"{drive}:")
    computer.system.key("MountedDevices").set(
        "\\DosDevices\\C:", world.system_volume_serial.to_bytes(12, "little"), REG_BINARY
    )
    installs = [(world.in_zone(first), world.stick), (world.in_zone(before), world.old_stick)]
    case.write(FOLDER, "Windows/INF/setupapi.dev.log", devices.setup_log(world.in_zone(computer.made), installs), first)


def _weekly(case: Case, computer: Computer, source: str) -> None:
    """The same copy to a second disk every Friday, long before the case as well."""
    for day in (-10, -3, 4):
        at = case.world.at(day, "17:00:02")
        line = f"robocopy {source} D:\\Archive /MIR /R:1"
        program = "C:\\Windows\\System32\\Robocopy.exe"
        parent = "C:\\Windows\\System32\\svchost.exe"
        computer.log(office.started(at, computer.host, computer.account, computer.sid, program, line, parent))
    computer.task(
        "Weekly archive", case.world.at(-90, "10:00:00"), "robocopy", f"{source} D:\\Archive /MIR /R:1", logon=False
    )
    why = "a second disk, every Friday at five, since months"
    case.decoy(
        "Files were copied to the stick by command", why, LAPTOP, computer.log_path("Security"), ("D:\\Archive",), FRAME
    )


def _noted(case: Case, computer: Computer, path: str, at: datetime, came: datetime, stick: Stick) -> None:
    """The shell's link to a file that was opened on the stick, with the times that it has there."""
    made, seen = (t.replace(microsecond=0, second=t.second // 2 * 2) for t in (came, at))
    target = lnk.Target(
        path, 48_213, made, made - timedelta(days=40), seen, lnk.REMOVABLE, stick.volume_serial, stick.label
    )
    place = f"{computer.home}/AppData/Roaming/Microsoft/Windows/Recent/{path.rpartition(chr(92))[2]}.lnk"
    case.write(FOLDER, place, lnk.lnk(target), at + timedelta(minutes=1))
    case.plant(f"{path} was opened on the stick", LAPTOP, place, "windows.lnk", (path, stick.label), FRAME)


def _stick(
    case: Case, files: dict[str, bytes], made: datetime, earlier: datetime, removed: bool = False, damage: str = ""
) -> None:
    """The stick's image: own files of long ago, and what was put on it; formatted or cut off where it says so."""
    world = case.world
    image = f"evidence/usb/{IMAGE}"
    case.add_source(
        Source(STICK, f"USB stick {world.stick.serial}", "disk_image", "image", "windows", image, world.zone)
    )
    volume = FatVolume(world.stick.label, world.stick.volume_serial, earlier - timedelta(days=90))
    for number in range(3 if damage != "formatted" else 0):
        caption = f"caption of picture {number + 1}\r\n".encode() * 4
        volume.add(f"album/picture_{number + 1}.txt", caption, earlier, earlier - timedelta(days=2), earlier)
    for name, content in files.items():
        volume.add(f"{world.project.lower()}/{name}", content, made, earlier - timedelta(days=9), made)
    for name in list(files)[1:] if removed else ():
        volume.delete(f"{world.project.lower()}/{name}")
    content = volume.to_bytes()
    if damage == "truncated":
        content = content[: 2048 * 512 + 20 * 512]  # cut within the allocation table: no folder is left
    case.write("usb", IMAGE, content, world.at(10, "10:00:00"))
    if case.variant == "guilty":
        for name, content in files.items():
            place = f"{IMAGE}/p1/{world.project.lower()}/{name}"
            digest = hashlib.sha256(content).hexdigest()
            bears = None if removed and name != next(iter(files)) else FRAME
            case.plant(f"{name} came onto the stick", STICK, place, "file", (name, digest), bears)


def _decoys(case: Case, files: dict[str, bytes], drive: str) -> None:
    """What the stick had long before."""
    for name in list(files)[:1]:
        place = f"{IMAGE}/p1/{case.world.project.lower()}/{name}"
        why = "it was on the stick weeks before the period; the laptop's copy is the younger one"
        case.decoy(f"{name} was copied to {drive}:", why, STICK, place, (name,), FRAME)
    serial = case.world.old_stick.serial
    why = "attached and removed two months before the period"
    case.decoy("Files were copied to the other stick", why, LAPTOP, "Windows/System32/config/SYSTEM", (serial,), FRAME)
