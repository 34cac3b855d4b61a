"""The Linux audit log: type, epoch time, serial, keys and values, hex-encoded strings decoded, enriched names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wigmore.artifacts.logs.framework import entries, share, text_format
from wigmore.model.protocols import EvidenceFile, Record, Yield
from wigmore.model.times import posix

LINE = re.compile(
    r"(?:node=(?P<node>\S+) )?type=(?P<type>[A-Z0-9_]+(?:\[\d+\])?) "
    r"msg=audit\((?P<second>\d{1,11})\.(?P<fraction>\d{1,6}):(?P<serial>\d+)\):\s?"
    r"(?P<body>.*)"
)
PAIR = re.compile(
    r"(?<![\w.-])(?P<key>(?:(?:old|new) )?[A-Za-z_][\w.-]{0,63}(?:\[\d{1,9}\])?)="
    r"(?P<value>\"[^\"]*\"|'[^']*'|\{[^}]*\}|\([^)]*\)|[^\s]*)"
)
_ENCODED = re.compile(r"(?:[0-9A-F]{2})+$")
_STRINGS = frozenset(
    [
        "proctitle",
        "name",
        "comm",
        "exe",
        "cwd",
        "cmd",
        "path",
        "acct",
        "key",
        "data",
        "vm",
        "dir",
        "new-disk",
        "old-disk",
        "grp",
        "old-grp",
        "ocomm",
    ]
)
_ARGUMENT = re.compile(r"a\d+(?:\[\d+\])?$")
_NOT_SET = "4294967295"
# event types whose meaning an examiner asks for, as the kernel and user space document them
EVENTS = {
    "USER_LOGIN": "login",
    "USER_AUTH": "authentication",
    "USER_ACCT": "account_check",
    "USER_START": "session_opened",
    "USER_END": "session_closed",
    "USER_LOGOUT": "logout",
    "CRED_ACQ": "credentials_acquired",
    "USER_CMD": "sudo_command",
    "ADD_USER": "account_created",
    "DEL_USER": "account_deleted",
    "ADD_GROUP": "group_created",
    "USER_CHAUTHTOK": "password_changed",
    "USER_MGMT": "account_changed",
    "EXECVE": "program_started",
    "SERVICE_START": "service_started",
    "SERVICE_STOP": "service_stopped",
    "LOGIN": "login_id_set",
    "USER_ERR": "login_error",
    "ANOM_ABEND": "program_crashed",
    "CONFIG_CHANGE": "audit_rules_changed",
    "DAEMON_START": "audit_started",
    "DAEMON_END": "audit_stopped",
    "SYSTEM_BOOT": "booted",
    "SYSTEM_SHUTDOWN": "shut_down",
    "USER_TTY": "typed",
    "TTY": "typed",
    "AVC": "access_denied",
}


def decoded(key: str, value: str, kind: str) -> str:
    """A value without its quotes; untrusted strings that auditd wrote in hex are decoded (NULs become spaces)."""
    if value[:1] in "\"'" and len(value) > 1 and value[-1] == value[0]:
        return value[1:-1]
    untrusted = key in _STRINGS or (kind == "EXECVE" and _ARGUMENT.match(key))
    if untrusted and len(value) >= 2 and _ENCODED.match(value):
        return bytes.fromhex(value).rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "backslashreplace")
    return value


def pairs(body: str, kind: str) -> dict[str, object]:
    """Keys and values of a record's body, those inside `msg='…'` too; a key that comes again is numbered (`key.2`)."""
    fields: dict[str, object] = {}
    pending, depth = [body], 0
    while pending and depth < 4:
        depth += 1
        for match in PAIR.finditer(pending.pop(0)):
            key, value = match["key"], match["value"]
            if key == "msg" and value.startswith("'"):
                pending.append(value[1:-1])
                continue
            name, number = key, 2
            while name in fields and number < 50:
                name, number = f"{key}.{number}", number + 1
            fields[name] = decoded(key, value, kind)
    return fields


def _build(match: re.Match[str], text: str) -> Record:
    kind = match["type"]
    body = match["body"] + text[match.end() :]
    main, _, names = body.partition("\x1d")
    data: dict[str, object] = {"audit_type": kind, "serial": int(match["serial"])}
    if kind in EVENTS:
        data["event"] = EVENTS[kind]
    fields = pairs(main, kind)
    if kind == "AVC" and (verdict := re.search(r"avc:\s+(denied|granted)\s+\{ ([^}]*) \}", main)):
        fields |= {"decision": verdict[1], "permissions": verdict[2].strip()}
    if names:
        fields |= {
            f"{match['key']}_name": decoded(match["key"], match["value"], kind) for match in PAIR.finditer(names)
        }
    else:  # some tools drop the separator: UID="root" stands directly after the closing quote
        upper = {key: fields.pop(key) for key in list(fields) if key.isupper() and len(key) > 2}
        fields |= {f"{key}_name": value for key, value in upper.items()}
    if kind == "EXECVE":
        arguments = [str(fields[key]) for key in fields if re.match(r"a\d+$", key)]
        fields["command"] = " ".join(arguments)
    for name, native in (("user", "acct"), ("address", "addr"), ("result", "res"), ("command", "cmd")):
        if native in fields and name not in fields and fields[native] not in ("?", ""):
            fields[name] = fields[native]
    if "event" in data and (fields.get("res") in ("failed", "0", "no") or fields.get("success") == "no"):
        data["event"] = f"{data['event']}_failed"
    for name in ("auid", "old auid", "new auid", "ses", "old ses"):
        if fields.get(name) == _NOT_SET:
            fields[name] = "unset"
    data |= {key: value for key, value in fields.items() if value not in ("?", "")}
    data["text"] = text
    fraction = match["fraction"]
    digits = fraction.ljust(6, "0") if len(fraction) > 3 else fraction.ljust(3, "0")
    unit = "us" if len(fraction) > 3 else "ms"
    time = posix(int(match["second"] + digits), unit=unit, source="audit time is seconds since 1970 UTC")
    if time:
        time["raw"] = f"{match['second']}.{fraction}"
    return Record(data, {"logged_at": time} if time else {}, "logged_at" if time else None, host_id=match["node"] or "")


@text_format(
    "linux.audit",
    share(LINE),
    names=("audit.log*",),
    reads="/var/log/audit/audit.log*, raw or enriched; also ausearch --raw",
    means="the kernel or a trusted program reported this event to the audit daemon; with auid: in the login session "
    "of that account",
    does_not_mean="events that no rule asked for; that a login id is a person; anything before the oldest rotated file",
    refs=(
        "https://github.com/linux-audit/audit-documentation/wiki",
        "auditd(8), ausearch(8)",
        "linux, include/uapi/linux/audit.h",
    ),
)
def audit(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line; lines of one event share `serial` and time."""
    yield from entries(file, LINE, _build)
