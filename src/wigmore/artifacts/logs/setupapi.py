"""Windows' setupapi logs (device and application set-up): one record a section, times local without zone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wigmore.artifacts.logs.clock import written
from wigmore.artifacts.logs.framework import place, text_format
from wigmore.artifacts.logs.lines import Line, lines
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import Time

HEAD = re.compile(r">>>  \[(?P<title>.*)\]\s*$")
START = re.compile(r">>>  Section start (?P<stamp>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)?)")
END = re.compile(r"<<<  Section end (?P<stamp>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)?)")
STATUS = re.compile(r"<<<  \[Exit status: (?P<status>.*)\]")
BOOT = re.compile(r"\[Boot Session: (?P<stamp>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)?)\]")
OLD = re.compile(r"\[(?P<stamp>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) (?P<pid>\d+)\.(?P<number>\d+)(?: (?P<title>[^\]]*))?\]")
_DEVICE = re.compile(
    r"(?:.* - )?(?P<device>(?:USB|USBSTOR|SCSI|STORAGE|SWD|HID|PCI|ROOT|ACPI|BTH\w*|WPDBUSENUMROOT|UMB|IDE|DISPLAY"
    r"|HDAUDIO|MF|DISK|PRINTENUM|LPTENUM)\\[^\s].*)$",
    re.I,
)
_VALUE = re.compile(r"\s+[a-z!]{3,5}:\s+(?P<key>[A-Za-z][\w ]{1,40}?)\s+[-=] (?P<value>.+)$")
MOST_DETAILS = 200
KEPT = frozenset(
    [
        "InfName",
        "DevDesc",
        "HardwareID",
        "DrvDate",
        "Version",
        "Driver",
        "Date",
        "Provider",
        "Manufacturer",
        "Parent",
        "device",
        "Class",
        "cmd",
    ]
) | {
    "Driver Version",
    "Inf Name",
    "Parent device",
    "DriverVer",
    "Device Class",
}


def _score(listed: tuple[str, ...]) -> float:
    heads = sum(1 for text in listed if START.match(text) or HEAD.match(text) or BOOT.match(text) or OLD.match(text))
    named = any(text.startswith(("[Device Install Log]", "[SetupAPI Log]", "[BeginLog]")) for text in listed)
    return 1.0 if named and heads else 0.6 if heads >= 3 else 0.0


def _time(stamp: str) -> Time | None:
    return written(stamp.replace("/", "-").replace(" ", "T"), stamp, source="setupapi writes local time without zone")


class _Section:
    def __init__(self, line: Line, title: str) -> None:
        self.line, self.end = line, line.offset + line.length
        self.data: dict[str, object] = {"section": title}
        self.times: dict[str, Time] = {}
        device = _DEVICE.match(title)
        if device:
            self.data["device"] = device["device"]
        self.warnings: list[str] = []

    def add(self, line: Line) -> None:
        self.end = line.offset + line.length
        if (match := START.match(line.text)) and (time := _time(match["stamp"])):
            self.times["started_at"] = time
        elif (match := END.match(line.text)) and (time := _time(match["stamp"])):
            self.times["ended_at"] = time
        elif match := STATUS.match(line.text):
            self.data["exit_status"] = match["status"]
        elif line.text.startswith(("!!!", "!  ")) and len(self.warnings) < 20:
            self.warnings.append(line.text.strip())
        elif (value := _VALUE.match(line.text)) and value["key"].strip() in KEPT and len(self.data) < MOST_DETAILS:
            self.data.setdefault(value["key"].strip(), value["value"].strip())

    def yielded(self) -> Yield:
        if self.warnings:
            self.data["warnings"] = self.warnings
        first = "started_at" if "started_at" in self.times else next(iter(self.times), None)
        return place(self.line, self.end - self.line.offset), Record(
            self.data, self.times, first, artifact="windows.setupapi"
        )


@text_format(
    "logs.setupapi",
    _score,
    names=("setupapi*.log",),
    artifacts=("windows.setupapi",),
    reads="Windows\\INF\\setupapi.dev.log, setupapi.setup.log, setupapi.upgrade.log and XP's setupapi.log",
    means="Windows set up (or tried to) this device or driver in this section, at local times of the host",
    does_not_mean="the zone; that a device was first attached then (upgrades replay set-up); who attached it; later "
    "attachments",
    refs=(
        "Microsoft, SetupAPI Device Installation Log Entries",
        "Microsoft, Format of a Text Log Section Header/Footer",
    ),
)
def setupapi(file: EvidenceFile) -> Iterator[Yield]:
    """One record a section: title, device, driver facts, exit status, start and end; one a boot session."""
    section: _Section | None = None
    for line in lines(file):
        text = line.text
        head, old, boot = HEAD.match(text), OLD.match(text), BOOT.match(text)
        if (head or old or boot) and section is not None:
            if "ended_at" not in section.times and "exit_status" not in section.data and head:
                yield Gap("a section without its end", section.line.offset, "truncated")
            yield section.yielded()
            section = None
        if head:
            section = _Section(line, head["title"])
        elif old:
            section = _Section(line, old["title"] or "")
            if time := _time(old["stamp"]):
                section.times["started_at"] = time
        elif boot:
            time = _time(boot["stamp"])
            yield (
                place(line),
                Record(
                    {"section": "Boot Session"},
                    {"booted_at": time} if time else {},
                    "booted_at" if time else None,
                    artifact="windows.setupapi",
                ),
            )
        elif section is not None:
            section.add(line)
            if STATUS.match(text):
                yield section.yielded()
                section = None
    if section is not None:
        yield section.yielded()
