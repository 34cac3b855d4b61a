"""Package logs: apt's history (blocks of keys), dpkg.log, yum/dnf, pacman and zypper lines; local times without
zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wigmore.artifacts.logs.clock import MONTH, month_number, written, yearless
from wigmore.artifacts.logs.framework import dated, entries, place, present, share, text_format, unread
from wigmore.artifacts.logs.lines import Line, lines
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield

_MEANS = "the package manager says it did this on its local clock"
_NOT = "the zone; that the program was used; who asked for it (unless named); packages installed by other means"
KEY = re.compile(
    r"(Start-Date|End-Date|Commandline|Requested-By|Install|Upgrade|Remove|Purge|Downgrade|Reinstall|Error|Comment): "
    r"?(.*)"
)
_APT_PACKAGE = re.compile(r"(?P<package>[^\s,()]+) \((?P<versions>[^)]*)\)")
_MOST = 20_000  # packages of one block


def _apt_score(listed: tuple[str, ...]) -> float:
    kept = [text for text in listed if text]
    starts = sum(1 for text in kept if text.startswith("Start-Date: "))
    return sum(1 for text in kept if KEY.match(text)) / len(kept) if starts else 0.0


def _apt_block(block: list[tuple[Line, str, str]]) -> tuple[dict[str, object], Record]:
    first, last = block[0][0], block[-1][0]
    data: dict[str, object] = {}
    start = end = None
    for _, key, value in block:
        stamp = value.replace("  ", "T", 1).strip()
        if key == "Start-Date":
            start = written(stamp, value, source="apt writes local time without zone")
        elif key == "End-Date":
            end = written(stamp, value, source="apt writes local time without zone")
        elif key in ("Commandline", "Requested-By", "Error", "Comment"):
            data[{"Commandline": "command", "Requested-By": "requested_by"}.get(key, key.lower())] = value
        else:
            data[key.lower()] = [
                f"{m['package']} {m['versions']}" for m in list(_APT_PACKAGE.finditer(value))[:_MOST]
            ] or value
    return place(first, last.offset + last.length - first.offset), dated(data, started_at=start, ended_at=end)


@text_format(
    "linux.apt_history",
    _apt_score,
    names=("history.log*",),
    artifacts=("linux.packages",),
    reads="/var/log/apt/history.log*",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("apt, apt-pkg/deb/dpkgpm.cc: history log", "apt.conf(5), Dir::Log::History"),
)
def apt_history(file: EvidenceFile) -> Iterator[Yield]:
    """One record a run of apt: command, requester, and packages by action."""
    block: list[tuple[Line, str, str]] = []

    def ended() -> Iterator[Yield]:
        if block:
            locator, record = _apt_block(block)
            yield locator, Record(record.data, record.times, record.time_field, artifact="linux.packages")
            if not any(key == "End-Date" for _, key, _ in block):
                yield Gap(
                    "an apt run without End-Date: interrupted, or the log was cut", block[0][0].offset, "truncated"
                )

    for line in lines(file):
        match = KEY.match(line.text)
        if match and match[1] == "Start-Date":
            yield from ended()
            block = []
        if match:
            block.append((line, match[1], match[2]))
        elif line.text.strip():
            yield unread(line)
    yield from ended()


DPKG = re.compile(
    r"(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?P<action>startup|status|install|upgrade|trigproc|configure|remove"
    r"|purge|disappear|conffile)"
    r"(?: (?P<rest>.*))?$"
)


def _dpkg(match: re.Match[str], text: str) -> Record:
    action, values = match["action"], (match["rest"] or "").split()
    data: dict[str, object] = {"action": action}
    if action == "startup":
        data["detail"] = " ".join(values)
    elif action == "status" and len(values) >= 3:
        data |= {"status": " ".join(values[:-2]), "package": values[-2], "version": values[-1]}
    elif action == "conffile" and values:
        data |= {"file": values[0], "decision": " ".join(values[1:])}
    elif values:
        data |= {"package": values[0], "old_version": values[1] if len(values) > 1 else None}
        data["new_version"] = values[2] if len(values) > 2 else None
    data = {name: value for name, value in data.items() if value not in (None, "<none>")}
    record = dated(data, logged_at=written(match["stamp"], source="dpkg writes local time without zone"))
    return Record(record.data, record.times, record.time_field, artifact="linux.packages")


@text_format(
    "linux.dpkg",
    share(DPKG),
    names=("dpkg.log*",),
    artifacts=("linux.packages",),
    reads="/var/log/dpkg.log*",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("dpkg(1), --log: documented line formats",),
)
def dpkg(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line: action, package, versions or status."""
    yield from entries(file, DPKG, _dpkg)


YUM = re.compile(
    rf"(?P<stamp>(?P<month>{MONTH}) (?P<day>\d\d) (?P<clock>\d\d:\d\d:\d\d)) "
    rf"(?P<action>Installed|Updated|Erased|Dep-Installed|Obsoleted): (?P<package>\S+)"
)
DNF = re.compile(
    r"(?P<stamp>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[+-]\d{4}|Z)?) (?P<level>[A-Z]+) "
    r"(?:(?P<action>Installed|Upgraded?|Removed?|Erased|Reinstalled|Downgraded?|Cleanup|Obsoleted): )?(?P<message>.*)"
)
PACMAN = re.compile(
    r"\[(?P<stamp>\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d[+-]\d{4})?)\] \[(?P<source>[A-Z-]+)\] "
    r"(?:(?P<action>installed|upgraded|removed|reinstalled|downgraded) (?P<package>\S+) "
    r"\((?P<versions>[^)]*)\)|(?P<message>.*))"
)


def _yum(match: re.Match[str], text: str) -> Record:
    time = yearless(month_number(match["month"]), int(match["day"]), match["clock"], match["stamp"])
    record = dated({"action": match["action"].lower(), "package": match["package"]}, logged_at=time)
    return Record(record.data, record.times, record.time_field, artifact="linux.packages")


def _stamped(match: re.Match[str], text: str) -> Record:
    groups = match.groupdict()
    stamp = groups.pop("stamp")
    data = present(
        {**groups, "package": groups.get("package") or (groups.get("message") if groups.get("action") else None)}
    )
    iso_text = stamp if stamp.count(":") > 1 else f"{stamp}:00"
    record = dated(data, logged_at=written(iso_text, stamp))
    return Record(record.data, record.times, record.time_field, artifact="linux.packages")


@text_format(
    "linux.yum",
    share(YUM),
    names=("yum.log*",),
    artifacts=("linux.packages",),
    reads="/var/log/yum.log*",
    means=_MEANS,
    does_not_mean=f"{_NOT}; the year, which yum does not write",
    refs=("yum(8), logfile",),
)
def yum(file: EvidenceFile) -> Iterator[Yield]:
    """One record a package; times without a year."""
    yield from entries(file, YUM, _yum)


@text_format(
    "linux.dnf",
    share(DNF),
    names=("dnf*.log*",),
    artifacts=("linux.packages",),
    reads="/var/log/dnf.log*, dnf.rpm.log*, hawkey.log",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("dnf.conf(5), logdir",),
)
def dnf(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line; the action and package where the line names them."""
    yield from entries(file, DNF, _stamped)


@text_format(
    "linux.pacman",
    share(PACMAN),
    names=("pacman.log*",),
    artifacts=("linux.packages",),
    reads="/var/log/pacman.log",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("pacman.conf(5), LogFile",),
)
def pacman(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line; the action, package and versions where the line names them."""
    yield from entries(file, PACMAN, _stamped)
