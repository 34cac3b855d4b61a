"""Windows Error Reporting: Report.wer files of crashes, hangs and other reports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.model.times import Time, filetime
from wigmore.registry import Claim, parser

LIMIT = 16 * 1024 * 1024
MOST_LINES = 100_000
START = "Version=".encode("utf-16-le")
EVENT = "EventType=".encode("utf-16-le")
_PAIRED = re.compile(r"(Sig|DynamicSig|State|Ns|File|OsInfo|UI)\[(\d{1,4})\](?:\.(\w{1,40}))?")
_LISTED = re.compile(r"(LoadedModule|MemoryModule)\[\d{1,5}\]")
_PROGRAM_HASH = re.compile(r"!0000([0-9a-f]{40})!", re.IGNORECASE)
TIMES = {"EventTime": "event_at", "UploadTime": "uploaded_at"}
# our names for what examiners ask first; every line stays under its own name as well
NAMED = {"AppPath": "program_path", "AppName": "program_description", "NsAppName": "program", "EventType": "event_type"}
TYPES = {"0": "non-critical", "1": "critical", "2": "application crash", "3": "application hang", "4": "kernel"}


def _look(head: bytes, path: str, size: int) -> bool:
    # other UTF-16 texts begin with a version too
    return len(head) >= 16 and (path.lower().endswith(".wer") or EVENT in head)


def _text(raw: bytes) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", "backslashreplace")
    if raw[1:2] == b"\0":
        return raw.decode("utf-16-le", "backslashreplace")
    return raw.decode("utf-8-sig", "backslashreplace")


def _pairs(data: dict[str, Any], pairs: dict[tuple[str, int], dict[str, str]]) -> None:
    """Numbered names and values as one field each: `Sig.Exception Code` = c0000005."""
    for (family, number), parts in sorted(pairs.items()):
        label = parts.get("Name") or parts.get("Key") or parts.get("CabName") or str(number)
        value = parts.get("Value", parts.get("Path", parts.get("", "")))
        name = f"{family}.{label.rstrip(':')}"
        data[name if name not in data else f"{name}.{number}"] = value


@parser(
    "windows.error_report",
    claims=Claim(paths=("*.wer",), magic=((0, b"\xff\xfe" + START), (0, START)), look=_look),
    reads="Report.wer (WER\\ReportArchive, ReportQueue) of Windows Vista and later, with its AppCrash_* folder's name",
    means="Windows wrote a report on this program at this time: it had run, and crashed, hung or met the named event.",
    does_not_mean=(
        "Who started the program, that the crash was an attack, or that the report was sent. The hash in the program's id "
        "is of the file at that path when it was first inventoried."
    ),
    refs=(
        "https://learn.microsoft.com/windows/win32/wer/windows-error-reporting",
        "https://learn.microsoft.com/windows/win32/api/werapi/ne-werapi-wer_report_type",
    ),
)
def error_report(file: EvidenceFile) -> Iterator[Yield]:
    """The report as one record: its lines under their names, signature parts by their labels, loaded modules as a list.

    Format: UTF-16 text of `name=value` lines; numbered families (`Sig[0].Name`, `Sig[0].Value`); EventTime is a FILETIME.
    """
    text = _text(file.read(LIMIT))
    data: dict[str, Any] = {}
    pairs: dict[tuple[str, int], dict[str, str]] = {}
    modules: list[str] = []
    odd = 0
    for number, line in enumerate(text.splitlines()):
        if number >= MOST_LINES:
            yield Gap(f"only the first {MOST_LINES} lines are read", None, "too_large")
            break
        name, sign, value = line.strip("\ufeff \0").partition("=")
        if not sign:
            odd += bool(name)
            continue
        if match := _PAIRED.fullmatch(name):
            pairs.setdefault((match[1], int(match[2])), {})[match[3] or ""] = value
        elif _LISTED.fullmatch(name):
            modules.append(value)
        else:
            data.setdefault(name, value)
    if "EventType" not in data and not pairs:
        raise ParseError(file.path, 0, "no lines of an error report", "schema_unknown")
    _pairs(data, pairs)
    for native, ours in NAMED.items():
        if native in data:
            data[ours] = data[native]
    if "ReportType" in data:
        data["report_type"] = TYPES.get(data["ReportType"], data["ReportType"])
    if found := _PROGRAM_HASH.search(str(data.get("TargetAppId", ""))):
        data["program_sha1"] = found[1].lower()
    if modules:
        data["loaded_modules"] = modules
    folder = file.path.rpartition("/")[0].rpartition("/")[2]
    if folder:
        data["report_folder"] = folder
    times: dict[str, Time] = {}
    for native, ours in TIMES.items():
        stored = str(data.get(native, ""))
        if stored.isdigit() and len(stored) < 20 and (moment := filetime(int(stored))) is not None:
            times[ours] = moment
    if odd:
        yield Gap(f"{odd} lines have no name and value", None)
    place = {"kind": "offset", "offset": 0, "length": file.size}
    yield place, Record(data, times, "event_at" if "event_at" in times else None)
