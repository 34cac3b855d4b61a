"""Windows 11 Program Compatibility Assistant text files (PcaAppLaunchDic, PcaGeneralDb)."""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.logs.lines import lines
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import Time, iso
from wigmore.registry import Claim, parser

FIELDS = ("run_status", "path", "description", "vendor", "version", "program_id", "exit")
RUN_STATUS = {
    "0": "installer failed",
    "1": "driver blocked",
    "2": "process exited abnormally",
    "3": "compatibility layer resolved",
    "4": "not set",
}
_REFS = ("https://github.com/libyal/winreg-kb/blob/main/docs/sources/application-compatibility/",)


def _time(text: str) -> Time | None:
    return iso(text.strip(), zone="Z", source="PCA writes UTC (published tests; no zone in the text)")


@parser(
    "windows.pca.launch",
    claims=Claim(paths=("pcaapplaunchdic.txt",)),
    reads="Windows/appcompat/pca/PcaAppLaunchDic.txt of Windows 11 22H2 and later",
    means="The program at this path was last started through the interactive shell at this time.",
    does_not_mean=(
        "Who started it, earlier starts, or starts from consoles, services and tasks, which are not recorded."
    ),
    refs=_REFS,
)
def launch(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line: `path|time`, the time in UTC with milliseconds."""
    unread, first = 0, None
    for line in lines(file):
        if not line.text.strip("\0 \r"):
            continue
        path, separator, written = line.text.rpartition("|")
        moment = _time(written)
        if not separator or moment is None:
            unread, first = unread + 1, first or line
            continue
        locator = {"kind": "line", "line": line.number, "offset": line.offset}
        yield locator, Record({"path": path}, {"last_executed": moment}, "last_executed")
    if first:
        yield Gap(f"{unread} lines hold no path and time, the first is line {first.number}", first.offset)


@parser(
    "windows.pca.general",
    claims=Claim(paths=("pcageneraldb?.txt", "pcageneraldb.txt")),
    reads="Windows/appcompat/pca/PcaGeneralDb0.txt and PcaGeneralDb1.txt of Windows 11 22H2 and later",
    means=(
        "The assistant noted this about a run of the program at this path at this time: often an abnormal "
        "exit with its code."
    ),
    does_not_mean=(
        "Who ran it, that every run is noted, or that an abnormal exit is an attack; vendor and version are "
        "the file's claims."
    ),
    refs=_REFS,
)
def general(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line of eight fields parted by `|`; the time in UTC with milliseconds."""
    unread, first = 0, None
    for line in lines(file):
        if not line.text.strip("\0 \r"):
            continue
        parts = line.text.split("|")
        moment = _time(parts[0])
        if len(parts) < 3 or moment is None:
            unread, first = unread + 1, first or line
            continue
        # a | inside the last field belongs to it
        values = [*parts[1:7], "|".join(parts[7:])]
        data = dict(zip(FIELDS, [*values, *[""] * (len(FIELDS) - len(values))], strict=True))
        if known := RUN_STATUS.get(data["run_status"]):
            data["run_status_name"] = known
        locator = {"kind": "line", "line": line.number, "offset": line.offset}
        yield locator, Record(dict(data), {"run_time": moment}, "run_time")
    if first:
        yield Gap(f"{unread} lines hold no time, status and path, the first is line {first.number}", first.offset)
