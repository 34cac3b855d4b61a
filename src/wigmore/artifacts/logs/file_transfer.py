"""FTP servers' logs: xferlog and vsftpd's own format."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wigmore.artifacts.logs.clock import MONTH, assembled, month_number
from wigmore.artifacts.logs.framework import dated, entries, present, share, text_format
from wigmore.model.protocols import EvidenceFile, Record, Yield

_STAMP = (
    rf"(?P<stamp>(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?P<month>{MONTH}) +(?P<day>\d{{1,2}}) "
    rf"(?P<clock>\d\d:\d\d:\d\d) (?P<year>\d{{4}}))"
)
XFERLOG = re.compile(
    rf"{_STAMP} (?P<seconds>\d+) (?P<client>\S+) (?P<bytes>\d+) (?P<path>.+) (?P<type>[ab]) (?P<flag>\S+) "
    rf"(?P<direction>[iod]) "
    r"(?P<access>[agr]) (?P<user>\S+) (?P<service>\S+) (?P<method>[01]) (?P<authenticated_as>\S+) "
    r"(?P<completion>[ci])\s*$"
)
VSFTPD = re.compile(
    rf"{_STAMP} \[pid (?P<pid>\d+)\] (?:\[(?P<user>[^\]]*)\] )?(?:(?P<result>OK|FAIL) )?(?P<action>[A-Z][A-Z ]+|FTP "
    rf"(?:command|response)|DEBUG): "
    r"Client \"(?P<client>[^\"]*)\"(?:, ?(?P<rest>.*))?"
)
_WAY = {"i": "upload", "o": "download", "d": "delete"}
_MEANS = "the FTP server logged this step for this client and account at its local clock's time"
_NOT = "the zone; which person; that content was complete unless the line says so"


def _moment(match: re.Match[str]) -> object:
    return assembled(
        int(match["year"]), month_number(match["month"]), int(match["day"]), match["clock"], raw=match["stamp"]
    )


def _xferlog(match: re.Match[str], text: str) -> Record:
    names = ("client", "path", "user", "service", "authenticated_as")
    data: dict[str, object] = {name: match[name] for name in names} | {
        "event": _WAY[match["direction"]],
        "bytes": int(match["bytes"]),
        "seconds": int(match["seconds"]),
        "complete": match["completion"] == "c",
        "access": {"a": "anonymous", "g": "guest", "r": "account"}[match["access"]],
    }
    return dated(data, logged_at=_moment(match))


@text_format(
    "logs.xferlog",
    share(XFERLOG),
    names=("xferlog*",),
    reads="xferlog of wu-ftpd, ProFTPD, vsftpd",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("xferlog(5)",),
)
def xferlog(file: EvidenceFile) -> Iterator[Yield]:
    """One record a transfer or deletion."""
    yield from entries(file, XFERLOG, _xferlog)


def _vsftpd(match: re.Match[str], text: str) -> Record:
    rest = match["rest"] or ""
    quoted = re.findall(r'"([^"]*)"', rest)
    data: dict[str, object] = {
        "event": match["action"].strip().lower(),
        "result": match["result"],
        "user": match["user"],
        "client": match["client"],
        "pid": int(match["pid"]),
        "path": quoted[0] if quoted else None,
        "detail": rest,
        "message": text,
    }
    if size := re.search(r"(\d+) bytes", rest):
        data["bytes"] = int(size[1])
    return dated(present(data), logged_at=_moment(match))


@text_format(
    "logs.vsftpd",
    share(VSFTPD),
    names=("vsftpd.log*",),
    reads="vsftpd.log",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("vsftpd.conf(5), vsftpd_log_file, dual_log_enable",),
)
def vsftpd(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line: connection, login, upload, download, with result."""
    yield from entries(file, VSFTPD, _vsftpd)
