"""Windows Defender's event log: detections and what was done about them.

Field names follow the events' own templates (Microsoft, "Review event logs and error codes": 1116, 1117).
"""

from __future__ import annotations

from datetime import datetime

from wigmore.generator.windows.evtx import Logged

PROVIDER, CHANNEL = "Microsoft-Windows-Windows Defender", "Microsoft-Windows-Windows Defender/Operational"


def _about(threat: str, path: str, user: str, program: str) -> dict[str, str]:
    data = {"Product Name": "Microsoft Defender Antivirus", "Threat ID": "2147780199", "Threat Name": threat}
    data |= {"Severity ID": "5", "Severity Name": "Severe", "Category Name": "Trojan", "Path": f"file:_{path}"}
    return data | {"Detection User": user, "Process Name": program}


def detected(at: datetime, host: str, threat: str, path: str, user: str, program: str, ran: bool = False) -> Logged:
    """1116: an object was recognised; `ran`: while it was being executed."""
    data = _about(threat, path, user, program)
    data |= {"Execution ID": "2" if ran else "1", "Execution Name": "Executing" if ran else "Blocked"}
    return Logged(at, 1116, data | {"Action Name": "Not Applicable"}, PROVIDER, CHANNEL, host, level=3)


def acted(at: datetime, host: str, threat: str, path: str, user: str, program: str) -> Logged:
    """1117: the object was put into quarantine."""
    data = _about(threat, path, user, program) | {"Action ID": "2", "Action Name": "Quarantine", "Status Code": "3"}
    return Logged(at, 1117, data, PROVIDER, CHANNEL, host, level=4)
