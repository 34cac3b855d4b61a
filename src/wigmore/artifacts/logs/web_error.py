"""Error logs of Apache httpd (2.2 and 2.4) and nginx: local times, level, client and message."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wigmore.artifacts.logs.access import numbered, request_fields
from wigmore.artifacts.logs.clock import MONTH, assembled, month_number
from wigmore.artifacts.logs.framework import dated, entries, present, share, text_format
from wigmore.model.protocols import EvidenceFile, Record, Yield

APACHE = re.compile(
    rf"\[(?P<stamp>[A-Z][a-z]{{2}} (?P<month>{MONTH}) +(?P<day>\d{{1,2}}) (?P<clock>\d\d:\d\d:\d\d(?:\.\d+)?) "
    rf"(?P<year>\d{{4}}))\] "
    r"\[(?:(?P<module>[\w-]*):)?(?P<level>\w+)\] (?:\[pid (?P<pid>\d+)(?::tid (?P<tid>\d+))?\] )?"
    r"(?:(?P<os_error>\(\d+\)[^:]*): )?(?:\[(?:remote|client) (?P<client>[^\]]+?)\] )?(?:(?P<code>AH\d+): "
    r")?(?P<message>.*)"
)
NGINX = re.compile(
    r"(?P<stamp>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(?P<level>\w+)\] (?P<pid>\d+)#(?P<tid>\d+): "
    r"(?:\*(?P<connection>\d+) )?(?P<message>.*)"
)
_NGINX_TAIL = re.compile(r', (client|server|request|subrequest|upstream|host|referrer): ("(?:[^"\\]|\\.)*"|[^,]*)')
_ADDRESS = re.compile(r"(?P<address>\[?[0-9a-fA-F:.]+?\]?):(?P<port>\d{1,5})$")
_MEANS = "the server wrote this diagnostic at its local clock's time, for this client where one is named"
_NOT = "the zone; that the request succeeded or failed as a whole; who the person was"


def _apache(match: re.Match[str], text: str) -> Record:
    groups = match.groupdict()
    message = groups["message"]
    referrer = re.search(r", referer: (\S+)$", message)
    data: dict[str, object] = {n: groups[n] for n in ("level", "module", "pid", "tid", "os_error", "client", "code")}
    if referrer:
        data["referrer"], message = referrer[1], message[: referrer.start()]
    data["message"] = message + text[match.end() :]
    place = _ADDRESS.match(groups["client"] or "")
    if place and (":" not in place["address"] or place["address"].count(":") > 3 or place["address"].startswith("[")):
        data |= {"client": place["address"].strip("[]"), "client_port": int(place["port"])}
    time = assembled(
        int(groups["year"]), month_number(groups["month"]), int(groups["day"]), groups["clock"], raw=groups["stamp"]
    )
    return dated(numbered(present(data), "pid", "tid"), logged_at=time)


@text_format(
    "web.error",
    share(APACHE),
    names=("error*log*", "*error.log*", "*error_log*"),
    reads="Apache httpd's error log, versions 2.2 and 2.4",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("https://httpd.apache.org/docs/2.4/logs.html#errorlog",),
)
def apache_error(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message."""
    yield from entries(file, APACHE, _apache)


def _nginx(match: re.Match[str], text: str) -> Record:
    data: dict[str, object] = {name: match[name] for name in ("level", "pid", "tid", "connection")}
    message = match["message"]
    tail = {name: value.strip('"') for name, value in _NGINX_TAIL.findall(message)}
    data |= tail
    if "request" in tail:
        data |= request_fields(tail["request"])
    data["message"] = message + text[match.end() :]
    stamp = match["stamp"]
    time = assembled(int(stamp[:4]), int(stamp[5:7]), int(stamp[8:10]), stamp[11:], raw=stamp)
    return dated(numbered(present(data), "pid", "tid", "connection"), logged_at=time)


@text_format(
    "web.nginx_error",
    share(NGINX),
    reads="nginx's error log",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("https://nginx.org/en/docs/ngx_core_module.html#error_log",),
)
def nginx_error(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message, its named client, server, request and upstream as fields."""
    yield from entries(file, NGINX, _nginx)
