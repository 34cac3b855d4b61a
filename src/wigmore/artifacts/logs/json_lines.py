"""JSON logs, one object a line or a list of records: container, cloud and application logs, dated by their known
fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.logs.clock import apache, written
from wigmore.artifacts.logs.framework import place, text_format, unread
from wigmore.artifacts.logs.lines import Line, lines
from wigmore.model.canonical import clean
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.model.times import Time, posix

LARGEST = 64 * 1024 * 1024  # bytes of a document that is one JSON value
DEEPEST = 12
MOST_FIELDS = 400
# where each family keeps its time, the likeliest first
TIME_FIELDS = (
    "eventTime",
    "timeStamp",
    "timestamp",
    "time",
    "@timestamp",
    "ts",
    "receiveTimestamp",
    "Timestamp",
    "date",
    "datetime",
    "createdDateTime",
    "activityDateTime",
    "CreationTime",
    "TimeGenerated",
    "eventTimestamp",
    "start",
    "published",
    "created_at",
    "__REALTIME_TIMESTAMP",
    "Date",
    "UtcTime",
)
_NUMBER = re.compile(r"\d{10}(?:\.\d+)?$|\d{13}$|\d{16}$|\d{19}$")


def flat(value: Any, prefix: str = "", depth: int = 0, into: dict[str, Any] | None = None) -> dict[str, Any]:
    """A JSON value as one level of fields (`a.b`, lists of plain values kept); bounded in depth and number."""
    fields: dict[str, Any] = {} if into is None else into
    if len(fields) >= MOST_FIELDS:
        return fields
    if isinstance(value, dict) and depth < DEEPEST:
        for key, inner in value.items():
            flat(inner, f"{prefix}.{clean(key)}" if prefix else clean(key), depth + 1, fields)
    elif isinstance(value, list) and depth < DEEPEST and any(isinstance(inner, dict | list) for inner in value):
        for number, inner in enumerate(value[:MOST_FIELDS]):
            flat(inner, f"{prefix}.{number}" if prefix else str(number), depth + 1, fields)
    elif isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        fields[prefix] = str(value)
    elif isinstance(value, dict | list) and depth >= DEEPEST:
        fields[prefix] = clean(json.dumps(value))[:10_000]
    elif isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        fields[prefix or "value"] = str(value)  # no column of 64 bits holds it
    else:
        fields[prefix or "value"] = clean(value) if isinstance(value, str) else value
    return fields


def json_time(value: Any) -> Time | None:
    """A time from what JSON logs hold: ISO text, seconds to nanoseconds since 1970, or Common Log Format."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.match(value)):
        text = str(value)
        if not _NUMBER.match(text):
            return None
        if "." in text:
            return posix(float(text))
        time = posix(
            int(text), unit={10: "s", 13: "ms", 16: "us", 19: "ns"}[len(text)], source="number of POSIX length"
        )
        if time:
            time["raw"] = value
        return time
    if isinstance(value, str):
        text = re.sub(r"(\.\d{9})\d+", r"\1", value)
        return written(text, value) or apache(value)
    return None


def _family(entry: dict[str, Any]) -> tuple[str, str]:
    """The artifact of an object by the fields its maker gives it, and its time field if that is special."""
    keys = entry.keys()
    if {"log", "stream", "time"} <= keys:
        return "logs.docker", "time"
    if {"eventVersion", "eventSource", "eventName"} <= keys:
        return "cloud.aws_cloudtrail", "eventTime"
    if "logName" in keys and ("protoPayload" in keys or "jsonPayload" in keys or "textPayload" in keys):
        return "cloud.gcp", "timestamp"
    if {"resourceId", "operationName"} <= keys:
        return "cloud.azure", "time" if "time" in keys else "timeStamp"
    if {"Workload", "Operation", "CreationTime"} <= keys:
        return "cloud.microsoft365", "CreationTime"
    if "MESSAGE" in keys and "__REALTIME_TIMESTAMP" in keys:
        return "linux.journal", "__REALTIME_TIMESTAMP"
    return "", ""


# field of the family → the name that other logs use
_SHARED = {
    "properties.clientIP": "client",
    "properties.clientIp": "client",
    "properties.httpMethod": "method",
    "properties.httpStatus": "status",
    "properties.requestUri": "path",
    "properties.requestQuery": "query",
    "properties.userAgent": "user_agent",
    "sourceIPAddress": "address",
    "userIdentity.userName": "user",
    "userIdentity.arn": "user_arn",
    "userAgent": "user_agent",
    "callerIpAddress": "address",
    "protoPayload.requestMetadata.callerIp": "address",
    "protoPayload.authenticationInfo.principalEmail": "user",
    "ClientIP": "address",
    "UserId": "user",
}


def entry_record(entry: dict[str, Any]) -> Record:
    """The record of one object, dated by the first field known to hold its time."""
    artifact, special = _family(entry)
    data = flat(entry)
    for native, shared in _SHARED.items():
        if artifact.startswith("cloud.") and data.get(native) not in (None, "") and shared not in data:
            data[shared] = data[native]
    times: dict[str, Time] = {}
    for name in (special, *TIME_FIELDS):
        if name and name in data and (time := json_time(data[name])) is not None:
            times[name] = time
    host = data.get("_HOSTNAME") or data.get("host") if artifact == "linux.journal" else ""
    return Record(data, times, next(iter(times), None), host_id=str(host or ""), artifact=artifact)


def loaded(text: str) -> Any:
    """A JSON value, or None where the text is none (too deep counts as none)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _score(listed: tuple[str, ...]) -> float:
    kept = [text.strip() for text in listed if text.strip()]
    if not kept or kept[0][0] != "{":
        return 0.0
    good = sum(1 for text in kept if text[0] == "{" and text[-1] in "},")
    whole = isinstance(loaded(kept[0].rstrip(",")), dict)
    return good / len(kept) if whole and (len(kept) > 1 or _family(loaded(kept[0].rstrip(",")))[0]) else 0.0


@text_format(
    "logs.json_lines",
    _score,
    weight=0.6,
    artifacts=(
        "logs.json_lines",
        "logs.docker",
        "cloud.azure",
        "cloud.aws_cloudtrail",
        "cloud.gcp",
        "cloud.microsoft365",
        "linux.journal",
    ),
    reads="logs with one JSON object a line: Docker's json-file, Azure diagnostics, exported CloudTrail and GCP logs, "
    "journalctl -o json",
    means="the service wrote this object with these fields",
    does_not_mean="whose clock a time field follows unless the service documents it; who the person was; completeness "
    "of an export",
    refs=(
        "RFC 8259",
        "https://jsonlines.org",
        "https://docs.docker.com/engine/logging/drivers/json-file/",
        "https://learn.microsoft.com/azure/application-gateway/application-gateway-diagnostics",
    ),
)
def json_lines(file: EvidenceFile) -> Iterator[Yield]:
    """One record an object, nested fields as `a.b`."""
    odd, first_odd = 0, 0
    for line in lines(file):
        text = line.text.strip()
        if not text:
            continue
        value = loaded(text.rstrip(",")) if text[0] == "{" else None
        if isinstance(value, dict):
            yield place(line), entry_record(value)
        else:
            odd, first_odd = odd + 1, first_odd or line.offset
            yield unread(line)
    if odd:
        yield Gap(f"{odd} lines are no JSON objects; kept as text", first_odd, "schema_unknown")


_LISTS = re.compile(r'\s*(?:\{\s*"(Records|value|records|logs|events|entries)"\s*:\s*\[\s*\{|\[\s*\{)')


def _list_score(listed: tuple[str, ...]) -> float:
    return 1.0 if _LISTS.match(" ".join(listed)[:2000]) else 0.0


@text_format(
    "logs.json_list",
    _list_score,
    weight=0.5,
    artifacts=(
        "logs.json_list",
        "cloud.azure",
        "cloud.aws_cloudtrail",
        "cloud.gcp",
        "cloud.microsoft365",
        "linux.journal",
    ),
    reads="JSON documents that are a list of objects, or hold one under Records, value, logs, events or entries "
    "(CloudTrail, Azure exports)",
    means="the service or its exporter wrote these objects",
    does_not_mean="whose clock a time field follows unless the service documents it; completeness of an export",
    refs=("RFC 8259", "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html"),
)
def json_list(file: EvidenceFile) -> Iterator[Yield]:
    """One record an object of the list; located by its number, since the document is read as one value."""
    text = "\n".join(line.text for line in _bounded(file))
    value = loaded(text)
    if isinstance(value, dict):
        value = next((inner for inner in value.values() if isinstance(inner, list)), None)
    if not isinstance(value, list):
        raise ParseError(file.path, None, "starts like a JSON list but does not end as one", "truncated")
    for number, entry in enumerate(value):
        if isinstance(entry, dict):
            yield {"kind": "member", "number": number}, entry_record(entry)
        else:
            yield {"kind": "member", "number": number}, Record(flat(entry))


def _bounded(file: EvidenceFile) -> Iterator[Line]:
    if file.size > LARGEST:
        raise ParseError(file.path, None, f"a JSON document of {file.size} bytes; the limit is {LARGEST}", "too_large")
    yield from lines(file)
