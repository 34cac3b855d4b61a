"""Sysmon's own event log: processes, memory of other processes, files, registry values, connections.

Field names and their order follow the manifest of Sysmon 14 (events 1, 3, 10, 11, 13).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from wigmore.generator.case import Case
from wigmore.generator.windows.evtx import Logged
from wigmore.generator.windows.office import PROGRAMS

PROVIDER, CHANNEL = "Microsoft-Windows-Sysmon", "Microsoft-Windows-Sysmon/Operational"
LSASS = "C:\\Windows\\System32\\lsass.exe"
EXPLORER = "C:\\Windows\\explorer.exe"
PROXY = "10.20.0.8"  # an office's programs reach the outside through it


def _logged(at: datetime, host: str, number: int, data: dict[str, str], version: int = 5) -> Logged:
    first = {"RuleName": "-", "UtcTime": f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"}
    return Logged(at, number, first | data, PROVIDER, CHANNEL, host, version=version, level=4, process_id=2912)


def _process(at: datetime, image: str, prefix: str = "") -> dict[str, str]:
    number = at.microsecond % 9000 + 600
    marks = {f"{prefix}ProcessGuid": f"{{c0ffee00-{number:04x}-6789-0b01-{number:012x}}}"}
    return marks | {f"{prefix}ProcessId": str(number * 4), f"{prefix}Image": image}


def started(
    at: datetime,
    host: str,
    account: str,
    image: str,
    line: str,
    parent: str = EXPLORER,
    original: str = "?",
    sha256: str = "",
) -> Logged:
    """1: a process was created; `original` is the name in the program's version information."""
    data = _process(at, image) | {"FileVersion": "-", "Description": "-", "Product": "-", "Company": "-"}
    data |= {"OriginalFileName": original, "CommandLine": line, "CurrentDirectory": "C:\\"}
    data |= {"User": f"{host}\\{account}", "LogonId": "0x51a3f", "TerminalSessionId": "1", "IntegrityLevel": "High"}
    data |= {"Hashes": f"SHA256={sha256.upper()}" if sha256 else "-"} | _process(
        at - timedelta(seconds=9), parent, "Parent"
    )
    return _logged(at, host, 1, data | {"ParentCommandLine": parent})


def connected(at: datetime, host: str, account: str, image: str, address: str, port: int) -> Logged:
    """3: a program opened a connection."""
    data = _process(at, image) | {"User": f"{host}\\{account}", "Protocol": "tcp", "Initiated": "true"}
    data |= {"SourceIsIpv6": "false", "SourceIp": "192.0.2.20", "SourceHostname": host, "SourcePort": "50112"}
    return _logged(
        at, host, 3, data | {"DestinationIp": address, "DestinationHostname": "-", "DestinationPort": str(port)}
    )


def opened(
    at: datetime,
    host: str,
    image: str,
    granted: str,
    target: str = LSASS,
    user: str = "NT AUTHORITY\\SYSTEM",
    library: str = "ntdll.dll",
) -> Logged:
    """10: a program opened another process with certain rights, called through a `library`."""
    data = _process(at, image, "Source") | _process(at - timedelta(hours=1), target, "Target")
    data |= {
        "GrantedAccess": granted,
        "CallTrace": f"C:\\Windows\\SYSTEM32\\ntdll.dll+9d4c4|C:\\Windows\\SYSTEM32\\{library}+6cfb",
        "SourceUser": user,
    }
    return _logged(at, host, 10, data | {"TargetUser": "NT AUTHORITY\\SYSTEM"}, 3)


def file_made(at: datetime, host: str, account: str, image: str, path: str) -> Logged:
    """11: a program made a file."""
    data = _process(at, image) | {"TargetFilename": path, "CreationUtcTime": f"{at:%Y-%m-%d %H:%M:%S}.000"}
    return _logged(at, host, 11, data | {"User": f"{host}\\{account}"}, 2)


def value_set(at: datetime, host: str, account: str, image: str, target: str, details: str) -> Logged:
    """13: a registry value was set."""
    data = {"EventType": "SetValue"} | _process(at, image) | {"TargetObject": target, "Details": details}
    return _logged(at, host, 13, data | {"User": f"{host}\\{account}"}, 2)


def week(case: Case, host: str, account: str) -> Iterator[Logged]:
    """Ordinary process starts and connections of the days of the case; `noise` decides how many a day."""
    dice = case.world.random(f"sysmon {host}")
    for day in range(-15, 10):
        morning = case.world.at(day, f"08:{dice.randrange(10, 50)}:{dice.randrange(10, 59)}")
        for number in range(2 + case.noise // 40):
            program, line, parent = dice.choice(PROGRAMS)
            at = morning + timedelta(minutes=9 * number + dice.randrange(9), seconds=dice.randrange(60))
            yield started(at, host, account, program, line, parent)
            if program.endswith("OUTLOOK.EXE"):
                yield connected(at + timedelta(seconds=3), host, account, program, PROXY, 8080)
