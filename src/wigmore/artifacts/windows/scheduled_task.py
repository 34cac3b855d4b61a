"""Windows scheduled tasks: XML definitions (Vista and later) and binary .job files (earlier, and `at`)."""

from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from wigmore.artifacts.windows.structures import bits, guid, systemtime, utf16
from wigmore.model.canonical import clean
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.model.times import Time, iso, local
from wigmore.registry import Claim, parser

LIMIT = 16 * 1024 * 1024
ELEMENTS = 20_000
SPACE = "schemas.microsoft.com/windows/2004/02/mit/task"
DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
ENCODINGS = ((b"\xff\xfe", "utf-16-le", 2), (b"\xfe\xff", "utf-16-be", 2), (b"\xef\xbb\xbf", "utf-8", 3))
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")

_MEANS = (
    "A task of this definition was set up here: what it runs, when, as whom; the author and date are text it carries."
)
_DOES_NOT = (
    "That the task ever ran, or that the named author made it on that date: both are free text. Its last run and "
    "result stand in the registry's TaskCache, the task scheduler's log or, for .job files, in the file."
)


def _text(content: bytes) -> str | None:
    """The XML as text, whatever its encoding mark; None where it cannot be decoded."""
    for mark, codec, skip in ENCODINGS:
        if content.startswith(mark):
            if codec == "utf-8":
                return content[skip:].decode(codec, "replace")
            return clean(content[skip : len(content) & ~1].decode(codec, "surrogatepass"))
    if content[:2] == b"<\0":
        return clean(content[: len(content) & ~1].decode("utf-16-le", "surrogatepass"))
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _look(head: bytes, path: str, size: int) -> bool:
    start = head[:6].lstrip(b"\xff\xfe\xef\xbb\xbf\0 \r\n")
    return start[:1] == b"<" and (SPACE.encode() in head or SPACE.encode("utf-16-le") in head)


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _leaves(element: ElementTree.Element) -> dict[str, str]:
    """The texts below an element by their names joined with dots, in order; without recursion."""
    found: dict[str, str] = {}
    waiting: list[tuple[str, ElementTree.Element]] = [("", element)]
    steps = 0
    while waiting and steps < ELEMENTS:
        steps += 1
        prefix, current = waiting.pop()
        children = list(current)
        for key, value in current.attrib.items():
            found[f"{prefix}.{key}".lstrip(".")] = value
        text = (current.text or "").strip()
        if prefix and text and not children:
            found[prefix] = f"{found[prefix]}, {text}" if prefix in found else text
        elif prefix and not children and not text and not current.attrib:
            found.setdefault(prefix, "")  # an empty element says something too: <Monday />
        for child in reversed(children):
            waiting.append((f"{prefix}.{_name(child)}".lstrip("."), child))
    return found


def _triggers(root: ElementTree.Element, times: dict[str, Time]) -> list[dict[str, str]]:
    found = []
    for number, trigger in enumerate(root, 1):
        leaves = _leaves(trigger)
        for key, name in (("StartBoundary", "start"), ("EndBoundary", "end")):
            if moment := iso(leaves.get(key, "")):
                times[f"trigger_{number}_{name}"] = moment
        found.append({"type": _name(trigger), **leaves})
    return found


def _actions(root: ElementTree.Element, data: dict[str, Any]) -> None:
    actions = []
    lines = []
    for action in root:
        leaves = _leaves(action)
        actions.append({"type": _name(action), **leaves})
        if "Command" in leaves:
            lines.append(f"{leaves['Command']} {leaves.get('Arguments', '')}".strip())
        if "ClassId" in leaves:
            data.setdefault("com_class_id", leaves["ClassId"])
    data["actions"] = actions
    if lines:
        data["command_line"] = lines[0] if len(lines) == 1 else lines
    if root.get("Context"):
        data["context"] = root.get("Context")


def _definition(root: ElementTree.Element) -> tuple[dict[str, Any], dict[str, Time]]:
    data: dict[str, Any] = {"schema_version": root.get("version", "")}
    times: dict[str, Time] = {}
    for section in root:
        name = _name(section)
        if name == "RegistrationInfo":
            for key, value in _leaves(section).items():
                ours = {"SecurityDescriptor": "security_descriptor", "URI": "uri"}.get(key, key.lower())
                if key == "Date" and (moment := iso(value)):
                    times["registered_at"] = moment
                else:
                    data[ours] = value
        elif name == "Triggers":
            data["triggers"] = _triggers(section, times)
        elif name == "Actions":
            _actions(section, data)
        elif name == "Principals":
            for principal in section:
                for key, value in _leaves(principal).items():
                    ours = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower()
                    data.setdefault({"id": "principal"}.get(ours, ours), value)
        elif name == "Settings":
            settings = _leaves(section)
            data["enabled"] = settings.get("Enabled", "true").lower() in ("true", "1")
            data["hidden"] = settings.get("Hidden", "false").lower() in ("true", "1")
            data["settings"] = settings
        elif name == "Data":
            data["data"] = "".join(section.itertext()).strip()[:4096]
    return data, times


@parser(
    "windows.scheduled_task",
    claims=Claim(look=_look),
    reads="task definitions in Windows/System32/Tasks, exported task XML",
    means=_MEANS,
    does_not_mean=_DOES_NOT,
    refs=("MS-TSCH 2.5 (XML task definition language)",),
)
def task_xml(file: EvidenceFile) -> Iterator[Yield]:
    """The task as one record; dates without an offset are local times of unknown zone (MS-TSCH 2.5)."""
    text = _text(file.read(LIMIT))
    if text is None:
        raise ParseError(file.path, 0, "neither UTF-16 nor UTF-8")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ParseError(file.path, 0, "declares entities, which task definitions never do", "unsupported")
    try:
        root = ElementTree.fromstring(DECLARATION.sub("", text.lstrip("\0 \r\n")).rstrip("\0"))  # noqa: S314  # no DTD: no entities
    except (ElementTree.ParseError, ValueError) as error:
        raise ParseError(file.path, 0, f"no well-formed XML: {error}") from error
    data, times = _definition(root)
    inside = re.search(r"/system32/tasks/(.+)$", "/" + file.path, re.IGNORECASE)
    data = {"task_name": file.path.rpartition("/")[2], **data}
    if inside:
        data["task_path"] = "\\" + inside[1].replace("/", "\\")
    dated = "registered_at" if "registered_at" in times else None
    yield {"kind": "offset", "offset": 0, "length": file.size}, Record(data, times, dated)


JOB_PRODUCTS = {
    0x400: "Windows NT 4.0", 0x500: "Windows 2000", 0x501: "Windows XP", 0x600: "Windows Vista", 0x601: "Windows 7",
    0x602: "Windows 8", 0x603: "Windows 8.1", 0xA00: "Windows 10",
}  # fmt: skip
JOB_FLAGS = {
    0x1: "INTERACTIVE", 0x2: "DELETE_WHEN_DONE", 0x4: "DISABLED", 0x10: "START_ONLY_IF_IDLE", 0x20: "KILL_ON_IDLE_END",
    0x40: "DONT_START_IF_ON_BATTERIES", 0x80: "KILL_IF_GOING_ON_BATTERIES", 0x100: "RUN_ONLY_IF_DOCKED",
    0x200: "HIDDEN", 0x400: "RUN_IF_CONNECTED_TO_INTERNET", 0x800: "RESTART_ON_IDLE_RESUME", 0x1000: "SYSTEM_REQUIRED",
    0x2000: "RUN_ONLY_IF_LOGGED_ON", 0x1000000: "APPLICATION_NAME",
}  # fmt: skip
JOB_STATUS = {
    0x41300: "ready", 0x41301: "running", 0x41302: "disabled", 0x41303: "has not run", 0x41304: "no more runs",
    0x41305: "not scheduled", 0x41306: "terminated", 0x41307: "no valid triggers", 0x41308: "runs on event",
}  # fmt: skip
JOB_TRIGGERS = {
    0: "once", 1: "daily", 2: "weekly", 3: "monthly date", 4: "monthly day of week", 5: "on idle", 6: "at system start",
    7: "at logon",
}  # fmt: skip


def _look_job(head: bytes, path: str, size: int) -> bool:
    """Known product and format version, and the fixed section's end at the offset of the name."""
    if len(head) < 70:
        return False
    product, form = struct.unpack_from("<HH", head)
    return product in JOB_PRODUCTS and form == 1 and struct.unpack_from("<H", head, 20)[0] == 70


def _trigger(raw: bytes, number: int, times: dict[str, Time]) -> dict[str, Any]:
    (_, _, year, month, day, end_year, end_month, end_day, hour, minute, duration, interval, flags, kind, *specific) = (
        struct.unpack_from("<10H4I3H", raw)
    )
    for name, parts in (("start", (year, month, day, hour, minute)), ("end", (end_year, end_month, end_day, 0, 0))):
        if name == "end" and not flags & 1:
            continue
        try:
            moment = datetime(*parts)
        except ValueError:
            continue
        times[f"trigger_{number}_{name}"] = local(
            moment, raw[4:20].hex(), source=".job times are local", precision=60.0
        )
    found: dict[str, Any] = {"type": JOB_TRIGGERS.get(kind, str(kind)), "disabled": bool(flags & 4)}
    if duration:
        found["duration_minutes"] = duration
    if interval:
        found["interval_minutes"] = interval
    if kind == 1:
        found["every_days"] = specific[0]
    elif kind == 2:
        found["every_weeks"] = specific[0]
        found["days"] = [name for bit, name in enumerate(DAYS) if specific[1] >> bit & 1]
    elif kind in (3, 4):
        found["specific"] = [f"{value:#06x}" for value in specific]
    return found


@parser(
    "windows.scheduled_task.job",
    claims=Claim(paths=("*.job",), look=_look_job),
    reads="*.job in Windows/Tasks",
    means=_MEANS + " The file holds the time of its last start and the exit code.",
    does_not_mean=_DOES_NOT,
    refs=("MS-TSCH 2.4 (.JOB file format)",),
)
def job(file: EvidenceFile) -> Iterator[Yield]:
    """The job as one record; all times are local, of unknown zone."""
    content = file.read(LIMIT)
    if len(content) < 70:
        raise ParseError(file.path, 0, f"{len(content)} bytes are too few for a job", "truncated")
    product, form = struct.unpack_from("<HH", content)
    if form != 1 or struct.unpack_from("<H", content, 20)[0] < 70:
        raise ParseError(file.path, 0, f"no job of a known format (version {form})", "schema_unknown")
    name_at, triggers_at = struct.unpack_from("<HH", content, 20)
    priority, longest, exit_code, status, flags = struct.unpack_from("<5I", content, 32)
    data: dict[str, Any] = {
        "task_name": file.path.rpartition("/")[2].removesuffix(".job"),
        "job_id": guid(content[4:20]),
        "product": JOB_PRODUCTS.get(product, f"{product:#06x}"),
        "format_version": form,
    }
    times: dict[str, Time] = {}
    position = name_at
    for name in ("application", "parameters", "working_directory", "author", "comment"):
        count = struct.unpack_from("<H", content, position)[0] if position + 2 <= len(content) else None
        if count is None or position + 2 + 2 * count > len(content):
            yield Gap(f"{name} is cut off", position, "truncated")
            position = len(content)
            break
        data[name] = utf16(content[position + 2 : position + 2 + 2 * count])
        position += 2 + 2 * count
    if data.get("application"):
        data["command_line"] = f"{data['application']} {data.get('parameters', '')}".strip()
    data |= {
        "exit_code": exit_code,
        "status": JOB_STATUS.get(status, f"{status:#x}"),
        "flags": bits(flags, JOB_FLAGS),
        "priority": {0x20: "normal", 0x40: "idle", 0x80: "high", 0x100: "realtime"}.get(priority, f"{priority:#x}"),
        "maximum_run_milliseconds": longest,
    }
    if moment := systemtime(content[52:68], ".job times are local"):
        times["last_run"] = moment
    triggers = []
    count = struct.unpack_from("<H", content, triggers_at)[0] if triggers_at + 2 <= len(content) else 0
    for number in range(count):
        raw = content[triggers_at + 2 + 48 * number : triggers_at + 50 + 48 * number]
        if len(raw) < 48:
            yield Gap(f"{count - number} of {count} triggers are cut off", triggers_at, "truncated")
            break
        triggers.append(_trigger(raw, number + 1, times))
    data["triggers"] = triggers
    yield (
        {"kind": "offset", "offset": 0, "length": len(content)},
        Record(data, times, "last_run" if "last_run" in times else None),
    )
