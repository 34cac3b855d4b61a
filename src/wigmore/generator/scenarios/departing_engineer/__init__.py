"""Departing engineer: an employee leaves for a rival; did designs leave too, and who broke into the server?"""

from __future__ import annotations

from wigmore.generator.case import Case
from wigmore.generator.scenarios.departing_engineer import android, iphone, laptop, parcel, photographs, server, stick

TITLE = "Departing engineer"
FRAME = "removable_media_copy"
VARIANTS = ("guilty", "innocent", "gap")
TEMPLATES = (
    "removable_media_copy",
    "cloud_upload",
    "remote_access_tool",
    "brute_force",
    "persistence",
    "log_clearing",
    "deletion_wiping",
    "suspicious_execution",
    "new_account",
    "timestomping",
    "web_shell",
    "contact_between_parties",
    "device_at_place",
)


def build(case: Case) -> str:
    """Write all sources of the case; returns its description."""
    world = case.world
    laptop.build(case)
    if case.variant != "gap":
        stick.build(case)
    iphone.build(case)
    android.build(case)
    photographs.build(case)
    server.build(case)
    parcel.build_archive(case)
    parcel.build_disc(case)
    _questions(case)
    _expectations(case)
    return (
        f"{world.engineer.name} left Northwind Turbines for Rivaldyne. Between {world.start:%Y-%m-%d} and the Friday "
        f"after: did designs of project {world.project} leave, by which way, and did anyone get into {world.server}?"
    )


def _questions(case: Case) -> None:
    world, guilty = case.world, case.guilty
    case.ask("What is the computer name of the laptop?", None, (world.laptop,))
    case.ask("Which time zone was the laptop set to?", None, (world.zone_windows,))
    case.ask(
        "Which USB storage devices were attached to the laptop, and when last?",
        "removable_media_copy",
        (world.stick.serial, world.old_stick.serial),
    )
    case.ask(
        "Was the design copied to a removable device?",
        "removable_media_copy",
        (world.design_name,) if guilty and case.variant != "gap" else (),
    )
    case.ask(
        "Was anything uploaded to a web service?", "cloud_upload", (f"{world.project}_export.7z",) if guilty else ()
    )
    case.ask("Which remote-access programs were used on the laptop?", "remote_access_tool", ("AnyDesk",))
    case.ask("Were files wiped or deleted on purpose?", "deletion_wiping", ("SDELETE64.EXE",) if guilty else ())
    case.ask("Were logs cleared?", "log_clearing", ("wevtutil cl Security",) if guilty else ())
    case.ask(
        "Did the engineer and the rival's employee communicate, and how?",
        "contact_between_parties",
        (world.rival.phone,) if guilty else (),
    )
    case.ask(
        f"Was the engineer's telephone near the {world.place} during the period?",
        "device_at_place",
        ("IMG_0412.jpg",) if guilty else (),
    )
    case.ask(
        "Did password guessing against the server succeed, from which address?",
        "brute_force",
        (world.attacker,) if guilty and case.variant != "gap" else (),
    )
    case.ask("Was a web shell used on the server?", "web_shell", (world.shell_name,) if guilty else ())
    case.ask("Which accounts were created?", "new_account", (world.new_account,) if guilty else ())
    case.ask("What was set to start by itself?", "persistence", ("sync.cmd",) if guilty else ())
    case.ask("Were times of files set back?", "timestomping", (world.shell_name,) if guilty else ())
    case.ask("What is the password of the archive?", None, (world.password,) if guilty else ())
    case.ask("What is the IMEI of the iPhone?", None, (world.imei,))


def _expectations(case: Case) -> None:
    always = {"remote_access_tool": "supported"}
    hidden = ("removable_media_copy", "brute_force") if case.variant == "gap" else ()
    for template in (act for act in TEMPLATES if act not in always):
        verdict = "supported" if case.guilty else "not_supported"
        case.expect(template, "cannot_say" if template in hidden else verdict)
    for template, verdict in always.items():
        case.expect(template, verdict)
