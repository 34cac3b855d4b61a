"""Cron tables: /etc/crontab and cron.d (with a user), spool/cron (one file an account), anacrontab."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wigmore.artifacts.logs.framework import place, unread
from wigmore.artifacts.logs.lines import lines, sample
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.registry import Claim, parser

ARTIFACT = "linux.crontab"  # `linux.cron` is what syslog says that cron ran
_PART = r"(?:\*|[0-9]{1,2}|[A-Za-z]{3})(?:-(?:[0-9]{1,2}|[A-Za-z]{3}))?(?:/[0-9]{1,3})?(?:~[0-9]{1,2})?"
_FIELD = rf"{_PART}(?:,{_PART})*"
ENTRY = re.compile(
    rf"\s*(?P<schedule>-?@(?:reboot|yearly|annually|monthly|weekly|daily|midnight|hourly|every_minute)"
    rf"|-?{_FIELD}(?:[ \t]+{_FIELD}){{4}})[ \t]+(?P<rest>\S.*)$"
)
ANACRON = re.compile(
    r"\s*(?P<period>\d{1,4}|@(?:daily|weekly|monthly|yearly))[ \t]+(?P<delay>\d{1,5})[ \t]+(?P<job>\S+)[ \t]+(?P<rest>\S.*)$"
)
VARIABLE = re.compile(r"\s*(?P<name>[A-Za-z_]\w*|\"[^\"]+\"|'[^']+')\s*=\s*(?P<value>.*)$")
USER = re.compile(r"(?P<user>[a-z_][a-z0-9_.-]{0,31}\$?)(?::\S+)?[ \t]+(?P<command>\S.*)$")
COMMON_USERS = frozenset(
    ("root", "www-data", "nobody", "daemon", "apache", "nginx", "mysql", "postgres", "backup", "list")
)
PARTS = ("minute", "hour", "day_of_month", "month", "day_of_week")
SYSTEM, OWNED, ANY = "system", "account", "unknown"


def layout_of(path: str) -> str:
    """Whether the table at a path names a user in each line (`system`), belongs to an account, or cannot be told."""
    low = "/" + path.lower().replace("\\", "/")
    folder, _, name = low.rpartition("/")
    if folder.endswith("/cron.d") or (name in ("crontab", "anacrontab") and folder.endswith("/etc")):
        return SYSTEM
    if folder.endswith(("/spool/cron", "/spool/cron/crontabs", "/spool/cron/tabs", "/cron/tabs")):
        return OWNED
    return ANY


def _starred(text: str) -> bool:
    match = ENTRY.match(text)
    return match is not None and ("*" in match["schedule"] or "@" in match["schedule"])


def _mine(head: bytes, path: str, size: int) -> bool:
    listed = sample(head)
    kept = [text for text in listed if text.strip() and not text.lstrip().startswith("#")]
    if path.lower().rsplit("/", 1)[-1] == "anacrontab":
        return any(ANACRON.match(text) for text in kept)
    fit = [text for text in kept if ENTRY.match(text)]
    if layout_of(path) != ANY:
        placeholder = path.rsplit("/", 1)[-1] == ".placeholder"
        return not placeholder and any(listed) and (bool(fit) or not kept or all(map(VARIABLE.match, kept)))
    return any(map(_starred, fit)) and all(ENTRY.match(text) or VARIABLE.match(text) for text in kept)


def _entry(match: re.Match[str], layout: str, owner: str) -> dict[str, object]:
    schedule = " ".join(match["schedule"].lstrip("-").split())
    data: dict[str, object] = {"kind": "entry", "schedule": schedule}
    if not schedule.startswith("@"):
        data |= dict(zip(PARTS, schedule.split(), strict=True))
    rest = match["rest"].strip()
    named = USER.match(rest) if layout != OWNED else None
    if named and (layout == SYSTEM or named["user"] in COMMON_USERS):
        data |= {"user": named["user"], "command": named["command"]}
    else:
        data["command"] = rest
        if layout == OWNED:
            data |= {"user": owner, "user_from": "the file's name"}
    command, percent, stdin = _parted(str(data["command"]))
    if percent:
        data |= {"command": command, "standard_input": stdin}
    return data


def _parted(command: str) -> tuple[str, bool, str]:
    """A command and the standard input that follows its first unescaped percent sign."""
    found = re.search(r"(?<!\\)%", command)
    if found is None:
        return command, False, ""
    return command[: found.start()].rstrip(), True, re.sub(r"(?<!\\)%", "\n", command[found.end() :])


@parser(
    "linux.cron",
    claims=Claim(look=_mine),
    artifacts=(ARTIFACT,),
    reads="/etc/crontab, /etc/cron.d/*, /var/spool/cron/crontabs/* and anacrontab, also where copied under another name",
    means="cron (or anacron) is set to run this command at these times of the host's local clock, as this user",
    does_not_mean="that it ran, or that the line stood there at another time; who wrote it; that the command exists",
    refs=("https://man7.org/linux/man-pages/man5/crontab.5.html", "anacrontab(5)", "POSIX.1-2017, crontab"),
)
def cron(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line: entries with schedule, user and command; variables; comments as text."""
    layout = layout_of(file.path)
    name = file.path.rsplit("/", 1)[-1]
    anacron = name.lower() == "anacrontab"
    environment: dict[str, str] = {}
    odd, first_odd, total = 0, None, 0
    for line in lines(file):
        text = line.text.strip()
        if not text:
            continue
        total += 1
        data: dict[str, object]
        if text.startswith("#"):
            data = {"kind": "comment", "text": text}
        elif not anacron and (match := ENTRY.match(line.text)):
            data = _entry(match, layout, name)
            if environment:
                data["environment"] = dict(environment)
        elif anacron and (match := ANACRON.match(line.text)):
            data = {
                "kind": "entry",
                "schedule": f"every {match['period']} days, {match['delay']} minutes after start",
                "period_days": match["period"],
                "delay_minutes": int(match["delay"]),
                "job": match["job"],
                "user": "root",
                "user_from": "anacron runs as root",
                "command": match["rest"].strip(),
            }
        elif match := VARIABLE.match(line.text):
            variable, value = match["name"].strip("\"'"), match["value"].strip()
            if len(environment) < 100:
                environment[variable] = value
            data = {"kind": "variable", "name": variable, "value": value}
        else:
            odd += 1
            first_odd = line.offset if first_odd is None else first_odd
            locator, record = unread(line)
            yield locator, Record(record.data, artifact=ARTIFACT)
            continue
        if line.fallback:
            data["encoding"] = f"{line.fallback} (assumed)"
        yield place(line), Record(data, artifact=ARTIFACT)
    if odd:
        yield Gap(f"{odd} of {total} lines are no cron entries; kept as text", first_odd, "schema_unknown")
