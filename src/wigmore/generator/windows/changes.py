"""Event log records of changes: logs cleared, accounts made, services installed, tasks registered, shares reached.

Field names and their order follow the events' own templates (Microsoft: Security 1102, 4698, 4720, 4722, 4732, 5145; EventLog
104; Service Control Manager 7045).
"""

from __future__ import annotations

from datetime import datetime

from wigmore.generator.windows.evtx import Logged
from wigmore.generator.windows.office import AUDIT, SYSTEM

EVENT_LOG = "Microsoft-Windows-Eventlog"
ADMINISTRATORS = "S-1-5-32-544"
LOCAL_SYSTEM = "S-1-5-18"


def _subject(host: str, account: str, sid: str, session: int) -> dict[str, str]:
    return {
        "SubjectUserSid": sid,
        "SubjectUserName": account,
        "SubjectDomainName": "WORKGROUP" if account.endswith("$") else host,
        "SubjectLogonId": f"0x{session:x}",
    }


def cleared(at: datetime, host: str, account: str, sid: str, session: int = 0x51A3F) -> Logged:
    """1102: the Security log was cleared by an account."""
    return Logged(at, 1102, _subject(host, account, sid, session), EVENT_LOG, "Security", host, level=4)


def other_cleared(at: datetime, host: str, account: str, channel: str = "System") -> Logged:
    """104: another log was cleared by an account."""
    data = {"SubjectUserName": account, "SubjectDomainName": host, "Channel": channel, "BackupPath": ""}
    return Logged(at, 104, data, EVENT_LOG, "System", host, level=4)


def account_event(
    number: int, at: datetime, host: str, name: str, name_sid: str, actor: str, actor_sid: str, session: int = 0x51A3F
) -> Logged:
    """4720, 4722 and their kin: an account was created, enabled … by another."""
    data = {"TargetUserName": name, "TargetDomainName": host, "TargetSid": name_sid}
    data |= _subject(host, actor, actor_sid, session)
    if number == 4720:
        data |= {"PrivilegeList": "-", "SamAccountName": name, "DisplayName": "%%1793", "HomeDirectory": "%%1793"}
        data |= {"PrimaryGroupId": "513", "OldUacValue": "0x0", "NewUacValue": "0x15", "SidHistory": "-"}
    return Logged(at, number, data, AUDIT, "Security", host)


def member_added(
    at: datetime,
    host: str,
    member_sid: str,
    actor: str,
    actor_sid: str,
    group: tuple[str, str] = ("Administrators", ADMINISTRATORS),
) -> Logged:
    """4732: a member was added to a local group."""
    data = {"MemberName": "-", "MemberSid": member_sid, "TargetUserName": group[0], "TargetDomainName": "Builtin"}
    data |= {"TargetSid": group[1], **_subject(host, actor, actor_sid, 0x51A3F), "PrivilegeList": "-"}
    return Logged(at, 4732, data, AUDIT, "Security", host)


def service_installed(
    at: datetime, host: str, name: str, image: str, start: str = "demand start", sid: str = LOCAL_SYSTEM
) -> Logged:
    """7045: a service was installed."""
    data = {"ServiceName": name, "ImagePath": image, "ServiceType": "user mode service", "StartType": start}
    return Logged(at, 7045, data | {"AccountName": "LocalSystem"}, SYSTEM, "System", host, sid, level=4)


def share_reached(
    at: datetime, host: str, account: str, sid: str, address: str, share: str, target: str, session: int = 0x9A31C
) -> Logged:
    """5145: an object of a share was asked for over the network."""
    data = _subject(host, account, sid, session)
    data |= {"ObjectType": "File", "IpAddress": address, "IpPort": "49811", "ShareName": f"\\\\*\\{share}"}
    data |= {"ShareLocalPath": "", "RelativeTargetName": target, "AccessMask": "0x12019f", "AccessList": "%%1538"}
    return Logged(at, 5145, data, AUDIT, "Security", host)


def task_registered(at: datetime, host: str, name: str, content: str, account: str, sid: str) -> Logged:
    """4698: a scheduled task was created; `content` is its definition."""
    data = _subject(host, account, sid, 0x51A3F) | {"TaskName": f"\\{name}", "TaskContent": content}
    return Logged(at, 4698, data, AUDIT, "Security", host, version=1)
