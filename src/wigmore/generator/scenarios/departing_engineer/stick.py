"""The stick: a FAT16 image with a partition table, the copied design, a deleted and an overwritten file."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from wigmore.generator import shown
from wigmore.generator.case import Case
from wigmore.generator.image.fat import FatVolume
from wigmore.generator.truth import Source

SOURCE, FOLDER, IMAGE = "src-stick", "usb_stick", "usb_stick.img"


def build(case: Case) -> None:
    """Write the image; its times are local to the laptop that wrote it."""
    world = case.world
    source = Source(
        SOURCE,
        f"USB stick {world.stick.serial}",
        "disk_image",
        "image",
        "windows",
        f"evidence/{FOLDER}/{IMAGE}",
        world.zone,
    )
    case.add_source(source)
    formatted = world.local(-200, "12:00:00")
    volume = FatVolume(world.stick.label, world.stick.volume_serial, formatted)
    # first: small and soon overwritten; its clusters go to the cover letter below
    early = world.local(-150, "15:10:20")
    volume.add("old_timetable.txt", b"timetable, first half year\r\n" * 40, early, early, early)
    album = world.local(-80, "20:15:30")
    for number in range(3):
        volume.add(
            f"album/picture_{number + 1:02d}.txt", f"caption of picture {number + 1}\r\n".encode(), album, album, album
        )
    changed = world.in_zone(world.at(-40, "16:20:11"))
    digest = hashlib.sha256(world.design).hexdigest()
    root = f"{IMAGE}/p1"
    copied = world.in_zone(world.at(3, "19:12:36"))
    if case.guilty:
        volume.add(f"work/{world.design_name}", world.design, copied, changed, copied)
        path = f"{root}/work/{world.design_name}"
        case.plant(
            "The stick holds a file of the design's name and content, created there on the Thursday evening",
            SOURCE,
            path,
            "file",
            (world.design_name, digest),
            "removable_media_copy",
        )
        case.plant(
            "The design file on the stick was created at 19:12:36 local time",
            SOURCE,
            path,
            "file",
            (world.design_name, shown.local(copied)),
            "removable_media_copy",
        )
        case.decoy(
            "The design file's times on the stick were forged",
            "modified before created is what copying leaves",
            SOURCE,
            path,
            (shown.fat(changed),),
            "timestomping",
        )
        price = b"Unit prices, confidential draft\r\nhub 1;41200\r\nhub 2;39870\r\n" * 60
        written = copied + timedelta(minutes=2, seconds=8)
        volume.add("work/price_list.csv", price, written, written, written)
        volume.delete("work/price_list.csv")
        case.plant(
            "A price list was written to the stick and deleted; its content can be recovered",
            SOURCE,
            f"{root}/work/price_list.csv",
            "file",
            ("price_list.csv", hashlib.sha256(price).hexdigest()),
            "removable_media_copy",
        )
    else:
        content = b"%PDF-1.4 album\n" + bytes(48_198)
        volume.add("album/family_album_index.pdf", content, album, changed - timedelta(days=60), album)
        case.plant(
            "The stick holds a family album's index, written weeks before it was first attached to the laptop",
            SOURCE,
            f"{root}/album/family_album_index.pdf",
            "file",
            ("family_album_index.pdf", shown.local(album)),
        )
    volume.delete("old_timetable.txt")
    letter = b"Dear Sir or Madam, please find enclosed my certificates.\r\n" * 30
    now = album + timedelta(days=1)
    volume.add("letter.txt", letter, now, now, now, reuse=True)
    case.decoy(
        "The deleted file on the stick holds the letter's text",
        "its clusters were given to letter.txt after it was deleted; its own content is gone",
        SOURCE,
        f"{root}/old_timetable.txt",
        (hashlib.sha256(letter).hexdigest(),),
        "deletion_wiping",
    )
    case.write(FOLDER, IMAGE, volume.to_bytes(), world.at(10, "10:00:00"))
    case.plant(
        f"The stick's volume carries the label {world.stick.label} and the serial {world.stick.volume_serial_text}",
        SOURCE,
        IMAGE,
        "volume",
        (world.stick.label, world.stick.volume_serial_text),
    )
