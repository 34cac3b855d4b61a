"""Line logs of devices and their guards: Santa (macOS), lockdownd (iOS), macOS firewall and Wi-Fi, logcat,
setupapi-like stamps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wigmore.artifacts.logs.clock import MONTH, assembled, month_number, written, yearless
from wigmore.artifacts.logs.framework import dated, entries, present, share, text_format
from wigmore.model.protocols import EvidenceFile, Record, Yield

SANTA = re.compile(r"\[(?P<stamp>\d{4}-\d\d-\d\dT[\d:.]+Z)\] (?P<level>[A-Z]) (?P<daemon>\w+): (?P<body>.*)")
_SANTA_PAIR = re.compile(r"(?<!\w)(\w{1,40})=((?:[^|]|\|(?!\w{1,40}=))*)(?:\||$)")


def _santa(match: re.Match[str], text: str) -> Record:
    body = match["body"] + text[match.end() :]
    data: dict[str, object] = {"daemon": match["daemon"], "level": match["level"]}
    found = _SANTA_PAIR.findall(body)
    data |= dict(found) if found else {"message": body}
    return dated(data, logged_at=written(match["stamp"]))


@text_format(
    "macos.santa",
    share(SANTA),
    names=("santa.log*",),
    reads="/var/db/santa/santa.log*",
    means="Santa saw this execution, file operation or mount and took this decision, at this time (UTC)",
    does_not_mean="for an execution: that it was meant by a person; operations outside Santa's configured logging",
    refs=(
        "https://northpole.dev/deployment/configuration (event log)",
        "google/santa, Source/santad/Logs: basic string serializer",
    ),
)
def santa(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line, its key=value fields as written."""
    yield from entries(file, SANTA, _santa)


LOCKDOWND = re.compile(
    r"(?P<stamp>(?P<month>\d\d)/(?P<day>\d\d)/(?P<year>\d\d) (?P<clock>\d\d:\d\d:\d\d\.\d{1,9})) pid=(?P<pid>\d+) "
    r"(?P<message>.*)"
)


def _lockdownd(match: re.Match[str], text: str) -> Record:
    time = assembled(int(match["year"]), int(match["month"]), int(match["day"]), match["clock"], raw=match["stamp"])
    return dated({"pid": int(match["pid"]), "message": match["message"] + text[match.end() :]}, logged_at=time)


@text_format(
    "ios.lockdownd",
    share(LOCKDOWND),
    names=("lockdownd.log*",),
    reads="lockdownd.log of iOS devices (crash logs, sysdiagnose)",
    means="lockdownd on the device logged this request or pairing step at the device's clock",
    does_not_mean="the zone (it writes none); that a host was trusted unless the line says so",
    refs=("https://theapplewiki.com/wiki/Lockdownd",),
)
def lockdownd(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line, or several lines where a value goes on."""
    yield from entries(file, LOCKDOWND, _lockdownd, joins=re.compile(r"(?!\d\d/\d\d/\d\d )"))


LOGCAT = re.compile(
    r"(?P<stamp>(?:(?P<year>\d{4})-)?(?P<month>\d\d)-(?P<day>\d\d) (?P<clock>\d\d:\d\d:\d\d\.\d{3,9})(?: "
    r"(?P<zone>[+-]\d{4}))?) +"
    r"(?:(?:(?P<uid>\w+) +)?(?P<pid>\d+) +(?P<tid>\d+) (?P<level>[VDIWEFA]) (?P<tag>.*?) *: "
    r"|(?P<level2>[VDIWEFA])/(?P<tag2>.*?)\( *(?P<pid2>\d+)\): )(?P<message>.*)"
)


def _logcat(match: re.Match[str], text: str) -> Record:
    groups = {name.removesuffix("2"): value for name, value in match.groupdict().items() if value is not None}
    month, day = int(groups["month"]), int(groups["day"])
    if "year" in groups:
        time = assembled(int(groups["year"]), month, day, groups["clock"], groups.get("zone", ""), raw=groups["stamp"])
    else:
        time = yearless(month, day, groups["clock"], groups["stamp"])
    data: dict[str, object] = {name: groups[name] for name in ("uid", "pid", "tid", "level", "tag") if name in groups}
    return dated(data | {"message": groups["message"] + text[match.end() :]}, logged_at=time)


@text_format(
    "android.logcat",
    share(LOGCAT, "-"),
    reads="saved logcat output (threadtime, time; also in bug reports)",
    means="a program on the device wrote this message to the ring buffer at the device's clock",
    does_not_mean="the year and zone where the line leaves them out; messages that the ring buffer had dropped",
    refs=("https://developer.android.com/tools/logcat#outputFormat",),
)
def logcat(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line: level, tag, pid, message."""
    yield from entries(file, LOGCAT, _logcat, comments="-")


WIFI = re.compile(
    rf"(?P<stamp>(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?P<month>{MONTH}) +(?P<day>\d{{1,2}}) "
    rf"(?P<clock>\d\d:\d\d:\d\d\.\d{{3}})) (?P<rest>.*)"
)
_WIFI_AGENT = re.compile(r"<(?P<agent>[^>]*)> (?P<function>[^:]*): ?(?P<message>.*)")
_JOINED = re.compile(
    r"Already associated to \"?(?P<ssid>[^\".]+)|SSID '?(?P<ssid2>[^',\"]+)'?|associat\w+ to \"?(?P<ssid3>[^\".]+)\"?\."
)


def _wifi(match: re.Match[str], text: str) -> Record:
    rest = match["rest"] + text[match.end() :]
    agent = _WIFI_AGENT.match(rest)
    data: dict[str, object] = agent.groupdict() if agent else {"message": rest}
    if joined := _JOINED.search(rest):
        data["ssid"] = next(value for value in joined.groups() if value)
    time = yearless(month_number(match["month"]), int(match["day"]), match["clock"], match["stamp"])
    return dated(present(data), logged_at=time)


@text_format(
    "macos.wifi",
    share(WIFI),
    names=("wifi.log*",),
    reads="/private/var/log/wifi.log",
    means="the Wi-Fi agents logged this step (scan, association, power) at the computer's clock",
    does_not_mean="the year and zone, which are not written; that traffic flowed",
    refs=("Apple, airportd logging; format as public research documents it",),
)
def wifi(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line; the network name where the line holds one."""
    yield from entries(file, WIFI, _wifi)
