"""Microsoft Defender: detection history files and the antimalware service's text logs (MPLog, MPDetection)."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.logs.lines import lines
from wigmore.artifacts.windows.structures import guid, utf16
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.model.times import Time, filetime, iso
from wigmore.registry import Claim, parser

LIMIT = 64 * 1024 * 1024
MAGIC = "Magic.Version:1.2"
VALUES = 20_000
CATEGORIES = {
    0: "invalid", 1: "adware", 2: "spyware", 3: "password stealer", 4: "trojan downloader", 5: "worm", 6: "backdoor",
    7: "remote access trojan", 8: "trojan", 9: "email flooder", 10: "keylogger", 11: "dialer",
    12: "monitoring software",
    13: "browser modifier", 19: "joke program", 21: "software bundler", 23: "settings modifier",
    25: "remote control software",
    27: "potentially unwanted software", 30: "exploit", 32: "malware creation tool", 34: "tool",
    36: "trojan (denial of service)",
    37: "trojan dropper", 38: "trojan mass mailer", 40: "trojan proxy server", 42: "virus", 43: "known", 44: "unknown",
    46: "behaviour", 47: "vulnerability", 48: "policy", 50: "ransom", 51: "attack surface reduction",
}  # fmt: skip
RESOURCES = {
    "file": "file_path", "containerfile": "container_path", "webfile": "web_origin", "CmdLine": "command_line",
    "regkeyvalue": "registry_value", "process": "process",
}  # fmt: skip
Value = int | str | bytes | Time | None

_DOES_NOT = (
    "That the object was malicious, that it ran, or who put it there: detections are a scanner's judgement, made "
    "before the object ran or after; test files and tools of administrators are detected too."
)
_REFS = ("https://github.com/libyal/dtformats (Windows Defender scan DetectionHistory file format)",)


def _values(content: bytes) -> Iterator[tuple[int, Value] | Gap]:
    """The values of the file in order with their offsets: size, type, data, padding to 8 bytes."""
    position = 0
    for _ in range(VALUES):
        if position + 8 > len(content):
            return
        size, kind = struct.unpack_from("<II", content, position)
        raw = content[position + 8 : position + 8 + size]
        if len(raw) < size:
            yield Gap(f"a value of {size} bytes is cut off", position, "truncated")
            return
        value: Value = raw
        if kind == 0x15:
            value = utf16(raw)
        elif kind == 0x0A and size == 8:
            value = filetime(struct.unpack("<Q", raw)[0])
        elif kind == 0x1E and size == 16:
            value = guid(raw)
        elif size in (4, 8) and kind in (0x00, 0x05, 0x06, 0x08):
            value = int.from_bytes(raw, "little")
        yield position, value
        position += 8 + (size + 7) // 8 * 8


def _tracking(raw: bytes) -> dict[str, int | str]:
    """The threat tracking block: names with 8-, 32-, 64-bit or text values; stops at what it does not know."""
    found: dict[str, int | str] = {}
    if len(raw) < 4:
        return found
    first = struct.unpack_from("<I", raw)[0]
    position = struct.unpack_from("<I", raw, 4)[0] + 4 if first == 1 and len(raw) >= 8 else 4
    for _ in range(256):
        if position + 8 > len(raw):
            break
        length = struct.unpack_from("<I", raw, position)[0]
        if length > 512 or position + 8 + length > len(raw):
            break
        name = utf16(raw[position + 4 : position + 4 + length])
        kind = struct.unpack_from("<I", raw, position + 4 + length)[0]
        position += 8 + length
        if kind == 6:
            if position + 4 > len(raw):
                break
            size = struct.unpack_from("<I", raw, position)[0]
            found[name] = utf16(raw[position + 4 : position + 4 + size])
            position += 4 + size
        elif width := {3: 4, 4: 8, 5: 1, 7: 5}.get(kind):
            found[name] = int.from_bytes(raw[position : position + width], "little")
            position += width
        else:
            break
    return found


def _sets(values: list[Value]) -> list[list[Value]]:
    """The values in sets, each after the first led by the magic text."""
    found: list[list[Value]] = [[]]
    for value in values:
        if value == MAGIC:
            found.append([])
        found[-1].append(value)
    return found


def _plain(value: Value) -> int | str | None:
    """A value as the record may hold it, whatever kind stood where another was expected."""
    if isinstance(value, bytes):
        return value[:256].hex()
    return str(value["text"]) if isinstance(value, dict) else value


def _detection(sets: list[list[Value]]) -> tuple[dict[str, Any], dict[str, Time]]:
    """Fields and times of a detection; places as the format documentation gives them."""
    data: dict[str, Any] = {}
    times: dict[str, Time] = {}
    for name, position in (("threat_id", 0), ("detection_id", 1)):
        if len(sets[0]) > position:
            data[name] = _plain(sets[0][position])
    if len(sets) > 1 and len(sets[1]) > 4:
        data["threat_name"] = _plain(sets[1][1])
        category = sets[1][4]
        data["category"] = CATEGORIES.get(category, str(category)) if isinstance(category, int) else ""
    resources = []
    for part in sets[2:]:
        if len(part) < 3:
            continue
        tracking = _tracking(part[5]) if len(part) > 5 and isinstance(part[5], bytes) else {}
        resource = {"type": _plain(part[1]), "location": _plain(part[2])}
        for name, tracked in tracking.items():
            short = name.removeprefix("ThreatTracking")
            if (
                short in ("StartTime", "ParentCreationTime")
                and isinstance(tracked, int)
                and (moment := filetime(tracked))
            ):
                times.setdefault(name, moment)
            elif short in ("Sha256", "Sha1", "MD5", "Size", "ThreatName"):
                resource[short.lower()] = tracked
                data.setdefault(name, tracked)
            else:
                data.setdefault(name, tracked)
        resources.append(resource)
    data["resources"] = resources
    for wanted, name in RESOURCES.items():
        locations = [r["location"] for r in resources if r["type"] == wanted]
        if locations:
            data[name] = locations[0] if len(locations) == 1 else locations
    last = sets[-1] if len(sets) > 2 else []
    for position, name in ((6, "last_status_change"), (18, "initial_detection"), (20, "remediation")):
        value = last[position] if len(last) > position else None
        if isinstance(value, dict):
            times[name] = value
    for position, name in ((12, "domain_user"), (14, "process_name"), (24, "second_domain_user")):
        if len(last) > position and isinstance(last[position], str) and last[position]:
            data[name] = last[position]
    return data, times


@parser(
    "windows.defender.detection",
    claims=Claim(magic=((48, MAGIC.encode("utf-16-le")),)),
    reads="ProgramData/Microsoft/Windows Defender/Scans/History/Service/DetectionHistory/*/<GUID>",
    means=(
        "Microsoft Defender detected this threat name in these objects at this time, with the user and "
        "process it noted."
    ),
    does_not_mean=_DOES_NOT,
    refs=_REFS,
)
def detection(file: EvidenceFile) -> Iterator[Yield]:
    """The file as one record with its resources, hashes and FILETIMEs."""
    content = file.read(LIMIT)
    values: list[Value] = []
    for item in _values(content):
        if isinstance(item, Gap):
            yield item
        else:
            values.append(item[1])
    sets = _sets(values)
    if len(sets) < 2:
        raise ParseError(file.path, 0, "holds no threat: the second set of values is missing", "truncated")
    data, times = _detection(sets)
    order = ("initial_detection", "last_status_change", "ThreatTrackingStartTime", "remediation")
    dated = next((name for name in order if name in times), None)
    yield {"kind": "offset", "offset": 0, "length": len(content)}, Record(data, times, dated)


STAMPED = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z?) (.*)$", re.DOTALL)
DETECTIONS = re.compile(r"(DETECTION\w*#?\d*|SDN:|\[RTP\]|BEGIN BM telemetry|ProcessImageName)")
DETECTED = re.compile(
    r"DETECTION\w*#?\d*:? (?:(MPSOURCE_\w+) )?(?:(MP_THREAT_ACTION_\w+) (0x[0-9a-f]+) )?([A-Za-z]\w*:\S+) ([^\n]*)"
)
PAIR = re.compile(r"(?:^|, )([A-Z]\w{2,40}): ([^,]*)")
ENTRY = 32 * 1024  # characters of an entry with its continuation lines


def _log_record(number: int, offset: int, written: str, texts: list[str]) -> Iterator[Yield]:
    moment = iso(written)
    text = "\n".join(texts).rstrip()[:ENTRY]
    data: dict[str, Any] = {"text": text}
    if mark := DETECTIONS.match(text):
        data["kind"] = mark[1].rstrip(":")
    if match := DETECTED.match(text):
        data |= {"threat_name": match[4], "resources": match[5].strip().rstrip(";")}
        for name, value in (("detection_source", match[1]), ("action", match[2]), ("action_result", match[3])):
            if value:
                data[name] = value
    if text.startswith("ProcessImageName"):
        for name, value in PAIR.findall(texts[0]):
            data.setdefault(name, value.strip())
    if moment and text:
        yield {"kind": "line", "line": number, "offset": offset}, Record(data, {"logged_at": moment}, "logged_at")


@parser(
    "windows.defender.log",
    claims=Claim(paths=("mplog-*.log", "mpdetection-*.log")),
    reads="ProgramData/Microsoft/Windows Defender/Support/MPLog-*.log and MPDetection-*.log",
    means=(
        "The antimalware service wrote this line at this time: detections, scans, updates, and names of "
        "running programs."
    ),
    does_not_mean=_DOES_NOT,
    refs=("https://learn.microsoft.com/defender-endpoint/troubleshoot-performance-issues (MPLog)",),
)
def service_log(file: EvidenceFile) -> Iterator[Yield]:
    """One record a stamped line with the unstamped lines after it; times in UTC where they end in Z."""
    current: tuple[int, int, str, list[str]] | None = None
    size = 0
    for line in lines(file):
        match = STAMPED.match(line.text)
        if match:
            if current:
                yield from _log_record(*current)
            current, size = (line.number, line.offset, match[1], [match[2]]), len(match[2])
        elif current and size < ENTRY:
            current[3].append(line.text)
            size += len(line.text) + 1
    if current:
        yield from _log_record(*current)
