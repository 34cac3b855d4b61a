"""What the engineer left behind: a password-protected archive and a handover disc."""

from __future__ import annotations

from wigmore.generator import shown
from wigmore.generator.archive.zip_password import Member, zip_archive
from wigmore.generator.case import Case
from wigmore.generator.image.iso import IsoImage
from wigmore.generator.truth import Source


def build_archive(case: Case) -> None:
    """Write the archive; its password stands in a message on the iPhone."""
    world, source, folder, name = case.world, "src-archive", "archive", "handover_private.zip"
    case.add_source(
        Source(
            source,
            "Archive found on the file host",
            "archive",
            "image",
            "unknown",
            f"evidence/{folder}/{name}",
            world.zone,
        )
    )
    at = world.local(3, "18:53:10")
    inside = [Member("readme.txt", b"As agreed.\r\n", at)]
    if case.guilty:
        inside.append(Member(f"{world.project}/{world.design_name}", world.design, at))
    else:
        inside.append(Member("payslips/january.txt", b"net 3,120\r\n", at))
    case.write(folder, name, zip_archive(inside, world.password, seed=world.seed), world.utc(at))
    for member in inside[1:]:
        case.plant(
            "The archive lists this encrypted member",
            source,
            f"{name}/{member.name}",
            "archive.zip",
            (member.name, str(len(member.content)), shown.fat(at)),
            "cloud_upload" if case.guilty else None,
        )


def build_disc(case: Case) -> None:
    """Write the handover disc: public papers only."""
    world, source, folder, name = case.world, "src-disc", "disc", "handover_disc.iso"
    case.add_source(
        Source(source, "Handover disc", "disk_image", "image", "unknown", f"evidence/{folder}/{name}", world.zone)
    )
    at = world.local(4, "15:30:00")
    disc = IsoImage("HANDOVER", at, world.zone_minutes, "DEMO DISC WRITER 1.0", "NORTHWIND TURBINES")
    note = f"Open points for {world.colleague.name}: order bearings, update the drawing list.\r\n".encode()
    disc.add("Handover/Open points for my successor.txt", note, at)
    disc.add(f"Brochures/{world.project.title()} rotor hub brochure.pdf", b"%PDF-1.4\n% public brochure\n%%EOF\n", at)
    case.write(folder, name, disc.to_bytes(), world.utc(at))
    case.plant(
        "The disc holds a list of open points",
        source,
        f"{name}/p0/Handover/Open points for my successor.txt",
        "file",
        ("Open points for my successor.txt",),
    )
    case.decoy(
        "The design was burned to the disc",
        "the disc holds a public brochure of the same project's name, not the design",
        source,
        f"{name}/p0/Brochures/{world.project.title()} rotor hub brochure.pdf",
        (f"{world.project.title()} rotor hub brochure.pdf",),
        "removable_media_copy",
    )
