"""Web access logs: the Common and Combined Log Format of Apache, nginx, Tomcat and kin, and Atlassian's variant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote_plus

from wigmore.artifacts.logs.clock import apache
from wigmore.artifacts.logs.framework import dated, entries, present, share, text_format
from wigmore.model.protocols import EvidenceFile, Record, Yield

_STAMP = r"\[(?P<stamp>\d\d/[A-Za-z]{3}/\d{4}:\d\d:\d\d:\d\d(?:\.\d+)?(?: [+-]\d{4})?)\]"
_QUOTED = r'"(?:[^"\\]|\\.)*"'
COMBINED = re.compile(
    rf'(?:(?P<virtual_host>[^\s":]+(?::\d+)?) )?(?P<client>[^\s"]+) (?P<identity>\S+) (?P<user>\S+|"[^"]*"|[^\["]*?) '
    rf"{_STAMP} "
    rf'"(?P<request>.*?)" (?P<status>\d{{3}}|-) (?P<bytes>\d+|-)(?: (?P<referrer>{_QUOTED})(?: '
    rf"(?P<user_agent>{_QUOTED}))?)?(?P<more>.*)"
)
ATLASSIAN = re.compile(
    rf"{_STAMP} (?:(?P<forwarded_for>[0-9a-fA-F.:]+|-) )?(?P<user>\S+) (?P<thread>\S+) (?P<client>\S+) "
    rf"(?P<method>[A-Z]+) "
    r"(?P<target>\S+) (?P<protocol>HTTP/[\d.]+) (?P<status>\d{3}|-) (?P<duration_ms>\d+)ms (?P<bytes>\d+|-) "
    r"(?P<referrer>\S+) "
    r"(?P<user_agent>.*)"
)
REQUEST = re.compile(r"(?P<method>[A-Za-z_-]+) (?P<target>.*?)(?: (?P<protocol>HTTP/\d(?:\.\d)?))?$")
_ESCAPE = re.compile(r'\\(?:x([0-9a-fA-F]{2})|(["\\nrtvbf]))')
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "v": "\v", "b": "\b", "f": "\f"}
_MEANS = (
    "the server logged a request with this line from this peer address at its own clock's time, and answered "
    "with this status"
)
_NOT = (
    "who the person was; that the peer is the origin (proxies, forged forwarding headers); that an attack worked (200 "
    "is not "
    "exploitation); that referrer and user agent are true"
)


def unquoted(text: str | None) -> str | None:
    r"""The content of a quoted field, with Apache's `\xhh`, `\"` and letter escapes undone."""
    if text is None:
        return None
    return unescaped(text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text)


def unescaped(body: str) -> str:
    r"""With Apache's `\xhh`, `\"` and letter escapes undone."""
    if "\\" not in body:
        return body
    return _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else _LETTERS.get(m[2], m[2]), body)


def request_fields(request: str) -> dict[str, object]:
    """Method, path, query and protocol of a request line; the query also percent-decoded where that differs."""
    match = REQUEST.match(request)
    if match is None:
        return {}
    return {"method": match["method"], **target_fields(match["target"]), "protocol": match["protocol"]}


def target_fields(target: str) -> dict[str, object]:
    """Path and query of a request target, each also percent-decoded where that differs."""
    path, mark, query = target.partition("?")
    fields: dict[str, object] = {"path": path, "query": query if mark else None}
    for name, value in (("path_decoded", path), ("query_decoded", query)):
        plain = unquote_plus(value) if name == "query_decoded" else unquote_plus(value.replace("+", "%2B"))
        if plain != value:
            fields[name] = plain
    return fields


def numbered(data: dict[str, object], *names: str) -> dict[str, object]:
    """With the named fields as numbers where they are digits."""
    for name in names:
        value = data.get(name)
        if isinstance(value, str) and len(value) < 19 and value.isascii() and value.isdigit():
            data[name] = int(value)
    return data


def _combined(match: re.Match[str], text: str) -> Record:
    groups = match.groupdict()
    stamp = groups.pop("stamp")
    request = unescaped(groups.pop("request"))
    data: dict[str, object] = {
        **groups,
        "referrer": unquoted(groups["referrer"]),
        "user_agent": unquoted(groups["user_agent"]),
    }
    data["more"] = groups["more"].strip() + text[match.end() :]
    data = present({"request": request, **request_fields(request), **data})
    return dated(numbered(data, "status", "bytes"), requested_at=apache(stamp))


@text_format(
    "web.access",
    share(COMBINED),
    names=("access*log*", "*access.log*", "*access_log*"),
    reads="access logs in Common or Combined Log Format (Apache, nginx, Tomcat, lighttpd), also with a leading "
    "virtual host",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=(
        "https://httpd.apache.org/docs/2.4/mod/mod_log_config.html",
        "https://nginx.org/en/docs/http/ngx_http_log_module.html",
    ),
)
def access(file: EvidenceFile) -> Iterator[Yield]:
    """One record a request: client, user, method, path, query, status, bytes, referrer, user agent."""
    yield from entries(file, COMBINED, _combined)


def _atlassian(match: re.Match[str], text: str) -> Record:
    groups = match.groupdict()
    stamp, target = groups.pop("stamp"), groups.pop("target")
    request = f"{groups['method']} {target} {groups['protocol']}"
    data = present({"request": request, **groups, **target_fields(target)})
    return dated(numbered(data, "status", "bytes", "duration_ms"), requested_at=apache(stamp))


@text_format(
    "web.atlassian_access",
    share(ATLASSIAN),
    reads="Confluence's and Jira's access logs (conf_access_log, AccessLogValve pattern with user, thread and "
    "duration)",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("https://confluence.atlassian.com/confkb/audit-confluence-using-tomcat-valve-component-223216846.html",),
)
def atlassian(file: EvidenceFile) -> Iterator[Yield]:
    """One record a request, with the forwarded address that newer versions write first."""
    yield from entries(file, ATLASSIAN, _atlassian)
