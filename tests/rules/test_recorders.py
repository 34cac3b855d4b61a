"""That nothing was found counts only where records of the kind were kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from frame_cases import AUDIT, event, record, said

TOOL = {"executable": "PROCDUMP64.EXE", "executable_path": "\\VOLUME{1}\\TOOLS\\PROCDUMP64.EXE", "run_count": 1}
LOGON = event(4624, AUDIT, LogonType=2, TargetUserName="ada")
START = event(4688, AUDIT, CommandLine="notepad.exe", NewProcessName="C:\\Windows\\System32\\notepad.exe")


@pytest.mark.parametrize(("kept", "weakened"), [([LOGON], False), ([LOGON, START], True)])
def test_no_command_line_weakens_only_where_starts_are_recorded(
    kept: list[object], weakened: bool, tmp_path: Path
) -> None:
    records = {"windows.prefetch": [record(TOOL, "2026-03-02T10:00:00Z")], "windows.eventlog@logs/Security.evtx": kept}
    edges = said(tmp_path, records).edges  # type: ignore[arg-type]
    assert (("absence:credential_access:dump_commands", "credential_access", "weakens") in edges) == weakened
    assert ("prefetch.credential_tool", "credential_access", "prerequisite_met") in edges


SAVED = event(4688, AUDIT, CommandLine="reg save HKLM\\SAM C:\\PerfLogs\\sam.save")
ACCESS = event(
    10,
    "Microsoft-Windows-Sysmon",
    SourceImage="C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\4.18.2\\MsMpEng.exe",
    TargetImage="C:\\Windows\\System32\\lsass.exe",
)


@pytest.mark.parametrize(("line", "weakened"), [(START, True), (SAVED, False)])
def test_none_is_no_absence_where_the_act_is_seen_in_another_way(line: object, weakened: bool, tmp_path: Path) -> None:
    """Account databases that a line saves need no access to the logon process."""
    records = {
        "windows.prefetch": [record(TOOL, "2026-03-02T10:00:00Z")],
        "windows.eventlog@logs/Microsoft-Windows-Sysmon%4Operational.evtx": [ACCESS],
        "windows.eventlog@logs/Security.evtx": [line],
    }
    edges = said(tmp_path, records).edges  # type: ignore[arg-type]
    assert (("absence:credential_access:process_access", "credential_access", "weakens") in edges) == weakened
