"""Logs of virus scanners: McAfee (on-access, access protection), Sophos, Trend Micro OfficeScan, Symantec, ClamAV."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wigmore.artifacts.logs.clock import MONTH, assembled, month_number
from wigmore.artifacts.logs.framework import dated, entries, present, share, text_format
from wigmore.model.protocols import EvidenceFile, Record, Yield
from wigmore.model.times import Time, posix

_MEANS = "the scanner on this computer logged this detection, block or message at its clock's time"
_NOT = (
    "an infection or that the object ran (blocked or cleaned before); the zone of local times; that the label is right"
)

MCAFEE = re.compile(
    r"\ufeff?(?P<date>(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4}))\t(?P<clock>\d{1,2}:\d\d:\d\d(?: "
    r"[AP]M)?)\t(?P<rest>.*)"
)


def _mcafee(match: re.Match[str], text: str) -> Record:
    columns = [column.strip() for column in match["rest"].split("\t")]
    data: dict[str, object]
    if len(columns) >= 6 and ("rule" in columns[0].lower() or len(columns) == 6):
        data = dict(zip(("status", "user", "process", "target", "rule", "action"), columns, strict=False))
    elif len(columns) >= 5:
        data = dict(zip(("status", "user", "process", "target", "threat", "detail"), columns, strict=False))
    else:
        data = {"message": "\t".join(columns)}
    raw, source = f"{match['date']} {match['clock']}", "no zone written; month before day assumed"
    time = assembled(int(match["year"]), int(match["month"]), int(match["day"]), match["clock"], raw=raw, source=source)
    return dated(present(data), logged_at=time)


@text_format(
    "antivirus.mcafee",
    share(MCAFEE),
    names=(
        "accessprotectionlog*.txt",
        "onaccessscanlog*.txt",
        "ondemandscanlog*.txt",
        "bufferoverflowprotectionlog*.txt",
    ),
    reads="McAfee VirusScan Enterprise text logs (AccessProtectionLog, OnAccessScanLog and kin)",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("McAfee VirusScan Enterprise 8.8 Product Guide: activity logs (month/day order as the US version writes)",),
)
def mcafee(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line: status, user, process, target, rule, action."""
    yield from entries(file, MCAFEE, _mcafee)


SOPHOS = re.compile(
    r"(?P<stamp>(?P<year>20\d\d)(?P<month>\d\d)(?P<day>\d\d) "
    r"(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d))\t?\s*(?P<message>.*)"
)
_SOPHOS_FILE = re.compile(
    r"(?:File|Process) [\"'](?P<file>[^\"']+)[\"'] belongs to (?P<kind>[\w /]+?) '(?P<threat>[^']+)'"
)


def _sophos(match: re.Match[str], text: str) -> Record:
    data: dict[str, object] = {"message": match["message"] + text[match.end() :]}
    if found := _SOPHOS_FILE.match(match["message"]):
        data |= {"file": found["file"], "threat_kind": found["kind"], "threat": found["threat"]}
    clock = f"{match['hour']}:{match['minute']}:{match['second']}"
    return dated(
        data, logged_at=assembled(int(match["year"]), int(match["month"]), int(match["day"]), clock, raw=match["stamp"])
    )


@text_format(
    "antivirus.sophos",
    share(SOPHOS),
    names=("sav.txt",),
    reads="Sophos Anti-Virus's SAV.txt (UTF-16)",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("Sophos Endpoint Security: SAV.txt under Sophos Anti-Virus\\logs",),
)
def sophos(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line: message, and file and threat where it names them."""
    yield from entries(file, SOPHOS, _sophos)


TREND = re.compile(r"(?P<date>20\d{6})<;>(?P<clock>\d{3,6})<;>(?P<rest>.*)")
_VIRUS = ["threat", "action", "scan_type", "unknown_1", "folder", "file_name", "unknown_2", "epoch", "unknown_3"]
_WEB = [
    "block_mode",
    "url",
    "group_code",
    "group_name",
    "credibility_rating",
    "policy_id",
    "application_path",
    "credibility_score",
    "ip",
    "threshold",
    "epoch",
    "unknown",
]
_TREND_ACTIONS = {
    "0": "cleaned",
    "1": "moved",
    "2": "deleted",
    "3": "renamed",
    "4": "passed (logged)",
    "5": "could not clean",
    "6": "could not move",
    "7": "could not delete",
    "8": "could not rename",
    "10": "could not clean, moved",
    "11": "could not clean, deleted",
    "12": "could not clean, renamed",
    "13": "could not clean, passed",
}
_TREND_SCANS = {"0": "manual", "1": "real-time", "2": "scheduled", "3": "scan now", "4": "damage cleanup"}


def _trend_time(date: str, clock: str, epoch: str) -> dict[str, Time | None]:
    digits = clock.zfill(4) if len(clock) <= 4 else clock.zfill(6)
    wall = f"{digits[:2]}:{digits[2:4]}" + (f":{digits[4:6]}" if len(digits) == 6 else "")
    local = assembled(int(date[:4]), int(date[4:6]), int(date[6:8]), wall, raw=f"{date} {clock}")
    known = posix(int(epoch)) if epoch.isdigit() and len(epoch) == 10 else None
    return {"logged_at": known, "logged_at_local": local}


def _trend(match: re.Match[str], text: str) -> Record:
    columns = match["rest"].split("<;>")
    web = any("://" in column for column in columns[:3])
    data: dict[str, object] = dict(zip(_WEB if web else _VIRUS, columns, strict=False))
    epoch = str(data.pop("epoch", ""))
    if not web:
        data["action_name"] = _TREND_ACTIONS.get(str(data.get("action")))
        data["scan_type_name"] = _TREND_SCANS.get(str(data.get("scan_type")))
        data["path"] = f"{data.get('folder', '')}{data.get('file_name', '')}"
    kept = {name: value for name, value in data.items() if value not in (None, "")}
    return dated(kept, **_trend_time(match["date"], match["clock"], epoch))


@text_format(
    "antivirus.trendmicro",
    share(TREND),
    names=("pccnt*.log", "ofcurlf.log"),
    reads="Trend Micro OfficeScan's pccnt35.log (viruses) and OfcUrlf.log (web reputation), fields parted by <;>",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("Trend Micro OfficeScan client logs: pccnt35.log, OfcUrlf.log; columns as public research documents them",),
)
def trend_micro(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line; the stored seconds since 1970 give UTC, the date and clock stay local beside them."""
    yield from entries(file, TREND, _trend)


SYMANTEC = re.compile(
    r"(?P<stamp>[0-9A-F]{12}),(?P<event>\d{1,3}),(?P<category>\d{1,2}),(?P<logger>\d{1,4}),(?P<computer>[^,]*),(?P<user>[^,]*),(?P<rest>.*)"
)
_SYMANTEC_NAMES = [
    "threat",
    "file",
    "wanted_action_1",
    "wanted_action_2",
    "action_taken",
    "virus_type",
    "flags",
    "description",
    "scan_id",
]
_SYMANTEC_EVENTS = {
    "1": "alert",
    "2": "scan stopped",
    "3": "scan started",
    "4": "definitions update",
    "5": "infection",
    "6": "could not open file",
    "7": "definitions loaded",
    "13": "services shut down",
    "14": "services started",
    "46": "forwarded",
    "51": "detection action",
}


def _symantec(match: re.Match[str], text: str) -> Record:
    year, month, *rest = bytes.fromhex(match["stamp"])
    day, hour, minute, second = rest
    time = assembled(1970 + year, month + 1, day, f"{hour:02d}:{minute:02d}:{second:02d}", raw=match["stamp"])
    values = match["rest"].split(",")
    data: dict[str, object] = {
        "event": match["event"],
        "event_name": _SYMANTEC_EVENTS.get(match["event"]),
        "category": match["category"],
        "logger": match["logger"],
        "computer": match["computer"],
        "user": match["user"],
    }
    data |= dict(zip(_SYMANTEC_NAMES, values, strict=False))
    data["more"] = ",".join(values[len(_SYMANTEC_NAMES) :])[:8000]
    record = dated(present(data), logged_at=time)
    return Record(record.data, record.times, record.time_field, host_id=match["computer"])


@text_format(
    "antivirus.symantec",
    share(SYMANTEC),
    reads="Symantec AntiVirus / Endpoint Protection client logs (AVMan, *.Log) with hexadecimal dates",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=(
        "Symantec, Interpreting log files: date as hex of years since 1970, month from 0, day, hour, minute, second "
        "(local)",
    ),
)
def symantec(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line: event, computer, user, threat, file, actions."""
    yield from entries(file, SYMANTEC, _symantec)


CLAMAV = re.compile(
    rf"(?:(?P<stamp>[A-Z][a-z]{{2}} (?P<month>{MONTH}) +(?P<day>\d{{1,2}}) (?P<clock>\d\d:\d\d:\d\d) "
    rf"(?P<year>\d{{4}})) -> )?"
    r"(?P<file>.+?): (?P<threat>\S+)(?:\((?P<hash>[^)]*)\))? FOUND$"
)
CLAMAV_LINE = re.compile(
    rf"(?P<stamp>[A-Z][a-z]{{2}} (?P<month>{MONTH}) +(?P<day>\d{{1,2}}) (?P<clock>\d\d:\d\d:\d\d) (?P<year>\d{{4}})) "
    rf"-> (?P<message>.*)"
)


def _clamav(match: re.Match[str], text: str) -> Record:
    data: dict[str, object] = {"message": match["message"] + text[match.end() :]}
    if found := CLAMAV.match(text):
        data |= {"file": found["file"], "threat": found["threat"]}
    time = assembled(
        int(match["year"]), month_number(match["month"]), int(match["day"]), match["clock"], raw=match["stamp"]
    )
    return dated(data, logged_at=time)


@text_format(
    "antivirus.clamav",
    share(CLAMAV_LINE),
    names=("clamav*.log*", "freshclam.log*"),
    reads="clamd's and freshclam's logs with LogTime",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("clamd.conf(5), LogTime",),
)
def clamav(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line; file and threat where something was FOUND."""
    yield from entries(file, CLAMAV_LINE, _clamav)
