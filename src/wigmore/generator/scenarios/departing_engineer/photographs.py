"""Photographs: one at the meeting place, one at work, one stripped of metadata, one with a wrong camera clock."""

from __future__ import annotations

from datetime import timedelta

from wigmore.generator import shown
from wigmore.generator.case import Case
from wigmore.generator.media.exif_jpeg import Shot, decimal, jpeg
from wigmore.generator.truth import Source

SOURCE, FOLDER = "src-photographs", "photographs"


def build(case: Case) -> None:
    """Write the pictures."""
    world = case.world
    case.add_source(
        Source(
            SOURCE,
            "Photographs from the engineer's cloud folder",
            "media_collection",
            "tree",
            "unknown",
            f"evidence/{FOLDER}",
            world.zone,
        )
    )
    utc = world.at(1, "18:41:22").replace(microsecond=0)
    local = world.in_zone(utc)
    if case.guilty:
        shot = Shot(local, "Apple", "iPhone 12", world.latitude, world.longitude, west=world.west, fix_utc=utc)
        case.write(FOLDER, "IMG_0412.jpg", jpeg(shot, f"{world.seed} meeting"), utc)
        case.plant(
            f"A picture was taken at the {world.place} by an iPhone 12 on the Tuesday evening",
            SOURCE,
            "IMG_0412.jpg",
            "media.exif",
            ("iPhone 12", shown.local(local)),
            "device_at_place",
        )
        case.plant(
            "The picture's position",
            SOURCE,
            "IMG_0412.jpg",
            "media.exif",
            (decimal(world.latitude), decimal(world.longitude, world.west)),
            "device_at_place",
        )
    work = world.local(-3, "09:15:40")
    case.write(FOLDER, "IMG_0409.jpg", jpeg(Shot(work, "Apple", "iPhone 12"), f"{world.seed} desk"), world.utc(work))
    case.plant(
        "A picture without position, taken by an iPhone 12",
        SOURCE,
        "IMG_0409.jpg",
        "media.exif",
        ("iPhone 12", shown.local(work)),
    )
    case.write(FOLDER, "received_8812.jpg", jpeg(None, f"{world.seed} stripped"), utc + timedelta(hours=3))
    case.decoy(
        f"received_8812.jpg shows that the telephone was at the {world.place}",
        "it carries no metadata; its file time is the collector's",
        SOURCE,
        "received_8812.jpg",
        (decimal(world.latitude),),
        "device_at_place",
    )
    wrong = local - timedelta(days=1, hours=2)
    other = Shot(
        wrong,
        "Canon",
        "Demo S90",
        world.latitude,
        world.longitude,
        west=world.west,
        fix_utc=utc + timedelta(days=20),
        offset="",
    )
    case.write(FOLDER, "CRW_1177.jpg", jpeg(other, f"{world.seed} canon"), utc + timedelta(days=20))
    case.decoy(
        "The Canon camera was at the place on the day its clock says",
        "its own receiver's time is three weeks later: the clock is wrong",
        SOURCE,
        "CRW_1177.jpg",
        (shown.local(wrong),),
        "device_at_place",
    )
