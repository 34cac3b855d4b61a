"""W3C extended logs: IIS and its kin (UTC), CloudFront, Windows Firewall (local), columns named by #Fields."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wigmore.artifacts.logs.access import numbered, target_fields
from wigmore.artifacts.logs.clock import written
from wigmore.artifacts.logs.framework import place, text_format, unread
from wigmore.artifacts.logs.lines import Line, lines
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import Time

_ROW = re.compile(r"\d{4}-\d\d-\d\d[ \t]\d\d:\d\d:\d\d[ \t]")
# native column → the name that access logs of other servers have too
_SHARED = {
    "c-ip": "client",
    "cs-username": "user",
    "cs-method": "method",
    "sc-status": "status",
    "cs(User-Agent)": "user_agent",
    "cs(Referer)": "referrer",
    "s-ip": "server_address",
    "s-port": "server_port",
    "cs-host": "host",
    "cs(Host)": "host",
    "sc-bytes": "bytes",
    "src-ip": "source_address",
    "dst-ip": "target_address",
    "src-port": "source_port",
    "dst-port": "target_port",
}
_FREE = (
    "cs-uri-query",
    "cs(User-Agent)",
    "cs-uri-stem",
    "info",
)  # columns that may hold unescaped spaces, likeliest first


def _score(listed: tuple[str, ...]) -> float:
    heads = [text for text in listed if text.startswith("#Fields:")]
    if not heads:
        return 0.0
    names = heads[0].split()[1:]
    if len(names) < 3 or not {"date", "time", "c-ip", "src-ip", "ip", "time-taken"} & set(names):
        return 0.0
    rows = [text for text in listed if text and not text.startswith("#")]
    good = sum(1 for text in rows if len(text.split()) >= len(names) - 1)
    return good / len(rows) if rows else 1.0


def _aligned(values: list[str], names: list[str]) -> tuple[list[str], bool]:
    """Values, one a column; where unescaped spaces made too many, they are joined in the first free-text column."""
    extra = len(values) - len(names)
    if extra <= 0:
        return values, False
    for free in _FREE:
        if free in names:
            at = names.index(free)
            return [*values[:at], " ".join(values[at : at + extra + 1]), *values[at + extra + 1 :]], True
    return values, False


def _record(line: Line, names: list[str], software: str, local: bool, date: str) -> Record | None:
    values = line.text.split("\t") if "\t" in line.text else line.text.split()
    values, joined = _aligned(values, names)
    if len(values) != len(names):
        return None
    row = dict(zip(names, values, strict=True))
    day = row.pop("date", date)
    stamp = f"{day} {row.pop('time', '')}"
    zone, source = (None, "#Time Format: Local") if local else ("Z", "W3C extended log times are GMT")
    time: Time | None = written(stamp.replace(" ", "T", 1), stamp, zone, source)
    if time is None:
        return None
    data: dict[str, object] = {name: value for name, value in row.items() if value != "-"}
    for native, shared in _SHARED.items():
        if native in data:
            value = str(data[native])
            data[shared] = value.replace("+", " ") if shared == "user_agent" else value
    if "cs-uri-stem" in data:
        query = f"?{row['cs-uri-query']}" if row.get("cs-uri-query", "-") != "-" else ""
        data |= target_fields(str(data["cs-uri-stem"]) + query)
    if joined:
        data["columns"] = "more values than columns; joined in a free-text column"
    if software:
        data["software"] = software
    if line.fallback:
        data["encoding"] = f"{line.fallback} (assumed)"
    data = {name: value for name, value in data.items() if value is not None}
    numbered(data, "status", "bytes", "server_port", "source_port", "target_port")
    artifact = "windows.firewall" if "Firewall" in software else "web.iis" if "cs-method" in names else "logs.w3c"
    return Record(data, {"logged_at": time}, "logged_at", artifact=artifact)


@text_format(
    "logs.w3c",
    _score,
    names=("u_ex*.log", "ex??????.log", "pfirewall.log*"),
    artifacts=("web.iis", "windows.firewall", "logs.w3c"),
    reads="W3C extended log files: IIS (u_ex*.log), Windows Firewall (pfirewall.log), CloudFront, Exchange and others",
    means="the service logged this request, or the firewall this packet or connection, at this time of its own clock",
    does_not_mean="for IIS: who the person was, that an attack worked, that referrer and agent are true; for the "
    "firewall: which "
    "program or user, and anything of the packets it was not set to log",
    refs=(
        "https://www.w3.org/TR/WD-logfile.html",
        "Microsoft, W3C Logging (IIS): times are UTC",
        "Microsoft, Windows Firewall log",
    ),
)
def w3c(file: EvidenceFile) -> Iterator[Yield]:
    """One record a row, under the native column names, with common names beside them."""
    names: list[str] = []
    software, local, date = "", False, ""
    odd, first_odd = 0, 0
    for line in lines(file):
        text = line.text.strip()
        if text.startswith("#"):
            key, _, value = text[1:].partition(":")
            if key == "Fields":
                names = value.split()
            elif key == "Software":
                software = value.strip()
            elif key == "Time Format":
                local = value.strip().lower() == "local"
            elif key == "Date":
                date = value.split()[0] if value.split() else date
            continue
        if not text:
            continue
        record = _record(line, names, software, local, date) if names else None
        if record is None:
            odd, first_odd = odd + 1, first_odd or line.offset
            yield unread(line)
        else:
            yield place(line), record
    if odd:
        yield Gap(f"{odd} lines do not fit the columns named above them; kept as text", first_odd, "schema_unknown")
