"""PowerShell transcripts in any language: who, where, when, and each command with its output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from wigmore.artifacts.logs.framework import place, text_format
from wigmore.artifacts.logs.lines import Line, lines
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import Time, local

STARS = re.compile(r"\*{22}\s*$")
PAIR = re.compile(r"(?P<key>[^:]{1,60}): ?(?P<value>.*)$")
PROMPT = re.compile(r"(?:\[(?P<remote>[^\]]+)\]: )?PS (?P<folder>[^>]{0,400})> ?(?P<command>.*)")
STAMP = re.compile(r"\d{14}$")
MACHINE = re.compile(r".* \((?:Microsoft Windows NT|Unix|Darwin|Linux)[^)]*\)$")
# the keys that are the same in every language of Windows PowerShell
_SAME = {
    "PSVersion": "ps_version",
    "PSEdition": "ps_edition",
    "BuildVersion": "build_version",
    "CLRVersion": "clr_version",
}
MOST_OUTPUT = 20_000  # characters of one command's output kept in its record


def _score(listed: tuple[str, ...]) -> float:
    if len(listed) < 5 or not STARS.match(listed[0]):
        return 0.0
    values = [match["value"] for text in listed[1:12] if (match := PAIR.match(text))]
    return 1.0 if any(STAMP.match(value) for value in values[:2]) else 0.0


def _moment(value: str) -> Time | None:
    if not STAMP.match(value):
        return None
    try:
        return local(datetime.strptime(value, "%Y%m%d%H%M%S"), value)  # no zone is written
    except ValueError:
        return None


def _header(block: list[Line]) -> tuple[dict[str, object], Time | None]:
    """Fields of the header by their places: start, user, run-as user, configuration, machine, host application,
    process.
    """
    pairs = [(match["key"].strip(), match["value"].strip()) for line in block if (match := PAIR.match(line.text))]
    data: dict[str, object] = {}
    start: Time | None = None
    machine = next((number for number, (_, value) in enumerate(pairs) if MACHINE.match(value)), None)
    for number, (key, value) in enumerate(pairs):
        if key in _SAME:
            data[_SAME[key]] = value
        elif start is None and STAMP.match(value):
            start = _moment(value)
            if number + 1 < len(pairs):
                data["user"] = pairs[number + 1][1]
            if machine is not None and machine >= number + 3:
                data["run_as_user"] = pairs[number + 2][1]
        elif number == machine:
            data["machine"] = value
            data["computer"] = value.partition(" (")[0]
            if number + 1 < len(pairs):
                data["host_application"] = pairs[number + 1][1]
            if number + 2 < len(pairs) and pairs[number + 2][1].isdigit():
                data["process_id"] = int(pairs[number + 2][1])
    return data, start


@text_format(
    "windows.powershell_transcript",
    _score,
    names=("powershell_transcript.*.txt",),
    reads="PowerShell_transcript.*.txt, written by Start-Transcript or by policy",
    means="the named host application echoed these commands and outputs in a session of the named account on its "
    "local clock",
    does_not_mean="the zone; that output is complete; commands of sessions without transcription; who typed",
    refs=(
        "Microsoft, Start-Transcript (Microsoft.PowerShell.Host)",
        "PowerShell, MshHostUserInterface.cs: transcript header",
    ),
)
def transcript(file: EvidenceFile) -> Iterator[Yield]:
    """One record for each session's header and end, and one for each prompt's command with its output."""
    computer, user = "", ""
    block: list[Line] | None = None
    command: tuple[Line, dict[str, object]] | None = None
    output: list[str] = []
    kept, end, started = 0, 0, None
    invoked: Time | None = None

    def finished() -> Iterator[Yield]:
        if command is not None:
            line, data = command
            data = data | ({"output": "\n".join(output)} if output else {}) | {"user": user, "computer": computer}
            times = {"run_at": invoked} if invoked else {"session_started_at": started} if started else {}
            yield place(line, end - line.offset), Record(data, times, next(iter(times), None), host_id=computer)

    for line in lines(file):
        if STARS.match(line.text):
            if block is None:
                block = []
                continue
            pairs = [match["value"].strip() for item in block if (match := PAIR.match(item.text))]
            stamps = [value for value in pairs if STAMP.match(value)]
            yield from finished()
            command, output, kept = None, [], 0
            if len(pairs) >= 4:
                data, started = _header(block)
                computer, user, invoked = str(data.get("computer", "")), str(data.get("user", "")), None
                times = {"started_at": started} if started else {}
                locator = place(block[0], line.offset - block[0].offset)
                yield (
                    locator,
                    Record({"event": "transcript_started", **data}, times, next(iter(times), None), host_id=computer),
                )
            elif stamps and len(block) == 1:
                invoked = _moment(stamps[0])
            elif stamps:
                ended = _moment(stamps[0])
                times = {"ended_at": ended} if ended else {}
                yield (
                    place(block[0]),
                    Record(
                        {"event": "transcript_ended", "user": user, "computer": computer},
                        times,
                        next(iter(times), None),
                        host_id=computer,
                    ),
                )
            block = None
            continue
        if block is not None:
            if len(block) > 60:
                yield Gap("a header without its end", block[0].offset)
                block = None
                continue
            block.append(line)
            continue
        match = PROMPT.match(line.text)
        if match:
            yield from finished()
            fields: dict[str, object] = {"event": "command", "command": match["command"], "folder": match["folder"]}
            if match["remote"]:
                fields["remote_computer"] = match["remote"]
            command, output, kept = (line, fields), [], 0
        elif command is None:
            if not line.text.strip():
                continue
            command, output, kept = (line, {"event": "output"}), [line.text], len(line.text)
        elif kept < MOST_OUTPUT:
            output.append(line.text)
            kept += len(line.text)
        end = line.offset + line.length
    yield from finished()
