"""Windows device installation logs: setupapi.dev.log and its kin (Vista and later), setupapi.log (2000, XP)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wigmore.artifacts.logs.lines import Line, lines
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import Time, local
from wigmore.registry import Claim, parser

STAMP = r"(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?)"
TITLE = re.compile(r">>>\s+\[(.*)\]\s*$")
START = re.compile(r">>>\s+Section start " + STAMP)
END = re.compile(r"<<<\s+Section end " + STAMP)
EXIT = re.compile(r"<<<\s+\[Exit status: (.*)\]")
BOOT = re.compile(r"\[Boot Session: " + STAMP + r"\]")
OLD = re.compile(r"\[" + STAMP + r" (\d+)\.(\d+)( Driver Install)?\]")
FACT = re.compile(
    r"^[!?]*\s*(?:\w{2,4}:\s+)?(cmd|HardwareID|InfName|DevDesc|Version|DrvDate|Provider|Class GUID)\s*[-:]\s*(.+)$"
)
NAMES = {
    "cmd": "command", "HardwareID": "hardware_id", "InfName": "inf_name", "DevDesc": "device_description",
    "Version": "driver_version", "DrvDate": "driver_date", "Provider": "provider", "Class GUID": "class_guid",
}  # fmt: skip
BODY = 8192  # characters of a section's lines that are kept
LINES = 200_000  # longest section


def _time(text: str, source: str = "setupapi writes local time, no zone") -> Time | None:
    digits = text.partition(".")[2]
    try:
        moment = datetime.strptime(text, "%Y/%m/%d %H:%M:%S.%f" if digits else "%Y/%m/%d %H:%M:%S")
    except ValueError:
        return None
    found = local(moment, text, source=source, precision=10.0 ** -len(digits) if digits else 1.0)
    base = found["text"].partition(".")[0]
    return {**found, "text": f"{base}.{digits}" if digits else base}


@dataclass
class Section:
    """A section while its lines come in."""

    first: Line
    title: str
    start: Time | None = None
    end: Time | None = None
    exit: str = ""
    body: list[str] = field(default_factory=list)
    size: int = 0
    problems: list[str] = field(default_factory=list)
    facts: dict[str, list[str]] = field(default_factory=dict)
    lines: int = 0

    def add(self, text: str) -> None:
        """A line of the section's body."""
        self.lines += 1
        if self.size < BODY:
            self.body.append(text)
            self.size += len(text) + 1
        if text.startswith("!") and len(self.problems) < 20:
            self.problems.append(text.strip())
        if match := FACT.match(text):
            known = self.facts.setdefault(NAMES[match[1]], [])
            value = match[2].strip()
            if value not in known and len(known) < 50:
                known.append(value)

    def record(self) -> tuple[dict[str, Any], Record]:
        """Locator and record: title, operation and subject, times, exit status, what the body names."""
        operation, separator, subject = self.title.partition(" - ")
        data: dict[str, Any] = {"title": self.title, "operation": operation}
        if separator:
            data["subject"] = subject
        for name, values in self.facts.items():
            data[name] = values[0] if len(values) == 1 else values
        if self.exit:
            data["exit_status"] = self.exit
        if self.problems:
            data["problems"] = self.problems
        data["line_count"] = self.lines
        data["text"] = "\n".join(self.body)[:BODY]
        times = {}
        if self.start:
            times["section_start"] = self.start
        if self.end:
            times["section_end"] = self.end
        dated = next((name for name in ("section_start", "section_end") if name in times), None)
        return {"kind": "line", "line": self.first.number, "offset": self.first.offset}, Record(data, times, dated)


def _look(head: bytes, path: str, size: int) -> bool:
    return b"[Device Install Log]" in head or b">>>  Section start" in head or bool(OLD.search(head.decode("latin-1")))


@parser(
    "windows.setupapi",
    claims=Claim(paths=("setupapi*.log", "setupapi.log*"), look=_look),
    reads="Windows/INF/setupapi.*.log (Vista and later), Windows/setupapi.log (2000, XP)",
    means="Windows installed or set up this device or driver package in this section, begun at this local time.",
    does_not_mean=(
        "Later connections of the device, who connected it, or the time in UTC: the log has no zone. Upgrades start it "
        "anew or move it aside, and install many devices again."
    ),
    refs=("https://learn.microsoft.com/windows-hardware/drivers/install/setupapi-text-logs",),
)
def setupapi(file: EvidenceFile) -> Iterator[Yield]:
    """One record a section and one a boot session; times local with the digits as written."""
    section: Section | None = None
    closing = False  # the section's end has been read; its exit status may follow
    for line in lines(file):
        text = line.text
        if text.startswith("<<<"):
            if section and (match := END.match(text)):
                section.end, closing = _time(match[1]), True
            elif section and (match := EXIT.match(text)):
                section.exit = match[1]
                yield section.record()
                section = None
            continue
        if text.startswith(">>>"):
            if section and (match := START.match(text)):
                section.start = _time(match[1])
                if section.start is None:
                    yield Gap(f"line {line.number}: no valid time", line.offset)
            elif match := TITLE.match(text):
                if section:
                    yield section.record()
                section, closing = Section(line, match[1]), False
            continue
        if text.startswith("["):
            if match := BOOT.match(text):
                moment = _time(match[1])
                times = {"boot_session": moment} if moment else {}
                locator = {"kind": "line", "line": line.number, "offset": line.offset}
                yield locator, Record({"operation": "Boot Session"}, times, "boot_session" if times else None)
                continue
            if match := OLD.match(text):
                if section:
                    yield section.record()
                title = "Driver Install" if match[4] else "Setup"
                section, closing = Section(line, title, _time(match[1])), False
                continue
        if section and closing:
            yield section.record()
            section = None
        if section and section.lines < LINES and text.strip():
            section.add(text.rstrip())
    if section:
        yield section.record()
