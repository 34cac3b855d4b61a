"""Syslog files: classic (RFC 3164, no year, no zone), ISO-stamped, RFC 5424, and Chromium OS's with a severity."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wigmore.artifacts.logs.authentication import decode
from wigmore.artifacts.logs.clock import MONTH, month_number, written, yearless
from wigmore.artifacts.logs.framework import entries, share, text_format
from wigmore.model.protocols import EvidenceFile, Record, Yield

_PRIORITY = r"(?:<(?P<priority>\d{1,3})>)?"
_ISO = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
_TAG = r"(?P<program>[^\s\[\]:]+|[\w./ -]{1,48}?)(?:\[(?P<pid>\d+)\])?(?: ?<(?P<level>\w+)>)?: ?"
CLASSIC = re.compile(
    rf"{_PRIORITY}(?P<month>{MONTH}) {{1,2}}(?P<day>\d{{1,2}}) (?:(?P<year>\d{{4}}) "
    rf")?(?P<clock>\d\d:\d\d:\d\d(?:[.,]\d{{1,9}})?):? "
    r"(?P<rest>.*)"
)
STRUCTURED = re.compile(
    rf"<(?P<priority>\d{{1,3}})>(?P<version>\d{{1,2}}) (?P<stamp>{_ISO}|-) (?P<host>\S+) (?P<program>\S+) (?P<pid>\S+) "
    r"(?P<message_id>\S+) (?P<structured>-|(?:\[(?:[^\]\\]|\\.)*\])+) ?(?P<message>.*)"
)
DATED = re.compile(
    rf"{_PRIORITY}(?P<stamp>\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{{1,9}})?(?:Z|[+-]\d\d:?\d\d)) (?P<rest>.*)"
)
_HOSTED = re.compile(rf"(?P<host>[^\s:\[\]]+) {_TAG}(?P<message>.*)")
_BARE = re.compile(rf"{_TAG}(?P<message>.*)")
_SEVERITY = re.compile(r"(?P<severity>EMERG|ALERT|CRIT|ERR|ERROR|WARNING|NOTICE|INFO|DEBUG) ")
START = re.compile(
    f"(?:{CLASSIC.pattern.replace('(?P<', '(?P<c_')})|(?:{STRUCTURED.pattern.replace('(?P<', '(?P<s_')})"
    f"|(?:{DATED.pattern.replace('(?P<', '(?P<d_')})"
)
SEVERITIES = ["emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"]
FACILITIES = [
    "kern",
    "user",
    "mail",
    "daemon",
    "auth",
    "syslog",
    "lpr",
    "news",
    "uucp",
    "cron",
    "authpriv",
    "ftp",
    "ntp",
    "security",
    "console",
    "solaris-cron",
    "local0",
    "local1",
    "local2",
    "local3",
    "local4",
    "local5",
    "local6",
    "local7",
]


def _tagged(rest: str) -> dict[str, object]:
    """Host, program, process and message of what follows the time; a line may lack the host, or host and program."""
    severity = _SEVERITY.match(rest)
    if severity:
        rest = rest[severity.end() :]
    match = None if severity or rest.startswith("---") else _HOSTED.match(rest)
    if match is None:
        match = None if rest.startswith("---") else _BARE.match(rest)
    fields: dict[str, object] = {"severity": severity["severity"].lower()} if severity else {}
    if match is None:
        host, _, message = rest.partition(" ")
        if not rest.startswith("-") and message and "." in host:
            return fields | {"host": host, "message": message}
        return fields | {"message": rest}
    fields |= {name: value for name, value in match.groupdict().items() if value}
    fields.setdefault("message", "")
    return fields


def _build(match: re.Match[str], text: str) -> Record:
    groups = {name[2:]: value for name, value in match.groupdict().items() if value is not None}
    more = text[match.end() :]
    if "structured" in groups:
        data: dict[str, object] = {
            name: groups[name] for name in ("host", "program", "pid", "message_id") if groups[name] != "-"
        }
        if groups["structured"] != "-":
            data["structured_data"] = groups["structured"]
        data["message"] = groups["message"].removeprefix("\ufeff")
    else:
        data = _tagged(groups["rest"])
    data["message"] = f"{data['message']}{more}"
    if "pid" in data and str(data["pid"]).isdigit():
        data["pid"] = int(str(data["pid"]))
    if "priority" in groups and (number := int(groups["priority"])) < 192:
        data["facility"], data["severity"] = FACILITIES[number // 8], SEVERITIES[number % 8]
    if "stamp" in groups:
        time = None if groups["stamp"] == "-" else written(groups["stamp"].replace(",", "."))
    elif "year" in groups:
        stamp = f"{groups['year']}-{month_number(groups['month']):02d}-{int(groups['day']):02d}T{groups['clock']}"
        time = written(stamp, match[0][: match.start("c_rest")].strip())
    else:
        raw = f"{groups['month']} {groups['day']} {groups['clock']}"
        time = yearless(month_number(groups["month"]), int(groups["day"]), groups["clock"], raw)
    artifact, fields = decode(str(data.get("program", "")), str(data["message"]))
    data |= {name: value for name, value in fields.items() if name not in data}
    times = {"logged_at": time} if time else {}
    return Record(data, times, "logged_at" if time else None, host_id=str(data.get("host", "")), artifact=artifact)


@text_format(
    "logs.syslog",
    share(START),
    names=(
        "syslog*",
        "messages*",
        "auth.log*",
        "secure*",
        "daemon.log*",
        "kern.log*",
        "system.log*",
        "cron.log*",
        "user.log*",
    ),
    artifacts=("logs.syslog", "linux.authlog", "linux.cron", "linux.devices", "linux.network"),
    reads="/var/log/syslog, messages, auth.log, secure, kern.log, cron, system.log and others written by a syslog "
    "daemon",
    means="a program (or whoever wrote to the socket) handed this message to the logger of the named host at the "
    "written time",
    does_not_mean="the year and zone where the classic format leaves them out; that a host name is right; that lines "
    "were not "
    "removed or added; absence of an event before the oldest line kept",
    refs=(
        "RFC 3164",
        "RFC 5424",
        "RFC 5425 section 4.3",
        "OpenSSH auth.c/auth2.c message texts",
        "sudoers(5) LOG FORMAT",
        "cron(8)",
    ),
)
def syslog(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message, indented lines joined; login, sudo, su, cron, account and USB messages decoded into
    fields.
    """
    yield from entries(file, START, _build)
