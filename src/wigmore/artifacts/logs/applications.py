"""Logs of servers and programs: PostgreSQL, Snort alerts, container runtimes, glog, SCCM, iOS daemons, TeamViewer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wigmore.artifacts.logs.access import numbered
from wigmore.artifacts.logs.clock import MONTH, assembled, month_number, written, yearless
from wigmore.artifacts.logs.framework import dated, entries, present, share, text_format
from wigmore.model.protocols import EvidenceFile, Record, Yield

_MEANS = "the program logged this message at its host's clock"
_NOT = "the zone where none is written; who acted unless the line names an account; lines that were rotated away"

POSTGRES = re.compile(
    r"(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) (?P<zone>[A-Z]{2,5}|[+-]\d\d(?::?\d\d)?) "
    r"(?P<tag>(?:\[[^\]]*\] ?|\S+ ){0,6}?)"
    r"(?P<level>DEBUG\d?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|STATEMENT|DETAIL|HINT|CONTEXT|QUERY):\s+(?P<message>.*)"
)


def _postgres(match: re.Match[str], text: str) -> Record:
    zone = match["zone"]
    known = "Z" if zone in ("UTC", "GMT") else None
    source = f"zone {zone} written" if known else f"zone abbreviation {zone} is not unique"
    time = written(match["stamp"], f"{match['stamp']} {zone}", known, source)
    tag = match["tag"].strip()
    data: dict[str, object] = {
        "level": match["level"],
        "tag": tag,
        "message": match["message"] + text[match.end() :],
        "zone_written": zone,
    }
    if account := re.search(r"(?P<user>[\w.-]+)@(?P<database>[\w.-]+)", tag):
        data |= account.groupdict()
    if pid := re.search(r"\[(\d+)(?:-\d+)?\]", tag):
        data["pid"] = int(pid[1])
    if login := re.search(
        r"connection (?:received|authorized): (?:host=(\S+))?(?:.*?user=(\S+))?(?:.*?database=(\S+))?", match["message"]
    ):
        data |= {
            name: value for name, value in zip(("address", "user", "database"), login.groups(), strict=True) if value
        }
    return dated(present(data), logged_at=time)


@text_format(
    "database.postgresql",
    share(POSTGRES),
    names=("postgresql*.log*",),
    reads="PostgreSQL server logs (stderr, csv excluded)",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("https://www.postgresql.org/docs/current/runtime-config-logging.html",),
)
def postgresql(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message, continuation lines joined."""
    yield from entries(file, POSTGRES, _postgres)


SNORT = re.compile(
    r"(?P<stamp>(?P<month>\d\d)/(?P<day>\d\d)(?:/(?P<year>\d{2,4}))?-(?P<clock>\d\d:\d\d:\d\d\.\d+))\s+\[\*\*\] "
    r"\[(?P<generator>\d+):(?P<signature>\d+):"
    r"(?P<revision>\d+)\] (?P<alert>.*?) \[\*\*\]\s*(?:\[Classification: (?P<classification>[^\]]*)\] "
    r")?(?:\[Priority: (?P<priority>\d+)\]:? ?)?"
    r"\{(?P<protocol>[^}]+)\} (?P<source>\S+) -> (?P<target>\S+)"
)


def _snort(match: re.Match[str], text: str) -> Record:
    data: dict[str, object] = {
        name: match[name]
        for name in ("alert", "classification", "priority", "protocol", "signature", "revision", "generator")
    }
    for name in ("source", "target"):
        address, mark, port = match[name].rpartition(":")
        ported = bool(mark) and port.isdigit() and (address.count(":") == 0 or address.count(":") > 5)
        data[f"{name}_address"] = address if ported else match[name]
        if ported:
            data[f"{name}_port"] = int(port)
    month, day = int(match["month"]), int(match["day"])
    if match["year"]:
        time = assembled(int(match["year"]), month, day, match["clock"], raw=match["stamp"])
    else:
        time = yearless(month, day, match["clock"], match["stamp"])
    return dated(numbered(present(data), "priority", "signature", "revision"), seen_at=time)


@text_format(
    "network.snort_alert",
    share(SNORT),
    names=("alert*", "fast.log*"),
    reads="Snort's and Suricata's fast alert logs",
    means="a packet matched this rule of this sensor at its clock's time",
    does_not_mean="that the attack happened or worked; the year and zone where not written",
    refs=("Snort Users Manual 2.9, 2.6.2 alert_fast", "Suricata documentation: fast.log"),
)
def snort(file: EvidenceFile) -> Iterator[Yield]:
    """One record an alert."""
    yield from entries(file, SNORT, _snort)


CRI = re.compile(
    r"(?P<stamp>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) (?P<stream>stdout|stderr) (?P<tag>[FP]) "
    r"?(?P<message>.*)"
)


def _cri(match: re.Match[str], text: str) -> Record:
    stamp = re.sub(r"(\.\d{9})\d+", r"\1", match["stamp"])
    return dated(
        {"stream": match["stream"], "message": match["message"] + text[match.end() :], "partial": match["tag"] == "P"},
        logged_at=written(stamp, match["stamp"]),
    )


@text_format(
    "linux.container_log",
    share(CRI),
    reads="/var/log/pods, /var/log/containers (Kubernetes CRI format)",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md",),
)
def container_log(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line of the container's output."""
    yield from entries(file, CRI, _cri)


GLOG = re.compile(
    r"(?P<level>[IWEF])(?P<month>\d\d)(?P<day>\d\d) +(?P<clock>\d\d:\d\d:\d\d\.\d{6}) +(?P<thread>\d+) "
    r"(?P<file>[^\s:]+):(?P<line>\d+)\] (?P<message>.*)"
)


def _glog(match: re.Match[str], text: str) -> Record:
    data: dict[str, object] = {"level": {"I": "info", "W": "warning", "E": "error", "F": "fatal"}[match["level"]]}
    data |= {"thread": match["thread"], "source_file": match["file"], "source_line": match["line"]}
    data["message"] = match["message"] + text[match.end() :]
    raw = f"{match['month']}{match['day']} {match['clock']}"
    return dated(data, logged_at=yearless(int(match["month"]), int(match["day"]), match["clock"], raw))


@text_format(
    "logs.glog",
    lambda listed: share(GLOG)(
        tuple(
            t for t in listed if not re.match(r"Log (?:file|line)|Running on|Binary:|Previous log|Running duration", t)
        )
    ),
    reads="logs of programs with Google's logging library (Drive for desktop, Chrome OS, Kubernetes)",
    means=_MEANS,
    does_not_mean=f"{_NOT}; the year",
    refs=("https://github.com/google/glog#log-line-prefix",),
)
def glog(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line."""
    yield from entries(file, GLOG, _glog)


SCCM = re.compile(
    r"<!\[LOG\[(?P<message>.*?)(?:\]LOG\]!><time=\"(?P<clock>\d{1,2}:\d\d:\d\d(?:\.\d+)?)(?P<bias>[+-]\d+)?\" "
    r"date=\"(?P<date>\d{1,2}-\d{1,2}-\d{4})\" "
    r"component=\"(?P<component>[^\"]*)\" context=\"(?P<context>[^\"]*)\" type=\"(?P<type>\d)\" "
    r"thread=\"(?P<thread>\d+)\" file=\"(?P<file>[^\"]*)\">)?$"
)
_SCCM_TAIL = re.compile(SCCM.pattern[SCCM.pattern.index(r"\]LOG") : SCCM.pattern.rindex(")?$")])


def _sccm(match: re.Match[str], text: str) -> Record:
    tail = _SCCM_TAIL.search(text)
    if tail is None:
        return Record({"message": text.removeprefix("<![LOG["), "complete": False})
    month, day, year = (int(part) for part in tail["date"].split("-"))
    zone = ""
    if tail["bias"]:  # minutes that must be added to the local time to get UTC
        minutes = -int(tail["bias"])
        zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60 % 24:02d}:{abs(minutes) % 60:02d}"
    raw = f"{tail['date']} {tail['clock']}{tail['bias'] or ''}"
    time = assembled(year, month, day, tail["clock"], zone, raw=raw, source="bias in minutes written" if zone else None)
    data: dict[str, object] = {name: tail[name] for name in ("component", "context", "type", "thread", "file")}
    data["message"] = text[len("<![LOG[") : tail.start()]
    data["after"] = text[tail.end() :].strip()
    return dated(present(data), logged_at=time)


@text_format(
    "windows.sccm",
    lambda listed: 1.0 if listed[0].startswith("<![LOG[") else 0.0,
    reads="logs of Configuration Manager, its client and task sequences (CMTrace format)",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("Microsoft, CMTrace log format; FormatTime bias as public research documents it",),
)
def sccm(file: EvidenceFile) -> Iterator[Yield]:
    """One record an entry, which may span lines."""
    yield from entries(file, SCCM, _sccm, joins=re.compile(r"(?!<!\[LOG\[)"))


DAEMON = re.compile(
    rf"(?P<stamp>(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?P<month>{MONTH}) +(?P<day>\d{{1,2}}) "
    rf"(?P<clock>\d\d:\d\d:\d\d(?:\.\d+)?) (?P<year>\d{{4}})) "
    r"\[(?P<pid>\d+)\] <(?P<level>\w+)> \((?P<thread>[^)]*)\) (?P<message>.*)"
)


def _daemon(match: re.Match[str], text: str) -> Record:
    time = assembled(
        int(match["year"]), month_number(match["month"]), int(match["day"]), match["clock"], raw=match["stamp"]
    )
    message = match["message"] + text[match.end() :]
    function, mark, rest = message.partition(": ")
    data: dict[str, object] = {
        "pid": int(match["pid"]),
        "level": match["level"],
        "thread": match["thread"],
        "message": message,
    }
    if mark and " " not in function.strip("-[] ")[:0] and len(function) < 120:
        data |= {"function": function, "body": rest}
    return dated(data, logged_at=time)


@text_format(
    "ios.daemon_log",
    share(DAEMON),
    names=("mobileactivationd.log*", "mobile_installation.log*"),
    reads="text logs of iOS daemons in sysdiagnose (mobileactivationd, mobile_installation, containermanagerd)",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("sysdiagnose, logs/MobileInstallation and MobileActivation; format as public research documents it",),
)
def daemon_log(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line, several lines where a value goes on."""
    yield from entries(file, DAEMON, _daemon, joins=re.compile(r"(?!(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )"))


INCOMING = re.compile(
    r"(?P<id>\d{7,12})\t+(?P<name>[^\t]*)\t+(?P<start>\d\d-\d\d-\d{4} \d\d:\d\d:\d\d)\t+(?P<end>\d\d-\d\d-\d{4} "
    r"\d\d:\d\d:\d\d)?\t*(?P<user>[^\t]*)\t+"
    r"(?P<kind>[^\t]*)\t*(?P<connection>\{[^}]*\})?"
)
OUTGOING = re.compile(
    r"(?P<id>\d{7,12})\t+(?P<start>\d\d-\d\d-\d{4} \d\d:\d\d:\d\d)\t+(?P<end>\d\d-\d\d-\d{4} "
    r"\d\d:\d\d:\d\d)?\t*(?P<user>[^\t]*)\t+(?P<kind>[^\t]*)\t*(?P<connection>\{[^}]*\})?"
)
SESSIONS = re.compile(
    f"(?:{INCOMING.pattern.replace('(?P<', '(?P<i_')})|(?:{OUTGOING.pattern.replace('(?P<', '(?P<o_')})"
)


def _session(match: re.Match[str], text: str) -> Record:
    groups = {name[2:]: value for name, value in match.groupdict().items() if value is not None}
    times = {}
    for native, name in (("start", "started_at"), ("end", "ended_at")):
        stamp = groups.pop(native, "")
        day, month, year = [*stamp[:10].split("-"), "", "", ""][:3]
        times[name] = (
            written(f"{year}-{month}-{day}T{stamp[11:]}", stamp, source="no zone written; public research says UTC")
            if stamp
            else None
        )
    names = {
        "id": "remote_id",
        "name": "remote_name",
        "user": "local_user",
        "kind": "mode",
        "connection": "connection_id",
    }
    data: dict[str, object] = {names[name]: value for name, value in groups.items()}
    data["direction"] = "incoming" if match["i_id"] else "outgoing"
    return dated(present(data), **times)


@text_format(
    "remote.teamviewer_sessions",
    share(SESSIONS),
    names=("connections_incoming.txt", "connections.txt"),
    reads="TeamViewer's Connections_incoming.txt and connections.txt",
    means="a TeamViewer session with this remote ID was held from start to end, into or out of this computer",
    does_not_mean="who sat at the other end; what was done; the zone (research says UTC, the file does not)",
    refs=("TeamViewer, Log files: Connections_incoming.txt",),
)
def teamviewer(file: EvidenceFile) -> Iterator[Yield]:
    """One record a session."""
    yield from entries(file, SESSIONS, _session)
